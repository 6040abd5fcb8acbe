"""Personal access tokens: made, found, used, revoked, and never kept."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from app.errors import Invalid, NotAllowed, NotFound, NotSignedIn, TooMany
from app.lib import clock, secrets
from app.models import AccessToken, Event
from app.models.base import table
from app.policies.actor import ANONYMOUS
from app.services import tokens

TOKEN = table(AccessToken)


def rows(world, model):
    of = table(model)
    return world.ask(lambda connection: connection.execute(of.select().order_by(of.c.id)).all())


def make(world, actor=None, **values):
    return world.do(tokens.create, actor or world.alice, **{"name": "Report", "scopes": ["read"]} | values)


def test_a_token_stands_for_its_person_with_its_scopes_alone(world):
    made = make(world, scopes=["write", "read"])
    actor, is_stale = world.ask(tokens.find, made.token)
    assert actor == replace(world.alice, scopes=frozenset({"read", "write"}), token_id=made.id)
    assert is_stale


def test_only_its_hash_and_its_end_are_kept(world):
    made = make(world)
    kept = rows(world, AccessToken)[0]
    assert made.token not in str(kept)
    assert (kept.token_hash, kept.ending) == (secrets.digest(made.token), made.token[-4:])
    assert kept.scopes == "read"


def test_making_and_revoking_are_told_in_the_event_log(world):
    made = make(world)
    world.do(tokens.revoke, world.alice, made.id)
    world.do(tokens.revoke, world.alice, made.id)
    told = [(event.type, event.actor_id, event.subject_id) for event in rows(world, Event)[-2:]]
    assert told == [
        ("token.created", world.alice.person_id, made.id),
        ("token.revoked", world.alice.person_id, made.id),
    ]


def test_a_revoked_token_is_nobody(world):
    made = make(world)
    world.do(tokens.revoke, world.alice, made.id)
    assert world.ask(tokens.find, made.token) == (ANONYMOUS, False)
    assert world.ask(tokens.of_person, world.alice) == []


def test_an_expired_token_is_nobody(world):
    with time_machine.travel(clock.now(), tick=False) as traveller:
        made = make(world, days=1)
        traveller.shift(timedelta(hours=23, minutes=59))
        assert world.ask(tokens.find, made.token)[0].is_known
        traveller.shift(timedelta(minutes=1))
        assert world.ask(tokens.find, made.token)[0] is ANONYMOUS


def test_a_forged_token_is_nobody(world):
    make(world)
    for forged in ("", "x", secrets.new_token(), "pfc_pat_" + "0" * 38):
        assert world.ask(tokens.find, forged) == (ANONYMOUS, False)


def test_use_is_noted_once_a_minute(world):
    with time_machine.travel(clock.now(), tick=False) as traveller:
        made = make(world)
        world.do(tokens.touch, made.id)
        first = rows(world, AccessToken)[0].used_at
        traveller.shift(timedelta(seconds=59))
        world.do(tokens.touch, made.id)
        assert not world.ask(tokens.find, made.token)[1]
        assert rows(world, AccessToken)[0].used_at == first
        traveller.shift(timedelta(seconds=2))
        assert world.ask(tokens.find, made.token)[1]
        world.do(tokens.touch, made.id)
        assert rows(world, AccessToken)[0].used_at > first


def test_nobody_sees_or_revokes_the_token_of_another(world):
    made = make(world)
    for other in (world.ana, world.cora, world.charlie):
        assert world.ask(tokens.of_person, other) == []
        with pytest.raises(NotFound):
            world.do(tokens.revoke, other, made.id)
    assert world.ask(tokens.find, made.token)[0].is_known


def test_a_passer_by_has_no_tokens(world):
    with pytest.raises(NotSignedIn):
        make(world, ANONYMOUS)
    with pytest.raises(NotSignedIn):
        world.ask(tokens.of_person, ANONYMOUS)


def test_a_token_makes_and_revokes_no_tokens(world):
    made = make(world, scopes=["read", "write", "admin"])
    by_token = world.ask(tokens.find, made.token)[0]
    with pytest.raises(NotAllowed):
        make(world, by_token)
    with pytest.raises(NotAllowed):
        world.do(tokens.revoke, by_token, made.id)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "everything"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
        ({"days": -1}, "days"),
    ],
)
def test_what_cannot_be_taken_is_named(world, values, field):
    with pytest.raises(Invalid) as caught:
        make(world, **values)
    assert [error.field for error in caught.value.errors] == [field]
    assert rows(world, AccessToken) == []


def test_there_is_an_end_to_how_many_tokens_one_has(world, monkeypatch):
    monkeypatch.setattr(tokens, "MOST", 2)
    first = make(world)
    make(world)
    with pytest.raises(TooMany):
        make(world)
    world.do(tokens.revoke, world.alice, first.id)
    make(world)
    make(world, world.ana)
