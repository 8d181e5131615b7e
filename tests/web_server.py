"""A scripted web server on the loopback address, for what GitHub and its file storage may do.

>>> import requests
>>> with WebServer() as server:
...     address = server.on("/report", Reply(503), Reply(200, b"{}"))  # from the second on 200
...     [requests.get(address).status_code for _ in range(3)]
[503, 200, 200]

Every path has a list of replies; the last one repeats. The server writes plain bytes to the socket,
so a reply may break off, drip, lie about its length, or be no HTTP at all. All requests are kept in
`server.requests`; what was not scripted answers 404 and can be found there too.
"""

from __future__ import annotations

import json
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import traceback
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

import pytest

TOKEN = "ghp_CANARYtoken0123456789"
SIGNATURE = "CANARYsignature"
CANARY = "CANARY"  # a part of every secret that the tests hand out


@dataclass(frozen=True)
class Reply:
    """One answer: a status, a body, and how the body travels.

    `framing` says how the client learns where the body ends: ``length``, ``chunked``, ``close``, or
    ``none`` for a body that is sent as it is, with no head. Only `cut` bytes of the body are sent
    before the connection closes; `delay` seconds pass before the answer, `drip` after each byte of
    the body, `drip_head` after each byte of the head. An `endless` body is sent again and again, a
    thousand times.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    framing: str = "length"
    cut: int | None = None
    delay: float = 0
    drip: float = 0
    drip_head: float = 0
    endless: bool = False

    def head(self) -> bytes:
        headers = {"Content-Type": "application/json", **self.headers}
        if self.framing == "length" and self.status != 204:
            headers.setdefault("Content-Length", str(len(self.body)))
        if self.framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        phrase = HTTPStatus(self.status).phrase
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{n}: {v}" for n, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    def payload(self) -> bytes:
        body = self.body if self.cut is None else self.body[: self.cut]
        if self.framing != "chunked":
            return body
        chunk = b"%x\r\n%s\r\n" % (len(self.body), body) if body else b""
        return chunk + b"0\r\n\r\n" if self.cut is None else chunk[: self.cut + 6]

    @property
    def closes(self) -> bool:
        return self.framing in ("close", "none") or self.cut is not None


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


def reply(status: int = 200, content=None, **headers: str) -> Reply:
    """A JSON answer; ``retry_after="3"`` becomes the header Retry-After."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    body = b"" if content is None else json.dumps(content).encode()
    return Reply(status, body, names)


def refusal(status: int, message: str, **headers: str) -> Reply:
    """An error in GitHub's form."""
    content = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    return reply(status, content, **headers)


def envelope(*links: str, day: str | None = None, **fields) -> Reply:
    """GitHub's answer for a report: of one day, or of the 28 days to 2026-11-20."""
    latest = {"report_start_day": "2026-10-24", "report_end_day": "2026-11-20"}
    days = {"report_day": day} if day else latest
    return reply(200, {"download_links": list(links), **days, **fields})


def html(status: int = 200, text: str = "<html><body>Please sign in</body></html>") -> Reply:
    """A web page, as proxies and sign-in portals send it."""
    return Reply(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status, b"", {"Location": location})


class WebServer:
    """See the module; a context manager that answers until it is left."""

    def __init__(self, tls: ssl.SSLContext | None = None):
        self.requests: list[Request] = []
        self._routes: dict[str, list[Reply]] = {}
        self._calls: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.web, self._server.tls = self, tls
        scheme = "https" if tls else "http"
        self.port = self._server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{scheme}://{self.host}"

    def __enter__(self) -> WebServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> WebServer:
        """Forget the script and the requests, for the next test."""
        with self._lock:
            self.requests.clear()
            self._routes.clear()
            self._calls.clear()
        return self

    def on(self, path: str, *replies: Reply) -> str:
        """Script the answers of a path, and return its address; the last answer repeats.

        In place of an answer may stand a function that makes it from the `Request`.
        """
        self._routes[path], self._calls[path] = list(replies), 0
        return self.url + path

    def file(self, name: str, body: bytes, **options) -> str:
        """Offer a file, and return a signed link to it."""
        self.on(f"/{name}", Reply(200, body, **options))
        return self.link(name)

    def link(self, name: str) -> str:
        return f"{self.url}/{name}?se=2026-11-22&sig={SIGNATURE}"

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [request.path for request in self.requests]

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            replies = self._routes.get(request.path) or self._routes.get("*")
            if not replies:
                return refusal(404, "Not Found")
            number = self._calls[request.path]
            self._calls[request.path] += 1
        found = replies[min(number, len(replies) - 1)]
        return found(request) if callable(found) else found

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the test runs."""
        self._stopping.wait(seconds)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def get_request(self):
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        connection.settimeout(5)
        return connection, address

    def handle_error(self, request, client_address):
        """Clients that go away are part of the tests."""


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while request := self._read_request():
            if not self._send(self.server.web.answer(request)):
                return

    def _read_request(self) -> Request | None:
        try:
            words = self.rfile.readline().decode("latin-1").split()
            lines = iter(lambda: self.rfile.readline().decode("latin-1").strip(), "")
            headers = dict(line.split(": ", 1) for line in lines) if words else {}
        except (OSError, ssl.SSLError):
            return None
        if not words:
            return None
        target = urlsplit(words[1])
        return Request(words[0], target.path, dict(parse_qsl(target.query)), headers)

    def _send(self, answer: Reply) -> bool:
        web = self.server.web
        web.pause(answer.delay)
        head = b"" if answer.framing == "none" else answer.head()
        data = answer.payload()
        try:
            if answer.drip_head:
                self._drip(head, answer.drip_head)
                head = b""
            # One write: a small second one would wait 40 ms for the acknowledgement of the first.
            self.wfile.write(head if answer.drip else head + data)
            if answer.drip:
                self._drip(data, answer.drip)
            for _ in range(1000 if answer.endless else 0):
                self.wfile.write(data)
            if answer.closes:
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return False
        return not answer.closes

    def _drip(self, data: bytes, seconds: float) -> None:
        for number in range(len(data)):
            self.wfile.write(data[number : number + 1])
            self.server.web.pause(seconds)


class FakeTime:
    """A clock that moves by the sleeps alone, which are recorded and take no time."""

    def __init__(self, now: datetime):
        self._start, self._began = now, time.monotonic()
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=sum(self.sleeps))

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps.append(seconds)

    def monotonic(self) -> float:
        return time.monotonic() - self._began + sum(self.sleeps)


@contextmanager
def fails(error_class: type[Exception], *texts: str):
    """Expect an error that says all of `texts`, and no secret: not in its causes either."""
    with pytest.raises(error_class) as caught:
        yield caught
    error = caught.value
    for text in texts:
        assert text in str(error)
    assert "***" not in str(error).replace("?***", ""), "redaction ate an ordinary word"
    while error is not None:
        assert CANARY not in f"{error} {error!r} {vars(error)}"
        assert CANARY not in "".join(traceback.format_exception(error))
        error = error.__context__


def make_certificate(folder, *names: str):
    """Make a key and a certificate for some names that nobody has signed; return their paths."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, path = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={names[0]}", "-addext",
         f"subjectAltName=IP:127.0.0.1,{','.join(f'DNS:{name}' for name in names)}",
         "-keyout", key, "-out", path],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, path
