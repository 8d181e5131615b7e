"""Reading costs what is read, tells what is there, and never gives a wrong number."""

import os
import re
from datetime import date, timedelta

import duckdb
import pandas as pd
import polars
import pyarrow.dataset
import pytest
from archive_input import (
    LABS,
    LAST,
    NOW,
    company_archive,
    company_tables,
    parquet_files,
    put,
    small_archive,
)
from conftest import ndjson, user_record

import copilot_analytics as ca
from copilot_analytics import catalogue
from copilot_analytics.archive import Archive, StorageWarning, cached
from copilot_analytics.archive.status import status_text
from copilot_analytics.errors import ArchiveError, DamageError, UsageError

COUNTER = "user_initiated_interaction_count"


def sorted_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in one order, whatever the order of the files."""
    return frame.sort_values(list(frame.columns[:6]), ignore_index=True)


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """Collects the Parquet files that pandas' way of reading opens."""
    files, real = [], pyarrow.dataset.dataset

    def dataset(source, **options):
        files.extend([source] if isinstance(source, str) else source)
        return real(source, **options)

    monkeypatch.setattr(pyarrow.dataset, "dataset", dataset)
    return files


@pytest.mark.parametrize("name", catalogue.all_tables())
def test_every_table_is_what_load_reads(name):
    found, expected = company_archive().tables(), company_tables()
    pd.testing.assert_frame_equal(sorted_rows(found[name]), sorted_rows(expected[name]))
    assert found.count(name) == len(expected[name])


def test_a_window_opens_the_files_of_its_days_only(opened):
    tables = company_archive().tables(scope="organization:7", start="2026-10-27", end=LAST)
    days = set(tables.users["day"].dt.strftime("%Y-%m-%d"))
    assert {os.path.basename(path)[:10] for path in opened} == days
    assert min(days) >= "2026-10-27"
    assert all("octo-labs" not in path for path in opened)


def test_opening_counting_and_the_days_open_no_file(opened):
    tables = company_archive().tables()
    assert repr(tables).startswith("Tables(users ")
    assert tables.scopes == ["organization:7", "organization:8"]
    days = tables.read("users", ["scope", "day"])
    assert opened == []
    pd.testing.assert_frame_equal(days, tables.users[["scope", "day"]])


def test_only_the_columns_asked_for_are_read():
    tables = company_archive().tables()
    columns = ["user_id", COUNTER]
    pd.testing.assert_frame_equal(tables.read("users", columns), tables.users[columns])


def test_a_start_after_the_end_is_refused():
    with pytest.raises(UsageError, match="2026-11-03 is after the end 2026-11-02"):
        company_archive().tables(start="2026-11-03", end=LAST)


def test_an_unknown_engine_is_refused():
    for engine in ("polars", 7):
        with pytest.raises(UsageError, match="is not known"):
            company_archive().tables(engine=engine)


def test_other_tools_read_the_parquet_files_as_they_are():
    paths = [str(path) for path in parquet_files(company_archive())]
    expected = company_archive().tables().users
    found = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    assert sorted(found["user_id"]) == sorted(expected["user_id"])
    total = expected[COUNTER].sum()
    assert polars.read_parquet(paths)[COUNTER].sum() == total
    assert duckdb.read_parquet(paths).sum(COUNTER).fetchall() == [(total,)]


# --- Damage ------------------------------------------------------------------------------------


def damage(path):
    """Flip one bit in a word, which no size, no footer and no decompression shows."""
    content = bytearray(path.read_bytes())
    content[content.find(b"organization:7") + 3] ^= 1  # in the first page, too short to compress
    path.write_bytes(content)


def give_rows_of_others(path):
    """Put a sound file of the same table and day, but of other people, in the place of one."""
    folder = path.parents[4] / "other"
    folder.mkdir()
    others = small_archive(folder, *(user_record(user_id=n) for n in (8, 9, 10)))
    path.write_bytes(parquet_files(others)[0].read_bytes())


