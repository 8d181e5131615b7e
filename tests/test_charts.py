"""Charts say what their frame says: no gap bridged, no name parsed, nothing cut or crowded."""

from __future__ import annotations

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient

from copilot_analytics import catalogue, charts, privacy
from copilot_analytics.charts import flows, style, timeline, trends, words

END = pd.Timestamp("2026-11-20")
HOSTILE = [
    "$x^2$",
    "<script>alert(1)</script>",
    "a\nb\tc",
    "\u202eevil",
    "日本語 🎉",
    "\\frac{1}{2}",
    "x" * 200,
]


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def days(count: int) -> pd.DatetimeIndex:
    return pd.date_range(end=END, periods=count, unit="us")


def coverage(count: int, *, missing=(), provisional=0) -> pd.DataFrame:
    states = ["final"] * (count - provisional) + ["provisional"] * provisional
    for place in missing:
        states[place] = "missing"
    frame = pd.DataFrame({"scope": "organization:1", "family": "users", "day": days(count)})
    return frame.assign(state=states, rows=9)


def windows(count: int, lengths=(1, 7, 28), people: int = 100) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "window": window,
                "day": days(count),
                "active_users": pd.array(np.arange(count) % 7 + people * window, "Int64"),
                "is_complete_window": pd.array(np.arange(count) >= window - 1, "boolean"),
            }
        )
        for window in lengths
    ]
    return pd.concat(parts, ignore_index=True)


def flow(count: int = 6) -> pd.DataFrame:
    periods = pd.date_range("2026-10-05", periods=count, freq="7D", unit="us")
    frame = pd.DataFrame({"period": periods, "new": 5, "retained": 60, "returning": 8, "lost": 7})
    frame = frame.astype(dict.fromkeys(["new", "retained", "returning", "lost"], "Int64"))
    return frame.assign(
        is_left_censored=pd.array(np.arange(count) == 0, "boolean"),
        is_complete_period=pd.array(np.arange(count) < count - 1, "boolean"),
    )


def surfaces(count: int) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"surface": name, "label": label, "day": days(count), "share": share})
        for name, label, share in (
            ("agent_mode", "Agent mode", 0.62),
            ("cli", "CLI", 0.21),
            ("app", "Copilot app", 0.2),
        )
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(is_complete_window=frame["day"] >= days(count)[min(6, count - 1)])


def acceptance(column: str, values) -> pd.DataFrame:
    frame = pd.DataFrame({column: values, "accepted": 300, "generated": 1000})
    return frame.assign(rate=0.3, low=0.27, high=0.33)


def shares(names) -> pd.DataFrame:
    people = pd.array([90 - 3 * place for place in range(len(names))], "Int64")
    frame = pd.DataFrame({"language": names, "people": people, "active_people": 100})
    share = frame["people"].astype(float) / 100
    return frame.assign(share=share, low=share - 0.05, high=share + 0.05)


def segments() -> pd.DataFrame:
    frame = pd.DataFrame({"segment": ["most working days", "weekly"], "people": [60, 40]})
    return frame.assign(all_people=100, share=[0.6, 0.4], low=[0.5, 0.3], high=[0.7, 0.5])


def grid() -> pd.DataFrame:
    """Segments under three rules."""
    parts = [segments().assign(shift=shift) for shift in (-0.1, 0.0, 0.1)]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(least_share=frame["shift"] + [0.6, 0.2] * 3)


def lines(names) -> pd.DataFrame:
    frame = shares(names).drop(columns=["people", "active_people"])
    return frame.assign(changed_lines=1200)


def agents(values) -> pd.DataFrame:
    frame = pd.DataFrame({"week": values, "agent_lines": 300, "changed_lines": 1000})
    return frame.assign(share=0.3, low=0.2, high=0.4)


def phases(count: int) -> pd.DataFrame:
    frame = pd.DataFrame(
        [(day, phase, 10 * phase + 5) for day in days(count) for phase in range(4)],
        columns=["day", "phase_number", "people"],
    )
    return frame.astype({"people": "Int64", "phase_number": "Int64"})


def distribution() -> pd.DataFrame:
    frame = pd.DataFrame({"bin": ["1", "2–5", "6+"], "from_value": [1.0, 2.0, 6.0]})
    frame["to_value"] = [1.0, 5.0, np.nan]
    return frame.assign(people=pd.array([10, 30, 20], "Int64"), all_people=60, median=4.0)


