"""Where exported files go: a local folder, or object storage through fsspec."""

from __future__ import annotations

import ftplib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path, PurePosixPath

from copilot_analytics.errors import StorageError, UsageError
from copilot_analytics.files import write_durably

_LOCAL = "file://"


class LocalFolder:
    """A folder of this machine; files appear whole, durably, and for their owner only."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def sizes(self, folders: Iterable[str]) -> dict[str, int]:
        """Return the size of every file in some folders, by its path."""
        found = (path for name in folders for path in (self.folder / name).rglob("*"))
        return {
            path.relative_to(self.folder).as_posix(): path.stat().st_size
            for path in found
            if path.is_file()
        }

    def read(self, path: str) -> bytes:
        """Return what is in a file."""
        return (self.folder / path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Write a file as a whole."""
        write_durably(self.folder / path, lambda beside: beside.write_bytes(content))

    def remove(self, path: str) -> None:
        """Remove a file, and its folder if that is empty then."""
        (self.folder / path).unlink(missing_ok=True)
        with suppress(OSError):
            (self.folder / path).parent.rmdir()


class ObjectStore:
    """A place that fsspec knows, such as ``s3://bucket/copilot``; an object appears as a whole."""

    def __init__(self, url: str, options: dict | None):
        try:
            fsspec = import_module("fsspec")
            with transfer_errors(url):  # some connect at once
                self._system, root = fsspec.core.url_to_fs(url, **options or {})
        except ImportError as problem:
            raise UsageError(
                "exporting to an address needs a library that is not installed",
                said=str(problem),
                advice='pip install "copilot-analytics[remote]", and for s3: s3fs, for abfs: adlfs,'
                " for gs: gcsfs",
            ) from problem
        except ValueError as problem:
            raise UsageError("this is not an address to export to", said=str(problem)) from problem
        self._root = root.rstrip("/")
        # Set where the address is another name for a folder of this machine.
        self.folder = Path(root) if "file" in self._system.protocol else None
        self._url = url

    def __str__(self) -> str:
        return self._url

    def sizes(self, folders: Iterable[str]) -> dict[str, int]:
        """Return the size of every object in some folders, by its path below the address."""
        self._system.invalidate_cache()  # a listing from before hides what others did since
        start = len(self._root.lstrip("/")) + 1
        found = {}
        for name in folders:
            objects = self._system.find(f"{self._root}/{name}", detail=True)
            found |= {path.lstrip("/")[start:]: one["size"] for path, one in objects.items()}
        return found

    def read(self, path: str) -> bytes:
        """Return what is in an object."""
        return self._system.cat_file(f"{self._root}/{path}")

    def write(self, path: str, content: bytes) -> None:
        """Write an object as a whole."""
        target = f"{self._root}/{path}"
        self._system.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
        self._system.pipe_file(target, content)

    def remove(self, path: str) -> None:
        """Remove an object."""
        self._system.rm_file(f"{self._root}/{path}")


def target_of(to: str | os.PathLike, options: dict | None = None) -> LocalFolder | ObjectStore:
    """Return where a path or an address leads.

    Raises
    ------
    UsageError
        It is no address, or the library for it is not installed.
    """
    text = os.fspath(to)
    if not text or "::" in text:
        raise UsageError(f"{text!r} is not one address", advice="give a folder or a URL")
    if "://" in text and not text.startswith(_LOCAL):
        return ObjectStore(text, options)
    return LocalFolder(Path(text.removeprefix(_LOCAL)).expanduser().absolute())


@contextmanager
def transfer_errors(target) -> Iterator[None]:
    """Turn what storage says into an error that tells what is still there."""
    try:
        yield
    except (*ftplib.all_errors, NotImplementedError) as problem:
        raise StorageError(
            f"the export to {target} failed",
            said=str(problem)[:300] or "nothing can be written there",
            kept="the manifest and the files of the export before",
            advice="check the address, the permissions and the space there; then export again",
        ) from problem
