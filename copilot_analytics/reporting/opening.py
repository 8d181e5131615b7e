"""What a report notebook calls first: the tables it reads, and the key of its pseudonyms."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from copilot_analytics import privacy, samples, tidy
from copilot_analytics.archive import Archive
from copilot_analytics.archive.restating import COLUMNS
from copilot_analytics.errors import UsageError
from copilot_analytics.reporting.teams import of_team

LEDGER = "ledger.sqlite"
# Pseudonyms of invented people protect nobody; with a fixed key the sample always looks the same.
SAMPLE_KEY = b"copilot_analytics sample company"


def is_archive(source: str | Path) -> bool:
    """Return whether a path is an archive, or not there at all, which the archive then says.

    Files and folders of reports that are no archive are read directly.
    """
    path = Path(source).expanduser()
    has_pattern = any(sign in path.name for sign in "*?[")
    try:
        return (path / LEDGER).is_file() or not (path.exists() or has_pattern)
    except OSError:  # a folder that may not be looked into: `Archive` says so
        return True


def open_tables(
    archive: str = "",
    *,
    scope: str = "",
    start: str = "",
    end: str = "",
    team: str = "",
    engine: str = "pandas",
    several_scopes: bool = False,
) -> tidy.Tables:
    """Open what a report is about: an archive, files of reports, or the sample company.

    Parameters
    ----------
    archive
        Folder of an archive; or a file, folder or pattern of report files; "" for the sample.
    scope
        ``"organization:octo-org"``; may be "" where there is only one.
    start, end
        First and last day as ISO text, both included; "" for no bound.
    team
        Slug of a team, for the people who were in it, on the days on which they were; "" for all.
    engine
        ``"pandas"``, or ``"duckdb"`` for an archive that is larger than memory; files of reports
        and the sample are read with pandas.
    several_scopes
        True to open all scopes where none is chosen, for whoever chooses among them later.

    Raises
    ------
    UsageError
        If there is no such team; or if there are several scopes and none was chosen: adding them up
        would count people twice.
    ArchiveError
        If `archive` does not exist, or cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> record = '{"day": "2026-11-02", "organization_id": "7", "user_id": 1}'
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "users.ndjson")
    ...     _ = file.write_text(record, encoding="utf-8")
    ...     print(open_tables(str(file)).users["user_id"].tolist())
    [1]
    """
    bounds = {"start": start or None, "end": end or None}
    tables = _tables(archive, scope, bounds, engine, several_scopes)
    return of_team(tables, team) if team else tables


def _tables(
    archive: str, scope: str, bounds: Mapping[str, str | None], engine: str, several_scopes: bool
) -> tidy.Tables:
    if archive and is_archive(archive):
        source = Archive(archive)
        chosen = scope or (None if several_scopes else only_scope(source))
        return source.tables(scope=chosen, engine=engine, **bounds)
    tables = tidy.load(archive, scope=scope or None) if archive else samples.sample()
    if several_scopes and not scope:
        return tables.filter(**bounds)
    found = sorted(tables.day_states["scope"].unique())
    if not scope or (len(found) == 1 and archive):
        scope = _only(found)  # records name their scope by its id, not by the name that was asked
    elif scope not in found:
        raise UsageError(f"there is no scope {scope!r}", advice=f"one of: {', '.join(found)}")
    return tables.filter(scope=scope or None, **bounds)


def open_restatements(
    archive: str = "", *, scope: str = "", start: str = "", end: str = ""
) -> pd.DataFrame:
    """Return which figures of a report's days GitHub has changed after it first gave them.

    Parameters
    ----------
    archive, scope, start, end
        As for `open_tables`.

    Returns
    -------
    pandas.DataFrame
        What `Archive.restatements` returns, of these days. No row for files and for the sample,
        which hold one version of each day.

    Raises
    ------
    UsageError, ArchiveError
        As for `open_tables`.

    Examples
    --------
    >>> open_restatements().empty
    True
    """
    if not (archive and is_archive(archive)):
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    source = Archive(archive)
    found = source.restatements(scope or only_scope(source))
    first, last = (pd.Timestamp(day) if day else None for day in (start, end))
    is_inside = pd.Series(True, index=found.index)
    if first is not None:
        is_inside &= found["day"] >= first
    if last is not None:
        is_inside &= found["day"] <= last
    return found[is_inside].reset_index(drop=True)


def only_scope(archive: Archive) -> str | None:
    """Return the name of the only scope of an archive, None if it has none.

    Raises
    ------
    UsageError
        If there are several.
    """
    return _only(archive.scopes()) or None


def _only(found: list[str]) -> str:
    if len(found) > 1:
        raise UsageError(
            f"there are {len(found)} scopes: {', '.join(found)}",
            advice="choose one; people who are in several would be counted several times",
        )
    return found[0] if found else ""


def open_key(archive: str = "", *, team: str = "") -> bytes:
    """Return the key that pseudonyms are made with.

    Parameters
    ----------
    archive
        As for `open_tables`. An archive keeps its key, so that pseudonyms stay from report to
        report; that of the sample is fixed. For files of reports, beside which nothing is written,
        the key lasts as long as the Python process.
    team
        Slug of a team: the people of its pages have other pseudonyms than on all other pages, see
        `privacy.key_of_team`. "" for everybody.

    Raises
    ------
    UsageError, StorageError
        As for `privacy.load_key`.

    Examples
    --------
    >>> open_key() == open_key()
    True
    """
    folder = Path(archive).expanduser()
    if not archive:
        key = SAMPLE_KEY
    else:
        key = privacy.load_key(folder) if (folder / LEDGER).is_file() else _key_of_run()
    return privacy.key_of_team(key, team)


@cache
def _key_of_run() -> bytes:
    return secrets.token_bytes(32)
