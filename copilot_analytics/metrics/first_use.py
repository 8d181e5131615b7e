"""When people use each surface of Copilot for the first time."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count
from copilot_analytics.metrics.statistics import with_share
from copilot_analytics.metrics.takeup import read_uses

_KEYS = ("surface", "is_left_censored")
_QUARTILES = {"lower_quartile_days": 1, "median_days": 2, "upper_quartile_days": 3}


def first_use(users, by_feature, *, lead_days: int = 28, by_agent=None):
    """Return how long it took people from their first record to the first use of each surface.

    Question: how fast do people find agents, the CLI or the app?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    by_feature
        ``users_by_feature`` of the same people.
    lead_days
        People whose first record is one of the first so many days of the frame may have been there
        long before. They stand in rows of their own.
    by_agent
        ``users_by_agent`` of the same people, for third-party agents.

    Returns
    -------
    frame
        One row per surface that GitHub reported, and kind of start.

        - ``surface``, ``label``: see `surface_rules`, which has the rule of each.
        - ``is_left_censored``: True for people first seen within `lead_days`, or before GitHub
          reported the surface: their first use may be older than the data, and the days count from
          where the data begin.
        - ``people``: people who used the surface. The numerator.
        - ``seen_people``: people with any record. The denominator.
        - ``share``: people / seen_people; ``low``, ``high``: its 95 % Wilson interval.
        - ``median_days``: days from a person's first record to the first use, the least number
          within which half of ``people`` came to it; ``lower_quartile_days`` a quarter,
          ``upper_quartile_days`` three quarters. 0 is the day of the first record. Missing without
          people.
        - ``first_day``: first day on which one of them used it; missing without people.
        - ``measured_from``: first day of the frame on which GitHub reported the surface.

    Raises
    ------
    UsageError
        A column is absent, the frames hold more than one scope, or an option is wrong.

    Notes
    -----
    The days are about those who came to use the surface; the others are censored: they may still
    come to it, and only ``share`` tells how many there are. People who started lately had little
    time. Left out: surfaces that GitHub did not report within the frame.

    Source: this package, on fields of GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-06"])
    >>> users = pd.DataFrame({
    ...     "day": days, "user_id": [1, 2, 2], "used_cli": [False, False, True],
    ... })
    >>> by_feature = pd.DataFrame({
    ...     "day": days[:1], "user_id": [1], "feature": ["code_completion"],
    ...     "code_generation_activity_count": [5],
    ... })
    >>> first = first_use(users, by_feature, lead_days=1).set_index("surface")
    >>> first.loc["cli", ["is_left_censored", "people", "median_days"]]
             is_left_censored  people  median_days
    surface
    cli                 False       1            3
    cli                  True       0         <NA>
    """
    check_count(lead_days, "lead_days")
    users, uses, table = read_uses(users, by_feature, by_agent)
    days = frames.calendar(users, frames.first_and_last(users)).select("day", "number")
    measured = table.join(days.select(measured_from="day", measured="number"), on="measured_from")
    firsts = users.group_by("user_id").agg(nw.col("day").min())
    seen = firsts.join(days, on="day").select("user_id", seen="number")
    is_censored = (nw.col("seen") < lead_days) | (nw.col("seen") < nw.col("measured"))
    waited = (
        uses.with_columns(day="start")
        .join(seen, on="user_id")
        .join(days, on="day")
        .join(measured.select("place", "surface", "measured"), on="place")
        .with_columns(is_left_censored=is_censored, days=nw.col("number") - nw.col("seen"))
    )
    starts = seen.group_by("seen").agg(count=nw.len()).join(measured, how="cross")
    starts = starts.with_columns(is_left_censored=is_censored)
    columns = ("surface", "label", "measured_from", "is_left_censored")
    counts = (
        starts.group_by(*columns)
        .agg(seen_people=nw.col("count").sum())
        .join(_quartiles(waited), on=list(_KEYS), how="left")
        .with_columns(nw.col("people").fill_null(0).cast(nw.Int64))
    )
    shares = with_share(counts, "people", "seen_people", "share").select(
        *("surface", "label", "is_left_censored", "people", "seen_people"),
        *("share", "low", "high", *_QUARTILES, "first_day", "measured_from"),
    )
    return frames.result(shares, *_KEYS, counts=list(_QUARTILES))


def _quartiles(waited: nw.LazyFrame) -> nw.LazyFrame:
    """Return how many people waited in each group, and the days within which each part came.

    Counted from how many waited each number of days, so that all engines agree to the day.
    """
    lengths = waited.group_by(*_KEYS, "days").agg(count=nw.len(), first_day=nw.col("day").min())
    counted = lengths.with_columns(
        people=nw.col("count").sum().over(*_KEYS),
        so_far=nw.col("count").cum_sum().over(*_KEYS, order_by="days"),
    ).with_columns(
        nw.when(nw.col("so_far") * 4 >= nw.col("people") * part).then(nw.col("days")).alias(name)
        for name, part in _QUARTILES.items()
    )
    return counted.group_by(*_KEYS).agg(
        nw.col("people").max(), nw.col(*_QUARTILES).min(), nw.col("first_day").min()
    )
