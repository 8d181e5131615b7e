"""The people of the sample company: who they are, where they belong, what they are inclined to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from copilot_analytics.samples import vocabulary as words

# One stream of random numbers for each.
POPULATION, USE, ACTIVITY, PULL_REQUESTS, TRAINING = range(5)


def generator(seed: int, stream: int, day: date | None = None) -> np.random.Generator:
    """Return the random numbers of one purpose and day; the same in every process."""
    return np.random.default_rng([seed, stream, day.toordinal() if day else 0])


@dataclass(frozen=True)
class Membership:
    """A person's place in a team, from one day up to and including another."""

    person: int
    team: int
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Population:
    """What is constant about the people: arrays of (n,), or (n, k) where it is said.

    `intensity` scales all amounts, `inclination` the share accepted. `chance` and `threshold` are
    (n, surfaces): the chance of using a surface on a working day, and the part of the period after
    which the person has adopted it. `languages` is (n, 4), `models` (n, 2, 2): the usual and the
    second model, before and after the person's move to newer ones. `ides` is (n, 2).
    """

    user_id: np.ndarray
    logins: tuple[str, ...]
    renames: tuple[tuple[int, date, str], ...]
    persona: np.ndarray
    organizations: np.ndarray
    memberships: tuple[Membership, ...]
    first_day: np.ndarray
    last_day: np.ndarray
    diligence: np.ndarray
    intensity: np.ndarray
    inclination: np.ndarray
    chance: np.ndarray
    threshold: np.ndarray
    languages: np.ndarray
    models: np.ndarray
    model_move: np.ndarray
    ides: np.ndarray
    update_lag: np.ndarray

    def logins_on(self, day: date) -> list[str]:
        """Return the logins of a day, in the order of the people."""
        logins = list(self.logins)
        for person, first_day, login in self.renames:
            if day >= first_day:
                logins[person] = login
        return logins

    def has_seat(self, day: date) -> np.ndarray:
        """Return for each person whether they have a seat on a day."""
        ordinal = day.toordinal()
        return (self.first_day <= ordinal) & (ordinal <= self.last_day)


def draw_population(count: int, start: date, end: date, seed: int) -> Population:
    """Draw the people of a company that is observed from `start` to `end`."""
    rng = generator(seed, POPULATION)
    persona = _shares(rng, count, words.PERSONA_SHARES)
    # Bits: octo-org 1, octo-labs 2, both 3.
    organizations = np.array([1, 3, 2])[_shares(rng, count, (0.8, 0.1, 0.1))]
    teams = _main_teams(rng, organizations)
    first_day, last_day = _seats(rng, count, start, end)
    logins = _logins(rng, count)
    return Population(
        user_id=rng.permutation(4_000_000 + np.cumsum(rng.integers(1, 9_000, count))),
        logins=logins,
        renames=_renames(logins, persona, start, end),
        persona=persona,
        organizations=organizations,
        memberships=_memberships(rng, teams, organizations, start, end, first_day, last_day),
        first_day=first_day,
        last_day=last_day,
        diligence=np.where(
            persona == list(words.PERSONAS).index("idle"), 0.3, rng.uniform(0.75, 1, count)
        ),
        intensity=rng.lognormal(-0.15, 0.55, count),
        inclination=rng.uniform(0.6, 1.4, count),
        chance=_chances(persona),
        threshold=_thresholds(rng, count),
        languages=_languages(rng, teams),
        models=np.stack(
            [
                _distinct(rng, count, len(words.OLD_MODELS), 2),
                _distinct(rng, count, len(words.NEW_MODELS), 2) + len(words.OLD_MODELS),
            ],
            axis=1,
        ),
        model_move=rng.uniform(-0.2, 1, count),
        ides=np.stack([_shares(rng, count, [i.share for i in words.IDES]) for _ in "12"], axis=1),
        update_lag=np.where(rng.random(count) < 0.06, 240, rng.integers(0, 45, count)),
    )


def _shares(rng: np.random.Generator, count: int, shares) -> np.ndarray:
    """Return `count` codes in exactly these shares, shuffled."""
    steps = np.cumsum(shares) / np.sum(shares)
    codes = np.searchsorted(steps, (np.arange(count) + 0.5) / count)
    return rng.permutation(codes)


def _distinct(rng: np.random.Generator, count: int, choices: int, wanted: int) -> np.ndarray:
    """Return (count, wanted) codes below `choices`, no code twice in a row."""
    return np.argsort(rng.random((count, choices)), axis=1)[:, :wanted]


