"""The page that a link by mail opens: it shows what is asked, and one click on it decides."""

import logging
import re

import pytest
from sqlalchemy import select, update

from app.integrations import seal
from app.models import Booking, DecisionLink
from app.models.base import table
from app.services import asking, bookings, moving, taking_back
from app.services.home_managers import Manager

LINK = table(DecisionLink)
MAJA = Manager(None, "Maja Kos", "maja@example.org")


@pytest.fixture
def held(site):
    """Bob's stay, with a manager who has no account; then the host decides."""
    world = site.world
    world.rules(approvals=("manager", "host"))
    placement = world.placement(periods=[world.period(0), world.period(1)])
    period = world.periods(placement)[0].id
    return world.do(
        asking.ask, world.bob, placement, period_id=period, manager=MAJA, message="To see <b>forms</b>."
    )


def address(world):
    """That of the newest link."""
    row = world.ask(lambda c: c.execute(select(LINK).order_by(LINK.c.id.desc())).first())
    return f"/decisions/{seal.link_token(row.id, row.nonce)}"


def state(site, booking):
    found = site.world.ask(bookings.find, site.world.cora, booking)
    return found.state, found.asked


def test_it_says_what_is_asked_without_an_account_and_changes_nothing(site, held):
    page = site.nobody.get(address(site.world))
    assert page.status_code == 200
    for text in ("Bob Kos", "To see &lt;b&gt;forms&lt;/b&gt;.", "Approve", "Decline"):
        assert text in page.text
    for path in (address(site.world), address(site.world) + "?utm=1"):
        assert site.client.head(path).status_code == 200
        site.nobody.get(path, headers={"Purpose": "prefetch"})
    assert state(site, held) == ("held", ("manager",))
    assert site.nobody.get(address(site.world)).status_code == 200


def test_a_click_approves_and_the_next_ones_are_asked(site, held):
    answer = site.nobody.post(address(site.world), {"approved": "1"})
    assert answer.status_code == 200
    assert "The others who decide are asked next" in answer.text
    assert state(site, held) == ("held", ("host",))


def test_the_last_one_who_approves_is_told_so(site, held):
    site.world.rules(approvals=("manager",))
    answer = site.nobody.post(address(site.world), {"approved": "1"})
    assert "so has everyone who was asked" in answer.text
    assert "are asked next" not in answer.text
    assert state(site, held)[0] == "approved"


def test_declining_needs_a_reason_and_a_too_long_one_is_kept(site, held):
    path = address(site.world)
    assert site.nobody.post(path, {"approved": "0"}).status_code == 422
    long = "No time. " * 150
    answer = site.nobody.post(path, {"approved": "0", "reason": long})
    assert answer.status_code == 422
    assert long.strip() in answer.text
    assert state(site, held) == ("held", ("manager",))
    assert "The guest is told" in site.nobody.post(path, {"approved": "0", "reason": "No time."}).text
    assert state(site, held)[0] == "declined"


def test_it_decides_once(site, held):
    path = address(site.world)
    site.nobody.post(path, {"approved": "1"})
    for answer in (site.nobody.post(path, {"approved": "0", "reason": "Oh no."}), site.nobody.get(path)):
        assert answer.status_code == 410
        assert "This link has been used" in answer.text
    assert state(site, held) == ("held", ("host",))


@pytest.mark.parametrize("what", ["withdrawn", "moved", "expired"])
def test_it_decides_nothing_any_more_once_things_have_changed(site, held, what):
    world, path = site.world, address(site.world)
    if what == "withdrawn":
        world.do(taking_back.take_back, world.bob, held)
    elif what == "moved":
        other = world.ask(bookings.find, world.bob, held).placement_id
        world.do(moving.move, world.bob, held, period_id=world.periods(other)[1].id)
    else:
        row = table(Booking)
        early = world.ask(lambda c: c.execute(select(row.c.created_at).where(row.c.id == held)).scalar())
        world.do(lambda tx: tx.execute(update(LINK).values(expires_at=early)))
    before = state(site, held)
    for answer in (site.nobody.get(path), site.nobody.post(path, {"approved": "1"})):
        assert answer.status_code == 410
        assert 'name="approved"' not in answer.text
    assert state(site, held) == before


@pytest.mark.parametrize("wrong", ["1.x", "x", "1." + "a" * 43, "99999999999999999999.aaa", "1.%00"])
def test_what_is_no_link_of_ours_leads_nowhere(site, held, wrong):
    assert site.nobody.get(f"/decisions/{wrong}").status_code == 404
    assert site.nobody.post(f"/decisions/{wrong}", {"approved": "1"}).status_code == 404
    assert state(site, held) == ("held", ("manager",))


def test_another_sites_form_decides_nothing(site, held):
    answer = site.nobody.post(
        address(site.world), {"approved": "1"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert state(site, held) == ("held", ("manager",))


def test_the_page_is_kept_nowhere_and_passes_its_address_on_to_no_one(site, held):
    for answer in (
        site.nobody.get(address(site.world)),
        site.nobody.post(address(site.world), {"approved": "1"}),
    ):
        headers = answer.headers
        assert headers["cache-control"] == "no-store"
        assert headers.get_list("referrer-policy") == ["strict-origin"]
        assert "noindex" in headers["x-robots-tag"]


def test_the_address_stands_in_no_log_and_no_measurement(site, held, caplog, capfd):
    path = address(site.world)
    secret = re.escape(path.rpartition(".")[2])
    with caplog.at_level(logging.DEBUG):
        site.nobody.get(path)
        site.nobody.post(path, {"approved": "0"})
        site.nobody.post(path, {"approved": "1"})
    measured = site.context.measures.text().decode()
    assert "/decisions/{token}" in measured
    out, err = capfd.readouterr()
    assert not re.search(secret, caplog.text + out + err + measured)
