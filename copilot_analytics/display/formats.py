"""How numbers, shares and days are written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd

MISSING = "–"
# What stands for a figure that `privacy` has hidden, and why: the group may be large, if what is
# left beside it is small.
HIDDEN = "not shown"
WHY_HIDDEN = "Not shown: too few people, or what would tell how many they are."
SHARE_NAMES = ("share", "rate", "low", "high")


def is_missing(value: object) -> bool:
    """Return whether a single value is missing: None, NaN, NaT or NA."""
    return value is None or bool(pd.isna(value))


def is_share(column: str) -> bool:
    """Return whether a column holds a share between 0 and 1, judged by its name.

    >>> is_share("top_decile_share"), is_share("shared_files")
    (True, False)
    """
    return column.rsplit("_", 1)[-1] in SHARE_NAMES


def decimals_for(largest: float) -> int:
    """Return the decimals that give about three significant digits.

    >>> decimals_for(1234.5), decimals_for(41.25), decimals_for(0.5)
    (0, 1, 2)
    """
    return 0 if largest >= 100 else 1 if largest >= 10 else 2


def number(value: float, decimals: int | None = None) -> str:
    """Write a number with thousands separators and a true minus sign.

    >>> number(1234567), number(-41.256), number(0.5, decimals=1)
    ('1,234,567', '−41.3', '0.5')
    """
    if decimals is None:
        decimals = 0 if float(value).is_integer() else decimals_for(abs(value))
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:  # a rounded -0.001 is 0, not -0.00
        text = text.lstrip("-")
    return text.replace("-", "−")


def day_text(day: date) -> str:
    """Write a day so that nobody can take the month for the day.

    >>> day_text(date(2026, 11, 5))
    '5 November 2026'
    """
    return f"{day.day} {day:%B %Y}"


def span_text(first: date, last: date) -> str:
    """Write the days from first to last, both included, naming month and year once.

    >>> span_text(date(2026, 10, 24), date(2026, 11, 20))
    '24 October – 20 November 2026'
    """
    if first == last:
        return day_text(last)
    if first.year != last.year:
        return f"{day_text(first)} – {day_text(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%B} – {day_text(last)}"
    return f"{first.day}–{day_text(last)}"


def days_text(days: Sequence[date], limit: int = 8) -> str:
    """Write a list of days, neighbours joined, each month named once, at most ``limit`` pieces.

    >>> days_text([date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 9)])
    '5–6, 9 November 2026'
    """
    spans = _spans(sorted(days))
    shown, rest = spans[:limit], len(spans) - limit
    texts = []
    for (first, last), following in zip(shown, [*shown[1:], None], strict=True):
        text = span_text(first, last)
        month = f"{last:%B %Y}"
        is_repeated = following is not None and f"{following[0]:%B %Y}" == month
        # "30 October – 2 November 2026" keeps its months.
        can_be_short = is_repeated and f"{first:%B %Y}" == month
        texts.append(text.removesuffix(f" {month}") if can_be_short else text)
    return ", ".join(texts) + (f", and {rest} more" if rest > 0 else "")


def _spans(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return first and last day of each run of neighbouring days."""
    gaps = [(a, b) for a, b in pairwise(days) if b - a > timedelta(days=1)]
    starts = [days[0], *(after for _, after in gaps)]
    ends = [*(before for before, _ in gaps), days[-1]]
    return list(zip(starts, ends, strict=True))


def count_text(count: int, singular: str, plural: str = "") -> str:
    """Write a count with its noun.

    >>> count_text(1, "day"), count_text(28, "day")
    ('1 day', '28 days')
    """
    return f"{number(count)} {singular if count == 1 else plural or singular + 's'}"
