"""DuckDB: read_json into a table in memory, then one query with unnest per array."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
import pandas as pd  # noqa: F401, what DuckDB's frames are made with is part of its import

from benchmarks.readers import ARRAYS, KEYS

TOKENS = ["output_tokens_sum", "prompt_tokens_sum", "avg_tokens_per_request"]
SESSIONS = ["session_count", "request_count", "prompt_count", *(f"token_usage.{t}" for t in TOKENS)]
VERSION = "last_known_cli_version"
NESTED = {
    "ai_adoption_phase": ["phase_number", "phase", "version"],
    "totals_by_cli": [*SESSIONS, f"{VERSION}.cli_version", f"{VERSION}.sampled_at"],
    "totals_by_copilot_app": SESSIONS,
    "totals_by_vscode_agent": ["session_count", "total_user_messages"],
}
IDE_NESTED = {
    "last_known_ide_version": ["ide_version", "sampled_at"],
    "last_known_plugin_version": ["plugin", "plugin_version", "sampled_at"],
}


@cache
def prepare(path: Path) -> dict[str, str]:
    """Return the columns' types, as one who knows the reports would write them down."""
    described = duckdb.sql(f"DESCRIBE SELECT * FROM read_json('{path}')").fetchall()
    return {name: kind.replace(" WITH TIME ZONE", "") for name, kind, *_ in described}


def detected(path: Path):
    """Let DuckDB find the types out."""
    return _frames(f"read_json('{path}', format = 'newline_delimited')", "df")


def columns_given(path: Path):
    """Tell DuckDB the types, which saves the detection."""
    return _frames(_with_columns(path), "df")


def columns_given_arrow(path: Path):
    """Take the results over as Arrow tables, which saves conversions of text."""
    return _frames(_with_columns(path), "arrow")


def _with_columns(path: Path) -> str:
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in prepare(path).items())
    return f"read_json('{path}', format = 'newline_delimited', columns = {{{columns}}})"


def _frames(source: str, way: str):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE records AS SELECT * FROM {source}")
    arrays = ", ".join([*ARRAYS, *NESTED])
    queries = {"users": f"SELECT * EXCLUDE ({arrays}), {_leaves('records', NESTED)} FROM records"}
    keys = ", ".join(KEYS)
    for array in ARRAYS:
        queries[array] = f"SELECT {keys}, unnest({array}, recursive := true) FROM records"
    queries["totals_by_ide"] = (
        f"SELECT {keys}, e.* EXCLUDE ({', '.join(IDE_NESTED)}), {_leaves('e', IDE_NESTED)} "
        f"FROM (SELECT {keys}, unnest(totals_by_ide) AS e FROM records)"
    )
    relations = {name: connection.sql(query) for name, query in queries.items()}
    if way == "df":
        return {name: relation.df() for name, relation in relations.items()}
    return {name: relation.to_arrow_table().to_pandas() for name, relation in relations.items()}


def _leaves(where: str, nested: dict[str, list[str]]) -> str:
    """Return the columns inside structs, named by their paths.

    Times are taken without their zone, which is UTC: with it, DuckDB needs pytz to make a frame.
    """
    found = []
    for name, paths in nested.items():
        for path in paths:
            column = f"{where}.{name}.{path}"
            if path.endswith("sampled_at"):
                column = f"CAST({column} AS TIMESTAMP)"
            found.append(f"{column} AS {name}_{path.replace('.', '_')}")
    return ", ".join(found)
