"""How much each team uses Copilot, and why teams do not add up to the organization."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_active, is_active
from copilot_analytics.metrics.credit_totals import CREDITS
from copilot_analytics.metrics.membership import (
    PERSON_DAY,
    last_slugs,
    read_teams,
    several_teams,
)
from copilot_analytics.metrics.periods import (
    additive_counters,
    grouped,
    measured_sums,
    whole_numbers,
    with_period,
)
from copilot_analytics.metrics.statistics import with_share

ATTRIBUTIONS = ("full", "fractional")
# How an organization's total comes about from the totals of its teams.
LINES = (
    ("sum_of_teams", "All teams added up"),
    ("counted_again", "Less: people of several teams, counted once per team"),
    ("in_teams", "People in teams"),
    ("without_team", "People without a reported team"),
    ("without_report", "Days without a report on teams"),
    ("everybody", "Everybody"),
)


def _person_days(users: nw.LazyFrame, active: str | nw.Expr, counters: list[str]) -> nw.LazyFrame:
    """Return each person's days with a record: whether active, and the counters."""
    check_active(users, active)
    return users.select(
        *PERSON_DAY,
        *counters,
        record=nw.lit(1),
        active_person_days=is_active(active).cast(nw.Int64),
    )


def team_activity(
    users,
    teams,
    *,
    active: str | nw.Expr = "interactions",
    attribution: str = "full",
    period: str | None = None,
    week_start: str = "monday",
):
    """Return how many people of each team were active, and how much they did.

    Question: how do teams use Copilot?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    teams
        Teams table of the same scope and days, one row per person, team and day.
    active
        Definition of active, see `is_active`.
    attribution
        ``"full"``: what a person did counts in each team that the person was in on the day.
        ``"fractional"``: it is divided evenly among these teams, so that teams add up to what
        people in teams did.
    period
        ``"day"``, ``"week"`` or ``"month"`` for separate figures over time.
    week_start
        Weekday on which weeks begin.

    Returns
    -------
    frame
        One row per team, and period if asked for, in the order of the teams' names.

        - ``day``, ``week`` or ``month``, as asked for by `period`: first day of the period.
        - ``team_id``, ``slug``: the team, with its name on its last day.
        - ``active_users``: different people active on a day on which they were in the team. The
          numerator.
        - ``members``: different people who were in the team on any day. The denominator.
        - ``share``: active_users / members.
        - ``low``, ``high``: 95 % Wilson interval of the share.
        - ``people_with_credits``: of the members, those who used credits on a day on which they
          were in the team; only where the frame has ``ai_credits_used``.
        - ``people_in_several_teams``: of the members, those with a record on a day on which they
          were in another team as well; only where the attribution is fractional.
        - ``days_present``: days on which the report has the team; ``days_reported``: days on which
          it has any team. Teams near five people with a seat come and go.
        - ``days_with_records``: of the days present, those on which anybody has a record in
          `users`. Where there is none, nothing is known, and all figures but members are missing.
        - ``active_person_days``: active people of each day, summed; divided if fractional.
        - then every counter of the frame that may be added up, under GitHub's name: 0 where no
          member has a record, missing where records have no value.

    Raises
    ------
    UsageError
        A column is absent, the frames hold more than one scope, or an option is wrong.

    Notes
    -----
    Each day is joined with the members of the same day, so that people who change teams are
    counted where they were. People are counted over the whole period, never summed over days.
    Left out: teams of fewer than five people with a seat, which GitHub does not report; what
    people did on days on which they were in no reported team. Teams may not be added up where
    the attribution is full: see `team_totals`.

    Source: GitHub docs, Team-level Copilot usage metrics; the fractional attribution is this
    package's.

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.Timestamp("2026-05-07")
    >>> users = pd.DataFrame({"day": day, "user_id": [1001, 1002],
    ...                       "user_initiated_interaction_count": [50, 30]})
    >>> teams = pd.DataFrame({"day": day, "user_id": [1001, 1001, 1002], "team_id": [42, 43, 42],
    ...                       "slug": ["frontend", "backend", "frontend"]})
    >>> columns = ["slug", "active_users", "user_initiated_interaction_count"]
    >>> team_activity(users, teams)[columns]
           slug  active_users  user_initiated_interaction_count
    0   backend             1                                50
    1  frontend             2                                80
    >>> team_activity(users, teams, attribution="fractional")[columns]
           slug  active_users  user_initiated_interaction_count
    0   backend             1                              25.0
    1  frontend             2                              55.0
    """
    if attribution not in ATTRIBUTIONS:
        raise UsageError(
            f"attribution {attribution!r} is not known", advice=f"one of: {', '.join(ATTRIBUTIONS)}"
        )
    users, teams = frames.read(users, *PERSON_DAY), read_teams(teams)
    frames.one_scope(users, teams)
    counters = additive_counters(users)
    slugs = last_slugs(teams)
    member_days, names = with_period(teams, period, week_start)
    rows = member_days.select(*dict.fromkeys([*names, *PERSON_DAY, "team_id"])).join(
        _person_days(users, active, counters), on=list(PERSON_DAY), how="left"
    )
    added, several = ["active_person_days", *counters], []
    if attribution == "fractional":
        rows, several = _divided(rows, several_teams(teams), added), ["people_in_several_teams"]
    if CREDITS in counters:
        rows = rows.with_columns(people_with_credits=(nw.col(CREDITS) > 0).cast(nw.Int64))
        several = ["people_with_credits", *several]
    totals = _team_sums(rows, [*names, "team_id"], added, several)
    presence = _presence(member_days, users, names)
    totals = totals.join(presence, on=[*names, "team_id"]).with_columns(
        nw.when(nw.col("days_with_records") > 0).then(nw.col(name)).alias(name)
        for name in ("active_users", *several, *added)
    )
    shares = with_share(totals.join(slugs, on="team_id"), "active_users", "members", "share")
    days = ("days_present", "days_reported", "days_with_records")
    people = ("active_users", "members", "share", "low", "high", *several)
    counts = ["active_users", *several, *days, *([] if attribution == "fractional" else added)]
    return frames.result(
        shares.select(*names, "team_id", "slug", *people, *days, *added),
        *names,
        "slug",
        "team_id",
        counts=whole_numbers(counts),
    )


