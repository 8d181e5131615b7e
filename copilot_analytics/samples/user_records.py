"""The records of people on a day, as GitHub's users reports have them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.activity import Activity, per_person
from copilot_analytics.samples.breakdowns import BREAKDOWNS, customizations, elements, sessions
from copilot_analytics.samples.population import Population

CHUNK = 1_000  # people made into dictionaries at a time, so that memory does not grow with a day
_VERSIONS_FROM = date(2025, 10, 10)
_PHASES = ("No Cohort", "Phase 1", "Phase 2", "Phase 3")


def phase(number: int) -> dict:
    """Return the three fields that name an adoption phase."""
    return {"phase_number": number, "phase": _PHASES[number], "version": "v1"}


def user_records(
    people: Population,
    day: date,
    bits: np.ndarray,
    activity: Activity,
    phases: np.ndarray,
    rows: np.ndarray,
    ids: dict,
) -> Iterator[dict]:
    """Yield the records of the people in `rows`, whose `bits` are not 0."""
    logins = people.logins_on(day)
    for start in range(0, len(rows), CHUNK):
        who = rows[start : start + CHUNK]
        members = np.zeros(len(bits), dtype=bool)
        members[who] = True
        own = activity.of(members)
        arrays = {name: _by_person(own, name, who) for name in BREAKDOWNS}
        counters = per_person(own, len(bits))[who].tolist()
        for place, person in enumerate(who.tolist()):
            record = {
                "day": day.isoformat(),
                **ids,
                "user_id": int(people.user_id[person]),
                "user_login": logins[person],
                **dict(zip(words.COUNTERS, counters[place], strict=True)),
            }
            used = int(bits[person])
            _add_credits(record, used, int(activity.credits[person]), day)
            if not used & words.BIT["reduced"]:
                for name, lists in arrays.items():
                    record[name] = lists[place]
                _add_flags(record, used)
                _add_modes(record)
                _add_tools(record, activity, used, person, day, people)
                _add_versions(record["totals_by_ide"], people, activity, person, day)
                record["ai_adoption_phase"] = phase(int(phases[person]))
                if day >= words.UNKNOWN_SINCE:
                    record[words.UNKNOWN_FIELD] = 3 * record["code_generation_activity_count"]
            yield record


def _by_person(activity: Activity, name: str, who: np.ndarray) -> list[list[dict]]:
    person, rows = elements(activity, name, by_person=True)
    starts = np.searchsorted(person, who)
    ends = np.searchsorted(person, who, side="right")
    return [rows[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _add_credits(record: dict, used: int, hundredths: int, day: date) -> None:
    """Completions cost nothing and leave the field out; included models leave a zero."""
    if used & _COSTS and day >= words.since("users", "ai_credits_used"):
        record["ai_credits_used"] = hundredths / 100


def _add_flags(record: dict, used: int) -> None:
    cloud = bool(used & words.BIT["cloud_agent"])
    active = bool(used & words.BIT["review_active"])
    passive = bool(used & words.BIT["review_passive"])
    reviews = active or passive
    record["used_chat"] = bool(used & words.BIT["used_chat"])
    record["used_agent"] = bool(used & words.BIT["used_agent"])
    record["used_cli"] = bool(used & words.BIT["copilot_cli"])
    record["used_copilot_coding_agent"] = cloud
    record["used_copilot_cloud_agent"] = cloud
    # Null says that there was no sign of any review; false that there was one of the other kind.
    record["used_copilot_code_review_active"] = active if reviews else None
    record["used_copilot_code_review_passive"] = passive if reviews else None
    record["used_vscode_agent"] = True if used & words.BIT["vscode_agent"] else None
    if used & words.BIT["copilot_app"]:
        record["used_copilot_app"] = True


def _add_modes(record: dict) -> None:
    """Add the early counters per chat mode; they repeat what the features say."""
    by_feature = {
        row["feature"]: row["user_initiated_interaction_count"]
        for row in record["totals_by_feature"]
    }
    for name in words.PANEL_MODES:
        record[name] = by_feature.get(name, 0)


def _add_tools(record, activity, used: int, person: int, day: date, people) -> None:
    if used & words.BIT["copilot_cli"]:
        record["totals_by_cli"] = {
            **sessions(activity.cli[person].tolist()),
            "last_known_cli_version": _cli_version(people, activity, person, day),
        }
    if used & words.BIT["copilot_app"]:
        record["totals_by_copilot_app"] = sessions(activity.app[person].tolist())
    if used & words.BIT["vscode_agent"]:
        count, messages = activity.window[person].tolist()
        record["totals_by_vscode_agent"] = {"session_count": count, "total_user_messages": messages}
    if used & words.BIT["third_party_agent"]:
        record["totals_by_3rd_party_agent"] = [
            {"agent_id": agent, "agent_name": name, "user_initiated_interaction_count": jobs}
            for (agent, name), jobs in zip(
                words.AGENTS, activity.jobs[person].tolist(), strict=True
            )
            if jobs
        ]
    record.update(
        customizations({kind: a[person].tolist() for kind, a in activity.customizations.items()})
    )


def _sampled_at(day: date, ticks: int, digits: int) -> str:
    """Return the time as GitHub writes it, with three or seven digits after the second."""
    seconds, fraction = divmod(ticks, 10_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{day.isoformat()}T{clock}.{f'{fraction:07}'[:digits]}Z"


def _number(first: float, pace: float, people: Population, person: int, day: date) -> int:
    age = (day - _VERSIONS_FROM).days - int(people.update_lag[person])
    return max(0, int(first + pace * age))


def _cli_version(people: Population, activity: Activity, person: int, day: date) -> dict:
    is_unknown = int(people.user_id[person]) % 23 == 0
    number = _number(0, 0.25, people, person, day)
    return {
        "cli_version": "unknown" if is_unknown else f"1.0.{number}",
        "sampled_at": _sampled_at(day, int(activity.seen_at[person]), 3),
    }


def _add_versions(rows: list[dict], people: Population, activity: Activity, person: int, day: date):
    """Add versions to each IDE, and on late days a field that nobody has described."""
    for row in rows:
        ide = _IDES[row["ide"]]
        if day >= words.UNKNOWN_SINCE:
            row[words.UNKNOWN_IDE_FIELD] = 1 + row["code_generation_activity_count"] % 3
        if not ide.version:
            continue
        digits = 7 if ide.name.startswith("visual") else 3
        sampled_at = _sampled_at(day, int(activity.seen_at[person]), digits)
        number = _number(ide.number, ide.pace, people, person, day)
        plugin = _number(ide.plugin_number, ide.plugin_pace, people, person, day)
        row["last_known_ide_version"] = {
            "ide_version": ide.version.format(number),
            "sampled_at": sampled_at,
        }
        row["last_known_plugin_version"] = {
            "plugin": ide.plugin,
            "plugin_version": ide.plugin_version.format(plugin),
            "sampled_at": sampled_at,
        }


_COSTS = words.mask([*words.FEATURE_NAMES[1:], "reduced"])  # all but completions
_IDES = {ide.name: ide for ide in words.IDES}
