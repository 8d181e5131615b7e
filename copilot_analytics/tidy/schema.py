"""Arrow schemas of records and tables, and pandas types, made from the catalogue."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pyarrow as pa

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError

# As JSON delivers it, and as a table keeps it. Days and times are text in JSON; they are converted
# by us, so that a malformed one is an error and not a missing value.
JSON_TYPES = {
    "text": pa.string(),
    "id": pa.int64(),
    "count": pa.int64(),
    "code": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "date": pa.string(),
    "timestamp": pa.string(),
}
# Microseconds, because Spark reads no nanoseconds from Parquet.
TABLE_TYPES = JSON_TYPES | {
    "date": pa.timestamp("us"),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_FROM_ARROW = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}

# Columns that the exact reader adds to a record; the fast one hands over where a key is called so.
EXTRA = "#extra"  # unknown keys, as JSON
TELEMETRY = "#telemetry"  # whether the record of a person has any of these keys
TELEMETRY_KEYS = ("used_", "totals_by_")


@cache
def record_tree(family: str) -> dict:
    """Return the known places of a family's records as a tree.

    A leaf is a `catalogue.Field`, an object a dict, a list of objects a one-element list.
    """
    tree: dict = {}
    for field in catalogue.record_fields(family):
        if field.column == "extra":
            continue
        node = tree
        *parents, leaf = field.path.split(".")
        for name in parents:
            if name.endswith("[]"):
                node = node.setdefault(name[:-2], [{}])[0]
            else:
                node = node.setdefault(name, {})
        node[leaf] = field
    return tree


def _arrow_fields(tree: dict) -> list[pa.Field]:
    fields = []
    for name, node in tree.items():
        if isinstance(node, list):
            kind = pa.list_(pa.struct(_arrow_fields(node[0])))
        elif isinstance(node, dict):
            kind = pa.struct(_arrow_fields(node))
        else:
            kind = JSON_TYPES[node.type]
        fields.append(pa.field(name, kind))
    return fields


@cache
def record_schema(family: str) -> pa.Schema:
    """Return the Arrow schema of a family's records as JSON delivers them."""
    return pa.schema(_arrow_fields(record_tree(family)))


def with_extra(schema: pa.Schema) -> pa.Schema:
    """Return the record schema with what the exact reader adds, in list elements as well."""

    def element(field: pa.Field) -> pa.Field:
        if pa.types.is_list(field.type):
            inner = [*field.type.value_type, pa.field(EXTRA, pa.string())]
            return pa.field(field.name, pa.list_(pa.struct([element(f) for f in inner])))
        if pa.types.is_struct(field.type):
            return pa.field(field.name, pa.struct([element(f) for f in field.type]))
        return field

    added = [pa.field(EXTRA, pa.string()), pa.field(TELEMETRY, pa.bool_())]
    return pa.schema([*(element(field) for field in schema), *added])


@cache
def table_schema(name: str) -> pa.Schema:
    """Return the Arrow schema of a table; also that of its Parquet files."""
    return pa.schema(
        [pa.field(f.column, TABLE_TYPES[f.type]) for f in catalogue.table(name).columns]
    )


def to_pandas(name: str, table: pa.Table) -> pd.DataFrame:
    """Return a table as a DataFrame with the types of the catalogue."""
    frame = table.to_pandas(types_mapper=_FROM_ARROW.get)
    ids = [f.column for f in catalogue.table(name).columns if f.type == "id" and f.column in frame]
    return frame.astype(dict.fromkeys(ids, "int64")) if ids else frame


def empty_frame(name: str) -> pd.DataFrame:
    """Return the table without rows, fully typed."""
    return _empty_frame(name).copy()


@cache
def _empty_frame(name: str) -> pd.DataFrame:
    return to_pandas(name, table_schema(name).empty_table())


def to_arrow(name: str, frame: pd.DataFrame) -> pa.Table:
    """Return a table with the catalogue's types, which pandas gets back from Parquet as they were.

    Raises
    ------
    UsageError
        If the frame is not what the catalogue describes.
    """
    schema = table_schema(name)
    try:
        if set(frame.columns) == set(schema.names):
            return pa.Table.from_pandas(frame, schema, preserve_index=False)
        said = f"columns {', '.join(map(str, set(frame.columns) ^ set(schema.names)))[:200]}"
    except (pa.ArrowInvalid, pa.ArrowTypeError) as problem:
        said = str(problem).split("\n")[0][:200]
    raise UsageError(
        f"table {name} does not have the columns and types of the catalogue",
        said=said,
        advice="write frames that you changed with the methods of the frame itself",
    )
