"""The report: notebooks run, checked, turned into pages and published as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope
from copilot_analytics.display.html import element, markup
from copilot_analytics.errors import EXIT_CODES, CopilotAnalyticsError, StorageError, UsageError
from copilot_analytics.reporting import opening, printing, publishing, running
from copilot_analytics.reporting.notebooks import find_notebooks, fit_parameters, takes_team
from copilot_analytics.reporting.summaries import Plan, exit_code, page_digests, scope_folder
from copilot_analytics.reporting.teams import MINIMUM_PEOPLE, Teams, choose_teams


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
        Folder of all reports; this one is put under its scope and its last day.
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
        If a parameter is not declared by the notebooks, is of another type, or looks like a secret;
        if a team is not known or too small; if there is no browser to print with.
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
    >>> report("archive", start="2026-11-05", end="2026-11-01")
    Traceback (most recent call last):
    copilot_analytics.errors.UsageError: the start 2026-11-05 is after the end 2026-11-01
    """
    start, end = _day(start), _day(end)
    if start and end and start > end:
        raise UsageError(f"the start {start} is after the end {end}")
    archive = _source_text(source)
    name = str(Scope.parse(scope)) if scope else _only_scope(archive)
    values = {"archive": archive, "scope": name, "start": start, "end": end}
    values |= {"show_logins": bool(show_logins)} | dict(parameters or {})
    fitted = fit_parameters(find_notebooks(notebooks), values)
    plan = Plan(
        notebooks=fitted,
        archive=archive,
        scope=name,
        end=end,
        out=Path(out),
        max_age=max_age,
        show_logins=bool(show_logins),
        is_sample=is_sample or not archive,
        moment=(now or datetime.now(UTC)).astimezone(UTC),
        teams=_teams(fitted, values, teams) if teams else Teams(),
        browser=printing.find_browser() if pdf else "",
    )
    return _make(plan, limits, progress)


def _make(
    plan: Plan, limits: running.Limits | None, progress: Callable[[str, int, int], None] | None
) -> ReportResult:
    """Run, check and publish; say beside the reports how it ended."""
    at = {"generated_at": plan.moment.isoformat(timespec="seconds")}
    try:
        with running.private_folder() as folder:
            tasks = [plan.tasks(part) for part in ("", *plan.teams.chosen)]
            every = {name: task for part in tasks for name, task in part.items()}
            executed = running.run_notebooks(every, folder, limits=limits, progress=progress)
            result = _publish(plan, executed, folder)
    except CopilotAnalyticsError as error:
        with suppress(StorageError):  # the first error says more than this one
            publishing.write_status(plan.out, at | {"is_published": False, **error.as_dict()})
        raise
    report = result.folder.relative_to(plan.out).as_posix()
    done = {"is_published": True, "report": report, "exit_code": result.exit_code}
    publishing.write_status(plan.out, at | done)
    return result


def _day(text: str | date | None) -> str:
    if not text:
        return ""
    try:
        return date.fromisoformat(str(text)).isoformat()
    except ValueError:
        raise UsageError(f"{str(text)!r} is not a day", advice="write it as YYYY-MM-DD") from None


def _teams(notebooks: Iterable[Path], values: Mapping[str, object], wanted: Sequence[str]) -> Teams:
    """Return the teams that get pages of their own, in the data that the notebooks will read."""
    if not any(map(takes_team, notebooks)):
        raise UsageError(
            f"no notebook that was asked for is about single teams: {', '.join(wanted)}",
            advice="name one that is as well, such as adoption or engagement",
        )
    bounds = {name: values[name] for name in ("archive", "scope", "start", "end")}
    minimum = values.get("minimum_group_size", MINIMUM_PEOPLE)
    return choose_teams(opening.open_tables(**bounds), wanted, minimum)


def _source_text(source: str | Path | Archive) -> str:
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
    folder = plan.out / scope_folder(whole.period.scope) / day
    publishing.recover(folder.parent)
    files = parts.files([whole, *teams], plan, publishing.earlier_reports(folder.parent, day))
    pages = {name: text for name, text in files.items() if name.endswith(".html")}
    said = whole.summary | {
        "pages": page_digests(pages),
        "teams": {team.folder: team.summary for team in teams},
    }
    printed = printing.print_pages(pages, private, plan.browser) if plan.browser else {}
    summary = {publishing.SUMMARY: publishing.to_json(said)}
    publishing.publish(files | printed | summary, folder)
    return ReportResult(folder, exit_code(whole.period, plan), said)
