"""Files that people bring go where they belong, and never hide each other."""

import json
import os
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from conftest import ndjson, user_record
from stored_input import assert_same, frames, new_archive, put, rows

from copilot_analytics.archive import StorageWarning, space
from copilot_analytics.archive.importing import reports
from copilot_analytics.archive.omitting import content
from copilot_analytics.archive.status import status_text
from copilot_analytics.catalogue import Scope
from copilot_analytics.cli import cli
from copilot_analytics.errors import ContentError, StorageError, UsageError
from copilot_analytics.syncing import plan

ORG = Scope("organization", "octo-org")
FETCHED = "organization-octo-org_users-1-day_2026-11-02"


@pytest.fixture
def archive(tmp_path):
    return new_archive(tmp_path)


def write(folder, name, *records) -> Path:
    path = folder / name
    path.write_bytes(ndjson(*records))
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("export.json", (None, "import", None)),
        (f"{FETCHED}_01.ndjson", (ORG, "users-1-day", date(2026, 11, 2))),
        (
            "enterprise-octo-corp_users-28-day_2026-10-06..2026-11-02_01.ndjson",
            (Scope("enterprise", "octo-corp"), "users-28-day", date(2026, 11, 2)),
        ),
        ("organization-octo-org_invented_2026-11-02_01.ndjson", (None, "import", None)),
    ],
)
def test_names_that_fetch_gave_say_which_report_it_is(name, expected):
    (report,) = reports([Path(name)], None)
    assert report[:3] == expected


def test_files_with_numbers_at_their_end_are_one_report():
    files = [Path(f"{FETCHED}_{number:02}.ndjson") for number in (1, 2)]
    assert [report.files for report in reports([*files, Path("a.json")], None)] == [
        files,
        [Path("a.json")],
    ]
    days = [Path(f"users-2026-11-{day:02}.json") for day in (1, 2)]
    assert len(reports(days, None)) == 2


def test_parts_of_one_report_are_one_version_in_the_slot_of_sync(archive, tmp_path):
    files = [write(tmp_path, f"{FETCHED}_{n:02}.ndjson", user_record(user_id=n)) for n in (1, 2)]
    (row,) = archive.import_files(files).to_dict("records")
    assert (row["name"], row["report"], row["day"]) == (str(ORG), "users-1-day", "2026-11-02")
    assert (row["records"], row["is_new"], row["state"]) == (2, True, "final")
    assert len(archive.tables().users) == 2
    assert not archive.import_files(files)["is_new"].any()


def test_a_day_that_is_there_with_other_figures_is_not_replaced(archive, tmp_path):
    put(archive, user_record(loc_added_sum=50))
    file = write(tmp_path, f"{FETCHED}_01.ndjson", user_record(loc_added_sum=1))
    (row,) = archive.import_files([file]).to_dict("records")
    assert row["report"] == "import"
    assert archive.tables().users["loc_added_sum"].tolist() == [50]
    assert archive.verify().empty


def test_other_people_of_a_day_that_was_imported_are_refused_and_not_hidden(archive, tmp_path):
    one, two = (write(tmp_path, f"{n}.ndjson", user_record(user_id=n)) for n in (1, 2))
    archive.import_files([one])
    with pytest.raises(ContentError, match="parts of one report"):
        archive.import_files([two])
    assert archive.tables().users["user_id"].tolist() == [1]
    both = write(tmp_path, "both.ndjson", user_record(user_id=1), user_record(user_id=2))
    archive.import_files([both])
    assert archive.tables().users["user_id"].tolist() == [1, 2]


