"""How people come in: invitations, join requests, organisations; as the API takes and gives them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Change, Given, Item, Reference, Taken, text, whole
from app.schemas.members import PlaceRole
from app.schemas.programmes import OrganisationItem

Joining = Literal["refuse", "approve", "join"]
RequestState = Literal["waiting", "approved", "declined"]


class InvitationDraft(Taken):
    """Whom to invite to what. A mail goes out where an address is given and mail is set up."""

    organisation: Reference
    role: PlaceRole = "participant"
    name: str = text(120, "Whom you mean, for your own list.", "Mira Hren", default="")
    email: str = text(254, "Where the invitation is mailed to.", "mira@larch.example", default="")
    provider: str = text(60, "Only for a sign-in through this provider.", default="")
    days: int = whole(1, 60, "How long it is good.", default=14)


class InvitationItem(Item):
    """An invitation, as those see it who could have made it."""

    programme: int
    organisation: int
    role: str
    provider: str | None
    name: str
    email: str | None
    by: int | None = Field(description="Who invited.")
    good: bool = Field(description="Whether someone can still come in by it.")
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class InvitationMade(InvitationItem):
    """An invitation that was just made."""

    address: str | None = Field(
        description="The secret address, told this once; null when the same request comes again."
    )


class InvitationList(Given):
    """A page of invitations, the newest first."""

    items: list[InvitationItem]
    next: str | None


class JoinRequestItem(Item):
    """Someone whom a provider vouches for and who waits to be let in, or was decided on."""

    programme: int
    provider: str
    name: str
    email: str | None
    organisation: int | None = Field(
        description="Whom the provider names, or what the mail's domain suggests."
    )
    organisation_claim: str = Field(description="What the provider calls the organisation.")
    state: RequestState
    reason: str
    decided_at: datetime | None
    version: int


class JoinRequestList(Given):
    """A page of requests to join, the newest first."""

    items: list[JoinRequestItem]
    next: str | None


class ApprovalDraft(Taken):
    """Where someone is let in."""

    organisation: Reference | None = Field(None, description="Left out: the one that the request names.")


class RefusalDraft(Taken):
    """Why not; the person reads it."""

    reason: str = text(
        500, "What they read at their next sign-in.", "Please ask your ministry first.", least=1
    )


class JoiningChange(Change):
    """What becomes of people who are not known."""

    joining: Joining


class JoiningItem(Given):
    """What becomes of people whom a provider vouches for and who are not known in a programme."""

    programme: int
    url: str = Field(description="The page for people.")
    joining: Joining
    version: int


class SectorItem(Given):
    """A sector of a programme."""

    id: int
    programme: int
    key: str = Field(examples=["public"])
    name: str


class SectorList(Given):
    """The sectors of a programme, in its order."""

    items: list[SectorItem]
    next: str | None


class OrganisationDraft(Taken):
    """An organisation that is to take part. Its sector stays for good."""

    name: str = text(160, "Its name.", "Ministry of Meadows", least=1)
    sector: str = text(40, "The key of its sector.", "public", least=1)
    number: str = text(40, "Its number in the public register.", "5023912000", default="")


class OrganisationChange(Change):
    """Another name or number."""

    name: str = text(160, "Its name.", least=1, default="")
    number: str = text(40, "Its number in the public register.", default="")


class ClaimItem(Given):
    """What a provider calls an organisation."""

    id: int
    issuer: str
    value: str


class DomainItem(Given):
    """A mail domain of an organisation; once it is confirmed, it suggests the organisation to coordinators."""

    id: int
    domain: str
    verified_at: datetime | None


class KnownBy(Given):
    """By what an organisation is known from outside."""

    claims: list[ClaimItem]
    domains: list[DomainItem]


class OrganisationDetail(OrganisationItem):
    """An organisation; by what it is known from outside only for those who decide who takes part."""

    people: int | None
    known_by: KnownBy | None


class ClaimDraft(Taken):
    """What a provider calls an organisation: people come in by it from then on."""

    issuer: str = text(500, "The provider's issuer.", "https://login.ministry.example", least=1)
    value: str = text(200, "The value of its claim.", "5023912000", least=1)


class DomainDraft(Taken):
    """A mail domain of an organisation."""

    domain: str = text(253, "The domain.", "ministry.example", least=1)
