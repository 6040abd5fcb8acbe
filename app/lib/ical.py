"""Stays in calendars: feeds to subscribe to (RFC 5545), and invitations and cancellations by mail (RFC 5546)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import quote

from icalendar import Calendar, Event, vCalAddress
from icalendar.prop import vDuration, vInline

from app.lib.days import Span

Status = Literal["TENTATIVE", "CONFIRMED", "CANCELLED"]
Role = Literal["REQ-PARTICIPANT", "OPT-PARTICIPANT", "NON-PARTICIPANT"]
Method = Literal["PUBLISH", "REQUEST", "CANCEL"]

REFRESH_EVERY: Final = timedelta(hours=1)
"""How often a calendar should ask for its feed; most ask when they please."""

_LINE_END: Final = re.compile(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
_IN_ADDRESS: Final = "@!$'*+-._~"
_IN_URL: Final = ":/?#[]@!$&'()*+,;=%-._~"


@dataclass(frozen=True, slots=True)
class Party:
    """Someone by name and address, such as who invites."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Attendee:
    """Someone who is invited, and as what."""

    name: str
    email: str
    role: Role = "REQ-PARTICIPANT"


@dataclass(frozen=True, slots=True)
class Stay:
    """Whole days in a calendar, the first and the last included, wherever the calendar's owner may be.

    `uid` never changes; `sequence` grows with each change of what was sent, from 0, and with a cancellation.
    `busy` says whether the calendar's owner is away meanwhile, or only wants to know. Empty texts are left out.
    `created_at` and `updated_at` are aware instants.

    :raises ValueError: the last day is before the first
    """

    uid: str
    sequence: int
    first_day: date
    last_day: date
    summary: str
    status: Status
    created_at: datetime
    updated_at: datetime
    description: str = ""
    location: str = ""
    url: str = ""
    organizer: Party | None = None
    attendees: tuple[Attendee, ...] = ()
    busy: bool = True

    def __post_init__(self) -> None:
        # What a calendar would read as an event of no days, or of fewer than none.
        Span(self.first_day, self.last_day)


def feed(name: str, zone_name: str, stays: Iterable[Stay], language: str) -> bytes:
    """A calendar to subscribe to: the same stays give the same bytes, in whatever order they come.

    Who is invited is left out, as RFC 5546 wants it of what is published.
    """
    calendar = _calendar("PUBLISH", language)
    calendar["NAME"] = calendar["X-WR-CALNAME"] = _text(_one_line(name))
    calendar["X-WR-TIMEZONE"] = _text(zone_name)
    calendar.add("REFRESH-INTERVAL", REFRESH_EVERY, parameters={"VALUE": "DURATION"})
    calendar["X-PUBLISHED-TTL"] = vDuration(REFRESH_EVERY)
    for stay in sorted(stays, key=lambda stay: (stay.first_day, stay.uid)):
        calendar.add_component(_event(stay))
    return bytes(calendar.to_ical())


def request(stay: Stay, language: str) -> bytes:
    """An invitation that asks for no answer, since the stay was agreed before: calendars take it as accepted.

    :raises ValueError: nobody invites or is invited, or the stay is cancelled
    """
    if stay.status == "CANCELLED":
        raise ValueError("nobody is invited to a cancelled stay")
    return _letter("REQUEST", stay, stay.status, language)


def cancel(stay: Stay, language: str) -> bytes:
    """What takes a stay out of the calendars that an invitation has put it in, whatever its status is now.

    :raises ValueError: nobody invites or is invited, or `sequence` is not above that of any invitation
    """
    if stay.sequence < 1:
        raise ValueError("a cancellation comes after an invitation, and so does its sequence")
    return _letter("CANCEL", stay, "CANCELLED", language)


def _letter(method: Method, stay: Stay, status: Status, language: str) -> bytes:
    if stay.organizer is None or not stay.attendees:
        raise ValueError("an invitation is from somebody and to somebody")
    calendar = _calendar(method, language)
    event = _event(stay, status)
    event["ATTENDEE"] = [_attendee(attendee, status) for attendee in stay.attendees]
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _calendar(method: Method, language: str) -> Calendar:
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", f"-//Partnership for Change//Exchanges//{language.upper()}")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    return calendar


def _event(stay: Stay, status: Status | None = None) -> Event:
    status = status or stay.status
    event = Event()
    event["UID"] = _text(_one_line(stay.uid))
    event.add("SEQUENCE", stay.sequence)
    event.add("DTSTART", stay.first_day)
    # The end of a whole-day event is the first day that is no part of it (RFC 5545, 3.6.1).
    event.add("DTEND", stay.last_day + timedelta(days=1))
    event.add("STATUS", status)
    event.add("TRANSP", "OPAQUE" if stay.busy and status != "CANCELLED" else "TRANSPARENT")
    event.add("CREATED", stay.created_at)
    # No clock: a feed that has not changed is the same to the byte, and its ETag says so.
    event.add("DTSTAMP", stay.updated_at)
    event.add("LAST-MODIFIED", stay.updated_at)
    for name, value in _said(stay):
        event[name] = value
    return event


def _said(stay: Stay) -> Iterable[tuple[str, Any]]:
    """The properties that hold texts, addresses and links, if there is something to say."""
    yield "SUMMARY", _text(_one_line(stay.summary))
    if stay.description:
        yield "DESCRIPTION", _text(stay.description)
    if place := _one_line(stay.location):
        yield "LOCATION", _text(place)
    if stay.url:
        yield "URL", vInline(quote(stay.url, safe=_IN_URL, errors="replace"))
    if stay.organizer:
        yield "ORGANIZER", _address(stay.organizer.name, stay.organizer.email)


def _attendee(attendee: Attendee, status: Status) -> vCalAddress:
    address = _address(attendee.name, attendee.email)
    address.params["ROLE"] = attendee.role
    address.params["PARTSTAT"] = "TENTATIVE" if status == "TENTATIVE" else "ACCEPTED"
    address.params["RSVP"] = "FALSE"
    return address


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress("mailto:" + quote(email, safe=_IN_ADDRESS, errors="replace"))
    # Outlook does not know the escape for a quotation mark (RFC 6868), and the standard before has none.
    if plain := _one_line(name).replace('"', "'"):
        address.params["CN"] = plain
    return address


def _text(text: str) -> vInline:
    r"""A TEXT (RFC 5545, 3.3.11) on one line, of characters that may stand in one.

    The library's own escaping takes a `\N` that somebody wrote, as in `C:\New`, for the end of a line. Some
    readers split lines at every character that ends one in Unicode, so none of these may pass.
    """
    clean = _CONTROL.sub("", _LINE_END.sub("\n", text))
    return vInline(clean.translate(_ESCAPED))


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())