def curve() -> pd.DataFrame:
    x = np.linspace(0, 1, 61)
    return pd.DataFrame({"share_of_people": x, "share_of_measure": x**2})


def concentration() -> pd.DataFrame:
    figures = {"gini": 0.33, "top_decile_share": 0.19, "top_people": 6, "people": 60}
    return pd.DataFrame(figures, index=[0])


def every_chart(count: int = 60, names=("typescript", "python", "go")):
    """Draw each chart once, on as many days and with these names."""
    states = coverage(count, provisional=min(3, count))
    weeks = pd.date_range("2026-09-07", periods=11, freq="7D", unit="us")
    return {
        "active_people": charts.active_people(windows(count), coverage=states),
        "surface_trend": charts.surface_trend(surfaces(count), coverage=states),
        "acceptance_trend": charts.acceptance_trend(acceptance("week", weeks)),
        "people_flow": charts.people_flow(flow()),
        "phases": charts.phases(phases(count), coverage=states),
        "people_shares": charts.people_shares(shares(names), dimension="language"),
        "acceptance_by": charts.acceptance_by(
            acceptance("language", list(names)), dimension="language"
        ),
        "segments": charts.segments(segments()),
        "segment_sensitivity": charts.segment_sensitivity(grid()),
        "agent_trend": charts.agent_trend(agents(weeks)),
        "lines_by_mode": charts.lines_by_mode(lines(names), dimension="language"),
        "distribution": charts.distribution(distribution(), unit="active days"),
        "lorenz": charts.lorenz(curve(), concentration(), measure="interactions"),
        "day_states": charts.day_states(states),
    }


def every_empty_chart():
    """Draw each chart from a frame without rows."""
    return {
        "active_people": charts.active_people(windows(3).head(0)),
        "surface_trend": charts.surface_trend(surfaces(3).head(0)),
        "acceptance_trend": charts.acceptance_trend(acceptance("week", days(3)).head(0)),
        "people_flow": charts.people_flow(flow().head(0)),
        "phases": charts.phases(phases(3).head(0)),
        "people_shares": charts.people_shares(shares(["go"]).head(0), dimension="language"),
        "acceptance_by": charts.acceptance_by(
            acceptance("language", ["go"]).head(0), dimension="language"
        ),
        "segments": charts.segments(segments().head(0)),
        "segment_sensitivity": charts.segment_sensitivity(grid().head(0)),
        "agent_trend": charts.agent_trend(agents(days(3)).head(0)),
        "lines_by_mode": charts.lines_by_mode(lines(["go"]).head(0), dimension="language"),
        "distribution": charts.distribution(distribution().head(0), unit="active days"),
        "lorenz": charts.lorenz(curve().head(0), concentration().head(0), measure="interactions"),
        "day_states": charts.day_states(coverage(3).head(0)),
    }


def texts(ax) -> list[str]:
    """All words of a chart."""
    labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), *ax.texts]
    return [text.get_text() for text in labels]


