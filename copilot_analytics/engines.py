"""Parquet files as a DuckDB relation or a Spark DataFrame, read when a figure is computed."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache, reduce
from importlib import import_module

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from copilot_analytics.errors import UsageError

_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
_WHOLE = pa.decimal128(38, 0)  # how DuckDB gives the sum of whole numbers


def connect():
    """Return a DuckDB connection in memory; what does not fit goes to a private folder.

    Raises
    ------
    UsageError
        DuckDB is not installed.
    """
    connection = _library("duckdb").connect(config={"temp_directory": _private_folder()})
    connection.execute("SET enable_progress_bar = false")  # it would stand between our results
    # A year is hundreds of files, whose footers would be read again for each figure.
    connection.execute("SET parquet_metadata_cache = true")
    return connection


def _library(name: str):
    try:
        return import_module(name)
    except ImportError as problem:
        raise UsageError(
            f"this needs {name}, which is not installed",
            advice=f'pip install "copilot-analytics[{name}]"',
        ) from problem


@cache
def _private_folder() -> str:
    """Return a folder of this process, because DuckDB's own files are readable by everybody."""
    folder = tempfile.TemporaryDirectory(prefix="copilot-analytics-duckdb-")
    atexit.register(folder.cleanup)
    return folder.name


def relation(connection, schema: pa.Schema, files: Sequence[str], rows: pa.Table | None = None):
    """Return files of a schema, and rows in memory, as one lazily read DuckDB relation.

    Files from before a column was described have it without values. Nothing is found by pattern,
    and without files and rows the relation is empty and typed.
    """
    empty = connection.from_arrow(schema.empty_table())
    kinds = dict(zip(empty.columns, empty.types, strict=True))
    parts = [] if rows is None else [connection.from_arrow(rows.select(schema.names))]
    for names, group in _by_columns(files).items():
        part = connection.read_parquet(group)
        if names != tuple(schema.names):
            missing = {name: f"NULL::{kind}" for name, kind in kinds.items() if name not in names}
            part = part.project(
                ", ".join(f'{missing.get(name, _quoted(name))} AS "{name}"' for name in kinds)
            )
        parts.append(part)
    return reduce(lambda one, other: one.union(other), parts) if parts else empty


def _by_columns(files: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """Return the files by the columns they have; DuckDB's own way to match them is much slower."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        groups.setdefault(tuple(pq.read_schema(file).names), []).append(file)
    return groups


def _quoted(name: str) -> str:
    return f'"{name}"'


def query(connection, relations: Mapping[str, object], files: Sequence[str], sql: str) -> pa.Table:
    """Return what one SELECT finds in relations that it knows by name.

    ``files`` are those of the relations. The connection is closed to everything else: no other
    file, no network, no extension.

    Raises
    ------
    UsageError
        The SQL is wrong, is not one SELECT, or wants anything else; with DuckDB's sentence.
    """
    duckdb = _library("duckdb")
    for name, one in relations.items():
        one.create_view(name)
    connection.execute("SET allowed_paths = ?", [list(files)])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    try:
        kinds = [statement.type for statement in connection.extract_statements(sql)]
        if kinds not in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN]):
            raise UsageError(
                "this is not one SELECT",
                said=sql.strip()[:200],
                kept="everything; nothing was run",
                advice="give one statement that reads: SELECT … FROM users",
            )
        return connection.sql(sql).to_arrow_table()
    except duckdb.Error as problem:
        raise UsageError(
            "DuckDB does not answer this",
            said=str(problem).strip()[:1000],
            kept="everything; only tables of the archive can be read, and nothing be written",
            advice="names: catalogue.tables() and catalogue.fields('users')",
        ) from None


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return the result of a query with the types that tables have, whatever was computed.

    Whole numbers are Int64, flags boolean, days and times timestamps; missing stays missing.

    >>> to_pandas(pa.table({"people": [3, None]})).dtypes["people"]
    Int64Dtype()
    """
    for place, field in enumerate(table.schema):
        if kind := _tables_kind(field.type):
            try:
                table = table.set_column(place, field.name, table[place].cast(kind))
            except pa.ArrowInvalid:  # a sum beyond 64 bits stays what it is
                continue
    return table.to_pandas(types_mapper=_NULLABLE.get)


def _tables_kind(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_integer(kind) or kind == _WHOLE:
        return pa.int64()
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return pa.float64()
    if pa.types.is_date(kind):
        return pa.timestamp("us")
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    return None


def is_spark(engine: object) -> bool:
    """Tell whether this is a Spark session, without importing Spark.

    >>> is_spark("pandas")
    False
    """
    return hasattr(engine, "createDataFrame") and hasattr(engine, "read")


def spark_frame(session, schema: pa.Schema, files: Sequence[str], rows: pa.Table | None = None):
    """Return files of a schema, and rows in memory, as one Spark DataFrame.

    Files from before a column was described have it without values; without files and rows the
    frame is empty and typed.
    """
    given = [] if rows is None else [tuple(row.values()) for row in rows.to_pylist()]
    typed = _spark_schema(schema)
    parts = [session.createDataFrame(given, typed)] if given or not files else []
    if files:
        # Without a scheme Spark would look on the cluster's default file system.
        parts.append(session.read.schema(typed).parquet(*(f"file://{file}" for file in files)))
    return reduce(lambda one, other: one.union(other), parts)


def _spark_schema(schema: pa.Schema):
    types = _library("pyspark.sql.types")
    kinds = {
        pa.string(): types.StringType(),
        pa.int64(): types.LongType(),
        pa.float64(): types.DoubleType(),
        pa.bool_(): types.BooleanType(),
        pa.timestamp("us"): types.TimestampNTZType(),
        pa.timestamp("us", tz="UTC"): types.TimestampType(),
    }
    return types.StructType([types.StructField(one.name, kinds[one.type]) for one in schema])
