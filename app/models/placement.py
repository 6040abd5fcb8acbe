"""A placement: places that a host organisation offers to guests, and the weeks or windows that they are for."""

from datetime import date, datetime

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from app.models.base import Dated, instant, key, refers

OTHER = "other"
ANY = "any"
OPEN_TO = (OTHER, ANY)
"""Guests of another sector than the host's only, or of any."""


class Placement(Dated, table=True):
    """What a guest will see and do at an organisation. A coordinator publishes it, or returns it with a note.

    `competencies`: what can be learnt, in the programme's words. `spoken`: the languages at the work place (codes).
    `confidentiality`: the terms that a guest agrees to. `contact_id`: who receives guests. `least_days` and
    `most_days`: how long a stay may be in a window. `is_desk`: someone's own desk in a swap, for one guest alone.
    """

    __table_args__ = (
        Index("ix_placement_programme_id_id", "programme_id", "id"),
        Index("ix_placement_organisation_id", "organisation_id"),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    organisation_id: int = refers("organisation.id")
    title: str = Field(max_length=120)
    description: str = Field(default="", max_length=4000)
    description_html: str = Field(default="", sa_type=Text)
    language: str = Field(default="en", max_length=8)
    competencies: list[str] = Field(default_factory=list, sa_type=JSON)
    spoken: list[str] = Field(default_factory=list, sa_type=JSON)
    place: str = Field(default="", max_length=160)
    accessibility: str = Field(default="", max_length=1000)
    confidentiality: str = Field(default="", max_length=2000)
    open_to: str = Field(default=OTHER, max_length=10)
    least_days: int = 1
    most_days: int = 5
    contact_id: int = refers("person.id")
    offered_by: int = refers("person.id")
    published_at: datetime | None = instant(nullable=True)
    published_by: int | None = refers("person.id", nullable=True)
    returned_at: datetime | None = instant(nullable=True)
    note: str = Field(default="", max_length=1000)
    withdrawn_at: datetime | None = instant(nullable=True)
    is_desk: bool = False
    version: int = 1


class Period(SQLModel, table=True):
    """Days for which a placement has `places`: all of them as one stay, or a window (`is_window`) to choose from.

    Both days are the guest's own: a week from Monday to Friday ends on Friday.
    """

    __table_args__ = (
        Index("ix_period_placement_id_first_day", "placement_id", "first_day"),
        Index("ix_period_programme_id_first_day", "programme_id", "first_day"),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    placement_id: int = refers("placement.id")
    first_day: date
    last_day: date
    is_window: bool = False
    places: int = 1
    withdrawn_at: datetime | None = instant(nullable=True)
