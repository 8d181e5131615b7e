"""The catalogue describes every endpoint, table, field, change and name once."""

import csv
import re

import pandas as pd
import pytest
from conftest import REAL, ndjson, user_record
from hypothesis import given
from hypothesis import strategies as st

import copilot_analytics as ca
from copilot_analytics import catalogue
from copilot_analytics.catalogue.files import expand
from copilot_analytics.errors import UsageError

USERS = "scope day user_id"
KEYS = {
    "users": USERS,
    "users_by_ide": f"{USERS} ide",
    "users_by_feature": f"{USERS} feature",
    "users_by_language_feature": f"{USERS} language feature",
    "users_by_language_model": f"{USERS} language model",
    "users_by_model_feature": f"{USERS} model feature",
    "users_by_agent": f"{USERS} agent_id",
    "users_by_customization": f"{USERS} kind name",
    "entity": "scope day",
    "entity_by_ide": "scope day ide",
    "entity_by_feature": "scope day feature",
    "entity_by_language_feature": "scope day language feature",
    "entity_by_language_model": "scope day language model",
    "entity_by_model_feature": "scope day model feature",
    "entity_by_agent": "scope day agent_id",
    "entity_by_customization": "scope day kind name",
    "entity_by_phase": "scope day phase_number",
    "entity_by_comment_type": "scope day comment_type",
    "feature_engagement": "scope report_end_day feature",
    "users_window": "scope report_end_day user_id",
    "teams": "scope day team_id user_id",
    "repos": "scope day repo_id",
    "repos_by_comment_type": "scope day repo_id comment_type",
    "repos_by_review": "scope day repo_id authored_by reviewed_by",
}
TYPES = {"text", "id", "count", "code", "number", "flag", "date", "timestamp"}
TABLES = catalogue.all_tables().values()
EACH_FAMILY = pytest.mark.parametrize("family", catalogue.FAMILIES)
EACH_TABLE = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


# --- Endpoints and tables -----------------------------------------------------------------------


def test_there_are_twelve_endpoints_six_in_each_scope():
    endpoints = catalogue.endpoints()
    assert endpoints.groupby("scope_kind")["report"].nunique().to_dict() == {
        "enterprise": 6,
        "organization": 6,
    }
    assert endpoints["path"].is_unique
    assert (endpoints["period"] == "1-day").equals(endpoints["parameters"] == "day")
    assert (endpoints["first_day"] <= endpoints["since"]).all()


def test_an_unknown_report_is_refused_with_what_there_is():
    with pytest.raises(UsageError, match="users-1-day"):
        catalogue.endpoint("users", "organization")
    with pytest.raises(UsageError, match="does not exist"):
        catalogue.endpoint("enterprise-1-day", "organization")


def test_the_tables_and_their_keys_are_those_of_the_design():
    assert {table.name: " ".join(table.key) for table in TABLES} == KEYS


@EACH_TABLE
def test_each_table_has_its_key_first_and_every_column_once(table):
    assert len(set(table.names)) == len(table.names)
    assert {"scope", "enterprise_id", "organization_id", "day", "extra"} <= set(table.names)
    window = ["report_start_day"] if "report_end_day" in table.key else []
    first = ["scope", "enterprise_id", "organization_id", *window, *table.key[1:]]
    assert list(table.names[: len(first)]) == first
    assert table.names[-1] == "extra"


@EACH_TABLE
def test_a_table_knows_the_objects_and_lists_that_it_is_read_from(table):
    described = {container.path for container in table.containers}
    assert set(table.arrays) <= described
    for field in table.columns:
        if table.arrays and not field.path.startswith(tuple(f"{a}[]." for a in table.arrays)):
            continue  # of the record around the list
        parents = {path for path, _ in parents_of(field.path)}
        assert parents <= described


def test_an_unknown_table_is_refused_with_what_there_is():
    for ask in (catalogue.table, catalogue.fields):
        with pytest.raises(UsageError, match="does not exist") as problem:
            ask("user")
        assert "users_by_ide" in problem.value.advice


# --- Fields, objects and lists ------------------------------------------------------------------


def parents_of(path: str) -> list[tuple[str, str]]:
    """The objects and lists around a place, each with its type."""
    names, result = path.split("."), []
    for length in range(1, len(names)):
        parent = ".".join(names[:length])
        result.append((parent.removesuffix("[]"), "list" if parent.endswith("[]") else "object"))
    return result


