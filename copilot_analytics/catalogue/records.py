"""What GitHub's records hold: fields that become columns, and the objects and lists around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from copilot_analytics.catalogue.files import day, expanded

# The answer that names a report's files is the last: it is no record and makes no table.
FAMILIES = ("users", "entity", "teams", "repos", "window", "envelope")
# Left out when two records are compared: they say how a record was delivered, not what it says.
HOUSEKEEPING = (
    "report_start_day",
    "report_end_day",
    "etl_id",
    "day_partition",
    "entity_id_partition",
)


@dataclass(frozen=True)
class Field:
    """One place in one family of records.

    `type` is one of text, id, count, code, number, flag, date, timestamp. `additive` is ``yes`` or
    why the field must not be summed: ``distinct`` people, a ``mean``, a ``median`` (or another
    percentile), or ``no`` where it is no quantity. `is_nullable` tells whether GitHub documents
    that it may be null or absent, be it with the object around it. `since` is the day from which
    GitHub reports it, None where that is not documented. Retired fields occur in old files only;
    `until` is the last day, None where that is not documented.
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
    until: date | None
    is_retired: bool
    source: str


@dataclass(frozen=True)
class Container:
    """An object or a list in one family of records: what is in it, and what it means if it is not.

    `type` is ``object`` or ``list``.
    """

    family: str
    path: str
    type: str
    is_nullable: bool
    meaning: str
    missing: str
    since: date | None
    source: str


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
            since=day(row[family]),
            until=day(row["until"]),
            is_retired=row["until"] != "",
            source=row["source"],
        )
        for row in expanded("fields.csv")
        if row[family]
    )


@cache
def record_containers(family: str) -> tuple[Container, ...]:
    """Return the objects and lists in the records of a family, in the order of the catalogue."""
    return tuple(
        Container(
            family=family,
            path=row["path"],
            type=row["type"],
            is_nullable=row["nullable"] == "yes",
            meaning=row["meaning"],
            missing=row["missing"],
            since=day(row[family]),
            source=row["source"],
        )
        for row in expanded("containers.csv")
        if row.get(family)
    )
