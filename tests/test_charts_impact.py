"""What charts and sentences about a date say is what the figures say, and no more."""

from __future__ import annotations

from datetime import datetime, timedelta

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from test_charts import boxes, texts

from copilot_analytics import charts, metrics, privacy

PROMPTS = "user_initiated_interaction_count"
DATE = datetime(2026, 1, 5)
GROUPS = ["treated_people", "comparison_people"]
CAUSAL = ("because", "caused", "thanks to", "led to", "due to", "worked", "successful")


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def company(treated=26, others=30, before=12, after=6, extra=0.0, drift=0.0) -> pd.DataFrame:
    """A record per person and week, with ups and downs that cancel out between people."""
    people, weeks = np.arange(treated + others), np.arange(-before, after)
    person, week = (part.ravel() for part in np.meshgrid(people, weeks))
    random = np.random.default_rng(3)
    more = (person < treated) * (extra * (week >= 0) + drift * (week + before))
    prompts = 20 + person % 5 + random.integers(-2, 3, len(person)) + 5 * more
    days = [DATE + timedelta(weeks=int(number)) for number in week]
    return pd.DataFrame({"day": days, "user_id": person, PROMPTS: prompts.astype(int)}).astype(
        {"day": "datetime64[us]"}
    )


def frames(users, **options):
    """The frames of the notebook, after privacy."""
    options = {"final_through": users["day"].max() + timedelta(days=6)} | options
    last = {"day": [users["day"].max() + timedelta(days=6)], "user_id": -1, PROMPTS: 0}
    users = pd.concat([users, pd.DataFrame(last)], ignore_index=True) if len(users) else users
    found = privacy.hide_small_groups(
        metrics.impact(users, **options), people=GROUPS, complementary=False
    )
    weeks, dates = (
        privacy.hide_small_groups(function(users, **options), complementary=False)
        for function in (metrics.event_study, metrics.placebo_dates)
    )
    return found, weeks, dates


def answer(users, **options) -> str:
    return charts.findings.impact(frames(users, **options)[0])


TREATED = {"date": DATE, "treated": range(26)}


def test_an_increase_is_told_with_its_size_interval_and_condition():
    found, weeks, dates = frames(company(extra=2.0), **TREATED)
    row, said = found.iloc[0], charts.findings.impact(found)
    assert row["outcome"] == "increase"
    assert said.startswith("From 5 Jan 2026 on, interactions per person and working day rose by ")
    assert f"{row['estimate']:.2f}".rstrip("0").rstrip(".") in said
    assert "an effect of the date only if" in said
    assert "went from" in charts.findings.event_study(weeks, found)
    assert (
        charts.findings.placebo_dates(found)
        == "None of 7 earlier dates show as large a difference over 3 weeks"
    )
    assert "no clear trend" in charts.findings.trend_before(found)


def test_a_decrease_and_no_effect_are_told():
    assert " fell by " in answer(company(extra=-2.0), **TREATED)
    said = answer(company(), **TREATED)
    assert said.startswith("No effect found: from 5 Jan 2026 on, ")
    assert "would often go unseen" in said


@pytest.mark.parametrize(
    ("users", "options", "words"),
    [
        (company(), {}, "No date was given, so nothing is concluded. Give the first day"),
        (company(extra=2.0), {"date": DATE}, "there is no comparison group"),
        (
            company(treated=9, extra=2.0),
            {"date": DATE, "treated": range(9)},
            "fewer than 25 people",
        ),
        (company(drift=0.3), TREATED, "moved apart before the date already"),
        (company(before=2), TREATED, "fewer than 60 days"),
    ],
)
def test_what_cannot_be_concluded_is_said_without_a_causal_word(users, options, words):
    found, weeks, _ = frames(users, **options)
    assert found["outcome"].iloc[0] == "cannot conclude"
    said = charts.findings.impact(found)
    assert words in said
    for text in (
        said,
        charts.findings.event_study(weeks, found),
        charts.findings.trend_before(found),
    ):
        assert not [word for word in CAUSAL if word in text.lower()]
        assert " effect" not in text


def test_no_records_are_said():
    found, weeks, dates = frames(company().head(0))
    assert charts.findings.impact(found) == charts.findings.NO_PEOPLE
    for draw, frame in drawings(weeks, dates):
        assert draw(frame, found).get_label().startswith("No chart. Nothing to show: ")


def drawings(weeks, dates):
    return (
        (charts.event_study, weeks),
        (charts.trend_before, weeks),
        (charts.placebo_dates, dates),
    )


CASES = {
    "clear": (company(extra=2.0), TREATED),
    "everybody": (company(), {"date": DATE}),
    "small group": (company(treated=3), {"date": DATE, "treated": range(3)}),
    "few others": (company(others=3), TREATED),
    "nobody treated": (company(), {"date": DATE, "treated": [999]}),
    "two weeks": (company(before=1, after=1), TREATED),
    "after alone": (company(before=0, after=5), TREATED),
    "before alone": (company(after=0), TREATED),
    "a year": (company(before=40, after=30), TREATED | {"before": 280, "after": 210}),
    "nothing": (company().head(0), {"date": DATE}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_chart_is_drawn_or_says_why_not(case):
    users, options = CASES[case]
    found, weeks, dates = frames(users, **options)
    for draw, frame in drawings(weeks, dates):
        ax = draw(frame, found)
        ax.figure.draw_without_rendering()
        words = " ".join([ax.get_label(), *texts(ax)])
        assert "nan" not in words.lower().split()
        assert "3 people" not in words
        assert len(ax.get_label()) > 20
        inside = ax.figure.bbox
        for box in boxes(ax):
            assert box.x0 >= inside.x0 - 1
            assert box.x1 <= inside.x1 + 1


def test_lines_are_the_means_and_end_where_the_data_end():
    found, weeks, dates = frames(company(extra=2.0), **TREATED)
    ax = charts.event_study(weeks, found)
    drawn = [line.get_ydata() for line in ax.lines if len(line.get_xdata()) == 18]
    for line, group in zip(drawn, ("treated", "comparison"), strict=True):
        expected = weeks.loc[weeks["group"] == group, "mean"].to_numpy()
        assert line == pytest.approx(expected)
    ax = charts.placebo_dates(dates, found)
    values = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() in "oD"])
    assert values == pytest.approx(dates["estimate"].to_numpy())


def test_a_week_that_is_not_there_is_a_gap():
    found, weeks, _ = frames(company(extra=2.0), **TREATED)
    ax = charts.event_study(weeks[weeks["week"] != -6], found)
    line = next(line for line in ax.lines if len(line.get_xdata()) == 18)
    assert np.isnan(line.get_ydata()[6])


def test_known_changes_of_the_counting_are_named():
    found = frames(company(), **TREATED)[0]
    assert charts.findings.series_breaks_between(found).startswith("No known change")
    named = charts.findings.series_breaks_between(found.assign(series_breaks="One; Two"))
    assert named.endswith("in these weeks: One and Two")
