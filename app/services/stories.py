"""Stories: a stay told to everyone in the programme, while guest and host both consent to this very text."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotFound
from app.lib import markdown
from app.lib.i18n import LANGUAGES, N_
from app.methods.booking_machine import COMPLETED, REFLECTED
from app.models import Booking, Organisation, Placement, Story
from app.models.base import table
from app.models.exchange import GUEST, HOST
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import booking_steps, exchange_people, reflections
from app.services.bookings import BookingView
from app.services.events import record

STORY = table(Story)
BOOKING = table(Booking)
PLACEMENT = table(Placement)
ORGANISATION = table(Organisation)
HOST_ORGANISATION = ORGANISATION.alias("host_organisation")

_CONSENT: Final = {GUEST: "guest_consent_at", HOST: "host_consent_at"}


# queries


def of_booking(connection: Connection, actor: Actor, booking: BookingView) -> Any | None:
    """The story of a stay, for guest, host and coordinators; None where there is none. One statement."""
    if not may(actor, Permission.READ_REFLECTIONS, booking):
        return None
    return _row(connection, booking.id)


def published(connection: Connection, actor: Actor, programme: Any, *, limit: int = 100) -> Sequence[Any]:
    """The stories of a programme, newest first: title, text_html, language, organisation, host, published_at."""
    require(actor, Permission.READ_EXCHANGES, programme)
    newest = (STORY.c.published_at.desc(), STORY.c.id.desc())
    return connection.execute(_published(programme.id).order_by(*newest).limit(limit)).all()


def published_after(
    connection: Connection, actor: Actor, programme: Any, *, after: int = 0, limit: int = 50
) -> Sequence[Any]:
    """The same by id, with ids greater than `after`."""
    require(actor, Permission.READ_EXCHANGES, programme)
    found = _published(programme.id).where(STORY.c.id > after)
    return connection.execute(found.order_by(STORY.c.id).limit(limit)).all()


def _published(programme_id: int) -> Select[Any]:
    return (
        select(STORY, ORGANISATION.c.name.label("organisation"), HOST_ORGANISATION.c.name.label("host"))
        .join(BOOKING, BOOKING.c.id == STORY.c.booking_id)
        .join(ORGANISATION, ORGANISATION.c.id == BOOKING.c.organisation_id)
        .join(PLACEMENT, PLACEMENT.c.id == BOOKING.c.placement_id)
        .join(HOST_ORGANISATION, HOST_ORGANISATION.c.id == PLACEMENT.c.organisation_id)
        .where(STORY.c.programme_id == programme_id, STORY.c.published_at.is_not(None))
    )


# verbs


def write(
    tx: Transaction,
    actor: Actor,
    booking_id: int,
    *,
    title: str,
    body: str,
    language: str = "en",
    version: int | None = None,
) -> None:
    """Write the story of a stay, or another text of it: who writes consents, the other side is asked.

    :raises NotAllowed: the actor is on neither side
    :raises Conflict: the stay is not over
    :raises Moved: `version` is given (0 where there was none yet), and someone has written meanwhile
    :raises Invalid: title or text cannot be taken
    """
    booking = booking_steps.hold(tx, actor, booking_id)
    party = _side(actor, booking)
    title, errors = text.line("title", title, most=120)
    body, wrong = text.passage("body", body, most=4000, least=1)
    errors += wrong
    if language not in LANGUAGES:
        errors.append(FieldError("language", N_("Please choose one of the languages in the list.")))
    if errors:
        raise Invalid(*errors)
    before = _row(tx.connection, booking_id)
    current = before.version if before is not None else 0
    if version is not None and version != current:
        raise Moved(N_("The text is another by now. Please read it again."), current=current)
    values = {
        "title": title,
        "text": body,
        "text_html": markdown.render(body),
        "language": language,
        "written_by": actor.person_id,
        "guest_consent_at": tx.now if party == GUEST else None,
        "host_consent_at": tx.now if party == HOST else None,
        "published_at": None,
        "updated_at": tx.now,
    }
    if before is None:
        new = {
            "programme_id": booking.programme_id,
            "booking_id": booking_id,
            "version": 1,
            "created_at": tx.now,
        }
        tx.execute(STORY.insert(), {**new, **values})
    else:
        tx.execute(STORY.update().where(STORY.c.id == before.id).values(**values, version=before.version + 1))
    story = _row(tx.connection, booking_id)
    record(
        tx, "story.written", actor, programme_id=booking.programme_id, subject_id=story.id if story else None
    )
    other = HOST if party == GUEST else GUEST
    exchange_people.tell(tx, booking, (other,), "story_to_consent", but=actor.person_id)


def consent(tx: Transaction, actor: Actor, booking_id: int, *, version: int | None = None) -> None:
    """Consent to the story as it stands; with both sides' consent it is shown to everyone.

    :raises NotFound: there is no story
    :raises NotAllowed: the actor is on neither side
    :raises Moved: `version` is given, and the text is another by now
    """
    booking, story, party = _held(tx, actor, booking_id)
    if version is not None and version != story.version:
        raise Moved(N_("The text is another by now. Please read it again."), current=story.version)
    if getattr(story, _CONSENT[party]) is not None:
        return
    other = getattr(story, _CONSENT[HOST if party == GUEST else GUEST])
    values = {_CONSENT[party]: tx.now, "updated_at": tx.now, "version": story.version + 1}
    if other is not None:
        values["published_at"] = tx.now
    tx.execute(STORY.update().where(STORY.c.id == story.id).values(values))
    type = "story.published" if other is not None else "story.consented"
    record(tx, type, actor, programme_id=booking.programme_id, subject_id=story.id)


def withdraw(tx: Transaction, actor: Actor, booking_id: int) -> None:
    """Take one's consent back; the story is shown to no one else from then on.

    :raises NotFound: there is no story
    :raises NotAllowed: the actor is on neither side
    """
    booking, story, party = _held(tx, actor, booking_id)
    tx.execute(
        STORY.update()
        .where(STORY.c.id == story.id)
        .values(**{_CONSENT[party]: None}, published_at=None, updated_at=tx.now, version=story.version + 1)
    )
    record(tx, "story.withdrawn", actor, programme_id=booking.programme_id, subject_id=story.id)


# within


def _held(tx: Transaction, actor: Actor, booking_id: int) -> tuple[BookingView, Any, str]:
    booking = booking_steps.hold(tx, actor, booking_id)
    party = _side(actor, booking)
    story = _row(tx.connection, booking_id)
    if story is None:
        raise NotFound(N_("There is no story of this stay yet."))
    return booking, story, party


def _side(actor: Actor, booking: BookingView) -> str:
    party = reflections.require_side(actor, booking)
    if booking.state not in (COMPLETED, REFLECTED):
        raise Conflict(N_("This stay is not over yet."))
    return party


def _row(connection: Connection, booking_id: int) -> Any | None:
    return connection.execute(select(STORY).where(STORY.c.booking_id == booking_id)).first()
