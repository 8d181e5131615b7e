"""Files that people bring: which belong together, and what their names say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from copilot_analytics.archive import cached
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.omitting import content
from copilot_analytics.archive.places import IMPORTED
from copilot_analytics.archive.storing import Prepared, digest_of, together
from copilot_analytics.catalogue import Scope, all_endpoints
from copilot_analytics.errors import ContentError, UsageError
from copilot_analytics.tidy.sources import printable, sources

# What `fetch --out` writes: <kind>-<name>_<report>_<day or start..end>_<number>.ndjson
_REPORTS = "|".join(sorted({one.report for one in all_endpoints()}))
_FETCHED = re.compile(
    rf"(?P<kind>organization|enterprise)-(?P<name>[^/]+)_(?P<report>{_REPORTS})"
    r"_(?:\d{4}-\d\d-\d\d\.\.)?(?P<day>\d{4}-\d\d-\d\d)"
)
_NUMBER = re.compile(r"_\d{2}(?=\.)")

_IDS = {"users": "user_id", "teams": "user_id", "repos": "repo_id"}
_OTHERS = """
SELECT f.path, f.rows FROM table_files f JOIN versions v USING (version)
WHERE v.is_current AND v.report = 'import' AND f.table_name = ? AND f.scope = ? AND f.day = ?
"""


class Report(NamedTuple):
    """Files of one report, and what it is a report of."""

    scope: Scope | None
    report: str
    day: date | None
    files: list[Path]


def paths(files) -> list[Path]:
    """Return the files behind paths, folders and patterns, each once.

    Raises
    ------
    UsageError
        Something is not there, or is no path.
    """
    found = [one.content for one in sources(files)]
    if not all(isinstance(one, Path) for one in found):
        raise UsageError(
            "only files can be imported",
            advice="write what you have to a file, and give its path",
        )
    different: dict[Path, Path] = {}
    for path in found:
        different.setdefault(path.resolve(), path)
    return list(different.values())


def shown(files: Sequence[Path]) -> str:
    """Return how messages call the files of a report: by the first of them."""
    others = len(files) - 1
    more = f" and {others} more file{'s' if others > 1 else ''}" if others else ""
    return f"{printable(files[0])}{more}"


def reports(files: Sequence[Path], scope: Scope | None) -> list[Report]:
    """Return the reports that files hold, in the order of their first files.

    Files whose names differ only in a number of two digits at their end are parts of one report.
    The name of a file that `fetch` wrote says which report it is; all others are just imported.
    """
    groups: dict[Path, list[Path]] = {}
    for file in files:
        groups.setdefault(file.with_name(_NUMBER.sub("", file.name)), []).append(file)
    return [_report(path, parts, scope) for path, parts in groups.items()]


def _report(path: Path, files: list[Path], scope: Scope | None) -> Report:
    found = _FETCHED.match(path.name)
    if not found:
        return Report(scope, IMPORTED, None, files)
    own = Scope(found["kind"], found["name"])
    if scope not in (None, own):
        return Report(scope, IMPORTED, None, files)
    return Report(own, found["report"], date.fromisoformat(found["day"]), files)


def slot_of(ledger: Ledger, one: Report) -> Report:
    """Return where a report goes: a day that the archive has already is not to be replaced.

    Which of two versions is the later one, a file does not tell.
    """
    if one.report == IMPORTED:
        return one
    slot = (str(one.scope), one.report, str(one.day))
    digest = together(digest_of(content(path))[0] for path in one.files)
    if ledger.current(*slot) is None or ledger.version(slot, digest):
        return one
    return one._replace(report=IMPORTED, day=None)


def refuse_parts(root: Path, ledger: Ledger, prepared: Prepared) -> None:
    """Refuse a file that holds other people of a day than an imported one: the last would win.

    Raises
    ------
    ContentError
        With the day, and that parts of one report are to be imported together.
    """
    if prepared.slot[1] != IMPORTED or not prepared.is_new:
        return
    for file in prepared.tables:
        column = _IDS.get(file.table_name)
        others = ledger.rows(_OTHERS, [file.table_name, file.scope, file.day]) if column else []
        for other in others:
            ids = [set(_ids(root, file.table_name, one, column)) for one in (file._asdict(), other)]
            if not ids[0] & ids[1]:
                raise ContentError(
                    f"{file.table_name} of {file.day} hold nobody whom the file imported before "
                    "holds: they look like parts of one report",
                    kept="the archive as it was",
                    advice="import all parts of a report in one command, called x_01, x_02 …",
                )


def _ids(root: Path, table: str, file, column: str) -> list:
    found = cached.read_file(root / file["path"], table, file["rows"])
    return [] if found is None else found[column].to_pylist()
