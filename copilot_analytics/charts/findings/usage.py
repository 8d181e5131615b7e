"""Titles of the charts on how many people use Copilot, how often, and for what."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from copilot_analytics.catalogue import value_label
from copilot_analytics.charts.findings.common import (
    NAMELESS,
    listed,
    name,
    nothing_to_show,
    settled,
)
from copilot_analytics.charts.timeline import DAY, DRAWN_STATES, day_sets
from copilot_analytics.charts.words import (
    day_text,
    limits_text,
    number,
    people,
    percent,
    plain,
    with_limits,
)

# What the reports of a family are about, in a sentence.
REPORTS_ON = {
    "users": "people",
    "entity": "the whole organization or enterprise",
    "teams": "teams",
    "repos": "repositories",
}


def active_people(frame: pd.DataFrame, coverage: pd.DataFrame | None = None) -> str:
    """Say how many people were active in the longest window, against the window before it.

    >>> frame = pd.DataFrame({"window": 1, "day": pd.to_datetime(["2026-11-02", "2026-11-03"]),
    ...     "active_users": [41, 43], "is_complete_window": True})
    >>> active_people(frame)
    '43 people were active on 3 Nov 2026, 2 more than on the day before'
    """
    frame = settled(frame, coverage)
    frame = frame[frame["is_complete_window"].fillna(False) & frame["active_users"].notna()]
    for days in sorted(frame["window"].unique(), reverse=True):
        part = frame[frame["window"] == days]
        counts = part.set_index("day")["active_users"].astype(int).sort_index()
        last, count = counts.index[-1], counts.iloc[-1]
        when = f"in the {days} days to" if days > 1 else "on"
        sentence = (
            f"{people(count)} {'was' if count == 1 else 'were'} active {when} {day_text(last)}"
        )
        before = counts.get(last - days * DAY)
        absent = [day for day in day_sets(coverage)[1] if last - 2 * days * DAY < day <= last]
        if any(day > last - days * DAY for day in absent):
            return f"{sentence}, as far as days are there"
        if before is None or absent:
            return sentence
        earlier = f"in the {days} days" if days > 1 else "on the day"
        return f"{sentence}, {_change(count - before)} {earlier} before"
    return nothing_to_show("active people")


def _change(difference: int) -> str:
    if difference == 0:
        return "as many as"
    return f"{number(abs(difference))} {'more' if difference > 0 else 'fewer'} than"


def surface_trend(
    frame: pd.DataFrame, surfaces: Sequence[str], coverage: pd.DataFrame | None = None
) -> str:
    """Say which share of active people the surfaces reach at the end of the period."""
    frame = settled(frame, coverage)
    frame = frame[frame["is_complete_window"].fillna(False) & frame["share"].notna()]
    last = frame.sort_values("day").groupby("surface").tail(1).set_index("surface")
    parts = [
        f"{plain(last.loc[surface, 'label'], 40)} {percent(last.loc[surface, 'share'])}"
        for surface in surfaces
        if surface in last.index
    ]
    if not parts:
        return nothing_to_show("how many people each surface reaches")
    return f"Reach among active people: {listed(parts)}"


def acceptance_trend(frame: pd.DataFrame) -> str:
    """Say between which rates the weeks lie."""
    rates = frame["rate"].dropna()
    if rates.empty:
        return nothing_to_show("acceptance of completions")
    low, high = percent(rates.min()), percent(rates.max())
    if low == high:
        return f"{low} of code completions were accepted"
    return f"{low} to {high} of code completions were accepted in a week"


def people_flow(frame: pd.DataFrame, unit: str, is_partial: pd.Series) -> str:
    """Say how many people were new, came back and left in the last whole period."""
    whole = ~is_partial & ~frame["is_left_censored"].fillna(False).astype(bool)
    if frame.empty:
        return nothing_to_show("people who come and go")
    if not whole.any():
        return f"Not enough whole {unit}s to tell who is new and who left"
    last = frame[whole].iloc[-1]
    back = "came back" if pd.notna(last["new"]) else "new or back"
    parts = [
        f"{number(last[name])} {words}"
        for name, words in (("new", "new"), ("returning", back), ("lost", "left"))
        if pd.notna(last[name])
    ]
    start = f"In the {unit} from {day_text(last['period'])}"
    return f"{start}: {listed(parts)}" if parts else f"{start}: too few people to show"


def phases(shares: pd.DataFrame, coverage: pd.DataFrame | None = None) -> str:
    """Say which adoption phase is the largest at the end of the period.

    ``shares`` has one row per day and one column per phase.
    """
    rows = settled(shares.dropna().rename_axis("day").reset_index(), coverage)
    last = rows.iloc[-1]
    top = last.drop("day").astype(float).idxmax()
    phase = plain(value_label("phase_number", top), 30)
    share, day = percent(last[top]), day_text(last["day"])
    return f"Largest adoption phase: {phase}, {share} of people on {day}"


def people_shares(frame: pd.DataFrame, dimension: str, noun: str) -> str:
    """Say what most active people used, leaving out what has no name of its own.

    >>> frame = pd.DataFrame({"model": ["unknown", "gpt-5-mini"], "share": [0.5, 0.4]})
    >>> people_shares(frame, "model", "model")
    'Most used model: gpt-5-mini, by 40% of active people'
    """
    frame = with_limits(frame)
    known = frame[frame["at_least"].notna()]
    named = known[~known[dimension].isin(NAMELESS)]
    if known.empty:
        return nothing_to_show(f"people by {noun}")
    if named.empty:
        return f"Active people by {noun}"
    top = named.sort_values("at_least", ascending=False, kind="stable").iloc[0]
    share = limits_text(top)
    return f"Most used {noun}: {name(dimension, top)}, by {share} of active people"


def acceptance_by(frame: pd.DataFrame, dimension: str) -> str:
    """Say between which rates the groups lie."""
    known = frame[frame["rate"].notna()].sort_values("rate", kind="stable")
    if known.empty:
        return nothing_to_show(f"acceptance of completions by {dimension}")
    low, high = known.iloc[0], known.iloc[-1]
    first = f"{percent(low['rate'])} in {name(dimension, low)}"
    if len(known) == 1:
        return f"Accepted completions: {first}"
    return f"Accepted completions: {first} to {percent(high['rate'])} in {name(dimension, high)}"


def segments(frame: pd.DataFrame) -> str:
    """Say which segment is the largest."""
    known = frame[frame["share"].notna()]
    if known.empty:
        return nothing_to_show("segments of people")
    top = known.loc[known["share"].idxmax()]
    if top["share"] < 1 - known["share"].sum():  # a hidden group may be larger
        return f"How regularly {people(top['all_people'])} use Copilot"
    share = f"{percent(top['share'])} of {people(top['all_people'])}"
    return f"Largest group: {plain(top['segment'], 40)}, {share}"


def segment_sensitivity(frame: pd.DataFrame) -> str:
    """Say whether the largest segment is the same under all rules."""
    known = frame[frame["share"].notna()]
    if known.empty:
        return nothing_to_show("segments of people under other rules")
    # Where a group is hidden, it may be the largest of its rule.
    whole = known.groupby("shift").filter(
        lambda part: part["share"].max() >= 1 - part["share"].sum()
    )
    tops = whole.loc[whole.groupby("shift")["share"].idxmax(), "segment"].unique()
    if len(tops) == 0 or whole["shift"].nunique() < 2:
        return "How regularly people use Copilot under other rules"
    if len(tops) == 1:
        return f"Largest group under each of these rules: {plain(tops[0], 40)}"
    names = [f"“{plain(top, 40)}”" for top in tops]
    return f"Which group is largest depends on the rule: {' or '.join(names)}"


def distribution(frame: pd.DataFrame, sentence: str, unit: str) -> str:
    """Fill ``{median}`` and ``{people}`` of a sentence from the frame.

    >>> frame = pd.DataFrame({"people": [6, 5], "all_people": 11, "median": 3.0})
    >>> distribution(frame, "Half of {people} used {median} features or more", "features")
    'Half of 11 people used 3 features or more'
    """
    known = frame[frame["people"].fillna(0) > 0]
    if known.empty:
        return nothing_to_show(f"people by {unit}")
    row = known.iloc[0]
    sentence = sentence or f"Half of {{people}}: {{median}} {unit} or more"
    return sentence.format(median=number(row["median"]), people=people(row["all_people"]))


def lorenz(concentration: pd.DataFrame, measure: str) -> str:
    """Say how much of a total comes from the tenth of people with most of it."""
    if concentration.empty or pd.isna(concentration["top_decile_share"].iloc[0]):
        return nothing_to_show(f"how {measure} spread over people")
    share = percent(concentration["top_decile_share"].iloc[0])
    return f"{share} of {measure} come from the tenth of people with most"


def day_states(coverage: pd.DataFrame) -> str:
    """Say how many days of the reports on people, or else of the first report, are there."""
    if coverage.empty:
        return nothing_to_show("days")
    families = coverage["family"].unique()
    family = "users" if "users" in families else families[0]
    days = coverage[coverage["family"] == family]
    due = days.loc[days["state"] != "pending", "day"]
    is_empty = days["state"] == "empty"
    there = days.loc[days["state"].isin(DRAWN_STATES) & ~is_empty, "day"].nunique()
    expected = 0 if due.empty else (due.max() - due.min()) // DAY + 1
    empty = days.loc[is_empty, "day"].nunique()
    without = f", GitHub has no report for {number(empty)}" if empty else ""
    about = REPORTS_ON.get(family, family)
    return f"Reports on {about}: {number(there)} of {number(expected)} days{without}"
