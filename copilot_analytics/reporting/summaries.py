"""What a whole report says about its data: days, age, exit code, banners, ``report.json``."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from copilot_analytics import display
from copilot_analytics.catalogue import Scope
from copilot_analytics.errors import UsageError, worst
from copilot_analytics.reporting.notebooks import REQUIRED, takes_team
from copilot_analytics.reporting.teams import Teams

SUMMARY_FORMAT = 1
# Days settle within five; data that is older than a week is not waiting for GitHub any more.
STALE_DAYS = 7
LONGEST_NAMES = 60  # letters, of notebooks in the name of a folder


@dataclass(frozen=True)
class Plan:
    """What a report is to be made of; `notebooks` maps each to the values of its parameters.

    `teams` get those of the notebooks that take the parameter ``team``; `browser` prints the pages;
    `unusual` is what `unusual_part` returned.
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
    unusual: str = ""

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
    """Return the period of a whole report: the oldest data of its notebooks, all their gaps.

    A day is present if every notebook has it, also those that start later or end earlier.
    """

    def days(name: str) -> tuple[date, ...]:
        texts = {day for marker in markers.values() for day in marker["days"][name]}
        return tuple(map(date.fromisoformat, sorted(texts)))

    def ends(name: str) -> list[date]:
        return [date.fromisoformat(m[name]) for m in markers.values() if m[name]]

    start, end = min(ends("start"), default=None), max(ends("end"), default=None)
    through, final = ends("data_through"), ends("final_through")
    expected = (end - start).days + 1 if start and end else 0
    absent = {day for name in ("missing", "damaged", "pending", "empty") for day in days(name)}
    latest_start, first_end = max(ends("start"), default=None), min(ends("end"), default=None)
    shared = [start + timedelta(days=n) for n in range(expected)] if through else []
    shared = [day for day in shared if latest_start <= day <= first_end and day not in absent]
    scopes = sorted({marker["scope"] for marker in markers.values() if marker["scope"]})
    return display.Period(
        scope=scope or ", ".join(scopes),
        start=start,
        end=end,
        data_through=min(through) if len(through) == len(markers) else None,
        final_through=min(final) if len(final) == len(markers) else None,
        expected=expected,
        present=len(shared),
        provisional=days("provisional"),
        missing=days("missing"),
        damaged=days("damaged"),
        pending=days("pending"),
        empty=days("empty"),
        lacking=tuple(sorted({name for marker in markers.values() for name in marker["lacking"]})),
    )


def unusual_part(
    notebooks: Mapping[Path, Mapping[str, object]], usual: Iterable[Path], teams: Iterable[str]
) -> str:
    """Return what the name of a report's folder has behind the day: what is not as usual.

    So a report of some pages, of fewer days or with other parameters does not replace the whole one
    of the same day, and is compared with earlier reports of its own kind.

    >>> adoption, quality = Path("adoption.ipynb"), Path("quality.ipynb")
    >>> values = {"archive": "a", "scope": "", "start": "2026-11-01", "end": "", "weeks": 4}
    >>> unusual_part({adoption: values}, [adoption, quality], [])
    '_adoption_from-2026-11-01_9a46f701'
    """
    values = {name: value for one in notebooks.values() for name, value in one.items()}
    names = "-".join(path.stem for path in notebooks)
    parts = []
    if set(notebooks) != set(usual):
        parts.append(names if len(names) <= LONGEST_NAMES else _digest(names))
    if values.get("start"):
        parts.append(f"from-{values['start']}")
    rest = {name: value for name, value in values.items() if name not in REQUIRED and value}
    if rest or teams:
        parts.append(_digest(json.dumps([rest, sorted(teams)], sort_keys=True)))
    return "".join(f"_{part}" for part in parts)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


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


def shortcomings(period: display.Period, plan: Plan) -> dict[int, str]:
    """Return what the data lacks, in words, by the exit code that tells a scheduler."""
    found, age = {}, data_age(period, plan)
    lost = sorted({*period.missing, *period.damaged})
    if lost:
        count = f"{len(lost)} of {display.count_text(period.expected, 'day')}"
        found[3] = f"Missing or damaged: {count}, {display.days_text(lost)}."
    if plan.max_age is not None and (age is None or age > plan.max_age):
        limit = display.count_text(plan.max_age, "day")
        found[4] = (
            f"The newest data is of {display.day_text(period.data_through)}, "
            f"{display.count_text(age, 'day')} old; at most {limit} was asked for."
            if age is not None
            else "There is no data."
        )
    return found


def exit_code(period: display.Period, plan: Plan) -> int:
    """Return 0, 3 for missing or damaged days, 4 for data that is too old."""
    return worst([0, *shortcomings(period, plan)])


def page_banners(period: display.Period, plan: Plan) -> list[display.Html]:
    """Return the banners of all pages that a notebook cannot know: the sample, and stale data."""
    banners = []
    if plan.is_sample:
        text = "Sample data: the company, its people and all figures are invented."
        banners.append(display.banner("info", text))
    limit, age = plan.max_age if plan.max_age is not None else STALE_DAYS, data_age(period, plan)
    if age is not None and age > limit:
        through = display.day_text(period.data_through)
        old = display.count_text(age, "day")
        text = f"The data is {old} old: nothing after {through} is in the archive."
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
        "shortcomings": list(shortcomings(period, plan).values()),
        "is_sample": plan.is_sample,
        "show_logins": plan.show_logins,
        "versions": display.versions() | {"python": platform.python_version()},
        "notebooks": dict(markers),
    }


def page_digests(pages: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each page."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in pages.items()}
