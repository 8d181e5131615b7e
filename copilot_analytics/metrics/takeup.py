"""How many people use each surface of Copilot, and how that changes."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import (
    active_days,
    check_count,
    people_in_window,
    window_changes,
)
from copilot_analytics.metrics.statistics import with_share
from copilot_analytics.metrics.surface import reported_surfaces, uses_of


def _read(users, by_feature, by_agent):
    users = frames.read(users, "day", "user_id")
    by_feature = frames.read(by_feature, "day", "user_id", "feature")
    given = [users, by_feature]
    if by_agent is not None:
        by_agent = frames.read(by_agent, "day", "user_id")
        given.append(by_agent)
    frames.one_scope(*given)
    table = frames.literals(
        users,
        reported_surfaces(users, by_feature, by_agent),
        {"surface": nw.String, "label": nw.String, "measured_from": frames.DAY},
    )
    return users, uses_of(users, by_feature, by_agent), table


def surfaces(users, by_feature, *, active: str | nw.Expr = "interactions", by_agent=None):
    """Return how many of the active people used each surface of Copilot.

    Question: which ways of using Copilot have people taken up?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    by_feature
        ``users_by_feature`` of the same people.
    active
        Definition of active, see `is_active`.
    by_agent
        ``users_by_agent`` of the same people, for third-party agents.

    Returns
    -------
    frame
        One row per surface, the most used first.

        - ``surface``, ``label``: see `surface_rules`, which has the rule of each.
        - ``people``: active people who used the surface on any day of the frame. The numerator.
          Missing where GitHub never reported the surface within the frame.
        - ``active_people``: people active on at least one day of the frame. The denominator.
        - ``share``: people / active_people; ``low``, ``high``: its 95 % Wilson interval.
        - ``measured_from``: first day of the frame on which GitHub reported the surface; use
          before it is not in the figure.

    Raises
    ------
    UsageError
        A column is absent, or the frames hold more than one scope.

    Notes
    -----
    Left out: people who were never active under the definition. A person who only takes
    completions sends no prompt, so use ``active="engaged"`` to count everybody. People use several
    surfaces, so the shares add up to more than 1.

    Source: this package, on fields of GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.Timestamp("2026-11-02")
    >>> users = pd.DataFrame({"day": [day] * 2, "user_id": [1, 2], "used_cli": [False, True]})
    >>> by_feature = pd.DataFrame({
    ...     "day": [day], "user_id": [1], "feature": ["code_completion"],
    ...     "code_generation_activity_count": [5],
    ... })
    >>> used = surfaces(users, by_feature, active="present").set_index("surface")
    >>> used.loc[["cli", "chat_ask", "app"], "people"].tolist()
    [1, 0, <NA>]
    """
    users, uses, table = _read(users, by_feature, by_agent)
    people = active_days(users, active).select("user_id").unique()
    used = uses.select("surface", "user_id").unique().join(people, on="user_id", how="semi")
    counts = (
        table.join(used.group_by("surface").agg(people=nw.len()), on="surface", how="left")
        .join(people.select(active_people=nw.len()), how="cross")
        .with_columns(people=_if_measured(nw.col("people").fill_null(0)))
    )
    shares = with_share(counts, "people", "active_people", "share")
    columns = ("surface", "label", "people", "active_people", "share", "low", "high")
    return frames.result(
        shares.select(*columns, "measured_from"),
        "people",
        "surface",
        descending=[True, False],
        counts=["people"],
    )


def _if_measured(count: nw.Expr) -> nw.Expr:
    return nw.when(~nw.col("measured_from").is_null()).then(count)


def surface_users(
    users,
    by_feature,
    *,
    window: int = 28,
    active: str | nw.Expr = "interactions",
    by_agent=None,
):
    """Return how many of the active people used each surface in a trailing window, for every day.

    Question: how does the take-up of agents, the CLI or the app change?

    Parameters
    ----------
    users, by_feature, active, by_agent
        As in `surfaces`.
    window
        Length of the window in days; it ends with the day of the row.

    Returns
    -------
    frame
        One row per surface and calendar day, from the first day on which GitHub reported the
        surface to the last day of the frame.

        - ``surface``, ``label``: see `surface_rules`.
        - ``day``: UTC day on which the window ends.
        - ``people``: people who were active and used the surface within the window.
        - ``active_people``: people active within the window. The denominator.
        - ``share``: people / active_people; ``low``, ``high``: its 95 % Wilson interval.
        - ``is_complete_window``: False for the first ``window - 1`` days of a surface, whose
          window reaches back beyond its data.

    Raises
    ------
    UsageError
        A column is absent, the frames hold more than one scope, or an option is wrong.

    Notes
    -----
    The last day of a window as long as the frame equals `surfaces`. Left out: as in `surfaces`.

    Source: this package, on fields of GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 2], "used_cli": [True, False]})
    >>> by_feature = pd.DataFrame({
    ...     "day": days, "user_id": [1, 2], "feature": ["code_completion"] * 2,
    ...     "code_generation_activity_count": [5, 5],
    ... })
    >>> trend = surface_users(users, by_feature, window=7, active="present")
    >>> trend[trend.surface == "cli"].set_index("day")[["people", "active_people", "share"]]
                people  active_people  share
    day
    2026-11-02       1              1    1.0
    2026-11-03       1              2    0.5
    """
    check_count(window, "window")
    users, uses, table = _read(users, by_feature, by_agent)
    person_days = active_days(users, active)
    days = frames.calendar(users, frames.first_and_last(users))
    grid = (
        people_in_window(days, person_days, window)
        .select("number", "day", active_people="people")
        .join(table, how="cross")
        .filter(nw.col("measured_from") <= nw.col("day"))
    )
    changes = _changes_of_both(uses, person_days, window).group_by("surface", "day")
    counts = (
        grid.join(changes.agg(nw.col("change").sum()), on=["surface", "day"], how="left")
        .with_columns(nw.col("change").fill_null(0).cast(nw.Int64))
        .with_columns(people=nw.col("change").cum_sum().over("surface", order_by="number"))
        .with_columns(
            is_complete_window=nw.col("measured_from").dt.offset_by(f"{window - 1}d")
            <= nw.col("day")
        )
    )
    shares = with_share(counts, "people", "active_people", "share")
    columns = ("surface", "label", "day", "people", "active_people", "share", "low", "high")
    return frames.result(shares.select(*columns, "is_complete_window"), "surface", "day")


def _changes_of_both(uses: nw.LazyFrame, person_days: nw.LazyFrame, window: int) -> nw.LazyFrame:
    """Return when people start (+1) and stop (-1) to have both used a surface and been active."""
    users_of = uses.select("surface", "user_id").unique()
    active_of = person_days.join(users_of, on="user_id").select("surface", "user_id", "day")
    both = nw.concat(
        [
            window_changes(uses, window, "surface").with_columns(other=nw.lit(0)),
            window_changes(active_of, window, "surface").select(
                "surface", "user_id", "day", change=nw.lit(0), other="change"
            ),
        ],
        how="vertical",
    )
    keys = ("surface", "user_id")
    states = (
        both.group_by(*keys, "day")
        .agg(nw.col("change").sum(), nw.col("other").sum())
        .with_columns(nw.col("change", "other").cum_sum().over(*keys, order_by="day"))
        .with_columns(inside=nw.col("change") * nw.col("other"))
    )
    before = nw.col("inside").shift(1).over(*keys, order_by="day").fill_null(0)
    return states.with_columns(change=nw.col("inside") - before).select("surface", "day", "change")
