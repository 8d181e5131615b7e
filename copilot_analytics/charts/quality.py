"""The data themselves: definitions side by side, and records that do not tell what was done."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    Look,
    heading,
    new_axes,
    nothing,
    styled,
    width_of,
)
from copilot_analytics.charts.timeline import (
    DAY,
    finish,
    line,
    on_calendar,
    provisional_weeks,
)
from copilot_analytics.charts.words import number, percent

WEEK = 7 * DAY
# A definition has one colour and marker, so that grey print can be read.
DEFINITION_LOOKS = {
    "interactions": Look(BLUE, "o"),
    "engaged": Look(GREEN, "s"),
    "present": Look(ORANGE, "D"),
}
REDUCED = Look(PURPLE, "o")


@styled
def definition_gaps(
    frame: pd.DataFrame, *, period: str = "", title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how many people are active under each definition, and how many GitHub reports.

    Parameters
    ----------
    frame
        Frame of `metrics.definition_table`: one row per figure, reading and definition with
        ``figure``, ``reading``, ``active``, ``value`` and ``reported``. Only figures that GitHub
        reports as well, or could, are drawn: active people of a day, week and month.
    period
        The days that the frame is about, for the subtitle; see `covered_text`.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"figure": "daily active people", "reading": "on the day",
    ...     "active": ["interactions", "present"], "value": [40.0, 60.0], "reported": 45.0})
    >>> [text.get_text() for text in definition_gaps(frame).get_yticklabels()]
    ['On the day']
    """
    title = findings.definition_gaps(frame) if title is None else title
    known = frame[frame["figure"].str.endswith("ly active people") & frame["value"].notna()]
    readings = list(dict.fromkeys(known["reading"]))
    if not readings:
        return nothing(new_axes(ax), title, findings.NO_PEOPLE)
    ax = new_axes(ax, height=1.7 + 0.34 * len(readings))
    for active, look in DEFINITION_LOOKS.items():
        rows = known[known["active"] == active]
        places = [readings.index(reading) for reading in rows["reading"]]
        style = {"color": look.color, "markersize": 8, "linestyle": "", "zorder": 4}
        ax.plot(rows["value"], places, look.marker, label=active, **style)
    reported = known.dropna(subset="reported").drop_duplicates("reading")
    if len(reported):
        places = [readings.index(reading) for reading in reported["reading"]]
        style = {"color": INK, "markersize": 17, "markeredgewidth": 2, "linestyle": "", "zorder": 5}
        ax.plot(reported["reported"], places, "|", label="GitHub's figure", **style)
    names = [reading[:1].upper() + reading[1:] for reading in readings]
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(0, known[["value", "reported"]].max().max() * 1.06 or 1)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value, 6))))
    ax.tick_params(axis="x", length=0)
    ax.grid(axis="both")
    ax.spines["bottom"].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=4, frameon=False, handlelength=1.0)
    left = max(width_of(name) for name in names) + 6
    about = f"Mean number of active people, {period}".rstrip(", ")
    heading(ax, title, about, kind="Dot chart", left=left)
    return ax


@styled
def reduced_records(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw week by week which share of the records of people holds credits at most.

    Parameters
    ----------
    frame
        Frame of `metrics.reduced_records` by week: one row per week with ``week``, ``reduced``,
        ``records``, ``share``. Hidden weeks are gaps.
    coverage
        Frame of `metrics.coverage`, one row per day with its state: weeks with provisional days are
        dashed.
    title, ax
        As in `definition_gaps`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"week": pd.to_datetime(["2026-11-02", "2026-11-09"]),
    ...     "reduced": [5, 8], "records": [100, 100], "share": [0.05, 0.08]})
    >>> [text.get_text() for text in reduced_records(frame).texts][0]
    '8%'
    """
    title = findings.reduced_records(frame) if title is None else title
    ax = new_axes(ax, height=3.0)
    if not frame["share"].notna().any():
        return nothing(ax, title, findings.NO_PEOPLE)
    dashed = provisional_weeks(frame["week"], coverage)
    values = on_calendar(frame, "share", day="week", step=7)
    line(ax, values, REDUCED, dashed)
    last = values.dropna().iloc[-1]
    hidden = frame["share"].isna().any()
    return finish(
        ax,
        [values],
        [(last, percent(last), REDUCED.color)],
        title=title,
        subtitle="Share of records that hold credits at most, by week",
        affects=("people", "credits"),
        provisional=dashed,
        share=True,
        notes=["Weeks with too few people are not drawn."] if hidden else [],
    )
