"""What drove a change: the bars add up, the sentence says which part did most."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from copilot_analytics import charts, privacy
from copilot_analytics.charts import findings


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def split(*changes: float, before: float = 100.0, breaks: str = "") -> pd.DataFrame:
    """A change that comes from active people, active days and intensity."""
    total = sum(changes)
    frame = pd.DataFrame({"part": ["total", "active_people", "active_days", "intensity"]})
    return frame.assign(
        before=[before, 40.0, 0.5, 5.0],
        after=[before + total, 44.0, 0.55, 4.0],
        change=[total, *changes],
        people_before=40,
        people_after=44,
        series_breaks=breaks,
        start=pd.Timestamp("2026-10-20"),
        end=pd.Timestamp("2026-11-16"),
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((20.0, 5.0, -5.0), "rose by 20%, most of it because more people were active"),
        (
            (20.0, -45.0, 5.0),
            "fell by 20%, because each was active on fewer days, although more people",
        ),
        ((-5.0, 5.0, 30.0), "rose by 30%, most of it because an active day had more of them"),
        ((-5.0, 5.0, 0.2), "are as many as in the period before"),
    ],
)
def test_the_title_names_the_part_that_did_most_in_the_direction_of_the_change(changes, said):
    assert said in charts.alt_text(charts.change_parts(split(*changes)))


def test_bars_and_words_are_the_figures_of_the_frame():
    ax = charts.change_parts(split(20.0, -5.0, 5.0, breaks="App booked as CLI"), noun="Prompts")
    assert [bar.get_width() for bar in ax.patches] == [20.0, -5.0, 5.0, 20.0]
    written = [text.get_text().replace("\n", " ") for text in ax.texts]
    assert written[:4] == [
        "+20, from 40 to 44 people",
        "−5, from 50% to 55%",
        "+5, from 5 to 4",
        "+20, from 100 to 120",
    ]
    assert any("20 Oct to 16 Nov 2026 against the 28 days before" in text for text in written)
    assert any("GitHub's counting changed in these days: App booked as CLI." in t for t in written)
    low, high = ax.get_xlim()
    assert low < -5 < 20 < high


def test_where_nothing_can_be_compared_a_sentence_says_why():
    few = privacy.hide_small_groups(
        split(1.0, 2.0, 3.0).assign(people_before=3),
        people=["people_before", "people_after"],
        complementary=False,
    )
    unknown = split(1.0, 2.0, 3.0).assign(change=float("nan"))
    for frame in (split(1.0, 2.0, 3.0).head(0), few, unknown):
        ax = charts.change_parts(frame)
        assert not ax.patches
        assert findings.NO_PREVIOUS in charts.alt_text(ax)
