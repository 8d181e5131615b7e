"""Teams as of each day: against a loop over records, GitHub's own example, and sums that close."""

from collections import defaultdict

import pandas as pd
import pytest
from conftest import user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_input import ENGINES, company, day, load, membership, memberships, to_pandas

from copilot_analytics import catalogue, metrics
from copilot_analytics.errors import UsageError

PROMPTS, LINES = "user_initiated_interaction_count", "loc_added_sum"
ACCEPTED = "code_acceptance_activity_count"
RECORDS, MEMBERS = company(days=40), memberships(days=40)
TABLES = load(RECORDS + MEMBERS)
DAYS = {record["day"] for record in RECORDS}
USERS = TABLES.users[["scope", "day", "user_id", PROMPTS]]


def tables_of(records: list[dict], members: list[dict]):
    """The two tables, of each of them empty ones where there are no records."""
    return load(records).users, load(members).teams


def loop_over_records(records, members, period=lambda day: None, fractional=False) -> dict:
    """The join by hand: team and period to members, people, active people and prompts."""
    by_person_day = {(r["user_id"], r["day"]): r for r in records}
    teams_of = defaultdict(set)
    for row in members:
        teams_of[row["user_id"], row["day"]].add(row["team_id"])
    found = defaultdict(lambda: {"members": set(), "active": set(), "days": set(), PROMPTS: 0.0})
    for row in members:
        person_day = row["user_id"], row["day"]
        team = found[period(row["day"]), row["team_id"]]
        team["members"].add(row["user_id"])
        team["days"].add(row["day"])
        record = by_person_day.get(person_day)
        if record:
            parts = len(teams_of[person_day]) if fractional else 1
            team[PROMPTS] += record[PROMPTS] / parts
            if record[PROMPTS] > 0:
                team["active"].add(row["user_id"])
    return found


def monday(text: str) -> pd.Timestamp:
    return pd.Timestamp(text) - pd.Timedelta(days=pd.Timestamp(text).day_of_week)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("attribution", ["full", "fractional"])
@pytest.mark.parametrize(
    ("period", "start"),
    [
        (None, lambda text: None),
        ("day", pd.Timestamp),
        ("week", monday),
        ("month", lambda text: pd.Timestamp(text).replace(day=1)),
    ],
)
def test_a_loop_over_records_finds_the_same(engine, attribution, period, start):
    fractional = attribution == "fractional"
    expected = loop_over_records(RECORDS, MEMBERS, start, fractional)
    users, teams = (ENGINES[engine](frame) for frame in (USERS, TABLES.teams))
    options = {"attribution": attribution, "period": period}
    result = to_pandas(metrics.team_activity(users, teams, **options))
    assert len(result) == len(expected)
    for row in result.to_dict("records"):
        team = expected[row[period] if period else None, row["team_id"]]
        assert row["members"] == len(team["members"])
        if not team["days"] & DAYS:
            assert pd.isna(row["active_users"])
            continue
        assert row["active_users"] == len(team["active"])
        assert row["share"] == pytest.approx(len(team["active"]) / len(team["members"]))
        assert row["days_present"] == len(team["days"])
        assert row[PROMPTS] == pytest.approx(team[PROMPTS])


def test_the_example_in_githubs_documentation():
    """GitHub docs, Team-level Copilot usage metrics, Example: Alice is in two teams, Bob in one.

    F112: a person of two teams has two rows, and counts in both.
    """
    names = (PROMPTS, ACCEPTED, "loc_suggested_to_add_sum", LINES)
    records = [
        user_record("2026-05-07", person, **dict(zip(names, counts, strict=True)))
        for person, counts in ((1001, (50, 12, 200, 88)), (1002, (30, 7, 80, 24)))
    ]
    members = [
        membership("2026-05-07", *row)
        for row in ((1001, 42, "frontend"), (1001, 43, "backend"), (1002, 42, "frontend"))
    ]
    users, teams = tables_of(records, members)
    result = metrics.team_activity(users, teams, active="present").set_index("slug")
    assert result.loc["frontend", ["active_users", ACCEPTED, LINES]].tolist() == [2, 19, 112]
    assert result.loc["backend", ["active_users", ACCEPTED, LINES]].tolist() == [1, 12, 88]
    assert result["team_id"].to_dict() == {"frontend": 42, "backend": 43}
    lines = metrics.team_totals(users, teams).set_index("line")[ACCEPTED]
    assert lines.tolist() == [31, -12, 19, 0, 0, 19]


