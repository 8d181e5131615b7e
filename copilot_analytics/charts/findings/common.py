"""What sentences about any frame share."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from copilot_analytics.catalogue import value_label
from copilot_analytics.charts.timeline import day_sets
from copilot_analytics.charts.words import number, plain

MOST_NAMES = 8

# What GitHub writes where it does not name a model, language or IDE; always drawn last.
NAMELESS = ("auto", "others", "unknown")
NO_PEOPLE = (
    "There are no records of people in this period, or of fewer people than may be shown. Reports "
    "of an organization or enterprise alone do not tell who was active."
)
NO_SURFACES = (
    "GitHub reported none of these for a whole window of this period, nobody used them, or too few "
    "people to show."
)
NO_COMPLETIONS = (
    "No code completions of people were reported in this period, or of too few people to show."
)
NO_PHASES = (
    "GitHub reported no adoption phases in this period (it does so from 29 May 2026), or the "
    "groups are too small to show."
)
NO_DAYS = "No report covers any day of this period."
NO_GROUPS = "Nothing was reported here in this period, or every group is too small to show."


def nothing_to_show(what: str) -> str:
    """Return the title of a chart that has nothing to draw."""
    return f"Nothing to show: {what}"


def name(dimension: str, row: pd.Series) -> str:
    """Return what a row is called, in one short line."""
    return plain(value_label(dimension, row[dimension]), 30)


def settled(frame: pd.DataFrame, coverage: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of settled days, or all rows if no day is settled yet."""
    provisional, absent = day_sets(coverage)
    kept = frame[~frame["day"].isin(list(provisional | absent))]
    return kept if len(kept) else frame


def leading(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the row with the largest value, or all of them where several have it."""
    return frame[frame[column] == frame[column].max()]


def named(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return some names as part of a sentence, and how many more there are.

    >>> named(["a", "b", "c"], 2), named(["a"])
    ('a, b and 1 more', 'a')
    """
    more = len(names) - most
    return listed([*names[:most], f"{number(more)} more"] if more > 0 else names)


def listed(parts: Sequence[str]) -> str:
    """Join parts as a sentence does.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
