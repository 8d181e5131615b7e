"""Nobody is recognised without the key, and small groups cannot be worked out."""

import hashlib
import hmac
import os
import stat
import threading

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_input import company, load

from copilot_analytics import catalogue, metrics, privacy
from copilot_analytics.errors import StorageError, UsageError

KEY, OTHER_KEY = b"0123456789abcdef", b"another key of some length"
TABLES = load(company())
PROMPTS = "user_initiated_interaction_count"


def test_a_pseudonym_is_a_keyed_hash_of_the_id():
    """F186: and not a bare hash of the id or the login, which could be listed."""
    users = privacy.pseudonymize(TABLES.users, KEY)
    expected = {
        f"person-{hmac.new(KEY, str(person).encode(), hashlib.sha256).hexdigest()[:12]}"
        for person in TABLES.users["user_id"]
    }
    assert set(users["user_id"]) == expected
    for person, login in zip(TABLES.users["user_id"], TABLES.users["user_login"], strict=True):
        for text in (str(person), login):
            bare = hashlib.sha256(text.encode()).hexdigest()[:12]
            assert not users["user_id"].str.contains(bare).any()


def test_nothing_personal_is_left():
    """F187: no id, login or undescribed field anywhere in the frame."""
    records = [user_record(user_id=4711, user_login="ada-l", nickname="The Countess")]
    hidden = privacy.pseudonymize(load(records).users, KEY)
    text = hidden.to_csv()
    assert not any(trace in text for trace in ("4711", "ada-l", "Countess"))
    assert not {"user_login", "extra"} & set(hidden.columns)


def test_one_person_has_one_pseudonym_in_all_tables_under_one_key():
    users = privacy.pseudonymize(TABLES.users, KEY)
    by_feature = privacy.pseudonymize(TABLES.users_by_feature, KEY)
    assert set(by_feature["user_id"]) <= set(users["user_id"])
    assert users["user_id"].nunique() == TABLES.users["user_id"].nunique()
    other = privacy.pseudonymize(TABLES.users, OTHER_KEY)
    assert not set(other["user_id"]) & set(users["user_id"])


def test_the_people_of_a_team_have_other_pseudonyms_on_its_pages():
    """Else whoever knows who is in two teams would find these few on the pages of both."""
    keys = [privacy.key_of_team(KEY, team) for team in ("", "web", "data")]
    assert keys[0] == KEY
    assert keys[1] == hmac.new(KEY, b"web", hashlib.sha256).digest()
    pages = [set(privacy.pseudonymize(TABLES.users, key)["user_id"]) for key in keys]
    assert not pages[0] & pages[1] | pages[1] & pages[2] | pages[0] & pages[2]


def test_figures_of_pseudonyms_are_those_of_the_people():
    counts = metrics.active_users(privacy.pseudonymize(TABLES.users, KEY), window=7)
    pd.testing.assert_frame_equal(counts, metrics.active_users(TABLES.users, window=7))


def test_personal_columns_come_from_the_catalogue():
    marked = {f.column for f in catalogue.table("users").columns if f.is_personal}
    assert set(privacy.personal_columns(TABLES.users)) == marked | {"extra"}
    assert privacy.personal_columns(TABLES.entity) == ["extra"]
    assert "repo_owner_name" in privacy.personal_columns(TABLES.repos)


def test_order_missing_ids_and_frames_without_people_are_kept():
    frame = pd.DataFrame({"n": [3, 1, 2], "user_id": pd.array([7, None, 5], dtype="Int64")})
    hidden = privacy.pseudonymize(frame, KEY)
    assert hidden["n"].tolist() == [3, 1, 2]
    assert hidden["user_id"].isna().tolist() == [False, True, False]
    assert privacy.pseudonymize(frame[["n"]], KEY)["n"].tolist() == [3, 1, 2]
    assert privacy.pseudonymize(TABLES.users.head(0), KEY).empty


@pytest.mark.parametrize("key", ["0123456789abcdef0123", b"short", None])
def test_a_key_that_is_none_is_refused_and_not_repeated(key):
    with pytest.raises(UsageError, match="key") as problem:
        privacy.pseudonymize(TABLES.users, key)
    assert not key or str(key) not in str(problem.value)


def test_two_people_with_one_pseudonym_stop_it(monkeypatch):
    monkeypatch.setattr(privacy.persons, "_pseudonym", lambda person, key: "person-0")
    with pytest.raises(UsageError, match="same pseudonym"):
        privacy.pseudonymize(TABLES.users, KEY)