def boxes(ax) -> list:
    """Where the words of a drawn chart stand, in pixels; ticks beyond the axes are not drawn."""
    ax.figure.canvas.draw()
    artists = list(ax.texts)
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(limits)
        artists += [t.label1 for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
    return [a.get_window_extent() for a in artists if a.get_text().strip() and ax.axison]


# ------------------------------------------------------------------------------ all charts


@pytest.mark.parametrize("count", [1, 28, 365])
def test_no_text_is_cut_off_or_covers_another(count):
    for name, ax in every_chart(count).items():
        width, height = ax.figure.get_size_inches() * ax.figure.dpi
        found = boxes(ax)
        for place, box in enumerate(found):
            assert -1 <= box.x0 < box.x1 <= width + 1, name
            assert -1 <= box.y0 < box.y1 <= height + 1, name
            for other in found[place + 1 :]:
                overlap_x = min(box.x1, other.x1) - max(box.x0, other.x0)
                overlap_y = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert min(overlap_x, overlap_y) < 3, name


def test_an_empty_frame_gives_a_calm_sentence():
    """F203, F208: no traceback, no NaN, no empty axes that look like a result."""
    for name, ax in every_empty_chart().items():
        ax.figure.canvas.draw()
        assert not ax.axison, name
        assert any(text.startswith("Nothing to show: ") for text in texts(ax)), name
        assert charts.alt_text(ax).startswith("No chart. Nothing to show: "), name


def test_a_column_of_missing_values_is_no_data_either():
    """F208."""
    hidden = distribution().assign(people=pd.array([None] * 3, "Int64"))
    assert not charts.distribution(hidden, unit="active days").axison
    hidden = shares(["go"]).assign(share=np.nan)
    assert not charts.people_shares(hidden, dimension="language").axison
    hidden = acceptance("language", ["go"]).assign(rate=np.nan)
    assert not charts.acceptance_by(hidden, dimension="language").axison
    assert not charts.segments(segments().assign(share=np.nan)).axison


def test_alternative_text_says_kind_finding_and_measure():
    for name, ax in every_chart().items():
        text = charts.alt_text(ax)
        assert text.count(".") >= 2, name
        assert any(character.isdigit() for character in text), name
        assert "nan" not in text.lower(), name


def test_names_are_shown_literally_and_never_parsed():
    """R5.11: names come from elsewhere; mathtext, control and direction marks do nothing."""
    for name, ax in every_chart(names=HOSTILE).items():
        ax.figure.canvas.draw()  # mathtext or a missing glyph would warn, and warnings are errors
        assert not any("\u202e" in text for text in texts(ax)), name
        assert not any(text.get_parse_math() for text in ax.texts), name
    shown = texts(charts.people_shares(shares(HOSTILE), dimension="language"))
    assert "$x^2$" in shown
    assert "<script>alert(1)</script>" in shown
    assert "a b c" in shown
    assert max(map(len, shown[: len(HOSTILE)])) <= 200
    assert any(text.endswith("…") for text in shown)


def test_the_frame_and_the_callers_settings_stay_as_they_were():
    before, frame = dict(mpl.rcParams), windows(30)
    copy = frame.copy()
    charts.active_people(frame)
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(frame, copy)


def test_charts_draw_on_the_axes_given():
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 4), layout="constrained")
    assert charts.active_people(windows(30), ax=left) is left
    assert charts.segments(segments(), ax=right) is right
    assert charts.phases(phases(0), ax=right) is right
    assert tuple(figure.get_size_inches()) == (14, 4)


def test_a_title_given_takes_the_place_of_the_finding():
    ax = charts.active_people(windows(30), title="A finding of my own")
    assert "A finding of my own" in texts(ax)


def test_bars_and_areas_start_at_zero():
    drawn = every_chart()
    for name in ("people_shares", "acceptance_by", "segments", "segment_sensitivity"):
        assert drawn[name].get_xlim()[0] == 0, name
    for name in ("distribution", "phases", "active_people", "acceptance_trend"):
        assert drawn[name].get_ylim()[0] == 0, name


# ------------------------------------------------------------------------------ days


def line_values(ax) -> list[np.ndarray]:
    return [line.get_ydata(orig=True) for line in ax.lines if len(line.get_xdata()) > 2]


def test_a_missing_day_is_a_gap_and_never_zero_or_bridged():
    """F205: neither a line nor a dot on a day whose report is not there."""
    frame = windows(30, (7,)).assign(is_complete_window=True)
    ax = charts.active_people(frame, coverage=coverage(30, missing=(10, 11)))
    assert all(np.isnan(values[[10, 11]]).all() for values in line_values(ax) if len(values) == 30)
    without = charts.active_people(frame.drop(index=[10, 11]))
    drawn = [values for values in line_values(without) if len(values) == 30]
    assert drawn
    assert all(np.isnan(values[[10, 11]]).all() for values in drawn)
    assert any("Gaps: 2 days without data." in text for text in texts(ax))


def test_a_day_between_two_gaps_is_a_dot():
    ax = charts.active_people(windows(16, (7,)), coverage=coverage(16, missing=(10, 12)))
    dots = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [list(line.get_ydata()) for line in dots] == [[704]]


