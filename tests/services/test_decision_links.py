"""Decision links: a manager without an account decides by one once, and nothing else opens, uses or outlives it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.errors import DomainError, Gone, Invalid, NotFound
from app.integrations import seal
from app.lib import clock
from app.models import Booking, BookingStep, Decision, DecisionLink, Event, Notice, Period
from app.models.base import table
from app.services import asking, booking_steps, deciding, decision_links, home_managers, moving, taking_back
from app.services.home_managers import Manager

LINK = table(DecisionLink)
MAJA = Manager(None, "Maja Kos", "maja@example.org")


@pytest.fixture
def held(world):
    """Bob's stay, with a manager who has no account."""
    placement = world.placement(periods=[world.period(0), world.period(1)])
    period = world.periods(placement)[0].id
    return world.do(asking.ask, world.bob, placement, period_id=period, manager=MAJA)


def links(world):
    """Each link that was sent: its row and its token."""
    rows = world.ask(lambda c: c.execute(select(LINK).order_by(LINK.c.id)).all())
    return [(row, seal.link_token(row.id, row.nonce)) for row in rows]


def token(world):
    return links(world)[-1][1]


def problem(world, token):
    return world.ask(decision_links.opened, token).problem


def found(world, booking):
    return world.ask(booking_steps.found, booking)


def refused(world, token, because):
    """It is gone, says why, and changes nothing."""
    assert problem(world, token) == because
    with pytest.raises(Gone) as caught:
        world.do(deciding.decide_by_link, token, approved=True)
    assert caught.value.message == because


def everything(world):
    """All rows that a decision could change."""
    tables = [table(each) for each in (Booking, BookingStep, Decision, DecisionLink, Event, Notice)]
    return world.ask(lambda c: [c.execute(select(each)).all() for each in tables])


def test_a_manager_decides_by_the_link_with_their_name(world, held):
    assert world.do(deciding.decide_by_link, token(world), approved=True) == held
    booking = found(world, held)
    (decision,) = booking.decisions
    assert (decision.role, decision.approved, decision.by) == ("manager", True, "Maja Kos")
    assert booking.asked == ("host",)


def test_a_refusal_by_link_has_a_reason_as_well(world, held):
    with pytest.raises(Invalid):
        world.do(deciding.decide_by_link, token(world), approved=False)
    assert problem(world, token(world)) is None, "it can still be used"
    world.do(deciding.decide_by_link, token(world), approved=False, reason="We need Bob here")
    assert found(world, held).state == "declined"


def test_it_is_kept_as_a_nonce_and_good_for_days(world, held):
    ((row, made),) = links(world)
    assert row.expires_at - row.created_at == timedelta(days=7)
    assert world.ask(decision_links.token, row.id) == made
    assert row.email == "maja@example.org"


def test_opening_it_decides_nothing_however_often(world, held):
    before = everything(world)
    for _ in range(3):
        opened = world.ask(decision_links.opened, token(world))
        assert (opened.booking.id, opened.problem, opened.name) == (held, None, "Maja Kos")
    assert everything(world) == before


def test_a_link_decides_once(world, held):
    world.do(deciding.decide_by_link, token(world), approved=True)
    for approved in (True, False):
        with pytest.raises(Gone, match="has been used"):
            world.do(deciding.decide_by_link, token(world), approved=approved, reason="Again")
    refused(world, token(world), decision_links.USED)
    assert world.ask(decision_links.token, links(world)[0][0].id) is None, "nor is it mailed again"


def test_of_two_clicks_at_once_one_decides(world, held):
    other = Database(world.database.url.render_as_string(hide_password=False))
    made = token(world)

    def click(database, approved):
        try:
            return database.write_now(
                lambda tx: deciding.decide_by_link(tx, made, approved=approved, reason="So")
            )
        except DomainError as error:
            return type(error)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(click, (world.database, other), (True, False)))
    other.close()
    assert sorted(answers, key=str) == [held, Gone]
    assert found(world, held).state == ("held" if answers[0] == held else "declined")


def test_only_our_signature_opens_it(world, held):
    made = token(world)
    number, _, signature = made.partition(".")
    other = "A" if signature[0] != "A" else "B"
    forged = (
        f"{number}.{other}{signature[1:]}",
        f"{int(number) + 1}.{signature}",
        number,
        "",
        made + "A",
        "x.y",
    )
    for wrong in forged:
        with pytest.raises(NotFound):
            world.ask(decision_links.opened, wrong)
        with pytest.raises(NotFound):
            world.do(deciding.decide_by_link, wrong, approved=True)
    assert found(world, held).decisions == ()


def test_after_its_days_it_decides_nothing(world, held):
    past = update(DecisionLink).values(expires_at=clock.now() - timedelta(seconds=1))
    world.do(lambda tx: tx.execute(past))
    refused(world, token(world), decision_links.OUT_OF_TIME)
    assert found(world, held).decisions == ()
    assert world.ask(decision_links.token, links(world)[0][0].id) is None


def test_it_ends_when_the_booking_is_withdrawn(world, held):
    world.do(taking_back.take_back, world.bob, held)
    refused(world, token(world), decision_links.MOVED_ON)
    assert found(world, held).state == "withdrawn"


def test_it_ends_when_the_stay_is_moved_and_another_is_sent(world, held):
    first = token(world)
    second_week = world.periods(found(world, held).placement_id)[1].id
    world.do(moving.move, world.bob, held, period_id=second_week)
    refused(world, first, decision_links.MOVED_ON)
    assert len(links(world)) == 2
    world.do(deciding.decide_by_link, token(world), approved=True)
    assert found(world, held).asked == ("host",)


def test_a_newer_link_ends_the_one_before(world, held):
    first = token(world)
    world.do(lambda tx: decision_links.send(tx, booking_steps.held(tx, held)))
    refused(world, first, decision_links.TAKEN_BACK)
    assert problem(world, token(world)) is None


def test_it_ends_when_another_manager_is_named(world, held):
    first = token(world)
    world.do(home_managers.name, world.bob, held, Manager(world.bea.person_id))
    refused(world, first, decision_links.TAKEN_BACK)
    assert len(links(world)) == 1
    world.do(deciding.decide, world.bea, held, approved=True)
    assert found(world, held).asked == ("host",)


def test_what_is_full_meanwhile_leaves_the_link_good(world, held):
    world.do(lambda tx: tx.execute(update(Period).values(places=0)))
    with pytest.raises(DomainError, match="No place is left"):
        world.do(deciding.decide_by_link, token(world), approved=True)
    assert problem(world, token(world)) is None


def test_a_manager_with_an_account_gets_no_link(world):
    placement = world.placement()
    chosen = Manager(world.bea.person_id)
    period = world.periods(placement)[0].id
    world.do(asking.ask, world.bob, placement, period_id=period, manager=chosen)
    assert links(world) == []


def test_where_the_host_comes_first_the_link_is_sent_when_it_is_the_managers_turn(world):
    world.rules(approvals=("host", "manager"))
    placement = world.placement()
    period = world.periods(placement)[0].id
    held = world.do(asking.ask, world.bob, placement, period_id=period, manager=MAJA)
    assert links(world) == []
    world.do(deciding.decide, world.hana, held, approved=True)
    assert len(links(world)) == 1
