"""Titles of the charts on changed lines of code."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import (
    NAMELESS,
    leading,
    name,
    named,
    nothing_to_show,
)
from copilot_analytics.charts.words import counted, percent

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
    return f"Agent edits are {share} of the lines changed in {counted(len(known), 'week')}"


def lines_by_mode(frame: pd.DataFrame, dimension: str) -> str:
    """Say where the most changed lines come from, leaving out what has no name of its own.

    >>> lines_by_mode(pd.DataFrame({"language": ["go", "python"], "share": [0.3, 0.7]}), "language")
    'Most changed lines: Python, 70%'
    """
    known = frame[frame["share"] > 0]
    if known.empty:
        return nothing_to_show(f"changed lines by {dimension}")
    top = leading(known[~known[dimension].isin(NAMELESS)], "share")
    hidden = 1 - known["share"].sum()  # of which one part may be larger
    if top.empty or top["share"].iloc[0] < hidden:
        return f"Changed lines by {dimension}"
    share = percent(top["share"].iloc[0])
    is_most = top["share"].iloc[0] == known["share"].max()
    of_which = "" if is_most else f" with a named {dimension}"
    names = named([name(dimension, row) for _, row in top.iterrows()], 3)
    each = ", each" if len(top) > 1 else ","
    return f"Most changed lines{of_which}: {names}{each} {share}"
