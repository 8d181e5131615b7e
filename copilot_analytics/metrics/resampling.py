"""How sure a rate is, where people and not events are what could have been others."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count

ENDS = (2.5, 97.5)  # percentiles: two-sided 95 %


def check_resamples(rows: nw.LazyFrame, resamples: int | None) -> None:
    """Refuse to draw people from a frame that has none."""
    if resamples is None:
        return
    check_count(resamples, "bootstrap")
    if "user_id" not in rows.collect_schema():
        raise UsageError(
            "people cannot be drawn again from a frame without user_id",
            advice="give a breakdown of people such as tables.users_by_feature, or no bootstrap",
        )


def with_person_intervals(
    totals: nw.LazyFrame,
    persons: nw.LazyFrame,
    names: Sequence[str],
    columns: tuple[str, str],
    *,
    resamples: int | None,
    seed: int,
    within: Sequence[str] | None = None,
) -> nw.LazyFrame:
    """Give groups `low` and `high`, the ends of 95 % intervals from drawing people again.

    `totals` has one row per value of the columns `names`; `persons` one per value and person, with
    the two `columns` whose sums are divided. With `within`, the second sum is over all groups that
    are alike in these columns. Without `resamples` the ends are missing.
    """
    numbered = totals.with_columns(_group=nw.lit(0))
    if names:
        numbered = totals.with_row_index("_group", order_by=names)
    groups = pd.DataFrame()
    if resamples is not None:
        groups = pd.DataFrame(frames.rows(numbered.select(*names, "_group")))
    low = high = np.empty(0)
    if len(groups):
        rows = _rows(persons, groups.sort_values("_group"), list(names), columns, within)
        low, high = ratio_intervals(*rows, resamples=resamples, seed=seed)
    ends = {"low": low, "high": high}
    return numbered.with_columns(_known(v).alias(name) for name, v in ends.items()).drop("_group")


def _known(values: np.ndarray) -> nw.Expr:
    """Return the value of each numbered group, missing where it is not known."""
    known = {place: float(value) for place, value in enumerate(values) if not np.isnan(value)}
    if not known:
        return nw.lit(None, dtype=nw.Float64)
    return nw.col("_group").replace_strict(known, default=None, return_dtype=nw.Float64)


def _rows(persons, groups: pd.DataFrame, names: list[str], columns, within) -> tuple:
    """Return the sums of persons as arrays, see `ratio_intervals`."""
    kept = dict.fromkeys([*names, "user_id"])
    part, whole = (nw.col(name).cast(nw.Float64).fill_null(0.0) for name in columns)
    sums = persons.select(*kept, _part=part, _whole=whole).collect().to_pandas()
    sums = sums.merge(groups, on=names) if names else sums.assign(_group=0)
    # Sorted, so that the same people are drawn whatever order an engine returns them in.
    person, _ = pd.factorize(sums["user_id"], sort=True)
    total = np.arange(len(groups))
    if within is not None:
        total = groups.groupby(within, dropna=False).ngroup() if within else total * 0
    return person, *(sums[name].to_numpy() for name in ("_group", "_part", "_whole")), total


def ratio_intervals(
    person: np.ndarray,
    group: np.ndarray,
    part: np.ndarray,
    whole: np.ndarray,
    total: np.ndarray,
    *,
    resamples: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % intervals of ratios of sums, from people drawn again and again.

    `person`, `group`, `part` and `whole` have one value per person and group; persons and groups
    are numbers from 0. The ratio of a group is its sum of `part`, divided by the sum of `whole`
    over all groups with the same number in `total`. As many people as there are are drawn with
    replacement, each with all that they did. An end is missing where fewer than two people have
    anything of the whole.

    Source: B. Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7
    (1979); percentile interval.
    """
    people, groups, kind = person.max(initial=-1) + 1, len(total), np.asarray(total)[group]
    random = np.random.default_rng(seed)
    drawn = np.full((resamples, groups), np.nan)
    for place in range(resamples if people else 0):
        times = np.bincount(random.integers(0, people, people), minlength=people)[person]
        parts = np.bincount(group, times * part, minlength=groups)
        wholes = np.bincount(kind, times * whole, minlength=groups)[total]
        np.divide(parts, wholes, out=drawn[place], where=wholes > 0)
    have = np.unique(np.stack([kind, person])[:, whole > 0], axis=1)[0]
    enough = np.bincount(have, minlength=groups)[total] > 1
    low, high = np.full((2, groups), np.nan)
    if enough.any():
        low[enough], high[enough] = np.nanpercentile(drawn[:, enough], ENDS, axis=0)
    return low, high
