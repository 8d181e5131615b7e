"""Charts and sentences about the data say what their frames say, or that there is nothing."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from copilot_analytics import charts
from copilot_analytics.charts import findings

WEEKS = pd.to_datetime(["2026-11-02", "2026-11-09", "2026-11-16"])
DEFINITIONS = pd.DataFrame(
    {
        "figure": ["daily active people"] * 3 + ["prompts per active person"],
        "reading": ["on the day"] * 3 + ["last 28 days"],
        "active": ["interactions", "engaged", "present", "present"],
        "value": [40.2, 55.0, 60.4, 7.0],
        "reported": [45.0, 45.0, 45.0, None],
    }
)
REDUCED = pd.DataFrame(
    {"week": WEEKS, "reduced": [5, 8, 3], "records": [100] * 3, "share": [0.05, 0.08, 0.03]}
)
COVERAGE = pd.DataFrame({"family": "users", "day": [WEEKS[2]], "state": "provisional"})


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def summary(*outcomes: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"outcome": outcomes, "check": [f"check {n}" for n in range(len(outcomes))]}
    )


def test_definitions_stand_beside_what_github_reports():
    ax = charts.definition_gaps(DEFINITIONS, period="2 Nov to 20 Nov 2026")
    drawn = {line.get_label(): list(line.get_xdata()) for line in ax.lines}
    assert drawn == {
        "interactions": [40.2],
        "engaged": [55.0],
        "present": [60.4],
        "GitHub's figure": [45.0],
    }
    text = charts.alt_text(ax)
    assert (
        "40 to 60 people are active on an average day, depending on the definition; "
        "GitHub reports 45."
    ) in text
    assert ax.get_xlim()[0] == 0


def test_without_github_s_figure_none_is_drawn():
    ax = charts.definition_gaps(DEFINITIONS.assign(reported=float("nan")))
    assert "GitHub's figure" not in [line.get_label() for line in ax.lines]
    assert "GitHub" not in charts.alt_text(ax)


def test_reduced_records_are_a_line_from_zero_with_its_last_value():
    ax = charts.reduced_records(REDUCED, coverage=COVERAGE)
    assert ax.get_ylim()[0] == 0
    assert ax.texts[0].get_text() == "3%"
    assert "5.3% of 300 records of people do not tell what was done" in charts.alt_text(ax)
    hidden = REDUCED.assign(share=[0.05, None, 0.03], reduced=pd.array([5, None, 3], "Int64"))
    notes = " ".join(text.get_text() for text in charts.reduced_records(hidden).texts)
    assert "Weeks with too few people are not drawn." in notes


@pytest.mark.parametrize(
    ("draw", "frame"), [(charts.definition_gaps, DEFINITIONS), (charts.reduced_records, REDUCED)]
)
def test_nothing_is_said_and_not_drawn(draw, frame):
    """F203."""
    ax = draw(frame.head(0))
    assert "No chart. Nothing to show" in charts.alt_text(ax)
    assert not ax.lines


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        (["holds", "holds"], "2 of 2 checks hold (today) and none fails."),
        (
            ["holds", "differs by design", "not measured"],
            "1 of 2 checks holds (today), 1 differs for a known reason and none fails.",
        ),
        (
            ["holds", "fails", "fails", "differs by design", "differs by design"],
            "1 of 5 checks holds (today), 2 differ for a known reason and 2 fail. "
            "The first that fails: “check 1”.",
        ),
        (["not measured"], "There are not two reports of one day that could be compared (today)."),
    ],
)
def test_the_answer_counts_the_checks(outcomes, sentence):
    assert findings.quality(summary(*outcomes), COVERAGE, "today") == sentence


def test_the_answer_says_what_is_missing():
    answer = findings.quality(summary("holds"), COVERAGE.assign(family="entity"), "today")
    assert "There are no records of people in this period" in answer
    assert findings.NO_DAYS in findings.quality(summary(), COVERAGE.head(0), "")


def test_captions_say_the_figures():
    clients = pd.DataFrame(
        {
            "client": ["VS Code", "Xcode"],
            "measure": ["activity", "lines"],
            "people_known": [40, 10],
            "share": [0.1, 0.3],
        }
    )
    assert findings.outdated_clients(clients) == (
        "30% of 10 people with Xcode last used a version below the minimum for lines"
    )
    shifts = pd.DataFrame(
        {
            "day": [WEEKS[0]],
            "relative_change": [-0.25],
            "is_near_series_break": [True],
            "series_break": ["App joins the totals"],
        }
    )
    assert findings.level_shifts(shifts) == (
        "The number of active people changed its level: on 2 Nov 2026 it fell by 25% "
        "(near “App joins the totals”)"
    )
    assert findings.unknown_fields(clients).startswith("2 fields are not described here")
    assert findings.series_breaks(shifts) == (
        "GitHub made 1 known change to its counting in this period"
    )
    assert findings.reconciliation(summary("fails", "holds")) == "1 check failed"


@pytest.mark.parametrize(
    "sentence",
    [
        findings.outdated_clients,
        findings.level_shifts,
        findings.series_breaks,
        findings.unknown_fields,
        findings.reconciliation,
        findings.reduced_records,
        findings.definition_gaps,
    ],
)
def test_every_sentence_stands_nothing(sentence):
    columns = ["share", "outcome", "figure", "value", "reported", "client", "reduced", "records"]
    words = sentence(pd.DataFrame(columns=columns))
    assert words
    assert "nan" not in words
