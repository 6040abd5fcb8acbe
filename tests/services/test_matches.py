"""Matches: from wishes to a plan, and from a plan to offers that still hold."""

from itertools import pairwise

import pytest
from sqlalchemy import func, select, update

from app.errors import Conflict, Invalid, NotAllowed, NotFound
from app.integrations import queue
from app.jobs import matches as job
from app.jobs.workplace import Workplace
from app.lib.days import Span
from app.models import Booking, Match, Membership, Notice, Period, Placement
from app.models.base import table
from app.services import (
    asking,
    bookings,
    deciding,
    match_market,
    match_publishing,
    matches,
    placements,
    preferences,
    taking_back,
    wishes,
)
from app.services.wishes import WishView

BOOKING = table(Booking)


@pytest.fixture(autouse=True)
def line(database_url):
    queue.migrate(database_url)


@pytest.fixture
def place(world):
    return Workplace(world.database, "http://board.test", "Partnership <no-reply@board.test>", None)


@pytest.fixture
def placement(world):
    """One place in one week."""
    world.rules(approvals=(), checklist=())
    return world.placement(periods=[world.period(places=1)])


def wish(world, actor, *targets, **values):
    world.do(wishes.state, actor, world.programme, wishes=list(targets), **values)


def start(world, **values):
    first, last = world.week(-3)[0], world.week(10)[1]
    return world.do(matches.start, world.cora, world.programme, first_day=first, last_day=last, **values)


def found(world, match):
    return world.ask(matches.find, world.cora, match)


def run(world, place, **values):
    match = start(world, **values)
    assert job.run(place, match_id=match) == "done"
    return match


def states(world):
    rows = world.ask(
        lambda connection: connection.execute(select(BOOKING.c.person_id, BOOKING.c.state)).all()
    )
    return {row.person_id: row.state for row in rows}


