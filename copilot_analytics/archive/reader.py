"""What an archive is asked: its tables as frames, SQL, its state, and copies for others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path

import pandas as pd

from copilot_analytics import privacy, tidy
from copilot_analytics.archive import (
    exporting,
    formats,
    opening,
    reading,
    remote,
    restating,
    status,
)
from copilot_analytics.archive import ledger as ledgers
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.locking import lock
from copilot_analytics.archive.places import LOCK
from copilot_analytics.errors import CopilotAnalyticsError, UsageError


class ArchiveReader:
    """The part of `Archive` that changes nothing in the history."""

    def __init__(self, path: str | Path, *, clock=lambda: datetime.now(UTC)):
        self.path = Path(path).expanduser()
        self.clock = clock

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r})"

    def _repr_html_(self) -> str:
        try:
            return status.status_html(self.path, self.status())
        except CopilotAnalyticsError as problem:  # a notebook still shows which archive this is
            return f"<p>{escape(f'{self!r}: {problem.what}')}</p>"

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the ledger; one of an older format is brought to ours first."""
        ledger = Ledger(self.path / ledgers.NAME)
        try:
            if ledger.format < formats.FORMAT:
                ledger.close()
                with lock(self.path / LOCK):
                    ledgers.open_or_create(self.path).close()
                ledger = Ledger(ledger.path)
            yield ledger
        finally:
            ledger.close()

    def tables(
        self, scope=None, start=None, end=None, engine="pandas", *, day_state: bool = False
    ) -> tidy.Tables:
        """Return the current tables of the archive, each read when it is first used.

        Parameters
        ----------
        scope
            ``"organization:octo-org"``, by name or id; None for all scopes.
        start, end
            First and last day, both included, as text, date or timestamp; None for no bound. Only
            files of these days are read.
        engine
            ``"pandas"`` for DataFrames; ``"duckdb"`` for relations that DuckDB reads when a figure
            is computed, for histories larger than memory; or a Spark session for Spark DataFrames,
            where the cluster sees the folder of the archive under the same path.
        day_state
            Add a column `day_state` to every table: whether the figures of the row's day are
            ``final``, ``provisional`` (they may still change) or ``damaged``.

        Returns
        -------
        Tables
            With the state of every day in ``day_states``, also of days that have no rows. A pandas
            frame has the provisional days of its report in ``frame.attrs["provisional_days"]``, as
            text. ``tables.read(name, columns)`` reads only some columns, with pandas whatever the
            engine.

        Raises
        ------
        ArchiveError
            There is no archive in the folder.
        UsageError
            A day is not one, the start is after the end, the archive knows no such scope, or the
            engine is not known or installed.
        DamageError
            When a table is used: a file of it and its raw file are damaged. If only the first is,
            its rows come from the raw file, with a `StorageWarning`.
        """
        with self.ledger() as ledger:
            return opening.read_tables(
                self.path, ledger, scope, start, end, engine, day_state=day_state
            )

    def query(self, sql: str, *, scope=None, start=None, end=None) -> pd.DataFrame:
        """Answer: what does a SELECT find in the current tables? DuckDB reads them.

        Parameters
        ----------
        sql
            One SELECT, in which every table of ``catalogue.tables()`` is a view, and so is
            ``day_states`` with `scope`, `family` (users, entity, teams, repos), `day`, `state` and
            number of `rows`. Nothing else can be read with it, and nothing be written.
        scope, start, end
            As for `tables`.

        Returns
        -------
        DataFrame
            What was selected, with the types of the tables: days are timestamps, whole numbers
            ``Int64``, ids ``int64`` where none is missing.

        Raises
        ------
        UsageError
            The SQL is wrong or is not one SELECT, with what DuckDB says; or the extra ``duckdb`` is
            not installed.
        DamageError
            As for `tables`.

        Examples
        --------
        How many people of which days may still change? A day has one state per family of reports::

            SELECT day, state, count(*) AS people
            FROM users JOIN day_states USING (scope, day) WHERE family = 'users'
            GROUP BY day, state ORDER BY day
        """
        with self.ledger() as ledger:
            return opening.query(self.path, ledger, sql, scope, start, end)

    def scopes(self) -> list[str]:
        """Return whose reports the archive holds, each once, by name: ``"organization:octo-org"``.

        An organization or enterprise has many names if it was renamed, or if its reports were
        imported under its id: then the last one counts that somebody asked by. Who was only ever
        imported has its id as name. Each is a `scope` for `tables`.

        Raises
        ------
        ArchiveError
            There is no archive in the folder.
        """
        with self.ledger() as ledger:
            return ledger.names()

    def purged(self) -> dict[str | None, date]:
        """Return the day before which nothing is kept, by the scope that was purged; None for all.

        `sync` asks for none of these days, and `import_files` leaves them out.
        """
        with self.ledger() as ledger:
            return {name or None: before for name, before in ledger.purged().items()}

    def restatements(self, scope: str | None = None) -> pd.DataFrame:
        """Answer: which figures of a day has GitHub changed after it first gave them?

        Parameters
        ----------
        scope
            ``"organization:octo-org"``, by name or id; None for all scopes.

        Returns
        -------
        DataFrame
            One row per figure of a day that differs between two versions of it in turn, from the
            earliest day on. `figure` is a counter of the table `entity`; or, for reports about
            people, ``people`` (how many different ones) or the sum over all people of one of the
            seven counters. `before`, `after` and `change` are counts, missing where a version has
            none; `fetched_before` and `fetched_after` are when the two versions were received
            (UTC), and `days_after` the whole days from the end of the day to the second.

        Examples
        --------
        >>> import tempfile
        >>> from datetime import date
        >>> from copilot_analytics import Archive, catalogue
        >>> folder = tempfile.TemporaryDirectory()
        >>> archive, file = Archive(f"{folder.name}/archive"), Path(folder.name, "entity.ndjson")
        >>> day, owner = date(2026, 11, 2), catalogue.Scope("organization", "octo-org")
        >>> for people in (3, 4):
        ...     line = f'{{"day":"{day}","organization_id":"7","daily_active_users":{people}}}'
        ...     written = file.write_text(line)
        ...     with archive.writing() as ledger:
        ...         stored = archive.store(ledger, owner, "organization-1-day", day, [file])
        >>> archive.restatements()[["day", "figure", "before", "after", "change"]]
                 day              figure  before  after  change
        0 2026-11-02  daily_active_users       3      4       1
        >>> folder.cleanup()
        """
        with self.ledger() as ledger:
            return restating.restatements(self.path, ledger, ledger.scope_of(scope))

    def status(self) -> pd.DataFrame:
        """Answer: what does the archive hold, what does it lack, and how large is it?

        Returns
        -------
        DataFrame
            One row per scope and report that was ever asked for or imported.

            name, report : as they were asked for
            pending, provisional, final, empty, missing, failed, damaged : number of slots by state;
            a slot is a day, for a 28-day report its last day
            first_day, last_day : of the data, missing where there is none
            oldest_gap : first day without data between the first and the last day of the scope's
            data, whichever report gave it; missing where there is no gap, and for 28-day reports
            and imports
            gap_days : how many such days there are
            records : that tables hold; each counts once, in the report that gives its day
            report_bytes : what was received, in all versions
            raw_bytes, table_bytes : on disk, in all versions
            held : versions that are held back because they are much smaller than those before
            left_out : records of imports that are not valid and in no table
            checked_at : time of the last look (UTC)

        Raises
        ------
        ArchiveError
            There is no archive in the folder.
        """
        with self.ledger() as ledger:
            return status.status_frame(self.path, ledger)

    def export(
        self,
        to,
        *,
        format: str = "parquet",
        people: str = "pseudonyms",
        key: bytes | None = None,
        scope=None,
        start=None,
        end=None,
        storage_options: dict | None = None,
    ) -> dict:
        """Publish the current tables to a folder or to object storage, for others to read.

        A folder belongs to one export. What is there already is not written again, and what is no
        longer in the archive goes: export again after `erase` and `purge`.

        Parameters
        ----------
        to
            A folder, or an address that fsspec knows, such as ``"s3://bucket/copilot"``.
        format
            ``"parquet"`` or ``"csv"``.
        people
            ``"pseudonyms"`` for ids, and no logins and nothing else that says who somebody is;
            ``"logins"`` publishes personal data as it is.
        key
            For pseudonyms; None takes the archive's, which reports use as well.
        scope, start, end
            As for `tables`.
        storage_options
            For the file system of fsspec, such as credentials.

        Returns
        -------
        dict
            What ``manifest.json`` holds: ``files`` has ``table``, ``scope``, ``day``, ``path``,
            ``rows`` and ``bytes`` of each. A reader takes the paths from it and has one state of
            the archive, because it is replaced when all files are there.

        Raises
        ------
        UsageError
            Something is not known, the scope and days asked for have nothing, fsspec or a library
            that it needs is not installed, or the folder overlaps with the archive.
        StorageError
            Writing failed; the manifest and the files of the last export are still there.
        """
        target = remote.target_of(to, storage_options)
        exporting.check(target, self.path, format, people)
        with self.ledger() as ledger:
            asked = reading.bounds(ledger, scope, start, end)
            files = reading.current_files(ledger, **asked)
        if not files and any(asked.values()):  # a slip of the pen must not empty the place
            raise UsageError(
                f"the archive has nothing of {scope or 'any scope'} in these days",
                kept="what was published before",
                advice="see what there is: copilot-analytics status",
            )
        if people == "logins":
            key = None
        elif key is None:
            key = privacy.load_key(self.path)
        return exporting.export(self.path, files, target, format=format, key=key, at=self.clock())
