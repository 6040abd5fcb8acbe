"""What people are told of exchanges: words with titles and days, in their language, and where to look."""

import pytest

from app.lib import i18n
from app.services import asking, notice_words, notices
from app.web.problems import said

KINDS = sorted(
    kind for kind in notice_words.WORDS if kind.startswith(("placement_", "booking_", "story_", "match_"))
)


@pytest.fixture
def booking(world):
    """Bob's stay at a placement; nobody has to approve."""
    world.rules(approvals=())
    offered = world.placement(title="Buying well")
    made = world.do(asking.ask, world.bob, offered, period_id=world.periods(offered)[0].id)
    world.do(notices.read_all, world.bob)
    return offered, made


def told(world, kind, **about):
    first, last = world.week()
    data = {"reason": "because", "from": first.isoformat(), "to": last.isoformat(), "match_id": 7}
    world.do(notices.tell, [world.bob.person_id], kind, programme_id=world.programme_id, data=data, **about)
    [view] = world.ask(notices.waiting, world.bob)
    return view


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_that_can_be_filled(world, booking, kind):
    placement_id, booking_id = booking
    about, path = {"booking_id": booking_id}, f"/bookings/{booking_id}"
    if kind.startswith("placement_"):
        about, path = {"placement_id": placement_id}, f"/placements/{placement_id}"
    if kind.startswith("match_"):
        about, path = {}, "/matches/7/mine"
    view = told(world, kind, **about)
    words = said("en", view.message, view.values)
    assert view.path == path
    assert view.subject
    assert "%(" not in words
    assert ("Buying well" in words) == (not kind.startswith("match_"))
    if "%(days)s" in view.message:
        assert i18n.days(*world.week(), "en") in words
    if "%(reason)s" in view.message:
        assert "because" in words
