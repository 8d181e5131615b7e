"""Whether GitHub's numbers agree with each other."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.check_results import NOT_MEASURED, check_results
from copilot_analytics.metrics.checks import CHECKS, Check
from copilot_analytics.metrics.daily_sums import daily_sums, sources

OUTCOMES = ("fails", "differs by design", "holds", NOT_MEASURED)
_COLUMNS = {
    "check_number": nw.Int64,
    "check": nw.String,
    "tables": nw.String,
    "scope": nw.String,
    "measure": nw.String,
    "outcome": nw.String,
    "days_compared": nw.Int64,
    "days_differing": nw.Int64,
    "expected": nw.Float64,
    "found": nw.Float64,
    "difference": nw.Float64,
    "relative_difference": nw.Float64,
    "largest_difference_day": frames.DAY,
    "why": nw.String,
    "source": nw.String,
}


def reconcile(tables):
    """Return whether the numbers of reports that must agree do so, and by how much they do not.

    Question: can these numbers be trusted?

    Parameters
    ----------
    tables
        `Tables`, or a mapping from table name to frames of one engine, of one or several scopes.
        What is not there is not measured.

    Returns
    -------
    frame
        One row per check, scope and measure.

        - ``check_number``: order of the checks.
        - ``check``: what should hold, in words.
        - ``tables``: the tables from which the numbers come, those of ``expected`` first.
        - ``scope``: organization or enterprise.
        - ``measure``: what is compared: a counter, ``people``, ``rows`` (records), ...; missing
          where nothing could be.
        - ``outcome``: ``holds``; ``differs by design``, for a known reason; ``fails``; or
          ``not measured``, because the reports for it are not there.
        - ``days_compared``: days with both numbers, or ends of windows of 28 days.
        - ``days_differing``: of these, days on which they do not agree.
        - ``expected``, ``found``: both numbers, added up over the days compared. A person counts
          once on each day.
        - ``difference``: found - expected; missing where a bound was checked and kept.
        - ``relative_difference``: difference / expected; missing where nothing was expected.
        - ``largest_difference_day``: day on which they differ most; missing where they do not.
        - ``why``: why they differ, or were not measured; missing where they agree.
        - ``source``: who says that it should hold.

    Raises
    ------
    UsageError
        A table lacks a column that a check needs.

    Notes
    -----
    Numbers are compared day by day, not only as a whole. Left out: days whose reports may still
    change (provisional and pending ones), because two reports of such a day need not be of one
    age; frames of another origin do not say which these are.

    Source: GitHub docs, Copilot usage metrics; reports of organizations; see the column.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(b'{"day":"2026-11-02","organization_id":"7","user_id":1,'
    ...                  b'"used_chat":true,"code_generation_activity_count":5}\\n'
    ...                  b'{"day":"2026-11-02","organization_id":"7",'
    ...                  b'"code_generation_activity_count":6}')
    >>> checks = reconcile(tables)
    >>> checks[checks["outcome"] == "fails"][["check", "measure", "difference"]].values.tolist()
    [['people add up to the scope', 'code_generation_activity_count', -1.0]]
    """
    sums = daily_sums(tables, (term for check in CHECKS for term in check.terms()))
    # Tables that are made of others can tell about scopes that have no report of their own.
    given = [found.index.unique("scope") for name, found in sums.items() if name in tables]
    rows = []
    for scope in sorted(set().union(*given)):
        own, unsettled = _by_scope(sums, scope), _unsettled_days(tables, scope)
        rows += [
            {"check_number": number, **_described(check), "scope": scope, **row}
            for number, check in enumerate(CHECKS, start=1)
            if scope.startswith(check.scope_kind)
            for row in check_results(check, own, unsettled)
        ]
    base = frames.read(next(iter(tables.values())))
    order = ("check_number", "scope", "measure")
    return frames.result(frames.literals(base, rows, _COLUMNS), *order)


def reconciliation_summary(reconciliation):
    """Return one row per check: the worst outcome of its measures, and how far it is off.

    Question: how many of the checks hold?

    Parameters
    ----------
    reconciliation
        Frame of `reconcile`.

    Returns
    -------
    frame
        One row per check, tables and scope.

        - ``check_number``, ``check``, ``tables``, ``scope``: as in `reconcile`.
        - ``outcome``: the worst outcome of any measure: ``fails``, ``differs by design``,
          ``holds``, ``not measured``.
        - ``outcome_number``: 1 to 4 in this order.
        - ``measures``: numbers that were compared.
        - ``days_compared``, ``days_differing``: of the measure with most of them.
        - ``largest_relative_difference``: the relative difference, over all days together, of the
          measure that is furthest off, without its sign; single days may be off by more. Missing
          where nothing was expected.
        - ``why``, ``source``: as in `reconcile`.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Left out: as in `reconcile`.

    Source: this package.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(b'{"day":"2026-11-02","organization_id":"7","daily_active_users":3,'
    ...                  b'"weekly_active_users":2,"monthly_active_users":4}')
    >>> checks = reconciliation_summary(reconcile(tables))
    >>> checks[checks["outcome"] != "not measured"][["check", "outcome"]].values.tolist()
    [['people of the day are among those of the week', 'fails'], \
['people of the day are among those of the month', 'holds']]
    """
    keys = ("check_number", "check", "tables", "scope", "source")
    days = ("days_compared", "days_differing")
    checks = frames.read(reconciliation, *keys, *days, "outcome", "why", "relative_difference")
    ranks = {outcome: rank for rank, outcome in enumerate(OUTCOMES, start=1)}
    rank = nw.col("outcome").replace_strict(ranks, default=None, return_dtype=nw.Int64)
    checks = checks.with_columns(outcome_number=rank, _size=nw.col("relative_difference").abs())
    worst = checks.group_by(*keys).agg(
        nw.col("outcome_number").min(),
        nw.col("why").max(),
        nw.col(*days).max(),
        measures=nw.col("measure").count(),
        largest_relative_difference=nw.col("_size").max(),
    )
    names = {rank: outcome for outcome, rank in ranks.items()}
    outcome = nw.col("outcome_number").replace_strict(names, default=None, return_dtype=nw.String)
    columns = ("measures", *days, "largest_relative_difference", "why", "source")
    described = worst.with_columns(outcome=outcome)
    return frames.result(
        described.select(*keys[:-1], "outcome", "outcome_number", *columns),
        "check_number",
        "scope",
    )


def _described(check: Check) -> dict[str, str]:
    """Return a check in words, and the tables from which its numbers come."""
    tables = dict.fromkeys(source for name in check.tables for source in sources(name))
    return {"check": check.name, "tables": ", ".join(tables)}


def _by_scope(sums: Mapping[str, pd.DataFrame], scope: str) -> dict[str, pd.DataFrame]:
    """Return the sums per day of those tables that have any of one scope."""
    return {
        name: found.xs(scope, level="scope")
        for name, found in sums.items()
        if scope in found.index.unique("scope")
    }


def _unsettled_days(tables, scope: str) -> pd.DatetimeIndex:
    """Return the days of which any report may still change."""
    states = getattr(tables, "day_states", None)
    if states is None:
        return pd.DatetimeIndex([])
    is_unsettled = states["state"].isin(("provisional", "pending")) & (states["scope"] == scope)
    return pd.DatetimeIndex(states.loc[is_unsettled, "day"].unique())
