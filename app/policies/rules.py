"""May they? The one table from permission to tiny predicates."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Protocol

from app.errors import NotAllowed, NotFound, NotFresh, NotSignedIn
from app.lib import clock
from app.lib.i18n import N_
from app.policies import reach
from app.policies.actor import Actor
from app.policies.permissions import Permission

P = Permission

FRESH: Final = timedelta(minutes=15)
"""How long after a sign-in dangerous acts need no other."""


class Subject(Protocol):
    """What a permission is about: anything that belongs to a programme.

    What belongs to a challenge or an organisation says so too, as `challenge_id` and `organisation_id`: then roles
    that are assigned for that one alone reach it.
    """

    @property
    def programme_id(self) -> int:
        """The programme it belongs to."""


Rule = Callable[[Actor, Any], bool]

FOR_PEOPLE: Final = frozenset(
    {
        P.CANCEL_BOOKING,
        P.SUPPORT_IDEA,
        P.DECIDE_MERGE,
        P.OBJECT_TO_MERGE,
        P.VOTE,
        P.DECLARE_INTEREST,
        P.PREFER_GUESTS,
        P.BOOK_PLACEMENT,
        P.ANSWER_OFFER,
        P.WITHDRAW_BOOKING,
        P.DECIDE_AS_MANAGER,
        P.DECIDE_AS_HOST,
        P.DECIDE_AS_COORDINATOR,
        P.AGREE_AS_GUEST,
        P.AGREE_AS_HOST,
        P.WRITE_STORY,
        P.STATE_WISHES,
        P.MANAGE_ROLES,
        P.MANAGE_CLIENTS,
        P.MANAGE_PROVIDERS,
        P.DELEGATE,
        P.MAKE_TOKENS,
        P.DEACTIVATE_PERSON,
        P.NAME_ADMINISTRATORS,
    }
)
"""What only a human may, whatever role a machine has: opinions, stays, and who may what."""


def may(actor: Actor, permission: Permission, subject: Any = None) -> bool:
    """Whether `actor` may do this with `subject` (a programme, challenge, idea, comment, merge or view of one)."""
    if actor.is_machine and permission in FOR_PEOPLE:
        return False
    return RULES[permission](actor, subject)


def somewhere(actor: Actor, permission: Permission) -> bool:
    """Whether `actor` may do this with any programme that they take part in, or any organisation that they administer.

    Instance administrators need no place for what is theirs everywhere.
    """
    subjects: list[Any] = [reach.OfProgramme(id) for id in actor.memberships]
    for programme_id in actor.memberships:
        own = reach.administered(actor, programme_id)
        subjects += [reach.OfOrganisation(programme_id, id) for id in own]
    if actor.is_administrator:
        subjects.append(reach.OfProgramme(0))
    return any(may(actor, permission, subject) for subject in subjects)


def require_somewhere(actor: Actor, permission: Permission) -> None:
    """Raise unless the actor may do this somewhere (`somewhere`).

    :raises NotAllowed: they may nowhere
    """
    if not somewhere(actor, permission):
        raise NotAllowed(N_("Your role in this programme does not allow this."))


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


def require_fresh(actor: Actor) -> None:
    """Raise unless the actor has proved who they are a short while ago, or comes with a token for administration.

    :raises NotFresh: they have to sign in once more
    """
    if actor.scopes is not None:
        is_fresh = "admin" in actor.scopes
    else:
        is_fresh = actor.authenticated_at is not None and clock.now() - actor.authenticated_at <= FRESH
    if not is_fresh:
        raise NotFresh(N_("This is a step with consequences. Please sign in once more, then do it again."))


def require_fresh_in_person(actor: Actor) -> None:
    """As `require_fresh`, for what outlives any token, such as another one that administers: no token is enough.

    :raises NotFresh: they have to sign in once more, and a token cannot
    """
    if actor.scopes is not None:
        raise NotFresh(N_("No token can do this: it takes a fresh sign-in. Please sign in and use the page."))
    require_fresh(actor)


def require_fresh_in_browser(actor: Actor) -> None:
    """As `require_fresh`, for those who come by a page; a program, a job and the command line have their own limits.

    :raises NotFresh: they have to sign in once more
    """
    if actor.session_id is not None:
        require_fresh(actor)


# the predicates


def _roles(*roles: str) -> Rule:
    """Whose place, or an assignment that reaches the subject, is one of these."""
    allowed = frozenset(roles)
    return lambda actor, subject: not allowed.isdisjoint(reach.roles(actor, subject))


def _roles_of_their_own(*roles: str) -> Rule:
    """The same without what is lent: for what would outlive the lending."""
    allowed = frozenset(roles)
    return lambda actor, subject: not allowed.isdisjoint(reach.roles(actor, subject, lent=False))


def _place(*roles: str) -> Rule:
    """Whose place itself has one of these roles: what each does once, and in no other's name."""
    allowed = frozenset(roles)
    return lambda actor, subject: actor.role_in(subject.programme_id) in allowed


