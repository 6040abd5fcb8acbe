"""Two cards made one: consent, united support, objection, and the way back."""

from functools import partial

import pytest
from sqlalchemy import select

from app.errors import Conflict, Invalid, NotAllowed, NotFound
from app.models import Notice
from app.models.base import table
from app.services import ideas, merges, moderation, support
from tests.factories.races import overlapping
from tests.services.test_support import recounted, shown


@pytest.fixture
def pair(world):
    """Alice's idea, supported by Ana and Bob, and Bob's, supported by Bob and Bea."""
    mine = world.idea(title="Mine")
    theirs = world.idea(world.bob, "Theirs")
    for person, idea in ((world.ana, mine), (world.bob, mine), (world.bob, theirs), (world.bea, theirs)):
        world.do(support.give, person, idea)
    return mine, theirs


def told(world, kind):
    rows = world.ask(lambda c: c.execute(select(table(Notice)).where(table(Notice).c.kind == kind)).all())
    return {row.person_id for row in rows}


def total(world, idea):
    return world.ask(ideas.find, world.alice, idea).card.tally.total


def test_the_other_author_is_asked_and_nothing_happens_before(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    assert [view.id for view in world.ask(merges.waiting_for, world.bob)] == [merge]
    assert told(world, "merge_proposed") == {world.bob.person_id}
    assert world.ask(ideas.find, world.alice, pair[0]).state == "open"


def test_support_is_united_and_nobody_counts_twice(world, pair):
    world.do(merges.accept, world.bob, world.do(merges.propose, world.alice, *pair))
    source = world.ask(ideas.find, world.alice, pair[0])
    assert (source.state, source.merged_into_id) == ("merged", pair[1])
    assert total(world, pair[1]) == 3
    assert shown(world) == recounted(world)


def test_supporters_of_the_merged_idea_are_told(world, pair):
    world.do(merges.accept, world.bob, world.do(merges.propose, world.alice, *pair))
    assert told(world, "merge_supporters") == {world.ana.person_id}
    assert told(world, "merge_accepted") == {world.alice.person_id}


def test_a_supporter_who_objects_takes_their_support_out(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    world.do(merges.accept, world.bob, merge)
    for _ in range(2):
        world.do(merges.object_to, world.ana, merge, reason="They are different")
    assert total(world, pair[1]) == 2
    assert shown(world) == recounted(world)
    view = world.ask(merges.find, world.fay, merge)
    assert view.objections == 1
    assert [row.reason for row in world.ask(merges.objections, world.fay, view)] == ["They are different"]
    assert world.ask(merges.objections, world.bob, view) == []


def test_who_did_not_support_it_cannot_object(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    world.do(merges.accept, world.bob, merge)
    with pytest.raises(Conflict):
        world.do(merges.object_to, world.bea, merge)


def test_an_undone_merge_leaves_both_as_they_were(world, pair):
    before = shown(world)
    merge = world.do(merges.propose, world.alice, *pair)
    world.do(merges.accept, world.bob, merge)
    with pytest.raises(NotAllowed):
        world.do(merges.undo, world.alice, merge)
    world.do(merges.undo, world.fay, merge)
    assert world.ask(ideas.find, world.alice, pair[0]).state == "open"
    assert shown(world) == before == recounted(world)
    assert told(world, "merge_undone") == {world.alice.person_id, world.bob.person_id}


def test_a_declined_merge_changes_nothing(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    world.do(merges.decline, world.bob, merge)
    assert world.ask(ideas.find, world.alice, pair[0]).state == "open"
    assert told(world, "merge_declined") == {world.alice.person_id}
    with pytest.raises(Conflict):
        world.do(merges.accept, world.bob, merge)


def test_only_who_is_asked_consents(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    for other in (world.alice, world.bea, world.fay):
        with pytest.raises(NotAllowed):
            world.do(merges.accept, other, merge)
    with pytest.raises(NotFound):
        world.do(merges.accept, world.charlie, merge)


def test_who_wrote_both_needs_nobody(world):
    first, second = world.idea(title="One"), world.idea(title="Two")
    world.do(merges.propose, world.alice, first, second)
    assert world.ask(ideas.find, world.alice, first).state == "merged"


def test_who_wrote_neither_does_not_propose(world, pair):
    with pytest.raises(NotAllowed):
        world.do(merges.propose, world.bea, *pair)


def test_a_facilitator_proposes_and_the_author_is_asked(world, pair):
    world.do(merges.propose, world.fay, *pair)
    assert [view.source_id for view in world.ask(merges.waiting_for, world.alice)] == [pair[0]]


def test_an_idea_is_not_merged_with_itself_or_with_another_board(world, pair):
    elsewhere = world.idea(challenge_id=world.challenge())
    for target in (pair[0], elsewhere):
        with pytest.raises(Invalid):
            world.do(merges.propose, world.alice, pair[0], target)
    with pytest.raises(NotFound):
        world.do(merges.propose, world.alice, pair[0], world.other_idea_id)


def test_one_merge_of_an_idea_at_a_time(world, pair):
    world.do(merges.propose, world.alice, *pair)
    with pytest.raises(Conflict):
        world.do(merges.propose, world.alice, *pair)


def test_an_idea_withdrawn_meanwhile_is_not_merged(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    world.do(ideas.withdraw, world.alice, pair[0])
    with pytest.raises((Conflict, NotFound)):
        world.do(merges.accept, world.bob, merge)


def test_the_title_of_a_hidden_idea_is_told_to_nobody_else(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    world.do(moderation.hide, world.fay, pair[0], reason="It names a person")
    titles = {
        person: world.ask(merges.find, actor, merge).source_title
        for person, actor in (("bea", world.bea), ("alice", world.alice), ("fay", world.fay))
    }
    assert titles == {"bea": "…", "alice": "Mine", "fay": "Mine"}
    assert [view.source_title for view in world.ask(merges.of_idea, world.bea, pair[1])] == ["…"]


def test_a_merge_refused_and_consented_to_at_the_same_moment_is_made(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    _, refused = overlapping(
        world.database,
        partial(merges.accept, actor=world.bob, merge_id=merge),
        partial(merges.decline, actor=world.bob, merge_id=merge),
    )
    assert isinstance(refused, Conflict)
    assert told(world, "merge_declined") == set()


def test_a_merge_undone_at_the_same_moment_takes_no_objection(world, pair):
    merge = world.do(merges.propose, world.alice, *pair)
    world.do(merges.accept, world.bob, merge)
    _, objected = overlapping(
        world.database,
        partial(merges.undo, actor=world.fay, merge_id=merge),
        partial(merges.object_to, actor=world.ana, merge_id=merge),
    )
    assert isinstance(objected, Conflict)
    assert world.ask(merges.find, world.fay, merge).objections == 0
    assert shown(world) == recounted(world)


@pytest.mark.parametrize("verb", [merges.accept, merges.undo])
def test_who_changes_sector_at_the_same_moment_counts_once_in_the_new_one(world, pair, verb):
    merge = world.do(merges.propose, world.alice, *pair)
    if verb is merges.undo:
        world.do(merges.accept, world.bob, merge)
    sector = world.bob.memberships[world.programme_id].sector_id
    overlapping(
        world.database,
        partial(
            support.count_for,
            person_id=world.ana.person_id,
            programme_id=world.programme_id,
            sector_id=sector,
        ),
        partial(verb, actor=world.bob if verb is merges.accept else world.fay, merge_id=merge),
    )
    assert shown(world) == recounted(world)
