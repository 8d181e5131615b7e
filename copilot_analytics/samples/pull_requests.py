"""The pull requests of the sample company: events of a day, and what a report says of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.population import PULL_REQUESTS, Population, generator
from copilot_analytics.samples.use import Use

COPILOT = -1  # as an author or a reviewer, in the place of a person
_HOME = np.array([organization for organization, _ in words.REPOSITORIES])


@dataclass(frozen=True)
class Events:
    """Events of one kind, arrays of (m,); those of a kind that has no such thing are empty.

    `repository` and `person` are codes, `arrival` the level from which an event is served.
    `minutes` is (m, 4): creation to merge, ready to first review, first to final review, final
    review to merge. `suggestions` and `applied` are (m, 1 + types): by people, then by Copilot per
    type of comment.
    """

    repository: np.ndarray
    person: np.ndarray
    arrival: np.ndarray
    by_copilot: np.ndarray
    by_person: np.ndarray
    minutes: np.ndarray
    cycles: np.ndarray
    suggestions: np.ndarray
    applied: np.ndarray

    def where(self, chosen: np.ndarray) -> Events:
        """Return the events for which `chosen` (m,) is true."""
        return Events(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True)
class PullRequests:
    """Pull requests created, merged and reviewed on a day."""

    created: Events
    merged: Events
    reviewed: Events

    def at(self, level: int) -> PullRequests:
        """Return what is served at a level."""
        return self._each(lambda events: events.arrival <= level)

    def of(self, repositories: np.ndarray) -> PullRequests:
        """Return those of the repositories for which the array is true."""
        return self._each(lambda events: repositories[events.repository])

    def any(self) -> bool:
        """Return whether anything happened."""
        return any(len(events.person) for events in (self.created, self.merged, self.reviewed))

    def _each(self, choose) -> PullRequests:
        return PullRequests(
            *(e.where(choose(e)) for e in (self.created, self.merged, self.reviewed))
        )


def repositories_of(organizations: int) -> np.ndarray:
    """Return which repositories belong to organizations, given as bits (1, 2 or 3)."""
    return ((1 << _HOME) & organizations) > 0


def draw_pull_requests(people: Population, use: Use, day: date, seed: int) -> PullRequests:
    """Draw the pull requests of a day, by the people who work and by the cloud agent."""
    rng = generator(seed, PULL_REQUESTS, day)
    working = np.flatnonzero(use.is_working)
    delegates = np.flatnonzero(use.bits & words.BIT["cloud_agent"])
    pace = np.sqrt(people.intensity)
    return PullRequests(
        created=_events(rng, people, _authors(rng, working, delegates, 0.3 * pace, 0.7)),
        merged=_events(rng, people, _authors(rng, working, delegates, 0.26 * pace, 0.5)),
        reviewed=_events(rng, people, _authors(rng, working, working[:0], 0.35 * pace, 0)),
    )


def _authors(rng, working, delegates, pace, agent_pace) -> tuple[np.ndarray, np.ndarray]:
    """Return for each event whose work it is, and whether the cloud agent does it for them."""
    own = np.repeat(working, rng.poisson(pace[working]))
    delegated = np.repeat(delegates, rng.poisson(agent_pace, len(delegates)))
    return np.r_[own, delegated], np.arange(len(own) + len(delegated)) >= len(own)


def _events(rng, people: Population, authors: tuple[np.ndarray, np.ndarray]) -> Events:
    owner, is_agent = authors
    count = len(owner)
    second = (people.organizations[owner] == 2) | (
        (people.organizations[owner] == 3) & (rng.random(count) < 0.4)
    )
    homes = [np.flatnonzero(organization == _HOME) for organization in (0, 1)]
    skewed = rng.random(count) ** 1.6  # a few repositories get most of the work
    repository = np.where(
        second,
        homes[1][(skewed * len(homes[1])).astype(int)],
        homes[0][(skewed * len(homes[0])).astype(int)],
    )
    by_copilot = rng.random(count) < 0.35
    by_person = (rng.random(count) < 0.75) & ~is_agent
    cycles = 1 + rng.poisson(0.6, count)
    types = len(words.COMMENT_TYPES)
    shares = np.array([0.4, 0.15, 0.25, 0.1, 0.1])
    suggestions = np.column_stack(
        [rng.poisson(1.2, count), rng.poisson(2.5 * shares, (count, types)) * by_copilot[:, None]]
    )
    return Events(
        repository=repository,
        person=np.where(is_agent, COPILOT, owner),
        arrival=np.searchsorted([0.88, 0.93, 0.97], rng.random(count)),
        by_copilot=by_copilot,
        by_person=by_person,
        minutes=_minutes(rng, count, is_agent, cycles),
        cycles=cycles,
        suggestions=suggestions,
        applied=rng.binomial(suggestions, 0.4),
    )


def _minutes(rng, count: int, is_agent: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    first = rng.lognormal(4.6, 1, count)
    between = rng.lognormal(5, 1, count) * (cycles > 1)
    last = rng.lognormal(4, 1.1, count)
    whole = first + between + last + rng.lognormal(5 - is_agent, 1, count)
    return np.round(np.column_stack([whole, first, between, last]), 2)


def describe(pull_requests: PullRequests) -> dict:
    """Return the `pull_requests` object of a record; medians without merges are left out."""
    created, merged, reviewed = (
        pull_requests.created,
        pull_requests.merged,
        pull_requests.reviewed,
    )
    by_agent = merged.person == COPILOT
    result = {
        "total_created": len(created.person),
        "total_reviewed": len(reviewed.person),
        "total_merged": len(merged.person),
        "total_suggestions": int(reviewed.suggestions.sum()),
        "total_applied_suggestions": int(reviewed.applied.sum()),
        "total_created_by_copilot": int((created.person == COPILOT).sum()),
        "total_reviewed_by_copilot": int(reviewed.by_copilot.sum()),
        "total_merged_created_by_copilot": int(by_agent.sum()),
        "total_merged_reviewed_by_copilot": int(merged.by_copilot.sum()),
        "total_copilot_suggestions": int(reviewed.suggestions[:, 1:].sum()),
        "total_copilot_applied_suggestions": int(reviewed.applied[:, 1:].sum()),
        "copilot_suggestions_by_comment_type": [
            {
                "comment_type": name,
                "total_copilot_suggestions": int(reviewed.suggestions[:, 1 + place].sum()),
                "total_copilot_applied_suggestions": int(reviewed.applied[:, 1 + place].sum()),
            }
            for place, name in enumerate(words.COMMENT_TYPES)
            if reviewed.suggestions[:, 1 + place].any()
        ],
    }
    for tail, chosen in (
        ("", slice(None)),
        ("_copilot_authored", by_agent),
        ("_copilot_reviewed", merged.by_copilot),
    ):
        minutes = merged.minutes[chosen, 0]
        if len(minutes):
            result[f"median_minutes_to_merge{tail}"] = round(float(np.median(minutes)), 2)
    return result


def review_times(merged: Events) -> list[dict]:
    """Return `pull_request_review_times`: pull requests by one person, reviewed by another."""
    chosen = merged.where(merged.by_person)
    if not len(chosen.person):
        return []
    result = {"authored_by": "human", "reviewed_by": "human", "total_merged": len(chosen.person)}
    phases = ("ready_to_first_review", "first_to_final_review", "final_review_to_merge")
    middle, late = np.percentile(chosen.minutes[:, 1:], [50, 90], axis=0).round(2).tolist()
    for phase, median, p90 in zip(phases, middle, late, strict=True):
        result[f"median_minutes_{phase}"] = median
        result[f"p90_minutes_{phase}"] = p90
    return [result]


def medians_by_person(merged: Events, people: np.ndarray) -> dict[str, np.ndarray]:
    """Return per person (NaN without merges) the medians that phase averages are made of."""
    result = {name: np.full(len(people), np.nan) for name in ("merge", "review", "cycles")}
    own = merged.where(merged.person != COPILOT)
    own = own.where(people[own.person])
    order = np.argsort(own.person, kind="stable")
    person, starts = np.unique(own.person[order], return_index=True)
    columns = {
        "merge": own.minutes[order, 0],
        "review": own.minutes[order, 1],
        "cycles": own.cycles[order],
    }
    for name, column in columns.items():
        for who, values in zip(person.tolist(), np.split(column, starts[1:]), strict=False):
            result[name][who] = np.median(values)
    return result
