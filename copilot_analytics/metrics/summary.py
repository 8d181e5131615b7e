"""The few figures at the top of a report on adoption, each beside the period before."""

from __future__ import annotations

from collections.abc import Collection

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import INTERACTIONS, check_active, is_active
from copilot_analytics.metrics.code import ACCEPTED, GENERATED
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY
from copilot_analytics.metrics.figures import Figure, Window, figure_table

_ACTIVE = "Different people active on at least one of the last {days} days. {who}"
FIGURES = (
    Figure("active_people", "Active people, last {days} days", "people", "active", None, _ACTIVE),
    Figure(
        "active_people_7_days", "Active people, last 7 days", "people", "active", None, _ACTIVE, 7
    ),
    Figure(
        "share_of_people_seen",
        "Active among people seen",
        "%",
        "active",
        "seen",
        "Active people / people with any record in the last {days} days. Licences without a record "
        "are not in the reports. {who}",
        is_share=True,
        groups=("active", "not_active"),
    ),
    Figure(
        "mean_daily_active_people",
        "Active people on a working day",
        "people",
        "working_person_days",
        "working_days",
        "Active people of each working day, summed / working days with a report in the last {days} "
        "days. {who}",
    ),
    Figure(
        "interactions_per_active_person",
        "Prompts per active person",
        "prompts per person",
        "interactions",
        "active",
        "Prompts of active people / active people in the last {days} days. {who}",
    ),
    Figure(
        "completion_acceptance_rate",
        "Completions accepted",
        "%",
        "accepted",
        "generated",
        "Accepted / generated inline code completions of everybody in the last {days} days.",
        is_share=True,
    ),
)


def headline(
    users,
    *,
    end=None,
    days: int = 28,
    active: str | nw.Expr = "interactions",
    working_days: Collection[int] = MONDAY_TO_FRIDAY,
    missing_days: Collection = (),
    by_feature=None,
):
    """Return the few figures that sum up the last weeks, beside the weeks before.

    Question: how much is Copilot used, and is that more or less than before?

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
    working_days
        Weekdays that are worked, 0 for Monday to 6 for Sunday.
    missing_days
        Days without a report; see `missing_days`.
    by_feature
        ``users_by_feature`` of the same people, for the acceptance rate.

    Returns
    -------
    frame
        One row per figure, in the order in which to show them: people active in the period and in
        the last 7 days, their share among the people seen, their mean number on working days,
        prompts per active person, and with `by_feature` the acceptance rate of completions.

        - ``figure_number``, ``figure``, ``label``: the figure.
        - ``value``: numerator / denominator, or the numerator where there is no denominator.
        - ``previous``: the same in the equally long period before; missing unless the frame has
          all days of it.
        - ``change``: value - previous; ``relative_change``: change / previous.
        - ``low``, ``high``: 95 % Wilson interval of a share; missing for other figures.
        - ``numerator``, ``denominator``: see ``definition``.
        - ``people``: people in the smallest group that the figure tells about (active people; of
          a share of people, the smaller part), for the hiding of small groups;
          ``previous_people``: those of the window before, where there is a ``previous``.
        - ``unit``: unit of the value; ``%`` is a share from 0 to 1.
        - ``definition``: the definition in words.
        - ``start``, ``end``: first and last day of the period.
        - ``is_complete``: False where the frame does not reach over the period, or days of it are
          missing.

    Raises
    ------
    UsageError
        A column is absent, the frames hold more than one scope, or an option is wrong.

    Notes
    -----
    Left out: licences that were never used, which GitHub does not report.

    Source: this package, on fields of GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-09", "2026-11-10"]),
    ...     "user_id": [1, 2, 1, 1], "user_initiated_interaction_count": [4, 1, 2, 4],
    ... })
    >>> headline(users, days=2)[["figure", "value", "previous"]].head(2)
                     figure  value  previous
    0         active_people    1.0       0.0
    1  active_people_7_days    1.0       NaN
    """
    users = frames.read(users, "day", "user_id")
    check_active(users, active)
    given = [users]
    if by_feature is not None:
        by_feature = frames.read(by_feature, "day", "feature", GENERATED, ACCEPTED)
        given.append(by_feature)
    frames.one_scope(*given)
    return figure_table(
        users,
        FIGURES if by_feature is not None else FIGURES[:-1],
        lambda window: _sums(users, by_feature, window, active),
        ends=frames.first_and_last(users),
        end=end,
        days=days,
        active=active,
        working_days=working_days,
        missing_days=missing_days,
    )


def _sums(users: nw.LazyFrame, by_feature, window: Window, active) -> dict:
    """Return what the figures are made of, by name; nothing where the data say nothing."""
    is_working = nw.lit(False)
    if window.working_days:
        is_working = nw.col("day").is_in(window.working_days)
    has_prompts = INTERACTIONS in users.collect_schema()
    prompts = nw.col(INTERACTIONS) if has_prompts else nw.lit(None, dtype=nw.Float64)
    people = (
        window.of(users)
        .with_columns(active=is_active(active).cast(nw.Int64), prompts=prompts)
        .with_columns(worked=nw.col("active") * is_working.cast(nw.Int64))
        .group_by("user_id")
        .agg(nw.col("active").max(), nw.col("worked").sum(), nw.col("prompts").sum())
    )
    is_ever_active = nw.col("active") == 1
    sums = frames.scalars(
        people.select(
            seen=nw.len(),
            active=nw.col("active").sum(),
            working_person_days=nw.col("worked").sum(),
            interactions=nw.when(is_ever_active).then(nw.col("prompts")).sum(),
        )
    )
    if not sums["seen"] and not window.is_complete:
        return {}
    if by_feature is not None:
        completions = window.of(by_feature).filter(nw.col("feature") == "code_completion")
        counts = {"accepted": nw.col(ACCEPTED).sum(), "generated": nw.col(GENERATED).sum()}
        sums |= frames.scalars(completions.select(**counts))
    sums = {name: total or 0 for name, total in sums.items()}
    if not has_prompts:
        sums["interactions"] = None
    counts = {"people": sums["active"], "not_active": sums["seen"] - sums["active"]}
    return {**sums, **counts, "working_days": len(window.working_days)}
