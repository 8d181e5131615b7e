"""A selection becomes a frame, a chart, a sentence and the Python that gives the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from copilot_analytics import charts, display, engines, metrics, privacy
from copilot_analytics.errors import CopilotAnalyticsError, UsageError
from copilot_analytics.explorer.calls import WHOLE_WINDOWS, WORKING_DAYS, Call
from copilot_analytics.explorer.measures import BREAKDOWNS, MEASURES, Measure, Series
from copilot_analytics.explorer.selection import CHOICES, Selection

IMPORTS = "from copilot_analytics import metrics, privacy"
KEPT_FRAMES = 256  # mostly small ones: days of a measure, after all people were counted
MOST_ROWS_IN_MEMORY = 500_000


@dataclass(frozen=True)
class View:
    """What is shown for a selection; without a chart the sentence says why there is none."""

    sentence: str
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    chart: display.Chart | None = None
    code: str = ""


@dataclass
class Source:
    """The tables of one scope, and the figures made of them so far.

    Parameters
    ----------
    tables
        `Tables` with frames of pandas or relations of DuckDB.
    minimum
        Least number of people of a group that is shown.
    """

    tables: object
    minimum: int = 5
    _kept: dict = field(default_factory=dict, repr=False)

    @cached_property
    def scopes(self) -> list[str]:
        """The scopes of which there are days."""
        return sorted(self.tables.day_states["scope"].unique())

    def once(self, key: tuple, make: Callable):
        """Return what a function makes, made at the first time of asking."""
        found = self._kept.pop(key) if key in self._kept else make()
        if len(self._kept) >= KEPT_FRAMES:
            self._kept.pop(next(iter(self._kept)))  # what nobody has asked for the longest
        self._kept[key] = found
        return found

    def of_scope(self, scope: str):
        """Return the tables of the scope that is meant, which must be one."""
        if not scope and len(self.scopes) > 1:
            raise UsageError("Choose an organization or enterprise: their people must not be added")
        if scope and scope not in self.scopes:
            raise UsageError(f"There are no data of {scope}")
        if len(self.scopes) < 2:
            return self.tables
        return self.once(("scope", scope), lambda: self.tables.filter(scope=scope))

    def coverage(self, scope: str) -> pd.DataFrame:
        """Return the state of every day."""
        return self.once(("coverage", scope), lambda: metrics.coverage(self.of_scope(scope)).copy())

    def ends(self, scope: str) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Return the first and last day with records of people."""
        days = self.coverage(scope)
        there = (days["family"] == "users") & (days["rows"] > 0)
        days = days.loc[there, "day"]
        if days.empty:
            raise UsageError("There are no records of people in these data")
        return days.min(), days.max()

    def table(self, name: str, scope: str, team: str):
        """Return a table of the people of a scope, or of one team."""
        tables = self.of_scope(scope)
        table = self.once(("table", name, scope), lambda: _table(tables, name))
        if not team:
            return table
        teams = self.table("teams", scope, "")
        return self.once(
            ("table", name, scope, team), lambda: metrics.members_only(table, teams, team)
        )

    def per_value(self, breakdown: str, scope: str, team: str) -> pd.DataFrame:
        """Return what each person did each day with each value of a breakdown.

        Of people's languages and models these are a third fewer rows, of which each measure is
        made, and the spellings are one already.
        """
        table = self.table(BREAKDOWNS[breakdown].table, scope, team)
        return self.once(
            ("per value", breakdown, scope, team),
            lambda: metrics.person_day_totals(table, by=breakdown),
        )

    def teams(self, scope: str) -> list[str]:
        """Return the names of the teams that are large enough to be looked at."""
        return self.once(("teams", scope), lambda: self._teams(scope))

    def _teams(self, scope: str) -> list[str]:
        if self.coverage(scope)["family"].ne("teams").all():
            return []
        members = as_pandas(metrics.team_members(self.table("teams", scope, "")))
        return sorted(members.loc[members["members"] >= self.minimum, "slug"].unique())


