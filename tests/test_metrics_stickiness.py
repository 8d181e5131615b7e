"""Stickiness is a mean of days over the people of a window, with both parts shown."""

from datetime import timedelta

import numpy as np
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
from metrics_input import ENGINES, day, load, to_pandas

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

MISSING = ("2026-10-06", "2026-10-25")  # days of the company without any record


def by_loops(window: int, missing=()) -> list[tuple]:
    sets = active_sets(RECORDS, RULES["interactions"])
    days, rows = every_day(RECORDS), []
    for d in days:
        inside = [d - timedelta(n) for n in range(window) if d - timedelta(n) >= days[0]]
        people = len(set().union(*(sets.get(one, set()) for one in inside)))
        person_days = sum(len(sets.get(one, set())) for one in inside)
        there = len([one for one in inside if one not in missing])
        mean = person_days / there if there else np.nan
        share = mean / people if people else np.nan
        rows.append((d, len(sets.get(d, set())), people, person_days, there, mean, share))
    return rows


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("missing", [(), MISSING])
def test_stickiness_equals_counting_sets(engine, missing):
    result = metrics.stickiness(ENGINES[engine](TABLES.users), missing_days=missing)
    result = to_pandas(result)
    columns = ["day", "active_users", "people", "person_days", "days"]
    for window in (7, 28):
        part = result[result["window"] == window]
        expected = by_loops(window, {day(text) for text in missing})
        assert list(part[columns].itertuples(index=False, name=None)) == [r[:5] for r in expected]
        np.testing.assert_allclose(part["mean_active_users"], [row[5] for row in expected])
        np.testing.assert_allclose(part["stickiness"], [row[6] for row in expected])
        assert part["is_complete_window"].tolist() == [
            number >= window - 1 for number in range(len(part))
        ]
    shares = result["active_users"] / result["people"].where(result["people"] > 0)
    np.testing.assert_allclose(result["share_on_day"], shares.astype(float))


@settings(max_examples=8)
@given(person_days, st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_share_lies_between_one_day_of_the_window_and_all_of_them(pairs, window, chance):
    users = in_shards(users_of(pairs), chance)
    result = metrics.stickiness(users, active="present", windows=[window])
    known = result[result["people"] > 0]
    assert (known["person_days"] >= known["people"]).all()
    assert (known["stickiness"] <= 1 + 1e-12).all()
    assert result.loc[result["people"] == 0, "stickiness"].isna().all()
    if window == 1:
        assert (known["stickiness"] == 1).all()


def test_everybody_on_every_day_is_one_and_days_without_anybody_have_no_share():
    tables = load([user_record(f"2026-11-{n:02}", who) for n in (2, 3, 12) for who in (1, 2)])
    weekly = metrics.stickiness(tables.users, windows=[2]).set_index("day")["stickiness"]
    assert weekly["2026-11-03"] == 1
    assert np.isnan(weekly["2026-11-08"])


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_gives_an_empty_frame_with_all_columns(engine):
    result = metrics.stickiness(ENGINES[engine](TABLES.users.head(0)))
    assert to_pandas(result).empty
    assert "stickiness" in result.columns


@pytest.mark.parametrize("metric", [metrics.stickiness, metrics.active_users_by_window])
def test_a_wrong_window_and_none_at_all_are_refused(metric):
    with pytest.raises(UsageError, match="window 0 is not"):
        metric(TABLES.users, windows=[0])
    with pytest.raises(UsageError, match="number of windows 0 is not"):
        metric(TABLES.users, windows=())
