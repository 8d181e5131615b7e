"""From the tables of many blocks to one: without duplicates, conflicts or split slices."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from copilot_analytics import catalogue
from copilot_analytics.errors import ContentError
from copilot_analytics.tidy.exact import Findings
from copilot_analytics.tidy.flatten import RECORD, flatten
from copilot_analytics.tidy.schema import table_schema, to_pandas

QUARANTINE_COLUMNS = ("file", "line", "table", "field", "problem", "record")
UNKNOWN_COLUMNS = ("path", "table", "file", "line", "count")
# The table that holds the key of a family's records.
BASE = {"users": "users", "entity": "entity", "teams": "teams", "repos": "repos"} | {
    "window": "feature_engagement",
    "users_window": "users_window",
}


@dataclass
class Collection:
    """What has been read so far."""

    scope: str
    parts: dict[str, list[pa.Table]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    quarantined: list[dict] = field(default_factory=list)
    unknown: dict[tuple[str, str], dict] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    records: int = 0
    duplicates: int = 0
    _starts: list[int] = field(default_factory=list)
    _origins: list[tuple[str, range | list]] = field(default_factory=list)

    def add(
        self,
        family: str,
        records: pa.StructArray,
        file: str,
        lines: range | list,
        findings: Findings,
    ) -> None:
        """Take the records of one block of a file; ``lines`` are their places in it."""
        numbers = pa.array(np.arange(self.records, self.records + len(records)))
        self._starts.append(self.records)
        self._origins.append((file, lines))
        self.records += 0 if family == "window" else len(records)
        for name, table in flatten(family, records, numbers, self.scope, findings).items():
            self.parts.setdefault(name, []).append(table)
        self.take(findings, file, lines[0] if len(lines) else None)

    def take(self, findings: Findings, file: str, line: int | None) -> None:
        """Keep what a reader noticed, with the place where it was first seen."""
        for note, count in findings.notes.items():
            self.notes[note] = self.notes.get(note, 0) + count
        for (family, path), count in findings.unknown.items():
            seen = self.unknown.setdefault(
                (family, path),
                {"path": path, "table": BASE[family], "file": file, "line": line, "count": 0},
            )
            seen["count"] += count

    def origin(self, number: int) -> tuple[str, int | None]:
        """Return file and line of a record."""
        place = bisect.bisect_right(self._starts, number) - 1
        file, lines = self._origins[place]
        return file, lines[number - self._starts[place]]

    def tables(self, errors: str) -> dict[str, pa.Table]:
        """Return the tables that have rows, without duplicates.

        Conflicts raise or go to quarantine.
        """
        result = {name: pa.concat_tables(parts) for name, parts in self.parts.items()}
        for base in set(result) & {"users", "entity", "teams", "repos", "users_window"}:
            gone = self._surplus(base, result, errors)
            if len(gone):
                for name in set(result) & self._family(base):
                    is_gone = pc.is_in(result[name][RECORD], value_set=pa.array(gone))
                    result[name] = result[name].filter(pc.invert(is_gone))
        return {
            name: self._without_slices(name, table.drop_columns([RECORD]))
            for name, table in result.items()
            if table.num_rows
        }

    @staticmethod
    def _family(base: str) -> set[str]:
        family = catalogue.table(base).family
        return {t.name for t in catalogue.all_tables().values() if t.family == family}

    def _surplus(self, base: str, tables: dict[str, pa.Table], errors: str) -> np.ndarray:
        """Return the numbers of records to leave out: repeated ones, and conflicts if allowed."""
        key = list(catalogue.table(base).key)
        if _is_unique(tables[base], key):
            return np.empty(0, dtype="int64")
        keys = tables[base].select([*key, RECORD]).to_pandas()
        repeated = keys[keys.duplicated(key, keep=False)]
        digests = self._digests(base, tables, repeated[RECORD])
        repeated = repeated.assign(digest=repeated[RECORD].map(digests))
        groups = repeated.groupby(key, dropna=False, sort=False)
        is_conflict = groups["digest"].transform("nunique") > 1
        for number in repeated.loc[is_conflict, RECORD]:
            self._conflict(base, int(number), repeated[is_conflict], key, errors)
        is_surplus = repeated.duplicated([*key, "digest"]) & ~is_conflict
        self.duplicates += int(is_surplus.sum())
        return repeated.loc[is_surplus | is_conflict, RECORD].to_numpy()

    def _digests(self, base: str, tables: dict[str, pa.Table], numbers: pd.Series) -> pd.Series:
        """Return one number per record that is equal where the records say the same.

        The rows of a record are hashed and added up, so that their order does not matter.
        """
        wanted = pa.array(numbers.to_numpy())
        total = pd.Series(0, index=numbers.to_numpy(), dtype="uint64")
        for name in set(tables) & self._family(base):
            table = tables[name].filter(pc.is_in(tables[name][RECORD], value_set=wanted))
            frame = table.to_pandas()
            said = frame.drop(columns=[RECORD, *set(catalogue.HOUSEKEEPING) & set(frame.columns)])
            rows = pd.util.hash_pandas_object(said, index=False)
            sums = rows.groupby(frame[RECORD].to_numpy()).sum()
            total = total.add(sums, fill_value=0).astype("uint64")
        return total

    def _conflict(self, base: str, number: int, repeated, key: list[str], errors: str) -> None:
        row = repeated[repeated[RECORD] == number].iloc[0]
        same = repeated[(repeated[key] == row[key]).all(axis=1)]
        places = [self.origin(int(other)) for other in same[RECORD]]
        shown = ", ".join(f"{name} {row[name]}" for name in key)
        problem = "conflicts with another record of the same key and different numbers"
        file, line = self.origin(number)
        if errors == "raise":
            others = "; ".join(f"{file}, line {line}" for file, line in places)
            raise ContentError(
                f"{problem} ({shown})",
                file=file,
                line=line,
                said=f"the records stand at {others}",
                kept="nothing",
                advice="keep the file that was fetched later, or load with errors='quarantine' "
                "to leave both records out",
            )
        self.quarantined.append(
            {
                "file": file,
                "line": line,
                "table": base,
                "field": ", ".join(key),
                "problem": f"{problem} ({shown})",
                "record": None,
            }
        )

    def _without_slices(self, name: str, table: pa.Table) -> pa.Table:
        """Sum elements of one record that name the same dimension: disjoint slices of it."""
        described = catalogue.table(name)
        key = list(described.key)
        if not described.arrays or _is_unique(table, key):
            return table
        is_repeated = table.select(key).to_pandas().duplicated(key, keep=False).to_numpy()
        frame = to_pandas(name, table.filter(pa.array(is_repeated)))
        how = {
            f.column: _sum if f.additive == "yes" else "first"
            for f in described.columns
            if f.column not in key
        }
        summed = frame.groupby(key, dropna=False, as_index=False, sort=False).agg(how)
        note = f"elements of {name} with the same {', '.join(key[2:])} summed"
        self.notes[note] = self.notes.get(note, 0) + len(frame) - len(summed)
        added = pa.Table.from_pandas(
            summed[list(described.names)], table_schema(name), preserve_index=False
        )
        return pa.concat_tables([table.filter(pa.array(~is_repeated)), added])


def _is_unique(table: pa.Table, key: list[str]) -> bool:
    return table.select(key).group_by(key).aggregate([]).num_rows == table.num_rows


def _sum(values: pd.Series):
    return values.sum(min_count=1)
