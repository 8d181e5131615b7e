"""Draws how much is used on a day, for those whose use is known."""

from __future__ import annotations

from datetime import date

import numpy as np

from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.activity import Activity
from copilot_analytics.samples.population import ACTIVITY, Population, generator
from copilot_analytics.samples.use import Use, counted_features

SPECIAL_MODELS = np.array([words.MODEL_NAMES.index(n) for n in ("auto", "unknown", "others")])
HOUR = 36_000_000_000  # in ticks of 0.1 microseconds


def draw_activity(people: Population, use: Use, day: date, part: float, seed: int) -> Activity:
    """Draw how much is used on a day, which lies at `part` (0 to 1) of the period."""
    rng = generator(seed, ACTIVITY, day)
    counted = counted_features(day)
    prompts = {}
    parts = []
    for place, feature in enumerate(words.FEATURES):
        cells = _cells(rng, people, use.bits, place, day, part)
        interactions = np.zeros(len(use.bits), dtype=np.int64)
        np.add.at(interactions, cells[0], cells[5][:, words.INTERACTIONS])
        prompts[feature.name] = interactions
        if feature.name in counted:
            parts.append(cells)
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    person, feature, language, model, ide, counts = (column[order] for column in columns)
    counted_prompts = sum(prompts[name] for name in counted)
    cli = _sessions(rng, prompts["copilot_cli"], 24)
    app = _sessions(rng, prompts["copilot_app"], 6)
    jobs, job_sessions = _jobs(rng, use.bits)
    return Activity(
        person=person,
        feature=feature,
        language=language,
        model=model,
        ide=ide,
        counts=counts,
        cli=cli,
        app=app,
        window=_window(rng, use.bits),
        jobs=jobs,
        job_sessions=job_sessions,
        customizations=_customizations(rng, cli[:, 2], day),
        credits=_credits(rng, people, use.bits, counted_prompts, cli[:, 1], day),
        seen_at=rng.integers(7 * HOUR, 20 * HOUR, len(use.bits)),
    )


def _cells(rng, people: Population, bits: np.ndarray, place: int, day: date, part: float):
    """Return the columns of the cells of one feature: one to three languages per person."""
    feature = words.FEATURES[place]
    who = np.flatnonzero(bits & words.BIT[feature.name])
    many = 1 + rng.binomial(2, 0.35, len(who))
    person = np.repeat(who, many)
    slot = np.arange(len(person)) - np.repeat(np.cumsum(many) - many, many)
    turn = np.repeat(rng.integers(0, 4, len(who)), many)
    language = people.languages[person, (slot + turn) % 4]
    if feature.name in words.joins():
        ide = np.full(len(person), words.NO_IDE)
    else:
        ide = people.ides[person, np.repeat((rng.random(len(who)) < 0.1).astype(int), many)]
    counts = _counts(rng, people, feature, person, slot == 0, bits[person], day, part)
    kept = np.flatnonzero(counts.any(axis=1))
    columns = (
        person,
        np.full(len(person), place),
        language,
        _models(rng, people, person, day, part),
        ide,
        counts,
    )
    return [column[kept] for column in columns]


def _models(rng, people: Population, person: np.ndarray, day: date, part: float) -> np.ndarray:
    moved = (people.model_move[person] <= part).astype(int)
    second = (rng.random(len(person)) < 0.25).astype(int)
    auto = 0.3 if day < words.change("Auto model resolved") else 0.04
    kind = np.searchsorted([auto, auto + 0.01, auto + 0.02], rng.random(len(person)))
    own = people.models[person, moved, second]
    return np.where(kind < 3, SPECIAL_MODELS[np.minimum(kind, 2)], own)


