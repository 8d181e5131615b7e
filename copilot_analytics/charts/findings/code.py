"""Titles of the charts on changed lines of code."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import (
    NAMELESS,
    name,
    nothing_to_show,
    weeks_text,
)
from copilot_analytics.charts.words import percent

NO_LINES = (
    "No added or deleted lines of people were reported in this period, or of too few people to "
    "show. Old clients do not report lines."
)


def agent_trend(frame: pd.DataFrame) -> str:
    """Say which share of the changed lines agents wrote, over all weeks that are known.

    >>> agent_trend(pd.DataFrame({"agent_lines": [30, 50], "changed_lines": [100, 100]}))
    'Agent edits are 40% of the lines changed in 2 weeks'
    """
    known = frame.dropna(subset=["agent_lines", "changed_lines"])
    whole = known["changed_lines"].sum()
    if not whole:
        return nothing_to_show("lines that agents wrote")
    share = percent(known["agent_lines"].sum() / whole)
    return f"Agent edits are {share} of the lines changed in {weeks_text(len(known))}"


def lines_by_mode(frame: pd.DataFrame, dimension: str) -> str:
    """Say where the most changed lines come from, leaving out what has no name of its own.

    >>> lines_by_mode(pd.DataFrame({"language": ["go", "python"], "share": [0.3, 0.7]}), "language")
    'Most changed lines: Python, 70%'
    """
    known = frame[frame["share"] > 0]
    named = known[~known[dimension].isin(NAMELESS)]
    if known.empty:
        return nothing_to_show(f"changed lines by {dimension}")
    top = named.sort_values("share", ascending=False, kind="stable").head(1)
    # A hidden part may be larger.
    if named.empty or top["share"].iloc[0] < 1 - known["share"].sum():
        return f"Changed lines by {dimension}"
    top = top.iloc[0]
    return f"Most changed lines: {name(dimension, top)}, {percent(top['share'])}"
