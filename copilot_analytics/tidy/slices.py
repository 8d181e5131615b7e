"""Elements of one record that name the same dimension: disjoint slices of it, put together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from copilot_analytics import catalogue
from copilot_analytics.tidy.findings import Findings
from copilot_analytics.tidy.flatten import RECORD
from copilot_analytics.tidy.schema import table_schema, to_pandas

_LARGEST = 2.0**63


def without_slices(tables: dict[str, pa.Table], findings: Findings):
    """Return tables with one row per record and dimension, in the order of the input.

    Counters are summed. What cannot be summed stays where the slices agree, and is missing where
    they differ. Rows without a dimension are left as they are. Records whose sums do not fit into
    64 bits are left out; their numbers are returned as well, with the field.
    """
    too_large: dict[int, str] = {}
    result = {name: _without(name, table, findings, too_large) for name, table in tables.items()}
    if too_large:
        numbers = list(too_large)
        result = {name: without_records(table, numbers) for name, table in result.items()}
    return result, too_large


def without_records(table: pa.Table, numbers) -> pa.Table:
    """Return the rows of a table that do not come from these records."""
    return table.filter(pc.invert(pc.is_in(table[RECORD], pa.array(numbers))))


def _without(name: str, table: pa.Table, findings: Findings, too_large: dict) -> pa.Table:
    described = catalogue.table(name)
    if not described.arrays:
        return table
    dimensions = [f.column for f in described.columns if f.column in _dimensions(described)]
    numbers = _numbered(table, dimensions)
    ordered = np.sort(numbers)
    if not (ordered[1:] == ordered[:-1]).any():
        return table
    groups = pd.Series(numbers)
    is_known = pd.Series(True, index=groups.index)
    for column in dimensions:
        is_known &= table[column].is_valid().to_pandas()
    is_slice = groups.duplicated(keep=False) & is_known
    if not is_slice.any():
        return table
    frame = to_pandas(name, table.filter(pa.array(is_slice)))
    summed = _summed(described, frame, groups[is_slice].reset_index(drop=True), too_large)
    what = f"elements of {name} with the same {', '.join(dimensions)} summed"
    findings.note(what, len(frame) - len(summed))
    schema = pa.schema([*table_schema(name), table.schema.field(RECORD)])
    added = pa.Table.from_pandas(summed[schema.names], schema, preserve_index=False)
    places = [*is_slice.index[~is_slice], *is_slice.index[is_slice][summed["place"]]]
    together = pa.concat_tables([table.filter(pa.array(~is_slice)), added])
    return together.take(pc.sort_indices(pa.array(places)))


def _numbered(table: pa.Table, dimensions: list[str]) -> np.ndarray:
    """Return one number per row, the same for the same dimensions of the same record."""
    numbers = table[RECORD].to_numpy()
    for column in dimensions:
        coded = table[column].combine_chunks().dictionary_encode()
        count = len(coded.dictionary)
        codes = coded.indices.fill_null(count).to_numpy()
        if len(numbers) and int(numbers.max()) * (count + 1) >= 2**62:
            numbers = np.unique(numbers, return_inverse=True)[1]  # so that nothing overflows
        numbers = numbers * (count + 1) + codes
    return numbers


def _dimensions(described: catalogue.Table) -> set[str]:
    """Return what tells the elements of one record apart."""
    of_records = {"scope", "day", "user_id", "repo_id", "report_end_day"}
    return set(described.key) - of_records


def _summed(described: catalogue.Table, frame, group: pd.Series, too_large: dict) -> pd.DataFrame:
    frame["place"] = range(len(frame))
    groups = frame.groupby(group, sort=False)
    result = groups.first(skipna=False)
    for column in described.columns:
        name = column.column
        if column.additive == "yes":
            result[name] = groups[name].sum(min_count=1)
            rough = frame[name].astype("float64").groupby(group, sort=False).sum()
            for number in result.loc[rough >= _LARGEST, RECORD]:
                too_large[int(number)] = name
        elif name not in described.key:
            count = groups[name].nunique(dropna=False)
            result[name] = result[name].mask(count > 1)
    return result
