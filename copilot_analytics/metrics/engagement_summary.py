"""The few figures at the top of a report on engagement, each beside the period before."""

from __future__ import annotations

from collections.abc import Collection

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import INTERACTIONS, check_active
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY, activity_between
from copilot_analytics.metrics.figures import Figure, Window, figure_table
from copilot_analytics.metrics.segment import SEGMENT_RULES, with_segment
from copilot_analytics.metrics.spread import concentration_of, person_totals

_MOST = next(iter(SEGMENT_RULES.values()))
_FEATURES = "median_features_used"
FIGURES = (
    Figure(
        "median_active_days",
        "Active days of the median person",
        "days",
        "median_active_days",
        None,
        "Median over active people of their active days in the last {days} days. {who}",
    ),
    Figure(
        "share_most_working_days",
        "Active on most working days",
        "%",
        "most_working_days",
        "seen",
        f"People active on at least {_MOST:.0%} of the working days with a report / people with "
        "any record in the last {days} days. {who}",
        is_share=True,
        groups=("most_working_days", "fewer_working_days"),
    ),
    Figure(
        "median_interactions_per_active_day",
        "Prompts per active day, median person",
        "prompts per day",
        "median_interactions",
        None,
        "Median over active people of their prompts / their active days in the last {days} days. "
        "{who}",
    ),
    Figure(
        _FEATURES,
        "Features of the median person",
        "features",
        _FEATURES,
        None,
        "Median over active people of the different features that they used in the last {days} "
        "days. {who}",
    ),
    Figure(
        "top_decile_share_of_interactions",
        "Prompts from the tenth of people with most",
        "%",
        "top",
        "total",
        "Prompts of the tenth of active people with most, rounded up / prompts of all active "
        "people in the last {days} days. {who}",
        groups=("top_people",),
    ),
)


def engagement_headline(
    users,
    *,
    end=None,
    days: int = 28,
    active: str | nw.Expr = "interactions",
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
    by_feature=None,
):
    """Return the few figures that sum up how people use Copilot, beside the weeks before.

    Question: how regularly and how much does the typical person use Copilot?

    Parameters
    ----------
    users, end, days, active, working_days, missing_days
        As in `headline`.
    by_feature
        ``users_by_feature`` of the same people, for the features of the median person.

    Returns
    -------
    frame
        One row per figure, with the columns of `headline`: active days of the median person, share
        of people active on most working days, prompts per active day of the median person, with
        `by_feature` features of the median person, and the share of prompts of the tenth of people
        with most. The numerator of a median is the median.

    Raises
    ------
    UsageError
        A column is absent, the frames hold more than one scope, or an option is wrong.

    Notes
    -----
    Medians are over people who were active in the window. Left out: people without a record.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-03"]),
    ...     "user_id": [1, 1, 2], "user_initiated_interaction_count": [4, 2, 6],
    ... })
    >>> engagement_headline(users, days=2).set_index("figure")["value"]
    figure
    median_active_days                    1.5
    share_most_working_days               0.5
    median_interactions_per_active_day    4.5
    top_decile_share_of_interactions      0.5
    Name: value, dtype: float64
    """
    users = frames.read(users, "day", "user_id")
    check_active(users, active)
    given = [users]
    if by_feature is not None:
        by_feature = frames.read(by_feature, "day", "user_id", "feature")
        given.append(by_feature)
    frames.one_scope(*given)
    missing = {frames.as_day(day) for day in missing_days}
    return figure_table(
        users,
        [f for f in FIGURES if by_feature is not None or f.name != _FEATURES],
        lambda window: _sums(users, by_feature, window, active, missing),
        ends=frames.first_and_last(users),
        end=end,
        days=days,
        active=active,
        working_days=working_days,
        missing_days=missing,
    )


def _sums(users: nw.LazyFrame, by_feature, window: Window, active, missing: Collection) -> dict:
    """Return what the figures are made of, by name; nothing where the data say nothing."""
    weekdays = {day.weekday() for day in window.working_days}
    records = window.of(users)
    people = activity_between(
        records,
        window.covered,
        active,
        weekdays,
        missing,
        by_feature=window.of(by_feature) if by_feature is not None else None,
    )
    is_active = nw.col("active_days") > 0
    medians = {
        "median_active_days": "active_days",
        "median_interactions": "interactions_per_active_day",
        _FEATURES: "features_used",
    }
    sums = frames.scalars(
        with_segment(people, SEGMENT_RULES).select(
            seen=nw.len(),
            people=is_active.cast(nw.Int64).sum(),
            most_working_days=(nw.col("segment_number") == 1).cast(nw.Int64).sum(),
            **{
                name: nw.when(is_active).then(nw.col(column).cast(nw.Float64)).median()
                for name, column in medians.items()
            },
        )
    )
    if not sums["seen"] and not window.is_complete:
        return {}
    sums |= {name: sums[name] or 0 for name in ("people", "most_working_days")}
    sums["fewer_working_days"] = sums["seen"] - sums["most_working_days"]
    if INTERACTIONS not in users.collect_schema():
        return sums
    most = concentration_of(person_totals(records, INTERACTIONS, active))
    return {**sums, **{name: most[name] for name in ("top", "total", "top_people")}}
