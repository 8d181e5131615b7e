"""Any daily series as a line, or several of one breakdown as lines."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    VERMILLION,
    Look,
    new_axes,
    nothing,
    styled,
)
from copilot_analytics.charts.timeline import (
    WEEKEND,
    day_sets,
    finish,
    last_settled,
    line,
    on_calendar,
)
from copilot_analytics.charts.words import number, percent, plain

LOOKS = (
    Look(BLUE, "o"),
    Look(ORANGE, "s"),
    Look(GREEN, "^"),
    Look(PURPLE, "D"),
    Look(VERMILLION, "v"),
)
LONGEST_NAME = 22
GAP = "Gaps: days with too few people to show, or without data."


@styled
def daily_series(
    frame: pd.DataFrame,
    *,
    value: str,
    label: str,
    by: str | None = None,
    share: bool = False,
    affects: Collection[str] = ("all",),
    coverage: pd.DataFrame | None = None,
    definition: str = "",
    weekend: Collection[str] = WEEKEND,
    note: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a daily series as a line, or the five largest of several.

    Parameters
    ----------
    frame
        One row per day, and value of `by`, for example of `metrics.daily_totals`. Missing values
        are gaps.
    value
        Column with the series.
    label
        What the series counts, such as ``"Prompts"``.
    by
        Column that names the series, where there are several.
    share
        Whether the values are shares from 0 to 1.
    affects
        Words for the known breaks that concern the series, see `catalogue.changes`.
    coverage, definition, weekend, title, ax
        As in `active_people`.
    note
        What else has to be said, below the chart.

    Returns
    -------
    matplotlib.axes.Axes
        With a calm sentence instead of a chart where there is nothing to draw.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": pd.to_datetime(["2026-11-02", "2026-11-03"]),
    ...                       "total": [41, 43]})
    >>> ax = daily_series(frame, value="total", label="Prompts")
    >>> [text.get_text() for text in ax.texts][0]
    '43'
    """
    if title is None:
        about = {"value": value, "label": label, "by": by, "share": share}
        title = findings.daily_series(frame, **about, coverage=coverage)
    ax = new_axes(ax)
    provisional, absent = day_sets(coverage)
    series = _series(frame, value, by, absent)
    if not series:
        return nothing(ax, title, "There is nothing to draw for these days.")
    write = percent if share else number
    ends = []
    for look, (name, values) in zip(LOOKS, series.items(), strict=False):
        line(ax, values, look if by else look._replace(marker=""), provisional)
        last = last_settled(values, provisional)
        ends.append((last, f"{plain(name, LONGEST_NAME)} {write(last)}".strip(), look.color))
    count = frame[by].nunique() if by else 1
    top = f"The {len(series)} largest of {count}." if count > len(series) else ""
    gaps = GAP if any(values.isna().any() for values in series.values()) else ""
    return finish(
        ax,
        series.values(),
        ends,
        title=title,
        subtitle=label,
        definition=definition,
        affects=affects,
        provisional=provisional,
        absent=absent,
        weekend=weekend,
        share=share,
        notes=[text for text in (note, top, gaps) if text],
    )


def _series(frame: pd.DataFrame, value: str, by: str | None, absent: set) -> dict[str, pd.Series]:
    """Return the series that are drawn by name, the one with the largest values first."""
    known = frame[~frame["day"].isin(list(absent))].dropna(subset=value)
    if by is None:
        return {"": _without_skipped(on_calendar(known, value), frame)} if len(known) else {}
    parts = dict(iter(known[["day", value]].groupby(known[by].to_numpy())))
    sizes = pd.Series({name: part[value].sum() for name, part in parts.items()}, dtype=float)
    largest = sizes.sort_values(ascending=False, kind="stable").index[: len(LOOKS)]
    return {name: _without_skipped(on_calendar(parts[name], value), frame) for name in largest}


def _without_skipped(values: pd.Series, frame: pd.DataFrame) -> pd.Series:
    """Leave out the weekdays that the frame never has: they were not asked for, and are no gap."""
    weekdays = frame["day"].dt.day_of_week.unique()
    return values[values.index.day_of_week.isin(weekdays)]
