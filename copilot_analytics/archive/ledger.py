"""The ledger: one SQLite file that says which stored files are current. It is the commit point."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from copilot_analytics import catalogue
from copilot_analytics.archive import formats, places
from copilot_analytics.errors import ArchiveError, StorageError, UsageError
from copilot_analytics.files import step, storage_errors

NAME = "ledger.sqlite"
STATES = ("pending", "provisional", "final", "empty", "missing", "failed", "damaged")


class Ledger:
    """Reads and, inside `transaction`, writes ``ledger.sqlite``."""

    def __init__(self, path: Path):
        self.path = path
        if not _is_there(path):
            raise ArchiveError(
                f"there is no archive in {path.parent.absolute()}",
                advice="check the folder, or make one: copilot-analytics sync or import",
            )
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            # What is erased is to be gone from the file as well.
            self._connection.execute("PRAGMA secure_delete = ON")
            self.format = self._format()
        except (sqlite3.Error, TypeError, ValueError) as problem:
            self.close()
            raise self._unreadable(problem) from problem
        if self.format > formats.FORMAT:
            self.close()
            raise ArchiveError(
                f"the archive in {path.parent} has format {self.format}; "
                f"we read {formats.FORMAT} and older",
                kept="everything; nothing was written",
                advice="upgrade copilot-analytics",
            )

    def _unreadable(self, problem: Exception) -> ArchiveError:
        return ArchiveError(
            f"the ledger of the archive in {self.path.parent} cannot be read",
            said=str(problem),
            kept="all files of the archive",
            advice=f"restore {NAME} from a backup, or remake it: copilot-analytics rebuild",
        )

    def _format(self) -> int:
        query = "SELECT value FROM meta WHERE key = 'format'"
        return int(self._connection.execute(query).fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit everything that is done inside, or nothing."""
        try:
            step("ledger begun")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                step("ledger written")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            step("ledger committed")
        except sqlite3.DatabaseError as problem:
            if self._connection.in_transaction:  # when the last step itself did not succeed
                self._connection.execute("ROLLBACK")
            raise StorageError(
                "the ledger could not be written",
                said=str(problem),
                kept="the archive as it was before",
                advice="check free space and permissions of the archive",
            ) from problem

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one state of the ledger inside, whatever a writer commits meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def rows(self, statement: str, parameters=()) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        try:
            return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.DatabaseError as problem:
            raise self._unreadable(problem) from problem

    def scope_of(self, scope: catalogue.Scope | str | None) -> str | None:
        """Return the scope as it stands in tables, for a name or an id.

        Raises
        ------
        UsageError
            The archive knows no such name and no such id.
        """
        if scope is None:
            return None
        name = str(catalogue.Scope.parse(str(scope)))
        known = self.scopes()
        # The organizations of an enterprise's repositories have rows, and no report of their own.
        query = "SELECT 1 FROM table_files WHERE scope = ? LIMIT 1"
        if name not in known and name not in known.values() and not self.rows(query, [name]):
            there = ", ".join(self.names())
            raise UsageError(
                f"there is no scope {name!r} in the archive",
                advice=f"one of: {there}" if there else "the archive is empty: sync or import",
            )
        return known.get(name, name)

    def scopes(self) -> dict[str, str]:
        """Return the scope as it stands in tables, by each name that the archive knows."""
        asked = self.rows("SELECT DISTINCT name FROM slots")
        known = {row["name"]: row["scope"] for row in self.rows("SELECT * FROM scopes")}
        return {row["name"]: row["name"] for row in asked} | known

    def names(self) -> list[str]:
        """Return each scope with reports once: by the last name it was asked for, or by its id."""
        scopes, latest = self.scopes(), {}
        query = "SELECT name FROM slots GROUP BY name ORDER BY MAX(checked_at), name"
        for row in self.rows(query):
            scope = scopes[row["name"]]
            if row["name"] != scope or scope not in latest:
                latest[scope] = row["name"]
        return sorted(latest.values())

    def slot(self, name: str, report: str, day: str) -> sqlite3.Row | None:
        """Return one slot, or None if it was never asked for."""
        return self._one(
            "SELECT * FROM slots WHERE name = ? AND report = ? AND day = ?", [name, report, day]
        )

    def version(self, slot: tuple[str, str, str], digest: str) -> sqlite3.Row | None:
        """Return the version of a slot with these bytes, current or not."""
        return self._one(
            "SELECT * FROM versions WHERE name = ? AND report = ? AND day = ? AND digest = ?",
            [*slot, digest],
        )

    def current(self, name: str, report: str, day: str) -> sqlite3.Row | None:
        """Return the current version of a slot, or None."""
        return self._one(
            "SELECT * FROM versions WHERE name = ? AND report = ? AND day = ? AND is_current",
            [name, report, day],
        )

    def purged(self) -> dict[str, date]:
        """Return the day before which nothing is kept, once for each scope; "" stands for all."""
        scopes, found = self.scopes(), {}
        for row in self.rows("SELECT * FROM purged ORDER BY before, name"):
            found[scopes.get(row["name"], row["name"])] = row
        return {row["name"]: date.fromisoformat(row["before"]) for row in found.values()}

    def purged_before(self, name: str) -> date | None:
        """Return the day before which nothing of a name is kept, None if there is none."""
        found = self._one(
            "SELECT MAX(before) AS before FROM purged WHERE name IN "
            "(?, '', (SELECT scope FROM scopes WHERE name = ?))",
            [name, name],
        )
        return date.fromisoformat(found["before"]) if found["before"] else None

    def raw_files(self, version: int) -> list[sqlite3.Row]:
        """Return the raw files of a version, in the order in which they were received."""
        return self.rows("SELECT * FROM raw_files WHERE version = ? ORDER BY number", [version])

    def named_files(self) -> set[str]:
        """Return the paths of all files that belong to the archive."""
        return {
            row["path"]
            for row in self.rows("SELECT path FROM raw_files UNION SELECT path FROM table_files")
        }

    def _one(self, statement: str, parameters) -> sqlite3.Row | None:
        return next(iter(self.rows(statement, parameters)), None)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as problem:
        raise ArchiveError(
            f"the archive in {path.parent.absolute()} cannot be read",
            said=problem.strerror or "",
            kept="everything; nothing was written",
            advice="check whose folder it is, and its permissions",
        ) from problem


