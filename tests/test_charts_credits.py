"""Charts of credits and tokens say what their frames say, and nothing where there is nothing."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import ndjson
from delivery_input import spender_records

import copilot_analytics as ca
from copilot_analytics import charts, metrics, privacy
from copilot_analytics.charts import findings

USERS = ca.load(ndjson(*spender_records())).users
NOBODY = USERS.head(0)
CHARTS = {
    "credits_forecast": metrics.credits_forecast,
    "credits_trend": lambda users: metrics.credits(users, period="week"),
    "tokens_trend": lambda users: metrics.tokens(users, period="week"),
}


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def texts(ax) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in ax.texts)


def coverage(provisional=0) -> pd.DataFrame:
    days = pd.date_range("2026-09-07", "2026-11-05", unit="us")
    states = ["final"] * (len(days) - provisional) + ["provisional"] * provisional
    return pd.DataFrame(
        {"scope": "organization:7", "family": "users", "day": days, "state": states}
    )


def path(last: str, outcome="forecast", **more) -> pd.DataFrame:
    """A month of which ten credits a day are known up to a day, and then expected."""
    days = pd.date_range("2026-11-01", "2026-11-30", unit="us")
    cumulative = np.arange(1, 31) * 10.0
    is_measured = days <= pd.Timestamp(last)
    spread = np.where(is_measured, 0, (days - pd.Timestamp(last)).days * 2.0)
    frame = pd.DataFrame(
        {
            "day": days,
            "is_measured": pd.array(is_measured, dtype="boolean"),
            "cumulative": cumulative,
            "low": cumulative - spread,
            "high": cumulative + spread,
            "level": 0.8,
            "history_days": 56,
            "people": 9,
            "all_people": 12,
            "credits": 10.0,
            "outcome": outcome,
        }
    )
    return frame.assign(**more)


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_draws_its_metric_and_tells_it_in_words(name):
    ax = getattr(charts, name)(CHARTS[name](USERS))
    words = charts.alt_text(ax)
    assert not words.startswith("No chart")
    assert "nan" not in words.lower()
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_is_said_in_a_sentence(name):
    ax = getattr(charts, name)(CHARTS[name](NOBODY))
    assert charts.alt_text(ax).startswith("No chart. Nothing to show")
    ax.figure.canvas.draw()


def test_the_month_so_far_is_drawn_full_and_the_rest_dashed_with_its_range():
    frame = path("2026-11-16")
    ax = charts.credits_forecast(frame)
    expected, so_far, *_ = ax.lines
    assert expected.get_ydata().tolist() == frame["cumulative"].tolist()
    assert so_far.get_ydata().tolist() == frame["cumulative"].head(16).tolist()
    assert charts.alt_text(ax).startswith(
        "Line chart. Nov 2026 is heading for 300 credits (272 to 328). "
    )
    assert "in 80% of months like these" in texts(ax)
    assert ax.get_ylim()[0] == 0


def test_an_estimated_day_ends_the_line_of_what_is_measured():
    frame = path("2026-11-16")
    frame.loc[4, "is_measured"] = False
    ax = charts.credits_forecast(frame)
    assert len(ax.lines[1].get_ydata()) == 4


def test_a_complete_month_has_no_range_and_no_forecast():
    ax = charts.credits_forecast(path("2026-11-30", outcome="complete"))
    assert "Nov 2026 took 300 credits" in charts.alt_text(ax)
    assert "heading" not in texts(ax)


def test_too_few_days_are_told_with_and_without_a_beginning_of_the_month():
    frame = path("2026-11-16", outcome="not enough days")
    frame.loc[16:, ["cumulative", "low", "high"]] = None
    ax = charts.credits_forecast(frame)
    assert "160 credits so far in Nov 2026; too few days are known" in charts.alt_text(ax)
    assert "No forecast" in texts(ax)
    nothing = frame.assign(cumulative=float("nan"))
    assert findings.NO_FORECAST in charts.alt_text(charts.credits_forecast(nothing))


def test_a_forecast_of_too_few_people_is_hidden_not_drawn():
    """R5.19."""
    hidden = privacy.hide_small_days(path("2026-11-16", people=3, all_people=3))
    ax = charts.credits_forecast(hidden)
    assert findings.NO_CREDITS in charts.alt_text(ax)
    assert not ax.lines


def test_the_line_runs_across_days_of_too_few_people_and_the_note_says_so():
    frame = path("2026-11-17")
    frame.loc[[6, 7, 13, 14], "people"] = 3  # two weekends
    ax = charts.credits_forecast(privacy.hide_small_days(frame))
    expected, so_far, *_ = ax.lines
    drawn = [int(value) for value in so_far.get_ydata()]
    assert drawn == [10, 20, 30, 40, 50, 90, 100, 110, 120, 160, 170]
    assert "in 80% of months like these" in texts(ax)
    assert "runs straight across days that would tell of too few people" in texts(ax)
    assert "straight" not in texts(charts.credits_forecast(path("2026-11-17")))


def test_weeks_that_are_not_whole_are_pale_and_not_in_the_title():
    """F205."""
    frame = metrics.credits(USERS, period="week")
    ax = charts.credits_trend(frame, coverage=coverage(provisional=4))
    pale = [bar.get_alpha() is not None for bar in ax.patches]
    assert pale == [False] * 8 + [True]
    whole = frame["credits"].head(8)
    low, high = findings.rounded(whole.min()), findings.rounded(whole.max())
    assert f"{low} to {high} credits in a week" in charts.alt_text(ax)
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], frame["credits"])


def test_hidden_weeks_are_not_drawn_and_the_note_says_so():
    frame = metrics.credits(USERS, period="week")
    frame.loc[2, "people"] = 3
    hidden = privacy.hide_small_groups(frame, complementary=False)
    ax = charts.credits_trend(hidden)
    assert ax.patches[2].get_height() == 0
    assert "too few people" in texts(ax)


def test_tokens_are_told_from_settled_weeks():
    frame = metrics.tokens(USERS, period="week")
    ax = charts.tokens_trend(frame, coverage=coverage(provisional=4))
    assert "in the week from 26 Oct 2026" in charts.alt_text(ax)
    week = frame[frame["week"] == pd.Timestamp("2026-10-26")].set_index("client")
    for client, label in (("cli", "CLI"), ("app", "Copilot app")):
        tokens = findings.rounded(week.loc[client, "tokens_per_request"])
        assert f"{label} {tokens}" in texts(ax)


def test_teams_stand_in_the_order_of_their_names():
    frame = pd.DataFrame(
        {
            "slug": ["web", "api", "$x^2$", "quiet", "hidden"],
            "ai_credits_used": [10.0, 90.0, 50.0, None, None],
            "members": pd.array([8, 9, 7, 6, None], dtype="Int64"),
        }
    )
    ax = charts.team_credits(frame, period="2 Nov 2026")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["$x^2$", "api", "web"]
    assert [bar.get_width() for bar in ax.patches] == [50, 90, 10]
    assert "no ranking" in texts(ax)
    assert "too few people: 2." in texts(ax)
    assert charts.alt_text(charts.team_credits(frame.tail(2))).startswith("No chart")


def test_the_answer_fits_its_figures():
    headline = pd.DataFrame(
        {
            "figure": ["credits", "usd", "people_with_credits"],
            "value": pd.array([310.2, 3.102, 12], dtype="Float64"),
        }
    )
    first = "12 people used 310 AI credits, worth 3.10 USD at the price of a credit (now)."
    short = path("2026-11-16", outcome="not enough days")
    assert findings.credits_answer(headline, short, "now") == first
    assert findings.credits_answer(headline, path("2026-11-16"), "now") == (
        f"{first} Nov 2026 is heading for 300 credits (272 to 328)."
    )
    missing = headline.assign(value=pd.array([None] * 3, dtype="Float64"))
    assert findings.credits_answer(missing, short, "now") == findings.NO_CREDITS
    assert findings.credits_answer(headline, short, "") == findings.NO_CREDITS
