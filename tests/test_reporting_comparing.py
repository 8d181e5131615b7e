"""What changed since the report before: only what can be compared is compared."""

import copy
from datetime import date

import pytest

from copilot_analytics import display
from copilot_analytics.reporting.comparing import compare


def summary(end="2026-11-13", value=40, **changes):
    figures = [display.headline("Active people", value), display.headline("Rate", 0.5, unit="%")]
    marker = {"definition": "at least one prompt sent", "headlines": figures}
    days = {name: [] for name in ("provisional", "missing", "pending", "damaged")}
    whole = {"scope": "organization:octo-org", "is_sample": False, "start": "2026-10-01"}
    return whole | {"end": end, "days": days, "notebooks": {"adoption": marker}} | changes


def test_figures_of_one_label_stand_side_by_side():
    found = compare(summary(), summary("2026-11-20", 41))
    assert found["since"] == "2026-11-13"
    people, rate = found["figures"]
    assert (people["label"], people["then"]["value"], people["now"]["value"]) == (
        "Active people",
        40,
        41,
    )
    assert rate["now"]["unit"] == "%"


@pytest.mark.parametrize("change", [{"scope": "organization:other"}, {"is_sample": True}])
def test_other_data_is_not_compared(change):
    assert compare(summary(**change), summary()) is None


def test_the_first_report_has_nothing_to_compare_with():
    assert compare(None, summary()) is None


def test_figures_of_another_definition_are_not_compared_and_that_is_said():
    before = summary()
    before["notebooks"]["adoption"]["definition"] = "a record exists"
    found = compare(before, summary("2026-11-20"))
    assert found["figures"] == []
    assert found["not_compared"] == {"adoption": ["definition of active"]}


@pytest.mark.parametrize(
    ("name", "then", "now"),
    [
        ("measure", "user_initiated_interaction_count", "active_days"),
        ("event_date", "2026-10-12", "2026-10-19"),
        ("treated_team", "web", "data"),
        ("team", "a.b", "a_b"),
        ("own", 1, 2),
    ],
)
def test_figures_made_with_another_parameter_are_not_compared_and_that_is_said(name, then, now):
    before, after = summary(), summary("2026-11-20")
    before["notebooks"]["adoption"]["parameters"] = {name: then}
    after["notebooks"]["adoption"]["parameters"] = {name: now}
    found = compare(before, after)
    assert found["figures"] == []
    assert found["not_compared"] == {"adoption": [name]}


def test_who_is_shown_does_not_matter_for_a_comparison():
    before, after = summary(), summary("2026-11-20")
    before["notebooks"]["adoption"]["parameters"] = {"minimum_group_size": 5, "show_logins": True}
    after["notebooks"]["adoption"]["parameters"] = {"minimum_group_size": 9, "show_logins": False}
    found = compare(before, after)
    assert len(found["figures"]) == 2
    assert found["not_compared"] == {}


def test_dry_runs_are_about_dates_of_their_own_and_are_not_compared():
    before, after = summary(), summary("2026-11-20")
    for one in (before, after):
        one["notebooks"]["adoption"]["parameters"] = {"event_date": ""}
    assert compare(before, after)["figures"] == []


def test_a_figure_that_changed_its_unit_is_not_compared():
    before, after = summary(), summary("2026-11-20")
    after["notebooks"]["adoption"]["headlines"][0]["unit"] = "days"
    assert [figure["label"] for figure in compare(before, after)["figures"]] == ["Rate"]


def test_days_that_were_open_then_and_are_settled_now_are_named():
    before, after = summary(), summary("2026-11-20")
    before["days"] |= {"provisional": ["2026-11-12", "2026-11-13"], "missing": ["2026-10-07"]}
    before["days"]["pending"] = ["2026-09-30"]  # before the first day of the later report
    after["days"]["missing"] = ["2026-10-07"]
    assert compare(before, after)["settled"] == ["2026-11-12", "2026-11-13"]


def places(value, path=()):
    """Every place inside a summary, as the keys that lead to it."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inside in items if isinstance(value, dict | list) else ():
        yield (*path, key)
        yield from places(inside, (*path, key)) if isinstance(inside, dict | list) else ()


@pytest.mark.parametrize(
    "wrong", [None, 7, 1e400, "x", True, [], [1], [None], {}, {"a": 1}], ids=str
)
def test_an_earlier_report_that_somebody_changed_does_no_harm(wrong):
    """Whatever stands in the place of anything that the comparison reads."""
    whole, after = summary(), summary("2026-11-20", 41)
    whole["days"]["missing"] = ["2026-11-03"]
    for path in [*places(whole)]:
        before = copy.deepcopy(whole)
        inner = before
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = wrong
        found = compare(before, after)
        if found is not None:
            assert display.changes(found["figures"], then="13 Nov", now="20 Nov")
            assert all(map(date.fromisoformat, found["settled"]))


def test_hidden_figures_stay_hidden_in_the_comparison_f183():
    before, after = summary(), copy.deepcopy(summary("2026-11-20"))
    hidden = display.headline("Active people", 3, is_hidden=True)
    after["notebooks"]["adoption"]["headlines"][0] = hidden
    shown = display.changes(compare(before, after)["figures"], then="13 Nov", now="20 Nov")
    assert shown.text.splitlines() == [
        "Active people: 40 (13 Nov), not shown (20 Nov), –",
        "Rate: 50.0% (13 Nov), 50.0% (20 Nov), as before",
    ]
