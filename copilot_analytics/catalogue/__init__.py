"""What exists, as data: endpoints, tables, fields and known changes of GitHub's reports.

The CSV files beside this module are the one place where a field or an endpoint is described.
Arrow schemas, pandas types, chart labels, documentation and the sample company derive from them.
In ``fields.csv`` one row may describe several places of a record: ``{a,b}`` stands for each of its
parts in turn, in all cells of the row alike.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import pandas as pd

from copilot_analytics.catalogue.scopes import Scope
from copilot_analytics.catalogue.settling import SETTLE_DAYS, is_settled
from copilot_analytics.errors import UsageError

__all__ = [
    "SETTLE_DAYS",
    "Endpoint",
    "Field",
    "Scope",
    "Table",
    "all_endpoints",
    "all_tables",
    "canonical_names",
    "changes",
    "endpoint",
    "endpoints",
    "fields",
    "is_settled",
    "label",
    "record_fields",
    "table",
    "tables",
    "value_label",
]

FAMILIES = ("users", "entity", "teams", "repos", "window")
# Left out when two records are compared: they say how a record was delivered, not what it says.
HOUSEKEEPING = (
    "report_start_day",
    "report_end_day",
    "etl_id",
    "day_partition",
    "entity_id_partition",
)


@dataclass(frozen=True)
class Endpoint:
    """One of GitHub's report endpoints."""

    report: str
    scope_kind: str
    family: str
    period: str
    path: str
    parameters: tuple[str, ...]
    grain: str
    no_report_statuses: tuple[int, ...]
    first_day: date
    since: date


@dataclass(frozen=True)
class Field:
    """One place in one family of records.

    `type` is one of text, id, count, code, number, flag, date, timestamp. `additive` is ``yes`` or
    why the field must not be summed: ``distinct`` people, a ``mean``, a ``median``, or ``no``.
    `since` is the day from which GitHub reports it, None where that is not documented.
    """

    family: str
    path: str
    column: str
    type: str
    unit: str
    additive: str
    is_nullable: bool
    is_personal: bool
    label: str
    meaning: str
    since: date | None
    source: str


