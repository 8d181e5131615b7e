"""GitHub's adoption multiplier: merged pull requests of people in the phases, against passive."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count
from copilot_analytics.metrics.periods import grouped, with_period
from copilot_analytics.metrics.statistics import Z, ratio

WARNING = (
    "A correlation, not an effect: people who merge more may be those who take up Copilot. It says "
    "nothing about what would happen to anybody who starts to use it."
)
ENGAGED, POPULATION = "total_engaged_users", "users_in_phase_28d"
MEAN_MERGED, MERGED = "avg_pull_requests_merged", "total_pull_requests_merged"


def adoption_multiplier(
    by_phase,
    *,
    period: str | None = None,
    week_start: str = "monday",
    minimum_people: int = 25,
    minimum_days: int = 60,
):
    """Return how many more pull requests people in an adoption phase merge than passive people.

    Question: do people who have adopted Copilot merge more pull requests than those who have not?

    Parameters
    ----------
    by_phase
        ``entity_by_phase`` table of one scope, one row per day and adoption phase.
    period
        ``"week"`` or ``"month"`` for separate figures over time; None for the whole frame.
    week_start
        Weekday on which weeks begin.
    minimum_people
        Least number of people in each of the two groups for ``is_enough``.
    minimum_days
        Least number of days for ``is_enough``.

    Returns
    -------
    frame
        One row per period and version of GitHub's phase rules.

        - ``week`` or ``month``, as asked for by `period`: first day of the period.
        - ``phase_version``: version of the rules; figures of different versions must not be
          compared.
        - ``merged``: pull requests that people in phases 1 to 3 merged.
        - ``person_days``: people of these phases who were active on a day, summed over the days.
        - ``merged_per_person_day``: merged / person_days. The numerator.
        - ``passive_merged``, ``passive_person_days``, ``passive_merged_per_person_day``: the same
          of phase 0, which GitHub's dashboard calls passive. The last one is the denominator.
        - ``multiplier``: merged_per_person_day / passive_merged_per_person_day; missing where
          passive people merged nothing.
        - ``low``, ``high``: 95 % interval of the multiplier as a ratio of two rates, which takes
          every pull request as independent; people differ, so the true uncertainty is larger.
        - ``days``: days with phases.
        - ``phase_people``, ``passive_people``: people in each group on the day with most of them,
          among those of the 28 days up to it where GitHub tells, else among those active on it.
        - ``people``: the smaller of the two, for the hiding of small groups.
        - ``is_enough``: whether both groups and the days reach the minimum.
        - ``warning``: what the figure is not.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    GitHub divides by people and does not say which; here the active person-days are the weight,
    because its daily means are per person active on the day. Before 26 June 2026, when it began to
    report the pull requests of each phase, these are the mean times the people. Left out: the same
    ratio of times to merge, because means of medians cannot be put together; records without a
    phase, and phases above 3.

    Source: GitHub docs, impact dashboard (adoption multiplier); GitHub changelog 2026-06-26.

    Examples
    --------
    >>> import pandas as pd
    >>> by_phase = pd.DataFrame({
    ...     "day": [pd.Timestamp("2026-11-02")] * 2, "phase_version": ["v1"] * 2,
    ...     "phase_number": [0, 3], "total_engaged_users": [10, 10],
    ...     "users_in_phase_28d": [20, 12], "avg_pull_requests_merged": [1.0, 2.0],
    ...     "total_pull_requests_merged": [10, 20],
    ... })
    >>> adoption_multiplier(by_phase)[["multiplier", "people", "is_enough"]]
       multiplier  people  is_enough
    0         2.0      12      False
    """
    check_count(minimum_people, "minimum_people")
    check_count(minimum_days, "minimum_days")
    needed = (ENGAGED, POPULATION, MEAN_MERGED, MERGED)
    rows = frames.read(by_phase, "day", "phase_version", "phase_number", *needed)
    frames.one_scope(rows)
    rows, times = with_period(rows, period, week_start)
    keys = [*times, "phase_version"]
    sides = _sides(rows, keys)
    sums = grouped(
        sides,
        keys,
        nw.col("merged", "person_days", "passive_merged", "passive_person_days").sum(),
        nw.col("phase_people", "passive_people").max(),
        days=nw.len(),
    )
    rates = sums.with_columns(
        merged_per_person_day=ratio("merged", "person_days"),
        passive_merged_per_person_day=ratio("passive_merged", "passive_person_days"),
        people=nw.min_horizontal("phase_people", "passive_people"),
    ).with_columns(multiplier=ratio("merged_per_person_day", "passive_merged_per_person_day"))
    is_enough = (nw.col("people") >= minimum_people) & (nw.col("days") >= minimum_days)
    people = ["phase_people", "passive_people", "people"]
    shown = _with_interval(rates).with_columns(
        nw.col("person_days", "passive_person_days", *people).cast(nw.Int64),
        is_enough=is_enough.fill_null(False),
        warning=nw.lit(WARNING),
    )
    columns = [
        *(*keys, "merged", "person_days", "merged_per_person_day"),
        *("passive_merged", "passive_person_days", "passive_merged_per_person_day"),
        *("multiplier", "low", "high", "days", *people),
        *("is_enough", "warning"),
    ]
    return frames.result(shown.select(*columns), *keys)


def _sides(rows: nw.LazyFrame, keys: list[str]) -> nw.LazyFrame:
    """Return one row per day: the sums of phases 1 to 3, and the same of phase 0 as passive."""
    engaged = nw.col(ENGAGED).cast(nw.Float64)
    merged = nw.coalesce(nw.col(MERGED).cast(nw.Float64), nw.col(MEAN_MERGED) * engaged)
    people = nw.coalesce(nw.col(POPULATION).cast(nw.Float64), engaged)
    known = rows.filter(nw.col("phase_number").is_between(0, 3)).with_columns(
        _merged=merged, _people=people, _days=engaged
    )
    # A phase without its people or pull requests would enter only one side of the ratio.
    known = known.filter(~nw.col("_merged").is_null(), ~nw.col("_days").is_null())
    is_passive = nw.col("phase_number") == 0
    held = {"merged": "_merged", "person_days": "_days"}
    sides = {}
    for prefix, chosen, counted in (
        ("", ~is_passive, "phase"),
        ("passive_", is_passive, "passive"),
    ):
        for name, column in held.items():
            sides[prefix + name] = nw.when(chosen).then(nw.col(column)).otherwise(0.0)
        sides[f"{counted}_people"] = nw.when(chosen).then(nw.col("_people")).otherwise(0.0)
    days = list(dict.fromkeys([*keys, "day"]))
    return known.select(*days, **sides).group_by(*days).agg(nw.col(*sides).sum())


def _with_interval(rates: nw.LazyFrame) -> nw.LazyFrame:
    """Add the ends of the interval of a ratio of two Poisson rates, on the scale of logarithms."""
    is_known = (nw.col("merged") > 0) & (nw.col("passive_merged") > 0)
    # Engines refuse the logarithm of 0, also in rows that are not shown.
    safe = {
        "_merged": nw.when(is_known).then(nw.col("merged")).otherwise(1.0),
        "_passive": nw.when(is_known).then(nw.col("passive_merged")).otherwise(1.0),
    }
    rates = rates.with_columns(**safe)
    half = (1 / nw.col("_merged") + 1 / nw.col("_passive")).sqrt() * Z
    factor = nw.when(is_known).then(half.exp())
    return rates.with_columns(
        low=nw.col("multiplier") / factor,
        high=nw.col("multiplier") * factor,
    )
