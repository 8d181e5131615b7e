"""Running totals, whose differences would tell what few people did on a day."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from copilot_analytics.privacy.groups import check_columns
from copilot_analytics.privacy.parts import is_small

# What a day adds to the totals; all other numbers of its row that are hidden are totals.
OF_THE_DAY = ("credits", "expected")
TOTALS = ("cumulative", "low", "high", "cumulative_usd", "low_usd", "high_usd")


def hide_small_days(frame: pd.DataFrame, minimum: int = 5) -> pd.DataFrame:
    """Return a forecast of credits without what tells of days with too few people.

    Question: how far may the course of a month be shown, day by day?

    Parameters
    ----------
    frame
        pandas frame of `metrics.credits_forecast`.
    minimum
        Least number of people of a figure that is shown.

    Returns
    -------
    pandas.DataFrame
        The frame with ``is_hidden``, which is True where anything of the row is missing for this
        reason. Nothing is shown if the whole month has 1 to ``minimum - 1`` people.

        - The totals since the first of the month (``cumulative``, ``low``, ``high`` and their
          values in USD) are missing on days of too few people, and on days of nobody after them.
          So between two totals there is either a day of enough people, or nobody at all.
        - The last day of enough people before the end of a calendar week, or of what is measured,
          has no totals either where only days of too few people follow: the total of the week, and
          the one that the forecast starts from, are known. The latter is shown.
        - ``credits`` and ``expected`` are missing on a day without the totals of this day and of
          the day before.
        - ``people`` and ``all_people`` are missing where they are too small.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Left out: a week without any day of enough people, and what the totals of other periods than
    weeks from Monday tell together with these.

    Source: practice of statistical offices (complementary suppression).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"day": pd.date_range("2026-11-05", "2026-11-09"), "credits": 9.0,
    ...     "cumulative": [9.0, 18.0, 27.0, 36.0, 45.0], "is_measured": True,
    ...     "people": [8, 8, 2, 3, 8], "all_people": 9})
    >>> hide_small_days(frame)[["people", "credits", "cumulative"]]
       people  credits  cumulative
    0       8      9.0         9.0
    1       8      NaN         NaN
    2    <NA>      NaN         NaN
    3    <NA>      NaN         NaN
    4       8      NaN        45.0
    """
    check_columns(frame, "day", "is_measured", "people", "all_people", *OF_THE_DAY[:1], *TOTALS[:1])
    counts = frame[["people", "all_people"]].astype("Int64")
    last = int(np.flatnonzero(frame["is_measured"].to_numpy(bool)).max(initial=-1))
    weeks = frame["day"].dt.to_period("W").head(last + 1)
    shown = _shown(counts["people"].head(last + 1).fillna(0).tolist(), weeks.tolist(), minimum)
    if shown:
        shown[-1] = True
    has_total = np.array(shown + [True] * (len(frame) - len(shown)), dtype=bool)
    has_total &= ~is_small(counts["all_people"], minimum).to_numpy()
    has_day = has_total & np.append(True, has_total[:-1])
    masks = dict.fromkeys(TOTALS, ~has_total) | dict.fromkeys(OF_THE_DAY, ~has_day)
    hidden = {name: frame[name].mask(mask) for name, mask in masks.items() if name in frame}
    few = {name: is_small(counts[name], minimum) for name in counts}
    hidden |= {name: counts[name].mask(mask) for name, mask in few.items()}
    is_hidden = ~has_day | few["people"] | few["all_people"]
    return frame.assign(**hidden, is_hidden=pd.array(is_hidden, dtype="boolean"))


def _shown(people: Sequence[int], weeks: Sequence, minimum: int) -> list[bool]:
    """Tell of each measured day whether the total up to it may be shown.

    Between two such days lies a day of enough people, or nobody. The end of a week counts as
    shown, so before it the last day of enough people may have to be hidden with those after it.
    """
    shown: list[bool] = []
    enough, few_since = None, False
    for place, (count, week) in enumerate(zip(people, weeks, strict=True)):
        if count >= minimum:
            enough, few_since = place, False
        elif count > 0:
            few_since = True
        shown.append(not few_since)
        is_end = place + 1 == len(weeks) or weeks[place + 1] != week
        if is_end and few_since and enough is not None:
            shown[enough:] = [False] * (len(shown) - enough)
    return shown
