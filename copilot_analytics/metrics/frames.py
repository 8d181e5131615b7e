"""What all metrics share: frames in and out, days, and the names of counters.

The only module of the package that knows kinds of frames. Inside, every metric works on a lazy
narwhals frame, so that nothing is used which only one engine has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError

DAY = nw.Datetime("us")
PERIODS = ("day", "week", "month")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLACEHOLDER = datetime(1970, 1, 1)


def read(frame, *columns: str) -> nw.LazyFrame:
    """Return any kind of frame as a lazy one, with `columns` present and `day` as a timestamp."""
    try:
        lazy = nw.from_native(frame).lazy()
    except TypeError:
        raise UsageError(
            f"a metric cannot read a {type(frame).__name__}",
            advice="give a pandas DataFrame, a DuckDB relation or a Spark DataFrame",
        ) from None
    schema = lazy.collect_schema()
    absent = [name for name in columns if name not in schema]
    if absent:
        raise UsageError(
            f"the frame has no column {', '.join(map(repr, absent))}",
            said=f"its columns are {', '.join(schema.names()[:40]) or 'none'}",
            advice="give the table that the metric's description names, for example tables.users",
        )
    if "day" in columns and schema["day"] != DAY:
        if not schema["day"].is_temporal():
            raise UsageError(
                f"column 'day' holds {schema['day']}, not days",
                advice="read reports with load(), or convert with pandas.to_datetime",
            )
        lazy = lazy.with_columns(nw.col("day").cast(DAY))
    return lazy


def one_scope(*frames: nw.LazyFrame) -> None:
    """Refuse frames that hold more than one scope: their people must not be added up."""
    scopes: set[str] = set()
    for frame in (frame for frame in frames if "scope" in frame.collect_schema()):
        named = frame.select("scope").filter(~nw.col("scope").is_null())
        scopes.update(row["scope"] for row in rows(named.head(1)))
        if scopes:
            # Files that say that this is the one scope that they hold are then not read.
            others = distinct(named.filter(~nw.col("scope").is_in(list(scopes)))).head(3)
            scopes.update(row["scope"] for row in rows(others))
    if len(scopes) > 1:
        names = ", ".join(sorted(map(str, scopes)))
        raise UsageError(
            f"the data hold more than one organization or enterprise: {names}",
            said="a person of two organizations would count twice",
            advice="choose one: users[users.scope == '…'], or Archive.tables(scope=…)",
        )


def result(
    frame: nw.LazyFrame,
    *order: str,
    descending: Sequence[bool] | bool = False,
    counts: Sequence[str] = (),
):
    """Return a frame of the caller's kind: sorted, with the same types on every engine.

    `counts` are whole numbers that may be missing, which pandas turns into fractions on the way.
    """
    casts = []
    for name, dtype in frame.collect_schema().items():
        if dtype.is_integer():
            casts.append(nw.col(name).cast(nw.Int64))
        elif dtype.is_float() or dtype.is_decimal():
            casts.append(nw.col(name).cast(nw.Float64))
    if casts:
        frame = frame.with_columns(*casts)
    if order:
        frame = frame.sort(*order, descending=descending, nulls_last=True)
    native = frame.to_native()
    return _as_tables(native, counts) if isinstance(native, pd.DataFrame) else native


def _as_tables(frame: pd.DataFrame, counts: Sequence[str]) -> pd.DataFrame:
    """Give a pandas result the types that the tables have, whatever the input's were."""
    types = {"i": "Int64", "u": "Int64", "f": "float64", "b": "boolean", "M": "datetime64[us]"}
    wanted = {
        name: "int64" if name in _ids() else types[dtype.kind]
        for name, dtype in frame.dtypes.items()
        if dtype.kind in types and not isinstance(dtype, pd.DatetimeTZDtype)
    }
    wanted |= dict.fromkeys(counts, "Int64")
    return frame.astype(wanted).reset_index(drop=True)


@cache
def _ids() -> frozenset[str]:
    tables = catalogue.all_tables().values()
    return frozenset(f.column for t in tables for f in t.columns if f.type == "id")


def rows(frame: nw.LazyFrame) -> list[dict]:
    """Return the rows of a small frame as dicts of Python values; missing values are None."""
    return [
        {name: _python_value(value) for name, value in row.items()}
        for row in frame.collect().iter_rows(named=True)
    ]


def _python_value(value: object) -> object:
    value = nw.to_py_scalar(value)
    if isinstance(value, Decimal):  # DuckDB's sums of whole numbers
        return int(value) if value == int(value) else float(value)
    return None if pd.isna(value) else value


