"""Bookings on pages: asking, deciding, moving, taking back; what is refused is said, and what was typed stays."""

import re

import pytest

from app.services import asking, bookings, deciding, placement_making, wishes
from app.services.home_managers import Manager
from app.services.wishes import WishView

PAGE = 8
MAJA = Manager(None, "Maja Kos", "maja@example.org")


@pytest.fixture
def placement(site):
    """One place in each of two weeks, and a window; manager and host approve."""
    world = site.world
    world.rules(approvals=("manager", "host"))
    first, last = world.week(4)[0], world.week(8)[1]
    window = world.period(0, first_day=first, last_day=last, is_window=True, places=1)
    return world.placement(
        periods=[world.period(0, places=1), world.period(1, places=1), window], least_days=2, most_days=4
    )


def asked(site, placement, actor=None, number=0):
    period = site.world.periods(placement)[number].id
    return site.world.do(asking.ask, actor or site.world.bob, placement, period_id=period, manager=MAJA)


def found(site, booking):
    return site.world.ask(bookings.find, site.world.cora, booking)


def version(page):
    return re.search(r'name="version" value="(\d+)"', page.text)[1]


# asking


def test_a_place_is_asked_for_and_the_booking_says_what_happens_next(site, placement):
    bob = site.of(site.world.bob)
    period = site.world.periods(placement)[0].id
    form = bob.get(f"/placements/{placement}/bookings/new?period={period}")
    assert "1 place free" in form.text
    assert "a link by mail" in form.text
    answer = bob.post(
        f"/placements/{placement}/bookings",
        {
            "period_id": str(period),
            "message": "I bring <i>time</i>.",
            "manager_name": "Maja Kos",
            "manager_email": "maja@example.org",
            "may_wait": "1",
        },
    )
    assert answer.status_code == 303
    page = bob.get(answer.headers["location"]).text
    assert "the home manager" in page
    assert "I bring &lt;i&gt;time&lt;/i&gt;." in page
    assert "maja@example.org" in page


def test_who_finds_no_place_stands_in_line_and_others_read_it_of_the_guest(site, placement):
    asked(site, placement)
    waiting = asked(site, placement, site.world.bea)
    assert "You stand at place 1 in line." in site.of(site.world.bea).get(f"/bookings/{waiting}").text
    page = site.of(site.world.hana).get(f"/bookings/{waiting}").text
    assert "The guest stands at place 1 in line." in page
    assert "You stand at place" not in page