def test_people_count_once_over_days_and_in_the_team_of_the_day():
    """Not a sum of daily counts; and what was done before a move stays with the old team."""
    records = [user_record(f"2026-11-0{n}", 1, **{PROMPTS: n}) for n in (2, 3, 4)]
    members = [
        membership(f"2026-11-0{n}", 1, *team)
        for n, team in ((2, (7, "web")), (3, (7, "web")), (4, (8, "data")))
    ]
    result = metrics.team_activity(*tables_of(records, members)).set_index("slug")
    assert result["active_users"].to_dict() == {"data": 1, "web": 1}
    assert result[PROMPTS].to_dict() == {"data": 4, "web": 5}
    assert result["active_person_days"].to_dict() == {"data": 1, "web": 2}


def test_a_team_without_activity_is_there_with_zeros():
    members = [membership("2026-11-02", person, 9, "quiet") for person in range(1, 7)]
    users, teams = tables_of([user_record("2026-11-02", 99, ai_credits_used=2.5)], members)
    (row,) = metrics.team_activity(users, teams).to_dict("records")
    assert (row["members"], row["active_users"], row["share"]) == (6, 0, 0.0)
    assert (row[PROMPTS], row["ai_credits_used"], row["active_person_days"]) == (0, 0.0, 0)


def test_without_records_of_anybody_nothing_is_known():
    """F203: a missing report on people is no team without activity."""
    members = [membership(f"2026-11-0{n}", person, 9, "web") for n in (2, 3) for person in (1, 2)]
    users, teams = tables_of([user_record("2026-11-02", 1)], members)
    by_day = metrics.team_activity(users, teams, period="day")
    assert by_day["days_with_records"].tolist() == [1, 0]
    assert by_day["members"].tolist() == [2, 2]
    figures = by_day[["active_users", "share", "active_person_days", PROMPTS]]
    assert figures.notna().all(axis=1).tolist() == [True, False]
    assert figures.iloc[1].isna().all()


def test_what_nobody_measured_is_missing_and_not_zero():
    members = [membership("2026-11-02", person, 9, "web") for person in (1, 2)]
    records = [user_record("2026-11-02", 1), user_record("2026-11-02", 2, cli_request_count=None)]
    users, teams = tables_of(records, members)
    for attribution in ("full", "fractional"):
        (row,) = metrics.team_activity(users, teams, attribution=attribution).to_dict("records")
        assert pd.isna(row["ai_credits_used"])
        assert pd.isna(row["cli_request_count"])
        assert row[PROMPTS] == 4


def test_a_renamed_team_is_one_team_with_its_last_name():
    result = metrics.team_activity(TABLES.users, TABLES.teams)
    assert result[["team_id", "slug"]].to_numpy().tolist() == [
        [8, "data"],
        [9, "quiet"],
        [7, "website"],
    ]


def test_every_counter_that_may_be_added_up_is_there_and_no_other():
    columns = metrics.team_activity(TABLES.users, TABLES.teams).columns
    additive = {f.column for f in catalogue.table("users").columns if f.additive == "yes"}
    retired = {f.column for f in catalogue.table("users").columns if f.is_retired}
    first = columns.get_loc("active_person_days") + 1
    assert set(columns[first:]) == additive - retired


def test_a_team_that_comes_and_goes_says_so():
    members = [membership(f"2026-11-0{n}", 1, 7, "web") for n in (2, 3, 4)]
    members += [membership("2026-11-03", person, 8, "data") for person in (1, 2)]
    users, teams = tables_of([user_record()], members)
    for result in (metrics.team_members(teams), metrics.team_activity(users, teams)):
        days = result.set_index("slug")[["days_present", "days_reported"]]
        assert days.to_numpy().tolist() == [[1, 3], [3, 3]]
    ends = metrics.team_members(teams)[["first_day", "last_day"]]
    assert ends.iloc[0].tolist() == [day("2026-11-03")] * 2


TEAM_TYPES = TABLES.teams.dtypes[["day", "user_id", "team_id", "slug"]].to_dict()
counts = st.integers(0, 9)
person_days = st.dictionaries(st.tuples(st.integers(1, 5), st.integers(2, 5)), counts, max_size=12)
in_teams = st.sets(st.tuples(st.integers(1, 5), st.integers(2, 5), st.integers(1, 4)), max_size=20)


