"""What stands between this computer and the reports: each thing looked at, and what to do next."""

from __future__ import annotations

from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Client, Settings
from copilot_analytics.doctor.checks import Check, Diagnosis, failure
from copilot_analytics.doctor.identity import identity_checks, token_check
from copilot_analytics.doctor.network import download_checks, hosts_to_allow, network_checks
from copilot_analytics.doctor.reports import report_checks
from copilot_analytics.errors import UsageError

__all__ = ["Check", "Diagnosis", "diagnose"]

# A person waits for the answer.
WAIT_BUDGET = 20


def diagnose(
    *, org: str | None = None, enterprise: str | None = None, client: Client | None = None
) -> Diagnosis:
    """Look at all that fetching needs: who asks, what may they see, and what stands in the way?

    Nothing is stored, and no secret is part of the result.

    Parameters
    ----------
    org, enterprise
        Short name (slug) of an organization or enterprise; with neither, its reports are skipped.
    client
        A client of your own; without one, settings and token come from the environment.

    Returns
    -------
    Diagnosis
        One check per thing: network, token, rights, each report, hosts for a firewall.

    Raises
    ------
    UsageError
        The name is not one of GitHub.

    Notes
    -----
    GitHub: "REST API endpoints for Copilot usage metrics", changelog of 2026-05-20 on hosts.

    Examples
    --------
    >>> settings = Settings(api_url="http://127.0.0.1:9", sleep=lambda seconds: None)
    >>> with Client(settings) as client:
    ...     diagnose(client=client).to_frame()[["name", "state"]].head(3)
               name   state
    0         proxy      ok
    1  certificates      ok
    2      API host  failed
    """
    scope = Scope.of(org=org, enterprise=enterprise) if org or enterprise else None
    if client is None:
        try:
            settings = Settings.from_environment(wait_budget=WAIT_BUDGET, warn=lambda text: None)
        except UsageError as error:
            return Diagnosis((failure("settings", error),))
        with Client(settings) as own:
            return diagnose(org=org, enterprise=enterprise, client=own)
    checks = [*network_checks(client.settings), token_check(client.settings, scope)]
    if not _is_stuck(checks):
        checks += identity_checks(client, scope)
    links: tuple[str, ...] = ()
    if scope and not _is_stuck(checks):
        found, links = report_checks(client, scope)
        checks += found
    else:
        why = "first mend what failed above" if scope else "no organization or enterprise was named"
        checks.append(Check("reports", "skipped", why))
    checks += download_checks(client.settings, links)
    checks.append(hosts_to_allow(client.settings))
    return Diagnosis(tuple(checks))


def _is_stuck(checks: list[Check]) -> bool:
    return any(check.state == "failed" for check in checks)
