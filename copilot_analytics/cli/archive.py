"""``verify``, ``rebuild``, ``erase`` and ``purge``: the archive kept sound, and kept small."""

from __future__ import annotations

import json

import click

from copilot_analytics.cli.shared import ARCHIVE, archive_option, command, scope_options
from copilot_analytics.errors import DamageError


@click.command()
@archive_option
@click.option("--repair", is_flag=True, help="Mend tables; put damaged raw files aside.")
@command
def verify(output, archive, repair) -> int:
    """Compare every file of the archive with what was stored; exit 18 if something is damaged."""
    from copilot_analytics.archive import Archive

    found = Archive(archive or ARCHIVE).verify(repair=repair)
    damaged = found[found["is_damage"]]
    facts = {
        "findings": json.loads(found.to_json(orient="records")),
        "is_repaired": repair,
        "exit_code": DamageError.exit_code if len(damaged) else 0,
    }
    lines = [f"{row.path}: {row.problem}" for row in found.itertuples()]
    if not len(damaged):
        lines.append("Everything is there, as it was stored.")
    elif repair:
        lines.append(f"{len(damaged)} mended or put aside in quarantine/; next: sync, then verify.")
    else:
        lines.append(f"{len(damaged)} damaged; next: copilot-analytics verify --repair")
    output.result(facts, "\n".join(lines))
    return facts["exit_code"]


@click.command()
@archive_option
@command
def rebuild(output, archive) -> int:
    """Make all tables anew from the raw files, without the network; a lost ledger as well."""
    from copilot_analytics.archive import Archive

    damaged = Archive(archive or ARCHIVE).rebuild()
    code = DamageError.exit_code if damaged else 0
    lines = [f"{slot}: its raw files are damaged; its tables are as they were" for slot in damaged]
    lines.append("All else was made anew." if damaged else "All tables were made anew.")
    output.result({"damaged": damaged, "exit_code": code}, "\n".join(lines))
    return code


@click.command()
@archive_option
@click.option(
    "--user", type=int, required=True, metavar="ID", help="GitHub's number of the person."
)
@click.option(
    "--reports",
    default="reports",
    metavar="DIR",
    help="Folder of published reports to look through.",
)
@command
def erase(output, archive, user, reports) -> int:
    """Remove one person everywhere in the archive, for good; list reports that may show them."""
    from copilot_analytics.archive import Archive

    erased = Archive(archive or ARCHIVE).erase(user, reports=reports)
    facts = {
        "rewritten": json.loads(erased.rewritten.to_json(orient="records")),
        "reports": [str(path) for path in erased.reports],
    }
    lines = [f"{len(erased.rewritten)} stored reports rewritten without the person."]
    if erased.rewritten.empty:
        lines = [
            f"Nobody with the number {user} is in the archive. "
            "Should a later report hold this person, it is stored without."
        ]
    if erased.reports:
        lines += ["Published reports of these scopes may still show the person; remove or remake:"]
        lines += [f"  {path}" for path in erased.reports]
    lines += ["Backups and exports of the archive are not touched."]
    output.result(facts, "\n".join(lines))
    return 0


@click.command()
@scope_options
@archive_option
@click.option(
    "--before", required=True, metavar="DAY", help="The first day that stays; today at the latest."
)
@command
def purge(output, org, enterprise, archive, before) -> int:
    """Remove everything before a day, for good: it is not fetched again."""
    from copilot_analytics.archive import Archive
    from copilot_analytics.catalogue import Scope

    scope = str(Scope.of(org=org, enterprise=enterprise)) if org or enterprise else None
    purged = Archive(archive or ARCHIVE).purge(before, scope=scope, announce=output.say)
    facts = {"purged": json.loads(purged.to_json(orient="records"))}
    gone = int((purged["files"] == 0).sum())
    text = (
        f"{gone:,} stored reports removed, {len(purged) - gone:,} rewritten without older days.\n"
        f"Days before {before} are not fetched again."
    )
    output.result(facts, text)
    return 0
