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
)


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
        ``minimum - 1`` people, and in the next smallest rows, until at least two rows and
        ``minimum`` people are hidden together. Rows of nobody are shown: there is nobody to
        protect. pandas keeps the order of rows; other frames are sorted by their other columns.

    Raises
    ------
    UsageError
        No column says how many people a row stands for, or a named column is absent.

    Notes
    -----
    Protects one division into groups. Two divisions of the same people, such as by team and by
    language, must not be published together for small groups.

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
    counts = _named(people) or [name for name in PEOPLE_COLUMNS if name in schema]
    parts = _named(within)
    blank = _values(schema, parts) if values is None else list(values)
    absent = [name for name in (*counts, *parts, *blank) if name not in schema]
    if absent or not counts:
        raise UsageError(
            f"the frame has no column {', '.join(absent) or 'with a number of people'}",
            said=f"its columns are {', '.join(schema.names()[:40])}",
            advice="name the column with people=…",
        )
    labels = [name for name in schema.names() if name not in (*blank, *counts)]
    marked = _mark_hidden(lazy, counts, parts, labels, minimum, complementary)
    result = marked.with_columns(
        *(nw.when(~nw.col("is_hidden")).then(nw.col(name)).alias(name) for name in blank),
        *(
            nw.when(~_is_small(name, minimum)).then(nw.col(name)).alias(name)
            for name in counts
            if name not in blank
        ),
    ).select(*schema.names(), "is_hidden")
    if isinstance(frame, pd.DataFrame):
        return result.to_native().astype({"is_hidden": "boolean"})
    return result.sort(*labels, nulls_last=True).to_native()


def _named(names: str | Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _values(schema: nw.Schema, parts: Sequence[str]) -> list[str]:
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
    rows = rows.with_columns(_rank=rank)
    total, order = ["_total", *parts], ["_rank", "_size", *labels]
    rows = rows.with_columns(
        _needed=nw.col("_small").max().over(*total),
        _people=nw.col("_size").cum_sum().over(*total, order_by=order) - nw.col("_size"),
    )
    # A small row has fewer than the minimum, so this makes at least two rows.
    is_too_few = nw.col("_people") < minimum
    helps = (nw.col("_needed") == 1) & (nw.col("_rank") == 1) & is_too_few
    return rows.with_columns(is_hidden=(nw.col("_small") == 1) | helps)


def merge_small_parts(
    frame: pd.DataFrame, minimum: int = 5, *, parts: Sequence[str]
) -> pd.DataFrame:
    """Return a frame in which small parts of a row's total are counted with another part.

    Question: how can the parts of a total be shown where some are too small to be published?

    Parameters
    ----------
    frame
        pandas frame of a metric whose columns `parts` add up to a total in every row, for example
        that of `metrics.people_flow`.
    minimum
        Least number of people of a part that is shown.
    parts
        Columns with numbers of people, in the order in which they may be counted together. A single
        column is hidden where it is too small.

    Returns
    -------
    pandas.DataFrame
        The frame with two columns more; the sum of the parts of a row stays as it was.

        - `parts`: a part of 1 to ``minimum - 1`` people is missing and counted with the next one,
          and if the last one is too small, with the one before. All parts are missing where their
          sum is too small.
        - ``is_hidden``: True where anything is missing for this reason.
        - ``counted_together``: names of the parts that the last of them now stands for, such as
          ``"new + returning"``. Missing where every part stands for itself.

    Raises
    ------
    UsageError
        A named column is absent.

    Notes
    -----
    A part that stands for several must be shown as what it is: say it beside the figure.

    Source: practice of statistical offices, which combine small cells.

    Examples
    --------
    >>> import pandas as pd
    >>> flow = pd.DataFrame({"new": [2, 7], "returning": [6, 8], "retained": [20, 30]})
    >>> merge_small_parts(flow, parts=["new", "returning", "retained"])
        new  returning  retained  is_hidden counted_together
    0  <NA>          8        20       True  new + returning
    1     7          8        30      False              NaN
    """
    absent = [name for name in parts if name not in frame.columns]
    if absent or not parts:
        raise UsageError(f"the frame has no column {', '.join(absent) or 'of parts'}")
    rows = frame[list(parts)].astype("Int64").itertuples(index=False, name=None)
    merged = [_merged(counts, list(parts), minimum) for counts in rows]
    result = frame.assign(
        **{
            name: pd.array([counts[place] for counts, _, _ in merged], dtype="Int64")
            for place, name in enumerate(parts)
        }
    )
    before = frame["is_hidden"].to_numpy(bool) if "is_hidden" in frame else False
    result["is_hidden"] = pd.array([hidden for _, hidden, _ in merged], dtype="boolean") | before
    result["counted_together"] = pd.array([words for _, _, words in merged], dtype="str")
    return result


def _merged(counts: tuple, names: list[str], minimum: int) -> tuple[list, bool, str | None]:
    """Return the parts of one row, whether any is hidden, and which are counted together."""
    if any(pd.isna(count) for count in counts):
        return list(counts), False, None
    if 0 < sum(counts) < minimum:
        return [None] * len(counts), True, None
    groups, together = [], []
    for place in range(len(counts)):
        together.append(place)
        if not 0 < sum(counts[p] for p in together) < minimum:
            groups.append(together)
            together = []
    while groups and 0 < sum(counts[p] for p in together) < minimum:
        together = groups.pop() + together
    groups += [together] if together else []
    result: list[int | None] = [None] * len(counts)
    for group in groups:
        result[group[-1]] = sum(counts[p] for p in group)
    words = [" + ".join(names[p] for p in group) for group in groups if len(group) > 1]
    return result, bool(words), "; ".join(words) or None
