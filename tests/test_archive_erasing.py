"""A person or a time that is to be gone is gone everywhere, and does not come back."""

import json
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
from conftest import ndjson, user_record
from hypothesis import given
from hypothesis import strategies as st
from stored_input import DAY, SCOPE, assert_same, files_of, frames, new_archive, put, rows

from copilot_analytics.archive import ledger as ledger_module
from copilot_analytics.archive import rewriting, surviving
from copilot_analytics.errors import NoReportError, UsageError

PERSON = 987654321  # with no other number around that could be taken for it


@pytest.fixture
def archive(tmp_path):
    return new_archive(tmp_path)


def bytes_of(archive) -> bytes:
    """All that stands in the archive, raw files decompressed."""
    found = b""
    for path in archive.path.rglob("*"):
        if path.suffix == ".zst":
            found += pa.input_stream(str(path), compression="zstd").read()
        elif path.is_file():
            found += path.read_bytes()
    return found


def traces(archive) -> list:
    """Where the person still stands: by number or login in bytes, by number in tables."""
    content = bytes_of(archive)
    found = [text for text in (b"987654321", b"login-987654321") if text in content]
    number = PERSON.to_bytes(8, "little")
    return found + [number] * (number in content)


def team_record(day=str(DAY), user_id=1, team_id=5):
    return {"day": day, "organization_id": "7", "team_id": team_id, "user_id": user_id}


