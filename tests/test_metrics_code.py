"""An acceptance rate is a sum over a sum, with what it was made of beside it."""

import pandas as pd
import pytest
from conftest import user_record
from metrics_input import ENGINES, company, day, load, to_pandas
from scipy.stats import binomtest

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

RECORDS = company()
TABLES = load(RECORDS)


def sums(key, feature="code_completion") -> dict:
    """Accepted and generated per key, by plain loops."""
    result = {}
    for record in RECORDS:
        for part in record.get("totals_by_feature", []):
            if feature in (None, part["feature"]):
                accepted, generated = result.get(key(record, part), (0, 0))
                result[key(record, part)] = (
                    accepted + part["code_acceptance_activity_count"],
                    generated + part["code_generation_activity_count"],
                )
    return result


def pairs(result: pd.DataFrame) -> list[tuple]:
    return list(result[["accepted", "generated"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_rate_of_completions_is_that_of_completions_only(engine):
    row = to_pandas(metrics.acceptance_rate(ENGINES[engine](TABLES.users_by_feature))).iloc[0]
    ((accepted, generated),) = sums(lambda record, part: 0).values()
    interval = binomtest(accepted, generated).proportion_ci(method="wilson")
    assert (row["accepted"], row["generated"]) == (accepted, generated)
    assert row["rate"] == pytest.approx(accepted / generated)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert not row["is_impossible"]


@pytest.mark.parametrize("engine", ENGINES)
def test_rates_by_feature_of_all_features(engine):
    by_feature = ENGINES[engine](TABLES.users_by_feature)
    result = to_pandas(metrics.acceptance_rate(by_feature, feature=None, by="feature"))
    found = dict(zip(result["feature"], pairs(result), strict=True))
    assert found == sums(lambda record, part: part["feature"], feature=None)


def test_rates_by_week_start_on_monday_and_may_be_split_further():
    result = metrics.acceptance_rate(TABLES.users_by_feature, period="week", by="scope")
    expected = sums(
        lambda record, part: day(record["day"]) - pd.Timedelta(day(record["day"]).weekday(), "D")
    )
    found = dict(zip(result["week"], pairs(result), strict=True))
    assert found == expected
    assert list(result.columns)[:2] == ["week", "scope"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_people_behind_a_rate_are_counted_once(engine):
    by_feature = ENGINES[engine](TABLES.users_by_feature)
    result = to_pandas(metrics.acceptance_rate(by_feature, feature=None, by="feature"))
    people = {}
    for record in RECORDS:
        for part in record.get("totals_by_feature", []):
            if part["code_generation_activity_count"] or part["code_acceptance_activity_count"]:
                people.setdefault(part["feature"], set()).add(record["user_id"])
    counts = {feature: len(ids) for feature, ids in people.items()}
    assert dict(zip(result["feature"], result["people"], strict=True)) == counts
    whole = to_pandas(metrics.acceptance_rate(by_feature))
    assert whole["people"].tolist() == [counts["code_completion"]]


def test_spellings_of_one_language_have_one_rate():
    part = {"feature": "code_completion", "code_generation_activity_count": 4}
    parts = [
        {**part, "language": "ts", "code_acceptance_activity_count": 1},
        {**part, "language": "typescript", "code_acceptance_activity_count": 3},
    ]
    languages = load([user_record(totals_by_language_feature=parts)]).users_by_language_feature
    result = metrics.acceptance_rate(languages, by="language")
    assert result[["language", "rate", "people"]].to_numpy().tolist() == [["typescript", 0.5, 1]]
    assert len(metrics.acceptance_rate(languages, by="language", canonical=False)) == 2


def test_nothing_generated_is_a_missing_rate_not_zero():
    nothing = [{"feature": "code_completion", "code_generation_activity_count": 0}]
    tables = load([user_record(totals_by_feature=nothing)])
    row = metrics.acceptance_rate(tables.users_by_feature).iloc[0]
    assert row[["accepted", "generated"]].tolist() == [0, 0]
    assert row[["rate", "low", "high"]].isna().all()
    assert not row["is_impossible"]


@pytest.mark.parametrize("engine", ENGINES)
def test_more_accepted_than_generated_is_shown_and_marked(engine):
    odd = {"feature": "code_completion", "code_generation_activity_count": 2}
    tables = load([user_record(totals_by_feature=[{**odd, "code_acceptance_activity_count": 3}])])
    row = to_pandas(metrics.acceptance_rate(ENGINES[engine](tables.users_by_feature))).iloc[0]
    assert row["rate"] == 1.5
    assert row[["low", "high"]].isna().all()
    assert row["is_impossible"]


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_of_completions_have_a_rate_and_no_interval_of_independent_lines(engine):
    row = to_pandas(
        metrics.acceptance_rate(ENGINES[engine](TABLES.users_by_feature), lines=True)
    ).iloc[0]
    parts = [p for r in RECORDS for p in r.get("totals_by_feature", ())]
    parts = [p for p in parts if p["feature"] == "code_completion"]
    added, suggested = (
        sum(p[name] for p in parts) for name in ("loc_added_sum", "loc_suggested_to_add_sum")
    )
    assert row[["accepted", "generated"]].tolist() == [added, suggested]
    assert row["rate"] == pytest.approx(added / suggested)
    assert row[["low", "high", "why"]].isna().all()


@pytest.mark.parametrize(
    ("feature", "lines", "cause"),
    [
        ("code_completion", False, "taken on a later day than proposed"),
        ("code_completion", True, "taken on a later day than proposed"),
        ("copilot_cli", True, "agents, the CLI and the app also write lines that were never"),
    ],
)
def test_an_impossible_rate_names_its_cause(feature, lines, cause):
    counters = {
        "code_generation_activity_count": 2,
        "code_acceptance_activity_count": 3,
        "loc_suggested_to_add_sum": 2,
        "loc_added_sum": 3,
    }
    rows = load([user_record(totals_by_feature=[{"feature": feature, **counters}])])
    for options in ({"feature": feature}, {"feature": None, "by": "feature"}):
        result = metrics.acceptance_rate(rows.users_by_feature, lines=lines, **options).iloc[0]
        assert result["is_impossible"]
        assert result["why"].startswith(cause)


def test_a_rate_of_all_features_says_that_it_is_none_of_completions():
    by_feature = TABLES.users_by_feature
    assert "no acceptance rate" in metrics.acceptance_rate(by_feature, feature=None)["why"].iloc[0]
    assert metrics.acceptance_rate(by_feature)["why"].isna().all()
    each = metrics.acceptance_rate(by_feature, feature=None, by="feature")
    assert each.loc[~each["is_impossible"], "why"].isna().all()


def test_an_interval_of_people_drawn_again_holds_the_rate_and_is_wider_than_wilsons():
    """People differ, so generations are not independent of each other."""
    by_feature = TABLES.users_by_feature.copy()
    often = (by_feature["user_id"] % 2 == 0).astype(int)
    by_feature["code_acceptance_activity_count"] *= often  # half of the people accept nothing
    wilson = metrics.acceptance_rate(by_feature).iloc[0]
    drawn = metrics.acceptance_rate(by_feature, bootstrap=200).iloc[0]
    assert drawn["low"] < drawn["rate"] < drawn["high"]
    assert drawn["high"] - drawn["low"] > 2 * (wilson["high"] - wilson["low"])
    assert drawn["rate"] == wilson["rate"]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_rows_at_all_are_one_row_without_a_rate(engine):
    empty = ENGINES[engine](TABLES.users_by_feature.head(0))
    result = to_pandas(metrics.acceptance_rate(empty))
    assert result[["accepted", "generated"]].to_numpy().tolist() == [[0, 0]]
    assert result["rate"].isna().all()
    assert to_pandas(metrics.acceptance_rate(empty, by="day")).empty


def test_entity_records_work_as_well_and_scopes_may_stand_side_by_side():
    record = user_record(
        totals_by_feature=[{"feature": "code_completion", "code_generation_activity_count": 4}]
    )
    tables = load([record, {**record, "organization_id": "8"}])
    with pytest.raises(UsageError, match="more than one"):
        metrics.acceptance_rate(tables.users_by_feature)
    result = metrics.acceptance_rate(tables.users_by_feature, by="scope")
    assert result["scope"].tolist() == ["organization:7", "organization:8"]
    entity = {k: v for k, v in record.items() if not k.startswith(("user_", "used_"))}
    found = metrics.acceptance_rate(load([entity]).entity_by_feature)
    assert found["generated"].tolist() == [4]
    assert found["people"].isna().all()


def test_types_of_the_result():
    types = metrics.acceptance_rate(TABLES.users_by_feature, by="day").dtypes.astype(str).to_dict()
    assert types == {
        "day": "datetime64[us]",
        "accepted": "Int64",
        "generated": "Int64",
        "rate": "float64",
        "low": "float64",
        "high": "float64",
        "is_impossible": "boolean",
        "people": "Int64",
        "why": "str",
    }
