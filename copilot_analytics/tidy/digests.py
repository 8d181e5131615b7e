"""Numbers that are equal where rows say the same: how repeated records are told from conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa

_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # of splitmix64
_NULL = np.uint64(0x9E3779B97F4A7C15)


def row_digests(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """Return one 64-bit number per row, equal where the columns hold the same values.

    Whole numbers count with all their digits, a missing value is not 0.
    """
    total = np.zeros(table.num_rows, dtype="uint64")
    for name in columns:
        total += _mixed(_bits(table[name]) ^ _salt(name))
    return _mixed(total)


def record_digests(tables: dict[str, pa.Table], record: str, left_out: set[str]) -> pd.Series:
    """Return one number per record, whatever the order of its rows.

    ``record`` is the column with the number of the record that a row came from.
    """
    parts = []
    for name, table in sorted(tables.items()):
        said = [column for column in table.column_names if column not in {record, *left_out}]
        digests = _mixed(row_digests(table, said) ^ _salt(name))
        parts.append(pd.Series(digests, table[record].to_numpy()))
    together = pd.concat(parts) if parts else pd.Series(dtype="uint64")
    return together.groupby(level=0).sum()


@cache
def _salt(name: str) -> np.uint64:
    return pd.util.hash_array(np.array([name], dtype=object))[0]


def _mixed(values: np.ndarray) -> np.ndarray:
    values = values ^ (values >> np.uint64(30))
    values *= _MIX[0]
    values ^= values >> np.uint64(27)
    values *= _MIX[1]
    values ^= values >> np.uint64(31)
    return values


def _bits(column: pa.ChunkedArray) -> np.ndarray:
    """Return each value as 64 bits that are equal for equal values only."""
    if column.null_count == len(column):
        return np.full(len(column), _NULL)
    array = column.combine_chunks()
    kind = array.type
    if pa.types.is_string(kind):
        coded = array.dictionary_encode()
        texts = coded.dictionary.to_numpy(zero_copy_only=False)
        hashed = pd.util.hash_array(texts, categorize=False)  # each is there once
        places = coded.indices.fill_null(len(hashed)).to_numpy()
        return np.append(hashed, _NULL)[places]
    if pa.types.is_boolean(kind):
        array = array.cast(pa.int8())
    elif pa.types.is_timestamp(kind):
        array = array.cast(pa.int64())
    values = array.fill_null(0).to_numpy(zero_copy_only=False)
    if values.dtype == "float64":
        bits = (values + 0.0).view("uint64")  # 0.0 for -0.0
    else:
        bits = values.astype("int64").view("uint64").copy()
    if array.null_count:
        bits[array.is_null().to_numpy(zero_copy_only=False)] = _NULL
    return bits