def test_frames_that_are_not_in_memory_are_refused():
    relation = duckdb.sql("select 1 as user_id")
    with pytest.raises(UsageError) as problem:
        privacy.pseudonymize(relation, KEY)
    assert "to pandas first" in problem.value.advice


def test_the_key_is_made_once_and_only_for_the_owner(tmp_path):
    folder = tmp_path / "keys"
    key = privacy.load_key(folder)
    assert len(key) == 32
    assert privacy.load_key(folder) == key
    assert privacy.load_key(tmp_path) != key
    assert stat.S_IMODE(os.stat(folder / "pseudonym.key").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["pseudonym.key"]


def test_many_at_once_get_one_key(tmp_path):
    keys, start = [], threading.Barrier(8)

    def read():
        start.wait()
        keys.append(privacy.load_key(tmp_path))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_key_open_to_others_is_refused(tmp_path):
    privacy.load_key(tmp_path)
    (tmp_path / "pseudonym.key").chmod(0o644)
    with pytest.raises(UsageError, match="open to others"):
        privacy.load_key(tmp_path)


def test_a_damaged_key_is_not_replaced(tmp_path):
    privacy.load_key(tmp_path)
    (tmp_path / "pseudonym.key").write_text("not a key")
    with pytest.raises(UsageError, match="does not hold a key"):
        privacy.load_key(tmp_path)
    assert (tmp_path / "pseudonym.key").read_text() == "not a key"


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="key file"):
        privacy.load_key(tmp_path / "file" / "keys")


def hidden(people, minimum=5, **options) -> list[bool]:
    groups = [f"g{number}" for number in range(len(people))]
    frame = pd.DataFrame({"group": groups, "people": people, "share": 0.5})
    result = privacy.hide_small_groups(frame, minimum, **options)
    assert result["group"].tolist() == groups
    assert result["people"].isna().tolist() == result["is_hidden"].tolist()
    assert result["share"].isna().tolist() == result["is_hidden"].tolist()
    return result["is_hidden"].tolist()


def test_a_group_of_four_is_hidden():
    """F183."""
    assert hidden([4, 30, 40], complementary=False) == [True, False, False]


def test_a_hidden_group_does_not_follow_from_the_total():
    """F184: of groups of 9 and 3 with a known total of 12, both are hidden."""
    assert hidden([9, 3]) == [True, True]
    assert hidden([3, 9, 20]) == [True, True, False]
    assert hidden([1, 2, 9, 20]) == [True, True, True, False]
    assert hidden([3, 4, 9, 20]) == [True, True, False, False]


def test_groups_of_one_do_not_follow_from_how_many_are_hidden():
    """F184: five hidden groups with five people in all would be one person each."""
    assert hidden([1, 1, 1, 1, 1, 9, 20]) == [True] * 6 + [False]


def test_groups_that_are_large_enough_or_empty_stay():
    assert hidden([5, 6]) == [False, False]
    assert hidden([0, 8, 20]) == [False, False, False]
    assert hidden([0, 3, 8, 20]) == [False, True, True, False]
    assert hidden([4, 6], minimum=4) == [False, False]
    assert hidden([]) == []


@settings(max_examples=40)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=7))
def test_no_small_group_can_be_worked_out_from_the_rest(people):
    marks = hidden(people)
    covered = [size for size, is_hidden in zip(people, marks, strict=True) if is_hidden]
    assert all(size >= 5 or size == 0 for size in people if size not in covered)
    others = [s for s, m in zip(people, marks, strict=True) if not m and s > 0]
    if covered and others:
        # A reader who subtracts knows their sum, and that each is 1 or more: 5 must be possible.
        assert sum(covered) - (len(covered) - 1) >= 5
        assert max(covered) <= min(others)
    if all(size == 0 or size >= 5 for size in people):
        assert not covered


def test_each_day_is_a_total_of_its_own():
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-11-02"] * 3 + ["2026-11-03"] * 3),
            "phase_number": [1, 2, 3] * 2,
            "people": [3, 9, 20, 6, 9, 20],
        }
    )
    result = privacy.hide_small_groups(frame, within="day")
    assert result["is_hidden"].tolist() == [True, True, False, False, False, False]
    assert result["phase_number"].tolist() == [1, 2, 3] * 2


