"""How `client` and `download` reach the network: with nothing that was not given to them.

Left alone, requests adds passwords from ``.netrc``, proxies and certificates from the environment,
keeps cookies, follows redirects with the headers it carries, and lets addresses with their
signatures into logs and exceptions. Here it does none of this.
"""

from __future__ import annotations

import functools
import http.client
import io
import ipaddress
import logging
import math
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
import urllib3

from copilot_analytics.errors import redact

CHUNK = 64 * 1024

# Everything that may come out of asking and reading. Storage errors are OSErrors too: writing to
# a file never stands in the same try block.
NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class Session(requests.Session):
    """A session that sends the headers it is given, to the address it is given, and no more."""

    def __init__(self, settings, headers: Mapping[str, str]):
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.headers.update(headers)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._settings = settings
        self.limits = Limits(settings)
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self))
        _log_guard.add()

    def ask(
        self, url: str, auth: Callable | None = None, method: str = "GET", **limits
    ) -> requests.Response:
        """Send a request without a body; the answer's is read with `read`.

        Redirects are the caller's affair. See `Limits` for what else can be given.
        """
        settings = self._settings
        self.limits = Limits(settings, **limits)
        return self.request(
            method,
            url,
            auth=auth,
            stream=True,
            allow_redirects=False,
            timeout=(settings.connect_timeout, settings.read_timeout),
            proxies=proxies_for(url, settings.proxies),
            verify=settings.ca_bundle or True,
        )

    def get_redirect_target(self, resp):
        """Return None: requests would prepare the next request and read the whole body first."""

    def close(self) -> None:
        """Close the connections; the last session to close ends the filtering of log records."""
        super().close()
        if self._settings is not None:
            self._settings = None
            _log_guard.remove()


@dataclass(frozen=True)
class Limits:
    """What one request is held to, besides the settings.

    `deadline` is when the answer has to be there, by the monotonic clock; `addresses` are the only
    ones to connect to, where any are given; `is_stopped` tells that nobody wants the answer.
    """

    settings: object
    deadline: float = math.inf
    addresses: Sequence[str] = ()
    is_stopped: Callable[[], bool] = lambda: False


class _Adapter(requests.adapters.HTTPAdapter):
    """Makes the connections of one session, which keep to its limits."""

    def __init__(self, session: Session):
        self._pools = _pools(session)
        super().__init__()

    def init_poolmanager(self, *arguments, **options) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options):
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(session: Session) -> dict[str, type]:
    """Return the classes of urllib3 for connections, bound to a session."""

    def bound(pool: type) -> type:
        bases, members = (_Connection, pool.ConnectionCls), {"session": session}
        connection = type(pool.ConnectionCls.__name__, bases, members)
        return type(pool.__name__, (pool,), {"ConnectionCls": connection})

    pools = (urllib3.HTTPConnectionPool, urllib3.HTTPSConnectionPool)
    return {pool.scheme: bound(pool) for pool in pools}


class _Connection:
    """A connection to the addresses that were checked, whose answers end in time."""

    session: Session

    @property
    def response_class(self) -> Callable:
        return functools.partial(_Response, limits=self.session.limits)

    def _new_conn(self) -> socket.socket:
        # Resolving the name again could give another address than the one that was checked.
        addresses = () if self.proxy else self.session.limits.addresses
        name, failure = self.host, None
        for address in addresses or (name,):
            self.host = address
            try:
                return super()._new_conn()
            except urllib3.exceptions.HTTPError as error:
                failure = error
            finally:
                self.host = name
        raise failure


class _Response(http.client.HTTPResponse):
    """An answer of which every byte, those of its head too, has to come before the deadline."""

    def __init__(self, sock: socket.socket, *arguments, limits: Limits, **options):
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_Reader(sock, self.fp, limits))


class _Reader(io.RawIOBase):
    """Reads a socket until the deadline; left to itself, its timeout starts anew with each byte."""

    PATIENCE = 0.25  # seconds after which it looks whether it is still wanted

    def __init__(self, sock: socket.socket, file: io.BufferedIOBase, limits: Limits):
        self._sock, self._file, self._limits = sock, file, limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        limits, settings = self._limits, self._limits.settings
        end = min(limits.deadline, settings.monotonic() + settings.read_timeout)
        while not limits.is_stopped():
            left = end - settings.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(min(left, self.PATIENCE))
            try:
                return self._sock.recv_into(buffer)
            except TimeoutError:
                continue
        raise ConnectionAbortedError

    def close(self) -> None:
        self._file.close()
        super().close()


