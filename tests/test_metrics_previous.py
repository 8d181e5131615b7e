"""What drove a change since the period before, in parts that add up, or nothing at all."""

import pandas as pd
import pytest
from metrics_input import SEVEN, company, day, load

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

PROMPTS = SEVEN[0]
RECORDS = company(days=40)
USERS = load(RECORDS).users
END = pd.Timestamp(max(record["day"] for record in RECORDS))


def parts(**options) -> pd.DataFrame:
    return metrics.compare_with_previous(USERS, **options).set_index("part")


def naive(first: pd.Timestamp, last: pd.Timestamp) -> dict:
    """The factors of a period, by plain loops over the records."""
    inside = [record for record in RECORDS if first <= day(record["day"]) <= last]
    active = [record for record in inside if record[PROMPTS] > 0]
    people = {record["user_id"] for record in active}
    working = sum(one.weekday() < 5 for one in pd.date_range(first, last))
    total = sum(record[PROMPTS] for record in inside)
    return {
        "total": total / working,
        "active_people": len(people),
        "active_days": len(active) / len(people) / working,
        "intensity": total / len(active),
    }


def test_both_periods_and_their_parts_are_those_of_loops():
    rows = parts(days=14)
    start = END - pd.Timedelta(13, "D")
    assert rows["after"].to_dict() == pytest.approx(naive(start, END))
    before = naive(start - pd.Timedelta(14, "D"), start - pd.Timedelta(1, "D"))
    assert rows["before"].to_dict() == pytest.approx(before)
    assert set(rows["start"]) == {start}
    assert set(rows["end"]) == {END}


def test_the_parts_add_up_and_agree_with_the_comparison_that_has_more_of_them():
    rows = parts(days=14)
    start = END - pd.Timedelta(13, "D")
    earlier = (start - pd.Timedelta(14, "D"), start - pd.Timedelta(1, "D"))
    whole = metrics.compare_periods({"users": USERS}, earlier, (start, END)).set_index("part")
    total = rows.loc["total", "change"]
    assert rows["change"].drop("total").sum() == pytest.approx(total)
    people = whole.loc[["people", "share_active"], "change"].sum()
    assert rows.loc["active_people", "change"] == pytest.approx(people)
    assert rows["share_of_change"].drop("total").sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "options",
    [
        {"days": 21},  # the data begin later
        {"days": 14, "missing_days": [END - pd.Timedelta(20, "D")]},
        {"days": 14, "end": END + pd.Timedelta(1, "D")},  # nothing is known of the last day
        {"days": 14, "end": "2020-01-01"},
    ],
)
def test_without_an_earlier_period_of_the_same_length_there_is_nothing(options):
    assert parts(**options).empty


def test_no_data_at_all_is_no_error_and_a_wrong_option_is_one():
    assert metrics.compare_with_previous(USERS.head(0)).empty
    with pytest.raises(UsageError):
        parts(days=0)
