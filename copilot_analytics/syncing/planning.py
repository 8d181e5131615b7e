"""Which reports to ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from copilot_analytics import catalogue
from copilot_analytics.archive import ON_DISK
from copilot_analytics.client import earliest_day
from copilot_analytics.errors import UsageError
from copilot_analytics.syncing.pipeline import IN_FLIGHT

FAMILIES = ("users", "entity", "user-teams", "repos")
# Who names reports by the tables that they fill says teams.
_FAMILY = {"user-teams": "teams"}
SETTLED = ("final", "empty", "missing")


def plan(
    scope_kind: str,
    states: dict[tuple[str, date], str],
    *,
    today: date,
    since: date | None = None,
    until: date | None = None,
    families: Iterable[str] = FAMILIES,
) -> list[tuple[str, date | None]]:
    """Return the reports and days to ask for, in order. Pure: it looks at nothing else.

    The 28-day reports come first, because they cover the recent days in one call each; then every
    day that is not settled, from the oldest to the newest.

    Examples
    --------
    >>> states = {("users-1-day", date(2026, 11, 1)): "final"}
    >>> plan("organization", states, today=date(2026, 11, 4), since=date(2026, 11, 1),
    ...      families=["users"])
    [('users-28-day', None), ('users-1-day', datetime.date(2026, 11, 2)),
     ('users-1-day', datetime.date(2026, 11, 3))]
    """
    until = min(until or date.max, today - timedelta(days=1))
    wanted = _endpoints(scope_kind, families)
    windows = [(one.report, None) for one in wanted if one.period == "28-day"]
    days = [
        (one.report, day)
        for one in wanted
        if one.period == "1-day"
        for day in _days(max(since or date.min, earliest_day(one, today)), until)
        if states.get((one.report, day)) not in SETTLED
    ]
    days.sort(key=lambda slot: slot[1])
    return windows + days if days else []


def check_range(
    scope_kind: str,
    families: Iterable[str],
    since: date | None,
    until: date | None,
    today: date,
) -> None:
    """Refuse days of which GitHub has nothing, whatever the archive holds.

    Raises
    ------
    UsageError
        The first day is after the last, or in the future; or the last is before all that GitHub
        has.
    """
    if since and until and since > until:
        raise UsageError(f"the first day {since} is after the last day {until}")
    if since and since > today:
        raise UsageError(
            f"the first day {since} lies in the future",
            kept="nothing was asked",
            advice=f"the latest day that can exist is {today - timedelta(days=1)}",
        )
    wanted = _endpoints(scope_kind, families)
    earliest = min(earliest_day(one, today) for one in wanted if one.period == "1-day")
    if until and until < earliest:
        raise UsageError(
            f"the last day {until} lies before what GitHub has",
            kept="nothing was asked",
            advice=f"the first day is {earliest}: reports are kept for one year",
        )


def _endpoints(scope_kind: str, families: Iterable[str]) -> list[catalogue.Endpoint]:
    wanted = {_FAMILY.get(family, family) for family in families}
    return [
        endpoint
        for endpoint in catalogue.all_endpoints()
        if endpoint.scope_kind == scope_kind and endpoint.family in wanted
    ]


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def bytes_needed(todo: Iterable[tuple[str, date | None]], usual: Mapping[str, float]) -> float:
    """Return how much room reports will take on the disk, from the usual size of each as received.

    All of them stay in the archive; those on their way lie beside it as they were received.

    >>> bytes_needed([("users-28-day", None), ("users-1-day", date(2026, 11, 1))],
    ...              {"users-1-day": 1000})
    1200.0
    """
    counts = Counter(report for report, _ in todo)
    return sum(
        usual.get(report, 0) * (ON_DISK * count + min(count, IN_FLIGHT))
        for report, count in counts.items()
    )
