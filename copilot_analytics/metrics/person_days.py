"""Records per person and day: what was done with each value of a breakdown, and by whom."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.periods import measured_sums, with_values

PERSON_DAY = ("user_id", "day")


def person_day_totals(breakdown, *, by: str | Sequence[str], canonical: bool = True):
    """Return what each person did each day with each language, model, feature or IDE.

    Question: which languages or models did a person use on a day, and how much, whatever the
    feature?

    Parameters
    ----------
    breakdown
        A breakdown of one scope, for example ``users_by_language_feature``.
    by
        Column or columns of the breakdown, for example ``"language"``.
    canonical
        As in `daily_totals`.

    Returns
    -------
    frame
        One row per person, day and value of `by`.

        - ``user_id`` and ``day``: the person and the UTC day.
        - the columns of `by`.
        - every counter of the breakdown, such as ``code_generation_activity_count``: its sum;
          missing where no record of the person's day and value has it.

    Raises
    ------
    UsageError
        A column is absent, or the frame holds more than one scope.

    Notes
    -----
    Left out: records without a value of `by`.

    Source: GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> languages = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-02"]), "user_id": 1,
    ...     "language": ["ts", "typescript"], "feature": ["code_completion", "agent_edit"],
    ...     "code_generation_activity_count": [4, 3],
    ... })
    >>> person_day_totals(languages, by="language")
       user_id        day    language  code_generation_activity_count
    0        1 2026-11-02  typescript                               7
    """
    names = frames.as_names(by)
    rows = frames.read(breakdown, *PERSON_DAY, *names)
    frames.one_scope(rows)
    columns = frames.have(rows, frames.slice_counters())
    rows = with_values(rows.select(*PERSON_DAY, *names, *columns), names)
    if canonical:
        rows = frames.with_canonical_names(rows, names)
    keys = [*PERSON_DAY, *names]
    return frames.result(measured_sums(rows, keys, columns), *keys)


def users_of(users, breakdown, *, dimension: str, value: str, canonical: bool = True):
    """Return the records of people on days on which they used one language, model, feature or IDE.

    Question: whose figures are behind one line of a breakdown?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    breakdown
        A breakdown of the same people, for example ``users_by_language_feature``.
    dimension
        Column of the breakdown, for example ``"language"``.
    value
        Value of that column, for example ``"python"``.
    canonical
        As in `daily_totals`.

    Returns
    -------
    frame
        Rows of `users`, with its columns.

    Raises
    ------
    UsageError
        A column is absent, or the frames hold more than one scope.

    Notes
    -----
    Left out: days on which the person had no activity with the value. The counters of the rows
    are those of the whole day.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.to_datetime(["2026-11-02"])
    >>> users = pd.DataFrame({"day": [*day, *day], "user_id": [1, 2]})
    >>> languages = pd.DataFrame({"day": day, "user_id": [2], "language": ["go"],
    ...                           "code_generation_activity_count": [5]})
    >>> users_of(users, languages, dimension="language", value="go")["user_id"].tolist()
    [2]
    """
    users = frames.read(users, *PERSON_DAY)
    breakdown = frames.read(breakdown, *PERSON_DAY, dimension)
    frames.one_scope(users, breakdown)
    uses = used_days(breakdown, dimension, canonical).filter(nw.col(dimension) == value)
    return users.join(uses, on=PERSON_DAY, how="semi").to_native()


def used_days(breakdown: nw.LazyFrame, dimension: str, canonical: bool) -> nw.LazyFrame:
    """Return each person, day and value once on which the person used the value."""
    rows = with_values(frames.with_activity(breakdown, *PERSON_DAY, dimension), [dimension])
    return frames.distinct(frames.with_canonical_names(rows, [dimension]) if canonical else rows)
