"""Who uses what on a day: cheap to draw, and enough for anything that is counted over weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.population import USE, Population, generator

SETTLED = 3  # the level of a day that will not change any more; 0 is the first one published


@dataclass(frozen=True)
class Use:
    """Who used what on a day: arrays of (n,).

    `bits` are those of `vocabulary.BIT`. A record is served from level `arrival` on, and with its
    full numbers from level `complete` on.
    """

    bits: np.ndarray
    is_working: np.ndarray
    arrival: np.ndarray
    complete: np.ndarray


def draw_use(people: Population, day: date, part: float, seed: int) -> Use:
    """Draw who uses what on a day, which lies at `part` (0 to 1) of the period."""
    rng = generator(seed, USE, day)
    count = len(people.user_id)
    presence = words.WEEKDAYS[day.weekday()]
    if day.isocalendar().week in words.HOLIDAY_WEEKS:
        presence *= words.HOLIDAY_SHARE
    is_working = (rng.random(count) < presence * people.diligence) & people.has_seat(day)
    used = rng.random(people.chance.shape) < people.chance
    used &= (people.threshold <= part) & is_working[:, None]
    writes_files = rng.random(count) < 0.75
    bits = np.zeros(count, dtype=np.int64)
    for place, name in enumerate(words.SURFACES):
        if day >= words.first_days().get(name, day):
            bits |= np.where(used[:, place], words.BIT[name], 0)
    writers = words.mask(f"chat_panel_{mode}_mode" for mode in ("agent", "edit", "custom"))
    bits |= np.where(writes_files & ((bits & writers) > 0), words.BIT["agent_edit"], 0)
    if day < words.change("Plan mode split off"):
        bits = _rebook(bits, "chat_panel_plan_mode", "chat_panel_custom_mode")
    bits = _conclude(bits, day)
    bits = _rows_without_use(rng, people, bits, is_working, day)
    late = rng.random(count)
    arrival = np.searchsorted([0.86, 0.92, 0.96], late)
    complete = np.maximum(arrival, np.searchsorted([0.8, 0.88, 0.94], rng.random(count)))
    return Use(bits, is_working, arrival, complete)


def _rebook(bits: np.ndarray, name: str, other: str) -> np.ndarray:
    has = (bits & words.BIT[name]) > 0
    return np.where(has, (bits & ~words.BIT[name]) | words.BIT[other], bits)


def counted_features(day: date) -> list[str]:
    """Return the features that count in totals and breakdowns on a day."""
    return [name for name in words.FEATURE_NAMES if day >= words.joins().get(name, day)]


def _conclude(bits: np.ndarray, day: date) -> np.ndarray:
    """Add what GitHub concludes: active (GitHub's rule), chat and agent (inside the IDE)."""
    prompted = words.mask(
        feature.name
        for feature in words.FEATURES
        if feature.prompts and feature.name in counted_features(day)
    )
    bits = bits | np.where((bits & prompted) > 0, words.BIT["active"], 0)
    bits |= np.where((bits & words.mask(words.CHAT_MODES)) > 0, words.BIT["used_chat"], 0)
    agent = (bits & words.BIT["chat_panel_agent_mode"]) > 0
    return bits | np.where(agent, words.BIT["used_agent"], 0)


def _rows_without_use(rng, people, bits, is_working, day) -> np.ndarray:
    """Let some people be seen by the server only, and the telemetry of others get lost."""
    server = (rng.random(len(bits)) < 0.2) & is_working & (bits == 0)
    server &= people.chance.any(axis=1) & (day >= words.change("Server-side users count"))
    lost = (rng.random(len(bits)) < 0.09) & (day >= words.since("users", "ai_credits_used"))
    lost &= (bits & words.BIT["active"]) > 0
    bits = np.where(server, words.BIT["server_only"] | words.BIT["active"], bits)
    return np.where(lost, words.BIT["reduced"], bits)
