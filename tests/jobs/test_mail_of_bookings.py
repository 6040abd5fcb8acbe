"""Mails about stays, through a real SMTP server: links by which a manager decides, invitations and cancellations."""

import re
from datetime import timedelta

import pytest
from icalendar import Calendar
from pydantic import SecretStr
from sqlalchemy import select, update
from starlette.testclient import TestClient

from app.integrations import queue
from app.jobs import mail
from app.jobs.workplace import Workplace
from app.lib import clock
from app.main import create_app
from app.models import Booking, DecisionLink, Notice
from app.services import asking, deciding, decision_links, moving, taking_back
from app.services.home_managers import Manager
from app.settings import Settings
from tests.factories.world import World
from tests.jobs.places import PostOffice, Worker, until
from tests.jobs.test_worker import recorded

pytest_plugins = ["tests.jobs.fixtures"]
pytestmark = pytest.mark.usefixtures("mail_on")

MARTA = Manager(name="Marta Zorko", email="marta@firm.example")


@pytest.fixture
def world(jobs_database):
    """The small world on a database with a line of jobs, with one week at Hana's and no checklist."""
    world = World(jobs_database)
    world.rules(checklist=())
    return world


@pytest.fixture
def placement(world):
    return world.placement(periods=[world.period(places=1), world.period(1, places=1)])


@pytest.fixture
def workplace(jobs_database):
    return Workplace(
        jobs_database, "http://board.test", "Partnership <no-reply@board.test>", "smtp://127.0.0.1:1"
    )


def asked(world, placement, manager=MARTA):
    period = world.periods(placement)[0]
    return world.do(asking.ask, world.bob, placement, period_id=period.id, manager=manager)


def confirmed(world, placement):
    booking = asked(world, placement, Manager(world.bea.person_id))
    approve(world, booking, world.bea, world.hana, world.cora)
    return booking


def approve(world, booking, *people):
    for who in people:
        world.do(deciding.decide, who, booking, approved=True)


def notice_of(world, person, booking, kind):
    """The id of the newest notice of a kind."""
    query = (
        select(Notice.id)
        .where(Notice.person_id == person.person_id, Notice.booking_id == booking, Notice.kind == kind)
        .order_by(Notice.id.desc())
    )
    return world.ask(lambda connection: connection.execute(query).scalars().first())


def letter(world, workplace, person, booking, kind):
    return mail.compose(workplace, notice_of(world, person, booking, kind))


def event(letter):
    """The one event in a letter's calendar."""
    assert letter.calendar is not None
    (found,) = Calendar.from_ical(letter.calendar.content).walk("VEVENT")
    return found


def link_of(world, booking):
    """The id of the newest link."""
    query = select(DecisionLink.id).where(DecisionLink.booking_id == booking).order_by(DecisionLink.id.desc())
    return world.ask(lambda connection: connection.execute(query).scalars().first())


@pytest.mark.slow
def test_from_the_link_in_a_mail_to_the_cancellation_in_a_calendar(jobs_database, world, placement, tmp_path):
    booking = asked(world, placement)
    with PostOffice() as office, Worker(jobs_database.plain_url, office.url, directory=tmp_path) as worker:

        def taken(address, kind):
            return [
                message
                for to, message in office.letters
                if to == address and kind in message.get_body(("plain",)).get_content()
            ]

        until(lambda: taken("marta@firm.example", "/decisions/"), 30, "the link")
        (message,) = taken("marta@firm.example", "/decisions/")
        text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
        assert "Bob Kos" in text
        path, token = re.search(r"http://board\.test(/decisions/(\S+))", text).groups()
        url = SecretStr(jobs_database.plain_url)
        site = create_app(Settings(_env_file=None, database_url=url, base_url="http://board.test"))
        with TestClient(site, base_url="http://board.test") as browser:
            page = browser.get(path)
        assert page.status_code == 200
        assert "Bob Kos" in page.text
        world.do(deciding.decide_by_link, token, approved=True)
        approve(world, booking, world.hana, world.cora)
        until(lambda: taken("bob@example.org", "is confirmed"), 30, "the invitation")
        invited = entry(taken("bob@example.org", "is confirmed")[0], "REQUEST")
        assert entry(taken("hana@example.org", "is confirmed")[0], "REQUEST")["UID"] == invited["UID"]
        world.do(taking_back.take_back, world.hana, booking, reason="The office moves")
        until(lambda: taken("bob@example.org", "is cancelled"), 30, "the cancellation")
        cancelled = entry(taken("bob@example.org", "is cancelled")[0], "CANCEL")
        idle = {"waiting": 0, "postponed": 0, "in_hand": 0, "failed": 0}
        until(lambda: jobs_database.read_now(queue.counts) == idle, 30, "all jobs done")
        log = worker.log.read_text()
    assert cancelled["UID"] == invited["UID"]
    assert cancelled["SEQUENCE"] > invited["SEQUENCE"]
    assert token not in log
    assert token.partition(".")[2] not in log
    assert token.partition(".")[2] not in recorded(jobs_database)
    assert "example" not in log


def entry(message, method):
    """The event that a message puts into a calendar or takes out of it."""
    part = next(each for each in message.walk() if each.get_content_type() == "text/calendar")
    assert part.get_param("method") == method
    calendar = Calendar.from_ical(part.get_content())
    assert calendar["METHOD"] == method
    (found,) = calendar.walk("VEVENT")
    return found


