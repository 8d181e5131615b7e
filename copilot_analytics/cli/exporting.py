"""``export``: the archive's tables as files for others."""

from __future__ import annotations

from collections import Counter

import click

from copilot_analytics.cli.shared import ARCHIVE, archive_option, command, scope_options


@click.command()
@click.option("--to", required=True, metavar="URL", help="A folder, or s3://… abfs://… gs://…")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="Of the files.",
)
@click.option("--show-logins", is_flag=True, help="Publish personal data; without it, pseudonyms.")
@scope_options
@click.option("--start", metavar="DAY", help="First day (YYYY-MM-DD).")
@click.option("--end", metavar="DAY", help="Last day (YYYY-MM-DD).")
@archive_option
@command
def export(output, to, format_, show_logins, org, enterprise, start, end, archive) -> int:
    """Publish the archive's tables to a folder or to object storage, for others to read.

    What is there already is not written again, and what is no longer in the archive goes: export
    again after erase and purge. Readers take the files from manifest.json.
    """
    from copilot_analytics.archive import Archive
    from copilot_analytics.catalogue import Scope

    scope = str(Scope.of(org=org, enterprise=enterprise)) if org or enterprise else None
    manifest = Archive(archive or ARCHIVE).export(
        to,
        format=format_,
        people="logins" if show_logins else "pseudonyms",
        scope=scope,
        start=start,
        end=end,
    )
    files = manifest["files"]
    rows = Counter()
    for file in files:
        rows[file["table"]] += file["rows"]
    lines = [f"{table}: {count:,} rows" for table, count in rows.items()]
    lines.append(
        f"{len(files):,} files, {sum(file['bytes'] for file in files):,} bytes, "
        f"people as {manifest['people']}, in {to}"
    )
    output.result(manifest, "\n".join(lines))
    return 0
