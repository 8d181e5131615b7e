"""Who counts as active, and how many people are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache

import narwhals
import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.windows import people_in_window

# A passive review happens to a person, who may not even have looked at it.
PASSIVE_FLAG = "used_copilot_code_review_passive"
INTERACTIONS = "user_initiated_interaction_count"
AGENT_COUNTER = "third_party_agent_interaction_count"

_DEFINITIONS = {
    "interactions": "at least one prompt sent (user-initiated interactions above 0)",
    "engaged": "at least one prompt, generation or acceptance, or any use of the agents, the CLI, "
    "the app, the cloud agent or code review",
    "present": "a record exists, even if it shows no activity",
}


@cache
def _engaged_columns() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the counters and flags of the users table that show that a person did something."""
    columns = catalogue.table("users").columns
    counters = [f.column for f in columns if f.type == "count"]
    flags = [f.column for f in columns if f.type == "flag" and f.column.startswith("used_")]
    flags.remove(PASSIVE_FLAG)
    return (*counters, AGENT_COUNTER), tuple(flags)


def is_active(active: str | nw.Expr) -> nw.Expr:
    """Return a definition of active as an expression over the users table.

    Question: when does a person count as active on a day?

    Parameters
    ----------
    active
        ``"interactions"``: the person sent at least one prompt. GitHub's rule for active in an
        IDE. People who only take inline completions send none.
        ``"engaged"``: any activity counter above 0, any ``used_*`` flag True except that of
        passive code review, or any count of the CLI, the app, the Agents window, third-party
        agents or customizations above 0. What the frame does not have is not looked at.
        ``"present"``: the record exists. Records without activity occur, for example when only
        credits were billed.
        Or any expression of narwhals that gives True or False per row.

    Returns
    -------
    narwhals.Expr
        True or False for each row of the users table, never missing: a missing flag or counter is
        not activity.

    Raises
    ------
    UsageError
        The definition is not known.

    Notes
    -----
    Third-party agents are in a table of their own: see `with_third_party_agents`.

    Source: GitHub docs, Copilot usage metrics, for ``"interactions"``; this package for the rest.

    Examples
    --------
    >>> import narwhals.stable.v2 as nw, pandas as pd
    >>> users = pd.DataFrame({"user_initiated_interaction_count": [3, 0], "used_cli": [None, True]})
    >>> nw.from_native(users.convert_dtypes()).select(
    ...     prompts=is_active("interactions"), anything=is_active("engaged")
    ... ).to_native().values.tolist()
    [[True, True], [False, True]]
    """
    if isinstance(active, narwhals.Expr):
        return active.fill_null(False)
    if active == "interactions":
        return (nw.col(INTERACTIONS) > 0).fill_null(False)
    if active == "engaged":
        counters, flags = _engaged_columns()
        return nw.any_horizontal(_any_of(counters) > 0, _any_of(flags), ignore_nulls=True)
    if active == "present":
        return ~nw.col("user_id").is_null()
    raise UsageError(
        f"{active!r} is not a definition of active",
        advice=f"one of: {', '.join(_DEFINITIONS)}; or a narwhals expression",
    )


def _any_of(names: Iterable[str]) -> nw.Expr:
    """Return those of the named columns that the frame turns out to have."""
    return nw.selectors.matches(f"^({'|'.join(names)})$")


def active_definition(active: str | nw.Expr) -> str:
    """Return a definition of active in words, for the text beside a figure.

    Question: what does "active" mean in a figure?

    Parameters
    ----------
    active
        Definition of active, see `is_active`.

    Returns
    -------
    str
        What a person has to have done on a day.

    Raises
    ------
    UsageError
        The definition is not known.

    Notes
    -----
    Source: as for `is_active`.

    Examples
    --------
    >>> active_definition("interactions")
    'at least one prompt sent (user-initiated interactions above 0)'
    """
    is_active(active)
    return _DEFINITIONS[active] if isinstance(active, str) else f"an own definition: {active}"


def with_third_party_agents(users, by_agent):
    """Add the jobs that people started with third-party agents to the users table.

    Question: how does a person count as ``"engaged"`` who used third-party agents only?

    Parameters
    ----------
    users
        Users table, one row per person and day.
    by_agent
        ``users_by_agent`` table, one row per person, day and agent.

    Returns
    -------
    frame
        `users` with the column ``third_party_agent_interaction_count`` (jobs started). Missing
        where GitHub reported no agent for the person and day.

    Raises
    ------
    UsageError
        A column is absent, or the frames hold more than one scope.

    Notes
    -----
    Left out: jobs of people without a record in `users` on that day.

    Source: GitHub docs, Copilot usage metrics (``totals_by_3rd_party_agent``).

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.Timestamp("2026-11-02")
    >>> users = pd.DataFrame({"day": [day, day], "user_id": [1, 2]})
    >>> jobs = pd.DataFrame({"day": [day], "user_id": [2], "user_initiated_interaction_count": [4]})
    >>> with_third_party_agents(users, jobs)["third_party_agent_interaction_count"].tolist()
    [<NA>, 4]
    """
    users = frames.read(users, "day", "user_id")
    by_agent = frames.read(by_agent, "day", "user_id", INTERACTIONS)
    frames.one_scope(users, by_agent)
    jobs = by_agent.group_by("user_id", "day").agg(nw.col(INTERACTIONS).sum().alias(AGENT_COUNTER))
    return frames.result(
        users.join(jobs, on=["user_id", "day"], how="left"),
        "day",
        "user_id",
        counts=[AGENT_COUNTER],
    )


