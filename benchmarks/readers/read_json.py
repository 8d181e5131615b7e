"""pandas.read_json, then explode; and pandas with Arrow types, which flattens lists as arrays."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.readers import ARRAYS, KEYS


def explode(path: Path):
    """Read with pandas' own parser; objects and lists arrive as Python objects."""
    records = pd.read_json(path, lines=True, dtype=False)  # ids would become numbers
    records["day"] = pd.to_datetime(records["day"])
    flat = records.drop(columns=ARRAYS)
    tables = {"users": _flattened(flat)}
    for array in ARRAYS:
        rows = records[[*KEYS, array]].explode(array).dropna(subset=[array])
        elements = pd.json_normalize(rows.pop(array).tolist(), sep="_")
        tables[array] = pd.concat([rows.reset_index(drop=True), elements], axis=1)
    return tables


def _flattened(records: pd.DataFrame) -> pd.DataFrame:
    """Replace columns of dictionaries by one column per key."""
    nested = [name for name in records if records[name].map(type).eq(dict).any()]
    parts = [records.drop(columns=nested)]
    for name in nested:
        having = records[name].dropna()
        inner = pd.json_normalize(having.tolist(), sep="_").set_index(having.index)
        parts.append(inner.add_prefix(f"{name}_"))
    return pd.concat(parts, axis=1)


def arrow_types(path: Path):
    """Read with the Arrow parser, and flatten with the accessors of Arrow lists and structs."""
    records = pd.read_json(path, lines=True, engine="pyarrow", dtype_backend="pyarrow")
    records["day"] = pd.to_datetime(records["day"])
    tables = {"users": _without_structs(records.drop(columns=ARRAYS))}
    for array in ARRAYS:
        elements = records[array].dropna().list.flatten()
        inner = _without_structs(elements.struct.explode())
        tables[array] = pd.concat([records.loc[elements.index, KEYS], inner], axis=1)
    return tables


def _without_structs(frame: pd.DataFrame) -> pd.DataFrame:
    """Replace columns of structs by one column per field, as deep as they go."""
    parts = []
    for name, column in frame.items():
        if "struct" in str(column.dtype):
            inner = column.struct.explode().add_prefix(f"{name}_")
            parts.append(_without_structs(inner))
        else:
            parts.append(column)
    return pd.concat(parts, axis=1)
