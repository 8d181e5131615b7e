"""What GitHub's headers tell besides the answer: its time, and how long the token lasts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Beyond this, signed links and the sign-in of GitHub Apps begin to fail.
MAX_CLOCK_ERROR = timedelta(minutes=5)
EXPIRY_WARNING = timedelta(days=14)


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header by its lower-case name, "" where it is absent.

    >>> header({"Retry-After": " 3"}, "retry-after")
    '3'
    """
    return next((value.strip() for key, value in headers.items() if key.lower() == name), "")


def clock_error(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return how far this computer's clock is ahead of GitHub's, None if GitHub gives no time.

    >>> noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    >>> clock_error({"Date": "Sun, 22 Nov 2026 11:57:00 GMT"}, noon)
    datetime.timedelta(seconds=180)
    """
    try:
        moment = parsedate_to_datetime(header(headers, "date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return now - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def describe_clock_error(error: timedelta) -> str:
    """Say in words how far the clock is off.

    >>> describe_clock_error(timedelta(minutes=-7))
    "the clock of this computer is 7 minutes behind GitHub's"
    >>> describe_clock_error(timedelta(minutes=1169))
    "the clock of this computer is 19 hours ahead of GitHub's"
    """
    minutes = round(abs(error).total_seconds() / 60)
    hours, days = round(minutes / 60), round(minutes / 60 / 24)
    number, unit = (
        (days, "day") if hours >= 48 else (hours, "hour") if minutes >= 120 else (minutes, "minute")
    )
    amount = f"{number} {unit}{'s' if number != 1 else ''}" if number else "less than a minute"
    side = "ahead of" if error > timedelta(0) else "behind"
    return f"the clock of this computer is {amount} {side} GitHub's"


def token_expiry(headers: Mapping[str, str]) -> datetime | None:
    """Return when the token expires, None where GitHub does not say.

    GitHub writes the time with the name of the zone, or with its distance from UTC.

    >>> token_expiry({"GitHub-Authentication-Token-Expiration": "2026-12-01 08:00:00 UTC"})
    datetime.datetime(2026, 12, 1, 8, 0, tzinfo=datetime.timezone.utc)
    >>> token_expiry({"GitHub-Authentication-Token-Expiration": "2026-12-01 08:00:00 -0800"})
    datetime.datetime(2026, 12, 1, 16, 0, tzinfo=datetime.timezone.utc)
    """
    text = header(headers, "github-authentication-token-expiration")
    text = re.sub(r" (UTC|GMT|Z)$", " +0000", text)
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
