"""Lines along time: active people, and the reach of surfaces."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    STONE,
    VERMILLION,
    Look,
    new_axes,
    nothing,
    styled,
)
from copilot_analytics.charts.timeline import (
    WEEKEND,
    day_sets,
    dots,
    finish,
    has_hidden,
    last_settled,
    line,
    named_lines,
    whole_windows,
)
from copilot_analytics.charts.words import number, percent, plain

WINDOW_LOOKS = {1: Look(STONE, "", 1.1), 7: Look(SKY, "", 2.0), 28: Look(BLUE, "", 3.0)}
SURFACE_LOOKS = {
    "agent_mode": Look(BLUE, "o"),
    "cli": Look(ORANGE, "s"),
    "app": Look(GREEN, "^"),
    "cloud_agent": Look(PURPLE, "D"),
}
HIDDEN_NOTE = "Days with too few people to show are not drawn."
HIDDEN_SHARE_NOTE = "Not drawn: days on which too few people used it, or too few did not."
OTHER_LOOK = Look(VERMILLION, "v")


@styled
def active_people(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    definition: str = "",
    weekend: Collection[str] = WEEKEND,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many people were active, on each day and over trailing windows.

    Parameters
    ----------
    frame
        Frame of `metrics.active_users_by_window`: one row per window and day with ``window`` (its
        length in days), ``day``, ``active_users`` (people), ``is_complete_window``. Windows that
        reach back before the first day of data are not drawn, hidden days are gaps.
    coverage
        Frame of `metrics.coverage`, one row per day with its state: provisional days are dashed,
        absent days are gaps.
    definition
        What "active" means, for the subtitle.
    weekend
        Names of the weekdays that are shaded.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        With a calm sentence instead of a chart where there is nothing to draw.

    Examples
    --------
    >>> frame = pd.DataFrame({"window": 1, "day": pd.to_datetime(["2026-11-02", "2026-11-03"]),
    ...     "active_users": [41, 43], "is_complete_window": True})
    >>> float(active_people(frame).get_ylim()[0])
    0.0
    """
    title = findings.active_people(frame, coverage) if title is None else title
    ax = new_axes(ax)
    provisional, absent = day_sets(coverage)
    drawn, ends = [], []
    for days, _, values in whole_windows(frame, "window", "active_users", absent):
        look = WINDOW_LOOKS.get(days, OTHER_LOOK)
        # The count of single days falls every weekend: a line would only zigzag.
        draw = dots if days == 1 else line
        draw(ax, values, look, provisional)
        name = "on the day" if days == 1 else f"in {days} days"
        last = last_settled(values, provisional)
        drawn.append(values)
        ends.append((last, f"{number(last)} {name}", look.color))
    if not drawn:
        return nothing(ax, title, findings.NO_PEOPLE)
    return finish(
        ax,
        drawn,
        ends,
        title=title,
        subtitle="Active people",
        definition=definition,
        affects=("people",),
        provisional=provisional,
        absent=absent,
        weekend=weekend,
        notes=[HIDDEN_NOTE] if has_hidden(frame) else [],
    )


@styled
def surface_trend(
    frame: pd.DataFrame,
    *,
    surfaces: Sequence[str] = ("agent_mode", "cli", "app"),
    coverage: pd.DataFrame | None = None,
    definition: str = "",
    weekend: Collection[str] = WEEKEND,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of active people used each surface over a trailing window.

    Parameters
    ----------
    frame
        Frame of `metrics.surface_users`: one row per surface and day with ``surface``, ``label``,
        ``day``, ``share``, ``is_complete_window``. A line starts when GitHub began to report the
        surface; windows that reach back before the first day of data are not drawn.
    surfaces
        Which surfaces to draw, at most five.
    coverage, definition, weekend, title, ax
        As in `active_people`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"surface": "cli", "label": "CLI", "share": [0.1, 0.2],
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03"]), "is_complete_window": True})
    >>> [text.get_text() for text in surface_trend(frame).texts][0]
    'CLI 20%'
    """
    frame = frame[frame["surface"].isin(list(surfaces))]
    notes = [HIDDEN_SHARE_NOTE] if has_hidden(frame) else []
    title = findings.surface_trend(frame, surfaces, coverage) if title is None else title
    known = frame[frame["share"].notna()]
    ax = new_axes(ax)
    provisional, absent = day_sets(coverage)
    series = {
        plain(part["label"].iloc[-1], 24): (SURFACE_LOOKS.get(surface, OTHER_LOOK), values)
        for surface, part, values in whole_windows(known, "surface", "share", absent)
    }
    if not series:
        return nothing(ax, title, findings.NO_SURFACES)
    return finish(
        ax,
        [values for _, values in series.values()],
        named_lines(ax, series, percent, provisional),
        title=title,
        subtitle="Share of active people who used it in 7 days",
        definition=definition,
        affects=("feature", "people"),
        provisional=provisional,
        absent=absent,
        weekend=weekend,
        share=True,
        notes=notes,
    )
