"""What a docstring says, part by part, in the form in which this package writes them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Described:
    """The parts of a docstring, each in one line but for the example; one that is absent is empty.

    `returned` is the type of what comes back, `columns` are those that are listed of it, and
    `returns` is what stands before these.
    `left_out` and `source` stand in the `notes` as well, `remarks` is the rest of these.
    """

    summary: str
    question: str
    parameters: tuple[tuple[str, str], ...]
    returned: str
    returns: str
    columns: tuple[str, ...]
    notes: str
    left_out: str
    source: str
    remarks: str
    example: str

    def column(self, role: str) -> str:
        """Return the column that is called the numerator or the denominator, as it is listed."""
        is_meant = re.compile(rf"\bthe {role}[.,]", re.IGNORECASE).search
        return next(filter(is_meant, self.columns), "")


def described(function: Callable) -> Described:
    """Return what the docstring of a function says.

    >>> def active_users(users):
    ...     '''Count the people with activity on each day.
    ...
    ...     Question: how many people use Copilot?
    ...
    ...     Notes
    ...     -----
    ...     Left out: chat on github.com. Weeks start on Monday.
    ...     '''
    >>> parts = described(active_users)
    >>> parts.question, parts.left_out, parts.remarks
    ('how many people use Copilot?', 'chat on github.com.', 'Weeks start on Monday.')
    """
    opening, *rest = re.split(r"(?m)^(\w[\w ]*)\n-{3,}\s*$", inspect.getdoc(function) or "")
    sections = dict(zip(rest[0::2], rest[1::2], strict=True))
    summary, question = _without(opening.split(">>>", 1)[0], r"(?ms)^Question: (.+?)(?:\n\n|\Z)")
    returned, _, meaning = sections.get("Returns", "").strip().partition("\n")
    returns, *columns = re.split(r"(?m)^\s*- ", meaning)
    notes = sections.get("Notes", "")
    remarks, source = _without(notes, r"(?ms)^Source: (.+?)(?:\n\n|\Z)")
    # Sentences after the one on who is left out are remarks; a dot within a word ends none.
    remarks, left_out = _without(remarks, r"(?s)\bLeft out: (.+?\.)(?=\s+[A-Z`]|\s*\Z)")
    return Described(
        summary=_one_line(summary),
        question=question,
        parameters=_parameters(sections.get("Parameters", "")),
        returned=returned,
        returns=_one_line(returns),
        columns=tuple(map(_one_line, columns)),
        notes=_one_line(notes),
        left_out=left_out,
        source=source,
        remarks=_one_line(remarks),
        example=sections.get("Examples", "").strip("\n"),
    )


def _without(text: str, pattern: str) -> tuple[str, str]:
    """Return a text without what a pattern finds first, and the group of that in one line."""
    found = re.search(pattern, text)
    if not found:
        return text, ""
    return f"{text[: found.start()]}\n{text[found.end() :]}", _one_line(found[1])


def _parameters(section: str) -> tuple[tuple[str, str], ...]:
    """Return names and meanings; a name begins a line, its meaning is set in below it."""
    entries = re.findall(r"(?m)^(\S.*)\n((?:[ ]+.*\n?|\n)*)", section)
    return tuple((names.strip(), _one_line(meaning)) for names, meaning in entries)


def _one_line(text: str) -> str:
    return " ".join(text.split())
