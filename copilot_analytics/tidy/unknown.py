"""Unknown fields as JSON text: what GitHub adds is kept, in the row where it stood.

Both readers write the same text for the same values: keys in order, whole numbers without a
fraction, nulls left out, as a missing value means the same.
"""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from copilot_analytics import catalogue
from copilot_analytics.tidy.findings import Findings


def to_json(unknown: dict) -> str | None:
    """Return the unknown keys of one record as JSON text, None if there are none."""
    kept = _canonical(unknown)
    return _written(kept) if kept else None


def _written(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _canonical(value):
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def texts(
    array: pa.StructArray,
    known,
    family: str,
    path: str,
    findings: Findings,
    parents: pa.Array | None = None,
) -> pa.Array:
    """Return one JSON text per struct with the keys that are not in ``known``, else null.

    ``parents`` names the record of each struct where these are elements of lists.
    """
    found = _unknown_inside(array, known, family, path, findings, parents)
    return pa.nulls(len(array), pa.string()) if found is None else found


def _unknown_inside(array, known, family, path, findings, parents) -> pa.Array | None:
    types = {field.name: field.type for field in known}
    pieces = {}
    for field in array.type:
        place = f"{path}{field.name}"
        if field.name not in types and place not in catalogue.HOUSEKEEPING:
            column = pc.struct_field(array, [field.name])
            if pa.types.is_null(field.type):
                findings.saw(family, place, 0)
            elif count := len(column) - column.null_count:
                row = pc.index(column.is_valid(), True).as_py()
                findings.saw(family, place, count, parents[row].as_py() if parents else row)
                pieces[field.name] = _values(column)
        elif field.name in types and pa.types.is_struct(field.type):
            inner = pc.struct_field(array, [field.name])
            kinds = types[field.name]
            found = _unknown_inside(inner, kinds, family, f"{place}.", findings, parents)
            if found is not None:
                pieces[field.name] = found
    if not pieces:
        return None
    inside = _joined(pieces)
    return pc.if_else(pc.equal(inside, ""), pa.scalar(None, pa.string()), _braced(inside))


def _values(column: pa.Array) -> pa.Array:
    """Return each value as JSON text, null for null."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return column.cast(pa.string())
    if pa.types.is_struct(kind) and kind.num_fields:
        children = zip((field.name for field in kind), column.flatten(), strict=True)
        pieces = {name: _values(child) for name, child in children if child.null_count < len(child)}
        inside = _joined(pieces) if pieces else pa.repeat(pa.scalar(""), len(column))
        return pc.if_else(column.is_valid(), _braced(inside), pa.scalar(None, pa.string()))
    if pa.types.is_string(kind) or pa.types.is_floating(kind):
        coded = column.dictionary_encode()  # few different values, each written once
        different = [_written(_canonical(value)) for value in coded.dictionary.to_pylist()]
        return pa.array(different, pa.string()).take(coded.indices)
    values = column.to_pylist()
    written = [None if value is None else _written(_canonical(value)) for value in values]
    return pa.array(written, pa.string())


def _joined(pieces: dict[str, pa.Array]) -> pa.Array:
    """Return ``"name":value`` pairs in the order of their names, without those that are null."""
    # Not null_handling="skip": Arrow 26 drops the rows in which all parts are null.
    pairs = [
        pc.fill_null(pc.binary_join_element_wise(f",{_written(name)}:", pieces[name], ""), "")
        for name in sorted(pieces)
    ]
    return pc.utf8_slice_codeunits(pc.binary_join_element_wise(*pairs, ""), start=1)


def _braced(inside: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("{", inside, "}", "")
