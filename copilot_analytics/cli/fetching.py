"""``fetch``: one report into files."""

from __future__ import annotations

from pathlib import Path

import click

from copilot_analytics.cli.shared import command, scope_options
from copilot_analytics.errors import NoReportError


@click.command()
@click.argument("report")
@scope_options
@click.option("--day", metavar="DAY", help="Day of a 1-day report (YYYY-MM-DD, UTC).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=".",
    metavar="DIR",
    help="Folder for the files.  [default: the current one]",
)
@command
def fetch(output, report, org, enterprise, day, out) -> int:
    """Fetch one REPORT, such as users-1-day, into files as GitHub delivers them."""
    from copilot_analytics import fetching

    try:
        with output.client() as client:
            received = fetching.save_report(
                report, org=org, enterprise=enterprise, day=day, directory=out, client=client
            )
    except NoReportError as problem:
        if problem.is_final:
            raise
        output.say(str(problem))  # not among the names of files, which programs read
        output.result(problem.as_dict() | {"files": [], "exit_code": 0}, "")
        return 0
    for note in received.notes:
        output.say(f"Note: {note}")
    paths = [str(file.path) for file in received.files]
    output.result({"files": paths, "notes": received.notes}, "\n".join(paths))
    return 3 if received.envelope.is_partial else 0
