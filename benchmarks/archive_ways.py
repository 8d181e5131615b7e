"""Ways to get a figure out of an archive; each takes the path of its ledger."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb  # noqa: F401, importing it is no part of the work

from benchmarks.archive_days import LAST
from copilot_analytics import metrics
from copilot_analytics.archive import Archive

WINDOWS = (7, 28, 90, 365)
COUNTER = "user_initiated_interaction_count"
COLUMNS = ["scope", "day", "user_id", COUNTER]


def _tables(ledger: Path, days: int, engine: str = "pandas"):
    start = LAST - timedelta(days=days - 1)
    return Archive(ledger.parent).tables(start=start, engine=engine)


def columns(ledger: Path, days: int):
    """Read only what the figure needs."""
    return metrics.active_users(_tables(ledger, days).read("users", COLUMNS), window=7)


def frame(ledger: Path, days: int):
    """Read the whole table, as one does in a notebook."""
    return metrics.active_users(_tables(ledger, days).users, window=7)


def relation(ledger: Path, days: int):
    """Let DuckDB read while it counts."""
    return metrics.active_users(_tables(ledger, days, "duckdb").users, window=7).df()


# A contender has one name and one argument.
for _days in WINDOWS:
    for _way in (columns, frame, relation):
        globals()[f"{_way.__name__}_{_days}"] = partial(_way, days=_days)


def figures(result) -> dict:
    """Return what has to be the same, whichever way it was computed."""
    if isinstance(result, dict):
        return result
    return {"active users": {"days": len(result), "sum": int(result["active_users"].sum())}}
