"""Posting, editing, withdrawing and moving ideas."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound
from app.lib import clock
from app.models import Event, Notice
from app.models.base import table
from app.services import boards, ideas

EVENT = table(Event)


def events(world, type):
    return world.ask(
        lambda c: c.execute(
            select(EVENT).where(EVENT.c.type == type, EVENT.c.programme_id == world.programme_id)
        ).all()
    )


def refusals(error):
    return {found.field for found in error.value.errors}


def test_an_idea_stands_on_the_board_with_its_author(world):
    idea = world.idea(world.bob, "One form for all", body="**Ask once.**")
    view = world.ask(ideas.find, world.alice, idea)
    assert view.card.title == "One form for all"
    assert "<strong>Ask once.</strong>" in view.card.body_html
    assert view.card.author.name == "Bob Kos"
    assert view.card.sector.key == "business"
    assert [event.actor_id for event in events(world, "idea.posted")] == [world.bob.person_id]


@pytest.mark.parametrize(
    "values",
    [
        {"title": ""},
        {"title": "   \n "},
        {"title": "x" * 121},
        {"title": "a\x00b"},
        {"title": "\ud800"},
        {"title": "a\x1b[31mb"},
    ],
)
def test_a_title_that_cannot_be_is_refused_by_name(world, values):
    with pytest.raises(Invalid) as error:
        world.idea(**values)
    assert refusals(error) == {"title"}


def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not(world):
    with pytest.raises(Invalid) as error:
        world.idea(body="x" * 10_001)
    assert refusals(error) == {"body"}
    assert world.idea(body="x" * 10_000)


@pytest.mark.parametrize(
    "body", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))"]
)
def test_html_in_a_body_is_text(world, body):
    html = world.ask(ideas.find, world.alice, world.idea(body=body)).card.body_html
    assert "<script" not in html
    assert "<img" not in html
    assert "javascript:" not in html.replace("[x](javascript:", "")


def test_a_cluster_of_another_board_is_refused(world):
    (foreign, _) = world.clusters(world.other_challenge_id)
    with pytest.raises(Invalid) as error:
        world.idea(cluster_id=foreign)
    assert refusals(error) == {"cluster"}
    assert world.ask(boards.on, world.alice, world.challenge_id, boards.Query()).cards == ()


def test_a_closed_phase_takes_no_ideas(world):
    challenge = world.challenge(posting=False)
    with pytest.raises(Conflict):
        world.idea(challenge_id=challenge)


def test_a_phase_that_has_ended_takes_no_ideas(world):
    challenge = world.challenge(ends_at=clock.now() - timedelta(seconds=1))
    with pytest.raises(Conflict):
        world.idea(challenge_id=challenge)


def test_observers_and_strangers_do_not_post(world):
    with pytest.raises(NotAllowed):
        world.idea(world.olga)
    with pytest.raises(NotFound):
        world.idea(world.charlie)


def test_an_anonymous_idea_names_nobody_anywhere(world):
    challenge = world.challenge(anonymous_allowed=True)
    idea = world.idea(challenge_id=challenge, anonymous=True)
    for viewer in (world.bob, world.fay, world.cora, world.alice):
        assert world.ask(ideas.find, viewer, idea).card.author is None
    assert [event.actor_id for event in events(world, "idea.posted")] == [None]
    world.do(ideas.edit, world.alice, idea, title="Changed")
    assert [event.actor_id for event in events(world, "idea.edited")] == [None]


def test_anonymous_where_the_challenge_wants_names_is_refused(world):
    with pytest.raises(Invalid) as error:
        world.idea(anonymous=True)
    assert refusals(error) == {"anonymous"}


def test_an_edit_keeps_what_was_there(world):
    idea = world.idea(title="First", body="one")
    assert world.do(ideas.edit, world.alice, idea, title="Second", version=1) == 2
    view, versions = world.ask(ideas.versions, world.bob, idea)
    assert view.card.title == "Second"
    assert [(row.number, row.title, row.body) for row in versions] == [(1, "First", "one")]


def test_an_edit_of_a_version_that_moved_on_is_refused(world):
    idea = world.idea()
    world.do(ideas.edit, world.alice, idea, title="Second", version=1)
    with pytest.raises(Moved):
        world.do(ideas.edit, world.alice, idea, title="Third", version=1)
    assert world.ask(ideas.find, world.alice, idea).card.title == "Second"


def test_two_edits_of_the_same_version_at_once_leave_one(world):
    idea = world.idea()

    def edit(title):
        try:
            return world.do(ideas.edit, world.alice, idea, title=title, version=1)
        except Moved:
            return None

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(edit, "abcdef"))
    assert answers.count(2) == 1
    assert answers.count(None) == 5


def test_only_its_authors_edit_an_idea(world):
    idea = world.idea()
    with pytest.raises(NotAllowed):
        world.do(ideas.edit, world.bob, idea, title="Mine now")
    with pytest.raises(NotFound):
        world.do(ideas.edit, world.charlie, idea, title="Mine now")
    world.do(ideas.add_co_author, world.alice, idea, world.bob.person_id)
    assert world.do(ideas.edit, world.bob, idea, title="Ours") == 2
    assert world.ask(ideas.find, world.alice, idea).co_authors == ("Bob Kos",)


def test_a_co_author_is_told_once(world):
    idea = world.idea()
    for _ in range(2):
        world.do(ideas.add_co_author, world.alice, idea, world.bob.person_id)
    notices = world.ask(lambda c: c.execute(select(table(Notice))).all())
    assert [(row.person_id, row.kind) for row in notices] == [(world.bob.person_id, "co_author_added")]


def test_someone_of_another_programme_is_no_co_author(world):
    with pytest.raises(Invalid):
        world.do(ideas.add_co_author, world.alice, world.idea(), world.charlie.person_id)


def test_an_anonymous_idea_takes_no_co_authors(world):
    challenge = world.challenge(anonymous_allowed=True)
    idea = world.idea(challenge_id=challenge, anonymous=True)
    with pytest.raises(Conflict):
        world.do(ideas.add_co_author, world.alice, idea, world.bob.person_id)


def test_a_withdrawn_idea_is_gone_for_all_but_its_author(world):
    idea = world.idea()
    world.do(ideas.withdraw, world.alice, idea)
    world.do(ideas.withdraw, world.alice, idea)
    assert world.ask(ideas.find, world.alice, idea).state == "withdrawn"
    with pytest.raises(NotFound):
        world.ask(ideas.find, world.bob, idea)
    assert len(events(world, "idea.withdrawn")) == 1


def test_nobody_withdraws_the_idea_of_another(world):
    idea = world.idea()
    with pytest.raises(NotAllowed):
        world.do(ideas.withdraw, world.fay, idea)


def test_a_card_moves_between_clusters_and_out_of_them(world):
    idea = world.idea()
    (now, later) = world.clusters()
    world.do(ideas.move, world.bob, idea, later)
    assert world.ask(ideas.find, world.alice, idea).card.cluster_id == later
    world.do(ideas.move, world.bob, idea, later)
    assert len(events(world, "idea.moved")) == 1
    world.do(ideas.move, world.bob, idea, None)
    assert world.ask(ideas.find, world.alice, idea).card.cluster_id is None
    assert now


def test_a_card_does_not_move_to_another_board(world):
    idea = world.idea(cluster_id=world.clusters()[0])
    with pytest.raises(Invalid):
        world.do(ideas.move, world.alice, idea, world.clusters(world.other_challenge_id)[0])
    assert world.ask(ideas.find, world.alice, idea).card.cluster_id == world.clusters()[0]


def test_observers_and_strangers_do_not_move_cards(world):
    idea = world.idea()
    with pytest.raises(NotAllowed):
        world.do(ideas.move, world.olga, idea, world.clusters()[0])
    with pytest.raises(NotFound):
        world.do(ideas.move, world.charlie, idea, world.clusters()[0])


def test_in_the_vote_ideas_stay_as_they_are(world):
    idea = world.idea(challenge_id=world.challenge("voting"))
    with pytest.raises(Conflict):
        world.do(ideas.edit, world.alice, idea, title="Late")
    with pytest.raises(Conflict):
        world.do(ideas.move, world.alice, idea, None)
