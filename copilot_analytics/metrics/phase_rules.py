"""GitHub's adoption phases, recomputed from what people did by the published rules."""

from __future__ import annotations

from dataclasses import replace

import narwhals.stable.v2 as nw

from copilot_analytics.errors import UsageError
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import PASSIVE_FLAG
from copilot_analytics.metrics.phases import PHASE, last_reports, listed, numbered, with_phase
from copilot_analytics.metrics.statistics import with_share
from copilot_analytics.metrics.surface import SURFACES, Surface, signals_of

VERSION = "v1"
WINDOW = 28  # days that a phase looks back, its own day included
LEAST_DAYS = 2  # on which a surface must be used within them
PHASES = {0: "No Cohort", 1: "Phase 1", 2: "Phase 2", 3: "Phase 3"}
CODE, AGENTS, APP = ("code_completion", "agent_edit"), ("cli", "cloud_agent", "code_review"), "app"
RECOMPUTED = ("recomputed_phase_number", "recomputed_phase")
_DIGIT = 64  # more than the days of the window, so that a digit never runs over


def _with_passive_review(surface: Surface) -> Surface:
    """Return the surface as the rules see it: review is one surface, whoever asked for it."""
    if surface.name != "code_review":
        return surface
    return replace(surface, flags=(*surface.flags, PASSIVE_FLAG))


_SURFACES = tuple(_with_passive_review(s) for s in SURFACES if s.name in (*CODE, *AGENTS, APP))
_NAMES = tuple(surface.name for surface in _SURFACES)


def recomputed_phases(users, by_feature):
    """Return the adoption phase of each person and day, recomputed by GitHub's rules v1.

    Question: in which phase is each person, by what the reports show of them?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day. It should begin 27 days before the
        first day of interest.
    by_feature
        ``users_by_feature`` of the same people.

    Returns
    -------
    frame
        One row per row of `users`, with the names of its own columns, so that it can be given to
        `adoption_phases`, `latest_phases` and `phase_transitions`.

        - ``user_id``, ``day``: the person and the UTC day on which the 28 days end.
        - ``phase_version``: ``"v1"``, the rules.
        - ``phase_number``, ``phase``: 3 (Phase 3, multi-agent) with the app, or two or more of CLI,
          cloud agent and code review; 2 (Phase 2, agent first) with one of these three; 1 (Phase
          1, code first) with completions or edits written by agents; else 0 (No Cohort). A surface
          counts with activity on at least 2 of the 28 days up to the day.
        - ``is_complete_window``: False for the first 27 days of the frame, which the 28 days reach
          back beyond. The phase is then a lower bound.

    Raises
    ------
    UsageError
        A column is absent, or the frames hold more than one scope.

    Notes
    -----
    Active and passive code review are one surface. `surface_rules` says what shows use of the
    others. Left out: days on which GitHub has no record of a person. Chat alone is no phase.

    Source: GitHub docs, Copilot usage metrics (adoption phases v1), changelog 2026-05-29.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03"]), "user_id": [1, 1],
    ...     "used_cli": [True, True],
    ... })
    >>> by_feature = pd.DataFrame({
    ...     "day": pd.to_datetime([]), "user_id": pd.Series(dtype="int64"), "feature": [],
    ...     "code_generation_activity_count": pd.Series(dtype="int64"),
    ... })
    >>> recomputed_phases(users, by_feature)[["user_id", "day", "phase_number", "phase"]]
       user_id        day  phase_number      phase
    0        1 2026-11-02             0  No Cohort
    1        1 2026-11-03             2    Phase 2
    """
    users, by_feature = _read(users, by_feature)
    phases = _recomputed(users, by_feature, frames.first_and_last(users))
    columns = ("user_id", "day", *PHASE, "is_complete_window")
    return frames.result(phases.select(*columns), "user_id", "day")


def _read(users, by_feature) -> tuple[nw.LazyFrame, nw.LazyFrame]:
    users = frames.read(users, "day", "user_id")
    by_feature = frames.read(by_feature, "day", "user_id", "feature")
    frames.one_scope(users, by_feature)
    return users, by_feature


