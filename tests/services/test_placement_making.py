"""Offering placements: what can be taken, who may, and what changes with people booked on them."""

from datetime import date, timedelta

import pytest

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound
from app.lib import clock
from app.services import asking, bookings, events, notices, placement_making, placements, taking_back
from app.services.placement_drafts import MOST_PERIODS

GOOD = {"title": "A week in public procurement", "description": "**You** see how we buy."}


@pytest.fixture(autouse=True)
def nobody_approves(world):
    """Bookings that hold a place are all that matters here."""
    world.rules(approvals=())


@pytest.fixture
def offered(world):
    """A placement with two places in one week, for guests of any sector."""
    return world.placement(open_to="any")


def offer(world, actor=None, **fields):
    given = {**GOOD, "periods": [world.period()], **fields}
    return world.do(placement_making.offer, actor or world.hana, world.programme, **given)


def view(world, placement_id):
    return world.ask(placements.find, world.cora, placement_id)


def rows_of(world, placement_id):
    return [
        {name: getattr(each, name) for name in ("id", "first_day", "last_day", "is_window", "places")}
        for each in world.periods(placement_id)
    ]


def change_period(world, placement_id, actor=None, **values):
    rows = rows_of(world, placement_id)
    rows[0] |= values
    return world.do(placement_making.change, actor or world.hana, placement_id, periods=rows)


def ask(world, actor, placement_id, place=0, **values):
    period = world.periods(placement_id)[place]
    return world.do(asking.ask, actor, placement_id, period_id=period.id, **values)


def state(world, booking_id):
    return world.ask(bookings.find, world.cora, booking_id).state


def fields_of(caught):
    return {wrong.field for wrong in caught.value.errors}


def kinds(world, actor):
    return [notice.kind for notice in world.ask(notices.waiting, actor)]


def types(world):
    return [
        event.type for event in world.ask(events.in_programme, world.cora, world.programme, limit=200).rows
    ]


# offering


def test_a_host_offers_places_at_their_own_organisation(world):
    made = view(world, offer(world, competencies=["Public  procurement", "public procurement", "Law"]))
    assert made.host_id == world.organisations["public"]
    assert made.contact_id == world.hana.person_id
    assert made.state == placements.PROPOSED
    assert made.competencies == ("Public procurement", "Law")
    assert "<strong>You</strong>" in made.description_html
    assert [each.places for each in made.periods] == [2]
    assert "placement.offered" in types(world)


def test_coordinators_are_told_of_what_waits_for_them(world):
    offer(world)
    assert kinds(world, world.cora) == ["placement_proposed"]


def test_a_host_cannot_offer_places_of_others(world):
    with pytest.raises(Invalid) as caught:
        offer(world, organisation_id=world.organisations["business"], contact_id=world.bob.person_id)
    assert fields_of(caught) == {"organisation_id"}


def test_a_coordinator_offers_for_any_host(world):
    hosted = {"organisation_id": world.organisations["public"], "contact_id": world.alice.person_id}
    assert view(world, offer(world, world.cora, **hosted)).host_id == world.organisations["public"]


def test_nobody_offers_for_an_organisation_of_another_programme(world):
    elsewhere = world.ask(placements.contacts, world.other_programme_id, 3)[0]
    with pytest.raises(Invalid) as caught:
        offer(world, world.cora, organisation_id=3, contact_id=elsewhere.id)
    assert fields_of(caught) == {"organisation_id", "contact_id"}


def test_the_contact_is_one_of_the_host(world):
    for stranger in (world.bob, world.charlie, world.olga):
        with pytest.raises(Invalid) as caught:
            offer(world, contact_id=stranger.person_id)
        assert fields_of(caught) == {"contact_id"}