def is_lost(root: Path) -> bool:
    """Tell whether there are raw files, but no ledger that can be read."""
    if not any(path.startswith(places.RAW) for path in places.files_in(root)):
        return False
    try:
        with closing(
            sqlite3.connect(f"{(root / NAME).absolute().as_uri()}?mode=ro", uri=True)
        ) as c:
            c.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()[0]
            return c.execute("PRAGMA quick_check").fetchone()[0] != "ok"
    except (sqlite3.Error, TypeError):
        return True


def open_or_create(root: Path) -> Ledger:
    """Open the ledger for who holds the lock: an older format is changed, an absent ledger made.

    Raises
    ------
    ArchiveError
        There are raw files: then a ledger was there, and an empty one would make them garbage.
    """
    path = root / NAME
    if not path.exists():
        if any(path.startswith(places.RAW) for path in places.files_in(root)):
            raise ArchiveError(
                f"the archive in {root} has raw files, but no {NAME}",
                kept="the raw files",
                advice=f"restore {NAME} from a backup, or remake it: copilot-analytics rebuild",
            )
        with storage_errors("the ledger"):
            formats.create(path)
    ledger = Ledger(path)
    if ledger.format < formats.FORMAT:
        ledger.close()
        with storage_errors("the ledger"):
            formats.migrate(path)
        ledger = Ledger(path)
    return ledger


def set_state(connection, name: str, report: str, day: str, state: str, at: str, note="") -> None:
    """Write the state of a slot, inside a transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO slots VALUES (?, ?, ?, ?, ?, ?)",
        [name, report, day, state, at, note],
    )


def make_current(connection, slot: tuple, version: int, at: str) -> None:
    """Make a version the current one of its slot; imports stand side by side.

    Files that people import are no versions of each other, even if they end on the same day.
    """
    was = connection.execute(
        "SELECT is_current FROM versions WHERE version = ?", [version]
    ).fetchone()["is_current"]
    if slot[1].endswith("-day"):
        connection.execute(
            "UPDATE versions SET is_current = 0 WHERE name = ? AND report = ? AND day = ?", slot
        )
    connection.execute(
        "UPDATE versions SET is_current = 1, is_held = 0, seen_at = ? WHERE version = ?",
        [at, version],
    )
    if not was:
        connection.execute("INSERT INTO appearances (version, at) VALUES (?, ?)", [version, at])


def add_version(connection, slot: tuple, facts: dict, raw, tables) -> int:
    """Write a version, not current, with the files that belong to it; return its number.

    ``facts`` are its columns by name.
    """
    columns = dict(zip(("name", "report", "day"), slot, strict=True)) | facts
    names = ", ".join(columns)
    places = ", ".join(f":{name}" for name in columns)
    version = connection.execute(
        f"INSERT INTO versions ({names}, is_current) VALUES ({places}, 0)",  # noqa: S608 (our names)
        columns,
    ).lastrowid
    add_files(connection, version, raw, tables)
    return version


def add_files(connection, version: int, raw, tables) -> None:
    """Write which raw files and which table files a version has."""
    connection.executemany(
        "INSERT INTO raw_files VALUES (?, ?, ?, ?, ?)",
        [[version, number, *one] for number, one in enumerate(raw)],
    )
    connection.executemany(
        "INSERT INTO table_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [[version, *one] for one in tables],
    )
