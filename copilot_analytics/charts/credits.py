"""AI credits and tokens: the month so far and its forecast, weeks, teams."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.amounts import amount_bars, joined, partial_weeks, week_columns
from copilot_analytics.charts.bars import joined_notes
from copilot_analytics.charts.style import (
    BLUE,
    INK,
    ORANGE,
    SKY,
    Look,
    heading,
    new_axes,
    nothing,
    styled,
)
from copilot_analytics.charts.timeline import (
    day_axis,
    finish,
    has_hidden,
    label_ends,
    named_lines,
    on_calendar,
    provisional_weeks,
    value_axis,
)
from copilot_analytics.charts.words import number, percent, period_text

CLIENTS = {"cli": Look(ORANGE, "s"), "app": Look(BLUE, "o")}
CREDITS = "ai_credits_used"
ACROSS_NOTE = "The line runs straight across days that would tell of too few people."
HIDDEN_NOTE = "Weeks with too few people to show are not drawn."


@styled
def credits_forecast(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the credits of the month so far, and what it is expected to take until its end.

    Parameters
    ----------
    frame
        Frame of `metrics.credits_forecast`, after `privacy.hide_small_days`: one row per day of the
        month with ``day``, ``is_measured``, ``cumulative``, ``low``, ``high`` (credits), ``level``,
        ``history_days``, ``outcome``.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"day": pd.to_datetime(["2026-11-01", "2026-11-02"]), "level": 0.8,
    ...     "is_measured": [True, False], "cumulative": [5.0, 9.0], "low": [5.0, 8.0],
    ...     "high": [5.0, 11.0], "history_days": 56, "outcome": "forecast"})
    >>> credits_forecast(frame).get_label().split(".")[1].strip()
    'Nov 2026 is heading for 9 credits (8 to 11)'
    """
    title = findings.credits_forecast(frame) if title is None else title
    known = frame[frame["cumulative"].notna()]
    if known.empty:
        is_short = not has_hidden(frame) and frame["outcome"].eq("not enough days").any()
        reason = findings.NO_FORECAST if is_short else findings.NO_CREDITS
        return nothing(ax, title, reason)
    ax = new_axes(ax)
    days = known.set_index("day")[["cumulative", "low", "high"]].astype("float64")
    measured = known["is_measured"].to_numpy(dtype=bool)
    so_far = known[measured & ~(~measured).cumsum().astype(bool)]
    ax.fill_between(days.index, days["low"], days["high"], color=SKY, alpha=0.35, linewidth=0)
    ax.plot(days.index, days["cumulative"], color=BLUE, linewidth=1.6, linestyle=(0, (3, 2)))
    ax.plot(so_far["day"], so_far["cumulative"], color=BLUE, linewidth=2.6)
    if len(so_far) == 1:
        ax.plot(so_far["day"], so_far["cumulative"], "o", color=BLUE)
    left = value_axis(ax)
    first, last = frame["day"].iloc[0], frame["day"].iloc[-1]
    day_axis(ax, first, last)
    row = known.iloc[-1]
    ends = [(row["cumulative"], findings.rounded(row["cumulative"]), BLUE)]
    if row["high"] > row["low"]:
        ends += [(row[end], findings.rounded(row[end]), INK) for end in ("low", "high")]
    if row["day"] == last:
        label_ends(ax, ends)
    heading(
        ax,
        title,
        f"AI credits since the first of the month, {period_text(first, last)}",
        kind="Line chart",
        left=left,
        note=_forecast_note(frame),
    )
    return ax


def _forecast_note(frame: pd.DataFrame) -> str:
    row = frame.iloc[-1]
    if row["outcome"] == "complete":
        note = "Every day of the month is measured."
    elif row["outcome"] != "forecast":
        note = (
            f"No forecast: credits of {number(row['history_days'])} days are known before the end "
            "of the data, which is too little to learn from."
        )
    else:
        note = (
            f"Dashed: expected, learned from {number(row['history_days'])} days. Shaded: in "
            f"{percent(row['level'])} of months like these the credits stay within. Holidays, new "
            "people and new prices to come are not in it."
        )
    return joined_notes([note, ACROSS_NOTE if has_hidden(frame) else ""])


