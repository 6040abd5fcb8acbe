"""Placements as people find them: what is free, who sees what, and what a search leaves out."""

from datetime import date, timedelta

import pytest

from app.errors import NotAllowed, NotFound
from app.lib.days import Span
from app.services import asking, placement_making, placements
from app.services.orders import Order
from app.services.placements import Filter, PeriodView


def day(number):
    return date(2027, 5, number)


def span(first, last):
    return Span(day(first), day(last))


def week(*, places=2, taken=(), waiting=0):
    return PeriodView(1, 1, day(3), day(7), is_window=False, places=places, taken=taken, waiting=waiting)


def window(*, places=2, taken=()):
    return PeriodView(1, 1, day(3), day(28), is_window=True, places=places, taken=taken)


def found(world, actor=None, **wanted):
    today = wanted.pop("today", None)
    rows = world.ask(placements.published, actor or world.bob, world.programme, Filter(**wanted), today=today)
    return [each.id for each in rows]


def take(world, actor, placement_id, **days):
    return world.do(asking.ask, actor, placement_id, period_id=world.periods(placement_id)[0].id, **days)


# what is free


def test_a_week_has_as_many_free_places_as_nobody_holds():
    assert week().free == 2
    assert week(taken=(span(3, 7),)).free == 1
    assert week(taken=(span(3, 7),) * 2).free == 0
    assert week(places=1, taken=(span(3, 7),) * 2).free == 0


def test_a_window_has_what_is_free_on_its_emptiest_day():
    assert window(places=1, taken=(span(3, 27),)).free == 1
    assert window(places=1, taken=(span(3, 14), span(15, 28))).free == 0
    assert window(places=3, taken=(span(3, 14), span(10, 28), span(12, 16))).free == 2
    assert window(places=1, taken=(span(10, 14),)).free == 1


def test_a_stay_fits_where_a_place_is_free_on_each_of_its_days():
    busy = window(places=1, taken=(span(10, 14),))
    assert busy.fits(span(3, 9))
    assert not busy.fits(span(9, 10))
    assert not busy.fits(span(14, 16))
    assert busy.fits(span(15, 28))


def test_periods_are_open_until_a_stay_can_no_longer_begin(world):
    first, last = world.week()
    later = world.week(2)[1]
    window_after = world.period(is_window=True, last_day=later)
    made = world.placement(periods=[world.period(), window_after])
    placement = world.ask(placements.find, world.bob, made)
    a_day = timedelta(days=1)
    assert [each.last_day for each in placement.open_periods(first - a_day)] == [last, later]
    assert [each.last_day for each in placement.open_periods(first)] == [later]
    assert [each.last_day for each in placement.open_periods(later - a_day)] == [later]
    assert placement.open_periods(later) == ()


# who sees what


def test_what_is_proposed_is_seen_by_its_host_and_coordinators(world):
    made = world.placement(published=False)
    for person in (world.hana, world.cora):
        assert world.ask(placements.find, person, made).state == placements.PROPOSED
    for person in (world.bob, world.alice, world.henk, world.olga, world.charlie):
        with pytest.raises(NotFound):
            world.ask(placements.find, person, made)


def test_what_is_published_is_seen_by_every_member(world):
    made = world.placement()
    for person in (world.bob, world.olga, world.fay):
        assert world.ask(placements.find, person, made).id == made
    with pytest.raises(NotFound):
        world.ask(placements.find, world.charlie, made)
    with pytest.raises(NotFound):
        world.ask(placements.find, world.bob, made + 1000)
    with pytest.raises(NotAllowed):
        found(world, world.charlie)


def test_each_host_finds_what_they_offer_and_a_coordinator_all(world):
    own, other = world.placement(), world.placement(world.henk, published=False)
    gone = world.placement()
    world.do(placement_making.withdraw, world.hana, gone)

    def of(actor):
        return [each.id for each in world.ask(placements.of_host, actor, world.programme)]

    assert of(world.hana) == [own]
    assert of(world.henk) == [other]
    assert of(world.cora) == [other, own]
    assert of(world.bob) == []