@pytest.mark.parametrize("name", ["alice", "fay", "olga", "charlie"])
def test_others_offer_nothing(world, name):
    with pytest.raises(NotAllowed):
        offer(world, getattr(world, name))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"description": ""}, "description"),
        ({"language": "xx"}, "language"),
        ({"open_to": "nobody"}, "open_to"),
        ({"spoken": ["<b>"]}, "spoken"),
        ({"least_days": 0}, "least_days"),
        ({"most_days": 400}, "most_days"),
        ({"least_days": 6, "most_days": 5}, "most_days"),
        ({"competencies": [f"Skill {number}" for number in range(13)]}, "competencies"),
        ({"competencies": ["x" * 81]}, "competencies"),
        ({"place": "x" * 161}, "place"),
        ({"accessibility": "x" * 1001}, "accessibility"),
        ({"confidentiality": "x" * 2001}, "confidentiality"),
    ],
)
def test_what_cannot_be_taken_is_named(world, fields, wrong):
    with pytest.raises(Invalid) as caught:
        offer(world, **fields)
    assert fields_of(caught) == {wrong}


def at(days, length=4):
    first_day = clock.now().date() + timedelta(days=days)
    return {"first_day": first_day, "last_day": first_day + timedelta(days=length)}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (at(60, -1), "last_day"),
        (at(60, 184), "last_day"),
        (at(60, 399), "last_day"),
        (at(-1), "first_day"),
        (at(740), "first_day"),
        ({"first_day": None}, "first_day"),
        ({"last_day": None}, "last_day"),
        ({"places": 0}, "places"),
        ({"places": 501}, "places"),
        ({"places": None}, "places"),
        ({"id": 77}, "id"),
        ({"is_window": True, **at(60, 731)}, "last_day"),
    ],
)
def test_days_that_cannot_be_are_named(world, values, wrong):
    with pytest.raises(Invalid) as caught:
        offer(world, periods=[world.period(4), world.period(**values)])
    assert fields_of(caught) == {f"periods/1/{wrong}"}


def test_the_same_days_stand_once(world):
    with pytest.raises(Invalid) as caught:
        offer(world, periods=[world.period(), world.period(places=3)])
    assert fields_of(caught) == {"periods/1/first_day"}


def test_a_window_and_a_week_in_it_can_stand_together(world):
    _, last_day = world.week()
    window = world.period(is_window=True, last_day=last_day + timedelta(days=60))
    assert len(view(world, offer(world, periods=[world.period(), window])).periods) == 2


def test_there_are_so_many_weeks_at_most(world):
    many = [{**at(30 + number), "is_window": False, "places": 1} for number in range(MOST_PERIODS + 1)]
    assert len(view(world, offer(world, periods=many[1:])).periods) == MOST_PERIODS
    with pytest.raises(Invalid) as caught:
        offer(world, periods=many)
    assert fields_of(caught) == {"periods"}


def test_weeks_cross_the_end_of_a_year_and_the_29_of_february(world, monkeypatch):
    from app.services import stays

    monkeypatch.setattr(stays, "LATEST", timedelta(days=3000))
    spans = [(date(2027, 12, 27), date(2028, 1, 7)), (date(2028, 2, 28), date(2028, 3, 3))]
    leap = (date(2028, 2, 29), date(2028, 2, 29))
    periods = [world.period(first_day=first, last_day=last) for first, last in [*spans, leap]]
    made = view(world, offer(world, periods=periods))
    assert [each.span.days for each in made.periods] == [12, 5, 1]


# review


def test_a_coordinator_publishes_and_the_host_is_told(world):
    made = offer(world)
    with pytest.raises(NotFound):
        world.ask(placements.find, world.bob, made)
    world.do(placement_making.publish, world.cora, made)
    world.do(placement_making.publish, world.cora, made)
    assert world.ask(placements.find, world.bob, made).state == placements.PUBLISHED
    assert kinds(world, world.hana) == ["placement_published"]
    assert types(world).count("placement.published") == 1


def test_without_days_to_come_nothing_is_published(world):
    made = offer(world, periods=[])
    with pytest.raises(Conflict):
        world.do(placement_making.publish, world.cora, made)


