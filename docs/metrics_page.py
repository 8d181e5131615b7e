"""The page on metrics, made from their docstrings."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

import pandas as pd
from markup import grid, plain

from copilot_analytics import metrics
from copilot_analytics.display.docstrings import described
from copilot_analytics.metrics import engagement_summary, summary
from copilot_analytics.metrics.figures import Figure

LONGEST_CALL = 88

READING = """\
# Metrics

What every figure means. `make docs` makes this page from the docstrings of
`copilot_analytics.metrics`, which `help` shows as well; notebooks end in the same definitions.

A metric takes tables and gives a small sorted frame of the same kind: pandas in, pandas out; the
same call works on DuckDB relations and Spark DataFrames and gives the same numbers. Options are
given by keyword. [docs/fields.md](fields.md) says what the columns of the tables mean.

- A **share** or **rate** is a sum over a sum: its *numerator* / its *denominator*, over the whole
  group or period. It is never a mean of rates, and missing where the denominator is 0. `low` and
  `high` are the ends of its 95 % Wilson interval.
- **Missing is missing**: what GitHub did not report is not 0 and not False, and stays missing in
  the result.
- **Left out** says who is not in the figure. Licences without any use are in none: GitHub has no
  record of them.
- Metrics count whoever is there. Give results to `privacy.hide_small_groups` before others see
  them.
"""


def metrics_page() -> str:
    """Return the page on what every public metric means."""
    sections = _sections()
    found = (
        [_sentence(described(function).question), _link(function.__name__)]
        for functions in sections.values()
        for function in functions
    )
    parts = [READING, f"## Find a metric\n\n{grid('Question | Metric', found)}"]
    for title, functions in sections.items():
        parts += [f"## {plain(title)}\n", *map(_metric, functions)]
    return "\n".join([*parts, _constants()])


def _sections() -> dict[str, list[Callable]]:
    """Return the public functions by what their module is about."""
    sections: dict[str, list[Callable]] = {}
    for name, function in vars(metrics).items():
        if name in metrics.__all__ and callable(function):
            module = inspect.getdoc(sys.modules[function.__module__]) or ""
            title = module.partition("\n\n")[0].replace("\n", " ").removesuffix(".")
            sections.setdefault(title, []).append(function)
    return sections


def _metric(function: Callable) -> str:
    parts = described(function)
    facts = {
        "Numerator": _without_role(parts.column("numerator")),
        "Denominator": _without_role(parts.column("denominator")),
        "Left out": parts.left_out,
        "Note": parts.remarks,
        "Source": parts.source,
    }
    result = "" if parts.returned == "frame" else f"`{parts.returned}`. "
    text = [
        f"### {function.__name__}\n",
        f"*{_sentence(parts.question)}* {_prose(parts.summary)}\n",
        f"```python\n{_call(function)}\n```\n",
        _list(f"{_names(names)}: {_prose(meaning)}" for names, meaning in parts.parameters),
        f"**Result:** {result}{_prose(parts.returns)}\n",
        _list(map(_prose, parts.columns)),
        *(f"**{name}:** {_prose(fact)}\n" for name, fact in facts.items() if fact),
        _further(function),
        f"```pycon\n{parts.example}\n```\n",
    ]
    return "\n".join(filter(None, text))


def _without_role(column: str) -> str:
    """Return what a column holds, without the words that the line begins with anyway."""
    return re.sub(r"(?i)[.,] the (numerator|denominator)\.", ".", column)


def _call(function: Callable) -> str:
    """Return how a function is called, with the defaults of its options."""
    signature = inspect.signature(function)
    names = []
    for name, one in signature.parameters.items():
        if one.kind is one.KEYWORD_ONLY and "*" not in names:
            names.append("*")
        names.append(name if one.default is one.empty else f"{name}={_value(one.default)}")
    call = f"metrics.{function.__name__}"
    line = f"{call}({', '.join(names)})"
    if len(line) <= LONGEST_CALL:
        return line
    return "\n".join([f"{call}(", *(f"    {name}," for name in names), ")"])


def _value(default: object) -> str:
    """Return a default as one writes it; a public constant by its name."""
    names = (name for name in metrics.__all__ if getattr(metrics, name) is default)
    return next(names, repr(default).replace("'", '"'))


def _further(function: Callable) -> str:
    """Return the table that belongs to a metric: what its figures or rules are."""
    figures = {"headline": summary.FIGURES, "engagement_headline": engagement_summary.FIGURES}
    if function.__name__ in figures:
        return _figures(figures[function.__name__])
    if function.__name__ in ("segment_rules", "surface_rules"):
        return _frame(function())
    return ""


def _figures(figures: Sequence[Figure]) -> str:
    days, active = 28, "interactions"
    worded = [figure.of(days, active) for figure in figures]
    rows = ([f"`{one.name}`", plain(one.label), plain(one.definition)] for one in worded)
    heads = f'Figure | Label | Definition, with {days} days and `active="{active}"`'
    return grid(heads, rows)


def _frame(frame: pd.DataFrame) -> str:
    rows = ([plain(str(value)) for value in row] for row in frame.itertuples(index=False))
    return grid(" | ".join(f"`{name}`" for name in frame.columns), rows)


def _constants() -> str:
    values = {name: getattr(metrics, name) for name in metrics.__all__}
    rows = ([f"`{name}`", f"`{_shown(v)}`"] for name, v in values.items() if not callable(v))
    return f"## Constants\n\n{grid('Name | Value', rows)}"


def _shown(value: object) -> str:
    return repr(dict(value) if hasattr(value, "items") else value)


def _names(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", "))


def _list(entries: Iterable[str]) -> str:
    return "".join(f"- {entry}\n" for entry in entries)


def _prose(text: str) -> str:
    """Return text of a docstring as Markdown; a name of a metric becomes a link to it."""
    return "".join(_pieces(text))


def _sentence(text: str) -> str:
    return _prose(text[:1].upper() + text[1:])


def _pieces(text: str) -> Iterator[str]:
    for place, piece in enumerate(re.split(r"(``[^`]+``|`[^`]+`)", text)):
        if place % 2 == 0:
            yield plain(piece)
        elif piece.startswith("``") or piece.strip("`") not in metrics.__all__:
            yield f"`{piece.strip('`')}`"
        else:
            yield _link(piece.strip("`"))


def _link(name: str) -> str:
    return f"[`{name}`](#{name.lower()})"
