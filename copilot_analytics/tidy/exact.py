"""The exact reader: record by record, with an answer for everything that is odd.

It accepts what GitHub and tools around it are known to deliver (ids as text or number, flags as
0 and 1, counts as 3.0) and refuses everything else with file, line and field. The fast reader hands
over to it whenever it meets anything that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from copilot_analytics import catalogue
from copilot_analytics.tidy import recognition
from copilot_analytics.tidy.findings import Findings
from copilot_analytics.tidy.schema import (
    EXTRA,
    TELEMETRY,
    TELEMETRY_KEYS,
    record_schema,
    record_tree,
    with_extra,
)
from copilot_analytics.tidy.strict_json import MAX_DEPTH, Invalid, integer
from copilot_analytics.tidy.unknown import to_json

REQUIRED = {
    "users": ("day", "user_id"),
    "users_window": ("report_end_day", "user_id"),
    "entity": ("day",),
    "teams": ("day", "user_id", "team_id"),
    "repos": ("day", "repo_id"),
}
NO_TIME = "0001-01-01T00:00:00Z"  # what Go and .NET write for a time that was never set
_WRAPPER_KEYS = ("enterprise_id", "organization_id", "report_start_day", "report_end_day")


# --- Records ------------------------------------------------------------------------------------


def members(value, path: str = "") -> Iterator[tuple[str, str, object]]:
    """Yield what a parsed value holds: itself, or the records of a wrapper and then its window.

    Each comes with the family of a window or ``""``, its path inside the value, and the record,
    which has what it inherits from the wrapper.
    """
    if not isinstance(value, dict) or not isinstance(value.get("day_totals"), list):
        yield "", path, value
        return
    inherited = {key: value[key] for key in _WRAPPER_KEYS if value.get(key) is not None}
    for number, inner in enumerate(value["day_totals"]):
        place = f"{path}day_totals[{number}]."
        if isinstance(inner, dict) and "day_totals" not in inner:
            inner = inner | {key: item for key, item in inherited.items() if inner.get(key) is None}
            yield "", place, inner
        else:
            yield "nested", place, inner
    yield "window", path, {key: item for key, item in value.items() if key != "day_totals"}


def identify(kind: str, record) -> str:
    """Return the family of a record, by its own keys.

    Raises
    ------
    Invalid
        Something that is no record of a report, by name where it is known.
    """
    if kind == "nested":
        raise Invalid(f"expected a record, found {_kind(record)}")
    if not isinstance(record, dict):
        raise Invalid(f"a record must be an object, found {_kind(record)}")
    foreign = recognition.foreign_object(record)
    if foreign:
        raise Invalid(foreign[0], advice=foreign[1])
    if kind == "window":
        return "window"
    if "day_totals" in record:
        raise Invalid(
            f"expected a list of records, found {_kind(record['day_totals'])}", "day_totals"
        )
    return _family_of(route(record), record)


def route(record: dict) -> str:
    """Return the family that the keys of a record point to."""
    for key, family in (("repo_id", "repos"), ("team_id", "teams"), ("user_id", "users")):
        if key in record:
            return family
    return "entity"


def is_personal(key: str) -> bool:
    """Tell whether a key belongs to the record of a person; an organization has none such."""
    return key == "user_login" or key.startswith("used_")


def _family_of(family: str, record: dict) -> str:
    """Check that a record can be one of its family; a person over a window is its own."""
    if family == "users" and record.get("day") is None:
        if record.get("report_end_day") is not None:
            return "users_window"
        raise Invalid(
            "expected the day of the record, found none and no reporting period either", "day"
        )
    if family == "entity":
        if any(map(is_personal, record)):
            raise Invalid("expected a value, found none", "user_id")
        own = set(record_tree("entity")) - {"day", *_WRAPPER_KEYS, *catalogue.HOUSEKEEPING}
        if not own & set(record):
            shown = ", ".join(list(record)[:8])
            problem = f"it holds only {shown}" if shown else "it is an empty object"
            raise Invalid(f"is not a report record: {problem}", advice=recognition.GET_REPORT)
    return family


def clean(family: str, record: dict, findings: Findings, place: int) -> dict:
    """Return a record with values of the catalogue's types and unknown keys as JSON in one place.

    ``place`` is that of the record among those read, for what is found in it.

    Raises
    ------
    Invalid
        A value that its field does not allow, or a key field without a value.
    """
    for name in REQUIRED.get(family, ()):
        if record.get(name) is None:
            raise Invalid("expected a value, found none", name)
    source = "users" if family == "users_window" else family
    own = Findings()
    cleaned, unknown = _clean_object(record, record_tree(source), "", source, own)
    if source == "users":
        cleaned[TELEMETRY] = any(
            name.startswith(TELEMETRY_KEYS) and value is not None for name, value in record.items()
        )
    if family == "users_window":
        # Its lists have no day and so no row of their own; they are kept as they came.
        for name in [name for name, value in cleaned.items() if isinstance(value, list)]:
            unknown[name] = record[name]
            del cleaned[name]
    cleaned[EXTRA] = to_json(unknown)
    for (found, path), (count, _) in own.unknown.items():
        findings.saw(found, path, count, place)
    for text, count in own.notes.items():
        findings.note(text, count)
    return cleaned


def _clean_object(record: dict, tree: dict, path: str, family: str, findings: Findings):
    cleaned, unknown = {}, {}
    for name, value in record.items():
        place = f"{path}{name}"
        if name not in tree:
            if not path and name in catalogue.HOUSEKEEPING:
                continue
            if _depth(value) > MAX_DEPTH:
                raise Invalid(f"is nested deeper than {MAX_DEPTH} levels", place)
            findings.saw(family, place, int(value is not None))
            if value is not None:
                unknown[name] = value
            continue
        if value is None:
            continue
        node = tree[name]
        if isinstance(node, list):
            cleaned[name] = _clean_list(value, node[0], place, family, findings)
        elif isinstance(node, dict):
            if not isinstance(value, dict):
                raise Invalid(f"expected an object, found {_kind(value)}", place)
            cleaned[name], inside = _clean_object(value, node, f"{place}.", family, findings)
            if inside:
                unknown[name] = inside
        else:
            try:
                if node.type == "timestamp" and value == NO_TIME:
                    findings.note(f"{NO_TIME} taken for no time")
                    continue
                cleaned[name] = CONVERT[node.type](value, node)
            except Invalid as problem:
                raise Invalid(problem.problem, place) from None
    return cleaned, unknown


def _clean_list(value, tree: dict, path: str, family: str, findings: Findings) -> list[dict]:
    if not isinstance(value, list):
        raise Invalid(f"expected a list, found {_kind(value)}", path)
    result = []
    for element in value:
        if element is None:
            findings.note(f"null element of {path} skipped")
            continue
        if not isinstance(element, dict):
            raise Invalid(f"expected objects, found {_kind(element)}", f"{path}[]")
        cleaned, unknown = _clean_object(element, tree, f"{path}[].", family, findings)
        for name, node in tree.items():
            if getattr(node, "unit", "") == "dimension" and name not in cleaned:
                raise Invalid("expected a value, found none", f"{path}[].{name}")
        cleaned[EXTRA] = to_json(unknown)
        result.append(cleaned)
    return result


def _depth(value) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        depth += 1
    return depth


# --- Values -------------------------------------------------------------------------------------


def _kind(value) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number"}
    shown = repr(value) if isinstance(value, (str, int, float, bool)) else ""
    return f"{names.get(type(value), 'null' if value is None else 'a number')} {shown[:40]}".strip()


def _text(value, known) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and known.column.endswith("_id"):
        return str(value)
    raise Invalid(f"expected text, found {_kind(value)}")


def _whole(value, known) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(f"expected a whole number, found {_kind(value)}")
    return value


def _count(value, known) -> int:
    value = _whole(value, known)
    if value < 0:
        raise Invalid(f"expected a count of 0 or more, found {value}")
    return value


def _id(value, known) -> int:
    if isinstance(value, str):
        if value.isascii() and value.isdigit():
            return integer(value)
        raise Invalid(
            f"expected a number, found {_kind(value)}; anonymised exports with other ids cannot "
            "be joined: replace each id by a number of its own first"
        )
    return _whole(value, known)


def _float(value, known) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Invalid(f"expected a number, found {_kind(value)}")
    return float(value)


def _flag(value, known) -> bool:
    if value is True or value is False or (type(value) is int and value in (0, 1)):
        return bool(value)
    raise Invalid(f"expected true or false, found {_kind(value)}")


def _checked_text(value, known) -> str:
    value = _text(value, known)
    if not is_valid_time(value, known.type):
        form = "YYYY-MM-DD" if known.type == "date" else "an ISO 8601 time in UTC"
        raise Invalid(f"expected {form}, found {_kind(value)}")
    return value


def is_valid_time(text: str, kind: str) -> bool:
    """Tell whether a text is a real day or time of the form that GitHub uses."""
    try:
        pa.scalar(text).cast(pa.timestamp("ns", tz="UTC" if kind == "timestamp" else None))
    except pa.ArrowInvalid:
        return False
    return kind == "timestamp" or len(text) == 10


CONVERT = {
    "text": _text,
    "id": _id,
    "count": _count,
    "code": _whole,
    "number": _float,
    "flag": _flag,
    "date": _checked_text,
    "timestamp": _checked_text,
}


def to_arrow(family: str, records: list[dict]) -> pa.StructArray:
    """Return cleaned records as Arrow structs of the family's record schema."""
    schema = with_extra(record_schema("users" if family == "users_window" else family))
    return pa.array(records, pa.struct(list(schema)))
