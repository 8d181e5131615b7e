"""One writer at a time, by a lock that the system releases when its holder ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from copilot_analytics.archive.storing import storage_errors
from copilot_analytics.errors import LockedError


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock that the system releases when the process ends, however it ends."""
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    with storage_errors("the lock of the archive"):
        descriptor = os.open(path, flags, 0o600)
    try:
        _take(descriptor, path)
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()}".encode())
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise LockedError(
            f"the archive in {path.parent} is in use",
            said=os.read(descriptor, 100).decode(errors="replace"),
            kept="everything as it is",
            advice="wait until the other run has ended, then run the same command again",
        ) from None
