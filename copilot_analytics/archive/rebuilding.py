"""Parquet files and the ledger made anew from the raw files, without the network."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from copilot_analytics import progress
from copilot_analytics.archive import cached, committing, formats, places, storing, surviving
from copilot_analytics.archive.ledger import NAME as LEDGER
from copilot_analytics.archive.ledger import Ledger, add_files, set_state
from copilot_analytics.archive.partition import errors_of, write_tables
from copilot_analytics.archive.reading import TIME_FORMAT
from copilot_analytics.errors import ArchiveError, CopilotAnalyticsError
from copilot_analytics.files import (
    NewFiles,
    flush_folder,
    make_folder,
    replace,
    storage_errors,
    write_durably,
)

_UNSOUND = "a raw file is not sound"


def rebuild(root: Path, ledger: Ledger, versions: Iterable[int] | None = None) -> list[str]:
    """Make the Parquet files of versions anew; return the slots whose raw files are not sound.

    Without ``versions``, of all that the archive has.
    """
    if versions is None:
        versions = [row["version"] for row in ledger.rows("SELECT version FROM versions")]
    unsound = []
    for version in progress.bar(list(versions), description="Rebuilding", unit="report"):
        row = ledger.rows("SELECT * FROM versions WHERE version = ?", [version])[0]
        if cached.unsound_raw(root, ledger.raw_files(version)):
            unsound.append(f"{row['report']} of {row['name']} for {row['day']}")
        else:
            rebuild_version(root, ledger, row)
    return unsound


def rebuild_version(root: Path, ledger: Ledger, row) -> None:
    """Make the Parquet files of one version anew from its raw files."""
    raw = ledger.raw_files(row["version"])
    paths = [root / one["path"] for one in raw]
    with storage_errors("a table file"), NewFiles("table") as new:
        errors = errors_of(json.loads(row["facts"]))
        written = write_tables(root, new, paths, row["name"], row["digest"], errors=errors)
        new.place()
    people = None if written.ids is None else len(written.ids)
    with ledger.transaction() as connection:
        connection.execute("DELETE FROM table_files WHERE version = ?", [row["version"]])
        add_files(connection, row["version"], [], written.files)
        connection.execute(
            "UPDATE versions SET people = ? WHERE version = ?", [people, row["version"]]
        )


def quarantine(root: Path, ledger: Ledger, row, at: str) -> list[str]:
    """Put the files of a version aside whose raw files are not sound; return their places.

    They stay, because a table file may be all that is left of a day. If the version was current,
    its slot is damaged from here on, which makes `sync` ask for it again.
    """
    files = [*ledger.raw_files(row["version"])]
    files += ledger.rows(
        "SELECT path FROM table_files WHERE version = :version AND path NOT IN "
        "(SELECT path FROM table_files WHERE version <> :version)",
        {"version": row["version"]},
    )
    slot = (row["name"], row["report"], row["day"])
    paths = [file["path"] for file in files] + [places.manifest(slot, row["digest"])]
    # The files first: what the ledger does not name any more would be garbage.
    moved = [path for path in paths if _put_aside(root, path)]
    names = ", ".join(path for path in moved if path.startswith(places.RAW)) or "a raw file is gone"
    with ledger.transaction() as connection:
        connection.execute("DELETE FROM versions WHERE version = ?", [row["version"]])
        if row["is_current"]:
            set_state(connection, *slot, "damaged", at, f"in {places.QUARANTINE}: {names}")
        connection.execute("INSERT INTO audit VALUES (?, 'quarantine', ?)", [at, names])
    return moved


def _put_aside(root: Path, path: str) -> bool:
    """Move a file to the quarantine; tell whether it was there."""
    source, target = root / path, places.inside(root, f"{places.QUARANTINE}/{path}")
    with storage_errors(f"{places.QUARANTINE}/{path}"):
        make_folder(target.parent)
        with suppress(FileNotFoundError):
            replace(source, target)
            flush_folder(target.parent)
            return True
    return False


def recover(root: Path, now: datetime) -> list[str]:
    """Make a lost or unreadable ledger anew, from the manifests beside the raw files.

    Returns the slots whose raw files are not sound. The ledger is there when all is in it, because
    what it does not name would be garbage for the next writer.
    """
    for name in (LEDGER, f"{LEDGER}-journal"):
        _put_aside(root, name)
    damaged = []

    def fill(beside: Path) -> None:
        formats.create(beside)
        with closing(Ledger(beside)) as ledger:
            _enter_all(root, ledger, now)
            damaged.extend(
                ledger.rows("SELECT * FROM slots WHERE state = 'damaged' AND note = ?", [_UNSOUND])
            )

    with storage_errors("the ledger"):
        write_durably(root / LEDGER, fill)
    return [f"{row['report']} of {row['name']} for {row['day']}" for row in damaged]


def _enter_all(root: Path, ledger: Ledger, now: datetime) -> None:
    """Enter every version that manifests and raw files tell of, then what they do not tell."""
    manifests = [path for path in places.files_in(root) if path.endswith(".json")]
    said = [_said(root / path) for path in manifests]
    found = sorted(filter(None, said), key=lambda one: (one["current_from"], one["written"]))
    covered = {raw["path"] for one in found for raw in one["raw"]}
    lonely = [path for path in places.files_in(root) if path.endswith(".zst")]
    found += [_lonely(root, path) for path in lonely if path not in covered]
    for one in progress.bar(found, description="Rebuilding", unit="report"):
        _enter(root, ledger, one)
    surviving.restore(root, ledger)
    with ledger.transaction() as connection:
        details = [now.strftime(TIME_FORMAT), f"{len(found)} versions"]
        connection.execute("INSERT INTO audit VALUES (?, 'recover', ?)", details)


def _said(path: Path) -> dict | None:
    """Return what a manifest says, None if it is not readable."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        names = ("slot", "digest", "fetched_at", "current_from", "facts", "raw")
        return {name: said[name] for name in names} | {"written": path.stat().st_mtime_ns}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lonely(root: Path, path: str) -> dict:
    """Return what can be told of a raw file without a manifest."""
    _, folder, report, day, name = path.split("/")
    modified = datetime.fromtimestamp((root / path).stat().st_mtime, UTC)
    digest = name.removesuffix(".zst")
    return {
        "slot": [folder.replace("-", ":", 1), report, day],
        "digest": storing.together([digest]),
        "fetched_at": modified.strftime(TIME_FORMAT),
        "current_from": modified.strftime(TIME_FORMAT),
        "facts": {},
        "raw": [{"path": path, "digest": digest, "bytes": 0}],
    }


