"""A booking: one person's stay, from request to reflection, with all that was decided and agreed on the way."""

from datetime import date, datetime

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers


class Booking(Dated, table=True):
    """`state` is one of `methods.booking_machine`, and only `services.booking_steps` writes it.

    `organisation_id` and `sector_id` are the guest's own when they asked. `line_at` is the place in the waiting line,
    which a change of dates keeps. `round` grows when decisions have to be taken anew. `expires_at`: until when a place
    is held or offered. `uid` and `sequence` are those of the event in calendars.
    """

    __table_args__ = (
        Index("ix_booking_period_id_state", "period_id", "state"),
        Index("ix_booking_person_id_state", "person_id", "state"),
        Index("ix_booking_programme_id_state", "programme_id", "state"),
        Index("ix_booking_placement_id_id", "placement_id", "id"),
        Index("ix_booking_state_expires_at", "state", "expires_at"),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    placement_id: int = refers("placement.id")
    period_id: int = refers("period.id")
    person_id: int = refers("person.id")
    organisation_id: int = refers("organisation.id", index=True)
    sector_id: int = refers("sector.id")
    state: str = Field(max_length=20)
    first_day: date
    last_day: date
    message: str = Field(default="", max_length=1000)
    manager_id: int | None = refers("person.id", nullable=True, index=True)
    manager_name: str = Field(default="", max_length=120)
    manager_email: str = Field(default="", max_length=254)
    line_at: datetime = instant()
    round: int = 1
    expires_at: datetime | None = instant(nullable=True)
    reminded_at: datetime | None = instant(nullable=True)
    match_id: int | None = refers("match.id", nullable=True, index=True)
    uid: str = Field(max_length=64, unique=True)
    sequence: int = 0
    confirmed_at: datetime | None = instant(nullable=True)
    version: int = 1


class BookingStep(SQLModel, table=True):
    """One step of a booking: what was done, by whom (nobody: by the clock), and the reason that was given.

    `role` is as what they did it. The event log says the same without the words of people.
    """

    __tablename__ = "booking_step"
    __table_args__ = (Index("ix_booking_step_booking_id_id", "booking_id", "id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    booking_id: int = refers("booking.id")
    action: str = Field(max_length=20)
    state: str = Field(max_length=20)
    role: str = Field(default="", max_length=20)
    actor_id: int | None = refers("person.id", nullable=True)
    reason: str = Field(default="", max_length=1000)
    first_day: date
    last_day: date
    taken_at: datetime = instant()


class Decision(SQLModel, table=True):
    """An approval or a refusal by one of those who are asked: `manager`, `host` or `coordinator`, once a round.

    `link_id` where a manager without an account decided through a link; `decided_as` is then their name.
    """

    __table_args__ = (UniqueConstraint("booking_id", "round", "role"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    booking_id: int = refers("booking.id")
    round: int
    role: str = Field(max_length=20)
    approved: bool
    reason: str = Field(default="", max_length=1000)
    decided_by: int | None = refers("person.id", nullable=True)
    decided_as: str = Field(default="", max_length=120)
    link_id: int | None = refers("decision_link.id", nullable=True)
    decided_at: datetime = instant()


class DecisionLink(SQLModel, table=True):
    """A signed link by which a manager without an account decides once. `nonce` alone does not make the link."""

    __tablename__ = "decision_link"
    __table_args__ = (Index("ix_decision_link_booking_id", "booking_id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    booking_id: int = refers("booking.id")
    round: int
    name: str = Field(default="", max_length=120)
    email: str = Field(max_length=254)
    language: str = Field(default="en", max_length=8)
    nonce: bytes = Field(sa_type=LargeBinary(16))
    created_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)


class Agreement(SQLModel, table=True):
    """An item of the checklist, ticked by the one it concerns, with its text as agreed and an answer."""

    __table_args__ = (UniqueConstraint("booking_id", "item"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    booking_id: int = refers("booking.id")
    item: str = Field(max_length=40)
    party: str = Field(max_length=20)
    statement: str = Field(max_length=4000)
    answer: str = Field(default="", max_length=400)
    agreed_by: int = refers("person.id")
    agreed_at: datetime = instant()


class Reflection(SQLModel, table=True):
    """What a guest or a host wrote after a stay: three short answers, for the two of them and the coordinators."""

    __table_args__ = (UniqueConstraint("booking_id", "party"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    booking_id: int = refers("booking.id")
    party: str = Field(max_length=20)
    learned: str = Field(max_length=1000)
    surprised: str = Field(max_length=1000)
    next: str = Field(max_length=1000)
    language: str = Field(default="en", max_length=8)
    written_by: int = refers("person.id")
    written_at: datetime = instant()


class Story(Dated, table=True):
    """A stay told to everyone in the programme: shown while guest and host both consent to this very text."""

    __table_args__ = (Index("ix_story_programme_id_published_at", "programme_id", "published_at"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    booking_id: int = Field(sa_type=Key, foreign_key="booking.id", unique=True)
    title: str = Field(max_length=120)
    text: str = Field(max_length=4000)
    text_html: str = Field(default="", sa_type=Text)
    language: str = Field(default="en", max_length=8)
    written_by: int = refers("person.id")
    guest_consent_at: datetime | None = instant(nullable=True)
    host_consent_at: datetime | None = instant(nullable=True)
    published_at: datetime | None = instant(nullable=True)
    version: int = 1
