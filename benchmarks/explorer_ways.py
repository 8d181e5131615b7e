"""The explorer over an archive: what a change of one widget takes until the picture is there."""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path

import duckdb  # noqa: F401, importing it is no part of the work

from copilot_analytics.archive import Archive
from copilot_analytics.explorer import Source, explore
from copilot_analytics.explorer.measures import BREAKDOWNS, MEASURES

FIRST = "active_people_28"  # what is shown when a breakdown is chosen
TRIES = 3  # of each change; the median counts
BEFORE = "interactions"  # what is shown when the change of the measure comes


def _changes(ledger: Path, engine: str) -> dict:
    """Return wall and processor seconds of changes of the measure, and then of the days.

    Wall seconds of the first choice of each breakdown come with them, for which its table is read.
    """
    explorer = explore(Archive(ledger.parent).tables(engine=engine), state={"measure": FIRST})
    source = explorer._source
    first_choices = {name: _seconds(explorer, "breakdown", name)[0] for name in BREAKDOWNS}
    seconds = {}
    for breakdown in ("", *BREAKDOWNS):
        for measure in MEASURES:
            tries = [_tried(explorer, source, measure, breakdown) for _ in range(TRIES)]
            if all(tries):
                medians = [statistics.median(one) for one in zip(*tries, strict=True)]
                seconds[f"{measure} {breakdown}".strip()] = medians
    return {"seconds": seconds, "first_choices": first_choices}


def _tried(explorer, source: Source, measure: str, breakdown: str) -> list[float]:
    """Return the seconds of a change of measure and then of days, nothing if there is no picture.

    The figures of the measure are not known, the tables are.
    """
    explorer._controls["period"].value = "last 28 days"
    before = {"measure": "credits" if measure == BEFORE else BEFORE, "breakdown": breakdown}
    for name, value in before.items():
        explorer._controls[name].value = value
    explorer._source = Source(source.tables, _kept=_known(source))
    first = _seconds(explorer, "measure", measure)
    is_drawn = explorer._shown.chart is not None
    days = _seconds(explorer, "period", "last 7 days") if is_drawn else []
    explorer._source = source
    return [*first, *days] if is_drawn else []


def _known(source: Source) -> dict:
    """Return what a source keeps, without any figure."""
    return {key: kept for key, kept in source._kept.items() if key[0] not in ("figures", "view")}


def _seconds(explorer, name: str, value: object) -> list[float]:
    """Return wall and processor seconds from the change of a widget to the new picture."""
    found = []

    def arrived(change) -> None:
        found.extend([time.perf_counter() - clock, time.process_time() - cpu])

    explorer._picture.observe(arrived, "value")
    clock, cpu = time.perf_counter(), time.process_time()
    explorer._controls[name].value = value
    explorer._picture.unobserve(arrived, "value")
    return found


on_pandas = partial(_changes, engine="pandas")
on_duckdb = partial(_changes, engine="duckdb")


def figures(seconds: dict) -> dict:
    """Return the seconds as they are: they are the result."""
    return seconds
