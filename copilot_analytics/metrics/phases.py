"""GitHub's adoption phases, as its reports give them."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count
from copilot_analytics.metrics.statistics import with_share
from copilot_analytics.metrics.windows import changes_of

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
    rows, phases = numbered(rows)
    changes = _phase_changes(rows, window)
    counts = (
        days.join(listed(rows, phases), how="cross")
        .join(changes, on=["day", "place"], how="left")
        .with_columns(nw.col("change").fill_null(0).cast(nw.Int64))
        .with_columns(people=nw.col("change").cum_sum().over("place", order_by="number"))
        .with_columns(
            all_people=nw.col("people").sum().over("day"),
            is_complete_window=nw.col("number") >= window - 1,
        )
    )
    shares = with_share(counts, "people", "all_people", "share")
    columns = ("people", "all_people", "share", "low", "high", "is_complete_window")
    return frames.result(shares.select("day", *PHASE, *columns), "day", *PHASE)


def numbered(rows: nw.LazyFrame) -> tuple[nw.LazyFrame, list[dict]]:
    """Return each person and day with the `place` of its phase in a list of phases, and the list.

    There are many rows and few phases, and numbers are sorted and grouped faster than names.
    """
    phases = frames.rows(frames.distinct(rows, *PHASE).sort(*PHASE, nulls_last=True))
    place = nw.lit(-1, dtype=nw.Int64)
    for number, phase in enumerate(phases):
        same = [
            nw.col(name).is_null() if value is None else nw.col(name) == value
            for name, value in phase.items()
        ]
        is_phase = nw.all_horizontal(*same, ignore_nulls=True)
        place = nw.when(is_phase).then(nw.lit(number, dtype=nw.Int64)).otherwise(place)
    return rows.select("user_id", "day", place=place), phases


def listed(rows: nw.LazyFrame, phases: list[dict]) -> nw.LazyFrame:
    """Return phases with their `place` as a frame of the engine of `rows`."""
    types = dict(zip(PHASE, (nw.String, nw.Int64, nw.String), strict=True))
    placed = [{"place": place, **phase} for place, phase in enumerate(phases)]
    return frames.literals(rows, placed, {"place": nw.Int64, **types})


def _phase_changes(rows: nw.LazyFrame, window: int) -> nw.LazyFrame:
    """Return by how much the number of people in a phase changes, per day of change.

    People enter a phase with a report, and leave it with a new report or without one in time.
    """
    lapse = nw.col("day").dt.offset_by(f"{window}d")
    following = nw.col("day").shift(-1).over("user_id", order_by=["day", "place"])
    leaves = nw.when(following < lapse).then(following).otherwise(lapse)
    return changes_of(rows.select("place", start="day", end=leaves), "place")


def last_reports(rows: nw.LazyFrame, phases: list[dict], *by: str) -> nw.LazyFrame:
    """Return the `number` of the day and the `place` of each person's last phase, inside `by`.

    The two make one number, which is greatest for the last report.
    """
    count = max(len(phases), 1)
    coded = rows.with_columns(_last=nw.col("number") * count + nw.col("place"))
    last = coded.group_by(*by, "user_id").agg(nw.col("_last").max())
    return last.select(
        *by, "user_id", number=nw.col("_last") // count, place=nw.col("_last") % count
    )


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
    rows = with_phase(users)
    days = frames.calendar(rows, frames.first_and_last(rows))
    rows, phases = numbered(rows)
    rows = rows.join(days, on="day")
    last = frames.kept(last_reports(rows, phases).group_by("place").agg(people=nw.len()))
    counts = last.join(listed(rows, phases), on="place")
    counts = counts.join(last.select(all_people=nw.col("people").sum()), how="cross")
    shares = with_share(counts, "people", "all_people", "share")
    columns = (*PHASE, "people", "all_people", "share", "low", "high")
    return frames.result(shares.select(*columns), *PHASE)


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
    rows, phases = numbered(rows)
    last = frames.kept(last_reports(rows.join(days, on="day"), phases, "period", "following"))
    before = last.select("user_id", period="following", from_place="place")
    pairs = last.select("user_id", "period", to_place="place").join(
        before, on=["user_id", "period"]
    )
    counts = pairs.group_by("period", "from_place", "to_place").agg(people=nw.len())
    for end in ("from", "to"):
        names = {f"{end}_{name}": nw.col(name) for name in ("place", *PHASE)}
        counts = counts.join(listed(rows, phases).select(**names), on=f"{end}_place")
    version, old_version = nw.col("to_phase_version"), nw.col("from_phase_version")
    is_comparable = (version == old_version) | (version.is_null() & old_version.is_null())
    pair = ("from_phase_number", "from_phase", "to_phase_number", "to_phase")
    moves = counts.filter(is_comparable).select("period", *pair, "people", phase_version=version)
    columns = ("period", "phase_version", *pair)
    return frames.result(moves.select(*columns, "people"), *columns)
