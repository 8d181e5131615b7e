"""What a run is allowed and told: addresses, token, limits, clock."""

from __future__ import annotations

import ipaddress
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from copilot_analytics.errors import UsageError

DEFAULT_API_URL = "https://api.github.com"


class Token:
    """A token that prints as ``***``; `reveal` gives its text to the one place that sends it."""

    __slots__ = ("_text",)

    def __init__(self, text: str, source: str = "the token"):
        text = text.strip()
        # Anything but visible ASCII would break, or add to, the header that the token travels in.
        if not all("!" <= character <= "~" for character in text):
            raise UsageError(
                f"{source} holds blanks, line ends or other characters that no token has",
                kept="nothing was sent",
                advice=f"store the token alone, on one line, in {source}",
            )
        self._text = text

    def reveal(self) -> str:
        """Return the token's text."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "***"


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
        Text or `Token`; None sends nothing and ends in `CredentialsError`. Never shown.
    download_hosts
        Hosts, ``host`` or ``host:port``, from which links are accepted besides GitHub's own.
    connect_timeout, read_timeout, file_timeout
        Seconds for a connection, for each read, and for one whole file.
    wait_budget
        Seconds that one client may spend waiting before it gives up.
    default_retry_after
        Seconds to wait where GitHub asks to wait and does not say in a readable way how long.
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
    download_hosts: tuple[str, ...] = ()
    connect_timeout: float = 10
    read_timeout: float = 60
    file_timeout: float = 900
    wait_budget: float = 900
    default_retry_after: float = 60
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
    user_agent: str = "copilot-analytics"

    def __post_init__(self):
        token = Token(self.token) if isinstance(self.token, str) else self.token
        object.__setattr__(self, "token", token or None)
        object.__setattr__(self, "api_url", _checked_api_url(self.api_url))
        hosts = tuple(_checked_host(entry) for entry in self.download_hosts)
        object.__setattr__(self, "download_hosts", hosts)
        if self.ca_bundle is not None and not os.path.exists(self.ca_bundle):
            raise UsageError(
                f"the CA bundle {self.ca_bundle} does not exist",
                advice="correct the setting, REQUESTS_CA_BUNDLE or SSL_CERT_FILE",
            )

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, **settings: object
    ) -> Settings:
        """Return the settings that the environment describes.

        Read are ``GITHUB_API_URL``, the token (``GITHUB_TOKEN``, ``GH_TOKEN``, the file that
        ``GITHUB_TOKEN_FILE`` names, ``gh auth token``, in this order),
        ``COPILOT_ANALYTICS_DOWNLOAD_HOSTS``, the proxy variables, ``REQUESTS_CA_BUNDLE`` and
        ``SSL_CERT_FILE``.

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
            "api_url": environ.get("GITHUB_API_URL", "").strip() or DEFAULT_API_URL,
            "download_hosts": tuple(
                entry.strip()
                for entry in environ.get("COPILOT_ANALYTICS_DOWNLOAD_HOSTS", "").split(",")
                if entry.strip()
            ),
            "proxies": _proxies(environ),
            "ca_bundle": environ.get("REQUESTS_CA_BUNDLE") or environ.get("SSL_CERT_FILE") or None,
        } | settings
        if "token" not in found:
            found["token"] = _find_token(environ, found["api_url"])
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


def _find_token(environ: Mapping[str, str], api_url: str) -> Token | None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        if environ.get(name, "").strip():
            return Token(environ[name], name)
    path = environ.get("GITHUB_TOKEN_FILE", "").strip()
    return _token_from_file(Path(path)) if path else _token_from_gh(environ, api_url)


def _token_from_file(path: Path) -> Token:
    try:
        mode = path.stat().st_mode
        problem = "" if stat.S_ISREG(mode) else "is not a file"
        if os.name == "posix" and mode & 0o077:
            problem = "can be read by other users of this computer"
        text = "" if problem else path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        problem = "cannot be read as text"
    if not problem and not text.strip():
        problem = "is empty"
    if problem:
        raise UsageError(
            f"GITHUB_TOKEN_FILE {path} {problem}",
            kept="the token was not used",
            advice="write the token alone into a file that only you can read (chmod 600)",
        )
    return Token(text, "GITHUB_TOKEN_FILE")


def _token_from_gh(environ: Mapping[str, str], api_url: str) -> Token | None:
    """Return the token of GitHub's command line tool, None where that has none."""
    gh = shutil.which("gh", path=environ.get("PATH", ""))
    if gh is None:
        return None
    host = (urlsplit(api_url).hostname or "").removeprefix("api.")
    try:
        result = subprocess.run(  # noqa: S603 - a fixed command, found on the user's own PATH
            [gh, "auth", "token", "--hostname", host],
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Token(result.stdout, "gh auth token") if result.returncode == 0 else None
