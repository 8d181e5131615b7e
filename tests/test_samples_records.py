"""What reconciles in real reports reconciles in the sample."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

import pytest
from sample_company import (
    ENTERPRISE,
    IN_28_DAY_REPORTS,
    INTERACTIONS,
    LABS,
    ONE,
    ORG,
    SETTLED_DAY,
    default_company,
    entity,
    is_active,
    small_company,
    sums,
    users,
)

from copilot_analytics.samples import Company
from copilot_analytics.samples.vocabulary import COUNTERS


@pytest.fixture(scope="module")
def company():
    return small_company()


@pytest.fixture(scope="module")
def long_company():
    """From before the first report to the last day that is known."""
    return Company(people=150, days=410)


@pytest.mark.parametrize(
    "day", [date(2026, 2, 4), date(2026, 3, 18), date(2026, 5, 6), date(2026, 9, 22), SETTLED_DAY]
)
@pytest.mark.parametrize("as_of_after", [2, 4, None])
def test_breakdowns_of_people_add_up(long_company, day, as_of_after):
    as_of = day + as_of_after * ONE if as_of_after else None
    checked = 0
    for record in users(long_company, ENTERPRISE, day, as_of):
        if "totals_by_feature" in record:
            _check_breakdowns(record)
            checked += 1
    assert checked > 40


@pytest.mark.parametrize("scope", [ORG, LABS, ENTERPRISE])
def test_breakdowns_of_entities_add_up(company, scope):
    for day in company.days()[-8:]:
        _check_breakdowns(entity(company, scope, day))


def _check_breakdowns(record):
    top = {name: record[name] for name in COUNTERS}
    features = {row["feature"]: row for row in record["totals_by_feature"]}
    no_code = Counter(dict.fromkeys(COUNTERS, 0))
    completion = features.get("code_completion", no_code)
    outside = [features.get(name, no_code) for name in ("copilot_cli", "copilot_app")]
    assert sums(record["totals_by_feature"]) == top
    without_prompts = COUNTERS[1:]
    assert sums(record["totals_by_language_feature"], without_prompts) == {
        name: top[name] for name in without_prompts
    }
    assert sums(record["totals_by_ide"]) == {
        name: top[name] - sum(row[name] for row in outside) for name in COUNTERS
    }
    in_chat = {name: top[name] - completion[name] for name in COUNTERS}
    assert sums(record["totals_by_model_feature"]) == in_chat
    assert sums(record["totals_by_language_model"], without_prompts) == {
        name: in_chat[name] for name in without_prompts
    }
    assert completion[INTERACTIONS] == 0
    if "agent_edit" in features:
        edit = features["agent_edit"]
        assert edit["code_generation_activity_count"] > 0 < edit["loc_added_sum"]
        for name in COUNTERS:
            if name.startswith(("user_", "code_acceptance", "loc_suggested")):
                assert edit[name] == 0
    for name, row in features.items():
        assert record.get(name, row[INTERACTIONS]) == row[INTERACTIONS]  # chat_panel_…_mode
    for name in ("ide", "feature"):
        rows = record[f"totals_by_{name}"]
        assert len({row[name] for row in rows}) == len(rows)


def test_acceptances_exceed_generations_in_rare_chat_slices_and_never_at_the_top(company):
    slices = exceeding = 0
    for day in company.days():
        for record in users(company, ENTERPRISE, day):
            generated = record["code_generation_activity_count"]
            assert record["code_acceptance_activity_count"] <= generated
            for row in record.get("totals_by_feature", []):
                accepted = row["code_acceptance_activity_count"]
                generated = row["code_generation_activity_count"]
                slices += 1
                exceeding += accepted > generated
                assert accepted < generated or row["feature"] != "code_completion"
    assert 0 < exceeding < slices / 100


def test_flags_agree_with_activity(company):
    chat = {f"chat_panel_{mode}_mode" for mode in ("ask", "edit", "plan", "custom", "unknown")}
    for day in company.days()[-8:]:
        for record in users(company, ENTERPRISE, day):
            if "used_chat" in record:
                features = {row["feature"] for row in record["totals_by_feature"]}
                assert record["used_chat"] == bool(features & (chat | {"chat_inline"}))
                assert record["used_agent"] == ("chat_panel_agent_mode" in features)
                assert record["used_cli"] == ("copilot_cli" in features)
                assert record["used_cli"] == ("totals_by_cli" in record)
                assert record.get("used_copilot_app", False) == ("copilot_app" in features)
                assert (record["used_vscode_agent"] is True) == ("totals_by_vscode_agent" in record)


def test_cli_totals_are_realistic():
    """Token sums of an entity pass 32 bits; the average is that of the sums."""
    largest = 0
    for day in default_company().days():
        totals = entity(default_company(), ENTERPRISE, day).get("totals_by_cli")
        if totals:
            tokens = totals["token_usage"]
            count = tokens["output_tokens_sum"] + tokens["prompt_tokens_sum"]
            largest = max(largest, count)
            assert tokens["avg_tokens_per_request"] == pytest.approx(
                count / totals["request_count"], abs=0.01
            )
            assert totals["session_count"] <= totals["prompt_count"] <= totals["request_count"]
    assert largest > 2**31


def test_customizations_list_the_five_most_used(company):
    for record in [
        entity(company, ENTERPRISE, SETTLED_DAY),
        *users(company, ENTERPRISE, SETTLED_DAY),
    ]:
        if "totals_by_skill" not in record:
            continue
        for kind in ("skill", "custom_agent", "mcp", "slash_cmd", "plugin"):
            rows = record[f"totals_by_{kind}"]
            counts = [row["interaction_count"] for row in rows]
            assert counts == sorted(counts, reverse=True)
            assert len(rows) == min(5, record[f"distinct_{kind}_use_count"])
        used = {
            kind: sums(record[f"totals_by_{kind}"], ["interaction_count"])
            for kind in ("skill", "plugin")
        }
        if record["distinct_skill_use_count"] <= 5:
            assert used["plugin"]["interaction_count"] <= used["skill"]["interaction_count"]


@pytest.mark.parametrize("scope", [ORG, LABS, ENTERPRISE])
@pytest.mark.parametrize("as_of_after", [2, 3, 4, 5, None])
def test_entity_is_the_sum_of_its_people(company, scope, as_of_after):
    for day in company.days()[-5:]:
        as_of = day + as_of_after * ONE if as_of_after else None
        people = users(company, scope, day, as_of)
        counted = entity(company, scope, day, as_of)
        assert sums(people) == {name: counted[name] for name in COUNTERS}
        assert counted["daily_active_users"] == sum(is_active(record) for record in people)
        assert counted.get("daily_active_cli_users", 0) == sum(
            record.get("used_cli", False) for record in people
        )
        spent = sum(record.get("ai_credits_used", 0) for record in people)
        assert counted.get("ai_credits_used", 0) == pytest.approx(spent)


def test_every_day_of_28_equals_its_1_day_report(company):
    (wrapper,) = company.records("organization-28-day", ORG)
    days = [record["day"] for record in wrapper["day_totals"]]
    assert days != sorted(days)
    assert len(days) == 28
    for record in wrapper["day_totals"]:
        own = {k: v for k, v in record.items() if k not in IN_28_DAY_REPORTS}
        assert own == entity(company, ORG, date.fromisoformat(record["day"]))


def test_weekly_and_monthly_people_are_counted_by_the_calendar(company):
    """Sunday first, and from the first of the month: what real files show."""
    seen = {}
    for day in company.days():
        seen[day] = {
            "active": {r["user_id"] for r in users(company, ORG, day) if is_active(r)},
            "cli": {r["user_id"] for r in users(company, ORG, day) if r.get("used_cli")},
            "chat": {r["user_id"] for r in users(company, ORG, day) if r.get("used_chat")},
        }
    for day in company.days()[-35:]:
        counted = entity(company, ORG, day)
        week = [d for d in seen if day - ((day.weekday() + 1) % 7) * ONE <= d <= day]
        month = [d for d in seen if (d.year, d.month) == (day.year, day.month) and d <= day]
        people = {
            (period, kind): len(set().union(*(seen[d][kind] for d in days)))
            for period, days in (("weekly", week), ("monthly", month))
            for kind in ("active", "cli", "chat")
        }
        assert counted["weekly_active_users"] == people["weekly", "active"]
        assert counted["monthly_active_users"] == people["monthly", "active"]
        assert counted.get("weekly_active_cli_users", 0) == people["weekly", "cli"]
        assert counted.get("monthly_active_cli_users", 0) == people["monthly", "cli"]
        assert counted["monthly_active_chat_users"] == people["monthly", "chat"]


def _naive_phase(records):
    """GitHub's published rules, version 1, on the records of one person in 28 days."""
    days = defaultdict(set)
    for record in records:
        features = {row["feature"] for row in record.get("totals_by_feature", [])}
        signs = {
            "completion": "code_completion" in features,
            "edit": "agent_edit" in features,
            "cli": record.get("used_cli"),
            "cloud": record.get("used_copilot_cloud_agent"),
            "review": record.get("used_copilot_code_review_active")
            or record.get("used_copilot_code_review_passive"),
            "app": record.get("used_copilot_app"),
        }
        for name, sign in signs.items():
            if sign:
                days[name].add(record["day"])
    qualified = {name for name, own in days.items() if len(own) >= 2}
    agents = len(qualified & {"cli", "cloud", "review"})
    if "app" in qualified or agents >= 2:
        return 3
    if agents == 1:
        return 2
    return 1 if qualified & {"completion", "edit"} else 0


