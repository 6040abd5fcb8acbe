"""Sorting, filtering, finding and paging a board."""

import pytest

from app.errors import NotFound
from app.services import boards, moderation, search, support
from app.services.boards import Query


def titles(world, actor=None, **query):
    board = world.ask(boards.on, actor or world.alice, world.challenge_id, Query(**query))
    return [card.title for card in board.cards]


def walked(world, **query):
    """All titles, page after page."""
    found, after = [], None
    while True:
        board = world.ask(boards.on, world.alice, world.challenge_id, Query(after=after, limit=2, **query))
        found += [card.title for card in board.cards]
        after = board.next
        if after is None:
            return found


@pytest.fixture
def ideas(world):
    """Three ideas: one that only the public sector supports, one that both do, one that nobody does."""
    one_sided = world.idea(title="One-sided", cluster_id=world.clusters()[0])
    bridging = world.idea(world.bob, "Bridging", body="Skupna čakalna vrsta")
    nobody = world.idea(title="Nobody yet")
    for person in (world.alice, world.ana, world.fay):
        world.do(support.give, person, one_sided)
    for person in (world.alice, world.bob):
        world.do(support.give, person, bridging)
    return {"one-sided": one_sided, "bridging": bridging, "nobody": nobody}


def test_newest_first(world, ideas):
    assert titles(world) == ["Nobody yet", "Bridging", "One-sided"]


def test_most_supported_first(world, ideas):
    assert titles(world, sort="supported") == ["One-sided", "Bridging", "Nobody yet"]


def test_bridging_looks_at_the_sector_that_likes_it_least(world, ideas):
    assert titles(world, sort="bridging")[0] == "Bridging"


@pytest.mark.parametrize("sort", boards.SORTS)
def test_pages_neither_repeat_nor_hide(world, ideas, sort):
    for number in range(5):
        world.idea(title=f"More {number}")
    found = walked(world, sort=sort)
    assert sorted(found) == sorted(titles(world, sort=sort))
    assert found == titles(world, sort=sort)


def test_an_idea_posted_meanwhile_shifts_no_page(world, ideas):
    first = world.ask(boards.on, world.alice, world.challenge_id, Query(limit=2))
    world.idea(title="Meanwhile")
    rest = world.ask(boards.on, world.alice, world.challenge_id, Query(limit=2, after=first.next))
    assert [card.title for card in (*first.cards, *rest.cards)] == ["Nobody yet", "Bridging", "One-sided"]


def test_pinned_ideas_come_first_once(world, ideas):
    world.do(moderation.pin, world.fay, ideas["one-sided"])
    assert titles(world) == ["One-sided", "Nobody yet", "Bridging"]
    assert walked(world) == ["One-sided", "Nobody yet", "Bridging"]


def test_filters_narrow(world, ideas):
    now = world.clusters()[0]
    assert titles(world, cluster_id=now) == ["One-sided"]
    assert titles(world, cluster_id=0) == ["Nobody yet", "Bridging"]
    assert titles(world, sector="business") == ["Bridging"]
    assert titles(world, sector="no such sector") == []


@pytest.mark.parametrize("words", ["vrsta", "Vrst", "cakalna", "ČAKALNA", "bridging vrsta"])
def test_words_are_found_in_any_case_without_marks_and_cut_short(world, ideas, words):
    assert titles(world, words=words) == ["Bridging"]


@pytest.mark.parametrize("words", ['"', "(", "* OR", "NEAR(", "title:", "-- ;", "'", "a & b |"])
def test_words_of_the_query_language_are_words(world, ideas, words):
    assert isinstance(titles(world, words=words), list)


def test_similar_ideas_are_hinted_at(world, ideas):
    world.idea(title="Ena vloga za vse obrazce")
    found = world.ask(search.similar, world.challenge_id, "Skupne vloge za obrazec")
    assert found[0].title == "Ena vloga za vse obrazce"
    assert world.ask(search.similar, world.challenge_id, "!?") == []


def test_similar_ideas_of_other_boards_are_not_told(world):
    assert world.ask(search.similar, world.challenge_id, "Noise that must not match") == []


def test_hidden_tallies_are_not_told_by_the_order(world):
    challenge = world.challenge(tallies=False)
    first = world.idea(title="First", challenge_id=challenge)
    world.idea(title="Second", challenge_id=challenge)
    world.do(support.give, world.bob, first)
    board = world.ask(boards.on, world.alice, challenge, Query(sort="supported"))
    assert [card.title for card in board.cards] == ["Second", "First"]
    assert all(card.tally is None for card in board.cards)


def test_a_stranger_finds_no_board(world):
    with pytest.raises(NotFound):
        world.ask(boards.on, world.charlie, world.challenge_id, Query())


def test_hidden_ideas_are_for_those_who_moderate(world, ideas):
    world.do(moderation.hide, world.fay, ideas["nobody"], reason="Rude")
    assert titles(world) == ["Bridging", "One-sided"]
    assert titles(world, hidden=True) == []
    assert titles(world, world.fay, hidden=True) == ["Nobody yet"]


def test_who_takes_part_is_counted_by_sector(world):
    board = world.ask(boards.on, world.alice, world.challenge_id, Query())
    assert [(part.sector.key, part.people) for part in board.participation] == [
        ("public", 5),
        ("business", 3),
    ]
