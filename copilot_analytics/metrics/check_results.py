"""What a check finds: two sums of each day side by side, and how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from copilot_analytics.metrics.checks import Check
from copilot_analytics.metrics.daily_sums import Term, column_name

NOT_MEASURED = "not measured"
FAILURE = (
    "the numbers contradict each other: fetch these days again, and tell GitHub if they stay so"
)
# Counts must be equal; fractions add up to what they should but for rounding.
_EXACT = 1e-9


def check_results(
    check: Check, sums: Mapping[str, pd.DataFrame], unsettled: pd.DatetimeIndex
) -> Iterator[dict]:
    """Yield the result of each measure of a check, or why there is none.

    `sums` has the sums per day of the tables of one scope, `unsettled` the days that may change.
    """
    absent = [name for name in check.tables if name not in sums]
    measured = False
    for measure, days in () if absent else _measured(check, sums, unsettled):
        measured = True
        yield {"measure": measure, "source": check.source, **_result(check, days)}
    if not measured:
        yield {
            "measure": None,
            "source": check.source,
            "outcome": NOT_MEASURED,
            "days_compared": 0,
            "days_differing": 0,
            **dict.fromkeys(("expected", "found", "difference", "relative_difference")),
            "largest_difference_day": None,
            "why": f"nothing in {', '.join(absent)}" if absent else "no day has both numbers",
        }


def _measured(
    check: Check, sums: Mapping[str, pd.DataFrame], unsettled: pd.DatetimeIndex
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each measure that both sides have, with both numbers of every day compared."""
    expected, found = (_side(check, terms, sums) for terms in (check.expected, check.found))
    join = expected.index.union if check.is_outer else expected.index.intersection
    days = join(found.index).sort_values()
    days = days[_is_compared(check, days, unsettled)]
    expected, found = expected.reindex(days), found.reindex(days)
    for measure in check.measures:
        both = pd.DataFrame({"expected": expected[measure], "found": found[measure]})
        if both.notna().any().all():
            # What is reported from some day on bounds nothing before it.
            both = both.dropna(how="any" if check.is_bound else "all").fillna(0)
            if len(both):
                yield measure, both


def _side(check: Check, terms: Sequence[Term], sums: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the sum of some terms: one row per day of the first, one column per measure."""
    parts = []
    for term in terms:
        names = [column_name(term.named(measure)) for measure in check.measures]
        part = sums[term.table][names].set_axis(list(check.measures), axis=1)
        parts.append(part * term.sign)
    total, *others = parts
    return sum((other.reindex(total.index).fillna(0) for other in others), start=total)


def _is_compared(check: Check, days: pd.DatetimeIndex, unsettled: pd.DatetimeIndex) -> np.ndarray:
    """Return which days a check looks at."""
    chosen = days.day >= check.first_day_of_month
    if not check.is_window:
        chosen &= ~days.isin(unsettled)
    if check.since is not None:
        chosen &= days >= check.since
    if check.until is not None:
        chosen &= days < check.until
    return chosen


def _result(check: Check, days: pd.DataFrame) -> dict:
    """Return the outcome of a check over the days compared."""
    off = days["found"] - days["expected"]
    allowed = days["expected"].abs() * (check.tolerance or _EXACT)
    differs = off > allowed if check.is_bound else off.abs() > allowed
    expected, found = float(days["expected"].sum()), float(days["found"].sum())
    difference = float(off[differs].sum() if check.is_bound else off.sum())
    result = {
        "outcome": "holds",
        "days_compared": len(days),
        "days_differing": int(differs.sum()),
        "expected": expected,
        "found": found,
        "difference": difference,
        "relative_difference": difference / expected if expected else None,
        "largest_difference_day": None,
        "why": None,
    }
    if differs.any():
        result["outcome"] = "differs by design" if check.by_design else "fails"
        result["largest_difference_day"] = off.abs()[differs].idxmax()
        result["why"] = check.by_design or FAILURE
    return result
