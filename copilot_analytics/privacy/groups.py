"""Groups that are too small to be published disappear."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError

PEOPLE_COLUMNS = ("people", "active_users", "active_people", "all_people")
# Numbers that are the same for all groups of a division.
COMMON_COLUMNS = (
    "active_people",
    "all_people",
    "working_days",
    "from_value",
    "to_value",
    "median",
    "left_out",
    "days_present",
    "days_reported",
    "days_with_records",
)
# People who are not in the row, such as those of another period, and the figures that are theirs.
OF_OTHER_PEOPLE = {"previous_people": ("previous", "change", "relative_change"), "left_out": ()}


def hide_small_groups(
    frame,
    minimum: int = 5,
    *,
    people: str | Sequence[str] | None = None,
    values: Sequence[str] | None = None,
    within: str | Sequence[str] = (),
    complementary: bool = True,
):
    """Return a frame without the figures of groups that are so small that they show persons.

    Question: which figures may be published?

    Parameters
    ----------
    frame
        Frame of a metric, one row per group.
    minimum
        Least number of people of a group that is shown.
    people
        Column or columns with a number of people; a row is hidden if one of them is too small. By
        default those of ``people``, ``active_users``, ``active_people`` and ``all_people`` that the
        frame has. Where it has the size of the group too, such as the members of a team, name both.
    values
        Columns whose values are hidden. By default all numbers but ids, codes, positions and what
        is not about the row's group: its denominator, for example.
    within
        Columns inside which the groups add up to a total that is known, for example ``"day"``. By
        default all rows are the parts of one total.
    complementary
        Whether a hidden figure could be found as total minus rest. False for rows that are not
        parts of a total, such as the days of one series.

    Returns
    -------
    frame
        The frame with ``is_hidden``, and missing `values` where that is True: in rows with 1 to
        ``minimum - 1`` people, and in the next smallest rows, until at least two rows are hidden
        together and each of them might have ``minimum`` people for all that total minus rest tells.
        Rows of nobody are shown: there is nobody to protect. Where a row has ``previous_people``,
        a number too small hides the ``previous`` figure and the change since; ``left_out`` is
        missing where it is too small. pandas keeps the order of rows; other frames are sorted by
        their other columns.

    Raises
    ------
    UsageError
        No column says how many people a row stands for, or a named column is absent.

    Notes
    -----
    Protects one division into groups. Two divisions of the same people, such as by team and by
    language, must not be published together for small groups. The difference between two days or
    windows of the same total is not hidden: it tells how many people came or went, not which.
    Where the rest of a total is a group as well, such as the members who were not active, see
    `limit_shares`.

    Source: GitHub leaves out teams of fewer than five; practice of statistical offices.

    Examples
    --------
    >>> import pandas as pd
    >>> teams = pd.DataFrame({"team": ["a", "b", "c"], "people": [3, 9, 20]})
    >>> hide_small_groups(teams)
      team  people  is_hidden
    0    a    <NA>       True
    1    b    <NA>       True
    2    c      20      False
    """
    if isinstance(frame, pd.DataFrame):
        frame = frame.astype(
            {name: "Int64" for name, dtype in frame.dtypes.items() if dtype.kind in "iu"}
        )
    lazy = nw.from_native(frame).lazy()
    schema = lazy.collect_schema()
    counts = as_names(people) or [name for name in PEOPLE_COLUMNS if name in schema]
    parts = as_names(within)
    blank = value_columns(schema, parts) if values is None else list(values)
    absent = [name for name in (*counts, *parts, *blank) if name not in schema]
    if absent or not counts:
        raise UsageError(
            f"the frame has no column {', '.join(absent) or 'with a number of people'}",
            said=f"its columns are {', '.join(schema.names()[:40])}",
            advice="name the column with people=…",
        )
    labels = [name for name in schema.names() if name not in (*blank, *counts)]
    shown_if = {name: ~_is_small(name, minimum) for name in counts}
    shown_if |= dict.fromkeys(blank, ~nw.col("is_hidden"))
    for other, names in OF_OTHER_PEOPLE.items():
        if other in schema:
            for name in (other, *(name for name in names if name in blank)):
                shown_if[name] = shown_if.get(name, nw.lit(True)) & ~_is_small(other, minimum)
    marked = _mark_hidden(lazy, counts, parts, labels, minimum, complementary)
    result = marked.with_columns(
        nw.when(is_shown).then(nw.col(name)).alias(name) for name, is_shown in shown_if.items()
    ).select(*schema.names(), "is_hidden")
    if isinstance(frame, pd.DataFrame):
        return result.to_native().astype({"is_hidden": "boolean"})
    return result.sort(*labels, nulls_last=True).to_native()


def check_columns(frame: pd.DataFrame, *names: str) -> None:
    """Refuse a frame that is not the one of the metric in question."""
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise UsageError(
            f"the frame has no column {', '.join(absent)}",
            said=f"its columns are {', '.join(map(str, frame.columns[:40]))}",
            advice="give the frame of the metric that the description names",
        )


def as_names(names: str | Sequence[str] | None) -> list[str]:
    """Return one name, several or none as a list."""
    return [names] if isinstance(names, str) else list(names or ())


def value_columns(schema: nw.Schema, parts: Sequence[str]) -> list[str]:
    """Return the columns whose numbers are about one group."""
    fields = (field for table in catalogue.all_tables().values() for field in table.columns)
    codes = {field.column for field in fields if field.type in ("id", "code")}
    kept = codes.union(COMMON_COLUMNS, parts)
    return [
        name
        for name, dtype in schema.items()
        if dtype.is_numeric() and name not in kept and not name.endswith("_number")
    ]


def _is_small(name: str, minimum: int) -> nw.Expr:
    return ((nw.col(name) > 0) & (nw.col(name) < minimum)).fill_null(False)


def _mark_hidden(lazy, counts, parts, labels, minimum: int, complementary: bool) -> nw.LazyFrame:
    """Add `is_hidden`: small rows, and the smallest others that hide them from a subtraction."""
    small = nw.any_horizontal(*(_is_small(name, minimum) for name in counts), ignore_nulls=True)
    if not complementary:
        return lazy.with_columns(is_hidden=small)
    size = nw.min_horizontal(*counts).fill_null(0).cast(nw.Int64)
    rows = lazy.with_columns(_small=small.cast(nw.Int64), _size=size, _total=nw.lit(1))
    # Rows of nobody come last: they hide nothing.
    rank = nw.when(nw.col("_small") == 1).then(nw.lit(0)).otherwise(nw.lit(1))
    rank = nw.when((nw.col("_small") == 0) & (nw.col("_size") == 0)).then(nw.lit(2)).otherwise(rank)
    # Whoever knows the sum of the hidden rows knows that each has at least one person. The others
    # could all belong to one row, which is what the rows have beyond that.
    beyond_one = nw.when(nw.col("_size") > 1).then(nw.col("_size") - 1).otherwise(nw.lit(0))
    rows = rows.with_columns(_rank=rank, _beyond=beyond_one)
    total, order = ["_total", *parts], ["_rank", "_size", *labels]
    rows = rows.with_columns(
        _needed=nw.col("_small").max().over(*total),
        _before=nw.col("_beyond").cum_sum().over(*total, order_by=order) - nw.col("_beyond"),
    )
    # A small row has less than this, so that at least two rows are hidden.
    is_too_few = nw.col("_before") < minimum - 1
    helps = (nw.col("_needed") == 1) & (nw.col("_rank") == 1) & is_too_few
    return rows.with_columns(is_hidden=(nw.col("_small") == 1) | helps)
