"""What the figures of several groups tell together of the few people between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

ZERO = 1e-9


def few_between(groups: Sequence[Collection], minimum: int = 5) -> list[bool]:
    """Tell of each group whether it takes part in revealing too few people.

    Question: may the figures of all these groups be published beside each other?

    Parameters
    ----------
    groups
        The people of each group; a person may be in several, as with teams, or in all but one.
    minimum
        Least number of people that is shown.

    Returns
    -------
    list of bool
        One value per group, in their order: True if its figures, less or plus those of others, are
        the figures of 1 to ``minimum - 1`` people.

    Notes
    -----
    Every part of the groups that no group divides is an unknown, every group a sum of such parts.
    Solving these equations for the smallest parts, as far as possible, gives the figures that can
    be worked out; where two of these might give a smaller one together, they count as if they did.
    Left out: whose row in a table of people is equal to one in another.

    Source: G. T. Duncan, M. Elliot and J.-J. Salazar-González, Statistical Confidentiality (2011),
    on linked tables.

    Examples
    --------
    >>> everybody, web, data = range(21), range(10), range(10, 20)
    >>> few_between([everybody, web, data])
    [True, True, True]
    >>> few_between([everybody, web])
    [False, False]
    """
    places: dict = {}
    for place, people in enumerate(groups):
        for person in people:
            places.setdefault(person, []).append(place)
    if not places:
        return [False] * len(groups)
    # The largest first, so that the smallest are what the equations are solved for.
    parts = Counter(map(tuple, places.values())).most_common()
    sizes = np.array([size for _, size in parts])
    equations = np.zeros((len(groups), len(parts)))
    for column, (inside, _) in enumerate(parts):
        equations[list(inside), column] = 1
    solved, used = _solved(equations)
    is_in = np.abs(solved) > ZERO
    people = is_in @ sizes
    # Two rows added or subtracted keep their first parts, and lose only parts that both have.
    first = sizes[is_in.argmax(axis=1)]
    may_lose = (is_in @ is_in.T) & (first[:, None] + first < minimum)
    np.fill_diagonal(may_lose, val=False)
    few = ((people > 0) & (people < minimum)) | may_lose.any(axis=1)
    return (np.abs(used[few]) > ZERO).any(axis=0).tolist()


def _solved(equations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the reduced row echelon form, and how often each equation is in each of its rows."""
    count = equations.shape[1]
    both = np.hstack([equations, np.eye(len(equations))])
    done = 0
    for column in range(count):
        left = np.abs(both[done:, column])
        if not (left > ZERO).any():
            continue
        both[[done, done + left.argmax()]] = both[[done + left.argmax(), done]]
        both[done] /= both[done, column]
        others = np.arange(len(both)) != done
        both[others] -= np.outer(both[others, column], both[done])
        done += 1
    return both[:, :count], both[:, count:]
