"""What an operator asks at the command line, where no policy stands between."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.lib.i18n import N_
from app.models import Idea, Membership, Organisation, Person, Programme
from app.models.base import table

IDEA = table(Idea)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)


def programmes(connection: Connection) -> Sequence[Any]:
    """All programmes (id, slug, name, visibility, people, ideas)."""
    people = select(func.count()).where(
        MEMBERSHIP.c.programme_id == PROGRAMME.c.id, MEMBERSHIP.c.ended_at.is_(None)
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
        .order_by(PROGRAMME.c.slug, PERSON.c.name, PERSON.c.id)
    )
    return connection.execute(found if slug is None else found.where(PROGRAMME.c.slug == slug)).all()
