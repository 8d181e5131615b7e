"""The companies that the tests of the samples look at, and what they look at them with."""

from datetime import date, timedelta
from functools import cache

from copilot_analytics.samples import Company
from copilot_analytics.samples.vocabulary import COUNTERS

ORG, LABS, ENTERPRISE = "organization:octo-org", "organization:octo-labs", "enterprise:octo-corp"
SETTLED_DAY = date(2026, 11, 18)
ONE = timedelta(days=1)
INTERACTIONS = "user_initiated_interaction_count"
IN_28_DAY_REPORTS = (
    "report_start_day",
    "report_end_day",
    "etl_id",
    "day_partition",
    "entity_id_partition",
)


@cache
def small_company() -> Company:
    return Company(people=100, days=60)


@cache
def default_company() -> Company:
    return Company()


@cache
def users(company, scope, day, as_of=None) -> list[dict]:
    """The records of the people of a day."""
    return list(company.records("users-1-day", scope, day, as_of))


def entity(company, scope, day, as_of=None) -> dict:
    """The record of an organization or enterprise on a day."""
    (record,) = company.records(f"{scope.split(':')[0]}-1-day", scope, day, as_of)
    return record


def sums(rows, names=COUNTERS) -> dict:
    """The counters, added up by an ordinary loop."""
    return {name: sum(row[name] for row in rows) for name in names}


def is_active(record) -> bool:
    """GitHub's rule, and the people whom only the server has seen: no sign of anything else."""
    if record[INTERACTIONS]:
        return True
    flags = [value for key, value in record.items() if key.startswith("used_")]
    return bool(flags) and not any(flags) and not record["totals_by_feature"]
