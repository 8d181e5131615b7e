"""The archive keeps what was received, knows what is current, and gives it back as tables."""

import os
import stat
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pytest
from conftest import ndjson, user_record

import copilot_analytics as ca
from copilot_analytics.archive import Archive, settled_state
from copilot_analytics.catalogue import Scope
from copilot_analytics.errors import (
    ArchiveError,
    ContentError,
    LockedError,
    StorageError,
    UsageError,
)

SCOPE = Scope("organization", "octo-org")
DAY = date(2026, 11, 2)


@pytest.fixture
def archive(tmp_path):
    now = [datetime(2026, 11, 22, 9, tzinfo=UTC)]
    archive = Archive(tmp_path / "archive", clock=lambda: now[0])
    archive.now = now
    return archive


def put(archive, *records, report="users-1-day", day=DAY, scope=SCOPE, name="file.ndjson"):
    path = archive.path.parent / name
    path.write_bytes(ndjson(*records))
    with archive.writing() as ledger:
        return archive.store(ledger, scope, report, day, [path])


def files_of(archive) -> set[str]:
    return {
        str(path.relative_to(archive.path))
        for path in archive.path.rglob("*")
        if path.is_file() and path.name not in ("ledger.sqlite", "lock")
    }


def test_what_was_stored_comes_back_as_the_same_tables(archive):
    records = [user_record(user_id=1), user_record(user_id=2, invented=1)]
    stored = put(archive, *records)
    assert (stored.state, stored.is_new, stored.records) == ("final", True, 2)
    tables, expected = archive.tables(), ca.load(ndjson(*records))
    for name in tables:
        pd.testing.assert_frame_equal(tables[name], expected[name])


def test_the_raw_file_is_kept_as_received_and_named_by_its_digest(archive):
    put(archive, user_record())
    (raw,) = (archive.path / "raw/organization-octo-org/users-1-day/2026-11-02").iterdir()
    content = pa.input_stream(str(raw), compression="zstd").read()
    assert content == ndjson(user_record())
    with archive.ledger() as ledger:
        (row,) = ledger.rows("SELECT * FROM raw_files")
    assert raw.stem == row["digest"]
    assert row["bytes"] == len(content)


def test_f138_the_same_bytes_again_change_nothing(archive):
    put(archive, user_record())
    before = {name: os.stat(archive.path / name).st_mtime_ns for name in files_of(archive)}
    again = put(archive, user_record())
    assert not again.is_new
    assert {name: os.stat(archive.path / name).st_mtime_ns for name in files_of(archive)} == before


def test_f139_a_later_version_is_current_and_the_earlier_one_kept(archive):
    put(archive, user_record(user_id=1))
    put(archive, user_record(user_id=1), user_record(user_id=2))
    assert archive.tables().users["user_id"].tolist() == [1, 2]
    with archive.ledger() as ledger:
        versions = ledger.rows("SELECT records, is_current FROM versions ORDER BY version")
    assert [tuple(row) for row in versions] == [(1, 0), (2, 1)]


def test_f141_going_back_to_earlier_bytes_makes_no_third_version(archive):
    for records in ([user_record(user_id=1)], [user_record(user_id=2)], [user_record(user_id=1)]):
        put(archive, *records)
    assert archive.tables().users["user_id"].tolist() == [1]
    with archive.ledger() as ledger:
        assert len(ledger.rows("SELECT * FROM versions")) == 2


def test_the_report_of_one_day_wins_over_the_28_day_report(archive):
    days = [DAY - timedelta(days=1), DAY]
    put(archive, user_record(str(DAY), loc_added_sum=50))
    put(
        archive,
        *(user_record(str(day), loc_added_sum=1) for day in days),
        report="users-28-day",
    )
    users = archive.tables().users
    assert users["loc_added_sum"].tolist() == [1, 50]
    assert archive.tables().users_by_feature["day"].dt.date.tolist() == days


def test_only_the_days_and_the_scope_asked_for_are_read(archive):
    for day in range(1, 8):
        put(archive, user_record(f"2026-11-{day:02}"), day=date(2026, 11, day))
    other = user_record(organization_id="8")
    put(archive, other, scope=Scope("organization", "octo-labs"))
    for name in ("organization:octo-org", "organization:Octo-Org", "organization:7"):
        tables = archive.tables(scope=name, start="2026-11-03", end=date(2026, 11, 5))
        assert tables.users["day"].dt.day.tolist() == [3, 4, 5]
        assert tables.day_states["day"].dt.day.tolist() == [3, 4, 5]
    assert set(archive.tables().users["scope"]) == {"organization:7", "organization:8"}
    assert archive.tables(scope="organization:unknown").users.empty
    with pytest.raises(UsageError, match="not a day"):
        archive.tables(start="soon")
    with pytest.raises(UsageError, match="engine"):
        archive.tables(engine="polars")


def test_f117_f150_days_with_different_fields_are_read_together(archive):
    put(archive, user_record("2026-11-01"), day=date(2026, 11, 1))
    put(archive, user_record("2026-11-02", ai_credits_used=2.5, used_cli=True))
    users = archive.tables().users
    assert users["ai_credits_used"].tolist()[1] == 2.5
    assert users["used_cli"].tolist() == [pd.NA, True]


