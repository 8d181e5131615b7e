"""Daily series: known breaks of the counting, and change against the same weekdays before."""

from __future__ import annotations

from collections.abc import Collection

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count

WEEK = 7


def series_breaks(start=None, end=None, *, affects: Collection[str] | None = None) -> pd.DataFrame:
    """Return the known changes of GitHub's counting that move a series by themselves.

    Question: which steps in a series need not come from people?

    Parameters
    ----------
    start, end
        First and last day, both included; None for no bound. As in pandas, no day is before or
        after NaT, the first day of no data.
    affects
        Words for the series concerned, such as ``["activity", "people"]``; see
        `catalogue.changes`. None for all.

    Returns
    -------
    pandas.DataFrame
        One row per change, the oldest first.

        - ``day``: first day of the change (UTC).
        - ``label``, ``meaning``: what changed, in short and in a sentence.
        - ``affects``: words for the series that it moves.
        - ``source``: who says so.

    Notes
    -----
    Left out: changes that only add fields or reports.

    Source: GitHub changelog.

    Examples
    --------
    >>> series_breaks("2026-07-01", "2026-07-31")["label"].tolist()
    ['CLI lines and IDE coverage', 'App joins the totals']
    """
    known = catalogue.changes()
    chosen = known["is_series_break"]
    if start is not None:
        chosen &= known["day"] >= _bound(start)
    if end is not None:
        chosen &= known["day"] <= _bound(end)
    if affects is not None:
        wanted = {"all", *affects}
        chosen &= known["affects"].map(lambda words: not wanted.isdisjoint(words.split()))
    columns = ["day", "label", "meaning", "affects", "source"]
    return known.loc[chosen, columns].reset_index(drop=True)


def _bound(day) -> pd.Timestamp:
    return day if day is pd.NaT else pd.Timestamp(frames.as_day(day))


def weekday_adjusted_change(frame, *, value: str, weeks: int = 4):
    """Return how a daily series compares with the same weekdays of the weeks before.

    Question: is today out of the ordinary, or is it just Monday?

    Parameters
    ----------
    frame
        One row per day with ``day`` and `value`, for example of `active_users`.
    value
        Column with the series.
    weeks
        How many earlier days of the same weekday to compare with.

    Returns
    -------
    frame
        One row per day of the frame.

        - ``day``: the day.
        - ``value``: the series.
        - ``usual``: mean of the same weekday in the `weeks` weeks before. The denominator. Missing
          where none of these days is there.
        - ``days_compared``: how many of these days are there.
        - ``difference``: value - usual.
        - ``relative_change``: difference / usual; missing where the usual value is 0.

    Raises
    ------
    UsageError
        A column is absent, or an option is wrong.

    Notes
    -----
    Left out: nothing; a day without a row is no day of comparison. Public holidays look like a
    drop, and a week later like a rise.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-09", "2026-11-16"])
    >>> weekday_adjusted_change(pd.DataFrame({"day": days, "people": [10, 20, 18]}), value="people")
             day  value  usual  days_compared  difference  relative_change
    0 2026-11-02   10.0    NaN              0         NaN              NaN
    1 2026-11-09   20.0   10.0              1        10.0              1.0
    2 2026-11-16   18.0   15.0              2         3.0              0.2
    """
    check_count(weeks, "weeks")
    series = frames.read(frame, "day", value)
    series = series.select("day", value=nw.col(value).cast(nw.Float64))
    earlier = nw.concat(
        [
            series.select(nw.col("day").dt.offset_by(f"{WEEK * back}d"), earlier="value")
            for back in range(1, weeks + 1)
        ],
        how="vertical",
    )
    usual = earlier.group_by("day").agg(
        usual=nw.col("earlier").mean(), days_compared=nw.col("earlier").count()
    )
    compared = series.join(usual, on="day", how="left").with_columns(
        nw.col("days_compared").fill_null(0).cast(nw.Int64),
        difference=nw.col("value") - nw.col("usual"),
    )
    positive = nw.when(nw.col("usual") > 0).then(nw.col("usual"))
    columns = ("day", "value", "usual", "days_compared", "difference")
    change = nw.col("difference") / positive
    return frames.result(compared.select(*columns, relative_change=change), "day")
