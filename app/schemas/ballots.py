"""Ballots, interests and what a ballot says before it is counted, as the API takes and gives them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.schemas.base import Change, Given, Inside, Instant, Item, Reference, Taken, several, text, whole
from app.schemas.challenges import Language

Method = Literal["approval", "score", "ranked", "points", "quadratic", "budget"]
Rule = Literal["least_sector", "both_sectors", "equal_weight", "bridging", "one_person", "equal_split"]
Mode = Literal["secret", "open"]
State = Literal["scheduled", "open", "counting", "closed", "cancelled"]

Number = Annotated[int, Field(ge=0, le=10**9)]
Percent = Annotated[int, Field(ge=0, le=10**12, json_schema_extra={"maximum": 100})]

MOST_NAMED = 1000
"""Solutions, roles, sectors or organisations in one body; a service asks for far fewer."""


class SettingsDraft(Inside):
    """How votes are taken and counted. Only what the method uses counts; what is left out is as usual, and in a change
    stays as it is.
    """

    seats: Number = Field(default=1, description="How many can win; not for budgets. Left out: 1.")
    least: Number = Field(
        default=0, description="Approval: how many must be marked; 0: no limit. Left out: 0."
    )
    most: Number = Field(default=0, description="Approval: how many can be marked; 0: no limit. Left out: 0.")
    points: Number = Field(default=10, description="Points, quadratic: what each voter has. Left out: 10.")
    budget: Number = Field(default=0, description="Budget: the total, in the ballot's unit. Left out: 0.")
    threshold: Percent = Field(
        default=50,
        description="Per cent of support that a solution needs; 50: more than half, others: at least, 0: no bar. "
        "Left out: 50, and 0 for points, quadratic and budget.",
    )
    quorum: Percent = Field(
        default=0, description="Per cent of all who may vote that must take part. Left out: 0."
    )
    sector_quorum: Percent = Field(default=0, description="The same in each sector. Left out: 0.")


class EligibilityDraft(Inside):
    """Whose people may vote; an empty list means all, and so does one that is left out, which in a change stays as it
    is. Observers never vote.
    """

    roles: list[str] = Field(default_factory=list, max_length=MOST_NAMED, examples=[["participant"]])
    sectors: list[str] = Field(default_factory=list, max_length=MOST_NAMED, examples=[["public", "business"]])
    organisations: list[Reference] = Field(default_factory=list, max_length=MOST_NAMED)
    member_since: Instant | None = Field(
        default=None, description="Who joined later does not vote; null or left out: when the ballot opens."
    )


class BallotDraft(Taken):
    """A ballot to make."""

    title: str = text(120, "What is decided, in one line.", "Which one first?", least=1)
    explanation: str = text(4000, "More about it, in Markdown.", default="")
    language: Language = Field(default="en", description="The language that it is written in.")
    method: Method = "approval"
    rule: Rule | None = Field(
        default=None, description="How sectors decide together; null: the usual one of the method."
    )
    mode: Mode = Field(default="secret", description="`open` shows names beside votes.")
    unit: str = text(20, "The unit of costs and budget.", "days", default="")
    settings: SettingsDraft = Field(default_factory=SettingsDraft)
    solutions: list[Reference] = Field(
        max_length=MOST_NAMED,
        description="What is decided on: at most 100.",
        json_schema_extra={"minItems": 1, "maxItems": 100},
    )
    eligibility: EligibilityDraft = Field(default_factory=EligibilityDraft)
    tallies_live: bool = Field(default=False, description="Whether the tally shows before closing.")
    opens_at: Instant | None = Field(default=None, description="Null: at once.")
    closes_at: Instant
    reminder_hours: int = whole(
        0, 720, "How long before closing those who have not voted are reminded; 0: never.", default=24
    )


class BallotChange(Change):
    """What to change of a ballot before it opens; what is left out stays, also inside of settings and eligibility."""

    title: str = text(120, "What is decided, in one line.", least=1, default="")
    explanation: str = text(4000, "More about it, in Markdown.", default="")
    language: Language = "en"
    method: Method = "approval"
    rule: Rule | None = None
    mode: Mode = "secret"
    unit: str = text(20, "The unit of costs and budget.", default="")
    settings: SettingsDraft = Field(default_factory=SettingsDraft)
    solutions: list[Reference] = several(100, most=MOST_NAMED, least=1)
    eligibility: EligibilityDraft = Field(default_factory=EligibilityDraft)
    tallies_live: bool = False
    opens_at: Instant | None = None
    closes_at: Instant | None = None
    reminder_hours: int = whole(0, 720, default=24)


class ExtensionDraft(Taken):
    """Until when an open ballot is extended, and why."""

    closes_at: Instant
    reason: str = text(1000, "Shown to all.", "Half of us were away last week.", least=1)


class ClosureDraft(Taken):
    """Why an open ballot is closed now."""

    reason: str = text(1000, "Shown to all.", "Everyone has voted.", least=1)


class SettingsItem(Given):
    """How votes are taken and counted."""

    seats: int
    least: int
    most: int
    points: int
    budget: int
    threshold: int
    quorum: int
    sector_quorum: int


class EligibilityItem(Given):
    """Whose people may vote; an empty list means all."""

    roles: list[str]
    sectors: list[str]
    organisations: list[int]
    member_since: datetime


class BallotChangeItem(Given):
    """How a ballot was extended or closed early."""

    kind: Literal["extension", "closure"]
    reason: str
    by: str
    changed_at: datetime
    closed_at: datetime = Field(description="When it would have closed.")
    closes_at: datetime = Field(description="When it closes instead.")


class SupportInSector(Given):
    """How many of a sector's votes support a solution; the sector is empty where all are counted together."""

    sector: str
    yes: int
    votes: int


