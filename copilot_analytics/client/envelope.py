"""What GitHub says about a report before it is downloaded: the links and the days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from copilot_analytics import catalogue
from copilot_analytics.catalogue import Endpoint, Scope
from copilot_analytics.client.headers import header
from copilot_analytics.client.outcomes import Answer, is_html, parse_json
from copilot_analytics.errors import ContractError


@dataclass(frozen=True)
class Call:
    """One call of the API: the address without the host, and what messages call it.

    `is_sign_in` marks the call of a GitHub App for a token: the App itself makes it.
    """

    path: str
    name: str
    method: str = "GET"
    is_sign_in: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Request:
    """One report, of one organization or enterprise, for one day or the latest 28."""

    endpoint: Endpoint
    scope: Scope
    day: date | None = None

    @property
    def call(self) -> Call:
        """The call that asks for it."""
        query = f"?{urlencode({'day': self.day.isoformat()})}" if self.day else ""
        return Call(self.endpoint.path.format(name=self.scope.name) + query, str(self))

    def __str__(self) -> str:
        when = f" for {self.day}" if self.day else ""
        return f"{self.endpoint.report} of {self.scope.kind} {self.scope.name}{when}"


@dataclass(frozen=True)
class Envelope:
    """GitHub's answer for one report: where its files are, and which days they cover.

    The links are credentials with a life of about an hour; they are never shown. `report_day` is
    the day of a 1-day report; `report_start_day` and `report_end_day` are the first and last day
    of a 28-day report. `is_partial` is True where single sign-on hides organizations.
    """

    report: str
    scope: Scope
    links: tuple[str, ...] = field(repr=False)
    report_day: date | None = None
    report_start_day: date | None = None
    report_end_day: date | None = None
    request_id: str = ""
    is_partial: bool = False
    notes: tuple[str, ...] = ()


def read_envelope(
    answer: Answer, request: Request, max_links: int, seen: set[str] | None = None
) -> Envelope:
    """Check an answer with status 200 and return it as an envelope.

    Fields that GitHub has added are noted, and put into `seen`; those already there are not.

    Raises
    ------
    ContractError
        The answer is not an envelope, or one for other days than were asked for.
    """
    content = parse_json(answer.body)
    links, notes = _links(content, answer, request, max_links)
    days = {
        name: _day(content.get(name), name, answer, request)
        for name in ("report_day", "report_start_day", "report_end_day")
    }
    notes += _check_days(days, answer, request)
    seen = set() if seen is None else seen
    known = {field.path.removesuffix("[]") for field in catalogue.record_fields("envelope")}
    unknown = sorted(set(content) - known - seen)
    if unknown:
        seen.update(unknown)
        notes.append(f"unknown fields in the answer: {', '.join(unknown)[:200]}")
    sso = header(answer.headers, "x-github-sso")
    if is_partial := sso.lower().startswith("partial-results"):
        notes.append(f"single sign-on hides some organizations: {sso[:300]}")
    return Envelope(
        report=request.endpoint.report,
        scope=request.scope,
        links=links,
        request_id=header(answer.headers, "x-github-request-id"),
        is_partial=is_partial,
        notes=(*answer.notes, *notes),
        **days,
    )


def _links(
    content: object, answer: Answer, request: Request, max_links: int
) -> tuple[tuple[str, ...], list[str]]:
    if not isinstance(content, Mapping):
        kind = "an HTML page" if is_html(answer.headers, answer.body) else _shape(content)
        raise _unexpected(request, answer, f"the answer is {kind}, not a JSON object with links")
    links = content.get("download_links")
    if not isinstance(links, list) or not all(isinstance(link, str) and link for link in links):
        raise _unexpected(request, answer, f"download_links is {_shape(links)}, not a list of text")
    if len(links) > max_links:
        raise _unexpected(request, answer, f"{len(links)} links, more than the {max_links} allowed")
    unique = tuple(dict.fromkeys(links))
    repeated = len(links) - len(unique)
    return unique, [f"{repeated} links came twice and are fetched once"] if repeated else []


def _shape(value: object) -> str:
    """Name the JSON type of a value, and of what a list holds."""
    if isinstance(value, list):
        return f"a list of {', '.join(sorted({_shape(item) for item in value})) or 'nothing'}"
    names = {dict: "an object", str: "text", bool: "a flag", type(None): "null or missing"}
    names |= {int: "a number", float: "a number"}
    return names.get(type(value), "no JSON")


def _day(value: object, name: str, answer: Answer, request: Request) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        problem = f"{name} is {value!r:.40}, not a day"
    raise _unexpected(request, answer, problem)


def _check_days(days: dict[str, date | None], answer: Answer, request: Request) -> list[str]:
    """Fill in and return notes about the days; raise where they are not those asked for."""
    if request.day:
        if days["report_day"] not in (request.day, None):
            raise _unexpected(
                request, answer, f"GitHub sent the report for {days['report_day']} instead"
            )
        if days["report_day"]:
            return []
        days["report_day"] = request.day
        return ["the answer does not say which day it is for"]
    start, end = days["report_start_day"], days["report_end_day"]
    if start is None or end is None:
        raise _unexpected(request, answer, "the answer does not say which days it covers")
    if start > end:
        raise _unexpected(request, answer, f"the period starts on {start} and ends on {end}")
    length = (end - start).days + 1
    return [] if length == 28 else [f"the period has {length} days instead of 28"]


def _unexpected(request: Request, answer: Answer, problem: str) -> ContractError:
    is_page = is_html(answer.headers, answer.body)
    return ContractError(
        f"{request}: {problem}",
        said=said(answer),
        kept="nothing of this answer",
        advice="a proxy or sign-in page answered instead of GitHub: check HTTPS_PROXY and the "
        "network's sign-in"
        if is_page
        else "run it again later; if it stays, GitHub's interface has changed: please report it",
    )


def said(answer: Answer) -> str:
    """Return what the other side said, short enough for one line and without markup."""
    if answer.status is None:
        return ""
    parts = [f"HTTP {answer.status}", _message(answer)]
    request_id = header(answer.headers, "x-github-request-id")
    if request_id:
        parts.append(f"(request {request_id[:60]})")
    return " ".join(part for part in parts if part)


def _message(answer: Answer) -> str:
    if is_html(answer.headers, answer.body):
        return "with an HTML page"
    content = parse_json(answer.body)
    if isinstance(content, Mapping):
        keys = ("message", "errors", "documentation_url")
        text = ", ".join(str(content[key]) for key in keys if content.get(key))
    else:
        text = content if isinstance(content, str) else answer.body[:300].decode("utf-8", "replace")
    # Control characters could rewrite what a terminal shows.
    text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())[:300]
