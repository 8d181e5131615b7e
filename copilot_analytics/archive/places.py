"""Where things stand in the archive, and that nothing is written elsewhere."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from copilot_analytics.catalogue import Scope, all_endpoints
from copilot_analytics.errors import ContentError, StorageError, UsageError

IMPORTED = "import"
RAW, TABLES, QUARANTINE = "raw", "tables", "quarantine"
INCOMING = "incoming"  # what `sync` is downloading
FOLDERS = (RAW, TABLES, QUARANTINE, INCOMING)
LOCK = "lock"
STATE = "state.json"  # of a slot without a report
TOMBSTONES = "tombstones.json"
# What only we write: such files are garbage if the ledger does not name them.
_OURS = re.compile(
    rf"{RAW}/[^/]+/[^/]+/[^/]+/([0-9a-f]{{64}}\.(zst|json)|{re.escape(STATE)})"
    rf"|{TABLES}/[^/]+/[^/]+/\d{{4}}-\d\d-\d\d-[0-9a-f]{{16}}(-[0-9a-z_-]+)?\.parquet"
)
_TEMPORARY = re.compile(r"(.*/)?\.[^/]+\.tmp(-journal)?")


def scope_folder(scope: str) -> str:
    """Return the folder of a scope; ids come from records, so they are checked like names."""
    if scope == "unknown":
        return scope
    try:
        return Scope.parse(scope).folder
    except UsageError as problem:
        raise ContentError(
            f"{scope[:80]!r} is not the scope of a report",
            kept="the archive as it was",
            advice="check where the file comes from",
        ) from problem


def raw_folder(slot: tuple[str, str, str]) -> str:
    """Return the folder of a slot's raw files."""
    name, report, day = slot
    if report != IMPORTED and report not in {one.report for one in all_endpoints()}:
        raise UsageError(f"report {report[:80]!r} does not exist", advice="see the catalogue")
    return f"{RAW}/{scope_folder(name)}/{report}/{date.fromisoformat(day)}"


def manifest(slot: tuple[str, str, str], digest: str) -> str:
    """Return the path of the file that says what a version is."""
    return f"{raw_folder(slot)}/{digest}.json"


def state_file(slot: tuple[str, str, str]) -> str:
    """Return the path of the file that says why a slot has no report."""
    return f"{raw_folder(slot)}/{STATE}"


def table_file(table: str, scope: str, day: str, digest: str) -> str:
    """Return the path of a version's rows of one table, scope and day."""
    return f"{TABLES}/{table}/{scope_folder(scope)}/{day}-{digest[:16]}.parquet"


def inside(root: Path, path: str) -> Path:
    """Return a path in the archive that may be written to.

    Raises
    ------
    StorageError
        If there is a link on the way: it would lead what we write to somewhere else.
    """
    current = root
    for part in Path(path).parts:
        current = current / part
        if current.is_symlink():
            raise StorageError(
                f"{current.relative_to(root)} in the archive is a link",
                kept="everything as it is; the link was not followed",
                advice="remove the link, or put the archive itself where it leads",
            )
    return current


def is_temporary(path: str) -> bool:
    """Tell whether a file is one that somebody was just writing."""
    return bool(_TEMPORARY.fullmatch(path))


def is_ours(path: str) -> bool:
    """Tell whether a file has a name that only the archive gives."""
    return bool(_OURS.fullmatch(path))


def files_in(root: Path) -> list[str]:
    """Return all files below the archive's own folders, and temporary ones beside them."""
    found = [
        path.relative_to(root).as_posix()
        for folder in (RAW, TABLES)
        for path in sorted((root / folder).rglob("*"))
        if not (root / folder).is_symlink() and (path.is_symlink() or not path.is_dir())
    ]
    beside = [path.name for path in sorted(root.glob(".*.tmp*")) if path.is_file()]
    return found + beside
