"""One report: ask for its links, download its files, read them into tables."""

from __future__ import annotations

import tempfile
from datetime import date
from functools import partial

from copilot_analytics import tidy
from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Client, Envelope, Settings
from copilot_analytics.errors import ContentError
from copilot_analytics.fetching import foreign
from copilot_analytics.fetching.receiving import Received, ask, download_report, receive
from copilot_analytics.fetching.saving import save_report
from copilot_analytics.tidy import Tables

__all__ = ["Received", "ask", "download_report", "fetch", "load_links", "receive", "save_report"]


def fetch(
    report: str,
    *,
    org: str | None = None,
    enterprise: str | None = None,
    day: str | date | None = None,
    client: Client | foreign.Call | None = None,
) -> Tables:
    """Fetch one report of GitHub as tidy tables: what was recorded on this day?

    Parameters
    ----------
    report
        Name of the report, such as ``"users-1-day"`` or ``"organization-28-day"``; see
        ``catalogue.endpoints()``.
    org, enterprise
        Short name (slug) of exactly one organization or enterprise.
    day
        The UTC day of a 1-day report, as text, date or timestamp; None for 28-day reports.
    client
        Who asks GitHub for the links; without one, address and token come from the environment.
        Either a `copilot_analytics.client.Client`, or any function that takes a path and query
        parameters and returns GitHub's answer, as bytes, text, dictionary or object. It is called
        once more where links have expired, and its own errors come through unchanged. The files
        are downloaded here in any case, without a token.

    Returns
    -------
    Tables
        All tables of ``catalogue.tables()``; those that the report does not fill are empty. A
        missing value means that GitHub gave none.

    Raises
    ------
    UsageError
        The report, the name or the day cannot be asked for; nothing was sent.
    NoReportError
        GitHub has no report for this day; `state` says whether it may still come.
    CredentialsError, NotAllowedError, RateLimitError, NetworkError, DownloadError, ContractError
        The report could not be fetched completely, each with what to do about it.

    See Also
    --------
    load_links : the same for links that you have already.

    Notes
    -----
    GitHub: "REST API endpoints for Copilot usage metrics".

    Functions for the clients that people have::

        # githubkit: gh = githubkit.GitHub(token)
        client = lambda path, parameters: gh.request("GET", path, params=parameters).content
        # ghapi: api = ghapi.all.GhApi(token=token, sync=True)
        client = lambda path, parameters: api(path, query=parameters)
        # GitHub's command line tool
        client = lambda path, parameters: subprocess.check_output(
            ["gh", "api", f"{path}?{urllib.parse.urlencode(parameters)}"]
        )

    Examples
    --------
    >>> def client(path, parameters):
    ...     print(path, parameters)
    ...     return b""  # what GitHub answers with status 204
    >>> fetch("users-1-day", org="octo-org", day="2026-01-02", client=client)
    Traceback (most recent call last):
        ...
    copilot_analytics.errors.NoReportError: users-1-day of organization octo-org for 2026-01-02: ...
    """
    if client is None:
        with Client() as own:
            return fetch(report, org=org, enterprise=enterprise, day=day, client=own)
    scope = Scope.of(org=org, enterprise=enterprise)
    return _read(partial(download_report, client, report, scope, day), scope)


def load_links(
    links: object,
    *,
    scope: str | None = None,
    errors: str = "raise",
    settings: Settings | None = None,
) -> Tables:
    """Read a report from links that another client got: what was recorded?

    The files are downloaded under the same rules as those of `fetch`: from GitHub's hosts only,
    without a token, all of them and each complete, or none.

    Parameters
    ----------
    links
        One link or a list of them; or the envelope that GitHub answers, as a dictionary, as JSON in
        text or bytes, as an object with `download_links` (githubkit, ghapi), or the path of a file
        that holds it (``gh api … > envelope.json``). Links live for about an hour.
    scope
        ``"organization:NAME"`` or ``"enterprise:NAME"`` for records that carry no id; otherwise
        such records have the scope ``"unknown"``.
    errors
        ``"raise"`` or ``"quarantine"``, as for `copilot_analytics.load`.
    settings
        Limits, proxies and further hosts; by default those of the environment.

    Returns
    -------
    Tables
        All tables of ``catalogue.tables()``; one row of each is what its grain says. A missing
        value means that GitHub gave none.

    Raises
    ------
    UsageError
        `links` is neither a link nor an envelope.
    NoReportError
        The envelope is empty, or the files have no bytes.
    ContractError
        A link leads elsewhere than to GitHub; the envelope is not one; or a file holds records of
        other days than the envelope says, or none (`ContentError`).
    DownloadError, NetworkError
        A file could not be had completely, or the links have expired: ask for another envelope.

    Notes
    -----
    GitHub: "REST API endpoints for Copilot usage metrics".

    Examples
    --------
    >>> load_links({"download_links": ["https://evil.example/part-0?sig=abc"],
    ...             "report_day": "2026-11-20"})
    Traceback (most recent call last):
        ...
    copilot_analytics.errors.ContractError: a link to evil.example was refused: the host is not ...
    """
    settings = settings or Settings.from_environment(token=None)
    owner = Scope.parse(scope) if scope else None
    envelope = foreign.read(links, owner, settings)
    return _read(partial(receive, envelope, settings=settings), owner, errors)


def _read(receive_into, scope: Scope | None, errors: str = "raise") -> Tables:
    """Read the files that ``receive_into(folder)`` gets, and keep none of them."""
    # A thread that was left behind by an interrupt may still hold a file in the folder.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        received = receive_into(directory=folder)
        paths = [file.path for file in received.files]
        tables = tidy.load(paths, scope=str(scope) if scope else None, errors=errors)
        _check_days(tables, received.envelope)
        return tables


def _check_days(tables: Tables, envelope: Envelope) -> None:
    """Refuse records of other days than GitHub said: figures would stand under a wrong day."""
    first = envelope.report_day or envelope.report_start_day
    last = envelope.report_day or envelope.report_end_day
    if first is None:
        return
    days = tables.day_states["day"].dt.date
    others = sorted(set(days[(days < first) | (days > last)]))
    if others:
        period = str(first) if first == last else f"{first} to {last}"
        raise ContentError(
            f"the report for {period} holds records of {', '.join(map(str, others[:3]))}",
            kept="nothing of the report",
            advice="ask for the report again; if it repeats, report it to GitHub",
        )
