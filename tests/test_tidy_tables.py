"""`Tables`: what was read, in words; a part of it; and several as one."""

import copy
import datetime as dt
import json
import pickle
import random
from html.parser import HTMLParser

import pandas as pd
import pytest
from conftest import ndjson, user_record
from random_records import record, wrapper
from tables_input import HOSTILE, days, hostile_records, loaded, odd_tables

import copilot_analytics as ca
from copilot_analytics import catalogue
from copilot_analytics.errors import ContentError, UsageError
from copilot_analytics.tidy import Tables


def by_key(tables: Tables, name: str) -> pd.DataFrame:
    return tables[name].sort_values(list(catalogue.table(name).key), ignore_index=True)


class TestFilter:
    def test_takes_days_as_text_date_or_timestamp_both_included(self):
        tables = loaded(*days(7))
        for start, end in [
            ("2026-11-03", "2026-11-05"),
            (dt.date(2026, 11, 3), dt.date(2026, 11, 5)),
            (pd.Timestamp("2026-11-03 15:00"), dt.datetime(2026, 11, 5, 1)),
        ]:
            cut = tables.filter(start=start, end=end)
            for frame in (cut.users, cut.users_by_feature, cut.day_states):
                assert frame["day"].dt.day.tolist() == [3, 4, 5]

    def test_no_day_is_after_nat(self):
        tables = loaded(*days(2))
        assert tables.filter(start=pd.NaT, end=pd.NaT).users.empty

    @pytest.mark.parametrize(
        ("bounds", "problem"),
        [
            ({"start": "2026-11-05", "end": "2026-11-03"}, "after the end"),
            ({"start": "yesterday"}, "the start 'yesterday' is not a day"),
            ({"end": "2026-02-30"}, "the end '2026-02-30' is not a day"),
            ({"end": 20261103}, "is not a day"),
            ({"start": pd.Timestamp("2026-11-03", tz="Asia/Tokyo")}, "time zone"),
            ({"scope": "organization:8"}, "no scope 'organization:8'"),
        ],
    )
    def test_refuses_what_is_no_bound(self, bounds, problem):
        with pytest.raises(UsageError, match=problem):
            loaded(*days(2)).filter(**bounds)

    def test_of_a_scope_lists_those_that_are_there(self):
        tables = loaded(
            *days(2), {"day": "2026-11-02", "enterprise_id": "3", "daily_active_users": 1}
        )
        assert tables.filter(scope="enterprise:3").scopes == ["enterprise:3"]
        with pytest.raises(UsageError) as caught:
            tables.filter(scope="organization:octo-org")
        assert caught.value.advice == "one of: enterprise:3, organization:7"


class TestDayStates:
    @staticmethod
    def states(*days: str) -> dict[str, str]:
        """The state of each day of a 28-day report with records of some days."""
        window = {"report_start_day": "2026-10-24", "report_end_day": "2026-11-20"}
        tables = ca.load(ndjson(*(user_record(day, **window) for day in days)))
        states = tables.day_states
        return dict(zip(states["day"].dt.strftime("%m-%d"), states["state"], strict=True))

    def test_a_weekend_without_records_within_a_28_day_report_is_empty(self):
        assert self.states("2026-11-06", "2026-11-08", "2026-11-09") == {
            "11-06": "present", "11-07": "empty", "11-08": "present", "11-09": "present",
        }  # fmt: skip

    def test_nothing_is_said_of_a_working_day_without_records_nor_of_days_outside(self):
        """F205: a part of the report may be lost, and parts are cut by time."""
        assert self.states("2026-11-11", "2026-11-13") == {"11-11": "present", "11-13": "present"}

    def test_single_days_say_nothing_of_the_days_between(self):
        tables = ca.load(ndjson(user_record("2026-11-06"), user_record("2026-11-09")))
        assert tables.day_states["state"].tolist() == ["present", "present"]

    def test_a_window_of_years_says_nothing(self):
        window = {"report_start_day": "2010-01-01", "report_end_day": "2026-11-20"}
        records = [user_record(day, **window) for day in ("2026-11-06", "2026-11-09")]
        assert ca.load(ndjson(*records)).day_states["state"].tolist() == ["present", "present"]