def test_a_plan_becomes_offers_and_an_accepted_offer_a_stay(world, place, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = run(world, place, seed=1)
    assert found(world, match).figures["served"] == 1
    published = world.do(match_publishing.publish, world.cora, match)
    assert (published.proposed, published.lost) == (1, ())
    assert states(world) == {world.bob.person_id: "offered"}
    booking = world.ask(bookings.of_person, world.bob)[0]
    assert booking.match_id == match
    world.do(asking.accept, world.bob, booking.id)
    assert states(world) == {world.bob.person_id: "confirmed"}


def test_whom_the_plan_leaves_out_is_told_and_reads_why(world, place, placement):
    for guest in (world.bob, world.bea):
        wish(world, guest, WishView(placement_id=placement))
    match = run(world, place, seed=1)
    world.do(match_publishing.publish, world.cora, match)
    (left,) = set(found(world, match).plan["unmatched"])
    told = world.ask(
        lambda connection: (
            connection.execute(select(Notice.person_id).where(Notice.kind == "match_left_out"))
            .scalars()
            .all()
        )
    )
    assert told == [left]
    actor = world.bob if left == world.bob.person_id else world.bea
    _, why = world.ask(matches.published_for, actor, match)
    assert why["missed"][0]["reasons"][0]["code"] == "full"
    for other in (world.alice, world.charlie):
        with pytest.raises(NotFound):
            world.ask(matches.published_for, other, match)


def test_the_rest_is_matched_again_over_what_is_free_then(world, place, placement):
    """Whoever has passed a place on can be matched again, and whoever has accepted one is away."""
    for guest in (world.bob, world.bea):
        wish(world, guest, WishView(placement_id=placement))
    match = run(world, place, seed=1)
    world.do(match_publishing.publish, world.cora, match)
    (served,) = states(world)
    guest, other = sorted((world.bob, world.bea), key=lambda each: each.person_id != served)
    assert found(world, run(world, place, seed=1)).plan["stays"] == [], "the place is offered"
    world.do(asking.pass_on, guest, world.ask(bookings.of_person, guest)[0].id)
    key = f"{world.periods(placement)[0].id}:{world.week()[0]}:{world.week()[1]}"
    again = found(world, run(world, place, pins=[(guest.person_id, key)])).plan
    assert [stay["person"] for stay in again["stays"]] == [guest.person_id]
    again = found(world, run(world, place, forbids=[(guest.person_id, key)])).plan
    assert [stay["person"] for stay in again["stays"]] == [other.person_id]


def test_whom_a_match_has_given_a_place_is_in_no_other_until_the_stay_is_over(world, place):
    """Else who was served would take places from those who were not, in another week."""
    world.rules(approvals=(), checklist=())
    both = world.placement(periods=[world.period(places=1), world.period(3)])
    week = world.periods(both)[0]
    wish(world, world.bob, WishView(placement_id=both, period_id=week.id), WishView(placement_id=both))
    world.do(match_publishing.publish, world.cora, run(world, place))
    wish(world, world.bea, WishView(placement_id=both))

    def planned():
        return {stay["person"] for stay in found(world, run(world, place)).plan["stays"]}

    assert planned() == {world.bea.person_id}, "it is offered to Bob"
    (booking,) = world.ask(bookings.of_person, world.bob)
    world.do(asking.accept, world.bob, booking.id)
    assert planned() == {world.bea.person_id}, "he goes there"
    past = update(BOOKING).where(BOOKING.c.id == booking.id).values(state="completed")
    world.do(lambda tx: tx.execute(past))
    assert planned() == {world.bea.person_id, world.bob.person_id}


def test_two_plans_that_were_made_before_either_is_published_give_nobody_two_stays(world, place):
    world.rules(approvals=(), checklist=())
    both = world.placement(periods=[world.period(), world.period(3)])
    plans = []
    for period in world.periods(both):
        wish(world, world.bob, WishView(placement_id=both, period_id=period.id))
        plans.append(run(world, place))
    one, two = (world.do(match_publishing.publish, world.cora, plan) for plan in plans)
    assert (one.proposed, two.proposed, two.lost) == (1, 0, (world.bob.person_id,))


def test_a_place_that_was_taken_meanwhile_is_not_given_twice(world, place, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = run(world, place)
    world.do(asking.ask, world.bea, placement, period_id=world.periods(placement)[0].id)
    published = world.do(match_publishing.publish, world.cora, match)
    assert (published.proposed, published.lost) == (0, (world.bob.person_id,))
    assert found(world, match).plan["lost"] == [world.bob.person_id]
    assert states(world) == {world.bea.person_id: "confirmed"}


def test_who_has_left_and_what_is_withdrawn_are_passed_over(world, place, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = run(world, place)
    member = table(Membership)
    world.do(
        lambda tx: tx.execute(
            update(member).where(member.c.person_id == world.bob.person_id).values(ended_at=tx.now)
        )
    )
    assert world.do(match_publishing.publish, world.cora, match).lost == (world.bob.person_id,)
    wish(world, world.bea, WishView(placement_id=placement))
    match = run(world, place)
    period = table(Period)
    world.do(lambda tx: tx.execute(update(period).values(withdrawn_at=tx.now)))
    assert world.do(match_publishing.publish, world.cora, match).lost == (world.bea.person_id,)


def test_a_swap_of_desks_becomes_two_stays_or_none(world, place):
    world.rules(approvals=(), checklist=())
    wish(world, world.alice, WishView(organisation_id=world.organisations["business"]), offers_desk=True)
    wish(world, world.bob, WishView(organisation_id=world.organisations["public"]), offers_desk=True)
    match = run(world, place)
    assert found(world, match).figures["swapped"] == 2
    world.do(match_publishing.publish, world.cora, match)
    assert states(world) == {world.alice.person_id: "offered", world.bob.person_id: "offered"}
    one, other = (world.ask(bookings.of_person, actor)[0] for actor in (world.alice, world.bob))
    assert (one.contact_id, other.contact_id) == (world.bob.person_id, world.alice.person_id)
    assert one.stay == other.stay


def test_a_swap_ends_whole_where_one_of_it_cannot_go(world, place):
    wish(world, world.alice, WishView(organisation_id=world.organisations["business"]), offers_desk=True)
    wish(world, world.bob, WishView(organisation_id=world.organisations["public"]), offers_desk=True)
    match = run(world, place)
    member = table(Membership)
    world.do(
        lambda tx: tx.execute(
            update(member).where(member.c.person_id == world.bob.person_id).values(ended_at=tx.now)
        )
    )
    lost = world.do(match_publishing.publish, world.cora, match).lost
    assert lost == tuple(sorted((world.alice.person_id, world.bob.person_id)))
    assert states(world) == {}


def test_a_plan_is_published_once(world, place, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = run(world, place)
    world.do(match_publishing.publish, world.cora, match)
    with pytest.raises(Conflict):
        world.do(match_publishing.publish, world.cora, match)
    assert world.ask(lambda connection: connection.execute(select(func.count(BOOKING.c.id))).scalar()) == 1


def test_the_same_input_and_seed_give_the_same_plan(world, place, placement):
    for guest in (world.bob, world.bea):
        wish(world, guest, WishView(placement_id=placement))
    one, other = found(world, run(world, place, seed=7)), found(world, run(world, place, seed=7))
    assert (one.plan, one.input_hash) == (other.plan, other.input_hash)


def test_a_cancelled_run_leaves_no_plan_and_a_finished_one_stays(world, place, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = start(world)
    world.do(matches.cancel, world.cora, match)
    assert job.run(place, match_id=match) == "nothing to do"
    assert found(world, match).plan is None
    done = run(world, place)
    before = found(world, done)
    world.do(matches.cancel, world.cora, done)
    assert job.run(place, match_id=done) == "nothing to do"
    assert found(world, done) == before


def test_a_run_that_is_cancelled_while_it_goes_on_ends(world, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = start(world)
    world.do(matches.take_up, match)
    world.do(matches.cancel, world.cora, match)
    assert world.do(matches.goes_on, match, "served", 10) is False
    world.do(matches.finish, match, state="done", plan={})
    assert found(world, match).state == "cancelled"


def test_demands_that_exclude_each_other_are_said_with_names(world, place, placement):
    for guest in (world.bob, world.bea):
        wish(world, guest, WishView(placement_id=placement))
    key = found(world, run(world, place)).plan["stays"][0]["offer"]
    pins = [(world.bob.person_id, key), (world.bea.person_id, key)]
    with pytest.raises(Invalid) as invalid:
        start(world, pins=pins, forbids=[(world.bob.person_id, key)])
    said = [error.message % dict(error.values) for error in invalid.value.errors]
    assert any("Bob Kos" in each and "not to go there" in each for each in said)
    assert any("places for 1" in each for each in said)


def test_a_demand_tells_no_name_of_another_programme(world, place, placement):
    period = world.periods(placement)[0]
    key = f"{period.id}:{period.first_day}:{period.last_day}"
    with pytest.raises(Invalid) as invalid:
        start(world, pins=[(world.charlie.person_id, key)])
    assert [dict(error.values)["person"] for error in invalid.value.errors] == ["?"]
    match = found(world, start(world, forbids=[(world.charlie.person_id, key)]))
    assert world.ask(matches.names, world.programme_id, match).people == {}


def test_what_is_pinned_is_kept_and_what_is_ruled_out_is_not(world, place, placement):
    for guest in (world.bob, world.bea):
        wish(world, guest, WishView(placement_id=placement))
    key = found(world, run(world, place)).plan["stays"][0]["offer"]
    for guest in (world.bob, world.bea):
        plan = found(world, run(world, place, pins=[(guest.person_id, key)])).plan
        assert [stay["person"] for stay in plan["stays"]] == [guest.person_id]
        plan = found(world, run(world, place, forbids=[(guest.person_id, key)])).plan
        assert guest.person_id not in [stay["person"] for stay in plan["stays"]]


def test_the_stable_aim_heeds_hosts(world, place, placement):
    for guest in (world.bob, world.bea):
        wish(world, guest, WishView(placement_id=placement))
    for guest in (world.bob, world.bea):
        world.do(preferences.state, world.hana, placement, [guest.person_id])
        plan = found(world, run(world, place, aim="stable")).plan
        assert [stay["person"] for stay in plan["stays"]] == [guest.person_id]


def test_only_coordinators_run_matches_and_see_them(world, place, placement):
    match = run(world, place)
    for actor in (world.bob, world.hana, world.charlie):
        with pytest.raises(NotFound):
            world.ask(matches.find, actor, match)
        with pytest.raises(NotFound):
            world.do(match_publishing.publish, actor, match)
    first, last = world.week()
    with pytest.raises(NotAllowed):
        world.do(matches.start, world.bob, world.programme, first_day=first, last_day=last)


def test_days_that_cannot_be_are_refused(world):
    first, last = world.week()
    with pytest.raises(Invalid):
        world.do(matches.start, world.cora, world.programme, first_day=last, last_day=first)
    world.rules(way="first_come")
    with pytest.raises(Conflict):
        world.do(matches.start, world.cora, world.programme, first_day=first, last_day=last)


def test_a_conflict_that_was_declared_since_the_run_is_heeded(world, place, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = run(world, place)
    host = world.organisations["public"]
    world.do(wishes.declare_conflict, world.bob, world.programme, organisation_id=host)
    assert world.do(match_publishing.publish, world.cora, match).lost == (world.bob.person_id,)
    assert states(world) == {}


def test_a_run_that_breaks_says_that_it_has_ended(world, place, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = start(world)
    broken = table(Match)
    world.do(
        lambda tx: tx.execute(update(broken).where(broken.c.id == match).values(demands={"pins": [[1]]}))
    )
    with pytest.raises(ValueError):
        job.run(place, match_id=match)
    assert found(world, match).state == "failed"


def test_a_stay_in_another_programme_keeps_a_person_from_being_planned_elsewhere_then(
    world, place, placement
):
    """They would lose the place when the plan is published, and nobody would have it."""
    for guest in (world.bob, world.bea):
        wish(world, guest, WishView(placement_id=placement))
    (before,) = found(world, run(world, place, seed=1)).plan["stays"]
    elsewhere(world, before["person"])
    (stay,) = found(world, run(world, place, seed=1)).plan["stays"]
    assert stay["person"] != before["person"]


def elsewhere(world, person_id):
    """Let a person be a guest in another programme in the week that is tested."""
    first, last = world.week()

    def work(tx):
        common = {"programme_id": world.other_programme_id}
        at = tx.execute(
            select(Membership.organisation_id, Membership.sector_id, Membership.person_id).where(
                Membership.programme_id == world.other_programme_id
            )
        ).first()
        made = Placement(
            title="There",
            organisation_id=at.organisation_id,
            contact_id=at.person_id,
            offered_by=at.person_id,
            **common,
        )
        tx.session.add(made)
        tx.session.flush()
        period = Period(placement_id=made.id, first_day=first, last_day=last, **common)
        tx.session.add(period)
        tx.session.flush()
        tx.session.add(
            Booking(
                placement_id=made.id,
                period_id=period.id,
                person_id=person_id,
                organisation_id=at.organisation_id,
                sector_id=at.sector_id,
                state="confirmed",
                first_day=first,
                last_day=last,
                line_at=tx.now,
                uid="there",
                **common,
            )
        )

    world.do(work)


@pytest.mark.parametrize("how", ["withdrawn", "away"])
def test_who_has_taken_their_wishes_back_or_cannot_go_any_more_is_offered_nothing(
    world, place, placement, how
):
    wish(world, world.bob, WishView(placement_id=placement))
    match = run(world, place)
    if how == "withdrawn":
        world.do(wishes.withdraw, world.bob, world.programme)
    else:
        friday = world.week()[1]
        wish(world, world.bob, WishView(placement_id=placement), unavailable=[Span(friday, friday)])
    assert world.do(match_publishing.publish, world.cora, match).lost == (world.bob.person_id,)
    assert states(world) == {}


def test_a_desk_that_is_offered_no_more_is_given_to_nobody(world, place):
    public, business = (world.organisations[sector] for sector in ("public", "business"))
    wish(world, world.alice, WishView(organisation_id=business), offers_desk=True)
    wish(world, world.bob, WishView(organisation_id=public), offers_desk=True)
    match = run(world, place)
    wish(world, world.alice, WishView(organisation_id=business))
    assert world.do(match_publishing.publish, world.cora, match).proposed == 0
    assert states(world) == {}


@pytest.fixture
def swap(world, place):
    """Alice and Bob are to go to each other's desks; the hosts approve."""
    world.rules(approvals=("host",), checklist=())
    wish(world, world.alice, WishView(organisation_id=world.organisations["business"]), offers_desk=True)
    wish(world, world.bob, WishView(organisation_id=world.organisations["public"]), offers_desk=True)
    world.do(match_publishing.publish, world.cora, run(world, place))
    return tuple(world.ask(bookings.of_person, actor)[0].id for actor in (world.alice, world.bob))


@pytest.mark.parametrize("how", ["passed on", "withdrawn", "declined", "cancelled"])
def test_whoever_stays_at_home_ends_the_swap_for_both(world, swap, how):
    alices, bobs = swap
    world.do(asking.accept, world.bob, bobs)
    if how == "passed on":
        world.do(asking.pass_on, world.alice, alices)
    else:
        world.do(asking.accept, world.alice, alices)
    if how == "withdrawn":
        world.do(taking_back.take_back, world.alice, alices)
    if how == "declined":
        world.do(deciding.decide, world.henk, alices, approved=False, reason="No room.")
    if how == "cancelled":
        world.do(deciding.decide, world.henk, alices, approved=True)
        world.do(deciding.decide, world.hana, bobs, approved=True)
        assert set(states(world).values()) == {"confirmed"}
        world.do(taking_back.take_back, world.alice, alices, reason="Ill.")
    assert states(world)[world.bob.person_id] == "cancelled"
    told = world.ask(
        lambda connection: (
            connection.execute(
                select(Notice.kind).where(Notice.booking_id == bobs, Notice.person_id == world.bob.person_id)
            )
            .scalars()
            .all()
        )
    )
    assert told[-1] == ("booking_cancelled" if how == "cancelled" else "booking_ended")


def test_all_who_have_a_confirmed_stay_in_a_calendar_are_told_that_the_swap_is_off(world, swap):
    alices, bobs = swap
    for guest, host, booking in ((world.alice, world.henk, alices), (world.bob, world.hana, bobs)):
        world.do(asking.accept, guest, booking)
        world.do(deciding.decide, host, booking, approved=True)
    world.do(taking_back.take_back, world.alice, alices, reason="Ill.")
    cancelled = select(Notice.person_id).where(Notice.booking_id == bobs, Notice.kind == "booking_cancelled")
    told = set(world.ask(lambda connection: connection.execute(cancelled).scalars().all()))
    assert told == {each.person_id for each in (world.bob, world.hana, world.alice)}


def test_a_desk_is_for_its_guest_alone(world, swap):
    view = world.ask(bookings.find, world.alice, swap[0])
    for stranger in (world.ana, world.fay, world.olga, world.bea, world.charlie):
        with pytest.raises(NotFound):
            world.ask(placements.find, stranger, view.placement_id)
    with pytest.raises(NotFound):
        world.do(asking.ask, world.ana, view.placement_id, period_id=view.period_id)
    offered = world.ask(placements.published, world.ana, world.programme)
    assert view.placement_id not in [each.id for each in offered]
    for reader in (world.alice, world.bob, world.henk, world.cora):
        assert world.ask(placements.find, reader, view.placement_id).is_desk


def test_who_became_an_observer_since_the_run_is_offered_nothing(world, place, placement):
    wish(world, world.bob, WishView(placement_id=placement))
    match = run(world, place)
    member = table(Membership)
    world.do(
        lambda tx: tx.execute(
            update(member).where(member.c.person_id == world.bob.person_id).values(role="observer")
        )
    )
    assert world.do(match_publishing.publish, world.cora, match).lost == (world.bob.person_id,)


def test_a_run_that_was_cancelled_is_not_taken_up(world, placement):
    match = start(world)
    world.do(matches.cancel, world.cora, match)
    assert world.do(matches.take_up, match) is None
    assert found(world, match).state == "cancelled"


@pytest.mark.parametrize("seed", [0, -1, 10**9 + 1, 10**15])
def test_a_seed_that_cannot_be_kept_is_refused(world, seed):
    with pytest.raises(Invalid) as invalid:
        start(world, seed=seed)
    assert [error.field for error in invalid.value.errors] == ["seed"]


def test_a_window_is_matched_week_by_week_and_long_stays_one_after_another(world, place):
    world.rules(approvals=(), checklist=())
    first, last = world.week(0)[0], world.week(5)[1]
    window = world.period(0, first_day=first, last_day=last, is_window=True, places=1)
    short = world.placement(periods=[window], least_days=2, most_days=5)
    long = world.placement(periods=[window], least_days=10, most_days=12)
    market = world.ask(match_market.of, world.programme_id, Span(first, last), world.week(-4)[0])
    days = {
        each: [offer.span for offer in market.offers if offer.placement == each] for each in (short, long)
    }
    assert [span.days for span in days[short]] == [5] * 6
    assert [span.days for span in days[long]] == [10] * 3
    assert all(one.last_day < next_one.first_day for one, next_one in pairwise(days[long]))
