"""The record of an organization or enterprise on a day, and the wrapper of 28 days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.activity import Activity, per_person
from copilot_analytics.samples.breakdowns import BREAKDOWNS, customizations, elements, sessions
from copilot_analytics.samples.pull_requests import (
    COPILOT,
    PullRequests,
    describe,
    medians_by_person,
)
from copilot_analytics.samples.user_records import phase

# The people whom GitHub counts per period, by the surface they used. Passive reviews stand apart:
# who has also reviewed actively in the period is not counted as passive.
PERIODS = ("daily", "weekly", "monthly")
COUNTED = {
    "active_users": "active",
    "active_copilot_cloud_agent_users": "cloud_agent",
    "active_copilot_code_review_users": "review_active",
}
LEFT_OUT_WHEN_NONE = {
    "active_cli_users": "copilot_cli",
    "active_copilot_app_users": "copilot_app",
    "active_vscode_agent_users": "vscode_agent",
}
ENGAGEMENT = {
    "code_completion": "code_completion",
    "agent_edit": "agent_edit",
    "code_review_passive": "review_passive",
    "code_review_active": "review_active",
    "copilot_cloud_agent": "cloud_agent",
    "copilot_cli": "copilot_cli",
    "copilot_app": "copilot_app",
}


@dataclass(frozen=True)
class Seen:
    """What was seen of the members of an entity on a day, and in the periods up to it.

    `bits`, `week` and `month` are arrays of (n,): what was used on the day, and in the calendar
    week (from Sunday) and month to date, which is how GitHub counts. `recorded` is 0 where a person
    has no record on the day; `recent` says who had a record with telemetry in the last 28 days.
    """

    bits: np.ndarray
    week: np.ndarray
    month: np.ndarray
    recorded: np.ndarray
    recent: np.ndarray
    phases: np.ndarray


def entity_record(
    ids: dict, day: str, seen: Seen, activity: Activity, pull_requests: PullRequests
) -> dict:
    """Return the record of one entity and day; `seen` and the rest are of its members only."""
    rows = np.flatnonzero(seen.bits)
    counters = activity.counts.sum(axis=0).tolist()
    record = {
        "day": day,
        **ids,
        **_people(seen),
        **dict(zip(words.COUNTERS, counters, strict=True)),
        **{name: elements(activity, name, by_person=False)[1] for name in BREAKDOWNS},
        **_tools(seen, activity, rows),
        "totals_by_ai_adoption_phase": _by_phase(seen, activity, pull_requests),
        "pull_requests": describe(pull_requests),
    }
    by_feature = {
        row["feature"]: row["user_initiated_interaction_count"]
        for row in record["totals_by_feature"]
    }
    for name in words.PANEL_MODES:
        if name != "chat_panel_plan_mode":  # known for people only
            record[name] = by_feature.get(name, 0)
    if hundredths := int(activity.credits[rows].sum()):
        record["ai_credits_used"] = hundredths / 100
    return record


def _count(bits: np.ndarray, name: str) -> int:
    return int(np.count_nonzero(bits & words.BIT[name]))


def _people(seen: Seen) -> dict:
    result = {}
    active, passive = words.BIT["review_active"], words.BIT["review_passive"]
    for period, bits in zip(PERIODS, (seen.bits, seen.week, seen.month), strict=True):
        for name, surface in COUNTED.items():
            result[f"{period}_{name}"] = _count(bits, surface)
        only_passive = (bits & (active | passive)) == passive
        result[f"{period}_passive_copilot_code_review_users"] = int(only_passive.sum())
        for name, surface in LEFT_OUT_WHEN_NONE.items():
            if number := _count(bits, surface):
                result[f"{period}_{name}"] = number
        if not result[f"{period}_active_copilot_cloud_agent_users"]:
            result[f"{period}_active_copilot_cloud_agent_users"] = None
    result["monthly_active_chat_users"] = _count(seen.month, "used_chat")
    result["monthly_active_agent_users"] = _count(seen.month, "used_agent")
    return result


def _tools(seen: Seen, activity: Activity, rows: np.ndarray) -> dict:
    result = {}
    if _count(seen.bits, "copilot_cli"):
        result["totals_by_cli"] = sessions(activity.cli[rows].sum(axis=0).tolist())
    if _count(seen.bits, "copilot_app"):
        result["totals_by_copilot_app"] = sessions(activity.app[rows].sum(axis=0).tolist())
    if _count(seen.bits, "vscode_agent"):
        count, messages = activity.window[rows].sum(axis=0).tolist()
        result["totals_by_vscode_agent"] = {"session_count": count, "total_user_messages": messages}
    jobs, job_sessions = activity.jobs[rows].sum(axis=0), activity.job_sessions[rows].sum(axis=0)
    if jobs.any():
        result["totals_by_3rd_party_agent"] = [
            {
                "agent_id": agent,
                "agent_name": name,
                "user_initiated_interaction_count": int(jobs[place]),
                "session_count": int(job_sessions[place]),
            }
            for place, (agent, name) in enumerate(words.AGENTS)
            if jobs[place]
        ]
    sums = {kind: a[rows].sum(axis=0).tolist() for kind, a in activity.customizations.items()}
    return {**result, **customizations(sums)}


def _by_phase(seen: Seen, activity: Activity, pull_requests: PullRequests) -> list[dict]:
    """Return one element per phase; averages are over the people with telemetry that day."""
    engaged = (seen.recorded > 0) & ((seen.recorded & words.BIT["reduced"]) == 0)
    counters = per_person(activity, len(engaged))
    numbers = {
        "user_initiated_interactions": counters[:, words.INTERACTIONS],
        "code_generation_activities": counters[:, words.GENERATIONS],
        "code_acceptance_activities": counters[:, words.ACCEPTANCES],
        "loc_added": counters[:, words.ADDED],
        "loc_deleted": counters[:, words.DELETED],
    }
    for name in ("reviewed", "created", "merged"):
        person = getattr(pull_requests, name).person
        own = np.bincount(person[person != COPILOT], minlength=len(engaged))
        numbers[f"pull_requests_{name}"] = own
    medians = medians_by_person(pull_requests.merged, engaged)
    result = []
    for number in range(4):
        people = engaged & (seen.phases == number)
        size = int(people.sum())
        element = {
            **phase(number),
            "total_engaged_users": size,
            "users_in_phase_28d": int((seen.recent & (seen.phases == number)).sum()),
            "total_pull_requests_merged": int(numbers["pull_requests_merged"][people].sum()),
        }
        for name, values in numbers.items():
            element[f"avg_{name}"] = round(float(values[people].sum()) / max(size, 1), 4)
        for name, field in (
            ("merge", "median_minutes_to_merge"),
            ("review", "minutes_to_review"),
            ("cycles", "review_cycles"),
        ):
            values = medians[name][people]
            values = values[~np.isnan(values)]
            mean = round(float(values.mean()), 4) if len(values) else None
            element[f"avg_pull_requests_{field}"] = mean
        result.append(element)
    return result


def feature_engagement(days: list[np.ndarray]) -> dict:
    """Return who kept using a feature: on at least two of the days; `days` are bits of (n,)."""
    ever_active = np.bitwise_or.reduce(days) & words.BIT["active"]
    return {
        "active_user_count": int(np.count_nonzero(ever_active)),
        "totals_by_feature": [
            {"feature": name, "engaged_user_count": int((used_on(days, [surface]) >= 2).sum())}
            for name, surface in ENGAGEMENT.items()
        ],
    }


def used_on(days: list[np.ndarray], surfaces) -> np.ndarray:
    """Return per person the number of days with any of the surfaces."""
    bits = words.mask(surfaces)
    return sum(((day & bits) > 0).astype(np.int64) for day in days)


def adoption_phases(days: list[np.ndarray]) -> np.ndarray:
    """Return per person the phase (0 to 3) by GitHub's first rules; `days` are the last 28.

    A surface counts with at least two days. Code review is one surface, active or passive. The app,
    or two of CLI, cloud agent and review, make phase 3; one of them phase 2; completions or agent
    edits phase 1.
    """
    code, edit, cli, cloud, review, app = (
        used_on(days, surfaces) >= 2
        for surfaces in (
            ["code_completion"],
            ["agent_edit"],
            ["copilot_cli"],
            ["cloud_agent"],
            ["review_active", "review_passive"],
            ["copilot_app"],
        )
    )
    agents = cli.astype(int) + cloud + review
    return np.select([app | (agents >= 2), agents == 1, code | edit], [3, 2, 1], 0)
