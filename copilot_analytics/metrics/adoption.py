"""Who uses what: shares of people."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import active_people
from copilot_analytics.metrics.statistics import with_share


def share_of_people(
    users,
    breakdown,
    *,
    dimension: str | Sequence[str],
    active: str | nw.Expr = "interactions",
    canonical: bool = True,
):
    """Return how many of the active people used each language, model, feature, IDE or agent.

    Question: what do people use Copilot for, and with what?

    Parameters
    ----------
    users
        Users table of one scope, one row per person and day.
    breakdown
        A breakdown of the same people, for example ``users_by_language_feature``.
    dimension
        Column of the breakdown, for example ``"language"``; or several columns.
    active
        Definition of active, see `is_active`.
    canonical
        Whether several spellings of one language, model or IDE, such as ``ts`` and ``typescript``,
        count as one: see `catalogue.canonical_names`.

    Returns
    -------
    frame
        One row per value of `dimension`, the most used first.

        - the columns of `dimension`.
        - ``people``: active people who have any activity counter above 0 with that value, on any
          day of the frame. The numerator.
        - ``active_people``: people active on at least one day of the frame. The denominator.
        - ``share``: people / active_people; missing where nobody was active.
        - ``low``, ``high``: 95 % Wilson interval of the share.

    Raises
    ------
    UsageError
        A column is absent, or the frames hold more than one scope.

    Notes
    -----
    Left out: people who were never active under the definition, even where the breakdown has them.
    A person counts once per value and may use several, so the shares add up to more than 1.

    Source: this package.

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.Timestamp("2026-11-02")
    >>> users = pd.DataFrame({"day": [day] * 4, "user_id": [1, 2, 3, 4]})
    >>> languages = pd.DataFrame({
    ...     "day": [day] * 3, "user_id": [1, 2, 2], "language": ["python", "python", "go"],
    ...     "code_generation_activity_count": [5, 1, 2],
    ... })
    >>> share_of_people(users, languages, dimension="language", active="present")[
    ...     ["language", "people", "active_people", "share"]
    ... ]
      language  people  active_people  share
    0   python       2              4   0.50
    1       go       1              4   0.25
    """
    names = frames.as_names(dimension)
    users = frames.read(users, "day", "user_id")
    breakdown = frames.read(breakdown, "user_id", *names)
    frames.one_scope(users, breakdown)
    if canonical:
        breakdown = frames.with_canonical_names(breakdown, names)
    people = active_people(users, active)
    used = frames.distinct(frames.with_activity(breakdown, "user_id", *names))
    counts = (
        used.join(people, on="user_id", how="semi").group_by(*names).agg(people=nw.len())
    ).join(people.select(active_people=nw.len()), how="cross")
    shares = with_share(counts, "people", "active_people", "share")
    return frames.result(shares, "people", *names, descending=[True] + [False] * len(names))
