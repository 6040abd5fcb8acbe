"""Consents: off until given, per programme and purpose, in the words of one version; told to others as numbers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.errors import Moved, NotAllowed, NotFound, NotSignedIn
from app.models import Consent, Event
from app.models.base import table
from app.policies.actor import ANONYMOUS
from app.services import consents, events

CONSENT = table(Consent)


def given(world, actor):
    return {asked.purpose for asked in world.ask(consents.of_person, actor) if asked.given_at}


def rows(world):
    return world.ask(lambda connection: connection.execute(select(CONSENT).order_by(CONSENT.c.id)).all())


def test_nothing_is_agreed_to_until_it_is(world):
    assert given(world, world.alice) == set()
    assert {asked.purpose for asked in world.ask(consents.of_person, world.alice)} == set(consents.PURPOSES)


def test_it_is_given_and_taken_back_and_each_is_noted(world):
    world.do(consents.give, world.alice, world.programme_id, "research")
    world.do(consents.give, world.alice, world.programme_id, "research")
    assert given(world, world.alice) == {"research"}
    assert given(world, world.ana) == set()
    world.do(consents.withdraw, world.alice, world.programme_id, "research")
    world.do(consents.withdraw, world.alice, world.programme_id, "research")
    assert given(world, world.alice) == set()
    (row,) = rows(world)
    assert (row.version, row.withdrawn_at is None) == (1, False)
    world.do(consents.give, world.alice, world.programme_id, "research")
    assert len(rows(world)) == 2


def test_other_words_are_agreed_to_anew(world, monkeypatch):
    world.do(consents.give, world.alice, world.programme_id, "research")
    newer = replace(consents.PURPOSES["research"], version=2)
    monkeypatch.setattr(consents, "PURPOSES", {**consents.PURPOSES, "research": newer})
    assert given(world, world.alice) == set()
    with pytest.raises(Moved):
        world.do(consents.give, world.alice, world.programme_id, "research", version=1)
    world.do(consents.give, world.alice, world.programme_id, "research", version=2)
    assert given(world, world.alice) == {"research"}
    assert [row.withdrawn_at is None for row in rows(world)] == [False, True]


def test_coordinators_see_numbers_alone(world):
    for actor in (world.alice, world.bob):
        world.do(consents.give, actor, world.programme_id, "later_contact")
    numbers = dict(world.ask(consents.numbers, world.cora, world.programme))
    assert numbers == {"Hearing of later programmes": 2, "Research": 0}
    for actor in (world.alice, world.charlie):
        with pytest.raises(NotAllowed):
            world.ask(consents.numbers, actor, world.programme)


def test_no_feed_tells_who_agreed(world):
    world.do(consents.give, world.alice, world.programme_id, "research")
    for actor in (world.bob, world.cora):
        found = world.ask(events.in_programme, actor, world.programme)
        assert not [row for row in found.rows if row.type.startswith("consent")]
    recorded = select(Event.type, Event.programme_id).where(Event.type == "consent.given")
    assert world.ask(lambda connection: connection.execute(recorded).all()) == [("consent.given", None)]


def test_strangers_and_tokens_agree_to_nothing(world):
    with pytest.raises(NotSignedIn):
        world.do(consents.give, ANONYMOUS, world.programme_id, "research")
    with pytest.raises(NotFound):
        world.do(consents.give, world.charlie, world.programme_id, "research")
    with pytest.raises(NotFound):
        world.do(consents.give, world.alice, world.programme_id, "nothing-like-it")
    token = replace(world.alice, scopes=frozenset({"write"}))
    with pytest.raises(NotAllowed):
        world.do(consents.give, token, world.programme_id, "research")


def test_twice_at_the_same_moment_is_once(world):
    with ThreadPoolExecutor(8) as several:
        each = [
            several.submit(world.do, consents.give, world.alice, world.programme_id, "research")
            for _ in range(8)
        ]
    assert [one.exception() for one in each] == [None] * 8
    assert len(rows(world)) == 1
