"""Arrow records to Arrow tables: one table per array of the records, no loop over records."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copilot_analytics import catalogue
from copilot_analytics.tidy import unknown
from copilot_analytics.tidy.findings import Findings
from copilot_analytics.tidy.schema import (
    EXTRA,
    TABLE_TYPES,
    TELEMETRY,
    TELEMETRY_KEYS,
    record_schema,
    table_schema,
)

RECORD = "#record"  # the running number of the record that a row came from
RECORD_FIELD = pa.field(RECORD, pa.int64())


def columns_of(array: pa.StructArray, prefix: str = "") -> dict[str, pa.Array]:
    """Return what stands at each path inside structs; lists stay lists."""
    columns = {}
    for field, child in zip(array.type, array.flatten(), strict=True):
        columns[f"{prefix}{field.name}"] = child
        if pa.types.is_struct(field.type):
            columns |= columns_of(child, f"{prefix}{field.name}.")
    return columns


def flatten(
    family: str, records: pa.StructArray, scope: str, findings: Findings
) -> dict[str, pa.Table]:
    """Return the tables of a family's records, each with a column for the record's number."""
    numbers = pa.array(np.arange(len(records)))
    source = "users" if family == "users_window" else family
    found = columns_of(records)
    base = _base_columns(family, found, len(records), scope)
    tables = {}
    for table in catalogue.all_tables().values():
        if table.family != family:
            continue
        if not table.arrays:
            columns = _own_columns(source, found, "") | base
            columns["extra"] = _extra(records, record_schema(source), source, "", findings)
            tables[table.name] = _assemble(table, columns, numbers, None)
            continue
        if family == "window":
            base["extra"] = _extra(records, record_schema(source), source, "", findings)
        kinds = table.kinds or ("",) * len(table.arrays)
        parts = [
            _elements(table, array, kind, found.get(array), base, numbers, findings)
            for array, kind in zip(table.arrays, kinds, strict=True)
        ]
        parts = [part for part in parts if part is not None]
        if parts:
            together = pa.concat_tables(parts)
            if len(parts) > 1:  # in the order of the records, however many are read at a time
                together = together.take(pc.sort_indices(together[RECORD]))
            tables[table.name] = together
    return tables


def _elements(table, array, kind, lists, base, numbers, findings) -> pa.Table | None:
    """Return the rows of one array of the records, None if it has none."""
    if lists is None:
        return None
    parents, elements = pc.list_parent_indices(lists), pc.list_flatten(lists)
    if elements.null_count:
        findings.note(f"null element of {array} skipped", elements.null_count)
        valid = elements.is_valid()
        parents, elements = parents.filter(valid), elements.filter(valid)
    if not len(elements):
        return None
    found = columns_of(elements)
    columns = _own_columns(table.family, found, f"{array}[].")
    schema = pa.schema(list(_type_at(record_schema(table.family), array).value_type))
    columns["extra"] = _extra(elements, schema, table.family, f"{array}[].", findings, parents)
    if "extra" in base:
        columns["extra"] = _both(columns["extra"], base["extra"].take(parents))
    if kind:
        columns["kind"] = pa.repeat(pa.scalar(kind), len(elements))
        columns["name"] = found[kind]
    return _assemble(table, base | columns, numbers, parents, inside=set(columns))


def _type_at(schema: pa.Schema, path: str) -> pa.DataType:
    kind = pa.struct(list(schema))
    for name in path.split("."):
        kind = kind.field(name).type
    return kind


def _base_columns(family: str, found: dict, length: int, scope: str) -> dict[str, pa.Array]:
    """Return the columns that every row of a record carries."""
    names = ("enterprise_id", "organization_id", "day", "user_id", "repo_id")
    columns = {name: found[name] for name in names if name in found}
    columns["scope"] = _scopes(found["enterprise_id"], found["organization_id"], scope)
    if family in ("window", "users_window"):
        columns["report_start_day"] = found["report_start_day"]
        columns["report_end_day"] = columns["day"] = found["report_end_day"]
    if family == "window":
        columns["active_user_count"] = found["copilot_feature_engagement.active_user_count"]
        columns["created_at"] = found["created_at"]
    if family in ("users", "users_window"):
        columns["has_telemetry"] = _has_telemetry(found, length)
    return columns


def _scopes(enterprise: pa.Array, organization: pa.Array, scope: str) -> pa.Array:
    def named(kind: str, ids: pa.Array) -> pa.Array:
        filled = pc.if_else(pc.equal(ids, ""), pa.scalar(None, pa.string()), ids)
        return pc.binary_join_element_wise(pa.scalar(kind), filled, ":")

    return pc.coalesce(
        named("organization", organization), named("enterprise", enterprise), pa.scalar(scope)
    )


def _has_telemetry(found: dict, length: int) -> pa.Array:
    """Tell which user records carry any ``used_*`` or ``totals_by_*`` value, known or not."""
    if TELEMETRY in found:
        return found[TELEMETRY]
    told = pa.repeat(pa.scalar(False), length)
    for name, column in found.items():
        if name.startswith(TELEMETRY_KEYS) and "." not in name:
            told = pc.or_(told, column.is_valid())
    return told


def _own_columns(family: str, found: dict, prefix: str) -> dict[str, pa.Array]:
    """Return what the catalogue describes below a place, by the name of its column."""
    return {
        field.column: found[field.path[len(prefix) :]]
        for field in catalogue.record_fields(family)
        if field.path.startswith(prefix) and field.path[len(prefix) :] in found
    }


def _assemble(table, columns, numbers, parents, inside=frozenset()) -> pa.Table:
    """Return a table with the catalogue's columns, repeating record values for array elements."""
    length = len(numbers if parents is None else parents)
    arrays = []
    for field in table.columns:
        column = columns.get(field.column)
        if column is None:
            arrays.append(pa.nulls(length, TABLE_TYPES[field.type]))
            continue
        if parents is not None and field.column not in inside:
            column = column.take(parents)
        arrays.append(to_table_type(column, field.type))
    arrays.append(numbers if parents is None else numbers.take(parents))
    schema = pa.schema([*table_schema(table.name), RECORD_FIELD])
    return pa.Table.from_arrays(arrays, schema=schema)


def to_table_type(column: pa.Array, kind: str) -> pa.Array:
    """Convert days and times from text; the seventh digit of a second is cut off."""
    wanted = TABLE_TYPES[kind]
    if kind == "timestamp" and pa.types.is_string(column.type):
        column = column.cast(pa.timestamp("ns", tz="UTC"))
    return column.cast(wanted, safe=False) if column.type != wanted else column


def _extra(array, known, family: str, path: str, findings: Findings, parents=None) -> pa.Array:
    """Return the unknown keys of each struct as JSON text."""
    if array.type.get_field_index(EXTRA) >= 0:  # the exact reader has already done it
        return array.flatten()[array.type.get_field_index(EXTRA)]
    return unknown.texts(array, known, family, path, findings, parents)


def _both(inner: pa.Array, outer: pa.Array) -> pa.Array:
    """Return what is unknown in elements and, as that has no row, in the record around them."""
    if outer.null_count == len(outer):
        return inner
    rows = zip(inner.to_pylist(), outer.to_pylist(), strict=True)
    both = [json.loads(around or "{}") | json.loads(own or "{}") for own, around in rows]
    return pa.array([unknown.to_json(one) for one in both], pa.string())
