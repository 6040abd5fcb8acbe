"""Personal access tokens: made, found, used, revoked, and never kept."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from app.errors import Conflict, Invalid, NotAllowed, NotFound, NotFresh, NotSignedIn
from app.lib import clock, secrets
from app.models import AccessToken, AuditEntry, Event, Membership, Organisation
from app.models.base import table
from app.policies import reach
from app.policies.actor import ANONYMOUS
from app.services import consents, delegations, members, memberships, own_sessions, people, roles, tokens
from app.services.delegations import Absence
from tests.factories.world import fresh
from tests.services.test_memberships import again, assign

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


def test_one_for_administration_takes_a_fresh_sign_in(world):
    long_ago = replace(world.alice, authenticated_at=clock.now() - timedelta(hours=1))
    for actor in (world.alice, long_ago):
        with pytest.raises(NotFresh):
            make(world, actor, scopes=["read", "admin"])
    assert make(world, fresh(world.alice), scopes=["admin"]).token


def test_at_a_page_any_takes_a_fresh_sign_in(world):
    at_a_page = replace(world.alice, session_id=1, authenticated_at=clock.now() - timedelta(hours=1))
    with pytest.raises(NotFresh):
        make(world, at_a_page)
    assert make(world, replace(at_a_page, authenticated_at=clock.now())).token


def test_a_token_can_be_bound_to_where_its_person_takes_part_and_nowhere_else(world):
    here, house = world.programme_id, world.organisations["public"]
    bound = make(world, programme_id=here)
    own = make(world, organisation_id=house)
    rows_ = world.ask(tokens.of_person, world.alice)
    assert [(row.programme, row.organisation) for row in rows_] == [
        ("Here", "Public administration House of Here"),
        ("Here", None),
    ]
    for made in (bound, own):
        assert set(world.ask(tokens.find, made.token)[0].memberships) == {here}
    for place in (
        {"programme_id": world.other_programme_id},
        {"organisation_id": world.organisations["business"]},
        {"programme_id": world.other_programme_id, "organisation_id": house},
        {"programme_id": 0},
    ):
        with pytest.raises(Invalid) as refused:
            make(world, **place)
        assert refused.value.errors[0].field == "place"
    assert [room.programme_id for room in world.ask(tokens.rooms, world.alice)] == [here]


def test_a_token_that_is_bound_is_good_for_nothing_once_its_person_has_gone_elsewhere(world):
    own = make(world, organisation_id=world.organisations["public"])
    place = table(Membership)
    moved = {"organisation_id": world.organisations["business"], "sector_id": world.sectors["business"]}
    world.do(
        lambda tx: tx.execute(
            place.update().where(place.c.person_id == world.alice.person_id).values(**moved)
        )
    )
    assert world.ask(tokens.find, own.token)[0].memberships == {}


@pytest.mark.parametrize(
    ("sent", "reason"), [("nonsense", "malformed"), ("", "malformed"), (None, "unknown"), ("own", "revoked")]
)
def test_what_was_refused_is_written_down_with_its_reason_and_never_itself(world, sent, reason):
    made = make(world)
    world.do(tokens.revoke, world.alice, made.id)
    token = {"own": made.token, None: secrets.new_token()}.get(sent, sent)
    world.do(tokens.refuse, token)
    entry = rows(world, AuditEntry)[-1]
    assert (entry.action, entry.outcome, entry.data) == ("token.refused", "refused", {"reason": reason})
    assert entry.subject_id == (made.id if sent == "own" else None)


def test_an_expired_one_is_told_apart(world):
    made = make(world, days=1)
    with time_machine.travel(clock.now() + timedelta(days=2)):
        world.do(tokens.refuse, made.token)
    assert rows(world, AuditEntry)[-1].data == {"reason": "expired"}


def test_a_token_makes_smaller_ones_that_end_with_it(world):
    room = {"programme_id": world.programme_id}
    made = make(world, fresh(world.alice), scopes=["read", "write", "admin"], days=3, **room)
    by_token = world.ask(tokens.find, made.token)[0]
    child = make(world, by_token, scopes=["read"], days=90)
    parent_row, row = rows(world, AccessToken)[-2:]
    assert (row.made_with, row.expires_at, row.programme_id) == (
        made.id,
        parent_row.expires_at,
        world.programme_id,
    )
    with pytest.raises(NotFresh):
        make(world, by_token, scopes=["read", "admin"])
    with pytest.raises(Invalid):
        make(world, by_token, scopes=["read", "vote"])
    world.do(tokens.revoke, world.alice, made.id)
    assert world.ask(tokens.find, child.token)[0] is ANONYMOUS
    with pytest.raises(NotAllowed):
        make(world, by_token, scopes=["read"])
    assert [event.subject_id for event in rows(world, Event)[-2:]] == [made.id, child.id]


def test_a_machine_makes_no_tokens(world):
    with pytest.raises(NotAllowed):
        make(world, replace(world.alice, is_machine=True, scopes=frozenset({"admin"})))


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
    with pytest.raises(Conflict):
        make(world)
    world.do(tokens.revoke, world.alice, first.id)
    make(world)
    make(world, world.ana)


def test_one_for_an_organisation_alone_reaches_no_other_that_its_person_looks_after(world):
    house, other = world.organisations["public"], world.organisations["business"]
    for id in (house, other):
        assign(world, world.alice, "organisation_administrator", organisation_id=id)
    made = make(world, again(world, world.alice), organisation_id=house)
    bound, _ = world.ask(tokens.find, made.token)
    assert reach.administered(again(world, world.alice), world.programme_id) == {house, other}
    assert reach.administered(bound, world.programme_id) == {house}


def test_one_that_is_bound_reaches_nothing_of_its_person_elsewhere(world):
    there = world.other_programme_id
    house = next(row for row in rows(world, Organisation) if row.programme_id == there)
    world.do(memberships.admit, None, world.alice.person_id, house, role="facilitator")
    assign(world, world.alice, "sponsor", programme_id=there)
    absence = Absence(None, clock.now().date() + timedelta(days=9))
    alice = again(world, world.alice)
    lent = world.do(delegations.lend, alice, there, world.charlie.person_id, absence)
    elsewhere = make(world, alice)
    world.cookie(alice)
    held = [row.id for row in world.ask(members.assigned_to, alice)]
    made = make(world, fresh(alice), scopes=["read", "write", "admin"], programme_id=world.programme_id)
    bound = world.ask(tokens.find, made.token)[0]
    assert len(held) == len(world.ask(delegations.of_person, alice)) == 1
    assert world.ask(members.assigned_to, bound) == []
    assert world.ask(delegations.of_person, bound) == []
    assert {each.programme_id for each in world.ask(consents.of_person, bound)} == {world.programme_id}
    assert [row.id for row in world.ask(tokens.of_person, bound)] == [made.id]
    for query, id in ((members.assignment, held[0]), (delegations.find, lent), (tokens.own, elsewhere.id)):
        assert world.ask(query, alice, id).id == id
        with pytest.raises(NotFound):
            world.ask(query, bound, id)
    for verb, id in ((roles.take, held[0]), (delegations.end, lent), (tokens.revoke, elsewhere.id)):
        with pytest.raises(NotFound):
            world.do(verb, bound, id)
    for verb, named in ((own_sessions.end_others, {}), (people.correct, {"name": "A", "email": ""})):
        with pytest.raises(NotAllowed):
            world.do(verb, bound, **named)
    world.do(tokens.revoke, bound, make(world, bound).id)
    world.do(tokens.revoke, bound, made.id)
    assert len(world.ask(own_sessions.of_person, alice)) == 1
    assert world.ask(tokens.find, elsewhere.token)[0].is_known
