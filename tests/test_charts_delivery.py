"""Charts of pull requests say what their frames say, and nothing where there is nothing."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import ndjson
from delivery_input import entity_records, repo_records

import copilot_analytics as ca
from copilot_analytics import charts, metrics
from copilot_analytics.charts import findings

TABLES = ca.load(ndjson(*entity_records(), *repo_records()))
NOTHING = ca.load(b'{"day_totals": []}')
MERGED = "pull_requests_total_merged"
BY_COPILOT = "pull_requests_total_merged_created_by_copilot"
HOSTILE = ["$x^2$", "<script>alert(1)</script>", "a\nb", "\u202eevil", "日本語 🎉", "x" * 200]
# A chart, the metric it draws, and the table that the metric takes.
CHARTS = {
    "merged_trend": (lambda e: metrics.pull_requests(e, period="week"), "entity"),
    "pull_request_shares": (metrics.pull_request_shares, "entity"),
    "merge_times": (metrics.merge_times, "entity"),
    "suggestions_by_type": (metrics.suggestions_by_type, "entity_by_comment_type"),
    "repositories": (lambda r: metrics.pull_requests(r, by="repo_id"), "repos"),
    "review_times": (
        lambda r: metrics.review_times(r, by="repo_id", period="day"),
        "repos_by_review",
    ),
    "adoption_multiplier": (metrics.adoption_multiplier, "entity_by_phase"),
}


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def coverage(first="2026-09-07", last="2026-10-16", provisional=0) -> pd.DataFrame:
    days = pd.date_range(first, last, unit="us")
    states = ["final"] * (len(days) - provisional) + ["provisional"] * provisional
    return pd.DataFrame(
        {"scope": "organization:7", "family": "entity", "day": days, "state": states}
    )


def heights(ax) -> list[float]:
    return [bar.get_height() for bar in ax.patches]


def widths(ax) -> list[float]:
    return [bar.get_width() for bar in ax.patches]


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_draws_its_metric_and_tells_it_in_words(name):
    metric, table = CHARTS[name]
    ax = getattr(charts, name)(metric(TABLES[table]))
    words = charts.alt_text(ax)
    assert not words.startswith("No chart")
    assert "nan" not in words.lower()
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_is_said_in_a_sentence(name):
    metric, table = CHARTS[name]
    ax = getattr(charts, name)(metric(NOTHING[table]))
    assert charts.alt_text(ax).startswith("No chart. Nothing to show")
    assert not ax.patches
    ax.figure.canvas.draw()


def test_columns_are_the_weeks_and_their_dark_part_is_copilots():
    frame = metrics.pull_requests(TABLES.entity, period="week")
    ax = charts.merged_trend(frame)
    assert heights(ax) == [*frame[MERGED], *frame[BY_COPILOT]]
    share = frame[BY_COPILOT].sum() / frame[MERGED].sum()
    assert f"Copilot opened {share:.0%} of {frame[MERGED].sum()} pull requests" in charts.alt_text(
        ax
    )


def test_weeks_that_are_not_whole_are_pale():
    """F205."""
    frame = metrics.pull_requests(TABLES.entity, period="week")
    ax = charts.merged_trend(frame, coverage=coverage(provisional=2))
    pale = [bar.get_alpha() is not None for bar in ax.patches[: len(frame)]]
    assert pale == [False] * 5 + [True]  # the last week ends on a Friday, and is provisional
    late = charts.merged_trend(frame, coverage=coverage("2026-09-09"))
    assert [bar.get_alpha() is not None for bar in late.patches[:6]] == [True] + [False] * 4 + [
        True
    ]


def test_no_merge_is_not_called_missing():
    """The real organization reports every counter as 0."""
    zeros = {"total_merged": 0, "total_created": 0}
    record = {"day": "2026-11-02", "organization_id": "7", "daily_active_users": 1}
    entity = ca.load(ndjson(record | {"pull_requests": zeros})).entity
    ax = charts.merged_trend(metrics.pull_requests(entity, period="week"))
    assert findings.NO_MERGES in charts.alt_text(ax)
    headline = metrics.delivery_headline(entity, days=1)
    assert findings.delivery_answer(headline, "2 Nov 2026") == (
        "0 pull requests were merged (2 Nov 2026)."
    )


def test_bars_of_repositories_are_sorted_and_the_rest_is_counted():
    frame = pd.DataFrame(
        {"repo_name": [f"r{n}" for n in range(20)], MERGED: range(20), BY_COPILOT: [0] * 20}
    )
    ax = charts.repositories(frame, top=5, period="2 Nov 2026")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["r19", "r18", "r17", "r16", "r15"]
    assert widths(ax)[:5] == [19, 18, 17, 16, 15]
    assert "Not drawn, with fewer: 14." in [t.get_text() for t in ax.texts]


def test_hostile_names_stay_text():
    """A name is drawn as it is, cut to a line, and never parsed."""
    frame = pd.DataFrame({"repo_name": HOSTILE, MERGED: range(9, 3, -1), BY_COPILOT: [1] * 6})
    ax = charts.repositories(frame)
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0] == "$x^2$"
    assert max(len(label) for label in labels) <= 30
    assert not any("\n" in label or "\u202e" in label for label in labels)
    ax.figure.canvas.draw()


def test_dots_are_the_medians_of_github_and_gaps_stay_gaps():
    frame = metrics.merge_times(TABLES.entity)
    ax = charts.merge_times(frame, coverage=coverage())
    drawn = [line.get_ydata() for line in ax.lines]
    points = np.concatenate([np.asarray(values, float) for values in drawn])
    expected = frame[frame["kind"].isin(["all", "created_by_copilot"])]["lowest_median_minutes"]
    np.testing.assert_allclose(sorted(points[~np.isnan(points)]), sorted(expected))
    assert ax.get_yscale() == "log"


def test_provisional_times_are_hollow_and_the_chart_says_so():
    ax = charts.merge_times(metrics.merge_times(TABLES.entity), coverage=coverage(provisional=3))
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert sum(len(line.get_xdata()) for line in hollow) == 6
    assert any("Hollow: provisional" in text.get_text() for text in ax.texts)


def test_a_time_of_zero_stands_at_the_edge_and_is_counted():
    frame = pd.DataFrame(
        {
            "step_number": [1, 2, 2],
            "step": ["ready_to_first_review", "first_to_final_review", "first_to_final_review"],
            "label": ["Ready to first review", "First to final review", "First to final review"],
            "lowest_median_minutes": [90.0, 0.0, 45.0],
            "highest_median_minutes": [90.0, 0.0, 45.0],
        }
    )
    ax = charts.review_times(frame)
    points = ax.collections[0].get_offsets()
    assert points[:, 0].tolist() == [90, 1, 45]
    assert points[:, 1].round().tolist() == [0, 1, 1]
    assert any("1 medians under a minute" in t.get_text().replace("\n", " ") for t in ax.texts)


def test_the_multiplier_is_called_a_correlation():
    frame = metrics.adoption_multiplier(TABLES.entity_by_phase)
    ax = charts.adoption_multiplier(frame)
    row = frame.iloc[0]
    assert widths(ax) == [row["merged_per_person_day"], row["passive_merged_per_person_day"]]
    notes = " ".join(text.get_text().replace("\n", " ") for text in ax.texts)
    assert "A correlation, not an effect" in notes
    words = charts.alt_text(ax)
    assert f"{row['multiplier']:.2f} times as many" in words
    assert "too little to conclude from" in words  # few people, few days
    enough = charts.adoption_multiplier(frame.assign(is_enough=True))
    assert "too little" not in charts.alt_text(enough)


def test_a_hidden_multiplier_is_not_drawn():
    """R5.19."""
    frame = ca.privacy.hide_small_groups(
        metrics.adoption_multiplier(TABLES.entity_by_phase), 1000, people="people"
    )
    assert charts.alt_text(charts.adoption_multiplier(frame)).startswith("No chart")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((1, 0.0, None), "1 pull request was merged (now). Copilot opened 0% of it."),
        (
            (1200, 0.0689, 0.375),
            "1,200 pull requests were merged (now). Copilot opened 6.9% and reviewed 38% of them.",
        ),
        ((None, None, None), findings.NO_PULL_REQUESTS),
    ],
)
def test_the_answer_fits_its_figures(values, sentence):
    figures = ["merged", "merged_created_by_copilot", "merged_reviewed_by_copilot"]
    headline = pd.DataFrame({"figure": figures, "value": pd.array(values, dtype="Float64")})
    assert findings.delivery_answer(headline, "now") == sentence


def test_charts_draw_into_axes_that_are_given():
    figure, (left, right) = plt.subplots(1, 2)
    frame = metrics.pull_request_shares(TABLES.entity)
    assert charts.pull_request_shares(frame, ax=left) is left
    assert charts.merge_times(metrics.merge_times(TABLES.entity), ax=right) is right
    assert left.figure is figure
