"""Phases as GitHub reports them: everybody counted once, by the last report."""

from datetime import timedelta

import pytest
from conftest import user_record
from metrics_input import ENGINES, company, day, load, to_pandas

from copilot_analytics import metrics

RECORDS = company()
TABLES = load(RECORDS)


def last_phases(records) -> dict:
    phases = {}
    for record in sorted(records, key=lambda r: r["day"]):
        if "ai_adoption_phase" in record:
            phases[record["user_id"]] = record["ai_adoption_phase"]["phase_number"]
    return phases


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("window", [1, 10])
def test_adoption_phases_count_the_last_report_in_the_window(engine, window):
    result = to_pandas(metrics.adoption_phases(ENGINES[engine](TABLES.users), window=window))
    for row in result.itertuples():
        inside = [r for r in RECORDS if row.day - timedelta(window) < day(r["day"]) <= row.day]
        phases = list(last_phases(inside).values())
        assert (row.people, row.all_people) == (phases.count(row.phase_number), len(phases))
    assert len(result) == 4 * result["day"].nunique()


@pytest.mark.parametrize("engine", ENGINES)
def test_latest_phases_count_everybody_once(engine):
    result = to_pandas(metrics.latest_phases(ENGINES[engine](TABLES.users)))
    phases = list(last_phases(RECORDS).values())
    assert dict(zip(result["phase_number"], result["people"], strict=True)) == {
        number: phases.count(number) for number in set(phases)
    }
    assert set(result["all_people"]) == {len(phases)}


@pytest.mark.parametrize("engine", ENGINES)
def test_phase_transitions_follow_every_person_from_week_to_week(engine):
    result = to_pandas(metrics.phase_transitions(ENGINES[engine](TABLES.users)))
    weeks = {}
    for record in RECORDS:
        start = day(record["day"]) - timedelta(day(record["day"]).weekday())
        weeks.setdefault(start, []).append(record)
    expected = {}
    for start, records in weeks.items():
        before, now = last_phases(weeks.get(start - timedelta(7), [])), last_phases(records)
        for person in before.keys() & now.keys():
            key = (start, before[person], now[person])
            expected[key] = expected.get(key, 0) + 1
    keys = zip(
        result["period"], result["from_phase_number"], result["to_phase_number"], strict=True
    )
    assert dict(zip(keys, result["people"], strict=True)) == expected


def test_records_without_a_phase_are_in_no_phase():
    tables = load([user_record()])
    assert metrics.adoption_phases(tables.users).empty
    assert metrics.latest_phases(tables.users).empty
    assert metrics.phase_transitions(tables.users).empty