def test_a_returned_one_is_reviewed_anew_once_it_is_changed(world):
    made = offer(world)
    with pytest.raises(Invalid):
        world.do(placement_making.send_back, world.cora, made, note=" ")
    world.do(placement_making.send_back, world.cora, made, note="Who receives guests?")
    assert (view(world, made).state, view(world, made).note) == ("returned", "Who receives guests?")
    assert kinds(world, world.hana) == ["placement_returned"]
    world.do(placement_making.change, world.hana, made, title="Better")
    assert view(world, made).state == placements.PROPOSED
    assert kinds(world, world.cora) == ["placement_proposed", "placement_proposed"]


def test_what_is_published_is_not_returned(world, offered):
    with pytest.raises(Conflict):
        world.do(placement_making.send_back, world.cora, offered, note="Too late")


@pytest.mark.parametrize("verb", [placement_making.publish, placement_making.send_back])
def test_only_coordinators_review(world, verb):
    made = offer(world)
    more = {"note": "x"} if verb is placement_making.send_back else {}
    with pytest.raises(NotAllowed):
        world.do(verb, world.hana, made, **more)
    with pytest.raises(NotFound):
        world.do(verb, world.bob, made, **more)


# changing


def test_a_published_one_is_changed_and_stays_published(world, offered):
    assert world.do(placement_making.change, world.hana, offered, title="Another", version=2) == 3
    changed = view(world, offered)
    assert (changed.title, changed.state) == ("Another", placements.PUBLISHED)
    assert len(changed.periods) == 1
    with pytest.raises(Moved):
        world.do(placement_making.change, world.hana, offered, title="Late", version=2)


def test_who_may_not_change_it(world, offered):
    for other in (world.bob, world.henk, world.alice):
        with pytest.raises(NotAllowed):
            world.do(placement_making.change, other, offered, title="Mine")
    with pytest.raises(NotFound):
        world.do(placement_making.change, world.charlie, offered, title="Mine")


def test_places_that_are_taken_stay_and_it_says_whose(world, offered):
    taken = [ask(world, who, offered) for who in (world.bob, world.bea)]
    before = [state(world, each) for each in taken]
    with pytest.raises(Conflict) as caught:
        change_period(world, offered, places=1)
    assert caught.value.values["taken"] == 2
    span = world.periods(offered)[0].span
    assert caught.value.values["who"] == [("Bob Kos", span), ("Bea Čeh", span)]
    assert [state(world, each) for each in taken] == before
    assert world.periods(offered)[0].places == 2


def test_who_only_waits_is_not_named_where_places_become_fewer(world):
    offered = world.placement(periods=[world.period(places=1)])
    ask(world, world.bob, offered)
    ask(world, world.bea, offered)
    change_period(world, offered, places=3)
    third, fourth = world.people(2, "business")
    ask(world, third, offered)
    ask(world, fourth, offered)
    with pytest.raises(Conflict) as caught:
        change_period(world, offered, places=1)
    assert [name for name, _ in caught.value.values["who"]] == ["Bob Kos", "Bea Čeh", third.name]


def test_places_that_nobody_has_can_go(world, offered):
    ask(world, world.bob, offered)
    change_period(world, offered, places=1)
    assert world.periods(offered)[0].free == 0


def test_more_places_go_to_those_who_wait_in_order(world):
    offered = world.placement(periods=[world.period(places=1)])
    waiting = [ask(world, who, offered) for who in (world.bob, world.bea, *world.people(1, "business"))]
    assert [state(world, each) for each in waiting[1:]] == ["waiting", "waiting"]
    change_period(world, offered, places=2)
    assert [state(world, each) for each in waiting[1:]] == ["offered", "waiting"]
    assert "booking_offered" in kinds(world, world.bea)