class TestReadOnly:
    @pytest.mark.parametrize("name", ["users", "facts", "quarantined", "anything"])
    def test_nothing_can_be_set_or_removed(self, name):
        tables = loaded(user_record())
        before = getattr(tables, name, None)
        with pytest.raises(AttributeError, match=r"users = tables\.users\[\.\.\.\]"):
            setattr(tables, name, 1)
        with pytest.raises(AttributeError, match="read-only"):
            delattr(tables, name)
        assert getattr(tables, name, None) is before

    def test_a_copy_and_a_pickle_hold_the_same(self):
        tables = ca.load(
            ndjson(user_record(odd=1), user_record(user_id=2)) + b"bad\n", errors="quarantine"
        )
        for other in (copy.copy(tables), copy.deepcopy(tables), pickle.loads(pickle.dumps(tables))):
            assert list(other) == list(tables)
            for name in tables:
                pd.testing.assert_frame_equal(other[name], tables[name])
            pd.testing.assert_frame_equal(other.summary(), tables.summary())
            for name in ("unknown_fields", "quarantined", "day_states"):
                pd.testing.assert_frame_equal(getattr(other, name), getattr(tables, name))

    def test_what_was_never_noticed_is_an_empty_frame_with_its_columns(self):
        tables = Tables({})
        assert "path" in tables.unknown_fields
        assert "problem" in tables.quarantined


class TestConcat:
    def test_gives_what_load_gives_of_everything(self):
        draw = random.Random(5)
        records = [
            record(family, number, draw)
            for family in ("users", "entity", "teams", "repos")
            for number in range(20)
        ]
        one, two, three = (ndjson(*records[n::3], *records[:7]) for n in range(3))
        whole = ca.load([one, two, three])
        joined = Tables.concat(*map(ca.load, (one, two, three)))
        for name in whole:
            pd.testing.assert_frame_equal(by_key(joined, name), by_key(whole, name))
            assert joined.count(name) == len(whole[name])
        assert joined.facts == whole.facts | {"records": joined.facts["records"]}
        key = ["path", "table"]
        found, wanted = (t.unknown_fields.set_index(key)["count"] for t in (joined, whole))
        assert found.sort_index().equals(wanted.sort_index())
        pd.testing.assert_frame_equal(
            joined.day_states,
            whole.day_states.sort_values(["scope", "family", "day"], ignore_index=True),
        )

    def test_keeps_the_first_place_of_an_unknown_field_and_adds_what_was_noticed(self):
        bad = user_record(user_id=9, loc_added_sum=-1)
        parts = [
            ca.load(ndjson(user_record(f"2026-11-0{day}", odd=1), bad), errors="quarantine")
            for day in (1, 2)
        ]
        joined = parts[0].concat(parts[1])
        assert joined.unknown_fields["count"].tolist() == [2]
        assert joined.unknown_fields["line"].tolist() == [1]
        assert len(joined.quarantined) == 2
        assert not joined.is_complete

    @pytest.mark.parametrize(
        "other",
        [
            user_record(loc_added_sum=5),
            user_record(totals_by_feature=[{"feature": "a", "loc_added_sum": 1}]),
            user_record(totals_by_feature=None),
        ],
        ids=["counter", "breakdown", "no breakdown"],
    )
    def test_f111_conflicts_are_refused_with_table_and_key(self, other):
        tables = loaded(user_record("2026-11-01"), user_record())
        with pytest.raises(ContentError) as caught:
            tables.concat(loaded(user_record("2026-11-03")), loaded(other))
        problem = str(caught.value)
        assert "table users" in problem
        assert "scope organization:7, day 2026-11-02, user_id 1" in problem
        assert "number 1 and 3 of the tables" in problem

    def test_of_two_windows_that_differ_is_refused(self):
        draw = random.Random(1)
        window = wrapper([], 1, draw)
        window["copilot_feature_engagement"] = {
            "active_user_count": 9,
            "totals_by_feature": [{"feature": "a", "engaged_user_count": 1}],
        }
        one = loaded(window)
        assert len(one.concat(loaded(window)).feature_engagement) == 1
        window["copilot_feature_engagement"]["active_user_count"] = 8
        with pytest.raises(ContentError, match="table feature_engagement"):
            one.concat(loaded(window))

    def test_of_states_holds_the_one_that_promises_less(self):
        def with_states(tables, **states):
            frame = pd.DataFrame(
                {
                    "scope": "organization:7",
                    "family": "users",
                    "day": pd.to_datetime(list(states)).astype("datetime64[us]"),
                    "state": pd.Series(states.values(), dtype="str"),
                    "rows": pd.Series([0] * len(states), dtype="Int64"),
                }
            )
            return Tables(dict(tables), day_states=frame)

        one = with_states(
            loaded(*days(2)),
            **{"2026-11-01": "final", "2026-11-02": "final", "2026-11-03": "missing"},
        )
        two = with_states(
            loaded(user_record("2026-11-03")),
            **{"2026-11-02": "provisional", "2026-11-03": "final"},
        )
        found = one.concat(two).day_states
        assert found["state"].tolist() == ["final", "provisional", "final"]
        assert found["rows"].tolist() == [1, 1, 1]

    def test_takes_tables_one_by_one(self):
        with pytest.raises(UsageError, match="not list"):
            loaded(user_record()).concat([loaded(user_record())])
        assert Tables.concat(loaded(user_record())).users.equals(loaded(user_record()).users)


