"""The line to GitHub's API: one call at a time, with the pauses that GitHub asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

from copilot_analytics.client import messages
from copilot_analytics.client.app import InstallationToken, read_token, refusal
from copilot_analytics.client.envelope import Call, said
from copilot_analytics.client.headers import (
    EXPIRY_WARNING,
    MAX_CLOCK_ERROR,
    clock_error,
    describe_clock_error,
    header,
    token_expiry,
)
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


class Connection:
    """Ask the API as often as the policy for each outcome says, within one budget of waiting."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self._session = Session(
            settings,
            {
                "Accept": "application/vnd.github+json",
                "Accept-Encoding": "identity",
                "User-Agent": settings.user_agent,
                "X-GitHub-Api-Version": messages.API_VERSION,
            },
        )
        self._waited = 0.0
        self._closed_until: float | None = None  # by the monotonic clock, as is the next
        self._last_call: float | None = None
        self._installation: InstallationToken | None = None
        self._clock_error = timedelta(0)
        self._warned: set[str] = set()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def now(self) -> datetime:
        """Return the time by GitHub's clock, as far as it is known."""
        return self.settings.clock().astimezone(UTC) - self._clock_error

    def ask(self, call: Call) -> Answer:
        """Make one call, again where that can help, and return the last answer.

        Raises
        ------
        RateLimitError
            GitHub asks to wait longer than the budget allows.
        """
        tries: Counter[Outcome] = Counter()
        while True:
            if refused := self._sign_in(call):
                return refused
            self._wait_for_limit(call)
            answer = self._follow(call)
            outcome = answer.outcome
            tries[outcome] += 1
            if self._may_renew(call, answer, tries):
                self._installation = None
                continue
            wait = seconds_to_retry(
                answer, tries[outcome], self.now(), self.settings.default_retry_after
            )
            if wait is not None and self._wait(wait):
                continue
            if outcome in (Outcome.RATE_PRIMARY, Outcome.RATE_SECONDARY):
                raise self._limit_error(answer, call, wait)
            self._close_if_used_up(answer)
            is_refused = self.settings.app and outcome is Outcome.BAD_CREDENTIALS
            return refusal(answer, self.settings.app) if is_refused else answer

    # Who asks.

    def _sign_in(self, call: Call) -> Answer | None:
        """Get the App a token that lasts for this call; return the answer where it gets none."""
        app = self.settings.app
        if app is None or call.is_sign_in:
            return None
        if self._installation and self._installation.lasts(self.now()):
            return None
        answer = self.ask(app.call)
        self._installation = read_token(answer, app)
        return None if self._installation else refusal(answer, app)

    def _may_renew(self, call: Call, answer: Answer, tries: Mapping[Outcome, int]) -> bool:
        """Return whether another token of the App may help: the first time that one is refused."""
        is_first = tries[Outcome.BAD_CREDENTIALS] == 1 and not call.is_sign_in
        return answer.outcome is Outcome.BAD_CREDENTIALS and is_first and bool(self._installation)

    def _authorize(self, request):
        """Add the token inside requests, so that no variable of ours holds its text."""
        token = self._installation.token if self._installation else self.settings.token
        if token:
            request.headers["Authorization"] = f"Bearer {token.reveal()}"
        return request

    def _authorize_app(self, request):
        token = self.settings.app.sign(self.now())
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        return request

    # When to ask.

    def _wait(self, seconds: float) -> bool:
        """Wait, and return True; or return False where the budget does not allow it."""
        if self._waited + seconds > self.settings.wait_budget:
            return False
        self._waited += seconds
        self.settings.sleep(seconds)
        return True

    def _keep_distance(self) -> None:
        """Start no call sooner after the last one than the settings say."""
        now = self.settings.monotonic()
        if self._last_call is not None:
            early = self._last_call + self.settings.call_spacing - now
            if early > 0:
                self.settings.sleep(early)
        self._last_call = self.settings.monotonic()

    def _limit_error(self, answer: Answer, call: Call, wait: float | None) -> CopilotAnalyticsError:
        """Return the error for a limit that outlasts the budget; no call is made until its end."""
        seconds = max(wait or 0, self.settings.default_retry_after)
        self._closed_until = self.settings.monotonic() + seconds
        now, reset = self.now(), reset_time(answer.headers)
        is_reset = answer.outcome is Outcome.RATE_PRIMARY and reset and reset > now
        until = reset if is_reset else now + timedelta(seconds=seconds)
        return messages.rate_limit_error(call, until, said(answer))

    def _close_if_used_up(self, answer: Answer) -> None:
        """Remember that the next call has to wait: the last one of the hour was used."""
        reset = reset_time(answer.headers)
        if reset and header(answer.headers, "x-ratelimit-remaining") == "0":
            seconds = (reset - self.now()).total_seconds()
            self._closed_until = self.settings.monotonic() + max(seconds, 0) + 1

    def _wait_for_limit(self, call: Call) -> None:
        if self._closed_until is None:
            return
        seconds = self._closed_until - self.settings.monotonic()
        if seconds > 0 and not self._wait(seconds):
            raise messages.rate_limit_error(call, self.now() + timedelta(seconds=seconds))
        self._closed_until = None

    # The call itself.

    def _follow(self, call: Call) -> Answer:
        """Send the call; follow redirects on the API's own host, where the token may go."""
        url = self.settings.api_url + call.path
        notes: tuple[str, ...] = ()
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._send(url, call, notes)
            if answer.status not in _REDIRECTS:
                return answer
            target = _target(url, header(answer.headers, "location"))
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

    def _send(self, url: str, call: Call, notes: tuple[str, ...]) -> Answer:
        settings = self.settings
        self._keep_distance()
        deadline = settings.monotonic() + settings.connect_timeout + settings.read_timeout
        authorize = self._authorize_app if call.is_sign_in else self._authorize
        received = bytearray()
        try:
            with self._session.ask(url, authorize, call.method, deadline=deadline) as response:
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
        self._heed(headers)
        if len(received) > _MAX_BYTES:
            return Answer(Outcome.CONTRACT, status, problem="the answer is far too long")
        body = bytes(received)
        return Answer(classify(status, headers, body), status, headers, body, notes=notes)

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Take GitHub's time from an answer, and warn of what will soon fail."""
        error = clock_error(headers, self.settings.clock())
        if error is not None:
            self._clock_error = error
            # What an App signs is refused as soon as it lies in the future.
            allowed = timedelta(minutes=1) if self.settings.app else MAX_CLOCK_ERROR
            if abs(error) > allowed:
                self._warn("clock", f"{describe_clock_error(error)}: set it right")
        expiry = None if self.settings.app else token_expiry(headers)
        if expiry and expiry - self.now() < EXPIRY_WARNING:
            text = f"the token expires on {expiry:%Y-%m-%d %H:%M} UTC: make another in time"
            self._warn("expiry", text)

    def _warn(self, subject: str, text: str) -> None:
        """Warn of each subject once."""
        if subject not in self._warned:
            self._warned.add(subject)
            self.settings.warn(text)


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
