"""What `load` makes of the sample company's files is what really happened there."""

import pandas as pd
import pytest
from oracle import assert_equals_oracle

import copilot_analytics as ca
from copilot_analytics import catalogue
from copilot_analytics.samples import Company, encode, write

COUNTERS = [
    "user_initiated_interaction_count",
    "code_generation_activity_count",
    "code_acceptance_activity_count",
    "loc_suggested_to_add_sum",
    "loc_suggested_to_delete_sum",
    "loc_added_sum",
    "loc_deleted_sum",
]


@pytest.fixture(scope="module")
def company():
    return Company(people=40, days=70)  # long enough to cross the newest fields' first days


@pytest.fixture(scope="module", params=["organization:octo-org", "enterprise:octo-corp"])
def scope(request):
    return request.param


@pytest.fixture(scope="module")
def tables(company, scope, tmp_path_factory):
    return ca.load(write(tmp_path_factory.mktemp("sample"), company, [scope]))


def test_every_value_of_a_recent_day_agrees_with_a_plain_reading(company, scope):
    """The last day has every field that the catalogue knows."""
    for endpoint in catalogue.all_endpoints():
        if endpoint.period == "1-day" and scope.startswith(endpoint.scope_kind):
            records = company.records(endpoint.report, scope, company.end_day)
            content = b"".join(encode(records))
            assert_equals_oracle(ca.load(content), content)


def test_people_days_and_counters_are_the_truth(tables, company, scope):
    key = ["day", "user_id"]
    found = tables.users.sort_values(key)[[*key, *COUNTERS]].astype("str")
    truth = company.truth(scope).people_days.sort_values(key)[[*key, *COUNTERS]].astype("str")
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True), truth.reset_index(drop=True), check_dtype=False
    )


def test_credits_and_reduced_rows_are_the_truth(tables, company, scope):
    truth = company.truth(scope).people_days
    assert tables.users["ai_credits_used"].sum() == pytest.approx(truth["credits"].sum())
    assert (~tables.users["has_telemetry"]).sum() == truth["is_reduced"].sum() > 0


def test_users_summed_by_day_equal_the_entity(tables, company, scope):
    entity = tables.entity.set_index("day").sort_index()
    by_day = tables.users.groupby("day")[COUNTERS].sum()
    by_day = by_day.reindex(entity.index, fill_value=0)  # some weekend days have nobody
    pd.testing.assert_frame_equal(by_day, entity[COUNTERS])
    truth = company.truth(scope).days.set_index("day").loc[entity.index]
    assert entity["daily_active_users"].tolist() == truth["daily_active_users"].tolist()


@pytest.mark.parametrize("family", ["users", "entity"])
def test_breakdowns_add_up_to_the_records(tables, family):
    key = ["day", "user_id"] if family == "users" else ["day"]
    whole = tables[family].set_index(key)[COUNTERS].sum()
    for name in ("feature", "language_feature"):
        part = tables[f"{family}_by_{name}"]
        counters = [counter for counter in COUNTERS if counter in part]
        assert part[counters].sum().equals(whole[counters]), name
    features = tables[f"{family}_by_feature"]
    ide = tables[f"{family}_by_ide"][COUNTERS].sum()
    outside = features[features["feature"].isin(["copilot_cli", "copilot_app"])][COUNTERS].sum()
    assert (ide + outside).equals(whole)
    model = tables[f"{family}_by_model_feature"][COUNTERS].sum()
    completions = features[features["feature"] == "code_completion"][COUNTERS].sum()
    assert (model + completions).equals(whole)


def test_teams_are_the_memberships(tables, company, scope):
    key = ["day", "team_id", "user_id"]
    found = tables.teams[key].sort_values(key).astype("str").to_numpy().tolist()
    truth = company.truth(scope).memberships[key].sort_values(key).astype("str")
    assert found == truth.to_numpy().tolist()


def test_repositories_add_up_to_the_entity(tables):
    repos = tables.repos.groupby("day")["pull_requests_total_merged"].sum()
    entity = tables.entity.set_index("day")["pull_requests_total_merged"]
    assert repos.equals(entity[entity.index.isin(repos.index)].rename(repos.name))


def test_the_28_day_reports_repeat_the_days_and_add_the_window(tables):
    assert tables.facts["duplicates collapsed"] > 0
    assert tables.is_complete
    assert len(tables.feature_engagement) > 0
    assert set(tables.unknown_fields["table"]) >= {"users", "entity"}


def test_every_column_of_every_table_is_filled_somewhere(tables, scope):
    """Columns that stay empty are named here, each with the reason."""
    windows = set(catalogue.table("users_window").names)
    for name in tables:
        empty = {c for c in tables[name].columns if tables[name][c].isna().all()}
        if scope.startswith("enterprise"):
            empty -= {"organization_id"}  # an enterprise's records have none
        if name == "users_window":
            empty -= windows  # the sample's records carry a day, as GitHub's do
        empty -= {"extra"}  # only where the sample has invented something
        empty -= set(catalogue.HOUSEKEEPING)  # 1-day files have none, and the first record stays
        empty -= {f.column for f in catalogue.table(name).columns if f.is_retired}  # of old exports
        assert empty == set(), name
