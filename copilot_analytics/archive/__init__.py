"""History on disk: raw files as they were received, a ledger of what is current, Parquet tables.

Raw files are the truth, Parquet files a cache made from them, the ledger the commit point: whatever
it does not name does not exist for a reader.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from copilot_analytics import catalogue, tidy
from copilot_analytics.archive import storing
from copilot_analytics.archive.ledger import Ledger, add_version, make_current, set_state
from copilot_analytics.archive.locking import lock
from copilot_analytics.archive.reading import (
    TIME_FORMAT,
    day_states,
    day_text,
    settled_state,
)
from copilot_analytics.errors import ContentError, StorageError, UsageError

__all__ = ["Archive", "Stored", "settled_state"]

IMPORTED = "import"
_STORED = """
SELECT v.name, v.report, MIN(v.day) AS first_day, MAX(v.day) AS last_day,
    SUM(v.records) AS records, SUM(r.bytes) AS bytes
FROM versions v JOIN (SELECT version, SUM(bytes) AS bytes FROM raw_files GROUP BY version) r
    USING (version)
WHERE v.is_current GROUP BY v.name, v.report
"""


@dataclass(frozen=True)
class Stored:
    """What became of one report that was given to the archive."""

    state: str
    is_new: bool
    records: int
    last_day: date | None


class Archive:
    """A folder with the history of one or several organizations and enterprises.

    Parameters
    ----------
    path
        The folder. Reading raises `ArchiveError` if it holds no archive; storing makes one.
    clock
        Tells the time in UTC; for tests.

    Examples
    --------
    >>> archive = Archive("archive")
    >>> archive.path.name
    'archive'
    """

    def __init__(self, path: str | Path, *, clock=lambda: datetime.now(UTC)):
        self.path = Path(path).expanduser()
        self.clock = clock

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r})"

    @contextmanager
    def ledger(self, *, create: bool = False) -> Iterator[Ledger]:
        """Open the ledger."""
        ledger = Ledger(self.path / "ledger.sqlite", create=create)
        try:
            yield ledger
        finally:
            ledger.close()

    # --- Reading -------------------------------------------------------------------------------

    def tables(self, scope=None, start=None, end=None, engine: str = "pandas") -> tidy.Tables:
        """Return the current tables of the archive, read when they are first used.

        Parameters
        ----------
        scope
            ``"organization:octo-org"``, by name or id; None for all scopes.
        start, end
            First and last day, both included, as text, date or timestamp; None for no bound.
        engine
            ``"pandas"`` for DataFrames.

        Returns
        -------
        Tables
            With the state of every day in ``day_states``: provisional days may still change.
        """
        if engine != "pandas":
            raise UsageError(f"engine {engine!r} is not known", advice="use engine='pandas'")
        with self.ledger() as ledger:
            bounds = {
                "scope": ledger.scope_of(scope),
                "start": day_text(start),
                "end": day_text(end),
            }
            files = {
                table.name: ledger.paths(table.name, tidy.BASE[table.family], **bounds)
                for table in catalogue.all_tables().values()
            }
            states = day_states(ledger, **bounds)

        def reader(name: str):
            return lambda: tidy.to_pandas(name, self._read(name, files[name]))

        return tidy.Tables({name: reader(name) for name in files}, day_states=states)

    def _read(self, name: str, paths: list[str]) -> pa.Table:
        schema = tidy.table_schema(name)
        if not paths:
            return schema.empty_table()
        try:
            files = [str(self.path / path) for path in paths]
            # The order of the files is kept, so that the same archive gives the same frame.
            return ds.dataset(files, schema=schema, format="parquet").to_table()
        except (OSError, pa.ArrowInvalid) as problem:
            raise StorageError(
                f"a file of table {name} cannot be read",
                said=str(problem).split("\n")[0][:200],
                kept="the raw files",
                advice="import the raw files of the archive into a fresh one",
            ) from problem

    def status(self) -> pd.DataFrame:
        """Return what is there: one row per scope and report.

        Columns: name, report, days by state, first and last day with data, records, bytes of the
        raw files, time of the last look (UTC).
        """
        with self.ledger() as ledger:
            slots = pd.DataFrame(
                [dict(row) for row in ledger.rows("SELECT * FROM slots")],
                columns=["name", "report", "day", "state", "checked_at", "note"],
            )
            stored = pd.DataFrame(
                [dict(row) for row in ledger.rows(_STORED)],
                columns=["name", "report", "first_day", "last_day", "records", "bytes"],
            )
        counts = pd.crosstab([slots["name"], slots["report"]], slots["state"])
        checked = slots.groupby(["name", "report"])["checked_at"].max()
        both = counts.join(checked).reset_index()
        return both.merge(stored, how="left", on=["name", "report"])

    # --- Writing -------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Ledger]:
        """Hold the archive for writing and open its ledger, which is made if need be.

        Raises
        ------
        LockedError
            Another process writes; the text names it.
        """
        storing.make_folder(self.path)
        with lock(self.path / "lock"), self.ledger(create=True) as ledger:
            yield ledger

    def store(
        self,
        ledger: Ledger,
        scope: catalogue.Scope | None,
        report: str,
        day: date | None,
        files: list[Path],
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
        """
        digests = [(path, *storing.digest_of(path)) for path in files]
        together = _together([digest for _, digest, _ in digests])
        collection, tables = tidy.arrow_tables(files, scope=str(scope) if scope else None)
        found = {
            (scope, date.fromisoformat(text))
            for name in set(tables) & set(tidy.BASE.values())
            for scope, text in storing.scopes_and_days(tables[name])
        }
        _check(scope, report, day, found)
        slot_day = day or max((day for _, day in found), default=self.clock().date())
        ids = sorted({scope for scope, _ in found})
        name = str(scope) if scope else _only(ids)
        now = self.clock()
        at = now.strftime(TIME_FORMAT)
        slot = (name, report, f"{slot_day:%Y-%m-%d}")
        state = settled_state(slot_day, now) if found else "empty"
        is_new = not ledger.has_version(slot, together)
        if is_new:
            folder = name.replace(":", "-")
            raw = [self._store_raw(folder, slot, *one) for one in digests]
            parts = self._store_tables(folder, together, tables)
        with ledger.transaction() as connection:
            for one in ids:
                _learn(connection, name, one)
            make_current(connection, slot, together, at)
            if is_new:
                add_version(connection, slot, together, at, collection.records, raw, parts)
            set_state(connection, *slot, state, at)
        last = max((day for _, day in found), default=None)
        return Stored(state, is_new, collection.records, last)

    def _store_raw(self, folder: str, slot, source: Path, digest: str, size: int):
        target = Path("raw") / folder / slot[1] / slot[2] / f"{digest}.zst"
        storing.store_raw(source, self.path / target)
        return target.as_posix(), digest, size

    def _store_tables(self, folder: str, digest: str, tables: dict[str, pa.Table]):
        parts = []
        for name, table in tables.items():
            for scope, day, rows in storing.split(table):
                target = Path("tables") / name / folder / f"{day}-{digest[:16]}.parquet"
                if scope.replace(":", "-") != folder:  # an import may hold several scopes
                    target = target.with_name(
                        f"{day}-{digest[:16]}-{scope.replace(':', '-')}.parquet"
                    )
                storing.store_table(rows, self.path / target)
                parts.append((name, scope, day, target.as_posix(), rows.num_rows))
        return parts

    def note_state(
        self, ledger: Ledger, scope: catalogue.Scope, report: str, day: date, state: str, note: str
    ) -> None:
        """Record that a report was asked for and is not there: pending, empty, missing, failed.

        What is already stored for the slot stays current, and so does its state.
        """
        slot = (str(scope), report, f"{day:%Y-%m-%d}")
        if ledger.current(*slot) is None:
            with ledger.transaction() as connection:
                set_state(connection, *slot, state, self.clock().strftime(TIME_FORMAT), note)


