"""Which version of a slot is current: the one decision that readers see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from copilot_analytics.archive import surviving
from copilot_analytics.archive.ledger import Ledger, add_version, make_current, set_state
from copilot_analytics.archive.partition import LEFT_OUT
from copilot_analytics.archive.reading import TIME_FORMAT, settled_state
from copilot_analytics.archive.storing import Prepared

SHRUNK = 0.5  # a version with a smaller share of the records or the people is held back
HELD_BACK = "held back: "


@dataclass(frozen=True)
class Stored:
    """What became of one report that was given to the archive.

    `held_back` says why a version is stored without being current, and is "" otherwise.
    """

    state: str
    is_new: bool
    records: int
    last_day: date | None
    held_back: str = ""


def commit(ledger: Ledger, prepared: Prepared, now: datetime, *, accept_shrink: bool) -> Stored:
    """Enter a report whose files are in place, and make it current unless it shrank."""
    slot, at = prepared.slot, now.strftime(TIME_FORMAT)
    before = ledger.current(*slot)
    held_back = "" if accept_shrink or slot[1] == "import" else _shrunk(before, prepared)
    with ledger.transaction() as connection:
        for scope in prepared.scopes:
            learn(connection, slot[0], scope)
        known = ledger.version(slot, prepared.digest)
        version = known["version"] if known else _add(connection, prepared)
        if held_back:
            # Asked for again until somebody has decided, even if the day is long over.
            connection.execute(
                "UPDATE versions SET is_held = 1, seen_at = ? WHERE version = ?", [at, version]
            )
            state = "provisional"
            set_state(connection, *slot, state, at, f"{HELD_BACK}{held_back}")
        else:
            make_current(connection, slot, version, at)
            state = _set_state_of_current(ledger, connection, slot, at)
    last = date.fromisoformat(prepared.last_day) if prepared.last_day else None
    return Stored(state, known is None, prepared.records, last, held_back)


def _shrunk(before, prepared: Prepared) -> str:
    """Return how much a version shrank against the current one, "" if that is in order."""
    if before is None or before["digest"] == prepared.digest:
        return ""
    pairs = (
        ("records", before["records"], prepared.records),
        ("people", before["people"], prepared.people or 0),
    )
    for what, old, new in pairs:
        if old and new < SHRUNK * old:
            return f"{new:,} {what} instead of {old:,}"
    return ""


def _add(connection, prepared: Prepared) -> int:
    columns = {
        "digest": prepared.digest,
        "fetched_at": prepared.fetched_at,
        "seen_at": prepared.fetched_at,
        "records": prepared.records,
        "people": prepared.people,
        "first_day": prepared.first_day,
        "last_day": prepared.last_day,
        "facts": json.dumps(prepared.facts, sort_keys=True, default=str),
    }
    return add_version(connection, prepared.slot, columns, prepared.raw, prepared.tables)


def _set_state_of_current(ledger: Ledger, connection, slot: tuple[str, str, str], at: str) -> str:
    """Write the state that a slot has by what is current in it; return it."""
    current = ledger.rows(
        "SELECT * FROM versions WHERE name = ? AND report = ? AND day = ? AND is_current", slot
    )
    left_out = sum(json.loads(row["facts"]).get(LEFT_OUT, 0) for row in current)
    if left_out:
        note = f"{left_out:,} records that are not valid were left out"
        set_state(connection, *slot, "damaged", at, note)
        return "damaged"
    has_rows = any(row["last_day"] for row in current)
    seen = datetime.strptime(at, TIME_FORMAT).replace(tzinfo=UTC)
    state = settled_state(date.fromisoformat(slot[2]), seen) if has_rows else "empty"
    set_state(connection, *slot, state, at)
    return state


def accept_held_back(ledger: Ledger, name: str) -> int:
    """Make the latest version that was held back current in each slot; return how many."""
    held = ledger.rows(
        "SELECT * FROM versions WHERE is_held AND name = ? ORDER BY seen_at, version", [name]
    )
    latest = {(row["name"], row["report"], row["day"]): row for row in held}
    for slot, row in latest.items():
        with ledger.transaction() as connection:
            connection.execute(
                "UPDATE versions SET is_held = 0 WHERE name = ? AND report = ? AND day = ?", slot
            )
            make_current(connection, slot, row["version"], row["seen_at"])
            _set_state_of_current(ledger, connection, slot, row["seen_at"])
    return len(latest)


def note_state(
    root: Path, ledger: Ledger, slot: tuple[str, str, str], state: str, note: str, at: str
) -> None:
    """Record that a report is not there; what is stored stays current, and so does its state.

    A damaged slot stays damaged until a report is stored for it.
    """
    before = ledger.slot(*slot)
    if ledger.current(*slot) is None and (before is None or before["state"] != "damaged"):
        surviving.write_state(root, slot, state, at)
        with ledger.transaction() as connection:
            set_state(connection, *slot, state, at, note)


def learn(connection, name: str, scope: str) -> None:
    """Remember which id GitHub uses for a name; not those of an enterprise's organizations."""
    if scope.partition(":")[0] == name.partition(":")[0]:
        connection.execute("INSERT OR REPLACE INTO scopes VALUES (?, ?)", [name, scope])
