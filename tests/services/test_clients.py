"""Clients of the API: who may make them, with which role, what they count for, and how they end."""

import json
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import select, update

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound, NotFresh
from app.models import AccessToken, AuditEntry, Client, Event, Membership, Notice, Person
from app.models.base import table
from app.policies.actor import Assignment
from app.services import (
    actors,
    ballots,
    calendar_feeds,
    clients,
    exchange_people,
    ideas,
    memberships,
    notices,
    operator,
    placements,
    programmes,
    roles,
    tokens,
)
from app.services.clients import Draft
from tests.factories.world import fresh
from tests.services.test_memberships import make_coordinator


def rows(world, model, *conditions):
    of = table(model)
    return world.ask(lambda connection: connection.execute(select(of).where(*conditions)).all())


def make(world, actor=None, sector=None, programme_id=None, **draft):
    organisation_id = world.organisations[sector] if sector else None
    usual = {"name": "Robot", "role": "observer", "scopes": ("read",)}
    return world.do(
        clients.create,
        actor or fresh(world.cora),
        programme_id or world.programme_id,
        organisation_id,
        Draft(**usual | draft),
    )


def administering(world, actor, sector="business"):
    """The same person as an administrator of their organisation."""
    role = Assignment(1, world.programme_id, "organisation_administrator", world.organisations[sector])
    return fresh(replace(actor, assignments=(role,)))


def test_a_client_acts_as_a_machine_with_one_place(world):
    made = make(world, role="facilitator", scopes=("read", "write"))
    client = world.ask(clients.find, world.cora, made.id)
    machine = world.ask(actors.find, client.person_id)
    assert machine.is_machine
    assert {id: place.role for id, place in machine.memberships.items()} == {
        world.programme_id: "facilitator"
    }
    assert (client.role, client.scopes, client.secret_ending) == (
        "facilitator",
        "read write",
        made.secret[-4:],
    )


def test_only_those_who_answer_for_a_place_make_clients_there(world):
    for actor in (world.alice, world.fay, world.sam, world.olga, world.charlie):
        with pytest.raises(NotFound):
            make(world, fresh(actor))
    with pytest.raises(NotFound):
        make(world, programme_id=world.other_programme_id)
    by_token = replace(fresh(world.cora), scopes=frozenset({"admin"}))
    with pytest.raises(NotFresh):
        make(world, by_token, scopes=("read", "admin"))
    with pytest.raises(NotFound):
        make(world, replace(by_token, is_machine=True))
    assert rows(world, Client) == []
    made = make(world, by_token, scopes=("read",))
    assert world.ask(clients.everywhere, world.cora, after=made.id - 1)[0].id == made.id
    with pytest.raises(NotAllowed):
        world.ask(clients.everywhere, world.alice)
    with pytest.raises(Moved):
        world.do(clients.revoke, by_token, made.id, version=9)


def test_an_administrator_of_an_organisation_makes_small_ones_for_it_alone(world):
    admin = administering(world, world.bob)
    made = make(world, admin, "business", role="participant", scopes=("read", "scim"))
    assert [room.organisation_id for room in world.ask(clients.rooms, admin)] == [
        world.organisations["business"]
    ]
    for role in ("coordinator", "facilitator", "sponsor", "host"):
        with pytest.raises(Invalid):
            make(world, admin, "business", role=role)
    for sector in (None, "public"):
        with pytest.raises(NotFound):
            make(world, admin, sector)
    whole = make(world)
    assert [row.id for row in world.ask(clients.in_programme, admin, world.programme_id)] == [made.id]
    for verb in (clients.change_secret, clients.revoke):
        with pytest.raises(NotFound):
            world.do(verb, admin, whole.id)


def test_a_number_of_a_client_is_no_number_of_an_organisation(world):
    """Whoever administers organisation 1 does not thereby answer for client 1."""
    made = make(world)
    for sector in ("public", "business"):
        admin = administering(world, world.bob, sector)
        with pytest.raises(NotFound):
            world.ask(clients.find, admin, made.id)


