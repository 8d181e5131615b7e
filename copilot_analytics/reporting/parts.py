"""The parts of a report, everybody and single teams: from executed notebooks to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from copilot_analytics import display
from copilot_analytics.reporting import comparing, rendering, summaries
from copilot_analytics.reporting import executed as results
from copilot_analytics.reporting.notebooks import REQUIRED, declared_parameters


@dataclass(frozen=True)
class Part:
    """Executed notebooks about everybody, or about one team, after all checks.

    `folder` and `team` are "" for everybody; `summary` is what ``report.json`` says.
    """

    folder: str
    team: str
    books: Mapping[str, nbformat.NotebookNode]
    markers: Mapping[str, dict]
    period: display.Period
    summary: dict


def checked(
    plan: summaries.Plan, executed: Mapping[str, Path], private: Path, folder: str = ""
) -> Part:
    """Return a part of a report, if all of its notebooks are complete.

    Raises
    ------
    ReportError
        If one is not.
    """
    books, markers = {}, {}
    for run, (path, values) in plan.tasks(folder).items():
        names = results.path_names(plan.archive, private, path.parent)
        book = results.read_executed(executed[run])
        marker = results.completion_marker(path.stem, book, values)
        # Of the run, not of the notebook: also a notebook that says nothing of them was given them.
        marker = marker | {"parameters": _parameters(path, values)}
        markers[path.stem] = results.strip_paths(marker, names)
        books[path.stem] = results.publishable(book, names)
    period = summaries.merged_period(markers, plan.scope)
    team = plan.teams.chosen.get(folder, "")
    said = summaries.summary(markers, period, plan) | {"team": team}
    return Part(folder, team, books, markers, period, said)


def files(parts: list[Part], plan: summaries.Plan, earlier: list[dict]) -> dict[str, str]:
    """Return the pages and notebooks of all parts: name of file to text.

    The first part is everybody. What changed since the report before is added to each `summary`.
    """
    made: dict[str, str] = {}
    for part in parts:
        before = [at for at in earlier if _summary_of(at, part.folder)]
        changes = comparing.compare(
            _summary_of(before[0], part.folder) if before else None, part.summary
        )
        part.summary["changes"] = changes
        context = rendering.Context(
            period=part.period,
            markers=part.markers,
            moment=plan.moment,
            banners=summaries.page_banners(part.period, plan),
            earlier=before,
            changes=changes,
            folder=part.folder,
            team=part.team,
            teams=[] if part.folder else [_link(team) for team in parts[1:]],
            refused=0 if part.folder else plan.teams.refused,
            minimum=plan.teams.minimum,
            has_pdf=bool(plan.browser),
        )
        pages = rendering.pages(part.books, context)
        pages |= {f"{name}.ipynb": rendering.notebook_text(b) for name, b in part.books.items()}
        made |= {f"{part.folder}/{name}".lstrip("/"): text for name, text in pages.items()}
    return made


def _parameters(path: Path, values: Mapping[str, object]) -> dict:
    """Return what the parameters of a notebook were, but for those that the summary has anyway."""
    every = declared_parameters(path) | values
    return {name: value for name, value in every.items() if name not in REQUIRED}


def _summary_of(report: Mapping, folder: str) -> dict | None:
    """Return what an earlier report said of everybody or of a team."""
    summary = report["summary"]
    return comparing.mapping(comparing.mapping(summary, "teams"), folder) if folder else summary


def _link(part: Part) -> dict:
    first = next(iter(part.markers.values()), {})
    return {
        "file": f"{part.folder}/{rendering.INDEX}",
        "team": part.team,
        "answer": first.get("answer", ""),
    }
