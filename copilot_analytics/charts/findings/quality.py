"""Sentences about the data themselves: can they be trusted?"""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import NO_DAYS, NO_PEOPLE, listed, nothing_to_show
from copilot_analytics.charts.words import counted, day_text, number, people, percent, verb

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
    checks = counted(measured, "check")
    parts = [f"{number(holds)} of {checks} {verb(holds, 'holds', 'hold')} ({period})"]
    if by_design:
        differ = verb(by_design, "differs", "differ")
        parts.append(f"{number(by_design)} {differ} for a known reason")
    parts.append(f"{number(fails)} {verb(fails, 'fails', 'fail')}" if fails else "none fails")
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
    return f"{counted(len(fails), 'check')} failed"


def definition_gaps(frame: pd.DataFrame) -> str:
    """Say how far the definitions of active are apart, and what GitHub reports."""
    for figure, words in ((DAILY, "on an average day"), (MONTHLY, "in 28 days")):
        rows = frame[(frame["figure"] == figure) & frame["value"].notna()]
        if len(rows):
            low, high = _mean(rows["value"].min()), _mean(rows["value"].max())
            is_one = low == high
            span = people(high) if is_one else f"{number(low)} to {people(high)}"
            by = "by every definition shown" if is_one else "depending on the definition"
            text = f"{span} {verb(low, 'is', 'are') if is_one else 'are'} active {words}, {by}"
            reported = rows["reported"].dropna()
            ours = f"; GitHub reports {number(_mean(reported.iloc[0]))}" if len(reported) else ""
            return f"{text}{ours}"
    return nothing_to_show("active people")


def _mean(value: float) -> float:
    """Return a mean number of people as a sentence gives it: with a decimal where they are few."""
    return round(value, 1) if value < 10 else round(value)


def reduced_records(frame: pd.DataFrame) -> str:
    """Say how many of the records of people tell nothing of what was done."""
    known = frame[frame["share"].notna()]
    if known.empty:
        return nothing_to_show("records of people")
    reduced, records = known["reduced"].sum(), known["records"].sum()
    # Weeks with few such people are hidden, so what is left may not stand for all of them.
    of_which = f" in the {counted(len(known), 'week')} shown" if len(known) < len(frame) else ""
    if not reduced:
        return f"Every record of a person{of_which} tells what was done"
    many = f"{counted(records, 'record')} of people{of_which}"
    does = verb(records, "does", "do")
    return f"{percent(reduced / records)} of {many} {does} not tell what was done"


def outdated_clients(frame: pd.DataFrame) -> str:
    """Say which clients are most often too old to be counted in full."""
    known = frame[frame["share"].notna()]
    if known.empty:
        return "No versions of clients are known, or of too few people to show"
    top = known.sort_values("share", ascending=False, kind="stable").iloc[0]
    if not top["share"]:
        shown = "" if len(known) == len(frame) else " that can be shown"
        return f"No client{shown} is older than the versions that GitHub counts in full"
    return (
        f"{percent(top['share'])} of {people(top['people_known'])} with {top['client']} last used "
        f"a version below the minimum for {top['measure']}"
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
    return f"GitHub made {counted(len(frame), 'known change')} to its counting in this period"


def restated_figures(frame: pd.DataFrame) -> str:
    """Say of how many days GitHub changed figures, and how late a change was seen.

    >>> restated_figures(pd.DataFrame({"days": [3], "days_after": [38]}))
    'GitHub has changed figures of 3 days; a change was seen up to 38 days after the day’s end'
    """
    if frame.empty:
        return "No day was fetched in two versions that differ"
    known = frame[frame["days"].notna()]
    if known.empty:
        return "GitHub changed figures after it first gave them, of too few people to show"
    # The figures of several rows need not have changed on the same days.
    least = "at least " if len(frame) > 1 else ""
    days = counted(known["days"].max(), "day")
    late = counted(known["days_after"].max(), "day")
    # When GitHub changed them is not known, only when the archive fetched the changed version.
    seen = f"a change was seen up to {late} after the day’s end"
    return f"GitHub has changed figures of {least}{days}; {seen}"


def unknown_fields(frame: pd.DataFrame) -> str:
    """Say how many fields are not described."""
    if frame.empty:
        return "Every field of the reports is known"
    are = verb(len(frame), "is", "are")
    fields = f"{counted(len(frame), 'field')} {are} not described here"
    return f"{fields}; {verb(len(frame), 'its', 'their')} values are kept in the column extra"