def test_provisional_days_are_dashed_and_joined_to_the_last_settled_day():
    """F206."""
    frame = windows(30, (7,)).assign(is_complete_window=True)
    ax = charts.active_people(frame, coverage=coverage(30, provisional=3))
    solid, dashed = (values for values in line_values(ax) if len(values) == 30)
    assert np.isnan(solid[27:]).all()
    assert not np.isnan(solid[:27]).any()
    assert not np.isnan(dashed[26:]).any()
    assert np.isnan(dashed[:26]).all()
    assert any("provisional days, which may still rise" in text for text in texts(ax))


def test_the_line_on_both_sides_of_a_provisional_day_is_dashed():
    """F206: a day in the middle can be fetched again and be provisional once more."""
    states = coverage(30)
    states.loc[10, "state"] = "provisional"
    frame = windows(30, (7,)).assign(is_complete_window=True)
    ax = charts.active_people(frame, coverage=states)
    solid, dashed = (values for values in line_values(ax) if len(values) == 30)
    assert np.flatnonzero(np.isnan(solid)).tolist() == [10]
    assert np.flatnonzero(~np.isnan(dashed)).tolist() == [9, 10, 11]


def test_the_label_of_a_phase_is_of_the_day_in_the_title():
    frame = phases(10)
    last = frame["day"] == days(10)[9]
    frame.loc[last & (frame["phase_number"] == 3), "people"] = 500
    ax = charts.phases(frame, coverage=coverage(10, provisional=1))
    assert "44% of people on" in charts.alt_text(ax)
    assert "Multi-agent 44%" in texts(ax)


def test_provisional_days_are_left_out_of_what_is_claimed():
    """F206: the title and the labels tell the last settled figures."""
    frame = windows(60, (28,)).assign(active_users=pd.array([100] * 57 + [3] * 3, "Int64"))
    ax = charts.active_people(frame, coverage=coverage(60, provisional=3))
    claim = "100 people were active in the 28 days to 17 Nov 2026, as many as in the 28 days before"
    assert claim in [text.replace("\n", " ") for text in texts(ax)]
    assert "100 in 28 days" in texts(ax)


def test_days_that_are_not_there_are_admitted_and_not_compared_with():
    """F205: a window with a hole is no full window, and a change against it is no change."""
    frame = windows(60, (28,))
    whole = charts.findings.active_people(frame, coverage(60))
    assert "than in the 28 days before" in whole or "as many as" in whole
    hole_before = charts.findings.active_people(frame, coverage(60, missing=(20,)))
    assert hole_before.endswith("people were active in the 28 days to 20 Nov 2026")
    hole_inside = charts.findings.active_people(frame, coverage(60, missing=(50,)))
    assert hole_inside.endswith("20 Nov 2026, as far as days are there")


def test_a_week_with_open_days_claims_nothing():
    """F206: the last week may still change, so the title is about the one before it."""
    states = coverage(30, provisional=3).assign(day=pd.date_range("2026-10-11", periods=30))
    frame = flow().assign(is_complete_period=True)
    ax = charts.people_flow(frame, coverage=states)
    assert "In the week from 26 Oct 2026: 5 new, 8 came back and 7 left" in texts(ax)
    assert ax.containers[0][-1].get_alpha() == pytest.approx(0.45)
    weeks = acceptance("week", frame["period"])
    dashed = charts.acceptance_trend(weeks, coverage=states).lines[1].get_ydata()
    assert np.isnan(dashed[:-3]).all()
    assert not np.isnan(dashed[-3:]).any()


def test_windows_that_reach_back_before_the_data_are_not_drawn():
    ax = charts.active_people(windows(20))
    assert not any("in 28 days" in text for text in texts(ax))
    assert any("in 7 days" in text for text in texts(ax))


@pytest.mark.parametrize("weekend", [("Saturday", "Sunday"), ("Friday", "Saturday"), ()])
def test_the_weekend_is_a_parameter(weekend):
    ax = charts.active_people(windows(28), weekend=weekend)
    (shades,) = ax.collections or [mpl.collections.PolyCollection([])]
    edges = [path.get_extents().intervalx for path in shades.get_paths()]
    shaded = {mpl.dates.num2date(sum(both) / 2).strftime("%A") for both in edges}
    assert shaded == set(weekend)
    assert [end - start for start, end in edges] == [1] * 4 * len(weekend)


