"""What GitHub says about a report, and its files: asked for, downloaded, checked."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from copilot_analytics import download
from copilot_analytics.catalogue import Scope, is_settled
from copilot_analytics.client import Client, Envelope, Settings
from copilot_analytics.download import DownloadedFile
from copilot_analytics.errors import DownloadError, NoReportError
from copilot_analytics.fetching import foreign


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


def ask(
    client: Client | foreign.Call, report: str, scope: Scope, day: str | date | None = None
) -> Envelope:
    """Ask for the links of one report, through our client or through any other.

    Raises
    ------
    NoReportError
        GitHub has no report.
    CopilotAnalyticsError
        As `copilot_analytics.client.Client.links`; another client raises its own errors.
    """
    if isinstance(client, Client):
        names = {"org": scope.name} if scope.kind == "organization" else {"enterprise": scope.name}
        return client.links(report, **names, day=day)
    return foreign.ask(client, report, scope, day, settings_of(client))


def settings_of(client: Client | foreign.Call) -> Settings:
    """Return the settings for downloads; without a token, which no download needs."""
    if isinstance(client, Client):
        return client.settings
    return Settings.from_environment(token=None)


def download_report(
    client: Client | foreign.Call,
    report: str,
    scope: Scope,
    day: str | date | None,
    directory: str | os.PathLike,
    **options,
) -> Received:
    """Ask for one report and download all its files into a folder, or none.

    Parameters
    ----------
    client
        Asks for the links.
    report, scope, day
        Name of the report, whose it is, and the day of a 1-day report.
    directory
        Folder for the files; it has to exist.
    **options
        See `receive`.

    Returns
    -------
    Received
        What GitHub said, and the files with their digests, decoded.

    Raises
    ------
    NoReportError
        GitHub has no report, or all its files came without any bytes.
    CopilotAnalyticsError
        As `ask` and `receive`.
    """
    asking = partial(ask, client, report, scope, day)
    return receive(asking(), directory, settings=settings_of(client), ask_again=asking, **options)


def receive(
    envelope: Envelope,
    directory: str | os.PathLike,
    *,
    settings: Settings,
    ask_again: Callable[[], Envelope] | None = None,
    **options,
) -> Received:
    """Download all files of an envelope into a folder, or none.

    Parameters
    ----------
    envelope
        What GitHub said: links and days.
    directory
        Folder for the files; it has to exist.
    settings
        Limits, times, proxies, further hosts.
    ask_again
        Gives another envelope for the same report, where links have expired.
    **options
        ``connections``, ``progress``, ``quarantine``, ``keep`` and ``is_stopped`` of
        `copilot_analytics.download.files`.

    Raises
    ------
    NoReportError
        All files came without any bytes.
    CopilotAnalyticsError
        As `copilot_analytics.download.files`.
    """
    renew = partial(_renewed_links, envelope, ask_again) if ask_again else None
    found = download.files(envelope.links, directory, settings=settings, renew=renew, **options)
    files = tuple(file for file in found if file.size)
    now = settings.clock().astimezone(UTC)
    if not files:
        raise _nothing_inside(envelope, now.date())
    notes = [*envelope.notes, *(note for file in found for note in file.notes)]
    return Received(
        envelope=dataclasses.replace(envelope, links=()),
        files=files,
        fetched_at=now,
        notes=tuple(dict.fromkeys(notes)),
    )


def _renewed_links(envelope: Envelope, ask_again: Callable[[], Envelope]) -> tuple[str, ...]:
    again = ask_again()
    if _days(again) != _days(envelope):
        raise DownloadError(
            f"{envelope.report} of {envelope.scope}: GitHub published another period during the "
            "download",
            kept="nothing of the report",
            advice="run the same command again",
        )
    return again.links


def _days(envelope: Envelope) -> tuple[date | None, ...]:
    return envelope.report_day, envelope.report_start_day, envelope.report_end_day


def _nothing_inside(envelope: Envelope, today: date) -> NoReportError:
    day = envelope.report_day or envelope.report_end_day
    state = "empty" if day and is_settled(day, today) else "pending"
    what = f"{envelope.report} of {envelope.scope}, {day}" if day else "the report"
    return NoReportError(
        f"{what}: the file has no bytes. State: {state}",
        state=state,
        kept="what was stored before is unchanged",
        advice="ask again tomorrow" if state == "pending" else "nothing will come for this day",
    )
