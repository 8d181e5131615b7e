"""The figures of the first screen, what they rest on, and how they compare with GitHub's."""

import math
import statistics
from datetime import timedelta

import narwhals.stable.v2 as nw
import pandas as pd
import pytest
from conftest import ndjson, user_record
from metrics_input import ENGINES, company, day, load, to_pandas
from scipy.stats import binomtest

import copilot_analytics as ca
from copilot_analytics import metrics
from copilot_analytics.errors import UsageError
from copilot_analytics.tidy import Tables

RECORDS = company(days=70)
TABLES = load(RECORDS)
LAST = day(max(r["day"] for r in RECORDS))
PROMPTS = "user_initiated_interaction_count"


def between(first, last) -> list[dict]:
    return [r for r in RECORDS if first <= day(r["day"]) <= last]


def figures_by_loops(last, length) -> dict:
    records = between(last - timedelta(length - 1), last)
    acting = [r for r in records if r[PROMPTS] > 0]
    active = {r["user_id"] for r in acting}
    worked = [d for d in pd.date_range(last - timedelta(length - 1), last) if d.weekday() < 5]
    parts = [
        part
        for r in records
        for part in r.get("totals_by_feature", [])
        if part["feature"] == "code_completion"
    ]
    accepted = sum(p["code_acceptance_activity_count"] for p in parts)
    generated = sum(p["code_generation_activity_count"] for p in parts)
    return {
        "active_people": len(active),
        "share_of_people_seen": len(active) / len({r["user_id"] for r in records}),
        "mean_daily_active_people": len([r for r in acting if day(r["day"]).weekday() < 5])
        / len(worked),
        "interactions_per_active_person": sum(r[PROMPTS] for r in acting) / len(active),
        "completion_acceptance_rate": accepted / generated,
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_headline_figures_equal_plain_loops_now_and_before(engine):
    users, by_feature = (ENGINES[engine](TABLES[n]) for n in ("users", "users_by_feature"))
    result = to_pandas(metrics.headline(users, by_feature=by_feature)).set_index("figure")
    now, before = (figures_by_loops(LAST - timedelta(back), 28) for back in (0, 28))
    for name, value in now.items():
        row = result.loc[name]
        assert row["value"] == pytest.approx(value), name
        assert row["previous"] == pytest.approx(before[name]), name
        assert row["change"] == pytest.approx(value - before[name]), name
        assert row["relative_change"] == pytest.approx(value / before[name] - 1), name
    week = figures_by_loops(LAST, 7)["active_people"]
    assert result.loc["active_people_7_days", "value"] == week
    assert result["is_complete"].all()


def test_shares_have_intervals_and_every_figure_its_definition():
    result = metrics.headline(TABLES.users, by_feature=TABLES.users_by_feature)
    shares = result[result["unit"] == "%"]
    for row in shares.itertuples():
        interval = binomtest(int(row.numerator), int(row.denominator)).proportion_ci(
            method="wilson"
        )
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
    assert result.loc[result["unit"] != "%", ["low", "high"]].isna().all(axis=None)
    assert result["definition"].str.contains("28 days|7 days").all()
    assert result["figure_number"].tolist() == [1, 2, 3, 4, 5, 6]
    assert (result["end"] == LAST).all()


def test_without_the_whole_period_before_there_is_no_comparison():
    users = TABLES.users[TABLES.users["day"] > LAST - timedelta(40)]
    result = metrics.headline(users).set_index("figure")
    assert result.loc["active_people", ["previous", "change", "relative_change"]].isna().all()
    assert result.loc["active_people", "is_complete"]
    assert pd.notna(result.loc["active_people_7_days", "previous"])


def test_a_missing_day_takes_the_comparison_and_the_completeness_away():
    """F205: and it does not count as a day without use."""
    gone = [LAST - timedelta(3), LAST - timedelta(30)]
    result = metrics.headline(TABLES.users, missing_days=gone).set_index("figure")
    assert result["previous"].isna().tolist() == [True, False, True, True, True]
    assert not result["is_complete"].any()
    told = result.loc["mean_daily_active_people"]
    whole = metrics.headline(TABLES.users).set_index("figure").loc["mean_daily_active_people"]
    assert told["denominator"] == whole["denominator"] - (gone[0].weekday() < 5)


def test_an_end_within_the_data_leaves_later_days_out():
    end = LAST - timedelta(5)
    result = metrics.headline(TABLES.users, end=end.date()).set_index("figure")
    assert result.loc["active_people", "value"] == figures_by_loops(end, 28)["active_people"]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_data_give_figures_without_values(engine):
    """F208: no division by zero, no zero that nobody counted."""
    empty = ENGINES[engine](TABLES.users.head(0))
    for result in (metrics.headline(empty), metrics.headline(TABLES.users, end="2030-01-01")):
        frame = to_pandas(result)
        assert frame[["value", "previous", "numerator", "denominator"]].isna().all(axis=None)
        assert not frame["is_complete"].any()


def test_one_person_on_one_day():
    """F208."""
    tables = load([user_record()])
    result = metrics.headline(tables.users, days=1, by_feature=tables.users_by_feature)
    values = dict(zip(result["figure"], result["value"], strict=True))
    assert values["active_people"] == values["share_of_people_seen"] == 1
    assert values["interactions_per_active_person"] == 2
    assert values["completion_acceptance_rate"] == 0


def test_prompts_of_people_who_are_not_active_do_not_count():
    result = metrics.headline(TABLES.users, active=nw.col("used_copilot_cloud_agent")).set_index(
        "figure"
    )
    records = between(LAST - timedelta(27), LAST)
    people = {r["user_id"] for r in records if r.get("used_copilot_cloud_agent")}
    prompts = sum(r[PROMPTS] for r in records if r["user_id"] in people)
    row = result.loc["interactions_per_active_person"]
    assert (row["numerator"], row["denominator"]) == (prompts, len(people))


def test_days_before_the_data_begin_are_not_days_without_use():
    """F205: an average is over the days that are there, and says that some are not."""
    users = load([user_record("2026-11-02"), user_record("2026-11-03")]).users
    daily = metrics.headline(users).set_index("figure").loc["mean_daily_active_people"]
    assert daily[["value", "denominator"]].tolist() == [1, 2]
    assert not daily["is_complete"]
    typical = metrics.engagement_headline(users).set_index("figure")
    assert typical.loc["share_most_working_days", "value"] == 1


def test_the_people_behind_a_figure_stand_beside_it():
    result = metrics.headline(TABLES.users).set_index("figure")
    assert (result["people"] == result.loc["active_people", "value"]).sum() >= 4
    assert (
        result.loc["active_people_7_days", "people"] == figures_by_loops(LAST, 7)["active_people"]
    )
    before = figures_by_loops(LAST - timedelta(28), 28)["active_people"]
    assert result.loc["active_people", "previous_people"] == before


def engagement_by_loops(last) -> dict:
    records = between(last - timedelta(27), last)
    days, prompts, features = {}, {}, {}
    for r in records:
        person = r["user_id"]
        prompts[person] = prompts.get(person, 0) + r[PROMPTS]
        if r[PROMPTS] > 0:
            days.setdefault(person, set()).add(day(r["day"]))
        for part in r.get("totals_by_feature", []):
            if any(count > 0 for name, count in part.items() if name != "feature"):
                features.setdefault(person, set()).add(part["feature"])
    often = [p for p in days if sum(d.weekday() < 5 for d in days[p]) >= 0.6 * 20]
    amounts = sorted(prompts[p] for p in days)
    top = amounts[-math.ceil(len(amounts) / 10) :]
    return {
        "median_active_days": statistics.median(len(d) for d in days.values()),
        "share_most_working_days": len(often) / len({r["user_id"] for r in records}),
        "median_interactions_per_active_day": statistics.median(
            prompts[p] / len(days[p]) for p in days
        ),
        "median_features_used": statistics.median(len(features.get(p, ())) for p in days),
        "top_decile_share_of_interactions": sum(top) / sum(amounts),
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_engagement_figures_equal_plain_loops_now_and_before(engine):
    users, by_feature = (ENGINES[engine](TABLES[n]) for n in ("users", "users_by_feature"))
    result = to_pandas(metrics.engagement_headline(users, by_feature=by_feature))
    result = result.set_index("figure")
    now, before = (engagement_by_loops(LAST - timedelta(back)) for back in (0, 28))
    assert result["value"].to_dict() == pytest.approx(now)
    assert result["previous"].to_dict() == pytest.approx(before)
    assert result["low"].notna().tolist() == [False, True, False, False, False]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_data_give_engagement_figures_without_values(engine):
    """F208."""
    for frame in (TABLES.users.head(0), TABLES.users):
        end = "2030-01-01" if len(frame) else None
        result = to_pandas(metrics.engagement_headline(ENGINES[engine](frame), end=end))
        assert result[["value", "previous", "people"]].isna().all(axis=None)
        assert not result["is_complete"].any()


def test_a_frame_without_prompts_has_no_prompts_per_person():
    users = pd.DataFrame({"user_id": [1], "day": [LAST]})
    result = metrics.headline(users, active="present", days=1).set_index("figure")
    assert pd.isna(result.loc["interactions_per_active_person", "value"])
    assert result.loc["active_people", "value"] == 1


def entity(text: str, **fields) -> dict:
    return {"day": text, "organization_id": "7", "daily_active_users": 0, **fields}


def test_coverage_has_a_row_for_every_calendar_day():
    """F205: a hole is named, not skipped."""
    days = ["2026-11-01", "2026-11-02", "2026-11-05"]
    tables = load([user_record(d) for d in days] + [entity("2026-11-02")])
    result = metrics.coverage(tables)
    users = result[result["family"] == "users"]
    assert users["state"].tolist() == ["present", "present", "gap", "gap", "present"]
    assert users["rows"].tolist() == [1, 1, 0, 0, 1]
    assert result[result["family"] == "entity"]["state"].tolist() == ["present"]


def archive_tables() -> Tables:
    """Tables with the states that an archive knows."""
    states = ["final", "empty", "missing", "final", "failed", "damaged", "provisional", "pending"]
    days = pd.DataFrame(
        {
            "scope": "organization:7",
            "family": "users",
            "day": pd.date_range("2026-11-01", periods=8).astype("datetime64[us]"),
            "state": states,
            "rows": pd.array([4, 0, 0, 3, 0, 0, 2, 0], dtype="Int64"),
        }
    )
    return Tables({}, day_states=days[days["state"] != "empty"])


def test_days_present_tells_final_provisional_missing_and_unknown_days_apart():
    row = metrics.days_present(archive_tables()).iloc[0]
    assert row["first_day"] == day("2026-11-01")
    assert row["last_day"] == day("2026-11-07")
    assert row["last_final_day"] == day("2026-11-04")
    names = ["calendar_days", "days_with_data", "days_provisional", "days_empty", "days_missing"]
    assert row[names].tolist() == [8, 3, 1, 0, 4]
    assert row["days_in_gaps"] == 1


def test_missing_days_are_those_that_may_have_a_report():
    days = [d.day for d in metrics.missing_days(archive_tables())]
    assert days == [2, 3, 5, 6, 8]  # of 2 Nov nothing is known
    assert metrics.missing_days(archive_tables(), family="repos") == []


def test_nothing_read_is_nothing_covered():
    tables = load([])
    assert metrics.coverage(tables).empty
    assert metrics.days_present(tables).empty
    assert metrics.missing_days(tables) == []


def with_reported(count) -> ca.Tables:
    """The company with an entity record per day; `count` gives its active users by window."""
    days = sorted({r["day"] for r in RECORDS})
    entities = [
        entity(
            text,
            daily_active_users=count(day(text), 1),
            weekly_active_users=count(day(text), 7),
            monthly_active_users=count(day(text), 28),
        )
        for text in days
    ]
    return ca.load(ndjson(*RECORDS, *entities))


def trailing(last, window, is_active=lambda r: r[PROMPTS] > 0) -> int:
    records = between(last - timedelta(window - 1), last)
    return len({r["user_id"] for r in records if is_active(r)})


def to_date(last, window) -> int:
    first = {
        1: last,
        7: last - timedelta((last.weekday() + 1) % 7),
        28: last.replace(day=1),
    }[window]
    return len({r["user_id"] for r in between(first, last) if r[PROMPTS] > 0})


@pytest.mark.parametrize(
    ("count", "matching"),
    [
        (trailing, ["on the day", "trailing 28 days", "trailing 7 days"]),
        (to_date, ["month to date", "on the day", "week to date, from Sunday"]),
    ],
)
def test_the_definition_table_finds_how_github_counted(count, matching):
    result = metrics.definition_table(with_reported(count))
    found = result[result["is_match"].fillna(False)]
    assert sorted(found["reading"]) == matching
    assert set(found["active"]) == {"interactions"}
    assert (found["difference"] == 0).all()
    assert (found["days_matching"] == found["days_compared"]).all()
    assert (found["days_compared"] > 30).all()


def test_the_definition_table_measures_the_gap_between_definitions():
    result = metrics.definition_table(with_reported(trailing))
    days = sorted({r["day"] for r in RECORDS})
    for name, is_active in {
        "present": lambda r: True,
        "interactions": lambda r: r[PROMPTS] > 0,
    }.items():
        row = result[(result["reading"] == "on the day") & (result["active"] == name)].iloc[0]
        counts = [trailing(day(text), 1, is_active) for text in days]
        assert row["value"] == pytest.approx(sum(counts) / len(counts))
        assert row["days_compared"] == len(days)
    assert len(result) == 24


def test_without_reported_figures_the_definitions_still_stand_side_by_side():
    result = metrics.definition_table(TABLES)
    assert result["reported"].isna().all()
    assert result["is_match"].isna().all()
    assert result["value"].notna().all()
    assert set(result["days_compared"]) == {0}


def test_figures_of_another_organization_are_not_compared():
    """F120."""
    other = {**entity("2026-11-02"), "organization_id": "8"}
    with pytest.raises(UsageError, match="more than one"):
        metrics.definition_table(ca.load(ndjson(*RECORDS, other)))


def test_the_definition_table_of_nothing_has_all_rows_and_no_values():
    result = metrics.definition_table(load([]))
    assert len(result) == 24
    assert result["value"].isna().all()


def test_f185_a_figure_counts_the_smallest_group_that_it_tells_about():
    days = pd.to_datetime(["2026-11-02"] * 8)
    prompts = pd.array([5, 4, 3, 2, 1, 1, 1, 0], dtype="Int64")
    users = pd.DataFrame(
        {"day": days, "user_id": range(8), "user_initiated_interaction_count": prompts}
    )
    people = metrics.headline(users, days=1).set_index("figure")["people"]
    assert people["active_people"] == 7
    assert people["share_of_people_seen"] == 1  # one of eight was not active
    people = metrics.engagement_headline(users, days=1).set_index("figure")["people"]
    assert people["top_decile_share_of_interactions"] == 1  # the tenth of seven people is one
    assert people["median_active_days"] == 7
