"""Which days can be asked for."""

from __future__ import annotations

from datetime import date, timedelta

from copilot_analytics.catalogue import Endpoint
from copilot_analytics.days import parse_day
from copilot_analytics.errors import UsageError


def earliest_day(endpoint: Endpoint, today: date) -> date:
    """Return the first day that GitHub may still have: it keeps one year.

    >>> from copilot_analytics.catalogue import endpoint
    >>> earliest_day(endpoint("users-1-day", "organization"), date(2026, 1, 15))
    datetime.date(2025, 12, 12)
    """
    leap_day = (today.month, today.day) == (2, 29)
    year_ago = today.replace(year=today.year - 1, day=28 if leap_day else today.day)
    return max(endpoint.first_day, year_ago)


def check_day(endpoint: Endpoint, day: str | date | None, today: date) -> date | None:
    """Return the day to ask for, None for a report that has no choice of day.

    Raises
    ------
    UsageError
        The day is missing, malformed, not over in UTC, or older than what GitHub has.
    """
    report = endpoint.report
    if "day" not in endpoint.parameters:
        if day is None:
            return None
        raise UsageError(
            f"{report} has no choice of day: GitHub gives the latest 28 days only",
            advice=f"leave the day out, or ask for {report.replace('28-day', '1-day')}",
        )
    if day is None:
        raise UsageError(f"{report} needs a day", advice="give day=… (--day), such as 2026-11-20")
    asked, first = parse_day(day), earliest_day(endpoint, today)
    if asked >= today:
        raise UsageError(
            f"{report}: the day {asked} is not over in UTC",
            kept="nothing was asked",
            advice=f"the latest day that can exist is {today - timedelta(days=1)}",
        )
    if asked < first:
        raise UsageError(
            f"{report}: the day {asked} lies before what GitHub has",
            kept="nothing was asked",
            advice=f"the first day is {first}: reports start on {endpoint.first_day} and are kept "
            "for one year",
        )
    return asked
