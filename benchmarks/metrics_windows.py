"""Ways to count the people who were active in the 28 days up to each day; files are read first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb  # noqa: F401, importing it is no part of the work
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import company_tables
from benchmarks.metrics_ways import PROMPTS, relations
from copilot_analytics import engines, metrics

COLUMNS = ["scope", "day", "user_id", PROMPTS]
WINDOW = 28


def _users(folder: Path) -> pd.DataFrame:
    files = company_tables.files(folder, "users")
    parts = [pq.read_table(file, columns=COLUMNS) for file in files]
    return engines.to_pandas(pa.concat_tables(parts))


def loop(folder: Path) -> pd.Series:
    """Count day by day, as it is done commonly."""
    users = _users(folder)
    users = users[users[PROMPTS] > 0]
    counts = {}
    for day in pd.date_range(users["day"].min(), users["day"].max()):
        is_inside = (users["day"] > day - timedelta(days=WINDOW)) & (users["day"] <= day)
        counts[day] = users.loc[is_inside, "user_id"].nunique()
    return pd.Series(counts)


def on_pandas(folder: Path) -> pd.Series:
    """Count with the metric on a pandas frame."""
    return metrics.active_users(_users(folder), window=WINDOW)["active_users"]


def on_duckdb(folder: Path) -> pd.Series:
    """Count with the metric on files that DuckDB reads meanwhile."""
    result = metrics.active_users(relations(folder)[0], window=WINDOW)
    return engines.to_pandas(result.to_arrow_table())["active_users"]


def figures(counts: pd.Series) -> dict:
    """Return what has to be the same, whichever way it was computed."""
    days = {str(number): int(count) for number, count in enumerate(counts)}
    return {"active users": {"days": len(counts), **days}}
