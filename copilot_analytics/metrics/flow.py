"""How people come, stay, come back and leave."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import only_active


def people_flow(
    users,
    *,
    active: str | nw.Expr = "interactions",
    period: str = "week",
    week_start: str = "monday",
):
    """Return how many people came, stayed, came back and left, for every period.

    Question: does use grow because new people start, or because people stay?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    active
        Definition of active, see `is_active`.
    period
        ``"week"``, ``"month"`` (calendar months) or ``"day"``.
    week_start
        Weekday on which weeks begin.

    Returns
    -------
    frame
        One row per period from the first to the last one with data.

        - ``period``: first day of the period.
        - ``active_users``: people active in the period: new + retained + returning.
        - ``new``: never active before within the frame.
        - ``retained``: active in the period before as well.
        - ``returning``: active before, but not in the period before.
        - ``lost``: active in the period before, and not in this one.
        - ``is_left_censored``: True for the first period, where everybody is new because the data
          begin.
        - ``is_complete_period``: False where the data begin or end within the period.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: activity before the first day of the frame. A person who was active earlier counts as
    new in later periods too. In an incomplete last period ``lost`` is too high.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-09", "2026-11-22"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 2, 1, 2]})
    >>> flow = people_flow(users, active="present")
    >>> flow[["period", "new", "retained", "returning", "lost"]]
          period  new  retained  returning  lost
    0 2026-11-02    2         0          0     0
    1 2026-11-09    0         1          0     1
    2 2026-11-16    0         0          1     1
    """
    start = frames.period_start(period, week_start)
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    ends = frames.first_and_last(users)
    days, periods = frames.periods(users, ends, start)
    active_on = only_active(users, active).join(days, on="day")
    active_in = frames.kept(frames.distinct(active_on, "user_id", "period"))
    around = frames.distinct(days, "period", "previous", "following")
    seen = active_in.join(around, on="period")
    before, after = (
        nw.col("period").shift(step).over("user_id", order_by="period") for step in (1, -1)
    )
    seen = seen.with_columns(before=before, after=after)
    came = seen.select(
        "period",
        new=nw.col("before").is_null(),
        retained=(nw.col("before") == nw.col("previous")).fill_null(False),
        returning=(nw.col("before") < nw.col("previous")).fill_null(False),
    )
    stays = (nw.col("after") == nw.col("following")).fill_null(False)
    left = seen.filter(~stays).select(period="following")
    result = (
        periods.join(_sum_flags(came), on="period", how="left")
        .join(left.group_by("period").agg(lost=nw.len()), on="period", how="left")
        .with_columns(nw.col("new", "retained", "returning", "lost").fill_null(0).cast(nw.Int64))
        .select(
            "period",
            nw.sum_horizontal("new", "retained", "returning").alias("active_users"),
            "new",
            "retained",
            "returning",
            "lost",
            is_left_censored=nw.col("number") == 0,
            is_complete_period="is_complete_period",
        )
    )
    return frames.result(result, "period")


def _sum_flags(flags: nw.LazyFrame) -> nw.LazyFrame:
    """Return how often each flag is True, per period."""
    names = ["new", "retained", "returning"]
    sums = flags.with_columns(nw.col(names).cast(nw.Int64)).group_by("period")
    return sums.agg(nw.col(names).sum())
