"""`sync` downloads and reads reports while it asks for the next, and stores them in their order.

Against scripted servers: one for the API, one for the files.
"""

import base64
import hashlib
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time as real_time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ndjson, user_record
from web_server import (
    SIGNATURE,
    TOKEN,
    Reply,
    envelope,
    fails,
    html,
    refusal,
)

from copilot_analytics.archive import Archive, space
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.client import Client, Settings
from copilot_analytics.errors import LockedError, NetworkError, NotAllowedError, StorageError
from copilot_analytics.syncing import pipeline, sync

ROOT = Path(__file__).resolve().parents[1]
DAYS = [date(2026, 11, day) for day in range(1, 13)]
BASE = "/orgs/octo-org/copilot/metrics/reports"
USERS, LATEST = f"{BASE}/users-1-day", f"{BASE}/users-28-day/latest"
NOBODY = "127.0.0.1:9"
EXPIRED = Reply(403, b"<Error><Code>AuthenticationFailed</Code></Error>")


@pytest.fixture
def api(api, blobs):
    """An API that has a users report of one person for every day, and none of 28 days."""
    api.on(LATEST, Reply(204))
    api.on(
        USERS, lambda request: envelope(blobs.link(request.query["day"]), day=request.query["day"])
    )
    for day in DAYS:
        blobs.on(f"/{day}", with_digest(ndjson(user_record(f"{day}"))))
    return api


@pytest.fixture
def run(api, blobs, time, tmp_path):
    settings = Settings(
        api_url=api.url, token=TOKEN, download_hosts=(blobs.host, NOBODY), read_timeout=5,
        clock=time.now, sleep=time.sleep, monotonic=time.monotonic,
    )  # fmt: skip

    def run(days=3, **options):
        options = {"since": DAYS[0], "until": DAYS[days - 1], "families": ["users"]} | options
        with Client(settings) as client:
            return sync(run.archive, org="octo-org", client=client, **options)

    run.archive = Archive(tmp_path / "archive", clock=time.now)
    return run


def one_file(blobs, request) -> Reply:
    """What the API answers for a day: one link, whose name is the day."""
    day = request.query["day"]
    return envelope(blobs.link(day), day=day)


def with_digest(body: bytes, **options) -> Reply:
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    return Reply(200, body, {"Content-MD5": digest}, **options)


def states(result) -> dict:
    days = result.slots.dropna(subset="day")
    return dict(zip(days["day"], days["state"], strict=True))


def stored_days(archive) -> list[date]:
    return sorted(archive.tables().users["day"].dt.date)


def lying_in(archive) -> list[str]:
    folder = archive.path / "incoming"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# --- side by side, and in turn -------------------------------------------------------------------


def test_the_next_report_is_asked_for_while_one_is_downloaded(run, api, blobs):
    """Each file comes only after the API was asked for the day that follows."""
    asked = {day: threading.Event() for day in DAYS[:4]}

    def answer(request):
        asked[date.fromisoformat(request.query["day"])].set()
        return one_file(blobs, request)

    def give(request):
        following = date.fromisoformat(request.path[1:]) + timedelta(days=1)
        assert following not in asked or asked[following].wait(5)
        return Reply(200, ndjson(user_record(request.path[1:])))

    api.on(USERS, answer)
    for day in DAYS[:4]:
        blobs.on(f"/{day}", give)
    assert run(4).exit_code == 0
    assert stored_days(run.archive) == DAYS[:4]


def test_the_api_is_asked_one_call_after_the_other_also_for_expired_links(run, api, blobs):
    busy, most, lock = [0], [0], threading.Lock()

    def answer(request):
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        real_time.sleep(0.02)
        with lock:
            busy[0] -= 1
        return one_file(blobs, request)

    api.on(USERS, answer)
    for day in DAYS[::2]:
        blobs.on(f"/{day}", EXPIRED, Reply(200, ndjson(user_record(f"{day}"))))
    assert run(12).exit_code == 0
    assert stored_days(run.archive) == DAYS
    assert len(api.requests) == 1 + 12 + 6
    assert most == [1]


def test_what_becomes_of_the_reports_is_told_in_the_order_of_the_plan(run, blobs):
    for number, day in enumerate(DAYS):
        blobs.on(f"/{day}", with_digest(ndjson(user_record(f"{day}")), delay=0.02 * (12 - number)))
    result = run(12)
    assert list(result.slots["day"].dropna()) == DAYS
    with run.archive.ledger() as ledger:
        found = ledger.rows("SELECT day FROM versions ORDER BY version")
    assert [row["day"] for row in found] == [str(day) for day in DAYS]