def test_series_breaks_are_labelled_where_they_concern_the_series():
    known = catalogue.changes()
    expected = known[
        known["is_series_break"]
        & known["affects"].str.contains("people")
        & known["day"].between(days(365)[0], END)
    ]
    ax = charts.active_people(windows(365))
    assert set(expected["label"]) == set(known["label"]) & set(texts(ax))
    assert not set(known["label"]) & set(texts(charts.active_people(windows(20))))


@given(st.lists(st.floats(0, 300), min_size=1, max_size=8).map(sorted), st.floats(1, 30))
@settings(max_examples=200)
def test_labels_are_moved_apart_but_no_further_than_needed(wanted, gap):
    places = timeline.apart(wanted, gap)
    assert all(b - a >= gap - 1e-6 for a, b in zip(places, places[1:], strict=False))
    if all(b - a >= gap for a, b in zip(wanted, wanted[1:], strict=False)):
        assert places == pytest.approx(wanted)
    assert np.mean(places) == pytest.approx(np.mean(wanted))


def test_day_axis_is_a_true_date_axis():
    ax = charts.active_people(windows(90))
    first, last = (mpl.dates.num2date(limit).date() for limit in ax.get_xlim())
    assert str(first) == "2026-08-22"
    assert str(last) == "2026-11-20"
    assert all(mpl.dates.num2date(tick).strftime("%A") == "Monday" for tick in ax.get_xticks())


def test_day_states_are_told_apart_without_colour():
    ax = charts.day_states(coverage(28, missing=(5,), provisional=3))
    looks = {(str(c.get_facecolor()), c.get_hatch(), c.get_linewidth()[0]) for c in ax.collections}
    assert len(looks) == 3
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "there",
        "provisional",
        "missing",
    ]
    assert "Reports on people: 27 of 28 days" in texts(ax)


def test_a_day_without_a_report_at_github_is_not_called_there():
    """F025: GitHub's answer that it has nothing does not say that nobody was active."""
    states = coverage(28)
    states.loc[3, "state"] = "empty"
    ax = charts.day_states(states)
    assert "Reports on people: 27 of 28 days, GitHub has no report for 1" in texts(ax)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["there", "no report at GitHub"]


# ------------------------------------------------------------------------------ answers


def test_adoption_is_answered_with_numerator_and_denominator():
    figures = ["active_people", "share_of_people_seen"]
    headline = pd.DataFrame({"figure": figures, "numerator": [90, 90], "denominator": [pd.NA, 120]})
    reach = pd.DataFrame({"surface": ["cli", "agent_mode", "app"], "share": [0.3, 0.2, np.nan]})
    assert charts.findings.adoption(headline, reach, "1 to 28 Nov 2026") == (
        "90 of 120 people seen were active (1 to 28 Nov 2026). "
        "Of the active people, 30% used the CLI and 20% used agent mode."
    )
    hidden = headline.assign(numerator=pd.NA)
    assert charts.findings.adoption(hidden, reach, "1 to 28 Nov 2026") == charts.findings.NO_PEOPLE
    assert charts.findings.adoption(headline, reach, "") == charts.findings.NO_PEOPLE


def test_engagement_is_answered_with_a_median_and_a_concentration():
    figures = ["median_active_days", "top_decile_share_of_interactions"]
    headline = pd.DataFrame({"figure": figures, "value": [4.0, 0.19], "people": [60, 60]})
    answer = charts.findings.engagement(headline, "1 to 28 Nov 2026")
    first = (
        "At least half of the 60 people who were active used Copilot on 4 days or more "
        "(1 to 28 Nov 2026)."
    )
    assert answer == f"{first} 19% of prompts come from the tenth of people with most."
    headline["value"] = [4.0, np.nan]
    assert charts.findings.engagement(headline, "1 to 28 Nov 2026") == first
    headline["value"] = np.nan
    assert charts.findings.engagement(headline, "1 to 28 Nov 2026") == charts.findings.NO_PEOPLE


def test_no_group_is_called_the_largest_while_a_larger_one_may_be_hidden():
    frame = segments().assign(share=[np.nan, 0.4], all_people=100)
    assert charts.findings.segments(frame) == "How regularly 100 people use Copilot"
    assert (
        charts.findings.segments(segments())
        == "Largest group: most working days, 60% of 100 people"
    )


# ------------------------------------------------------------------------------ parts and bars


