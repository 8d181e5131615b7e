"""Files of reports to tidy tables.

`load` takes anything that GitHub or its usage page delivers and loses nothing: NDJSON goes the fast
way (`fast`), and everything that this cannot vouch for the exact way (`exact`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.errors import ContentError, UsageError
from copilot_analytics.tidy import exact, fast, recognition
from copilot_analytics.tidy.collect import BASE, QUARANTINE_COLUMNS, UNKNOWN_COLUMNS, Collection
from copilot_analytics.tidy.exact import Findings
from copilot_analytics.tidy.schema import empty_frame, table_schema, to_pandas
from copilot_analytics.tidy.sources import Source, blocks, sources
from copilot_analytics.tidy.strict_json import parse
from copilot_analytics.tidy.tables import Tables

__all__ = ["BASE", "Tables", "arrow_tables", "empty_frame", "load", "table_schema", "to_pandas"]


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
    return Tables(
        {
            name: partial(to_pandas, name, arrow[name])
            if name in arrow
            else partial(empty_frame, name)
            for name in catalogue.all_tables()
        },
        unknown_fields=pd.DataFrame(collection.unknown.values(), columns=list(UNKNOWN_COLUMNS)),
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
    given = str(catalogue.Scope.parse(scope)) if scope is not None else "unknown"
    collection = Collection(given)
    for file in sources(source):
        collection.files.append(file.name)
        try:
            _read_file(file, collection, errors)
        except ContentError as problem:
            if errors == "raise":
                raise
            _quarantine(collection, problem, None)
    if not collection.records and collection.quarantined:
        first = collection.quarantined[0]
        raise ContentError(
            f"no record could be read: {first['problem']}",
            file=first["file"],
            line=first["line"],
            field=first["field"],
        )
    return collection, collection.tables(errors)


def _read_file(file: Source, collection: Collection, errors: str) -> None:
    stream = blocks(file)
    block = next(stream, b"")
    if not block.strip():
        block += b"".join(stream)
    if block.lstrip()[:1] not in (b"{", b"["):
        raise recognition.foreign_text(file.name, block)
    if not _is_lines(block):
        document = parse(block + b"".join(stream), file.name)
        records = [item for value in document for item in _items(value)]
        _add_exact(((None, record) for record in records), file, collection, errors)
        return
    first_line = 1
    while block:
        found = fast.read(block)
        if found:
            family, records = found
            lines = range(first_line, first_line + len(records))
            collection.add(family, records, file.name, lines, Findings())
        else:
            values = _parsed_lines(block, first_line, file, collection, errors)
            _add_exact(values, file, collection, errors)
        first_line += block.count(b"\n")
        block = next(stream, b"")


def _is_lines(block: bytes) -> bool:
    """Tell NDJSON from a document that spans lines: a list, or one indented object."""
    start = block.lstrip()
    if start.startswith(b"["):
        return False
    first, _, rest = start.partition(b"\n")
    try:
        json.loads(first)
    except RecursionError:
        return True  # the exact reader says on which line
    except ValueError:
        # Inside an indented object the next line is a key; in NDJSON it is the next record.
        return rest.lstrip()[:1] not in (b'"', b"}")
    return True


def _items(value) -> list:
    return value if isinstance(value, list) else [value]


def _parsed_lines(block, first_line, file, collection, errors) -> Iterator[tuple[int, object]]:
    for line, text in enumerate(block.split(b"\n"), start=first_line):
        if not text.strip():
            continue
        try:
            values = parse(text, file.name, line)
            if len(values) > 1:
                raise ContentError(
                    "holds more than one record on a line", file=file.name, line=line
                )
        except ContentError as problem:
            _handle(problem, text.decode(errors="replace"), collection, errors)
            continue
        yield line, values[0]


def _add_exact(values: Iterator, file: Source, collection: Collection, errors: str) -> None:
    """Check and add records one by one, a family at a time."""
    found: dict[str, tuple[list, list]] = {}
    for line, value in values:
        findings = Findings()
        try:
            for family, record in exact.unwrap(value, file.name, line):
                cleaned = exact.clean(family, record, findings, file.name, line)
                records, lines = found.setdefault(family, ([], []))
                records.append(cleaned)
                lines.append(line)
        except ContentError as problem:
            _handle(problem, value, collection, errors)
        collection.take(findings, file.name, line)
    for family, (records, lines) in found.items():
        table = exact.to_arrow(family, records)
        structs = table.combine_chunks().to_struct_array().combine_chunks()
        collection.add(family, structs, file.name, lines, Findings())


def _handle(problem: ContentError, record, collection: Collection, errors: str) -> None:
    """Stop at a bad record, or put it aside."""
    if errors == "raise":
        raise problem
    _quarantine(collection, problem, record)


def _quarantine(collection: Collection, problem: ContentError, record) -> None:
    text = record if isinstance(record, str) or record is None else json.dumps(record)
    collection.quarantined.append(
        {
            "file": problem.file,
            "line": problem.line,
            "table": None,
            "field": problem.field,
            "problem": problem.problem,
            "record": text,
        }
    )
