"""Reports of single teams: no group that is too small, neither shown nor left by subtraction."""

import json
from hashlib import sha256
from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_reporting import NOW, make_notebook

import copilot_analytics as ca
from copilot_analytics import samples
from copilot_analytics.errors import UsageError
from copilot_analytics.reporting import open_tables, report
from copilot_analytics.reporting.teams import choose_teams, of_team


def tables_of(everybody, teams):
    """Tables of one day, with the people of each team."""
    day = pd.Timestamp("2026-11-20")
    ids = {slug: place for place, slug in enumerate(teams)}
    rows = [(ids[slug], slug, user) for slug, people in teams.items() for user in sorted(people)]
    members = pd.DataFrame(rows, columns=["team_id", "slug", "user_id"])
    users = pd.DataFrame({"user_id": sorted(everybody)})
    whole = {"scope": "organization:7", "day": day}
    return ca.Tables({"users": users.assign(**whole), "teams": members.assign(**whole)})


WHOLE = set(range(30))
TEAMS = {"web": set(range(12)), "data": set(range(12, 22)), "small": {1, 2, 3, 4}}


def test_all_are_those_that_are_large_enough_f183():
    found = choose_teams(tables_of(WHOLE, TEAMS), ["all"], 5)
    assert found.chosen == {"team-data": "data", "team-web": "web"}
    assert found.refused == 1


def test_a_team_that_is_too_small_is_refused_with_a_sentence_f183():
    with pytest.raises(UsageError, match="team small cannot have a report: fewer than 5"):
        choose_teams(tables_of(WHOLE, TEAMS), ["web", "small"], 5)
    assert choose_teams(tables_of(WHOLE, TEAMS), ["small"], 3).chosen == {"team-small": "small"}


def test_a_team_that_is_not_there_is_named():
    with pytest.raises(UsageError, match="team 'wbe' is not in the data"):
        choose_teams(tables_of(WHOLE, TEAMS), ["wbe"], 5)
    with pytest.raises(UsageError, match="no records of teams"):
        choose_teams(tables_of(WHOLE, {}), ["all"], 5)


@pytest.mark.parametrize(
    ("teams", "allowed"),
    [
        ({"most": set(range(27))}, []),  # three people are in no team
        ({"large": set(range(12)), "part": set(range(9))}, ["large"]),
        ({"large": set(range(12)), "part": set(range(7))}, ["large", "part"]),
        ({"large": set(range(12)), "same": set(range(12))}, ["large", "same"]),
        ({"one": set(range(9)), "other": set(range(3, 12))}, ["one", "other"]),
        ({"most": {*range(27), 99}}, []),  # 99 has a seat and no record
        ({"seats": {0, 1, 2, 3, *range(90, 99)}}, []),
        ({"one": set(range(14)), "other": set(range(14, 28))}, ["one"]),  # two are in neither
        ({"one": set(range(17)), "other": set(range(14, 30))}, ["one"]),  # three are in both
    ],
)
def test_no_few_people_are_left_between_groups_f184(teams, allowed):
    assert list(choose_teams(tables_of(WHOLE, teams), ["all"], 5).chosen.values()) == allowed


@given(st.lists(st.sets(st.integers(0, 13)), min_size=1, max_size=4), st.integers(2, 5))
@settings(max_examples=60)
def test_no_small_group_is_left_by_adding_and_subtracting_reports_f184(groups, minimum):
    """Each report is added, left out or taken away; person 12 and 13 have a seat and no record."""
    everybody = set(range(12))
    teams = {f"t{place}": people for place, people in enumerate(groups) if people}
    if not teams:
        return
    chosen = choose_teams(tables_of(everybody, teams), ["all"], minimum).chosen.values()
    shown = [everybody, *(teams[slug] for slug in chosen)]
    for signs in product((-1, 0, 1), repeat=len(shown)):
        left = [
            sum(s for s, group in zip(signs, shown, strict=True) if n in group) for n in everybody
        ]
        if set(left) <= {0, 1}:
            assert not 0 < sum(left) < minimum, (signs, shown)


def test_notebooks_that_compare_everybody_are_not_made_for_one_team(tmp_path):
    with pytest.raises(UsageError, match="no notebook that was asked for is about single teams"):
        report(notebooks=["teams", "quality"], teams=["web"], out=tmp_path / "out", now=NOW)


def test_a_slug_is_no_path():
    teams = {"../../etc": set(range(12)), "web": set(range(12, 22))}
    folders = list(choose_teams(tables_of(WHOLE, teams), ["all"], 5).chosen)
    assert folders == [f"team-------etc-{sha256(b'../../etc').hexdigest()[:8]}", "team-web"]


