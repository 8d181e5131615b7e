"""The report: notebooks run, checked, turned into pages and published as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from copilot_analytics import metrics
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope
from copilot_analytics.days import parse_day
from copilot_analytics.display.html import element, markup
from copilot_analytics.errors import EXIT_CODES, UsageError
from copilot_analytics.reporting import opening, printing, publishing, running
from copilot_analytics.reporting.notebooks import (
    REQUIRED,
    find_notebooks,
    fit_parameters,
    takes_team,
)
from copilot_analytics.reporting.summaries import (
    Plan,
    exit_code,
    page_digests,
    scope_folder,
    unusual_part,
)
from copilot_analytics.reporting.teams import MINIMUM_PEOPLE, Teams, choose_teams

# What `report` gives to the notebooks itself, with checks that a parameter would go round.
TAKEN = ("archive", "scope", "start", "end", "show_logins", "team")


@dataclass(frozen=True)
class ReportResult:
    """A published report.

    `folder` holds ``index.html``, one page and one executed notebook per notebook, the same in a
    folder for each team that was asked for, and ``report.json``, whose content is `summary`.
    `exit_code` is 0, 3 if days of the period are missing or damaged, or 4 if the data is older than
    allowed.
    """

    folder: Path
    exit_code: int
    summary: dict

    @property
    def index(self) -> Path:
        """The page to open first."""
        return self.folder / "index.html"

    def _repr_html_(self) -> str:
        """Show in a notebook where the report is, and whether anything is missing."""
        of = [str(self.summary[key]) for key in ("scope", "start", "end") if self.summary.get(key)]
        link = element("a", str(self.index), href=self.index.as_posix())
        words = f"Report on {', '.join(of)}: {EXIT_CODES[self.exit_code]}. Open "
        return element("p", words, markup(link))


def report(
    source: str | Path | Archive = "",
    *,
    scope: str | None = None,
    start: str | None = None,
    end: str | None = None,
    notebooks: Sequence[str | Path] | None = None,
    out: str | Path = "reports",
    max_age: int | None = None,
    show_logins: bool = False,
    is_sample: bool = False,
    teams: Sequence[str] = (),
    pdf: bool = False,
    parameters: Mapping[str, object] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    limits: running.Limits | None = None,
    now: datetime | None = None,
) -> ReportResult:
    """Run report notebooks and publish their pages.

    Parameters
    ----------
    source
        An archive; or a file or folder of reports; "" for the sample company.
    scope
        ``"organization:octo-org"``; may be left out where there is only one.
    start, end
        First and last day (UTC) as ISO text, both included; None for all days.
    notebooks
        Names or paths of notebooks; None for all.
    out
        Folder of all reports; this one is put under its scope and its last day. Behind the day
        stands what is not as usual, so that it does not replace the usual report.
    max_age
        Days that the newest data may be old; above, the exit code is 4.
    show_logins
        Whether people are named; the pages say so.
    is_sample
        Whether the archive holds the sample company; the pages say so.
    teams
        Slugs of teams that get pages of their own beside those of everybody; ``["all"]`` for every
        team that is large enough.
    pdf
        Whether each page is printed as PDF as well; that needs Chromium, Chrome or Edge.
    parameters
        Further parameters of the notebooks, such as ``{"active": "engaged"}``.
    progress
        Called after each notebook with its name, how many are done, and how many there are.
    limits
        Limits of time.
    now
        The time of the report (UTC); by default the present.

    Returns
    -------
    ReportResult
        Where the report is, its exit code, and its summary.

    Raises
    ------
    UsageError
        If a parameter is not declared by the notebooks, is of another type, looks like a secret, or
        is what another argument is for; if a team is not known or too small; if there is no browser
        to print with.
    ArchiveError
        If the archive does not exist.
    ReportError
        If a notebook fails or does not end with its completion marker.
    KernelError
        If a kernel dies or runs out of time.
    StorageError
        If the disk is full.

    Notes
    -----
    After an error the last good report is unchanged, and ``status.json`` in `out` says what
    happened.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as out:
    ...     report(start="2026-11-05", end="2026-11-01", out=out)
    Traceback (most recent call last):
    copilot_analytics.errors.UsageError: the start 2026-11-05 is after the end 2026-11-01
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    with publishing.failure_noted(out, moment):
        archive = _source_text(source)
        fitted = check_report(
            archive=archive,
            scope=scope,
            start=start,
            end=end,
            notebooks=notebooks,
            show_logins=show_logins,
            teams=teams,
            pdf=pdf,
            parameters=parameters,
        )
        name = str(Scope.parse(scope)) if scope else _only_scope(archive)
        fitted = {path: values | {"scope": name} for path, values in fitted.items()}
        plan = Plan(
            notebooks=fitted,
            archive=archive,
            scope=name,
            end=_day(end),
            out=Path(out),
            max_age=max_age,
            show_logins=bool(show_logins),
            is_sample=is_sample or not archive,
            moment=moment,
            teams=_teams(fitted, teams) if teams else Teams(),
            browser=printing.find_browser() if pdf else "",
            unusual=unusual_part(fitted, find_notebooks(), teams),
        )
        return _make(plan, limits, progress)


