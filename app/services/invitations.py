"""Invitations: a place in an organisation for whoever first signs in with a secret address, once, within some days.

The address is signed with the installation's secret and kept nowhere. Opening it shows who invites to what and changes
nothing, so that a mail scanner which follows links uses nothing up; only signing in, or a click when signed in, does.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, or_, select, true, update
from sqlalchemy.engine import Connection

from app.database import Transaction, present
from app.errors import Conflict, FieldError, Gone, Invalid, NotAllowed, NotFound
from app.integrations import mail, queue, seal
from app.lib.i18n import N_
from app.models import Invitation, Organisation, Person, Programme, Sector
from app.models.base import table
from app.models.membership import ROLES
from app.policies import reach
from app.policies.actor import ANONYMOUS, Actor
from app.policies.permissions import Permission
from app.policies.reach import OfOrganisation, OfProgramme
from app.policies.rules import may, require, require_fresh, require_somewhere
from app.schemas import text
from app.services import actors, logins, memberships, sessions
from app.services.events import record

INVITATION = table(Invitation)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)
SECTOR = table(Sector)
INVITER = PERSON.alias("inviter")

USUAL_DAYS: Final = 14
LONGEST_DAYS: Final = 60
MOST_SHOWN: Final = 200

OF_ORGANISATIONS: Final = ("participant", "observer")
"""The roles to which an organisation's administrator may invite; coordinators may to all."""

UNSEEN: Final = N_("There is no such invitation, or it is not open to you.")
USED: Final = N_("This invitation has been used already. If it was not by you, please ask for a new one.")
OUT_OF_TIME: Final = N_("This invitation has expired. Please ask for a new one.")
TAKEN_BACK: Final = N_("This invitation was taken back. Please ask whoever sent it to you.")
ELSEWHERE: Final = N_(
    "You take part in this programme already, through another organisation. "
    "Please ask those who coordinate it to change that."
)
UNBACKED: Final = N_(
    "Whoever sent this invitation may no longer invite to this place. Please ask for a new one."
)
ENDED_SINCE: Final = N_(
    "Your place in this programme ended after this invitation was made. Please ask for a new one."
)
OTHER_PROVIDER: Final = N_("This invitation is for people who sign in through another identity provider.")
OTHER_ORGANISATION: Final = N_(
    "Your identity provider names another organisation than the one that this invitation is for. "
    "Please ask whoever sent it to you for one that fits."
)


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation: who invites whom to what. `provider`: it holds for a sign-in there alone.

    `problem` is a msgid: why it is good for nothing any more; None while it is.
    """

    id: int
    programme_id: int
    programme: str
    programme_slug: str
    language: str
    organisation_id: int
    organisation: str
    sector_key: str
    sector_name: str
    role: str
    provider: str | None
    name: str
    email: str | None
    created_by: int | None
    by: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation that was just made: `token` stands in its address, is shown once and kept nowhere."""

    id: int
    token: str


# those who invite


def invite(
    tx: Transaction,
    actor: Actor | None,
    organisation_id: int,
    *,
    programme_id: int,
    role: str = "participant",
    name: str = "",
    email: str = "",
    provider: str | None = None,
    days: int = USUAL_DAYS,
) -> NewInvitation:
    """Invite someone to a place in an organisation; a mail goes out where an address is given and mail is set up.

    `actor` is None for an operator at the command line, where no policy stands between.

    :raises NotFound: there is no such organisation in this programme
    :raises NotAllowed: the actor may not invite there, or not to this role
    :raises NotFresh: it is an invitation to coordinate, and it is too long since the actor signed in
    :raises Invalid: role, name, address or days cannot be taken
    """
    there = memberships.organisation(tx.connection, programme_id, organisation_id)
    if actor is not None:
        _require_inviter(actor, there, role)
    name, problems = text.line("name", name, most=120, least=0)
    provider, wrong = text.line("provider", provider or "", most=60, least=0)
    problems += [*wrong, *_problems_of(role, email, days)]
    if problems:
        raise Invalid(*problems)
    nonce = secrets.token_bytes(16)
    made = tx.execute(
        INVITATION.insert()
        .values(
            programme_id=programme_id,
            organisation_id=organisation_id,
            role=role,
            provider=provider or None,
            name=name,
            email=email.strip() or None,
            nonce=nonce,
            created_by=actor.person_id if actor else None,
            created_at=tx.now,
            expires_at=tx.now + timedelta(days=days),
        )
        .returning(INVITATION.c.id, INVITATION.c.programme_id, INVITATION.c.organisation_id)
    ).one()
    if email.strip() and mail.is_set_up():
        queue.enqueue(tx, "mail.invitation", workflow_id=mail_id(made.id), invitation_id=made.id)
    _record(tx, "invitation.sent", actor, made, role=role)
    return NewInvitation(made.id, seal.invitation_token(made.id, nonce))