@pytest.mark.parametrize("who_waits", [False, True])
def test_days_that_are_booked_neither_move_nor_go(world, who_waits):
    offered = world.placement(periods=[world.period(places=1)])
    first = ask(world, world.bob, offered)
    if who_waits:
        ask(world, world.bea, offered)
    moved = dict(zip(("first_day", "last_day"), world.week(1), strict=True))
    with pytest.raises(Conflict) as caught:
        change_period(world, offered, **moved)
    assert ("Bob Kos", world.periods(offered)[0].span) in caught.value.values["who"]
    with pytest.raises(Conflict):
        change_period(world, offered, is_window=True)
    with pytest.raises(Conflict):
        world.do(placement_making.change, world.hana, offered, periods=[world.period(1)])
    assert world.periods(offered)[0].first_day == world.week()[0]
    assert state(world, first) not in ("cancelled", "expired")


def test_days_that_nobody_has_booked_move_and_go(world, offered):
    moved = dict(zip(("first_day", "last_day"), world.week(1), strict=True))
    change_period(world, offered, **moved)
    assert world.periods(offered)[0].first_day == world.week(1)[0]
    world.do(placement_making.change, world.hana, offered, periods=[world.period(5)])
    assert [each.first_day for each in world.periods(offered)] == [world.week(5)[0]]


def test_one_week_is_named_once_in_a_change(world, offered):
    rows = rows_of(world, offered)
    with pytest.raises(Invalid) as caught:
        world.do(
            placement_making.change,
            world.hana,
            offered,
            periods=[*rows, {**rows[0], "last_day": world.week()[1] + timedelta(days=2)}],
        )
    assert fields_of(caught) == {"periods/1/id"}


# taking back


def test_a_placement_with_bookings_is_not_taken_back_silently(world, offered):
    ask(world, world.bob, offered)
    with pytest.raises(Conflict) as caught:
        world.do(placement_making.withdraw, world.hana, offered, reason="We move")
    assert caught.value.values["number"] == 1
    assert caught.value.values["who"] == [("Bob Kos", world.periods(offered)[0].span)]
    with pytest.raises(Invalid) as caught:
        world.do(placement_making.withdraw, world.hana, offered, cancel_bookings=True)
    assert fields_of(caught) == {"reason"}
    assert view(world, offered).state == placements.PUBLISHED


def test_bookings_end_with_it_where_that_is_said_and_their_people_are_told_why(world):
    offered = world.placement(periods=[world.period(places=1)])
    made = [ask(world, who, offered) for who in (world.bob, world.bea)]
    world.do(placement_making.withdraw, world.hana, offered, reason="We move", cancel_bookings=True)
    assert [state(world, each) for each in made] == ["cancelled", "cancelled"]
    for person in (world.bob, world.bea):
        told = world.ask(notices.waiting, person)[0]
        assert told.values["reason"] == "We move"
    assert "booking_offered" not in kinds(world, world.bea)
    assert view(world, offered).state == placements.TAKEN_BACK
    assert types(world)[-1] == "placement.withdrawn"


def test_an_empty_one_is_taken_back_without_a_reason(world, offered):
    held = ask(world, world.bob, offered)
    world.do(taking_back.take_back, world.bob, held, reason="Ill")
    world.do(placement_making.withdraw, world.hana, offered)
    assert view(world, offered).state == placements.TAKEN_BACK
    with pytest.raises(Conflict):
        world.do(placement_making.withdraw, world.hana, offered)
    with pytest.raises(Conflict):
        ask(world, world.bea, offered)


def test_a_host_is_told_when_a_coordinator_takes_it_back(world, offered):
    world.do(placement_making.withdraw, world.cora, offered, reason="The office moves")
    told = world.ask(notices.waiting, world.hana)[0]
    assert (told.kind, told.values["reason"]) == ("placement_withdrawn", "The office moves")


def test_others_take_nothing_back(world, offered):
    with pytest.raises(NotAllowed):
        world.do(placement_making.withdraw, world.bob, offered, reason="x")
