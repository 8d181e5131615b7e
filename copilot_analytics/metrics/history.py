"""How headline figures came about: the same figures, week by week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count


def figure_history(figures: Callable, headline, *, weeks: int = 8):
    """Return headline figures as they were at the end of earlier weeks.

    Question: is a figure a turn, a trend, or noise?

    Parameters
    ----------
    figures
        What makes the figures for a day: `headline` or `engagement_headline` with everything but
        ``end`` given, for example by `functools.partial`.
    headline
        What `figures` returned for the last day.
    weeks
        How many ends, seven days apart; the last one is that of `headline`.

    Returns
    -------
    frame
        One row per figure and end, the oldest end first.

        - ``figure_number``, ``figure``: the figure.
        - ``end``: last day of the window.
        - ``value``: value of the figure; missing where the data do not reach over its window.
        - ``people``: people in the smallest group that the figure tells about.

    Raises
    ------
    UsageError
        If `weeks` is no whole number above 0.

    Notes
    -----
    Windows of 28 days that end a week apart share 21 days, so neighbours are alike. Left out: as in
    the figures that it repeats.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> from functools import partial
    >>> from copilot_analytics.metrics import headline
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-09", "2026-11-09"]),
    ...     "user_id": [1, 1, 2], "user_initiated_interaction_count": [4, 2, 6],
    ... })
    >>> figures = partial(headline, users, days=1)
    >>> history = figure_history(figures, figures(), weeks=2)
    >>> history[history["figure"] == "active_people"]["value"].tolist()
    [1.0, 2.0]
    """
    check_count(weeks, "weeks")
    known = frames.read(headline)
    last = frames.scalars(known.select(end=nw.col("end").max()))["end"]
    if last is None:
        nothing = known.select("figure_number", "figure", "end", "value", "people").head(0)
        return frames.result(nothing, "figure_number", "end")
    ends = [last - timedelta(days=7 * back) for back in reversed(range(weeks))]
    parts = [
        frames.read(figures(end=end)).select(
            "figure_number",
            "figure",
            end=nw.lit(end, dtype=frames.DAY),
            value=nw.when(nw.col("is_complete")).then(nw.col("value")),
            people=nw.col("people"),
        )
        for end in ends
    ]
    return frames.result(nw.concat(parts, how="vertical"), "figure_number", "end")
