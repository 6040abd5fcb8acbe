"""Machines, directories, the audit log, retention, providers; as the API takes and gives them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from app.schemas.base import Change, Given, Item, Reference, Taken, text, whole
from app.schemas.members import GivenRole, PlaceRole

JwkSet = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "required": ["keys"],
            "properties": {
                "keys": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["kty"],
                        "properties": {"kty": {"type": "string"}},
                        "additionalProperties": {
                            "anyOf": [
                                {"type": "string"},
                                {"type": "boolean"},
                                {"type": "array", "items": {"type": "string"}},
                            ]
                        },
                    },
                }
            },
            "additionalProperties": False,
        }
    ),
]
"""A set of public keys (RFC 7517), as it is described; whether it is one, the service that reads it says."""


class ClientDraft(Taken):
    """A machine with a role of its own. With `admin` or `scim` it takes a fresh sign-in on the page."""

    name: str = text(80, "What it is.", "Register of persons", least=1)
    organisation: Reference | None = Field(None, description="For this organisation alone.")
    role: PlaceRole = "observer"
    scopes: list[Literal["read", "write", "admin", "scim"]] = Field(["read"], description="What it may do.")
    method: Literal["client_secret", "private_key_jwt"] = "client_secret"
    keys: JwkSet | None = Field(None, description="Its public keys, a JWK set, for `private_key_jwt`.")
    days: int | None = Field(None, description="1 to 366; left out: until it is revoked.")


class ClientItem(Item):
    """A machine."""

    client_id: str
    programme: int
    organisation: int | None
    name: str
    role: str | None
    scopes: list[str]
    method: str
    secret_ending: str
    previous_until: datetime | None = Field(description="Until when the secret from before holds.")
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    version: int


class ClientMade(ClientItem):
    """A machine that was just made, or got another secret."""

    client_secret: str | None = Field(
        description="Told this once; null when the same request comes again, and where it proves a key."
    )


class ClientList(Given):
    """A page of machines in force."""

    items: list[ClientItem]
    next: str | None


class KeysDraft(Taken):
    """The public keys of a machine, in place of those before."""

    keys: JwkSet = Field(description="A JWK set.")


class ClientTokenItem(Given):
    """A token of a machine for a directory, made by hand."""

    id: int
    ending: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class ClientTokenList(Given):
    """Tokens of a machine for a directory, the newest first."""

    items: list[ClientTokenItem]
    next: str | None


class GroupItem(Item):
    """A group of which an organisation's directory told, and what it is here."""

    organisation: int
    name: str
    role: GivenRole | None
    members: int
    version: int


class GroupChange(Change):
    """What a group is here."""

    role: GivenRole | None = Field(description="The role of its members; null: none.")


class DirectoryItem(Given):
    """An organisation's directory: whom it told of, and its groups."""

    organisation: int
    url: str = Field(description="The page for people.")
    programme: int
    users: int
    active: int
    linked: int = Field(description="How many of them have signed in.")
    groups: list[GroupItem]


class DirectoryList(Given):
    """The directories that you answer for."""

    items: list[DirectoryItem]
    next: str | None


class AuditItem(Given):
    """An entry of the audit log, with the hash before it and its own."""

    id: int
    created_at: datetime
    programme_id: int | None
    organisation_id: int | None
    actor_id: int | None
    client_id: int | None
    action: str
    outcome: str
    subject: str
    subject_id: int | None
    data: dict[str, Any]
    previous: str
    hash: str


class AuditList(Given):
    """A page of the audit log."""

    items: list[AuditItem]
    next: str | None


class VerificationItem(Given):
    """What a walk along the whole chain has found."""

    entries: int
    first_id: int | None
    last_id: int | None
    newest: str = Field(description="The newest hash: note it elsewhere.")
    whole: bool = Field(description="Whether every entry is as it was sealed, and none is missing.")
    broken: list[int] = Field(description="Where it is not.")


class RetentionChange(Change):
    """How long a programme keeps what is personal."""

    months_after_leaving: int = whole(1, 120, "Since someone has left every programme.", default=24)
    months_unused: int = whole(6, 120, "Without a sign-in, a visit or a token's use.", default=36)
    days_of_requests: int = whole(7, 365, "Of requests and invitations that are over.", default=90)
    months_of_audit: int = whole(
        12, 240, "Of the audit log, of which the programme that keeps it longest decides.", default=60
    )


class ConsentCount(Given):
    """How many people agree to a purpose."""

    title: str
    people: int


class RetentionItem(Given):
    """How long a programme keeps what is personal."""

    programme: int
    url: str = Field(description="The page for people.")
    months_after_leaving: int
    months_unused: int
    days_of_requests: int
    months_of_audit: int
    warned: int = Field(description="How many people have been told that they will be erased.")
    consents: list[ConsentCount]
    version: int


class CheckItem(Given):
    """One thing that was looked at of a provider, in your language."""

    name: str
    state: Literal["ok", "warning", "bad"]
    says: str
    mend: str


class FailureItem(Given):
    """Why sign-ins or sign-outs were refused lately."""

    action: str
    reason: str
    count: int
    last_at: datetime


class ProviderItem(Given):
    """An identity provider, and how it fares."""

    id: str
    url: str = Field(description="The page for people.")
    name: str
    issuer: str
    programme: str = Field(description="The programme's name in addresses.")
    checks: list[CheckItem]
    failures: list[FailureItem]


class ProviderList(Given):
    """The identity providers that you look after."""

    items: list[ProviderItem]
    next: str | None
