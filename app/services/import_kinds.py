"""What a row of an import becomes: made by the very verbs that make one alone, or skipped where it is there already."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.database import Transaction, present, same_in_any_case
from app.errors import FieldError, Invalid
from app.lib.i18n import N_
from app.models import ImportReference, Invitation, Membership, Organisation, Person
from app.models.base import table
from app.models.imports import IDEAS, ORGANISATIONS, PEOPLE, PLACEMENTS
from app.policies.actor import Actor
from app.schemas import text
from app.services import ideas, invitations, logins, memberships, organisations, placement_making

INVITATION = table(Invitation)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
REFERENCE = table(ImportReference)


class Outcome(NamedTuple):
    """What a row led to: its id, if that may be told, and whether it was made by it."""

    id: int | None
    is_new: bool


class _Source(NamedTuple):
    """What something is called where it comes from."""

    kind: str
    scope_id: int
    reference: str
    programme_id: int


def hold(tx: Transaction, kind: str, programme_id: int) -> None:
    """Let imports that look who is invited already do so one after another."""
    if kind == PEOPLE:
        memberships.hold(tx, [programme_id])


def make(
    tx: Transaction,
    actor: Actor,
    programme: Any,
    kind: str,
    values: Mapping[str, Any],
    *,
    challenge_id: int | None = None,
) -> Outcome:
    """Make what a row of this kind says, in the actor's name; or find that it is there.

    :raises DomainError: as the verb for one alone says
    """
    return _MAKERS[kind](tx, actor, programme, dict(values), challenge_id)


def _organisation(
    tx: Transaction, actor: Actor, programme: Any, values: dict[str, Any], _: int | None
) -> Outcome:
    name, number = _folded(values["name"]), _folded(values.get("number", ""))
    is_it = ORGANISATION.c.number == number if number else ORGANISATION.c.name == name
    here = select(ORGANISATION.c.id).where(ORGANISATION.c.programme_id == programme.id, is_it)
    found = tx.execute(here.order_by(ORGANISATION.c.id).limit(1)).scalar()
    if found is not None:
        return Outcome(found, is_new=False)
    sector = values["sector"]
    return Outcome(
        organisations.add(tx, actor, programme, name=name, number=number, sector_key=sector), is_new=True
    )


def _person(tx: Transaction, actor: Actor, programme: Any, values: dict[str, Any], _: int | None) -> Outcome:
    email = values["email"].strip()
    if logins.address(email) is None:
        raise Invalid(FieldError("email", N_("Please write a mail address such as name@example.org.")))
    organisation_id = _organisation_named(tx, programme.id, values)
    if organisation_id is None:
        raise Invalid(FieldError("organisation", N_("Please name an organisation of this programme.")))
    if (known := _known(tx, programme.id, email)) is not None:
        return known
    made = invitations.invite(
        tx,
        actor,
        organisation_id,
        programme_id=programme.id,
        role=values.get("role", "participant"),
        name=values.get("name", ""),
        email=email,
    )
    return Outcome(made.id, is_new=True)


def _known(tx: Transaction, programme_id: int, email: str) -> Outcome | None:
    """Whoever takes part with this address has no need of an invitation; nor who has one that is good."""
    takes_part = (
        select(MEMBERSHIP.c.id)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(
            MEMBERSHIP.c.programme_id == programme_id,
            MEMBERSHIP.c.ended_at.is_(None),
            same_in_any_case(PERSON.c.email, email),
        )
    )
    if tx.execute(takes_part.limit(1)).first() is not None:
        return Outcome(None, is_new=False)
    is_good = and_(
        INVITATION.c.used_at.is_(None),
        INVITATION.c.revoked_at.is_(None),
        INVITATION.c.expires_at > present(tx.dialect),
    )
    invited = select(INVITATION.c.id).where(
        INVITATION.c.programme_id == programme_id, same_in_any_case(INVITATION.c.email, email), is_good
    )
    found = tx.execute(invited.order_by(INVITATION.c.id).limit(1)).scalar()
    return None if found is None else Outcome(found, is_new=False)


def _idea(
    tx: Transaction, actor: Actor, programme: Any, values: dict[str, Any], challenge_id: int | None
) -> Outcome:
    reference = _reference(values)
    values["cluster_id"] = values.pop("cluster", None)
    about = challenge_id or 0

    def post() -> int | None:
        id = ideas.post(tx, actor, about, **values)
        # What is told of an import says in whose name it ran, so it does not say which anonymous ideas came of it.
        return None if values.get("anonymous") else id

    return _by_reference(tx, _Source(IDEAS, about, reference, programme.id), post)


def _placement(
    tx: Transaction, actor: Actor, programme: Any, values: dict[str, Any], _: int | None
) -> Outcome:
    reference = _reference(values)
    host_id = _organisation_named(tx, programme.id, values, id_field="organisation_id")
    email = values.pop("contact_email", "").strip()
    if email:
        values["contact_id"] = _contact(tx, programme.id, email)
    if host_id is not None:
        values["organisation_id"] = host_id

    def offer() -> int:
        return placement_making.offer(tx, actor, programme, **values)

    return _by_reference(tx, _Source(PLACEMENTS, programme.id, reference, programme.id), offer)


def _organisation_named(
    tx: Transaction, programme_id: int, values: dict[str, Any], *, id_field: str = "organisation"
) -> int | None:
    """The organisation that a row names by id, number or name, taken out of `values`; None if it names none.

    :raises Invalid: it names it in two ways, or there is none, or there are several
    """
    named = {
        id_field: (ORGANISATION.c.id, values.pop(id_field, None)),
        "organisation_number": (ORGANISATION.c.number, _folded(values.pop("organisation_number", ""))),
        "organisation_name": (ORGANISATION.c.name, _folded(values.pop("organisation_name", ""))),
    }
    given = [(field, column, value) for field, (column, value) in named.items() if value]
    if not given:
        return None
    field, column, value = given[0]
    if len(given) > 1:
        raise Invalid(FieldError(given[1][0], N_("Please name the organisation in one way only.")))
    here = select(ORGANISATION.c.id).where(ORGANISATION.c.programme_id == programme_id, column == value)
    found = tx.execute(here.limit(2)).scalars().all()
    if len(found) != 1:
        raise Invalid(FieldError(field, N_("Please name an organisation of this programme.")))
    return int(found[0])


def _folded(value: str) -> str:
    """A name or number as it is kept: on one line, with single spaces."""
    return " ".join(text.clean(value).split())


def _contact(tx: Transaction, programme_id: int, email: str) -> int:
    """The one person of the programme with this address; whether they may receive guests is the host's question."""
    found = (
        tx.execute(
            select(PERSON.c.id)
            .join(MEMBERSHIP, MEMBERSHIP.c.person_id == PERSON.c.id)
            .where(
                MEMBERSHIP.c.programme_id == programme_id,
                MEMBERSHIP.c.ended_at.is_(None),
                same_in_any_case(PERSON.c.email, email),
            )
            .limit(2)
        )
        .scalars()
        .all()
    )
    if len(found) != 1:
        raise Invalid(FieldError("contact_email", N_("Nobody of this programme has this address.")))
    return int(found[0])


