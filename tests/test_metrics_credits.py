"""Credits and tokens: sums of what was reported, what was not is not 0, and an honest forecast."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from conftest import ndjson, user_record
from delivery_input import spender_records
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_input import ENGINES, day, to_pandas

import copilot_analytics as ca
from copilot_analytics import metrics, samples
from copilot_analytics.errors import UsageError

RECORDS = spender_records()
USERS = ca.load(ndjson(*RECORDS)).users.drop(columns="cli_version_sampled_at")
ORG = "organization:octo-org"


def month(record) -> pd.Timestamp:
    return day(record["day"]).replace(day=1)


def expected_credits(records, key=lambda record: 0) -> dict:
    """The figures of each group, by plain loops."""
    groups = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    result = {}
    for name, rows in groups.items():
        known = [r for r in rows if "ai_credits_used" in r]
        total = sum(r["ai_credits_used"] for r in known) if known else None
        people = {r["user_id"] for r in known if r["ai_credits_used"] > 0}
        active = {r["user_id"] for r in rows if r["user_initiated_interaction_count"] > 0}
        result[name] = {
            "credits": total,
            "usd": None if total is None else total / 100,
            "people": len(people),
            "active_people": len(active),
            "credits_per_person": total / len(people) if people else None,
            "credits_per_active_person": total / len(active) if active and known else None,
            "records": len(rows),
            "records_with_credits": len(known),
            "records_without_telemetry": sum("used_chat" not in r for r in rows),
            "days_with_credits": len({r["day"] for r in known}),
        }
    return result


def assert_figures(row, expected: dict) -> None:
    for name, value in expected.items():
        if value is None:
            assert pd.isna(row[name]), name
        else:
            assert row[name] == pytest.approx(value), name


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, lambda r: 0),
        ({"period": "day"}, lambda r: day(r["day"])),
        ({"period": "month"}, month),
        ({"by": "user_id"}, lambda r: r["user_id"]),
    ],
    ids=["whole", "day", "month", "person"],
)
def test_credits_are_sums_of_what_was_reported(engine, options, key):
    result = to_pandas(metrics.credits(ENGINES[engine](USERS), **options))
    expected = expected_credits(RECORDS, key)
    assert len(result) == len(expected)
    for _, row in result.iterrows():
        assert_figures(row, expected[row.iloc[0] if options else 0])


@pytest.mark.parametrize("engine", ENGINES)
def test_credits_that_were_not_reported_are_missing_not_zero(engine):
    users = ENGINES[engine](USERS.assign(ai_credits_used=pd.Series(dtype="float64")))
    row = to_pandas(metrics.credits(users)).iloc[0]
    assert pd.isna(row["credits"])
    assert pd.isna(row["usd"])
    assert (row["people"], row["records_with_credits"], row["days_with_credits"]) == (0, 0, 0)
    assert to_pandas(metrics.credits_headline(users))["value"].isna().all()
    assert to_pandas(metrics.credits_forecast(users)).empty


@pytest.mark.parametrize("engine", ENGINES)
def test_a_reported_zero_is_a_zero(engine):
    users = ca.load(ndjson(user_record(ai_credits_used=0))).users
    row = to_pandas(metrics.credits(ENGINES[engine](users.drop(columns="cli_version_sampled_at"))))
    assert row["credits"].tolist() == [0.0]
    assert row["people"].tolist() == [0]
    assert row["credits_per_person"].isna().all()


def test_rows_with_credits_alone_count_their_credits_and_are_told_apart():
    result = metrics.credits(USERS).iloc[0]
    alone = [r["ai_credits_used"] for r in RECORDS if "used_chat" not in r]
    assert result["credits_without_telemetry"] == pytest.approx(sum(alone))
    bare = metrics.credits(USERS.drop(columns="has_telemetry")).iloc[0]
    assert pd.isna(bare["credits_without_telemetry"])


@pytest.mark.parametrize("engine", ENGINES)
def test_headline_figures_are_those_of_the_period_beside_the_one_before(engine):
    users = ENGINES[engine](USERS)
    rows = to_pandas(metrics.credits_headline(users, end="2026-10-20", days=14)).set_index("figure")
    for name, first, last in (
        ("value", "2026-10-07", "2026-10-20"),
        ("previous", "2026-09-23", "2026-10-06"),
    ):
        expected = expected_credits([r for r in RECORDS if first <= r["day"] <= last])[0]
        for figure in ("credits", "usd", "credits_per_person", "credits_per_active_person"):
            assert rows.loc[figure, name] == pytest.approx(expected[figure])
        assert rows.loc["people_with_credits", name] == expected["people"]
    assert rows["people"].notna().all()


def test_what_was_used_before_github_reported_credits_is_left_out():
    old = ca.load(ndjson(*spender_records(count=20, first="2026-06-10"))).users
    figures = metrics.credits_headline(old, days=20)
    assert not figures["is_complete"].any()
    known = old[old["day"] >= "2026-06-19"]["ai_credits_used"].sum()
    assert figures["value"].iloc[0] == pytest.approx(known)


@pytest.mark.parametrize("engine", ENGINES)
def test_people_active_before_credits_were_reported_do_not_make_the_rate_too_small(engine):
    """Two people of early June, one of 20 June with 10 credits: 10 per person, not 3.3."""
    records = [user_record(f"2026-06-{n:02}", n) for n in (1, 2)]
    records.append(user_record("2026-06-20", 3, ai_credits_used=10))
    users = ca.load(ndjson(*records)).users.drop(columns="cli_version_sampled_at")
    row = to_pandas(metrics.credits(ENGINES[engine](users))).iloc[0]
    assert (row["active_people"], row["credits_per_active_person"], row["records"]) == (1, 10, 1)


# ------------------------------------------------------------------------------ the sample's truth


@pytest.fixture(scope="module")
def company():
    return samples.Company(people=60, days=100)


@pytest.fixture(scope="module")
def truth(company):
    return company.truth(ORG)


def test_the_credits_of_the_sample_are_what_its_people_used(company, truth):
    days = company.days()[-30:]
    records = [record for day in days for record in company.records("users-1-day", ORG, day)]
    users = ca.load(ndjson(*records)).users
    people_days = truth.people_days[truth.people_days["day"] >= pd.Timestamp(days[0])]
    for by, options in (("day", {"period": "day"}), ("user_id", {"by": "user_id"})):
        found = metrics.credits(users, **options).set_index(by)["credits"].fillna(0)
        expected = people_days.groupby(by)["credits"].sum()
        pd.testing.assert_series_equal(found, expected, check_names=False, check_freq=False)


# ------------------------------------------------------------------------------ forecast


def spending(values, first="2026-07-01") -> pd.DataFrame:
    days = pd.date_range(first, periods=len(values), unit="us")
    return pd.DataFrame({"day": days, "user_id": 1, "ai_credits_used": np.asarray(values, float)})


def history(seed: int, kind: str, count: int = 123) -> np.ndarray:
    """Weekdays and weekends, noise, and a level: steady, good and bad weeks, growth, or a drift."""
    chance = np.random.default_rng(seed)
    number = np.arange(count)
    base = np.where((number + 2) % 7 < 5, 1000.0, 60.0)
    level = {
        "steady": np.ones(count),
        "weeks": np.exp(chance.normal(0, 0.1, count // 7 + 1))[number // 7],
        "growth": 1.03 ** (number / 7),
        "drift": np.exp(np.cumsum(chance.normal(0, 0.015, count))),
    }[kind]
    return base * level * chance.lognormal(0, 0.25, count)


def coverage_of(runs) -> float:
    """In which share of runs the month's total lies within the interval."""
    hits = []
    for values, end in runs:
        users = spending(values)
        total = users.loc[users["day"].dt.to_period("M") == end.to_period("M"), "ai_credits_used"]
        row = metrics.credits_forecast(users[users["day"] <= end], end=end).iloc[-1]
        hits.append(row["low"] <= total.sum() <= row["high"])
    return float(np.mean(hits))


