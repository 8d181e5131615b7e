"""Which days are there, and which are not: what every figure rests on."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

# States of days for which GitHub may have data that we do not have.
MISSING_STATES = ("missing", "failed", "damaged", "pending")
DATA_STATES = ("final", "provisional", "present")
COLUMNS = ("scope", "family", "day", "state", "rows")


def coverage(tables) -> pd.DataFrame:
    """Return the state of every day, those without any trace included.

    Question: which days do the figures rest on?

    Parameters
    ----------
    tables
        `Tables` of files or of the archive.

    Returns
    -------
    pandas.DataFrame
        One row per scope, family of reports and calendar day, from the first to the last day with
        a state in that scope and family.

        - ``scope``, ``family`` (``users``, ``entity``, ``teams`` or ``repos``), ``day``.
        - ``state``: ``final``; ``provisional``, may still grow; ``present``, read from a file;
          ``empty``, GitHub said that there was nothing; ``missing``, ``pending``, ``failed``,
          ``damaged``, there may be a report that we do not have; ``gap``, nothing is known: no
          record of the day was in the files.
        - ``rows``: records of the day; 0 in a gap.

    Notes
    -----
    A gap in a 28-day report is a day without any use. A gap between files of single days may be a
    file that was never fetched.

    Source: this package.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}\\n'
    ...                  b'{"day":"2026-11-04","enterprise_id":"7","daily_active_users":4}')
    >>> coverage(tables)[["family", "day", "state", "rows"]]
       family        day    state  rows
    0  entity 2026-11-02  present     1
    1  entity 2026-11-03      gap     0
    2  entity 2026-11-04  present     1
    """
    states = tables.day_states[list(COLUMNS)]
    ranges = states.groupby(["scope", "family"], as_index=False)["day"].agg(["min", "max"])
    calendar = [
        pd.DataFrame({"scope": r.scope, "family": r.family, "day": pd.date_range(r.min, r.max)})
        for r in ranges.itertuples(index=False)
    ]
    if not calendar:
        return states.reset_index(drop=True)
    days = pd.concat(calendar).astype({"scope": "str", "family": "str", "day": "datetime64[us]"})
    result = days.merge(states, on=["scope", "family", "day"], how="left")
    result["state"] = result["state"].fillna("gap").astype("str")
    result["rows"] = result["rows"].astype("Int64").fillna(0)
    return result.sort_values(["scope", "family", "day"], ignore_index=True)


def days_present(tables) -> pd.DataFrame:
    """Return how many days of each family of reports are there, provisional, empty or missing.

    Question: how complete are the data, and up to which day are they final?

    Parameters
    ----------
    tables
        `Tables` of files or of the archive.

    Returns
    -------
    pandas.DataFrame
        One row per scope and family of reports.

        - ``scope``, ``family``.
        - ``first_day``, ``last_day``: first and last day with data.
        - ``last_final_day``: last day that will not grow any more; missing for files, which do not
          say it.
        - ``calendar_days``: days from the first to the last one with a state.
        - ``days_with_data``: of these, days with data; ``days_provisional`` of them may still grow.
        - ``days_empty``: days of which GitHub said that there was nothing.
        - ``days_missing``: days for which there may be a report that we do not have.
        - ``days_in_gaps``: days of which nothing is known.

    Notes
    -----
    Source: this package; states as in `coverage`.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
    >>> days_present(tables)[["family", "calendar_days", "days_with_data", "days_in_gaps"]]
       family  calendar_days  days_with_data  days_in_gaps
    0  entity              1               1             0
    """
    days = coverage(tables)
    state = days["state"]
    days = days.assign(
        data_day=days["day"].where(state.isin(DATA_STATES)),
        final_day=days["day"].where(state == "final"),
        with_data=state.isin(DATA_STATES),
        provisional=state == "provisional",
        empty=state == "empty",
        missing=state.isin(MISSING_STATES),
        gap=state == "gap",
    )
    result = days.groupby(["scope", "family"], as_index=False).agg(
        first_day=("data_day", "min"),
        last_day=("data_day", "max"),
        last_final_day=("final_day", "max"),
        calendar_days=("day", "size"),
        days_with_data=("with_data", "sum"),
        days_provisional=("provisional", "sum"),
        days_empty=("empty", "sum"),
        days_missing=("missing", "sum"),
        days_in_gaps=("gap", "sum"),
    )
    counts = [name for name in result if name.startswith(("days_", "calendar_"))]
    return result.astype(dict.fromkeys(counts, "Int64"))


def missing_days(tables, *, family: str = "users") -> list[datetime]:
    """Return the days for which there may be a report that we do not have.

    Question: which days must not be counted as days without use?

    Parameters
    ----------
    tables
        `Tables` of files or of the archive.
    family
        Family of reports: ``"users"``, ``"entity"``, ``"teams"`` or ``"repos"``.

    Returns
    -------
    list of datetime.datetime
        The days that are missing, pending, failed or damaged, in order. Give them to the metrics
        that divide by days.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> missing_days(ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}'))
    []
    """
    days = tables.day_states
    is_missing = days["state"].isin(MISSING_STATES) & (days["family"] == family)
    return sorted(set(days.loc[is_missing, "day"].dt.to_pydatetime().tolist()))
