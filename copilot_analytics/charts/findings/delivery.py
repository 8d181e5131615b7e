"""Sentences about pull requests: the answer, and titles of charts."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import leading, name, named, nothing_to_show
from copilot_analytics.charts.words import counted, percent, plain, verb

MERGED, BY_COPILOT = "pull_requests_total_merged", "pull_requests_total_merged_created_by_copilot"
NO_PULL_REQUESTS = (
    "There are no figures of pull requests in this period. They are in the reports on the whole "
    "organization or enterprise (since February 2026): get them with copilot-analytics sync. "
    "Reports on people and on teams do not have them."
)
NO_MERGES = "GitHub reported pull requests for this period, and none of them was merged."
NO_SHARES_OF_COPILOT = "GitHub reported nothing in this period of which Copilot could have a share."
NO_MERGE_TIMES = (
    "GitHub reported no time to merge in this period: no pull request was merged, or there are no "
    "figures of pull requests."
)
NO_REPOSITORIES = (
    "There are no reports on repositories in this period. GitHub makes them since July 2026, in "
    "the report repos-1-day: get it with copilot-analytics sync."
)
NO_REVIEW_TIMES = (
    "No review times were reported in this period, or of too few pull requests. They are in the "
    "reports on repositories since 25 September 2026."
)
NO_COMMENT_TYPES = (
    "No suggestions of Copilot by type were reported in this period (GitHub does so since 8 May "
    "2026)."
)
NO_MULTIPLIER = (
    "GitHub reported no pull requests per adoption phase in this period, passive people merged "
    "none, or the groups are too small to show."
)


def minutes(value: float) -> str:
    """Return a time in words that fit its length.

    >>> minutes(42), minutes(150), minutes(4000)
    ('42 minutes', '2.5 hours', '2.8 days')
    """
    for length, unit in ((1440, "day"), (60, "hour")):
        if value >= 2 * length:
            return counted(round(value / length, 1), unit)
    return counted(round(value), "minute")


def delivery_answer(headline: pd.DataFrame, period: str) -> str:
    """Answer in two sentences at how many pull requests Copilot takes part.

    Parameters
    ----------
    headline
        Frame of `metrics.delivery_headline`.
    period
        Its days in words; see `covered_text`.

    Returns
    -------
    str
        What is missing, where there is nothing to answer with.
    """
    rows = headline.set_index("figure")
    merged = rows.loc["merged", "value"]
    if not period or pd.isna(merged):
        return NO_PULL_REQUESTS
    sentences = [f"{_merged(merged)} ({period})."]
    parts = [
        f"{did} {percent(rows.loc[figure, 'value'])}"
        for figure, did in (
            ("merged_created_by_copilot", "opened"),
            ("merged_reviewed_by_copilot", "reviewed"),
        )
        if pd.notna(rows.loc[figure, "value"])
    ]
    if parts:
        sentences.append(f"Copilot {' and '.join(parts)} of {verb(merged, 'it', 'them')}.")
    return " ".join(sentences)


def _merged(count: float) -> str:
    return f"{counted(count, 'pull request')} {verb(count, 'was', 'were')} merged"


def merged_trend(frame: pd.DataFrame) -> str:
    """Say how many pull requests were merged in all weeks, and which share Copilot opened."""
    known = frame[frame[MERGED].notna()]
    merged, weeks = known[MERGED].sum(), counted(len(known), "week")
    if not merged:
        return nothing_to_show("merged pull requests")
    if known[BY_COPILOT].isna().any():
        return f"{_merged(merged)} in {weeks}"
    share = percent(known[BY_COPILOT].sum() / merged)
    return f"Copilot opened {share} of {counted(merged, 'pull request')} merged in {weeks}"


def pull_request_shares(frame: pd.DataFrame) -> str:
    """Say which share of merged pull requests Copilot reviewed, or opened."""
    known = frame[frame["share"].notna()].set_index("figure")["share"]
    for figure, did in (
        ("merged_reviewed_by_copilot", "reviewed"),
        ("merged_created_by_copilot", "opened"),
    ):
        if figure in known.index:
            return f"Copilot {did} {percent(known[figure])} of the merged pull requests"
    return "Where Copilot took part" if len(known) else nothing_to_show("shares of Copilot")


def merge_times(frame: pd.DataFrame) -> str:
    """Say between which times the daily medians of all pull requests lie."""
    known = frame[frame["kind"] == "all"]
    if known.empty:
        return nothing_to_show("times to merge")
    low, high = known["lowest_median_minutes"].min(), known["highest_median_minutes"].max()
    if low == high:
        return f"The median time from opening to merging was {minutes(low)}"
    return f"Daily medians from opening to merging: {minutes(low)} to {minutes(high)}"


def repositories(frame: pd.DataFrame) -> str:
    """Say which repository merged most, and of how many."""
    known = frame[frame[MERGED].fillna(0) > 0]
    if known.empty:
        return nothing_to_show("merged pull requests of repositories")
    top, merged = leading(known, MERGED), known[MERGED].sum()
    where = named([plain(repository, 30) for repository in top["repo_name"]], 3)
    count = counted(len(known), "repository", "repositories")
    said = f"{count} merged {counted(merged, 'pull request')}"
    if len(known) == 1:
        return f"{said}: {where}"
    each = "each in" if len(top) > 1 else "of them in"
    return f"{said}, {percent(top[MERGED].iloc[0] / merged)} {each} {where}"


def review_times(frame: pd.DataFrame) -> str:
    """Say between which times the medians to the first review lie."""
    known = frame[frame["step"] == "ready_to_first_review"]
    if known.empty:
        return nothing_to_show("times of reviews")
    low, high = known["lowest_median_minutes"].min(), known["highest_median_minutes"].max()
    if low == high:
        return f"The median wait for the first review was {minutes(low)}"
    return f"The median wait for the first review lay between {minutes(low)} and {minutes(high)}"


def suggestions_by_type(frame: pd.DataFrame) -> str:
    """Say which type of suggestion Copilot made most often, and how often it was applied."""
    known = frame[frame["total_copilot_suggestions"].fillna(0) > 0]
    if known.empty:
        return nothing_to_show("suggestions of Copilot by type")
    top = leading(known, "total_copilot_suggestions")
    said = "Most frequent suggestions: "
    said += named([name("comment_type", row) for _, row in top.iterrows()], 3)
    if len(top) > 1 or pd.isna(top["share"].iloc[0]):
        return said
    return f"{said}, {percent(top['share'].iloc[0])} of them applied"


def adoption_multiplier(frame: pd.DataFrame) -> str:
    """Say how many times as many pull requests people in a phase merge, with the interval."""
    known = frame[frame["multiplier"].notna()]
    if known.empty:
        return nothing_to_show("pull requests per adoption phase")
    row = known.iloc[-1]
    first = f"People in phases 1 to 3 merged {row['multiplier']:.2f} times as many pull requests "
    first += "per active day as passive ones"
    if pd.notna(row["low"]):
        first += f" (95% interval {row['low']:.2f} to {row['high']:.2f})"
    if not row["is_enough"] or pd.isna(row["low"]):
        return f"{first}: too little to conclude from"
    return f"{first}: no clear difference" if row["low"] <= 1 <= row["high"] else first
