"""How use is spread over people, without naming any of them."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count, only_active
from copilot_analytics.metrics.statistics import with_share


def _person_totals(users, measure: str, active) -> nw.LazyFrame:
    """Return the total of each active person of a checked frame, see `person_totals`."""
    described = {f.column: f.additive for f in catalogue.table("users").columns}
    if described.get(measure, "yes") != "yes":
        raise UsageError(
            f"{measure!r} cannot be added up over days ({described[measure]})",
            advice="choose a counter such as user_initiated_interaction_count or ai_credits_used",
        )
    users = frames.read(users, "day", "user_id", measure)
    frames.one_scope(users)
    return person_totals(users, measure, active)


def person_totals(users: nw.LazyFrame, measure: str, active: str | nw.Expr) -> nw.LazyFrame:
    """Return the total of each active person, least first as `rank` from 1."""
    people = frames.distinct(only_active(users, active), "user_id")
    totals = (
        users.filter(~nw.col(measure).is_null())
        .join(people, on="user_id", how="semi")
        .group_by("user_id")
        .agg(total=nw.col(measure).sum())
        .with_columns(nw.col("total").cast(nw.Float64))
    )
    rank = nw.col("total").cum_count().over(order_by=["total", "user_id"])
    return frames.kept(totals.with_columns(rank=rank.cast(nw.Int64)))


def concentration(users, *, measure: str, active: str | nw.Expr = "interactions"):
    """Return how unevenly a counter is spread over people.

    Question: does use rest on few people or on many?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    measure
        A counter of the table that may be added up, for example
        ``"user_initiated_interaction_count"`` or ``"ai_credits_used"``.
    active
        Definition of active, see `is_active`.

    Returns
    -------
    frame
        One row.

        - ``gini``: Gini coefficient of the people's totals, 0 where all have the same, towards 1
          where one has everything. Without small-sample correction. Missing where the total is 0.
        - ``top_decile_share``: share of the total that belongs to the tenth of people with most.
          What these have together is the numerator.
        - ``people``: people in the figure.
        - ``top_people``: people in the top tenth, rounded up.
        - ``total``: total of the counter. The denominator.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or the counter is not additive.

    Notes
    -----
    People: those active on at least one day of the frame, with all their records. Left out: people
    for whom the counter was never reported. Among few people the top tenth is one person: pass
    ``people="top_people", values=["top_decile_share"]`` to `privacy.hide_small_groups`.

    Source: C. Gini (1912), as the mean absolute difference relative to twice the mean.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": [pd.Timestamp("2026-11-02")] * 3, "user_id": [1, 2, 3],
    ...     "user_initiated_interaction_count": [1, 1, 4],
    ... })
    >>> concentration(users, measure="user_initiated_interaction_count").round(3)
        gini  top_decile_share  people  top_people  total
    0  0.333             0.667       3           1    6.0
    """
    totals = _person_totals(users, measure, active)
    facts = concentration_of(totals)
    total = facts["total"] or None
    weighted = frames.scalars(totals.select(sum=(nw.col("rank") * nw.col("total")).sum()))["sum"]
    people = facts["people"]
    row = {
        "gini": (2 * weighted / total - (people + 1)) / people if total else None,
        "top_decile_share": facts["top"] / total if total else None,
        "people": people,
        "top_people": facts["top_people"],
        "total": facts["total"],
    }
    types = {"people": nw.Int64, "top_people": nw.Int64}
    result = frames.literals(totals, [row], {name: types.get(name, nw.Float64) for name in row})
    return frames.result(result)


def concentration_of(totals: nw.LazyFrame) -> dict:
    """Return the total, the number of people, and the same of the tenth of people with most."""
    people = frames.scalars(totals.select(people=nw.len()))["people"]
    top_people = -(-people // 10)
    is_top = nw.col("rank") > people - top_people
    sums = frames.scalars(
        totals.select(total=nw.col("total").sum(), top=nw.when(is_top).then(nw.col("total")).sum())
    )
    return {"people": people, "top_people": top_people} | {
        name: value or 0.0 for name, value in sums.items()
    }


def lorenz(
    users, *, measure: str, active: str | nw.Expr = "interactions", points: int | None = None
):
    """Return which share of a counter the least active share of people has.

    Question: does use rest on few people or on many?

    Parameters
    ----------
    users, measure, active
        As in `concentration`.
    points
        Into how many parts of about the same number of people to divide them, 10 for deciles. None
        for every single person, which must not be published.

    Returns
    -------
    frame
        One row per part or person, in rising order, and one before them for nobody. No rows
        without people.

        - ``share_of_people``: share of people up to this one, those with least first.
        - ``share_of_measure``: share of the total that they have together. Missing where the total
          is 0.
        - ``people``: people of the part, for the hiding of small groups.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or the counter is not additive.

    Notes
    -----
    Where all have the same, both shares are equal. Left out: as in `concentration`.

    Source: M. O. Lorenz, Methods of measuring the concentration of wealth (1905).

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": [pd.Timestamp("2026-11-02")] * 2, "user_id": [1, 2],
    ...     "user_initiated_interaction_count": [1, 3],
    ... })
    >>> lorenz(users, measure="user_initiated_interaction_count")
       share_of_people  share_of_measure  people
    0              0.0              0.00       0
    1              0.5              0.25       1
    2              1.0              1.00       1
    """
    totals = _person_totals(users, measure, active)
    facts = concentration_of(totals)
    people, total = facts["people"], facts["total"]
    if points is not None:
        check_count(points, "points")
    parts, divisor = points or people, max(people, 1)
    part = (nw.col("rank") * parts + (divisor - 1)) // divisor
    groups = totals.with_columns(part=part).group_by("part")
    grouped = groups.agg(nw.col("rank").max(), nw.col("total").sum(), people=nw.len())
    types = {"rank": nw.Int64, "total": nw.Float64, "people": nw.Int64}
    nobody = frames.literals(totals, [{"rank": 0, "total": 0.0, "people": 0}], types)
    # Without people there is no curve, not even its beginning.
    rows = nw.concat(
        [
            nobody.filter(nw.col("rank") < people),
            grouped.select("rank", "total", nw.col("people").cast(nw.Int64)),
        ],
        how="vertical",
    )
    held = nw.col("total").cum_sum().over(order_by="rank")
    result = rows.select(
        share_of_people=nw.col("rank") / divisor,
        share_of_measure=held / total if total else nw.lit(None, dtype=nw.Float64),
        people="people",
    )
    return frames.result(result, "share_of_people")


def distribution(activity, *, column: str, edges: Sequence[float]):
    """Return how many people lie in each range of a figure.

    Question: what is usual, and how far do people differ?

    Parameters
    ----------
    activity
        Frame with one row per person, for example of `user_activity`.
    column
        A number per person, for example ``"active_days"``.
    edges
        Where ranges begin, rising. The last range has no end: (1, 2, 6) makes 1, 2-5 and 6+.

    Returns
    -------
    frame
        One row per range, ranges of nobody included.

        - ``bin_number``: from 1.
        - ``bin``: the range in words.
        - ``from_value``: least value of the range.
        - ``to_value``: greatest value of the range where values are whole numbers, else the value
          that it stays below; missing for the last range.
        - ``people``: people whose value lies in the range. The numerator.
        - ``all_people``: people in any range. The denominator.
        - ``share``: people / all_people; ``low``, ``high``: its 95 % Wilson interval.
        - ``median``: median of the people in any range, the same in every row.
        - ``left_out``: people without a value or below the first range, the same in every row.

    Raises
    ------
    UsageError
        The column is absent or not a number, or the edges do not rise.

    Notes
    -----
    Left out: see ``left_out``. Ranges from 1 on therefore leave out people who never were active.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> activity = pd.DataFrame({"user_id": [1, 2, 3, 4], "active_days": [0, 1, 3, 9]})
    >>> distribution(activity, column="active_days", edges=(1, 2, 6))[
    ...     ["bin", "people", "all_people", "median", "left_out"]
    ... ]
       bin  people  all_people  median  left_out
    0    1       1           3     3.0         1
    1  2–5       1           3     3.0         1
    2   6+       1           3     3.0         1
    """
    people = frames.read(activity, column)
    dtype = people.collect_schema()[column]
    if not dtype.is_numeric() or list(edges) != sorted(set(edges)) or not edges:
        raise UsageError(
            f"no ranges can be made of {column!r} ({dtype}) with the edges {tuple(edges)}",
            advice="give a column of numbers and edges that rise",
        )
    value = nw.col(column).cast(nw.Float64)
    number = nw.lit(0)
    for position, edge in enumerate(edges, start=1):
        number = nw.when(value >= edge).then(nw.lit(position)).otherwise(number)
    inside = people.select(bin_number=number, value=value)
    shown = inside.filter(nw.col("bin_number") > 0)
    facts = frames.scalars(
        shown.select(all_people=nw.len(), median=nw.col("value").median())
    ) | frames.scalars(inside.select(left_out=nw.len()))
    facts["left_out"] -= facts["all_people"]
    bins = frames.literals(
        people,
        [{**described, **facts} for described in _bins(edges, dtype.is_integer())],
        {
            "bin_number": nw.Int64,
            "bin": nw.String,
            "from_value": nw.Float64,
            "to_value": nw.Float64,
            "all_people": nw.Int64,
            "median": nw.Float64,
            "left_out": nw.Int64,
        },
    )
    counts = shown.group_by("bin_number").agg(people=nw.len())
    result = bins.join(counts, on="bin_number", how="left").with_columns(
        nw.col("people").fill_null(0).cast(nw.Int64)
    )
    columns = ("bin_number", "bin", "from_value", "to_value", "people", "all_people", "share")
    shares = with_share(result, "people", "all_people", "share")
    return frames.result(shares.select(*columns, "low", "high", "median", "left_out"), "bin_number")


def _bins(edges: Sequence[float], is_whole: bool) -> list[dict]:
    """Return the ranges between edges, with words for them."""
    bins = []
    for number, (start, after) in enumerate(zip(edges, [*edges[1:], None], strict=True), start=1):
        end = after - 1 if is_whole and after is not None else after
        if after is None:
            text = f"{start:g}+"
        elif is_whole:
            text = f"{start:g}" if start == end else f"{start:g}–{end:g}"
        else:
            text = f"{start:g} to under {after:g}"
        limits = {"from_value": float(start), "to_value": None if end is None else float(end)}
        bins.append({"bin_number": number, "bin": text, **limits})
    return bins
