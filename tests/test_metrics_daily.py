"""Daily series of groups, against counting by hand."""

import random
from datetime import timedelta

import pandas as pd
import pytest
from test_metrics_engines import TABLES

from copilot_analytics import catalogue, metrics
from copilot_analytics.errors import UsageError

PROMPTS = "user_initiated_interaction_count"


def test_totals_and_people_are_those_of_a_loop():
    sums, people = {}, {}
    for row in TABLES.users_by_feature.to_dict("records"):
        key = (row["day"], row["feature"])
        count = row[PROMPTS]
        if not pd.isna(count):
            sums[key] = sums.get(key, 0) + count
            people.setdefault(key, set())
            if count > 0:
                people[key].add(row["user_id"])
    found = metrics.daily_totals(TABLES.users_by_feature, counter=PROMPTS, by="feature")
    known = found.dropna(subset="total")
    rows = known[["day", "feature", "total", "people"]].itertuples(index=False)
    assert {(day, name): (total, count) for day, name, total, count in rows} == {
        key: (sums[key], len(people[key])) for key in sums
    }


@pytest.mark.parametrize("window", [1, 7])
def test_people_of_a_group_are_those_of_a_loop(window):
    users, breakdown = TABLES.users, TABLES.users_by_feature
    counters = [f.column for f in catalogue.table("users_by_feature").columns if f.type == "count"]
    is_used = (breakdown[counters].fillna(0) > 0).any(axis=1)
    active = {(r.user_id, r.day) for r in users[users[PROMPTS].fillna(0) > 0].itertuples()}
    uses = {
        (r.feature, r.user_id, r.day)
        for r in breakdown[is_used].itertuples()
        if (r.user_id, r.day) in active
    }
    found = metrics.people_by(users, breakdown, dimension="feature", window=window)
    for row in found.itertuples():
        first = row.day - timedelta(days=window - 1)
        inside = {u for f, u, day in uses if f == row.feature and first <= day <= row.day}
        everybody = {u for u, day in active if first <= day <= row.day}
        assert (row.people, row.active_people) == (len(inside), len(everybody))


def test_a_mean_of_days_leaves_out_what_is_missing():
    days = pd.to_datetime(["2026-11-02", "2026-11-03", "2026-11-05"])
    series = pd.DataFrame({"day": days, "total": [1.0, None, 5.0]})
    found = metrics.trailing_mean(series, value="total", days=4)
    assert found["total"].tolist() == [1.0, 1.0, 3.0]
    assert found["days_averaged"].tolist() == [1, 1, 2]


def test_a_mean_of_rates_is_a_sum_over_a_sum():
    days = pd.to_datetime(["2026-11-02", "2026-11-03"])
    rates = pd.DataFrame({"day": days, "accepted": [1, 30], "generated": [2, 300]})
    rates["rate"] = rates["accepted"] / rates["generated"]
    found = metrics.trailing_mean(rates, value="rate", ratio_of=("accepted", "generated"))
    assert found["rate"].tolist() == [0.5, pytest.approx(31 / 302)]


def test_the_people_of_a_value_are_there_on_the_days_of_its_use_only():
    found = metrics.users_of(
        TABLES.users, TABLES.users_by_feature, dimension="feature", value="code_completion"
    )
    keys = ["user_id", "day"]
    chosen = TABLES.users_by_feature[TABLES.users_by_feature["feature"] == "code_completion"]
    expected = TABLES.users.merge(chosen[keys].drop_duplicates(), on=keys)
    assert len(found) <= len(expected)
    assert set(map(tuple, found[keys].to_numpy())) <= set(map(tuple, expected[keys].to_numpy()))
    assert len(found)


def test_a_window_of_nothing_is_refused():
    with pytest.raises(UsageError, match="days 0 is not a whole number"):
        metrics.trailing_mean(metrics.active_users(TABLES.users), value="active_users", days=0)


def test_a_person_s_day_has_one_row_per_value_whatever_the_feature():
    """Spellings of one language are one row; what no record has is missing, not 0."""
    chance = random.Random(5)
    rows = [
        {
            "user_id": user,
            "day": day,
            "language": chance.choice(["ts", "typescript", "go", None]),
            "feature": feature,
            "loc_added_sum": chance.choice([None, None, 0, 3, 8]),
        }
        for user in range(6)
        for day in pd.date_range("2026-11-02", periods=5, unit="us")
        for feature in ("code_completion", "agent_edit", "chat_inline")
    ]
    sums: dict = {}
    for row in rows:
        if row["language"]:
            name = "go" if row["language"] == "go" else "typescript"
            known = sums.setdefault((row["user_id"], row["day"], name), [])
            known += [row["loc_added_sum"]] if row["loc_added_sum"] is not None else []
    frame = pd.DataFrame(rows).astype({"loc_added_sum": "Int64"})
    found = metrics.person_day_totals(frame, by="language")
    values = found["loc_added_sum"].astype(object).where(found["loc_added_sum"].notna(), None)
    keys = zip(found["user_id"], found["day"], found["language"], strict=True)
    expected = {key: sum(known) if known else None for key, known in sums.items()}
    assert dict(zip(keys, values, strict=True)) == expected
    assert len(found) == len(expected)
