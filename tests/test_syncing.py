"""`sync` asks for what is missing or not settled, keeps what it gets, and says what it did not."""

import json
from datetime import date, timedelta

import pytest

from copilot_analytics.archive import Archive
from copilot_analytics.client import Client, Settings
from copilot_analytics.errors import (
    CredentialsError,
    NetworkError,
    NotAllowedError,
    UsageError,
)
from copilot_analytics.samples import Company, SampleServer
from copilot_analytics.syncing import FAMILIES, plan, sync
from copilot_analytics.syncing.pipeline import IN_FLIGHT, THREADS

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def company():
    return Company(people=24, days=8)


@pytest.fixture
def server(company):
    with SampleServer(company) as server:
        yield server


@pytest.fixture
def run(tmp_path, company, server):
    """Run a sync against the sample server at a time of one's own."""

    def run(now=company.now, archive=tmp_path / "archive", environ=None, **options):
        server.clock = now
        settings = Settings.from_environment(
            environ or server.environ, clock=lambda: now, sleep=lambda seconds: None
        )
        options = {"org": "octo-org", "since": company.start_day} | options
        with Client(settings) as client:
            return sync(Archive(archive, clock=lambda: now), client=client, **options)

    run.archive = Archive(tmp_path / "archive")
    return run


def asked(server) -> list[str]:
    return [one.path for one in server.requests if one.port == "api"]


class TestPlan:
    def test_asks_for_28_days_first_then_for_each_day_that_is_not_settled(self):
        states = {
            ("users-1-day", date(2026, 11, 18)): "final",
            ("users-1-day", date(2026, 11, 19)): "provisional",
            ("users-1-day", date(2026, 11, 20)): "pending",
            ("users-1-day", date(2026, 11, 21)): "failed",
        }
        todo = plan(
            "organization", states, today=TODAY, since=date(2026, 11, 18), families=["users"]
        )
        assert todo == [
            ("users-28-day", None),
            *(("users-1-day", date(2026, 11, day)) for day in (19, 20, 21)),
        ]

    @pytest.mark.parametrize("state", ["final", "empty", "missing"])
    def test_nothing_is_asked_when_everything_is_settled(self, state):
        day = date(2026, 11, 1)
        states = {("users-1-day", day): state}
        todo = plan("enterprise", states, today=TODAY, since=day, until=day, families=["users"])
        assert todo == []

    def test_f053_never_a_day_that_is_not_over_too_old_or_before_the_first(self):
        for kind, first in (
            ("organization", date(2025, 12, 12)),  # the first that GitHub has
            ("enterprise", date(2025, 11, 22)),  # a year back
        ):
            days = [day for _, day in plan(kind, {}, today=TODAY) if day]
            assert max(days) == TODAY - timedelta(days=1)
            assert min(days) == first
        repos = [day for report, day in plan("organization", {}, today=TODAY) if "repos" in report]
        assert min(repos) == date(2026, 7, 17)


def test_fetches_every_report_and_a_second_run_only_what_may_change(run, server, company):
    result = run()
    assert result.exit_code == 0
    assert set(result.slots["report"]) == {
        "users-28-day",
        "organization-28-day",
        "users-1-day",
        "organization-1-day",
        "user-teams-1-day",
        "repos-1-day",
    }
    settled = company.now.date() - timedelta(days=6)
    server.requests.clear()
    again = run()
    days = again.slots["day"].dropna()
    assert days[again.slots["report"].str.endswith("1-day")].min() > settled
    assert not again.slots["is_new"].any()


def test_the_tables_of_the_archive_are_the_truth_of_the_company(run, company):
    later = company.now + timedelta(days=10)
    assert run(now=later, until=company.end_day).exit_code == 0
    users = run.archive.tables(scope="organization:octo-org").users
    truth = company.truth("organization:octo-org").people_days
    key = ["day", "user_id"]
    counters = ["user_initiated_interaction_count", "code_generation_activity_count"]
    found = users.sort_values(key)[[*key, *counters]].astype("str")
    expected = truth.sort_values(key)[[*key, *counters]].astype("str")
    assert found.to_numpy().tolist() == expected.to_numpy().tolist()