def check_active(users: nw.LazyFrame, active: str | nw.Expr) -> None:
    """Refuse a frame that has nothing of what a definition of active looks at."""
    counters, flags = _engaged_columns()
    needed = {"interactions": (INTERACTIONS,), "engaged": counters + flags}
    if isinstance(active, str) and active in needed:
        frames.among(users, needed[active])


def only_active(users: nw.LazyFrame, active: str | nw.Expr) -> nw.LazyFrame:
    """Return person and day of the rows of the users table that a definition of active admits."""
    check_active(users, active)
    # Marked first: pandas would copy all columns of the rows that stay.
    marked = users.select("user_id", "day", _active=is_active(active))
    return marked.filter(nw.col("_active")).select("user_id", "day")


def active_days(users: nw.LazyFrame, active: str | nw.Expr) -> nw.LazyFrame:
    """Return each person and day once on which the person was active."""
    return frames.kept(frames.distinct(only_active(users, active), "user_id", "day"))


def active_in_windows(
    users: nw.LazyFrame, active: str | nw.Expr, windows: Sequence[int]
) -> nw.LazyFrame:
    """Return the persons and days for `people_in_window`, which needs them once for single days."""
    if 1 in windows:
        return active_days(users, active)
    return only_active(users, active)


def active_people(users: nw.LazyFrame, active: str | nw.Expr) -> nw.LazyFrame:
    """Return each person once who was active on any day."""
    return frames.kept(frames.distinct(only_active(users, active), "user_id"))


def check_count(count: int, name: str) -> None:
    """Refuse an option that is not a whole number above zero."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UsageError(f"{name} {count!r} is not a whole number from 1 on")


def active_users(
    users,
    *,
    active: str | nw.Expr = "interactions",
    window: int = 1,
    missing_days: Collection = (),
):
    """Return how many people were active in a trailing window, for every day.

    Question: how many different people used Copilot each day, or in the last 7 or 28 days?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    active
        Definition of active, see `is_active`.
    window
        Length of the window in days: 1 for daily, 7 for weekly, 28 for monthly people. The window
        ends with the day of the row.
    missing_days
        Days without a report; see `missing_days`.

    Returns
    -------
    frame
        One row per calendar day from the first to the last day of the frame.

        - ``day``: UTC day on which the window ends.
        - ``active_users``: different people active on at least one day of the window; missing where
          the day is one of `missing_days` and no other day of the window has a record.
        - ``is_complete_window``: False for the first ``window - 1`` days, whose window reaches
          back beyond the data.
        - ``days_with_records``: days of the window that have any record. Where this is less than
          the window, days may be missing, and ``active_users`` is a lower bound.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: people without a record, whom GitHub never saw; chat on github.com and on mobile.
    Weekly figures of GitHub may run from Sunday to date instead: see `definition_table`.

    Source: GitHub docs, Copilot usage metrics (distinct users in trailing days).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-02", "2026-11-04"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 2, 1]})
    >>> active_users(users, active="present", window=2)
             day  active_users  is_complete_window  days_with_records
    0 2026-11-02             2               False                  1
    1 2026-11-03             2                True                  1
    2 2026-11-04             1                True                  1
    """
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    ends = frames.first_and_last(users)
    person_days = active_in_windows(users, active, [window])
    counted = _active_users(users, ends, person_days, window, missing_days)
    return frames.result(counted, "day", counts=["active_users"])


def active_users_by_window(
    users,
    *,
    active: str | nw.Expr = "interactions",
    windows: Sequence[int] = (1, 7, 28),
    missing_days: Collection = (),
):
    """Return how many people were active in trailing windows of several lengths, for every day.

    Question: how do daily, weekly and monthly active people compare?

    Parameters
    ----------
    users, active, missing_days
        As in `active_users`.
    windows
        Lengths of the windows in days.

    Returns
    -------
    frame
        One row per window and calendar day: ``window`` (days), then the columns of `active_users`.

    Raises
    ------
    UsageError
        As for `active_users`.

    Notes
    -----
    Left out: as in `active_users`.

    Source: as for `active_users`.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 2]})
    >>> active_users_by_window(users, active="present", windows=(1, 7))["active_users"].tolist()
    [1, 1, 1, 2]
    """
    check_count(len(windows), "number of windows")
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    ends = frames.first_and_last(users)
    person_days = active_in_windows(users, active, windows)
    parts = [
        _active_users(users, ends, person_days, window, missing_days).with_columns(
            window=nw.lit(window)
        )
        for window in dict.fromkeys(windows)
    ]
    columns = ("window", "day", "active_users", "is_complete_window", "days_with_records")
    both = nw.concat(parts, how="vertical")
    return frames.result(both.select(*columns), "window", "day", counts=["active_users"])


def _active_users(
    users: nw.LazyFrame, ends, person_days, window: int, missing_days: Collection
) -> nw.LazyFrame:
    check_count(window, "window")
    missing = {frames.as_day(day) for day in missing_days}
    days = frames.calendar(users, ends, is_reported=lambda day: int(day not in missing))
    counted = people_in_window(days, person_days, window)
    counted = counted.select("number", "day", "is_reported", active_users="people")
    # Every recorded day is counted like a person who was there on that day only.
    recorded = frames.distinct(users, "day").with_columns(user_id=nw.col("day"))
    is_known = (nw.col("people") > 0) | (nw.col("is_reported") == 1)
    return people_in_window(counted, recorded, window).select(
        "day",
        nw.when(is_known).then(nw.col("active_users")).alias("active_users"),
        is_complete_window=nw.col("number") >= window - 1,
        days_with_records="people",
    )