def _logins(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    firsts, lasts = words.FIRST_NAMES.split(), words.LAST_NAMES.split()
    first = rng.integers(0, len(firsts), count).tolist()
    last = rng.integers(0, len(lasts), count).tolist()
    seen: dict[str, int] = {}
    logins = list(words.ODD_LOGINS)
    for one, two in zip(first[len(logins) :], last[len(logins) :], strict=True):
        name = f"{firsts[one]}-{lasts[two]}"
        seen[name] = seen.get(name, 0) + 1
        logins.append(name if seen[name] == 1 else f"{name}{seen[name]}")
    return tuple(logins)


def _renames(logins, persona, start: date, end: date) -> tuple[tuple[int, date, str], ...]:
    """One person takes another login, of another only the case changes; both are often seen."""
    often_seen = np.flatnonzero(persona == list(words.PERSONAS).index("multi"))
    often_seen = often_seen[often_seen >= len(words.ODD_LOGINS)].tolist()
    if len(often_seen) < 2:
        return ()
    one, two = often_seen[:2]
    period = end - start
    return (
        (one, start + 0.6 * period, f"{logins[one]}-newname"),
        (two, start + 0.45 * period, logins[two].title()),
    )


def _seats(rng: np.random.Generator, count: int, start: date, end: date):
    """Draw joiners (8 %) and leavers (5 %); first and last days are ordinals."""
    days = (end - start).days
    first = np.full(count, start.toordinal())
    last = np.full(count, end.toordinal())
    change = rng.permutation(count)
    joiners, leavers = np.split(change[: count * 13 // 100], [count * 8 // 100])
    first[joiners] += (rng.uniform(0.05, 0.8, len(joiners)) * days).astype(int)
    last[leavers] -= (rng.uniform(0.05, 0.7, len(leavers)) * days).astype(int)
    return first, last


def _main_teams(rng: np.random.Generator, organizations: np.ndarray) -> np.ndarray:
    """Return each person's main team, -1 for none."""
    teams = np.full(len(organizations), len(words.TEAMS) - 1)
    in_first = np.flatnonzero(organizations & 1)
    shares = [team.share for team in words.TEAMS if team.organization == 0]
    codes = _shares(rng, len(in_first), [*shares, 1 - sum(shares)])
    teams[in_first] = np.where(codes == len(shares), -1, codes)
    return teams


def _memberships(rng, teams, organizations, start, end, first_day, last_day):
    """Main teams, second teams, the small team, and a few people who move to another team."""
    result = []
    count = len(teams)
    movers = rng.random(count) < 0.03
    second = rng.random(count) < 0.08
    other = rng.integers(1, 4, count)
    in_first = np.flatnonzero((organizations & 1) & (teams >= 0))
    for team, place in enumerate(words.TEAMS):
        if place.size:
            stayers = in_first[(first_day[in_first] == start.toordinal())]
            stayers = stayers[last_day[stayers] == end.toordinal()]
            chosen = rng.permutation(stayers)[: place.size].tolist()
            result += [Membership(person, team, start, end) for person in chosen]
    middle = start + (end - start) / 2
    for person in range(count):
        team = int(teams[person])
        neighbour = (team + int(other[person])) % 4  # the large teams of the first organization
        if team in range(4) and movers[person]:
            result.append(Membership(person, team, start, middle))
            result.append(Membership(person, neighbour, middle + timedelta(days=1), end))
        elif team >= 0:
            result.append(Membership(person, team, start, end))
            if team in range(4) and second[person]:
                result.append(Membership(person, neighbour, start, end))
        if organizations[person] == 3:
            result.append(Membership(person, len(words.TEAMS) - 1, start, end))
    return tuple(sorted(result, key=lambda m: (m.team, m.person, m.first_day)))


def _chances(persona: np.ndarray) -> np.ndarray:
    """Return (n, surfaces) chances; agent_edit has none of its own."""
    names = [name for name in words.SURFACES if name != "agent_edit"]
    table = np.zeros((len(words.PERSONAS), len(words.SURFACES)))
    for row, chances in enumerate(words.PERSONAS.values()):
        for name, chance in zip(names, chances, strict=True):
            table[row, words.SURFACES.index(name)] = chance
    return table[persona]


def _thresholds(rng: np.random.Generator, count: int) -> np.ndarray:
    result = np.zeros((count, len(words.SURFACES)))
    for name, early in words.EARLY.items():
        followers = rng.random(count) >= early
        result[:, words.SURFACES.index(name)] = followers * rng.uniform(0, 1.1, count)
    return result


def _languages(rng: np.random.Generator, teams: np.ndarray) -> np.ndarray:
    """Return four languages per person, from the pool of the team."""
    pools = list(words.LANGUAGES)
    code = {name: place for place, name in enumerate(words.LANGUAGE_NAMES)}
    result = np.zeros((len(teams), 4), dtype=np.int64)
    for team in range(-1, len(words.TEAMS)):
        slug = words.TEAMS[team].slug if team >= 0 else "platform"
        pool = np.array([code[name] for name in words.LANGUAGES[slug if slug in pools else "data"]])
        people = np.flatnonzero(teams == team)
        result[people] = pool[_distinct(rng, len(people), len(pool), 4)]
    return result