def test_a_folder_stands_for_its_files_and_a_file_given_twice_counts_once(archive, tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    one = write(folder, "a.ndjson", user_record(odd=1), user_record(user_id=2))
    write(folder, "b.json", user_record("2026-11-03"))
    (folder / "notes.txt").write_text("nothing")
    found = archive.import_files([folder, one, str(one), folder / "*.ndjson"])
    assert found["records"].tolist() == [2, 1]
    assert found["files"].tolist() == [1, 1]
    assert found["unknown_fields"].tolist() == [["users: odd"], []]
    assert archive.import_files(one)["is_new"].tolist() == [False]
    assert archive.status()["records"].sum() == len(archive.tables().users) == 3


@pytest.mark.parametrize("given", ["", "none.json", "*.nothing", "dead"])
def test_what_is_no_file_is_refused_before_anything_is_made(archive, tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dead").symlink_to("gone")
    with pytest.raises(UsageError):
        archive.import_files([given])
    with pytest.raises(UsageError, match="only files"):
        archive.import_files([b"{}"])
    assert not archive.path.exists()


def test_an_error_names_what_was_imported_before_it(archive, tmp_path):
    fine, bad = write(tmp_path, "fine.ndjson", user_record()), tmp_path / "late.ndjson"
    bad.write_text("<html>")
    with pytest.raises(ContentError, match="late.ndjson") as caught:
        archive.import_files([fine, bad])
    assert caught.value.kept == f"what was imported before: {fine}"
    assert len(archive.tables().users) == 1


def test_the_command_names_scope_parts_and_unknown_fields_once(archive, tmp_path):
    for number in (1, 2, 3):
        write(tmp_path, f"part_{number:02}.ndjson", user_record(user_id=number, odd=1))
    parts = sorted(map(str, tmp_path.glob("part_*")))
    done = CliRunner().invoke(cli, ["import", *parts, "--archive", str(archive.path)])
    text = f"{parts[0]} and 2 more: organization:7, 3 records through 2026-11-02\n"
    assert (done.exit_code, done.stdout) == (0, text)
    assert done.stderr == "Unknown fields, kept in the column extra: users: odd\n"
    done = CliRunner().invoke(cli, ["import", *parts, "--archive", str(archive.path), "--json"])
    assert json.loads(done.stdout)["files"][0]["unknown_fields"] == ["users: odd"]
    assert done.stderr == ""


def test_a_name_that_is_no_text_in_the_language_of_the_system_can_be_imported(archive, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.ndjson")  # as Python gives it to programs
    Path(name).write_bytes(ndjson(user_record()))
    (row,) = archive.import_files([name]).to_dict("records")
    assert row["file"].endswith("/\\udcff.ndjson")


@pytest.mark.parametrize(
    ("owners", "said"),
    [
        ([], "there are no records"),
        ([None], "the records do not say whose the report is"),
        ([None, "7"], "some of the records do not say"),
        (["7", "8"], "several organizations or enterprises: organization:7, organization:8"),
    ],
)
def test_whose_records_are_is_asked_in_words(archive, tmp_path, owners, said):
    records = [
        user_record(user_id=number, organization_id=owner, enterprise_id=None)
        for number, owner in enumerate(owners)
    ]
    file = write(tmp_path, "export.json", *(records or [{"day_totals": []}]))
    with pytest.raises(UsageError, match=said):
        archive.import_files([file])


def test_the_owner_comes_from_the_records_or_is_given(archive, tmp_path):
    known = write(tmp_path, "known.ndjson", user_record())
    assert archive.import_files([known])["name"].tolist() == ["organization:7"]
    unknown = user_record("2026-11-03", organization_id=None, enterprise_id=None)
    file = write(tmp_path, "unknown.ndjson", unknown)
    with pytest.raises(UsageError, match="say whose they are"):
        archive.import_files([file])
    assert archive.import_files([file], scope=ORG)["name"].tolist() == [str(ORG)]
    several = [user_record("2026-11-05", n, organization_id=f"{n}") for n in (7, 8)]
    with pytest.raises(UsageError, match="say whose they are"):
        archive.import_files([write(tmp_path, "several.ndjson", *several)])
    assert len(rows(archive, "SELECT * FROM versions")) == 2


def test_f123_files_that_clearly_do_not_fit_are_refused_and_those_before_them_stay(
    archive, tmp_path, monkeypatch
):
    small = write(tmp_path, "small.ndjson", user_record())
    large = write(tmp_path, "large.ndjson", user_record("2026-11-03", user_login="x" * 10**6))
    free = space.FLOOR + 10**5
    monkeypatch.setattr(space.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    with pytest.raises(StorageError, match="has 100.1 MB left, and about 100.2 MB") as caught:
        archive.import_files([small, large])
    assert caught.value.exit_code == 17
    assert archive.tables().users["day"].dt.day.tolist() == [2]
    assert archive.verify().empty


class TestLenient:
    """F097: the good records of a file with others count, and nobody can overlook it."""

    GOOD = (user_record(user_id=1), user_record("2026-11-03", user_id=2))
    NEGATIVE = user_record(user_id=3, loc_added_sum=-1)
    CUT_SHORT = b'{"day": "2026-11-03", "user_login": "login-5", "user_id": 5\n'

    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "broken.ndjson"
        before, after = (ndjson(record) for record in self.GOOD)
        path.write_bytes(before + ndjson(self.NEGATIVE) + self.CUT_SHORT + after)
        return path

    @pytest.fixture
    def lenient(self, archive, file):
        archive.import_files([file], errors="quarantine")
        return archive

    def test_f097_without_asking_the_whole_file_is_refused(self, archive, file):
        with pytest.raises(ContentError, match="line 2"):
            archive.import_files([file])
        assert archive.status().empty
        with pytest.raises(UsageError, match="'ignore' is not known"):
            archive.import_files([file], errors="ignore")

    def test_f097_the_raw_file_is_whole_and_the_tables_say_that_they_are_not(self, lenient, file):
        assert raw_bytes(lenient) == file.read_bytes()
        tables = lenient.tables(day_state=True)
        assert tables.users["user_id"].tolist() == [1, 2]
        assert tables.users["day_state"].tolist() == ["damaged"] * 2
        assert set(tables.day_states["state"]) == {"damaged"}
        assert not tables.is_complete
        assert len(tables.quarantined) == 2
        assert "quarantine" in tables._repr_html_()
        status = lenient.status().iloc[0]
        assert (status["damaged"], status["left_out"], status["records"]) == (1, 2, 2)
        assert "not valid: 2" in status_text(lenient.status())

    def test_f097_another_import_of_the_same_slot_is_complete(self, lenient, tmp_path):
        fine = write(tmp_path, "fine.ndjson", *(user_record(f"2026-11-0{n}", 2) for n in (1, 3)))
        (row,) = lenient.import_files([fine]).to_dict("records")
        assert (row["day"], row["left_out"]) == ("2026-11-03", 0)
        assert row["state"] == "damaged"  # as long as the other import stands beside it
        tables = lenient.tables()
        states = dict(zip(tables.day_states["day"].dt.day, tables.day_states["state"], strict=True))
        assert states == {1: "final", 2: "damaged", 3: "final"}
        assert not tables.is_complete
        assert lenient.tables(end="2026-11-01").is_complete
        assert lenient.tables(start="2026-11-03").is_complete

    def test_f097_verify_rebuild_and_a_lost_ledger_come_to_the_same(self, lenient):
        before = frames(lenient)
        assert lenient.verify().empty
        for path in lenient.path.glob("tables/*/*/*"):
            path.unlink()
        with pytest.warns(StorageWarning):
            assert_same(frames(lenient), before)
        assert lenient.rebuild() == []
        assert lenient.verify().empty
        (lenient.path / "ledger.sqlite").unlink()
        assert lenient.rebuild() == []
        assert_same(frames(lenient), before)
        assert not lenient.tables().is_complete
        assert lenient.verify().empty

    def test_f097_again_it_is_there_already_and_still_not_complete(self, lenient, file):
        for errors in ("quarantine", "raise"):
            (row,) = lenient.import_files([file], errors=errors).to_dict("records")
            assert (row["is_new"], row["state"], row["left_out"]) == (False, "damaged", 2)

    def test_f111_of_records_that_contradict_each_other_none_counts(self, archive, tmp_path):
        two = [user_record(loc_added_sum=number) for number in (1, 2)]
        file = write(tmp_path, "both.ndjson", *two, user_record(user_id=2))
        (row,) = archive.import_files([file], errors="quarantine").to_dict("records")
        assert row["left_out"] == 2
        assert archive.tables().users["user_id"].tolist() == [2]
        assert archive.verify().empty

    def test_f097_the_next_sync_asks_for_such_a_day_again(self, archive, tmp_path):
        fetched = tmp_path / f"{FETCHED}_01.ndjson"
        fetched.write_bytes(ndjson(user_record()) + b"garbage\n")
        archive.import_files([fetched], errors="quarantine")
        states = {("users-1-day", date(2026, 11, 2)): "damaged"}
        assert rows(archive, "SELECT report, state FROM slots") == [("users-1-day", "damaged")]
        options = {"today": date(2026, 11, 22), "until": date(2026, 11, 2), "families": ["users"]}
        todo = plan("organization", states, since=date(2026, 11, 2), **options)
        assert ("users-1-day", date(2026, 11, 2)) in todo
        put(archive, user_record(), user_record(user_id=2))
        assert rows(archive, "SELECT state FROM slots") == [("final",)]
        assert archive.tables().is_complete

    @pytest.mark.parametrize("first", [b"", b"{broken\n", b"[1, 2\n", b'{"a": 1} x\n'])
    def test_f188_erasing_somebody_takes_what_cannot_be_read_with_it(self, archive, file, first):
        file.write_bytes(first + file.read_bytes())
        archive.import_files([file], errors="quarantine")
        archive.erase(2)
        assert raw_bytes(archive) == ndjson(self.GOOD[0], self.NEGATIVE)
        tables = archive.tables()
        assert tables.users["user_id"].tolist() == [1]
        assert not tables.is_complete  # some records are missing still
        assert archive.verify().empty

    def test_f188_where_people_were_erased_nothing_unreadable_comes_in(self, archive, file):
        put(archive, user_record(), user_record(user_id=5))
        archive.erase(5)
        with pytest.raises(UsageError, match="people were erased"):
            archive.import_files([file], errors="quarantine")
        assert archive.verify().empty

    def test_f097_the_command_exits_with_3(self, archive, file):
        options = ["import", str(file), "--archive", str(archive.path)]
        assert CliRunner().invoke(cli, options).exit_code == 16
        done = CliRunner().invoke(cli, [*options, "--errors", "quarantine"])
        assert done.exit_code == 3
        assert "2 left out, which are not valid" in done.stdout


def raw_bytes(archive) -> bytes:
    """What the only raw file holds."""
    (raw,) = archive.path.glob("raw/*/*/*/*.zst")
    return b"".join(content(raw))
