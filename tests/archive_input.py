"""Archives for the tests of reading and exporting."""

import atexit
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from conftest import ndjson, user_record
from metrics_input import company

import copilot_analytics as ca
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope

ORG, LABS = Scope("organization", "octo-org"), Scope("organization", "octo-labs")
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
# 28 days of a few people of octo-org, and one day of somebody of octo-labs.
RECORDS = company(days=28, first="2026-10-06")
LAST = date(2026, 11, 2)
OTHER = user_record(organization_id="8")


def put(archive, *records, report="users-1-day", day=LAST, scope=ORG):
    """Store records as one report."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "file.ndjson"
        file.write_bytes(ndjson(*records))
        with archive.writing() as ledger:
            return archive.store(ledger, scope, report, day, [file])


def small_archive(folder: Path, *records) -> Archive:
    """An archive with one day of octo-org."""
    archive = Archive(folder / "archive", clock=lambda: NOW)
    put(archive, *(records or [user_record(user_id=1), user_record(user_id=2)]))
    return archive


@cache
def company_archive() -> Archive:
    """An archive that no test changes; it goes with the process."""
    folder = TemporaryDirectory()
    archive = Archive(Path(folder.name) / "archive", clock=lambda: NOW)
    atexit.register(folder.cleanup)
    put(archive, *RECORDS, report="users-28-day")
    put(archive, OTHER, scope=LABS)
    return archive


@cache
def company_tables() -> ca.Tables:
    """What was put into `company_archive`, read without any archive."""
    return ca.load(ndjson(*RECORDS, OTHER))


def parquet_files(archive, table="users") -> list[Path]:
    """The Parquet files of a table, oldest day first."""
    return sorted((archive.path / "tables" / table).glob("*/*.parquet"))
