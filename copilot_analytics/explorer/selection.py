"""What is chosen in the explorer: plain values that can be saved, compared and restored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import pandas as pd

from copilot_analytics.days import parse_day
from copilot_analytics.errors import UsageError

DATES = "dates"
PERIODS = {
    "last 28 days": "Last 28 days",
    "last 7 days": "Last 7 days",
    "last month": "Last complete month",
    "all": "All days",
    DATES: "Between two dates",
}
SMOOTHING = {1: "None", 7: "Mean of 7 days"}
WEEKDAYS = {"all": "All days", "working": "Monday to Friday"}
DEFINITIONS = {
    "interactions": "Sent a prompt (GitHub)",
    "engaged": "Used it in any way",
    "present": "Has a record",
}
# What the fields of a selection can be, as far as it depends on no table.
CHOICES = {
    "period": PERIODS,
    "active": DEFINITIONS,
    "smoothing": SMOOTHING,
    "weekdays": WEEKDAYS,
}


@dataclass(frozen=True)
class Selection:
    """What the explorer shows.

    Parameters
    ----------
    measure
        Name of one of the measures, such as ``"active_people_28"``.
    breakdown
        ``"feature"``, ``"ide"``, ``"language"``, ``"model"``, or "" for none.
    period
        One of `PERIODS`; `start` and `end` count for ``"dates"`` only.
    start, end
        First and last day as ISO text, both included; "" for no bound.
    active
        Definition of active, see `metrics.is_active`.
    smoothing
        Length in days of the trailing window whose mean is shown, 1 for none.
    weekdays
        ``"all"`` or ``"working"``.
    scope, team
        Scope as in the column `scope`, and name of a team; "" for the only scope and everybody.
    """

    measure: str = "active_people_28"
    breakdown: str = ""
    period: str = "last 28 days"
    start: str = ""
    end: str = ""
    active: str = "interactions"
    smoothing: int = 1
    weekdays: str = "all"
    scope: str = ""
    team: str = ""

    @classmethod
    def restored(cls, state: Mapping[str, object] | None) -> Selection:
        """Return the selection of a saved state.

        Raises
        ------
        UsageError
            The state has a name that no selection has, or a value that cannot be chosen.

        Examples
        --------
        >>> Selection.restored({"measure": "credits"}).measure
        'credits'
        """
        if state is not None and not isinstance(state, Mapping):
            raise UsageError(
                f"a saved view is a dictionary, not {type(state).__name__}",
                advice="give what `explorer.state` was",
            )
        known = [field.name for field in fields(cls)]
        unknown = [name for name in state or {} if name not in known]
        if unknown:
            raise UsageError(
                f"a saved view has no {', '.join(map(repr, unknown))}",
                advice=f"it has: {', '.join(known)}",
            )
        restored = cls(**(state or {}))
        for name, value in asdict(restored).items():
            if type(value) is not type(getattr(cls, name)):
                raise UsageError(f"a saved view has the {name} {value!r}, which cannot be chosen")
        for name in ("start", "end"):
            if day := getattr(restored, name):
                parse_day(day, f"the {name} of a saved view")
        return restored

    @property
    def state(self) -> dict[str, object]:
        """The selection as a small dictionary, without what is as at the beginning."""
        default = asdict(Selection())
        return {name: value for name, value in asdict(self).items() if value != default[name]}

    def days(self, first: pd.Timestamp, last: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Return the first and last day that are meant, of data from `first` to `last`.

        Raises
        ------
        UsageError
            A date is not one, the first one is after the last, or the data have none of the days.

        Examples
        --------
        >>> day = pd.Timestamp
        >>> [d.strftime("%d %b") for d in Selection().days(day("2026-09-01"), day("2026-11-20"))]
        ['24 Oct', '20 Nov']
        """
        if self.period == DATES:
            start = pd.Timestamp(parse_day(self.start)) if self.start else first
            end = pd.Timestamp(parse_day(self.end)) if self.end else last
        else:
            start, end = _preset(self.period, first, last)
        if start > end:
            raise UsageError(
                f"The first date, {start:%Y-%m-%d}, is after the last, {end:%Y-%m-%d}",
                advice="choose an earlier first date",
            )
        if end < first or start > last:
            raise UsageError(
                f"There are no data from {start:%Y-%m-%d} to {end:%Y-%m-%d}",
                advice=f"the data are of {first:%Y-%m-%d} to {last:%Y-%m-%d}",
            )
        return max(start, first), min(end, last)


def _preset(period: str, first: pd.Timestamp, last: pd.Timestamp):
    if period == "last 28 days":
        return last - pd.Timedelta(days=27), last
    if period == "last 7 days":
        return last - pd.Timedelta(days=6), last
    if period == "last month":
        end = last if last.is_month_end else last.replace(day=1) - pd.Timedelta(days=1)
        if end.replace(day=1) < first:
            raise UsageError(
                "The data have no complete month yet", advice="choose the last 28 days, or all days"
            )
        return end.replace(day=1), end
    return first, last