def _reference(values: dict[str, Any]) -> str:
    reference, problems = text.line("reference", values.pop("reference", ""), most=80, least=0)
    if problems:
        raise Invalid(*problems)
    return reference


def _by_reference(tx: Transaction, of: _Source, made: Callable[[], int | None]) -> Outcome:
    """Make it, unless what has this reference was made by an import before. Without a reference it is always made."""
    if not of.reference:
        return Outcome(made(), is_new=True)
    is_it = and_(*(REFERENCE.c[name] == value for name, value in of._asdict().items()))
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    claimed = tx.execute(
        insert(REFERENCE)
        .values(**of._asdict(), created_at=tx.now)
        .on_conflict_do_nothing()
        .returning(REFERENCE.c.kind)
    ).first()
    if claimed is None:
        return Outcome(tx.execute(select(REFERENCE.c.made_id).where(is_it)).scalar(), is_new=False)
    id = made()
    tx.execute(update(REFERENCE).where(is_it).values(made_id=id))
    return Outcome(id, is_new=True)


_Maker = Callable[[Transaction, Actor, Any, dict[str, Any], int | None], Outcome]

_MAKERS: Final[Mapping[str, _Maker]] = {
    ORGANISATIONS: _organisation,
    PEOPLE: _person,
    IDEAS: _idea,
    PLACEMENTS: _placement,
}
