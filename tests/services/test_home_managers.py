"""Home managers: a colleague with an account, or a name and an address that is not the guest's own."""

import pytest
from sqlalchemy import select, update

from app.errors import Conflict, Invalid, NotAllowed, NotFound
from app.lib import clock
from app.models import DecisionLink, Membership, Notice, OrganisationDomain, Person
from app.models.base import table
from app.services import asking, bookings, deciding, home_managers, taking_back
from app.services.home_managers import NOBODY, Manager

MAJA = Manager(None, "Maja Kos", "maja@example.org")


@pytest.fixture
def held(world):
    placement = world.placement(periods=[world.period(places=1)])
    period = world.periods(placement)[0].id
    return world.do(asking.ask, world.bob, placement, period_id=period, manager=Manager(world.bea.person_id))


def name(world, held, manager, actor=None, **named):
    world.do(home_managers.name, actor or world.bob, held, manager, **named)


def wrong(world, held, manager):
    with pytest.raises(Invalid) as caught:
        name(world, held, manager)
    assert found(world, held).manager_id == world.bea.person_id, "the one before stays"
    return {error.field for error in caught.value.errors}


def found(world, held):
    return world.ask(bookings.find, world.cora, held)


def verify_domain(world, domain):
    row = OrganisationDomain(
        programme_id=world.programme_id,
        organisation_id=world.organisations["business"],
        domain=domain,
        verified_at=clock.now(),
    )
    world.do(lambda tx: tx.session.add(row))


def test_another_manager_is_named_and_asked(world, held):
    name(world, held, Manager(world.cora.person_id))
    booking = found(world, held)
    assert (booking.manager_id, booking.manager_name, booking.version) == (
        world.cora.person_id,
        "Cora Golob",
        2,
    )
    query = select(table(Notice).c.kind).where(table(Notice).c.person_id == world.cora.person_id)
    assert "booking_to_decide" in world.ask(lambda c: c.execute(query).scalars().all())
    with pytest.raises(NotFound):
        world.do(deciding.decide, world.bea, held, approved=True)


def test_one_without_an_account_gets_a_link(world, held):
    name(world, held, MAJA)
    booking = found(world, held)
    assert (booking.manager_id, booking.manager_email) == (None, "maja@example.org")
    assert len(world.ask(lambda c: c.execute(select(table(DecisionLink))).all())) == 1


def test_nobody_is_their_own_manager(world, held):
    assert wrong(world, held, Manager(world.bob.person_id)) == {"manager_id"}
    for own in ("bob@example.org", "Bob@Example.ORG", "bob+boss@example.org"):
        assert wrong(world, held, Manager(None, "Bob", own)) == {"manager_email"}


def test_a_manager_is_a_colleague_of_the_same_organisation_who_is_there(world, held):
    for other in (world.alice, world.charlie, world.hana):
        assert wrong(world, held, Manager(other.person_id)) == {"manager_id"}
    assert wrong(world, held, Manager(999_999)) == {"manager_id"}
    place = world.cora.memberships[world.programme_id].id
    for away in (
        update(Membership).where(Membership.id == place).values(ended_at=clock.now()),
        update(Person).where(Person.id == world.cora.person_id).values(disabled_at=clock.now()),
    ):
        world.do(lambda tx, statement=away: tx.execute(statement))
        with pytest.raises(Invalid):
            name(world, held, Manager(world.cora.person_id))
        back = update(Membership).where(Membership.id == place).values(ended_at=None)
        world.do(lambda tx, statement=back: tx.execute(statement))


@pytest.mark.parametrize(
    "email", ["", "maja", "maja@", "@example.org", "maja@example", "ma ja@example.org", f"{'x' * 250}@a.si"]
)
def test_an_address_is_whole(world, held, email):
    assert wrong(world, held, Manager(None, "Maja", email)) == {"manager_email"}


@pytest.mark.parametrize(
    "email",
    [
        '"bob"@example.org',
        "bob(me)@example.org",
        "bob@(me)example.org",
        "bob@example.org(me)",
        "bob@example.org,maja@example.org",
        "<bob@example.org>maja@example.org",
        ".bob@example.org",
        "bob@example.org.",
    ],
)
def test_ones_own_address_written_otherwise_is_none(world, held, email):
    """A mail program leaves out quotes and comments, so that such a letter would come to the guest."""
    assert wrong(world, held, Manager(None, "Maja", email)) == {"manager_email"}


def test_an_address_in_other_letters_is_one(world, held):
    name(world, held, Manager(None, "Žan", "žan.o'brien+stays@občina-čas.si"))
    assert found(world, held).manager_email == "žan.o'brien+stays@občina-čas.si"


def test_a_name_goes_with_the_address(world, held):
    assert wrong(world, held, Manager(None, "", "maja@example.org")) == {"manager_name"}
    assert wrong(world, held, NOBODY) == {"manager_name", "manager_email"}


def test_where_the_domains_of_an_organisation_are_known_the_address_is_of_one(world, held):
    verify_domain(world, "company.example")
    assert wrong(world, held, MAJA) == {"manager_email"}
    assert wrong(world, held, Manager(None, "Maja", "maja@evil-company.example")) == {"manager_email"}
    name(world, held, Manager(None, "Maja", "maja@COMPANY.example"))


def test_the_guest_and_coordinators_name_a_manager_and_nobody_else(world, held):
    for actor in (world.bea, world.hana):
        with pytest.raises(NotAllowed):
            name(world, held, MAJA, actor)
    for actor in (world.alice, world.charlie):
        with pytest.raises(NotFound):
            name(world, held, MAJA, actor)
    name(world, held, MAJA, world.cora)


def test_once_a_manager_has_decided_or_the_booking_has_ended_none_is_named(world, held):
    world.do(deciding.decide, world.bea, held, approved=True)
    with pytest.raises(Conflict):
        name(world, held, MAJA)
    world.do(taking_back.take_back, world.bob, held)
    with pytest.raises(Conflict):
        name(world, held, MAJA)


def test_where_managers_do_not_approve_none_is_needed(world, held):
    world.rules(approvals=("host",))
    with pytest.raises(Conflict):
        name(world, held, MAJA)
    second = world.placement()
    period = world.periods(second)[0].id
    booking = world.do(asking.ask, world.cora, second, period_id=period, manager=MAJA)
    assert found(world, booking).manager_email == ""