@pytest.mark.parametrize("kind", ["steady", "weeks", "growth", "drift"])
def test_four_of_five_months_end_within_the_interval(kind):
    """Back-test: 24 invented series, each forecast from another day of October 2026."""
    runs = [
        (history(seed, kind), pd.Timestamp("2026-10-02") + pd.Timedelta(days=seed % 24))
        for seed in range(100, 124)
    ]
    assert 0.65 <= coverage_of(runs) <= 0.9


def test_the_sample_is_forecast_within_its_interval_about_as_often(truth):
    """Its credits grow from month to month, as those of a roll-out do."""
    days = truth.days.set_index("day")["credits"]
    users = pd.DataFrame({"day": days.index, "user_id": 1, "ai_credits_used": days.to_numpy()})
    hits = []
    for end in pd.date_range("2026-09-14", "2026-10-30", freq="2D"):
        row = metrics.credits_forecast(users[users["day"] <= end]).iloc[-1]
        total = days[days.index.to_period("M") == end.to_period("M")].sum()
        hits.append(row["low"] <= total <= row["high"])
    assert 0.6 <= np.mean(hits) <= 1


def test_a_wider_level_gives_a_wider_interval_around_the_same_forecast():
    users = spending(history(1, "weeks")[:110])
    narrow, wide = (metrics.credits_forecast(users, level=level) for level in (0.5, 0.95))
    pd.testing.assert_series_equal(narrow["cumulative"], wide["cumulative"])
    assert wide["low"].iloc[-1] < narrow["low"].iloc[-1] < narrow["cumulative"].iloc[-1]
    assert wide["high"].iloc[-1] > narrow["high"].iloc[-1] > narrow["cumulative"].iloc[-1]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_month_so_far_is_measured_and_the_rest_expected(engine):
    users = spending(history(2, "steady")[:100])  # through 8 October
    result = to_pandas(metrics.credits_forecast(ENGINES[engine](users)))
    assert result["day"].tolist() == list(pd.date_range("2026-10-01", "2026-10-31"))
    assert result["is_measured"].tolist() == [True] * 8 + [False] * 23
    known = users.loc[users["day"] >= "2026-10-01", "ai_credits_used"].cumsum()
    np.testing.assert_allclose(result["cumulative"].head(8), known)
    np.testing.assert_allclose(result["low"].head(8), known)
    np.testing.assert_allclose(result["cumulative"].diff().tail(23), result["expected"].tail(23))
    np.testing.assert_allclose(result["cumulative_usd"], result["cumulative"] / 100)
    assert set(result["outcome"]) == {"forecast"}
    assert result["people"].tolist() == [1] * 8 + [0] * 23
    assert set(result["all_people"]) == {1}
    again = to_pandas(metrics.credits_forecast(ENGINES[engine](users)))
    pd.testing.assert_frame_equal(result, again)


