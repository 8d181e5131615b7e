"""The current tables of an archive as frames of an engine, and as views for SQL."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa

from copilot_analytics import catalogue, engines, tidy
from copilot_analytics.archive import cached
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.partition import UNKNOWN_FIELDS
from copilot_analytics.archive.reading import (
    bounds,
    by_table,
    current_files,
    day_states,
    file_states,
)
from copilot_analytics.days import parse_day
from copilot_analytics.errors import UsageError
from copilot_analytics.tidy.collect import QUARANTINE_COLUMNS, UNKNOWN_COLUMNS

DAY_STATE, DAY_STATES, PROVISIONAL_DAYS = "day_state", "day_states", "provisional_days"
_OF_FILE = ("scope", "day")


class EngineTables(tidy.Tables):
    """Tables whose frames are of another engine; what is counted about them is read with pandas."""

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a table, or only some of its columns, as a pandas DataFrame."""
        return self._read_columns(name, None if columns is None else list(columns))

    def filter(self, *, start=None, end=None, scope: str | None = None) -> EngineTables:
        """Return the tables with only some days, or only one scope, as `Tables.filter`."""
        cut = super().filter(start=start, end=end, scope=scope)
        return EngineTables(
            {name: partial(self._cut, name, start, end, scope) for name in self},
            read_columns=lambda name, columns: cut.read(name, columns or self[name].columns),
            day_states=cut.day_states,
            unknown_fields=cut.unknown_fields,
            quarantined=cut.quarantined,
        )

    def _cut(self, name: str, start, end, scope: str | None):
        # Everything in the text was checked: days are days, and the scope is one of the tables'.
        conditions = [f"scope = '{scope}'"] if scope else []
        for sign, day in ((">=", start), ("<=", end)):
            if day is not None:
                is_any = day is not pd.NaT
                conditions.append(f"day {sign} DATE '{parse_day(day)}'" if is_any else "false")
        frame = self[name]
        return frame.filter(" AND ".join(conditions)) if conditions else frame

    def __reduce__(self) -> tuple:
        raise TypeError(
            "tables of another engine hold its connection, which can be neither pickled nor copied "
            "in depth; open the archive where they are needed, with the same engine"
        )

    def concat(self, *_) -> tidy.Tables:
        """Refuse: tables of an archive hold each record once already."""
        raise UsageError(
            "tables of another engine are not put together", advice="import the files instead"
        )


def read_tables(
    root: Path, ledger: Ledger, scope, start, end, engine, *, day_state: bool
) -> tidy.Tables:
    """Return the current tables as frames of an engine, each read when it is first used."""
    frame_of = _engine(root, engine)
    asked = bounds(ledger, scope, start, end)
    with ledger.snapshot():
        found = current_files(ledger, **asked)
        states = file_states(ledger, found)
        days = day_states(ledger, found, states, **asked)
        unknown = _unknown_fields(ledger, found)
    files = by_table(found)
    read_columns = _reader(root, files, states, day_state=day_state)
    if frame_of is None:
        kind, make = tidy.Tables, read_columns
    else:
        kind = EngineTables

        def make(name: str):
            return frame_of(name, files[name], states if day_state else None)

    return kind(
        {name: partial(make, name) for name in files},
        rows={name: sum(file["rows"] for file in its) for name, its in files.items()},
        read_columns=read_columns,
        day_states=days,
        unknown_fields=unknown,
        quarantined=_left_out(found),
    )


def _left_out(files: Sequence) -> pd.DataFrame:
    """Return a row for each record that an import left out, where the files hold the others."""
    reports = {one["version"]: one for one in files if one["left_out"]}
    problem = "was not valid when it was imported with errors='quarantine'"
    rows = [
        {"file": _report(one), "problem": problem}
        for one in reports.values()
        for _ in range(one["left_out"])
    ]
    return pd.DataFrame(rows, columns=list(QUARANTINE_COLUMNS))


def _unknown_fields(ledger: Ledger, files: Sequence) -> pd.DataFrame:
    """Return a row for each field that the catalogue does not describe in the reports behind files.

    The ledger says it, so that no table need be read; ``file`` is the first report that has it.
    """
    query = "SELECT version, facts FROM versions WHERE is_current AND facts LIKE ?"
    rows = ledger.rows(query, [f'%"{UNKNOWN_FIELDS}"%'])
    noticed = {row["version"]: json.loads(row["facts"])[UNKNOWN_FIELDS] for row in rows}
    found: dict[str, dict] = {}
    for one in {file["version"]: file for file in files}.values() if noticed else ():
        for name, count in noticed.get(one["version"], {}).items():
            table, path = name.split(": ", maxsplit=1)
            new = {"path": path, "table": table, "file": _report(one), "line": None, "count": 0}
            found.setdefault(name, new)["count"] += count
    frame = pd.DataFrame([found[name] for name in sorted(found)], columns=list(UNKNOWN_COLUMNS))
    return frame.astype({"line": "Int64", "count": "int64"})


def _report(file) -> str:
    return f"{file['report']} of {file['name']} through {file['slot_day']}"


