"""Links and envelopes that came through another client than ours."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date
from pathlib import Path
from types import SimpleNamespace

from copilot_analytics import catalogue
from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Envelope, Outcome, Settings, check_day, classify, messages
from copilot_analytics.client.envelope import Request, read_envelope
from copilot_analytics.client.outcomes import Answer
from copilot_analytics.errors import UsageError

# Asks GitHub for a path with query parameters, and returns the answer as any kind of envelope.
Call = Callable[[str, dict[str, str]], object]

_FIELDS = ("download_links", "report_day", "report_start_day", "report_end_day")
_ENDPOINT = SimpleNamespace(report="report")


class _Unknown(Request):
    """Stands for the question where only its answer was handed over."""

    def __str__(self) -> str:
        return "the envelope"


def ask(
    call: Call, report: str, scope: Scope, day: str | date | None, settings: Settings
) -> Envelope:
    """Ask for one report through another client, and check the answer as if it were our own."""
    endpoint = catalogue.endpoint(report, scope.kind)
    request = Request(endpoint, scope, check_day(endpoint, day, _today(settings)))
    parameters = {"day": request.day.isoformat()} if request.day else {}
    content = call(endpoint.path.format(name=scope.name), parameters)
    return _checked(_as_json(content), request, settings)


def read(given: object, scope: Scope | None, settings: Settings) -> Envelope:
    """Return links, or an envelope of any kind, as an envelope that has been checked.

    Raises
    ------
    UsageError
        It is neither a link, nor an envelope, nor a file with one of these.
    ContractError
        It is an envelope with something else inside than links and days.
    """
    content = _content(given)
    if not isinstance(content, (list, tuple)):
        body = _as_json(content)
        return _checked(body, _Unknown(_ENDPOINT, scope, _report_day(body)), settings)
    if not content or not all(isinstance(link, str) for link in content):
        raise UsageError(
            "there are no links, or something else among them",
            advice="give links as text, or the envelope that GitHub answers",
        )
    return Envelope(report="report", scope=scope, links=tuple(content))


def _checked(body: bytes, request: Request, settings: Settings) -> Envelope:
    answer = Answer(classify(200, {}, body), None, {}, body)
    if answer.outcome in (Outcome.NOT_READY, Outcome.EMPTY):
        raise messages.no_report_error(answer, request, _today(settings))
    return read_envelope(answer, request, settings.max_links)


def _content(given: object) -> object:
    """Read what is text or a file; leave everything else as it is."""
    if isinstance(given, str) and given.startswith(("https://", "http://")):
        return [given]
    is_text = isinstance(given, (str, bytes)) and given.lstrip()[:1] in ("{", "[", b"{", b"[")
    if isinstance(given, (str, os.PathLike)) and not is_text:
        given = _file(Path(given).expanduser())
    if not isinstance(given, (str, bytes)):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given  # the check of the envelope says what it is instead


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or type(error).__name__
    raise UsageError(
        f"{str(path)[:100]} cannot be read: {problem}",
        advice="give a link, an envelope, or the path of a file with what GitHub answered",
    )


def _as_json(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    if inspect.iscoroutine(content):
        content.close()
        raise UsageError(
            "the client answers with a coroutine",
            advice="use its synchronous form, or a function that waits for the answer",
        )
    if hasattr(content, "download_links"):  # a model of githubkit
        content = {name: getattr(content, name) for name in _FIELDS if hasattr(content, name)}
    elif isinstance(content, Mapping):
        content = dict(content)
    return json.dumps(content, default=_plain).encode()


def _plain(value: object) -> object:
    """Turn what other clients make of JSON back into JSON: days, and their own kinds of lists."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Iterable):
        return list(value)
    raise UsageError(
        f"{type(value).__name__} is no answer of GitHub",
        advice="give the body of the answer, as text, bytes, a dictionary or an object that has "
        "download_links",
    )


def _report_day(body: bytes) -> date | None:
    """Return the day of a 1-day report, None where there is none; it is checked elsewhere."""
    try:
        return date.fromisoformat(json.loads(body)["report_day"])
    except (ValueError, TypeError, KeyError):
        return None


def _today(settings: Settings) -> date:
    return settings.clock().astimezone(UTC).date()
