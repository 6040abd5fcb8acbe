"""Feeds and invitations: three parsers read the same days and texts, and no text makes a property of its own."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import ics
import pytest
import vobject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from app.lib import ical

LJUBLJANA = "Europe/Ljubljana"
CREATED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
UPDATED = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
LINE_ENDS = ["\r\n", "\n", "\r", "\n\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]

ana = ical.Party("Ana Žagar", "ana@ministry.test")
bor = ical.Attendee("Bor Čuk", "bor@company.test")

texts = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), include_characters="\n\r\t"), max_size=200
)
some_day = st.dates(date(1970, 1, 1), date(9998, 12, 30))


def stay(**changes):
    values = {
        "uid": "booking-7@board.test",
        "sequence": 0,
        "first_day": date(2026, 5, 4),
        "last_day": date(2026, 5, 8),
        "summary": "A week at the ministry",
        "status": "CONFIRMED",
        "created_at": CREATED,
        "updated_at": UPDATED,
        "description": "Bring your badge.",
        "location": "Ljubljana",
        "url": "https://board.test/bookings/7",
        "organizer": ana,
        "attendees": (bor,),
    }
    return ical.Stay(**(values | changes))


def feed(*stays, name="Exchanges", language="en"):
    return ical.feed(name, LJUBLJANA, stays, language)


def read(content):
    """The calendar as icalendar reads it, without an error anywhere."""
    calendar = Calendar.from_ical(content)
    assert calendar.errors == []
    assert all(event.errors == [] for event in calendar.events)
    return calendar


def event_of(content):
    [event] = read(content).events
    return event


def days_by_icalendar(content):
    return {str(event["UID"]): (event.start, event.end) for event in read(content).events}


def days_by_vobject(content):
    calendar = vobject.readOne(content.decode())
    return {event.uid.value: (event.dtstart.value, event.dtend.value) for event in calendar.vevent_list}


def days_by_ics(content):
    events = ics.Calendar(content.decode()).events
    assert all(event.all_day for event in events)
    return {event.uid: (event.begin.date(), event.end.date()) for event in events}


def lines(content):
    """The unfolded lines, as the most lenient reader would split them."""
    return "".join(content.decode().split("\r\n ")).splitlines()


def names(content):
    return [re.split(r"[;:]", line, maxsplit=1)[0] for line in lines(content)]


def every_week_and_each_change_of_the_clocks():
    monday = date(2025, 12, 29)
    spans = [(monday + timedelta(weeks=week), monday + timedelta(weeks=week, days=4)) for week in range(54)]
    for change in (date(2026, 3, 29), date(2026, 10, 25)):
        near = [change + timedelta(days=offset) for offset in (-1, 0, 1)]
        spans += [(first, last) for first in near for last in near if first <= last]
        spans.append((change - timedelta(days=40), change + timedelta(days=40)))
    return spans


@pytest.mark.parametrize("days_read", [days_by_icalendar, days_by_vobject, days_by_ics])
def test_a_year_with_both_changes_of_the_clocks_has_the_right_days_at_both_ends(days_read):
    spans = {f"{n}@x": span for n, span in enumerate(every_week_and_each_change_of_the_clocks())}
    content = feed(*(stay(uid=uid, first_day=first, last_day=last) for uid, (first, last) in spans.items()))
    assert days_read(content) == {
        uid: (first, last + timedelta(days=1)) for uid, (first, last) in spans.items()
    }


@pytest.mark.parametrize(
    ("first", "last", "end"),
    [
        (date(2026, 5, 4), date(2026, 5, 4), "20260505"),
        (date(2028, 2, 28), date(2028, 2, 29), "20280301"),
        (date(2027, 2, 27), date(2027, 2, 28), "20270301"),
        (date(2026, 12, 28), date(2026, 12, 31), "20270101"),
    ],
)
def test_the_end_is_the_day_after_the_last(first, last, end):
    written = lines(feed(stay(first_day=first, last_day=last)))
    assert f"DTSTART;VALUE=DATE:{first:%Y%m%d}" in written
    assert f"DTEND;VALUE=DATE:{end}" in written
    assert "VTIMEZONE" not in "".join(written)


def test_a_stay_that_ends_before_it_starts_is_none():
    with pytest.raises(ValueError, match="before the first"):
        stay(first_day=date(2026, 5, 4), last_day=date(2026, 5, 3))


@given(some_day, st.integers(0, 400), texts, texts, texts)
def test_any_span_and_any_text_come_back_as_they_were(first, more, title, description, place):
    last = min(first + timedelta(days=more), date(9998, 12, 31))
    content = feed(
        stay(first_day=first, last_day=last, summary=title, description=description, location=place)
    )
    event = event_of(content)
    other = vobject.readOne(content.decode()).vevent
    said = re.sub(r"\r\n|\r", "\n", description)
    assert (
        (event.start, event.end)
        == (other.dtstart.value, other.dtend.value)
        == (first, last + timedelta(days=1))
    )
    assert str(event["SUMMARY"]) == other.summary.value == " ".join(title.split())
    for name, text in (("description", said), ("location", " ".join(place.split()))):
        assert str(event.get(name, "")) == text
        assert getattr(other, name).value == text if text else not hasattr(other, name)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(some_day, st.integers(0, 400), texts.filter(lambda text: "\\" not in text))
def test_a_third_parser_reads_the_same(first, more, description):
    # What stands after a backslash is left out: this parser takes `\\n` for the end of a line.
    last = min(first + timedelta(days=more), date(9998, 12, 31))
    [event] = ics.Calendar(
        feed(stay(first_day=first, last_day=last, description=description)).decode()
    ).events
    assert (event.begin.date(), event.end.date()) == (first, last + timedelta(days=1))
    assert (event.description or "") == re.sub(r"\r\n|\r", "\n", description)


@pytest.mark.parametrize(
    "title", [r"C:\New", r"C:\next", r"\\", r"a\;b\,c", 'x:"y"', "čšž ČŠŽ 🙂", "a;b,c:d"]
)
def test_punctuation_is_kept_as_it_was_written(title):
    content = feed(stay(summary=title))
    assert str(event_of(content)["SUMMARY"]) == title
    assert vobject.readOne(content.decode()).vevent.summary.value == title


def test_what_has_a_meaning_in_a_text_is_escaped():
    content = feed(stay(summary="a;b,c\\d", description="one\r\ntwo\rthree"))
    assert {r"SUMMARY:a\;b\,c\\d", r"DESCRIPTION:one\ntwo\nthree"} <= set(lines(content))


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize(
    "make", [lambda one: feed(one, name=one.summary), lambda one: ical.request(one, "en")]
)
def test_no_text_makes_a_property_of_its_own(make, end):
    evil = f"x{end}ATTENDEE:mailto:eve@x.test{end}{end} END:VEVENT{end}BEGIN:VALARM"
    hostile = stay(
        uid=evil,
        summary=evil,
        description=evil,
        location=evil,
        url=f"https://board.test/{evil}",
        organizer=ical.Party(evil, f"ana@x.test{evil}"),
        attendees=(ical.Attendee(evil, evil),),
    )
    content = make(hostile)
    assert names(content) == names(make(stay()))
    assert event_of(content)["ORGANIZER"].startswith("mailto:ana")
    assert len(vobject.readOne(content.decode()).vevent_list) == 1
    assert len(ics.Calendar(content.decode()).events) == 1


def test_other_controls_and_halves_of_characters_are_left_out():
    content = feed(stay(summary="a\x00b\x1bc", description="a\x00b\x07c\ud800d\te", location="\x7f\x9f"))
    assert "DESCRIPTION:abcd\te" in lines(content)
    assert "SUMMARY:a b c" in lines(content)
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", content)


def test_a_name_in_quotation_marks_stays_one_name():
    who = ical.Party('Ana "Anka"; Žagar, dr.: X^n', "ana@x.test")
    content = feed(stay(organizer=who))
    name = "Ana 'Anka'; Žagar, dr.: X^n"
    assert event_of(content)["ORGANIZER"].params["CN"] == name
    assert vobject.readOne(content.decode()).vevent.organizer.value == "mailto:ana@x.test"


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ana.o'neil+x@ministry.test", "mailto:ana.o'neil+x@ministry.test"),
        ("ana@šola.test", "mailto:ana@%C5%A1ola.test"),
        ("a?bcc=eve@x.test", "mailto:a%3Fbcc%3Deve@x.test"),
    ],
)
def test_an_address_is_nothing_but_an_address(address, written):
    assert event_of(feed(stay(organizer=ical.Party("", address))))["ORGANIZER"] == written


@pytest.mark.parametrize("letter", ["x", "č", "🙂", ",", "\\", "\n", " "])
def test_a_very_long_text_is_folded_between_characters(letter):
    content = feed(stay(description=f"a{letter * 20_000}b", summary=letter * 5000))
    assert content.endswith(b"\r\n")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
        assert b"\n" not in line
    assert str(event_of(content)["DESCRIPTION"]) == f"a{letter * 20_000}b"


def test_the_same_stays_give_the_same_bytes_in_any_order():
    stays = [stay(uid=f"booking-{n}@x", first_day=date(2026, 5, 1 + n % 4)) for n in range(8)]
    content = feed(*stays)
    assert feed(*reversed(stays)) == content
    assert [(event.start, event["UID"]) for event in read(content).events] == sorted(
        (one.first_day, one.uid) for one in stays
    )
    assert feed(*stays[:-1], stay(uid="booking-7@x", updated_at=UPDATED + timedelta(seconds=1))) != content


def test_a_feed_says_what_it_is():
    content = feed(stay(), name="Izmenjave, pomlad", language="sl")
    calendar = read(content)
    assert calendar["METHOD"] == "PUBLISH"
    assert calendar["VERSION"] == "2.0"
    assert calendar["PRODID"] == "-//Partnership for Change//Exchanges//SL"
    assert {r"NAME:Izmenjave\, pomlad", r"X-WR-CALNAME:Izmenjave\, pomlad"} <= set(lines(content))
    assert calendar["X-WR-TIMEZONE"] == LJUBLJANA
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in lines(content)
    assert "X-PUBLISHED-TTL:PT1H" in lines(content)


def test_a_feed_without_stays_is_an_empty_calendar():
    assert read(feed()).events == []
    assert not ics.Calendar(feed().decode()).events
    assert vobject.readOne(feed().decode()).version.value == "2.0"


def test_instants_are_utc_and_come_from_the_stay():
    there = ZoneInfo(LJUBLJANA)
    content = feed(stay(created_at=CREATED.astimezone(there), updated_at=UPDATED.astimezone(there)))
    assert {"CREATED:20260301T080000Z", "DTSTAMP:20260302T093015Z", "LAST-MODIFIED:20260302T093015Z"} <= set(
        lines(content)
    )


def test_a_feed_names_who_invites_and_nobody_who_is_invited():
    assert "ORGANIZER" in names(feed(stay()))
    assert "ATTENDEE" not in names(feed(stay()))
    assert "ORGANIZER" not in names(feed(stay(organizer=None)))


def test_what_is_empty_is_left_out():
    bare = feed(stay(description="", location="", url="", organizer=None))
    assert not {"DESCRIPTION", "LOCATION", "URL", "ORGANIZER"} & set(names(bare))


@pytest.mark.parametrize(
    ("status", "busy", "transparency"),
    [
        ("CONFIRMED", True, "OPAQUE"),
        ("TENTATIVE", True, "OPAQUE"),
        ("CONFIRMED", False, "TRANSPARENT"),
        ("CANCELLED", True, "TRANSPARENT"),
    ],
)
def test_only_who_is_away_is_busy(status, busy, transparency):
    event = event_of(feed(stay(status=status, busy=busy)))
    assert event["TRANSP"] == transparency
    assert event["STATUS"] == status


@pytest.mark.parametrize(("status", "answer"), [("CONFIRMED", "ACCEPTED"), ("TENTATIVE", "TENTATIVE")])
def test_an_invitation_asks_for_no_answer(status, answer):
    host = ical.Attendee("Host", "host@ministry.test", "OPT-PARTICIPANT")
    calendar = read(ical.request(stay(status=status, sequence=2, attendees=(bor, host)), "en"))
    [event] = calendar.events
    assert calendar["METHOD"] == "REQUEST"
    assert (event["STATUS"], event["SEQUENCE"], event["ORGANIZER"]) == (status, 2, "mailto:ana@ministry.test")
    assert event["ORGANIZER"].params["CN"] == "Ana Žagar"
    guest, other = event["ATTENDEE"]
    assert guest == "mailto:bor@company.test"
    assert guest.params == {
        "CN": "Bor Čuk",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": answer,
        "RSVP": "FALSE",
    }
    assert other.params["ROLE"] == "OPT-PARTICIPANT"


def test_a_cancellation_is_of_the_very_event_that_was_sent():
    invited = read(ical.request(stay(), "en"))
    later = stay(sequence=1, updated_at=UPDATED + timedelta(days=1))
    called_off = read(ical.cancel(later, "en"))
    assert called_off["METHOD"] == "CANCEL"
    [before], [after] = invited.events, called_off.events
    assert after["STATUS"] == "CANCELLED"
    assert after["TRANSP"] == "TRANSPARENT"
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert [after[name] for name in ("UID", "ORGANIZER", "ATTENDEE")] == [
        before[name] for name in ("UID", "ORGANIZER", "ATTENDEE")
    ]
    in_feed = event_of(feed(stay(status="CANCELLED", sequence=1)))
    assert (in_feed["UID"], in_feed["STATUS"]) == (before["UID"], "CANCELLED")


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (ical.request, {"organizer": None}),
        (ical.request, {"attendees": ()}),
        (ical.request, {"status": "CANCELLED"}),
        (ical.cancel, {"sequence": 0}),
        (ical.cancel, {"organizer": None, "sequence": 1}),
        (ical.cancel, {"attendees": (), "sequence": 1}),
    ],
)
def test_what_no_calendar_would_take_is_not_sent(make, changes):
    with pytest.raises(ValueError):
        make(stay(**changes), "en")
