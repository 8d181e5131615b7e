"""`download.files` gives all files of a report, complete and checked, or none (faults F055-F087).

Everything runs against a real server on the loopback address; sleeping is recorded, not done.
"""

import base64
import gzip
import hashlib
import io
import json
import signal
import socket
import stat
import subprocess
import sys
import threading
import time as real_time
import tracemalloc
import zlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from web_server import (
    CANARY,
    SIGNATURE,
    TOKEN,
    FakeTime,
    Reply,
    WebServer,
    fails,
    html,
    redirect,
    watched,
)

from copilot_analytics import download
from copilot_analytics.client import Settings
from copilot_analytics.download import check_link
from copilot_analytics.download.body import Body, Failure
from copilot_analytics.download.hosts import check_addresses
from copilot_analytics.errors import (
    ContractError,
    CopilotAnalyticsError,
    DownloadError,
    NetworkError,
    StorageError,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EXPIRED = Reply(
    403,
    b"<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code><Message>Signature not valid in "
    b"the specified time frame: sig=" + SIGNATURE.encode() + b"</Message></Error>",
    {"Content-Type": "application/xml"},
)


def lines(*numbers: int) -> bytes:
    return b"".join(b'{"user_id": %d}\n' % number for number in numbers)


BODY = lines(*range(100))


@pytest.fixture(autouse=True)
def _secrets_stay_inside(caplog):
    """F087, F169: no log record of any test holds a signature, at DEBUG either."""
    with watched(caplog):
        yield


@pytest.fixture(autouse=True)
def _nothing_but_four_headers(web):
    """F055, F059: no test ever sends the storage host a credential or a header of ours."""
    yield
    for request in web.requests:
        assert set(request.headers) <= {"Host", "User-Agent", "Accept", "Accept-Encoding"}


@pytest.fixture(scope="module")
def web():
    with WebServer() as server:
        yield server


@pytest.fixture
def blobs(web):
    return web.reset()


@pytest.fixture
def time():
    return FakeTime(NOW)


@pytest.fixture
def settings(blobs, time):
    return Settings(
        token=TOKEN,
        download_hosts=(blobs.host,),
        connect_timeout=2,
        read_timeout=2,
        clock=time.now,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "files"
    path.mkdir()
    return path


@pytest.fixture
def get(folder, settings):
    """Download links into the folder."""

    def run(*links, **options):
        return download.files(links, folder, **({"settings": settings} | options))

    return run


def left(folder) -> list[str]:
    """What lies in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


# --- the good case ------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_file_arrives_as_it_was_sent(blobs, get, framing):
    (file,) = get(blobs.file("part-0", BODY, framing=framing))
    assert file.path.read_bytes() == BODY
    assert file.sha256 == hashlib.sha256(BODY).hexdigest()
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


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
def test_f056_to_f058_netrc_adds_no_password_not_even_after_a_redirect(
    blobs, get, tmp_path, monkeypatch, entry
):
    netrc = tmp_path / "netrc"
    netrc.write_text(f"{entry} login me password {CANARY}netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    blobs.on("/front", redirect(blobs.file("part-0", BODY)))
    get(blobs.link("front"))
    assert blobs.paths() == ["/front", "/part-0"]
    assert all("Authorization" not in request.headers for request in blobs.requests)


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


def test_f069_a_proxy_resolves_by_itself_and_settings_win(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("resolved"))
    parts = check_link("https://copilot-reports.github.com/a", Settings())
    check_addresses(parts, Settings(proxies={"https": "http://proxy:3128"}))
    named = Settings(download_hosts=("blobs.example",))
    check_addresses(check_link("https://blobs.example:9000/a", named), named)


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
    blobs, get, settings
):
    with WebServer() as store:
        blobs.on("/front", redirect(store.file("part-0", BODY)))
        both = replace(settings, download_hosts=(blobs.host, store.host))
        (file,) = get(blobs.link("front"), settings=both)
        assert file.size == len(BODY)
        assert set(store.requests[0].headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}


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


def test_f060_an_expired_link_is_renewed_once(blobs, get):
    blobs.on("/part-0", EXPIRED, Reply(200, BODY))
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
        renewed.append(1)
        return [blobs.link("part-0")]

    text = "not there" if status in (404, 410) else "expired or clock"
    with fails(DownloadError, text, "AuthenticationFailed") as caught:
        get(blobs.link("part-0"), renew=renew)
    assert caught.value.exit_code == 3
    assert (len(renewed), len(blobs.requests), left(folder)) == (1, 2, [])


def test_files_that_are_complete_are_kept_when_links_are_renewed(blobs, get):
    links = [blobs.file(f"part-{n}", lines(n)) for n in range(3)]
    blobs.on("/part-1", EXPIRED, Reply(200, lines(1)))
    found = get(*links, renew=lambda: [f"{link}&new=1" for link in reversed(links)])
    assert [file.path.read_bytes() for file in found] == [lines(2), lines(1), lines(0)]
    assert sorted(blobs.paths()) == ["/part-0", "/part-1", "/part-1", "/part-2"]


def test_renewed_links_whose_path_tells_nothing_are_all_fetched_again(blobs, get, folder):
    blobs.on("/blob", Reply(200, lines(1)), EXPIRED, Reply(200, lines(2)))
    links = [f"{blobs.link('blob')}&part={n}" for n in range(2)]
    found = get(*links, renew=lambda: links)
    assert len(blobs.requests) == 4
    assert len(left(folder)) == len(found) == 2


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


# --- completeness -------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_f071_a_body_shorter_than_announced_is_tried_again_and_refused(blobs, get, folder, framing):
    blobs.on("/part-0", Reply(200, BODY, framing=framing, cut=len(lines(1, 2, 3))))
    with fails(DownloadError, "not complete"):
        get(blobs.link("part-0"))
    assert len(blobs.requests) == 3
    assert left(folder) == []


def test_f072_a_cut_record_is_found_where_no_length_was_given(blobs, get, folder):
    blobs.on("/part-0", Reply(200, BODY, framing="close", cut=len(BODY) - 5))
    with fails(DownloadError, "ends within a record"):
        get(blobs.link("part-0"))
    assert left(folder) == ["quarantine"]


def test_f073_a_cut_at_a_line_end_without_length_is_accepted_and_noted(blobs, get):
    (file,) = get(blobs.file("part-0", BODY, framing="close", cut=len(lines(0, 1))))
    assert file.path.read_bytes() == lines(0, 1)
    assert "unverified length" in file.notes[0]


def test_a_cut_after_a_line_of_a_pretty_printed_object_is_found(blobs, get):
    pretty = json.dumps({"day": "2026-11-20", "totals": [1, 2]}, indent=1).encode()
    assert get(blobs.file("part-0", pretty, framing="close"))
    blobs.on("/part-0", Reply(200, pretty[: pretty.index(b"\n", 5) + 1], framing="close"))
    with fails(DownloadError, "ends within a record"):
        get(blobs.link("part-0"))


GOOD_SHAPES = {
    "no line end": b'{"a": 1}\n{"b": 2}',
    "one object": b'{"day_totals": []}',
    "array": b'[{"a": 1},\n {"b": 2}]\n',
    "BOM": b"\xef\xbb\xbf" + BODY,
    "blank lines": b"\n\n" + BODY + b"\r\n\r\n",
}


@pytest.mark.parametrize("case", GOOD_SHAPES)
@pytest.mark.parametrize("framing", ["length", "close"])
def test_f089_to_f094_all_shapes_of_a_report_are_accepted(blobs, get, case, framing):
    (file,) = get(blobs.file("part-0", GOOD_SHAPES[case], framing=framing))
    assert file.path.read_bytes() == GOOD_SHAPES[case]


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_cut_anywhere_never_passes_for_a_whole_file_unless_it_is_noted(blobs, get, data):
    body = lines(*range(5))
    compress = data.draw(st.booleans())
    sent = gzip.compress(body, mtime=0) if compress else body
    framing = data.draw(st.sampled_from(["length", "chunked", "close"]))
    cut = data.draw(st.integers(0, len(sent) - 1))
    headers = {"Content-Encoding": "gzip"} if compress else {}
    blobs.on("/part-0", Reply(200, sent, headers, framing=framing, cut=cut))
    try:
        (file,) = get(blobs.link("part-0"))
    except CopilotAnalyticsError:
        return
    assert framing == "close"
    assert not compress
    assert "unverified length" in file.notes[0]
    assert file.path.read_bytes().rstrip().endswith(b"}")


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "nothing said"])
def test_f075_compression_that_was_not_asked_for_is_decoded(blobs, get, encoding):
    packed = zlib.compress(BODY) if encoding == "deflate" else gzip.compress(BODY)
    headers = {} if encoding == "nothing said" else {"Content-Encoding": encoding}
    (file,) = get(blobs.file("part-0", packed, headers=headers))
    assert file.path.read_bytes() == BODY
    assert file.sha256 == hashlib.sha256(BODY).hexdigest()
    assert "decoded from" in file.notes[0]


def test_gzip_in_several_parts_is_decoded_to_its_end(blobs, get):
    (file,) = get(blobs.file("part-0", gzip.compress(BODY) + gzip.compress(lines(7))))
    assert file.path.read_bytes() == BODY + lines(7)


def test_f074_gzip_without_its_end_is_found_although_the_length_agrees(blobs, get):
    packed = gzip.compress(lines(*range(20_000)))
    half = packed[: len(packed) // 2]
    with fails(DownloadError, "compression has no end"):
        get(blobs.file("part-0", half, headers={"Content-Encoding": "gzip"}))
    assert len(blobs.requests) == 3


def test_damaged_gzip_is_found(blobs, get):
    packed = bytearray(gzip.compress(BODY))
    packed[len(packed) // 2] ^= 0xFF
    with fails(DownloadError, "compression"):
        get(blobs.file("part-0", bytes(packed), headers={"Content-Encoding": "gzip"}))


def test_an_unknown_compression_is_refused(blobs, get):
    with fails(ContractError, "br"):
        get(blobs.file("part-0", BODY, headers={"Content-Encoding": "br"}))


def test_the_length_is_compared_with_what_came_before_decoding(settings):
    """The HTTP library does so as well; a file must not depend on it."""
    body = Body({"Content-Length": str(len(BODY) + 1)}, io.BytesIO(), settings)
    body.add(BODY)
    with pytest.raises(Failure, match="not complete"):
        body.finish()


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


@pytest.mark.parametrize("name", ["Content-MD5", "x-ms-blob-content-md5"])
def test_f076_a_digest_that_disagrees_is_tried_again_and_refused(blobs, get, folder, name):
    wrong = Reply(200, BODY, {name: md5(b"other")})
    blobs.on("/part-0", wrong, Reply(200, BODY, {name: md5(BODY)}))
    assert get(blobs.link("part-0"))[0].size == len(BODY)
    blobs.on("/part-0", wrong)
    with fails(DownloadError, "digest", "quarantine"):
        get(blobs.link("part-0"))
    (kept,) = (folder / "quarantine").iterdir()
    assert kept.read_bytes() == BODY


def test_a_digest_of_the_decoded_or_of_the_sent_bytes_is_right(blobs, get):
    packed = gzip.compress(BODY)
    for digest in (md5(packed), md5(BODY)):
        get(blobs.file("part-0", packed, headers={"Content-MD5": digest}))
    with fails(DownloadError, "digest"):
        get(blobs.file("part-0", BODY, headers={"Content-MD5": "no digest"}))


# --- limits -------------------------------------------------------------------------------------


def test_f077_a_decompression_bomb_is_stopped(blobs, get, folder):
    bomb = gzip.compress(b"[" + b" " * 200_000_000, compresslevel=1)
    link = blobs.file("part-0", bomb, headers={"Content-Encoding": "gzip"})
    tracemalloc.start()
    with fails(ContractError, "more than 200 times"):
        get(link)
    assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    tracemalloc.stop()
    assert left(folder) == []
    assert len(blobs.requests) == 1


def test_f078_an_endless_body_is_stopped(blobs, get, settings):
    link = blobs.file("part-0", BODY * 1000, framing="close")
    with fails(ContractError, "larger than 10,000 bytes"):
        get(link, settings=replace(settings, max_file_bytes=10_000))


def test_an_endless_line_is_stopped(blobs, get, settings):
    small = replace(settings, max_line_bytes=100_000)
    long = b'{"a": "' + b"x" * 200_000 + b'"}\n'
    assert get(blobs.file("part-0", BODY * 1000), settings=small)
    with fails(ContractError, "line longer than 100,000"):
        get(blobs.file("part-0", long), settings=small)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_f079_a_slow_drip_is_stopped_at_the_total_deadline(blobs, get, settings, folder, framing):
    link = blobs.file("part-0", BODY, framing=framing, drip=0.02)
    began = real_time.monotonic()
    with fails(DownloadError, "not complete in the time allowed"):
        get(link, settings=replace(settings, file_timeout=0.2))
    assert real_time.monotonic() - began < 1.5
    assert (left(folder), len(blobs.requests)) == ([], 1)


def test_a_silent_server_ends_at_the_read_timeout(blobs, get, settings):
    link = blobs.file("part-0", BODY, delay=5)
    with fails(NetworkError, "no answer came"):
        get(link, settings=replace(settings, read_timeout=0.05))


# --- content that is no report ------------------------------------------------------------------

WRONG = {
    "F080 HTML": (html(), "HTML"),
    "F080 HTML under another name": (Reply(200, b" <!DOCTYPE html><p>Sign in"), "HTML"),
    "F081 XML": (replace(EXPIRED, status=200), "XML message came instead of the file: Auth"),
    "text": (Reply(200, b"user_id,day\n1,2026-11-20\n"), "not JSON"),
    "blank": (Reply(200, b" \n"), "not JSON"),
}


@pytest.mark.parametrize("case", WRONG)
def test_f080_f081_a_page_instead_of_the_file_goes_to_quarantine(blobs, get, folder, case):
    answer, text = WRONG[case]
    blobs.on("/part-0", answer)
    with fails(ContractError, text, "quarantine") as caught:
        get(blobs.link("part-0"))
    assert caught.value.exit_code == 16
    assert len(blobs.requests) == 1
    assert left(folder) == ["quarantine"]
    (kept,) = (folder / "quarantine").iterdir()
    assert kept.read_bytes() == answer.body
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "quarantine").stat().st_mode) == 0o700


def test_f082_a_file_without_bytes_is_told_from_a_broken_one(blobs, get):
    (file,) = get(blobs.file("part-0", b""))
    assert (file.size, file.notes) == (0, ("the file has no bytes",))
    with fails(CopilotAnalyticsError):
        get(blobs.file("part-0", b"", framing="close"))


def test_a_wrong_page_is_not_asked_for_again_with_another_link(blobs, get):
    blobs.on("/part-0", html())
    with fails(ContractError, "HTML"):
        get(blobs.link("part-0"), renew=lambda: pytest.fail("renewed"))


def test_nothing_is_left_aside_when_another_link_succeeds(blobs, get, folder):
    cut = Reply(200, BODY, framing="close", cut=5)
    blobs.on("/part-0", cut, cut, cut, Reply(200, BODY))
    get(blobs.link("part-0"), renew=lambda: [blobs.link("part-0")])
    assert len(left(folder)) == 1


def test_nothing_is_left_aside_when_another_try_succeeds(blobs, get, folder):
    blobs.on("/part-0", Reply(200, BODY, framing="close", cut=5), Reply(200, BODY))
    get(blobs.link("part-0"))
    assert left(folder) == ["part-00000.ndjson"]


# --- storage, threads ---------------------------------------------------------------------------


def test_f127_a_folder_that_is_not_there_is_a_storage_error(blobs, tmp_path, settings):
    with fails(StorageError, "no file can be made"):
        download.files([blobs.file("part-0", BODY)], tmp_path / "none", settings=settings)


def test_f123_a_full_disk_is_a_storage_error_and_leaves_nothing(blobs, get, folder, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with fails(StorageError, "No space left") as caught:
        get(blobs.file("part-0", BODY))
    assert caught.value.exit_code == 17
    assert (left(folder), len(blobs.requests)) == ([], 1)


def test_f122_an_interrupt_does_not_wait_for_a_silent_server(blobs, get, folder):
    links = [blobs.file("part-0", BODY), blobs.file("part-1", BODY, delay=1.5)]

    def interrupt(*_):
        raise KeyboardInterrupt

    began = real_time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        get(*links, progress=interrupt)
    assert real_time.monotonic() - began < 1.2
    assert left(folder) == []


def test_f122_an_interrupted_process_ends_at_once(blobs):
    link = blobs.file("part-0", BODY, delay=5)
    program = (
        "import sys, tempfile\n"
        "from copilot_analytics import client, download\n"
        "settings = client.Settings(download_hosts=(sys.argv[1],))\n"
        "with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:\n"
        "    download.files([sys.argv[2]], folder, settings=settings)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, blobs.host, link], stderr=subprocess.PIPE, text=True
    ) as process:
        while not blobs.requests:
            real_time.sleep(0.02)
        began = real_time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert real_time.monotonic() - began < 2
    assert "KeyboardInterrupt" in said
    assert SIGNATURE not in said


@pytest.mark.parametrize("answer", [html(), redirect("https://evil.example/")])
def test_the_other_files_are_given_up_when_one_cannot_be_had(blobs, get, folder, answer):
    blobs.on("/part-0", answer)
    with fails(ContractError):
        get(blobs.link("part-0"), blobs.file("part-1", BODY, drip=0.02))
    assert not [thread for thread in threading.enumerate() if "(run)" in thread.name]
    assert set(left(folder)) <= {"quarantine"}


def test_a_mistake_of_ours_in_a_thread_is_not_swallowed(blobs, get, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("copilot_analytics.download.attempts.check_content", broken)
    with pytest.raises(ZeroDivisionError):
        get(blobs.file("part-0", BODY))


def test_the_gravest_of_several_failures_is_reported(blobs, get):
    blobs.on("/part-0", Reply(404))
    blobs.on("/part-1", replace(html(), delay=0.1))
    with fails(ContractError, "HTML"):
        get(blobs.link("part-0"), blobs.link("part-1"))