def test_the_size_of_the_group_counts_as_well():
    """F185: nobody active in a team of three says something about each of the three."""
    frame = pd.DataFrame(
        {"team": ["a", "b", "c"], "members": [3, 9, 30], "active_users": [0, 8, 9]}
    )
    result = privacy.hide_small_groups(frame, people=["members", "active_users"])
    assert result["is_hidden"].tolist() == [True, True, False]
    assert result[["members", "active_users"]].isna().sum().tolist() == [2, 2]


def test_metrics_pass_through_it_with_their_denominators():
    shares = metrics.share_of_people(TABLES.users, TABLES.users_by_feature, dimension="feature")
    result = privacy.hide_small_groups(shares, minimum=6)
    small = shares["people"].between(1, 5)
    assert result.loc[small, "is_hidden"].all()
    assert result.loc[result["is_hidden"], ["people", "share", "low", "high"]].isna().all(axis=None)
    assert result["active_people"].equals(shares["active_people"])
    tiny = privacy.hide_small_groups(shares, minimum=100)
    assert tiny[["people", "active_people", "share"]].isna().all(axis=None)


def test_a_relation_gives_a_relation_with_the_same_rows_hidden():
    rows = "(values ('c', 20), ('a', 3), ('b', 9)) as t(team, people)"
    result = privacy.hide_small_groups(duckdb.sql(f"select * from {rows}"))
    assert result.fetchall() == [("a", None, True), ("b", None, True), ("c", 20, False)]


@pytest.mark.parametrize(
    ("counts", "shown", "together"),
    [
        ([7, 8, 30], [7, 8, 30], None),
        ([0, 0, 0], [0, 0, 0], None),
        ([2, 6, 20], [None, 8, 20], "a + b"),
        ([2, 1, 20], [None, None, 23], "a + b + c"),
        ([2, 0, 20], [None, None, 22], "a + b + c"),
        ([10, 0, 2], [None, None, 12], "a + b + c"),
        ([10, 9, 2], [10, None, 11], "b + c"),
        ([2, 1, 1], [None, None, None], None),
        ([None, 3, 9], [None, 3, 9], None),
    ],
)
def test_small_parts_are_counted_with_another_part(counts, shown, together):
    frame = pd.DataFrame([counts], columns=["a", "b", "c"]).astype("Int64")
    result = privacy.merge_small_parts(frame, parts=["a", "b", "c"])
    assert (
        result[["a", "b", "c"]].astype(object).where(result.notna(), None).iloc[0].tolist()[:3]
        == shown
    )
    assert result["is_hidden"].tolist() == [shown != counts]
    assert result["counted_together"].isna().tolist() == [together is None]
    assert together is None or result["counted_together"].tolist() == [together]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=5))
@settings(max_examples=60)
def test_no_small_part_is_shown_and_the_total_stays(counts):
    names = [f"part_{number}" for number in range(len(counts))]
    result = privacy.merge_small_parts(pd.DataFrame([counts], columns=names), parts=names)
    shown = result[names].iloc[0].dropna().tolist()
    assert all(count == 0 or count >= 5 for count in shown)
    assert sum(shown) == (sum(counts) if sum(counts) >= 5 else 0)


def test_a_row_that_was_hidden_before_stays_hidden():
    frame = pd.DataFrame({"lost": [9, 3], "is_hidden": [True, False]})
    result = privacy.merge_small_parts(frame, parts=["lost"])
    assert result["is_hidden"].tolist() == [True, True]
    assert result["lost"].isna().tolist() == [False, True]


def test_parts_that_are_not_there_are_refused():
    with pytest.raises(UsageError, match="no column new"):
        privacy.merge_small_parts(pd.DataFrame({"lost": [1]}), parts=["new"])


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        (["team", "members"], {}),
        (["team", "people"], {"people": "members"}),
        (["team", "people"], {"values": ["share"]}),
        (["team", "people"], {"within": "day"}),
    ],
)
def test_without_the_columns_it_needs_nothing_is_passed_on(columns, options):
    with pytest.raises(UsageError, match="no column"):
        privacy.hide_small_groups(pd.DataFrame([[1, 9]], columns=columns), **options)


def test_the_table_of_people_shows_pseudonyms_in_no_telling_order():
    activity = metrics.user_activity(TABLES.users)
    table = privacy.people_table(activity, TABLES.users, KEY)
    assert table.columns[0] == "person"
    assert table["person"].is_monotonic_increasing
    assert not {"user_id", "user_login"} & set(table.columns)
    assert sorted(table["active_days"]) == sorted(activity["active_days"])


