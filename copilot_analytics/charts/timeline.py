"""Drawing along days: gaps, provisional days, weekends, known breaks, labels at the line's end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.dates import date2num
from matplotlib.ticker import FuncFormatter, MaxNLocator

from copilot_analytics import catalogue
from copilot_analytics.charts.style import (
    INK,
    MUTED,
    SHADE,
    SIZE,
    SMALL_SIZE,
    Look,
    heading,
    readable,
    width_of,
)
from copilot_analytics.charts.words import (
    WEEKDAYS,
    counted,
    month_name,
    number,
    percent,
    period_text,
    plain,
)

DAY = pd.Timedelta(days=1)
WEEKEND = ("Saturday", "Sunday")
# Beyond this many days a shade is thinner than a line and only makes the picture grey.
LONGEST_SHADED = 200
# States of a day in which its figures can be drawn.
DRAWN_STATES = ("final", "provisional", "empty", "present")


def day_sets(coverage: pd.DataFrame | None, family: str = "users") -> tuple[set, set]:
    """Return the provisional days and the absent days of a coverage frame."""
    if coverage is None:
        return set(), set()
    days = coverage[coverage["family"] == family]
    absent = ~days["state"].isin(DRAWN_STATES)
    return set(days.loc[days["state"] == "provisional", "day"]), set(days.loc[absent, "day"])


def covered_text(coverage: pd.DataFrame, first, last, family: str = "users") -> str:
    """Return the days of a period that are there, as people write it.

    Parameters
    ----------
    coverage
        Frame of `metrics.coverage`: one row per report family and day with ``family``, ``day``,
        ``state``.
    first, last
        First and last day of the period; may be missing.
    family
        Which reports to look at.

    Returns
    -------
    str
        The period from the first to the last day that is there, with the number of days where some
        of them are not there; "" without any day.

    Examples
    --------
    >>> frame = pd.DataFrame({"family": "users", "state": ["final", "missing", "final"],
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-04"])})
    >>> covered_text(frame, pd.Timestamp("2026-10-08"), pd.Timestamp("2026-11-04"))
    '2 of 3 days, 2 Nov to 4 Nov 2026'
    """
    rows = coverage[(coverage["family"] == family) & coverage["state"].isin(DRAWN_STATES)]
    there = rows.loc[rows["day"].between(first, last), "day"].drop_duplicates()
    if there.empty:
        return ""
    days = (there.max() - there.min()) // DAY + 1
    text = period_text(there.min(), there.max())
    return text if len(there) == days else f"{len(there)} of {days} days, {text}"


def touches(days: pd.Series, length: pd.Timedelta, marked: Collection) -> pd.Series:
    """Tell of each period, given by its first day, whether a marked day lies in it.

    >>> weeks = pd.Series(pd.to_datetime(["2026-11-02", "2026-11-09"]))
    >>> touches(weeks, 7 * DAY, {pd.Timestamp("2026-11-15")}).tolist()
    [False, True]
    """
    hits = [any(day <= other < day + length for other in marked) for day in days]
    return pd.Series(hits, index=days.index, dtype=bool)


def on_calendar(frame: pd.DataFrame, column: str, *, day: str = "day", step: int = 1) -> pd.Series:
    """Return a column with one value for every step of days, missing where the frame has none."""
    values = frame.set_index(day)[column].astype("Float64").astype(float).sort_index()
    if values.empty:
        return values
    calendar = pd.date_range(values.index[0], values.index[-1], freq=f"{step}D", unit="us")
    return values[~values.index.duplicated(keep="last")].reindex(calendar)


def whole_windows(
    frame: pd.DataFrame, by: str, column: str, absent: Collection = ()
) -> Iterator[tuple[object, pd.DataFrame, pd.Series]]:
    """Give the value of `by`, the rows and the series of trailing windows that the data cover.

    Windows that reach back before the first day of data are left out, absent days are gaps.
    """
    whole = frame[frame["is_complete_window"].fillna(False).astype(bool)]
    for key, part in whole.groupby(by):
        values = on_calendar(part, column)
        values = values.where(~values.index.isin(list(absent)))
        if values.notna().any():
            yield key, part, values


def provisional_weeks(weeks: pd.Series, coverage: pd.DataFrame | None) -> set:
    """Return the first days of those weeks that have a provisional day."""
    return set(weeks[touches(weeks, 7 * DAY, day_sets(coverage)[0])])


def line(ax: Axes, values: pd.Series, look: Look, provisional: Collection = ()) -> None:
    """Draw a series: gaps stay gaps, lone days are dots, provisional days are dashed."""
    known = values.notna().to_numpy()
    dashed = known & values.index.isin(list(provisional))
    # A dashed stretch reaches to the settled days beside it, or it would hang in the air.
    touched = dashed | np.append(dashed[1:], False) | np.append(False, dashed[:-1])
    days, numbers = values.index.to_numpy(), values.to_numpy(dtype=float)
    style = {"color": look.color, "linewidth": look.width, "zorder": 3}
    ax.plot(days, np.where(dashed, np.nan, numbers), **style)
    if dashed.any():
        ax.plot(days, np.where(touched, numbers, np.nan), linestyle=(0, (1.6, 1.2)), **style)
    lone = known & ~np.append(False, known[:-1]) & ~np.append(known[1:], False)
    if lone.any():
        dot = {"color": look.color, "markersize": look.width + 3, "zorder": 3}
        ax.plot(days[lone], numbers[lone], "o", **dot)
    if look.marker:
        places = np.flatnonzero(known & ~lone)
        places = places[:: max(1, len(places) // 8)]
        style = {"color": look.color, "markeredgecolor": "white", "markersize": 6.5, "zorder": 4}
        ax.plot(days[places], numbers[places], look.marker, **style)


def last_settled(values: pd.Series, provisional: Collection = ()) -> float:
    """Return the last value that will not change any more, or the last one if all may change.

    >>> last_settled(pd.Series([1.0, 2.0, None], index=[1, 2, 3]), provisional={2})
    1.0
    """
    known = values.dropna()
    kept = known[~known.index.isin(list(provisional))]
    return float((kept if len(kept) else known).iloc[-1])


def named_lines(
    ax: Axes,
    series: Mapping[str, tuple[Look, pd.Series]],
    write: Callable[[float], str],
    provisional: Collection = (),
) -> list[tuple]:
    """Draw series by name; return the label of each with its last settled value, for `finish`."""
    ends = []
    for name, (look, values) in series.items():
        line(ax, values, look, provisional)
        last = last_settled(values, provisional)
        ends.append((last, f"{name} {write(last)}", look.color))
    return ends


def has_hidden(frame: pd.DataFrame) -> bool:
    """Tell whether `privacy` has hidden a row."""
    return "is_hidden" in frame and bool(frame["is_hidden"].fillna(False).any())


def dots(ax: Axes, values: pd.Series, look: Look, provisional: Collection = ()) -> None:
    """Draw a series that jumps from day to day: a dot per day, hollow on provisional days."""
    hollow = values.index.isin(list(provisional))
    style = {"markeredgecolor": look.color, "markersize": 3.4, "markeredgewidth": 0.9, "zorder": 3}
    for part, fill in ((values[~hollow], look.color), (values[hollow], "white")):
        ax.plot(part.index, part.to_numpy(), "o", markerfacecolor=fill, **style)


def finish(
    ax: Axes,
    drawn: Iterable[pd.Series],
    ends: Sequence[tuple],
    *,
    title: str,
    subtitle: str,
    affects: Collection[str],
    provisional: Collection = (),
    absent: Collection = (),
    weekend: Collection[str] = (),
    definition: str = "",
    share: bool = False,
    notes: Sequence[str] = (),
) -> Axes:
    """Add to drawn series all that charts along days have in common.

    ``ends`` holds a value, a text and a colour for each label right of the last day.
    """
    drawn = list(drawn)
    first = min(values.index[0] for values in drawn)
    last = max(values.index[-1] for values in drawn)
    left = value_axis(ax, share=share)
    day_axis(ax, first, last)
    shaded = shade_weekends(ax, first, last, weekend)
    mark_breaks(ax, first, last, affects)
    label_ends(ax, ends)
    gaps = len([day for day in absent if first <= day <= last])
    dashed = any(first <= day <= last for day in provisional)
    notes = [
        *notes,
        f"Shaded: {' and '.join(weekend)}." if shaded else "",
        "Dashed or hollow: provisional days, which may still rise." if dashed else "",
        f"Gaps: {counted(gaps, 'day')} without data." if gaps else "",
    ]
    heading(
        ax,
        title,
        with_definition(f"{subtitle}, {period_text(first, last)}", definition),
        kind="Line chart",
        left=left,
        note=" ".join(note for note in notes if note),
    )
    return ax


def with_definition(subtitle: str, definition: str) -> str:
    """Return the subtitle, and what "active" means, without the aside in parentheses."""
    short = definition.partition(" (")[0]
    return f"{subtitle}. Active: {short}" if short else subtitle


def day_axis(ax: Axes, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Set a true date axis from the first to the last day with few labels."""
    ax.set_xlim(first - DAY / 2, last + DAY / 2)
    days = pd.date_range(first, last, unit="us")
    if len(days) <= 10:
        ticks = days
    elif len(days) <= 100:
        ticks = days[days.day_of_week == 0]
        ticks = ticks[:: -(-len(ticks) // 8)]
    else:
        ticks = days[days.day == 1]
        ticks = ticks[:: -(-len(ticks) // 13)]
    with_day = len(days) <= 100
    labels = []
    for place, day in enumerate(ticks):
        text = f"{day.day} {month_name(day)}" if with_day else month_name(day)
        is_new_year = place == 0 or day.year != ticks[place - 1].year
        labels.append(f"{text}\n{day.year}" if is_new_year else text)
    ax.set_xticks(ticks, labels)
    ax.tick_params(axis="x", length=3)


def shade_weekends(ax: Axes, first, last, weekend: Collection[str] = WEEKEND) -> bool:
    """Shade the given weekdays lightly; tell whether any shade was drawn."""
    days = pd.date_range(first, last, unit="us")
    if len(days) > LONGEST_SHADED:
        return False
    days = days[days.day_of_week.isin([WEEKDAYS.index(name) for name in weekend])]
    # One shape for all days: each for itself takes ten times as long to draw.
    edges = [tuple(date2num([day - DAY / 2, day + DAY / 2])) for day in days]
    shapes = [[(left, 0), (left, 1), (right, 1), (right, 0)] for left, right in edges]
    look = {"facecolor": SHADE, "linewidth": 0, "zorder": 0}
    shades = PolyCollection(shapes, transform=ax.get_xaxis_transform(), **look)
    ax.add_collection(shades, autolim=False)
    return len(days) > 0


def mark_breaks(ax: Axes, first, last, affects: Collection[str]) -> int:
    """Draw a thin labelled line for each known break of these series; return how many."""
    known = catalogue.changes()
    concerns = known["affects"].map(lambda text: not {"all", *affects}.isdisjoint(text.split()))
    known = known[known["is_series_break"] & concerns & known["day"].between(first, last)]
    width = _plot_size(ax)[0]
    starts = ((known["day"] - first) / DAY * width / ((last - first) / DAY + 1)).tolist()
    ends: list[float] = []  # where the last label of each row of labels ends
    for day, text, start in zip(known["day"], known["label"], starts, strict=True):
        wide = width_of(text, SMALL_SIZE) + 10
        following = min([other for other in starts if other > start], default=width)
        before = max([other for other in starts if other < start], default=0.0)
        to_left = start + wide > width or (start + wide > following and start - wide > before)
        begin = start - wide if to_left else start
        row = next((i for i, end in enumerate(ends) if end <= begin), len(ends))
        ends[row : row + 1] = [start + 2 if to_left else start + wide]
        ax.axvline(day, color=MUTED, linewidth=0.7, zorder=2)
        ax.annotate(
            plain(text),
            (day, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if to_left else 4, -2 - row * SMALL_SIZE * 1.45),
            textcoords="offset points",
            ha="right" if to_left else "left",
            va="top",
            size=SMALL_SIZE,
            color=MUTED,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
            zorder=5,
        )
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + (high - low) * 0.08 * len(ends))
    return len(known)


def _plot_size(ax: Axes) -> tuple[float, float]:
    """Return roughly how large the plot will be, in points; layout is known only when drawn."""
    width, height = ax.figure.get_size_inches() * 72
    place = ax.get_position()
    return width * place.width * 0.95, height * place.height * 0.8


def label_ends(ax: Axes, ends: Sequence[tuple], gap: float = SIZE * 1.35) -> None:
    """Write a text beside each ``(value, text, colour)`` at the right, apart where they touch."""
    ends = sorted(ends, key=lambda end: end[0])
    low, high = ax.get_ylim()
    points = _plot_size(ax)[1] / ((high - low) or 1)
    places = apart([(value - low) * points for value, _, _ in ends], gap)
    for place, (value, text, color) in zip(places, ends, strict=True):
        ax.annotate(
            plain(text, 40),
            (1, value),
            xycoords=("axes fraction", "data"),
            xytext=(5, place - (value - low) * points),
            textcoords="offset points",
            va="center",
            color=readable(color),
            weight="bold",
            annotation_clip=False,
        )


def apart(wanted: Sequence[float], gap: float) -> list[float]:
    """Return sorted places moved apart by at least ``gap``, as near to the wanted as can be.

    >>> apart([0.0, 1.0, 50.0], 10.0)
    [-4.5, 5.5, 50.0]
    """
    groups: list[tuple[float, int]] = []  # middle and size of each cluster
    for place in wanted:
        middle, size = place, 1
        while groups and groups[-1][0] + (groups[-1][1] + size) * gap / 2 > middle:
            before, count = groups.pop()
            middle = (before * count + middle * size) / (count + size)
            size += count
        groups.append((middle, size))
    return [middle + (i - (size - 1) / 2) * gap for middle, size in groups for i in range(size)]


def value_axis(ax: Axes, *, share: bool = False, top: float | None = None) -> float:
    """Start the value axis at zero with a light grid; return the width of its labels in points."""
    high = ax.dataLim.y1 * 1.06 if top is None else top
    if not np.isfinite(high) or high <= 0:
        high = 1.0
    write = percent if share else number
    locator = MaxNLocator(nbins=5, integer=not share, steps=[1, 2, 2.5, 5, 10])
    ax.set_ylim(0, high)
    ax.yaxis.set_major_locator(locator)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: write(round(abs(value), 6))))
    ax.grid(axis="y")
    ax.axhline(0, color=INK, linewidth=0.8, zorder=2)
    ticks = locator.tick_values(0, high)
    return max(width_of(write(round(tick, 6))) for tick in ticks if tick <= high) + 6
