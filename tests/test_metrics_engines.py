"""The same call gives the same numbers on every engine, and the same kind of frame."""

import os
from functools import partial
from types import SimpleNamespace

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from metrics_input import ENGINES, company, load, to_pandas

from copilot_analytics import metrics

TABLES = load(company(days=40))
PROMPTS = "user_initiated_interaction_count"

CALLS = {
    "active_users": lambda t: metrics.active_users(t.users, window=7),
    "active_users_by_window": lambda t: metrics.active_users_by_window(t.users),
    "people_flow": lambda t: metrics.people_flow(t.users, active="engaged", period="month"),
    "with_third_party_agents": lambda t: metrics.with_third_party_agents(t.users, t.users_by_agent),
    "share_of_people": lambda t: metrics.share_of_people(
        t.users, t.users_by_feature, dimension="feature"
    ),
    "surfaces": lambda t: metrics.surfaces(t.users, t.users_by_feature, by_agent=t.users_by_agent),
    "surface_users": lambda t: metrics.surface_users(t.users, t.users_by_feature, window=7),
    "adoption_phases": lambda t: metrics.adoption_phases(t.users, window=28),
    "latest_phases": lambda t: metrics.latest_phases(t.users),
    "phase_transitions": lambda t: metrics.phase_transitions(t.users),
    "acceptance_rate": lambda t: metrics.acceptance_rate(t.users_by_feature, period="week"),
    "user_activity": lambda t: metrics.user_activity(t.users, by_feature=t.users_by_feature),
    "user_segments": lambda t: metrics.user_segments(t.users),
    "segments": lambda t: metrics.segments(t.users),
    "concentration": lambda t: metrics.concentration(t.users, measure=PROMPTS),
    "lorenz": lambda t: metrics.lorenz(t.users, measure=PROMPTS, points=4),
    "distribution": lambda t: metrics.distribution(
        metrics.user_activity(t.users), column="active_days", edges=(1, 5, 10)
    ),
    "engagement_headline": lambda t: metrics.engagement_headline(
        t.users, days=14, by_feature=t.users_by_feature
    ),
    "headline": lambda t: metrics.headline(t.users, days=14, by_feature=t.users_by_feature),
    "figure_history": lambda t: history_of(partial(metrics.headline, t.users, days=7)),
}


def history_of(figures):
    return metrics.figure_history(figures, figures(), weeks=2)


def as_engine(convert) -> SimpleNamespace:
    """The tables as another kind of frame, without a column that DuckDB converts with a warning."""
    names = ("users", "users_by_feature", "users_by_agent")
    odd = ["cli_version_sampled_at"]
    return SimpleNamespace(
        **{name: convert(TABLES[name].drop(columns=odd, errors="ignore")) for name in names}
    )


@pytest.mark.parametrize("name", CALLS)
def test_pandas_and_duckdb_agree(name):
    expected = CALLS[name](as_engine(ENGINES["pandas"]))
    relation = CALLS[name](as_engine(ENGINES["duckdb"]))
    assert isinstance(relation, duckdb.DuckDBPyRelation)
    found = to_pandas(relation)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-12)


def test_the_definition_table_agrees_on_relations():
    expected = metrics.definition_table(TABLES)
    names = ("users", "entity")
    relations = {name: duckdb.from_arrow(pa.Table.from_pandas(TABLES[name])) for name in names}
    found = to_pandas(metrics.definition_table(relations))
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-12)


def test_every_metric_that_takes_frames_is_tried():
    about_tables = {"coverage", "days_present", "missing_days", "definition_table"}
    words = {"is_active", "active_definition", "segment_rules", "surface_rules"}
    constants = {name for name in metrics.__all__ if name.isupper()}
    assert set(metrics.__all__) == set(CALLS) | about_tables | words | constants


def test_relations_of_an_own_connection_work():
    """A relation cannot be joined with one of another connection."""
    with duckdb.connect() as connection:
        connection.register("users", TABLES.users[["day", "user_id", PROMPTS]])
        result = metrics.active_users(connection.sql("select * from users"), window=7)
        found = result.fetchall()
    expected = metrics.active_users(TABLES.users, window=7)
    assert [row[1] for row in found] == expected["active_users"].tolist()


def test_days_as_dates_and_ids_as_text_work_as_well():
    users = duckdb.sql("select 'person-1' as user_id, date '2026-11-02' as day")
    result = metrics.active_users(users, active="present").fetchall()
    assert [row[1] for row in result] == [1]


@pytest.fixture(scope="module")
def spark():
    if not os.environ.get("TEST_SPARK"):
        pytest.skip("takes minutes: set TEST_SPARK=1, with the Spark extra installed")
    sql = pytest.importorskip("pyspark.sql")
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.sql.shuffle.partitions", 2)
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.mark.parametrize("name", CALLS)
def test_pandas_and_spark_agree(name, spark, tmp_path):
    def convert(frame):
        path = str(tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet")
        frame.to_parquet(path)
        return spark.read.parquet(path)

    expected = CALLS[name](as_engine(ENGINES["pandas"]))
    result = CALLS[name](as_engine(convert))
    assert type(result).__module__.startswith("pyspark")
    found = pd.DataFrame([row.asDict() for row in result.collect()], columns=result.columns)
    pd.testing.assert_frame_equal(
        found.astype(expected.dtypes), expected, check_exact=False, rtol=1e-12
    )
