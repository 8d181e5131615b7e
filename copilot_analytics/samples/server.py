"""A server that speaks GitHub's protocol, on two loopback ports: the API and the downloads."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sys
import tempfile
import threading
import time
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from copilot_analytics.catalogue import Endpoint, Scope, all_endpoints
from copilot_analytics.errors import UsageError
from copilot_analytics.samples.company import Company
from copilot_analytics.samples.writing import encode

TOKEN = "ghp_sampletoken000000000000000000000000"  # noqa: S105 - opens nothing but this server
API_VERSIONS = ("2022-11-28", "2026-03-10")
HISTORY = timedelta(days=365)  # GitHub keeps a year of days
RATE_LIMIT = 5_000
_DOCUMENTATION = "https://docs.github.com/rest/copilot/copilot-usage-metrics"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Request(NamedTuple):
    """One request that was received: ``"api"`` or ``"download"``, and what came with it."""

    port: str
    method: str
    path: str
    headers: dict[str, str]


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    file: Path | None = None


class SampleServer:
    """GitHub's report endpoints and signed links, answered from a sample company.

    Parameters
    ----------
    company
        The company whose reports are served.
    token
        The only token that is accepted.
    latency
        Seconds that every answer takes longer.
    link_lifetime
        Seconds until a link is refused, measured with `clock`.
    now
        GitHub's time; the company's `now` if not given.

    Attributes
    ----------
    clock
        GitHub's time, which stands still until it is set. Days appear and settle by it.
    environ
        Environment variables that point the client at this server.
    requests
        What was received so far.

    Examples
    --------
    >>> with SampleServer(Company(people=20, days=7)) as server:
    ...     sorted(server.environ)
    ['COPILOT_ANALYTICS_DOWNLOAD_HOSTS', 'GITHUB_API_URL', 'GITHUB_TOKEN']
    """

    def __init__(
        self,
        company: Company,
        *,
        token: str = TOKEN,
        latency: float = 0.0,
        link_lifetime: float = 3600,
        now: datetime | None = None,
    ):
        self.company, self.token, self.latency = company, token, latency
        self.link_lifetime = timedelta(seconds=link_lifetime)
        self.clock = now or company.now
        self.requests: list[Request] = []
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._routes = [_route(endpoint) for endpoint in all_endpoints()]
        self._servers: dict[str, ThreadingHTTPServer] = {}

    def __enter__(self) -> SampleServer:
        self._folder = tempfile.TemporaryDirectory(prefix="copilot-analytics-sample-")
        for port, answer in (("api", self._api), ("download", self._download)):
            handler = _handler(self, port, answer)
            self._servers[port] = _Server(("127.0.0.1", 0), handler)
            serve = self._servers[port].serve_forever
            threading.Thread(target=serve, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()
        self._folder.cleanup()

    @property
    def environ(self) -> dict[str, str]:
        """The settings of a client of this server."""
        return {
            "GITHUB_API_URL": f"http://{self._host('api')}",
            "COPILOT_ANALYTICS_DOWNLOAD_HOSTS": self._host("download"),
            "GITHUB_TOKEN": self.token,
        }

    def time(self) -> datetime:
        """GitHub's time in UTC, whatever zone the clock was set in."""
        return self.clock.astimezone(UTC)

    def _host(self, port: str) -> str:
        return f"127.0.0.1:{self._servers[port].server_address[1]}"

    # The API.

    def _api(self, path: str, query: dict, headers: dict[str, str]) -> Answer:
        spent = sum(request.port == "api" for request in self.requests)
        limits = (
            ("X-RateLimit-Limit", str(RATE_LIMIT)),
            ("X-RateLimit-Remaining", str(max(0, RATE_LIMIT - spent))),
            ("X-RateLimit-Used", str(spent)),
            ("X-RateLimit-Reset", str(int((self.clock + timedelta(hours=1)).timestamp()))),
            ("X-RateLimit-Resource", "core"),
            ("X-GitHub-Request-Id", f"5A3E:{spent:06X}"),
            ("Content-Type", "application/json; charset=utf-8"),
        )
        answer = self._report(path, query, headers)
        return answer._replace(headers=limits)

    def _report(self, path: str, query: dict, headers: dict[str, str]) -> Answer:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token") or not hmac.compare_digest(
            token.encode(), self.token.encode()
        ):
            return _message(401, "Bad credentials")
        version = headers.get("x-github-api-version", API_VERSIONS[0])
        if version not in API_VERSIONS:
            supported = ", ".join(API_VERSIONS)
            return _message(400, f"'{version}' is not a supported version. Use {supported}.")
        for pattern, endpoint in self._routes:
            if found := pattern.fullmatch(path):
                return self._envelope(endpoint, unquote(found["name"]), query)
        return _message(404, "Not Found")

    def _envelope(self, endpoint: Endpoint, name: str, query: dict) -> Answer:
        try:
            scope = self.company.entity(Scope(endpoint.scope_kind, name)).scope
        except UsageError:
            return _message(404, "Not Found")
        day = None
        if "day" in endpoint.parameters:
            text = query.get("day", [""])[0]
            try:
                day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
            except ValueError:
                day = None
            if day is None:
                errors = [{"resource": "CopilotMetrics", "field": "day", "code": "invalid"}]
                return _message(422, "Validation Failed", errors=errors)
        today = self.time().date()
        is_kept = day is None or today - HISTORY <= day < today
        if not is_kept or not self.company.has_report(endpoint.report, scope, day, today):
            if is_kept and 204 in endpoint.no_report_statuses:
                return Answer(204)
            when = f" on {day.isoformat()}" if day else ""
            return _message(404, f"No report available for {scope.kind} {scope.name}{when}.")
        return self._links(endpoint, scope, day, today)

    def _links(self, endpoint: Endpoint, scope: Scope, day: date | None, today: date) -> Answer:
        count = len(self.company.parts(endpoint.report, scope, day, today))
        label = day.isoformat() if day else "latest"
        folder = f"/{scope.folder}/{endpoint.report}/{label}/{today.isoformat()}"
        links = [self._sign(f"{folder}/part-{number:05}.json") for number in range(count)]
        if day:
            period = {"report_day": label}
        else:
            first, last = self.company.window(endpoint.report, scope, today)
            period = {
                "report_start_day": first.isoformat(),
                "report_end_day": last.isoformat(),
            }
        return Answer(200, json.dumps({"download_links": links, **period}).encode())

    # The downloads.

    def _sign(self, path: str) -> str:
        window = {
            "st": self.time().strftime(_TIME),
            "se": (self.time() + self.link_lifetime).strftime(_TIME),
        }
        query = {**window, "sp": "r", "sig": self._signature(path, **window)}
        return f"http://{self._host('download')}{path}?{urlencode(query)}"

    def _signature(self, path: str, st: str, se: str) -> str:
        text = "\n".join((path, st, se)).encode()
        return b64encode(hmac.digest(self._key, text, "sha256")).decode()

    def _download(self, path: str, query: dict, headers: dict[str, str]) -> Answer:
        if "authorization" in headers:
            return _xml(400, "InvalidAuthenticationInfo", "Authentication information is invalid.")
        st, se, sig = (query.get(key, [""])[0] for key in ("st", "se", "sig"))
        if not hmac.compare_digest(self._signature(path, st, se).encode(), sig.encode()):
            return _xml(403, "AuthenticationFailed", "Signature did not match.")
        if self.clock >= datetime.strptime(se, _TIME).replace(tzinfo=UTC):
            current = self.time().strftime(_TIME)
            return _xml(
                403,
                "AuthenticationFailed",
                "Signature not valid in the specified time frame: "
                f"Start [{st}] - Expiry [{se}] - Current [{current}]",
            )
        file, digest = self._file(path)
        types = (("Content-Type", "application/json"), ("Content-MD5", digest))
        return Answer(200, headers=types, file=file)

    def _file(self, path: str) -> tuple[Path, str]:
        """Return the file behind a signed path and its MD5; made when it is first asked for."""
        file = Path(self._folder.name, quote(path, safe=""))
        with self._lock:
            if not file.exists():
                folder, report, label, asked, name = path.strip("/").split("/")
                kind, _, slug = folder.partition("-")
                parts = self.company.parts(
                    report,
                    Scope(kind, slug),
                    None if label == "latest" else date.fromisoformat(label),
                    date.fromisoformat(asked),
                )
                with file.open("wb") as out:
                    out.writelines(encode(parts[int(name[5:10])]))
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False))
        return file, b64encode(digest.digest()).decode()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address) -> None:
        """Say nothing of clients that hang up in the middle of an answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _route(endpoint: Endpoint) -> tuple[re.Pattern, Endpoint]:
    before, after = endpoint.path.split("{name}")
    return re.compile(f"{re.escape(before)}(?P<name>[^/]+){re.escape(after)}"), endpoint


def _message(status: int, message: str, **more) -> Answer:
    body = {"message": message, **more, "documentation_url": _DOCUMENTATION, "status": str(status)}
    return Answer(status, json.dumps(body).encode())


def _xml(status: int, code: str, detail: str) -> Answer:
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code>'
        f"<Message>Server failed to authenticate the request.</Message>"
        f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"
    )
    return Answer(status, body.encode(), (("Content-Type", "application/xml"),))


def _handler(server: SampleServer, port: str, answer) -> type[BaseHTTPRequestHandler]:
    """Return the class that http.server wants, bound to one of the two ports."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes: no wait between them

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.requests.append(Request(port, self.command, parts.path, headers))
            time.sleep(server.latency)
            self._send(answer(parts.path, parse_qs(parts.query), headers))

        def _send(self, answered: Answer) -> None:
            size = answered.file.stat().st_size if answered.file else len(answered.body)
            self.send_response(answered.status)
            for name, value in answered.headers:
                self.send_header(name, value)
            if answered.status != 204:
                self.send_header("Content-Length", str(size))
            self.end_headers()
            if answered.file:
                with answered.file.open("rb") as content:
                    while block := content.read(1 << 20):
                        self.wfile.write(block)
            else:
                self.wfile.write(answered.body)

        def date_time_string(self, timestamp=None) -> str:
            return format_datetime(server.time(), usegmt=True)

        def version_string(self) -> str:
            return "github.com" if port == "api" else "Windows-Azure-Blob/1.0"

        def log_message(self, *args) -> None:
            """Stay quiet: addresses hold signatures."""

    return Handler
