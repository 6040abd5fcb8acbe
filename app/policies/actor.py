"""Who asks: a person with their memberships, or nobody we know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in one programme."""

    id: int
    programme_id: int
    role: str
    organisation_id: int
    sector_id: int
    sector_key: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role besides the membership's: for one organisation, one challenge, or where both are None the programme.

    `delegated_by` is the person in whose absence it is held.
    """

    id: int
    programme_id: int
    role: str
    organisation_id: int | None = None
    challenge_id: int | None = None
    delegated_by: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who asks. `scopes` is None in a browser, which may do all that the person may.

    `is_machine`: it stands for a client of the API. `is_bound`: a token of one programme or organisation alone asks.
    `authenticated_at`: when they last proved who they are.
    """

    person_id: int | None = None
    name: str = ""
    email: str | None = None
    language: str | None = None
    version: int = 0
    memberships: Mapping[int, Membership] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()
    is_administrator: bool = False
    is_machine: bool = False
    is_bound: bool = False
    authenticated_at: datetime | None = None
    scopes: frozenset[str] | None = None
    session_id: int | None = None
    token_id: int | None = None
    client_id: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether this is a person and not a passer-by."""
        return self.person_id is not None

    def reaches(self, programme_id: int) -> bool:
        """Whether what is their own in that programme is theirs here: not with a token that is bound to elsewhere."""
        return not self.is_bound or programme_id in self.memberships

    def membership_in(self, programme_id: int) -> Membership | None:
        """The place in that programme, if there is one now."""
        return self.memberships.get(programme_id)

    def role_in(self, programme_id: int) -> str | None:
        """The role in that programme, if there is one now."""
        membership = self.memberships.get(programme_id)
        return membership.role if membership else None


ANONYMOUS = Actor()
