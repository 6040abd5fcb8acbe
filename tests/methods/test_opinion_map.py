"""The opinion map: it finds the groups that were planted, tells no one apart, and is the same whoever voted first."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.methods import opinion_map
from app.methods.election import Election, Option, Reason, Settings, Vote
from app.methods.opinion_map import OpinionMap

NAN = float("nan")
SECTORS = ("public", "business")


def drawn(votes, sector=None, sectors=SECTORS):
    votes = np.asarray(votes, dtype=np.float64)
    sector = np.arange(len(votes)) % len(sectors) if sector is None else np.asarray(sector)
    keys = [str(column) for column in range(votes.shape[1])]
    return opinion_map.draw(votes, sector, keys=keys, sectors=sectors)


def planted(sizes, options=12, *, noise=0.04, unseen=0.1, seed=1):
    """Votes of groups that each have their own opinion, and the group of each vote; option 0 everyone supports."""
    generator = np.random.default_rng(seed)
    opinions = np.where(generator.random((len(sizes), options)) < 0.5, -1.0, 1.0)
    opinions[:, 0] = 1.0
    group = np.repeat(np.arange(len(sizes)), sizes)
    votes = opinions[group] * np.where(generator.random((len(group), options)) < noise, -1.0, 1.0)
    votes[generator.random(votes.shape) < unseen] = NAN
    votes[:, :7] = np.where(np.isnan(votes[:, :7]), 1.0, votes[:, :7])
    return votes, group


def numbers(plain):
    """All the numbers in JSON data."""
    if isinstance(plain, dict):
        plain = list(plain.values())
    if isinstance(plain, list | tuple):
        return [number for part in plain for number in numbers(part)]
    return [plain] if isinstance(plain, int | float) else []


@pytest.mark.parametrize("sizes", [(60, 40), (300, 200, 100), (150, 150, 120, 80)])
def test_planted_groups_are_found(sizes):
    votes, group = planted(sizes, options=24)
    found = drawn(votes, group, [f"group-{number}" for number in range(len(sizes))])
    assert isinstance(found, OpinionMap)
    assert [one.size for one in found.groups] == sorted(sizes, reverse=True)
    for one in found.groups:
        (whole,) = [share for share in one.sectors if share.people is not None]
        assert whole.share == 1.0
    assert found.silhouette > 0.5


def test_what_all_groups_support_unites_and_what_they_differ_on_divides():
    votes = np.ones((60, 8))
    votes[30:, 1] = -1
    votes[:, 2] = -1
    votes[::10, 5] = -1
    found = drawn(votes)
    assert "0" in {option.key for option in found.unites}
    assert "2" not in {option.key for option in found.unites}
    assert [option.key for option in found.divides] == ["1"]
    (divides,) = found.divides
    assert sorted(divides.support) == [round(1 / 32, 4), round(31 / 32, 4)]
    assert divides.gap == round(30 / 32, 4)
    assert divides.consensus == round(31 / 32 / 32, 4)
    assert found.options[0].consensus == round((31 / 32) ** 2, 4)
    for group, supports in zip(found.groups, (share > 0.5 for share in divides.support), strict=True):
        assert [(mark.key, mark.supports) for mark in group.marks] == [("1", supports)]


def test_groups_have_letters_by_size_and_their_sectors():
    votes, group = planted((30, 50), options=16)
    found = drawn(votes, group)
    assert [(one.letter, one.size) for one in found.groups] == [("A", 50), ("B", 30)]
    assert [(share.sector, share.people, share.share) for share in found.groups[0].sectors] == [
        ("public", None, None),
        ("business", 50, 1.0),
    ]


def test_shapes_lie_where_their_people_do():
    votes = np.ones((40, 8))
    votes[24:] = -1
    found = drawn(votes)
    large, small = found.groups
    assert (large.shape.radius_x, small.shape.radius_x) == (0.0, 0.0)
    # 24 at +1 and 16 at -1 on each of 8 options: the mean is .2, the one axis has loadings of sqrt(1/8).
    assert large.shape.x == pytest.approx(0.8 * math.sqrt(8), abs=1e-3)
    assert small.shape.x == pytest.approx(-1.2 * math.sqrt(8), abs=1e-3)
    assert (large.shape.y, small.shape.y) == (0.0, 0.0)
    assert found.explained == (1.0, 0.0)
    assert {option.y for option in found.options} == {0.0}


def test_an_ellipse_reaches_two_standard_deviations_along_its_spread():
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    ring = np.stack([3 * np.cos(angle), np.sin(angle)], axis=1) / math.sqrt(2)
    turned = ring @ np.array([[math.cos(0.5), math.sin(0.5)], [-math.sin(0.5), math.cos(0.5)]])
    shape = opinion_map._ellipse(turned + np.array([5, 7]), np.ones(400))
    assert (shape.x, shape.y) == (5, 7)
    assert (shape.radius_x, shape.radius_y) == (3, 1)
    assert shape.angle == pytest.approx(math.degrees(0.5), abs=0.06)


@pytest.mark.parametrize(("voters", "reason"), [(19, "too_few_voters"), (20, None)])
def test_it_takes_twenty_voters(voters, reason):
    votes = np.ones((voters, 9))
    votes[::2, 1:5] = -1
    found = drawn(votes)
    assert (found.code if isinstance(found, Reason) else None) == reason
    if reason:
        assert found.values == {"needed": 20, "there": 19}


@pytest.mark.parametrize(("seen", "reason"), [(6, "too_few_votes"), (7, None)])
def test_it_takes_seven_votes_of_each(seen, reason):
    votes = np.full((20, 9), NAN)
    votes[:, :seen] = 1
    votes[::2, 1:5] = -1
    found = drawn(votes)
    assert (found.code if isinstance(found, Reason) else None) == reason


def test_with_six_options_nobody_can_have_seven_votes():
    votes = np.ones((50, 6))
    votes[::2, 1:5] = -1
    assert drawn(votes) == Reason("too_few_votes", {"needed": 20, "votes": 7, "there": 0})


def test_who_voted_on_less_than_seven_is_not_on_the_map():
    votes, group = planted((30, 30), options=16, unseen=0)
    few = np.full((40, 16), NAN)
    few[:, :6] = 1
    found = drawn(np.vstack([votes, few]), np.concatenate([group, np.zeros(40, dtype=int)]))
    assert found.voters == 60
    assert [one.size for one in found.groups] == [30, 30]


@pytest.mark.parametrize("lonely", [1, 2, 4])
def test_no_group_is_of_fewer_than_five(lonely):
    votes = np.ones((40 + lonely, 10))
    votes[20:40, :5] = -1
    votes[40:, 5:] = -1
    found = drawn(votes)
    assert len(found.groups) == 2
    assert sum(one.size for one in found.groups) in (40, 45)
    apart = drawn(np.vstack([votes, votes[[-1] * (5 - lonely)]]))
    assert len(apart.groups) == 3
    assert min(one.size for one in apart.groups) == 5


def test_fewer_than_five_of_a_sector_cannot_be_counted_by_subtraction():
    votes = np.ones((60, 8))
    votes[30:, 1:] = -1
    told = set()
    for few in range(5):
        sector = np.zeros(60, dtype=int)
        sector[:few] = 1
        sector[40:50] = 1
        found = drawn(votes, sector)
        told.add(found.groups)
        with_few = next(one for one in found.groups if one.shape.x > 0)
        assert with_few.sectors[1].people is None
        assert with_few.sectors[0].people % 5 == 0
    # 0 to 2 of 30 look alike, and 3 and 4 of 30: each is five numbers at least, with the size to the nearest five too.
    assert len(told) == 2


@pytest.mark.parametrize(("voted", "is_told"), [(4, False), (5, True)])
def test_the_support_of_fewer_than_five_in_a_group_is_not_told(voted, is_told):
    votes = np.full((40, 2), 1.0)
    votes[:, 1] = NAN
    votes[:voted, 1] = 1
    votes[20:, 1] = -1
    table = opinion_map._Table.count(votes, np.repeat([0, 1], 20), 2)
    everyone, few = opinion_map._opinions(table, np.eye(2), ["everyone", "few"])
    assert None not in (*everyone.support, everyone.consensus, everyone.gap)
    assert [share is not None for share in few.support] == [is_told, True]
    assert (few.consensus is not None) == (few.gap is not None) == is_told
    assert [option.key for option in opinion_map._uniting([everyone, few])] == ["everyone"]
    assert [option.key for option in opinion_map._dividing([everyone, few])] == ["few"] * is_told
    marks = opinion_map._marks(table, ["everyone", "few"])
    assert {mark.key for group in marks for mark in group} == ({"few"} if is_told else set())


def test_sizes_are_told_to_the_nearest_five():
    assert [opinion_map._to_five(count) for count in (5, 7, 8, 12, 13, 1001)] == [5, 5, 10, 10, 15, 1000]


@given(st.permutations(range(60)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_votes_plays_no_part(order):
    votes, group = planted((25, 35), options=11)
    order = np.array(order)
    assert drawn(votes[order], group[order]) == drawn(votes, group)


def test_ten_thousand_in_another_order_give_the_same_map_to_the_last_digit():
    votes, group = planted((4000, 3500, 2500), options=30)
    order = np.random.default_rng(3).permutation(10_000)
    sectors = ("a", "b", "c")
    assert drawn(votes[order], group[order], sectors) == drawn(votes, group, sectors)


def test_the_order_plays_no_part_where_two_axes_matter_as_much():
    """Any two directions in the plane would then do as axes, and rounding alone would decide which are found."""
    camps = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    votes = np.repeat([[one] * 4 + [other] * 4 for one, other in camps], [4, 8, 8, 16], axis=0).astype(float)
    generator = np.random.default_rng(5)
    maps = {
        json.dumps(opinion_map.to_json(drawn(votes[generator.permutation(36)], [0] * 36))) for _ in range(40)
    }
    assert len(maps) == 1


def test_axes_have_a_fixed_sign():
    votes, _ = planted((40, 30), options=14)
    for flipped in (votes, -votes):
        found = drawn(flipped)
        for loadings in ([option.x for option in found.options], [option.y for option in found.options]):
            assert max(loadings, key=abs) > 0
    # Opposite opinions have the same axes, and stand on the other side.
    here, there = drawn(votes), drawn(-votes)
    assert [option.x for option in here.options] == [option.x for option in there.options]
    assert sorted(one.shape.x for one in here.groups) == pytest.approx(
        sorted(-one.shape.x for one in there.groups), abs=2e-3
    )


@given(
    st.tuples(st.integers(3, 30), st.integers(3, 9)).flatmap(
        lambda shape: arrays(np.float64, shape, elements=st.sampled_from([-1.0, 0.0, 1.0, NAN]))
    )
)
@settings(max_examples=200, deadline=None)
def test_places_are_those_of_a_slow_reference(votes):
    axes, explained, places = opinion_map._components(votes)
    means = [np.mean(column[~np.isnan(column)]) if (~np.isnan(column)).any() else 0.0 for column in votes.T]
    centred = np.array(
        [[0.0 if math.isnan(vote) else vote - means[c] for c, vote in enumerate(row)] for row in votes]
    )
    spread = np.linalg.svd(centred, compute_uv=False) ** 2
    for axis in (0, 1):
        along = float(((centred @ axes[axis]) ** 2).sum())
        assert along == pytest.approx(spread[axis], rel=1e-6, abs=1e-6)
        assert explained[axis] == pytest.approx(spread[axis] / spread.sum() if spread.sum() else 0, abs=1e-3)
    for row, place in zip(votes, places, strict=True):
        seen = [column for column in range(len(row)) if not np.isnan(row[column])]
        pushed = math.sqrt(len(row) / max(len(seen), 1))
        expected = [sum((row[c] - means[c]) * axis[c] for c in seen) * pushed for axis in axes]
        assert place == pytest.approx(expected, abs=1e-7)


@given(
    st.lists(
        st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 3), st.integers(1, 4)),
        min_size=4,
        max_size=20,
    ).filter(lambda points: len({group for *_, group, _ in points}) > 1)
)
def test_the_silhouette_is_that_of_the_people_by_its_definition(points):
    places = np.array([point[:2] for point in points], dtype=float)
    weights = np.array([weight for *_, weight in points], dtype=float)
    labels = np.unique([group for *_, group, _ in points], return_inverse=True)[1]
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    people = np.repeat(np.arange(len(points)), weights.astype(int))
    expected = naive_silhouette(places[people], labels[people])
    assert opinion_map.silhouette(distances, weights, labels) == pytest.approx(expected)


def naive_silhouette(places, labels):
    values = []
    for one, place in enumerate(places):
        means = {}
        for group in set(labels):
            others = [p for other, p in enumerate(places) if labels[other] == group and other != one]
            means[group] = sum(math.dist(place, p) for p in others) / len(others) if others else None
        inside = means.pop(labels[one])
        outside = min(means.values())
        values.append(
            0.0 if inside is None or max(inside, outside) == 0 else (outside - inside) / max(inside, outside)
        )
    return sum(values) / len(values)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_voted_the_map_is_whole(data):
    options = data.draw(st.integers(0, 12))
    voters = data.draw(st.integers(0, 45))
    values = data.draw(st.lists(st.sampled_from([-1.0, 0.0, 1.0, NAN]), min_size=1, max_size=6))
    votes = data.draw(arrays(np.float64, (voters, options), elements=st.sampled_from(values)))
    for column in data.draw(st.lists(st.integers(0, 11), max_size=3)):
        votes[:, column : column + 1] = data.draw(st.sampled_from([1.0, -1.0, NAN]))
    check_whole(drawn(votes), voters)


@pytest.mark.parametrize("value", [1.0, 0.0, -1.0, NAN])
def test_where_all_vote_alike_there_are_no_groups(value):
    assert drawn(np.full((40, 10), value)).code == ("too_few_votes" if math.isnan(value) else "no_groups")


@pytest.mark.parametrize("seed", range(8))
def test_votes_without_any_pattern_still_give_a_whole_map(seed):
    generator = np.random.default_rng(seed)
    votes = np.where(generator.random((400, 60)) < 0.5, 1.0, -1.0)
    votes[generator.random(votes.shape) < 0.8] = NAN
    check_whole(drawn(votes), 400)


def check_whole(found, voters):
    plain = opinion_map.to_json(found)
    assert not any(math.isnan(number) or math.isinf(number) for number in numbers(plain))
    assert json.loads(json.dumps(plain, allow_nan=False)) == json.loads(json.dumps(plain))
    if isinstance(found, Reason):
        assert found.code in {"too_few_voters", "too_few_votes", "no_groups"}
        return
    assert 20 <= found.voters <= voters
    assert 2 <= len(found.groups) <= 5
    assert abs(sum(one.size for one in found.groups) - found.voters) <= 2 * len(found.groups)
    for one in found.groups:
        assert one.size >= 5
        assert all(share.people is None or share.people >= 5 for share in one.sectors)
    for option in found.options:
        told = [share for share in option.support if share is not None]
        assert all(0 < share < 1 for share in told)
        assert (option.consensus is None) == (option.gap is None) == (len(told) < len(found.groups))
    assert -1 <= found.silhouette <= 1


OPTIONS = tuple(Option(str(number)) for number in range(8))


def election(method, choices):
    votes = [Vote(SECTORS[number % 2], choice) for number, choice in enumerate(choices)]
    return Election(OPTIONS, Settings(method), votes, {"public": 90, "business": 90})


def test_an_approval_ballot_counts_what_is_not_approved_as_not_supported():
    choices = [{"approved": ["0", "1", "2"]}, {"approved": ["0", "5", "6"]}] * 20 + [{"abstain": True}] * 9
    found = opinion_map.of_election(election("approval", choices))
    assert found.voters == 40
    assert [option.key for option in found.unites] == ["0"]
    assert {option.key for option in found.divides} <= {"1", "2", "5", "6"}
    assert len(found.divides) == 3


def test_in_a_score_ballot_what_is_left_out_is_no_opinion():
    full = {str(number): 5 if number < 4 else 1 for number in range(8)}
    other = {key: 6 - score for key, score in full.items()}
    seven, six = ({key: full[key] for key in list(full)[:count]} for count in (7, 6))
    scored = [{"scores": full}, {"scores": other}] * 10
    assert opinion_map.of_election(election("score", scored)).voters == 20
    assert opinion_map.of_election(election("score", [*scored, {"scores": seven}])).voters == 21
    assert opinion_map.of_election(election("score", [*scored, {"scores": six}])).voters == 20
    assert opinion_map.of_election(election("score", [*scored, {"none": True}])).voters == 21


def test_json_has_everything_that_the_map_has():
    votes, group = planted((30, 30))
    found = drawn(votes, group)
    plain = opinion_map.to_json(found)
    assert plain["groups"][0]["shape"]["x"] == found.groups[0].shape.x
    assert plain["unites"][0]["key"] == found.unites[0].key
    assert opinion_map.to_json(replace(found, groups=())) == {**plain, "groups": ()}
    assert opinion_map.to_json(Reason("no_groups")) == {"reason": "no_groups"}
