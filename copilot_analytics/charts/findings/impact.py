"""Sentences about a change from a date on: the answer and the titles of charts."""

from __future__ import annotations

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.charts.findings.common import NO_PEOPLE, listed, nothing_to_show
from copilot_analytics.charts.words import counted, day_text, number, percent, plain, signed, verb

NO_WEEKS = (
    "There is no whole week with enough people to show before the date, or none after it: a "
    "comparison needs four weeks on each side."
)
NO_COMPARISON = "Without a comparison group there is no difference to show."
NO_PLACEBOS = "There are fewer than four whole weeks before the date, or none after it."
WHAT_TO_GIVE = (
    "Give the first day of a training or roll-out as event_date, and the team it was for as "
    "treated_team."
)


def measure_text(measure: str) -> str:
    """Return what is compared, in words.

    >>> measure_text("active_days")
    'active days per person and working day'
    """
    label = catalogue.label(measure)
    is_name = label[:2].isupper()  # such as AI credits
    return f"{label if is_name else label[:1].lower() + label[1:]} per person and working day"


def group_name(found: pd.DataFrame) -> str:
    """Return how the treated people are called, in the frame of `metrics.impact`."""
    row = found.iloc[0]
    if row["team"]:
        return f"team {plain(row['team'], 30)}"
    others = row["comparison_people"]  # missing where too few people are left to compare with
    return "everybody" if pd.notna(others) and others == 0 else "the people given"


def impact(found: pd.DataFrame) -> str:
    """Answer in two or three sentences whether something changed from the date on.

    Parameters
    ----------
    found
        Frame of `metrics.impact`, after `privacy`.

    Returns
    -------
    str
        What is missing, where nothing can be concluded. Where people were compared with others, and
        all checks passed, how large the difference is and how sure.

    Examples
    --------
    >>> impact(pd.DataFrame({"date": [pd.NaT], "is_dry_run": [True]}))[:37]
    'There are no records of people in thi'
    """
    row = found.iloc[0]
    if pd.isna(row["date"]):
        return NO_PEOPLE
    if row["is_dry_run"]:
        return _dry_run(found)
    if row["outcome"] == "cannot conclude":
        reasons = listed(str(row["reasons"]).split("; "))
        who = group_name(found)
        about = f"in {who}" if row["team"] else f"for {who}"
        return (
            f"Nothing can be concluded about {measure_text(row['measure'])} {about} from "
            f"{day_text(row['date'])} on: {reasons}."
        )
    return _concluded(found, row)


def _dry_run(found: pd.DataFrame) -> str:
    row = found.iloc[0]
    said = f"No date was given, so nothing is concluded. {WHAT_TO_GIVE}"
    if pd.isna(row["estimate"]):
        return said
    return (
        f"{said} Until then this page is a dry run: it compares {group_name(found)} around "
        f"{day_text(row['date'])}, the middle of the data, where nothing is known to have happened."
    )


def _concluded(found: pd.DataFrame, row: pd.Series) -> str:
    who, what = group_name(found), measure_text(row["measure"])
    interval = f"95% interval {_signed(row['low'])} to {_signed(row['high'])}"
    if row["outcome"] == "no effect found":
        return (
            f"No effect found: from {day_text(row['date'])} on, {what} changed by "
            f"{_signed(row['estimate'])} in {who} compared with all others ({interval}). A true "
            f"effect of less than {number(row['smallest_found'])} would often go unseen."
        )
    word = "rose" if row["outcome"] == "increase" else "fell"
    share, way = row["relative_change"], "more" if row["outcome"] == "increase" else "less"
    relative = f", {percent(abs(share))} {way} than the others' change lets expect"
    relative = "" if pd.isna(share) else relative
    size = number(abs(round(row["estimate"], 2)))
    return (
        f"From {day_text(row['date'])} on, {what} {word} by {size} in {who} "
        f"compared with all others ({interval}){relative}. This is an effect of the date only if "
        "nothing else happened to one of the groups then."
    )


def _signed(value: float) -> str:
    return signed(round(value, 2))


def event_study(frame: pd.DataFrame, found: pd.DataFrame) -> str:
    """Say how the two groups changed from before to after the date."""
    row = found.iloc[0]
    if pd.isna(row["treated_after"]):
        return nothing_to_show("the weeks before and after a date")
    who = group_name(found)
    said = f"{who[0].upper()}{who[1:]} went from {_pair(row, 'treated')}"
    if pd.isna(row["comparison_after"]):
        return f"{said} {measure_text(row['measure'])}"
    return f"{said} {measure_text(row['measure'])}, all others from {_pair(row, 'comparison')}"


def _pair(row: pd.Series, group: str) -> str:
    return f"{number(row[f'{group}_before'])} to {number(row[f'{group}_after'])}"


def trend_before(found: pd.DataFrame) -> str:
    """Say whether the groups moved alike before the date."""
    row = found.iloc[0]
    if pd.isna(row["trend_low"]):
        return nothing_to_show("the difference between the groups")
    if row["trend_low"] <= 0 <= row["trend_high"]:
        return "Before the date, the difference between the groups had no clear trend"
    way = "grew" if row["trend"] > 0 else "fell"
    return f"The difference between the groups {way} before the date already"


def placebo_dates(found: pd.DataFrame) -> str:
    """Say how many earlier dates have an estimate as large as the date."""
    row = found.iloc[0]
    if pd.isna(row["placebos"]) or not row["placebos"]:
        return nothing_to_show("the same comparison at earlier dates")
    if pd.isna(row["placebos_as_large"]):
        return nothing_to_show("the same comparison at earlier dates")
    count = int(row["placebos_as_large"])
    number_of = "None" if count == 0 else number(count)
    dates = counted(row["placebos"], "earlier date")
    shown = f"{number_of} of {dates} {verb(count, 'shows', 'show')} as large a difference"
    # Not over all weeks: earlier dates must not use data of after the date.
    return f"{shown} over {counted(row['placebo_weeks'], 'week')}"


def series_breaks_between(found: pd.DataFrame) -> str:
    """Say which known changes of GitHub's counting lie in the weeks compared.

    >>> series_breaks_between(pd.DataFrame({"series_breaks": ["CLI joins the totals"]}))
    'Known changes in how GitHub counts in these weeks: CLI joins the totals'
    """
    names = found["series_breaks"].iloc[0]
    if not names:
        return "No known change in how GitHub counts falls in these weeks"
    return f"Known changes in how GitHub counts in these weeks: {listed(names.split('; '))}"
