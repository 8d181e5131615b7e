"""`fetch` and `save_report` give one report completely, or an error and nothing."""

import hashlib
import json
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from conftest import ndjson, user_record
from web_server import (
    CANARY,
    SIGNATURE,
    TOKEN,
    FakeTime,
    Reply,
    WebServer,
    envelope,
    fails,
    html,
    refusal,
    watched,
)

from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Client, Settings
from copilot_analytics.errors import (
    ContentError,
    ContractError,
    DownloadError,
    NoReportError,
    NotAllowedError,
    StorageError,
)
from copilot_analytics.fetching import download_report, fetch, save_report

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = "2026-11-20"
SCOPE = Scope("organization", "octo-org")
USERS = "/orgs/octo-org/copilot/metrics/reports/users-1-day"
LATEST = "/orgs/octo-org/copilot/metrics/reports/organization-28-day/latest"
BODY = ndjson(user_record(DAY, 1), user_record(DAY, 2))
EXPIRED = Reply(403, b"<Error><Code>AuthenticationFailed</Code></Error>")


@pytest.fixture(autouse=True)
def _secrets_stay_inside(caplog, tmp_path):
    """F164: neither a log record nor a file that a test leaves behind holds a secret."""
    with watched(caplog):
        yield
    for path in tmp_path.rglob("*"):
        assert CANARY not in path.name
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()


@pytest.fixture(scope="module")
def servers():
    with WebServer() as api, WebServer() as blobs:
        yield api, blobs


@pytest.fixture
def api(servers):
    return servers[0].reset()


@pytest.fixture
def blobs(servers):
    return servers[1].reset()


@pytest.fixture
def client(api, blobs):
    time = FakeTime(NOW)
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
    from copilot_analytics import fetching

    rename = fetching.os.replace

    def fail_second(source, target):
        if str(target).endswith("_02.ndjson"):
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(fetching.os, "replace", fail_second)
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
