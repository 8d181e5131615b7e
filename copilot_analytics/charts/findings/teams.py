"""Sentences about teams: the answer, titles of charts, and what a table does not say itself."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from copilot_analytics.charts.findings.common import NO_PEOPLE, named, nothing_to_show
from copilot_analytics.charts.words import counted, day_text, number, percent, plain, verb

NO_TEAMS = (
    "There are no reports on teams in this period. GitHub lists the members of teams day by day "
    "since May 2026, in the report user-teams-1-day: get it with copilot-analytics sync. Teams of "
    "fewer than five people with a seat are not in it."
)
NO_SHARES = "No team has enough people to be shown."
PROMPTS = "user_initiated_interaction_count"


def teams(headline: pd.DataFrame, activity: pd.DataFrame, period: str) -> str:
    """Answer in two sentences whether all teams use Copilot.

    Parameters
    ----------
    headline
        Frame of `metrics.team_headline`, after `privacy`.
    activity
        Frame of `metrics.team_activity` of the same days, after `privacy`.
    period
        These days in words; see `covered_text`. "" where no day has records of people.

    Returns
    -------
    str
        What is missing, where there is nothing to answer with.
    """
    if activity.empty:
        return NO_TEAMS if period else f"{NO_PEOPLE} {NO_TEAMS}"
    if not period:
        return NO_PEOPLE
    rows = headline.set_index("figure")["value"]
    with_activity, share = rows["teams_with_activity"], rows["share_of_members_active"]
    if pd.isna(with_activity):
        return NO_SHARES
    used = f"{number(with_activity)} of {counted(len(activity), 'team')}"
    used += f" had active members ({period})."
    if with_activity == len(activity):
        every = "Every team" if with_activity > 1 else "The only team"
        used = f"{every} that GitHub reports had active members ({period})."
    if pd.isna(share):
        return used
    return f"{used} In all, {percent(share)} of the members of teams were active."


def team_shares(frame: pd.DataFrame) -> str:
    """Say between which shares the teams lie, of those that can be shown.

    >>> frame = pd.DataFrame({"slug": ["web", "data"], "at_least": [0.5, 0.8],
    ...                       "at_most": [0.5, 0.9]})
    >>> team_shares(frame)
    'Between 50% and 90% of the members of a team were active'
    """
    known = frame[frame["at_least"].notna()]
    if known.empty:
        return nothing_to_show("active members of teams")
    low, high = percent(known["at_least"].min()), percent(known["at_most"].max())
    share = low if low == high else f"{low} to {high}"
    if len(known) == 1:
        return f"{share} of the members of {plain(known['slug'].iloc[0], 30)} were active"
    if len(known) < len(frame):
        shown = f"{number(len(known))} of {counted(len(frame), 'team')} that can be shown"
        return f"In the {shown}, {share} of the members were active"
    if low == high:
        return f"{share} of the members of each team were active"
    return f"Between {low} and {high} of the members of a team were active"


def team_trend(frame: pd.DataFrame, open_weeks: Collection, weeks: int = 4) -> str:
    """Say how many teams have a clearly larger or smaller share of active members than before.

    Clearly: the 95% intervals do not overlap; where a share is hidden, its range is taken.

    >>> frame = pd.DataFrame({"week": pd.to_datetime(["2026-10-05", "2026-11-02"]), "team_id": 7,
    ...     "low": [0.4, 0.7], "high": [0.6, 0.9], "at_least": [0.5, 0.8], "at_most": [0.5, 0.8]})
    >>> team_trend(frame, ())
    'In the week from 2 Nov 2026 the share active is clearly larger in 1 and clearly smaller in 0 \
of 1 team than 4 weeks before'
    """
    known = frame[~frame["week"].isin(list(open_weeks)) & frame["at_least"].notna()]
    if known.empty:
        return "Share of members active per week"
    last = known["week"].max()
    known = known.assign(
        low=known["low"].fillna(known["at_least"]), high=known["high"].fillna(known["at_most"])
    )[["week", "team_id", "low", "high"]]
    now = known[known["week"] == last]
    before = known[known["week"] == last - pd.Timedelta(weeks=weeks)]
    both = now.merge(before, on="team_id", suffixes=("", "_before"))
    if both.empty:
        return f"Share of members active per week, to the week from {day_text(last)}"
    up = int((both["low"] > both["high_before"]).sum())
    down = int((both["high"] < both["low_before"]).sum())
    teams = f"{counted(len(both), 'team')} than {counted(weeks, 'week')} before"
    said = f"In the week from {day_text(last)} the share active is clearly larger"
    if not up + down:
        return f"{said} or smaller in none of {teams}"
    return f"{said} in {up} and clearly smaller in {down} of {teams}"


def idle_teams(frame: pd.DataFrame) -> str:
    """Say which teams have no active member.

    >>> idle_teams(pd.DataFrame({"slug": ["web", "data"], "active_users": [6, 0]}))
    '1 of 2 teams has no active member: data.'
    """
    if frame.empty:
        return NO_TEAMS
    idle = sorted(frame.loc[frame["active_users"] == 0, "slug"])
    if not idle:
        if frame["active_users"].isna().all():
            return "Of no team can be shown whether its members were active."
        is_whole = frame["active_users"].notna().all()
        return f"Every team{'' if is_whole else ' that can be shown'} has active members."
    return (
        f"{number(len(idle))} of {counted(len(frame), 'team')} {verb(len(idle), 'has', 'have')} "
        f"no active member: {_names(idle)}."
    )


def unsteady_teams(frame: pd.DataFrame) -> str:
    """Say which teams are not reported on every day.

    >>> unsteady_teams(pd.DataFrame({"slug": ["web"], "days_present": 3, "days_reported": 28}))
    '1 of 1 team is not reported on every day: web.'
    """
    if frame.empty:
        return NO_TEAMS
    unsteady = sorted(frame.loc[frame["days_present"] < frame["days_reported"], "slug"])
    if not unsteady:
        return "Every team is reported on every day that has a report on teams."
    return (
        f"{number(len(unsteady))} of {counted(len(frame), 'team')} "
        f"{verb(len(unsteady), 'is', 'are')} not reported on every day: {_names(unsteady)}."
    )


def _names(slugs: list[str]) -> str:
    return named([plain(slug, 30) for slug in slugs])


def team_totals(frame: pd.DataFrame) -> str:
    """Say why the prompts of all teams are not those of everybody.

    >>> lines = {"sum_of_teams": 130, "counted_again": -50, "without_team": 7, "without_report": 0,
    ...          "everybody": 87}
    >>> team_totals(pd.DataFrame({"line": list(lines), PROMPTS: list(lines.values())}))
    'All teams added up have 130 prompts; everybody has 87. 50 are counted again for people of \
several teams, and 7 come from people without a reported team.'
    """
    if PROMPTS not in frame:
        return ""
    values = frame.set_index("line")[PROMPTS]
    total, everybody = values["sum_of_teams"], values["everybody"]
    if pd.isna(total) or not total:
        return "No prompts of teams can be shown."
    added = f"All teams added up have {counted(total, 'prompt')}"
    if pd.isna(everybody):
        return f"{added}."
    said = f"{added}; everybody has {number(everybody)}."
    parts = (
        ("counted_again", "{} {are} counted again for people of several teams"),
        ("without_team", "{} {come} from people without a reported team"),
        ("without_report", "{} {come} from days without a report on teams"),
    )
    if values[[line for line, _ in parts]].isna().any():
        return f"{said} What lies between comes from too few people to show."
    reasons = [_reason(words, abs(values[line])) for line, words in parts if values[line]]
    if not reasons:
        return f"{said} Everybody with prompts is in exactly one team."
    sentence = ", and ".join([", ".join(reasons[:-1]), reasons[-1]] if reasons[1:] else reasons)
    return f"{said} {sentence}."


def _reason(words: str, count: int) -> str:
    fitting = {"are": verb(count, "is", "are"), "come": verb(count, "comes", "come")}
    return words.format(number(count), **fitting)