def test_the_table_of_people_shows_the_last_login_only_when_asked_to():
    records = [user_record(f"2026-11-0{n}", n, user_login=f"login-{n}") for n in range(1, 6)]
    records.append(user_record("2026-11-09", 1, user_login="renamed"))
    records.append(user_record("2026-11-09", 6, user_login=None))
    users = load(records).users
    activity = metrics.user_activity(users)
    named = privacy.people_table(activity, users, KEY, show_logins=True)
    expected = {"renamed", "login-2", "login-3", "login-4", "login-5"}
    assert set(named["person"]) - expected == {
        p for p in named["person"] if p.startswith("person-")
    }
    assert expected <= set(named["person"])
    assert named.set_index("person").loc["renamed", "active_days"] == 2
    closed = privacy.people_table(activity, users, KEY).to_csv()
    assert not any(login in closed for login in expected)


def test_too_few_people_have_no_table():
    activity = metrics.user_activity(load([user_record(user_id=n) for n in range(4)]).users)
    table = privacy.people_table(activity, TABLES.users, KEY)
    assert table.empty
    assert table.columns[0] == "person"


def test_figures_of_the_period_before_are_hidden_with_its_people():
    """F183: three people before, seven now: the change would tell the three."""
    frame = pd.DataFrame(
        {
            "figure": ["a", "b"],
            "value": [7.0, 9.0],
            "previous": [3.0, 8.0],
            "change": [4.0, 1.0],
            "people": [7, 9],
            "previous_people": [3, 8],
        }
    )
    result = privacy.hide_small_groups(frame, people="people", complementary=False)
    assert result["value"].tolist() == [7.0, 9.0]
    for name, kept in (("previous", 8.0), ("change", 1.0), ("previous_people", 8)):
        assert result[name].isna().tolist() == [True, False]
        assert result[name].iloc[1] == kept


@pytest.mark.parametrize(("left_out", "shown"), [(0, 0), (3, None), (5, 5)])
def test_people_who_are_left_out_of_a_distribution_are_counted_where_they_are_enough(
    left_out, shown
):
    frame = pd.DataFrame({"bin": ["1", "2"], "people": [9, 8], "left_out": left_out})
    result = privacy.hide_small_groups(frame)
    assert [None if pd.isna(count) else count for count in result["left_out"]] == [shown] * 2
    assert result["people"].tolist() == [9, 8]


def is_known(cells: str, equations: list[dict[str, int]], shown: set[str]) -> bool:
    """Whether a figure, or a sum of several, follows from others by adding and subtracting."""
    wanted = cells.split(" + ")
    names = sorted({*wanted, *shown, *(name for equation in equations for name in equation)})
    rows = [[equation.get(name, 0) for name in names] for equation in equations]
    rows += [[int(name == known) for name in names] for known in shown]
    target = [[int(name in wanted) for name in names]]
    rank = np.linalg.matrix_rank
    return rank(np.array(rows + target)) == rank(np.array(rows or [[0] * len(names)]))


def cells(frame: pd.DataFrame, columns: list[str]) -> dict[str, int]:
    """The figures of a frame by column and row, without those that are missing."""
    return {
        f"{name} {place}": int(value)
        for name in columns
        for place, value in enumerate(frame[name])
        if pd.notna(value)
    }


weeks_of_people = st.lists(
    st.lists(st.sampled_from([0, 0, 1, 1, 1]), min_size=4, max_size=4), min_size=1, max_size=24
)


def flow_of(weeks: list[list[int]]) -> pd.DataFrame:
    """What `metrics.people_flow` gives for people who were active in some of four weeks."""
    rows, ever, before = [], set(), set()
    for week in range(4):
        now = {person for person, used in enumerate(weeks) if used[week]}
        parts = (now - ever, now & before, (now & ever) - before, before - now)
        rows.append([len(now), *map(len, parts)])
        ever, before = ever | now, now
    columns = ["active_users", "new", "retained", "returning", "lost"]
    return pd.DataFrame(rows, columns=columns).astype("Int64")


