"""One writer at a time, by a lock that the system releases when its holder ends."""

from __future__ import annotations

import os
import platform
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from copilot_analytics.errors import LockedError, StorageError
from copilot_analytics.files import storage_errors

WAIT_SECONDS = 0.2
_HOLDER = re.compile(r"process \d+ on (?P<host>\S+) since \S+")


@contextmanager
def lock(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock that the system releases when the process ends, however it ends.

    Parameters
    ----------
    path
        The lock file; it stays, and says who holds it.
    wait
        Wait for the holder to end instead of raising.

    Raises
    ------
    LockedError
        Somebody else holds it: with process, host and time. A lock that was taken on another host
        is not broken, because not every network drive passes locks on.
    StorageError
        The lock file is not a plain file of its own: a link, or something to be talked to.
    """
    with storage_errors("the lock of the archive"):
        descriptor = _open(path)
    try:
        while not _is_taken(descriptor):
            if not wait:
                raise _in_use(path, _holder(descriptor))
            time.sleep(WAIT_SECONDS)
        _refuse_foreign(descriptor, path)
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"process {os.getpid()} on {_host()} since {since}".encode())
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o600)
    about = os.fstat(descriptor)
    if stat.S_ISREG(about.st_mode) and about.st_nlink == 1:
        return descriptor
    os.close(descriptor)
    raise StorageError(
        f"the lock file {path} is not a plain file of its own",
        kept="everything as it is",
        advice="find out who put it there, then remove it",
    )


def _is_taken(descriptor: int) -> bool:
    """Try to take the lock; tell whether it is ours."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _host() -> str:
    return platform.node() or "localhost"


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 200).decode(errors="replace")


def _refuse_foreign(descriptor: int, path: Path) -> None:
    """Raise if a run on another host took the lock and did not say that it ended."""
    holder = _holder(descriptor)
    found = _HOLDER.fullmatch(holder)
    if found and found["host"] != _host():
        raise LockedError(
            f"the archive in {path.parent} may be in use on another computer",
            said=holder,
            kept="everything as it is",
            advice=f"wait for that run to end; if you are sure that it did, remove {path}",
        )


def _in_use(path: Path, holder: str) -> LockedError:
    return LockedError(
        f"the archive in {path.parent} is in use",
        said=holder,
        kept="everything as it is",
        advice="wait until the other run has ended, then run the same command again",
    )
