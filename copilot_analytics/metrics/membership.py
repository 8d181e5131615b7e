"""Who belongs to which team, as of each day."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.periods import last_rows

PERSON_DAY = ("user_id", "day")
MOST_NAMES = 20  # of teams that a message lists


def read_teams(teams) -> nw.LazyFrame:
    """Return the teams table, one row per person, team and day."""
    return frames.read(teams, "day", "user_id", "team_id", "slug")


def last_slugs(teams: nw.LazyFrame) -> nw.LazyFrame:
    """Return the slug that each team had on its last day."""
    days = teams.group_by("team_id", "slug").agg(day=nw.col("day").max())
    return last_rows(days, "team_id").group_by("team_id").agg(slug=nw.col("slug").max())


def several_teams(teams: nw.LazyFrame) -> nw.LazyFrame:
    """Return the days on which a person was in more than one team, with ``teams_on_day``.

    Few people ever are, so the days of the others need not be counted.
    """
    ends = teams.group_by("user_id").agg(
        first=nw.col("team_id").min(), last=nw.col("team_id").max()
    )
    movers = ends.filter(nw.col("first") != nw.col("last"))
    days = teams.join(movers, on="user_id", how="semi").group_by(*PERSON_DAY)
    return days.agg(teams_on_day=nw.len()).filter(nw.col("teams_on_day") > 1)


def team_members(teams):
    """Return which teams there are, how many people were in each, and on how many days.

    Question: which teams does GitHub report, and how steadily?

    Parameters
    ----------
    teams
        Teams table of one scope, one row per person, team and day.

    Returns
    -------
    frame
        One row per team, in the order of their names.

        - ``team_id``: stable id of the team.
        - ``slug``: name of the team on its last day; a team that was renamed is one row.
        - ``members``: different people who were in the team on any day of the frame.
        - ``days_present``: days on which the report has the team.
        - ``days_reported``: days on which the report has any team. Where ``days_present`` is less,
          the team was founded, dissolved, or fell below five people with a seat, which GitHub
          leaves out.
        - ``first_day``, ``last_day``: first and last day with the team.

    Raises
    ------
    UsageError
        A column is absent, or the frame holds more than one scope.

    Notes
    -----
    Left out: teams with fewer than five people with a seat on the day, which GitHub does not
    report.

    Source: GitHub docs, Team-level Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> teams = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-02", "2026-11-03"]),
    ...     "user_id": [1, 2, 1], "team_id": [7, 8, 7], "slug": ["web", "data", "website"],
    ... })
    >>> team_members(teams)[["slug", "members", "days_present", "days_reported"]]
          slug  members  days_present  days_reported
    0     data        1             1              2
    1  website        1             2              2
    """
    teams = read_teams(teams)
    frames.one_scope(teams)
    members = frames.distinct(teams, "team_id", "user_id").group_by("team_id").agg(members=nw.len())
    days = frames.distinct(teams, "team_id", "day")
    reported = days.select(days_reported=nw.col("day").n_unique())
    presence = days.group_by("team_id").agg(
        days_present=nw.len(), first_day=nw.col("day").min(), last_day=nw.col("day").max()
    )
    found = (
        last_slugs(teams)
        .join(members, on="team_id")
        .join(presence, on="team_id")
        .join(reported, how="cross")
    )
    columns = ("team_id", "slug", "members", "days_present", "days_reported")
    return frames.result(found.select(*columns, "first_day", "last_day"), "slug", "team_id")


def members_only(frame, teams, team: str):
    """Return the rows of a table that are about people of one team, as of each day.

    Question: what would a report say if there were only this team?

    Parameters
    ----------
    frame
        Any table of people with a ``day``: ``users``, ``users_by_feature``, or ``teams`` itself.
    teams
        Teams table of the same scope, one row per person, team and day.
    team
        Name of the team on its last day. A team that was renamed counts with all its days.

    Returns
    -------
    frame
        The rows of `frame` on whose day the person was in the team; of the table of teams, those
        of this team. Columns, types and, in pandas, the order of rows stay.

    Raises
    ------
    UsageError
        No team has this name, a column is absent, or the frames hold more than one scope.

    Notes
    -----
    Left out: days on which the team was not reported, because fewer than five of its people had a
    seat or because the day's report is missing.

    Source: GitHub docs, Team-level Copilot usage metrics (daily join).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03"])
    >>> users = pd.DataFrame({"day": days, "user_id": 1})
    >>> teams = pd.DataFrame({"day": days, "user_id": 1, "team_id": [7, 8],
    ...                       "slug": ["web", "data"]})
    >>> members_only(users, teams, "data")["day"].dt.day.tolist()
    [3]
    """
    rows, teams = frames.read(frame, *PERSON_DAY), read_teams(teams)
    frames.one_scope(rows, teams)
    chosen = teams.join(_team_ids(teams, team), on="team_id", how="semi")
    keys = list(PERSON_DAY)
    if "team_id" in rows.collect_schema():
        keys.append("team_id")
    return rows.join(chosen, on=keys, how="semi").to_native()


def _team_ids(teams: nw.LazyFrame, team: str) -> nw.LazyFrame:
    """Return the ids of the teams of this name; several, if one followed the other."""
    known = last_slugs(teams)
    ids = known.filter(nw.col("slug") == team).select("team_id")
    if not frames.scalars(ids.select(teams=nw.len()))["teams"]:
        names = [row["slug"] for row in frames.rows(known.sort("slug").head(MOST_NAMES))]
        raise UsageError(
            f"there is no team {team!r} in the reports of these days",
            said="GitHub leaves out teams of fewer than five people with a seat",
            advice=f"one of: {', '.join(map(str, names))}" if names else "sync the report teams",
        )
    return ids
