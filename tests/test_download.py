"""`download.files` gives all files of a report from GitHub's hosts, or none (F055-F070, F084-F087).

Everything runs against real servers on the loopback address.
"""

import errno
import hashlib
import socket
import ssl
import stat
import threading
import time as real_time
from dataclasses import replace

import pytest
import requests
from downloads import (
    BODY,
    EXPIRED,
    blobs,
    folder,
    get,
    left,
    lines,
    md5,
    settings,
)
from hypothesis import given
from hypothesis import strategies as st
from web_server import (
    CANARY,
    SIGNATURE,
    Reply,
    WebServer,
    fails,
    make_certificate,
    redirect,
)

from copilot_analytics.client import Settings
from copilot_analytics.download import check_link
from copilot_analytics.download.hosts import checked_addresses
from copilot_analytics.errors import ContractError, DownloadError, NetworkError
from copilot_analytics.sessions import Session

__all__ = ["blobs", "folder", "get", "settings"]  # fixtures


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- the good case ------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_file_arrives_as_it_was_sent(blobs, get, framing):
    (file,) = get(blobs.file("part-0", BODY, framing=framing))
    assert file.path.read_bytes() == BODY
    assert file.sha256 == sha256(BODY)
    assert file.size == len(BODY)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_f055_f059_the_storage_sees_neither_token_nor_headers_of_ours(blobs, get):
    get(blobs.file("part-0", BODY))
    assert blobs.requests[0].headers == {
        "Host": blobs.host,
        "User-Agent": "copilot-analytics",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    assert blobs.requests[0].query["sig"] == SIGNATURE


def test_f064_all_links_are_read_and_keep_their_order(blobs, get):
    links = [blobs.file(f"part-{n}", lines(n), delay=0.02 * (9 - n)) for n in range(10)]
    assert [file.path.read_bytes() for file in get(*links)] == [lines(n) for n in range(10)]


def test_f065_a_link_that_comes_twice_is_fetched_once(blobs, get):
    link = blobs.file("part-0", BODY)
    assert len(get(link, link)) == 1
    assert len(blobs.requests) == 1


def test_progress_counts_files(blobs, get):
    seen = []
    get(*(blobs.file(f"part-{n}", lines(n)) for n in range(6)),
        progress=lambda done, total: seen.append((done, total)))  # fmt: skip
    assert seen == [(n, 6) for n in range(1, 7)]


def test_shards_are_fetched_side_by_side_but_not_all_at_once(blobs, get):
    busy, most, lock = [0], [0], threading.Lock()
    answer = blobs.answer

    def count(request):
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        real_time.sleep(0.05)
        with lock:
            busy[0] -= 1
        return answer(request)

    blobs.answer = count
    try:
        get(*(blobs.file(f"part-{n}", lines(n)) for n in range(8)))
    finally:
        del blobs.answer
    assert 2 <= most[0] <= 4


@pytest.fixture
def store(settings):
    """Another host of files: under another name, and on a port of its own."""
    with WebServer() as server:
        server.url = f"http://localhost:{server.port}"
        yield server
        for request in server.requests:
            assert set(request.headers) <= {"Host", "User-Agent", "Accept", "Accept-Encoding"}


@pytest.fixture
def both(blobs, store, settings):
    return replace(settings, download_hosts=(blobs.host, f"localhost:{store.port}"))


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "machine localhost", "default"])
def test_f056_to_f058_netrc_adds_no_password_not_even_after_a_redirect(
    blobs, store, both, get, tmp_path, monkeypatch, plant, entry
):
    netrc = plant(tmp_path / "netrc", f"{entry} login me password {CANARY}netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    blobs.on("/front", redirect(store.file("part-0", BODY)))
    get(blobs.link("front"), settings=both)
    assert (blobs.paths(), store.paths()) == (["/front"], ["/part-0"])
    for request in (*blobs.requests, *store.requests):
        assert "Authorization" not in request.headers


def test_cookies_are_not_sent_back(blobs, get):
    blobs.on("/front", Reply(302, b"", {"Set-Cookie": "a=1", "Location": "/part-0"}))
    blobs.file("part-0", BODY)
    get(blobs.link("front"))
    assert "Cookie" not in blobs.requests[1].headers


# --- links and hosts ----------------------------------------------------------------------------

ALLOWED = [
    "https://copilot-reports.github.com/a?sig=1",
    "https://copilot-reports.github.com:443/a",
    "https://COPILOT-REPORTS.GitHub.com/a",
    "https://copilot-reports-abc123.b01.azurefd.net/a",
    "https://ghreports.blob.core.windows.net/a",
    "https://copilot-reports.octo.ghe.com/a",
    "https://blobs.example:8443/a",
    "http://127.0.0.1:8000/a",
]
REFUSED = {
    "F066 other host": "https://evil.example/a",
    "F067 suffix": "https://copilot-reports.github.com.evil.example/a",
    "F067 prefix": "https://evilcopilot-reports.github.com/a",
    "F067 user name": "https://copilot-reports.github.com@evil.example/a",
    "F067 user name of ours": "https://me:pw@copilot-reports.github.com/a",
    "F067 star over dots": "https://copilot-reports-a.evil.b01.azurefd.net/a",
    "F067 two labels": "https://a.b.blob.core.windows.net/a",
    "F067 no label": "https://.blob.core.windows.net/a",
    "F067 final dot": "https://copilot-reports.github.com./a",
    "F067 other tenant": "https://copilot-reports.other.ghe.com/a",
    "F067 backslash": "https://evil.example\\@copilot-reports.github.com/a",
    "F067 hash": "https://evil.example#@copilot-reports.github.com/a",
    "F068 loopback": "https://127.0.0.1/a",
    "F068 other loopback port": "http://127.0.0.1:8001/a",
    "F068 metadata service": "https://169.254.169.254/latest/meta-data",
    "F068 IPv6": "https://[::1]/a",
    "F068 number": "https://2130706433/a",
    "F068 file": "file:///etc/passwd",
    "F068 http": "http://copilot-reports.github.com/a",
    "F068 ftp": "ftp://copilot-reports.github.com/a",
    "port": "https://copilot-reports.github.com:8443/a",
    "F070 bracket": "https://[",
    "F070 port": "https://copilot-reports.github.com:port/a",
    "F070 blank": "https://copilot-reports.github.com/a b",
    "F070 line end": "https://copilot-reports.github.com/a\r\nX-Injected: 1",
    "F070 no address": "part-0.json",
    "F070 nothing": "",
}
TENANT = Settings(
    api_url="https://api.octo.ghe.com", download_hosts=("blobs.example:8443", "127.0.0.1:8000")
)


@pytest.mark.parametrize("link", ALLOWED)
def test_f050_f085_links_of_github_and_of_the_settings_are_followed(link):
    assert check_link(link, TENANT)


@pytest.mark.parametrize("case", REFUSED)
def test_f066_to_f070_any_other_link_is_refused_before_anything_is_resolved(
    blobs, get, folder, monkeypatch, case
):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("resolved"))
    link = f"{REFUSED[case]}?sig={SIGNATURE}" if REFUSED[case] else ""
    tenant = replace(TENANT, download_hosts=(*TENANT.download_hosts, blobs.host))
    good = blobs.file("part-0", BODY)
    assert check_link(good, tenant)
    with fails(ContractError, "refused") as caught:
        get(good, link, settings=tenant)
    assert caught.value.exit_code == 16
    assert (blobs.requests, left(folder)) == ([], [])


