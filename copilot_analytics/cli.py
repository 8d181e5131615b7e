"""The command line: the only reader of arguments and of the environment.

Progress and messages go to stderr; results to stdout, as one JSON object with ``--json``.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import click
from tqdm import tqdm

from copilot_analytics.errors import (
    EXIT_CODES,
    CopilotAnalyticsError,
    NetworkError,
    RateLimitError,
    UsageError,
    redact,
    worst,
)

ARCHIVE = "archive"
SAMPLE_ARCHIVE = "archive-sample"  # apart, so that invented people never mix with real ones
FIRST_REPORT_DAYS = 90  # how much history a first report fetches; `sync` fetches all that there is


class Output:
    """Where a command's messages and its result go."""

    def __init__(self, *, as_json: bool, quiet: bool):
        self.as_json, self.quiet = as_json, quiet

    def say(self, text: str) -> None:
        """Show a message on the way."""
        if not self.quiet:
            tqdm.write(text, file=sys.stderr)

    def result(self, facts: dict, text: str) -> None:
        """Show the result: facts for programs, text for people."""
        click.echo(json.dumps(facts, default=str, indent=2) if self.as_json else text)

    def bar(self, items: list, what: str) -> tqdm:
        """Show a progress bar, on a terminal only."""
        hidden = True if self.quiet else None
        return tqdm(items, desc=what, unit="report", file=sys.stderr, disable=hidden)


def command(function: Callable) -> Callable:
    """Give a command the options that all have, and turn errors of the family into exit codes."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    @click.option("--debug", is_flag=True, help="Log every step, without secrets.")
    @click.option("--quiet", is_flag=True, help="No progress, no messages.")
    @functools.wraps(function)
    def wrapped(*arguments, as_json: bool, debug: bool, quiet: bool, **options):
        if debug:
            logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
        output = Output(as_json=as_json, quiet=quiet or as_json)
        try:
            code = function(output, *arguments, **options)
        except CopilotAnalyticsError as error:
            if as_json:
                click.echo(json.dumps(error.as_dict(), indent=2))
            else:
                click.echo(f"Error: {error}", err=True)
            code = error.exit_code
        sys.exit(code or 0)

    return wrapped


def scope_options(function: Callable) -> Callable:
    """Add ``--org`` and ``--enterprise``."""
    function = click.option("--enterprise", metavar="ENT", help="Name of the enterprise.")(function)
    return click.option("--org", metavar="ORG", help="Name of the organization.")(function)


archive_option = click.option(
    "--archive", type=click.Path(path_type=Path), metavar="DIR", help="Where the history is kept."
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items()),
)
@click.version_option(package_name="copilot-analytics")
def cli() -> None:
    """GitHub Copilot usage metrics: fetch them, keep them, and report on them."""


@cli.command()
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
@click.option("--max-age", type=int, metavar="DAYS", help="Exit 4 if the data is older.")
@click.option("--show-logins", is_flag=True, help="Name people; the pages say so.")
@command
def report(output, sample, org, enterprise, archive, out, start, end, notebooks, **options) -> int:
    """Bring the archive up to date and make a report from it.

    With --sample, of the built-in company. With --org or --enterprise, of a real one: a token is
    read from GITHUB_TOKEN. With neither, of what the archive holds, without any network.
    """
    from copilot_analytics.archive import Archive
    from copilot_analytics.catalogue import Scope
    from copilot_analytics.reporting import report as make_report

    store = Archive(archive or (SAMPLE_ARCHIVE if sample else ARCHIVE))
    scope, codes, now = None, [], None
    if sample:
        if not (org or enterprise):
            org = "octo-org"
        now = _sync_sample(output, store, org, enterprise)
    elif org or enterprise:
        since = start or store.clock().date() - timedelta(days=FIRST_REPORT_DAYS)
        codes.append(_sync_real(output, store, org, enterprise, since, end))
    if org or enterprise:
        scope = str(Scope.of(org=org, enterprise=enterprise))
    output.say("Running the notebooks …")
    made = make_report(
        store,
        scope=scope,
        start=start,
        end=end,
        notebooks=notebooks or None,
        out=out,
        is_sample=sample,
        now=now,
        progress=lambda name, done, total: output.say(f"  {name} ({done} of {total})"),
        **options,
    )
    code = worst([*codes, made.exit_code])
    facts = {"report": str(made.index), "exit_code": code, **made.summary}
    output.result(facts, f"Report: {made.index}")
    return code


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


def _client():
    """Return a client with the settings of the environment."""
    from copilot_analytics.client import Client, Settings

    # The address to authorise a token for single sign-on is a secret: for a person's eyes only.
    shown = functools.partial(click.echo, err=True) if sys.stderr.isatty() else None
    return Client(Settings.from_environment(show_sso_url=shown))


def _sync_real(output: Output, store, org, enterprise, since, until) -> int:
    """Bring a real archive up to date; an outage leaves what is there, and its exit code."""
    from copilot_analytics.syncing import sync as bring_up_to_date

    try:
        with _client() as client:
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
    return result.exit_code


@cli.command()
@click.argument("report")
@scope_options
@click.option("--day", metavar="DAY", help="Day of a 1-day report (YYYY-MM-DD, UTC).")
@click.option("--out", type=click.Path(path_type=Path), default=".", metavar="DIR")
@command
def fetch(output, report, org, enterprise, day, out) -> int:
    """Fetch one REPORT, such as users-1-day, into files as GitHub delivers them."""
    from copilot_analytics import fetching

    with _client() as client:
        received = fetching.save_report(
            report, org=org, enterprise=enterprise, day=day, directory=out, client=client
        )
    for note in received.notes:
        output.say(f"Note: {note}")
    paths = [str(file.path) for file in received.files]
    output.result({"files": paths, "notes": received.notes}, "\n".join(paths))
    return 0


@cli.command()
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

    with _client() as client:
        result = bring_up_to_date(
            Archive(archive or ARCHIVE),
            org=org,
            enterprise=enterprise,
            since=since,
            until=until,
            families=reports.split(",") if reports else FAMILIES,
            client=client,
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


@cli.command("import")
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


@cli.command()
@archive_option
@command
def status(output, archive) -> int:
    """Show what the archive holds: days by state, first and last day, size."""
    from copilot_analytics.archive import Archive

    found = Archive(archive or ARCHIVE).status()
    facts = json.loads(found.to_json(orient="records"))
    output.result({"reports": facts}, found.to_string(index=False, na_rep="–"))
    return 0


@cli.group()
def sample() -> None:
    """The sample company: serve its reports, or write them to files."""


def company_options(function: Callable) -> Callable:
    """Add the options that scale the sample company."""
    for name, value, text in (
        ("seed", 7, "Another number, another company."),
        ("days", 120, "Days of history."),
        ("users", 180, "People."),
    ):
        option = click.option(
            f"--{name}", type=click.IntRange(min=1), default=value, show_default=True, help=text
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
        with suppress(KeyboardInterrupt, _Terminated):
            threading.Event().wait()
    return 0


class _Terminated(BaseException):
    """SIGTERM was received: everything that is open is to be closed."""


def _terminate(number, frame) -> None:
    raise _Terminated


def main() -> None:
    """Run the command line; end quietly when interrupted or when the reader has gone."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        cli.main(prog_name="copilot-analytics", standalone_mode=False)
    except (_Terminated, click.exceptions.Abort) as end:
        click.echo("Stopped; what was stored before is kept.", err=True)
        sys.exit(143 if isinstance(end, _Terminated) else 130)
    except click.ClickException as error:
        error.message = redact(error.message)
        error.show()
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
