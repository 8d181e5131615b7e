"""Files that are whole or not there: written beside their place, flushed, renamed; owner-only."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from copilot_analytics.errors import StorageError

# Windows refuses to replace a file while a scanner or an indexer has it open, for a moment.
REPLACE_WAITS = (0.05, 0.1, 0.2, 0.4)


def step(name: str) -> None:
    """Pass a point between two durable steps: tests put something in its place that kills us."""


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
    descriptor, beside = _new_beside(path)
    os.close(descriptor)
    try:
        write(beside)
        _flush_file(beside)
        replace(beside, path)
    except BaseException:
        with suppress(FileNotFoundError):
            beside.unlink()
        raise
    flush_folder(path.parent)


def _new_beside(path: Path) -> tuple[int, Path]:
    """Make a file for its owner only, in the folder where it is to take the place of ``path``."""
    # A name of its own, because process ids repeat in containers and threads share one.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    return descriptor, Path(name)


def replace(source: Path, target: Path) -> None:
    """Rename a file over another one, and try again where that is refused for a moment."""
    for wait in REPLACE_WAITS:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(wait)
    os.replace(source, target)


class NewFiles:
    """Files that are written beside their places and take them when all are whole and flushed.

    Used as a context; what has not been put in place at its end is removed. ``what`` names the
    files in `step`; ``check`` is called now and then, and may raise to give up.
    """

    def __init__(self, what: str, check: Callable[[], object] = lambda: None):
        self.what, self.check = what, check
        self._new: list[tuple[Path, Path, BinaryIO]] = []

    def __enter__(self) -> NewFiles:
        return self

    def open(self, path: Path) -> tuple[BinaryIO, Path]:
        """Return a new file that only its owner may read, to be written, and where it is so far."""
        self.check()
        make_folder(path.parent)
        descriptor, beside = _new_beside(path)
        file = os.fdopen(descriptor, "wb")
        self._new.append((path, beside, file))
        step(f"{self.what} created")
        return file, beside

    def place(self) -> None:
        """Put all files in place; each of them is whole, old or new, at any moment."""
        for _, beside, file in self._new:
            self.check()
            file.close()
            step(f"{self.what} written")
            _flush_file(beside)
            step(f"{self.what} flushed")
        for path, beside, _ in self._new:
            replace(beside, path)
            step(f"{self.what} in place")
        for folder in {path.parent for path, _, _ in self._new}:
            flush_folder(folder)
            step(f"{self.what} folder flushed")
        self._new = []

    def __exit__(self, *error) -> None:
        for _, beside, file in self._new:
            with suppress(OSError):  # what could not be written need not be, any more
                file.close()
            beside.unlink(missing_ok=True)


@contextmanager
def replacing(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give an empty private folder whose files take their places in ``folder`` at the end.

    Of the files called ``names``, those that were written replace the ones in ``folder``, and those
    that were not are removed from it, in the order of the names. If anything fails while they are
    written, ``folder`` stays as it was.
    """
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as beside:
        yield Path(beside)
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        for name in names:
            written = Path(beside) / name
            if written.exists():
                written.chmod(0o600)
                _flush_file(written)
                replace(written, folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
    flush_folder(folder)


def _flush_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


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
