"""An archive with a clock of its own, and what the tests of its writing put into it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
from conftest import ndjson

from copilot_analytics.archive import Archive, Stored
from copilot_analytics.catalogue import Scope

SCOPE = Scope("organization", "octo-org")
DAY = date(2026, 11, 2)


def new_archive(folder: Path) -> Archive:
    """An archive that believes it is 22 November 2026; tests move ``archive.now[0]`` on."""
    now = [datetime(2026, 11, 22, 9, tzinfo=UTC)]
    archive = Archive(folder / "archive", clock=lambda: now[0])
    archive.now = now
    return archive


def put(
    archive, *records, report="users-1-day", day=DAY, scope=SCOPE, content=None, **options
) -> Stored:
    """Store records, or a file's content, as one report."""
    path = archive.path.parent / "received.ndjson"
    path.write_bytes(ndjson(*records) if content is None else content)
    with archive.writing() as ledger:
        return archive.store(ledger, scope, report, day, [path], **options)


def files_of(archive) -> dict[str, tuple[int, int]]:
    """All files of the archive with size and time, but the ledger and the lock."""
    return {
        path.relative_to(archive.path).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in archive.path.rglob("*")
        if path.is_file() and path.name not in ("ledger.sqlite", "lock")
    }


def frames(archive) -> dict[str, pd.DataFrame]:
    """All tables with rows, and the states of days."""
    tables = archive.tables()
    found = {name: tables[name] for name in tables if tables.count(name)}
    return found | {"day_states": tables.day_states}


def assert_same(found: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    """Compare two sets of frames."""
    assert set(found) == set(expected)
    for name, frame in found.items():
        pd.testing.assert_frame_equal(frame, expected[name], obj=name)


def rows(archive, query: str) -> list[tuple]:
    """What the ledger says."""
    with archive.ledger() as ledger:
        return [tuple(row) for row in ledger.rows(query)]
