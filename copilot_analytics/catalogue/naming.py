"""How columns and values are called, and which spellings mean one thing."""

from __future__ import annotations

from functools import cache

from copilot_analytics.catalogue.columns import all_tables
from copilot_analytics.catalogue.files import expanded


@cache
def _labels() -> dict[str, str]:
    return {f.column: f.label for t in reversed(all_tables().values()) for f in t.columns}


def label(column: str) -> str:
    """Return how a column is called in charts and tables.

    >>> label("code_acceptance_activity_count")
    'Acceptances'
    """
    return _labels().get(column, column.replace("_", " ").capitalize())


@cache
def all_names() -> tuple[dict[str, str], ...]:
    """Return the known values of dimensions: dimension, value, canonical, label, source.

    A value that names no canonical spelling stands for itself; a label that is not given is the
    canonical spelling.
    """
    result = []
    for row in expanded("names.csv"):
        canonical = row["canonical"] or row["value"]
        result.append(row | {"canonical": canonical, "label": row["label"] or canonical})
    return tuple(result)


@cache
def canonical_names(dimension: str) -> dict[str, str]:
    """Return the spellings of one thing that occur in reports, each with the one to group by.

    Spellings that are not in the catalogue stand for themselves. Tables keep the spelling of the
    report; only figures are grouped.

    >>> canonical_names("language")["ts"], canonical_names("model")["claude-4.5-haiku"]
    ('typescript', 'claude-haiku-4.5')
    """
    return {
        row["value"]: row["canonical"]
        for row in all_names()
        if row["dimension"] == dimension and row["value"] != row["canonical"]
    }


@cache
def _value_labels() -> dict[tuple[str, str], str]:
    return {(row["dimension"], row["value"]): row["label"] for row in all_names()}


def value_label(dimension: str, value: object) -> str:
    """Return how a value is called in charts and tables; unknown ones as GitHub writes them.

    >>> value_label("feature", "chat_panel_agent_mode"), value_label("phase_number", 1)
    ('Chat: agent', 'Code first')
    """
    return _value_labels().get((dimension, str(value)), str(value))
