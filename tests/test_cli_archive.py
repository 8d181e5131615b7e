"""The commands that keep an archive sound: exit codes, one JSON object, words for people."""

import json
from datetime import date

import pytest
from click.testing import CliRunner
from conftest import user_record
from stored_input import new_archive, put

from copilot_analytics.archive import ledger as archive_module
from copilot_analytics.cli import cli


@pytest.fixture
def archive(tmp_path):
    archive = new_archive(tmp_path)
    put(archive, user_record(user_id=1), user_record(user_id=2))
    put(archive, user_record("2026-11-03"), day=date(2026, 11, 3))
    return archive


@pytest.fixture
def run(archive):
    def run(command, *options):
        done = CliRunner().invoke(
            cli, [command, "--archive", str(archive.path), *map(str, options)]
        )
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


def test_verify_a_sound_archive(run):
    done = run("verify")
    assert (done.exit_code, done.stdout) == (0, "Everything is there, as it was stored.\n")
    assert json.loads(run("verify", "--json").stdout) == {
        "findings": [],
        "is_repaired": False,
        "exit_code": 0,
    }


def test_verify_a_damaged_archive_and_repair_it(run, archive):
    next(archive.path.glob("tables/users/*/*")).write_bytes(b"")
    done = run("verify")
    assert done.exit_code == 18
    assert "is not what was stored" in done.stdout
    assert "verify --repair" in done.stdout
    assert run("verify", "--repair", "--json").exit_code == 18
    assert run("verify").exit_code == 0


def test_stray_files_are_said_and_no_damage(run, archive):
    (archive.path / "raw" / "notes.txt").touch(0o600)
    done = run("verify")
    assert done.exit_code == 0
    assert "raw/notes.txt: is not part of the archive" in done.stdout


@pytest.mark.parametrize(
    "command",
    [["verify"], ["rebuild"], ["erase", "--user", 1], ["purge", "--before", "2026-11-03"]],
)
def test_an_absent_archive_is_exit_10(tmp_path, command):
    arguments = [*map(str, command), "--archive", str(tmp_path / "none"), "--json"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 10
    assert json.loads(done.stdout)["error"] == "ArchiveError"
    assert not (tmp_path / "none").exists()


def test_rebuild_says_whose_raw_files_are_damaged(run, archive):
    assert run("rebuild").stdout == "All tables were made anew.\n"
    next(archive.path.glob("raw/*/*/2026-11-02/*.zst")).write_bytes(b"")
    done = run("rebuild", "--json")
    assert done.exit_code == 18
    assert json.loads(done.stdout)["damaged"] == [
        "users-1-day of organization:octo-org for 2026-11-02"
    ]


def test_f188_erase(run, archive, tmp_path):
    report = tmp_path / "reports" / "organization-octo-org" / "2026-11-20"
    report.mkdir(parents=True)
    (report / "report.json").write_text("{}")
    done = run("erase", "--user", 2, "--reports", tmp_path / "reports")
    assert done.exit_code == 0
    assert "1 stored reports rewritten" in done.stdout
    assert str(report) in done.stdout
    assert archive.tables().users["user_id"].tolist() == [1, 1]
    assert run("erase", "--user", "octocat").exit_code == 2


def test_f189_purge(run, archive):
    facts = json.loads(run("purge", "--before", "2026-11-03", "--json").stdout)
    assert [(row["day"], row["files"]) for row in facts["purged"]] == [("2026-11-02", 0)]
    assert len(archive.tables().users) == 1
    assert run("purge", "--before", "soon").exit_code == 2


def test_purge_of_a_day_to_come_or_of_an_unknown_scope_takes_nothing(run, archive):
    for options in (["--before", "2999-01-01"], ["--before", "2026-11-03", "--org", "octo-nope"]):
        done = run("purge", *options)
        assert (done.exit_code, done.stdout) == (2, ""), options
    assert "one of: organization:octo-org" in done.stderr
    assert len(archive.tables().users) == 3
    assert json.loads(run("status", "--json").stdout)["purged"] == []


def test_purge_says_before_it_starts_what_will_go_and_status_says_it_ever_after(run, archive):
    done = run("purge", "--before", "2026-11-03", "--org", "octo-org")
    assert "2026-11-02 to 2026-11-02 of organization:7, for good" in done.stderr
    assert "stored reports that go: 1, rewritten without older days: 0" in done.stderr
    assert "Days before 2026-11-03 of organization:octo-org were purged" in run("status").stdout
    purged = [{"scope": "organization:octo-org", "before": "2026-11-03"}]
    assert json.loads(run("status", "--json").stdout)["purged"] == purged
    run("purge", "--before", "2026-11-04")
    empty = run("status").stdout
    assert empty.startswith("The archive is empty.")
    assert "Days before 2026-11-04 were purged" in empty


def test_erasing_somebody_who_is_not_there_says_so(run, archive):
    done = run("erase", "--user", 99)
    assert (done.exit_code, "Nobody with the number 99 is in the archive" in done.stdout) == (0, 1)
    assert len(archive.tables().users) == 3


@pytest.mark.parametrize("command", ["status", "verify"])
def test_an_archive_that_may_not_be_read_is_exit_10_and_not_wrong_usage(run, command, monkeypatch):
    def exists(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.access", lambda *_, **__: False)
    monkeypatch.setattr(type(archive_module.Path()), "exists", exists)
    done = run(command, "--json")
    monkeypatch.undo()
    assert done.exit_code == 10
    assert json.loads(done.stdout)["said"] == "Permission denied"