def test_no_more_than_a_few_reports_are_on_their_way(run, api, blobs, monkeypatch):
    monkeypatch.setattr(pipeline, "IN_FLIGHT", 4)
    release = threading.Event()

    def hold(request):
        release.wait(5)
        return Reply(200, ndjson(user_record(request.path[1:])))

    def count(request):
        if len(api.requests) > pipeline.IN_FLIGHT + 2:  # the 28 days, and one that waits for room
            release.set()
        return one_file(blobs, request)

    blobs.on(f"/{DAYS[0]}", hold)
    api.on(USERS, count)
    timer = threading.Timer(0.5, lambda: seen.append(len(api.requests)) or release.set())
    seen = []
    timer.start()
    assert run(12).exit_code == 0
    timer.join()
    assert seen == [pipeline.IN_FLIGHT + 2]


def test_threads_and_connections_end_with_the_run(run):
    run(12)
    assert not [thread for thread in threading.enumerate() if "(_run)" in thread.name]


# --- errors --------------------------------------------------------------------------------------


def test_what_makes_going_on_senseless_keeps_what_came_before(run, api, blobs):
    def answer(request):
        if request.query["day"] == str(DAYS[3]):
            return refusal(403, "Forbidden")
        return one_file(blobs, request)

    api.on(USERS, answer)
    blobs.on(f"/{DAYS[1]}", with_digest(ndjson(user_record(f"{DAYS[1]}")), delay=0.3))
    with fails(NotAllowedError):
        run(12)
    assert stored_days(run.archive) == DAYS[:3]
    assert len(api.requests) == 1 + 4


def test_f123_a_full_disk_ends_the_run_and_stores_nothing_after_it(run, api, monkeypatch):
    commit = Archive.commit

    def full(archive, ledger, prepared, **options):
        if prepared.slot[2] == str(DAYS[2]):
            raise StorageError("the ledger could not be written")
        return commit(archive, ledger, prepared, **options)

    monkeypatch.setattr(Archive, "commit", full)
    with fails(StorageError, "ledger"):
        run(12)
    assert stored_days(run.archive) == DAYS[:2]
    monkeypatch.undo()
    assert run(12).exit_code == 0
    assert stored_days(run.archive) == DAYS


def test_f123_a_disk_without_room_is_noticed_before_anything_is_asked(run, api, monkeypatch):
    archive = run.archive
    monkeypatch.setattr(space.shutil, "disk_usage", lambda path: SimpleNamespace(free=10**6))
    with pytest.raises(StorageError, match="has 1.0 MB left, and about 100.0 MB are") as caught:
        run(3)
    assert caught.value.exit_code == 17
    assert "everything that was stored before" in caught.value.kept
    assert api.requests == []
    monkeypatch.undo()
    assert run(3).exit_code == 0
    assert stored_days(archive) == DAYS[:3]


def test_f123_what_reports_took_before_tells_what_a_run_will_need(run, api, monkeypatch):
    run(3)
    received = ndjson(user_record("2026-11-01"))
    rows = run.archive.status().set_index("report")["report_bytes"]
    assert rows["users-1-day"] == 3 * len(received)
    room = space.FLOOR + 9 * (1 + space.ON_DISK) * len(received)  # for nine further days
    api.requests.clear()
    for free, is_enough in ((room - 1, False), (room + 1, True)):
        monkeypatch.setattr(
            space.shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free)
        )
        if is_enough:
            assert run(12).exit_code == 0
        else:
            with pytest.raises(StorageError):
                run(12)
            assert api.requests == []


def test_f123_a_disk_that_fills_up_during_a_run_stops_it_early(run, api, monkeypatch):
    looks = itertools.count()
    monkeypatch.setattr(
        space.shutil,
        "disk_usage",
        lambda path: SimpleNamespace(free=10**12 if next(looks) < 6 else 10**6),
    )
    with pytest.raises(StorageError, match="left"):
        run(12)
    assert stored_days(run.archive) == DAYS[:4]  # one look at the start, one for the 28 days
    assert len(api.requests) == 5
    assert lying_in(run.archive) == []
    monkeypatch.undo()
    run(12)
    assert stored_days(run.archive) == DAYS
    assert run.archive.verify().empty


def test_f038_the_breaker_counts_failures_in_the_order_of_the_plan(run, api, blobs):
    """Two in a row, then one that succeeds although it comes last, then two again."""
    fail_on(api, blobs, DAYS[1:3] + DAYS[4:6])
    blobs.on(f"/{DAYS[3]}", with_digest(ndjson(user_record(f"{DAYS[3]}")), delay=0.3))
    result = run(7)
    assert result.exit_code == 3
    assert {day for day, state in states(result).items() if state == "failed"} == {
        *DAYS[1:3], *DAYS[4:6]
    }  # fmt: skip


