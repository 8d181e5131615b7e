"""``explore``: the explorer in JupyterLab, or as an application of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import click

from copilot_analytics.cli.shared import ARCHIVE, Terminated, archive_option, command
from copilot_analytics.errors import StorageError, UsageError

NOTEBOOK = "explore.ipynb"
# A browser is opened with these; a kernel needs none of them to read an archive.
DESKTOP = (
    "BROWSER",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
)
# JupyterLab asks the network for news and updates unless it is told not to.
QUIET = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)
GRACE_SECONDS = 10


@click.command()
@click.option("--sample", is_flag=True, help="Explore the built-in sample company.")
@archive_option
@click.option("--voila", is_flag=True, help="As an application, without the code of the notebook.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port; by default one that is free.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@command
def explore(output, sample, archive, voila, port, no_browser) -> int:
    """Open the explorer in JupyterLab, on this computer only, behind a token.

    The notebook is a copy that goes away at the end: save what you want to keep elsewhere.
    """
    from copilot_analytics.archive import Archive
    from copilot_analytics.reporting.notebooks import notebook_folder
    from copilot_analytics.reporting.running import kernel_environment, private_folder

    module = "voila" if voila else "jupyterlab"
    if importlib.util.find_spec(module) is None:
        raise UsageError(
            f"this needs {module}, which is not installed",
            advice='pip install "copilot-analytics[explore]"',
        )
    path = None if sample else Path(archive or ARCHIVE).resolve()
    if path is not None:
        Archive(path).status()  # an absent archive is said here, not in a browser
    with private_folder() as folder:
        copy = _copied(notebook_folder() / NOTEBOOK, folder / "work", path)
        environment = kernel_environment(os.environ, folder)
        environment |= {name: os.environ[name] for name in DESKTOP if name in os.environ}
        if not voila:
            del environment["TQDM_DISABLE"]  # in a notebook a bar says how long it takes
        output.say("Starting; end it with Ctrl-C. The address below holds a token: keep it.")
        code = _served(_arguments(module, copy, port, no_browser), environment, copy.parent)
    output.result({"exit_code": code}, "The explorer has ended.")
    return code


def _copied(notebook: Path, folder: Path, archive: Path | None) -> Path:
    """Write a copy of the notebook that opens the archive, None for the sample."""
    book = json.loads(notebook.read_text(encoding="utf-8"))
    values = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    values["source"] = [
        f"archive = {str(archive or '')!r}\n" if line.startswith("archive = ") else line
        for line in values["source"]
    ]
    folder.mkdir(mode=0o700)
    copy = folder / NOTEBOOK
    copy.write_text(json.dumps(book), encoding="utf-8")
    return copy


def _arguments(module: str, notebook: Path, port: int | None, no_browser: bool) -> list[str]:
    """Return the command of a server that only this computer reaches, behind a new token."""
    if module == "voila":
        command = ["-m", "voila", notebook.name, "--Voila.ip=127.0.0.1", "--Voila.auto_token=True"]
    else:
        command = ["-m", "jupyterlab", notebook.name, "--ServerApp.ip=127.0.0.1", *QUIET]
        # In a container everybody is root; only this computer reaches the server all the same.
        command += ["--allow-root"] if getattr(os, "geteuid", int)() == 0 else []
    command += [f"--port={port}"] if port else []
    return [sys.executable, *command, *(["--no-browser"] if no_browser else [])]


def _served(arguments: list[str], environment: dict[str, str], folder: Path) -> int:
    """Run a server until it ends or somebody ends us; 0 unless it could not start."""
    server = subprocess.Popen(  # noqa: S603 - our own interpreter and a module that is installed
        arguments, cwd=folder, env=environment, start_new_session=True
    )
    try:
        code = server.wait()
    except (KeyboardInterrupt, Terminated):
        return 0
    finally:
        server.terminate()
        try:
            server.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
    if code:
        raise StorageError(
            "the server of the explorer ended by itself",
            said=f"exit status {code}",
            advice="read its last lines above; often the port is taken: choose another --port",
        )
    return 0
