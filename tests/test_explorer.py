"""The explorer: whatever is chosen gives a picture or a sentence, and Python for the same frame."""

from dataclasses import replace
from datetime import date

import ipywidgets as widgets
import pandas as pd
import pytest
from archive_input import company_archive
from conftest import ndjson, user_record

import copilot_analytics as ca
from copilot_analytics import charts
from copilot_analytics.errors import UsageError
from copilot_analytics.explorer import Selection, Source, explore, view, views
from copilot_analytics.explorer.measures import BREAKDOWNS, MEASURES
from copilot_analytics.explorer.people import groups, people

KEY = b"an example key, no secret"


@pytest.fixture(scope="module")
def tables():
    return ca.sample(people=40, days=40)


@pytest.fixture(scope="module")
def source(tables):
    return Source(tables)


def run(code: str, tables) -> pd.DataFrame:
    """What the copied Python gives."""
    names = {"tables": tables}
    exec(code, names)
    return names["shown"].reset_index(drop=True)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_python_gives_the_shown_frame(source, tables, measure, monkeypatch):
    monkeypatch.setattr(views, "_drawn", lambda *_: None)  # drawing is most of the time
    for by in ["", *BREAKDOWNS]:
        chosen = Selection(measure=measure, breakdown=by, smoothing=7, weekdays="working")
        shown = view(source, chosen)
        assert shown.sentence.endswith(".")
        if shown.code:
            pd.testing.assert_frame_equal(run(shown.code, tables), shown.frame)


def test_the_python_of_a_team_gives_the_shown_frame(source, tables):
    team = source.teams("")[0]
    shown = view(source, Selection(measure="interactions", team=team, period="all"))
    assert team in shown.code
    pd.testing.assert_frame_equal(run(shown.code, tables), shown.frame)


@pytest.mark.parametrize("most_rows", [500_000, 0])
def test_an_archive_gives_the_same_with_duckdb(monkeypatch, most_rows):
    """Also where its tables are too large to be read at once; one scope of several is chosen."""
    monkeypatch.setattr(views, "MOST_ROWS_IN_MEMORY", most_rows)
    frames, relations = (company_archive().tables(engine=one) for one in ("pandas", "duckdb"))
    chosen = Selection("active_people_7", scope="organization:7", period="all")
    for one in (chosen, replace(chosen, measure="interactions", breakdown="feature")):
        shown = view(Source(relations, minimum=1), one)
        expected = view(Source(frames, minimum=1), one)
        assert shown.chart.alt == expected.chart.alt
        pd.testing.assert_frame_equal(shown.frame, expected.frame)
        pd.testing.assert_frame_equal(run(shown.code, relations), shown.frame)
    found = people(Source(relations), chosen, "", KEY)
    assert found.sentence == people(Source(frames), chosen, "", KEY).sentence
    assert len(found.frame) == 9


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (Selection(measure="share_of_people"), "choose a breakdown"),
        (Selection(measure="credits", breakdown="ide"), "per person only"),
        (Selection(measure="interactions", breakdown="language"), "does not report this"),
        (Selection(measure="nonsense"), "is no measure"),
        (Selection(team="nobody"), "There is no team 'nobody'"),
        (Selection(scope="organization:none"), "There are no data of organization:none"),
        (Selection(period="dates", start="2027-01-01", end="2026-01-01"), "is after the last"),
        (Selection(period="dates", start="2030-01-01", end="2030-01-02"), "There are no data from"),
        (Selection(period="dates", start="yesterday"), "is not a day"),
    ],
)
def test_a_wrong_selection_gives_a_sentence(source, chosen, said):
    shown = view(source, chosen)
    assert said in shown.sentence
    assert shown.chart is None


def test_a_window_longer_than_the_data_gives_a_sentence():
    short = ca.load(ndjson(*(user_record(user_id=user) for user in range(8))))
    assert "needs 28 days" in view(Source(short), Selection()).sentence
    assert "8 on 2 Nov" in view(Source(short), Selection(measure="active_people_1")).sentence


