"""Calendar feeds: what stands in them, for whom, for how long, and when they end."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import ics
import pytest
import vobject
from icalendar import Calendar
from sqlalchemy import insert, select, update

from app.errors import Conflict, NotAllowed, NotFound
from app.lib import clock, secrets
from app.models import Booking, CalendarFeed, Event, Membership, Person, Placement
from app.services import asking, calendar_feeds, deciding, taking_back
from app.services.home_managers import Manager
from app.web import calendar_files

DAY = timedelta(days=1)
LJUBLJANA = ZoneInfo("Europe/Ljubljana")


@pytest.fixture
def placement(world):
    world.rules(checklist=())
    return world.placement()


@pytest.fixture
def stay(world, placement):
    """A stay of Bob at Hana's that holds a place."""
    period = world.periods(placement)[0]
    manager = Manager(name="Marta Zorko", email="marta@firm.example")
    world.rules(approvals=("host",))
    return world.do(
        asking.ask, world.bob, placement, period_id=period.id, message="between us", manager=manager
    )


def feed(world, actor, **whose):
    return world.do(calendar_feeds.make, actor, world.programme, **whose).token


def entries(world, token):
    return world.ask(calendar_feeds.read, token).entries


def change(world, booking, **values):
    world.do(lambda tx: tx.execute(update(Booking).where(Booking.id == booking).values(**values)))


def confirm(world, booking):
    world.do(deciding.decide, world.hana, booking, approved=True)


def own(world, sector="public"):
    return world.organisations[sector]


def test_only_a_hash_of_the_secret_is_kept_and_the_making_is_on_record(world):
    token = feed(world, world.bob)
    (kept,) = world.ask(lambda connection: connection.execute(select(CalendarFeed.__table__)).all())
    assert kept.token_hash == secrets.digest(token)
    assert token not in str(kept)
    events = world.ask(lambda connection: connection.execute(select(Event.type, Event.data)).all())
    assert "feed.made" in [event.type for event in events]
    assert token not in str(events)


def test_a_personal_feed_has_own_stays_and_those_that_one_receives(world, stay):
    (guest,) = entries(world, feed(world, world.bob))
    (contact,) = entries(world, feed(world, world.hana))
    assert (guest.way, guest.is_own) == ("goes", True)
    assert (contact.way, contact.is_own) == ("comes", False)
    for other in (world.alice, world.bea, world.cora):
        assert entries(world, feed(world, other)) == ()


def test_an_organisations_feed_has_all_who_come_and_go(world, stay):
    assert [each.way for each in entries(world, feed(world, world.hana, organisation_id=own(world)))] == [
        "comes"
    ]
    company = own(world, "business")
    assert [each.way for each in entries(world, feed(world, world.henk, organisation_id=company))] == ["goes"]
    assert [each.way for each in entries(world, feed(world, world.cora, organisation_id=company))] == ["goes"]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("held", "TENTATIVE"),
        ("approved", "TENTATIVE"),
        ("confirmed", "CONFIRMED"),
        ("under_way", "CONFIRMED"),
        ("completed", "CONFIRMED"),
        ("reflected", "CONFIRMED"),
    ],
)
def test_what_holds_a_place_stands_in_the_feed_by_how_sure_it_is(world, stay, state, status):
    change(world, stay, state=state)
    assert [each.status for each in entries(world, feed(world, world.bob))] == [status]


@pytest.mark.parametrize(
    "state", ["waiting", "offered", "declined", "withdrawn", "cancelled", "expired", "passed_on"]
)
def test_what_was_never_confirmed_and_holds_no_place_is_in_no_feed(world, stay, state):
    change(world, stay, state=state)
    assert entries(world, feed(world, world.bob)) == ()


def test_a_cancelled_stay_stands_in_the_feed_as_cancelled_for_ninety_days(world, stay):
    confirm(world, stay)
    token = feed(world, world.bob)
    (before,) = entries(world, token)
    world.do(taking_back.take_back, world.bob, stay, reason="Ill")
    (after,) = entries(world, token)
    assert (before.status, after.status) == ("CONFIRMED", "CANCELLED")
    assert (before.uid, before.sequence + 1) == (after.uid, after.sequence)
    change(world, stay, updated_at=clock.now() - 91 * DAY)
    assert entries(world, token) == ()


def test_a_stay_that_was_over_long_ago_drops_out(world, stay):
    token = feed(world, world.bob)
    today = datetime.now(LJUBLJANA).date()
    change(world, stay, state="reflected", first_day=today - 404 * DAY, last_day=today - 400 * DAY)
    assert len(entries(world, token)) == 1
    change(world, stay, last_day=today - 401 * DAY)
    assert entries(world, token) == ()


def test_a_feed_ends_when_it_is_revoked_and_only_by_its_maker(world, stay):
    made = world.do(calendar_feeds.make, world.bob, world.programme)
    with pytest.raises(NotFound):
        world.do(calendar_feeds.revoke, world.bea, made.id)
    assert entries(world, made.token)
    world.do(calendar_feeds.revoke, world.bob, made.id)
    world.do(calendar_feeds.revoke, world.bob, made.id)
    with pytest.raises(NotFound):
        entries(world, made.token)
    assert world.ask(calendar_feeds.of_person, world.bob, world.programme) == []
    types = world.ask(lambda connection: connection.execute(select(Event.type)).scalars().all())
    assert types.count("feed.revoked") == 1


