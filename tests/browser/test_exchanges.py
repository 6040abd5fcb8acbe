"""An exchange from the offer to the story: by several people, one of them through a link in a mail."""

import re
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from app.jobs import mail
from app.jobs.workplace import Workplace
from app.models import Booking, DecisionLink
from app.models.base import table
from app.services import asking, booking_clock
from tests.browser.audit import findings, overflow
from tests.browser.browsing import PHONE, Browsing
from tests.browser.keys import tab_to
from tests.factories.world import World
from tests.identity.serving import free_port

NARROW = {"viewport": {"width": 320, "height": 640}}
BOOKING = table(Booking)
LINK = table(DecisionLink)


class Letters:
    """A mail server's handler that keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def letters() -> Any:
    letters = Letters()
    letters.port = free_port()
    controller = Controller(letters, hostname="127.0.0.1", port=letters.port)
    controller.start()
    yield letters
    controller.stop()


@pytest.fixture
def rules(world: World) -> None:
    world.rules(approvals=("manager", "host", "coordinator"), in_order=True, way="both")


def send_newest_link(world: World, letters: Any, url: str) -> str:
    """Mail the newest decision link through the real server; the address in the mail."""
    query = select(LINK.c.id).order_by(LINK.c.id.desc()).limit(1)
    link = world.ask(lambda connection: connection.execute(query).scalar())
    place = Workplace(world.database, url, "no-reply@board.test", f"smtp://127.0.0.1:{letters.port}")
    assert mail.deliver_link(place, link) == "sent"
    text = letters.taken[-1].get_body(("plain",)).get_content()
    found = re.search(r"http://\S+/decisions/\S+", text)
    assert found
    return found[0]


def is_fine(page: Page) -> None:
    assert findings(page) == []
    assert overflow(page) == []


def test_from_the_offer_to_the_next_in_line(
    browsing: Browsing, world: World, rules: None, letters: Any
) -> None:
    first, last = world.week(1)
    one, other = world.people(2, "business")
    host = browsing.page_of(world.hana)
    host.goto("/programmes/here/placements/new")
    host.get_by_label("Title", exact=True).fill("Behind the counter")
    host.get_by_label("What a guest will see and do").fill("A week at the counter.")
    host.locator("#field-first_day_0").fill(first.isoformat())
    host.locator("#field-last_day_0").fill(last.isoformat())
    host.locator("#field-places_0").fill("1")
    host.get_by_role("button", name="Offer it").click()
    host.wait_for_url(re.compile(r"/placements/\d+$"))
    address = host.url
    coordinator = browsing.page_of(world.cora)
    coordinator.goto(address)
    coordinator.get_by_role("button", name="Publish").click()

    guest = browsing.page_of(one, **PHONE)
    guest.goto(address)
    guest.get_by_role("link", name=re.compile("Ask for a place")).tap()
    guest.get_by_label("A word to the host").fill("I write the forms that you stamp.")
    guest.get_by_label("Their name").fill("Marta Zajc")
    guest.get_by_label("Their mail address").fill("marta@example.org")
    guest.get_by_role("button", name="Ask for it").tap()
    guest.wait_for_url(re.compile(r"/bookings/\d+$"))
    expect(guest.get_by_text("It waits for: the home manager")).to_be_visible()
    is_fine(guest)
    stay = guest.url

    manager = browsing.page()
    link = send_newest_link(world, letters, browsing.url)
    manager.goto(link)
    is_fine(manager)
    guest.reload()
    expect(guest.get_by_text("It waits for: the home manager")).to_be_visible()
    manager.get_by_role("button", name="Approve").click()
    expect(manager.get_by_text("You have approved it")).to_be_visible()
    browsing.witness.expects("410")
    manager.goto(link)
    expect(manager.get_by_text("This link has been used")).to_be_visible()

    _decide_and_agree(guest, host, coordinator, stay)
    is_fine(guest)
    _next_in_line(browsing.page_of(other), guest, address)


def _decide_and_agree(guest: Page, host: Page, coordinator: Page, stay: str) -> None:
    """The two others approve, and both sides go through the checklist."""
    for page in (host, coordinator):
        page.goto(stay)
        page.get_by_role("button", name="Approve").click()
    guest.reload()
    for _ in range(3):
        guest.locator("#checklist input[type=checkbox]").first.check()
        guest.locator("#checklist").get_by_role("button", name="I agree").first.tap()
    host.goto(stay)
    host.locator("#checklist input[type=checkbox]").first.check()
    host.locator("#field-answer_contact").fill("Hana, at the gate")
    host.locator("#checklist").get_by_role("button", name="I agree").click()
    guest.reload()
    expect(guest.locator("header .pill-ok", has_text="confirmed")).to_be_visible()


def _next_in_line(second: Page, guest: Page, address: str) -> None:
    """Someone waits in line, the first cancels, and the place is offered at once."""
    second.goto(address)
    second.get_by_role("link", name=re.compile("Wait in line")).click()
    second.get_by_label("Their name").fill("Nace Kralj")
    second.get_by_label("Their mail address").fill("nace@example.org")
    second.get_by_role("button", name="Ask for it").click()
    expect(second.get_by_text("You stand at place 1 in line.")).to_be_visible()
    guest.get_by_text("Cancel the stay").tap()
    guest.get_by_label("Reason").fill("A deadline moved.")
    guest.get_by_role("button", name="Cancel it").tap()
    expect(guest.get_by_text("This booking has ended.")).to_be_visible()
    second.reload()
    second.get_by_role("button", name="Accept the place").click()
    expect(second.get_by_text("It waits for: the home manager")).to_be_visible()


def test_both_sides_look_back_and_tell_a_story(browsing: Browsing, world: World) -> None:
    world.rules(approvals=(), checklist=())
    placement = world.placement(periods=[world.period(30)])  # nobody has a stay of another test in this week
    period = world.periods(placement)[0].id
    booking = world.do(asking.ask, world.bea, placement, period_id=period)
    first, last = world.week(-20)
    days = {"first_day": first, "last_day": last}
    world.do(lambda tx: tx.execute(update(BOOKING).where(BOOKING.c.id == booking).values(**days)))
    assert world.do(booking_clock.settle, booking) == "completed"
    for actor in (world.bea, world.hana):
        page = browsing.page_of(actor, **NARROW)
        page.goto(f"/bookings/{booking}/reflection")
        for label in ("What I learned", "What surprised me", "What I do next"):
            page.get_by_label(label).fill(f"{label}: a lot.")
        is_fine(page)
        page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Both sides have written what they take from it.")).to_be_visible()
    page.get_by_role("link", name="Tell the story to everyone").click()
    page.get_by_label("Title").fill("A stamp less")
    page.get_by_label("Text", exact=True).fill("On Thursday a stamp was *gone*.")
    page.get_by_role("button", name="Save and ask for consent").click()
    guest = browsing.page_of(world.bea)
    guest.goto(f"/bookings/{booking}")
    guest.get_by_role("button", name="I consent to this text").click()
    reader = browsing.page_of(world.olga)
    reader.goto("/exchanges/stories")
    expect(reader.get_by_role("heading", name="A stamp less")).to_be_visible()
    is_fine(reader)


def test_without_scripts_a_stay_is_asked_for_and_declined(browsing: Browsing, world: World) -> None:
    world.rules(approvals=("host",), way="both")
    placement = world.placement(periods=[world.period(31)])
    guest = browsing.page_of(world.bob, java_script_enabled=False)
    guest.goto(f"/placements/{placement}")
    guest.get_by_role("link", name=re.compile("Ask for a place")).click()
    guest.get_by_role("button", name="Ask for it").click()
    guest.wait_for_url(re.compile(r"/bookings/\d+$"))
    host = browsing.page_of(world.hana, java_script_enabled=False)
    host.goto("/exchanges/inbox")
    host.goto(guest.url)
    browsing.witness.expects("422")
    host.get_by_role("button", name="Decline").click()
    expect(host.get_by_role("heading", name="Please mend this first")).to_be_visible()
    host.get_by_label("Reason").first.fill("We move house that week.")
    host.get_by_role("button", name="Decline").click()
    guest.reload()
    expect(guest.get_by_text("We move house that week.").first).to_be_visible()


def test_by_keyboard_alone_a_place_is_asked_for(browsing: Browsing, world: World) -> None:
    world.rules(approvals=(), checklist=(), way="both")
    placement = world.placement(periods=[world.period(32)])
    [guest] = world.people(1, "business")
    page = browsing.page_of(guest)
    page.goto(f"/placements/{placement}")
    tab_to(page, "main a[href*='bookings/new']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/bookings/new"))
    tab_to(page, "main .form-actions button")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/bookings/\d+$"))
    expect(page.locator("header .pill-ok", has_text="confirmed")).to_be_visible()
