"""Who did how much in each week before and after a date, and how two groups compare."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import narwhals.stable.v2 as nw
import numpy as np

from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import INTERACTIONS, check_count, is_active
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY, working_days_of
from copilot_analytics.metrics.membership import last_slugs, members_only, read_teams
from copilot_analytics.metrics.periods import additive_counters
from copilot_analytics.metrics.statistics import Z

ACTIVE_DAYS = "active_days"
WEEK = timedelta(days=7)
# Fewer people than this have a standard error that says nothing.
FEWEST = 5


@dataclass(frozen=True)
class PersonWeeks:
    """What each person did in each week before and after a date.

    `weeks` are numbered from the date: 0 is the week that begins with it, -1 the one before. `days`
    are the working days with a report of each, `sums` what each person did on them (people, weeks),
    `is_treated` (people) who belongs to the group that the date is about. Weeks without a working
    day are not there. `reported_days` are all days with a report in these weeks. `is_cut` says that
    days which may still change were left out, `is_dry_run` that no date was given.
    """

    date: datetime | None
    team: str
    weeks: np.ndarray
    days: np.ndarray
    sums: np.ndarray
    is_treated: np.ndarray
    reported_days: int
    is_cut: bool
    is_dry_run: bool

    def rates(self, first: int, end: int) -> np.ndarray:
        """Return what each person did per working day of the weeks from `first` to before `end`."""
        chosen = (self.weeks >= first) & (self.weeks < end)
        return self.sums[:, chosen].sum(axis=1) / (self.days[chosen].sum() or np.nan)

    def start(self, week: int) -> datetime:
        """Return the first day of a week."""
        return self.date + int(week) * WEEK

    def change(self, length: int | None = None, week: int = 0) -> np.ndarray:
        """Return how much more each person did from a week on than before it, per working day."""
        reach = length or 2 * len(self.weeks) + 1_000
        return self.rates(week, week + reach) - self.rates(week - reach, week)

    @property
    def sizes(self) -> tuple[int, int]:
        """How many people are in the treated and in the comparison group."""
        return int(self.is_treated.sum()), int((~self.is_treated).sum())


@dataclass(frozen=True)
class Estimate:
    """A mean or a difference of two means, with its standard error and degrees of freedom."""

    value: float
    standard_error: float
    freedom: float

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the 95 % interval."""
        half = t_quantile(self.freedom) * self.standard_error
        return self.value - half, self.value + half


def compared(values: np.ndarray, is_treated: np.ndarray) -> Estimate:
    """Return the mean of the treated people less that of the others, one value per person.

    With one value per person, Welch's standard error is the one of a regression that is clustered
    by person. Where all people are treated, it is their mean. Without an interval where a group has
    fewer than five people.

    Source: B. L. Welch, The generalization of Student's problem, Biometrika 34 (1947); M. Bertrand,
    E. Duflo and S. Mullainathan, How much should we trust differences-in-differences estimates?,
    Quarterly Journal of Economics 119 (2004), for one value per person.
    """
    groups = [group for group in (values[is_treated], values[~is_treated]) if len(group)]
    if not is_treated.any() or np.isnan(values).any():
        return Estimate(np.nan, np.nan, np.nan)
    value = groups[0].mean() - (groups[1].mean() if len(groups) > 1 else 0.0)
    if min(map(len, groups)) < FEWEST:
        return Estimate(value, np.nan, np.nan)
    parts = np.array([group.var(ddof=1) / len(group) for group in groups])
    freedoms = np.array([len(group) - 1 for group in groups])
    total = parts.sum()
    freedom = total**2 / (parts**2 / freedoms).sum() if total else float(freedoms.min())
    return Estimate(value, float(np.sqrt(total)), freedom)


def t_quantile(freedom: float) -> float:
    """Return the end of the two-sided 95 % interval of Student's distribution.

    Source: M. Abramowitz and I. Stegun, Handbook of mathematical functions (1964), 26.7.5.

    >>> round(t_quantile(48), 3)
    2.011
    """
    terms = (
        (Z**3 + Z) / 4,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
    )
    return Z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


def trend_difference(panel: PersonWeeks) -> Estimate:
    """Return by how much more the treated people rose per week before the date."""
    before = panel.weeks < 0
    weeks = panel.weeks[before].astype(float)
    if len(weeks) < 3:
        return Estimate(np.nan, np.nan, np.nan)
    centred = weeks - weeks.mean()
    slopes = (panel.sums[:, before] / panel.days[before]) @ (centred / (centred**2).sum())
    return compared(slopes, panel.is_treated)


