"""One report as files that people and other programs can read."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Client
from copilot_analytics.download import DownloadedFile
from copilot_analytics.errors import StorageError
from copilot_analytics.fetching import foreign
from copilot_analytics.fetching.receiving import Received, download_report


def save_report(
    report: str,
    *,
    org: str | None = None,
    enterprise: str | None = None,
    day: str | date | None = None,
    directory: str | os.PathLike = ".",
    client: Client | foreign.Call | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Received:
    """Fetch one report into files that people and other programs can read.

    The files are called ``<kind>-<name>_<report>_<day or start..end>_<number>.ndjson``, hold the
    decoded bytes, and can be read by their owner only. An earlier fetch of the same report and day
    is replaced. What was received and refused goes into ``quarantine`` inside the folder.

    Parameters
    ----------
    report, org, enterprise, day, client
        As for `fetch`.
    directory
        Folder for the files; it is made where it does not exist.
    progress
        Called with the number of complete files and of all files.

    Returns
    -------
    Received
        What GitHub said, and the files under their final names.

    Raises
    ------
    StorageError
        The folder cannot be written to.
    CopilotAnalyticsError
        As `fetch`; then no file of the report was written.
    """
    if client is None:
        with Client() as own:
            return save_report(
                report,
                org=org,
                enterprise=enterprise,
                day=day,
                directory=directory,
                client=own,
                progress=progress,
            )
    scope, folder = Scope.of(org=org, enterprise=enterprise), Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".fetch-", dir=folder, ignore_cleanup_errors=True
        ) as private:
            received = download_report(
                client,
                report,
                scope,
                day,
                private,
                quarantine=folder / "quarantine",
                progress=progress,
            )
            return dataclasses.replace(received, files=_put_in_place(received, folder))
    except OSError as error:
        problem = error.strerror or type(error).__name__
    raise StorageError(
        f"{folder} cannot be written: {problem}",
        kept="nothing of the report",
        advice="choose another folder with --out, or make room",
    )


def _put_in_place(received: Received, folder: Path) -> tuple[DownloadedFile, ...]:
    """Rename the files into the folder; take them back if one of the renames fails."""
    envelope = received.envelope
    stem = f"{envelope.scope.folder}_{envelope.report}_{received.period}"
    placed: list[DownloadedFile] = []
    try:
        for number, file in enumerate(received.files, start=1):
            target = folder / f"{stem}_{number:02}.ndjson"
            os.replace(file.path, target)
            placed.append(dataclasses.replace(file, path=target))
    except OSError:
        for file in placed:
            file.path.unlink(missing_ok=True)
        raise
    kept = {file.path for file in placed}
    for path in folder.glob(f"{stem}_*.ndjson"):
        # Parts of an earlier fetch that had more files would be read together with these.
        if path not in kept and re.fullmatch(r"[0-9]{2,}", path.stem.rpartition("_")[2]):
            path.unlink()
    return tuple(placed)
