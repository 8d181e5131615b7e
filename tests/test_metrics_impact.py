"""A planted effect is found, none is not, and where nothing can be concluded that is said."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from copilot_analytics import metrics, privacy
from copilot_analytics.errors import UsageError
from copilot_analytics.metrics.event_study import placebo_estimates
from copilot_analytics.metrics.impact import concluded
from copilot_analytics.metrics.person_weeks import PersonWeeks, compared, t_quantile
from copilot_analytics.samples import Company, Training

PROMPTS = "user_initiated_interaction_count"
DATE = datetime(2026, 1, 5)  # a Monday, far from any change in how GitHub counts
ORG = "organization:octo-org"


def company(treated=30, others=40, before=12, after=8, extra=0.0, seed=1) -> pd.DataFrame:
    """Person-days of people who prompt on most working days, the treated ones more afterwards."""
    random = np.random.default_rng(seed)
    days = pd.date_range(DATE - timedelta(weeks=before), periods=7 * (before + after), unit="us")
    rows = []
    for user in range(treated + others):
        usual = random.gamma(2, 3)
        for day in days:
            if random.random() < (0.8 if day.weekday() < 5 else 0.05):
                more = extra * (user < treated and day >= DATE)
                rows.append((day, user, int(random.poisson(usual + more))))
    return pd.DataFrame(rows, columns=["day", "user_id", PROMPTS])


def panel(random, effect=0.0, slope=0.0, sizes=(40, 80), before=12, after=8) -> PersonWeeks:
    """What `person_weeks` would return for people with their own level, ups and downs."""
    people, weeks = sum(sizes), np.arange(-before, after)
    is_treated = np.arange(people) < sizes[0]
    level = random.lognormal(1, 0.6, people)[:, None]
    rates = level * random.lognormal(-0.08, 0.4, (people, len(weeks)))
    rates += np.outer(is_treated, effect * (weeks >= 0) + slope * (weeks + before))
    days = np.full(len(weeks), 5)
    return PersonWeeks(
        DATE, "web", weeks, days, random.poisson(5 * rates.clip(0)), is_treated, 140, False, False
    )


def conclude(one: PersonWeeks) -> dict:
    return concluded(one, PROMPTS, minimum_people=25, minimum_days=60)


@pytest.fixture(scope="module")
def users() -> pd.DataFrame:
    return company(extra=3.0)


# ------------------------------------------------------------------------------ the figures


def rate(users, people, first, last, missing=()) -> list[float]:
    """Prompts per working day of each person, by an ordinary loop."""
    days = [day for day in pd.date_range(first, last) if day.weekday() < 5 and day not in missing]
    result = []
    for person in people:
        own = users[users["user_id"] == person]
        total = sum(n for day, n in zip(own["day"], own[PROMPTS], strict=True) if day in days)
        result.append(total / len(days))
    return result


def test_the_figures_are_those_of_a_loop_and_of_welch(users):
    missing = [pd.Timestamp("2025-12-24"), pd.Timestamp("2026-01-06")]
    reported = users[~users["day"].isin(missing)]
    treated, others = range(30), range(30, 70)
    row = metrics.impact(reported, date="2026-01-05", treated=treated, missing_days=missing).iloc[0]
    ends = ("2025-10-13", "2026-01-04"), ("2026-01-05", "2026-03-01")
    assert (row["start"], row["end"]) == (pd.Timestamp(ends[0][0]), pd.Timestamp(ends[1][1]))
    change = {}
    for group, people in (("treated", treated), ("comparison", others)):
        then, later = (np.array(rate(reported, people, *days, missing)) for days in ends)
        assert row[f"{group}_before"] == pytest.approx(then.mean())
        assert row[f"{group}_after"] == pytest.approx(later.mean())
        change[group] = later - then
    welch = stats.ttest_ind(change["treated"], change["comparison"], equal_var=False)
    assert row["estimate"] == pytest.approx(change["treated"].mean() - change["comparison"].mean())
    low, high = welch.confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-4)
    expected = row["treated_before"] + change["comparison"].mean()
    assert row["relative_change"] == pytest.approx(row["estimate"] / expected)


def test_the_standard_error_is_that_of_a_regression_clustered_by_person():
    random = np.random.default_rng(5)
    one = panel(random, effect=1.0)
    found = compared(one.change(), one.is_treated)
    people = np.repeat(np.arange(120), 2)
    after = np.tile([0, 1], 120)
    y = np.column_stack([one.rates(-12, 0), one.rates(0, 8)]).ravel()
    x = np.column_stack([one.is_treated[people], after, one.is_treated[people] * after])
    fitted = sm.OLS(y, sm.add_constant(x.astype(float))).fit(
        cov_type="cluster", cov_kwds={"groups": people}
    )
    assert found.value == pytest.approx(fitted.params[3])
    assert found.standard_error == pytest.approx(fitted.bse[3], rel=0.02)
    robust = sm.OLS(one.change(), sm.add_constant(one.is_treated.astype(float))).fit(cov_type="HC2")
    assert found.standard_error == pytest.approx(robust.bse[1])


@pytest.mark.parametrize("freedom", [5, 9, 24, 48.5, 300])
def test_quantiles_are_those_of_students_distribution(freedom):
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3)


def test_the_trend_before_is_the_difference_of_fitted_slopes():
    one = panel(np.random.default_rng(2), slope=0.2)
    weeks = one.weeks[one.weeks < 0]
    slopes = [np.polyfit(weeks, person[:12] / 5, 1)[0] for person in one.sums]
    slopes = np.array(slopes)
    row = conclude(one)
    expected = slopes[one.is_treated].mean() - slopes[~one.is_treated].mean()
    assert row["trend"] == pytest.approx(expected)
    low, high = stats.ttest_ind(
        slopes[one.is_treated], slopes[~one.is_treated], equal_var=False
    ).confidence_interval(0.95)
    assert (row["trend_low"], row["trend_high"]) == pytest.approx((low, high), rel=1e-4)


def test_weeks_are_the_means_of_the_groups_and_their_difference(users):
    found = metrics.event_study(users, date=DATE, treated=range(30)).set_index(["group", "week"])
    own = rate(users, range(30), "2026-01-12", "2026-01-18")
    others = rate(users, range(30, 70), "2026-01-12", "2026-01-18")
    assert found.loc[("treated", 1), "mean"] == pytest.approx(np.mean(own))
    low, high = stats.t.interval(0.95, 29, np.mean(own), stats.sem(own))
    assert tuple(found.loc[("treated", 1), ["low", "high"]]) == pytest.approx((low, high), rel=1e-4)
    usual = np.mean(rate(users, range(30), "2025-10-13", "2026-01-04"))
    usual -= np.mean(rate(users, range(30, 70), "2025-10-13", "2026-01-04"))
    expected = np.mean(own) - np.mean(others) - usual
    assert found.loc[("difference", 1), "mean"] == pytest.approx(expected)
    before = found.loc["difference"].query("week < 0")
    assert before["trend"].diff().dropna().tolist() == pytest.approx(
        [np.polyfit(before.index.to_numpy(float), before["mean"], 1)[0]] * 11
    )


def test_earlier_dates_use_nothing_of_after_the_date(users):
    options = {"date": DATE, "treated": range(30)}
    dates = metrics.placebo_dates(users, **options)
    assert dates["is_event"].tolist() == [False] * 7 + [True]
    assert set(dates["weeks"]) == {3}
    for row in dates.iloc[[0, 4, 7]].itertuples():
        then = (row.date - timedelta(weeks=3), row.date - timedelta(days=1))
        later = (row.date, row.date + timedelta(weeks=3) - timedelta(days=1))
        means = [np.mean(rate(users, g, *later)) - np.mean(rate(users, g, *then))
                 for g in (range(30), range(30, 70))]  # fmt: skip
        assert row.estimate == pytest.approx(means[0] - means[1])
    spoiled = users.assign(**{PROMPTS: users[PROMPTS].where(users["day"] < DATE, 999)})
    again = metrics.placebo_dates(spoiled, **options)
    pd.testing.assert_frame_equal(again.head(7), dates.head(7))


# ------------------------------------------------------------------------------ the outcome


def test_the_interval_covers_the_truth_19_times_of_20():
    random = np.random.default_rng(11)
    hits = 0
    for _ in range(500):
        one = panel(random, effect=0.5)
        low, high = compared(one.change(), one.is_treated).interval
        hits += low <= 0.5 <= high
    assert 0.93 <= hits / 500 <= 0.97


def test_nothing_planted_is_seldom_found():
    random = np.random.default_rng(12)
    outcomes = [conclude(panel(random))["outcome"] for _ in range(100)]
    found = outcomes.count("increase") + outcomes.count("decrease")
    assert found <= 5
    assert outcomes.count("no effect found") >= 80


@pytest.mark.parametrize(("effect", "outcome"), [(1.0, "increase"), (-1.0, "decrease")])
def test_a_planted_effect_is_mostly_found(effect, outcome):
    random = np.random.default_rng(13)
    outcomes = [conclude(panel(random, effect=effect))["outcome"] for _ in range(40)]
    assert outcomes.count(outcome) >= 34
    assert not {"increase", "decrease"} - {outcome} & set(outcomes)


def test_groups_that_moved_apart_before_are_no_evidence():
    """The test of the trend and the earlier dates together catch what either may miss."""
    random = np.random.default_rng(14)
    for slope, fewest in ((0.15, 38), (0.05, 32)):
        rows = [conclude(panel(random, slope=slope)) for _ in range(40)]
        claimed = [row for row in rows if row["outcome"] in ("increase", "decrease")]
        assert len(claimed) <= 40 - fewest, slope
        assert any("moved apart" in row["reasons"] for row in rows)
        assert any("earlier dates show" in row["reasons"] for row in rows)


def test_a_planted_training_is_found_in_the_sample_company_and_none_is_not():
    """Without the extra prompts the company is the one that had no training."""
    day = date(2026, 10, 19)
    truth = Company(days=96, training=Training("platform", day, extra=0.7)).truth(ORG)
    users = truth.people_days
    untrained = users.assign(**{PROMPTS: users[PROMPTS] - users["extra_prompts"]})
    options = {"date": day, "treated": "platform", "teams": truth.memberships}
    options |= {"missing_days": [date(2026, 9, 9)]}
    without, trained = (metrics.impact(frame, **options).iloc[0] for frame in (untrained, users))
    assert without["outcome"] == "no effect found"
    assert (trained["outcome"], trained["reasons"]) == ("increase", "")
    compared_days = (users["day"] <= trained["end"]) & (users["day"].dt.day_of_week < 5)
    planted = users.loc[compared_days, "extra_prompts"].sum() / 20 / trained["treated_people"]
    assert trained["low"] <= planted <= trained["high"]
    assert trained["estimate"] - without["estimate"] == pytest.approx(planted, rel=0.15)


# ------------------------------------------------------------------------------ nothing to conclude


def reasons(users, **options) -> str:
    row = metrics.impact(users, **options).iloc[0]
    assert row["outcome"] == "cannot conclude"
    return row["reasons"]


def test_a_clear_case_has_no_reason_against_it(users):
    row = metrics.impact(users, date=DATE, treated=range(30)).iloc[0]
    assert (row["outcome"], row["reasons"], row["placebos_as_large"]) == ("increase", "", 0)


def test_too_few_people_conclude_nothing(users):
    text = "a group has fewer than 25 people who were seen before the date"
    assert reasons(users, date=DATE, treated=range(24)) == text
    assert reasons(users, date=DATE, treated=range(46)) == text
    fine = metrics.impact(users, date=DATE, treated=range(24), minimum_people=20)
    assert fine["outcome"].iloc[0] == "increase"


def test_too_few_days_conclude_nothing(users):
    text = "fewer than 60 days with a report, or than 4 weeks on a side"
    late = users[users["day"] >= DATE - timedelta(weeks=4)]
    assert reasons(late[late["day"] < DATE + timedelta(weeks=4)], date=DATE, treated=range(30)) == (
        text
    )
    assert reasons(users, date="2026-02-16", treated=range(30)).startswith(text)


def test_days_that_may_still_change_are_left_out(users):
    options = {"date": DATE, "treated": range(30), "final_through": "2026-01-28"}
    assert reasons(users, **options).endswith("because days that may still change are left out")
    row = metrics.impact(users, **options | {"final_through": "2026-02-10"}).iloc[0]
    assert (row["end"], row["outcome"]) == (pd.Timestamp("2026-02-08"), "increase")


def test_without_comparison_group_or_date_nothing_is_concluded(users):
    row = metrics.impact(users, date=DATE).iloc[0]
    assert (row["outcome"], row["reasons"]) == (
        "cannot conclude",
        "there is no comparison group",
    )
    assert row["comparison_people"] == 0
    assert pd.isna(row["trend"])
    assert row["estimate"] == pytest.approx(row["treated_after"] - row["treated_before"])
    assert "no date was given" in reasons(users, treated=range(30))


def test_a_change_of_the_counting_close_to_the_date_concludes_nothing(users):
    moved = users.assign(day=users["day"] + (pd.Timestamp("2026-09-14") - DATE))
    text = reasons(moved, date="2026-09-14", treated=range(30))
    assert text == "GitHub changed how it counts within a week of the date (App booked as CLI)"
    far = metrics.impact(moved.assign(day=moved["day"] + timedelta(weeks=5)), date="2026-10-19",
                         treated=range(30)).iloc[0]  # fmt: skip
    assert far["outcome"] == "increase"
    assert "App booked as CLI" in far["series_breaks"]


def test_nobody_and_one_day_conclude_nothing(users):
    row = metrics.impact(users.head(0)).iloc[0]
    assert row["outcome"] == "cannot conclude"
    assert row[["date", "estimate", "start", "trend"]].isna().all()
    assert metrics.event_study(users.head(0)).empty
    assert metrics.placebo_dates(users.head(0)).empty
    assert len(metrics.impact_headline(metrics.impact(users.head(0)))) >= 1
    one = users[users["day"] == users["day"].min()]
    assert "fewer than 60 days" in reasons(one, date=one["day"].iloc[0], treated=[1])


# ------------------------------------------------------------------------------ who and what


def test_members_are_those_as_of_the_date_and_stay_in_their_group(users):
    teams = pd.DataFrame(
        [
            (day, user, 7, slug)
            for day, slug, members in (
                ("2025-12-01", "web", range(30)),
                ("2026-01-02", "web", range(5, 35)),
                ("2026-02-01", "website", range(50)),
            )
            for user in members
        ],
        columns=["day", "user_id", "team_id", "slug"],
    ).astype({"day": "datetime64[us]"})
    options = {"teams": teams, "treated": "website"}
    found = metrics.impact(users, date=DATE, **options)
    expected = metrics.impact(users, date=DATE, treated=range(5, 35))
    assert found["team"].iloc[0] == "website"
    pd.testing.assert_frame_equal(found.drop(columns="team"), expected.drop(columns="team"))
    frame = pd.DataFrame({"user_id": range(5, 35)})
    pd.testing.assert_frame_equal(metrics.impact(users, date=DATE, treated=frame), expected)
    dry = metrics.impact(users, teams=teams).iloc[0]
    assert (dry["is_dry_run"], dry["team"]) == (True, "website")
    with pytest.raises(UsageError, match="there is no team 'nobody'"):
        metrics.impact(users, date=DATE, teams=teams, treated="nobody")
    with pytest.raises(UsageError, match="without the table of teams"):
        metrics.impact(users, date=DATE, treated="web")


def test_nobody_is_chosen_by_what_came_after_the_date(users):
    newcomers = company(treated=0, others=9, before=0, seed=4)
    newcomers["user_id"] += 1_000
    with_newcomers = pd.concat([users, newcomers], ignore_index=True)
    options = {"date": DATE, "treated": [*range(30), 1_000]}
    pd.testing.assert_frame_equal(
        metrics.impact(with_newcomers, **options), metrics.impact(users, **options)
    )


def test_who_leaves_counts_as_nothing_done(users):
    left = users[(users["user_id"] != 3) | (users["day"] < DATE)]
    row = metrics.impact(left, date=DATE, treated=range(30)).iloc[0]
    assert row["treated_people"] == 30
    whole = metrics.impact(users, date=DATE, treated=range(30)).iloc[0]
    (own,) = rate(users, [3], "2026-01-05", "2026-03-01")
    assert row["treated_after"] == pytest.approx(whole["treated_after"] - own / 30)


def test_active_days_are_a_measure_and_what_must_not_be_added_up_is_none(users):
    row = metrics.impact(users, date=DATE, treated=range(30), measure="active_days").iloc[0]
    active = users.assign(**{PROMPTS: (users[PROMPTS] > 0).astype(int)})
    expected = metrics.impact(active, date=DATE, treated=range(30)).iloc[0]
    assert row["estimate"] == pytest.approx(expected["estimate"])
    for measure in ("daily_active_users", "no_such_thing"):
        with pytest.raises(UsageError, match="is not known, or must not be added up"):
            metrics.impact(users, date=DATE, measure=measure)
    with pytest.raises(UsageError, match="is not a day"):
        metrics.impact(users, date="soon")


def test_small_groups_are_hidden_with_all_that_tells_about_them(users):
    found = metrics.impact(users, date=DATE, treated=[1, 2, 3])
    people = ["treated_people", "comparison_people"]
    hidden = privacy.hide_small_groups(found, people=people, complementary=False)
    numbers = hidden.select_dtypes("number")
    assert numbers.drop(columns="comparison_people").isna().all(axis=None)
    headline = metrics.impact_headline(hidden)
    assert headline["is_hidden"].all()
    assert headline["value"].isna().all()
    assert not headline["note"].str.contains("3 people").any()


def test_the_headline_repeats_the_figures(users):
    found = metrics.impact(users, date=DATE, treated=range(30))
    headline = metrics.impact_headline(found).set_index("figure")
    row = found.iloc[0]
    assert headline.loc["estimate", "value"] == row["estimate"]
    assert headline.loc["comparison_after", ["value", "previous"]].tolist() == [
        row["comparison_after"],
        row["comparison_before"],
    ]
    own = metrics.placebo_dates(users, date=DATE, treated=range(30)).iloc[-1]["estimate"]
    assert headline.loc["placebos_as_large", "note"] == (
        f"of 7 earlier dates; over 3 weeks on each side, where this date has {own:+.2f}"
    )


def test_a_short_history_has_fewer_earlier_dates():
    one = panel(np.random.default_rng(1), before=3)
    assert placebo_estimates(one) == (0, {})
    length, found = placebo_estimates(panel(np.random.default_rng(1), before=4, after=1))
    assert (length, sorted(found)) == (1, [-3, -2, -1, 0])
