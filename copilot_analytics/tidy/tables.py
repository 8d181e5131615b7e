"""The result of reading: tables by name, and what was noticed on the way."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from copilot_analytics.errors import UsageError

DAY_STATES = ("scope", "family", "day", "state", "rows")
_DAY_FAMILIES = ("users", "entity", "teams", "repos")


class Tables(Mapping):
    """A read-only mapping from table name to DataFrame, with attribute access.

    Every name of `catalogue.tables()` is always there, empty where the source has nothing, with
    all its typed columns. Frames are made when they are first asked for and then kept; each access
    gives the same frame, which pandas' copy-on-write protects from changes in derived frames only,
    so treat it as read-only.

    Attributes
    ----------
    day_states : DataFrame
        One row per scope, family of reports and day: `state` and the number of `rows`. ``present``
        where only a file was read; the archive knows provisional, final, empty and missing days.
    unknown_fields : DataFrame
        One row per field that the catalogue does not describe: path, table, first file and line,
        count. Their values stand in the column `extra`.
    quarantined : DataFrame
        One row per record that was left out, with file, line, field and problem.
    is_complete : bool
        False if records were left out.
    notes : dict
        What was read in a way worth knowing, with how often.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(b'{"day":"2026-11-02","organization_id":"7","user_id":1,'
    ...                  b'"user_initiated_interaction_count":3}')
    >>> tables.users[["scope", "user_id", "user_initiated_interaction_count"]]
                scope  user_id  user_initiated_interaction_count
    0  organization:7        1                                 3
    """

    def __init__(
        self,
        frames: Mapping[str, pd.DataFrame | Callable[[], pd.DataFrame]],
        *,
        day_states: pd.DataFrame | None = None,
        unknown_fields: pd.DataFrame | None = None,
        quarantined: pd.DataFrame | None = None,
        notes: Mapping[str, int] | None = None,
        facts: Mapping[str, object] | None = None,
    ):
        self._frames = dict(frames)
        self._day_states = day_states
        self.unknown_fields = unknown_fields if unknown_fields is not None else pd.DataFrame()
        self.quarantined = quarantined if quarantined is not None else pd.DataFrame()
        self.notes = dict(notes or {})
        self.facts = dict(facts or {})

    def __getitem__(self, name: str) -> pd.DataFrame:
        frame = self._frames[name]
        if callable(frame):
            frame = self._frames[name] = frame()
        return frame

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name.startswith("_") or name not in self._frames:
            raise AttributeError(f"there is no table {name!r}; tables: {', '.join(self._frames)}")
        return self[name]

    def __dir__(self):
        return [*super().__dir__(), *self._frames]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def is_complete(self) -> bool:
        """Whether every record of the source is in the tables."""
        return self.quarantined.empty

    @property
    def day_states(self) -> pd.DataFrame:
        """One row per scope, family of reports and day, with its state."""
        if self._day_states is None:
            self._day_states = _present_days(self)
        return self._day_states

    def filter(self, *, start=None, end=None, scope: str | None = None) -> Tables:
        """Return the tables with only the days from ``start`` to ``end``, both included.

        Parameters
        ----------
        start, end
            Days as text, date or timestamp; None for no bound.
        scope
            ``"organization:ID"`` or ``"enterprise:ID"`` as in the column `scope`; None for all.
        """
        start, end = (None if day is None else pd.Timestamp(day) for day in (start, end))
        if start is not None and end is not None and start > end:
            raise UsageError(f"the start {start:%Y-%m-%d} is after the end {end:%Y-%m-%d}")

        def cut(frame: pd.DataFrame) -> pd.DataFrame:
            keep = pd.Series(True, index=frame.index)
            if start is not None:
                keep &= frame["day"] >= start
            if end is not None:
                keep &= frame["day"] <= end
            if scope is not None:
                keep &= frame["scope"] == scope
            return frame[keep].reset_index(drop=True)

        return Tables(
            {name: (lambda name=name: cut(self[name])) for name in self},
            day_states=cut(self.day_states),
            unknown_fields=self.unknown_fields,
            quarantined=self.quarantined,
            notes=self.notes,
            facts=self.facts,
        )

    def summary(self) -> pd.DataFrame:
        """Return what was read: one row per table that has rows, with days and people.

        The rows after the tables count what was noticed: duplicates collapsed, unknown fields,
        records in quarantine.
        """
        rows = []
        for name, frame in self.items():
            if frame.empty:
                continue
            days = frame["day"]
            rows.append(
                {
                    "what": name,
                    "rows": len(frame),
                    "days": days.nunique(),
                    "first_day": days.min(),
                    "last_day": days.max(),
                    "people": frame["user_id"].nunique() if "user_id" in frame else pd.NA,
                }
            )
        noticed = {
            **self.facts,
            "unknown fields": len(self.unknown_fields),
            "records in quarantine": len(self.quarantined),
            **self.notes,
        }
        rows += [{"what": what, "rows": count} for what, count in noticed.items()]
        columns = ["what", "rows", "days", "first_day", "last_day", "people"]
        summary = pd.DataFrame(rows, columns=columns)
        counts = ["rows", "days", "people"]
        return summary.astype(dict.fromkeys(counts, "Int64"))

    def __repr__(self) -> str:
        filled = {name: len(self[name]) for name in self if len(self[name])}
        shown = ", ".join(f"{name} {rows:,}" for name, rows in filled.items()) or "no rows"
        return f"Tables({shown})"

    def _repr_html_(self) -> str:
        table = self.summary().to_html(index=False, na_rep="–", escape=True, border=0)
        return f"<p>{html.escape('Copilot usage metrics')}</p>{table}"


def _present_days(tables: Tables) -> pd.DataFrame:
    """Return the days that have rows, as ``present``."""
    parts = []
    for family in _DAY_FAMILIES:
        counted = tables[family].groupby(["scope", "day"], as_index=False).size()
        parts.append(
            counted.assign(family=family, state="present").rename(columns={"size": "rows"})
        )
    states = pd.concat(parts, ignore_index=True)[list(DAY_STATES)]
    return states.astype({"scope": "str", "family": "str", "state": "str", "rows": "Int64"})
