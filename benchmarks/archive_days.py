"""Users reports of any number of people and days, and storing them in an archive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks import users_file
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope

PEOPLE = users_file.PEOPLE
LAST, NOW = users_file.END_DAY, datetime(2026, 11, 22, 9, tzinfo=UTC)
SCOPE = Scope("organization", "octo-org")


def place(folder: Path, people: int, days: int) -> Path:
    """Return where the archive of a size is made."""
    return folder / f"archive-{people}-{days}"


def originals(folder: Path) -> list[Path]:
    """Return one file per day of the sample company, made only if they are not there."""
    paths = [folder / "days" / f"{number:02}.ndjson" for number in range(users_file.DAYS)]
    if not all(map(users_file.is_whole, paths)):
        for path, block in zip(paths, users_file.original_days(), strict=True):
            users_file.stored(path, [block])
    return paths


def store(task: Path) -> dict:
    """Store the reports that a file names, day by day; return the seconds that this took.

    The making of the reports is not counted.
    """
    name = task.read_text()
    people, days = map(int, name.split("-")[1:])
    archive = Archive(task.with_name(name), clock=lambda: NOW)
    file, seconds = task.with_name(f"{name}.ndjson"), 0.0
    with archive.writing() as ledger:
        for number in range(days):
            day = LAST - timedelta(days=days - 1 - number)
            with file.open("wb") as report:
                report.writelines(_records(originals(task.parent), people, day))
            start = time.perf_counter()
            archive.store(ledger, SCOPE, "users-1-day", day, [file])
            seconds += time.perf_counter() - start
    file.unlink()
    return {"store": {"seconds": seconds}}


def _records(paths: list[Path], people: int, day: date) -> Iterator[bytes]:
    """Yield the records of a day: of each thousand people those of another day of the sample.

    So no two thousands of the first 28,000 are alike, and files do not compress better than real
    ones do.
    """
    first = LAST - timedelta(days=len(paths) - 1)
    for copy in range(people // PEOPLE):
        number = ((day - first).days + copy) % len(paths)
        was, now = (f'"day":"{one}"'.encode() for one in (first + timedelta(days=number), day))
        block = paths[number].read_bytes().replace(was, now)
        others = rb'"user_id":\g<1>%03d,"user_login":"\g<2>-%d"' % (copy, copy)
        yield users_file.PERSON.sub(others, block)
