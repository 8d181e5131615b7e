"""What each person did over a period."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import INTERACTIONS, active_days
from copilot_analytics.metrics.statistics import with_share

MONDAY_TO_FRIDAY = (0, 1, 2, 3, 4)
STREAKS = ("calendar", "working")


def user_activity(
    users,
    *,
    active: str | nw.Expr = "interactions",
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
    streak: str = "calendar",
    by_feature=None,
):
    """Return what each person did over the whole frame.

    Question: on how many days, in how long a row and how much did each person use Copilot?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    active
        Definition of active, see `is_active`.
    working_days
        Weekdays that are worked, 0 for Monday to 6 for Sunday.
    missing_days
        Days without a report, which are left out of the working days; see `missing_days`.
    streak
        ``"calendar"``: every day without activity ends a streak. ``"working"``: only working days
        count, and only working days without activity end a streak.
    by_feature
        ``users_by_feature`` of the same people, for ``features_used``.

    Returns
    -------
    frame
        One row per person with a record.

        - ``user_id``: the person.
        - ``present_days``: days with a record.
        - ``active_days``: days on which the person was active; 0 for people who never were.
        - ``active_working_days``: those of them that are working days.
        - ``working_days``: working days from the first to the last day of the frame. The
          denominator, the same for all.
        - ``active_days_share``: active_working_days / working_days.
        - ``first_day``, ``last_day``: first and last active day; missing for people without one.
        - ``days_since_active``: days from ``last_day`` to the last day of the frame.
        - ``longest_streak``: most active days in a row.
        - ``interactions_per_active_day``: prompts / active_days; missing without an active day.
        - ``features_used``: different features with any activity; missing without `by_feature`.
        - then every counter of the frame that may be added up, under GitHub's name, summed over all
          of the person's records. Missing where all of them miss it.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: people without a record, whom GitHub never saw. Somebody who started late in the
    period still has all working days in the denominator; ``first_day`` shows it. Figures of single
    persons belong in reports only as pseudonyms, see `privacy.pseudonymize`.

    Source: this package; counters as in GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-06", "2026-11-03"]),
    ...     "user_id": [1, 1, 1, 2], "user_initiated_interaction_count": [4, 1, 2, 0],
    ... })
    >>> user_activity(users)[["user_id", "active_days", "longest_streak", "active_days_share"]]
       user_id  active_days  longest_streak  active_days_share
    0        1            3               2                0.6
    1        2            0               0                0.0
    """
    if streak not in STREAKS:
        raise UsageError(f"streak {streak!r} is not known", advice=f"one of: {', '.join(STREAKS)}")
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    if by_feature is not None:
        by_feature = frames.read(by_feature, "user_id", "feature")
        frames.one_scope(users, by_feature)
    ends = frames.first_and_last(users)
    activity = activity_between(
        users, ends, active, working_days, missing_days, streak=streak, by_feature=by_feature
    )
    columns = activity.collect_schema().names()
    counts = ["days_since_active", "features_used", *columns[columns.index("features_used") :]]
    return frames.result(
        activity, "user_id", counts=[name for name in counts if name != "ai_credits_used"]
    )


def activity_between(
    users: nw.LazyFrame,
    ends: tuple[datetime, datetime] | None,
    active: str | nw.Expr,
    working_days: Collection[int],
    missing_days: Collection,
    *,
    streak: str = "calendar",
    by_feature: nw.LazyFrame | None = None,
) -> nw.LazyFrame:
    """Return the columns of `user_activity` for the days between two ends, which the frame has."""
    worked = working_days_of(ends, working_days, missing_days)
    counted = worked if streak == "working" else working_days_of(ends, range(7), missing_days)
    days = _active_days(users, active, ends, worked, counted)
    totals, counters = _totals(users)
    zeros = ("active_days", "active_working_days", "longest_streak")
    people = (
        totals.join(_day_counts(days), on="user_id", how="left")
        .join(_longest_runs(days), on="user_id", how="left")
        .join(_features_used(totals, by_feature), on="user_id", how="left")
        .with_columns(nw.col(*zeros).fill_null(0).cast(nw.Int64))
        .with_columns(
            working_days=nw.lit(len(worked), dtype=nw.Int64),
            interactions_per_active_day=_per_active_day(counters),
        )
    )
    return with_share(people, "active_working_days", "working_days", "active_days_share").select(
        "user_id",
        "present_days",
        "active_days",
        "active_working_days",
        "working_days",
        "active_days_share",
        "first_day",
        "last_day",
        "days_since_active",
        "longest_streak",
        "interactions_per_active_day",
        "features_used",
        *counters,
    )


def working_days_of(
    ends: tuple[datetime, datetime] | None, weekdays: Collection[int], missing_days: Collection
) -> list[datetime]:
    """Return the days of a range that fall on given weekdays and have a report."""
    if not set(weekdays) <= set(range(7)):
        raise UsageError(
            f"working days {list(weekdays)!r} are not weekdays",
            advice="give numbers from 0 for Monday to 6 for Sunday",
        )
    missing = {frames.as_day(day) for day in missing_days}
    days = frames.day_range(*ends) if ends else []
    return [day for day in days if day.weekday() in weekdays and day not in missing]


def _active_days(users, active, ends, worked: list, counted: list) -> nw.LazyFrame:
    """Return each person's active days: whether worked, and their position for streaks, or -1."""
    position = {day: number for number, day in enumerate(counted)}
    is_worked = set(worked)
    days = frames.calendar(
        users,
        ends,
        is_working=lambda day: int(day in is_worked),
        position=lambda day: position.get(day, -1),
        days_to_end=lambda day: (ends[1] - day).days if ends else 0,
    )
    return active_days(users, active).join(days, on="day")


