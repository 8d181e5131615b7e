"""Pull requests are counted once, medians are never put together, and shares name their sums."""

from __future__ import annotations

import math

import duckdb
import pandas as pd
import pytest
from conftest import ndjson
from delivery_input import (
    COPILOT_COUNTS,
    COUNTS,
    LATE_FIELD,
    MEDIANS,
    STEPS,
    entity_records,
    repo_records,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_input import ENGINES, day, to_pandas
from scipy.stats import binomtest

import copilot_analytics as ca
from copilot_analytics import metrics
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import delivery, multiplier
from copilot_analytics.metrics.pull_request_times import KINDS

ENTITY, REPOS = entity_records(), repo_records()
TABLES = ca.load(ndjson(*ENTITY, *REPOS))
NAMES = tuple(f"total_{name}" for name in (*COUNTS, *COPILOT_COUNTS))


def week(text: str) -> pd.Timestamp:
    return day(text) - pd.Timedelta(days=day(text).weekday())


def sums(records, key=lambda record: 0) -> dict:
    """Sums of the counters per key, by plain loops; None where no day has the counter."""
    result = {}
    for record in records:
        own = result.setdefault(key(record), dict.fromkeys(NAMES))
        for name in NAMES:
            value = record.get("pull_requests", {}).get(name)
            if value is not None:
                own[name] = (own[name] or 0) + value
    return result


def counts(row) -> dict:
    values = {name: row[f"pull_requests_{name}"] for name in NAMES}
    return {name: None if pd.isna(value) else int(value) for name, value in values.items()}


# ------------------------------------------------------------------------------ counts


@pytest.mark.parametrize("engine", ENGINES)
def test_counts_of_the_whole_period_are_sums_of_the_days(engine):
    row = to_pandas(metrics.pull_requests(ENGINES[engine](TABLES.entity))).iloc[0]
    assert counts(row) == sums(ENTITY)[0]
    assert row["days"] == 38  # of 40, one is absent and one has no pull requests
    assert pd.isna(row["repositories"])


def test_every_counter_of_the_catalogue_is_there():
    assert {f"pull_requests_{name}" for name in NAMES} == set(delivery.COUNTERS)


@pytest.mark.parametrize("engine", ENGINES)
def test_weeks_hold_their_days_and_a_field_that_began_later_is_missing_not_zero(engine):
    result = to_pandas(metrics.pull_requests(ENGINES[engine](TABLES.entity), period="week"))
    found = {row["week"]: counts(row) for _, row in result.iterrows()}
    assert found == sums(ENTITY, key=lambda record: week(record["day"]))
    assert found[pd.Timestamp("2026-09-07")][LATE_FIELD] is None


@pytest.mark.parametrize("engine", ENGINES)
def test_repositories_have_their_last_name_and_only_their_own_figures(engine):
    result = to_pandas(metrics.pull_requests(ENGINES[engine](TABLES.repos), by="repo_id"))
    found = {row["repo_id"]: counts(row) for _, row in result.iterrows()}
    assert found == sums(REPOS, key=lambda record: record["repo_id"])
    assert result["repo_name"].tolist() == ["repo-1", "new-name", "repo-3", "repo-4"]
    assert result["repositories"].tolist() == [1] * 4
    whole = to_pandas(metrics.pull_requests(ENGINES[engine](TABLES.repos)))
    assert whole["repositories"].tolist() == [4]
    assert whole["pull_requests_total_merged"].sum() == result["pull_requests_total_merged"].sum()


def test_an_sql_query_gives_the_same_counts_by_visibility_and_month():
    result = metrics.pull_requests(TABLES.repos, by="repo_visibility", period="month")
    repos = TABLES.repos  # noqa: F841 - named in the query
    expected = duckdb.sql(
        "select date_trunc('month', day) as month, repo_visibility,"
        " sum(pull_requests_total_created)::bigint as created, count(distinct day) as days,"
        " count(distinct repo_id) as repositories"
        " from repos group by all order by all"
    ).df()
    assert result["pull_requests_total_created"].tolist() == expected["created"].tolist()
    assert result["days"].tolist() == expected["days"].tolist()
    assert result["repositories"].tolist() == expected["repositories"].tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_without_the_fields_every_counter_is_missing(engine):
    records = [{key: value for key, value in r.items() if key != "pull_requests"} for r in ENTITY]
    entity = ENGINES[engine](ca.load(ndjson(*records)).entity)
    row = to_pandas(metrics.pull_requests(entity)).iloc[0]
    assert set(counts(row).values()) == {None}
    assert row["days"] == 0
    assert to_pandas(metrics.pull_requests(entity, period="week")).empty
    assert to_pandas(metrics.pull_request_shares(entity))["share"].isna().all()
    assert to_pandas(metrics.merge_times(entity)).empty
    assert to_pandas(metrics.delivery_headline(entity))["value"].isna().all()


# ------------------------------------------------------------------------------ shares


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("share", delivery.SHARES, ids=lambda share: share[0])
def test_a_share_is_a_sum_over_a_sum_of_the_days_that_have_both(engine, share):
    name, _, numerator, denominator = share
    result = to_pandas(metrics.pull_request_shares(ENGINES[engine](TABLES.entity)))
    row = result[result["figure"] == name].iloc[0]
    pairs = [
        (objects[numerator], objects[denominator])
        for objects in (record.get("pull_requests", {}) for record in ENTITY)
        if numerator in objects and denominator in objects
    ]
    top, below = (sum(part) for part in zip(*pairs, strict=True))
    assert (row["numerator"], row["denominator"]) == (top, below)
    assert row["share"] == pytest.approx(top / below)
    interval = binomtest(top, below).proportion_ci(method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert not row["is_impossible"]


def test_a_field_that_began_later_does_not_make_its_share_too_small():
    """Merged pull requests of days without the numerator are no denominator."""
    result = metrics.pull_request_shares(TABLES.entity).set_index("figure")
    both = result.loc[["merged_created_by_copilot", "merged_reviewed_by_copilot"], "denominator"]
    assert both.iloc[1] < both.iloc[0]


def test_more_applied_than_suggested_is_shown_and_marked():
    objects = {"total_copilot_suggestions": 2, "total_copilot_applied_suggestions": 3}
    record = {"day": "2026-11-02", "organization_id": "7", "daily_active_users": 1}
    tables = ca.load(ndjson(record | {"pull_requests": objects}))
    row = metrics.pull_request_shares(tables.entity).set_index("figure")
    row = row.loc["copilot_suggestions_applied"]
    assert (row["share"], row["is_impossible"]) == (1.5, True)
    assert pd.isna(row["low"])


@pytest.mark.parametrize("engine", ENGINES)
def test_suggestions_by_type_are_sums_most_frequent_first(engine):
    result = to_pandas(metrics.suggestions_by_type(ENGINES[engine](TABLES.entity_by_comment_type)))
    expected = {}
    for record in ENTITY:
        objects = record.get("pull_requests", {})
        for entry in objects.get("copilot_suggestions_by_comment_type", []):
            made, applied = expected.get(entry["comment_type"], (0, 0))
            expected[entry["comment_type"]] = (
                made + entry["total_copilot_suggestions"],
                applied + entry["total_copilot_applied_suggestions"],
            )
    found = {
        row.comment_type: (row.total_copilot_suggestions, row.total_copilot_applied_suggestions)
        for row in result.itertuples()
    }
    assert found == expected
    assert result["total_copilot_suggestions"].is_monotonic_decreasing
    assert result["share"].tolist() == pytest.approx([b / a for a, b in found.values()])


@pytest.mark.parametrize("engine", ENGINES)
def test_applied_suggestions_that_were_not_reported_are_missing_not_zero(engine):
    types = TABLES.entity_by_comment_type.copy()
    types["total_copilot_applied_suggestions"] = pd.array([None] * len(types), dtype="Int64")
    result = to_pandas(metrics.suggestions_by_type(ENGINES[engine](types)))
    assert result[["total_copilot_applied_suggestions", "share", "low"]].isna().all(axis=None)
    assert (result["total_copilot_suggestions"] > 0).all()


def test_suggestions_by_type_and_repository_are_sorted_within_the_repository():
    repos = [(8, "security", 9), (7, "security", 1), (8, "bug_risk", 2), (7, "bug_risk", 5)]
    types = pd.DataFrame(repos, columns=["repo_id", "comment_type", "total_copilot_suggestions"])
    types = types.assign(day=day("2026-11-02"), total_copilot_applied_suggestions=1)
    for by in ("repo_id", ["comment_type", "repo_id"]):
        result = metrics.suggestions_by_type(types, by=by)
        assert result["repo_id"].tolist() == [7, 7, 8, 8]
        assert result["total_copilot_suggestions"].tolist() == [5, 1, 9, 2]


# ------------------------------------------------------------------------------ times


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0])
def test_a_daily_median_is_what_github_reported(engine, kind):
    name = kind[2].removeprefix("pull_requests_")
    result = to_pandas(metrics.merge_times(ENGINES[engine](TABLES.entity)))
    result = result[result["kind"] == kind[0]]
    expected = {
        day(record["day"]): (record["pull_requests"][name], record["pull_requests"][MEDIANS[name]])
        for record in ENTITY
        if name in record.get("pull_requests", {})
    }
    found = {row.day: (row.lowest_median_minutes, row.merged) for row in result.itertuples()}
    assert found == expected
    assert (result["lowest_median_minutes"] == result["highest_median_minutes"]).all()
    assert (result["medians"] == 1).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_period_gets_the_range_of_its_medians_and_no_mean(engine):
    result = to_pandas(
        metrics.merge_times(ENGINES[engine](TABLES.repos), by="repo_id", period="week")
    )
    groups = {}
    for record in REPOS:
        objects = record["pull_requests"]
        for median, behind in MEDIANS.items():
            if median in objects:
                key = week(record["day"]), record["repo_id"], f"pull_requests_{median}"
                groups.setdefault(key, []).append((objects[median], objects[behind]))
    kinds = {median: kind for kind, _, median, _ in KINDS}
    expected = {
        (start, repo, kinds[median]): (
            min(value for value, _ in values),
            max(value for value, _ in values),
            len(values),
            sum(merged for _, merged in values),
        )
        for (start, repo, median), values in groups.items()
    }
    columns = ["lowest_median_minutes", "highest_median_minutes", "medians", "merged"]
    found = result.set_index(["week", "repo_id", "kind"])[columns]
    assert {key: tuple(row) for key, row in zip(found.index, found.to_numpy(), strict=True)} == (
        expected
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_the_steps_of_reviews_have_ranges_of_medians_and_percentiles(engine):
    reviews = ENGINES[engine](TABLES.repos_by_review)
    result = to_pandas(metrics.review_times(reviews, minimum_merged=3)).set_index("step")
    entries = [entry for r in REPOS for entry in r["pull_request_review_times"]]
    entries = [entry for entry in entries if entry["total_merged"] >= 3]
    assert list(result.index) == list(STEPS)
    for step, row in result.iterrows():
        for kind in ("median", "p90"):
            values = [entry[f"{kind}_minutes_{step}"] for entry in entries]
            assert row[f"lowest_{kind}_minutes"] == min(values)
            assert row[f"highest_{kind}_minutes"] == max(values)
        assert row["medians"] == len(entries)
        assert row["merged"] == sum(entry["total_merged"] for entry in entries)


@given(st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1e5)), min_size=1, max_size=20))
@settings(max_examples=6)
def test_a_range_holds_every_median_and_grows_with_the_period(medians):
    rows = {name: 0 for kind in KINDS for name in kind[2:]}
    frame = pd.DataFrame(
        {
            "day": pd.date_range("2026-09-07", periods=len(medians)),
            **dict.fromkeys(rows, pd.Series([pd.NA] * len(medians), dtype="Float64")),
            KINDS[0][2]: [minutes for _, minutes in medians],
            KINDS[0][3]: [merged for merged, _ in medians],
        }
    )
    weeks = metrics.merge_times(frame, period="week")
    whole = metrics.merge_times(frame, period=None).iloc[0]
    assert whole["lowest_median_minutes"] == weeks["lowest_median_minutes"].min()
    assert whole["highest_median_minutes"] == weeks["highest_median_minutes"].max()
    assert whole["medians"] == weeks["medians"].sum() == len(medians)