def test_phases_follow_from_the_last_28_days(company):
    seen_phases = set()
    for day in (date(2026, 9, 24), date(2026, 10, 21), SETTLED_DAY):
        history = defaultdict(list)
        for earlier in company.days(day - 27 * ONE, day):
            for record in users(company, ORG, earlier):
                history[record["user_id"]].append(record)
        naive = {user: _naive_phase(records) for user, records in history.items()}
        for record in users(company, ORG, day):
            if "ai_adoption_phase" in record:
                number = naive[record["user_id"]]
                name = f"Phase {number}" if number else "No Cohort"
                phase = {"phase_number": number, "phase": name, "version": "v1"}
                assert record["ai_adoption_phase"] == phase
        by_phase = entity(company, ORG, day)["totals_by_ai_adoption_phase"]
        measured = {
            user: naive[user]
            for user, records in history.items()
            if any("totals_by_feature" in record for record in records)
        }
        for element in by_phase:
            number = element["phase_number"]
            assert element["users_in_phase_28d"] == list(measured.values()).count(number)
            engaged = [
                record
                for record in users(company, ORG, day)
                if record.get("ai_adoption_phase", {}).get("phase_number") == number
            ]
            assert element["total_engaged_users"] == len(engaged)
            mean = sum(r["loc_added_sum"] for r in engaged) / max(len(engaged), 1)
            assert element["avg_loc_added"] == pytest.approx(mean, abs=1e-4)
        seen_phases |= {
            element["phase_number"] for element in by_phase if element["total_engaged_users"]
        }
    assert seen_phases == {0, 1, 2, 3}


