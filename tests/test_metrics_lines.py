"""Lines by where they come from: sums of the records, and shares that add up to the whole."""

import pandas as pd
import pytest
from conftest import user_record
from metrics_input import ENGINES, company, day, load, to_pandas

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

RECORDS = company()
TABLES = load(RECORDS)
COLUMNS = {
    "suggested_lines": "loc_suggested_to_add_sum",
    "added_lines": "loc_added_sum",
    "deleted_lines": "loc_deleted_sum",
}


def parts(records=RECORDS):
    """Each record with each of its slices by feature."""
    return [(r, p) for r in records for p in r.get("totals_by_feature", ())]


def changed(part: dict) -> int:
    return part["loc_added_sum"] + part["loc_deleted_sum"]


@pytest.mark.parametrize("engine", ENGINES)
def test_agent_contribution_equals_adding_up_the_records(engine):
    by_feature = ENGINES[engine](TABLES.users_by_feature)
    row = to_pandas(metrics.agent_contribution(by_feature)).iloc[0]
    whole = sum(changed(p) for _, p in parts())
    agents = sum(changed(p) for _, p in parts() if p["feature"] == "agent_edit")
    assert row[["agent_lines", "changed_lines"]].tolist() == [agents, whole]
    assert row["share"] == pytest.approx(agents / whole)
    assert row["people"] == len({r["user_id"] for r, p in parts() if changed(p)})
    assert row[["low", "high"]].isna().all()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_counts_as_an_agent_and_the_weeks_are_options(engine):
    agents = ("agent_edit", "copilot_cli")
    result = to_pandas(
        metrics.agent_contribution(
            ENGINES[engine](TABLES.users_by_feature), agents=agents, period="week", bootstrap=50
        )
    )
    for row in result.itertuples():
        inside = [(r, p) for r, p in parts() if 0 <= (day(r["day"]) - row.week).days < 7]
        assert row.changed_lines == sum(changed(p) for _, p in inside)
        assert row.agent_lines == sum(changed(p) for _, p in inside if p["feature"] in agents)
    assert (result["low"] <= result["share"]).all()
    assert (result["share"] <= result["high"]).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_by_mode_equal_adding_up_the_records(engine):
    result = to_pandas(metrics.lines_by_mode(ENGINES[engine](TABLES.users_by_feature)))
    whole = sum(changed(p) for _, p in parts())
    assert set(result["feature"]) == {
        p["feature"] for _, p in parts() if any(p[column] for column in COLUMNS.values())
    }
    for row in result.itertuples():
        own = [(r, p) for r, p in parts() if p["feature"] == row.feature]
        for name, column in COLUMNS.items():
            assert getattr(row, name) == sum(p[column] for _, p in own)
        assert (row.changed_lines, row.all_changed_lines) == (
            sum(changed(p) for _, p in own),
            whole,
        )
        assert row.share == pytest.approx(row.changed_lines / whole)
        assert row.people == len({r["user_id"] for r, p in own if p["loc_added_sum"]})
        if row.suggested_lines:
            assert row.added_per_suggested == pytest.approx(row.added_lines / row.suggested_lines)
        else:
            assert pd.isna(row.added_per_suggested)
    assert result["share"].sum() == pytest.approx(1)
    assert result["changed_lines"].is_monotonic_decreasing


def test_shares_of_a_month_add_up_to_the_whole_of_the_month():
    result = metrics.lines_by_mode(TABLES.users_by_feature, period="month")
    assert result.groupby("month")["share"].sum().tolist() == pytest.approx(
        [1] * result["month"].nunique()
    )
    assert list(result.columns[:2]) == ["month", "feature"]
    totals = result.groupby("month")["changed_lines"].transform("sum")
    assert (result["all_changed_lines"] == totals).all()


def test_more_added_than_suggested_names_its_cause():
    result = metrics.lines_by_mode(TABLES.users_by_feature).set_index("feature")
    assert result.loc["agent_edit", "is_impossible"]
    assert "agents, the CLI and the app" in result.loc["agent_edit", "why"]
    assert not result.loc["code_completion", "is_impossible"]
    assert pd.isna(result.loc["code_completion", "why"])
    odd = {"feature": "code_completion", "loc_suggested_to_add_sum": 1, "loc_added_sum": 3}
    tables = load([user_record(totals_by_feature=[odd])])
    row = metrics.lines_by_mode(tables.users_by_feature).iloc[0]
    assert row["why"] == "taken on a later day than proposed"


def test_languages_and_models_are_summed_under_one_spelling():
    part = {"feature": "agent_edit", "loc_added_sum": 4}
    spellings = [{**part, "language": "ts"}, {**part, "language": "typescript"}]
    models = [{**part, "model": "claude-4.5-haiku"}, {**part, "model": "gpt-5-mini"}]
    tables = load(
        [user_record(totals_by_language_feature=spellings, totals_by_model_feature=models)]
    )
    languages = metrics.lines_by_mode(tables.users_by_language_feature, by="language")
    assert languages[["language", "added_lines", "people"]].to_numpy().tolist() == [
        ["typescript", 8, 1]
    ]
    both = metrics.lines_by_mode(tables.users_by_model_feature, by=["model", "feature"])
    assert both["model"].tolist() == ["claude-haiku-4.5", "gpt-5-mini"]
    assert both["share"].tolist() == [0.5, 0.5]


def test_records_of_an_organization_have_lines_and_no_people():
    record = user_record(totals_by_feature=[{"feature": "agent_edit", "loc_added_sum": 4}])
    entity = {k: v for k, v in record.items() if not k.startswith(("user_", "used_"))}
    breakdown = load([entity]).entity_by_feature
    assert metrics.lines_by_mode(breakdown)["added_lines"].tolist() == [4]
    assert metrics.lines_by_mode(breakdown)["people"].isna().all()
    assert metrics.agent_contribution(breakdown)["share"].tolist() == [1.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_changed_is_a_missing_share(engine):
    empty = ENGINES[engine](TABLES.users_by_feature.head(0))
    row = to_pandas(metrics.agent_contribution(empty)).iloc[0]
    assert row[["agent_lines", "changed_lines"]].tolist() == [0, 0]
    assert row[["share", "low", "high"]].isna().all()
    assert to_pandas(metrics.lines_by_mode(empty)).empty


def test_people_of_two_organizations_are_refused():
    """F120."""
    tables = load([user_record(), user_record(organization_id="8")])
    with pytest.raises(UsageError, match="more than one"):
        metrics.lines_by_mode(tables.users_by_feature)
