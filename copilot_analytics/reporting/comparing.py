"""What changed since the report before: figures of the same definition, side by side."""

from __future__ import annotations

from collections.abc import Mapping

FIGURE_FIELDS = ("value", "unit", "decimals", "is_hidden")


def compare(before: Mapping | None, after: Mapping) -> dict | None:
    """Compare the summaries of two reports.

    Parameters
    ----------
    before
        Summary of an earlier report, as ``report.json`` holds it; None where there is none.
    after
        Summary of the report that is being made.

    Returns
    -------
    dict or None
        `since`: last day of the earlier report; `figures`: notebook, label, `then` and `now` as
        `display.headline` makes them; `other_definition`: notebooks whose definition of active was
        another one, whose figures are not compared; `settled`: days that the earlier report
        did not have, or had while they could still change, and that are final by now. None where
        the reports cannot be compared: another scope, or the sample against real data.
    """
    if before is None or any(before.get(key) != after.get(key) for key in ("scope", "is_sample")):
        return None
    figures, other_definition = [], []
    for name, marker in after["notebooks"].items():
        earlier = before.get("notebooks", {}).get(name)
        if earlier is None:
            continue
        if earlier.get("definition") != marker["definition"]:
            other_definition.append(name)
            continue
        then = {figure.get("label"): figure for figure in earlier.get("headlines", ())}
        figures += [
            {"notebook": name, "label": now["label"]} | _pair(then[now["label"]], now)
            for now in marker["headlines"]
            if now["label"] in then
        ]
    return {
        "since": before.get("end"),
        "figures": figures,
        "other_definition": other_definition,
        "settled": _settled(before, after),
    }


def _pair(then: Mapping, now: Mapping) -> dict:
    return {
        key: {name: figure.get(name) for name in FIGURE_FIELDS}
        for key, figure in (("then", then), ("now", now))
    }


def _settled(before: Mapping, after: Mapping) -> list[str]:
    """Return the days that were open in the earlier report and are settled in this one."""

    def open_days(summary: Mapping) -> set[str]:
        names = ("provisional", "missing", "pending", "damaged")
        return {day for name in names for day in summary.get("days", {}).get(name, ())}

    covered = (after.get("start") or "", after.get("end") or "")
    return sorted(
        day for day in open_days(before) - open_days(after) if covered[0] <= day <= covered[1]
    )
