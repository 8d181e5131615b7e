"""Whether something changed from a date on for some people, compared with the rest."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import INTERACTIONS, check_count
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY
from copilot_analytics.metrics.event_study import known, placebo_estimates
from copilot_analytics.metrics.person_weeks import (
    WEEK,
    Estimate,
    PersonWeeks,
    compared,
    person_weeks,
    t_quantile,
    trend_difference,
)
from copilot_analytics.metrics.series import series_breaks

OUTCOMES = ("increase", "decrease", "no effect found", "cannot conclude")
# Weeks on each side without which there is nothing to see a trend or a placebo in.
FEWEST_WEEKS = 4
# Share of earlier dates that may have as large an estimate as the date itself.
USUAL = 0.1
# Days around the date in which a change of GitHub's counting could be taken for an effect.
NEAR = timedelta(days=7)
# One-sided: a true effect is found with a chance of 80 %.
POWER = 0.8416212335729143
COLUMNS = {
    "date": frames.DAY,
    "measure": nw.String,
    "team": nw.String,
    "treated_people": nw.Int64,
    "comparison_people": nw.Int64,
    "start": frames.DAY,
    "end": frames.DAY,
    "weeks_before": nw.Int64,
    "weeks_after": nw.Int64,
    "days_with_reports": nw.Int64,
    "treated_before": nw.Float64,
    "treated_after": nw.Float64,
    "comparison_before": nw.Float64,
    "comparison_after": nw.Float64,
    "estimate": nw.Float64,
    "low": nw.Float64,
    "high": nw.Float64,
    "standard_error": nw.Float64,
    "relative_change": nw.Float64,
    "smallest_found": nw.Float64,
    "trend": nw.Float64,
    "trend_low": nw.Float64,
    "trend_high": nw.Float64,
    "placebos": nw.Int64,
    "placebos_as_large": nw.Int64,
    "placebo_weeks": nw.Int64,
    "placebo_estimate": nw.Float64,
    "p_value": nw.Float64,
    "outcome": nw.String,
    "reasons": nw.String,
    "series_breaks": nw.String,
    "is_dry_run": nw.Boolean,
}


def impact(
    users,
    *,
    date=None,
    treated=None,
    teams=None,
    measure: str = INTERACTIONS,
    active: str | nw.Expr = "interactions",
    before: int = 84,
    after: int = 56,
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
    final_through=None,
    minimum_people: int = 25,
    minimum_days: int = 60,
):
    """Return how a group of people changed from a date on, compared with all others.

    Question: did a training or a roll-out change how much these people use Copilot?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    date
        First day on which there could be an effect. None or "" for a dry run around the middle of
        the data, which concludes nothing.
    treated
        The people whom the date is about: a list of ids, a frame with ``user_id``, or the name of a
        team, for its members as of the date. All others are the comparison group. None or "" for
        everybody, which concludes nothing; in a dry run for the largest team.
    teams
        Teams table of the same scope, where `treated` is a team.
    measure
        ``"active_days"``, or a counter of the users table that may be added up.
    active
        Definition of active for ``"active_days"``, see `is_active`.
    before, after
        Most days to compare on either side. Only whole weeks of seven days count.
    working_days, missing_days
        As in `user_activity`.
    final_through
        Last day that will not change any more; later days are left out. None for all days.
    minimum_people, minimum_days
        Fewest people in each group, and fewest days with a report, to conclude anything.

    Returns
    -------
    frame
        One row.

        - ``date``, ``measure``, ``team``: what was compared; ``team`` is "" without one.
        - ``treated_people``, ``comparison_people``: people of the two groups.
        - ``start``, ``end``: first and last day compared; missing without any whole week.
        - ``weeks_before``, ``weeks_after``, ``days_with_reports``: how much was compared.
        - ``treated_before``, ``treated_after``, ``comparison_before``, ``comparison_after``: the
          measure per person and working day.
        - ``estimate``: how much more the treated people rose than the others, a difference in
          differences. Without a comparison group their own change. The numerator.
        - ``low``, ``high``, ``standard_error``: its 95 % interval and standard error, clustered by
          person; missing where a group has fewer than five people.
        - ``relative_change``: estimate / what would be expected of the treated people, had they
          changed like the others (treated_before + comparison_after - comparison_before, the
          denominator).
        - ``smallest_found``: the smallest true effect that would be found in four of five cases.
        - ``trend``, ``trend_low``, ``trend_high``: by how much more the treated people rose per
          week before the date, which should be nothing, with its 95 % interval.
        - ``placebos``: earlier dates with an estimate of their own, see `placebo_dates`.
        - ``placebos_as_large``: those of them as far from zero as that of the date over as many
          weeks.
        - ``placebo_weeks``: weeks on either side of each of these dates, fewer than those of
          ``estimate``; ``placebo_estimate``: the difference at the date itself over these weeks.
        - ``p_value``: (placebos_as_large + 1) / (placebos + 1).
        - ``outcome``: ``increase``, ``decrease``, ``no effect found`` or ``cannot conclude``.
        - ``reasons``: why nothing can be concluded; "" where something can.
        - ``series_breaks``: known changes of GitHub's counting in the weeks compared.
        - ``is_dry_run``: whether no date was given.

    Raises
    ------
    UsageError
        A column is absent, a frame holds more than one scope, there is no such team, or an option
        is wrong.

    Notes
    -----
    Nothing is concluded without a date and a comparison group; with too few people, days or weeks
    (four on each side); if the groups moved apart before the date (interval of the trend without
    0); if a known change of GitHub's counting lies within seven days of the date; or if more than a
    tenth of the earlier dates show as large a difference as the date. The test of the trend misses
    small differences; the earlier dates see many of these.

    A difference is an effect of the date only if both groups would have moved alike without it, and
    nothing else happened to one of them then. Left out: people without a record in the weeks before
    the date, so that nobody is chosen by what came after it. Days without a record count as 0, for
    those who left as well.

    Source: M. Bertrand, E. Duflo and S. Mullainathan, How much should we trust differences-in-
    differences estimates?, Quarterly Journal of Economics 119 (2004); J. Roth, Pretest with
    caution, American Economic Review: Insights 4 (2022).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2026-09-07", periods=56)
    >>> users = pd.DataFrame({"day": [*days, *days], "user_id": [1] * 56 + [2] * 56,
    ...                       "user_initiated_interaction_count": [5] * 28 + [9] * 28 + [6] * 56})
    >>> found = impact(users, date="2026-10-05", treated=[1])
    >>> found[["treated_before", "treated_after", "estimate", "outcome"]].values.tolist()
    [[5.0, 9.0, 4.0, 'cannot conclude']]
    """
    check_count(minimum_people, "minimum_people")
    check_count(minimum_days, "minimum_days")
    panel = person_weeks(
        users,
        date=date,
        treated=treated,
        teams=teams,
        measure=measure,
        active=active,
        before=before,
        after=after,
        working_days=working_days,
        missing_days=missing_days,
        final_through=final_through,
    )
    row = concluded(panel, measure, minimum_people, minimum_days)
    counts = [name for name, dtype in COLUMNS.items() if dtype == nw.Int64]
    return frames.result(frames.literals(frames.read(users), [row], COLUMNS), counts=counts)


def concluded(panel: PersonWeeks, measure: str, minimum_people: int, minimum_days: int) -> dict:
    """Return the columns of `impact` for what each person did in each week."""
    row = dict.fromkeys(COLUMNS) | _figures(panel) | _placebo(panel)
    changes = series_breaks(row["start"], row["end"], affects=_concerned(measure))
    if row["start"] is None:
        changes = changes.head(0)
    reasons = _reasons(panel, row, minimum_people, minimum_days, changes)
    return row | {
        "measure": measure,
        "series_breaks": "; ".join(changes["label"]),
        "outcome": _outcome(row, reasons),
        "reasons": "; ".join(reasons),
    }


def _concerned(measure: str) -> tuple[str, ...]:
    credits = ("credits",) if measure == "ai_credits_used" else ()
    return ("activity", "people", *credits)


def _figures(panel: PersonWeeks) -> dict:
    """Return the figures of the two groups, their difference, and the trend before the date."""
    treated, comparison = panel.sizes
    weeks = panel.weeks
    before, after = int((weeks < 0).sum()), int((weeks >= 0).sum())
    row = {
        "date": panel.date,
        "team": panel.team,
        "treated_people": treated,
        "comparison_people": comparison,
        "weeks_before": before,
        "weeks_after": after,
        "days_with_reports": panel.reported_days,
        "is_dry_run": panel.is_dry_run,
    }
    if len(weeks):
        last = panel.start(weeks.max()) + WEEK - timedelta(days=1)
        row |= {"start": panel.start(weeks.min()), "end": last}
    if not (treated and before):
        return row
    trend = trend_difference(panel) if comparison else Estimate(np.nan, np.nan, np.nan)
    found = {"trend": trend.value, "trend_low": trend.interval[0], "trend_high": trend.interval[1]}
    rates = {"before": panel.rates(-(10**6), 0), "after": panel.rates(0, 10**6)}
    for when, values in rates.items():
        for group, members in (("treated", panel.is_treated), ("comparison", ~panel.is_treated)):
            found[f"{group}_{when}"] = values[members].mean() if members.any() else np.nan
    if after:
        found |= _difference(panel, found)
    return row | {name: known(value) for name, value in found.items()}


def _difference(panel: PersonWeeks, means: dict) -> dict:
    estimate = compared(panel.change(), panel.is_treated)
    expected = means["treated_before"]
    if not panel.is_treated.all():
        expected += means["comparison_after"] - means["comparison_before"]
    low, high = estimate.interval
    margin = (t_quantile(estimate.freedom) + POWER) * estimate.standard_error
    return {
        "estimate": estimate.value,
        "low": low,
        "high": high,
        "standard_error": estimate.standard_error,
        "relative_change": estimate.value / expected if expected > 0 else np.nan,
        "smallest_found": margin,
    }


def _placebo(panel: PersonWeeks) -> dict:
    """Return how many earlier dates have an estimate as far from zero as the date."""
    weeks, found = placebo_estimates(panel)
    if 0 not in found:
        return {"placebos": 0}
    own = found.pop(0).value
    larger = sum(abs(one.value) >= abs(own) for one in found.values())
    return {
        "placebos": len(found),
        "placebos_as_large": larger,
        "placebo_weeks": weeks,
        "placebo_estimate": own,
        "p_value": (larger + 1) / (len(found) + 1),
    }


def _is_clear(row: dict) -> bool:
    """Tell whether an interval is known and leaves out zero."""
    return row["low"] is not None and not row["low"] <= 0 <= row["high"]


def _reasons(
    panel: PersonWeeks, row: dict, minimum_people: int, minimum_days: int, changes: pd.DataFrame
) -> list[str]:
    """Return why nothing can be concluded, in words; empty where something can."""
    treated, comparison = panel.sizes
    is_short = row["days_with_reports"] < minimum_days
    is_short |= min(row["weeks_before"], row["weeks_after"]) < FEWEST_WEEKS
    length = f"fewer than {minimum_days} days with a report, or than {FEWEST_WEEKS} weeks on a side"
    cut = ", because days that may still change are left out" if panel.is_cut else ""
    near = changes["day"].map(lambda day: abs(day - panel.date) <= NEAR).astype(bool)
    named = ", ".join(changes.loc[near, "label"])
    trend = {"low": row["trend_low"], "high": row["trend_high"]}
    is_usual = (row["placebos_as_large"] or 0) > USUAL * row["placebos"]
    checks = (
        (panel.is_dry_run, "no date was given"),
        (treated > 0 and not comparison, "there is no comparison group"),
        (
            treated < minimum_people or 0 < comparison < minimum_people or not treated + comparison,
            f"a group has fewer than {minimum_people} people who were seen before the date",
        ),
        (is_short, f"{length}{cut}"),
        (_is_clear(trend), "the groups moved apart before the date already"),
        (near.any(), f"GitHub changed how it counts within a week of the date ({named})"),
        (_is_clear(row) and is_usual, "earlier dates show as large a difference"),
    )
    return [words for is_so, words in checks if is_so]


def _outcome(row: dict, reasons: list[str]) -> str:
    if reasons or row["low"] is None:
        return "cannot conclude"
    if not _is_clear(row):
        return "no effect found"
    return "increase" if row["low"] > 0 else "decrease"
