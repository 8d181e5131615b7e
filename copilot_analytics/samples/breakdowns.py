"""The parts that the records of a person and of an entity share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.activity import Activity, totals

NAMES = {
    "ide": np.array([ide.name for ide in words.IDES], dtype=object),
    "feature": np.array(words.FEATURE_NAMES, dtype=object),
    "language": np.array(words.LANGUAGE_NAMES, dtype=object),
    "model": np.array(words.MODEL_NAMES, dtype=object),
}


class Breakdown(NamedTuple):
    """An array of a record: its dimensions, and its first counter."""

    dimensions: tuple[str, ...]
    first_counter: int


# Languages have no interactions, models no completions, IDEs neither the CLI nor the app.
BREAKDOWNS = {
    "totals_by_ide": Breakdown(("ide",), 0),
    "totals_by_feature": Breakdown(("feature",), 0),
    "totals_by_language_feature": Breakdown(("language", "feature"), 1),
    "totals_by_language_model": Breakdown(("language", "model"), 1),
    "totals_by_model_feature": Breakdown(("model", "feature"), 0),
}


def elements(activity: Activity, name: str, by_person: bool) -> tuple[np.ndarray, list[dict]]:
    """Return the elements of an array of records, and the person of each where asked for."""
    dimensions, first = BREAKDOWNS[name]
    chosen = np.ones(len(activity.person), dtype=bool)
    if "ide" in dimensions:
        chosen &= activity.ide != words.NO_IDE
    if "model" in dimensions:
        chosen &= activity.feature != 0  # completions name no model
    if first:
        chosen &= activity.counts[:, first:].any(axis=1)
    keys = [activity.person] if by_person else []
    keys += [getattr(activity, dimension) for dimension in dimensions]
    keys, sums = totals([key[chosen] for key in keys], activity.counts[chosen, first:])
    person = keys.pop(0) if by_person else np.zeros(len(sums), dtype=np.int64)
    columns = [NAMES[d][key].tolist() for d, key in zip(dimensions, keys, strict=True)]
    names = (*dimensions, *words.COUNTERS[first:])
    rows = zip(*columns, *sums.T.tolist(), strict=True)
    return person, [dict(zip(names, row, strict=True)) for row in rows]


def sessions(numbers: list[int]) -> dict:
    """Return the totals of the CLI or the app from sessions, requests, prompts and tokens."""
    session_count, requests, prompts, output, prompt_tokens = numbers
    return {
        "session_count": session_count,
        "request_count": requests,
        "prompt_count": prompts,
        "token_usage": {
            "output_tokens_sum": output,
            "prompt_tokens_sum": prompt_tokens,
            "avg_tokens_per_request": round((output + prompt_tokens) / requests, 2)
            if requests
            else None,
        },
    }


def customizations(counts: dict[str, list[int]]) -> dict:
    """Return the five most used of each kind and how many different ones were used."""
    result = {}
    for kind, values in counts.items():
        names = words.CUSTOMIZATIONS[kind]
        used = sorted((-value, names[place]) for place, value in enumerate(values) if value)
        result[f"totals_by_{kind}"] = [
            {kind: name, "interaction_count": -value} for value, name in used[:5]
        ]
        result[f"distinct_{kind}_use_count"] = len(used)
    return result
