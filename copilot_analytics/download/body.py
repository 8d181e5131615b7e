"""Whether the bytes of a file are all there, and are the kind of file that was promised."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from copilot_analytics.errors import ContractError, CopilotAnalyticsError, DownloadError

_PIECE = 1024 * 1024
_GZIP = b"\x1f\x8b"
_DIGESTS = ("Content-MD5", "x-ms-blob-content-md5")
_TAIL = 64 * 1024**2


class Failure(Exception):
    """Why one try at a link gave no file; it never leaves this package.

    `again` means that the same link may work, `renew` that another link for the same file may.
    `leftover` is what was received, where a person may want to look at it.
    """

    def __init__(
        self,
        problem: str,
        *,
        error: type[CopilotAnalyticsError] = DownloadError,
        said: str = "",
        advice: str = "run the same command again",
        again: bool = False,
        renew: bool = False,
    ):
        super().__init__(problem)
        self.problem, self.error, self.said, self.advice = problem, error, said, advice
        self.again, self.renew = again, renew
        self.leftover: Path | None = None


class Body:
    """The bytes of one file while they arrive: decoded, counted, digested, written."""

    def __init__(self, headers: Mapping[str, str], file: BinaryIO, settings):
        self._headers, self._file, self._settings = headers, file, settings
        self._decoder: _Gunzip | None = None
        self._first = b""
        self._is_started = False
        self._received_md5 = hashlib.md5(usedforsecurity=False)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._line = 0
        self.received = 0
        self.size = 0

    @property
    def sha256(self) -> str:
        """Digest of the decoded bytes, in hexadecimal."""
        return self._sha256.hexdigest()

    def add(self, chunk: bytes) -> None:
        """Take bytes as they came from the network."""
        self.received += len(chunk)
        self._received_md5.update(chunk)
        if self._is_started:
            self._write(chunk)
            return
        self._first += chunk
        if len(self._first) >= len(_GZIP):
            self._start()

    def _start(self) -> None:
        """Choose the decoder: some servers compress without being asked, or without saying so."""
        encoding = self._headers.get("Content-Encoding", "identity").strip().lower() or "identity"
        if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
            raise Failure(
                f"the file is compressed in a way that was not asked for ({encoding[:20]})",
                error=ContractError,
                advice="a proxy may have compressed it: check HTTPS_PROXY",
            )
        if encoding != "identity" or self._first.startswith(_GZIP):
            self._decoder = _Gunzip()
        self._is_started = True
        self._write(self._first)

    def _write(self, chunk: bytes) -> None:
        for piece in self._decoder.decode(chunk) if self._decoder else (chunk,):
            self._append(piece)

    def _append(self, piece: bytes) -> None:
        self.size += len(piece)
        newline = piece.rfind(b"\n")
        self._line = self._line + len(piece) if newline < 0 else len(piece) - newline - 1
        limits = self._settings
        for is_beyond, what in (
            (self.size > limits.max_file_bytes, f"is larger than {limits.max_file_bytes:,} bytes"),
            (
                self._line > limits.max_line_bytes,
                f"has a line longer than {limits.max_line_bytes:,} bytes",
            ),
            (
                self.size > _PIECE + limits.max_ratio * self.received,
                f"grows to more than {limits.max_ratio} times what was received",
            ),
        ):
            if is_beyond:
                raise Failure(
                    f"the file {what}",
                    error=ContractError,
                    advice="no report of GitHub is known to be like this: please report it",
                )
        self._sha256.update(piece)
        self._md5.update(piece)
        self._file.write(piece)

    def finish(self) -> None:
        """Check that nothing is missing at the end, and that what was sent is what arrived."""
        if not self._is_started and self._first:
            self._start()
        if self._decoder:
            for piece in self._decoder.finish():
                self._append(piece)
        length = self._headers.get("Content-Length", "")
        if length.isdigit() and int(length) != self.received:
            raise _incomplete(f"{self.received:,} of {int(length):,} bytes came")
        for name in _DIGESTS:
            digests = (self._received_md5.digest(), self._md5.digest())
            if name in self._headers and _decoded_md5(self._headers[name]) not in digests:
                raise _incomplete(f"the bytes do not agree with their digest ({name})")

    @property
    def is_length_verified(self) -> bool:
        """Whether anything but the end of the connection says that the file is whole."""
        headers = self._headers
        return (
            headers.get("Content-Length", "").isdigit()
            or "chunked" in headers.get("Transfer-Encoding", "").lower()
            or self._decoder is not None
            or any(name in headers for name in _DIGESTS)
        )


def check_content(path: Path, headers: Mapping[str, str], is_length_verified: bool) -> None:
    """Check that a file holds JSON and does not end within a record.

    Rows are not read: that is the work of `copilot_analytics.tidy`.
    """
    with path.open("rb") as file:
        start = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
        if not start.startswith((b"{", b"[")):
            raise _wrong_kind(start, headers)
        size = file.seek(0, os.SEEK_END)
        file.seek(size - 1)
        is_line_end = file.read(1) == b"\n"
    if not (is_line_end and is_length_verified) and not _ends_with_record(path):
        raise _incomplete("it ends within a record")


def _wrong_kind(start: bytes, headers: Mapping[str, str]) -> Failure:
    lowered = start.lower()
    content_type = headers.get("Content-Type", "").lower()
    is_html = lowered.startswith((b"<!doctype html", b"<html")) or "html" in content_type
    if is_html:
        problem = "an HTML page came instead of the file"
        advice = "a proxy or sign-in page answered: check HTTPS_PROXY and the network's sign-in"
    elif lowered.startswith(b"<"):
        code = storage_code(start)
        problem = f"an XML message came instead of the file{f': {code}' if code else ''}"
        advice = "run the same command again; if it stays, please report it"
    else:
        problem = f"the file starts with {start[:64]!r}, which is not JSON"
        advice = "if it stays, please report it"
    return Failure(problem, error=ContractError, advice=advice)


def storage_code(body: bytes) -> str:
    """Return the error code of Azure's storage, the only part of its message without addresses.

    >>> storage_code(b"<Error><Code>AuthenticationFailed</Code></Error>")
    'AuthenticationFailed'
    """
    found = re.search(rb"<Code>([A-Za-z]{1,60})</Code>", body)
    return found[1].decode() if found else ""


def _ends_with_record(path: Path) -> bool:
    """Return whether the last line, or the file as a whole, is complete JSON."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _TAIL, 0))
        tail = file.read().strip()
    last_line = tail[tail.rfind(b"\n") + 1 :]
    is_record = isinstance(_parsed(last_line), dict)
    return is_record or (size <= _TAIL and isinstance(_parsed(tail), (dict, list)))


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def announced_digest(headers: Mapping[str, str]) -> bytes:
    """Return the MD5 that an answer announces, b"" where it announces none that can be read."""
    return next((_decoded_md5(headers[name]) for name in _DIGESTS if name in headers), b"")


def _decoded_md5(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _incomplete(problem: str) -> Failure:
    return Failure(f"the file is not complete: {problem}", again=True, renew=True)


class _Gunzip:
    """Decode gzip or zlib in pieces of bounded size, and know whether its end mark came."""

    def __init__(self):
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflate.eof:  # several compressed parts may follow each other
                self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            try:
                piece = self._inflate.decompress(data, _PIECE)
            except zlib.error:
                raise _incomplete("its compression is damaged") from None
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> Iterator[bytes]:
        yield self._inflate.flush()
        if not self._inflate.eof:
            raise _incomplete("its compression has no end")
