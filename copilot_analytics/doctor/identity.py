"""Who asks: the token, whose it is, and what GitHub says about it."""

from __future__ import annotations

from collections.abc import Iterable

from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Client, Settings
from copilot_analytics.client.headers import EXPIRY_WARNING, header, token_expiry
from copilot_analytics.client.outcomes import POLICY, Answer, Outcome, parse_json, reset_time
from copilot_analytics.doctor.checks import Check, failure
from copilot_analytics.errors import CopilotAnalyticsError, CredentialsError, NotAllowedError

# GitHub: "REST API endpoints for Copilot usage metrics", and "Scopes for OAuth apps" for what a
# wider scope includes.
SCOPES = {
    "organization": {"read:org", "write:org", "admin:org"},
    "enterprise": {"manage_billing:copilot", "copilot", "read:enterprise", "admin:enterprise"},
}
# What GitHub answers to a token that is good, but belongs to no person.
_ACCEPTED = (Outcome.FORBIDDEN, Outcome.NOT_FOUND_AMBIGUOUS)


def token_check(settings: Settings, scope: Scope | None) -> Check:
    """Say where the token comes from, and whether its kind can see the reports."""
    if settings.app:
        return Check("token", "ok", f"made by {settings.app}")
    token = settings.token
    if not token:
        advice = "set GITHUB_TOKEN, GITHUB_TOKEN_FILE or the variables of a GitHub App"
        return Check("token", "failed", "there is none", advice, CredentialsError.exit_code)
    found = f"{token.kind or 'token of an unknown kind'}, from {token.source}"
    if token.kind.startswith("fine-grained") and scope and scope.kind == "enterprise":
        advice = "use a classic token, or a GitHub App that is installed on the enterprise"
        found += ": this kind cannot see the reports of an enterprise"
        return Check("token", "failed", found, advice, NotAllowedError.exit_code)
    return Check("token", "ok", found)


def identity_checks(client: Client, scope: Scope | None) -> list[Check]:
    """Say whose token it is, and what GitHub's headers tell about it."""
    try:
        answer = client.ask("/user")
    except CopilotAnalyticsError as error:
        return [failure("identity", error)]
    identity = _identity_of(answer, client.settings)
    if identity.state == "failed":
        return [identity]
    return [identity, *_scopes(answer, scope), _expiry(answer, client), _rate_limit(answer)]


def _identity_of(answer: Answer, settings: Settings) -> Check:
    content = parse_json(answer.body)
    if answer.status == 200 and isinstance(content, dict) and content.get("login"):
        return Check("identity", "ok", f"signed in as {content['login']}")
    if answer.outcome in _ACCEPTED and not answer.problem:
        who = settings.app or "the token"
        return Check("identity", "ok", f"{who} is accepted; GitHub names no person for it")
    found = answer.problem or f"GitHub does not accept the token (HTTP {answer.status})"
    advice = answer.advice or "make another token; do not repeat with this one"
    if answer.outcome is Outcome.SERVER_ERROR:
        found, advice = f"GitHub's server failed (HTTP {answer.status})", "run it again later"
    return Check("identity", "failed", found, advice, POLICY[answer.outcome].error.exit_code)


def _scopes(answer: Answer, scope: Scope | None) -> Iterable[Check]:
    """Compare the scopes of a classic token with what the reports need; others have none."""
    if not any(name.lower() == "x-oauth-scopes" for name in answer.headers):
        return
    scopes = {text.strip() for text in header(answer.headers, "x-oauth-scopes").split(",")} - {""}
    found = ", ".join(sorted(scopes)) or "none"
    if scope and not scopes & SCOPES[scope.kind]:
        needed = {"organization": "read:org", "enterprise": "read:enterprise"}[scope.kind]
        advice = f"add the scope {needed} to the token, or make another with it"
        yield Check("scopes", "failed", found, advice, NotAllowedError.exit_code)
    else:
        yield Check("scopes", "ok", found)


def _expiry(answer: Answer, client: Client) -> Check:
    expiry = token_expiry(answer.headers)
    if client.settings.app or expiry is None:
        return Check("token expiry", "ok", "GitHub gives no date")
    is_near = expiry - client.settings.clock() < EXPIRY_WARNING
    state, advice = ("warning", "make another token in time") if is_near else ("ok", "")
    return Check("token expiry", state, f"{expiry:%Y-%m-%d %H:%M} UTC", advice)


def _rate_limit(answer: Answer) -> Check:
    left, limit = (header(answer.headers, f"x-ratelimit-{name}") for name in ("remaining", "limit"))
    if not left.isdigit():
        return Check("rate limit", "skipped", "GitHub gave no numbers")
    reset = reset_time(answer.headers)
    until = f", until {reset:%Y-%m-%d %H:%M} UTC" if reset else ""
    found = f"{left} of {limit} calls left{until}"
    if int(left):
        return Check("rate limit", "ok", found)
    return Check("rate limit", "warning", found, "wait until GitHub allows more")
