"""Tables from their Parquet files, and from the raw files where a Parquet file is not sound."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import compress
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from copilot_analytics import tidy
from copilot_analytics.archive.ledger import NAME as LEDGER
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.partition import Key, blocks, errors_of, split
from copilot_analytics.archive.protecting import StorageWarning
from copilot_analytics.archive.storing import is_sound
from copilot_analytics.errors import ContentError, DamageError

# A flipped bit in a page is otherwise read as a wrong number.
FORMAT = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


def read_table(
    root: Path, name: str, files: Sequence, columns: Sequence[str] | None = None
) -> pa.Table:
    """Return the rows of a table from its files, which are rows of the ledger's ``table_files``.

    The order of the files is kept, so that the same archive gives the same frame. Only the columns
    asked for are read. What is not sound is read from the raw files, with a `StorageWarning`.

    Raises
    ------
    DamageError
        The raw files are not sound either: with scope, report and day.
    """
    schema = tidy.table_schema(name)
    names = list(schema.names if columns is None else columns)
    if not files:
        return schema.empty_table().select(names)
    try:
        paths = [str(root / file["path"]) for file in files]
        table = ds.dataset(paths, schema=schema, format=FORMAT).to_table(columns=names)
        if table.num_rows == sum(file["rows"] for file in files):
            return table
    except (OSError, pa.ArrowInvalid):
        pass  # one of them is not sound: which one, they only say themselves
    found = {file["path"]: read_file(root / file["path"], name, file["rows"]) for file in files}
    found |= _made_anew(root, [file for file in files if found[file["path"]] is None])
    return pa.concat_tables(found[file["path"]].select(names) for file in files)


def sound_files(root: Path, name: str, files: Sequence) -> tuple[list[str], pa.Table | None]:
    """Return the paths of files that are what was written, and the rows of the others.

    For engines that do not look at checksums. The others are read from the raw files, with a
    `StorageWarning`; None if there are none.

    Raises
    ------
    DamageError
        The raw files are not sound either: with scope, report and day.
    """
    with ThreadPoolExecutor() as pool:  # reading and digesting leave the interpreter free
        digests = pool.map(lambda file: _digest(root / file["path"]), files)
        sound = [digest == file["digest"] for file, digest in zip(files, digests, strict=True)]
    paths = [str((root / file["path"]).absolute()) for file in compress(files, sound)]
    others = [file for file, is_sound in zip(files, sound, strict=True) if not is_sound]
    made = _made_anew(root, others)
    return paths, pa.concat_tables(made.values()) if made else None


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "none"


def _made_anew(root: Path, files: Sequence) -> dict[str, pa.Table]:
    """Return what should be in files, by their paths, from the raw files."""
    if not files:
        return {}
    warnings.warn(
        f"{len(files)} files of table {files[0]['table_name']} are damaged or missing and were "
        f"made anew from the raw files for this time, first {files[0]['path']}; "
        "mend them: copilot-analytics rebuild",
        StorageWarning,
        stacklevel=2,
    )
    rows = {}
    with closing(Ledger(root / LEDGER)) as ledger:
        for version in sorted({file["version"] for file in files}):
            own = {
                (file["table_name"], file["scope"], file["day"]): file["path"]
                for file in files
                if file["version"] == version
            }
            found = from_raw(root, ledger, version, set(own))
            rows |= {path: found[key] for key, path in own.items()}
    return rows


def read_file(path: Path, name: str, rows: int) -> pa.Table | None:
    """Return the rows of one Parquet file, None if it is not what was written."""
    try:
        table = ds.dataset(str(path), schema=tidy.table_schema(name), format=FORMAT).to_table()
    except (OSError, pa.ArrowInvalid):
        return None
    return table if table.num_rows == rows else None


def from_raw(root: Path, ledger: Ledger, version: int, wanted: set[Key]) -> dict[Key, pa.Table]:
    """Return some tables of a version, by table, scope and day, made from its raw files."""
    parts: dict[Key, list[pa.Table]] = {key: [] for key in wanted}
    for tables in raw_tables(root, ledger, version):
        for name in {name for name, _, _ in wanted} & set(tables):
            for scope, day, rows in split(tables[name]):
                if (name, scope, day) in parts:
                    parts[name, scope, day].append(rows)
    empty = {key: tidy.table_schema(key[0]).empty_table() for key in wanted}
    return {key: pa.concat_tables([empty[key], *parts[key]]) for key in wanted}


def raw_tables(root: Path, ledger: Ledger, version: int) -> Iterator[dict[str, pa.Table]]:
    """Yield the tables of a version piece by piece, made from its raw files.

    Raises
    ------
    DamageError
        A raw file is missing, or is not what was stored.
    """
    slot = ledger.rows("SELECT * FROM versions WHERE version = ?", [version])
    if not slot:
        raise DamageError(
            "a version that was opened is no longer in the archive",
            advice="open the tables again: archive.tables()",
        )
    raw = ledger.raw_files(version)
    name = slot[0]["name"]
    unsound = unsound_raw(root, raw)
    if unsound:
        raise DamageError(
            f"{slot[0]['report']} of {name} for {slot[0]['day']} is damaged: {unsound[0]} "
            "is not what was stored",
            kept="everything as it is",
            advice="mend what can be mended: copilot-analytics verify --repair, then sync",
        )
    paths = [root / one["path"] for one in raw]
    try:
        for _, tables in blocks(paths, name, errors_of(json.loads(slot[0]["facts"]))):
            yield tables
    except ContentError as problem:
        raise DamageError(
            f"{slot[0]['report']} of {name} for {slot[0]['day']} cannot be read as it was",
            said=str(problem.problem)[:200],
            kept="the raw files",
            advice="report it: an older version of copilot-analytics did read them",
        ) from problem


def unsound_raw(root: Path, raw: Iterable) -> list[str]:
    """Return the paths of raw files that are missing, or not what was stored."""
    return [one["path"] for one in raw if not is_sound(root / one["path"], one["digest"])]
