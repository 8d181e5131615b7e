"""Kill a writing process at random moments and look at what it leaves; outside the test suite.

    python tests/kill_archive.py --kills 60

Each time a process stores the next version of one of four slots, rebuilds, or makes a lost ledger
anew, and is killed after a random time; a ledger that is lost then is made anew first. Then:
readers see the version before or after, whole; `verify` finds nothing; the next run finds the
archive free and removes the garbage.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from conftest import ndjson, user_record

from copilot_analytics.archive import Archive, cleaning
from copilot_analytics.catalogue import Scope

PEOPLE, SLOTS = 300, 4
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SCOPE = Scope("organization", "octo-org")


def archive_in(folder: str) -> Archive:
    return Archive(Path(folder) / "archive", clock=lambda: NOW)


def store(folder: str, slot: int, version: int) -> None:
    """Store a version of a slot: everybody's loc_added_sum is its number."""
    day = date(2026, 11, 1 + slot)
    records = (user_record(str(day), user, loc_added_sum=version) for user in range(PEOPLE))
    file = Path(folder) / "received.ndjson"
    file.write_bytes(ndjson(*records))
    archive = archive_in(folder)
    with archive.writing() as ledger:
        archive.store(ledger, SCOPE, "users-1-day", day, [file])


def work(folder: str, task: str, slot: str, version: str) -> None:
    """What the process does that is killed."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if task == "store":
        store(folder, int(slot), int(version))
    else:
        if task == "recover":
            (archive_in(folder).path / "ledger.sqlite").unlink()
        archive_in(folder).rebuild()


def look(folder: str) -> dict[int, int]:
    """Return the version of each slot; fail if a slot is a mix or anything is damaged."""
    archive = archive_in(folder)
    if not (archive.path / "ledger.sqlite").exists():
        assert archive.rebuild() == []
    findings = archive.verify()
    assert findings.empty, findings.to_string()
    users = archive.tables().users
    found = users.groupby(users["day"].dt.day)["loc_added_sum"].agg(["nunique", "max", "size"])
    assert (found["nunique"] == 1).all(), found
    assert (found["size"] == PEOPLE).all(), found
    return {int(day) - 1: int(version) for day, version in found["max"].items()}


def main(kills: int, seed: int) -> None:
    draw = random.Random(seed)
    counts = {"killed": 0, "ended first": 0, "old": 0, "new": 0, "garbage": 0}
    with tempfile.TemporaryDirectory() as folder:
        for slot in range(SLOTS):
            store(folder, slot, 1)
        expected = dict.fromkeys(range(SLOTS), 1)
        while counts["killed"] < kills:
            slot, task = draw.randrange(SLOTS), draw.choice(["store"] * 3 + ["rebuild", "recover"])
            version = expected[slot] + 1
            command = [sys.executable, __file__, folder, task, str(slot), str(version)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                process.stdout.readline()
                time.sleep(draw.uniform(0, 0.15))
                process.send_signal(signal.SIGKILL)
            counts["killed" if process.returncode < 0 else "ended first"] += 1
            found = look(folder)
            if task == "store":
                counts["new" if found[slot] == version else "old"] += 1
                expected[slot] = found[slot] if found[slot] in (version - 1, version) else None
            assert found == expected, (found, expected)
            with archive_in(folder).ledger() as ledger:
                counts["garbage"] += bool(cleaning.garbage(Path(folder) / "archive", ledger))
            with archive_in(folder).writing() as ledger:
                assert not cleaning.garbage(Path(folder) / "archive", ledger)
        for slot in range(SLOTS):
            store(folder, slot, expected[slot] + 1)
        assert look(folder) == {slot: version + 1 for slot, version in expected.items()}
    sys.stdout.write(f"{counts}\n")


if __name__ == "__main__":
    if len(sys.argv) == 5 and not sys.argv[1].startswith("-"):
        work(*sys.argv[1:])
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--kills", type=int, default=60)
        parser.add_argument("--seed", type=int, default=1)
        main(**vars(parser.parse_args()))
