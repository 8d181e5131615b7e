"""What is stored stands on the disk as it was received, in one place, in bounded memory."""

import errno
import gzip
import os
import random
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ndjson, user_record
from random_records import record
from stored_input import DAY, SCOPE, assert_same, files_of, frames, new_archive, put, rows

import copilot_analytics as ca
from copilot_analytics import files, tidy
from copilot_analytics.archive import partition, storing
from copilot_analytics.catalogue import Scope, all_endpoints
from copilot_analytics.errors import ContentError, StorageError, UsageError
from copilot_analytics.tidy.sources import blocks

FULL = """
import resource, signal, sys, datetime, pathlib
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope, all_endpoints
from copilot_analytics.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
archive, codes = Archive(sys.argv[1]), []
with archive.writing() as ledger:
    for limit in map(int, sys.argv[3:]):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            archive.store(ledger, Scope('organization', 'octo-org'), 'users-1-day',
                          datetime.date(2026, 11, 3), [pathlib.Path(sys.argv[2])])
        except StorageError as error:
            codes.append(error.exit_code)
print(*codes)
"""


@pytest.fixture
def archive(tmp_path):
    return new_archive(tmp_path)


def raw_of(archive) -> list[Path]:
    return sorted((archive.path / "raw").rglob("*.zst"))


class TestRawFiles:
    def test_they_are_kept_as_received_and_named_by_their_digest(self, archive):
        put(archive, user_record())
        (raw,) = raw_of(archive)
        assert raw.parent == archive.path / "raw/organization-octo-org/users-1-day/2026-11-02"
        content = pa.input_stream(str(raw), compression="zstd").read()
        assert content == ndjson(user_record())
        assert rows(archive, "SELECT digest, bytes FROM raw_files") == [(raw.stem, len(content))]

    def test_a_file_that_came_compressed_is_named_by_what_is_in_it(self, archive):
        put(archive, user_record(), report="import", day=None)
        again = put(
            archive, content=gzip.compress(ndjson(user_record())), report="import", day=None
        )
        assert not again.is_new
        assert archive.verify().empty

    def test_a_damaged_file_left_in_their_place_is_replaced(self, archive):
        put(archive, user_record())
        (raw,) = raw_of(archive)
        digest = raw.stem
        other = new_archive(archive.path.parent / "other")
        target = other.path / raw.relative_to(archive.path)
        files.make_folder(target.parent)
        target.write_bytes(b"damaged")
        path = archive.path.parent / "received.ndjson"
        storing.store_raw(
            other.path,
            storing.content(path),
            storing.RawFile(target.relative_to(other.path).as_posix(), digest, 0),
        )
        assert storing.is_sound(target, digest)

    def test_f128_a_short_write_is_noticed_when_the_file_is_read_back(self, archive, monkeypatch):
        monkeypatch.setattr(files.os, "fdopen", lambda fd, mode: Lossy(fd, mode, closefd=True))
        with pytest.raises(StorageError, match="not on the disk as it was written"):
            storing.store_raw(archive.path, [b"x" * 1000], storing.RawFile("raw/x.zst", "0", 0))
        assert files_of(archive) == {}


class Lossy:
    """A file that takes less than it is given and says nothing."""

    def __init__(self, descriptor, mode, closefd):
        self._file = open(descriptor, mode, closefd=closefd)  # noqa: SIM115

    def write(self, data):
        self._file.write(bytes(data)[:-1])
        return len(data)

    def __getattr__(self, name):
        return getattr(self._file, name)


class TestTables:
    def test_what_was_stored_comes_back_as_the_same_tables(self, archive):
        records = [user_record(user_id=1), user_record(user_id=2, invented=1)]
        stored = put(archive, *records)
        assert (stored.state, stored.is_new, stored.records) == ("final", True, 2)
        tables, expected = archive.tables(), ca.load(ndjson(*records))
        for name in tables:
            pd.testing.assert_frame_equal(tables[name], expected[name])

    @pytest.mark.parametrize("family", ["users", "entity", "teams", "repos"])
    def test_f161_large_reports_come_in_pieces_and_passes_and_give_the_same(
        self, archive, monkeypatch, family
    ):
        draw = random.Random(family)
        records = [{**record(family, number, draw), "organization_id": "7"} for number in range(20)]
        for one in records:
            one.pop("enterprise_id", None)
            if family != "entity":  # of which there is one a day
                one["day"] = f"2026-11-{1 + draw.randrange(9):02}"
        monkeypatch.setattr(partition, "WAITING_BYTES", 0)
        monkeypatch.setattr(partition, "MAX_OPEN", {"users": 40, "entity": 100}.get(family, 5))
        monkeypatch.setattr(blocks, "__defaults__", (16384, int))
        put(archive, *records, report="import", day=None)
        monkeypatch.undo()
        tables, expected = archive.tables(), ca.load(ndjson(*records))
        for name in tables:
            keys = ["scope", "day"]
            ordered = expected[name].sort_values(keys, kind="stable", ignore_index=True)
            pd.testing.assert_frame_equal(tables[name], ordered, obj=name)
        assert archive.verify().empty

    def test_f149_f150_they_have_the_schema_of_the_catalogue_and_checksums(self, archive):
        put(archive, user_record(used_cli=None))
        (path,) = archive.path.glob("tables/users/organization-octo-org/*.parquet")
        schema = pq.read_schema(path)
        assert schema.names == tidy.table_schema("users").names
        assert schema.field("used_cli").type == pa.bool_()
        assert "ARROW:schema" not in (pq.read_metadata(path).metadata or {})

    def test_they_go_to_a_temporary_file_in_their_own_folder_first(self, archive, monkeypatch):
        renamed = []
        replace = os.replace
        monkeypatch.setattr(os, "replace", lambda a, b: (renamed.append((a, b)), replace(a, b)))
        put(archive, user_record())
        assert len(renamed) == 5  # ledger, raw file, manifest, two tables
        for source, target in renamed:  # F130: never across devices
            assert Path(source).parent == Path(target).parent
            assert Path(source).name.startswith(".")


