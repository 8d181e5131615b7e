"""Headline figures: a few numbers with their change and a small line each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from copilot_analytics.display.formats import HIDDEN, MISSING, WHY_HIDDEN, is_missing, number
from copilot_analytics.display.html import Html, data_uri, element, markup

COLUMNS = ("label", "value", "unit", "previous", "series", "decimals", "note", "is_hidden")
SPARKLINE_SIZE = (120, 32)
UNCHANGED = "as before"


def headline(
    label: str,
    value: float | None,
    *,
    unit: str = "",
    previous: float | None = None,
    series: Iterable[float] | None = None,
    decimals: int | None = None,
    note: str = "",
    is_hidden: bool = False,
) -> dict:
    """Describe one headline figure, with plain values that JSON can hold.

    Parameters
    ----------
    label
        What is counted, in plain words.
    value
        The figure; missing (None, NaN, NA) is shown as "–".
    unit
        "%" for a share between 0 and 1, which is shown times 100; else what is counted.
    previous
        The same figure in the period before.
    series
        The figure day by day, for the small line; missing days are gaps.
    decimals
        Decimals to show; by default about three significant digits.
    note
        A few words below the figure, such as its denominator.
    is_hidden
        True where the group is too small to be shown; the value is then dropped.

    Examples
    --------
    >>> headline("Active people", 41, previous=38)["value"]
    41
    """
    points = [] if is_hidden or series is None else [_plain(point) for point in series]
    return {
        "label": str(label),
        "value": None if is_hidden else _plain(value),
        "unit": str(unit),
        "previous": None if is_hidden else _plain(previous),
        "series": points,
        "decimals": None if is_missing(decimals) else int(decimals),
        "note": str(note),
        "is_hidden": bool(is_hidden),
    }


def normalize(headlines: pd.DataFrame | Iterable[dict]) -> list[dict]:
    """Return headline figures as a list of what `headline` makes, from a list or a frame."""
    records = headlines.to_dict("records") if isinstance(headlines, pd.DataFrame) else headlines
    return [
        headline(**{"value": None} | {k: record[k] for k in COLUMNS if _is_given(record.get(k))})
        for record in records
    ]


def tiles(
    headlines: pd.DataFrame | Iterable[dict],
    *,
    history: pd.DataFrame | None = None,
) -> Html:
    """Show headline figures side by side, each with its change and its small line.

    Parameters
    ----------
    headlines
        What `headline` made, or a frame with one row per figure and the columns `label`, `value`
        and, as wanted, `unit`, `previous`, `series`, `decimals`, `note`, `is_hidden`. A hidden
        figure reads "not shown", which is explained below.
    history
        Frame of `metrics.figure_history`, after `privacy`, for the small lines of a frame.

    Examples
    --------
    >>> print(tiles([headline("Active people", 41, previous=38)]))
    Active people: 41 (up 7.9% from 38)
    """
    if history is not None:
        lines = history.sort_values("end").groupby("figure")["value"].agg(list)
        headlines = headlines.assign(series=headlines["figure"].map(lines))
    figures = normalize(headlines)
    legend = WHY_HIDDEN if any(figure["is_hidden"] for figure in figures) else ""
    return Html(
        element("div", *(_tile(figure) for figure in figures), class_="tiles")
        + (element("p", legend, class_="legend") if legend else ""),
        "\n".join(filter(None, [*(_sentence(figure) for figure in figures), legend])),
    )


def value_text(figure: dict) -> str:
    """Return the figure as it is shown, without its unit unless that is "%".

    >>> value_text(headline("Rate", 0.2784, unit="%"))
    '27.8%'
    """
    if figure["is_hidden"]:
        return HIDDEN
    return _write(figure, figure["value"])


def change_text(figure: dict) -> str:
    """Return the change against the period before, in words.

    >>> change_text(headline("Rate", 0.28, unit="%", previous=0.25))
    'up 3.0 points from 25.0%'
    """
    value, previous = figure["value"], figure["previous"]
    if value is None or previous is None:
        return "" if value is None or figure["note"] else "no earlier period to compare with"
    before, difference = _write(figure, previous), difference_text(figure)
    return f"{difference} ({before})" if difference == UNCHANGED else f"{difference} from {before}"


def difference_text(figure: dict) -> str:
    """Return how far the figure is from the one before, "" where one of them is missing.

    >>> difference_text(headline("Rate", 0.28, unit="%", previous=0.25))
    'up 3.0 points'
    """
    value, previous = figure["value"], figure["previous"]
    if value is None or previous is None:
        return ""
    if _write(figure, previous) == _write(figure, value):
        return UNCHANGED
    direction = "up" if value > previous else "down"
    if figure["unit"] == "%":
        return f"{direction} {number(abs(value - previous) * 100, 1)} points"
    if min(value, previous) <= 0:
        return direction  # a percentage of nothing, or of less, tells nothing
    percent = abs(value / previous - 1) * 100
    return f"{direction} {number(percent, 0 if percent >= 10 else 1)}%"


def sparkline(figure: dict) -> Html | None:
    """Draw the series of a figure as a small line from zero; missing days are gaps."""
    series = figure["series"]
    known = [value for value in series if value is not None]
    if len(known) < 2:
        return None
    width, height = SPARKLINE_SIZE
    top = max(max(known), 0) or 1
    points = [
        None
        if value is None
        else (3 + place * (width - 6) / (len(series) - 1), 3 + (height - 6) * (1 - value / top))
        for place, value in enumerate(series)
    ]
    last = [point for point in points if point is not None][-1]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<path d="{_path(points)}" fill="none" stroke="#2b83c6" stroke-width="1.6" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
        f'<circle cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.6" fill="#2b83c6"/></svg>'
    )
    first, last_value, low, high = (
        _write(figure, value) for value in (known[0], known[-1], min(known), max(known))
    )
    return markup(
        element(
            "img",
            class_="sparkline",
            src=data_uri(svg.encode(), "image/svg+xml"),
            alt=f"Line from {first} to {last_value}, between {low} and {high}",
            width=width,
            height=height,
        )
    )


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """Return the path through the points, lifting the pen at gaps."""
    moves, is_drawing = [], False
    for point in points:
        if point is not None:
            moves.append(f"{'L' if is_drawing else 'M'}{point[0]:.1f} {point[1]:.1f}")
            if not is_drawing:
                moves.append("h0")  # a day between two gaps is still a dot
        is_drawing = point is not None
    return "".join(moves)


def _tile(figure: dict) -> Html:
    unit = "" if figure["is_hidden"] else _unit(figure)
    kind = "value absent" if figure["is_hidden"] else "value"
    lines = [text for text in (change_text(figure), figure["note"]) if text]
    parts = [
        element("div", figure["label"], class_="label"),
        element(
            "div",
            markup(element("span", value_text(figure), class_=kind)),
            markup(element("span", f" {unit}", class_="unit")) if unit else None,
            class_="figure",
        ),
        element("div", *(markup(element("div", line)) for line in lines), class_="change"),
        element("div", sparkline(figure)),
    ]
    return markup(element("div", markup(*parts), class_="tile"))


def _sentence(figure: dict) -> str:
    unit = f" {_unit(figure)}".rstrip()
    aside = "; ".join(text for text in (change_text(figure), figure["note"]) if text)
    return f"{figure['label']}: {value_text(figure)}{unit}" + (f" ({aside})" if aside else "")


def _unit(figure: dict) -> str:
    """Return the unit as it follows the value, "" for shares; of one thing it has no plural."""
    noun, per, rest = ("" if figure["unit"] == "%" else figure["unit"]).partition(" per ")
    if figure["value"] == 1:
        noun = {"people": "person"}.get(noun, noun.removesuffix("s"))
    return f"{noun}{per}{rest}"


def _write(figure: dict, value: float | None) -> str:
    if value is None:
        return MISSING
    if figure["unit"] == "%":
        decimals = 1 if figure["decimals"] is None else figure["decimals"]
        return f"{number(value * 100, decimals)}%"
    if figure["decimals"] is None and abs(value) >= 1_000_000:
        return f"{number(value / 1_000_000)} million"
    return number(value, figure["decimals"])


def _plain(value: float | None) -> float | int | None:
    """Return a Python number, or None for what is missing or not finite."""
    if is_missing(value) or abs(float(value)) == float("inf"):
        return None
    return int(value) if float(value).is_integer() else float(value)


def _is_given(value: object) -> bool:
    return value is not None and (not pd.api.types.is_scalar(value) or not pd.isna(value))
