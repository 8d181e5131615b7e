"""Parts along time: people who come and go, adoption phases, and which days are there."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.catalogue import value_label
from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    FAINT,
    GREEN,
    NIGHT,
    ORANGE,
    SKY,
    STONE,
    heading,
    new_axes,
    nothing,
    styled,
)
from copilot_analytics.charts.timeline import (
    DAY,
    day_axis,
    day_sets,
    label_ends,
    last_settled,
    mark_breaks,
    touches,
    value_axis,
    with_definition,
)
from copilot_analytics.charts.words import counted, percent, period_text

FLOW_COLORS = {"retained": BLUE, "returning": SKY, "new": GREEN, "lost": ORANGE}
PHASE_COLORS = {0: FAINT, 1: SKY, 2: BLUE, 3: NIGHT}


@styled
def people_flow(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    definition: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many people came, stayed, came back and left, period by period.

    Parameters
    ----------
    frame
        Frame of `metrics.people_flow`: one row per period with ``period`` (its first day),
        ``new``, ``retained``, ``returning``, ``lost`` (people), ``is_left_censored``,
        ``is_complete_period``. Numbers that are missing, because they were too small to show and
        are counted in the next part, are not drawn. Where ``counted_together`` says that the last
        part stands for all of them, it is grey.
    coverage
        Frame of `metrics.coverage`: periods with provisional or absent days are pale.
    definition, title, ax
        As in `active_people`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"period": pd.to_datetime(["2026-11-02", "2026-11-09"]),
    ...     "new": [40, 3], "retained": [0, 35], "returning": [0, 0], "lost": [0, 5],
    ...     "is_left_censored": [True, False], "is_complete_period": True})
    >>> bool(people_flow(frame).get_ylim()[0] < 0)
    True
    """
    step = frame["period"].diff().min()
    step = step if pd.notna(step) else 7 * DAY
    unit = "week" if step == 7 * DAY else "day" if step == DAY else "month"
    is_partial = ~frame["is_complete_period"].fillna(True).astype(bool)
    is_partial |= touches(frame["period"], step, set.union(*day_sets(coverage)))
    title = findings.people_flow(frame, unit, is_partial) if title is None else title
    ax = new_axes(ax)
    counts = frame[list(FLOW_COLORS)].astype("Float64").astype(float)
    if not counts.gt(0).any(axis=None):
        what = findings.nothing_to_show("people who come and go")
        return nothing(ax, what, findings.NO_PEOPLE)
    _draw_flow(ax, frame, counts, is_partial, step)
    top = counts[["retained", "returning", "new"]].sum(axis=1).max()
    left = value_axis(ax, top=max(top, 1) * 1.05)
    ax.set_ylim(-max(counts["lost"].fillna(0).max() * 1.25, top * 0.04), ax.get_ylim()[1])
    first, last = frame["period"].iloc[0], frame["period"].iloc[-1] + step - DAY
    day_axis(ax, first, last)
    mark_breaks(ax, first, last, ("people",))
    final = counts.iloc[-1].fillna(0)
    stacked = final[["retained", "returning", "new"]].cumsum()
    places = (stacked - final[stacked.index] / 2).to_dict() | {"lost": -final["lost"] / 2}
    ends = [(places[name], name, color) for name, color in FLOW_COLORS.items()]
    if _stands_for_all(frame)[-1]:
        ends = [(places["retained"], "all people", STONE)]
    label_ends(ax, ends)
    starts = period_text(first, frame["period"].iloc[-1])
    subtitle = with_definition(f"People per {unit}, {unit}s that start on {starts}", definition)
    note = _flow_notes(frame, is_partial, unit)
    heading(ax, title, subtitle, kind="Stacked bar chart", left=left, note=note)
    return ax


def _draw_flow(ax: Axes, frame: pd.DataFrame, counts, is_partial, step: pd.Timedelta) -> None:
    """Draw the bars of each period, the parts in the order in which they are stacked."""
    merged = _stands_for_all(frame)
    censored = frame["is_left_censored"].fillna(False).to_numpy(dtype=bool)
    base = np.zeros(len(frame))
    for name, color in FLOW_COLORS.items():
        people = counts[name].fillna(0).to_numpy() * (-1 if name == "lost" else 1)
        bars = ax.bar(
            frame["period"] + (step - DAY) / 2,
            people,
            width=step * 0.8,
            bottom=0 if name == "lost" else base,
            color=color,
            hatch="////" if name == "lost" else "",
            edgecolor="white",
            linewidth=0.4,
            zorder=3,
        )
        grey = {"new": censored, "retained": merged}.get(name, [False] * len(frame))
        for bar, is_grey, is_pale in zip(bars, grey, is_partial, strict=True):
            bar.set_alpha(0.45 if is_pale else None)
            if is_grey:
                bar.set_facecolor(STONE)
        base += np.maximum(people, 0)


