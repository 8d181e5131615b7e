"""History on disk: raw files as they were received, a ledger of what is current, Parquet tables.

Raw files are the truth, Parquet files a cache made from them, the ledger the commit point: whatever
it does not name does not exist for a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from datetime import date
from pathlib import Path

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.archive import committing, importing, space, storing
from copilot_analytics.archive.committing import Stored
from copilot_analytics.archive.erasing import Erased
from copilot_analytics.archive.keeper import ArchiveKeeper
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.partition import LEFT_OUT, UNKNOWN_FIELDS
from copilot_analytics.archive.places import IMPORTED
from copilot_analytics.archive.protecting import StorageWarning
from copilot_analytics.archive.reading import TIME_FORMAT, settled_state
from copilot_analytics.archive.space import ON_DISK, size_text
from copilot_analytics.archive.storing import Prepared
from copilot_analytics.errors import CopilotAnalyticsError
from copilot_analytics.tidy.sources import printable

__all__ = [
    "IMPORTED",
    "ON_DISK",
    "UNKNOWN_FIELDS",
    "Archive",
    "Erased",
    "Prepared",
    "StorageWarning",
    "Stored",
    "settled_state",
    "size_text",
]


class Archive(ArchiveKeeper):
    """A folder with the history of one or several organizations and enterprises.

    Parameters
    ----------
    path
        The folder. Reading raises `ArchiveError` if it holds no archive; storing makes one.
    clock
        Tells the time in UTC; for tests.

    Examples
    --------
    >>> import tempfile
    >>> from copilot_analytics import metrics
    >>> folder = tempfile.TemporaryDirectory()
    >>> archive, file = Archive(f"{folder.name}/archive"), Path(folder.name, "users.ndjson")
    >>> written = file.write_bytes(b'{"day":"2026-11-02","organization_id":"7","user_id":1,'
    ...                            b'"user_initiated_interaction_count":3}')
    >>> with archive.writing() as ledger:
    ...     stored = archive.store(ledger, None, IMPORTED, None, [file])

    Its tables, as pandas DataFrames or as frames of another engine:

    >>> archive.tables(start="2026-11-01").users[["scope", "user_id"]]
                scope  user_id
    0  organization:7        1
    >>> metrics.active_users(archive.tables(engine="duckdb").users).df()["active_users"].item()
    1

    SQL, the state of the archive, and files for others:

    >>> archive.query("SELECT day, count(*) AS people FROM users GROUP BY day")
             day  people
    0 2026-11-02       1
    >>> archive.status()[["name", "report", "records", "gap_days"]]
                 name  report  records  gap_days
    0  organization:7  import        1         0
    >>> exported = archive.export(f"{folder.name}/published")
    >>> [(one["table"], one["rows"]) for one in exported["files"]]
    [('users', 1)]
    >>> folder.cleanup()
    """

    def store(
        self,
        ledger: Ledger,
        scope: catalogue.Scope | None,
        report: str,
        day: date | None,
        files: Sequence[Path],
        *,
        facts: dict | None = None,
        accept_shrink: bool = False,
    ) -> Stored:
        """Keep the files of one report: raw, then Parquet, then one entry in the ledger.

        Parameters
        ----------
        ledger
            From `writing`.
        scope
            As it was asked for; None to take the only scope of the records.
        report
            Name of the report, or ``"import"``.
        day
            Day of a 1-day report, last day of a 28-day report; None for the last day of the rows.
        files
            The complete files of the report, as received.
        facts
            What else is known of them, such as the version of the API; kept with the version.
        accept_shrink
            Make the version current even if it has less than half of the records or people.

        Returns
        -------
        Stored
            With `held_back` if the version shrank: it is stored, and the one before stays current.
        """
        prepared = self.prepare(scope, report, day, files, facts=facts)
        return self.commit(ledger, prepared, accept_shrink=accept_shrink)

    def prepare(
        self,
        scope: catalogue.Scope | None,
        report: str,
        day: date | None,
        files: Sequence[Path],
        *,
        facts: dict | None = None,
        errors: str = "raise",
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> Prepared:
        """Do the first half of `store`: put the files in place; no reader sees them yet.

        Several threads may do so at once, for different reports, while `writing` is held.
        ``errors`` are as for `import_files`. When
        ``is_stopped``, which is asked now and then, says True, nothing stays behind and
        `concurrent.futures.CancelledError` is raised.
        """

        def check_on() -> None:
            if is_stopped():
                raise CancelledError

        with self.ledger() as ledger:
            return storing.prepare(
                self.path,
                ledger,
                scope,
                report,
                day,
                list(files),
                at=self.clock().strftime(TIME_FORMAT),
                facts=facts or {},
                errors=errors,
                check_on=check_on,
            )

    def commit(self, ledger: Ledger, prepared: Prepared, *, accept_shrink: bool = False) -> Stored:
        """Do the second half of `store`: enter a prepared report into the ledger."""
        return committing.commit(ledger, prepared, self.clock(), accept_shrink=accept_shrink)

    def import_files(self, files, *, scope=None, errors: str = "raise") -> pd.DataFrame:
        """Put files in that you already have: exports of the usage page, or what `fetch` wrote.

        Files whose names differ only in a number of two digits at their end, such as ``x_01`` and
        ``x_02``, are parts of one report. Files with names that `fetch` gave go where `sync` would
        have put them, unless that day is there already with other figures.

        Parameters
        ----------
        files
            Paths of files or folders, or patterns, as for `copilot_analytics.load`. A file that is
            given twice counts once.
        scope
            ``"organization:octo-org"``; None to take the only owner of each file's records.
        errors
            ``"raise"`` refuses a file with a record that is not valid. ``"quarantine"`` leaves such
            records out of the tables, as `copilot_analytics.load` does. The file is kept as it is,
            its days are ``damaged``, and tables with rows of it are not complete.

        Returns
        -------
        DataFrame
            One row per report: `file` (the first of it), its slot as `name`, `report` and `day`,
            `state`, `is_new`, `records`, `last_day`, how many records were `left_out`, the number
            of `files`, and a list of its `unknown_fields`, as ``"table: path"``.

        Raises
        ------
        ContentError
            A record is not valid, or a file holds nobody whom an earlier import of the day holds.
            What was imported before it stays, and the error names it.
        StorageError
            The disk is full, or clearly has no room for the next file.
        """
        owner = catalogue.Scope.parse(str(scope)) if scope is not None else None
        found, rows = importing.reports(importing.paths(files), owner), []
        with self.writing() as ledger:
            for one in found:
                try:
                    rows.append(self._import(ledger, one, errors))
                except CopilotAnalyticsError as problem:
                    if rows:
                        before = ", ".join(
                            importing.shown(each.files) for each in found[: len(rows)]
                        )
                        problem.kept = f"what was imported before: {before}"
                    raise
        columns = ["file", "name", "report", "day", "state", "is_new", "records", "last_day"]
        return pd.DataFrame(rows, columns=[*columns, LEFT_OUT, "files", UNKNOWN_FIELDS])

    def _import(self, ledger: Ledger, one: importing.Report, errors: str) -> tuple:
        space.check(self.path, ON_DISK * sum(file.stat().st_size for file in one.files))
        one = importing.slot_of(ledger, one)
        prepared = self.prepare(one.scope, one.report, one.day, one.files, errors=errors)
        importing.refuse_parts(self.path, ledger, prepared)
        stored = self.commit(ledger, prepared)
        its = (stored.state, stored.is_new, stored.records, stored.last_day)
        left_out = prepared.facts.get(LEFT_OUT, 0)
        unknown = sorted(prepared.facts.get(UNKNOWN_FIELDS, ()))
        file = printable(one.files[0])
        return (file, *prepared.slot, *its, left_out, len(one.files), unknown)

    def check_space(self, needed: float = 0) -> None:
        """Raise `StorageError` if the disk clearly has no room for so many bytes."""
        space.check(self.path, needed)

    def accept_held_back(self, ledger: Ledger, scope: catalogue.Scope) -> int:
        """Make versions current that were held back because they shrank; return how many."""
        return committing.accept_held_back(ledger, str(scope))

    def note_state(
        self, ledger: Ledger, scope: catalogue.Scope, report: str, day: date, state: str, note: str
    ) -> None:
        """Record that a report was asked for and is not there: pending, empty, missing, failed.

        What is already stored for the slot stays current, and so does its state.
        """
        slot = (str(scope), report, f"{day:%Y-%m-%d}")
        at = self.clock().strftime(TIME_FORMAT)
        committing.note_state(self.path, ledger, slot, state, note, at)
