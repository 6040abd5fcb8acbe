"""Stays written for calendars, in words of their reader: feeds, invitations and cancellations."""

from email.utils import parseaddr
from typing import Final, Literal, cast
from urllib.parse import urlsplit

from app.integrations.mail import Calendar
from app.lib import ical
from app.lib.i18n import DEFAULT, N_, known
from app.services.calendar_entries import COMES, Entry
from app.services.calendar_feeds import Feed
from app.web.templating import translations

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"

OWN: Final = N_("Stay at %(host)s")
COMING: Final = N_("%(guest)s (%(organisation)s) comes for a stay")
GOING: Final = N_("%(guest)s goes to %(host)s for a stay")
NOT_YET: Final = N_("%(summary)s (not confirmed yet)")
ABOUT: Final = N_("“%(placement)s”. Contact person: %(contact)s")


def feed(found: Feed, *, base_url: str) -> bytes:
    """A calendar to subscribe to, in its maker's language."""
    language = known(found.language) or DEFAULT
    stays = [_stay(entry, language, base_url=base_url) for entry in found.entries]
    name = f"{found.organisation or found.person}: {found.programme}"
    return ical.feed(name, found.zone, stays, language)


def letter(
    entry: Entry,
    method: str,
    language: str,
    *,
    base_url: str,
    sender: str,
    reader: tuple[str, str],
) -> Calendar:
    """What goes out with a letter by `method` (REQUEST or CANCEL) to `reader` (name, address) from `sender`."""
    stay = _stay(
        entry,
        language,
        base_url=base_url,
        organizer=ical.Party(*parseaddr(sender)),
        attendees=(ical.Attendee(*reader),),
    )
    content = ical.cancel(stay, language) if method == "CANCEL" else ical.request(stay, language)
    return Calendar(cast("Literal['REQUEST', 'CANCEL']", method), content)


def _stay(
    entry: Entry,
    language: str,
    *,
    base_url: str,
    organizer: ical.Party | None = None,
    attendees: tuple[ical.Attendee, ...] = (),
) -> ical.Stay:
    say = translations(language).gettext
    values = {
        "guest": entry.guest,
        "organisation": entry.organisation,
        "host": entry.host,
        "placement": entry.placement,
        "contact": entry.contact,
    }
    summary = say(OWN if entry.is_own else COMING if entry.way == COMES else GOING) % values
    if entry.status == "TENTATIVE":
        summary = say(NOT_YET) % {"summary": summary}
    return ical.Stay(
        uid=f"{entry.uid}@{urlsplit(base_url).hostname}",
        sequence=entry.sequence,
        first_day=entry.first_day,
        last_day=entry.last_day,
        summary=summary,
        status=entry.status,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
        description=say(ABOUT) % values,
        location=", ".join(part for part in (entry.host, entry.place) if part),
        url=f"{base_url}/bookings/{entry.booking_id}",
        organizer=organizer,
        attendees=attendees,
        busy=entry.is_own,
    )
