"""``sync``, ``import`` and ``status``: the archive."""

from __future__ import annotations

import json
from pathlib import Path

import click

from copilot_analytics.cli.shared import ARCHIVE, archive_option, client, command, scope_options
from copilot_analytics.errors import UsageError


@click.command()
@scope_options
@archive_option
@click.option("--since", metavar="DAY", help="First day; without it, all that GitHub has.")
@click.option("--until", metavar="DAY", help="Last day.")
@click.option("--reports", metavar="NAMES", help="Some of: users,entity,teams,repos.")
@command
def sync(output, org, enterprise, archive, since, until, reports) -> int:
    """Fetch every day that the archive lacks or that may still change."""
    from copilot_analytics.archive import Archive
    from copilot_analytics.syncing import FAMILIES
    from copilot_analytics.syncing import sync as bring_up_to_date

    with client() as asking:
        result = bring_up_to_date(
            Archive(archive or ARCHIVE),
            org=org,
            enterprise=enterprise,
            since=since,
            until=until,
            families=reports.split(",") if reports else FAMILIES,
            client=asking,
            progress=lambda items: output.bar(items, "Fetching"),
        )
    facts = {
        "scope": result.scope,
        "slots": result.slots.to_dict("records"),
        "exit_code": result.exit_code,
    }
    text = "Nothing to fetch: every day is settled."
    if len(result.slots):
        text = f"{result.summary().to_string()}\n{result.slots['is_new'].sum()} new"
    output.result(facts, text)
    return result.exit_code


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@scope_options
@archive_option
@command
def import_(output, files, org, enterprise, archive) -> int:
    """Put FILES that you already have into the archive: exports of the usage page, or downloads."""
    from copilot_analytics.archive import IMPORTED, Archive
    from copilot_analytics.catalogue import Scope

    scope = Scope.of(org=org, enterprise=enterprise) if org or enterprise else None
    for file in files:
        if not file.is_file():
            raise UsageError(
                f"{file} is not a file", advice="give the files one by one, or a pattern"
            )
    store, rows = Archive(archive or ARCHIVE), []
    with store.writing() as ledger:
        for file in output.bar(list(files), "Importing"):
            stored = store.store(ledger, scope, IMPORTED, None, [file])
            rows.append({"file": str(file), **vars(stored)})
    lines = [
        f"{row['file']}: {row['records']:,} records through {row['last_day']}"
        + ("" if row["is_new"] else " (already there)")
        for row in rows
    ]
    output.result({"files": rows}, "\n".join(lines))
    return 0


@click.command()
@archive_option
@command
def status(output, archive) -> int:
    """Show what the archive holds: days by state, first and last day, size."""
    from copilot_analytics.archive import Archive

    found = Archive(archive or ARCHIVE).status()
    facts = json.loads(found.to_json(orient="records"))
    output.result({"reports": facts}, found.to_string(index=False, na_rep="–"))
    return 0
