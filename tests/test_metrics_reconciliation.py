"""Numbers that must agree are compared, and a wrong one is found, with the amount."""

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from conftest import ndjson, user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_input import to_pandas

import copilot_analytics as ca
from copilot_analytics import metrics, samples
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics.checks import CHECKS

SCOPES = ["organization:octo-org", "organization:octo-labs", "enterprise:octo-corp"]
DAY_REPORTS = ("organization-1-day", "enterprise-1-day", "users-1-day", "user-teams-1-day")
ORG, ENTERPRISE = "organization:9919001", "enterprise:61405"
PROMPTS, GENERATIONS = "user_initiated_interaction_count", "code_generation_activity_count"
ADDED = "loc_added_sum"


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> ca.Tables:
    """Two organizations and their enterprise: days, and the 28 days up to the last of them."""
    folder = tmp_path_factory.mktemp("company")
    reports = [*DAY_REPORTS, "repos-1-day", "organization-28-day", "enterprise-28-day"]
    company = samples.Company(people=30, days=30)
    for scope in SCOPES:
        samples.write(folder, company, [scope], reports=reports)
    return ca.load(folder)


def one(checks: pd.DataFrame, **wanted) -> pd.Series:
    """The only row with these values."""
    rows = checks
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def add(column: str, amount: float, **where):
    """What adds an amount to a column in the first row that has some values."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame[frame[column].notna()]
        for name, value in where.items():
            rows = rows[rows[name] == value]
        frame.loc[rows.index[0], column] += amount
        return frame

    return change


@pytest.fixture(scope="module")
def checks(tables) -> pd.DataFrame:
    return metrics.reconcile(tables)


def test_a_sound_company_holds_or_differs_by_design(checks):
    """D2: nothing of what the sample company reports contradicts anything else."""
    assert set(checks["outcome"]) == {"holds", "differs by design", "not measured"}
    for row in checks[checks["outcome"] == "differs by design"].itertuples():
        assert row.days_differing > 0
        assert row.why
        assert pd.notna(row.largest_difference_day)
    held = checks[checks["outcome"] == "holds"]
    assert (held["days_differing"] == 0).all()
    assert held["why"].isna().all()


def test_every_check_is_tried_somewhere(checks):
    """A check that is never measured would guard nothing."""
    measured = checks.query("outcome != 'not measured'")
    elsewhere = {
        "CLI use of people adds up to the scope, before 1 April 2026",
        "28 days of people are the sum of their days",
    }
    assert {check.name for check in CHECKS} - set(measured["check"]) == elsewhere


CHANGES = {
    "a prompt in the totals of a person": (
        "users",
        add(PROMPTS, 7, scope=ORG),
        {"check": "people add up to the scope", "measure": PROMPTS},
        7,
    ),
    "generations of the organization": (
        "entity",
        add(GENERATIONS, 5, scope=ORG),
        {"check": "people add up to the scope", "measure": GENERATIONS},
        -5,
    ),
    "the prompts of the CLI": (
        "entity",
        add("cli_prompt_count", 2, scope=ORG),
        {"check": "CLI use of people adds up to the scope", "measure": "cli_prompt_count"},
        -2,
    ),
    "the tokens of the app": (
        "users",
        add("app_output_tokens_sum", 11, scope=ORG),
        {"check": "app use of people adds up to the scope", "measure": "app_output_tokens_sum"},
        11,
    ),
    "a person too many in the phase": (
        "entity_by_phase",
        add("total_engaged_users", 500, scope=ORG, day=pd.Timestamp("2026-11-02")),
        {"check": "active people of a phase are among its people of 28 days"},
        None,
    ),
    "more people on a day than in its week": (
        "entity",
        add("daily_active_users", 900, scope=ORG),
        {"check": "people of the day are among those of the week", "measure": "active_users"},
        None,
    ),
    "more people in a week than in its month": (
        "entity",
        add("weekly_active_users", 900, scope=ORG, day=pd.Timestamp("2026-11-12")),
        {
            "check": "people of the week are among those of the month, from its 7th day on",
            "measure": "active_users",
        },
        None,
    ),
    "more chat users than active people": (
        "entity",
        add("monthly_active_chat_users", 900, scope=ORG),
        {"check": "chat users of the month are among its active people"},
        None,
    ),
    "an average that is none": (
        "entity",
        add("cli_avg_tokens_per_request", 3, scope=ORG),
        {"check": "tokens per request of the CLI, of the scope, are their quotient"},
        -1,
    ),
    "more pull requests by Copilot than all": (
        "entity",
        add("pull_requests_total_created_by_copilot", 900, scope=ORG),
        {
            "check": "pull requests with Copilot, of the scope, are among all",
            "measure": "created",
        },
        None,
    ),
}
for base, whose in (("users", "of people"), ("entity", "of the scope")):
    edits = {"feature": "agent_edit"}
    for part, name, only in (
        ("feature", f"features {whose} add up to the totals", edits),
        ("ide", f"IDEs {whose} add up to the totals without CLI and app", {}),
        ("language_feature", f"languages {whose} add up to the totals", edits),
        ("model_feature", f"models {whose} add up to the totals without completions", {}),
        (
            "language_model",
            f"languages of models {whose} add up to the totals without completions",
            {},
        ),
    ):
        CHANGES[f"lines of a {part} in {base}"] = (
            f"{base}_by_{part}",
            add(ADDED, 13, scope=ORG, **only),
            {"check": name, "measure": ADDED},
            13,
        )


@pytest.mark.parametrize("label", CHANGES)
def test_one_wrong_number_fails_the_right_check_by_the_right_amount(tables, label):
    """D2, D21: the check names the day, and nothing else of it fails."""
    name, change, where, amount = CHANGES[label]
    (names,) = (check.tables for check in CHECKS if check.name == where["check"])
    looked_at = {table: tables[table] for table in names}
    looked_at[name] = change(tables[name].copy())
    checks = metrics.reconcile(looked_at)
    row = one(checks, scope=ORG, **where)
    assert row["outcome"] == "fails"
    assert row["days_differing"] == 1
    differs = (looked_at[name] != tables[name]) & looked_at[name].notna()
    assert row["largest_difference_day"] == looked_at[name].loc[differs.any(axis=1), "day"].item()
    if amount is not None:
        assert row["difference"] == amount
        assert row["found"] - row["expected"] == amount


def test_sums_are_those_of_sql(tables, checks):
    """An independent oracle: expected and found of the breakdown by IDE, by DuckDB."""
    users, by_feature, by_ide = (
        tables[name][["scope", *dimensions, GENERATIONS]]
        for name, dimensions in (
            ("users", []),
            ("users_by_feature", ["feature"]),
            ("users_by_ide", []),
        )
    )
    connection = duckdb.connect()
    for name, frame in (("users", users), ("by_feature", by_feature), ("by_ide", by_ide)):
        connection.register(name, frame)
    expected, found = connection.sql(f"""
        select (select sum({GENERATIONS}) from users where scope = '{ORG}')
             - (select sum({GENERATIONS}) from by_feature
                where scope = '{ORG}' and feature in ('copilot_cli', 'copilot_app')),
               (select sum({GENERATIONS}) from by_ide where scope = '{ORG}')
    """).fetchall()[0]
    name = "IDEs of people add up to the totals without CLI and app"
    row = one(
        checks,
        check=name,
        scope=ORG,
        measure=GENERATIONS,
    )
    assert (row["expected"], row["found"]) == (expected, found)


def test_organizations_count_the_people_of_several_more_than_once(tables, checks):
    """F063: adding organizations up is said to be wrong, and by how much."""
    people = one(checks, check="people of the organizations, each once, are in the enterprise")
    users = tables.users
    is_org = users["scope"].str.startswith("organization:")
    distinct = users[is_org].drop_duplicates(["day", "user_id"])
    assert people["outcome"] == "holds"
    assert people["found"] == len(distinct)
    summed = one(
        checks, check="organizations add up to the enterprise", measure="daily_active_users"
    )
    by_scope = tables.entity.groupby("scope")["daily_active_users"].sum()
    assert (
        summed["found"] - summed["expected"]
        == by_scope.drop(ENTERPRISE).sum() - (by_scope[ENTERPRISE])
    )
    assert summed["outcome"] == "differs by design"


def test_a_person_whom_the_enterprise_lacks_is_a_failure(tables):
    lost = tables.users[tables.users["scope"] == ENTERPRISE].index[:3]
    row = one(
        metrics.reconcile({"users": tables.users.drop(index=lost)}),
        check="people of the organizations, each once, are in the enterprise",
    )
    assert row["outcome"] == "fails"


def load(*records: dict) -> ca.Tables:
    return ca.load(ndjson(*records))


def entity_record(day: str, **fields) -> dict:
    ids = {"day": day, "organization_id": "7", "enterprise_id": "3"}
    return {**ids, "daily_active_users": 1, **fields}


def cli(prompts: int) -> dict:
    tokens = {"output_tokens_sum": 10, "prompt_tokens_sum": 20, "avg_tokens_per_request": 30.0}
    return {
        "session_count": 1,
        "request_count": 1,
        "prompt_count": prompts,
        "token_usage": tokens,
    }


@pytest.mark.parametrize(
    ("day", "outcome", "ending"),
    [("2026-03-31", "differs by design", ", before 1 April 2026"), ("2026-04-01", "fails", "")],
)
def test_the_cli_of_people_is_complete_from_april_on(day, outcome, ending):
    """Seen in real files: CLI sums agree from 2026-04-01 on only."""
    tables = load(user_record(day, totals_by_cli=cli(3)), entity_record(day, totals_by_cli=cli(5)))
    checks = metrics.reconcile(tables)
    row = one(
        checks, check=f"CLI use of people adds up to the scope{ending}", measure="cli_prompt_count"
    )
    assert (row["outcome"], row["difference"]) == (outcome, -2)


def test_the_month_may_be_younger_than_the_week():
    """Counts to date begin anew on the 1st, when the week still has the days before."""
    counts = {"weekly_active_users": 5, "monthly_active_users": 2}
    early, late = entity_record("2026-11-04", **counts), entity_record("2026-11-07", **counts)
    name = "people of the week are among those of the month, from its 7th day on"
    assert one(metrics.reconcile(load(early)), check=name)["outcome"] == "not measured"
    row = one(metrics.reconcile(load(early, late)), check=name, measure="active_users")
    assert (row["outcome"], row["days_compared"], row["difference"]) == ("fails", 1, 3)


def test_windows_of_28_days_are_compared_with_their_days():
    """A window that the days do not reach over is not compared."""
    days = [
        user_record(f"2026-11-0{n}", user, used_chat=True) for n in (1, 2, 3) for user in (1, 2)
    ]
    window = {"report_start_day": "2026-11-01", "report_end_day": "2026-11-03"}
    totals = {**user_record(user_id=1), **window, PROMPTS: 6, GENERATIONS: 15}
    del totals["day"]
    totals |= {name: 3 * totals[name] for name in ("loc_suggested_to_add_sum", ADDED)}
    totals |= {"code_acceptance_activity_count": 3}
    other = totals | {"user_id": 2, "user_login": "login-2", PROMPTS: 7}
    name = "28 days of people are the sum of their days"
    checks = metrics.reconcile(load(*days, totals, other))
    rows = checks[checks["check"] == name].set_index("measure")
    assert rows.loc["rows", ["outcome", "expected", "found"]].tolist() == ["holds", 2, 2]
    assert rows.loc[GENERATIONS, "outcome"] == "holds"
    assert rows.loc[PROMPTS, ["outcome", "difference"]].tolist() == ["differs by design", -1]
    fewer = metrics.reconcile(load(*days[:4], totals, other))
    assert one(fewer, check=name)["outcome"] == "not measured"


def test_kept_features_are_counted_by_an_ordinary_loop(tables, checks):
    row = one(
        checks, check="people who kept using a feature are those that GitHub counts", scope=ORG
    )
    window = tables.feature_engagement.query("scope == @ORG").iloc[0]
    days: dict = {}
    for used in tables.users_by_feature.query("scope == @ORG").itertuples():
        if window["report_start_day"] <= used.day <= window["report_end_day"]:
            days.setdefault((used.user_id, used.feature), set()).add(used.day)
    features = ("code_completion", "agent_edit", "copilot_cli", "copilot_app")
    assert row["found"] == sum(
        len(found) >= 2 for (_, feature), found in days.items() if feature in features
    )


def test_records_without_telemetry_must_be_empty():
    reduced = user_record(ai_credits_used=2.5)
    for key in ("used_chat", "totals_by_feature"):
        del reduced[key]
    row = one(metrics.reconcile(load(reduced)), check="records without telemetry have no activity")
    assert (row["outcome"], row["difference"]) == ("fails", -1)


def test_ratios_above_one_hundred_percent_have_a_cause():
    """D21: flagged, with the reason, and no failure."""
    features = [
        {"feature": "chat_panel_ask_mode", GENERATIONS: 1, "code_acceptance_activity_count": 3},
        {"feature": "agent_edit", GENERATIONS: 4, "loc_added_sum": 40},
    ]
    record = user_record(totals_by_feature=features, loc_added_sum=40)
    checks = metrics.reconcile(load(record))
    for name in (
        "acceptances of a feature are at most generations",
        "lines added are at most lines suggested",
    ):
        row = one(checks, check=name)
        assert (row["outcome"], row["difference"]) == ("differs by design", -1)
        assert row["why"]


def test_provisional_days_are_not_compared(tables):
    """Two reports of a day that still changes need not be of one age."""
    users = add(PROMPTS, 7, scope=ORG)(tables.users.copy())
    day = users.query("scope == @ORG")["day"].iloc[0]
    states = pd.DataFrame({"scope": [ORG], "day": [day], "state": "provisional", "family": "users"})
    frames = WithStates({"users": users, "entity": tables.entity})
    frames.day_states = states
    checks = metrics.reconcile(frames)
    row = one(checks, check="people add up to the scope", measure=PROMPTS, scope=ORG)
    assert row["outcome"] == "holds"


class WithStates(dict):
    """Frames by name, with what is known about their days as `day_states`."""


def test_what_is_not_there_is_not_measured():
    checks = metrics.reconcile({"users": load(user_record()).users})
    row = one(checks, check="people add up to the scope")
    assert (row["outcome"], row["why"]) == ("not measured", "nothing in entity")
    assert not (checks["outcome"] == "fails").any()


def test_nothing_gives_no_rows_and_no_error():
    empty = ca.load(b'{"day_totals": []}')
    assert metrics.reconcile(empty).empty
    assert metrics.reconciliation_summary(metrics.reconcile(empty)).empty


def test_a_table_of_other_columns_is_refused():
    with pytest.raises(UsageError, match="no column"):
        metrics.reconcile({"entity": pd.DataFrame({"scope": ["s"], "users": [3]})})


def test_relations_give_the_same_as_pandas(tables):
    """Of the organization alone, because a result of many rows is slow to make as a relation."""
    own = tables.filter(scope=ORG)
    relations = {name: duckdb.from_arrow(pa.Table.from_pandas(own[name])) for name in own}
    checks, found = metrics.reconcile(own), metrics.reconcile(relations)
    pd.testing.assert_frame_equal(to_pandas(found), checks)
    summary = metrics.reconciliation_summary(found)
    pd.testing.assert_frame_equal(to_pandas(summary), metrics.reconciliation_summary(checks))


def test_the_summary_has_the_worst_outcome_of_each_check(tables):
    users = add(PROMPTS, 7, scope=ORG)(tables.users.copy())
    checks = metrics.reconcile({"users": users, "entity": tables.entity})
    summary = metrics.reconciliation_summary(checks)
    keys = ["check", "scope"]
    assert not summary.duplicated(keys).any()
    for key, rows in checks.groupby(keys):
        row = one(summary, **dict(zip(keys, key, strict=True)))
        for outcome in ("fails", "differs by design", "holds", "not measured"):
            if outcome in set(rows["outcome"]):
                assert row["outcome"] == outcome
                break
        assert row["measures"] == rows["measure"].notna().sum()
        assert row["days_compared"] == rows["days_compared"].max()
        sizes = rows["relative_difference"].abs().max()
        assert row["largest_relative_difference"] == sizes or pd.isna(sizes)


@settings(max_examples=8)
@given(
    amounts=st.lists(st.integers(0, 9), min_size=2, max_size=6),
    wrong=st.integers(-3, 3),
    data=st.data(),
)
def test_any_wrong_total_is_found_in_any_order(amounts, wrong, data):
    records = [
        user_record(
            f"2026-11-0{n + 1}",
            **{GENERATIONS: amount},
            totals_by_feature=[{"feature": "code_completion", GENERATIONS: amount}],
        )
        for n, amount in enumerate(amounts)
    ]
    place = data.draw(st.integers(0, len(amounts) - 1))
    records[place][GENERATIONS] = max(0, amounts[place] + wrong)
    off = amounts[place] - records[place][GENERATIONS]
    loaded = load(*data.draw(st.permutations(records)))
    tables = {name: loaded[name] for name in ("users", "users_by_feature")}
    row = one(
        metrics.reconcile(tables),
        check="features of people add up to the totals",
        measure=GENERATIONS,
    )
    assert (row["outcome"] == "fails") == (off != 0)
    assert row["difference"] == off


def test_real_files_agree_as_documented(real_files):
    """A real organization's breakdowns add up; its weeks begin on Sunday, so no bound is broken."""
    by_name = {path.name: path for path in real_files}
    checks = metrics.reconcile(ca.load(by_name["organization-28-day.json"]))
    assert (checks["outcome"] == "fails").sum() == 0
    measured = checks[checks["outcome"] == "holds"]
    assert len(measured) >= 35
    assert measured["days_compared"].max() == 26
