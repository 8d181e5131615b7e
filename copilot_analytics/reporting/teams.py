"""Reports of single teams: which teams may have one, and the tables that it is made from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

import pandas as pd

from copilot_analytics import catalogue, metrics, privacy, tidy
from copilot_analytics.errors import UsageError

ALL_TEAMS = "all"
MINIMUM_PEOPLE = 5


@dataclass(frozen=True)
class Teams:
    """The teams that get a report of their own: folder to slug; and how many may not have one."""

    chosen: Mapping[str, str] = field(default_factory=dict)
    refused: int = 0
    minimum: int = MINIMUM_PEOPLE


def choose_teams(tables: tidy.Tables, wanted: Sequence[str], minimum: int) -> Teams:
    """Return the teams that get a report.

    Parameters
    ----------
    tables
        Tables of the period, with ``users`` and ``teams``.
    wanted
        Slugs of teams, or ``"all"`` for every team that may have a report.
    minimum
        Smallest group that is shown.

    Raises
    ------
    UsageError
        If a team is not known, or is too small, or leaves too few people beside it: the figures of
        everybody or of a larger team, less those of this one and of others, would be the figures of
        these few.
    """
    members = _members(tables.teams)
    everybody = frozenset(tables.read("users", ["user_id"])["user_id"])
    allowed = _allowed(members, everybody, minimum)
    unknown = [slug for slug in wanted if slug != ALL_TEAMS and slug not in members]
    if unknown or not members:
        raise UsageError(
            f"team {unknown[0]!r} is not in the data"
            if unknown
            else "there are no records of teams",
            advice="look at the slugs in the table `teams`; GitHub lists teams of five people or "
            "more, in the report user-teams",
        )
    refused = [slug for slug in wanted if slug != ALL_TEAMS and slug not in allowed]
    if refused:
        raise UsageError(
            f"team {refused[0]} cannot have a report: fewer than {minimum} of its people have "
            f"records, or its figures and those of everybody and of other teams would tell of "
            f"fewer than {minimum}",
            kept="nothing was published; the last good report is unchanged",
            advice="choose a larger team; small groups are not shown, also not by subtraction",
        )
    slugs = sorted(allowed) if ALL_TEAMS in wanted else list(dict.fromkeys(wanted))
    return Teams(
        chosen=_folders(slugs),
        refused=len(members) - len(allowed) if ALL_TEAMS in wanted else 0,
        minimum=minimum,
    )


def _members(teams: pd.DataFrame) -> dict[str, frozenset]:
    """Return the people of each team, which is called by the name that it had last."""
    known = metrics.team_members(teams)[["team_id", "slug"]]
    people = teams[["team_id", "user_id"]].drop_duplicates().merge(known, on="team_id")
    return {slug: frozenset(ids) for slug, ids in people.groupby("slug")["user_id"]}


def _allowed(
    members: Mapping[str, frozenset], everybody: frozenset, minimum: int
) -> dict[str, frozenset]:
    """Return the teams that reveal no small group, neither alone nor by adding and subtracting.

    Only people with records are in any figure. Of teams that reveal few people together, the
    smallest has no report.
    """
    inside = {slug: members[slug] & everybody for slug in sorted(members)}
    allowed = {slug: people for slug, people in inside.items() if len(people) >= minimum}
    while True:
        _, *reveals = privacy.few_between([everybody, *allowed.values()], minimum)
        revealing = [slug for slug, is_so in zip(allowed, reveals, strict=True) if is_so]
        if not revealing:
            return allowed
        del allowed[max(revealing, key=lambda slug: (-len(allowed[slug]), slug))]


def _folders(slugs: Sequence[str]) -> dict[str, str]:
    """Return the folder of each team; a slug is text from elsewhere and no path.

    It follows from the slug alone, so that the next report finds the same team there.

    >>> _folders(["web", "../etc"])
    {'team-web': 'web', 'team----etc-f7f9121f': '../etc'}
    """
    folders: dict[str, str] = {}
    for slug in slugs:
        name = "team-" + re.sub(r"[^a-z0-9-]", "-", slug.lower())[:64]
        is_same = name == f"team-{slug}"
        digest = sha256(slug.encode()).hexdigest()[:8]
        folders[name if is_same else f"{name}-{digest}"] = slug
    return folders


def of_team(tables: tidy.Tables, team: str) -> tidy.Tables:
    """Return the tables of the people of one team, on the days on which they were in it.

    Tables that are not about people are empty: their figures cannot be attributed to a team.
    """
    return tidy.Tables(
        {name: partial(_part, tables, name, team) for name in tables}, day_states=tables.day_states
    )


def _part(tables: tidy.Tables, name: str, team: str) -> pd.DataFrame:
    columns = {field.column for field in catalogue.all_tables()[name].columns}
    if {"day", "user_id"} <= columns:
        return metrics.members_only(tables.read(name), tables.teams, team)
    return tidy.empty_frame(name)