class Page(HTMLParser):
    """What a browser makes of a page: its elements, their attributes, its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


class TestOverview:
    def test_says_how_much_there_is(self, tmp_path):
        path = tmp_path / "a.json"
        path.write_bytes(ndjson(*days(3), user_record("2026-11-03", user_id=2), days(1)[0]))
        shown = Page(ca.load(path)._repr_html_()).text
        assert "1 file · 5 records · 2 people in any table · 2026-11-01 to 2026-11-03" in shown
        assert "organization:7" in shown
        assert "1 repeated record collapsed: each record counts once" in shown
        assert "22 tables without rows" in shown

    def test_says_what_was_noticed_and_where(self, tmp_path):
        path = tmp_path / "a.json"
        lines = [
            user_record(),
            user_record(user_id=2, odd=1),
            user_record(user_id=3, loc_added_sum=-1),
        ]
        path.write_bytes(ndjson(*lines))
        shown = Page(ca.load(path, errors="quarantine")._repr_html_()).text
        assert (
            "Unknown field, kept in extra: odd of users, 1 time, first in a.json, line 2" in shown
        )
        assert "Record left out: a.json, line 3, loc_added_sum: expected a count" in shown
        assert str(tmp_path) not in shown  # F172

    def test_f173_hostile_names_are_shown_literally(self):
        records = hostile_records()
        elements = [{"feature": "a", "loc_added_sum": 1}] * 2
        tables = ca.load(ndjson(*(one | {"totals_by_feature": elements} for one in records[:5])))
        html = tables._repr_html_()
        page = Page(html)
        allowed = {
            "div",
            "p",
            "strong",
            "br",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "ul",
            "li",
        }
        assert page.tags <= allowed | {"details", "summary"}
        assert page.attributes == {"class", "style"}
        for name in HOSTILE[:5]:
            assert f"odd {name}" in page.text
        assert html.startswith('<div class="tex2jax_ignore mathjax_ignore">')  # "$x^2$" stays

    def test_has_no_colours_of_its_own(self):
        page = odd_tables()._repr_html_()
        assert "color" not in page
        assert "background" not in page

    def test_of_nothing_says_so(self):
        empty = ca.load(
            json.dumps(
                {
                    "day_totals": [],
                    "organization_id": "7",
                    "report_start_day": "2026-10-06",
                    "report_end_day": "2026-11-02",
                }
            ).encode()
        )
        assert repr(empty) == "Tables(no rows)"
        assert "24 tables without rows" in Page(empty._repr_html_()).text
        assert empty.scopes == []

    def test_names_days_that_may_change_or_are_missing(self):
        tables = ca.sample(people=30, days=7)
        assert "provisional" in Page(tables._repr_html_()).text

    def test_completes_names(self):
        tables = loaded(user_record())
        assert tables._ipython_key_completions_() == list(tables)
        assert set(tables) <= set(dir(tables))


class TestLaziness:
    """Frames of large histories are not made just to say how much there is."""

    @pytest.fixture
    def lazy(self):
        whole = loaded(*days(5), user_record("2026-11-05", user_id=2))
        made = []

        def frame(name):
            made.append(name)
            return whole[name]

        frames = {name: (lambda name=name: frame(name)) for name in whole}
        rows = {name: len(whole[name]) for name in whole}
        read_columns = lambda name, columns: whole[name][columns]  # noqa: E731
        return Tables(frames, rows=rows, read_columns=read_columns), made

    def test_nothing_is_made_to_show_count_filter_or_join(self, lazy):
        tables, made = lazy
        assert repr(tables) == "Tables(users 6, users_by_feature 6)"
        assert "2 people" in tables._repr_html_()
        assert tables.summary().equals(
            loaded(*days(5), user_record("2026-11-05", user_id=2))
            .summary()
            .iloc[[0, 1, 5, 6]]
            .reset_index(drop=True)
        )
        cut = tables.filter(start="2026-11-04", scope="organization:7")
        assert repr(cut) == "Tables(users 3, users_by_feature 3)"
        joined = cut.concat(loaded(user_record("2026-11-06")))
        assert repr(joined) == "Tables(users 4, users_by_feature 4)"
        assert made == []
        assert joined.users["day"].dt.day.tolist() == [4, 5, 5, 6]
        assert made == ["users"]

    def test_an_export_keeps_no_frame(self, lazy, tmp_path):
        tables, made = lazy
        tables.to_parquet(tmp_path)
        tables.to_parquet(tmp_path)
        assert made == [*tables, *tables]
