"""What a report may show of teams, and of how they add up."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics.privacy.groups import (
    as_names,
    check_columns,
    hide_small_groups,
    value_columns,
)
from copilot_analytics.privacy.parts import is_small, limit_shares

SHARED, SPENDERS = "people_in_several_teams", "people_with_credits"
# Counters of what few people of a team may use; how many do, the frame does not say.
OF_ONE_CLIENT = ("cli_", "app_", "vscode_agent_")
# The lines of `metrics.team_totals` by which everybody differs from the sum of the teams.
BETWEEN = ("counted_again", "without_team", "without_report")


def hide_small_teams(
    frame: pd.DataFrame,
    minimum: int = 5,
    *,
    within: str | Sequence[str] = (),
    complementary: bool = True,
) -> pd.DataFrame:
    """Return the figures of teams without those that show single persons.

    Question: which figures of teams may be published?

    Parameters
    ----------
    frame
        pandas frame of `metrics.team_activity`.
    minimum
        Least number of people of a group that is shown.
    within
        The period, such as ``"week"``, if the frame has several.
    complementary
        Whether a hidden figure could be found as total minus rest. False only for a frame without
        counters, whose numbers of people are not published for all teams together.

    Returns
    -------
    pandas.DataFrame
        The frame with ``at_least``, ``at_most`` and ``is_hidden``.

        - All figures are missing in teams of fewer than `minimum` members or active people, and in
          the smallest others that would reveal them.
        - ``active_users`` and its share become a range where fewer than `minimum` members were not
          active: see `limit_shares`. ``active_person_days`` is then missing too.
        - Counters of the CLI, the app and the Agents window are missing, because the frame does not
          say how many people of the team used these; see `metrics.surfaces` of
          `metrics.members_only` for one team.
        - Credits are missing as well where fewer than `minimum` people used any, and in the
          smallest others that would reveal them.
        - With a fractional attribution figures are missing as well where fewer than `minimum`
          people are in several teams, because the difference to the full attribution would be
          theirs.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Names of teams, and the number of members from `minimum` on, are not hidden.

    Source: GitHub leaves out teams of fewer than five; practice of statistical offices.

    Examples
    --------
    >>> import pandas as pd
    >>> teams = pd.DataFrame({"slug": ["a", "b", "c"], "members": [3, 12, 60],
    ...                       "active_users": [3, 6, 30], "active_person_days": [9, 20, 90]})
    >>> hide_small_teams(teams)[["slug", "members", "active_users", "active_person_days"]]
      slug  members  active_users  active_person_days
    0    a     <NA>          <NA>                <NA>
    1    b       12          <NA>                <NA>
    2    c       60            30                  90
    """
    check_columns(frame, "members", "active_users")
    hide = {"minimum": minimum, "within": within, "complementary": complementary}
    groups = hide_small_groups(frame, people=["members", "active_users"], **hide)
    is_hidden = groups["is_hidden"].to_numpy(bool)
    shares = limit_shares(frame, **hide)
    is_limited = shares["is_hidden"].to_numpy(bool)
    # The range of a team that is hidden for another one's sake would undo that.
    is_cover = is_hidden & ~is_small(frame["active_users"], minimum)
    hidden_if = dict.fromkeys(["active_users", "share", "low", "high"], is_hidden)
    hidden_if |= dict.fromkeys(["at_least", "at_most"], is_cover)
    hidden_if["members"] = is_small(frame["members"], minimum)
    if SHARED in frame:
        is_shared = hide_small_groups(frame, people=SHARED, **hide)["is_hidden"].to_numpy(bool)
        is_hidden = is_hidden | is_shared
    numbers = value_columns(nw.from_native(frame).schema, as_names(within))
    hidden_if |= dict.fromkeys((name for name in numbers if name not in hidden_if), is_hidden)
    hidden_if["active_person_days"] = is_hidden | is_limited
    if SPENDERS in frame:
        few_spend = hide_small_groups(frame, people=SPENDERS, **hide)["is_hidden"].to_numpy(bool)
        hidden_if |= dict.fromkeys((SPENDERS, "ai_credits_used"), is_hidden | few_spend)
    clients = [name for name in numbers if name.startswith(OF_ONE_CLIENT)]
    hidden_if |= dict.fromkeys(clients, pd.Series(True, index=frame.index))
    masked = {
        name: _nullable(shares[name]).mask(mark)
        for name, mark in hidden_if.items()
        if name in shares
    }
    is_hidden = pd.array(is_hidden | is_limited, dtype="boolean")
    return shares.assign(**masked, is_hidden=is_hidden)


def hide_small_lines(frame: pd.DataFrame, minimum: int = 5) -> pd.DataFrame:
    """Return how teams add up to the organization, without lines that show single persons.

    Question: which lines between the teams and the organization may be published?

    Parameters
    ----------
    frame
        pandas frame of `metrics.team_totals`.
    minimum
        Least number of people of a line that is shown.

    Returns
    -------
    pandas.DataFrame
        The frame with ``is_hidden``. Where people of several teams, people without a reported team
        or those of days without a report are fewer than `minimum`, all lines between the sum of
        the teams and everybody are hidden, because each follows from the others; and everybody as
        well, if nothing else lies between the two.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Source: practice of statistical offices (complementary suppression in linked tables).

    Examples
    --------
    >>> import pandas as pd
    >>> lines = pd.DataFrame({
    ...     "line": ["sum_of_teams", "counted_again", "in_teams", "without_team", "everybody"],
    ...     "people": [40, 8, 40, 2, 42], "active_users": [30, 8, 30, 2, 32],
    ...     "person_days": [500, -80, 420, 7, 427]})
    >>> hide_small_lines(lines)["person_days"].tolist()
    [500, <NA>, <NA>, <NA>, 427]
    """
    check_columns(frame, "line", "people", "active_users")
    is_few = is_small(frame["people"], minimum) | is_small(frame["active_users"], minimum)
    is_between = frame["line"].isin(BETWEEN)
    is_end = frame["line"].isin(["sum_of_teams", "everybody"])
    is_hidden = is_few.copy()
    if is_few.any():
        is_hidden |= ~is_end
        if (is_between & (frame["people"] > 0)).sum() < 2:
            is_hidden |= frame["line"] == "everybody"
    numbers = value_columns(nw.from_native(frame).schema, ())
    masked = {name: _nullable(frame[name]).mask(is_hidden) for name in numbers}
    return frame.assign(**masked, is_hidden=pd.array(is_hidden, dtype="boolean"))


def _nullable(column: pd.Series) -> pd.Series:
    """Return a column of whole numbers in a form that can hold missing ones."""
    return column.astype("Int64") if column.dtype.kind in "iu" else column
