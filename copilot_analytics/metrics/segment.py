"""Groups of people by how often they use Copilot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.engagement import working_day_shares
from copilot_analytics.metrics.statistics import with_share

# The least share of working days for each group, the most active first.
SEGMENT_RULES = MappingProxyType({"most working days": 0.6, "weekly": 0.2, "occasional": 0.0})
NOT_ACTIVE = "seen, not active"
SHIFTS = (-0.1, -0.05, 0.0, 0.05, 0.1)  # of a month of 20 working days: one day or two


def segment_rules(rules: Mapping[str, float] = SEGMENT_RULES) -> pd.DataFrame:
    """Return the groups of `segments` with the rule of each in words.

    Question: who is in which group?

    Parameters
    ----------
    rules
        Name of each group and the least share of working days on which its people are active, the
        highest first. The last share is 0 and stands for any active day at all.

    Returns
    -------
    pandas.DataFrame
        One row per group: ``segment_number`` from 1, ``segment``, ``rule``. The last group are
        the people who have records and were never active.

    Raises
    ------
    UsageError
        The shares do not fall from at most 1 to 0.

    Notes
    -----
    Source: this package.

    Examples
    --------
    >>> segment_rules().set_index("segment")["rule"].tolist()
    ['active on at least 60% of the working days', 'active on at least 20% of the working days',
     'active on fewer days, but at least once', 'has records, but was never active']
    """
    shares = list(rules.values())
    falls = all(high > low for high, low in zip(shares, shares[1:], strict=False))
    if not shares or not falls or shares[0] > 1 or shares[-1] != 0 or NOT_ACTIVE in rules:
        raise UsageError(
            f"the rules {dict(rules)!r} do not make groups",
            advice="give shares of working days from high to low, the last of them 0",
        )
    texts = {
        name: f"active on at least {share * 100:g}% of the working days"
        for name, share in rules.items()
    }
    texts[list(rules)[-1]] = "active on fewer days, but at least once"
    texts[NOT_ACTIVE] = "has records, but was never active"
    listed = enumerate(texts.items(), start=1)
    return pd.DataFrame(
        [
            {"segment_number": number, "segment": name, "rule": rule}
            for number, (name, rule) in listed
        ]
    )


def user_segments(users, *, rules: Mapping[str, float] = SEGMENT_RULES, **options):
    """Return the group of each person.

    Question: how regularly does each person use Copilot?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    rules
        As in `segment_rules`.
    **options
        `active`, `working_days` and `missing_days`, as in `user_activity`.

    Returns
    -------
    frame
        One row per person with a record: ``user_id``, ``segment_number``, ``segment``, and what the
        group follows from: ``active_days``, ``active_working_days``, ``working_days``,
        ``active_days_share`` (active_working_days / working_days).

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: people without a record. A person who is active on weekends only is in the last
    active group.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-06", "2026-11-03"]),
    ...     "user_id": [1, 1, 1, 2], "user_initiated_interaction_count": [4, 1, 2, 0],
    ... })
    >>> user_segments(users)[["user_id", "segment", "active_days_share"]]
       user_id            segment  active_days_share
    0        1  most working days                0.6
    1        2   seen, not active                0.0
    """
    people = working_day_shares(users, **options)
    evidence = ("active_days", "active_working_days", "working_days", "active_days_share")
    return frames.result(
        with_segment(people, rules).select("user_id", "segment_number", "segment", *evidence),
        "user_id",
    )


def _reaches(least: float) -> nw.Expr:
    """Return whether a person is active often enough for a group."""
    return nw.col("active_days_share") >= least if least else nw.col("active_days") > 0


def with_segment(people: nw.LazyFrame, rules: Mapping[str, float]) -> nw.LazyFrame:
    """Add the group of each person to figures of `user_activity`."""
    numbered = segment_rules(rules)["segment"].tolist()
    number = nw.lit(len(numbered))
    for position, least in reversed(list(enumerate(rules.values(), start=1))):
        number = nw.when(_reaches(least)).then(nw.lit(position)).otherwise(number)
    return people.with_columns(segment_number=number).with_columns(
        segment=nw.col("segment_number").replace_strict(
            dict(enumerate(numbered, start=1)), default=None, return_dtype=nw.String
        )
    )


def segments(users, *, rules: Mapping[str, float] = SEGMENT_RULES, **options):
    """Return how many people use Copilot how regularly.

    Question: is Copilot part of the working day, or tried now and then?

    Parameters
    ----------
    users, rules, **options
        As in `user_segments`.

    Returns
    -------
    frame
        One row per group, the most active first, groups of nobody included.

        - ``segment_number``, ``segment``: the group, see `segment_rules`.
        - ``people``: people of the group. The numerator.
        - ``all_people``: people with a record. The denominator.
        - ``share``: people / all_people; ``low``, ``high``: its 95 % Wilson interval.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: people without a record, so people with a licence whom GitHub never saw are in no
    group.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-06", "2026-11-03"]),
    ...     "user_id": [1, 1, 1, 2], "user_initiated_interaction_count": [4, 1, 2, 0],
    ... })
    >>> segments(users)[["segment", "people", "all_people", "share"]]
                 segment  people  all_people  share
    0  most working days       1           2    0.5
    1             weekly       0           2    0.0
    2         occasional       0           2    0.0
    3   seen, not active       1           2    0.5
    """
    people = frames.kept(with_segment(working_day_shares(users, **options), rules))
    named = segment_rules(rules)[["segment_number", "segment"]].to_dict("records")
    groups = frames.literals(people, named, {"segment_number": nw.Int64, "segment": nw.String})
    counts = (
        groups.join(
            people.group_by("segment_number").agg(people=nw.len()), on="segment_number", how="left"
        )
        .with_columns(nw.col("people").fill_null(0).cast(nw.Int64))
        .join(people.select(all_people=nw.len()), how="cross")
    )
    return frames.result(with_share(counts, "people", "all_people", "share"), "segment_number")


def segment_sensitivity(
    users,
    *,
    rules: Mapping[str, float] = SEGMENT_RULES,
    shifts: Sequence[float] = SHIFTS,
    **options,
):
    """Return how many people are in each group if the rules were somewhat lower or higher.

    Question: does the picture hang on where the lines between the groups are drawn?

    Parameters
    ----------
    users, rules, **options
        As in `user_segments`.
    shifts
        What to add to the least shares of all groups but the last, at the same time.

    Returns
    -------
    frame
        One row per shift and group. The rows of shift 0 are those of `segments`.

        - ``shift``: what was added, as a share of the working days; 0.05 is one day of 20.
        - ``segment_number``, ``segment``: the group, see `segment_rules`.
        - ``least_share``: least share of working days of the group under this shift; missing for
          people who were never active.
        - ``people``: people of the group. The numerator.
        - ``all_people``: people with a record. The denominator.
        - ``share``: people / all_people; ``low``, ``high``: its 95 % Wilson interval.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or a shift leaves no rules.

    Notes
    -----
    Left out: people without a record. A conclusion that holds in every row does not depend on the
    rules; one that holds in a few of them does.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-06", "2026-11-03"]),
    ...     "user_id": [1, 1, 1, 2], "user_initiated_interaction_count": [4, 1, 2, 0],
    ... })
    >>> grid = segment_sensitivity(users, shifts=(0, 0.1))
    >>> grid[grid["people"] > 0][["shift", "segment", "least_share", "people", "all_people"]]
       shift            segment  least_share  people  all_people
    0    0.0  most working days          0.6       1           2
    3    0.0   seen, not active          NaN       1           2
    5    0.1             weekly          0.3       1           2
    7    0.1   seen, not active          NaN       1           2
    """
    segment_rules(rules)
    people = working_day_shares(users, **options)
    shifted = {float(shift): _shifted(rules, shift) for shift in shifts}
    leasts = sorted({least for one in shifted.values() for least in one.values()})
    # Asked for all at once, because every question reads the whole history.
    reached = frames.scalars(
        people.select(
            nw.len().alias("all_people"),
            *(
                _reaches(least).cast(nw.Int64).sum().alias(f"reached_{place}")
                for place, least in enumerate(leasts)
            ),
        )
    )
    everybody = {"all_people": reached["all_people"]}
    rows = []
    for shift, one in shifted.items():
        counts = [reached[f"reached_{leasts.index(least)}"] or 0 for least in one.values()]
        names, before = [*one, NOT_ACTIVE], 0
        for place, count in enumerate([*counts, reached["all_people"]]):
            row = {"shift": shift, "segment_number": place + 1, "segment": names[place]}
            row |= {"least_share": one.get(names[place]), "people": count - before}
            rows.append(row | everybody)
            before = count
    types = {"shift": nw.Float64, "segment_number": nw.Int64, "segment": nw.String}
    types |= {"least_share": nw.Float64, "people": nw.Int64, "all_people": nw.Int64}
    grid = with_share(frames.literals(people, rows, types), "people", "all_people", "share")
    return frames.result(grid, "shift", "segment_number")


def _shifted(rules: Mapping[str, float], shift: float) -> dict[str, float]:
    """Return the rules with higher or lower least shares, checked."""
    last = list(rules)[-1]
    # Rounded, because 0.6 + 0.1 is a little less than 0.7.
    moved = {n: least if n == last else round(least + shift, 9) for n, least in rules.items()}
    segment_rules(moved)
    return moved
