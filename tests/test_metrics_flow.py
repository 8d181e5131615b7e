"""People who come, stay, come back and leave add up, whatever the period."""

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

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

PARTS = ["new", "retained", "returning", "lost"]


def flow_by_loops(records, rule, start_of) -> dict:
    people = {}
    for d, active in active_sets(records, rule).items():
        people.setdefault(start_of(d), set()).update(active)
    seen, before, result = set(), set(), {}
    for start in sorted({start_of(d) for d in every_day(records)}):
        now = people.get(start, set())
        result[start] = (
            len(now - seen),
            len(now & before),
            len(now & seen - before),
            len(before - now),
        )
        seen, before = seen | now, now
    return result


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("week_start", ["monday", "sunday"])
def test_people_flow_equals_following_every_person(engine, week_start):
    users = ENGINES[engine](TABLES.users)
    result = to_pandas(metrics.people_flow(users, week_start=week_start))
    found = dict(zip(result["period"], result[PARTS].itertuples(index=False), strict=True))
    expected = flow_by_loops(RECORDS, RULES["interactions"], starts_of_weeks(week_start))
    assert found == expected
    assert (result["active_users"] == result[PARTS[:3]].sum(axis=1)).all()


@settings(max_examples=12)
@given(person_days, st.sampled_from(["day", "week", "month"]), st.randoms(use_true_random=False))
def test_parts_add_up_to_the_people_of_each_period(pairs, period, chance):
    """new + retained + returning = active, and retained + lost = active in the period before."""
    users = users_of(pairs)
    flow = metrics.people_flow(in_shards(users, chance), active="present", period=period)
    codes = {"day": "D", "week": "W-SUN", "month": "M"}
    periods = users["day"].dt.to_period(codes[period]).dt.start_time
    counted = users["user_id"].groupby(periods).nunique()
    active = flow.set_index("period")["active_users"]
    assert active[active > 0].to_dict() == counted.to_dict()
    assert (flow[PARTS[:3]].sum(axis=1) == flow["active_users"]).all()
    before = flow["active_users"].shift(1, fill_value=0)
    assert (flow["retained"] + flow["lost"] == before).all()
    assert flow["new"].sum() == users["user_id"].nunique()


def test_people_flow_by_month_marks_the_first_and_the_incomplete_periods():
    result = metrics.people_flow(TABLES.users, period="month")
    assert result["period"].tolist() == [pd.Timestamp(2026, m, 1) for m in (9, 10, 11)]
    assert result["is_left_censored"].tolist() == [True, False, False]
    assert result["is_complete_period"].tolist() == [False, True, False]
    by_loops = flow_by_loops(RECORDS, RULES["interactions"], start_of_month)
    assert result["lost"].tolist() == [row[3] for row in by_loops.values()]


def test_a_period_without_anybody_is_a_row():
    tables = load([user_record("2026-11-02"), user_record("2026-11-16")])
    result = metrics.people_flow(tables.users)
    assert result[["new", "retained", "returning", "lost"]].to_numpy().tolist() == [
        [1, 0, 0, 0],
        [0, 0, 0, 1],
        [0, 0, 1, 0],
    ]


def test_an_unknown_period_is_refused():
    with pytest.raises(UsageError, match="period 'year'"):
        metrics.people_flow(TABLES.users, period="year")


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_gives_an_empty_frame_with_all_columns(engine):
    flow = metrics.people_flow(ENGINES[engine](TABLES.users.head(0)))
    assert to_pandas(flow).empty
    assert "is_left_censored" in flow.columns
