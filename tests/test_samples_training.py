"""A planted training adds prompts of one team from its day on, and changes nothing else."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from sample_company import INTERACTIONS, ORG, entity, sums

from copilot_analytics.errors import UsageError
from copilot_analytics.samples import Company, Training

DAY = date(2026, 11, 12)
SIZE = {"people": 60, "days": 14}


@pytest.fixture(scope="module")
def truths():
    trained = Company(**SIZE, training=Training("web", DAY, extra=1.0))
    return {
        "plain": Company(**SIZE).truth(ORG),
        "trained": trained.truth(ORG),
        "nothing": Company(**SIZE, training=Training("web", DAY, extra=0.0)).truth(ORG),
    }


def test_the_truth_without_the_extra_prompts_is_the_company_without_training(truths):
    plain, trained = truths["plain"].people_days, truths["trained"].people_days
    assert not plain["extra_prompts"].any()
    untrained = trained.assign(
        **{INTERACTIONS: trained[INTERACTIONS] - trained["extra_prompts"], "extra_prompts": 0}
    )
    pd.testing.assert_frame_equal(untrained, plain)
    pd.testing.assert_frame_equal(truths["nothing"].people_days, plain)
    pd.testing.assert_frame_equal(truths["trained"].memberships, truths["plain"].memberships)


def test_only_members_of_the_day_prompt_more_and_only_from_the_day_on(truths):
    found = truths["trained"]
    more = found.people_days[found.people_days["extra_prompts"] > 0]
    assert more["day"].min() == pd.Timestamp(DAY)
    teams = found.memberships
    members = teams.loc[(teams["day"] == pd.Timestamp(DAY)) & (teams["slug"] == "web"), "user_id"]
    assert set(more["user_id"]) <= set(members)
    assert len(set(more["user_id"])) > len(members) / 2


def test_each_prompt_in_a_chat_gets_as_many_more_as_planned(truths):
    plain, extra = truths["plain"].people_days, truths["trained"].people_days["extra_prompts"]
    team = truths["plain"].memberships.query("slug == 'web'")
    after = plain["user_id"].isin(team["user_id"]) & (plain["day"] >= pd.Timestamp(DAY))
    prompts = plain.loc[after, INTERACTIONS].sum()
    # Prompts of the CLI and the app are left as they are, so a little less than one for one.
    assert 0.6 * prompts < extra.sum() < 1.1 * prompts


def test_records_with_a_training_still_add_up():
    company = Company(**SIZE, training=Training("web", DAY, extra=1.0))
    day = date(2026, 11, 18)
    rows = list(company.records("users-1-day", ORG, day))
    extra = int(company.extra_prompts(day)[company.entity(ORG).members].sum())
    untrained = list(Company(**SIZE).records("users-1-day", ORG, day))
    assert sums(rows)[INTERACTIONS] == sums(untrained)[INTERACTIONS] + extra
    assert sums(rows)[INTERACTIONS] == entity(company, ORG, day)[INTERACTIONS]
    for row in rows:
        for name in ("totals_by_feature", "totals_by_model_feature"):
            assert sums(row.get(name, []), [INTERACTIONS])[INTERACTIONS] == row[INTERACTIONS], name


@pytest.mark.parametrize("wrong", [("nobody", 0.5), ("web", -0.1)])
def test_a_training_that_cannot_be_is_refused(wrong):
    team, extra = wrong
    with pytest.raises(UsageError, match="no training of team"):
        Training(team, DAY, extra)
