"""From a group to its people, as pseudonyms, where there are enough of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pandas as pd

from copilot_analytics import metrics, privacy
from copilot_analytics.display import day_text
from copilot_analytics.errors import CopilotAnalyticsError
from copilot_analytics.explorer.measures import BREAKDOWNS
from copilot_analytics.explorer.selection import Selection
from copilot_analytics.explorer.views import Source, as_pandas, as_sentence, checked

EVERYBODY = ""
SHOWN = (
    "person",
    "present_days",
    "active_days",
    "active_days_share",
    "longest_streak",
    "interactions_per_active_day",
    "last_day",
)


@dataclass(frozen=True)
class People:
    """The people of a group; without rows the sentence says why there are none."""

    sentence: str
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)


def groups(frame: pd.DataFrame, selection: Selection) -> list[str]:
    """Return the groups of a shown frame whose people may be looked at.

    Those with the largest figure first: most people, the largest total or the highest rate.
    """
    by = selection.breakdown
    if not by or by not in frame:
        return []
    value = next(name for name in ("people", "total", "rate") if name in frame)
    known = frame.dropna(subset=value)
    sizes = known.groupby(by)[value].max()
    return [str(name) for name in sizes.sort_values(ascending=False, kind="stable").index]


def people(source: Source, selection: Selection, group: str, key: bytes) -> People:
    """Return what each person of a group did on the chosen days, under a pseudonym.

    Parameters
    ----------
    source
        The tables to look at.
    selection
        Days, definition of active, scope, team and breakdown.
    group
        Value of the breakdown, such as ``"python"``: then only the days count on which the person
        used it. "" for everybody.
    key
        Secret for pseudonyms, see `privacy.load_key`. The people of a team have other ones than
        those of everybody, see `privacy.key_of_team`.

    Notes
    -----
    Nobody is listed in a group of too few people, nor in one of all but too few of everybody or of
    a team: who is in the longer list and not in the shorter one is one of these few.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> source = Source(ca.sample(people=30, days=35))
    >>> found = people(source, Selection(breakdown="ide"), "vscode", b"an example key, no secret")
    >>> found.frame["person"].str[:7].unique().tolist()
    ['person-']
    """
    try:
        return source.once(
            ("people", selection, group, key), lambda: _people(source, selection, group, key)
        )
    except CopilotAnalyticsError as error:
        return People(as_sentence(error))


def _people(source: Source, selection: Selection, group: str, key: bytes) -> People:
    selection = checked(source, selection)
    start, end = selection.days(*source.ends(selection.scope))
    activity = _activity(source, selection, group)
    key = privacy.key_of_team(key, selection.team)
    table = privacy.people_table(activity, None, key, minimum=source.minimum)
    who = f"{group}, " if group else ""
    about = f"{who}{day_text(start)} to {day_text(end)}"
    if table.empty:
        return People(f"{about}: fewer than {source.minimum} people, who are not shown.")
    wider = {
        "everybody": ("", EVERYBODY),
        "all of the team": (selection.team, EVERYBODY),
        "all of the group": ("", group),
    }
    for name, (team, part) in wider.items():
        others = len(_activity(source, replace(selection, team=team), part)) - len(table)
        if 0 < others < source.minimum:
            few = f"fewer than {source.minimum}"
            return People(f"{about}: {name} but {few}, who would be known from the two lists.")
    table = table[[name for name in SHOWN if name in table]]
    return People(f"{about}: {len(table)} people, in no order of merit.", table)


def _activity(source: Source, selection: Selection, group: str) -> pd.DataFrame:
    """Return what each person of a group did, counted once per group."""
    named = replace(selection, measure="", smoothing=1, weekdays="")
    return source.once(("activity", named, group), lambda: _counted(source, selection, group))


def _counted(source: Source, selection: Selection, group: str) -> pd.DataFrame:
    start, end = selection.days(*source.ends(selection.scope))
    users = source.table("users", selection.scope, selection.team)
    if group:
        breakdown = BREAKDOWNS[selection.breakdown].table
        table = source.table(breakdown, selection.scope, selection.team)
        users = metrics.users_of(users, table, dimension=selection.breakdown, value=group)
    users = metrics.days_between(users, start=start, end=end)
    return as_pandas(metrics.user_activity(users, active=selection.active))
