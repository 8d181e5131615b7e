"""``sync``, ``import`` and ``status``: the archive."""

from __future__ import annotations

import json

import click

from copilot_analytics.cli.shared import ARCHIVE, archive_option, command, scope_options
from copilot_analytics.errors import CopilotAnalyticsError, UsageError, worst


@click.command()
@click.option("--org", "orgs", multiple=True, metavar="ORG", help="An organization; repeatable.")
@click.option("--enterprise", "enterprises", multiple=True, metavar="ENT", help="An enterprise.")
@archive_option
@click.option("--since", metavar="DAY", help="First day; without it, all that GitHub has.")
@click.option("--until", metavar="DAY", help="Last day.")
@click.option("--reports", metavar="NAMES", help="Some of: users,entity,user-teams,repos.")
@click.option("--wait", is_flag=True, help="Wait while another run writes to the archive.")
@click.option("--accept-shrink", is_flag=True, help="Believe a day that lost half of its rows.")
@command
def sync(output, orgs, enterprises, archive, reports, **options) -> int:
    """Fetch every day that the archive lacks or that may still change."""
    from copilot_analytics.archive import Archive
    from copilot_analytics.catalogue import Scope
    from copilot_analytics.syncing import FAMILIES
    from copilot_analytics.syncing import sync as bring_up_to_date

    scopes = [{"org": org} for org in orgs] + [{"enterprise": one} for one in enterprises]
    for scope in scopes or [{}]:
        Scope.of(**scope)  # all names first, before anything is asked for; one at least
    families = list(filter(None, map(str.strip, reports.split(",")))) if reports else FAMILIES
    store, facts, lines, unknown = Archive(archive or ARCHIVE), [], [], set()
    with output.client() as client:
        for scope in scopes:
            (name,) = scope.values()
            try:
                result = bring_up_to_date(
                    store,
                    **scope,
                    **options,
                    families=families,
                    client=client,
                    progress=lambda items, name=name: output.bar(items, f"Fetching {name}"),
                )
            except CopilotAnalyticsError as error:
                if len(scopes) == 1 or isinstance(error, UsageError):
                    raise
                facts.append(scope | error.as_dict())
                lines.append(f"Error: {error}")
            else:
                unknown |= set(result.unknown_fields)
                facts.append(_facts(result))
                lines.append(_text(result))
    _say_unknown(output, unknown)
    code = worst(one["exit_code"] for one in facts)
    found = facts[0] if len(facts) == 1 else {"scopes": facts, "exit_code": code}
    output.result(found, "\n\n".join(lines))
    return code


def _say_unknown(output, fields: set[str]) -> None:
    """Name the fields that the catalogue does not describe, once for a command."""
    if fields:
        first, more = sorted(fields)[:5], len(fields) - 5
        listed = ", ".join(first) + (f" and {more} more" if more > 0 else "")
        output.say(f"Unknown fields, kept in the column extra: {listed}")


def _facts(result) -> dict:
    return {
        "scope": result.scope,
        "slots": result.slots.to_dict("records"),
        "purged_before": result.purged_before,
        "unknown_fields": result.unknown_fields,
        "exit_code": result.exit_code,
    }


def _text(result) -> str:
    purged = result.purged_before
    left_out = f"\nDays before {purged} were purged and are not fetched." if purged else ""
    if result.slots.empty:
        is_all = "every day is settled" if not purged else "every other day is settled"
        return f"{result.scope}: nothing to fetch, {is_all}.{left_out}"
    table = result.summary().to_string()
    return f"{result.scope}\n{table}\n{result.slots['is_new'].sum()} new{left_out}"


@click.command("import")
@click.argument("files", nargs=-1, required=True)
@scope_options
@archive_option
@click.option(
    "--errors",
    type=click.Choice(["raise", "quarantine"]),
    default="raise",
    help="With quarantine: leave records out that are not valid, and mark their days as damaged.",
)
@command
def import_(output, files, org, enterprise, archive, errors) -> int:
    """Put FILES that you already have into the archive: exports of the usage page, or downloads.

    A folder stands for all report files in it.
    """
    from copilot_analytics.archive import Archive
    from copilot_analytics.catalogue import Scope

    scope = Scope.of(org=org, enterprise=enterprise) if org or enterprise else None
    found = Archive(archive or ARCHIVE).import_files(files, scope=scope, errors=errors)
    _say_unknown(output, set().union(*found["unknown_fields"]))
    lines = [
        f"{row.file}"
        + (f" and {row.files - 1} more" if row.files > 1 else "")
        + f": {row.name}, {row.records:,} records through {row.last_day}"
        + ("" if row.is_new else " (already there)")
        + (f"; {row.left_out:,} left out, which are not valid" if row.left_out else "")
        for row in found.itertuples(index=False)
    ]
    code = 3 if found["left_out"].any() else 0
    output.result({"files": found.to_dict("records"), "exit_code": code}, "\n".join(lines))
    return code


@click.command()
@click.option("--fix-permissions", is_flag=True, help="Take the rights of others away first.")
@archive_option
@command
def status(output, fix_permissions, archive) -> int:
    """Show what the archive holds: days by state, first and last day, size."""
    from copilot_analytics.archive import Archive
    from copilot_analytics.archive.status import status_text

    store = Archive(archive or ARCHIVE)
    if fix_permissions:
        for path in store.fix_permissions():
            output.say(f"For its owner only from now on: {path}")
    found, purged = store.status(), store.purged()
    facts = json.loads(found.to_json(orient="records", date_format="iso"))
    gone = [{"scope": scope, "before": day} for scope, day in purged.items()]
    output.result({"reports": facts, "purged": gone}, status_text(found, purged))
    return 0