def in_programme(connection: Connection, actor: Actor, programme_id: int) -> list[InvitationView]:
    """The invitations that the actor may see, the newest first: of the programme, or of their organisation.

    :raises NotAllowed: they may invite to no organisation of the programme
    """
    everywhere, own = inviting(connection, actor, programme_id)
    chosen = _selection(connection).where(INVITATION.c.programme_id == programme_id)
    if not everywhere:
        chosen = chosen.where(INVITATION.c.organisation_id.in_([each.id for each in own]))
    rows = connection.execute(chosen.order_by(INVITATION.c.id.desc()).limit(MOST_SHOWN))
    return _views(connection, rows)


def everywhere(
    connection: Connection,
    actor: Actor,
    *,
    programme_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[InvitationView]:
    """The invitations that the actor may see, wherever, with ids less than `before`, the newest first.

    :raises NotAllowed: they may invite nowhere
    """
    require_somewhere(actor, Permission.INVITE)
    conditions = [_is_seen(actor)]
    if programme_id is not None:
        conditions.append(INVITATION.c.programme_id == programme_id)
    if before is not None:
        conditions.append(INVITATION.c.id < before)
    rows = connection.execute(
        _selection(connection).where(*conditions).order_by(INVITATION.c.id.desc()).limit(limit)
    )
    return _views(connection, rows)


def find(connection: Connection, actor: Actor, invitation_id: int) -> InvitationView:
    """One invitation.

    :raises NotFound: there is none, or the actor could not have made it
    """
    row = connection.execute(_selection(connection).where(INVITATION.c.id == invitation_id)).first()
    if row is None or not may(actor, Permission.INVITE, row):
        raise NotFound(UNSEEN)
    return _views(connection, [row])[0]


def inviting(connection: Connection, actor: Actor, programme_id: int) -> tuple[bool, list[Row[Any]]]:
    """Whether the actor invites to all organisations of a programme and any role, and to which they may invite.

    :raises NotAllowed: to none
    """
    everywhere = may(actor, Permission.DECIDE_JOIN_REQUEST, OfProgramme(programme_id))
    rows = connection.execute(
        select(ORGANISATION).where(ORGANISATION.c.programme_id == programme_id).order_by(ORGANISATION.c.name)
    ).all()
    own = [row for row in rows if may(actor, Permission.INVITE, OfOrganisation(programme_id, row.id))]
    if not everywhere and not own:
        raise NotAllowed(N_("Your role in this programme does not allow this."))
    return everywhere, own


def revoke(tx: Transaction, actor: Actor, invitation_id: int) -> None:
    """Take an invitation back; taken back or used before, nothing happens.

    :raises NotFound: there is none, or the actor could not have made it
    """
    row = tx.execute(select(INVITATION).where(INVITATION.c.id == invitation_id)).first()
    if row is None or not may(actor, Permission.INVITE, row):
        raise NotFound(UNSEEN)
    unused = update(INVITATION).where(
        INVITATION.c.id == invitation_id, INVITATION.c.used_at.is_(None), INVITATION.c.revoked_at.is_(None)
    )
    if tx.execute(unused.values(revoked_at=tx.now).returning(INVITATION.c.id)).first():
        _record(tx, "invitation.revoked", actor, row)


# those who are invited


def opened(connection: Connection, token: str) -> InvitationView:
    """What an invitation is to, for the page that its address opens. Reading it changes nothing.

    :raises NotFound: there is no such invitation, or its signature is not ours
    """
    id = seal.link_id(token)
    row = connection.execute(_selection(connection).where(INVITATION.c.id == id)).first() if id else None
    if row is None or not seal.is_invitation(token, row.id, row.nonce):
        raise NotFound(N_("There is no such invitation. Please open its address just as you got it."))
    return _views(connection, [row])[0]


def to_leave_with(connection: Connection, token: str, provider: str) -> int:
    """The id of the invitation with which someone leaves for a provider.

    :raises NotFound: there is none
    :raises Gone: it was used, has expired or was taken back
    :raises NotAllowed: it is for another provider
    """
    found = opened(connection, token)
    _require_good(found)
    _require_provider(found, provider)
    return found.id


def accept(tx: Transaction, actor: Actor, token: str) -> None:
    """Accept an invitation as the one who is signed in; accepted before by themselves, nothing happens.

    :raises NotFound: there is none
    :raises Gone: it was used, has expired or was taken back
    :raises NotAllowed: it is for another provider, or a token asks
    :raises Conflict: they take part through another organisation
    """
    require(actor, Permission.MANAGE_OWN)
    memberships.require_in_person(actor)
    found = opened(tx.connection, token)
    used = [login.provider for login in logins.of_person(tx.connection, actor) if login.is_current]
    take_up(tx, found.id, actor.person_id or 0, provider=used[0] if used else "")


def take_up(
    tx: Transaction,
    invitation_id: int,
    person_id: int,
    *,
    provider: str,
    organisation_id: int | None = None,
) -> None:
    """Give someone the place to which an invitation invites; who has that place keeps it, and the invitation.

    A participant or observer of the organisation gets the role of the invitation. Of two at once one gets it.
    `organisation_id` is what the provider vouches for, if for anything.

    :raises Gone: it was used, has expired, was taken back or is from before their place ended; or whoever sent it may
        no longer invite
    :raises NotAllowed: it is for another provider, or for another organisation than the provider names; or their own
    :raises Conflict: they take part through another organisation
    """
    found = _held(tx, invitation_id)
    memberships.hold(tx, [found.programme_id])
    place = memberships.of_person(tx.connection, found.programme_id, person_id)
    is_there = place is not None and place.ended_at is None
    if is_there and place is not None and place.organisation_id == found.organisation_id:
        if found.role == place.role or place.role not in OF_ORGANISATIONS:
            return
    elif is_there:
        raise Conflict(ELSEWHERE)
    _require_good(found)
    _require_provider(found, provider)
    if found.created_by == person_id:
        raise NotAllowed(N_("Nobody raises their own role. Please ask another who gives roles here."))
    if place is not None and place.ended_at is not None and found.created_at <= place.ended_at:
        raise Gone(ENDED_SINCE)
    if organisation_id not in (None, found.organisation_id):
        raise NotAllowed(OTHER_ORGANISATION)
    _use(tx, found, person_id)
    if place is not None and is_there:
        memberships.give_role(tx, Actor(person_id=person_id), place, found.role)
    else:
        there = memberships.organisation(tx.connection, found.programme_id, found.organisation_id)
        memberships.admit(tx, Actor(person_id=person_id), person_id, there, role=found.role, is_given=True)
    sessions.rotate_later(tx, person_id)


# the mail


def mail_id(invitation_id: int) -> str:
    """The name that an invitation's mail has however often it is tried: as a job, and as a message."""
    return f"invitation-{invitation_id}"


def to_mail(connection: Connection, invitation_id: int) -> tuple[InvitationView, str] | None:
    """An invitation and its token, for its letter; None where it is no longer good, so that nothing is mailed."""
    row = connection.execute(_selection(connection).where(INVITATION.c.id == invitation_id)).first()
    if row is None:
        return None
    found = _views(connection, [row])[0]
    if found.problem is not None or found.email is None:
        return None
    return found, seal.invitation_token(row.id, row.nonce)


# within


def _is_seen(actor: Actor) -> ColumnElement[bool]:
    """The condition that an invitation is the actor's affair: what the policy says of one, of many at once."""
    if actor.is_administrator:
        return true()
    governed = [id for id in actor.memberships if may(actor, Permission.INVITE, OfProgramme(id))]
    own = {id for programme_id in actor.memberships for id in reach.administered(actor, programme_id)}
    return or_(INVITATION.c.programme_id.in_(governed), INVITATION.c.organisation_id.in_(own))


def _require_inviter(actor: Actor, there: Row[Any], role: str) -> None:
    for permission in _needed(role):
        require(actor, permission, OfOrganisation(there.programme_id, there.id))
    if role == "coordinator":
        require_fresh(actor)


def _needed(role: str) -> tuple[Permission, ...]:
    """What it takes to invite to a role."""
    return (Permission.INVITE,) if role in OF_ORGANISATIONS else (Permission.INVITE, Permission.MANAGE_ROLES)


def _problems_of(role: str, email: str, days: int) -> list[FieldError]:
    problems = []
    if role not in ROLES:
        problems.append(FieldError("role", N_("Please choose one of the roles in the list.")))
    if email.strip() and logins.address(email) is None:
        problems.append(FieldError("email", N_("Please write a mail address such as name@example.org.")))
    if not 1 <= days <= LONGEST_DAYS:
        message = N_("Please choose between 1 and %(most)s days.")
        problems.append(FieldError("days", message, (("most", LONGEST_DAYS),)))
    return problems


def _held(tx: Transaction, invitation_id: int) -> InvitationView:
    """An invitation that nobody else uses until the commit.

    :raises NotFound: there is none
    """
    tx.execute(select(INVITATION.c.id).where(INVITATION.c.id == invitation_id).with_for_update())
    row = tx.execute(_selection(tx.connection).where(INVITATION.c.id == invitation_id)).first()
    if row is None:
        raise NotFound(N_("There is no such invitation. Please open its address just as you got it."))
    return _views(tx.connection, [row])[0]


def _require_good(found: InvitationView) -> None:
    if found.problem is not None:
        raise Gone(found.problem)


def _require_provider(found: InvitationView, provider: str) -> None:
    if found.provider is not None and found.provider != provider:
        raise NotAllowed(OTHER_PROVIDER)


def _use(tx: Transaction, found: InvitationView, person_id: int) -> None:
    tx.execute(
        update(INVITATION).where(INVITATION.c.id == found.id).values(used_at=tx.now, used_by=person_id)
    )
    _record(tx, "invitation.accepted", Actor(person_id=person_id), found)


def _record(tx: Transaction, type: str, actor: Actor | None, of: Any, **more: str) -> None:
    """`of` has id, programme_id, organisation_id."""
    data = {"organisation_id": of.organisation_id, **more}
    record(tx, type, actor, programme_id=of.programme_id, subject_id=of.id, data=data)


def _selection(connection: Connection) -> Select[Any]:
    return (
        select(
            INVITATION,
            PROGRAMME.c.name.label("programme"),
            PROGRAMME.c.slug.label("programme_slug"),
            PROGRAMME.c.language,
            ORGANISATION.c.name.label("organisation"),
            SECTOR.c.key.label("sector_key"),
            SECTOR.c.name.label("sector_name"),
            INVITER.c.name.label("by"),
            present(connection.dialect.name).label("now"),
        )
        .join(PROGRAMME, PROGRAMME.c.id == INVITATION.c.programme_id)
        .join(ORGANISATION, ORGANISATION.c.id == INVITATION.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .outerjoin(INVITER, INVITER.c.id == INVITATION.c.created_by)
    )


def _views(connection: Connection, rows: Iterable[Row[Any]]) -> list[InvitationView]:
    """Invitations as they are now: one is as good as the word of whoever sent it."""
    senders: dict[int, Actor] = {}
    found = []
    for row in rows:
        problem = _problem(row)
        if problem is None and not _is_backed(connection, row, senders):
            problem = UNBACKED
        found.append(InvitationView(**{name: getattr(row, name) for name in _SAME}, problem=problem))
    return found


def _is_backed(connection: Connection, row: Row[Any], senders: dict[int, Actor]) -> bool:
    """Whether who sent an invitation could still send it; an operator could."""
    if row.created_by is None:
        return True
    if row.created_by not in senders:
        try:
            senders[row.created_by] = actors.find(connection, row.created_by)
        except NotFound:
            senders[row.created_by] = ANONYMOUS
    there = OfOrganisation(row.programme_id, row.organisation_id)
    return all(may(senders[row.created_by], permission, there) for permission in _needed(row.role))


_SAME: Final[Sequence[str]] = tuple(name for name in InvitationView.__slots__ if name != "problem")


def _problem(row: Row[Any]) -> str | None:
    if row.used_at is not None:
        return USED
    if row.revoked_at is not None:
        return TAKEN_BACK
    return OUT_OF_TIME if row.expires_at <= row.now else None
