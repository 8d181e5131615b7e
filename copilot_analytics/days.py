"""Days as people give them."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd

from copilot_analytics.errors import UsageError


def parse_day(day: object, what: str = "the day") -> date:
    """Return a day given as text, date or timestamp without a zone.

    Parameters
    ----------
    day
        ``"2026-11-20"``, a date, or a timestamp, of which the time of day does not matter.
    what
        How an error calls it.

    Raises
    ------
    UsageError
        If it is no day, or has a time zone: days of the reports are UTC days, and which one a
        moment elsewhere belongs to is not for us to guess.

    Examples
    --------
    >>> parse_day("2026-11-20")
    datetime.date(2026, 11, 20)
    """
    advice = "write it as 2026-11-20"
    if isinstance(day, date | np.datetime64):
        moment = pd.Timestamp(day)
        if moment is not pd.NaT and moment.tzinfo is not None:
            raise UsageError(f"{what} {day} has a time zone; days are UTC days", advice=advice)
        if moment is not pd.NaT:
            return moment.date()
    try:
        # fromisoformat alone would also take "20261120" and week numbers.
        if isinstance(day, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
            return date.fromisoformat(day)
    except ValueError:
        pass
    raise UsageError(f"{what} {str(day)[:40]!r} is not a day", advice=advice)
