"""The pages of a report, made from its executed notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import nbformat

from copilot_analytics import display
from copilot_analytics.display import Html
from copilot_analytics.reporting import pages as notebook_pages
from copilot_analytics.reporting.exporter import ReportExporter

INDEX = "index.html"


@dataclass(frozen=True)
class Context:
    """What all pages of one report share."""

    period: display.Period
    markers: Mapping[str, dict]
    moment: datetime
    banners: list[Html]
    earlier: list[dict]


def pages(books: Mapping[str, nbformat.NotebookNode], context: Context) -> dict[str, str]:
    """Return the pages: name of file to HTML, the first page included."""
    exporter = ReportExporter()
    titles = {
        name: notebook_pages.take_title(notebook_pages.sections(book), name.capitalize())
        for name, book in books.items()
    }
    # The names are short, the titles are questions: seven of those would fill the first screen.
    links = [(f"{name}.html", name.replace("_", " ").capitalize()) for name in titles]
    shared = {
        "links": [(INDEX, "Overview"), *links],
        "scope": display.scope_name(context.period.scope),
        "period": context.period,
        "generated": f"{display.day_text(context.moment.date())}, {context.moment:%H:%M} UTC",
        "version": display.versions()["copilot-analytics"],
    }
    files = {INDEX: exporter.overview(shared | _overview(titles, context))}
    for name, book in books.items():
        own = {"file": f"{name}.html", "notebook": f"{name}.ipynb", "banners": context.banners}
        resources = {"name": name, "page": shared | own}
        files[f"{name}.html"], _ = exporter.from_notebook_node(book, resources)
    return files


def _overview(titles: Mapping[str, str], context: Context) -> dict:
    named = any(marker["show_logins"] for marker in context.markers.values())
    return {
        "file": INDEX,
        "title": f"Copilot at {display.scope_name(context.period.scope)}",
        "header": display.header(context.period, show_logins=named),
        "banners": context.banners,
        "parts": [
            {
                "file": f"{name}.html",
                "title": title,
                "answer": context.markers[name]["answer"],
                "tiles": display.tiles(context.markers[name]["headlines"]),
            }
            for name, title in titles.items()
        ],
        "earlier": [
            {
                "file": f"../{report['day']}/{INDEX}",
                "day": report["day"],
                "span": f"{report['summary'].get('start')} – {report['summary'].get('end')}",
            }
            for report in context.earlier
        ],
    }


def notebook_text(book: nbformat.NotebookNode) -> str:
    """Return an executed notebook as it is published."""
    return nbformat.writes(book, version=4) + "\n"
