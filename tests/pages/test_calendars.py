"""Calendars read stays at secret addresses, which people make and revoke on a page."""

import re

import ics
import pytest
import vobject

from app.services import asking, deciding
from app.services.home_managers import Manager
from tests.pages.conftest import Browser
from tests.services.test_calendar_feeds import DAY, year_of_stays

ADDRESS = re.compile(r'id="new-address">([^<]+)<')
DEAD = "/calendars/" + "x" * 43 + ".ics"


@pytest.fixture
def stay(site):
    """A confirmed stay of Bob at Hana's."""
    world = site.world
    world.rules(checklist=())
    placement = world.placement()
    period = world.periods(placement)[0]
    booking = world.do(
        asking.ask,
        world.bob,
        placement,
        period_id=period.id,
        message="between us",
        manager=Manager(name="Marta Zorko", email="marta@firm.example"),
    )
    world.rules(approvals=("host", "coordinator"))
    for who in (world.hana, world.cora):
        world.do(deciding.decide, who, booking, approved=True)
    return booking


def made(browser, **fields):
    """The address of a feed that was just made on the page."""
    page = browser.post("/exchanges/feeds", fields)
    assert page.status_code == 201
    return ADDRESS.search(page.text)[1].removeprefix("http://testserver")


def test_an_address_is_shown_once_and_reads_the_stays_without_a_session(site, stay):
    bob = site.of(site.world.bob)
    address = made(bob)
    assert address not in bob.get("/exchanges/feeds").text
    answer = site.nobody.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert "private" in answer.headers["cache-control"]
    assert "STATUS:CONFIRMED" in answer.text
    unfolded = answer.text.replace("\r\n ", "")
    assert "between us" not in unfolded
    assert "marta" not in unfolded.lower()


def test_a_feed_that_has_not_changed_is_not_sent_again(site, stay):
    address = made(site.of(site.world.bob))
    first = site.nobody.get(address)
    again = site.nobody.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert site.nobody.get(address).content == first.content


def test_two_parsers_read_a_year_with_both_changes_of_time_over_http(site, stay):
    spans = year_of_stays(site.world, stay)
    text = site.nobody.get(made(site.of(site.world.bob))).text
    events = vobject.readOne(text).vevent_list
    one = {(event.dtstart.value, event.dtend.value) for event in events}
    other = {(event.begin.date(), event.end.date()) for event in ics.Calendar(text).events}
    assert one == other == {(first, last + DAY) for first, last in spans}
    assert len({event.uid.value for event in events}) == len(spans)


def test_a_revoked_address_shows_nothing_any_more(site, stay):
    bob = site.of(site.world.bob)
    address = made(bob)
    form = re.search(r'action="(/exchanges/feeds/\d+/revocation[^"]*)"', bob.get("/exchanges/feeds").text)[1]
    assert site.of(site.world.alice).post(form).status_code == 404
    assert site.nobody.get(address).status_code == 200
    assert bob.post(form).status_code == 303
    assert site.nobody.get(address).status_code == 404
    assert bob.post(form).status_code == 303


def test_one_cannot_make_the_calendar_of_an_organisation_that_one_does_not_follow(site):
    world = site.world
    own, other = world.organisations["public"], world.organisations["business"]
    hana = site.of(world.hana)
    assert hana.post("/exchanges/feeds", {"organisation_id": str(other)}).status_code == 403
    assert site.of(world.alice).post("/exchanges/feeds", {"organisation_id": str(own)}).status_code == 403
    assert hana.post("/exchanges/feeds", {"organisation_id": "999999"}).status_code == 404
    assert made(hana, organisation_id=str(own))


def test_strangers_and_the_signed_out_do_not_reach_the_page(site):
    assert site.nobody.get("/exchanges/feeds").status_code in (303, 401)
    slug = site.world.programme.slug
    assert site.of(site.world.charlie).get(f"/exchanges/feeds?programme={slug}").status_code == 404
    assert site.of(site.world.charlie).post(f"/exchanges/feeds?programme={slug}").status_code == 404


def test_the_eleventh_address_is_refused_in_words(site):
    bob = site.of(site.world.bob)
    for _ in range(10):
        made(bob)
    page = bob.post("/exchanges/feeds")
    assert page.status_code == 409
    assert "You have 10 calendar addresses already" in page.text


@pytest.mark.parametrize("path", [DEAD, "/calendars/.ics", "/calendars/a%00b.ics", "/calendars/č.ics"])
def test_what_is_no_address_leads_nowhere(site, path):
    assert site.nobody.get(path).status_code in (400, 404)


def test_the_secret_stands_in_no_log_and_no_measure(site, stay, capfd):
    bob = site.of(site.world.bob)
    address = made(bob)
    secret = address.removeprefix("/calendars/").removesuffix(".ics")
    site.nobody.get(address)
    site.nobody.get(address + "x")
    measures = site.context.measures.text().decode()
    assert "/calendars/{token}.ics" in measures
    assert secret not in measures
    said = capfd.readouterr()
    assert secret not in said.out + said.err


def test_reading_a_feed_takes_few_statements_and_writes_nothing(site, stay):
    address = made(site.of(site.world.bob))
    with site.statements() as seen:
        site.nobody.get(address)
    assert len(seen) <= 3
    assert all(statement.lstrip().upper().startswith("SELECT") for statement in seen)


def test_the_page_takes_few_statements(site, stay):
    bob: Browser = site.of(site.world.bob)
    made(bob)
    with site.statements() as seen:
        assert bob.get("/exchanges/feeds").status_code == 200
    assert len(seen) <= 8
