"""The ledger knows which version of a day is current, and keeps all of them."""

import random
import shutil
import sqlite3
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from conftest import user_record
from stored_input import DAY, SCOPE, assert_same, files_of, frames, new_archive, put, rows

from copilot_analytics.errors import ArchiveError, StorageError

VERSIONS = "SELECT records, is_current, is_held FROM versions ORDER BY version"
STATE = "SELECT state, note FROM slots WHERE report = 'users-1-day'"


@pytest.fixture
def archive(tmp_path):
    return new_archive(tmp_path)


def people(count, **fields):
    return [user_record(user_id=number, **fields) for number in range(count)]


class TestVersions:
    def test_f138_the_same_bytes_again_change_nothing(self, archive):
        put(archive, user_record())
        before = files_of(archive)
        again = put(archive, user_record())
        assert not again.is_new
        assert (again.records, again.last_day, again.state) == (1, DAY, "final")
        assert files_of(archive) == before

    def test_f139_a_later_version_is_current_and_the_earlier_one_kept(self, archive):
        put(archive, *people(1))
        put(archive, *people(2))
        assert archive.tables().users["user_id"].tolist() == [0, 1]
        assert rows(archive, VERSIONS) == [(1, 0, 0), (2, 1, 0)]
        assert archive.verify().empty  # the earlier one is as sound as the current one

    def test_f141_going_back_to_earlier_bytes_makes_no_third_version(self, archive):
        for login in ("a", "b", "a"):
            put(archive, user_record(user_login=login))
        assert archive.tables().users["user_login"].tolist() == ["a"]
        assert rows(archive, VERSIONS) == [(1, 1, 0), (1, 0, 0)]
        (archive.path / "ledger.sqlite").unlink()
        archive.rebuild()  # the manifests know it too
        assert archive.tables().users["user_login"].tolist() == ["a"]

    def test_f142_another_order_of_keys_is_a_version_of_the_same_figures(self, archive):
        records = [user_record(user_id=number, loc_added_sum=number) for number in (1, 2)]
        put(archive, *records)
        before = frames(archive)
        again = put(archive, *({k: one[k] for k in sorted(one)} for one in records))
        assert again.is_new
        assert_same(frames(archive), before)
        assert archive.restatements().empty

    def test_f142_another_order_of_rows_gives_the_same_figures(self, archive):
        records = people(5)
        put(archive, *records)
        before = archive.tables().users
        random.Random(1).shuffle(records)
        put(archive, *records)
        after = archive.tables().users.sort_values("user_id", ignore_index=True)
        pd.testing.assert_frame_equal(after, before)
        assert archive.restatements().empty

    def test_f143_what_upstream_no_longer_has_stays(self, archive):
        put(archive, user_record())
        before = frames(archive)
        archive.now[0] += timedelta(days=400)
        with archive.writing() as opened:
            for state in ("missing", "empty", "failed"):
                archive.note_state(opened, SCOPE, "users-1-day", DAY, state, "404")
        assert_same(frames(archive), before)

    def test_imports_that_end_on_one_day_stand_side_by_side(self, archive):
        entity = {"day": str(DAY), "organization_id": "7", "daily_active_users": 3}
        put(archive, user_record(), report="import", day=None)
        put(archive, entity, report="import", day=None)
        tables = archive.tables()
        assert (len(tables.users), len(tables.entity)) == (1, 1)

    def test_facts_are_kept_with_the_version(self, archive):
        put(archive, user_record(invented=1), facts={"api_version": "2026-03-10"})
        (facts,) = rows(archive, "SELECT facts FROM versions")[0]
        assert '"api_version": "2026-03-10"' in facts
        assert '"unknown_fields": {"users: invented": 1}' in facts