def test_f066_the_refused_host_is_named(get):
    with fails(ContractError, "evil.example", "COPILOT_ANALYTICS_DOWNLOAD_HOSTS"):
        get(f"https://evil.example/a?sig={SIGNATURE}")


@given(st.text(), st.sampled_from(["", "https://", "https://copilot-reports.github.com"]))
def test_f070_no_text_at_all_crashes_the_check(text, start):
    try:
        parts = check_link(start + text, TENANT)
    except ContractError:
        return
    assert parts.scheme == "https"


PLACES = [
    "10.0.0.5",
    "127.0.0.1",
    "169.254.1.1",
    "192.168.1.1",
    "::1",
    "fe80::1",
    "::ffff:10.0.0.1",
]


@pytest.mark.parametrize("address", PLACES)
def test_f069_an_allowed_name_with_an_inner_address_is_refused(get, monkeypatch, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with fails(ContractError, "copilot-reports.github.com", "inside a network"):
        get(f"https://copilot-reports.github.com/a?sig={SIGNATURE}")


def test_f069_the_address_that_was_checked_is_the_one_that_is_connected_to(get, monkeypatch):
    """A name that resolves to something else a moment later (DNS rebinding) gains nothing."""
    public = "140.82.112.3", "2606:50c0:8000::153"
    families = {True: socket.AF_INET6, False: socket.AF_INET}
    resolved, connected = [], []

    def resolve(host, port, *_, **__):
        if host in public:  # what the connection itself resolves: an address
            return [(families[":" in host], socket.SOCK_STREAM, 6, "", (host, port))]
        resolved.append(host)
        places = public if len(resolved) == 1 else ("127.0.0.1",)
        return [(families[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in places]

    def connect(_, place):
        connected.append(place)
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr("copilot_analytics.download.attempts.WAITS", (0,))
    with fails(NetworkError, "copilot-reports.github.com", "refused"):
        get(f"https://copilot-reports.github.com/a?sig={SIGNATURE}")
    assert resolved == ["copilot-reports.github.com"]
    assert connected == [(one, 443) for one in public]


def test_f069_the_certificate_is_that_of_the_name_and_not_of_the_address(
    settings, tmp_path_factory
):
    key, path = make_certificate(tmp_path_factory.mktemp("tls"), "files.example")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path, key)
    trusting = replace(settings, ca_bundle=str(path))
    with WebServer(tls) as server, Session(trusting, {}) as session:
        server.on("/a", Reply(200, BODY))
        address, place = f"https://files.example:{server.port}/a", ["127.0.0.1"]
        session.ask(address, addresses=place).close()
        assert server.requests[0].headers["Host"] == f"files.example:{server.port}"
        with pytest.raises(requests.exceptions.SSLError, match="other.example"):
            session.ask(address.replace("files", "other"), addresses=place)
        with pytest.raises(requests.exceptions.ConnectionError, match="resolve"):
            session.ask(address)


def test_f069_a_proxy_resolves_by_itself_and_settings_win(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("resolved"))
    parts = check_link("https://copilot-reports.github.com/a", Settings())
    checked_addresses(parts, Settings(proxies={"https": "http://proxy:3128"}))
    named = Settings(download_hosts=("blobs.example",))
    checked_addresses(check_link("https://blobs.example:9000/a", named), named)


def test_plain_http_needs_a_loopback_address_even_for_a_host_of_the_settings(get, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with fails(ContractError, "loopback"):
        get(f"http://blobs.example/a?sig={SIGNATURE}",
            settings=Settings(download_hosts=("blobs.example",)))  # fmt: skip


def test_f086_too_many_links_are_refused(blobs, get):
    with fails(ContractError, "1001 links"):
        get(*(blobs.link(f"part-{n}") for n in range(1001)))
    assert blobs.requests == []


def test_f084_a_redirect_to_another_allowed_host_is_followed_without_credentials(
    blobs, store, both, get
):
    blobs.on("/front", redirect(store.file("part-0", BODY)))
    (file,) = get(blobs.link("front"), settings=both)
    assert file.path.read_bytes() == BODY
    assert (len(blobs.requests), len(store.requests)) == (1, 1)
    assert set(store.requests[0].headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}


def test_f085_the_links_of_one_report_may_lead_to_several_hosts(blobs, store, both, get):
    links = [blobs.file("part-0", lines(0)), store.file("part-1", lines(1))]
    found = get(*links, settings=both)
    assert [file.path.read_bytes() for file in found] == [lines(0), lines(1)]
    with fails(ContractError, "localhost"):
        get(*links)
    assert len(store.requests) == 1


@pytest.mark.parametrize(
    "location", [f"https://evil.example/?sig={SIGNATURE}", "", "https://[", "http://localhost/"]
)
def test_a_redirect_to_a_host_that_is_not_allowed_is_refused(blobs, get, folder, location):
    blobs.on("/front", redirect(location))
    with fails(ContractError, "refused"):
        get(blobs.link("front"))
    assert left(folder) == []


def test_a_fourth_redirect_is_not_followed(blobs, get):
    blobs.on("/front", redirect("/front"))
    with fails(ContractError, "redirects"):
        get(blobs.link("front"))
    assert len(blobs.requests) == 4


# --- links that expire, servers that fail -------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_f060_f062_a_link_that_is_refused_is_renewed_once(blobs, get, status):
    blobs.on("/part-0", replace(EXPIRED, status=status), Reply(200, BODY))
    renewed = []

    def renew():
        renewed.append(1)
        return [blobs.link("part-0")]

    (file,) = get(blobs.link("part-0"), renew=renew)
    assert (file.size, len(renewed)) == (len(BODY), 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_f061_f062_a_link_that_stays_refused_ends_after_the_second_envelope(
    blobs, get, folder, status
):
    blobs.on("/part-0", replace(EXPIRED, status=status))
    renewed = []

    def renew():
        assert not renewed, "asked for a third envelope"
        renewed.append(1)
        return [blobs.link("part-0")]

    text = "not there" if status in (404, 410) else "expired or clock"
    with fails(DownloadError, text, "AuthenticationFailed") as caught:
        get(blobs.link("part-0"), renew=renew)
    assert caught.value.exit_code == 3
    assert (len(renewed), len(blobs.requests), left(folder)) == (1, 2, [])


def test_f063_files_that_are_complete_are_not_received_again_when_links_are_renewed(blobs, get):
    links = [blobs.link(f"part-{n}") for n in range(3)]
    for n in range(3):
        whole = Reply(200, lines(n), {"Content-MD5": md5(lines(n))})
        # Whoever reads the second answer's body finds it cut.
        blobs.on(f"/part-{n}", whole, replace(whole, cut=0))
    blobs.on("/part-1", EXPIRED, Reply(200, lines(1)))
    found = get(*links, renew=lambda: [f"{link}&new=1" for link in reversed(links)])
    assert [file.path.read_bytes() for file in found] == [lines(2), lines(1), lines(0)]
    assert [file.sha256 for file in found] == [sha256(lines(n)) for n in (2, 1, 0)]
    assert len(blobs.requests) == 6


def test_r25_renewed_links_to_other_bytes_are_received(blobs, get, folder):
    """A day may be published again between two envelopes: versions are never mixed."""
    first, second = ((lines(n, version), lines(9, version)) for version in (1, 2) for n in (0,))
    for headers in (lambda body: {"Content-MD5": md5(body)}, lambda body: {}):
        blobs.on("/a", *(Reply(200, one[0], headers(one[0])) for one in (first, second)))
        blobs.on("/b", EXPIRED, Reply(200, second[1], headers(second[1])))
        links = [blobs.link("a"), blobs.link("b")]
        found = get(*links, renew=lambda links=links: links)
        assert [file.path.read_bytes() for file in found] == list(second)
        assert len(left(folder)) == 2


def test_what_renewing_says_is_not_hidden(blobs, get, folder):
    blobs.on("/part-0", EXPIRED)

    def renew():
        raise NetworkError("GitHub is away")

    with fails(NetworkError, "GitHub is away"):
        get(blobs.link("part-0"), renew=renew)
    assert left(folder) == []


def test_renewed_links_are_checked_as_well(blobs, get, folder):
    blobs.on("/part-0", EXPIRED)
    with fails(ContractError, "evil.example"):
        get(blobs.link("part-0"), renew=lambda: [f"https://evil.example/a?sig={SIGNATURE}"])
    assert left(folder) == []


def test_f063_one_link_of_three_that_fails_leaves_nothing(blobs, get, folder, time):
    links = [blobs.file(f"part-{n}", lines(n)) for n in range(3)]
    blobs.on("/part-1", Reply(500))
    with fails(DownloadError, "file 2 of 3", "HTTP 500", "nothing of the report"):
        get(*links)
    assert left(folder) == []
    assert blobs.paths().count("/part-1") == 3
    assert len(time.sleeps) == 2


def test_a_server_that_recovers_is_asked_again(blobs, get):
    blobs.on("/part-0", Reply(503), Reply(200, BODY, cut=10), Reply(200, BODY))
    assert get(blobs.link("part-0"))[0].size == len(BODY)


def test_a_closed_port_is_a_network_error(get, settings, folder):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    with fails(NetworkError, "127.0.0.1", "refused"):
        get(f"http://{host}/a?sig={SIGNATURE}", settings=replace(settings, download_hosts=(host,)))
    assert left(folder) == []


def test_f087_a_host_that_cannot_be_resolved_is_named_without_its_query(get, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with fails(NetworkError, "copilot-reports.github.com", "DNS"):
        get(f"https://copilot-reports.github.com/a?sig={SIGNATURE}")


def test_f042_a_host_without_tls_is_a_network_error(blobs, get):
    with fails(NetworkError, "127.0.0.1", "TLS"):
        get(blobs.link("part-0").replace("http://", "https://"))


@pytest.mark.parametrize("status", [203, 206, 304, 402])
def test_f083_any_other_status_is_not_a_file(blobs, get, folder, status):
    blobs.on("/part-0", Reply(status, BODY))
    with fails(ContractError, f"HTTP {status}"):
        get(blobs.link("part-0"))
    assert left(folder) == []
