"""The error that an answer ends in, with what a person can do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from copilot_analytics.catalogue import SETTLE_DAYS, is_settled
from copilot_analytics.client.envelope import Call, Request, said
from copilot_analytics.client.headers import header
from copilot_analytics.client.outcomes import POLICY, Answer, Outcome, is_html
from copilot_analytics.errors import CopilotAnalyticsError, NoReportError, RateLimitError

API_VERSION = "2026-03-10"
POLICY_OFF = "the policy 'Copilot usage metrics' is off; this is not a token problem"
_KEPT = "what was stored before is unchanged"


def error_for(answer: Answer, request: Request) -> CopilotAnalyticsError:
    """Return the error for an answer that will not be asked for again."""
    problem, advice = _TEXTS[answer.outcome](answer, request)
    return POLICY[answer.outcome].error(
        f"{request}: {answer.problem or problem}",
        said=said(answer),
        kept=_KEPT,
        advice=answer.advice or advice,
    )


def no_report_error(answer: Answer, request: Request, today: date) -> NoReportError:
    """Return the error for a day without a report, with the state that the day is in.

    A day is ``pending`` inside the settle window. After it, it is ``empty`` where GitHub said that
    there is nothing, and ``missing`` where it knows no report.
    """
    is_final = request.day is not None and is_settled(request.day, today)
    is_unknown = answer.outcome is Outcome.NOT_FOUND_AMBIGUOUS
    state = ("missing" if is_unknown else "empty") if is_final else "pending"
    what = "an empty envelope" if answer.outcome is Outcome.EMPTY else "no report"
    if state != "pending":
        advice = "nothing will come for this day: GitHub completes days within that time"
    elif request.day:
        last = request.day + timedelta(days=SETTLE_DAYS)
        advice = f"ask again tomorrow; reports may come until {last}"
    else:
        advice = "ask again tomorrow"
    window = f"{SETTLE_DAYS} days after the day's end"
    when = f"not yet, within {window}" if state == "pending" else f"and more than {window}"
    return NoReportError(
        f"{request}: {what}, {when}. State: {state}",
        state=state,
        said=said(answer),
        kept=_KEPT,
        advice=advice,
    )


def rate_limit_error(call: Call, until: datetime, said_text: str = "") -> RateLimitError:
    """Return the error for a wait that does not fit the wait budget."""
    return RateLimitError(
        f"{call}: GitHub's rate limit lasts until {until:%Y-%m-%d %H:%M:%S} UTC, longer than "
        "this run may wait",
        said=said_text,
        kept=_KEPT,
        advice=f"run the same command again after {until:%Y-%m-%d %H:%M:%S} UTC",
    )


def unknown_scope_error(answer: Answer, request: Request) -> CopilotAnalyticsError:
    """Return the error for a name under which not even the latest 28 days are found."""
    return POLICY[Outcome.NOT_FOUND_AMBIGUOUS].error(
        f"{request}: GitHub does not know {request.scope.kind} {request.scope.name}, or does not "
        "show it to this token; its 28-day report is not found either",
        said=said(answer),
        kept=_KEPT,
        advice=f"check three things: the slug {request.scope.name} as in the address on "
        "github.com; the permission of the token, because GitHub hides what a token may not see; "
        "and whether it was renamed, because the old name ends in 404",
    )


def no_token_error(request: Request) -> CopilotAnalyticsError:
    """Return the error for a run without a token."""
    return POLICY[Outcome.BAD_CREDENTIALS].error(
        f"{request}: there is no token to ask with",
        kept=_KEPT,
        advice="set GITHUB_TOKEN, or GITHUB_TOKEN_FILE to a file that only you can read, or run "
        f"gh auth login, or set the variables of a GitHub App; it has to be {_right(request)}",
    )


def _right(request: Request) -> str:
    if request.scope.kind == "enterprise":
        return (
            "a classic one with read:enterprise or manage_billing:copilot, or of a GitHub App "
            "installed on the enterprise with Enterprise Copilot metrics (read)"
        )
    return (
        "a classic one with read:org, or a fine-grained or GitHub App one with Organization "
        "Copilot metrics (read)"
    )


def _role(request: Request) -> str:
    if request.scope.kind == "enterprise":
        return "enterprise owner, billing manager, or a role with View Enterprise Copilot Metrics"
    return "organization owner, or a role with View Organization Copilot Metrics"


def _bad_request(answer: Answer, request: Request) -> tuple[str, str]:
    advice = "update this program, or report it: GitHub has changed what it takes"
    return f"GitHub does not take the question, sent for API version {API_VERSION}", advice


def _bad_credentials(answer: Answer, request: Request) -> tuple[str, str]:
    return (
        "GitHub does not accept the token",
        "make another token and store it; do not repeat with this one, because repeated failures "
        f"lock the account for a while. It has to be {_right(request)}",
    )


def _sso_required(answer: Answer, request: Request) -> tuple[str, str]:
    return (
        f"the token is not authorised for single sign-on (SSO) of {request.scope.name}",
        "on github.com open Settings, Developer settings, Personal access tokens, and choose "
        "Configure SSO beside the token",
    )


def _policy_disabled(answer: Answer, request: Request) -> tuple[str, str]:
    return (
        POLICY_OFF,
        "an enterprise owner sets the policy 'Copilot usage metrics' to Enabled everywhere, under "
        "AI controls on github.com",
    )


def _forbidden(answer: Answer, request: Request) -> tuple[str, str]:
    text = said(answer).lower()
    accepted = header(answer.headers, "x-accepted-github-permissions")
    if "not accessible by" in text:
        needed = f"; GitHub asks for {accepted[:100]}" if accepted else ""
        hint = (
            ". Enterprise reports need an App that is installed on the enterprise, not on an "
            "organization; fine-grained tokens do not work"
            if request.scope.kind == "enterprise"
            else ""
        )
        return (
            f"the permission is missing{needed}",
            f"the token has to be {_right(request)}{hint}",
        )
    if "requires admin" in text or "role" in text or "must have admin" in text:
        return (
            "the role of the token's owner is not enough",
            f"an owner grants this role: {_role(request)}",
        )
    return (
        "GitHub refuses, and does not say why (temporary lockout possible)",
        f"the owner has to be {_role(request)}, the token {_right(request)}. Or it is a "
        "temporary lockout, possible after several bad logins: wait an hour",
    )


def _server_error(answer: Answer, request: Request) -> tuple[str, str]:
    return "GitHub's server failed again and again", "run the same command again later"


def _network(answer: Answer, request: Request) -> tuple[str, str]:
    if answer.status == 407:
        return (
            "the proxy asks for a user name and password (407)",
            "check HTTPS_PROXY and NO_PROXY",
        )
    return "GitHub could not be reached", "check the connection, then run the same command again"


def _contract(answer: Answer, request: Request) -> tuple[str, str]:
    if is_html(answer.headers, answer.body):
        return (
            "the answer is an HTML page, not a report",
            "a proxy or sign-in page answered instead of GitHub: check HTTPS_PROXY",
        )
    return (
        "the answer is not what GitHub's interface promises",
        "run it again later; if it stays, please report it",
    )


def _no_report(answer: Answer, request: Request) -> tuple[str, str]:
    return "no report", "ask again tomorrow"


_TEXTS: dict[Outcome, Callable[[Answer, Request], tuple[str, str]]] = {
    Outcome.NOT_READY: _no_report,
    Outcome.EMPTY: _no_report,
    Outcome.BAD_REQUEST: _bad_request,
    Outcome.BAD_CREDENTIALS: _bad_credentials,
    Outcome.SSO_REQUIRED: _sso_required,
    Outcome.POLICY_DISABLED: _policy_disabled,
    Outcome.FORBIDDEN: _forbidden,
    Outcome.SERVER_ERROR: _server_error,
    Outcome.NETWORK: _network,
    Outcome.TLS: _network,
    Outcome.CONTRACT: _contract,
}
