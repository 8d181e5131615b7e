"""The people of the sample company, their teams and repositories, and late days."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median

import pandas as pd
import pytest
from sample_company import (
    ENTERPRISE,
    LABS,
    ONE,
    ORG,
    SETTLED_DAY,
    default_company,
    entity,
    small_company,
    sums,
    users,
)

from copilot_analytics import catalogue
from copilot_analytics.samples import Company
from copilot_analytics.samples.vocabulary import AGENTS, COUNTERS

MISSING = date(2026, 9, 9)


@pytest.fixture(scope="module")
def company():
    return small_company()


@pytest.fixture(scope="module")
def default_truth():
    return default_company().truth(ENTERPRISE)


@pytest.fixture(scope="module")
def long_company():
    """From before the first report to the last day that is known."""
    return Company(people=150, days=410)


def test_the_default_company_is_large_enough_and_has_everyone():
    truth = default_company().truth(ORG)
    seats = default_company().people.organizations & 1
    seen = set(truth.people_days["user_id"])
    assert len(seen) >= 150
    assert seats.sum() > len(seen)  # some have a seat and never show up
    never_prompted = truth.people_days.groupby("user_id")["is_interacting"].any()
    assert 0 < (~never_prompted).sum() < len(seen) / 2
    assert truth.people_days["is_server_only"].any()
    first, last = (truth.people_days.groupby("user_id")["day"].agg(how) for how in ("min", "max"))
    middle = pd.Timestamp(2026, 9, 20)
    assert (first > middle).any()
    assert (last < middle).any()


def test_weekends_and_holidays_are_quiet(default_truth):
    people = default_truth.days.set_index("day")["people"]
    is_weekend = people.index.day_of_week >= 5
    working = people[~is_weekend]
    holiday = (working.index >= "2026-08-10") & (working.index <= "2026-08-14")
    assert people[is_weekend].max() < working[~holiday].min()
    assert working[holiday].max() < working[~holiday].min()


def test_agents_and_cli_grow_over_the_period(default_truth):
    truth = default_truth.people_days
    early = truth[truth["day"] < "2026-08-21"]
    late = truth[truth["day"] > "2026-10-23"]
    for flag in ("used_agent", "used_cli", "used_copilot_app"):
        assert late[flag].mean() > 1.3 * early[flag].mean()
    assert late["used_code_completion"].mean() < 1.1 * early["used_code_completion"].mean()


def test_a_login_changes_and_another_changes_case(company):
    """F109: one person by id."""
    logins = defaultdict(set)
    for day in company.days():
        for record in users(company, ENTERPRISE, day):
            logins[record["user_id"]].add(record["user_login"])
    changed = [names for names in logins.values() if len(names) > 1]
    assert len(changed) == 2
    assert sorted(len({name.lower() for name in names}) for names in changed) == [1, 2]


def test_reduced_rows_have_credits_and_nothing_else(company):
    """F119 and api-notes: missing flags are unknown, not false."""
    reduced = [
        record
        for day in company.days()
        for record in users(company, ORG, day)
        if "totals_by_feature" not in record
    ]
    assert len(reduced) > 20
    for record in reduced:
        identity = {"day", "enterprise_id", "organization_id", "user_id", "user_login"}
        assert set(record) == {*identity, *COUNTERS, "ai_credits_used"}
        assert not any(sums([record]).values())
        assert record["ai_credits_used"] > 0


def test_credits_begin_on_their_day_and_zero_is_not_missing(company):
    values = [
        record.get("ai_credits_used")
        for day in company.days()[-20:]
        for record in users(company, ENTERPRISE, day)
    ]
    assert None in values
    assert 0.0 in values
    assert any(value and value % 1 for value in values)


def test_raw_spellings_vary_as_in_reality(company):
    """F115: several spellings of one thing, open sets."""
    found = defaultdict(set)
    digits = set()
    for day in company.days()[-20:]:
        for record in users(company, ENTERPRISE, day):
            for path in ("totals_by_language_feature", "totals_by_model_feature", "totals_by_ide"):
                for row in record.get(path, []):
                    for key in ("language", "model", "ide"):
                        found[key].add(row.get(key))
                    sampled = row.get("last_known_ide_version", {}).get("sampled_at")
                    if sampled:
                        assert sampled.startswith(record["day"])
                        digits.add(len(sampled.removesuffix("Z").partition(".")[2]))
            for row in record.get("totals_by_3rd_party_agent", []):
                found["agent"].add((row["agent_id"], row["agent_name"]))
    assert {"typescript", "ts", "csharp", "c#", "unknown", "others"} <= found["language"]
    assert {"claude-sonnet-4.5", "claude-4.5-sonnet", "auto", "unknown", "others"} <= found["model"]
    assert {"vscode", "visualstudio", "others"} <= found["ide"]
    assert digits == {3, 7}
    assert found["agent"] == set(AGENTS)


def test_odd_logins_stay_text(company):
    """F106."""
    assert {"0012", "1e5", "nan"} <= set(company.people.logins)
    assert len(set(company.people.logins)) == 100


def test_memberships_are_those_of_the_truth(company):
    """F112: people in two teams have two rows."""
    truth = company.truth(ORG).memberships
    for day in (company.start_day, SETTLED_DAY):
        records = list(company.records("user-teams-1-day", ORG, day))
        expected = truth[truth["day"] == pd.Timestamp(day)]
        assert {(r["team_id"], r["slug"], r["user_id"]) for r in records} == set(
            expected[["team_id", "slug", "user_id"]].itertuples(index=False, name=None)
        )
        assert len(records) == len(expected)
    per_person = Counter(record["user_id"] for record in records)
    assert {1, 2} <= set(per_person.values())
    sizes = Counter(record["slug"] for record in records)
    assert sizes["security"] == 4  # GitHub would hide it; the sample leaves it to be hidden
    assert min(size for slug, size in sizes.items() if slug != "security") >= 5
    ever = truth.drop_duplicates(["user_id", "team_id"])["user_id"].value_counts()
    assert (ever > 1).sum() > sum(count > 1 for count in per_person.values())


def test_teams_of_the_enterprise_are_all_six(company):
    slugs = {r["slug"] for r in company.records("user-teams-1-day", ENTERPRISE, SETTLED_DAY)}
    assert len(slugs) == 6


@pytest.mark.parametrize("as_of_after", [2, None])
@pytest.mark.parametrize("scope", [ORG, LABS, ENTERPRISE])
def test_pull_requests_of_an_entity_are_those_of_its_repositories(company, scope, as_of_after):
    for day in company.days()[-5:]:
        as_of = day + as_of_after * ONE if as_of_after else None
        repos = list(company.records("repos-1-day", scope, day, as_of))
        counted = entity(company, scope, day, as_of)["pull_requests"]
        for name, value in counted.items():
            if name.startswith("total_"):
                assert value == sum(repo["pull_requests"][name] for repo in repos)
        medians = [repo["pull_requests"]["median_minutes_to_merge"] for repo in repos]
        medians = [value for value in medians if value is not None]
        assert bool(medians) == ("median_minutes_to_merge" in counted)
        if medians:
            assert min(medians) <= counted["median_minutes_to_merge"] <= max(medians)
        if len(medians) == 1:
            assert counted["median_minutes_to_merge"] == median(medians)


def test_repositories_have_github_s_shape(company):
    repos = [
        r for day in company.days()[-9:] for r in company.records("repos-1-day", ENTERPRISE, day)
    ]
    assert {repo["repo_owner_name"] for repo in repos} == {"octo-org", "octo-labs"}
    assert len({repo["repo_id"] for repo in repos}) == 17
    assert {repo["repo_visibility"] for repo in repos} == {"PUBLIC", "PRIVATE", "INTERNAL"}
    for repo in repos:
        for times in repo["pull_request_review_times"]:
            assert times["total_merged"] <= repo["pull_requests"]["total_merged"]
            for name, value in times.items():
                if name.startswith("median_"):
                    assert value <= times[name.replace("median_", "p90_")]


def test_late_days_only_grow(company):
    """A day appears after two days, is incomplete for three, and then stays as it is."""
    grew = 0
    for day in company.days()[-6:]:
        for scope in (ORG, ENTERPRISE):
            assert not company.has_report("users-1-day", scope, day, day + ONE)
            assert list(company.records("users-1-day", scope, day, day + ONE)) == []
            stages = [users(company, scope, day, day + n * ONE) for n in (2, 3, 4, 5)]
            for earlier, later in pairwise(stages):
                by_person = {record["user_id"]: record for record in later}
                for record in earlier:
                    full = by_person[record["user_id"]]
                    assert all(record[name] <= full[name] for name in COUNTERS)
                grew += len(later) > len(earlier)
            assert stages[-1] == users(company, scope, day)
            assert users(company, scope, day, day + 40 * ONE) == stages[-1]
    assert grew > 6


def test_late_memberships_only_grow(company):
    for day in company.days()[-4:]:
        stages = [
            {
                (r["user_id"], r["slug"])
                for r in company.records("user-teams-1-day", ORG, day, asked)
            }
            for asked in (day + n * ONE for n in (2, 3, 4, 5))
        ]
        assert stages[0] < stages[-1]
        assert all(a <= b for a, b in pairwise(stages))


def test_late_pull_requests_only_grow(company):
    for day in company.days()[-4:]:
        stages = [
            [
                sum(record["pull_requests"][name] for record in records)
                for name in ("total_created", "total_reviewed", "total_merged")
            ]
            for n in (2, 3, 4, 5)
            for records in [list(company.records("repos-1-day", ORG, day, day + n * ONE))]
        ]
        assert sum(stages[0]) < sum(stages[-1])
        assert all(a <= b for kind in zip(*stages, strict=True) for a, b in pairwise(kind))


def test_the_clock_is_utc(company):
    day = company.end_day
    zone = datetime.fromisoformat("2026-11-22T01:00:00+02:00")  # still the 21st in UTC
    assert not company.has_report("users-1-day", ORG, day, zone)
    assert company.has_report("users-1-day", ORG, day, zone.astimezone(UTC) + timedelta(hours=1))


def test_one_working_day_has_no_report_anywhere():
    company = Company(people=40, days=120)
    for scope in company.scopes:
        for endpoint in catalogue.all_endpoints():
            if endpoint.scope_kind == scope.kind and endpoint.period == "1-day":
                assert not company.has_report(endpoint.report, scope, MISSING)
                assert company.parts(endpoint.report, scope, MISSING) == []
    assert pd.Timestamp(MISSING) not in set(company.truth(ORG).days["day"])
    (wrapper,) = company.records("organization-28-day", ORG, as_of=date(2026, 9, 20))
    days = {record["day"] for record in wrapper["day_totals"]}
    assert len(days) == 27
    assert MISSING.isoformat() not in days
    # The day after it was to appear, the newest day is still the one before.
    assert company.window("users-28-day", ORG, date(2026, 9, 11))[1] == date(2026, 9, 8)


def test_no_report_before_the_endpoint_s_first_day(long_company):
    assert not long_company.has_report("users-1-day", ORG, date(2025, 12, 11))
    assert long_company.has_report("users-1-day", ORG, date(2025, 12, 12))
    assert long_company.has_report("users-1-day", ENTERPRISE, date(2025, 12, 11))
    assert not long_company.has_report("user-teams-1-day", ORG, date(2026, 5, 13))