def test_a_feed_ends_with_the_account_and_with_the_membership_of_its_maker(world, stay):
    token = feed(world, world.bob)
    person = update(Person).where(Person.id == world.bob.person_id)
    membership = update(Membership).where(Membership.person_id == world.bob.person_id)
    for ended, again in (
        (person.values(disabled_at=clock.now()), person.values(disabled_at=None)),
        (membership.values(ended_at=clock.now()), membership.values(ended_at=None)),
    ):
        world.do(lambda tx, ended=ended: tx.execute(ended))
        with pytest.raises(NotFound):
            entries(world, token)
        world.do(lambda tx, again=again: tx.execute(again))
        assert entries(world, token)


@pytest.mark.parametrize("change_of", ["role", "organisation"])
def test_an_organisations_feed_ends_when_its_maker_may_no_longer_follow_it(world, stay, change_of):
    token = feed(world, world.hana, organisation_id=own(world))
    values = {"role": "participant"} if change_of == "role" else {"organisation_id": own(world, "business")}
    moved = update(Membership).where(Membership.person_id == world.hana.person_id).values(**values)
    world.do(lambda tx: tx.execute(moved))
    with pytest.raises(NotFound):
        entries(world, token)


def test_nobody_makes_the_feed_of_an_organisation_that_they_do_not_follow(world):
    for actor in (world.alice, world.bob, world.henk):
        with pytest.raises(NotAllowed):
            feed(world, actor, organisation_id=own(world))
    for actor in (world.hana, world.cora):
        assert feed(world, actor, organisation_id=own(world))
    elsewhere = world.ask(
        lambda connection: connection.execute(
            select(Membership.organisation_id).where(Membership.programme_id == world.other_programme_id)
        ).scalar()
    )
    with pytest.raises(NotFound):
        feed(world, world.cora, organisation_id=elsewhere)


def test_ten_feeds_are_enough_and_a_revoked_one_makes_room(world):
    made = [world.do(calendar_feeds.make, world.bob, world.programme) for _ in range(10)]
    with pytest.raises(Conflict):
        feed(world, world.bob)
    world.do(calendar_feeds.revoke, world.bob, made[0].id)
    assert feed(world, world.bob)


def test_the_feed_tells_no_message_and_no_manager(world, stay):
    confirm(world, stay)
    for token in (feed(world, world.bob), feed(world, world.hana, organisation_id=own(world))):
        text = written(world, token).decode().replace("\r\n ", "")
        assert "between us" not in text
        assert "marta" not in text.lower()
        assert "ATTENDEE" not in text


def test_only_the_guests_own_calendar_says_that_they_are_away(world, stay):
    confirm(world, stay)
    for actor, whose, transparency in (
        (world.bob, {}, "OPAQUE"),
        (world.hana, {}, "TRANSPARENT"),
        (world.hana, {"organisation_id": own(world)}, "TRANSPARENT"),
    ):
        (event,) = Calendar.from_ical(written(world, feed(world, actor, **whose))).walk("VEVENT")
        assert event["TRANSP"] == transparency


def test_a_year_of_stays_over_both_changes_of_time_is_read_by_two_parsers(world, stay):
    spans = year_of_stays(world, stay)
    body = written(world, feed(world, world.bob))
    first = {(event.dtstart.value, event.dtend.value) for event in vobject.readOne(body.decode()).vevent_list}
    second = {(event.begin.date(), event.end.date()) for event in ics.Calendar(body.decode()).events}
    assert first == second == {(start, end + DAY) for start, end in spans}
    assert written(world, feed(world, world.bob)) == body


def year_of_stays(world, stay):
    """A stay in each week of the present year (none of other years), and on each of the two changes of time."""
    year = datetime.now(UTC).year
    monday = date(year, 1, 5)
    spans = [(monday + week * 7 * DAY, monday + (week * 7 + 4) * DAY) for week in range(51)]
    changes = [changed(year, month) for month in (3, 10)]
    spans += [(day, day) for day in changes] + [(day - DAY, day + DAY) for day in changes]
    common = world.ask(
        lambda connection: connection.execute(select(Booking.__table__).where(Booking.id == stay)).one()
    )._asdict()
    rows = [
        {**common, "id": common["id"] + 1 + number, "uid": f"stay-{number}", "state": "confirmed"}
        | {"first_day": start, "last_day": end}
        for number, (start, end) in enumerate(spans)
    ]
    world.do(lambda tx: tx.execute(insert(Booking), rows))
    change(world, stay, state="withdrawn")
    return spans


def changed(year, month):
    """The last Sunday of a month."""
    last = date(year, month, 31)
    return last - (last.weekday() + 1) % 7 * DAY


def written(world, token):
    return calendar_files.feed(world.ask(calendar_feeds.read, token), base_url="http://board.test")


def test_the_addresses_of_the_other_side_stay_their_own(world, stay):
    """A contact who is no longer of the placement has its stays no longer in their calendar."""
    token = feed(world, world.hana)
    assert entries(world, token)
    world.do(lambda tx: tx.execute(update(Placement).values(contact_id=world.alice.person_id)))
    assert entries(world, token) == ()
