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
CSV_DECIMALS = 6
SVG_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "copilot_analytics"}


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
        # More digits than anybody reads would make up half of the page.
        decimals = dict.fromkeys(data.select_dtypes("float"), CSV_DECIMALS)
        address = data_uri(csv_text(data.round(decimals)).encode(), "text/csv;charset=utf-8")
        file = re.sub(r"[^A-Za-z0-9_-]+", "-", name) + ".csv"
        link = element("a", "Data of this chart (CSV)", href=address, download=file)
        parts.append(element("figcaption", markup(link)))
    return Chart(element("figure", markup(*parts), class_="chart"), f"Chart: {alt}", alt)


def _svg(figure) -> bytes:
    """Return the figure as SVG that is the same for the same figure, and small.

    Words are kept as text instead of outlines, and coordinates to a hundredth of a point; that is a
    third of the size. Verdana is as wide as the font that the chart was measured with.
    """
    buffer = io.StringIO()
    # Who has a figure has Matplotlib; only the functions that draw import it.
    with sys.modules["matplotlib"].rc_context(SVG_SETTINGS):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    unseen = r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->|(?<=>)\n\s*(?=<)"
    text = re.sub(unseen, "", buffer.getvalue(), flags=re.DOTALL)
    return re.sub(r"<[^>]*>", lambda tag: _shortened(tag[0]), text).strip().encode()


def _shortened(tag: str) -> str:
    tag = tag.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    return re.sub(r"(\.\d\d)\d+", r"\1", tag)


def _close(figure) -> None:
    """Keep the inline backend from showing the figure a second time at the end of the cell.

    Only figures that pyplot made are known to it, so without pyplot there is nothing to close.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
