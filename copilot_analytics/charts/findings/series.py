"""What a daily series says, in a sentence."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.charts.findings.common import settled
from copilot_analytics.charts.words import day_text, number, percent, plain

MOST_NAMED = 3


def daily_series(
    frame: pd.DataFrame,
    *,
    value: str,
    label: str,
    by: str | None = None,
    share: bool = False,
    coverage: pd.DataFrame | None = None,
) -> str:
    """Return where a daily series, or each of several, stands on its last settled day.

    A single series is compared with the first day that is the same weekday.

    Parameters
    ----------
    frame
        One row per day, and value of `by`.
    value
        Column with the series.
    label
        What the series counts, such as ``"Prompts"``.
    by
        Column that names the series, where there are several.
    share
        Whether the values are shares from 0 to 1.
    coverage
        Frame of `metrics.coverage`, which tells the days that may still change.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-10-27", "2026-11-02", "2026-11-03"])
    >>> frame = pd.DataFrame({"day": days, "total": [41, 42, 43]})
    >>> daily_series(frame, value="total", label="Prompts")
    'Prompts: 43 on 3 Nov 2026, 41 on 27 Oct 2026'
    """
    known = frame.dropna(subset=value)
    if known.empty:
        return f"{label}: no day with enough people to show" if len(frame) else f"{label}: no data"
    write = percent if share else number
    known = settled(known, coverage).sort_values("day", kind="stable")
    last = known[known["day"] == known["day"].iloc[-1]]
    when = f"on {day_text(last['day'].iloc[-1])}"
    if by is None:
        text = f"{label}: {write(last[value].iloc[-1])} {when}"
        # Weekdays differ more than weeks do: only like is compared with like.
        weekday = last["day"].iloc[-1].day_of_week
        first = known[known["day"].dt.day_of_week == weekday].iloc[0]
        is_alone = first["day"] == last["day"].iloc[-1]
        return text if is_alone else f"{text}, {write(first[value])} on {day_text(first['day'])}"
    largest = last.sort_values(value, ascending=False, kind="stable").head(MOST_NAMED)
    parts = [
        f"{plain(name, 30)} {write(amount)}"
        for name, amount in zip(largest[by], largest[value], strict=True)
    ]
    others = len(last) - len(largest)
    more = f" and {others} more" if others else ""
    return f"{label} {when}: {', '.join(parts)}{more}"
