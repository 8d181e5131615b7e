"""Active people are counted as defined, over any window, equally on every engine."""

from datetime import timedelta

import narwhals.stable.v2 as nw
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
    users_of,
)
from metrics_input import ENGINES, SEVEN, day, load, to_pandas

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError


def counted(records, rule, window) -> list[int]:
    """Active people by union of sets, for every calendar day."""
    people = active_sets(records, rule)
    return [
        len(set().union(*(people.get(d - timedelta(back), set()) for back in range(window))))
        for d in every_day(records)
    ]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("window", [1, 2, 7, 28, 100])
@pytest.mark.parametrize("active", RULES)
def test_active_users_equals_counting_sets(engine, window, active):
    users = ENGINES[engine](TABLES.users)
    result = to_pandas(metrics.active_users(users, active=active, window=window))
    assert result["active_users"].tolist() == counted(RECORDS, RULES[active], window)


def test_active_users_has_a_row_for_every_calendar_day_and_says_what_it_rests_on():
    result = metrics.active_users(TABLES.users, active="present", window=7)
    days = sorted({day(r["day"]) for r in RECORDS})
    assert result["day"].tolist() == pd.date_range(days[0], days[-1]).tolist()
    assert result["is_complete_window"].tolist() == [False] * 6 + [True] * (len(result) - 6)
    assert result["days_with_records"].tolist() == [
        sum(d - timedelta(7) < other <= d for other in days) for d in result["day"]
    ]


