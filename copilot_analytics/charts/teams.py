"""Teams: which share of each was active, and how that went week by week."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
from matplotlib.axes import Axes

from copilot_analytics.charts import findings
from copilot_analytics.charts.amounts import partial_weeks
from copilot_analytics.charts.bars import share_bars
from copilot_analytics.charts.style import (
    BLUE,
    INK,
    MUTED,
    SKY,
    SMALL_SIZE,
    Look,
    heading,
    new_axes,
    nothing,
    readable,
    styled,
)
from copilot_analytics.charts.timeline import (
    DAY,
    line,
    on_calendar,
    with_definition,
)
from copilot_analytics.charts.words import counted, limits_text, number, percent, period_text, plain

WEEK = 7 * DAY
COLUMNS, PANEL = 3, 1.45  # panels side by side; inches per row of panels
NO_RANKING = "Alphabetical order: this is no ranking."


@styled
def team_shares(
    frame: pd.DataFrame,
    *,
    period: str = "",
    definition: str = "",
    top: int = 20,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of the members of each team was active, in the order of their names.

    Parameters
    ----------
    frame
        Frame of `metrics.team_activity` after `privacy.hide_small_teams`: one row per team with
        ``slug``, ``members``, ``active_users``, ``share``, ``low``, ``high``, and the range
        ``at_least`` to ``at_most`` where the share is not shown.
    period
        The days that the frame is about, for the subtitle; see `covered_text`.
    definition
        What "active" means, for the subtitle.
    top
        How many teams to draw, those with most members; the others are counted in the note.
    title
        The finding; by default made from the figures.
    ax
        Where to draw; by default a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"slug": ["web", "data"], "members": [30, 12], "active_users": [15, 6],
    ...     "share": 0.5, "low": 0.3, "high": 0.7, "at_least": 0.5, "at_most": 0.5})
    >>> [text.get_text() for text in team_shares(frame).get_yticklabels()]
    ['data', 'web']
    """
    title = findings.team_shares(frame) if title is None else title
    if frame.empty or frame["at_least"].isna().all():
        reason = findings.NO_TEAMS if frame.empty else findings.NO_SHARES
        return nothing(ax, title, reason)
    shown = _largest(frame, top)
    more = len(frame) - len(shown)
    return share_bars(
        shown,
        shown["slug"],
        "at_least",
        [_share_text(row) for row in shown.itertuples()],
        title=title,
        subtitle=with_definition(f"Share of members who were active {period}".strip(), definition),
        notes=[
            "Where nearly all or nearly no members were active, the range in which the share lies.",
            NO_RANKING,
            f"Not drawn, as smaller: {counted(more, 'team')}." if more else "",
        ],
        ax=ax,
    )


def _largest(frame: pd.DataFrame, top: int) -> pd.DataFrame:
    """Return the teams with most members, in the order of their names."""
    largest = frame.assign(_size=frame["members"].fillna(0)).sort_values(
        ["_size", "slug"], ascending=[False, True], kind="stable"
    )
    return largest.head(top).sort_values(["slug", "team_id"] if "team_id" in frame else "slug")


def _share_text(row) -> str:
    if pd.isna(row.members):
        return "too few people to show"
    if pd.isna(row.at_least):
        return f"not shown, as it would reveal others · {number(row.members)} members"
    return f"{limits_text(row)} of {number(row.members)}"


