"""The same call gives the same numbers on every engine, and the same kind of frame."""

from functools import partial
from types import SimpleNamespace

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from delivery_input import entity_records, repo_records, spender_records
from metrics_input import ENGINES, clients, company, load, memberships, to_pandas
from spark_session import spark, spark_rows, with_spark

from copilot_analytics import metrics

__all__ = ["spark"]
TABLES = load(company(days=40) + memberships(days=40))
DELIVERY_NAMES = (
    *("entity", "entity_by_phase", "entity_by_comment_type"),
    *("repos", "repos_by_review"),
)
DELIVERY = load(entity_records() + repo_records())
SPENDERS = load(spender_records())
PROMPTS = "user_initiated_interaction_count"

CALLS = {
    "active_users": lambda t: metrics.active_users(t.users, window=7),
    "active_users_by_window": lambda t: metrics.active_users_by_window(t.users),
    "active_users_to_date": lambda t: metrics.active_users_to_date(t.users),
    "stickiness": lambda t: metrics.stickiness(t.users, active="engaged"),
    "retention": lambda t: metrics.retention(t.users),
    "retention_by_offset": lambda t: metrics.retention_by_offset(metrics.retention(t.users)),
    "survival": lambda t: metrics.survival(t.users, gap=6),
    "comebacks": lambda t: metrics.comebacks(t.users, gap=4, period="week"),
    "first_use": lambda t: metrics.first_use(t.users, t.users_by_feature, lead_days=2),
    "surfaces_per_person": lambda t: metrics.surfaces_per_person(
        t.users, t.users_by_feature, by_agent=t.users_by_agent
    ),
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
    "acceptance_rate": lambda t: metrics.acceptance_rate(
        t.users_by_feature, period="week", bootstrap=30
    ),
    "recomputed_phases": lambda t: metrics.recomputed_phases(t.users, t.users_by_feature),
    "compare_phases": lambda t: metrics.compare_phases(t.users, t.users_by_feature, by="day"),
    "agent_contribution": lambda t: metrics.agent_contribution(t.users_by_feature, bootstrap=30),
    "lines_by_mode": lambda t: metrics.lines_by_mode(
        t.users_by_feature, period="month", bootstrap=30
    ),
    "user_activity": lambda t: metrics.user_activity(t.users, by_feature=t.users_by_feature),
    "user_segments": lambda t: metrics.user_segments(t.users),
    "segments": lambda t: metrics.segments(t.users),
    "segment_sensitivity": lambda t: metrics.segment_sensitivity(t.users),
    "concentration": lambda t: metrics.concentration(t.users, measure=PROMPTS),
    "lorenz": lambda t: metrics.lorenz(t.users, measure=PROMPTS, points=4),
    "distribution": lambda t: metrics.distribution(
        metrics.user_activity(t.users), column="active_days", edges=(1, 5, 10)
    ),
    "engagement_headline": lambda t: metrics.engagement_headline(
        t.users, days=14, by_feature=t.users_by_feature
    ),
    "headline": lambda t: metrics.headline(t.users, days=14, by_feature=t.users_by_feature),
    "team_activity": lambda t: metrics.team_activity(
        t.users, t.teams, attribution="fractional", period="week"
    ),
    "team_totals": lambda t: metrics.team_totals(t.users, t.teams, active="engaged"),
    "team_headline": lambda t: metrics.team_headline(t.users, t.teams, days=14),
    "team_members": lambda t: metrics.team_members(t.teams),
    "members_only": lambda t: metrics.active_users(
        metrics.members_only(t.users, t.teams, "website"), window=7
    ),
    "pull_requests": lambda t: metrics.pull_requests(t.repos, by="repo_id", period="week"),
    "pull_request_shares": lambda t: metrics.pull_request_shares(t.entity, period="month"),
    "suggestions_by_type": lambda t: metrics.suggestions_by_type(t.entity_by_comment_type),
    "merge_times": lambda t: metrics.merge_times(t.repos, period="week"),
    "review_times": lambda t: metrics.review_times(t.repos_by_review, by="repo_id"),
    "adoption_multiplier": lambda t: metrics.adoption_multiplier(t.entity_by_phase),
    "delivery_headline": lambda t: metrics.delivery_headline(t.entity, days=14),
    "credits": lambda t: metrics.credits(t.spenders, period="week"),
    "credits_headline": lambda t: metrics.credits_headline(t.spenders, days=14),
    "credits_forecast": lambda t: metrics.credits_forecast(t.spenders),
    "tokens": lambda t: metrics.tokens(t.spenders, by="cli_version", period="month"),
    "compare_periods": lambda t: metrics.compare_periods(
        tables_of(t), ("2026-09-28", "2026-10-11"), ("2026-10-12", "2026-10-25"), by="feature"
    ),
    "compare_with_previous": lambda t: metrics.compare_with_previous(t.users, days=14),
    "reconcile": lambda t: metrics.reconcile(tables_of(t)),
    "reconciliation_summary": lambda t: metrics.reconciliation_summary(
        metrics.reconcile(tables_of(t))
    ),
    "reduced_records": lambda t: metrics.reduced_records(t.users),
    "outdated_clients": lambda t: metrics.outdated_clients(t.clients, users=t.users),
    "weekday_adjusted_change": lambda t: metrics.weekday_adjusted_change(
        metrics.active_users(t.users), value="active_users", weeks=3
    ),
    "change_points": lambda t: metrics.change_points(
        metrics.active_users(t.users), value="active_users", permutations=19
    ),
    "daily_totals": lambda t: metrics.daily_totals(
        t.users_by_feature, counter=PROMPTS, by="feature"
    ),
    "people_by": lambda t: metrics.people_by(
        t.users, t.users_by_feature, dimension="feature", window=7, active="engaged"
    ),
    "person_day_totals": lambda t: metrics.person_day_totals(t.users_by_feature, by="feature"),
    "users_of": lambda t: metrics.active_users(
        metrics.users_of(t.users, t.users_by_feature, dimension="feature", value="code_completion")
    ),
    "days_between": lambda t: metrics.active_users(
        metrics.days_between(t.users, start="2026-10-05", end="2026-10-20")
    ),
    "trailing_mean": lambda t: metrics.trailing_mean(
        metrics.active_users(t.users), value="active_users"
    ),
    "impact": lambda t: metrics.impact(t.users, **around(t)),
    "impact_headline": lambda t: metrics.impact_headline(metrics.impact(t.users, **around(t))),
    "event_study": lambda t: metrics.event_study(t.users, **around(t)),
    "placebo_dates": lambda t: metrics.placebo_dates(t.users, **around(t)),
    "figure_history": lambda t: history_of(partial(metrics.headline, t.users, days=7)),
}


