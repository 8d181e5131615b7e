"""The fast reader: NDJSON straight into Arrow with the catalogue's schema.

It answers None for anything that it cannot vouch for; the exact reader then decides, and says what
is wrong. What it returns has passed the same checks as a record of the exact reader.
"""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from copilot_analytics import catalogue
from copilot_analytics.tidy import recognition
from copilot_analytics.tidy.exact import REQUIRED, is_personal, route
from copilot_analytics.tidy.schema import EXTRA, TELEMETRY, record_schema, record_tree
from copilot_analytics.tidy.strict_json import MAX_DEPTH

_ROUTING = {"day_totals", "repo_id", "team_id", "user_id"}
_FOREIGN = set().union(*(keys for keys, _, _ in recognition.FOREIGN_KEYS))
# A whole number beyond this is no longer exact once the parser has guessed a fractional type.
_EXACT_FLOAT = 2.0**53
# Beyond this many unknown fields, the exact reader is the faster one.
MANY_UNKNOWN = 200
# Per family the fields of its records: those of the catalogue, and unknown ones met so far.
Learned = dict[str, pa.Schema]


def read(block: bytearray, lines: int, learned: Learned) -> tuple[str, pa.StructArray] | None:
    """Return the family and records of a block of NDJSON, or None if anything in it is odd."""
    try:
        first = json.loads(block[: block.find(b"\n") + 1] or block)
    except (ValueError, RecursionError):
        return None
    if not isinstance(first, dict) or "day_totals" in first:
        return None
    family = route(first)
    known = learned.get(family, record_schema(family))
    table = _parse(block, family, known)
    if table is None or _is_odd(family, table):
        return None
    if table.num_rows != lines:  # blank lines: the exact reader knows which line a record is on
        return None
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return None
    records = table.combine_chunks().to_struct_array().combine_chunks()
    if not _is_valid(record_tree(family), records, family):
        return None
    if table.schema != known:
        learned[family] = pa.schema(_without_nulls(table.schema))
    return family, records


def _parse(block: bytearray, family: str, known: pa.Schema) -> pa.Table | None:
    """Return the records with all their fields, or None where Arrow refuses them."""
    with suppress(pa.ArrowInvalid):
        return _read(block, known, "error")
    if _is_deep(block):
        return None
    most = _count(record_schema(family)) + MANY_UNKNOWN
    for schema in (known, record_schema(family)):
        with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
            return _with_all_fields(block, schema, most)
    return None


def _with_all_fields(block: bytearray, schema: pa.Schema, most: int) -> pa.Table:
    """Return the records with the fields of the schema and those that it lacks."""
    table = _read(block, schema, "infer")
    if _count(table.schema) > most:
        raise pa.ArrowInvalid("too many unknown fields")
    # Unknown text that looks like a time is taken for one; it has to stay as it came.
    as_text = pa.schema([_as_text(field) for field in table.schema])
    return table if as_text == table.schema else _read(block, as_text, "error")


def _count(fields) -> int:
    """Return the number of fields at all levels."""
    count = 0
    for field in fields:
        kind = field.type
        inner = kind.value_type if pa.types.is_list(kind) else kind
        count += 1 + (_count(inner) if pa.types.is_struct(inner) else 0)
    return count


def _without_nulls(fields) -> list[pa.Field]:
    """Return the fields whose type is known: one that held nothing so far may hold anything."""
    kept = []
    for field in fields:
        kind = field.type
        if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
            kind = pa.list_(pa.struct(_without_nulls(kind.value_type)))
        elif pa.types.is_struct(kind):
            kind = pa.struct(_without_nulls(kind))
        if not pa.types.is_null(kind) and not (
            pa.types.is_list(kind) and pa.types.is_null(kind.value_type)
        ):
            kept.append(pa.field(field.name, kind))
    return kept


def _read(block: bytearray, schema: pa.Schema, unexpected: str) -> pa.Table:
    return pj.read_json(
        pa.BufferReader(pa.py_buffer(block)),
        # Blocks are parsed side by side; threads inside a block would wait for each other.
        read_options=pj.ReadOptions(block_size=len(block) + 1, use_threads=False),
        parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior=unexpected),
    )


