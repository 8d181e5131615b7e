"""What a run is allowed and told: addresses, token, limits, clock."""

from __future__ import annotations

import ipaddress
import os
import re
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from copilot_analytics.client.app import App
from copilot_analytics.client.credentials import Token, find_token
from copilot_analytics.errors import UsageError

DEFAULT_API_URL = "https://api.github.com"
# The first that is set is taken.
_CA_VARIABLES = ("COPILOT_ANALYTICS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=2)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to fetch from, with which token, and how long to wait.

    Parameters
    ----------
    api_url
        Address of the REST API; plain http for a loopback host only.
    token
        Text or `Token`; without it and without `app`, nothing is sent and asking ends in
        `CredentialsError`. Never shown.
    app
        A GitHub App that asks instead of the owner of a token.
    download_hosts
        Hosts, ``host`` or ``host:port``, from which links are accepted besides GitHub's own.
    connect_timeout, read_timeout, file_timeout
        Seconds for a connection, for each read, and for one whole file.
    wait_budget
        Seconds that one client may spend waiting before it gives up.
    default_retry_after
        Seconds to wait where GitHub asks to wait and does not say in a readable way how long.
    call_spacing
        Seconds between the starts of two calls of the API; by default a tenth, and none where
        the API is on this computer.
    max_file_bytes, max_line_bytes, max_ratio, max_links
        Largest file and line, decoded; largest decoded by received bytes; most links of a report.
    proxies
        Addresses by ``"https"``, ``"http"`` or ``"all"``, and the exceptions as ``"no_proxy"``.
    ca_bundle
        File or folder of certificates to trust instead of the built-in ones.
    clock, sleep, monotonic
        Time of day with a zone; how to wait; seconds that never go back. Tests replace them.
    show_sso_url
        Called with the address at which a token can be authorised for single sign-on. It is a
        secret for an hour: give a function only where a person reads the terminal.
    warn
        Called with what will soon fail: a clock that is wrong, a token that is about to expire.
        By default it becomes a `UserWarning`.
    user_agent
        What GitHub sees as the name of this program.

    Raises
    ------
    UsageError
        An address, host, file or token cannot be what it is given as.

    Examples
    --------
    >>> Settings(token="ghp_0123456789").token
    ***
    >>> Settings(api_url="https://api.octo.ghe.com/").api_url
    'https://api.octo.ghe.com'
    """

    api_url: str = DEFAULT_API_URL
    token: Token | str | None = None
    app: App | None = None
    download_hosts: tuple[str, ...] = ()
    connect_timeout: float = 10
    read_timeout: float = 60
    file_timeout: float = 900
    wait_budget: float = 900
    default_retry_after: float = 60
    call_spacing: float | None = None
    max_file_bytes: int = 2 * 1024**3
    max_line_bytes: int = 64 * 1024**2
    max_ratio: int = 200
    max_links: int = 1000
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_bundle: str | None = None
    clock: Callable[[], datetime] = field(default=_utc_now, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)
    show_sso_url: Callable[[str], None] | None = field(default=None, repr=False)
    warn: Callable[[str], None] = field(default=_warn, repr=False)
    user_agent: str = "copilot-analytics"

    def __post_init__(self):
        token = Token(self.token) if isinstance(self.token, str) else self.token
        if token and self.app:
            raise UsageError(
                "there is a token and a GitHub App", advice="say who asks: give one of them"
            )
        object.__setattr__(self, "token", token or None)
        object.__setattr__(self, "api_url", _checked_api_url(self.api_url))
        if self.call_spacing is None:
            is_here = is_loopback(urlsplit(self.api_url).hostname)
            object.__setattr__(self, "call_spacing", 0 if is_here else 0.1)
        hosts = tuple(_checked_host(entry) for entry in self.download_hosts)
        object.__setattr__(self, "download_hosts", hosts)
        if self.ca_bundle is not None and not os.path.exists(self.ca_bundle):
            raise UsageError(
                f"the CA bundle {self.ca_bundle} does not exist",
                advice=f"correct the setting, {' or '.join(_CA_VARIABLES)}",
            )

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, **settings: object
    ) -> Settings:
        """Return the settings that the environment describes.

        Read are ``GITHUB_API_URL``, or ``GH_HOST`` for a tenant such as ``octo.ghe.com``; the
        variables of a GitHub App, or the token (``GITHUB_TOKEN``, ``GH_TOKEN``, the file that
        ``GITHUB_TOKEN_FILE`` names, ``gh auth token``, in this order);
        ``COPILOT_ANALYTICS_DOWNLOAD_HOSTS``; the proxy variables; and
        ``COPILOT_ANALYTICS_CA_BUNDLE``, ``REQUESTS_CA_BUNDLE`` or ``SSL_CERT_FILE``.

        Parameters
        ----------
        environ
            The variables; those of this process by default.
        **settings
            Fields of `Settings`, which win over the environment.

        Raises
        ------
        UsageError
            A variable has a value that cannot be used.

        Examples
        --------
        >>> Settings.from_environment({"GITHUB_TOKEN": "ghp_0123456789", "PATH": ""}).token
        ***
        """
        environ = os.environ if environ is None else environ
        found = {
            "api_url": settings.get("api_url") or _api_url(environ),
            "download_hosts": tuple(
                entry.strip()
                for entry in environ.get("COPILOT_ANALYTICS_DOWNLOAD_HOSTS", "").split(",")
                if entry.strip()
            ),
            "proxies": _proxies(environ),
            "ca_bundle": next((environ[name] for name in _CA_VARIABLES if environ.get(name)), None),
        } | settings
        if "token" not in found and "app" not in found:
            found["app"] = App.from_environment(environ)
            if not found["app"]:
                found["token"] = find_token(environ, found["api_url"])
        return cls(**found)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address means this computer, without asking DNS.

    >>> is_loopback("127.0.0.1"), is_loopback("github.com")
    (True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _api_url(environ: Mapping[str, str]) -> str:
    """Return the address of the API, derived from the host of a tenant where only that is given."""
    url, host = (environ.get(name, "").strip() for name in ("GITHUB_API_URL", "GH_HOST"))
    if url or not host or host == "github.com":
        return url or DEFAULT_API_URL
    if re.fullmatch(r"[a-z0-9-]+\.ghe\.com", host.lower()):
        return f"https://api.{host.lower()}"
    raise UsageError(
        f"GH_HOST {host[:100]!r} has no such reports: they exist on github.com and on GHE.com",
        kept="nothing was sent",
        advice="set GITHUB_API_URL to the address of the API, or take GH_HOST away",
    )


def _checked_api_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        problem = "is not the address of an API"
    elif parts.scheme == "http" and not is_loopback(host):
        problem = "would send the token in clear: plain http is for a loopback host only"
    elif host.endswith(".ghe.com") and (not host.startswith("api.") or parts.path.strip("/")):
        problem = "is not where the API of a tenant is"
    elif parts.scheme not in ("https", "http"):
        problem = "does not start with https://"
    else:
        return url.rstrip("/")
    raise UsageError(
        f"GITHUB_API_URL {host or ''} {problem}".replace("  ", " "),
        kept="nothing was sent",
        advice=f"leave it empty for {DEFAULT_API_URL}, or give https://api.SUBDOMAIN.ghe.com",
    )


def split_host(entry: str) -> tuple[str, int | None]:
    """Split ``host[:port]``; an IPv6 address with a port stands in brackets.

    >>> split_host("127.0.0.1:8000"), split_host("blobs.example")
    (('127.0.0.1', 8000), ('blobs.example', None))
    """
    parts = urlsplit(f"//{entry}")
    return parts.hostname or "", parts.port


def _checked_host(entry: str) -> str:
    try:
        host, _ = split_host(entry)
    except ValueError:
        host = ""
    if not host or any(character in entry for character in "/@?#*\\ "):
        raise UsageError(
            f"COPILOT_ANALYTICS_DOWNLOAD_HOSTS: {entry[:100]!r} is not a host",
            advice="give host or host:port, several with commas between them",
        )
    return entry.lower()


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy variables by scheme; as everywhere, lower case wins."""
    names = {
        "https": "https_proxy",
        "http": "http_proxy",
        "all": "all_proxy",
        "no_proxy": "no_proxy",
    }
    found = {key: environ.get(name) or environ.get(name.upper(), "") for key, name in names.items()}
    return {key: value.strip() for key, value in found.items() if value.strip()}
