"""Damage is found, named, and mended as far as the raw files allow."""

import hashlib
import shutil
import sqlite3
import stat
import warnings
from datetime import date, timedelta

import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import user_record
from stored_input import DAY, SCOPE, assert_same, files_of, frames, new_archive, put, rows

from copilot_analytics.archive import StorageWarning, rebuilding
from copilot_analytics.errors import ArchiveError, DamageError

SLOT = ["organization:octo-org", "users-1-day", "2026-11-02"]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Two days, the second one with two versions, and a slot over 28 days."""
    archive = new_archive(tmp_path_factory.mktemp("template"))
    put(archive, user_record(user_id=1), user_record(user_id=2))
    day = DAY + timedelta(days=1)
    put(archive, user_record(str(day), user_id=1), day=day)
    put(archive, user_record(str(day), user_id=1, loc_added_sum=50), day=day)
    days = [str(DAY - timedelta(days=2)), str(DAY)]
    put(archive, *(user_record(day, user_id=3) for day in days), report="users-28-day")
    return archive


@pytest.fixture
def archive(template, tmp_path):
    archive = new_archive(tmp_path)
    shutil.copytree(template.path, archive.path)
    return archive


@pytest.fixture
def raw(archive):
    (path,) = archive.path.glob("raw/*/users-1-day/2026-11-02/*.zst")
    return path


@pytest.fixture
def tables(archive):
    """The table file of people of the day whose slot is `SLOT`."""
    found = rows(
        archive,
        "SELECT path FROM table_files JOIN versions v USING (version) "
        "WHERE v.report = 'users-1-day' AND v.day = '2026-11-02' AND table_name = 'users'",
    )
    return archive.path / found[0][0]


def flip(path, place=None):
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 1
    path.write_bytes(content)


def found(archive, **options):
    frame = archive.verify(**options)
    return frame[["path", "problem"]].apply(tuple, axis=1).tolist()


class TestVerify:
    def test_a_sound_archive_gives_an_empty_frame_with_its_columns(self, archive):
        frame = archive.verify()
        assert frame.empty
        assert list(frame) == ["path", "problem", "name", "report", "day", "is_damage"]

    def test_an_absent_archive_is_an_error(self, tmp_path):
        archive = new_archive(tmp_path)
        changes = (
            archive.verify,
            archive.rebuild,
            lambda: archive.erase(1),
            archive.fix_permissions,
        )
        for ask in (*changes, lambda: archive.purge(DAY), archive.restatements):
            with pytest.raises(ArchiveError, match="there is no archive"):
                ask()
        assert not (tmp_path / "archive").exists()

    @pytest.mark.parametrize("place", [0, None, -1])
    def test_f144_a_flipped_bit_of_a_raw_file_is_found_and_the_slot_named(
        self, archive, raw, place
    ):
        flip(raw, place)
        (row,) = archive.verify().to_dict("records")
        assert row["path"] == raw.relative_to(archive.path).as_posix()
        assert row["problem"] == "is not what was stored"
        assert [row["name"], row["report"], row["day"]] == SLOT

    def test_f148_a_raw_file_that_is_gone_is_found(self, archive, raw):
        raw.unlink()
        assert found(archive) == [(raw.relative_to(archive.path).as_posix(), "is missing")]

    def test_f145_a_flipped_bit_of_a_table_file_is_found_wherever_it_is(self, archive, tables):
        content = tables.read_bytes()
        for place in (0, len(content) // 2, -1):
            flip(tables, place)
            assert found(archive)[0][1] == "is not what was stored", place
            tables.write_bytes(content)

    def test_values_are_compared_with_the_raw_files(self, archive, tables):
        changed = pq.read_table(tables)
        column = changed.schema.get_field_index("loc_added_sum")
        changed = changed.set_column(column, changed.schema.field(column), [[1, 2]])
        pq.write_table(changed, tables)
        with sqlite3.connect(archive.path / "ledger.sqlite") as connection:
            digest = hashlib.sha256(tables.read_bytes()).hexdigest()
            connection.execute(
                "UPDATE table_files SET digest = ? WHERE path = ?",
                [digest, tables.relative_to(archive.path).as_posix()],
            )
        assert [problem for _, problem in found(archive)] == ["differs from its raw files"]
        archive.rebuild()
        assert archive.verify().empty

    def test_f146_stray_files_are_listed_and_no_damage(self, archive, tables):
        before = frames(archive)
        for stray in (
            tables.with_name("2026-11-09-stray.parquet"),
            tables.parent / "folder" / "notes.txt",
        ):
            stray.parent.mkdir(mode=0o700, exist_ok=True)
            stray.write_bytes(b"")
            stray.chmod(0o600)
        frame = archive.verify()
        assert set(frame["problem"]) == {"is not part of the archive; nobody reads it"}
        assert len(frame) == 2
        assert not frame["is_damage"].any()
        put(archive, user_record("2026-11-05"), day=date(2026, 11, 5))
        assert len(archive.verify()) == 2  # they are somebody's, so they stay
        assert_same(frames_until(archive, "2026-11-03"), until(before, "2026-11-03"))

    def test_f155_permissions_that_are_too_wide_are_listed_and_taken_away(self, archive, raw):
        raw.chmod(0o640)
        archive.path.chmod(0o755)
        frame = archive.verify()
        assert frame["path"].tolist() == [".", raw.relative_to(archive.path).as_posix()]
        assert not frame["is_damage"].any()
        with pytest.warns(StorageWarning, match="--fix-permissions"), archive.writing():
            pass
        assert len(archive.fix_permissions()) == 2
        assert archive.verify().empty
        with archive.writing():
            pass


def until(found, day):
    return {name: frame[frame["day"] <= day] for name, frame in found.items()}


def frames_until(archive, day):
    return until(frames(archive), day)


class TestReaders:
    @pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped"])
    def test_f145_f146_a_table_file_that_is_not_sound_is_made_from_raw_for_the_time(
        self, archive, tables, damage
    ):
        before = frames(archive)
        content = tables.read_bytes()
        if damage == "missing":
            tables.unlink()
        elif damage == "flipped":
            flip(tables, 60)
        else:
            tables.write_bytes(content[: len(content) // 2 if damage == "cut" else 0])
        with pytest.warns(StorageWarning, match="users"):
            assert_same(frames(archive), before)
        assert archive.rebuild() == []
        assert_same(frames(archive), before)
        assert archive.verify().empty

    def test_f148_a_day_without_a_sound_raw_file_is_refused_by_name(self, archive, raw, tables):
        tables.unlink()
        flip(raw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StorageWarning)
            with pytest.raises(
                DamageError, match="users-1-day of organization:octo-org for 2026-11"
            ):
                frames(archive)


class TestRepair:
    def test_table_files_are_made_anew(self, archive, tables):
        before = frames(archive)
        tables.unlink()
        assert found(archive, repair=True)[0][1] == "is missing"
        assert archive.verify().empty
        assert_same(frames(archive), before)

    def test_f144_a_damaged_version_goes_to_quarantine_and_is_asked_for_again(self, archive, raw):
        before = frames(archive)
        content = raw.read_bytes()
        flip(raw)
        archive.verify(repair=True)
        assert archive.verify().empty
        kept = [name for name in files_of(archive) if name.startswith("quarantine/")]
        assert len(kept) == 4  # the raw file, its manifest, two tables
        (slot,) = rows(archive, "SELECT name, report, day FROM slots WHERE state = 'damaged'")
        assert list(slot) == SLOT
        # Nothing of the day is shown but what another report says of it.
        assert archive.tables(start=DAY, end=DAY).users["user_id"].tolist() == [3]
        with archive.writing() as ledger:
            archive.note_state(ledger, SCOPE, "users-1-day", DAY, "missing", "404")
        assert rows(archive, "SELECT COUNT(*) FROM slots WHERE state = 'damaged'") == [(1,)]
        raw.parent.mkdir(exist_ok=True)
        raw.write_bytes(content)
        put(archive, user_record(user_id=1), user_record(user_id=2))
        assert_same(frames(archive), before)

    def test_an_earlier_version_does_not_take_the_place_of_a_damaged_one(self, archive):
        (path,) = rows(
            archive,
            "SELECT path FROM raw_files JOIN versions USING (version) "
            "WHERE day = '2026-11-03' AND is_current",
        )
        flip(archive.path / path[0])
        archive.verify(repair=True)
        assert archive.tables(start="2026-11-03").users.empty
        assert archive.verify().empty


class TestRebuild:
    def test_f163_all_tables_come_from_the_raw_files_alone(self, archive):
        before, files = frames(archive), set(files_of(archive))
        shutil.rmtree(archive.path / "tables")
        assert archive.rebuild() == []
        assert_same(frames(archive), before)
        assert set(files_of(archive)) == files
        assert archive.verify().empty

    def test_slots_with_damaged_raw_files_are_named(self, archive, raw):
        flip(raw)
        assert archive.rebuild() == ["users-1-day of organization:octo-org for 2026-11-02"]

    @pytest.mark.parametrize("damage", ["missing", "empty", "cut", "nonsense", "flipped"])
    def test_f147_a_lost_ledger_is_made_from_the_manifests(self, archive, damage):
        before, ledger = frames(archive), archive.path / "ledger.sqlite"
        content = ledger.read_bytes()
        if damage == "missing":
            ledger.unlink()
        elif damage == "flipped":
            ledger.write_bytes(content[:16] + bytes(84) + content[100:])
        else:
            short = {"empty": b"", "cut": content[:5000], "nonsense": b"no database" * 99}
            ledger.write_bytes(short[damage])
        with pytest.raises(ArchiveError), archive.writing():
            pass
        assert archive.rebuild() == []
        assert archive.verify().empty
        assert_same(frames(archive), before)
        versions = (
            "SELECT report, day, records, is_current FROM versions ORDER BY fetched_at, 1, 2, 3"
        )
        assert len(rows(archive, versions)) == 4

    def test_f147_a_lost_ledger_takes_no_day_without_a_report_with_it(self, archive):
        """Days that are settled without a report may be too old to be asked for again."""
        kept = {"empty": date(2026, 10, 20), "missing": date(2026, 10, 21)}
        gone = {"pending": date(2026, 10, 22), "failed": date(2026, 10, 23)}
        with archive.writing() as ledger:
            for state, day in (kept | gone).items():
                archive.note_state(ledger, SCOPE, "users-1-day", day, state, "404")
        before = archive.tables().day_states
        assert archive.verify().empty
        (archive.path / "ledger.sqlite").unlink()
        archive.rebuild()
        days = pd.to_datetime(list(gone.values()))
        expected = before[~before["day"].isin(days)].reset_index(drop=True)
        pd.testing.assert_frame_equal(archive.tables().day_states, expected)
        assert archive.verify().empty

    def test_what_is_kept_of_a_day_without_a_report_goes_when_there_is_one(self, archive):
        day = date(2026, 10, 20)
        with archive.writing() as ledger:
            archive.note_state(ledger, SCOPE, "users-1-day", day, "missing", "404")
        (said,) = archive.path.glob("raw/*/*/2026-10-20/state.json")
        put(archive, user_record(f"{day}"), day=day)
        (archive.path / "ledger.sqlite").unlink()
        archive.rebuild()  # the report counts, whatever else lies there
        assert archive.tables(end=day).day_states["state"].tolist() == ["final"]
        with archive.writing():
            pass
        assert not said.exists()
        assert archive.verify().empty

    def test_an_archive_without_these_files_gets_them(self, archive):
        with archive.writing() as ledger:
            archive.note_state(ledger, SCOPE, "users-1-day", date(2026, 10, 20), "empty", "204")
        archive.purge("2026-10-19")
        (state,) = archive.path.glob("raw/*/*/2026-10-20/state.json")
        files = [state, archive.path / "tombstones.json"]
        before = [file.read_bytes() for file in files]
        for file in files:
            file.unlink()
        assert not archive.verify()["is_damage"].any()
        with archive.writing():
            pass
        assert [file.read_bytes() for file in files] == before
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}

    def test_f121_killed_while_a_lost_ledger_is_made_no_raw_file_is_lost(self, archive):
        before = frames(archive)
        (archive.path / "ledger.sqlite").unlink()
        real, entered = rebuilding._enter, []

        def killed(*arguments):
            if entered:
                raise KeyboardInterrupt
            entered.append(real(*arguments))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rebuilding, "_enter", killed)
            with pytest.raises(KeyboardInterrupt):
                archive.rebuild()
        assert entered
        with pytest.raises(ArchiveError, match="but no ledger"), archive.writing():
            pass
        assert archive.rebuild() == []
        assert_same(frames(archive), before)
        assert archive.verify().empty

    def test_f147_a_ledger_that_is_damaged_inside_is_an_error_of_ours(self, archive):
        ledger = archive.path / "ledger.sqlite"
        content = bytearray(ledger.read_bytes())
        for page in range(4096, len(content), 4096):
            content[page : page + 200] = b"\xff" * 200
        ledger.write_bytes(content)
        with pytest.raises(ArchiveError, match="cannot be read"):
            archive.tables()
        assert archive.rebuild() == []
        assert archive.verify().empty

    def test_f147_raw_files_of_a_lost_ledger_are_never_taken_for_garbage(self, archive, raw):
        (archive.path / "ledger.sqlite").unlink()
        with pytest.raises(ArchiveError, match="has raw files, but no ledger"):
            put(archive, user_record("2026-11-05"), day=date(2026, 11, 5))
        assert raw.exists()

    def test_a_raw_file_without_a_manifest_is_a_version_of_its_own(self, archive):
        before = frames(archive)
        for manifest in archive.path.glob("raw/**/*.json"):
            if manifest.parent.name == "2026-11-02":
                manifest.unlink()
        (archive.path / "ledger.sqlite").unlink()
        archive.rebuild()
        assert_same(frames(archive), before)

    def test_a_manifest_that_is_gone_is_written_again(self, archive):
        manifest = next(archive.path.glob("raw/**/*.json"))
        content = manifest.read_bytes()
        manifest.unlink()
        assert not archive.verify()["is_damage"].any()
        with archive.writing():
            pass
        assert manifest.read_bytes() == content
        assert archive.verify().empty
