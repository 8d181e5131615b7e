"""`load` reads whatever GitHub delivers, exactly, and says what is wrong with the rest."""

import gzip
import io
import json

import pandas as pd
import pyarrow as pa
import pytest
from conftest import ndjson, user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import assert_equals_oracle

import copilot_analytics as ca
from copilot_analytics import catalogue, tidy
from copilot_analytics.errors import ContentError, UsageError
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


class TestRealFiles:
    def test_agree_with_a_plain_reading(self, real_files):
        for path in real_files:
            assert_equals_oracle(ca.load(path), path.read_bytes())

    def test_users_and_entity_of_one_organization_load_together(self, real_files):
        together = ca.load([path for path in real_files if "docs" not in path.name])
        assert len(together.users) == 107
        assert len(together.entity) == 26


class TestShapes:
    RECORDS = (user_record(user_id=1), user_record(user_id=2))

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(ndjson(*RECORDS), id="lines"),
            pytest.param(ndjson(*RECORDS)[:-1], id="F089 no final newline"),
            pytest.param(b"\xef\xbb\xbf" + ndjson(*RECORDS), id="F090 byte order mark"),
            pytest.param(
                b"\r\n" + ndjson(*RECORDS).replace(b"\n", b"\r\n\r\n"), id="F091 CRLF, blank lines"
            ),
            pytest.param(json.dumps(RECORDS).encode(), id="F093 array"),
            pytest.param(json.dumps(RECORDS, indent=2).encode(), id="indented array"),
            pytest.param(json.dumps({"day_totals": RECORDS}).encode(), id="wrapper"),
            pytest.param(
                json.dumps({"day_totals": RECORDS}, indent=1).encode(), id="F094 indented wrapper"
            ),
            pytest.param(gzip.compress(ndjson(*RECORDS)), id="gzip"),
            pytest.param(pa.compress(ndjson(*RECORDS), "zstd", asbytes=True), id="zstd"),
        ],
    )
    def test_are_recognised_by_content(self, content):
        expected = ca.load(ndjson(*self.RECORDS))
        for source in (content, io.BytesIO(content)):
            tables = ca.load(source)
            for name in tables:
                pd.testing.assert_frame_equal(tables[name], expected[name])

    def test_folder_pattern_and_list(self, tmp_path):
        (tmp_path / "part").mkdir()
        (tmp_path / "part" / "a.json").write_bytes(ndjson(user_record(user_id=1)))
        (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(ndjson(user_record(user_id=2))))
        (tmp_path / ".hidden.json").write_bytes(b"not read")
        (tmp_path / "quarantine").mkdir()
        (tmp_path / "quarantine" / "c.json").write_bytes(b"not read")
        assert set(ca.load(tmp_path).users["user_id"]) == {1, 2}
        assert set(ca.load(str(tmp_path / "*" / "a.json")).users["user_id"]) == {1}
        assert set(ca.load([tmp_path / "part", tmp_path / "b.ndjson.gz"]).users["user_id"]) == {
            1,
            2,
        }

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("/does/not/exist", "does not exist"),
            ("/does/not/exist/*.json", "no file matches"),
            ([], "empty"),
            (7, "cannot read records from int"),
            (io.StringIO("{}"), "open as text"),
        ],
    )
    def test_a_source_that_cannot_be_read_is_a_usage_error(self, source, message):
        with pytest.raises(UsageError, match=message):
            ca.load(source)

    def test_records_of_all_families_in_one_file_are_routed_by_their_keys(self):
        content = ndjson(
            user_record(),
            {"day": "2026-11-02", "organization_id": "7", "daily_active_users": 1},
            {"day": "2026-11-02", "organization_id": "7", "user_id": 1, "team_id": 5, "slug": "a"},
            {"day": "2026-11-02", "organization_id": "7", "repo_id": 9, "repo_name": "r"},
        )
        tables = ca.load(content)
        assert [len(tables[name]) for name in ("users", "entity", "teams", "repos")] == [1, 1, 1, 1]

    def test_a_wrapper_gives_its_ids_to_its_days_and_its_window_to_feature_engagement(self):
        wrapper = {
            "report_start_day": "2026-10-06",
            "report_end_day": "2026-11-02",
            "organization_id": "7",
            "day_totals": [{"day": "2026-11-02", "daily_active_users": 4}],
            "copilot_feature_engagement": {
                "active_user_count": 9,
                "totals_by_feature": [{"feature": "code_completion", "engaged_user_count": 6}],
            },
        }
        tables = ca.load(json.dumps(wrapper).encode())
        assert tables.entity["scope"].tolist() == ["organization:7"]
        row = tables.feature_engagement.iloc[0]
        assert (row["active_user_count"], row["engaged_user_count"]) == (9, 6)
        assert row["report_end_day"] == row["day"] == pd.Timestamp("2026-11-02")

    def test_a_person_over_a_window_is_not_spread_over_days(self):
        record = user_record(report_start_day="2026-10-06", report_end_day="2026-11-02")
        del record["day"]
        tables = ca.load(ndjson(record))
        assert tables.users.empty
        assert tables.users_by_feature.empty
        assert tables.users_window["user_initiated_interaction_count"].tolist() == [2]
        assert "code_completion" in tables.users_window["extra"][0]

    def test_scope_comes_from_the_record_then_from_the_caller(self):
        record = {"day": "2026-11-02", "daily_active_users": 1}
        assert ca.load(ndjson(record)).entity["scope"].tolist() == ["unknown"]
        given_scope = ca.load(ndjson(record), scope="organization:Octo-Org")
        assert given_scope.entity["scope"].tolist() == ["organization:octo-org"]
        both = ca.load(ndjson({**record, "enterprise_id": "3", "organization_id": "7"}))
        assert both.entity["scope"].tolist() == ["organization:7"]
        empty = ca.load(ndjson({**record, "enterprise_id": "", "organization_id": "7"}))
        assert empty.entity["scope"].tolist() == ["organization:7"]


