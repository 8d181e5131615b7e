"""Files that people bring go where they belong, and never hide each other."""

from datetime import date
from pathlib import Path

import pytest
from conftest import ndjson, user_record
from stored_input import new_archive, put, rows

from copilot_analytics.archive.importing import reports
from copilot_analytics.catalogue import Scope
from copilot_analytics.errors import ContentError, UsageError

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