def test_what_waits_for_review_is_for_coordinators(world):
    proposed, _published = world.placement(published=False), world.placement()
    returned = world.placement(published=False)
    world.do(placement_making.send_back, world.cora, returned, note="Why?")
    seen = world.ask(placements.to_coordinate, world.cora, world.programme)
    assert [each.id for each in seen if each.state == placements.PROPOSED] == [proposed]
    with pytest.raises(NotAllowed):
        world.ask(placements.to_coordinate, world.hana, world.programme)


# searching


def test_words_are_looked_for_in_title_text_place_and_host(world):
    made = world.placement(title="Buying 100%", description="How we **buy**.", place="Žalec")
    world.placement(world.henk, title="Other", description="Else", place="Koper")
    for words in ("buying", "BUY how", "žalec", "administration house", "100%"):
        assert found(world, words=words) == [made], words
    for words in ("buying koper", "100_", "nothing"):
        assert found(world, words=words) == [], words


def test_place_sector_host_and_competency_narrow_it_down(world):
    ours = world.placement(place="Žalec", competencies=["Law"])
    theirs = world.placement(world.henk, place="Koper", competencies=["Sales"])
    assert found(world, place="žal") == [ours]
    assert found(world, sector="business") == [theirs]
    assert found(world, host=world.organisations["public"]) == [ours]
    assert found(world, competency=" LAW ") == [ours]
    assert found(world, competency="law", sector="business") == []
    assert set(found(world)) == {ours, theirs}


def test_days_narrow_it_down_to_what_touches_them(world):
    made = world.placement(periods=[world.period(), world.period(4)])
    (first, last), (later, _) = world.week(), world.week(4)
    a_day = timedelta(days=1)
    assert found(world, first_day=last, last_day=last + a_day) == [made]
    assert found(world, first_day=last + a_day, last_day=later - a_day) == []
    assert found(world, last_day=first - a_day) == []
    assert found(world, first_day=later) == [made]
    assert found(world, today=later) == [made]
    assert found(world, today=later + timedelta(days=30)) == []


def test_free_places_are_counted_on_the_days_that_are_looked_for(world):
    world.rules(approvals=())
    made = world.placement(periods=[world.period(places=1), world.period(4, places=1)])
    assert found(world, free=True) == [made]
    take(world, world.bob, made)
    first, last = world.week()
    assert found(world, free=True) == [made]
    assert found(world, free=True, first_day=first, last_day=last) == []
    assert found(world, first_day=first, last_day=last) == [made]


def test_a_catalogue_is_read_page_by_page(world):
    made = [world.placement(title=f"Number {number}") for number in range(3)]
    page = world.ask(placements.published, world.bob, world.programme, limit=2)
    assert [each.id for each in page] == made[:2]
    narrow = Filter(words="number 2")
    assert [
        each.id for each in world.ask(placements.published, world.bob, world.programme, narrow, limit=1)
    ] == made[2:]
    rest = world.ask(placements.published, world.bob, world.programme, order=Order(after=(made[1],)))
    assert [each.id for each in rest] == made[2:]


# what goes with them


def test_who_waits_is_counted_beside_what_is_taken(world):
    world.rules(approvals=())
    made = world.placement(periods=[world.period(places=1)])
    for person in (world.bob, world.bea, *world.people(2, "business")):
        take(world, person, made)
    period = world.periods(made)[0]
    assert (period.free, period.waiting, len(period.taken)) == (0, 3, 1)


def test_competencies_are_listed_once_as_they_were_written_first(world):
    world.placement(competencies=["Public law", "Tenders"])
    world.placement(world.henk, competencies=["PUBLIC  law", "Sales"])
    world.placement(competencies=["Unseen"], published=False)
    assert world.ask(placements.competencies, world.programme_id) == ["Public law", "Tenders", "Sales"]


def test_contacts_are_those_who_work_at_the_host(world):
    world.hana  # noqa: B018 -- she is there from here on
    names = [
        row.name for row in world.ask(placements.contacts, world.programme_id, world.organisations["public"])
    ]
    assert "Hana Vidmar" in names
    assert "Bob Kos" not in names
    assert "Olga Kralj" not in names