@EACH_FAMILY
def test_every_field_says_what_it_is(family):
    for field in catalogue.record_fields(family):
        for fact in ("column", "type", "unit", "additive", "label", "meaning", "source"):
            assert getattr(field, fact), (field.path, fact)
        assert field.type in TYPES, field.path
        assert not set("{}") & set(f"{field.path}{field.column}{field.label}{field.meaning}")
        assert field.is_retired or not field.until


@EACH_FAMILY
def test_only_quantities_may_be_summed_and_others_say_why_not(family):
    for field in catalogue.record_fields(family):
        is_quantity = field.type in ("count", "number")
        reasons = {"yes", "distinct", "mean", "median"} if is_quantity else {"no"}
        assert field.additive in reasons, field.path
        if "median" in field.column or "p90" in field.column:
            assert field.additive == "median"
        elif "avg_" in field.column:
            assert field.additive in ("mean", "median")
        elif field.column.endswith("_users"):
            assert field.additive == "distinct"


@EACH_FAMILY
def test_every_object_and_list_is_described_and_as_old_as_its_first_field(family):
    described = {c.path: c for c in catalogue.record_containers(family)}
    days, types = {}, {}
    for field in catalogue.record_fields(family):
        for path, kind in parents_of(field.path):
            types[path] = kind
            days.setdefault(path, []).append(field.since)
    if family == "window":
        types["day_totals"] = "list"  # its elements are records of an organization or enterprise
    if family == "envelope":
        types["download_links"] = "list"  # of text
    assert {path: c.type for path, c in described.items()} == types
    for path, known in days.items():
        assert described[path].since == min(day for day in known if day), path
    assert all(c.meaning and c.missing and c.source for c in described.values())


def test_personal_columns_say_who_a_person_is():
    """The owner of a repository may be a person."""
    fields = catalogue.fields()
    personal = set(fields.loc[fields["is_personal"], "column"])
    assert personal == {"user_id", "user_login", "repo_owner_name"}


def test_one_column_name_has_one_type_and_is_summed_alike_in_all_tables():
    of_column = catalogue.fields().groupby("column")
    for fact in ("type", "additive", "is_personal", "is_retired"):
        assert of_column[fact].agg(set).str.len().eq(1).all(), fact


@EACH_TABLE
def test_no_column_is_older_than_the_reports(table):
    for field in table.columns:
        assert not field.since or str(field.since) >= "2025-10-28", field.column


def test_fields_of_old_exports_are_described_and_read(tmp_path):
    """F114: known from before October 2025, so neither unknown nor lost."""
    old = {"generated_loc_sum": 7, "accepted_loc_sum": 3}
    slices = [{"feature": "code_completion", "code_generation_activity_count": 5, **old}]
    record = user_record(day="2025-08-15", totals_by_feature=slices, chat_panel_ask_mode=2, **old)
    tables = ca.load(ndjson(record))
    assert tables.unknown_fields.empty
    for frame in (tables.users, tables.users_by_feature):
        assert frame[list(old)].iloc[0].to_dict() == old
    described = catalogue.fields("users").set_index("column").loc[[*old, "chat_panel_ask_mode"]]
    assert described["is_retired"].all()
    assert described["until"].dt.strftime("%Y-%m-%d").tolist()[:2] == ["2025-09-30"] * 2


# --- Agreement with the list of documented paths ------------------------------------------------

FAMILY = {"user_teams": "teams", "entity_28_wrapper": "window"}
TYPE = {
    "string": {"text"},
    "int": {"count", "id", "code"},
    "float": {"number"},
    "bool": {"flag"},
    "date": {"date"},
    "timestamp": {"timestamp"},
}
ADDITIVE = {
    "yes": "yes",
    "n/a": "no",
    "no-distinct-count": "distinct",
    "no-median": "median",
    "no-average": "mean",
}
UNIT = {"distinct users": "people", "PRs": "pull requests", "PR-days": "pull request days"}
# A record without a day is one of the table users_window, which has its own.
NEVER_MISSING = {("users", "day")}


@pytest.fixture(scope="module")
def documented():
    """The list of documented paths, by family and path."""
    path = REAL.parents[1] / "reference" / "report-fields.csv"
    if not path.exists():
        pytest.skip("no list of paths beside this checkout")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(FAMILY.get(row["report"], row["report"]), row["path"]): row for row in rows}


