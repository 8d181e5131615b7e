"""`diagnose` says what stands in the way, in the order in which to mend it, and shows no secret."""

import json
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from web_server import (
    CANARY,
    SIGNATURE,
    TOKEN,
    Reply,
    WebServer,
    envelope,
    html,
    refusal,
    reply,
)

from copilot_analytics.client import Client, Settings
from copilot_analytics.doctor import Check, Diagnosis, diagnose
from copilot_analytics.errors import UsageError
from copilot_analytics.samples import Company, SampleServer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = "2026-11-16"  # the newest that has settled
CLASSIC = {
    "X-OAuth-Scopes": "gist, read:org",
    "GitHub-Authentication-Token-Expiration": "2027-05-01 08:00:00 UTC",
    "X-RateLimit-Limit": "5000",
    "X-RateLimit-Remaining": "4999",
    "X-RateLimit-Reset": "1795352400",
}
KINDS = {"organization": "orgs/octo-org", "enterprise": "enterprises/octo-corp"}


@pytest.fixture
def api(api, blobs):
    """A GitHub where everything is well."""
    api.on("/", reply(200, {}, Date="Sun, 22 Nov 2026 12:00:01 GMT"))
    api.on("/user", Reply(200, json.dumps({"login": "octocat"}).encode(), CLASSIC))
    for kind in KINDS:
        for report in (f"{kind}-28-day", "users-28-day"):
            api.on(path(report, kind), envelope(blobs.link("part-0"), blobs.link("part-1")))
        for report in (f"{kind}-1-day", "users-1-day", "user-teams-1-day", "repos-1-day"):
            api.on(path(report, kind), envelope(blobs.link("part-0"), day=DAY))
    return api


def path(report, kind="organization"):
    return f"/{KINDS[kind]}/copilot/metrics/reports/{report}" + "/latest" * ("28" in report)


@pytest.fixture
def settings(api, blobs, time):
    return Settings(
        api_url=api.url,
        token=TOKEN,
        download_hosts=(blobs.host,),
        wait_budget=20,
        clock=time.now,
        sleep=time.sleep,
        monotonic=time.monotonic,
        warn=lambda text: None,
    )


@pytest.fixture
def look(settings):
    """Diagnose with other settings; return the checks by name, and the exit code."""

    def look(scope="organization", **other):
        names = {"organization": {"org": "octo-org"}, "enterprise": {"enterprise": "octo-corp"}}
        with Client(replace(settings, **other)) as client:
            found = diagnose(client=client, **names.get(scope, {}))
        assert CANARY not in f"{found} {found!r} {found.as_dict()} {found.to_frame().to_string()}"
        return {check.name: check for check in found.checks}, found.exit_code

    return look


def states(checks) -> dict[str, str]:
    return {name: check.state for name, check in checks.items()}


def test_where_everything_is_well_each_thing_is_ok(look, api, blobs):
    checks, code = look()
    assert code == 0
    assert set(states(checks).values()) == {"ok"}
    assert list(checks)[:10] == [
        "proxy", "certificates", "API host", "clock", "token", "identity", "scopes",
        "token expiry", "rate limit", "policy Copilot usage metrics",
    ]  # fmt: skip
    reports = [name for name in checks if name.startswith("report ")]
    assert reports[0] == "report organization-28-day", "who may see any report may see this one"
    assert len(reports) == 6
    assert list(checks)[-2:] == ["download host", "hosts to allow"]
    assert checks["identity"].found == "signed in as octocat"
    assert checks["scopes"].found == "gist, read:org"
    assert checks["token expiry"].found == "2027-05-01 08:00 UTC"
    assert checks["rate limit"].found == "4999 of 5000 calls left, until 2026-11-22 13:00 UTC"
    assert checks["report users-28-day"].found == "2 files for 2026-10-24 to 2026-11-20"
    assert checks["report users-1-day"].found == f"1 file for {DAY}"
    assert all(not check.next for check in checks.values())


def test_no_host_gets_more_than_it_needs(look, api, blobs):
    """The token goes to the API alone; the signature, which opens a file, goes nowhere."""
    look()
    (root,) = [request for request in api.requests if request.path == "/"]
    assert "Authorization" not in root.headers
    assert blobs.requests
    for request in blobs.requests:
        assert (request.path, request.query) == ("/", {})
        assert set(request.headers) <= {"Host", "User-Agent", "Accept-Encoding"}


def test_without_a_name_the_reports_are_skipped(look, api):
    checks, code = look(scope=None)
    assert code == 0
    assert checks["reports"].state == "skipped"
    assert api.paths() == ["/", "/user"]


def test_a_name_that_is_none_is_refused(settings, api):
    with Client(settings) as client, pytest.raises(UsageError):
        diagnose(org="a/b", client=client)
    assert api.requests == []


