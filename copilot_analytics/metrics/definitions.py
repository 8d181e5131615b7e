"""The same figure under each definition, beside the figure that GitHub reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import active_days
from copilot_analytics.metrics.summary import headline
from copilot_analytics.metrics.to_date import people_to_date
from copilot_analytics.metrics.windows import people_in_window

DEFINITIONS = ("interactions", "engaged", "present")
_COLUMNS = {
    "figure_number": nw.Int64,
    "figure": nw.String,
    "reading": nw.String,
    "active": nw.String,
    "value": nw.Float64,
    "reported": nw.Float64,
    "difference": nw.Float64,
    "days_compared": nw.Int64,
    "days_matching": nw.Int64,
    "is_match": nw.Boolean,
    "people": nw.Int64,
}


@dataclass(frozen=True)
class Reading:
    """One way to read a count of active people that GitHub reports for every day.

    `window` is the length of a trailing window; otherwise the count begins anew on the first day of
    each `period`.
    """

    figure: str
    name: str
    field: str
    window: int = 0
    period: str = ""


READINGS = (
    Reading("daily active people", "on the day", "daily_active_users", window=1),
    Reading("weekly active people", "trailing 7 days", "weekly_active_users", window=7),
    Reading(
        "weekly active people", "week to date, from Sunday", "weekly_active_users", period="week"
    ),
    Reading("monthly active people", "trailing 28 days", "monthly_active_users", window=28),
    Reading("monthly active people", "month to date", "monthly_active_users", period="month"),
)
# Figures of `headline` that GitHub does not report, and what they are called here.
OTHER_FIGURES = {
    "share_of_people_seen": "share of the people seen who were active",
    "mean_daily_active_people": "active people on a working day",
    "interactions_per_active_person": "prompts per active person",
}


def definition_table(tables):
    """Return the count of active people under every definition, beside what GitHub reports.

    Question: why is this number not the one on GitHub's page, and which definition gives that one?

    Parameters
    ----------
    tables
        `Tables` with ``users`` of one scope, and ``entity`` of the same scope where there is one.

    Returns
    -------
    frame
        One row per figure, reading and definition of active.

        - ``figure_number``: order of the rows.
        - ``figure``: daily, weekly or monthly active people; the share of the people seen who were
          active, the active people on a working day, and prompts per active person.
        - ``reading``: the days that count: trailing, or from the start of the week or month to
          date. GitHub describes trailing windows and has been seen to report figures to date.
        - ``active``: definition of active, see `is_active`.
        - ``value``: mean of the figure over the days compared. Without days to compare, over all
          days whose window the frame covers. Other figures as in `headline`, a share from 0 to 1.
        - ``reported``: mean of GitHub's figure (``daily_active_users`` and so on) over the days
          compared. Missing where GitHub reports none.
        - ``difference``: value - reported.
        - ``days_compared``: days with both figures, as far as the frame covers the window.
        - ``days_matching``: of these, days on which both are equal.
        - ``is_match``: whether all of them are; missing without days to compare.
        - ``people``: different people who were active under the definition on any day of the frame,
          for hiding small groups.

    Raises
    ------
    UsageError
        The tables hold more than one scope.

    Notes
    -----
    From 2026-06-15 on GitHub also counts people whom only its servers saw, so its figure may be
    larger than any of these.

    Source: GitHub docs, Copilot usage metrics; this package for the other definitions.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(b'{"day":"2026-11-02","organization_id":"7","user_id":1,'
    ...                  b'"user_initiated_interaction_count":0}\\n'
    ...                  b'{"day":"2026-11-02","organization_id":"7","daily_active_users":0}')
    >>> definition_table(tables)[["reading", "active", "value", "reported", "is_match"]].head(3)
          reading        active  value  reported  is_match
    0  on the day  interactions    0.0       0.0      True
    1  on the day       engaged    0.0       0.0      True
    2  on the day       present    1.0       0.0     False
    """
    users = frames.read(tables["users"], "day", "user_id")
    entity = frames.read(tables["entity"], "day", *{reading.field for reading in READINGS})
    frames.one_scope(users, entity)
    person_days = {active: active_days(users, active) for active in DEFINITIONS}
    compared = list(_compared(users, entity, person_days)) + list(_other_figures(users))
    people = {
        active: frames.scalars(days.select(nw.col("user_id").n_unique()))
        for active, days in person_days.items()
    }
    # Of no rows at all, DuckDB counts no value instead of 0.
    rows = [
        {"figure_number": number, **row, "people": people[row["active"]]["user_id"] or 0}
        for number, row in enumerate(compared, start=1)
    ]
    return frames.result(frames.literals(users, rows, _COLUMNS), "figure_number")


def _compared(
    users: nw.LazyFrame, entity: nw.LazyFrame, person_days: Mapping[str, nw.LazyFrame]
) -> Iterator[dict]:
    """Yield each reading under each definition, with GitHub's figure."""
    ends = frames.first_and_last(users)
    for reading in READINGS:
        reported = entity.select("day", reported=reading.field)
        for active, days in person_days.items():
            own = _counts(users, ends, days, reading)
            yield {
                "figure": reading.figure,
                "reading": reading.name,
                "active": active,
                **_comparison(own.join(reported, on="day", how="left")),
            }


def _counts(users, ends, person_days: nw.LazyFrame, reading: Reading) -> nw.LazyFrame:
    """Return the count of people of every day whose window or period the data cover."""
    if reading.window:
        days = people_in_window(frames.calendar(users, ends), person_days, reading.window)
        return days.filter(nw.col("number") >= reading.window - 1).select("day", "people")
    days = people_to_date(users, ends, person_days, reading.period, "sunday")
    return days.filter(nw.col("is_complete_window")).select("day", "people")


def _comparison(days: nw.LazyFrame) -> dict:
    """Return the means of both figures, and on how many days they are equal."""
    known = ~nw.col("reported").is_null()
    equal = (nw.col("people") == nw.col("reported")).fill_null(False)
    facts = frames.scalars(
        days.select(
            all=nw.col("people").mean(),
            value=nw.when(known).then(nw.col("people")).mean(),
            reported=nw.col("reported").mean(),
            days_compared=known.cast(nw.Int64).sum(),
            days_matching=equal.cast(nw.Int64).sum(),
        )
    )
    count, matching = facts["days_compared"] or 0, facts["days_matching"] or 0
    return {
        "value": facts["value"] if count else facts["all"],
        "reported": facts["reported"],
        "difference": facts["value"] - facts["reported"] if count else None,
        "days_compared": count,
        "days_matching": matching,
        "is_match": matching == count if count else None,
    }


def _other_figures(users: nw.LazyFrame) -> Iterator[dict]:
    """Yield the headline figures that GitHub does not report, for the last 28 days."""
    values = {
        (row["figure"], active): row["value"]
        for active in DEFINITIONS
        for row in frames.rows(frames.read(headline(users, active=active)))
    }
    for name, figure in OTHER_FIGURES.items():
        for active in DEFINITIONS:
            yield {
                "figure": figure,
                "reading": "last 28 days",
                "active": active,
                "value": values[name, active],
                "reported": None,
                "difference": None,
                "days_compared": 0,
                "days_matching": 0,
                "is_match": None,
            }