CLIENTS = load(clients())


def tables_of(t) -> dict:
    """The tables as a mapping, for what looks at several of them."""
    return {name: getattr(t, name) for name in ("users", "users_by_feature", "teams")}


def around(t) -> dict:
    """A comparison around the middle of the tables, for what asks about a date."""
    return {"date": "2026-10-23", "treated": "website", "teams": t.teams}


def history_of(figures):
    return metrics.figure_history(figures, figures(), weeks=2)


def as_engine(convert) -> SimpleNamespace:
    """The tables as another kind of frame, without a column that DuckDB converts with a warning."""
    names = ("users", "users_by_feature", "users_by_agent", "teams")
    odd = ["cli_version_sampled_at"]
    frames = {name: TABLES[name] for name in names} | {"spenders": SPENDERS["users"]}
    frames |= {"clients": CLIENTS["users_by_ide"]}
    frames |= {name: DELIVERY[name] for name in DELIVERY_NAMES}
    whole = {name: frame.drop(columns=odd, errors="ignore") for name, frame in frames.items()}
    return SimpleNamespace(**{name: convert(frame) for name, frame in whole.items()})


@pytest.mark.parametrize("name", CALLS)
def test_pandas_and_duckdb_agree(name):
    expected = CALLS[name](as_engine(ENGINES["pandas"]))
    relation = CALLS[name](as_engine(ENGINES["duckdb"]))
    assert isinstance(relation, duckdb.DuckDBPyRelation)
    found = to_pandas(relation)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-12)


@pytest.mark.parametrize("rows", [None, 0], ids=["all", "nobody"])
def test_the_definition_table_agrees_on_relations(rows):
    tables = {name: TABLES[name].iloc[:rows] for name in ("users", "entity")}
    expected = metrics.definition_table(tables)
    relations = {n: duckdb.from_arrow(pa.Table.from_pandas(t)) for n, t in tables.items()}
    found = to_pandas(metrics.definition_table(relations))
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-12)


def test_every_metric_that_takes_frames_is_tried():
    about_tables = {"coverage", "days_present", "missing_days", "definition_table"}
    about_tables |= {"unknown_fields", "quality_headline", "series_breaks", "restated_figures"}
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
def tables_on_spark(spark, tmp_path_factory) -> SimpleNamespace:
    """The tables as DataFrames over three files each: neither worker has all rows of a person."""
    folder = tmp_path_factory.mktemp("spark")

    def convert(frame):
        path = folder / f"{len(list(folder.iterdir()))}"
        path.mkdir()
        rows = ENGINES["pandas"](frame)
        for part in range(3):
            rows.iloc[part::3].to_parquet(path / f"{part}.parquet", index=False)
        return spark.read.parquet(str(path))

    return as_engine(convert)


@with_spark
@pytest.mark.parametrize("name", CALLS)
def test_pandas_and_spark_agree(name, tables_on_spark):
    expected = CALLS[name](as_engine(ENGINES["pandas"]))
    result = CALLS[name](tables_on_spark)
    assert type(result).__module__.startswith("pyspark")
    pd.testing.assert_frame_equal(spark_rows(result), expected, check_exact=False, rtol=1e-12)