def test_without_the_wish_to_wait_a_full_week_is_refused_and_the_words_stay(site, placement):
    asked(site, placement)
    period = site.world.periods(placement)[0].id
    answer = site.of(site.world.bea).post(
        f"/placements/{placement}/bookings",
        {
            "period_id": str(period),
            "message": "Kept words",
            "manager_name": "M",
            "manager_email": "m@example.org",
        },
    )
    assert answer.status_code == 409
    assert "No place is free on these days" in answer.text
    assert "Kept words" in answer.text


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("0001-01-01", "9999-12-31", "Please stay within"),
        ("garbage", "", "Please stay within"),
        ("start+3", "start+1", "The last day is before the first one."),
        ("start+0", "start+0", "A stay lasts from 2 to 4 days here"),
        ("start+0", "start+400", "Please stay within"),
    ],
)
def test_days_that_cannot_be_are_named_and_kept(site, placement, first, last, said):
    from datetime import timedelta

    start = site.world.periods(placement)[2].first_day

    def day(text):
        return (start + timedelta(days=int(text[6:]))).isoformat() if text.startswith("start") else text

    period = site.world.periods(placement)[2].id
    answer = site.of(site.world.bob).post(
        f"/placements/{placement}/bookings",
        {
            "period_id": str(period),
            "first_day": day(first),
            "last_day": day(last),
            "manager_name": "Maja",
            "manager_email": "maja@example.org",
            "message": "Kept words",
        },
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert "Kept words" in answer.text
    assert 'value="Maja"' in answer.text


def test_a_manager_is_asked_for_by_name(site, placement):
    period = site.world.periods(placement)[0].id
    answer = site.of(site.world.bob).post(f"/placements/{placement}/bookings", {"period_id": str(period)})
    assert answer.status_code == 422
    assert 'href="#field-manager_email"' in answer.text


# who may see it


def test_guest_host_and_coordinator_see_a_booking_and_nobody_else(site, placement):
    world = site.world
    booking = asked(site, placement)
    for actor in (world.bob, world.hana, world.cora):
        assert site.of(actor).get(f"/bookings/{booking}").status_code == 200
    for actor in (world.bea, world.alice, world.fay, world.olga, world.charlie, world.henk):
        assert site.of(actor).get(f"/bookings/{booking}").status_code == 404
        assert site.of(actor).post(f"/bookings/{booking}/withdrawal").status_code == 404
    assert site.nobody.get(f"/bookings/{booking}").status_code == 303
    assert "maja@example.org" not in site.of(world.hana).get(f"/bookings/{booking}").text


# deciding


@pytest.fixture
def at_host(site, placement):
    """A stay that the manager has approved: the host is asked."""
    world = site.world
    booking = world.do(
        asking.ask,
        world.bob,
        placement,
        period_id=world.periods(placement)[0].id,
        manager=Manager(world.bea.person_id),
    )
    world.do(deciding.decide, world.bea, booking, approved=True)
    return booking


def test_the_host_approves_from_the_page(site, at_host):
    hana = site.of(site.world.hana)
    assert f"/bookings/{at_host}" in hana.get("/exchanges/inbox").text
    assert hana.post(f"/bookings/{at_host}/decisions", {"role": "host", "approved": "1"}).status_code == 303
    assert found(site, at_host).state == "approved"


def test_declining_without_a_reason_is_refused_beside_that_very_field(site, at_host):
    hana = site.of(site.world.hana)
    answer = hana.post(
        f"/bookings/{at_host}/decisions", {"role": "host", "approved": "0", "reason_host": " "}
    )
    assert answer.status_code == 422
    assert 'href="#field-reason_host"' in answer.text
    assert 'id="error-reason_end"' not in answer.text
    hana.post(
        f"/bookings/{at_host}/decisions", {"role": "host", "approved": "0", "reason_host": "No <room>."}
    )
    assert found(site, at_host).state == "declined"
    assert "No &lt;room&gt;." in site.of(site.world.bob).get(f"/bookings/{at_host}").text


def test_no_two_fields_of_the_page_share_an_id(site, at_host):
    for actor in (site.world.hana, site.world.cora, site.world.bob):
        page = site.of(actor).get(f"/bookings/{at_host}").text
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_a_click_on_a_page_that_is_old_by_now_decides_nothing(site, at_host):
    hana, bob = site.of(site.world.hana), site.of(site.world.bob)
    old = version(hana.get(f"/bookings/{at_host}"))
    stay = found(site, at_host)
    other = site.world.periods(stay.placement_id)[1].id
    assert bob.post(f"/bookings/{at_host}/move", {"period_id": str(other)}).status_code == 303
    site.world.do(deciding.decide, site.world.bea, at_host, approved=True)
    answer = hana.post(f"/bookings/{at_host}/decisions", {"role": "host", "approved": "1", "version": old})
    assert answer.status_code == 412
    assert "Someone has changed this booking in the meantime." in answer.text
    assert found(site, at_host).state == "held"


@pytest.mark.parametrize("role", ["coordinator", "clock", "x" * 300])
def test_a_role_that_one_has_not_decides_nothing(site, at_host, role):
    answer = site.of(site.world.hana).post(f"/bookings/{at_host}/decisions", {"role": role, "approved": "1"})
    assert answer.status_code in (403, 422)
    assert found(site, at_host).state == "held"


# moving, ending, answering


def test_moving_to_a_full_week_keeps_the_place_and_says_so(site, placement):
    world = site.world
    mine = asked(site, placement)
    asked(site, placement, world.bea, 1)
    other = world.periods(placement)[1].id
    answer = site.of(world.bob).post(f"/bookings/{mine}/move", {"period_id": str(other)})
    assert answer.status_code == 409
    assert "Your present place is kept" in answer.text
    assert found(site, mine).period_id == world.periods(placement)[0].id


def test_what_is_taken_back_goes_to_the_next_who_accepts_or_passes_it_on(site, placement):
    world = site.world
    mine, next_one = asked(site, placement), asked(site, placement, world.bea)
    assert site.of(world.bob).post(f"/bookings/{mine}/withdrawal").status_code == 303
    bea = site.of(world.bea)
    assert "Accept the place" in bea.get(f"/bookings/{next_one}").text
    assert bea.post(f"/bookings/{next_one}/acceptance").status_code == 303
    assert found(site, next_one).state == "held"
    third = asked(site, placement)
    bea.post(f"/bookings/{next_one}/withdrawal")
    assert site.of(world.bob).post(f"/bookings/{third}/passing").status_code == 303
    assert found(site, third).state == "passed_on"


def test_cancelling_what_is_confirmed_needs_a_reason_beside_its_own_field(site, placement):
    site.world.rules(approvals=(), checklist=())
    booking = asked(site, placement)
    bob = site.of(site.world.bob)
    answer = bob.post(f"/bookings/{booking}/withdrawal", {"reason_end": ""})
    assert answer.status_code == 422
    assert 'id="error-reason_end"' in answer.text
    assert '<details class="more" open><summary>Cancel the stay' in answer.text
    assert bob.post(f"/bookings/{booking}/withdrawal", {"reason_end": "Ill."}).status_code == 303
    assert found(site, booking).state == "cancelled"


def test_another_manager_is_named_and_an_own_address_is_not(site, placement):
    booking = asked(site, placement)
    bob = site.of(site.world.bob)
    path = f"/bookings/{booking}/manager"
    answer = bob.post(path, {"manager_name": "I", "manager_email": "bob@example.org"})
    assert answer.status_code == 422
    assert "This is your own address" in answer.text
    assert bob.post(path, {"manager_id": str(site.world.bea.person_id)}).status_code == 303
    assert found(site, booking).manager_id == site.world.bea.person_id


def test_a_coordinator_finds_what_waits_however_much_is_over(site):
    """What is long over and not reflected on does not hide what waits."""
    from sqlalchemy import update

    from app.models import Booking

    world = site.world
    world.rules(approvals=(), checklist=())
    placement = world.placement(periods=[world.period(number, places=3) for number in range(3)])
    for number, actor in enumerate((world.bob, world.bea)):
        old = asked(site, placement, actor, number)
        world.do(
            lambda tx, old=old: tx.execute(update(Booking).where(Booking.id == old).values(state="completed"))
        )
    world.rules(approvals=("coordinator",))
    waits = asked(site, placement, world.henk, 2)
    assert [each.id for each in world.ask(bookings.waiting_for, world.cora, most=1)] == [waits]


@pytest.mark.parametrize("path", ["/exchanges/console", "/exchanges/rules", "/exchanges/matches"])
def test_what_coordinators_run_is_theirs_alone(site, path):
    world = site.world
    assert site.of(world.cora).get(path).status_code == 200
    for actor in (world.bob, world.hana, world.olga):
        assert site.of(actor).get(path).status_code == 403
    assert site.of(world.charlie).get(f"{path}?programme=here").status_code == 404


# what pages cost, and that reading changes nothing


def test_pages_of_exchanges_stay_within_eight_statements(site, placement):
    world = site.world
    bookings_ = [
        asked(site, placement),
        asked(site, placement, world.bea),
        asked(site, placement, world.bea, 1),
    ]
    for number in range(4):
        made = world.placement(title=f"Number {number}", competencies=[f"Skill {number}"])
        world.do(wishes.state, world.bob, world.programme, wishes=[WishView(placement_id=made)])
    world.do(placement_making.offer, world.hana, world.programme, title="To review", description="x")
    costs = {}
    for name, pages in (
        ("bob", ["/me", "/exchanges/mine", "/exchanges/inbox", "/exchanges/wishes", "/exchanges/ledger"]),
        ("bob", [f"/placements/{placement}/bookings/new", f"/bookings/{bookings_[0]}"]),
        ("bea", [f"/bookings/{bookings_[1]}", f"/bookings/{bookings_[1]}/move", "/exchanges/stories"]),
        (
            "hana",
            ["/me", "/exchanges/inbox", f"/bookings/{bookings_[2]}", f"/placements/{placement}/preferences"],
        ),
        (
            "cora",
            ["/exchanges/console", "/exchanges/rules", "/exchanges/matches", f"/bookings/{bookings_[1]}"],
        ),
    ):
        browser = site.of(getattr(world, name))
        for page in pages:
            browser.get(page)
            with site.statements() as seen:
                assert browser.get(page).status_code == 200, page
            assert all(statement.startswith(("SELECT", "WITH", "PRAGMA")) for statement in seen), page
            costs[name, page] = len(seen)
    assert {page: cost for page, cost in costs.items() if cost > PAGE} == {}