@dataclass(frozen=True)
class Table:
    """One table of `Tables`: what a row is, its key, and its columns in order."""

    name: str
    family: str
    arrays: tuple[str, ...]
    kinds: tuple[str, ...]
    key: tuple[str, ...]
    grain: str
    columns: tuple[Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(field.column for field in self.columns)


def _rows(name: str) -> list[dict[str, str]]:
    with resources.files(__name__).joinpath(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text[:2] == "20" else None


@cache
def all_endpoints() -> tuple[Endpoint, ...]:
    """Return the twelve report endpoints."""
    return tuple(
        Endpoint(
            report=row["report"],
            scope_kind=row["scope_kind"],
            family=row["family"],
            period=row["period"],
            path=row["path"],
            parameters=tuple(row["parameters"].split()),
            grain=row["grain"],
            no_report_statuses=tuple(int(s) for s in row["no_report_statuses"].split()),
            first_day=date.fromisoformat(row["first_day"]),
            since=date.fromisoformat(row["since"]),
        )
        for row in _rows("endpoints.csv")
    )


def endpoint(report: str, scope_kind: str) -> Endpoint:
    """Return the endpoint of a report for ``"organization"`` or ``"enterprise"``.

    >>> endpoint("users-1-day", "organization").path
    '/orgs/{name}/copilot/metrics/reports/users-1-day'
    """
    known = {e.report: e for e in all_endpoints() if e.scope_kind == scope_kind}
    if report not in known:
        raise UsageError(
            f"report {report!r} does not exist for an {scope_kind}",
            advice=f"one of: {', '.join(known)}",
        )
    return known[report]


def _expand(row: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield the rows that a row with ``{a,b}`` in its cells stands for."""
    parts = {key: re.split(r"\{([^}]*)\}", text) for key, text in row.items()}
    alternatives = {
        key: [piece.split(",") for piece in pieces[1::2]] for key, pieces in parts.items()
    }
    count = max((len(a) for many in alternatives.values() for a in many), default=1)
    for number in range(count):
        yield {
            key: "".join(
                piece if place % 2 == 0 else alternatives[key][place // 2][number]
                for place, piece in enumerate(pieces)
            )
            for key, pieces in parts.items()
        }


@cache
def record_fields(family: str) -> tuple[Field, ...]:
    """Return every described place of the records of a family, in the order of the catalogue."""
    return tuple(
        Field(
            family=family,
            path=row["path"],
            column=row["column"],
            type=row["type"],
            unit=row["unit"],
            additive=row["additive"],
            is_nullable=row["nullable"] == "yes",
            is_personal=row["personal"] == "yes",
            label=row["label"],
            meaning=row["meaning"],
            since=_day(row[family]),
            source=row["source"],
        )
        for packed in _rows("fields.csv")
        if packed[family]
        for row in _expand(packed)
        if row[family]
    )


def _own(family: str, column: str, type_: str, unit: str, label: str, meaning: str) -> Field:
    return Field(
        family,
        "",
        column,
        type_,
        unit,
        "no",
        column == "extra",
        False,
        label,
        meaning,
        None,
        "ours",
    )


def _columns(family: str, arrays: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[Field]:
    """Yield the columns of a table: scope and ids, its own fields, what is unknown."""
    source = "users" if family == "users_window" else family
    described = [field for field in record_fields(source) if field.column != "extra"]
    by_path = {field.path: field for field in described}
    yield _own(family, "scope", "text", "name", "Scope", "organization:ID or enterprise:ID")
    yield by_path["enterprise_id"]
    yield by_path["organization_id"]
    if family in ("window", "users_window"):
        yield by_path["report_start_day"]
        yield by_path["report_end_day"]
        meaning = "Last day of the window; see report_end_day"
        yield _own(family, "day", "date", "UTC day", "Day", meaning)
    else:
        yield by_path["day"]
    if arrays:
        yield from _element_columns(family, arrays, kinds, by_path)
    else:
        yield from _record_columns(family, described)
    yield _own(
        family, "extra", "text", "JSON", "Unknown fields", "Fields not described here, as JSON"
    )


def _element_columns(family, arrays, kinds, by_path: dict[str, Field]) -> Iterator[Field]:
    """Yield the columns of the elements of arrays, after the keys of the record around them."""
    yield from (by_path[path] for path in ("user_id", "repo_id") if path in by_path)
    if kinds:
        meaning = f"Kind of customization: {', '.join(kinds)}"
        yield _own(family, "kind", "text", "dimension", "Kind", meaning)
    places = tuple(f"{array}[]." for array in arrays)
    inside = {f.column: f for path, f in by_path.items() if path.startswith(places)}
    yield from inside.values()
    if family == "window":
        yield by_path["copilot_feature_engagement.active_user_count"]
        yield by_path["created_at"]


def _record_columns(family: str, described: list[Field]) -> Iterator[Field]:
    """Yield the columns of whole records; how they were delivered comes last."""
    first = ("enterprise_id", "organization_id", "day", *HOUSEKEEPING)
    for field in described:
        if "[]" not in field.path and field.column not in first:
            yield field
            if field.column == "user_login" and family in ("users", "users_window"):
                meaning = "False on reduced rows, which have credits but no used_* or totals_by_*"
                yield _own(family, "has_telemetry", "flag", "flag", "Has telemetry", meaning)
    is_window = family == "users_window"
    for field in described:
        if field.path in HOUSEKEEPING and not (is_window and field.path.startswith("report_")):
            yield field


@cache
def all_tables() -> dict[str, Table]:
    """Return the tables by name, in the order in which people should meet them."""
    result = {}
    for row in _rows("tables.csv"):
        arrays, kinds = tuple(row["arrays"].split()), tuple(row["kinds"].split())
        key = tuple(row["key"].split())
        window = ("report_start_day",) if "report_end_day" in key else ()
        leading = ("scope", "enterprise_id", "organization_id", *window, *key)
        columns = list(_columns(row["family"], arrays, kinds))
        columns.sort(  # stable: what identifies a row comes first, the rest as the catalogue has it
            key=lambda field: leading.index(field.column) if field.column in leading else 99
        )
        result[row["table"]] = Table(
            name=row["table"],
            family=row["family"],
            arrays=arrays,
            kinds=kinds,
            key=key,
            grain=row["grain"],
            columns=tuple(columns),
        )
    return result


def table(name: str) -> Table:
    """Return one table by name."""
    if name not in all_tables():
        raise UsageError(
            f"table {name!r} does not exist", advice=f"one of: {', '.join(all_tables())}"
        )
    return all_tables()[name]


@cache
def _labels() -> dict[str, str]:
    return {f.column: f.label for t in reversed(all_tables().values()) for f in t.columns}


def label(column: str) -> str:
    """Return how a column is called in charts and tables.

    >>> label("code_acceptance_activity_count")
    'Acceptances'
    """
    return _labels().get(column, column.replace("_", " ").capitalize())


@cache
def canonical_names(dimension: str) -> dict[str, str]:
    """Return the spellings of one thing that occur in reports, each with the one to group by.

    Spellings that are not in the catalogue stand for themselves.

    >>> canonical_names("language")["ts"]
    'typescript'
    """
    return {
        row["value"]: row["canonical"]
        for row in _rows("names.csv")
        if row["dimension"] == dimension and row["value"] != row["canonical"]
    }


@cache
def _value_labels() -> dict[tuple[str, str], str]:
    return {(row["dimension"], row["value"]): row["label"] for row in _rows("names.csv")}


def value_label(dimension: str, value: object) -> str:
    """Return how a value is called in charts and tables; unknown ones as GitHub writes them.

    >>> value_label("feature", "chat_panel_agent_mode"), value_label("phase_number", 1)
    ('Chat: agent', 'Code first')
    """
    return _value_labels().get((dimension, str(value)), str(value))


def endpoints() -> pd.DataFrame:
    """Return the twelve endpoints, one row each."""
    return pd.DataFrame([vars(e) for e in all_endpoints()])


def tables() -> pd.DataFrame:
    """Return the tables, one row each: what a row is, its key, how many columns."""
    return pd.DataFrame(
        [
            {
                "table": t.name,
                "one row per": t.grain,
                "key": ", ".join(t.key),
                "columns": len(t.columns),
            }
            for t in all_tables().values()
        ]
    )


def fields() -> pd.DataFrame:
    """Return every column of every table, one row each, with where it comes from."""
    return pd.DataFrame(
        [{"table": t.name, **vars(f)} for t in all_tables().values() for f in t.columns]
    ).drop(columns="family")


def changes() -> pd.DataFrame:
    """Return the known changes of GitHub's reports, one row each.

    `is_series_break` marks those that move a series without any change in what people do.
    """
    frame = pd.DataFrame(_rows("changes.csv"))
    frame["day"] = pd.to_datetime(frame["day"])
    frame["is_series_break"] = frame["is_series_break"] == "yes"
    return frame