def test_f139_late_data_arrives_with_a_later_sync(run, company):
    def last_day():
        tables = run.archive.tables(start=company.end_day, end=company.end_day)
        return tables.users["code_generation_activity_count"].sum(), tables.day_states["state"][0]

    run(families=["users"])
    early, state = last_day()
    assert state == "provisional"
    run(now=company.now + timedelta(days=6), until=company.end_day, families=["users"])
    late, state = last_day()
    assert (late > early, state) == (True, "final")


def test_f024_a_report_that_is_not_there_yet_is_pending_and_not_an_error(run, company):
    result = run()
    pending = result.slots[result.slots["state"] == "pending"]
    assert set(pending["day"]) == {company.now.date() - timedelta(days=1)}
    assert pending["note"].str.contains("no report").all()


def test_several_owners_live_in_one_archive_without_mixing(run):
    run(families=["users", "entity"])
    run(enterprise="octo-corp", org=None, families=["users", "entity"])
    tables = run.archive.tables()
    assert len(set(tables.users["scope"])) == 2
    assert len(set(run.archive.tables(scope="enterprise:octo-corp").users["scope"])) == 1


def test_repositories_of_an_enterprise_are_those_of_its_organizations(run, company):
    later = {"now": company.now + timedelta(days=10), "until": company.end_day}
    result = run(enterprise="octo-corp", org=None, families=["repos", "users"], **later)
    assert "failed" not in set(result.slots["state"])
    repos = run.archive.tables().repos
    assert set(repos["scope"]) == {f"organization:{number}" for number in (9919001, 9919002)}
    assert run.archive.tables(scope="enterprise:octo-corp").users["scope"].nunique() == 1
    assert run.archive.verify().empty
    # An organization that is asked for as well says the same, and nothing counts twice.
    assert run(families=["repos"], **later).exit_code == 0
    again = run.archive.tables().repos
    key = ["scope", "day", "repo_id"]
    assert again[key].sort_values(key).to_numpy().tolist() == (
        repos[key].sort_values(key).to_numpy().tolist()
    )
    assert run.archive.tables(scope="organization:octo-org").repos["scope"].nunique() == 1


def test_f022_an_unknown_name_stops_the_run_with_advice(run, server):
    with pytest.raises(NotAllowedError, match="octo-unknown") as caught:
        run(org="octo-unknown")
    assert "renamed" in str(caught.value)
    assert len(asked(server)) <= 3


def test_f011_a_bad_token_is_tried_once(run, server):
    with pytest.raises(CredentialsError):
        run(environ={**server.environ, "GITHUB_TOKEN": "ghp_wrongwrongwrong"})
    assert len(asked(server)) == 1


def test_f038_three_failures_in_a_row_stop_the_run(run, server):
    environ = {**server.environ, "GITHUB_API_URL": "http://127.0.0.1:9"}
    with pytest.raises(NetworkError):
        run(environ=environ)


def test_f061_links_that_fail_leave_the_slot_failed_and_the_run_goes_on(run, company, server):
    server.link_lifetime = timedelta(seconds=-1)
    result = run(families=["teams"])
    assert result.exit_code == 3
    assert (result.slots["state"] == "failed").sum() == len(company.days())
    server.link_lifetime = timedelta(hours=1)
    assert run(families=["teams"]).exit_code == 0
    assert not run.archive.tables().teams.empty


def test_wrong_arguments_are_refused_before_anything_is_asked(run, server):
    for options in (
        {"families": ["people"]},
        {"since": "soon"},
        {"org": "a/b"},
        {"enterprise": "octo-corp"},
    ):
        with pytest.raises(UsageError):
            run(**options)
    assert asked(server) == []
    assert set(FAMILIES) == {"users", "entity", "user-teams", "repos"}


@pytest.mark.parametrize(
    ("since", "until", "problem"),
    [
        ("2026-11-10", "2026-11-01", "is after the last day"),
        ("2030-01-01", None, "lies in the future"),
        (None, "2020-11-01", "before what GitHub has"),
    ],
)
def test_a_range_without_any_day_is_refused_and_makes_no_archive(
    run, server, since, until, problem
):
    with pytest.raises(UsageError, match=problem):
        run(since=since, until=until)
    assert asked(server) == []
    assert not run.archive.path.exists()


