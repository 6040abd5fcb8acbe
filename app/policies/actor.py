"""Who asks: a person with their memberships, or nobody we know."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
class Actor:
    """The one who asks. `scopes` is None in a browser, which may do all that the person may."""

    person_id: int | None = None
    name: str = ""
    email: str | None = None
    language: str | None = None
    version: int = 0
    memberships: Mapping[int, Membership] = field(default_factory=dict)
    scopes: frozenset[str] | None = None
    session_id: int | None = None
    token_id: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether this is a person and not a passer-by."""
        return self.person_id is not None

    def membership_in(self, programme_id: int) -> Membership | None:
        """The place in that programme, if there is one now."""
        return self.memberships.get(programme_id)

    def role_in(self, programme_id: int) -> str | None:
        """The role in that programme, if there is one now."""
        membership = self.memberships.get(programme_id)
        return membership.role if membership else None


ANONYMOUS = Actor()
