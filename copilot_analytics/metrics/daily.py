"""Daily series of a group or of each group: amounts, people, and means of trailing days."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import active_days, check_count
from copilot_analytics.metrics.periods import measured_sums, with_people, with_values
from copilot_analytics.metrics.person_days import PERSON_DAY, used_days
from copilot_analytics.metrics.statistics import ratio, with_share
from copilot_analytics.metrics.windows import people_in_window, window_changes


def daily_totals(frame, *, counter: str, by: str | Sequence[str] | None = None, canonical=True):
    """Return the sum of a counter for every day.

    Question: how many prompts, pieces of code or lines were there each day?

    Parameters
    ----------
    frame
        Users table of one scope, or a breakdown of the same people.
    counter
        Column to add up, for example ``"user_initiated_interaction_count"``.
    by
        Column or columns of a breakdown for which to give separate sums, for example ``"ide"``.
    canonical
        Whether several spellings of one language, model or IDE, such as ``ts`` and ``typescript``,
        count as one: see `catalogue.canonical_names`.

    Returns
    -------
    frame
        One row per day with records, and value of `by`.

        - ``day``: UTC day.
        - the columns of `by`.
        - ``total``: sum of the counter; missing where no record of the day has it.
        - ``people``: different people with the counter above 0.

    Raises
    ------
    UsageError
        A column is absent, or the frame holds more than one scope.

    Notes
    -----
    Left out: days without any record; records without a value of `by`. Breakdowns do not add up to
    the users table for every counter, see `reconcile`.

    Source: GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-02", "2026-11-03"]),
    ...     "user_id": [1, 2, 1], "user_initiated_interaction_count": [4, 0, 2],
    ... })
    >>> daily_totals(users, counter="user_initiated_interaction_count")
             day  total  people
    0 2026-11-02      4       1
    1 2026-11-03      2       1
    """
    names = frames.as_names(by)
    rows = frames.read(frame, *PERSON_DAY, counter, *names)
    frames.one_scope(rows)
    rows = with_values(rows.select(*PERSON_DAY, *names, total=counter), names)
    if canonical:
        rows = frames.with_canonical_names(rows, names)
    keys = ["day", *names]
    sums = measured_sums(rows, keys, ["total"])
    counted = with_people(sums, keys, people=rows.filter(nw.col("total") > 0))
    return frames.result(counted, *keys)


def people_by(
    users,
    breakdown,
    *,
    dimension: str,
    window: int = 28,
    active: str | nw.Expr = "interactions",
    canonical: bool = True,
):
    """Return how many active people used each language, model, feature or IDE, for every day.

    Question: how does the number of people grow who use a language, model, feature or IDE?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    breakdown
        A breakdown of the same people, for example ``users_by_language_feature``.
    dimension
        Column of the breakdown, for example ``"language"``.
    window
        Length of the window in days; it ends with the day of the row.
    active
        Definition of active, see `is_active`.
    canonical
        As in `daily_totals`.

    Returns
    -------
    frame
        One row per value of `dimension` and calendar day of the users table.

        - the column of `dimension`.
        - ``day``: UTC day on which the window ends.
        - ``people``: different people with a day in the window on which they were active and had
          any activity with the value. The numerator.
        - ``active_people``: different people active within the window. The denominator.
        - ``share``: people / active_people; ``low``, ``high``: its 95 % Wilson interval.
        - ``is_complete_window``: False for the first ``window - 1`` days, whose window reaches
          back beyond the data.

    Raises
    ------
    UsageError
        A column is absent, the frames hold more than one scope, or an option is wrong.

    Notes
    -----
    Left out: use on days on which the person was not active under the definition. A person may use
    several values, so the shares add up to more than 1.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 2]})
    >>> languages = pd.DataFrame({
    ...     "day": days, "user_id": [1, 2], "language": ["go", "go"],
    ...     "code_generation_activity_count": [5, 1],
    ... })
    >>> people_by(users, languages, dimension="language", window=7, active="present")[
    ...     ["language", "day", "people", "active_people"]
    ... ]
      language        day  people  active_people
    0       go 2026-11-02       1              1
    1       go 2026-11-03       2              2
    """
    check_count(window, "window")
    users = frames.read(users, *PERSON_DAY)
    breakdown = frames.read(breakdown, *PERSON_DAY, dimension)
    frames.one_scope(users, breakdown)
    person_days = active_days(users, active)
    uses = used_days(breakdown, dimension, canonical).join(person_days, on=PERSON_DAY, how="semi")
    days = people_in_window(
        frames.calendar(users, frames.first_and_last(users)), person_days, window
    ).select("number", "day", active_people="people")
    changes = window_changes(uses, window, dimension)
    counts = (
        days.join(frames.distinct(uses, dimension), how="cross")
        .join(changes, on=[dimension, "day"], how="left")
        .with_columns(nw.col("change").fill_null(0).cast(nw.Int64))
        .with_columns(people=nw.col("change").cum_sum().over(dimension, order_by="number"))
        .with_columns(is_complete_window=nw.col("number") >= window - 1)
    )
    shares = with_share(counts, "people", "active_people", "share")
    columns = (dimension, "day", "people", "active_people", "share", "low", "high")
    return frames.result(shares.select(*columns, "is_complete_window"), dimension, "day")


def days_between(frame, start=None, end=None):
    """Return the rows of a table between two days.

    Question: what would a figure be for these days alone?

    Parameters
    ----------
    frame
        Any table with a ``day``.
    start, end
        First and last day, both included, as text, date or timestamp; None for no bound.

    Returns
    -------
    frame
        Rows of `frame`, with its columns.

    Raises
    ------
    UsageError
        A day is not one, or the frame has no column ``day``.

    Notes
    -----
    Left out: all other days, also where a window would reach back to them.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({"day": pd.to_datetime(["2026-11-02", "2026-11-03"]), "user_id": 1})
    >>> days_between(users, start="2026-11-03")["day"].dt.day.tolist()
    [3]
    """
    rows = frames.read(frame, "day")
    if start is not None:
        rows = rows.filter(nw.col("day") >= frames.as_day(start))
    if end is not None:
        rows = rows.filter(nw.col("day") <= frames.as_day(end))
    return rows.to_native()


def trailing_mean(
    frame,
    *,
    value: str,
    days: int = 7,
    by: str | Sequence[str] | None = None,
    ratio_of: tuple[str, str] | None = None,
):
    """Return a daily series with the mean of the trailing days in the place of each value.

    Question: what is the course of a series beneath its weekly rhythm?

    Parameters
    ----------
    frame
        One row per day, and value of `by`.
    value
        Column to smooth.
    days
        Length of the window in days; it ends with the day of the row.
    by
        Columns that name the series, where there are several.
    ratio_of
        Numerator and denominator of `value` where it is a rate: then it is the sum of the one over
        the sum of the other, and both become means as well.

    Returns
    -------
    frame
        The day, the columns of `by` and the means, for the same days.

        - ``day`` and the columns of `by`.
        - the columns of `ratio_of`, and `value`: mean over the days of the window that are there
          and have a value; missing where none has.
        - ``days_averaged``: how many days these are.

    Raises
    ------
    UsageError
        A column is absent, or an option is wrong.

    Notes
    -----
    Left out: days without a row or a value, which are not taken as 0.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-05"])
    >>> series = pd.DataFrame({"day": days, "people": [2, 4, 6]})
    >>> trailing_mean(series, value="people", days=2)
             day  people  days_averaged
    0 2026-11-02     2.0              1
    1 2026-11-03     3.0              2
    2 2026-11-05     6.0              1
    """
    check_count(days, "days")
    names = ["day", *frames.as_names(by)]
    averaged = list(ratio_of or (value,))
    series = frames.read(frame, *names, *averaged)
    series = series.select(*names, *(nw.col(name).cast(nw.Float64) for name in averaged))
    known = series.filter(*(~nw.col(name).is_null() for name in averaged))
    reach = nw.concat(
        [
            known.with_columns(nw.col("day").dt.offset_by(f"{ahead}d")) if ahead else known
            for ahead in range(days)
        ],
        how="vertical",
    )
    means = reach.group_by(*names).agg(nw.col(*averaged).mean(), days_averaged=nw.len())
    result = series.select(*names).join(means, on=names, how="left")
    if ratio_of:
        result = result.with_columns(ratio(*ratio_of).alias(value))
    counted = nw.col("days_averaged").fill_null(0).cast(nw.Int64)
    columns = dict.fromkeys([*names, *averaged, value])
    return frames.result(result.select(*columns, counted), *names)
