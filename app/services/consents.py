"""Consents: what someone agrees to where consent is the ground. Off until given, in the words of one version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Moved, NotAllowed, NotFound
from app.lib.i18n import N_
from app.models import Consent, Membership, Programme
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services.events import record

CONSENT = table(Consent)
MEMBERSHIP = table(Membership)
PROGRAMME = table(Programme)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What consent is asked for: two msgids. Whoever changes the text raises `version`, and asks anew."""

    version: int
    title: str
    text: str


PURPOSES: Final[Mapping[str, Purpose]] = {
    "later_contact": Purpose(
        1,
        N_("Hearing of later programmes"),
        N_("Those who coordinate this programme may write to me when a later one begins."),
    ),
    "research": Purpose(
        1,
        N_("Research"),
        N_(
            "What I have answered and written in this programme may be used, without my name, for research "
            "on how public administration and business work together."
        ),
    ),
}
"""Every purpose there is. A key, once used, keeps its meaning. Stories ask for consent of their own, story by story."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One purpose in one programme, as someone sees it; `given_at` is None until they agree to its newest words."""

    programme_id: int
    programme_name: str
    purpose: str
    version: int
    title: str
    text: str
    given_at: datetime | None


# queries


def of_person(connection: Connection, actor: Actor) -> list[Asked]:
    """Every purpose in every programme of the actor, with what they gave. One statement."""
    require(actor, Permission.MANAGE_OWN)
    rows = connection.execute(
        select(PROGRAMME.c.id, PROGRAMME.c.name, CONSENT.c.purpose, CONSENT.c.version, CONSENT.c.given_at)
        .select_from(MEMBERSHIP)
        .join(PROGRAMME, PROGRAMME.c.id == MEMBERSHIP.c.programme_id)
        .outerjoin(
            CONSENT,
            and_(
                CONSENT.c.programme_id == PROGRAMME.c.id,
                CONSENT.c.person_id == MEMBERSHIP.c.person_id,
                CONSENT.c.withdrawn_at.is_(None),
            ),
        )
        .where(
            MEMBERSHIP.c.person_id == actor.person_id,
            MEMBERSHIP.c.programme_id.in_(sorted(actor.memberships)),
            MEMBERSHIP.c.ended_at.is_(None),
        )
        .order_by(PROGRAMME.c.id)
    ).all()
    given = {(row.id, row.purpose, row.version): row.given_at for row in rows}
    return [
        Asked(
            id, name, key, purpose.version, purpose.title, purpose.text, given.get((id, key, purpose.version))
        )
        for id, name in dict.fromkeys((row.id, row.name) for row in rows)
        for key, purpose in PURPOSES.items()
    ]


def numbers(connection: Connection, actor: Actor, programme: Any) -> Sequence[tuple[str, int]]:
    """How many people of a programme agree to each purpose (title, number), and not who. One statement.

    :raises NotAllowed: the actor does not look after the programme's data
    """
    require(actor, Permission.MANAGE_RETENTION, programme)
    rows = connection.execute(
        select(CONSENT.c.purpose, CONSENT.c.version, func.count())
        .where(CONSENT.c.programme_id == programme.id, CONSENT.c.withdrawn_at.is_(None))
        .group_by(CONSENT.c.purpose, CONSENT.c.version)
    )
    found = {(purpose, version): number for purpose, version, number in rows}
    return [(each.title, found.get((key, each.version), 0)) for key, each in PURPOSES.items()]


# verbs


def give(
    tx: Transaction, actor: Actor, programme_id: int, purpose: str, *, version: int | None = None
) -> None:
    """Agree to a purpose in a programme, in its newest words; again, and nothing changes.

    :raises NotAllowed: a token asks: it is the person who agrees, having read the words
    :raises NotFound: there is no such purpose, or the actor has no place in the programme
    :raises Moved: `version` is given, and the words are others by now
    """
    require(actor, Permission.MANAGE_OWN)
    if actor.scopes is not None:
        raise NotAllowed(N_("A token cannot agree to anything. Please sign in and use your own page."))
    asked = _asked(actor, programme_id, purpose)
    if version is not None and version != asked.version:
        raise Moved(N_("The words are others by now. Please read them again."), current=asked.version)
    about = {"person_id": actor.person_id, "programme_id": programme_id, "purpose": purpose}
    stale = and_(*_in_force(about), CONSENT.c.version != asked.version)
    tx.execute(update(CONSENT).where(stale).values(withdrawn_at=tx.now))
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    given = insert(CONSENT).values(**about, version=asked.version, given_at=tx.now)
    made = tx.execute(given.on_conflict_do_nothing().returning(CONSENT.c.id)).scalar()
    if made is not None:
        # Without the programme, so that the programme's feed does not tell who agreed.
        record(tx, "consent.given", actor, subject_id=made, data={"purpose": purpose})


def withdraw(tx: Transaction, actor: Actor, programme_id: int, purpose: str) -> None:
    """Take one's consent back, by whatever way: it must be no harder than giving it. It holds from now on; idempotent.

    :raises NotFound: there is no such purpose, or the actor has no place in the programme
    """
    _asked(actor, programme_id, purpose)
    about = {"person_id": actor.person_id, "programme_id": programme_id, "purpose": purpose}
    gone = tx.execute(
        update(CONSENT).where(*_in_force(about)).values(withdrawn_at=tx.now).returning(CONSENT.c.id)
    ).scalars()
    for id in gone.all():
        record(tx, "consent.withdrawn", actor, subject_id=id, data={"purpose": purpose})


def _in_force(about: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*(CONSENT.c[name] == value for name, value in about.items()), CONSENT.c.withdrawn_at.is_(None))


def _asked(actor: Actor, programme_id: int, purpose: str) -> Purpose:
    require(actor, Permission.MANAGE_OWN)
    if purpose not in PURPOSES or actor.role_in(programme_id) is None:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    return PURPOSES[purpose]
