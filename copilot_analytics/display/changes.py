"""Figures of two reports side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from copilot_analytics.display.headlines import difference_text, headline, value_text
from copilot_analytics.display.html import Html, element, markup

SHOWN = ("value", "unit", "decimals", "is_hidden")


def changes(figures: Iterable[Mapping], *, then: str, now: str) -> Html:
    """Show what figures were in an earlier report, what they are in this one, and the difference.

    Parameters
    ----------
    figures
        One mapping per figure: `label`, and what `headline` made `then` and `now`.
    then, now
        How the two reports are called, such as their last days.

    Examples
    --------
    >>> people = {"then": headline("Active people", 38), "now": headline("Active people", 41)}
    >>> print(changes([{"label": "Active people"} | people], then="13 Nov", now="20 Nov"))
    Active people: 38 (13 Nov), 41 (20 Nov), up 7.9%
    """
    rows, lines = [], []
    for figure in figures:
        before, after = (_as_headline(figure, key) for key in ("then", "now"))
        texts = [value_text(one) for one in (before, after)]
        difference = difference_text(after | {"previous": before["value"]}) or "–"
        cells = [element("td", text, class_="number") for text in texts]
        name = element("th", figure["label"], scope="row")
        rows.append(element("tr", markup(name, *cells, element("td", difference))))
        lines.append(f"{figure['label']}: {texts[0]} ({then}), {texts[1]} ({now}), {difference}")
    heads = [("Figure", None), (then, "number"), (now, "number"), ("Change", None)]
    head = element("tr", *(markup(element("th", t, scope="col", class_=c)) for t, c in heads))
    inner = (element("thead", markup(head)), element("tbody", markup(*rows)))
    table = element("table", markup(*inner), class_="data changes")
    return Html(element("div", markup(table), class_="table-box", tabindex=0), "\n".join(lines))


def _as_headline(figure: Mapping, key: str) -> dict:
    """Return one side as a headline; an earlier report is a file that anybody may have changed."""
    given = {name: value for name, value in figure[key].items() if name in SHOWN}
    return headline(figure["label"], **{"value": None} | given)