@styled
def credits_trend(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many credits were used each week.

    Parameters
    ----------
    frame
        Frame of `metrics.credits` by week, after `privacy`: one row per week with ``week`` (its
        first day) and ``credits``.
    coverage
        Frame of `metrics.coverage`: weeks with provisional or absent days are pale.
    title, ax
        As in `credits_forecast`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"week": pd.to_datetime(["2026-11-02"]), "credits": [30.0]})
    >>> credits_trend(frame).get_label().split(".")[1].strip()
    '30 credits in a week'
    """
    if title is None:
        whole = frame[~partial_weeks(frame["week"], coverage, "users")]
        title = findings.credits_trend(whole if whole["credits"].notna().any() else frame)
    if not frame["credits"].notna().any():
        return nothing(ax, title, findings.NO_CREDITS)
    return week_columns(
        frame,
        "credits",
        title=title,
        subtitle="AI credits per week",
        coverage=coverage,
        family="users",
        affects=("credits",),
        notes=[HIDDEN_NOTE if has_hidden(frame) else ""],
        ax=ax,
    )


@styled
def tokens_trend(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many tokens a request of the CLI and the Copilot app took, week by week.

    Parameters
    ----------
    frame
        Frame of `metrics.tokens` by week, after `privacy`: one row per week and client with
        ``week`` (its first day), ``client``, ``label``, ``tokens_per_request``.
    coverage
        Frame of `metrics.coverage`: weeks with provisional days are dashed.
    title, ax
        As in `credits_forecast`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"week": pd.to_datetime(["2026-11-02"]), "client": "cli",
    ...     "client_number": 1, "label": "CLI", "tokens_per_request": [1200.0]})
    >>> [text.get_text() for text in tokens_trend(frame).texts][0]
    'CLI 1,200'
    """
    known = frame[frame["tokens_per_request"].notna()]
    provisional = provisional_weeks(known["week"], coverage)
    is_open = known["week"].isin(list(provisional))
    title = (
        findings.tokens_trend(known if is_open.all() else known[~is_open])
        if title is None
        else title
    )
    ax = new_axes(ax)
    if known.empty:
        return nothing(ax, title, findings.NO_TOKENS)
    series = {}
    for client, part in known.groupby("client"):
        values = on_calendar(part, "tokens_per_request", day="week", step=7)
        series[part["label"].iloc[0]] = CLIENTS[client], values
    return finish(
        ax,
        [values for _, values in series.values()],
        named_lines(ax, series, findings.rounded, provisional),
        title=title,
        subtitle="Output and prompt tokens per request, weeks from Monday",
        affects=("activity",),
        provisional=provisional,
        notes=[HIDDEN_NOTE] if has_hidden(frame) else [],
    )


@styled
def team_credits(
    frame: pd.DataFrame,
    *,
    period: str = "",
    top: int = 20,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many credits the people of each team used, in the order of their names.

    Parameters
    ----------
    frame
        Frame of `metrics.team_activity`, after `privacy`: one row per team with ``slug``,
        ``ai_credits_used``, ``members``.
    period
        The days that the frame is about, for the subtitle; see `covered_text`.
    top
        How many teams to draw, those with most credits; the rest is counted in the note.
    title, ax
        As in `credits_forecast`.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"slug": ["web"], "ai_credits_used": [90.0], "members": [8]})
    >>> [text.get_text() for text in team_credits(frame).get_yticklabels()]
    ['web']
    """
    title = findings.team_credits(frame) if title is None else title
    known = frame[frame[CREDITS].fillna(0) > 0]
    if known.empty:
        return nothing(ax, title, findings.NO_TEAM_CREDITS)
    shown = known.sort_values([CREDITS, "slug"], ascending=[False, True]).head(top)
    shown = shown.sort_values("slug")
    texts = [
        f"{number(round(row.ai_credits_used))} · {number(row.members)} members"
        for row in shown.itertuples()
    ]
    more = len(frame) - len(shown)
    return amount_bars(
        shown,
        shown["slug"],
        CREDITS,
        texts,
        title=title,
        subtitle=joined("AI credits of the people of each team", period),
        notes=[
            "In the order of names: no ranking.",
            f"Not drawn, with fewer or none, or too few people: {number(more)}." if more else "",
        ],
        ax=ax,
    )
