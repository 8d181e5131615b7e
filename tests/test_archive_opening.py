"""Every table says which of its days may still change, whatever the engine that reads it."""

import copy
import pickle
from datetime import date

import pandas as pd
import pytest
from archive_input import LABS, LAST, put, small_archive
from conftest import user_record
from spark_session import spark, spark_rows, with_spark

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError
from copilot_analytics.reporting import open_tables

__all__ = ["spark"]

PROVISIONAL = [date(2026, 11, 19), date(2026, 11, 20)]
DAMAGED = date(2026, 11, 3)


@pytest.fixture
def archive(tmp_path):
    """A final, a damaged and two provisional days of one organization; a final one of another."""
    archive = small_archive(tmp_path)
    for day in (DAMAGED, *PROVISIONAL):
        put(archive, user_record(f"{day}", user_id=1), day=day)
    put(archive, user_record(f"{DAMAGED}", organization_id="8"), day=DAMAGED, scope=LABS)
    put(archive, *entity_records(), report="organization-28-day")
    with archive.writing() as ledger, ledger.transaction() as connection:
        connection.execute(
            "UPDATE slots SET state = 'damaged' WHERE day = ? AND name LIKE '%org'", [f"{DAMAGED}"]
        )
    return archive


def test_tables_can_be_pickled_and_copied_where_their_frames_are_pandas(archive):
    tables = archive.tables(day_state=True)
    for other in (pickle.loads(pickle.dumps(tables)), copy.copy(tables), copy.deepcopy(tables)):
        for name in tables:
            pd.testing.assert_frame_equal(other[name], tables[name])
            assert other[name].attrs == tables[name].attrs
        pd.testing.assert_frame_equal(other.day_states, tables.day_states)
        pd.testing.assert_frame_equal(other.summary(), tables.summary())


def test_tables_of_another_engine_say_that_they_cannot_be_pickled(archive):
    tables = archive.tables(engine="duckdb")
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="hold its connection"):
            copied(tables)
    assert len(copy.copy(tables).users) == len(tables.users) == 6


def entity_records():
    return [
        {"day": f"2026-11-{day:02}", "organization_id": "7", "daily_active_users": day}
        for day in (1, 2)
    ]


def expected_states(frame: pd.DataFrame) -> list[str]:
    """The state of each row's day, found the slow way."""
    day = frame["day"].dt.date
    states = day.map(lambda one: "provisional" if one in PROVISIONAL else "final")
    is_damaged = (day == DAMAGED) & (frame["scope"] == "organization:7")
    return states.mask(is_damaged, "damaged").tolist()


def test_a_pandas_frame_carries_the_provisional_days_of_its_report(archive):
    tables, days = archive.tables(), [f"{day}" for day in PROVISIONAL]
    assert tables.users.attrs == {
        "provisional_days": days,
        "scope": ["organization:7", "organization:8"],
        "definition": "one row is a person on a day, as far as GitHub saw or billed anything",
    }
    # No row of it has an agent, and still it would change with the report.
    assert tables.users_by_agent.attrs["provisional_days"] == days
    assert tables.entity.attrs["provisional_days"] == []
    assert tables.read("users", ["day"]).attrs["provisional_days"] == days
    cut = archive.tables(start=PROVISIONAL[1])
    assert cut.users.attrs["provisional_days"] == days[1:]
    assert archive.tables(scope=str(LABS)).users.attrs["provisional_days"] == []


@pytest.mark.parametrize(
    "bounds",
    [
        {"scope": "organization:8"},
        {"start": f"{DAMAGED}", "end": PROVISIONAL[0]},
        {"scope": "organization:7", "end": f"{LAST}"},
        {"start": pd.NaT},
        {},
    ],
)
def test_tables_of_duckdb_are_cut_as_those_of_pandas(archive, bounds):
    cut, expected = (archive.tables(engine=one).filter(**bounds) for one in ("duckdb", "pandas"))
    assert cut.scopes == expected.scopes
    pd.testing.assert_frame_equal(cut.day_states, expected.day_states)
    keys = ["scope", "day", "user_id"]
    rows = sorted(cut.users.project(", ".join(keys)).fetchall())
    assert rows == sorted(expected.users[keys].itertuples(index=False, name=None))
    pd.testing.assert_frame_equal(cut.read("users"), expected.users)
    pd.testing.assert_frame_equal(cut.filter(**bounds).read("users", keys), expected.users[keys])