def _table(tables, name: str):
    """Return a table; one of another engine that is small with pandas, to be read only once."""
    table = tables[name]
    is_small = _is_relation(table) and tables.count(name) <= MOST_ROWS_IN_MEMORY
    return tables.read(name) if is_small else table


def _is_relation(frame) -> bool:
    return hasattr(frame, "to_arrow_table")


def view(source: Source, selection: Selection) -> View:
    """Return what is shown for a selection: a sentence in any case, never an exception.

    Parameters
    ----------
    source
        The tables to look at.
    selection
        What to show of them.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> shown = view(Source(ca.sample(people=30, days=35)), Selection(period="all"))
    >>> print(shown.code)
    from copilot_analytics import metrics, privacy
    <BLANKLINE>
    shown = metrics.active_users(tables.users, window=28, active="interactions")
    shown = shown[shown["is_complete_window"]]
    shown = privacy.hide_small_groups(shown, minimum=5, complementary=False)
    shown = metrics.days_between(shown, start="2026-10-19", end="2026-11-20")
    """
    try:
        return source.once(("view", selection), lambda: _view(source, selection))
    except CopilotAnalyticsError as error:
        return View(as_sentence(error))


def as_sentence(error: CopilotAnalyticsError) -> str:
    """Return an error as people say it."""
    parts = [error.what, error.said, error.advice]
    return " ".join(f"{part[:1].upper()}{part[1:].rstrip('.')}." for part in parts if part)


