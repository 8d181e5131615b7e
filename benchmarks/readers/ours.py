"""copilot_analytics: every table as a pandas frame."""

from __future__ import annotations

from copilot_analytics import load

RENAMED = {
    "users": "users",
    "users_by_ide": "totals_by_ide",
    "users_by_feature": "totals_by_feature",
    "users_by_language_feature": "totals_by_language_feature",
    "users_by_language_model": "totals_by_language_model",
    "users_by_model_feature": "totals_by_model_feature",
    "users_by_agent": "totals_by_3rd_party_agent",
}
COLUMNS = {
    "cli_output_tokens_sum": "totals_by_cli_token_usage_output_tokens_sum",
    "vscode_agent_session_count": "totals_by_vscode_agent_session_count",
    "phase": "ai_adoption_phase_phase",
    "plugin_version": "last_known_plugin_version_plugin_version",
}


def all_tables(source):
    """Read everything: tables are made when they are asked for, so ask for each."""
    tables = load(source)
    return {name: tables[name] for name in tables}


def users_only(source):
    """Read everything, but make the frame of the users table only."""
    return {"users": load(source).users}


def as_compared(tables):
    """Give the tables the names that the other readers use."""
    if "users_by_customization" not in tables:
        return {"users": tables["users"].rename(columns=COLUMNS)}
    result = {new: tables[old].rename(columns=COLUMNS) for old, new in RENAMED.items()}
    for kind, frame in tables["users_by_customization"].groupby("kind"):
        result[f"totals_by_{kind}"] = frame.rename(columns={"name": kind})
    return result
