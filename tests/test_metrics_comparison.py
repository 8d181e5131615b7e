"""A change between two periods is split into parts that add up to it."""

import math

import pandas as pd
import pytest
from conftest import user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_input import ENGINES, SEVEN, company, day, load, to_pandas

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

PROMPTS, GENERATED, ACCEPTED = SEVEN[:3]
BEFORE, AFTER = ("2026-09-28", "2026-10-11"), ("2026-10-12", "2026-10-25")
RECORDS = company(days=40)
TABLES = load(RECORDS)


def parts(*args, **options) -> pd.DataFrame:
    return to_pandas(metrics.compare_periods(*args, **options)).set_index("part")


def naive(period, measure) -> dict:
    """The factors of a period, by plain loops over the records."""
    inside = [r for r in RECORDS if day(period[0]) <= day(r["day"]) <= day(period[1])]
    active = [r for r in inside if r[PROMPTS] > 0]
    people = {r["user_id"] for r in active}
    working = sum((day(period[0]) + pd.Timedelta(n, "D")).weekday() < 5 for n in range(14))
    total = sum(r[measure] for r in inside)
    seen = {r["user_id"] for r in inside}
    return {
        "total": total / working,
        "people": len(seen),
        "share_active": len(people) / len(seen),
        "active_days": len(active) / len(people) / working,
        "intensity": total / len(active),
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("measure", [PROMPTS, GENERATED])
def test_factors_and_parts_are_those_of_loops(engine, measure):
    """D18: with one group the parts are those of the plain formula."""
    tables = {"users": ENGINES[engine](TABLES.users[["scope", "day", "user_id", *SEVEN]])}
    rows = parts(tables, BEFORE, AFTER, measure=measure)
    old, new = naive(BEFORE, measure), naive(AFTER, measure)
    assert rows["before"].to_dict() == pytest.approx(old)
    assert rows["after"].to_dict() == pytest.approx(new)
    change = new["total"] - old["total"]
    weight = change / math.log(new["total"] / old["total"])
    for name in ("people", "share_active", "active_days", "intensity"):
        expected = weight * math.log(new[name] / old[name])
        assert rows.loc[name, "change"] == pytest.approx(expected)
        assert rows.loc[name, "share_of_change"] == pytest.approx(expected / change)
    assert rows["change"].drop("total").sum() == pytest.approx(change)


@settings(max_examples=12)
@given(data=st.data())
def test_parts_add_up_whatever_happened(data):
    """Also where a group comes or goes, and in any order of the rows."""
    amount = st.integers(0, 9)
    records = []
    for today in ("2026-11-02", "2026-11-03", "2026-11-09", "2026-11-10"):
        for person in range(1, data.draw(st.integers(2, 4))):
            features = data.draw(
                st.dictionaries(st.sampled_from(["chat_inline", "copilot_cli", "new"]), amount)
            )
            listed = [{"feature": name, GENERATED: count} for name, count in features.items()]
            total = sum(features.values())
            records.append(
                user_record(today, person, **{GENERATED: total}, totals_by_feature=listed)
            )
    tables = load(data.draw(st.permutations(records)))
    periods = ("2026-11-02", "2026-11-03"), ("2026-11-09", "2026-11-10")
    for by in (None, "feature"):
        rows = parts(tables, *periods, measure=GENERATED, by=by)
        before, after = rows.loc["total", ["before", "after"]]
        assert rows.loc["total", "change"] == pytest.approx(after - before)
        split = rows["change"].drop("total")
        if before and after:
            assert split.sum() == pytest.approx(after - before, abs=1e-9)
        else:
            assert split.isna().all()


def test_the_mix_is_told_apart_from_the_intensity():
    """Moving days from one feature to another changes the total without more work in either."""

    def record(today: str, feature: str, amount: int) -> dict:
        listed = [{"feature": feature, GENERATED: amount}]
        return user_record(today, 1, **{GENERATED: amount}, totals_by_feature=listed)

    strong, weak = ("chat_inline", 10), ("copilot_cli", 1)
    old = [record(f"2026-11-0{n}", *pair) for n, pair in enumerate((strong, strong, weak), start=2)]
    new = [record(f"2026-11-{n:02}", *p) for n, p in enumerate((strong, weak, weak), start=9)]
    rows = parts(
        load(old + new),
        ("2026-11-02", "2026-11-04"),
        ("2026-11-09", "2026-11-11"),
        measure=GENERATED,
        by="feature",
    )
    assert rows.loc["total", "change"] == pytest.approx(-3)
    assert rows.loc["mix", "change"] == pytest.approx(-3)
    assert rows["change"].drop(["total", "mix"]).tolist() == pytest.approx([0] * 5)


def test_spellings_of_one_language_are_no_change_of_mix():
    def record(today: str, language: str) -> dict:
        listed = [{"language": language, "feature": "code_completion", GENERATED: 5}]
        return user_record(today, 1, **{GENERATED: 5}, totals_by_language_feature=listed)

    tables = load([record("2026-11-02", "csharp"), record("2026-11-09", "c#")])
    days = ("2026-11-02", "2026-11-02"), ("2026-11-09", "2026-11-09")
    rows = parts(tables, *days, measure=GENERATED, by="language")
    assert rows["change"].tolist() == [0.0] * 7


def test_periods_of_different_length_compare_per_working_day():
    records = [user_record(f"2026-11-{n:02}", 1) for n in (2, 3, 4, 5, 6, 9)]
    tables = load(records)
    rows = parts(tables, ("2026-11-02", "2026-11-06"), ("2026-11-09", "2026-11-09"))
    assert rows.loc["total", ["before", "after", "change"]].tolist() == [2, 2, 0]
    missing = parts(
        load(records[1:]),
        ("2026-11-02", "2026-11-06"),
        ("2026-11-09", "2026-11-09"),
        missing_days=["2026-11-02"],
    )
    assert missing.loc["total", "before"] == 2


def test_known_breaks_inside_are_named():
    """F-free warning of D7 and D31: a change may come from the counting."""
    rows = parts(TABLES, BEFORE, AFTER)
    assert set(rows["series_breaks"]) == {"Agent sessions booked as CLI"}
    rows = parts(TABLES, ("2026-10-12", "2026-10-18"), ("2026-10-19", "2026-10-25"))
    assert set(rows["series_breaks"]) == {""}


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_to_compare_is_missing_and_no_error(engine):
    tables = {"users": ENGINES[engine](TABLES.users[["scope", "day", "user_id", *SEVEN]])}
    rows = parts(tables, ("2025-01-01", "2025-01-31"), AFTER)
    assert rows["change"].drop("total").isna().all()
    assert rows["people_before"].eq(0).all()
    weekend = parts(TABLES, ("2026-10-10", "2026-10-11"), AFTER)
    assert weekend["before"][["total", "active_days"]].isna().all()
    assert weekend["change"].isna().all()


@pytest.mark.parametrize(
    ("before", "options", "words"),
    [
        ("2026-10-01", {}, "is not a period"),
        (("2026-10-02", "2026-10-01"), {}, "after its end"),
        (BEFORE, {"by": "weather"}, "is not known"),
        (BEFORE, {"measure": "weather"}, "no column"),
    ],
)
def test_wrong_options_are_refused(before, options, words):
    with pytest.raises(UsageError, match=words):
        metrics.compare_periods(TABLES, before, AFTER, **options)