def test_f038_three_failures_in_a_row_end_the_run_and_keep_what_came_before(run, api, blobs):
    fail_on(api, blobs, DAYS[2:5])
    blobs.on(f"/{DAYS[1]}", with_digest(ndjson(user_record(f"{DAYS[1]}")), delay=0.3))
    with fails(NetworkError, "refused") as caught:
        run(12)
    assert caught.value.exit_code == 15
    assert stored_days(run.archive) == DAYS[:2]


def fail_on(api, blobs, days):
    """Let the links of some days lead to a port where nobody listens."""

    def answer(request):
        day = request.query["day"]
        link = blobs.link(day)
        if date.fromisoformat(day) in days:
            link = link.replace(blobs.host, NOBODY)
        return envelope(link, day=day)

    api.on(USERS, answer)


def test_an_unexpected_error_in_the_background_is_not_swallowed(run, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(Archive, "prepare", broken)
    with pytest.raises(ZeroDivisionError):
        run(3)


# --- what came in part ---------------------------------------------------------------------------


@pytest.fixture
def three_links(api, blobs):
    """One day in three files, of which the second fails."""
    day = str(DAYS[0])
    links = [blobs.link(f"part-{n}") for n in range(3)]
    api.on(USERS, envelope(*links, day=day))
    for n in range(3):
        blobs.on(f"/part-{n}", with_digest(ndjson(user_record(day, n))))
    blobs.on("/part-1", Reply(500))
    return blobs


def test_f063_good_files_are_reused_by_the_next_run(run, three_links):
    result = run(1)
    assert result.exit_code == 3
    assert states(result) == {DAYS[0]: "failed"}
    assert run.archive.tables().users.empty
    assert len(lying_in(run.archive)) == 2
    for folder in (run.archive.path / "incoming").rglob("*"):
        assert stat.S_IMODE(folder.stat().st_mode) == (0o700 if folder.is_dir() else 0o600)
    for n in (0, 2):  # whoever reads these answers finds them cut
        body = ndjson(user_record(f"{DAYS[0]}", n))
        three_links.on(f"/part-{n}", with_digest(body, cut=0))
    three_links.on("/part-1", with_digest(ndjson(user_record(f"{DAYS[0]}", 1))))
    assert run(1).exit_code == 0
    assert sorted(run.archive.tables().users["user_id"]) == [0, 1, 2]
    assert lying_in(run.archive) == []


def test_what_nobody_will_ask_for_again_does_not_stay(run, three_links):
    run(1)
    foreign = run.archive.path / "incoming" / "organization-octo-org" / "users-1-day" / "2020-01-01"
    foreign.mkdir()
    (foreign / "part-00000.ndjson").write_bytes(b"{}")
    run(1, since=DAYS[1], until=DAYS[1])  # the day that has failed will be asked for again
    assert {path.split("/")[2] for path in lying_in(run.archive)} == {str(DAYS[0])}


def test_f080_a_page_instead_of_a_file_lies_in_quarantine(run, blobs):
    blobs.on(f"/{DAYS[0]}", html())
    result = run(1)
    assert result.exit_code == 16
    (page,) = lying_in(run.archive)
    assert page.startswith(f"organization-octo-org/users-1-day/{DAYS[0]}/quarantine/")


def test_f111_files_that_contradict_each_other_stay_to_be_looked_at(run, three_links):
    three_links.on("/part-0", with_digest(ndjson(user_record(f"{DAYS[0]}", 1, loc_added_sum=1))))
    three_links.on("/part-1", with_digest(ndjson(user_record(f"{DAYS[0]}", 1, loc_added_sum=2))))
    result = run(1)
    assert result.exit_code == 16
    assert run.archive.tables().users.empty
    assert len(lying_in(run.archive)) == 3
    (note,) = result.slots["note"].dropna().iloc[1:]
    assert any(path in note for path in lying_in(run.archive))  # it names a file that is there


def test_f073_a_file_of_unverified_length_is_noted_with_its_day(run, blobs):
    cut = ndjson(user_record(f"{DAYS[0]}", 1), user_record(f"{DAYS[0]}", 2))
    blobs.on(f"/{DAYS[0]}", Reply(200, cut, framing="close"))
    result = run(1)
    assert result.exit_code == 0
    assert "unverified length" in result.slots["note"].iloc[-1]
    with run.archive.ledger() as ledger:
        version = ledger.current("organization:octo-org", "users-1-day", str(DAYS[0]))
    facts = json.loads(version["facts"])
    assert any("unverified length" in note for note in facts["notes"])
    assert facts["report_day"] == str(DAYS[0])
    (file,) = facts["files"]
    assert file["received"] == len(cut)
    assert "content-length" not in file["headers"]


def test_f082_a_file_without_bytes_never_takes_the_place_of_rows(run, blobs, time):
    recent = date(2026, 11, 20)
    blobs.on(f"/{recent}", with_digest(ndjson(user_record(f"{recent}"))))
    assert run(since=recent, until=recent).exit_code == 0
    blobs.on(f"/{recent}", Reply(200, b""))
    result = run(since=recent, until=recent)
    assert result.slots["state"].iloc[-1] == "pending"
    assert stored_days(run.archive) == [recent]
    assert list(run.archive.tables().day_states["state"]) == ["provisional"]


@pytest.mark.parametrize("framing", ["length", "close"])
def test_f073_f140_a_day_that_shrinks_below_half_is_held_back_until_it_is_accepted(
    run, blobs, framing
):
    """Also where nothing but the number of rows says that a file is not whole."""
    recent = date(2026, 11, 20)
    whole = [user_record(f"{recent}", user_id) for user_id in range(5)]
    blobs.on(f"/{recent}", Reply(200, ndjson(*whole)))
    options = {"since": recent, "until": recent}
    run(**options)
    blobs.on(f"/{recent}", Reply(200, ndjson(*whole[:2]), framing=framing))
    result = run(**options)
    assert result.exit_code == 3
    assert "held back: 2 records instead of 5" in result.slots["note"].iloc[-1]
    assert len(run.archive.tables().users) == 5
    assert run(**options, accept_shrink=True).exit_code == 0
    assert len(run.archive.tables().users) == 2


def test_f132_a_second_run_is_refused_or_waits(run):
    with run.archive.writing():
        with fails(LockedError, "in use"):
            run(1)
        second = threading.Thread(target=lambda: done.append(run(1, wait=True)))
        done = []
        second.start()
        second.join(0.3)
        assert done == []
    second.join(10)
    assert done[0].exit_code == 0


def test_what_was_purged_is_not_fetched_again(run, monkeypatch):
    monkeypatch.setattr(Ledger, "purged_before", lambda ledger, name: DAYS[2])
    assert list(run(4).slots["day"].dropna()) == DAYS[2:4]


# --- interrupts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_f122_a_stopped_run_ends_at_once_and_is_continued_by_the_next(run, api, blobs, number):
    """Stopped while files are on their way; days and clock are those of the real process."""
    end = datetime.now(UTC).date() - timedelta(days=10)
    days = [end - timedelta(days=back) for back in range(11, -1, -1)]
    for place, day in enumerate(days):
        body = ndjson(user_record(f"{day}"))
        blobs.on(f"/{day}", with_digest(body, drip=0.05 if place > 5 else 0))
    command = [
        sys.executable, "-m", "copilot_analytics", "sync", "--org", "octo-org", "--reports",
        "users", "--since", str(days[0]), "--until", str(days[-1]), "--archive", run.archive.path,
    ]  # fmt: skip
    environ = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "GITHUB_API_URL": api.url,
        "GITHUB_TOKEN": TOKEN, "COPILOT_ANALYTICS_DOWNLOAD_HOSTS": blobs.host,
    }  # fmt: skip
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: f"/{days[6]}" in blobs.paths())
        wait_until(lambda: len(stored_days(run.archive)) == 6)
        began = real_time.monotonic()
        process.send_signal(number)
        _, said = process.communicate()
    assert real_time.monotonic() - began < 2
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert SIGNATURE not in said
    assert stored_days(run.archive) == days[:6]
    assert not [path for path in run.archive.path.rglob(".*") if path.is_file()]
    for day in days:
        blobs.on(f"/{day}", with_digest(ndjson(user_record(f"{day}"))))
    run(since=days[0], until=days[-1])
    assert stored_days(run.archive) == days


def test_f122_a_run_that_is_stopped_while_it_writes_leaves_no_half_file(run, blobs):
    """The report is large, and what is written of it has no name in the archive yet."""
    day = str(DAYS[0])
    people = (user_record(day, user_id) for user_id in range(60_000))
    blobs.on(f"/{day}", with_digest(ndjson(*people)))

    def stop_when_writing(todo):
        for report, asked in todo:
            yield report, asked
            if asked == DAYS[0]:
                wait_until(lambda: [*run.archive.path.rglob("tables/**/.*")])
                raise KeyboardInterrupt

    began = real_time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(2, progress=stop_when_writing)
    assert real_time.monotonic() - began < 10
    assert not [path for path in run.archive.path.rglob(".*") if path.is_file()]
    assert run.archive.tables().users.empty
    assert run(1).exit_code == 0
    assert len(run.archive.tables().users) == 60_000


def wait_until(is_there, seconds=10):
    end = real_time.monotonic() + seconds
    while not is_there():
        assert real_time.monotonic() < end, "it took too long"
        real_time.sleep(0.02)
