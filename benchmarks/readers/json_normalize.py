"""json.loads, then pandas.json_normalize for each array."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from benchmarks.readers import ARRAYS, KEYS


def all_tables(path: Path):
    """Read all lines into dictionaries; json_normalize takes the keys of the record along."""
    with path.open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    flat = [{key: record[key] for key in record if key not in ARRAYS} for record in records]
    tables = {"users": pd.json_normalize(flat, sep="_")}
    for array in ARRAYS:
        having = [record for record in records if array in record]
        tables[array] = pd.json_normalize(having, record_path=array, meta=KEYS, sep="_")
    for frame in tables.values():
        frame["day"] = pd.to_datetime(frame["day"])
    return tables
