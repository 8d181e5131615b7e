"""The pages of a report, made from its executed notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import nbformat

from copilot_analytics import display
from copilot_analytics.display import Html
from copilot_analytics.reporting import pages as notebook_pages
from copilot_analytics.reporting.exporter import ReportExporter

INDEX = "index.html"


@dataclass(frozen=True)
class Context:
    """What all pages of one report, or of one team in it, share."""

    period: display.Period
    markers: Mapping[str, dict]
    moment: datetime
    banners: list[Html]
    earlier: list[dict]
    changes: dict | None = None
    folder: str = ""
    team: str = ""
    teams: list[dict] = field(default_factory=list)
    refused: int = 0
    minimum: int = 0
    has_pdf: bool = False

    @property
    def about(self) -> str:
        """Whom the pages are about."""
        scope = display.scope_name(self.period.scope)
        return f"{scope}, team {self.team}" if self.team else scope


def pages(books: Mapping[str, nbformat.NotebookNode], context: Context) -> dict[str, str]:
    """Return the pages: name of file to HTML, the first page included."""
    exporter = ReportExporter()
    titles = {
        name: notebook_pages.title_of(book, name.capitalize()) for name, book in books.items()
    }
    # The names are short, the titles are questions: seven of those would fill the first screen.
    links = [(f"{name}.html", name.replace("_", " ").capitalize()) for name in titles]
    everybody = [(f"../{INDEX}", "Everybody")] if context.folder else []
    shared = {
        "links": [*everybody, (INDEX, "Overview"), *links],
        "scope": context.about,
        "period": context.period,
        "generated": f"{display.day_text(context.moment.date())}, {context.moment:%H:%M} UTC",
        "version": display.versions()["copilot-analytics"],
        "has_pdf": context.has_pdf,
    }
    files = {INDEX: exporter.overview(shared | _overview(titles, context))}
    for name, book in books.items():
        own = {"file": f"{name}.html", "notebook": f"{name}.ipynb", "banners": context.banners}
        resources = {"name": name, "page": shared | own}
        files[f"{name}.html"], _ = exporter.from_notebook_node(book, resources)
    return files


def _overview(titles: Mapping[str, str], context: Context) -> dict:
    markers = context.markers.values()
    minima = [marker.get("parameters", {}).get("minimum_group_size", 0) for marker in markers]
    header = display.header(
        context.period,
        show_logins=any(marker["show_logins"] for marker in markers),
        team=context.team,
        minimum_group_size=max(minima, default=0),
    )
    above, inside = ("../..", f"{context.folder}/") if context.folder else ("..", "")
    return {
        "file": INDEX,
        "title": f"Copilot at {context.about}",
        "header": header,
        "banners": context.banners,
        "parts": [
            {
                "file": f"{name}.html",
                "title": title,
                "answer": context.markers[name]["answer"],
                "covered": _covered(context.markers[name], context.period),
                "tiles": display.tiles(context.markers[name]["headlines"]),
            }
            for name, title in titles.items()
        ],
        "changes": _changes(titles, context),
        "teams": context.teams,
        "refused": display.count_text(context.refused, "more team") if context.refused else "",
        "minimum": context.minimum,
        "earlier": [
            {
                "file": f"{above}/{report['folder']}/{inside}{INDEX}",
                "day": report["day"],
                "span": f"{report['summary'].get('start')} – {report['summary'].get('end')}",
            }
            for report in context.earlier
        ],
    }


def _changes(titles: Mapping[str, str], context: Context) -> dict | None:
    """Return what changed since the report before, notebook by notebook, as the page shows it."""
    found = context.changes
    if not found or not (found["figures"] or found["settled"] or found["not_compared"]):
        return None
    since, now = _day(found["since"]), context.period.end
    days = [display.day_text(day) if day else "an unknown day" for day in (since, now)]
    parts = []
    for name, title in titles.items():
        figures = [figure for figure in found["figures"] if figure["notebook"] == name]
        if figures:
            shown = display.changes(figures, then=days[0], now=days[1])
            parts.append({"title": title, "figures": shown})
    return {
        "since": days[0],
        "parts": parts,
        "not_compared": [
            {"title": titles[name], "differing": ", ".join(differing)}
            for name, differing in found["not_compared"].items()
        ],
        "settled": display.days_text(list(map(_day, found["settled"]))) if found["settled"] else "",
    }


def _covered(marker: Mapping, whole: display.Period) -> str:
    """Return the days of one notebook, where they are not those of the whole report."""
    start, end = _day(marker["start"]), _day(marker["end"])
    is_whole = (start, end) == (whole.start, whole.end)
    return "" if is_whole or not (start and end) else display.span_text(start, end)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def notebook_text(book: nbformat.NotebookNode) -> str:
    """Return an executed notebook as it is published."""
    return nbformat.writes(book, version=4) + "\n"
