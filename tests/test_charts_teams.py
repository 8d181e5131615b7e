"""Charts and sentences about teams: no ranking, ranges as ranges, and nothing drawn for nothing."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from copilot_analytics import charts
from copilot_analytics.charts import findings

PROMPTS = "user_initiated_interaction_count"
HOSTILE = ["$x^2$", "<script>alert(1)</script>", "a\nb\tc", "\u202eevil", "日本語 🎉", "x" * 200]


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def shares(**columns) -> pd.DataFrame:
    """Teams after privacy: one shown, one as a range, one hidden for another's sake, one small."""
    frame = pd.DataFrame(
        {
            "team_id": [1, 2, 3, 4],
            "slug": ["web", "mobile", "data", "tiny"],
            "members": pd.array([50, 30, 20, None], "Int64"),
            "active_users": pd.array([25, None, None, None], "Int64"),
            "share": [0.5, np.nan, np.nan, np.nan],
            "low": [0.37, np.nan, np.nan, np.nan],
            "high": [0.63, np.nan, np.nan, np.nan],
            "at_least": [0.5, 26 / 30, np.nan, np.nan],
            "at_most": [0.5, 29 / 30, np.nan, np.nan],
        }
    )
    return frame.assign(**columns)


def weekly(teams: int = 2, weeks: int = 5) -> pd.DataFrame:
    starts = pd.date_range("2026-10-05", periods=weeks, freq="7D", unit="us")
    parts = [
        pd.DataFrame({"week": starts, "share": 0.4 + 0.01 * np.arange(weeks) * (-1) ** number})
        .assign(team_id=number, slug=f"team-{number}", members=40 - number)
        .assign(low=lambda f: f["share"] - 0.01, high=lambda f: f["share"] + 0.01)
        .assign(at_least=lambda f: f["share"], at_most=lambda f: f["share"])
        for number in range(teams)
    ]
    return pd.concat(parts, ignore_index=True)


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_teams_stand_in_the_order_of_their_names():
    """No ranking: neither of persons nor of teams."""
    ax = charts.team_shares(shares(), period="9 Nov 2026", definition="any use (so)")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["data", "mobile", "tiny", "web"]
    assert "no ranking" in " ".join(texts(ax))
    assert charts.alt_text(ax) == (
        "Bar chart. In the 2 of 4 teams that can be shown, 50% to 97% of the members were active. "
        "Share of members who were active 9 Nov 2026. Active: any use."
    )


def test_a_range_is_written_as_one_and_what_is_hidden_is_not_drawn():
    ax = charts.team_shares(shares())
    written = texts(ax)
    assert "50% of 50" in written
    assert "87% to 97% of 30" in written
    assert "too few people to show" in written
    assert "not shown, as it would reveal others · 20 members" in written
    assert [round(bar.get_width(), 2) for bar in ax.patches] == [0, 0.87, 0, 0.5]


def test_the_largest_teams_are_drawn_and_the_others_counted():
    ax = charts.team_shares(shares(), top=2)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["mobile", "web"]
    assert "Not drawn, as smaller: 2 teams." in " ".join(" ".join(texts(ax)).split())


def test_hostile_names_stay_text():
    """F174."""
    frame = pd.concat([shares().iloc[[0]]] * len(HOSTILE), ignore_index=True)
    ax = charts.team_shares(frame.assign(slug=HOSTILE, team_id=range(len(HOSTILE))))
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert "$x^2$" in labels
    assert not any("\n" in label or "\u202e" in label or len(label) > 30 for label in labels)
    trend = charts.team_trend(weekly(1).assign(slug="$x^2$\n\u202e"))
    assert trend.child_axes[0].get_title("left") == "$x^2$ \ufffd"
    trend.figure.canvas.draw()


def test_small_charts_have_one_scale_and_fit_into_the_picture():
    ax = charts.team_trend(weekly(7), definition="any use")
    assert len(ax.child_axes) == 7
    assert {panel.get_ylim() for panel in ax.child_axes} == {(0, 1.02)}
    assert len({panel.get_xlim() for panel in ax.child_axes}) == 1
    ax.figure.canvas.draw()
    width, height = ax.figure.get_size_inches() * ax.figure.dpi
    renderer = ax.figure.canvas.get_renderer()
    for text in [*ax.texts, *(t for panel in ax.child_axes for t in panel.texts)]:
        box = text.get_window_extent(renderer)
        assert -1 <= box.x0 < box.x1 <= width + 1, text
        assert -1 <= box.y0 < box.y1 <= height + 1, text


def test_a_week_that_begins_before_the_data_is_dashed():
    days = pd.date_range("2026-10-08", "2026-11-08", unit="us")
    covered = pd.DataFrame({"family": "users", "day": days, "state": "final"})
    panel = charts.team_trend(weekly(1), coverage=covered).child_axes[0]
    solid, dashed = (line.get_ydata() for line in panel.lines[:2])
    assert np.flatnonzero(~np.isnan(solid)).tolist() == [1, 2, 3, 4]
    assert np.flatnonzero(~np.isnan(dashed)).tolist() == [0, 1]


def test_a_hidden_week_is_a_gap_and_a_range_an_upright_bar():
    frame = weekly(1)
    frame.loc[1, ["share", "at_least", "at_most"]] = np.nan
    frame.loc[3, ["share", "at_least", "at_most"]] = np.nan, 0.9, 0.97
    ax = charts.team_trend(frame)
    (panel,) = ax.child_axes
    drawn = panel.lines[0].get_ydata()
    assert np.isnan(drawn).tolist() == [False, True, False, True, False]
    (bars,) = (c for c in panel.collections if len(c.get_segments()))
    assert bars.get_segments()[0][:, 1].tolist() == [0.9, 0.97]
    words = " ".join(" ".join(texts(ax)).split())
    assert "Upright bars" in words
    assert "too few people" in words


