"""What the archive keeps as raw files: exactly the bytes of a report, compressed, write-once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from copilot_analytics import catalogue
from copilot_analytics.archive import omitting, places
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.archive.omitting import Rules, content
from copilot_analytics.archive.partition import TableFile, Written, write_tables
from copilot_analytics.errors import ContentError, StorageError, UsageError
from copilot_analytics.files import NewFiles, step, storage_errors, write_durably

_DAYS = {"1-day": 1, "28-day": 28}
# Families that come with those of a report: what is said of its days as a whole.
_ALSO = {
    "enterprise-28-day": ("window",),
    "organization-28-day": ("window",),
    "users-28-day": ("users_window",),
}


class RawFile(NamedTuple):
    """A raw file: its path in the archive, and digest and size of the report's bytes."""

    path: str
    digest: str
    bytes: int


@dataclass(frozen=True)
class Prepared:
    """A report whose files are in place, and that no reader sees until it is committed."""

    slot: tuple[str, str, str]
    digest: str
    is_new: bool
    records: int
    people: int | None
    scopes: list[str]
    first_day: str | None
    last_day: str | None
    fetched_at: str
    facts: dict = field(default_factory=dict)
    raw: list[RawFile] = field(default_factory=list)
    tables: list[TableFile] = field(default_factory=list)