def _stands_for_all(frame: pd.DataFrame) -> list[bool]:
    """Tell of each period whether its one part stands for people who came and who stayed."""
    if "counted_together" not in frame:
        return [False] * len(frame)
    return frame["counted_together"].eq("new + returning + retained").fillna(False).tolist()


def _flow_notes(frame: pd.DataFrame, is_partial: pd.Series, unit: str) -> str:
    notes = [f"Lost: active the {unit} before, not in this one."]
    if frame["is_left_censored"].fillna(False).any():
        notes.append(f"Grey: the first {unit} of data, in which nobody can be told to be new.")
    if any(_stands_for_all(frame)):
        notes.append(f"Grey from the ground: all people of the {unit}, its parts are too small.")
    if is_partial.any():
        notes.append(f"Pale: a {unit} with days that are provisional or not there.")
    if frame[list(FLOW_COLORS)].isna().any(axis=None):
        notes.append("Parts too small to show are counted in the part below them.")
    return " ".join(notes)


@styled
def phases(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how people divide over GitHub's four adoption phases, day by day.

    Parameters
    ----------
    frame
        Frame of `metrics.adoption_phases`: one row per day and phase with ``day``,
        ``phase_number``, ``people``. Days with a hidden part, and absent days, stay empty.
    coverage, title, ax
        As in `active_people`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"day": pd.to_datetime(["2026-11-02"] * 2), "phase_number": [0, 3],
    ...     "people": [30, 10]})
    >>> [float(limit) for limit in phases(frame).get_ylim()]
    [0.0, 1.0]
    """
    ax = new_axes(ax)
    provisional, absent = day_sets(coverage)
    shares = _shares_by_phase(_whole_windows(frame), absent)
    if shares.empty:
        return nothing(ax, findings.nothing_to_show("adoption phases"), findings.NO_PHASES)
    title = findings.phases(shares, coverage) if title is None else title
    first, last = shares.index[0], shares.index[-1]
    edges = np.repeat(shares.index.to_numpy(), 2)
    edges[0::2] -= np.timedelta64(12, "h")
    edges[1::2] += np.timedelta64(12, "h")
    base = np.zeros(len(edges))
    ends = []
    for phase in shares.columns:
        top = base + np.repeat(shares[phase].to_numpy(), 2)
        color = PHASE_COLORS.get(phase, ORANGE)
        ax.fill_between(edges, base, top, color=color, linewidth=0.5, edgecolor="white", zorder=3)
        final = last_settled(shares[phase], provisional)
        if final > 0:
            name = f"{value_label('phase_number', phase)} {percent(final)}"
            middle = float(base[~np.isnan(base)][-1]) + final / 2
            ends.append((middle, name, color))
        base = top
    left = value_axis(ax, share=True, top=1.0)
    day_axis(ax, first, last)
    mark_breaks(ax, first, last, ("phase",))
    ax.set_ylim(0, 1)
    label_ends(ax, ends)
    gaps = int(shares.isna().all(axis=1).sum())
    note = f"Gaps: {counted(gaps, 'day')} without data." if gaps else ""
    subtitle = f"Share of people by adoption phase, {period_text(first, last)}"
    heading(ax, title, subtitle, kind="Stacked area chart", left=left, note=note)
    return ax


def _whole_windows(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out windows that reach back before the data, unless there are only such."""
    if "is_complete_window" not in frame:
        return frame
    whole = frame[frame["is_complete_window"].fillna(False)]
    return whole if len(whole) else frame


def _shares_by_phase(frame: pd.DataFrame, absent: set) -> pd.DataFrame:
    """Return one row per calendar day and a column per phase; they add up to 1 or are missing."""
    hidden = set(frame.loc[frame["people"].isna(), "day"])
    shown = frame[~frame["day"].isin(list(hidden | absent))]
    wide = shown.pivot_table(
        index="day", columns="phase_number", values="people", aggfunc="sum", fill_value=0
    ).astype(float)
    wide = wide[wide.sum(axis=1) > 0]
    if wide.empty:
        return wide
    calendar = pd.date_range(wide.index[0], wide.index[-1], unit="us")
    wide.columns = [int(phase) for phase in wide.columns]
    return wide.div(wide.sum(axis=1), axis=0).reindex(calendar)
