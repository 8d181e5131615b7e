"""How much is used on a day: cells from which every breakdown of a record is a sum.

A cell is a person, feature, language, model and IDE. As all breakdowns are sums of the same cells,
all of them agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from copilot_analytics.samples import vocabulary as words
from copilot_analytics.samples.use import SETTLED, Use

CELL = ("person", "feature", "language", "model", "ide", "counts")
PER_PERSON = ("cli", "app", "window", "jobs", "job_sessions", "credits")


@dataclass(frozen=True)
class Activity:
    """How much was used on a day.

    Cells, sorted by person: `person`, `feature`, `language`, `model`, `ide` (codes) and `counts`
    (m, 7), in the order of `vocabulary.COUNTERS`. Per person, (n, k): `cli` and `app` (sessions,
    requests, prompts, output and prompt tokens), `window` (sessions, messages), `jobs` and
    `job_sessions` (third-party agents), `credits` (n,) in hundredths, `seen_at` (n,) in ticks of
    0.1 microseconds; `customizations` by kind, (n, names).
    """

    person: np.ndarray
    feature: np.ndarray
    language: np.ndarray
    model: np.ndarray
    ide: np.ndarray
    counts: np.ndarray
    cli: np.ndarray
    app: np.ndarray
    window: np.ndarray
    jobs: np.ndarray
    job_sessions: np.ndarray
    customizations: dict[str, np.ndarray]
    credits: np.ndarray
    seen_at: np.ndarray

    def at(self, use: Use, level: int) -> Activity:
        """Return what is served at a level: late records left out, incomplete ones halved.

        Every number is halved upwards where it is drawn: all sums still agree, and nothing that
        was used turns into nothing.
        """
        if level >= SETTLED:
            return self
        kept = np.flatnonzero((use.arrival <= level)[self.person])
        is_half = use.complete > level

        def served(array: np.ndarray, halved: np.ndarray) -> np.ndarray:
            halved = halved if array.ndim == 1 else halved[:, None]
            return np.where(halved, (array + 1) // 2, array)

        cells = {name: getattr(self, name)[kept] for name in CELL}
        cells["counts"] = served(cells["counts"], is_half[cells["person"]])
        return replace(
            self,
            **cells,
            **{name: served(getattr(self, name), is_half) for name in PER_PERSON},
            customizations={k: served(a, is_half) for k, a in self.customizations.items()},
        )

    def of(self, members: np.ndarray) -> Activity:
        """Return the cells of the people for whom `members` is true; the rest stays as it is."""
        kept = np.flatnonzero(members[self.person])
        return replace(self, **{name: getattr(self, name)[kept] for name in CELL})


def totals(keys: list[np.ndarray], counts: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Sum the rows of `counts` (m, k) that agree in all keys; sorted by the keys."""
    if not len(counts):
        return [key[:0] for key in keys], counts
    code = keys[0].astype(np.int64)
    for key in keys[1:]:
        code = code * 256 + key
    order = np.argsort(code, kind="stable")
    code = code[order]
    starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    return [key[order[starts]] for key in keys], np.add.reduceat(counts[order], starts, axis=0)


def per_person(activity: Activity, count: int) -> np.ndarray:
    """Return the seven top-level counters as (n, 7)."""
    result = np.zeros((count, len(words.COUNTERS)), dtype=np.int64)
    (person,), sums = totals([activity.person], activity.counts)
    result[person] = sums
    return result
