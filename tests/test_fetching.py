"""`fetch` and `save_report` give one report completely, or an error and nothing."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from conftest import ndjson, user_record
from web_server import (
    CANARY,
    SIGNATURE,
    TOKEN,
    Reply,
    envelope,
    fails,
    html,
    refusal,
)

from copilot_analytics import fetching
from copilot_analytics.catalogue import Scope
from copilot_analytics.cli import cli
from copilot_analytics.client import Client, Settings
from copilot_analytics.errors import (
    ContentError,
    ContractError,
    DownloadError,
    NoReportError,
    NotAllowedError,
    StorageError,
    UsageError,
)
from copilot_analytics.fetching import download_report, fetch, load_links, save_report

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = "2026-11-20"
SCOPE = Scope("organization", "octo-org")
USERS = "/orgs/octo-org/copilot/metrics/reports/users-1-day"
LATEST = "/orgs/octo-org/copilot/metrics/reports/organization-28-day/latest"
BODY = ndjson(user_record(DAY, 1), user_record(DAY, 2))
EXPIRED = Reply(403, b"<Error><Code>AuthenticationFailed</Code></Error>")


@pytest.fixture
def client(api, blobs, time):
    settings = Settings(
        api_url=api.url,
        token=TOKEN,
        download_hosts=(blobs.host,),
        clock=time.now,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )
    with Client(settings) as client:
        yield client


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def save(client, folder):
    def run(report="users-1-day", day=DAY):
        return save_report(report, org="octo-org", day=day, directory=folder, client=client)

    return run


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_fetch_gives_the_tables_of_all_files(api, blobs, client):
    first, second = (ndjson(user_record(DAY, number)) for number in (1, 2))
    api.on(USERS, envelope(blobs.file("a", first), blobs.file("b", second), day=DAY))
    tables = fetch("users-1-day", org="octo-org", day=DAY, client=client)
    assert sorted(tables.users["user_id"]) == [1, 2]
    assert set(tables.users["scope"]) == {"organization:7"}


def test_records_without_an_id_get_the_scope_that_was_asked_for(api, blobs, client):
    record = {"day": DAY, "daily_active_users": 3}
    path = USERS.replace("users-1-day", "organization-1-day")
    api.on(path, envelope(blobs.file("a", ndjson(record)), day=DAY))
    tables = fetch("organization-1-day", org="Octo-Org", day=DAY, client=client)
    assert list(tables.entity["scope"]) == ["organization:octo-org"]


def test_the_token_goes_to_the_api_and_never_to_the_files(api, blobs, client):
    api.on(USERS, envelope(blobs.file("a", BODY), day=DAY))
    fetch("users-1-day", org="octo-org", day=DAY, client=client)
    assert api.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert set(blobs.requests[0].headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
def test_f056_f057_netrc_touches_neither_the_token_nor_the_files(
    api, blobs, client, tmp_path, monkeypatch, plant, entry
):
    netrc = plant(tmp_path / "netrc", f"{entry} login me password {CANARY}netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    api.on(USERS, envelope(blobs.file("a", BODY), day=DAY))
    fetch("users-1-day", org="octo-org", day=DAY, client=client)
    assert api.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert "Authorization" not in blobs.requests[0].headers


def test_f113_records_of_another_day_than_was_asked_for_are_refused(api, blobs, client):
    api.on(USERS, envelope(blobs.file("a", ndjson(user_record("2026-11-19"))), day=DAY))
    with fails(ContentError, DAY, "2026-11-19"):
        fetch("users-1-day", org="octo-org", day=DAY, client=client)


def test_fetch_takes_its_settings_from_the_environment(api, blobs, monkeypatch):
    latest = date.fromisoformat("2026-11-20")
    api.on(LATEST, envelope(blobs.file("a", ndjson({
        "organization_id": "7",
        "report_start_day": "2026-10-24",
        "report_end_day": "2026-11-20",
        "day_totals": [{"day": DAY, "organization_id": "7", "daily_active_users": 3}],
    }))))  # fmt: skip
    monkeypatch.setenv("GITHUB_API_URL", api.url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("COPILOT_ANALYTICS_DOWNLOAD_HOSTS", blobs.host)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    tables = fetch("organization-28-day", org="octo-org")
    assert [day.date() for day in tables.entity["day"]] == [latest]


def test_a_report_that_cannot_be_read_is_an_error_and_not_an_empty_table(api, blobs, client):
    api.on(USERS, envelope(blobs.file("a", b'{"no": "report"}\n'), day=DAY))
    with fails(ContentError):
        fetch("users-1-day", org="octo-org", day=DAY, client=client)


def test_download_report_tells_what_github_said_without_the_links(api, blobs, client, tmp_path):
    api.on(USERS, envelope(blobs.file("a", BODY), day=DAY, surprise=1))
    received = download_report(client, "users-1-day", SCOPE, date(2026, 11, 20), tmp_path)
    assert received.envelope.report_day == date(2026, 11, 20)
    assert received.envelope.links == ()
    assert received.fetched_at == NOW
    assert received.period == DAY
    assert received.notes == ("unknown fields in the answer: surprise",)
    assert [file.sha256 for file in received.files] == [hashlib.sha256(BODY).hexdigest()]


def test_f060_expired_links_are_asked_for_again(api, blobs, client, tmp_path):
    api.on(USERS, envelope(blobs.link("old"), day=DAY), envelope(blobs.file("new", BODY), day=DAY))
    blobs.on("/old", EXPIRED)
    received = download_report(client, "users-1-day", SCOPE, DAY, tmp_path)
    assert received.files[0].size == len(BODY)
    assert api.paths() == [USERS, USERS]


def test_f061_links_that_stay_expired_end_after_two_envelopes(api, blobs, client, tmp_path):
    api.on(USERS, envelope(blobs.link("old"), day=DAY))
    blobs.on("/old", EXPIRED)
    with fails(DownloadError, "expired or clock"):
        download_report(client, "users-1-day", SCOPE, DAY, tmp_path)
    assert api.paths() == [USERS, USERS]
    assert left(tmp_path) == []


def test_a_period_that_moves_during_the_download_is_never_mixed(api, blobs, client, tmp_path):
    links = [blobs.file("a", BODY), blobs.link("b")]
    blobs.on("/b", EXPIRED, Reply(200, BODY))
    later = envelope(*links, report_start_day="2026-10-25", report_end_day="2026-11-21")
    api.on(LATEST, envelope(*links), later)
    with fails(DownloadError, "another period"):
        download_report(client, "organization-28-day", SCOPE, None, tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize(("day", "state"), [(DAY, "pending"), ("2026-11-10", "empty")])
def test_f082_a_sole_file_without_bytes_is_no_report(api, blobs, client, tmp_path, day, state):
    api.on(USERS, envelope(blobs.file("a", b""), day=day))
    with fails(NoReportError, "no bytes") as caught:
        download_report(client, "users-1-day", SCOPE, day, tmp_path)
    assert caught.value.state == state


def test_an_empty_file_beside_others_is_left_out_and_noted(api, blobs, client, tmp_path):
    api.on(USERS, envelope(blobs.file("a", b""), blobs.file("b", BODY), day=DAY))
    received = download_report(client, "users-1-day", SCOPE, DAY, tmp_path)
    assert [file.size for file in received.files] == [len(BODY)]
    assert "the file has no bytes" in received.notes


# --- links from other clients -------------------------------------------------------------------


@pytest.fixture
def anonymous(client):
    """Settings without a token: the links came from somebody else."""
    return replace(client.settings, token=None)


class Model:
    """What githubkit makes of an envelope: attributes, and a day that is a date."""

    def __init__(self, download_links, report_day):
        self.download_links, self.report_day = download_links, date.fromisoformat(report_day)


class List:
    """What ghapi makes of a list."""

    def __init__(self, items):
        self._items = items

    def __iter__(self):
        return iter(self._items)


FORMS = {
    "dictionary": lambda links, folder: content_of(links),
    "text": lambda links, folder: json.dumps(content_of(links), indent=1),
    "bytes": lambda links, folder: json.dumps(content_of(links)).encode(),
    "path": lambda links, folder: saved(folder, content_of(links)),
    "path as text": lambda links, folder: str(saved(folder, content_of(links))),
    "path of links": lambda links, folder: saved(folder, links),
    "githubkit": lambda links, folder: Model(links, DAY),
    "ghapi": lambda links, folder: {**content_of(links), "download_links": List(links)},
    "links": lambda links, folder: links,
    "links as text": lambda links, folder: json.dumps(links),
    "one link": lambda links, folder: links[0],
}


def content_of(links: list[str]) -> dict:
    return {"download_links": links, "report_day": DAY}


def saved(folder: Path, content) -> Path:
    """What ``gh api … > envelope.json`` leaves."""
    (folder / "envelope.json").write_text(json.dumps(content))
    return folder / "envelope.json"


@pytest.mark.parametrize("form", FORMS)
def test_load_links_takes_links_and_envelopes_of_every_form(
    blobs, anonymous, tmp_path, plant, form
):
    parts = {"a": 1, "b": 2}
    links = [blobs.file(name, ndjson(user_record(DAY, one))) for name, one in parts.items()]
    plant(tmp_path / "envelope.json", "")
    tables = load_links(FORMS[form](links, tmp_path), settings=anonymous)
    assert sorted(tables.users["user_id"]) == ([1] if form == "one link" else [1, 2])
    assert "Authorization" not in blobs.requests[0].headers


def test_load_links_of_a_28_day_report(blobs, anonymous):
    link = blobs.file("a", ndjson(*(user_record(f"2026-11-{day}") for day in (10, 20))))
    period = {"report_start_day": "2026-10-24", "report_end_day": "2026-11-20"}
    tables = load_links({"download_links": [link], **period}, settings=anonymous)
    assert len(tables.users) == 2
    period["report_end_day"] = "2026-11-19"
    with fails(ContentError, "2026-10-24 to 2026-11-19", "2026-11-20"):
        load_links({"download_links": [link], **period}, settings=anonymous)


def test_load_links_gives_records_without_an_id_the_scope_that_is_given(blobs, anonymous):
    link = blobs.file("a", ndjson({"day": DAY, "daily_active_users": 3}))
    tables = load_links(link, scope="organization:Octo-Org", settings=anonymous)
    assert list(tables.entity["scope"]) == ["organization:octo-org"]
    assert list(load_links(link, settings=anonymous).entity["scope"]) == ["unknown"]


def test_load_links_puts_bad_records_aside_if_asked(blobs, anonymous):
    link = blobs.file("a", BODY + ndjson(user_record(DAY, 3, loc_added_sum=-1)))
    tables = load_links(link, errors="quarantine", settings=anonymous)
    assert (len(tables.users), len(tables.quarantined)) == (2, 1)
    with fails(ContentError, "loc_added_sum"):
        load_links(link, settings=anonymous)


def test_load_links_keeps_all_rules_of_downloads(blobs, anonymous):
    links = [blobs.file("a", BODY), blobs.link("b")]
    blobs.on("/b", EXPIRED)
    with fails(DownloadError, "file 2 of 2", "expired"):
        load_links(links, settings=anonymous)
    with fails(ContractError, "evil.example"):
        load_links([*links, f"https://evil.example/?sig={SIGNATURE}"], settings=anonymous)


LINK = f"https://copilot-reports.github.com/a?sig={SIGNATURE}"


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ([], UsageError, "no links"),
        ([LINK, 1], UsageError, "something else"),
        ("no-such-file.json", UsageError, "no-such-file.json"),
        ("", UsageError, "cannot be read"),
        (7, ContractError, "a number"),
        (object(), UsageError, "object is no answer"),
        (b"<html>Sign in</html>", ContractError, "HTML"),
        ({"message": "Not Found"}, ContractError, "download_links"),
        ({"download_links": LINK, "report_day": DAY}, ContractError, "download_links is text"),
        ({"download_links": [LINK]}, ContractError, "which days"),
        ({"download_links": [LINK], "report_day": "soon"}, ContractError, "report_day is"),
        ({"download_links": [], "report_day": DAY}, NoReportError, "empty envelope"),
        (None, NoReportError, "no report"),
        (b"", NoReportError, "no report"),
    ],
)
def test_load_links_says_what_is_no_envelope(anonymous, given, error, text):
    with fails(error, text):
        load_links(given, settings=anonymous)


def test_fetch_asks_through_any_client(api, blobs, monkeypatch):
    """The other client sees the address and the day; the files are downloaded without a token."""
    asked = []

    def client(path, parameters):
        asked.append((path, parameters))
        return requests.get(api.url + path, params=parameters, timeout=5).content

    api.on(USERS, envelope(blobs.link("old"), day=DAY), envelope(blobs.file("new", BODY), day=DAY))
    blobs.on("/old", EXPIRED)
    monkeypatch.setenv("COPILOT_ANALYTICS_DOWNLOAD_HOSTS", blobs.host)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    tables = fetch("users-1-day", org="octo-org", day=DAY, client=client)
    assert len(tables.users) == 2
    assert asked == [(USERS, {"day": DAY})] * 2
    assert set(blobs.requests[0].headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}
    api.on(LATEST, envelope(blobs.file("a", BODY)))
    assert len(fetch("organization-28-day", org="octo-org", client=client).users) == 2
    assert asked[-1] == (LATEST, {})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", NoReportError),
        ({"download_links": [], "report_day": DAY}, NoReportError),
        ({"download_links": [LINK], "report_day": "2026-11-19"}, ContractError),
        ({"message": "Not Found"}, ContractError),
    ],
)
def test_what_another_client_answers_is_checked_as_if_it_were_ours(content, error):
    with fails(error):
        fetch("users-1-day", org="octo-org", day=DAY, client=lambda path, parameters: content)


def test_what_cannot_be_asked_for_does_not_reach_another_client():
    for options in ({"day": "2026-2-30"}, {"day": None}, {"org": "a/b"}):
        options = {"org": "octo-org", "day": DAY} | options
        with fails(UsageError):
            fetch("users-1-day", **options, client=pytest.fail)


def test_a_client_that_does_not_wait_for_the_answer_is_refused():
    async def client(path, parameters):
        return content_of([LINK])

    with fails(UsageError, "coroutine", "waits"):
        fetch("users-1-day", org="octo-org", day=DAY, client=client)


def test_errors_of_another_client_come_through_unchanged():
    class TheirError(Exception):
        pass

    def client(path, parameters):
        raise TheirError

    with pytest.raises(TheirError):
        fetch("users-1-day", org="octo-org", day=DAY, client=client)


# --- F087: signatures ---------------------------------------------------------------------------


FAULTS = {
    "F060": (EXPIRED, 3, "expired"),
    "F071": (Reply(200, BODY, cut=10), 3, "not complete"),
    "F080": (html(), 16, "HTML"),
}
# No waiting, and no name of a host but one is known.
AWAY = """
import socket, time
resolve = socket.getaddrinfo