class TestWhatIsRefused:
    def test_f113_a_record_of_another_day_or_owner(self, archive):
        with pytest.raises(ContentError, match="holds records of 2026-11-03"):
            put(archive, user_record("2026-11-03"))
        for other in (user_record(organization_id="8"), user_record(organization_id=None)):
            with pytest.raises(ContentError, match="organization:octo-org holds records of"):
                put(archive, user_record(user_id=2), other)
        assert files_of(archive) == {}

    def test_f113_a_record_outside_of_the_28_days(self, archive):
        first = DAY - timedelta(days=27)
        for other in (first - timedelta(days=1), DAY + timedelta(days=1)):
            with pytest.raises(ContentError, match=f"of 2026-11-02 holds records of {other}"):
                put(archive, user_record(), user_record(f"{other}"), report="users-28-day")
        assert files_of(archive) == {}
        assert put(archive, user_record(f"{first}"), report="users-28-day").is_new

    @pytest.mark.parametrize(
        "endpoint",
        [one for one in all_endpoints() if one.scope_kind == SCOPE.kind],
        ids=lambda one: one.report,
    )
    def test_f095_records_of_another_kind(self, archive, endpoint):
        """Only one kind of record fits a report; the others are named."""
        records = {
            "users": user_record(),
            "entity": {"day": f"{DAY}", "organization_id": "7", "daily_active_users": 3},
            "teams": {"day": f"{DAY}", "organization_id": "7", "user_id": 1, "team_id": 5},
            "repos": {"day": f"{DAY}", "organization_id": "7", "repo_id": 9},
        }
        for family in set(records) - {endpoint.family}:
            with pytest.raises(ContentError, match=f"holds records of {family}"):
                put(archive, records[family], report=endpoint.report)
        assert files_of(archive) == {}
        assert put(archive, records[endpoint.family], report=endpoint.report).is_new

    def test_f095_what_28_days_say_as_a_whole_does_not_fit_one_day(self, archive):
        window = {
            "report_start_day": "2026-10-06", "report_end_day": f"{DAY}", "organization_id": "7",
        }  # fmt: skip
        person = {name: value for name, value in user_record().items() if name != "day"} | window
        with pytest.raises(ContentError, match="holds records of users_window"):
            put(archive, person)
        assert put(archive, person, report="users-28-day").records == 1

    def test_f180_an_owner_that_is_a_path(self, archive):
        with pytest.raises(ContentError, match="is not the scope of a report"):
            put(
                archive,
                user_record(organization_id="../../x"),
                scope=None,
                report="import",
                day=None,
            )
        with pytest.raises(UsageError, match="does not exist"):
            put(archive, user_record(), report="../../users-1-day")
        assert files_of(archive) == {}
        assert {path.name for path in archive.path.parent.iterdir()} == {
            "archive",
            "received.ndjson",
        }

    @pytest.mark.parametrize("name", ["../../x", "C:\\", "nul\0", "a--b", "-a", "a" * 101, ""])
    def test_f180_a_name_that_is_no_name(self, name):
        with pytest.raises(UsageError):
            Scope("organization", name)

    def test_f151_a_name_of_digits_stays_text(self, archive):
        scope = Scope("organization", "0012")
        put(archive, user_record(organization_id=None, enterprise_id=None), scope=scope)
        assert archive.tables().users["scope"].tolist() == ["organization:0012"]
        assert archive.status()["name"].tolist() == ["organization:0012"]

    def test_f182_a_link_in_the_archive_is_not_followed(self, archive, tmp_path):
        outside = tmp_path / "outside"
        outside.mkdir()
        for planted in ("raw", "tables"):
            archive = new_archive(tmp_path / planted)
            files.make_folder(archive.path)
            (archive.path / planted).symlink_to(outside)
            with pytest.raises(StorageError, match="is a link"):
                put(archive, user_record())
        assert list(outside.iterdir()) == []

    def test_f182_garbage_behind_a_link_stays(self, archive, tmp_path):
        put(archive, user_record())
        outside = tmp_path / "outside"
        target = outside / "organization-x/users-1-day/2026-11-02" / f"{'0' * 64}.zst"
        target.parent.mkdir(parents=True)
        target.write_text("precious")
        (archive.path / "raw" / "organization-x").symlink_to(outside / "organization-x")
        put(archive, user_record(user_id=2), user_record(user_id=1))
        assert target.read_text() == "precious"


