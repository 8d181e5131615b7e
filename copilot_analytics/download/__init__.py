"""Signed links to complete, checked files: all files of a report, or none."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from copilot_analytics.download.attempts import DownloadedFile, download_link
from copilot_analytics.download.body import Failure
from copilot_analytics.download.hosts import GITHUB_HOSTS, check_link
from copilot_analytics.errors import (
    ContractError,
    CopilotAnalyticsError,
    StorageError,
    worst,
)

__all__ = ["GITHUB_HOSTS", "DownloadedFile", "check_link", "files"]

_WORKERS = 4


def files(
    links: Sequence[str],
    directory: str | os.PathLike,
    *,
    settings,
    renew: Callable[[], Sequence[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    quarantine: str | os.PathLike | None = None,
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
        Folder for the files; it has to exist.
    settings
        `copilot_analytics.client.Settings`: limits, times, proxies, further hosts.
    renew
        Asked once for links to the same report, where links have expired or keep failing. Files
        that are complete by then are kept.
    progress
        Called with the number of complete files and of all files.
    quarantine
        Folder for what was received and refused; ``quarantine`` inside `directory` by default.

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
    report = _Report(Path(directory), settings, progress)
    complete: dict[str, DownloadedFile] = {}
    failures: dict[str, Failure] = {}
    try:
        wanted = report.checked(links)
        complete, failures = report.download(wanted, {})
        if renew and failures and all(failure.renew for failure in failures.values()):
            _discard(failures)
            wanted = report.checked(renew())
            complete, failures = report.download(wanted, complete)
        if failures:
            raise _error(wanted, failures)
    except BaseException:
        _set_aside(failures, Path(quarantine or Path(directory, "quarantine")))
        report.remove_files()
        raise
    report.remove_files(complete.values())
    return [complete[link] for link in wanted]


class _Report:
    """The files of one report while they are downloaded."""

    def __init__(self, directory: Path, settings, progress):
        self._directory, self._settings, self._progress = directory, settings, progress
        self._targets: list[Path] = []

    def checked(self, links: Sequence[str]) -> tuple[str, ...]:
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

    def download(
        self, wanted: Sequence[str], complete: Mapping[str, DownloadedFile]
    ) -> tuple[dict[str, DownloadedFile], dict[str, Failure]]:
        """Download what is not there yet, several files at a time."""
        found = _matching(wanted, complete)
        todo = {link: self._new_target() for link in wanted if link not in found}
        failures: dict[str, Failure] = {}
        with closing(_in_parallel(self._one, todo)) as results:
            for link, result in results:
                if isinstance(result, Failure):
                    failures[link] = result
                    if not result.renew:
                        break
                elif isinstance(result, DownloadedFile):
                    found[link] = result
                    if self._progress:
                        self._progress(len(found), len(wanted))
                else:
                    raise result
        return found, failures

    def _one(self, link: str, target: Path, is_stopped: Callable[[], bool]) -> DownloadedFile:
        return download_link(link, target, self._settings, is_stopped)

    def _new_target(self) -> Path:
        self._targets.append(self._directory / f"part-{len(self._targets):05}.ndjson")
        return self._targets[-1]

    def remove_files(self, but: Sequence[DownloadedFile] = ()) -> None:
        """Remove the files of this report, except those that are handed out."""
        kept = {file.path for file in but}
        for target in self._targets:
            if target not in kept:
                target.unlink(missing_ok=True)


def _matching(
    wanted: Sequence[str], complete: Mapping[str, DownloadedFile]
) -> dict[str, DownloadedFile]:
    """Return the complete files by their link in `wanted`: signature and host may have changed."""
    by_path = {urlsplit(link).path: file for link, file in complete.items()}
    paths = [urlsplit(link).path for link in wanted]
    if len(by_path) < len(complete) or len(set(paths)) < len(paths):
        return {}  # the path alone does not tell the files apart
    return {
        link: by_path[path] for link, path in zip(wanted, paths, strict=True) if path in by_path
    }


def _in_parallel(work: Callable, todo: Mapping[str, Path]):
    """Yield each link with its file, or with the exception that came instead.

    The threads are daemons: a person who interrupts does not wait for a server that is silent.
    """
    waiting, done, stop = SimpleQueue(), SimpleQueue(), threading.Event()
    for item in todo.items():
        waiting.put(item)

    def run() -> None:
        while not stop.is_set():
            try:
                link, target = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put((link, work(link, target, stop.is_set)))
            except BaseException as error:  # noqa: BLE001 - raised again where it is received
                done.put((link, error))

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(_WORKERS, len(todo)))]
    for thread in threads:
        thread.start()
    try:
        for _ in todo:
            yield done.get()
    finally:
        stop.set()
        for thread in threads:
            thread.join(0.5)


def _error(wanted: Sequence[str], failures: Mapping[str, Failure]) -> CopilotAnalyticsError:
    """Return the error for the gravest failure."""
    code = worst(failure.error.exit_code for failure in failures.values())
    link, failure = next(
        (link, failure) for link, failure in failures.items() if failure.error.exit_code == code
    )
    place = f"file {wanted.index(link) + 1} of {len(wanted)} from {urlsplit(link).hostname}"
    kept = "nothing of the report"
    if failure.leftover:
        kept += "; what was received lies in the folder quarantine"
    return failure.error(
        f"{place}: {failure.problem}", said=failure.said, kept=kept, advice=failure.advice
    )


def _set_aside(failures: Mapping[str, Failure], quarantine: Path) -> None:
    """Move what was received and refused to where nothing reads it, for a person to look at."""
    for failure in failures.values():
        if failure.leftover is None or not failure.leftover.exists():
            continue
        try:
            quarantine.mkdir(mode=0o700, exist_ok=True)
            os.replace(failure.leftover, quarantine / failure.leftover.name.lstrip("."))
        except OSError as error:
            problem = error.strerror or type(error).__name__
        else:
            continue
        raise StorageError(
            f"{quarantine} could not be written: {problem}",
            kept="nothing of the report",
            advice="choose a folder that you may write to",
        )


def _discard(failures: Mapping[str, Failure]) -> None:
    for failure in failures.values():
        if failure.leftover:
            failure.leftover.unlink(missing_ok=True)
