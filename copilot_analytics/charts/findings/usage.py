"""Titles of the charts on how many people use Copilot, how often, and for what."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from copilot_analytics.catalogue import value_label
from copilot_analytics.charts.findings.common import (
    NAMELESS,
    leading,
    listed,
    name,
    named,
    nothing_to_show,
    settled,
)
from copilot_analytics.charts.timeline import DAY, DRAWN_STATES, day_sets
from copilot_analytics.charts.words import (
    counted,
    day_text,
    limits_text,
    number,
    people,
    percent,
    plain,
    verb,
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
        sentence = f"{people(count)} {verb(count, 'was', 'were')} active {when} {day_text(last)}"
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
    """Say which share of active people the surfaces reach on the last day that has any."""
    frame = settled(frame, coverage)
    frame = frame[frame["is_complete_window"].fillna(False) & frame["share"].notna()]
    # One day for all: a surface that is hidden on it is not told from an earlier day.
    last = frame[frame["day"] == frame["day"].max()].set_index("surface")
    parts = [
        f"{plain(last.loc[surface, 'label'], 40)} {percent(last.loc[surface, 'share'])}"
        for surface in surfaces
        if surface in last.index
    ]
    if not parts:
        return nothing_to_show("how many people each surface reaches")
    return f"Reach among active people to {day_text(last['day'].iloc[0])}: {listed(parts)}"


def acceptance_trend(frame: pd.DataFrame) -> str:
    """Say which share was accepted in the weeks that are shown, and how far these are apart.

    >>> weeks = pd.to_datetime(["2026-11-02", "2026-11-09"])
    >>> frame = pd.DataFrame({"week": weeks, "accepted": [3, 30], "generated": [10, 50]})
    >>> frame["rate"] = frame["accepted"] / frame["generated"]
    >>> acceptance_trend(frame)
    '55% of 60 code completions were accepted, 30% to 60% in a week'
    >>> acceptance_trend(frame.head(1))
    '30% of 10 code completions were accepted in the week from 2 Nov 2026'
    """
    known = frame[frame["rate"].notna()]
    if known.empty:
        return nothing_to_show("acceptance of completions")
    whole = known["generated"].sum()
    said = f"{percent(known['accepted'].sum() / whole)} of {counted(whole, 'code completion')}"
    said += f" {verb(whole, 'was', 'were')} accepted"
    if len(known) == 1:
        return f"{said} in the week from {day_text(known['week'].iloc[0])}"
    shown = f" in the {counted(len(known), 'week')} shown" if len(known) < len(frame) else ""
    low, high = percent(known["rate"].min()), percent(known["rate"].max())
    return f"{said}{shown}, {low} to {high} in a week" if low != high else f"{said}{shown}"


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
    shares = last.drop("day").astype(float)
    tops = shares.index[shares == shares.max()]
    phase = listed([plain(value_label("phase_number", top), 30) for top in tops])
    which = f"{verb(len(tops), 'phase', 'phases')}: {phase},{' each' if len(tops) > 1 else ''}"
    share, day = percent(shares.max()), day_text(last["day"])
    return f"Largest adoption {which} {share} of people on {day}"


def people_shares(frame: pd.DataFrame, dimension: str, noun: str) -> str:
    """Say what most active people used, leaving out what has no name of its own.

    Several are named where they share the first place, or where ranges leave it open.

    >>> frame = pd.DataFrame({"model": ["gpt-5-mini", "o9", "unknown"], "share": [0.4, 0.3, 0.2]})
    >>> people_shares(frame, "model", "model")
    'Most used model: gpt-5-mini, by 40% of active people'
    >>> people_shares(frame.tail(2).assign(share=0.5), "model", "model")
    'Most used model: o9, by 50% of active people'
    >>> people_shares(frame.assign(share=[0.2, 0.2, 0.7]), "model", "model")
    'Most used models with a name: gpt-5-mini and o9, each by 20% of active people'
    """
    frame = with_limits(frame)
    known = frame[frame["at_least"].notna()]
    have_name = known[~known[dimension].isin(NAMELESS)]
    if known.empty:
        return nothing_to_show(f"people by {noun}")
    if have_name.empty:
        return f"Active people by {noun}"
    if not have_name["at_most"].max():
        return f"No {noun} with a name was used by active people"
    top = have_name[have_name["at_most"] >= have_name["at_least"].max()]
    limits = [limits_text(row) for _, row in top.iterrows()]
    names = [name(dimension, row) for _, row in top.iterrows()]
    which = f"{noun}{verb(len(top), '', 's')}"
    if known["at_most"].max() > top["at_most"].max():
        which += " with a name"
    if len(set(limits)) == 1:
        each = " each by" if len(top) > 1 else " by"
        return f"Most used {which}: {named(names, 3)},{each} {limits[0]} of active people"
    pairs = [f"{one} by {share}" for one, share in zip(names, limits, strict=True)]
    return f"Most used {which}: {named(pairs, 3)} of active people"


def acceptance_by(frame: pd.DataFrame, dimension: str, others: int = 0) -> str:
    """Say between which rates the groups lie, and that there are `others` with fewer completions.

    >>> frame = pd.DataFrame({"language": ["go", "css"], "rate": [0.2, 0.3]})
    >>> acceptance_by(frame, "language", others=7)
    'Accepted completions in the 2 languages with most of them: 20% in Go to 30% in CSS'
    """
    known = frame[frame["rate"].notna()].sort_values("rate", kind="stable")
    if known.empty:
        return nothing_to_show(f"acceptance of completions by {dimension}")
    low, high = known.iloc[0], known.iloc[-1]
    share = percent(low["rate"])
    about = "Accepted completions"
    if others:
        about += f" in the {counted(len(known), dimension)} with most of them"
    if len(known) == 1:
        return f"Accepted completions: {share} in {name(dimension, low)}"
    if share == percent(high["rate"]):
        return f"{about}: {share} in each"
    return (
        f"{about}: {share} in {name(dimension, low)} to {percent(high['rate'])} in "
        f"{name(dimension, high)}"
    )


def segments(frame: pd.DataFrame) -> str:
    """Say which segment is the largest, or which are."""
    known = frame[frame["share"].notna()]
    if known.empty:
        return nothing_to_show("segments of people")
    top = leading(known, "share")
    share, count = top[["share", "all_people"]].iloc[0]
    if share < 1 - known["share"].sum():  # a hidden group may be larger
        return f"How regularly {people(count)} {verb(count, 'uses', 'use')} Copilot"
    names = listed([plain(segment, 40) for segment in top["segment"]])
    largest = "Largest groups" if len(top) > 1 else "Largest group"
    each = ", each" if len(top) > 1 else ","
    return f"{largest}: {names}{each} {percent(share)} of {people(count)}"


def segment_sensitivity(frame: pd.DataFrame) -> str:
    """Say whether the largest segment is the same under all rules."""
    known = frame[frame["share"].notna()]
    if known.empty:
        return nothing_to_show("segments of people under other rules")
    # Where a group is hidden, it may be the largest of its rule.
    whole = known.groupby("shift").filter(
        lambda part: part["share"].max() >= 1 - part["share"].sum()
    )
    largest = whole[whole["share"] == whole.groupby("shift")["share"].transform("max")]
    tops, rules = largest["segment"].unique(), whole["shift"].nunique()
    if len(tops) == 0 or rules < 2:
        return "How regularly people use Copilot under other rules"
    if len(tops) == 1:
        return f"Largest group under each of these rules: {plain(tops[0], 40)}"
    names = [f"“{plain(top, 40)}”" for top in tops]
    if len(largest) == len(tops) * rules:
        return f"Largest groups under each of these rules: {listed(names)}"
    return f"Which group is largest depends on the rule: {' or '.join(names)}"


def distribution(frame: pd.DataFrame, sentence: str, unit: str) -> str:
    """Fill ``{share}``, ``{people}`` and ``{median}`` of a sentence from the frame.

    The share is that of the people at the median or above, a half or more of them.

    >>> frame = pd.DataFrame({"from_value": [1.0, 3.0], "to_value": [2.0, None],
    ...     "people": [4, 7], "all_people": 11, "median": 3.0})
    >>> distribution(frame, "{share} of {people} used {median} or more features", "features")
    '64% of 11 people used 3 or more features'
    """
    known = frame[frame["people"].fillna(0) > 0]
    if known.empty:
        return nothing_to_show(f"people by {unit}")
    row = known.iloc[0]
    sentence = sentence or f"{{share}} of {{people}}: {{median}} or more {unit}"
    return sentence.format(
        share=_share_from_median(frame),
        people=people(row["all_people"]),
        median=number(row["median"]),
    )


def _share_from_median(frame: pd.DataFrame) -> str:
    """Return the share of people at the median or above, as far as the ranges tell it."""
    median, everybody = frame["median"].iloc[0], frame["all_people"].iloc[0]
    above = frame["from_value"] >= median
    # Where values are whole numbers, nobody of a range that ends below the median is at it.
    is_divided = (~above & ~(frame["to_value"] < median)).any()
    counts, others = frame.loc[above, "people"], frame.loc[~above, "people"]
    if is_divided or pd.isna(everybody) or (counts.isna().any() and others.isna().any()):
        return "At least half"
    count = everybody - others.sum() if counts.isna().any() else counts.sum()
    return percent(count / everybody)


def lorenz(concentration: pd.DataFrame, measure: str) -> str:
    """Say how much of a total comes from the tenth of people with most of it, and who these are.

    >>> figures = {"top_decile_share": [0.27], "top_people": [13], "people": [129]}
    >>> lorenz(pd.DataFrame(figures), "prompts")
    '27% of prompts come from the tenth of people with most (13 of 129 people)'
    """
    if concentration.empty or pd.isna(concentration["top_decile_share"].iloc[0]):
        return nothing_to_show(f"how {measure} spread over people")
    row = concentration.iloc[0]
    tenth = f"{number(row['top_people'])} of {people(row['people'])}"
    share = percent(row["top_decile_share"])
    return f"{share} of {measure} come from the tenth of people with most ({tenth})"


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
    return f"Reports on {about}: {number(there)} of {counted(expected, 'day')}{without}"