DAMAGES = {
    "F145 flipped bit": damage,
    "F146 empty": lambda path: path.write_bytes(b""),
    "F146 cut short": lambda path: path.write_bytes(path.read_bytes()[:-10]),
    "missing": lambda path: path.unlink(),
    "rows of others": give_rows_of_others,
}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_rows_of_an_unsound_file_come_from_the_raw_file(how, engine, tmp_path):
    archive = small_archive(tmp_path)
    put(archive, user_record("2026-11-03"), day=LAST + timedelta(days=1))
    expected = archive.tables().users
    DAMAGES[how](parquet_files(archive)[0])
    with pytest.warns(StorageWarning, match="1 files of table users are damaged or missing"):
        found = archive.tables(engine=engine).users
    found = found.to_arrow_table().to_pandas() if engine == "duckdb" else found
    found = found.sort_values(["day", "user_id"], ignore_index=True)
    pd.testing.assert_frame_equal(found.astype(expected.dtypes), expected)


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_damage_of_table_and_raw_file_is_an_error_that_names_the_day(engine, tmp_path):
    archive = small_archive(tmp_path)
    damage(parquet_files(archive)[0])
    (raw,) = archive.path.glob("raw/*/users-1-day/2026-11-02/*.zst")
    raw.unlink()
    with (
        pytest.warns(StorageWarning),
        pytest.raises(DamageError, match="users-1-day of organization:octo-org for 2026-11-02"),
    ):
        _ = archive.tables(engine=engine).users


def test_what_is_not_asked_for_may_be_damaged(tmp_path):
    archive = small_archive(tmp_path)
    for path in parquet_files(archive, "users_by_feature"):
        path.unlink()
    assert len(archive.tables().users) == 2
    assert len(archive.query("SELECT * FROM users")) == 2


# --- SQL ---------------------------------------------------------------------------------------


def test_sql_finds_what_pandas_finds():
    archive = company_archive()
    sql = f"SELECT scope, day, sum({COUNTER}) AS prompts FROM users GROUP BY ALL ORDER BY ALL"
    found = archive.query(sql, start="2026-10-20")
    users = archive.tables(start="2026-10-20").users
    expected = users.groupby(["scope", "day"], as_index=False)[COUNTER].sum()
    pd.testing.assert_frame_equal(found, expected.rename(columns={COUNTER: "prompts"}))


@pytest.mark.parametrize("name", catalogue.all_tables())
def test_every_table_is_a_view_with_the_types_of_the_catalogue(name):
    tables = company_archive().tables(scope="organization:7", start="2026-10-30")
    found = company_archive().query(
        f'SELECT * FROM "{name}"', scope="organization:7", start="2026-10-30"
    )
    pd.testing.assert_frame_equal(sorted_rows(found), sorted_rows(tables[name]))


def test_tables_can_be_joined_and_compared():
    found = company_archive().query(
        "WITH people AS (SELECT DISTINCT scope, user_id FROM users) "
        "SELECT count(*) AS people, count(f.user_id) AS using_completion "
        "FROM people LEFT JOIN (SELECT DISTINCT scope, user_id FROM Users_By_Feature "
        "WHERE feature = 'code_completion') f USING (scope, user_id)"
    )
    tables = company_tables()
    features = tables.users_by_feature
    using = features.loc[features["feature"] == "code_completion", ["scope", "user_id"]]
    people = tables.users[["scope", "user_id"]].drop_duplicates()
    assert found.iloc[0].tolist() == [len(people), len(using.drop_duplicates())]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM read_parquet('https://example.com/x.parquet')",
        "COPY users TO '{folder}/stolen.csv'",
        "EXPORT DATABASE '{folder}/stolen'",
        "ATTACH '{folder}/stolen.db'",
        "CREATE TABLE mine AS SELECT * FROM users",
        "DROP VIEW users",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT 1; SELECT 2",
        "",
        "-- nothing",
    ],
)
def test_sql_reads_the_tables_and_nothing_else(sql, tmp_path):
    archive = small_archive(tmp_path)
    other = tmp_path / "other.parquet"
    other.write_bytes(parquet_files(archive)[0].read_bytes())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError):
        archive.query(sql.format(folder=tmp_path, other=other))
    assert sorted(tmp_path.rglob("*")) == before


