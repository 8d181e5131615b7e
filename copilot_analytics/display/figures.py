"""Charts with alternative text, and with the data behind them to take along."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass

import pandas as pd

from copilot_analytics.display.html import Html, data_uri, element, markup
from copilot_analytics.display.tables import csv_text
from copilot_analytics.errors import UsageError

PIXELS_PER_INCH = 96


@dataclass(frozen=True)
class Chart(Html):
    """A drawn chart; `alt` says in words what it shows."""

    alt: str = ""


def chart(figure, alt: str = "", *, data: pd.DataFrame | None = None, name: str = "data") -> Chart:
    """Show a chart together with what it says in words and the data behind it.

    Parameters
    ----------
    figure
        A Matplotlib figure, or one of its axes. It is drawn once and then closed.
    alt
        For people who do not see it: the kind of chart, what it shows, the main figure. Without
        it, the label of the axes or figure is taken, which the functions of `charts` set.
    data
        The frame behind the chart, after `privacy`; offered as a CSV file.
    name
        Name of that file, without its ending.

    Raises
    ------
    UsageError
        If there is neither `alt` nor a label.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> print(chart(Figure(), "Empty chart: there is no data."))
    Chart: Empty chart: there is no data.
    """
    alt = alt or str(figure.get_label())
    if not alt.strip():
        raise UsageError(
            "a chart has no alternative text",
            advice="say what kind of chart it is, what it shows, and its main figure",
        )
    figure = getattr(figure, "figure", figure)
    image = element(
        "img",
        src=data_uri(_svg(figure), "image/svg+xml"),
        alt=alt,
        width=round(figure.get_figwidth() * PIXELS_PER_INCH),
        height=round(figure.get_figheight() * PIXELS_PER_INCH),
    )
    _close(figure)
    # On a phone the chart is wider than the screen, so there its words stand above it.
    words = element("p", alt, class_="in-words")
    parts = [words, element("div", markup(image), class_="chart-box", tabindex=0)]
    if data is not None:
        address = data_uri(csv_text(data).encode(), "text/csv;charset=utf-8")
        file = re.sub(r"[^A-Za-z0-9_-]+", "-", name) + ".csv"
        link = element("a", "Data of this chart (CSV)", href=address, download=file)
        parts.append(element("figcaption", markup(link)))
    return Chart(element("figure", markup(*parts), class_="chart"), f"Chart: {alt}", alt)


def _svg(figure) -> bytes:
    """Return the figure as SVG that is the same for the same figure.

    Matplotlib puts a random salt into the names of clip paths and markers, and the labels once
    more into comments.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<!--.*?-->\n?", "", buffer.getvalue(), flags=re.DOTALL)
    names = {name: f"n{place}" for place, name in enumerate(_random_names(text))}
    return re.sub(
        r'((?:id="|#))([a-zA-Z][0-9a-f]{10})\b', lambda m: m[1] + names.get(m[2], m[2]), text
    ).encode()


def _random_names(svg: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'id="([a-zA-Z][0-9a-f]{10})"', svg)))


def _close(figure) -> None:
    """Keep the inline backend from showing the figure a second time at the end of the cell.

    Only figures that pyplot made are known to it, so without pyplot there is nothing to close.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