# ------------------------------------------------------------------------------ multiplier


@pytest.mark.parametrize("engine", ENGINES)
def test_the_multiplier_is_a_rate_over_a_rate(engine):
    row = to_pandas(metrics.adoption_multiplier(ENGINES[engine](TABLES.entity_by_phase))).iloc[0]
    merged, engaged, people = {0: 0, 1: 0}, {0: 0, 1: 0}, {0: 0, 1: 0}
    for record in ENTITY:
        today = {0: 0, 1: 0}
        for entry in record["totals_by_ai_adoption_phase"]:
            side = int(entry["phase_number"] > 0)
            by_mean = entry["avg_pull_requests_merged"] * entry["total_engaged_users"]
            merged[side] += entry.get("total_pull_requests_merged", by_mean)
            engaged[side] += entry["total_engaged_users"]
            today[side] += entry.get("users_in_phase_28d", entry["total_engaged_users"])
        people = {side: max(people[side], today[side]) for side in people}
    rate, passive = merged[1] / engaged[1], merged[0] / engaged[0]
    assert row["merged_per_person_day"] == pytest.approx(rate)
    assert row["passive_merged_per_person_day"] == pytest.approx(passive)
    assert row["multiplier"] == pytest.approx(rate / passive)
    half = 1.959963984540054 * math.sqrt(1 / merged[1] + 1 / merged[0])
    assert row["low"] == pytest.approx(rate / passive * math.exp(-half))
    assert row["high"] == pytest.approx(rate / passive * math.exp(half))
    assert (row["phase_people"], row["passive_people"]) == (people[1], people[0])
    assert row["people"] == min(people.values())
    assert (row["days"], row["is_enough"]) == (39, False)
    assert row["warning"] == multiplier.WARNING


