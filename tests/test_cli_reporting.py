"""The command `report`: what it hands on, and the exit codes that a scheduler acts on."""

import json
from pathlib import Path

import pandas as pd
import pytest

import copilot_analytics.reporting
from copilot_analytics import cli, errors, syncing
from copilot_analytics.cli import reporting as command
from copilot_analytics.errors import EXIT_CODES, CopilotAnalyticsError, UsageError
from copilot_analytics.reporting import ReportResult, printing

FAMILY = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, CopilotAnalyticsError)
    and each is not CopilotAnalyticsError
]  # fmt: skip


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command in this process, with a stand-in for what makes reports."""

    def run(*arguments, outcome=0, shortcomings=()):
        seen = {}

        def make(source, **options):
            seen.update(options)
            if isinstance(outcome, Exception):
                raise outcome
            summary = {"scope": "organization:7", "shortcomings": list(shortcomings)}
            return ReportResult(Path("reports/o/2026-11-20"), outcome, summary)

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(copilot_analytics.reporting, "report", make)
        monkeypatch.setattr("sys.argv", ["copilot-analytics", "report", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, seen, capsys.readouterr()

    return run


@pytest.mark.parametrize("error", FAMILY, ids=lambda error: error.__name__)
def test_each_kind_of_error_ends_with_its_code_and_one_object_f215(run, error):
    code, _, said = run("--json", outcome=error("it failed", said="no", kept="all", advice="mend"))
    assert code == error.exit_code
    assert code in EXIT_CODES
    facts = json.loads(said.out)
    assert facts["exit_code"] == code
    assert [facts[key] for key in ("what", "said", "kept", "next")] == [
        "it failed",
        "no",
        "all",
        "mend",
    ]
    assert said.err == ""


@pytest.mark.parametrize("code", [0, 3, 4])
def test_a_published_report_ends_with_the_state_of_its_data_f215(run, code):
    ended, _, said = run("--json", outcome=code)
    assert ended == code
    assert json.loads(said.out)["exit_code"] == code


def test_what_the_data_lacks_is_said_beside_the_code(run):
    lacking = ["Missing or damaged: 1 of 3 days, 3 November 2026.", "The newest data is old."]
    code, _, said = run(outcome=3, shortcomings=lacking)
    assert code == 3
    assert [line for line in said.err.splitlines() if line in lacking] == lacking
    assert run("--json", outcome=3, shortcomings=lacking)[2].err == ""


@pytest.mark.parametrize("arguments", [["--max-age", "foo"], ["--max-age", "-1"], ["--nope"]])
def test_wrong_use_is_one_object_as_well(run, arguments):
    code, seen, said = run(*arguments, "--json")
    assert code == json.loads(said.out)["exit_code"] == 2
    assert json.loads(said.out)["what"]
    assert said.err == ""
    assert not seen
    assert "Usage: " in run(*arguments)[2].err


@pytest.mark.parametrize(
    ("synced", "made", "expected"),
    [(0, 0, 0), (3, 0, 3), (3, 4, 3), (15, 3, 15), (12, 0, 12), (0, 4, 4)],
)
def test_after_a_partial_sync_the_worse_code_counts_f214(run, monkeypatch, synced, made, expected):
    monkeypatch.setattr(command, "_sync_real", lambda *_: synced)
    code, seen, said = run("--org", "octo-org", outcome=made)
    assert code == expected
    assert seen["scope"] == "organization:octo-org"
    assert said.out == "Report: reports/o/2026-11-20/index.html\n"


def test_a_sync_that_lacks_days_says_so_beside_its_code(run, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_nobodynobody")
    lacking = syncing.SyncResult("organization:7", pd.DataFrame(), [0, 3])
    monkeypatch.setattr(syncing, "sync", lambda *_, **__: lacking)
    code, _, said = run("--org", "octo-org")
    assert code == 3
    assert "Some days could not be fetched" in said.err


def test_parameters_arrive_with_the_types_that_the_notebooks_declare(run):
    _, seen, _ = run("--parameter", "minimum_group_size=10", "--parameter",
                     "event_date=2026-10-19")  # fmt: skip
    expected = {"minimum_group_size": 10, "event_date": "2026-10-19"}
    assert seen["parameters"] == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("event_date", "'event_date' has no value"),
        ("minimum_group_size=many", "'minimum_group_size' is not a whole number"),
        ("show_logins=true", "'show_logins' is no parameter to set"),
        ("team=web", "'team' is no parameter to set"),
        ("weather=fine", "no notebook has a parameter 'weather'"),
        ("active=ghp_0123456789abcdef", "looks like a secret"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_is_fetched_f200(run, monkeypatch, text, said):
    monkeypatch.setattr(command, "_sync_real", lambda *_: pytest.fail("fetched"))
    code, seen, shown = run("--org", "octo-org", "--parameter", text)
    assert code == UsageError.exit_code
    assert said in shown.err
    assert "0123456789" not in shown.err
    assert not seen


@pytest.mark.parametrize("whose", ["--sample", "--org"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--notebook", "nope"], "notebook 'nope' is not known"),
        (["--start", "2026-11-05", "--end", "2026-11-01"], "is after the end"),
        (["--end", "yesterday"], "'yesterday' is not a day"),
        (["--team", "web", "--notebook", "quality"], "no notebook that was asked for"),
        (["--pdf"], "no Chromium, Chrome or Edge"),
        (["--enterprise", "octo-corp", "--org", "octo-org"], "exactly one"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_fetched(
    run, monkeypatch, tmp_path, whose, arguments, said
):
    for name in ("_sync_real", "_sync_sample"):
        monkeypatch.setattr(command, name, lambda *_: pytest.fail("fetched"))
    monkeypatch.setenv("PATH", str(tmp_path))
    who = ["--sample"] if whose == "--sample" else ["--org", "octo-org"]
    code, seen, shown = run(*who, *arguments)
    assert code == UsageError.exit_code
    assert said in shown.err
    assert not seen
    status = json.loads((tmp_path / "reports" / "status.json").read_text())
    assert (status["is_published"], status["exit_code"]) == (False, code)


@pytest.mark.parametrize("error", [errors.CredentialsError("no"), KeyboardInterrupt()], ids=repr)
def test_a_sync_that_fails_does_not_leave_the_success_of_an_earlier_run(
    run, monkeypatch, tmp_path, error
):
    """`status.json` tells how the last run ended, also where no notebook was reached."""

    def fail(*_):
        raise error

    monkeypatch.setattr(command, "_sync_real", fail)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "status.json").write_text('{"is_published": true}')
    code, seen, _ = run("--org", "octo-org")
    assert code in (12, 130)
    assert not seen
    status = json.loads((tmp_path / "reports" / "status.json").read_text())
    assert not status["is_published"]
    assert status["error"] == type(error).__name__


def test_options_are_handed_on(run, monkeypatch):
    monkeypatch.setattr(printing, "find_browser", lambda: "chromium")
    _, seen, _ = run("--team", "web", "--team", "data", "--pdf", "--max-age", "5",
                     "--notebook", "adoption", "--end", "2026-11-20")  # fmt: skip
    expected = {"teams": ("web", "data"), "pdf": True, "max_age": 5, "notebooks": ("adoption",)}
    assert {name: seen[name] for name in expected} == expected
    assert seen["end"] == "2026-11-20"
    assert not seen["show_logins"]
