"""What goes wrong with the content of files, fault by fault (F088 to F120), and what must hold."""

import gzip
import json
import time
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from conftest import ndjson, user_record

import copilot_analytics as ca
from copilot_analytics import catalogue, metrics
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope
from copilot_analytics.errors import ContentError

SCOPE = Scope("organization", "octo-org")
DAY = date(2026, 11, 2)
ONE, TWO, THREE = (user_record(user_id=number) for number in (1, 2, 3))
ENTITY = {"day": "2026-11-02", "organization_id": "7", "daily_active_users": 3}
WINDOW = {"report_start_day": "2026-10-06", "report_end_day": "2026-11-02", "organization_id": "7"}


@pytest.fixture
def store(tmp_path):
    """Store the bytes of a report in an archive of their own; return its tables."""

    def run(*files: bytes, report="users-1-day", day=DAY):
        archive = Archive(tmp_path / "archive", clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))
        paths = []
        for number, content in enumerate(files):
            paths.append(tmp_path / f"{number}.ndjson")
            paths[-1].write_bytes(content)
        with archive.writing() as ledger:
            archive.store(ledger, SCOPE, report, day, paths)
        return archive.tables()

    return run


def refused(content, problem=None, **options) -> ContentError:
    """The error on reading, which has to say what is wrong."""
    with pytest.raises(ContentError, match=problem) as caught:
        ca.load(content, **options)
    return caught.value


def raw(text: str) -> bytes:
    """A user record between two good ones, with more JSON text inside."""
    middle = '{"day":"2026-11-02","organization_id":"7","user_id":2,' + text + "}\n"
    return ndjson(ONE) + middle.encode() + ndjson(THREE)


