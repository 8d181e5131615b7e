"""``copilot-analytics export`` publishes without names unless told to, and says what it did."""

import json
import socket

import pytest
from archive_input import LABS, OTHER, put, small_archive
from click.testing import CliRunner

from copilot_analytics.cli.exporting import export


@pytest.fixture
def run(tmp_path):
    archive = small_archive(tmp_path)
    put(archive, OTHER, scope=LABS)

    def invoke(*arguments, to=tmp_path / "out"):
        given = ["--archive", str(archive.path), "--to", str(to), *arguments]
        return CliRunner().invoke(export, given)

    return invoke


def test_it_says_what_was_published(run, tmp_path):
    result = run()
    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[0]) == (0, "users: 3 rows")
    assert lines[-1].startswith("4 files, ")
    assert lines[-1].endswith(f"people as pseudonyms, in {tmp_path / 'out'}")


def test_json_is_the_manifest(run, tmp_path):
    found = json.loads(run("--json", "--show-logins", "--format", "csv").stdout)
    assert found == json.loads((tmp_path / "out/manifest.json").read_text())
    assert (found["people"], found["format"]) == ("logins", "csv")


def test_scope_and_days_are_passed_on(run):
    found = json.loads(run("--json", "--org", "octo-labs").stdout)
    assert {file["scope"] for file in found["files"]} == {"organization:8"}
    found = json.loads(run("--json", "--end", "2026-11-02").stdout)
    assert {file["day"] for file in found["files"]} == {"2026-11-02"}


def test_what_is_wrong_is_told_with_its_exit_code(run, tmp_path):
    result = run(to=tmp_path / "archive" / "tables")
    assert (result.exit_code, "folder of its own" in result.stderr) == (2, True)
    assert run("--start", "yesterday").exit_code == 2
    (tmp_path / "file").write_text("")
    assert run(to=tmp_path / "file" / "out").exit_code == 17


@pytest.mark.parametrize(
    "problem",
    [socket.gaierror(-2, "Name or service not known"), EOFError(), NotImplementedError()],
)
def test_a_server_that_does_not_answer_is_told_in_words(run, monkeypatch, problem):
    def url_to_fs(url, **options):
        raise problem

    monkeypatch.setattr("fsspec.core.url_to_fs", url_to_fs)
    result = run(to="ftp://nowhere.example/out")
    assert (result.exit_code, "Traceback" in result.stderr) == (17, False)
    assert "the export to ftp://nowhere.example/out failed" in result.stderr
    assert "It said: " in result.stderr
