"""From the tables of many batches to one set of tables, without repeated records."""

from __future__ import annotations

import bisect
import json
from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from copilot_analytics import catalogue
from copilot_analytics.errors import ContentError
from copilot_analytics.tidy.digests import record_digests, row_digests
from copilot_analytics.tidy.findings import Findings
from copilot_analytics.tidy.flatten import RECORD, RECORD_FIELD
from copilot_analytics.tidy.reading import Batch, Rejected
from copilot_analytics.tidy.slices import without_records
from copilot_analytics.tidy.strict_json import LENIENT

QUARANTINE_COLUMNS = ("file", "line", "table", "field", "problem", "record")
UNKNOWN_COLUMNS = ("path", "table", "file", "line", "count")
# The table that holds the key of a family's records.
BASE = {"users": "users", "entity": "entity", "teams": "teams", "repos": "repos"} | {
    "window": "feature_engagement",
    "users_window": "users_window",
}
# A count from here on is possible, but nobody has such numbers: it is kept and said.
ABSURD = 10**15
_LEFT_OUT = set(catalogue.HOUSEKEEPING)
_CONFLICT = "conflicts with another record of the same key and different numbers"


def record_key(family: str) -> list[str]:
    """Return the columns by which a record of a family is known."""
    if family == "window":
        return ["scope", "report_end_day"]
    return list(catalogue.table(BASE[family]).key)


