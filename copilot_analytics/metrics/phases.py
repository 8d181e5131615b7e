"""GitHub's adoption phases, as its reports give them."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count
from copilot_analytics.metrics.periods import last_rows
from copilot_analytics.metrics.statistics import with_share

PHASE = ("phase_version", "phase_number", "phase")


def with_phase(users) -> nw.LazyFrame:
    """Return the rows of one scope whose adoption phase was reported."""
    users = frames.read(users, "day", "user_id", *PHASE)
    frames.one_scope(users)
    return users.filter(~nw.col("phase_number").is_null())


def adoption_phases(users, *, window: int = 1):
    """Return how many people are in each adoption phase that GitHub reports, for every day.

    Question: do people move from completions to agents?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    window
        For how many days a person's last report stands. With 1, only people with a record on the
        day count, so there are few on a weekend; with 28, everybody of the last four weeks.

    Returns
    -------
    frame
        One row per calendar day, from the first to the last day with a phase, and phase.

        - ``day``: UTC day on which the window ends.
        - ``phase_version``: version of GitHub's rules; figures of different versions must not be
          compared.
        - ``phase_number``: 0 no cohort, 1 code first, 2 agent first, 3 multi-agent.
        - ``phase``: the phase as GitHub names it.
        - ``people``: people whose last report in the window has this phase. The numerator.
        - ``all_people``: people with any reported phase in the window. The denominator.
        - ``share``: people / all_people; ``low``, ``high``: its 95 % Wilson interval.
        - ``is_complete_window``: False for the first ``window - 1`` days.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    GitHub's phase itself looks at the 28 days up to its day. Left out: records without a phase.

    Source: GitHub changelog 2026-05-29.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": [pd.Timestamp("2026-11-02")] * 3, "user_id": [1, 2, 3],
    ...     "phase_version": ["v1"] * 3, "phase_number": [1, 1, 3],
    ...     "phase": ["Phase 1", "Phase 1", "Phase 3"],
    ... })
    >>> adoption_phases(users)[["day", "phase_number", "people", "all_people"]]
             day  phase_number  people  all_people
    0 2026-11-02             1       2           3
    1 2026-11-02             3       1           3
    """
    check_count(window, "window")
    rows = with_phase(users)
    days = frames.calendar(rows, frames.first_and_last(rows))
    reports = rows.select("user_id", "day", *PHASE).unique()
    grid = days.join(reports.select(*PHASE).unique(), how="cross")
    changes = nw.concat(
        [grid.select("day", *PHASE, change=nw.lit(0)), _phase_changes(reports, window)],
        how="vertical",
    )
    counts = (
        changes.group_by("day", *PHASE)
        .agg(nw.col("change").sum())
        .with_columns(people=nw.col("change").cum_sum().over(*PHASE, order_by="day"))
        .join(days, on="day")
        .with_columns(
            all_people=nw.col("people").sum().over("day"),
            is_complete_window=nw.col("number") >= window - 1,
        )
    )
    shares = with_share(counts, "people", "all_people", "share")
    columns = ("people", "all_people", "share", "low", "high", "is_complete_window")
    return frames.result(shares.select("day", *PHASE, *columns), "day", *PHASE)


def _phase_changes(reports: nw.LazyFrame, window: int) -> nw.LazyFrame:
    """Return when people enter a phase (+1), and leave it (-1) with a new report or without one."""
    lapse = nw.col("day").dt.offset_by(f"{window}d")
    following = nw.col("day").shift(-1).over("user_id", order_by=["day", "phase_number"])
    leaves = nw.when(following < lapse).then(following).otherwise(lapse)
    return nw.concat(
        [
            reports.select("day", *PHASE, change=nw.lit(1)),
            reports.with_columns(_leaves=leaves)
            .select(*PHASE, day="_leaves", change=nw.lit(-1))
            .select("day", *PHASE, "change"),
        ],
        how="vertical",
    )


def _last_phases(rows: nw.LazyFrame, *by: str) -> nw.LazyFrame:
    """Return each person's last phase, inside each of `by`."""
    return last_rows(rows, *by, "user_id").select(*by, "user_id", *PHASE).unique()


