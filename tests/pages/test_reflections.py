"""Looking back on a stay, and its story, on pages."""

import re

import pytest
from sqlalchemy import update

from app.models import Booking
from app.services import asking, bookings

ANSWERS = {"learned": "How you buy.", "surprised": "The <pace>.", "next": "A form.", "language": "en"}
STORY = {"title": "A week away", "body": "We **met**.", "language": "en"}


@pytest.fixture
def over(site):
    world = site.world
    world.rules(approvals=("host",), checklist=())
    placement = world.placement()
    booking = world.do(asking.ask, world.bob, placement, period_id=world.periods(placement)[0].id)
    world.do(lambda tx: tx.execute(update(Booking).where(Booking.id == booking).values(state="completed")))
    return booking


def test_both_write_and_both_read(site, over):
    world, path = site.world, f"/bookings/{over}/reflection"
    for actor in (world.bob, world.hana):
        assert site.of(actor).get(path).status_code == 200
        assert site.of(actor).post(path, ANSWERS).status_code == 303
    assert world.ask(bookings.find, world.cora, over).state == "reflected"
    page = site.of(world.hana).get(f"/bookings/{over}").text
    assert page.count("The &lt;pace&gt;.") == 2
    assert "How you buy." in site.of(world.bob).get(path).text, "one's own stands in the form"


def test_what_is_missing_is_named_and_what_was_typed_stays(site, over):
    answer = site.of(site.world.bob).post(f"/bookings/{over}/reflection", ANSWERS | {"next": ""})
    assert answer.status_code == 422
    assert "Please write something here." in answer.text
    assert "How you buy." in answer.text


def test_signed_out_strangers_and_coordinators_do_not_write(site, over):
    world = site.world
    for path, form in ((f"/bookings/{over}/reflection", ANSWERS), (f"/bookings/{over}/story", STORY)):
        assert site.nobody.post(path, form).status_code in (303, 401)
        assert site.of(world.charlie).post(path, form).status_code == 404
        assert site.of(world.cora).post(path, form).status_code == 403


def test_a_story_is_told_once_both_consent_and_no_longer_when_one_does_not(site, over):
    world, path = site.world, f"/bookings/{over}/story"
    assert site.of(world.bob).post(path, STORY).status_code == 303
    everyone = site.of(world.alice)
    assert "A week away" not in everyone.get("/exchanges/stories?programme=here").text
    assert site.of(world.hana).post(f"{path}/consent", {"version": "7"}).status_code in (409, 412)
    assert site.of(world.hana).post(f"{path}/consent", {"version": "1"}).status_code == 303
    page = everyone.get("/exchanges/stories?programme=here").text
    assert "A week away" in page
    assert "<strong>met</strong>" in page
    assert site.of(world.bob).post(f"{path}/withdrawal").status_code == 303
    assert "A week away" not in everyone.get("/exchanges/stories?programme=here").text
    assert site.of(world.charlie).get("/exchanges/stories?programme=here").status_code == 404


def test_two_who_write_the_story_at_once_do_not_overwrite_each_other(site, over):
    world, path = site.world, f"/bookings/{over}/story"

    def opened(actor):
        page = site.of(actor).get(path).text
        return {"version": re.search(r'name="version" value="(\d+)"', page)[1]}

    first, second = opened(world.bob), opened(world.hana)
    assert site.of(world.bob).post(path, STORY | first).status_code == 303
    late = site.of(world.hana).post(path, STORY | second | {"title": "Five days", "body": "They **came**."})
    assert late.status_code == 412
    assert "They **came**." in late.text, "what was typed stays"
    assert "A week away" in site.of(world.hana).get(f"/bookings/{over}").text
    assert (
        site.of(world.hana).post(path, STORY | opened(world.hana) | {"title": "Five days"}).status_code == 303
    )
    assert site.of(world.bob).post(path, STORY | first).status_code == 412
    assert "Five days" in site.of(world.bob).get(f"/bookings/{over}").text