def test_no_people_give_a_sentence():
    entity = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
    explorer = explore(entity)
    assert explorer.sentence == "There are no records of people in these data."
    assert explorer.frame.empty


def test_small_groups_are_hidden_everywhere():
    """R5.19."""
    three = ca.load(ndjson(*(user_record(user_id=user) for user in range(3))))
    chosen = Selection(measure="active_people_1")
    shown = view(Source(three), chosen)
    assert shown.frame["active_users"].isna().all()
    assert "no day with enough people" in shown.sentence
    assert "fewer than 5 people" in people(Source(three), chosen, "", KEY).sentence


def test_a_group_of_all_but_a_few_is_hidden():
    """Ten of twelve would tell of the two who are not among them."""
    ides = {"vscode": range(10), "vim": range(6, 12)}
    records = [
        user_record(
            user_id=user,
            totals_by_ide=[
                {"ide": ide, "user_initiated_interaction_count": 1}
                for ide, users in ides.items()
                if user in users
            ],
        )
        for user in range(12)
    ]
    chosen = Selection("active_people_1", "ide")
    shown = view(Source(ca.load(ndjson(*records))), chosen).frame.set_index("ide")["people"]
    assert shown["vim"] == 6
    assert pd.isna(shown["vscode"])


def test_people_are_pseudonyms_of_a_group_that_is_shown(source, tables):
    """F187."""
    chosen = Selection(measure="active_people_7", breakdown="ide")
    names = groups(view(source, chosen).frame, chosen)
    found = people(source, chosen, names[0], KEY)
    assert f"{len(found.frame)} people" in found.sentence
    assert found.frame["person"].str.startswith("person-").all()
    text = found.frame.to_csv()
    assert not [login for login in tables.users["user_login"].unique() if login in text]


@pytest.mark.parametrize("minimum", [2, 5])
def test_the_people_of_a_group_of_all_but_a_few_are_not_listed(minimum):
    """Else the two who are not among them would be those of the one list and not of the other."""
    ide = {"totals_by_ide": [{"ide": "vscode", "user_initiated_interaction_count": 1}]}
    records = [user_record(user_id=user, **(ide if user < 10 else {})) for user in range(12)]
    few = Source(ca.load(ndjson(*records)), minimum=minimum)
    chosen = Selection("active_people_1", "ide", period="all")
    assert len(people(few, chosen, "", KEY).frame) == 12
    found = people(few, chosen, "vscode", KEY)
    assert len(found.frame) == (10 if minimum == 2 else 0)
    assert ("everybody but fewer than 5" in found.sentence) == (minimum == 5)


def test_the_people_of_a_team_are_not_listed_where_they_are_all_but_a_few():
    records = [user_record(user_id=user) for user in range(12)]
    teams = [
        {"day": records[0]["day"], "organization_id": "7", "user_id": user, "team_id": team}
        | {"slug": slug}
        for team, slug, size in ((1, "most", 10), (2, "half", 6))
        for user in range(size)
    ]
    tables = ca.load(ndjson(*records, *teams))
    everybody, most, half = (
        people(Source(tables), Selection(period="all", team=team), "", KEY)
        for team in ("", "most", "half")
    )
    assert most.frame.empty
    assert "fewer than 5" in most.sentence
    assert len(half.frame) == 6
    assert not {*half.frame["person"]} & {*everybody.frame["person"]}


def test_groups_come_in_the_order_of_their_figure():
    shown = pd.DataFrame({"language": ["go", "css", "c"], "rate": [0.2, 0.4, None]})
    assert groups(shown, Selection("acceptance_rate", "language")) == ["css", "go"]


