"""What each person did over a period."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import narwhals.stable.v2 as nw

from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import INTERACTIONS, active_days
from copilot_analytics.metrics.periods import additive_counters, measured_sums, whole_numbers
from copilot_analytics.metrics.statistics import ratio

MONDAY_TO_FRIDAY = (0, 1, 2, 3, 4)
STREAKS = ("calendar", "working")
_NO_WEEK = -1
_NOTHING = nw.lit(None, dtype=nw.Float64)
_ZEROS = (
    "longest_streak",
    "active_weeks",
    "first_half_days",
    "second_half_days",
)


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
        - ``active_working_days``: those of them that are working days. The numerator.
        - ``working_days``: working days from the first to the last day of the frame. The
          denominator, the same for all.
        - ``active_days_share``: active_working_days / working_days.
        - ``first_day``, ``last_day``: first and last active day; missing for people without one.
        - ``days_since_active``: days from ``last_day`` to the last day of the frame.
        - ``longest_streak``: most active days in a row.
        - ``weeks``: whole weeks of 7 days, counted back from the last day of the frame, that have a
          report. Days before them are in no week. The same for all.
        - ``active_weeks``: those of them with an active day.
        - ``active_weeks_share``: active_weeks / weeks, how regular the use is; missing where the
          frame is shorter than a week.
        - ``first_half_share``, ``second_half_share``: active working days / working days, in the
          first and in the second half of the working days. A day in the middle is in neither.
          Missing with fewer than two working days.
        - ``trend``: second_half_share less first_half_share. Above 0 where the person was active on
          more working days of the second half.
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
    period still has all working days in the denominator, and a rising trend; ``first_day`` shows
    it. Figures of single persons belong in reports only as pseudonyms, see `privacy.pseudonymize`.

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
    return frames.result(activity, "user_id", counts=whole_numbers(counts))


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
    reported = working_days_of(ends, range(7), missing_days)
    counted = worked if streak == "working" else reported
    weeks = _weeks(ends, reported)
    days = active_days(users, active)
    counters = additive_counters(users)
    totals = measured_sums(users, ["user_id"], counters, present_days=nw.len())
    known_weeks = set(weeks.values()) - {_NO_WEEK}
    return (
        totals.join(_day_shares(users, days, ends, worked), on="user_id")
        .join(_day_counts(users, days, ends, worked, weeks), on="user_id", how="left")
        .join(_longest_runs(users, days, ends, counted), on="user_id", how="left")
        .join(_features_used(totals, by_feature), on="user_id", how="left")
        .with_columns(nw.col(*_ZEROS).fill_null(0).cast(nw.Int64))
        .with_columns(
            weeks=nw.lit(len(known_weeks), dtype=nw.Int64),
            half=nw.lit(len(worked) // 2, dtype=nw.Int64),
        )
        .with_columns(
            interactions_per_active_day=(
                ratio(INTERACTIONS, "active_days") if INTERACTIONS in counters else _NOTHING
            ),
            active_weeks_share=ratio("active_weeks", "weeks"),
            first_half_share=ratio("first_half_days", "half"),
            second_half_share=ratio("second_half_days", "half"),
        )
        .with_columns(trend=nw.col("second_half_share") - nw.col("first_half_share"))
    ).select(
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
        "weeks",
        "active_weeks",
        "active_weeks_share",
        "first_half_share",
        "second_half_share",
        "trend",
        "interactions_per_active_day",
        "features_used",
        *counters,
    )


def working_day_shares(
    users,
    *,
    active: str | nw.Expr = "interactions",
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
) -> nw.LazyFrame:
    """Return the columns of `user_activity` that tell how regularly each person is active."""
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    ends = frames.first_and_last(users)
    worked = working_days_of(ends, working_days, missing_days)
    return _day_shares(users, active_days(users, active), ends, worked)


def _day_shares(users, person_days, ends, worked: list) -> nw.LazyFrame:
    """Return each person with a record, the active days, and their share of the working days."""
    is_worked = set(worked)
    days = frames.calendar(users, ends, active_working_days=lambda day: int(day in is_worked))
    counts = (
        person_days.join(frames.kept(days), on="day")
        .group_by("user_id")
        .agg(nw.col("active_working_days").sum(), active_days=nw.len())
    )
    return (
        frames.distinct(users, "user_id")
        .join(counts, on="user_id", how="left")
        .with_columns(
            nw.col("active_days", "active_working_days").fill_null(0).cast(nw.Int64),
            working_days=nw.lit(len(worked), dtype=nw.Int64),
        )
        .with_columns(active_days_share=ratio("active_working_days", "working_days"))
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


def _weeks(ends: tuple[datetime, datetime] | None, reported: list[datetime]) -> dict:
    """Return the week of each day with a report, 0 for the last whole one; -1 before them."""
    if ends is None:
        return {}
    whole = ((ends[1] - ends[0]).days + 1) // 7
    numbers = {day: (ends[1] - day).days // 7 for day in reported}
    return {day: week if week < whole else _NO_WEEK for day, week in numbers.items()}


def _day_counts(users, person_days, ends, worked: list, weeks: dict) -> nw.LazyFrame:
    """Return the halves, weeks and ends of each person's active days, for `user_activity`.

    Counted by week first, because that is much less to be told apart than all days.
    """
    half = len(worked) // 2
    first, second = set(worked[:half]), set(worked[len(worked) - half :])
    days = frames.calendar(
        users,
        ends,
        first_half_days=lambda day: int(day in first),
        second_half_days=lambda day: int(day in second),
        week=lambda day: weeks.get(day, _NO_WEEK),
        days_since_active=lambda day: (ends[1] - day).days if ends else 0,
    )
    sums = nw.col("first_half_days", "second_half_days").sum()
    ends_of = {"first_day": nw.col("first_day").min(), "last_day": nw.col("last_day").max()}
    since = nw.col("days_since_active").min()
    weekly = (
        person_days.join(frames.kept(days), on="day")
        .with_columns(first_day="day", last_day="day")
        .group_by("user_id", "week")
        .agg(sums, since, **ends_of)
    )
    weekly = weekly.with_columns(active_weeks=(nw.col("week") != _NO_WEEK).cast(nw.Int64))
    return weekly.group_by("user_id").agg(sums, since, nw.col("active_weeks").sum(), **ends_of)


def _longest_runs(users, person_days, ends, counted: list) -> nw.LazyFrame:
    """Return each person's most counted days in a row.

    Within a row of positions, the position less its rank stays the same.
    """
    place = {day: number for number, day in enumerate(counted)}
    days = frames.calendar(users, ends, position=lambda day: place.get(day, -1))
    positions = person_days.join(
        frames.kept(days.filter(nw.col("position") >= 0)).select("day", "position"), on="day"
    )
    rank = nw.col("position").rank("dense").over("user_id").cast(nw.Int64)
    runs = positions.with_columns(run=nw.col("position") - rank).group_by("user_id", "run")
    return runs.agg(length=nw.len()).group_by("user_id").agg(longest_streak=nw.col("length").max())


def _features_used(totals: nw.LazyFrame, by_feature: nw.LazyFrame | None) -> nw.LazyFrame:
    """Return how many features each person used, missing without a breakdown."""
    people = totals.select("user_id")
    if by_feature is None:
        return people.with_columns(features_used=nw.lit(None, dtype=nw.Float64))
    used = frames.distinct(frames.with_activity(by_feature, "user_id", "feature"))
    counts = used.group_by("user_id").agg(features_used=nw.len())
    return people.join(counts, on="user_id", how="left").with_columns(
        nw.col("features_used").fill_null(0)
    )
