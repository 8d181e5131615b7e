"""Numbers, days and names as charts write them, whatever the language of the computer."""

from __future__ import annotations

import unicodedata
from functools import cache

import pandas as pd
from matplotlib import font_manager

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MISSING = "–"


@cache
def font():
    """Return the font that comes with matplotlib, so that a chart is the same everywhere."""
    return font_manager.get_font(font_manager.findfont("DejaVu Sans"))


def plain(text: object, limit: int = 0) -> str:
    """Return text in one line that the font can show, shortened to ``limit`` characters.

    >>> plain("a very long name of a model", 12)
    'a very long…'
    """
    line = " ".join(str(text).split())
    line = "".join(c if _is_shown(c) else "\ufffd" for c in line)
    return f"{line[: limit - 1].rstrip()}…" if 0 < limit < len(line) else line


def _is_shown(character: str) -> bool:
    """Tell whether the font has a character and it is no control or direction mark."""
    is_control = unicodedata.category(character).startswith("C")
    return not is_control and font().get_char_index(ord(character)) > 0


def number(value: float) -> str:
    """Return a number with thousands separators: whole from 100, else three digits at most.

    >>> number(12345), number(12.345), number(3.0), number(float("nan"))
    ('12,345', '12.3', '3', '–')
    """
    if pd.isna(value):
        return MISSING
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}".replace("-", "−")
    return f"{float(f'{value:.3g}'):,}".replace("-", "−")


def percent(value: float) -> str:
    """Return a share as a percentage: one decimal below 10%, none above.

    >>> percent(0.3456), percent(0.0345), percent(1.0), percent(0.0)
    ('35%', '3.5%', '100%', '0%')
    """
    if pd.isna(value):
        return MISSING
    scaled = value * 100
    digits = 1 if 0 < abs(scaled) < 9.95 and not float(scaled).is_integer() else 0
    return f"{scaled:.{digits}f}%"


def signed(value: float) -> str:
    """Return a number with its sign, also the one of a rise.

    >>> signed(3.0), signed(-0.5), signed(0.0)
    ('+3', '−0.5', '0')
    """
    value = round(value, 6)
    return f"+{number(value)}" if value > 0 else number(value + 0.0)


# What stands for a figure that `privacy` has hidden, and what a note says about it.
NOT_SHOWN = "not shown"
FEW = "too few people, or what would tell how many they are."


def with_limits(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of shares with the range in which each lies: the share, where it is shown."""
    if "at_least" in frame:
        return frame
    return frame.assign(at_least=frame["share"], at_most=frame["share"])


def limits_text(row) -> str:
    """Return a share, or the range in which it lies.

    >>> class row:
    ...     at_least, at_most = 0.9, 0.975
    >>> limits_text(row)
    '90% to 98%'
    """
    if row.at_least == row.at_most:
        return percent(row.at_least)
    return f"{percent(row.at_least)} to {percent(row.at_most)}"


def counted(count: float, noun: str, plural: str = "") -> str:
    """Return a count with its noun, in words that fit one and many.

    >>> counted(1, "day"), counted(1204, "day"), counted(3, "person", "people")
    ('1 day', '1,204 days', '3 people')
    """
    return f"{number(count)} {verb(count, noun, plural or f'{noun}s')}"


def verb(count: float, one: str, many: str) -> str:
    """Return the form of a word that fits a count.

    >>> verb(1, "was", "were"), verb(0, "was", "were")
    ('was', 'were')
    """
    return one if count == 1 else many


def people(count: float) -> str:
    """Return how many people, or that they are too few to show.

    >>> people(1), people(1204), people(None)
    ('1 person', '1,204 people', 'too few people to show')
    """
    return "too few people to show" if pd.isna(count) else counted(count, "person", "people")


def month_name(day: pd.Timestamp) -> str:
    """Return the short English name of a day's month."""
    return MONTHS[day.month - 1]


def day_text(day: pd.Timestamp) -> str:
    """Return a day as people write it.

    >>> day_text(pd.Timestamp("2026-11-02"))
    '2 Nov 2026'
    """
    return f"{day.day} {month_name(day)} {day.year}"


def period_text(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Return a period as people write it.

    >>> period_text(pd.Timestamp("2026-10-05"), pd.Timestamp("2026-11-02"))
    '5 Oct to 2 Nov 2026'
    """
    if first == last:
        return day_text(first)
    start = day_text(first) if first.year != last.year else f"{first.day} {month_name(first)}"
    return f"{start} to {day_text(last)}"
