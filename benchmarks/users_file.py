"""A users file of any size: the sample company's records, multiplied under other people's names."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa

from copilot_analytics.samples import Company, encode

MEGABYTE = 1_000_000
PEOPLE, DAYS, SEED = 1_000, 28, 7
# All arrays that GitHub documents exist by then, and no field yet that nobody has described.
END_DAY = date(2026, 10, 14)
PERSON = re.compile(rb'"user_id":(\d+),"user_login":"([^"]*)"')
APART = 100_000_000  # more than any user id of the sample company


def original_days(people: int = PEOPLE) -> Iterator[bytes]:
    """Yield the users records of the sample company, one block of lines per day."""
    company = Company(people, DAYS, SEED, END_DAY)
    for day in company.days():
        yield b"".join(encode(company.records("users-1-day", company.scopes[0], day)))


def copies(originals: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the days again and again without end, each time of other people.

    No two lines have the same day and person, so that nothing collapses as a duplicate.
    """
    kept = []
    for block in originals:
        kept.append(block)
        yield block
    copy = 0
    while True:
        copy += 1
        for block in kept:
            yield PERSON.sub(lambda found, copy=copy: _renamed(found, copy), block)


def _renamed(found: re.Match, copy: int) -> bytes:
    user_id, login = int(found[1]), found[2]
    return b'"user_id":%d,"user_login":"%s-%d"' % (user_id + copy * APART, login, copy)


def cut_to(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield whole lines until they come to ``size`` bytes."""
    for block in blocks:
        if len(block) >= size:
            yield block[: block.rfind(b"\n", 0, size) + 1]
            return
        size -= len(block)
        yield block


def users_file(megabytes: float, folder: Path) -> Path:
    """Return a users file of about ``megabytes`` (10^6 bytes), made only if it is not there."""
    originals = list(cut_to(original_days(), int(megabytes * MEGABYTE)))
    made_from = hashlib.sha256(b"".join(originals)).hexdigest()[:12]
    path = folder / f"users-{megabytes:g}mb-{made_from}.ndjson"
    return stored(path, cut_to(copies(originals), int(megabytes * MEGABYTE)))


def compressed(path: Path, kind: str) -> Path:
    """Return the file packed with ``gzip`` or ``zstd``."""
    to = path.with_name(f"{path.name}.{'gz' if kind == 'gzip' else 'zst'}")
    if not is_whole(to):
        with pa.output_stream(to, compression=kind) as out, path.open("rb") as file:
            shutil.copyfileobj(file, out, MEGABYTE)
        keep_digest(to)
    return to


def with_unknown_field(path: Path) -> Path:
    """Return the file with a field in every record that nobody has described."""
    to = path.with_name(path.name.replace("users-", "users-unknown-field-"))
    with path.open("rb") as file:
        added = (line.replace(b"}\n", b',"next_field_count":7}\n') for line in file)
        return stored(to, added)


def in_small_files(path: Path, size: int = 250_000) -> Path:
    """Return a folder with the lines of the file in files of about ``size`` bytes."""
    folder = path.with_name(path.name.replace("users-", "small-files-").removesuffix(".ndjson"))
    if not is_whole(folder / "complete"):
        folder.mkdir(exist_ok=True)
        with path.open("rb") as file:
            number = 0
            while lines := file.readlines(size):
                (folder / f"users-{number:05}.ndjson").write_bytes(b"".join(lines))
                number += 1
        (folder / "complete").touch()
        keep_digest(folder / "complete")
    return folder


def stored(path: Path, blocks: Iterable[bytes]) -> Path:
    """Return ``path`` with the blocks in it; kept from an earlier run if its digest fits."""
    if not is_whole(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            out.writelines(blocks)
        keep_digest(path)
    return path


def is_whole(path: Path) -> bool:
    """Tell whether a file is there, and as it was when it was made."""
    kept = _digest_path(path)
    return path.exists() and kept.exists() and kept.read_text() == digest(path)


def keep_digest(path: Path) -> None:
    """Note the digest of a file that has just been made."""
    _digest_path(path).write_text(digest(path))


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")