class TestFiles:
    @pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
    def test_f088_a_file_with_a_cut_last_line_is_refused_as_a_whole(self, packed):
        content = ndjson(ONE, TWO)[:-20]
        problem = refused(gzip.compress(content) if packed else content, "file is cut")
        assert (problem.line, problem.file) == (2, "<bytes>")
        tables = ca.load(content, errors="quarantine")
        assert tables.users["user_id"].tolist() == [1]
        assert tables.quarantined["line"].tolist() == [2]
        assert not tables.is_complete

    def test_f089_a_last_line_without_newline_is_a_record(self):
        assert ca.load(ndjson(ONE, TWO)[:-1]).users["user_id"].tolist() == [1, 2]

    def test_f090_a_byte_order_mark_stands_at_the_start_of_a_file_and_nowhere_else(self):
        mark = b"\xef\xbb\xbf"
        both = ca.load([mark + ndjson(ONE), mark + ndjson(TWO)])
        assert both.users["user_id"].tolist() == [1, 2]
        assert refused(ndjson(ONE) + mark + ndjson(TWO), "not JSON").line == 2
        refused(mark + mark + ndjson(ONE))

    def test_f091_line_ends_and_blank_lines_change_nothing_and_lines_are_counted_right(self):
        lines = ndjson(ONE, TWO)
        windows = b"\r\n \t\r\n" + lines.replace(b"\n", b"\r\n\r\n")
        assert ca.load(windows).users.equals(ca.load(lines).users)
        assert refused(windows + b"garbage\r\n").line == 7

    def test_f091_what_is_noticed_after_blank_lines_has_the_right_line(self):
        content = ndjson(ONE) + b"\n\r\n" + ndjson(user_record(user_id=2, new=1))
        assert ca.load(content).unknown_fields["line"].tolist() == [4]
        problem = refused(content + b"\n" + ndjson(user_record(loc_added_sum=77)), "conflicts")
        assert "line 1; <bytes>, line 6" in str(problem)

    def test_f091_a_blank_line_does_not_make_up_for_two_records_on_one(self):
        content = ndjson(ONE)[:-1] + ndjson(TWO) + b"\n" + ndjson(THREE)
        assert refused(content, "more than one record on a line").line == 1

    @pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1e", "\r"])
    @pytest.mark.parametrize("is_escaped", [True, False])
    def test_f092_only_a_line_feed_ends_a_record(self, sign, is_escaped):
        text = json.dumps(f"a{sign}b", ensure_ascii=is_escaped)
        if sign in "\x0b\x0c\x1e\r":  # JSON allows control characters as escapes only
            text = json.dumps(f"a{sign}b")
        users = ca.load(raw(f'"user_login":{text},"invented":{text}')).users
        assert users["user_login"].tolist() == ["login-1", f"a{sign}b", "login-3"]
        assert json.loads(users["extra"][1]) == {"invented": f"a{sign}b"}

    def test_f093_a_list_is_accepted_and_noted(self):
        tables = ca.load([json.dumps([ONE]).encode(), json.dumps([TWO], indent=1).encode()])
        assert tables.users["user_id"].tolist() == [1, 2]
        assert tables.notes == {"files that hold one JSON list instead of lines": 2}

    def test_f094_one_indented_object_is_a_record(self):
        tables = ca.load(json.dumps(ENTITY, indent=4).encode())
        assert tables.entity["daily_active_users"].tolist() == [3]

    @pytest.mark.parametrize("records", [[ENTITY], [ONE, TWO]], ids=["entity", "users"])
    def test_f095_days_in_a_wrapper_and_days_on_their_own_are_the_same_rows(self, records):
        wrapped = ca.load(json.dumps({**WINDOW, "day_totals": records}).encode())
        for name, rows in ca.load(ndjson(*records)).items():
            assert len(wrapped[name]) == len(rows)

    def test_f095_a_report_of_28_days_is_never_taken_for_one_day(self, store):
        wrapper = {**WINDOW, "day_totals": [{**ENTITY, "day": "2026-11-01"}, ENTITY]}
        with pytest.raises(ContentError, match="holds records of 2026-11-01"):
            store(json.dumps(wrapper).encode(), report="organization-1-day")
        flat = store(ndjson(ENTITY), report="organization-28-day")
        assert flat.entity["daily_active_users"].tolist() == [3]

    @pytest.mark.parametrize("value", ["7", '"text"', "null", "true", "[1]", "[]", "[[{}]]"])
    def test_f096_a_line_that_is_no_object_is_named(self, value):
        content = ndjson(ONE) + value.encode() + b"\n" + ndjson(TWO)
        assert refused(content, "a record must be an object, found").line == 2
        assert len(ca.load(content, errors="quarantine").users) == 2

    def test_f097_a_line_of_garbage_fails_the_file_or_is_put_aside_and_counted(self, store):
        content = ndjson(ONE) + b"<garbage>\n" + ndjson(TWO)
        assert refused(content, "is not JSON").line == 2
        tables = ca.load(content, errors="quarantine")
        assert tables.users["user_id"].tolist() == [1, 2]
        assert tables.users.notna()["user_login"].all()  # and no row of nulls
        assert tables.quarantined["record"].tolist() == ["<garbage>"]
        assert tables.summary().set_index("what").loc["records in quarantine", "rows"] == 1
        with pytest.raises(ContentError):
            store(content)  # the archive takes whole files only

    @pytest.mark.parametrize("place", ["user_login", "invented"])
    def test_f098_bytes_that_are_no_utf_8_are_shown_with_their_offset(self, place):
        content = raw(f'"{place}":"@"').replace(b"@", b"\xff")
        offset = content.split(b"\n")[1].index(b"\xff")
        assert refused(content, f"not UTF-8 text at byte {offset}").line == 2

    @pytest.mark.parametrize(
        "text",
        [
            r'"user_login":"\ud800"',
            r'"invented":"a\udc00"',
            r'"invented":{"deep":[1,"\ud83d"]}',
            r'"\ud800":1',
            r'"totals_by_feature":[{"feature":"\ud800"}]',
            r'"totals_by_cli":{"new\udfff":1}',
        ],
    )
    def test_f099_half_a_surrogate_pair_is_refused_wherever_it_stands(self, text):
        assert refused(raw(text), "half of a surrogate pair").line == 2
        refused(b"[" + raw(text).strip().replace(b"\n", b",") + b"]", "half of a surrogate pair")
        assert ca.load(raw(text), errors="quarantine").users["user_id"].tolist() == [1, 3]

    def test_f099_a_whole_pair_and_a_nul_stay_as_they_are(self, store):
        text = r'"user_login":"\ud83d\udc19 a\u0000b","invented":"c\u0000d"'
        for users in (ca.load(raw(text)).users, store(raw(text)).users):
            assert users["user_login"][1] == "🐙 a\0b"
            assert json.loads(users["extra"][1]) == {"invented": "c\0d"}

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", "-1e999"])
    @pytest.mark.parametrize(
        "text",
        [
            '"ai_credits_used":%s',
            '"loc_added_sum":%s',
            '"invented":%s',
            '"invented":{"deep":[%s]}',
            '"totals_by_feature":[{"feature":"a","new":%s}]',
            '"totals_by_cli":{"token_usage":{"avg_tokens_per_request":%s}}',
        ],
    )
    def test_f100_numbers_that_are_no_json_are_refused_in_known_and_unknown_fields(
        self, text, value
    ):
        assert refused(raw(text % value), "is not JSON|out of range").line == 2

    @pytest.mark.parametrize("name", ["loc_added_sum", "ai_credits_used", "new"])
    @pytest.mark.parametrize(
        "value",
        [
            "01",
            "+1",
            ".5",
            "1.",
            "-",
            "0x1",
            "nan",
            "Inf",
            "True",
            "'a'",
            "1/*a*/",
            '"a\tb"',
            "[1,]",
        ]
        + [r'"\x41"', r'"\u12"', '"\0"', "{a:1}", "1,", "1 2"],
    )
    def test_f100_what_other_parsers_let_pass_is_refused_by_either_reader(self, name, value):
        text = raw(f'"{name}":{value}')
        assert refused(text, "not JSON|cut|number").line == 2
        refused(b"[" + text.strip().replace(b"\n", b",") + b"]")

    @pytest.mark.parametrize(
        ("text", "field"),
        [
            ('"user_login":"a","user_login":"a"', "user_login"),
            (r'"user_login":"a","user\u005flogin":"b"', "user_login"),
            ('"new":1,"new":1', "new"),
            ('"new":{"a":1,"a":2}', "a"),
            ('"totals_by_cli":{"session_count":1,"session_count":2}', "session_count"),
            ('"totals_by_feature":[{"feature":"a","feature":"b"}]', "feature"),
        ],
    )
    def test_f101_a_key_that_occurs_twice_is_refused(self, text, field):
        problem = refused(raw(text), "occurs twice")
        assert problem.line == 2
        assert problem.field.endswith(field)

    @pytest.mark.parametrize(
        "value", [2**63, -(2**63) - 1, 10**19, int("9" * 40)], ids=["2^63", "-2^63-1", "20", "40"]
    )
    @pytest.mark.parametrize(
        ("text", "field"),
        [
            ('"loc_added_sum":%s', "loc_added_sum"),
            ('"new":%s', "new"),
            ('"new":{"deep":[1,%s]}', "new.deep[1]"),
            ('"totals_by_cli":{"session_count":%s}', "totals_by_cli.session_count"),
            ('"totals_by_feature":[{"feature":"a","new":%s}]', "totals_by_feature[0].new"),
            ('"ai_credits_used":%s', "ai_credits_used"),
        ],
    )
    def test_f102_integers_beyond_64_bits_are_refused_by_name(self, text, field, value):
        problem = refused(raw(text % value), "does not fit 64 bits")
        assert (problem.line, problem.field) == (2, field)

    def test_f102_integers_of_thousands_of_digits_are_refused_by_name(self):
        problem = refused(raw('"loc_added_sum":' + "9" * 5000), "does not fit 64 bits")
        assert (problem.line, problem.field) == (2, "loc_added_sum")
        assert len(str(problem)) < 500

    @pytest.mark.parametrize("signs", ["[]", "{}"])
    @pytest.mark.parametrize("name", ["new", "user_login", "totals_by_cli", "totals_by_feature"])
    def test_f103_deep_nesting_is_refused(self, name, signs):
        opening = "[" if signs == "[]" else '{"a":'
        for depth in (70, 100_000):
            text = f'"{name}":' + opening * depth + "1" + signs[1] * depth
            assert refused(raw(text), "nested deeper|expected").line == 2

    def test_f103_sixty_levels_of_an_unknown_field_are_kept(self):
        text = '"new":' + "[" * 60 + "]" * 60
        assert ca.load(raw(text)).users["extra"][1] == '{"new":' + "[" * 60 + "]" * 60 + "}"


