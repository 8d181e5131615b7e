"""People counted from the start of a week or month to date, beside the trailing windows."""

from __future__ import annotations

from datetime import datetime

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import only_active


def active_users_to_date(
    users,
    *,
    active: str | nw.Expr = "interactions",
    period: str = "week",
    week_start: str = "sunday",
):
    """Return how many people were active since the week or month began, for every day.

    Question: why does the number of weekly active people fall every Sunday on GitHub's page?

    Parameters
    ----------
    users, active
        As in `active_users`.
    period
        ``"week"``, ``"month"`` (calendar months) or ``"day"``.
    week_start
        Weekday on which weeks begin; GitHub's begin on Sunday.

    Returns
    -------
    frame
        One row per calendar day from the first to the last day of the frame.

        - ``period``: first day of the week or month.
        - ``day``: UTC day up to which people are counted.
        - ``active_users``: different people active from ``period`` to ``day``.
        - ``is_complete_window``: False where ``period`` lies before the data.
        - ``days_with_records``: days from ``period`` to ``day`` that have any record. Where days
          are missing, ``active_users`` is a lower bound.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    The count rises within a period and begins anew with the next one. Compare the last days of
    whole periods, or trailing windows: see `active_users`. Left out: as in `active_users`.

    Source: this package; GitHub's weekly and monthly figures have been seen to follow this reading,
    while its documentation describes trailing days.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-06", "2026-11-07", "2026-11-08"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 2, 1]})
    >>> active_users_to_date(users, active="present")[["period", "day", "active_users"]]
          period        day  active_users
    0 2026-11-01 2026-11-06             1
    1 2026-11-01 2026-11-07             2
    2 2026-11-08 2026-11-08             1
    """
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    ends = frames.first_and_last(users)
    counted = people_to_date(users, ends, only_active(users, active), period, week_start)
    # Every recorded day is counted like a person who was there on that day only.
    days = frames.distinct(users, "day").with_columns(user_id=nw.col("day"))
    recorded = people_to_date(users, ends, days, period, week_start)
    counted = counted.select("period", "day", "is_complete_window", active_users="people")
    result = counted.join(recorded.select("day", days_with_records="people"), on="day")
    columns = ("period", "day", "active_users", "is_complete_window", "days_with_records")
    return frames.result(result.select(*columns), "day")


def people_to_date(
    users: nw.LazyFrame,
    ends: tuple[datetime, datetime] | None,
    person_days: nw.LazyFrame,
    period: str,
    week_start: str,
) -> nw.LazyFrame:
    """Return a calendar with how many people were active since their period began, as `people`.

    Nobody counts twice, so a person matters only on the first active day of each period.
    """
    days = frames.calendar(users, ends, period=frames.period_start(period, week_start))
    firsts = person_days.join(days, on="day").group_by("user_id", "period")
    starting = firsts.agg(nw.col("day").min()).group_by("day").agg(starting=nw.len())
    count = nw.col("starting").fill_null(0).cast(nw.Int64)
    return days.join(starting, on="day", how="left").select(
        "period",
        "day",
        people=count.cum_sum().over("period", order_by="day"),
        is_complete_window=nw.col("day").min().over("period") == nw.col("period"),
    )
