"""Reading a users file into tables: `load` beside the usual ways, in time and memory.

``python -m benchmarks.reader --help`` says what can be chosen.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks import measuring, users_file
from benchmarks.measuring import Contender, Measurement

PAGE = measuring.TOP / "docs" / "benchmarks.md"
FOLDER = measuring.TOP / ".bench"
FINGERPRINT = "benchmarks.readers.fingerprint:fingerprint"
LIBRARIES = ("pandas", "pyarrow", "numpy", "duckdb", "polars")

OURS = "load, all tables"
USUAL_WAYS = {
    OURS: "ours:all_tables",
    "json.loads + json_normalize": "json_normalize:all_tables",
    "pandas.read_json + explode": "read_json:explode",
    "pandas.read_json with Arrow types": "read_json:arrow_types",
    "DuckDB, types detected, df()": "duckdb_unnest:detected",
    "DuckDB, types given, df()": "duckdb_unnest:columns_given",
    "DuckDB, types given, over Arrow": "duckdb_unnest:columns_given_arrow",
    "Polars read_ndjson, own frames": "polars_unnest:detected",
    "Polars json_decode, own frames": "polars_unnest:lines_decoded",
    "Polars json_decode, pandas frames": "polars_unnest:lines_decoded_pandas",
}
PLAIN = "reading the bytes, nothing else"


@click.command()
@click.option("--megabytes", default=250.0, show_default=True, help="Size of the users file.")
@click.option("--repeats", default=3, show_default=True, help="Runs of each; medians are shown.")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--only", default="", help="Only ours and those with this text in their name.")
@click.option(
    "--huge", is_flag=True, help="Measure a file of 20 times the size, piece by piece, instead."
)
@click.option("--save", is_flag=True, help="Write the figures into docs/benchmarks.md.")
def main(megabytes: float, repeats: int, folder: Path, only: str, huge: bool, save: bool) -> None:
    """Compare ways to read a generated users file into tables."""
    if only and save:
        raise click.UsageError("--save keeps the figures of all, so not with --only")
    busy = _busy()
    if busy:
        _say(f"Figures will not be good{busy}.")
    file = users_file.users_file(20 * megabytes if huge else megabytes, folder)
    try:
        if huge:
            name, text = "reader-huge", _huge(file, repeats)
        else:
            name, text = "reader", _comparison(file, repeats, only)
    except measuring.Failed as problem:
        raise click.ClickException(str(problem)) from None
    if save:
        command = f"python -m benchmarks.reader --megabytes {megabytes:g} --repeats {repeats}"
        taken = (
            f"Taken {datetime.now(UTC):%Y-%m-%d} with "
            f"`{command}{' --huge' if huge else ''} --save`\n"
            f"on {measuring.machine()}; {measuring.versions(LIBRARIES)}{busy}."
        )
        measuring.save_section(PAGE, name, f"{text}\n\n{taken}")


def _busy() -> str:
    """Return words for the page where other work takes processor time, which spoils figures."""
    load = os.getloadavg()[0]
    return f"; **preliminary**, other work was running (load {load:.1f})" if load > 0.5 else ""


def _comparison(file: Path, repeats: int, only: str) -> str:
    contenders = [
        Contender(label, f"benchmarks.readers.{function}", file)
        for label, function in USUAL_WAYS.items()
        if label == OURS or only in label
    ]
    contenders.append(Contender(PLAIN, "benchmarks.readers.plain:all_bytes", file, is_partial=True))
    usual = measuring.compare(contenders, repeats, FINGERPRINT, _say)
    parts = [
        f"One file of {_size(file)}; runs of each: {repeats}.",
        _shown("The usual ways to tables", usual),
        _goals(usual),
    ]
    if not only:
        other = measuring.compare(_situations(file), repeats, FINGERPRINT, _say)
        parts.append(_shown("`load` in other situations", other))
    return "\n\n".join(parts)


def _size(file: Path) -> str:
    with file.open("rb") as lines:
        records = sum(1 for _ in lines)
    return f"{file.stat().st_size / 1e6:,.0f} MB with {records:,} records"


def _situations(file: Path) -> list[Contender]:
    ours = "benchmarks.readers.ours:all_tables"
    return [
        Contender(OURS, ours, file),
        Contender("only the users frame made", "benchmarks.readers.ours:users_only", file, True),
        Contender("in pieces, iter_tables", "benchmarks.readers.blocks:all_blocks", file, True),
        Contender("from gzip", ours, users_file.compressed(file, "gzip")),
        Contender("from zstd", ours, users_file.compressed(file, "zstd")),
        Contender("an unknown field per record", ours, users_file.with_unknown_field(file)),
        Contender("files of 250 kB each", ours, users_file.in_small_files(file)),
    ]


def _huge(file: Path, repeats: int) -> str:
    blocks = "benchmarks.readers.blocks:all_blocks"
    contender = Contender("in pieces, iter_tables", blocks, file)
    found = measuring.compare([contender], repeats, FINGERPRINT, _say)
    return f"One file of {_size(file)}.\n\n{_shown('Piece by piece', found)}"


def _shown(title: str, measurements: list[Measurement]) -> str:
    """Print a table to the terminal and return it as Markdown."""
    rows = measuring.table(measurements)
    click.echo(f"\n{title}\n{measuring.as_text(rows)}")
    return f"### {title}\n\n{measuring.as_markdown(rows)}"


def _goals(measurements: list[Measurement]) -> str:
    """Print what was aimed for and what was reached, and return it as a Markdown list."""
    seconds = {one.label: one.seconds for one in measurements}
    ours = seconds[OURS]
    shown = []
    for start, least in (("json.loads", 20), ("DuckDB, types detected", 2), ("DuckDB", 2)):
        if others := {label: s for label, s in seconds.items() if label.startswith(start)}:
            best = min(others, key=others.get)
            times = others[best] / ours
            shown.append(
                f"{times:.1f} times as fast as {best} (goal: {least}{_met(times >= least)}"
            )
    times = ours / seconds[PLAIN]
    shown.append(f"{times:.1f} times as long as {PLAIN} (goal: at most 3{_met(times <= 3)}")
    click.echo("\n" + "\n".join(shown))
    return "\n".join(f"- {line}" for line in shown)


def _met(is_met: bool) -> str:
    return ", reached)" if is_met else ", not reached)"


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
