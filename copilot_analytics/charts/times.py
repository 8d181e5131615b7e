"""How long pull requests take: every median as GitHub reported it, on an axis of times."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from copilot_analytics.charts import findings
from copilot_analytics.charts.amounts import joined
from copilot_analytics.charts.bars import MARGIN, name_rows
from copilot_analytics.charts.style import (
    BLUE,
    STONE,
    Look,
    heading,
    new_axes,
    nothing,
    readable,
    styled,
    width_of,
)
from copilot_analytics.charts.timeline import day_axis, day_sets, dots, on_calendar
from copilot_analytics.charts.words import number, period_text

KINDS = {"all": Look(STONE), "created_by_copilot": Look(BLUE)}
STEP_HEIGHT = 0.5  # inches per row of dots
TICKS = {1: "1 minute", 10: "10 minutes", 60: "1 hour", 360: "6 hours", 1440: "1 day"}
TICKS |= {7200: "5 days", 43200: "30 days"}


@styled
def merge_times(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the median time from opening to merging of each day, as GitHub reported it.

    Parameters
    ----------
    frame
        Frame of `metrics.merge_times` by day: one row per day and kind with ``day``, ``kind``,
        ``label``, ``lowest_median_minutes``. All and those that Copilot opened are drawn.
    coverage
        Frame of `metrics.coverage`: provisional days are hollow.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"day": pd.to_datetime(["2026-11-02"]), "kind": "all",
    ...     "label": "All", "lowest_median_minutes": [90.0], "highest_median_minutes": [90.0]})
    >>> merge_times(frame).get_yscale()
    'log'
    """
    title = findings.merge_times(frame) if title is None else title
    shown = frame[frame["kind"].isin(list(KINDS))]
    if shown.empty:
        return nothing(ax, title, findings.NO_MERGE_TIMES)
    ax = new_axes(ax)
    provisional = day_sets(coverage, "entity")[0]
    names = []
    for kind, look in KINDS.items():
        part = shown[shown["kind"] == kind]
        if not part.empty:
            minutes = on_calendar(part, "lowest_median_minutes").clip(lower=1)
            dots(ax, minutes, look, provisional)
            names.append((part["label"].iloc[0], look.color))
    first, last = shown["day"].min(), shown["day"].max()
    day_axis(ax, first, last)
    ax.set_yscale("log")
    _time_axis(ax.yaxis, shown["lowest_median_minutes"])
    left = max(width_of(text) for text in TICKS.values()) + 6
    _key(ax, names)
    hollow = any(first <= day <= last for day in provisional)
    heading(
        ax,
        title,
        f"Median time to merge of the pull requests merged each day, {period_text(first, last)}",
        kind="Dot chart",
        left=left,
        note="Each step of the axis is a multiple. A median of few pull requests jumps."
        + (" Hollow: provisional days." if hollow else ""),
    )
    return ax


def _key(ax: Axes, names: list[tuple[str, str]]) -> None:
    """Name the dots above the plot, at the right."""
    place = 1.0
    for name, color in reversed(names):
        text = f"● {name}"
        ax.annotate(
            text,
            (place, 1),
            xycoords="axes fraction",
            xytext=(0, -2),
            textcoords="offset points",
            ha="right",
            va="top",
            color=readable(color),
            weight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )
        place -= (width_of(text, weight="bold") + 14) / (ax.figure.get_figwidth() * 72 * 0.85)


def _time_axis(axis: Axis, minutes: pd.Series) -> None:
    """Label an axis of times, on a logarithmic scale, from around the least to the most."""
    low, high = max(minutes.min(), 1) / 1.6, max(minutes.max(), 10) * 2.2
    axis.axes.set(**{f"{axis.axis_name}lim": (low, high)})
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_ticklabels([TICKS[tick] for tick in ticks])
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    axis.grid(True)


@styled
def review_times(
    frame: pd.DataFrame, *, period: str = "", title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the medians of each step of a review, one dot per repository and day.

    Parameters
    ----------
    frame
        Frame of `metrics.review_times` by day and repository: one row per day, repository and step
        with ``step_number``, ``step``, ``label``, ``lowest_median_minutes``.
    period
        The days that the frame is about, for the subtitle; see `covered_text`.
    title, ax
        As in `merge_times`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"step_number": [1], "step": "ready_to_first_review",
    ...     "label": "Ready to first review", "lowest_median_minutes": [90.0],
    ...     "highest_median_minutes": [90.0]})
    >>> [text.get_text() for text in review_times(frame).get_yticklabels()]
    ['Ready to first review']
    """
    title = findings.review_times(frame) if title is None else title
    if frame.empty:
        return nothing(ax, title, findings.NO_REVIEW_TIMES)
    steps = frame.drop_duplicates("step").sort_values("step_number")
    ax = new_axes(ax, height=MARGIN + STEP_HEIGHT * len(steps))
    minutes = frame["lowest_median_minutes"].clip(lower=1)
    places = frame["step"].map({step: place for place, step in enumerate(steps["step"])})
    # Dots of one row are spread evenly, in the order of the frame, so that they do not hide.
    spread = frame.groupby("step").cumcount() * 0.618 % 1 - 0.5
    ax.scatter(minutes, places + 0.6 * spread, s=18, color=BLUE, alpha=0.55, linewidth=0, zorder=3)
    ax.set_xscale("log")
    _time_axis(ax.xaxis, minutes)
    ax.tick_params(axis="x", length=0)
    labels = list(steps["label"])
    left = name_rows(ax, labels)
    is_zero = frame["lowest_median_minutes"] < 1
    notes = ["Each step of the axis is a multiple."]
    if is_zero.any():
        notes.append(
            f"At the left edge: {number(is_zero.sum())} medians under a minute; with a single "
            "review the time from the first to the final one is 0."
        )
    heading(
        ax,
        title,
        joined("Median time of each step, one dot per repository and day", period),
        kind="Dot chart",
        left=left,
        note=" ".join(notes),
        below=20,
    )
    return ax
