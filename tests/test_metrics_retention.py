"""Cohorts are followed to the last period of the data, and marked where it is not whole."""

import pandas as pd
import pytest
from conftest import user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from lifecycle_input import (
    RECORDS,
    RULES,
    TABLES,
    active_sets,
    every_day,
    in_shards,
    person_days,
    start_of_month,
    starts_of_weeks,
    users_of,
)
from metrics_input import ENGINES, load, to_pandas
from scipy import stats

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

COUNTS = ["cohort", "offset", "period", "people", "retained"]


def by_loops(records, rule, start_of) -> list[tuple]:
    people = {}
    for d, active in active_sets(records, rule).items():
        people.setdefault(start_of(d), set()).update(active)
    starts = sorted({start_of(d) for d in every_day(records)})
    seen, rows = set(), []
    for place, start in enumerate(starts):
        cohort = people.get(start, set()) - seen
        seen |= cohort
        rows += [
            (start, offset, later, len(cohort), len(cohort & people.get(later, set())))
            for offset, later in enumerate(starts[place:])
            if cohort
        ]
    return rows


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("options", "start_of"),
    [
        ({}, starts_of_weeks("monday")),
        ({"week_start": "sunday"}, starts_of_weeks("sunday")),
        ({"period": "month"}, start_of_month),
        ({"period": "day"}, lambda d: d),
    ],
)
def test_retention_equals_following_every_cohort(engine, options, start_of):
    result = to_pandas(metrics.retention(ENGINES[engine](TABLES.users), **options))
    expected = by_loops(RECORDS, RULES["interactions"], start_of)
    assert list(result[COUNTS].itertuples(index=False, name=None)) == expected
    assert (result["share"] == result["retained"] / result["people"]).all()
    assert (result["low"] <= result["share"]).all()
    assert (result["share"] <= result["high"]).all()


def test_the_first_cohort_and_periods_that_are_not_whole_are_marked():
    result = metrics.retention(TABLES.users, period="month")
    assert set(result.loc[result["is_left_censored"], "cohort"]) == {pd.Timestamp(2026, 9, 1)}
    whole = set(result.loc[result["is_complete_period"], "period"])
    assert whole == {pd.Timestamp(2026, 10, 1)}
    assert set(result["period"]) > whole


@settings(max_examples=8)
@given(person_days, st.sampled_from(["day", "week", "month"]), st.randoms(use_true_random=False))
def test_cohorts_divide_the_people_and_agree_with_the_flow(pairs, period, chance):
    users = users_of(pairs)
    cohorts = metrics.retention(in_shards(users, chance), active="present", period=period)
    start = cohorts[cohorts["offset"] == 0]
    assert start["people"].sum() == users["user_id"].nunique()
    assert (start["share"] == 1).all()
    assert (cohorts["retained"] <= cohorts["people"]).all()
    flow = metrics.people_flow(users, active="present", period=period).set_index("period")
    active = cohorts.groupby("period")["retained"].sum()
    assert active.to_dict() == flow["active_users"].to_dict()
    new = start.set_index("cohort")["people"]
    assert new.to_dict() == flow.loc[flow["new"] > 0, "new"].to_dict()


@pytest.mark.parametrize("engine", ENGINES)
def test_all_cohorts_together_are_a_sum_over_a_sum_of_whole_periods(engine):
    cohorts = metrics.retention(ENGINES[engine](TABLES.users))
    result = to_pandas(metrics.retention_by_offset(cohorts))
    known = to_pandas(cohorts)
    known = known[known["is_complete_period"]]
    assert len(result) == len(known[["is_left_censored", "offset"]].drop_duplicates())
    for row in result.itertuples():
        same = (known["is_left_censored"] == row.is_left_censored) & (known["offset"] == row.offset)
        people, retained = known.loc[same, ["people", "retained"]].sum()
        assert (row.people, row.retained) == (people, retained)
        interval = stats.binomtest(retained, people).proportion_ci(method="wilson")
        assert (row.share, row.low, row.high) == pytest.approx((retained / people, *interval))


def test_somebody_who_comes_back_is_retained_again():
    tables = load([user_record(text) for text in ("2026-11-02", "2026-11-17")])
    assert metrics.retention(tables.users)["retained"].tolist() == [1, 0, 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_gives_empty_frames_with_all_columns(engine):
    cohorts = metrics.retention(ENGINES[engine](TABLES.users.head(0)))
    assert to_pandas(cohorts).empty
    assert list(cohorts.columns)[:3] == ["cohort", "offset", "period"]
    assert to_pandas(metrics.retention_by_offset(cohorts)).empty


def test_an_unknown_period_is_refused():
    with pytest.raises(UsageError, match="period 'year'"):
        metrics.retention(TABLES.users, period="year")