@settings(max_examples=40)
@given(weeks_of_people)
def test_nobody_who_came_or_left_follows_from_the_weeks_around(weeks):
    """F184: those who left are the people of the week before less those who stayed."""
    flow = flow_of(weeks)
    parts = ["new", "returning", "retained", "lost"]
    shown = privacy.merge_small_flows(flow)
    whole = shown["counted_together"] == "new + returning + retained"
    pair = shown["counted_together"] == "new + returning"
    known = cells(shown.assign(retained=shown["retained"].mask(whole)), ["active_users", *parts])
    assert all(count == 0 or count >= 5 for count in known.values())
    merged = {f"returning {place}" for place in np.flatnonzero(pair)}
    total = {"new": 1, "returning": 1, "retained": 1, "active_users": -1}
    equations = [
        {f"{name} {place}": sign for name, sign in total.items()} for place in range(len(flow))
    ]
    for place in range(1, len(flow)):
        before = f"active_users {place - 1}"
        equations.append({f"retained {place}": 1, f"lost {place}": 1, before: -1})
    true = cells(flow, parts)
    for place in range(len(flow)):
        came = f"new {place}", f"returning {place}"
        true[" + ".join(came)] = sum(true[name] for name in came)
    for name, count in true.items():
        if 0 < count < 5:
            assert not is_known(name, equations, set(known) - merged), (name, flow, shown)


def test_a_flow_that_hides_nothing_stays_as_it_is():
    flow = flow_of([[1, 1, 0, 1]] * 6 + [[0, 1, 1, 1]] * 7 + [[1, 1, 1, 1]] * 8)
    shown = privacy.merge_small_flows(flow)
    assert flow.iloc[3].tolist() == [21, 0, 15, 6, 0]
    pd.testing.assert_frame_equal(shown[flow.columns], flow)
    assert not shown["is_hidden"].any()
    with pytest.raises(UsageError, match="no column lost"):
        privacy.merge_small_flows(flow.drop(columns="lost"))


teams_of_people = st.lists(
    st.tuples(st.sets(st.integers(0, 3), max_size=2), st.booleans(), st.integers(1, 9)),
    max_size=40,
)


def teams_of(people: list[tuple], is_divided: bool) -> pd.DataFrame:
    """What `metrics.team_activity` gives for one day: a person's teams, activity and prompts."""
    rows = []
    for team in sorted(set().union(*(teams for teams, _, _ in people))):
        members = [person for person in people if team in person[0]]
        active = [person for person in members if person[1]]
        prompts = [count / (len(teams) if is_divided else 1) for teams, _, count in active]
        row = {"slug": f"t{team}", "active_users": len(active), "members": len(members)}
        if is_divided:
            row["people_in_several_teams"] = sum(len(teams) > 1 for teams, _, _ in members)
        rows.append(row | {"share": len(active) / len(members), PROMPTS: sum(prompts)})
    columns = ["slug", "active_users", "members", "share", PROMPTS]
    return pd.DataFrame(rows, columns=None if rows else [*columns, "people_in_several_teams"])


@settings(max_examples=15)
@given(teams_of_people)
def test_no_small_group_of_a_team_can_be_worked_out(people):
    """F183 to F185: neither who was active, nor who was not, nor who is in several teams."""
    full, parts = (teams_of(people, is_divided) for is_divided in (False, True))
    shown, divided = privacy.hide_small_teams(full), privacy.hide_small_teams(parts)
    known = full[shown["active_users"].notna()]
    for counts in (known["active_users"], known["members"] - known["active_users"]):
        assert all(count == 0 or count >= 5 for count in counts)
    assert shown["members"].dropna().ge(5).all()
    limited = shown["at_least"].notna()
    assert (shown["at_least"] <= full["share"] + 1e-12)[limited].all()
    assert (shown["at_most"] >= full["share"] - 1e-12)[limited].all()
    equation = [{f"{PROMPTS} {place}": 1 for place in range(len(full))}]  # their sum is published
    shown_counts = set(cells(shown, [PROMPTS]))
    for place in np.flatnonzero(full["active_users"].between(1, 4)):
        name = f"{PROMPTS} {place}"
        # If all teams are hidden, their sum is that of all small groups together.
        assert name not in shown_counts
        if len(full) > 1:
            assert not is_known(name, equation, shown_counts)
    both = shown[PROMPTS].notna() & divided[PROMPTS].notna()
    assert not parts.loc[both, "people_in_several_teams"].between(1, 4).any()


