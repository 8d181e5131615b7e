"""An independent reading of report files: plain json and plain loops, and how to compare.

The catalogue only says by which columns rows are put side by side.
"""

import json

import numpy as np
import pandas as pd

from copilot_analytics import catalogue

ARRAYS = {
    "totals_by_ide": "by_ide",
    "totals_by_feature": "by_feature",
    "totals_by_language_feature": "by_language_feature",
    "totals_by_language_model": "by_language_model",
    "totals_by_model_feature": "by_model_feature",
    "totals_by_3rd_party_agent": "by_agent",
    "totals_by_ai_adoption_phase": "by_phase",
}
KINDS = ("skill", "custom_agent", "mcp", "slash_cmd", "plugin")
RENAMED = {
    "totals_by_cli_": "cli_",
    "totals_by_copilot_app_": "app_",
    "totals_by_vscode_agent_": "vscode_agent_",
    "token_usage_": "",
    "last_known_cli_version_sampled_at": "cli_version_sampled_at",
    "last_known_cli_version_": "",
    "ai_adoption_phase_version": "phase_version",
    "ai_adoption_phase_": "",
    "last_known_ide_version_sampled_at": "ide_version_sampled_at",
    "last_known_ide_version_": "",
    "last_known_plugin_version_sampled_at": "plugin_version_sampled_at",
    "last_known_plugin_version_": "",
}


def records(content: bytes) -> list[dict]:
    """All report records in a file, with what they inherit from their wrapper."""
    text = content.decode("utf-8-sig")
    try:
        found = json.loads(text)
    except ValueError:
        found = [json.loads(line) for line in text.split("\n") if line.strip()]
    result = []
    for item in found if isinstance(found, list) else [found]:
        if "day_totals" not in item:
            result.append(item)
            continue
        for inner in item["day_totals"]:
            keys = ("enterprise_id", "organization_id", "report_start_day", "report_end_day")
            result.append({key: item[key] for key in keys if key in item} | inner)
    return result


def flat(item: dict, prefix: str = "") -> dict:
    """Scalars of an object, nested ones joined with an underscore, by the names that we use."""
    row = {}
    for name, value in item.items():
        if isinstance(value, dict):
            row |= flat(value, f"{prefix}{name}_")
        elif not isinstance(value, list):
            row[f"{prefix}{name}"] = value
    if prefix:
        return row
    renamed = {}
    for name, value in row.items():
        for old, new in RENAMED.items():
            name = name.replace(old, new, 1) if name.startswith(old) else name
        renamed[name] = value
    return renamed


def tables_of(content: bytes) -> dict[str, list[dict]]:
    """The rows of each table as dicts, in any order."""
    result: dict[str, list[dict]] = {}
    for record in records(content):
        family = next(
            (
                name
                for key, name in (("repo_id", "repos"), ("team_id", "teams"), ("user_id", "users"))
                if key in record
            ),
            "entity",
        )
        organization, enterprise = record.get("organization_id"), record.get("enterprise_id")
        scope = f"organization:{organization}" if organization else f"enterprise:{enterprise}"
        keys = {"scope": scope, "day": record["day"]}
        keys |= {name: int(record[name]) for name in ("user_id", "repo_id") if name in record}
        result.setdefault(family, []).append(flat(record) | keys)
        pull_requests = record.get("pull_requests") or {}
        arrays = [(ARRAYS[name], record.get(name)) for name in ARRAYS]
        arrays.append(("by_comment_type", pull_requests.get("copilot_suggestions_by_comment_type")))
        arrays.append(("by_review", record.get("pull_request_review_times")))
        for name, elements in arrays:
            for element in elements or []:
                row = flat(element)
                if name == "by_phase" and "version" in row:
                    row["phase_version"] = row.pop("version")
                result.setdefault(f"{family}_{name}", []).append(row | keys)
        for kind in KINDS:
            for element in record.get(f"totals_by_{kind}") or []:
                row = flat(element)
                row["name"] = row.pop(kind)
                result.setdefault(f"{family}_by_customization", []).append(
                    row | keys | {"kind": kind}
                )
    return result


def assert_equals_oracle(tables: dict, content: bytes) -> None:
    """Every value of every row of a plain reading stands in the tables, and no other row."""
    expected = tables_of(content)
    for name in tables:
        rows = expected.get(name, [])
        assert len(tables[name]) == len(rows), name
        if rows:
            key = list(catalogue.table(name).key)
            frame = tables[name].copy()
            frame["day"] = frame["day"].dt.strftime("%Y-%m-%d")
            found = frame.set_index(key).sort_index()
            wanted = pd.DataFrame(rows).set_index(key).sort_index()
            for column in set(wanted.columns) & set(found.columns):
                assert_same(found[column], wanted[column], f"{name}.{column}")


def assert_same(found: pd.Series, wanted: pd.Series, where: str) -> None:
    """Compare value by value; times are cut to microseconds."""
    for one, other in zip(found, wanted, strict=True):
        if other is None or other is pd.NA or (isinstance(other, float) and np.isnan(other)):
            assert pd.isna(one), where
        elif isinstance(one, pd.Timestamp):
            expected = pd.Timestamp(other).tz_localize(None).floor("us")
            assert one.tz_localize(None) == expected, where
        else:
            assert one == other, where
