"""The current tables as files that others read: a local folder or object storage.

Files have names that are used once, ``users/organization-7/2026-11-02-<digest>.parquet``. The
manifest names those that belong together, is written when all of them are there, and only then go
those that it does not name. Scope and day stand in the rows, never as ``scope=…`` in a path, from
which readers would guess types.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from copilot_analytics import catalogue, engines, privacy, progress
from copilot_analytics.archive import cached
from copilot_analytics.archive.places import scope_folder
from copilot_analytics.archive.remote import (
    LocalFolder,
    ObjectStore,
    transfer_errors,
)
from copilot_analytics.errors import UsageError
from copilot_analytics.spreadsheets import without_formulas

MANIFEST = "manifest.json"
LAYOUT = 1  # of the manifest and of the files; another number makes all files anew
FORMATS = ("parquet", "csv")
PEOPLE = ("pseudonyms", "logins")
UPLOADS = 8  # at a time
_OURS = re.compile(r"[a-z_]+/[\w-]+/\d{4}-\d\d-\d\d-[0-9a-f]{16}\.(parquet|csv)")


@dataclass(frozen=True)
class Exported:
    """One exported file: its rows and its size, and the digest of what it was made from."""

    table: str
    scope: str
    day: str
    path: str
    rows: int
    bytes: int
    made_from: str


def check(target: LocalFolder | ObjectStore, root: Path, format: str, people: str) -> None:
    """Refuse what is not known, and an export into the archive or around it.

    Raises
    ------
    UsageError
        With what is known.
    """
    for given, known in ((format, FORMATS), (people, PEOPLE)):
        if given not in known:
            raise UsageError(f"{given!r} is not known", advice=f"use one of: {', '.join(known)}")
    if target.folder is not None:
        folder, archive = target.folder.resolve(), root.resolve()
        if folder == archive or folder in archive.parents or archive in folder.parents:
            raise UsageError(
                f"{folder} is the archive itself, lies in it, or holds it",
                advice="export to a folder of its own",
            )


def export(
    root: Path,
    files: Sequence,
    target: LocalFolder | ObjectStore,
    *,
    format: str,
    key: bytes | None,
    at: datetime,
) -> dict:
    """Publish current files of the ledger and return the manifest; see `Archive.export`.

    With a ``key`` persons have pseudonyms, without one their logins.
    """
    convert = partial(_content, format=format, key=key)
    with transfer_errors(target):
        there = target.sizes(catalogue.all_tables())
        before = _files_before(target)

        def publish(file) -> Exported:
            made_from = _made_from(file, format, key)
            one = before.get(made_from)
            if one is None or there.get(one.path) != one.bytes:
                table = cached.read_table(root, file["table_name"], [file])
                one = _write(target, file, convert(table), format, made_from)
            return one

        exported = _in_parallel(publish, files)
        manifest = _manifest(exported, format, key, at)
        target.write(MANIFEST, json.dumps(manifest, indent=1).encode())
        for path in sorted(there.keys() - {one.path for one in exported}):
            if _OURS.fullmatch(path):
                target.remove(path)
    return manifest


def _in_parallel(publish: Callable, files: Sequence) -> list[Exported]:
    """Publish several files at a time, because object storage takes its time for each."""
    with ThreadPoolExecutor(UPLOADS) as pool:
        try:
            done = pool.map(publish, files)
            bar = progress.bar(done, description="Exporting", total=len(files), unit="file")
            return list(bar)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _made_from(file, format: str, key: bytes | None) -> str:
    """Return a digest of all that decides what is in an exported file; empty if not known."""
    if not file["digest"]:
        return ""
    name = file["table_name"]
    facts = [LAYOUT, format, name, file["scope"], file["day"], file["digest"]]
    facts += catalogue.table(name).names
    return hmac.digest(key or b"logins", json.dumps(facts).encode(), "sha256").hex()


def _content(table: pa.Table, *, format: str, key: bytes | None) -> bytes:
    """Return rows as the content of a file."""
    if key is not None:
        table = privacy.pseudonymize(table, key)
    if format == "csv":
        return without_formulas(engines.to_pandas(table)).to_csv(index=False).encode()
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True, store_schema=False)
    return buffer.getvalue().to_pybytes()


def _write(target, file, content: bytes, format: str, made_from: str) -> Exported:
    name, scope, day = file["table_name"], file["scope"], file["day"]
    digest = hashlib.sha256(content).hexdigest()[:16]
    path = f"{name}/{scope_folder(scope)}/{day}-{digest}.{format}"
    target.write(path, content)
    return Exported(name, scope, day, path, file["rows"], len(content), made_from)


def _files_before(target) -> dict[str, Exported]:
    """Return the files of the last export by what they were made from."""
    try:
        found = [Exported(**one) for one in json.loads(target.read(MANIFEST))["files"]]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return {}  # no export of ours that we can build on: everything is written
    return {one.made_from: one for one in found if one.made_from}


def _manifest(exported: list[Exported], format: str, key: bytes | None, at: datetime) -> dict:
    return {
        "layout": LAYOUT,
        "format": format,
        "people": "logins" if key is None else "pseudonyms",
        "exported_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "files": [asdict(one) for one in exported],
    }
