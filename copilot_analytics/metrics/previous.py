"""What drove the change of a figure against the equally long period before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import INTERACTIONS, check_active, check_count
from copilot_analytics.metrics.comparison import compare_periods
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY
from copilot_analytics.metrics.figures import last_day

# The two factors of `compare_periods` whose product is the number of active people.
ACTIVE_PEOPLE = ("people", "share_active")
_COLUMNS = {
    "part_number": nw.Int64,
    "part": nw.String,
    "label": nw.String,
    "unit": nw.String,
    "before": nw.Float64,
    "after": nw.Float64,
    "change": nw.Float64,
    "share_of_change": nw.Float64,
    "people_before": nw.Int64,
    "people_after": nw.Int64,
    "series_breaks": nw.String,
    "start": frames.DAY,
    "end": frames.DAY,
}


def compare_with_previous(
    users,
    *,
    end=None,
    days: int = 28,
    active: str | nw.Expr = "interactions",
    measure: str = INTERACTIONS,
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
):
    """Return what drove the change of a counter since the equally long period before.

    Question: why did it change: more active people, on more days, or more per day?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    end, days
        Last day and length of the later period, as in `headline`.
    active
        Definition of active, see `is_active`.
    measure
        Counter of the users table that is explained.
    working_days, missing_days
        As in `headline`.

    Returns
    -------
    frame
        One row for the measure and one for each of three factors of it; no row where the data do
        not reach over both periods.

        - ``part_number``, ``part``: ``total``, ``active_people``, ``active_days``, ``intensity``.
        - ``label``, ``unit``: the part in words, and the unit of ``before`` and ``after``.
        - ``before``, ``after``: the measure per working day in the earlier and in the later period,
          or the factor: active people, their active days per working day, measure per active day.
        - ``change``: change of the measure per working day that comes from this part. The parts
          add up to the total. Missing where one of the periods has nothing of the measure.
        - ``share_of_change``: change / change of the total.
        - ``people_before``, ``people_after``: people who were active, for hiding small groups.
        - ``series_breaks``: known changes of GitHub's counting within the two periods.
        - ``start``, ``end``: first and last day of the later period.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    The parts are those of `compare_periods`, where people seen and the share of them who were
    active are one part. A period is compared only if the data have all its days. Left out: people
    without a record.

    Source: as for `compare_periods`.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-03"]),
    ...     "user_id": [1, 1, 2], "user_initiated_interaction_count": [4, 4, 4],
    ... })
    >>> compare_with_previous(users, days=1)[["part", "before", "after", "change"]]
                part  before  after  change
    0          total     4.0    8.0     4.0
    1  active_people     1.0    2.0     4.0
    2    active_days     1.0    1.0     0.0
    3      intensity     4.0    4.0     0.0
    """
    check_count(days, "days")
    lazy = frames.read(users, "day", "user_id", measure)
    frames.one_scope(lazy)
    check_active(lazy, active)
    ends = frames.first_and_last(lazy)
    last = last_day(ends, end)
    rows: list[dict] = []
    if ends and _is_covered(ends, last, 2 * days, missing_days):
        start = last - timedelta(days=days - 1)
        before = (start - timedelta(days=days), start - timedelta(days=1))
        options = {"active": active, "measure": measure, "working_days": working_days}
        parts = compare_periods({"users": users}, before, (start, last), **options)
        found = _with_active_people(frames.rows(frames.read(parts)), measure)
        rows = [
            {**row, "part_number": number, "start": start, "end": last}
            for number, row in enumerate(found)
        ]
    return frames.result(frames.literals(lazy, rows, _COLUMNS), "part_number")


def _is_covered(ends: tuple, last, days: int, missing_days: Collection) -> bool:
    """Return whether the data have every one of the days up to the last one."""
    first = last - timedelta(days=days - 1)
    missing = {frames.as_day(day) for day in missing_days}
    return (
        ends[0] <= first and last <= ends[1] and missing.isdisjoint(frames.day_range(first, last))
    )


def _with_active_people(rows: list[dict], measure: str) -> list[dict]:
    """Return the rows with one part for the two that make up the active people."""
    by_part = {row["part"]: row for row in rows}
    two = [by_part.pop(part) for part in ACTIVE_PEOPLE]
    active = two[0] | {
        "part": "active_people",
        "label": "Active people",
        "before": float(two[0]["people_before"]),
        "after": float(two[0]["people_after"]),
    }
    for name in ("change", "share_of_change"):
        values = [row[name] for row in two]
        active[name] = None if None in values else sum(values)
    by_part["active_days"] |= {"label": "Active days of each", "unit": "days per working day"}
    by_part["intensity"] |= {"label": f"{catalogue.label(measure)} per active day"}
    return [by_part["total"], active, by_part["active_days"], by_part["intensity"]]
