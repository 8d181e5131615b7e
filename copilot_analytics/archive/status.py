"""What the archive holds, what it lacks, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from copilot_analytics import catalogue, display, tidy
from copilot_analytics.archive.ledger import STATES, Ledger
from copilot_analytics.archive.partition import LEFT_OUT
from copilot_analytics.archive.reading import current_files, day_states, file_states
from copilot_analytics.archive.space import size_text

_SLOTS = "SELECT name, report, state, COUNT(*) AS days FROM slots GROUP BY name, report, state"
_REPORTS = """
SELECT r.name, r.report, MIN(v.first_day) AS first_day, MAX(v.last_day) AS last_day,
    checked_at
FROM (SELECT name, report, MAX(checked_at) AS checked_at FROM slots GROUP BY name, report) r
LEFT JOIN versions v ON v.name = r.name AND v.report = r.report AND v.is_current
GROUP BY r.name, r.report ORDER BY r.name, r.report
"""
_LEFT_OUT = """
SELECT name, report, SUM(json_extract(facts, '$.left_out')) AS left_out FROM versions
WHERE is_current GROUP BY name, report
"""
_HELD = "SELECT name, report, COUNT(*) AS held FROM versions WHERE is_held GROUP BY name, report"
_RAW = "SELECT v.name, v.report, r.path, r.bytes FROM raw_files r JOIN versions v USING (version)"
_TABLES = """
SELECT v.name, v.report, SUM(t.bytes) AS table_bytes
FROM table_files t JOIN versions v USING (version) GROUP BY v.name, v.report
"""
_KEY = ["name", "report"]
# A day in one of these states is not there, and is not known to have nothing either.
_GAPS = ("missing", "failed", "damaged")
_DATA = ("final", "provisional", "damaged")
_RECORDS = set(tidy.BASE.values()) - {tidy.BASE["window"]}  # tables with a row for each record


def status_frame(root: Path, ledger: Ledger) -> pd.DataFrame:
    """Return one row per scope and report that was ever asked for; see `Archive.status`."""
    with ledger.snapshot():
        frame = _rows(ledger, _REPORTS, [*_KEY, "first_day", "last_day", "checked_at"])
        states = _rows(ledger, _SLOTS, [*_KEY, "state", "days"])
        held = _rows(ledger, _HELD, [*_KEY, "held"])
        left_out = _rows(ledger, _LEFT_OUT, [*_KEY, LEFT_OUT])
        tables = _rows(ledger, _TABLES, [*_KEY, "table_bytes"])
        raw = _rows(ledger, _RAW, [*_KEY, "path", "bytes"])
        files = current_files(ledger)
        days = day_states(ledger, files, file_states(ledger, files))
        scopes = {row["name"]: row["scope"] for row in ledger.rows("SELECT * FROM scopes")}
    read = pd.DataFrame(
        [
            (one["name"], one["report"], one["rows"])
            for one in files
            if one["table_name"] in _RECORDS
        ],
        columns=[*_KEY, "records"],
    )
    counts = states.pivot_table(index=_KEY, columns="state", values="days")
    counts = counts.reindex(columns=list(STATES)).reset_index()
    raw["raw_bytes"] = [_size(root / path) for path in raw["path"]]
    raw = raw.rename(columns={"bytes": "report_bytes"}).drop(columns="path")
    raw, read = (one.groupby(_KEY, as_index=False).sum() for one in (raw, read))
    for more in (counts, held, left_out, raw, tables, read):
        frame = frame.merge(more, how="left", on=_KEY)
    gaps = _gaps(days)
    families = {one.report: one.family for one in catalogue.all_endpoints()}
    places = [
        (scopes.get(name, name), families.get(report) if report.endswith("1-day") else None)
        for name, report in zip(frame["name"], frame["report"], strict=True)
    ]
    frame["oldest_gap"] = [gaps.get(place, (pd.NaT, 0))[0] for place in places]
    frame["gap_days"] = [gaps.get(place, (pd.NaT, 0))[1] for place in places]
    return _typed(frame)


def _rows(ledger: Ledger, statement: str, columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame([dict(row) for row in ledger.rows(statement)], columns=columns)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _gaps(days: pd.DataFrame) -> dict[tuple[str, str], tuple[pd.Timestamp, int]]:
    """Return per scope and family the oldest day without data, and how many there are.

    A gap lies between the first and the last day with data; a day that GitHub confirms to be empty
    is none.
    """
    found = {}
    for key, group in days.groupby(["scope", "family"]):
        with_data = group.loc[group["state"].isin(_DATA), "day"]
        if len(with_data):
            fine = group.loc[~group["state"].isin(_GAPS), "day"]
            gaps = pd.date_range(with_data.min(), with_data.max()).difference(fine)
            found[key] = (gaps.min(), len(gaps))
    return found


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the columns in order, with their types; counts are 0 where there is nothing."""
    counts = [*STATES, "held", LEFT_OUT, "gap_days", "records"]
    counts += ["report_bytes", "raw_bytes", "table_bytes"]
    frame[counts] = frame[counts].fillna(0)
    for name in ("first_day", "last_day", "oldest_gap"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    looked = pd.to_datetime(frame["checked_at"], utc=True).astype("datetime64[us, UTC]")
    frame = frame.assign(checked_at=looked).astype(dict.fromkeys(counts, "int64"))
    days = ["first_day", "last_day", "oldest_gap", "gap_days"]
    return frame[[*_KEY, *STATES, *days, *counts[-4:], "held", LEFT_OUT, "checked_at"]].astype(
        dict.fromkeys(_KEY, "str")
    )


def status_html(root: Path, frame: pd.DataFrame) -> str:
    """Return what `Archive.status` found as a small table for a notebook."""
    sizes = frame["raw_bytes"] + frame["table_bytes"]
    shown = frame[[*_KEY, "first_day", "last_day", "records", "provisional", "damaged"]].assign(
        without_data=frame["gap_days"], size=[size_text(size) for size in sizes]
    )
    caption = f"Archive in {root}: {size_text(sizes.sum())} on disk"
    labels = {name: name.replace("_", " ").capitalize() for name in shown}
    return display.table(shown, labels=labels, caption=caption)._repr_html_()


def status_text(
    frame: pd.DataFrame, purged: Mapping[str | None, date] = MappingProxyType({})
) -> str:
    """Return what `Archive.status` and `Archive.purged` found as lines for a terminal.

    >>> print(status_text(pd.DataFrame(columns=["name"]), {None: date(2026, 1, 1)}))
    The archive is empty.
    Days before 2026-01-01 were purged: nothing stores or fetches them again.
    """
    gone = [
        f"Days before {day}{f' of {name}' if name else ''} were purged: "
        "nothing stores or fetches them again."
        for name, day in purged.items()
    ]
    if frame.empty:
        return "\n".join(["The archive is empty.", *gone])
    lines = []
    for name, group in frame.groupby("name"):
        lines.append(str(name))
        for row in group.to_dict("records"):
            lines += [f"  {line}" for line in _lines(row)]
    total = frame[["report_bytes", "raw_bytes", "table_bytes"]].sum()
    lines.append(
        f"On disk: {size_text(total['raw_bytes'])} of raw files "
        f"({size_text(total['report_bytes'])} as received), "
        f"{size_text(total['table_bytes'])} of tables"
    )
    return "\n".join([*lines, *gone])


def _lines(row: dict) -> Iterator[str]:
    """Yield what there is to say about one report of one scope."""
    states = ", ".join(f"{row[state]:,} {state}" for state in STATES if row[state])
    span = "no data"
    if pd.notna(row["first_day"]):
        span = f"{row['first_day']:%Y-%m-%d} to {row['last_day']:%Y-%m-%d}"
    yield (
        f"{row['report']}: {span}; {states}; {row['records']:,} records; "
        f"last look {row['checked_at']:%Y-%m-%d %H:%M} UTC"
    )
    if row["gap_days"]:
        yield f"  days without data: {row['gap_days']:,}, the oldest {row['oldest_gap']:%Y-%m-%d}"
    if row[LEFT_OUT]:
        yield f"  records left out of an import because they are not valid: {row[LEFT_OUT]:,}"
    if row["held"]:
        yield (
            f"  held back because they are much smaller than what was there: {row['held']:,}; "
            "if they are right: copilot-analytics sync --accept-shrink"
        )
