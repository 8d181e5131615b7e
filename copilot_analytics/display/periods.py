"""What a report covers: the days it should have, has, and lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError

# Of several reports and scopes the worst state decides about a day; from worst to best.
WORST_FIRST = (
    "damaged",
    "failed",
    "missing",
    "pending",
    "provisional",
    "empty",
    "present",
    "final",
)
PRESENT = ("provisional", "present", "final")
ANSWERED = (*PRESENT, "empty")
SETTLED = ("final", "empty")


@dataclass(frozen=True)
class Period:
    """What a report covers.

    `present` counts the days with data. `empty` days are settled, and GitHub says that it has no
    report for them; `missing` has failed days as well. `data_through` is the last day of which one
    or the other is known, `final_through` the last day before which nothing can change any more;
    both are None where there is no such day.
    `families` are the reports that count, each of which is also the name of a table; `lacking` are
    those of them that the data does not have at all, so that its other reports count instead.
    """

    scope: str
    start: date | None
    end: date | None
    data_through: date | None
    final_through: date | None
    expected: int
    present: int
    provisional: tuple[date, ...] = ()
    missing: tuple[date, ...] = ()
    damaged: tuple[date, ...] = ()
    pending: tuple[date, ...] = ()
    empty: tuple[date, ...] = ()
    families: tuple[str, ...] = ("users",)
    lacking: tuple[str, ...] = ()

    @property
    def has_data(self) -> bool:
        """Whether at least one day is present."""
        return self.present > 0

    def days(self) -> dict:
        """Return the counts and lists of days with plain values, for JSON."""
        named = ("provisional", "missing", "damaged", "pending", "empty")
        lists = {name: [day.isoformat() for day in getattr(self, name)] for name in named}
        return {"expected": self.expected, "present": self.present, **lists}


def period(
    tables: Mapping[str, pd.DataFrame],
    *,
    start: str = "",
    end: str = "",
    families: Sequence[str] = ("users",),
    scope: str = "",
) -> Period:
    """Which days does a report cover, and which of them are there?

    Parameters
    ----------
    tables
        What `load` or an archive returned; its ``day_states`` has one row per scope, family and
        day.
    start, end
        First and last day as ISO text, both included; "" for the first and the last day known.
    families
        The reports that count: ``users``, ``entity``, ``teams``, ``repos``. A day is present only
        if all of them have it that GitHub made on that day. Where the data has none of them on any
        day, its other reports count.
    scope
        How the scope is called in the report; else it is read from the tables.

    Returns
    -------
    Period
        A day between `start` and `end` about which nothing is known counts as missing.

    Raises
    ------
    UsageError
        If `start` is after `end`.

    Examples
    --------
    >>> states = pd.DataFrame({"scope": "organization:1", "family": "users", "rows": 9,
    ...     "day": pd.to_datetime(["2026-11-18", "2026-11-20"]), "state": ["final", "provisional"]})
    >>> class tables:
    ...     day_states = states
    >>> covered = period(tables)
    >>> covered.present, covered.expected, covered.missing
    (2, 3, (datetime.date(2026, 11, 19),))
    """
    states, families, lacking = _counting(tables.day_states, tuple(families))
    name = scope or ", ".join(sorted(states["scope"].astype(str).unique()))
    by_day = _worst_state(states)
    known = by_day[by_day != "pending"]
    first = pd.Timestamp(start) if start else by_day.index.min()
    last = pd.Timestamp(end) if end else known.index.max()
    if pd.isna(first) or pd.isna(last):
        ends = (_date(first), _date(last), None, None)
        return Period(name, *ends, expected=0, present=0, families=families, lacking=lacking)
    if first > last:
        raise UsageError(f"the report starts {first.date()}, after it ends {last.date()}")
    by_day = by_day.reindex(pd.date_range(first, last)).fillna("missing")
    settled = by_day[by_day.isin(SETTLED)]
    if (by_day == "present").any() and not (by_day == "final").any():
        settled = settled.head(0)  # files do not say which days are final
    open_days = by_day[by_day.isin(["provisional", "pending"])]
    if len(open_days):
        settled = settled[settled.index < open_days.index.min()]
    return Period(
        scope=name,
        start=first.date(),
        end=last.date(),
        data_through=_date(by_day[by_day.isin(ANSWERED)].index.max()),
        final_through=_date(settled.index.max()),
        expected=len(by_day),
        present=int(by_day.isin(PRESENT).sum()),
        provisional=_days(by_day, "provisional"),
        missing=_days(by_day, "missing", "failed"),
        damaged=_days(by_day, "damaged"),
        pending=_days(by_day, "pending"),
        empty=_days(by_day, "empty"),
        families=families,
        lacking=lacking,
    )


def _counting(
    states: pd.DataFrame, families: tuple[str, ...]
) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Return the states of the reports that count, which these are, and which are not there.

    Records of the whole organization alone are data as well: a page that says what it lacks must
    not say that there is nothing.
    """
    there = states.loc[states["state"].isin(ANSWERED), "family"].unique()
    lacking = tuple(family for family in families if family not in there)
    if lacking == families and len(there):
        families = tuple(sorted(there))
    return states[states["family"].isin(families)], families, lacking


def _worst_state(states: pd.DataFrame) -> pd.Series:
    """Return one state per day, indexed by day.

    A day that only some of the scope's families have is missing for the others, from the first day
    on of which GitHub has their reports.
    """
    wide = states.pivot_table(
        index="day", columns=["scope", "family"], values="state", aggfunc="first", dropna=False
    )
    ranks = wide.apply(lambda column: column.map(WORST_FIRST.index, na_action="ignore"))
    for scope, family in ranks:
        due = ranks.index >= _first_day(scope, family)
        column = ranks[scope, family]
        ranks[scope, family] = column.mask(due & column.isna(), WORST_FIRST.index("missing"))
    worst = ranks.min(axis=1)
    return worst.map(lambda rank: WORST_FIRST[int(rank)]).astype("str")


def _first_day(scope: str, family: str) -> pd.Timestamp:
    """Return the first day of which GitHub has a report of a family, for the scope's kind."""
    days = [
        endpoint.first_day
        for endpoint in catalogue.all_endpoints()
        if endpoint.family == family and scope.startswith(endpoint.scope_kind)
    ]
    return pd.Timestamp(min(days, default=date.min))


def _date(moment: pd.Timestamp) -> date | None:
    return None if pd.isna(moment) else moment.date()


def _days(by_day: pd.Series, *states: str) -> tuple[date, ...]:
    return tuple(day.date() for day in by_day.index[by_day.isin(states)])
