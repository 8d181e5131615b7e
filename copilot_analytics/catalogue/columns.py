"""The tables: which fields of which records become their columns, and what a row is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from copilot_analytics.catalogue.files import rows
from copilot_analytics.catalogue.records import (
    HOUSEKEEPING,
    Container,
    Field,
    record_containers,
    record_fields,
)
from copilot_analytics.errors import UsageError


@dataclass(frozen=True)
class Table:
    """One table of `Tables`: what a row is, its key, and its columns in order.

    `arrays` are the lists in the records of the `family` whose elements are the rows, empty where
    a record is a row; `kinds` says for each of them what its elements are, where that matters.
    """

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

    @property
    def containers(self) -> tuple[Container, ...]:
        """The objects and lists of the records that the columns come from."""
        records = record_containers(_records_of(self.family))
        if self.arrays:
            places = {place for array in self.arrays for place in (array, *_parents(array))}
            inside = tuple(f"{array}[]." for array in self.arrays)
            return tuple(c for c in records if c.path in places or c.path.startswith(inside))
        return tuple(c for c in records if c.type == "object" and "[]" not in c.path)


def _records_of(family: str) -> str:
    """Return the family of records whose fields are described for a family of tables."""
    return "users" if family == "users_window" else family


def _parents(path: str) -> list[str]:
    names = path.split(".")
    return [".".join(names[:length]) for length in range(1, len(names))]


def _own(family: str, column: str, type_: str, unit: str, label: str, meaning: str) -> Field:
    """Return a column that is not a field of GitHub's."""
    return Field(
        family=family,
        path="",
        column=column,
        type=type_,
        unit=unit,
        additive="no",
        is_nullable=column == "extra",
        is_personal=False,
        label=label,
        meaning=meaning,
        since=None,
        until=None,
        is_retired=False,
        source="this package",
    )


def _columns(family: str, arrays: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[Field]:
    """Yield the columns of a table: scope and ids, its own fields, what is unknown."""
    described = [field for field in record_fields(_records_of(family)) if field.column != "extra"]
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
    meaning = "Fields that this catalogue does not describe, as JSON"
    yield _own(family, "extra", "text", "JSON", "Unknown fields", meaning)


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
    for row in rows("tables.csv"):
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
    """Return one table by name.

    >>> table("users_by_ide").key
    ('scope', 'day', 'user_id', 'ide')
    """
    if name not in all_tables():
        raise UsageError(
            f"table {name!r} does not exist", advice=f"one of: {', '.join(all_tables())}"
        )
    return all_tables()[name]
