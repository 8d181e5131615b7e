"""Downloads leave nothing half-done: storage that fails, interrupts, threads, what is kept.

Faults F063, F122, F123, F127.
"""

import signal
import subprocess
import sys
import threading
import time as real_time
from concurrent.futures import CancelledError
from dataclasses import replace

import pytest
from downloads import BODY, blobs, folder, get, left, lines, md5, settings
from web_server import SIGNATURE, Reply, fails, html, redirect

from copilot_analytics import download
from copilot_analytics.download import Background, Connections
from copilot_analytics.errors import ContractError, DownloadError, StorageError
from copilot_analytics.sessions import Session

__all__ = ["blobs", "folder", "get", "settings"]  # fixtures


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
    assert not [thread for thread in threading.enumerate() if "(_run)" in thread.name]
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


# --- what stays for the next call ----------------------------------------------------------------


def announced(*numbers: int) -> Reply:
    """A file whose digest the server sends with it."""
    return Reply(200, lines(*numbers), {"Content-MD5": md5(lines(*numbers))})


@pytest.fixture
def held(blobs, get, folder):
    """Three links, of which the second fails; the files of the others are kept."""
    links = [blobs.link(f"part-{n}") for n in range(3)]
    for n in (0, 2):
        blobs.on(f"/part-{n}", announced(n))
    blobs.on("/part-1", Reply(500))
    with fails(DownloadError, "file 2 of 3", "HTTP 500", "for the next run"):
        get(*links, keep=True)
    assert len(left(folder)) == 2
    blobs.reset()
    return links


def test_f063_good_files_are_not_received_again_by_the_next_call(blobs, get, folder, held):
    for n in (0, 2):  # whoever reads these answers finds them cut
        blobs.on(f"/part-{n}", replace(announced(n), cut=0))
    blobs.on("/part-1", announced(1))
    found = get(*held, keep=True)
    assert [file.path.read_bytes() for file in found] == [lines(n) for n in range(3)]
    assert left(folder) == sorted(file.path.name for file in found)
    assert len(blobs.requests) == 3


def test_f063_a_file_without_a_digest_or_with_another_is_received_again(blobs, get, folder, held):
    blobs.on("/part-0", Reply(200, lines(0)))
    blobs.on("/part-1", announced(1))
    blobs.on("/part-2", announced(7))
    found = get(*held, keep=True)
    assert [file.path.read_bytes() for file in found] == [lines(0), lines(1), lines(7)]
    assert len(left(folder)) == 3


def test_f063_a_file_that_was_changed_in_the_meantime_does_not_count(blobs, get, folder, held):
    for name in left(folder):
        (folder / name).write_bytes(lines(666))
    for n in range(3):
        blobs.on(f"/part-{n}", announced(n))
    assert [file.path.read_bytes() for file in get(*held, keep=True)] == [
        lines(n) for n in range(3)
    ]


def test_f063_failing_again_and_again_keeps_each_file_once(blobs, get, folder, held):
    for n in (0, 2):
        blobs.on(f"/part-{n}", announced(n))
    blobs.on("/part-1", Reply(500))
    for _ in range(3):
        with fails(DownloadError):
            get(*held, keep=True)
        assert sorted((folder / name).read_bytes() for name in left(folder)) == [lines(0), lines(2)]


def test_without_keep_nothing_stays_and_nothing_is_taken_up(blobs, get, folder, held):
    (folder / "part-00007.ndjson").write_bytes(lines(1))
    blobs.on("/part-0", Reply(500))
    with fails(DownloadError, "nothing of the report"):
        get(held[0])
    assert "part-00007.ndjson" in left(folder)


def test_what_was_refused_is_kept_only_where_there_is_a_place_for_it(blobs, get, folder):
    blobs.on("/part-0", html())
    with fails(ContractError, "HTML") as caught:
        get(blobs.link("part-0"), quarantine=None)
    assert "quarantine" not in caught.value.kept
    assert left(folder) == []


# --- threads and connections ---------------------------------------------------------------------


def test_a_download_ends_when_nobody_waits_for_it_any_more(blobs, get, folder):
    began = real_time.monotonic()
    stopped = threading.Timer(0.1, lambda: began)
    stopped.start()
    with fails(DownloadError, "nobody waits"):
        get(
            blobs.file("part-0", BODY, drip=0.02),
            blobs.file("part-1", BODY, delay=5),
            is_stopped=lambda: not stopped.is_alive(),
        )
    assert real_time.monotonic() - began < 1.5
    assert left(folder) == []


def test_what_has_not_begun_is_cancelled_and_what_runs_is_told_to_stop():
    begun = threading.Event()
    with Background(1) as background:
        running = background.submit(lambda: begun.set() or wait_until(background.is_stopped))
        waiting = background.submit(pytest.fail)
        assert begun.wait(5)
    assert running.result(1) is None
    with pytest.raises(CancelledError):
        waiting.result(1)


def test_an_error_in_the_background_is_raised_where_the_result_is_taken():
    with Background(2) as background:
        futures = [background.submit(divmod, 7, number) for number in (0, 2)]
        with pytest.raises(ZeroDivisionError):
            futures[0].result(1)
        assert futures[1].result(1) == (3, 1)


def test_connections_are_used_again_and_never_by_two_at_once(settings):
    with Connections(settings) as connections:
        with connections.lend() as first, connections.lend() as second:
            assert first is not second
        with connections.lend() as again:
            assert again in (first, second)


def test_a_connection_that_comes_back_late_is_closed(settings, monkeypatch):
    closed = []
    monkeypatch.setattr(Session, "close", lambda session: closed.append(session))
    with Connections(settings) as connections:
        lent = connections.lend()
        session = lent.__enter__()
    assert closed == []
    lent.__exit__(None, None, None)
    assert closed == [session]


def test_r21_downloads_share_no_session_with_the_api_and_know_no_token(settings):
    with Connections(settings) as connections, connections.lend() as session:
        assert set(session.headers) == {"Accept", "Accept-Encoding", "User-Agent"}
        assert session.auth is None
        assert not session.trust_env


def wait_until(is_there, seconds=5):
    end = real_time.monotonic() + seconds
    while not is_there():
        assert real_time.monotonic() < end, "it took too long"
        real_time.sleep(0.01)
