"""Files of reports to tidy tables.

`load` takes anything that GitHub or its usage page delivers and loses nothing: NDJSON goes the fast
way (`fast`), and everything that this cannot vouch for the exact way (`exact`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from weakref import WeakValueDictionary

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.errors import ContentError, UsageError
from copilot_analytics.tidy.collect import BASE, QUARANTINE_COLUMNS, UNKNOWN_COLUMNS, Collection
from copilot_analytics.tidy.derived import WINDOW, empty_days
from copilot_analytics.tidy.flatten import RECORD
from copilot_analytics.tidy.reading import Batch, Rejected, batches
from copilot_analytics.tidy.schema import empty_frame, table_schema, to_pandas
from copilot_analytics.tidy.seen import SeenRecords
from copilot_analytics.tidy.sources import sources
from copilot_analytics.tidy.tables import Tables

__all__ = [
    "BASE",
    "WINDOW",
    "Tables",
    "arrow_blocks",
    "arrow_tables",
    "empty_days",
    "empty_frame",
    "iter_tables",
    "load",
    "table_schema",
    "to_pandas",
]


def load(source, *, scope: str | None = None, errors: str = "raise") -> Tables:
    """Read reports from files into tidy tables: what has GitHub recorded?

    Parameters
    ----------
    source
        A path, a folder, a pattern such as ``"downloads/*.json"``, a list of these, an open binary
        file, or bytes. NDJSON, a JSON array, one object, wrappers with ``day_totals`` and exports
        of the usage page are told apart by their content, gzip and zstd as well.
    scope
        ``"organization:NAME"`` or ``"enterprise:NAME"`` for records that carry no id; otherwise
        such records have the scope ``"unknown"``.
    errors
        ``"raise"`` stops at the first record that is not valid. ``"quarantine"`` leaves such
        records out and lists them in ``tables.quarantined``.

    Returns
    -------
    Tables
        All tables of ``catalogue.tables()``; one row of each is what its grain says, with GitHub's
        field names. A missing value means that GitHub gave none, which is not 0 and not False.

    Raises
    ------
    ContentError
        A file that is not a report, or a record that is not valid: with file, line, field, what
        was expected and what was found.
    UsageError
        A path that does not exist, or an argument that is not known.

    Examples
    --------
    >>> tables = load(b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}')
    >>> tables.entity[["scope", "day", "daily_active_users"]]
              scope        day  daily_active_users
    0  enterprise:7 2026-11-02                   3
    """
    collection, arrow = arrow_tables(source, scope=scope, errors=errors)
    return _tables(collection, arrow)


def iter_tables(source, *, scope: str | None = None) -> Iterator[Tables]:
    """Read reports from files piece by piece, in memory that does not grow with the files.

    Parameters
    ----------
    source, scope
        As for `load`.

    Yields
    ------
    Tables
        The tables of some records each, in the order of the input; put together they are what
        `load` returns. A list or an indented object is one piece, however long it is.

    Raises
    ------
    ContentError
        As `load` with ``errors="raise"``; what was yielded before is then not to be used, as a
        record may conflict with one of an earlier piece.

    Examples
    --------
    >>> line = b'{"day":"2026-11-02","enterprise_id":"7","daily_active_users":3}'
    >>> [len(tables.entity) for tables in iter_tables(line)]
    [1]
    """
    for collection, arrow in arrow_blocks(source, scope=scope):
        yield _tables(collection, arrow)


def _tables(collection: Collection, arrow: dict) -> Tables:
    # Held by the functions that make the frames, and let go of once a frame is made.
    held = WeakValueDictionary(arrow)

    def read_columns(name: str, columns: list[str]) -> pd.DataFrame:
        table = held[name] if name in held else table_schema(name).empty_table()
        return to_pandas(name, table.select(columns))

    return Tables(
        {
            name: partial(to_pandas, name, arrow[name])
            if name in arrow
            else partial(empty_frame, name)
            for name in catalogue.all_tables()
        },
        rows={
            name: arrow[name].num_rows if name in arrow else 0 for name in catalogue.all_tables()
        },
        read_columns=read_columns,
        unknown_fields=pd.DataFrame(
            sorted(collection.unknown.values(), key=itemgetter("table", "path")),
            columns=list(UNKNOWN_COLUMNS),
        ),
        quarantined=pd.DataFrame(collection.quarantined, columns=list(QUARANTINE_COLUMNS)),
        notes=collection.notes,
        facts={
            "files": len(collection.files),
            "records": collection.records,
            "duplicates collapsed": collection.duplicates,
        },
    )


def arrow_tables(source, *, scope: str | None = None, errors: str = "raise"):
    """Read reports as Arrow tables, only those with rows, and what was noticed; see `load`."""
    if errors not in ("raise", "quarantine"):
        raise UsageError(f"errors={errors!r} is not known", advice="use 'raise' or 'quarantine'")
    files = sources(source)
    collection = Collection(files=[file.name for file in files])
    for found in batches(files, _scope(scope)):
        if isinstance(found, Batch):
            collection.add(found)
        elif errors == "raise":
            raise found.problem
        else:
            collection.quarantine(found)
    if not collection.records and collection.quarantined:
        first = collection.quarantined[0]
        raise ContentError(
            f"no record could be read: {first['problem']}",
            file=first["file"],
            line=first["line"],
            field=first["field"],
        )
    return collection, collection.tables(errors)


def arrow_blocks(source, *, scope: str | None = None):
    """Read reports as Arrow tables piece by piece, with what was noticed; see `iter_tables`."""
    files = sources(source)
    seen: dict[str, SeenRecords] = {}
    start = 0
    waiting = {file.name for file in files}
    for found in batches(files, _scope(scope)):
        if isinstance(found, Rejected):
            raise found.problem
        begun = {file for file, _ in found.origins} & waiting
        waiting -= begun
        collection = Collection(files=sorted(begun), first=start)
        collection.add(found)
        start += sum(len(lines) for _, lines in found.origins)
        tables = collection.numbered_tables("raise")
        known = seen.setdefault(found.family, SeenRecords(found.family))
        tables = known.without_repeated(tables, collection)
        yield collection, {name: table.drop_columns([RECORD]) for name, table in tables.items()}


def _scope(scope: str | None) -> str:
    return str(catalogue.Scope.parse(scope)) if scope is not None else "unknown"
