"""The metrics on adoption and engagement over a long history of many people: time and memory.

``python -m benchmarks.metrics --help`` says what can be chosen.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks import company_tables, measuring
from benchmarks.measuring import Contender, Run
from benchmarks.metrics_ways import CALLS

PAGE = measuring.TOP / "docs" / "benchmarks.md"
FOLDER = measuring.TOP / ".bench"
LIBRARIES = ("pandas", "pyarrow", "duckdb", "narwhals")
SAME, SAME_COUNTS = "benchmarks.metrics_ways:figures", "benchmarks.metrics_windows:figures"
DUCKDB, PANDAS = "benchmarks.metrics_ways", "benchmarks.metrics_on_pandas"
WINDOWS = {
    "`active_users`, DuckDB": "on_duckdb",
    "`active_users`, pandas": "on_pandas",
    "`nunique` of each window": "loop",
}
GOAL_SECONDS, GOAL_BYTES = 60, 3e9


@click.command()
@click.option("--people", default="1000,10000,100000", show_default=True, help="Sizes, for DuckDB.")
@click.option("--days", default=365, show_default=True, help="Length of their history.")
@click.option("--pandas", "frames", default="10000x90", show_default=True, help="Size for pandas.")
@click.option("--only", default="", help="Only metrics with this text in their names.")
@click.option(
    "--repeats", default=3, show_default=True, help="Runs of the loop; medians are shown."
)
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--save", is_flag=True, help="Write the figures into docs/benchmarks.md.")
def main(people, days, frames, only, repeats, folder, save) -> None:
    """Compute every metric in a process of its own, over growing companies."""
    if (load := os.getloadavg()[0]) > 0.5:
        _say(f"Something else is running (load {load:.1f}): figures will be worse than they are.")
    names = [name for name in CALLS if only in name]
    sizes = [(int(size), days) for size in people.split(",")]
    small = tuple(map(int, frames.split("x")))
    try:
        ours = [_runs(DUCKDB, folder, size, names) for size in sizes]
        in_memory = _runs(PANDAS, folder, small, names)
        shown = _shown("Each metric", _table(names, sizes, ours, small, in_memory))
        parts = [shown, _goals(folder, sizes[-1])]
        parts += [_windows(folder, size, repeats) for size in (small, sizes[-1])]
    except measuring.Failed as problem:
        raise click.ClickException(str(problem)) from None
    taken = (
        f"Taken {datetime.now(UTC):%Y-%m-%d} with `python -m benchmarks.metrics --people {people} "
        f"--days {days} --pandas {frames} --repeats {repeats} --save`\n"
        f"on {measuring.machine()}; {measuring.versions(LIBRARIES)}."
    )
    if save:
        measuring.save_section(PAGE, "metrics", "\n\n".join([*parts, taken]))


def _runs(module: str, folder: Path, size: tuple[int, int], names: list[str]) -> dict[str, Run]:
    """Run every metric once over a company of a size."""
    tables, runs = company_tables.folder_of(folder, *size), {}
    for name in names:
        runs[name] = measuring.run(Contender(name, f"{module}:{name}", tables), SAME)
        _say(f"{_label(size)}, {name}: {runs[name].seconds:.2f} s")
    return runs


def _table(names, sizes, ours, small, in_memory) -> list[list[str]]:
    """Return the figures of each metric, and of all together."""
    largest = ours[-1]
    heads = [f"DuckDB, {_label(size)}, s" for size in sizes]
    rows = [["", *heads, "CPU s", "peak MB", f"pandas, {_label(small)}, s", "peak MB"]]
    groups = {f"`{name}`": [name] for name in names} | {"all": names}
    for label, group in groups.items():
        seconds = [sum(runs[name].seconds for name in group) for runs in (*ours, in_memory)]
        peaks = [max(runs[name].peak_memory for name in group) for runs in (largest, in_memory)]
        cpu = sum(largest[name].cpu_seconds for name in group)
        *on_duckdb, on_pandas = (f"{one:,.2f}" for one in seconds)
        first, second = (f"{peak / 1e6:,.0f}" for peak in peaks)
        rows.append([label, *on_duckdb, f"{cpu:,.2f}", first, on_pandas, second])
    return rows


def _goals(folder: Path, size: tuple[int, int]) -> str:
    """Compute all in one process, print what was aimed for and reached, and return it as a list."""
    tables = company_tables.folder_of(folder, *size)
    run = measuring.run(Contender("session", f"{DUCKDB}:session", tables), SAME)
    seconds, peak = run.seconds, run.peak_memory
    lines = [
        f"{seconds:.0f} s ({run.cpu_seconds:.0f} CPU s) for all of them, one after another in one "
        f"process, over {_label(size)} (goal: at most {GOAL_SECONDS} s, "
        f"{_met(seconds <= GOAL_SECONDS)})",
        f"{peak / 1e9:.1f} GB at the most (goal: at most {GOAL_BYTES / 1e9:.0f} GB, "
        f"{_met(peak <= GOAL_BYTES)})",
    ]
    click.echo("\n" + "\n".join(lines))
    return "\n".join(f"- {line}" for line in lines)


def _windows(folder: Path, size: tuple[int, int], repeats: int) -> str:
    """Compare the rolling count of people with the loop that is common; return Markdown."""
    tables = company_tables.folder_of(folder, *size)
    contenders = [
        Contender(label, f"benchmarks.metrics_windows:{function}", tables)
        for label, function in WINDOWS.items()
    ]
    found = measuring.compare(contenders, repeats, SAME_COUNTS, _say)
    title = f"People active in the 28 days up to each day, {_label(size)}, files read"
    return _shown(title, measuring.table(found))


def _label(size: tuple[int, int]) -> str:
    return f"{size[0]:,} people × {size[1]} days"


def _met(is_met: bool) -> str:
    return "reached" if is_met else "not reached"


def _shown(title: str, rows: list[list[str]]) -> str:
    """Print a table to the terminal and return it as Markdown."""
    click.echo(f"\n{title}\n{measuring.as_text(rows)}")
    return f"### {title}\n\n{measuring.as_markdown(rows)}"


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
