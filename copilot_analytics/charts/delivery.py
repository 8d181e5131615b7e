"""Pull requests: how many, and what Copilot did."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.amounts import amount_bars, joined, week_columns
from copilot_analytics.charts.bars import share_bars
from copilot_analytics.charts.style import nothing, styled
from copilot_analytics.charts.words import number, people, percent

MERGED = "pull_requests_total_merged"
BY_COPILOT = "pull_requests_total_merged_created_by_copilot"


@styled
def merged_trend(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many pull requests were merged each week, and how many of them Copilot opened.

    Parameters
    ----------
    frame
        Frame of `metrics.pull_requests` by week: one row per week with ``week`` (its first day),
        ``pull_requests_total_merged``, ``pull_requests_total_merged_created_by_copilot``.
    coverage
        Frame of `metrics.coverage`: weeks with provisional or absent days are pale.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"week": pd.to_datetime(["2026-11-02"]), MERGED: [30],
    ...     BY_COPILOT: [6]})
    >>> merged_trend(frame).get_label().split(".")[1].strip()
    'Copilot opened 20% of 30 pull requests merged in 1 week'
    """
    title = findings.merged_trend(frame) if title is None else title
    if not frame[MERGED].fillna(0).gt(0).any():
        is_unknown = frame[MERGED].isna().all()
        reason = findings.NO_PULL_REQUESTS if is_unknown else findings.NO_MERGES
        return nothing(ax, title, reason)
    return week_columns(
        frame,
        MERGED,
        BY_COPILOT,
        title=title,
        subtitle="Merged pull requests, the dark part opened by Copilot",
        coverage=coverage,
        family="entity",
        affects=("delivery",),
        ax=ax,
    )


@styled
def pull_request_shares(
    frame: pd.DataFrame, *, period: str = "", title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw at which share of pull requests, reviews and suggestions Copilot took part.

    Parameters
    ----------
    frame
        Frame of `metrics.pull_request_shares` of one period: one row per share with ``label``,
        ``numerator``, ``denominator``, ``share``, ``low``, ``high``.
    period
        The days that the frame is about, for the subtitle; see `covered_text`.
    title, ax
        As in `merged_trend`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"figure": ["merged_created_by_copilot"], "label": ["Opened"],
    ...     "numerator": [2], "denominator": [8], "share": [0.25], "low": [0.1], "high": [0.6]})
    >>> [text.get_text() for text in pull_request_shares(frame).get_yticklabels()]
    ['Opened']
    """
    title = findings.pull_request_shares(frame) if title is None else title
    known = frame[frame["share"].notna()]
    if known.empty:
        return nothing(ax, title, findings.NO_SHARES_OF_COPILOT)
    texts = [f"{percent(row.share)} of {number(row.denominator)}" for row in known.itertuples()]
    return share_bars(
        known,
        known["label"],
        "share",
        texts,
        title=title,
        subtitle=joined("What Copilot did, and of how many", period),
        notes=["A share says how much passes through Copilot, not whether it helps."],
        ax=ax,
    )


@styled
def suggestions_by_type(
    frame: pd.DataFrame, *, period: str = "", title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw which share of Copilot's review suggestions was applied, the most frequent type first.

    Parameters
    ----------
    frame
        Frame of `metrics.suggestions_by_type` of one period: one row per type with
        ``comment_type``, ``total_copilot_suggestions``, ``share``, ``low``, ``high``.
    period, title, ax
        As in `pull_request_shares`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"comment_type": ["bug_risk"], "total_copilot_suggestions": [8],
    ...     "share": [0.25], "low": [0.1], "high": [0.6]})
    >>> [text.get_text() for text in suggestions_by_type(frame).get_yticklabels()]
    ['Bug risk']
    """
    title = findings.suggestions_by_type(frame) if title is None else title
    known = frame[frame["share"].notna()].head(12)
    if known.empty:
        return nothing(ax, title, findings.NO_COMMENT_TYPES)
    texts = [
        f"{percent(row.share)} of {number(row.total_copilot_suggestions)}"
        for row in known.itertuples()
    ]
    return share_bars(
        known,
        known["comment_type"],
        "share",
        texts,
        title=title,
        subtitle=joined("Share of Copilot's suggestions in reviews that were applied", period),
        ax=ax,
    )


@styled
def repositories(
    frame: pd.DataFrame,
    *,
    period: str = "",
    top: int = 12,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many pull requests were merged in each repository, and how many Copilot opened.

    Parameters
    ----------
    frame
        Frame of `metrics.pull_requests` by ``repo_id``: one row per repository with ``repo_name``,
        ``pull_requests_total_merged``, ``pull_requests_total_merged_created_by_copilot``.
    period
        The days that the frame is about, for the subtitle; see `covered_text`.
    top
        How many bars to draw; the rest is counted in the note.
    title, ax
        As in `merged_trend`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"repo_name": ["web", "api"], MERGED: [3, 9], BY_COPILOT: [1, 2]})
    >>> [text.get_text() for text in repositories(frame).get_yticklabels()]
    ['api', 'web']
    """
    title = findings.repositories(frame) if title is None else title
    known = frame[frame[MERGED].fillna(0) > 0]
    if known.empty:
        return nothing(ax, title, findings.NO_REPOSITORIES)
    shown = known.sort_values([MERGED, "repo_name"], ascending=[False, True]).head(top)
    texts = [
        f"{number(merged)}, {number(opened)} by Copilot"
        for merged, opened in zip(shown[MERGED], shown[BY_COPILOT], strict=True)
    ]
    more = len(known) - len(shown)
    return amount_bars(
        shown,
        shown["repo_name"],
        MERGED,
        texts,
        BY_COPILOT,
        title=title,
        subtitle=joined("Merged pull requests, the dark part opened by Copilot", period),
        notes=[f"Not drawn, with fewer: {number(more)}." if more else ""],
        ax=ax,
    )


@styled
def adoption_multiplier(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how many pull requests people in an adoption phase and passive people merge.

    Parameters
    ----------
    frame
        Frame of `metrics.adoption_multiplier` of one period, after `privacy`; its last row is
        drawn.
    title, ax
        As in `merged_trend`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"multiplier": [2.0], "low": [1.5], "is_enough": [True],
    ...     "high": [2.6], "merged_per_person_day": [0.4], "phase_people": [30],
    ...     "passive_merged_per_person_day": [0.2], "passive_people": [40],
    ...     "warning": ["…"], "days": [90]})
    >>> [text.get_text() for text in adoption_multiplier(frame).get_yticklabels()]
    ['Phases 1 to 3', 'Passive']
    """
    title = findings.adoption_multiplier(frame) if title is None else title
    known = frame[frame["multiplier"].notna()]
    if known.empty:
        return nothing(ax, title, findings.NO_MULTIPLIER)
    row = known.iloc[-1]
    groups = {
        "Phases 1 to 3": (row["merged_per_person_day"], row["phase_people"]),
        "Passive": (row["passive_merged_per_person_day"], row["passive_people"]),
    }
    rates = pd.DataFrame({"rate": [rate for rate, _ in groups.values()]})
    texts = [f"{number(rate)} · {people(count)}" for rate, count in groups.values()]
    return amount_bars(
        rates,
        list(groups),
        "rate",
        texts,
        title=title,
        subtitle=f"Merged pull requests per person and active day, {number(row['days'])} days",
        notes=[row["warning"]],
        ax=ax,
    )
