"""Weekdays do not look like changes, and a change of level is found where it is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot_analytics import catalogue, metrics
from copilot_analytics.errors import UsageError

FIRST = pd.Timestamp("2026-05-04")
SHAPE = np.array([1.0, 1.1, 1.0, 1.05, 0.8, 0.05, 0.04])


def series(days: int, level=lambda n: 50.0, noise: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """A daily series with weekdays of different strength."""
    random = np.random.default_rng(seed)
    values = [level(n) * SHAPE[n % 7] * (1 + noise * random.normal()) for n in range(days)]
    return pd.DataFrame({"day": pd.date_range(FIRST, periods=days), "people": values})


@pytest.mark.parametrize("weeks", [1, 4])
def test_change_is_against_the_same_weekdays_before(weeks):
    frame = series(40, lambda n: 50.0 + n, noise=0.1).drop(index=[9, 17, 18])
    found = metrics.weekday_adjusted_change(frame.sample(frac=1), value="people", weeks=weeks)
    known = dict(zip(frame["day"], frame["people"], strict=True))
    for row in found.itertuples():
        earlier = [row.day - pd.Timedelta(7 * back, "D") for back in range(1, weeks + 1)]
        values = [known[one] for one in earlier if one in known]
        assert row.value == known[row.day]
        assert row.days_compared == len(values)
        if values:
            usual = sum(values) / len(values)
            assert row.usual == pytest.approx(usual)
            assert row.relative_change == pytest.approx(row.value / usual - 1)
        else:
            assert pd.isna(row.usual)
    assert found["day"].is_monotonic_increasing


def test_an_ordinary_week_is_no_change_and_zero_has_no_ratio():
    found = metrics.weekday_adjusted_change(series(35), value="people")
    assert found["difference"].dropna().abs().max() < 1e-9
    nothing = metrics.weekday_adjusted_change(series(14, lambda n: 0.0), value="people")
    assert nothing["relative_change"].isna().all()


def test_series_breaks_are_those_of_the_catalogue():
    known = catalogue.changes().query("is_series_break")
    assert metrics.series_breaks()["label"].tolist() == known["label"].tolist()
    inside = metrics.series_breaks("2026-06-15", "2026-06-19")
    assert inside["day"].dt.strftime("%m-%d").tolist() == ["06-15", "06-19"]
    assert metrics.series_breaks(pd.NaT, pd.NaT).empty
    models = metrics.series_breaks(affects=["model"])["label"].tolist()
    assert models == ["Auto model resolved", "CLI joins the totals", "App joins the totals"]


@pytest.mark.parametrize(("shift", "day"), [(1.4, 42), (0.6, 56)])
def test_a_planted_step_is_found_on_its_day(shift, day):
    """D7: the level, the day and the size, in spite of weekdays and noise."""
    frame = series(98, lambda n: 50.0 * (shift if n >= day else 1.0), noise=0.05)
    found = metrics.change_points(frame.sample(frac=1), value="people")
    assert found["day"].tolist() == [FIRST + pd.Timedelta(day, "D")]
    assert found["relative_change"].item() == pytest.approx(shift - 1, abs=0.05)
    assert found["p_value"].item() <= 0.01


def test_no_step_is_found_where_there_is_none():
    """The share of false alarms over many seeds is about the significance asked for."""
    alarms = [
        len(
            metrics.change_points(
                series(84, noise=0.1, seed=seed),
                value="people",
                significance=0.05,
                permutations=99,
                maximum=1,
            )
        )
        for seed in range(40)
    ]
    assert sum(alarms) <= 6


def test_two_steps_are_found_in_the_order_of_days():
    frame = series(126, lambda n: 50.0 * (1.0 if n < 42 else 2.0 if n < 84 else 1.0), noise=0.03)
    found = metrics.change_points(frame, value="people")
    starts = [FIRST + pd.Timedelta(n, "D") for n in (42, 84)]
    assert found["day"].tolist() == starts
    assert found["relative_change"].tolist() == pytest.approx([1.0, -0.5], abs=0.05)


@pytest.mark.parametrize(("near", "is_near"), [(2, False), (3, True)])
def test_a_step_near_a_known_break_is_flagged(near, is_near):
    """D7, D31: 12 June is three days before people seen by the server only began to count."""
    day = (pd.Timestamp("2026-06-12") - FIRST).days
    frame = series(84, lambda n: 50.0 * (1.5 if n >= day else 1.0))
    row = metrics.change_points(frame, value="people", near=near).iloc[0]
    assert row["day"] == pd.Timestamp("2026-06-12")
    assert row["is_near_series_break"] == is_near
    if is_near:
        assert row["series_break"] == "Server-side users count"
        assert row["series_break_day"] == pd.Timestamp("2026-06-15")


@settings(max_examples=15)
@given(values=st.lists(st.integers(0, 100), max_size=45), seed=st.integers(0, 9))
def test_any_series_gives_an_answer_and_the_same_seed_the_same(values, seed):
    days = pd.date_range(FIRST, periods=len(values))
    frame = pd.DataFrame({"day": days, "people": pd.array(values, dtype="Int64")})
    one, two = (
        metrics.change_points(frame, value="people", permutations=9, significance=0.2, seed=seed)
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(one, two)
    assert one["day"].isin(days).all()
    assert len(one) <= 3


@pytest.mark.parametrize("options", [{"maximum": 0}, {"significance": 1}, {"permutations": 0}])
def test_wrong_options_are_refused(options):
    with pytest.raises(UsageError):
        metrics.change_points(series(30), value="people", **options)
    with pytest.raises(UsageError):
        metrics.weekday_adjusted_change(series(30), value="people", weeks=0)
