"""Memberships: begun, moved to another organisation, ended; and people put out of action and back.

Ended memberships stay. Whatever someone had by a place ends with it, at once: roles besides, roles lent, tokens that
are good there alone; and with the last place all sessions and tokens.
"""

from typing import Any, Final

from sqlalchemy import Row, and_, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, Moved, NotAllowed, NotFound
from app.lib.i18n import N_
from app.models import Assignment, Client, Membership, Organisation, Person, Programme
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.reach import OfOrganisation
from app.policies.rules import may, require, require_fresh_in_browser
from app.services import notices, sessions, support, tokens
from app.services.events import record

ASSIGNMENT = table(Assignment)
CLIENT = table(Client)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)

UNSEEN: Final = N_("There is no such membership, or it is not open to you.")
LAST_COORDINATOR: Final = N_(
    "Nobody else coordinates this programme. Please let someone else coordinate it first, then do this again."
)


def find(connection: Connection, actor: Actor, membership_id: int) -> Row[Any]:
    """A membership, ended or not, with the names of its person, organisation and programme.

    :raises NotFound: there is none, or the actor neither takes part in its programme nor may end it
    """
    row = connection.execute(
        select(
            MEMBERSHIP,
            PERSON.c.name,
            ORGANISATION.c.name.label("organisation"),
            PROGRAMME.c.name.label("programme"),
            PROGRAMME.c.slug.label("programme_slug"),
        )
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .join(PROGRAMME, PROGRAMME.c.id == MEMBERSHIP.c.programme_id)
        .where(MEMBERSHIP.c.id == membership_id)
    ).first()
    if row is None or not (
        may(actor, Permission.END_MEMBERSHIP, row) or may(actor, Permission.READ_PEOPLE, row)
    ):
        raise NotFound(UNSEEN)
    return row


def end(tx: Transaction, actor: Actor, membership_id: int, *, version: int | None = None) -> None:
    """End someone's place in a programme, and all that they had by it; ended before, nothing more happens.

    :raises NotFound: there is none, or the actor may not see it
    :raises NotAllowed: they neither coordinate the programme nor administer the organisation
    :raises Moved: `version` is given and no longer the newest
    :raises Conflict: nobody else coordinates the programme
    """
    row = _held(tx, actor, membership_id)
    require(actor, Permission.END_MEMBERSHIP, row)
    if row.ended_at is not None:
        return
    _require_version(row, version)
    _end(tx, actor, row)
    _let_go(tx, row.person_id)


def leave(tx: Transaction, actor: Actor, programme_id: int) -> None:
    """End one's own place in a programme; where there is none, nothing happens.

    :raises NotAllowed: a token asks
    :raises Conflict: nobody else coordinates the programme
    """
    require(actor, Permission.MANAGE_OWN)
    require_in_person(actor)
    place = actor.membership_in(programme_id)
    row = _held(tx, actor, place.id) if place else None
    if row is None or row.ended_at is not None:
        return
    _end(tx, actor, row)
    _let_go(tx, row.person_id)


def move(
    tx: Transaction,
    actor: Actor,
    membership_id: int,
    organisation_id: int,
    *,
    version: int | None = None,
) -> int:
    """Let someone go on in another organisation of the programme, as after a change of employer; the new membership.

    The person stays the same, with all that they have written. The role goes along only where the actor may give it;
    otherwise they are a participant. What supports they have given count for their new sector. To where they are
    already, nothing happens.

    :raises NotFound: there is no such membership or organisation
    :raises NotAllowed: the actor may not end the one, or not let anyone into the other
    :raises Moved: `version` is given and no longer the newest
    :raises Conflict: the place has ended, or nobody would coordinate the programme any more
    """
    row = _held(tx, actor, membership_id)
    require(actor, Permission.END_MEMBERSHIP, row)
    there = organisation(tx.connection, row.programme_id, organisation_id)
    require(actor, Permission.INVITE, OfOrganisation(there.programme_id, there.id))
    if row.ended_at is not None:
        raise Conflict(N_("This place has ended already."))
    if row.organisation_id == organisation_id:
        return int(row.id)
    _require_version(row, version)
    role = row.role if may(actor, Permission.MANAGE_ROLES, row) else "participant"
    _end(tx, actor, row, is_replaced=role == row.role)
    begun = admit(tx, actor, row.person_id, there, role=role, is_given=True)
    sessions.rotate_later(tx, row.person_id)
    return begun


