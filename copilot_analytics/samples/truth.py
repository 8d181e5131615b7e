"""What really happened in the sample company, to compare results with.

It comes from the drawn arrays, never from the records, so that a mistake in the records shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from copilot_analytics.catalogue import endpoint
from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.activity import per_person

if TYPE_CHECKING:
    from copilot_analytics.samples.company import Company, Entity

# Columns of truth by what they say was used; GitHub's names where it has a flag.
USED = {
    "used_code_completion": ("code_completion",),
    "used_agent_edit": ("agent_edit",),
    "used_chat": ("used_chat",),
    "used_agent": ("used_agent",),
    "used_cli": ("copilot_cli",),
    "used_copilot_app": ("copilot_app",),
    "used_copilot_cloud_agent": ("cloud_agent",),
    "used_copilot_code_review_active": ("review_active",),
    "used_copilot_code_review_passive": ("review_passive",),
    "used_vscode_agent": ("vscode_agent",),
    "used_third_party_agent": ("third_party_agent",),
    "is_server_only": ("server_only",),
    "is_reduced": ("reduced",),
    "is_active": ("active",),
}


@dataclass(frozen=True)
class Truth:
    """What happened in one organization or enterprise, once all is settled.

    Attributes
    ----------
    people_days
        One row per day and person with a record: `day`, `user_id`, the seven counters, `credits`
        (NaN before credits were reported, 0 where GitHub leaves them out), `used_…` (bool),
        `is_reduced` (only credits arrived), `is_server_only`, `is_interacting` (interactions > 0),
        `is_active` (counted by GitHub as active that day), `phase_number`, and `extra_prompts`:
        those of the interactions that are an effect of the company's training.
    days
        One row per day with a report: `day`, `people` (records), `daily_active_users`, the seven
        counters and `credits`, summed over the people.
    memberships
        One row per day, team and person with a seat: `day`, `team_id`, `slug`, `user_id`.
    """

    people_days: pd.DataFrame
    days: pd.DataFrame
    memberships: pd.DataFrame


def tell(company: Company, entity: Entity) -> Truth:
    """Return the truth about one entity."""
    days = company.days(endpoint("users-1-day", entity.scope.kind).first_day)
    people_days = pd.concat([_people_of(company, entity, day) for day in days], ignore_index=True)
    sums = people_days.groupby("day")[[*words.COUNTERS, "credits"]].sum(min_count=1)
    counted = people_days.groupby("day").agg(
        people=("user_id", "size"), daily_active_users=("is_active", "sum")
    )
    calendar = pd.DatetimeIndex(days, name="day").astype("datetime64[us]")
    per_day = counted.join(sums).reindex(calendar, fill_value=0).reset_index()
    team_days = company.days(endpoint("user-teams-1-day", entity.scope.kind).first_day)
    return Truth(people_days, per_day, _memberships(company, entity, team_days))


def _people_of(company: Company, entity: Entity, day) -> pd.DataFrame:
    bits = company.recorded(day) * entity.members
    rows = np.flatnonzero(bits)
    activity = company.activity(day)
    counters = per_person(activity, len(bits))[rows]
    credits_known = day >= words.since("users", "ai_credits_used")
    frame = pd.DataFrame(
        {"day": pd.Timestamp(day).as_unit("us"), "user_id": company.people.user_id[rows]}
    )
    for place, name in enumerate(words.COUNTERS):
        frame[name] = counters[:, place]
    frame["credits"] = activity.credits[rows] / 100 if credits_known else np.nan
    for name, surfaces in USED.items():
        frame[name] = (bits[rows] & words.mask(surfaces)) > 0
    frame["is_interacting"] = counters[:, words.INTERACTIONS] > 0
    frame["phase_number"] = company.phases(day)[rows]
    frame["extra_prompts"] = company.extra_prompts(day)[rows]
    return frame


def _memberships(company: Company, entity: Entity, days) -> pd.DataFrame:
    rows = [
        (day, team.team_id, team.slug, int(company.people.user_id[person]))
        for day in days
        for person, team in company.members_of_teams(entity, day)
    ]
    frame = pd.DataFrame(rows, columns=["day", "team_id", "slug", "user_id"])
    return frame.astype({"day": "datetime64[us]", "team_id": "int64", "user_id": "int64"})