def test_weeks_that_may_still_change_are_dashed_and_not_compared():
    days = pd.date_range("2026-10-05", "2026-11-08", unit="us")
    states = ["final"] * 30 + ["provisional"] * (len(days) - 30)
    coverage = pd.DataFrame({"family": "users", "day": days, "state": states})
    ax = charts.team_trend(weekly(), coverage=coverage)
    assert "Dashed" in " ".join(texts(ax))
    assert "2 Nov 2026 the share active" not in charts.alt_text(ax)
    settled = charts.team_trend(weekly())
    assert charts.alt_text(settled).startswith(
        "Small line charts. In the week from 2 Nov 2026 the share active is clearly larger in "
        "1 and clearly smaller in 1 of 2 teams than 4 weeks before."
    )


@pytest.mark.parametrize("chart", [charts.team_shares, charts.team_trend])
def test_nothing_is_said_and_not_drawn(chart):
    """F203: how to get the report that is missing; or that all teams are too small."""
    frame = shares() if chart is charts.team_shares else weekly()
    hidden = frame.assign(at_least=np.nan, at_most=np.nan, share=np.nan)
    for empty, reason in ((frame.head(0), "copilot-analytics sync"), (hidden, "enough people")):
        ax = chart(empty)
        assert charts.alt_text(ax).startswith("No chart.")
        assert reason in charts.alt_text(ax)
        assert not ax.patches
        assert not ax.child_axes


def headline(**values) -> pd.DataFrame:
    figures = {"teams_with_activity": 4.0, "share_of_members_active": 0.75} | values
    return pd.DataFrame({"figure": list(figures), "value": list(figures.values())})


def test_the_answer_names_teams_members_and_days():
    assert findings.teams(headline(), shares(), "9 Nov 2026") == (
        "Every team that GitHub reports had active members (9 Nov 2026). "
        "In all, 75% of the members of teams were active."
    )
    fewer = findings.teams(headline(teams_with_activity=3.0), shares(), "9 Nov 2026")
    assert fewer.startswith("3 of 4 teams had active members (9 Nov 2026).")
    alone = findings.teams(headline(teams_with_activity=1.0), shares().head(1), "9 Nov 2026")
    assert alone.startswith("The only team that GitHub reports")


def test_the_answer_says_what_is_missing():
    nothing = shares().head(0)
    assert findings.teams(headline(), nothing, "9 Nov 2026") == findings.NO_TEAMS
    assert findings.teams(headline(), nothing, "") == f"{findings.NO_PEOPLE} {findings.NO_TEAMS}"
    assert findings.teams(headline(), shares(), "") == findings.NO_PEOPLE
    hidden = headline(teams_with_activity=np.nan)
    assert findings.teams(hidden, shares(), "9 Nov 2026") == findings.NO_SHARES
    without = findings.teams(headline(share_of_members_active=np.nan), shares(), "9 Nov 2026")
    assert "In all" not in without


def test_teams_without_activity_are_named_and_many_are_counted():
    frame = pd.DataFrame({"slug": [f"t{n:02}" for n in range(12)], "active_users": 0})
    assert findings.idle_teams(frame).startswith("12 of 12 teams have no active member: t00, t01")
    assert findings.idle_teams(frame).endswith("and 4 more.")
    hidden = frame.assign(active_users=pd.array([5] * 11 + [None], "Int64"))
    assert findings.idle_teams(hidden) == "Every team that can be shown has active members."
    assert findings.idle_teams(frame.head(0)) == findings.NO_TEAMS


def test_without_records_of_people_no_team_is_called_idle():
    frame = pd.DataFrame({"slug": ["a", "b"], "active_users": pd.array([None] * 2, "Int64")})
    assert findings.idle_teams(frame) == "Of no team can be shown whether its members were active."


def test_teams_that_come_and_go_are_named():
    frame = pd.DataFrame({"slug": ["a", "b"], "days_present": [28, 3], "days_reported": 28})
    assert findings.unsteady_teams(frame) == "1 of 2 teams is not reported on every day: b."
    assert findings.unsteady_teams(frame.head(1)).startswith("Every team is reported on every day")
    assert findings.unsteady_teams(frame.head(0)) == findings.NO_TEAMS


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((130, -50, 7, 0, 87), "several teams, and 7 come from people without a reported team."),
        ((130, -50, 0, 0, 80), "80. 50 are counted again for people of several teams."),
        ((130, 0, 0, 9, 139), "139. 9 come from days without a report on teams."),
        ((130, 0, 0, 0, 130), "Everybody with prompts is in exactly one team."),
        ((130, None, None, None, 87), "comes from too few people to show."),
        ((130, None, None, None, None), "All teams added up have 130 prompts."),
        ((0, 0, 0, 0, 7), "No prompts of teams can be shown."),
    ],
)
def test_why_the_sums_differ_is_said(values, sentence):
    lines = ["sum_of_teams", "counted_again", "without_team", "without_report", "everybody"]
    frame = pd.DataFrame({"line": lines, PROMPTS: pd.array(values, "Int64")})
    assert findings.team_totals(frame).endswith(sentence)
    assert findings.team_totals(frame[["line"]]) == ""
