"""A file counts only if it is complete, of bounded size, and a report (faults F071-F083).

Everything runs against a real server on the loopback address, which breaks off, lies about its
length, or sends something else.
"""

import gzip
import hashlib
import io
import json
import stat
import time as real_time
import tracemalloc
import zlib
from dataclasses import replace

import pytest
from downloads import BODY, EXPIRED, blobs, folder, get, left, lines, md5, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from web_server import SIGNATURE, Reply, fails, html

from copilot_analytics.download.body import Body, Failure
from copilot_analytics.errors import (
    ContractError,
    CopilotAnalyticsError,
    DownloadError,
    NetworkError,
)

__all__ = ["blobs", "folder", "get", "settings"]  # fixtures


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


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_f078_an_endless_body_is_stopped(blobs, get, settings, folder, encoding):
    pieces = lines(*range(1000))
    headers = {} if encoding == "identity" else {"Content-Encoding": "gzip"}
    sent = pieces if encoding == "identity" else gzip.compress(pieces)
    link = blobs.file("part-0", sent, headers=headers, framing="close", endless=True)
    tracemalloc.start()
    with fails(ContractError, "larger than 3,000,000 bytes"):
        get(link, settings=replace(settings, max_file_bytes=3_000_000))
    assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    tracemalloc.stop()
    assert (left(folder), len(blobs.requests)) == ([], 1)


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


@pytest.mark.parametrize("reply", [
    Reply(200, BODY, drip_head=0.02),
    Reply(302, b"", {"Location": "/part-0"}, drip_head=0.02),
    Reply(503, b"", drip_head=0.02),
    # The head of the answer without its end, then the length of a chunk that never ends.
    Reply(body=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 1000,
          framing="none", drip=0.004),
    Reply(body=b"HTTP/1.1 100 Continue\r\n\r\n" * 100, framing="none", drip=0.004),
])  # fmt: skip
def test_f079_a_head_that_drips_is_stopped_at_the_total_deadline(
    blobs, get, settings, folder, reply
):
    blobs.on("/part-0", reply)
    began = real_time.monotonic()
    with fails(CopilotAnalyticsError, "not complete in the time allowed"):
        get(blobs.link("part-0"), settings=replace(settings, file_timeout=0.3))
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
    "F081 XML": (
        Reply(200, EXPIRED.body.replace(SIGNATURE.encode(), b"***"), EXPIRED.headers),
        "XML message came instead of the file: Auth",
    ),
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
