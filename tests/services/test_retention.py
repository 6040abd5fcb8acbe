"""Retention: whoever has left or is never here is warned, then erased; what has ended is deleted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.errors import Conflict, Invalid, Moved, NotAllowed
from app.integrations import queue
from app.jobs import mail as letters
from app.jobs import retention as job
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import (
    AccessToken,
    BrowserSession,
    Erasure,
    Invitation,
    JoinRequest,
    Login,
    Membership,
    Notice,
    Person,
    SignIn,
    UsedLogoutToken,
)
from app.models.base import table
from app.services import retention
from app.settings import settings
from tests.factories import traces

PERSON = table(Person)
LOGIN = table(Login)
MEMBERSHIP = table(Membership)
YEAR = timedelta(days=366)
DAY = timedelta(days=1)


def change(world, model, condition, **values):
    world.do(lambda tx: tx.execute(update(table(model)).where(condition).values(**values)))


def last_here(world, actor, ago):
    """They were last here so long ago, and have been known for longer."""
    then = clock.now() - ago
    change(world, Login, LOGIN.c.person_id == actor.person_id, used_at=then)
    change(world, Person, PERSON.c.id == actor.person_id, created_at=then)


def left(world, actor, ago):
    change(world, Membership, MEMBERSHIP.c.person_id == actor.person_id, ended_at=clock.now() - ago)


def warned(world, actor, ago):
    change(world, Person, PERSON.c.id == actor.person_id, warned_at=clock.now() - ago)


def person(world, actor):
    query = select(PERSON).where(PERSON.c.id == actor.person_id)
    return world.ask(lambda connection: connection.execute(query).one())


def settle(world, actor):
    return world.do(retention.settle, actor.person_id)


def count(world, model):
    return len(world.ask(lambda connection: connection.execute(select(table(model))).all()))


def place(world):
    return Workplace(world.database, "http://here.example", "no-reply@here.example", None)


def test_who_is_here_is_not_looked_at(world):
    assert world.ask(retention.due) == []
    for actor in (world.alice, world.cora):
        assert settle(world, actor) == "nothing"


def test_who_has_not_been_here_for_three_years_is_warned_and_erased_a_month_later(world):
    last_here(world, world.alice, 3 * YEAR + DAY)
    assert world.ask(retention.due) == [world.alice.person_id]
    assert settle(world, world.alice) == "warned"
    assert settle(world, world.alice) == "nothing"
    warned(world, world.alice, timedelta(days=29))
    assert settle(world, world.alice) == "nothing"
    warned(world, world.alice, timedelta(days=31))
    assert settle(world, world.alice) == "erased"
    assert person(world, world.alice).name == "—"
    assert settle(world, world.alice) == "nothing"
    assert world.ask(retention.due) == []


def test_the_warning_comes_a_month_before(world):
    last_here(world, world.alice, timedelta(days=3 * 365 - 40))
    assert settle(world, world.alice) == "nothing"
    last_here(world, world.alice, timedelta(days=3 * 365 - 20))
    assert settle(world, world.alice) == "warned"
    warned(world, world.alice, timedelta(days=31))
    assert settle(world, world.alice) == "nothing", "the day itself has not come"


def test_who_comes_back_stays(world):
    last_here(world, world.alice, 4 * YEAR)
    assert settle(world, world.alice) == "warned"
    last_here(world, world.alice, DAY)
    assert settle(world, world.alice) == "kept"
    assert person(world, world.alice).warned_at is None


@pytest.mark.parametrize("used", [BrowserSession, AccessToken])
def test_a_session_and_a_token_are_being_here_as_well(world, used):
    last_here(world, world.alice, 4 * YEAR)
    if used is BrowserSession:
        world.cookie(world.alice)
    else:
        world.token(world.alice)
        change(
            world, AccessToken, table(AccessToken).c.person_id == world.alice.person_id, used_at=clock.now()
        )
    assert settle(world, world.alice) == "nothing"


def test_who_has_left_goes_two_years_later_whatever_they_did_before(world):
    left(world, world.alice, 2 * YEAR - timedelta(days=60))
    assert world.ask(retention.due) == [world.alice.person_id]
    assert settle(world, world.alice) == "nothing"
    left(world, world.alice, 2 * YEAR + DAY)
    assert settle(world, world.alice) == "warned"


def test_of_several_programmes_the_longest_counts(world):
    left(world, world.alice, 2 * YEAR + DAY)
    belongs = {"organisation_id": world.organisations["public"], "sector_id": world.sectors["public"]}
    traces.insert(
        world, Membership, programme_id=world.other_programme_id, person_id=world.alice.person_id, **belongs
    )
    assert settle(world, world.alice) == "nothing"


def test_a_programme_decides_for_its_own(world):
    rules = world.do(retention.set_rules, world.cora, world.programme, months_after_leaving=1)
    assert (rules.months_after_leaving, rules.months_unused, rules.version) == (1, 36, 1)
    left(world, world.alice, timedelta(days=40))
    assert settle(world, world.alice) == "warned"


def test_rules_have_bounds_a_version_and_an_owner(world):
    with pytest.raises(Invalid):
        world.do(retention.set_rules, world.cora, world.programme, months_unused=5)
    world.do(retention.set_rules, world.cora, world.programme, version=0, days_of_requests=30)
    with pytest.raises(Moved):
        world.do(retention.set_rules, world.cora, world.programme, version=0, days_of_requests=40)
    for actor in (world.alice, world.fay, world.charlie):
        with pytest.raises(NotAllowed):
            world.do(retention.set_rules, actor, world.programme, months_unused=12)
        with pytest.raises(NotAllowed):
            world.ask(retention.of_programme, actor, world.programme)


def test_administrators_machines_and_the_last_coordinator_stay(world):
    for actor in (world.alice, world.bob, world.cora):
        last_here(world, actor, 5 * YEAR)
        warned(world, actor, timedelta(days=40))
    change(world, Person, PERSON.c.id == world.alice.person_id, administrator_since=clock.now())
    change(world, Person, PERSON.c.id == world.bob.person_id, is_machine=True)
    assert settle(world, world.alice) == settle(world, world.bob) == "nothing"
    with pytest.raises(Conflict):
        settle(world, world.cora)
    job.keep(place(world))
    assert person(world, world.cora).erased_at is None


def test_the_clock_warns_and_erases_all_and_again_changes_nothing(world):
    for actor in (world.alice, world.bob):
        last_here(world, actor, 5 * YEAR)
    warned(world, world.bob, timedelta(days=40))
    job.keep(place(world))
    assert person(world, world.alice).warned_at is not None
    assert person(world, world.bob).erased_at is not None
    job.keep(place(world))
    assert person(world, world.alice).erased_at is None
    assert world.ask(retention.warned_in, world.cora, world.programme) == 1


def test_two_workers_at_once_do_nothing_twice(world, database_url):
    people = world.people(6, "business")
    for actor in people:
        last_here(world, actor, 5 * YEAR)
        warned(world, actor, timedelta(days=40))
    second = Database(database_url)
    workers = (place(world), replace(place(world), database=second))
    with ThreadPoolExecutor(2) as both:
        assert list(both.map(job.keep, workers)) == [None, None]
    second.close()
    assert all(person(world, actor).erased_at for actor in people)
    assert count(world, Erasure) == 6


def test_requests_and_invitations_go_when_their_time_is_over(world):
    here = {"programme_id": world.programme_id, "organisation_id": world.organisations["public"]}
    now = clock.now()
    for number, days in enumerate((10, 100)):
        then = now - timedelta(days=days)
        token = {"nonce": bytes([number]) * 16, "created_at": then, "expires_at": then}
        traces.insert(world, Invitation, **here, **token, name="A")
        asked = {"provider": "p", "issuer": "i", "subject": str(days), "name": "A", "created_at": then}
        traces.insert(world, JoinRequest, **here, **asked)
    assert world.do(retention.forget_requests) == 2
    assert world.do(retention.forget_requests) == 0
    assert (count(world, Invitation), count(world, JoinRequest)) == (1, 1)


def test_an_invitation_with_which_someone_is_on_their_way_waits(world):
    here = {"programme_id": world.programme_id, "organisation_id": world.organisations["public"]}
    then = clock.now() - timedelta(days=100)
    invitation = traces.insert(world, Invitation, **here, nonce=b"i" * 16, created_at=then, expires_at=then)
    way = {"state_hash": b"s" * 32, "browser_hash": b"b" * 32, "provider": "p", "nonce": "n", "next": "/"}
    soon = clock.now() + timedelta(minutes=5)
    traces.insert(world, SignIn, **way, code_verifier="v", invitation_id=invitation, expires_at=soon)
    assert world.do(retention.forget_requests) == 0


def test_what_has_long_ended_goes_and_what_holds_stays(world):
    world.cookie(world.alice)
    world.token(world.alice)
    now = clock.now()
    own = {"person_id": world.alice.person_id}
    session = {"provider": "p", "issuer": "i", "subject": "s", "token_hash": b"o" * 32}
    traces.insert(world, BrowserSession, **own, **session, expires_at=now - timedelta(days=31))
    token = {"name": "old", "token_hash": b"t" * 32, "ending": "abcd", "scopes": "read"}
    traces.insert(world, AccessToken, **own, **token, expires_at=now - timedelta(days=91))
    for days in (10, 370):
        told = {
            "programme_id": world.programme_id,
            "kind": "data_ready",
            "created_at": now - timedelta(days=days),
        }
        traces.insert(world, Notice, **own, **told)
    traces.insert(world, UsedLogoutToken, jti_hash=b"j" * 32, expires_at=now - DAY)
    assert world.do(retention.forget_ended) == 4
    assert world.do(retention.forget_ended) == 0
    assert (count(world, BrowserSession), count(world, AccessToken), count(world, Notice)) == (1, 1, 1)


@pytest.fixture
def mail_on(monkeypatch):
    """Mail is set up for this process, so that mails are put in line."""
    monkeypatch.setenv("PARTNERSHIP_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("mail_on")
def test_the_warning_goes_out_by_mail_in_the_persons_language(world, database_url):
    queue.migrate(database_url)
    last_here(world, world.alice, 5 * YEAR)
    change(world, Person, PERSON.c.id == world.alice.person_id, language="sl")
    assert settle(world, world.alice) == "warned"
    letter = letters.compose_warning(place(world), world.alice.person_id)
    assert letter.to == "alice@example.org"
    assert "http://here.example/me/data" in letter.body
    assert letter.subject.startswith("Vaši podatki bodo tu izbrisani")
    change(world, Person, PERSON.c.id == world.alice.person_id, warned_at=None)
    assert letters.compose_warning(place(world), world.alice.person_id) is None


def test_what_keeps_a_login_out_whose_persons_place_ended_goes_with_the_person(world):
    then = clock.now() - timedelta(days=400)
    traces.insert(
        world,
        JoinRequest,
        programme_id=world.programme_id,
        provider="p",
        issuer="i",
        subject="s",
        name="A",
        state="declined",
        person_id=world.bob.person_id,
        created_at=then,
        decided_at=then,
    )
    assert world.do(retention.forget_requests) == 0
    assert count(world, JoinRequest) == 1