@styled
def team_trend(
    frame: pd.DataFrame,
    *,
    coverage: pd.DataFrame | None = None,
    definition: str = "",
    top: int = 9,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of each team was active week by week, in a small chart per team.

    Parameters
    ----------
    frame
        Frame of `metrics.team_activity` by week, after `privacy.hide_small_teams`: one row per
        team and week with ``week`` (its first day), ``team_id``, ``slug``, ``members``, ``share``,
        ``low``, ``high``, ``at_least``, ``at_most``.
    coverage
        Frame of `metrics.coverage`: weeks with provisional or absent days are dashed.
    definition, title, ax
        As in `team_shares`.
    top
        How many teams to draw, those with most members.

    Returns
    -------
    matplotlib.axes.Axes
        The whole chart; the small ones are its ``child_axes``.

    Examples
    --------
    >>> frame = pd.DataFrame({"week": pd.to_datetime(["2026-10-26", "2026-11-02"]), "team_id": 7,
    ...     "slug": "web", "members": 30, "share": [0.5, 0.6], "low": 0.4, "high": 0.7,
    ...     "at_least": [0.5, 0.6], "at_most": [0.5, 0.6]})
    >>> [panel.get_title("left") for panel in team_trend(frame).child_axes]
    ['web']
    """
    open_weeks = set(frame.loc[partial_weeks(frame["week"], coverage, "users"), "week"])
    title = findings.team_trend(frame, open_weeks) if title is None else title
    known = frame[frame["at_least"].notna()]
    if known.empty:
        reason = findings.NO_TEAMS if frame.empty else findings.NO_SHARES
        what = findings.nothing_to_show("active members of teams per week")
        return nothing(ax, what, reason)
    last = known.sort_values("week").groupby("team_id").tail(1)
    teams = _largest(last, top)
    rows = -(-len(teams) // COLUMNS)
    ax = new_axes(ax, height=1.1 + PANEL * rows)
    ax.set_axis_off()
    ends = frame["week"].min(), frame["week"].max()
    for place, team in enumerate(teams.itertuples()):
        is_lowest = place + COLUMNS >= len(teams)
        panel = _panel(ax, place, rows, ends, is_lowest)
        part = known[known["team_id"] == team.team_id].sort_values("week")
        _draw_team(panel, part, open_weeks)
        panel.set_title(plain(team.slug, 24), loc="left", size=SMALL_SIZE + 0.5, weight="bold")
    weeks = f"weeks that start on {period_text(*ends)}"
    subtitle = with_definition(f"Share of each team's members active per week, {weeks}", definition)
    note = " ".join(_trend_notes(frame, teams, open_weeks))
    heading(ax, title, subtitle, kind="Small line charts", note=note, below=8)
    return ax


def _panel(ax: Axes, place: int, rows: int, ends: tuple, is_lowest: bool) -> Axes:
    """Add the small axes at a place, all with one scale."""
    row, column = divmod(place, COLUMNS)
    width, height = 1 / COLUMNS, 1 / rows
    left, bottom = column * width, 1 - (row + 1) * height
    indent = 0.075
    panel = ax.inset_axes(
        [left + indent, bottom + 0.2 * height, width - indent - 0.05, height * 0.6]
    )
    panel.set(xlim=(ends[0] - WEEK / 2, ends[1] + WEEK / 2), ylim=(0, 1.02))
    panel.set_yticks([0, 0.5, 1], [percent(share) if column == 0 else "" for share in (0, 0.5, 1)])
    panel.grid(axis="y")
    ticks = list(dict.fromkeys(ends))
    labels = [period_text(day, day)[:-5] if is_lowest else "" for day in ticks]
    panel.set_xticks(ticks, labels)
    for label, side in zip(panel.get_xticklabels(), ("left", "right"), strict=False):
        label.set_horizontalalignment(side if len(ticks) > 1 else "center")
    panel.tick_params(labelsize=SMALL_SIZE, length=2)
    return panel


def _draw_team(panel: Axes, part: pd.DataFrame, open_weeks: Collection) -> None:
    """Draw the shares of one team: a line where they are shown, upright bars for ranges."""
    shares = on_calendar(part, "share", day="week", step=7)
    line(panel, shares, Look(BLUE, "", 1.6), open_weeks)
    is_range = part["at_least"] < part["at_most"]
    ranges = part[is_range]
    panel.vlines(ranges["week"], ranges["at_least"], ranges["at_most"], color=SKY, linewidth=3.5)
    last = part.iloc[-1]
    middle = (last["at_least"] + last["at_most"]) / 2
    text = percent(last["at_least"]) + ("" if not is_range.iloc[-1] else "+")
    panel.annotate(
        text,
        (last["week"], middle),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        size=SMALL_SIZE,
        color=readable(BLUE) if not is_range.iloc[-1] else MUTED,
        annotation_clip=False,
    )
    panel.axhline(0, color=INK, linewidth=0.6)


def _trend_notes(frame: pd.DataFrame, teams: pd.DataFrame, open_weeks: Collection) -> list[str]:
    shown = frame[frame["team_id"].isin(teams["team_id"])]
    more = frame["team_id"].nunique() - len(teams)
    notes = [NO_RANKING]
    if (shown["at_least"] < shown["at_most"]).any():
        notes.append("Upright bars: a range, as nearly all or nearly no members were active.")
    if shown["at_least"].isna().any():
        notes.append("Weeks with too few people to show are not drawn.")
    if open_weeks:
        notes.append("Dashed: weeks with days that are provisional or not there.")
    if more:
        notes.append(f"Not drawn, as smaller or with too few people: {counted(more, 'team')}.")
    return notes
