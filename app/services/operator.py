"""What an operator asks at the command line, where no policy stands between."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.database import same_in_any_case
from app.errors import Conflict, NotFound
from app.lib.i18n import N_
from app.models import Client, Idea, Membership, Organisation, Person, Programme
from app.models.base import table
from app.services.actors import is_human

CLIENT = table(Client)
IDEA = table(Idea)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)

LONGEST_NUMBER: Final = 15


def programmes(connection: Connection) -> Sequence[Any]:
    """All programmes (id, slug, name, visibility, people, ideas)."""
    people = select(func.count()).where(
        MEMBERSHIP.c.programme_id == PROGRAMME.c.id,
        MEMBERSHIP.c.ended_at.is_(None),
        is_human(MEMBERSHIP.c.person_id),
    )
    ideas = select(func.count()).where(IDEA.c.programme_id == PROGRAMME.c.id)
    return connection.execute(
        select(
            PROGRAMME.c.id,
            PROGRAMME.c.slug,
            PROGRAMME.c.name,
            PROGRAMME.c.visibility,
            people.scalar_subquery().label("people"),
            ideas.scalar_subquery().label("ideas"),
        ).order_by(PROGRAMME.c.id)
    ).all()


def people(connection: Connection, slug: str | None = None) -> Sequence[Any]:
    """Everyone with a place, or with one in programme `slug`.

    Each row has person_id, name, email, programme, organisation, role, disabled.

    :raises NotFound: there is no programme `slug`
    """
    if (
        slug is not None
        and not connection.execute(select(PROGRAMME.c.id).where(PROGRAMME.c.slug == slug)).scalar()
    ):
        raise NotFound(N_("There is no programme %(slug)s."), slug=slug)
    found = (
        select(
            PERSON.c.id.label("person_id"),
            PERSON.c.name,
            PERSON.c.email,
            PROGRAMME.c.slug.label("programme"),
            ORGANISATION.c.name.label("organisation"),
            MEMBERSHIP.c.role,
            PERSON.c.disabled_at.is_not(None).label("disabled"),
        )
        .select_from(PERSON)
        .join(MEMBERSHIP, (MEMBERSHIP.c.person_id == PERSON.c.id) & MEMBERSHIP.c.ended_at.is_(None))
        .join(PROGRAMME, PROGRAMME.c.id == MEMBERSHIP.c.programme_id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .where(is_human(PERSON.c.id))
        .order_by(PROGRAMME.c.slug, PERSON.c.name, PERSON.c.id)
    )
    return connection.execute(found if slug is None else found.where(PROGRAMME.c.slug == slug)).all()


def organisation(connection: Connection, programme_id: int, name: str) -> int:
    """The id of a programme's organisation, by its name.

    :raises NotFound: there is none
    """
    found = connection.execute(
        select(ORGANISATION.c.id).where(
            ORGANISATION.c.programme_id == programme_id, ORGANISATION.c.name == name
        )
    ).scalar()
    if found is None:
        raise NotFound(N_("There is no organisation %(name)s in this programme."), name=name)
    return int(found)


def clients(connection: Connection) -> Sequence[Any]:
    """All clients of the API (id, client_id, name, programme, organisation, scopes, used_at, revoked)."""
    return connection.execute(
        select(
            CLIENT.c.id,
            CLIENT.c.client_id,
            CLIENT.c.name,
            PROGRAMME.c.slug.label("programme"),
            ORGANISATION.c.name.label("organisation"),
            CLIENT.c.scopes,
            CLIENT.c.used_at,
            CLIENT.c.revoked_at.is_not(None).label("revoked"),
        )
        .join(PROGRAMME, PROGRAMME.c.id == CLIENT.c.programme_id)
        .outerjoin(ORGANISATION, ORGANISATION.c.id == CLIENT.c.organisation_id)
        .order_by(CLIENT.c.id)
    ).all()


def found(connection: Connection, who: str) -> int:
    """The id of the person whom a mail address or a number names; case does not matter.

    :raises NotFound: nobody, or someone who is erased
    :raises Conflict: several people have the address, since it is no key
    """
    is_number = who.isascii() and who.isdecimal() and len(who) <= LONGEST_NUMBER
    is_it = PERSON.c.id == int(who) if is_number else same_in_any_case(PERSON.c.email, who.strip())
    ids = connection.execute(select(PERSON.c.id).where(is_it, PERSON.c.erased_at.is_(None)).limit(2))
    known = list(ids.scalars())
    if not known:
        raise NotFound(N_("Nobody here is %(who)s."), who=who)
    if len(known) > 1:
        raise Conflict(N_("Several people have this mail address. Please give the number of one."))
    return int(known[0])
