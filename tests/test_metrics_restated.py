"""What GitHub changed after it first gave it: how many days, by how much, how late."""

import statistics

import pandas as pd
import pytest
from archive_input import put, small_archive
from conftest import ndjson, user_record
from hypothesis import given, settings
from hypothesis import strategies as st

import copilot_analytics as ca
from copilot_analytics import metrics, privacy
from copilot_analytics.charts import findings
from copilot_analytics.errors import UsageError

FIRST = pd.Timestamp("2026-11-02")
COUNT = st.none() | st.integers(0, 90)


def frame(rows) -> pd.DataFrame:
    columns = ["report", "figure", "day", "before", "after", "days_after"]
    types = dict.fromkeys(["before", "after", "days_after"], "Int64") | {"day": "datetime64[us]"}
    return pd.DataFrame(rows, columns=columns).astype(types)


@settings(max_examples=60)
@given(st.dictionaries(st.integers(0, 5), st.lists(COUNT, min_size=2, max_size=4), max_size=5))
def test_days_and_changes_are_those_of_a_loop_over_versions(versions):
    """Whatever lay between, the first version counts against the last one."""
    rows = [
        ("users-1-day", "people", FIRST + pd.Timedelta(number, "D"), old, new, late)
        for number, counts in versions.items()
        for late, (old, new) in enumerate(zip(counts, counts[1:], strict=False))
        if old != new
    ]
    found = metrics.restated_figures(frame(rows))
    changed = {row[2]: [] for row in rows}
    for row in rows:
        changed[row[2]].append(row)
    assert len(found) == (1 if changed else 0)
    if not changed:
        return
    result = found.iloc[0]
    assert result["days"] == len(changed)
    assert result["days_after"] == max(row[5] for row in rows)
    pairs = [(pairs[0][3], pairs[-1][4]) for pairs in changed.values()]
    both = [(old, new) for old, new in pairs if None not in (old, new)]
    assert result["days_risen"] == sum(new > old for old, new in both)
    assert result["days_fallen"] == sum(new < old for old, new in both)
    sizes = [(new - old) / old for old, new in both if old]
    if sizes:
        assert result["median_relative_change"] == pytest.approx(statistics.median(sizes))
        assert abs(result["largest_relative_change"]) == pytest.approx(max(map(abs, sizes)))
    else:
        assert pd.isna(result["largest_relative_change"])
        assert pd.isna(result["largest_day"])


def test_few_people_are_hidden_with_all_that_their_report_tells():
    rows = [("users-1-day", "people", FIRST, 3, 30, 1), ("users-1-day", "loc", FIRST, 10, 90, 1)]
    found = metrics.restated_figures(frame([*rows, ("entity", "daily", FIRST, 10, 90, 1)]))
    hidden = privacy.hide_small_groups(found, people="people", complementary=False)
    assert hidden.set_index("figure")["is_hidden"].to_dict() == {
        "people": True,
        "loc": True,
        "daily": False,
    }
    assert findings.restated_figures(hidden) == (
        "GitHub has changed figures of at least 1 day; "
        "a change was seen up to 1 day after the day’s end"
    )
    nothing = hidden[hidden["is_hidden"]]
    assert "too few people" in findings.restated_figures(nothing)


def test_nothing_changed_is_a_sentence_and_another_frame_an_error():
    assert metrics.restated_figures(frame([])).empty
    assert "two versions" in findings.restated_figures(metrics.restated_figures(frame([])))
    with pytest.raises(UsageError, match="column .report"):
        metrics.restated_figures(pd.DataFrame({"day": []}))


def test_an_archive_gives_its_changed_days_and_files_give_none_f207(tmp_path):
    """A day that was fetched twice; the bounds of the report hold here as well."""
    archive = small_archive(tmp_path)
    put(archive, *(user_record(user_id=number) for number in range(1, 8)))
    assert archive.tables().day_states["day"].tolist() == [FIRST]
    changed = metrics.restated_figures(ca.open_restatements(str(archive.path)))
    people = changed.set_index("figure").loc["people"]
    assert (people["days"], people["days_risen"], people["largest_relative_change"]) == (1, 1, 2.5)
    assert people["largest_day"] == FIRST
    assert ca.open_restatements(str(archive.path), start="2026-11-03").empty
    assert ca.open_restatements(str(archive.path), end="2026-11-01").empty
    file = tmp_path / "users.ndjson"
    file.write_bytes(ndjson(user_record()))
    assert ca.open_restatements(str(file)).empty
    assert ca.open_restatements().dtypes.equals(ca.open_restatements(str(archive.path)).dtypes)
