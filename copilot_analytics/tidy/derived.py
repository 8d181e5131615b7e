"""Tables made from tables: some days or one scope of them, and several as one.

`cut` and `combine` return what `Tables` is made from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial

import pandas as pd
import pyarrow as pa

from copilot_analytics import catalogue
from copilot_analytics.days import parse_day
from copilot_analytics.errors import ContentError, UsageError
from copilot_analytics.tidy.digests import record_digests
from copilot_analytics.tidy.schema import to_arrow

DAY_STATES = ("scope", "family", "day", "state", "rows")
WINDOW = ("report_start_day", "report_end_day")
LONGEST_WINDOW = 28  # days; GitHub has no longer report
SATURDAY = 5
_DAY_FAMILIES = ("users", "entity", "teams", "repos")
# Where sources differ about a day, the first of these holds: rows count more than none, and among
# days with rows the one that promises less.
_CAUTION = ("damaged", "provisional", "present", "final", "failed", "missing", "pending", "empty")
_SOURCE, _RECORD = "#source", "#record"


def present_days(read_columns: Callable[[str, list[str]], pd.DataFrame]) -> pd.DataFrame:
    """Return one row per scope, family and day: ``present`` with rows, ``empty`` if known to lack.

    Which days are known to be without rows is what `empty_days` says.
    """
    parts = []
    for family in _DAY_FAMILIES:
        has_window = set(WINDOW) <= set(catalogue.table(family).names)
        days = read_columns(family, ["scope", "day", *(WINDOW if has_window else ())])
        counted = days.groupby(["scope", "day"], as_index=False).size()
        parts.append(
            counted.assign(family=family, state="present").rename(columns={"size": "rows"})
        )
        if has_window:
            parts.append(empty_days(days).assign(family=family, state="empty", rows=0))
    states = pd.concat(parts, ignore_index=True)[list(DAY_STATES)]
    types = {"scope": "str", "family": "str", "day": "datetime64[us]", "state": "str"}
    return states.astype({**types, "rows": "Int64"}).sort_values(
        ["scope", "family", "day"], ignore_index=True
    )


def empty_days(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the scopes and weekend days of which a report of several days has no rows.

    Without rows on a working day a part of the report may be lost: GitHub cuts large reports into
    parts by time. So nothing is said of those days, nor of days before and after all rows.
    """
    whole = rows[rows.notna().all(axis=1)].drop_duplicates()
    length = whole[WINDOW[1]] - whole[WINDOW[0]]
    spans = whole[length < pd.Timedelta(days=LONGEST_WINDOW)]
    spans = spans.groupby(["scope", *WINDOW])["day"].agg(["min", "max"]).reset_index()
    days = [
        pd.DataFrame({"scope": span.scope, "day": pd.date_range(span.min, span.max, unit="us")})
        for span in spans.itertuples(index=False)
    ]
    if not days:
        return rows[["scope", "day"]].head(0)
    covered = pd.concat(days).drop_duplicates()
    there = pd.MultiIndex.from_frame(rows[["scope", "day"]])
    is_there = pd.MultiIndex.from_frame(covered).isin(there)
    return covered[~is_there & (covered["day"].dt.day_of_week >= SATURDAY)]


def cut(tables, start, end, scope: str | None) -> dict:
    """Return the tables with only some days, or only one scope."""
    first, last = _bound(start, "the start"), _bound(end, "the end")
    if first is not None and last is not None and first > last:
        raise UsageError(f"the start {first:%Y-%m-%d} is after the end {last:%Y-%m-%d}")
    if scope is not None and scope not in tables.scopes:
        there = f"one of: {', '.join(tables.scopes)}" if tables.scopes else "there are no rows"
        raise UsageError(f"there is no scope {scope!r}", advice=there)

    def kept(frame: pd.DataFrame) -> pd.DataFrame:
        keep = pd.Series(True, index=frame.index)
        if first is not None:
            keep &= frame["day"] >= first
        if last is not None:
            keep &= frame["day"] <= last
        if scope is not None:
            keep &= frame["scope"] == scope
        return frame[keep].reset_index(drop=True)

    def read_columns(name: str, columns: list[str]) -> pd.DataFrame:
        return kept(tables.read(name, _with(columns, ["day", "scope"])))[columns]

    return {
        "frames": {name: (lambda name=name: kept(tables[name])) for name in tables},
        "read_columns": read_columns,
        "day_states": kept(tables.day_states),
        "unknown_fields": tables.unknown_fields,
        "quarantined": tables.quarantined,
        "notes": tables.notes,
        "facts": tables.facts,
    }


def _bound(day, what: str) -> pd.Timestamp | None:
    """Return a first or last day. NaT, the least day of no rows, is one that no day reaches."""
    return day if day is None or day is pd.NaT else pd.Timestamp(parse_day(day, what))


