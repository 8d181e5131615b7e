"""Phases recomputed by the published rules, equal to reading each person's records by hand."""

import random
from collections import Counter, defaultdict
from datetime import timedelta

import pandas as pd
import pytest
from conftest import user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_input import ENGINES, day, load, to_pandas

import copilot_analytics as ca
from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

FIRST = day("2026-09-01")
FLAGS = {
    "used_cli": "cli",
    "used_copilot_cloud_agent": "cloud",
    "used_copilot_code_review_active": "review",
    "used_copilot_code_review_passive": "review",
    "used_copilot_app": "app",
}
FEATURES = {
    "code_completion": "completion",
    "agent_edit": "edit",
    "copilot_cli": "cli",
    "copilot_app": "app",
    "chat_panel_agent_mode": "chat",
}


def history(people=12, days=70, seed=11) -> list[dict]:
    """Records of people who use few surfaces on few days, so that every phase occurs."""
    chance = random.Random(seed)
    records = []
    for person in range(1, people + 1):
        likes = chance.sample([*FLAGS, *FEATURES], 3)
        often = chance.choice((0.04, 0.15, 0.5))
        for number in range(days):
            if chance.random() < 0.4:
                continue
            used = [name for name in likes if chance.random() < often]
            today = str((FIRST + timedelta(number)).date())
            records.append(record(today, person, used, reported=chance.randint(0, 3)))
    return records


def record(today: str, person: int, used, reported: int = 0) -> dict:
    """A record with use of some flags and features; others are there and say no use."""
    flags = {name: name in used for name in FLAGS}
    parts = [
        {"feature": name, "code_generation_activity_count": int(name in used)} for name in FEATURES
    ]
    phase = {"phase_number": reported, "phase": f"phase {reported}", "version": "v1"}
    return user_record(today, person, totals_by_feature=parts, ai_adoption_phase=phase, **flags)


def naive_phase(records: list[dict], person: int, last) -> int:
    """The rules as GitHub words them, walked record by record."""
    days = defaultdict(set)
    for one in records:
        age = (last - day(one["day"])).days
        if one["user_id"] != person or not 0 <= age < 28:
            continue
        signs = {surface for flag, surface in FLAGS.items() if one[flag]}
        for part in one["totals_by_feature"]:
            if part["code_generation_activity_count"] > 0:
                signs.add(FEATURES[part["feature"]])
        for surface in signs:
            days[surface].add(one["day"])
    counts = {surface for surface, own in days.items() if len(own) >= 2}
    agents = counts & {"cli", "cloud", "review"}
    if "app" in counts or len(agents) > 1:
        return 3
    return 2 if agents else int(bool(counts & {"completion", "edit"}))


RECORDS = history()
TABLES = load(RECORDS)
NAIVE = {
    (r["user_id"], day(r["day"])): naive_phase(RECORDS, r["user_id"], day(r["day"]))
    for r in RECORDS
}


def frames(engine: str, tables=TABLES) -> list:
    return [ENGINES[engine](tables[name]) for name in ("users", "users_by_feature")]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_recomputed_phase_is_that_of_the_rules_on_every_day(engine):
    result = to_pandas(metrics.recomputed_phases(*frames(engine)))
    keys = zip(result["user_id"], result["day"].dt.to_pydatetime(), strict=True)
    assert dict(zip(keys, result["phase_number"], strict=True)) == NAIVE
    assert set(NAIVE.values()) == {0, 1, 2, 3}
    assert (result["is_complete_window"] == (result["day"] >= FIRST + timedelta(27))).all()
    names = {0: "No Cohort", 1: "Phase 1", 2: "Phase 2", 3: "Phase 3"}
    assert (result["phase"] == result["phase_number"].map(names)).all()


@pytest.mark.parametrize(
    ("used", "phase"),
    [
        (["code_completion"], 1),
        (["agent_edit"], 1),
        (["chat_panel_agent_mode"], 0),
        (["used_cli"], 2),
        (["copilot_cli"], 2),
        (["used_copilot_code_review_passive"], 2),
        (["used_copilot_code_review_passive", "used_copilot_code_review_active"], 2),
        (["used_cli", "used_copilot_cloud_agent"], 3),
        (["used_copilot_app"], 3),
    ],
)
def test_two_days_with_a_surface_make_its_phase_and_one_day_makes_none(used, phase):
    records = [record("2026-09-01", 1, used), record("2026-09-28", 1, used)]
    tables = load([*records, record("2026-09-29", 1, [])])
    result = metrics.recomputed_phases(tables.users, tables.users_by_feature)
    assert result["phase_number"].tolist() == [0, phase, 0]


def test_active_and_passive_review_on_a_day_each_are_two_days_of_one_surface():
    flags = ["used_copilot_code_review_passive", "used_copilot_code_review_active"]
    tables = load([record(f"2026-09-0{n}", 1, [flag]) for n, flag in enumerate(flags, start=1)])
    result = metrics.recomputed_phases(tables.users, tables.users_by_feature)
    assert result["phase"].tolist() == ["No Cohort", "Phase 2"]