@dataclass
class Collection:
    """What has been read so far."""

    first: InitVar[int] = 0  # the number of the first record
    parts: dict[str, list[pa.Table]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    quarantined: list[dict] = field(default_factory=list)
    unknown: dict[tuple[str, str], dict] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    records: int = 0
    duplicates: int = 0
    _starts: list[int] = field(default_factory=list)
    _origins: list[tuple[str, Sequence]] = field(default_factory=list)

    def __post_init__(self, first: int):
        self._end = first

    def add(self, batch: Batch) -> None:
        """Take the records of one batch."""
        start = self._end
        for file, lines in batch.origins:
            self._starts.append(self._end)
            self._origins.append((file, lines))
            self._end += len(lines)
        if batch.family != "window":
            self.records += batch.tables[BASE[batch.family]].num_rows
        for name, table in batch.tables.items():
            numbers = pc.add(table[RECORD], start)
            numbered = table.set_column(table.num_columns - 1, RECORD_FIELD, numbers)
            self.parts.setdefault(name, []).append(numbered)
        self._take(batch.findings, start)

    def _take(self, findings: Findings, start: int) -> None:
        """Keep what a reader noticed, with the place where it was first seen."""
        for note, count in findings.notes.items():
            self.note(note, count)
        for (family, path), (count, first) in findings.unknown.items():
            if (family, path) not in self.unknown:
                place = dict(zip(("file", "line"), self.origin(start + first), strict=True))
                row = {"path": path, "table": BASE[family], **place, "count": 0}
                self.unknown[family, path] = row
            self.unknown[family, path]["count"] += count

    def note(self, text: str, count: int = 1) -> None:
        """Count something that is worth knowing."""
        self.notes[text] = self.notes.get(text, 0) + count

    def quarantine(self, rejected: Rejected) -> None:
        """Put a record that is not valid aside."""
        problem = rejected.problem
        self._put_aside(problem.file, problem.line, None, problem, rejected.record)

    def _put_aside(self, file, line, table, problem, record) -> None:
        row = (file, line, table, problem.field, problem.problem, record)
        self.quarantined.append(dict(zip(QUARANTINE_COLUMNS, row, strict=True)))

    def origin(self, number: int) -> tuple[str, int | None]:
        """Return file and line of a record."""
        place = bisect.bisect_right(self._starts, number) - 1
        file, lines = self._origins[place]
        return file, lines[number - self._starts[place]]

    def tables(self, errors: str) -> dict[str, pa.Table]:
        """Return the tables that have rows, without duplicates.

        Conflicts raise or go to quarantine.
        """
        return {
            name: table.drop_columns([RECORD])
            for name, table in self.numbered_tables(errors).items()
        }

    def numbered_tables(self, errors: str) -> dict[str, pa.Table]:
        """Return the tables that have rows, still with the number of each row's record."""
        result = {name: pa.concat_tables(parts) for name, parts in self.parts.items()}
        self.parts = {}
        for family, base in BASE.items():
            if base not in result:
                continue
            own = {name: result[name] for name in result if _family(name) == family}
            gone = self._surplus(family, own, errors)
            if len(gone):
                result |= {name: without_records(table, gone) for name, table in own.items()}
        for name, table in result.items():
            self._note_oddities(name, table)
        return {name: table for name, table in result.items() if table.num_rows}

    def _surplus(self, family: str, tables: dict[str, pa.Table], errors: str) -> np.ndarray:
        """Return the numbers of records to leave out: repeated ones, and conflicts if allowed."""
        keys = self.keys(family, tables)
        repeated = keys[keys.duplicated(keep=False)]
        if repeated.empty:
            return np.empty(0, dtype="int64")
        wanted = pa.array(repeated.index.to_numpy())
        said = record_digests(
            {name: t.filter(pc.is_in(t[RECORD], wanted)) for name, t in tables.items()},
            RECORD,
            _LEFT_OUT,
        )
        found = pd.DataFrame({"key": repeated, "digest": said.reindex(repeated.index)})
        is_conflict = found.groupby("key")["digest"].transform("nunique") > 1
        for _, same in found[is_conflict].groupby("key", sort=False):
            self._conflict(family, tables[BASE[family]], list(same.index), errors)
        is_surplus = found.duplicated() & ~is_conflict
        self.duplicates += int(is_surplus.sum())
        return found.index[is_surplus | is_conflict].to_numpy()

    @staticmethod
    def keys(family: str, tables: dict[str, pa.Table]) -> pd.Series:
        """Return one number per record that stands for its key, by the record's number."""
        base = tables[BASE[family]]
        keys = pd.Series(row_digests(base, record_key(family)), base[RECORD].to_numpy())
        return keys[~keys.index.duplicated()]

    def _conflict(self, family: str, base: pa.Table, numbers: list[int], errors: str) -> None:
        key = record_key(family)
        row = base.filter(pc.equal(base[RECORD], numbers[0])).select(key).slice(0, 1).to_pylist()[0]
        shown = ", ".join(f"{name} {_shown(value)}" for name, value in row.items())
        places = [self.origin(number) for number in numbers]
        problem = conflict(shown, ", ".join(key), places)
        if errors == "raise":
            raise problem
        for number, (file, line) in zip(numbers, places, strict=True):
            said = base.filter(pc.equal(base[RECORD], number)).drop_columns([RECORD]).to_pylist()[0]
            known = {name: value for name, value in said.items() if value is not None}
            record = json.dumps(known, default=str, ensure_ascii=False)
            self._put_aside(file, line, BASE[family], problem, record)

    def _note_oddities(self, name: str, table: pa.Table) -> None:
        """Note what is valid and still worth a look."""
        if name == "users" and (nameless := table["user_login"].null_count):
            self.note("user records without user_login", nameless)
        for column in catalogue.table(name).columns:
            if column.type != "count" or table[column.column].null_count == table.num_rows:
                continue
            if pc.max(table[column.column]).as_py() >= ABSURD:
                self.note(f"{column.column} of {name} has values of 10^15 or more")


def conflict(shown: str, key: str, places: list[tuple[str, int | None]]) -> ContentError:
    """Return the error for records of one key that say different things."""
    file, line = places[-1]
    others = "; ".join(f"{file}, line {line}" for file, line in places)
    return ContentError(
        f"{_CONFLICT} ({shown})",
        file=file,
        line=line,
        field=key,
        said=f"the records stand at {others}",
        kept="nothing",
        advice=f"keep the file that was fetched later; {LENIENT} leaves these records out",
    )


def _family(name: str) -> str:
    return catalogue.table(name).family


def _shown(value) -> str:
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)