@pytest.mark.parametrize("engine", ENGINES)
def test_each_day_of_the_forecast_counts_its_own_people(engine):
    """People of a whole month say nothing of a Sunday with one person."""
    result = to_pandas(metrics.credits_forecast(ENGINES[engine](USERS), end="2026-10-20"))
    spenders = [
        (day(r["day"]), r["user_id"])
        for r in RECORDS
        if r.get("ai_credits_used", 0) > 0 and "2026-10-01" <= r["day"] <= "2026-10-20"
    ]
    expected = [len({who for on, who in spenders if on == one}) for one in result["day"]]
    assert result["people"].tolist() == expected
    assert len(set(expected)) > 2
    assert set(result["all_people"]) == {len({who for _, who in spenders})}


def test_the_expected_days_follow_the_weekdays_of_a_steady_series():
    steady = np.where((np.arange(100) + 2) % 7 < 5, 100.0, 10.0)
    result = metrics.credits_forecast(spending(steady))
    weekend = result["day"].dt.day_of_week >= 5
    np.testing.assert_allclose(result["expected"].dropna(), np.where(weekend, 10, 100)[8:])
    np.testing.assert_allclose(result["low"], result["cumulative"])


def test_half_of_a_trend_goes_on():
    """Each week takes 10 a day more than the one before; the weeks to come 5 more."""
    weeks = np.repeat(np.arange(8) * 10.0 + 100, 7)  # through 7 October
    result = metrics.credits_forecast(spending(weeks, "2026-08-13")).set_index("day")
    ahead = result["expected"].dropna()
    assert len(ahead) == 24
    step = (np.arange(24) // 7 + 1) * 5.0
    np.testing.assert_allclose(ahead, 170 + step)


def test_a_missing_day_is_estimated_and_a_day_without_use_took_nothing():
    users = spending(np.full(100, 10.0))
    without = users[~users["day"].isin(pd.to_datetime(["2026-10-03"]))]
    told = metrics.credits_forecast(without, missing_days=["2026-10-03"]).set_index("day")
    assert not told.loc["2026-10-03", "is_measured"]
    assert told.loc["2026-10-03", "expected"] == pytest.approx(10)
    assert told["cumulative"].iloc[-1] == pytest.approx(310)
    untold = metrics.credits_forecast(without).set_index("day")
    assert untold.loc["2026-10-03", "credits"] == 0
    records_alone = users.assign(
        ai_credits_used=users["ai_credits_used"].mask(users["day"] == pd.Timestamp("2026-10-03"))
    )
    unreported = metrics.credits_forecast(records_alone).set_index("day")
    assert not unreported.loc["2026-10-03", "is_measured"]


@pytest.mark.parametrize("end", ["2026-10-12", "2026-10-31"])
def test_days_after_the_last_record_are_estimated_not_taken_as_zero(end):
    users = spending(np.full(100, 10.0))  # through 8 October
    result = metrics.credits_forecast(users, end=end).set_index("day")
    assert not result.loc["2026-10-09":, "is_measured"].any()
    assert set(result["outcome"]) == {"forecast"}
    assert result["cumulative"].iloc[-1] == pytest.approx(310)


def test_provisional_days_are_left_out_with_end():
    users = spending([*np.full(100, 10.0), 1.0, 1.0])  # two days that will still grow
    result = metrics.credits_forecast(users, end="2026-10-08").set_index("day")
    assert not result.loc["2026-10-09", "is_measured"]
    assert result["cumulative"].iloc[-1] == pytest.approx(310)


@pytest.mark.parametrize("count", [1, 3, 20, 27])
def test_too_few_days_are_said_and_nothing_is_made_up(count):
    result = metrics.credits_forecast(spending(np.full(count, 10.0), "2026-10-05"))
    assert set(result["outcome"]) == {"not enough days"}
    assert result[["expected", "low", "high", "cumulative"]].isna().all(axis=None)
    whole = metrics.credits_forecast(spending(np.full(count, 10.0), "2026-10-01"))
    assert whole["cumulative"].dropna().tolist() == [10.0 * n for n in range(1, count + 1)]


def test_a_month_that_is_over_is_not_forecast():
    result = metrics.credits_forecast(spending(np.full(123, 10.0)))  # through 31 October
    assert set(result["outcome"]) == {"complete"}
    assert result["low"].iloc[-1] == result["high"].iloc[-1] == 310


@given(st.lists(st.floats(0, 1e6), min_size=28, max_size=70), st.integers(0, 5))
@settings(max_examples=10)
def test_a_forecast_is_never_negative_and_never_below_what_was_used(values, seed):
    result = metrics.credits_forecast(spending(values, "2026-08-03"), seed=seed)
    ends = result[["low", "cumulative", "high"]].dropna()
    assert (ends >= -1e-6).all(axis=None)
    assert (ends["low"] <= ends["high"] + 1e-6).all()
    measured = result["credits"].sum()
    assert ends["low"].iloc[-1] >= measured - 1e-3


def test_a_series_of_nothing_forecasts_nothing():
    result = metrics.credits_forecast(spending(np.zeros(60)))
    assert result["high"].iloc[-1] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": 80}, "level"),
        ({"history_days": 7}, "history_days"),
        ({"minimum_days": 0}, "minimum_days"),
    ],
)
def test_options_of_the_forecast_are_checked(options, words):
    with pytest.raises(UsageError, match=words):
        metrics.credits_forecast(USERS, **options)


