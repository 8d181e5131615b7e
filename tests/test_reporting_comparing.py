"""What changed since the report before: only what can be compared is compared."""

import copy

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
    assert found["other_definition"] == ["adoption"]


def test_days_that_were_open_then_and_are_settled_now_are_named():
    before, after = summary(), summary("2026-11-20")
    before["days"] |= {"provisional": ["2026-11-12", "2026-11-13"], "missing": ["2026-10-07"]}
    before["days"]["pending"] = ["2026-09-30"]  # before the first day of the later report
    after["days"]["missing"] = ["2026-10-07"]
    assert compare(before, after)["settled"] == ["2026-11-12", "2026-11-13"]


def test_an_earlier_report_that_somebody_changed_does_no_harm():
    before = summary()
    del before["days"]
    before["notebooks"]["adoption"] = {"definition": "at least one prompt sent"}
    assert compare(before, summary())["figures"] == []


def test_hidden_figures_stay_hidden_in_the_comparison_f183():
    before, after = summary(), copy.deepcopy(summary("2026-11-20"))
    hidden = display.headline("Active people", 3, is_hidden=True)
    after["notebooks"]["adoption"]["headlines"][0] = hidden
    shown = display.changes(compare(before, after)["figures"], then="13 Nov", now="20 Nov")
    assert shown.text.splitlines() == [
        "Active people: 40 (13 Nov), n < 5 (20 Nov), –",
        "Rate: 50.0% (13 Nov), 50.0% (20 Nov), as before",
    ]
