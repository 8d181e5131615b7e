"""The few figures at the top of a report on a training or a roll-out."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.impact import COLUMNS

_FIGURES = {
    "figure_number": nw.Int64,
    "figure": nw.String,
    "label": nw.String,
    "value": nw.Float64,
    "previous": nw.Float64,
    "unit": nw.String,
    "note": nw.String,
    "decimals": nw.Int64,
    "is_hidden": nw.Boolean,
}


def impact_headline(found):
    """Return the few figures that sum up the frame of `impact`.

    Question: how large is the difference, how sure is it, and what is it made of?

    Parameters
    ----------
    found
        Frame of `impact`, best after `privacy.hide_small_groups`.

    Returns
    -------
    frame
        One row per figure, in the order in which to show them.

        - ``figure_number``, ``figure``, ``label``: place, name and words.
        - ``value``: the estimate; the measure per person and working day after the date in the
          treated and in the comparison group; earlier dates with as large a difference, which for
          the date itself is that over as many weeks and stands in the note.
        - ``previous``: for the groups, the same before the date; else missing.
        - ``unit``, ``note``, ``decimals``: what is counted, what it rests on, and how it is shown.
        - ``is_hidden``: whether the groups are too small to be shown.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Left out: groups that do not exist.

    Source: this package, as in `impact`.

    Examples
    --------
    >>> import pandas as pd
    >>> from copilot_analytics.metrics import impact
    >>> users = pd.DataFrame({"day": pd.date_range("2026-09-07", periods=56), "user_id": 1,
    ...                       "user_initiated_interaction_count": [5] * 28 + [9] * 28})
    >>> impact_headline(impact(users, date="2026-10-05"))[["figure", "value", "previous"]]
                  figure  value  previous
    0           estimate    4.0       NaN
    1      treated_after    9.0       5.0
    2  placebos_as_large    0.0       NaN
    """
    frame = frames.read(found, *COLUMNS)
    row = frames.scalars(frame)
    is_hidden = bool(row.get("is_hidden"))
    has_comparison = row["comparison_people"] != 0
    listed = [_estimate_tile(row, has_comparison)]
    who = f"Team {row['team']}" if row["team"] else "Treated people"
    groups = {"treated": who, "comparison": "Comparison group"}
    groups = groups if has_comparison else {"treated": "Everybody"}
    for group, name in groups.items():
        people, after = row[f"{group}_people"], row[f"{group}_after"]
        listed.append(
            {
                "figure": f"{group}_after",
                "label": f"{name}, from the date on",
                "value": after,
                "previous": row[f"{group}_before"],
                "note": "" if people is None else _seen(people),
            }
        )
    if row["placebos"]:
        listed.append(_placebo_tile(row))
    unit = f"{catalogue.label(row['measure']).lower()} per person and working day"
    rows = [
        {"previous": None, "unit": "" if tile.get("decimals") == 0 else unit, "decimals": 2}
        | {"figure_number": place, "is_hidden": is_hidden}
        | tile
        for place, tile in enumerate(listed)
    ]
    result = frames.literals(frame, rows, _FIGURES)
    return frames.result(result, "figure_number", counts=("figure_number", "decimals"))


def _seen(people: int) -> str:
    return f"{people:,} {'person' if people == 1 else 'people'} seen before the date"


def _placebo_tile(row: dict) -> dict:
    """Return how many earlier dates have as large a difference, and what it is compared with."""
    weeks, dates = row["placebo_weeks"], row["placebos"]
    span = f"{weeks} {'week' if weeks == 1 else 'weeks'}"
    note = f"of {dates} earlier {'date' if dates == 1 else 'dates'}; over {span} on each side, "
    note += f"where this date has {row['placebo_estimate']:+.2f}"
    return {
        "figure": "placebos_as_large",
        "label": "Earlier dates with as large a difference",
        "value": row["placebos_as_large"],
        "note": note.replace("-", "−"),
        "decimals": 0,
    }


def _estimate_tile(row: dict, has_comparison: bool) -> dict:
    note = row["outcome"].capitalize()
    if row["low"] is not None:
        note = f"95% interval {row['low']:.2f} to {row['high']:.2f}; {row['outcome']}"
    label = "Change compared with the others" if has_comparison else "Change"
    return {
        "figure": "estimate",
        "label": label,
        "value": row["estimate"],
        "note": note.replace("-", "−"),
    }
