"""What the notebooks publish behind their charts: nothing that tells what few people did."""

import ast
import json
from pathlib import Path

import pytest

import copilot_analytics as ca
from copilot_analytics import charts, display, metrics

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def sources(name: str) -> list[str]:
    """The code cells of a notebook."""
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def tables():
    """A small company, in which a single language has too few people."""
    whole = ca.sample(people=60, days=80)
    recent = whole.filter(start="2026-10-20", end="2026-11-16")
    rates = metrics.acceptance_rate(recent.users_by_language_feature, by="language")
    few = rates[rates["people"].between(1, 4)].sort_values("people")["language"]
    name = "users_by_language_feature"
    rows = whole[name][~whole[name]["language"].isin(few[1:])]
    return ca.Tables({**whole, name: rows}, day_states=whole.day_states)


@pytest.fixture(scope="module")
def published(tables):
    """The frames that each notebook offers as files, by notebook and name."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ca, "open_tables", lambda *_, **__: tables)
        for name in set(charts.__all__) - {"covered_text", "findings"}:
            patch.setattr(charts, name, lambda *_, **__: None)  # drawing is most of the time
        for notebook in ("adoption", "credits"):
            frames = found[notebook] = {}

            def chart(figure, alt="", *, data=None, name="data", frames=frames):
                frames[name] = data

            patch.setattr(display, "chart", chart)
            names = {"display": lambda *_: None}
            for source in sources(notebook):
                exec(source, names)
    return found


def test_no_day_of_few_people_follows_from_the_forecast_of_credits(published, tables):
    """The oracle counts the people of each day in the records."""
    frame = published["credits"]["forecast"].set_index("day")
    used = tables.users[tables.users["ai_credits_used"] > 0]
    people = used.groupby("day")["user_id"].nunique().reindex(frame.index, fill_value=0)
    few = people.between(1, 4) & frame["is_measured"]
    assert few.sum() >= 2
    last = frame.index[frame["is_measured"]].max()
    assert frame.loc[few & (frame.index != last), "cumulative"].isna().all()
    assert frame.loc[few, "credits"].isna().all()
    shown = frame["cumulative"].notna() & frame["is_measured"]
    groups = shown[::-1].cumsum()[::-1]  # the days up to each total that is shown, from the last
    for _, days in people[frame["is_measured"]].groupby(groups):
        assert days.sum() == 0 or days.max() >= 5 or not shown[days.index].any()


def test_the_weeks_of_credits_tell_nothing_of_the_few_records_without_telemetry(published):
    columns = set(published["credits"]["credits-per-week"])
    assert not columns & {"records_without_telemetry", "credits_without_telemetry"}


def test_the_counts_of_each_day_are_not_published_with_its_state(published):
    assert set(published["credits"]["days"]) == {"scope", "family", "day", "state"}


def test_a_hidden_language_is_not_what_the_others_leave_of_the_total(published):
    frame = published["adoption"]["acceptance-by-language"]
    hidden = frame[frame["is_hidden"]]
    assert len(hidden) == 2
    assert hidden[["accepted", "generated", "people"]].isna().all(axis=None)


def test_how_often_people_use_it_is_published_without_the_people_of_single_days(published):
    assert set(published["adoption"]["stickiness"]) == {
        *("window", "day", "people", "stickiness", "is_hidden")
    }


@pytest.mark.parametrize("name", sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
def test_pseudonyms_of_a_team_are_made_with_the_key_of_the_team(name):
    code = ast.parse("\n".join(sources(name)))
    calls = [node for node in ast.walk(code) if isinstance(node, ast.Call)]
    keys = [call for call in calls if ast.unparse(call.func) == "ca.open_key"]
    opened = [call for call in calls if ast.unparse(call.func) == "ca.open_tables"]
    if any(keyword.arg == "team" for call in opened for keyword in call.keywords):
        assert all("team=team" in ast.unparse(call) for call in keys)
