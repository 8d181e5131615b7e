"""What changed since the report before: figures that were made alike, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

FIGURE_FIELDS = ("value", "unit", "decimals", "is_hidden")
# Parameters that may differ between reports whose figures are compared: what the days are and who
# is shown. The definition of active is compared as such, because some notebooks do not use it.
FREE = frozenset(("active", "minimum_group_size", "show_logins"))
# What two reports must be about to be compared at all.
SAME = ("scope", "is_sample", "team")


def compare(before: Mapping | None, after: Mapping) -> dict | None:
    """Compare the summaries of two reports.

    Parameters
    ----------
    before
        Summary of an earlier report, as ``report.json`` holds it, which anybody may have changed;
        None where there is none.
    after
        Summary of the report that is being made.

    Returns
    -------
    dict or None
        `since`: last day of the earlier report, None if it does not say; `figures`: notebook,
        label, `then` and `now` as `display.headline` makes them; `not_compared`: notebook to what
        it was made with that is not the same, such as another measure, so that its figures are not
        compared; `settled`: days that the earlier report did not have, or had while they could
        still change, and that are final by now. None where the reports cannot be compared: another
        scope or team, or the sample against real data.
    """
    if before is None or any(before.get(key) != after.get(key) for key in SAME):
        return None
    figures, not_compared = [], {}
    for name, marker in after["notebooks"].items():
        earlier = mapping(mapping(before, "notebooks"), name)
        if not earlier or mapping(marker, "parameters").get("event_date") == "":
            continue  # nothing then; or a dry run, about a date that moves with the data
        if differing := _differing(earlier, marker):
            not_compared[name] = differing
            continue
        then = _figures(earlier)
        figures += [
            {"notebook": name, "label": now["label"]} | _pair(then[now["label"]], now)
            for now in marker["headlines"]
            if now["label"] in then and now["unit"] == then[now["label"]]["unit"]
        ]
    return {
        "since": before.get("end") if _is_day(before.get("end")) else None,
        "figures": figures,
        "not_compared": not_compared,
        "settled": _settled(before, after),
    }


def mapping(parent: Mapping, key: str) -> Mapping:
    """Return the mapping under a key, an empty one where there is none or something else."""
    found = parent.get(key)
    return found if isinstance(found, Mapping) else {}


def _differing(then: Mapping, now: Mapping) -> list[str]:
    """Return the names of what the figures of a notebook depend on and that is not the same."""
    before, after = mapping(then, "parameters"), mapping(now, "parameters")
    names = sorted((before.keys() | after.keys()) - FREE)
    differing = [name for name in names if before.get(name) != after.get(name)]
    if then.get("definition") != now.get("definition"):
        differing.insert(0, "definition of active")
    return differing


def _figures(marker: Mapping) -> dict[str, Mapping]:
    """Return the figures of an earlier report that are whole, by their label."""
    found = marker.get("headlines")
    return {each["label"]: each for each in found if _is_figure(each)} if _is_list(found) else {}


def _is_figure(figure: object) -> bool:
    if not isinstance(figure, Mapping):
        return False
    texts = (figure.get("label"), figure.get("unit"))
    value, decimals = figure.get("value"), figure.get("decimals")
    return (
        all(isinstance(text, str) for text in texts)
        and (value is None or isinstance(value, int | float))
        and (decimals is None or (isinstance(decimals, int) and 0 <= decimals < 10))
    )


def _pair(then: Mapping, now: Mapping) -> dict:
    return {
        key: {name: figure.get(name) for name in FIGURE_FIELDS}
        for key, figure in (("then", then), ("now", now))
    }


def _settled(before: Mapping, after: Mapping) -> list[str]:
    """Return the days that were open in the earlier report and are settled in this one."""

    def open_days(summary: Mapping) -> set[str]:
        names = ("provisional", "missing", "pending", "damaged")
        lists = [mapping(summary, "days").get(name) for name in names]
        return {day for days in lists if _is_list(days) for day in days if _is_day(day)}

    covered = (after.get("start") or "", after.get("end") or "")
    return sorted(
        day for day in open_days(before) - open_days(after) if covered[0] <= day <= covered[1]
    )


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _is_day(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(date.fromisoformat(text))
    except ValueError:
        return False