def _recomputed(users: nw.LazyFrame, by_feature: nw.LazyFrame, ends) -> nw.LazyFrame:
    """Return the columns of `recomputed_phases`, of records of a history between two ends."""
    days = frames.calendar(users, ends)
    rows = _days_of_use(_used(users, by_feature).join(days, on="day")).join(days, on="number")
    rows = rows.with_columns(
        (nw.col("_uses") // _DIGIT**place % _DIGIT >= LEAST_DAYS).cast(nw.Int64).alias(name)
        for place, name in enumerate(_NAMES)
    ).with_columns(agents=nw.sum_horizontal(*AGENTS), code=nw.sum_horizontal(*CODE))
    number = nw.when(nw.col("code") > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    number = nw.when(nw.col("agents") == 1).then(nw.lit(2)).otherwise(number)
    is_multiple = (nw.col("agents") >= 2) | (nw.col(APP) > 0)
    number = nw.when(is_multiple).then(nw.lit(3)).otherwise(number)
    return rows.with_columns(phase_number=number).with_columns(
        phase_version=nw.lit(VERSION),
        phase=nw.col("phase_number").replace_strict(PHASES, default=None, return_dtype=nw.String),
        is_complete_window=nw.col("number") >= WINDOW - 1,
    )


def _used(users: nw.LazyFrame, by_feature: nw.LazyFrame) -> nw.LazyFrame:
    """Return each person and day, with the surfaces used as digits of one number, `_uses`."""
    named = [feature for surface in _SURFACES for feature in surface.features]
    of_rules = by_feature.filter(nw.col("feature").is_in(named))
    features = (
        frames.with_activity(of_rules, "user_id", "day", "feature")
        .with_columns(
            nw.col("feature").is_in(surface.features).cast(nw.Int64).alias(surface.name)
            for surface in _SURFACES
        )
        .group_by("user_id", "day")
        .agg(nw.col(*_NAMES).max())
    )
    own = {surface.name: signals_of(users, surface) for surface in _SURFACES}
    flags = users.select(
        "user_id",
        "day",
        *(
            nw.any_horizontal(*(signals or [nw.lit(False)]), ignore_nulls=True)
            .cast(nw.Int64)
            .alias(f"_{name}")
            for name, signals in own.items()
        ),
    )
    digits = (
        nw.max_horizontal(nw.col(name).fill_null(0), f"_{name}") * _DIGIT**place
        for place, name in enumerate(_NAMES)
    )
    both = flags.join(features, on=["user_id", "day"], how="left")
    return both.select("user_id", "day", _uses=nw.sum_horizontal(*digits))


def _days_of_use(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Replace the surfaces used on a day by the days of use within the window that ends on it.

    A use counts from its day, and counts no more when it is as many days old as the window is long.
    So that nothing has to be expanded, both are rows of one running sum.
    """
    uses, is_record = nw.col("_uses"), nw.col("is_record")
    kinds = [{"is_record": 1}, {"is_record": 0}]
    both = (
        rows.select("user_id", "number", uses)
        .join(frames.literals(rows, kinds, {"is_record": nw.Int64}), how="cross")
        .filter((is_record == 1) | (uses > 0))
        .with_columns(
            number=nw.col("number") + (1 - is_record) * WINDOW, _uses=uses * (2 * is_record - 1)
        )
    )
    # What ends on a day ends before the day is looked at.
    running = uses.cum_sum().over("user_id", order_by=["number", "is_record"])
    return both.with_columns(_uses=running.cast(nw.Int64)).filter(is_record == 1)


def compare_phases(users, by_feature, *, by: str | None = None):
    """Return how the phases that GitHub reports compare with those recomputed from the reports.

    Question: do GitHub's adoption phases follow from what it reports of people?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day, with reported phases.
    by_feature
        ``users_by_feature`` of the same people.
    by
        None: every person once, at the last report with a phase. ``"day"``: every person on every
        day with one.

    Returns
    -------
    frame
        One row per pair of phases that occurs, and day where asked for.

        - ``day``: as asked for by `by`.
        - ``is_complete_window``: whether the 28 days before are in the frame. Where not, the
          recomputed phase is a lower bound and cannot be expected to agree.
        - ``phase_number``, ``phase``: as GitHub reports them.
        - ``recomputed_phase_number``, ``recomputed_phase``: see `recomputed_phases`.
        - ``agrees``: whether both are the same.
        - ``people``: people with this pair. The numerator.
        - ``all_people``: people with any pair and the same ``is_complete_window`` (on the day). The
          denominator.
        - ``agreeing_people``: those of them whose phases are the same.
        - ``share``: people / all_people; ``low``, ``high``: its 95 % Wilson interval.

    Raises
    ------
    UsageError
        A column is absent, the frames hold more than one scope, or `by` is not known.

    Notes
    -----
    Left out: records without a phase, or with one of other rules than v1. Reasons to differ: use
    that no record shows, days that are missing in the frame, or other rules than the published.

    Source: this package, on GitHub docs, Copilot usage metrics (adoption phases v1).

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-30"]), "user_id": [1, 1],
    ...     "used_cli": [True, True], "phase_version": ["v1"] * 2, "phase_number": [2, 0],
    ...     "phase": ["Phase 2", "No Cohort"],
    ... })
    >>> by_feature = pd.DataFrame({
    ...     "day": pd.to_datetime([]), "user_id": pd.Series(dtype="int64"), "feature": [],
    ...     "code_generation_activity_count": pd.Series(dtype="int64"),
    ... })
    >>> compare_phases(users, by_feature)[["phase", "recomputed_phase", "agrees", "people"]]
           phase recomputed_phase  agrees  people
    0  No Cohort        No Cohort    True       1
    """
    if by not in (None, "day"):
        raise UsageError(f"phases cannot be compared by {by!r}", advice="give None or 'day'")
    version = nw.col("phase_version")
    reported = with_phase(users).filter((version == VERSION) | version.is_null())
    reported, phases = numbered(reported.with_columns(phase_version=nw.lit(VERSION)))
    users, by_feature = _read(users, by_feature)
    ends = frames.first_and_last(users)
    if by is None:
        days = frames.calendar(users, ends).select("number", "day")
        last = last_reports(reported.join(days, on="day"), phases).join(days, on="number")
        reported = frames.kept(last.select("user_id", "day", "place"))
        users, by_feature = (_up_to(records, reported) for records in (users, by_feature))
    recomputed = _recomputed(users, by_feature, ends).select(
        "user_id",
        "day",
        "is_complete_window",
        recomputed_phase_number="phase_number",
        recomputed_phase="phase",
    )
    total = [*frames.as_names(by), "is_complete_window"]
    pair = ("phase_number", "phase", *RECOMPUTED)
    people = nw.col("people")
    counts = (
        reported.join(recomputed, on=["user_id", "day"])
        .group_by(*total, "place", *RECOMPUTED)
        .agg(people=nw.len())
        .join(listed(users, phases), on="place")
        .with_columns(agrees=nw.col("phase_number") == nw.col("recomputed_phase_number"))
        .with_columns(agreeing=nw.when(nw.col("agrees")).then(people).otherwise(nw.lit(0)))
        .with_columns(
            all_people=people.sum().over(*total),
            agreeing_people=nw.col("agreeing").sum().over(*total),
        )
    )
    shares = with_share(counts, "people", "all_people", "share")
    columns = (*total, *pair, "agrees", "people", "all_people", "agreeing_people", "share")
    return frames.result(shares.select(*columns, "low", "high"), *total, *pair)


def _up_to(records: nw.LazyFrame, reported: nw.LazyFrame) -> nw.LazyFrame:
    """Return each person's records of the window that ends with the last report of a phase."""
    age = nw.col("day").dt.offset_by(f"{WINDOW}d") > nw.col("_last")
    last = reported.select("user_id", _last="day")
    return records.join(last, on="user_id").filter(age, nw.col("day") <= nw.col("_last"))
