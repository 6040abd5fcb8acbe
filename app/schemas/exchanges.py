"""How a programme runs its exchanges, as the API takes and gives it."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Change, Given, Taken, several, text, whole
from app.schemas.bookings import Approver, ChecklistItem, Party

Way = Literal["first_come", "matching", "both"]
Aim = Literal["most", "stable"]


MOST_NAMED = 200
"""Items of a checklist in one body; a service asks for far fewer."""


class ChecklistDraft(Taken):
    """An item of the checklist before a stay is confirmed."""

    item: str = text(40, "Its key; `contact` asks for an answer.", "insurance", least=1)
    party: Party
    text: str = text(1000, "What is agreed to.", "My employer insures me at the host's too.", least=1)


class RulesChange(Change):
    """What to change of the rules; what is left out stays."""

    way: Way = "both"
    approvals: list[Approver] = Field(
        default_factory=list, description="Who approves; without anyone, a place is given at once."
    )
    in_order: bool = True
    checklist: list[ChecklistDraft] = several(12, "All its items, at most 12.", most=MOST_NAMED)
    hold_days: int = whole(1, 90, "How long a place is held for decisions, 1 to 90.", default=14)
    offer_days: int = whole(1, 30, "How long an offered place is kept, 1 to 30.", default=3)
    link_days: int = whole(1, 30, "How long a manager's link holds, 1 to 30.", default=7)
    remind_days: int = whole(1, 30, "After how long those who are asked are reminded, 1 to 30.", default=3)
    country: str = text(2, "Whose public holidays are shown (ISO 3166); empty: none.", default="")
    region: str = text(10, "Its region, where holidays differ.", default="")
    zone: str = text(60, "Where a day begins.", "Europe/Ljubljana", default="")
    aim: Aim = "most"


class RulesItem(Given):
    """What a programme decided about its exchanges, or what is usual."""

    programme: int
    url: str = Field(description="The page for people.")
    way: Way = Field(description="How places are given: to who asks first, by matching, or both.")
    approvals: list[Approver]
    in_order: bool = Field(description="One after another, or all at once.")
    checklist: list[ChecklistItem]
    hold_days: int
    offer_days: int
    link_days: int
    remind_days: int
    country: str
    region: str
    zone: str
    aim: Aim
    version: int = Field(description="0 where nothing was decided.")


class AccountItem(Given):
    """An organisation, how many of its people went, and how many guests came to it."""

    id: int
    name: str
    sector: str
    went: int
    came: int


class FlowItem(Given):
    """How many went from one organisation to another, each named by its id."""

    home: int
    host: int
    stays: int


class DirectionItem(Given):
    """How many went from one sector to another."""

    home: str
    host: str
    stays: int


class LedgerItem(Given):
    """What a programme's exchanges come to: stays that are confirmed, under way or over; never who."""

    programme: int
    url: str = Field(description="The page for people.")
    stays: int
    organisations: list[AccountItem]
    flows: list[FlowItem]
    directions: list[DirectionItem]
