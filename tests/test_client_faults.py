"""Group A of the fault catalogue through the command line: what each fault of the API comes to.

Two real servers, the API and the files; the real commands with ``--debug``, in this process, so
that only sleeping is replaced. `no_secrets` searches all that each run prints, logs and leaves.
"""

import json
import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from conftest import ndjson, user_record
from web_server import (
    CANARY,
    TOKEN,
    FakeTime,
    Reply,
    WebServer,
    html,
    redirect,
    refusal,
    reply,
)

from copilot_analytics.cli import main
from copilot_analytics.client import Settings

# The archive keeps to the real clock, so the days do too.
NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date()
DAY = str(TODAY - timedelta(days=2))
OLD = str(TODAY - timedelta(days=12))  # beyond the settle window
REPORTS = "/orgs/octo-org/copilot/metrics/reports"
USERS = f"{REPORTS}/users-1-day"
MOVED = f"{USERS}/new"
LATEST = f"{REPORTS}/users-28-day/latest"
CANARY_REPORT = f"{REPORTS}/organization-28-day/latest"
FETCH = ("fetch", "users-1-day", "--org", "octo-org", "--out", "out", "--day")


@pytest.fixture
def time():
    return FakeTime(NOW)


@pytest.fixture
def run(api, blobs, time, tmp_path, monkeypatch, capsys):
    """Run a command as a person does, but for the waiting; return code, output and messages."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, signal.getsignal(signal.SIGTERM)
    from_environment = Settings.from_environment
    injected = {"clock": time.now, "sleep": time.sleep, "monotonic": time.monotonic}
    quick = {"read_timeout": 0.3, "connect_timeout": 2}
    monkeypatch.setattr(
        Settings, "from_environment", lambda **given: from_environment(**given, **injected, **quick)
    )
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("GITHUB_API_URL", api.url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("COPILOT_ANALYTICS_DOWNLOAD_HOSTS", blobs.host)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["copilot-analytics", *arguments, "--debug"])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    yield run
    root.handlers[:], root.level = before[:2]
    sys.excepthook = before[2]
    signal.signal(signal.SIGTERM, before[3])


def good(blobs, day=DAY, **fields) -> Reply:
    link = blobs.file(f"part-{day}", ndjson(user_record(day)))
    return reply(200, {"download_links": [link], "report_day": day, **fields})


def at(seconds: float) -> str:
    return str(int(NOW.timestamp() + seconds))


# --- one report ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Good:
    """Stands for an answer with a report, with more headers and fields than usual."""

    headers: dict = field(default_factory=dict)
    fields: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What GitHub answers, and what `fetch` has to come to.

    The last answer repeats. `calls` is how often the report is asked for, where the catalogue says
    so; `canary` is the answer for the report that tells what a 404 means.
    """

    answers: tuple
    code: int
    texts: tuple[str, ...] = ()
    calls: int | None = None
    day: str = DAY
    canary: Reply | None = None
    waits: Callable[[list], bool] = lambda sleeps: True

    @property
    def has_report(self) -> bool:
        return isinstance(self.answers[-1], Good) or self.answers[-1].status == 301


GOOD = Good()
LIMIT = {"X_RateLimit_Remaining": "0"}
SECONDARY = "You have exceeded a secondary rate limit"
PARTIAL = {"X-GitHub-SSO": "partial-results; organizations=21955855,20582480"}
SSO_URL = f"https://github.com/orgs/octo-org/sso?authorization_request={CANARY}sso"

