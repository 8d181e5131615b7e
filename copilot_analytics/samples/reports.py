"""The reports on the sample company: which records stand in which file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from copilot_analytics.catalogue import Endpoint, endpoint
from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.entity_records import Seen, entity_record, feature_engagement
from copilot_analytics.samples.gating import missing_paths, prune
from copilot_analytics.samples.pull_requests import describe, repositories_of, review_times
from copilot_analytics.samples.user_records import user_records

if TYPE_CHECKING:
    from copilot_analytics.samples.company import Company, Entity

LARGE = 50  # records, above which a report on the people of a day comes in two files


@dataclass(frozen=True)
class Question:
    """What is asked: an endpoint, an entity, and the day on which GitHub is asked (or None)."""

    company: Company
    endpoint: Endpoint
    entity: Entity
    as_of: date | None

    def reported(self, day: date, record: dict, family: str | None = None) -> dict:
        """Return a record without what GitHub did not report yet on its day."""
        family = family or self.endpoint.family
        return prune(record, missing_paths(family, self.endpoint.since, day))


def parts(
    company: Company, report: str, entity: Entity, day: date | None, as_of: date | None
) -> list[Iterator[dict]]:
    """Return the records of an existing report in the files that GitHub would deliver."""
    question = Question(company, endpoint(report, entity.scope.kind), entity, as_of)
    family = question.endpoint.family
    if question.endpoint.period == "28-day":
        first, last = company.window(report, entity.scope, as_of)
        days = company.days(max(first, question.endpoint.first_day), last)
        if family == "entity":
            return [_wrapper(question, first, days)]
        # A file without records would be a broken file, so days without anybody go first.
        days = [day for day in days if company.has_report("users-1-day", entity.scope, day, as_of)]
        first_cut, second_cut = len(days) * 9 // 28, len(days) * 19 // 28
        pieces = (days[:first_cut], days[first_cut:second_cut], days[second_cut:])
        return [_users_of_window(question, first, last, piece) for piece in pieces if piece]
    if family == "users":
        people = np.count_nonzero(company.recorded(day, as_of) * entity.members)
        half = people // 2
        halves = (slice(half), slice(half, None)) if people > LARGE else (slice(None),)
        return [_users(question, day, rows) for rows in halves]
    make = {"entity": _entity, "teams": _teams, "repos": _repositories}[family]
    return [make(question, day)]


def _users(question: Question, day: date, rows: slice = slice(None)) -> Iterator[dict]:
    company, as_of = question.company, question.as_of
    bits = company.recorded(day, as_of) * question.entity.members
    for record in user_records(
        company.people,
        day,
        bits,
        company.activity(day, as_of),
        company.phases(day, as_of),
        np.flatnonzero(bits)[rows],
        question.entity.ids,
    ):
        yield question.reported(day, record)


def _users_of_window(question, first: date, last: date, days: list[date]) -> Iterator[dict]:
    window = _window(first, last)
    for day in days:
        housekeeping = _housekeeping(question.entity, day)
        for record in _users(question, day):
            yield {**record, **window, **housekeeping}


def _seen(question: Question, day: date) -> Seen:
    company, as_of = question.company, question.as_of
    members = question.entity.members
    since_sunday = (day.weekday() + 1) % 7
    month = [company.bits(day - timedelta(days=n), as_of) for n in range(day.day)]
    week = [company.bits(day - timedelta(days=n), as_of) for n in range(since_sunday + 1)]
    telemetry = [bits & ~words.BIT["reduced"] for bits in company.last_days(day, as_of)]
    return Seen(
        bits=company.bits(day, as_of) * members,
        week=np.bitwise_or.reduce(week) * members,
        month=np.bitwise_or.reduce(month) * members,
        recorded=company.recorded(day, as_of) * members,
        recent=(np.bitwise_or.reduce(telemetry) > 0) & members,
        phases=company.phases(day, as_of),
    )


def _entity(question: Question, day: date) -> Iterator[dict]:
    company, entity, as_of = question.company, question.entity, question.as_of
    record = entity_record(
        entity.ids,
        day.isoformat(),
        _seen(question, day),
        company.activity(day, as_of).of(entity.members),
        company.pull_requests(entity, day, as_of),
    )
    yield question.reported(day, record)


def _wrapper(question: Question, first: date, days: list[date]) -> Iterator[dict]:
    company, entity, last = question.company, question.entity, days[-1]
    # GitHub promises no order of the days, and real files have none.
    totals = [
        {**record, **_housekeeping(entity, day)}
        for day in (*days[1::2], *days[::2])
        for record in _entity(question, day)
    ]
    produced = last + timedelta(days=2)
    wrapper = {
        **_window(first, last),
        **entity.ids,
        "created_at": f"{produced.isoformat()}T03:27:45.1234567Z",
        "day_totals": totals,
        "copilot_feature_engagement": feature_engagement(
            [bits * entity.members for bits in company.last_days(last, question.as_of)]
        ),
        **_housekeeping(entity, last),
    }
    yield question.reported(last, wrapper, family="window")


def _teams(question: Question, day: date) -> Iterator[dict]:
    company = question.company
    logins = company.people.logins_on(day)
    is_served = company.is_served(day, question.as_of)
    for person, team in company.members_of_teams(question.entity, day):
        if is_served[person]:
            record = {
                "day": day.isoformat(),
                **question.entity.ids,
                "user_id": int(company.people.user_id[person]),
                "user_login": logins[person],
                "team_id": team.team_id,
                "slug": team.slug,
            }
            yield question.reported(day, record)


def _repositories(question: Question, day: date) -> Iterator[dict]:
    pull_requests = question.company.pull_requests(question.entity, day, question.as_of)
    for place in np.flatnonzero(repositories_of(question.entity.organizations)).tolist():
        organization, name = words.REPOSITORIES[place]
        own = pull_requests.of(np.arange(len(words.REPOSITORIES)) == place)
        if not own.any():
            continue
        slug, organization_id = words.ORGANIZATIONS[organization]
        record = {
            "day": day.isoformat(),
            "enterprise_id": words.ENTERPRISE[1],
            "organization_id": organization_id,
            "repo_id": 880_000_100 + place,
            "repo_owner_name": slug,
            "repo_name": name,
            "repo_visibility": words.VISIBILITIES[place % len(words.VISIBILITIES)],
            # No merges: the median is null here, and left out in the records of an entity.
            "pull_requests": {"median_minutes_to_merge": None, **describe(own)},
            "pull_request_review_times": review_times(own.merged),
        }
        yield question.reported(day, record)


def _window(first: date, last: date) -> dict:
    return {"report_start_day": first.isoformat(), "report_end_day": last.isoformat()}


def _housekeeping(entity: Entity, day: date) -> dict:
    partition = int(entity.ids.get("organization_id", entity.ids["enterprise_id"])) % 64
    return {
        "etl_id": "green",
        "day_partition": day.isoformat(),
        "entity_id_partition": partition,
    }
