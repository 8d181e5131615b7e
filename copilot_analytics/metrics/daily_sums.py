"""Sums per scope and day of any tables: read once per table, small enough to compare at will."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import is_active

COUNTERS = (
    "user_initiated_interaction_count",
    "code_generation_activity_count",
    "code_acceptance_activity_count",
    "loc_suggested_to_add_sum",
    "loc_suggested_to_delete_sum",
    "loc_added_sum",
    "loc_deleted_sum",
)
GENERATED, ACCEPTED = COUNTERS[1:3]
SUGGESTED, ADDED = COUNTERS[3], COUNTERS[5]
KEY = ["scope", "day"]
# What is counted as right may be off by the rounding of an average to a whole number.
ROUNDING = 0.5
AVERAGES = {
    "user_initiated_interactions": COUNTERS[0],
    "code_generation_activities": GENERATED,
    "code_acceptance_activities": ACCEPTED,
    "loc_added": ADDED,
    "loc_deleted": COUNTERS[6],
}


class Term(NamedTuple):
    """What is summed per day: a column of a table, for all rows or only for some features.

    `column` has a place for the name of the measure; `sign` is -1 for what is taken away.
    """

    table: str
    column: str = "{}"
    features: tuple[str, ...] = ()
    sign: int = 1

    def named(self, measure: str) -> Term:
        """Return the term with the name of the measure filled in."""
        return self._replace(column=self.column.format(measure))


def daily_sums(tables: Mapping, terms: Iterable[Term]) -> dict[str, pd.DataFrame]:
    """Return for each table a frame of scope and day with the sum of every term.

    A sum is missing where no row of the day has a value. Tables that are not there or have no rows
    are left out; every other one is read once.
    """
    wanted = defaultdict(dict)
    for term in terms:
        wanted[term.table][column_name(term)] = term
    sums = {}
    for name, named in wanted.items():
        lazy = _table(tables, name)
        if lazy is not None:
            found = _sums(_with_measures(lazy, name), named)
            if len(found):
                sums[name] = found
    return sums


def column_name(term: Term) -> str:
    """Return the name of a term's column among the sums of its table."""
    return " ".join((term.column, *term.features))


def sources(name: str) -> tuple[str, ...]:
    """Return the tables that a table is made of, or its own name."""
    return _MADE[name][0] if name in _MADE else (name,)


def _sums(lazy: nw.LazyFrame, named: Mapping[str, Term]) -> pd.DataFrame:
    values = {}
    for name, term in named.items():
        value = nw.col(term.column)
        if term.features:
            value = nw.when(nw.col("feature").is_in(term.features)).then(value)
        values[name] = value
    chosen = lazy.select(*KEY, **values)
    known = {f"{name} known": nw.col(name).count() for name in values}
    totals = chosen.group_by(*KEY).agg(nw.col(*values).sum(), **known)
    table = pd.DataFrame(frames.rows(totals), columns=[*KEY, *values, *known]).set_index(KEY)
    found = table[list(values)].apply(pd.to_numeric)
    return found.where((table[list(known)] > 0).to_numpy())


def _table(tables: Mapping, name: str) -> nw.LazyFrame | None:
    """Return a table, or one that is made of several, None where there is none."""
    if name in _MADE:
        sources, make = _MADE[name]
        found = [_table(tables, source) for source in sources]
        return make(*found) if all(f is not None for f in found) else None
    return frames.read(tables[name], *KEY) if name in tables else None


def _with_measures(lazy: nw.LazyFrame, name: str) -> nw.LazyFrame:
    """Add what checks count: rows, and rows or people of which something is true."""
    lazy = lazy.with_columns(rows=nw.lit(1))
    measures = _MEASURES.get(name)
    return lazy.with_columns(**measures()) if measures else lazy


def _rows(among: nw.Expr, condition: nw.Expr | None = None) -> nw.Expr:
    """Return 1 for some rows, 0 for those of them that lack a condition, missing for all others."""
    value = nw.lit(1) if condition is None else condition.cast(nw.Int64)
    return nw.when(among).then(value)


def _activity_measures(with_lines: nw.Expr | None = None) -> dict[str, nw.Expr]:
    """Return rows with acceptances or lines, and those of them that are possible."""
    accepted, added = nw.col(ACCEPTED) > 0, nw.col(ADDED) > 0
    added = added if with_lines is None else added & with_lines
    return {
        "with_acceptances": _rows(accepted),
        "possible_acceptances": _rows(accepted, nw.col(ACCEPTED) <= nw.col(GENERATED)),
        "with_lines": _rows(added),
        "possible_lines": _rows(added, nw.col(ADDED) <= nw.col(SUGGESTED)),
    }


def _tokens(tool: str) -> dict[str, nw.Expr]:
    """Return rows with an average number of tokens per request, and those where it is right."""
    average, requests = nw.col(f"{tool}_avg_tokens_per_request"), nw.col(f"{tool}_request_count")
    tokens = nw.col(f"{tool}_output_tokens_sum") + nw.col(f"{tool}_prompt_tokens_sum")
    known = (requests > 0) & ~average.is_null()
    is_right = (average * requests - tokens).abs() <= requests * ROUNDING
    return {
        f"{tool}_averages": _rows(known),
        f"{tool}_right_averages": _rows(known, is_right),
    }