def scalars(frame: nw.LazyFrame) -> dict:
    """Return the one row of a frame as Python values; missing values are None."""
    return rows(frame)[0]


def literals(
    frame: nw.LazyFrame, values: Sequence[Mapping[str, object]], types: Mapping[str, nw.Int64]
) -> nw.LazyFrame:
    """Return a few given rows as a frame of the engine of `frame`."""
    if frame.implementation.is_pandas():
        # A missing whole number or flag needs pandas' nullable types, which a literal does not get.
        kinds = {nw.Int64: "Int64", nw.Float64: "float64", nw.Boolean: "boolean", nw.String: "str"}
        dtypes = {name: kinds.get(dtype, "datetime64[us]") for name, dtype in types.items()}
        return nw.from_native(pd.DataFrame(values, columns=list(types)).astype(dtypes)).lazy()
    # The number of rows of nothing is one row on every engine, without reading any data.
    single = frame.head(0).select(nw.len().alias("len"))
    rows = [
        single.select(**{name: nw.lit(row[name], dtype=types[name]) for name in types})
        for row in values or [dict.fromkeys(types)]
    ]
    listed = nw.concat(rows, how="vertical")
    return listed if values else listed.head(0)


def kept(frame: nw.LazyFrame) -> nw.LazyFrame:
    """Compute a frame that a metric needs more than once; its rows are then in memory.

    DuckDB would compute it for each use. Spark finds common parts itself.
    """
    if not frame.implementation.is_duckdb():
        return frame
    relation = frame.to_native()
    rows = relation.to_arrow_table()  # noqa: F841, DuckDB finds it under this name
    return nw.from_native(relation.query("kept", "SELECT * FROM rows")).lazy()


def distinct(frame: nw.LazyFrame, *columns: str) -> nw.LazyFrame:
    """Return each combination of values of the columns once, by default of all columns.

    By a grouping, which DuckDB does in a third of the time: narwhals (2.29) numbers rows instead.
    """
    names = list(dict.fromkeys(columns)) or frame.collect_schema().names()
    if frame.implementation.is_pandas():
        return frame.select(*names).unique()
    return frame.group_by(*names).agg(_rows=nw.len()).select(*names)


def first_and_last(frame: nw.LazyFrame) -> tuple[datetime, datetime] | None:
    """Return the first and last day of a frame, None where it has no rows."""
    ends = scalars(frame.select(first=nw.col("day").min(), last=nw.col("day").max()))
    return (ends["first"], ends["last"]) if ends["first"] is not None else None


