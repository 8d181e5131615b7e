"""What was read and what was noticed, as a frame and as a page for notebooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import PurePath

import pandas as pd

from copilot_analytics import catalogue

_COLUMNS = ("what", "rows", "days", "first_day", "last_day", "people")
_PEOPLE = ("users", "users_window", "teams")
_SHOWN = 5  # of unknown fields and the like; the frames have them all


def summarize(tables) -> pd.DataFrame:
    """Return one row per table that has rows, then one per thing that was counted."""
    rows = [_table_facts(tables, name) for name in tables if tables.count(name)]
    noticed = {
        **tables.facts,
        "unknown fields": len(tables.unknown_fields),
        "records in quarantine": len(tables.quarantined),
        **tables.notes,
    }
    rows += [{"what": what, "rows": count} for what, count in noticed.items()]
    summary = pd.DataFrame(rows, columns=list(_COLUMNS))
    counts = dict.fromkeys(("rows", "days", "people"), "Int64")
    return summary.astype(counts | dict.fromkeys(("first_day", "last_day"), "datetime64[us]"))


def _table_facts(tables, name: str) -> dict:
    is_about_people = name in _PEOPLE  # in their breakdowns there are no others
    frame = tables.read(name, ["day", "user_id"] if is_about_people else ["day"])
    return {
        "what": name,
        "rows": len(frame),
        "days": frame["day"].nunique(),
        "first_day": frame["day"].min(),
        "last_day": frame["day"].max(),
        "people": frame["user_id"].nunique() if is_about_people else pd.NA,
    }


def describe(name: str, frame) -> None:
    """Note in the attributes of a pandas frame what it is about; other frames have none.

    >>> frame = pd.DataFrame({"scope": ["organization:7", "organization:7"]})
    >>> describe("users_by_ide", frame)
    >>> frame.attrs
    {'scope': ['organization:7'], 'definition': 'one row is a person, a day and an IDE'}
    """
    if isinstance(frame, pd.DataFrame):
        frame.attrs["scope"] = sorted(frame["scope"].unique())
        frame.attrs["definition"] = f"one row is {catalogue.table(name).grain}"


def as_html(tables) -> str:
    """Return the overview that a notebook shows.

    Everything is escaped, and left alone by MathJax. Colours are the notebook's own.
    """
    summary = tables.summary()
    found = summary[summary["what"].isin(list(tables))]
    empty = [name for name in tables if name not in set(found["what"])]
    noticed = "".join(f"<li>{escape(text)}</li>" for text in _noticed(tables))
    parts = [
        "<p><strong>Copilot usage metrics</strong><br>",
        escape(" · ".join(_counts(tables, found))),
        "</p>",
        _table(found) if len(found) else "",
        f"<p>Noticed while reading:</p><ul>{noticed}</ul>" if noticed else "",
        f"<details><summary>{_count(len(empty), 'table')} without rows</summary>" if empty else "",
        f"{escape(', '.join(empty))}</details>" if empty else "",
    ]
    return f'<div class="tex2jax_ignore mathjax_ignore">{"".join(parts)}</div>'


def _counts(tables, found: pd.DataFrame) -> Iterator[str]:
    """Yield how much there is: files, records, people, days, scopes."""
    for what in ("files", "records"):
        if what in tables.facts:
            yield _count(tables.facts[what], what.removesuffix("s"))
    ids = [tables.read(name, ["user_id"])["user_id"] for name in _PEOPLE if tables.count(name)]
    if ids:
        yield f"{_count(pd.concat(ids).nunique(), 'person', 'people')} in any table"
    if len(found):
        days = f"{found['first_day'].min():%Y-%m-%d}", f"{found['last_day'].max():%Y-%m-%d}"
        yield " to ".join(dict.fromkeys(days))
    yield from _first(tables.scopes, "scopes")


def _noticed(tables) -> Iterator[str]:
    """Yield what is worth knowing, in words, what matters most first."""
    left_out = [
        f"Record left out: {_place(row)}, {row['field'] or 'the record'}: {row['problem']}"
        for row in tables.quarantined.to_dict("records")
    ]
    yield from _first(left_out, "quarantined")
    states = tables.day_states["state"].value_counts()
    if set(states.index) - {"present", "final"}:
        listed = ", ".join(f"{count:,} {state}" for state, count in states.items())
        yield f"Days of reports by state: {listed}; see day_states"
    duplicates = tables.facts.get("duplicates collapsed", 0)
    if duplicates:
        yield f"{_count(duplicates, 'repeated record')} collapsed: each record counts once"
    for note, count in tables.notes.items():
        yield f"{note}: {count:,}"
    unknown = [
        f"Unknown field, kept in extra: {row['path']} of {row['table']}, "
        f"{_count(row['count'], 'time')}, first in {_place(row)}"
        for row in tables.unknown_fields.to_dict("records")
    ]
    yield from _first(unknown, "unknown_fields")


def _place(row: dict) -> str:
    """Return file and line, without the folder, which may tell who and where somebody is."""
    line = "" if pd.isna(row["line"]) else f", line {row['line']:.0f}"
    return f"{PurePath(row['file']).name}{line}"


def _first(texts: list[str], more: str) -> Iterator[str]:
    """Yield the first texts, and where the others are."""
    yield from texts[:_SHOWN]
    if len(texts) > _SHOWN:
        yield f"and {len(texts) - _SHOWN:,} more: see {more}"


def _count(number: int, singular: str, plural: str = "") -> str:
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def _table(found: pd.DataFrame) -> str:
    heads = ("table", "one row is", "rows", "days", "people")
    lines = [
        [row["what"], catalogue.table(row["what"]).grain]
        + ["–" if pd.isna(row[name]) else f"{row[name]:,}" for name in heads[2:]]
        for row in found.to_dict("records")
    ]
    body = "".join(_row("td", line) for line in lines)
    return f"<table><thead>{_row('th', heads)}</thead><tbody>{body}</tbody></table>"


def _row(tag: str, cells: Sequence[str]) -> str:
    sides = ("left", "left", "right", "right", "right")
    marked = [
        f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>'
        for side, cell in zip(sides, cells, strict=True)
    ]
    return f"<tr>{''.join(marked)}</tr>"
