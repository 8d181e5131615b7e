"""Tables into files of other tools: Parquet, CSV and DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from copilot_analytics import catalogue, progress
from copilot_analytics.errors import UsageError
from copilot_analytics.files import replacing, storage_errors
from copilot_analytics.spreadsheets import without_formulas
from copilot_analytics.tidy.schema import TABLE_TYPES, to_arrow


def to_parquet(tables, folder: str | Path) -> list[Path]:
    """Write each table to a Parquet file, also those without rows."""
    with export(folder, [f"{name}.parquet" for name in tables]) as (beside, paths):
        for name, frame in each(tables):
            path = beside / f"{name}.parquet"
            pq.write_table(
                to_arrow(name, frame), path, compression="zstd", write_page_checksum=True
            )
    return paths


def to_csv(tables, folder: str | Path) -> list[Path]:
    """Write each table that has rows to a CSV file without formulas."""
    with export(folder, [f"{name}.csv" for name in tables]) as (beside, paths):
        for name, frame in each(tables):
            if len(frame):
                table = _as_iso(to_arrow(name, without_formulas(frame)))
                pyarrow.csv.write_csv(table, beside / f"{name}.csv")
    return [path for path in paths if path.exists()]


def _as_iso(table: pa.Table) -> pa.Table:
    """Return a table whose days and times are written as ISO 8601 has them."""
    for place, field in enumerate(table.schema):
        if field.type == TABLE_TYPES["date"]:
            table = table.set_column(place, field.name, table[place].cast(pa.date32()))
        elif field.type == TABLE_TYPES["timestamp"]:
            text = pc.strftime(table[place].cast(pa.timestamp("us")), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(place, field.name, text)
    return table


def to_duckdb(tables, file: str | Path) -> Path:
    """Write a DuckDB database with all tables, typed and commented."""
    duckdb, file = extra("duckdb"), Path(file).expanduser()
    # A log that belongs to the database that was here must not be applied to the one that comes.
    with export(file.parent, [f"{file.name}.wal", file.name]) as (beside, _):
        try:
            with duckdb.connect(str(beside / file.name)) as connection:
                connection.begin()  # one for all, because each commit waits for the disk
                for name, frame in each(tables):
                    connection.register("source", to_arrow(name, frame))
                    connection.execute(f'CREATE TABLE "{name}" AS FROM source')
                    connection.unregister("source")
                    for statement in _comments(name):
                        connection.execute(statement)
                connection.commit()
        except duckdb.OperationalError as problem:  # input, output, memory, commit
            raise OSError(str(problem).split("\n")[0]) from None
    return file


def _comments(name: str) -> Iterator[str]:
    """Yield the statements that say what a row is, and what the columns are."""
    described = catalogue.table(name)
    yield f'COMMENT ON TABLE "{name}" IS {_quoted(f"One row is {described.grain}")}'
    for field in described.columns:
        text = f"{field.meaning} ({field.unit})"
        yield f'COMMENT ON COLUMN "{name}"."{field.column}" IS {_quoted(text)}'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def extra(name: str) -> ModuleType:
    """Return a library that only some exports need.

    Raises
    ------
    UsageError
        If it is not installed; says how to install it.
    """
    module = {"excel": "xlsxwriter"}.get(name, name)
    try:
        return import_module(module)
    except ImportError as problem:
        raise UsageError(
            f"writing this file needs {module}, which is not installed",
            kept="nothing was written",
            advice=f'pip install "copilot-analytics[{name}]"',
        ) from problem


@contextmanager
def export(folder: str | Path, names: Sequence[str]) -> Iterator[tuple[Path, list[Path]]]:
    """Give a folder to write to and the final paths; the files take their places at the end."""
    folder = Path(folder).expanduser()
    with (
        storage_errors(f"the export to {folder}", kept="the files that were there before"),
        replacing(folder, names) as beside,
    ):
        yield beside, [folder / name for name in names]


def each(tables) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables one after the other, so that not all are in memory, with a progress bar."""
    for name in progress.bar(list(tables), description="Writing", unit="table"):
        yield name, tables.read(name)
