"""The archive benchmark compares ways that give the same figures, on records that are not alike."""

import json
from datetime import date, timedelta

import pytest
from archive_input import LAST, ORG, company_archive

from benchmarks import archive_days, archive_ways


def test_all_ways_give_the_same_figures(monkeypatch):
    archive = company_archive()
    tables = type(archive).tables
    monkeypatch.setattr(type(archive), "tables", lambda *args, **k: tables(*args, scope=ORG, **k))
    monkeypatch.setattr(archive_ways, "LAST", LAST)
    ledger = archive.path / "ledger.sqlite"
    for days in (7, 28):
        found = [
            archive_ways.figures(getattr(archive_ways, f"{way}_{days}")(ledger))
            for way in ("columns", "frame", "relation")
        ]
        assert found[0] == found[1] == found[2]
        assert found[0]["active users"]["sum"] > 0


@pytest.fixture
def days(tmp_path):
    """Short files in the place of the sample company's days."""
    paths = []
    for number in range(3):
        day = archive_days.LAST - timedelta(days=2 - number)
        path = tmp_path / f"{number}"
        path.write_text(f'{{"day":"{day}","user_id":{number + 1},"user_login":"a","n":{number}}}\n')
        paths.append(path)
    return paths


def test_every_thousand_has_its_own_people_and_another_day_of_the_sample(days):
    day = date(2026, 3, 1)
    blocks = archive_days._records(days, 3 * archive_days.PEOPLE, day)
    records = [json.loads(block) for block in blocks]
    assert {record["day"] for record in records} == {"2026-03-01"}
    assert len({record["user_id"] for record in records}) == 3
    assert len({record["user_login"] for record in records}) == 3
    assert sorted(record["n"] for record in records) == [0, 1, 2]