# --- who asks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("ghp_", "classic personal access token"),
        ("github_pat_", "fine-grained personal access token"),
        ("gho_", "OAuth app token"),
        ("ghu_", "GitHub App user token"),
        ("ghs_", "GitHub App installation token"),
        ("", "token of an unknown kind"),
    ],
)
def test_the_kind_of_token_and_its_source_are_told(look, start, kind):
    checks, _ = look(scope=None, token=f"{start}{CANARY}0123456789")
    assert checks["token"].found == f"{kind}, from the token"


def test_a_fine_grained_token_cannot_see_an_enterprise(look, api):
    checks, code = look("enterprise", token=f"github_pat_{CANARY}0123456789")
    assert (checks["token"].state, code) == ("failed", 13)
    assert "classic token" in checks["token"].next
    assert checks["reports"].state == "skipped"
    assert api.paths() == ["/"]
    assert look("organization", token=f"github_pat_{CANARY}0123456789")[1] == 0


def test_without_a_token_the_rest_is_still_looked_at(look):
    checks, code = look(token=None)
    assert (checks["token"].state, code) == ("failed", 12)
    assert "GITHUB_TOKEN" in checks["token"].next
    assert states(checks)["API host"] == "ok"
    assert states(checks)["reports"] == states(checks)["download host"] == "skipped"


def test_a_refused_token_is_sent_once(look, api):
    api.on("/user", refusal(401, "Bad credentials"))
    checks, code = look()
    assert (checks["identity"].state, code) == ("failed", 12)
    assert api.paths() == ["/", "/user"]


@pytest.mark.parametrize("answer", [refusal(403, "Forbidden"), refusal(404, "Not Found")])
def test_a_token_of_no_person_is_good(look, api, answer):
    api.on("/user", answer)
    checks, code = look()
    assert (checks["identity"].state, code) == ("ok", 0)
    assert "scopes" not in checks


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (Reply(503), 15, "HTTP 503"),
        (Reply(200, b"{}", cut=0), 15, "broke off"),
        (refusal(403, "x", X_RateLimit_Remaining="0", X_RateLimit_Reset="1795352400"), 14, "UTC"),
    ],
)
def test_a_server_that_cannot_say_who_asks_is_named(look, api, answer, code, words):
    api.on("/user", answer)
    checks, found = look()
    assert (checks["identity"].state, found) == ("failed", code)
    assert words in checks["identity"].found


@pytest.mark.parametrize(
    ("scope", "scopes", "state"),
    [
        ("organization", "repo", "failed"),
        ("organization", "", "failed"),
        ("organization", "admin:org", "ok"),
        ("enterprise", "read:org", "failed"),
        ("enterprise", "manage_billing:copilot", "ok"),
        ("enterprise", "read:enterprise", "ok"),
    ],
)
def test_the_scopes_of_a_classic_token_are_compared_with_what_is_needed(
    look, api, scope, scopes, state
):
    api.on("/user", reply(200, {"login": "octocat"}, X_OAuth_Scopes=scopes))
    checks, code = look(scope)
    assert (checks["scopes"].state, code) == (state, 13 if state == "failed" else 0)


def test_what_will_soon_fail_is_a_warning(look, api):
    headers = CLASSIC | {
        "GitHub-Authentication-Token-Expiration": "2026-11-24 00:00:00 -0800",
        "X-RateLimit-Remaining": "0",
    }
    api.on("/user", Reply(200, b'{"login": "octocat"}', headers))
    api.on("/", reply(200, {}, Date="Sun, 22 Nov 2026 11:50:00 GMT"))
    checks, code = look(scope=None)
    assert code == 0
    for name, words in [
        ("token expiry", "2026-11-24 08:00 UTC"),
        ("rate limit", "0 of 5000"),
        ("clock", "10 minutes ahead"),
    ]:
        assert checks[name].state == "warning"
        assert words in checks[name].found
        assert checks[name].next


# --- what they may see --------------------------------------------------------------------------


def test_a_policy_that_is_off_is_told_from_a_token_problem(look, api):
    off = refusal(403, "The 'Copilot usage metrics' policy must be enabled to use this API")
    api.on(path("organization-28-day"), off)
    checks, code = look()
    assert code == 13
    assert checks["policy Copilot usage metrics"].found == "off; this is not a token problem"
    assert "enterprise owner" in checks["policy Copilot usage metrics"].next
    reports = [name for name in checks if name.startswith("report ")]
    assert reports == ["report organization-28-day"], "the others would say the same"


def test_a_wrong_name_says_so_and_leaves_the_policy_open(look, api):
    api.on(path("organization-28-day"), refusal(404, "Not Found"))
    checks, code = look()
    assert code == 13
    assert checks["policy Copilot usage metrics"].state == "skipped"
    assert "renamed" in checks["report organization-28-day"].next


