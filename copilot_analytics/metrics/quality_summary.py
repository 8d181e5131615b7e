"""The few figures that say how far the others can be trusted."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.completeness import (
    DATA_STATES,
    MISSING_STATES,
    coverage,
    unknown_fields,
)

_TYPES = {
    "figure_number": "Int64",
    "figure": "str",
    "label": "str",
    "value": "float64",
    "unit": "str",
    "note": "str",
    "people": "Int64",
}


def quality_headline(tables, summary) -> pd.DataFrame:
    """Return how many checks hold, how many days are there, and what else limits the figures.

    Question: can these numbers be trusted?

    Parameters
    ----------
    tables
        `Tables` of files or of the archive, of one scope.
    summary
        Frame of `reconciliation_summary` of the same tables.

    Returns
    -------
    pandas.DataFrame
        One row per figure.

        - ``figure_number``: order of the rows.
        - ``figure``: ``checks_that_hold``, ``checks_that_fail``, ``days_with_data``,
          ``share_of_records_reduced``, ``unknown_fields``.
        - ``label``, ``unit``: the figure in words.
        - ``value``: the figure; missing where it is not known.
        - ``note``: what it is to be compared with, in words.
        - ``people``: people whom it tells about, for hiding small groups; missing where it is not
          about people.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Days are those of records of people, or of the scope where there are none of people. Left out:
    checks that were not measured.

    Source: this package.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> from copilot_analytics.metrics import reconcile, reconciliation_summary
    >>> tables = ca.load(b'{"day":"2026-11-02","organization_id":"7","daily_active_users":3}')
    >>> summary = reconciliation_summary(reconcile(tables))
    >>> quality_headline(tables, summary)[["figure", "value"]].head(3)
                 figure  value
    0  checks_that_hold    NaN
    1  checks_that_fail    NaN
    2    days_with_data    1.0
    """
    rows = [*_checks(summary), _days(tables), _records(tables["users"]), _unknown(tables)]
    table = pd.DataFrame(
        [{"figure_number": number, **row} for number, row in enumerate(rows, start=1)],
        columns=list(_TYPES),
    )
    return table.astype(_TYPES)


def _checks(summary) -> list[dict]:
    """Return how many checks hold and fail, both missing where none was measured."""
    outcomes = [row["outcome"] for row in frames.rows(frames.read(summary, "outcome"))]
    measured = len(outcomes) - outcomes.count("not measured")
    by_design = outcomes.count("differs by design")
    holds, fails = (outcomes.count(outcome) for outcome in ("holds", "fails"))
    known, nothing = measured > 0, "no two reports of one day"
    reasons = f"; {by_design} differ{'s' if by_design == 1 else ''} for a known reason"
    return [
        {
            "figure": "checks_that_hold",
            "label": "Checks that hold",
            "value": holds if known else None,
            "unit": _counted(holds, "check"),
            "note": f"of {measured}{reasons if by_design else ''}" if known else nothing,
        },
        {
            "figure": "checks_that_fail",
            "label": "Checks that fail",
            "value": fails if known else None,
            "unit": _counted(fails, "check"),
            "note": f"of {measured}" if known else nothing,
        },
    ]


def _days(tables) -> dict:
    """Return how many of the days that are due have data."""
    days = coverage(tables)
    days = days[days["state"] != "pending"]
    family = "users" if (days["family"] == "users").any() else "entity"
    states = days.loc[days["family"] == family, "state"]
    words = {
        "without a report": states == "empty",
        "missing": states.isin(MISSING_STATES),
        "unknown": states == "gap",
        "provisional": states == "provisional",
    }
    there = states.isin(DATA_STATES).sum()
    parts = [f"{is_so.sum()} {word}" for word, is_so in words.items() if is_so.any()]
    return {
        "figure": "days_with_data",
        "label": "Days with data",
        "value": there if len(states) else None,
        "unit": _counted(there, "day"),
        "note": ", ".join([f"of {len(states)}", *parts]) if len(states) else "no report",
    }


def _records(users) -> dict:
    """Return the share of records without telemetry, and of how many people they are."""
    users = frames.read(users, "user_id", "has_telemetry")
    is_reduced = (~nw.col("has_telemetry")).fill_null(False).cast(nw.Int64)
    persons = users.select("user_id", reduced=is_reduced).group_by("user_id")
    counts = persons.agg(nw.col("reduced").sum(), records=nw.len())
    sums = frames.scalars(
        counts.select(
            nw.col("reduced", "records").sum(),
            people=(nw.col("reduced") > 0).cast(nw.Int64).sum(),
        )
    )
    records = sums["records"] or 0
    return {
        "figure": "share_of_records_reduced",
        "label": "Records without telemetry",
        "value": sums["reduced"] / records if records else None,
        "unit": "%",
        "note": "of the records of people; they do not tell what was done"
        if records
        else "no records of people",
        "people": sums["people"] if records else None,
    }


def _unknown(tables) -> dict:
    """Return how many fields are not described."""
    found = len(unknown_fields(tables))
    return {
        "figure": "unknown_fields",
        "label": "Unknown fields",
        "value": found,
        "unit": _counted(found, "field"),
        "note": "kept, and not looked at" if found else "every field is described",
    }


def _counted(count: int, noun: str) -> str:
    """Return what is counted, one or several."""
    return noun if count == 1 else f"{noun}s"
