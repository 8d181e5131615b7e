"""Which figures of a day GitHub has changed after it first gave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from copilot_analytics import catalogue
from copilot_analytics.archive import cached
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.reading import TIME_FORMAT

COLUMNS = {
    "scope": "str",
    "report": "str",
    "day": "datetime64[us]",
    "figure": "str",
    "before": "Int64",
    "after": "Int64",
    "change": "Int64",
    "fetched_before": "datetime64[us, UTC]",
    "fetched_after": "datetime64[us, UTC]",
    "days_after": "int64",
}
# Every version that was current at some time, with each day of people and entities that it holds.
_HELD = """
SELECT f.scope, v.report, f.table_name, f.day, a.at, v.version, f.path, f.rows
FROM appearances a JOIN versions v USING (version) JOIN table_files f USING (version)
WHERE f.table_name IN ('users', 'entity') AND (:scope IS NULL OR f.scope = :scope)
ORDER BY f.scope, v.report, f.table_name, f.day, a.number
"""


def restatements(root: Path, ledger: Ledger, scope: str | None) -> pd.DataFrame:
    """Return one row per figure of a day that differs between two versions in turn."""
    held: dict[tuple, list] = {}
    for row in ledger.rows(_HELD, {"scope": scope}):
        key = (row["scope"], row["report"], row["table_name"], row["day"])
        held.setdefault(key, []).append(row)
    rows = []
    for key, versions in held.items():
        if len({row["version"] for row in versions}) > 1:
            rows += _changes(root, ledger, key, versions)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _changes(root: Path, ledger: Ledger, key: tuple[str, str, str, str], versions: list) -> list:
    """Return what changed from each version of a day to the one that took its place."""
    scope, report, table, day = key
    distinct = {row["version"]: row for row in versions}
    figures = {
        version: _figures(table, _table(root, ledger, table, row))
        for version, row in distinct.items()
    }
    end = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    rows = []
    for before, after in pairwise(versions):
        old, new = figures[before["version"]], figures[after["version"]]
        times = [
            datetime.strptime(one["at"], TIME_FORMAT).replace(tzinfo=UTC) for one in (before, after)
        ]
        for figure in (name for name in old if old[name] != new[name]):
            pair = (old[figure], new[figure])
            change = None if None in pair else pair[1] - pair[0]
            days_after = (times[1] - end).days
            rows.append((scope, report, day, figure, *pair, change, *times, days_after))
    return rows


def _table(root: Path, ledger: Ledger, name: str, row) -> pa.Table:
    table = cached.read_file(root / row["path"], name, row["rows"])
    if table is None:
        key = (name, row["scope"], row["day"])
        table = cached.from_raw(root, ledger, row["version"], {key})[key]
    return table


def _figures(name: str, table: pa.Table) -> dict[str, int | None]:
    """Return the figures of a day: sums of counters, and how many people where there are some."""
    figures = {} if name == "entity" else {"people": pc.count_distinct(table["user_id"]).as_py()}
    return figures | {column: pc.sum(table[column]).as_py() for column in _counters(name)}


def _counters(name: str) -> list[str]:
    """Return the counters of an entity, or the seven of a person."""
    if name == "entity":
        return [field.column for field in catalogue.table(name).columns if field.type == "count"]
    return [
        field.column
        for field in catalogue.record_fields("users")
        if field.path.startswith("totals_by_feature[].")
        and field.type == "count"
        and not field.is_retired
    ]
