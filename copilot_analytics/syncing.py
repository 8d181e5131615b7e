"""Which days of an organization or enterprise are missing or not settled; fetch those."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from copilot_analytics import catalogue, fetching
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Client, Settings, earliest_day, parse_day
from copilot_analytics.errors import (
    ContractError,
    DownloadError,
    NetworkError,
    NoReportError,
    UsageError,
    worst,
)

FAMILIES = ("users", "entity", "teams", "repos")
SETTLED = ("final", "empty", "missing")
FAILURES_IN_A_ROW = 3  # then the other side is down, and asking on only makes it worse


@dataclass
class SyncResult:
    """What a run of `sync` did: one row per report and day that it asked for."""

    scope: str
    slots: pd.DataFrame
    codes: list[int]

    @property
    def exit_code(self) -> int:
        """0 if every slot is there, or is not due yet, or is confirmed to be empty."""
        return worst(self.codes)

    def summary(self) -> pd.DataFrame:
        """Return the number of days per report and state."""
        return pd.crosstab(self.slots["report"], self.slots["state"])


def plan(
    scope_kind: str,
    states: dict[tuple[str, date], str],
    *,
    today: date,
    since: date | None = None,
    until: date | None = None,
    families: Iterable[str] = FAMILIES,
) -> list[tuple[str, date | None]]:
    """Return the reports and days to ask for, in order. Pure: it looks at nothing else.

    The 28-day reports come first, because they cover the recent days in one call each; then every
    day that is not settled, from the oldest to the newest.

    Examples
    --------
    >>> states = {("users-1-day", date(2026, 11, 1)): "final"}
    >>> plan("organization", states, today=date(2026, 11, 4), since=date(2026, 11, 1),
    ...      families=["users"])
    [('users-28-day', None), ('users-1-day', datetime.date(2026, 11, 2)),
     ('users-1-day', datetime.date(2026, 11, 3))]
    """
    until = min(until or date.max, today - timedelta(days=1))
    wanted = [
        endpoint
        for endpoint in catalogue.all_endpoints()
        if endpoint.scope_kind == scope_kind and endpoint.family in set(families)
    ]
    windows = [(one.report, None) for one in wanted if one.period == "28-day"]
    days = [
        (one.report, day)
        for one in wanted
        if one.period == "1-day"
        for day in _days(max(since or date.min, earliest_day(one, today)), until)
        if states.get((one.report, day)) not in SETTLED
    ]
    days.sort(key=lambda slot: slot[1])
    return windows + days if days else []


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def sync(
    archive: Archive,
    *,
    org: str | None = None,
    enterprise: str | None = None,
    since=None,
    until=None,
    families: Iterable[str] = FAMILIES,
    client: Client | None = None,
    progress: Callable[[list], Iterable] = iter,
) -> SyncResult:
    """Bring an archive up to date: fetch every day that is missing or may still change.

    Parameters
    ----------
    archive
        Where the history is kept; it is made if it does not exist.
    org, enterprise
        Name of the organization or of the enterprise; exactly one.
    since, until
        First and last day, as text or date. Without ``since``, as far back as GitHub answers.
    families
        Which reports: users, entity, teams, repos.
    client
        A client of your own; without one, settings and token come from the environment.
    progress
        Wraps the list of reports to fetch, such as ``tqdm``.

    Returns
    -------
    SyncResult
        One row per report and day asked for, with its state and whether it was new.

    Raises
    ------
    CredentialsError, NotAllowedError, RateLimitError, NetworkError, StorageError
        When going on makes no sense; everything fetched before is kept.
    """
    scope = Scope.of(org=org, enterprise=enterprise)
    unknown = set(families) - set(FAMILIES)
    if unknown:
        raise UsageError(
            f"reports {', '.join(sorted(unknown))} do not exist",
            advice=f"choose from: {', '.join(FAMILIES)}",
        )
    since, until = (parse_day(day) if day else None for day in (since, until))
    if client is None:
        with Client(Settings.from_environment()) as own:
            return _sync(archive, scope, since, until, families, own, progress)
    return _sync(archive, scope, since, until, families, client, progress)


def _sync(archive, scope, since, until, families, client, progress) -> SyncResult:
    rows, codes, failures = [], [], 0
    with archive.writing() as ledger:
        found = ledger.rows("SELECT report, day, state FROM slots WHERE name = ?", [str(scope)])
        states = {(row["report"], date.fromisoformat(row["day"])): row["state"] for row in found}
        todo = plan(
            scope.kind, states, today=client.today(), since=since, until=until, families=families
        )
        for report, day in progress(todo):
            try:
                row, code = _one(archive, ledger, scope, report, day, client)
            except (NoReportError, DownloadError, NetworkError, ContractError) as problem:
                row, code = _absent(archive, ledger, scope, report, day, problem)
                failures = failures + 1 if isinstance(problem, NetworkError) else 0
                if failures == FAILURES_IN_A_ROW:
                    raise
            else:
                failures = 0
            rows.append(row)
            codes.append(code)
    columns = ["report", "day", "state", "is_new", "records", "note"]
    return SyncResult(str(scope), pd.DataFrame(rows, columns=columns), codes)


def _one(archive: Archive, ledger, scope: Scope, report: str, day: date | None, client: Client):
    """Fetch and store one report; return its row and its exit code."""
    with tempfile.TemporaryDirectory(prefix="copilot-analytics-") as folder:
        received = fetching.download_report(client, report, scope, day, Path(folder))
        last_day = day or received.envelope.report_end_day
        files = [file.path for file in received.files]
        stored = archive.store(ledger, scope, report, last_day, files)
    row = (
        report,
        last_day,
        stored.state,
        stored.is_new,
        stored.records,
        "; ".join(received.notes),
    )
    return row, 3 if received.envelope.is_partial else 0


def _absent(archive, ledger, scope, report, day, problem):
    """Record why a report is not there; a 28-day report has no day of its own to record."""
    state = problem.state if isinstance(problem, NoReportError) else "failed"
    if day is not None:
        archive.note_state(ledger, scope, report, day, state, problem.what)
    is_content = isinstance(problem, ContractError)
    code = problem.exit_code if is_content else 3 if state in ("missing", "failed") else 0
    return (report, day, state, False, 0, problem.what), code