def read(
    response: requests.Response, *, deadline: float, monotonic: Callable[[], float]
) -> Iterator[bytes]:
    """Yield the bytes of a body as they were sent, until its end or the deadline.

    The read timeout of a socket starts anew with every byte, so a slow server would never hit it.
    """
    while True:
        chunk = response.raw.read1(CHUNK, decode_content=False)
        if not chunk:
            return
        if monotonic() > deadline:
            raise TimeoutError
        yield chunk


def proxies_for(url: str, proxies: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy to use for an address, in the form that requests takes.

    >>> proxies_for("https://a.example/", {"https": "http://proxy:3128", "no_proxy": ".example"})
    {}
    """
    parts = urlsplit(url)
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or _is_direct(parts.hostname or "", parts.port, proxies.get("no_proxy", "")):
        return {}
    return {parts.scheme: proxy}


def _is_direct(host: str, port: int | None, no_proxy: str) -> bool:
    for entry in filter(None, (part.strip().lower() for part in no_proxy.split(","))):
        name, _, entry_port = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
        if entry_port and entry_port != str(port):
            continue
        name = name.removeprefix("*").lstrip(".")
        if entry == "*" or host == name or host.endswith(f".{name}") or _is_within(host, name):
            return True
    return False


def _is_within(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


@dataclass(frozen=True)
class Problem:
    """What a network error means, without its text: that holds the whole address."""

    kind: str  # "network", which may heal, or "tls", which does not
    text: str
    advice: str


def explain(error: Exception) -> Problem:
    """Return what a network error means, in words that hold no part of the address."""
    text = str(error)
    if isinstance(error, requests.exceptions.ProxyError):
        return Problem(
            "network",
            "the proxy did not let the connection through"
            + (": it asks for a user name and password (407)" if "407" in text else ""),
            "check HTTPS_PROXY and NO_PROXY",
        )
    if isinstance(error, requests.exceptions.SSLError) and "certificate" in text.lower():
        return Problem(
            "tls",
            "the certificate of the server is not trusted",
            "where a proxy inspects traffic, name its CA bundle in COPILOT_ANALYTICS_CA_BUNDLE, "
            "REQUESTS_CA_BUNDLE or SSL_CERT_FILE; checking is never switched off",
        )
    advice = "check the connection, the firewall and HTTPS_PROXY, then run the same command again"
    for classes, fragment, meaning in _MEANINGS:
        if isinstance(error, classes) and fragment in text:
            return Problem("network", meaning, advice)
    return Problem("network", f"the connection failed ({type(error).__name__})", advice)


_MEANINGS = (
    (requests.exceptions.ConnectTimeout, "", "the host did not accept a connection in time"),
    ((requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError), "", "no answer came"),
    (TimeoutError, "", "the answer was not complete in the time allowed"),
    (socket.gaierror, "", "the name of the host is not known (DNS)"),
    (requests.exceptions.ConnectionError, "resolve", "the name of the host is not known (DNS)"),
    (requests.exceptions.ConnectionError, "refused", "the host refused the connection"),
    (requests.exceptions.SSLError, "", "no secure connection could be made (TLS)"),
    (
        (requests.exceptions.ConnectionError, urllib3.exceptions.ProtocolError),
        "",
        "the connection broke off",
    ),
)


class _LogGuard(logging.Filter):
    """Redact what the HTTP libraries log, at every level, as long as a session exists."""

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()
        self._sessions = 0

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True

    def add(self) -> None:
        with self._lock:
            self._sessions += 1
            for logger in _http_loggers():
                logger.addFilter(self)

    def remove(self) -> None:
        with self._lock:
            self._sessions -= 1
            if not self._sessions:
                for logger in _http_loggers():
                    logger.removeFilter(self)


def _http_loggers() -> list[logging.Logger]:
    """Return each logger by itself: a filter does not apply to the records of child loggers."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith(_LIBRARIES)]
    return [logging.getLogger(name) for name in names]


_LIBRARIES = ("urllib3", "requests", "charset_normalizer")
_log_guard = _LogGuard()
