"""One link: ask, follow, receive, check, and put the file in place; or say why not."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests

from copilot_analytics.download.body import (
    Body,
    Failure,
    announced_digest,
    check_content,
    storage_code,
)
from copilot_analytics.download.hosts import check_link, checked_addresses
from copilot_analytics.errors import ContractError, DownloadError, NetworkError, StorageError
from copilot_analytics.sessions import CHUNK, NETWORK_ERRORS, Problem, Session, explain, read

# Largest wait in seconds after the first, second and third try at one link.
WAITS = (1, 2, 4)
MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
# What storage and the front end answer for a link that has expired or whose file has moved.
_RENEWABLE = (400, 401, 403, 404, 410)


@dataclass(frozen=True)
class DownloadedFile:
    """One complete file of a report: where it is, its digest and size after content decoding.

    `facts` tell how it came: bytes as `received`, `seconds` until the answer began, `host`, and the
    names of the `headers`.
    """

    path: Path
    sha256: str
    size: int
    notes: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """What all links of a report have in common.

    `held` are complete files by their MD5, which need not be received again.
    """

    settings: object
    held: Mapping[bytes, Path]
    is_stopped: Callable[[], bool]


@dataclass(frozen=True)
class _Attempts:
    """All attempts at one link: with what, and until when."""

    session: Session
    terms: Terms
    deadline: float

    @property
    def settings(self):
        return self.terms.settings

    @property
    def is_over(self) -> bool:
        return self.settings.monotonic() >= self.deadline

    def meaning(self, error: Exception) -> Problem:
        """Say what a network error means; after the deadline it is always the time."""
        return explain(TimeoutError() if self.is_over else error)


def download_link(session: Session, link: str, target: Path, terms: Terms) -> DownloadedFile:
    """Download one link to `target`, trying again where that can help.

    Raises
    ------
    Failure
        There is no file; `target` does not exist.
    ContractError, StorageError
        A redirect led to a host that is not allowed; the file could not be written.
    """
    settings = terms.settings
    attempts = _Attempts(session, terms, settings.monotonic() + settings.file_timeout)
    for wait in WAITS:
        try:
            return _try(attempts, link, target)
        except Failure as failure:
            is_last = attempts.is_over or terms.is_stopped() or wait == WAITS[-1]
            if not failure.again or is_last:
                raise
            _remove(failure.leftover)
        settings.sleep(random.uniform(0, wait))  # noqa: S311 - spreads load, no secret
    raise AssertionError("the last try either returns or raises")


def _try(attempts: _Attempts, link: str, target: Path) -> DownloadedFile:
    with _open(attempts, link) as response:
        _check_status(response)
        temporary = _temporary_beside(target)
        is_received = False
        try:
            with temporary.open("wb") as file:
                body = Body(response.headers, file, attempts.settings)
                _receive(attempts, response, body)
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
        except BaseException:
            _remove(temporary)
            raise
        else:
            return DownloadedFile(target, body.sha256, body.size, notes, _facts(response, body))
    raise StorageError(
        f"{target} could not be written: {problem}",
        kept="nothing of the report",
        advice="make room or choose another folder, then run the same command again",
    )


def _facts(response: requests.Response, body: Body) -> dict[str, object]:
    return {
        "received": body.received,
        "seconds": round(response.elapsed.total_seconds(), 3),
        "host": urlsplit(response.url).hostname,
        "headers": sorted(name.lower() for name in response.headers),
    }


def _open(attempts: _Attempts, link: str) -> requests.Response:
    """Ask for a link, following redirects between allowed hosts."""
    url, settings = link, attempts.settings
    for _ in range(MAX_REDIRECTS + 1):
        parts = check_link(url, settings)
        try:
            response = attempts.session.ask(
                url,
                deadline=attempts.deadline,
                addresses=checked_addresses(parts, settings),
                is_stopped=attempts.terms.is_stopped,
            )
        except NETWORK_ERRORS as error:
            problem = attempts.meaning(error)
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


def _receive(attempts: _Attempts, response: requests.Response, body: Body) -> None:
    """Read the whole body; writing is kept apart, because both fail with OSErrors."""
    held = _held(response.headers, attempts.terms.held)
    settings = attempts.settings
    chunks = (
        read(response, deadline=attempts.deadline, monotonic=settings.monotonic)
        if held is None
        else iter(partial(held.read, CHUNK), b"")
    )
    with held or nullcontext():
        while not attempts.terms.is_stopped():
            try:
                chunk = next(chunks, b"")
            except NETWORK_ERRORS as error:
                problem = attempts.meaning(error).text
                raise Failure(
                    f"the file is not complete: {problem}", again=True, renew=True
                ) from None
            if not chunk:
                return
            body.add(chunk)
    raise Failure("stopped: nobody waits for this file any more")


def _held(headers: Mapping[str, str], held: Mapping[bytes, Path]) -> BinaryIO | None:
    """Open the file that is here already, if the answer announces the same bytes."""
    path = held.get(announced_digest(headers))
    if path is None or "Content-Encoding" in headers:
        return None
    try:
        file = path.open("rb")
    except OSError:
        return None
    size = os.fstat(file.fileno()).st_size
    if headers.get("Content-Length", str(size)) == str(size):
        return file
    file.close()
    return None


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
        handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
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
