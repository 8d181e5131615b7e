"""What a lost ledger must not take with it: whom to leave out, and days without a report.

Small files beside the raw files say it too. They are written before the ledger is, so that
`rebuild` never knows less than the ledger did; what they say too early, the next writer corrects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from copilot_analytics.archive import places
from copilot_analytics.archive.ledger import Ledger, set_state
from copilot_analytics.files import step, storage_errors, write_durably

KEPT_STATES = ("empty", "missing")  # others are asked for again anyway
_SLOTS = """
SELECT name, report, day, state, checked_at FROM slots s WHERE state IN (?, ?) AND NOT EXISTS
    (SELECT 1 FROM versions v WHERE v.name = s.name AND v.report = s.report AND v.day = s.day)
"""


def tombstones(ledger: Ledger) -> dict:
    """Return who was erased, as keyed digests with their key, and what was purged."""
    key = ledger.rows("SELECT value FROM meta WHERE key = 'erasure_key'")
    erased = ledger.rows("SELECT * FROM erased")
    return {
        "key": key[0]["value"] if key else "",
        "erased": {row["digest"]: [row["at"], row["finished_at"]] for row in erased},
        "purged": {row["name"]: row["before"] for row in ledger.rows("SELECT * FROM purged")},
    }


def write_tombstones(root: Path, said: dict) -> None:
    """Write beside the ledger what `tombstones` returned, with what is about to be added."""
    _write(root, places.TOMBSTONES, said)
    step("tombstones in place")


def enter_tombstones(connection, said: dict) -> None:
    """Write into the ledger whom to leave out, inside a transaction."""
    if said["key"]:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('erasure_key', ?)", [said["key"]])
    connection.executemany(
        "INSERT OR REPLACE INTO erased VALUES (?, ?, ?)",
        [(digest, *times) for digest, times in said["erased"].items()],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO purged VALUES (?, ?)", list(said["purged"].items())
    )


def write_state(root: Path, slot: tuple[str, str, str], state: str, at: str) -> None:
    """Write where the raw files of a slot would be that it has none, and will have none."""
    if state in KEPT_STATES:
        said = {"slot": slot, "state": state, "checked_at": at}
        _write(root, places.state_file(slot), said)
        step("state in place")


def states(ledger: Ledger) -> Iterator[tuple[str, tuple[str, str, str], str, str]]:
    """Yield path, slot, state and time of the slots that have no report and will have none."""
    for name, report, day, state, at in ledger.rows(_SLOTS, KEPT_STATES):
        yield places.state_file((name, report, day)), (name, report, day), state, at


def write_missing(root: Path, ledger: Ledger) -> None:
    """Bring the files in line with the ledger; those of an older archive are not there yet."""
    known = tombstones(ledger)
    if any(known.values()) and _read(root, places.TOMBSTONES) != known:
        write_tombstones(root, known)
    for path, *said in states(ledger):
        if not (root / path).exists():
            write_state(root, *said)


def restore(root: Path, ledger: Ledger) -> None:
    """Enter into a ledger that was made anew what the files say and no report contradicts."""
    said = _read(root, places.TOMBSTONES)
    paths = [path for path in places.files_in(root) if path.endswith(f"/{places.STATE}")]
    with ledger.transaction() as connection:
        if said:
            enter_tombstones(connection, said)
        for found in filter(None, (_read(root, path) for path in paths)):
            if ledger.slot(*found["slot"]) is None:
                set_state(connection, *found["slot"], found["state"], found["checked_at"])


def _write(root: Path, path: str, said: dict) -> None:
    text = json.dumps(said, indent=1, sort_keys=True) + "\n"
    with storage_errors(path):
        write_durably(
            places.inside(root, path), lambda beside: beside.write_text(text, encoding="utf-8")
        )


def _read(root: Path, path: str) -> dict | None:
    """Return what a file says, None if it is not there or not readable."""
    try:
        return json.loads((root / path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
