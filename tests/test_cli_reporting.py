"""The command `report`: what it hands on, and the exit codes that a scheduler acts on."""

import json
from pathlib import Path

import pytest

import copilot_analytics.reporting
from copilot_analytics import cli, errors
from copilot_analytics.cli import reporting as command
from copilot_analytics.errors import EXIT_CODES, CopilotAnalyticsError, UsageError
from copilot_analytics.reporting import ReportResult

FAMILY = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, CopilotAnalyticsError)
    and each is not CopilotAnalyticsError
]  # fmt: skip


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command in this process, with a stand-in for what makes reports."""

    def run(*arguments, outcome=0):
        seen = {}

        def make(source, **options):
            seen.update(options)
            if isinstance(outcome, Exception):
                raise outcome
            return ReportResult(Path("reports/o/2026-11-20"), outcome, {"scope": "organization:7"})

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


def test_parameters_arrive_with_the_types_that_the_notebooks_declare(run):
    _, seen, _ = run("--parameter", "minimum_group_size=10", "--parameter", "show_logins=false",
                     "--parameter", "event_date=2026-10-19")  # fmt: skip
    expected = {"minimum_group_size": 10, "show_logins": False, "event_date": "2026-10-19"}
    assert seen["parameters"] == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("event_date", "'event_date' has no value"),
        ("minimum_group_size=many", "'minimum_group_size' is not a whole number"),
        ("show_logins=maybe", "'show_logins' is not true or false"),
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


def test_options_are_handed_on(run):
    _, seen, _ = run("--team", "web", "--team", "data", "--pdf", "--max-age", "5",
                     "--notebook", "adoption", "--end", "2026-11-20")  # fmt: skip
    expected = {"teams": ("web", "data"), "pdf": True, "max_age": 5, "notebooks": ("adoption",)}
    assert {name: seen[name] for name in expected} == expected
    assert seen["end"] == "2026-11-20"
    assert not seen["show_logins"]
