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
# What pages may load: nothing of other hosts, such as the icons of Voila's page from a CDN.
OWN_HOST_ONLY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'"
)
PAGES = {"tornado_settings": {"headers": {"Content-Security-Policy": OWN_HOST_ONLY}}}
CONFIG = "config"
# Settings of the servers and kernels, by the file of the private folder where they look for them.
SETTINGS = {
    f"{CONFIG}/voila.json": {"Voila": PAGES | {"auto_token": True}},
    f"{CONFIG}/jupyter_server_config.json": {
        "ServerApp": PAGES
        | {"log_level": "WARN", "jpserver_extensions": {"voila.server_extension": False}},
        "LabApp": {
            "default_url": f"/lab/tree/{NOTEBOOK}",
            "log_level": "WARN",
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        },
    },
    # JupyterLab asks whether it may ask the network for news.
    f"{CONFIG}/labconfig/page_config.json": {
        "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}
    },
    # Kernels warn of their own sockets, which only this computer reaches as well.
    "ipython/profile_default/ipython_kernel_config.json": {"IPKernelApp": {"log_level": "ERROR"}},
}
STARTING = (
    "Starting, in a folder that goes away at the end: keep notebooks of your own elsewhere.\n"
    "End it with Ctrl-C. The address below holds a token: keep it to yourself. In JupyterLab,\n"
    "start with Run, Run All Cells."
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
    if sample and archive:
        raise UsageError(
            "--sample and --archive were both given", advice="choose the company to explore"
        )
    path = None if sample else Path(archive or ARCHIVE).resolve()
    if path is not None:
        Archive(path).status()  # an absent archive is said here, not in a browser
    with private_folder() as folder:
        work = _copied(notebook_folder() / NOTEBOOK, folder / "work", path)
        _configure(folder)
        environment = kernel_environment(os.environ, folder)
        environment |= {name: os.environ[name] for name in DESKTOP if name in os.environ}
        environment["JUPYTER_CONFIG_PATH"] = str(folder / CONFIG)
        # What is open in the user's own JupyterLab is not there to be opened in this one.
        environment["JUPYTERLAB_WORKSPACES_DIR"] = str(folder / "workspaces")
        if not voila:
            del environment["TQDM_DISABLE"]  # in a notebook a bar says how long it takes
        output.say(STARTING)
        code = _served(_arguments(module, port, no_browser), environment, work)
    output.result({"exit_code": code}, "The explorer has ended.")
    return code


def _copied(notebook: Path, folder: Path, archive: Path | None) -> Path:
    """Write a copy of the notebook that opens the archive, None for the sample, into a folder."""
    book = json.loads(notebook.read_text(encoding="utf-8"))
    values = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    if archive is not None:
        engine = "pandas" if importlib.util.find_spec("duckdb") is None else "duckdb"
        given = {"archive": str(archive), "engine": engine}
        kept = [line for line in values["source"] if line.split(" = ")[0] not in given]
        values["source"] = [*(f"{name} = {value!r}\n" for name, value in given.items()), *kept]
    folder.mkdir(mode=0o700)
    (folder / NOTEBOOK).write_text(json.dumps(book), encoding="utf-8")
    return folder


def _configure(folder: Path) -> None:
    """Write the settings of the servers, where they come before those of the user."""
    for name, settings in SETTINGS.items():
        file = folder / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")


def _arguments(module: str, port: int | None, no_browser: bool) -> list[str]:
    """Return the command of a server that only this computer reaches, behind a new token."""
    server = "Voila" if module == "voila" else "ServerApp"
    command = [sys.executable, "-m", module, NOTEBOOK, f"--{server}.ip=127.0.0.1"]
    # In a container everybody is root; only this computer reaches the server all the same.
    is_root = getattr(os, "geteuid", int)() == 0
    command += ["--allow-root"] if is_root and module != "voila" else []
    command += [f"--port={port}"] if port else []
    return [*command, *(["--no-browser"] if no_browser else [])]


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
