"""`load` reads whatever GitHub delivers, exactly, and says what is wrong with the rest."""

import json
import random

import pandas as pd
import pytest
from conftest import ndjson, user_record
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from oracle import assert_equals_oracle
from random_records import UNKNOWN, record, wrapper

import copilot_analytics as ca
from copilot_analytics import catalogue
from copilot_analytics.errors import ContentError, UsageError
from copilot_analytics.samples import Company, encode
from copilot_analytics.tidy import fast

PANDAS_TYPES = {
    "text": "str",
    "id": "int64",
    "count": "Int64",
    "code": "Int64",
    "number": "float64",
    "flag": "boolean",
    "date": "datetime64[us]",
    "timestamp": "datetime64[us, UTC]",
}


class TestTables:
    def test_every_table_is_there_with_typed_columns_even_when_empty(self):
        tables = ca.load(ndjson(user_record()))
        assert list(tables) == list(catalogue.all_tables())
        for name, table in catalogue.all_tables().items():
            frame = tables[name]
            assert list(frame.columns) == list(table.names)
            types = {column: str(kind) for column, kind in frame.dtypes.items()}
            assert types == {f.column: PANDAS_TYPES[f.type] for f in table.columns}
            assert {"scope", "enterprise_id", "organization_id", "day"} <= set(frame.columns)

    def test_is_a_read_only_mapping_with_attributes(self):
        tables = ca.load(ndjson(user_record()))
        assert tables.users is tables["users"]
        assert "users_by_ide" in dir(tables)
        with pytest.raises(TypeError):
            tables["users"] = None
        with pytest.raises(AttributeError, match="there is no table 'user'"):
            _ = tables.user

    def test_filter_keeps_both_ends(self):
        records = [user_record(f"2026-11-{day:02}") for day in range(1, 8)]
        cut = ca.load(ndjson(*records)).filter(start="2026-11-03", end="2026-11-05")
        assert cut.users["day"].dt.day.tolist() == [3, 4, 5]
        assert cut.users_by_feature["day"].dt.day.tolist() == [3, 4, 5]
        assert cut.day_states["day"].dt.day.tolist() == [3, 4, 5]
        with pytest.raises(UsageError, match="after the end"):
            cut.filter(start="2026-11-05", end="2026-11-03")

    def test_summary_counts_what_was_read_and_noticed(self):
        record = user_record(invented=1)
        summary = ca.load([ndjson(record), ndjson(record)]).summary().set_index("what")
        assert summary.loc["users", ["rows", "days", "people"]].tolist() == [1, 1, 1]
        noticed = ["files", "records", "duplicates collapsed", "unknown fields"]
        assert summary.loc[noticed, "rows"].tolist() == [2, 2, 1, 1]
        assert "<script>" not in ca.load(ndjson(user_record()))._repr_html_()


