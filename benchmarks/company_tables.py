"""Tables of a company of any size as Parquet files, one per table and day, as in an archive.

The four weeks of the sample company are repeated under other people's names. Of ten people two join
during the time and one leaves, and each is away for some weeks, so that they do not live in step.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import duckdb

from benchmarks import archive_days, users_file
from copilot_analytics import load

TABLES = ("users", "users_by_feature", "users_by_agent")
LAST, PEOPLE, WEEKS = archive_days.LAST, archive_days.PEOPLE, users_file.DAYS // 7

# A thousand people live in the week of the sample that comes next to that of the thousand before.
COPIED = """
    SELECT * EXCLUDE (copy, person) REPLACE (
        TIMESTAMP '{day}' AS day, user_id + copy * {apart} AS user_id {and_login}
    )
    FROM (
        SELECT original.*, copy, hash(user_id, copy) AS person
        FROM {name} AS original JOIN range({copies}) AS numbers(copy)
        ON day = TIMESTAMP '{last}' - to_days((({days_back} + 7 * copy) % (7 * {weeks}))::INTEGER)
    )
    WHERE CASE person % 10
        WHEN 0 THEN (person // 10) % {days} >= {days_back}
        WHEN 1 THEN (person // 10) % {days} >= {days_back}
        WHEN 2 THEN (person // 10) % {days} <= {days_back}
        ELSE true
    END AND hash(person, {days_back} // 7) % 12 > 0
    ORDER BY user_id
"""


def folder_of(folder: Path, people: int, days: int) -> Path:
    """Return the folder with the tables of a size, made only if they are not there."""
    made = folder / f"metrics-{people}-{days}"
    if not (made / "complete").exists():
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        _make(folder, made, people // PEOPLE, days)
        (made / "complete").touch()
    return made


def files(made: Path, name: str) -> list[str]:
    """Return the files of a table, the earliest day first."""
    return sorted(map(str, made.glob(f"{name}-????-??-??.parquet")))


def _make(folder: Path, made: Path, copies: int, days: int) -> None:
    sample = load([str(path) for path in archive_days.originals(folder)])
    with duckdb.connect() as connection:
        for name in TABLES:
            connection.register(name, sample[name])
            login = ", user_login || '-' || copy AS user_login" if name == "users" else ""
            for days_back in range(days):
                day = LAST - timedelta(days=days_back)
                query = COPIED.format(
                    name=name,
                    day=day,
                    last=LAST,
                    days=days,
                    days_back=days_back,
                    copies=copies,
                    weeks=WEEKS,
                    apart=users_file.APART,
                    and_login=login,
                )
                file = made / f"{name}-{day}.parquet"
                connection.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
