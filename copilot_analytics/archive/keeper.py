"""What keeps an archive sound and small: one writer, verification, repair, erasure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import pandas as pd

from copilot_analytics.archive import cleaning, erasing, protecting, rebuilding, verifying
from copilot_analytics.archive import ledger as ledgers
from copilot_analytics.archive.erasing import Erased
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.locking import lock
from copilot_analytics.archive.places import LOCK
from copilot_analytics.archive.reader import ArchiveReader
from copilot_analytics.archive.reading import TIME_FORMAT
from copilot_analytics.days import parse_day
from copilot_analytics.errors import UsageError


class ArchiveKeeper(ArchiveReader):
    """The part of `Archive` that keeps the history sound."""

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

    def purge(
        self,
        before,
        *,
        scope: str | None = None,
        announce: Callable[[str], object] = lambda text: None,
    ) -> pd.DataFrame:
        """Remove everything before a day, for good: `sync` does not ask for it again.

        Reports over 28 days that reach further back are rewritten without the older records.
        Other names of the same organization, and what was imported under its id, are included.

        Parameters
        ----------
        before
            The first day that stays, as text, date or timestamp; today (UTC) at the latest.
        scope
            ``"organization:octo-org"``, by name or id; None for all scopes.
        announce
            Is told what will go before anything goes.

        Returns
        -------
        DataFrame
            One row per version that was removed or rewritten: `name`, `report` and `day` of its
            slot, and how many raw `files` it has left.

        Raises
        ------
        UsageError
            The day lies in the future, where nothing could ever be stored again; or the archive
            knows no such scope.
        """
        first, now = parse_day(before), self.clock().astimezone(UTC)
        if first > now.date():
            raise UsageError(
                f"{first} lies in the future: nothing up to that day could be stored again",
                kept="the archive as it was",
                advice=f"give the first day that stays, {now.date()} at the latest",
            )
        at = now.strftime(TIME_FORMAT)
        with self._changing() as ledger:
            name = ledger.scope_of(scope)
            announce(erasing.what_goes(ledger, f"{first}", name))
            return erasing.purge(self.path, ledger, f"{first}", name, at)

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