def _day_counts(days: nw.LazyFrame) -> nw.LazyFrame:
    return days.group_by("user_id").agg(
        active_days=nw.len(),
        active_working_days=nw.col("is_working").sum(),
        first_day=nw.col("day").min(),
        last_day=nw.col("day").max(),
        days_since_active=nw.col("days_to_end").min(),
    )


def _per_active_day(counters: list[str]) -> nw.Expr:
    if INTERACTIONS not in counters:
        return nw.lit(None, dtype=nw.Float64)
    days = nw.when(nw.col("active_days") > 0).then(nw.col("active_days").cast(nw.Float64))
    return nw.col(INTERACTIONS).cast(nw.Float64) / days


def _longest_runs(days: nw.LazyFrame) -> nw.LazyFrame:
    """Return each person's most positions in a row.

    Within a row of positions, the position less its rank stays the same.
    """
    counted = days.filter(nw.col("position") >= 0).with_columns(one=nw.lit(1))
    # Not cum_count, which does not heed order_by on pandas (narwhals 2.29).
    rank = nw.col("one").cum_sum().over("user_id", order_by="position")
    runs = counted.with_columns(run=nw.col("position") - rank).group_by("user_id", "run")
    return runs.agg(length=nw.len()).group_by("user_id").agg(longest_streak=nw.col("length").max())


def _totals(users: nw.LazyFrame) -> tuple[nw.LazyFrame, list[str]]:
    """Return each person's days with a record and sums of counters, and names of the counters."""
    have = users.collect_schema().names()
    fields = catalogue.table("users").columns
    summable = [f.column for f in fields if f.additive == "yes" and not f.is_retired]
    counters = [name for name in summable if name in have]
    sums = (nw.col(name).sum() for name in counters)
    known = (nw.col(name).count().alias(f"_{name}") for name in counters)
    totals = users.group_by("user_id").agg(*sums, *known, present_days=nw.col("day").n_unique())
    return (
        totals.with_columns(
            nw.when(nw.col(f"_{name}") > 0).then(nw.col(name)).alias(name) for name in counters
        ),
        counters,
    )


def _features_used(totals: nw.LazyFrame, by_feature: nw.LazyFrame | None) -> nw.LazyFrame:
    """Return how many features each person used, missing without a breakdown."""
    people = totals.select("user_id")
    if by_feature is None:
        return people.with_columns(features_used=nw.lit(None, dtype=nw.Float64))
    used = by_feature.filter(frames.has_activity(by_feature)).select("user_id", "feature").unique()
    counts = used.group_by("user_id").agg(features_used=nw.len())
    return people.join(counts, on="user_id", how="left").with_columns(
        nw.col("features_used").fill_null(0)
    )
