"""How long a day may still change."""

from __future__ import annotations

from datetime import date

# GitHub's pages speak of two, three and four days until a day is complete; restatements were seen
# up to three days after the first appearance.
SETTLE_DAYS = 5


def is_settled(day: date, today: date) -> bool:
    """Return whether a day's report is no longer expected to appear or change.

    That is so when 5 UTC days have passed since the day's end.

    >>> is_settled(date(2026, 11, 16), date(2026, 11, 22))
    True
    >>> is_settled(date(2026, 11, 17), date(2026, 11, 22))
    False
    """
    return (today - day).days > SETTLE_DAYS