class TestPlainReading:
    """What an independent reading finds stands in the tables, and nothing else."""

    def test_of_files_that_nobody_of_this_project_wrote(self, real_files):
        for path in real_files:
            assert_equals_oracle(ca.load(path), path.read_bytes())

    def test_of_users_and_entity_of_one_organization_together(self, real_files):
        together = [path for path in real_files if "docs" not in path.name]
        tables = ca.load(together)
        assert len(tables.users) == 107
        assert len(tables.entity) == 26
        assert_equals_oracle(tables, *(path.read_bytes() for path in together))

    @pytest.mark.parametrize(
        "endpoint", catalogue.all_endpoints(), ids=lambda one: f"{one.scope_kind}-{one.report}"
    )
    def test_of_every_report_of_the_sample_company(self, endpoint):
        company = Company(people=30, days=40)
        (scope,) = [one for one in company.scopes if one.kind == endpoint.scope_kind][:1]
        day = None if endpoint.period == "28-day" else company.end_day
        parts = company.parts(endpoint.report, scope, day)
        contents = [b"".join(encode(part)) for part in parts]
        assert_equals_oracle(ca.load(contents), *contents)

    @settings(max_examples=16, phases=[Phase.reuse, Phase.generate])
    @given(
        st.integers(0, 2**32), st.sampled_from(["users", "entity", "teams", "repos"]), st.booleans()
    )
    def test_of_any_records_by_either_reader(self, seed, family, is_odd):
        """Usual records go the fast way, and a list of them the exact way: to the same tables."""
        draw = random.Random(seed)
        # Arrow reads unknown values of one kind; of several kinds only the exact reader does.
        unknown = UNKNOWN if is_odd else [draw.choice(UNKNOWN)]
        records = [
            record(family, number, draw, odd=is_odd, unknown=unknown)
            for number in range(draw.randrange(1, 6))
        ]
        lines, listed = ndjson(*records), json.dumps(records).encode()
        if not is_odd:
            assert fast.read(bytearray(lines), len(records), {}) is not None
        tables, exactly = ca.load(lines), ca.load(listed)
        assert_equals_oracle(tables, lines)
        for name in tables:
            pd.testing.assert_frame_equal(tables[name], exactly[name])
        told = ["path", "table", "count"]
        assert tables.unknown_fields[told].equals(exactly.unknown_fields[told])

    @settings(max_examples=5, phases=[Phase.reuse, Phase.generate])
    @given(st.integers(0, 2**32))
    def test_of_any_28_day_reports(self, seed):
        draw = random.Random(seed)
        days = [record("entity", number, draw) for number in range(4)]
        reports = [wrapper(days[:2], 0, draw), wrapper(days[1:], 1, draw), wrapper([], 2, draw)]
        contents = ndjson(*reports[:2]), json.dumps(reports[2], indent=1).encode()
        assert_equals_oracle(ca.load(contents), *contents)

    def test_of_slices_of_one_dimension(self):
        """Counters add up; what cannot be added stays if it is the same, else it is missing."""
        times = {"authored_by": "human", "reviewed_by": "human"}
        slices = [
            {**times, "total_merged": merged, "median_minutes_ready_to_first_review": 5.0}
            | {"p90_minutes_ready_to_first_review": 10.0 * merged}
            for merged in (1, 2)
        ]
        repo = {"day": "2026-11-02", "organization_id": "7", "repo_id": 1}
        features = [
            {"feature": "a", "loc_added_sum": 1, "loc_deleted_sum": None},
            {"feature": "b", "loc_added_sum": 5},
            {"feature": "a", "loc_added_sum": 2, "code_generation_activity_count": 1},
            None,
        ]
        content = ndjson(
            {**repo, "pull_request_review_times": slices}, user_record(totals_by_feature=features)
        )
        tables = ca.load(content)
        assert_equals_oracle(tables, content)
        (row,) = tables.repos_by_review.to_dict("records")
        assert (row["total_merged"], row["median_minutes_ready_to_first_review"]) == (3, 5.0)
        assert pd.isna(row["p90_minutes_ready_to_first_review"])
        assert tables.users_by_feature["loc_added_sum"].tolist() == [3, 5]
        assert len(tables.notes) == 3

    def test_slices_whose_sum_fits_no_64_bits_are_refused(self):
        half = {"feature": "a", "loc_added_sum": 2**62}
        content = ndjson(user_record(user_id=2), user_record(totals_by_feature=[half, half]))
        with pytest.raises(ContentError, match="does not fit 64 bits") as caught:
            ca.load(content)
        assert caught.value.line == 2
        assert ca.load(content, errors="quarantine").users["user_id"].tolist() == [2]


class TestScopes:
    def test_a_scope_comes_from_the_record_then_from_the_caller(self):
        record = {"day": "2026-11-02", "daily_active_users": 1}
        for change, given_scope, expected in (
            ({}, None, "unknown"),
            ({}, "organization:Octo-Org", "organization:octo-org"),
            ({"enterprise_id": ""}, "enterprise:octo", "enterprise:octo"),
            ({"enterprise_id": "3"}, "organization:octo-org", "enterprise:3"),
            ({"enterprise_id": "3", "organization_id": "7"}, None, "organization:7"),
            ({"enterprise_id": "", "organization_id": "7"}, None, "organization:7"),
            ({"enterprise_id": 3, "organization_id": ""}, None, "enterprise:3"),
        ):
            content = ndjson({**record, **change})
            tables = ca.load(content, scope=given_scope)
            assert tables.entity["scope"].tolist() == [expected]
            named = given_scope.lower() if given_scope else "unknown"
            assert_equals_oracle(tables, content, scope=named)

    @pytest.mark.parametrize("scope", ["octo-org", "team:x", "organization:", "organization:a/b"])
    def test_a_scope_that_is_none_is_a_usage_error(self, scope):
        with pytest.raises(UsageError):
            ca.load(ndjson(user_record()), scope=scope)


