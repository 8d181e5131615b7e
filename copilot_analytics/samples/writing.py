"""Writes the reports of the sample company as files, named as the command line names them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from copilot_analytics.catalogue import Scope, all_endpoints
from copilot_analytics.errors import StorageError
from copilot_analytics.samples.company import Company

_to_json = json.JSONEncoder(separators=(",", ":")).encode


def encode(records: Iterable[dict]) -> Iterator[bytes]:
    """Yield each record as one line of JSON."""
    for record in records:
        yield _to_json(record).encode() + b"\n"


def write(
    directory: str | Path,
    company: Company,
    scopes: Iterable[Scope | str] | None = None,
    *,
    reports: Iterable[str] | None = None,
    as_of: date | datetime | None = None,
    progress: Callable[[Path], object] | None = None,
) -> list[Path]:
    """Write all reports of the sample company, one NDJSON file per link that GitHub would give.

    Files stand in ``<kind>-<slug>/<report>/`` and are called
    ``<kind>-<slug>_<report>_<day or start..end>_<nn>.ndjson``. Records are written one by one, so
    memory does not grow with the company or the period.

    Parameters
    ----------
    directory
        Where to write; made if absent.
    company
        The company.
    scopes
        Organizations and enterprises; all three by default.
    reports
        Names of reports; all by default.
    as_of
        The day on which GitHub is asked, so that its last days are missing or incomplete; by
        default everything is settled.
    progress
        Called with each path when its file is complete.

    Returns
    -------
    list of Path
        The files, in the order in which they were written.

    Raises
    ------
    StorageError
        If a file cannot be written. Files written before stay.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     company = Company(people=20, days=3)
    ...     paths = write(folder, company, ["organization:octo-org"], reports=["users-1-day"])
    >>> paths[0].name
    'organization-octo-org_users-1-day_2026-11-18_00.ndjson'
    """
    chosen = [company.entity(scope).scope for scope in scopes or company.scopes]
    wanted = None if reports is None else set(reports)
    paths = []
    # Day by day, so that a day is drawn once for all reports.
    for day in (*company.days(), None):
        for scope in chosen:
            for endpoint in all_endpoints():
                if (
                    endpoint.scope_kind == scope.kind
                    and (day is None) == (endpoint.period == "28-day")
                    and (wanted is None or endpoint.report in wanted)
                ):
                    for path in _write_report(
                        Path(directory), company, scope, endpoint.report, day, as_of
                    ):
                        paths.append(path)
                        if progress:
                            progress(path)
    return paths


def _write_report(directory, company, scope, report, day, as_of) -> Iterator[Path]:
    if not company.has_report(report, scope, day, as_of):
        return
    period = day.isoformat() if day else ""
    if day is None:
        period = "..".join(d.isoformat() for d in company.window(report, scope, as_of))
    folder = directory / scope.folder / report
    for number, part in enumerate(company.parts(report, scope, day, as_of)):
        path = folder / f"{scope.folder}_{report}_{period}_{number:02}.ndjson"
        unfinished = path.with_suffix(".part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as out:
                out.writelines(encode(part))
            os.replace(unfinished, path)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise StorageError(
                f"sample file {path} could not be written",
                said=error.strerror or str(error),
                kept="files written before",
                advice="choose another folder, or make room",
            ) from error
        yield path
