"""`Client.links` ends in an envelope or in one named error that says what to do (faults F001-F054).

Everything runs against a real server on the loopback address; sleeping is recorded, not done.
"""

import logging
import socket
import ssl
import traceback
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_server import (
    CANARY,
    SIGNATURE,
    TOKEN,
    Reply,
    WebServer,
    envelope,
    fails,
    html,
    make_certificate,
    redirect,
    refusal,
    reply,
)

from copilot_analytics import catalogue
from copilot_analytics.catalogue import is_settled
from copilot_analytics.client import (
    Client,
    Settings,
    earliest_day,
)
from copilot_analytics.errors import (
    ContractError,
    CopilotAnalyticsError,
    CredentialsError,
    NetworkError,
    NoReportError,
    NotAllowedError,
    RateLimitError,
    UsageError,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = "2026-11-20"
USERS = "/orgs/octo-org/copilot/metrics/reports/users-1-day"
LATEST = "/orgs/octo-org/copilot/metrics/reports/organization-28-day/latest"
ENTERPRISE = "/enterprises/octo-corp/copilot/metrics/reports/users-1-day"
ENTERPRISE_LATEST = "/enterprises/octo-corp/copilot/metrics/reports/enterprise-28-day/latest"
LINK = f"https://copilot-reports.github.com/part-0?sig={SIGNATURE}"
GOOD = envelope(LINK, day=DAY)


@pytest.fixture
def settings(api, time):
    return Settings(
        api_url=api.url,
        token=TOKEN,
        connect_timeout=2,
        read_timeout=2,
        clock=time.now,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )


@pytest.fixture
def client(settings):
    with Client(settings) as client:
        yield client


def ask(client, day=DAY):
    return client.links("users-1-day", org="octo-org", day=day)


def at(seconds: float) -> str:
    """The header value of a rate limit that ends `seconds` from now."""
    return str(int(NOW.timestamp() + seconds))


# --- the good case ------------------------------------------------------------------------------


def test_an_envelope_holds_the_links_and_the_day(api, client):
    api.on(USERS, envelope(LINK, day=DAY))
    found = ask(client)
    assert found.links == (LINK,)
    assert (found.report, str(found.scope)) == ("users-1-day", "organization:octo-org")
    assert found.report_day == date(2026, 11, 20)
    assert (found.notes, found.is_partial) == ((), False)
    assert SIGNATURE not in repr(found)


def test_github_sees_the_token_the_version_and_the_day_and_nothing_else(api, client):
    api.on(USERS, GOOD)
    ask(client)
    (request,) = api.requests
    assert request.query == {"day": DAY}
    assert request.headers == {
        "Host": api.host,
        "Accept": "application/vnd.github+json",
        "Accept-Encoding": "identity",
        "Authorization": f"Bearer {TOKEN}",
        "User-Agent": "copilot-analytics",
        "X-GitHub-Api-Version": "2026-03-10",
    }


@pytest.mark.parametrize("kind", ["organization", "enterprise"])
def test_each_of_the_twelve_endpoints_is_asked_at_its_documented_path(api, client, kind):
    name = {"organization": {"org": "octo"}, "enterprise": {"enterprise": "octo"}}[kind]
    for endpoint in catalogue.all_endpoints():
        if endpoint.scope_kind != kind:
            continue
        day = DAY if endpoint.parameters else None
        api.on(endpoint.path.format(name="octo"), envelope(LINK, day=day))
        assert client.links(endpoint.report, **name, day=day).report == endpoint.report
    assert len(api.requests) == 6


def test_a_28_day_report_says_its_period(api, client):
    api.on(LATEST, envelope(LINK))
    found = client.links("organization-28-day", org="octo-org")
    assert found.report_start_day == date(2026, 10, 24)
    assert found.report_end_day == date(2026, 11, 20)
    assert api.requests[0].query == {}


def test_f056_f057_netrc_never_replaces_the_token(api, client, tmp_path, monkeypatch, plant):
    netrc = plant(tmp_path / "netrc", f"default login me password {CANARY}netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    api.on(USERS, GOOD)
    ask(client)
    assert api.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_cookies_are_not_kept(api, client):
    api.on(USERS, Reply(200, GOOD.body, {"Set-Cookie": "session=1; Path=/"}))
    ask(client)
    ask(client)
    assert "Cookie" not in api.requests[1].headers


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 429])
def test_f001_f002_a_used_up_limit_is_waited_for(api, client, time, status):
    limited = refusal(status, "API rate limit exceeded", X_RateLimit_Remaining="0",
                      X_RateLimit_Reset=at(2))  # fmt: skip
    api.on(USERS, limited, GOOD)
    assert ask(client).links
    assert len(api.requests) == 2
    assert 3 <= sum(time.sleeps) <= 7


