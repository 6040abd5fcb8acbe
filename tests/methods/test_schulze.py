"""Schulze: the winners of the paper and of votelib, and the promises that the method makes.

votelib 0.4: `Schulze` takes winning votes as strength; of options that none beats by a path it takes the
one that beats most others, and gives a `Tie` where as many are beaten. Options that no vote ranks do not exist for it,
and where nobody prefers anything it elects nobody. pyrankvote has no Schulze.
"""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
import votelib.convert
import votelib.evaluate.condorcet
from votelib.evaluate.core import Tie as LibraryTie

from app.methods import election as elections
from app.methods import schulze
from app.methods.election import Tie, Vote
from tests.factories.rankings import (
    ONES,
    counted,
    for_votelib,
    groups,
    of_votes,
    random_election,
    random_weights,
    renamed,
    shuffled,
)

# Schulze 2011, example 1 (45 voters).
PAPER = """
5: A > C > B > E > D
5: A > D > E > C > B
8: B > E > D > A > C
3: C > A > B > E > D
7: C > A > E > B > D
2: C > B > A > D > E
7: D > C > E > B > A
8: E > B > A > D > C
"""


def preferred(count):
    return {
        key: {other: Fraction(value) for other, value in row.items()}
        for key, row in count.rounds[0]["preferred"].items()
    }


def test_the_example_of_the_paper():
    count = counted(schulze, of_votes(PAPER))
    assert count.order == ("E", "A", "C", "B", "D")
    assert count.winners == ("E",)
    assert count.rounds[0]["preferred"]["A"] == {"B": 20, "C": 26, "D": 30, "E": 22}
    assert count.rounds[1]["strongest"]["A"] == {"B": 28, "C": 28, "D": 30, "E": 24}
    assert count.rounds[1]["strongest"]["E"] == {"A": 25, "B": 28, "C": 28, "D": 31}
    assert count.rounds[1]["beats"]["E"] == ["A", "B", "C", "D"]
    assert count.ties == ()


@pytest.fixture(scope="module")
def random_counts():
    """2,500 elections with their weights and counts."""
    random = Random(1)
    found = []
    for _ in range(2_500):
        election, weights = random_election(random), random_weights(random)
        found.append((election, weights, counted(schulze, election, weights)))
    return found


def test_winners_equal_those_of_votelib(random_counts):
    library = votelib.evaluate.condorcet.Schulze()
    convert = votelib.convert.RankedToCondorcetVotes()
    alone = tied = 0
    for election, weights, count in random_counts:
        found = library.evaluate(convert.convert(for_votelib(election, weights)), 1)
        if found and isinstance(found[0], LibraryTie):
            first = next(key for key in election.settings.tie_order if key in found[0])
            assert count.winners[0] == first
            assert count.ties[0].first == first
            assert set(count.ties[0].between) == set(found[0])
            tied += 1
        elif found:
            assert count.order[0] == found[0]
            assert all(found[0] not in tie.between for tie in count.ties)
            alone += 1
    assert alone > 1_800
    assert tied > 120


def test_neither_the_order_of_votes_nor_names_nor_the_unit_of_weights_matter(random_counts):
    random = Random(2)
    for election, weights, count in random_counts:
        keys = count.order
        names = dict(zip(keys, random.sample(keys, len(keys)), strict=True))
        scale = Fraction(random.randint(1, 9), random.randint(1, 9))
        other = renamed(shuffled(random, election), names)
        again = counted(schulze, other, tuple(scale * weight for weight in weights))
        assert again.order == tuple(names[key] for key in count.order)
        assert [tie.between for tie in again.ties] == [
            tuple(names[key] for key in tie.between) for tie in count.ties
        ]


def test_the_order_agrees_with_who_beats_whom(random_counts):
    seen = Counter()
    for election, weights, count in random_counts:
        assert sorted(count.order) == sorted(option.key for option in election.options)
        check_beats(count)
        check_ties(count)
        seen.update(check_comparisons(election, weights, count))
    assert min(seen["winner"], seen["loser"], seen["majority"]) > 500


