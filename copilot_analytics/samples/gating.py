"""Takes out of a record what GitHub did not report yet on its day, as the catalogue knows."""

from __future__ import annotations

from datetime import date
from functools import cache

from copilot_analytics import catalogue

_PERIODS = ("daily_", "weekly_", "monthly_")


@cache
def missing_paths(family: str, endpoint_since: date, day: date) -> tuple[tuple[str, ...], ...]:
    """Return the shortest paths under which nothing was reported on a day.

    A field as old as its endpoint is in the records of all days, also of those before the endpoint
    was opened. An undocumented field is taken to be as old as the documented one for a day.
    """
    fields = {field.path: field for field in catalogue.record_fields(family)}
    reported, missing = [], []
    for path, field in fields.items():
        first_day = field.since
        for period in _PERIODS[1:]:
            if first_day is None and path.startswith(period):
                first_day = fields[path.replace(period, _PERIODS[0])].since
        is_reported = first_day is None or first_day <= max(endpoint_since, day)
        (reported if is_reported else missing).append(tuple(path.split(".")))
    prefixes = {path[:length] for path in reported for length in range(1, len(path) + 1)}
    shortest = {
        next(path[:n] for n in range(1, len(path) + 1) if path[:n] not in prefixes)
        for path in missing
    }
    return tuple(sorted(shortest))


def prune(record: dict, paths: tuple[tuple[str, ...], ...]) -> dict:
    """Remove the values under paths from a record, in place, and return it."""
    for path in paths:
        _remove(record, path)
    return record


def _remove(place: dict, path: tuple[str, ...]) -> None:
    key = path[0].removesuffix("[]")
    if len(path) == 1:
        place.pop(key, None)
        return
    inner = place.get(key)
    for item in inner if isinstance(inner, list) else [inner]:
        if isinstance(item, dict):
            _remove(item, path[1:])