class TestShrinking:
    @pytest.mark.parametrize(
        ("records", "why"),
        [
            (people(4), "4 records instead of 10"),
            ([user_record(user_id=-1, day=str(DAY))] * 1, "1 records instead of 10"),
        ],
    )
    def test_f140_a_version_below_half_is_held_back(self, archive, records, why):
        put(archive, *people(10))
        before = frames(archive)
        stored = put(archive, *records)
        assert stored.held_back == why
        assert stored.state == "provisional"  # so that it is asked for again
        assert_same(frames(archive) | {"day_states": before["day_states"]}, before)
        assert rows(archive, VERSIONS) == [(10, 1, 0), (len(records), 0, 1)]
        assert rows(archive, STATE) == [("provisional", f"held back: {why}")]
        assert put(archive, *records).held_back == why  # and held back again
        assert archive.verify().empty

    def test_half_is_not_below_half(self, archive):
        put(archive, *people(10))
        assert put(archive, *people(5)).held_back == ""
        assert len(archive.tables().users) == 5

    def test_f140_people_count_as_well_as_records(self, archive):
        days = [f"2026-10-{day}" for day in range(20, 30)]
        records = [user_record(day, user_id=n) for n, day in enumerate(days)]
        put(archive, *records, report="users-28-day")
        fewer = [user_record(day, user_id=n % 2) for n, day in enumerate(days)]
        stored = put(archive, *fewer, report="users-28-day")
        assert stored.held_back == "2 people instead of 10"

    def test_f140_accepted_a_smaller_version_is_current(self, archive):
        put(archive, *people(10))
        assert put(archive, *people(1), accept_shrink=True).held_back == ""
        assert len(archive.tables().users) == 1

    def test_f140_what_was_held_back_can_be_accepted_later(self, archive):
        put(archive, *people(10))
        for count in (1, 2):
            put(archive, *people(count))
        with archive.writing() as opened:
            assert archive.accept_held_back(opened, SCOPE) == 1
            assert archive.accept_held_back(opened, SCOPE) == 0
        assert len(archive.tables().users) == 2
        assert rows(archive, STATE) == [("final", "")]
        assert archive.tables().day_states["state"].tolist() == ["final"]

    def test_a_version_that_grew_back_takes_its_place(self, archive):
        put(archive, *people(10))
        put(archive, *people(1))
        put(archive, *people(11))
        assert len(archive.tables().users) == 11
        assert rows(archive, STATE) == [("final", "")]


class TestRestatements:
    def test_each_figure_that_changed_with_when_and_by_how_much(self, archive):
        archive.now[0] = datetime(2026, 11, 4, 9, tzinfo=archive.now[0].tzinfo)
        put(archive, *people(3))
        archive.now[0] += timedelta(days=2)
        put(archive, *people(4, loc_added_sum=10))
        archive.now[0] += timedelta(days=1)
        put(archive, *people(3))
        frame = archive.restatements("organization:octo-org")
        shown = frame[["figure", "before", "after", "change", "days_after"]]
        added = sorted(
            [
                ("people", 3, 4, 1, 3),
                ("user_initiated_interaction_count", 6, 8, 2, 3),
                ("code_generation_activity_count", 15, 20, 5, 3),
                ("code_acceptance_activity_count", 3, 4, 1, 3),
                ("loc_suggested_to_add_sum", 27, 36, 9, 3),
                ("loc_added_sum", 12, 40, 28, 3),
            ]
        )
        found = sorted(shown.itertuples(index=False, name=None))
        assert [row for row in found if row[-1] == 3] == added
        back = [(name, after, before, -change, 4) for name, before, after, change, _ in added]
        assert [row for row in found if row[-1] == 4] == sorted(back)
        first = frame.iloc[0]
        assert (first["scope"], first["report"]) == ("organization:7", "users-1-day")
        assert first["day"] == pd.Timestamp(DAY)
        assert first["fetched_before"] == pd.Timestamp("2026-11-04T09:00Z")
        assert first["fetched_after"] == pd.Timestamp("2026-11-06T09:00Z")

    def test_a_day_that_two_28_day_reports_hold_is_compared(self, archive):
        for number, end in enumerate((date(2026, 11, 2), date(2026, 11, 3))):
            record = user_record(loc_added_sum=number)
            put(archive, record, user_record(str(end), user_id=9), report="users-28-day", day=end)
        frame = archive.restatements()
        assert (frame["day"] == pd.Timestamp(DAY)).all()
        (row,) = frame[frame["figure"] == "loc_added_sum"].to_dict("records")
        assert (row["before"], row["after"]) == (4, 1)

    def test_counters_of_an_entity_that_come_or_go(self, archive):
        record = {"day": str(DAY), "organization_id": "7", "daily_active_users": 3}
        put(archive, record, report="organization-1-day")
        put(archive, record | {"weekly_active_users": 9}, report="organization-1-day")
        frame = archive.restatements()
        assert frame[["figure", "after"]].to_numpy().tolist() == [["weekly_active_users", 9]]
        assert frame[["before", "change"]].isna().all(axis=None)

    def test_none_give_an_empty_frame_with_its_columns(self, archive):
        put(archive, user_record())
        frame = archive.restatements()
        assert frame.empty
        assert frame.dtypes["change"] == "Int64"
        assert frame.dtypes["day"] == "datetime64[us]"

    def test_a_lost_table_file_of_an_earlier_version_is_read_from_raw(self, archive):
        put(archive, *people(3))
        put(archive, *people(4))
        before = archive.restatements()
        shutil.rmtree(archive.path / "tables")
        pd.testing.assert_frame_equal(archive.restatements(), before)