def test_variables_of_the_caller_are_no_tables(tmp_path):
    secret = pd.DataFrame({"a": [1]})
    with pytest.raises(UsageError, match="secret"):
        small_archive(tmp_path).query("SELECT * FROM secret")
    assert len(secret) == 1


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT loc_addedd FROM users", "loc_addedd"),
        ("SELECT * FROM persons", "persons"),
        ("SELECT user_login::INTEGER FROM users", "login-1"),
    ],
)
def test_wrong_sql_is_told_in_duckdbs_words(sql, said, tmp_path):
    with pytest.raises(UsageError) as caught:
        small_archive(tmp_path).query(sql)
    assert said in caught.value.said
    assert caught.value.exit_code == 2


# --- State -------------------------------------------------------------------------------------


def note(archive, day: date, state: str):
    with archive.writing() as ledger:
        archive.note_state(ledger, LABS, "users-1-day", day, state, "404")


def test_status_says_what_is_there_what_is_missing_and_how_large_it_is(tmp_path):
    archive = small_archive(tmp_path)
    days = [LAST - timedelta(days=number) for number in range(10)]
    for day in (days[9], days[4], days[0]):
        put(archive, user_record(f"{day}", organization_id="8"), day=day, scope=LABS)
    note(archive, days[6], "empty")
    note(archive, days[5], "missing")
    note(archive, days[1], "failed")
    found = archive.status().set_index(["name", "report"])
    labs = found.loc["organization:octo-labs", "users-1-day"]
    assert labs[["final", "empty", "missing", "failed"]].tolist() == [3, 1, 1, 1]
    assert (labs["first_day"].date(), labs["last_day"].date()) == (days[9], days[0])
    # Of the ten days three have data and one is known to be empty; the day after the first is the
    # oldest that nobody knows anything about.
    assert (labs["gap_days"], labs["oldest_gap"].date()) == (6, days[8])
    org = found.loc["organization:octo-org", "users-1-day"]
    assert (org["records"], org["gap_days"], pd.isna(org["oldest_gap"])) == (2, 0, True)
    tables = [path for path in archive.path.glob("tables/*/*/*") if "octo-labs" not in str(path)]
    assert org["table_bytes"] == sum(path.stat().st_size for path in tables)
    raw = archive.path.glob("raw/organization-octo-org/*/*/*.zst")
    assert org["raw_bytes"] == sum(path.stat().st_size for path in raw)
    assert org["checked_at"] == pd.Timestamp("2026-11-22 09:00", tz="UTC")


def test_a_day_that_a_28_day_report_gave_is_no_gap(tmp_path):
    archive = small_archive(tmp_path)
    days = [user_record(f"2026-10-{day}") for day in (30, 31)] + [user_record("2026-11-01")]
    put(archive, *days, report="users-28-day")
    put(archive, user_record("2026-10-28"), day=date(2026, 10, 28))
    row = archive.status().set_index("report").loc["users-1-day"]
    assert (row["gap_days"], f"{row['oldest_gap']:%Y-%m-%d}") == (1, "2026-10-29")


def test_records_of_a_day_that_several_reports_hold_count_once(tmp_path):
    archive = small_archive(tmp_path)
    put(archive, *(user_record(f"2026-11-{n:02}") for n in (1, 2)), report="users-28-day")
    put(
        archive, *(user_record(f"2026-11-{n:02}", "1") for n in (2, 3)), report="import", scope=None
    )
    found = archive.status().set_index("report")["records"].to_dict()
    assert found == {"users-1-day": 2, "users-28-day": 1, "import": 1}
    assert sum(found.values()) == len(archive.tables().users)


