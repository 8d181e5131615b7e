"""What may be seen: each report is asked for once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from copilot_analytics import catalogue
from copilot_analytics.catalogue import SETTLE_DAYS, Scope
from copilot_analytics.client import Client
from copilot_analytics.client.messages import POLICY_OFF
from copilot_analytics.doctor.checks import Check, failure
from copilot_analytics.errors import (
    CopilotAnalyticsError,
    CredentialsError,
    NetworkError,
    NoReportError,
    NotAllowedError,
    RateLimitError,
)

# When the first report ends in one of these, the others would say the same.
_HOPELESS = (CredentialsError, NotAllowedError, NetworkError, RateLimitError)


def report_checks(client: Client, scope: Scope) -> tuple[list[Check], tuple[str, ...]]:
    """Ask for each report once: first for the latest 28 days, which every reader may see."""
    day = client.today() - timedelta(days=SETTLE_DAYS + 1)
    endpoints = [one for one in catalogue.all_endpoints() if one.scope_kind == scope.kind]
    endpoints.sort(key=lambda one: (one.period != "28-day", one.family != "entity"))
    checks, links = [], ()
    for endpoint in endpoints:
        when = day if "day" in endpoint.parameters else None
        check, found, error = _report(client, scope, endpoint.report, when)
        if not checks:
            checks.append(_policy(error))
        checks.append(check)
        links += found
        if len(checks) == 2 and isinstance(error, _HOPELESS):
            break
    return checks, links


def _report(client: Client, scope: Scope, report: str, day: date | None):
    name = f"report {report}"
    names = {"org": scope.name} if scope.kind == "organization" else {"enterprise": scope.name}
    try:
        envelope = client.links(report, **names, day=day)
    except NoReportError as error:
        return Check(name, "warning", error.what, error.advice), (), error
    except CopilotAnalyticsError as error:
        return failure(name, error), (), error
    days = envelope.report_day or f"{envelope.report_start_day} to {envelope.report_end_day}"
    count = len(envelope.links)
    found = f"{count} file{'s' if count != 1 else ''} for {days}"
    if envelope.is_partial:
        found += "; single sign-on hides some organizations"
        return Check(name, "warning", found, "authorise the token for them"), envelope.links, None
    return Check(name, "ok", found), envelope.links, None


def _policy(error: CopilotAnalyticsError | None) -> Check:
    name = "policy Copilot usage metrics"
    if error is None or isinstance(error, NoReportError):
        return Check(name, "ok", "enabled: GitHub answers")
    if POLICY_OFF in error.what:
        return replace(failure(name, error), found="off; this is not a token problem")
    return Check(name, "skipped", "cannot be told before the next is mended")
