"""What must not come back: people who were erased, and days before a purge."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from copilot_analytics.archive import rewriting
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.surviving import tombstones
from copilot_analytics.errors import NoReportError, UsageError
from copilot_analytics.files import storage_errors
from copilot_analytics.tidy.sources import sources

COPY_BYTES = 2**20
_ID = re.compile(rb'"user_id"\s*:\s*"?(\d+)')
_NOTHING = (b"", b"[]")


@dataclass(frozen=True)
class Rules:
    """Which records of a report are left out before it is stored."""

    key: bytes = b""
    erased: frozenset[str] = frozenset()
    before: str | None = None
    is_thorough: bool = False  # look at every record, also where the id is written in an odd form

    def keep(self, record: dict) -> bool:
        """Tell whether a record may be stored."""
        day = record.get("day")
        if self.before and isinstance(day, str) and day < self.before:
            return False
        return not self.erased or digest_of(self.key, record.get("user_id")) not in self.erased

    def is_suspect(self, line: bytes) -> bool:
        """Tell whether a line may hold a record that is not to be stored."""
        if self.before or self.is_thorough:
            return True
        return any(digest_of(self.key, one) in self.erased for one in _ID.findall(line))

    def missed(self, people, first_day: str | None, before: str | None) -> Rules | None:
        """Return stricter rules if these people or days got through, None if none did."""
        has_old = bool(before and first_day and first_day < before)
        found = self.erased and any(
            digest_of(self.key, one) in self.erased for one in ([] if people is None else people)
        )
        if found and not self.is_thorough or has_old and not self.before:
            return replace(self, is_thorough=bool(found), before=before if has_old else None)
        return None


def rules(ledger: Ledger) -> Rules:
    """Return the rules for what is stored from here on."""
    said = tombstones(ledger)
    erased = frozenset(said["erased"])
    return Rules(key=bytes.fromhex(said["key"]), erased=erased) if erased else Rules()


def refuse_unreadable(rule: Rules) -> None:
    """Refuse to keep records that cannot be read: one of them may be of somebody who was erased."""
    if rule.erased:
        raise UsageError(
            "people were erased from this archive, and records that are not valid cannot be "
            "searched for them",
            kept="the archive as it was",
            advice="remove these records from the file, then import it without errors='quarantine' "
            "(--errors quarantine)",
        )


def digest_of(key: bytes, user_id: object) -> str:
    """Return what is kept of a person who was erased: a digest that needs the archive's key."""
    with suppress(TypeError, ValueError):
        user_id = int(float(user_id)) if isinstance(user_id, float) else int(user_id)
    return hmac.new(key, str(user_id).encode(), hashlib.sha256).hexdigest()


def content(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a report, decompressed if need be."""
    with sources(path)[0].open(int) as stream:
        while chunk := stream.read(COPY_BYTES):
            yield chunk


def rewritten(path: Path, rule: Rules) -> Iterator[bytes]:
    """Yield the bytes of a report without what is not to be stored."""
    return rewriting.without(rewriting.lines_of(content(path)), rule.keep, rule.is_suspect)


@contextmanager
def allowed(root: Path, files: Sequence[Path], rule: Rules) -> Iterator[list[Path]]:
    """Give the files of a report without what is not to be stored; copies where that is something.

    Raises
    ------
    NoReportError
        Nothing is left of the report.
    """
    if rule == Rules():
        yield list(files)
        return
    with copies(root, files, rule) as kept:
        if not kept:
            raise NoReportError(
                "nothing of the report may be stored: its people were erased, or its days purged, "
                "from this archive",
                state="empty",
                kept="the archive as it was",
                advice="see which days were purged: copilot-analytics status",
            )
        yield kept


@contextmanager
def copies(root: Path, files: Sequence[Path], rule: Rules) -> Iterator[list[Path]]:
    """Give copies of files without what is not to be stored, of those with something left."""
    made: list[Path] = []
    try:
        for path in files:
            with storage_errors("a copy of the report"):
                descriptor, name = tempfile.mkstemp(prefix=".allowed.", suffix=".tmp", dir=root)
                made.append(Path(name))
                with os.fdopen(descriptor, "wb") as file:
                    file.writelines(rewritten(path, rule))
        yield [path for path in made if not is_nothing(content(path))]
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def is_nothing(chunks: Iterator[bytes]) -> bool:
    """Tell whether bytes hold no record at all."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start.strip()) > len(max(_NOTHING, key=len)):
            return False
    return start.strip(b"\xef\xbb\xbf \t\r\n") in _NOTHING
