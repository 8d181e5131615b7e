"""The command line: results on stdout, messages on stderr, exit codes that say who must act."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from conftest import ndjson, user_record

import copilot_analytics as ca
from copilot_analytics import cli, syncing
from copilot_analytics.catalogue import all_endpoints
from copilot_analytics.errors import (
    ArchiveError,
    CredentialsError,
    LockedError,
    NetworkError,
    RateLimitError,
)
from copilot_analytics.samples import Company, SampleServer

# Days are asked for as of the real clock, so this company ends on a Friday that is settled by now.
TODAY = datetime.now(UTC)
END = (TODAY - timedelta(days=7 + (TODAY.weekday() - 4) % 7)).date()


@pytest.fixture(scope="module")
def server():
    with SampleServer(Company(people=24, days=4, end_day=END), now=TODAY) as server:
        yield server


@pytest.fixture
def run(tmp_path):
    """Run a command in an empty folder, with nothing of the tester in its environment."""

    def run(*arguments, environ=None):
        return subprocess.run(
            [sys.executable, "-m", "copilot_analytics", *map(str, arguments)],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("endpoint", all_endpoints(), ids=lambda e: f"{e.scope_kind}-{e.report}")
def test_fetch_writes_the_files_of_each_of_the_twelve_endpoints(run, server, tmp_path, endpoint):
    scope = ["--org", "octo-org"] if endpoint.scope_kind == "organization" else []
    scope = scope or ["--enterprise", "octo-corp"]
    day = ["--day", END] if endpoint.parameters else []
    done = run(
        "fetch", endpoint.report, *scope, *day, "--out", "out", "--json", environ=server.environ
    )
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["files"]
    assert files
    tables = ca.load([tmp_path / file for file in files])
    assert len(tables[endpoint.family if endpoint.family != "window" else "entity"])
    request = next(one for one in reversed(server.requests) if one.port == "api")
    sent = {name.lower(): value for name, value in request.headers.items()}
    assert sent["accept"] == "application/vnd.github+json"
    assert sent["x-github-api-version"] == "2026-03-10"
    assert sent["authorization"].startswith("Bearer ")
    download = next(one for one in reversed(server.requests) if one.port == "download")
    assert "authorization" not in {name.lower() for name in download.headers}


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "message"),
    [
        (["fetch", "users-1-day", "--org", "octo-none", "--day", END], {}, 13, "renamed"),
        (["fetch", "users-1-day", "--org", "a/b", "--day", END], {}, 2, "not a GitHub name"),
        (["fetch", "users-1-day", "--org", "octo-org", "--day", "2026-2-30"], {}, 2, "Next:"),
        (["fetch", "users", "--org", "octo-org"], {}, 2, "users-1-day"),
        (["fetch", "users-1-day", "--day", END], {}, 2, "exactly one"),
        (
            ["fetch", "users-28-day", "--org", "octo-org"],
            {"GITHUB_TOKEN": "ghp_wrongwrongwrong"},
            12,
            "token",
        ),
        (
            ["fetch", "users-28-day", "--org", "octo-org"],
            {"COPILOT_ANALYTICS_DOWNLOAD_HOSTS": ""},
            16,
            "127.0.0.1",
        ),
    ],
    ids=["F022", "F051", "F053", "report", "no scope", "F011", "F066"],
)
def test_fetch_ends_in_a_named_error_that_says_what_to_do(
    run, server, tmp_path, arguments, environ, code, message
):
    done = run(*arguments, environ={**server.environ, **environ})
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Next: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.rglob("*.ndjson"))


def test_without_a_token_the_message_says_where_one_is_looked_for(run, server):
    environ = {**server.environ, "GITHUB_TOKEN": ""}
    done = run("fetch", "users-28-day", "--org", "octo-org", environ=environ)
    assert done.returncode == 12
    assert "GITHUB_TOKEN" in done.stderr


def test_f165_a_token_is_never_an_argument(run):
    done = run("sync", "--org", "a", "--token", "ghp_CANARYCANARY123")
    assert done.returncode == 2
    assert "CANARY" not in done.stderr + done.stdout


def test_sync_then_status(run, server):
    since = END - timedelta(days=1)
    arguments = ("--org", "octo-org", "--since", since, "--until", END, "--reports", "users,teams")
    first = run("sync", *arguments, environ=server.environ)
    assert first.returncode == 0, first.stderr
    assert "final" in first.stdout
    again = run("sync", *arguments, "--json", environ=server.environ)
    assert json.loads(again.stdout)["slots"] == []
    status = run("status", "--json")
    reports = {row["report"]: row for row in json.loads(status.stdout)["reports"]}
    assert reports["users-1-day"]["final"] == 2
    assert run("status", "--archive", "elsewhere").returncode == 10


@pytest.mark.parametrize("error", [NetworkError, RateLimitError, LockedError, CredentialsError])
def test_what_one_scope_gave_is_said_also_if_another_one_fails(
    monkeypatch, capsys, tmp_path, error
):
    def bring(store, *, org, **_):
        if org == "bad":
            raise error("it failed")
        slots = pd.DataFrame({"report": ["users-1-day"], "day": [END], "state": ["final"],
                              "is_new": [True], "records": [3], "note": [""]})  # fmt: skip
        return syncing.SyncResult(f"organization:{org}", slots, [0])

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_nobodynobody")
    monkeypatch.setattr(syncing, "sync", bring)
    names = ["--org", "good", "--org", "bad", "--org", "fine"]
    monkeypatch.setattr("sys.argv", ["copilot-analytics", "sync", *names, "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = json.loads(capsys.readouterr().out)
    assert ended.value.code == said["exit_code"] == error.exit_code
    assert [one.get("scope", one.get("org")) for one in said["scopes"]] == [
        "organization:good",
        "bad",
        "organization:fine",
    ]
    assert said["scopes"][0]["slots"][0]["records"] == 3
    assert said["scopes"][1]["error"] == error.__name__


def test_import_and_what_is_not_a_report(run, tmp_path):
    (tmp_path / "export.json").write_bytes(ndjson(user_record()))
    assert "1 records through 2026-11-02" in run("import", "export.json").stdout
    assert "already there" in run("import", "export.json").stdout
    (tmp_path / "billing.csv").write_text("Date,User,Quantity\n2026-11-01,a,3\n")
    done = run("import", "billing.csv", "--json")
    assert done.returncode == 16
    assert "billing.csv" in json.loads(done.stdout)["what"]
    assert "CSV" in json.loads(done.stdout)["what"]
    assert run("import", "absent.json").returncode == 2


def test_sample_write_gives_files_that_load_as_one_company(run, tmp_path):
    done = run(
        "sample", "write", "files", "--users", 24, "--days", 3, "--org", "octo-labs", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["files"]) == len(
        list((tmp_path / "files").rglob("*.ndjson"))
    )
    tables = ca.load(tmp_path / "files")
    assert tables.facts["duplicates collapsed"] > 0  # the 28-day reports hold the same days
    assert tables.users["day"].max() == pd.Timestamp("2026-11-20")


def test_sample_serve_prints_what_points_a_client_at_it_and_ends_on_a_signal(run, tmp_path):
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "copilot_analytics",
            "sample",
            "serve",
            "--users",
            "24",
            "--days",
            "3",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [server.stdout.readline() for _ in range(3)]
        environ = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
        done = run("fetch", "users-28-day", "--org", "octo-org", environ=environ)
        assert done.returncode == 0, done.stderr
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=20)
    assert server.returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_f122_a_stopped_report_leaves_no_half_file_and_goes_on_later(tmp_path, number, code):
    process = subprocess.Popen(
        [sys.executable, "-m", "copilot_analytics", "report", "--sample"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    archive = ca.Archive(tmp_path / "archive-sample")
    wait_until(lambda: has_records(archive))
    process.send_signal(number)
    _, messages = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in messages
    assert not list(tmp_path.rglob("*.tmp"))
    assert has_records(archive)


def has_records(archive):
    try:
        return archive.status()["records"].sum() > 0
    except ArchiveError:
        return False


def wait_until(is_there, seconds=30):
    end = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def test_help_lists_the_commands_and_the_exit_codes(run):
    text = run("--help").stdout
    for word in (
        "report",
        "fetch",
        "sync",
        "import",
        "status",
        "export",
        "doctor",
        "bad credentials",
    ):
        assert word in text
    assert run("unknown").returncode == 2
    assert run("--version").stdout.startswith("copilot-analytics")
