"""Two groups before and after a date, their difference, and the same at earlier dates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SMALL_SIZE,
    VERMILLION,
    Look,
    heading,
    new_axes,
    nothing,
    styled,
    width_of,
)
from copilot_analytics.charts.timeline import label_ends, value_axis
from copilot_analytics.charts.words import counted, day_text, month_name, number, signed

LOOKS = {"treated": Look(ORANGE, "s"), "comparison": Look(BLUE, "o")}
DIFFERENCE = PURPLE
MOST_TICKS = 13


@styled
def event_study(
    frame: pd.DataFrame,
    found: pd.DataFrame,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what the treated people and the comparison group did in the weeks around a date.

    Parameters
    ----------
    frame
        Frame of `metrics.event_study`, after `privacy`.
    found
        Frame of `metrics.impact` with the same options, after `privacy`.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from copilot_analytics import metrics
    >>> users = pd.DataFrame({"day": pd.date_range("2026-09-07", periods=56), "user_id": 1,
    ...                       "user_initiated_interaction_count": [5] * 28 + [9] * 28})
    >>> when = {"date": "2026-10-05"}
    >>> ax = event_study(metrics.event_study(users, **when), metrics.impact(users, **when))
    >>> [text.get_text() for text in ax.texts][:2]
    ['5 Oct 2026', 'Everybody 9']
    """
    title = findings.event_study(frame, found) if title is None else title
    ax = new_axes(ax)
    shown = frame[frame["mean"].notna() & frame["group"].isin(list(LOOKS))]
    if shown.empty:
        return nothing(ax, title, findings.NO_WEEKS)
    ends = []
    for group, look in LOOKS.items():
        part = _weekly(shown[shown["group"] == group])
        if part.empty:
            continue
        weeks = part.index.to_numpy()
        ax.fill_between(weeks, part["low"], part["high"], color=look.color, alpha=0.15, linewidth=0)
        style = {"color": look.color, "linewidth": look.width, "markeredgecolor": "white"}
        ax.plot(weeks, part["mean"], marker=look.marker, markersize=6.5, **style)
        last = part["mean"].dropna().iloc[-1]
        ends.append((last, f"{_name(group, found)} {number(last)}", look.color))
    left = value_axis(ax, top=np.nanmax([shown["mean"].max(), shown["high"].max()]) * 1.1)
    _week_axis(ax, shown["week"], found)
    label_ends(ax, ends)
    about = f"{_measure(found)}, by week from the date"
    note = "Shaded: 95% interval of the mean of people. Each person is in one group in all weeks."
    heading(ax, title, about, kind="Line chart", left=left, note=note, below=40)
    return ax