def test_f003_retry_after_is_obeyed(api, client, time):
    api.on(USERS, refusal(403, "secondary rate limit", Retry_After="3"), GOOD)
    assert ask(client).links
    assert time.sleeps == [3]


def test_f004_without_a_header_the_wait_starts_at_a_minute_and_doubles(api, client, time):
    api.on(USERS, refusal(403, "You have exceeded a secondary rate limit"))
    with fails(RateLimitError, "rate limit"):
        ask(client)
    assert time.sleeps == [60, 120, 240, 480]
    assert len(api.requests) == 5


def test_f005_the_last_call_of_the_hour_counts_and_the_next_one_waits(api, client, time):
    last = Reply(200, GOOD.body, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": at(30)})
    api.on(USERS, last, GOOD)
    assert ask(client).links
    assert time.sleeps == []
    assert ask(client).links
    assert time.sleeps == [pytest.approx(31, abs=1)]


def test_f006_a_reset_in_five_hours_ends_at_once_and_says_when(api, client, time):
    far = refusal(403, "rate limit", X_RateLimit_Remaining="0", X_RateLimit_Reset=at(18000))
    api.on(USERS, far)
    with fails(RateLimitError, "2026-11-22 17:00:00 UTC") as caught:
        ask(client)
    assert caught.value.exit_code == 14
    with fails(RateLimitError, "UTC"):
        ask(client)
    assert (len(api.requests), time.sleeps) == (1, [])


def test_f007_a_day_of_retry_after_is_not_slept_through(api, client, time):
    api.on(USERS, refusal(429, "slow down", Retry_After="86400"))
    with fails(RateLimitError, "2026-11-23 12:00:00 UTC"):
        ask(client)
    assert time.sleeps == []


def test_f008_retry_after_may_be_a_date(api, client, time):
    when = format_datetime(NOW + timedelta(seconds=2), usegmt=True)
    api.on(USERS, refusal(429, "slow down", Retry_After=when), GOOD)
    assert ask(client).links
    assert time.sleeps == [2]


@pytest.mark.parametrize("text", ["-5", "abc", "1e99", "99999999", "Wed, 99 Nov", ""])
def test_f009_an_unreadable_retry_after_counts_as_a_minute(api, client, time, text):
    api.on(USERS, refusal(429, "slow down", Retry_After=text), GOOD)
    assert ask(client).links
    assert time.sleeps == [60]


def test_f010_a_reset_in_the_past_neither_spins_nor_lasts(api, client, time):
    past = refusal(403, "rate limit", X_RateLimit_Remaining="0", X_RateLimit_Reset=at(-60))
    api.on(USERS, past)
    with fails(RateLimitError):
        ask(client)
    assert min(time.sleeps) >= 1
    assert len(api.requests) <= 12
    assert sum(time.sleeps) <= 900


# --- credentials and permissions ----------------------------------------------------------------


def test_f011_a_bad_token_is_sent_once_in_the_whole_run(api, client):
    api.on(USERS, refusal(401, "Bad credentials"))
    for _ in range(3):
        with fails(CredentialsError, "token", "HTTP 401 Bad credentials", "read:org"):
            ask(client)
    assert len(api.requests) == 1


def test_f012_a_random_401_is_asked_again_once(api, client, time):
    api.on(USERS, refusal(401, "Requires authentication"), GOOD)
    assert ask(client).links
    assert (len(api.requests), time.sleeps) == (2, [2])


def test_a_lasting_401_ends_after_the_second_try(api, client):
    api.on(USERS, refusal(401, "Requires authentication"))
    with fails(CredentialsError, "token"):
        ask(client)
    assert len(api.requests) == 2


def test_without_a_token_nothing_is_sent(api, settings):
    with Client(replace(settings, token=None)) as client, fails(CredentialsError, "GITHUB_TOKEN"):
        ask(client)
    assert api.requests == []


def test_f015_sso_is_named_and_its_address_goes_to_the_terminal_alone(api, settings):
    shown = []
    url = f"https://github.com/orgs/octo-org/sso?authorization_request={CANARY}sso"
    api.on(USERS, refusal(403, "Resource protected by organization SAML enforcement.",
                          X_GitHub_SSO=f"required; url={url}"))  # fmt: skip
    with (
        Client(replace(settings, show_sso_url=shown.append)) as client,
        fails(NotAllowedError, "SSO", "Configure SSO"),
    ):
        ask(client)
    assert shown == [url]
    with Client(settings) as client, fails(NotAllowedError, "SSO"):
        ask(client)


def test_f016_partial_single_sign_on_is_marked(api, client):
    partial = {"X-GitHub-SSO": "partial-results; organizations=21955855,20582480"}
    api.on(USERS, Reply(200, GOOD.body, partial))
    found = ask(client)
    assert found.is_partial
    assert "21955855,20582480" in found.notes[0]


REFUSALS = {
    "F017 policy": (
        refusal(403, "The 'Copilot usage metrics' policy must be enabled to use this API"),
        ["Copilot usage metrics", "not a token problem", "enterprise owner"],
    ),
    "F018 role": (
        refusal(403, "User requires admin, or relevant organization role access"),
        ["role", "View Organization Copilot Metrics"],
    ),
    "F019 permission": (
        refusal(403, "Resource not accessible by integration",
                X_Accepted_GitHub_Permissions="organization_copilot_metrics=read"),
        ["organization_copilot_metrics=read", "permission"],
    ),
    "F020 lockout": (refusal(403, "Forbidden"), ["temporary lockout possible"]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_f017_to_f020_a_refusal_names_who_has_to_act(api, client, time, case):
    answer, texts = REFUSALS[case]
    api.on(USERS, answer)
    with fails(NotAllowedError, *texts) as caught:
        ask(client)
    assert caught.value.exit_code == 13
    assert all(caught.value.as_dict().values())  # all four parts of the message
    assert (len(api.requests), time.sleeps) == (1, [])


def test_f019_for_an_enterprise_the_place_of_the_installation_is_named(api, client):
    api.on(ENTERPRISE, refusal(403, "Resource not accessible by integration"))
    with fails(NotAllowedError, "installed on the enterprise, not on an organization"):
        client.links("users-1-day", enterprise="octo-corp", day=DAY)


def test_f054_an_enterprise_is_never_silently_replaced_by_an_organization(api, client):
    api.on(ENTERPRISE, refusal(403, "Forbidden"))
    api.on("*", GOOD)
    with fails(NotAllowedError, "enterprise octo-corp"):
        client.links("users-1-day", enterprise="octo-corp", day=DAY)
    assert api.paths() == [ENTERPRISE]


# --- no report ----------------------------------------------------------------------------------

NO_REPORT = {
    "F024 204": Reply(204),
    "F026 empty text": reply(200, ""),
    "F027 sentence": reply(200, "No report available"),
    "F028 null": Reply(200, b"null"),
    "F028 nothing": Reply(200),
    "F028 blanks": Reply(200, b" \r\n "),
    "F029 empty envelope": envelope(day=DAY),
}


@pytest.mark.parametrize("case", NO_REPORT)
def test_f024_to_f029_no_report_yet_is_pending(api, client, case):
    api.on(USERS, NO_REPORT[case])
    with fails(NoReportError, "users-1-day of organization octo-org", "pending") as caught:
        ask(client)
    assert (caught.value.state, caught.value.is_final) == ("pending", False)
    if "F027" in case:
        assert "No report available" in caught.value.said
    if "F029" in case:
        assert "empty envelope" in caught.value.what


@pytest.mark.parametrize("case", NO_REPORT)
def test_f025_after_the_settle_window_the_day_is_empty(api, client, case):
    api.on(USERS, NO_REPORT[case])
    with fails(NoReportError, "empty") as caught:
        ask(client, "2026-11-10")
    assert (caught.value.state, caught.value.is_final) == ("empty", True)


@pytest.mark.parametrize(("day", "state"), [(DAY, "pending"), ("2026-11-10", "missing")])
def test_f021_404_for_a_day_is_told_from_a_wrong_name_by_the_28_day_report(api, client, day, state):
    api.on(LATEST, envelope(LINK))
    with fails(NoReportError, f"State: {state}") as caught:
        ask(client, day)
    assert (caught.value.state, caught.value.exit_code) == (state, 3)
    with fails(NoReportError):
        ask(client, "2026-11-11")
    assert api.paths() == [USERS, LATEST, USERS], "the 28-day report is asked once a run"


def test_f022_404_everywhere_is_a_wrong_name_a_missing_permission_or_a_rename(api, client):
    with fails(NotAllowedError, "slug", "permission", "renamed") as caught:
        ask(client)
    assert caught.value.exit_code == 13
    assert api.paths() == [USERS, LATEST]
    with fails(NotAllowedError):
        ask(client)
    assert api.paths() == [USERS, LATEST, USERS]


def test_f023_a_closed_endpoint_shows_the_link_that_github_gave(api, client):
    with fails(NotAllowedError, "https://docs.github.com/rest"):
        ask(client)


def test_the_canary_of_an_enterprise_is_its_own_28_day_report(api, client):
    api.on(ENTERPRISE_LATEST, envelope(LINK))
    with fails(NoReportError):
        client.links("users-1-day", enterprise="octo-corp", day=DAY)
    assert api.paths() == [ENTERPRISE, ENTERPRISE_LATEST]


def test_an_organization_that_was_seen_needs_no_canary(api, client):
    api.on(USERS, GOOD, refusal(404, "Not Found"))
    ask(client)
    with fails(NoReportError):
        ask(client)
    assert api.paths() == [USERS, USERS]


def test_a_28_day_report_that_is_not_found_is_its_own_canary(api, client):
    with fails(NotAllowedError, "slug"):
        client.links("organization-28-day", org="octo-org")
    assert api.paths() == [LATEST]


def test_a_canary_that_is_refused_says_why(api, client):
    api.on(LATEST, refusal(403, "Resource not accessible by integration"))
    with fails(NotAllowedError, "permission is missing"):
        ask(client)


# --- answers that are not what was asked for ----------------------------------------------------

WRONG = {
    "F030 null": (reply(200, {"download_links": None}), ["null or missing"]),
    "F030 text": (reply(200, {"download_links": "x"}), ["is text"]),
    "F030 objects": (reply(200, {"download_links": [{"url": 1}]}), ["a list of an object"]),
    "F030 numbers": (reply(200, {"download_links": [1, LINK]}), ["a list of a number, text"]),
    "F031 other day": (envelope(LINK, day="2026-11-19"), ["2026-11-19"]),
    "F031 no day": (envelope(LINK, day="tomorrow"), ["'tomorrow', not a day"]),
    "F034 version": (
        refusal(400, "Not a supported version: 2026-03-10. Supported: 2022-11-28"),
        ["2026-03-10", "2022-11-28"],
    ),
    "F035 422": (
        reply(422, {"message": "Validation Failed", "errors": ["day is invalid"]}),
        ["HTTP 422", "day is invalid"],
    ),
    "F039 HTML": (html(200), ["HTML", "proxy"]),
    "F086 links": (envelope(*map(str, range(1001)), day=DAY), ["1001 links"]),
    "a list": (reply(200, [LINK]), ["the answer is a list of text"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_f030_to_f039_a_wrong_answer_is_refused_with_its_shape(api, client, case):
    answer, texts = WRONG[case]
    api.on(USERS, answer)
    with fails(ContractError, *texts) as caught:
        ask(client)
    assert caught.value.exit_code == 16
    assert "<" not in str(caught.value)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [("2026-11-20", "2026-10-24", "starts on"), (None, None, "which days")],
)
def test_f032_an_impossible_period_is_refused(api, client, start, end, text):
    api.on(LATEST, envelope(LINK, report_start_day=start, report_end_day=end))
    with fails(ContractError, text):
        client.links("organization-28-day", org="octo-org")


def test_f032_f033_f065_oddities_are_noted_and_harmless(api, client):
    api.on(LATEST, envelope(LINK, LINK, report_start_day="2026-10-25", surprise=1))
    found = client.links("organization-28-day", org="octo-org")
    assert found.links == (LINK,)
    assert found.notes == (
        "1 links came twice and are fetched once",
        "the period has 27 days instead of 28",
        "unknown fields in the answer: surprise",
    )


def test_f032_a_period_of_30_days_is_noted(api, client):
    api.on(LATEST, envelope(LINK, report_start_day="2026-10-22"))
    notes = client.links("organization-28-day", org="octo-org").notes
    assert notes == ("the period has 30 days instead of 28",)


def test_f033_fields_that_github_has_added_are_listed_once_in_a_run(api, client):
    api.on(USERS, envelope(LINK, day=DAY, b=1, a=2), envelope(LINK, day=DAY, b=1, c=3))
    notes = [ask(client).notes for _ in range(3)]
    assert notes == [
        ("unknown fields in the answer: a, b",), ("unknown fields in the answer: c",), ()
    ]  # fmt: skip


def test_an_envelope_that_names_no_day_counts_for_the_day_that_was_asked(api, client):
    api.on(USERS, reply(200, {"download_links": [LINK]}))
    found = ask(client)
    assert found.report_day == date(2026, 11, 20)
    assert found.notes == ("the answer does not say which day it is for",)


def test_an_answer_without_end_is_cut_off(api, client, monkeypatch):
    monkeypatch.setattr("copilot_analytics.client.connection._MAX_BYTES", 10)
    api.on(USERS, Reply(200, b" " * 100, drip=0.02))
    began = monotonic()
    with fails(ContractError, "too long"):
        ask(client)
    assert monotonic() - began < 1


# --- servers and connections that fail ----------------------------------------------------------


def test_f036_a_server_that_recovers_is_asked_until_it_does(api, client, time):
    api.on(USERS, Reply(500), Reply(503), GOOD)
    assert ask(client).links
    assert (len(api.requests), len(time.sleeps)) == (3, 2)


def test_f037_a_gateway_that_stays_down_ends_after_five_tries_without_its_page(api, client):
    api.on(USERS, html(502, f"<html>{CANARY} bad gateway</html>"))
    with fails(NetworkError, "HTTP 502 with an HTML page") as caught:
        ask(client)
    assert len(api.requests) == 5
    assert "<html>" not in str(caught.value)


def test_f040_a_closed_port_is_tried_five_times_and_named(settings, time):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    closed = replace(settings, api_url=f"http://127.0.0.1:{port}")
    with Client(closed) as client, fails(NetworkError, "127.0.0.1", "refused") as caught:
        ask(client)
    assert len(time.sleeps) == 4
    assert "day=" not in str(caught.value)


def test_f040_an_unknown_host_is_named(settings, monkeypatch, time):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    tenant = replace(settings, api_url="https://api.octo.ghe.com")
    with Client(tenant) as client, fails(NetworkError, "api.octo.ghe.com", "DNS"):
        ask(client)
    assert len(time.sleeps) == 4


def test_f041_a_server_that_never_answers_ends_in_bounded_time(api, settings):
    api.on(USERS, Reply(200, delay=5))
    hasty = replace(settings, read_timeout=0.05)
    with Client(hasty) as client, fails(NetworkError, "no answer came"):
        ask(client)
    assert len(api.requests) == 5


def test_an_answer_that_drips_ends_at_the_deadline(api, settings, time):
    api.on(USERS, Reply(200, GOOD.body, drip=0.05), GOOD)
    with Client(replace(settings, read_timeout=0.2, connect_timeout=0.2)) as client:
        assert ask(client).links
    assert len(api.requests) == 2


def test_f041_a_head_that_drips_ends_at_the_deadline(api, settings):
    """Each byte comes well within the read timeout, and the head would take half a minute."""
    api.on(USERS, Reply(200, b"{}", {"X-Slow": "z" * 600}, drip_head=0.05), GOOD)
    began = monotonic()
    with Client(replace(settings, read_timeout=0.2, connect_timeout=0.2)) as client:
        assert ask(client).links
    assert monotonic() - began < 3


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_answer_that_breaks_off_is_asked_again(api, client, framing):
    api.on(USERS, Reply(200, GOOD.body, framing=framing, cut=20), GOOD)
    assert ask(client).links


def test_a_server_that_does_not_speak_http_is_reported(api, client):
    api.on(USERS, Reply(200, b"SSH-2.0-OpenSSH_9.6\r\n", framing="none"))
    with fails(NetworkError, "broke off"):
        ask(client)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost", "api.octo.ghe.com")


@pytest.fixture(scope="module")
def other_certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("other"), "localhost")


@pytest.fixture
def tls_api(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    with WebServer(tls=context) as server:
        server.on(USERS, GOOD)
        yield server


def test_f042_an_unknown_certificate_is_refused_at_once(tls_api, settings, time):
    found = replace(settings, api_url=tls_api.url)
    with Client(found) as client, fails(NetworkError, "certificate", "CA bundle") as caught:
        ask(client)
    assert "COPILOT_ANALYTICS_CA_BUNDLE" in caught.value.advice
    assert (tls_api.requests, time.sleeps) == ([], [])


CA_VARIABLES = ["COPILOT_ANALYTICS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]


@pytest.mark.parametrize("right", [*CA_VARIABLES, "setting"])
def test_f043_the_setting_wins_over_the_environment(
    tls_api, certificate, other_certificate, settings, right
):
    """Each variable wins over those after it, which name certificates that are of no use here."""
    chosen = {"ca_bundle": str(certificate[1])} if right == "setting" else {}
    environ = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": tls_api.url}
    for name in CA_VARIABLES[CA_VARIABLES.index(right) if right in CA_VARIABLES else 0 :]:
        environ[name] = str((certificate if name == right else other_certificate)[1])
    found = Settings.from_environment(environ, **chosen, clock=settings.clock)
    with Client(found) as client:
        assert ask(client).links


def test_f043_certificates_of_another_authority_do_not_help(tls_api, other_certificate, settings):
    found = replace(settings, api_url=tls_api.url, ca_bundle=str(other_certificate[1]))
    with Client(found) as client, fails(NetworkError, "certificate"):
        ask(client)


@pytest.mark.parametrize("variable", ["GITHUB_API_URL", "GH_HOST"])
def test_f050_a_tenant_is_asked_at_its_own_host_without_a_prefix(
    tls_api, certificate, settings, monkeypatch, variable
):
    resolve, asked = socket.getaddrinfo, []

    def everything_is_here(host, port, *arguments, **options):
        asked.append((host, port))
        return resolve("127.0.0.1", tls_api.port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", everything_is_here)
    value = {"GITHUB_API_URL": "https://api.octo.ghe.com/", "GH_HOST": "octo.ghe.com"}[variable]
    environ = {"GITHUB_TOKEN": TOKEN, "SSL_CERT_FILE": str(certificate[1]), variable: value}
    found = Settings.from_environment(environ, clock=settings.clock)
    with Client(found) as client:
        assert ask(client).links
    assert asked == [("api.octo.ghe.com", 443)]
    assert tls_api.paths() == [USERS]
    assert tls_api.requests[0].headers["Host"] == "api.octo.ghe.com"


# --- proxies ------------------------------------------------------------------------------------


@pytest.fixture
def proxy():
    with WebServer() as server:
        server.on("*", Reply(407, b"", {"Proxy-Authenticate": "Basic"}, framing="close"))
        yield server


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://api.octo.ghe.com"])
def test_f044_a_proxy_that_asks_for_a_password_is_named_and_not_shown(proxy, settings, url):
    scheme = url.partition(":")[0]
    address = f"http://me:{CANARY}password@{proxy.host}"
    with Client(replace(settings, api_url=url, proxies={scheme: address})) as client:
        assert CANARY not in repr(client.settings)
        with fails(NetworkError, "proxy", "407"):
            ask(client)


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "127.0.0.0/8", "example.org, 127.0.0.1"])
def test_f045_no_proxy_means_a_direct_connection(api, proxy, settings, no_proxy):
    api.on(USERS, GOOD)
    proxies = {"http": f"http://{proxy.host}", "no_proxy": no_proxy}
    with Client(replace(settings, proxies=proxies)) as client:
        assert ask(client).links
    assert proxy.requests == []


# --- redirects ----------------------------------------------------------------------------------


def test_f046_a_permanent_move_on_the_same_host_is_followed_and_noted(api, client):
    api.on(USERS, redirect("/organizations/1/reports?day=2026-11-20", 301))
    api.on("/organizations/1/reports", GOOD)
    assert ask(client).notes == ("moved permanently to /organizations/1/reports",)
    assert api.requests[1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert api.requests[1].query == {"day": DAY}


def test_f047_the_token_never_follows_a_redirect_to_another_host(api, client):
    with WebServer() as other:
        other.on("*", GOOD)
        api.on(USERS, redirect(other.url + USERS))
        with fails(ContractError, "another host", "not sent"):
            ask(client)
        assert other.requests == []


def test_f048_a_redirect_without_https_is_refused(tls_api, certificate, settings, api):
    tls_api.on(USERS, redirect(api.url + USERS))
    found = replace(settings, api_url=tls_api.url, ca_bundle=str(certificate[1]))
    with Client(found) as client, fails(ContractError, "without https"):
        ask(client)
    assert api.requests == []


@pytest.mark.parametrize("location", ["", "https://[", "ftp://127.0.0.1/"])
def test_f070_a_redirect_to_nowhere_is_refused(api, client, location):
    api.on(USERS, redirect(location))
    with fails(ContractError, "redirect"):
        ask(client)


def test_f049_a_redirect_loop_ends_after_five_hops(api, client):
    api.on(USERS, redirect(USERS))
    with fails(NetworkError, "redirects") as caught:
        ask(client)
    assert (len(api.requests), caught.value.exit_code) == (6, 15)


# --- what is refused before anything is sent ----------------------------------------------------


@pytest.mark.parametrize(
    "name", ["octo/org", "..", "octo%2Forg", "octo org", "x" * 300, "", "octo\norg", "-octo"]
)
def test_f051_a_name_that_is_none_is_refused_before_any_request(api, client, name):
    with fails(UsageError) as caught:
        client.links("users-1-day", org=name, day=DAY)
    assert (caught.value.exit_code, api.requests) == (2, [])


def test_f052_the_case_of_a_name_does_not_matter(api, client):
    api.on(USERS, GOOD)
    assert str(client.links("users-1-day", org="Octo-Org", day=DAY).scope) == (
        "organization:octo-org"
    )
    assert api.paths() == [USERS]


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2026-11-22", "not over"),
        ("2026-11-23", "not over"),
        ("2025-11-21", "before what GitHub has"),
        ("2025-10-09", "before what GitHub has"),
        ("2026-2-30", "not a day"),
        ("2026-02-30", "not a day"),
        ("20261120", "not a day"),
        ("2026-W47-5", "not a day"),
        ("", "not a day"),
        (None, "needs a day"),
    ],
)
def test_f053_a_day_that_cannot_be_asked_for_is_refused_before_any_request(api, client, day, text):
    with fails(UsageError, text) as caught:
        ask(client, day)
    assert (caught.value.exit_code, api.requests) == (2, [])


def test_a_day_for_a_28_day_report_and_an_unknown_report_are_refused(api, client):
    with fails(UsageError, "no choice of day"):
        client.links("organization-28-day", org="octo-org", day=DAY)
    with fails(UsageError, "does not exist"):
        client.links("enterprise-1-day", org="octo-org", day=DAY)
    with fails(UsageError, "exactly one"):
        client.links("users-1-day", org="octo-org", enterprise="octo-corp", day=DAY)
    assert api.requests == []


def test_the_first_day_of_a_report_and_the_last_day_of_the_year_can_be_asked_for(api, client):
    for path, name in ((USERS, {"org": "octo-org"}), (ENTERPRISE, {"enterprise": "octo-corp"})):
        first = {"org": "2025-12-12", "enterprise": "2025-11-22"}[next(iter(name))]
        api.on(path, envelope(LINK, day=first))
        assert str(client.links("users-1-day", **name, day=first).report_day) == first


@pytest.mark.parametrize("day", [date(2026, 11, 20), datetime(2026, 11, 20), DAY])
def test_a_day_may_be_text_date_or_timestamp(api, client, day):
    api.on(USERS, GOOD)
    assert ask(client, day).report_day == date(2026, 11, 20)


def test_f156_the_day_ends_in_utc_wherever_the_user_is(settings):
    kiritimati = datetime.fromisoformat("2026-11-22T01:00:00+14:00")  # still the 21st in UTC
    with Client(replace(settings, clock=lambda: kiritimati)) as client:
        assert client.today() == date(2026, 11, 21)
        with fails(UsageError, "not over"):
            ask(client, "2026-11-21")


def test_f159_a_year_back_from_a_leap_day_is_the_28th():
    endpoint = catalogue.endpoint("users-1-day", "enterprise")
    assert earliest_day(endpoint, date(2028, 2, 29)) == date(2027, 2, 28)


@given(st.dates(date(2026, 1, 1), date(2030, 1, 1)), st.integers(0, 40))
def test_a_day_is_settled_five_full_days_after_its_end(day, later):
    end = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1)
    today = day + timedelta(days=later)
    midnight = datetime.combine(today, datetime.min.time(), UTC)
    assert is_settled(day, today) == (midnight - end >= timedelta(days=5))


def test_f168_a_crash_shows_no_token_even_with_the_variables_of_all_frames(
    api, client, monkeypatch
):
    def crash(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("copilot_analytics.client.connection.classify", crash)
    api.on(USERS, GOOD)
    with pytest.raises(ZeroDivisionError) as caught:
        ask(client)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "settings = Settings(" in "".join(shown.format())
    assert TOKEN not in "".join(shown.format())


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410, 422, 429, 500, 503])
def test_every_status_ends_in_an_error_with_four_parts(api, client, status):
    api.on(USERS, refusal(status, "Something") if status not in (204, 304) else Reply(status))
    with fails(CopilotAnalyticsError) as caught:
        ask(client)
    parts = caught.value.as_dict()
    assert all(parts[part] for part in ("what", "said", "kept", "next")), parts


def test_f169_a_users_own_log_lines_of_the_library_are_redacted_too(api, settings, caplog):
    api.on(USERS, GOOD)
    with Client(settings) as client:
        ask(client)
        logging.getLogger("urllib3.connectionpool").debug("GET https://host/part?sig=%s", "abc")
    assert "sig=abc" not in caplog.text
    assert "/part?***" in caplog.text
