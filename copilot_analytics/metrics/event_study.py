"""Two groups week by week around a date, and the same comparison at dates when nothing happened."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals.stable.v2 as nw
import numpy as np

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.person_weeks import (
    Estimate,
    PersonWeeks,
    compared,
    person_weeks,
    trend_difference,
)

_WEEKS = {
    "group": nw.String,
    "week": nw.Int64,
    "start": frames.DAY,
    "working_days": nw.Int64,
    "people": nw.Int64,
    "mean": nw.Float64,
    "low": nw.Float64,
    "high": nw.Float64,
    "trend": nw.Float64,
}
_DATES = {
    "date": frames.DAY,
    "is_event": nw.Boolean,
    "weeks": nw.Int64,
    "people": nw.Int64,
    "estimate": nw.Float64,
    "low": nw.Float64,
    "high": nw.Float64,
}


def event_study(users, **options):
    """Return two groups of people week by week before and after a date, and their difference.

    Question: did the groups move alike before the date, and how do they differ after it?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    **options
        As in `impact`: ``date``, ``treated``, ``teams``, ``measure``, ``active``, ``before``,
        ``after``, ``working_days``, ``missing_days``, ``final_through``.

    Returns
    -------
    frame
        One row per group and whole week, in this order.

        - ``group``: ``treated``; ``comparison``, where there is one; ``difference`` between the
          two, less what it was on average before the date.
        - ``week``: number of the week, 0 for the one that begins with the date.
        - ``start``: first day of the week.
        - ``working_days``: working days of the week with a report. The denominator.
        - ``people``: people of the group, the same in all weeks; of the smaller group for the
          difference.
        - ``mean``: measure per person and working day.
        - ``low``, ``high``: ends of its 95 % interval; missing with fewer than five people.
        - ``trend``: for the difference, the straight line through the weeks before the date, drawn
          on through those after it; else missing.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: as in `impact`; weeks without any working day that has a report.

    Source: event study as in L. S. Jacobson, R. J. LaLonde and D. G. Sullivan, Earnings losses of
    displaced workers, American Economic Review 83 (1993); intervals as in `impact`.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-02", "2026-11-09"]), "user_id": [1, 2, 1],
    ...     "user_initiated_interaction_count": [5, 10, 20]})
    >>> weeks = event_study(users, date="2026-11-09", treated=[1], final_through="2026-11-15",
    ...                     working_days=[0])
    >>> weeks[["group", "week", "mean"]]
            group  week  mean
    0  comparison    -1  10.0
    1  difference    -1   0.0
    2     treated    -1   5.0
    """
    panel = person_weeks(users, **options)
    rows = list(_group_rows(panel)) if len(panel.is_treated) else []
    lazy = frames.literals(frames.read(users), rows, _WEEKS)
    return frames.result(lazy, "group", "week", counts=("people", "working_days"))


def _group_rows(panel: PersonWeeks) -> Iterator[dict]:
    treated, comparison = panel.sizes
    rates = panel.sums / panel.days
    for group, members, people in (
        ("treated", panel.is_treated, treated),
        ("comparison", ~panel.is_treated, comparison),
    ):
        if people:
            for place in range(len(panel.weeks)):
                own = rates[members, place]
                yield _row(panel, place, group, people, compared(own, np.ones(people, bool)))
    if treated and comparison and (panel.weeks < 0).any():
        usual, slope = panel.rates(-len(panel.weeks) - 1_000, 0), trend_difference(panel).value
        middle = panel.weeks[panel.weeks < 0].mean()
        for place, week in enumerate(panel.weeks):
            change = compared(rates[:, place] - usual, panel.is_treated)
            row = _row(panel, place, "difference", min(treated, comparison), change)
            yield row | {"trend": known(slope * (week - middle))}


def _row(panel: PersonWeeks, place: int, group: str, people: int, found: Estimate) -> dict:
    low, high = found.interval
    return {
        "group": group,
        "week": int(panel.weeks[place]),
        "start": panel.start(panel.weeks[place]),
        "working_days": int(panel.days[place]),
        "people": people,
        "mean": known(found.value),
        "low": known(low),
        "high": known(high),
        "trend": None,
    }


def known(value: float) -> float | None:
    """Return a number, None where there is none."""
    return None if np.isnan(value) else float(value)


def placebo_estimates(panel: PersonWeeks) -> tuple[int, dict[int, Estimate]]:
    """Return the same estimate at the date and at each earlier week for which it can be made.

    Both use as many weeks on either side, the number that comes first in what is returned: a
    quarter of the weeks before the date, so that earlier dates have data of before the date only.
    """
    before, after = -int(panel.weeks.min(initial=0)), int(panel.weeks.max(initial=-1)) + 1
    length = min(before // 4, after)
    if length < 1 or not len(panel.is_treated):
        return 0, {}
    places = [*range(length - before, 1 - length), 0]
    found = {
        week: compared(panel.change(length, week), panel.is_treated)
        for week in dict.fromkeys(places)
    }
    return length, {week: one for week, one in found.items() if not np.isnan(one.value)}


def placebo_dates(users, **options):
    """Return what the comparison of `impact` gives at earlier dates, when nothing happened.

    Question: is the difference after the date larger than what is usual at other times?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    **options
        As in `event_study`.

    Returns
    -------
    frame
        One row per date, the last of them the date itself.

        - ``date``: the first day that counts as after.
        - ``is_event``: whether it is the date that was given.
        - ``weeks``: weeks compared before and after, the same for all rows: a quarter of those
          before the date.
        - ``people``: people of the smaller group.
        - ``estimate``: difference in differences, per person and working day.
        - ``low``, ``high``: ends of its 95 % interval; missing with fewer than five people.

    Raises
    ------
    UsageError
        As in `event_study`.

    Notes
    -----
    Left out: as in `impact`; earlier dates whose weeks would reach past the date. Neighbouring
    dates share weeks, so they are less different than independent ones.

    Source: A. Abadie, A. Diamond and J. Hainmueller, Comparative politics and the synthetic control
    method, American Journal of Political Science 59 (2015), for placebos in time.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2026-09-07", periods=56)
    >>> users = pd.DataFrame({"day": [*days, *days], "user_id": [1] * 56 + [2] * 56,
    ...     "user_initiated_interaction_count": [5] * 28 + [9] * 28 + [5] * 56})
    >>> placebo_dates(users, date="2026-10-05", treated=[1])[["date", "is_event", "estimate"]]
            date  is_event  estimate
    0 2026-09-14     False       0.0
    1 2026-09-21     False       0.0
    2 2026-09-28     False       0.0
    3 2026-10-05      True       4.0
    """
    panel = person_weeks(users, **options)
    length, found = placebo_estimates(panel)
    sizes = [size for size in panel.sizes if size]
    rows = [
        {
            "date": panel.start(week),
            "is_event": week == 0,
            "weeks": length,
            "people": min(sizes),
            "estimate": known(one.value),
            "low": known(one.interval[0]),
            "high": known(one.interval[1]),
        }
        for week, one in found.items()
    ]
    lazy = frames.literals(frames.read(users), rows, _DATES)
    return frames.result(lazy, "date", counts=("weeks", "people"))
