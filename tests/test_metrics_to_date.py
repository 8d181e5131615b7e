"""People from the start of a period to date, as GitHub has been seen to count them."""

from datetime import timedelta

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

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("options", "start_of"),
    [
        ({}, starts_of_weeks("sunday")),
        ({"week_start": "monday"}, starts_of_weeks("monday")),
        ({"period": "month"}, start_of_month),
    ],
)
def test_people_to_date_equal_the_union_of_the_days_so_far(engine, options, start_of):
    users = ENGINES[engine](TABLES.users)
    result = to_pandas(metrics.active_users_to_date(users, **options))
    sets, recorded = (
        active_sets(RECORDS, RULES["interactions"]),
        active_sets(RECORDS, RULES["present"]),
    )
    rows = []
    for d in every_day(RECORDS):
        start = start_of(d)
        so_far = [start + timedelta(n) for n in range((d - start).days + 1)]
        rows.append(
            (
                start,
                d,
                len(set().union(*(sets.get(one, set()) for one in so_far))),
                start >= every_day(RECORDS)[0],
                sum(one in recorded for one in so_far),
            )
        )
    assert list(result.itertuples(index=False, name=None)) == rows


@settings(max_examples=8)
@given(person_days, st.randoms(use_true_random=False))
def test_counts_rise_within_a_period_and_never_exceed_the_trailing_week(pairs, chance):
    users = users_of(pairs)
    result = metrics.active_users_to_date(in_shards(users, chance), active="present")
    rises = result.groupby("period")["active_users"].diff().dropna()
    assert (rises >= 0).all()
    daily, weekly = (
        metrics.active_users(users, active="present", window=n)["active_users"] for n in (1, 7)
    )
    assert (result["active_users"] >= daily).all()
    assert (result["active_users"] <= weekly).all()


def test_a_weekly_figure_that_falls_on_sunday_is_reproduced():
    """GitHub's documentation says trailing days; its files have been seen to begin on Sunday."""
    tables = load([user_record("2026-11-07", 1), user_record("2026-11-08", 2)])
    to_date = metrics.active_users_to_date(tables.users)
    assert to_date["active_users"].tolist() == [1, 1]
    assert metrics.active_users(tables.users, window=7)["active_users"].tolist() == [1, 2]


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_gives_an_empty_frame_with_all_columns(engine):
    result = metrics.active_users_to_date(ENGINES[engine](TABLES.users.head(0)))
    assert to_pandas(result).empty
    assert list(result.columns)[:3] == ["period", "day", "active_users"]


def test_an_unknown_period_is_refused():
    with pytest.raises(UsageError, match="period 'year'"):
        metrics.active_users_to_date(TABLES.users, period="year")
