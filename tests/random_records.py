"""Records of every family with random values, made from the places that the catalogue knows."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from copilot_analytics import catalogue

TEXTS = [
    "vscode",
    "0012",
    "1e5",
    "nan",
    "None",
    "true",
    "",
    "ünïcode 🐙",
    "a\u2028b\x0b\x85c",
    '"\\/',
]
COUNTS = [0, 1, 3, 250, 2**31, 2**53 + 1, 10**14]
NUMBERS = [0, 1, 0.1, 2.5, 1e-9, 123456.789, 1234567.0]
TIMES = ["2026-11-02T10:00:00Z", "2026-11-02T10:00:00.123Z", "2026-11-02T23:59:59.1234567Z"]
UNKNOWN = [
    1,
    2**60,
    0.25,
    True,
    "text",
    "2026-11-02T00:00:00Z",
    {"inner": [1, 2]},
    [{"x": "y"}],
    {},
]
IDS = [7, 12345, 2**31, 2**53 + 1, 2**62]


def value_of(field: catalogue.Field, draw: random.Random):
    """A value as GitHub delivers it."""
    choices = {
        "text": TEXTS,
        "id": IDS,
        "count": COUNTS,
        "code": range(4),
        "number": NUMBERS,
        "flag": (True, False),
        "date": ("2026-10-05", "2026-11-02"),
        "timestamp": TIMES,
    }
    return draw.choice(choices[field.type])


def odd_value_of(field: catalogue.Field, value):
    """The same value in the form in which tools around GitHub are known to write it."""
    if field.type == "flag":
        return int(value)
    if field.type == "id" or field.column.endswith("_id") and field.type == "text":
        return int(value) if isinstance(value, str) and value.isdigit() else str(value)
    if field.type in ("count", "code") and value < 2**53:
        return float(value)
    return value


def record(
    family: str,
    number: int,
    draw: random.Random,
    *,
    odd: bool = False,
    shares=(0.1, 0.5, 1),
    unknown=UNKNOWN,
) -> dict:
    """One record; ``number`` makes its key one of its own, so that no two conflict.

    It has one of the ``shares`` of the fields that it could have; ``odd`` values stand in the forms
    that tools around GitHub are known to write.
    """
    maker = _Maker(family, draw, draw.choice(shares), odd, unknown)
    result = maker.object("")
    result["day"] = str(date(2026, 1, 1) + timedelta(days=number % 300))
    result |= {"organization_id": "7"} if number % 2 else {"enterprise_id": "3"}
    if family == "entity":
        result["day"] = str(date(2020, 1, 1) + timedelta(days=number))
        result.setdefault("daily_active_users", draw.choice(COUNTS))
    for key in ("user_id", "team_id", "repo_id"):
        if key in catalogue.table(family).key:
            result[key] = draw.choice(IDS) + number
    if draw.random() < 0.3:
        result["invented"] = draw.choice(unknown)
    return dict(draw.sample(sorted(result.items()), len(result)))


def wrapper(days: list[dict], number: int, draw: random.Random) -> dict:
    """A 28-day report around records, which leave their ids to it."""
    features = draw.sample(TEXTS, draw.randrange(4))
    return {
        "report_start_day": str(date(2020, 1, 1) + timedelta(days=number)),
        "report_end_day": str(date(2020, 1, 28) + timedelta(days=number)),
        "organization_id": "7",
        "created_at": draw.choice(TIMES),
        "day_totals": days,
        "copilot_feature_engagement": {
            "active_user_count": draw.choice(COUNTS),
            "totals_by_feature": [
                {"feature": feature, "engaged_user_count": draw.choice(COUNTS)}
                for feature in features
            ],
        },
    }


@dataclass
class _Maker:
    """Makes what stands below a place of a record: each field there or not."""

    family: str
    draw: random.Random
    share: float
    odd: bool
    unknown: Sequence

    def object(self, path: str) -> dict:
        result: dict = {}
        for field in catalogue.record_fields(self.family):
            if not field.path.startswith(path) or field.column == "extra":
                continue
            name, _, inner = field.path[len(path) :].partition(".")
            is_key = not inner and is_dimension(field, path)
            if name.removesuffix("[]") in result:
                continue
            if not is_key and self.draw.random() > self.share:
                continue
            if name.endswith("[]"):
                result[name[:-2]] = self.elements(f"{path}{name}.")
            elif inner:
                result[name] = self.object(f"{path}{name}.")
            else:
                result[name] = self.value(field)
        return result

    def value(self, field: catalogue.Field):
        if field.is_nullable and self.draw.random() < 0.1:
            return None
        value = value_of(field, self.draw)
        return odd_value_of(field, value) if self.odd and self.draw.random() < 0.5 else value

    def elements(self, path: str) -> list[dict]:
        """Up to four elements of an array, no two of them with the same dimensions."""
        names = [
            field.path[len(path) :]
            for field in catalogue.record_fields(self.family)
            if field.path.startswith(path) and is_dimension(field, path)
        ]
        found = {}
        for _ in range(self.draw.randrange(5)):
            element = self.object(path)
            if self.draw.random() < 0.1:
                element["invented"] = self.draw.choice(self.unknown)
            key = (str(element[name]).removesuffix(".0") for name in names)
            found.setdefault(tuple(key), element)
        return list(found.values())


def is_dimension(field: catalogue.Field, path: str) -> bool:
    """Whether elements of an array are told apart by a field."""
    return field.unit == "dimension" or (field.column == "phase_number" and "[]" in path)