@pytest.mark.parametrize("engine", ENGINES)
def test_githubs_own_example_is_twice_as_many(engine):
    """20 against 10 gives 2."""
    frame = pd.DataFrame(
        {
            "day": [day("2026-11-02")] * 3,
            "phase_version": ["v1"] * 3,
            "phase_number": [0, 1, 3],
            "total_engaged_users": [1, 1, 1],
            "users_in_phase_28d": [30, 20, 20],
            "avg_pull_requests_merged": [10.0, 20.0, 20.0],
            "total_pull_requests_merged": [10, 20, 20],
        }
    )
    options = {"minimum_people": 25, "minimum_days": 1}
    row = to_pandas(metrics.adoption_multiplier(ENGINES[engine](frame), **options)).iloc[0]
    assert (row["multiplier"], row["people"], row["is_enough"]) == (2.0, 30, True)
    versions = frame.assign(phase_version=["v1", "v2", "v2"])
    both = to_pandas(metrics.adoption_multiplier(ENGINES[engine](versions)))
    assert both["multiplier"].isna().all()  # versions are not compared
    nobody = to_pandas(metrics.adoption_multiplier(ENGINES[engine](frame[frame.index > 0])))
    assert nobody["multiplier"].isna().all()


# ------------------------------------------------------------------------------ headline


