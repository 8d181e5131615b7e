"""Sentences about the data themselves: can they be trusted?"""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import NO_DAYS, NO_PEOPLE, listed, nothing_to_show
from copilot_analytics.charts.words import day_text, number, people, percent

NO_CHECKS = "There are not two reports of one day that could be compared."
DAILY, MONTHLY = "daily active people", "monthly active people"


def quality(summary: pd.DataFrame, coverage: pd.DataFrame, period: str) -> str:
    """Answer in a few sentences whether the numbers agree with each other.

    Parameters
    ----------
    summary
        Frame of `metrics.reconciliation_summary`.
    coverage
        Frame of `metrics.coverage`.
    period
        The days in words; see `covered_text`.

    Returns
    -------
    str
        What is missing, where nothing can be compared.
    """
    if not period:
        return f"{NO_DAYS} {NO_PEOPLE}"
    counts = summary["outcome"].value_counts()
    holds, by_design, fails = (
        int(counts.get(name, 0)) for name in ("holds", "differs by design", "fails")
    )
    measured = holds + by_design + fails
    lacking = "" if "users" in set(coverage["family"]) else f" {NO_PEOPLE}"
    if not measured:
        return f"{NO_CHECKS[:-1]} ({period}).{lacking}"
    parts = [f"{number(holds)} of {number(measured)} checks hold ({period})"]
    if by_design:
        parts.append(
            f"{number(by_design)} differ{'s' if by_design == 1 else ''} for a known reason"
        )
    parts.append(f"{number(fails)} fail{'s' if fails == 1 else ''}" if fails else "none fails")
    text = f"{listed(parts)}."
    if fails:
        worst = summary.loc[summary["outcome"] == "fails", "check"].iloc[0]
        text += f" The first that fails: “{worst}”."
    return text + lacking


def reconciliation(summary: pd.DataFrame) -> str:
    """Say what the table of checks shows first."""
    if (summary["outcome"] == "not measured").all():
        return NO_CHECKS
    fails = summary[summary["outcome"] == "fails"]
    if fails.empty:
        return "No check fails"
    rows = "1 check" if len(fails) == 1 else f"{number(len(fails))} checks"
    return f"{rows} failed"


def definition_gaps(frame: pd.DataFrame) -> str:
    """Say how far the definitions of active are apart, and what GitHub reports."""
    for figure, words in ((DAILY, "on a day"), (MONTHLY, "in a month")):
        rows = frame[(frame["figure"] == figure) & frame["value"].notna()]
        if len(rows):
            low, high = round(rows["value"].min()), round(rows["value"].max())
            span = number(low) if low == high else f"{number(low)} to {number(high)}"
            text = f"By definition, {span} people are active {words}"
            reported = rows["reported"].dropna()
            return (
                f"{text}; GitHub reports {number(round(reported.iloc[0]))}"
                if len(reported)
                else text
            )
    return nothing_to_show("active people")


def reduced_records(frame: pd.DataFrame) -> str:
    """Say how large the share of records without telemetry was in the last whole period."""
    known = frame[frame["share"].notna()]
    if known.empty:
        return nothing_to_show("records of people")
    reduced, records = known["reduced"].sum(), known["records"].sum()
    if not reduced:
        return "Every record of a person tells what was done"
    return f"{percent(reduced / records)} of the records of people have credits only"


def outdated_clients(frame: pd.DataFrame) -> str:
    """Say which clients are most often too old to be counted in full."""
    known = frame[frame["share"].notna()]
    if known.empty:
        return "No versions of clients are known, or of too few people to show"
    top = known.sort_values("share", ascending=False, kind="stable").iloc[0]
    if not top["share"]:
        return "No client is older than the versions that GitHub counts in full"
    return (
        f"{percent(top['share'])} of {people(top['people_known'])} with {top['client']} are below "
        f"the minimum for {top['measure']}"
    )


def level_shifts(frame: pd.DataFrame) -> str:
    """Say when a series changed its level, and whether counting may be the cause."""
    if frame.empty:
        return (
            "The number of active people kept its level but for weekdays, or there are too few days"
        )
    parts = []
    for row in frame.itertuples():
        word = "rose" if row.relative_change > 0 else "fell"
        text = f"on {day_text(row.day)} it {word} by {percent(abs(row.relative_change))}"
        parts.append(f"{text} (near “{row.series_break}”)" if row.is_near_series_break else text)
    return f"The number of active people changed its level: {listed(parts)}"


def series_breaks(frame: pd.DataFrame) -> str:
    """Say how many known changes of the counting fall into the period."""
    if frame.empty:
        return "GitHub made no known change to its counting in this period"
    changes = "1 known change" if len(frame) == 1 else f"{number(len(frame))} known changes"
    return f"GitHub made {changes} to its counting in this period"


def restated_figures(frame: pd.DataFrame) -> str:
    """Say how many days GitHub changed at most, how far and how late."""
    if frame.empty:
        return "No day was fetched in two versions that differ"
    known = frame[frame["days"].notna()]
    if known.empty:
        return "GitHub changed figures after it first gave them, of too few people to show"
    days = known["days"].max()
    first = f"GitHub changed figures of {number(days)} {'day' if days == 1 else 'days'} later"
    late = known["days_after"].max()
    return f"{first}, up to {number(late)} {'day' if late == 1 else 'days'} after the day’s end"


def unknown_fields(frame: pd.DataFrame) -> str:
    """Say how many fields are not described."""
    if frame.empty:
        return "Every field of the reports is known"
    fields = "1 field is" if len(frame) == 1 else f"{number(len(frame))} fields are"
    return f"{fields} not described here; their values are kept in the column extra"