def _any(*rules: Rule) -> Rule:
    return lambda actor, subject: any(rule(actor, subject) for rule in rules)


def _is_member(actor: Actor, subject: Any) -> bool:
    return actor.role_in(subject.programme_id) is not None


def _is_open_or_member(actor: Actor, programme: Any) -> bool:
    return programme.visibility == "public" or _is_member(actor, programme)


def _wrote_first(actor: Actor, written: Any) -> bool:
    """Whether `actor` is the author of an idea or a comment, and not one of those who write along."""
    return _is_member(actor, written) and actor.person_id == written.author_id


def _is_author(actor: Actor, idea: Any) -> bool:
    return _is_member(actor, idea) and actor.person_id in (
        idea.author_id,
        *getattr(idea, "co_author_ids", ()),
    )


def _is_asked(actor: Actor, merge: Any) -> bool:
    return _is_member(actor, merge) and actor.person_id == merge.asked_id


def _is_visible(actor: Actor, idea: Any) -> bool:
    if not _is_member(actor, idea):
        return False
    return idea.state in ("open", "merged") or _is_author(actor, idea) or _moderates(actor, idea)


def _made_it(actor: Actor, ballot: Any) -> bool:
    return _makes_ballots(actor, ballot) and actor.person_id == ballot.made_by


def _hosts(actor: Actor, placement: Any) -> bool:
    """Whether `actor` speaks for the host of a placement, or of the placement that a booking is of.

    As a host, or as its contact person who still is of the host organisation.
    """
    membership = actor.membership_in(placement.programme_id)
    if membership is None:
        return False
    is_contact = actor.person_id == placement.contact_id
    if is_contact and membership.organisation_id == placement.host_id:
        return True
    return placement.host_id in reach.hosted(actor, placement.programme_id)


def _is_guest(actor: Actor, booking: Any) -> bool:
    return _is_member(actor, booking) and actor.person_id == booking.person_id


def _is_manager(actor: Actor, booking: Any) -> bool:
    """Whether `actor` is the home manager whom the guest named, or stands in for them, and of that organisation."""
    membership = actor.membership_in(booking.programme_id)
    if membership is None or membership.organisation_id != booking.organisation_id:
        return False
    return actor.person_id == booking.manager_id or (
        booking.manager_id in reach.stood_in_for(actor, booking.programme_id)
    )


def _not_own(rule: Rule) -> Rule:
    """`rule`, but nobody decides on their own stay, nor by what the guest has lent to them."""

    def holds(actor: Actor, booking: Any) -> bool:
        if actor.person_id == booking.person_id:
            return False
        others = tuple(each for each in actor.assignments if each.delegated_by != booking.person_id)
        return rule(actor if len(others) == len(actor.assignments) else _with(actor, others), booking)

    return holds


def _with(actor: Actor, assignments: Any) -> Actor:
    return replace(actor, assignments=assignments)


def _sees_placement(actor: Actor, placement: Any) -> bool:
    if not _is_member(actor, placement):
        return False
    is_for_all = placement.is_published and not placement.is_desk
    return is_for_all or _hosts(actor, placement) or _coordinates(actor, placement)


def _sees_organisation(actor: Actor, organisation: Any) -> bool:
    """Whether `actor` follows who comes to and goes from an organisation (id, programme_id)."""
    is_own_host = organisation.id in reach.hosted(actor, organisation.programme_id)
    return is_own_host or _coordinates(actor, organisation)


def _administers(actor: Actor, _: Any) -> bool:
    return actor.is_administrator


def _administers_organisation(actor: Actor, subject: Any) -> bool:
    """Whether `actor` administers the organisation to which a subject belongs (`organisation_id`), or which it is."""
    if subject is None:  # everything is no organisation's
        return False
    organisation_id = getattr(subject, "organisation_id", None)
    if organisation_id is None and hasattr(subject, "sector_id"):
        organisation_id = subject.id
    return organisation_id in reach.administered(actor, subject.programme_id)


def _administers_something(actor: Actor, _: Any) -> bool:
    return (
        actor.is_administrator
        or bool(reach.coordinated(actor))
        or any(reach.administered(actor, programme_id) for programme_id in actor.memberships)
    )


def _coordinates_something(actor: Actor, _: Any) -> bool:
    return bool(reach.coordinated(actor))


def _reads_audit(actor: Actor, subject: Any) -> bool:
    """The whole log (None) is for instance administrators; of a programme or an organisation for those in charge."""
    if actor.is_administrator:
        return True
    return subject is not None and (_coordinates(actor, subject) or _administers_organisation(actor, subject))


