"""Sentences and blocks of text: the answer, the header, definitions and provenance."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from copilot_analytics.display.banners import banners
from copilot_analytics.display.docstrings import Described, described
from copilot_analytics.display.formats import count_text, day_text, days_text, number, span_text
from copilot_analytics.display.html import Html, element, markup
from copilot_analytics.display.markers import digests
from copilot_analytics.display.periods import Period


def answer(sentence: str) -> Html:
    """Show the sentence that answers the question of the report.

    >>> print(answer("Half of the people with a seat used Copilot."))
    Half of the people with a seat used Copilot.
    """
    return Html(element("p", sentence, class_="answer"), sentence)


def header(
    period: Period,
    *,
    show_logins: bool = False,
    definition: str = "",
    team: str = "",
    minimum_group_size: int = 0,
) -> Html:
    """Show what the report covers and how old its data is, with all banners of the period.

    Parameters
    ----------
    period
        What `period` returned.
    show_logins
        Whether people are named.
    definition
        The definition of active, named beside the period.
    team
        The team that the report is about; "" for everybody.
    minimum_group_size
        Smallest group that is shown, which is said once, here; 0 if none is hidden.

    Examples
    --------
    >>> from datetime import date
    >>> days = (date(2026, 11, 2), date(2026, 11, 3))
    >>> print(header(Period("organization:octo-org", *days, *days, expected=2, present=2)))
    Organization octo-org · 2–3 November 2026 (2 days) · data through 2 November 2026, ...
    """
    facts = [scope_name(period.scope), f"team {team}" if team else ""]
    if period.start is not None and period.end is not None:
        span = span_text(period.start, period.end)
        whole = count_text(period.expected, "day")
        is_whole = period.present == period.expected
        facts.append(f"{span} ({whole if is_whole else f'{number(period.present)} of {whole}'})")
    facts.append(_age(period))
    if definition:
        facts.append(f"active: {definition}")
    if minimum_group_size:
        facts.append(_hidden(minimum_group_size))
    line = element(
        "p", *(markup(element("span", fact)) for fact in facts if fact), class_="coverage"
    )
    boxes = banners(period, show_logins=show_logins)
    return Html(line + boxes.body, "\n".join([" · ".join(filter(None, facts)), boxes.text]).strip())


def _hidden(minimum: int) -> str:
    return f"groups of fewer than {count_text(minimum, 'person', 'people')} are not shown"


def scope_name(scope: str) -> str:
    """Return how a scope is called in a text.

    >>> scope_name("organization:octo-org")
    'Organization octo-org'
    """
    kind, _, name = scope.partition(":")
    return f"{kind.capitalize()} {name}" if name and "," not in scope else scope


def _age(period: Period) -> str:
    if period.data_through is None:
        return "no data"
    text = f"data through {day_text(period.data_through)}"
    if period.final_through is not None:
        text += f", final through {day_text(period.final_through)}"
    return text


def definitions(functions: Sequence[Callable]) -> Html:
    """Show how each figure is defined, from the docstring of the function that computes it.

    What it answers, the columns it returns, and its notes. Each entry can be linked to as
    ``#definition-`` and the name of the function with hyphens.

    Parameters
    ----------
    functions
        The functions of `metrics` that a notebook uses.

    Examples
    --------
    >>> def active_users(users):
    ...     '''Count the people with activity on each day.'''
    >>> print(definitions([active_users]))
    active_users: Count the people with activity on each day.
    """
    entries, lines = [], []
    for function in functions:
        name = function.__name__
        anchor = f"definition-{name.replace('_', '-')}"
        parts = described(function)
        listed = element("ul", *(markup(element("li", _with_code(text))) for text in parts.columns))
        entries += [
            element("dt", markup(element("code", name)), id=anchor),
            element("dd", _with_code(_opening(parts))),
            element("dd", markup(listed)) if parts.columns else "",
            element("dd", _with_code(parts.notes)) if parts.notes else "",
        ]
        lines.append(" ".join(filter(None, [f"{name}: {_opening(parts)}", parts.notes])))
    return Html(element("dl", markup(*entries), class_="definitions"), "\n".join(lines))


def _opening(parts: Described) -> str:
    """Return the question that a function answers; its summary is written for who calls it."""
    return parts.question[:1].upper() + parts.question[1:] or parts.summary


def _with_code(text: str) -> Html:
    pieces = re.split(r"``([^`]+)``|`([^`]+)`", text)
    plain, double, single = pieces[0::3], pieces[1::3], pieces[2::3]
    marked = [element("code", a or b) for a, b in zip(double, single, strict=True)] + [""]
    spans = [element("span", text) for text in plain]
    return markup(*(part for pair in zip(spans, marked, strict=True) for part in pair))


def provenance(
    period: Period,
    tables: Mapping[str, pd.DataFrame],
    *,
    definition: str = "",
    minimum_group_size: int = 0,
    parameters: Mapping[str, object] | None = None,
) -> Html:
    """Show where the figures come from, so that two reports can be compared.

    The days covered, the definition of active, what is hidden, the parameters, rows and digest of
    the tables that the period names, and the versions of the software.

    Parameters
    ----------
    period
        What `period` returned.
    tables
        The tables that the figures come from.
    definition
        The definition of active.
    minimum_group_size
        Smallest group that is shown; 0 if none is hidden.
    parameters
        Name to value of further parameters that the figures depend on; "" for one that is not set.

    Examples
    --------
    >>> period = Period("organization:1", None, None, None, None, expected=0, present=0)
    >>> print(provenance(period, {"users": pd.DataFrame()}, parameters={"weeks": 4}))
    Scope: organization:1
    ...
    Parameters: weeks = 4
    Software: copilot-analytics ...
    """
    rows = {
        "Scope": period.scope,
        "Data": _age(period),
        "Days": _days_present(period),
        "Provisional days": days_text(period.provisional) if period.provisional else "none",
        "Missing days": days_text(period.missing) if period.missing else "none",
        "Damaged days": days_text(period.damaged) if period.damaged else "none",
        "Pending days": days_text(period.pending) if period.pending else "none",
        "Definition of active": definition,
        "Hidden": _hidden(minimum_group_size) if minimum_group_size else "",
        "Parameters": ", ".join(
            f"{name} = {value}" if value != "" else f"{name} is not set"
            for name, value in (parameters or {}).items()
        ),
        "Software": ", ".join(f"{name} {number_}" for name, number_ in versions().items()),
    }
    for name, table in digests(tables, period.families).items():
        rows[f"Table {name}"] = f"{count_text(table['rows'], 'row')}, digest {table['digest'][:16]}"
    shown = {key: value for key, value in rows.items() if value}
    body = "".join(
        element("tr", markup(element("th", key, scope="row"), element("td", value)))
        for key, value in shown.items()
    )
    return Html(
        element("table", markup(element("tbody", markup(body))), class_="facts"),
        "\n".join(f"{key}: {value}" for key, value in shown.items()),
    )


def _days_present(period: Period) -> str:
    text = f"{number(period.present)} of {number(period.expected)} present"
    if period.empty:
        text += f", GitHub has no report for {number(len(period.empty))}"
    return text


def versions() -> dict[str, str]:
    """Return the versions of the packages that the figures depend on."""
    found = {}
    for name in ("copilot-analytics", "pandas", "pyarrow", "narwhals"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a checkout that is on the path but not installed
            found[name] = "(checkout)"
    return found
