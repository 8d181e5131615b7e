"""The same metrics of frames that are in memory, and how active people are counted commonly."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import company_tables
from benchmarks.metrics_ways import CALLS
from copilot_analytics import engines

_FRAMES = []


def prepare(folder: Path) -> None:
    """Read the tables, which is no part of the work."""
    for name in company_tables.TABLES:
        files = company_tables.files(folder, name)
        _FRAMES.append(engines.to_pandas(pa.concat_tables(map(pq.read_table, files))))


def _computed(folder: Path, name: str) -> dict:
    return {name: pa.Table.from_pandas(CALLS[name](*_FRAMES), preserve_index=False)}


for _name in CALLS:
    globals()[_name] = partial(_computed, name=_name)