def described():
    """All that the catalogue describes, by family and path."""
    places = {}
    for family in catalogue.FAMILIES:
        for place in (*catalogue.record_containers(family), *catalogue.record_fields(family)):
            assert (family, place.path) not in places
            places[family, place.path] = place
    return places


def test_every_documented_path_is_described(documented):
    assert set(documented) - set(described()) == set()


def test_types_units_and_additivity_are_those_documented(documented):
    for key, row in documented.items():
        place = described()[key]
        if row["type"] in ("array", "object"):
            assert place.type == {"array": "list", "object": "object"}[row["type"]], key
            continue
        assert place.type in TYPE[row["type"]], key
        assert place.additive == ADDITIVE[row["additive"]], key
        unit = row["grain_or_unit"].rsplit("; ")[-1]
        if row["additive"] != "n/a" and unit in ("lines", "minutes", "tokens", "sessions", *UNIT):
            assert place.unit == UNIT.get(unit, unit), key


def test_first_days_are_those_documented(documented):
    """A day before which something may have been there already counts as the first."""
    for key, row in documented.items():
        day = re.search(r"\d{4}-\d\d-\d\d", row["since"])
        assert str(described()[key].since) == (day[0] if day else "None"), key
        if "(legacy)" in row["since"]:
            assert described()[key].is_retired


def test_what_may_be_missing_is_what_is_documented(documented):
    """A field may be missing with the object around it; elements of lists are there or not."""
    for (family, path), row in documented.items():
        inside_list = path.rsplit("[].", 1)[0] if "[]." in path else None
        objects = [
            parent
            for parent, kind in parents_of(path)
            if kind == "object" and not (inside_list or "").startswith(parent)
        ]
        around = [documented[family, parent] for parent in objects]
        if family == "window" or row["type"] in ("array", "object"):
            around = []  # the rows of a window are elements of the list in that object
        is_nullable = any(one["nullable_or_optional"] != "no" for one in (row, *around))
        place = described()[family, path]
        assert place.is_nullable == (is_nullable and (family, path) not in NEVER_MISSING), path


# --- Cells that stand for several ---------------------------------------------------------------

PLAIN = st.text(st.characters(exclude_characters="{},", codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=4), PLAIN, PLAIN)
def test_braces_stand_for_each_of_their_parts_in_turn(parts, before, after):
    ours, theirs = zip(*parts, strict=True)
    packed = {
        "path": f"{before}{{{','.join(ours)}}}{after}{{{','.join(theirs)}}}",
        "label": before,
    }
    assert list(expand(packed)) == [
        {"path": f"{before}{one}{after}{other}", "label": before} for one, other in parts
    ]


@given(st.dictionaries(st.text(max_size=3), PLAIN, min_size=1, max_size=3))
def test_cells_without_braces_stand_for_themselves(row):
    assert list(expand(row)) == [row]


# --- DataFrames for people ----------------------------------------------------------------------

FRAMES = (
    catalogue.endpoints,
    catalogue.tables,
    catalogue.fields,
    catalogue.containers,
    catalogue.changes,
    catalogue.client_versions,
    catalogue.names,
)


@pytest.mark.parametrize("make", FRAMES, ids=lambda make: make.__name__)
def test_the_frames_have_readable_types_and_describe_each_column(make):
    frame = make()
    assert len(frame)
    kinds = {"str", "bool", "int64", "datetime64[us]"}
    assert set(frame.dtypes.astype("str")) <= kinds, frame.dtypes
    for column in frame.columns:
        assert re.search(rf"^ +(\w+, )?{column}(, \w+)? : ", make.__doc__, re.MULTILINE), column
    assert not any(set("{}") & set(text) for text in frame.get("meaning", []))


def test_the_fields_of_one_table_are_its_columns():
    for table in TABLES:
        frame = catalogue.fields(table.name)
        assert frame["column"].tolist() == list(table.names)
        assert set(frame["table"]) == {table.name}
    assert len(catalogue.fields()) == sum(len(table.columns) for table in TABLES)
    assert catalogue.tables().set_index("table")["columns"].sum() == len(catalogue.fields())


def test_what_is_returned_can_be_changed_without_harm():
    for make in FRAMES:
        before = make()
        changed = make()
        changed.iloc[:, 0] = changed.iloc[0, 0]
        pd.testing.assert_frame_equal(make(), before)
