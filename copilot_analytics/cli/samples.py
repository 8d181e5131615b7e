"""``sample serve`` and ``sample write``: the built-in company."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from copilot_analytics.cli.shared import Terminated, command, scope_options


@click.group()
def sample() -> None:
    """The sample company: serve its reports, or write them to files."""


def company_options(function: Callable) -> Callable:
    """Add the options that scale the sample company."""
    for name, value, least, text in (
        ("seed", 7, 0, "Another number, another company."),
        ("days", 120, 1, "Days of history."),
        ("users", 180, 20, "People."),
    ):
        option = click.option(
            f"--{name}", type=click.IntRange(min=least), default=value, show_default=True, help=text
        )
        function = option(function)
    return function


@sample.command()
@click.argument("directory", type=click.Path(path_type=Path))
@scope_options
@company_options
@command
def write(output, directory, org, enterprise, users, days, seed) -> int:
    """Write the sample company's reports to files in DIRECTORY, as GitHub delivers them."""
    from copilot_analytics.catalogue import Scope
    from copilot_analytics.samples import Company
    from copilot_analytics.samples import write as write_files

    scopes = [Scope.of(org=org, enterprise=enterprise)] if org or enterprise else None
    company = Company(people=users, days=days, seed=seed)
    with output.bar([], "Writing") as bar:
        paths = write_files(directory, company, scopes, progress=lambda path: bar.update())
    output.result({"files": [str(path) for path in paths]}, f"{len(paths)} files in {directory}")
    return 0


@sample.command()
@company_options
@command
def serve(output, users, days, seed) -> int:
    """Serve the sample company's reports on this machine until interrupted.

    Prints the environment variables that point this program at the server.
    """
    from copilot_analytics.samples import Company, SampleServer

    with SampleServer(Company(people=users, days=days, seed=seed)) as server:
        lines = [f"export {name}={value}" for name, value in server.environ.items()]
        output.result(dict(server.environ), "\n".join(lines))
        sys.stdout.flush()
        output.say(
            "Serving organizations octo-org and octo-labs, enterprise octo-corp. Ctrl-C ends."
        )
        with suppress(KeyboardInterrupt, Terminated):
            threading.Event().wait()
    return 0
