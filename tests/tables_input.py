"""Tables to try things on: random ones of every family, with names that somebody might abuse."""

import random

import pandas as pd
from conftest import ndjson, user_record
from random_records import record, wrapper

import copilot_analytics as ca
from copilot_analytics.tidy import Tables

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "</div></script>",
    "{{7*7}}",
    "$x^2$",
    '=HYPERLINK("http://evil.example","x")',
    "{=1+1}",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "http://evil.example",
    "internal:Sheet1!A1",
    'a,b;c\n"d"\'e',
    "_x0041_",
    "\x01\x1f",
    " 0012 ",
]


def hostile_records() -> list[dict]:
    """One person per hostile name, who has it as login, model and unknown field."""
    return [
        user_record(
            user_id=10**16 + number,
            user_login=name,
            totals_by_model_feature=[{"model": name, "feature": "f", "loc_added_sum": number}],
            **{f"odd {name}": name},
        )
        for number, name in enumerate(HOSTILE)
    ]


def odd_tables() -> Tables:
    """Random records of every family, with hostile names, missing values and large numbers."""
    draw = random.Random(3)
    lines = [
        record(family, number, draw)
        for family in ("users", "entity", "teams", "repos")
        for number in range(25)
    ]
    lines += [wrapper([], number, draw) for number in range(3)]
    window = user_record(report_start_day="2026-10-06", report_end_day="2026-11-02")
    del window["day"]
    return ca.load(ndjson(*lines, *hostile_records(), window))


def loaded(*records: dict) -> Tables:
    return ca.load(ndjson(*records))


def days(count: int) -> list[dict]:
    return [user_record(f"2026-11-{day:02}") for day in range(1, count + 1)]


def plain_rows(frame: pd.DataFrame) -> list[tuple]:
    """The rows as plain Python values, None where a value is missing."""
    columns = [
        [None if pd.isna(value) else plain(value) for value in frame[name]] for name in frame
    ]
    return list(zip(*columns, strict=True))


def plain(value):
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value
