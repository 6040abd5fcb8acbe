"""Invitations: one place for one person, by whoever may give it, and never by guessing, twice, or too late."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.errors import Conflict, DomainError, Gone, Invalid, NotAllowed, NotFound, NotFresh
from app.integrations import seal
from app.lib import clock
from app.models import AuditEntry, Invitation, Membership, Person
from app.models.base import table
from app.policies.actor import ANONYMOUS
from app.services import actors, invitations, memberships, people, roles
from tests.factories.world import ISSUER
from tests.services.test_joining import choose, claiming, counts, known_as, rows
from tests.services.test_memberships import administrator, again, assign, make_coordinator
from tests.services.test_people import arrival
from tests.services.test_person_merging import fresh

INVITATION = table(Invitation)


def invite(world, actor=None, sector="business", **values):
    """An invitation, by an operator unless someone is named."""
    return world.do(
        invitations.invite, actor, world.organisations[sector], programme_id=world.programme_id, **values
    )


def enter(world, made, who=None):
    """Someone signs in with an invitation; their person's id."""
    who = who or claiming("unknown")
    held = world.ask(invitations.to_leave_with, made.token, who.provider.id)
    return world.do(people.enter, who, invitation_id=held)


def change(world, **values):
    world.do(lambda tx: tx.execute(update(INVITATION).values(**values)))


def everything(world):
    return {model: rows(world, model) for model in (Invitation, Person, Membership)}


# using it


def test_it_gives_the_place_that_it_says_whatever_the_programme_does_with_unknown_people(world):
    choose(world, "refuse")
    person_id = enter(world, invite(world, role="facilitator"))
    place = again_of(world, person_id).memberships[world.programme_id]
    assert (place.role, place.organisation_id) == ("facilitator", world.organisations["business"])
    assert world.do(people.enter, claiming("unknown")) == person_id


def again_of(world, person_id):
    return world.ask(actors.find, person_id)


def test_opening_it_changes_nothing_however_often(world):
    made = invite(world)
    before = everything(world)
    for _ in range(3):
        found = world.ask(invitations.opened, made.token)
    assert found.problem is None
    assert everything(world) == before


def test_it_is_good_once(world):
    made = invite(world)
    enter(world, made)
    before = counts(world)
    assert world.ask(invitations.opened, made.token).problem == invitations.USED
    with pytest.raises(Gone):
        enter(world, made, claiming("unknown", "another"))
    with pytest.raises(Gone):
        world.do(people.enter, claiming("unknown", "another"), invitation_id=made.id)
    assert counts(world) == before


def test_whoever_used_it_opens_it_again_without_harm(world):
    made = invite(world)
    person_id = enter(world, made)
    assert world.do(people.enter, claiming("unknown"), invitation_id=made.id) == person_id


def test_two_who_use_it_at_once_get_one_place(world):
    made = invite(world)
    other = Database(world.database.url.render_as_string(hide_password=False))
    both = threading.Barrier(2)
    before = counts(world)

    def use(database, subject):
        def work(tx):
            with suppress(threading.BrokenBarrierError):
                both.wait(0.5)
            return people.enter(tx, claiming("unknown", subject), invitation_id=made.id)

        try:
            return database.write_now(work)
        except Gone:
            return None

    with ThreadPoolExecutor(2) as threads:
        ids = list(threads.map(lambda pair: use(*pair), ((world.database, "one"), (other, "two"))))
    other.close()
    assert len([id for id in ids if id]) == 1
    assert counts(world) == {model: number + 1 for model, number in before.items()}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"expires_at": clock.now() - timedelta(seconds=1)}, invitations.OUT_OF_TIME),
        ({"revoked_at": clock.now()}, invitations.TAKEN_BACK),
    ],
    ids=["expired", "taken back"],
)
def test_what_is_no_longer_good_lets_nobody_in(world, values, problem):
    made = invite(world)
    change(world, **values)
    before = counts(world)
    assert world.ask(invitations.opened, made.token).problem == problem
    for way in (enter, lambda world, made: world.do(people.enter, claiming("x"), invitation_id=made.id)):
        with pytest.raises(Gone):
            way(world, made)
    assert counts(world) == before


def test_one_for_another_provider_is_refused_before_and_after_the_way_there(world):
    made = invite(world, provider="ministry")
    before = everything(world)
    with pytest.raises(NotAllowed):
        enter(world, made)
    with pytest.raises(NotAllowed):
        world.do(people.enter, claiming("unknown"), invitation_id=made.id)
    assert everything(world) == before
    assert enter(world, invite(world, provider="company"))


