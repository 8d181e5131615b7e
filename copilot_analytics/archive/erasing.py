"""Erase a person everywhere, and everything before a day."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from copilot_analytics import progress
from copilot_analytics.archive import cached, cleaning, omitting, places, storing, surviving
from copilot_analytics.archive.ledger import Ledger, add_files, set_state
from copilot_analytics.archive.omitting import Rules
from copilot_analytics.archive.partition import errors_of, write_tables
from copilot_analytics.files import NewFiles, storage_errors

COLUMNS = ("name", "report", "day", "files")


@dataclass(frozen=True)
class Erased:
    """What was erased.

    `rewritten` has one row per stored version that was changed: its slot as `name`, `report` and
    `day`, and how many raw `files` it has left. `reports` are the folders of published reports that
    may still show the person; removing them is for you to do.
    """

    rewritten: pd.DataFrame
    reports: list[Path] = field(default_factory=list)


def erase(root: Path, ledger: Ledger, user_id: int, at: str, reports: Path | None) -> Erased:
    """Remove a person from raw files, tables, earlier versions and everything half-finished."""
    known = surviving.tombstones(ledger)
    known["key"] = known["key"] or secrets.token_hex(32)
    key = bytes.fromhex(known["key"])
    digest = omitting.digest_of(key, user_id)
    known["erased"][digest] = [at, None]
    surviving.write_tombstones(root, known)
    with ledger.transaction() as connection:
        surviving.enter_tombstones(connection, known)
        pattern = re.compile(rf"(?<!\d){user_id}(?!\d)")
        for row in ledger.rows("SELECT * FROM slots WHERE note <> ''"):
            if pattern.search(row["note"]):
                slot = (row["name"], row["report"], row["day"])
                set_state(connection, *slot, row["state"], row["checked_at"])
    rule = Rules(key=key, erased=frozenset([digest]))
    changed, scopes = [], set()
    versions = ledger.rows("SELECT * FROM versions ORDER BY version")
    for row in progress.bar(versions, description="Erasing", unit="report"):
        stricter = _with_person(root, ledger, row, user_id, rule)
        if stricter:
            scopes |= _scopes(ledger, row["version"])
            changed.append(_rewrite(root, ledger, row, stricter, at))
    _remove_unfinished(root)
    cleaning.remove_garbage(root, ledger)
    surviving.write_missing(root, ledger)
    known["erased"][digest] = [at, at]
    surviving.write_tombstones(root, known)
    with ledger.transaction() as connection:
        surviving.enter_tombstones(connection, known)
        details = f"{len(changed)} versions rewritten"
        connection.execute("INSERT INTO audit VALUES (?, 'erase', ?)", [at, details])
    frame = pd.DataFrame(changed, columns=list(COLUMNS))
    return Erased(frame, list(published(reports, scopes)) if reports else [])


def purge(root: Path, ledger: Ledger, before: str, name: str | None, at: str) -> pd.DataFrame:
    """Remove everything before a day, and see that it does not come back."""
    known = surviving.tombstones(ledger)
    others = [one for one, scope in ledger.scopes().items() if name and scope == name]
    for one in (name or "", *others):  # by every name, should their ids be forgotten
        known["purged"][one] = max(before, known["purged"].get(one, before))
    surviving.write_tombstones(root, known)
    with ledger.transaction() as connection:
        surviving.enter_tombstones(connection, known)
    rule = Rules(before=before)
    changed = [
        _rewrite(root, ledger, row, rule, at)
        for row in progress.bar(
            _reaching_before(ledger, before, name), description="Purging", unit="report"
        )
    ]
    with ledger.transaction() as connection:
        connection.execute(
            "DELETE FROM slots WHERE day < :before AND (:name IS NULL OR name = :name "
            "OR name IN (SELECT name FROM scopes WHERE scope = :name))",
            {"before": before, "name": name},
        )
        details = f"{len(changed)} versions, before {before}"
        connection.execute("INSERT INTO audit VALUES (?, 'purge', ?)", [at, details])
    _remove_unfinished(root)
    cleaning.remove_garbage(root, ledger)
    return pd.DataFrame(changed, columns=list(COLUMNS))


def what_goes(ledger: Ledger, before: str, name: str | None) -> str:
    """Return what `purge` would remove, in words."""
    versions = _reaching_before(ledger, before, name)
    whole = [row for row in versions if (row["last_day"] or row["day"]) < before]
    if not versions:
        return f"Nothing of {name or 'any scope'} is stored before {before}."
    days = f"{min(row['first_day'] or row['day'] for row in versions)} to "
    days += min(max(row["last_day"] or row["day"] for row in versions), _day_before(before))
    return (
        f"Removing {days} of {name or 'all scopes'}, for good: "
        f"stored reports that go: {len(whole):,}, "
        f"rewritten without older days: {len(versions) - len(whole):,}"
    )


def _day_before(day: str) -> str:
    return f"{date.fromisoformat(day) - timedelta(days=1)}"


def _reaching_before(ledger: Ledger, before: str, name: str | None) -> list:
    """Return the versions of a scope, or of all, that hold something from before a day."""
    return ledger.rows(
        "SELECT * FROM versions WHERE (first_day < :before OR day < :before) "
        "AND (:name IS NULL OR name = :name "
        "OR name IN (SELECT name FROM scopes WHERE scope = :name)) ORDER BY version",
        {"before": before, "name": name},
    )


def _with_person(root: Path, ledger: Ledger, row, user_id: int, rule: Rules) -> Rules | None:
    """Return the rules that take a person out of a version, None if the person is not in it."""
    raw = ledger.raw_files(row["version"])
    if errors_of(json.loads(row["facts"])) != "raise":
        rule = replace(rule, is_thorough=True)  # what is not a record says not whose it is: it goes
    if any(_changes(root / one["path"], rule, one["digest"]) for one in raw):
        return rule
    tables = ledger.rows(
        "SELECT * FROM table_files WHERE version = ? "
        "AND table_name IN ('users', 'teams', 'users_window')",
        [row["version"]],
    )
    for file in tables:
        found = cached.read_file(root / file["path"], file["table_name"], file["rows"])
        if found is not None and user_id in found["user_id"].unique().to_pylist():
            return replace(rule, is_thorough=True)
    return None


def _changes(path: Path, rule: Rules, digest: str) -> bool:
    return storing.digest_of(omitting.rewritten(path, rule))[0] != digest


def _scopes(ledger: Ledger, version: int) -> set[str]:
    found = ledger.rows(
        "SELECT DISTINCT scope FROM table_files WHERE version = :version "
        "UNION SELECT name FROM versions WHERE version = :version "
        "UNION SELECT name FROM scopes WHERE scope IN "
        "(SELECT scope FROM table_files WHERE version = :version)",
        {"version": version},
    )
    return {row["scope"] for row in found}


def _rewrite(root: Path, ledger: Ledger, row, rule: Rules, at: str) -> tuple:
    """Replace a version by one without some of its records; return what became of it."""
    slot = (row["name"], row["report"], row["day"])
    paths = [root / one["path"] for one in ledger.raw_files(row["version"])]
    with omitting.copies(root, paths, rule) as allowed:
        if not allowed:
            _remove_version(ledger, row, slot, at)
            return (*slot, 0)
        raw = storing.raw_files(slot, allowed)
        digest = storing.together(one.digest for one in raw)
        other = ledger.version(slot, digest)
        if other:
            _merge(ledger, row, other)
            return (*slot, len(raw))
        for source, one in zip(allowed, raw, strict=True):
            storing.store_raw(root, omitting.content(source), one)
        facts = json.loads(row["facts"])
        storing.write_manifest(root, slot, digest, row["fetched_at"], facts, raw)
        with storage_errors("a table file"), NewFiles("table") as new:
            errors = errors_of(facts)
            written = write_tables(root, new, allowed, row["name"], digest, errors=errors)
            new.place()
    new_version = storing.described(slot, digest, row["fetched_at"], facts, written, raw)
    with ledger.transaction() as connection:
        connection.execute(
            "UPDATE versions SET digest = ?, records = ?, people = ?, first_day = ?, last_day = ? "
            "WHERE version = ?",
            [
                digest,
                new_version.records,
                new_version.people,
                new_version.first_day,
                new_version.last_day,
                row["version"],
            ],
        )
        for table in ("raw_files", "table_files"):
            connection.execute(f"DELETE FROM {table} WHERE version = ?", [row["version"]])  # noqa: S608
        add_files(connection, row["version"], new_version.raw, new_version.tables)
    return (*slot, len(raw))


def _remove_version(ledger: Ledger, row, slot: tuple[str, str, str], at: str) -> None:
    """Forget a version of which nothing is left."""
    with ledger.transaction() as connection:
        connection.execute("DELETE FROM versions WHERE version = ?", [row["version"]])
        if row["is_current"]:
            set_state(connection, *slot, "empty", at)


def _merge(ledger: Ledger, row, other) -> None:
    """Let a version take the place of one that says the same as it does after a change."""
    pair = {"old": row["version"], "new": other["version"]}
    with ledger.transaction() as connection:
        connection.execute("UPDATE appearances SET version = :new WHERE version = :old", pair)
        connection.execute(
            "UPDATE versions SET is_current = MAX(is_current, "
            "(SELECT is_current FROM versions WHERE version = :old)) WHERE version = :new",
            pair,
        )
        connection.execute("DELETE FROM versions WHERE version = :old", pair)


def _remove_unfinished(root: Path) -> None:
    """Remove what nobody can look into person by person: refused and half-received files."""
    for name in (places.QUARANTINE, places.INCOMING):
        with storage_errors(name), suppress(FileNotFoundError):
            shutil.rmtree(places.inside(root, name))


def published(folder: Path, scopes: set[str]) -> Iterator[Path]:
    """Yield the folders of published reports about some scopes."""
    names = {places.scope_folder(scope) for scope in scopes}
    for summary in sorted(Path(folder).glob("*/*/report.json")):
        if summary.parent.parent.name in names:
            yield summary.parent
