"""How much of what Copilot proposes is taken."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.statistics import with_share

GENERATED, ACCEPTED = "code_generation_activity_count", "code_acceptance_activity_count"


def acceptance_rate(
    by_feature,
    *,
    feature: str | None = "code_completion",
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    week_start: str = "monday",
    canonical: bool = True,
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
    by
        Column or columns for which to give separate rates, for example ``"day"`` or ``"language"``.
    period
        ``"week"`` or ``"month"`` for separate rates over time.
    week_start
        Weekday on which weeks begin.
    canonical
        Whether several spellings of one language, model or IDE, such as ``ts`` and ``typescript``,
        count as one: see `catalogue.canonical_names`.

    Returns
    -------
    frame
        One row per period and value of `by`; one row if there are none.

        - ``week`` or ``month``, as asked for by `period`: first day of the period.
        - the columns of `by`.
        - ``accepted``: acceptances, the numerator.
        - ``generated``: generations, the denominator.
        - ``rate``: accepted / generated; missing where nothing was generated.
        - ``low``, ``high``: 95 % Wilson interval, which takes every generation as independent of
          the others; people differ, so the true uncertainty is larger.
        - ``is_impossible``: True where more was accepted than generated, which happens when code
          is accepted on a later day. The interval is then missing.
        - ``people``: different people behind the row, for the hiding of small groups. Missing
          where the breakdown is not of people.

    Raises
    ------
    UsageError
        A column is absent, or the frame holds more than one scope and `by` does not name ``scope``.

    Notes
    -----
    A sum over a sum, never a mean of rates. Left out: model breakdowns do not hold completions.

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
    names = frames.as_names(by)
    filtered = [] if feature is None else ["feature"]
    rows = frames.read(by_feature, *names, *filtered, GENERATED, ACCEPTED)
    if "scope" not in names:
        frames.one_scope(rows)
    if canonical:
        rows = frames.with_canonical_names(rows, names)
    if feature is not None:
        rows = rows.filter(nw.col("feature") == feature)
    if period is not None:
        names = [period, *(name for name in names if name != period)]
        rows = _with_period(rows, period, week_start)
    totals = _sums(rows, names).with_columns(
        nw.col("accepted", "generated").fill_null(0).cast(nw.Int64)
    )
    rates = with_share(totals, "accepted", "generated", "rate")
    columns = [*names, "accepted", "generated", "rate", "low", "high"]
    is_impossible = nw.col("accepted") > nw.col("generated")
    return frames.result(
        rates.select(*columns, "people", is_impossible=is_impossible).select(
            *columns, "is_impossible", "people"
        ),
        *names,
        counts=["people"],
    )


def _sums(rows: nw.LazyFrame, names: list[str]) -> nw.LazyFrame:
    """Return the sums per value of the named columns, and how many people are behind them."""
    sums = {"accepted": nw.col(ACCEPTED).sum(), "generated": nw.col(GENERATED).sum()}
    if "user_id" not in rows.collect_schema():
        totals = rows.group_by(*names).agg(**sums) if names else rows.select(**sums)
        return totals.with_columns(people=nw.lit(None, dtype=nw.Float64))
    persons = rows.group_by(*dict.fromkeys([*names, "user_id"])).agg(**sums)
    took_part = (nw.col("accepted") > 0) | (nw.col("generated") > 0)
    persons = persons.with_columns(people=took_part.cast(nw.Int64))
    sums = nw.col("accepted", "generated", "people").sum()
    totals = persons.group_by(*names).agg(sums) if names else persons.select(sums)
    return totals.with_columns(nw.col("people").fill_null(0).cast(nw.Int64))


def _with_period(rows: nw.LazyFrame, period: str, week_start: str) -> nw.LazyFrame:
    """Add the first day of each row's period, under the name of the period."""
    start = frames.period_start(period, week_start)
    rows = frames.read(rows, "day")
    days = frames.calendar(rows, frames.first_and_last(rows), _start=start)
    return rows.join(days, on="day").with_columns(nw.col("_start").alias(period))
