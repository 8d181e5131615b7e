"""Horizontal bars: which share of people used what, and how often completions were accepted."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from copilot_analytics.catalogue import value_label
from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    INK,
    heading,
    new_axes,
    nothing,
    styled,
    width_of,
)
from copilot_analytics.charts.timeline import with_definition
from copilot_analytics.charts.words import number, people, percent, plain

LONGEST_NAME = 30
ROW, MARGIN = 0.27, 1.35  # inches: one bar, and all that stands above and below the bars


@styled
def people_shares(
    frame: pd.DataFrame,
    *,
    dimension: str,
    noun: str = "",
    period: str = "",
    definition: str = "",
    top: int = 10,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of active people used each feature, IDE, language or model.

    Parameters
    ----------
    frame
        Frame of `metrics.share_of_people` or `metrics.surfaces`: one row per value of the dimension
        with ``people``, ``active_people``, ``share``, ``low``, ``high``. Rows without a share
        (hidden, or not reported by GitHub) are counted in the note.
    dimension
        Column with the names.
    noun
        What a row is, such as "language"; by default the name of the column.
    period
        The days that the frame is about, for the subtitle; see `covered_text`.
    definition
        What "active" means, for the subtitle.
    top
        How many bars to draw; the rest is counted in the note, because its people overlap.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"ide": ["VS Code", "Vim"], "people": [30, 10], "active_people": 40,
    ...     "share": [0.75, 0.25], "low": [0.6, 0.14], "high": [0.86, 0.4]})
    >>> [text.get_text() for text in people_shares(frame, dimension="ide").get_yticklabels()]
    ['VS Code', 'Vim']
    """
    noun = noun or dimension
    title = findings.people_shares(frame, dimension, noun) if title is None else title
    known = frame[frame["share"].notna()].sort_values("share", ascending=False, kind="stable")
    is_nameless = known[dimension].isin(findings.NAMELESS)
    named = known[~is_nameless].head(max(top - is_nameless.sum(), 1))
    if known.empty:
        return nothing(new_axes(ax), title, findings.NO_GROUPS)
    shown = pd.concat([named, known[is_nameless]])
    texts = [f"{percent(row.share)} · {number(row.people)}" for row in shown.itertuples()]
    active = people(shown["active_people"].iloc[0])
    about = " ".join(["Share and number of", active, "who were active", period]).strip()
    return _bars(
        shown,
        shown[dimension],
        "share",
        texts,
        title=title,
        subtitle=with_definition(about, definition),
        notes=_left_out(len(known) - len(shown), len(frame) - len(known), noun),
        ax=ax,
    )


@styled
def acceptance_by(
    frame: pd.DataFrame,
    *,
    dimension: str,
    noun: str = "",
    period: str = "",
    top: int = 10,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the acceptance rate of completions for the groups with most completions.

    Parameters
    ----------
    frame
        Frame of `metrics.acceptance_rate` by a dimension: one row per value with ``accepted``,
        ``generated`` (completions), ``rate``, ``low``, ``high``.
    dimension, noun, period, top, title, ax
        As in `people_shares`; the groups with most completions are drawn.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"language": ["go"], "accepted": [30], "generated": [100],
    ...     "rate": [0.3], "low": [0.22], "high": [0.40]})
    >>> [text.get_text() for text in acceptance_by(frame, dimension="language").get_yticklabels()]
    ['Go']
    """
    noun = noun or dimension
    known = frame[frame["rate"].notna()].sort_values("generated", ascending=False, kind="stable")
    shown = known.head(top).sort_values("rate", ascending=False, kind="stable")
    title = findings.acceptance_by(shown, dimension) if title is None else title
    if shown.empty:
        return nothing(new_axes(ax), title, findings.NO_COMPLETIONS)
    texts = [f"{percent(row.rate)} of {number(row.generated)}" for row in shown.itertuples()]
    return _bars(
        shown,
        shown[dimension],
        "rate",
        texts,
        title=title,
        subtitle=f"Acceptances per code completion shown, and how many were shown {period}".strip(),
        notes=_left_out(len(known) - len(shown), len(frame) - len(known), noun),
        ax=ax,
    )


@styled
def segments(
    frame: pd.DataFrame,
    *,
    period: str = "",
    definition: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how people divide over segments, in the order of the segments.

    Parameters
    ----------
    frame
        Frame of `metrics.segments`: one row per segment with ``segment``, ``people``,
        ``all_people``, ``share``, ``low``, ``high``.
    period, definition, title, ax
        As in `people_shares`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"segment": ["weekly"], "people": [30], "all_people": [40],
    ...     "share": [0.75], "low": [0.6], "high": [0.86]})
    >>> [text.get_text() for text in segments(frame).get_yticklabels()]
    ['weekly']
    """
    title = findings.segments(frame) if title is None else title
    if not frame["share"].notna().any():
        return nothing(new_axes(ax), title, findings.NO_PEOPLE)
    texts = [
        "too few people to show"
        if pd.isna(row.share)
        else f"{percent(row.share)} · {number(row.people)}"
        for row in frame.itertuples()
    ]
    seen = people(frame["all_people"].dropna().max())
    about = " ".join(["Share and number of", seen, "seen", period]).strip()
    return _bars(
        frame,
        frame["segment"],
        "share",
        texts,
        title=title,
        subtitle=with_definition(about, definition),
        notes=[],
        ax=ax,
    )


def _bars(frame, names, column, texts, *, title, subtitle, notes, ax) -> Axes:
    """Draw one bar per row from the top, with its name, interval and figures."""
    ax = new_axes(ax, height=MARGIN + ROW * max(len(frame), 3))
    places = range(len(frame))
    values = frame[column].astype("Float64").fillna(0).astype(float)
    ax.barh(places, values, height=0.66, color=BLUE, zorder=3)
    low, high = (frame[end].astype("Float64").astype(float) for end in ("low", "high"))
    ax.hlines(places, low, high, color=INK, linewidth=1.0, zorder=4)
    ends = pd.concat([values.reset_index(drop=True), high.reset_index(drop=True)], axis=1).max(
        axis=1
    )
    for place, end, text in zip(places, ends, texts, strict=True):
        ax.annotate(
            text, (end, place), xytext=(6, 0), textcoords="offset points", va="center", zorder=5
        )
    labels = [plain(value_label(names.name, name), LONGEST_NAME) for name in names]
    ax.set_yticks(list(places), labels)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(frame) - 0.45, -0.55)
    ax.set_xlim(0, 1.0 if ends.max() > 0.5 else ends.max() * 1.15 or 1.0)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(round(value, 6))))
    ax.tick_params(axis="x", length=0)
    ax.grid(axis="x")
    ax.axvline(0, color=INK, linewidth=0.8, zorder=4)
    ax.spines["bottom"].set_visible(False)
    left = max(width_of(label) for label in labels) + 6
    note = " ".join(["Thin lines: 95% interval.", *notes])
    heading(ax, title, subtitle, kind="Bar chart", left=left, note=note, below=20)
    return ax


def _left_out(others: int, hidden: int, noun: str) -> list[str]:
    """Say how many rows are not drawn, and why."""
    reasons = {"Not drawn, as less used": others, "Too few people, or not reported": hidden}
    return [
        f"{reason}: {number(count)} {noun}{'' if count == 1 else 's'}."
        for reason, count in reasons.items()
        if count
    ]
