"""What drove the change of a figure between two periods."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import INTERACTIONS, only_active
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY, working_days_of
from copilot_analytics.metrics.series import series_breaks

# The breakdown of people that tells each dimension.
BREAKDOWNS = {
    "ide": "users_by_ide",
    "feature": "users_by_feature",
    "language": "users_by_language_feature",
    "model": "users_by_model_feature",
}
_COLUMNS = {
    "part_number": nw.Int64,
    "part": nw.String,
    "label": nw.String,
    "unit": nw.String,
    "before": nw.Float64,
    "after": nw.Float64,
    "change": nw.Float64,
    "share_of_change": nw.Float64,
    "people_before": nw.Int64,
    "people_after": nw.Int64,
    "series_breaks": nw.String,
}


@dataclass(frozen=True)
class Sums:
    """What was added up over a period; `groups` has days of use and the measure per group."""

    working_days: int
    seen: int
    people: int
    active_days: int
    groups: Mapping[str, tuple[float, float]]

    @property
    def total(self) -> float:
        """The measure over the whole period."""
        return sum(measure for _, measure in self.groups.values())

    @property
    def group_days(self) -> float:
        """Days of use, once for every group of a day."""
        return sum(days for days, _ in self.groups.values())


def compare_periods(
    tables,
    before: Sequence,
    after: Sequence,
    *,
    active: str | nw.Expr = "interactions",
    measure: str = INTERACTIONS,
    by: str | None = None,
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
):
    """Return what drove the change of a counter between two periods, in parts that add up.

    Question: why did it change: more people, more of them active, on more days, or more per day?

    Parameters
    ----------
    tables
        `Tables` with ``users`` of one scope, and the breakdown of `by`.
    before, after
        First and last day of each period, both included, for example
        ``("2026-10-01", "2026-10-28")``.
    active
        Definition of active, see `is_active`.
    measure
        Counter of the users table that is explained, such as ``"code_generation_activity_count"``.
    by
        ``"language"``, ``"feature"``, ``"ide"`` or ``"model"`` to tell the mix of these apart.
    working_days
        Weekdays that are worked, 0 for Monday to 6 for Sunday.
    missing_days
        Days without a report, which are left out of the working days; see `missing_days`.

    Returns
    -------
    frame
        One row for the measure and one for each factor of it.

        - ``part_number``, ``part``: ``total``, then ``people``, ``share_active``, ``active_days``,
          with `by` also ``breadth`` and ``mix``, and ``intensity``.
        - ``label``: the part in words.
        - ``unit``: unit of ``before`` and ``after``.
        - ``before``, ``after``: the measure per working day in each period, or the factor. Missing
          for the mix, which is not one number, and where a factor has no denominator.
        - ``change``: change of the measure per working day that comes from this part. The parts
          add up to the total. Missing where one of the periods has nothing of the measure, because
          then no factor explains the change alone.
        - ``share_of_change``: change / change of the total.
        - ``people_before``, ``people_after``: people who were active, for hiding small groups.
        - ``series_breaks``: known changes of GitHub's counting from the start of the earlier to the
          end of the later period; empty without any. Part of the change may come from them.

    Raises
    ------
    UsageError
        A column is absent, a period is none, or the tables hold more than one scope.

    Notes
    -----
    The measure per working day is people seen x share of them who were active x active days per
    active person and working day x measure per active day. With `by` the last factor is groups per
    active day (breadth) x the share of each group among these (mix) x measure per day and group
    (intensity). A factor's part is the sum over groups of L(after, before) x ln(factor after /
    factor before), where L(a, b) = (a - b) / ln(a / b); a group that only one period has is mix.
    What people do on days on which they are not active is in the measure as well, and so is that of
    weekdays that are not worked. More people are seen in a longer period, so give periods of one
    length. Left out: people without a record.

    Source: B. W. Ang, The LMDI approach to decomposition analysis: a practical guide, Energy Policy
    33 (2005): additive logarithmic mean Divisia index.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-09", "2026-11-09"]),
    ...     "user_id": [1, 1, 2], "user_initiated_interaction_count": [4, 4, 4],
    ... })
    >>> compare_periods({"users": users}, ("2026-11-02", "2026-11-02"),
    ...                 ("2026-11-09", "2026-11-09"))[["part", "before", "after", "change"]]
               part  before  after  change
    0         total     4.0    8.0     4.0
    1        people     1.0    2.0     4.0
    2  share_active     1.0    1.0     0.0
    3   active_days     1.0    1.0     0.0
    4     intensity     4.0    4.0     0.0
    """
    users = frames.read(tables["users"], "day", "user_id", measure)
    frames.one_scope(users)
    groups = None if by is None else _group_rows(tables, users, by, measure)
    ends = [_period(period) for period in (before, after)]
    worked = [len(working_days_of(period, working_days, missing_days)) for period in ends]
    sums = [
        _sums(users, groups, period, days, active, measure)
        for period, days in zip(ends, worked, strict=True)
    ]
    first, last = min(start for start, _ in ends), max(end for _, end in ends)
    affected = ["activity", "people"] + ([by] if by else [])
    breaks = series_breaks(first, last, affects=affected)["label"]
    common = {
        "people_before": sums[0].people,
        "people_after": sums[1].people,
        "series_breaks": ", ".join(breaks),
    }
    rows = [
        {"part_number": number, **row, **common}
        for number, row in enumerate(_parts(*sums, measure, by))
    ]
    return frames.result(frames.literals(users, rows, _COLUMNS), "part_number")


def _period(period: Sequence) -> tuple[datetime, datetime]:
    if isinstance(period, str) or len(period) != 2:
        raise UsageError(
            f"{period!r} is not a period", advice='give its first and last day: ("…", "…")'
        )
    first, last = (frames.as_day(day) for day in period)
    if first > last:
        raise UsageError(f"the period starts on {first:%Y-%m-%d}, after its end {last:%Y-%m-%d}")
    return first, last


def _group_rows(tables, users: nw.LazyFrame, by: str | None, measure: str) -> nw.LazyFrame:
    """Return rows of person, day, group and measure."""
    if by not in BREAKDOWNS:
        raise UsageError(f"by {by!r} is not known", advice=f"one of: {', '.join(BREAKDOWNS)}")
    rows = frames.read(tables[BREAKDOWNS[by]], "day", "user_id", by, measure)
    frames.one_scope(users, rows)
    return frames.with_canonical_names(rows, [by]).with_columns(group=nw.col(by))


def _sums(users, groups, period, worked: int, active, measure: str) -> Sums:
    """Return what is added up over one period; `groups` is None where all are one."""
    inside = nw.col("day").is_between(*period)
    seen = users.filter(inside)
    counts = frames.scalars(
        seen.select(seen=nw.col("user_id").n_unique(), total=nw.col(measure).sum()).join(
            only_active(seen, active).select(
                people=nw.col("user_id").n_unique(), active_days=nw.len()
            ),
            how="cross",
        )
    )
    counts = {name: value or 0 for name, value in counts.items()}  # DuckDB counts nobody as missing
    total = counts.pop("total")
    if groups is None:
        return Sums(worked, **counts, groups={"all": (counts["active_days"], total)})
    person_days = groups.filter(inside).group_by("group", "user_id", "day")
    per_group = (
        person_days.agg(nw.col(measure).sum())
        .group_by("group")
        .agg(days=nw.len(), measure=nw.col(measure).sum())
    )
    found = {row["group"]: (row["days"], row["measure"] or 0) for row in frames.rows(per_group)}
    return Sums(worked, **counts, groups=found)


def _factors(sums: Sums) -> dict[str, float | None]:
    """Return the measure per working day and its factors, None where one is not defined."""
    return {
        "total": _ratio(sums.total, sums.working_days),
        "people": float(sums.seen),
        "share_active": _ratio(sums.people, sums.seen),
        "active_days": _ratio(sums.active_days, sums.people * sums.working_days),
        "breadth": _ratio(sums.group_days, sums.active_days),
        "mix": None,
        "intensity": _ratio(sums.total, sums.group_days),
    }


def _ratio(top: float, bottom: float) -> float | None:
    return top / bottom if bottom else None


def _parts(before: Sums, after: Sums, measure: str, by: str | None) -> Iterator[dict]:
    """Yield the total and its parts."""
    old, new = _factors(before), _factors(after)
    effects = _effects(before, after, old, new)
    is_known = None not in (old["total"], new["total"])
    effects["total"] = new["total"] - old["total"] if is_known else None
    for part, label, unit in _described(measure, by):
        change = effects.get(part)
        yield {
            "part": part,
            "label": label,
            "unit": unit,
            "before": old[part],
            "after": new[part],
            "change": change,
            "share_of_change": _ratio(change, effects["total"]) if change is not None else None,
        }


def _described(measure: str, by: str | None) -> list[tuple[str, str, str]]:
    """Return each part with its label and unit."""
    noun = catalogue.label(measure)
    fields = {field.column: field.unit for field in catalogue.table("users").columns}
    unit = fields.get(measure, "")
    groups = [
        ("breadth", f"Different values of {by} per active day", f"{by}s per day"),
        ("mix", f"Mix: which {by} the days of use are about", ""),
    ]
    return [
        ("total", f"{noun} per working day", f"{unit} per working day"),
        ("people", "People seen", "people"),
        ("share_active", "Share of them who were active", "%"),
        ("active_days", "Active days per active person and working day", "days per working day"),
        *(groups if by else []),
        ("intensity", f"{noun} per active day" + (f" and {by}" if by else ""), f"{unit} per day"),
    ]


def _effects(before: Sums, after: Sums, old: dict, new: dict) -> dict[str, float | None]:
    """Return how much of the change of the total comes from each factor."""
    factors = ("people", "share_active", "active_days", "breadth")
    if not all((old["total"], new["total"], old["active_days"], new["active_days"])):
        return {}
    growth = {name: math.log(new[name] / old[name]) for name in factors}
    effects = dict.fromkeys((*factors, "mix", "intensity"), 0.0)
    for group in {**before.groups, **after.groups}:
        (days, amount), (new_days, new_amount) = (
            sums.groups.get(group, (0, 0)) for sums in (before, after)
        )
        value, new_value = amount / before.working_days, new_amount / after.working_days
        if not (amount and new_amount):
            effects["mix"] += new_value - value
            continue
        weight = _logarithmic_mean(new_value, value)
        shares = (new_days / after.group_days) / (days / before.group_days)
        intensities = (new_amount / new_days) / (amount / days)
        for name in factors:
            effects[name] += weight * growth[name]
        effects["mix"] += weight * math.log(shares)
        effects["intensity"] += weight * math.log(intensities)
    return effects


def _logarithmic_mean(a: float, b: float) -> float:
    """Return the logarithmic mean of two numbers above 0.

    >>> _logarithmic_mean(2.0, 2.0)
    2.0
    """
    # Near equality the quotient loses its digits, and the mean is between both anyway.
    return (a + b) / 2 if math.isclose(a, b, rel_tol=1e-7) else (a - b) / math.log(a / b)
