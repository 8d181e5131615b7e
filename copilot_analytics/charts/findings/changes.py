"""What drove a change, in a sentence."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import nothing_to_show
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
    """Say how much a measure changed since the period before, and what did most of it.

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
    changes = parts["change"].drop("total").astype(float)
    most = changes.idxmax() if total > 0 else changes.idxmin()
    word, why = ("rose", MOVES[most][0]) if total > 0 else ("fell", MOVES[most][1])
    first = f"{noun} per working day {word} by {abs(total / earlier):.0%}"
    return f"{first}, most of it because {why}"


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
