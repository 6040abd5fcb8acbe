"""Logins: further ones linked while freshly signed in, unlinked all but the last, and never somebody else's."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.database import Database
from app.errors import Conflict, NotAllowed, NotFound, NotFresh
from app.lib import clock
from app.models import AuditEntry, Login
from app.models.base import table
from app.services import logins, memberships, notices, people, sessions, sign_in, tokens
from app.services.sign_in import LINK, MERGE, Ticket
from tests.factories.world import ISSUER
from tests.services.test_people import arrival
from tests.services.test_person_merging import by, fresh

LOGIN = table(Login)


def own(world, actor):
    is_theirs = LOGIN.c.person_id == actor.person_id
    return world.ask(lambda c: c.execute(select(LOGIN).where(is_theirs).order_by(LOGIN.c.id)).all())


def elsewhere(**changes):
    """A login at a provider that belongs to the programme of everybody."""
    return arrival("second", organisation="Public administration House of Here", **changes)


def linked(world, actor):
    """The actor, freshly signed in by their first login, with a second one."""
    found = fresh(world, actor)
    world.do(logins.link, found, elsewhere())
    return found


def test_both_logins_lead_to_the_same_person(world):
    linked(world, world.alice)
    assert world.do(people.enter, elsewhere()) == world.alice.person_id
    assert world.do(people.enter, by(world, world.alice)) == world.alice.person_id
    actions = world.ask(lambda c: c.execute(select(table(AuditEntry).c.action)).scalars().all())
    assert "login.linked" in actions
    assert [notice.kind for notice in world.ask(notices.waiting, world.alice)] == ["login_linked"]


def test_linking_again_changes_nothing(world):
    actor = linked(world, world.alice)
    world.do(logins.link, actor, elsewhere())
    assert len(own(world, world.alice)) == 2


def test_a_login_of_someone_else_is_refused_and_says_how_to_go_on(world):
    with pytest.raises(Conflict, match="put them together"):
        world.do(logins.link, fresh(world, world.alice), by(world, world.bob))
    assert len(own(world, world.bob)) == 1


def test_it_takes_a_fresh_sign_in_and_no_token(world):
    stale = fresh(world, world.alice, ago=timedelta(minutes=16))
    with pytest.raises(NotFresh):
        world.do(logins.link, stale, elsewhere())
    token = replace(fresh(world, world.alice), scopes=frozenset({"admin"}))
    with pytest.raises(NotAllowed):
        world.do(logins.link, token, elsewhere())


@pytest.mark.parametrize("purpose", [LINK, MERGE])
@pytest.mark.parametrize("whose", ["another's", "nobody's", "an ended one"])
def test_only_the_session_that_left_may_come_back(world, whose, purpose):
    """Else a stranger's browser, sent back with our answer, would link its login to us, or ours to it."""
    left = fresh(world, world.alice)
    secret = {"another's": world.cookie(world.bob), "nobody's": "", "an ended one": world.cookie(world.alice)}
    if whose == "an ended one":
        world.do(sessions.end, secret[whose])
    ticket = Ticket("", "", "/me", clock.now(), purpose=purpose, session_id=left.session_id)
    arrives = elsewhere() if purpose == LINK else by(world, world.bob)
    with pytest.raises(NotAllowed, match="no longer signed in"):
        world.do(sign_in.complete, ticket, arrives, secret=secret[whose])
    assert len(own(world, world.alice)) == len(own(world, world.bob)) == 1


def test_two_people_who_link_one_login_at_once_do_not_share_it(world):
    other = Database(world.database.url.render_as_string(hide_password=False))
    both = threading.Barrier(2)
    people_ = [fresh(world, world.alice), fresh(world, world.ana)]

    def link(pair):
        database, actor = pair

        def work(tx):
            with suppress(threading.BrokenBarrierError):
                both.wait(0.5)
            logins.link(tx, actor, elsewhere())

        try:
            database.write_now(work)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(link, zip((world.database, other), people_, strict=True)))
    other.close()
    assert sorted(done) == [False, True]


def test_my_logins_say_which_opened_this_session(world):
    actor = linked(world, world.alice)
    found = world.ask(logins.of_person, actor)
    assert [(each.issuer, each.is_current) for each in found] == [
        (ISSUER, True),
        ("https://login.company.example", False),
    ]


def test_unlinking_ends_the_sessions_of_that_login_and_leaves_tokens(world):
    actor = linked(world, world.alice)
    cookie = world.do(
        sessions.open_for,
        world.alice.person_id,
        provider="company",
        issuer="https://login.company.example",
        subject="second",
    )
    token = world.token(world.alice)
    world.do(logins.unlink, actor, own(world, world.alice)[1].id)
    assert not world.ask(sessions.find, cookie)[0].is_known
    assert world.ask(tokens.find, token)[0].is_known
    assert len(own(world, world.alice)) == 1
    assert world.do(people.enter, elsewhere()) != world.alice.person_id


def test_the_last_login_stays_even_if_both_go_at_once(world):
    actor = linked(world, world.alice)
    ids = [row.id for row in own(world, world.alice)]
    other = Database(world.database.url.render_as_string(hide_password=False))
    both = threading.Barrier(2)

    def unlink(pair):
        database, id = pair

        def work(tx):
            with suppress(threading.BrokenBarrierError):
                both.wait(0.5)
            logins.unlink(tx, actor, id)

        try:
            database.write_now(work)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(unlink, zip((world.database, other), ids, strict=True)))
    other.close()
    assert sorted(done) == [False, True]
    assert len(own(world, world.alice)) == 1


def test_nobody_unlinks_what_is_not_theirs_nor_without_a_fresh_sign_in(world):
    actor = linked(world, world.alice)
    with pytest.raises(NotFound):
        world.do(logins.unlink, actor, own(world, world.bob)[0].id)
    with pytest.raises(NotFresh):
        world.do(
            logins.unlink,
            fresh(world, world.alice, ago=timedelta(minutes=16)),
            own(world, world.alice)[1].id,
        )


def test_whoever_was_let_go_does_not_come_back_as_someone_new_by_unlinking(world):
    """The login by which they took part is unlinked at a place that they still have; then it is nobody's."""
    actor = linked(world, world.bob)
    world.do(join_elsewhere, world, actor)
    world.do(memberships.end, world.cora, world.bob.memberships[world.programme_id].id)
    actor = fresh(world, world.bob)
    second = next(each for each in own(world, actor) if each.issuer != ISSUER)
    world.do(logins.unlink, actor, second.id)
    before = len(own(world, world.bob))
    with pytest.raises(NotAllowed):
        world.do(people.enter, elsewhere())
    assert len(own(world, world.bob)) == before == 1


def join_elsewhere(tx, world, actor):
    there = memberships.organisation(
        tx.connection,
        world.other_programme_id,
        world.charlie.memberships[world.other_programme_id].organisation_id,
    )
    return memberships.admit(tx, None, actor.person_id, there)