def _is_deep(block: bytearray) -> bool:
    """Tell whether brackets nest deeper than allowed.

    Arrow 26 ends the process when it infers a type of 100,000 levels. Brackets inside text count as
    well: that only sends a block the exact way.
    """
    signs = np.frombuffer(block, dtype=np.uint8)
    opening = (signs == ord("[")) | (signs == ord("{"))
    closing = (signs == ord("]")) | (signs == ord("}"))
    places = np.flatnonzero(opening | closing)
    depth = np.cumsum(np.where(opening[places], 1, -1))
    return bool(depth.size) and int(depth.max()) > MAX_DEPTH


def _as_text(field: pa.Field) -> pa.Field:
    kind = field.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        kind = pa.string()
    elif pa.types.is_list(kind):
        kind = pa.list_(_as_text(kind.value_field))
    elif pa.types.is_struct(kind):
        kind = pa.struct([_as_text(inner) for inner in kind])
    return pa.field(field.name, kind)


def _is_odd(family: str, table: pa.Table) -> bool:
    """Tell whether the records may be of several families, or of none of ours."""
    unknown = set(table.column_names) - set(record_schema(family).names)
    if unknown & (_ROUTING | _FOREIGN) or (family == "entity" and any(map(is_personal, unknown))):
        return True
    if any(table[name].null_count for name in REQUIRED[family]):
        return True
    if family == "entity":
        own = set(record_schema("entity").names) - {"day", "enterprise_id", "organization_id"}
        is_entity = pa.repeat(pa.scalar(False), table.num_rows)
        for name in own - set(catalogue.HOUSEKEEPING):
            is_entity = pc.or_(is_entity, table[name].combine_chunks().is_valid())
        return pc.all(is_entity).as_py() is False
    return False


def _is_faithful(name: str, column: pa.Array) -> bool:
    """Tell whether an unknown field is as it came: no digit lost, no name that means another place.

    Where Arrow has guessed a fractional type, a whole number of more than 53 bits was rounded, and
    NaN, which is no JSON, was let through.
    """
    if name in (EXTRA, TELEMETRY) or "." in name:
        return False
    if pa.types.is_struct(column.type):
        names = (field.name for field in column.type)
        return all(map(_is_faithful, names, column.flatten()))
    if pa.types.is_list(column.type):
        return _is_faithful("", pc.list_flatten(column))
    if pa.types.is_floating(column.type):
        return pc.all(pc.less(pc.abs(column), _EXACT_FLOAT)).as_py() is not False
    return True


def _is_valid(tree: dict, array: pa.StructArray, family: str) -> bool:
    """Check the values of all fields in an array of structs, those that are not known as well."""
    for described, column in zip(array.type, array.flatten(), strict=True):
        name = described.name
        node = tree.get(name)
        if node is None:
            if not _is_faithful(name, column):
                return False
            continue
        if isinstance(node, list):
            inner = pc.list_flatten(column)
            inner = inner.filter(inner.is_valid())
            if not _is_valid(node[0], inner, family):
                return False
        elif isinstance(node, dict):
            if not _is_valid(node, column, family):
                return False
        elif not _is_valid_column(column, node):
            return False
    return True


def _is_valid_column(column: pa.Array, field: catalogue.Field) -> bool:
    if field.unit == "dimension" and column.null_count:
        return False
    if field.type == "count":
        return (pc.min(column).as_py() or 0) >= 0
    if field.type == "number":
        return pc.all(pc.less(pc.abs(column), _EXACT_FLOAT)).as_py() is not False
    if field.type in ("date", "timestamp"):
        return _is_valid_times(column, field.type)
    return True


def _is_valid_times(column: pa.Array, kind: str) -> bool:
    if kind == "date" and pc.any(pc.not_equal(pc.binary_length(column), 10)).as_py():
        return False
    try:
        column.cast(pa.timestamp("ns", tz="UTC" if kind == "timestamp" else None))
    except pa.ArrowInvalid:
        return False
    return True