def _weekly(part: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of a group by week, missing where a week is not there."""
    columns = ["mean", "low", "high", "trend"]
    values = part.set_index("week")[columns].astype("Float64").astype(float).sort_index()
    if values.empty:
        return values
    every = range(int(values.index.min()), int(values.index.max()) + 1)
    return values.reindex(every)


def _measure(found: pd.DataFrame) -> str:
    text = findings.measure_text(found["measure"].iloc[0])
    return f"{text[0].upper()}{text[1:]}"


def _name(group: str, found: pd.DataFrame) -> str:
    if group == "comparison":
        return "All others"
    name = findings.group_name(found)
    return f"{name[0].upper()}{name[1:]}"


def _week_axis(ax: Axes, weeks: pd.Series, found: pd.DataFrame) -> None:
    """Number the weeks from the date, and mark where it lies between two of them."""
    first, last = int(weeks.min()), int(weeks.max())
    step = -(-(last - first + 1) // MOST_TICKS)
    ticks = [week for week in range(first, last + 1) if week % step == 0]
    ax.set_xticks(ticks, [f"{week:+d}".replace("-", "−") if week else "0" for week in ticks])
    ax.set_xlim(first - 0.4, last + 0.4)
    ax.set_xlabel("Weeks from the date", color=MUTED)
    if not first <= -1 or last < 0:
        return
    ax.axvline(-0.5, color=INK, linewidth=0.9, zorder=2)
    ax.annotate(
        day_text(found["date"].iloc[0]),
        (-0.5, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-4, -2),
        textcoords="offset points",
        ha="right",
        va="top",
        size=SMALL_SIZE,
        color=MUTED,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        zorder=5,
    )


@styled
def trend_before(
    frame: pd.DataFrame,
    found: pd.DataFrame,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the difference between the two groups week by week, with its trend before the date.

    Parameters
    ----------
    frame, found, title, ax
        As in `event_study`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from copilot_analytics import metrics
    >>> users = pd.DataFrame({"day": pd.date_range("2026-09-07", periods=56), "user_id": 1,
    ...                       "user_initiated_interaction_count": [5] * 28 + [9] * 28})
    >>> when = {"date": "2026-10-05"}
    >>> ax = trend_before(metrics.event_study(users, **when), metrics.impact(users, **when))
    >>> ax.texts[-1].get_text()
    'Without a comparison group there is no difference to show.'
    """
    title = findings.trend_before(found) if title is None else title
    ax = new_axes(ax)
    shown = frame[(frame["group"] == "difference") & frame["low"].notna()]
    if shown.empty:
        has_weeks = frame["mean"].notna().any()
        reason = findings.NO_COMPARISON if has_weeks else findings.NO_WEEKS
        return nothing(ax, title, reason)
    part = _weekly(shown)
    weeks = part.index.to_numpy()
    _with_interval(ax, weeks, part, DIFFERENCE)
    before = part.index < 0
    on = part.index >= -1
    ax.plot(weeks[before], part.loc[before, "trend"], color=INK, linewidth=1.8)
    ax.plot(weeks[on], part.loc[on, "trend"], ":", color=INK, linewidth=1.8)
    left = _signed_axis(ax, [part["low"].min(), part["high"].max()])
    _week_axis(ax, shown["week"], found)
    about = f"{_measure(found)}: the group less all others, less the average before the date"
    note = "Bars: 95% interval. Line: trend before the date, dotted where it is drawn on."
    heading(ax, title, about, kind="Dot chart", left=left, note=note, below=40)
    return ax


def _with_interval(ax: Axes, places, part: pd.DataFrame, color: str, marker: str = "o") -> None:
    """Draw dots with their intervals as bars."""
    ax.vlines(places, part["low"], part["high"], color=color, linewidth=2, alpha=0.55)
    values = part["mean"].to_numpy()
    style = {"color": color, "markeredgecolor": "white", "markersize": 7, "linestyle": "none"}
    ax.plot(places, values, marker, zorder=4, **style)


def _signed_axis(ax: Axes, ends: Sequence[float]) -> float:
    """Let the value axis reach as far below zero as above; return the width of its labels."""
    reach = float(np.nanmax(np.abs(ends))) * 1.1 or 1.0
    locator = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10])
    ax.set_ylim(-reach, reach)
    ax.yaxis.set_major_locator(locator)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(value)))
    ax.grid(axis="y")
    ax.axhline(0, color=INK, linewidth=0.8, zorder=2)
    ticks = [tick for tick in locator.tick_values(-reach, reach) if abs(tick) <= reach]
    return max(width_of(signed(tick)) for tick in ticks) + 6


@styled
def placebo_dates(
    frame: pd.DataFrame,
    found: pd.DataFrame,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the same comparison at the date and at earlier ones, when nothing happened.

    Parameters
    ----------
    frame
        Frame of `metrics.placebo_dates`, after `privacy`.
    found, title, ax
        As in `event_study`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from copilot_analytics import metrics
    >>> users = pd.DataFrame({"day": pd.date_range("2026-09-07", periods=56), "user_id": 1,
    ...                       "user_initiated_interaction_count": [5] * 28 + [9] * 28})
    >>> when = {"date": "2026-10-05"}
    >>> ax = placebo_dates(metrics.placebo_dates(users, **when), metrics.impact(users, **when))
    >>> ax.get_label()[:75]
    'Dot chart. None of 3 earlier dates show as large a difference over 1 week. '
    """
    title = findings.placebo_dates(found) if title is None else title
    ax = new_axes(ax)
    shown = frame[frame["estimate"].notna()].reset_index(drop=True)
    if len(shown) < 2:
        return nothing(ax, title, findings.NO_PLACEBOS)
    is_event = shown["is_event"].fillna(False).astype(bool)
    part = shown.rename(columns={"estimate": "mean"})[["mean", "low", "high"]]
    part = part.astype("Float64").astype(float)
    _with_interval(ax, shown.index[~is_event], part[~is_event], BLUE)
    _with_interval(ax, shown.index[is_event], part[is_event], VERMILLION, "D")
    left = _signed_axis(ax, [part.min(axis=None), part.max(axis=None)])
    labels = [f"{day.day} {month_name(day)}" for day in shown["date"]]
    step = -(-len(labels) // MOST_TICKS)
    kept = shown.index[(len(labels) - 1 - shown.index) % step == 0]  # the date itself has a label
    ax.set_xticks(kept, [labels[place] for place in kept])
    ax.set_xlim(-0.6, len(shown) - 0.4)
    weeks = int(shown["weeks"].iloc[0])
    unit = "week" if weeks == 1 else counted(weeks, "week")
    about = f"{_measure(found)}: difference from the {unit} before to the {unit} from each day on"
    last = day_text(shown.loc[is_event, "date"].iloc[0])
    note = f"Diamond: {last}. Dots: earlier dates, which use no later data. Bars: 95% interval."
    heading(ax, title, about, kind="Dot chart", left=left, note=note, below=26)
    return ax
