"""Rows per period and group, and sums of them, which are missing where nothing was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.metrics import frames


def read_rows(frame, names: Sequence[str], *columns: str) -> nw.LazyFrame:
    """Return a frame with the columns of its groups and others, of one scope unless a group's."""
    rows = frames.read(frame, *names, *columns)
    if "scope" not in names:
        frames.one_scope(rows)
    return rows


def additive_counters(users: nw.LazyFrame) -> list[str]:
    """Return those counters of the users table that the frame has and that may be added up."""
    have = users.collect_schema().names()
    fields = catalogue.table("users").columns
    additive = [f.column for f in fields if f.additive == "yes" and not f.is_retired]
    return [name for name in additive if name in have]


def whole_numbers(names: Iterable[str]) -> list[str]:
    """Return the names without those of the users table that hold fractions, such as credits."""
    fractions = {f.column for f in catalogue.table("users").columns if f.type == "number"}
    return [name for name in names if name not in fractions]


def with_period(
    rows: nw.LazyFrame, period: str | None, week_start: str = "monday"
) -> tuple[nw.LazyFrame, list[str]]:
    """Add the first day of each row's period, under the name of the period; return that name too.

    Without a period the rows stay as they are, and the list of names is empty.
    """
    if period is None:
        return rows, []
    start = frames.period_start(period, week_start)
    rows = frames.read(rows, "day")
    days = frames.calendar(rows, frames.first_and_last(rows), _start=start)
    rows = rows.join(days.select("day", "_start"), on="day")
    return rows.with_columns(nw.col("_start").alias(period)).drop("_start"), [period]


def with_keys(
    rows: nw.LazyFrame, names: Sequence[str], period: str | None, week_start: str
) -> tuple[nw.LazyFrame, list[str]]:
    """Add each row's period; return the columns of a group as well, the period first."""
    rows, first = with_period(rows, period, week_start)
    return rows, list(dict.fromkeys([*first, *names]))


def last_rows(rows: nw.LazyFrame, *keys: str) -> nw.LazyFrame:
    """Return the rows of the last day of each value of the keys."""
    last = rows.group_by(*keys).agg(nw.col("day").max())
    return rows.join(last, on=[*keys, "day"], how="semi")


def grouped(rows: nw.LazyFrame, names: Sequence[str], *aggregates: nw.Expr, **named: nw.Expr):
    """Return aggregates per value of the named columns, or of all rows where there are none."""
    if not names:
        return rows.select(*aggregates, **named)
    return rows.group_by(*names).agg(*aggregates, **named)


def measured_sums(
    rows: nw.LazyFrame, names: Sequence[str], columns: Iterable[str], **more: nw.Expr
) -> nw.LazyFrame:
    """Return sums per value of the named columns, missing where no row has a value.

    `more` are further aggregates of a row each.
    """
    columns = list(columns)
    known = [nw.col(name).count().alias(f"_known_{name}") for name in columns]
    sums = grouped(rows, names, *(nw.col(name).sum() for name in columns), *known, **more)
    return sums.with_columns(
        nw.when(nw.col(f"_known_{name}") > 0).then(nw.col(name)).alias(name) for name in columns
    ).select(*names, *columns, *more)


def with_people(sums: nw.LazyFrame, keys: Sequence[str], **people: nw.LazyFrame) -> nw.LazyFrame:
    """Add to sums how many different people the named rows of each value of `keys` belong to.

    Counted apart from the sums: DuckDB is several times slower at one grouping by person for both.
    """
    for name, rows in people.items():
        persons = frames.distinct(rows, *keys, "user_id")
        counted = grouped(persons, keys, **{name: nw.len()})
        sums = sums.join(counted, on=keys, how="left") if keys else sums.join(counted, how="cross")
        sums = sums.with_columns(nw.col(name).fill_null(0).cast(nw.Int64))
    return sums


def with_values(rows: nw.LazyFrame, names: Sequence[str]) -> nw.LazyFrame:
    """Return the rows that have a value in each of the named columns."""
    return rows.filter(*(~nw.col(name).is_null() for name in names)) if names else rows
