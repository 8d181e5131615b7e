"""The tables of a report as Parquet, one file per table, scope and day, in bounded memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from copilot_analytics import catalogue, tidy
from copilot_analytics.archive import places
from copilot_analytics.files import NewFiles, step

WAITING_BYTES = 64 * 2**20
# Among the facts of a version: how many records are not valid, and on which days nobody was there.
LEFT_OUT, EMPTY_DAYS = "left_out", "empty_days"
UNKNOWN_FIELDS = "unknown_fields"  # how often fields came that the catalogue does not describe
MAX_OPEN = 400  # files that are open at once; many systems allow about a thousand
SORTED_OUT_BY = ("scope", "day", "user_id")  # what queries choose rows by, within files of one day

Key = tuple[str, str, str]  # table, scope, day


class TableFile(NamedTuple):
    """A Parquet file with the rows of one table, scope and day; the digest is of the file."""

    table_name: str
    scope: str
    day: str
    path: str
    rows: int
    bytes: int
    digest: str


@dataclass
class Written:
    """What was in the files of a report."""

    files: list[TableFile] = field(default_factory=list)
    days: set[tuple[str, str]] = field(default_factory=set)
    families: set[str] = field(default_factory=set)
    records: int = 0
    noticed: dict = field(default_factory=dict)
    ids: np.ndarray | None = None  # of different persons; None where there are none by nature
    windows: dict[str, list[pa.Table]] = field(default_factory=dict)  # by family, different days

    @property
    def first_day(self) -> str | None:
        """First day that the report holds rows of."""
        return min((day for _, day in self.days), default=None)

    @property
    def last_day(self) -> str | None:
        """Last day that the report holds rows of."""
        return max((day for _, day in self.days), default=None)

    def take(self, collection, tables: dict[str, pa.Table]) -> None:
        """Add up what one piece of the report holds."""
        self.records += collection.records
        if collection.quarantined:
            self.noticed[LEFT_OUT] = len(collection.quarantined)
        for text, count in collection.notes.items():
            notes = self.noticed.setdefault("notes", {})
            notes[text] = notes.get(text, 0) + count
        for row in collection.unknown.values():
            name = f"{row['table']}: {row['path']}"
            unknown = self.noticed.setdefault(UNKNOWN_FIELDS, {})
            unknown[name] = unknown.get(name, 0) + row["count"]
        for name in set(tables) & set(tidy.BASE.values()):
            self.families.add(catalogue.table(name).family)
            self.days |= {(scope, day) for scope, day in scopes_and_days(tables[name])}
            columns = ["scope", "day", *tidy.WINDOW]
            if set(columns) <= set(tables[name].column_names):
                days = tables[name].select(columns).group_by(columns).aggregate([]).drop_null()
                if days.num_rows:
                    self.windows.setdefault(catalogue.table(name).family, []).append(days)
            if "user_id" in tables[name].column_names:
                known = [] if self.ids is None else [self.ids]
                ids = tables[name]["user_id"].unique().to_numpy()
                self.ids = np.unique(np.concatenate([*known, ids]))

    @property
    def facts(self) -> dict:
        """What the ledger keeps of a version beside its numbers."""
        empty = {
            family: _empty_days(pa.concat_tables(days)) for family, days in self.windows.items()
        }
        return self.noticed | ({EMPTY_DAYS: empty} if any(empty.values()) else {})


def _empty_days(days: pa.Table) -> list[tuple[str, str]]:
    found = tidy.empty_days(days.to_pandas())
    return [(row.scope, f"{row.day:%Y-%m-%d}") for row in found.itertuples(index=False)]


def blocks(files: list[Path], scope: str | None, errors: str):
    """Return what files hold, piece by piece; as one piece where records may be left out.

    Of records that contradict each other all are left out, so that nothing may be given away before
    all have been read.
    """
    if errors == "raise":
        return tidy.arrow_blocks(files, scope=scope)
    return iter([tidy.arrow_tables(files, scope=scope, errors=errors)])


def errors_of(facts: dict) -> str:
    """Return how the raw files of a version were read, from what is known of it."""
    return "quarantine" if facts.get(LEFT_OUT) else "raise"


def write_tables(
    root: Path,
    new: NewFiles,
    files: list[Path],
    scope: str | None,
    digest: str,
    *,
    errors: str = "raise",
) -> Written:
    """Write the tables of a report's files; they are not in place before ``new`` puts them there.

    Rows stand in the order in which `load` gives them.
    """
    written = Written()
    only: set[Key] | None = None
    while only is None or only:
        parts = _Parts(new, only, lambda key: _path(root, key, scope, digest))
        for collection, tables in blocks(files, scope, errors):
            new.check()
            if only is None:
                written.take(collection, tables)
            parts.add(tables)
        written.files += parts.finish()
        only = parts.put_off
    return written


class _Parts:
    """Rows on their way to their files; few rows wait in memory until all have been read."""

    def __init__(
        self, new: NewFiles, only: set[Key] | None, path_of: Callable[[Key], tuple[str, Path]]
    ):
        self._new, self._only, self._path_of = new, only, path_of
        self._waiting: dict[Key, list[pa.Table]] = {}
        self._bytes = 0
        self._writers: dict[Key, tuple[pq.ParquetWriter, BinaryIO]] = {}
        self._beside: dict[Key, Path] = {}
        self._rows: Counter[Key] = Counter()
        self.put_off: set[Key] = set()

    def add(self, tables: dict[str, pa.Table]) -> None:
        for name, table in tables.items():
            for scope, day, rows in split(table):
                key = (name, scope, day)
                if key in self.put_off or (self._only is not None and key not in self._only):
                    continue
                self._waiting.setdefault(key, []).append(rows)
                self._bytes += rows.nbytes
        if self._bytes > WAITING_BYTES:
            for key in list(self._waiting):
                # What has no place among the open files comes in another pass over the report.
                if key not in self._writers and len(self._writers) >= MAX_OPEN:
                    self.put_off.add(key)
                    del self._waiting[key]
                else:
                    self._write(key)
            self._bytes = 0

    def finish(self) -> list[TableFile]:
        for key in list(self._waiting):
            self._write(key)
            self._close(key)
        for key in list(self._writers):
            self._close(key)
        return [self._table_file(key, rows) for key, rows in self._rows.items()]

    def _table_file(self, key: Key, rows: int) -> TableFile:
        path, beside = self._path_of(key)[0], self._beside[key]
        with beside.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return TableFile(*key, path, rows, beside.stat().st_size, digest)

    def _write(self, key: Key) -> None:
        rows = pa.concat_tables(self._waiting.pop(key))
        if key not in self._writers:
            file, self._beside[key] = self._new.open(self._path_of(key)[1])
            self._writers[key] = _parquet(key[0], file), file
        self._writers[key][0].write_table(rows)
        self._rows[key] += rows.num_rows
        step("table half written")

    def _close(self, key: Key) -> None:
        writer, file = self._writers.pop(key)
        writer.close()
        file.close()


def _path(root: Path, key: Key, scope: str | None, digest: str) -> tuple[str, Path]:
    """Return where the rows of a key go: in the folder of the name that was asked for.

    Those of the organizations of an enterprise go to folders of their own.
    """
    table, owner, day = key
    is_named = scope and owner.partition(":")[0] in (scope.partition(":")[0], "unknown")
    path = places.table_file(table, scope if is_named else owner, day, digest)
    return path, places.inside(root, path)


def _parquet(name: str, file: BinaryIO) -> pq.ParquetWriter:
    """Return a writer whose files are small also where they hold few people."""
    schema = tidy.table_schema(name)
    return pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        write_page_checksum=True,
        store_schema=False,
        write_statistics=[column for column in SORTED_OUT_BY if column in schema.names],
    )


def scopes_and_days(table: pa.Table) -> list[tuple[str, str]]:
    """Return the scopes and days that occur in a table."""
    keys = table.select(["scope", "day"]).group_by(["scope", "day"]).aggregate([])
    rows = zip(keys["scope"].to_pylist(), keys["day"].to_pylist(), strict=True)
    return sorted((scope, f"{day:%Y-%m-%d}") for scope, day in rows)


def split(table: pa.Table) -> Iterator[tuple[str, str, pa.Table]]:
    """Yield the parts of a table with one scope and one day each."""
    keys = scopes_and_days(table)
    if len(keys) == 1:
        yield (*keys[0], table)
        return
    for scope, day in keys:
        is_day = pc.equal(table["day"], pa.scalar(day).cast(pa.timestamp("us")))
        yield scope, day, table.filter(pc.and_(pc.equal(table["scope"], scope), is_day))
