"""Days from which on a daily series has another level."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count
from copilot_analytics.metrics.series import WEEK, series_breaks

# Days on which a series is this small a part of its strongest weekday say nothing about its level.
QUIET_SHARE = 0.2
# Fewer days than this have no level of their own.
SHORTEST_PART = 10
# Less than this is the rounding of a computer.
SMALLEST_STEP = 1e-9
_COLUMNS = {
    "day": frames.DAY,
    "before": nw.Float64,
    "after": nw.Float64,
    "relative_change": nw.Float64,
    "p_value": nw.Float64,
    "series_break": nw.String,
    "series_break_day": frames.DAY,
    "is_near_series_break": nw.Boolean,
}


def change_points(
    frame,
    *,
    value: str,
    maximum: int = 3,
    significance: float = 0.01,
    near: int = 4,
    affects: Collection[str] = ("activity", "people"),
    permutations: int = 999,
    seed: int = 0,
):
    """Return the days from which on a daily series has another level.

    Question: did something change for good, when, and was it GitHub's counting?

    Parameters
    ----------
    frame
        One row per day with ``day`` and `value`, for example of `active_users`.
    value
        Column with the series.
    maximum
        How many change points to look for.
    significance
        Largest p-value of a change point that is given.
    near
        How many days a known series break may be away to be named.
    affects
        Words for the series breaks that concern this series; see `series_breaks`.
    permutations
        How many random orders of the weeks the p-value is taken from.
    seed
        Same seed, same result.

    Returns
    -------
    frame
        One row per change point; none where the series has one level.

        - ``day``: first day of the new level.
        - ``before``, ``after``: mean of the weekday-adjusted series (1 is usual for the weekday)
          between this and the change points on either side.
        - ``relative_change``: after / before - 1.
        - ``p_value``: share of random orders of the weeks with a stretch at least as clear.
        - ``series_break``, ``series_break_day``: the known series break that is nearest, if any is
          near.
        - ``is_near_series_break``: whether there is one. The step may then come from counting.

    Raises
    ------
    UsageError
        A column is absent, or an option is wrong.

    Notes
    -----
    Every value is divided by the mean of its weekday. Circular binary segmentation: the stretch of
    days whose mean differs most from that of all others (the largest CUSUM statistic) splits the
    series at its ends, if at most `significance` of random orders of the weeks have one as clear;
    then the parts are looked at in the same way. A part has at least ten days. A steady rise looks
    like one or two steps. Left out: weekdays with less than a fifth of the strongest one, such as
    weekends, and days without a value.

    Source: A. Olshen, E. Venkatraman, R. Lucito and M. Wigler, Circular binary segmentation for the
    analysis of array-based DNA copy number data, Biostatistics 5 (2004); here with whole weeks in
    random order.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2026-08-03", periods=84)
    >>> people = [50 if day < pd.Timestamp("2026-09-14") else 80 for day in days]
    >>> points = change_points(pd.DataFrame({"day": days, "people": people}), value="people")
    >>> points["day"].dt.strftime("%Y-%m-%d").tolist(), points["series_break"].tolist()
    (['2026-09-14'], ['App booked as CLI'])
    """
    for count, name in ((maximum, "maximum"), (permutations, "permutations")):
        check_count(count, name)
    if not 0 < significance < 1:
        raise UsageError(f"significance {significance!r} is not between 0 and 1")
    given = frames.read(frame, "day", value)
    series = given.select("day", value=nw.col(value).cast(nw.Float64))
    levels = _weekday_adjusted(frames.rows(series.filter(~nw.col("value").is_null())))
    random = np.random.default_rng(seed)
    found = _splits(levels, maximum, significance, permutations, random)
    rows = list(_described(levels, found, near, affects))
    return frames.result(frames.literals(given, rows, _COLUMNS), "day")


def _weekday_adjusted(rows: list[dict]) -> pd.Series:
    """Return the series as parts of the mean of each weekday, without quiet weekdays."""
    if not rows:
        return pd.Series(dtype="float64")
    table = pd.DataFrame(rows).set_index("day")["value"].sort_index()
    usual = table.groupby(table.index.day_of_week).transform("mean")
    return (table / usual)[usual > QUIET_SHARE * usual.max()]


def _splits(levels: pd.Series, maximum: int, significance: float, permutations: int, random):
    """Return the places where the series is split and their p-values, by place."""
    found: dict[int, float] = {}
    values = levels.to_numpy()
    weeks = (levels.index - levels.index.min()).days // WEEK if len(levels) else []
    waiting = [(0, len(values))]
    while waiting and len(found) < maximum:
        start, end = waiting.pop(0)
        part = values[start:end]
        statistic, stretch = _clearest_stretch(part)
        p_value = _p_value(part, np.asarray(weeks[start:end]), statistic, permutations, random)
        if stretch and p_value <= significance:
            inner = [start + place for place in stretch if 0 < place < len(part)]
            found |= dict.fromkeys(inner, p_value)
            waiting += list(pairwise([start, *inner, end]))
    return dict(sorted(found.items())[:maximum])


def _clearest_stretch(values: np.ndarray) -> tuple[float, tuple[int, int] | None]:
    """Return the stretch of days that differs most from all other days, and how clearly."""
    count = len(values)
    if count < 2 * SHORTEST_PART or np.ptp(values) < SMALLEST_STEP:
        return 0.0, None
    sums = np.concatenate([[0.0], np.cumsum(values - values.mean())])
    places = np.arange(count + 1)
    length = places[None, :] - places[:, None]
    is_start = (places == 0) | (places >= SHORTEST_PART)
    is_allowed = (length >= SHORTEST_PART) & is_start[:, None] & is_start[::-1][None, :]
    is_allowed &= length < count
    sizes = np.where(is_allowed, length * (count - length) / count, np.inf)
    statistics = np.abs(sums[None, :] - sums[:, None]) / np.sqrt(sizes)
    start, end = np.unravel_index(int(np.argmax(statistics)), statistics.shape)
    return float(statistics[start, end]), (int(start), int(end))


def _p_value(values, weeks, statistic: float, permutations: int, random) -> float:
    """Return how often the weeks in random order have a stretch at least as clear.

    Whole weeks are moved, because days of one week are alike.
    """
    if not statistic:
        return 1.0
    blocks = [values[weeks == week] for week in np.unique(weeks)]
    larger = 0
    for _ in range(permutations):
        order = random.permutation(len(blocks))
        shuffled = np.concatenate([blocks[number] for number in order])
        larger += _clearest_stretch(shuffled)[0] >= statistic * (1 - SMALLEST_STEP)
    return (larger + 1) / (permutations + 1)


def _described(levels: pd.Series, found: dict[int, float], near: int, affects) -> Iterator[dict]:
    """Yield each change point with the levels around it and the series break beside it."""
    bounds = [0, *found, len(levels)]
    known = series_breaks(affects=affects)
    for number, (place, p_value) in enumerate(found.items(), start=1):
        day = levels.index[place]
        before = levels.iloc[bounds[number - 1] : place].mean()
        after = levels.iloc[place : bounds[number + 1]].mean()
        away = (known["day"] - day).abs()
        nearest = known.loc[away.idxmin()] if (away <= pd.Timedelta(days=near)).any() else None
        yield {
            "day": day.to_pydatetime(),
            "before": before,
            "after": after,
            "relative_change": after / before - 1 if before else None,
            "p_value": p_value,
            "series_break": None if nearest is None else nearest["label"],
            "series_break_day": None if nearest is None else nearest["day"].to_pydatetime(),
            "is_near_series_break": nearest is not None,
        }
