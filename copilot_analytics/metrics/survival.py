"""How long people keep using Copilot, and whether they come back after a long absence."""

from __future__ import annotations

from datetime import timedelta

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count, only_active
from copilot_analytics.metrics.statistics import Z, with_share
from copilot_analytics.metrics.windows import window_runs

_KEYS = ("is_left_censored", "days")


def survival(users, *, active: str | nw.Expr = "interactions", gap: int = 28):
    """Return how many people were still using Copilot so many days after their first use.

    Question: for how long do people stay, counting those fairly who are still there?

    Parameters
    ----------
    users, active
        As in `active_users`.
    gap
        Days without activity after which a person counts as having stopped, on the day after the
        last active one.

    Returns
    -------
    frame
        One row per day since the first use, for people of each kind of start.

        - ``is_left_censored``: True for people whose first active day is one of the first `gap`
          days of the frame. They may have used Copilot long before.
        - ``days``: days since the first active day, from 0 to the last day with anybody at risk.
        - ``people``: people who were followed, the same in every row of their kind.
        - ``at_risk``: people who had not stopped before and were still followed. The denominator.
        - ``events``: people who stopped: on the day before, they were active for the last time.
        - ``censored``: people who had not stopped when the time for which they can be followed
          ended.
        - ``survival``: Kaplan-Meier estimate of the share of people who were active on this day
          after their first use, or later.
        - ``low``, ``high``: its 95 % interval by Greenwood's formula on the log-log scale; missing
          where nobody has stopped, or everybody.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    A stop is seen only when `gap` days have passed, so everybody is followed up to `gap` days
    before the last day of the frame. Who is still active then is censored on that day, not on the
    last active one: otherwise the last weeks would count as time in which nobody can stop. A person
    who stops and comes back has stopped; see `comebacks`. Left out: people first active in the last
    `gap` days. Long absences and missing days look like a stop.

    Source: E. L. Kaplan and P. Meier, Nonparametric estimation from incomplete observations,
    Journal of the American Statistical Association 53 (1958); interval as J. D. Kalbfleisch and
    R. L. Prentice, The Statistical Analysis of Failure Time Data (1980).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-05", "2026-11-02"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 1, 1, 2]})
    >>> survival(users, active="present", gap=2)[["days", "at_risk", "events", "survival"]]
       days  at_risk  events  survival
    0     0        2       0       1.0
    1     1        2       1       0.5
    2     2        1       0       0.5
    """
    check_count(gap, "gap")
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    ends = frames.first_and_last(users)
    days = frames.calendar(users, ends)
    # The last day after which a stop would be seen.
    limit = (ends[1] - ends[0]).days - gap if ends else -1
    runs = window_runs(only_active(users, active), gap)
    people = runs.group_by("user_id").agg(day=nw.col("start").min(), end=nw.col("end").min())
    people = people.with_columns(last_day=nw.col("end").dt.offset_by(f"-{gap}d"))
    followed = (
        people.join(days.select("day", start="number"), on="day")
        .join(days.select(last_day="day", stop="number"), on="last_day")
        .filter(nw.col("start") <= limit)
    )
    times = followed.select(
        is_left_censored=nw.col("start") < gap,
        days=nw.min_horizontal("stop", nw.lit(limit)) - nw.col("start") + 1,
        event=(nw.col("stop") <= limit).cast(nw.Int64),
    )
    return frames.result(_kaplan_meier(times, days.select(days="number")), *_KEYS)


def _kaplan_meier(times: nw.LazyFrame, grid: nw.LazyFrame) -> nw.LazyFrame:
    """Return the estimate for every group and day from each person's time and whether it ended."""
    counts = times.group_by(*_KEYS).agg(events=nw.col("event").sum(), gone=nw.len())
    group = "is_left_censored"
    rows = (
        times.group_by(group)
        .agg(people=nw.len())
        .join(grid, how="cross")
        .join(counts, on=list(_KEYS), how="left")
        .with_columns(nw.col("events", "gone").fill_null(0).cast(nw.Int64))
        .with_columns(gone_before=nw.col("gone").cum_sum().over(group, order_by="days"))
        .with_columns(at_risk=nw.col("people") - nw.col("gone_before") + nw.col("gone"))
        .filter(nw.col("at_risk") > 0)
    )
    events, at_risk = (nw.col(name).cast(nw.Float64) for name in ("events", "at_risk"))
    # Where all stop the share is 0. It has no logarithm, and nobody is at risk after that.
    all_stop = nw.col("events") == nw.col("at_risk")
    kept = nw.when(~all_stop).then(at_risk - events).otherwise(1.0)
    of = nw.when(~all_stop).then(at_risk).otherwise(1.0)
    rows = rows.with_columns(_log=(kept / of).log(), _variance=(of - kept) / (of * kept))
    rows = rows.with_columns(
        nw.col("_log", "_variance").cum_sum().over(group, order_by="days")
    ).with_columns(_between=nw.when(~all_stop & (nw.col("_log") < 0)).then(nw.col("_log")))
    reach = Z * nw.col("_variance").sqrt() / nw.col("_between")
    return rows.select(
        *_KEYS,
        "people",
        "at_risk",
        "events",
        censored=nw.col("gone") - nw.col("events"),
        survival=nw.when(all_stop).then(nw.lit(0.0)).otherwise(nw.col("_log").exp()),
        low=(nw.col("_between") * (-reach).exp()).exp(),
        high=(nw.col("_between") * reach.exp()).exp(),
    )


