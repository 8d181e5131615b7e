"""A company with known truth to try everything on, and a server that speaks GitHub's protocol.

Nobody in it is real. Its reports have what real ones have: gaps, late data, people who never show
up, fields that nobody has described, several spellings of one thing.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pandas as pd

from copilot_analytics.catalogue import is_settled
from copilot_analytics.samples.company import Company
from copilot_analytics.samples.server import SampleServer
from copilot_analytics.samples.training import Training
from copilot_analytics.samples.truth import Truth
from copilot_analytics.samples.writing import encode, write
from copilot_analytics.tidy import Tables, load

__all__ = ["Company", "SampleServer", "Training", "Truth", "encode", "sample", "write"]

_FAMILIES = {
    "users": "users-1-day",
    "entity": "organization-1-day",
    "teams": "user-teams-1-day",
    "repos": "repos-1-day",
}
_WINDOW = "organization-28-day"


def sample(people: int = 180, days: int = 120, seed: int = 7) -> Tables:
    """Return tables of the sample company's larger organization: what do the tools show?

    Parameters
    ----------
    people
        People in the company who have a seat at some time; nine of ten are in octo-org.
    days
        Days up to and including 20 November 2026.
    seed
        Same seed, same tables.

    Returns
    -------
    Tables
        What `load` makes of all reports on octo-org, as they read once they are settled: people,
        the organization, teams, repositories, and the feature engagement of the last 28 days.
        ``day_states`` has one row per family and day: ``final``; ``provisional`` for the last days
        before the company's ``now``, as `sync` marks them; ``empty`` for days without a report.

    Raises
    ------
    UsageError
        If there are fewer than 20 people, no day, or a negative seed.

    Examples
    --------
    >>> tables = sample(people=30, days=7)
    >>> tables.users["user_login"].dtype
    <StringDtype(na_value=nan)>
    >>> tables.day_states.query("family == 'entity'")["state"].tolist()
    ['final', 'final', 'final', 'provisional', 'provisional', 'provisional', 'provisional']
    """
    company = Company(people, days, seed)
    with tempfile.TemporaryDirectory(prefix="copilot-analytics-sample-") as folder:
        _write_whole(Path(folder), company)
        tables = load(folder)
    return Tables(
        {name: partial(tables.__getitem__, name) for name in tables},
        rows={name: tables.count(name) for name in tables},
        read_columns=tables.read,
        day_states=_day_states(company, tables),
        unknown_fields=tables.unknown_fields,
        quarantined=tables.quarantined,
        notes=tables.notes,
        facts=tables.facts,
    )


def _write_whole(folder: Path, company: Company) -> None:
    """Write one file per report for the whole period, which loads faster than one per day."""
    scope = company.scopes[0]
    with ExitStack() as stack:
        files = {
            report: stack.enter_context((folder / f"{report}.ndjson").open("wb"))
            for report in (*_FAMILIES.values(), _WINDOW)
        }
        for day in company.days():
            for report in _FAMILIES.values():
                files[report].writelines(encode(company.records(report, scope, day)))
        files[_WINDOW].writelines(encode(company.records(_WINDOW, scope)))


def _day_states(company: Company, tables: Tables) -> pd.DataFrame:
    """Return the state of every day, as an archive would know it."""
    states = []
    every_day = pd.date_range(company.start_day, company.end_day, unit="us")
    scope = company.scopes[0]
    label = f"{scope.kind}:{company.entity(scope).ids['organization_id']}"
    for family, report in _FAMILIES.items():
        rows = tables[family].groupby("day").size()
        for day in every_day:
            state = "final" if is_settled(day.date(), company.now.date()) else "provisional"
            if not company.has_report(report, scope, day.date()):
                state = "empty"
            states.append((label, family, day, state, rows.get(day, 0)))
    frame = pd.DataFrame(states, columns=["scope", "family", "day", "state", "rows"])
    return frame.astype(
        {"scope": "str", "family": "str", "day": "datetime64[us]", "state": "str", "rows": "Int64"}
    )