class TestValues:
    def test_missing_is_missing_and_flags_have_three_states(self):
        users = ca.load(
            ndjson(
                user_record(user_id=1, used_agent=False),
                user_record(user_id=2, used_agent=None),
                user_record(user_id=3, used_agent=True),
            )
        ).users
        assert users["used_agent"].tolist() == [False, pd.NA, True]
        assert users["cli_session_count"].isna().all()

    def test_types_that_tools_around_github_are_known_to_write(self):
        usual = user_record(user_id=12, used_chat=True, used_agent=False, loc_added_sum=3)
        odd = user_record(
            user_id="12",
            organization_id=7,
            enterprise_id=3,
            used_chat=1,
            used_agent=0,
            loc_added_sum=3.0,
            user_login="login-12",
        )
        assert ca.load(ndjson(odd)).users.equals(ca.load(ndjson(usual)).users)

    @pytest.mark.parametrize(
        ("time", "expected"),
        [
            ("2026-11-02T10:00:00Z", "2026-11-02T10:00:00.000000Z"),
            ("2026-11-02T10:00:00.123Z", "2026-11-02T10:00:00.123000Z"),
            ("2026-11-02T10:00:00.1234567Z", "2026-11-02T10:00:00.123456Z"),
            ("2026-11-02T12:00:00+02:00", "2026-11-02T10:00:00.000000Z"),
        ],
    )
    def test_times_are_utc_with_microseconds(self, time, expected):
        ide = {"ide": "vscode", "last_known_ide_version": {"sampled_at": time}}
        found = ca.load(ndjson(user_record(totals_by_ide=[ide]))).users_by_ide
        assert found["ide_version_sampled_at"].tolist() == [pd.Timestamp(expected)]

    @pytest.mark.parametrize("time", ["2026-11-02T10:00:00", "10:00", "", "2026-11-02T25:00:00Z"])
    def test_a_time_without_zone_or_sense_is_refused(self, time):
        ide = {"ide": "vscode", "last_known_ide_version": {"sampled_at": time}}
        with pytest.raises(ContentError, match="ISO 8601 time in UTC"):
            ca.load(ndjson(user_record(totals_by_ide=[ide])))

    REDUCED = {"day": "2026-11-02", "organization_id": "7", "user_id": 2, "ai_credits_used": 1.5}

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({}, False),
            ({"loc_added_sum": 0, "invented": 1, "user_login": "a"}, False),
            ({"used_chat": None, "totals_by_cli": None}, False),
            ({"used_chat": False}, True),
            ({"totals_by_feature": []}, True),
            ({"totals_by_cli": {}}, True),
            ({"used_something_new": False}, True),
            ({"totals_by_something_new": []}, True),
        ],
    )
    @pytest.mark.parametrize("encode", [ndjson, lambda *records: json.dumps(records).encode()])
    def test_has_telemetry_tells_reduced_rows_from_the_others(self, encode, more, expected):
        users = ca.load(encode(user_record(), {**self.REDUCED, **more})).users
        assert users["has_telemetry"].tolist() == [True, expected]

    @pytest.mark.parametrize(
        ("more", "expected"), [({"totals_by_feature": [{"feature": "a"}]}, True), ({}, False)]
    )
    def test_a_person_over_a_window_is_not_spread_over_days(self, more, expected):
        period = {"report_start_day": "2026-10-06", "report_end_day": "2026-11-02"}
        whole = {key: value for key, value in self.REDUCED.items() if key != "day"}
        content = ndjson({**whole, **period, **more})
        tables = ca.load(content)
        assert_equals_oracle(tables, content)
        assert tables.users.empty
        assert tables.users_by_feature.empty
        row = tables.users_window.iloc[0]
        assert row["day"] == row["report_end_day"] == pd.Timestamp("2026-11-02")
        assert row["has_telemetry"] == expected
        assert pd.isna(row["extra"]) or json.loads(row["extra"]) == more


