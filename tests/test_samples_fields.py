"""Every described field is in the sample from its first day on, and not before."""

from __future__ import annotations

from datetime import date

import pytest
from sample_company import (
    IN_28_DAY_REPORTS,
    ONE,
    ORG,
    SETTLED_DAY,
    entity,
    small_company,
)

from copilot_analytics import catalogue
from copilot_analytics.samples import Company
from copilot_analytics.samples.vocabulary import UNKNOWN_FIELD, UNKNOWN_IDE_FIELD


@pytest.fixture(scope="module")
def company():
    return small_company()


@pytest.fixture(scope="module")
def long_company():
    """From before the first report to the last day that is known."""
    return Company(people=150, days=410)


SINCE = sorted(
    {
        field.since
        for family in ("users", "entity", "teams", "repos")
        for field in catalogue.record_fields(family)
        if field.since and field.since > date(2025, 12, 16)
    }
)
REPORTS = {
    "users": "users-1-day",
    "entity": "organization-1-day",
    "teams": "user-teams-1-day",
    "repos": "repos-1-day",
}


def _paths(value, path=""):
    """Yield the paths of all values that are not null."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{path}[]")
    elif value is not None:
        yield path


def _day_paths(company, family, day):
    records = company.records(REPORTS[family], ORG, day)
    return {path for record in records for path in _paths(record)}


@pytest.mark.parametrize("since", SINCE, ids=str)
def test_each_field_appears_on_its_first_days_and_not_before(long_company, since):
    """F117: known optional fields are absent from early days."""
    for family in REPORTS:
        beginning = {
            field.path
            for field in catalogue.record_fields(family)
            if field.since == since and field.path not in IN_28_DAY_REPORTS
        }
        if not beginning:
            continue
        before = set().union(*(_day_paths(long_company, family, since - n * ONE) for n in (1, 2)))
        assert not beginning & before
        waiting = set(beginning)
        for n in range(10):
            waiting -= _day_paths(long_company, family, since + n * ONE)
            if not waiting:
                break
        assert not waiting


@pytest.mark.parametrize("family", ["users", "entity", "repos", "window"])
def test_every_described_field_occurs_today(company, family):
    found = set()
    for day in company.days()[-10:]:
        if family in REPORTS:
            found |= _day_paths(company, family, day)
    if family == "users":
        for record in company.records("users-28-day", ORG):
            found |= set(_paths(record))
    if family in ("entity", "window"):
        (wrapper,) = company.records("organization-28-day", ORG)
        found |= set(_paths(wrapper))
        found |= {path.removeprefix("day_totals[].") for path in found}
    described = catalogue.record_fields(family)
    assert {field.path for field in described if not field.is_retired} <= found


def test_every_field_of_teams_occurs_but_housekeeping(company):
    """GitHub has no 28-day report on teams, and housekeeping only in those."""
    described = {field.path for field in catalogue.record_fields("teams")}
    described -= set(IN_28_DAY_REPORTS)
    assert _day_paths(company, "teams", SETTLED_DAY) == described


def test_housekeeping_stays_out_of_1_day_reports(company):
    for family in REPORTS:
        assert not _day_paths(company, family, SETTLED_DAY) & set(IN_28_DAY_REPORTS)


def test_fields_that_nobody_described_appear(company):
    """F114: one at the top, one inside an array element, one that is documented elsewhere."""
    described = {field.path for field in catalogue.record_fields("users")}
    unknown = _day_paths(company, "users", SETTLED_DAY) - described
    assert unknown == {UNKNOWN_FIELD, f"totals_by_ide[].{UNKNOWN_IDE_FIELD}"}
    assert not _day_paths(company, "users", date(2026, 10, 14)) - described
    assert "ai_credits_used" in entity(company, ORG, SETTLED_DAY)
