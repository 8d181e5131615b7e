"""A company with known truth: seeded, the same in every process, any day made alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from copilot_analytics import catalogue
from copilot_analytics.catalogue import Scope
from copilot_analytics.errors import UsageError
from copilot_analytics.samples import reports
from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.activity import Activity
from copilot_analytics.samples.amounts import draw_activity
from copilot_analytics.samples.entity_records import adoption_phases
from copilot_analytics.samples.population import draw_population
from copilot_analytics.samples.pull_requests import (
    PullRequests,
    draw_pull_requests,
    repositories_of,
)
from copilot_analytics.samples.training import Training, with_prompts
from copilot_analytics.samples.truth import Truth, tell
from copilot_analytics.samples.use import SETTLED, Use, draw_use

PUBLISHED_AFTER = 2  # days until GitHub has the first version of a day
WINDOW = 28  # days of the longer reports, and of adoption phases


@dataclass(frozen=True)
class Entity:
    """An organization or the enterprise.

    `ids` stand in its records, `organizations` are bits, `members` is (n,): who belongs to it.
    """

    scope: Scope
    ids: dict
    organizations: int
    members: np.ndarray


class Company:
    """A sample company: octo-corp with the organizations octo-org and octo-labs.

    Copilot came to the company on the first day; nothing happened before. A day has no report for
    two days, then an incomplete one for three, and does not change from the fifth on. One working
    day has no report at all, for ever.

    Parameters
    ----------
    people
        How many people have a seat at some time, at least 20. Some never show up.
    days
        How many days are observed, up to and including `end_day`.
    seed
        Same seed, same company, to the last byte.
    end_day
        The last day of work. GitHub's clock, `now`, stands two days later at 09:00 UTC.
    missing_days
        Days that GitHub has lost.
    training
        Something that made one team use more from a day on. None: nothing happened.

    Raises
    ------
    UsageError
        If there are too few people or days, or a scope, report or team does not exist.

    Examples
    --------
    >>> company = Company(people=30, days=14)
    >>> record = next(company.records("users-1-day", "organization:octo-org", date(2026, 11, 18)))
    >>> record["day"], record["organization_id"]
    ('2026-11-18', '9919001')
    """

    def __init__(
        self,
        people: int = 180,
        days: int = 120,
        seed: int = 7,
        end_day: date = date(2026, 11, 20),
        *,
        missing_days: tuple[date, ...] = (date(2026, 9, 9),),
        training: Training | None = None,
    ):
        if people < 20 or days < 1 or seed < 0:
            raise UsageError(
                f"no sample company of {people} people and {days} days with seed {seed}",
                advice="use at least 20 people, at least one day, and a seed of 0 or more",
            )
        self.seed, self.end_day, self.missing_days = seed, end_day, missing_days
        self.start_day = end_day - timedelta(days=days - 1)
        self.now = datetime.combine(end_day + timedelta(days=2), time(9), tzinfo=UTC)
        self.people = draw_population(people, self.start_day, end_day, seed)
        self.training = training
        self.trained = np.zeros(people, dtype=bool)
        if training:
            self.trained = training.members(self.people)
        # A month to date and the 28 days of a phase are looked at again for each following day.
        self._use = lru_cache(96)(self._draw_use)
        self._phases = lru_cache(8)(self._draw_phases)
        self._settled_activity = lru_cache(4)(self._draw_activity)
        self._settled_pull_requests = lru_cache(4)(self._draw_pull_requests)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The two organizations and the enterprise."""
        organizations = (Scope("organization", slug) for slug, _ in words.ORGANIZATIONS)
        return (*organizations, Scope("enterprise", words.ENTERPRISE[0]))

    def entity(self, scope: Scope | str) -> Entity:
        """Return an organization or the enterprise by its scope."""
        scope = scope if isinstance(scope, Scope) else Scope.parse(scope)
        if scope not in self.scopes:
            raise UsageError(
                f"the sample company has no {scope}",
                advice=f"one of: {', '.join(map(str, self.scopes))}",
            )
        ids = {"enterprise_id": words.ENTERPRISE[1]}
        bits = 3
        if scope.kind == "organization":
            place = self.scopes.index(scope)
            ids["organization_id"] = words.ORGANIZATIONS[place][1]
            bits = 1 << place
        return Entity(scope, ids, bits, (self.people.organizations & bits) > 0)

    def days(self, start: date | None = None, end: date | None = None) -> list[date]:
        """Return the days that have, or will have, reports; both ends included."""
        first = max(start or self.start_day, self.start_day)
        last = min(end or self.end_day, self.end_day)
        every = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [day for day in every if day not in self.missing_days]

    def level(self, day: date, as_of: date | datetime | None = None) -> int | None:
        """Return how complete a day is: None without a report, 0 to 2 incomplete, 3 settled."""
        if not self.start_day <= day <= self.end_day or day in self.missing_days:
            return None
        if as_of is None:
            return SETTLED
        age = (_utc_day(as_of) - day).days - PUBLISHED_AFTER
        return None if age < 0 else min(age, SETTLED)

    def window(
        self, report: str, scope: Scope | str, as_of: date | datetime | None = None
    ) -> tuple[date, date] | None:
        """Return the first and last day of a 28-day report, None when there is none."""
        first_day = catalogue.endpoint(report, self.entity(scope).scope.kind).first_day
        reported = [day for day in self.days() if self.level(day, as_of) is not None]
        if not reported or reported[-1] < first_day:
            return None
        return reported[-1] - timedelta(days=WINDOW - 1), reported[-1]

    def has_report(
        self,
        report: str,
        scope: Scope | str,
        day: date | None = None,
        as_of: date | datetime | None = None,
    ) -> bool:
        """Return whether GitHub has a report, as of a day or when all is settled.

        Nobody seen, or no pull request: no report on people or repositories.
        """
        entity = self.entity(scope)
        endpoint = catalogue.endpoint(report, entity.scope.kind)
        if endpoint.period == "28-day":
            return self.window(report, scope, as_of) is not None
        if day is None:
            raise UsageError(f"report {report} needs a day")
        if day < endpoint.first_day or self.level(day, as_of) is None:
            return False
        if endpoint.family == "users":
            return bool((self.recorded(day, as_of) * entity.members).any())
        if endpoint.family == "repos":
            return self.pull_requests(entity, day, as_of).any()
        return True

    def records(
        self,
        report: str,
        scope: Scope | str,
        day: date | None = None,
        as_of: date | datetime | None = None,
    ) -> Iterator[dict]:
        """Yield the records of a report; none where `has_report` is false.

        Parameters
        ----------
        report
            Name as in the catalogue's endpoints, for example ``"users-1-day"``.
        scope
            ``"organization:octo-org"``, ``"organization:octo-labs"`` or ``"enterprise:octo-corp"``.
        day
            The day of a 1-day report.
        as_of
            The day on which GitHub is asked; None for what it says once all is settled.
        """
        for part in self.parts(report, scope, day, as_of):
            yield from part

    def parts(
        self,
        report: str,
        scope: Scope | str,
        day: date | None = None,
        as_of: date | datetime | None = None,
    ) -> list[Iterator[dict]]:
        """Return the records of a report in the files that GitHub would deliver.

        Reports of 28 days on people come in three files, split by time, so that a person is in
        several of them; those of a day in two, on days with many.
        """
        if not self.has_report(report, scope, day, as_of):
            return []
        return reports.parts(self, report, self.entity(scope), day, as_of)

    def truth(self, scope: Scope | str) -> Truth:
        """Return what really happened in an entity, from the drawn arrays, as it settles."""
        return tell(self, self.entity(scope))

    # Drawing: one day each, kept for the days that follow.

    def _part(self, day: date) -> float:
        return (day - self.start_day) / max(self.end_day - self.start_day, timedelta(days=1))

    def _draw_use(self, day: date) -> Use:
        return draw_use(self.people, day, self._part(day), self.seed)

    def _draw_untrained(self, day: date) -> Activity:
        return draw_activity(self.people, self._use(day), day, self._part(day), self.seed)

    def _draw_activity(self, day: date) -> Activity:
        activity = self._draw_untrained(day)
        if self.training is None:
            return activity
        return with_prompts(activity, self._extra(activity, day))

    def _extra(self, activity: Activity, day: date) -> np.ndarray:
        return self.training.extra_of(activity, self.trained, day, self.seed)

    def _draw_pull_requests(self, day: date) -> PullRequests:
        return draw_pull_requests(self.people, self._use(day), day, self.seed)

    def bits(self, day: date, as_of: date | datetime | None = None) -> np.ndarray:
        """Return who used what (bits of `vocabulary.BIT`), 0 where no record is served."""
        if self.level(day, as_of) is None:
            return np.zeros(len(self.people.user_id), dtype=np.int64)
        return self._use(day).bits * self.is_served(day, as_of)

    def is_served(self, day: date, as_of: date | datetime | None = None) -> np.ndarray:
        """Return whose data of a reported day has arrived; all, once the day is settled."""
        return self._use(day).arrival <= self.level(day, as_of)

    def recorded(self, day: date, as_of: date | datetime | None = None) -> np.ndarray:
        """Return those bits that records of people show, which is less on early days."""
        return self.bits(day, as_of) & ~words.hidden(day)

    def last_days(self, day: date, as_of: date | datetime | None = None) -> list[np.ndarray]:
        """Return the recorded bits of the 28 days up to a day."""
        return [self.recorded(day - timedelta(days=n), as_of) for n in range(WINDOW)]

    def _draw_phases(self, day: date, as_of: date | None) -> np.ndarray:
        return adoption_phases(self.last_days(day, as_of))

    def phases(self, day: date, as_of: date | datetime | None = None) -> np.ndarray:
        """Return the adoption phase (0 to 3) of each person, from the 28 days up to a day."""
        return self._phases(day, None if as_of is None else _utc_day(as_of))

    def activity(self, day: date, as_of: date | datetime | None = None) -> Activity:
        """Return how much was used on a day that has a report."""
        return self._settled_activity(day).at(self._use(day), self.level(day, as_of))

    def extra_prompts(self, day: date) -> np.ndarray:
        """Return how many prompts of a day each person would not have had without the training."""
        count = len(self.people.user_id)
        if self.training is None:
            return np.zeros(count, dtype=np.int64)
        activity = self._draw_untrained(day)
        extra = np.bincount(activity.person, self._extra(activity, day), minlength=count)
        return extra.astype(np.int64)

    def pull_requests(
        self, entity: Entity, day: date, as_of: date | datetime | None = None
    ) -> PullRequests:
        """Return the pull requests of an entity on a day that has a report."""
        chosen = repositories_of(entity.organizations)
        return self._settled_pull_requests(day).at(self.level(day, as_of)).of(chosen)

    def members_of_teams(self, entity: Entity, day: date) -> Iterator[tuple[int, words.Team]]:
        """Yield people with a seat and their teams on a day.

        The teams are the enterprise's own, each given to one organization, so that both kinds of
        report have them.
        """
        has_seat = self.people.has_seat(day)
        for member in self.people.memberships:
            team = words.TEAMS[member.team]
            if (
                has_seat[member.person]
                and member.first_day <= day <= member.last_day
                and (1 << team.organization) & entity.organizations
            ):
                yield member.person, team


def _utc_day(moment: date | datetime) -> date:
    return moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
