"""How often the people of a week or month are there on a day."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import active_days, check_count
from copilot_analytics.metrics.statistics import ratio
from copilot_analytics.metrics.windows import people_in_window

COLUMNS = (
    "window",
    "day",
    "active_users",
    "people",
    "share_on_day",
    "person_days",
    "days",
    "mean_active_users",
    "stickiness",
    "is_complete_window",
)


def stickiness(
    users,
    *,
    active: str | nw.Expr = "interactions",
    windows: Sequence[int] = (7, 28),
    missing_days: Collection = (),
):
    """Return which share of the people of a trailing window was active on a day, for every day.

    Question: do people use Copilot daily, or only now and then?

    Parameters
    ----------
    users, active
        As in `active_users`.
    windows
        Lengths of the windows in days: 7 for daily against weekly (DAU/WAU), 28 for daily against
        monthly people (DAU/MAU).
    missing_days
        Days without a report, which are left out of the mean; see `missing_days`.

    Returns
    -------
    frame
        One row per window and calendar day.

        - ``window`` (days), ``day``: the UTC day on which the window ends.
        - ``active_users``: people active on the day.
        - ``people``: different people active in the window. The denominator of both shares.
        - ``share_on_day``: active_users / people; missing where nobody was active in the window.
        - ``person_days``: active people of each day of the window, summed.
        - ``days``: days of the window that lie in the data and are not missing.
        - ``mean_active_users``: person_days / days. The numerator of the stickiness.
        - ``stickiness``: mean_active_users / people, the share of days on which a person of the
          window was active on average.
        - ``is_complete_window``: False for the first ``window - 1`` days.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    All days of the week count: whoever is active on every day from Monday to Friday has 71 %. The
    share on a single day falls on weekends; ``stickiness`` does not. Left out: as in
    `active_users`.

    Source: DAU/MAU as in common use; ``stickiness`` with the mean of the daily people.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-03"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 1, 2]})
    >>> stickiness(users, active="present", windows=[2])[
    ...     ["day", "active_users", "people", "mean_active_users", "stickiness"]
    ... ]
             day  active_users  people  mean_active_users  stickiness
    0 2026-11-02             1       1                1.0        1.00
    1 2026-11-03             2       2                1.5        0.75
    """
    check_count(len(windows), "number of windows")
    for window in windows:
        check_count(window, "window")
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    missing = {frames.as_day(day) for day in missing_days}
    days = frames.calendar(
        users, frames.first_and_last(users), is_there=lambda day: int(day not in missing)
    )
    person_days = active_days(users, active)
    counts = person_days.group_by("day").agg(active_users=nw.len())
    daily = days.join(counts, on="day", how="left").with_columns(
        nw.col("active_users").fill_null(0).cast(nw.Int64)
    )
    parts = [_in_window(daily, person_days, window) for window in dict.fromkeys(windows)]
    return frames.result(nw.concat(parts, how="vertical"), "window", "day")


def _in_window(daily: nw.LazyFrame, person_days: nw.LazyFrame, window: int) -> nw.LazyFrame:
    """Return the rows of one window from the people of every single day."""
    return (
        people_in_window(daily, person_days, window)
        .with_columns(
            person_days=nw.col("active_users").cum_sum().over(order_by="number"),
            days=nw.col("is_there").cum_sum().over(order_by="number"),
        )
        .with_columns(nw.col(name) - _before(name, window) for name in ("person_days", "days"))
        .with_columns(mean_active_users=ratio("person_days", "days"))
        .with_columns(
            window=nw.lit(window),
            share_on_day=ratio("active_users", "people"),
            stickiness=ratio("mean_active_users", "people"),
            is_complete_window=nw.col("number") >= window - 1,
        )
        .select(*COLUMNS)
    )


def _before(name: str, window: int) -> nw.Expr:
    """Return a running total as it was before the window, 0 where the data begin within it."""
    return nw.col(name).shift(window).over(order_by="number").fill_null(0).cast(nw.Int64)