def test_several_scopes_are_chosen_one_by_one():
    records = [user_record(user_id=user) for user in range(9)]
    others = [record | {"organization_id": "8"} for record in records[:6]]
    both = ca.load(ndjson(*records, *others))
    explorer = explore(both, state={"measure": "active_people_1", "scope": "organization:8"})
    assert explorer.sentence.startswith("Active people on the day: 6 ")
    pd.testing.assert_frame_equal(run(explorer.code, both), explorer.frame)
    assert explore(both).state == {"scope": "organization:7"}


def control(explorer, label: str) -> widgets.Widget:
    (found,) = [
        one for one in explorer.children[0].children if getattr(one, "description", "") == label
    ]
    return found


def test_the_widgets_choose_and_the_state_restores(tables):
    explorer = explore(tables, key=KEY)
    first = explorer.sentence
    control(explorer, "Measure").value = "interactions"
    control(explorer, "Days").value = "dates"
    control(explorer, "First day").value = date(2026, 11, 2)
    assert explorer.sentence != first
    assert explorer.frame["day"].min() == pd.Timestamp("2026-11-02")
    state = {"measure": "interactions", "period": "dates", "start": "2026-11-02"}
    assert explorer.state == state
    again = explore(tables, state=state)
    assert again.sentence == explorer.sentence
    control(explorer, "First day").value = date(2027, 1, 1)
    assert "is after the last" in explorer.sentence


def test_people_follow_the_chosen_group(tables):
    explorer = explore(tables, state={"breakdown": "ide"}, key=KEY)
    pages = explorer.children[1].children[1]
    pages.selected_index = 1
    group, shown = pages.children[1].children
    everybody = shown.value
    group.value = group.options[1][1]
    assert shown.value != everybody
    assert "person-" in shown.value


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"colour": "red"}, "a saved view has no 'colour'"),
        ({"measure": "nope"}, "'nope' is no measure"),
        ({"breakdown": "planet"}, "'planet' is no breakdown"),
        ({"period": "nope"}, "'nope' is no period"),
        ({"active": "nope"}, "'nope' is no active"),
        ({"weekdays": "sunday"}, "'sunday' is no weekdays"),
        ({"smoothing": 5}, "5 is no smoothing"),
        ({"smoothing": "x"}, "the smoothing 'x', which cannot be chosen"),
        ({"start": "soon"}, "the start of a saved view 'soon' is not a day"),
        ({"team": ["a"]}, "cannot be chosen"),
        ([("measure", "credits")], "a saved view is a dictionary, not list"),
    ],
)
def test_a_state_that_no_explorer_has_is_refused(tables, state, problem):
    with pytest.raises(UsageError, match=problem):
        explore(tables, state=state)


def test_the_sentence_and_the_labels_rest_on_settled_days(tables):
    """F206: a day that may still grow is drawn, and not compared."""
    shown = view(Source(tables), Selection(measure="active_people_1"))
    states = tables.day_states.query("family == 'users' and state == 'final'")
    last = states["day"].max()
    assert last < tables.day_states["day"].max()
    value = shown.frame.set_index("day").loc[last, "active_users"]
    assert f": {value} on {last.day} {last:%b %Y}" in shown.sentence
    assert shown.sentence.rstrip(".") in shown.chart.alt


def test_what_are_no_tables_is_refused(tables):
    with pytest.raises(UsageError, match="takes tables, not DataFrame"):
        explore(tables.users)


def test_figures_are_counted_once_per_measure(tables):
    """A change of days, smoothing or weekdays counts no people again."""
    source = Source(tables)
    chosen = Selection(breakdown="ide")
    view(source, chosen)
    counted = [key for key in source._kept if key[0] == "figures"]
    view(source, replace(chosen, period="all", smoothing=7, weekdays="working"))
    assert [key for key in source._kept if key[0] == "figures"] == counted


def test_own_plots_can_look_like_the_reports():
    import matplotlib as mpl

    with mpl.rc_context():
        charts.use_style()
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"][0] == "#0072B2"