FAULTS = {
    "F001 primary limit as 403": Fault(
        (refusal(403, "limit", X_RateLimit_Reset=at(2), **LIMIT), GOOD), 0, calls=2,
        waits=lambda sleeps: 3 <= sum(sleeps) <= 7,
    ),
    "F002 primary limit as 429": Fault(
        (refusal(429, "limit", X_RateLimit_Reset=at(2), **LIMIT), GOOD), 0, calls=2,
        waits=lambda sleeps: 3 <= sum(sleeps) <= 7,
    ),
    "F003 secondary limit with Retry-After": Fault(
        (refusal(403, SECONDARY, Retry_After="3"), GOOD), 0, calls=2,
        waits=lambda sleeps: sleeps == [3],
    ),
    "F004 secondary limit without headers": Fault(
        (refusal(403, SECONDARY),), 14, ("rate limit",), calls=5,
        waits=lambda sleeps: sleeps == [60, 120, 240, 480],
    ),
    "F005 limit headers on a 200": Fault(
        (Good({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": at(30)}),), 0, calls=1,
        waits=lambda sleeps: not sleeps,
    ),
    "F006 reset in 5 hours": Fault(
        (refusal(403, "limit", X_RateLimit_Reset=at(18000), **LIMIT),), 14,
        (f"{NOW + timedelta(hours=5):%Y-%m-%d %H:%M:%S} UTC",), calls=1,
        waits=lambda sleeps: not sleeps,
    ),
    "F007 Retry-After of a day": Fault(
        (refusal(429, "slow down", Retry_After="86400"),), 14, ("UTC",), calls=1,
        waits=lambda sleeps: not sleeps,
    ),
    "F008 Retry-After as a date": Fault(
        (refusal(429, "slow", Retry_After=format_datetime(NOW + timedelta(seconds=2), True)), GOOD),
        0, calls=2, waits=lambda sleeps: sleeps == [2],
    ),
    **{
        f"F009 Retry-After: {text}": Fault(
            (refusal(429, "slow down", Retry_After=text), GOOD), 0, calls=2,
            waits=lambda sleeps: sleeps == [60],
        )
        for text in ("-5", "abc", "1e99")
    },
    "F010 reset in the past": Fault(
        (refusal(403, "limit", X_RateLimit_Reset=at(-60), **LIMIT),), 14, ("rate limit",),
        waits=lambda sleeps: min(sleeps) >= 1 and len(sleeps) < 15,
    ),
    "F011 bad token": Fault((refusal(401, "Bad credentials"),), 12, ("token",), calls=1),
    "F012 random 401": Fault((refusal(401, "Requires authentication"), GOOD), 0, calls=2),
    "F015 single sign-on needed": Fault(
        (refusal(403, "protected", X_GitHub_SSO=f"required; url={SSO_URL}"),), 13, ("SSO",), 1
    ),
    "F016 single sign-on hides organizations": Fault(
        (Good(PARTIAL),), 3, ("21955855,20582480",)
    ),
    "F017 policy off": Fault(
        (refusal(403, "The 'Copilot usage metrics' policy must be enabled to use this API"),), 13,
        ("Copilot usage metrics", "not a token problem", "enterprise owner"), 1,
    ),
    "F018 role missing": Fault(
        (refusal(403, "User requires admin, or relevant organization role access"),), 13,
        ("View Organization Copilot Metrics",), 1,
    ),
    "F019 permission missing": Fault(
        (refusal(403, "Resource not accessible by integration",
                 X_Accepted_GitHub_Permissions="organization_copilot_metrics=read"),), 13,
        ("organization_copilot_metrics=read",), 1,
    ),
    "F020 lockout": Fault((refusal(403, "Forbidden"),), 13, ("temporary lockout possible",), 1),
    "F021 a day without report, inside the window": Fault(
        (refusal(404, "Not Found"),), 0, ("State: pending",), 1, canary=Reply(204)
    ),
    "F021 a day without report, after the window": Fault(
        (refusal(404, "Not Found"),), 3, ("State: missing",), 1, day=OLD, canary=Reply(204)
    ),
    "F022 a wrong name": Fault(
        (refusal(404, "Not Found"),), 13, ("slug", "permission", "renamed"), 1
    ),
    "F023 a closed endpoint": Fault(
        (refusal(404, "Gone"),), 13, ("https://docs.github.com/rest",), 1
    ),
    "F024 204": Fault((Reply(204),), 0, ("State: pending",), 1),
    "F026 empty text": Fault((reply(200, ""),), 0, ("State: pending",), 1),
    "F027 a sentence": Fault(
        (reply(200, "No report available"),), 0, ("pending", "No report available"), 1
    ),
    "F028 null": Fault((Reply(200, b"null"),), 0, ("State: pending",), 1),
    "F028 nothing": Fault((Reply(200),), 0, ("State: pending",), 1),
    "F028 blanks": Fault((Reply(200, b"  \n"),), 0, ("State: pending",), 1),
    "F029 no links": Fault((reply(200, {"download_links": []}),), 0, ("empty envelope",), 1),
    "F030 null": Fault((reply(200, {"download_links": None}),), 16, ("null or missing",), 1),
    "F030 text": Fault((reply(200, {"download_links": "x"}),), 16, ("is text",), 1),
    "F030 objects": Fault((reply(200, {"download_links": [{}]}),), 16, ("list of an object",), 1),
    "F030 numbers": Fault((reply(200, {"download_links": [1]}),), 16, ("list of a number",), 1),
    "F031 another day": Fault(
        (reply(200, {"download_links": ["https://a/b"], "report_day": OLD}),), 16, (OLD,), 1
    ),
    "F033 unknown fields": Fault((Good(fields={"surprise": 1}),), 0, ("surprise",), 1),
    "F034 API version refused": Fault(
        (refusal(400, "Not a supported version: 2026-03-10. Supported: 2022-11-28"),), 16,
        ("sent for API version 2026-03-10", "2022-11-28"), 1,
    ),
    "F035 422": Fault(
        (reply(422, {"message": "Validation Failed", "errors": ["day is invalid"]}),), 16,
        ("day is invalid",), 1,
    ),
    "F036 500 twice": Fault((Reply(500), Reply(500), GOOD), 0, calls=3),
    "F037 502 for ever": Fault(
        (html(502, f"<html>{CANARY} gateway</html>"),), 15, ("HTTP 502 with an HTML page",), 5
    ),
    "F039 a portal's page": Fault((html(200),), 16, ("HTML", "proxy"), 1),
    "F041 no answer": Fault((Reply(200, delay=2),), 15, ("no answer came", "127.0.0.1"), 5),
    "F046 moved": Fault((redirect(MOVED, 301),), 0, ("moved permanently",), 1),
    "F049 a loop": Fault((redirect(USERS),), 15, ("redirects",), 6),
}  # fmt: skip


def script(api, blobs, fault: Fault) -> None:
    """Let the servers answer as the fault says."""

    def reply_of(answer) -> Reply:
        if isinstance(answer, Reply):
            return answer
        return Reply(200, good(blobs, fault.day, **answer.fields).body, answer.headers)

    api.on(USERS, *map(reply_of, fault.answers))
    api.on(MOVED, good(blobs, fault.day))
    if fault.canary:
        api.on(CANARY_REPORT, fault.canary)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_of_the_api_has_its_exit_code_and_its_words(
    api, blobs, run, time, tmp_path, name
):
    fault = FAULTS[name]
    script(api, blobs, fault)
    code, output, messages = run(*FETCH, fault.day)
    assert code == fault.code, messages
    for text in fault.texts:
        assert text in output + messages
    assert "Traceback" not in messages
    assert "<html" not in messages
    if fault.calls:
        assert api.paths().count(USERS) == fault.calls
    assert fault.waits(time.sleeps), time.sleeps
    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    name = f"organization-octo-org_users-1-day_{fault.day}_01.ndjson"
    assert files == ([name] if fault.has_report else [])


ARGUMENTS = {
    **{f"F051 {name[:12]!r}": ("--org", name, "--day", DAY)
       for name in ("a/b", "..", "a%2Fb", "a b", "x" * 300)},
    "F053 today": ("--org", "octo-org", "--day", str(TODAY)),
    "F053 tomorrow": ("--org", "octo-org", "--day", str(TODAY + timedelta(days=1))),
    "F053 before the first": ("--org", "octo-org", "--day", "2025-10-09"),
    "F053 no day": ("--org", "octo-org", "--day", "2026-2-30"),
    "F165 a token": ("--org", "octo-org", "--day", DAY, "--token", TOKEN),
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_f051_f053_f165_wrong_arguments_end_before_any_request(api, run, name):
    code, _, messages = run("fetch", "users-1-day", *ARGUMENTS[name])
    assert code == 2
    assert "Traceback" not in messages
    assert api.requests == []


def test_f168_a_crash_shows_where_and_no_secret(run, monkeypatch, capsys):
    def crash(*_):
        raise RuntimeError(f"{TOKEN} at https://host.example/part-0?sig={CANARY}signature")

    monkeypatch.setattr("copilot_analytics.client.connection.classify", crash)
    with pytest.raises(RuntimeError) as caught:
        run(*FETCH, DAY)
    capsys.readouterr()
    sys.excepthook(caught.type, caught.value, caught.tb)
    shown = capsys.readouterr().err
    assert "RuntimeError: *** at https://host.example/part-0?***" in shown
    assert "connection.py" in shown


# --- the way to the server ----------------------------------------------------------------------


def test_f040_a_closed_port_is_named_without_the_query(run, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{port}")
    code, _, messages = run(*FETCH, DAY)
    assert code == 15
    error = messages.partition("Error: ")[2]
    assert "127.0.0.1: the host refused the connection" in error
    assert "day=" not in error


def test_f044_a_proxy_that_asks_for_a_password_is_named_and_not_shown(run, api, monkeypatch):
    with WebServer() as proxy:
        proxy.on("*", Reply(407, b"", {"Proxy-Authenticate": "Basic"}, framing="close"))
        monkeypatch.setenv("HTTP_PROXY", f"http://me:{CANARY}password@{proxy.host}")
        code, _, messages = run(*FETCH, DAY)
        assert code == 15
        assert "proxy" in messages
        assert proxy.requests
        proxy.requests.clear()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        api.on(USERS, Reply(204))
        assert run(*FETCH, DAY)[0] == 0
        assert proxy.requests == []  # F045


def test_f047_the_token_does_not_follow_a_redirect_to_another_host(run, api, blobs):
    api.on(USERS, redirect(blobs.url + USERS))
    code, _, messages = run(*FETCH, DAY)
    assert code == 16
    assert "another host" in messages
    assert blobs.requests == []


def test_f054_an_enterprise_is_never_replaced_by_an_organization(run, api, blobs):
    api.on(USERS, good(blobs))
    api.on("/enterprises/octo-org/copilot/metrics/reports/users-1-day", refusal(403, "Forbidden"))
    code, _, messages = run("fetch", "users-1-day", "--enterprise", "octo-org", "--day", DAY)
    assert code == 13
    assert "enterprise octo-org" in messages
    assert USERS not in api.paths()


# --- many days ----------------------------------------------------------------------------------


@pytest.fixture
def sync(run):
    """Run `sync` of the user reports; return the exit code, the slots by day, and the messages."""

    def sync(since=DAY, until=DAY, org="octo-org"):
        code, output, messages = run("sync", "--org", org, "--since", since, "--until", until,
                                     "--reports", "users", "--json")  # fmt: skip
        result = json.loads(output)
        return code, {row["day"]: row for row in result.get("slots", [])}, result, messages

    return sync


@pytest.fixture
def answers(api, blobs):
    """Script the 28-day report as absent, and each day by a function of it."""

    def script(of_day):
        api.on(LATEST, Reply(204))
        api.on(USERS, lambda request: of_day(request.query["day"]))

    return script


def days(last=DAY, number=6) -> list[str]:
    end = datetime.fromisoformat(last).date()
    return [str(end - timedelta(days=back)) for back in reversed(range(number))]


def asked(api) -> list[str]:
    return [one.query["day"] for one in api.requests if one.path == USERS]


def test_f016_a_partial_answer_is_kept_and_never_plain_success(sync, answers, blobs):
    answers(lambda day: Reply(200, good(blobs, day).body, PARTIAL))
    code, slots, _, _ = sync()
    assert code == 3
    assert slots[DAY]["records"] == 1
    assert "21955855,20582480" in slots[DAY]["note"]


NO_REPORT = {
    "F021 404": refusal(404, "No report for this day"),
    "F024 204": Reply(204),
    "F026 empty text": reply(200, ""),
    "F027 sentence": reply(200, "No report available"),
    "F028 null": Reply(200, b"null"),
    "F029 no links": reply(200, {"download_links": []}),
}


@pytest.mark.parametrize("case", NO_REPORT)
def test_f024_no_report_yet_is_pending_and_asked_for_again(sync, answers, api, blobs, case):
    """The report that comes the next day is taken."""
    ready = []
    answers(lambda day: good(blobs, day) if ready else NO_REPORT[case])
    code, slots, _, _ = sync()
    assert (code, slots[DAY]["state"]) == (0, "pending")
    ready.append(True)
    code, slots, _, _ = sync()
    assert (code, slots[DAY]["state"]) == (0, "provisional")
    assert asked(api) == [DAY, DAY]


@pytest.mark.parametrize("case", NO_REPORT)
def test_f025_no_report_after_the_window_is_settled(sync, answers, api, case):
    answers(lambda day: NO_REPORT[case])
    code, slots, _, _ = sync(OLD, OLD)
    is_unknown = case.startswith("F021")
    assert (code, slots[OLD]["state"]) == ((3, "missing") if is_unknown else (0, "empty"))
    api.requests.clear()
    assert sync(OLD, OLD)[0] == 0
    assert asked(api) == []


def test_f031_a_report_for_another_day_is_not_stored_and_the_others_are(sync, answers, blobs):
    wrong = days()[2]
    answers(lambda day: good(blobs, OLD if day == wrong else day))
    code, slots, _, _ = sync(days()[0])
    assert code == 16
    assert slots[wrong]["state"] == "failed"
    assert all(slots[day]["records"] == 1 for day in days() if day != wrong)


def test_f037_a_day_that_fails_for_ever_leaves_the_others_alone(sync, answers, api, blobs):
    broken = days()[2]
    page = html(502, f"<html>{CANARY} gateway</html>")
    answers(lambda day: page if day == broken else good(blobs, day))
    code, slots, _, messages = sync(days()[0])
    assert code == 3
    assert slots[broken]["state"] == "failed"
    assert asked(api).count(broken) == 5
    assert all(slots[day]["records"] == 1 for day in days() if day != broken)
    assert "<html" not in messages


def test_f038_three_failures_in_a_row_end_the_run(sync, answers, api):
    answers(lambda day: Reply(503))
    api.on(LATEST, Reply(503))
    code, _, result, _ = sync(days(number=12)[0])
    assert code == 15
    assert result["error"] == "NetworkError"
    assert len(api.requests) == 15  # of more than sixty


def test_f052_the_case_of_a_name_makes_no_second_scope(sync, answers, run, blobs):
    answers(lambda day: good(blobs, day))
    sync()
    sync(org="Octo-Org")
    status = json.loads(run("status", "--json")[1])
    assert {row["name"] for row in status["reports"]} == {"organization:octo-org"}