class TestExactness:
    def test_f105_integers_beyond_2_to_the_53_stay_exact(self):
        users = ca.load(
            ndjson(
                user_record(user_id=9007199254740993),
                user_record(user_id=2, entity_id_partition=9007199254740993),
            )
        ).users
        assert users["user_id"].tolist()[0] == 9007199254740993
        assert users["entity_id_partition"][1] == 9007199254740993

    def test_f106_logins_stay_text(self):
        logins = ["1e5", "0012", "true", "nan", "None", "null"]
        records = [user_record(user_id=n, user_login=login) for n, login in enumerate(logins)]
        assert ca.load(ndjson(*records)).users["user_login"].tolist() == logins

    def test_f092_unusual_separators_inside_text_do_not_cut_a_record(self):
        login = "a\u2028b\u0085c\x0bd"
        content = json.dumps(user_record(user_login=login), ensure_ascii=False).encode() + b"\n"
        assert ca.load(content).users["user_login"].tolist() == [login]

    def test_missing_is_missing_and_flags_have_three_states(self):
        users = ca.load(
            ndjson(
                user_record(user_id=1, used_agent=False),
                user_record(user_id=2, used_agent=None),
            )
        ).users
        assert users["used_agent"].tolist() == [False, pd.NA]
        assert users["cli_session_count"].isna().all()

    def test_types_that_tools_around_github_are_known_to_write(self):
        users = ca.load(
            ndjson(
                user_record(
                    user_id="12", organization_id=7, used_chat=1, used_agent=0, loc_added_sum=3.0
                )
            )
        ).users
        row = users.iloc[0]
        assert (row["user_id"], row["organization_id"]) == (12, "7")
        assert (row["used_chat"], row["used_agent"], row["loc_added_sum"]) == (True, False, 3)

    def test_times_with_seven_digits(self):
        ide = {
            "ide": "vscode",
            "last_known_ide_version": {
                "ide_version": "1.1",
                "sampled_at": "2026-11-02T10:00:00.1234567Z",
            },
        }
        found = ca.load(ndjson(user_record(totals_by_ide=[ide]))).users_by_ide
        expected = pd.Timestamp("2026-11-02T10:00:00.123456Z")
        assert found["ide_version_sampled_at"].tolist() == [expected]

    def test_reduced_rows_are_recognisable(self):
        reduced = {
            "day": "2026-11-02",
            "organization_id": "7",
            "user_id": 2,
            "ai_credits_used": 1.5,
        }
        users = ca.load(ndjson(user_record(), reduced)).users
        assert users["has_telemetry"].tolist() == [True, False]

    def test_f110_identical_records_collapse_whatever_their_order_and_housekeeping(self):
        features = [
            {"feature": "a", "loc_added_sum": 1},
            {"feature": "b", "loc_added_sum": 2},
        ]
        one = user_record(totals_by_feature=features)
        two = user_record(
            totals_by_feature=features[::-1], etl_id="green", report_end_day="2026-11-09"
        )
        tables = ca.load([ndjson(one), ndjson(two)])
        assert len(tables.users) == 1
        assert len(tables.users_by_feature) == 2
        assert tables.facts["duplicates collapsed"] == 1

    @pytest.mark.parametrize(
        "other",
        [
            user_record(loc_added_sum=5),
            user_record(totals_by_feature=[{"feature": "a", "loc_added_sum": 1}]),
        ],
        ids=["counter", "breakdown"],
    )
    def test_f111_conflicting_records_are_refused_with_both_places(self, other):
        content = ndjson(user_record(), user_record(user_id=2), other)
        with pytest.raises(ContentError, match="conflicts") as caught:
            ca.load(content)
        assert "line 1" in str(caught.value)
        assert "line 3" in str(caught.value)
        tables = ca.load(content, errors="quarantine")
        assert tables.users["user_id"].tolist() == [2]
        assert tables.quarantined["line"].tolist() == [1, 3]
        assert not tables.is_complete

    def test_elements_with_the_same_dimension_are_summed_and_noted(self):
        record = user_record(
            totals_by_feature=[
                {"feature": "a", "loc_added_sum": 1},
                {"feature": "a", "loc_added_sum": 2, "code_generation_activity_count": 1},
                None,
            ]
        )
        tables = ca.load(ndjson(record))
        assert tables.users_by_feature["loc_added_sum"].tolist() == [3]
        assert len(tables.notes) == 2

    def test_f114_unknown_fields_are_kept_and_reported_once(self):
        record = user_record(
            invented={"since": "2026-11-02T00:00:00Z", "n": 9007199254740993},
            totals_by_feature=[{"feature": "a", "depth": [1, {"x": None}]}],
            totals_by_cli={"session_count": 1, "mood": "good"},
        )
        for content in (ndjson(record, {**record, "user_id": 2}), json.dumps([record]).encode()):
            tables = ca.load(content)
            extra = json.loads(tables.users["extra"][0])
            assert extra["invented"] == {"since": "2026-11-02T00:00:00Z", "n": 9007199254740993}
            assert extra["totals_by_cli"] == {"mood": "good"}
            assert json.loads(tables.users_by_feature["extra"][0])["depth"][0] == 1
            assert sorted(tables.unknown_fields["path"]) == [
                "invented",
                "totals_by_cli.mood",
                "totals_by_feature[].depth",
            ]

    BIG = "12345678901234567890"  # fits no 64 bits, and is rounded where it is read as a fraction

    @pytest.mark.parametrize(
        "text",
        [
            '{"day":"2026-11-02","daily_active_users":1,"new":%s}',
            '{"day":"2026-11-02","daily_active_users":1,"new":{"deep":[%s]}}',
            '{"day":"2026-11-02","user_id":1,"totals_by_feature":[{"feature":"a","new":%s}]}',
            '{"day":"2026-11-02","user_id":1,"totals_by_cli":{"new":%s}}',
        ],
        ids=["entity", "inside unknown", "element", "inside known"],
    )
    @pytest.mark.parametrize("value", [BIG, "NaN", "Infinity"])
    def test_f100_f102_unknown_fields_are_as_exact_as_known_ones(self, text, value):
        with pytest.raises(ContentError, match="64 bits|not JSON"):
            ca.load((text % value + "\n").encode())

    @pytest.mark.parametrize("name", ["#extra", "ai_adoption_phase.phase_number", "totals_by_cli."])
    @pytest.mark.parametrize("value", [3, "x"])
    def test_an_unknown_name_never_stands_for_another_place(self, name, value):
        users = ca.load(ndjson(user_record(**{name: value}))).users
        assert json.loads(users["extra"][0]) == {name: value}
        assert users["phase_number"].isna().all()


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "empty"),
            (b" \n\n", "empty"),
            (b"<!DOCTYPE html><html>Sign in</html>", "HTML"),
            (b"<?xml version='1.0'?><Error/>", "XML"),
            (b"Date,User,Quantity\n2026-11-01,a,3\n", "CSV"),
            (b'"No report available"', "JSON text"),
            (b"null", "single JSON value"),
            (b"PK\x03\x04....", "ZIP"),
            (b"PAR1....", "Parquet"),
            (b'[{"date":"2025-01-01","copilot_ide_chat":{}}]', "metrics API"),
            (b'[{"day":"2024-01-01","total_suggestions_count":3,"breakdown":[]}]', "usage API"),
            (b'{"total_seats":2,"seats":[{"assignee":{"login":"a"}}]}', "seats"),
            (b'{"download_links":["https://x.example/a?sig=secret"]}', "links to a report"),
            (b'{"user_totals":[{"user_id":1,"day":"2026-01-01"}]}', "another tool"),
            (b'{"message":"Not Found","documentation_url":"https://docs"}', "error message"),
            (b'{"day":"2026-11-01","colour":"red"}', "holds only day, colour"),
            (
                b'{"day":"2026-11-01","daily_active_users":1}\n{"day":"2026-11-02","colour":"red"}',
                "line 2: is not a report record",
            ),
            (b"[" * 100_000, "nested deeper"),
            (b'{"user_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested deeper"),
            (b"{}", "holds only nothing"),
        ],
    )
    def test_what_is_not_a_report_is_named(self, tmp_path, content, message):
        path = tmp_path / "input.json"
        path.write_bytes(content)
        with pytest.raises(ContentError, match=message) as caught:
            ca.load(path)
        assert "input.json" in str(caught.value)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("change", "field", "problem"),
        [
            ({"loc_added_sum": 3.5}, "loc_added_sum", "whole number"),
            ({"loc_added_sum": "12"}, "loc_added_sum", "whole number"),
            ({"loc_added_sum": -1}, "loc_added_sum", "0 or more"),
            ({"loc_added_sum": True}, "loc_added_sum", "whole number"),
            ({"loc_added_sum": 2**63}, "", "64 bits"),
            ({"used_chat": "yes"}, "used_chat", "true or false"),
            ({"user_id": None}, "user_id", "found none"),
            ({"user_id": "a1b2"}, "user_id", "anonymised"),
            ({"user_login": 7}, "user_login", "expected text"),
            ({"day": "2026-2-30"}, "day", "YYYY-MM-DD"),
            ({"day": "2026-02-30"}, "day", "YYYY-MM-DD"),
            ({"day": None}, "day", "expected the day"),
            ({"totals_by_feature": {}}, "totals_by_feature", "expected a list"),
            ({"totals_by_feature": [3]}, "totals_by_feature[]", "expected objects"),
            ({"totals_by_feature": [{}]}, "totals_by_feature[].feature", "found none"),
            ({"totals_by_cli": []}, "totals_by_cli", "expected an object"),
            ({"ai_credits_used": "1"}, "ai_credits_used", "expected a number"),
            ({"user_login": "\ud800"}, "user_login", "surrogate"),
        ],
    )
    def test_a_wrong_value_is_named_with_file_line_and_field(self, change, field, problem):
        content = ndjson(user_record(user_id=5), user_record(**change), user_record(user_id=6))
        with pytest.raises(ContentError, match=problem) as caught:
            ca.load(content)
        assert (caught.value.line, caught.value.field) == (2, field)
        good = ca.load(content, errors="quarantine")
        assert good.users["user_id"].tolist() == [5, 6]
        assert good.quarantined[["line", "field"]].to_numpy().tolist() == [[2, field]]

    @pytest.mark.parametrize(
        "text",
        [
            b"[1]",
            b"5",
            b'{"user_id":1,"user_id":2,"day":"2026-11-02"}',
            b'{"user_id":1,"day":"2026-11-02","ai_credits_used":NaN}',
            b'{"user_id":1,"day":"2026-11-02","ai_credits_used":1e400}',
            b'{"user_id":' + b"9" * 5000 + b',"day":"2026-11-02"}',
            b'{"user_id":1,"day":"2026-11-02","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"user_id":1,"day":"2026-11-02","x":' + b"[" * 70 + b"]" * 70 + b"}",
            b'{"user_login":"\xff","user_id":1,"day":"2026-11-02"}',
            b"garbage",
        ],
        ids=["array", "number", "F101", "F100", "overflow", "F102", "F103", "deep", "F098", "F097"],
    )
    def test_json_that_is_not_a_record_is_refused_with_its_line(self, text):
        with pytest.raises(ContentError) as caught:
            ca.load(ndjson(user_record()) + text + b"\n" + ndjson(user_record(user_id=2)))
        assert caught.value.line == 2

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_f088_a_file_cut_inside_a_record_is_never_shorter_silently(self, data):
        content = ndjson(user_record(user_id=1), user_record(user_id=2))
        cut = data.draw(st.integers(0, len(content) - 1))
        kept = content[:cut]
        if kept.rstrip() in (content.rstrip(), content.split(b"\n")[0]):  # between two records
            assert len(ca.load(kept).users) == kept.rstrip().count(b"\n") + 1
            return
        with pytest.raises(ContentError):
            ca.load(kept)

    def test_a_cut_gzip_file_is_refused(self):
        packed = gzip.compress(ndjson(*(user_record(user_id=n) for n in range(500))))
        with pytest.raises(ContentError, match="cannot be read to its end"):
            ca.load(packed[: len(packed) // 2])

    def test_errors_takes_two_values(self):
        with pytest.raises(UsageError, match="ignore"):
            ca.load(ndjson(user_record()), errors="ignore")


class TestReadersAgree:
    """The fast reader and the exact one give the same tables for everything that both take."""

    counts = st.one_of(st.none(), st.integers(0, 2**40))
    features = st.lists(
        st.fixed_dictionaries(
            {"feature": st.sampled_from(["code_completion", "chat_inline", "ünïcode", "new"])},
            optional={"loc_added_sum": counts, "unknown": st.integers(0, 9)},
        ),
        max_size=3,
        unique_by=lambda item: item["feature"],
    )
    records = st.lists(
        st.fixed_dictionaries(
            {
                "day": st.dates(
                    pd.Timestamp("2026-01-01").date(), pd.Timestamp("2026-12-31").date()
                ).map(str),
                "user_id": st.integers(1, 2**62),
                "organization_id": st.sampled_from(["7", "8"]),
            },
            optional={
                "user_login": st.one_of(st.none(), st.text(max_size=5)),
                "loc_added_sum": counts,
                "ai_credits_used": st.floats(0, 1e6),
                "used_chat": st.one_of(st.none(), st.booleans()),
                "totals_by_feature": features,
                "totals_by_cli": st.fixed_dictionaries({"session_count": counts}),
                "invented": st.integers(0, 5),
            },
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda item: (item["day"], item["user_id"], item["organization_id"]),
    )

    @settings(max_examples=40, deadline=None)
    @given(records)
    def test_on_any_records_and_with_a_plain_reading(self, records):
        lines = ndjson(*records)
        document = json.dumps(records).encode()  # a list always goes the exact way
        _, fast_tables = tidy.arrow_tables(lines)
        _, exact_tables = tidy.arrow_tables(document)
        assert fast_tables.keys() == exact_tables.keys()
        for name, table in fast_tables.items():
            assert table.equals(exact_tables[name]), name
        assert_equals_oracle(ca.load(lines), lines)

    def test_usual_lines_do_go_the_fast_way(self):
        assert fast.read(ndjson(user_record(), user_record(user_id=2))) is not None
        assert fast.read(ndjson(user_record(loc_added_sum=-1))) is None
