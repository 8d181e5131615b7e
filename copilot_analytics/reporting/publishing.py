"""Reports on disk: put in place as a whole or not at all, owner-only, with their history."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from copilot_analytics.archive.locking import lock
from copilot_analytics.errors import CopilotAnalyticsError, LockedError, StorageError
from copilot_analytics.files import (
    flush_folder,
    make_folder,
    storage_errors,
    write_durably,
)

SUMMARY = "report.json"
STATUS = "status.json"
_DAY = re.compile(r"^\d{4}-\d\d-\d\d")
_BEING_MADE, _REPLACED = ".being-made-", ".replaced-"
ATTEMPTS, WAIT_SECONDS = 300, 0.1


def to_json(value: object) -> str:
    """Return a value as JSON for files: sorted, readable, the same for the same value."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _storage_errors(what: Path):
    return storage_errors(
        f"the report {what.parent.name}/{what.name}", kept="the last good report is unchanged"
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other run publishes into a folder; that takes a fraction of a second."""
    make_folder(folder)
    with ExitStack() as stack:
        for _ in range(ATTEMPTS):
            try:
                stack.enter_context(lock(folder / ".lock"))
                break
            except LockedError:
                time.sleep(WAIT_SECONDS)
        else:
            raise LockedError(
                f"another run is publishing into {folder.name}",
                kept="the last good report is unchanged",
                advice="wait until it has ended, then run the report again",
            )
        yield


def publish(files: Mapping[str, str | bytes], target: Path) -> None:
    """Put a report in place: readers find the old one or the new one, never a mix.

    The files are written beside the target, flushed, and then the folder is renamed. A folder that
    is there already has to step aside first; should the process die just then, `recover` puts it
    back at the next run.

    Parameters
    ----------
    files
        Name of file, also in a folder such as ``"team-web/index.html"``, to its content.
    target
        Folder of the report.

    Raises
    ------
    StorageError
        If the disk is full or does not let us write; what was there stays.
    LockedError
        If another run keeps publishing into the same scope.
    """
    with _storage_errors(target), _alone(target.parent):
        made = Path(tempfile.mkdtemp(prefix=_BEING_MADE, dir=target.parent))
        aside = Path(tempfile.mkdtemp(prefix=_REPLACED, dir=target.parent))
        try:
            for name, content in files.items():
                write_durably(made / name, partial(_write, content=content))
            if target.exists():
                target.rename(aside / target.name)
            made.rename(target)
        finally:
            _put_back(aside, target.parent)  # whatever happened, the old report is not lost
            shutil.rmtree(made, ignore_errors=True)
        flush_folder(target.parent)


def _write(path: Path, content: str | bytes) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _put_back(aside: Path, folder: Path) -> None:
    for old in aside.iterdir():
        if not (folder / old.name).exists():
            old.rename(folder / old.name)
    shutil.rmtree(aside, ignore_errors=True)


def recover(folder: Path) -> None:
    """Put back reports whose replacement was cut off, and remove what it left behind."""
    if not folder.is_dir():
        return
    with _storage_errors(folder), _alone(folder):
        for aside in folder.glob(f"{_REPLACED}*"):
            _put_back(aside, folder)
        for made in folder.glob(f"{_BEING_MADE}*"):
            shutil.rmtree(made, ignore_errors=True)


def earlier_reports(folder: Path, name: str) -> list[dict]:
    """Return the reports of a scope of the same kind as the one called so, newest first.

    Each has its `day`, its `folder` and its `summary`.
    """
    found = []
    for path in sorted(folder.glob(f"*/{SUMMARY}"), reverse=True):
        other = path.parent.name
        kind = _DAY.sub("", other, count=1)
        if _DAY.match(other) and other < name and kind == _DAY.sub("", name, count=1):
            try:
                summary = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                continue  # a report that somebody is replacing, or changed by hand
            if isinstance(summary, dict):
                day = other.removesuffix(kind)
                found.append({"day": day, "folder": other, "summary": summary})
    return found


def write_status(out: Path, moment: datetime, outcome: Mapping[str, object]) -> None:
    """Say beside the reports how the last run ended."""
    status = {"generated_at": moment.isoformat(timespec="seconds")} | dict(outcome)
    with _storage_errors(out / STATUS):
        write_durably(out / STATUS, partial(_write, content=to_json(status)))


@contextmanager
def failure_noted(out: str | Path, moment: datetime) -> Iterator[None]:
    """Say beside the reports that nothing was published, whatever ends the block with an error.

    Without it the success of an earlier run would stand there for this one.
    """
    try:
        yield
    except BaseException as error:
        is_ours = isinstance(error, CopilotAnalyticsError)
        facts = error.as_dict() if is_ours else {"error": type(error).__name__}
        with suppress(StorageError):  # the first error says more than this one
            write_status(Path(out), moment, facts | {"is_published": False})
        raise