def combine(several: Sequence) -> dict:
    """Return several tables as one; records that are there more than once count once."""
    repeated = {base: _repeated(several, base) for base in set(_bases().values())}

    def frame(name: str) -> pd.DataFrame:
        return _joined([one[name] for one in several], name, repeated)

    def read_columns(name: str, columns: list[str]) -> pd.DataFrame:
        wanted = _with(columns, catalogue.table(_bases()[name]).key)
        return _joined([one.read(name, wanted) for one in several], name, repeated)[columns]

    facts = _added([one.facts for one in several])
    duplicates = sum(map(len, repeated.values()))
    if duplicates:
        facts["duplicates collapsed"] = facts.get("duplicates collapsed", 0) + duplicates
    return {
        "frames": {name: partial(frame, name) for name in several[0]},
        "read_columns": read_columns,
        "day_states": _day_states(several, read_columns),
        "unknown_fields": _unknown_fields(several),
        "quarantined": pd.concat([one.quarantined for one in several], ignore_index=True),
        "notes": _added([one.notes for one in several]),
        "facts": facts,
    }


def _with(columns: Sequence[str], others: Sequence[str]) -> list[str]:
    return [*columns, *(name for name in others if name not in columns)]


def _added(counts: list[dict]) -> dict:
    total = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


@cache
def _bases() -> dict[str, str]:
    """Return for each table the one that holds the key of its records: the first of its family."""
    first: dict[str, str] = {}
    return {t.name: first.setdefault(t.family, t.name) for t in catalogue.all_tables().values()}


def _repeated(several: Sequence, base: str) -> pd.DataFrame:
    """Return the keys of the records that an earlier source has as well, and which source it is."""
    key = list(catalogue.table(base).key)
    parts = [one.read(base, key).assign(**{_SOURCE: n}) for n, one in enumerate(several)]
    records = pd.concat(parts, ignore_index=True)
    shared = records[records.duplicated(key, keep=False)].reset_index(drop=True)
    if len(shared):
        _check_same(several, base, shared, key)
    return shared[shared.duplicated(key)]


def _check_same(several: Sequence, base: str, shared: pd.DataFrame, key: list[str]) -> None:
    """Raise if records of one key say different things, in whichever table of the family."""
    numbers = shared.rename_axis(_RECORD).reset_index()
    tables = {}
    for name in (name for name, its_base in _bases().items() if its_base == base):
        parts = [
            one[name].merge(numbers[numbers[_SOURCE] == n], on=key) for n, one in enumerate(several)
        ]
        rows = pd.concat(parts, ignore_index=True)
        typed = to_arrow(name, rows.drop(columns=[_SOURCE, _RECORD]))
        tables[name] = typed.append_column(_RECORD, pa.array(rows[_RECORD]))
    digests = record_digests(tables, _RECORD, set(catalogue.HOUSEKEEPING))
    told = numbers.assign(digest=numbers[_RECORD].map(digests))
    differs = told.groupby(key, dropna=False)["digest"].transform("nunique") > 1
    if differs.any():
        row = told[differs].iloc[0]
        sources = told.loc[(told[key] == row[key]).all(axis=1), _SOURCE] + 1
        shown = ", ".join(
            f"{name} {row[name]:%Y-%m-%d}" if name.endswith("day") else f"{name} {row[name]}"
            for name in key
        )
        raise ContentError(
            f"table {base}: records of the same key and different numbers ({shown})",
            said=f"the records stand in number {' and '.join(map(str, sources))} of the tables",
            kept="the tables as they were",
            advice="leave out the tables that were fetched earlier, or filter their days",
        )


def _joined(
    frames: list[pd.DataFrame], name: str, repeated: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return frames as one, without the records that an earlier one has as well."""
    base = _bases()[name]
    key, parts = list(catalogue.table(base).key), []
    for number, frame in enumerate(frames):
        gone = repeated[base][repeated[base][_SOURCE] == number]
        if len(gone):
            is_gone = pd.MultiIndex.from_frame(frame[key]).isin(pd.MultiIndex.from_frame(gone[key]))
            frame = frame[~is_gone]
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def _day_states(several: Sequence, read_columns) -> pd.DataFrame:
    """Return the state of each day: the most cautious one, with the rows that are there."""
    key = ["scope", "family", "day"]
    joined = present_days(read_columns)
    states = [*(one.day_states for one in several), joined[joined["state"] == "empty"]]
    order = {state: place for place, state in enumerate(_CAUTION)}
    states = pd.concat(states, ignore_index=True).sort_values(
        "state", key=lambda state: state.map(order), kind="stable"
    )
    rows = joined[[*key, "rows"]]
    held = states.drop(columns="rows").drop_duplicates(key).merge(rows, how="left", on=key)
    held["rows"] = held["rows"].fillna(0)
    return held.sort_values(key, ignore_index=True)[list(DAY_STATES)]


def _unknown_fields(several: Sequence) -> pd.DataFrame:
    """Return each unknown field once, with the place where it was seen first."""
    together = pd.concat([one.unknown_fields for one in several], ignore_index=True)
    if together.empty:
        return several[0].unknown_fields
    key = ["path", "table"]
    together["count"] = together.groupby(key)["count"].transform("sum")
    return together.drop_duplicates(key, ignore_index=True)
