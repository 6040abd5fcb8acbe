"""How far someone's roles reach: over a whole programme, one challenge, one organisation; as their own, or lent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.policies.actor import Actor, Assignment


@dataclass(frozen=True, slots=True)
class OfProgramme:
    """A programme, as the policy asks for it."""

    programme_id: int


@dataclass(frozen=True, slots=True)
class OfOrganisation:
    """What belongs to an organisation of a programme, as the policy asks for it."""

    programme_id: int
    organisation_id: int


def roles(actor: Actor, subject: Any, *, lent: bool = True) -> Iterator[str]:
    """The roles with which `actor` comes to `subject`: that of their place, and those assigned that reach it.

    `lent=False` leaves out what they hold in somebody's absence. Without a place there are none.
    """
    membership = actor.membership_in(subject.programme_id)
    if membership is None:
        return
    yield membership.role
    for assignment in actor.assignments:
        if _reaches(assignment, subject) and (lent or assignment.delegated_by is None):
            yield assignment.role


def hosted(actor: Actor, programme_id: int) -> frozenset[int]:
    """The ids of the organisations for which `actor` speaks as a host."""
    membership = actor.membership_in(programme_id)
    if membership is None:
        return frozenset()
    own = [membership.organisation_id] if membership.role == "host" else []
    return frozenset([*own, *_organisations(actor, programme_id, "host")])


def administered(actor: Actor, programme_id: int) -> frozenset[int]:
    """The ids of the organisations that `actor` administers."""
    if actor.membership_in(programme_id) is None:
        return frozenset()
    return frozenset(_organisations(actor, programme_id, "organisation_administrator"))


def coordinated(actor: Actor) -> list[int]:
    """The ids of the programmes that `actor` coordinates, in order."""
    return [id for id in sorted(actor.memberships) if "coordinator" in roles(actor, OfProgramme(id))]


def stood_in_for(actor: Actor, programme_id: int) -> frozenset[int]:
    """The ids of the people in whose absence `actor` acts."""
    return frozenset(
        assignment.delegated_by
        for assignment in actor.assignments
        if assignment.programme_id == programme_id and assignment.delegated_by is not None
    )


def _reaches(assignment: Assignment, subject: Any) -> bool:
    if assignment.programme_id != subject.programme_id:
        return False
    return assignment.challenge_id is None or assignment.challenge_id == getattr(
        subject, "challenge_id", None
    )


def _organisations(actor: Actor, programme_id: int, role: str) -> Iterator[int]:
    for assignment in actor.assignments:
        is_such = assignment.role == role and assignment.programme_id == programme_id
        if is_such and assignment.organisation_id is not None:
            yield assignment.organisation_id
