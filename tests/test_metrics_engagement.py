"""What single people did, equal to following each of them through the records by hand."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from conftest import user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_input import ENGINES, SEVEN, company, day, load, to_pandas

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

RECORDS = company()
TABLES = load(RECORDS)
FIRST, LAST = min(r["day"] for r in RECORDS), max(r["day"] for r in RECORDS)
EVERY_DAY = [day(FIRST) + timedelta(n) for n in range((day(LAST) - day(FIRST)).days + 1)]
PROMPTS = "user_initiated_interaction_count"


def of_person(person: int) -> list[dict]:
    return [r for r in RECORDS if r["user_id"] == person]


def active_days(person: int) -> list:
    return sorted(day(r["day"]) for r in of_person(person) if r[PROMPTS] > 0)


def longest(days, counted) -> int:
    """The longest row of counted days, walked one by one."""
    best = run = 0
    for d in counted:
        run = run + 1 if d in days else 0
        best = max(best, run)
    return best


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("streak", ["calendar", "working"])
def test_user_activity_equals_following_each_person(engine, streak):
    sunday_to_thursday = (6, 0, 1, 2, 3)
    users, by_feature = (ENGINES[engine](TABLES[n]) for n in ("users", "users_by_feature"))
    result = to_pandas(
        metrics.user_activity(
            users,
            working_days=sunday_to_thursday,
            missing_days=["2026-10-06"],
            streak=streak,
            by_feature=by_feature,
        )
    )
    worked = [d for d in EVERY_DAY if d.weekday() in sunday_to_thursday and d != day("2026-10-06")]
    walked = worked if streak == "working" else [d for d in EVERY_DAY if d != day("2026-10-06")]
    assert result["user_id"].tolist() == sorted({r["user_id"] for r in RECORDS})
    for row in result.itertuples():
        records, days = of_person(row.user_id), active_days(row.user_id)
        assert row.present_days == len(records)
        assert row.active_days == len(days)
        assert row.active_working_days == len(set(days) & set(worked))
        assert row.working_days == len(worked)
        assert row.active_days_share == pytest.approx(row.active_working_days / len(worked))
        assert row.longest_streak == longest(set(days), walked)
        if days:
            assert (row.first_day, row.last_day) == (days[0], days[-1])
            assert row.days_since_active == (day(LAST) - days[-1]).days
            prompts = sum(r[PROMPTS] for r in records)
            assert row.interactions_per_active_day == pytest.approx(prompts / len(days))
        half = len(worked) // 2
        first, second = (
            len(set(days) & set(part)) / half for part in (worked[:half], worked[-half:])
        )
        assert (row.first_half_share, row.second_half_share) == pytest.approx((first, second))
        assert row.trend == pytest.approx(second - first)
        weeks = [
            {d for d in EVERY_DAY if start <= (day(LAST) - d).days < start + 7}
            for start in range(0, len(EVERY_DAY) // 7 * 7, 7)
        ]
        assert row.weeks == len(weeks)
        assert row.active_weeks == sum(bool(week & set(days)) for week in weeks)
        assert row.active_weeks_share == pytest.approx(row.active_weeks / row.weeks)
        used = {
            part["feature"]
            for r in records
            for part in r.get("totals_by_feature", [])
            if any(part.get(name, 0) > 0 for name in SEVEN)
        }
        assert row.features_used == len(used)
        for name in SEVEN:
            assert getattr(row, name) == sum(r[name] for r in records)


def test_counters_that_were_never_reported_stay_missing():
    result = metrics.user_activity(TABLES.users).set_index("user_id")
    for person in result.index:
        credits = [r["ai_credits_used"] for r in of_person(person) if "ai_credits_used" in r]
        found = result.loc[person, "ai_credits_used"]
        assert found == pytest.approx(sum(credits)) if credits else pd.isna(found)
    assert result["cli_prompt_count"].isna().all()
    assert result["features_used"].isna().all()
    assert (
        result.dtypes[["cli_prompt_count", "features_used"]].astype(str).tolist() == ["Int64"] * 2
    )


def test_only_counters_that_may_be_added_up_are_summed():
    columns = metrics.user_activity(TABLES.users).columns
    assert "cli_session_count" in columns
    assert not {
        "cli_avg_tokens_per_request",
        "distinct_skill_use_count",
        "phase_number",
        "user_login",
    } & set(columns)


def test_regular_and_rising_use_of_any_pattern():
    """Four whole weeks to 29 November, and two days before them that are in no week."""
    days = pd.date_range("2026-10-31", "2026-11-29")
    users = pd.DataFrame({"user_id": 1, "day": days, PROMPTS: 0})
    active = pd.to_datetime(["2026-10-31", "2026-11-16", "2026-11-27"])
    users.loc[users["day"].isin(active), PROMPTS] = 1
    row = metrics.user_activity(users).iloc[0]
    assert (row["weeks"], row["active_weeks"], row["active_weeks_share"]) == (4, 2, 0.5)
    assert (row["first_half_share"], row["second_half_share"], row["trend"]) == (0, 0.2, 0.2)
    assert row["active_days"] == 3


def test_a_week_without_a_report_is_no_week_without_use():
    """F205."""
    users = pd.DataFrame({"user_id": 1, "day": pd.to_datetime(["2026-11-02", "2026-11-22"])})
    gap = pd.date_range("2026-11-09", "2026-11-15")
    told = metrics.user_activity(users, active="present", missing_days=gap).iloc[0]
    assert (told["weeks"], told["active_weeks"]) == (2, 2)
    assert metrics.user_activity(users, active="present").iloc[0]["weeks"] == 3


def test_a_single_day_has_no_regularity_and_no_trend():
    row = metrics.user_activity(load([user_record()]).users).iloc[0]
    assert row["weeks"] == 0
    assert (
        row[["active_weeks_share", "first_half_share", "second_half_share", "trend"]].isna().all()
    )


def test_people_who_never_were_active_have_a_row():
    quiet = user_record(user_id=2, **dict.fromkeys(SEVEN, 0))
    row = metrics.user_activity(load([user_record(), quiet]).users).set_index("user_id").loc[2]
    assert row[["active_days", "longest_streak", "active_days_share"]].tolist() == [0, 0, 0]
    missing = ["first_day", "last_day", "days_since_active", "interactions_per_active_day"]
    assert row[missing].isna().all()


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_gives_no_rows(engine):
    users = ENGINES[engine](TABLES.users.head(0))
    assert to_pandas(metrics.user_activity(users)).empty
    assert to_pandas(metrics.segments(users))["people"].tolist() == [0] * 4
    grid = to_pandas(metrics.segment_sensitivity(users, shifts=(0, 0.1)))
    assert grid["people"].tolist() == [0] * 8
    assert grid["share"].isna().all()
    row = to_pandas(metrics.concentration(users, measure=PROMPTS)).iloc[0]
    assert row[["people", "top_people", "total"]].tolist() == [0, 0, 0]
    assert row[["gini", "top_decile_share"]].isna().all()
    assert to_pandas(metrics.lorenz(users, measure=PROMPTS)).empty


@settings(max_examples=12)
@given(st.sets(st.integers(0, 30), min_size=1), st.sampled_from(["calendar", "working"]))
def test_streaks_of_any_pattern(offsets, streak):
    days = {day("2026-10-28") + timedelta(n) for n in offsets}
    users = pd.DataFrame({"user_id": 1, "day": sorted(days, key=hash)})
    every = pd.date_range(min(days), max(days)).to_pydatetime().tolist()
    walked = every if streak == "calendar" else [d for d in every if d.weekday() < 5]
    row = metrics.user_activity(users, active="present", streak=streak).iloc[0]
    assert row["longest_streak"] == longest(days, walked)


def segment_of(person: int) -> str:
    days = active_days(person)
    worked = [d for d in EVERY_DAY if d.weekday() < 5]
    share = len(set(days) & set(worked)) / len(worked)
    if not days:
        return "seen, not active"
    return "most working days" if share >= 0.6 else "weekly" if share >= 0.2 else "occasional"


@pytest.mark.parametrize("engine", ENGINES)
def test_segments_put_each_person_into_one_group(engine):
    users = ENGINES[engine](TABLES.users)
    people = to_pandas(metrics.user_segments(users))
    counts = to_pandas(metrics.segments(users))
    expected = [segment_of(person) for person in people["user_id"]]
    assert people["segment"].tolist() == expected
    assert counts["segment"].tolist() == metrics.segment_rules()["segment"].tolist()
    assert counts["people"].tolist() == [expected.count(name) for name in counts["segment"]]
    assert counts["people"].sum() == counts["all_people"].iloc[0] == len(people)


def test_missing_days_are_not_days_without_use():
    """F205: averages over the days that are there."""
    days = ["2026-11-02", "2026-11-03", "2026-11-06"]
    users = load([user_record(d) for d in days]).users
    whole = metrics.user_activity(users).iloc[0]
    told = metrics.user_activity(users, missing_days=["2026-11-04", "2026-11-05"]).iloc[0]
    assert (whole["active_days_share"], told["active_days_share"]) == (0.6, 1.0)
    assert (whole["longest_streak"], told["longest_streak"]) == (2, 3)


@pytest.mark.parametrize(
    ("days", "segment"), [(3, "most working days"), (2, "weekly"), (1, "weekly")]
)
def test_the_least_share_of_a_group_is_part_of_it(days, segment):
    """Of five working days, three are 60 % and one is 20 %."""
    records = [user_record(f"2026-11-0{n}") for n in range(2, 2 + days)]
    users = load([*records, user_record("2026-11-06", user_id=2)]).users
    assert metrics.user_segments(users)["segment"].iloc[0] == segment


def test_own_rules_and_their_words():
    rules = {"often": 0.25, "ever": 0}
    assert metrics.segments(TABLES.users, rules=rules)["segment"].tolist() == [
        "often",
        "ever",
        "seen, not active",
    ]
    assert metrics.segment_rules(rules)["rule"].iloc[0] == (
        "active on at least 25% of the working days"
    )


@pytest.mark.parametrize("rules", [{}, {"a": 0.2}, {"a": 0.2, "b": 0.6, "c": 0}, {"a": 2, "b": 0}])
def test_rules_that_do_not_fall_to_zero_are_refused(rules):
    with pytest.raises(UsageError, match="do not make groups"):
        metrics.segment_sensitivity(TABLES.users, rules=rules)
    with pytest.raises(UsageError, match="do not make groups"):
        metrics.segment_rules(rules)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_grid_equals_counting_with_each_rule_by_hand(engine):
    users = ENGINES[engine](TABLES.users)
    shifts = (-0.15, 0, 0.1)
    grid = to_pandas(metrics.segment_sensitivity(users, shifts=shifts))
    assert grid["shift"].drop_duplicates().tolist() == list(shifts)
    for shift, part in grid.groupby("shift"):
        rules = {"most working days": 0.6 + shift, "weekly": 0.2 + shift, "occasional": 0}
        expected = metrics.segments(TABLES.users, rules=rules)
        columns = ["segment", "people", "all_people", "share", "low", "high"]
        pd.testing.assert_frame_equal(part[columns].reset_index(drop=True), expected[columns])
        assert part["least_share"].dropna().tolist() == pytest.approx(list(rules.values()))


def test_people_on_a_line_move_with_it():
    """Three of five working days are 60 %: with 70 % as the line they are weekly."""
    records = [user_record(f"2026-11-0{n}") for n in (2, 3, 4)]
    users = load([*records, user_record("2026-11-06", user_id=2)]).users
    grid = metrics.segment_sensitivity(users, shifts=(0, 0.1))
    groups = grid[grid["people"] > 0].set_index("shift")["segment"]
    assert groups.loc[0.0].tolist() == ["most working days", "weekly"]
    assert groups.loc[0.1].tolist() == ["weekly", "occasional"]


@pytest.mark.parametrize("shift", [-0.2, 0.5])
def test_a_shift_that_leaves_no_rules_is_refused(shift):
    with pytest.raises(UsageError, match="do not make groups"):
        metrics.segment_sensitivity(TABLES.users, shifts=(shift,))


def gini_by_definition(values) -> float:
    """Mean absolute difference of all pairs, over twice the mean."""
    values = np.asarray(values, dtype=float)
    return np.abs(values[:, None] - values[None, :]).mean() / (2 * values.mean())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("people", [1, 9, 21])
def test_concentration_equals_its_definition(engine, people):
    records = company(people=people, days=20)
    users = ENGINES[engine](load(records).users)
    totals = {}
    for record in records:
        totals[record["user_id"]] = totals.get(record["user_id"], 0) + record[PROMPTS]
    values = sorted(total for total in totals.values() if total > 0)
    row = to_pandas(metrics.concentration(users, measure=PROMPTS)).iloc[0]
    top = -(-len(values) // 10)
    assert (row["people"], row["top_people"], row["total"]) == (len(values), top, sum(values))
    assert row["gini"] == pytest.approx(gini_by_definition(values))
    assert row["top_decile_share"] == pytest.approx(sum(values[-top:]) / sum(values))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_lorenz_curve_runs_from_nobody_to_everybody(engine):
    users = ENGINES[engine](TABLES.users)
    points = to_pandas(metrics.lorenz(users, measure="code_generation_activity_count"))
    gini = to_pandas(metrics.concentration(users, measure="code_generation_activity_count"))
    shares = points[["share_of_people", "share_of_measure"]]
    assert shares.iloc[[0, -1]].to_numpy() == pytest.approx(np.array([[0, 0], [1, 1]]))
    assert points["people"].tolist() == [0] + [1] * (len(points) - 1)
    assert (points["share_of_measure"] <= points["share_of_people"] + 1e-12).all()
    area = np.trapezoid(points["share_of_measure"], points["share_of_people"])
    assert 1 - 2 * area == pytest.approx(gini["gini"].iloc[0])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("people", [3, 10, 23])
def test_a_curve_of_parts_lies_on_the_curve_of_persons(engine, people):
    users = load(company(people=people, days=20)).users
    persons = metrics.lorenz(users, measure=PROMPTS)
    parts = to_pandas(metrics.lorenz(ENGINES[engine](users), measure=PROMPTS, points=10))
    count = len(persons) - 1
    ends = sorted({0, *(part * count // 10 for part in range(1, 11))})
    assert parts["people"].cumsum().tolist() == ends
    columns = ["share_of_people", "share_of_measure"]
    assert parts[columns].to_numpy() == pytest.approx(persons.iloc[ends][columns].to_numpy())


def test_people_without_a_reported_value_are_left_out_not_zero():
    records = [user_record(user_id=1, ai_credits_used=3.0), user_record(user_id=2)]
    row = metrics.concentration(load(records).users, measure="ai_credits_used").iloc[0]
    assert (row["people"], row["gini"]) == (1, 0)


def test_a_total_of_zero_has_no_concentration():
    users = load([user_record(loc_deleted_sum=0)]).users
    row = metrics.concentration(users, measure="loc_deleted_sum").iloc[0]
    assert row[["gini", "top_decile_share"]].isna().all()
    assert metrics.lorenz(users, measure="loc_deleted_sum")["share_of_measure"].isna().all()


def test_what_cannot_be_added_up_has_no_concentration():
    with pytest.raises(UsageError, match="cannot be added up"):
        metrics.concentration(TABLES.users, measure="cli_avg_tokens_per_request")


@pytest.mark.parametrize("engine", ENGINES)
def test_distribution_puts_people_into_ranges(engine):
    activity = pd.DataFrame(
        {
            "user_id": range(8),
            "day": day("2026-11-02"),
            "active_days": pd.array([0, 1, 2, 5, 6, 30, None, 3], dtype="Int64"),
        }
    )
    result = to_pandas(
        metrics.distribution(ENGINES[engine](activity), column="active_days", edges=(1, 2, 6, 31))
    )
    assert result["bin"].tolist() == ["1", "2–5", "6–30", "31+"]
    assert result["people"].tolist() == [1, 3, 2, 0]
    assert set(result["all_people"]) == {6}
    assert set(result["left_out"]) == {2}
    assert set(result["median"]) == {4.0}
    assert result["to_value"].fillna(-1).tolist() == [1, 5, 30, -1]


def test_ranges_of_fractions_say_what_they_stay_below():
    activity = pd.DataFrame({"user_id": [1, 2], "prompts": [0.5, 2.5]})
    result = metrics.distribution(activity, column="prompts", edges=(0, 1, 2.5))
    assert result["bin"].tolist() == ["0 to under 1", "1 to under 2.5", "2.5+"]
    assert result["people"].tolist() == [1, 0, 1]


def test_ranges_that_do_not_rise_are_refused():
    with pytest.raises(UsageError, match="no ranges"):
        metrics.distribution(pd.DataFrame({"n": [1]}), column="n", edges=(2, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"streak": "weekly"}, "streak"),
        ({"working_days": (1, 7)}, "not weekdays"),
        ({"missing_days": ["soon"]}, "not a day"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        metrics.user_activity(TABLES.users, **options)