class TestFormats:
    @pytest.fixture
    def old(self, tmp_path):
        """An archive that the released format 1 wrote."""
        with tarfile.open(Path(__file__).with_name("archive_format_1.tar.xz")) as packed:
            packed.extractall(tmp_path, filter="data")
        (tmp_path / "archive").chmod(0o700)
        return new_archive(tmp_path)

    def test_f153_an_archive_of_format_1_is_brought_to_ours(self, old):
        users = old.tables().users
        assert users[["user_id", "loc_added_sum"]].to_numpy().tolist() == [[1, 50], [2, 4], [1, 4]]
        states = old.tables().day_states
        assert states["state"].tolist() == ["final", "final", "missing"]
        assert rows(old, "SELECT value FROM meta WHERE key = 'format'") == [("2",)]
        with old.writing():
            pass
        assert not old.verify()["is_damage"].any()
        assert old.rebuild() == []
        old.fix_permissions()
        with old.writing():  # which removes the table files of the old names
            pass
        assert old.verify().empty
        pd.testing.assert_frame_equal(old.tables().users, users)
        assert old.restatements()["figure"].tolist()[0] == "people"

    def test_f153_an_old_archive_can_be_written_to_at_once(self, old):
        put(old, user_record("2026-11-05"), day=date(2026, 11, 5))
        assert len(old.tables().users) == 4

    def test_f153_killed_while_it_is_changed_the_old_ledger_stays(self, old, monkeypatch):
        before = (old.path / "ledger.sqlite").read_bytes()

        def fail(*_):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr("os.replace", fail)
        with pytest.raises(StorageError):
            old.tables()
        assert (old.path / "ledger.sqlite").read_bytes() == before
        monkeypatch.undo()
        assert len(old.tables().users) == 3

    def test_f152_a_newer_format_is_refused_and_nothing_written(self, archive):
        put(archive, user_record())
        with sqlite3.connect(archive.path / "ledger.sqlite") as connection:
            connection.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
        before = {path: path.read_bytes() for path in archive.path.rglob("*") if path.is_file()}
        changes = (archive.rebuild, archive.verify, lambda: archive.erase(1))
        for ask in (archive.tables, archive.status, *changes, lambda: put(archive, user_record())):
            with pytest.raises(ArchiveError, match="format 99") as caught:
                ask()
            assert caught.value.exit_code == 10
        after = {path: path.read_bytes() for path in archive.path.rglob("*") if path.is_file()}
        assert after == before | {archive.path / "lock": b""}


class TestReaders:
    def test_f133_a_reader_sees_one_state_whatever_is_committed_meanwhile(self, archive):
        put(archive, *people(2))
        with archive.ledger() as opened, opened.snapshot():
            first = opened.rows("SELECT COUNT(*) FROM versions")[0][0]
            writer = sqlite3.connect(archive.path / "ledger.sqlite", timeout=0)
            writer.execute("INSERT INTO audit VALUES ('', '', '')")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                writer.commit()
            writer.close()
            assert opened.rows("SELECT COUNT(*) FROM versions")[0][0] == first

    def test_f133_open_tables_stay_what_they_were_while_a_new_version_comes(self, archive):
        put(archive, *people(2))
        tables = archive.tables()
        put(archive, *people(3))
        assert len(tables.users) == 2
        assert len(archive.tables().users) == 3

    def test_f133_readers_never_see_a_mix_while_versions_come(self, archive):
        put(archive, *people(20, loc_added_sum=0))
        stop, seen = threading.Event(), []

        def look():
            while not stop.is_set():
                users = archive.tables().users
                seen.append((len(users), users["loc_added_sum"].nunique()))

        with ThreadPoolExecutor(3) as pool:
            readers = [pool.submit(look) for _ in range(3)]
            for version in range(1, 8):
                put(archive, *people(20, loc_added_sum=version))
            stop.set()
        assert [reader.result() for reader in readers] == [None] * 3
        assert set(seen) == {(20, 1)}