def check_beats(count):
    beats = count.rounds[1]["beats"]
    place = {key: index for index, key in enumerate(count.order)}
    for key, beaten in beats.items():
        assert all(place[key] < place[other] for other in beaten)
        assert all(set(beats[other]) <= set(beaten) for other in beaten)


def check_ties(count):
    told = {pair for tie in count.ties for pair in pairwise(tie.between)}
    for pair in pairwise(count.order):
        first, second = (len(count.rounds[1]["beats"][key]) for key in pair)
        assert (first == second) == (pair in told)


def check_comparisons(election, weights, count):
    """Who wins each comparison is first, who loses each is last, whom more than half place first is first."""
    by = preferred(count)
    for key, row in by.items():
        if all(row[other] > by[other][key] for other in row):
            assert count.order[0] == key
            yield "winner"
        if all(row[other] < by[other][key] for other in row):
            assert count.order[-1] == key
            yield "loser"
        if 2 * first_of(election, key, weights) > whole(election, weights):
            assert count.order[0] == key
            yield "majority"


def first_of(election, key, weights):
    weight = dict(zip(election.eligible, weights, strict=True))
    return sum(weight[vote.sector] for vote in election.votes if groups(vote)[:1] == [[key]])


def whole(election, weights):
    weight = dict(zip(election.eligible, weights, strict=True))
    return sum(weight[vote.sector] for vote in election.votes)


def test_raising_an_option_never_harms_it(random_counts):
    # Whom nobody beats is beaten by nobody still, and beats all that it beat before.
    random = Random(6)
    raised = 0
    for election, weights, count in random_counts:
        before = count.rounds[1]["beats"]
        free = [key for key in count.order if all(key not in beaten for beaten in before.values())]
        key = random.choice(free)
        after = counted(schulze, lifted(random, election, key), weights).rounds[1]["beats"]
        assert all(key not in beaten for beaten in after.values())
        assert set(before[key]) <= set(after[key])
        raised += after != before
    assert raised > 150


def lifted(random, election, key):
    """Some voters put `key` a place higher or before all."""
    return replace(election, votes=[raise_in(random, vote, key) for vote in election.votes])


def raise_in(random, vote, key):
    ranking = groups(vote)
    if random.random() < 0.5 or not ranking:
        return vote
    others = [[other for other in group if other != key] for group in ranking]
    at = next((index for index, group in enumerate(ranking) if key in group), len(ranking))
    at = random.randint(0, at)
    lifted = [*others[:at], [key], *others[at:]]
    return Vote(vote.sector, {"ranking": [group for group in lifted if group]})


def test_a_tie_for_the_seat_goes_by_the_tie_order():
    election = of_votes("1: A > B\n1: B > A", tie_order="BA")
    assert counted(schulze, election).ties == (Tie("seat", ("B", "A"), "B"),)
    assert counted(schulze, election).winners == ("B",)


def test_many_votes_are_counted_as_few():
    # More votes than are compared at once, and places too large for a byte.
    random = Random(7)
    election = random_election(random, options=(5, 5), votes=(40, 40), ties=0)
    profile = elections.read(election)
    times = schulze.CHUNK // 40 + 2
    rows = list(range(40)) * times
    larger = replace(
        profile,
        values=profile.values[rows] * 1_000,
        supports=profile.supports[rows],
        sector=profile.sector[rows],
    )
    few, many = (
        schulze.count(profile, election.settings, ONES),
        schulze.count(larger, election.settings, ONES),
    )
    assert many.order == few.order
    assert preferred(many) == {
        key: {other: times * value for other, value in row.items()} for key, row in preferred(few).items()
    }


@pytest.mark.parametrize("seats", [1, 2, 3])
def test_the_first_in_order_win(seats):
    count = counted(schulze, of_votes(PAPER, seats=seats))
    assert count.winners == ("E", "A", "C")[:seats]