class TestPeople:
    def test_f105_large_ids_and_counts_stay_exact_beside_missing_ones(self, store):
        large = 9007199254740993
        content = ndjson(
            user_record(user_id=large, entity_id_partition=None, loc_added_sum=large),
            user_record(user_id=2, entity_id_partition=large, loc_added_sum=None),
            user_record(user_id=2**63 - 1, totals_by_cli={"session_count": 2**63 - 1}),
        )
        for users in (ca.load(content).users, store(content).users):
            assert users["user_id"].tolist() == [large, 2, 2**63 - 1]
            assert users["entity_id_partition"].tolist() == [pd.NA, large, pd.NA]
            assert users["loc_added_sum"].tolist()[:2] == [large, pd.NA]
            assert users["cli_session_count"].tolist() == [pd.NA, pd.NA, 2**63 - 1]

    @pytest.mark.parametrize("login", ["1e5", "0012", "true", "nan", "None", "null", "NA", "", "-"])
    def test_f106_logins_stay_text_from_the_file_to_the_archive(self, store, login):
        records = [user_record(user_id=number, user_login=login) for number in (1, 2)]
        for tables in (
            ca.load(ndjson(*records)),
            ca.load(json.dumps(records).encode()),
            store(ndjson(*records)),
        ):
            assert tables.users["user_login"].tolist() == [login, login]
            assert tables.users["user_login"].dtype == "str"

    def test_f106_all_other_texts_stay_text_as_well(self):
        elements = [{"language": "1e5", "feature": "0012"}, {"language": "null", "feature": "nan"}]
        record = user_record(organization_id="0012", totals_by_language_feature=elements)
        found = ca.load(ndjson(record)).users_by_language_feature
        assert found[["language", "feature"]].to_dict("records") == elements
        assert set(found["scope"]) == {"organization:0012"}

    def test_f107_a_person_without_login_is_kept_and_counted(self):
        nameless = user_record(user_id=2)
        del nameless["user_login"]
        tables = ca.load(ndjson(ONE, nameless, user_record(user_id=3, user_login=None)))
        assert tables.users["user_login"].isna().tolist() == [False, True, True]
        assert tables.notes == {"user records without user_login": 2}
        assert metrics.active_users(tables.users)["active_users"].tolist() == [3]

    @pytest.mark.parametrize("user_id", [None, "", "abc", 1.5, True, [1]])
    def test_f108_a_user_record_needs_an_id(self, user_id):
        problem = refused(ndjson(ONE, user_record(user_id=user_id)))
        assert (problem.line, problem.field) == (2, "user_id")

    @pytest.mark.parametrize("key", ["user_login", "used_chat"])
    def test_f108_a_user_record_whose_id_is_absent_is_never_taken_for_an_entity(self, key):
        record = {**ENTITY, key: ONE[key]}
        assert refused(ndjson(ENTITY, record)).field == "user_id"
        assert refused(json.dumps([ENTITY, record]).encode()).field == "[1].user_id"

    def test_f109_a_person_is_known_by_id_whatever_the_login(self):
        logins = ["octocat", "OctoCat", "monalisa"]
        records = [
            user_record(f"2026-11-0{day}", user_login=login) for day, login in enumerate(logins, 1)
        ]
        users = ca.load(ndjson(*records)).users
        assert users["user_login"].tolist() == logins
        assert set(users["user_id"]) == {1}
        assert len(metrics.user_activity(users)) == 1