@pytest.mark.parametrize("engine", ENGINES)
def test_headline_figures_are_those_of_the_period_beside_the_one_before(engine):
    entity = ENGINES[engine](TABLES.entity)
    result = to_pandas(metrics.delivery_headline(entity, end="2026-10-16", days=14))
    rows = result.set_index("figure")
    inside = [r for r in ENTITY if "2026-10-03" <= r["day"] <= "2026-10-16"]
    before = [r for r in ENTITY if "2026-09-19" <= r["day"] <= "2026-10-02"]
    for name, records in (("value", inside), ("previous", before)):
        found = sums(records)[0]
        assert rows.loc["merged", name] == found["total_merged"]
        share = found["total_merged_created_by_copilot"] / found["total_merged"]
        assert rows.loc["merged_created_by_copilot", name] == pytest.approx(share)
    assert rows["is_complete"].all()
    assert rows["people"].isna().all()
    missing = metrics.delivery_headline(TABLES.entity, days=14, missing_days=["2026-10-14"])
    assert not missing["is_complete"].any()


def test_two_scopes_are_not_added_up():
    other = [record | {"organization_id": "8"} for record in ENTITY]
    entity = ca.load(ndjson(*ENTITY, *other)).entity
    for function in (metrics.pull_requests, metrics.pull_request_shares, metrics.merge_times):
        with pytest.raises(UsageError, match="more than one organization"):
            function(entity)
    both = metrics.pull_requests(entity, by="scope")
    assert both["pull_requests_total_merged"].tolist() == [sums(ENTITY)[0]["total_merged"]] * 2


def test_options_are_checked():
    with pytest.raises(UsageError, match="minimum_merged"):
        metrics.merge_times(TABLES.entity, minimum_merged=0)
    with pytest.raises(UsageError, match="period"):
        metrics.pull_requests(TABLES.entity, period="year")
    with pytest.raises(UsageError, match="no column"):
        metrics.pull_requests(TABLES.users)


def test_an_organization_without_any_merge_has_no_share_and_no_time():
    """The real export has days with counters at 0 and no medians."""
    objects = dict.fromkeys(NAMES, 0)
    record = {"day": "2026-11-02", "organization_id": "7", "daily_active_users": 1}
    entity = ca.load(ndjson(record | {"pull_requests": objects})).entity
    assert metrics.pull_requests(entity)["pull_requests_total_merged"].tolist() == [0]
    assert metrics.pull_request_shares(entity)["share"].isna().all()
    assert metrics.merge_times(entity).empty
