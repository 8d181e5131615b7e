"""JSON text to Python values, stricter than the standard library: nothing is guessed or rounded."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from copilot_analytics.errors import ContentError
from copilot_analytics.tidy import recognition

MAX_DEPTH = 64
LENIENT = "errors='quarantine' (on the command line: import --errors quarantine)"
INT64 = 2**63


class Invalid(Exception):
    """A value is not what its field allows; `path` grows while it travels outwards."""

    def __init__(self, problem: str, path: str = "", advice: str = ""):
        super().__init__(problem)
        self.problem, self.path, self.advice = problem, path, advice


def _object(pairs: list[tuple]) -> dict:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid("the key occurs twice in one object", twice)
    return result


def integer(text: str) -> int:
    """Return a whole number that fits 64 bits."""
    # The length first: Python refuses to convert thousands of digits, and says so in its own words.
    if len(text) > 20 or not -INT64 <= (value := int(text)) < INT64:
        raise Invalid(f"the integer {text[:24]} does not fit 64 bits")
    return value


class _Unfit(str):
    """What stands in the place of a number that is none of ours: the problem with it."""


def _integer(text: str) -> int | _Unfit:
    try:
        return integer(text)
    except Invalid as problem:
        return _Unfit(problem.problem)


def _number(text: str) -> float | _Unfit:
    value = float(text)
    return value if math.isfinite(value) else _Unfit(f"the number {text[:24]} is out of range")


def _constant(text: str) -> _Unfit:
    return _Unfit(f"{text} is not JSON")


# Half a surrogate pair, 19 digits or more, an exponent that may be too large, or no JSON at all.
_MAY_BE_UNFIT = re.compile(r"\\u[dD][89a-fA-F]|\d{19}|\d[eE]\+?\d{3}|NaN|Infinity")

_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_constant,
)


def parse(text: bytes, file: str, line: int | None = None) -> list:
    """Return the JSON values in ``text`` (nearly always one).

    Raises
    ------
    ContentError
        Text that is not UTF-8 or not JSON, with the place.
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as problem:
        before = text[: problem.start]
        offset = problem.start - before.rfind(b"\n") - 1
        raise ContentError(
            f"is not UTF-8 text at byte {offset} of the line",
            file=file,
            line=(line or 1) + before.count(b"\n"),
            advice="the file was damaged on its way; get it again",
        ) from None
    values, position = [], 0
    try:
        while (position := _skip_blank(decoded, position)) < len(decoded):
            value, position = _DECODER.raw_decode(decoded, position)
            values.append(value)
    except json.JSONDecodeError as problem:
        is_cut = not decoded[problem.pos :].strip() or problem.msg.startswith("Unterminated string")
        raise ContentError(
            "ends inside a record: the file is cut" if is_cut else f"is not JSON: {problem.msg}",
            file=file,
            line=(line or 1) + problem.lineno - 1,
            said=recognition.printable(decoded[problem.pos : problem.pos + 64].encode()),
            kept="nothing of this file",
            advice=f"get the file again; {LENIENT} keeps the good records",
        ) from None
    except Invalid as problem:
        raise ContentError(problem.problem, file=file, line=line, field=problem.path) from None
    except RecursionError:
        raise ContentError(
            f"is nested deeper than {MAX_DEPTH} levels", file=file, line=line
        ) from None
    if _MAY_BE_UNFIT.search(decoded):
        _refuse_unfit(values, file, line)
    return values


def _refuse_unfit(values: list, file: str, line: int | None) -> None:
    """Raise if there is a number that no field holds, or half of a surrogate pair in a text."""
    for path, text in _texts(values):
        problem = text if isinstance(text, _Unfit) else ""
        if not problem and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                problem = "the text holds half of a surrogate pair"
        if problem:
            field = recognition.printable(path.encode(errors="replace"))
            raise ContentError(str(problem), file=file, line=line, field=field)


def _texts(values: list) -> Iterator[tuple[str, str]]:
    """Yield every text and every name inside values, with its path."""
    todo = [("", value) for value in values]
    while todo:
        path, value = todo.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, list):
            todo += [(f"{path}[{number}]", item) for number, item in enumerate(value)]
        elif isinstance(value, dict):
            for name, item in value.items():
                place = f"{path}.{name}" if path else name
                yield place, name
                todo.append((place, item))


def _skip_blank(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position
