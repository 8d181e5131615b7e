"""Polars: read_ndjson or json_decode of lines, then explode and unnest per array."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd  # noqa: F401, what to_pandas needs is part of the import
import polars as pl

from benchmarks.readers import ARRAYS, KEYS

SAMPLE = 5_000  # records; enough for every field to occur


@cache
def prepare(path: Path) -> pl.Schema:
    """Return the columns' types, as one who knows the reports would write them down."""
    return pl.read_ndjson(path, infer_schema_length=None, n_rows=SAMPLE).schema


def detected(path: Path):
    """Let Polars find the types out, from all records so that no field is missed."""
    return _frames(pl.read_ndjson(path, infer_schema_length=None))


def lines_decoded(path: Path):
    """Read lines of text and decode them; for nested records this is the faster way."""
    decoded = pl.read_lines(path, name="line").select(
        pl.col("line").str.json_decode(pl.Struct(prepare(path)))
    )
    return _frames(decoded.unnest("line"))


def lines_decoded_pandas(path: Path):
    """Turn Polars' frames into those of pandas."""
    return {name: frame.to_pandas() for name, frame in lines_decoded(path).items()}


def _frames(records: pl.DataFrame) -> dict[str, pl.DataFrame]:
    records = records.with_columns(pl.col("day").str.to_date())
    tables = {"users": _without_structs(records.drop(ARRAYS))}
    for array in ARRAYS:
        rows = records.select(*KEYS, array).explode(array, empty_as_null=False, keep_nulls=False)
        tables[array] = _without_structs(rows.unnest(array))
    return tables


def _without_structs(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace columns of structs by one column per field, as deep as they go."""
    while structs := [name for name, kind in frame.schema.items() if kind == pl.Struct]:
        frame = frame.unnest(structs, separator="_")
    return frame
