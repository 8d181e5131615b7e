"""One link: ask, follow, receive, check, and put the file in place; or say why not."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import requests

from copilot_analytics.download.body import Body, Failure, check_content, storage_code
from copilot_analytics.download.hosts import check_addresses, check_link
from copilot_analytics.errors import ContractError, DownloadError, NetworkError, StorageError
from copilot_analytics.sessions import NETWORK_ERRORS, Session, explain, read

# Largest wait in seconds after the first, second and third try at one link.
WAITS = (1, 2, 4)
MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
# What storage and the front end answer for a link that has expired or whose file has moved.
_RENEWABLE = (400, 401, 403, 404, 410)


@dataclass(frozen=True)
class DownloadedFile:
    """One complete file of a report: where it is, its digest and size after content decoding."""

    path: Path
    sha256: str
    size: int
    notes: tuple[str, ...] = ()


def download_link(
    link: str, target: Path, settings, is_stopped: Callable[[], bool]
) -> DownloadedFile:
    """Download one link to `target`, trying again where that can help.

    Raises
    ------
    Failure
        There is no file; `target` does not exist.
    ContractError, StorageError
        A redirect led to a host that is not allowed; the file could not be written.
    """
    deadline = settings.monotonic() + settings.file_timeout
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": settings.user_agent}
    with Session(settings, headers) as session:
        for wait in WAITS:
            try:
                return _try(session, link, target, settings, deadline, is_stopped)
            except Failure as failure:
                is_over = settings.monotonic() > deadline or is_stopped()
                if not failure.again or is_over or wait == WAITS[-1]:
                    raise
                _remove(failure.leftover)
            settings.sleep(random.uniform(0, wait))  # noqa: S311 - spreads load, no secret
    raise AssertionError("the last try either returns or raises")


def _try(session, link, target, settings, deadline, is_stopped) -> DownloadedFile:
    with _open(session, link, settings) as response:
        _check_status(response)
        temporary = _temporary_beside(target)
        is_received = False
        try:
            with temporary.open("wb") as file:
                body = Body(response.headers, file, settings)
                _receive(response, body, settings, deadline, is_stopped)
                is_received = True
                body.finish()
                file.flush()
                os.fsync(file.fileno())
            notes = _check(body, temporary, response.headers)
            os.replace(temporary, target)
        except Failure as failure:
            if is_received:
                failure.leftover = temporary
            else:
                _remove(temporary)
            raise
        except OSError as error:
            _remove(temporary)
            problem = error.strerror or type(error).__name__
        else:
            return DownloadedFile(target, body.sha256, body.size, notes)
    raise StorageError(
        f"{target} could not be written: {problem}",
        kept="nothing of the report",
        advice="make room or choose another folder, then run the same command again",
    )


def _open(session: Session, link: str, settings) -> requests.Response:
    """Ask for a link, following redirects between allowed hosts."""
    url = link
    for _ in range(MAX_REDIRECTS + 1):
        parts = check_link(url, settings)
        try:
            check_addresses(parts, settings)
            response = session.ask(url)
        except NETWORK_ERRORS as error:
            problem = explain(error)
            raise Failure(
                f"{parts.hostname}: {problem.text}",
                error=NetworkError,
                advice=problem.advice,
                again=problem.kind == "network",
                renew=problem.kind == "network",
            ) from None
        if response.status_code not in _REDIRECTS:
            return response
        response.close()
        url = _target(url, response.headers.get("Location", ""))
    raise Failure(f"more than {MAX_REDIRECTS} redirects", error=ContractError)


def _target(url: str, location: str) -> str:
    """Return where a redirect leads; what cannot be read is refused by the check of the link."""
    try:
        return urljoin(url, location) if location else ""
    except ValueError:
        return ""


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    try:
        code = storage_code(response.raw.read1(4096, decode_content=False) or b"")
    except NETWORK_ERRORS:
        code = ""  # the status alone says enough
    said = f"HTTP {status} {code}".strip()
    if status in _RENEWABLE:
        raise Failure(
            "the file is not there"
            if status in (404, 410)
            else "the link is refused (expired or clock wrong)",
            said=said,
            advice="check that this computer's clock is right, then run the same command again",
            renew=True,
        )
    if status == 407:
        raise Failure("the proxy asks for a password", error=NetworkError, said=said)
    is_passing = status in (408, 429) or status >= 500
    raise Failure(
        "the server failed" if is_passing else "the answer is not a file",
        error=DownloadError if is_passing else ContractError,
        said=said,
        again=is_passing,
        renew=is_passing,
    )


def _receive(response, body: Body, settings, deadline: float, is_stopped) -> None:
    """Read the whole body; writing is kept apart, because both fail with OSErrors."""
    chunks = read(response, deadline=deadline, monotonic=settings.monotonic)
    while not is_stopped():
        try:
            chunk = next(chunks, b"")
        except NETWORK_ERRORS as error:
            raise Failure(
                f"the file is not complete: {explain(error).text}", again=True, renew=True
            ) from None
        if not chunk:
            return
        body.add(chunk)
    raise Failure("stopped, because another file of the report failed")


def _check(body: Body, path: Path, headers) -> tuple[str, ...]:
    """Check what was received, and return what is worth noting about it."""
    if body.size or not body.is_length_verified:
        check_content(path, headers, body.is_length_verified)
    notes = []
    if not body.size:
        notes.append("the file has no bytes")
    elif not body.is_length_verified:
        notes.append("unverified length: the server said neither length nor digest")
    if body.size != body.received:
        notes.append(f"decoded from {body.received:,} bytes of compressed data")
    return tuple(notes)


def _temporary_beside(target: Path) -> Path:
    """Make an empty file that only its owner can read, where a rename stays on one disk."""
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    else:
        os.close(handle)
        return Path(name)
    raise StorageError(
        f"no file can be made in {target.parent}: {problem}",
        kept="nothing of the report",
        advice="choose a folder that you may write to, on a disk with room",
    )


def _remove(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
