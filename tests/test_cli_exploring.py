"""The command `explore`: what it refuses, how it starts a server, and how it ends."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from archive_input import company_archive
from test_reporting import is_gone

from copilot_analytics import cli
from copilot_analytics.cli import exploring
from copilot_analytics.cli.shared import Terminated
from copilot_analytics.reporting import running


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command in this process; the server is a stand-in that notes how it was started."""

    def run(*arguments, outcome=0):
        seen = {}

        class Server:
            pid, stdin = -1, None

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

            def poll(self):
                return outcome if isinstance(outcome, int) and seen["ended"] else None

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

        def opened(address: str) -> None:
            page = Path(address.removeprefix("file://")).read_text()
            seen.setdefault("opened", []).append((address, page))

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(exploring.subprocess, "Popen", Server)
        monkeypatch.setattr(exploring, "_answers", lambda port: True)
        monkeypatch.setattr(exploring.webbrowser, "open", opened)
        monkeypatch.setattr(running.os, "killpg", lambda *_: seen["ended"].append("group killed"))
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
    code, seen, output = run("--sample", "--no-browser", "--quiet", *filter(None, [option]))
    assert code == 0
    command = seen["command"]
    assert {f"--{server}.ip=127.0.0.1", f"--{server}.port_retries=0", "--no-browser"} < set(command)
    (port,) = (text.removeprefix("--port=") for text in command if text.startswith("--port="))
    token = seen["settings"]["voila.json"]["IdentityProvider"]["token"]
    assert len(token) == 48
    assert token not in " ".join(command)
    path = "" if option else "lab/tree/explore.ipynb"
    assert output.err == f"http://127.0.0.1:{port}/{path}?token={token}\n"
    for file, name in (("voila.json", "Voila"), ("jupyter_server_config.json", "ServerApp")):
        (policy,) = seen["settings"][file][name]["tornado_settings"]["headers"].values()
        assert policy.startswith("default-src 'self' ")
        assert "http" not in policy


def test_the_browser_is_sent_to_the_address_by_a_page_of_our_own(run):
    """Everybody on a computer sees the arguments of a browser that is started."""
    _, seen, output = run("--sample", "--quiet", "--voila")
    ((address, page),) = seen["opened"]
    assert address.startswith("file:///")
    assert "token" not in address
    assert f"url={output.err.strip()}" in page


def test_each_start_has_a_token_of_its_own(run):
    one, two = (run("--sample")[1]["settings"]["voila.json"]["Voila"]["token"] for _ in "ab")
    assert one != two


OPEN = """\
c.IdentityProvider.token = c.PasswordIdentityProvider.token = c.Voila.token = c.ServerApp.token = ""
c.Voila.auto_token = False
c.PasswordIdentityProvider.hashed_password = "argon2:of-somebody"
c.ServerApp.allow_unauthenticated_access = True
c.ServerApp.identity_provider_class = "jupyter_server.auth.identity.IdentityProvider"
c.Voila.identity_provider_class = "jupyter_server.auth.identity.IdentityProvider"
"""
# What a server takes for its settings, in a process that reads them like a server and then ends.
ASK = {
    "jupyterlab": """
from jupyterlab.labapp import LabApp
server = LabApp.initialize_server(["--no-browser"])
provider = server.identity_provider
print(provider.token, provider.hashed_password, server.allow_unauthenticated_access)
""",
    "voila": """
from voila.app import Voila
server = Voila()
server.initialize(["explore.ipynb"])
server.init_settings()
provider = server.identity_provider
print(provider.token, provider.hashed_password, False)
""",
}


@pytest.mark.parametrize("module", ["jupyterlab", "voila"])
def test_settings_of_the_user_that_switch_the_token_off_do_not_count(tmp_path, module):
    pytest.importorskip(module)
    theirs = tmp_path / ".jupyter"
    theirs.mkdir()
    for name in ("jupyter", "jupyter_server", "jupyter_lab", "jupyter_notebook"):
        (theirs / f"{name}_config.py").write_text(OPEN)
    (theirs / "voila.py").write_text(OPEN)
    work = exploring._copied(exploring_notebook(), tmp_path / "work", None)
    exploring._configure(tmp_path, "the-token")
    environment = running.kernel_environment(os.environ, tmp_path / "kernels")
    environment |= {"HOME": str(tmp_path), "JUPYTER_CONFIG_PATH": str(tmp_path / "config")}
    environment |= {"JUPYTER_CONFIG_DIR": str(theirs), "TMPDIR": str(tmp_path)}
    asked = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK[module]],
        cwd=work, env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert asked.stdout.split() == ["the-token", "False"], asked.stderr


def exploring_notebook():
    return Path(exploring.__file__).parents[2] / "notebooks" / exploring.NOTEBOOK


def test_a_port_that_is_taken_is_said_before_anything_starts(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, seen, output = run("--sample", "--port", port)
    assert code == 2
    assert f"port {port} cannot be used" in output.err
    assert seen == {}


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
    _, seen, _ = run("--sample")
    assert "a-token-of-nobody" not in str(seen["environment"])
    assert "TQDM_DISABLE" not in seen["environment"]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), Terminated()])
def test_it_ends_quietly_and_takes_the_server_along(run, end):
    code, seen, output = run("--sample", outcome=end)
    assert code == 0
    assert seen["ended"][0] == "terminated"
    assert output.out == "The explorer has ended.\n"


def test_a_server_that_does_not_end_is_killed_with_all_that_it_has_started(tmp_path, monkeypatch):
    server = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '300'])\n"
        "open('part', 'w').write(str(child.pid)); import os; os.rename('part', 'pid')\n"
        "time.sleep(300)"
    )

    def answers(port):
        if (tmp_path / "pid").exists():
            raise Terminated
        return False

    monkeypatch.setattr(exploring, "_answers", answers)
    monkeypatch.setattr(running, "GRACE_SECONDS", 0.2)
    exploring._serve([sys.executable, "-c", server], dict(os.environ), tmp_path, 1, print)
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_a_server_that_ends_by_itself_is_an_error(run):
    code, _, output = run("--sample", "--json", outcome=1)
    facts = json.loads(output.out)
    assert code == facts["exit_code"] == 17
    assert "choose another --port" in facts["next"]
