"""Input for the tests of metrics: an invented company as records, and the engines to try it on."""

import random
from datetime import date, datetime, timedelta

import duckdb
import pandas as pd
from conftest import ndjson, user_record

import copilot_analytics as ca

FEATURES = (
    "code_completion",
    "chat_panel_ask_mode",
    "chat_panel_agent_mode",
    "agent_edit",
    "copilot_cli",
    "a_feature_of_tomorrow",
)
PHASES = ("No Cohort", "Phase 1", "Phase 2", "Phase 3")
IDS = ("user_id", "team_id", "repo_id")
SEVEN = (
    "user_initiated_interaction_count",
    "code_generation_activity_count",
    "code_acceptance_activity_count",
    "loc_suggested_to_add_sum",
    "loc_suggested_to_delete_sum",
    "loc_added_sum",
    "loc_deleted_sum",
)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


def company(people=9, days=45, seed=3, first="2026-09-25") -> list[dict]:
    """Records of a few people: weekends off, absences, quiet days and rows with credits only."""
    chance = random.Random(seed)
    records = []
    for number in range(days):
        today = date.fromisoformat(first) + timedelta(days=number)
        if number in (11, 30):  # days without any record
            continue
        for person in range(1, people + 1):
            is_weekend = today.weekday() >= 5
            if chance.random() < (0.9 if is_weekend else 0.2 + 0.07 * person):
                continue
            records.append(_record(chance, today.isoformat(), person))
    return records


def _record(chance: random.Random, today: str, person: int) -> dict:
    if chance.random() < 0.15:
        reduced = user_record(today, person, **dict.fromkeys(SEVEN, 0), ai_credits_used=1.5)
        for key in ("used_chat", "totals_by_feature"):
            del reduced[key]
        return reduced
    features = []
    for feature in chance.sample(FEATURES, chance.randint(1, 3)):
        generated = chance.choice((0, 3, 20))
        is_agent = feature == "agent_edit"
        features.append(
            {
                "feature": feature,
                "user_initiated_interaction_count": 0
                if feature in ("code_completion", "agent_edit")
                else chance.randint(0, 4),
                "code_generation_activity_count": generated,
                "code_acceptance_activity_count": chance.randint(0, generated // 2 + 1),
                "loc_suggested_to_add_sum": 0 if is_agent else 4 * generated,
                "loc_added_sum": (9 if is_agent else 3) * generated,
                "loc_deleted_sum": 2 * generated if is_agent else 0,
            }
        )
    sums = {name: sum(f.get(name, 0) for f in features) for name in SEVEN}
    phase = chance.randint(0, 3)
    record = user_record(
        today,
        person,
        **sums,
        used_chat=chance.random() < 0.5,
        used_agent=chance.random() < 0.3,
        used_copilot_code_review_passive=True,
        ai_adoption_phase={"phase_number": phase, "phase": PHASES[phase], "version": "v1"},
        totals_by_feature=features,
    )
    if person % 2:
        record["used_cli"] = chance.random() < 0.3
    if today > "2026-10-10" and person == 4:
        record["used_copilot_cloud_agent"] = chance.random() < 0.5
    return record


def memberships(people=9, days=45, seed=5, first="2026-09-25") -> list[dict]:
    """Records of teams: several teams at once, moves, a renamed team, one that flickers."""
    chance = random.Random(seed)
    records = []
    for number in range(days):
        today = (date.fromisoformat(first) + timedelta(days=number)).isoformat()
        for person in range(1, people + 2):  # the last one has no activity
            teams = {7: "web" if number < 20 else "website"} if person <= 5 else {}
            if person % 3 == 0 or (person == 2 and number > 12):
                teams[8] = "data"
            if person == people + 1 or (person == 4 and number % 5 == 0):
                teams[9] = "quiet"
            if chance.random() < 0.02:  # the person has no seat on this day
                continue
            records += [membership(today, person, team, slug) for team, slug in teams.items()]
    return [record for record in records if record["day"] != "2026-10-01"]


def membership(day: str, person: int, team: int, slug: str) -> dict:
    return {
        "day": day,
        "organization_id": "7",
        "enterprise_id": "3",
        "user_id": person,
        "user_login": f"login-{person}",
        "team_id": team,
        "slug": slug,
    }


def clients() -> list[dict]:
    """Records with versions of IDEs: old ones, such without any, two IDEs of one person."""
    versions = (
        (1, "vscode", "1.99.3", "copilot-chat", "0.40.0"),
        (1, "vscode", "1.120.0", "copilot-chat", "0.40.0"),
        (2, "vscode", "1.120.0", "copilot-chat", "0.30.0"),
        (2, "intellij", "2026.1", "copilot-intellij", "1.5.60-241"),
        (3, "pycharm", "2024.1", "", ""),
        (3, "intellij", "2026.1", "copilot-intellij", "1.5.60-241"),
        (4, "xcode", None, None, None),
        (5, "neovim", "0.1", "copilot", "1.0.0"),
    )
    return [
        user_record(
            f"2026-11-0{number + 1}",
            person,
            totals_by_ide=[
                {
                    "ide": ide,
                    "last_known_ide_version": {"ide_version": version},
                    "last_known_plugin_version": {"plugin": plugin, "plugin_version": extension},
                }
            ],
        )
        for number, (person, ide, version, plugin, extension) in enumerate(versions)
    ]


def load(records: list[dict]) -> ca.Tables:
    return ca.load(ndjson(*records)) if records else ca.load(b'{"day_totals": []}')


def duckdb_relation(frame: pd.DataFrame) -> duckdb.DuckDBPyRelation:
    """The frame as a relation over rows in another order."""
    return duckdb.sql("select * from frame order by hash(columns(*))")


ENGINES = {"pandas": lambda frame: frame.sample(frac=1, random_state=1), "duckdb": duckdb_relation}


def to_pandas(result) -> pd.DataFrame:
    """A result as pandas, with the types that a pandas result has."""
    if isinstance(result, pd.DataFrame):
        return result
    frame = result.df()
    # DuckDB gives whole numbers with missing values to pandas as fractions.
    described = zip(result.columns, result.types, strict=True)
    frame = frame.astype({name: "Int64" for name, kind in described if str(kind) == "BIGINT"})
    types = {"b": "boolean", "f": "float64", "M": "datetime64[us]", "O": "str"}
    wanted = {name: types[d.kind] for name, d in frame.dtypes.items() if d.kind in types}
    ids = dict.fromkeys(frame.columns.intersection(IDS), "int64")
    return frame.astype(wanted | ids)
