"""Which days of an organization or enterprise are missing or not settled; fetch those."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from copilot_analytics.archive import Archive, size_text
from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Client, Settings, parse_day
from copilot_analytics.errors import UsageError, worst
from copilot_analytics.syncing.incoming import Incoming
from copilot_analytics.syncing.pipeline import Pipeline
from copilot_analytics.syncing.planning import FAMILIES, bytes_needed, check_range, plan

__all__ = ["FAMILIES", "SyncResult", "plan", "sync"]


_USUAL_SIZE = """
SELECT report, AVG(bytes) AS bytes FROM (
    SELECT v.report, SUM(r.bytes) AS bytes FROM versions v JOIN raw_files r USING (version)
    WHERE v.name = ? AND v.is_current GROUP BY v.version
) GROUP BY report
"""


@dataclass
class SyncResult:
    """What a run of `sync` did: one row per report and day that it asked for.

    `unknown_fields` are those of stored reports that the catalogue does not describe, as
    ``"table: path"``. They are kept in the column `extra`.
    """

    scope: str
    slots: pd.DataFrame
    codes: list[int]
    purged_before: date | None = None  # only where days were not asked for because of it
    unknown_fields: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 if every slot is there, or is not due yet, or is confirmed to be empty."""
        return worst(self.codes)

    def summary(self) -> pd.DataFrame:
        """Return the number of days per report and state."""
        return pd.crosstab(self.slots["report"], self.slots["state"])


def sync(
    archive: Archive | str | Path,
    *,
    org: str | None = None,
    enterprise: str | None = None,
    since=None,
    until=None,
    families: Iterable[str] = FAMILIES,
    client: Client | None = None,
    progress: Callable[[list], Iterable] = iter,
    wait: bool = False,
    accept_shrink: bool = False,
) -> SyncResult:
    """Bring an archive up to date: fetch every day that is missing or may still change.

    Parameters
    ----------
    archive
        Where the history is kept, or its folder; it is made if it does not exist.
    org, enterprise
        Name of the organization or of the enterprise; exactly one.
    since, until
        First and last day, as text or date. Without ``since``, as far back as GitHub answers.
    families
        Which reports: users, entity, user-teams, repos.
    client
        A client of your own; without one, settings and token come from the environment.
    progress
        Wraps the list of reports to fetch, such as ``tqdm``; what it returns is told the day and
        the bytes received so far, if it has the method ``set_postfix_str`` of ``tqdm``.
    wait
        Wait until another run that writes to the archive has ended.
    accept_shrink
        Make a version of a day current even if it has less than half of the records or people of
        the one before; those that were held back earlier as well.

    Returns
    -------
    SyncResult
        One row per report and day asked for, with its state and whether it was new.

    Raises
    ------
    UsageError
        The range holds no day that GitHub could have, or a name is not known; nothing was asked.
    LockedError
        Another run writes to the archive.
    CredentialsError, NotAllowedError, RateLimitError, NetworkError, StorageError
        When going on makes no sense, or the disk has clearly no room for what is to come;
        everything fetched before is kept.
    """
    scope = Scope.of(org=org, enterprise=enterprise)
    if isinstance(archive, str | Path):
        archive = Archive(archive)
    families = list(families)
    unknown = set(families) - {*FAMILIES, "teams"}
    if unknown or not families:
        raise UsageError(
            f"reports {', '.join(sorted(unknown))} do not exist" if unknown else "no reports given",
            advice=f"choose from: {', '.join(FAMILIES)}",
        )
    since, until = (parse_day(day) if day else None for day in (since, until))
    asked = {"since": since, "until": until, "families": families}
    options = {"progress": progress, "accept_shrink": accept_shrink}
    asking = nullcontext(client) if client else Client(Settings.from_environment())
    with asking as client:
        check_range(scope.kind, families, since, until, client.today())
        with archive.writing(wait=wait) as ledger:
            return _sync(archive, ledger, scope, client, asked, **options)


def _sync(archive, ledger, scope, client, asked, *, progress, accept_shrink) -> SyncResult:
    if accept_shrink:
        archive.accept_held_back(ledger, scope)
    found = ledger.rows("SELECT report, day, state FROM slots WHERE name = ?", [str(scope)])
    states = {(row["report"], date.fromisoformat(row["day"])): row["state"] for row in found}
    purged = ledger.purged_before(str(scope))
    since = max(filter(None, (asked["since"], purged)), default=None)
    today = client.today()
    todo = plan(scope.kind, states, today=today, **asked | {"since": since})
    is_shorter = len(plan(scope.kind, states, today=today, **asked)) > len(todo)
    if todo:
        usual = ledger.rows(_USUAL_SIZE, [str(scope)])
        archive.check_space(bytes_needed(todo, {row["report"]: row["bytes"] for row in usual}))
    incoming = Incoming(archive.path / "incoming" / scope.folder)
    incoming.forget_all_but([*todo, *(slot for slot in states if states[slot] == "failed")])
    with Pipeline(archive, scope, client, incoming, accept_shrink=accept_shrink) as pipeline:
        bar = progress(todo)
        for report, day in bar:
            if not pipeline.ask_for(report, day):
                break
            if (report, day) == todo[-1]:  # while somebody still looks at the bar
                pipeline.finish()
            if hasattr(bar, "set_postfix_str"):
                text = f"{day or 'last 28 days'}, {size_text(pipeline.received_bytes)}"
                bar.set_postfix_str(text, refresh=False)
        pipeline.finish()
    columns = ["report", "day", "state", "is_new", "records", "note"]
    return SyncResult(
        str(scope),
        pd.DataFrame(pipeline.rows, columns=columns),
        pipeline.codes,
        purged if is_shorter else None,
        sorted(pipeline.unknown_fields),
    )
