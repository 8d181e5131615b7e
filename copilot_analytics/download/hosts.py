"""Which links may be followed: GitHub's own hosts, and those that the settings name."""

from __future__ import annotations

import ipaddress
import socket
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

import urllib3

from copilot_analytics.errors import ContractError
from copilot_analytics.sessions import proxies_for

# GitHub changelog 2026-05-20: its own name first, the two others in transition and on failures.
GITHUB_HOSTS = (
    "copilot-reports.github.com",
    "copilot-reports-*.b01.azurefd.net",
    "*.blob.core.windows.net",
)


def check_link(link: str, settings) -> SplitResult:
    """Return the parts of a link that may be followed; nothing is resolved or connected.

    Raises
    ------
    ContractError
        The link is malformed, not https, or leads to a host that is not allowed.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> settings = SimpleNamespace(api_url="https://api.github.com", download_hosts=())
    >>> check_link("https://copilot-reports.github.com/part-0?sig=abc", settings).hostname
    'copilot-reports.github.com'
    >>> check_link("https://copilot-reports.github.com.example/part-0", settings)
    Traceback (most recent call last):
        ...
    copilot_analytics.errors.ContractError: a link to copilot-reports.github.com.example was ...
    """
    parts = _split(link)
    if parts is None:
        raise _refused("a malformed link", "it is not an address")
    host, name = parts.hostname, f"a link to {parts.hostname}"
    if "@" in parts.netloc:
        raise _refused(name, "it carries a user name")
    is_configured = _is_configured(parts, settings)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_configured):
        raise _refused(name, f"it starts with {parts.scheme}://, not with https://")
    if is_configured:
        return parts
    if parts.port not in (None, 443):
        raise _refused(name, f"it uses port {parts.port}")
    if not any(_matches(host, pattern) for pattern in host_patterns(settings.api_url)):
        raise _refused(name, "the host is not one of GitHub's")
    return parts


def checked_addresses(parts: SplitResult, settings) -> tuple[str, ...]:
    """Resolve the host of a checked link and refuse addresses that lie inside a network.

    What is returned is to be connected to: the name may resolve to something else a moment later.
    It is empty where there is nothing to check, because a proxy resolves the name by itself, or
    the settings name the host.

    Raises
    ------
    ContractError
        The host resolves to an address that a link of GitHub cannot have.
    OSError
        The name cannot be resolved.
    """
    is_configured = _is_configured(parts, settings)
    if is_configured and parts.scheme == "https":
        return ()
    if not is_configured and proxies_for(parts.geturl(), settings.proxies):
        return ()
    found = []
    for *_, place in socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM):
        address = ipaddress.ip_address(place[0].partition("%")[0])
        if parts.scheme == "http" and not address.is_loopback:
            raise _refused(f"a link to {parts.hostname}", "plain http is for a loopback host only")
        if not is_configured and _is_internal(address):
            raise _refused(
                f"a link to {parts.hostname}", f"its address {address} is inside a network"
            )
        found.append(place[0])
    return tuple(dict.fromkeys(found))


def _split(link: str) -> SplitResult | None:
    """Return the parts of a link if both parsers that will read it agree about its host."""
    if not all("!" <= character <= "~" and character != "\\" for character in link):
        return None
    try:
        parts = urlsplit(link)
        parts.port  # noqa: B018 - reading it is the check
        other = urllib3.util.parse_url(link)
    except ValueError:
        return None
    host = (other.host or "").strip("[]").lower()
    return parts if parts.hostname and parts.hostname == host else None


def _is_configured(parts: SplitResult, settings) -> bool:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    for entry in settings.download_hosts:
        known = urlsplit(f"//{entry}")
        if known.hostname == parts.hostname and known.port in (None, port):
            return True
    return False


def host_patterns(api_url: str) -> tuple[str, ...]:
    """Return the hosts that links of an API may lead to; a star stands for a part of one label.

    >>> host_patterns("https://api.octo.ghe.com")[-1]
    'copilot-reports.octo.ghe.com'
    """
    labels = (urlsplit(api_url).hostname or "").split(".")
    if len(labels) == 4 and labels[0] == "api" and labels[2:] == ["ghe", "com"]:
        return (*GITHUB_HOSTS, f"copilot-reports.{labels[1]}.ghe.com")
    return GITHUB_HOSTS


def _matches(host: str, pattern: str) -> bool:
    """Compare label by label, so that a star never spans a dot."""
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(map(fnmatchcase, labels, wanted)) and all(labels)


def _is_internal(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


def _refused(what: str, why: str) -> ContractError:
    return ContractError(
        f"{what} was refused: {why}",
        kept="nothing of the report; no connection was made",
        advice="if you trust this host, add it to COPILOT_ANALYTICS_DOWNLOAD_HOSTS; if GitHub sent "
        "the link and it should be known, please report it",
    )
