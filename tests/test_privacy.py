"""Nobody is recognised without the key, and small groups cannot be worked out."""

import hashlib
import hmac
import os
import stat
import threading

import duckdb
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


def test_groups_that_are_large_enough_or_empty_stay():
    assert hidden([5, 6]) == [False, False]
    assert hidden([0, 8, 20]) == [False, False, False]
    assert hidden([0, 3, 8, 20]) == [False, True, True, False]
    assert hidden([4, 6], minimum=4) == [False, False]
    assert hidden([]) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=7))
def test_no_small_group_can_be_worked_out_from_the_rest(people):
    marks = hidden(people)
    covered = [size for size, is_hidden in zip(people, marks, strict=True) if is_hidden]
    assert all(size >= 5 or size == 0 for size in people if size not in covered)
    others = [s for s, m in zip(people, marks, strict=True) if not m and s > 0]
    if covered and others:
        assert len(covered) >= 2
        assert sum(covered) >= 5
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
@settings(max_examples=60, deadline=None)
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
