"""The explorer at the keyboard: how long after a change of one widget the picture is there.

``python -m benchmarks.explorer --help`` says what can be chosen.
"""

from __future__ import annotations

import os
import statistics
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks import archive_days, measuring
from benchmarks.measuring import Contender
from copilot_analytics.archive import Archive
from copilot_analytics.explorer.measures import MEASURES

PAGE = measuring.TOP / "docs" / "benchmarks.md"
FOLDER = measuring.TOP / ".bench"
LIBRARIES = ("pandas", "duckdb", "narwhals", "matplotlib", "ipywidgets")
WAYS = {"pandas": "on_pandas", "DuckDB": "on_duckdb"}
CHANGES = {"measure": 0, "days": 2}  # where the wall seconds of each stand; CPU seconds follow
GOAL_SECONDS = 0.3


@click.command()
@click.option("--people", default=1000, show_default=True, help="Size of the company.")
@click.option("--days", default=240, show_default=True, help="Length of its history.")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--save", is_flag=True, help="Write the figures into docs/benchmarks.md.")
def main(people: int, days: int, folder: Path, save: bool) -> None:
    """Change measure, breakdown and days of the explorer over the archive of a company."""
    if (load := os.getloadavg()[0]) > 0.5:
        _say(f"Something else is running (load {load:.1f}): figures will be worse than they are.")
    try:
        ledger = _archive(folder, people, days) / "ledger.sqlite"
        found = {way: _seconds(way, ledger) for way in WAYS}
    except measuring.Failed as problem:
        raise click.ClickException(str(problem)) from None
    seconds = {way: each["seconds"] for way, each in found.items()}
    rows = _table(seconds)
    records = int(Archive(ledger.parent).status()["records"].sum())
    title = f"{records:,} user-days: {people:,} people, {days} days"
    goal = _goal(seconds, {way: each["first_choices"] for way, each in found.items()})
    click.echo(f"\n{title}\n{measuring.as_text(rows)}\n{goal}")
    taken = (
        f"Taken {datetime.now(UTC):%Y-%m-%d} with `python -m benchmarks.explorer --people {people} "
        f"--days {days} --save`\non {measuring.machine()}; {measuring.versions(LIBRARIES)}."
    )
    if save:
        parts = [f"{title}.", measuring.as_markdown(rows), goal, taken]
        measuring.save_section(PAGE, "explorer", "\n\n".join(parts))


def _archive(folder: Path, people: int, days: int) -> Path:
    """Return an archive of a size, made only if it is not there."""
    place = archive_days.place(folder, people, days)
    task = place.with_suffix(".txt")
    if not place.exists() or task.exists():  # the task goes when the archive is whole
        archive_days.originals(folder)
        task.write_text(place.name)
        _say(f"writing {place.name}")
        writer = Contender(place.name, "benchmarks.archive_days:store", task)
        measuring.run(writer, "benchmarks.archive_ways:figures")
        task.unlink()
    return place


def _seconds(way: str, ledger: Path) -> dict[str, dict]:
    _say(f"changing with {way}")
    contender = Contender(way, f"benchmarks.explorer_ways:{WAYS[way]}", ledger)
    return measuring.run(contender, "benchmarks.explorer_ways:figures").fingerprint


def _table(seconds: dict[str, dict]) -> list[list[str]]:
    """Return the worst of each measure, whatever the breakdown, and figures of all changes."""
    heads = [f"{way}, {change}, s" for way in seconds for change in CHANGES]
    rows = [["", *heads]]
    for name, measure in MEASURES.items():
        found = [
            [value[at] for change, value in each.items() if change.split()[0] == name]
            for each in seconds.values()
            for at in CHANGES.values()
        ]
        rows.append([measure.label, *(f"{max(some):.2f}" for some in found)])
    for label, summary in (("median", statistics.median), ("worst", max)):
        for kind, step in (("", 0), (", CPU s", 1)):
            cells = [
                f"{summary([value[at + step] for value in each.values()]):.2f}"
                for each in seconds.values()
                for at in CHANGES.values()
            ]
            rows.append([f"{label} of all{kind}", *cells])
    return rows


def _goal(seconds: dict[str, dict], first_choices: dict[str, dict]) -> str:
    """Return what was aimed for and what was reached, and what comes once."""
    lines = []
    for way, each in seconds.items():
        for change, at in CHANGES.items():
            within = [value[at] <= GOAL_SECONDS for value in each.values()]
            lines.append(f"- {way}, {change}: {sum(within)} of {len(within)} changes")
    lines += ["", "The first choice of a breakdown reads its table and took once:", ""]
    for way, each in first_choices.items():
        times = ", ".join(f"{name} {taken:.2f} s" for name, taken in each.items())
        lines.append(f"- {way}: {times}")
    return "\n".join([f"Within the goal of {GOAL_SECONDS} s were:", "", *lines])


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