def latest_phases(users):
    """Return how many people are in each adoption phase, by each person's last report.

    Question: where does everybody stand at the end of the period?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.

    Returns
    -------
    frame
        One row per phase.

        - ``phase_version``, ``phase_number``, ``phase``: as in `adoption_phases`.
        - ``people``: people whose last reported phase within the frame is this one. The numerator.
        - ``all_people``: people with any reported phase. The denominator.
        - ``share``: people / all_people.
        - ``low``, ``high``: 95 % Wilson interval of the share.

    Raises
    ------
    UsageError
        A column is absent, or the frame holds more than one scope.

    Notes
    -----
    Left out: people for whom no phase was ever reported. A last report may be weeks old, so give a
    frame of about 28 days.

    Source: GitHub changelog 2026-05-29.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-02"]),
    ...     "user_id": [1, 1, 2], "phase_version": ["v1"] * 3, "phase_number": [1, 2, 1],
    ...     "phase": ["Phase 1", "Phase 2", "Phase 1"],
    ... })
    >>> latest_phases(users)[["phase", "people", "all_people", "share"]]
         phase  people  all_people  share
    0  Phase 1       1           2    0.5
    1  Phase 2       1           2    0.5
    """
    rows = _last_phases(with_phase(users))
    counts = rows.group_by(*PHASE).agg(people=nw.len())
    counts = counts.join(rows.select(all_people=nw.col("user_id").n_unique()), how="cross")
    return frames.result(with_share(counts, "people", "all_people", "share"), *PHASE)


def phase_transitions(users, *, period: str = "week", week_start: str = "monday"):
    """Return how many people went from one adoption phase to another between periods.

    Question: who moves on, who stays, and who falls back?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    period
        ``"week"``, ``"month"`` or ``"day"``.
    week_start
        Weekday on which weeks begin.

    Returns
    -------
    frame
        One row per period and pair of phases.

        - ``period``: first day of the later period.
        - ``phase_version``: version of GitHub's rules, the same in both periods.
        - ``from_phase_number``, ``from_phase``: phase at the end of the period before.
        - ``to_phase_number``, ``to_phase``: phase at the end of this period.
        - ``people``: people with this pair, those who stayed included.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: people without a reported phase in both periods, and changes of the rules' version.
    Phases look back 28 days, so a person stays for weeks after the activity ended.

    Source: this package, on phases of GitHub changelog 2026-05-29.

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-09"]), "user_id": [1, 1],
    ...     "phase_version": ["v1"] * 2, "phase_number": [1, 2], "phase": ["Phase 1", "Phase 2"],
    ... })
    >>> phase_transitions(users)[["period", "from_phase", "to_phase", "people"]]
          period from_phase to_phase  people
    0 2026-11-09    Phase 1  Phase 2       1
    """
    start = frames.period_start(period, week_start)
    rows = with_phase(users)
    days, _ = frames.periods(rows, frames.first_and_last(rows), start)
    rows = rows.join(days, on="day")
    old = _last_phases(rows, "following").select(
        "user_id",
        period="following",
        old_version="phase_version",
        from_phase_number="phase_number",
        from_phase="phase",
    )
    new = _last_phases(rows, "period").select(
        "user_id",
        "period",
        "phase_version",
        to_phase_number="phase_number",
        to_phase="phase",
    )
    version, old_version = nw.col("phase_version"), nw.col("old_version")
    is_comparable = (version == old_version) | (version.is_null() & old_version.is_null())
    moved = new.join(old, on=["user_id", "period"]).filter(is_comparable)
    pair = ("from_phase_number", "from_phase", "to_phase_number", "to_phase")
    columns = ("period", "phase_version", *pair)
    return frames.result(moved.group_by(*columns).agg(people=nw.len()), *columns)
