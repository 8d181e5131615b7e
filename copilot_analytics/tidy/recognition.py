"""What a file looks like that is not a report, so that the message can say so."""

from __future__ import annotations

import re

from copilot_analytics.errors import ContentError

GET_REPORT = (
    "download the usage metrics report instead (copilot-analytics fetch, or the NDJSON download of "
    "the usage page)"
)

# Keys that only occur in something else, with what that is and what to do. Order matters: rows of
# the usage API carry a `day`, too.
FOREIGN_KEYS = (
    (
        {"download_links"},
        "an answer of the API with links to a report, not the report",
        "the links expire within an hour: run copilot-analytics fetch",
    ),
    (
        {"copilot_ide_code_completions", "copilot_ide_chat", "copilot_dotcom_chat"},
        "the metrics API that GitHub closed in April 2026",
        GET_REPORT,
    ),
    (
        {"total_suggestions_count", "total_acceptances_count", "total_lines_suggested"},
        "the usage API that GitHub closed before the metrics API",
        GET_REPORT,
    ),
    (
        {"seats", "assignee", "pending_cancellation_date", "seat_breakdown"},
        "a list of Copilot seats, which holds licences and no usage",
        GET_REPORT,
    ),
    (
        {"user_totals", "records", "report"},
        "a wrapper made by another tool",
        "load the report that this tool was given, as GitHub delivered it",
    ),
    (
        {"message", "documentation_url"},
        "an error message of GitHub's API",
        "read the message; then run copilot-analytics fetch",
    ),
)

# Whose bytes nobody can read, with what to do about them.
_BYTES = (
    (rb"(?s)^PK\x03\x04.{,60}\[Content_Types\]", "an Excel workbook", GET_REPORT),
    (rb"^PK\x03\x04", "a ZIP archive", "unzip it, and give the files in it"),
    (
        rb"^(\xff\xfe|\xfe\xff)",
        "text in UTF-16, as PowerShell writes it",
        "write it as UTF-8: in PowerShell, Get-Content FILE | Set-Content -Encoding utf8 NEWFILE",
    ),
    (rb"^PAR1", "a Parquet file", GET_REPORT),
    (rb"^%PDF", "a PDF document", GET_REPORT),
    (rb"^SQLite format 3", "a SQLite database", GET_REPORT),
)
_TEXTS = (
    (re.compile(rb"(?is)^\s*(<!doctype html|<html)"), "an HTML page, such as a sign-in page"),
    (re.compile(rb"(?s)^\s*<"), "XML, such as an error message of the storage behind a link"),
    (re.compile(rb"(?s)^\s*(\"[^\"\n]*\"|[\w .#$()/-]+)[,;\t]"), "a CSV file"),
    (re.compile(rb"^\s*\""), "a JSON text, such as a note that there is no report"),
    (re.compile(rb"^\s*(null|true|false|-?\d+)\s*$"), "a single JSON value"),
)


def foreign_text(name: str, start: bytes) -> ContentError:
    """Return the error for content that does not begin like JSON objects or lists."""
    if not start.strip():
        return ContentError(
            "the file is empty",
            file=name,
            advice="a report without data still holds a record; get the file again",
        )
    for pattern, looks, advice in _BYTES:
        if re.match(pattern, start):
            return ContentError(
                f"is not a report: it is {looks}",
                file=name,
                kept="nothing of this file",
                advice=advice,
            )
    looks = next(
        (text for pattern, text in _TEXTS if pattern.search(start)), "no kind that we know"
    )
    return ContentError(
        f"is not a report: it looks like {looks}",
        file=name,
        said=printable(start),
        kept="nothing of this file",
        advice=GET_REPORT,
    )


def foreign_object(keys) -> tuple[str, str] | None:
    """Return what is wrong with an object whose keys belong to something else, and what to do."""
    for known, looks, advice in FOREIGN_KEYS:
        found = known & set(keys)
        if found:
            return f"is not a report: {', '.join(sorted(found))} belongs to {looks}", advice
    return None


def printable(start: bytes) -> str:
    """Return the first 64 bytes so that they can be shown."""
    return start[:64].decode("utf-8", "backslashreplace").encode("unicode_escape").decode()
