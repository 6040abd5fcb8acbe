"""Bookings and their steps, as the API takes and gives them."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Change, Day, Given, Inside, Item, Reference, Taken, text

State = Literal[
    "waiting",
    "offered",
    "held",
    "approved",
    "confirmed",
    "under_way",
    "completed",
    "reflected",
    "declined",
    "withdrawn",
    "cancelled",
    "expired",
    "passed_on",
]
Approver = Literal["manager", "host", "coordinator"]
Party = Literal["guest", "host"]
Role = Literal["guest", "manager", "host", "coordinator"]


class ManagerDraft(Inside):
    """The home manager: a colleague with an account, by `person`; or a name and a mail address. What is left out is
    empty.
    """

    person: Reference | None = Field(default=None, description="Someone of your own organisation.")
    name: str = text(120, "Of a manager without an account.", "Mira Hren", default="")
    email: str = text(254, "Where the link to decide is mailed.", "mira@larch.example", default="")


class BookingDraft(Taken):
    """A stay to ask for."""

    period: Reference = Field(description="One of the placement's `periods`.")
    first_day: Day | None = Field(default=None, description="Null: the period's. Only a window has a choice.")
    last_day: Day | None = Field(
        default=None, description="The last day of the stay itself; null: the period's."
    )
    message: str = text(1000, "What you hope to learn.", default="")
    manager: ManagerDraft | None = Field(
        default=None, description="Needed where managers approve in this programme."
    )
    may_wait: bool = Field(
        default=True, description="False: 409 where no place is free, instead of a place in the waiting line."
    )


class BookingChange(Change):
    """Other days, or another manager; what is left out stays. With another `period` its days are the usual ones."""

    period: Reference = 1
    first_day: Day | None = None
    last_day: Day | None = None
    manager: ManagerDraft | None = None


class AcceptanceDraft(Taken):
    """What goes with accepting a place."""

    manager: ManagerDraft | None = Field(
        default=None, description="Needed where managers approve and none is named yet."
    )


class PassingDraft(Taken):
    """What goes with passing a place on."""

    reason: str = text(1000, "For those whom the booking concerns.", default="")


class DecisionDraft(Taken):
    """A decision on a stay."""

    role: Approver | None = Field(
        default=None, description="As what you decide; null: as what you are asked."
    )
    approved: bool
    reason: str = text(1000, "Needed for a refusal; the guest is told.", default="")


class AgreementDraft(Taken):
    """An item of the checklist, agreed to as it was read."""

    mark: str = text(
        64, "That of the item in `open_items`, as you read it.", "0d1f8a2c4b6e7d905a3c1e2f4b6d8091", least=1
    )
    answer: str = text(400, "Where the item asks for one, as for the contact person.", default="")


class GuestItem(Given):
    """Whose stay it is."""

    person: int
    name: str
    organisation: int
    organisation_name: str
    sector: str


class HostItem(Given):
    """Where it is."""

    organisation: int
    name: str
    sector: str
    contact: str = Field(description="Who receives guests, by name.")


class ManagerItem(Given):
    """The home manager whom the guest named."""

    person: int | None
    name: str
    email: str | None = Field(description="Only for the guest and coordinators.")


class DecisionItem(Given):
    """What one of those who are asked decided, in the present round."""

    role: Approver
    approved: bool
    reason: str
    by: str
    decided_at: datetime


class ChecklistItem(Given):
    """An item to agree to before the stay is confirmed."""

    item: str
    party: Party
    text: str


class OpenItem(ChecklistItem):
    """An item to agree to: its whole text as it is now, with the placement's own terms where it is about them."""

    mark: str = Field(description="What stands for this very text, to agree to it and to no other.")


class AgreementItem(Given):
    """An item that was agreed to, with its text as agreed."""

    item: str
    party: Party
    statement: str
    answer: str
    by: str
    agreed_at: datetime


class BookingItem(Item):
    """A person's stay."""

    programme: int
    placement: int
    title: str = Field(description="The placement's.")
    period: int
    first_day: date
    last_day: date = Field(description="The last day of the stay itself.")
    state: State
    guest: GuestItem
    host: HostItem
    manager: ManagerItem | None
    message: str
    awaited: list[Role] = Field(description="Who has to act for it to go on; empty where time does.")
    asked: list[Approver] = Field(description="Whose decision is due.")
    place_in_line: int | None = Field(description="While it waits.")
    expires_at: datetime | None = Field(description="Until when a place is held or offered.")
    decisions: list[DecisionItem]
    open_items: list[OpenItem] = Field(description="What of the checklist is not agreed to yet.")
    agreements: list[AgreementItem]
    reflected: list[Party]
    match: int | None = Field(description="The match that offered it, if one did.")
    confirmed_at: datetime | None
    version: int


class BookingList(Given):
    """A page of bookings."""

    items: list[BookingItem]
    next: str | None


class StepItem(Given):
    """One step of a booking: what was done, by whom, why, and what it led to."""

    id: int
    action: str
    state: State
    role: str = Field(description="As what; `clock`: it came by itself.")
    by: str | None
    reason: str
    first_day: date
    last_day: date
    taken_at: datetime


class StepList(Given):
    """A page of steps."""

    items: list[StepItem]
    next: str | None