def _reader(
    root: Path, files: Mapping[str, list], states: Mapping[str, str], *, day_state: bool
) -> Callable[..., pd.DataFrame]:
    """Return what reads a table, or some of its columns, with pandas; its days are marked."""

    def read_columns(name: str, columns: list[str] | None = None) -> pd.DataFrame:
        stored = None if columns is None else [one for one in columns if one != DAY_STATE]
        if stored is not None and set(_OF_FILE).issuperset(stored):
            frame = _scopes_and_days(files[name])[stored]
        else:
            frame = tidy.to_pandas(name, cached.read_table(root, name, files[name], stored))
        if day_state and (columns is None or DAY_STATE in columns):
            frame[DAY_STATE] = _repeated(files[name], [states[one["path"]] for one in files[name]])
        frame.attrs[PROVISIONAL_DAYS] = _provisional_days(name, files, states)
        return frame if columns is None else frame[columns]

    return read_columns


def _provisional_days(name: str, files: Mapping[str, list], states: Mapping) -> list[str]:
    """Return the days that may still change in the reports behind a table, as text."""
    base = tidy.BASE[catalogue.table(name).family]
    return sorted({one["day"] for one in files[base] if states[one["path"]] == "provisional"})


def _repeated(files: Sequence, values: list[str]) -> pd.Series:
    """Return one value per file as one per row."""
    column = pd.Series(values, dtype="str")
    return column.loc[column.index.repeat([file["rows"] for file in files])].reset_index(drop=True)


def _scopes_and_days(files: Sequence) -> pd.DataFrame:
    """Return scope and day of every row; a file has one of each, so that it need not be opened."""
    frame = pd.DataFrame({one: _repeated(files, [f[one] for f in files]) for one in _OF_FILE})
    return frame.assign(day=pd.to_datetime(frame["day"]).astype("datetime64[us]"))


def _engine(root: Path, engine):
    """Return what makes a frame of a table's name, its files and their states; None for pandas."""
    if isinstance(engine, str) and engine == "pandas":
        return None
    if isinstance(engine, str) and engine == "duckdb":
        make = partial(engines.relation, engines.connect())
        add_column = _add_to_relation
    elif engines.is_spark(engine):
        make = partial(engines.spark_frame, engine)
        add_column = _add_to_spark_frame
    else:
        raise UsageError(
            f"engine {engine if isinstance(engine, str) else type(engine).__name__!r} is not known",
            advice="use engine='pandas', engine='duckdb' or a Spark session",
        )

    def frame(name: str, files: Sequence, states: Mapping[str, str] | None):
        found = make(tidy.table_schema(name), *cached.sound_files(root, name, files))
        return found if states is None else add_column(found, _state_column(files, states))

    return frame


def _add_to_relation(relation, column: str):
    return relation.project(f"*, {column}")


def _add_to_spark_frame(frame, column: str):
    return frame.selectExpr("*", column)


def _state_column(files: Sequence, states: Mapping[str, str]) -> str:
    """Return the state of each row's day in SQL that DuckDB and Spark read alike.

    Scopes are letters, digits, hyphens and a colon, so that they need no escaping.
    """
    days = defaultdict(list)
    for file in files:
        days[states[file["path"]], file["scope"]].append(f"DATE '{file['day']}'")
    cases = [
        f"WHEN scope = '{scope}' AND day IN ({', '.join(its)}) THEN '{state}'"
        for (state, scope), its in days.items()
        if state != "final"
    ]
    value = f"CASE {' '.join(cases)} ELSE 'final' END" if cases else "'final'"
    return f"{value} AS {DAY_STATE}"


def query(root: Path, ledger: Ledger, sql: str, scope, start, end) -> pd.DataFrame:
    """Return what SQL finds in the current tables and in the states of their days."""
    with closing(engines.connect()) as connection:
        asked = bounds(ledger, scope, start, end)
        with ledger.snapshot():
            found = current_files(ledger, **asked)
            days = day_states(ledger, found, file_states(ledger, found), **asked)
        files = by_table(found)
        # A view has to look at its files, so only what the text may mean becomes one.
        named = [name for name in files if re.search(rf"\b{name}\b", sql, re.IGNORECASE)]
        parts = {name: cached.sound_files(root, name, files[name]) for name in named}
        relations = {
            name: engines.relation(connection, tidy.table_schema(name), *part)
            for name, part in parts.items()
        }
        states = pa.Table.from_pandas(days, preserve_index=False)
        relations[DAY_STATES] = engines.relation(connection, states.schema, [], states)
        paths = [path for sound, _ in parts.values() for path in sound]
        frame = engines.to_pandas(engines.query(connection, relations, paths, sql))
    return _with_ids(frame)


def _with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame in which ids have the type that tables give them, where none is missing."""
    fields = (field for table in catalogue.all_tables().values() for field in table.columns)
    ids = {field.column for field in fields if field.type == "id"} & set(frame.columns)
    whole = [name for name in ids if frame[name].dtype == "Int64" and frame[name].notna().all()]
    return frame.astype(dict.fromkeys(whole, "int64"))