class TestDisk:
    def test_f123_f125_f126_a_full_disk_leaves_the_archive_as_it_was(self, archive):
        put(archive, user_record())
        before, expected = files_of(archive), frames(archive)
        path = archive.path.parent / "large.ndjson"
        path.write_bytes(ndjson(*(user_record("2026-11-03", user_id=n) for n in range(2000))))
        # From too little for anything over a raw file, its tables and the ledger to nearly enough.
        limits = [64, 400, 2000, 6000, 8000, 16000, 24000, 40000]
        found = subprocess.run(
            [sys.executable, "-c", FULL, str(archive.path), str(path), *map(str, limits)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(found.stdout.split()) == {"17"}
        assert len(found.stdout.split()) > 6
        assert_same(frames(archive), expected)
        with archive.writing():
            assert files_of(archive) == before  # also where only the ledger had no room
        put(archive, day=date(2026, 11, 3), content=path.read_bytes())
        assert archive.verify().empty
        assert len(archive.tables().users) == 2001

    @pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.ESTALE])
    @pytest.mark.parametrize("call", ["fsync", "replace", "mkstemp"])
    def test_f124_f127_an_error_of_the_disk_ends_the_run(self, archive, monkeypatch, call, error):
        put(archive, user_record())
        before, expected = files_of(archive), frames(archive)
        module = files.tempfile if call == "mkstemp" else os

        def fail(*_, **__):
            raise OSError(error, os.strerror(error))

        monkeypatch.setattr(module, call, fail)
        with pytest.raises(StorageError, match="could not be written") as caught:
            put(archive, user_record(user_id=2))
        monkeypatch.undo()
        assert caught.value.exit_code == 17
        assert caught.value.said == os.strerror(error)
        assert files_of(archive) == before
        assert_same(frames(archive), expected)

    def test_f127_a_read_only_archive_can_be_read(self, archive):
        put(archive, user_record())
        expected = frames(archive)
        for path in [archive.path, *archive.path.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)
        try:
            assert_same(frames(archive), expected)
            assert archive.verify().empty
        finally:
            for path in [archive.path, *archive.path.rglob("*")]:
                path.chmod(path.stat().st_mode | 0o200)

    @pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTSUP])
    def test_f129_folders_that_cannot_be_flushed_are_let_pass(self, archive, monkeypatch, error):
        fsync = os.fsync

        def refuse_folders(descriptor):
            if os.path.isdir(f"/proc/self/fd/{descriptor}"):
                raise OSError(error, os.strerror(error))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", refuse_folders)
        put(archive, user_record())
        assert archive.verify().empty

    def test_f131_a_file_that_is_open_elsewhere_is_replaced_a_moment_later(
        self, archive, monkeypatch
    ):
        monkeypatch.setattr(files, "REPLACE_WAITS", (0, 0, 0))
        put(archive, user_record())
        before = files_of(archive)
        refusals, replace = [], os.replace

        def refuse(source, target):
            if len(refusals) < times:
                refusals.append(target)
                raise PermissionError(errno.EACCES, "in use")
            replace(source, target)

        monkeypatch.setattr(os, "replace", refuse)
        times = 3
        put(archive, user_record(user_id=2), user_record(user_id=1))
        assert len(refusals) == 3
        times, before = 99, files_of(archive)
        with pytest.raises(StorageError):
            put(archive, user_record(user_id=3))
        assert files_of(archive) == before
        assert len(archive.tables().users) == 2


class TestNamesOfFolders:
    @pytest.mark.parametrize("name", ["with space", "ünïcode 🐙", "x" * 200])
    def test_f162_the_archive_may_be_called_anything(self, tmp_path, name):
        archive = new_archive(tmp_path / name)
        archive.path.parent.mkdir()
        put(archive, user_record())
        assert len(archive.tables().users) == 1
        assert archive.verify().empty

    def test_f162_names_differ_by_more_than_their_case(self, archive):
        put(archive, user_record(), scope=Scope("organization", "Octo-Org"))
        assert not put(archive, user_record(), scope=SCOPE).is_new

    @pytest.mark.parametrize("day", [date(2028, 2, 29), date(2027, 12, 31), date(2028, 1, 1)])
    def test_f159_leap_days_and_ends_of_years(self, tmp_path, day):
        archive = new_archive(tmp_path)
        put(archive, user_record(str(day)), day=day)
        assert archive.tables(start=day, end=day).users["day"].dt.date.tolist() == [day]
        assert DAY not in archive.tables().users["day"].dt.date.tolist()
