"""Input for the tests of pull requests, credits and tokens: records of an invented organization."""

import random
from datetime import date, timedelta

from conftest import user_record

FIRST = "2026-09-07"
COUNTS = ("created", "reviewed", "merged", "suggestions", "applied_suggestions")
COPILOT_COUNTS = (
    "created_by_copilot",
    "reviewed_by_copilot",
    "merged_created_by_copilot",
    "merged_reviewed_by_copilot",
    "copilot_suggestions",
    "copilot_applied_suggestions",
)
MEDIANS = {
    "median_minutes_to_merge": "total_merged",
    "median_minutes_to_merge_copilot_authored": "total_merged_created_by_copilot",
    "median_minutes_to_merge_copilot_reviewed": "total_merged_reviewed_by_copilot",
}
STEPS = ("ready_to_first_review", "first_to_final_review", "final_review_to_merge")
LATE_FIELD = "total_merged_reviewed_by_copilot"
TYPES = ("security", "bug_risk", "a_type_of_tomorrow")


def days(count: int, first: str = FIRST) -> list[str]:
    start = date.fromisoformat(first)
    return [(start + timedelta(days=number)).isoformat() for number in range(count)]


def pull_requests(chance: random.Random, day: str) -> dict:
    """The object of a day; one field begins later, and there is no median without a merge."""
    found = {f"total_{name}": chance.randint(0, 12) for name in COUNTS}
    found |= {f"total_{name}": chance.randint(0, 4) for name in COPILOT_COUNTS}
    found["total_copilot_applied_suggestions"] = chance.randint(0, 2)
    if day < "2026-09-15":
        del found[LATE_FIELD]
    for median, behind in MEDIANS.items():
        if found.get(behind):
            found[median] = round(chance.uniform(5, 3000), 2)
    found["copilot_suggestions_by_comment_type"] = [
        {
            "comment_type": name,
            "total_copilot_suggestions": chance.randint(0, 5),
            "total_copilot_applied_suggestions": chance.randint(0, 3),
        }
        for name in chance.sample(TYPES, chance.randint(0, 3))
    ]
    return found


def phases(chance: random.Random, day: str) -> list[dict]:
    """Phases of a day; sums of pull requests and the people of 28 days begin later."""
    result = []
    for number in range(4):
        engaged, merged = chance.randint(1, 9), chance.randint(0, 6)
        entry = {
            "phase_number": number,
            "phase": "No Cohort" if number == 0 else f"Phase {number}",
            "version": "v1",
            "total_engaged_users": engaged,
            "avg_pull_requests_merged": merged / engaged,
        }
        if day >= "2026-09-12":
            entry["total_pull_requests_merged"] = merged
        if day >= "2026-09-17":
            entry["users_in_phase_28d"] = engaged + chance.randint(0, 9)
        result.append(entry)
    return result


def entity_records(count=40, seed=11) -> list[dict]:
    """Days of the organization: one without pull requests, one with half a share, one not there."""
    chance = random.Random(seed)
    records = []
    for number, day in enumerate(days(count)):
        record = {
            "day": day,
            "organization_id": "7",
            "enterprise_id": "3",
            "daily_active_users": 9,
            "pull_requests": pull_requests(chance, day),
            "totals_by_ai_adoption_phase": phases(chance, day),
        }
        if number == 5:
            del record["pull_requests"]
        if number == 7:
            del record["pull_requests"]["total_created"]
        if number != 9:
            records.append(record)
    return records


def repo_records(count=40, seed=12) -> list[dict]:
    """Days of four repositories, one of which changes its name."""
    chance = random.Random(seed)
    records = []
    for number, day in enumerate(days(count)):
        for repo in range(1, 5):
            if chance.random() < 0.3:
                continue
            reviews = {
                "authored_by": "human",
                "reviewed_by": "human",
                "total_merged": chance.randint(1, 8),
            }
            for step in STEPS:
                reviews[f"median_minutes_{step}"] = round(chance.uniform(0, 500), 2)
                reviews[f"p90_minutes_{step}"] = round(chance.uniform(500, 900), 2)
            records.append(
                {
                    "day": day,
                    "organization_id": "7",
                    "enterprise_id": "3",
                    "repo_id": repo,
                    "repo_owner_name": "octo-org",
                    "repo_name": "new-name" if repo == 2 and number > 20 else f"repo-{repo}",
                    "repo_visibility": "PRIVATE" if repo < 3 else "PUBLIC",
                    "pull_requests": pull_requests(chance, day),
                    "pull_request_review_times": [reviews] if chance.random() < 0.7 else [],
                }
            )
    return records


def spender_records(people=8, count=60, seed=13, first=FIRST) -> list[dict]:
    """People with credits, or a 0, or nothing said; rows with credits alone; CLI and app."""
    chance = random.Random(seed)
    records = []
    for number, day in enumerate(days(count, first)):
        for person in range(1, people + 1):
            is_weekend = date.fromisoformat(day).weekday() >= 5
            if number == 17 or chance.random() < (0.85 if is_weekend else 0.25):
                continue
            records.append(_spender(chance, day, person))
    return records


def _spender(chance: random.Random, day: str, person: int) -> dict:
    record = user_record(day, person, user_initiated_interaction_count=chance.randint(0, 3))
    said = chance.random()
    if said < 0.7:
        record["ai_credits_used"] = round(chance.uniform(1, 90), 2)
    elif said < 0.8:
        record["ai_credits_used"] = 0
    if chance.random() < 0.1:
        record["user_initiated_interaction_count"] = 0
        record["ai_credits_used"] = 2.5
        for key in ("used_chat", "totals_by_feature"):
            del record[key]
        return record
    for name, likely in (("totals_by_cli", 0.5), ("totals_by_copilot_app", 0.2)):
        if chance.random() < likely:
            prompts = chance.randint(0, 5)
            record[name] = {
                "session_count": 1,
                "request_count": prompts * 7,
                "prompt_count": prompts,
                "token_usage": {
                    "output_tokens_sum": prompts * chance.randint(10, 900),
                    "prompt_tokens_sum": prompts * chance.randint(10**6, 10**9),
                },
            }
    if "totals_by_cli" in record:
        version = chance.choice(("1.0.57", "1.0.64"))
        record["totals_by_cli"]["last_known_cli_version"] = {"cli_version": version}
    return record
