"""The exact reader: record by record, with an answer for everything that is odd.

It accepts what GitHub and tools around it are known to deliver (ids as text or number, flags as
0 and 1, counts as 3.0) and refuses everything else with file, line and field. The fast reader hands
over to it whenever it meets anything that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from copilot_analytics import catalogue
from copilot_analytics.errors import ContentError
from copilot_analytics.tidy import recognition
from copilot_analytics.tidy.schema import EXTRA, record_schema, record_tree, with_extra
from copilot_analytics.tidy.strict_json import MAX_DEPTH, Invalid, integer

REQUIRED = {
    "users": ("day", "user_id"),
    "users_window": ("report_end_day", "user_id"),
    "entity": ("day",),
    "teams": ("day", "user_id", "team_id"),
    "repos": ("day", "repo_id"),
}
_WRAPPER_KEYS = ("enterprise_id", "organization_id", "report_start_day", "report_end_day")


@dataclass
class Findings:
    """What a reader notices without it being an error: unknown keys and skipped elements."""

    unknown: dict[tuple[str, str], int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, text: str, count: int = 1) -> None:
        """Count something that should be mentioned once."""
        self.notes[text] = self.notes.get(text, 0) + count

    def saw(self, family: str, path: str, count: int = 1) -> None:
        """Count an unknown key."""
        self.unknown[family, path] = self.unknown.get((family, path), 0) + count


# --- Records ------------------------------------------------------------------------------------


def route(record: dict) -> str:
    """Return the family of a record, by its own keys."""
    for key, family in (("repo_id", "repos"), ("team_id", "teams"), ("user_id", "users")):
        if key in record:
            return family
    return "entity"


def unwrap(value, file: str, line: int | None) -> Iterator[tuple[str, dict]]:
    """Yield the records in a parsed value with their family: itself, or those of a wrapper."""
    if not isinstance(value, dict):
        raise ContentError(
            f"a record must be an object, found {_kind(value)}", file=file, line=line
        )
    foreign = recognition.foreign_object(value, file=file, line=line)
    if "day_totals" not in value:
        family = route(value)
        if foreign:
            raise foreign
        yield _family_of(family, value, file, line), value
        return
    if not isinstance(value["day_totals"], list):
        raise ContentError(
            f"expected a list of records, found {_kind(value['day_totals'])}",
            file=file,
            line=line,
            field="day_totals",
        )
    inherited = {key: value[key] for key in _WRAPPER_KEYS if value.get(key) is not None}
    for number, inner in enumerate(value["day_totals"]):
        if not isinstance(inner, dict) or "day_totals" in inner:
            raise ContentError(
                f"expected a record, found {_kind(inner)}",
                file=file,
                line=line,
                field=f"day_totals[{number}]",
            )
        given = {key: item for key, item in inherited.items() if inner.get(key) is None}
        yield from unwrap(inner | given, file, line)
    yield "window", {key: item for key, item in value.items() if key != "day_totals"}


def _family_of(family: str, record: dict, file: str, line: int | None) -> str:
    """Check that a record can be one of its family; a person over a window is its own."""
    if family == "users" and record.get("day") is None:
        if record.get("report_end_day") is not None:
            return "users_window"
        raise ContentError(
            "expected the day of the record, found none and no reporting period either",
            file=file,
            line=line,
            field="day",
        )
    if family == "entity":
        own = set(record_tree("entity")) - {"day", *_WRAPPER_KEYS, *catalogue.HOUSEKEEPING}
        if not own & set(record):
            raise ContentError(
                f"is not a report record: it holds only {', '.join(list(record)[:8]) or 'nothing'}",
                file=file,
                line=line,
                kept="nothing of this file",
                advice=recognition.GET_REPORT,
            )
    return family


def clean(family: str, record: dict, findings: Findings, file: str, line: int | None) -> dict:
    """Return a record with values of the catalogue's types and unknown keys as JSON in one place.

    Raises
    ------
    ContentError
        A value that its field does not allow, or a key field without a value.
    """
    try:
        for name in REQUIRED.get(family, ()):
            if record.get(name) is None:
                raise Invalid("expected a value, found none", name)
        return _clean_record(family, record, findings)
    except Invalid as problem:
        raise ContentError(
            problem.problem,
            file=file,
            line=line,
            field=problem.path,
            kept="nothing of this file",
            advice="mend or drop the record, or load with errors='quarantine' to leave it out",
        ) from None


def _clean_record(family: str, record: dict, findings: Findings) -> dict:
    source = "users" if family == "users_window" else family
    cleaned, unknown = _clean_object(record, record_tree(source), "", source, findings)
    if family == "users_window":
        # Its lists have no day and so no row of their own; they are kept as they came.
        for name in [name for name, value in cleaned.items() if isinstance(value, list)]:
            unknown[name] = record[name]
            del cleaned[name]
    cleaned[EXTRA] = to_json(unknown)
    return cleaned


def _clean_object(record: dict, tree: dict, path: str, family: str, findings: Findings):
    cleaned, unknown = {}, {}
    for name, value in record.items():
        place = f"{path}{name}"
        if name not in tree:
            if _depth(value) > MAX_DEPTH:
                raise Invalid(f"is nested deeper than {MAX_DEPTH} levels", place)
            findings.saw(family, place)
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


def to_json(unknown: dict) -> str | None:
    """Return unknown keys as JSON text; nulls are left out, as a missing value means the same."""
    kept = _without_nulls(unknown)
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


def _without_nulls(value):
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


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
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Invalid("the text holds half of a surrogate pair") from None
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


def to_arrow(family: str, records: list[dict]) -> pa.Table:
    """Return cleaned records as an Arrow table of the family's record schema."""
    schema = with_extra(record_schema("users" if family == "users_window" else family))
    return pa.Table.from_pylist(records, schema=schema)