def resolve_one(host, *rest, **more):
    if host == "127.0.0.1":
        return resolve(host, *rest, **more)
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

socket.getaddrinfo, time.sleep = resolve_one, lambda seconds: None
"""


@pytest.fixture
def command(api, blobs, tmp_path):
    """Fetch a report on the command line, with all that there is to log."""
    (tmp_path / "sitecustomize.py").write_text(AWAY)

    def run(link):
        day = (datetime.now(UTC) - timedelta(days=10)).date().isoformat()
        api.on(USERS, envelope(link, day=day))
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "GITHUB_API_URL": api.url,
            "GITHUB_TOKEN": TOKEN,
            "COPILOT_ANALYTICS_DOWNLOAD_HOSTS": blobs.host,
        }
        arguments = ["users-1-day", "--org", "octo-org", "--day", day, "--out", "out", "--debug"]
        return subprocess.run(
            [sys.executable, "-m", "copilot_analytics", "fetch", *arguments],
            cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("fault", FAULTS)
def test_f087_no_output_of_the_command_line_shows_a_signature(blobs, command, fault):
    answer, code, text = FAULTS[fault]
    blobs.on("/a", answer)
    done = command(blobs.link("a"))
    assert done.returncode == code, done.stderr
    assert text in done.stderr
    assert "GET /a?***" in done.stderr  # what urllib3 says at DEBUG
    assert CANARY not in done.stderr + done.stdout


def test_f087_nor_where_the_name_of_the_host_is_unknown(command):
    done = command(f"https://copilot-reports-none.b01.azurefd.net/a?sig={SIGNATURE}")
    assert done.returncode == 15, done.stderr
    assert "DNS" in done.stderr
    assert CANARY not in done.stderr + done.stdout


# --- fetch --out ------------------------------------------------------------------------------


def test_save_report_names_files_by_scope_report_day_and_number(api, blobs, save, folder):
    api.on(USERS, envelope(blobs.file("a", BODY), blobs.file("b", BODY), day=DAY))
    received = save()
    names = [f"organization-octo-org_users-1-day_{DAY}_0{n}.ndjson" for n in (1, 2)]
    assert left(folder) == names
    assert [file.path for file in received.files] == [folder / name for name in names]
    for file in received.files:
        assert file.path.read_bytes() == BODY
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_28_day_report_is_named_by_its_first_and_last_day(api, blobs, save, folder):
    api.on(LATEST, envelope(blobs.file("a", BODY)))
    save("organization-28-day", None)
    assert left(folder) == [
        "organization-octo-org_organization-28-day_2026-10-24..2026-11-20_01.ndjson"
    ]


def test_a_second_fetch_replaces_the_first_with_all_its_parts(api, blobs, save, folder):
    folder.mkdir()
    foreign = folder / f"organization-octo-org_users-1-day_{DAY}_notes.ndjson"
    foreign.write_bytes(b"mine")
    api.on(USERS, envelope(*(blobs.file(name, BODY) for name in "abc"), day=DAY))
    save()
    api.on(USERS, envelope(blobs.file("a", ndjson(user_record(DAY, 9))), day=DAY))
    received = save()
    assert left(folder) == [f"organization-octo-org_users-1-day_{DAY}_01.ndjson", foreign.name]
    assert json.loads(received.files[0].path.read_bytes())["user_id"] == 9


def test_f063_a_report_that_fails_leaves_an_earlier_one_as_it_was(api, blobs, save, folder):
    api.on(USERS, envelope(blobs.file("a", BODY), day=DAY))
    before = save().files[0].path
    blobs.on("/b", Reply(500))
    api.on(USERS, envelope(blobs.file("a", ndjson(user_record(DAY, 9))), blobs.link("b"), day=DAY))
    with fails(DownloadError):
        save()
    assert left(folder) == [before.name]
    assert before.read_bytes() == BODY


def test_f080_what_was_refused_lies_in_quarantine_and_nowhere_else(api, blobs, save, folder):
    blobs.on("/b", html())
    api.on(USERS, envelope(blobs.file("a", BODY), blobs.link("b"), day=DAY))
    with fails(ContractError, "HTML", "quarantine"):
        save()
    assert left(folder) == ["quarantine"]
    (kept,) = (folder / "quarantine").iterdir()
    assert kept.read_bytes() == html().body


def test_a_folder_that_cannot_be_written_is_a_storage_error(api, blobs, client, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with fails(StorageError, "cannot be written"):
        save_report("users-1-day", org="octo-org", day=DAY, directory=file, client=client)
    assert api.requests == []


def test_files_in_place_are_taken_back_when_a_rename_fails(api, blobs, save, folder, monkeypatch):
    from copilot_analytics.fetching import saving

    rename = saving.os.replace

    def fail_second(source, target):
        if str(target).endswith("_02.ndjson"):
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(saving.os, "replace", fail_second)
    api.on(USERS, envelope(blobs.file("a", BODY), blobs.file("b", BODY), day=DAY))
    with fails(StorageError, "Input/output error"):
        save()
    assert left(folder) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [(Reply(204), NoReportError), (refusal(403, "Forbidden"), NotAllowedError)],
)
def test_no_report_leaves_no_file(api, save, folder, answer, error):
    api.on(USERS, answer)
    with fails(error):
        save()
    assert left(folder) == []


def test_f164_a_run_with_links_leaves_no_signature_behind(api, blobs, save, folder):
    """The files are scanned by the fixture above; here is that they were asked for with one."""
    api.on(USERS, envelope(blobs.file("a", BODY), day=DAY))
    received = save()
    assert blobs.requests[0].query["sig"] == SIGNATURE
    assert CANARY not in repr(received)
    assert replace(received.envelope, links=(blobs.link("a"),)).links


def test_a_report_that_is_still_to_come_is_no_name_of_a_file_on_stdout(monkeypatch):
    def no_report(*_, **__):
        raise NoReportError("no report yet", state="pending", advice="ask again tomorrow")

    monkeypatch.setenv("GITHUB_TOKEN", "ghp_nobodynobody")
    monkeypatch.setattr(fetching, "save_report", no_report)
    done = CliRunner().invoke(cli, ["fetch", "users-1-day", "--org", "o", "--day", "2026-11-20"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no report yet" in done.stderr