def admit(
    tx: Transaction,
    actor: Actor | None,
    person_id: int,
    there: Any,
    *,
    role: str = "participant",
    is_given: bool = False,
) -> int:
    """Give someone a place in an organisation (id, programme_id, sector_id), where they have none; its id.

    The caller has decided that they may have it; `is_given` as the model has it.
    """
    membership_id = tx.execute(
        MEMBERSHIP.insert()
        .values(
            programme_id=there.programme_id,
            person_id=person_id,
            organisation_id=there.id,
            sector_id=there.sector_id,
            role=role,
            is_given=is_given,
            created_at=tx.now,
            updated_at=tx.now,
            version=1,
        )
        .returning(MEMBERSHIP.c.id)
    ).scalar_one()
    support.count_for(tx, person_id, there.programme_id, there.sector_id)
    record(
        tx,
        "person.joined",
        actor,
        programme_id=there.programme_id,
        subject_id=person_id,
        data={"organisation_id": there.id, "role": role},
    )
    return int(membership_id)


def give_role(tx: Transaction, actor: Actor, place: Row[Any], role: str) -> None:
    """Let someone have another role by their place. The caller has decided that they may have it."""
    tx.execute(
        update(MEMBERSHIP)
        .where(MEMBERSHIP.c.id == place.id)
        .values(role=role, updated_at=tx.now, version=MEMBERSHIP.c.version + 1)
    )
    data = {"person_id": place.person_id, "organisation_id": place.organisation_id}
    data |= {"from": place.role, "to": role}
    record(tx, "role.changed", actor, programme_id=place.programme_id, subject_id=place.person_id, data=data)


def of_person(connection: Connection, programme_id: int, person_id: int) -> Row[Any] | None:
    """The place that someone has in a programme now; else the last one that they had; or None."""
    return connection.execute(
        select(MEMBERSHIP)
        .where(MEMBERSHIP.c.programme_id == programme_id, MEMBERSHIP.c.person_id == person_id)
        .order_by(MEMBERSHIP.c.ended_at.is_not(None), MEMBERSHIP.c.id.desc())
        .limit(1)
    ).first()


def has_any(connection: Connection, person_id: int) -> bool:
    """Whether someone has a place anywhere now, or administers the installation."""
    row = connection.execute(
        select(PERSON.c.id)
        .outerjoin(MEMBERSHIP, and_(MEMBERSHIP.c.person_id == PERSON.c.id, MEMBERSHIP.c.ended_at.is_(None)))
        .where(
            PERSON.c.id == person_id,
            or_(MEMBERSHIP.c.id.is_not(None), PERSON.c.administrator_since.is_not(None)),
        )
    ).first()
    return row is not None


def organisation(connection: Connection, programme_id: int, organisation_id: int) -> Row[Any]:
    """An organisation of a programme: id, programme_id, sector_id, name.

    :raises NotFound: there is none
    """
    row = connection.execute(
        select(ORGANISATION).where(
            ORGANISATION.c.id == organisation_id, ORGANISATION.c.programme_id == programme_id
        )
    ).first()
    if row is None:
        raise NotFound(N_("There is no such organisation in this programme."))
    return row


def end_by_directory(tx: Transaction, actor: Actor, row: Row[Any]) -> None:
    """End a place because the organisation's directory says that the person has left; sessions and tokens end at once.

    It is not refused to the last coordinator: who has left comes in no more. Without another place they are put out
    of action.
    """
    hold(tx, [row.programme_id])
    _end(tx, actor, row, is_replaced=True)
    sessions.end_all(tx, row.person_id, reason="left")
    tokens.revoke_all(tx, actor, row.person_id)
    if not has_any(tx.connection, row.person_id):
        _set_disabled(tx, row.person_id, tx.now)
        record(tx, "person.deactivated", actor, subject_id=row.person_id)


# people out of action and back


def deactivate(tx: Transaction, actor: Actor, person_id: int) -> None:
    """Put a person out of action: no session or token of theirs holds from now on; done before, nothing happens.

    :raises NotAllowed: the actor does not administer the installation
    :raises NotFresh: they have to sign in once more
    :raises NotFound: there is no such person
    :raises Conflict: it is oneself
    """
    require(actor, Permission.DEACTIVATE_PERSON)
    require_fresh_in_browser(actor)
    if person_id == actor.person_id:
        raise Conflict(
            N_("You cannot put yourself out of action. Someone else who administers has to do it.")
        )
    put_out(tx, actor, person_id)


