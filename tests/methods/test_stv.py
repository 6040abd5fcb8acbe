"""Single transferable vote: the winners of two libraries, the promises it makes, and one that it does not.

votelib 0.4, `TransferableVoteSelector` with `Gregory`: our quota, transfers and order of things. What is not the same:
- A tie in elimination raises; a `retainer` of one's own breaks it, here by the tie order, so that all can be compared.
- Without a retainer exhausted votes take part in the choice of whom to keep, as if they were an option: once they are
  more than the least option has, two are eliminated at once.
- Of a rank shared by A and B, what A passes on goes past B to the next rank, although the voter likes B better. Ours
  goes to B, so that a shared rank counts as the mean of all strict rankings: votelib is given those, in equal parts.
- Votes that support nobody raise its quota. Options that no vote ranks do not exist for it.

pyrankvote 2.0, `single_transferable_vote`, knows neither ties in votes nor weights, and counts otherwise:
- The quota is votes/(seats + 1) and not the whole number over it, and floats are compared within 10^-6.
- A surplus is split evenly over the papers, whatever each still weighs.
- Several are eliminated at once if together they have no more than the next.
- Equal totals go by second choices, then at random. With as many seats as options it fails.
So it can only be compared where none of these can matter: see `determined`.
"""

import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from random import Random

import pyrankvote
import pytest
from votelib.evaluate.sequential import TransferableVoteSelector

from app.methods import stv
from app.methods.election import Tie, Vote
from tests.factories.rankings import (
    ONES,
    SECTORS,
    counted,
    for_votelib,
    of_votes,
    random_election,
    random_weights,
    renamed,
    shuffled,
    supported,
)


class ByTieOrder:
    """Whom votelib keeps: those with the most, ties by the tie order."""

    def __init__(self, tie_order):
        self.tie_order = tie_order

    def evaluate(self, votes, n_seats):
        return sorted(votes, key=lambda key: (-votes[key], self.tie_order.index(key)))[:n_seats]


def by_votelib(election, weights):
    """The winners by votelib; weights are given as whole numbers, without a common divisor, of those who vote."""
    helping = [vote for vote in election.votes if supported(vote)]
    weight = dict(zip(election.eligible, weights, strict=True))
    present = {weight[vote.sector] for vote in helping} - {0}
    unit = Fraction(
        math.gcd(*(each.numerator for each in present)), math.lcm(*(each.denominator for each in present))
    )
    election = replace(election, votes=helping)
    votes = for_votelib(election, [each / unit for each in weights], rankings=supported, split=True)
    library = TransferableVoteSelector(transferer="Gregory", retainer=ByTieOrder(election.settings.tie_order))
    return library.evaluate(votes, election.settings.seats)


def any_weight(election, weights):
    weight = dict(zip(election.eligible, weights, strict=True))
    return any(weight[vote.sector] for vote in election.votes if supported(vote))


@pytest.fixture(scope="module")
def random_counts():
    """2,000 elections, every other one with equal ranks, with their weights and counts."""
    random = Random(1)
    found = []
    for number in range(2_000):
        election = random_election(random, ties=0.3 * (number % 2), options=(2, 5), votes=(1, 14))
        weights = random_weights(random)
        found.append((election, weights, counted(stv, election, weights)))
    return found


def test_winners_equal_those_of_votelib(random_counts):
    seen = Counter()
    for election, weights, count in random_counts:
        if any_weight(election, weights):
            assert set(count.winners) == set(by_votelib(election, weights))
            seen["compared"] += 1
            seen["tied"] += any(tie.over == "elimination" for tie in count.ties)
            seen["several"] += 1 < election.settings.seats < len(election.options)
    assert seen["compared"] > 1_900
    assert seen["tied"] > 300
    assert seen["several"] > 600


def test_winners_equal_those_of_votelib_with_many_votes():
    random = Random(2)
    for _ in range(20):
        election = random_election(random, options=(6, 9), votes=(100, 200), ties=0)
        assert set(counted(stv, election).winners) == set(by_votelib(election, ONES))


def by_pyrankvote(election):
    options = {option.key: pyrankvote.Candidate(option.key) for option in election.options}
    ballots = [pyrankvote.Ballot([options[key] for (key,) in supported(vote)]) for vote in election.votes]
    found = pyrankvote.single_transferable_vote(list(options.values()), ballots, election.settings.seats)
    return {candidate.name for candidate in found.get_winners()}


