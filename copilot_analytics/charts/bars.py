"""Horizontal bars of shares, and what stands around horizontal bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from copilot_analytics.catalogue import value_label
from copilot_analytics.charts.style import BLUE, INK, heading, new_axes, width_of
from copilot_analytics.charts.words import counted, percent, plain

LONGEST_NAME = 30
ROW, MARGIN = 0.27, 1.35  # inches: one bar, and all that stands above and below the bars


def bar_axes(ax: Axes | None, rows: int) -> Axes:
    """Return the axes given, or those of a figure that is as high as its rows need."""
    return new_axes(ax, height=MARGIN + ROW * max(rows, 3))


def share_bars(
    frame: pd.DataFrame,
    names: pd.Series,
    column: str,
    texts: Sequence[str],
    *,
    title: str,
    subtitle: str,
    notes: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw one bar per row from the top, with its name, interval and figures.

    `column` is a share of `frame`, or ``at_least`` for shares of which some are ranges; intervals
    are in ``low`` and ``high``. `names` are values of a dimension, `texts` stand at the bars.
    """
    ax = bar_axes(ax, len(frame))
    values = frame[column].astype("Float64").fillna(0).astype(float)
    ax.barh(range(len(frame)), values, height=0.66, color=BLUE, zorder=3)
    low, high = (frame[end].astype("Float64").astype(float) for end in ("low", "high"))
    if column == "at_least":  # a share that is not shown lies in a range
        low, high = low.fillna(frame["at_least"]), high.fillna(frame["at_most"])
    ax.hlines(range(len(frame)), low, high, color=INK, linewidth=1.0, zorder=4)
    ends = values.where(~(high > values), high)
    ax.set_xlim(0, 1.0 if ends.max() > 0.5 else ends.max() * 1.15 or 1.0)
    left = around_bars(ax, ends, [value_label(names.name, name) for name in names], texts, percent)
    about = ["Thin lines: 95% interval."] if low.notna().any() else []
    note = joined_notes([*about, *notes])
    heading(ax, title, subtitle, kind="Bar chart", left=left, note=note, below=20)
    return ax


def around_bars(
    ax: Axes,
    ends: Sequence[float],
    names: Sequence[str],
    texts: Sequence[str],
    write: Callable[[float], str],
    *,
    integer: bool = False,
) -> float:
    """Add names, texts and a scale to bars; return the width of the names in points.

    `ends` is where the bars end, `write` turns a value of the scale into text, and `integer` keeps
    the scale to whole numbers.
    """
    for place, (end, text) in enumerate(zip(ends, texts, strict=True)):
        ax.annotate(
            text, (end, place), xytext=(6, 0), textcoords="offset points", va="center", zorder=5
        )
    locator = MaxNLocator(nbins=5, integer=integer, steps=[1, 2, 2.5, 5, 10])
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: write(round(value, 6))))
    ax.tick_params(axis="x", length=0)
    ax.grid(axis="x")
    ax.axvline(0, color=INK, linewidth=0.8, zorder=4)
    return name_rows(ax, [plain(name, LONGEST_NAME) for name in names])


def name_rows(ax: Axes, names: Sequence[str]) -> float:
    """Name the rows of a chart from the top; return the width of the names in points."""
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.spines["bottom"].set_visible(False)
    return max(width_of(name) for name in names) + 6


def joined_notes(notes: Sequence[str]) -> str:
    """Return the notes that say something as one text."""
    return " ".join(note for note in notes if note)


def not_drawn(others: int, hidden: int, noun: str) -> list[str]:
    """Say how many rows are not drawn, and why."""
    reasons = {
        "Not drawn, as less used": others,
        "Not shown to protect small groups, or not reported": hidden,
    }
    return [f"{reason}: {counted(count, noun)}." for reason, count in reasons.items() if count]