def test_feature_engagement_counts_people_with_two_days(company):
    (wrapper,) = company.records("organization-28-day", ORG)
    engagement = wrapper["copilot_feature_engagement"]
    days_with = defaultdict(set)
    active = set()
    for record in company.records("users-28-day", ORG):
        if is_active(record):
            active.add(record["user_id"])
        for row in record.get("totals_by_feature", []):
            days_with[row["feature"], record["user_id"]].add(record["day"])
    assert engagement["active_user_count"] == len(active)
    counts = {row["feature"]: row["engaged_user_count"] for row in engagement["totals_by_feature"]}
    assert len(counts) == 7
    for feature in ("code_completion", "agent_edit", "copilot_cli", "copilot_app"):
        repeated = [
            days for (name, _), days in days_with.items() if name == feature and len(days) > 1
        ]
        assert counts[feature] == len(repeated)


def test_enterprise_counts_people_of_both_organizations_once(company):
    """F120: organizations add up to more than the enterprise."""
    per_scope = {
        scope: {record["user_id"] for record in users(company, scope, SETTLED_DAY)}
        for scope in (ORG, LABS, ENTERPRISE)
    }
    assert per_scope[ORG] & per_scope[LABS]
    assert per_scope[ENTERPRISE] == per_scope[ORG] | per_scope[LABS]
    assert len(users(company, ENTERPRISE, SETTLED_DAY)) == len(per_scope[ENTERPRISE])
    assert "organization_id" not in users(company, ENTERPRISE, SETTLED_DAY)[0]
    assert isinstance(users(company, ORG, SETTLED_DAY)[0]["organization_id"], str)
    assert isinstance(users(company, ORG, SETTLED_DAY)[0]["user_id"], int)
