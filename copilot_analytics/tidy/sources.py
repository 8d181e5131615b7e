"""Where records come from: paths, folders, patterns, open files, bytes; compressed or not."""

from __future__ import annotations

import glob
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from copilot_analytics.errors import ContentError, UsageError

SUFFIXES = (".json", ".jsonl", ".ndjson")
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLOCK_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Source:
    """One file of records: a name for messages, and what to open."""

    name: str
    content: Path | bytes | io.IOBase

    @contextmanager
    def open(self) -> Iterator[io.BufferedIOBase]:
        """Open for reading, decompressed by content, not by name."""
        if isinstance(self.content, Path):
            with self.content.open("rb") as raw:
                yield self._decompressed(raw)
        elif isinstance(self.content, bytes):
            yield self._decompressed(io.BytesIO(self.content))
        else:
            yield self._decompressed(self.content)

    def _decompressed(self, raw) -> io.BufferedIOBase:
        start = raw.read(4)
        if not isinstance(start, bytes):
            raise UsageError(
                f"{self.name} is open as text", advice="open it in binary mode: open(path, 'rb')"
            )
        raw = _Joined(start, raw)
        for magic, compression in COMPRESSIONS.items():
            if start.startswith(magic):
                return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), compression)
        return raw


class _Joined(io.RawIOBase):
    """A stream with the bytes that were already read from it put back in front."""

    def __init__(self, start: bytes, rest):
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._start:
            return self._rest.read(size)
        start = self._start
        if size is None or size < 0:
            self._start = b""
            return start + self._rest.read()
        self._start = start[size:]
        return start[:size]


def _read_fully(stream, size: int) -> bytes:
    """Read ``size`` bytes, or fewer only at the end; a single read may stop early."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def sources(source) -> list[Source]:
    """Return the files behind anything that `load` takes.

    A folder gives its report files in the order of their names, sub-folders included, without
    hidden ones and without ``quarantine``.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return [Source("<bytes>", bytes(source))]
    if hasattr(source, "read"):
        return [Source(str(getattr(source, "name", "<open file>")), source)]
    if isinstance(source, (list, tuple, set, frozenset)):
        found = [part for item in source for part in sources(item)]
        if not found:
            raise UsageError("the list of files is empty", advice="give at least one file")
        return found
    if not isinstance(source, (str, Path)):
        raise UsageError(
            f"cannot read records from {type(source).__name__}",
            advice="give a path, a folder, a pattern, a list, an open binary file or bytes",
        )
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return [Source(str(source), path)]
    if any(sign in str(source) for sign in "*?["):
        matches = sorted(glob.glob(str(path), recursive=True))
        if matches:
            return [part for match in matches for part in sources(match)]
        raise UsageError(f"no file matches {source}", advice="check the folder and the pattern")
    raise UsageError(f"{source} does not exist", advice="check the path")


def _folder(folder: Path) -> list[Source]:
    def is_report(path: Path) -> bool:
        inside = path.relative_to(folder).parts
        name = path.name.lower()
        for packed in (".gz", ".zst"):
            name = name.removesuffix(packed)
        hidden = any(part.startswith(".") or part == "quarantine" for part in inside)
        return name.endswith(SUFFIXES) and not hidden and path.is_file()

    found = sorted(path for path in folder.rglob("*") if is_report(path))
    if not found:
        raise UsageError(
            f"{folder} holds no report files",
            advice=f"report files end in {', '.join(SUFFIXES)}, or these with .gz or .zst",
        )
    return [Source(str(path), path) for path in found]


def blocks(source: Source, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the decompressed content in blocks that end at line ends.

    Only byte 0x0A ends a line; a line longer than a block makes the block longer.
    """
    with source.open() as stream, _readable(source):
        rest = b""
        is_first = True
        while chunk := _read_fully(stream, size):
            if is_first:
                chunk, is_first = chunk.removeprefix(BYTE_ORDER_MARK), False
            end = chunk.rfind(b"\n") + 1
            if end:
                yield rest + chunk[:end]
                rest = chunk[end:]
            else:
                rest += chunk
        if rest:
            yield rest


@contextmanager
def _readable(source: Source) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException, EOFError) as problem:
        raise ContentError(
            "cannot be read to its end",
            file=source.name,
            said=str(problem)[:200],
            kept="nothing of this file",
            advice="the file is damaged or cut; get it again",
        ) from problem
