"""May they? The one table from permission to tiny predicates."""

from collections.abc import Callable
from typing import Any, Protocol

from app.errors import NotAllowed, NotFound, NotSignedIn
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.policies.permissions import Permission

P = Permission


class Subject(Protocol):
    """What a permission is about: anything that belongs to a programme."""

    @property
    def programme_id(self) -> int:
        """The programme it belongs to."""


Rule = Callable[[Actor, Any], bool]


def may(actor: Actor, permission: Permission, subject: Any = None) -> bool:
    """Whether `actor` may do this with `subject` (a programme, challenge, idea, comment, merge or view of one)."""
    return RULES[permission](actor, subject)


def require(
    actor: Actor, permission: Permission, subject: Any = None, *, seen_by: Permission | None = None
) -> None:
    """Raise unless `actor` may.

    :raises NotFound: they may not even see it (`seen_by` is the permission to see it)
    :raises NotSignedIn: nobody is signed in, and the thing may be seen
    :raises NotAllowed: they may see it, but not do this
    """
    if seen_by is not None and not may(actor, seen_by, subject):
        raise NotFound(N_("There is no such page, or it is not open to you."))
    if may(actor, permission, subject):
        return
    if not actor.is_known:
        raise NotSignedIn(N_("Please sign in first."))
    raise NotAllowed(N_("Your role in this programme does not allow this."))


def _roles(*roles: str) -> Rule:
    allowed = frozenset(roles)
    return lambda actor, subject: actor.role_in(subject.programme_id) in allowed


def _is_member(actor: Actor, subject: Any) -> bool:
    return actor.role_in(subject.programme_id) is not None


def _is_open_or_member(actor: Actor, programme: Any) -> bool:
    return programme.visibility == "public" or _is_member(actor, programme)


def _is_author(actor: Actor, idea: Any) -> bool:
    return _is_member(actor, idea) and actor.person_id in (
        idea.author_id,
        *getattr(idea, "co_author_ids", ()),
    )


def _is_asked(actor: Actor, merge: Any) -> bool:
    return _is_member(actor, merge) and actor.person_id == merge.asked_id


def _any(*rules: Rule) -> Rule:
    return lambda actor, subject: any(rule(actor, subject) for rule in rules)


def _is_visible(actor: Actor, idea: Any) -> bool:
    if not _is_member(actor, idea):
        return False
    return idea.state in ("open", "merged") or _is_author(actor, idea) or _moderates(actor, idea)


def _is_known(actor: Actor, _: Any) -> bool:
    return actor.is_known


def _administers_any(actor: Actor, _: Any) -> bool:
    return any(membership.role == "coordinator" for membership in actor.memberships.values())


_takes_part = _roles("participant", "facilitator", "host", "sponsor", "coordinator")
_moderates = _roles("facilitator", "coordinator")
_coordinates = _roles("coordinator")
_makes_ballots = _roles("sponsor", "coordinator")

RULES: dict[Permission, Rule] = {
    P.READ_PROGRAMME: _is_open_or_member,
    P.READ_PEOPLE: _is_member,
    P.READ_CHALLENGE: _is_member,
    P.CREATE_CHALLENGE: _roles("sponsor", "coordinator"),
    P.CHANGE_CHALLENGE: _roles("facilitator", "sponsor", "coordinator"),
    P.DELETE_CHALLENGE: _coordinates,
    P.CHANGE_PHASES: _moderates,
    P.ARRANGE_CLUSTERS: _moderates,
    P.READ_IDEA: _is_visible,
    P.POST_IDEA: _takes_part,
    P.EDIT_IDEA: _is_author,
    P.WITHDRAW_IDEA: lambda actor, idea: _is_member(actor, idea) and actor.person_id == idea.author_id,
    P.MOVE_IDEA: _takes_part,
    P.SUPPORT_IDEA: _takes_part,
    P.COMMENT: _takes_part,
    P.WITHDRAW_COMMENT: lambda actor, comment: (
        _is_member(actor, comment) and actor.person_id == comment.author_id
    ),
    P.MODERATE: _moderates,
    P.ANSWER_HIDING: _is_author,
    P.ADD_CO_AUTHOR: lambda actor, idea: _is_member(actor, idea) and actor.person_id == idea.author_id,
    P.PROPOSE_MERGE: _takes_part,
    P.DECIDE_MERGE: _is_asked,
    P.OBJECT_TO_MERGE: _takes_part,
    P.UNDO_MERGE: _moderates,
    P.READ_SOLUTION: _is_member,
    P.PROMOTE_SOLUTION: _moderates,
    P.READ_BALLOT: _is_member,
    P.MAKE_BALLOT: _makes_ballots,
    P.CHANGE_BALLOT: lambda actor, ballot: (
        _coordinates(actor, ballot) or (_makes_ballots(actor, ballot) and actor.person_id == ballot.made_by)
    ),
    P.CLOSE_BALLOT: _coordinates,
    P.REMIND_VOTERS: _coordinates,
    P.VOTE: _takes_part,
    P.DECLARE_INTEREST: _takes_part,
    P.READ_EVENTS: _is_member,
    P.MANAGE_OWN: _is_known,
    P.ADMINISTER: _administers_any,
}
