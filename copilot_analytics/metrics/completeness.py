"""Which days are there, and which are not: what every figure rests on."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.periods import with_period
from copilot_analytics.metrics.statistics import with_share

# States of days for which GitHub may have data that we do not have.
MISSING_STATES = ("missing", "failed", "damaged", "pending")
GAP = "gap"
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
          ``empty``, GitHub said that there was nothing, or its 28-day report has no record of the
          day; ``missing``, ``pending``, ``failed``, ``damaged``, there may be a report that we do
          not have; ``gap``, nothing is known: no report of the day was in the files.
        - ``rows``: records of the day; 0 in a gap.

    Notes
    -----
    A gap between files of single days may be a file that was never fetched: it counts as missing.

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
    result["state"] = result["state"].fillna(GAP).astype("str")
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
        gap=state == GAP,
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
        The days that are missing, pending, failed, damaged or a gap, in order. Give them to the
        metrics that count or divide by days.

    Notes
    -----
    Source: this package.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> missing_days(ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}'))
    []
    """
    days = coverage(tables)
    is_missing = days["state"].isin([*MISSING_STATES, GAP]) & (days["family"] == family)
    return sorted(set(days.loc[is_missing, "day"].dt.to_pydatetime().tolist()))


def reduced_records(users, *, period: str = "week", week_start: str = "monday"):
    """Return which share of the records of people holds credits at most.

    Question: how much of the activity is not told?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    period
        ``"day"``, ``"week"`` or ``"month"``.
    week_start
        Weekday on which weeks begin.

    Returns
    -------
    frame
        One row per period with records.

        - ``day``, ``week`` or ``month``, as asked for by `period`: first day of the period.
        - ``reduced``: records, one per person and day, that have neither a ``used_*`` flag nor a
          breakdown: use was billed, and no telemetry arrived. The numerator.
        - ``records``: all records. The denominator.
        - ``share``: reduced / records.
        - ``low``, ``high``: 95 % Wilson interval of the share, which takes every record as
          independent of the others; people differ, so the true uncertainty is larger.
        - ``people``: different people with a reduced record.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    These people are not known to be inactive: what they did is missing. Left out: people without a
    record. Such records occur from 2026-06-19 on, when credits began.

    Source: seen in reports of organizations; GitHub changelog 2026-06-19.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({"day": [pd.Timestamp("2026-11-02")] * 4, "user_id": [1, 2, 3, 4],
    ...                       "has_telemetry": [True, False, True, True]})
    >>> reduced_records(users)[["week", "reduced", "records", "share", "people"]]
            week  reduced  records  share  people
    0 2026-11-02        1        4   0.25       1
    """
    users = frames.read(users, "day", "user_id", "has_telemetry")
    frames.one_scope(users)
    is_reduced = (~nw.col("has_telemetry")).fill_null(False).cast(nw.Int64)
    rows, names = with_period(users, period, week_start)
    persons = rows.select(*names, "user_id", reduced=is_reduced).group_by(*names, "user_id")
    counts = persons.agg(nw.col("reduced").sum(), records=nw.len()).with_columns(
        people=(nw.col("reduced") > 0).cast(nw.Int64)
    )
    totals = counts.group_by(*names).agg(nw.col("reduced", "records", "people").sum())
    shares = with_share(totals, "reduced", "records", "share")
    columns = ("reduced", "records", "share", "low", "high", "people")
    return frames.result(shares.select(*names, *columns), *names)


def unknown_fields(tables) -> pd.DataFrame:
    """Return the fields of the reports that this version of the catalogue does not describe.

    Question: what does GitHub report that these figures do not look at?

    Parameters
    ----------
    tables
        `Tables` of files or of the archive.

    Returns
    -------
    pandas.DataFrame
        One row per table and field.

        - ``table``: table whose column ``extra`` keeps the values.
        - ``field``: name of the field in GitHub's records.
        - ``rows``: rows that have it.

    Notes
    -----
    A new version of the package may know them. Left out: nothing; no value is lost.

    Source: this package.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> unknown_fields(ca.load(b'{"day":"2026-11-02","organization_id":"7","user_id":1,'
    ...                        b'"user_initiated_interaction_count":3,"weather":"fine"}'))
       table    field  rows
    0  users  weather     1
    """
    found: Counter[tuple[str, str]] = Counter()
    for name in tables:
        kept = tables.read(name, ["extra"])["extra"].dropna()
        found.update((name, field) for text in kept for field in json.loads(text))
    rows = [(table, field, count) for (table, field), count in sorted(found.items())]
    result = pd.DataFrame(rows, columns=["table", "field", "rows"])
    return result.astype({"table": "str", "field": "str", "rows": "Int64"})
