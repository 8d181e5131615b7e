"""Signed links to complete, checked files: all files of a report, or none."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import nullcontext
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from copilot_analytics.download.attempts import DownloadedFile, Terms, download_link
from copilot_analytics.download.background import Background
from copilot_analytics.download.body import Failure
from copilot_analytics.download.connections import Connections
from copilot_analytics.download.hosts import GITHUB_HOSTS, check_link, host_patterns
from copilot_analytics.errors import (
    ContractError,
    CopilotAnalyticsError,
    StorageError,
    worst,
)

__all__ = [
    "GITHUB_HOSTS",
    "Background",
    "Connections",
    "DownloadedFile",
    "check_link",
    "files",
    "host_patterns",
]

_THREADS = 4


def files(
    links: Sequence[str],
    directory: str | os.PathLike,
    *,
    settings,
    connections: Connections | None = None,
    renew: Callable[[], Sequence[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    quarantine: str | os.PathLike | None = None,
    keep: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[DownloadedFile]:
    """Download all files of a report: are they complete, and are they what was promised?

    A file counts when its length, its digest where one was sent, the end of its compression and
    its last record are right. The token is not known here, and nothing but ``User-Agent``,
    ``Accept``, ``Accept-Encoding`` and ``Host`` is sent.

    Parameters
    ----------
    links
        Signed links of one report. They are never stored, logged or shown.
    directory
        Folder for the files of this report and no other; it has to exist.
    settings
        `copilot_analytics.client.Settings`: limits, times, proxies, further hosts.
    connections
        Where several reports are fetched, one object for all saves new connections.
    renew
        Asked once for links to the same report, where links have expired or keep failing.
    progress
        Called with the number of complete files and of all files.
    quarantine
        Folder for what was received and refused; without it, that is not kept.
    keep
        Whether the complete files stay in `directory` where others fail. A file that is there is
        not received again if the server announces its digest, now or in a later call.
    is_stopped
        Asked now and then; the download ends as soon as it returns True.

    Returns
    -------
    list of DownloadedFile
        One per link, in the order of the links; links that come twice count once. `size` is in
        bytes, after decoding; a file of size 0 was sent without any bytes.

    Raises
    ------
    DownloadError
        A file is not complete, not there any more, or the link has expired.
    ContractError
        A link leads to a host that is not allowed, or a file is not JSON.
    NetworkError
        The host could not be reached, or its certificate is not trusted.
    StorageError
        A file could not be written.

    Examples
    --------
    >>> from copilot_analytics.client import Settings
    >>> files(["https://evil.example/part-0?sig=abc"], "downloads", settings=Settings())
    Traceback (most recent call last):
        ...
    copilot_analytics.errors.ContractError: a link to evil.example was refused: the host is not ...
    """
    with nullcontext(connections) if connections else Connections(settings) as lent:
        report = _Report(Path(directory), settings, lent, progress, is_stopped)
        if keep:
            report.take_up_earlier_files()
        try:
            wanted = report.download(links)
            if renew and report.failures and all(one.renew for one in report.failures.values()):
                report.start_again()
                wanted = report.download(renew())
            if report.failures:
                raise _error(wanted, report.failures, keep, bool(quarantine))
        except BaseException:
            _set_aside(report.failures, Path(quarantine) if quarantine else None)
            report.remove_files(but=report.held().values() if keep else ())
            raise
        report.remove_files(but=[file.path for file in report.complete.values()])
        return [report.complete[link] for link in wanted]


class _Report:
    """The files of one report while they are downloaded."""

    def __init__(self, directory: Path, settings, connections: Connections, progress, is_stopped):
        self._directory, self._settings, self._connections = directory, settings, connections
        self._progress, self._is_stopped = progress, is_stopped
        self._targets: list[Path] = []
        # Complete files of an earlier call, or for links that have been replaced.
        self._earlier: list[Path] = []
        self.complete: dict[str, DownloadedFile] = {}
        self.failures: dict[str, Failure] = {}

    def take_up_earlier_files(self) -> None:
        """Find what an earlier call has left in the folder."""
        self._earlier = sorted(self._directory.glob("part-*.ndjson"))

    def download(self, links: Sequence[str]) -> tuple[str, ...]:
        """Download what can be had, several files at a time; return the links, each once."""
        wanted = self._checked(links)
        with Background(min(_THREADS, len(wanted))) as background:
            terms = Terms(self._settings, self.held(), partial(self._is_over, background))
            begun = {
                background.submit(self._one, link, self._new_target(), terms): link
                for link in wanted
            }
            for future in as_completed(begun):
                error = future.exception()
                if isinstance(error, Failure):
                    self.failures[begun[future]] = error
                    if not error.renew:
                        break
                elif error:
                    raise error
                else:
                    self.complete[begun[future]] = future.result()
                    if self._progress:
                        self._progress(len(self.complete), len(wanted))
        return wanted

    def _checked(self, links: Sequence[str]) -> tuple[str, ...]:
        """Check all links before the first connection, and drop repeated ones."""
        unique = tuple(dict.fromkeys(links))
        if len(unique) > self._settings.max_links:
            raise ContractError(
                f"the report has {len(unique)} links, more than the "
                f"{self._settings.max_links} allowed",
                kept="nothing of the report",
                advice="no report of GitHub is known to be like this: please report it",
            )
        for link in unique:
            check_link(link, self._settings)
        return unique

    def _one(self, link: str, target: Path, terms: Terms) -> DownloadedFile:
        with self._connections.lend() as session:
            return download_link(session, link, target, terms)

    def _is_over(self, background: Background) -> bool:
        return background.is_stopped() or self._is_stopped()

    def _new_target(self) -> Path:
        names = (self._directory / f"part-{number:05}.ndjson" for number in count())
        taken = {*self._earlier, *self._targets}
        self._targets.append(next(path for path in names if path not in taken))
        return self._targets[-1]

    def held(self) -> dict[bytes, Path]:
        """Return the complete files that are here by their digest, this call's before others."""
        found = [*self._earlier, *(file.path for file in self.complete.values())]
        return {_md5(path): path for path in found}

    def start_again(self) -> None:
        """Forget what failed; what is complete counts only if its digest is announced again.

        Nothing else tells that a link of the second list leads to the same bytes.
        """
        for failure in self.failures.values():
            _remove(failure.leftover)
        self._earlier += [file.path for file in self.complete.values()]
        self.complete, self.failures = {}, {}

    def remove_files(self, but: Iterable[Path]) -> None:
        """Remove the files of this report, except those that are to stay."""
        for path in {*self._earlier, *self._targets} - set(but):
            _remove(path)


