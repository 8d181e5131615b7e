"""An independent reading of report files: plain json, plain loops, and how to compare.

Nothing here knows the catalogue or the package: which keys a table has no column for, and must
therefore keep in `extra`, shows in the table itself.
"""

import json

import pandas as pd

HOUSEKEEPING = (
    "report_start_day",
    "report_end_day",
    "etl_id",
    "day_partition",
    "entity_id_partition",
)
INHERITED = ("enterprise_id", "organization_id", "report_start_day", "report_end_day")
# Objects inside a record or an element, and how their fields are called in our columns.
OBJECTS = {
    "totals_by_cli": "cli_",
    "totals_by_cli.token_usage": "cli_",
    "totals_by_cli.last_known_cli_version": "cli_version_",
    "totals_by_copilot_app": "app_",
    "totals_by_copilot_app.token_usage": "app_",
    "totals_by_vscode_agent": "vscode_agent_",
    "ai_adoption_phase": "phase_",
    "pull_requests": "pull_requests_",
    "copilot_feature_engagement": "",
    "totals_by_ide[].last_known_ide_version": "ide_version_",
    "totals_by_ide[].last_known_plugin_version": "plugin_version_",
}
# Where a column is not called as the field is, with its object before it.
RENAMED = {
    "totals_by_cli.last_known_cli_version.cli_version": "cli_version",
    "ai_adoption_phase.phase": "phase",
    "ai_adoption_phase.phase_number": "phase_number",
    "totals_by_ai_adoption_phase[].version": "phase_version",
    "totals_by_ide[].last_known_ide_version.ide_version": "ide_version",
    "totals_by_ide[].last_known_plugin_version.plugin": "plugin",
    "totals_by_ide[].last_known_plugin_version.plugin_version": "plugin_version",
}
ARRAYS = {
    "totals_by_ide": "by_ide",
    "totals_by_feature": "by_feature",
    "totals_by_language_feature": "by_language_feature",
    "totals_by_language_model": "by_language_model",
    "totals_by_model_feature": "by_model_feature",
    "totals_by_3rd_party_agent": "by_agent",
    "totals_by_ai_adoption_phase": "by_phase",
    "pull_requests.copilot_suggestions_by_comment_type": "by_comment_type",
    "pull_request_review_times": "by_review",
}
KINDS = ("skill", "custom_agent", "mcp", "slash_cmd", "plugin")
ARRAYS |= {f"totals_by_{kind}": "by_customization" for kind in KINDS}
RENAMED |= {f"totals_by_{kind}[].{kind}": "name" for kind in KINDS}
IDS = {
    "users": ("user_id",),
    "users_window": ("user_id",),
    "teams": ("user_id", "team_id"),
    "repos": ("repo_id",),
}
FEATURES = "copilot_feature_engagement.totals_by_feature"
# How columns begin that no field of this name at this place means: they are made from others.
MADE = ("scope", "has_telemetry", "extra", "kind", "name")
OURS = {
    "": (*MADE, "cli_", "app_", "vscode_agent_", "phase", "pull_requests_"),
    "totals_by_ide[].": (*MADE, "ide_version", "plugin"),
}
# An element has these from its record; a field of such a name inside it is another one.
OF_RECORDS = ("enterprise_id", "organization_id", "day", "user_id", "repo_id", "created_at")
OF_RECORDS += ("report_start_day", "report_end_day", "active_user_count")
# What tells rows of one table apart, in any table.
DIMENSIONS = (
    *("scope", "day", "report_end_day", "user_id", "team_id", "repo_id", "ide", "feature"),
    *("language", "model", "agent_id", "kind", "name", "phase_number", "comment_type"),
    *("authored_by", "reviewed_by"),
)


def values(content: bytes) -> list:
    """The JSON values in a file: lines, a list, one object, however they are laid out."""
    text, found, place = content.decode("utf-8-sig").strip(), [], 0
    while place < len(text):
        value, place = json.JSONDecoder().raw_decode(text, place)
        found += value if isinstance(value, list) else [value]
        while text[place : place + 1].isspace():
            place += 1
    return found


def records(*contents: bytes) -> list[tuple[str, dict]]:
    """All records with their family, with what they inherit from their wrapper."""
    result = []
    for value in (value for content in contents for value in values(content)):
        if "day_totals" not in value:
            result.append((family(value), value))
            continue
        given = {key: value[key] for key in INHERITED if value.get(key) is not None}
        for inner in value["day_totals"]:
            own = {key: item for key, item in inner.items() if item is not None}
            result.append((family(inner), given | own))
        result.append(("window", {k: v for k, v in value.items() if k != "day_totals"}))
    return result


