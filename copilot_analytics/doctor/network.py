"""The way to GitHub: proxy, certificates, hosts, clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from copilot_analytics.client import Settings
from copilot_analytics.client.headers import MAX_CLOCK_ERROR, clock_error, describe_clock_error
from copilot_analytics.client.outcomes import is_html
from copilot_analytics.client.settings import is_loopback
from copilot_analytics.doctor.checks import Check, failure, unreachable
from copilot_analytics.download.hosts import check_link, checked_addresses, host_patterns
from copilot_analytics.errors import ContractError
from copilot_analytics.sessions import NETWORK_ERRORS, Problem, Session, explain, proxies_for


def network_checks(settings: Settings) -> list[Check]:
    """Look at the way to the API, and at the clock."""
    proxy = proxies_for(settings.api_url, settings.proxies)
    parts = urlsplit(next(iter(proxy.values()), ""))
    where = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    bundle = settings.ca_bundle
    headers, api = _host("API host", settings, f"{settings.api_url}/", wants_json=True)
    return [
        Check("proxy", "ok", f"through {where}" if proxy else "none: a direct connection"),
        Check("certificates", "ok", f"those in {bundle}" if bundle else "the usual public ones"),
        api,
        _clock(headers, settings),
    ]


def _host(
    name: str,
    settings: Settings,
    url: str,
    *,
    addresses: tuple[str, ...] = (),
    wants_json: bool = False,
) -> tuple[dict[str, str], Check]:
    """Ask a host for its first page, without any token; any answer of its own will do."""
    host = urlsplit(url).hostname
    deadline = settings.monotonic() + settings.connect_timeout + settings.read_timeout
    with Session(settings, {"User-Agent": settings.user_agent}) as session:
        try:
            with session.ask(url, deadline=deadline, addresses=addresses) as response:
                status, headers = response.status_code, dict(response.headers)
        except NETWORK_ERRORS as error:
            return {}, unreachable(name, f"{host}: ", explain(error))
    if status == 407 or (wants_json and is_html(headers, b"")):
        who = "a proxy asks for a password" if status == 407 else "a web page answers instead"
        problem = Problem("network", who, "check HTTPS_PROXY, NO_PROXY and the network's sign-in")
        return {}, unreachable(name, f"{host}: ", problem)
    return headers, Check(name, "ok", f"{host} answers (HTTP {status})")


def _clock(headers: dict[str, str], settings: Settings) -> Check:
    error = clock_error(headers, settings.clock())
    if error is None:
        return Check("clock", "skipped", "GitHub gave no time to compare with")
    allowed = timedelta(minutes=1) if settings.app else MAX_CLOCK_ERROR
    state = "ok" if abs(error) <= allowed else "warning"
    advice = "" if state == "ok" else "set the clock right: sign-in and signed links depend on it"
    return Check("clock", state, describe_clock_error(error), advice)


def download_checks(settings: Settings, links: Iterable[str]) -> list[Check]:
    """Reach the hosts of the links, or, without links, the one that GitHub names."""
    urls = [f"{urlsplit(link).scheme}://{urlsplit(link).netloc}/" for link in links]
    if not urls and is_loopback(urlsplit(settings.api_url).hostname):
        return [Check("download host", "skipped", "known as soon as a report answers")]
    known = [host for host in host_patterns(settings.api_url) if "*" not in host]
    return [
        _download_host(settings, url) for url in dict.fromkeys(urls or [f"https://{known[-1]}/"])
    ]


def _download_host(settings: Settings, url: str) -> Check:
    name = "download host"
    try:
        addresses = checked_addresses(check_link(url, settings), settings)
    except ContractError as error:
        return failure(name, error)
    except NETWORK_ERRORS as error:
        return unreachable(name, f"{urlsplit(url).hostname}: ", explain(error))
    return _host(name, settings, url, addresses=addresses)[1]


def hosts_to_allow(settings: Settings) -> Check:
    """Name the hosts that a firewall has to let through, with https on port 443."""
    hosts = [urlsplit(settings.api_url).hostname, *host_patterns(settings.api_url)]
    return Check("hosts to allow", "ok", ", ".join([*hosts, *settings.download_hosts]))
