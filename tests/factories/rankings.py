"""Random elections with rankings, and how to write them for the libraries that check ours."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import chain, permutations, product

from app.methods import election as elections
from app.methods.election import Election, Option, Settings, Vote

SECTORS = ("public", "business")
ONES = (Fraction(1), Fraction(1))


def random_weights(random):
    """As often one person, one vote as anything else."""
    return random.choice(
        [
            ONES,
            ONES,
            (Fraction(1, 7), Fraction(1, 4)),
            (Fraction(3), Fraction(2)),
            (Fraction(2, 3), Fraction(0)),
        ]
    )


def random_election(random, *, ties=0.3, options=(2, 6), votes=(1, 20), complete=False):
    """Few voters and coarse opinions, so that totals are often equal; `ties` is the chance of an equal rank."""
    keys = [str(number) for number in range(1, random.randint(*options) + 1)]
    lean = {key: random.random() for key in keys}
    ballots = []
    for _ in range(random.randint(*votes)):
        order = sorted(keys, key=lambda key: lean[key] + random.random())
        if not complete:
            order = order[: random.randint(0 if random.random() < 0.2 else 1, len(keys))]
        groups = []
        for key in order:
            if groups and random.random() < ties:
                groups[-1].append(key)
            else:
                groups.append([key])
        if groups and not complete and random.random() < 0.15:
            groups.insert(random.randint(0, len(groups)), ["none"])
        choice = {"ranking": groups} if groups else {"none": True}
        ballots.append(Vote(random.choice(SECTORS), choice))
    tie_order = tuple(random.sample(keys, len(keys)))
    settings = Settings("ranked", seats=random.randint(1, len(keys)), tie_order=tie_order)
    return Election(tuple(map(Option, keys)), settings, ballots, dict.fromkeys(SECTORS, 50))


def of_votes(votes, seats=1, tie_order="ABCDE"):
    """An election from lines such as `3: A > B=C`, in one sector."""
    ballots = []
    for line in votes.strip().splitlines():
        times, _, ranking = line.partition(":")
        groups = [group.strip().split("=") for group in ranking.split(">")]
        ballots += [Vote("public", {"ranking": groups})] * int(times)
    keys = [
        key for key in tie_order if any(key in group for vote in ballots for group in vote.choice["ranking"])
    ]
    settings = Settings("ranked", seats=seats, tie_order=tuple(keys))
    return Election(tuple(map(Option, keys)), settings, ballots, {"public": len(ballots)})


def counted(method, election, weights=None):
    profile = elections.read(election)
    return method.count(profile, election.settings, weights or ONES[: len(profile.sectors)])


def shuffled(random, election):
    """The same votes and options in another order."""
    return replace(
        election,
        options=tuple(random.sample(election.options, len(election.options))),
        votes=random.sample(election.votes, len(election.votes)),
    )


def renamed(election, names):
    """The same election with other keys, also in the tie order."""
    votes = [
        Vote(
            vote.sector,
            {**vote.choice, "ranking": [[names.get(key, key) for key in group] for group in groups(vote)]},
        )
        if groups(vote)
        else vote
        for vote in election.votes
    ]
    return replace(
        election,
        options=tuple(Option(names[option.key]) for option in election.options),
        settings=replace(
            election.settings, tie_order=tuple(names[key] for key in election.settings.tie_order)
        ),
        votes=votes,
    )


def groups(vote):
    return vote.choice.get("ranking", [])


def supported(vote):
    """The groups that a vote supports: those before the one with `none`."""
    found = []
    for group in groups(vote):
        if "none" in group:
            break
        found.append(group)
    return found


def strict(ranking):
    """All strict rankings that agree with one that holds ties; each is the vote of an equal part."""
    return [
        list(chain.from_iterable(parts)) for parts in product(*(permutations(group) for group in ranking))
    ]


def for_votelib(election, weights, *, rankings=groups, split=False):
    """Weights by ranking; every option is named by a vote that weighs nothing, since votelib knows no others."""
    weight = dict(zip(election.eligible, weights, strict=True))
    found = Counter()
    found[tuple(option.key for option in election.options)] = 0
    for vote in election.votes:
        ranking = [[key for key in group if key != "none"] for group in rankings(vote)]
        ranking = [group for group in ranking if group]
        for one in strict(ranking) if split else [ranking]:
            part = weight[vote.sector] / (len(strict(ranking)) if split else 1)
            found[tuple(_rank(group) for group in one)] += part
    return found


def _rank(group):
    if isinstance(group, str):
        return group
    return group[0] if len(group) == 1 else frozenset(group)