def test_a_report_that_is_not_there_is_a_warning_and_the_others_are_asked_for(look, api):
    api.on(path("user-teams-1-day"), Reply(204))
    api.on(path("repos-1-day"), reply(200, {"download_links": None}))
    checks, code = look()
    assert code == 16
    assert checks["report user-teams-1-day"].state == "warning"
    assert checks["report repos-1-day"].state == "failed"
    assert checks["report users-1-day"].state == "ok"


def test_single_sign_on_that_hides_organizations_is_a_warning(look, api, blobs):
    partial = envelope(blobs.link("part-0"))
    partial = replace(partial, headers={"X-GitHub-SSO": "partial-results; organizations=1,2"})
    api.on(path("users-28-day"), partial)
    assert look()[0]["report users-28-day"].state == "warning"


# --- the way to GitHub --------------------------------------------------------------------------


def test_a_closed_port_is_named_and_nothing_else_is_asked(look):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    checks, code = look(api_url=f"http://127.0.0.1:{port}")
    assert (checks["API host"].state, code) == ("failed", 15)
    assert "refused" in checks["API host"].found
    assert "identity" not in checks


def test_a_page_that_answers_instead_of_the_api_is_told(look, api):
    api.on("/", html(200))
    checks, code = look()
    assert code == 15
    assert "a web page answers" in checks["API host"].found
    assert "sign-in" in checks["API host"].next


def test_a_proxy_is_named_without_its_password(look):
    with WebServer() as proxy:
        proxy.on("*", Reply(407, b"", {"Proxy-Authenticate": "Basic"}, framing="close"))
        checks, code = look(proxies={"http": f"http://me:{CANARY}password@{proxy.host}"})
    assert code == 15
    assert checks["proxy"].found == f"through {proxy.host}"
    assert "password" in checks["API host"].found


def test_a_link_to_a_host_that_is_not_allowed_is_found(look, api):
    api.on(path("users-1-day"), envelope(f"https://evil.example/p?sig={SIGNATURE}", day=DAY))
    checks, code = look()
    assert code == 16
    assert "evil.example was refused" in checks["download host"].found


def test_the_hosts_for_a_firewall_follow_from_the_address_of_the_api(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", unknown_host)
    for url, first, last in [
        ("https://api.github.com", "api.github.com", "*.blob.core.windows.net"),
        ("https://api.octo.ghe.com", "api.octo.ghe.com", "copilot-reports.octo.ghe.com"),
    ]:
        with Client(Settings(api_url=url)) as client:
            checks = {check.name: check for check in diagnose(client=client).checks}
        hosts = checks["hosts to allow"].found.split(", ")
        assert (hosts[0], hosts[-1]) == (first, last)
        assert "copilot-reports.github.com" in hosts
        assert checks["download host"].state == "failed"
        assert "DNS" in checks["download host"].found


def unknown_host(*_, **__):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


# --- the result ---------------------------------------------------------------------------------


def test_settings_that_cannot_be_right_are_the_first_thing_to_mend(monkeypatch):
    monkeypatch.setenv("GITHUB_API_URL", "http://api.github.com")
    found = diagnose(org="octo-org")
    assert [check.name for check in found.checks] == ["settings"]
    assert found.exit_code == 2


def test_the_exit_code_is_that_of_the_failure_that_matters_most():
    codes = (0, 15, 13, 0, 16)
    checks = tuple(Check(f"{code}", "failed", "", "", code) for code in codes)
    assert Diagnosis(checks).exit_code == 13
    assert Diagnosis(checks[:1]).exit_code == 0


def test_a_diagnosis_is_a_frame_a_dictionary_and_text():
    check = Check("token", "failed", f"found ghp_{'0' * 20}", "mend it", 12)
    found = Diagnosis((check, Check("proxy", "ok", "none")))
    assert found.as_dict()["checks"][0]["found"] == "found ***"
    expected = {
        "name": ["token", "proxy"],
        "state": ["failed", "ok"],
        "found": ["found ***", "none"],
        "next": ["mend it", ""],
    }
    pd.testing.assert_frame_equal(found.to_frame(), pd.DataFrame(expected))
    assert str(found).splitlines() == [
        "failed   token  found ***",
        "                Next: mend it",
        "ok       proxy  none",
    ]


def test_doctor_on_the_command_line(monkeypatch, capsys):
    from copilot_analytics.cli import cli

    with SampleServer(Company(people=20, days=8), now=datetime.now(UTC)) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["copilot-analytics"])
        with pytest.raises(SystemExit) as ended:
            cli.main(["doctor", "--org", "octo-org", "--json"], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert ended.value.code == found["exit_code"] == 0
    names = {check["name"]: check["state"] for check in found["checks"]}
    assert names["identity"] == names["report organization-28-day"] == "ok"
