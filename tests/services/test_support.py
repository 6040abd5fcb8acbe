"""Supporting an idea, alone, again, and with everybody at once."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import select

from app.database import Database
from app.errors import Conflict, NotAllowed, NotFound, NotSignedIn
from app.models import Support, Tally
from app.models.base import table
from app.models.support import ALL
from app.policies.actor import ANONYMOUS
from app.services import ideas, merges, moderation, support
from tests.factories.races import overlapping

SUPPORT, TALLY = table(Support), table(Tally)


def tallies(world, challenge_id=None):
    rows = world.ask(
        lambda c: c.execute(
            select(TALLY).where(TALLY.c.challenge_id == (challenge_id or world.challenge_id))
        ).all()
    )
    return {(row.idea_id, row.sector_id): row.people for row in rows}


def recounted(world):
    """The cube as the support rows have it."""
    cube, active = {}, set()
    for row in world.ask(lambda c: c.execute(select(SUPPORT)).all()):
        for sector in (row.sector_id, ALL):
            cube[row.idea_id, sector] = cube.get((row.idea_id, sector), 0) + 1
        active.add((row.person_id, row.sector_id))
    for _, sector in active:
        for key in (sector, ALL):
            cube[ALL, key] = cube.get((ALL, key), 0) + 1
    return cube


def shown(world):
    return {key: people for key, people in tallies(world).items() if people}


def test_support_counts_by_sector(world):
    idea = world.idea()
    world.do(support.give, world.alice, idea)
    answer = world.do(support.give, world.bob, idea)
    assert answer.supported
    assert answer.card.tally.total == 2
    assert [(count.key, count.people) for count in answer.card.tally.sectors] == [
        ("public", 1),
        ("business", 1),
    ]
    assert answer.card.tally.bridges


def test_the_second_support_of_a_person_counts_nothing(world):
    idea = world.idea()
    world.do(support.give, world.bob, idea)
    assert world.do(support.give, world.bob, idea).card.tally.total == 1


def test_support_taken_back_leaves_nothing(world):
    idea = world.idea()
    world.do(support.give, world.bob, idea)
    answer = world.do(support.withdraw, world.bob, idea)
    assert not answer.supported
    assert answer.card.tally.total == 0
    assert shown(world) == {}


def test_taking_back_what_was_not_given_counts_nothing(world):
    assert world.do(support.withdraw, world.bob, world.idea()).card.tally.total == 0


def test_eight_identical_supports_at_once_count_one(world):
    idea = world.idea()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.do(support.give, world.bob, idea), range(8)))
    assert [answer.supported for answer in answers] == [True] * 8
    assert shown(world) == recounted(world)
    assert tallies(world)[idea, ALL] == 1


def test_a_batch_answers_each_wish_by_itself(world):
    idea = world.idea()
    wishes = [
        support.Wish(world.alice, idea, True),
        support.Wish(world.bob, idea, True),
        support.Wish(world.bob, idea, True),
        support.Wish(world.olga, idea, True),
        support.Wish(world.charlie, idea, True),
        support.Wish(world.alice, idea + 10_000, True),
    ]
    met = world.do(support.meet, wishes)
    assert [type(answer) for answer in met] == [
        support.Supported,
        support.Supported,
        support.Supported,
        NotAllowed,
        NotFound,
        NotFound,
    ]
    assert met[0].card.tally.total == 2
    assert shown(world) == recounted(world)


def test_the_cube_stays_true_over_many_changes(world):
    first, second = world.idea(), world.idea(title="Another")
    people = [world.alice, world.ana, world.bob, world.bea]
    for step, person in enumerate(people * 3):
        verb = support.give if step % 3 else support.withdraw
        world.do(verb, person, first if step % 2 else second)
        assert shown(world) == recounted(world)


def test_active_counts_people_not_supports(world):
    first, second = world.idea(), world.idea(title="Another")
    world.do(support.meet, [support.Wish(world.bob, first, True), support.Wish(world.bob, second, True)])
    assert tallies(world)[ALL, ALL] == 1
    world.do(support.withdraw, world.bob, first)
    assert tallies(world)[ALL, ALL] == 1
    world.do(support.withdraw, world.bob, second)
    assert tallies(world)[ALL, ALL] == 0


@pytest.mark.parametrize("verb", [support.give, support.withdraw])
def test_a_stranger_finds_nothing(world, verb):
    with pytest.raises(NotFound):
        world.do(verb, world.charlie, world.idea())


def test_an_observer_may_look_but_not_support(world):
    with pytest.raises(NotAllowed):
        world.do(support.give, world.olga, world.idea())


def test_who_is_not_signed_in_learns_nothing(world):
    with pytest.raises((NotFound, NotSignedIn)):
        world.do(support.give, ANONYMOUS, world.idea())


def test_a_phase_without_supporting_refuses(world):
    challenge = world.challenge(supporting=False)
    idea = world.idea(challenge_id=challenge)
    with pytest.raises(Conflict, match="Supporting"):
        world.do(support.give, world.bob, idea)


def test_a_withdrawn_idea_takes_no_support(world):
    idea = world.idea()
    world.do(ideas.withdraw, world.alice, idea)
    with pytest.raises((Conflict, NotFound)):
        world.do(support.give, world.bob, idea)


def test_hidden_tallies_stay_hidden(world):
    challenge = world.challenge(tallies=False)
    idea = world.idea(challenge_id=challenge)
    assert world.do(support.give, world.bob, idea).card.tally is None


def test_mine_are_the_ideas_i_support(world):
    idea = world.idea()
    world.idea(title="Another")
    world.do(support.give, world.bob, idea)
    assert world.ask(support.mine, world.bob, world.challenge_id) == {idea}
    assert world.ask(support.mine, world.alice, world.challenge_id) == frozenset()


def test_one_person_in_two_processes_is_active_once(world, database_url):
    """Each process sees no support of the person yet when both begin, and yet only one may count them as new."""
    other = Database(database_url)
    pairs = [(world.idea(title=f"Left {number}"), world.idea(title=f"Right {number}")) for number in range(6)]
    with ThreadPoolExecutor(2) as pool:
        for left, right in pairs:
            for verb in (support.give, support.withdraw):
                one = pool.submit(world.database.write_now, partial(verb, actor=world.bob, idea_id=left))
                another = pool.submit(other.write_now, partial(verb, actor=world.bob, idea_id=right))
                assert one.result().supported == another.result().supported
                assert shown(world) == recounted(world)
    other.close()


@pytest.mark.parametrize("verb", [support.give, support.withdraw])
@pytest.mark.parametrize("leaving", ["merged", "hidden", "withdrawn"])
def test_an_idea_that_leaves_the_board_at_the_same_moment_takes_no_support(world, leaving, verb):
    idea, target = world.idea(), world.idea(title="Another")
    world.do(support.give, world.ana, idea)
    leave = {
        "merged": partial(merges.propose, actor=world.alice, source_id=idea, target_id=target),
        "hidden": partial(moderation.hide, actor=world.fay, idea_id=idea, reason="Rude"),
        "withdrawn": partial(ideas.withdraw, actor=world.alice, idea_id=idea),
    }[leaving]
    person = world.bob if verb is support.give else world.ana
    left, met = overlapping(world.database, leave, partial(verb, actor=person, idea_id=idea))
    assert not isinstance(left, Exception)
    assert isinstance(met, Conflict | NotFound)
    assert shown(world) == recounted(world)


def test_support_given_just_before_a_merge_goes_along(world):
    idea, target = world.idea(), world.idea(title="Another")
    overlapping(
        world.database,
        partial(support.give, actor=world.bob, idea_id=idea),
        partial(merges.propose, actor=world.alice, source_id=idea, target_id=target),
    )
    assert tallies(world)[target, ALL] == 1
    assert shown(world) == recounted(world)