def _counts(rng, people, feature: words.Feature, person, is_first, bits, day, part) -> np.ndarray:
    """Draw the seven counters of each cell; interactions stand in the first cell of a person."""
    counts = np.zeros((len(person), len(words.COUNTERS)), dtype=np.int64)
    intensity = people.intensity[person] * (
        0.7 + 0.6 * part if feature.name in words.EARLY or not feature.accepted else 1
    )
    if feature.prompts:
        counts[:, words.INTERACTIONS] = is_first * (1 + rng.poisson(feature.prompts * intensity))
    generated = rng.poisson(feature.generations * intensity / 1.5)
    chance = np.full(len(person), float(feature.accepted))
    if feature.accepted < 0.5:
        chance *= people.inclination[person]
    if feature.prompts is None:
        generated += 1 if feature.accepted == 0 else 2
    accepted = rng.binomial(
        np.maximum(generated - 2, 0) if not feature.prompts else generated, chance
    )
    if feature.name == "chat_panel_ask_mode":
        # A block of yesterday's answer accepted today. Completions leave two generations
        # unaccepted, so that this never shows at the top level; in real reports it never does.
        has_room = is_first & ((bits & words.BIT["code_completion"]) > 0)
        is_old = has_room & (rng.random(len(person)) < 0.03)
        accepted = np.where(is_old, generated + rng.integers(1, 3, len(person)), accepted)
    lines = accepted if feature.accepted else generated
    suggests = day >= words.change("CLI lines and IDE coverage") or feature.name != "copilot_cli"
    if feature.suggested and suggests:
        counts[:, words.SUGGESTED] = generated + rng.poisson(generated * (feature.suggested - 1))
        if feature.name == "copilot_cli":
            counts[:, words.SUGGESTED_DELETED] = rng.poisson(generated * 0.8)
    counts[:, words.GENERATIONS] = generated
    counts[:, words.ACCEPTANCES] = accepted
    counts[:, words.ADDED] = lines + rng.poisson(lines * (feature.added - 1))
    counts[:, words.DELETED] = rng.poisson(generated * feature.deleted)
    return counts


def _sessions(rng, prompts: np.ndarray, follow_ups: float) -> np.ndarray:
    """Return (n, 5): sessions, requests, prompts, output tokens, prompt tokens.

    A few days of unattended work make many times the usual requests: the sum of an organization
    then needs more than 32 bits, as it does in reality.
    """
    burst = np.array([1, 12, 120])[np.searchsorted([0.95, 0.99], rng.random(len(prompts)))]
    requests = prompts + rng.poisson(prompts * follow_ups * burst)
    return np.stack(
        [
            np.minimum(prompts, 1 + rng.binomial(prompts, 0.2)),
            requests,
            prompts,
            (requests * rng.lognormal(6.6, 0.3, len(prompts))).astype(np.int64),
            (requests * rng.lognormal(10.7, 0.4, len(prompts))).astype(np.int64),
        ],
        axis=1,
    )


def _window(rng, bits: np.ndarray) -> np.ndarray:
    has = (bits & words.BIT["vscode_agent"]) > 0
    sessions = has * (1 + rng.poisson(0.8, len(bits)))
    return np.stack([sessions, sessions + rng.poisson(sessions * 3.0)], axis=1)


def _jobs(rng, bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return jobs and sessions per person and third-party agent, each (n, agents)."""
    has = (bits & words.BIT["third_party_agent"]) > 0
    which = np.searchsorted([0.55, 0.9], rng.random(len(bits)))  # the first, the second, both
    uses = np.stack([which != 1, which != 0], axis=1) & has[:, None]
    jobs = uses * (1 + rng.poisson(1.2, uses.shape))
    return jobs, jobs + rng.poisson(jobs * 0.5)


def _customizations(rng, prompts: np.ndarray, day: date) -> dict[str, np.ndarray]:
    """Return by kind the interactions (n, names); those of a plugin are part of its skill's."""
    result = {
        kind: np.zeros((len(prompts), len(names)), dtype=np.int64)
        for kind, names in words.CUSTOMIZATIONS.items()
    }
    users = np.flatnonzero(prompts)
    if day < words.since("users", "distinct_skill_use_count"):
        return result
    often = np.minimum(prompts[users], 30)[:, None]
    for kind, names in words.CUSTOMIZATIONS.items():
        if kind == "plugin":
            skills = result["skill"][users, : len(names)]
            result[kind][users] = rng.binomial(skills, 0.3)
        else:
            rates = often * 0.25 / (1 + np.arange(len(names)))
            result[kind][users] = rng.poisson(rates) * (rng.random(rates.shape) < 0.6)
    return result


def _credits(rng, people, bits, prompts, requests, day: date) -> np.ndarray:
    """Return hundredths of a credit; some people work with models that cost none."""
    if day < words.since("users", "ai_credits_used"):
        return np.zeros(len(bits), dtype=np.int64)
    used = rng.poisson(prompts * 400 + requests * 6) * (rng.random(len(bits)) >= 0.04)
    lost = 1 + rng.poisson(2500 * people.intensity)
    return np.where(bits & words.BIT["reduced"], lost, used)
