"""The sample server answers as GitHub does, over real HTTP."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from copilot_analytics.catalogue import all_endpoints
from copilot_analytics.samples import Company, SampleServer

DAY = date(2026, 11, 18)
MISSING = date(2026, 11, 12)
SLUGS = {"organization": "octo-org", "enterprise": "octo-corp"}
ENDPOINTS = {f"{e.scope_kind}/{e.report}": e for e in all_endpoints()}


@pytest.fixture(scope="module")
def company():
    return Company(people=90, days=30, missing_days=(MISSING,))


@pytest.fixture
def server(company):
    with SampleServer(company) as running:
        yield running


def ask(server, path, *, token=None, version="2026-03-10", **query):
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": version}
    token = server.token if token is None else token
    if token:
        headers["Authorization"] = f"Bearer {token}"
    address = server.environ["GITHUB_API_URL"] + path
    return requests.get(address, params=query, headers=headers, timeout=10)


def ask_report(server, endpoint, day=DAY, slug=None):
    query = {"day": day.isoformat()} if "day" in endpoint.parameters else {}
    return ask(server, endpoint.path.format(name=slug or SLUGS[endpoint.scope_kind]), **query)


def download(link, **headers):
    return requests.get(link, headers=headers, timeout=10)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_endpoint_delivers_its_records(server, company, name):
    """F064: all links together are the report."""
    endpoint = ENDPOINTS[name]
    answer = ask_report(server, endpoint)
    assert answer.status_code == 200
    envelope = answer.json()
    links = envelope.pop("download_links")
    if endpoint.period == "1-day":
        assert envelope == {"report_day": "2026-11-18"}
    else:
        assert envelope == {"report_start_day": "2026-10-24", "report_end_day": "2026-11-20"}
    received = []
    for link in links:
        part = download(link)
        assert part.status_code == 200
        assert len(part.content) == int(part.headers["Content-Length"])
        digest = hashlib.md5(part.content).digest()
        assert part.headers["Content-MD5"] == b64encode(digest).decode()
        assert part.content.endswith(b"\n")
        received += [json.loads(line) for line in part.content.split(b"\n")[:-1]]
    scope = f"{endpoint.scope_kind}:{SLUGS[endpoint.scope_kind]}"
    day = DAY if endpoint.period == "1-day" else None
    assert received == list(company.records(endpoint.report, scope, day, server.clock))
    assert received


def test_larger_reports_come_in_several_links(server):
    count = {
        name: len(ask_report(server, ENDPOINTS[name]).json()["download_links"])
        for name in ("organization/users-28-day", "organization/users-1-day")
    }
    assert count == {"organization/users-28-day": 3, "organization/users-1-day": 2}


@pytest.mark.parametrize("name", [n for n, e in ENDPOINTS.items() if e.period == "1-day"])
def test_a_day_without_report_is_204_or_a_404_that_names_it(server, name):
    """F021, F024, F025: for ever, whatever the clock says."""
    endpoint = ENDPOINTS[name]
    server.clock += timedelta(days=60)
    answer = ask_report(server, endpoint, MISSING)
    if 204 in endpoint.no_report_statuses:
        assert (answer.status_code, answer.content) == (204, b"")
    else:
        assert answer.status_code == 404
        assert MISSING.isoformat() in answer.json()["message"]
        assert SLUGS[endpoint.scope_kind] in answer.json()["message"]


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(2027, 1, 1), date(2025, 11, 20)])
def test_days_out_of_range_are_a_404_that_names_them(server, day):
    """F053: not over yet, to come, older than a year."""
    answer = ask_report(server, ENDPOINTS["organization/users-1-day"], day)
    assert answer.status_code == 404
    assert day.isoformat() in answer.json()["message"]


def test_days_appear_and_settle_with_the_clock(server):
    endpoint = ENDPOINTS["organization/users-1-day"]
    sizes = []
    for days in (1, 2, 3, 4, 5):
        server.clock = datetime(2026, 11, 20, 1, tzinfo=UTC) + timedelta(days=days)
        answer = ask_report(server, endpoint, date(2026, 11, 20))
        if answer.status_code == 204:
            sizes.append(0)
        else:
            links = answer.json()["download_links"]
            sizes.append(sum(download(link).content.count(b"\n") for link in links))
    assert sizes[0] == 0
    assert 0 < sizes[1] < sizes[-1]
    assert sizes == sorted(sizes)


def test_unknown_names_are_a_404_without_a_day(server):
    """F022."""
    for path in (
        "/orgs/other/copilot/metrics/reports/users-1-day",
        "/enterprises/octo-org/copilot/metrics/reports/users-1-day",
        "/orgs/octo-org/copilot/metrics",
        "/orgs/%2e%2e/copilot/metrics/reports/users-1-day",
    ):
        answer = ask(server, path, day="2026-11-18")
        assert answer.status_code == 404
        assert answer.json()["message"] == "Not Found"


def test_names_do_not_depend_on_case(server):
    """F052."""
    answer = ask_report(server, ENDPOINTS["organization/users-1-day"], slug="Octo-Org")
    assert answer.status_code == 200


@pytest.mark.parametrize("token", ["", "ghp_another", "ghp_ä"])
def test_without_the_token_nothing_is_said(server, token):
    """F011."""
    token = token.encode().decode("latin-1")
    answer = ask(server, "/orgs/other/copilot/metrics/reports/users-1-day", token=token)
    assert answer.status_code == 401
    assert answer.json()["message"] == "Bad credentials"


@pytest.mark.parametrize("query", [{}, {"day": "2026-2-30"}, {"day": "20261118"}, {"day": "x"}])
def test_a_bad_day_is_422(server, query):
    """F035."""
    answer = ask(server, "/orgs/octo-org/copilot/metrics/reports/users-1-day", **query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "day"


def test_an_unknown_api_version_is_400(server):
    """F034."""
    path = "/orgs/octo-org/copilot/metrics/reports/users-28-day/latest"
    answer = ask(server, path, version="2020-01-01")
    assert answer.status_code == 400
    assert "2026-03-10" in answer.json()["message"]


def test_answers_carry_github_s_headers_and_time(server):
    first, second = (ask_report(server, ENDPOINTS["organization/users-28-day"]) for _ in "12")
    remaining = [int(a.headers["X-RateLimit-Remaining"]) for a in (first, second)]
    assert remaining == [4999, 4998]
    assert int(first.headers["X-RateLimit-Reset"]) > server.clock.timestamp()
    assert first.headers["Date"] == "Sun, 22 Nov 2026 09:00:00 GMT"
    assert first.headers["X-GitHub-Request-Id"] != second.headers["X-GitHub-Request-Id"]


def test_links_expire(server):
    """F060: by the clock, in whatever zone it is set."""
    server.clock = datetime.fromisoformat("2026-11-22T23:00:00-08:00")
    endpoint = ENDPOINTS["organization/organization-1-day"]
    (link,) = ask_report(server, endpoint).json()["download_links"]
    assert download(link).status_code == 200
    server.clock += timedelta(minutes=61)
    late = download(link)
    assert late.status_code == 403
    assert "<Code>AuthenticationFailed</Code>" in late.text
    assert "Signature not valid in the specified time frame" in late.text
    (fresh,) = ask_report(server, endpoint).json()["download_links"]
    assert download(fresh).status_code == 200


def test_links_may_be_stillborn(company):
    """F061."""
    with SampleServer(company, link_lifetime=0) as server:
        (link,) = ask_report(server, ENDPOINTS["enterprise/enterprise-1-day"]).json()[
            "download_links"
        ]
        assert download(link).status_code == 403


def test_a_link_that_was_changed_is_refused(server):
    (link,) = ask_report(server, ENDPOINTS["organization/repos-1-day"]).json()["download_links"]
    other_day = download(link.replace("2026-11-18", "2026-11-17"))
    longer = download(link.replace("se=2026", "se=2027"))
    unsigned = download(link.partition("?")[0])
    assert {a.status_code for a in (other_day, longer, unsigned)} == {403}
    assert "Signature did not match" in longer.text


def test_the_download_port_refuses_the_token(server):
    """F055: the signature is the credential."""
    (link,) = ask_report(server, ENDPOINTS["organization/repos-1-day"]).json()["download_links"]
    answer = download(link, Authorization=f"Bearer {server.token}")
    assert answer.status_code == 400
    assert "InvalidAuthenticationInfo" in answer.text


def test_requests_are_remembered_without_their_query(server, capfd):
    (link,) = ask_report(server, ENDPOINTS["organization/repos-1-day"]).json()["download_links"]
    download(link)
    api, blob = server.requests
    assert (api.port, api.method) == ("api", "GET")
    assert api.path == "/orgs/octo-org/copilot/metrics/reports/repos-1-day"
    assert api.headers["authorization"] == f"Bearer {server.token}"
    assert blob.port == "download"
    assert "?" not in blob.path
    assert "sig" not in blob.path
    assert "authorization" not in blob.headers
    assert capfd.readouterr() == ("", "")


def test_the_two_ports_differ_and_are_loopback(server):
    assert server.environ["GITHUB_API_URL"].startswith("http://127.0.0.1:")
    assert server.environ["COPILOT_ANALYTICS_DOWNLOAD_HOSTS"].startswith("127.0.0.1:")
    ports = {server.environ[name].rpartition(":")[2] for name in list(server.environ)[:2]}
    assert len(ports) == 2
    assert "sample" in server.environ["GITHUB_TOKEN"]


def test_clients_that_hang_up_make_no_noise(server, capfd):
    answer = ask_report(server, ENDPOINTS["organization/users-28-day"])
    for link in answer.json()["download_links"]:
        requests.get(link, stream=True, timeout=10).close()
    assert ask_report(server, ENDPOINTS["organization/users-28-day"]).status_code == 200
    assert capfd.readouterr() == ("", "")


def test_latency_is_added(company):
    with SampleServer(company, latency=0.2) as server:
        answer = ask_report(server, ENDPOINTS["organization/organization-1-day"])
        assert answer.elapsed > timedelta(seconds=0.2)
