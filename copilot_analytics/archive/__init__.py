"""History on disk: raw files as they were received, a ledger of what is current, Parquet tables.

Raw files are the truth, Parquet files a cache made from them, the ledger the commit point: whatever
it does not name does not exist for a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.archive import (
    cleaning,
    committing,
    erasing,
    importing,
    protecting,
    rebuilding,
    storing,
    verifying,
)
from copilot_analytics.archive import (
    ledger as ledgers,
)
from copilot_analytics.archive.committing import Stored
from copilot_analytics.archive.erasing import Erased
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.locking import lock
from copilot_analytics.archive.places import IMPORTED, LOCK
from copilot_analytics.archive.protecting import StorageWarning
from copilot_analytics.archive.reader import ArchiveReader
from copilot_analytics.archive.reading import TIME_FORMAT, settled_state
from copilot_analytics.archive.storing import Prepared
from copilot_analytics.days import parse_day
from copilot_analytics.errors import UsageError

__all__ = ["IMPORTED", "Archive", "Erased", "Prepared", "StorageWarning", "Stored", "settled_state"]


class Archive(ArchiveReader):
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

    # --- Writing -------------------------------------------------------------------------------

    @contextmanager
    def writing(self, *, wait: bool = False) -> Iterator[Ledger]:
        """Hold the archive for writing and open its ledger, which is made if need be.

        What a killed run left half-written is removed first.

        Parameters
        ----------
        wait
            Wait until another run has ended instead of raising.

        Raises
        ------
        LockedError
            Another process writes; the text names it.
        ArchiveError
            There are raw files, but their ledger is gone: `rebuild` remakes it.
        """
        protecting.make_root(self.path)
        with lock(self.path / LOCK, wait=wait):
            ledger = ledgers.open_or_create(self.path)
            try:
                cleaning.remove_garbage(self.path, ledger)
                cleaning.write_missing_manifests(self.path, ledger)
                yield ledger
            finally:
                ledger.close()

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
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> Prepared:
        """Do the first half of `store`: put the files in place; no reader sees them yet.

        Several threads may do so at once, for different reports, while `writing` is held. When
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
                check_on=check_on,
            )

    def commit(self, ledger: Ledger, prepared: Prepared, *, accept_shrink: bool = False) -> Stored:
        """Do the second half of `store`: enter a prepared report into the ledger."""
        return committing.commit(ledger, prepared, self.clock(), accept_shrink=accept_shrink)

    def import_files(self, files, *, scope=None) -> pd.DataFrame:
        """Put files in that you already have: exports of the usage page, or what `fetch` wrote.

        Files whose names differ only in a number of two digits at their end, such as ``x_01`` and
        ``x_02``, are parts of one report. Files with names that `fetch` gave go where `sync` would
        have put them, unless that day is there already with other figures.

        Parameters
        ----------
        files
            Paths of files.
        scope
            ``"organization:octo-org"``; None to take the only owner of each file's records.

        Returns
        -------
        DataFrame
            One row per report: `file` (the first of it), its slot as `name`, `report` and `day`,
            `state`, `is_new`, `records` and `last_day`.

        Raises
        ------
        ContentError
            A record is not valid, or a file holds nobody whom an earlier import of the day holds.
            What was imported before it stays.
        """
        owner = catalogue.Scope.parse(str(scope)) if scope is not None else None
        rows = []
        with self.writing() as ledger:
            for one in importing.reports([Path(file) for file in files], owner):
                one = importing.slot_of(ledger, one)
                prepared = self.prepare(one.scope, one.report, one.day, one.files)
                importing.refuse_parts(self.path, ledger, prepared)
                stored = self.commit(ledger, prepared)
                its = (stored.state, stored.is_new, stored.records, stored.last_day)
                rows.append((str(one.files[0]), *prepared.slot, *its))
        columns = ["file", "name", "report", "day", "state", "is_new", "records", "last_day"]
        return pd.DataFrame(rows, columns=columns)

    def accept_held_back(self, ledger: Ledger, scope: catalogue.Scope) -> int:
        """Make versions current that were held back because they shrank; return how many."""
        return committing.accept_held_back(ledger, str(scope), self.clock())

    def note_state(
        self, ledger: Ledger, scope: catalogue.Scope, report: str, day: date, state: str, note: str
    ) -> None:
        """Record that a report was asked for and is not there: pending, empty, missing, failed.

        What is already stored for the slot stays current, and so does its state.
        """
        slot = (str(scope), report, f"{day:%Y-%m-%d}")
        at = self.clock().strftime(TIME_FORMAT)
        committing.note_state(ledger, slot, state, note, at)

    # --- Keeping it sound ----------------------------------------------------------------------

    def verify(self, *, repair: bool = False) -> pd.DataFrame:
        """Answer: is everything there, and as it was stored?

        Every raw file is read and its digest compared; every table file is compared, value by
        value, with the raw files it was made from; the ledger is compared with the folders in both
        directions; permissions are checked.

        Parameters
        ----------
        repair
            Make table files anew from their raw files. Raw files that are not sound go to
            ``quarantine/`` with all of their version, and its slot is ``damaged`` until `sync` has
            fetched it again.

        Returns
        -------
        DataFrame
            One row per finding, empty if all is well: `path`, `problem`, the slot as `name`,
            `report` and `day` where it has one, and `is_damage`, which is False for files that
            nobody reads and for permissions. With ``repair``, what was found before.

        Raises
        ------
        ArchiveError
            There is no archive, or its ledger cannot be read; see `rebuild`.
        """
        if not repair:
            with self.ledger() as ledger:
                return verifying.verify(self.path, ledger)
        with self._changing() as ledger:
            found = verifying.verify(self.path, ledger)
            verifying.repair(self.path, ledger, found, self.clock().strftime(TIME_FORMAT))
        return found

    def rebuild(self) -> list[str]:
        """Make all table files anew from the raw files, and the ledger too if it is lost.

        No network is needed. Returns the slots whose raw files are not sound; their table files
        stay as they are.
        """
        if not ledgers.is_lost(self.path):
            with self._changing() as ledger:
                return rebuilding.rebuild(self.path, ledger)
        with lock(self.path / LOCK):
            return rebuilding.recover(self.path, self.clock())

    def erase(self, user_id: int, *, reports: str | Path | None = None) -> Erased:
        """Remove a person from the archive: raw files, tables, earlier versions, leftovers.

        The raw files are rewritten without the person's records, every other byte stays. Files in
        ``quarantine/`` and ``incoming/``, which cannot be looked into, are removed.

        So that the person does not come back with the same report, the ledger keeps a keyed digest
        of the id (HMAC-SHA-256 with a random key in the same ledger) and leaves out such records
        from then on. Who has the ledger can test whether a known id was erased; nobody can read
        the id from it. The log of the archive says only that somebody was erased, and when.

        Parameters
        ----------
        user_id
            GitHub's number for the person, as in the column `user_id`.
        reports
            Folder of published reports, such as ``"reports"``, to be searched for what may still
            show the person.

        Returns
        -------
        Erased
            Which versions were rewritten, and which published reports to remove. Backups and
            exports are yours to clean.
        """
        if isinstance(user_id, bool) or not isinstance(user_id, int):
            raise UsageError(f"a person is known by a number, not by {str(user_id)[:40]!r}")
        at = self.clock().strftime(TIME_FORMAT)
        folder = Path(reports).expanduser() if reports is not None else None
        with self._changing() as ledger:
            return erasing.erase(self.path, ledger, user_id, at, folder)

    def purge(self, before, *, scope: str | None = None) -> pd.DataFrame:
        """Remove everything before a day, for good: `sync` does not ask for it again.

        Reports over 28 days that reach further back are rewritten without the older records.

        Parameters
        ----------
        before
            The first day that stays, as text, date or timestamp.
        scope
            ``"organization:octo-org"``; None for all scopes.

        Returns
        -------
        DataFrame
            One row per version that was removed or rewritten: `name`, `report` and `day` of its
            slot, and how many raw `files` it has left.
        """
        first = f"{parse_day(before)}"
        at = self.clock().strftime(TIME_FORMAT)
        name = str(catalogue.Scope.parse(scope)) if scope is not None else None
        with self._changing() as ledger:
            return erasing.purge(self.path, ledger, first, name, at)

    def fix_permissions(self) -> list[str]:
        """Take away everybody else's rights to the archive; return what had some."""
        with self.ledger():
            return protecting.fix_permissions(self.path)

    @contextmanager
    def _changing(self) -> Iterator[Ledger]:
        """Hold an archive for writing that must be there."""
        with self.ledger():
            pass
        with self.writing() as ledger:
            yield ledger
