"""The exception family of the toolkit, its exit codes, and the removal of secrets from text.

Every error says four things: what failed, what the other side said, what was kept, and what to do
next. The classes differ by who has to act, which is also what the exit code tells a scheduler.
"""

from __future__ import annotations

import re

EXIT_CODES = {
    0: "everything asked for is there, or is not due yet",
    1: "internal error: please report it",
    2: "wrong usage or configuration",
    3: "partial: some days are missing, failed or damaged; what is there is consistent",
    4: "data older than --max-age",
    10: "archive absent, unreadable or of a newer format",
    11: "archive in use by another run",
    12: "bad credentials; do not retry",
    13: "not allowed, policy off, single sign-on needed, or unknown organization or enterprise",
    14: "rate limit beyond the wait budget",
    15: "network, certificate or upstream failure",
    16: "content that is not what the interface promises",
    17: "local storage failed",
    18: "verification found damage",
    19: "report failed",
    20: "report kernel died or timed out",
    130: "interrupted",
    143: "terminated",
}

# The most urgent first: what a person must mend, then what heals by trying again, then the rest.
SEVERITY = (1, 2, 10, 12, 13, 16, 17, 18, 19, 20, 11, 14, 15, 3, 4, 0)


def worst(codes) -> int:
    """Return the exit code that matters most among ``codes``.

    >>> worst([0, 3, 13, 15])
    13
    """
    return min(codes, key=SEVERITY.index, default=0)


class CopilotAnalyticsError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    what
        What failed: the command, file, line, field, scope or day.
    said
        What the other side said, shortened.
    kept
        What was kept or left unchanged.
    advice
        What to do next.
    """

    exit_code = 1

    def __init__(self, what: str, *, said: str = "", kept: str = "", advice: str = ""):
        self.what, self.said, self.kept, self.advice = map(redact, (what, said, kept, advice))
        super().__init__(self.what)

    def __str__(self) -> str:
        parts = [self.what]
        if self.said:
            parts.append(f"It said: {self.said}")
        if self.kept:
            parts.append(f"Kept: {self.kept}")
        if self.advice:
            parts.append(f"Next: {self.advice}")
        return "\n".join(parts)

    def as_dict(self) -> dict:
        """Return the four parts and the exit code, for ``--json``."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "said": self.said,
            "kept": self.kept,
            "next": self.advice,
            "exit_code": self.exit_code,
        }


class UsageError(CopilotAnalyticsError):
    """An argument, setting or environment variable is wrong; nothing was started."""

    exit_code = 2


class NoReportError(CopilotAnalyticsError):
    """GitHub has no report for the day asked for.

    `state` says what that means: ``pending`` (it may still come), ``empty`` (GitHub confirms that
    there is nothing) or ``missing`` (it should be there by now, and is not).
    """

    exit_code = 3

    def __init__(self, what: str, *, state: str = "missing", **parts: str):
        super().__init__(what, **parts)
        self.state = state

    @property
    def is_final(self) -> bool:
        """Whether asking again makes no sense."""
        return self.state != "pending"


class DownloadError(CopilotAnalyticsError):
    """A link of a report could not be read completely; nothing of the report was kept."""

    exit_code = 3


class ArchiveError(CopilotAnalyticsError):
    """The archive is absent, unreadable, or written by a newer version."""

    exit_code = 10


class LockedError(CopilotAnalyticsError):
    """Another process is writing to the archive."""

    exit_code = 11


class CredentialsError(CopilotAnalyticsError):
    """The token is missing or was refused."""

    exit_code = 12


class NotAllowedError(CopilotAnalyticsError):
    """The token is valid, but may not see this; or the name does not exist for it."""

    exit_code = 13


class RateLimitError(CopilotAnalyticsError):
    """GitHub asks to wait longer than the wait budget allows."""

    exit_code = 14


class NetworkError(CopilotAnalyticsError):
    """The connection, the certificate check or the server failed."""

    exit_code = 15


class ContractError(CopilotAnalyticsError):
    """An answer, a link or a file is not what the interface promises."""

    exit_code = 16


class ContentError(ContractError):
    """A file holds something that is not a valid report record.

    `file`, `line`, `field` and `problem` say where and what, for tools that want to show it.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str = "",
        line: int | None = None,
        field: str = "",
        **parts: str,
    ):
        self.file, self.line, self.field, self.problem = file, line, field, problem
        place = ", ".join(
            text
            for text in (file, f"line {line}" if line else "", f"field {field}" if field else "")
            if text
        )
        super().__init__(f"{place}: {problem}" if place else problem, **parts)


class StorageError(CopilotAnalyticsError):
    """Writing to or reading from the local disk failed."""

    exit_code = 17


class DamageError(CopilotAnalyticsError):
    """Verification found that stored data is not what was stored."""

    exit_code = 18


class ReportError(CopilotAnalyticsError):
    """A notebook failed or did not finish; the last good report stays."""

    exit_code = 19


class KernelError(ReportError):
    """The notebook's kernel died or ran out of time; the last good report stays."""

    exit_code = 20


_SECRETS = (
    # Tokens of Apps hold a JWT: https://docs.github.com/apps (generating an installation token).
    (re.compile(r"\b(?:gh[a-z]_|github_pat_)\w{8,}(?:[.-]+\w+)*"), "***"),
    (re.compile(r"(?s)-----BEGIN [A-Z ]*KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)"), "***"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "***"),
    (re.compile(r"(?i)\b(bearer|basic|token)\s+[\w.~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"(?i)(://)[^/\s:@]+:[^/\s@]+@"), r"\1***@"),
    (re.compile(r"(?i)((?:https?://|/)[^\s?\"'<>]*)\?[^\s\"'<>)]+"), r"\1?***"),
    (re.compile(r"(?i)\b(sig|se|st|sv|authorization_request)=[^\s&\"'<>)]+"), r"\1=***"),
)


def redact(text: object) -> str:
    """Return ``text`` without tokens, passwords and the query part of any address.

    Signed links are credentials, so their whole query goes, not only the signature.

    >>> redact("GET https://host.example/part-0?se=1&sig=abc failed, token ghp_0123456789abcdef")
    'GET https://host.example/part-0?*** failed, token ***'
    """
    result = str(text)
    for pattern, replacement in _SECRETS:
        result = pattern.sub(replacement, result)
    return result
