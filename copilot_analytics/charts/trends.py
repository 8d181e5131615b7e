"""Lines along time: active people, the reach of surfaces, the acceptance of completions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    GREEN,
    INK,
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
    DAY,
    WEEKEND,
    day_sets,
    dots,
    finish,
    line,
    on_calendar,
    touches,
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
    for days, part in frame.groupby("window"):
        whole = part[part["is_complete_window"].fillna(False)]
        values = on_calendar(whole, "active_users")
        values = values.where(~values.index.isin(list(absent)))
        if values.notna().any():
            look = WINDOW_LOOKS.get(days, OTHER_LOOK)
            # The count of single days falls every weekend: a line would only zigzag.
            draw = dots if days == 1 else line
            draw(ax, values, look, provisional)
            name = "on the day" if days == 1 else f"in {days} days"
            last = _last_settled(values, provisional)
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
        notes=[HIDDEN_NOTE] if _has_hidden(frame) else [],
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
    notes = [HIDDEN_NOTE] if _has_hidden(frame) else []
    title = findings.surface_trend(frame, surfaces, coverage) if title is None else title
    frame = frame[frame["is_complete_window"].fillna(False) & frame["share"].notna()]
    ax = new_axes(ax)
    if frame.empty:
        return nothing(ax, title, findings.NO_SURFACES)
    provisional, absent = day_sets(coverage)
    drawn, ends = [], []
    for surface, part in frame.groupby("surface"):
        look = SURFACE_LOOKS.get(surface, OTHER_LOOK)
        values = on_calendar(part, "share")
        values = values.where(~values.index.isin(list(absent)))
        line(ax, values, look, provisional)
        drawn.append(values)
        last = _last_settled(values, provisional)
        ends.append((last, f"{plain(part['label'].iloc[-1], 24)} {percent(last)}", look.color))
    return finish(
        ax,
        drawn,
        ends,
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


@styled
def acceptance_trend(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the acceptance rate of code completions week by week, with its interval.

    Parameters
    ----------
    frame
        Frame of `metrics.acceptance_rate` by week: one row per week with ``week`` (its first day),
        ``accepted``, ``generated`` (completions), ``rate``, ``low``, ``high``. Weeks without a rate
        stay empty, weeks with provisional days are dashed.
    coverage, title, ax
        As in `active_people`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"week": pd.to_datetime(["2026-11-02"]), "accepted": [30],
    ...     "generated": [100], "rate": [0.3], "low": [0.22], "high": [0.40]})
    >>> [text.get_text() for text in acceptance_trend(frame).texts][0]
    '30%'
    """
    title = findings.acceptance_trend(frame) if title is None else title
    ax = new_axes(ax)
    values = on_calendar(frame, "rate", day="week", step=7)
    if not values.notna().any():
        return nothing(ax, title, findings.NO_COMPLETIONS)
    known = frame[frame["low"].notna()]
    ax.vlines(known["week"], known["low"], known["high"], color=INK, linewidth=0.9, zorder=3.5)
    is_open = touches(frame["week"], 7 * DAY, day_sets(coverage)[0])
    provisional = set(frame.loc[is_open, "week"])
    line(ax, values, Look(BLUE, "", 1.6), provisional)
    ax.plot(values.index, values, "o", color=BLUE, markersize=5, zorder=4)
    last = values.dropna().iloc[-1]
    return finish(
        ax,
        [values],
        [(last, percent(last), BLUE)],
        title=title,
        subtitle="Acceptances per code completion shown, weeks from Monday",
        affects=("activity",),
        provisional=provisional,
        share=True,
        notes=("Thin upright lines: 95% interval.",),
    )


def _has_hidden(frame: pd.DataFrame) -> bool:
    return "is_hidden" in frame and bool(frame["is_hidden"].fillna(False).any())


def _last_settled(values: pd.Series, provisional: Collection) -> float:
    """Return the last value that will not change any more, or the last one if all may change."""
    known = values.dropna()
    kept = known[~known.index.isin(list(provisional))]
    return kept.iloc[-1] if len(kept) else known.iloc[-1]
