"""How many people use each surface of Copilot, and how that changes."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import active_in_windows, active_people, check_count
from copilot_analytics.metrics.statistics import with_share
from copilot_analytics.metrics.surface import SURFACES, reported_surfaces, uses_of
from copilot_analytics.metrics.windows import (
    block_of,
    changes_of,
    overlaps,
    people_in_window,
    runs_of,
    window_runs,
)


def read_uses(users, by_feature, by_agent):
    """Return the users of one scope, each surface and person once, and the surfaces.

    A use has its first and last day, `start` and `last`; a surface the day it is measured from.
    """
    users, by_feature, by_agent = _read(users, by_feature, by_agent)
    reported = reported_surfaces(users, by_feature, by_agent)
    uses = frames.kept(uses_of(users, by_feature, by_agent, reported))
    return users, uses, _listed(users, reported)


def _listed(users: nw.LazyFrame, reported: list[dict]) -> nw.LazyFrame:
    types = {"place": nw.Int64, "surface": nw.String, "label": nw.String}
    return frames.literals(users, reported, types | {"measured_from": frames.DAY})


def _read(users, by_feature, by_agent):
    users = frames.read(users, "day", "user_id")
    by_feature = frames.read(by_feature, "day", "user_id", "feature")
    given = [users, by_feature]
    if by_agent is not None:
        by_agent = frames.read(by_agent, "day", "user_id")
        given.append(by_agent)
    frames.one_scope(*given)
    return users, by_feature, by_agent


def surfaces(users, by_feature, by_agent=None, *, active: str | nw.Expr = "interactions"):
    """Return how many of the active people used each surface of Copilot.

    Question: which ways of using Copilot have people taken up?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    by_feature
        ``users_by_feature`` of the same people.
    by_agent
        ``users_by_agent`` of the same people, without which third-party agents are missing.
    active
        Definition of active, see `is_active`.

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
    users, uses, table = read_uses(users, by_feature, by_agent)
    people = active_people(users, active)
    used = uses.join(people, on="user_id", how="semi")
    counts = (
        table.join(used.group_by("place").agg(people=nw.len()), on="place", how="left")
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
    by_agent=None,
    *,
    window: int = 28,
    active: str | nw.Expr = "interactions",
):
    """Return how many of the active people used each surface in a trailing window, for every day.

    Question: how does the take-up of agents, the CLI or the app change?

    Parameters
    ----------
    users, by_feature, by_agent, active
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
        - ``people``: people who were active and used the surface within the window. The
          numerator.
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
    users, by_feature, by_agent = _read(users, by_feature, by_agent)
    reported = reported_surfaces(users, by_feature, by_agent)
    person_days = active_in_windows(users, active, [window])
    days = frames.calendar(users, frames.first_and_last(users))
    grid = (
        people_in_window(days, person_days, window)
        .select("number", "day", active_people="people")
        .join(_listed(users, reported), how="cross")
        .filter(nw.col("measured_from") <= nw.col("day"))
    )
    # People who were active and used the surface, each on any day of the window.
    block = block_of(nw.col("day"), window)
    blocks = [
        None if table is None else table.with_columns(_block=block)
        for table in (users, by_feature, by_agent)
    ]
    uses = runs_of(uses_of(*blocks, reported, "_block"), window, "place")
    both = overlaps(uses, window_runs(person_days, window))
    counts = (
        grid.join(changes_of(both, "place"), on=["place", "day"], how="left")
        .with_columns(nw.col("change").fill_null(0).cast(nw.Int64))
        .with_columns(people=nw.col("change").cum_sum().over("place", order_by="number"))
        .with_columns(
            is_complete_window=nw.col("measured_from").dt.offset_by(f"{window - 1}d")
            <= nw.col("day")
        )
    )
    shares = with_share(counts, "people", "active_people", "share")
    columns = ("surface", "label", "day", "people", "active_people", "share", "low", "high")
    return frames.result(shares.select(*columns, "is_complete_window"), "surface", "day")


def surfaces_per_person(
    users, by_feature, by_agent=None, *, active: str | nw.Expr = "interactions"
):
    """Return how many surfaces of Copilot each active person used.

    Question: do people stay with one way of using Copilot, or take up several?

    Parameters
    ----------
    users, by_feature, by_agent, active
        As in `surfaces`.

    Returns
    -------
    frame
        One row per person active on at least one day of the frame.

        - ``user_id``: the person.
        - ``surfaces``: different surfaces used on any day of the frame, see `surface_rules`; 0
          where none was reported.
        - ``surface_groups``: different groups of them: completion, chat, agent, cli, app, review.

    Raises
    ------
    UsageError
        A column is absent, or the frames hold more than one scope.

    Notes
    -----
    `distribution` turns it into the number and share of people with one surface, two, and so on.
    GitHub came to report more surfaces over time, so periods far apart do not compare. Left out: as
    in `surfaces`.

    Source: this package, on fields of GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> from copilot_analytics.metrics import distribution
    >>> day = pd.Timestamp("2026-11-02")
    >>> users = pd.DataFrame({"day": [day] * 2, "user_id": [1, 2], "used_cli": [False, True]})
    >>> by_feature = pd.DataFrame({
    ...     "day": [day] * 2, "user_id": [1, 2], "feature": ["code_completion"] * 2,
    ...     "code_generation_activity_count": [5, 1],
    ... })
    >>> depth = surfaces_per_person(users, by_feature, active="present")
    >>> depth["surfaces"].tolist()
    [1, 2]
    >>> distribution(depth, column="surfaces", edges=(1, 2))[["bin", "people", "share"]]
      bin  people  share
    0   1       1    0.5
    1  2+       1    0.5
    """
    users, uses, table = read_uses(users, by_feature, by_agent)
    groups = {surface.name: surface.group for surface in SURFACES}
    group = nw.col("surface").replace_strict(groups, default=None, return_dtype=nw.String)
    table = table.select("place", group=nw.coalesce(group, nw.col("surface")))
    counts = (
        uses.join(table, on="place")
        .group_by("user_id")
        .agg(surfaces=nw.len(), surface_groups=nw.col("group").n_unique())
    )
    people = active_people(users, active)
    result = people.join(counts, on="user_id", how="left")
    zeros = nw.col("surfaces", "surface_groups").fill_null(0).cast(nw.Int64)
    return frames.result(result.with_columns(zeros), "user_id")
