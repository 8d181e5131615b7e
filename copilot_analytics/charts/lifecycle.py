"""Whether people stay: cohorts, the survival curve, and how often people are there."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from copilot_analytics.charts import findings
from copilot_analytics.charts.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    SHADE,
    Look,
    heading,
    new_axes,
    nothing,
    styled,
    width_of,
)
from copilot_analytics.charts.timeline import (
    DAY,
    WEEKEND,
    day_sets,
    finish,
    label_ends,
    named_lines,
    value_axis,
    whole_windows,
    with_definition,
)
from copilot_analytics.charts.trends import WINDOW_LOOKS
from copilot_analytics.charts.words import counted, day_text, month_name, number, percent

START_LOOKS = {True: Look(BLUE, "o"), False: Look(ORANGE, "s")}
ROW, MARGIN = 0.3, 1.45  # inches: one cohort, and all that stands above and below the cohorts
MOST = 12  # cohorts, and periods after the start, that a page can hold


@styled
def retention(
    frame: pd.DataFrame,
    *,
    definition: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of the people who started together was active in each later period.

    Parameters
    ----------
    frame
        Frame of `metrics.retention`: one row per cohort and period with ``cohort``, ``period``
        (their first days), ``offset``, ``people`` of the cohort, ``share``, ``is_left_censored``,
        ``is_complete_period``. With ``at_least`` and ``at_most`` of `privacy.limit_shares`, a
        hidden share is drawn as a limit. Periods that the data do not cover wholly and cohorts
        without ``people`` (hidden) are not drawn.
    definition
        What "active" means, for the subtitle.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"cohort": pd.to_datetime(["2026-11-02"]), "offset": [1],
    ...     "period": pd.to_datetime(["2026-11-09"]), "people": [30], "retained": [24],
    ...     "share": [0.8], "is_left_censored": False, "is_complete_period": True})
    >>> [text.get_text() for text in retention(frame).texts][0]
    '80%'
    """
    whole = frame["is_complete_period"].fillna(False).astype(bool)
    shown = frame[whole & frame["people"].notna() & frame["offset"].between(1, MOST)]
    shown = shown[shown["cohort"].isin(sorted(shown["cohort"].unique())[-MOST:])]
    if shown.empty:
        what = findings.nothing_to_show("which people were active again")
        return nothing(ax, what, findings.NO_COHORTS)
    unit = _unit(frame)
    title = findings.retention(shown, unit) if title is None else title
    cohorts = shown.drop_duplicates("cohort").sort_values("cohort")
    ax = new_axes(ax, height=MARGIN + ROW * max(len(cohorts), 3))
    places = {cohort: place for place, cohort in enumerate(cohorts["cohort"])}
    for row in shown.itertuples():
        _cell(ax, row.offset, places[row.cohort], *_shade(row))
    labels = [f"{_start_text(row, unit)} · {number(row.people)}" for row in cohorts.itertuples()]
    ax.set_yticks(range(len(labels)), labels)
    last = int(shown["offset"].max())
    ax.set_xticks(range(1, last + 1))
    ax.set(xlim=(0.5, max(last, 4) + 0.5), ylim=(len(labels) - 0.5, -0.5))
    ax.tick_params(length=0, labelcolor=INK)
    ax.spines["bottom"].set_visible(False)
    about = f"Share active 1, 2, 3 … {unit}s after the first; rows: first {unit} and its people"
    hidden = frame.loc[frame["people"].isna(), "cohort"].nunique()
    heading(
        ax,
        title,
        with_definition(about, definition),
        kind="Table of shares",
        left=max(width_of(label) for label in labels) + 6,
        note=_retention_notes(shown, unit, hidden),
        below=22,
    )
    return ax


def _unit(frame: pd.DataFrame) -> str:
    """Return how long the periods are, from a period that follows its cohort."""
    following = frame[frame["offset"] == 1]
    step = (following["period"] - following["cohort"]).min()
    return "day" if step == DAY else "week" if step == 7 * DAY else "month"


def _start_text(row, unit: str) -> str:
    month = f"{month_name(row.cohort)} {row.cohort.year}"
    text = month if unit == "month" else day_text(row.cohort)
    return f"{text} or before" if row.is_left_censored else text


def _shade(row) -> tuple[float | None, str]:
    """Return the share that colours a cell and the text in it, a limit where it is hidden."""
    if pd.notna(row.share):
        return float(row.share), percent(row.share)
    low, high = getattr(row, "at_least", None), getattr(row, "at_most", None)
    if pd.isna(low) or pd.isna(high):
        return None, "few"
    return float((low + high) / 2), f"≥{percent(low)}" if low > 0.5 else f"≤{percent(high)}"


