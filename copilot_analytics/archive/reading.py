"""What readers take from the archive: the current files, the state of every day, the tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pandas as pd

from copilot_analytics import catalogue, engines, tidy
from copilot_analytics.archive import cached
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.days import parse_day
from copilot_analytics.errors import UsageError

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_OF_FILE = ("scope", "day")
_DAY_FAMILIES = ("users", "entity", "teams", "repos")

# Of all current versions that hold a day, the report of that one day wins; among others, the one
# that was seen last. It gives the rows of all tables of its family.
_CURRENT = """
WITH bases (table_name, base) AS (VALUES {bases}),
chosen AS (
    SELECT version, scope, day, table_name AS base, name, report, slot_day, seen_at FROM (
        SELECT f.*, v.name, v.report, v.day AS slot_day, v.seen_at, ROW_NUMBER() OVER (
            PARTITION BY f.table_name, f.scope, f.day
            ORDER BY v.report LIKE '%-1-day' DESC, v.seen_at DESC, v.version DESC
        ) AS place
        FROM table_files f JOIN versions v USING (version)
        WHERE v.is_current AND f.table_name IN (SELECT base FROM bases)
            AND (:scope IS NULL OR f.scope = :scope)
            AND (:start IS NULL OR f.day >= :start) AND (:end IS NULL OR f.day <= :end)
    ) WHERE place = 1
)
SELECT f.*, c.name, c.report, c.slot_day, c.seen_at
FROM chosen c
JOIN bases b USING (base)
JOIN table_files f
    ON f.version = c.version AND f.table_name = b.table_name
    AND f.scope = c.scope AND f.day = c.day
ORDER BY f.table_name, f.scope, f.day
"""


def settled_state(day: date, fetched_at: datetime) -> str:
    """Return whether a day was settled when it was fetched: ``final`` or ``provisional``.

    >>> settled_state(date(2026, 11, 16), datetime(2026, 11, 22, 9, tzinfo=UTC))
    'final'
    """
    return "final" if catalogue.is_settled(day, fetched_at.date()) else "provisional"


def day_text(day) -> str | None:
    """Return a day as YYYY-MM-DD, None for no bound."""
    if day is None or day == "":
        return None
    return f"{parse_day(day)}"


def bounds(ledger: Ledger, scope, start, end) -> dict[str, str | None]:
    """Return what is asked for as the ledger knows it.

    Raises
    ------
    UsageError
        A day is not one, or the start is after the end.
    """
    first, last = day_text(start), day_text(end)
    if first and last and first > last:
        raise UsageError(f"the start {first} is after the end {last}")
    return {"scope": ledger.scope_of(scope), "start": first, "end": last}


def current_files(ledger: Ledger, *, scope=None, start=None, end=None) -> list:
    """Return the Parquet files that hold the current rows, and the versions that they belong to.

    One row per table, scope and day, in this order: the columns of ``table_files`` and the
    version's ``name``, ``report``, ``slot_day`` and ``seen_at``.
    """
    bases = {one.name: tidy.BASE[one.family] for one in catalogue.all_tables().values()}
    values = ", ".join(f"('{name}', '{base}')" for name, base in bases.items())
    return ledger.rows(_CURRENT.format(bases=values), {"scope": scope, "start": start, "end": end})


def day_states(ledger: Ledger, files: Sequence, *, scope=None, start=None, end=None):
    """Return one row per scope, family and day: stored days, and days known not to be there.

    ``files`` are the current ones within the same bounds.
    """
    rows, damaged = {}, set()
    names = {row["name"]: row["scope"] for row in ledger.rows("SELECT * FROM scopes")}
    families = {e.report: e.family for e in catalogue.all_endpoints() if e.period == "1-day"}
    for slot in ledger.rows("SELECT * FROM slots"):
        one = names.get(slot["name"], slot["name"])
        if slot["state"] == "damaged":
            damaged.add((slot["name"], slot["report"], slot["day"]))
        is_inside = (
            slot["report"] in families
            and (scope is None or one == scope)
            and (start is None or slot["day"] >= start)
            and (end is None or slot["day"] <= end)
        )
        if is_inside:
            rows[one, families[slot["report"]], slot["day"]] = (slot["state"], 0)
    families = {tidy.BASE[family]: family for family in _DAY_FAMILIES}
    for file in files:
        if file["table_name"] in families:
            seen = datetime.strptime(file["seen_at"], TIME_FORMAT).replace(tzinfo=UTC)
            state = settled_state(date.fromisoformat(file["day"]), seen)
            if (file["name"], file["report"], file["slot_day"]) in damaged:
                state = "damaged"
            key = file["scope"], families[file["table_name"]], file["day"]
            rows[key] = (state, file["rows"])
    frame = pd.DataFrame(
        [(*key, *value) for key, value in sorted(rows.items())],
        columns=["scope", "family", "day", "state", "rows"],
    )
    frame["day"] = pd.to_datetime(frame["day"]).astype("datetime64[us]")
    return frame.astype({"scope": "str", "family": "str", "state": "str", "rows": "Int64"})


class EngineTables(tidy.Tables):
    """Tables whose frames are of another engine; what is counted about them is read with pandas."""

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a table, or only some of its columns, as a pandas DataFrame."""
        names = catalogue.table(name).names if columns is None else columns
        return self._read_columns(name, list(names))

    def filter(self, **_) -> tidy.Tables:
        """Refuse: days and scopes are chosen where the files are."""
        raise UsageError(
            "tables of another engine are not cut",
            advice="archive.tables(scope, start, end, engine)",
        )

    def concat(self, *_) -> tidy.Tables:
        """Refuse: tables of an archive hold each record once already."""
        raise UsageError(
            "tables of another engine are not put together", advice="import the files instead"
        )