def family(record: dict) -> str:
    """What a record is about, by its own keys."""
    for key, name in (("repo_id", "repos"), ("team_id", "teams")):
        if key in record:
            return name
    if "user_id" in record:
        return "users" if record.get("day") else "users_window"
    return "entity"


class Reading:
    """The rows that files must give, by table; how many records, and which repeat others."""

    def __init__(self, *contents: bytes, scope: str = "unknown", columns: dict[str, set]):
        self.rows: dict[str, list[dict]] = {}
        self.unknown: set[tuple[str, str]] = set()
        self.records = self.duplicates = 0
        self._scope, self._columns, said = scope, columns, {}
        for name, record in records(*contents):
            self.records += name != "window"
            base = self._base(name, record)
            key = (name, *(base.get(part) for part in DIMENSIONS))
            self._made = []
            self._add(name, record, base)
            spoken = sorted(json.dumps(comparable(*made), sort_keys=True) for made in self._made)
            if spoken and key in said:
                assert said[key] == spoken, f"records of one key differ: {key}"
                self.duplicates += 1
                continue
            said[key] = spoken
            for table, row in self._made:
                self.rows.setdefault(table, []).append(row)

    def _base(self, name: str, record: dict) -> dict:
        """What every row that comes from a record carries."""
        organization, enterprise = record.get("organization_id"), record.get("enterprise_id")
        scope = self._scope if enterprise in (None, "") else f"enterprise:{enterprise}"
        if organization not in (None, ""):
            scope = f"organization:{organization}"
        base = {
            "scope": scope,
            "enterprise_id": enterprise,
            "organization_id": organization,
            "day": record.get("day"),
        }
        for key in IDS.get(name, ()):
            if record.get(key) is not None:
                base[key] = int(record[key])
        if name in ("window", "users_window"):
            base["report_start_day"] = record.get("report_start_day")
            base["report_end_day"] = base["day"] = record.get("report_end_day")
        if name == "window":
            engagement = record.get("copilot_feature_engagement") or {}
            base["active_user_count"] = engagement.get("active_user_count")
            base["created_at"] = record.get("created_at")
        if name in ("users", "users_window"):
            base["has_telemetry"] = any(
                key.startswith(("used_", "totals_by_")) and value is not None
                for key, value in record.items()
            )
        return base

    def _add(self, name: str, record: dict, base: dict) -> None:
        if name == "window":
            around = self._around_features(record)
            self._add_elements(
                "feature_engagement", name, FEATURES, features_of(record), base, around
            )
            return
        row, extra = self._split(name, name, record, "")
        self._put(name, base | row, extra)
        for path, suffix in ARRAYS.items():
            elements = record
            for part in path.split("."):
                elements = (elements or {}).get(part)
            if f"{name}_{suffix}" in self._columns:
                self._add_elements(f"{name}_{suffix}", name, path, elements, base, {})

    def _around_features(self, record: dict) -> dict:
        """What is unknown in a 28-day report stands with each of its features."""
        known = {*INHERITED, *HOUSEKEEPING, "created_at", "copilot_feature_engagement"}
        around = {key: item for key, item in record.items() if key not in known}
        engagement = record.get("copilot_feature_engagement") or {}
        known = {"active_user_count", "totals_by_feature"}
        inside = {key: item for key, item in engagement.items() if key not in known}
        self.unknown |= {("feature_engagement", key) for key in around}
        self.unknown |= {("feature_engagement", f"copilot_feature_engagement.{k}") for k in inside}
        if without_nulls(inside):
            around["copilot_feature_engagement"] = inside
        return without_nulls(around)

    def _add_elements(self, table: str, name: str, path: str, elements, base, around) -> None:
        """Elements of one dimension are parts of it: counters add up, what differs is unknown."""
        merged: dict[tuple, tuple[dict, dict]] = {}
        for element in elements or []:
            if element is None:
                continue
            row, extra = self._split(table, name, element, f"{path}[].")
            if path.removeprefix("totals_by_") in KINDS:
                row["kind"] = path.removeprefix("totals_by_")
            key = tuple(row.get(dimension) for dimension in DIMENSIONS)
            if key not in merged:
                merged[key] = (row, extra)
                continue
            known, other_extra = merged[key]
            if other_extra != extra:
                merged[key] = (known, {})
            for column in {*row, *known} - set(DIMENSIONS):
                one, other = known.get(column), row.get(column)
                if is_sum(column):
                    known[column] = (one or 0) + (other or 0) if {one, other} != {None} else None
                elif one != other:
                    known[column] = None
        inherited = self._columns[table] & set(base)
        for row, extra in merged.values():
            self._put(table, {key: base[key] for key in inherited} | row, {**around, **extra})

    def _put(self, table: str, row: dict, extra: dict) -> None:
        self._made.append((table, row | {"extra": extra or None}))

    def _split(self, table: str, name: str, item: dict, path: str) -> tuple[dict, dict]:
        """The values that have a column, and those that have none, as they came."""
        columns, row, extra = self._columns[table], {}, {}
        prefix = OBJECTS.get(path.removesuffix("."), "")
        for key, value in item.items():
            place = f"{path}{key}"
            column = RENAMED.get(place, prefix + key)
            is_ours = place not in RENAMED and column.startswith(OURS.get(path, MADE))
            is_ours |= "[]" in path and column in OF_RECORDS
            if place in OBJECTS and any(c.startswith(OBJECTS[place]) for c in columns):
                inner, unknown = self._split(table, name, value or {}, f"{place}.")
                row |= inner
                if unknown:
                    extra[key] = unknown
            elif name == "users_window" and f"users_{ARRAYS.get(place)}" in self._columns:
                extra[key] = without_nulls(value)  # it has no day, and so no rows of its own
                for element in filter(None, value or []):
                    self._split(f"users_{ARRAYS[place]}", "users", element, f"{place}[].")
            elif place in ARRAYS and f"{name}_{ARRAYS[place]}" in self._columns:
                continue
            elif column in columns and not is_ours:
                row[column] = value
            else:
                family = {"window": "feature_engagement", "users_window": "users"}.get(name, name)
                self.unknown.add((family, place))
                if value is not None:
                    extra[key] = without_nulls(value)
        return row, extra