def test_one_for_another_organisation_than_the_provider_vouches_for_is_refused(world):
    known_as(world, "77", "public")
    before = counts(world)
    with pytest.raises(NotAllowed, match="another organisation"):
        enter(world, invite(world), claiming("77"))
    assert counts(world) == before


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: f"{int(token.split('.')[0]) + 1}.{token.split('.')[1]}",
        lambda token: token.split(".")[0],
        lambda token: "0." + "A" * 43,
        lambda _: "",
        lambda _: "é" * 50,
        lambda token: token + "x",
    ],
)
def test_a_forged_address_is_none(world, forge):
    made = invite(world)
    with pytest.raises(NotFound):
        world.ask(invitations.opened, forge(made.token))


def test_a_decision_links_signature_opens_no_invitation(world):
    made = invite(world)
    (row,) = rows(world, Invitation)
    with pytest.raises(NotFound):
        world.ask(invitations.opened, seal.link_token(row.id, row.nonce))
    assert made.token not in str(row)


def test_where_nobody_joins_by_signing_in_an_invitation_lets_them_in(world):
    who = arrival(organisation=None, known_people_only=True)
    assert enter(world, invite(world), who) == world.do(people.enter, who)


# by those who are known


def test_someone_of_another_programme_accepts_it_signed_in(world):
    made = invite(world, sector="public")
    actor = fresh(world, world.charlie)
    world.do(invitations.accept, actor, made.token)
    assert set(again(world, world.charlie).memberships) == {world.programme_id, world.other_programme_id}
    world.do(invitations.accept, actor, made.token)


def test_it_brings_back_whoever_had_left(world):
    world.do(memberships.end, world.cora, world.bob.memberships[world.programme_id].id)
    known = arrival(str(world.bob.person_id), issuer=ISSUER, organisation=None, known_people_only=True)
    assert enter(world, invite(world), known) == world.bob.person_id
    assert again(world, world.bob).role_in(world.programme_id) == "participant"


def test_a_participant_gets_the_role_and_a_coordinator_loses_none(world):
    for actor, role, becomes in ((world.bob, "sponsor", "sponsor"), (world.cora, "observer", "coordinator")):
        made = invite(world, role=role)
        world.do(invitations.accept, fresh(world, actor), made.token)
        assert again(world, actor).role_in(world.programme_id) == becomes


def test_whoever_takes_part_through_another_organisation_is_refused(world):
    made = invite(world, sector="public")
    with pytest.raises(Conflict, match="through another organisation"):
        world.do(invitations.accept, fresh(world, world.bob), made.token)
    assert world.ask(invitations.opened, made.token).problem is None


def test_a_token_accepts_nothing_and_neither_does_nobody(world):
    made = invite(world)
    from dataclasses import replace

    for actor in (replace(world.charlie, scopes=frozenset({"admin"})), ANONYMOUS):
        with pytest.raises(DomainError):
            world.do(invitations.accept, actor, made.token)


# making and taking it back


def test_a_coordinator_invites_to_any_organisation_and_role_but_to_coordinate_only_freshly(world):
    invite(world, world.cora, "public", role="sponsor")
    with pytest.raises(NotFresh):
        invite(world, fresh(world, world.cora, ago=timedelta(minutes=16)), role="coordinator")
    invite(world, fresh(world, world.cora), role="coordinator")
    assert rows(world, AuditEntry)[-1].action == "invitation.sent"


def test_an_organisations_administrator_invites_participants_of_theirs_alone(world):
    ana = assign(
        world, world.ana, "organisation_administrator", organisation_id=world.organisations["public"]
    )
    invite(world, ana, "public")
    for values in ({"sector": "business"}, {"sector": "public", "role": "sponsor"}):
        with pytest.raises(NotAllowed):
            invite(world, ana, **values)
    everywhere, own = world.ask(invitations.inviting, ana, world.programme_id)
    assert (everywhere, [each.id for each in own]) == (False, [world.organisations["public"]])
    invite(world, sector="business")
    assert len(world.ask(invitations.in_programme, ana, world.programme_id)) == 1


