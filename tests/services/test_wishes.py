"""Wishes for a match, conflicts of interest, and whom hosts would rather have."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.database import Database
from app.errors import Conflict, Invalid, Moved, NotAllowed
from app.lib.days import Span
from app.models import Organisation, Wish
from app.models.base import table
from app.services import asking, placements, preferences, wishes
from app.services.wishes import WishView


def state(world, actor, *stated, **values):
    return world.do(wishes.state, actor, world.programme, wishes=list(stated), **values)


def own(world, actor):
    return world.ask(wishes.of_person, actor, world.programme_id)


def problem(world, actor, *stated):
    with pytest.raises(Invalid) as invalid:
        state(world, actor, *stated)
    return {error.field: error.message for error in invalid.value.errors}


def test_wishes_stand_in_their_order_until_they_are_stated_anew(world):
    one, two = world.placement(), world.placement()
    away = Span(*world.week(3))
    state(world, world.bob, WishView(placement_id=two), WishView(placement_id=one), unavailable=[away])
    found = own(world, world.bob)
    assert [wish.placement_id for wish in found.wishes] == [two, one]
    assert found.unavailable == (away,)
    state(world, world.bob, WishView(placement_id=one), offers_desk=True, version=found.version)
    found = own(world, world.bob)
    assert [wish.placement_id for wish in found.wishes] == [one]
    assert found.offers_desk
    assert found.unavailable == ()


def test_an_older_window_does_not_overwrite_newer_wishes(world):
    placement = world.placement()
    state(world, world.bob, WishView(placement_id=placement))
    with pytest.raises(Moved):
        state(world, world.bob, WishView(placement_id=placement), version=0)


def test_the_same_host_twice_is_named(world):
    placement = world.placement()
    found = problem(world, world.bob, WishView(placement_id=placement), WishView(placement_id=placement))
    assert found.keys() == {"wishes/1"}


def test_ones_own_organisation_is_refused(world):
    placement = world.placement()
    assert problem(world, world.alice, WishView(placement_id=placement)).keys() == {"wishes/0"}
    organisation = world.organisations["business"]
    assert problem(world, world.bob, WishView(organisation_id=organisation)).keys() == {"wishes/0"}


def test_ones_own_sector_is_refused_unless_the_placement_is_for_any(world):
    """Alice goes to another ministry."""
    other = another_ministry(world)
    placement = world.placement(world.cora, organisation_id=other[0], contact_id=other[1])
    found = problem(world, world.alice, WishView(placement_id=placement))
    assert found == {"wishes/0": "This placement is for guests of the other sector."}
    open_to_any = world.placement(world.cora, organisation_id=other[0], contact_id=other[1], open_to="any")
    state(world, world.alice, WishView(placement_id=open_to_any))


def another_ministry(world):
    """A second organisation of the public sector, and someone of it."""

    def work(tx):
        ministry = Organisation(
            programme_id=world.programme_id, sector_id=world.sectors["public"], name="Another ministry"
        )
        tx.session.add(ministry)
        tx.session.flush()
        return int(ministry.id)

    made = world.do(work)
    before = world.organisations["public"]
    world.organisations["public"] = made
    (someone,) = world.people(1, "public")
    world.organisations["public"] = before
    return made, someone.person_id


def test_a_host_and_its_own_placement_are_one_wish_and_two_of_its_placements_are_two(world):
    one, two = world.placement(), world.placement()
    host = world.organisations["public"]
    found = problem(world, world.bob, WishView(organisation_id=host), WishView(placement_id=one))
    assert found.keys() == {"wishes/1"}
    state(world, world.bob, WishView(placement_id=one), WishView(placement_id=two))
    twice = problem(world, world.bob, WishView(competency="Law"), WishView(competency="  law"))
    assert twice.keys() == {"wishes/1"}


def test_a_period_belongs_to_its_placement(world):
    one, two = world.placement(), world.placement()
    foreign = world.periods(two)[0].id
    assert problem(world, world.bob, WishView(placement_id=one, period_id=foreign)).keys() == {"wishes/0"}
    host = world.organisations["public"]
    assert problem(world, world.bob, WishView(organisation_id=host, period_id=10**9)).keys() == {"wishes/0"}
    state(world, world.bob, WishView(placement_id=two, period_id=foreign))
    assert own(world, world.bob).wishes[0].period_id == foreign


def test_none_too_many_and_what_is_not_there_are_refused(world):
    placement = world.placement()
    assert problem(world, world.bob).keys() == {"wishes"}
    many = [WishView(competency=f"c{number}") for number in range(13)]
    assert problem(world, world.bob, *many).keys() == {"wishes"}
    assert problem(world, world.bob, WishView(placement_id=placement + 99)).keys() == {"wishes/0"}
    both = WishView(placement_id=placement, competency="law")
    assert problem(world, world.bob, both).keys() == {"wishes/0"}
    assert own(world, world.bob).version == 0


def test_a_declared_conflict_refuses_the_wish_and_the_booking(world):
    placement = world.placement()
    host = world.organisations["public"]
    world.do(wishes.declare_conflict, world.bob, world.programme, organisation_id=host, statement="A tender")
    assert problem(world, world.bob, WishView(placement_id=placement)).keys() == {"wishes/0"}
    world.rules(approvals=())
    period = world.periods(placement)[0].id
    with pytest.raises(Conflict):
        world.do(asking.ask, world.bob, placement, period_id=period)
    world.do(wishes.withdraw_conflict, world.bob, world.programme, host)
    state(world, world.bob, WishView(placement_id=placement))


def test_no_conflict_with_ones_own_organisation(world):
    with pytest.raises(Invalid):
        world.do(
            wishes.declare_conflict,
            world.bob,
            world.programme,
            organisation_id=world.organisations["business"],
        )


def test_where_places_go_to_who_asks_nobody_wishes(world):
    placement = world.placement()
    world.rules(way="first_come")
    with pytest.raises(Conflict):
        state(world, world.bob, WishView(placement_id=placement))


def test_observers_and_strangers_state_no_wishes(world):
    placement = world.placement()
    for actor in (world.olga, world.charlie):
        with pytest.raises(NotAllowed):
            state(world, actor, WishView(placement_id=placement))


def test_whoever_withdraws_takes_part_no_more(world):
    placement = world.placement()
    state(world, world.bob, WishView(placement_id=placement))
    world.do(wishes.withdraw, world.bob, world.programme)
    assert own(world, world.bob).version == 0
    assert (
        world.ask(lambda connection: connection.execute(select(func.count(table(Wish).c.rank))).scalar()) == 0
    )


def test_a_host_names_whom_it_would_rather_have_of_those_who_wish(world):
    placement = world.placement()
    for guest in (world.bob, world.bea):
        state(world, guest, WishView(placement_id=placement))
    world.do(preferences.state, world.hana, placement, [world.bea.person_id, world.bob.person_id])
    view = world.ask(placements.find, world.hana, placement)
    rows = world.ask(preferences.wishing, world.hana, view)
    assert [row.person_id for row in rows] == [world.bea.person_id, world.bob.person_id]
    with pytest.raises(Invalid):
        world.do(preferences.state, world.hana, placement, [world.bea.person_id, world.bea.person_id])
    with pytest.raises(Invalid):
        world.do(preferences.state, world.hana, placement, [world.fay.person_id])
    with pytest.raises(NotAllowed):
        world.do(preferences.state, world.bob, placement, [])


@pytest.mark.parametrize("name", ["", " ", "a\0b", "\a", "x" * 81])
def test_a_competency_is_a_line_of_text(world, name):
    assert problem(world, world.bob, WishView(competency=name)).keys() == {"wishes/0"}


def at_once(database_url, verb, *arguments, times=8, **named):
    """Do the same from so many processes' databases at the same moment; the names of what went wrong."""
    ready = Barrier(times)

    def one(_):
        database = Database(database_url)
        try:
            database.read_now(lambda connection: connection.execute(select(1)))
            ready.wait()
            for _ in range(5):
                database.write_now(lambda tx: verb(tx, *arguments, **named))
        except IntegrityError as error:
            return type(error).__name__
        finally:
            database.close()
        return "done"

    with ThreadPoolExecutor(times) as pool:
        return set(pool.map(one, range(times)))


def test_a_conflict_is_declared_once_at_the_same_moment_too(world, database_url):
    host = world.organisations["public"]
    verb, whose = wishes.declare_conflict, (world.bob, world.programme)
    assert at_once(database_url, verb, *whose, organisation_id=host) == {"done"}
    assert [each.organisation_id for each in world.ask(wishes.conflicts, world.bob, world.programme_id)] == [
        host
    ]


def test_two_of_a_host_say_at_the_same_moment_whom_they_would_rather_have(world, database_url):
    placement = world.placement()
    for guest in (world.bob, world.bea):
        state(world, guest, WishView(placement_id=placement))
    named = [world.bea.person_id, world.bob.person_id]
    assert at_once(database_url, preferences.state, world.hana, placement, named) == {"done"}
    view = world.ask(placements.find, world.hana, placement)
    assert [row.person_id for row in world.ask(preferences.wishing, world.hana, view)] == named
