"""The client of GitHub's REST API: one report in, its envelope out, or a named error."""

from __future__ import annotations

from datetime import UTC, date

from copilot_analytics import catalogue
from copilot_analytics.catalogue import Scope
from copilot_analytics.client import messages
from copilot_analytics.client.connection import Connection
from copilot_analytics.client.days import check_day
from copilot_analytics.client.envelope import Call, Envelope, Request, read_envelope
from copilot_analytics.client.headers import header
from copilot_analytics.client.outcomes import Answer, Outcome
from copilot_analytics.client.settings import Settings
from copilot_analytics.errors import CopilotAnalyticsError


class Client:
    """Ask GitHub for reports, one after the other, as the owner of one token or as one App.

    A client is one run: it waits no longer than the wait budget in all, remembers which
    organizations and enterprises it has seen, and never sends a refused token twice.

    Parameters
    ----------
    settings
        Addresses, token and limits; those of the environment by default.

    Examples
    --------
    >>> with Client(Settings(token="ghp_0123456789")) as client:
    ...     client.links("users-1-day", org="octo-org", day="2026-2-30")
    Traceback (most recent call last):
        ...
    copilot_analytics.errors.UsageError: the day '2026-2-30' is not a day
    Next: write it as 2026-11-20
    """

    def __init__(self, settings: Settings | None = None):
        self.settings = settings or Settings.from_environment()
        self._connection = Connection(self.settings)
        self._refusal: CopilotAnalyticsError | None = None
        self._visible: dict[Scope, bool] = {}
        self._seen_fields: set[str] = set()
        self._today = date.min

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def today(self) -> date:
        """Return the current day in UTC; it never goes back, even if this computer's clock does."""
        self._today = max(self._today, self.settings.clock().astimezone(UTC).date())
        return self._today

    def links(
        self,
        report: str,
        *,
        org: str | None = None,
        enterprise: str | None = None,
        day: str | date | None = None,
    ) -> Envelope:
        """Ask where the files of one report are: does GitHub have it, and for which days?

        Parameters
        ----------
        report
            Name of the report, such as ``"users-1-day"``; see ``catalogue.endpoints()``.
        org, enterprise
            Short name (slug) of exactly one organization or enterprise.
        day
            The UTC day of a 1-day report, as text, date or timestamp; None for 28-day reports.

        Returns
        -------
        Envelope
            The links, valid for about an hour, and the days they cover.

        Raises
        ------
        UsageError
            The report, the name or the day cannot be asked for; nothing was sent.
        NoReportError
            GitHub has no report; `is_final` says whether one may still come.
        CredentialsError, NotAllowedError
            The token was refused, or may not see this.
        RateLimitError, NetworkError
            A limit beyond the wait budget; a connection or server that failed again and again.
        ContractError
            The answer is not what GitHub's interface promises.

        Notes
        -----
        GitHub: "REST API endpoints for Copilot usage metrics".

        Examples
        --------
        >>> with Client(Settings(token="ghp_0123456789")) as client:
        ...     client.links("users-1-day", org="octo/org", day="2026-11-02")
        Traceback (most recent call last):
            ...
        copilot_analytics.errors.UsageError: organization name 'octo/org' is not a GitHub name
        ...
        """
        scope = Scope.of(org=org, enterprise=enterprise)
        endpoint = catalogue.endpoint(report, scope.kind)
        request = Request(endpoint, scope, check_day(endpoint, day, self.today()))
        answer = self._ask(request)
        if answer.outcome is Outcome.NOT_FOUND_AMBIGUOUS and not self._is_visible(request, answer):
            raise messages.unknown_scope_error(answer, request)
        if answer.outcome in (Outcome.NOT_READY, Outcome.EMPTY, Outcome.NOT_FOUND_AMBIGUOUS):
            raise messages.no_report_error(answer, request, self.today())
        self._require_ok(answer, request)
        return read_envelope(answer, request, self.settings.max_links, self._seen_fields)

    def ask(self, path: str) -> Answer:
        """Ask for any other address of the API, and return the answer, whatever it is.

        Parameters
        ----------
        path
            The address without the host, such as ``"/user"``.

        Returns
        -------
        Answer
            Status, headers and body; or, without a status, why there is no answer.

        Raises
        ------
        RateLimitError
            A limit beyond the wait budget.

        Examples
        --------
        >>> settings = Settings(api_url="http://127.0.0.1:9", sleep=lambda seconds: None)
        >>> with Client(settings) as client:
        ...     client.ask("/user").outcome
        <Outcome.NETWORK: 'network'>
        """
        return self._connection.ask(Call(path, path))

    def _require_ok(self, answer: Answer, request: Request) -> None:
        if answer.outcome is Outcome.OK:
            return
        if answer.outcome is Outcome.CONTRACT and answer.status == 200 and not answer.problem:
            read_envelope(answer, request, self.settings.max_links)
        if answer.outcome is Outcome.SSO_REQUIRED and self.settings.show_sso_url:
            self.settings.show_sso_url(header(answer.headers, "x-github-sso").partition("url=")[2])
        error = messages.error_for(answer, request)
        if answer.outcome is Outcome.BAD_CREDENTIALS:
            self._refusal = error
        raise error

    def _is_visible(self, request: Request, answer: Answer) -> bool:
        """Return whether the token sees the scope; its 28-day report tells (the canary).

        Without it a 404 can mean a day without a report, a wrong name, a renamed organization, a
        missing permission, or an address that GitHub has closed.
        """
        scope = request.scope
        if scope not in self._visible:
            canary = Request(catalogue.endpoint(f"{scope.kind}-28-day", scope.kind), scope)
            if request.endpoint != canary.endpoint:
                answer = self._ask(canary)  # remembers the scope where it is seen
        if scope not in self._visible:
            if answer.outcome is not Outcome.NOT_FOUND_AMBIGUOUS:
                self._require_ok(answer, canary)
            self._visible[scope] = False
        return self._visible[scope]

    def _ask(self, request: Request) -> Answer:
        if self._refusal:
            raise self._refusal
        if not (self.settings.token or self.settings.app):
            raise messages.no_token_error(request)
        answer = self._connection.ask(request.call)
        if answer.outcome in (Outcome.OK, Outcome.NOT_READY, Outcome.EMPTY):
            self._visible[request.scope] = True
        return answer
