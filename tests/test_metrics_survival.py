"""How long people stay is estimated as textbooks do; who comes back is counted day by day."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifecycle_input import (
    FIRST,
    RECORDS,
    RULES,
    TABLES,
    days_of_people,
    every_day,
    in_shards,
    pairs_of,
    person_days,
    start_of_month,
    starts_of_weeks,
    users_of,
)
from metrics_input import ENGINES, to_pandas
from scipy import stats

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

PAIRS = pairs_of(RECORDS, RULES["interactions"])
LAST = len(every_day(RECORDS)) - 1


def times(pairs, last: int, gap: int) -> dict[bool, list[tuple[int, bool]]]:
    """Each person's time and whether it ended by a stop, by kind of start; by plain loops."""
    result = {True: [], False: []}
    for days in days_of_people(pairs).values():
        if days[0] + gap > last:  # a stop could not be seen
            continue
        for one in days:
            if not any(one < other <= one + gap for other in days):
                break
        is_stop = one + gap <= last
        end = one if is_stop else last - gap
        result[days[0] < gap].append((end - days[0] + 1, is_stop))
    return result


def check_against_scipy(result: pd.DataFrame, pairs, last: int, gap: int) -> None:
    for is_left_censored, people in times(pairs, last, gap).items():
        rows = result[result["is_left_censored"] == is_left_censored]
        assert set(rows["people"]) == ({len(people)} if people else set())
        if not people:
            continue
        lengths = np.array([length for length, _ in people])
        stopped = np.array([is_stop for _, is_stop in people])
        assert rows["days"].tolist() == list(range(max(lengths) + 1))
        assert rows["at_risk"].tolist() == [(lengths >= d).sum() for d in rows["days"]]
        assert rows["events"].tolist() == [(lengths[stopped] == d).sum() for d in rows["days"]]
        assert rows["censored"].tolist() == [(lengths[~stopped] == d).sum() for d in rows["days"]]
        data = stats.CensoredData(uncensored=lengths[stopped], right=lengths[~stopped])
        sf = stats.ecdf(data).sf
        np.testing.assert_allclose(rows["survival"], sf.evaluate(rows["days"]), atol=1e-12)
        if not 0 < sf.probabilities.min() <= sf.probabilities.max() < 1:
            continue  # scipy warns where there is no interval
        interval = sf.confidence_interval(method="log-log")
        started = (rows["survival"] < 1) & (rows["survival"] > 0)
        for name in ("low", "high"):
            expected = getattr(interval, name).evaluate(rows["days"])[started.to_numpy()]
            np.testing.assert_allclose(rows.loc[started, name], expected, rtol=1e-9)
            assert rows.loc[~started, name].isna().all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("gap", [1, 4, 14])
def test_survival_equals_kaplan_and_meiers_estimate_of_scipy(engine, gap):
    users = ENGINES[engine](TABLES.users)
    result = to_pandas(metrics.survival(users, gap=gap))
    assert result["events"].sum() > 0
    check_against_scipy(result, PAIRS, LAST, gap)


# Many days of few people, so that some are still there at the end.
often = st.sets(st.tuples(st.integers(1, 3), st.integers(0, 17)), min_size=16)


@settings(max_examples=8)
@given(st.one_of(person_days, often), st.integers(1, 8), st.randoms(use_true_random=False))
def test_any_pattern_any_gap_any_order_of_rows(pairs, gap, chance):
    first = min(number for _, number in pairs)
    moved = {(user, number - first) for user, number in pairs}
    result = metrics.survival(in_shards(users_of(pairs), chance), active="present", gap=gap)
    check_against_scipy(result, moved, max(number for _, number in moved), gap)
    for _, rows in result.groupby("is_left_censored"):
        assert (rows["survival"].diff().dropna() <= 1e-12).all()
        assert rows["survival"].iloc[0] == 1
        assert (rows["events"] + rows["censored"]).sum() == rows["people"].iloc[0]


