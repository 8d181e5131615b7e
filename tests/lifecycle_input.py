"""Input and plain loops for the tests of how people come, stay, leave and come back."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pandas as pd
from hypothesis import strategies as st
from metrics_input import SEVEN, company, day, load

RECORDS = company()
TABLES = load(RECORDS)
FLAGS = (
    "used_agent",
    "used_chat",
    "used_cli",
    "used_copilot_app",
    "used_copilot_coding_agent",
    "used_copilot_cloud_agent",
    "used_copilot_code_review_active",
    "used_vscode_agent",
)
RULES = {
    "interactions": lambda r: r["user_initiated_interaction_count"] > 0,
    "engaged": lambda r: any(r[name] > 0 for name in SEVEN) or any(r.get(f) for f in FLAGS),
    "present": lambda r: True,
}
FIRST = day("2026-02-20")

# Person and day, as numbers: few people and days, so that every pattern comes up.
person_days = st.sets(st.tuples(st.integers(1, 4), st.integers(0, 25)), min_size=1)


def users_of(pairs) -> pd.DataFrame:
    """Pairs of person and day number as a users table."""
    rows = [{"user_id": user, "day": FIRST + timedelta(n)} for user, n in pairs]
    return pd.DataFrame(rows, columns=["user_id", "day"]).astype({"day": "datetime64[us]"})


def in_shards(users: pd.DataFrame, chance) -> pd.DataFrame:
    """The same rows in another order, put together from parts that overlap."""
    mixed = users.sample(frac=1, random_state=chance.randint(0, 9))
    return pd.concat([mixed.iloc[: len(mixed) // 2 + 1], mixed.iloc[len(mixed) // 2 :]])


def pairs_of(records, rule) -> set:
    """The pairs of person and day number on which a person was active."""
    first = min(day(r["day"]) for r in records)
    return {(r["user_id"], (day(r["day"]) - first).days) for r in records if rule(r)}


def active_sets(records, rule) -> dict:
    """The people of every day, by plain loops."""
    result = {}
    for record in records:
        if rule(record):
            result.setdefault(day(record["day"]), set()).add(record["user_id"])
    return result


def every_day(records) -> list[datetime]:
    days = sorted(day(r["day"]) for r in records)
    return [days[0] + timedelta(n) for n in range((days[-1] - days[0]).days + 1)]


def starts_of_weeks(week_start: str) -> Callable[[datetime], datetime]:
    first_weekday = {"monday": 0, "sunday": 6}[week_start]
    return lambda d: d - timedelta((d.weekday() - first_weekday) % 7)


def start_of_month(d: datetime) -> datetime:
    return d.replace(day=1)


def days_of_people(pairs) -> dict[int, list[int]]:
    """The active days of each person, in order."""
    result = {}
    for user, number in sorted(pairs):
        result.setdefault(user, []).append(number)
    return result
