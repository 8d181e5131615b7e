"""The sentences that open a report: the answer to its question."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import NO_PEOPLE, listed
from copilot_analytics.charts.words import (
    counted,
    limits_text,
    number,
    people,
    percent,
    verb,
    with_limits,
)

# The surfaces that an answer names, and how a sentence says that people used them.
SURFACES = {
    "agent_mode": "used agent mode",
    "cli": "used the CLI",
    "app": "used the Copilot app",
}


def adoption(headline: pd.DataFrame, surfaces: pd.DataFrame, period: str) -> str:
    """Answer in two sentences whether Copilot is being adopted.

    Parameters
    ----------
    headline
        Frame of `metrics.headline`, after `privacy`.
    surfaces
        Frame of `metrics.surfaces` of the same days, after `privacy`.
    period
        These days in words; see `covered_text`.

    Returns
    -------
    str
        What is missing, where there is nothing to answer with.
    """
    rows = headline.set_index("figure")[["numerator", "denominator"]]
    active, seen = rows.loc["share_of_people_seen"]
    if pd.isna(active):  # also where too few people are not active
        active, seen = rows.loc["active_people", "numerator"], pd.NA
    if not period or pd.isna(active):
        return NO_PEOPLE
    if not active:
        return _nobody(period)
    who = people(active) if pd.isna(seen) else f"{number(active)} of {people(seen)} seen"
    first = f"{who} {verb(active, 'was', 'were')} active ({period})."
    reach = with_limits(surfaces)
    reach = reach[reach["surface"].isin(SURFACES) & reach["at_least"].notna()]
    parts = [f"{limits_text(row)} {SURFACES[row.surface]}" for row in reach.itertuples()]
    return f"{first} Of the active people, {listed(parts)}." if parts else first


def _nobody(period: str) -> str:
    return f"Nobody was active ({period})."


def engagement(headline: pd.DataFrame, period: str) -> str:
    """Answer in two sentences how people engage with Copilot.

    Parameters
    ----------
    headline
        Frame of `metrics.engagement_headline`, after `privacy`.
    period
        Its days in words; see `covered_text`.

    Returns
    -------
    str
        What is missing, where there is nothing to answer with.
    """
    rows = headline.set_index("figure")
    days, top = rows.loc["median_active_days"], rows.loc["top_decile_share_of_interactions"]
    if period and pd.notna(days["people"]) and days["people"] == 0:
        return _nobody(period)
    if not period or pd.isna(days["value"]):
        return NO_PEOPLE
    used = f"used Copilot on {counted(days['value'], 'day')}"
    # Whole numbers are often shared: those with the median itself make more than a half.
    first = f"At least half of the {people(days['people'])} who were active {used} or more"
    first = f"{first if days['people'] > 1 else f'1 person was active and {used}'} ({period})."
    share = percent(top["value"])
    second = f" {share} of prompts come from the tenth of people with most."
    return first if pd.isna(top["value"]) else first + second
