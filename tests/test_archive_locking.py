"""One writer at a time; who holds the archive is named, and a lock dies with its holder."""

import ast
import multiprocessing
import os
import platform
import subprocess
import sys
import threading
import time

import pytest
from conftest import user_record
from stored_input import new_archive, put, rows

from copilot_analytics.archive import locking
from copilot_analytics.errors import LockedError, StorageError

HOLD = """
import sys
from pathlib import Path
from copilot_analytics.archive.locking import lock
with lock(Path(sys.argv[1]) / "lock"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def archive(tmp_path):
    archive = new_archive(tmp_path)
    put(archive, user_record())
    return archive


@pytest.fixture
def holder(archive):
    """Another process that holds the archive."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(archive.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_f132_f134_a_second_writer_is_refused_at_once_until_the_holder_is_killed(archive, holder):
    with pytest.raises(LockedError) as caught:
        put(archive, user_record(user_id=2))
    assert caught.value.exit_code == 11
    assert caught.value.said.startswith(f"process {holder.pid} on {platform.node()} since 20")
    assert len(archive.tables().users) == 1  # readers need no lock
    assert archive.verify().empty
    holder.kill()
    holder.wait()
    assert put(archive, user_record(user_id=2)).is_new


def test_f132_a_writer_may_wait_for_the_other(archive, holder, monkeypatch):
    monkeypatch.setattr(locking, "WAIT_SECONDS", 0.01)
    threading.Timer(0.2, holder.kill).start()
    started = time.monotonic()
    with archive.writing(wait=True):
        assert time.monotonic() - started > 0.15


def test_the_lock_file_is_empty_when_nobody_holds_it(archive):
    lock = archive.path / "lock"
    assert lock.read_text() == ""
    with archive.writing():
        assert lock.read_text().startswith(f"process {os.getpid()} on ")
    with pytest.raises(ZeroDivisionError), archive.writing():
        _ = 1 / 0
    assert lock.read_text() == ""


@pytest.mark.parametrize("kind", ["link", "fifo", "second name", "folder"])
def test_f135_a_lock_file_that_is_something_else_is_refused(archive, tmp_path, kind):
    lock, target = archive.path / "lock", tmp_path / "precious"
    target.write_text("untouched")
    lock.unlink()
    make = {
        "link": lambda: lock.symlink_to(target),
        "fifo": lambda: os.mkfifo(lock),
        "second name": lambda: lock.hardlink_to(target),
        "folder": lock.mkdir,
    }
    make[kind]()
    with pytest.raises(StorageError):
        put(archive, user_record(user_id=2))
    assert target.read_text() == "untouched"


def test_f136_a_lock_of_another_computer_is_not_broken(archive):
    lock = archive.path / "lock"
    lock.write_text("process 1 on another-host since 2020-01-01T00:00:00Z")
    with pytest.raises(LockedError, match="another computer") as caught:
        put(archive, user_record(user_id=2))
    assert "another-host" in caught.value.said
    assert f"remove {lock}" in caught.value.advice
    assert "another-host" in lock.read_text()
    lock.unlink()
    assert put(archive, user_record(user_id=2)).is_new


def test_what_a_killed_run_of_this_computer_left_in_the_lock_file_does_no_harm(archive):
    (archive.path / "lock").write_text(f"process 1 on {platform.node()} since 2020-01-01T00:00:00Z")
    assert put(archive, user_record(user_id=2)).is_new


def _first(folder, start, results):
    archive = new_archive(folder)
    start.wait()
    try:
        with archive.writing(wait=True) as ledger:
            results.put(ledger.format)
    except Exception as problem:  # noqa: BLE001 (whatever it is belongs into the answer)
        results.put(repr(problem))


def test_f137_several_processes_that_make_the_archive_at_once_make_one(tmp_path):
    context = multiprocessing.get_context("forkserver")
    start, results = context.Event(), context.Queue()
    arguments = (tmp_path, start, results)
    processes = [context.Process(target=_first, args=arguments) for _ in range(5)]
    for process in processes:
        process.start()
    start.set()
    assert [results.get(timeout=60) for _ in processes] == [2] * 5
    for process in processes:
        process.join()
    assert new_archive(tmp_path).verify().empty


WRITE = """
import sys
from datetime import date
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from conftest import ndjson, user_record
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope
folder, first = Path(sys.argv[1]), int(sys.argv[2])
archive, file = Archive(folder / "archive"), folder / f"{first}.ndjson"
print("ready", flush=True)
sys.stdin.readline()
for version in range(first, first + 3):
    file.write_bytes(ndjson(*(user_record(user_id=n, loc_added_sum=version) for n in range(20))))
    with archive.writing(wait=True) as ledger:
        archive.store(ledger, Scope("organization", "octo-org"), "users-1-day", date(2026, 11, 2),
                      [file])
"""
READ = """
import sys
from pathlib import Path
from copilot_analytics.archive import Archive
archive = Archive(Path(sys.argv[1]) / "archive")
print("ready", flush=True)
sys.stdin.readline()
seen = {}
while not (Path(sys.argv[1]) / "stop").exists():
    users = archive.tables().users
    key = (len(users), users["loc_added_sum"].nunique())
    seen[key] = seen.get(key, 0) + 1
print(seen)
"""


def start(script: str, *arguments) -> subprocess.Popen:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_f132_f133_two_writing_processes_take_turns_and_readers_see_whole_versions(tmp_path):
    """Six versions of one day, from two processes at once, under the eyes of two others."""
    archive = new_archive(tmp_path)
    put(archive, *(user_record(user_id=n) for n in range(20)))
    tests = os.path.dirname(__file__)
    writers = [start(WRITE, tmp_path, first, tests) for first in (100, 200)]
    readers = [start(READ, tmp_path) for _ in range(2)]
    for process in (*writers, *readers):
        assert process.stdout.readline() == "ready\n"
    for process in (*readers, *writers):
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(timeout=60) for process in writers] == [0, 0]
    (tmp_path / "stop").touch()
    for process in readers:
        seen = ast.literal_eval(process.communicate(timeout=60)[0])
        assert set(seen) == {(20, 1)}, seen
    for process in (*writers, *readers):
        process.stdin.close()
        process.stdout.close()
    versions = rows(archive, "SELECT is_current, COUNT(*) FROM versions GROUP BY is_current")
    assert versions == [(0, 6), (1, 1)]
    assert len(rows(archive, "SELECT * FROM appearances")) == 7
    assert archive.verify().empty