def test_all_scopes_are_opened_for_whoever_chooses_among_them_later(archive):
    place = str(archive.path)
    with pytest.raises(UsageError, match="there are 2 scopes"):
        open_tables(place)
    for engine in ("pandas", "duckdb"):
        tables = open_tables(place, engine=engine, several_scopes=True)
        assert tables.scopes == ["organization:7", "organization:8"]
    assert open_tables(place, scope=str(LABS), several_scopes=True).scopes == ["organization:8"]
    assert len(open_tables(several_scopes=True, start="2026-11-20").scopes) == 1


@pytest.mark.parametrize("name", catalogue.all_tables())
def test_every_table_has_the_state_of_its_days_only_if_it_is_asked_for(archive, name):
    plain, marked = archive.tables()[name], archive.tables(day_state=True)[name]
    pd.testing.assert_frame_equal(marked.drop(columns="day_state"), plain)
    assert marked["day_state"].dtype == "str"
    assert marked["day_state"].tolist() == expected_states(marked)


def test_the_state_can_be_read_without_a_file(archive):
    for path in archive.path.glob("tables/*/*/*"):
        path.unlink()
    tables = archive.tables(day_state=True)
    states = tables.read("users", ["day_state", "scope", "day"])
    assert states["day_state"].tolist() == expected_states(states)


def as_pandas(relation) -> pd.DataFrame:
    return relation.to_arrow_table().to_pandas()


def test_duckdb_gives_the_same_states(archive):
    tables = archive.tables(engine="duckdb", day_state=True)
    users = as_pandas(tables.users)
    assert sorted(users["day_state"]) == sorted(expected_states(users))
    assert set(users["day_state"]) == {"final", "provisional", "damaged"}
    # Without rows, and without any day that is not final, there is the column as well.
    assert as_pandas(tables.repos).columns[-1] == "day_state"
    assert as_pandas(tables.entity)["day_state"].tolist() == ["final", "final"]
    frame = tables.read("users")
    assert frame["day_state"].tolist() == expected_states(frame)
    assert "day_state" not in archive.tables(engine="duckdb").users.columns


@with_spark
def test_spark_gives_the_same_states(archive, spark):
    tables = archive.tables(engine=spark, day_state=True)
    users = spark_rows(tables.users.select("scope", "day", "day_state"))
    assert len(users) == 6
    assert users["day_state"].tolist() == expected_states(users)
    assert [row["day_state"] for row in tables.entity.collect()] == ["final", "final"]


def test_sql_joins_the_states_of_days(archive):
    found = archive.query(
        "SELECT day, state, count(*) AS people FROM users JOIN day_states USING (scope, day) "
        "WHERE family = 'users' GROUP BY day, state ORDER BY day, state"
    )
    days = [LAST, DAMAGED, DAMAGED, *PROVISIONAL]
    assert found["day"].dt.date.tolist() == days
    assert found["state"].tolist() == ["final", "damaged", "final", "provisional", "provisional"]
    assert found["people"].tolist() == [2, 1, 1, 1, 1]


def test_sql_knows_days_without_rows_and_keeps_to_the_bounds(archive):
    with archive.writing() as ledger:
        archive.note_state(ledger, LABS, "users-1-day", date(2026, 11, 4), "missing", "404")
    sql = "SELECT scope, family, day, state, rows FROM Day_States ORDER BY ALL"
    pd.testing.assert_frame_equal(archive.query(sql), archive.tables().day_states)
    found = archive.query(sql, scope=str(LABS), start="2026-11-04")
    assert found[["state", "rows"]].to_numpy().tolist() == [["missing", 0]]