def _together(digests: list[str]) -> str:
    """Return one digest for the files of a report, in whatever order they came."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def _only(ids: list[str]) -> str:
    if len(ids) == 1 and ids[0] != "unknown":
        return ids[0]
    raise UsageError(
        f"the records belong to {len(ids)} owners: {', '.join(ids) or 'none'}",
        kept="nothing",
        advice="say whose they are: --org NAME or --enterprise NAME",
    )


def _check(
    scope: catalogue.Scope | None, report: str, day: date | None, found: set[tuple[str, date]]
) -> None:
    """Refuse records of another owner than was asked for, and of another day than the report's."""
    owners = sorted({owner for owner, _ in found})
    is_other_kind = scope and any(not owner.startswith(scope.kind) for owner in owners)
    if scope and (is_other_kind or len(owners) > 1):
        raise ContentError(
            f"{report} for {scope} holds records of {', '.join(owners)}",
            kept="the archive as it was",
            advice="import the files of each organization or enterprise apart, without a name",
        )
    others = sorted({f"{other}" for _, other in found if other != day})
    if report.endswith("1-day") and others:
        raise ContentError(
            f"report {report} of {day} holds records of {', '.join(others[:3])}",
            kept="the archive as it was",
            advice="ask for the report again; if it repeats, report it to GitHub",
        )


def _learn(connection, name: str, scope: str) -> None:
    if ":" in scope:
        connection.execute("INSERT OR REPLACE INTO scopes VALUES (?, ?)", [name, scope])
