"""The command `explore`: what it refuses, how it starts a server, and how it ends."""

import json
import subprocess
from pathlib import Path

import pytest
from archive_input import company_archive

from copilot_analytics import cli
from copilot_analytics.cli import exploring
from copilot_analytics.cli.shared import Terminated


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command in this process; the server is a stand-in that notes how it was started."""

    def run(*arguments, outcome=0):
        seen = {}

        class Server:
            def __init__(self, command, *, cwd, env, start_new_session):
                seen.update(command=command, environment=env, folder=cwd)
                book = json.loads((cwd / "explore.ipynb").read_text())
                (first, *_) = (cell for cell in book["cells"] if cell["cell_type"] == "code")
                seen["values"] = {}
                exec("".join(first["source"]), seen["values"])
                config = Path(env["JUPYTER_CONFIG_PATH"])
                seen["settings"] = {
                    str(file.relative_to(config)): json.loads(file.read_text())
                    for file in config.rglob("*.json")
                }
                assert cwd.stat().st_mode & 0o077 == 0
                seen["ended"] = []

            def wait(self, seconds=None):
                if isinstance(outcome, BaseException) and seconds is None:
                    raise outcome
                if seconds and outcome == "hangs":
                    raise subprocess.TimeoutExpired("server", seconds)
                return outcome if isinstance(outcome, int) else 0

            def terminate(self):
                seen["ended"].append("terminated")

            def kill(self):
                seen["ended"].append("killed")

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(exploring.subprocess, "Popen", Server)
        monkeypatch.setattr("sys.argv", ["copilot-analytics", "explore", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, seen, capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--archive", "nowhere"], 10, "there is no archive in"),
        ([], 10, "there is no archive in"),
        (["--sample", "--archive", "archive"], 2, "--sample and --archive were both given"),
        (["--sample", "--port", "0"], 2, "0 is not in the range"),
        (["--sample", "--token", "secret"], 2, "No such option"),
    ],
)
def test_what_cannot_be_opened_is_said_before_anything_starts(run, arguments, code, said):
    ended, seen, output = run(*arguments)
    assert ended == code
    assert said in output.err
    assert seen == {}


@pytest.mark.parametrize("module", ["voila", "jupyterlab"])
def test_a_library_that_is_not_installed_is_named(run, monkeypatch, module):
    real = exploring.importlib.util.find_spec
    monkeypatch.setattr(
        exploring.importlib.util, "find_spec", lambda name: real(name) if name != module else None
    )
    code, _, output = run("--sample", *(["--voila"] if module == "voila" else []))
    assert code == 2
    assert f"this needs {module}" in output.err
    assert 'pip install "copilot-analytics[explore]"' in output.err


@pytest.mark.parametrize(("option", "server"), [("--voila", "Voila"), (None, "ServerApp")])
def test_only_this_computer_reaches_the_server_behind_a_new_token(run, option, server):
    """No option may open it to others, and no token stands among the arguments."""
    code, seen, output = run("--sample", "--no-browser", "--port", "9999", *filter(None, [option]))
    assert code == 0
    command = seen["command"]
    assert f"--{server}.ip=127.0.0.1" in command
    assert {"--port=9999", "--no-browser"} < set(command)
    assert "token" not in " ".join(command).lower()
    assert seen["settings"]["voila.json"]["Voila"]["auto_token"] is True
    for file, name in (("voila.json", "Voila"), ("jupyter_server_config.json", "ServerApp")):
        (policy,) = seen["settings"][file][name]["tornado_settings"]["headers"].values()
        assert policy.startswith("default-src 'self' ")
        assert "http" not in policy
    assert "The address below holds a token" in output.err


def test_the_notebook_opens_the_archive_or_the_sample(run):
    _, seen, _ = run("--sample")
    assert (seen["values"]["archive"], seen["values"]["engine"]) == ("", "pandas")
    path = company_archive().path
    _, seen, _ = run("--archive", str(path))
    assert (seen["values"]["archive"], seen["values"]["engine"]) == (str(path), "duckdb")
    assert seen["values"]["minimum_group_size"] == 5
    assert not seen["folder"].exists()


def test_no_token_of_github_reaches_a_kernel(run, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-nobody")
    monkeypatch.setenv("DISPLAY", ":0")
    _, seen, _ = run("--sample")
    assert "a-token-of-nobody" not in str(seen["environment"])
    assert seen["environment"]["DISPLAY"] == ":0"
    assert "TQDM_DISABLE" not in seen["environment"]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), Terminated()])
def test_it_ends_quietly_and_takes_the_server_along(run, end):
    code, seen, output = run("--sample", outcome=end)
    assert code == 0
    assert seen["ended"] == ["terminated"]
    assert output.out == "The explorer has ended.\n"


def test_a_server_that_does_not_end_is_killed(run):
    assert run("--sample", outcome="hangs")[1]["ended"] == ["terminated", "killed"]


def test_a_server_that_ends_by_itself_is_an_error(run):
    code, _, output = run("--sample", "--json", outcome=1)
    facts = json.loads(output.out)
    assert code == facts["exit_code"] == 17
    assert "choose another --port" in facts["next"]
