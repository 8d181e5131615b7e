"""Charts of who stays show limits where shares are hidden, and no period that is not whole."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from test_charts import boxes, coverage, days, texts

from copilot_analytics import charts, privacy


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def cohorts(count: int, people: int = 40) -> pd.DataFrame:
    months = pd.date_range("2026-02-01", periods=count, freq="MS", unit="us")
    rows = [
        (cohort, later - place, months[later], people, people - 6 * (later - place))
        for place, cohort in enumerate(months)
        for later in range(place, count)
    ]
    frame = pd.DataFrame(rows, columns=["cohort", "offset", "period", "people", "retained"])
    return frame.assign(
        share=frame["retained"] / frame["people"],
        low=0.4,
        high=0.9,
        is_left_censored=pd.array(frame["cohort"] == months[0], "boolean"),
        is_complete_period=pd.array(frame["period"] < months[-1], "boolean"),
    )


def curves(length: int = 60) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "is_left_censored": kind,
                "days": range(last),
                "at_risk": np.arange(last)[::-1] + 5,
                "survival": np.linspace(1, end, last),
                "low": np.linspace(1, end, last) - 0.1,
                "high": np.linspace(1, end, last) + 0.05,
            }
        )
        for kind, end, last in ((False, 0.4, length // 2), (True, 0.8, length))
    ]
    return pd.concat(parts, ignore_index=True)


def stickiness(count: int) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"window": window, "day": days(count), "people": 40, "days": window}).assign(
            person_days=10 * window,
            stickiness=0.25,
            is_complete_window=pd.array(np.arange(count) >= window - 1, "boolean"),
        )
        for window in (7, 28)
    ]
    return pd.concat(parts, ignore_index=True)


def every_chart(count: int = 60) -> dict:
    return {
        "retention": charts.retention(cohorts(min(2 + count // 28, 14), people=120)),
        "survival": charts.survival(curves(max(count, 4))),
        "stickiness": charts.stickiness(stickiness(max(count, 28)), coverage=coverage(count)),
    }


@pytest.mark.parametrize("count", [28, 120, 365])
def test_no_text_is_cut_off_or_covers_another(count):
    for name, ax in every_chart(count).items():
        found = boxes(ax)
        width, height = ax.figure.get_size_inches() * ax.figure.dpi
        for place, box in enumerate(found):
            assert min(box.x0, box.y0) >= -1, name
            assert (box.x1, box.y1) <= (width + 1, height + 1), name
            for other in found[place + 1 :]:
                overlap_x = min(box.x1, other.x1) - max(box.x0, other.x0)
                overlap_y = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert min(overlap_x, overlap_y) < 3, name


def test_an_empty_or_hidden_frame_gives_a_calm_sentence():
    """F203, F208: no traceback, no NaN, no empty axes that look like a result."""
    hidden = cohorts(4).assign(people=pd.array([None] * 10, "Int64"))
    empty = [
        charts.retention(cohorts(4).head(0)),
        charts.retention(cohorts(1)),
        charts.retention(hidden),
        charts.survival(curves().head(0)),
        charts.survival(curves().assign(survival=np.nan)),
        charts.survival(curves().head(1)),
        charts.stickiness(stickiness(3)),
    ]
    for ax in empty:
        ax.figure.canvas.draw()
        assert not ax.axison
        assert charts.alt_text(ax).startswith("No chart. Nothing to show: ")
        assert "nan" not in charts.alt_text(ax).lower()


def test_only_whole_periods_after_the_first_are_drawn():
    ax = charts.retention(cohorts(4))
    assert texts(ax)[:3] == ["1", "2", "Feb 2026 or before · 40"]
    cells = [text for text in texts(ax) if text.endswith("%")]
    assert cells == ["85%", "70%", "85%"]
    said = "85% of 40 people who started in Mar 2026 were active in the month after"
    assert said in charts.alt_text(ax)


def test_people_of_the_first_period_are_not_called_new():
    frame = cohorts(3)
    first = frame[frame["is_left_censored"]]
    said = "85% of 40 people of the first month were active in the month after"
    assert said in charts.alt_text(charts.retention(first))


def test_a_hidden_share_is_a_limit_and_a_hidden_cohort_is_only_counted():
    """F185: nearly everybody, or nearly nobody, tells about the few others."""
    frame = cohorts(5, people=40).assign(
        retained=[40, 38, 30, 30, 30, 20, 3, 9, 9, 9, 8, 8, 3, 3, 3]
    )
    frame["people"] = [40] * 5 + [20] * 4 + [11] * 3 + [3] * 2 + [2]
    frame = privacy.hide_small_groups(frame, people="people", complementary=False)
    shown = privacy.limit_shares(frame, part="retained", whole="people", within="period")
    words = texts(charts.retention(shown))
    assert {"≥90%", "≤20%"} <= set(words)
    assert not [text for text in words if "95%" in text or "15%" in text]
    assert not [text for text in words if text.endswith("· 3")]
    assert any(
        "2 months in which too few people started" in text.replace("\n", " ") for text in words
    )


@pytest.mark.parametrize(("step", "unit"), [(1, "day"), (7, "week"), (31, "month")])
def test_the_unit_follows_from_the_periods(step, unit):
    start = pd.Timestamp("2026-03-01")
    frame = cohorts(3).head(2).assign(cohort=start, is_complete_period=True)
    frame["period"] = [start, start + pd.Timedelta(days=step)]
    assert f"active in the {unit} after" in charts.alt_text(charts.retention(frame))


def test_the_curve_is_read_off_where_both_kinds_of_people_are_followed():
    title = charts.findings.survival(curves(120))
    rows = curves(120).query("days == 28").set_index("is_left_censored")
    parts = [
        f"{rows.survival[kind]:.0%} of {count} people {words} "
        f"({about}{rows.low[kind]:.0%} to {rows.high[kind]:.0%})"
        for kind, count, words, about in (
            (True, 124, "there from the start", "95% interval "),
            (False, 64, "who started later", ""),
        )
    ]
    assert title == f"After 28 days {parts[0]} and {parts[1]} still used Copilot"
    assert charts.findings.survival(curves(20)).startswith("After 9 days")


def test_the_curve_falls_in_steps_from_one_and_says_how_many_are_left():
    ax = charts.survival(curves(60), gap=14)
    assert ax.get_ylim() == (0, 1)
    assert {"there from the start 80%", "started later 40%"} <= set(texts(ax))
    steps = [line for line in ax.lines if line.get_drawstyle() == "steps-post"]
    assert [line.get_ydata()[0] for line in steps] == [1, 1]
    note = " ".join(texts(ax)).replace("\n", " ")
    assert "no activity for 14 days" in note
    assert "5 of 64 there from the start, 5 of 34 started later" in note


def test_people_hidden_at_the_end_of_a_curve_are_not_drawn():
    frame = curves(60)
    frame.loc[frame["days"] > 20, ["survival", "low", "high"]] = np.nan
    assert charts.survival(frame).get_xlim() == (0, 20)


def test_stickiness_is_said_in_days():
    ax = charts.stickiness(stickiness(60))
    assert "On average an active person used Copilot on 7 of the 28 days to 20 Nov 2026" in [
        text.replace("\n", " ") for text in texts(ax)
    ]
    assert {"7 days: 25%", "28 days: 25%"} <= set(texts(ax))


def test_provisional_days_are_left_out_of_what_is_claimed():
    """F206."""
    frame = stickiness(60).assign(person_days=280.0)
    frame.loc[frame["day"] > days(60)[-4], "person_days"] = 1.0
    title = charts.findings.stickiness(frame, coverage(60, provisional=3))
    assert title.endswith("on 7 of the 28 days to 17 Nov 2026")