def test_a_team_has_its_folder_whatever_other_teams_there_are():
    """Else the next report would compare it with another team, or one would be lost."""
    half = {"a_b": set(range(10)), "a.b": set(range(10, 20)), "a-b-2": set(range(10))}
    tables = tables_of(WHOLE, half)
    chosen = choose_teams(tables, ["a-b-2", "a_b", "a.b"], 5).chosen
    assert sorted(chosen.values()) == ["a-b-2", "a.b", "a_b"]
    assert choose_teams(tables, ["a.b", "a_b", "a-b-2"], 5).chosen == chosen
    assert choose_teams(tables, ["a_b"], 5).chosen.items() <= chosen.items()


def test_the_tables_of_a_team_hold_its_person_days_and_nothing_else():
    """The oracle is a loop over the rows of both tables."""
    tables = samples.sample(people=60, days=14)
    slug = tables.teams["slug"].mode()[0]
    team = of_team(tables, slug)
    ids = set(tables.teams.loc[tables.teams["slug"] == slug, "team_id"])
    days = {(row.user_id, row.day) for row in tables.teams.itertuples() if row.team_id in ids}
    for name in ("users", "users_by_feature", "users_by_ide"):
        expected = [(r.user_id, r.day) in days for r in tables[name].itertuples()]
        loop = tables[name][expected].reset_index(drop=True)
        pd.testing.assert_frame_equal(team[name].reset_index(drop=True), loop)
    assert set(team.teams["team_id"]) == ids
    assert team.entity.empty
    assert team.repos.empty
    assert list(team.entity.columns) == list(tables.entity.columns)
    pd.testing.assert_frame_equal(team.day_states, tables.day_states)


def test_tables_that_are_not_about_people_are_not_read_for_a_team(monkeypatch):
    tables = samples.sample(people=20, days=2)
    read, seen = ca.Tables.read, []
    monkeypatch.setattr(
        ca.Tables, "read", lambda self, name, *_: seen.append(name) or read(self, name)
    )
    team = of_team(tables, tables.teams["slug"].iloc[0])
    pd.testing.assert_frame_equal(team.entity, tables.entity.head(0))
    assert "entity" not in seen


def test_no_team_is_everybody(made):
    """Nor is it a team that happens to have no name."""
    whole, result, _ = made
    again = open_tables(str(result.folder.parents[2] / "files"), team="")
    pd.testing.assert_frame_equal(whole.users, again.users)


COUNT = """\
import copilot_analytics as ca
people = ca.open_tables(archive, scope=scope, start=start, end=end, team=team).users
count = people["user_id"].nunique()
"""
FINISH = """\
display.finish("count", period, headlines=[display.headline("People seen", count)], tables=tables,
               team=team)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report of everybody and of two teams, from files of reports."""
    folder = tmp_path_factory.mktemp("teams")
    company = samples.Company(people=80, days=4)
    wanted = ["users-1-day", "user-teams-1-day"]
    samples.write(folder / "files", company, ["organization:octo-org"], reports=wanted)
    notebook = make_notebook(folder / "count.ipynb", COUNT, FINISH, finish=False)
    seen = []
    result = report(folder / "files", notebooks=[notebook], teams=["all"], out=folder / "out",
                    progress=lambda name, *_: seen.append(name), now=NOW)  # fmt: skip
    return ca.load(folder / "files"), result, seen


def test_each_team_has_pages_of_its_own_that_the_first_page_leads_to(made):
    tables, result, seen = made
    counts = tables.users.merge(tables.teams[["user_id", "day", "team_id", "slug"]])
    expected = counts.groupby("slug")["user_id"].nunique()
    index = result.index.read_text(encoding="utf-8")
    assert len(result.summary["teams"]) >= 2
    for folder, said in result.summary["teams"].items():
        assert f'href="{folder}/index.html"' in index
        assert 'href="../index.html"' in (result.folder / folder / "index.html").read_text()
        assert said["notebooks"]["count"]["headlines"][0]["value"] == expected[said["team"]]
        assert sorted(path.name for path in (result.folder / folder).iterdir()) == [
            "count.html",
            "count.ipynb",
            "index.html",
        ]
    assert set(seen) == {"count", *(f"{folder}/count" for folder in result.summary["teams"])}


def test_the_summary_on_disk_has_every_page_of_every_team(made):
    _, result, _ = made
    said = json.loads((result.folder / "report.json").read_text(encoding="utf-8"))
    assert said == result.summary
    pages = {path.relative_to(result.folder).as_posix() for path in result.folder.rglob("*.html")}
    assert set(said["pages"]) == pages


def test_a_notebook_that_ignores_the_team_is_refused(tmp_path):
    """Else the figures of everybody would stand on the page of a team."""
    finish = FINISH.replace("team=team", "team=''")
    notebook = make_notebook(tmp_path / "count.ipynb", "count = 1", finish, finish=False)
    company = samples.Company(people=80, days=4)
    wanted = ["users-1-day", "user-teams-1-day"]
    samples.write(tmp_path / "files", company, ["organization:octo-org"], reports=wanted)
    with pytest.raises(ca.errors.ReportError, match="completion marker says team '', not '"):
        report(tmp_path / "files", notebooks=[notebook], teams=["web"], out=tmp_path / "out")