def determined(count):
    """Whether pyrankvote must come to the same winners.

    Its quota is up to one vote less, so that each surplus is up to one vote more, and no total differs by more than one
    vote for each elected before: all gaps that decide must be larger. No paper may be passed on twice with a surplus,
    and after an elimination only the last seat may go by the quota.
    """
    quota, *rounds = count.rounds
    seats, filled, eliminated = quota["seats"], 0, False
    for one in rounds:
        if one["round"] == "left" or one["remaining"]:
            return True
        totals = [Fraction(each["votes"]) for each in one["totals"]]
        gaps = [abs(total - quota["quota"]) for total in totals]
        if one["eliminated"]:
            gaps.append(totals[-2] - totals[-1])
            eliminated = True
        if min(gaps) <= 2 * (filled + 1):
            return False
        filled += len(one["elected"])
        last = filled == seats
        if one["elected"] and not last and (eliminated or one is not rounds[0]):
            return False
    return True


def test_winners_equal_those_of_pyrankvote_where_they_are_determined():
    random = Random(3)
    compared = Counter()
    for _ in range(700):
        election = random_election(random, ties=0, options=(3, 5), votes=(90, 150))
        seats = random.randint(1, len(election.options) - 1)
        election = replace(election, settings=replace(election.settings, seats=seats))
        count = counted(stv, election)
        if determined(count):
            assert by_pyrankvote(election) == set(count.winners)
            compared[election.settings.seats] += 1
    assert compared[1] > 30
    assert compared[2] > 30
    assert sum(compared.values()) > 150


def test_neither_the_order_of_votes_nor_names_nor_the_unit_of_weights_matter(random_counts):
    random = Random(4)
    for election, weights, count in random_counts:
        names = dict(zip(count.order, random.sample(count.order, len(count.order)), strict=True))
        scale = Fraction(random.randint(1, 9), random.randint(1, 9))
        other = renamed(shuffled(random, election), names)
        again = counted(stv, other, tuple(scale * weight for weight in weights))
        assert again.winners == tuple(names[key] for key in count.winners)
        assert again.order == tuple(names[key] for key in count.order)
        assert [tie.between for tie in again.ties] == [
            tuple(names[key] for key in tie.between) for tie in count.ties
        ]
        if any_weight(election, weights):
            assert Fraction(again.rounds[0]["quota"]) == scale * Fraction(count.rounds[0]["quota"])


def test_seats_are_filled_and_never_exceeded(random_counts):
    for election, _, count in random_counts:
        check_seats(election, count)


def test_no_vote_is_lost_or_made(random_counts):
    for election, weights, count in random_counts:
        check_totals(election, weights, count)


def test_a_group_that_stands_together_has_the_seats_due_to_it(random_counts):
    assert sum(check_groups(*each) for each in random_counts[::2]) > 1_500


def check_seats(election, count):
    seats = election.settings.seats
    assert len(set(count.winners)) == seats
    assert sorted(count.order) == sorted(option.key for option in election.options)
    assert count.order[:seats] == count.winners


def check_totals(election, weights, count):
    weight = dict(zip(SECTORS, weights, strict=True))
    votes = sum(weight[vote.sector] for vote in election.votes if supported(vote))
    assert Fraction(count.rounds[0]["votes"]) == votes
    for one in count.rounds[1:]:
        there = [Fraction(each["votes"]) for each in (*one["totals"], *one["kept"], one["exhausted"])]
        assert sum(there) == votes
        assert min(there) >= 0


def check_groups(election, weights, count):
    """Droop's proportionality for solid coalitions; of one option and half the votes, it is that the majority wins."""
    weight = dict(zip(SECTORS, weights, strict=True))
    quota = Fraction(count.rounds[0]["quota"])
    keys = [option.key for option in election.options]
    found = 0
    for size in range(1, len(keys)):
        for group in map(set, combinations(keys, size)):
            behind = sum(
                weight[vote.sector]
                for vote in election.votes
                if {key for (key,) in supported(vote)[:size]} == group
            )
            due = min(int(behind / quota), size)
            assert len(group & set(count.winners)) >= due
            found += due > 0
    return found


