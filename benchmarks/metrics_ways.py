"""The metrics on adoption and engagement, each as one function of a folder with tables.

They read the files with DuckDB while they count. In `metrics_on_pandas` they get frames instead.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import duckdb  # noqa: F401, importing it is no part of the work

from benchmarks import company_tables
from copilot_analytics import engines, metrics, tidy

PROMPTS = "user_initiated_interaction_count"
ENGAGED = "engaged"

# Of users `u`, by feature `f` and by agent `a`, with the options of the notebooks.
ADOPTION = {
    "active_users": lambda u, f, a: metrics.active_users(u, window=28),
    "active_users_engaged": lambda u, f, a: metrics.active_users(u, window=28, active=ENGAGED),
    "active_users_by_window": lambda u, f, a: metrics.active_users_by_window(u),
    "active_users_to_date": lambda u, f, a: metrics.active_users_to_date(u, period="month"),
    "stickiness": lambda u, f, a: metrics.stickiness(u),
    "people_flow": lambda u, f, a: metrics.people_flow(u),
    "comebacks": lambda u, f, a: metrics.comebacks(u),
    "retention": lambda u, f, a: metrics.retention(u),
    "survival": lambda u, f, a: metrics.survival(u),
    "first_use": lambda u, f, a: metrics.first_use(u, f, by_agent=a),
    "share_of_people": lambda u, f, a: metrics.share_of_people(u, f, dimension="feature"),
    "surfaces": lambda u, f, a: metrics.surfaces(u, f, by_agent=a),
    "surface_users": lambda u, f, a: metrics.surface_users(u, f, by_agent=a),
    "surfaces_per_person": lambda u, f, a: metrics.surfaces_per_person(u, f, by_agent=a),
    "adoption_phases": lambda u, f, a: metrics.adoption_phases(u, window=28),
    "latest_phases": lambda u, f, a: metrics.latest_phases(u),
    "phase_transitions": lambda u, f, a: metrics.phase_transitions(u),
    "compare_phases": lambda u, f, a: metrics.compare_phases(u, f),
    "acceptance_rate": lambda u, f, a: metrics.acceptance_rate(f, period="week"),
    "headline": lambda u, f, a: metrics.headline(u, by_feature=f),
}
ENGAGEMENT = {
    "user_activity": lambda u, f, a: metrics.user_activity(u, by_feature=f),
    "user_segments": lambda u, f, a: metrics.user_segments(u),
    "segments": lambda u, f, a: metrics.segments(u),
    "segment_sensitivity": lambda u, f, a: metrics.segment_sensitivity(u),
    "distribution": lambda u, f, a: metrics.distribution(
        metrics.user_segments(u), column="active_days", edges=(1, 5, 20, 60, 120)
    ),
    "concentration": lambda u, f, a: metrics.concentration(u, measure=PROMPTS),
    "lorenz": lambda u, f, a: metrics.lorenz(u, measure=PROMPTS, points=20),
    "engagement_headline": lambda u, f, a: metrics.engagement_headline(u, by_feature=f),
}
CALLS = {**ADOPTION, **ENGAGEMENT}


def relations(folder: Path) -> list:
    """Return the tables of a folder as relations that nothing has been read of yet."""
    connection = engines.connect()
    return [
        engines.relation(connection, tidy.table_schema(name), company_tables.files(folder, name))
        for name in company_tables.TABLES
    ]


def _computed(folder: Path, name: str) -> dict:
    return {name: CALLS[name](*relations(folder)).to_arrow_table()}


def session(folder: Path) -> dict:
    """Return what all metrics find, one after another in one process that opens the files once."""
    tables = relations(folder)
    return {name: call(*tables).to_arrow_table() for name, call in CALLS.items()}


# A contender has one name and one argument.
for _name in CALLS:
    globals()[_name] = partial(_computed, name=_name)


def figures(results: dict) -> dict:
    """Return what has to be the same on every engine: rows, and the sum of each column."""
    return {name: _sums(engines.to_pandas(table)) for name, table in results.items()}


def _sums(frame) -> dict:
    numbers = frame.select_dtypes(["number", "boolean"])
    sums = {name: f"{float(values.sum()):.6g}" for name, values in numbers.items()}
    return {"rows": len(frame), **sums}
