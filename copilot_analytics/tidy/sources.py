"""Where records come from: paths, folders, patterns, open files, bytes; compressed or not."""

from __future__ import annotations

import glob
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from copilot_analytics.errors import ContentError, UsageError

SUFFIXES = (".json", ".jsonl", ".ndjson")
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLOCK_BYTES = 8 * 2**20
FIRST_BYTES = 2**18
MAX_LINE_BYTES = 256 * 2**20
LEDGER = "ledger.sqlite"  # what makes a folder an archive


@dataclass(frozen=True)
class Source:
    """One file of records: a name for messages, and what to open."""

    name: str
    content: Path | bytes | io.IOBase

    @property
    def size(self) -> int:
        """Number of bytes to read, 0 where that is not known."""
        if isinstance(self.content, Path):
            with suppress(OSError):  # said where the file is opened
                return self.content.stat().st_size
        return len(self.content) if isinstance(self.content, bytes) else 0

    @contextmanager
    def open(self, on_read: Callable[[int], object]) -> Iterator[io.BufferedIOBase]:
        """Open for reading, decompressed by content, not by name.

        ``on_read`` is told how many bytes were read each time, before decompression.
        """
        with _readable(self.name):
            if isinstance(self.content, Path):
                with self.content.open("rb", buffering=0) as raw:
                    yield self._decompressed(raw, on_read)
            elif isinstance(self.content, bytes):
                yield self._decompressed(io.BytesIO(self.content), on_read)
            else:
                yield self._decompressed(self.content, on_read)

    def _decompressed(self, raw, on_read) -> io.BufferedIOBase:
        if isinstance(raw.read(0), str):
            raise UsageError(
                f"{self.name} is open as text", advice="open it in binary mode: open(path, 'rb')"
            )
        start = bytes(_filled(raw, 4))
        raw = _Joined(start, raw, on_read)
        for magic, compression in COMPRESSIONS.items():
            if start.startswith(magic):
                return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), compression)
        return raw


class _Joined(io.RawIOBase):
    """A stream with the bytes that were already read from it put back in front."""

    def __init__(self, start: bytes, rest, on_read: Callable[[int], object]):
        self._start, self._rest, self._on_read = start, rest, on_read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self._start:
            count = min(len(buffer), len(self._start))
            buffer[:count], self._start = self._start[:count], self._start[count:]
            self._on_read(count)
            return count
        count = _read_into(self._rest, buffer)
        self._on_read(count)
        return count


def _read_into(stream, buffer: memoryview) -> int:
    """Read once into a buffer, also from a stream that can only return bytes."""
    if hasattr(stream, "readinto"):
        with suppress(NotImplementedError):  # a raw stream of somebody's that only has read()
            return stream.readinto(buffer) or 0
    read = stream.read(len(buffer)) or b""
    buffer[: len(read)] = read
    return len(read)


def _filled(stream, size: int, start: bytes = b"") -> bytearray:
    """Return ``start`` and the next bytes of a stream; fewer than ``size`` only at its end."""
    buffer = bytearray(len(start) + size)
    buffer[: len(start)] = start
    place = len(start)
    with memoryview(buffer) as view:
        while place < len(view) and (count := _read_into(stream, view[place:])):
            place += count
    del buffer[place:]
    return buffer


def printable(path: Path | str) -> str:
    """Return a path as text, also where its name is not text in the language of the system."""
    return str(path).encode("utf-8", "backslashreplace").decode()


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
        ordered = sorted(source, key=str) if isinstance(source, (set, frozenset)) else source
        found = [part for item in ordered for part in sources(item)]
        if not found:
            raise UsageError("the list of files is empty", advice="give at least one file")
        return found
    if not isinstance(source, (str, Path)):
        raise UsageError(
            f"cannot read records from {type(source).__name__}",
            advice="give a path, a folder, a pattern, a list, an open binary file or bytes",
        )
    if re.match(r"\s*(\{|\[\s*[{\[])", str(source)):
        raise UsageError(
            "text is taken for a path, and this one looks like JSON",
            advice="give the JSON as bytes: load(text.encode())",
        )
    if not str(source).strip():  # such as that of a variable that is not set
        raise UsageError("the path is empty", advice="give a path; '.' is the current folder")
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return _folder(path)
        if path.exists():
            return [Source(printable(source), path)]
        if path.is_symlink():
            raise UsageError(
                f"{printable(source)} is a link to a file that is not there",
                advice="mend or remove the link",
            )
    except (OSError, ValueError) as problem:
        raise UsageError(f"{str(source)[:80]} is no path", said=str(problem)[:80]) from None
    if any(sign in str(source) for sign in "*?["):
        matches = sorted(glob.glob(str(path), recursive=True))
        if matches:
            return [part for match in matches for part in sources(match)]
        raise UsageError(
            f"no file matches {printable(source)}", advice="check the folder and the pattern"
        )
    raise UsageError(f"{printable(source)} does not exist", advice="check the path")


def _folder(folder: Path) -> list[Source]:
    archive = next((path.parent for path in folder.rglob(LEDGER)), None)
    if archive is not None:
        raise UsageError(
            f"{archive} is an archive, not a folder of reports",
            advice=f"open it: copilot_analytics.Archive({str(archive)!r}).tables()",
        )

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
    return [Source(printable(path), path) for path in found]


def blocks(
    source: Source, size: int = BLOCK_BYTES, on_read: Callable[[int], object] = int
) -> Iterator[bytearray]:
    """Yield the decompressed content in blocks that end at line ends.

    Only byte 0x0A ends a line; a line longer than a block makes the block longer.
    """
    with source.open(on_read) as stream:
        rest, is_first = bytearray(), True
        wanted = min(size, source.size + 1 if source.size else FIRST_BYTES)
        while len(block := _filled(stream, wanted, rest)) > len(rest):
            wanted = min(size, 2 * wanted)
            if is_first and block.startswith(BYTE_ORDER_MARK):
                del block[: len(BYTE_ORDER_MARK)]
            is_first = False
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if end:
                del block[end:]
                yield block
            elif len(rest) > MAX_LINE_BYTES:
                raise ContentError(
                    f"holds a line of more than {MAX_LINE_BYTES >> 20} MB",
                    file=source.name,
                    kept="nothing of this file",
                    advice="a report has one record per line; get the file again",
                )
        if rest:
            yield rest


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, pa.ArrowException, EOFError) as problem:
        raise ContentError(
            "cannot be read to its end",
            file=name,
            said=str(problem)[:200],
            kept="nothing of this file",
            advice="check that the file may be read; if it is damaged or cut, get it again",
        ) from problem