# ------------------------------------------------------------------------------ tokens


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("by", [None, "cli_version"])
def test_tokens_are_sums_over_sums(engine, by):
    result = to_pandas(metrics.tokens(ENGINES[engine](USERS), by=by))
    groups = defaultdict(list)
    for record in RECORDS:
        for client, name in (("cli", "totals_by_cli"), ("app", "totals_by_copilot_app")):
            if name in record and (by is None or client == "cli"):
                version = record[name].get("last_known_cli_version", {}).get("cli_version")
                groups[client, version if by else None].append((record["user_id"], record[name]))
    assert len(result) == len(groups)
    for _, row in result.iterrows():
        uses = groups[row["client"], row[by] if by else None]
        requests, prompts = (sum(u[n] for _, u in uses) for n in ("request_count", "prompt_count"))
        total = sum(sum(use["token_usage"].values()) for _, use in uses)
        assert row["tokens"] == total
        assert row["tokens_per_request"] == pytest.approx(total / requests)
        assert row["tokens_per_prompt"] == pytest.approx(total / prompts)
        assert row["requests_per_prompt"] == pytest.approx(requests / prompts)
        assert row["people"] == len({person for person, use in uses if use["request_count"]})
    assert result["tokens"].max() > 2**31


def test_tokens_of_people_add_up_to_those_of_the_organization(company):
    """The organization's own sums are the oracle."""
    reports = ("users-1-day", "organization-1-day")
    records = [row for name in reports for row in company.records(name, ORG, company.end_day)]
    tables = ca.load(ndjson(*records))
    columns = ["client", "session_count", "request_count", "prompt_count", "tokens"]
    people, entity = (metrics.tokens(table) for table in (tables.users, tables.entity))
    pd.testing.assert_frame_equal(people[columns], entity[columns])
    assert entity["people"].isna().all()
    assert (people["people"] > 0).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_client_that_was_not_reported_has_no_row(engine):
    users = ca.load(ndjson(user_record())).users.drop(columns="cli_version_sampled_at")
    assert to_pandas(metrics.tokens(ENGINES[engine](users))).empty
    weeks = to_pandas(metrics.tokens(ENGINES[engine](USERS), period="week"))
    assert weeks.groupby("client")["tokens"].sum().to_dict() == (
        metrics.tokens(USERS).set_index("client")["tokens"].to_dict()
    )


def test_two_scopes_are_not_added_up():
    other = [record | {"organization_id": "8"} for record in RECORDS]
    users = ca.load(ndjson(*RECORDS, *other)).users
    for function in (metrics.credits, metrics.credits_headline, metrics.credits_forecast):
        with pytest.raises(UsageError, match="more than one organization"):
            function(users)
    with pytest.raises(UsageError, match="more than one organization"):
        metrics.tokens(users)
    assert metrics.credits(users, by="scope")["people"].tolist() == [8, 8]
