"""An effect of known size: a team that prompts more from the day of a training on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from copilot_analytics.errors import UsageError
from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.activity import Activity
from copilot_analytics.samples.population import TRAINING, Population, generator


@dataclass(frozen=True)
class Training:
    """A training of one team.

    The company is the same without it, but for prompts of chats in IDEs: to each prompt of a member
    on a later day come `extra` more on average. So the difference to the company with the same seed
    and no training is the effect, to the last prompt. Credits and all else stay.

    Parameters
    ----------
    team
        Slug of the team. Its members are those of the day, wherever they go afterwards.
    day
        First day with an effect.
    extra
        Further prompts per prompt, on average; 0 for a training that changes nothing.

    Raises
    ------
    UsageError
        If there is no such team, or `extra` is negative.

    Examples
    --------
    >>> Training("platform", date(2026, 10, 19)).extra
    0.5
    """

    team: str
    day: date
    extra: float = 0.5

    def __post_init__(self):
        teams = [team.slug for team in words.TEAMS]
        if self.team not in teams or self.extra < 0:
            raise UsageError(
                f"no training of team {self.team!r} with {self.extra} more prompts per prompt",
                advice=f"one of: {', '.join(teams)}; and 0 or more",
            )

    def members(self, people: Population) -> np.ndarray:
        """Return for each person whether they belong to the team on the day."""
        result = np.zeros(len(people.user_id), dtype=bool)
        for member in people.memberships:
            is_then = member.first_day <= self.day <= member.last_day
            if words.TEAMS[member.team].slug == self.team and is_then:
                result[member.person] = True
        return result & people.has_seat(self.day)

    def extra_of(self, activity: Activity, trained: np.ndarray, day: date, seed: int) -> np.ndarray:
        """Return how many prompts come to those of each cell."""
        if day < self.day:
            return np.zeros(len(activity.person), dtype=np.int64)
        codes = [words.FEATURE_NAMES.index(name) for name in words.CHAT_FEATURES]
        is_chat = np.isin(activity.feature, codes) & trained[activity.person]
        prompts = activity.counts[:, words.INTERACTIONS] * is_chat
        return generator(seed, TRAINING, day).poisson(prompts * self.extra)


def with_prompts(activity: Activity, extra: np.ndarray) -> Activity:
    """Return what was used with further prompts in each cell."""
    counts = activity.counts.copy()
    counts[:, words.INTERACTIONS] += extra
    return replace(activity, counts=counts)
