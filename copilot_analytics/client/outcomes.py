"""What an answer of GitHub means, and how often and how long to ask again: as data.

`RULES` alone say what a status means, and `classify` reads them; `POLICY` alone decides about
asking again. Both are tables, and pure, so that tests can walk through them row by row.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from copilot_analytics.errors import (
    ContractError,
    CopilotAnalyticsError,
    CredentialsError,
    NetworkError,
    NoReportError,
    NotAllowedError,
    RateLimitError,
)


class Outcome(StrEnum):
    """All that an attempt to ask GitHub can come to."""

    OK = "ok"
    NOT_READY = "not_ready"
    EMPTY = "empty"
    BAD_REQUEST = "bad_request"
    BAD_CREDENTIALS = "bad_credentials"
    SSO_REQUIRED = "sso_required"
    POLICY_DISABLED = "policy_disabled"
    FORBIDDEN = "forbidden"
    NOT_FOUND_AMBIGUOUS = "not_found_ambiguous"
    RATE_PRIMARY = "rate_primary"
    RATE_SECONDARY = "rate_secondary"
    SERVER_ERROR = "server_error"
    NETWORK = "network"
    TLS = "tls"
    CONTRACT = "contract"


@dataclass(frozen=True)
class Policy:
    """How often to ask, how long to wait between, and the error that ends it.

    `tries` is None where only the wait budget ends it. `waits` are seconds before the second,
    third, … try: drawn between 0 and the value (``jitter``) or as they are (``fixed``). ``limit``
    waits as GitHub's headers say. A body that holds `unless` is not asked for again.
    """

    error: type[CopilotAnalyticsError] | None
    tries: int | None = 1
    waits: tuple[float, ...] = ()
    rule: str = "jitter"
    unless: str = ""


_HEALS = (1, 2, 4, 8)

POLICY: dict[Outcome, Policy] = {
    Outcome.OK: Policy(None),
    Outcome.NOT_READY: Policy(NoReportError),
    Outcome.EMPTY: Policy(NoReportError),
    Outcome.BAD_REQUEST: Policy(ContractError),
    # Several invalid logins in a short time lock the account, so a bad token is sent only once.
    Outcome.BAD_CREDENTIALS: Policy(
        CredentialsError, tries=2, waits=(2,), rule="fixed", unless="bad credentials"
    ),
    Outcome.SSO_REQUIRED: Policy(NotAllowedError),
    Outcome.POLICY_DISABLED: Policy(NotAllowedError),
    Outcome.FORBIDDEN: Policy(NotAllowedError),
    # The error where the canary is not found either; otherwise there is no report for the day.
    Outcome.NOT_FOUND_AMBIGUOUS: Policy(NotAllowedError),
    Outcome.RATE_PRIMARY: Policy(RateLimitError, tries=None, rule="limit"),
    Outcome.RATE_SECONDARY: Policy(RateLimitError, tries=5, rule="limit"),
    Outcome.SERVER_ERROR: Policy(NetworkError, tries=5, waits=_HEALS),
    Outcome.NETWORK: Policy(NetworkError, tries=5, waits=_HEALS),
    Outcome.TLS: Policy(NetworkError),
    Outcome.CONTRACT: Policy(ContractError),
}


@dataclass(frozen=True)
class Answer:
    """One answer, or what came instead of one.

    `problem` says in words what no status says; `is_final` forbids to ask again. Headers and body
    may hold links and tokens: they are not shown.
    """

    outcome: Outcome
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    problem: str = ""
    advice: str = ""
    is_final: bool = False
    notes: tuple[str, ...] = ()


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Return what an answer means.

    Parameters
    ----------
    status
        HTTP status.
    headers
        Headers of the answer; the case of their names does not matter.
    body
        The answer's bytes.

    Returns
    -------
    Outcome
        ``network`` and ``tls`` are never returned for an answer, except for the 407 of a proxy.

    Notes
    -----
    GitHub: "Rate limits for the REST API", "Troubleshooting the REST API", "Authenticating to the
    REST API", and what readers of these endpoints have seen.

    Examples
    --------
    >>> classify(204, {}, b"")
    <Outcome.NOT_READY: 'not_ready'>
    >>> classify(403, {"X-RateLimit-Remaining": "0"}, b"")
    <Outcome.RATE_PRIMARY: 'rate_primary'>
    """
    headers = {name.lower(): value.strip() for name, value in headers.items()}
    for statuses, sign, outcome in RULES:
        if status in statuses and (sign is None or sign(headers, body)):
            return outcome
    return Outcome.CONTRACT


def _is_nothing(headers: Mapping[str, str], body: bytes) -> bool:
    """No bytes, null, or a sentence instead of an envelope."""
    content = parse_json(body) if body.strip() else None
    return content is None or isinstance(content, str)


def _has_no_links(headers: Mapping[str, str], body: bytes) -> bool:
    return _links(body) == []


def _has_links(headers: Mapping[str, str], body: bytes) -> bool:
    links = _links(body)
    return isinstance(links, list) and all(isinstance(link, str) and link for link in links)


def _links(body: bytes) -> object:
    content = parse_json(body)
    return content.get("download_links") if isinstance(content, dict) else None


def _is_secondary_limit(headers: Mapping[str, str], body: bytes) -> bool:
    text = _lowered(body)
    signs = ("secondary rate limit", "secondary-rate-limits", "abuse detection")
    return any(sign in text for sign in signs)


