"""A report's bytes without some of its records; every other byte stays as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

BYTE_ORDER_MARK = "\ufeff"
_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_WRAPPED = "day_totals"

Keep = Callable[[dict], bool]


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield bytes line by line, with the line ends; only byte 0x0A ends a line."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest


def without(
    lines: Iterable[bytes], keep: Keep, is_suspect: Callable[[bytes], bool] = bool
) -> Iterator[bytes]:
    """Yield the bytes of a report without the records that are not to be kept.

    Parameters
    ----------
    lines
        The report, line by line with the line ends. What is no record goes as well where it has to
        be looked at, because nobody can tell what it is.
    keep
        Tells from a record whether it stays.
    is_suspect
        Tells from a line whether its records have to be looked at; for speed.
    """
    lines = iter(lines)
    first = next(lines, b"")
    while first and not first.strip(b"\xef\xbb\xbf \t\r\n"):
        yield first
        first = next(lines, b"")
    if not _is_whole(first):  # a list or an object that goes on in the next lines
        document = first + b"".join(lines)
        kept = _readable_without(document, keep)
        if kept is not None:
            yield kept
            return
        first, *lines = lines_of([document])
    for line in chain([first], lines):
        yield (_readable_without(line, keep) or b"") if is_suspect(line) else line


def _readable_without(text: bytes, keep: Keep) -> bytes | None:
    """Return text without records, None if it is not readable."""
    try:
        return _without(text, keep)
    except (ValueError, IndexError, RecursionError):
        return None


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line.decode("utf-8-sig"))
    except ValueError:
        return False
    return True


def _without(text: bytes, keep: Keep) -> bytes:
    """Return the text of a value or several without records; nothing of it if none stays."""
    decoded = text.decode()
    start = _BLANK.match(decoded, len(BYTE_ORDER_MARK) * decoded.startswith(BYTE_ORDER_MARK)).end()
    if start == len(decoded):
        return text
    stay, position = [], start
    while position < len(decoded):
        kept, end = _value(decoded, position, keep)
        position = _BLANK.match(decoded, end).end()
        if kept is not None:
            stay.append(kept + decoded[end:position])
    return (decoded[:start] + "".join(stay)).encode() if stay else b""


def _value(text: str, start: int, keep: Keep) -> tuple[str | None, int]:
    """Return a value without the records in it, None if it is itself one, and where it ends."""
    if text[start] == "[":
        return _list(text, start, keep)
    value, end = _DECODER.raw_decode(text, start)
    if not isinstance(value, dict):
        return text[start:end], end
    if isinstance(value.get(_WRAPPED), list):
        place = _place_of(text, start, _WRAPPED)
        kept, inner_end = _list(text, place, keep)
        return text[start:place] + kept + text[inner_end:end], end
    return (text[start:end] if keep(value) else None), end


def _list(text: str, start: int, keep: Keep) -> tuple[str, int]:
    """Return a list without the elements that are not kept, blanks and all, and where it ends."""
    kept, position = [], start + 1
    while True:
        element = _BLANK.match(text, position).end()
        if text[element] == "]":
            return f"[{','.join(kept)}{text[position:element] if not kept else ''}]", element + 1
        value, end = _value(text, element, keep)
        after = _BLANK.match(text, end).end()
        if value is not None:
            kept.append(text[position:element] + value + text[end:after])
        if text[after] == "]":
            return f"[{','.join(kept)}]", after + 1
        position = after + 1


def _place_of(text: str, start: int, wanted: str) -> int:
    """Return where the value of a key of an object begins."""
    position = start + 1
    while True:
        key, position = _DECODER.raw_decode(text, _BLANK.match(text, position).end())
        colon = _BLANK.match(text, position).end()
        position = _BLANK.match(text, colon + 1).end()
        if key == wanted:
            return position
        _, position = _DECODER.raw_decode(text, position)
        position = _BLANK.match(text, position).end() + 1  # the comma
