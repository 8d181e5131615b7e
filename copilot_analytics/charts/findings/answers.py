"""The sentences that open a report: the answer to its question."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import NO_PEOPLE, listed
from copilot_analytics.charts.words import limits_text, number, people, percent, with_limits

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
    row = headline.set_index("figure").loc["share_of_people_seen"]
    if not period or pd.isna(row["numerator"]) or pd.isna(row["denominator"]):
        return NO_PEOPLE
    verb = "was" if row["numerator"] == 1 else "were"
    first = (
        f"{number(row['numerator'])} of {people(row['denominator'])} seen {verb} active ({period})."
    )
    reach = with_limits(surfaces)
    reach = reach[reach["surface"].isin(SURFACES) & reach["at_least"].notna()]
    parts = [f"{limits_text(row)} {SURFACES[row.surface]}" for row in reach.itertuples()]
    return f"{first} Of the active people, {listed(parts)}." if parts else first


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
    if not period or pd.isna(days["value"]):
        return NO_PEOPLE
    unit = "day" if days["value"] == 1 else "days"
    first = f"Half of the {people(days['people'])} who were active used Copilot on "
    first += f"{number(days['value'])} {unit} or more ({period})."
    share = percent(top["value"])
    second = f" {share} of prompts come from the tenth of people with most."
    return first if pd.isna(top["value"]) else first + second
