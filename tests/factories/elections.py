"""Elections for tests: small ones written by hand, and many at random from a seed."""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.methods.election import NONE, Choice, Election, Option, Settings, Vote


def election(
    votes: Iterable[tuple[str, Choice]],
    options: Iterable[str] = "abc",
    *,
    costs: Mapping[str, int] | None = None,
    eligible: Mapping[str, int] | None = None,
    **settings: Any,
) -> Election:
    """An open approval election over options a, b and c, unless told otherwise; one person may vote per vote cast."""
    keys = tuple(options)
    cast = [Vote(sector, choice) for sector, choice in votes]
    everyone = {vote.sector: 0 for vote in cast}
    for vote in cast:
        everyone[vote.sector] += 1
    chosen = {"method": "approval", "rule": "one_person", "tie_order": keys, "secret": False, **settings}
    return Election(
        tuple(Option(key, (costs or {}).get(key, 0)) for key in keys),
        Settings(**chosen),
        cast,
        everyone if eligible is None else eligible,
    )


def approving(sector: str, *names: str) -> list[tuple[str, Choice]]:
    """One vote for each of `names`: its letters are approved; an empty one is for none of these."""
    return [(sector, {"approved": list(name)} if name else {NONE: True}) for name in names]


def random_election(seed: int, method: str, rule: str) -> Election:
    """A small election, often with ties, abstentions, sectors without votes, and bars of all kinds."""
    rng = random.Random(seed)
    keys = [str(number) for number in range(1, rng.randint(1, 5) + 1)]
    sectors = ["public", "business", "science"][: rng.randint(1, 3)]
    votes = [(rng.choice(sectors), random_choice(rng, method, keys)) for _ in range(rng.randint(0, 12))]
    tie_order = keys[:]
    rng.shuffle(tie_order)
    return election(
        votes,
        keys,
        costs={key: rng.randint(1, 9) for key in keys},
        eligible=dict.fromkeys(sectors, 12),
        method=method,
        rule=rule,
        seats=rng.randint(1, len(keys)),
        budget=rng.randint(5, 20),
        threshold=rng.choice([0, 0, 10, 34, 50, 50, 60, 100]),
        tie_order=tuple(tie_order),
    )


def random_choice(rng: random.Random, method: str, keys: list[str]) -> Choice:
    chance = rng.random()
    if chance < 0.1:
        return {"abstain": True}
    if chance < 0.2:
        return {NONE: True}
    return _CHOICES[method](rng, keys)


def _approved(rng: random.Random, keys: list[str]) -> Choice:
    return {"approved": rng.sample(keys, rng.randint(1, len(keys)))}


def _scores(rng: random.Random, keys: list[str]) -> Choice:
    return {"scores": {key: rng.randint(0, 5) for key in rng.sample(keys, rng.randint(1, len(keys)))}}


def _ranking(rng: random.Random, keys: list[str]) -> Choice:
    names = rng.sample([*keys, NONE], rng.randint(1, len(keys) + 1))
    groups: list[list[str]] = [[names[0]]]
    for name in names[1:]:
        if rng.random() < 0.4:
            groups[-1].append(name)
        else:
            groups.append([name])
    return {"ranking": groups}


def _points(rng: random.Random, keys: list[str]) -> Choice:
    return {"points": {key: rng.randint(0, 2) for key in rng.sample(keys, rng.randint(1, len(keys)))}}


_CHOICES: Mapping[str, Callable[[random.Random, list[str]], Choice]] = {
    "approval": _approved,
    "budget": _approved,
    "score": _scores,
    "ranked": _ranking,
    "points": _points,
    "quadratic": _points,
}
