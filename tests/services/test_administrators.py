"""Instance administrators: named by one another after a fresh sign-in, and never the last one gone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.errors import Conflict, Moved, NotAllowed, NotFound, NotFresh
from app.lib import clock
from app.models import AuditEntry, Person
from app.models.base import table
from app.services import actors, administrators


@pytest.fixture
def olga(world):
    """Olga runs the installation, and has just signed in."""
    world.do(administrators.name, None, world.olga.person_id)
    return fresh(world, world.olga)


def fresh(world, person):
    return replace(world.ask(actors.find, person.person_id), authenticated_at=clock.now())


def is_one(world, person):
    return world.ask(actors.find, person.person_id).is_administrator


def test_the_first_is_named_at_the_command_line_and_names_others(world, olga):
    world.do(administrators.name, olga, world.alice.person_id)
    assert is_one(world, world.alice)
    world.do(administrators.withdraw, olga, world.alice.person_id)
    world.do(administrators.withdraw, olga, world.alice.person_id)
    assert not is_one(world, world.alice)
    entry = table(AuditEntry)
    query = (
        select(entry.c.action, entry.c.actor_id)
        .where(entry.c.subject == "administrator")
        .order_by(entry.c.id)
    )
    assert world.ask(lambda c: c.execute(query).all()) == [
        ("administrator.named", None),
        ("administrator.named", world.olga.person_id),
        ("administrator.withdrawn", world.olga.person_id),
    ]


@pytest.mark.parametrize("name", ["alice", "cora", "charlie"])
def test_nobody_else_names_one(world, name):
    with pytest.raises(NotAllowed):
        world.do(administrators.name, fresh(world, getattr(world, name)), world.bob.person_id)
    with pytest.raises(NotAllowed):
        world.ask(administrators.everyone, getattr(world, name))


def test_an_old_sign_in_is_not_enough(world, olga):
    old = replace(olga, authenticated_at=clock.now() - timedelta(hours=1))
    with pytest.raises(NotFresh):
        world.do(administrators.name, old, world.bob.person_id)
    with pytest.raises(NotFresh):
        world.do(administrators.withdraw, old, world.olga.person_id)
    assert not is_one(world, world.bob)


def test_the_last_one_goes_only_by_the_command_line(world, olga):
    with pytest.raises(Conflict):
        world.do(administrators.withdraw, olga, world.olga.person_id)
    world.do(administrators.withdraw, None, world.olga.person_id)
    assert not is_one(world, world.olga)


def test_two_who_withdraw_each_other_at_once_leave_one(world, olga):
    world.do(administrators.name, olga, world.alice.person_id)
    alice = fresh(world, world.alice)

    def withdraw(pair):
        try:
            world.do(administrators.withdraw, pair[0], pair[1].person_id)
        except Conflict:
            return "kept"
        return "gone"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(withdraw, ((olga, alice), (alice, olga)))) == ["gone", "kept"]


def test_a_page_that_is_old_changes_nothing(world, olga):
    query = select(table(Person).c.version).where(table(Person).c.id == world.bob.person_id)
    version = world.ask(lambda c: c.execute(query).scalar_one())
    world.do(administrators.name, olga, world.bob.person_id, version=version)
    with pytest.raises(Moved):
        world.do(administrators.withdraw, olga, world.bob.person_id, version=version)


def test_nobody_who_is_not_there_is_named(world, olga):
    with pytest.raises(NotFound):
        world.do(administrators.name, olga, 99999)


def test_all_are_listed_for_one_another(world, olga):
    assert [row.name for row in world.ask(administrators.everyone, olga)] == ["Olga Kralj"]
