"""AI credits: how many were used, by how many people, and what they are worth."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_active, is_active
from copilot_analytics.metrics.figures import Figure, Window, figure_table
from copilot_analytics.metrics.periods import (
    grouped,
    measured_sums,
    read_rows,
    with_keys,
    with_people,
    with_values,
)
from copilot_analytics.metrics.statistics import ratio

CREDITS = "ai_credits_used"
USD_PER_CREDIT = 0.01
SINCE = next(f.since for f in catalogue.table("users").columns if f.column == CREDITS)
FIRST_DAY = datetime(SINCE.year, SINCE.month, SINCE.day)

_WHO = "in the last {days} days, as far as GitHub reported them."
FIGURES = (
    Figure(
        "credits",
        "AI credits used, last {days} days",
        "credits",
        "credits",
        None,
        f"Credits of everybody {_WHO} A signal of use, not the invoice.",
    ),
    Figure(
        "usd",
        "Their value at the price of a credit",
        "USD",
        "usd",
        None,
        f"Credits x {USD_PER_CREDIT} USD {_WHO} Gross: what a plan includes is not taken off.",
    ),
    Figure(
        "people_with_credits",
        "People who used credits",
        "people",
        "people",
        None,
        f"Different people with credits above 0 {_WHO}",
    ),
    Figure(
        "credits_per_person",
        "Credits per person who used any",
        "credits per person",
        "credits",
        "people",
        f"Credits of everybody / people with credits above 0 {_WHO}",
    ),
    Figure(
        "credits_per_active_person",
        "Credits per active person",
        "credits per person",
        "credits",
        "active_people",
        f"Credits of everybody / people active {_WHO} {{who}}",
        groups=("people", "active_people"),
    ),
)


def credits(
    users,
    *,
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    active: str | nw.Expr = "interactions",
    week_start: str = "monday",
):
    """Return how many AI credits people used, and how far they were reported.

    Question: how many credits are used, by how many people, and what are they worth?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    by
        Column or columns for which to give separate figures, for example ``"user_id"``.
    period
        ``"day"``, ``"week"`` or ``"month"`` for separate figures over time.
    active
        Definition of active, see `is_active`.
    week_start
        Weekday on which weeks begin.

    Returns
    -------
    frame
        One row per period and value of `by`; one row if there are none.

        - ``day``, ``week`` or ``month``, as asked for by `period`: first day of the period.
        - the columns of `by`.
        - ``credits``: AI credits used. The numerator of the next figures; missing where GitHub
          reported none for anybody.
        - ``usd``: credits at the price of 0.01 USD each. A gross signal, not the invoice.
        - ``people``: different people with credits above 0.
        - ``active_people``: different people who were active.
        - ``credits_per_person``: credits / people.
        - ``credits_per_active_person``: credits / active_people. Credits of people who were not
          active are in it as well.
        - ``records``: records of people and days.
        - ``records_with_credits``: records on which credits were reported, 0 included. On the
          others they are unknown, not 0.
        - ``records_without_telemetry``: records with no ``used_*`` flag and no breakdown, most of
          them credits and nothing else; ``credits`` of them in ``credits_without_telemetry``.
        - ``days_with_credits``: days on which credits were reported for anybody.

    Raises
    ------
    UsageError
        A column is absent, an option is wrong, or the frame holds more than one scope and `by` does
        not name ``scope``.

    Notes
    -----
    Left out: all days before 19 June 2026, of which GitHub does not report credits; credits of
    people without a record; records without a value of `by`. Credits are not split by model or
    feature. What is charged is in GitHub's billing reports: a plan includes credits, and 0 USD
    charged does not mean no use.

    Source: GitHub changelog 2026-06-19.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-02", "2026-11-03"]),
    ...     "user_id": [1, 2, 1], "user_initiated_interaction_count": [4, 1, 2],
    ...     "ai_credits_used": [30.0, None, 10.0],
    ... })
    >>> credits(users)[["credits", "usd", "people", "credits_per_active_person"]]
       credits  usd  people  credits_per_active_person
    0     40.0  0.4       1                       20.0
    """
    names = frames.as_names(by)
    users = read_rows(users, names, "day", "user_id", CREDITS)
    check_active(users, active)
    users = with_values(_prepared(users, active), names)
    rows, keys = with_keys(users, names, period, week_start)
    totals = _totals(rows, keys)
    # Each day once first: counting different days of many records is slow.
    known = frames.distinct(rows.filter(~nw.col(CREDITS).is_null()), *keys, "day")
    days = grouped(known, keys, days_with_credits=nw.len())
    totals = totals.join(days, on=keys, how="left") if keys else totals.join(days, how="cross")
    shown = totals.with_columns(
        nw.col("days_with_credits").fill_null(0),
        usd=nw.col("credits") * USD_PER_CREDIT,
        credits_per_person=ratio("credits", "people"),
        credits_per_active_person=ratio("credits", "active_people"),
    )
    counts = ["records", "records_with_credits", "records_without_telemetry"]
    columns = [
        *(*keys, "credits", "usd", "people", "active_people"),
        *("credits_per_person", "credits_per_active_person", *counts),
        *("credits_without_telemetry", "days_with_credits"),
    ]
    whole = ["people", "active_people", *counts, "days_with_credits"]
    return frames.result(shown.select(*columns), *keys, counts=whole)


def _prepared(users: nw.LazyFrame, active: str | nw.Expr) -> nw.LazyFrame:
    """Return the records since GitHub reports credits, with what is added up of each."""
    is_reduced = nw.lit(False)
    if "has_telemetry" in users.collect_schema():
        is_reduced = (~nw.col("has_telemetry")).fill_null(False)
    return users.filter(nw.col("day") >= FIRST_DAY).with_columns(
        _active=is_active(active).cast(nw.Int64), _reduced=is_reduced.cast(nw.Int64)
    )


def _totals(rows: nw.LazyFrame, keys: list[str]) -> nw.LazyFrame:
    """Return the sums and the people behind them."""
    is_alone = nw.col("_reduced") == 1
    sums = measured_sums(
        rows.with_columns(
            credits=nw.col(CREDITS),
            credits_without_telemetry=nw.when(is_alone).then(nw.col(CREDITS)),
        ),
        keys,
        ["credits", "credits_without_telemetry"],
        records=nw.len(),
        records_with_credits=nw.col(CREDITS).count(),
        records_without_telemetry=nw.col("_reduced").sum(),
        _is_active=nw.col("_active").max(),
    )
    if "user_id" in keys:
        has_credits = (nw.col("credits") > 0).fill_null(False)
        return sums.with_columns(
            people=has_credits.cast(nw.Int64), active_people=nw.col("_is_active")
        )
    spenders, active = rows.filter(nw.col(CREDITS) > 0), rows.filter(nw.col("_active") == 1)
    return with_people(sums, keys, people=spenders, active_people=active)


def credits_headline(
    users,
    *,
    end=None,
    days: int = 28,
    active: str | nw.Expr = "interactions",
    missing_days: Collection = (),
):
    """Return headline figures of AI credits, each beside the period before.

    Question: how many credits are used, and is that more or less than before?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    end
        Last day of the period; by default the last day of the frame. Give the last final day to
        leave out days that may still grow.
    days
        Length of the period.
    active
        Definition of active, see `is_active`.
    missing_days
        Days without a report; see `missing_days`.

    Returns
    -------
    frame
        One row per figure: credits, their value, people who used any, and credits per person who
        used any and per active person. Columns as in `headline`.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: as in `credits`. A period that begins before 19 June 2026 is not complete.

    Source: this package, on fields of GitHub changelog 2026-06-19.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03"]), "user_id": [1, 2],
    ...     "user_initiated_interaction_count": [4, 1], "ai_credits_used": [30.0, 12.5],
    ... })
    >>> credits_headline(users, days=1)[["figure", "value", "previous"]].head(1)
        figure  value  previous
    0  credits   12.5      30.0
    """
    users = frames.read(users, "day", "user_id", CREDITS)
    frames.one_scope(users)
    check_active(users, active)
    rows = _prepared(users, active)
    return figure_table(
        rows,
        FIGURES,
        lambda window: _sums(rows, window),
        ends=frames.first_and_last(rows),
        end=end,
        days=days,
        active=active,
        missing_days=missing_days,
    )


def _sums(rows: nw.LazyFrame, window: Window) -> dict:
    """Return what the figures are made of, by name; nothing where no credits were reported."""
    sums = frames.scalars(_totals(window.of(rows), []))
    if sums["credits"] is None:
        return {}
    return sums | {"usd": sums["credits"] * USD_PER_CREDIT}
