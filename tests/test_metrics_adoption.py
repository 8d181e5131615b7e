"""Shares of people: who is counted, out of whom, with which uncertainty."""

from datetime import timedelta

import pandas as pd
import pytest
from conftest import user_record
from metrics_input import ENGINES, SEVEN, company, day, load, to_pandas
from scipy.stats import binomtest

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import statistics
from copilot_analytics.metrics.surface import SURFACES

RECORDS = company()
TABLES = load(RECORDS)
FLAGS = {
    "agent_mode": ["used_agent"],
    "cli": ["used_cli"],
    "cloud_agent": ["used_copilot_cloud_agent"],
}


def is_active(record) -> bool:
    return record["user_initiated_interaction_count"] > 0


def has_use(part) -> bool:
    return any(part.get(name, 0) > 0 for name in SEVEN)


def active_people(records=RECORDS) -> set:
    return {r["user_id"] for r in records if is_active(r)}


def uses(surface: str, record: dict) -> bool:
    """Whether a record shows use of a surface, from the published rules read by hand."""
    features = {
        "code_completion": "code_completion",
        "chat_ask": "chat_panel_ask_mode",
        "agent_mode": "chat_panel_agent_mode",
        "agent_edit": "agent_edit",
        "cli": "copilot_cli",
    }
    wanted = features.get(surface, surface)
    parts = record.get("totals_by_feature", [])
    by_feature = any(part["feature"] == wanted and has_use(part) for part in parts)
    return by_feature or any(record.get(flag) for flag in FLAGS.get(surface, ()))


@pytest.mark.parametrize("engine", ENGINES)
def test_share_of_people_counts_each_active_person_once(engine):
    users, by_feature = (ENGINES[engine](TABLES[n]) for n in ("users", "users_by_feature"))
    result = to_pandas(metrics.share_of_people(users, by_feature, dimension="feature"))
    expected = {}
    for record in RECORDS:
        for part in record.get("totals_by_feature", []):
            if has_use(part) and record["user_id"] in active_people():
                expected.setdefault(part["feature"], set()).add(record["user_id"])
    counts = {feature: len(people) for feature, people in expected.items()}
    assert dict(zip(result["feature"], result["people"], strict=True)) == counts
    assert set(result["active_people"]) == {len(active_people())}
    assert result["people"].is_monotonic_decreasing
    assert (result["people"] <= result["active_people"]).all()


def test_intervals_are_those_of_wilson():
    pairs = [(part, whole) for whole in (1, 2, 3, 10, 97) for part in range(whole + 1)]
    frame = metrics.adoption.frames.read(pd.DataFrame(pairs, columns=["part", "whole"]))
    rows = statistics.with_share(frame, "part", "whole", "share").to_native()
    assert rows["share"].tolist() == pytest.approx([part / whole for part, whole in pairs])
    expected = [binomtest(*pair).proportion_ci(method="wilson") for pair in pairs]
    assert rows["low"].tolist() == pytest.approx([ends.low for ends in expected], abs=1e-12)
    assert rows["high"].tolist() == pytest.approx([ends.high for ends in expected], abs=1e-12)


def test_a_person_whom_the_definition_leaves_out_is_in_no_share():
    quiet = user_record(user_id=2, user_initiated_interaction_count=0)
    tables = load([user_record(user_id=1), quiet])
    by_prompts, by_any = (
        metrics.share_of_people(
            tables.users, tables.users_by_feature, dimension="feature", active=active
        )
        for active in ("interactions", "engaged")
    )
    assert by_prompts[["people", "active_people"]].to_numpy().tolist() == [[1, 1]]
    assert by_any[["people", "active_people"]].to_numpy().tolist() == [[2, 2]]


def test_a_slice_without_activity_is_not_use():
    quiet = [{"feature": "code_completion", "code_generation_activity_count": 0}]
    tables = load([user_record(totals_by_feature=quiet)])
    result = metrics.share_of_people(tables.users, tables.users_by_feature, dimension="feature")
    assert result.empty


