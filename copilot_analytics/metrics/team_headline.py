"""The few figures at the top of a report on teams, each beside the period before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import active_days, check_active
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY
from copilot_analytics.metrics.figures import Figure, Window, figure_table, last_day
from copilot_analytics.metrics.membership import PERSON_DAY, read_teams, several_teams

FIGURES = (
    Figure(
        "teams_with_activity",
        "Teams with activity",
        "teams",
        "teams_with_activity",
        None,
        "Teams of which at least one member was active in the last {days} days. {who}",
        groups=("active_in_teams",),
    ),
    Figure(
        "share_of_members_active",
        "Active among members",
        "%",
        "active_in_teams",
        "members",
        "People active on a day on which they were in a team / people who were in any team in the "
        "last {days} days. {who}",
        is_share=True,
        groups=("active_in_teams", "members_not_active"),
    ),
    Figure(
        "share_of_active_people_in_teams",
        "Active people who are in a team",
        "%",
        "active_in_teams",
        "active",
        "People active on a day on which they were in a team / people active on a day with a "
        "report on teams in the last {days} days. {who}",
        is_share=True,
        groups=("active_in_teams", "active_elsewhere"),
    ),
    Figure(
        "share_of_members_in_several_teams",
        "Members of several teams",
        "%",
        "in_several_teams",
        "members",
        "People who were in more than one team on a day of the last {days} days / people who were "
        "in any team.",
        is_share=True,
        groups=("in_several_teams", "members_of_one_team"),
    ),
)


def team_headline(
    users,
    teams,
    *,
    end=None,
    days: int = 28,
    active: str | nw.Expr = "interactions",
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
):
    """Return the few figures that sum up the use by teams, beside the weeks before.

    Question: do all teams use Copilot, and whom do the figures of teams leave out?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    teams
        Teams table of the same scope and days, one row per person, team and day.
    end
        Last day of the period; by default the last day of `users`.
    days
        Length of the period.
    active
        Definition of active, see `is_active`.
    working_days, missing_days
        As in `headline`.

    Returns
    -------
    frame
        One row per figure, in the order in which to show them: teams with activity, the share of
        their members who were active, the share of active people who are in a team, and the share
        of members who are in several. Columns as in `headline`.

    Raises
    ------
    UsageError
        A column is absent, the frames hold more than one scope, or an option is wrong.

    Notes
    -----
    Left out: teams of fewer than five people with a seat, which GitHub does not report; people
    active only on days without a report on teams. A period that begins before the first report on
    teams is not complete.

    Source: this package, on GitHub docs, Team-level Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.Timestamp("2026-11-02")
    >>> users = pd.DataFrame({"day": day, "user_id": [1, 2, 9],
    ...                       "user_initiated_interaction_count": [4, 0, 3]})
    >>> teams = pd.DataFrame({"day": day, "user_id": [1, 2, 1], "team_id": [7, 7, 8],
    ...                       "slug": ["web", "web", "data"]})
    >>> team_headline(users, teams, days=1)[["figure", "value"]]
                                  figure  value
    0                teams_with_activity    2.0
    1            share_of_members_active    0.5
    2    share_of_active_people_in_teams    0.5
    3  share_of_members_in_several_teams    0.5
    """
    users, teams = frames.read(users, *PERSON_DAY), read_teams(teams)
    frames.one_scope(users, teams)
    check_active(users, active)
    ends = frames.first_and_last(users)
    return figure_table(
        users,
        FIGURES,
        lambda window: _sums(users, teams, window, active),
        ends=_both(ends, frames.first_and_last(teams)),
        end=last_day(ends, end),
        days=days,
        active=active,
        working_days=working_days,
        missing_days=missing_days,
    )


def _both(
    ends: tuple[datetime, datetime] | None, others: tuple[datetime, datetime] | None
) -> tuple[datetime, datetime] | None:
    """Return the first and last day that two ranges have in common, None without any."""
    if not ends or not others:
        return None
    first, last = max(ends[0], others[0]), min(ends[1], others[1])
    return (first, last) if first <= last else None


def _sums(users: nw.LazyFrame, teams: nw.LazyFrame, window: Window, active) -> dict:
    """Return what the figures are made of, by name; nothing where the data say nothing."""
    teams, persons = window.of(teams), active_days(window.of(users), active)
    # On a day without a report on teams nobody can be told to be in one.
    persons = persons.join(frames.distinct(teams, "day"), on="day", how="semi")
    used = teams.join(persons, on=list(PERSON_DAY), how="semi")
    user, team = nw.col("user_id").n_unique(), nw.col("team_id").n_unique()
    counts = (
        frames.scalars(teams.select(members=user))
        | frames.scalars(used.select(active_in_teams=user, teams_with_activity=team))
        | frames.scalars(persons.select(active=user))
        | frames.scalars(several_teams(teams).select(in_several_teams=user))
    )
    # Of no rows at all, DuckDB counts no value instead of 0.
    sums = {name: count or 0 for name, count in counts.items()}
    if not sums["members"]:
        return {}
    return sums | {
        "members_not_active": sums["members"] - sums["active_in_teams"],
        "active_elsewhere": sums["active"] - sums["active_in_teams"],
        "members_of_one_team": sums["members"] - sums["in_several_teams"],
    }