class TestKeys:
    def test_f110_identical_records_of_two_shards_are_one_row_and_counted(self, store):
        shards = [ndjson(ONE, TWO), ndjson(TWO, THREE)]
        tables = ca.load(shards)
        assert tables.users["user_id"].tolist() == [1, 2, 3]
        assert len(tables.users_by_feature) == 3
        assert tables.facts["duplicates collapsed"] == 1
        assert store(*shards).users["user_id"].tolist() == [1, 2, 3]

    FEATURES = ({"feature": "a", "loc_added_sum": 1}, {"feature": "b", "loc_added_sum": 2})

    @pytest.mark.parametrize(
        "other",
        [
            user_record(totals_by_feature=FEATURES[::-1], new=1, old=2),
            dict(reversed(user_record(totals_by_feature=FEATURES, old=2, new=1).items())),
            user_record(totals_by_feature=FEATURES, new=1.0, old=2, user_id="1", organization_id=7),
            user_record(totals_by_feature=FEATURES, new=1, old=2, etl_id="green"),
            user_record(totals_by_feature=FEATURES, new=1, old=2, report_end_day="2026-11-09"),
            user_record(totals_by_feature=FEATURES, new=1, old=2, used_agent=None, more=None),
            user_record(totals_by_feature=[*FEATURES, None], new=1, old=2, loc_added_sum=4.0),
        ],
        ids=["array", "keys", "forms", "housekeeping", "window", "nulls", "null element"],
    )
    def test_f110_what_says_the_same_is_the_same_in_any_form(self, other):
        one = user_record(totals_by_feature=self.FEATURES, new=1, old=2)
        for sources in ([ndjson(one), ndjson(other)], [ndjson(other), json.dumps([one]).encode()]):
            tables = ca.load(sources)
            assert (len(tables.users), len(tables.users_by_feature)) == (1, 2)
            assert tables.facts["duplicates collapsed"] == 1

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (ONE, user_record(loc_added_sum=5)),
            (ONE, user_record(totals_by_feature=[{"feature": "a", "loc_added_sum": 1}])),
            (ONE, user_record(used_agent=False)),
            (ONE, user_record(new=1)),
            (ENTITY, {**ENTITY, "daily_active_users": 4}),
            (
                user_record(totals_by_cli={"session_count": 2**53}),
                user_record(totals_by_cli={"session_count": 2**53 + 1}),
            ),
            (user_record(ai_credits_used=0.1), user_record(ai_credits_used=0.1 + 2**-56)),
        ],
        ids=["counter", "breakdown", "flag", "unknown", "entity", "large", "fraction"],
    )
    def test_f111_different_numbers_under_one_key_are_refused_with_both_places(self, one, other):
        third = user_record(user_id=2)
        content = ndjson(one, third, other, third)
        problem = refused(content, "conflicts")
        assert "line 1" in str(problem)
        assert "line 3" in str(problem)
        tables = ca.load(content, errors="quarantine")
        assert tables.users["user_id"].tolist() == [2]
        assert tables.entity.empty
        assert tables.quarantined["line"].tolist() == [1, 3]
        assert all("2026-11-02" in record for record in tables.quarantined["record"])
        assert not tables.is_complete

    def test_f111_a_conflict_of_three_puts_all_three_aside(self):
        records = [user_record(loc_added_sum=number) for number in (1, 2, 1)]
        tables = ca.load(ndjson(*records, TWO), errors="quarantine")
        assert tables.users["user_id"].tolist() == [2]
        assert tables.quarantined["line"].tolist() == [1, 2, 3]

    def test_f111_reports_of_one_window_must_agree_as_well(self):
        def report(people: int) -> dict:
            features = [{"feature": "code_completion", "engaged_user_count": people}]
            engagement = {"active_user_count": 9, "totals_by_feature": features}
            return {**WINDOW, "day_totals": [], "copilot_feature_engagement": engagement}

        same = ca.load(ndjson(report(6), report(6)))
        assert same.feature_engagement["engaged_user_count"].tolist() == [6]
        assert same.facts["duplicates collapsed"] == 1
        assert not same.notes
        refused(ndjson(report(6), report(7)), "conflicts")

    def test_f112_a_person_in_two_teams_is_two_rows(self):
        membership = {"day": "2026-11-02", "organization_id": "7", "user_id": 1, "user_login": "a"}
        records = [{**membership, "team_id": team, "slug": f"team-{team}"} for team in (5, 6, 5)]
        tables = ca.load(ndjson(*records))
        assert tables.teams["team_id"].tolist() == [5, 6]
        assert tables.facts["duplicates collapsed"] == 1

    def test_f113_a_record_of_another_day_is_refused_by_the_archive(self, store):
        with pytest.raises(ContentError, match="holds records of 2026-11-03"):
            store(ndjson(ONE, user_record("2026-11-03")))