def test_it_may_harm_an_option_to_be_raised():
    # What no method of eliminations can promise (Smith 1973): ten who now put A first make B go out in place of C.
    votes = "{}: A > B > C\n{}: B > C > A\n26: C > A > B\n51: D"
    before = counted(stv, of_votes(votes.format(39, 35), seats=2))
    after = counted(stv, of_votes(votes.format(49, 25), seats=2))
    assert before.winners == ("D", "A")
    assert after.winners == ("D", "C")


def test_a_vote_stops_before_none_of_these():
    count = counted(stv, of_votes("3: A\n2: B > none > C\n2: C\n2: D > B > none", seats=1, tie_order="DACB"))
    assert [one["eliminated"] for one in count.rounds[1:]] == [["B"], ["C"], ["D"], []]
    assert count.rounds[2]["exhausted"]["votes"] == 2
    assert count.winners == ("A",)


def test_votes_that_support_nobody_are_not_in_the_quota():
    election = of_votes("5: A > B\n3: B > A", seats=1)
    more = replace(election, votes=[*election.votes, *[Vote("public", {"none": True})] * 20])
    assert counted(stv, more).rounds == counted(stv, election).rounds
    assert counted(stv, election).rounds[0]["quota"] == 5


def test_an_equal_rank_is_shared_by_those_in_the_count():
    count = counted(stv, of_votes("6: A=B > C\n4: C\n1: D", seats=1, tie_order="CABD"))
    assert [each["votes"] for each in count.rounds[1]["totals"]] == [4, 3, 3, 1]
    assert count.rounds[3]["eliminated"] == ["B"] if count.rounds[2]["eliminated"] == ["D"] else ["A"]
    assert count.winners == ("A",)
    assert Tie("elimination", ("A", "B"), "A") in count.ties


def test_a_surplus_passes_on_in_parts():
    count = counted(stv, of_votes("6: A > B\n3: A > C\n2: C\n1: B", seats=2))
    quota, first, second = count.rounds[:3]
    assert quota["quota"] == 5
    assert first["passed_on"] == [{"key": "A", "votes": 4, "about": 4.0}]
    assert second["totals"] == [
        {"key": "B", "votes": "11/3", "about": 3.6667},
        {"key": "C", "votes": "10/3", "about": 3.3333},
    ]
    assert count.winners == ("A", "B")


def test_fractions_too_long_to_tell_still_decide_exactly():
    random = Random(8)
    election = random_election(random, options=(14, 14), votes=(400, 400), ties=0)
    election = replace(election, settings=replace(election.settings, seats=12))
    count = counted(stv, election)
    assert any("votes" not in each for one in count.rounds[1:] for each in one["totals"])
    assert set(count.winners) == set(by_votelib(election, ONES))
    again = replace(election, votes=random.sample(election.votes, len(election.votes)))
    assert counted(stv, again).rounds == count.rounds


def test_with_many_seats_winners_equal_those_of_votelib():
    # Long fractions and ties at once: what floats cannot tell apart is told exactly, however deep.
    random = Random(9)
    seen = Counter()
    for _ in range(25):
        election = random_election(random, options=(12, 16), votes=(30, 50), ties=0)
        election = replace(election, settings=replace(election.settings, seats=8))
        count = counted(stv, election)
        assert set(count.winners) == set(by_votelib(election, ONES))
        seen["tied"] += any(tie.over == "elimination" for tie in count.ties)
    assert seen["tied"] > 10


def test_without_any_support_seats_go_by_the_tie_order():
    election = of_votes("1: A > B > C", seats=2, tie_order="BCA")
    election = replace(election, votes=[Vote("public", {"none": True})] * 3)
    count = counted(stv, election)
    assert count.order == ("B", "C", "A")
    assert count.ties[0] == Tie("elimination", ("B", "C", "A"), "B")


def test_totals_nearer_than_floats_tell_are_compared_exactly():
    # A has a little less than B, and as a float as much; were they tied, the tie order would keep A.
    election = of_votes("1: A\n1: B\n2: C\n2: D", tie_order="ABCD")
    votes = [
        Vote("public" if vote.choice["ranking"] == [["A"]] else "business", vote.choice)
        for vote in election.votes
    ]
    election = replace(election, votes=votes, eligible=dict.fromkeys(SECTORS, 9))
    weights = (1 - Fraction(1, 10**18), Fraction(1))
    assert float(weights[0]) == 1
    count = counted(stv, election, weights)
    assert [one["eliminated"] for one in count.rounds[1:3]] == [["A"], ["B"]]
    assert [tie.between for tie in count.ties] == [("C", "D")]