def _is_primary_limit(headers: Mapping[str, str], body: bytes) -> bool:
    return headers.get("x-ratelimit-remaining") == "0" or "api rate limit" in _lowered(body)


def _asks_to_wait(headers: Mapping[str, str], body: bytes) -> bool:
    return "retry-after" in headers


def _is_policy_off(headers: Mapping[str, str], body: bytes) -> bool:
    text = _lowered(body)
    return "usage metrics" in text and "policy" in text


def _needs_sso(headers: Mapping[str, str], body: bytes) -> bool:
    return headers.get("x-github-sso", "").lower().startswith("required")


def _lowered(body: bytes) -> str:
    return body.decode("utf-8", "replace").lower()


# The first row that fits gives an answer its meaning; where none fits, it breaks the contract.
# GitHub uses 403 for limits and for permissions, and 404 for what a token may not see.
RULES: tuple[tuple[Collection[int], Callable | None, Outcome], ...] = (
    # (statuses, sign that has to be there, meaning)
    ((200,), _is_nothing, Outcome.NOT_READY),
    ((200,), _has_no_links, Outcome.EMPTY),
    ((200,), _has_links, Outcome.OK),
    ((204,), None, Outcome.NOT_READY),
    ((401,), None, Outcome.BAD_CREDENTIALS),
    ((403, 429), _is_secondary_limit, Outcome.RATE_SECONDARY),
    ((403, 429), _is_primary_limit, Outcome.RATE_PRIMARY),
    ((403,), _asks_to_wait, Outcome.RATE_SECONDARY),
    ((429,), None, Outcome.RATE_SECONDARY),
    ((403,), _is_policy_off, Outcome.POLICY_DISABLED),
    ((403, 404, 410), _needs_sso, Outcome.SSO_REQUIRED),
    ((403,), None, Outcome.FORBIDDEN),
    ((404, 410), None, Outcome.NOT_FOUND_AMBIGUOUS),
    ((407,), None, Outcome.NETWORK),
    ((408, *range(500, 1000)), None, Outcome.SERVER_ERROR),
    (range(400, 500), None, Outcome.BAD_REQUEST),
)


class _Unreadable:
    """Stands for a body that is not JSON; None would mean JSON's null."""


def parse_json(body: bytes) -> object:
    """Return the content of a JSON body; something that is no JSON type where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _Unreadable()


def is_html(headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether an answer is a web page, as proxies and sign-in portals give."""
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    types = [value for name, value in headers.items() if name.lower() == "content-type"]
    return start.startswith((b"<!doctype", b"<html")) or any("html" in text for text in types)


def seconds_to_retry(
    answer: Answer, tries: int, now: datetime, default: float = 60
) -> float | None:
    """Return how long to wait before asking again, None for not at all.

    Parameters
    ----------
    answer
        The answer to the last try.
    tries
        How many times this outcome has come.
    now
        Time of day with a zone, to compare with the times that GitHub gives.
    default
        Seconds for a limit that gives no readable time.
    """
    policy = POLICY[answer.outcome]
    is_last = policy.tries is not None and tries >= policy.tries
    body = answer.body.decode("utf-8", "replace").lower()
    if is_last or answer.is_final or (policy.unless and policy.unless in body):
        return None
    asked = retry_after(answer.headers, now, default)
    if policy.rule == "limit":
        return _seconds_of_limit(answer, tries, now, default, asked)
    if policy.rule == "fixed":
        return policy.waits[tries - 1]
    jitter = random.uniform(0, policy.waits[tries - 1])  # noqa: S311 - spreads load, no secret
    return max(jitter, asked or 0)


def _seconds_of_limit(
    answer: Answer, tries: int, now: datetime, default: float, asked: float | None
) -> float:
    doubled = 2.0 ** (tries - 1)
    reset = reset_time(answer.headers)
    until_reset = (reset - now).total_seconds() if reset else None
    if answer.outcome is Outcome.RATE_PRIMARY:
        wait = default if until_reset is None else until_reset
        jitter = random.uniform(1, 5)  # noqa: S311 - spreads load, no secret
        return max(wait + jitter, asked or 0, doubled)
    return asked if asked is not None else max(default, until_reset or 0) * doubled


def retry_after(headers: Mapping[str, str], now: datetime, default: float) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, None without such a header.

    Seconds and HTTP dates are read; what is negative, unreadable or beyond a month counts as
    `default`, and never less than one second is returned.

    >>> retry_after({"Retry-After": "3"}, datetime.now(UTC), 60)
    3.0
    """
    text = next((v.strip() for n, v in headers.items() if n.lower() == "retry-after"), None)
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,7}", text):
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return default
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (zoned - now).total_seconds()
    return max(seconds, 1.0) if 0 <= seconds <= 31 * 86400 else default


def reset_time(headers: Mapping[str, str]) -> datetime | None:
    """Return when the primary limit ends, None where the header is absent or unreadable.

    >>> reset_time({"X-RateLimit-Reset": "1795348800"})
    datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.timezone.utc)
    """
    text = next((v.strip() for n, v in headers.items() if n.lower() == "x-ratelimit-reset"), "")
    if not re.fullmatch(r"[0-9]{1,11}", text):
        return None
    return datetime.fromtimestamp(int(text), UTC)
