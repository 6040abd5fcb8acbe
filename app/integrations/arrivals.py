"""Who leaves for an identity provider, and who comes back from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.integrations.provider_settings import ProviderSettings


@dataclass(frozen=True, slots=True)
class Departure:
    """A browser on its way to a provider: where it goes, and what must come back with it."""

    url: str
    state: str
    nonce: str
    code_verifier: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a departure asked for, which the answer must fit.

    `max_age_s` is how long ago the person may have proved themselves at the provider, counted back from
    `left_at`; zero wants a proof of this moment, and None takes any.
    """

    nonce: str
    code_verifier: str
    left_at: datetime
    max_age_s: int | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who has come back, as the provider vouches for them.

    `organisation` is the trusted claim's value and `organisation_number` the register's number for it; `groups`
    are those that the provider names. `email_verified` says that the provider's word on the mail address is
    trusted and that it calls it verified: a reason to send mail there, never one to link or join. `tenant` is
    the customer of a provider that has many under one issuer's template. `acr`, `amr` and `auth_time` say how
    and when the person proved themselves there. `directory_id` is how the organisation's directory knows them, by a
    claim of the signed id_token alone.
    """

    provider: ProviderSettings
    subject: str
    name: str | None
    email: str | None
    organisation: str | None
    sid: str | None
    id_token: str
    email_verified: bool = False
    organisation_number: str | None = None
    groups: tuple[str, ...] = ()
    directory_id: str | None = None
    tenant: str | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    auth_time: datetime | None = None

    @property
    def issuer(self) -> str:
        """The issuer whose `subject` this is: with it the only key to a person."""
        return self.provider.issuer_of(self.tenant)


@dataclass(frozen=True, slots=True)
class Testimony:
    """All that a provider has said of someone: for a trial alone, to be shown once and kept nowhere."""

    arrival: Arrival
    id_token: Mapping[str, Any] = field(repr=False)
    userinfo: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """A provider's word that a session there is over: of one session (`sid`), or of all that a subject has.

    `jti` is the notice's own name, to be taken once; after `good_until` it would be refused by its age.
    """

    issuer: str
    subject: str | None
    sid: str | None
    jti: str
    good_until: datetime