class TestFields:
    KNOWN_OBJECT = {"session_count": 1, "mood": "good", "token_usage": {"cached": 5}}

    def record(self, **fields) -> dict:
        return user_record(
            invented={"since": "2026-11-02T00:00:00Z", "n": 9007199254740993, "none": None},
            totals_by_feature=[{"feature": "a", "depth": [1, {"x": None}]}, {"feature": "b"}],
            totals_by_cli=self.KNOWN_OBJECT,
            **fields,
        )

    @pytest.mark.parametrize("form", ["lines", "list", "wrapper"])
    def test_f114_fields_that_nobody_described_are_kept_and_told_once(self, form, store):
        records = [ONE, self.record(user_id=2), self.record(user_id=3)]
        content = {
            "lines": ndjson(*records),
            "list": json.dumps(records).encode(),
            "wrapper": json.dumps({"day_totals": records}).encode(),
        }[form]
        tables = ca.load(content)
        for users in (tables.users, store(content).users):
            assert pd.isna(users["extra"][0])
            assert json.loads(users["extra"][1]) == {
                "invented": {"since": "2026-11-02T00:00:00Z", "n": 9007199254740993},
                "totals_by_cli": {"mood": "good", "token_usage": {"cached": 5}},
            }
        features = tables.users_by_feature
        assert json.loads(features["extra"][1]) == {"depth": [1, {}]}
        assert pd.isna(features["extra"][2])
        told = tables.unknown_fields.set_index("path")
        assert sorted(told.index) == [
            "invented",
            "totals_by_cli.mood",
            "totals_by_cli.token_usage.cached",
            "totals_by_feature[].depth",
        ]
        assert set(told["count"]) == {2}
        assert set(told["table"]) == {"users"}
        assert set(told["file"]) == {"<bytes>"}
        if form == "lines":
            assert set(told["line"]) == {2}  # where they were first seen

    def test_f114_what_is_new_in_a_28_day_report_stands_with_its_features(self):
        features = [{"feature": "a", "engaged_user_count": 1, "new": 2}, {"feature": "b"}]
        engagement = {"totals_by_feature": features, "newer": 3}
        report = {**WINDOW, "day_totals": [ENTITY], "copilot_feature_engagement": engagement}
        tables = ca.load(json.dumps({**report, "newest": [4]}).encode())
        around = {"newest": [4], "copilot_feature_engagement": {"newer": 3}}
        extra = [json.loads(text) for text in tables.feature_engagement["extra"]]
        assert extra == [{"new": 2, **around}, around]
        assert sorted(tables.unknown_fields["path"]) == [
            "copilot_feature_engagement.newer",
            "copilot_feature_engagement.totals_by_feature[].new",
            "newest",
        ]

    @pytest.mark.parametrize("name", ["#extra", "ai_adoption_phase.phase_number", "totals_by_cli."])
    @pytest.mark.parametrize("value", [3, "x"])
    def test_f114_an_unknown_name_never_stands_for_another_place(self, name, value):
        users = ca.load(ndjson(user_record(**{name: value}))).users
        assert json.loads(users["extra"][0]) == {name: value}
        assert users["phase_number"].isna().all()

    @pytest.mark.parametrize("values", [(1, 2.5), (2.5, 1), (1, "1"), ("2026-01-01", 3), ([], {})])
    def test_f114_an_unknown_field_keeps_each_value_as_it_came(self, values):
        records = [user_record(user_id=n, new=value) for n, value in enumerate(values)]
        extra = ca.load(ndjson(*records)).users["extra"]
        assert extra.tolist() == [f'{{"new":{json.dumps(value)}}}' for value in values]

    def test_f114_thousands_of_unknown_fields_take_seconds_not_minutes(self):
        many = {f"key-{number}": number for number in range(10_000)}
        started = time.process_time()
        tables = ca.load(ndjson(ONE, user_record(user_id=2, **many)))
        assert time.process_time() - started < 5
        assert json.loads(tables.users["extra"][1]) == many
        assert set(tables.unknown_fields["path"]) == set(many)

    def test_f114_fields_of_before_october_2025_are_columns(self):
        old = {"generated_loc_sum": 7, "accepted_loc_sum": 3, "chat_panel_ask_mode": 2}
        feature = {"feature": "code_completion", "generated_loc_sum": 7}
        tables = ca.load(ndjson(user_record(**old, totals_by_feature=[feature])))
        assert tables.users[list(old)].to_dict("records") == [old]
        assert tables.users_by_feature["generated_loc_sum"].tolist() == [7]
        assert tables.unknown_fields.empty

    @pytest.mark.parametrize(
        ("array", "dimension", "table"),
        [
            ("totals_by_ide", "ide", "users_by_ide"),
            ("totals_by_feature", "feature", "users_by_feature"),
            ("totals_by_3rd_party_agent", "agent_id", "users_by_agent"),
        ],
    )
    def test_f115_values_that_nobody_has_seen_are_shown_as_they_are(self, array, dimension, table):
        new = ["Brand New", "gpt-99", "", "Phase 4", "ünïcode"]
        record = user_record(**{array: [{dimension: value} for value in new]})
        assert ca.load(ndjson(record))[table][dimension].tolist() == new

    def test_f115_a_new_phase_and_a_new_visibility_are_kept(self):
        phase = {"phase_number": 4, "phase": "Phase 4", "version": "v2"}
        users = ca.load(ndjson(user_record(ai_adoption_phase=phase))).users
        assert users[["phase_number", "phase", "phase_version"]].to_numpy().tolist() == [
            [4, "Phase 4", "v2"]
        ]
        repo = {"day": "2026-11-02", "repo_id": 1, "repo_visibility": "SECRET"}
        assert ca.load(ndjson(repo)).repos["repo_visibility"].tolist() == ["SECRET"]

    @pytest.mark.parametrize(
        ("change", "field", "problem"),
        [
            ({"loc_added_sum": 3.5}, "loc_added_sum", "a whole number, found a number 3.5"),
            ({"loc_added_sum": "12"}, "loc_added_sum", "a whole number, found text '12'"),
            ({"loc_added_sum": True}, "loc_added_sum", "a whole number, found true"),
            ({"loc_added_sum": [1]}, "loc_added_sum", "a whole number, found a list"),
            ({"loc_added_sum": {}}, "loc_added_sum", "a whole number, found an object"),
            ({"used_chat": "yes"}, "used_chat", "true or false, found text 'yes'"),
            ({"used_chat": 2}, "used_chat", "true or false, found a number 2"),
            ({"user_id": "a1b2"}, "user_id", "anonymised"),
            ({"user_login": 7}, "user_login", "expected text, found a number 7"),
            ({"day": "2026-2-30"}, "day", "YYYY-MM-DD, found text '2026-2-30'"),
            ({"day": "2026-02-30"}, "day", "YYYY-MM-DD, found text '2026-02-30'"),
            ({"day": 20261102}, "day", "expected text, found a number"),
            ({"day": None}, "day", "expected the day"),
            ({"totals_by_feature": {}}, "totals_by_feature", "a list, found an object"),
            ({"totals_by_feature": "x"}, "totals_by_feature", "a list, found text"),
            ({"totals_by_feature": [3]}, "totals_by_feature[]", "objects, found a number 3"),
            ({"totals_by_feature": [{}]}, "totals_by_feature[].feature", "found none"),
            ({"totals_by_cli": []}, "totals_by_cli", "an object, found a list"),
            (
                {"totals_by_cli": {"token_usage": 5}},
                "totals_by_cli.token_usage",
                "an object, found a number 5",
            ),
            (
                {"totals_by_cli": {"session_count": -1}},
                "totals_by_cli.session_count",
                "0 or more, found -1",
            ),
            ({"ai_credits_used": "1"}, "ai_credits_used", "a number, found text '1'"),
            ({"organization_id": True}, "organization_id", "expected text, found true"),
        ],
    )
    def test_f116_a_value_of_another_type_is_named_with_what_was_expected_and_found(
        self, change, field, problem
    ):
        content = ndjson(ONE, user_record(user_id=2) | change, THREE)
        caught = refused(content, problem)
        assert (caught.file, caught.line, caught.field) == ("<bytes>", 2, field)
        good = ca.load(content, errors="quarantine")
        assert good.users["user_id"].tolist() == [1, 3]
        assert good.quarantined[["file", "line", "field"]].to_numpy().tolist() == [
            ["<bytes>", 2, field]
        ]
        assert json.loads(good.quarantined["record"][0]) == user_record(user_id=2) | change

    def test_f116_inside_a_wrapper_and_a_list_the_record_is_named(self):
        records = [ONE, user_record(user_id=2, loc_added_sum=-1), THREE]
        listed = json.dumps(records, indent=1).encode()
        assert refused(listed).field == "[1].loc_added_sum"
        wrapper = ndjson({**WINDOW, "day_totals": records})
        assert refused(wrapper).field == "day_totals[1].loc_added_sum"
        for content in (listed, wrapper):
            good = ca.load(content, errors="quarantine")
            assert good.users["user_id"].tolist() == [1, 3]
            assert json.loads(good.quarantined["record"][0])["user_id"] == 2

    def test_f117_fields_absent_everywhere_are_typed_columns_without_values(self):
        users = ca.load(ndjson({"day": "2026-11-02", "organization_id": "7", "user_id": 1})).users
        absent = set(users.columns) - {
            "scope",
            "organization_id",
            "day",
            "user_id",
            "has_telemetry",
        }
        assert users[sorted(absent)].isna().all(axis=None)
        full = {field.column for field in catalogue.table("users").columns}
        assert absent < full
        assert str(users["ai_credits_used"].dtype) == "float64"
        assert str(users["cli_session_count"].dtype) == "Int64"
        assert str(users["used_cli"].dtype) == "boolean"

    def test_f118_a_negative_count_is_an_error_and_an_absurd_one_a_note(self):
        refused(ndjson(user_record(loc_added_sum=-1)), "0 or more, found -1")
        usual, absurd = user_record(loc_added_sum=10**15 - 1), user_record(loc_added_sum=10**15)
        assert not ca.load(ndjson(usual)).notes
        tables = ca.load(ndjson(absurd))
        assert tables.users["loc_added_sum"].tolist() == [10**15]
        (note,) = tables.notes
        assert "loc_added_sum of users" in note
        assert note in set(tables.summary()["what"])

    def test_f119_a_person_without_breakdowns_is_read_as_any_other(self):
        record = user_record(totals_by_feature=[], totals_by_ide=[])
        tables = ca.load(ndjson(record))
        assert tables.users["has_telemetry"].tolist() == [True]
        assert not tables.notes
        assert tables.users_by_feature.empty
        assert metrics.active_users(tables.users)["active_users"].tolist() == [1]

    def test_f120_each_organization_and_the_enterprise_keep_rows_of_their_own(self):
        entity = {"day": "2026-11-02", "enterprise_id": "3", "daily_active_users": 2}
        parts = [{**entity, "organization_id": organization} for organization in ("7", "8")]
        tables = ca.load(ndjson(entity, *parts))
        assert tables.entity["scope"].tolist() == [
            "enterprise:3",
            "organization:7",
            "organization:8",
        ]
        assert len(tables.entity) == 3
