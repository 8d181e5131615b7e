"""The report endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from copilot_analytics.catalogue.files import rows
from copilot_analytics.errors import UsageError


@dataclass(frozen=True)
class Endpoint:
    """One of GitHub's report endpoints.

    `first_day` is the earliest day of data, `since` the day on which the endpoint opened.
    """

    report: str
    scope_kind: str
    family: str
    period: str
    path: str
    parameters: tuple[str, ...]
    grain: str
    no_report_statuses: tuple[int, ...]
    first_day: date
    since: date
    source: str


@cache
def all_endpoints() -> tuple[Endpoint, ...]:
    """Return the twelve report endpoints."""
    return tuple(
        Endpoint(
            report=row["report"],
            scope_kind=row["scope_kind"],
            family=row["family"],
            period=row["period"],
            path=row["path"],
            parameters=tuple(row["parameters"].split()),
            grain=row["grain"],
            no_report_statuses=tuple(int(s) for s in row["no_report_statuses"].split()),
            first_day=date.fromisoformat(row["first_day"]),
            since=date.fromisoformat(row["since"]),
            source=row["source"],
        )
        for row in rows("endpoints.csv")
    )


def endpoint(report: str, scope_kind: str) -> Endpoint:
    """Return the endpoint of a report for ``"organization"`` or ``"enterprise"``.

    >>> endpoint("users-1-day", "organization").path
    '/orgs/{name}/copilot/metrics/reports/users-1-day'
    """
    known = {e.report: e for e in all_endpoints() if e.scope_kind == scope_kind}
    if report not in known:
        raise UsageError(
            f"report {report!r} does not exist for an {scope_kind}",
            advice=f"one of: {', '.join(known)}",
        )
    return known[report]
