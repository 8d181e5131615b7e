"""Keeping a history and reading from it: time, memory and size, and how they grow.

``python -m benchmarks.archive --help`` says what can be chosen.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from itertools import compress
from pathlib import Path

import click

from benchmarks import archive_days, measuring
from benchmarks.archive_ways import WINDOWS
from benchmarks.measuring import Contender, Measurement
from copilot_analytics.archive import Archive

PAGE = measuring.TOP / "docs" / "benchmarks.md"
FOLDER = measuring.TOP / ".bench"
SAME = "benchmarks.archive_ways:figures"
LIBRARIES = ("pandas", "pyarrow", "duckdb", "narwhals")


@click.command()
@click.option("--people", default="1000,10000", show_default=True, help="Sizes of the company.")
@click.option("--huge", is_flag=True, help="100,000 people as well: about 60 GB of reports.")
@click.option("--days", default="28,365", show_default=True, help="Lengths of the history.")
@click.option("--repeats", default=3, show_default=True, help="Reading runs; medians are shown.")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--save", is_flag=True, help="Write the figures into docs/benchmarks.md.")
def main(people: str, huge: bool, days: str, repeats: int, folder: Path, save: bool) -> None:
    """Store users reports of generated companies day by day, then read windows of them."""
    if (load := os.getloadavg()[0]) > 0.5:
        _say(f"Something else is running (load {load:.1f}): figures will be worse than they are.")
    sizes = [int(size) for size in people.split(",")] + ([100_000] if huge else [])
    if any(size % archive_days.PEOPLE for size in sizes):
        raise click.UsageError(f"sizes are multiples of {archive_days.PEOPLE:,}")
    archive_days.originals(folder)
    written, read = [], []
    try:
        for size in sizes:
            for length in (int(length) for length in days.split(",")):
                place = archive_days.place(folder, size, length)
                try:
                    written.append(_write(place, size, length))
                    read.append(_read(place, size, length, repeats))
                finally:
                    shutil.rmtree(place, ignore_errors=True)
    except measuring.Failed as problem:
        raise click.ClickException(str(problem)) from None
    parts = [_shown("Writing an archive day by day", [_WRITTEN, *written]), *read]
    if save:
        taken = (
            f"Taken {datetime.now(UTC):%Y-%m-%d} with `python -m benchmarks.archive --people "
            f"{people} --days {days} --repeats {repeats}{' --huge' if huge else ''} --save`\n"
            f"on {measuring.machine()}; {measuring.versions(LIBRARIES)}."
        )
        measuring.save_section(PAGE, "archive", "\n\n".join([*parts, taken]))


_WAYS = "benchmarks.archive_ways"
_READ = {
    "columns": "pandas, four columns",
    "frame": "pandas, all columns",
    "relation": "DuckDB",
}
_LONGEST_FRAME = 28  # days; all columns of more do not fit into the memory of a small machine
_WRITTEN = ["", "user-days", "reports MB", "s", "MB/s", "peak MB", "raw MB", "tables MB", "ratio"]


def _write(place: Path, people: int, days: int) -> list[str]:
    """Make an archive; return what it took, and its size beside that of the reports."""
    label = f"{people:,} people, {days} days"
    _say(f"writing {label}")
    run = measuring.run(Contender(label, "benchmarks.archive_days:store", _task(place)), SAME)
    seconds = run.fingerprint["store"]["seconds"]
    (row,) = Archive(place).status().to_dict("records")
    on_disk = row["raw_bytes"] + row["table_bytes"]
    figures = [
        f"{row['records']:,}",
        _mb(row["report_bytes"]),
        f"{seconds:,.1f}",
        f"{row['report_bytes'] / 1e6 / seconds:,.0f}",
        f"{run.peak_memory / 1e6:,.0f}",
        _mb(row["raw_bytes"]),
        _mb(row["table_bytes"]),
        f"{row['report_bytes'] / on_disk:.1f}",
    ]
    return [label, *figures]


def _task(place: Path) -> Path:
    """Write down what is to be stored, where the process that does it finds it."""
    place.mkdir(parents=True)
    task = place.with_suffix(".txt")
    task.write_text(place.name)
    return task


def _read(place: Path, people: int, days: int, repeats: int) -> str:
    """Read windows of an archive with both engines; return Markdown."""
    parts, ledger = [], place / "ledger.sqlite"
    for window in (window for window in WINDOWS if window <= days):
        contenders = [
            Contender(f"{window} days, {label}", f"{_WAYS}:{function}_{window}", ledger)
            for function, label in _READ.items()
            if function != "frame" or window <= _LONGEST_FRAME
        ]
        parts += measuring.compare(contenders, repeats, SAME, _say)
    title = f"Active users of the last days of {people:,} people and {days} days"
    return _shown(title, _table(parts))


def _table(measurements: list[Measurement]) -> list[list[str]]:
    """Return the table of `measuring` without what says nothing here."""
    header, *rows = measuring.table(measurements)
    keep = [name not in ("ratio", "import s") for name in header]
    return [list(compress(row, keep)) for row in (header, *rows)]


def _shown(title: str, rows: list[list[str]]) -> str:
    """Print a table to the terminal and return it as Markdown."""
    click.echo(f"\n{title}\n{measuring.as_text(rows)}")
    return f"### {title}\n\n{measuring.as_markdown(rows)}"


def _mb(size: float) -> str:
    return f"{size / 1e6:,.1f}" if size < 1e8 else f"{size / 1e6:,.0f}"


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
