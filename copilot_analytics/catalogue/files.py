"""Reads the CSV files of the catalogue."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib import resources


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one of the CSV files as they stand there."""
    with resources.files(__package__).joinpath(name).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def expanded(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one of the CSV files, with those that stand for several spelt out."""
    return tuple(row for packed in rows(name) for row in expand(packed))


def expand(row: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield the rows that a row with ``{a,b}`` in its cells stands for.

    Each of the parts stands there in turn, in all cells of the row alike.

    >>> list(expand({"path": "{used,lost}_chat", "since": "2025-10-28"}))
    [{'path': 'used_chat', 'since': '2025-10-28'}, {'path': 'lost_chat', 'since': '2025-10-28'}]
    """
    parts = {key: re.split(r"\{([^}]*)\}", text) for key, text in row.items()}
    alternatives = {
        key: [piece.split(",") for piece in pieces[1::2]] for key, pieces in parts.items()
    }
    count = max((len(a) for many in alternatives.values() for a in many), default=1)
    for number in range(count):
        yield {
            key: "".join(
                piece if place % 2 == 0 else alternatives[key][place // 2][number]
                for place, piece in enumerate(pieces)
            )
            for key, pieces in parts.items()
        }


def day(text: str) -> date | None:
    """Return a day, None where the cell is empty or says that the day is not known."""
    return date.fromisoformat(text) if text[:2] == "20" else None