def put_out(tx: Transaction, actor: Actor | None, person_id: int) -> None:
    """What `deactivate` does, where the caller has decided that it is to be done.

    :raises NotFound: there is no such person
    :raises Conflict: a programme would have no coordinator any more
    """
    _require_other_coordinators(tx, person_id)
    if _person(tx, person_id).disabled_at is not None:
        return
    _set_disabled(tx, person_id, tx.now)
    sessions.end_all(tx, person_id, reason="deactivated")
    tokens.revoke_all(tx, actor, person_id)
    record(tx, "person.deactivated", actor, subject_id=person_id)


def reactivate(tx: Transaction, actor: Actor, person_id: int) -> None:
    """Let a person sign in again; sessions and tokens that ended stay ended.

    :raises NotAllowed: the actor does not administer the installation
    :raises NotFresh: they have to sign in once more
    :raises NotFound: there is no such person
    :raises Conflict: the person was erased or has become one with another
    """
    require(actor, Permission.DEACTIVATE_PERSON)
    require_fresh_in_browser(actor)
    put_back(tx, actor, person_id)


def put_back(tx: Transaction, actor: Actor | None, person_id: int) -> None:
    """What `reactivate` does, where the caller has decided that it is to be done.

    :raises NotFound: there is no such person
    :raises Conflict: the person was erased or has become one with another
    """
    row = _person(tx, person_id)
    if row.disabled_at is None:
        return
    if row.erased_at is not None:
        raise Conflict(N_("This person was erased, or has become one with another; there is no way back."))
    _set_disabled(tx, person_id, None)
    record(tx, "person.reactivated", actor, subject_id=person_id)


def require_in_person(actor: Actor) -> None:
    """Raise unless the actor is at a page or the command line.

    :raises NotAllowed: a token asks
    """
    if actor.scopes is not None:
        raise NotAllowed(N_("A token cannot do this. Please sign in and use your own page."))


# within


def _held(tx: Transaction, actor: Actor, membership_id: int) -> Row[Any]:
    """A membership that nobody else changes until the commit; its programme's coordinators do not change either."""
    programme_id = tx.execute(
        select(MEMBERSHIP.c.programme_id).where(MEMBERSHIP.c.id == membership_id)
    ).scalar()
    hold(tx, [programme_id] if programme_id else [])
    tx.execute(select(MEMBERSHIP.c.id).where(MEMBERSHIP.c.id == membership_id).with_for_update())
    return find(tx.connection, actor, membership_id)


def hold(tx: Transaction, programme_ids: Any) -> None:
    """Let processes change the places of one programme one after another, until the commit.

    SQLite has one writer at a time anyway.
    """
    for programme_id in sorted(programme_ids):
        tx.execute(
            select(PROGRAMME.c.id).where(PROGRAMME.c.id == programme_id).with_for_update(key_share=True)
        )


def _end(tx: Transaction, actor: Actor, row: Row[Any], *, is_replaced: bool = False) -> None:
    """End a place, with the roles that were held or lent by it and the tokens bound to it."""
    if not is_replaced:
        require_other_coordinator(tx, row.programme_id, row.person_id)
    tx.execute(
        update(MEMBERSHIP)
        .where(MEMBERSHIP.c.id == row.id)
        .values(ended_at=tx.now, updated_at=tx.now, version=MEMBERSHIP.c.version + 1)
    )
    _end_roles(tx, actor, row)
    tokens.revoke_all(tx, actor, row.person_id, programme_id=row.programme_id)
    tell_of_machines(tx, row.programme_id, row.person_id)
    record(
        tx,
        "membership.ended",
        actor,
        programme_id=row.programme_id,
        subject_id=row.id,
        data={"person_id": row.person_id, "organisation_id": row.organisation_id},
    )


def _end_roles(tx: Transaction, actor: Actor, row: Row[Any]) -> None:
    """End the roles that someone had besides a place or lent from it, each with an entry of its own."""
    ended = tx.execute(
        update(ASSIGNMENT)
        .where(
            ASSIGNMENT.c.programme_id == row.programme_id,
            or_(ASSIGNMENT.c.person_id == row.person_id, ASSIGNMENT.c.delegated_by == row.person_id),
            ASSIGNMENT.c.ended_at.is_(None),
        )
        .values(ended_at=tx.now)
        .returning(ASSIGNMENT)
    ).all()
    for each in sorted(ended, key=lambda role: role.id):
        sessions.rotate_later(tx, each.person_id)
        told = {
            "person_id": each.person_id,
            "role": each.role,
            "organisation_id": each.organisation_id,
            "challenge_id": each.challenge_id,
        }
        record(
            tx,
            "assignment.ended" if each.delegated_by is None else "delegation.ended",
            actor,
            programme_id=each.programme_id,
            subject_id=each.id,
            data={name: value for name, value in told.items() if value is not None},
        )


