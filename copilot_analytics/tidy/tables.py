"""The result of reading: tables by name, and what was noticed on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from copilot_analytics.errors import UsageError
from copilot_analytics.tidy import derived, exporting, overview, workbook
from copilot_analytics.tidy.collect import QUARANTINE_COLUMNS, UNKNOWN_COLUMNS


class Tables(Mapping):
    """A read-only mapping from table name to DataFrame, with attribute access.

    Every name of `catalogue.tables()` is always there, empty where the source has nothing, with
    all its typed columns. Frames are made when they are first asked for and then kept; each access
    gives the same frame, which pandas' copy-on-write protects from changes in derived frames only,
    so treat it as read-only. ``frame.attrs`` has its scopes and what one of its rows is. Tables of
    pandas can be copied and pickled; their frames are all made for it.

    Parameters
    ----------
    frames
        Table name to DataFrame, or to a function that makes it when it is first asked for.
    rows
        Table name to number of rows, where that is known without making the frame.
    read_columns
        Function of a table name and a list of columns that gives only these, where that is cheaper
        than making the whole frame.
    day_states, unknown_fields, quarantined, notes, facts
        See below; `facts` are counts, such as files and records.

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
        rows: Mapping[str, int] | None = None,
        read_columns: Callable[[str, list[str]], pd.DataFrame] | None = None,
        day_states: pd.DataFrame | None = None,
        unknown_fields: pd.DataFrame | None = None,
        quarantined: pd.DataFrame | None = None,
        notes: Mapping[str, int] | None = None,
        facts: Mapping[str, object] | None = None,
    ):
        self._frames = dict(frames)
        self._rows = dict(rows or {})
        self._read_columns = read_columns
        self._day_states = day_states
        self._summary: pd.DataFrame | None = None
        # In __dict__, because nobody else is to set an attribute; see __setattr__.
        self.__dict__ |= {
            "unknown_fields": _or_empty(unknown_fields, UNKNOWN_COLUMNS),
            "quarantined": _or_empty(quarantined, QUARANTINE_COLUMNS),
            "notes": dict(notes or {}),
            "facts": dict(facts or {}),
        }

    def __getitem__(self, name: str) -> pd.DataFrame:
        frame = self._frames[name]
        if callable(frame):
            frame = self._frames[name] = frame()
            overview.describe(name, frame)
        return frame

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._frames:
            raise AttributeError(f"there is no table {name!r}; tables: {', '.join(self._frames)}")
        return self[name]

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise AttributeError(
                "tables are read-only: keep a frame of your own as a variable, such as "
                "users = tables.users[...]; some days or one scope of all tables gives "
                "tables.filter(...)"
            )
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError("tables are read-only")

    def __copy__(self) -> Tables:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __reduce__(self) -> tuple:
        # What makes the frames holds open files and memory of others; the frames travel instead.
        names = ("day_states", "unknown_fields", "quarantined", "notes", "facts")
        return _unpickled, (
            {name: self[name] for name in self},
            {n: getattr(self, n) for n in names},
        )

    def __dir__(self):
        return [*super().__dir__(), *self._frames]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._frames)

    def __contains__(self, name: object) -> bool:
        return name in self._frames

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __repr__(self) -> str:
        filled = {name: self.count(name) for name in self if self.count(name)}
        shown = ", ".join(f"{name} {rows:,}" for name, rows in filled.items()) or "no rows"
        return f"Tables({shown})"

    def _repr_html_(self) -> str:
        return overview.as_html(self)

    @property
    def is_complete(self) -> bool:
        """Whether every record of the source is in the tables."""
        return self.quarantined.empty

    @property
    def day_states(self) -> pd.DataFrame:
        """One row per scope, family of reports and day, with its state."""
        if self._day_states is None:
            self._day_states = derived.present_days(self.read)
        return self._day_states

    @property
    def scopes(self) -> list[str]:
        """The scopes that occur: ``"organization:ID"``, ``"enterprise:ID"``, ``"unknown"``.

        >>> import copilot_analytics as ca
        >>> ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}').scopes
        ['enterprise:7']
        """
        others = [name for name in ("feature_engagement", "users_window") if name in self]
        columns = [self.day_states, *(self.read(name, ["scope"]) for name in others)]
        return sorted({scope for frame in columns for scope in frame["scope"].unique()})

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a table, or only some of its columns, without keeping its frame.

        For tables so large that not all should be in memory.

        >>> import copilot_analytics as ca
        >>> tables = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
        >>> tables.read("entity", ["scope", "daily_active_users"])
                  scope  daily_active_users
        0  enterprise:7                   3
        """
        frame = self._frames[name]
        if columns is None:
            return frame() if callable(frame) else frame
        if callable(frame) and self._read_columns is not None:
            return self._read_columns(name, list(columns))
        return self[name][list(columns)]

    def count(self, name: str) -> int:
        """Return how many rows a table has, without making its frame where that can be avoided."""
        if name not in self._rows:
            self._rows[name] = len(self.read(name, ["day"]))
        return self._rows[name]

    def summary(self) -> pd.DataFrame:
        """Answer: what was read, and what was noticed?

        Returns
        -------
        DataFrame
            One row per table that has rows: its name in `what`, the number of `rows`, of `days`
            and of `people` (missing for tables that are not about people), the `first_day` and the
            `last_day`. The rows after them count in `rows` what was noticed: files, records,
            duplicates collapsed, unknown fields, records in quarantine, and the notes.

        Examples
        --------
        >>> import copilot_analytics as ca
        >>> tables = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
        >>> tables.summary()[["what", "rows", "days"]].head(2)
             what  rows  days
        0  entity     1     1
        1   files     1  <NA>
        """
        if self._summary is None:
            self._summary = overview.summarize(self)
        return self._summary.copy()

    def filter(self, *, start=None, end=None, scope: str | None = None) -> Tables:
        """Return the tables with only some days, or only one scope.

        What was noticed while reading stays as it is: `facts`, `notes`, `unknown_fields` and
        `quarantined` are about everything that was read.

        Parameters
        ----------
        start, end
            First and last day, both included, as text, date or timestamp; None for no bound. As in
            pandas, no day is before or after NaT.
        scope
            ``"organization:ID"`` or ``"enterprise:ID"`` as in the column `scope`; None for all.

        Raises
        ------
        UsageError
            If a day is not one, has a time zone, or lies after the end; or if no row has the scope.

        Examples
        --------
        >>> import copilot_analytics as ca
        >>> tables = ca.sample(people=30, days=7)
        >>> tables.filter(start="2026-11-20").entity["day"].dt.strftime("%Y-%m-%d").tolist()
        ['2026-11-20']
        """
        return Tables(**derived.cut(self, start, end, scope))

    def concat(self, *others: Tables) -> Tables:
        """Return these tables and others as one, such as the days of several files.

        The rules are those of `load`: records that are there more than once, and say the same,
        count once; what was noticed is added up. ``Tables.concat(*several)`` joins a list.

        Parameters
        ----------
        *others
            Further tables, such as from `load` or `fetch`.

        Returns
        -------
        Tables
            Where `day_states` differ, the one that promises less holds.

        Raises
        ------
        ContentError
            If two records have one key and different values: with table and key.
        UsageError
            If something else than tables is given.

        Examples
        --------
        >>> import copilot_analytics as ca
        >>> one = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
        >>> two = ca.load(b'{"day":"2026-11-03","enterprise_id":"7","daily_active_users":4}')
        >>> one.concat(two).entity["daily_active_users"].tolist()
        [3, 4]
        """
        for other in others:
            if not isinstance(other, Tables):
                raise UsageError(
                    f"concat takes tables, not {type(other).__name__}",
                    advice="give them one by one: Tables.concat(*several)",
                )
        return Tables(**derived.combine([self, *others]))

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Write each table to a Parquet file, typed, for pandas, Polars, DuckDB, Spark and R.

        Parameters
        ----------
        folder
            Where ``users.parquet`` and the others go, also those without rows. Files of these
            names are replaced together once all are written.

        Returns
        -------
        list of Path
            The files, readable by their owner only because they hold personal data.

        Raises
        ------
        StorageError
            If the disk is full or does not let us write; what was there stays.

        Examples
        --------
        >>> import tempfile
        >>> import copilot_analytics as ca
        >>> tables = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = tables.to_parquet(folder)
        ...     print(pd.read_parquet(f"{folder}/entity.parquet").equals(tables.entity))
        True
        """
        return exporting.to_parquet(self, folder)

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write each table that has rows to a CSV file, for tools that read nothing else.

        UTF-8, with a heading; text in quotes, missing values empty; days as YYYY-MM-DD, times as
        ISO 8601 in UTC. Text that a spreadsheet would run as a formula gets an apostrophe.

        ``users.csv`` and the others replace files of these names in ``folder`` together; those of
        tables without rows are removed. Returns and raises as `to_parquet`.

        >>> import tempfile
        >>> import copilot_analytics as ca
        >>> tables = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print([path.name for path in tables.to_csv(folder)])
        ['entity.csv']
        """
        return exporting.to_csv(self, folder)

    def to_excel(self, file: str | Path) -> Path:
        """Write an Excel workbook with the meaning of each column, a summary, and the tables.

        The sheet `definitions` comes from the catalogue. Days and times (UTC, to the millisecond)
        are dates to Excel; text is never a formula or a link. Whole numbers of more than 15 digits
        stand as text, because Excel would round them.

        Parameters
        ----------
        file
            Name of the workbook, ``.xlsx``; an existing one is replaced.

        Returns
        -------
        Path
            The file, readable by its owner only because it holds personal data.

        Raises
        ------
        UsageError
            If a table or a text is too long for Excel, or the extra ``excel`` is not installed.
        StorageError
            If the disk is full or does not let us write; what was there stays.

        Examples
        --------
        >>> import tempfile
        >>> import copilot_analytics as ca
        >>> tables = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(tables.to_excel(f"{folder}/usage.xlsx").name)
        usage.xlsx
        """
        return workbook.to_excel(self, file)

    def to_duckdb(self, file: str | Path) -> Path:
        """Write a DuckDB database with all tables, typed; comments say what they mean.

        An existing ``file`` is replaced as a whole. Returns and raises as `to_excel`; the extra is
        called ``duckdb``.

        >>> import tempfile
        >>> import copilot_analytics as ca
        >>> tables = ca.load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(tables.to_duckdb(f"{folder}/usage.duckdb").name)
        usage.duckdb
        """
        return exporting.to_duckdb(self, file)


def _or_empty(frame: pd.DataFrame | None, columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns)) if frame is None else frame


def _unpickled(frames: dict[str, pd.DataFrame], others: dict) -> Tables:
    """Return tables that were pickled, or copied in depth."""
    return Tables(frames, **others)
