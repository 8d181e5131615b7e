"""Sentences say what the figures say: for one and many, in ties, and where something is hidden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot_analytics import charts, metrics, privacy
from copilot_analytics.charts import findings, words

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
MONDAYS = pd.to_datetime(["2026-10-12", "2026-11-09"])


# ------------------------------------------------------------------------------ counts


@given(st.integers(0, 5_000))
@settings(max_examples=50)
def test_a_noun_fits_its_count(count):
    expected = f"{count:,} day" if count == 1 else f"{count:,} days"
    assert words.counted(count, "day") == expected
    assert words.verb(count, "is", "are") == ("is" if count == 1 else "are")


def one_of_each() -> list[str]:
    """Sentences about one person, one day, one of everything."""
    week = {"week": MONDAYS[:1]}
    headline = pd.DataFrame({"figure": ["credits", "usd", "people_with_credits"], "value": 1.0})
    path = pd.DataFrame({"cumulative": [1.0], "outcome": "complete", "day": MONDAYS[:1]})
    records = {"records": [1], "records_with_credits": 1, "records_without_telemetry": 0}
    merged = pd.DataFrame({"figure": ["merged", "merged_created_by_copilot"], "value": 1.0})
    merged.loc[2] = "merged_reviewed_by_copilot", 0.0
    curve = pd.DataFrame({"is_left_censored": [False] * 2, "days": [0, 1], "at_risk": 1})
    totals = pd.DataFrame({"line": ["sum_of_teams", "counted_again", "without_team"]})
    totals.loc[3, "line"], totals.loc[4, "line"] = "without_report", "everybody"
    totals["user_initiated_interaction_count"] = [1, -1, 1, 1, 2]
    checks = pd.DataFrame({"outcome": ["holds"], "check": "a"})
    covered = pd.DataFrame({"family": "users", "day": MONDAYS[:1], "state": "final"})
    ids = {"slug": ["a"], "team_id": 1}
    return [
        findings.active_people(
            pd.DataFrame({"window": 1, "day": MONDAYS[:1], "active_users": 1}).assign(
                is_complete_window=True
            )
        ),
        findings.acceptance_trend(pd.DataFrame(week | {"accepted": 0, "generated": 1, "rate": 0})),
        findings.credits_answer(headline, path, "now"),
        findings.credits_trend(pd.DataFrame({"credits": [1.0]})),
        findings.credits_coverage(pd.DataFrame(records), minimum=1),
        findings.team_credits(pd.DataFrame({"ai_credits_used": [1.0]})),
        findings.delivery_answer(merged, "now"),
        findings.merged_trend(
            pd.DataFrame({charts.findings.delivery.MERGED: [1], findings.delivery.BY_COPILOT: 1})
        ),
        findings.repositories(pd.DataFrame({findings.delivery.MERGED: [1], "repo_name": "r"})),
        findings.survival(curve.assign(survival=1.0, low=np.nan, high=np.nan)),
        findings.quality(checks, covered, "now"),
        findings.day_states(covered),
        findings.definition_gaps(
            pd.DataFrame({"figure": ["daily active people"], "value": 1.0, "reported": 1.0})
        ),
        findings.reduced_records(pd.DataFrame(week | {"share": 1.0, "reduced": 1, "records": 1})),
        findings.restated_figures(pd.DataFrame({"days": [1], "days_after": [1]})),
        findings.series_breaks(covered),
        findings.unknown_fields(covered),
        findings.idle_teams(pd.DataFrame(ids | {"active_users": 0})),
        findings.unsteady_teams(pd.DataFrame(ids | {"days_present": 0, "days_reported": 1})),
        findings.team_totals(totals),
        findings.segments(pd.DataFrame({"segment": ["s"], "share": 1.0, "all_people": 1})),
        findings.agent_trend(pd.DataFrame({"agent_lines": [1], "changed_lines": 1})),
    ]


def test_no_sentence_about_one_speaks_of_many():
    """C1: a plural noun after 1, or a singular after another number, is in no sentence."""
    nouns = "day|week|team|check|record|prompt|credit|field|pull request|known change|completion"
    for sentence in one_of_each():
        assert not pd.Series([sentence]).str.contains(rf"(?<![\d,.])1 (?:{nouns})s\b")[0], sentence
        assert "1 people" not in sentence, sentence
        assert "nan" not in sentence.lower(), sentence
        assert "  " not in sentence, sentence


# ------------------------------------------------------------------------------ adoption


def test_where_too_few_people_are_not_active_the_active_ones_are_still_told():
    """B9: 98 of 100 active: the share is hidden, the 98 are not."""
    users = pd.DataFrame(
        {
            "day": pd.Timestamp("2026-11-02"),
            "user_id": range(100),
            "user_initiated_interaction_count": [5] * 98 + [0] * 2,
        }
    )
    headline = privacy.hide_small_groups(
        metrics.headline(users, days=1), people="people", complementary=False
    )
    assert headline.set_index("figure")["value"].isna()["share_of_people_seen"]
    reach = pd.DataFrame({"surface": [], "share": []})
    assert findings.adoption(headline, reach, "today") == "98 people were active (today)."


def test_people_who_did_nothing_are_not_called_no_records():
    users = pd.DataFrame({"day": MONDAYS[1:], "user_id": 7, "user_initiated_interaction_count": 0})
    reach = pd.DataFrame({"surface": ["cli"], "share": [0.0]})
    assert findings.adoption(metrics.headline(users, days=1), reach, "today") == (
        "Nobody was active (today)."
    )
    assert findings.engagement(metrics.engagement_headline(users, days=1), "today") == (
        "Nobody was active (today)."
    )
    nobody = metrics.engagement_headline(users, end="2026-11-01", days=1)
    assert findings.engagement(nobody, "") == findings.NO_PEOPLE


def changes(*parts: float) -> str:
    names = ["active_people", "active_days", "intensity"]
    frame = pd.DataFrame({"part": ["total", *names], "change": [sum(parts), *parts]})
    return findings.change_parts(frame.assign(before=100.0), "Prompts")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((6.0, 2.0, 2.0), "10%, most of it because more people were active"),
        ((3.6, 3.3, 3.1), "10%, the largest part of it (36%) because more people were active"),
        ((5.0, 5.0, 0.0), "in equal parts because more people were active and each was active on"),
        ((9.0, -5.0, 1.0), "more people were active, although each was active on fewer days"),
        ((-9.0, 1.0, 3.0), "fewer people were active, although an active day had more of them"),
    ],
)
def test_most_of_a_change_is_more_than_half_of_it_and_not_more_than_all(parts, said):
    """Audit 10."""
    assert said in changes(*parts)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(0, 9))
@settings(max_examples=150)
def test_the_share_at_the_median_is_that_of_the_people_or_at_least_half(values, hidden):
    """Audit 5: many share a whole-number median, so that half of them is too few."""
    ranges = [(0, 0), (1, 1), (2, 4), (5, 7), (8, np.nan)]
    frame = pd.DataFrame(ranges, columns=["from_value", "to_value"])
    inside = [sum(low <= n and not n > high for n in values) for low, high in ranges]
    frame["people"] = pd.array(inside, "Int64")
    frame = frame.assign(all_people=len(values), median=float(np.median(values)))
    assert frame["people"].sum() == len(values)
    frame.loc[frame.index == hidden, "people"] = pd.NA  # 5 to 9: none
    share = findings.distribution(frame, "{share}", "n")
    true = np.mean(np.array(values) >= np.median(values))
    assert share in {"At least half", words.percent(true), "Nothing to show: people by n"}
    assert true >= 0.5
    if hidden > 4 and np.median(values) in (0, 1, 2, 5, 8):
        assert share == words.percent(true)


def test_one_person_has_no_half_and_what_nobody_used_is_not_the_most_used():
    headline = pd.DataFrame({"value": [1.0, np.nan], "people": [1, 1]})
    headline["figure"] = ["median_active_days", "top_decile_share_of_interactions"]
    assert findings.engagement(headline, "now") == (
        "1 person was active and used Copilot on 1 day (now)."
    )
    assert people_by(a=0.0, b=0.0) == "No model with a name was used by active people"


def test_a_half_is_not_claimed_where_more_than_half_have_the_median():
    headline = pd.DataFrame(
        {
            "figure": ["median_active_days", "top_decile_share_of_interactions"],
            "value": [12.0, np.nan],
            "people": 129,
        }
    )
    assert findings.engagement(headline, "now").startswith("At least half of the 129 people who")


def test_people_without_a_surface_hidden_on_the_last_day_are_not_told_from_an_earlier_one():
    """Audit 7: the figures of one sentence are those of one day."""
    days = pd.to_datetime(["2026-11-02", "2026-11-03"])
    frame = pd.DataFrame({"surface": ["cli"] * 2 + ["app"] * 2, "day": [*days, *days]})
    frame = frame.assign(label=frame["surface"], share=[0.1, 0.2, 0.3, np.nan])
    said = findings.surface_trend(frame.assign(is_complete_window=True), ["cli", "app"])
    assert said == "Reach among active people to 3 Nov 2026: cli 20%"


def test_accepted_completions_are_those_of_all_weeks_shown_with_their_number():
    """Audit 2: one week of several was told as if it were all of them."""
    weeks = pd.date_range("2026-10-05", periods=4, freq="7D")
    frame = pd.DataFrame({"week": weeks, "accepted": [1, 30, 10, 4], "generated": [2, 40, 20, 8]})
    frame["rate"] = frame["accepted"] / frame["generated"]
    assert findings.acceptance_trend(frame) == (
        "64% of 70 code completions were accepted, 50% to 75% in a week"
    )
    frame.loc[1:, ["accepted", "generated", "rate"]] = np.nan
    assert findings.acceptance_trend(frame) == (
        "50% of 2 code completions were accepted in the week from 5 Oct 2026"
    )


def test_third_party_agents_are_counted_wherever_the_report_counts_surfaces():
    """Audit 3."""
    text = (NOTEBOOKS / "adoption.ipynb").read_text(encoding="utf-8")
    assert text.count("users_by_agent") == 3


# ------------------------------------------------------------------------------ ties and hidden


def people_by(**shares) -> str:
    limits = {
        name: (share, share) if isinstance(share, float) else share
        for name, share in shares.items()
    }
    frame = pd.DataFrame({"model": list(limits)})
    frame["at_least"], frame["at_most"] = zip(*limits.values(), strict=True)
    return findings.people_shares(frame.assign(share=frame["at_least"]), "model", "model")


def test_several_are_named_where_they_share_the_first_place_or_ranges_leave_it_open():
    """Audit 14."""
    assert people_by(a=0.5, b=0.4) == "Most used model: a, by 50% of active people"
    assert people_by(a=0.5, b=0.5) == "Most used models: a and b, each by 50% of active people"
    few = (0.5, 0.875)
    assert people_by(a=few, b=few, c=few, d=few) == (
        "Most used models: a, b, c and 1 more, each by 50% to 88% of active people"
    )
    assert people_by(a=(0.9, 0.97), b=0.95) == (
        "Most used models: a by 90% to 97% and b by 95% of active people"
    )


def test_what_has_no_name_is_not_passed_over_in_silence():
    """Audit 20: 70% used "auto", the largest named one 45%."""
    assert people_by(auto=0.7, b=0.45) == "Most used model with a name: b, by 45% of active people"
    frame = pd.DataFrame({"language": ["others", "go"], "share": [0.6, 0.4]})
    assert findings.lines_by_mode(frame, "language") == (
        "Most changed lines with a named language: Go, 40%"
    )


def test_equal_segments_phases_and_repositories_are_named_together():
    halves = pd.DataFrame({"segment": ["s", "t"], "share": 0.5, "all_people": 20})
    assert findings.segments(halves) == "Largest groups: s and t, each 50% of 20 people"
    days = pd.DataFrame({0: [0.5], 1: [0.5]}, index=pd.to_datetime(["2026-11-02"]))
    assert findings.phases(days).startswith("Largest adoption phases: Passive and Code first, each")
    repositories = pd.DataFrame({findings.delivery.MERGED: [4, 4], "repo_name": ["r", "q"]})
    assert findings.repositories(repositories).endswith("8 pull requests, 50% each in r and q")


def test_a_range_of_some_groups_is_not_told_of_all():
    """Audit 4 and 13: a hidden team, and languages that are not drawn, may lie outside it."""
    teams = pd.DataFrame({"slug": list("abc"), "at_least": [0.78, 0.9, np.nan]})
    teams["at_most"] = [0.78, 0.97, np.nan]
    assert findings.team_shares(teams) == (
        "In the 2 of 3 teams that can be shown, 78% to 97% of the members were active"
    )
    groups = pd.DataFrame({"language": ["a", "b", "c"], "generated": [900, 800, 10]})
    groups = groups.assign(rate=[0.23, 0.29, 0.1], low=0.0, high=1.0)
    title = charts.alt_text(charts.acceptance_by(groups, dimension="language", top=2))
    assert "in the 2 languages with most of them: 23% in a to 29% in b" in title


def test_teams_whose_credits_are_hidden_are_not_taken_for_teams_without():
    """Audit 4."""
    frame = pd.DataFrame({"ai_credits_used": [5.0, 6.0, 7.0, np.nan, np.nan]})
    assert findings.team_credits(frame).startswith("At least 3 of 5 teams use credits")


def weekly_teams(before: dict, after: dict) -> str:
    rows = [
        {"week": week, "team_id": team, "low": low, "high": high, "at_least": (low + high) / 2}
        for week, shares in zip(MONDAYS, (before, after), strict=True)
        for team, (low, high) in shares.items()
    ]
    frame = pd.DataFrame(rows)
    return findings.team_trend(frame.assign(at_most=frame["at_least"]), ())


def test_a_team_is_called_larger_only_where_the_intervals_do_not_overlap():
    """Audit 18: two people more of 32 are no change of a team."""
    said = weekly_teams({1: (0.5, 0.8), 2: (0.1, 0.2)}, {1: (0.6, 0.9), 2: (0.3, 0.5)})
    assert said.endswith(
        "is clearly larger in 1 and clearly smaller in 0 of 2 teams than 4 weeks before"
    )
    said = weekly_teams({1: (0.5, 0.8)}, {1: (0.6, 0.9)})
    assert said.endswith("is clearly larger or smaller in none of 1 team than 4 weeks before")


def test_a_share_that_is_hidden_takes_part_with_its_range():
    """Audit 18: 87% to 97% is more than 20% to 40%, wherever in the range it lies."""
    frame = pd.DataFrame({"week": MONDAYS, "team_id": 1, "low": [0.2, np.nan]})
    frame = frame.assign(high=[0.4, np.nan], at_least=[0.3, 0.87], at_most=[0.3, 0.97])
    assert "clearly larger in 1" in findings.team_trend(frame, ())


def test_hidden_weeks_are_not_taken_for_weeks_in_which_all_was_told():
    frame = pd.DataFrame({"reduced": [0, np.nan], "records": [50, np.nan], "share": [0.0, np.nan]})
    assert findings.reduced_records(frame) == (
        "Every record of a person in the 1 week shown tells what was done"
    )
    clients = pd.DataFrame({"share": [0.0, np.nan], "people_known": 20, "client": "Vim"})
    assert findings.outdated_clients(clients).startswith("No client that can be shown is older")


# ------------------------------------------------------------------------------ who stays


def cohort(shares: list[float], people: list[int]) -> str:
    starts = pd.date_range("2026-08-01", periods=len(shares), freq="MS")
    frame = pd.DataFrame({"cohort": starts, "share": shares, "people": people, "offset": 1})
    return findings.retention(frame.assign(is_left_censored=False), "month")


def test_a_share_of_one_cohort_is_told_with_its_month_and_people():
    """Audit 17."""
    assert cohort([13 / 19], [19]) == (
        "68% of 19 people who started in Aug 2026 were active in the month after"
    )
    assert cohort([0.5, 0.75], [20, 40]) == (
        "50% to 75% of those who started in one of 2 months were active in the month after "
        "(60 people)"
    )


def test_the_curve_of_few_people_is_told_with_its_interval():
    """Audit 17."""
    curve = pd.DataFrame({"is_left_censored": False, "days": [0, 28], "at_risk": [30, 5]})
    curve = curve.assign(survival=[1.0, 0.42], low=[np.nan, 0.21], high=[np.nan, 0.62])
    assert findings.survival(curve) == (
        "After 28 days 42% of 30 people who started later (95% interval 21% to 62%) still used "
        "Copilot"
    )


# ------------------------------------------------------------------------------ credits, data


def test_tokens_of_a_client_that_was_not_used_are_not_told_of_another_week():
    """Audit 7: the CLI was last used on 15 Oct, the app on 15 Nov."""
    frame = pd.DataFrame({"week": MONDAYS, "client_number": [1, 2], "label": ["CLI", "app"]})
    said = findings.tokens_trend(frame.assign(tokens_per_request=[277.0, 300.0]))
    assert said == "Tokens per request in the week from 9 Nov 2026: 300 in the app"


def test_records_without_telemetry_are_not_said_to_have_credits():
    """Audit 9: some have neither."""
    row = {"records": [100], "records_with_credits": [40], "records_without_telemetry": [10]}
    said = findings.credits_coverage(pd.DataFrame(row))
    assert said.endswith("; 10% do not tell what was done")
    weeks = pd.DataFrame({"reduced": [26], "records": [275], "share": [26 / 275]})
    assert findings.reduced_records(weeks) == (
        "9.5% of 275 records of people do not tell what was done"
    )


def test_when_a_change_was_seen_is_not_told_as_when_it_was_made():
    """Audit 19: an import of old files came 38 days later."""
    frame = pd.DataFrame({"days": [3, 2], "days_after": [38, 4]})
    assert findings.restated_figures(frame) == (
        "GitHub has changed figures of at least 3 days; a change was seen up to 38 days after the "
        "day’s end"
    )


def test_a_comparison_group_too_small_to_show_is_not_nobody():
    """B18."""
    found = pd.DataFrame({"team": [""], "comparison_people": pd.array([None], "Int64")})
    assert findings.group_name(found) == "the people given"
    assert findings.group_name(found.fillna({"comparison_people": 0})) == "everybody"


def test_a_multiplier_whose_interval_holds_one_is_no_difference():
    frame = pd.DataFrame({"multiplier": [0.89], "low": [0.62], "high": [1.28], "is_enough": True})
    assert findings.adoption_multiplier(frame).endswith(
        "(95% interval 0.62 to 1.28): no clear difference"
    )
    nobody = frame.assign(multiplier=0.0, low=np.nan, high=np.nan)
    assert "nan" not in findings.adoption_multiplier(nobody)
