"""Distributions of people: histograms with the median, and the Lorenz curve."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    INK,
    MUTED,
    SKY,
    heading,
    new_axes,
    nothing,
    styled,
)
from copilot_analytics.charts.timeline import value_axis
from copilot_analytics.charts.words import FEW, NOT_SHOWN, number, people, percent, plain


@styled
def distribution(
    frame: pd.DataFrame,
    *,
    unit: str,
    sentence: str = "",
    period: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many people lie in each range of a measure, with the median marked.

    Parameters
    ----------
    frame
        Frame of `metrics.distribution`: one row per range with ``bin``, ``from_value``,
        ``to_value``, ``people``, ``all_people``, ``median``. Hidden ranges (missing people) are
        said to be hidden.
    unit
        What the ranges measure, such as "active days".
    sentence
        The finding, with ``{share}`` (of the people at the median or above), ``{people}`` and
        ``{median}`` to fill in.
    period
        The days that the frame is about, for the subtitle; see `covered_text`.
    title, ax
        As in `active_people`; a title takes the place of `sentence`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"bin": ["1", "2–5"], "people": [10, 30], "all_people": 40,
    ...     "median": 3.0, "from_value": [1.0, 2.0], "to_value": [1.0, 5.0]})
    >>> [text.get_text() for text in distribution(frame, unit="active days").get_xticklabels()]
    ['1', '2–5']
    """
    title = findings.distribution(frame, sentence, unit) if title is None else title
    ax = new_axes(ax)
    counts = frame["people"].astype("Float64").astype(float)
    if not counts.gt(0).any():
        return nothing(ax, title, findings.NO_GROUPS)
    has_median = _has_median(frame)
    places = range(len(frame))
    ax.bar(places, counts.fillna(0), width=0.86, color=[BLUE if m else SKY for m in has_median])
    for place, count, is_median in zip(places, counts, has_median, strict=True):
        text = NOT_SHOWN if pd.isna(count) else number(count)
        median = f"median {number(frame['median'].iloc[0])}\n" if is_median else ""
        ax.annotate(
            median + text,
            (place, 0 if pd.isna(count) else count),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=MUTED if pd.isna(count) else INK,
            weight="bold" if is_median else "normal",
        )
    left = value_axis(ax, top=counts.max() * 1.2)
    ax.set_xticks(list(places), [plain(name, 16) for name in frame["bin"]])
    ax.set_xlim(-0.6, len(frame) - 0.4)
    ax.tick_params(axis="x", length=0)
    note = f"Not shown: {FEW}" if counts.isna().any() else ""
    subtitle = f"Number of people by {unit}{f', {period}' if period else ''}"
    heading(ax, title, subtitle, kind="Histogram", left=left, note=note, below=22)
    return ax


def _has_median(frame: pd.DataFrame) -> list[bool]:
    """Tell of each range whether the median lies in it, or just above it."""
    median = frame["median"].iloc[0]
    starts = [value <= median for value in frame["from_value"]]
    last = max((place for place, is_below in enumerate(starts) if is_below), default=-1)
    return [place == last for place in range(len(frame))]


@styled
def lorenz(
    curve: pd.DataFrame,
    concentration: pd.DataFrame,
    *,
    measure: str,
    period: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how much of a total comes from how many people, those with least first.

    Parameters
    ----------
    curve
        Frame of `metrics.lorenz`: points from (0, 0) to (1, 1) with ``share_of_people`` and
        ``share_of_measure``.
    concentration
        Frame of `metrics.concentration`: one row with ``gini``, ``top_decile_share``,
        ``top_people``, ``people``.
    measure
        What is added up, in the plural, such as "interactions".
    period, title, ax
        As in `distribution`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> curve = pd.DataFrame({"share_of_people": [0, 0.5, 1], "share_of_measure": [0, 0.2, 1]})
    >>> figures = {"gini": [0.3], "top_decile_share": [0.2], "top_people": [1], "people": [10]}
    >>> ax = lorenz(curve, pd.DataFrame(figures), measure="prompts")
    >>> [float(limit) for limit in ax.get_xlim()]
    [0.0, 1.0]
    """
    title = findings.lorenz(concentration, measure) if title is None else title
    ax = new_axes(ax)
    curve = curve[["share_of_people", "share_of_measure"]].dropna()
    if len(curve) < 2 or not concentration["top_decile_share"].notna().any():
        title = findings.nothing_to_show(f"how {measure} spread over people")
        return nothing(ax, title, findings.NO_GROUPS)
    row = concentration.iloc[0]
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    ax.fill_between(curve["share_of_people"], curve["share_of_measure"], color=SKY, alpha=0.25)
    ax.plot(curve["share_of_people"], curve["share_of_measure"], color=BLUE, linewidth=2.4)
    if len(curve) < 30:  # points of tenths; more of them would only thicken the line
        ax.plot(curve["share_of_people"], curve["share_of_measure"], "o", color=BLUE, markersize=4)
    ax.annotate("equal use", (0.5, 0.5), xytext=(-8, 8), textcoords="offset points", ha="right")
    left = value_axis(ax, share=True, top=1.0)
    others = 1 - row["top_decile_share"]
    ax.plot([0.9, 0.9, 1.0], [0, others, others], color=INK, linewidth=0.9, zorder=4)
    for middle, text in (
        (others + row["top_decile_share"] / 2, f"top tenth: {percent(row['top_decile_share'])}"),
        (others / 2, f"all others: {percent(others)}"),
    ):
        ax.annotate(text, (1, middle), xytext=(6, 0), textcoords="offset points", va="center")
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 0.9, 1.0])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
    about = f"Share of all {measure} {period}".strip()
    subtitle = f"{about} by share of {people(row['people'])}, least first. Gini {row['gini']:.2f}"
    heading(ax, title, subtitle, kind="Lorenz curve", left=left)
    return ax
