"""Pinning, and hiding for a reason that the author is told and can answer."""

import pytest
from sqlalchemy import select

from app.errors import Conflict, Invalid, NotAllowed, NotFound
from app.models import Notice
from app.models.base import table
from app.services import boards, comments, ideas, moderation
from app.services.boards import Query

NOTICE = table(Notice)


def told(world):
    rows = world.ask(lambda c: c.execute(select(NOTICE).order_by(NOTICE.c.id)).all())
    return [(row.person_id, row.kind, row.data) for row in rows]


def test_a_hidden_idea_is_gone_and_its_author_knows_why(world):
    idea = world.idea()
    world.do(moderation.hide, world.fay, idea, reason="It names a person")
    assert world.ask(boards.on, world.bob, world.challenge_id, Query()).cards == ()
    with pytest.raises(NotFound):
        world.ask(ideas.find, world.bob, idea)
    assert world.ask(ideas.find, world.alice, idea).state == "hidden"
    assert world.ask(moderation.hiding_of, idea).reason == "It names a person"
    assert told(world) == [(world.alice.person_id, "idea_hidden", {"reason": "It names a person"})]


def test_the_author_answers_and_the_facilitator_is_told(world):
    idea = world.idea()
    world.do(moderation.hide, world.fay, idea, reason="Off topic")
    world.do(moderation.answer, world.alice, idea, answer="It is about forms")
    assert world.ask(moderation.hiding_of, idea).answer == "It is about forms"
    assert told(world)[-1][:2] == (world.fay.person_id, "hiding_answered")


def test_a_restored_idea_stands_again(world):
    idea = world.idea()
    world.do(moderation.hide, world.fay, idea, reason="Off topic")
    for _ in range(2):
        world.do(moderation.restore, world.cora, idea)
    assert [card.id for card in world.ask(boards.on, world.bob, world.challenge_id, Query()).cards] == [idea]
    assert world.ask(moderation.hiding_of, idea) is None
    assert [kind for _, kind, _ in told(world)] == ["idea_hidden", "idea_restored"]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "a\x00"])
def test_no_reason_no_hiding(world, reason):
    idea = world.idea()
    with pytest.raises(Invalid):
        world.do(moderation.hide, world.fay, idea, reason=reason)
    assert world.ask(ideas.find, world.bob, idea).state == "open"


def test_only_who_moderates_hides_and_pins(world):
    idea = world.idea()
    for verb, values in ((moderation.hide, {"reason": "No"}), (moderation.pin, {}), (moderation.unpin, {})):
        for person in (world.alice, world.bob, world.sam, world.olga):
            with pytest.raises(NotAllowed):
                world.do(verb, person, idea, **values)
        with pytest.raises(NotFound):
            world.do(verb, world.charlie, idea, **values)


def test_hidden_twice_is_said(world):
    idea = world.idea()
    world.do(moderation.hide, world.fay, idea, reason="Off topic")
    with pytest.raises(Conflict):
        world.do(moderation.hide, world.cora, idea, reason="Rude")


def test_pinning_twice_is_once(world):
    idea = world.idea()
    for _ in range(2):
        world.do(moderation.pin, world.fay, idea)
    assert world.ask(ideas.find, world.bob, idea).card.pinned
    for _ in range(2):
        world.do(moderation.unpin, world.fay, idea)
    assert not world.ask(ideas.find, world.bob, idea).card.pinned


def test_a_comment_is_counted_told_and_taken_back(world):
    idea = world.idea()
    comment = world.do(comments.post, world.bob, idea, body="**Yes**")
    assert world.ask(ideas.find, world.bob, idea).card.comments == 1
    assert told(world) == [(world.alice.person_id, "comment_posted", {"comment_id": comment})]
    with pytest.raises(NotAllowed):
        world.do(comments.withdraw, world.alice, comment)
    for _ in range(2):
        world.do(comments.withdraw, world.bob, comment)
    assert world.ask(ideas.find, world.bob, idea).card.comments == 0


def test_a_hidden_comment_is_counted_no_more_and_its_author_is_told(world):
    idea = world.idea()
    comment = world.do(comments.post, world.bob, idea, body="Rude")
    for _ in range(2):
        world.do(comments.hide, world.fay, comment, reason="Rude")
    world.do(comments.withdraw, world.bob, comment)
    assert world.ask(ideas.find, world.bob, idea).card.comments == 0
    assert told(world)[-1] == (
        world.bob.person_id,
        "comment_hidden",
        {"reason": "Rude", "comment_id": comment},
    )


@pytest.mark.parametrize("body", ["", " ", "x" * 4001, "a\x00", "\ud800"])
def test_a_comment_that_cannot_be_is_refused(world, body):
    idea = world.idea()
    with pytest.raises(Invalid):
        world.do(comments.post, world.bob, idea, body=body)
    assert world.ask(ideas.find, world.bob, idea).card.comments == 0


def test_a_phase_without_commenting_refuses(world):
    idea = world.idea(challenge_id=world.challenge(commenting=False))
    with pytest.raises(Conflict):
        world.do(comments.post, world.bob, idea, body="Yes")


def test_observers_and_strangers_do_not_comment(world):
    idea = world.idea()
    with pytest.raises(NotAllowed):
        world.do(comments.post, world.olga, idea, body="Yes")
    with pytest.raises(NotFound):
        world.do(comments.post, world.charlie, idea, body="Yes")
