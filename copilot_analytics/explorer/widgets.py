"""The explorer's widgets: a thin shell around selections and views."""

from __future__ import annotations

import asyncio
import gc
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import ipywidgets as widgets

from copilot_analytics import display
from copilot_analytics.display.html import element
from copilot_analytics.errors import UsageError
from copilot_analytics.explorer.measures import BREAKDOWNS, MEASURES
from copilot_analytics.explorer.people import EVERYBODY, groups, people
from copilot_analytics.explorer.selection import (
    DATES,
    DEFINITIONS,
    PERIODS,
    SMOOTHING,
    WEEKDAYS,
    Selection,
)
from copilot_analytics.explorer.views import Source, known, view

PAGES = ("Table", "People", "Python")
TABLE_PAGE, PEOPLE_PAGE = 0, 1
TABLE_ROWS = 200
IDLE_SECONDS = 0.4
LONGEST_STEP = 1.0  # seconds for which nobody minds that what is asked next comes later
STYLE = """
<style>
.explorer .controls { flex: 1 1 21em; flex-flow: row wrap; align-content: start; }
.explorer .shown { flex: 99 1 42em; }
.explorer .shown, .explorer .shown .lm-Widget { min-width: 0; }
.explorer .shown .widget-html-content { min-width: 0; }
.explorer .shown img { max-width: 100%; height: auto; }
.explorer .scroll { max-height: 24em; overflow: auto; }
.explorer .sentence { font-size: 1.15em; font-weight: 600; margin: 0 0 0.6em; }
.explorer pre { user-select: all; overflow-x: auto; padding: 0.8em; line-height: 1.4;
  background: color-mix(in srgb, currentColor 6%, transparent); }
.explorer .in-words { display: none; }
</style>
"""


