"""Whether people who started together are still there later."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import only_active
from copilot_analytics.metrics.statistics import with_share

_SHARE = ("people", "retained", "share", "low", "high")


def retention(
    users,
    *,
    active: str | nw.Expr = "interactions",
    period: str = "week",
    week_start: str = "monday",
):
    """Return which share of the people who started in a period was active in each later one.

    Question: do people who start stay?

    Parameters
    ----------
    users, active, period, week_start
        As in `people_flow`.

    Returns
    -------
    frame
        One row per period in which anybody started, and period from then on.

        - ``cohort``: first day of the period in which the people were active for the first time.
        - ``offset``: periods since then, 0 for the cohort's own.
        - ``period``: first day of the period looked at.
        - ``people``: people of the cohort. The denominator.
        - ``retained``: of these, people active in the period; all at offset 0. The numerator.
        - ``share``: retained / people; ``low``, ``high``: its 95 % Wilson interval.
        - ``is_left_censored``: True for the first period of data, whose people may have started
          long before.
        - ``is_complete_period``: False where the data begin or end within the period looked at.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    A person may be away in one period and back in a later one, so the share can rise. Holidays and
    missing days lower it. Left out: people who were never active. Whoever was active only before
    the data and comes back counts as somebody who starts.

    Source: this package; cohort tables as in common use.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-09", "2026-11-15"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 2, 1, 3]})
    >>> retention(users, active="present")[["cohort", "offset", "people", "retained", "share"]]
          cohort  offset  people  retained  share
    0 2026-11-02       0       2         2    1.0
    1 2026-11-02       1       2         1    0.5
    2 2026-11-09       0       1         1    1.0
    """
    start = frames.period_start(period, week_start)
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    days, periods = frames.periods(users, frames.first_and_last(users), start)
    periods = periods.select("period", "is_complete_period", place="number")
    seen = (
        frames.distinct(only_active(users, active).join(days, on="day"), "user_id", "period")
        .join(periods, on="period")
        .with_columns(cohort_place=nw.col("place").min().over("user_id"))
    )
    counts = frames.kept(seen.group_by("cohort_place", "place").agg(retained=nw.len()))
    is_start = nw.col("place") == nw.col("cohort_place")
    cohorts = counts.filter(is_start).select("cohort_place", people="retained")
    grid = (
        cohorts.join(periods.select(cohort="period", cohort_place="place"), on="cohort_place")
        .join(periods, how="cross")
        .filter(nw.col("place") >= nw.col("cohort_place"))
    )
    rows = grid.join(counts, on=["cohort_place", "place"], how="left").with_columns(
        nw.col("retained").fill_null(0).cast(nw.Int64),
        offset=nw.col("place") - nw.col("cohort_place"),
        is_left_censored=nw.col("cohort_place") == 0,
    )
    shares = with_share(rows, "retained", "people", "share")
    columns = ("cohort", "offset", "period", *_SHARE, "is_left_censored", "is_complete_period")
    return frames.result(shares.select(*columns), "cohort", "offset")


def retention_by_offset(cohorts):
    """Return which share of all cohorts together was active so many periods after their start.

    Question: how many of the people who start are there a month later?

    Parameters
    ----------
    cohorts
        Frame of `retention`.

    Returns
    -------
    frame
        One row per offset, and kind of cohort.

        - ``is_left_censored``: True for the people of the first period of data, who may have
          started long before.
        - ``offset``: periods since the start.
        - ``people``: people of the cohorts whose period at this offset lies wholly in the data,
          fewer with every offset. The denominator.
        - ``retained``: of these, people active in that period. The numerator.
        - ``share``: retained / people; ``low``, ``high``: its 95 % Wilson interval.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    A sum over a sum, so large cohorts weigh more. Neighbouring offsets are about different people,
    because late cohorts have no late offsets. Left out: periods that the data do not cover wholly.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> cohorts = pd.DataFrame({
    ...     "offset": [1, 2, 1], "people": [30, 30, 10], "retained": [24, 21, 4],
    ...     "is_left_censored": False, "is_complete_period": True,
    ... })
    >>> retention_by_offset(cohorts)[["offset", "people", "retained", "share"]]
       offset  people  retained  share
    0       1      40        28    0.7
    1       2      30        21    0.7
    """
    names = ("offset", "people", "retained", "is_left_censored", "is_complete_period")
    rows = frames.read(cohorts, *names).filter(nw.col("is_complete_period"))
    keys = ("is_left_censored", "offset")
    sums = rows.group_by(*keys).agg(nw.col("people", "retained").sum())
    shares = with_share(sums, "retained", "people", "share")
    return frames.result(shares.select(*keys, *_SHARE), *keys)
