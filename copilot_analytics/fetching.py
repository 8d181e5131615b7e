"""One report: ask for its links, download its files, read them into tables."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from copilot_analytics import download, tidy
from copilot_analytics.catalogue import Scope, is_settled
from copilot_analytics.client import Client, Envelope
from copilot_analytics.download import DownloadedFile
from copilot_analytics.errors import DownloadError, NoReportError, StorageError
from copilot_analytics.tidy import Tables

__all__ = ["Received", "download_report", "fetch", "save_report"]


@dataclass(frozen=True)
class Received:
    """One report as it lies on disk: what GitHub said about it, and its files.

    The envelope carries no links any more. `fetched_at` is in UTC.
    """

    envelope: Envelope
    files: tuple[DownloadedFile, ...]
    fetched_at: datetime
    notes: tuple[str, ...] = ()

    @property
    def period(self) -> str:
        """The day of the report, or its first and last day as ``start..end``."""
        envelope = self.envelope
        if envelope.report_end_day:
            return f"{envelope.report_start_day}..{envelope.report_end_day}"
        return str(envelope.report_day)


def fetch(
    report: str,
    *,
    org: str | None = None,
    enterprise: str | None = None,
    day: str | date | None = None,
    client: Client | None = None,
) -> Tables:
    """Fetch one report of GitHub as tidy tables: what was recorded on this day?

    Parameters
    ----------
    report
        Name of the report, such as ``"users-1-day"`` or ``"organization-28-day"``; see
        ``catalogue.endpoints()``.
    org, enterprise
        Short name (slug) of exactly one organization or enterprise.
    day
        The UTC day of a 1-day report, as text, date or timestamp; None for 28-day reports.
    client
        A client of your own; without one, address and token come from the environment.

    Returns
    -------
    Tables
        All tables of ``catalogue.tables()``; those that the report does not fill are empty. A
        missing value means that GitHub gave none.

    Raises
    ------
    UsageError
        The report, the name or the day cannot be asked for; nothing was sent.
    NoReportError
        GitHub has no report for this day; `state` says whether it may still come.
    CredentialsError, NotAllowedError, RateLimitError, NetworkError, DownloadError, ContractError
        The report could not be fetched completely, each with what to do about it.

    Notes
    -----
    GitHub: "REST API endpoints for Copilot usage metrics".

    Examples
    --------
    >>> from copilot_analytics.client import Client, Settings
    >>> with Client(Settings(token="ghp_0123456789")) as client:
    ...     fetch("users-1-day", org="octo-org", client=client)
    Traceback (most recent call last):
        ...
    copilot_analytics.errors.UsageError: users-1-day needs a day
    ...
    """
    if client is None:
        with Client() as own:
            return fetch(report, org=org, enterprise=enterprise, day=day, client=own)
    scope = Scope.of(org=org, enterprise=enterprise)
    # A thread that was left behind by an interrupt may still hold a file in the folder.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        received = download_report(client, report, scope, day, folder)
        return tidy.load([file.path for file in received.files], scope=str(scope))


def download_report(
    client: Client,
    report: str,
    scope: Scope,
    day: str | date | None,
    directory: str | os.PathLike,
    *,
    quarantine: str | os.PathLike | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Received:
    """Ask for one report and download all its files into a folder, or none.

    Parameters
    ----------
    client
        Carries the settings and the token.
    report, scope, day
        Name of the report, whose it is, and the day of a 1-day report.
    directory
        Folder for the files; it has to exist.
    quarantine, progress
        See `copilot_analytics.download.files`.

    Returns
    -------
    Received
        What GitHub said, and the files with their digests, decoded.

    Raises
    ------
    NoReportError
        GitHub has no report, or all its files came without any bytes.
    CopilotAnalyticsError
        As `copilot_analytics.client.Client.links` and `copilot_analytics.download.files`.
    """
    names = {"org": scope.name} if scope.kind == "organization" else {"enterprise": scope.name}
    envelope = client.links(report, **names, day=day)

    def renew() -> tuple[str, ...]:
        again = client.links(report, **names, day=day)
        if _days(again) != _days(envelope):
            raise DownloadError(
                f"{report} of {scope}: GitHub published another period during the download",
                kept="nothing of the report",
                advice="run the same command again",
            )
        return again.links

    found = download.files(
        envelope.links,
        directory,
        settings=client.settings,
        renew=renew,
        progress=progress,
        quarantine=quarantine,
    )
    files = tuple(file for file in found if file.size)
    if not files:
        raise _nothing_inside(envelope, client)
    notes = [*envelope.notes, *(note for file in found for note in file.notes)]
    return Received(
        envelope=dataclasses.replace(envelope, links=()),
        files=files,
        fetched_at=client.settings.clock().astimezone(UTC),
        notes=tuple(dict.fromkeys(notes)),
    )


def _days(envelope: Envelope) -> tuple[date | None, ...]:
    return envelope.report_day, envelope.report_start_day, envelope.report_end_day


def _nothing_inside(envelope: Envelope, client: Client) -> NoReportError:
    day = envelope.report_day or envelope.report_end_day
    state = "empty" if day and is_settled(day, client.today()) else "pending"
    return NoReportError(
        f"{envelope.report} of {envelope.scope}, {day}: the file has no bytes. State: {state}",
        state=state,
        kept="what was stored before is unchanged",
        advice="ask again tomorrow" if state == "pending" else "nothing will come for this day",
    )


def save_report(
    report: str,
    *,
    org: str | None = None,
    enterprise: str | None = None,
    day: str | date | None = None,
    directory: str | os.PathLike = ".",
    client: Client | None = None,
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
