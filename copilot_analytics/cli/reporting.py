"""``report``: from the archive, brought up to date first, to pages."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from copilot_analytics.cli.shared import (
    ARCHIVE,
    Output,
    archive_option,
    command,
    scope_options,
)
from copilot_analytics.errors import NetworkError, RateLimitError, UsageError, worst

SAMPLE_ARCHIVE = "archive-sample"  # apart, so that invented people never mix with real ones
FIRST_REPORT_DAYS = 90  # how much history a first report fetches; `sync` fetches all that there is


@click.command()
@click.option(
    "--sample", is_flag=True, help="Use the built-in sample company: no token, no network."
)
@scope_options
@archive_option
@click.option("--start", metavar="DAY", help="First day of the report (YYYY-MM-DD).")
@click.option("--end", metavar="DAY", help="Last day of the report (YYYY-MM-DD).")
@click.option(
    "--notebook", "notebooks", multiple=True, metavar="NAME", help="Only this; repeatable."
)
@click.option("--out", type=click.Path(path_type=Path), default="reports", metavar="DIR")
@click.option(
    "--team",
    "teams",
    multiple=True,
    metavar="SLUG",
    help='Pages of one team as well; repeatable, or "all" for every team that is large enough.',
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the notebooks, such as event_date=2026-10-19 or "
    "minimum_group_size=10; repeatable.",
)
@click.option("--pdf", is_flag=True, help="Print each page as PDF as well; needs Chromium.")
@click.option(
    "--max-age", type=click.IntRange(min=0), metavar="DAYS", help="Exit 4 if the data is older."
)
@click.option("--show-logins", is_flag=True, help="Name people; the pages say so.")
@command
def report(
    output, sample, org, enterprise, archive, out, start, end, notebooks, parameters, **options
) -> int:
    """Bring the archive up to date and make a report from it.

    With --sample, of the built-in company. With --org or --enterprise, of a real one: a token is
    read from GITHUB_TOKEN. With neither, of what the archive holds, without any network.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # saves seconds, see reporting.runner
    from copilot_analytics.archive import Archive
    from copilot_analytics.catalogue import Scope
    from copilot_analytics.reporting import report as make_report
    from copilot_analytics.reporting.parameters import read_parameters
    from copilot_analytics.reporting.publishing import failure_noted
    from copilot_analytics.reporting.reports import check_report

    store = Archive(archive or (SAMPLE_ARCHIVE if sample else ARCHIVE))
    if sample and not (org or enterprise):
        org = "octo-org"
    scope, codes, now = None, [], None
    with failure_noted(out, store.clock()):
        asked = {"start": start, "end": end, "notebooks": notebooks or None}
        asked |= {name: options[name] for name in ("show_logins", "teams", "pdf")}
        asked["parameters"] = read_parameters(notebooks or None, _texts(parameters))
        if org or enterprise:
            scope = str(Scope.of(org=org, enterprise=enterprise))
        check_report(**asked)
        if sample:
            now = _sync_sample(output, store, org, enterprise)
        elif scope:
            since = start or store.clock().date() - timedelta(days=FIRST_REPORT_DAYS)
            codes.append(_sync_real(output, store, org, enterprise, since, end))
    output.say("Running the notebooks …")
    made = make_report(
        store,
        scope=scope,
        out=out,
        max_age=options["max_age"],
        is_sample=sample,
        now=now,
        progress=lambda name, done, total: output.say(f"  {name} ({done} of {total})"),
        **asked,
    )
    code = worst([*codes, made.exit_code])
    facts = {"report": str(made.index), "exit_code": code, **made.summary}
    for shortcoming in made.summary.get("shortcomings", ()):
        output.say(shortcoming)
    output.result(facts, f"Report: {made.index}")
    return code


def _texts(parameters: tuple[str, ...]) -> dict[str, str]:
    """Return the names and values of ``--parameter NAME=VALUE``."""
    wrong = [text for text in parameters if "=" not in text]
    if wrong:
        raise UsageError(f"--parameter {wrong[0]!r} has no value", advice="write it as NAME=VALUE")
    return dict(text.split("=", 1) for text in parameters)


def _sync_sample(output: Output, store, org: str | None, enterprise: str | None):
    """Fetch the sample company's reports over HTTP from a server in this process."""
    from copilot_analytics.archive import Archive
    from copilot_analytics.client import Client, Settings
    from copilot_analytics.samples import Company, SampleServer
    from copilot_analytics.syncing import sync as bring_up_to_date

    output.say("Making the sample company and fetching its reports from a server in this process …")
    company = Company()
    with SampleServer(company) as server:
        # Nothing of this machine's own settings: a proxy would not reach the loopback address.
        settings = Settings.from_environment(server.environ, clock=lambda: company.now)
        with Client(settings) as client:
            bring_up_to_date(
                Archive(store.path, clock=lambda: company.now),
                org=org,
                enterprise=enterprise,
                since=company.start_day,
                client=client,
                progress=lambda items: output.bar(items, "Fetching"),
            )
    return company.now


def _sync_real(output: Output, store, org, enterprise, since, until) -> int:
    """Bring a real archive up to date; an outage leaves what is there, and its exit code."""
    from copilot_analytics.syncing import sync as bring_up_to_date

    try:
        with output.client() as client:
            result = bring_up_to_date(
                store,
                org=org,
                enterprise=enterprise,
                since=since,
                until=until,
                client=client,
                progress=lambda items: output.bar(items, "Fetching"),
            )
    except (NetworkError, RateLimitError) as error:
        if not (store.path / "ledger.sqlite").exists() or store.status().empty:
            raise
        output.say(f"Warning: {error}\nThe report is made from what the archive holds.")
        return error.exit_code
    if result.exit_code:
        output.say("Some days could not be fetched: `copilot-analytics status` says which.")
    return result.exit_code
