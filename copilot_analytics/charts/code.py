"""Code week by week and by where it comes from: accepted completions, lines of agents."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.bars import not_drawn, share_bars
from copilot_analytics.charts.style import BLUE, INK, Look, new_axes, nothing, styled
from copilot_analytics.charts.timeline import (
    finish,
    last_settled,
    line,
    on_calendar,
    provisional_weeks,
)
from copilot_analytics.charts.words import number, percent

SMALLEST_WRITTEN = 0.0005  # a smaller share would read as 0.0%


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
    subtitle = "Acceptances per code completion shown"
    reason = findings.NO_COMPLETIONS
    return _by_week(frame, "rate", coverage, title=title, subtitle=subtitle, reason=reason, ax=ax)


@styled
def agent_trend(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of the changed lines agents wrote, week by week.

    Parameters
    ----------
    frame
        Frame of `metrics.agent_contribution` by week: one row per week with ``week`` (its first
        day), ``agent_lines``, ``changed_lines``, ``share``, ``low``, ``high``.
    coverage, title, ax
        As in `active_people`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"week": pd.to_datetime(["2026-11-02"]), "agent_lines": [300],
    ...     "changed_lines": [1000], "share": [0.3], "low": [0.2], "high": [0.4]})
    >>> [text.get_text() for text in agent_trend(frame).texts][0]
    '30%'
    """
    title = findings.agent_trend(frame) if title is None else title
    subtitle = "Share of added and deleted lines that are agent edits"
    reason = findings.NO_LINES
    return _by_week(frame, "share", coverage, title=title, subtitle=subtitle, reason=reason, ax=ax)


def _by_week(frame, column, coverage, *, title, subtitle, reason, ax) -> Axes:
    """Draw a share for each week, with its interval."""
    ax = new_axes(ax)
    values = on_calendar(frame, column, day="week", step=7)
    if not values.notna().any():
        return nothing(ax, title, reason)
    known = frame[frame["low"].notna()]
    ax.vlines(known["week"], known["low"], known["high"], color=INK, linewidth=0.9, zorder=3.5)
    provisional = provisional_weeks(frame["week"], coverage)
    line(ax, values, Look(BLUE, "", 1.6), provisional)
    ax.plot(values.index, values, "o", color=BLUE, markersize=5, zorder=4)
    last = last_settled(values, provisional)
    return finish(
        ax,
        [values],
        [(last, percent(last), BLUE)],
        title=title,
        subtitle=f"{subtitle}, weeks from Monday",
        affects=("activity",),
        provisional=provisional,
        share=True,
        notes=("Thin upright lines: 95% interval.",) if len(known) else (),
    )


@styled
def lines_by_mode(
    frame: pd.DataFrame,
    *,
    dimension: str = "feature",
    noun: str = "mode",
    period: str = "",
    top: int = 10,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of the changed lines comes from each mode, language or model.

    Parameters
    ----------
    frame
        Frame of `metrics.lines_by_mode` of one period: one row per value with ``changed_lines``,
        ``share``, ``low``, ``high``. Rows without a share (hidden) are counted in the note.
    dimension, noun, period, top, title, ax
        As in `people_shares`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"feature": ["agent_edit"], "changed_lines": [1200], "share": [1.0],
    ...     "low": [float("nan")], "high": [float("nan")]})
    >>> [text.get_text() for text in lines_by_mode(frame).texts][0]
    '100% · 1,200'
    """
    title = findings.lines_by_mode(frame, dimension) if title is None else title
    known = frame[frame["share"] > 0].sort_values("share", ascending=False, kind="stable")
    if known.empty:
        return nothing(ax, title, findings.NO_LINES)
    shown = known.head(top)
    hidden = int(frame["share"].isna().sum())
    return share_bars(
        shown,
        shown[dimension],
        "share",
        [_share_text(row.share, row.changed_lines) for row in shown.itertuples()],
        title=title,
        subtitle=f"Share and number of lines added or deleted {period}".strip(),
        notes=not_drawn(len(known) - len(shown), hidden, noun),
        ax=ax,
    )


def _share_text(share: float, lines: float) -> str:
    text = "under 0.1%" if share < SMALLEST_WRITTEN else percent(share)
    return f"{text} · {number(lines)}"