def _let_go(tx: Transaction, person_id: int) -> None:
    """After a place has ended: whoever has no other is signed out everywhere, and others get another cookie."""
    if has_any(tx.connection, person_id):
        sessions.rotate_later(tx, person_id)
        return
    sessions.end_all(tx, person_id, reason="left")
    tokens.revoke_all(tx, None, person_id)


def tell_of_machines(tx: Transaction, programme_id: int, person_id: int) -> None:
    """Tell those who coordinate a programme that machines go on whose secrets someone may know who has lost a role."""
    made = and_(
        CLIENT.c.programme_id == programme_id, CLIENT.c.created_by == person_id, CLIENT.c.revoked_at.is_(None)
    )
    if tx.execute(select(CLIENT.c.id).where(made).limit(1)).first() is not None:
        others = coordinators(tx.connection, programme_id) - {person_id}
        notices.tell(tx, others, "machines_left", programme_id=programme_id)


def require_other_coordinator(tx: Transaction, programme_id: int, person_id: int) -> None:
    """Raise if `person_id` coordinates a programme and nobody else does. The programme is held.

    :raises Conflict: there would be none
    """
    coordinating = coordinators(tx.connection, programme_id)
    if coordinating == {person_id}:
        raise Conflict(LAST_COORDINATOR)


def coordinators(connection: Connection, programme_id: int) -> set[int]:
    """The ids of those who coordinate a programme for good: by their place, or by a role that nobody has lent."""
    is_there = and_(
        MEMBERSHIP.c.ended_at.is_(None), PERSON.c.disabled_at.is_(None), PERSON.c.is_machine.is_(False)
    )
    by_place = (
        select(MEMBERSHIP.c.person_id)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(MEMBERSHIP.c.programme_id == programme_id, MEMBERSHIP.c.role == "coordinator", is_there)
    )
    by_role = (
        select(MEMBERSHIP.c.person_id)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .join(
            ASSIGNMENT,
            and_(
                ASSIGNMENT.c.person_id == MEMBERSHIP.c.person_id,
                ASSIGNMENT.c.programme_id == MEMBERSHIP.c.programme_id,
            ),
        )
        .where(
            MEMBERSHIP.c.programme_id == programme_id,
            is_there,
            ASSIGNMENT.c.role == "coordinator",
            ASSIGNMENT.c.organisation_id.is_(None),
            ASSIGNMENT.c.challenge_id.is_(None),
            ASSIGNMENT.c.delegated_by.is_(None),
            ASSIGNMENT.c.ends_at.is_(None),
            ASSIGNMENT.c.ended_at.is_(None),
        )
    )
    return set(connection.execute(by_place.union(by_role)).scalars())


def _require_other_coordinators(tx: Transaction, person_id: int) -> None:
    programme_ids = tx.execute(
        select(MEMBERSHIP.c.programme_id).where(
            MEMBERSHIP.c.person_id == person_id, MEMBERSHIP.c.ended_at.is_(None)
        )
    ).scalars()
    held = sorted(programme_ids)
    hold(tx, held)
    for programme_id in held:
        require_other_coordinator(tx, programme_id, person_id)


def _require_version(row: Row[Any], version: int | None) -> None:
    if version is not None and version != row.version:
        raise Moved(N_("Someone has changed this place in the meantime."), current=row.version)


def _person(tx: Transaction, person_id: int) -> Row[Any]:
    row = tx.execute(select(PERSON).where(PERSON.c.id == person_id, PERSON.c.is_machine.is_(False))).first()
    if row is None:
        raise NotFound(N_("There is no such person."))
    return row


def _set_disabled(tx: Transaction, person_id: int, instant: Any) -> None:
    tx.execute(
        update(PERSON)
        .where(PERSON.c.id == person_id)
        .values(disabled_at=instant, updated_at=tx.now, version=PERSON.c.version + 1)
    )
