"""What two results must have in common to be called the same: rows, sums and names per table."""

from __future__ import annotations

from benchmarks.readers import ARRAYS

SUMS = {
    "users": [
        "code_generation_activity_count",
        "loc_added_sum",
        "totals_by_cli_token_usage_output_tokens_sum",
        "totals_by_vscode_agent_session_count",
    ],
    "totals_by_3rd_party_agent": ["user_initiated_interaction_count"],
}
NAMES = {
    "users": ["user_login", "ai_adoption_phase_phase"],
    "totals_by_ide": ["ide", "last_known_plugin_version_plugin_version"],
    "totals_by_3rd_party_agent": ["agent_id"],
}
ACTIVITY = ["code_generation_activity_count", "loc_added_sum", "loc_deleted_sum"]
CUSTOMIZATIONS = ("skill", "custom_agent", "mcp", "slash_cmd", "plugin")


def _checked(table: str) -> tuple[list[str], list[str]]:
    """Return the columns whose sums, and those whose different texts are compared."""
    if table in SUMS:
        return SUMS[table], NAMES[table]
    kind = table.removeprefix("totals_by_")
    if kind in CUSTOMIZATIONS:
        return ["interaction_count"], [kind]
    dimensions = [part for part in ("language", "model", "feature") if part in kind]
    return ACTIVITY, NAMES.get(table, dimensions)


def fingerprint(tables: dict) -> dict:
    """Return the figures of each table of a result, a frame of any library; or those it has itself.

    The sum of the user ids tells whether the keys of the records were repeated rightly.
    """
    known = [name for name in ("users", *ARRAYS) if name in tables]
    if not all(hasattr(tables[name], "columns") for name in known):
        return tables
    return {name: _of_table(name, tables[name]) for name in known}


def _of_table(name: str, frame) -> dict:
    sums, names = _checked(name)
    return {
        "rows": len(frame),
        "days": len(set(frame["day"])),
        **{column: int(frame[column].sum()) for column in ["user_id", *sums]},
        **{column: _different_texts(frame[column]) for column in names},
    }


def _different_texts(column) -> list[str]:
    return sorted({value for value in column.to_list() if isinstance(value, str)})[:100]