def _divided(rows: nw.LazyFrame, several: nw.LazyFrame, added: list[str]) -> nw.LazyFrame:
    """Divide what each person did on a day by the number of the person's teams on that day."""
    rows = rows.join(several, on=list(PERSON_DAY), how="left")
    is_shared = (nw.col("teams_on_day") > 1).fill_null(False) & (nw.col("record") == 1)
    share = nw.lit(1.0) / nw.col("teams_on_day").fill_null(1).cast(nw.Float64)
    return rows.with_columns(
        *(nw.col(name).cast(nw.Float64) * share for name in added),
        people_in_several_teams=is_shared.fill_null(False).cast(nw.Int64),
    )


def _team_sums(
    rows: nw.LazyFrame, names: list[str], added: list[str], several: list[str]
) -> nw.LazyFrame:
    """Return the sums of each team, and the number of its members and of those active."""
    persons = measured_sums(
        rows,
        [*names, "user_id"],
        added,
        record=nw.col("record").max(),
        **{name: nw.col(name).max() for name in several},
    ).with_columns(active_users=(nw.col("active_person_days") > 0).fill_null(False).cast(nw.Int64))
    counted = ("record", "active_users", *several)
    totals = measured_sums(
        persons, names, added, members=nw.len(), **{name: nw.col(name).sum() for name in counted}
    )
    return _with_zeros(totals, nw.col("record").fill_null(0) == 0, added)


def _with_zeros(sums: nw.LazyFrame, is_nothing: nw.Expr, names: list[str]) -> nw.LazyFrame:
    """Write 0 where there was nothing to add up; the types stay."""
    types = sums.collect_schema()
    return sums.with_columns(
        nw.when(is_nothing).then(nw.lit(0)).otherwise(nw.col(name)).cast(types[name]).alias(name)
        for name in names
    )


def _presence(member_days: nw.LazyFrame, users: nw.LazyFrame, names: list[str]) -> nw.LazyFrame:
    """Return on how many days of each period each team, any team, and anybody is reported."""
    recorded = frames.distinct(users, "day").with_columns(days_with_records=nw.lit(1))
    days = frames.distinct(member_days, *names, "team_id", "day")
    reported = grouped(frames.distinct(days, *names, "day"), names, days_reported=nw.len())
    present = (
        days.join(recorded, on="day", how="left")
        .group_by(*names, "team_id")
        .agg(days_present=nw.len(), days_with_records=nw.col("days_with_records").sum())
        .with_columns(nw.col("days_with_records").fill_null(0))
    )
    return present.join(reported, **({"on": names} if names else {"how": "cross"}))


