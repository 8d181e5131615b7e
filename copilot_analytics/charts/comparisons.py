"""Horizontal bars: which share of people used what, and how often completions were accepted."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from copilot_analytics.charts import findings
from copilot_analytics.charts.bars import MARGIN, ROW, name_rows, not_drawn, share_bars
from copilot_analytics.charts.style import (
    BLUE,
    FAINT,
    INK,
    NIGHT,
    SKY,
    heading,
    legend_below,
    new_axes,
    nothing,
    styled,
)
from copilot_analytics.charts.timeline import with_definition
from copilot_analytics.charts.words import (
    FEW,
    NOT_SHOWN,
    limits_text,
    number,
    people,
    percent,
    with_limits,
)

SEGMENT_COLORS = (NIGHT, BLUE, SKY, FAINT)
RANGE = "A range: all but too few people."
SHORTEST_LABELLED = 0.05  # share of the width below which a figure does not fit


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
        with ``people``, ``active_people``, ``share``, ``low``, ``high``. With ``at_least`` and
        ``at_most`` of `privacy.limit_shares`, a hidden share is drawn as a range. Rows without any
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
    title, ax
        As in `active_people`.

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
    frame = with_limits(frame)
    known = frame[frame["at_least"].notna()]
    known = known.sort_values("at_least", ascending=False, kind="stable")
    is_nameless = known[dimension].isin(findings.NAMELESS)
    named = known[~is_nameless].head(max(top - is_nameless.sum(), 1))
    if known.empty:
        return nothing(ax, title, findings.NO_GROUPS)
    shown = pd.concat([named, known[is_nameless]])
    texts = [
        limits_text(row) + ("" if pd.isna(row.people) else f" · {number(row.people)}")
        for row in shown.itertuples()
    ]
    active = people(shown["active_people"].iloc[0])
    about = " ".join(["Share and number of", active, "who were active", period]).strip()
    return share_bars(
        shown,
        shown[dimension],
        "at_least",
        texts,
        title=title,
        subtitle=with_definition(about, definition),
        notes=[
            RANGE if (shown["at_least"] < shown["at_most"]).any() else "",
            "At the end: what GitHub gives no name." if is_nameless.any() else "",
            *not_drawn(len(known) - len(shown), len(frame) - len(known), noun),
        ],
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
    others = len(known) - len(shown)
    title = findings.acceptance_by(shown, dimension, others) if title is None else title
    if shown.empty:
        return nothing(ax, title, findings.NO_COMPLETIONS)
    texts = [f"{percent(row.rate)} of {number(row.generated)}" for row in shown.itertuples()]
    return share_bars(
        shown,
        shown[dimension],
        "rate",
        texts,
        title=title,
        subtitle=f"Acceptances per code completion shown, and how many were shown {period}".strip(),
        notes=not_drawn(others, len(frame) - len(known), noun),
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
        return nothing(ax, title, findings.NO_PEOPLE)
    texts = [
        NOT_SHOWN if pd.isna(row.share) else f"{percent(row.share)} · {number(row.people)}"
        for row in frame.itertuples()
    ]
    seen = people(frame["all_people"].dropna().max())
    about = " ".join(["Share and number of", seen, "seen", period]).strip()
    return share_bars(
        frame,
        frame["segment"],
        "share",
        texts,
        title=title,
        subtitle=with_definition(about, definition),
        notes=[f"Not shown: {FEW}"] if NOT_SHOWN in texts else [],
        ax=ax,
    )


@styled
def segment_sensitivity(
    frame: pd.DataFrame,
    *,
    period: str = "",
    definition: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how people divide over segments if the lines between these were lower or higher.

    Parameters
    ----------
    frame
        Frame of `metrics.segment_sensitivity`: one row per shift and segment with ``shift``,
        ``segment``, ``least_share``, ``people``, ``all_people``, ``share``. The bar of a hidden
        segment stays empty.
    period, definition, title, ax
        As in `people_shares`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"shift": [0.0, 0.0], "segment": ["weekly", "occasional"],
    ...     "least_share": [0.2, 0.0], "people": [30, 10], "all_people": 40,
    ...     "share": [0.75, 0.25]})
    >>> [text.get_text() for text in segment_sensitivity(frame).get_yticklabels()]
    ['from 20%']
    """
    title = findings.segment_sensitivity(frame) if title is None else title
    if not frame["share"].notna().any():
        return nothing(ax, title, findings.NO_PEOPLE)
    rules = {shift: part.set_index("segment") for shift, part in frame.groupby("shift")}
    ax = new_axes(ax, height=MARGIN + 0.3 + 1.4 * ROW * max(len(rules), 2))
    names = list(dict.fromkeys(frame["segment"]))
    for place, part in enumerate(rules.values()):
        _stack(ax, place, part["share"].reindex(names).astype("Float64").astype(float))
    labels = [_rule_text(part["least_share"]) for part in rules.values()]
    left = name_rows(ax, labels)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(round(value, 6))))
    ax.tick_params(axis="x", length=0)
    seen = people(frame["all_people"].dropna().max())
    about = " ".join(["Share of", seen, "seen", period]).strip()
    first = findings.listed([f"“{name}”" for name in names[:2]])
    subtitle = f"{about}, if {first} began at these shares of the working days"
    subtitle = with_definition(subtitle, definition)
    looks = {name: {"facecolor": c} for name, c in zip(names, SEGMENT_COLORS, strict=False)}
    legend_below(ax, looks, 22)
    note = f"Empty: {FEW}" if frame["share"].isna().any() else ""
    heading(ax, title, subtitle, kind="Stacked bar chart", left=left, note=note, below=40)
    return ax


def _stack(ax: Axes, place: int, shares: pd.Series) -> None:
    """Draw the segments of one rule side by side; what is hidden is left empty."""
    hidden = shares.isna()
    # The hidden ones share what is left, so that the others stand where they belong.
    widths = shares.fillna(max(1 - shares.sum(), 0) / max(hidden.sum(), 1))
    starts = widths.cumsum() - widths
    for (name, width), color in zip(widths.items(), SEGMENT_COLORS, strict=False):
        if hidden[name]:
            continue
        ax.barh(place, width, left=starts[name], height=0.7, color=color, edgecolor="white")
        if width > SHORTEST_LABELLED:
            middle = starts[name] + width / 2
            ink = "white" if color in SEGMENT_COLORS[:2] else INK
            text = f"{width:.0%}"  # a decimal would not fit
            ax.text(middle, place, text, ha="center", va="center", color=ink)


def _rule_text(leasts: pd.Series) -> str:
    """Return where the segments of a rule begin, such as "from 60% and 20%"."""
    parts = [percent(least) for least in leasts.dropna() if least > 0]
    return f"from {findings.listed(parts)}" if parts else "any active day"
