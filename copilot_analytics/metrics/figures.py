"""What headline figures are made of: a window of days, two sums, and the window before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import active_definition, check_count
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY, working_days_of
from copilot_analytics.metrics.statistics import with_share

COLUMNS = {
    "figure_number": nw.Int64,
    "figure": nw.String,
    "label": nw.String,
    "value": nw.Float64,
    "previous": nw.Float64,
    "change": nw.Float64,
    "relative_change": nw.Float64,
    "low": nw.Float64,
    "high": nw.Float64,
    "numerator": nw.Float64,
    "denominator": nw.Float64,
    "people": nw.Int64,
    "previous_people": nw.Int64,
    "unit": nw.String,
    "definition": nw.String,
    "start": frames.DAY,
    "end": frames.DAY,
    "is_complete": nw.Boolean,
}


@dataclass(frozen=True)
class Window:
    """A stretch of days, and which of them can be looked at.

    `covered` are the first and last of its days that the data reach over, None without any;
    `working_days` those of them that are worked and have a report.
    """

    start: datetime
    end: datetime
    covered: tuple[datetime, datetime] | None
    is_complete: bool
    working_days: tuple[datetime, ...]

    def of(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """Return the rows of a frame within the window."""
        return frame.filter(nw.col("day").is_between(self.start, self.end))


@dataclass(frozen=True)
class Figure:
    """A headline figure: how it is called, and which two sums it is made of.

    `label` and `definition` have places for the ``{days}`` of the window and for ``{who}`` is
    active. `days` is None for a figure over the period that the caller asks for. `is_share` says
    that it is a number of independent things out of another, so that it has an interval. `groups`
    are the sums that count the people whom the figure tells about: where it divides people into
    two parts, both of them.
    """

    name: str
    label: str
    unit: str
    numerator: str
    denominator: str | None
    definition: str
    days: int | None = None
    is_share: bool = False
    groups: tuple[str, ...] = ("people",)

    def of(self, days: int, active: str | nw.Expr) -> Figure:
        """Return the figure with its words and window filled in."""
        words = {
            "days": self.days or days,
            "who": f"People count as active with {active_definition(active)}.",
        }
        return replace(
            self,
            label=self.label.format(**words),
            definition=self.definition.format(**words),
            days=words["days"],
        )

    def smallest_group(self, sums: dict) -> int | None:
        """Return how many people the smallest group has of which the figure tells something."""
        sizes = [sums[name] for name in self.groups if sums.get(name) is not None]
        return min((size for size in sizes if size), default=0) if sizes else None

    def value(self, sums: dict) -> float | None:
        """Return the figure from its sums, None where it is not defined."""
        top = sums.get(self.numerator)
        if self.denominator is None or top is None:
            return top
        bottom = sums.get(self.denominator)
        return top / bottom if bottom else None


def last_day(ends: tuple[datetime, datetime] | None, end) -> datetime | None:
    """Return the day asked for, else the last one of the data, None without any."""
    if end is not None:
        return frames.as_day(end)
    return ends[1] if ends else None


def figure_table(
    users: nw.LazyFrame,
    figures: Sequence[Figure],
    sums_of: Callable[[Window], dict],
    *,
    ends: tuple[datetime, datetime] | None,
    end,
    days: int,
    active: str | nw.Expr,
    missing_days: Collection,
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
):
    """Return the rows of figures, in the caller's kind of frame.

    `sums_of` gives the named sums of a window, among them those that the figures' groups name.
    `ends` are the first and last day of the data; the last window ends with `end`, if given.
    """
    check_count(days, "days")
    figures = [figure.of(days, active) for figure in figures]
    last = last_day(ends, end)
    measured = {}
    for length in {figure.days for figure in figures}:
        for periods_back in (0, 1):
            found = None, {}
            if last is not None:
                shifted = last - timedelta(days=length * periods_back)
                window = _window(ends, shifted, length, working_days, missing_days)
                # The period before is compared only where it is complete.
                is_needed = window.is_complete if periods_back else window.covered
                found = window, sums_of(window) if is_needed else {}
            measured[length, periods_back] = found
    rows = [
        {
            "figure_number": number,
            **_row(figure, *measured[figure.days, 0], *measured[figure.days, 1]),
        }
        for number, figure in enumerate(figures, start=1)
    ]
    return frames.result(_with_intervals(users, figures, rows), "figure_number")


def _window(ends, last: datetime, length: int, weekdays: Collection[int], missing_days) -> Window:
    """Return the days up to `last`, and whether the data reach over all of them."""
    first = last - timedelta(days=length - 1)
    missing = {frames.as_day(day) for day in missing_days}
    covered = (max(first, ends[0]), min(last, ends[1])) if ends else None
    if covered and covered[0] > covered[1]:
        covered = None
    has_gap = missing & set(frames.day_range(first, last))
    return Window(
        start=first,
        end=last,
        covered=covered,
        is_complete=covered == (first, last) and not has_gap,
        working_days=tuple(working_days_of(covered, weekdays, missing_days)),
    )


def _row(
    figure: Figure, window: Window | None, sums: dict, before: Window | None, sums_before: dict
) -> dict:
    """Return one figure with its value in the period and in the one before."""
    is_comparable = before is not None and before.is_complete
    value = figure.value(sums)
    previous = figure.value(sums_before) if is_comparable else None
    change = None if value is None or previous is None else value - previous
    return {
        "figure": figure.name,
        "label": figure.label,
        "value": value,
        "previous": previous,
        "change": change,
        "relative_change": change / previous if change is not None and previous else None,
        "low": None,
        "high": None,
        "numerator": sums.get(figure.numerator),
        "denominator": sums.get(figure.denominator),
        "people": figure.smallest_group(sums),
        "previous_people": figure.smallest_group(sums_before) if is_comparable else None,
        "unit": figure.unit,
        "definition": figure.definition,
        "start": window.start if sums else None,
        "end": window.end if sums else None,
        "is_complete": window is not None and window.is_complete,
    }


def _with_intervals(users: nw.LazyFrame, figures: Sequence[Figure], rows: list) -> nw.LazyFrame:
    """Return the rows as a frame, shares with their intervals."""
    shares = [figure.name for figure in figures if figure.is_share]
    table = with_share(frames.literals(users, rows, COLUMNS), "numerator", "denominator", "_share")
    is_share = nw.col("figure").is_in(shares)
    return table.with_columns(
        nw.when(is_share).then(nw.col(name)).alias(name) for name in ("low", "high")
    ).select(*COLUMNS)
