"""A `Session` sends what it was given and no more, and lets no address into logs or errors."""

import logging
import threading

import pytest
import requests
import urllib3
from web_server import CANARY, SIGNATURE, Reply, WebServer, redirect

from copilot_analytics.client import Settings
from copilot_analytics.sessions import (
    NETWORK_ERRORS,
    Session,
    _LogGuard,
    explain,
    proxies_for,
    read,
)

SIGNED = f"https://copilot-reports.github.com/part-0?se=1&sig={SIGNATURE}"


@pytest.fixture(scope="module")
def server():
    with WebServer() as server:
        yield server


@pytest.fixture
def web(server):
    return server.reset()


@pytest.fixture
def session():
    with Session(Settings(), {"User-Agent": "test"}) as session:
        yield session


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_sent_that_was_not_given(web, session, plant, tmp_path, monkeypatch, method):
    """Neither headers of requests, nor passwords, proxies or certificates of the environment."""
    netrc = plant(tmp_path / "netrc", f"default login me password {CANARY}netrc\n")
    for name, value in {
        "NETRC": str(netrc),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "REQUESTS_CA_BUNDLE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    address = web.on("/a", Reply(200, b"{}", {"Set-Cookie": "session=1; Path=/"}))
    for _ in range(2):
        session.ask(address, method=method).close()
    expected = {"Host": web.host, "User-Agent": "test", "Accept-Encoding": "identity"}
    if method == "POST":
        expected["Content-Length"] = "0"
    for request in web.requests:
        assert request.method == method
        assert request.headers == expected


def test_a_redirect_is_handed_out_and_not_followed(web, session):
    with session.ask(web.on("/a", redirect("/b"))) as response:
        assert (response.status_code, response.headers["Location"]) == (302, "/b")
    assert web.paths() == ["/a"]


def test_a_body_is_read_to_its_end_or_to_the_deadline(web, session):
    with session.ask(web.on("/a", Reply(200, b"x" * 100_000))) as response:
        chunks = list(read(response, deadline=1, monotonic=lambda: 0))
    assert b"".join(chunks) == b"x" * 100_000
    with session.ask(web.on("/a", Reply(200, b"x"))) as response, pytest.raises(TimeoutError):
        list(read(response, deadline=1, monotonic=lambda: 2))


PROXIES = {"https": "http://p:1", "http": "http://q:2", "no_proxy": "a.example, .b.example, c:8443"}
DIRECT = [
    ("https://a.example/", True),
    ("https://sub.a.example/", True),
    ("https://xa.example/", False),
    ("https://b.example/", True),
    ("https://sub.b.example/", True),
    ("https://c:8443/", True),
    ("https://c/", False),
    ("https://A.EXAMPLE/", True),
]


@pytest.mark.parametrize(("url", "is_direct"), DIRECT)
def test_f045_no_proxy_names_hosts_domains_and_ports(url, is_direct):
    assert proxies_for(url, PROXIES) == ({} if is_direct else {"https": "http://p:1"})


@pytest.mark.parametrize(
    ("entry", "is_direct"),
    [
        ("10.0.0.0/8", True),
        ("10.1.2.3", True),
        ("192.168.0.0/16", False),
        ("*", True),
        ("", False),
        (",,", False),
        ("not/a/network", False),
    ],
)
def test_f045_no_proxy_names_addresses_and_networks(entry, is_direct):
    proxies = {"all": "http://p:1", "no_proxy": entry}
    assert (proxies_for("http://10.1.2.3/", proxies) == {}) is is_direct


def test_each_scheme_has_its_proxy_and_all_stands_in():
    assert proxies_for("http://h/", PROXIES) == {"http": "http://q:2"}
    assert proxies_for("https://h/", {"all": "http://r:3"}) == {"https": "http://r:3"}
    assert proxies_for("https://h/", {}) == {}


ERRORS = [
    (requests.exceptions.ProxyError(f"407 {SIGNED}"), "network", "user name and password"),
    (requests.exceptions.ProxyError(SIGNED), "network", "the proxy did not let"),
    (requests.exceptions.SSLError(f"CERTIFICATE_VERIFY_FAILED {SIGNED}"), "tls", "not trusted"),
    (requests.exceptions.SSLError(f"WRONG_VERSION_NUMBER {SIGNED}"), "network", "TLS"),
    (requests.exceptions.ConnectTimeout(SIGNED), "network", "did not accept"),
    (requests.exceptions.ReadTimeout(SIGNED), "network", "no answer came"),
    (TimeoutError(SIGNED), "network", "in the time allowed"),
    (requests.exceptions.ConnectionError(f"Failed to resolve {SIGNED}"), "network", "DNS"),
    (requests.exceptions.ConnectionError(f"Connection refused {SIGNED}"), "network", "refused"),
    (requests.exceptions.ChunkedEncodingError(SIGNED), "network", "ChunkedEncodingError"),
    (urllib3.exceptions.ProtocolError(SIGNED), "network", "broke off"),
    (OSError(5, SIGNED), "network", "OSError"),
]


@pytest.mark.parametrize(("error", "kind", "words"), ERRORS, ids=lambda v: getattr(v, "kind", None))
def test_a_network_error_is_explained_without_the_address(error, kind, words):
    assert isinstance(error, NETWORK_ERRORS)
    problem = explain(error)
    assert problem.kind == kind
    assert words in problem.text
    assert "copilot-reports" not in f"{problem}"
    assert CANARY not in f"{problem}"


# --- what the libraries log ---------------------------------------------------------------------


@pytest.fixture
def logged():
    """All that reaches the root logger at DEBUG, as a handler of the user would write it."""
    lines, root = [], logging.getLogger()
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(handler.format(record))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def test_f169_debug_logs_of_the_libraries_hold_no_signature(web, session, logged):
    session.ask(web.file("part-0", b"{}")).close()
    assert any("/part-0?***" in line for line in logged)
    assert SIGNATURE not in "\n".join(logged)


def test_f169_nor_do_their_tracebacks(session, logged):
    logger = logging.getLogger("urllib3.connectionpool")
    try:
        raise OSError(SIGNED)
    except OSError:
        logger.exception("failed for %s", SIGNED)
    text = "\n".join(logged)
    assert "OSError: https://copilot-reports.github.com/part-0?***" in text
    assert SIGNATURE not in text


def test_f169_the_guard_stays_until_the_last_session_is_closed():
    """Sessions are opened and closed in the threads of several downloads."""
    guard, logger = _LogGuard(), logging.getLogger("urllib3.connectionpool")

    def in_threads(work):
        threads = [threading.Thread(target=lambda: [work() for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    guard.add()
    in_threads(guard.add)
    in_threads(guard.remove)
    assert logger.filters.count(guard) == 1
    guard.remove()
    assert guard not in logger.filters


def test_a_session_that_is_closed_twice_counts_once(session):
    with Session(Settings(), {}) as other:
        other.close()
        other.close()
    assert any(isinstance(one, _LogGuard) for one in logging.getLogger("urllib3").filters)
