"""How much of what Copilot proposes is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.periods import grouped, read_rows, with_keys
from copilot_analytics.metrics.resampling import check_resamples, with_person_intervals
from copilot_analytics.metrics.statistics import with_share

COMPLETION = "code_completion"
GENERATED, ACCEPTED = "code_generation_activity_count", "code_acceptance_activity_count"
LINES = ("loc_added_sum", "loc_suggested_to_add_sum")
LATER = "taken on a later day than proposed"
UNASKED = "agents, the CLI and the app also write lines that were never proposed"
MIXED = (
    "no acceptance rate of completions: agents write without being asked, and the CLI counts "
    "nearly everything as accepted"
)


def acceptance_rate(
    by_feature,
    *,
    feature: str | None = COMPLETION,
    lines: bool = False,
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    week_start: str = "monday",
    canonical: bool = True,
    bootstrap: int | None = None,
    seed: int = 0,
):
    """Return which share of the generated pieces of code people accepted.

    Question: how often do people take what Copilot proposes?

    Parameters
    ----------
    by_feature
        A breakdown by feature of people or of an organization or enterprise: ``users_by_feature``,
        ``entity_by_feature``, ``users_by_language_feature``, ...; one row per person, day and
        feature, or coarser.
    feature
        The feature to look at. Only inline completions are proposals that are taken or not; agents
        write without being asked, and the CLI counts nearly everything as accepted. None takes all
        rows of the frame.
    lines
        False counts pieces of code, True their lines: added lines / lines suggested to add.
    by
        Column or columns for which to give separate rates, for example ``"day"`` or ``"language"``.
    period
        ``"week"`` or ``"month"`` for separate rates over time.
    week_start
        Weekday on which weeks begin.
    canonical
        Whether several spellings of one language, model or IDE, such as ``ts`` and ``typescript``,
        count as one: see `catalogue.canonical_names`.
    bootstrap
        How many times to draw the people again for the interval, for example 1000; None for the
        Wilson interval. Drawing people needs a breakdown of people.
    seed
        Start of the random numbers; the same seed gives the same interval on every engine.

    Returns
    -------
    frame
        One row per period and value of `by`; one row if there are none.

        - ``week`` or ``month``, as asked for by `period`: first day of the period.
        - the columns of `by`.
        - ``accepted``: acceptances, or lines added. The numerator.
        - ``generated``: generations, or lines suggested to add. The denominator.
        - ``rate``: accepted / generated; missing where nothing was generated.
        - ``low``, ``high``: 95 % interval. With `bootstrap`, percentiles of the rate among people
          drawn again: how much another draw of people would differ. Missing with fewer than two
          people. Else the Wilson interval, which takes every generation as independent of the
          others; people differ, so the true uncertainty is larger. Missing for lines without
          `bootstrap`, because the lines of one piece are taken together.
        - ``is_impossible``: True where more was accepted than generated. A Wilson interval is then
          missing.
        - ``people``: different people behind the row, for the hiding of small groups. Missing
          where the breakdown is not of people.
        - ``why``: what makes a rate impossible, or not one of completions; missing where neither.

    Raises
    ------
    UsageError
        A column is absent, an option is wrong, or the frame holds more than one scope and `by` does
        not name ``scope``.

    Notes
    -----
    A sum over a sum, never a mean of rates. Left out: model breakdowns do not hold completions. A
    rate of all features together is diluted by agents, whose code is not accepted, and lifted by
    the CLI.

    Source: GitHub docs, Copilot usage metrics (acceptance rate).

    Examples
    --------
    >>> import pandas as pd
    >>> by_feature = pd.DataFrame({
    ...     "feature": ["code_completion", "code_completion", "agent_edit"],
    ...     "code_generation_activity_count": [30, 10, 7],
    ...     "code_acceptance_activity_count": [9, 1, 0],
    ... })
    >>> acceptance_rate(by_feature)[["accepted", "generated", "rate"]]
       accepted  generated  rate
    0        10         40  0.25
    """
    columns = LINES if lines else (ACCEPTED, GENERATED)
    how = {"week_start": week_start, "canonical": canonical, "feature": feature}
    rows, names = grouped_rows(by_feature, columns, by, period, **how)
    check_resamples(rows, bootstrap)
    sums = {"accepted": nw.col(columns[0]).sum(), "generated": nw.col(columns[1]).sum()}
    totals, persons = group_sums(rows, names, sums)
    rates = with_share(totals, "accepted", "generated", "rate")
    if lines or bootstrap is not None:
        rates = with_person_intervals(
            rates, persons, names, ("accepted", "generated"), resamples=bootstrap, seed=seed
        )
    rates = rates.with_columns(is_impossible=nw.col("accepted") > nw.col("generated"))
    by_rule = (
        nw.col("feature") == COMPLETION if "feature" in names else nw.lit(feature == COMPLETION)
    )
    is_mixed = feature is None and "feature" not in names
    cause = why(by_rule if lines else nw.lit(True), MIXED if is_mixed else None)
    columns = ("accepted", "generated", "rate", "low", "high", "is_impossible", "people")
    return frames.result(rates.select(*names, *columns, why=cause), *names, counts=["people"])


def why(is_proposed: nw.Expr, otherwise: str | None = None) -> nw.Expr:
    """Return the cause of an impossible rate, or what else must be said of the rate."""
    cause = nw.when(is_proposed).then(nw.lit(LATER)).otherwise(nw.lit(UNASKED))
    rest = nw.lit(otherwise, dtype=nw.String)
    return nw.when(nw.col("is_impossible")).then(cause).otherwise(rest)


def grouped_rows(
    breakdown,
    columns: Sequence[str],
    by: str | Sequence[str] | None,
    period: str | None,
    *,
    week_start: str,
    canonical: bool,
    feature: str | None = None,
) -> tuple[nw.LazyFrame, list[str]]:
    """Return the rows of a breakdown or of one feature, and the columns of a group, period first.

    Other features go before names are replaced, which takes longer.
    """
    names = frames.as_names(by)
    rows = read_rows(breakdown, names, *columns, *([] if feature is None else ["feature"]))
    if feature is not None:
        rows = rows.filter(nw.col("feature") == feature)
    if canonical:
        rows = frames.with_canonical_names(rows, names)
    return with_keys(rows, names, period, week_start)


def group_sums(
    rows: nw.LazyFrame, names: Sequence[str], sums: Mapping[str, nw.Expr]
) -> tuple[nw.LazyFrame, nw.LazyFrame]:
    """Return the sums per group with the `people` behind them, and the sums per group and person.

    A person is behind a group who has any of the sums above 0. Where the rows are not of people,
    people are missing and the second frame is that of groups.
    """
    whole = [nw.col(name).fill_null(0).cast(nw.Int64) for name in sums]
    if "user_id" not in rows.collect_schema():
        people = nw.lit(None, dtype=nw.Float64)
        totals = grouped(rows, names, **sums).with_columns(*whole, people=people)
        return totals, totals
    persons = rows.group_by(*dict.fromkeys([*names, "user_id"])).agg(**sums)
    took_part = nw.any_horizontal(*(nw.col(name) > 0 for name in sums), ignore_nulls=True)
    persons = persons.with_columns(people=took_part.cast(nw.Int64))
    totals = grouped(persons, names, nw.col(*sums, "people").sum())
    people = nw.col("people").fill_null(0).cast(nw.Int64)
    return totals.with_columns(*whole, people), persons