def digest_of(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Return SHA-256 and size of what is in all chunks."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def together(digests: Iterable[str]) -> str:
    """Return one digest for the files of a report, in whatever order they came."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def is_sound(path: Path, digest: str) -> bool:
    """Tell whether a raw file holds what its name promises."""
    try:
        return digest_of(content(path))[0] == digest
    except (ContentError, UsageError):
        return False


def store_raw(root: Path, chunks: Iterable[bytes], raw: RawFile) -> None:
    """Keep the bytes of a report, and read them back; a sound file that is there stays untouched.

    Raises
    ------
    StorageError
        If the disk is full, refuses, or does not give back what was written.
    """
    target = places.inside(root, raw.path)
    if target.exists() and is_sound(target, raw.digest):
        return
    with storage_errors(f"raw file {raw.path}"), NewFiles("raw") as files:
        file, _ = files.open(target)
        with pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd") as out:
            for number, chunk in enumerate(chunks):
                out.write(chunk)
                if not number:
                    step("raw half written")
        files.place()
    if not is_sound(target, raw.digest):
        target.unlink()
        raise StorageError(
            f"raw file {raw.path} is not on the disk as it was written",
            kept="everything that was in the archive before",
            advice="check the disk, then run the same command again",
        )


def raw_files(slot: tuple[str, str, str], files: Sequence[Path]) -> list[RawFile]:
    """Return what the raw files of a slot will be called."""
    folder = places.raw_folder(slot)
    found = [digest_of(content(path)) for path in files]
    return [RawFile(f"{folder}/{digest}.zst", digest, size) for digest, size in found]


def check(scope: catalogue.Scope | None, slot: tuple[str, str, str], found: Written) -> None:
    """Refuse records of another owner, of another kind, or of other days than the report's."""
    name, report, day = slot
    owners = sorted({owner for owner, _ in found.days})
    is_other_kind = scope and any(not owner.startswith(scope.kind) for owner in owners)
    # The repositories of an enterprise are those of its organizations.
    is_of_parts = scope and scope.kind == "enterprise" and found.families == {"repos"}
    if scope and (is_other_kind or len(owners) > 1) and not is_of_parts:
        raise ContentError(
            f"{report} for {scope} holds records of {', '.join(owners)}",
            kept="the archive as it was",
            advice="import the files of each organization or enterprise apart, without a name",
        )
    if report == places.IMPORTED:
        return
    endpoint = catalogue.endpoint(report, catalogue.Scope.parse(name).kind)
    first = date.fromisoformat(day) - timedelta(days=_DAYS[endpoint.period] - 1)
    days = {other for _, other in found.days if not f"{first}" <= other <= day}
    others = sorted(days | found.families - {endpoint.family, *_ALSO.get(report, ())})
    if others:
        raise ContentError(
            f"report {report} of {day} holds records of {', '.join(others[:3])}",
            kept="the archive as it was",
            advice="ask for the report again; if it repeats, report it to GitHub",
        )


def only_owner(owners: list[str]) -> str:
    """Return the scope of records that came without a name."""
    if len(owners) == 1 and owners[0] != "unknown":
        return owners[0]
    named = [owner for owner in owners if owner != "unknown"]
    if not owners:
        what = "there are no records, so that nothing says whose the report is"
    elif len(named) > 1:
        what = f"the records are of several organizations or enterprises: {', '.join(named)}"
    else:
        some = "some of the records" if named else "the records"
        what = f"{some} do not say whose the report is"
    raise UsageError(
        what, kept="nothing", advice="say whose they are: --org NAME or --enterprise NAME"
    )


def prepare(
    root: Path,
    ledger: Ledger,
    scope: catalogue.Scope | None,
    report: str,
    day: date | None,
    files: Sequence[Path],
    *,
    at: str,
    facts: dict,
    errors: str = "raise",
    check_on: Callable[[], object],
) -> Prepared:
    """Put the files of one report in place: raw, its manifest, then the tables as Parquet.

    Nothing stays behind if a record is not valid, if the disk refuses, or if ``check_on``, which
    is called now and then, raises. The last day stands for a
    report without a day, and today for one without rows. People who were erased and days that were
    purged are left out first.
    """
    name = str(scope) if scope else None
    rule: Rules | None = omitting.rules(ledger)
    if errors != "raise":
        omitting.refuse_unreadable(rule)
    while rule:
        with omitting.allowed(root, files, rule) as allowed:
            digest = together(digest_of(content(path))[0] for path in allowed)
            known = _known(ledger, name, report, day, digest)
            if known:
                _show_again(root, ledger, known, at)
                return known
            with storage_errors("a table file"), NewFiles("table", check_on) as new:
                written = write_tables(root, new, allowed, name, digest, errors=errors)
                slot = _slot(name, report, day, written, at)
                check(scope, slot, written)
                before = ledger.purged_before(slot[0])
                rule = rule.missed(written.ids, written.first_day, before and str(before))
                if not rule:
                    raw = raw_files(slot, allowed)
                    prepared = described(slot, digest, at, facts, written, raw)
                    for source, one in zip(allowed, raw, strict=True):
                        store_raw(root, content(source), one)
                    write_manifest(root, slot, digest, at, prepared.facts, raw)
                    new.place()
    return prepared


def _slot(
    name: str | None, report: str, day: date | None, written: Written, at: str
) -> tuple[str, str, str]:
    owners = sorted({owner for owner, _ in written.days})
    return (name or only_owner(owners), report, str(day or written.last_day or at[:10]))


def described(
    slot: tuple[str, str, str], digest: str, at: str, facts: dict, written: Written, raw
) -> Prepared:
    """Return what the ledger is to say of a report."""
    return Prepared(
        slot=slot,
        digest=digest,
        is_new=True,
        records=written.records,
        people=None if written.ids is None else len(written.ids),
        scopes=sorted({owner for owner, _ in written.days}),
        first_day=written.first_day,
        last_day=written.last_day,
        fetched_at=at,
        facts=facts | written.facts,
        raw=list(raw),
        tables=written.files,
    )


def _show_again(root: Path, ledger: Ledger, known: Prepared, at: str) -> None:
    """Note in the manifest that an earlier version is about to be current again."""
    row = ledger.version(known.slot, known.digest)
    if not row["is_current"] and not row["is_held"]:
        raw = [tuple(one)[2:] for one in ledger.raw_files(row["version"])]
        facts = json.loads(row["facts"])
        write_manifest(root, known.slot, known.digest, known.fetched_at, facts, raw, at)


def _known(ledger: Ledger, name: str | None, report: str, day: date | None, digest: str):
    """Return a version with these bytes that is there already, None if there is none.

    Without a name or a day, as with imports, any such version of the report.
    """
    found = ledger.rows(
        "SELECT * FROM versions WHERE digest = :digest AND report = :report "
        "AND (:name IS NULL OR name = :name) AND (:day IS NULL OR day = :day)",
        {"digest": digest, "report": report, "name": name, "day": day and str(day)},
    )
    if not found:
        return None
    row = found[0]
    return Prepared(
        slot=(row["name"], row["report"], row["day"]),
        digest=digest,
        is_new=False,
        records=row["records"],
        people=row["people"],
        scopes=[],
        first_day=row["first_day"],
        last_day=row["last_day"],
        fetched_at=row["fetched_at"],
        facts=json.loads(row["facts"]),
    )


def write_manifest(
    root: Path,
    slot: tuple[str, str, str],
    digest: str,
    at: str,
    facts: dict,
    raw,
    current_from: str | None = None,
) -> None:
    """Write beside the raw files what the ledger says of a version, should the ledger be lost."""
    said = {
        "slot": slot,
        "digest": digest,
        "fetched_at": at,
        "current_from": current_from or at,
        "facts": facts,
        "raw": [dict(zip(RawFile._fields, one, strict=True)) for one in raw],
    }
    text = json.dumps(said, indent=1, sort_keys=True, default=str) + "\n"
    path = places.inside(root, places.manifest(slot, digest))
    with storage_errors(f"manifest {path.name}"):
        write_durably(path, lambda beside: _write(beside, text))
    step("manifest in place")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