def test_people_flow_shows_lost_people_below_zero_and_the_first_week_in_grey():
    ax = charts.people_flow(flow())
    retained, _, new, lost = ax.containers
    assert all(bar.get_height() < 0 for bar in lost)
    assert mpl.colors.to_hex(new[0].get_facecolor()) == style.STONE
    assert mpl.colors.to_hex(new[1].get_facecolor()) == flows.FLOW_COLORS["new"].lower()
    assert retained[-1].get_alpha() == pytest.approx(0.45)
    assert retained[-2].get_alpha() is None


def test_a_bar_that_stands_for_all_parts_is_grey():
    """R5.19: where parts are counted together, no colour says what they are."""
    frame = flow().assign(counted_together=None)
    frame.loc[[4, 5], "counted_together"] = "new + returning + retained"
    frame.loc[[4, 5], ["new", "returning", "lost"]] = pd.NA
    ax = charts.people_flow(frame)
    colors = [mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.containers[0]]
    assert [color == style.STONE for color in colors] == [False] * 4 + [True] * 2
    assert "all people" in texts(ax)
    assert "retained" not in texts(ax)
    assert any("Grey from the ground" in text.replace("\n", " ") for text in texts(ax))


def test_a_part_too_small_to_show_is_not_drawn_and_that_is_said():
    frame = flow()
    frame.loc[4, ["new", "returning"]] = [pd.NA, 13]
    ax = charts.people_flow(frame)
    assert ax.containers[2][4].get_height() == 0
    assert "In the week from 2 Nov 2026: 13 new or back and 7 left" in texts(ax)
    assert any("too small to show" in text for text in texts(ax))


def test_a_single_day_is_a_dot_hollow_while_it_may_still_change():
    """F206."""
    ax = charts.active_people(windows(9, (1,)), coverage=coverage(9, missing=(3,), provisional=2))
    full, hollow = (line for line in ax.lines if line.get_marker() == "o")
    assert np.isnan(full.get_ydata()[3])
    assert len(hollow.get_xdata()) == 2
    assert hollow.get_markerfacecolor() == "white"


def test_phases_add_up_to_the_whole_and_hidden_days_stay_empty():
    frame = phases(10)
    frame.loc[(frame["day"] == days(10)[4]) & (frame["phase_number"] == 2), "people"] = pd.NA
    wide = flows._shares_by_phase(frame, set())
    assert wide.drop(index=days(10)[4]).sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert wide.loc[days(10)[4]].isna().all()
    assert len(wide) == 10


def test_the_rest_is_counted_in_words_because_its_people_overlap():
    frame = shares([f"language {n}" for n in range(14)])
    frame.loc[[11, 12], ["people", "share", "low", "high"]] = pd.NA
    ax = charts.people_shares(frame, dimension="language", top=10)
    assert len(ax.patches) == 10
    note = next(text for text in texts(ax) if "95% interval" in text).replace("\n", " ")
    assert "Not drawn, as less used: 2 languages." in note
    assert "Not shown to protect small groups, or not reported: 2 languages." in note


def test_a_share_of_all_but_too_few_people_is_a_range_in_words_and_picture():
    frame = shares(["go", "c"]).assign(people=[98, 30], share=[0.98, 0.3])
    ax = charts.people_shares(privacy.hide_small_shares(frame), dimension="language")
    written = texts(ax)
    assert "96% to 99%" in written
    assert "30% · 30" in written
    assert "Most used language: Go, by 96% to 99% of active people" in written
    assert any("A range: all but too few people." in text for text in written)
    assert [round(bar.get_width(), 2) for bar in ax.patches] == [0.96, 0.3]
    assert not re.search(r"\b98\b", " ".join(written))


def test_a_share_stands_beside_its_people_and_a_rate_beside_its_denominator():
    assert "90% · 90" in texts(charts.people_shares(shares(["go"]), dimension="language"))
    ax = charts.acceptance_by(acceptance("language", ["go"]), dimension="language")
    assert "30% of 1,000" in texts(ax)


def test_intervals_are_drawn_from_low_to_high():
    ax = charts.people_shares(shares(["go"]), dimension="language")
    ((start, _), (end, _)) = ax.collections[0].get_segments()[0]
    assert (start, end) == pytest.approx((0.85, 0.95))


