"""Sessions: ended by their provider, their cookies changed after a change of role, old cookies refused."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.lib import clock, secrets
from app.models import AuditEntry, BrowserSession, Event
from app.models.base import table
from app.services import sessions
from app.web import csrf

ISSUER = "https://one.example"
OTHER = "https://two.example"
SESSION = table(BrowserSession)


def opened(world, actor, issuer=ISSUER, subject="ana-1", sid="s-1"):
    return world.do(
        sessions.open_for, actor.person_id, provider="one", issuer=issuer, subject=subject, sid=sid
    )


def holds(world, secret):
    return world.ask(sessions.find, secret).actor.is_known


def rows(world, of):
    return world.ask(lambda c: c.execute(select(table(of)).order_by(table(of).c.id)).all())


def set_times(world, **values):
    world.do(lambda tx: tx.execute(update(SESSION).values(**values)))


def rotated(world, actor):
    """A session whose cookie has just been changed: the old secret, the new one, its id."""
    old = opened(world, actor)
    world.do(sessions.rotate_later, actor.person_id)
    session_id = world.ask(sessions.find, old).actor.session_id
    return old, world.do(sessions.rotate, session_id, old), session_id


# ended by the provider


@pytest.mark.parametrize(
    ("told", "ended"),
    [
        ({"sid": "s-1"}, [True, False, False, False]),
        ({"subject": "ana-1"}, [True, True, False, False]),
        ({"sid": "s-1", "subject": "ana-1"}, [True, False, False, False]),
        ({"sid": "s-1", "subject": "bob-2"}, [False, False, False, False]),
        ({}, [False, False, False, False]),
    ],
)
def test_a_provider_ends_the_sessions_that_it_means_and_no_other(world, told, ended):
    secrets_of = [
        opened(world, world.ana),
        opened(world, world.ana, sid="s-2"),
        opened(world, world.bob, subject="bob-2", sid="s-3"),
        opened(world, world.bob, issuer=OTHER),
    ]
    assert world.do(sessions.end_at_provider, ISSUER, **told) == sum(ended)
    assert [not holds(world, secret) for secret in secrets_of] == ended
    assert world.do(sessions.end_at_provider, ISSUER, **told) == 0


def test_a_session_ended_by_its_provider_leaves_an_event_and_no_id_token(world):
    world.do(
        sessions.open_for,
        world.ana.person_id,
        provider="one",
        issuer=ISSUER,
        subject="ana-1",
        sid="s-1",
        id_token="their name is in it",
    )
    world.do(sessions.end_at_provider, ISSUER, sid="s-1")
    event = rows(world, Event)[-1]
    assert (event.type, event.data, event.actor_id) == (
        "session.ended",
        {"reason": "ended_at_provider"},
        world.ana.person_id,
    )
    assert rows(world, BrowserSession)[-1].id_token is None


# another cookie


def test_a_change_of_role_makes_the_cookies_of_that_person_due_once(world):
    opened(world, world.ana)
    opened(world, world.ana, sid="s-2")
    opened(world, world.bob)
    world.do(sessions.rotate_later, world.ana.person_id)
    due = [(row.person_id, row.rotation_due_at) for row in rows(world, BrowserSession)]
    assert [instant is not None for _, instant in due] == [True, True, False]
    world.do(sessions.rotate_later, world.ana.person_id)
    assert [(row.person_id, row.rotation_due_at) for row in rows(world, BrowserSession)] == due


def test_a_cookie_is_changed_once_and_its_forms_stay_usable(world):
    old, new, session_id = rotated(world, world.ana)
    assert new not in (None, old)
    assert world.ask(sessions.find, new).actor.session_id == session_id
    assert not world.ask(sessions.find, new).is_rotation_due
    assert csrf.csrf_token(new) == csrf.csrf_token(old)
    assert world.do(sessions.rotate, session_id, old) is None
    world.do(sessions.rotate_later, world.ana.person_id)
    newest = world.do(sessions.rotate, session_id, new)
    assert csrf.csrf_token(newest) == csrf.csrf_token(old)
    assert len({old, new, newest}) == 3
    assert not holds(world, old)


def test_a_cookie_that_is_not_due_is_not_changed(world):
    secret = opened(world, world.ana)
    session_id = world.ask(sessions.find, secret).actor.session_id
    assert world.do(sessions.rotate, session_id, secret) is None
    assert holds(world, secret)


def test_what_was_on_its_way_with_the_old_cookie_arrives_and_later_it_is_refused(world):
    old, new, session_id = rotated(world, world.ana)
    found = world.ask(sessions.find, old)
    assert (found.actor.session_id, found.refused_id, found.is_rotation_due) == (session_id, None, False)
    set_times(world, rotated_at=clock.now() - sessions.GRACE - timedelta(seconds=1))
    found = world.ask(sessions.find, old)
    assert (found.actor.is_known, found.refused_id) == (False, session_id)
    assert holds(world, new)


def test_the_old_cookie_holds_no_longer_than_its_session(world):
    old, new, _ = rotated(world, world.ana)
    world.do(sessions.end, new)
    assert not holds(world, old)


def test_one_can_sign_out_with_a_cookie_that_has_just_been_changed(world):
    old, new, _ = rotated(world, world.ana)
    assert world.do(sessions.end, old) is not None
    assert not holds(world, new)


def test_an_old_cookie_is_noted_once_in_the_audit_log_and_ends_nothing(world):
    old, new, session_id = rotated(world, world.ana)
    set_times(world, rotated_at=clock.now() - sessions.GRACE - timedelta(seconds=1))
    for _ in range(2):
        world.do(sessions.note_refused, session_id)
    noted = [entry for entry in rows(world, AuditEntry) if entry.action == "session.refused"]
    assert [(one.outcome, one.data, one.subject_id, one.actor_id) for one in noted] == [
        ("refused", {"reason": "cookie_replaced"}, session_id, None)
    ]
    assert holds(world, new)
    assert world.ask(sessions.find, old).refused_id is None


def test_a_cookie_of_an_ended_session_is_noted_once_in_the_audit_log(world):
    secret = opened(world, world.ana)
    session_id = world.ask(sessions.find, secret).actor.session_id
    world.do(sessions.end, secret)
    assert world.ask(sessions.find, secret).refused_id == session_id
    for _ in range(2):
        world.do(sessions.note_refused, session_id)
    noted = [entry.data for entry in rows(world, AuditEntry) if entry.action == "session.refused"]
    assert noted == [{"reason": "session_ended"}]
    assert world.ask(sessions.find, secret).refused_id is None


def test_a_cookie_that_ran_out_by_itself_is_nothing_to_note(world):
    secret = opened(world, world.ana)
    set_times(world, seen_at=clock.now() - sessions.IDLE - timedelta(seconds=1))
    assert world.ask(sessions.find, secret) == sessions.NOBODY
    assert world.ask(sessions.find, secrets.new_secret()) == sessions.NOBODY


@pytest.mark.parametrize(
    ("values", "is_held"),
    [
        ({"seen_at": timedelta(minutes=2) - sessions.IDLE}, True),
        ({"seen_at": -timedelta(minutes=2) - sessions.IDLE}, False),
        ({"expires_at": timedelta(minutes=2)}, True),
        ({"expires_at": -timedelta(seconds=1)}, False),
    ],
    ids=["almost idle", "idle", "almost at its end", "at its end"],
)
def test_a_session_ends_when_idle_and_in_any_case(world, values, is_held):
    secret = opened(world, world.ana)
    set_times(world, **{name: clock.now() + since for name, since in values.items()})
    assert holds(world, secret) is is_held


def test_a_session_lasts_twelve_hours_however_much_it_is_used(world):
    secret = opened(world, world.ana)
    before = rows(world, BrowserSession)[-1]
    assert before.expires_at - before.created_at == timedelta(hours=12) == sessions.LONGEST
    set_times(world, seen_at=clock.now() - timedelta(hours=1))
    world.do(sessions.touch, world.ask(sessions.find, secret).actor.session_id)
    assert rows(world, BrowserSession)[-1].expires_at == before.expires_at