@settings(max_examples=6)
@given(person_days, in_teams, st.randoms(use_true_random=False))
def test_sums_close_and_neither_order_nor_shards_matter(prompts, members, chance):
    rows = [(day(f"2026-11-0{n}"), person, count) for (person, n), count in prompts.items()]
    users = pd.DataFrame(rows, columns=["day", "user_id", PROMPTS]).astype(USERS.dtypes[1:])
    rows = [(day(f"2026-11-0{n}"), person, team, f"t{team}") for person, n, team in members]
    teams = pd.DataFrame(rows, columns=list(TEAM_TYPES)).astype(TEAM_TYPES)
    full = metrics.team_activity(users, teams)
    parts = metrics.team_activity(users, teams, attribution="fractional")
    lines = metrics.team_totals(users, teams).set_index("line")
    for name, total in ((PROMPTS, users[PROMPTS].sum()), ("person_days", len(users))):
        assert lines[name].iloc[:2].sum() == lines.loc["in_teams", name]
        assert lines[name].iloc[2:5].sum() == lines.loc["everybody", name] == total
    assert full[PROMPTS].sum() == lines.loc["sum_of_teams", PROMPTS]
    assert parts[PROMPTS].sum() == pytest.approx(lines.loc["in_teams", PROMPTS])
    in_days = {(person, n) for person, n, _ in members}
    assert lines.loc["in_teams", "people"] == len({p for p, n in prompts if (p, n) in in_days})
    shuffled = teams.sample(frac=1, random_state=chance.randint(0, 99))
    half = len(users) // 2
    sharded = pd.concat([users.iloc[half:], users.iloc[:half]])
    pd.testing.assert_frame_equal(metrics.team_activity(sharded, shuffled), full)


def test_days_without_any_report_on_teams_are_a_line_of_their_own():
    records = [user_record(f"2026-11-0{n}", person) for n in (2, 3) for person in (1, 2)]
    users, teams = tables_of(records, [membership("2026-11-02", 1, 7, "web")])
    lines = metrics.team_totals(users, teams).set_index("line")
    assert lines["person_days"].tolist() == [1, 0, 1, 1, 2, 4]
    assert lines["people"].tolist() == [1, 0, 1, 1, 2, 2]


def test_members_only_are_the_person_days_of_the_team():
    """In the order and with the types of the table, whatever the team was called on the day."""
    expected = {(m["user_id"], day(m["day"])) for m in MEMBERS if m["team_id"] == 7}
    users = TABLES.users.sample(frac=1, random_state=2)
    kept = metrics.members_only(users, TABLES.teams, "website")
    wanted = [key in expected for key in zip(users["user_id"], users["day"], strict=True)]
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), users[wanted].reset_index(drop=True))
    features = metrics.members_only(TABLES.users_by_feature, TABLES.teams, "data")
    assert set(features["user_id"]) <= {2, 3, 6, 9}
    own = metrics.members_only(TABLES.teams, TABLES.teams, "quiet")
    assert set(own["team_id"]) == {9}


def test_figures_of_the_members_are_those_of_the_team():
    result = metrics.team_activity(TABLES.users, TABLES.teams).set_index("slug")
    for slug in ("data", "website", "quiet"):
        users = metrics.members_only(TABLES.users, TABLES.teams, slug)
        assert users[PROMPTS].sum() == result.loc[slug, PROMPTS]
        active = metrics.user_activity(users)["active_days"] > 0
        assert active.sum() == result.loc[slug, "active_users"]


def test_a_team_made_again_under_its_old_name_counts_with_both_ids():
    members = [membership("2026-11-02", 1, 7, "web"), membership("2026-11-04", 1, 8, "web")]
    records = [user_record(f"2026-11-0{n}", 1) for n in (2, 3, 4)]
    users, teams = tables_of(records, members)
    assert len(metrics.members_only(users, teams, "web")) == 2


@pytest.mark.parametrize("slug", ["web", "", "Data"])
def test_a_team_that_is_not_there_is_refused_with_the_names_there_are(slug):
    with pytest.raises(UsageError, match="there is no team") as problem:
        metrics.members_only(TABLES.users, TABLES.teams, slug)
    assert problem.value.advice == "one of: data, quiet, website"
    with pytest.raises(UsageError) as problem:
        metrics.members_only(TABLES.users, TABLES.teams.head(0), slug)
    assert "sync" in problem.value.advice


