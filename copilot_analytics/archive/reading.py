"""What readers take from the archive: the current files, and the state of every day."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

import pandas as pd

from copilot_analytics import catalogue, tidy
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.partition import EMPTY_DAYS
from copilot_analytics.archive.places import IMPORTED
from copilot_analytics.days import parse_day
from copilot_analytics.errors import UsageError

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_DAY_FAMILIES = ("users", "entity", "teams", "repos")

# Of all current versions that hold a day, the report of that one day wins; among others, the one
# that was seen last. It gives the rows of all tables of its family.
_CURRENT = """
WITH bases (table_name, base) AS (VALUES {bases}),
chosen AS (
    SELECT version, scope, day, table_name AS base, name, report, slot_day, seen_at, left_out FROM (
        SELECT f.*, v.name, v.report, v.day AS slot_day, v.seen_at,
            COALESCE(json_extract(v.facts, '$.left_out'), 0) AS left_out, ROW_NUMBER() OVER (
            PARTITION BY f.table_name, f.scope, f.day
            ORDER BY v.report LIKE '%-1-day' DESC, v.seen_at DESC, v.version DESC
        ) AS place
        FROM table_files f JOIN versions v USING (version)
        WHERE v.is_current AND f.table_name IN (SELECT base FROM bases)
            AND (:scope IS NULL OR f.scope = :scope)
            AND (:start IS NULL OR f.day >= :start) AND (:end IS NULL OR f.day <= :end)
    ) WHERE place = 1
)
SELECT f.*, c.name, c.report, c.slot_day, c.seen_at, c.left_out
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
        A day is not one, the start is after the end, or the scope is not known.
    """
    first, last = day_text(start), day_text(end)
    if first and last and first > last:
        raise UsageError(f"the start {first} is after the end {last}")
    return {"scope": ledger.scope_of(scope), "start": first, "end": last}


def current_files(ledger: Ledger, *, scope=None, start=None, end=None) -> list:
    """Return the Parquet files that hold the current rows, and the versions that they belong to.

    One row per table, scope and day, in this order: the columns of ``table_files`` and the
    version's ``name``, ``report``, ``slot_day``, ``seen_at`` and ``left_out`` records.
    """
    bases = {one.name: tidy.BASE[one.family] for one in catalogue.all_tables().values()}
    values = ", ".join(f"('{name}', '{base}')" for name, base in bases.items())
    return ledger.rows(_CURRENT.format(bases=values), {"scope": scope, "start": start, "end": end})


def file_states(ledger: Ledger, files: Sequence) -> dict[str, str]:
    """Return by path what the day of each current file is: final, provisional or damaged."""
    # Several imports stand side by side in one slot, so that its state is not that of each.
    query = "SELECT name, report, day FROM slots WHERE state = 'damaged' AND report <> ?"
    damaged = {tuple(row) for row in ledger.rows(query, [IMPORTED])}
    return {
        file["path"]: "damaged"
        if file["left_out"] or (file["name"], file["report"], file["slot_day"]) in damaged
        else _settled_state(file["day"], file["seen_at"])
        for file in files
    }


@lru_cache(maxsize=4096)
def _settled_state(day: str, seen_at: str) -> str:
    seen = datetime.strptime(seen_at, TIME_FORMAT).replace(tzinfo=UTC)
    return settled_state(date.fromisoformat(day), seen)


def day_states(
    ledger: Ledger, files: Sequence, states: Mapping[str, str], *, scope=None, start=None, end=None
) -> pd.DataFrame:
    """Return one row per scope, family and day: stored days, and days known not to be there.

    ``files`` are the current ones within the same bounds, ``states`` those of their days.
    """
    rows = {}
    names = {row["name"]: row["scope"] for row in ledger.rows("SELECT * FROM scopes")}
    families = {e.report: e.family for e in catalogue.all_endpoints() if e.period == "1-day"}
    for slot in ledger.rows("SELECT * FROM slots"):
        if slot["report"] in families:
            one = names.get(slot["name"], slot["name"])
            rows[one, families[slot["report"]], slot["day"]] = (slot["state"], 0)
    for key in _empty_days(ledger):
        rows.setdefault(key, ("empty", 0))
    rows = {
        (one, family, day): state
        for (one, family, day), state in rows.items()
        if (scope is None or one == scope)
        and (start is None or day >= start)
        and (end is None or day <= end)
    }
    families = {tidy.BASE[family]: family for family in _DAY_FAMILIES}
    for file in files:
        if file["table_name"] in families:
            key = file["scope"], families[file["table_name"]], file["day"]
            rows[key] = (states[file["path"]], file["rows"])
    frame = pd.DataFrame(
        [(*key, *value) for key, value in sorted(rows.items())],
        columns=["scope", "family", "day", "state", "rows"],
    )
    frame["day"] = pd.to_datetime(frame["day"]).astype("datetime64[us]")
    return frame.astype({"scope": "str", "family": "str", "state": "str", "rows": "Int64"})


def _empty_days(ledger: Ledger) -> Iterator[tuple[str, str, str]]:
    """Yield scope, family and day where a report of several days has no rows of a weekend day."""
    query = "SELECT facts FROM versions WHERE is_current AND facts LIKE ?"
    for row in ledger.rows(query, [f'%"{EMPTY_DAYS}"%']):
        for family, days in json.loads(row["facts"])[EMPTY_DAYS].items():
            yield from ((scope, family, day) for scope, day in days)


def by_table(files: Sequence) -> dict[str, list]:
    """Return the files of each table, of the tables without files as well."""
    found = defaultdict(list)
    for file in files:
        found[file["table_name"]].append(file)
    return {name: found[name] for name in catalogue.all_tables()}