def test_what_a_single_person_of_a_team_did_with_one_client_is_not_shown():
    """Twelve people of a team are active, and one of them uses the CLI."""
    frame = pd.DataFrame({"slug": ["web"], "members": 30, "active_users": 12, "loc_added_sum": 90})
    shown = privacy.hide_small_teams(frame.assign(cli_session_count=7, app_request_count=2))
    assert shown[["cli_session_count", "app_request_count"]].isna().all(axis=None)
    assert shown["loc_added_sum"].tolist() == [90]


def test_two_people_in_two_teams_do_not_follow_from_both_attributions():
    """F184: full less fractional is half of what the two did."""
    two = ({0, 1}, True, 6)
    people = [two, two]
    people += [({team}, place % 2 == 0, 4) for team in range(3) for place in range(12)]
    full, parts = (teams_of(people, is_divided) for is_divided in (False, True))
    assert parts["people_in_several_teams"].tolist() == [2, 2, 0]
    assert privacy.hide_small_teams(full)[PROMPTS].tolist() == full[PROMPTS].tolist()
    shown = privacy.hide_small_teams(parts)
    assert shown[PROMPTS].isna().tolist() == [True, True, False]
    assert shown["people_in_several_teams"].isna().tolist() == [True, True, False]
    assert shown["active_users"].notna().all()


counts_of_lines = st.tuples(*[st.integers(0, 7)] * 3)


@given(counts_of_lines)
@settings(max_examples=60)
def test_no_line_between_teams_and_everybody_can_be_worked_out(people):
    """F184: the sum of the teams and everybody tell what lies between, if it is one thing."""
    names = ["sum_of_teams", *privacy.teams.BETWEEN, "in_teams", "everybody"]
    counts = [50, *people, 40, 60]
    frame = pd.DataFrame({"line": names, "people": counts, "active_users": counts})
    frame[PROMPTS] = range(10, 70, 10)
    shown = privacy.hide_small_lines(frame).set_index("line")[PROMPTS].dropna()
    equations = [
        {"sum_of_teams": 1, "counted_again": 1, "in_teams": -1},
        {"in_teams": 1, "without_team": 1, "without_report": 1, "everybody": -1},
        # What nobody is behind is known to be nothing.
        *({name: 1} for name, count in zip(names, counts, strict=True) if count == 0),
    ]
    for name, count in zip(names, counts, strict=True):
        if 0 < count < 5:
            assert not is_known(name, equations, set(shown.index)), (name, people)
    if not any(0 < count < 5 for count in people):
        assert len(shown) == len(frame)


def test_ranges_tell_no_more_than_that_a_number_is_small():
    teams = pd.DataFrame({"members": [30, 30, 8, 40, 6], "active_users": [28, 3, 4, 0, 6]})
    result = privacy.limit_shares(teams, complementary=False)
    assert result["is_hidden"].tolist() == [True, True, True, False, False]
    assert result["at_least"].tolist()[:2] == [26 / 30, 1 / 30]
    assert result["at_most"].tolist()[:2] == [29 / 30, 4 / 30]
    # 4 of 8: two ranges at once would leave a single number.
    assert result[["at_least", "at_most"]].iloc[2].isna().all()
    assert result["at_least"].tolist()[3:] == [0.0, 1.0]


def test_a_single_range_is_covered_by_another_row():
    teams = pd.DataFrame({"members": [30, 40, 50], "active_users": [28, 30, 20]})
    assert privacy.limit_shares(teams)["active_users"].isna().tolist() == [True, True, False]
    open_rest = privacy.limit_shares(teams, complementary=False)
    assert open_rest["active_users"].isna().tolist() == [True, False, False]


@pytest.mark.parametrize(
    "hide", [privacy.hide_small_teams, privacy.hide_small_lines, privacy.limit_shares]
)
def test_frames_of_something_else_are_refused(hide):
    with pytest.raises(UsageError, match="no column"):
        hide(pd.DataFrame({"slug": ["web"]}))


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=8))
def test_shares_of_people_tell_neither_of_few_who_did_nor_of_few_who_did_not(pairs):
    """125 of 129 tells of four: who reads a page must not be able to count fewer than five."""
    frame = pd.DataFrame(pairs, columns=["people", "rest"])
    frame["active_people"] = frame["people"] + frame["rest"]
    frame["share"] = frame["people"] / frame["active_people"].where(frame["active_people"] > 0)
    shown = privacy.hide_small_shares(frame.drop(columns="rest"), 5)
    for row, (part, rest) in zip(shown.itertuples(), pairs, strict=True):
        few = [count for count in (part, rest, part + rest) if 0 < count < 5]
        assert bool(row.is_hidden) == bool(few)
        assert pd.isna(row.people) == pd.isna(row.share) == bool(few) or part + rest == 0
        if few and pd.notna(row.at_least):
            least, most = row.at_least - 1e-9, row.at_most + 1e-9
            whole = range(part + rest + 1)
            possible = [count for count in whole if least <= count / (part + rest) <= most]
            assert part in possible
            assert len(possible) == 4
        elif few:
            assert pd.isna(row.at_most)