class TestErase:
    @pytest.fixture
    def full(self, archive):
        """Versions, reports and families with the person, a damaged and an unfinished file."""
        others = [user_record(user_id=number) for number in (1, 2)]
        put(archive, *others, user_record(user_id=PERSON))
        put(archive, *others, user_record(user_id=PERSON, loc_added_sum=50))
        days = ["2026-10-31", "2026-11-01"]
        window = [user_record(day, user_id=user) for day in days for user in (1, PERSON)]
        put(archive, *window, report="users-28-day")
        put(archive, team_record(user_id=PERSON), team_record(), report="user-teams-1-day")
        put(archive, {**others[0], "day": "2026-11-03"}, day=date(2026, 11, 3))
        listed = json.dumps(
            [user_record("2026-10-01", PERSON), user_record("2026-10-01", "3")], indent=1
        )
        put(archive, content=listed.encode(), report="import", day=None)
        for name in ("quarantine/raw", "incoming/x"):
            folder = archive.path / name
            folder.mkdir(parents=True)
            (folder / "part-00000.ndjson").write_bytes(ndjson(user_record(user_id=PERSON)))
        (archive.path / ".received.0.tmp").write_bytes(ndjson(user_record(user_id=PERSON)))
        with archive.writing() as ledger:
            note = f"conflicts (user_id {PERSON})"
            archive.note_state(ledger, SCOPE, "users-1-day", date(2026, 11, 7), "failed", note)
        return archive

    def test_f188_nothing_of_the_person_is_left_and_all_else_is(self, full):
        before = frames(full)
        assert traces(full)
        erased = full.erase(PERSON)
        assert traces(full) == []
        assert full.verify().empty
        after = frames(full)
        for name, frame in before.items():
            if "user_id" in frame:
                frame = frame[frame["user_id"] != PERSON].reset_index(drop=True)
            elif name == "day_states":
                continue
            pd.testing.assert_frame_equal(after[name], frame, obj=name)
        assert len(erased.rewritten) == 5
        assert rows(full, "SELECT what, details FROM audit") == [("erase", "5 versions rewritten")]

    def test_f188_it_needs_no_tables_and_survives_a_rebuild(self, full):
        full.erase(PERSON)
        before = frames(full)
        full.rebuild()
        assert_same(frames(full), before)
        assert full.verify().empty

    def test_f188_the_same_report_again_does_not_bring_the_person_back(self, full):
        full.erase(PERSON)
        before, names = frames(full), set(files_of(full))
        others = [user_record(user_id=number) for number in (1, 2)]
        again = put(full, *others, user_record(user_id=PERSON, loc_added_sum=50))
        assert not again.is_new
        assert_same(frames(full), before)
        assert set(files_of(full)) == names
        odd = ndjson(user_record(user_id=1), user_record("2026-11-08", PERSON, user_login="x"))
        odd = odd.replace(b"987654321", b"9.87654321e8")
        put(full, content=odd, report="import", day=None)
        assert PERSON not in full.tables().users["user_id"].tolist()
        assert traces(full) == []

    def test_f147_f188_a_lost_ledger_does_not_bring_the_person_back(self, full):
        full.erase(PERSON)
        before = full.tables().users
        said = (full.path / "tombstones.json").read_text()
        assert f"{PERSON}" not in said
        (full.path / "ledger.sqlite").unlink()
        full.rebuild()
        pd.testing.assert_frame_equal(full.tables().users, before)
        assert full.verify().empty  # it also knows that the erasure was finished
        records = [user_record("2026-11-04", user) for user in (1, PERSON)]
        put(full, *records, day=date(2026, 11, 4))
        assert PERSON not in set(full.tables().users["user_id"])
        assert traces(full) == []
        full.erase(1)  # another person gets a digest with the same key
        found = json.loads((full.path / "tombstones.json").read_text())
        assert found["key"] == json.loads(said)["key"]
        assert len(found["erased"]) == 2

    @pytest.mark.parametrize("step", ["tombstones in place", "ledger begun", "ledger committed"])
    def test_f121_f188_killed_at_a_step_an_erasure_is_found_again(self, full, monkeypatch, step):
        """Also by who lost the ledger, as long as the erasure is not finished."""

        def stop(name):
            if name == step:
                raise KeyboardInterrupt

        for module in (surviving, ledger_module):
            monkeypatch.setattr(module, "step", stop)
        with pytest.raises(KeyboardInterrupt):
            full.erase(PERSON)
        monkeypatch.undo()
        if step == "ledger committed":
            assert "run erase again" in full.verify()["problem"].iloc[-1]
        (full.path / "ledger.sqlite").unlink()
        full.rebuild()
        assert "run erase again" in full.verify()["problem"].iloc[-1]
        full.erase(PERSON)
        assert traces(full) == []
        assert full.verify().empty

    def test_f188_a_report_about_nobody_else_is_not_stored(self, full):
        full.erase(PERSON)
        with pytest.raises(NoReportError) as caught:
            put(full, user_record("2026-11-09", PERSON), day=date(2026, 11, 9))
        assert caught.value.state == "empty"
        assert traces(full) == []

    def test_f188_versions_that_differed_only_by_the_person_become_one(self, full):
        full.erase(PERSON)
        query = "SELECT records, is_current FROM versions WHERE report = 'users-1-day' ORDER BY day"
        assert rows(full, query) == [(2, 1), (1, 1)]

    def test_f188_a_day_with_nobody_else_is_empty(self, archive):
        put(archive, user_record(user_id=PERSON))
        archive.erase(PERSON)
        assert rows(archive, "SELECT state FROM slots") == [("empty",)]
        assert archive.tables().users.empty
        assert archive.verify().empty

    def test_f188_published_reports_of_the_scope_are_listed(self, full, tmp_path):
        reports = tmp_path / "reports"
        for scope in ("organization-octo-org", "organization-octo-labs"):
            folder = reports / scope / "2026-11-20"
            folder.mkdir(parents=True)
            (folder / "report.json").write_text("{}")
        erased = full.erase(PERSON, reports=reports)
        assert erased.reports == [reports / "organization-octo-org" / "2026-11-20"]

    def test_erasing_somebody_unknown_changes_nothing(self, full):
        names = {name for name in files_of(full) if name.startswith(("raw", "tables"))}
        assert full.erase(11111).rewritten.empty
        assert {name for name in files_of(full) if name.startswith(("raw", "tables"))} == names
        assert 1 in full.tables().users["user_id"].tolist()

    @pytest.mark.parametrize("user_id", ["octocat", "1", True, None, 1.0])
    def test_a_person_is_known_by_a_number(self, full, user_id):
        with pytest.raises(UsageError, match="number"):
            full.erase(user_id)

    def test_an_erasure_that_was_killed_is_found_and_finished_by_another_one(
        self, full, monkeypatch
    ):
        monkeypatch.setattr("copilot_analytics.archive.erasing._rewrite", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            full.erase(PERSON)
        monkeypatch.undo()
        assert "run erase again" in full.verify()["problem"].iloc[-1]
        full.erase(PERSON)
        assert traces(full) == []
        assert full.verify().empty


class TestPurge:
    @pytest.fixture
    def full(self, archive):
        for day in ("2026-10-30", "2026-11-02"):
            put(archive, user_record(day), day=date.fromisoformat(day))
        days = ["2026-10-30", "2026-10-31", "2026-11-01"]
        put(
            archive,
            *(user_record(day) for day in days),
            report="users-28-day",
            day=date(2026, 11, 1),
        )
        return archive

    def test_f189_older_days_are_gone_and_the_others_stay(self, full):
        later = full.tables(start="2026-11-01").users
        purged = full.purge("2026-11-01")
        pd.testing.assert_frame_equal(full.tables().users, later)
        assert b"2026-10-3" not in bytes_of(full).replace(b"before 2026-10", b"")
        assert purged["files"].tolist() == [0, 1]
        assert full.verify().empty
        assert full.tables().day_states["day"].min() == pd.Timestamp("2026-11-01")

    def test_f189_they_are_not_asked_for_again_and_do_not_come_back(self, full):
        full.purge("2026-11-01")
        before = frames(full)
        with full.ledger() as ledger:
            assert ledger.purged_before("organization:octo-org") == date(2026, 11, 1)
            assert ledger.purged_before("organization:octo-labs") == date(2026, 11, 1)
        days = ["2026-10-30", "2026-10-31", "2026-11-01"]
        records = [user_record(day) for day in days]
        assert not put(full, *records, report="users-28-day", day=date(2026, 11, 1)).is_new
        put(full, *records, report="import", day=None, scope=None)
        assert_same(frames(full), before)
        with pytest.raises(NoReportError):
            put(full, records[0], day=date(2026, 10, 30))

    def test_f147_f189_a_lost_ledger_does_not_bring_them_back(self, full):
        full.purge("2026-11-01", scope="organization:octo-org")
        before = frames(full)
        (full.path / "ledger.sqlite").unlink()
        full.rebuild()
        assert_same(frames(full), before)
        with full.ledger() as ledger:
            assert ledger.purged_before("organization:octo-org") == date(2026, 11, 1)
            assert ledger.purged_before("organization:octo-labs") is None

    def test_f189_one_scope_alone(self, full):
        put(
            full,
            user_record("2026-10-30", organization_id="8"),
            report="import",
            day=None,
            scope=None,
        )
        full.purge("2026-11-01", scope="organization:octo-org")
        users = full.tables().users
        assert users["scope"].tolist() == ["organization:7"] * 2 + ["organization:8"]
        with full.ledger() as ledger:
            assert ledger.purged_before("organization:octo-labs") is None
            assert ledger.purged_before("organization:octo-org") == date(2026, 11, 1)

    def test_f189_a_scope_is_all_its_names_also_what_was_imported_under_its_id(self, full):
        other = {**user_record("2026-10-29"), "user_id": 5}
        put(full, other, report="import", day=None, scope=None)
        full.purge("2026-11-01", scope="organization:octo-org")
        assert full.tables().day_states["day"].min() == pd.Timestamp("2026-11-01")
        assert full.purged() == {"organization:octo-org": date(2026, 11, 1)}
        with full.ledger() as ledger:
            assert ledger.purged_before("organization:7") == date(2026, 11, 1)

    @pytest.mark.parametrize("day", ["2026-11-23", "2030-01-01"])
    def test_a_day_that_is_not_there_yet_is_refused(self, full, day):
        before = frames(full)
        with pytest.raises(UsageError, match="lies in the future"):
            full.purge(day)
        full.purge("2026-10-01")
        assert_same(frames(full), before)
        assert len(full.purge("2026-11-22")) == 3

    def test_f189_a_later_day_is_not_lowered_again(self, full):
        full.purge("2026-11-01")
        full.purge("2026-10-31")
        with full.ledger() as ledger:
            assert ledger.purged_before("organization:octo-org") == date(2026, 11, 1)


KEYS = st.sampled_from(["user_id", "day", "x", "day_totals "])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab"\\{}[],:\u2028é\n', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.lists(st.tuples(st.integers(1, 3), VALUES), max_size=6)


FORMS = ["lines", "objects", "list", "indented", "wrapper", "wrappers"]


def values_of(content: bytes) -> list:
    """The JSON values in a text, one after the other."""
    text, values = content.decode().strip(), []
    while text:
        value, end = json.JSONDecoder().raw_decode(text)
        values.append(value)
        text = text[end:].strip()
    return values


@given(RECORDS, st.sampled_from(FORMS), st.randoms())
def test_records_are_cut_out_of_any_form_and_the_rest_is_untouched(found, form, draw):
    records = [{"user_id": user, "x": value} for user, value in found]

    def text(records):
        wrapped = {"a": 1, "day_totals": records, "z": "ü"}
        forms = {
            "lines": "".join(json.dumps(one) + draw.choice(["\n", "\r\n"]) for one in records),
            "objects": "".join(f"{json.dumps(one, indent=1)}\n" for one in records),
            "list": json.dumps(records),
            "indented": json.dumps(records, indent=2),
            "wrapper": json.dumps(wrapped, ensure_ascii=False),
            "wrappers": json.dumps([wrapped, wrapped], indent=1),
        }
        return forms[form]

    content = text(records).encode()
    pieces = [content[place : place + 7] for place in range(0, len(content), 7)]
    result = b"".join(
        rewriting.without(rewriting.lines_of(pieces), lambda one: one["user_id"] != 1)
    )
    kept = [one for one in records if one["user_id"] != 1]
    if form == "lines":
        assert [json.loads(line) for line in result.split(b"\n") if line.strip()] == kept
        assert all(line in content for line in result.split(b"\n"))
    else:
        assert values_of(result) == values_of(text(kept).encode())
    untouched = b"".join(rewriting.without(rewriting.lines_of(pieces), lambda one: True))
    assert untouched == content
