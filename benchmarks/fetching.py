"""A backfill over the network: what it takes beside the time that the API itself takes to answer.

``python -m benchmarks.fetching --help`` says what can be chosen. A process of its own plays GitHub:
the sample company's server, whose every answer takes some time more, as over a network. It makes
all its files before, so that it costs next to nothing while the clock runs.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click

from benchmarks import measuring
from benchmarks.measuring import Contender
from copilot_analytics import fetching
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope, all_endpoints
from copilot_analytics.client import Client, Settings
from copilot_analytics.errors import NoReportError
from copilot_analytics.samples import Company, SampleServer
from copilot_analytics.syncing import plan, sync

PAGE = measuring.TOP / "docs" / "benchmarks.md"
LIBRARIES = ("requests", "urllib3", "pyarrow", "pandas")
ORGANIZATION = Scope("organization", "octo-org")
FAMILIES = ("users", "entity", "teams")
ENDPOINTS = [
    one for one in all_endpoints() if one.scope_kind == "organization" and one.family in FAMILIES
]
# GitHub keeps a year, and the reports did not all begin on the same day.
LAST_DAY = max(one.first_day for one in ENDPOINTS) + timedelta(days=365)
GOAL = 1.2


@click.group(invoke_without_command=True)
@click.option("--days", default=365, show_default=True, help="Days of each of three reports.")
@click.option("--people", default=200, show_default=True, help="People in the sample company.")
@click.option("--latency", default=0.08, show_default=True, help="Seconds that an answer takes.")
@click.option("--only", default="", help="Only the way with this text in its name.")
@click.option("--save", is_flag=True, help="Write the figures into docs/benchmarks.md.")
@click.pass_context
def main(context, days: int, people: int, latency: float, only: str, save: bool) -> None:
    """Fetch the history of an organization: one report after the other, and as `sync` does."""
    if context.invoked_subcommand:
        return
    ways = {
        "`sync`": "benchmarks.fetching:side_by_side",
        "one report after the other": "benchmarks.fetching:one_by_one",
    }
    rows = [["", "wall s", "API calls", "pure latency s", "ratio", "CPU s", "peak MB"]]
    with _server(days, people, latency) as server, tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "server.json")
        source.write_text(json.dumps(server.facts | {"days": days}))
        expected = None
        for label in (label for label in ways if only in label):
            contender = Contender(label, ways[label], source)
            found = measuring.run(contender, "benchmarks.fetching:fingerprint")
            expected = expected or found.fingerprint
            measuring.check(contender, found.fingerprint, expected)
            calls = server.count_calls()
            pure = calls * latency
            figures = (found.seconds, calls, pure, found.seconds / pure)
            shown = [label, *(f"{one:,.1f}" for one in figures), f"{found.cpu_seconds:,.1f}"]
            shown[2], shown[4] = f"{calls:,}", f"{figures[3]:.2f}"
            rows.append([*shown, f"{found.peak_memory / 1e6:,.0f}"])
            click.echo(measuring.as_text([rows[0], rows[-1]]))
    text = (
        f"{days} days of {len(FAMILIES)} reports of an organization ({server.facts['files']:,} "
        f"files, {server.facts['bytes'] / 1e6:,.0f} MB); every answer of the API and every file "
        f"comes {latency * 1000:.0f} ms late.\n\n{measuring.as_markdown(rows)}\n\n"
        f"Goal for `sync`: a ratio of at most {GOAL}.\n\n"
        f"Taken {datetime.now(UTC):%Y-%m-%d} with `python -m benchmarks.fetching --days {days} "
        f"--people {people} --latency {latency:g} --save`\n"
        f"on {measuring.machine()}; {measuring.versions(LIBRARIES)}."
    )
    if save:
        measuring.save_section(PAGE, "fetching", text)


# What is compared, each in a process of its own


def side_by_side(source: Path) -> Archive:
    """Fetch with `sync`, which downloads and reads reports while it asks for the next."""
    with _client(source) as (client, archive, first_day):
        result = sync(
            archive, org=ORGANIZATION.name, since=first_day, families=FAMILIES, client=client
        )
        assert result.exit_code == 0
    return archive


def one_by_one(source: Path) -> Archive:
    """Ask for a report, download, read and store it, and only then ask for the next."""
    with _client(source) as (client, archive, first_day), archive.writing() as ledger:
        todo = plan("organization", {}, today=client.today(), since=first_day, families=FAMILIES)
        for report, day in todo:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    received = fetching.download_report(client, report, ORGANIZATION, day, folder)
                except NoReportError:
                    continue
                paths = [file.path for file in received.files]
                last_day = day or received.envelope.report_end_day
                archive.store(ledger, ORGANIZATION, report, last_day, paths)
    return archive


def fingerprint(archive: Archive) -> dict:
    """Return rows and sums of the tables that were stored, and remove the archive."""
    tables = archive.tables()
    counters = {
        "users": "code_generation_activity_count",
        "entity": "daily_active_users",
        "teams": "user_id",
    }
    found = {
        name: {"rows": len(tables[name]), counter: int(tables[name][counter].sum())}
        for name, counter in counters.items()
    }
    shutil.rmtree(archive.path.parent)
    return found


@contextmanager
def _client(source: Path):
    facts = json.loads(source.read_text())
    now = datetime.fromisoformat(facts["now"])
    archive = Archive(Path(tempfile.mkdtemp(), "archive"), clock=lambda: now)
    with Client(Settings.from_environment(facts["environ"], clock=lambda: now)) as client:
        yield client, archive, now.date() - timedelta(days=facts["days"])


# The other side


class _Server:
    """The process that plays GitHub."""

    def __init__(self, process: subprocess.Popen):
        self._process = process
        self.facts = json.loads(process.stdout.readline())

    def count_calls(self) -> int:
        """Return how many calls of the API came since the last time."""
        self._process.stdin.write("count\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def _server(days: int, people: int, latency: float):
    command = [sys.executable, "-m", "benchmarks.fetching", "serve"]
    with subprocess.Popen(
        [*command, str(days), str(people), str(latency)],
        cwd=measuring.TOP,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield _Server(process)
        process.stdin.close()


class _PreparedServer(SampleServer):
    """The sample company's server, which keeps every answer that it has given once."""

    def __enter__(self) -> _PreparedServer:
        self._kept = {}
        return super().__enter__()

    def _report(self, path: str, query: dict, headers: dict):
        return self._once((path, str(query)), super()._report, path, query, headers)

    def _download(self, path: str, query: dict, headers: dict):
        return self._once(path, functools.partial(self._whole, path), query, headers)

    def _whole(self, path: str, query: dict, headers: dict):
        answer = super()._download(path, query, headers)
        return answer._replace(body=answer.file.read_bytes(), file=None)

    def _once(self, key, make, *arguments):
        if key not in self._kept:
            self._kept[key] = make(*arguments)
        return self._kept[key]

    def prepare(self, days: list[date]) -> dict[str, int]:
        """Give every answer once, and return how many files there are, and their size."""
        headers = {"authorization": f"Bearer {self.token}"}
        sizes = []
        queries = {"1-day": [{"day": [day.isoformat()]} for day in days], "28-day": [{}]}
        for endpoint in ENDPOINTS:
            path = endpoint.path.format(name=ORGANIZATION.name)
            for query in queries[endpoint.period]:
                answer = self._report(path, query, headers)
                for link in json.loads(answer.body or b"{}").get("download_links", ()):
                    parts = urlsplit(link)
                    file = self._download(parts.path, parse_qs(parts.query), {})
                    sizes.append(len(file.body))
        return {"files": len(sizes), "bytes": sum(sizes)}


@main.command(hidden=True)
@click.argument("days", type=int)
@click.argument("people", type=int)
@click.argument("latency", type=float)
def serve(days: int, people: int, latency: float) -> None:
    """Play GitHub until the input ends; tell the number of calls for every line of it."""
    company = Company(people=people, days=days, end_day=LAST_DAY)
    now = datetime.combine(LAST_DAY + timedelta(days=1), time(12), tzinfo=UTC)
    with _PreparedServer(company, now=now) as server:
        sizes = server.prepare(company.days())
        server.latency = latency
        facts = {"environ": server.environ, "now": now.isoformat(), **sizes}
        click.echo(json.dumps(facts))
        for _ in sys.stdin:
            click.echo(sum(request.port == "api" for request in server.requests))
            server.requests.clear()


if __name__ == "__main__":
    main()
