"""What drove a change, in a sentence."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import listed, nothing_to_show
from copilot_analytics.charts.words import period_text

NO_PREVIOUS = (
    "There is no earlier period of the same length to compare with: the data begin later, days are "
    "missing, nothing was used in one of the two, or too few people did."
)
SMALLEST_CHANGE = 0.005  # a change that is written as 0%
# What a part is called where it made the measure rise, and where it made it fall.
MOVES = {
    "active_people": ("more people were active", "fewer people were active"),
    "active_days": ("each was active on more days", "each was active on fewer days"),
    "intensity": ("an active day had more of them", "an active day had fewer of them"),
}


def change_parts(frame: pd.DataFrame, noun: str) -> str:
    """Say how much a measure changed since the period before, and which part did most of it.

    A part is called "most" only where it is more than half of the change, and less than all of it.

    >>> frame = pd.DataFrame({"part": ["total", "active_people", "active_days", "intensity"],
    ...     "before": [50.0, 10, 0.5, 10], "after": [60.0, 12, 0.5, 10], "change": [10.0, 9, 1, 0]})
    >>> change_parts(frame, "Prompts")
    'Prompts per working day rose by 20%, most of it because more people were active'
    """
    parts = frame.set_index("part")
    if frame.empty or pd.isna(parts.loc["total", "change"]):
        return nothing_to_show(f"what changed {noun.lower()} per working day")
    total, earlier = parts.loc["total", "change"], parts.loc["total", "before"]
    if abs(total / earlier) < SMALLEST_CHANGE:
        return f"{noun} per working day are as many as in the period before"
    word = "rose" if total > 0 else "fell"
    first = f"{noun} per working day {word} by {abs(total / earlier):.0%}"
    return f"{first}, {_reason(parts['change'].drop('total').astype(float) / total, total > 0)}"


def _reason(shares: pd.Series, is_rise: bool) -> str:
    """Return what most of a change comes from, given the share of it that each part has."""
    largest = shares.max()
    leaders = shares.index[shares > largest - SMALLEST_CHANGE]
    why = listed([MOVES[part][0 if is_rise else 1] for part in leaders])
    if len(leaders) > 1:
        return f"in equal parts because {why}"
    if largest >= 1 + SMALLEST_CHANGE:  # another part went the other way
        against = MOVES[shares.idxmin()][1 if is_rise else 0]
        return f"because {why}, although {against}"
    if largest > 0.5 + SMALLEST_CHANGE:
        return f"most of it because {why}"
    return f"the largest part of it ({largest:.0%}) because {why}"


def periods_compared(frame: pd.DataFrame) -> str:
    """Return the two periods in words.

    >>> days = {"start": pd.to_datetime(["2026-10-20"]), "end": pd.to_datetime(["2026-11-16"])}
    >>> periods_compared(pd.DataFrame(days))
    '20 Oct to 16 Nov 2026 against the 28 days before'
    """
    start, end = frame["start"].iloc[0], frame["end"].iloc[0]
    days = (end - start).days + 1
    before = f"the {days} days before" if days > 1 else "the day before"
    return f"{period_text(start, end)} against {before}"
