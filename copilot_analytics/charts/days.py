"""Which days are there: one square per report and day."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.bars import name_rows
from copilot_analytics.charts.style import (
    BLUE,
    FAINT,
    SKY,
    VERMILLION,
    heading,
    legend_below,
    new_axes,
    nothing,
    styled,
)
from copilot_analytics.charts.timeline import DAY, day_axis
from copilot_analytics.charts.words import period_text

FAMILY_NAMES = {
    "users": "People",
    "entity": "Whole organization",
    "teams": "Teams",
    "repos": "Repositories",
}
# What a state is called, its colour, and its hatch or edge, so that grey print can be read.
STATES = {
    "final": ("there", {"facecolor": BLUE}),
    "present": ("there", {"facecolor": BLUE}),
    "provisional": ("provisional", {"facecolor": SKY, "hatch": "////", "edgecolor": "white"}),
    "empty": ("no report at GitHub", {"facecolor": FAINT}),
    "pending": ("not due yet", {"facecolor": "white", "edgecolor": FAINT, "linewidth": 1.0}),
    "missing": ("missing", {"facecolor": "white", "edgecolor": VERMILLION, "linewidth": 1.4}),
}
# Every other state (missing, failed, damaged, gap) means that the day's figures are not there.
ABSENT = STATES["missing"]


@styled
def day_states(coverage: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw which days of which report are there.

    Parameters
    ----------
    coverage
        Frame of `metrics.coverage`: one row per scope, report family and day with ``family``,
        ``day``, ``state``.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"family": "users", "state": ["final", "missing"],
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03"])})
    >>> [text.get_text() for text in day_states(frame).get_yticklabels()]
    ['People']
    """
    title = findings.day_states(coverage) if title is None else title
    families = [name for name in FAMILY_NAMES if name in set(coverage["family"])]
    if not families:
        return nothing(ax, title, findings.NO_DAYS)
    ax = new_axes(ax, height=1.3 + 0.3 * len(families))
    for (family, state), part in coverage.groupby(["family", "state"]):
        if family in families:
            squares = [(day - 0.42 * DAY, 0.84 * DAY) for day in part["day"]]
            height = (families.index(family) - 0.36, 0.72)
            ax.broken_barh(squares, height, **{"linewidth": 0, **STATES.get(state, ABSENT)[1]})
    first, last = coverage["day"].min(), coverage["day"].max()
    day_axis(ax, first, last)
    names = [FAMILY_NAMES[family] for family in families]
    left = name_rows(ax, names)
    _legend(ax, set(coverage["state"]))
    heading(
        ax,
        title,
        f"Days of each report, {period_text(first, last)}",
        kind="Strip of days",
        left=left,
    )
    return ax


def _legend(ax: Axes, states: set[str]) -> None:
    """Name the states that occur, below the days."""
    looks = dict(
        STATES.get(state, ABSENT) for state in [*STATES, *sorted(states)] if state in states
    )
    legend_below(ax, looks, 34)
