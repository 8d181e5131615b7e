"""The whole set of reports, beside as many empty notebooks through papermill.

``python -m benchmarks.reports --help`` says what can be chosen.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import nbformat

from benchmarks import archive_days, measuring
from benchmarks.measuring import Contender
from copilot_analytics.reporting import find_notebooks

PAGE = measuring.TOP / "docs" / "benchmarks.md"
FOLDER = measuring.TOP / ".bench"
LIBRARIES = ("papermill", "ipykernel", "nbconvert", "matplotlib", "narwhals", "pandas")
GOAL = 2.0
REPORT = [sys.executable, "-m", "copilot_analytics", "report", "--quiet"]


@dataclass(frozen=True)
class Taken:
    """What commands took: seconds on the clock, of all processors, and the largest process."""

    label: str
    seconds: float
    cpu_seconds: float
    peak_memory: int

    def cells(self, first: Taken) -> list[str]:
        """Return the figures as text, with the time as a multiple of the first one's."""
        return [
            self.label,
            f"{self.seconds:,.1f}",
            f"{self.seconds / first.seconds:.2f}",
            f"{self.cpu_seconds:,.1f}",
            f"{self.peak_memory / 1e6:,.0f}",
        ]


@click.command()
@click.option("--people", default=10_000, show_default=True, help="People of the large archive.")
@click.option("--days", default=90, show_default=True, help="Days of the large archive.")
@click.option("--only-sample", is_flag=True, help="Without the large archive.")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--save", is_flag=True, help="Write the figures into docs/benchmarks.md.")
def main(people: int, days: int, only_sample: bool, folder: Path, save: bool) -> None:
    """Run empty notebooks through papermill, then the reports of the sample and of an archive."""
    if (load := os.getloadavg()[0]) > 0.5:
        _say(f"Something else is running (load {load:.1f}): figures will be worse than they are.")
    count = len(find_notebooks())
    with tempfile.TemporaryDirectory() as scratch:
        found = [_empty_notebooks(count, Path(scratch)), *_sample_reports(count, Path(scratch))]
        if not only_sample:
            found.append(_large_report(people, days, folder, Path(scratch)))
    rows = [["", "wall s", "times empty", "CPU s", "peak MB"]]
    rows += [one.cells(found[0]) for one in found]
    _say(measuring.as_text(rows))
    if save:
        chosen = " --only-sample" if only_sample else f" --people {people} --days {days}"
        text = (
            f"The full set of {count} notebooks, run side by side on the cores of the machine, "
            f"turned into pages and published.\n\n{measuring.as_markdown(rows)}\n\n"
            f"Goal: the sample in at most {GOAL:g} times the time of empty notebooks.\n\n"
            f"Taken {datetime.now(UTC):%Y-%m-%d} with `python -m benchmarks.reports{chosen} "
            f"--save`\non {measuring.machine()}; {measuring.versions(LIBRARIES)}."
        )
        measuring.save_section(PAGE, "reports", text)


def _empty_notebooks(count: int, scratch: Path) -> Taken:
    """Run as many notebooks of one empty cell, one after the other, as papermill is used."""
    cell = nbformat.v4.new_code_cell("archive = ''")
    cell.metadata["tags"] = ["parameters"]
    book = nbformat.v4.new_notebook(cells=[cell])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    nbformat.write(book, scratch / "empty.ipynb")
    papermill = [sys.executable, "-m", "papermill", "--no-progress-bar", "empty.ipynb", "out.ipynb"]
    return _take(f"{count} empty notebooks, papermill", [papermill] * count, scratch)


def _sample_reports(count: int, scratch: Path) -> list[Taken]:
    """Make the report of the sample company, then once more from the archive of the first."""
    sample = [*REPORT, "--sample", "--archive", "archive"]
    # Without --sample nothing is fetched; the archive holds one organization.
    again = [*REPORT, "--archive", "archive", "--end", "2026-11-20"]
    return [
        _take("the sample, with its server and the fetching", [sample], scratch),
        _take("the sample, from its archive", [again], scratch),
    ]


def _large_report(people: int, days: int, folder: Path, scratch: Path) -> Taken:
    """Make the report of a large archive, which is made before and removed after it."""
    archive_days.originals(folder)
    place = archive_days.place(folder, people, days)
    label = f"{people:,} people, {days} days, from the archive"
    _say(f"writing the archive of {label}")
    try:
        place.mkdir(parents=True)
        task = place.with_suffix(".txt")
        task.write_text(place.name)
        measuring.run(
            Contender(label, "benchmarks.archive_days:store", task),
            "benchmarks.archive_ways:figures",
        )
        return _take(label, [[*REPORT, "--archive", str(place)]], scratch)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _take(label: str, commands: list[list[str]], folder: Path) -> Taken:
    """Run commands one after the other, and return what they and all that they started took."""
    _say(label)
    environment = {**os.environ, "PYTHONPATH": str(measuring.TOP)}
    before, clock = _cpu_seconds(), time.perf_counter()
    for command in commands:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        # 3: published, and a day is missing, as one is in the sample.
        if done.returncode not in (0, 3):
            raise click.ClickException(f"{label}: {done.stderr[-2000:]}")
    seconds = time.perf_counter() - clock
    # On Linux in KiB: the largest process that has ended until now.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Taken(label, seconds, _cpu_seconds() - before, peak)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