class ReasonItem(Given):
    """Why something passed or did not: `code` says why, `values` what to fill in."""

    code: str
    values: dict[str, object]


class StandingItem(Given):
    """How one solution did. Numbers that are not whole are exact, as text: `8/9`."""

    key: str = Field(description="The id of the solution, as votes name it.")
    support: list[SupportInSector]
    measure: int | str = Field(description="By what the rule orders.")
    percent: float = Field(description="The measure in per cent, rounded.")
    score: int | str | None = Field(description="By what the method orders, where it has a number.")
    passed: bool
    winner: bool
    reasons: list[ReasonItem]


class TurnoutItem(Given):
    """A sector: who may vote, who took part, whose vote counts (an abstention does not)."""

    sector: str
    eligible: int
    voted: int
    counted: int


class LiveTallyItem(Given):
    """The tally of an open ballot that shows one."""

    sectors: list[str]
    standings: list[StandingItem]
    turnout: list[TurnoutItem]


class BallotItem(Item):
    """A formal decision over solutions of one challenge."""

    programme: int
    challenge: int
    title: str
    explanation: str = Field(description="Markdown.")
    explanation_html: str = Field(description="The explanation as safe HTML.")
    language: Language
    method: Method
    rule: Rule
    mode: Mode
    unit: str
    settings: SettingsItem
    eligibility: EligibilityItem
    tallies_live: bool
    opens_at: datetime
    closes_at: datetime
    reminder_hours: int
    state: State = Field(description="`counting`: closed, and its result is not there yet.")
    tie_order: list[int] = Field(
        description="The solutions in the order that decides ties; made with the ballot."
    )
    solutions: list[int]
    changes: list[BallotChangeItem] = Field(
        description="Extensions and an early closure, with their reasons."
    )
    may_vote: bool = Field(description="Whether the caller is among those who vote.")
    why_not: str | None = Field(description="Why the caller does not vote.")
    voted: bool = Field(description="Whether the caller has voted.")
    tally: LiveTallyItem | None = Field(description="Null unless the ballot is open and shows it.")
    version: int


class BallotList(Given):
    """A page of ballots."""

    items: list[BallotItem]
    next: str | None


class InterestDraft(Taken):
    """A conflict of interest to declare."""

    statement: str = text(500, "What stake one has.", "My company would build it.", least=1)


class InterestItem(Given):
    """A declared conflict of interest: shown, with the name, beside the ballot and its result."""

    solution: int
    name: str
    organisation: str | None
    statement: str


class InterestList(Given):
    """A page of declared interests."""

    items: list[InterestItem]
    next: str | None