def test_a_day_without_any_record_is_told_from_a_day_without_activity():
    quiet = dict.fromkeys(SEVEN, 0)
    tables = load([user_record("2026-11-02"), user_record("2026-11-04", **quiet)])
    result = metrics.active_users(tables.users)
    assert result["active_users"].tolist() == [1, 0, 0]
    assert result["days_with_records"].tolist() == [1, 0, 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_whose_report_is_missing_is_not_a_day_without_people(engine):
    """F205: longer windows that hold other days are a lower bound."""
    users = ENGINES[engine](load([user_record("2026-11-02"), user_record("2026-11-04")]).users)
    found = metrics.active_users_by_window(users, windows=(1, 2), missing_days=["2026-11-03"])
    values = [None if pd.isna(n) else n for n in to_pandas(found)["active_users"]]
    assert values == [1, None, 1, 1, 1, 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_several_windows_stand_in_one_frame(engine):
    users = ENGINES[engine](TABLES.users)
    both = to_pandas(metrics.active_users_by_window(users, windows=(28, 7, 7)))
    for window in (7, 28):
        part = both[both["window"] == window].drop(columns="window").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, metrics.active_users(TABLES.users, window=window))
    assert both["window"].is_monotonic_increasing
    assert len(both) == 2 * both["day"].nunique()


def test_results_have_the_types_of_the_tables():
    types = metrics.active_users(TABLES.users).dtypes.astype(str).to_dict()
    assert types == {
        "day": "datetime64[us]",
        "active_users": "Int64",
        "is_complete_window": "boolean",
        "days_with_records": "Int64",
    }


@settings(max_examples=25)
@given(person_days, st.integers(1, 12), st.randoms(use_true_random=False))
def test_any_pattern_any_window_any_order_of_rows(pairs, window, chance):
    users = users_of(pairs)
    records = [{**row, "day": row["day"].isoformat()} for row in users.to_dict("records")]
    result = metrics.active_users(in_shards(users, chance), active="present", window=window)
    assert result["active_users"].tolist() == counted(records, RULES["present"], window)


@settings(max_examples=10)
@given(person_days)
def test_daily_never_exceeds_weekly_nor_weekly_monthly(pairs):
    users = users_of(pairs)
    daily, weekly, monthly = (
        metrics.active_users(users, active="present", window=n)["active_users"] for n in (1, 7, 28)
    )
    assert (daily <= weekly).all()
    assert (weekly <= monthly).all()
    assert monthly.max() <= users["user_id"].nunique()


def test_a_row_given_twice_is_not_another_person():
    doubled = pd.concat([TABLES.users, TABLES.users])
    once, twice = (metrics.active_users(f, window=7) for f in (TABLES.users, doubled))
    pd.testing.assert_frame_equal(once, twice)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_frame_gives_an_empty_result_with_all_columns(engine):
    users = ENGINES[engine](TABLES.users.head(0))
    windows = metrics.active_users(users)
    assert to_pandas(windows).empty
    assert list(windows.columns)[:2] == ["day", "active_users"]


def test_a_missing_flag_is_not_activity():
    reduced = user_record(**dict.fromkeys(SEVEN, 0), ai_credits_used=2.0)
    del reduced["used_chat"], reduced["totals_by_feature"]
    users = load([reduced]).users
    counts = {
        active: metrics.active_users(users, active=active)["active_users"].tolist()
        for active in RULES
    }
    assert counts == {"interactions": [0], "engaged": [0], "present": [1]}


@pytest.mark.parametrize(
    ("fields", "is_engaged"),
    [
        ({"code_generation_activity_count": 1}, True),
        ({"used_copilot_cloud_agent": True}, True),
        ({"used_copilot_code_review_active": True}, True),
        ({"used_copilot_code_review_passive": True}, False),
        ({"totals_by_cli": {"session_count": 1}}, True),
        ({"totals_by_copilot_app": {"prompt_count": 1}}, True),
        ({"totals_by_vscode_agent": {"total_user_messages": 1}}, True),
        ({"distinct_skill_use_count": 1}, True),
        ({"distinct_skill_use_count": 0}, False),
        ({"ai_credits_used": 5.0}, False),
    ],
)
def test_engaged_is_any_trace_of_use_but_not_what_happens_to_a_person(fields, is_engaged):
    nothing = {**dict.fromkeys(SEVEN, 0), "used_chat": False, "totals_by_feature": []}
    users = load([user_record(**{**nothing, **fields})]).users
    assert metrics.active_users(users, active="engaged")["active_users"].tolist() == [is_engaged]


def test_third_party_agents_count_as_engaged_once_they_are_joined():
    nothing = {**dict.fromkeys(SEVEN, 0), "used_chat": False, "totals_by_feature": []}
    agent = {"agent_id": "2246796", "user_initiated_interaction_count": 2}
    tables = load([user_record(**nothing, totals_by_3rd_party_agent=[agent])])
    joined = metrics.with_third_party_agents(tables.users, tables.users_by_agent)
    assert metrics.active_users(tables.users, active="engaged")["active_users"].tolist() == [0]
    assert metrics.active_users(joined, active="engaged")["active_users"].tolist() == [1]


def test_an_own_definition_is_an_expression():
    chatted = active_sets(RECORDS, lambda r: r.get("used_chat"))
    result = metrics.active_users(TABLES.users, active=nw.col("used_chat"))
    assert dict(zip(result["day"], result["active_users"], strict=True)) == {
        d: len(chatted.get(d, ())) for d in result["day"]
    }


def test_people_of_two_organizations_are_not_added_up():
    """F120: a person of both would count twice."""
    tables = load([user_record(), user_record(organization_id="8")])
    with pytest.raises(UsageError, match="organization:7, organization:8"):
        metrics.active_users(tables.users)


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (TABLES.users, {"active": "alive"}, "not a definition of active"),
        (TABLES.users, {"window": 0}, "not a whole number"),
        (TABLES.users, {"window": 7.5}, "not a whole number"),
        (TABLES.entity.drop(columns="day"), {}, "no column 'day', 'user_id'"),
        (TABLES.users[["day", "user_id"]], {}, "none of the columns that would show activity"),
        (TABLES.users.assign(day="2026-11-02"), {}, "not days"),
        ([1, 2], {}, "cannot read a list"),
    ],
)
def test_a_wrong_frame_or_option_is_refused_in_words(frame, options, message):
    with pytest.raises(UsageError, match=message):
        metrics.active_users(frame, **options)
