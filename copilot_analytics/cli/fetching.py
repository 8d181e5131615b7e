"""``fetch``: one report into files."""

from __future__ import annotations

from pathlib import Path

import click

from copilot_analytics.cli.shared import client, command, scope_options


@click.command()
@click.argument("report")
@scope_options
@click.option("--day", metavar="DAY", help="Day of a 1-day report (YYYY-MM-DD, UTC).")
@click.option("--out", type=click.Path(path_type=Path), default=".", metavar="DIR")
@command
def fetch(output, report, org, enterprise, day, out) -> int:
    """Fetch one REPORT, such as users-1-day, into files as GitHub delivers them."""
    from copilot_analytics import fetching

    with client() as asking:
        received = fetching.save_report(
            report, org=org, enterprise=enterprise, day=day, directory=out, client=asking
        )
    for note in received.notes:
        output.say(f"Note: {note}")
    paths = [str(file.path) for file in received.files]
    output.result({"files": paths, "notes": received.notes}, "\n".join(paths))
    return 0