def test_people_who_are_still_there_do_not_count_as_stopped():
    """Thirty people on every tenth day: nobody stops, whatever the data's end."""
    users = users_of({(user, n) for user in range(30) for n in range(user % 10, 100, 10)})
    result = metrics.survival(users, active="present", gap=28)
    assert result["events"].sum() == 0
    assert result["days"].max() == 99 - 28 + 1  # followed as long as a stop would be seen
    assert (result["survival"] == 1).all()
    assert result["low"].isna().all()


def test_the_last_weeks_are_no_time_in_which_nobody_can_stop():
    """Half of all people stop after one day, in the last weeks too: the estimate stays one half."""
    once = {(n, n) for n in range(90)}
    always = {(100 + n, later) for n in range(90) for later in range(n, 90)}
    result = metrics.survival(users_of(once | always), active="present", gap=28)
    assert result.loc[result["days"] == 1, "survival"].tolist() == [0.5, 0.5]
    assert result.groupby("is_left_censored")["survival"].min().tolist() == [0.5, 0.5]


def test_data_no_longer_than_the_gap_follow_nobody():
    users = users_of({(user, n) for user in range(9) for n in range(28)})
    assert metrics.survival(users, active="present", gap=28).empty
    assert not metrics.survival(users, active="present", gap=27).empty


def comebacks_by_days(pairs, last: int, gap: int, start_of, first) -> list[tuple]:
    """Everybody's state on every single day."""
    away, back = {}, {}
    for user, days in days_of_people(pairs).items():
        for number in range(last + 1):
            before = [one for one in days if one < number]
            start = start_of(first + timedelta(number))
            if not before:
                continue
            since = number - before[-1]
            if number in days and since > gap:
                back.setdefault(start, set()).add(user)
                away.setdefault(start, set()).add(user)
            if number not in days and since >= gap:
                away.setdefault(start, set()).add(user)
    starts = sorted({start_of(first + timedelta(n)) for n in range(last + 1)})
    return [(start, len(back.get(start, ())), len(away.get(start, ()))) for start in starts]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("period", "start_of"), [("week", starts_of_weeks("monday")), ("month", start_of_month)]
)
@pytest.mark.parametrize("gap", [1, 5])
def test_comebacks_equal_following_everybody_day_by_day(engine, period, start_of, gap):
    users = ENGINES[engine](TABLES.users)
    result = to_pandas(metrics.comebacks(users, gap=gap, period=period))
    expected = comebacks_by_days(PAIRS, LAST, gap, start_of, every_day(RECORDS)[0])
    columns = ["period", "people", "away_people"]
    assert list(result[columns].itertuples(index=False, name=None)) == expected
    assert result["people"].sum() > 0


@settings(max_examples=8)
@given(person_days, st.integers(1, 6), st.sampled_from(["day", "week", "month"]))
def test_comebacks_of_any_pattern(pairs, gap, period):
    first = min(number for _, number in pairs)
    moved = {(user, number - first) for user, number in pairs}
    start_of = {"day": lambda d: d, "week": starts_of_weeks("monday"), "month": start_of_month}
    result = metrics.comebacks(users_of(pairs), active="present", gap=gap, period=period)
    expected = comebacks_by_days(
        moved,
        max(number for _, number in moved),
        gap,
        start_of[period],
        FIRST + timedelta(first),
    )
    columns = ["period", "people", "away_people"]
    assert list(result[columns].itertuples(index=False, name=None)) == expected
    assert (result["people"] <= result["away_people"]).all()
    assert result.loc[result["away_people"] == 0, "share"].isna().all()
    early = result["period"] < FIRST + timedelta(first + gap)
    assert (result["is_left_censored"] == early).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("metric", [metrics.survival, metrics.comebacks])
def test_nobody_gives_an_empty_frame_with_all_columns(engine, metric):
    result = metric(ENGINES[engine](TABLES.users.head(0)))
    assert to_pandas(result).empty
    assert "low" in result.columns


@pytest.mark.parametrize("metric", [metrics.survival, metrics.comebacks])
def test_a_wrong_gap_is_refused(metric):
    with pytest.raises(UsageError, match="gap 0 is not"):
        metric(TABLES.users, gap=0)