class Explorer(widgets.HBox):
    """Controls on the left, what they choose on the right.

    Attributes
    ----------
    state : dict
        What is chosen, as a small dictionary for ``explore(tables, state=…)``.
    frame : DataFrame
        What is shown, after `privacy`.
    code : str
        The Python that gives this frame of the same tables.
    sentence : str
        What it says, or why there is nothing to show.
    """

    def __init__(self, source: Source, selection: Selection, key: bytes):
        self._source, self._key = source, key
        self._controls = _controls(source, selection)
        self._shown = None
        self._group = widgets.Dropdown(description="People of", options=[("everybody", EVERYBODY)])
        self._picture, self._table, self._code, self._people = (widgets.HTML() for _ in range(4))
        people_page = widgets.VBox([self._group, self._people])
        self._pages = widgets.Tab([self._table, people_page, self._code])
        self._pages.titles = PAGES
        controls = widgets.VBox([*self._controls.values()])
        shown = widgets.VBox([self._picture, self._pages, widgets.HTML(STYLE)])
        super().__init__([controls, shown], layout=widgets.Layout(flex_flow="row wrap"))
        for box, name in ((self, "explorer"), (controls, "controls"), (shown, "shown")):
            box.add_class(name)
        for control in self._controls.values():
            control.observe(self._changed, "value")
        self._group.observe(self._show_page, "value")
        self._pages.observe(self._show_page, "selected_index")
        self._show()

    def __repr__(self) -> str:
        return f"Explorer({self.sentence})"

    @property
    def selection(self) -> Selection:
        """What is chosen."""
        return Selection(**{name: _plain(control) for name, control in self._controls.items()})

    @property
    def state(self) -> dict:
        """What is chosen, as a small dictionary."""
        return self.selection.state

    @property
    def frame(self):
        """The frame that is shown."""
        return self._shown.frame.copy()

    @property
    def code(self) -> str:
        """The Python that gives the frame."""
        return self._shown.code

    @property
    def sentence(self) -> str:
        """What is shown, in a sentence."""
        return self._shown.sentence

    def _changed(self, change) -> None:
        if change["owner"] is self._controls["scope"]:
            team = self._controls["team"]
            with team.hold_trait_notifications():
                team.options = _teams(self._source, change["new"])
        self._show()

    def _show(self) -> None:
        """Show what is chosen."""
        selection = self.selection
        measure = MEASURES[selection.measure]
        for name in ("start", "end"):
            self._controls[name].layout.display = None if selection.period == DATES else "none"
        self._controls["active"].disabled = not measure.uses_definition
        with _collecting_later():
            self._shown = view(self._source, selection)
            said = element("p", self.sentence, class_="sentence", role="status")
            chart = self._shown.chart
            picture = chart.body if chart else said
            self._picture.value = display.Html(picture, "")._repr_html_()  # before all the rest
        text = f"{self.code}\n\n# this view: explore(tables, state={self.state!r})"
        self._code.value = element("pre", text)
        self._group.options = [
            ("everybody", EVERYBODY),
            *((name, name) for name in groups(self._shown.frame, selection)),
        ]
        self._show_page()
        self._prepare(selection)

    def _show_page(self, change=None) -> None:
        """Fill the page in front; what nobody looks at is not made."""
        if self._pages.selected_index == TABLE_PAGE:
            self._table.value = self._table_markup()
        if self._pages.selected_index == PEOPLE_PAGE:
            self._people.value = self._people_markup()

    def _table_markup(self) -> str:
        frame = self._shown.frame
        if frame.empty:
            return element("p", self.sentence)
        latest = frame.sort_values("day", ascending=False, kind="stable")
        table = display.table(
            latest.drop(columns="is_complete_window", errors="ignore"),  # all of them are
            caption="The last days first",
            rows=TABLE_ROWS,
            limit=TABLE_ROWS,
        )
        return _scrolled(table)

    def _people_markup(self) -> str:
        found = people(self._source, self.selection, self._group.value or EVERYBODY, self._key)
        table = "" if found.frame.empty else _scrolled(display.table(found.frame, rows=TABLE_ROWS))
        return element("p", found.sentence) + table

    def _prepare(self, selection: Selection) -> None:
        """Count what is likely to be asked for next while nobody asks for anything."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a script or a test: nobody waits
            return
        nearby = [replace(selection, breakdown=name) for name in BREAKDOWNS]
        nearby += [replace(selection, measure=name) for name in MEASURES]

        def step() -> None:
            if nearby and self.selection == selection:
                start = time.monotonic()
                view(self._source, nearby.pop(0))
                if time.monotonic() - start < LONGEST_STEP:
                    loop.call_later(IDLE_SECONDS, step)

        loop.call_later(IDLE_SECONDS, step)


def explore(
    tables,
    *,
    state: Mapping[str, object] | None = None,
    key: bytes | None = None,
    minimum_group_size: int = 5,
) -> Explorer:
    """Explore tables with the mouse: chart, table, people and the line of Python.

    Question: what is in these data, before I write any code?

    Parameters
    ----------
    tables
        `Tables` of `load`, `fetch`, `open_tables` or an archive, with pandas or DuckDB.
    state
        What to show at first, from ``explorer.state`` of an earlier session.
    key
        Secret for pseudonyms, see `privacy.load_key`. By default one of its own, so that
        pseudonyms are other ones in the next session.
    minimum_group_size
        Least number of people of a group that is shown.

    Returns
    -------
    Explorer
        A widget, shown at the end of a cell. Its ``frame`` is what is shown, ``code`` the Python
        that gives it, ``state`` what is chosen.

    Raises
    ------
    UsageError
        These are no tables, or the state is not one of an explorer.

    Notes
    -----
    Whatever is shown has passed through `privacy`: groups that are too small are hidden, people
    are pseudonyms.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> explorer = explore(ca.sample(people=30, days=35), state={"measure": "active_people_7"})
    >>> explorer.state
    {'measure': 'active_people_7'}
    >>> explorer.frame.columns.tolist()[:2]
    ['day', 'active_users']
    """
    if not hasattr(tables, "day_states"):
        raise UsageError(
            f"explore() takes tables, not {type(tables).__name__}",
            advice="give what load(), fetch(), sample() or Archive.tables() returns",
        )
    if not isinstance(minimum_group_size, int) or minimum_group_size < 1:
        raise UsageError(f"minimum_group_size {minimum_group_size!r} is not a number from 1 on")
    source = Source(tables, minimum=minimum_group_size)
    selection = known(Selection.restored(state))
    return Explorer(source, selection, key or secrets.token_bytes(32))


def _controls(source: Source, selection: Selection) -> dict[str, widgets.Widget]:
    """Return one widget per field of a selection, in the order in which they are chosen."""
    breakdowns = {"": "None"} | {name: one.title for name, one in BREAKDOWNS.items()}
    # The only scope needs no name, so that a saved view fits other data as well.
    several = len(source.scopes) > 1
    scopes = source.scopes if several else [""]
    scope = selection.scope or scopes[0]
    choices = {
        "scope": ("Scope", {name: name or "".join(source.scopes) for name in scopes}),
        "measure": ("Measure", {name: one.label for name, one in MEASURES.items()}),
        "breakdown": ("By", breakdowns),
        "period": ("Days", PERIODS),
        "start": ("First day", None),
        "end": ("Last day", None),
        "team": ("Team", {name: text for text, name in _teams(source, scope)}),
        "active": ("Active", DEFINITIONS),
        "smoothing": ("Smoothing", SMOOTHING),
        "weekdays": ("Weekdays", WEEKDAYS),
    }
    chosen = replace(selection, scope=scope)
    controls = {
        name: _control(label, options, getattr(chosen, name))
        for name, (label, options) in choices.items()
    }
    controls["scope"].disabled = not several
    return controls


def _control(label: str, options: Mapping | None, value: object) -> widgets.Widget:
    """Return a choice, or a date where there are no options.

    A saved value that the data do not have any more stays among the choices, and the view says so.
    """
    layout = widgets.Layout(width="21em")
    style = {"description_width": "6em"}
    if options is None:
        day = date.fromisoformat(value) if value else None
        return widgets.DatePicker(description=label, value=day, layout=layout, style=style)
    listed = [(text, name) for name, text in options.items()]
    if value not in options:
        listed.append((str(value), value))
    return widgets.Dropdown(
        description=label, options=listed, value=value, layout=layout, style=style
    )


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Keep Python from looking for garbage, which takes 0.15 s of a notebook with charts."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _teams(source: Source, scope: str) -> list[tuple[str, str]]:
    teams = source.teams(scope) if scope in ["", *source.scopes] else []
    return [("Everybody", ""), *((name, name) for name in teams)]


def _plain(control: widgets.Widget) -> object:
    value = control.value
    if isinstance(control, widgets.DatePicker):
        return value.isoformat() if value else ""
    return value


def _scrolled(table: display.Html) -> str:
    return f'<div class="scroll">{table._repr_html_()}</div>'