def test_what_is_dangerous_takes_a_fresh_sign_in(world):
    for scopes, sector in ((("read", "admin"), None), (("scim",), "business")):
        with pytest.raises(NotFresh):
            make(world, world.cora, sector, scopes=scopes)
        made = make(world, fresh(world.cora), sector, scopes=scopes)
        with pytest.raises(NotFresh):
            world.do(clients.change_secret, world.cora, made.id)
        world.do(clients.revoke, world.cora, made.id)
    assert make(world, world.cora).secret


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"role": "administrator"}, "role"),
        ({"scopes": ()}, "scopes"),
        ({"scopes": ("vote",)}, "scopes"),
        ({"scopes": ("book",)}, "scopes"),
        ({"scopes": ("scim",)}, "scopes"),
        ({"method": "none"}, "method"),
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
        ({"method": clients.KEYS, "keys": ""}, "keys"),
        ({"keys": '{"keys": []}'}, "keys"),
    ],
)
def test_what_cannot_be_taken_is_named(world, draft, field):
    with pytest.raises(Invalid) as refused:
        make(world, **draft)
    assert refused.value.errors[0].field == field
    assert rows(world, Person, table(Person).c.is_machine) == []


def test_only_public_keys_that_are_strong_enough_are_taken(world):
    good = ECKey.generate_key("P-256")
    for keys in (
        [good.as_dict(private=True)],
        [OctKey.generate_key(256).as_dict(private=True)],
        [RSAKey.generate_key(1024).as_dict(private=False)],
        [ECKey.generate_key("P-384").as_dict(private=False)],
        [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}],
        [{"kty": "none"}],
        ["text"],
        [],
        [good.as_dict(private=False)] * 11,
    ):
        with pytest.raises(Invalid):
            make(world, method=clients.KEYS, keys=json.dumps({"keys": keys}))
    for written in ("[]", "7", '{"keys": 7}', "{", '{"keys": ' + "[" * 2000):
        with pytest.raises(Invalid):
            make(world, method=clients.KEYS, keys=written)
    made = make(world, method=clients.KEYS, keys=json.dumps({"keys": [good.as_dict(private=False)]}))
    kept = world.ask(clients.find, world.cora, made.id).public_keys
    assert "d" not in kept["keys"][0]
    other = json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False)]})
    world.do(clients.change_keys, world.cora, made.id, other)
    assert world.ask(clients.find, world.cora, made.id).public_keys != kept
    with pytest.raises(Conflict):
        world.do(clients.change_secret, world.cora, made.id)
    with pytest.raises(Conflict):
        world.do(clients.change_keys, world.cora, make(world).id, other)


def test_what_was_revoked_stays_so(world):
    made = make(world, sector="business", scopes=("scim",))
    world.do(clients.revoke, world.cora, made.id)
    for verb in (clients.change_secret, clients.make_token):
        with pytest.raises(Conflict):
            world.do(verb, fresh(world.cora), made.id)
    client = rows(world, Client)[0]
    assert client.secret_hash is None
    assert rows(world, Person, table(Person).c.id == client.person_id)[0].disabled_at is not None
    assert rows(world, Membership, table(Membership).c.person_id == client.person_id)[0].ended_at is not None


def test_a_machine_whose_time_is_over_acts_no_more_in_any_way(world):
    made = make(world, sector="business", role="coordinator", scopes=("read", "scim"), days=30)
    client = rows(world, Client, table(Client).c.id == made.id)[0]
    token = world.do(clients.make_token, fresh(world.cora), made.id, days=366)
    assert rows(world, AccessToken, table(AccessToken).c.id == token.id)[0].expires_at == client.expires_at
    machine = world.ask(actors.find, client.person_id)
    feed = world.do(calendar_feeds.make, machine, world.programme)
    is_it = table(Client).c.id == made.id
    world.do(lambda tx: tx.execute(update(table(Client)).where(is_it).values(expires_at=tx.now)))
    assert not world.ask(tokens.find, token.token)[0].is_known
    assert not world.ask(tokens.again, token.id).is_known
    for verb, of in (
        (actors.find, client.person_id),
        (tokens.still_of, token.id),
        (calendar_feeds.read, feed.token),
    ):
        with pytest.raises(NotFound):
            world.ask(verb, of)
    for verb in (clients.change_secret, clients.make_token):
        with pytest.raises(Conflict):
            world.do(verb, fresh(world.cora), made.id)
    world.do(clients.revoke, world.cora, made.id)


def test_a_token_by_hand_is_for_directories_and_a_year_at_the_most(world):
    made = make(world, sector="business", scopes=("read", "scim"))
    token = world.do(clients.make_token, fresh(world.cora), made.id, days=366)
    client = world.ask(clients.find, world.cora, made.id)
    assert [row.id for row in world.ask(clients.tokens, client)] == [token.id]
    with pytest.raises(Invalid):
        world.do(clients.make_token, fresh(world.cora), made.id, days=367)
    with pytest.raises(NotFresh):
        world.do(clients.make_token, world.cora, made.id)
    with pytest.raises(Conflict):
        world.do(clients.make_token, fresh(world.cora), make(world).id)
    with pytest.raises(NotFound):
        world.do(clients.revoke_token, world.cora, make(world).id, token.id)
    world.do(clients.revoke_token, world.cora, made.id, token.id)
    assert world.ask(clients.tokens, client) == []