def day_range(first: datetime, last: datetime) -> list[datetime]:
    """Return every calendar day from first to last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def calendar(
    frame: nw.LazyFrame, ends: tuple[datetime, datetime] | None, **columns: Callable
) -> nw.LazyFrame:
    """Return one row per calendar day of a range: `number` from 0, `day`, and more columns.

    Each of `columns` is a function of a day that gives a day or a whole number. Without a range the
    frame is empty, with the same columns.
    """
    days = day_range(*(ends or (_PLACEHOLDER, _PLACEHOLDER)))
    more = {name: [function(day) for day in days] for name, function in columns.items()}
    return _listed(frame, ends is None, day=days, **more)


def periods(
    frame: nw.LazyFrame,
    ends: tuple[datetime, datetime] | None,
    start: Callable[[datetime], datetime],
) -> tuple[nw.LazyFrame, nw.LazyFrame]:
    """Return the days of a range with the period of each, and the periods, one row each.

    A day has its `period` and the `previous` and `following` one, as the first days of these. A
    period has `number` from 0, `period`, and `is_complete_period`.
    """
    first, last = ends or (_PLACEHOLDER, _PLACEHOLDER)
    # Wide enough to hold the periods before and after, whatever their length.
    around = day_range(first - timedelta(days=31), last + timedelta(days=31))
    starts = sorted({start(day) for day in around})
    place = {period: number for number, period in enumerate(starts)}
    days = calendar(
        frame,
        ends,
        period=start,
        previous=lambda day: starts[place[start(day)] - 1],
        following=lambda day: starts[place[start(day)] + 1],
    )
    shown = starts[place[start(first)] : place[start(last)] + 1]
    complete = [1] * len(shown)
    complete[0] &= shown[0] == first
    complete[-1] &= start(last + timedelta(days=1)) != shown[-1]
    listed = _listed(frame, ends is None, period=shown, is_complete_period=complete)
    return days, listed.with_columns(nw.col("is_complete_period") == 1)


def _listed(frame: nw.LazyFrame, is_empty: bool, **columns: list) -> nw.LazyFrame:
    """Return lists of days or whole numbers as columns, with the position as `number`."""
    types = {
        name: DAY if isinstance(values[0], datetime) else nw.Int64
        for name, values in columns.items()
    }
    count = len(next(iter(columns.values())))
    if frame.implementation.is_pandas():
        rows = pd.DataFrame({"number": range(count), **columns}).to_dict("records")
        return literals(frame, [] if is_empty else rows, {"number": nw.Int64, **types})
    numbers = _numbers(frame, count).filter(nw.col("number") < (0 if is_empty else count))
    return numbers.with_columns(
        nw.col("number")
        .replace_strict(dict(enumerate(values)), default=None, return_dtype=types[name])
        .alias(name)
        for name, values in columns.items()
    )


def _numbers(frame: nw.LazyFrame, count: int) -> nw.LazyFrame:
    """Return the whole numbers from 0 to at least count - 1, one per row.

    Engines have no common way to make rows, so the digits of the numbers are crossed.
    """
    numbers, size = literals(frame, [{"number": 0}], {"number": nw.Int64}), 1
    while size < count:
        digits = literals(
            frame, [{"digit": digit * size} for digit in range(10)], {"digit": nw.Int64}
        )
        numbers = numbers.join(digits, how="cross").select(
            number=nw.col("number") + nw.col("digit")
        )
        size *= 10
    return numbers


def period_start(period: str, week_start: str = "monday") -> Callable[[datetime], datetime]:
    """Return the function that gives the first day of the period of a day."""
    if period not in PERIODS or week_start.lower() not in WEEKDAYS:
        raise UsageError(
            f"period {period!r} with weeks from {week_start!r} is not known",
            advice=f"periods are {', '.join(PERIODS)}; weeks start on {', '.join(WEEKDAYS)}",
        )
    first_weekday = WEEKDAYS.index(week_start.lower())
    if period == "week":
        return lambda day: day - timedelta(days=(day.weekday() - first_weekday) % 7)
    return lambda day: day.replace(day=1) if period == "month" else day


def as_day(value: object) -> datetime:
    """Return a day given as text, date or timestamp."""
    try:
        return pd.Timestamp(value).normalize().to_pydatetime()
    except (TypeError, ValueError):
        raise UsageError(f"{value!r} is not a day", advice="write it as 2026-11-20") from None


def as_names(by: str | Iterable[str] | None) -> list[str]:
    """Return one name, several or none as a list."""
    return [by] if isinstance(by, str) else list(by or ())


@cache
def slice_counters() -> tuple[str, ...]:
    """Return the counters that any breakdown of a person's day may have."""
    tables = (t for t in catalogue.all_tables().values() if t.family == "users" and t.arrays)
    names = (f.column for t in tables for f in t.columns if f.type == "count")
    return tuple(dict.fromkeys(names))


def has_activity(breakdown: nw.LazyFrame) -> nw.Expr:
    """Return whether any activity counter of a row of a breakdown is above zero."""
    return nw.any_horizontal(among(breakdown, slice_counters()) > 0, ignore_nulls=True)


def with_activity(breakdown: nw.LazyFrame, *columns: str) -> nw.LazyFrame:
    """Return some columns of the rows of a breakdown in which any activity counter is above zero.

    Marked first: pandas would copy all columns of the rows that stay.
    """
    marked = breakdown.select(*columns, _active=has_activity(breakdown))
    return marked.filter(nw.col("_active")).select(*columns)


def among(frame: nw.LazyFrame, names: Iterable[str]) -> nw.Expr:
    """Return those of the named columns that a frame has, at least one."""
    return nw.col(have(frame, names))


def have(frame: nw.LazyFrame, names: Iterable[str]) -> list[str]:
    """Return those of the named columns of activity that a frame has, at least one."""
    columns = frame.collect_schema().names()
    found = [name for name in names if name in columns]
    if not found:
        raise UsageError(
            "the frame has none of the columns that would show activity",
            said=f"its columns are {', '.join(columns[:40]) or 'none'}",
            advice="give the table that the metric's description names, for example tables.users",
        )
    return found


def with_canonical_names(frame: nw.LazyFrame, names: Iterable[str]) -> nw.LazyFrame:
    """Replace the spellings of one thing by one name, in those of the columns that have any."""
    spellings = {name: catalogue.canonical_names(name) for name in names}
    return frame.with_columns(
        nw.coalesce(
            nw.col(name).replace_strict(known, default=None, return_dtype=nw.String), nw.col(name)
        ).alias(name)
        for name, known in spellings.items()
        if known
    )