def team_totals(users, teams, *, active: str | nw.Expr = "interactions"):
    """Return how the figures of teams and of the whole organization belong together.

    Question: why do the teams not add up to the organization?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    teams
        Teams table of the same scope and days, one row per person, team and day.
    active
        Definition of active, see `is_active`.

    Returns
    -------
    frame
        Six rows. The first two add up to the third; the third to fifth add up to the last.

        - ``line_number``, ``line``, ``label``: all teams added up (full attribution), less what
          people of several teams count more than once, gives people in teams (the sum of the
          fractional attribution); then people on days without a reported team, and days without
          any report on teams, which give everybody.
        - ``people``: different people behind the line. People do not add up: somebody may leave
          the last reported team within the period.
        - ``active_users``: those of them who were active on a day that the line is about.
        - ``person_days``: records of a person and a day; ``active_person_days``: those of days on
          which the person was active. Both add up.
        - then every counter of the frame that may be added up, under GitHub's name: 0 where the
          line has no record, missing where records have no value.

    Raises
    ------
    UsageError
        A column is absent, or the frames hold more than one scope.

    Notes
    -----
    Without a reported team means that the person was in no team, or only in teams of fewer than
    five people with a seat, which GitHub does not report. Left out: members without a record.

    Source: this package, on GitHub docs, Team-level Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.Timestamp("2026-05-07")
    >>> users = pd.DataFrame({"day": day, "user_id": [1, 2, 3],
    ...                       "user_initiated_interaction_count": [50, 30, 7]})
    >>> teams = pd.DataFrame({"day": day, "user_id": [1, 1, 2], "team_id": [42, 43, 42],
    ...                       "slug": ["frontend", "backend", "frontend"]})
    >>> team_totals(users, teams)[["line", "people", "user_initiated_interaction_count"]]
                 line  people  user_initiated_interaction_count
    0    sum_of_teams       2                               130
    1   counted_again       1                               -50
    2        in_teams       2                                80
    3    without_team       1                                 7
    4  without_report       0                                 0
    5       everybody       3                                87
    """
    users, teams = frames.read(users, *PERSON_DAY), read_teams(teams)
    frames.one_scope(users, teams)
    counters = additive_counters(users)
    added = ["person_days", "active_person_days", *counters]
    days = _person_days(users, active, counters).with_columns(person_days=nw.col("record"))
    persons = measured_sums(_with_teams_on_day(days, teams), ["user_id", "teams_on_day"], added)
    types = {"line_number": nw.Int64, "line": nw.String, "label": nw.String}
    numbered = [dict(zip(types, (n, *line), strict=True)) for n, line in enumerate(LINES, start=1)]
    lines = frames.literals(users, numbered, types)
    rows = persons.join(lines.select("line_number"), how="cross").with_columns(times=_times())
    rows = rows.filter(nw.col("times") != 0).with_columns(
        *(nw.col(name) * nw.col("times") for name in added),
        is_active=(nw.col("active_person_days") > 0).cast(nw.Int64),
    )
    by_person = measured_sums(
        rows, ["line_number", "user_id"], added, active_users=nw.col("is_active").max()
    )
    sums = measured_sums(
        by_person,
        ["line_number"],
        added,
        people=nw.len(),
        active_users=nw.col("active_users").sum(),
    )
    added = ["people", "active_users", *added]
    sums = lines.join(sums, on="line_number", how="left")
    return frames.result(
        _with_zeros(sums, nw.col("people").is_null(), added).select(*types, *added),
        "line_number",
        counts=whole_numbers(added),
    )


def _with_teams_on_day(days: nw.LazyFrame, teams: nw.LazyFrame) -> nw.LazyFrame:
    """Add the number of teams of a person on the day: 0 for none, -1 if no team was reported."""
    keys = list(PERSON_DAY)
    number = nw.col("teams_on_day").fill_null(1).cast(nw.Int64)
    inside = days.join(teams, on=keys, how="semi").join(several_teams(teams), on=keys, how="left")
    outside = days.join(teams, on=keys, how="anti")
    reported = frames.distinct(teams, "day")
    parts = [
        inside.with_columns(teams_on_day=number),
        outside.join(reported, on="day", how="semi").with_columns(teams_on_day=nw.lit(0)),
        outside.join(reported, on="day", how="anti").with_columns(teams_on_day=nw.lit(-1)),
    ]
    columns = [*days.collect_schema().names(), nw.col("teams_on_day").cast(nw.Int64)]
    return nw.concat([part.select(*columns) for part in parts], how="vertical")


def _times() -> nw.Expr:
    """Return how often a line counts a record of a person who was in so many teams on the day."""
    number, teams = nw.col("line_number"), nw.col("teams_on_day")
    is_in_team = teams >= 1
    counted = nw.when((number == 1) & is_in_team).then(teams).otherwise(nw.lit(0))
    counted = nw.when((number == 2) & is_in_team).then(1 - teams).otherwise(counted)
    counted = nw.when((number == 3) & is_in_team).then(nw.lit(1)).otherwise(counted)
    counted = nw.when((number == 4) & (teams == 0)).then(nw.lit(1)).otherwise(counted)
    counted = nw.when((number == 5) & (teams == -1)).then(nw.lit(1)).otherwise(counted)
    return nw.when(number == 6).then(nw.lit(1)).otherwise(counted)