def read_tables(root: Path, ledger: Ledger, scope, start, end, engine) -> tidy.Tables:
    """Return the current tables as frames of an engine, each read when it is first used."""
    frame_of = _engine(root, engine)
    asked = bounds(ledger, scope, start, end)
    with ledger.snapshot():
        found = current_files(ledger, **asked)
        states = day_states(ledger, found, **asked)
    files = by_table(found)

    def read_columns(name: str, columns: list[str] | None = None) -> pd.DataFrame:
        if columns is not None and set(_OF_FILE).issuperset(columns):
            return _scopes_and_days(files[name])[columns]
        return tidy.to_pandas(name, cached.read_table(root, name, files[name], columns))

    kind = tidy.Tables if frame_of is None else EngineTables
    frame_of = frame_of or (lambda name, _: read_columns(name))
    return kind(
        {name: partial(frame_of, name, files[name]) for name in files},
        rows={name: sum(file["rows"] for file in its) for name, its in files.items()},
        read_columns=read_columns,
        day_states=states,
    )


def _scopes_and_days(files: Sequence) -> pd.DataFrame:
    """Return scope and day of every row; a file has one of each, so that it need not be opened."""
    counts = [file["rows"] for file in files]
    columns = {name: pd.Series([file[name] for file in files], dtype="str") for name in _OF_FILE}
    frame = pd.DataFrame(columns).assign(day=lambda all: pd.to_datetime(all["day"]))
    return (
        frame.astype({"day": "datetime64[us]"})
        .loc[frame.index.repeat(counts)]
        .reset_index(drop=True)
    )


def by_table(files: Sequence) -> dict[str, list]:
    """Return the files of each table, of the tables without files as well."""
    found = defaultdict(list)
    for file in files:
        found[file["table_name"]].append(file)
    return {name: found[name] for name in catalogue.all_tables()}


def _engine(root: Path, engine):
    """Return what makes a frame of a table name and files; None for pandas."""
    if isinstance(engine, str) and engine == "pandas":
        return None
    if isinstance(engine, str) and engine == "duckdb":
        make = partial(engines.relation, engines.connect())
    elif engines.is_spark(engine):
        make = partial(engines.spark_frame, engine)
    else:
        raise UsageError(
            f"engine {engine if isinstance(engine, str) else type(engine).__name__!r} is not known",
            advice="use engine='pandas', engine='duckdb' or a Spark session",
        )

    def frame(name: str, files: Sequence):
        return make(tidy.table_schema(name), *cached.sound_files(root, name, files))

    return frame


def query(root: Path, ledger: Ledger, sql: str, scope, start, end) -> pd.DataFrame:
    """Return what SQL finds in the current tables."""
    with closing(engines.connect()) as connection:
        asked = bounds(ledger, scope, start, end)
        files = by_table(current_files(ledger, **asked))
        # A view has to look at its files, so only what the text may mean becomes one.
        named = [name for name in files if re.search(rf"\b{name}\b", sql, re.IGNORECASE)]
        parts = {name: cached.sound_files(root, name, files[name]) for name in named}
        relations = {
            name: engines.relation(connection, tidy.table_schema(name), *part)
            for name, part in parts.items()
        }
        paths = [path for sound, _ in parts.values() for path in sound]
        frame = engines.to_pandas(engines.query(connection, relations, paths, sql))
    return _with_ids(frame)


def _with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame in which ids have the type that tables give them, where none is missing."""
    fields = (field for table in catalogue.all_tables().values() for field in table.columns)
    ids = {field.column for field in fields if field.type == "id"} & set(frame.columns)
    whole = [name for name in ids if frame[name].dtype == "Int64" and frame[name].notna().all()]
    return frame.astype(dict.fromkeys(whole, "int64"))
