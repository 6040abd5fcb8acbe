"""The ledger: what is settled counts, by organisation and direction, and no person is named."""

import pytest
from sqlalchemy import update

from app.errors import NotAllowed
from app.models import Booking
from app.services import asking, ledger


def stay(world, actor, placement, state):
    booking = world.do(asking.ask, actor, placement, period_id=world.periods(placement)[0].id)
    world.do(lambda tx: tx.execute(update(Booking).where(Booking.id == booking).values(state=state)))


@pytest.fixture
def both_ways(world):
    world.rules(approvals=("host",), checklist=())
    ministry = world.placement(periods=[world.period(places=9)])
    company = world.placement(world.henk, periods=[world.period(places=9)])
    guests = world.people(4, "business")
    for guest, state in zip(guests, ("confirmed", "reflected", "held", "cancelled"), strict=True):
        stay(world, guest, ministry, state)
    stay(world, world.alice, company, "completed")
    stay(world, world.ana, company, "under_way")
    stay(world, world.sam, company, "expired")


def test_it_counts_what_is_settled_by_organisation_and_direction(world, both_ways):
    found = world.ask(ledger.of, world.olga, world.programme)
    assert [(each.sector.key, each.went, each.came) for each in found.accounts] == [
        ("public", 2, 2),
        ("business", 2, 2),
    ]
    assert sorted((each.home.key, each.host.key, each.stays) for each in found.directions) == [
        ("business", "public", 2),
        ("public", "business", 2),
    ]
    public, business = world.organisations["public"], world.organisations["business"]
    assert (found.stays, found.between(public, business), found.between(public, public)) == (4, 2, 0)
    assert "Novak" not in repr(found)


def test_it_is_for_members_and_empty_at_first(world):
    assert world.ask(ledger.of, world.alice, world.programme).accounts == ()
    with pytest.raises(NotAllowed):
        world.ask(ledger.of, world.charlie, world.programme)
