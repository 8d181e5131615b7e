"""Values of parameters that come as text, from a command line."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from copilot_analytics.errors import UsageError
from copilot_analytics.reporting.notebooks import (
    check_parameters,
    declared_parameters,
    find_notebooks,
)


def read_parameters(
    names: Sequence[str | Path] | None, texts: Mapping[str, str]
) -> dict[str, object]:
    """Return values that were given as text with the types of the notebooks' defaults.

    Parameters
    ----------
    names
        Notebooks as for `find_notebooks`.
    texts
        Name of each parameter to its value, such as ``{"minimum_group_size": "10"}``. Where the
        default is a day, the value has to be one.

    Raises
    ------
    UsageError
        If no notebook declares a name, a text is no value of its type, or a value or name looks
        like a secret.

    Examples
    --------
    >>> read_parameters(["adoption"], {"minimum_group_size": "10", "active": "engaged"})
    {'minimum_group_size': 10, 'active': 'engaged'}
    """
    if not texts:
        return {}
    declared = {path.stem: declared_parameters(path) for path in find_notebooks(names)}
    defaults = {name: value for one in declared.values() for name, value in one.items()}
    values = {
        name: _value(name, text, defaults[name]) if name in defaults else text
        for name, text in texts.items()
    }
    check_parameters(declared, values)
    return values


def _value(name: str, text: str, default: object) -> object:
    """Return a text as a value of the type of the default; the text itself may be a secret."""
    kind = date if _is_day(default) else type(default)
    read, form = _READERS.get(kind, (str, "text"))
    try:
        return read(text.strip())
    except (ValueError, SyntaxError, RecursionError):
        raise UsageError(
            f"the value of parameter {name!r} is not {form}",
            advice=f"its default is {default!r}",
        ) from None


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(_day(value))
    except ValueError:
        return False


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("neither true nor false")
    return text.lower() == "true"


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _list(text: str) -> list:
    """Return a list as Python writes it, or the texts between commas."""
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    found = ast.literal_eval(text)
    if not isinstance(found, list):
        raise ValueError("no list")
    return found


_READERS = {
    bool: (_flag, "true or false"),
    int: (int, "a whole number"),
    float: (_number, "a number"),
    list: (_list, "a list such as [1, 2] or web,data"),
    date: (_day, "a day such as 2026-10-19"),
}
