"""Titles of the charts on whether people stay, and how often they are there."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import listed, nothing_to_show, settled
from copilot_analytics.charts.words import (
    MONTHS,
    counted,
    day_text,
    number,
    people,
    percent,
    verb,
    with_limits,
)

NO_COHORTS = (
    "Nobody can be followed from one whole period to the next in these data, or the groups are too "
    "small to show."
)
NO_SURVIVAL = (
    "A stop is seen only after a long absence. These data are too short to tell who stays, or the "
    "groups are too small to show."
)
# What the two kinds of start are called, people of whom the data do not show the start first.
STARTS = {True: "there from the start", False: "started later"}
MONTH = 28  # days after which a curve is read off, if it reaches that far


def retention(frame: pd.DataFrame, unit: str) -> str:
    """Say how many of those who started were active in the next period, from cohort to cohort.

    >>> frame = pd.DataFrame({"cohort": pd.to_datetime(["2026-11-02", "2026-11-09"]), "offset": 1,
    ...     "people": [20, 40], "share": [0.5, 0.75], "is_left_censored": False})
    >>> retention(frame, "week")
    '50% to 75% of those who started in one of 2 weeks were active in the week after (60 people)'
    >>> retention(frame.head(1), "week")
    '50% of 20 people who started in the week from 2 Nov 2026 were active in the week after'
    """
    frame = with_limits(frame)
    after = frame[(frame["offset"] == 1) & frame["at_least"].notna()]
    started = after[~after["is_left_censored"].fillna(False).astype(bool)]
    if after.empty:
        return f"Which share of people was active again, {unit} by {unit}"
    rows = after if started.empty else started
    low, high = percent(rows["at_least"].min()), percent(rows["at_most"].max())
    span = low if low == high else f"{low} to {high}"
    count = rows["people"].sum()
    if len(rows) > 1:
        who = f"those who started in one of {counted(len(rows), unit)}"
        return f"{span} of {who} were active in the {unit} after ({people(count)})"
    who = f"{people(count)} of the first {unit}"
    if len(started):
        who = f"{people(count)} who started {_when(rows['cohort'].iloc[0], unit)}"
    return f"{span} of {who} {verb(count, 'was', 'were')} active in the {unit} after"


def _when(start: pd.Timestamp, unit: str) -> str:
    if unit == "month":
        return f"in {MONTHS[start.month - 1]} {start.year}"
    return f"on {day_text(start)}" if unit == "day" else f"in the week from {day_text(start)}"


def survival(frame: pd.DataFrame) -> str:
    """Say which share still used Copilot four weeks after the first use, and how sure that is.

    >>> frame = pd.DataFrame({"is_left_censored": False, "days": [0, 28], "survival": [1.0, 0.8],
    ...     "at_risk": [30, 20], "low": [None, 0.6], "high": [None, 0.9]})
    >>> survival(frame)
    'After 28 days 80% of 30 people who started later (95% interval 60% to 90%) still used Copilot'
    """
    known = frame[frame["survival"].notna()]
    ends = known.groupby("is_left_censored")["days"].max()
    if ends.empty or ends.max() == 0:
        return nothing_to_show("how long people stay")
    after = min(MONTH, ends[ends > 0].min())
    rows = known[known["days"] == after].set_index("is_left_censored")
    began = known.groupby("is_left_censored")["at_risk"].max()
    parts, is_named = [], False
    for kind, words in STARTS.items():
        if kind not in rows.index:
            continue
        row = rows.loc[kind]
        part = (
            f"{percent(row['survival'])} of {people(began[kind])} {'' if kind else 'who '}{words}"
        )
        if pd.notna(row["low"]) and pd.notna(row["high"]):
            about = "" if is_named else "95% interval "
            part += f" ({about}{percent(row['low'])} to {percent(row['high'])})"
            is_named = True
        parts.append(part)
    return f"After {counted(after, 'day')} {listed(parts)} still used Copilot"


def stickiness(frame: pd.DataFrame, coverage: pd.DataFrame | None = None) -> str:
    """Say on how many days a person of the longest window was active.

    >>> frame = pd.DataFrame({"window": 28, "day": pd.to_datetime(["2026-11-02"]), "days": 28,
    ...     "people": [40], "person_days": [400], "stickiness": 0.357, "is_complete_window": True})
    >>> stickiness(frame)
    'On average an active person used Copilot on 10 of the 28 days to 2 Nov 2026'
    """
    frame = settled(frame, coverage)
    frame = frame[frame["is_complete_window"].fillna(False) & frame["stickiness"].notna()]
    if frame.empty:
        return nothing_to_show("on how many days people are active")
    row = frame[frame["window"] == frame["window"].max()].sort_values("day").iloc[-1]
    mean = number(row["person_days"] / row["people"])
    return (
        f"On average an active person used Copilot on {mean} of the {number(row['days'])} days "
        f"to {day_text(row['day'])}"
    )
