"""The archive knows what is current, and gives it back as tables."""

from datetime import date, timedelta

import pandas as pd
import pytest
from conftest import ndjson, user_record
from stored_input import DAY, SCOPE, new_archive, put

from copilot_analytics.archive import settled_state
from copilot_analytics.catalogue import Scope
from copilot_analytics.errors import UsageError
from copilot_analytics.reporting import open_tables


@pytest.fixture
def archive(tmp_path):
    return new_archive(tmp_path)


def test_the_report_of_one_day_wins_over_the_28_day_report(archive):
    days = [DAY - timedelta(days=1), DAY]
    put(archive, user_record(str(DAY), loc_added_sum=50))
    put(
        archive,
        *(user_record(str(day), loc_added_sum=1) for day in days),
        report="users-28-day",
    )
    users = archive.tables().users
    assert users["loc_added_sum"].tolist() == [1, 50]
    assert archive.tables().users_by_feature["day"].dt.date.tolist() == days


def test_only_the_days_and_the_scope_asked_for_are_read(archive):
    for day in range(1, 8):
        put(archive, user_record(f"2026-11-{day:02}"), day=date(2026, 11, day))
    other = user_record(organization_id="8")
    put(archive, other, scope=Scope("organization", "octo-labs"))
    for name in ("organization:octo-org", "organization:Octo-Org", "organization:7"):
        tables = archive.tables(scope=name, start="2026-11-03", end=date(2026, 11, 5))
        assert tables.users["day"].dt.day.tolist() == [3, 4, 5]
        assert tables.day_states["day"].dt.day.tolist() == [3, 4, 5]
    assert set(archive.tables().users["scope"]) == {"organization:7", "organization:8"}
    with pytest.raises(UsageError, match="not a day"):
        archive.tables(start="soon")
    with pytest.raises(UsageError, match="engine"):
        archive.tables(engine="polars")


def test_a_scope_that_the_archive_does_not_know_is_refused_with_those_that_it_knows(archive):
    put(archive, user_record())
    name = "organization:octo-orgg"
    for ask in (
        lambda: archive.tables(scope=name),
        lambda: archive.query("SELECT * FROM users", scope=name),
        lambda: archive.restatements(name),
        lambda: archive.export(archive.path.parent / "out", scope=name),
        lambda: open_tables(str(archive.path), scope=name),
    ):
        with pytest.raises(UsageError, match="octo-orgg") as caught:
            ask()
        assert caught.value.advice == "one of: organization:octo-org"


def test_what_was_imported_under_its_id_and_fetched_by_name_is_one_organization(archive, tmp_path):
    file = tmp_path / "export.ndjson"
    file.write_bytes(ndjson(user_record("2026-11-01")))
    archive.import_files([file])
    assert archive.scopes() == ["organization:7"]
    archive.now[0] += timedelta(hours=1)
    put(archive, user_record())
    assert archive.scopes() == ["organization:octo-org"]
    assert len(open_tables(str(archive.path)).users) == 2
    put(archive, user_record(organization_id="8"), scope=Scope("organization", "octo-labs"))
    with pytest.raises(UsageError, match="2 scopes"):
        open_tables(str(archive.path))


def test_an_organization_that_was_renamed_has_its_latest_name(archive):
    put(archive, user_record("2026-11-01"), day=date(2026, 11, 1))
    archive.now[0] += timedelta(days=1)
    put(archive, user_record(), scope=Scope("organization", "acme"))
    assert archive.scopes() == ["organization:acme"]


def test_f117_f150_days_with_different_fields_are_read_together(archive):
    put(archive, user_record("2026-11-01"), day=date(2026, 11, 1))
    put(archive, user_record("2026-11-02", ai_credits_used=2.5, used_cli=True))
    users = archive.tables().users
    assert users["ai_credits_used"].tolist()[1] == 2.5
    assert users["used_cli"].tolist() == [pd.NA, True]


def test_states_of_days(archive):
    assert settled_state(date(2026, 11, 16), archive.clock()) == "final"
    assert settled_state(date(2026, 11, 17), archive.clock()) == "provisional"
    put(archive, user_record("2026-11-20"), day=date(2026, 11, 20))
    with archive.writing() as ledger:
        archive.note_state(ledger, SCOPE, "users-1-day", date(2026, 11, 9), "empty", "204")
        archive.note_state(ledger, SCOPE, "users-1-day", date(2026, 11, 20), "pending", "204")
    states = archive.tables(scope="organization:octo-org").day_states
    assert dict(zip(states["day"].dt.day, states["state"], strict=True)) == {
        9: "empty",
        20: "provisional",
    }
    archive.now[0] += timedelta(days=9)
    put(archive, user_record("2026-11-20"), day=date(2026, 11, 20))
    assert archive.tables().day_states["state"].tolist() == ["empty", "final"]


def test_status_counts_slots_and_bytes(archive):
    put(archive, user_record())
    with archive.writing() as ledger:
        archive.note_state(ledger, SCOPE, "users-1-day", date(2026, 11, 3), "missing", "404")
    row = archive.status().iloc[0]
    assert (row["final"], row["missing"], row["records"]) == (1, 1, 1)
    assert row["report_bytes"] == len(ndjson(user_record()))