def _md5(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).digest()


def _error(
    wanted: Sequence[str], failures: Mapping[str, Failure], keep: bool, has_quarantine: bool
) -> CopilotAnalyticsError:
    """Return the error for the gravest failure."""
    code = worst(failure.error.exit_code for failure in failures.values())
    link, failure = next(
        (link, failure) for link, failure in failures.items() if failure.error.exit_code == code
    )
    place = f"file {wanted.index(link) + 1} of {len(wanted)} from {urlsplit(link).hostname}"
    kept = "the complete files of the report, for the next run" if keep else "nothing of the report"
    if failure.leftover and has_quarantine:
        kept += "; what was received lies in the folder quarantine"
    return failure.error(
        f"{place}: {failure.problem}", said=failure.said, kept=kept, advice=failure.advice
    )


def _set_aside(failures: Mapping[str, Failure], quarantine: Path | None) -> None:
    """Move what was received and refused to where nothing reads it, for a person to look at."""
    for failure in failures.values():
        if failure.leftover is None or not failure.leftover.exists():
            continue
        if quarantine is None:
            _remove(failure.leftover)
            continue
        try:
            quarantine.mkdir(mode=0o700, exist_ok=True)
            os.replace(failure.leftover, quarantine / f"{failure.leftover.stem[1:]}.refused")
        except OSError as error:
            problem = error.strerror or type(error).__name__
        else:
            continue
        raise StorageError(
            f"{quarantine} could not be written: {problem}",
            kept="nothing of the report",
            advice="choose a folder that you may write to",
        )


def _remove(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