def test_a_link_that_is_no_longer_good_is_not_mailed(world, placement, workplace):
    booking = asked(world, placement)
    first = link_of(world, booking)
    assert mail.compose_link(workplace, first) is not None
    world.do(taking_back.take_back, world.bob, booking)
    assert mail.compose_link(workplace, first) is None


def test_a_link_that_has_expired_is_not_mailed(world, placement, workplace):
    link = link_of(world, asked(world, placement))
    over = update(DecisionLink).values(expires_at=clock.now() - timedelta(seconds=1))
    world.do(lambda tx: tx.execute(over))
    assert mail.compose_link(workplace, link) is None


def test_the_letter_of_a_link_has_one_name_and_says_who_where_when_and_until_when(
    world, placement, workplace
):
    link = link_of(world, asked(world, placement))
    one, other = mail.compose_link(workplace, link), mail.compose_link(workplace, link)
    assert one == other
    assert one.id == decision_links.mail_id(link)
    assert one.to == "marta@firm.example"
    assert one.calendar is None
    for said in ("Bob Kos", "A week in public procurement", "Public administration House of Here"):
        assert said in one.body


def test_guest_hosts_and_manager_are_invited_each_as_themselves(world, placement, workplace):
    booking = confirmed(world, placement)
    first, last = world.week()
    for person, email in ((world.bob, "bob"), (world.hana, "hana"), (world.bea, "bea")):
        found = letter(world, workplace, person, booking, "booking_confirmed")
        assert found.calendar.method == "REQUEST"
        held = event(found)
        assert str(held["ATTENDEE"]) == f"mailto:{email}@example.org"
        assert str(held["ORGANIZER"]) == "mailto:no-reply@board.test"
        assert held["DTSTART"].dt == first
        assert held["DTEND"].dt == last + timedelta(days=1)
        assert held["TRANSP"] == ("OPAQUE" if person is world.bob else "TRANSPARENT")
        assert str(held["UID"]).endswith("@board.test")


def test_each_letter_after_another_has_a_higher_sequence(world, placement, workplace):
    booking = confirmed(world, placement)
    seen = [event(letter(world, workplace, world.hana, booking, "booking_confirmed"))]
    later = world.periods(placement)[1]
    world.do(moving.move, world.bob, booking, period_id=later.id)
    seen.append(event(letter(world, workplace, world.hana, booking, "booking_unconfirmed")))
    approve(world, booking, world.bea, world.hana, world.cora)
    seen.append(event(letter(world, workplace, world.hana, booking, "booking_confirmed")))
    world.do(taking_back.take_back, world.bob, booking, reason="Ill")
    seen.append(event(letter(world, workplace, world.hana, booking, "booking_cancelled")))
    sequences = [each["SEQUENCE"] for each in seen]
    assert sequences == sorted(set(sequences))
    assert {str(each["UID"]) for each in seen} == {str(seen[0]["UID"])}
    assert [str(each["STATUS"]) for each in seen] == ["CONFIRMED", "CANCELLED", "CONFIRMED", "CANCELLED"]
    assert seen[2]["DTSTART"].dt == later.first_day


def test_a_letter_that_comes_late_says_nothing_that_is_no_longer_true(world, placement, workplace):
    booking = confirmed(world, placement)
    world.do(moving.move, world.bob, booking, period_id=world.periods(placement)[1].id)
    late = letter(world, workplace, world.hana, booking, "booking_confirmed")
    assert late is not None
    assert late.calendar is None
    approve(world, booking, world.bea, world.hana, world.cora)
    late = letter(world, workplace, world.hana, booking, "booking_unconfirmed")
    assert late is not None
    assert late.calendar is None


@pytest.mark.parametrize("who", ["bob", "hana"])
def test_whoever_cancels_has_it_taken_out_of_their_own_calendar_too(world, placement, workplace, who):
    booking = confirmed(world, placement)
    actor = getattr(world, who)
    world.do(taking_back.take_back, actor, booking, reason="Ill")
    found = letter(world, workplace, actor, booking, "booking_cancelled")
    assert found.calendar.method == "CANCEL"


def test_whoever_moves_a_stay_has_the_old_days_taken_out_of_their_own_calendar(world, placement, workplace):
    booking = confirmed(world, placement)
    world.do(moving.move, world.bob, booking, period_id=world.periods(placement)[1].id)
    assert letter(world, workplace, world.bob, booking, "booking_unconfirmed").calendar.method == "CANCEL"


def test_a_coordinator_who_was_not_invited_is_told_without_a_calendar(world, placement, workplace):
    booking = confirmed(world, placement)
    world.do(taking_back.take_back, world.bob, booking, reason="Ill")
    told = letter(world, workplace, world.cora, booking, "booking_cancelled")
    assert told is not None
    assert told.calendar is None


def test_an_invitation_goes_out_though_its_notice_was_read(world, placement, workplace):
    booking = confirmed(world, placement)
    world.do(lambda tx: tx.execute(update(Notice).values(read_at=clock.now())))
    assert letter(world, workplace, world.bob, booking, "booking_confirmed").calendar is not None
    assert letter(world, workplace, world.hana, booking, "booking_to_decide") is None
    world.do(lambda tx: tx.execute(update(Booking).values(state="under_way")))
    assert letter(world, workplace, world.bob, booking, "booking_confirmed").calendar is not None
