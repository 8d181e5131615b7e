"""A day is a day, however somebody writes it, and nothing else is."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from copilot_analytics.days import parse_day
from copilot_analytics.errors import UsageError


@pytest.mark.parametrize(
    "day",
    [
        "2026-11-20",
        date(2026, 11, 20),
        datetime(2026, 11, 20, 23, 59),
        pd.Timestamp("2026-11-20 15:00"),
        np.datetime64("2026-11-20"),
    ],
)
def test_is_read_from_text_date_and_timestamp(day):
    assert parse_day(day) == date(2026, 11, 20)
    assert type(parse_day(day)) is date


@pytest.mark.parametrize(
    "day",
    ["", "20261120", "2026-W47-5", "2026-02-30", "２026-11-20", "today", 20261120, None, pd.NaT]
    + [np.datetime64("NaT"), "2026-11-20T10:00"],
)
def test_nothing_else_is_one(day):
    with pytest.raises(UsageError, match="the start .* is not a day") as caught:
        parse_day(day, "the start")
    assert caught.value.advice == "write it as 2026-11-20"


@pytest.mark.parametrize(
    "moment", [datetime(2026, 11, 20, tzinfo=UTC), pd.Timestamp("2026-11-20", tz="Asia/Tokyo")]
)
def test_moments_with_a_zone_are_left_to_the_caller(moment):
    with pytest.raises(UsageError, match="time zone"):
        parse_day(moment)