def check_report(
    *,
    archive: str = "",
    scope: str | None = None,
    start: str | None = None,
    end: str | None = None,
    notebooks: Sequence[str | Path] | None = None,
    show_logins: bool = False,
    teams: Sequence[str] = (),
    pdf: bool = False,
    parameters: Mapping[str, object] | None = None,
) -> dict[Path, dict[str, object]]:
    """Say what is wrong with the arguments of `report` before anything is fetched or run.

    Returns
    -------
    dict
        Each notebook to the values of its parameters.

    Raises
    ------
    UsageError
        As for `report`, but for what only the data can tell.
    """
    first, last = _day(start), _day(end)
    if first and last and first > last:
        raise UsageError(f"the start {first} is after the end {last}")
    for name in parameters or {}:
        if name in TAKEN:
            raise UsageError(
                f"{name!r} is no parameter to set: `report` has an argument for it",
                advice="use that one, or its option on the command line, such as --team",
            )
    values = {"archive": archive, "scope": scope or "", "start": first, "end": last}
    values |= {"show_logins": bool(show_logins)} | dict(parameters or {})
    fitted = fit_parameters(find_notebooks(notebooks), values)
    _check_meaning(values)
    if teams and not any(map(takes_team, fitted)):
        raise UsageError(
            f"no notebook that was asked for is about single teams: {', '.join(teams)}",
            advice="name one that is as well, such as adoption or engagement",
        )
    if pdf:
        printing.find_browser()
    return fitted


def _check_meaning(values: Mapping[str, object]) -> None:
    """Refuse values that no report notebook can do anything with."""
    if "active" in values:
        metrics.active_definition(values["active"])
    if values.get("minimum_group_size", 1) < 1:
        raise UsageError(
            "the smallest group that is shown has at least 1 person",
            advice="write minimum_group_size=5, or a larger number",
        )
    _day(values.get("event_date"))


def _make(
    plan: Plan, limits: running.Limits | None, progress: Callable[[str, int, int], None] | None
) -> ReportResult:
    """Run, check and publish; say beside the reports that it is done."""
    with running.private_folder() as folder:
        tasks = [plan.tasks(part) for part in ("", *plan.teams.chosen)]
        every = {name: task for part in tasks for name, task in part.items()}
        executed = running.run_notebooks(every, folder, limits=limits, progress=progress)
        result = _publish(plan, executed, folder)
    report = result.folder.relative_to(plan.out).as_posix()
    done = {"is_published": True, "report": report, "exit_code": result.exit_code}
    done["shortcomings"] = result.summary["shortcomings"]
    publishing.write_status(plan.out, plan.moment, done)
    return result


def _day(text: str | date | None) -> str:
    return parse_day(text).isoformat() if text else ""


def _teams(notebooks: Mapping[Path, Mapping[str, object]], wanted: Sequence[str]) -> Teams:
    """Return the teams that get pages of their own, in the data that the notebooks will read."""
    values = {name: value for one in notebooks.values() for name, value in one.items()}
    bounds = {name: values[name] for name in REQUIRED}
    minimum = values.get("minimum_group_size", MINIMUM_PEOPLE)
    return choose_teams(opening.open_tables(**bounds), wanted, minimum)


def _source_text(source: str | Path | Archive) -> str:
    if source is not None and not isinstance(source, str | Path | Archive):
        raise UsageError(
            f"a report is made of a path or an archive, not of {type(source).__name__}",
            advice="give the folder of the archive, the files, or ca.Archive(...)",
        )
    path = source.path if isinstance(source, Archive) else source
    return str(Path(path).expanduser().absolute()) if path else ""


def _only_scope(archive: str) -> str:
    """Return the scope of an archive that has one; this also finds out whether it is there."""
    is_archive = archive and opening.is_archive(archive)
    return (opening.only_scope(Archive(archive)) or "") if is_archive else ""


def _publish(plan: Plan, executed: Mapping[str, Path], private: Path) -> ReportResult:
    # nbconvert takes two seconds to import, and the kernels import this package as well.
    from copilot_analytics.reporting import parts

    whole = parts.checked(plan, executed, private)
    teams = [parts.checked(plan, executed, private, folder) for folder in plan.teams.chosen]
    day = plan.end or (whole.period.end or plan.moment.date()).isoformat()
    folder = plan.out / scope_folder(whole.period.scope) / f"{day}{plan.unusual}"
    publishing.recover(folder.parent)
    earlier = publishing.earlier_reports(folder.parent, folder.name)
    files = parts.files([whole, *teams], plan, earlier)
    pages = {name: text for name, text in files.items() if name.endswith(".html")}
    said = whole.summary | {
        "pages": page_digests(pages),
        "teams": {team.folder: team.summary for team in teams},
    }
    printed = printing.print_pages(pages, private, plan.browser) if plan.browser else {}
    summary = {publishing.SUMMARY: publishing.to_json(said)}
    publishing.publish(files | printed | summary, folder)
    return ReportResult(folder, exit_code(whole.period, plan), said)