def _view(source: Source, selection: Selection) -> View:
    selection = checked(source, selection)
    measure = MEASURES[selection.measure]
    series = measure.series(selection)
    if isinstance(series, str):
        return View(series)
    start, end = selection.days(*source.ends(selection.scope))
    by = selection.breakdown or None
    frame = source.once(
        ("figures", replace(selection, period="", start="", end="", smoothing=1, weekdays="")),
        lambda: _figures(source, selection, series),
    )
    steps = _steps(series, selection, (f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}"))
    for step in steps:
        frame = step.run(frame)
    frame = frame.reset_index(drop=True)
    code = _code(source, selection, series, steps)
    if frame.empty:
        return View(_why_empty(series, start, end), frame, None, code)
    about = {"value": series.value, "by": by, "label": _label(measure, selection)}
    about |= {"share": measure.is_share, "coverage": source.coverage(selection.scope)}
    sentence = charts.findings.daily_series(frame, **about)
    drawn = _drawn(selection, measure, frame, {**about, "title": sentence})
    return View(f"{sentence}.", frame, drawn, code)


def known(selection: Selection) -> Selection:
    """Return a selection whose names can be chosen, whatever the data."""
    allowed = {"measure": MEASURES, "breakdown": {"": None, **BREAKDOWNS}, **CHOICES}
    for name, values in allowed.items():
        if getattr(selection, name) not in values:
            raise UsageError(
                f"{getattr(selection, name)!r} is no {name}",
                advice=f"choose one of: {', '.join(str(value) for value in values if value)}",
            )
    return selection


def checked(source: Source, selection: Selection) -> Selection:
    """Return a selection whose names are known, the team's by the data."""
    known(selection)
    if selection.team and selection.team not in source.teams(selection.scope):
        raise UsageError(
            f"There is no team {selection.team!r} of at least {source.minimum} people",
            advice="choose another team, or everybody",
        )
    return selection


def _figures(source: Source, selection: Selection, series: Series) -> pd.DataFrame:
    """Return what the metric gives for all days, small groups hidden."""
    who = (selection.scope, selection.team)
    tables = [source.table(name, *who) for name in series.call.tables]
    more = {}
    if series.is_per_value and not _is_relation(tables[-1]):
        tables[-1] = source.per_value(selection.breakdown, *who)
        more["canonical"] = False
    frame = as_pandas(series.call.run(*tables, **more))
    for step in _hiding(series, selection, source.minimum):
        frame = step.run(frame)
    return frame


def as_pandas(frame) -> pd.DataFrame:
    """Return the small frame of a metric as pandas has it, whatever the engine."""
    return engines.to_pandas(frame.to_arrow_table()) if _is_relation(frame) else frame


def _hiding(series: Series, selection: Selection, minimum: int) -> list:
    """Return the steps that keep what may be shown of the metric's frame."""
    options = {"minimum": minimum}
    if series.has_rest:
        hide = Call(privacy.hide_small_shares, options=options)
    else:
        options |= {"within": "day"} if series.is_whole else {"complementary": False}
        hide = Call(privacy.hide_small_groups, options=options)
    return [WHOLE_WINDOWS, hide] if series.window > 1 else [hide]


def _steps(series: Series, selection: Selection, days: tuple[str, str]) -> list:
    """Return the steps from the figures of all days to those that are shown."""
    steps = [WORKING_DAYS] if selection.weekdays == "working" else []
    if selection.smoothing > 1:
        options = {"value": series.value, "days": selection.smoothing}
        options |= {"by": selection.breakdown} if selection.breakdown else {}
        options |= {"ratio_of": series.ratio_of} if series.ratio_of else {}
        steps.append(Call(metrics.trailing_mean, options=options))
    start, end = days
    return [*steps, Call(metrics.days_between, options={"start": start, "end": end})]


def _code(source: Source, selection: Selection, series: Series, steps: list) -> str:
    """Return the Python that gives the frame, of the `tables` that the explorer was given."""
    tables, lines = "tables", [IMPORTS, ""]
    if len(source.scopes) > 1:
        tables = "chosen"
        lines.append(f'chosen = tables.filter(scope="{selection.scope}")')
    names = [f"{tables}.{name}" for name in series.call.tables]
    if selection.team:
        member = Call(metrics.members_only)
        names = [member.text(name, f"{tables}.teams", repr(selection.team)) for name in names]
    text = series.call.text(*names)
    if _is_relation(source.of_scope(selection.scope)["users"]):
        lines[0] = "from copilot_analytics import engines, metrics, privacy"
        text = f"engines.to_pandas({text}.to_arrow_table())"
    lines.append(f"shown = {text}")
    all_steps = [*_hiding(series, selection, source.minimum), *steps]
    return "\n".join([*lines, *(f"shown = {step.text('shown')}" for step in all_steps)])


def _label(measure: Measure, selection: Selection) -> str:
    parts = [measure.label]
    if selection.measure == "acceptance_rate" and selection.breakdown == "feature":
        parts = ["Accepted share of what was generated"]
    if selection.team:
        parts.append(f"team {selection.team}")
    if selection.smoothing > 1:
        parts.append(f"mean of {selection.smoothing} days")
    if selection.weekdays == "working":
        parts.append("Monday to Friday")
    return ", ".join(parts)


def _drawn(selection: Selection, measure: Measure, frame, about: dict) -> display.Chart:
    by = selection.breakdown
    definition = metrics.active_definition(selection.active) if measure.uses_definition else ""
    axes = charts.daily_series(
        frame,
        **about,
        affects=(*measure.affects, by) if by else measure.affects,
        definition=definition,
        note=BREAKDOWNS[by].note if by else "",
        weekend=() if selection.weekdays == "working" else ("Saturday", "Sunday"),
    )
    name = "-".join(filter(None, (selection.measure, by, selection.team)))
    return display.chart(axes, data=frame, name=name)


def _why_empty(series: Series, start: pd.Timestamp, end: pd.Timestamp) -> str:
    if series.window > 1:
        return (
            f"A count of {series.window} days needs {series.window} days of data before it: "
            "choose a later period, or the count of single days."
        )
    return f"There are no figures from {start:%Y-%m-%d} to {end:%Y-%m-%d}."
