"""Who is inside a trailing window is the same as counted day by day, whatever comes how often."""

from datetime import datetime, timedelta

import narwhals.stable.v2 as nw
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot_analytics.metrics import frames, windows

FIRST = datetime(2026, 12, 20)  # so that the days reach over the end of a year
DAYS = 40
RECORDS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, DAYS - 1)), max_size=40)


def person_days(records) -> nw.LazyFrame:
    rows = [(person, FIRST + timedelta(days=number)) for person, number in records]
    frame = pd.DataFrame(rows, columns=["user_id", "day"])
    return nw.from_native(frame.astype({"user_id": "int64", "day": "datetime64[us]"})).lazy()


def inside(records, number, window) -> set:
    return {person for person, day in records if number - window < day <= number}


@settings(max_examples=15)
@given(RECORDS, st.integers(1, 30))
def test_people_in_a_window_are_those_with_a_day_in_it(records, window):
    rows = person_days(sorted(set(records)))
    days = frames.calendar(rows, (FIRST, FIRST + timedelta(days=DAYS - 1)))
    found = windows.people_in_window(days, rows, window).collect().to_native()
    counts = found.sort_values("number")["people"].tolist()
    assert counts == [len(inside(records, number, window)) for number in range(DAYS)]


@settings(max_examples=15)
@given(RECORDS, RECORDS, st.integers(1, 30))
def test_overlaps_are_the_days_inside_both_windows(records, others, window):
    """A day may be there several times."""
    one, other = (windows.window_runs(person_days(r), window) for r in (records, others))
    both = windows.overlaps(one, other).collect().to_native()
    for number in range(DAYS + window):
        day = FIRST + timedelta(days=number)
        found = both[(both["start"] <= day) & (day < both["end"])]["user_id"].tolist()
        expected = inside(records, number, window) & inside(others, number, window)
        assert sorted(found) == sorted(expected)