def test_a_range_that_begins_today_is_only_empty(run, company):
    assert run(since=company.now.date()).slots.empty


def test_reports_of_teams_are_called_as_github_calls_them_or_as_the_table(run, server, company):
    for name in ("user-teams", "teams"):
        assert set(run(families=[name]).slots["report"]) <= {"user-teams-1-day"}
    assert any("user-teams" in path for path in asked(server))


def test_days_that_were_purged_are_named_where_they_would_have_been_fetched(run, company):
    assert run(families=["users"]).purged_before is None
    last = company.start_day + timedelta(days=2)
    run.archive.purge(last)
    result = run(families=["users"])
    assert result.purged_before == last
    assert run(families=["users"], since=last).purged_before is None


def test_fields_that_are_not_described_are_named_once_for_a_run(run):
    found = run(families=["users", "entity"]).unknown_fields
    assert found == sorted(set(found))
    with run.archive.ledger() as ledger:
        facts = [json.loads(row["facts"]) for row in ledger.rows("SELECT facts FROM versions")]
    assert set(found) == {name for one in facts for name in one.get("unknown_fields", ())} != set()


def test_the_archive_may_be_given_by_its_folder(run, company, server):
    settings = Settings.from_environment(server.environ, clock=lambda: company.now)
    with Client(settings) as client:
        day = company.start_day
        options = {"org": "octo-org", "since": day, "until": day, "families": ["entity"]}
        sync(str(run.archive.path), client=client, **options)
    assert f"{day}" in run.archive.tables().entity["day"].dt.strftime("%Y-%m-%d").tolist()


def test_f052_names_in_another_case_are_the_same_archive_scope(run):
    run(families=["teams"])
    run(org="OCTO-ORG", families=["teams"])
    assert run.archive.status()["name"].tolist() == ["organization:octo-org"]


@pytest.mark.parametrize(
    "jump",
    [
        pytest.param(timedelta(days=-2), id="F157 the clock jumps back"),
        pytest.param(timedelta(hours=20), id="F158 midnight passes"),
    ],
)
def test_the_days_of_a_run_are_fixed_at_its_start(run, tmp_path, company, server, jump):
    run()
    still = asked(server)
    server.requests.clear()
    looks, waits = iter(range(10**6)), []

    def clock():
        return company.now + (jump if next(looks) > 20 else timedelta(0))

    warnings = []  # that the clock is wrong
    settings = Settings.from_environment(
        server.environ, clock=clock, sleep=waits.append, warn=warnings.append
    )
    archive = Archive(tmp_path / "moved", clock=clock)
    with Client(settings) as client:
        sync(archive, client=client, org="octo-org", since=company.start_day)
    assert asked(server) == still
    assert all(seconds >= 0 for seconds in waits)
    for name, frame in archive.tables().items():
        assert frame.equals(run.archive.tables()[name]), name


def test_f160_a_long_backfill_that_is_stopped_again_and_again_asks_for_little_twice(tmp_path):
    """Every run is stopped after 25 reports; what was on its way is all that is lost."""
    company, per_run, stops = Company(people=20, days=60), 25, 0

    def stopped_after(items):
        for number, item in enumerate(items):
            if number == per_run:
                raise KeyboardInterrupt
            yield item

    def backfill(archive, progress=iter):
        options = {"org": "octo-org", "families": ["entity"], "since": company.start_day}
        settings = Settings.from_environment(server.environ, clock=lambda: company.now)
        with Client(settings) as client:
            return sync(archive, client=client, progress=progress, **options)

    interrupted = Archive(tmp_path / "interrupted", clock=lambda: company.now)
    whole = Archive(tmp_path / "whole", clock=lambda: company.now)
    with SampleServer(company) as server:
        backfill(whole)
        slots = len(asked(server))
        server.requests.clear()
        is_done = False
        while not is_done:
            try:
                backfill(interrupted, stopped_after)
                is_done = True
            except KeyboardInterrupt:
                stops += 1
        calls = len(asked(server))
    assert stops >= 2
    assert slots < calls <= slots + stops * (IN_FLIGHT + THREADS + 2)
    for name, frame in whole.tables().items():
        assert frame.equals(interrupted.tables()[name]), name
    assert interrupted.verify().empty