class TestWrappers:
    def test_unknown_keys_of_a_window_stand_in_its_rows_and_the_row_s_own_win(self):
        features = [{"feature": "a", "engaged_user_count": 2, "new": 2}, {"feature": "b"}]
        window = {
            "report_start_day": "2026-10-06",
            "report_end_day": "2026-11-02",
            "organization_id": "7",
            "day_totals": [],
            "new": 1,
            "copilot_feature_engagement": {"active_user_count": 9, "totals_by_feature": features},
        }
        extra = ca.load(ndjson(window)).feature_engagement["extra"]
        assert [json.loads(text) for text in extra] == [{"new": 2}, {"new": 1}]

    @pytest.mark.parametrize("key", catalogue.HOUSEKEEPING)
    def test_how_a_record_was_delivered_is_no_part_of_it(self, key):
        """Families whose records are not documented to carry such keys as well."""
        repo = {"day": "2026-11-02", "organization_id": "7", "repo_id": 5, "repo_name": "a"}
        value = 7 if key == "entity_id_partition" else "2026-11-02"
        wrapped = {key: value, "organization_id": "7", "day_totals": [repo]}
        tables = ca.load([ndjson(repo), ndjson({**repo, key: value}), ndjson(wrapped)])
        assert len(tables.repos) == 1
        assert tables.facts["duplicates collapsed"] == 2
        assert tables.unknown_fields.query("table == 'repos'").empty


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "empty"),
            (b" \n\n", "empty"),
            (b"<!DOCTYPE html><html>Sign in</html>", "HTML"),
            (b"<?xml version='1.0'?><Error/>", "XML"),
            (b"Date,User,Quantity\n2026-11-01,a,3\n", "CSV"),
            (b'"Date","User"\n"2026-11-01","a"\n', "CSV"),
            (b'"No report available"', "JSON text"),
            (b"null", "single JSON value"),
            (b"PK\x03\x04....", "ZIP[^•]*unzip it"),
            (b"PK\x03\x04" + b"\x14\x00" * 13 + b"[Content_Types].xml", "Excel[^•]*download the"),
            ('{"day":1}'.encode("utf-16"), "UTF-16[^•]*Set-Content -Encoding utf8"),
            (b"PAR1....", "Parquet"),
            (b'[{"date":"2025-01-01","copilot_ide_chat":{}}]', "metrics API"),
            (b'[{"day":"2024-01-01","total_suggestions_count":3,"breakdown":[]}]', "usage API"),
            (b'{"total_seats":2,"seats":[{"assignee":{"login":"a"}}]}', "seats"),
            (b'{"download_links":["https://x.example/a?sig=secret"]}', "links to a report"),
            (b'{"user_totals":[{"user_id":1,"day":"2026-01-01"}]}', "another tool"),
            (b'{"day_totals":[],"records":[{"user_id":1,"day":"2026-01-01"}]}', "another tool"),
            (b'{"message":"Not Found","documentation_url":"https://docs"}', "error message"),
            (b'{"day":"2026-11-01","colour":"red"}', "holds only day, colour"),
            (
                b'{"day":"2026-11-01","daily_active_users":1}\n{"day":"2026-11-02","colour":"red"}',
                "line 2: is not a report record",
            ),
            (b"[" * 100_000, "nested deeper"),
            (b'{"user_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested deeper"),
            (b"{}", "is an empty object"),
            (b'{"day_totals":null}', "a list of records, found null"),
            (b'{"day_totals":[{"day_totals":[]}]}', "expected a record, found an object"),
        ],
    )
    def test_what_is_not_a_report_is_named(self, tmp_path, content, message):
        path = tmp_path / "input.json"
        path.write_bytes(content)
        with pytest.raises(ContentError, match=message) as caught:
            ca.load(path)
        assert "input.json" in str(caught.value)
        assert "secret" not in str(caught.value)
        assert "\\x0" not in str(caught.value)  # no bytes that nobody can read

    def test_a_file_that_is_none_is_put_aside_beside_good_ones(self, tmp_path):
        (tmp_path / "a.json").write_bytes(ndjson(user_record()))
        (tmp_path / "b.json").write_bytes(b"<html>")
        (tmp_path / "c.json").write_bytes(b"")
        tables = ca.load(tmp_path, errors="quarantine")
        assert len(tables.users) == 1
        assert [path[-6:] for path in tables.quarantined["file"]] == ["b.json", "c.json"]
        assert not tables.is_complete

    @pytest.mark.parametrize("content", [b"", b"<html>", b'{"seats":[]}', b"[1]", b"{}\n{}"])
    def test_putting_everything_aside_is_an_error(self, content):
        with pytest.raises(ContentError, match="no record could be read"):
            ca.load(content, errors="quarantine")

    def test_errors_takes_two_values(self):
        with pytest.raises(UsageError, match="ignore"):
            ca.load(ndjson(user_record()), errors="ignore")
