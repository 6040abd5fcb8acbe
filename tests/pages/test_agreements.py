"""The checklist on the page of a booking, and what people wrote shown as what it is."""

import re

import pytest

from app.services import (
    agreements,
    asking,
    bookings,
    deciding,
    exchange_rules,
    placement_making,
    taking_back,
)

NASTY = "100 % secret\n\n\n\n<img src=x onerror=alert(1)> %(guest)s"


@pytest.fixture
def held(site):
    world = site.world
    world.rules(approvals=("host",))
    placement = world.placement(confidentiality=NASTY)
    return world.do(asking.ask, world.bob, placement, period_id=world.periods(placement)[0].id)


def found(site, booking):
    return site.world.ask(bookings.find, site.world.cora, booking)


def test_each_ticks_what_concerns_them_and_the_last_one_confirms(site, held):
    world, path = site.world, f"/bookings/{held}/agreements"
    world.do(deciding.decide, world.hana, held, approved=True)
    for item in ("confidentiality", "interest", "insurance"):
        answer = site.of(world.bob).post(path, {"item": item, "agreed": "1"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/bookings/{held}")
    told = {"item": "contact", "agreed": "1", "answer_contact": "Metka"}
    assert site.of(world.hana).post(path, told).status_code == 303
    assert found(site, held).state == "confirmed"
    page = site.of(world.bob).get(f"/bookings/{held}").text
    assert "Metka" in page
    assert 'name="agreed"' not in page


def test_without_the_tick_or_the_answer_nothing_is_agreed_and_what_was_typed_stays(site, held):
    world, path = site.world, f"/bookings/{held}/agreements"
    answer = site.of(world.hana).post(path, {"item": "contact", "answer_contact": "Metka Zidar"})
    assert answer.status_code == 422
    assert "Please tick the box" in answer.text
    assert "Metka Zidar" in answer.text
    assert site.of(world.hana).post(path, {"item": "contact", "agreed": "1"}).status_code == 422
    assert found(site, held).agreements == ()


def test_nobody_agrees_to_another_text_than_the_one_on_the_page(site, held):
    """The host's terms change while the guest reads; what the guest typed elsewhere and the new text are shown."""
    world, path = site.world, f"/bookings/{held}/agreements"

    def read():
        page = site.of(world.bob).get(f"/bookings/{held}").text
        return re.search(
            r'name="item" value="confidentiality"><input type="hidden" name="seen" value="(\w+)"', page
        )[1]

    form = {"item": "confidentiality", "agreed": "1", "seen": read()}
    placement = found(site, held).placement_id
    world.do(placement_making.change, world.hana, placement, confidentiality="Nothing for ten years.")
    answer = site.of(world.bob).post(path, form)
    assert answer.status_code == 409
    assert "Nothing for ten years." in answer.text
    assert "Please read it again" in answer.text
    assert found(site, held).agreements == ()
    assert site.of(world.bob).post(path, form | {"seen": read()}).status_code == 303
    assert "ten years" in found(site, held).agreements[0].statement


def test_an_item_in_the_place_of_another_is_agreed_to_anew(site, held):
    world = site.world
    rules = {"way": "both", "aim": "most", "country": "SI", "zone": "Europe/Ljubljana", "approvals": "host"}
    rules |= {"hold_days": "14", "offer_days": "3", "link_days": "7", "remind_days": "3"}
    path = "/exchanges/rules?programme=here"

    def ask_for(text):
        item = {"item_key_0": "", "item_party_0": "guest", "item_text_0": text}
        assert site.of(world.cora).post(path, rules | item).status_code == 303
        return world.ask(exchange_rules.find, world.programme_id).checklist[0]

    badge = ask_for("I bring my badge.")
    world.do(agreements.tick, world.bob, held, badge.key)
    assert found(site, held).open_items == ()
    secrecy = ask_for("I tell nobody of the tender.")
    assert found(site, held).open_items == (secrecy,)


def test_signed_out_strangers_and_the_wrong_party(site, held):
    world, path, form = site.world, f"/bookings/{held}/agreements", {"item": "interest", "agreed": "1"}
    assert site.nobody.post(path, form).status_code in (303, 401)
    assert site.of(world.charlie).post(path, form).status_code == 404
    assert site.of(world.hana).post(path, form).status_code == 403
    assert found(site, held).agreements == ()


@pytest.mark.parametrize("language", ["en", "sl"])
def test_terms_and_reasons_of_people_are_shown_as_they_wrote_them(site, held, language):
    world = site.world
    site.of(world.bob).post(f"/bookings/{held}/agreements", {"item": "confidentiality", "agreed": "1"})
    world.do(deciding.decide, world.hana, held, approved=False, reason=f"No room. {NASTY}")
    for actor, path in (
        (world.bob, f"/bookings/{held}"),
        (world.bob, "/me"),
        (world.hana, f"/bookings/{held}"),
    ):
        page = site.of(actor, language).get(path)
        assert page.status_code == 200, path
        assert "<img src=x" not in page.text, path
        assert "Project-Id-Version" not in page.text, path


def test_a_reason_for_a_cancellation_is_text(site, held):
    world = site.world
    world.do(taking_back.take_back, world.cora, held, reason=NASTY)
    page = site.of(world.bob).get(f"/bookings/{held}")
    assert page.status_code == 200
    assert "<img src=x" not in page.text
    assert "100 % secret" in page.text
