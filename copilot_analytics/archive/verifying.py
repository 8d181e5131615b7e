"""Is everything there, and as it was stored?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from copilot_analytics import progress, tidy
from copilot_analytics.archive import cached, cleaning, places, protecting, rebuilding
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.partition import Key, split
from copilot_analytics.errors import CopilotAnalyticsError
from copilot_analytics.tidy.digests import row_digests


class Finding(NamedTuple):
    """Something that is not as it should be, with the slot that it belongs to."""

    path: str
    problem: str
    name: str | None = None
    report: str | None = None
    day: str | None = None
    is_damage: bool = True


def verify(root: Path, ledger: Ledger) -> pd.DataFrame:
    """Compare every file with the ledger, and every table with the raw files it was made from."""
    found = [Finding("ledger.sqlite", row[0]) for row in ledger.rows("PRAGMA quick_check")]
    found = [one for one in found if one.problem != "ok"]
    versions = ledger.rows("SELECT * FROM versions ORDER BY name, report, day, version")
    for row in progress.bar(versions, description="Verifying", unit="report"):
        found += _version(root, ledger, row)
    found += _files(root, ledger)
    found += [
        Finding(path, "can be read by others than its owner", is_damage=False)
        for path in protecting.too_open(root)
    ]
    if ledger.rows("SELECT 1 FROM erased WHERE finished_at IS NULL"):
        found.append(Finding("ledger.sqlite", "an erasure was not finished: run erase again"))
    frame = pd.DataFrame(found, columns=list(Finding._fields))
    return frame.astype(dict.fromkeys(("path", "problem", "name", "report", "day"), "str"))


def repair(root: Path, ledger: Ledger, found: pd.DataFrame, at: str) -> None:
    """Mend what the raw files allow, and put aside the versions whose raw files are not sound."""
    bad = set(found["path"])
    for row in ledger.rows("SELECT * FROM versions"):
        raw = {one["path"] for one in ledger.raw_files(row["version"])}
        tables = ledger.rows("SELECT path FROM table_files WHERE version = ?", [row["version"]])
        if raw & bad:
            rebuilding.quarantine(root, ledger, row, at)
        elif bad & {one["path"] for one in tables}:
            rebuilding.rebuild_version(root, ledger, row)
    protecting.fix_permissions(root)


def _version(root: Path, ledger: Ledger, row) -> Iterator[Finding]:
    """Yield what is wrong with the files of one version."""
    slot = (row["name"], row["report"], row["day"])
    unsound = cached.unsound_raw(root, ledger.raw_files(row["version"]))
    for path in unsound:
        is_there = (root / path).exists()
        problem = "is not what was stored" if is_there else "is missing"
        yield Finding(path, problem, *slot)
    files = ledger.rows("SELECT * FROM table_files WHERE version = ?", [row["version"]])
    by_key = {(file["table_name"], file["scope"], file["day"]): file for file in files}
    expected = None
    if not unsound:
        try:
            expected = _expected(root, ledger, row["version"])
        except CopilotAnalyticsError as problem:
            yield Finding(row["digest"], f"cannot be read: {problem.said or problem.what}", *slot)
    for key, file in by_key.items():
        problem = _table_problem(root / file["path"], key, file, expected)
        if problem:
            yield Finding(file["path"], problem, *slot)
    for key in set(expected or ()) - set(by_key):
        yield Finding(row["digest"], f"has rows of {', '.join(key)} that no file holds", *slot)


def _table_problem(path: Path, key: Key, file, expected: dict[Key, str] | None) -> str:
    if not path.exists():
        return "is missing"
    with path.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != file["digest"]:
            return "is not what was stored"
    if expected is None:
        return ""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
            rows = _Rows(key[0])
            for batch in parquet.iter_batches():
                rows.add(pa.Table.from_batches([batch]))
    except (OSError, pa.ArrowInvalid) as problem:
        return f"cannot be read: {str(problem).splitlines()[0][:100]}"
    return "" if rows.digest() == expected.get(key) else "differs from its raw files"


def _expected(root: Path, ledger: Ledger, version: int) -> dict[Key, str]:
    """Return a digest of the rows that each table file of a version should hold."""
    rows: dict[Key, _Rows] = {}
    for tables in cached.raw_tables(root, ledger, version):
        for name, table in tables.items():
            for scope, day, part in split(table):
                rows.setdefault((name, scope, day), _Rows(name)).add(part)
    return {key: one.digest() for key, one in rows.items()}


class _Rows:
    """A digest of rows in their order, the same however they come in pieces."""

    def __init__(self, name: str):
        self._columns = tidy.table_schema(name).names
        self._digest = hashlib.sha256()

    def add(self, table: pa.Table) -> None:
        missing = [name for name in self._columns if name not in table.column_names]
        if missing:  # a file from before the catalogue had these columns
            self._digest.update(b"older")
            return
        self._digest.update(row_digests(table, self._columns).tobytes())

    def digest(self) -> str:
        return self._digest.hexdigest()


def _files(root: Path, ledger: Ledger) -> Iterator[Finding]:
    """Yield files that nobody named, and manifests that are missing."""
    there = set(places.files_in(root))
    garbage = set(cleaning.garbage(root, ledger))
    known = cleaning.named(ledger)
    for path in sorted(there - known - garbage):
        yield Finding(path, "is not part of the archive; nobody reads it", is_damage=False)
    for path in sorted(known - there):
        if path.endswith(".json") and not (root / path).exists():
            yield Finding(path, "is missing; the next run writes it again", is_damage=False)
