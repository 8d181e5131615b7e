"""Pieces of Markdown that the generated pages are put together from."""

from __future__ import annotations

import re
from collections.abc import Iterable


def grid(heads: str, rows: Iterable[list[str]]) -> str:
    """Return a Markdown table."""
    rule = " | ".join("---" for _ in heads.split("|"))
    return "".join(f"| {line} |\n" for line in (heads, rule, *(" | ".join(row) for row in rows)))


def codes(names: Iterable[str]) -> str:
    """Return names as code, one after the other."""
    return ", ".join(f"`{name}`" for name in names)


def plain(text: str) -> str:
    """Return text in which nothing is taken for Markdown."""
    return re.sub(r"([*|<\[\]])", r"\\\1", text)


def lines(*texts: str) -> str:
    """Return texts one below the other in a cell."""
    return "<br>".join(text for text in texts if text)
