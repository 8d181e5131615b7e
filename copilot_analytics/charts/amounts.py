"""Bars of amounts, per period or per group, with a part of each amount in a darker colour."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts.bars import around_bars, bar_axes, joined_notes
from copilot_analytics.charts.style import BLUE, SKY, heading, new_axes
from copilot_analytics.charts.timeline import (
    DAY,
    day_axis,
    day_sets,
    mark_breaks,
    touches,
    value_axis,
)
from copilot_analytics.charts.words import number, period_text

WEEK = 7 * DAY


def week_columns(
    frame: pd.DataFrame,
    whole: str,
    part: str | None = None,
    *,
    title: str,
    subtitle: str,
    coverage: pd.DataFrame | None,
    family: str,
    affects: Collection[str],
    notes: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw one column per week, and the part of it from the ground in a darker colour.

    Weeks that the reports of `family` do not cover in full are pale.
    """
    ax = new_axes(ax)
    weeks = frame.sort_values("week")
    is_partial = partial_weeks(weeks["week"], coverage, family)
    # Without a part there is one kind of columns, in the colour of what a report is about.
    for column, color in ((whole, SKY if part else BLUE), (part, BLUE)):
        if column is not None:
            heights = weeks[column].astype("Float64").fillna(0).astype(float)
            columns = ax.bar(weeks["week"] + 3 * DAY, heights, 5.6 * DAY, color=color, zorder=3)
            for bar, is_pale in zip(columns, is_partial, strict=True):
                bar.set_alpha(0.45 if is_pale else None)
    left = value_axis(ax)
    first, last = weeks["week"].iloc[0], weeks["week"].iloc[-1] + WEEK - DAY
    day_axis(ax, first, last)
    mark_breaks(ax, first, last, affects)
    pale = "Pale: a week with days that are provisional or not there." if is_partial.any() else ""
    heading(
        ax,
        title,
        f"{subtitle}, weeks from Monday, {period_text(first, last)}",
        kind="Column chart",
        left=left,
        note=joined_notes([*notes, pale]),
    )
    return ax


def partial_weeks(weeks: pd.Series, coverage: pd.DataFrame | None, family: str) -> pd.Series:
    """Tell of each week whether one of its days is provisional, absent or outside the reports."""
    if coverage is None:
        return pd.Series(False, index=weeks.index)
    days = coverage.loc[coverage["family"] == family, "day"]
    is_outside = (weeks < days.min()) | (weeks + WEEK - DAY > days.max())
    return touches(weeks, WEEK, set.union(*day_sets(coverage, family))) | is_outside


def joined(subtitle: str, period: str) -> str:
    """Return what is drawn and of which days, where these are given."""
    return f"{subtitle}, {period}" if period else subtitle


def amount_bars(
    frame: pd.DataFrame,
    names: Sequence[str],
    whole: str,
    texts: Sequence[str],
    part: str | None = None,
    *,
    title: str,
    subtitle: str,
    notes: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw one bar per row from the top, and the part of it from the left in a darker colour."""
    ax = bar_axes(ax, len(frame))
    amounts = frame[whole].astype("Float64").fillna(0).astype(float)
    ax.barh(range(len(frame)), amounts, height=0.66, color=SKY if part else BLUE, zorder=3)
    if part is not None:
        parts = frame[part].astype("Float64").fillna(0).astype(float)
        ax.barh(range(len(frame)), parts, height=0.66, color=BLUE, zorder=3)
    ax.set_xlim(0, amounts.max() * 1.3 or 1.0)
    left = around_bars(ax, amounts, names, texts, number, integer=bool(amounts.max() >= 5))
    note = joined_notes(notes)
    heading(ax, title, subtitle, kind="Bar chart", left=left, note=note, below=20)
    return ax
