"""copilot_analytics: one piece after the other, as for files larger than memory."""

from __future__ import annotations

from benchmarks.readers.ours import RENAMED
from copilot_analytics.tidy import iter_tables


def all_blocks(source) -> dict:
    """Make all tables of each piece, and keep of them only how many rows they had."""
    rows = dict.fromkeys(RENAMED.values(), 0)
    for tables in iter_tables(source):
        for ours, name in RENAMED.items():
            rows[name] += len(tables[ours])
        _ = tables["users_by_customization"]
    return {name: {"rows": count} for name, count in rows.items()}