def _user_measures() -> dict[str, nw.Expr]:
    reduced = (~nw.col("has_telemetry")).fill_null(False)
    idle = nw.all_horizontal(*((nw.col(c).fill_null(0) == 0) for c in COUNTERS), ignore_nulls=True)
    flags = {
        "active_cli_users": ("used_cli",),
        "active_copilot_app_users": ("used_copilot_app",),
        "active_copilot_cloud_agent_users": (
            "used_copilot_cloud_agent",
            "used_copilot_coding_agent",
        ),
        "active_copilot_code_review_users": ("used_copilot_code_review_active",),
    }
    return {
        "with_prompts": is_active("interactions").cast(nw.Int64),
        "engaged": is_active("engaged").cast(nw.Int64),
        "without_telemetry": _rows(reduced),
        "without_telemetry_and_activity": _rows(reduced, idle),
        **{f"phase_{n}": _rows(~reduced, nw.col("phase_number") == n) for n in range(4)},
        **{name: nw.coalesce(*names).cast(nw.Int64) for name, names in flags.items()},
        **_activity_measures(),
        **_tokens("cli"),
        **_tokens("app"),
    }


def _phase_measures() -> dict[str, nw.Expr]:
    people = nw.col("total_engaged_users")
    return {
        **{f"phase_{n}": nw.when(nw.col("phase_number") == n).then(people) for n in range(4)},
        **{counter: nw.col(f"avg_{name}") * people for name, counter in AVERAGES.items()},
    }


_MEASURES = {
    "users": _user_measures,
    "entity": lambda: {**_tokens("cli"), **_tokens("app")},
    "users_by_feature": lambda: _activity_measures(nw.col("feature") == "code_completion"),
    "entity_by_phase": _phase_measures,
}


def _team_users(users: nw.LazyFrame, teams: nw.LazyFrame) -> nw.LazyFrame:
    """Return the records of people once for each of their teams of the day."""
    memberships = teams.select(*KEY, "user_id")
    return users.select(*KEY, "user_id", *COUNTERS).join(memberships, on=[*KEY, "user_id"])


def _of_enterprise(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Return the rows of organizations under the scope of their enterprise."""
    is_member = nw.col("scope").str.starts_with("organization:") & (nw.col("enterprise_id") != "")
    scope = nw.concat_str([nw.lit("enterprise:"), nw.col("enterprise_id")])
    return rows.filter(is_member).with_columns(scope=scope)


def _members(users: nw.LazyFrame) -> nw.LazyFrame:
    """Return each person of any organization of an enterprise once per day."""
    return frames.distinct(_of_enterprise(users), *KEY, "user_id")


def _windows(users: nw.LazyFrame, *reports: nw.LazyFrame) -> nw.LazyFrame:
    """Return the 28-day windows over which the records of people reach, one row each."""
    columns = ("scope", "report_start_day", "report_end_day")
    together = nw.concat([report.select(*columns) for report in reports], how="vertical")
    windows = frames.distinct(together)
    ends = users.group_by("scope").agg(first=nw.col("day").min(), last=nw.col("day").max())
    covered = (nw.col("report_start_day") >= nw.col("first")) & (
        nw.col("report_end_day") <= nw.col("last")
    )
    return windows.join(ends, on="scope").filter(covered).select(*columns)


def _in_windows(rows: nw.LazyFrame, windows: nw.LazyFrame) -> nw.LazyFrame:
    """Return rows of days under the last day of each window that they fall into."""
    is_inside = nw.col("day").is_between(nw.col("report_start_day"), nw.col("report_end_day"))
    inside = rows.join(windows, on="scope").filter(is_inside)
    return inside.drop("day").rename({"report_end_day": "day"})


def _window_users(users: nw.LazyFrame, window: nw.LazyFrame, kept: nw.LazyFrame) -> nw.LazyFrame:
    """Return one row per window and person with the sums of the days."""
    engaged = users.with_columns(engaged=is_active("engaged").cast(nw.Int64))
    rows = engaged.select(*KEY, "user_id", "engaged", *COUNTERS)
    inside = _in_windows(rows, _windows(users, window, kept))
    sums = nw.col(*COUNTERS).sum()
    return inside.group_by(*KEY, "user_id").agg(sums, nw.col("engaged").max())


def _window_features(
    users: nw.LazyFrame, by_feature: nw.LazyFrame, window: nw.LazyFrame, kept: nw.LazyFrame
) -> nw.LazyFrame:
    """Return one row per window, person and feature, with whether it was used on two days."""
    active = by_feature.filter(frames.has_activity(by_feature))
    rows = active.select(*KEY, "user_id", "feature")
    inside = _in_windows(rows, _windows(users, window, kept))
    days = inside.group_by(*KEY, "user_id", "feature").agg(days=nw.len())
    return days.with_columns(kept=(nw.col("days") >= 2).cast(nw.Int64))


# Tables that are made of others, and how.
_WINDOWS = ("users_window", "feature_engagement")
_MADE = {
    "team_users": (("users", "teams"), _team_users),
    "members": (("users",), _members),
    "organizations": (("entity",), _of_enterprise),
    "window_users": (("users", *_WINDOWS), _window_users),
    "window_features": (("users", "users_by_feature", *_WINDOWS), _window_features),
}