def test_making_and_ending_are_told_in_both_logs(world):
    made = make(world)
    world.do(clients.change_secret, world.cora, made.id)
    world.do(clients.revoke, world.cora, made.id)
    wanted = ["client.created", "client.secret_changed", "client.revoked"]
    assert [row.type for row in rows(world, Event) if row.type.startswith("client.")] == wanted
    audited = [row for row in rows(world, AuditEntry) if row.action.startswith("client.")]
    assert [row.action for row in audited] == wanted
    assert {(row.programme_id, row.actor_id) for row in audited} == {
        (world.programme_id, world.cora.person_id)
    }


def test_a_programme_has_so_many_and_no_more(world, monkeypatch):
    monkeypatch.setattr(clients, "MOST", 2)
    made = make(world)
    make(world)
    with pytest.raises(Conflict):
        make(world)
    world.do(clients.revoke, world.cora, made.id)
    make(world)


def test_machines_are_not_counted_among_people_anywhere(world):
    def counted():
        programme = world.programme
        ballot = world.ask(ballots.find, world.cora, ballot_id)
        return (
            world.ask(programmes.participation, world.programme_id),
            world.ask(programmes.people, world.cora, programme),
            world.ask(programmes.coordinated_by, world.cora)[0]["people"],
            world.ask(operator.people, "here"),
            [row.people for row in world.ask(operator.programmes)],
            world.ask(placements.contacts, world.programme_id, world.organisations["business"]),
            world.ask(ballots.electorate, ballot) if hasattr(ballots, "electorate") else None,
            world.ask(
                lambda c: c.execute(select(table(Membership).c.id).where(ballots.may_vote(ballot))).all()
            ),
        )

    ballot_id = world.ballot()
    before = counted()
    for role in ("participant", "facilitator", "host", "sponsor", "coordinator"):
        make(world, role=role)
    assert counted() == before


def test_machines_are_told_nothing(world):
    client = world.ask(clients.find, world.cora, make(world, role="coordinator").id)
    people = world.ask(exchange_people.coordinators, world.programme_id)
    idea = world.idea()
    world.do(
        notices.tell,
        [client.person_id, *people],
        "idea_hidden",
        programme_id=world.programme_id,
        idea_id=idea,
    )
    told = {row.person_id for row in rows(world, Notice)}
    assert client.person_id not in told
    assert world.cora.person_id in told


def test_a_machine_is_nobodys_co_author(world):
    client = world.ask(clients.find, world.cora, make(world, role="participant").id)
    with pytest.raises(Invalid):
        world.do(ideas.add_co_author, world.alice, world.idea(), client.person_id)


def test_an_organisations_administrator_gets_no_hold_of_a_machine_that_is_more_than_they(world):
    """A new secret or key would make a coordinator of whoever administers the machine's organisation."""
    admin = administering(world, world.bob)
    made = make(world, None, "business", role="coordinator", scopes=("read", "write", "scim"))
    public = json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False)]})
    keyed = make(world, None, "business", role="facilitator", method="private_key_jwt", keys=public)
    for verb, id, more in (
        (clients.change_secret, made.id, ()),
        (clients.make_token, made.id, ()),
        (clients.change_keys, keyed.id, (public,)),
    ):
        with pytest.raises(NotAllowed):
            world.do(verb, admin, id, *more)
    world.do(clients.revoke, admin, made.id)


@pytest.mark.parametrize("how", ["place", "role"])
def test_coordinators_are_told_of_machines_whose_maker_lost_the_role(world, how):
    boss = make_coordinator(world, world.ana)
    make(world, fresh(boss))
    if how == "place":
        world.do(memberships.end, world.cora, boss.memberships[world.programme_id].id)
    else:
        world.do(roles.change, world.cora, world.programme_id, boss.person_id, "participant")
    told = [(row.person_id, row.kind) for row in rows(world, Notice)]
    assert told == [(world.cora.person_id, "machines_left")]
    world.do(memberships.end, world.cora, world.bob.memberships[world.programme_id].id)
    assert len(rows(world, Notice)) == 1
