"""First uses are told from the data's beginning; depth counts each surface once."""

import numpy as np
import pandas as pd
import pytest
from conftest import user_record
from lifecycle_input import RECORDS, RULES, TABLES, every_day
from metrics_input import ENGINES, day, load, to_pandas

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

AGENT_MODE = ["chat_panel_agent_mode"]
DAYS = {"lower_quartile_days": 0.25, "median_days": 0.5, "upper_quartile_days": 0.75}


def uses_agent_mode(record: dict) -> bool:
    features = record.get("totals_by_feature", [])
    counts = [
        sum(value for value in feature.values() if isinstance(value, int))
        for feature in features
        if feature["feature"] in AGENT_MODE
    ]
    return any(counts) or bool(record.get("used_agent"))


def waits(lead_days: int) -> dict[bool, list]:
    """Days from each person's first record to the first use of agent mode, None without any."""
    first = every_day(RECORDS)[0]
    result = {True: [], False: []}
    for user in {r["user_id"] for r in RECORDS}:
        own = sorted((r for r in RECORDS if r["user_id"] == user), key=lambda r: r["day"])
        seen = day(own[0]["day"])
        used = [day(r["day"]) for r in own if uses_agent_mode(r)]
        wait = (used[0] - seen).days if used else None
        result[(seen - first).days < lead_days].append(wait)
    return result


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lead_days", [2, 40])
def test_first_use_equals_following_every_person(engine, lead_days):
    users, by_feature = (ENGINES[engine](TABLES[n]) for n in ("users", "users_by_feature"))
    result = to_pandas(metrics.first_use(users, by_feature, lead_days=lead_days))
    found = result[result["surface"] == "agent_mode"].set_index("is_left_censored")
    for is_left_censored, days in waits(lead_days).items():
        assert (is_left_censored in found.index) == bool(days)
        if not days:
            continue
        row, known = found.loc[is_left_censored], [one for one in days if one is not None]
        assert (row["people"], row["seen_people"]) == (len(known), len(days))
        assert row["share"] == len(known) / len(days)
        for name, part in DAYS.items():
            expected = np.quantile(known, part, method="inverted_cdf") if known else pd.NA
            assert row[name] is expected or row[name] == expected


def test_use_before_github_reported_a_surface_makes_the_first_use_uncertain():
    """Somebody seen before the surface was measured may have used it before."""
    tables = load(
        [
            user_record("2026-11-02", 1, used_cli=None),
            user_record("2026-11-03", 2, used_cli=None),
            user_record("2026-11-04", 2, used_cli=True),
            user_record("2026-11-04", 3, used_cli=False),
            user_record("2026-11-06", 3, used_cli=True),
        ]
    )
    result = metrics.first_use(tables.users, tables.users_by_feature, lead_days=1)
    cli = result[result["surface"] == "cli"]
    assert cli["is_left_censored"].tolist() == [False, True]
    assert cli["seen_people"].tolist() == [1, 2]
    assert cli["median_days"].tolist() == [2, 1]
    assert set(cli["measured_from"]) == {pd.Timestamp("2026-11-04")}
    assert cli["first_day"].tolist() == [pd.Timestamp("2026-11-06"), pd.Timestamp("2026-11-04")]


def test_a_surface_that_was_never_reported_has_no_row_and_nobody_is_no_wait():
    tables = load([user_record("2026-11-02", 1, used_cli=False)])
    result = metrics.first_use(tables.users, tables.users_by_feature).set_index("surface")
    assert "app" not in result.index
    assert result.loc["cli", "people"] == 0
    assert pd.isna(result.loc["cli", "median_days"])
    assert result.loc["cli", "share"] == 0


def test_those_who_used_a_surface_are_as_many_as_elsewhere():
    first = metrics.first_use(TABLES.users, TABLES.users_by_feature, lead_days=3)
    people = first.groupby("surface")["people"].sum()
    everybody = metrics.surfaces(TABLES.users, TABLES.users_by_feature, active="present")
    known = everybody.dropna(subset="people").set_index("surface")["people"]
    assert people.to_dict() == known.to_dict()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("active", RULES)
def test_depth_adds_up_to_the_people_of_all_surfaces(engine, active):
    users, by_feature = (ENGINES[engine](TABLES[n]) for n in ("users", "users_by_feature"))
    depth = to_pandas(metrics.surfaces_per_person(users, by_feature, active=active))
    surfaces = metrics.surfaces(TABLES.users, TABLES.users_by_feature, active=active)
    assert depth["user_id"].tolist() == sorted({r["user_id"] for r in RECORDS if RULES[active](r)})
    assert depth["surfaces"].sum() == surfaces["people"].sum()
    assert (depth["surface_groups"] <= depth["surfaces"]).all()


def test_depth_counts_a_surface_once_and_chat_modes_as_one_group():
    chat = [
        {"feature": name, "user_initiated_interaction_count": 2}
        for name in ("chat_panel_ask_mode", "chat_panel_plan_mode", "chat_panel_agent_mode")
    ]
    quiet = user_record("2026-11-03", 2, used_chat=False, totals_by_feature=[])
    tables = load(
        [
            user_record("2026-11-02", 1, used_agent=True, totals_by_feature=chat),
            user_record("2026-11-03", 1, used_agent=True, totals_by_feature=chat),
            quiet,
        ]
    )
    depth = metrics.surfaces_per_person(tables.users, tables.users_by_feature, active="present")
    assert depth[["user_id", "surfaces", "surface_groups"]].to_numpy().tolist() == [
        [1, 3, 2],
        [2, 0, 0],
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_gives_empty_frames_with_all_columns(engine):
    nobody = [ENGINES[engine](TABLES[n].head(0)) for n in ("users", "users_by_feature")]
    for metric, column in (
        (metrics.first_use, "median_days"),
        (metrics.surfaces_per_person, "surfaces"),
    ):
        result = metric(*nobody)
        assert to_pandas(result).empty
        assert column in result.columns


def test_a_wrong_lead_is_refused():
    with pytest.raises(UsageError, match="lead_days 0 is not"):
        metrics.first_use(TABLES.users, TABLES.users_by_feature, lead_days=0)