def comparable(table: str, row: dict) -> list:
    """What a row says, whatever the form, and without how it was delivered."""
    said = {key: value for key, value in row.items() if key not in HOUSEKEEPING}
    return [table, {key: written(value) for key, value in said.items() if value is not None}]


def written(value):
    """The same text for 3, 3.0 and "3", for true and 1; objects stay as they are."""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return value if isinstance(value, (dict, list)) else str(value)


def features_of(report: dict) -> list[dict]:
    """The features of a 28-day report."""
    return (report.get("copilot_feature_engagement") or {}).get("totals_by_feature") or []


def is_sum(column: str) -> bool:
    """Counters; people and averages are none."""
    if column in ("engaged_user_count", "total_engaged_users"):
        return False
    return column.endswith(("_sum", "_count")) or column.startswith("total_")


def without_nulls(value):
    """Unknown objects as they are kept: a null says the same as no key."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def assert_equals_oracle(tables, *contents: bytes, scope: str = "unknown") -> None:
    """Every value of a plain reading stands in the tables, and nothing else does."""
    reading = Reading(
        *contents, scope=scope, columns={name: set(tables[name].columns) for name in tables}
    )
    for name in tables:
        frame, rows = tables[name], reading.rows.get(name, [])
        assert len(frame) == len(rows), name
        key = [column for column in DIMENSIONS if column in frame]
        found = sorted(_found_rows(frame), key=lambda row: [str(row[part]) for part in key])
        wanted = sorted(rows, key=lambda row: [str(row.get(part)) for part in key])
        for one, other in zip(found, wanted, strict=True):
            assert set(other) <= set(frame.columns), name
            for column, value in one.items():
                where = f"{name}.{column} of {[one[part] for part in key]}"
                assert is_same(value, other.get(column)), (where, value, other.get(column))
    unknown = zip(tables.unknown_fields["table"], tables.unknown_fields["path"], strict=True)
    assert set(unknown) == reading.unknown
    assert tables.facts["records"] == reading.records
    assert tables.facts["duplicates collapsed"] == reading.duplicates


def _found_rows(frame: pd.DataFrame) -> list[dict]:
    """The rows of a frame as plain values: None for missing, days and times as text."""
    columns = {}
    for name, series in frame.items():
        if series.dtype.kind == "M":
            form = "%Y-%m-%d" if series.dt.tz is None else "%Y-%m-%dT%H:%M:%S.%f"
            series = series.dt.strftime(form)
        found = [
            None if missing else value for value, missing in zip(series, series.isna(), strict=True)
        ]
        columns[name] = found if name != "extra" else [text and json.loads(text) for text in found]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def is_same(found, wanted) -> bool:
    """Compare a value of a table with what the file says: 3.0 is 3, 1 is True, ids may be text."""
    if found is None or wanted is None:
        return found is None and wanted is None
    if isinstance(found, bool):
        return wanted in (0, 1) and found == bool(wanted)
    if isinstance(wanted, str) and isinstance(found, str):
        return found == wanted or (wanted.endswith("Z") and found == _to_microseconds(wanted))
    if isinstance(wanted, str):
        return found == int(wanted)
    return str(wanted) == found if isinstance(found, str) else found == wanted


def _to_microseconds(time: str) -> str:
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction[:6]:<06}"