def test_unknown_fields_are_those_that_load_finds_without_opening_a_table(tmp_path, monkeypatch):
    folder = tmp_path / "files"
    folder.mkdir()
    records = [user_record("2026-11-01", odd=1), user_record(odd=2, strange={"a": 1})]
    records.append({"day": "2026-11-02", "organization_id": "7", "daily_active_users": 3, "new": 1})
    for number, record in enumerate(records):
        (folder / f"{number}.json").write_bytes(ndjson(record))
    archive = Archive(tmp_path / "archive", clock=lambda: NOW)
    archive.import_files(folder)
    expected = ca.load(folder).unknown_fields
    monkeypatch.setattr(cached, "read_table", None)
    for engine in ("pandas", "duckdb"):
        tables = archive.tables(engine=engine)
        found = tables.unknown_fields
        assert found.columns.tolist() == expected.columns.tolist()
        told = ["path", "table", "count"]
        assert found[told].to_dict("records") == expected[told].to_dict("records")
        assert found["file"].tolist()[1].startswith("import of organization:7 through 2026-11-0")
        assert set(archive.tables(start="2026-11-02").unknown_fields["path"]) == set(found["path"])
        assert tables.filter(end="2026-11-01").unknown_fields.equals(found)
        assert archive.tables(end="2026-11-01").unknown_fields["path"].tolist() == ["odd"]
        assert "path" in small_archive(tmp_path / engine).tables().unknown_fields


def test_a_28_day_report_and_an_import_have_no_gaps_of_their_own(tmp_path):
    archive = small_archive(tmp_path, user_record())
    put(archive, user_record("2026-10-20"), report="import", day=None, scope=None)
    put(archive, user_record("2026-10-20"), user_record("2026-10-30"), report="users-28-day")
    others = archive.status().query("report != 'users-1-day'")
    assert others["gap_days"].tolist() == [0, 0]


def test_a_weekend_that_a_28_day_report_knows_nobody_on_is_empty_and_not_missing(tmp_path):
    archive = small_archive(tmp_path)
    window = {"report_start_day": "2026-10-24", "report_end_day": "2026-11-20"}
    days = ("2026-11-06", "2026-11-09", "2026-11-11")
    records = [user_record(day, **window) for day in days]
    put(archive, *records, report="users-28-day", day=date(2026, 11, 20))
    put(archive, user_record("2026-11-08"), day=date(2026, 11, 8))
    states = archive.tables(start="2026-11-07", end="2026-11-09").day_states
    assert states["state"].tolist() == ["empty", "final", "final"]
    archive.rebuild()
    assert archive.tables(start="2026-11-07", end="2026-11-09").day_states.equals(states)


def test_status_of_an_archive_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ArchiveError):
        type(company_archive())(tmp_path / "nothing").status()


def test_status_is_readable(tmp_path):
    archive = small_archive(tmp_path)
    put(archive, user_record("2026-10-31"), day=date(2026, 10, 31))
    lines = status_text(archive.status()).splitlines()
    assert lines[0] == "organization:octo-org"
    assert lines[1] == (
        "  users-1-day: 2026-10-31 to 2026-11-02; 2 final; 3 records; "
        "last look 2026-11-22 09:00 UTC"
    )
    assert lines[2] == "    days without data: 1, the oldest 2026-11-01"
    assert lines[3].startswith("On disk: ")


def test_the_state_of_a_damaged_day_says_so(tmp_path):
    archive = small_archive(tmp_path)
    with archive.writing() as ledger, ledger.transaction() as connection:
        connection.execute("UPDATE slots SET state = 'damaged'")
    states = archive.tables().day_states
    assert states[["family", "state", "rows"]].to_numpy().tolist() == [["users", "damaged", 2]]


def test_a_notebook_shows_the_state_as_a_small_table(tmp_path):
    archive = small_archive(tmp_path)
    put(archive, user_record("2026-11-20"), day=date(2026, 11, 20))
    page = archive._repr_html_()
    heads, cells = (re.findall(f"<{tag}[^>]*>([^<]*)</{tag}>", page) for tag in ("th", "td"))
    row = dict(zip(heads, cells, strict=True))
    assert row.pop("Size").endswith(" kB")
    assert row == {
        "Name": "organization:octo-org",
        "Report": "users-1-day",
        "First day": "2026-11-02",
        "Last day": "2026-11-20",
        "Records": "3",
        "Provisional": "1",
        "Damaged": "0",
        "Without data": "17",
    }


def test_a_notebook_shows_an_archive_that_is_not_there_or_is_empty(tmp_path):
    archive = type(company_archive())(tmp_path / "<b>none")
    assert "there is no archive in" in archive._repr_html_()
    assert "<b>" not in archive._repr_html_()
    with archive.writing():
        pass
    assert "0 bytes on disk" in archive._repr_html_()
    assert "<b>" not in archive._repr_html_()
