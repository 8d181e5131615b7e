"""Sentences about AI credits and tokens: the answer, and titles of charts."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import listed, nothing_to_show
from copilot_analytics.charts.words import MONTHS, counted, day_text, number, people, percent, verb

NO_CREDITS = (
    "No AI credits were reported in this period, or of fewer people than may be shown. GitHub "
    "reports them per person since 19 June 2026, in the reports on people; those on a whole "
    "organization or enterprise do not have them. Missing credits are not 0 credits."
)
NO_FORECAST = (
    "Credits of too few days are known to forecast the month, and not of every day of it so far. "
    "Some weeks of history are needed."
)
NO_TOKENS = (
    "GitHub reported no tokens of the CLI or the Copilot app in this period, or of too few people."
)
NO_TEAM_CREDITS = (
    "There are no credits of teams to show: no reports on teams in this period, no credits, or "
    "teams of too few people."
)


def credits_answer(headline: pd.DataFrame, forecast: pd.DataFrame, period: str) -> str:
    """Answer in two sentences how many credits are used, and where the month is heading.

    Parameters
    ----------
    headline
        Frame of `metrics.credits_headline`, after `privacy`.
    forecast
        Frame of `metrics.credits_forecast`, after `privacy`.
    period
        The days of the headline in words; see `covered_text`.

    Returns
    -------
    str
        What is missing, where there is nothing to answer with.
    """
    rows = headline.set_index("figure")
    credits, who = rows.loc["credits", "value"], rows.loc["people_with_credits", "value"]
    if not period or pd.isna(credits) or pd.isna(who):
        return NO_CREDITS
    usd = rows.loc["usd", "value"]
    value = f"{number(usd) if usd >= 100 else f'{usd:.2f}'} USD at the price of a credit"
    first = f"{people(who)} used {counted(credits, 'AI credit')}, worth {value} ({period})."
    known = forecast[forecast["cumulative"].notna()]
    if known.empty or forecast["outcome"].iloc[0] == "not enough days":
        return first
    return f"{first} {credits_forecast(forecast)}."


def credits_forecast(frame: pd.DataFrame) -> str:
    """Say how many credits the month is expected to take, or took, or why nobody can tell."""
    known = frame[frame["cumulative"].notna()]
    if known.empty:
        return nothing_to_show("the credits of the month")
    month = f"{MONTHS[frame['day'].iloc[-1].month - 1]} {frame['day'].iloc[-1].year}"
    last = frame.iloc[-1]
    if last["outcome"] == "not enough days":
        used = counted(known["cumulative"].iloc[-1], "credit")
        return f"{used} so far in {month}; too few days are known for a forecast"
    if last["outcome"] == "complete":
        return f"{month} took {counted(last['cumulative'], 'credit')}"
    span = f"{rounded(last['low'])} to {rounded(last['high'])}"
    return f"{month} is heading for {_credits(last['cumulative'])} ({span})"


def rounded(value: float) -> str:
    """Return an estimate with as many digits as it deserves.

    >>> rounded(65324.46), rounded(8.2)
    ('65,300', '8.2')
    """
    return number(float(f"{value:.3g}"))


def _credits(value: float) -> str:
    return f"{rounded(value)} {verb(float(f'{value:.3g}'), 'credit', 'credits')}"


def credits_trend(frame: pd.DataFrame) -> str:
    """Say between which amounts the whole weeks lie."""
    known = frame["credits"].dropna()
    if known.empty:
        return nothing_to_show("credits per week")
    low, high = rounded(known.min()), _credits(known.max())
    return f"{high} in a week" if high.startswith(f"{low} ") else f"{low} to {high} in a week"


def tokens_trend(frame: pd.DataFrame) -> str:
    """Say how many tokens a request took in the last of these weeks, per client used in it."""
    known = frame[frame["tokens_per_request"].notna()]
    if known.empty:
        return nothing_to_show("tokens per request")
    last = known[known["week"] == known["week"].max()].sort_values("client_number")
    parts = [f"{rounded(row.tokens_per_request)} in the {row.label}" for row in last.itertuples()]
    return f"Tokens per request in the week from {day_text(last['week'].iloc[0])}: {listed(parts)}"


def team_credits(frame: pd.DataFrame) -> str:
    """Say how many of the teams used credits, and that they must not be added up.

    >>> team_credits(pd.DataFrame({"ai_credits_used": [20.0, 0.0, None]}))
    'At least 1 of 3 teams uses credits; people of several teams count in each'
    """
    credits = frame["ai_credits_used"]
    count = int((credits.fillna(0) > 0).sum())
    if not count:
        return nothing_to_show("credits per team")
    least = "At least " if credits.isna().any() else ""
    of_all = f"{number(count)} of {counted(len(frame), 'team')} {verb(count, 'uses', 'use')}"
    return f"{least}{of_all} credits; people of several teams count in each"


def credits_coverage(frame: pd.DataFrame, period: str = "", minimum: int = 5) -> str:
    """Say on how many records credits were reported, and not which few records are different.

    Fewer than `minimum` records may be those of a single person, or of one person each.

    >>> row = {"records": [20], "records_with_credits": [8], "records_without_telemetry": [2]}
    >>> credits_coverage(pd.DataFrame(row))
    '40% of 20 records of a person and day have credits; fewer than 5 do not tell what was done'
    """
    row = frame.iloc[0]
    if pd.isna(row["records"]) or row["records"] == 0:
        return nothing_to_show("records of people")
    known, alone = (
        _part_text(row[name], row["records"], minimum)
        for name in ("records_with_credits", "records_without_telemetry")
    )
    about = f"{counted(row['records'], 'record')} of a person and day"
    about += f" ({period})" if period else ""
    has, does = verb(row["records"], "has", "have"), verb(row["records"], "does", "do")
    return f"{known} of {about} {has} credits; {alone} {does} not tell what was done"


def _part_text(part: int, whole: int, minimum: int) -> str:
    if 0 < part < minimum:
        return f"fewer than {minimum}"
    return f"all but fewer than {minimum}" if 0 < whole - part < minimum else percent(part / whole)
