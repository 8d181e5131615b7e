"""Who is inside a trailing window on which day, without a row for each of its days.

A person stays inside the window of the last 28 days while the next day of activity comes within 28
days. So only the first and the last day of such a run matter.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames


def block_of(day: nw.Expr, window: int) -> nw.Expr:
    """Return the number of a block of days that are too near to each other for a run to end.

    So all that matters of a person's days in a block is the first and the last, which is much less
    to be sorted than all days.
    """
    return day.dt.year() * 366 + (day.dt.ordinal_day() - 1) // window


def window_runs(person_days: nw.LazyFrame, window: int, *by: str) -> nw.LazyFrame:
    """Return the days on which each person enters (`start`) and leaves (`end`) the window.

    A person and day may be there several times, and a person may have several runs.
    """
    return runs_of(_spans(person_days, window, *by), window, *by)


def _spans(person_days: nw.LazyFrame, window: int, *by: str) -> nw.LazyFrame:
    """Return each person's first and last day of every block, `start` and `last`."""
    blocks = person_days.with_columns(_block=block_of(nw.col("day"), window))
    grouped = blocks.group_by(*by, "user_id", "_block")
    return grouped.agg(start=nw.col("day").min(), last=nw.col("day").max())


def runs_of(spans: nw.LazyFrame, window: int, *by: str) -> nw.LazyFrame:
    """Return the runs of `window_runs` from each person's first and last day of every block."""
    keys = [*by, "user_id"]
    spans = spans.select(
        *keys,
        "start",
        "last",
        _before=nw.col("last").shift(1).over(*keys, order_by="start"),
        _after=nw.col("start").shift(-1).over(*keys, order_by="start"),
    )
    reach = f"{window}d"
    enters = nw.col("_before").is_null() | (nw.col("_before").dt.offset_by(reach) < nw.col("start"))
    leaves = nw.col("_after").is_null() | (nw.col("last").dt.offset_by(reach) < nw.col("_after"))
    ends = spans.with_columns(_enters=enters, _leaves=leaves).filter(
        nw.col("_enters") | nw.col("_leaves")
    )
    # After a span that only enters comes the one that leaves.
    following = nw.col("last").shift(-1).over(*keys, order_by="start")
    last = nw.when(nw.col("_leaves")).then(nw.col("last")).otherwise(nw.col("_following"))
    runs = ends.with_columns(_following=following).filter(nw.col("_enters"))
    return frames.kept(runs.select(*keys, "start", end=last.dt.offset_by(reach)))


def changes_of(stays: nw.LazyFrame, *by: str) -> nw.LazyFrame:
    """Return by how much the number of people changes who stay from `start` until before `end`.

    One row per day of change; `by` are groups in which people stay.
    """
    counts = frames.kept(stays.group_by(*by, "start", "end").agg(people=nw.len()))
    people = nw.col("people").cast(nw.Int64)
    parts = [
        counts.select(*by, day="start", change=people),
        counts.select(*by, day="end", change=-people),
    ]
    return nw.concat(parts, how="vertical").group_by(*by, "day").agg(nw.col("change").sum())


def window_changes(person_days: nw.LazyFrame, window: int, *by: str) -> nw.LazyFrame:
    """Return by how much the number of people inside a window changes, per day of change.

    For a window of one day each person and day must be there once.
    """
    if window == 1:  # nothing has to be joined to runs, which saves the sorting
        next_day = nw.col("day").dt.offset_by("1d")
        return changes_of(person_days.select(*by, start="day", end=next_day), *by)
    # Who comes again before the window has passed leaves and enters on one day, which adds nothing.
    spans = _spans(person_days, window, *by)
    again = nw.col("start").shift(-1).over(*by, "user_id", order_by="start")
    passed = nw.col("last").dt.offset_by(f"{window}d")
    leaves = nw.when(again < passed).then(again).otherwise(passed)
    return changes_of(spans.select(*by, "start", end=leaves), *by)


def overlaps(runs: nw.LazyFrame, others: nw.LazyFrame) -> nw.LazyFrame:
    """Return when a person is inside both of two windows; the columns of the first stay."""
    others = others.select("user_id", _start="start", _end="end")
    start, end, other_start, other_end = map(nw.col, ("start", "end", "_start", "_end"))
    both = runs.join(others, on="user_id").with_columns(
        start=nw.when(start < other_start).then(other_start).otherwise(start),
        end=nw.when(end < other_end).then(end).otherwise(other_end),
    )
    return frames.kept(both.filter(start < end).drop("_start", "_end"))


def people_in_window(days: nw.LazyFrame, person_days: nw.LazyFrame, window: int) -> nw.LazyFrame:
    """Add to a calendar how many people were active in the last `window` days, as `people`.

    For a window of one day each person and day must be there once.
    """
    changes = window_changes(person_days, window)
    counted = days.join(changes, on="day", how="left")
    inside = nw.col("change").fill_null(0).cum_sum().over(order_by="number")
    return counted.with_columns(people=inside.cast(nw.Int64)).drop("change")