def test_shares_need_both_their_columns():
    with pytest.raises(UsageError, match="active_people"):
        privacy.hide_small_shares(pd.DataFrame({"people": [9]}))


def month_of(people: list[int], measured: int) -> pd.DataFrame:
    """A forecast of four whole weeks, in which every day takes as many credits as its number."""
    days = pd.date_range("2027-02-01", periods=28)
    amounts = np.arange(1.0, 29)
    counts = [count if place < measured else 0 for place, count in enumerate(people)]
    is_measured = np.arange(28) < measured
    return pd.DataFrame(
        {
            "day": days,
            "credits": np.where(is_measured, amounts, np.nan),
            "expected": np.where(is_measured, np.nan, amounts),
            "cumulative": amounts.cumsum(),
            "is_measured": is_measured,
            "people": pd.array(counts, dtype="Int64"),
            "all_people": 40,
        }
    )


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([0, 1, 4, 5, 9]), min_size=28, max_size=28),
    st.integers(1, 28),
)
def test_no_days_of_few_people_follow_from_the_course_of_a_month(people, measured):
    """Also not with the totals of weeks, which stand on the same page; each has a day of enough."""
    shown = privacy.hide_small_days(month_of(people, measured))
    days = [f"day {place}" for place in range(28)]
    known = [{days[place]: 1} for place in np.flatnonzero(shown["credits"].notna())]
    for place in np.flatnonzero(shown["cumulative"].notna()):
        known.append(dict.fromkeys(days[: min(place + 1, measured)], 1))
    for week in range(measured // 7):
        if max(people[week * 7 : week * 7 + 7]) >= 5:
            known.append(dict.fromkeys(days[week * 7 : week * 7 + 7], 1))
    rows = np.array([[part.get(day, 0) for day in days] for part in known] or [[0] * 28])
    rank = np.linalg.matrix_rank(rows)
    weeks = [people[start : min(start + 7, measured)] for start in range(0, measured, 7)]
    for first in range(measured):
        for end in range(first + 1, measured + 1):
            part, around = people[first:end], weeks[first // 7 : (end - 1) // 7 + 1]
            if sum(part) and max(part) < 5 and all(max(week) >= 5 for week in around):
                target = [[int(first <= place < end) for place in range(28)]]
                is_known = np.linalg.matrix_rank(np.vstack([rows, target])) == rank
                assert not is_known, (first, end, people[:measured])
    assert shown["people"].dropna().isin([0, 5, 9]).all()


def test_a_month_of_enough_people_on_every_day_is_shown_as_it_is():
    frame = month_of([9, 8, 0, 5, 9, 9, 0] * 4, 20)
    shown = privacy.hide_small_days(frame)
    pd.testing.assert_frame_equal(shown[frame.columns], frame, check_dtype=False)
    assert not shown["is_hidden"].any()


def test_a_month_of_too_few_people_has_no_totals():
    shown = privacy.hide_small_days(month_of([2] * 28, 20).assign(all_people=4))
    numbers = ["credits", "expected", "cumulative", "all_people"]
    assert shown[numbers].isna().all(axis=None)
    assert shown["is_hidden"].all()


def test_the_total_that_the_forecast_starts_from_is_shown():
    """It ends on a Sunday of three people: then those of Saturday and Friday are hidden."""
    shown = privacy.hide_small_days(month_of([9, 9, 9, 9, 9, 2, 3] * 4, 14))
    assert np.flatnonzero(shown["cumulative"].isna()).tolist() == [4, 5, 6, 11, 12]
    assert np.flatnonzero(shown["credits"].isna())[:9].tolist() == [4, 5, 6, 7, 11, 12, 13, 14, 15]
    assert shown["expected"].notna().tolist() == [False] * 14 + [True] * 14


def test_groups_without_anybody_reveal_nobody():
    assert privacy.few_between([(), ()]) == [False, False]
    assert privacy.few_between([]) == []
