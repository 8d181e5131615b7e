"""Whether the disk has room for what is about to be stored."""

from __future__ import annotations

import shutil
from pathlib import Path

from copilot_analytics.errors import StorageError
from copilot_analytics.files import storage_errors

# So much stays free: the journal of the ledger and the tables of a report that is being read have
# to fit, and a disk that is full harms all other programs too.
FLOOR = 100 * 10**6
# What a report takes in the archive, raw and as tables, in times of its size as received. The
# benchmarks found an eighth to a tenth; small reports take more.
ON_DISK = 0.2


def check(root: Path, needed: float = 0) -> None:
    """Refuse to begin something that the disk clearly has no room for.

    Parameters
    ----------
    root
        The folder of the archive.
    needed
        Bytes that are expected to be written; `FLOOR` has to stay free beside them.

    Raises
    ------
    StorageError
        With how much room there is and how much is needed.
    """
    with storage_errors("the free space of the archive's disk"):
        free = shutil.disk_usage(root).free
    if free < FLOOR + needed:
        raise StorageError(
            f"the disk of {root} has {size_text(free)} left, "
            f"and about {size_text(FLOOR + needed)} are needed",
            kept="everything that was stored before",
            advice="make room, or move the archive to a larger disk; "
            "then run the same command again, which goes on where this one stopped",
        )


def size_text(size: float) -> str:
    """Return a number of bytes for people.

    >>> size_text(2_500_000)
    '2.5 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