@pytest.mark.parametrize("who", ["alice", "fay", "sam", "olga", "charlie"])
def test_nobody_else_invites_sees_or_takes_back(world, who):
    made, actor = invite(world), getattr(world, who)
    with pytest.raises(NotAllowed):
        invite(world, actor)
    with pytest.raises(NotAllowed):
        world.ask(invitations.in_programme, actor, world.programme_id)
    with pytest.raises(NotFound):
        world.do(invitations.revoke, actor, made.id)
    assert world.ask(invitations.opened, made.token).problem is None


def test_an_administrator_of_the_installation_invites_everywhere(world):
    invite(world, administrator(world, world.charlie))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"role": "emperor"}, "role"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "email"),
        ({"days": 0}, "days"),
        ({"days": 61}, "days"),
        ({"name": "x" * 121}, "name"),
    ],
)
def test_what_cannot_be_taken_is_said_by_its_field(world, values, field):
    with pytest.raises(Invalid) as caught:
        invite(world, **values)
    assert [wrong.field for wrong in caught.value.errors] == [field]


def test_an_organisation_of_another_programme_is_none(world):
    there = world.charlie.memberships[world.other_programme_id].organisation_id
    with pytest.raises(NotFound):
        world.do(invitations.invite, None, there, programme_id=world.programme_id)


def test_it_is_taken_back_once_and_not_after_its_use(world):
    made = invite(world)
    for _ in range(2):
        world.do(invitations.revoke, world.cora, made.id)
    actions = [row.action for row in rows(world, AuditEntry)]
    assert actions.count("invitation.revoked") == 1
    used = invite(world)
    enter(world, used)
    world.do(invitations.revoke, world.cora, used.id)
    assert rows(world, Invitation)[-1].revoked_at is None


def test_only_what_is_good_is_mailed(world):
    made = invite(world, email="nika@company.example")
    found, token = world.ask(invitations.to_mail, made.id)
    assert (found.email, token) == ("nika@company.example", made.token)
    change(world, revoked_at=clock.now())
    assert world.ask(invitations.to_mail, made.id) is None
    assert world.ask(invitations.to_mail, invite(world).id) is None
    assert world.ask(invitations.to_mail, 99) is None


def test_the_newest_stands_first(world):
    first, second = invite(world), invite(world)
    found = world.ask(invitations.in_programme, world.cora, world.programme_id)
    assert [each.id for each in found] == [second.id, first.id]
    assert world.ask(lambda c: c.execute(select(INVITATION.c.created_by)).scalars().all()) == [None, None]


# against those who have lost what they had


def test_one_from_before_someones_place_ended_does_not_bring_them_back(world):
    kept = invite(world)
    world.do(memberships.end, world.cora, world.bob.memberships[world.programme_id].id)
    known = arrival(str(world.bob.person_id), issuer=ISSUER, organisation=None, known_people_only=True)
    with pytest.raises(Gone, match="ended after"):
        enter(world, kept, known)
    assert again(world, world.bob).memberships == {}
    assert enter(world, kept)


def test_nobody_takes_up_their_own(world):
    """Else whoever coordinates keeps a way back in a drawer, and an administrator raises themselves."""
    olga = administrator(world, world.olga)
    own = world.ask(lambda c: olga.membership_in(world.programme_id).organisation_id)
    made = world.do(
        invitations.invite,
        fresh(world, olga),
        own,
        programme_id=world.programme_id,
        role="coordinator",
    )
    with pytest.raises(NotAllowed, match="raises their own role"):
        world.do(invitations.accept, fresh(world, olga), made.token)
    assert again(world, olga).role_in(world.programme_id) == "observer"
    assert world.ask(invitations.opened, made.token).problem is None


def test_what_someone_sent_ends_with_what_allowed_them_to(world):
    boss = make_coordinator(world, world.ana)
    place_of = boss.memberships[world.programme_id].id
    sent = invite(world, fresh(world, boss), "public", role="coordinator")
    others = invite(world, sector="public")
    world.do(memberships.end, world.cora, place_of)
    assert world.ask(invitations.opened, sent.token).problem == invitations.UNBACKED
    assert world.ask(invitations.opened, others.token).problem is None
    with pytest.raises(Gone):
        world.do(people.enter, claiming("unknown"), invitation_id=sent.id)


def test_whoever_may_no_longer_coordinate_has_no_invitation_out_that_could(world):
    boss = make_coordinator(world, world.ana)
    sent = invite(world, fresh(world, boss), "public", role="sponsor")
    world.do(roles.change, world.cora, world.programme_id, boss.person_id, "participant")
    assert world.ask(invitations.opened, sent.token).problem == invitations.UNBACKED