def test_the_range_that_holds_the_median_is_marked():
    ax = charts.distribution(distribution(), unit="days", sentence="Half: {median} of {people}")
    assert "Half: 4 of 60 people" in texts(ax)
    marked = [mpl.colors.to_hex(bar.get_facecolor()) == style.BLUE.lower() for bar in ax.patches]
    assert marked == [False, True, False]


def test_segments_under_other_rules_stand_side_by_side_and_hidden_ones_stay_empty():
    ax = charts.segment_sensitivity(grid())
    assert [text for text in texts(ax) if text.startswith("from")] == [
        "from 50% and 10%",
        "from 60% and 20%",
        "from 70% and 30%",
    ]
    assert "Largest group under each of these rules: most working days" in texts(ax)
    assert sum(patch.get_width() for patch in ax.patches) == pytest.approx(3)
    hidden = grid()
    hidden.loc[1, ["people", "share"]] = pd.NA
    ax = charts.segment_sensitivity(hidden)
    assert len(ax.patches) == 5
    assert any(text.startswith("Empty: too few people") for text in texts(ax))


def test_a_conclusion_that_hangs_on_the_rules_is_called_that():
    frame = grid()
    frame.loc[frame["shift"] == 0.1, "share"] = [0.3, 0.7]
    finding = charts.findings.segment_sensitivity(frame)
    assert finding == "Which group is largest depends on the rule: “most working days” or “weekly”"
    frame.loc[0, "share"] = np.nan  # a larger one may be hidden under the first rule
    assert "depends on the rule:" in charts.findings.segment_sensitivity(frame)
    one = frame[frame["shift"] == 0.1]
    assert charts.findings.segment_sensitivity(one).startswith("How regularly people use Copilot")


def test_changed_lines_stand_beside_their_share():
    frame = lines(["go", "auto"]).assign(share=[0.0001, 0.9999])
    ax = charts.lines_by_mode(frame, dimension="language")
    assert {"under 0.1% · 1,200", "100% · 1,200"} <= set(texts(ax))
    assert charts.findings.lines_by_mode(lines(["go"]), "language") == "Most changed lines: Go, 90%"
    hidden = lines(["go", "python"]).assign(share=[0.3, np.nan])
    assert charts.findings.lines_by_mode(hidden, "language") == "Changed lines by language"
    assert "Thin lines" not in "".join(
        texts(charts.lines_by_mode(hidden.assign(low=np.nan, high=np.nan), dimension="language"))
    )


def test_series_keep_their_looks_and_can_be_told_apart_in_grey():
    looks = [*trends.SURFACE_LOOKS.values(), trends.OTHER_LOOK]
    assert len({look.marker for look in looks}) == len(looks)
    assert len({look.color for look in looks}) == len(looks)
    greys = [style._luminance(mpl.colors.to_rgb(color)) for color in flows.PHASE_COLORS.values()]
    assert all(a - b > 0.05 for a, b in zip(greys, greys[1:], strict=False))


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_any_text_becomes_one_line_that_the_font_can_show(text):
    line = words.plain(text, 30)
    assert len(line) <= 30
    assert all(words.font().get_char_index(ord(character)) for character in line)
    assert "\n" not in line


@given(st.text("abc defg", max_size=300), st.floats(80, 500))
@settings(max_examples=60)
def test_folded_lines_fit(text, width):
    text = words.plain(text)
    lines = style.fold(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(style.width_of(line) <= width or len(line) <= 12 for line in lines)


@pytest.mark.parametrize(
    "color",
    [look.color for look in [*trends.SURFACE_LOOKS.values(), *trends.WINDOW_LOOKS.values()]],
)
def test_coloured_words_have_enough_contrast(color):
    luminance = style._luminance(mpl.colors.to_rgb(style.readable(color)))
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_every_cell_of_a_notebook_shows_its_chart():
    """Loading Jupyter's backend inside a context would leave it switched off after the first."""
    book = nbformat.v4.new_notebook()
    show = "charts.day_states(frame);"
    make = "from copilot_analytics import charts, metrics, sample\n"
    make += "frame = metrics.coverage(sample(people=40, days=3))"
    book.cells = [nbformat.v4.new_code_cell(source) for source in (make, show, show)]
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    kinds = [[output.output_type for output in cell.outputs] for cell in book.cells]
    assert kinds == [[], ["display_data"], ["display_data"]]
