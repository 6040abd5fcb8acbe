"""Who is told of bookings and sees them: a contact person or manager only while they are of that organisation."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from app.errors import NotFound
from app.models import Membership, Notice
from app.services import (
    asking,
    bookings,
    calendar_feeds,
    deciding,
    placement_making,
    placements,
    taking_back,
)
from app.services.home_managers import Manager


@pytest.fixture
def stay(world):
    """Bob asks for a stay at the public administration, where Ana is the contact person; Bea is his manager."""
    world.rules(approvals=("host", "manager"), in_order=False, checklist=())
    offered = world.placement(contact_id=world.ana.person_id)
    period = world.periods(offered)[0].id
    manager = Manager(world.bea.person_id)
    return offered, world.do(asking.ask, world.bob, offered, period_id=period, manager=manager)


def gone_over(world, actor, sector):
    """The same person, who is of the other organisation from now on."""
    values = {"organisation_id": world.organisations[sector], "sector_id": world.sectors[sector]}
    own = update(Membership).where(Membership.person_id == actor.person_id).values(**values)
    world.do(lambda tx: tx.execute(own))
    place = replace(actor.memberships[world.programme_id], **values, sector_key=sector)
    return replace(actor, memberships={world.programme_id: place})


def told(world, booking, kind):
    query = select(Notice.person_id).where(Notice.booking_id == booking, Notice.kind == kind)
    return set(world.ask(lambda connection: connection.execute(query).scalars().all()))


def test_who_receives_guests_has_a_hosts_say_without_that_role(world, stay):
    placement, booking = stay
    asked = {each.person_id for each in (world.ana, world.hana, world.bea)}
    assert told(world, booking, "booking_to_decide") == asked
    assert [each.id for each in world.ask(bookings.waiting_for, world.ana)] == [booking]
    assert [each.id for each in world.ask(placements.of_host, world.ana, world.programme)] == [placement]
    world.do(deciding.decide, world.ana, booking, approved=True)
    assert world.ask(bookings.find, world.ana, booking).asked == ("manager",)


def test_a_contact_person_who_is_with_another_organisation_now_speaks_for_the_host_no_more(world, stay):
    placement, booking = stay
    feed = world.do(calendar_feeds.make, world.ana, world.programme).token
    assert len(world.ask(calendar_feeds.read, feed).entries) == 1
    ana = gone_over(world, world.ana, "business")
    with pytest.raises(NotFound):
        world.ask(bookings.find, ana, booking)
    with pytest.raises(NotFound):
        world.do(deciding.decide, ana, booking, approved=True)
    assert world.ask(bookings.in_programme, ana, world.programme) == []
    assert world.ask(bookings.waiting_for, ana) == []
    assert world.ask(placements.of_host, ana, world.programme) == []
    assert world.ask(calendar_feeds.read, feed).entries == ()
    assert world.ask(placements.find, ana, placement).state == "published"


def test_who_has_gone_over_is_not_told_of_what_comes_after(world, stay):
    _, booking = stay
    gone_over(world, world.ana, "business")
    gone_over(world, world.bea, "public")
    world.do(taking_back.take_back, world.cora, booking, reason="The office moves.")
    assert told(world, booking, "booking_ended") == {world.bob.person_id, world.hana.person_id}


def test_the_host_names_another_contact_person_then(world, stay):
    placement, booking = stay
    gone_over(world, world.ana, "business")
    world.do(placement_making.change, world.hana, placement, contact_id=world.hana.person_id)
    assert [each.id for each in world.ask(bookings.waiting_for, world.hana)] == [booking]
