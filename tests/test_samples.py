"""The sample company is the same every time, and its files and tables are the truth."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner
from sample_company import (
    ENTERPRISE,
    INTERACTIONS,
    LABS,
    ORG,
    SETTLED_DAY,
    entity,
    small_company,
    users,
)

from copilot_analytics.cli import cli
from copilot_analytics.errors import StorageError, UsageError
from copilot_analytics.samples import Company, sample, write
from copilot_analytics.samples.vocabulary import COUNTERS, UNKNOWN_FIELD, UNKNOWN_IDE_FIELD

MISSING = date(2026, 9, 9)


@pytest.fixture(scope="module")
def company():
    return small_company()


DIGEST = """
import hashlib, json
from datetime import date
from copilot_analytics.samples import Company
company, digest = Company(people=60, days=40, seed=3), hashlib.sha256()
for report in ("users-1-day", "organization-1-day", "user-teams-1-day", "repos-1-day"):
    for record in company.records(report, "organization:octo-org", date(2026, 11, 12)):
        digest.update(json.dumps(record).encode())
for record in company.records("organization-28-day", "organization:octo-org"):
    digest.update(json.dumps(record).encode())
print(digest.hexdigest())
"""


def test_same_seed_gives_the_same_bytes_in_any_process():
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_gives_another_company():
    one, two = (Company(people=20, days=3, seed=seed) for seed in (1, 2))
    assert list(one.people.user_id) != list(two.people.user_id)


def test_a_day_is_the_same_alone_and_after_others(company):
    alone = Company(people=100, days=60)
    for day in company.days()[-6:]:
        last = users(company, ENTERPRISE, day)
    assert list(alone.records("users-1-day", ENTERPRISE, company.end_day)) == last


@pytest.mark.parametrize("scope", [ORG, ENTERPRISE])
@pytest.mark.parametrize(
    "end_day", [date(2025, 12, 19), date(2026, 3, 6), date(2026, 7, 31), date(2026, 11, 20)]
)
def test_truth_is_what_the_records_say(scope, end_day):
    """Also around the days from which the CLI and the app are in records of people."""
    company = Company(people=60, days=30, end_day=end_day)
    truth = company.truth(scope)
    by_key = truth.people_days.set_index(["day", "user_id"])
    records = [record for day in company.days() for record in users(company, scope, day)]
    assert len(records) == len(by_key)
    flags = ("used_chat", "used_agent", "used_cli", "used_copilot_cloud_agent")
    for record, row in zip(records, truth.people_days.to_dict("records"), strict=True):
        assert (record["day"], record["user_id"]) == (f"{row['day']:%Y-%m-%d}", row["user_id"])
        assert {name: record[name] for name in COUNTERS} == {name: row[name] for name in COUNTERS}
        if record["day"] >= "2026-06-19":
            assert row["credits"] == record.get("ai_credits_used", 0)
        else:
            assert math.isnan(row["credits"])
        assert row["is_reduced"] == ("totals_by_feature" not in record)
        assert row["is_interacting"] == (record[INTERACTIONS] > 0)
        for flag in flags:
            assert row[flag] == bool(record.get(flag))
    for row in truth.days.to_dict("records"):
        counted = entity(company, scope, row["day"].date())
        assert row["daily_active_users"] == counted["daily_active_users"]
        assert {name: row[name] for name in COUNTERS} == {name: counted[name] for name in COUNTERS}


def test_users_of_28_days_come_in_shards_by_time(company):
    """F064, F110: the same person in several files, never the same person and day."""
    shards = [list(part) for part in company.parts("users-28-day", ORG)]
    assert len(shards) == 3
    assert all(shards)
    people = [{record["user_id"] for record in shard} for shard in shards]
    assert people[0] & people[1] & people[2]
    keys = [(record["user_id"], record["day"]) for shard in shards for record in shard]
    assert len(keys) == len(set(keys))
    assert {record["report_end_day"] for shard in shards for record in shard} == {"2026-11-20"}
    assert {record["report_start_day"] for shard in shards for record in shard} == {"2026-10-24"}


def test_users_of_a_large_day_come_in_two_shards(company):
    shards = [list(part) for part in company.parts("users-1-day", ORG, SETTLED_DAY)]
    assert len(shards) == 2
    assert all(shards)
    assert not {r["user_id"] for r in shards[0]} & {r["user_id"] for r in shards[1]}
    assert len(company.parts("users-1-day", LABS, SETTLED_DAY)) == 1


def test_written_files_hold_the_records_and_say_what_they_are(tmp_path):
    company = Company(people=120, days=4)
    told = []
    paths = write(tmp_path, company, [ORG], progress=told.append)
    assert told == paths
    assert sorted(paths) == sorted(tmp_path.rglob("*.*"))
    names = {path.name for path in paths}
    assert "organization-octo-org_users-28-day_2026-10-24..2026-11-20_01.ndjson" in names
    assert "organization-octo-org_users-1-day_2026-11-18_01.ndjson" in names
    folder = tmp_path / "organization-octo-org" / "users-1-day"
    written = [
        json.loads(line)
        for path in sorted(folder.glob("*_2026-11-18_*"))
        for line in path.read_bytes().splitlines()
    ]
    assert written == list(company.records("users-1-day", ORG, date(2026, 11, 18)))


def test_writing_as_of_a_day_leaves_out_what_is_not_there_yet(tmp_path):
    company = Company(people=20, days=6)
    paths = write(tmp_path, company, [ORG], reports=["user-teams-1-day"], as_of=date(2026, 11, 20))
    assert [path.name[-21:-10] for path in paths] == [
        "_2026-11-15",
        "_2026-11-16",
        "_2026-11-17",
        "_2026-11-18",
    ]


def test_writing_into_a_file_says_so(tmp_path):
    target = tmp_path / "file"
    target.write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        write(target, Company(people=20, days=2), [ORG])


@pytest.mark.parametrize("arguments", [{"people": 19}, {"days": 0}, {"seed": -1}])
def test_impossible_companies_are_refused(arguments):
    with pytest.raises(UsageError, match="no sample company"):
        Company(**arguments)


def test_questions_that_make_no_sense_are_refused(company):
    with pytest.raises(UsageError, match="has no organization:other"):
        company.records("users-1-day", "organization:other", SETTLED_DAY).__next__()
    with pytest.raises(UsageError, match="does not exist"):
        company.has_report("enterprise-1-day", ORG, SETTLED_DAY)
    with pytest.raises(UsageError, match="needs a day"):
        company.has_report("users-1-day", ORG)


def test_tables_of_the_sample_are_the_truth():
    tables = sample(people=60, days=80)
    company = Company(people=60, days=80)
    truth = company.truth(ORG)
    key = ["day", "user_id"]
    users = tables.users.sort_values(key).reset_index(drop=True)
    expected = truth.people_days.sort_values(key).reset_index(drop=True)
    for name in (*key, *COUNTERS):
        assert users[name].tolist() == expected[name].tolist()
    assert tables.is_complete
    assert set(tables.unknown_fields["path"]) == {
        "ai_credits_used",
        UNKNOWN_FIELD,
        f"totals_by_ide[].{UNKNOWN_IDE_FIELD}",
    }
    assert not tables.feature_engagement.empty
    states = tables.day_states.query("family == 'entity'").set_index("day")["state"]
    assert states[pd.Timestamp(MISSING)] == "empty"
    assert states[states == "provisional"].index.min() == pd.Timestamp(2026, 11, 17)
    assert set(tables.day_states["scope"]) == {"organization:9919001"} == set(users["scope"])


def test_the_command_names_the_least_company_that_there_is():
    shown = CliRunner().invoke(cli, ["sample", "write", "--help"]).stdout
    for option, least in (("users", 20), ("days", 1), ("seed", 0)):
        assert re.search(rf"--{option} INTEGER RANGE .*x>={least}\]", shown)
        Company(**{"people": 20, "days": 1} | {option.replace("users", "people"): least})
        with pytest.raises(UsageError):
            Company(**{"people": 20, "days": 1} | {option.replace("users", "people"): least - 1})
