"""The fast reader: NDJSON straight into Arrow with the catalogue's schema.

It answers None for anything that it cannot vouch for; the exact reader then decides, and says what
is wrong. What it returns has passed the same checks as a record of the exact reader.
"""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from copilot_analytics import catalogue
from copilot_analytics.tidy import recognition
from copilot_analytics.tidy.exact import REQUIRED, route
from copilot_analytics.tidy.schema import EXTRA, record_schema, record_tree
from copilot_analytics.tidy.strict_json import MAX_DEPTH

PARSE_BLOCK_BYTES = 4 * 2**20  # small enough for several cores, large enough for any usual record
_ROUTING = {"day_totals", "repo_id", "team_id", "user_id"}
_FOREIGN = set().union(*(keys for keys, _, _ in recognition.FOREIGN_KEYS))
# A whole number beyond this is no longer exact once the parser has guessed a fractional type.
_EXACT_FLOAT = 2.0**53


def read(block: bytes) -> tuple[str, pa.StructArray] | None:
    """Return the family and records of a block of NDJSON, or None if anything in it is odd."""
    try:
        first = json.loads(block[: block.find(b"\n") + 1] or block)
    except (ValueError, RecursionError):
        return None
    if not isinstance(first, dict) or "day_totals" in first:
        return None
    family = route(first)
    table = _parse(block, record_schema(family))
    if table is None or _is_odd(family, table):
        return None
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if table.num_rows != lines:  # blank lines: the exact reader knows which line a record is on
        return None
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return None
    records = table.combine_chunks().to_struct_array().combine_chunks()
    return (family, records) if _is_valid(record_tree(family), records, family) else None


def _parse(block: bytes, schema: pa.Schema) -> pa.Table | None:
    """Return the records with all their fields, or None where Arrow refuses them."""
    try:
        try:
            return _read(block, schema, "error")
        except pa.ArrowInvalid:
            if _is_deep(block):
                return None
        table = _read(block, schema, "infer")
        # Unknown text that looks like a time is taken for one; it has to stay as it came.
        as_text = pa.schema([_as_text(field) for field in table.schema])
        return table if as_text == table.schema else _read(block, as_text, "error")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
        return None


def _read(block: bytes, schema: pa.Schema, unexpected: str) -> pa.Table:
    return pj.read_json(
        io.BytesIO(block),
        read_options=pj.ReadOptions(block_size=PARSE_BLOCK_BYTES),
        parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior=unexpected),
    )


def _is_deep(block: bytes) -> bool:
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
    if unknown & (_ROUTING | _FOREIGN):
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
    if name == EXTRA or "." in name:
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
        return pc.all(pc.is_finite(column)).as_py() is not False
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