def test_headline_figures_against_sets():
    users, teams = TABLES.users, TABLES.teams
    last = users["day"].max()
    window = pd.date_range(end=last, periods=14)
    used = users[users["day"].isin(window) & (users[PROMPTS] > 0)]
    member = teams[teams["day"].isin(window)]
    joined = used.merge(member, on=["user_id", "day"])
    values = metrics.team_headline(users, teams, days=14).set_index("figure")
    people = set(joined["user_id"])
    assert values.loc["teams_with_activity", "value"] == joined["team_id"].nunique()
    expected = {
        "share_of_members_active": len(people) / member["user_id"].nunique(),
        "share_of_active_people_in_teams": len(people) / used["user_id"].nunique(),
        "share_of_members_in_several_teams": (
            member.groupby(["user_id", "day"]).size().gt(1).groupby("user_id").any().sum()
            / member["user_id"].nunique()
        ),
    }
    for figure, value in expected.items():
        assert values.loc[figure, "value"] == pytest.approx(value), figure
    rest = member["user_id"].nunique() - len(people)
    assert values.loc["share_of_members_active", "people"] == min(len(people), rest)


@pytest.mark.parametrize("engine", ENGINES)
def test_headline_where_nobody_is_in_several_teams_or_active(engine):
    members = [membership(f"2026-11-0{n}", person, 7, "web") for n in (2, 3) for person in (1, 2)]
    records = [user_record("2026-11-02", 1), user_record("2026-11-03", 9)]
    users, teams = map(ENGINES[engine], tables_of(records, members))
    values = to_pandas(metrics.team_headline(users, teams, days=1)).set_index("figure")
    assert values["numerator"].tolist() == [0, 0, 0, 0]
    assert values["value"].tolist() == [0, 0, 0, 0]
    assert values.loc["share_of_members_active", "denominator"] == 2
    assert values.loc["share_of_active_people_in_teams", "denominator"] == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_days_before_the_first_report_on_teams_do_not_make_the_share_in_teams_too_small(engine):
    """Team reports begin later than those of people: the week before them is not covered."""
    days = [f"2026-11-{n:02}" for n in range(1, 9)]
    records = [user_record(today, n) for n, today in enumerate(days, start=1)]
    members = [membership(today, person, 7, "web") for today in days[-2:] for person in (7, 8)]
    users, teams = map(ENGINES[engine], tables_of(records, members))
    values = to_pandas(metrics.team_headline(users, teams, days=4)).set_index("figure")
    in_teams = values.loc["share_of_active_people_in_teams"]
    assert (in_teams["numerator"], in_teams["denominator"]) == (2, 2)
    assert not values["is_complete"].any()
    assert metrics.team_headline(*tables_of(records, members), days=2)["is_complete"].all()


@pytest.mark.parametrize("empty", [("users",), ("teams",), ("users", "teams")])
def test_nothing_gives_frames_with_all_columns(empty):
    users, teams = (
        TABLES[name].head(0) if name in empty else TABLES[name] for name in ("users", "teams")
    )
    whole = metrics.team_activity(TABLES.users.head(5), TABLES.teams.head(5), period="week")
    result = metrics.team_activity(users, teams, period="week")
    assert result.dtypes.to_dict() == whole.dtypes.to_dict()
    assert result.empty == ("teams" in empty)
    lines = metrics.team_totals(users, teams)
    assert lines[PROMPTS].tolist() == [0, 0, 0, 0, *([users[PROMPTS].sum()] * 2)]
    assert len(metrics.team_headline(users, teams)) == 4


def test_two_organizations_are_refused():
    other = pd.concat([TABLES.teams, TABLES.teams.assign(scope="organization:8")])
    for metric in (metrics.team_activity, metrics.team_totals, metrics.team_headline):
        with pytest.raises(UsageError, match="more than one organization"):
            metric(TABLES.users, other)
    with pytest.raises(UsageError, match="more than one organization"):
        metrics.team_activity(TABLES.users, TABLES.teams.assign(scope="organization:8"))


def test_options_that_are_not_known_are_refused():
    with pytest.raises(UsageError, match="attribution 'half'"):
        metrics.team_activity(TABLES.users, TABLES.teams, attribution="half")
    with pytest.raises(UsageError, match="no column 'slug'"):
        metrics.team_members(TABLES.teams.drop(columns="slug"))