def test_several_dimensions_at_once():
    parts = [
        {"language": "go", "feature": "agent_edit", "loc_added_sum": 2},
        {"language": "go", "feature": "code_completion", "code_generation_activity_count": 1},
    ]
    tables = load([user_record(totals_by_language_feature=parts)])
    result = metrics.share_of_people(
        tables.users, tables.users_by_language_feature, dimension=["language", "feature"]
    )
    assert result[["language", "feature", "people"]].to_numpy().tolist() == [
        ["go", "agent_edit", 1],
        ["go", "code_completion", 1],
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_person_who_used_two_spellings_of_a_language_counts_once(engine):
    spellings = ["ts", "typescript", "a-language-of-tomorrow"]
    parts = [
        {"language": name, "feature": "code_completion", "code_generation_activity_count": 1}
        for name in spellings
    ]
    tables = load([user_record(totals_by_language_feature=parts)])
    users, languages = (
        ENGINES[engine](tables[name]) for name in ("users", "users_by_language_feature")
    )
    one, many = (
        to_pandas(
            metrics.share_of_people(users, languages, dimension="language", canonical=canonical)
        )
        for canonical in (True, False)
    )
    assert one["language"].tolist() == ["a-language-of-tomorrow", "typescript"]
    assert one["people"].tolist() == [1, 1]
    assert many["language"].tolist() == sorted(spellings)


def test_people_of_two_organizations_do_not_share_a_denominator():
    """F120: also where the two frames are of different organizations."""
    other = load([user_record(organization_id="8")])
    with pytest.raises(UsageError, match="more than one organization"):
        metrics.share_of_people(TABLES.users, other.users_by_feature, dimension="feature")


@pytest.mark.parametrize("engine", ENGINES)
def test_surfaces_equal_asking_every_record(engine):
    users, by_feature = (ENGINES[engine](TABLES[n]) for n in ("users", "users_by_feature"))
    result = to_pandas(metrics.surfaces(users, by_feature)).set_index("surface")
    active = active_people()
    for surface in (
        "code_completion",
        "chat_ask",
        "agent_mode",
        "agent_edit",
        "cli",
        "cloud_agent",
        "a_feature_of_tomorrow",
        "chat_plan",
    ):
        people = {r["user_id"] for r in RECORDS if uses(surface, r)} & active
        assert result.loc[surface, "people"] == len(people), surface
    assert result["people"].dropna().is_monotonic_decreasing


def test_a_surface_that_github_did_not_report_is_missing_not_zero():
    result = metrics.surfaces(TABLES.users, TABLES.users_by_feature).set_index("surface")
    unknown = ["app", "agents_window", "code_review", "third_party_agents"]
    assert result.loc[unknown, ["people", "share", "low", "measured_from"]].isna().all(axis=None)
    assert result.loc["chat_plan", "people"] == 0
    cloud = [r["day"] for r in RECORDS if "used_copilot_cloud_agent" in r]
    assert result.loc["cloud_agent", "measured_from"] == day(min(cloud))


def test_passive_review_is_no_surface_and_jobs_of_agents_are():
    agent = {"agent_id": "2246796", "user_initiated_interaction_count": 1}
    record = user_record(used_copilot_code_review_passive=True, totals_by_3rd_party_agent=[agent])
    tables = load([{**record, "used_copilot_code_review_active": False}])
    result = metrics.surfaces(
        tables.users, tables.users_by_feature, by_agent=tables.users_by_agent
    ).set_index("surface")
    assert result.loc["code_review", "people"] == 0
    assert result.loc["third_party_agents", "people"] == 1


def test_every_surface_has_a_rule_that_names_fields_of_the_catalogue():
    rules = metrics.surface_rules()
    assert rules["surface"].is_unique
    assert rules["rule"].str.len().gt(0).all()
    for surface in SURFACES:
        assert set(surface.flags + surface.counts) <= set(TABLES.users.columns), surface.name


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("window", [1, 7])
def test_surface_users_equal_counting_sets_in_every_window(engine, window):
    users, by_feature = (ENGINES[engine](TABLES[n]) for n in ("users", "users_by_feature"))
    result = to_pandas(metrics.surface_users(users, by_feature, window=window))
    for surface in ("agent_mode", "cloud_agent", "code_completion"):
        rows = result[result["surface"] == surface]
        for row in rows.itertuples():
            inside = [r for r in RECORDS if row.day - timedelta(window) < day(r["day"]) <= row.day]
            active = active_people(inside)
            people = {r["user_id"] for r in inside if uses(surface, r)} & active
            assert (row.people, row.active_people) == (len(people), len(active)), row


def test_surface_users_start_where_the_surface_is_first_reported():
    result = metrics.surface_users(TABLES.users, TABLES.users_by_feature, window=7)
    cloud = result[result["surface"] == "cloud_agent"]
    first = min(r["day"] for r in RECORDS if "used_copilot_cloud_agent" in r)
    assert cloud["day"].iloc[0] == day(first)
    assert cloud["is_complete_window"].tolist() == [False] * 6 + [True] * (len(cloud) - 6)
    assert "app" not in set(result["surface"])


def test_a_window_as_long_as_the_frame_ends_with_the_figures_of_surfaces():
    frames = TABLES.users, TABLES.users_by_feature
    trend = metrics.surface_users(*frames, window=100)
    last = trend[trend["day"] == trend["day"].max()].set_index("surface")
    whole = metrics.surfaces(*frames).dropna(subset="people").set_index("surface")
    columns = ["people", "active_people", "share", "low", "high"]
    pd.testing.assert_frame_equal(last[columns].sort_index(), whole[columns].sort_index())
