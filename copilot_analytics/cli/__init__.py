"""The command line: the only reader of arguments and of the environment.

Progress and messages go to stderr; results to stdout, as one JSON object with ``--json``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback

import click

from copilot_analytics.cli import (
    archive,
    doctor,
    exploring,
    exporting,
    fetching,
    history,
    reporting,
    samples,
)
from copilot_analytics.cli.shared import Terminated
from copilot_analytics.errors import EXIT_CODES, UsageError, redact


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items()),
)
@click.version_option(package_name="copilot-analytics")
def cli() -> None:
    """GitHub Copilot usage metrics: fetch them, keep them, and report on them."""


for _command in (
    reporting.report,
    exploring.explore,
    fetching.fetch,
    history.sync,
    history.import_,
    history.status,
    archive.verify,
    archive.rebuild,
    archive.erase,
    archive.purge,
    exporting.export,
    doctor.doctor,
    samples.sample,
):
    cli.add_command(_command)


def _terminate(number, frame) -> None:
    raise Terminated


def _show_crash(kind, error, trace) -> None:
    """Print the traceback of a bug without secrets: texts of other libraries may hold some."""
    click.echo(redact("".join(traceback.format_exception(kind, error, trace))), err=True)


def main() -> None:
    """Run the command line; end quietly when interrupted or when the reader has gone."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.excepthook = _show_crash
    try:
        cli.main(prog_name="copilot-analytics", standalone_mode=False)
    except (Terminated, click.exceptions.Abort) as end:
        click.echo("Stopped; what was stored before is kept.", err=True)
        sys.exit(143 if isinstance(end, Terminated) else 130)
    except click.ClickException as error:
        error.message = redact(error.message)
        if "--json" in sys.argv:  # the command was not reached that knows
            click.echo(json.dumps(UsageError(error.format_message()).as_dict(), indent=2))
        else:
            error.show()
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