def person_weeks(
    users,
    *,
    date=None,
    treated=None,
    teams=None,
    measure: str = INTERACTIONS,
    active: str | nw.Expr = "interactions",
    before: int = 84,
    after: int = 56,
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
    final_through=None,
) -> PersonWeeks:
    """Return what each person did in each whole week around a date; see `impact`."""
    check_count(before, "before")
    check_count(after, "after")
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    value, ends = _value(users, measure, active), frames.first_and_last(users)
    is_dry_run = not date
    date = frames.as_day(date) if date else _middle(ends)
    settled = _settled(ends, final_through)
    weeks = _whole_weeks(settled, date, before // WEEK.days, after // WEEK.days)
    span = (date + weeks[0] * WEEK, date + weeks[-1] * WEEK + 6 * WEEK / 7) if weeks else None
    worked = working_days_of(span, working_days, missing_days)
    counts = np.array([sum((day - date) // WEEK == week for day in worked) for week in weeks])
    team, ids = _treated(treated, teams, date, is_dry_run)
    people, sums = _sums(users, value, span, date, weeks, worked)
    kept = counts > 0
    return PersonWeeks(
        date=date,
        team=team,
        weeks=np.array(weeks, dtype=int)[kept],
        days=counts[kept],
        sums=sums[:, kept],
        is_treated=np.ones(len(people), bool) if ids is None else np.isin(people, list(ids)),
        reported_days=len(working_days_of(span, range(7), missing_days)),
        is_cut=settled != ends,
        is_dry_run=is_dry_run,
    )


def _value(users: nw.LazyFrame, measure: str, active) -> nw.Expr:
    """Return what is added up, for each row of the users table."""
    if measure == ACTIVE_DAYS:
        return is_active(active).cast(nw.Float64)
    additive = additive_counters(users)
    if measure not in additive:
        raise UsageError(
            f"measure {measure!r} is not known, or must not be added up",
            advice=f"one of: {', '.join([ACTIVE_DAYS, *additive])}",
        )
    return nw.col(measure).cast(nw.Float64).fill_null(0.0)


def _middle(ends: tuple[datetime, datetime] | None) -> datetime | None:
    """Return the Monday before the middle of a range."""
    if ends is None:
        return None
    middle = ends[0] + timedelta(days=(ends[1] - ends[0]).days // 2)
    return middle - timedelta(days=middle.weekday())


def _settled(ends: tuple | None, final_through) -> tuple | None:
    """Return a range without the days that may still change."""
    if ends is None or final_through is None:
        return ends
    return ends[0], min(ends[1], frames.as_day(final_through))


def _whole_weeks(ends: tuple | None, date: datetime | None, before: int, after: int) -> list[int]:
    """Return the numbers of the weeks around a date that lie wholly within a range."""
    if ends is None:
        return []
    first, end = (date - ends[0]) // WEEK, (ends[1] - date + timedelta(days=1)) // WEEK
    return list(range(-max(0, min(before, first)), max(0, min(after, end))))


def _treated(treated, teams, date, is_dry_run: bool) -> tuple[str, set | None]:
    """Return the team and the ids of the treated people; None for everybody."""
    if treated is None or (isinstance(treated, str) and not treated):
        if not is_dry_run or teams is None or date is None:
            return "", None
        treated = _largest_team(teams, date)
        if not treated:
            return "", None
    if isinstance(treated, str):
        if teams is None:
            raise UsageError(
                f"nobody can be found in team {treated!r} without the table of teams",
                advice="give teams=tables.teams, or the ids of the people as a list",
            )
        # The table may name a team differently on earlier days.
        rows = _as_of(read_teams(members_only(teams, teams, treated)), date)
        return treated, _ids(rows)
    if isinstance(treated, Collection) and not hasattr(treated, "columns"):
        return "", set(treated)
    return "", _ids(frames.read(treated, "user_id"))


def _ids(rows: nw.LazyFrame) -> set:
    return {row["user_id"] for row in frames.rows(frames.distinct(rows, "user_id"))}


def _as_of(teams: nw.LazyFrame, date: datetime | None) -> nw.LazyFrame:
    """Return the members on the last reported day up to a date, or else on the first one."""
    ends = frames.first_and_last(teams)
    if ends is None or date is None:
        return teams
    until = frames.first_and_last(teams.filter(nw.col("day") <= date))
    return teams.filter(nw.col("day") == (until[1] if until else ends[0]))


def _largest_team(teams, date: datetime) -> str:
    """Return the team with most members as of a date, "" where there is none."""
    teams = read_teams(teams)
    members = _as_of(teams, date).group_by("team_id").agg(people=nw.len())
    # A team is known by its last name, whatever it was called on the date.
    named = members.join(last_slugs(teams), on="team_id")
    found = frames.rows(named.sort("people", "slug", descending=[True, False]).head(1))
    return found[0]["slug"] if found else ""


def _sums(users, value, span, date, weeks: list[int], worked) -> tuple[np.ndarray, np.ndarray]:
    """Return the people with a record before the date, and their sums by week."""
    counted = set(worked)
    days = frames.calendar(
        users,
        span,
        _week=lambda day: (day - date) // WEEK if span else 0,
        _counted=lambda day: int(day in counted),
    )
    rows = users.select("user_id", "day", _value=value).join(days, on="day")
    rows = rows.with_columns(_value=nw.col("_value") * nw.col("_counted"))
    sums = rows.group_by("user_id", "_week").agg(_sum=nw.col("_value").sum())
    found = sums.collect().to_pandas()
    people = np.sort(found.loc[found["_week"] < 0, "user_id"].unique())
    found = found[found["user_id"].isin(people)]
    table = np.zeros((len(people), len(weeks)))
    if len(people):
        row = np.searchsorted(people, found["user_id"].to_numpy())
        table[row, found["_week"].to_numpy().astype(int) - weeks[0]] = found["_sum"].astype(float)
    return np.asarray(people), table
