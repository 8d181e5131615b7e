"""``explore``: the explorer in JupyterLab, or as an application of its own."""

from __future__ import annotations

import contextlib
import html
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path

import click

from copilot_analytics.cli.shared import ARCHIVE, Terminated, archive_option, command
from copilot_analytics.errors import StorageError, UsageError

NOTEBOOK = "explore.ipynb"
# What pages may load: nothing of other hosts, such as the icons of Voila's page from a CDN.
OWN_HOST_ONLY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'"
)
PAGES = {"tornado_settings": {"headers": {"Content-Security-Policy": OWN_HOST_ONLY}}}
CONFIG = "config"
PROVIDER = "jupyter_server.auth.identity.PasswordIdentityProvider"
HOST = "127.0.0.1"
# Where a server opens the explorer.
PATHS = {"voila": "/", "jupyterlab": f"/lab/tree/{NOTEBOOK}"}
SERVERS = {"voila": "Voila", "jupyterlab": "ServerApp"}
# Settings of the servers and kernels, by the file of the private folder where they look for them.
SETTINGS = {
    f"{CONFIG}/voila.json": {
        "Voila": PAGES | {"identity_provider_class": PROVIDER, "log_level": "WARN"},
    },
    f"{CONFIG}/jupyter_server_config.json": {
        "ServerApp": PAGES
        | {
            "allow_unauthenticated_access": False,
            "identity_provider_class": PROVIDER,
            "jpserver_extensions": {"voila.server_extension": False},
            "log_level": "WARN",
        },
        "LabApp": {
            "default_url": PATHS["jupyterlab"],
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
POLL_SECONDS = 0.1


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
        token, port = secrets.token_hex(24), _free_port(port)
        _configure(folder, token)
        environment = kernel_environment(os.environ, folder)
        environment["JUPYTER_CONFIG_PATH"] = str(folder / CONFIG)
        # What is open in the user's own JupyterLab is not there to be opened in this one.
        environment["JUPYTERLAB_WORKSPACES_DIR"] = str(folder / "workspaces")
        # Of parts of JupyterLab that leave it to the server to ask for the token, which it does.
        environment["PYTHONWARNINGS"] = "ignore:Extension endpoints without"
        if not voila:
            del environment["TQDM_DISABLE"]  # in a notebook a bar says how long it takes
        output.say(STARTING)
        address = f"http://{HOST}:{port}{PATHS[module]}?token={token}"

        def started() -> None:
            click.echo(address, err=True)
            if not no_browser:
                _open(address, folder)

        _serve(_arguments(module, port), environment, work, port, started)
    output.result({"exit_code": 0}, "The explorer has ended.")
    return 0


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


def _configure(folder: Path, token: str) -> None:
    """Write the settings of the servers, where they come before those of the user.

    The token is among them, in a file that only the owner can read: some people have switched it
    off, or set a password, in settings of their own.
    """
    password = {"token": token, "hashed_password": "", "password_required": False}
    identity = {"IdentityProvider": {"token": token}, "PasswordIdentityProvider": password}
    for name, settings in SETTINGS.items():
        every = settings | identity
        if "Voila" in every:
            every["Voila"] = every["Voila"] | {"token": token}
        file = folder / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(json.dumps(every), encoding="utf-8")


def _free_port(wanted: int | None) -> int:
    """Return the port that was asked for if it is free, else any that is."""
    try:
        with socket.create_server((HOST, wanted or 0)) as taken:
            return taken.getsockname()[1]
    except OSError as error:
        raise UsageError(
            f"port {wanted} cannot be used",
            said=str(error.strerror),
            advice="choose another --port, or leave it out",
        ) from None


def _open(address: str, folder: Path) -> None:
    """Open the browser, by way of a page: everybody on the computer sees a program's arguments."""
    page = folder / "open.html"
    target = html.escape(address)
    page.write_text(f'<meta http-equiv="refresh" content="0; url={target}">', encoding="utf-8")
    webbrowser.open(page.as_uri())


def _arguments(module: str, port: int) -> list[str]:
    """Return the command of a server that only this computer reaches, and that opens no browser."""
    server = SERVERS[module]
    command = [sys.executable, "-m", module, NOTEBOOK, f"--{server}.ip={HOST}"]
    # The address is known before the server starts, so it may not take another port.
    command += [f"--port={port}", f"--{server}.port_retries=0"]
    # In a container everybody is root; only this computer reaches the server all the same.
    is_root = getattr(os, "geteuid", int)() == 0
    command += ["--allow-root"] if is_root and module != "voila" else []
    return [*command, "--no-browser"]


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), POLL_SECONDS):
        return True
    return False


def _serve(
    arguments: list[str], environment: dict[str, str], folder: Path, port: int, started: Callable
) -> None:
    """Run a server until it ends or somebody ends us; say when it has started."""
    from copilot_analytics.reporting.running import end_process

    server = subprocess.Popen(  # noqa: S603 - our own interpreter and a module that is installed
        arguments, cwd=folder, env=environment, start_new_session=True
    )
    try:
        while server.poll() is None and not _answers(port):
            time.sleep(POLL_SECONDS)
        if server.poll() is None:
            started()
        code = server.wait()
    except (KeyboardInterrupt, Terminated):
        return
    finally:
        end_process(server)
    if code:
        raise StorageError(
            "the server of the explorer ended by itself",
            said=f"exit status {code}",
            advice="read its last lines above; often the port is taken: choose another --port",
        )
