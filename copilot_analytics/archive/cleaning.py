"""Garbage: files of runs that were killed before the ledger named them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from copilot_analytics.archive import places, storing, surviving
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.files import storage_errors


def manifests(ledger: Ledger) -> dict[str, sqlite3.Row]:
    """Return the path of each version's manifest, and the version."""
    return {
        places.manifest((row["name"], row["report"], row["day"]), row["digest"]): row
        for row in ledger.rows("SELECT * FROM versions")
    }


def named(ledger: Ledger) -> set[str]:
    """Return the paths of all files that belong to the archive."""
    states = {path for path, *_ in surviving.states(ledger)}
    return ledger.named_files() | set(manifests(ledger)) | states


def garbage(root: Path, ledger: Ledger) -> list[str]:
    """Return files that only we write and that the ledger does not name."""
    known = named(ledger)
    return [
        path
        for path in places.files_in(root)
        if places.is_temporary(path) or (places.is_ours(path) and path not in known)
    ]


def remove_garbage(root: Path, ledger: Ledger) -> list[str]:
    """Remove what a killed run left; only for who holds the lock."""
    found = garbage(root, ledger)
    remove(root, found)
    return found


def write_missing_manifests(root: Path, ledger: Ledger) -> None:
    """Write the manifests that somebody removed, and those of an archive that never had any.

    Likewise what else is kept beside the raw files, should the ledger be lost.
    """
    surviving.write_missing(root, ledger)
    there = set(places.files_in(root))
    for path, row in manifests(ledger).items():
        if path not in there:
            raw = [(r["path"], r["digest"], r["bytes"]) for r in ledger.raw_files(row["version"])]
            slot = (row["name"], row["report"], row["day"])
            facts = json.loads(row["facts"])
            storing.write_manifest(root, slot, row["digest"], row["fetched_at"], facts, raw)


def remove(root: Path, paths: Iterable[str]) -> None:
    """Remove files and the folders that are empty then."""
    for path in paths:
        target = places.inside(root, Path(path).parent.as_posix()) / Path(path).name
        with storage_errors(path), suppress(FileNotFoundError):
            target.unlink()
        for folder in target.parents:
            if folder == root or folder.parent == root:
                break
            try:
                folder.rmdir()
            except OSError:
                break  # it is not empty
