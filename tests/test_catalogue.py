"""The catalogue describes every endpoint, table and field once."""

import csv

import pandas as pd
import pytest
from conftest import REAL

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError


def test_there_are_twelve_endpoints_six_in_each_scope():
    endpoints = catalogue.endpoints()
    assert endpoints.groupby("scope_kind")["report"].nunique().to_dict() == {
        "enterprise": 6,
        "organization": 6,
    }
    assert endpoints["path"].is_unique
    assert (endpoints["period"] == "1-day").equals(endpoints["parameters"] == ("day",))


def test_an_unknown_report_is_refused_with_what_there_is():
    with pytest.raises(UsageError, match="users-1-day"):
        catalogue.endpoint("users", "organization")
    with pytest.raises(UsageError, match="does not exist"):
        catalogue.endpoint("enterprise-1-day", "organization")


@pytest.mark.parametrize("table", catalogue.all_tables().values(), ids=lambda table: table.name)
def test_each_table_has_its_key_first_and_every_column_once(table):
    assert len(set(table.names)) == len(table.names)
    assert {"scope", "enterprise_id", "organization_id", "day", "extra"} <= set(table.names)
    assert set(table.key) <= set(table.names)
    assert table.names[-1] == "extra"
    assert "{" not in "".join(f"{f.path}{f.column}{f.label}{f.meaning}" for f in table.columns)


def test_every_field_has_a_label_a_meaning_and_a_source():
    fields = catalogue.fields()
    for column in ("label", "meaning", "source", "type", "unit", "additive"):
        assert fields[column].ne("").all(), column
    assert set(fields["type"]) <= {
        "text",
        "id",
        "count",
        "code",
        "number",
        "flag",
        "date",
        "timestamp",
    }
    assert set(fields["additive"]) == {"yes", "no", "distinct", "mean", "median"}
    personal = set(fields.loc[fields["is_personal"], "column"])
    assert personal == {"user_id", "user_login"}


def test_one_column_name_has_one_type_in_all_tables():
    types = catalogue.fields().groupby("column")["type"].nunique()
    assert (types == 1).all(), types[types > 1]


def test_labels_and_changes():
    assert catalogue.label("loc_added_sum") == "Lines added"
    assert catalogue.label("not_in_the_catalogue") == "Not in the catalogue"
    changes = catalogue.changes()
    assert changes["day"].is_monotonic_increasing
    assert pd.Timestamp("2026-07-28") in set(changes.loc[changes["is_series_break"], "day"])


def test_every_documented_path_is_described():
    reference = REAL.parents[1] / "reference" / "report-fields.csv"
    if not reference.exists():
        pytest.skip("no list of paths beside this checkout")
    family = {"user_teams": "teams", "entity_28_wrapper": "window"}
    known = {
        (f.family, f.path) for name in catalogue.FAMILIES for f in catalogue.record_fields(name)
    }
    with reference.open() as file:
        missing = [
            (row["report"], row["path"])
            for row in csv.DictReader(file)
            if row["report"] != "envelope"
            and row["type"] not in ("array", "object")
            and (family.get(row["report"], row["report"]), row["path"]) not in known
        ]
    assert missing == []


@pytest.mark.parametrize("name", ["Octo-Org", "a", "a_b-c", "x" * 100])
def test_names_of_scopes_are_lower_cased(name):
    scope = catalogue.Scope.of(org=name)
    assert str(scope) == f"organization:{name.lower()}"
    assert ":" not in scope.folder


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", "a%2e", "a b", "-a", "a--b", "a-", "x" * 101, "a\n", "ä", "C:\\x"]
)
def test_f051_f180_names_that_are_not_names_are_refused(name):
    with pytest.raises(UsageError, match="not a GitHub name"):
        catalogue.Scope.of(enterprise=name)


def test_exactly_one_of_organization_and_enterprise():
    for arguments in ({}, {"org": "a", "enterprise": "b"}):
        with pytest.raises(UsageError, match="exactly one"):
            catalogue.Scope.of(**arguments)
    for text in ("octo-org", "team:a", "organization:"):
        with pytest.raises(UsageError):
            catalogue.Scope.parse(text)