def _enter(root: Path, ledger: Ledger, said: dict) -> None:
    """Enter one version as it was when it was received."""
    slot = tuple(said["slot"])
    raw = [storing.RawFile(**one) for one in said["raw"]]
    at = datetime.strptime(said["current_from"], TIME_FORMAT).replace(tzinfo=UTC)
    if cached.unsound_raw(root, [one._asdict() for one in raw]):
        with ledger.transaction() as connection:
            set_state(connection, *slot, "damaged", said["fetched_at"], _UNSOUND)
        return
    paths = [root / one.path for one in raw]
    with storage_errors("a table file"), NewFiles("table") as new:
        try:
            errors = errors_of(said["facts"])
            written = write_tables(root, new, paths, slot[0], said["digest"], errors=errors)
        except CopilotAnalyticsError as problem:
            raise ArchiveError(
                f"{slot[1]} of {slot[0]} for {slot[2]} cannot be read",
                said=problem.what,
                kept="all raw files",
                advice="move its raw files away, then run the same command again",
            ) from problem
        new.place()
    raw = [
        one._replace(bytes=storing.digest_of(storing.content(root / one.path))[1]) for one in raw
    ]
    prepared = storing.described(
        slot, said["digest"], said["fetched_at"], said["facts"], written, raw
    )
    committing.commit(ledger, prepared, at, accept_shrink=False)
