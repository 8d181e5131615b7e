"""Intervals from drawing people again are those of scipy, whatever the engine and the order."""

import numpy as np
import pandas as pd
import pytest
from metrics_input import ENGINES, company, load, to_pandas
from scipy import stats

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics.resampling import ratio_intervals

TABLES = load(company(people=30, days=30))
COUNTS = ["code_acceptance_activity_count", "code_generation_activity_count"]


def by_scipy(part, whole, resamples: int, seed: int) -> tuple[float, float]:
    found = stats.bootstrap(
        (np.asarray(part, float), np.asarray(whole, float)),
        lambda part, whole, axis=-1: part.sum(axis) / whole.sum(axis),
        n_resamples=resamples,
        paired=True,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return found.confidence_interval


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", [0, 7])
def test_the_interval_of_a_rate_is_that_of_scipy(engine, seed):
    """With the same seed the same people are drawn, so that the ends are equal."""
    rows = TABLES.users_by_feature
    rows = rows[rows["feature"] == "code_completion"]
    persons = rows.groupby("user_id")[COUNTS].sum()
    expected = by_scipy(*persons.to_numpy().T, 300, seed)
    row = to_pandas(metrics.acceptance_rate(ENGINES[engine](rows), bootstrap=300, seed=seed)).iloc[
        0
    ]
    assert (row["low"], row["high"]) == pytest.approx(tuple(expected), abs=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_interval_of_a_share_of_all_lines_is_that_of_scipy(engine):
    """People without a line in the group count with nothing of it, and with all their lines."""
    rows = TABLES.users_by_feature
    rows = rows.assign(changed=rows["loc_added_sum"] + rows["loc_deleted_sum"])
    wide = rows.pivot_table(
        index="user_id", columns="feature", values="changed", aggfunc="sum", fill_value=0
    ).astype(float)
    result = to_pandas(metrics.lines_by_mode(ENGINES[engine](rows), bootstrap=200))
    for row in result.itertuples():
        low, high = by_scipy(wide[row.feature], wide.sum(axis=1), 200, 0)
        assert (row.low, row.high) == pytest.approx((low, high), abs=1e-12)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Of 200 samples of 60 people each, about 95 % of the intervals hold the true ratio."""
    random = np.random.default_rng(5)
    person, held = np.arange(60), 0
    for seed in range(200):
        whole = random.poisson(20, 60) + 1
        part = random.binomial(whole, random.beta(2, 6, 60))  # people differ; the mean is 1/4
        group, total = np.zeros(60, dtype=int), np.zeros(1, dtype=int)
        (low,), (high,) = ratio_intervals(
            person, group, part, whole, total, resamples=200, seed=seed
        )
        held += low <= 0.25 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_one_person_alone_has_no_interval():
    rows = TABLES.users_by_feature
    rows = rows[rows["user_id"] == rows["user_id"].iloc[0]]
    result = metrics.acceptance_rate(rows, bootstrap=50)
    assert result["rate"].notna().all()
    assert result[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_has_no_interval(engine):
    empty = ENGINES[engine](TABLES.users_by_feature.head(0))
    one = to_pandas(metrics.acceptance_rate(empty, bootstrap=9))
    assert one[["rate", "low", "high"]].isna().all(axis=None)
    assert to_pandas(metrics.acceptance_rate(empty, by="feature", feature=None, bootstrap=9)).empty
    assert to_pandas(metrics.lines_by_mode(empty, bootstrap=9)).empty


@pytest.mark.parametrize("resamples", [0, 2.5, "many"])
def test_a_number_of_draws_is_a_whole_number(resamples):
    with pytest.raises(UsageError, match="bootstrap"):
        metrics.acceptance_rate(TABLES.users_by_feature, bootstrap=resamples)


def test_records_of_an_organization_have_no_people_to_draw():
    entity = TABLES.users_by_feature.drop(columns="user_id")
    with pytest.raises(UsageError, match="people cannot be drawn again"):
        metrics.agent_contribution(entity, bootstrap=10)
    assert metrics.agent_contribution(entity)["share"].notna().all()


def test_days_and_missing_names_are_groups_too():
    rows = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-11-02", "2026-11-02", "2026-11-03", "2026-11-03"]),
            "user_id": [1, 2, 1, 2],
            "language": [None, None, "go", "go"],
            "feature": "code_completion",
            COUNTS[0]: [1, 2, 3, 4],
            COUNTS[1]: [4, 4, 4, 4],
        }
    )
    result = metrics.acceptance_rate(rows, by=["day", "language"], bootstrap=40)
    assert result["low"].tolist() == [0.25, 0.75]
    assert result["high"].tolist() == [0.5, 1.0]
