"""From files to batches of records: NDJSON in blocks the fast way, all else the exact way.

Blocks are read one after the other and parsed side by side; their batches come in the order of the
input.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from copilot_analytics import progress
from copilot_analytics.errors import ContentError
from copilot_analytics.tidy import exact, fast, recognition
from copilot_analytics.tidy.findings import Findings
from copilot_analytics.tidy.flatten import flatten
from copilot_analytics.tidy.slices import without_slices
from copilot_analytics.tidy.sources import BLOCK_BYTES, Source, blocks
from copilot_analytics.tidy.strict_json import LENIENT, Invalid, parse

MAX_THREADS = 8  # each holds a block and its tables; more than the memory of a laptop allows


@dataclass(frozen=True)
class Batch:
    """The tables of some records of one family.

    `origins` are the files that the records stand in, in order, with the line of each record.
    """

    family: str
    tables: dict[str, pa.Table]
    origins: list[tuple[str, Sequence[int | None]]]
    findings: Findings


@dataclass(frozen=True)
class Rejected:
    """A record that is not valid: why, and the record as text."""

    problem: ContentError
    record: str | None = None


@dataclass(frozen=True)
class _Part:
    """Some lines of a file, or a file that is one document and has no lines."""

    file: str
    content: bytearray
    lines: range | None = None

    @property
    def kind(self) -> tuple[bool, ...]:
        """Which of the keys that tell families apart stand in the first line."""
        first = self.content[: self.content.find(b"\n") + 1 or None]
        return tuple(key in first for key in (b'"user_id"', b'"team_id"', b'"repo_id"'))


@dataclass
class _Found:
    """Records of one family that the exact reader has cleaned."""

    records: list[dict] = field(default_factory=list)
    lines: list[int | None] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)


Results = Iterator[Batch | Rejected]


def batches(files: Sequence[Source], scope: str) -> Results:
    """Yield the records of all files, and what in them is no valid record.

    ``scope`` is that of records without ids.
    """
    total = sum(file.size for file in files)
    with progress.bar(description="Reading", total=total, unit="B", scaled=True) as bar:
        parts = (part for file in files for part in _parts(file, bar.update))
        yield from _in_order(_works(parts, scope, {}))


def _in_order(works: Iterable[Callable[[], Results]]) -> Results:
    """Do work side by side, a few pieces at a time, and yield what comes of it in order."""
    threads = min(pa.cpu_count(), MAX_THREADS)
    pool = ThreadPoolExecutor(threads)
    running: deque = deque()
    try:
        for work in works:
            running.append(pool.submit(lambda work=work: list(work())))
            if len(running) > threads:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _parts(file: Source, on_read: Callable[[int], object]) -> Iterator[_Part | Rejected]:
    """Read a file, in blocks of whole lines where it has lines."""
    try:
        stream = blocks(file, on_read=on_read)
        block, first_line = next(stream, bytearray()), 1
        while block.isspace() and (following := next(stream, None)) is not None:
            first_line += block.count(b"\n")
            block = following
        if block.lstrip()[:1] not in (b"{", b"["):
            raise recognition.foreign_text(file.name, bytes(block))
        if not _is_lines(block):
            yield _Part(file.name, block + b"".join(stream))
            return
        while block:
            count = block.count(b"\n") + (not block.endswith(b"\n"))
            yield _Part(file.name, block, range(first_line, first_line + count))
            first_line += count
            block = next(stream, bytearray())
    except ContentError as problem:
        yield Rejected(problem)


def _works(
    parts: Iterable[_Part | Rejected], scope: str, learned: fast.Learned
) -> Iterator[Callable[[], Results]]:
    """Yield the work that is left to do; small files of one kind are parsed together."""
    waiting: list[_Part] = []
    size = 0
    for part in parts:
        has_lines = isinstance(part, _Part) and part.lines is not None
        if has_lines:
            size += len(part.content)
        if waiting and not (has_lines and size <= BLOCK_BYTES and part.kind == waiting[0].kind):
            yield partial(_lines, waiting, scope, learned)
            waiting, size = [], len(part.content) if has_lines else 0
        if has_lines:
            waiting.append(part)
        elif isinstance(part, Rejected):
            yield partial(iter, [part])
        else:
            yield partial(_document, part, scope)
    if waiting:
        yield partial(_lines, waiting, scope, learned)


def _lines(parts: list[_Part], scope: str, learned: fast.Learned) -> Results:
    """Read parts together if nothing in them is odd, else one by one, else line by line."""
    content = parts[0].content if len(parts) == 1 else bytearray().join(map(_whole, parts))
    found = fast.read(content, sum(len(part.lines) for part in parts), learned)
    if found:
        yield from _flattened(*found, [(one.file, one.lines) for one in parts], scope, Findings())
    elif len(parts) > 1:
        for part in parts:
            yield from _lines([part], scope, learned)
    else:
        yield from _exactly(_parsed_lines(parts[0]), parts[0].file, scope)


def _whole(part: _Part) -> bytearray:
    return part.content if part.content.endswith(b"\n") else part.content + b"\n"


def _flattened(family, records: pa.StructArray, origins, scope, findings) -> Results:
    tables = flatten(family, records, scope, findings)
    tables, too_large = without_slices(tables, findings)
    batch = Batch(family, tables, origins, findings)
    for number, name in too_large.items():
        problem = f"the sum of elements with the same dimension in {name} does not fit 64 bits"
        places = [(file, line) for file, lines in origins for line in lines]
        yield Rejected(_error(Invalid(problem, name), "", *places[number]))
    yield batch


def _is_lines(block: bytearray) -> bool:
    """Tell NDJSON from a document that spans lines: a list, or one indented object."""
    start = block.lstrip()
    if start.startswith(b"["):
        return False
    end = start.find(b"\n")
    first = start if end < 0 else start[:end]
    try:
        json.loads(first)
    except json.JSONDecodeError as problem:
        # Where the text is right as far as it goes, the value goes on in the next line.
        return len(problem.doc[problem.pos :].strip()) > 0
    except (ValueError, RecursionError):
        return True  # the exact reader says on which line
    return True


def _document(part: _Part, scope: str) -> Results:
    values: list[tuple[int | None, str, object]] = []
    findings = Findings()
    try:
        parsed = parse(part.content, part.file)
    except ContentError as problem:
        if not _goes_on_with_records(part.content):
            yield Rejected(problem)
            return
        lines = range(1, part.content.count(b"\n") + 2)
        yield from _exactly(_parsed_lines(_Part(part.file, part.content, lines)), part.file, scope)
        return
    for value in parsed:
        if isinstance(value, list):
            findings.note("files that hold one JSON list instead of lines")
            values += [(None, f"[{number}].", item) for number, item in enumerate(value)]
        else:
            values.append((None, "", value))
    yield from _exactly(values, part.file, scope, findings)


def _goes_on_with_records(content: bytearray) -> bool:
    """Tell whether the second line is a record of its own: then the first one is a cut record."""
    lines = [line for line in content[: 2 * BLOCK_BYTES].split(b"\n") if line.strip()]
    try:
        return len(lines) > 1 and isinstance(json.loads(lines[1]), dict)
    except (ValueError, RecursionError):
        return False


def _parsed_lines(part: _Part):
    """Yield line, path and value of each line; a line that is no JSON comes as its error."""
    for line, text in enumerate(part.content.split(b"\n"), start=part.lines[0]):
        if not text.strip():
            continue
        try:
            values = parse(text, part.file, line)
            if len(values) > 1:
                raise ContentError(
                    "holds more than one record on a line", file=part.file, line=line
                )
            yield line, "", values[0]
        except ContentError as problem:
            yield line, "", Rejected(problem, text.decode(errors="replace"))


def _exactly(values, file: str, scope: str, findings: Findings | None = None) -> Results:
    """Check records one by one; yield those that are valid a family at a time."""
    found: dict[str, _Found] = {}
    for line, start, value in values:
        if isinstance(value, Rejected):
            yield value
            continue
        for kind, path, record in exact.members(value, start):
            try:
                family = exact.identify(kind, record)
                into = found.setdefault(family, _Found())
                cleaned = exact.clean(family, record, into.findings, len(into.records))
            except Invalid as problem:
                yield Rejected(_error(problem, path, file, line), _text(record))
                continue
            into.records.append(cleaned)
            into.lines.append(line)
    for family, one in found.items():
        if findings:
            one.findings.notes |= findings.notes
            findings = None
        records = exact.to_arrow(family, one.records)
        yield from _flattened(family, records, [(file, one.lines)], scope, one.findings)


def _error(problem: Invalid, path: str, file: str, line: int | None) -> ContentError:
    return ContentError(
        problem.problem,
        file=file,
        line=line,
        field=f"{path}{problem.path}".rstrip("."),
        kept="nothing of this file",
        advice=problem.advice or f"mend or drop the record; {LENIENT} leaves it out",
    )


def _text(record) -> str:
    return json.dumps(record, ensure_ascii=False)