def _cell(ax: Axes, x: float, y: float, share: float | None, text: str) -> None:
    """Draw one cell, the darker the larger the share."""
    strength = 0 if share is None else 0.12 + 0.88 * share
    mixed = [1 - strength * (1 - channel) for channel in to_rgb(BLUE)]
    color = SHADE if share is None else mixed
    ax.bar(x, 0.94, width=0.96, bottom=y - 0.47, color=color)
    look = "white" if strength > 0.7 else MUTED if share is None else INK
    ax.annotate(text, (x, y), ha="center", va="center", color=look)


def _retention_notes(shown: pd.DataFrame, unit: str, hidden: int) -> str:
    notes = [f"Only whole {unit}s are drawn."]
    if shown["is_left_censored"].any():
        notes.append("Or before: these people may have started before the data.")
    if shown["share"].isna().any():
        notes.append("≥, ≤, few: too few people stayed away or came, so only a limit is shown.")
    if hidden:
        notes.append(f"Not drawn: {counted(hidden, unit)} in which too few people started.")
    return " ".join(notes)


@styled
def survival(
    frame: pd.DataFrame,
    *,
    gap: int = 28,
    definition: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of people was still using Copilot so many days after the first use.

    Parameters
    ----------
    frame
        Frame of `metrics.survival`: one row per kind of start and day with ``is_left_censored``,
        ``days``, ``at_risk``, ``survival``, ``low``, ``high``. A curve ends where too few people
        are left to show.
    gap
        Days without activity that count as a stop, as given to `metrics.survival`.
    definition, title, ax
        As in `retention`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"is_left_censored": False, "days": [0, 28], "at_risk": [30, 20],
    ...     "survival": [1.0, 0.8], "low": [None, 0.6], "high": [None, 0.9]})
    >>> [text.get_text() for text in survival(frame).texts][0]
    'started later 80%'
    """
    title = findings.survival(frame) if title is None else title
    known = frame[frame["survival"].notna()].sort_values("days")
    ax = new_axes(ax)
    if known.empty or known["days"].max() == 0:
        return nothing(ax, title, findings.NO_SURVIVAL)
    ends, followed = [], []
    for kind, words in findings.STARTS.items():
        part = known[known["is_left_censored"] == kind]
        if part.empty:
            continue
        look, last = START_LOOKS[kind], part.iloc[-1]
        days, values = part["days"].astype(int), part["survival"].astype(float)
        ax.step(days, values, where="post", color=look.color, linewidth=2.4)
        ax.plot(days.iloc[::14], values.iloc[::14], look.marker, color=look.color, markersize=5)
        band = [part[name].astype("Float64").fillna(1.0).astype(float) for name in ("low", "high")]
        ax.fill_between(days, *band, step="post", color=look.color, alpha=0.15, linewidth=0)
        ends.append((values.iloc[-1], f"{words} {percent(values.iloc[-1])}", look.color))
        followed.append(f"{number(last['at_risk'])} of {number(part['at_risk'].iloc[0])} {words}")
    left = value_axis(ax, share=True, top=1.0)
    last_day = int(known["days"].max())
    step = 7 * max(1, round(last_day / 56))
    ax.set_xticks(range(0, last_day + 1, step))
    ax.set_xlim(0, last_day)
    label_ends(ax, ends)
    about = "Share still using Copilot, by days since the first use"
    note = (
        f"Stopped: no activity for {gap} days. Shaded: 95% interval. "
        f"Still followed where the curve ends: {', '.join(followed)}."
    )
    subtitle = with_definition(about, definition)
    heading(ax, title, subtitle, kind="Survival curve", left=left, note=note, below=24)
    return ax


@styled
def stickiness(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    definition: str = "",
    weekend: Collection[str] = WEEKEND,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw on which share of days the people of a trailing window were active.

    Parameters
    ----------
    frame
        Frame of `metrics.stickiness`: one row per window and day with ``window``, ``day``,
        ``people``, ``person_days``, ``days``, ``stickiness``, ``is_complete_window``.
    coverage
        Frame of `metrics.coverage`: provisional days are dashed, absent days are gaps.
    definition, weekend, title, ax
        As in `active_people`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"window": 28, "day": pd.to_datetime(["2026-11-02", "2026-11-03"]),
    ...     "people": 40, "person_days": 400, "days": 28, "stickiness": 0.357,
    ...     "is_complete_window": True})
    >>> [text.get_text() for text in stickiness(frame).texts][0]
    '28 days: 36%'
    """
    title = findings.stickiness(frame, coverage) if title is None else title
    ax = new_axes(ax)
    provisional, absent = day_sets(coverage)
    series = {
        f"{number(days)} days:": (WINDOW_LOOKS.get(days, Look(ORANGE)), values)
        for days, _, values in whole_windows(frame, "window", "stickiness", absent)
    }
    if not series:
        return nothing(ax, title, findings.NO_PEOPLE)
    return finish(
        ax,
        [values for _, values in series.values()],
        named_lines(ax, series, percent, provisional),
        title=title,
        subtitle="Share of the trailing days on which a person of these days was active",
        definition=definition,
        affects=("people",),
        provisional=provisional,
        absent=absent,
        weekend=weekend,
        share=True,
    )
