"""The client of GitHub's REST API: one report in, its envelope out, or a named error."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, timedelta
from urllib.parse import urlencode, urljoin, urlsplit

from copilot_analytics import catalogue
from copilot_analytics.catalogue import Scope
from copilot_analytics.client import messages
from copilot_analytics.client.days import check_day
from copilot_analytics.client.envelope import Envelope, Request, header, read_envelope, said
from copilot_analytics.client.outcomes import (
    Answer,
    Outcome,
    classify,
    reset_time,
    seconds_to_retry,
)
from copilot_analytics.client.settings import Settings
from copilot_analytics.errors import CopilotAnalyticsError
from copilot_analytics.sessions import NETWORK_ERRORS, Session, explain, read

_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
_MAX_REDIRECTS = 5
# A thousand signed links take about a megabyte.
_MAX_BYTES = 16 * 1024**2


class Client:
    """Ask GitHub for reports, one after the other, with one token.

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
    copilot_analytics.errors.UsageError: '2026-2-30' is not a day
    Next: write it as 2026-11-20
    """

    def __init__(self, settings: Settings | None = None):
        self.settings = settings or Settings.from_environment()
        self._session = Session(
            self.settings,
            {
                "Accept": "application/vnd.github+json",
                "Accept-Encoding": "identity",
                "User-Agent": self.settings.user_agent,
                "X-GitHub-Api-Version": messages.API_VERSION,
            },
        )
        self._waited = 0.0
        self._closed_until: float | None = None  # by the monotonic clock
        self._refusal: CopilotAnalyticsError | None = None
        self._visible: dict[Scope, bool] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def today(self) -> date:
        """Return the current day in UTC."""
        return self.settings.clock().astimezone(UTC).date()

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
        return read_envelope(answer, request, self.settings.max_links)

    def _require_ok(self, answer: Answer, request: Request) -> None:
        if answer.outcome is Outcome.OK:
            return
        if answer.outcome is Outcome.CONTRACT and answer.status == 200 and not answer.problem:
            read_envelope(answer, request, self.settings.max_links)
        if answer.outcome is Outcome.SSO_REQUIRED and self.settings.show_sso_url:
            self.settings.show_sso_url(header(answer, "x-github-sso").partition("url=")[2])
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
        """Ask as often as the policy for each outcome says."""
        if self._refusal:
            raise self._refusal
        if not self.settings.token:
            raise messages.no_token_error(request)
        tries: Counter[Outcome] = Counter()
        while True:
            self._wait_for_limit(request)
            answer = self._follow(request)
            outcome = answer.outcome
            tries[outcome] += 1
            wait = seconds_to_retry(
                answer,
                tries[outcome],
                self.settings.clock(),
                self.settings.default_retry_after,
            )
            if wait is not None and self._wait(wait):
                continue
            if outcome in (Outcome.RATE_PRIMARY, Outcome.RATE_SECONDARY):
                raise self._limit_error(answer, request, wait)
            if outcome in (Outcome.OK, Outcome.NOT_READY, Outcome.EMPTY):
                self._visible[request.scope] = True
            self._close_if_used_up(answer)
            return answer

    def _wait(self, seconds: float) -> bool:
        """Wait, and return True; or return False where the budget does not allow it."""
        if self._waited + seconds > self.settings.wait_budget:
            return False
        self._waited += seconds
        self.settings.sleep(seconds)
        return True

    def _limit_error(
        self, answer: Answer, request: Request, wait: float | None
    ) -> CopilotAnalyticsError:
        """Return the error for a limit that outlasts the budget; no call is made until its end."""
        seconds = max(wait or 0, self.settings.default_retry_after)
        self._closed_until = self.settings.monotonic() + seconds
        now, reset = self.settings.clock(), reset_time(answer.headers)
        is_reset = answer.outcome is Outcome.RATE_PRIMARY and reset and reset > now
        until = reset if is_reset else now + timedelta(seconds=seconds)
        return messages.rate_limit_error(request, until, said(answer))

    def _close_if_used_up(self, answer: Answer) -> None:
        """Remember that the next call has to wait: the last one of the hour was used."""
        reset = reset_time(answer.headers)
        if reset and header(answer, "x-ratelimit-remaining").strip() == "0":
            seconds = (reset - self.settings.clock()).total_seconds()
            self._closed_until = self.settings.monotonic() + max(seconds, 0) + 1

    def _wait_for_limit(self, request: Request) -> None:
        if self._closed_until is None:
            return
        seconds = self._closed_until - self.settings.monotonic()
        if seconds > 0 and not self._wait(seconds):
            until = self.settings.clock() + timedelta(seconds=seconds)
            raise messages.rate_limit_error(request, until)
        self._closed_until = None

    def _follow(self, request: Request) -> Answer:
        """Send the request; follow redirects on the API's own host, where the token may go."""
        path = request.endpoint.path.format(name=request.scope.name)
        query = f"?{urlencode({'day': request.day.isoformat()})}" if request.day else ""
        url = f"{self.settings.api_url}{path}{query}"
        notes: tuple[str, ...] = ()
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._send(url, notes)
            if answer.status not in _REDIRECTS:
                return answer
            target = _target(url, header(answer, "location"))
            problem = _redirect_problem(url, target)
            if problem:
                return Answer(
                    Outcome.CONTRACT,
                    answer.status,
                    problem=problem,
                    advice="check GITHUB_API_URL and the network's proxy",
                )
            if answer.status in _PERMANENT:
                notes += (f"moved permanently to {urlsplit(target).path}",)
            url = target
        return Answer(
            Outcome.NETWORK,
            problem=f"more than {_MAX_REDIRECTS} redirects",
            advice="run it again later",
            is_final=True,
        )

    def _authorize(self, request):
        """Add the token inside requests, so that no variable of ours holds its text."""
        request.headers["Authorization"] = f"Bearer {self.settings.token.reveal()}"
        return request

    def _send(self, url: str, notes: tuple[str, ...]) -> Answer:
        settings = self.settings
        deadline = settings.monotonic() + settings.connect_timeout + settings.read_timeout
        received = bytearray()
        try:
            with self._session.ask(url, self._authorize) as response:
                for chunk in read(response, deadline=deadline, monotonic=settings.monotonic):
                    received += chunk
                    if len(received) > _MAX_BYTES:
                        break
                status, headers = response.status_code, dict(response.headers)
        except NETWORK_ERRORS as error:
            problem = explain(error)
            return Answer(
                Outcome(problem.kind),
                problem=f"{urlsplit(url).hostname}: {problem.text}",
                advice=problem.advice,
            )
        if len(received) > _MAX_BYTES:
            return Answer(Outcome.CONTRACT, status, problem="the answer is far too long")
        body = bytes(received)
        return Answer(classify(status, headers, body), status, headers, body, notes=notes)


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location) if location else ""
    except ValueError:
        return ""


def _redirect_problem(url: str, target: str) -> str:
    """Return why the token may not follow a redirect, "" where it may."""
    if not target:
        return "GitHub redirects to nowhere"
    before, after = urlsplit(url), urlsplit(target)
    if before.scheme == "https" and after.scheme != "https":
        return f"a redirect to {after.hostname} without https was refused"
    if (before.scheme, before.netloc.lower()) != (after.scheme, after.netloc.lower()):
        return f"a redirect to another host, {after.hostname}, was refused; the token was not sent"
    return ""
