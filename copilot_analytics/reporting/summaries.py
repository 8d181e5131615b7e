"""What a whole report says about its data: days, age, exit code, banners, ``report.json``."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from copilot_analytics import display
from copilot_analytics.catalogue import Scope
from copilot_analytics.errors import UsageError, worst
from copilot_analytics.reporting.notebooks import takes_team
from copilot_analytics.reporting.teams import Teams

SUMMARY_FORMAT = 1
# Days settle within five; data that is older than a week is not waiting for GitHub any more.
STALE_DAYS = 7


@dataclass(frozen=True)
class Plan:
    """What a report is to be made of; `notebooks` maps each to the values of its parameters.

    `teams` get those of the notebooks that take the parameter ``team``; `browser` prints the pages.
    """

    notebooks: Mapping[Path, Mapping[str, object]]
    archive: str
    scope: str
    end: str
    out: Path
    max_age: int | None
    show_logins: bool
    is_sample: bool
    moment: datetime
    teams: Teams = field(default_factory=Teams)
    browser: str = ""

    def tasks(self, folder: str = "") -> dict[str, tuple[Path, dict]]:
        """Return what runs for everybody, or for the team of a folder: name to notebook, values."""
        if not folder:
            return {path.stem: (path, dict(values)) for path, values in self.notebooks.items()}
        team = {"team": self.teams.chosen[folder]}
        return {
            f"{folder}/{path.stem}": (path, values | team)
            for path, values in self.notebooks.items()
            if takes_team(path)
        }


def merged_period(markers: Mapping[str, dict], scope: str = "") -> display.Period:
    """Return the period of a whole report: the oldest data of its notebooks, all their gaps."""

    def days(name: str) -> tuple[date, ...]:
        texts = {day for marker in markers.values() for day in marker["days"][name]}
        return tuple(map(date.fromisoformat, sorted(texts)))

    def ends(name: str) -> list[date]:
        return [date.fromisoformat(m[name]) for m in markers.values() if m[name]]

    start, end = min(ends("start"), default=None), max(ends("end"), default=None)
    through, final = ends("data_through"), ends("final_through")
    expected = (end - start).days + 1 if start and end else 0
    absent = {day for name in ("missing", "damaged", "pending", "empty") for day in days(name)}
    scopes = sorted({marker["scope"] for marker in markers.values() if marker["scope"]})
    return display.Period(
        scope=scope or ", ".join(scopes),
        start=start,
        end=end,
        data_through=min(through) if len(through) == len(markers) else None,
        final_through=min(final) if len(final) == len(markers) else None,
        expected=expected,
        present=max(expected - len(absent), 0) if through else 0,
        provisional=days("provisional"),
        missing=days("missing"),
        damaged=days("damaged"),
        pending=days("pending"),
        empty=days("empty"),
        lacking=tuple(sorted({name for marker in markers.values() for name in marker["lacking"]})),
    )


def scope_folder(scope: str) -> str:
    """Return the folder of a scope; records without any scope have one as well.

    >>> scope_folder("organization:octo-org"), scope_folder("unknown")
    ('organization-octo-org', 'unknown')
    """
    try:
        return Scope.parse(scope).folder
    except UsageError:
        return "unknown"


def data_age(period: display.Period, plan: Plan) -> int | None:
    """Return how many days old the newest data is; a report on the past is measured at its end."""
    if period.data_through is None:
        return None
    today = plan.moment.date()
    reference = min(today, date.fromisoformat(plan.end)) if plan.end else today
    return max((reference - period.data_through) // timedelta(days=1), 0)


def exit_code(period: display.Period, plan: Plan) -> int:
    """Return 0, 3 for missing or damaged days, 4 for data that is too old."""
    age = data_age(period, plan)
    is_old = plan.max_age is not None and (age is None or age > plan.max_age)
    return worst([3 if period.missing or period.damaged else 0, 4 if is_old else 0])


def page_banners(period: display.Period, plan: Plan) -> list[display.Html]:
    """Return the banners of all pages that a notebook cannot know: the sample, and stale data."""
    banners = []
    if plan.is_sample:
        text = "Sample data: the company, its people and all figures are invented."
        banners.append(display.banner("info", text))
    limit, age = plan.max_age if plan.max_age is not None else STALE_DAYS, data_age(period, plan)
    if age is not None and age > limit:
        through = display.day_text(period.data_through)
        text = f"The data is {age} days old: nothing after {through} is in the archive."
        banners.append(display.banner("danger", text))
    return banners


def summary(markers: Mapping[str, dict], period: display.Period, plan: Plan) -> dict:
    """Return what ``report.json`` says of everybody or of one team: figures, states, versions."""
    iso = {
        key: day.isoformat() if (day := getattr(period, key)) else None
        for key in ("start", "end", "data_through", "final_through")
    }
    return {
        "format": SUMMARY_FORMAT,
        "scope": period.scope,
        **iso,
        "days": period.days(),
        "generated_at": plan.moment.isoformat(timespec="seconds"),
        "exit_code": exit_code(period, plan),
        "is_sample": plan.is_sample,
        "show_logins": plan.show_logins,
        "versions": display.versions() | {"python": platform.python_version()},
        "notebooks": dict(markers),
    }


def page_digests(pages: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each page."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in pages.items()}