def test_states_of_days(archive):
    assert settled_state(date(2026, 11, 16), archive.clock()) == "final"
    assert settled_state(date(2026, 11, 17), archive.clock()) == "provisional"
    put(archive, user_record("2026-11-20"), day=date(2026, 11, 20))
    with archive.writing() as ledger:
        archive.note_state(ledger, SCOPE, "users-1-day", date(2026, 11, 9), "empty", "204")
        archive.note_state(ledger, SCOPE, "users-1-day", date(2026, 11, 20), "pending", "204")
    states = archive.tables(scope="organization:octo-org").day_states
    assert dict(zip(states["day"].dt.day, states["state"], strict=True)) == {
        9: "empty",
        20: "provisional",
    }
    archive.now[0] += timedelta(days=9)
    put(archive, user_record("2026-11-20"), day=date(2026, 11, 20))
    assert archive.tables().day_states["state"].tolist() == ["empty", "final"]


def test_f113_a_report_with_a_record_of_another_day_or_owner_is_refused(archive):
    with pytest.raises(ContentError, match="holds records of 2026-11-03"):
        put(archive, user_record("2026-11-03"))
    for other in (user_record(organization_id="8"), user_record(organization_id=None)):
        with pytest.raises(ContentError, match="organization:octo-org holds records of"):
            put(archive, user_record(user_id=2), other)
    assert not list(archive.path.glob("raw/**/*.zst"))


def test_import_takes_the_owner_from_the_records(archive):
    stored = put(archive, user_record(), scope=None, report="import", day=None)
    assert stored.last_day == DAY
    assert archive.status()["name"].tolist() == ["organization:7"]
    with pytest.raises(UsageError, match="say whose they are"):
        put(
            archive,
            user_record(),
            user_record(organization_id="8"),
            scope=None,
            report="import",
            day=None,
        )


def test_status_counts_slots_and_bytes(archive):
    put(archive, user_record())
    with archive.writing() as ledger:
        archive.note_state(ledger, SCOPE, "users-1-day", date(2026, 11, 3), "missing", "404")
    row = archive.status().iloc[0]
    assert (row["final"], row["missing"], row["records"]) == (1, 1, 1)
    assert row["bytes"] == len(ndjson(user_record()))


def test_an_absent_archive_and_a_newer_one_are_refused(archive):
    with pytest.raises(ArchiveError, match="there is no archive"):
        archive.tables()
    put(archive, user_record())
    with archive.writing() as ledger, ledger.transaction() as connection:
        connection.execute("UPDATE meta SET value = '99'")
    before = files_of(archive)
    with pytest.raises(ArchiveError, match="format 99"):  # F152
        archive.tables()
    assert files_of(archive) == before


def test_a_ledger_that_is_no_database_is_an_archive_error(archive):
    archive.path.mkdir()
    (archive.path / "ledger.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(ArchiveError, match="cannot be read"):
        archive.tables()


def test_f146_a_damaged_table_file_is_named(archive):
    put(archive, user_record())
    (path,) = archive.path.glob("tables/users/*/*.parquet")
    path.write_bytes(b"")
    with pytest.raises(StorageError, match="table users"):
        _ = archive.tables().users


def test_stray_files_are_never_read(archive):
    put(archive, user_record())
    (path,) = archive.path.glob("tables/users/*/*.parquet")
    path.with_name("2026-11-09-stray.parquet").write_bytes(path.read_bytes())
    assert len(archive.tables().users) == 1


def test_f132_a_second_writer_is_refused_and_told_who_holds_the_archive(archive):
    put(archive, user_record())
    code = (
        "import sys; from copilot_analytics.archive import Archive\n"
        "with Archive(sys.argv[1]).writing(): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(archive.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {holder.pid}"):
            put(archive, user_record(user_id=2))
        assert len(archive.tables().users) == 1  # readers need no lock
    finally:
        holder.kill()  # F134: the lock goes with its holder
        holder.communicate()
    assert put(archive, user_record(user_id=2)).is_new


def test_f135_a_lock_that_is_a_link_is_refused(archive, tmp_path):
    archive.path.mkdir()
    target = tmp_path / "precious"
    target.write_text("untouched")
    (archive.path / "lock").symlink_to(target)
    with pytest.raises(StorageError):
        put(archive, user_record())
    assert target.read_text() == "untouched"


def test_f154_files_are_for_their_owner_only_whatever_the_umask(archive):
    old = os.umask(0)
    try:
        put(archive, user_record())
    finally:
        os.umask(old)
    for path in [archive.path, *archive.path.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_f123_a_full_disk_leaves_the_archive_as_it_was(archive):
    put(archive, user_record())
    before = files_of(archive)
    code = (
        "import resource, signal, sys, datetime, pathlib\n"
        "from copilot_analytics.archive import Archive\n"
        "from copilot_analytics.catalogue import Scope\n"
        "from copilot_analytics.errors import StorageError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "archive = Archive(sys.argv[1])\n"
        "with archive.writing() as ledger:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
        "    try:\n"
        "        archive.store(ledger, Scope('organization', 'octo-org'), 'users-1-day',\n"
        "                      datetime.date(2026, 11, 3), [pathlib.Path(sys.argv[2])])\n"
        "    except StorageError as error:\n"
        "        sys.exit(error.exit_code)\n"
    )
    path = archive.path.parent / "large.ndjson"
    path.write_bytes(ndjson(*(user_record("2026-11-03", user_id=n) for n in range(50))))
    arguments = [sys.executable, "-c", code, str(archive.path), str(path)]
    assert subprocess.run(arguments, check=False).returncode == 17
    assert files_of(archive) == before
    assert len(archive.tables().users) == 1