@given(st.sets(st.integers(0, 80), min_size=1))
@settings(max_examples=12)
def test_a_phase_lasts_while_two_days_of_any_pattern_lie_in_28(days):
    users = pd.DataFrame({"day": pd.date_range(FIRST, periods=90, unit="us"), "user_id": 1})
    users["used_cli"] = [number in days for number in range(90)]
    result = metrics.recomputed_phases(users, TABLES.users_by_feature.head(0))
    inside = [len(days & set(range(n - 27, n + 1))) for n in range(90)]
    assert result["phase_number"].tolist() == [2 * (count >= 2) for count in inside]


def test_recomputed_phases_take_the_place_of_reported_ones():
    recomputed = metrics.recomputed_phases(*frames("pandas"))
    last = {person: phase for (person, _), phase in sorted(NAIVE.items())}
    result = metrics.latest_phases(recomputed)
    assert dict(zip(result["phase_number"], result["people"], strict=True)) == Counter(
        last.values()
    )
    assert len(metrics.adoption_phases(recomputed, window=28))
    assert len(metrics.phase_transitions(recomputed))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("by", [None, "day"])
def test_every_pair_of_phases_is_counted(engine, by):
    result = to_pandas(metrics.compare_phases(*frames(engine), by=by))
    expected, totals = Counter(), Counter()
    last = {
        r["user_id"]: max(o["day"] for o in RECORDS if o["user_id"] == r["user_id"])
        for r in RECORDS
    }
    for one in RECORDS:
        if by is None and one["day"] != last[one["user_id"]]:
            continue
        when = day(one["day"])
        group = (when if by else None, when >= FIRST + timedelta(27))
        pair = (one["ai_adoption_phase"]["phase_number"], NAIVE[one["user_id"], when])
        expected[(*group, *pair)] += 1
        totals[group] += 1
    columns = ["is_complete_window", "phase_number", "recomputed_phase_number"]
    days = result["day"].dt.to_pydatetime() if by else [None] * len(result)
    keys = list(zip(days, *(result[name] for name in columns), strict=True))
    assert dict(zip(keys, result["people"], strict=True)) == expected
    assert [totals[key[:2]] for key in keys] == result["all_people"].tolist()
    assert (result["agrees"] == (result["phase_number"] == result["recomputed_phase_number"])).all()
    agreeing = result["people"].where(result["agrees"], 0)
    groups = [result["is_complete_window"], *([result["day"]] if by else [])]
    assert (agreeing.groupby(groups).transform("sum") == result["agreeing_people"]).all()
    assert result["share"].to_numpy() == pytest.approx(
        (result["people"] / result["all_people"]).to_numpy(float)
    )


def test_the_sample_company_has_the_phases_of_its_own_truth():
    """Its phases come from the drawn arrays, the recomputed ones from the records."""
    tables = ca.sample(people=40, days=40)
    result = metrics.compare_phases(tables.users, tables.users_by_feature, by="day")
    assert set(result["phase_number"]) == {0, 1, 2, 3}
    assert result["agrees"].all()
    silent = tables.users.assign(used_cli=pd.array([None] * len(tables.users), "boolean"))
    counts = silent.filter(like="cli_").columns.drop("cli_version")
    other = metrics.compare_phases(
        silent.drop(columns=counts),
        tables.users_by_feature[tables.users_by_feature["feature"] != "copilot_cli"],
    )
    assert not other["agrees"].all()


def test_other_rules_and_records_without_a_phase_are_not_compared():
    later = record("2026-09-02", 1, [])
    later["ai_adoption_phase"]["version"] = "v2"
    bare = record("2026-09-01", 2, [])
    del bare["ai_adoption_phase"]
    tables = load([record("2026-09-01", 1, []), later, bare])
    result = metrics.compare_phases(tables.users, tables.users_by_feature)
    assert result[["people", "all_people", "agrees"]].to_numpy().tolist() == [[1, 1, True]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_phase_without_a_version_is_compared(engine):
    one = record("2026-09-01", 1, [])
    del one["ai_adoption_phase"]["version"]
    tables = load([one, record("2026-09-01", 2, [])])
    result = to_pandas(metrics.compare_phases(*frames(engine, tables)))
    assert result["people"].tolist() == [2]


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_has_no_phase(engine):
    users, by_feature = (
        ENGINES[engine](TABLES[name].head(0)) for name in ("users", "users_by_feature")
    )
    assert to_pandas(metrics.recomputed_phases(users, by_feature)).empty
    assert to_pandas(metrics.compare_phases(users, by_feature)).empty


def test_a_comparison_by_something_else_is_refused():
    with pytest.raises(UsageError, match="cannot be compared by 'week'"):
        metrics.compare_phases(*frames("pandas"), by="week")


def test_people_of_two_organizations_are_refused():
    """F120."""
    other = load([user_record(organization_id="8")])
    with pytest.raises(UsageError, match="more than one organization"):
        metrics.recomputed_phases(TABLES.users, other.users_by_feature)
