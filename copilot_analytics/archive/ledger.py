"""The ledger: one SQLite file that says which stored files are current. It is the commit point."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from copilot_analytics import catalogue
from copilot_analytics.errors import ArchiveError, StorageError

FORMAT = 1
STATES = ("pending", "provisional", "final", "empty", "missing", "failed", "damaged")

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
-- Which id GitHub uses for a name that somebody asked by: a renamed organization keeps its id.
CREATE TABLE scopes (name TEXT PRIMARY KEY, scope TEXT NOT NULL);
CREATE TABLE slots (
    name TEXT NOT NULL, report TEXT NOT NULL, day TEXT NOT NULL,
    state TEXT NOT NULL, checked_at TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (name, report, day)
);
CREATE TABLE versions (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL, report TEXT NOT NULL, day TEXT NOT NULL,
    digest TEXT NOT NULL, fetched_at TEXT NOT NULL, records INTEGER NOT NULL,
    is_current INTEGER NOT NULL,
    UNIQUE (name, report, day, digest)
);
CREATE TABLE raw_files (
    version INTEGER NOT NULL REFERENCES versions, number INTEGER NOT NULL,
    path TEXT NOT NULL, digest TEXT NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (version, number)
);
CREATE TABLE table_files (
    version INTEGER NOT NULL REFERENCES versions, table_name TEXT NOT NULL,
    scope TEXT NOT NULL, day TEXT NOT NULL, path TEXT NOT NULL, rows INTEGER NOT NULL,
    PRIMARY KEY (version, table_name, scope, day)
);
CREATE INDEX table_files_by_table ON table_files (table_name, scope, day);
"""

# Of all current versions that hold a day, the report of that one day wins; among others, the one
# that was fetched last.
_CHOSEN = """
SELECT * FROM (
    SELECT f.table_name, f.scope, f.day, f.version, f.rows, v.name, v.report, v.fetched_at,
        ROW_NUMBER() OVER (
            PARTITION BY f.table_name, f.scope, f.day
            ORDER BY v.report LIKE '%-1-day' DESC, v.fetched_at DESC, v.version DESC
        ) AS place
    FROM table_files f JOIN versions v USING (version)
    WHERE v.is_current AND f.table_name = :table
        AND (:scope IS NULL OR f.scope = :scope)
        AND (:start IS NULL OR f.day >= :start) AND (:end IS NULL OR f.day <= :end)
) WHERE place = 1 ORDER BY scope, day
"""


class Ledger:
    """Reads and, inside `transaction`, writes ``ledger.sqlite``."""

    def __init__(self, path: Path, *, create: bool = False):
        self.path = path
        if not path.exists() and not create:
            raise ArchiveError(
                f"there is no archive in {path.parent}",
                advice="check the folder, or make one: copilot-analytics sync or import",
            )
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except sqlite3.Error as problem:
            raise ArchiveError(
                f"the ledger of the archive in {path.parent} cannot be read",
                said=str(problem),
                kept="all files of the archive",
                advice="restore ledger.sqlite from a backup, or import the raw files into another",
            ) from problem

    def _prepare(self) -> None:
        if not self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            with self.transaction() as connection:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute("INSERT INTO meta VALUES ('format', ?)", [str(FORMAT)])
            self.path.chmod(0o600)
        found = int(
            self._connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()[0]
        )
        if found > FORMAT:
            raise ArchiveError(
                f"the archive in {self.path.parent} has format {found}; we read {FORMAT}",
                kept="everything; nothing was written",
                advice="upgrade copilot-analytics",
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit everything that is done inside, or nothing."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as problem:
            raise StorageError(
                "the ledger could not be written",
                said=str(problem),
                kept="the archive as it was before",
                advice="check free space and permissions of the archive",
            ) from problem

    def rows(self, statement: str, parameters=()) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self._connection.execute(statement, parameters).fetchall()

    def chosen_days(self, table: str, *, scope=None, start=None, end=None) -> list[sqlite3.Row]:
        """Return which version holds each scope and day of a table that carries a key."""
        bounds = {"scope": scope, "start": start, "end": end}
        return self.rows(_CHOSEN, {"table": table, **bounds})

    def paths(self, table: str, base: str, **bounds) -> list[str]:
        """Return the Parquet files of a table; ``base`` is the table that holds its records."""
        chosen = {
            (row["version"], row["scope"], row["day"]) for row in self.chosen_days(base, **bounds)
        }
        found = self.rows(
            "SELECT version, scope, day, path FROM table_files WHERE table_name = ? "
            "ORDER BY scope, day",
            [table],
        )
        return [
            row["path"] for row in found if (row["version"], row["scope"], row["day"]) in chosen
        ]

    def scope_of(self, scope: catalogue.Scope | str | None) -> str | None:
        """Return the scope as it stands in tables, for a name or an id."""
        if scope is None:
            return None
        name = str(catalogue.Scope.parse(str(scope)))
        known = self.rows("SELECT scope FROM scopes WHERE name = ?", [name])
        return known[0]["scope"] if known else name

    def slot(self, name: str, report: str, day: str) -> sqlite3.Row | None:
        """Return one slot, or None if it was never asked for."""
        found = self.rows(
            "SELECT * FROM slots WHERE name = ? AND report = ? AND day = ?", [name, report, day]
        )
        return found[0] if found else None

    def has_version(self, slot: tuple[str, str, str], digest: str) -> bool:
        """Tell whether a slot has had a version with these bytes, current or not."""
        found = self.rows(
            "SELECT 1 FROM versions WHERE name = ? AND report = ? AND day = ? AND digest = ?",
            [*slot, digest],
        )
        return bool(found)

    def current(self, name: str, report: str, day: str) -> sqlite3.Row | None:
        """Return the current version of a slot, or None."""
        found = self.rows(
            "SELECT * FROM versions WHERE name = ? AND report = ? AND day = ? AND is_current",
            [name, report, day],
        )
        return found[0] if found else None


def set_state(connection, name: str, report: str, day: str, state: str, at: str, note="") -> None:
    """Write the state of a slot, inside a transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO slots VALUES (?, ?, ?, ?, ?, ?)",
        [name, report, day, state, at, note],
    )


def make_current(connection, slot: tuple, digest: str, at: str) -> None:
    """Make the version with a digest the current one of its slot, if there is one already.

    Its time moves on, because the day was seen unchanged at a later moment.
    """
    connection.execute(
        "UPDATE versions SET is_current = 0 WHERE name = ? AND report = ? AND day = ?", slot
    )
    connection.execute(
        "UPDATE versions SET is_current = 1, fetched_at = ? "
        "WHERE name = ? AND report = ? AND day = ? AND digest = ?",
        [at, *slot, digest],
    )


def add_version(connection, slot: tuple, digest: str, at: str, records: int, raw, parts) -> None:
    """Write a new, current version with the raw files and table files that belong to it."""
    version = connection.execute(
        "INSERT INTO versions (name, report, day, digest, fetched_at, records, is_current) "
        "VALUES (?, ?, ?, ?, ?, ?, 1)",
        [*slot, digest, at, records],
    ).lastrowid
    connection.executemany(
        "INSERT INTO raw_files VALUES (?, ?, ?, ?, ?)",
        [[version, number, *one] for number, one in enumerate(raw)],
    )
    connection.executemany(
        "INSERT INTO table_files VALUES (?, ?, ?, ?, ?, ?)", [[version, *part] for part in parts]
    )