def _is_known(actor: Actor, _: Any) -> bool:
    return actor.is_known


_moderates = _roles("facilitator", "coordinator")
_coordinates = _roles("coordinator")
_makes_ballots = _roles("sponsor", "coordinator")
_takes_part = _roles("participant", "facilitator", "host", "sponsor", "coordinator")
_speaks_for_themselves = _place("participant", "facilitator", "host", "sponsor", "coordinator")
_governs = _any(_roles_of_their_own("coordinator"), _administers)
_governs_organisation = _any(_governs, _administers_organisation)

# the table

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
    P.WITHDRAW_IDEA: _wrote_first,
    P.MOVE_IDEA: _takes_part,
    P.SUPPORT_IDEA: _speaks_for_themselves,
    P.COMMENT: _takes_part,
    P.WITHDRAW_COMMENT: _wrote_first,
    P.MODERATE: _moderates,
    P.ANSWER_HIDING: _is_author,
    P.ADD_CO_AUTHOR: _wrote_first,
    P.PROPOSE_MERGE: _takes_part,
    P.DECIDE_MERGE: _is_asked,
    P.OBJECT_TO_MERGE: _takes_part,
    P.UNDO_MERGE: _moderates,
    P.READ_SOLUTION: _is_member,
    P.PROMOTE_SOLUTION: _moderates,
    P.READ_BALLOT: _is_member,
    P.MAKE_BALLOT: _makes_ballots,
    P.CHANGE_BALLOT: _any(_made_it, _coordinates),
    P.CLOSE_BALLOT: _coordinates,
    P.REMIND_VOTERS: _coordinates,
    P.VOTE: _speaks_for_themselves,
    P.DECLARE_INTEREST: _speaks_for_themselves,
    P.READ_EXCHANGES: _is_member,
    P.RUN_EXCHANGES: _coordinates,
    P.READ_PLACEMENT: _sees_placement,
    P.OFFER_PLACEMENT: _roles("host", "sponsor", "coordinator"),
    P.CHANGE_PLACEMENT: _any(_hosts, _coordinates),
    P.REVIEW_PLACEMENT: _coordinates,
    P.PREFER_GUESTS: _hosts,
    P.BOOK_PLACEMENT: _speaks_for_themselves,
    P.READ_BOOKING: _any(_is_guest, _is_manager, _hosts, _coordinates),
    P.MOVE_BOOKING: _any(_is_guest, _coordinates),
    P.ANSWER_OFFER: _is_guest,
    P.WITHDRAW_BOOKING: _is_guest,
    P.CANCEL_BOOKING: _any(_is_guest, _hosts, _coordinates),
    P.DECIDE_AS_MANAGER: _not_own(_is_manager),
    P.DECIDE_AS_HOST: _not_own(_hosts),
    P.DECIDE_AS_COORDINATOR: _not_own(_coordinates),
    P.AGREE_AS_GUEST: _is_guest,
    P.AGREE_AS_HOST: _not_own(_hosts),
    P.READ_REFLECTIONS: _any(_is_guest, _hosts, _coordinates),
    P.WRITE_STORY: _any(_is_guest, _hosts),
    P.STATE_WISHES: _speaks_for_themselves,
    P.READ_ORGANISATION_CALENDAR: _sees_organisation,
    P.READ_EVENTS: _is_member,
    P.READ_AUDIT: _reads_audit,
    P.MANAGE_PEOPLE: _any(_coordinates, _administers, _administers_organisation),
    P.MANAGE_ROLES: _governs,
    P.EXPORT_PEOPLE: _governs,
    P.DEACTIVATE_PERSON: _administers,
    P.ERASE_PERSON: _any(_administers, _administers_organisation),
    P.INVITE: _governs_organisation,
    P.DECIDE_JOIN_REQUEST: _governs,
    P.RUN_IMPORTS: _roles_of_their_own("coordinator"),
    P.END_MEMBERSHIP: _governs_organisation,
    P.MANAGE_CLIENTS: _governs_organisation,
    P.MANAGE_DIRECTORY: _governs_organisation,
    P.MANAGE_RETENTION: _governs,
    P.OPEN_DATA: _governs,
    P.MANAGE_PROVIDERS: _any(_administers, _coordinates_something),
    P.MANAGE_WEBHOOKS: _roles_of_their_own("coordinator"),
    P.DELEGATE: _is_member,
    P.MANAGE_OWN: _is_known,
    P.MAKE_TOKENS: _is_known,
    P.NAME_ADMINISTRATORS: _administers,
    P.ADMINISTER: _administers_something,
}
"""What each takes: the one table. `docs/roles.md` shows it role by role."""
