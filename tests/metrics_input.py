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
        features.append(
            {
                "feature": feature,
                "user_initiated_interaction_count": 0
                if feature in ("code_completion", "agent_edit")
                else chance.randint(0, 4),
                "code_generation_activity_count": generated,
                "code_acceptance_activity_count": chance.randint(0, generated // 2 + 1),
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


def load(records: list[dict]) -> ca.Tables:
    return ca.load(ndjson(*records)) if records else ca.load(b'{"day_totals": []}')


def duckdb_relation(frame: pd.DataFrame) -> duckdb.DuckDBPyRelation:
    """The frame as a relation over rows in another order."""
    return duckdb.sql("select * from frame order by hash(day), hash(user_id)")


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
    ids = {"user_id": "int64"} if "user_id" in frame else {}
    return frame.astype(wanted | ids)
