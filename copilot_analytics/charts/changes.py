"""What drove the change of a measure: one bar per part, which add up."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.bars import around_bars, bar_axes, joined_notes
from copilot_analytics.charts.style import BLUE, NIGHT, ORANGE, heading, nothing, styled
from copilot_analytics.charts.timeline import with_definition
from copilot_analytics.charts.words import number, percent, signed


@styled
def change_parts(
    frame: pd.DataFrame,
    *,
    noun: str = "Prompts",
    definition: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how much of a change came from more people, from more days, and from more per day.

    Parameters
    ----------
    frame
        Frame of `metrics.compare_with_previous`: one row per part with ``part``, ``before``,
        ``after``, ``change`` (of the measure per working day), ``series_breaks``, ``start``,
        ``end``.
    noun
        What the measure counts.
    definition
        What "active" means, for the subtitle.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        With a calm sentence instead of a chart where there is no earlier period.

    Examples
    --------
    >>> frame = pd.DataFrame({"part": ["total", "active_people", "active_days", "intensity"],
    ...     "before": [50.0, 10, 0.5, 10], "after": [60.0, 12, 0.5, 10], "change": [10.0, 9, 1, 0],
    ...     "series_breaks": "", "start": pd.Timestamp("2026-10-20"),
    ...     "end": pd.Timestamp("2026-11-16")})
    >>> [text.get_text() for text in change_parts(frame).texts][0]
    '+9, from 10 to 12 people'
    """
    title = findings.change_parts(frame, noun) if title is None else title
    if frame.empty or frame["change"].isna().any():
        return nothing(ax, title, findings.NO_PREVIOUS)
    parts = frame.set_index("part")
    names = {
        "active_people": "Active people",
        "active_days": "Share of days active",
        "intensity": f"{noun} per active day",
        "total": f"{noun} per working day",
    }
    shown = parts.loc[list(names)]
    changes = shown["change"].astype(float)
    ax = bar_axes(ax, len(shown))
    colors = [BLUE if change > 0 else ORANGE for change in changes[:-1]] + [NIGHT]  # the total
    ax.barh(range(len(shown)), changes, height=0.66, color=colors, zorder=3)
    reach = changes.abs().max() or 1.0
    ax.set_xlim(min(changes.min() * 1.1, 0), max(changes.max(), 0) + 1.1 * reach)
    texts = [_change_text(part, row) for part, row in shown.iterrows()]
    left = around_bars(ax, changes.clip(lower=0), list(names.values()), texts, signed)
    breaks = frame["series_breaks"].iloc[0]
    notes = [
        "The first three add up to the last.",
        f"GitHub's counting changed in these days: {breaks}." if breaks else "",
    ]
    about = f"Change per working day, {findings.periods_compared(frame)}"
    subtitle = with_definition(about, definition)
    note = joined_notes(notes)
    heading(ax, title, subtitle, kind="Bar chart", left=left, note=note, below=20)
    return ax


def _change_text(part: str, row: pd.Series) -> str:
    """Return what the part changed, and from where to where it went itself."""
    write = percent if part == "active_days" else number
    unit = " people" if part == "active_people" else ""
    return f"{signed(row['change'])}, from {write(row['before'])} to {write(row['after'])}{unit}"
