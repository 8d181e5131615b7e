"""Durable files: written beside their place, flushed, renamed; owner-only."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from copilot_analytics.errors import StorageError

COPY_BYTES = 2**20


def make_folder(path: Path) -> None:
    """Make a folder and its parents, readable by their owner only."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def storage_errors(
    what: str, kept: str = "everything that was in the archive before"
) -> Iterator[None]:
    """Turn errors of the disk into one that says what to do; they do not heal by trying again."""
    try:
        yield
    except OSError as problem:
        raise StorageError(
            f"{what} could not be written",
            said=os.strerror(problem.errno) if problem.errno else str(problem),
            kept=kept,
            advice="check free space and permissions, then run the same command again",
        ) from problem


def write_durably(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then put it in place in one step."""
    make_folder(path.parent)
    beside = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        write(beside)
        with beside.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(FileNotFoundError):
            beside.unlink()
        raise
    flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    """Make a rename durable; file systems that cannot flush a folder say so and are let pass."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def digest_of(path: Path) -> tuple[str, int]:
    """Return SHA-256 and size of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(COPY_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def store_raw(source: Path, target: Path) -> None:
    """Keep a received file as it is, compressed; a file that is there already is left alone."""
    if target.exists():
        return

    def write(path: Path) -> None:
        with source.open("rb") as received, pa.CompressedOutputStream(str(path), "zstd") as packed:
            while chunk := received.read(COPY_BYTES):
                packed.write(chunk)

    with storage_errors(f"raw file {target.name}"):
        write_durably(target, write)


def store_table(table: pa.Table, target: Path) -> None:
    """Write a table as Parquet with checksums on its pages."""

    def write(path: Path) -> None:
        pq.write_table(table, path, compression="zstd", write_page_checksum=True)

    with storage_errors(f"table file {target.name}"):
        write_durably(target, write)


def scopes_and_days(table: pa.Table) -> list[tuple[str, str]]:
    """Return the scopes and days that occur in a table."""
    keys = table.select(["scope", "day"]).group_by(["scope", "day"]).aggregate([])
    rows = zip(keys["scope"].to_pylist(), keys["day"].to_pylist(), strict=True)
    return sorted((scope, f"{day:%Y-%m-%d}") for scope, day in rows)


def split(table: pa.Table) -> Iterator[tuple[str, str, pa.Table]]:
    """Yield the parts of a table with one scope and one day each."""
    keys = scopes_and_days(table)
    if len(keys) == 1:
        yield (*keys[0], table)
        return
    for scope, day in keys:
        is_day = pc.equal(table["day"], pa.scalar(day).cast(pa.timestamp("us")))
        yield scope, day, table.filter(pc.and_(pc.equal(table["scope"], scope), is_day))