def comebacks(
    users,
    *,
    active: str | nw.Expr = "interactions",
    gap: int = 28,
    period: str = "month",
    week_start: str = "monday",
):
    """Return how many people came back after a long absence, for every period.

    Question: are people who stopped lost for good?

    Parameters
    ----------
    users, active, period, week_start
        As in `people_flow`.
    gap
        Days without activity from which on a person counts as away.

    Returns
    -------
    frame
        One row per period from the first to the last one with data.

        - ``period``: first day of the period.
        - ``people``: people who were away and had an active day again in the period. The numerator.
        - ``away_people``: people who were away on any day of the period, or came back on its first
          day. The denominator.
        - ``share``: people / away_people; ``low``, ``high``: its 95 % Wilson interval.
        - ``is_left_censored``: True for periods that begin in the first `gap` days of the frame, in
          which nobody can be told to be away.
        - ``is_complete_period``: False where the data begin or end within the period.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    A person counts once in a period, however often away. Left out: absences that began before the
    frame, and people who were never active in it. Holidays of `gap` days look like an absence.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-09-01", "2026-09-02", "2026-10-20"])
    >>> users = pd.DataFrame({"day": days, "user_id": [1, 2, 1]})
    >>> comebacks(users, active="present")[["period", "people", "away_people", "share"]]
          period  people  away_people  share
    0 2026-09-01       0            2    0.0
    1 2026-10-01       1            2    0.5
    """
    check_count(gap, "gap")
    start = frames.period_start(period, week_start)
    users = frames.read(users, "day", "user_id")
    frames.one_scope(users)
    ends = frames.first_and_last(users)
    days, periods = frames.periods(users, ends, start)
    absences = (
        window_runs(only_active(users, active), gap)
        .with_columns(
            away="end", following=nw.col("start").shift(-1).over("user_id", order_by="start")
        )
        .join(days.select(away="day", left="period"), on="away")
        .join(
            days.select(following="day", back="period", gone="following"),
            on="following",
            how="left",
        )
    )
    absences = frames.kept(absences)
    back = absences.select("user_id", period="back").filter(~nw.col("period").is_null())
    back = frames.distinct(back, "user_id", "period")
    changes = _away_changes(absences).group_by("period").agg(nw.col("change").sum())
    counts = (
        periods.join(back.group_by("period").agg(people=nw.len()), on="period", how="left")
        .join(changes, on="period", how="left")
        .with_columns(nw.col("people", "change").fill_null(0).cast(nw.Int64))
        .with_columns(
            away_people=nw.col("change").cum_sum().over(order_by="number"),
            is_left_censored=nw.col("period") < _first_away(ends, gap),
        )
    )
    shares = with_share(counts, "people", "away_people", "share")
    columns = ("period", "people", "away_people", "share", "low", "high")
    flags = ("is_left_censored", "is_complete_period")
    return frames.result(shares.select(*columns, *flags), "period")


def _first_away(ends, gap: int) -> nw.Expr:
    """Return the first day on which anybody can be told to be away."""
    return nw.lit(ends[0] + timedelta(days=gap) if ends else None, dtype=frames.DAY)


def _away_changes(absences: nw.LazyFrame) -> nw.LazyFrame:
    """Return the periods from which on people are away (+1), and no longer are (-1).

    Somebody who comes back and leaves again within one period stays counted.
    """
    before, after = (
        nw.col(name).shift(step).over("user_id", order_by="start")
        for name, step in (("back", 1), ("left", -1))
    )
    rows = absences.with_columns(before=before, after=after)
    starts = nw.col("before").is_null() | (nw.col("before") < nw.col("left"))
    ends = nw.col("after").is_null() | (nw.col("after") > nw.col("back"))
    return nw.concat(
        [
            rows.filter(starts).select(period="left", change=nw.lit(1)),
            rows.filter(~nw.col("back").is_null() & ends).select(period="gone", change=nw.lit(-1)),
        ],
        how="vertical",
    )
