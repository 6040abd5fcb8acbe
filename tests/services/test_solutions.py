"""Solutions: made of ideas, changed until a ballot that holds them opens, taken back while none does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound
from app.lib import clock
from app.models import Event
from app.models.base import table
from app.services import ballot_making, counting, ideas, moderation, solutions
from tests.factories.races import overlapping

TOMORROW = timedelta(days=1)


def found(world, solution, actor=None):
    return world.ask(solutions.find, actor or world.alice, solution)


def fields(caught):
    return {error.field for error in caught.value.errors}


def event_types(world):
    return world.ask(
        lambda c: c.execute(select(table(Event).c.type).order_by(table(Event).c.id)).scalars().all()
    )


def test_a_solution_says_what_was_written_and_from_which_ideas_it_comes(world):
    first, second = world.idea(title="One"), world.idea(world.bob, "Two")
    made = world.solution(
        "  One  form ",
        cost=30,
        summary="**Once**",
        carrier="The ministry",
        links=[{"title": "", "url": "https://example.org/plan"}],
        idea_ids=[second, first, second],
    )
    view = found(world, made)
    assert (view.title, view.cost, view.carrier) == ("One form", 30, "The ministry")
    assert "<strong>Once</strong>" in view.summary_html
    assert view.links == ({"title": "https://example.org/plan", "url": "https://example.org/plan"},)
    assert view.idea_ids == (first, second)
    assert not view.is_frozen
    assert event_types(world)[-1] == "solution.promoted"


def test_the_ideas_of_solutions_are_told_without_those_that_are_hidden(world):
    shown, hidden = world.idea(title="Shown"), world.idea(title="Hidden")
    made, bare = world.solution(idea_ids=[shown, hidden]), world.solution("Bare")
    world.do(moderation.hide, world.fay, hidden, reason="Rude")
    told = world.ask(solutions.ideas_of, [made, bare])
    assert [[idea.title for idea in told[each]] for each in (made, bare)] == [["Shown"], []]


@pytest.mark.parametrize("name", ["alice", "bob", "sam", "olga"])
def test_only_who_moderates_makes_solutions(world, name):
    actor = getattr(world, name)
    with pytest.raises(NotAllowed):
        world.do(solutions.promote, actor, world.challenge_id, title="Mine")
    made = world.solution()
    with pytest.raises(NotAllowed):
        world.do(solutions.change, actor, made, title="Mine")
    with pytest.raises(NotAllowed):
        world.do(solutions.withdraw, actor, made)


def test_a_stranger_finds_none(world):
    made = world.solution()
    assert world.ask(solutions.on_challenge, world.charlie, world.challenge_id) == []
    for verb in (solutions.change, solutions.withdraw):
        with pytest.raises(NotFound):
            world.do(verb, world.charlie, made)
    with pytest.raises(NotFound):
        world.do(solutions.promote, world.charlie, world.challenge_id, title="Mine")
    with pytest.raises(NotFound):
        found(world, made, world.charlie)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"summary": "x" * 4001}, "summary"),
        ({"carrier": "bell \x07"}, "carrier"),
        ({"language": "xx"}, "language"),
        ({"cost": -1}, "cost"),
        ({"cost": solutions.MOST_COST + 1}, "cost"),
        ({"links": [{"title": "x", "url": "javascript:alert(1)"}]}, "links/0/url"),
        ({"links": [{"title": "x", "url": "https://user@example.org"}]}, "links/0/url"),
        ({"links": [{"title": "x", "url": "https://[1"}]}, "links/0/url"),
        ({"links": [{"title": "x", "url": "https://example.org"}] * 11}, "links"),
        ({"idea_ids": range(1, 22)}, "ideas"),
        ({"idea_ids": [999_999]}, "ideas"),
    ],
)
def test_what_cannot_be_is_named(world, values, field):
    with pytest.raises(Invalid) as caught:
        world.do(solutions.promote, world.fay, world.challenge_id, **({"title": "Good"} | values))
    assert fields(caught) == {field}
    assert world.ask(solutions.on_challenge, world.alice, world.challenge_id) == []


def test_ideas_of_another_board_and_hidden_ones_are_not_taken(world):
    other = world.idea(world.alice, "Elsewhere", world.challenge())
    hidden = world.idea(title="Hidden")
    world.do(moderation.hide, world.fay, hidden, reason="Rude")
    for idea in (other, hidden, world.other_idea_id):
        with pytest.raises(Invalid) as caught:
            world.solution(idea_ids=[idea])
        assert fields(caught) == {"ideas"}


def test_an_idea_that_leaves_the_board_at_the_same_moment_is_not_taken(world):
    idea, held = world.idea(title="Hidden"), world.solution("Bare")
    for verb in (
        partial(solutions.promote, challenge_id=world.challenge_id, title="One form"),
        partial(solutions.change, solution_id=held),
    ):
        _, made = overlapping(
            world.database,
            partial(moderation.hide, actor=world.fay, idea_id=idea, reason="Rude"),
            partial(verb, actor=world.fay, idea_ids=[idea]),
        )
        assert isinstance(made, Invalid)
        world.do(moderation.restore, world.fay, idea)


def test_an_idea_that_has_left_the_board_since_does_not_stand_in_the_way(world):
    idea = world.idea()
    made = world.solution(idea_ids=[idea])
    world.do(ideas.withdraw, world.alice, idea)
    world.do(solutions.change, world.fay, made, title="Changed", idea_ids=[idea])
    assert found(world, made).title == "Changed"


def test_what_is_left_out_of_a_change_stays(world):
    idea = world.idea()
    made = world.solution(cost=30, carrier="The ministry", idea_ids=[idea])
    assert world.do(solutions.change, world.cora, made, title="Changed", version=1) == 2
    view = found(world, made)
    assert (view.title, view.cost, view.carrier, view.idea_ids) == ("Changed", 30, "The ministry", (idea,))


def test_a_change_of_a_version_that_moved_on_is_told(world):
    made = world.solution()
    world.do(solutions.change, world.fay, made, title="Second", version=1)
    for verb in (solutions.change, solutions.withdraw):
        with pytest.raises(Moved) as caught:
            world.do(verb, world.cora, made, version=1)
        assert caught.value.values == {"current": 2}


def test_of_two_changes_at_once_one_is_told_of_the_other(world):
    made = world.solution()

    def change(actor):
        try:
            return world.do(solutions.change, actor, made, title=actor.name, version=1)
        except Moved:
            return None

    with ThreadPoolExecutor(2) as pool:
        versions = list(pool.map(change, (world.fay, world.cora)))
    assert sorted(version or 0 for version in versions) == [0, 2]


def test_a_solution_is_frozen_while_a_ballot_that_holds_it_is_open(world):
    held, free = world.solution(), world.solution("Free")
    ballot = world.ballot(solutions=[held])
    assert found(world, held).is_frozen
    assert not found(world, free).is_frozen
    with pytest.raises(Conflict, match="not counted yet"):
        world.do(solutions.change, world.fay, held, title="Better")
    world.do(solutions.change, world.fay, free, title="Better")
    world.close_now(ballot)
    assert found(world, held).is_frozen, "until it is counted, what was decided on stands"
    assert counting.finish(world.database, ballot, "http://testserver")
    assert not found(world, held).is_frozen


def test_what_a_ballot_will_decide_on_stands_from_its_making(world):
    held = world.solution()
    opens_at = clock.now() + TOMORROW
    ballot = world.ballot(solutions=[held], opens_at=opens_at)
    for verb in (solutions.change, solutions.withdraw):
        with pytest.raises(Conflict, match="holds this solution"):
            world.do(verb, world.fay, held)
    world.do(ballot_making.cancel, world.cora, ballot)
    world.do(solutions.change, world.fay, held, title="Better")
    world.do(solutions.withdraw, world.fay, held)
    assert found(world, held).withdrawn
    assert world.ask(solutions.on_challenge, world.alice, world.challenge_id) == []


def test_what_was_taken_back_cannot_change_or_be_decided_on(world):
    made = world.solution()
    world.do(solutions.withdraw, world.fay, made)
    for verb in (solutions.change, solutions.withdraw):
        with pytest.raises(Conflict, match="taken back"):
            world.do(verb, world.fay, made)
    with pytest.raises(Invalid):
        world.ballot(solutions=[made])
