"""Frames as tables for people, and as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.display.formats import (
    HIDDEN,
    MISSING,
    WHY_HIDDEN,
    count_text,
    decimals_for,
    is_missing,
    is_share,
    number,
)
from copilot_analytics.display.html import Html, element, markup
from copilot_analytics.spreadsheets import without_formulas

HIDDEN_COLUMN = "is_hidden"
LONGEST_NAME = 30  # letters; a longer one may break, so that a table stays on the screen


def table(
    frame: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
    caption: str = "",
    rows: int = 20,
    limit: int = 1000,
) -> Html:
    """Show a frame as a table: every cell says something, numbers stand right-aligned.

    Parameters
    ----------
    frame
        One row per row of the table; the index is not shown. In a row where the column `is_hidden`
        is True, missing numbers read "not shown", which the table then explains: the group is too
        small, or would tell how large such a group is. Elsewhere missing values read "–".
    labels
        Column name to heading; else the catalogue's label, with its unit.
    formats
        Column name to a Python format, such as ``",.1f"``, ``".1%"`` (for shares between 0 and 1;
        the sign moves to the heading) or ``"text"``.
    caption
        What the table shows, above it. Without any row there is only the caption.
    rows
        Rows shown at first on a report page; the rest is one click away.
    limit
        Rows included at most; the caption says so where rows were left out.

    Examples
    --------
    >>> print(table(pd.DataFrame({"language": ["go"], "people": [1200]})))
      Language    People
            go     1,200
    """
    is_hidden = (
        frame[HIDDEN_COLUMN].fillna(False).to_numpy(bool)
        if HIDDEN_COLUMN in frame
        else np.zeros(len(frame), dtype=bool)
    )
    shown = frame.drop(columns=HIDDEN_COLUMN, errors="ignore").iloc[:limit]
    styles = {name: (formats or {}).get(name) or _style(name, shown[name]) for name in shown}
    heads = {name: (labels or {}).get(name) or _heading(name, styles[name]) for name in shown}
    texts = {name: _texts(shown[name], styles[name], is_hidden) for name in shown.columns}
    if len(frame) > limit:
        caption = (
            f"{caption} (the first {number(limit)} of {count_text(len(frame), 'row')})".strip()
        )
    if caption and frame.empty:
        return Html(element("p", caption, class_="no-rows"), caption)
    plain = pd.DataFrame({heads[name]: texts[name] for name in shown}, dtype=object)
    plain_text = plain.to_string(index=False) if len(plain) else "no rows"
    legend = WHY_HIDDEN if plain.eq(HIDDEN).any(axis=None) else ""
    return Html(
        _markup(shown, texts, heads, styles, caption, legend, rows),
        "\n".join(filter(None, [caption, plain_text, legend])),
    )


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV whose text cells no spreadsheet runs as formulas.

    Numbers stay numbers, also negative ones; text that starts like a formula gets an apostrophe.

    >>> csv_text(pd.DataFrame({"team": ["=1+1"], "change": [-3]})).splitlines()
    ['team,change', "'=1+1,-3"]
    """
    # so that a lone \r is quoted
    return without_formulas(frame).to_csv(index=False, lineterminator="\r\n")


def _style(name: str, column: pd.Series) -> str:
    """Return the format of a column: a Python format, "text", "day" or "flag"."""
    if pd.api.types.is_bool_dtype(column):
        return "flag"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "day"
    if not pd.api.types.is_numeric_dtype(column) or name == "id" or name.endswith("_id"):
        return "text"
    if pd.api.types.is_integer_dtype(column):
        return ",d"
    if is_share(name):
        return ".1%"
    sizes = column.astype("float64").abs()
    largest = sizes[np.isfinite(sizes)].max()
    return f",.{decimals_for(largest)}f" if largest == largest else ",.0f"


def _heading(name: str, style: str) -> str:
    if style.endswith("%"):
        return f"{catalogue.label(name)} (%)"
    unit, label = _units().get(name, ""), catalogue.label(name)
    is_said = not unit or unit.lower() in label.lower()
    return label if is_said or style in ("text", "day", "flag") else f"{label} ({unit})"


@cache
def _units() -> dict[str, str]:
    quantities = ("count", "number")
    return {
        field.column: field.unit
        for one in catalogue.all_tables().values()
        for field in one.columns
        if field.type in quantities
    }


def _texts(column: pd.Series, style: str, is_hidden: np.ndarray) -> list[str]:
    write = _writer(style)
    is_number = style not in ("text", "day")
    return [
        (HIDDEN if is_number and hidden else MISSING) if is_missing(value) else write(value)
        for value, hidden in zip(column, is_hidden, strict=False)
    ]


def _writer(style: str) -> Callable[[object], str]:
    if style == "text":
        return lambda value: str(value) or MISSING
    if style == "day":
        return lambda value: pd.Timestamp(value).strftime("%Y-%m-%d")
    if style == "flag":
        return lambda value: "yes" if value else "no"
    if style.endswith("%"):
        return lambda value: _with_minus(format(value, style).rstrip("%"))
    return lambda value: _with_minus(format(value, style))


def _with_minus(text: str) -> str:
    return text.replace("-", "−").replace("inf", "∞")


def _markup(
    frame: pd.DataFrame,
    texts: Mapping[str, list[str]],
    heads: Mapping[str, str],
    styles: Mapping[str, str],
    caption: str,
    legend: str,
    rows: int,
) -> str:
    is_number = {name: style not in ("text", "day", "flag") for name, style in styles.items()}
    head = element(
        "tr",
        *(
            markup(element("th", heads[name], scope="col", class_="number" if right else None))
            for name, right in is_number.items()
        ),
    )
    columns = [
        [
            element("td", text, class_="number", data_value=_sort_value(value))
            if is_number[name]
            else element("td", text, class_=_text_class(text))
            for value, text in zip(frame[name], texts[name], strict=True)
        ]
        for name in frame
    ]
    body = [element("tr", markup(*cells)) for cells in zip(*columns, strict=True)]
    if not body:
        none = element("td", "no rows", colspan=max(len(heads), 1))
        body = [element("tr", markup(none))]
    parts = [
        element("caption", caption) if caption else "",
        element("thead", markup(head)),
        element("tbody", markup(*body)),
    ]
    inner = element("table", markup(*parts), class_="data", data_rows=rows)
    below = element("p", legend, class_="legend") if legend else ""
    return element("div", markup(inner, below), class_="table-box", tabindex=0)


def _text_class(text: str) -> str | None:
    """Return whether a text is a name to keep in one line, such as a pseudonym, or a sentence."""
    if "-" in text and " " not in text and len(text) <= LONGEST_NAME:
        return "name"
    return "sentence" if " " in text and len(text) > LONGEST_NAME else None


def _sort_value(value: object) -> str | None:
    return None if is_missing(value) else repr(float(value))
