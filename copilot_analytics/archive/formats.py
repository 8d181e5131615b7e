"""The format of the ledger: how it is made, and how one of an older format becomes one of this."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from copilot_analytics.files import write_durably

FORMAT = 2

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
-- Which id GitHub uses for a name that somebody asked by: a renamed organization keeps its id.
CREATE TABLE scopes (name TEXT PRIMARY KEY, scope TEXT NOT NULL);
CREATE TABLE slots (
    name TEXT NOT NULL, report TEXT NOT NULL, day TEXT NOT NULL,
    state TEXT NOT NULL, checked_at TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (name, report, day)
);
-- fetched_at is when these bytes were first seen, seen_at when last. facts are JSON.
CREATE TABLE versions (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL, report TEXT NOT NULL, day TEXT NOT NULL,
    digest TEXT NOT NULL, fetched_at TEXT NOT NULL, seen_at TEXT NOT NULL,
    records INTEGER NOT NULL, people INTEGER, first_day TEXT, last_day TEXT,
    is_current INTEGER NOT NULL, is_held INTEGER NOT NULL DEFAULT 0,
    facts TEXT NOT NULL DEFAULT '{}',
    UNIQUE (name, report, day, digest)
);
-- Each time that a version took the place of another one.
CREATE TABLE appearances (
    number INTEGER PRIMARY KEY,
    version INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE, at TEXT NOT NULL
);
CREATE TABLE raw_files (
    version INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE, number INTEGER NOT NULL,
    path TEXT NOT NULL, digest TEXT NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (version, number)
);
CREATE TABLE table_files (
    version INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE, table_name TEXT NOT NULL,
    scope TEXT NOT NULL, day TEXT NOT NULL, path TEXT NOT NULL, rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (version, table_name, scope, day)
);
CREATE INDEX table_files_by_table ON table_files (table_name, scope, day);
-- Whom to leave out of everything that is stored later: a keyed digest of the id, see `erasing`.
CREATE TABLE erased (digest TEXT PRIMARY KEY, at TEXT NOT NULL, finished_at TEXT);
-- Before which day nothing of a name is kept.
CREATE TABLE purged (name TEXT PRIMARY KEY, before TEXT NOT NULL);
CREATE TABLE audit (at TEXT NOT NULL, what TEXT NOT NULL, details TEXT NOT NULL);
"""

# From format 1, which had no people, no days and one time per version.
_FROM_1 = """
ALTER TABLE versions RENAME TO versions_1;
ALTER TABLE raw_files RENAME TO raw_files_1;
ALTER TABLE table_files RENAME TO table_files_1;
ALTER TABLE slots RENAME TO slots_1;
ALTER TABLE scopes RENAME TO scopes_1;
ALTER TABLE meta RENAME TO meta_1;
DROP INDEX table_files_by_table;
{schema}
INSERT INTO meta SELECT * FROM meta_1 WHERE key <> 'format';
INSERT INTO scopes SELECT * FROM scopes_1;
INSERT INTO slots SELECT * FROM slots_1;
INSERT INTO versions SELECT version, name, report, day, digest, fetched_at, fetched_at, records,
    NULL, (SELECT MIN(f.day) FROM table_files_1 f WHERE f.version = v.version),
    (SELECT MAX(f.day) FROM table_files_1 f WHERE f.version = v.version), is_current, 0, '{{}}'
    FROM versions_1 v;
INSERT INTO appearances (version, at)
    SELECT version, fetched_at FROM versions_1 ORDER BY is_current, fetched_at, version;
INSERT INTO raw_files SELECT * FROM raw_files_1;
INSERT INTO table_files SELECT *, 0, '' FROM table_files_1;
DROP TABLE table_files_1; DROP TABLE raw_files_1; DROP TABLE versions_1;
DROP TABLE slots_1; DROP TABLE scopes_1; DROP TABLE meta_1;
"""


def create(path: Path) -> None:
    """Make an empty ledger; it is there as a whole or not at all."""
    write_durably(path, lambda beside: _run(beside, _SCHEMA))


def migrate(path: Path) -> None:
    """Replace a ledger of an older format by one of this format with the same contents."""

    def copy_and_change(beside: Path) -> None:
        with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(beside)) as new:
            old.backup(new)
        _run(beside, _FROM_1.format(schema=_SCHEMA))
        _add_digests(beside, path.parent)

    write_durably(path, copy_and_change)


def _add_digests(ledger: Path, root: Path) -> None:
    """Enter size and digest of the Parquet files; those that are missing keep none."""
    with closing(sqlite3.connect(ledger)) as connection, connection:
        for (path,) in connection.execute("SELECT path FROM table_files").fetchall():
            if not (root / path).is_file():
                continue
            with (root / path).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            connection.execute(
                "UPDATE table_files SET bytes = ?, digest = ? WHERE path = ?",
                [(root / path).stat().st_size, digest, path],
            )


def _run(path: Path, statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"PRAGMA legacy_alter_table = ON; BEGIN; {statements}")
        connection.execute("INSERT INTO meta VALUES ('format', ?)", [str(FORMAT)])
        connection.commit()
