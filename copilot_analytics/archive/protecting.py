"""Who else may see the archive: permissions, repositories, folders of web servers."""

from __future__ import annotations

import os
import stat
import warnings
from fnmatch import fnmatch
from pathlib import Path

from copilot_analytics.archive import places
from copilot_analytics.archive.ledger import NAME as LEDGER
from copilot_analytics.files import make_folder, storage_errors, write_durably

FOLDER_MODE, FILE_MODE = 0o700, 0o600
IGNORE = ".gitignore"
_FILES = (LEDGER, places.LOCK, places.TOMBSTONES)
_WEB_FOLDERS = {"public_html", "www", "htdocs", "wwwroot", "webroot"}


class StorageWarning(UserWarning):
    """Something about the archive's files that somebody should look at; nothing failed."""


def make_root(root: Path) -> None:
    """Make the archive's folder if need be, and warn if it is not where it should be."""
    is_new = not root.exists()
    with storage_errors("the folder of the archive"):
        make_folder(root)
    if is_new:
        keep_out_of_repositories(root)
    warn_if_open(root)


def too_open(root: Path) -> list[str]:
    """Return the files and folders of the archive that others than their owner may use."""
    if os.name == "nt":
        return []
    mine = [root, *(root / name for name in (*_FILES, *places.FOLDERS))]
    inside = [path for name in places.FOLDERS for path in (root / name).rglob("*")]
    return [
        path.relative_to(root).as_posix()
        for path in [*mine, *sorted(inside)]
        if path.exists() and not path.is_symlink() and _mode(path) & 0o077
    ]


def fix_permissions(root: Path) -> list[str]:
    """Take everybody else's rights away; return the files and folders that had some."""
    found = too_open(root)
    for name in found:
        path = root / name
        with storage_errors(f"the permissions of {name}"):
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
    return found


def warn_if_open(root: Path) -> None:
    """Warn if others may enter the archive's folder, and if it lies where others will look."""
    if os.name != "nt" and _mode(root) & 0o077:
        warnings.warn(
            f"the archive in {root} may be read by other users of this computer; "
            "mend it: copilot-analytics status --fix-permissions",
            StorageWarning,
            stacklevel=2,
        )
    web = _WEB_FOLDERS & {part.lower() for part in root.absolute().parts}
    if web:
        warnings.warn(
            f"the archive in {root} lies in {web.pop()}, which a web server may hand out; "
            "it holds personal data: put it elsewhere",
            StorageWarning,
            stacklevel=2,
        )


def keep_out_of_repositories(root: Path) -> None:
    """Make a repository around the archive ignore it, and warn if that was needed."""
    root = root.absolute()
    around = next((path for path in root.parents if (path / ".git").exists()), None)
    if around is None or (root / IGNORE).exists():
        return
    if any(_is_ignored(root, folder) for folder in root.parents if folder.is_relative_to(around)):
        return
    with storage_errors(f"{IGNORE} of the archive"):
        write_durably(root / IGNORE, _write_ignore_all)
    warnings.warn(
        f"the archive in {root} lies in the repository {around}; a {IGNORE} keeps it out of "
        "commits, but it holds personal data: better put it elsewhere",
        StorageWarning,
        stacklevel=2,
    )


def _write_ignore_all(path: Path) -> None:
    path.write_text("*\n", encoding="utf-8")


def _is_ignored(root: Path, folder: Path) -> bool:
    """Tell whether a folder's ignore file names the archive or a folder around it."""
    try:
        lines = (folder / IGNORE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    names = root.relative_to(folder).parts
    patterns = [line.strip().strip("/") for line in lines if not line.startswith(("#", "!"))]
    return any(fnmatch(name, pattern) for pattern in patterns for name in names if pattern)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
