"""People: known by the logins that providers vouch for, joined to an organisation by trusted claims alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, NotAllowed, NotFound
from app.integrations.oidc import Arrival
from app.lib.i18n import LANGUAGES, N_
from app.models import Login, Membership, Organisation, OrganisationIdentity, Person, Programme, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services.events import record
from app.services.sessions import PERSON_AND_PLACES, actor_from

PERSON = table(Person)
LOGIN = table(Login)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
IDENTITY = table(OrganisationIdentity)
PROGRAMME = table(Programme)
SECTOR = table(Sector)

NAMELESS: Final = "—"
"""What stands for a name where the provider tells none."""

UNKNOWN_ORGANISATION: Final = N_(
    "You are signed in at your identity provider, but your organisation does not take part here, so no account "
    "was made. Please ask those who coordinate the programme to add it."
)
ENDED: Final = N_(
    "Your place in this programme has ended. Please ask those who coordinate it if you think that this is wrong."
)
MOVED: Final = N_(
    "Your identity provider now names another organisation than the one through which you take part. "
    "Please ask those who coordinate the programme to change it."
)


@dataclass(frozen=True, slots=True)
class Place:
    """A membership as its holder sees it."""

    programme_id: int
    programme_slug: str
    programme_name: str
    organisation: str
    sector_key: str
    sector_name: str
    role: str


def enter(tx: Transaction, arrival: Arrival) -> int:
    """The person whom a provider vouches for: found by the exact (issuer, subject), or made if they may join.

    Two first arrivals at once make one person. Name and mail are refreshed; mail is never a key.

    :raises NotAllowed: the organisation is not known here, or the person's place has ended
    """
    login = _login(tx, arrival)
    if login is None:
        return _first_entered(tx, arrival)
    if login.disabled_at is not None:
        raise NotAllowed(ENDED)
    _settle(tx, arrival, login.person_id)
    _refresh(tx, arrival, login)
    return int(login.person_id)


def actor_of(connection: Connection, person_id: int) -> Actor:
    """The person with their memberships, as one who may do all that they may.

    :raises NotFound: there is no such person, or they are disabled
    """
    rows = connection.execute(
        select(*PERSON_AND_PLACES)
        .select_from(PERSON)
        .outerjoin(MEMBERSHIP, (MEMBERSHIP.c.person_id == PERSON.c.id) & MEMBERSHIP.c.ended_at.is_(None))
        .outerjoin(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .where(PERSON.c.id == person_id, PERSON.c.disabled_at.is_(None))
    ).all()
    if not rows:
        raise NotFound(N_("There is no such person."))
    return actor_from(rows)


def with_email(connection: Connection, email: str) -> Actor:
    """The one person with this mail address, for an operator at the command line; case does not matter.

    :raises NotFound: nobody has it
    :raises Conflict: several people have it, since it is no key
    """
    ids = connection.execute(
        select(PERSON.c.id)
        .where(func.lower(PERSON.c.email) == email.strip().lower(), PERSON.c.disabled_at.is_(None))
        .limit(2)
    ).scalars()
    found = list(ids)
    if not found:
        raise NotFound(N_("Nobody here has the mail address %(email)s."), email=email)
    if len(found) > 1:
        raise Conflict(N_("Several people have the mail address %(email)s."), email=email)
    return actor_of(connection, found[0])


def places(connection: Connection, actor: Actor) -> list[Place]:
    """Where the actor takes part, and as what, by programme."""
    require(actor, Permission.MANAGE_OWN)
    rows = connection.execute(
        select(
            PROGRAMME.c.id,
            PROGRAMME.c.slug,
            PROGRAMME.c.name,
            ORGANISATION.c.name,
            SECTOR.c.key,
            SECTOR.c.name,
            MEMBERSHIP.c.role,
        )
        .select_from(MEMBERSHIP)
        .join(PROGRAMME, PROGRAMME.c.id == MEMBERSHIP.c.programme_id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .where(MEMBERSHIP.c.person_id == actor.person_id, MEMBERSHIP.c.ended_at.is_(None))
        .order_by(PROGRAMME.c.id)
    ).all()
    return [Place(*row) for row in rows]


def dates(connection: Connection, actor: Actor) -> Any:
    """When the actor came to be known here, and when what we keep of them last changed (created_at, updated_at)."""
    return connection.execute(
        select(PERSON.c.created_at, PERSON.c.updated_at).where(PERSON.c.id == actor.person_id)
    ).one()


def choose_language(tx: Transaction, actor: Actor, language: str) -> None:
    """Speak `language` to the actor from now on; idempotent.

    :raises Invalid: it is none of ours
    """
    require(actor, Permission.MANAGE_OWN)
    if language not in LANGUAGES:
        raise Invalid(FieldError("language", N_("Please choose one of the languages in the list.")))
    if language != actor.language:
        _change(tx, actor, {"language": language})


def _login(tx: Transaction, arrival: Arrival) -> Row[Any] | None:
    return tx.execute(
        select(LOGIN.c.id, LOGIN.c.person_id, PERSON.c.name, PERSON.c.email, PERSON.c.disabled_at)
        .join(PERSON, PERSON.c.id == LOGIN.c.person_id)
        .where(LOGIN.c.issuer == arrival.provider.issuer, LOGIN.c.subject == arrival.subject)
    ).first()


def _first_entered(tx: Transaction, arrival: Arrival) -> int:
    """Make a person and their login, unless another process does so at this moment: then they are found."""
    try:
        with tx.connection.begin_nested():
            person_id = _made(tx, arrival)
    except IntegrityError:
        login = _login(tx, arrival)
        if login is None:
            raise
        return int(login.person_id)
    _settle(tx, arrival, person_id)
    return person_id


def _made(tx: Transaction, arrival: Arrival) -> int:
    person_id = tx.execute(
        PERSON.insert()
        .values(
            name=_name(arrival.name),
            email=_email(arrival.email),
            created_at=tx.now,
            updated_at=tx.now,
            version=1,
        )
        .returning(PERSON.c.id)
    ).scalar_one()
    tx.execute(
        LOGIN.insert().values(
            person_id=person_id,
            issuer=arrival.provider.issuer,
            subject=arrival.subject,
            created_at=tx.now,
            used_at=tx.now,
        )
    )
    return int(person_id)


def _settle(tx: Transaction, arrival: Arrival, person_id: int) -> None:
    """Give the person their place in the provider's programme, or check the one that they have.

    :raises NotAllowed: they have none and may have none
    """
    programme_id = tx.execute(
        select(PROGRAMME.c.id).where(PROGRAMME.c.slug == arrival.provider.programme)
    ).scalar()
    if programme_id is None:
        raise NotAllowed(N_("The programme that this identity provider belongs to does not exist."))
    membership = tx.execute(
        select(MEMBERSHIP.c.organisation_id, MEMBERSHIP.c.ended_at).where(
            MEMBERSHIP.c.programme_id == programme_id, MEMBERSHIP.c.person_id == person_id
        )
    ).first()
    if membership is not None and membership.ended_at is not None:
        raise NotAllowed(ENDED)
    if arrival.provider.known_people_only:
        if membership is None:
            raise NotAllowed(UNKNOWN_ORGANISATION)
        return
    organisation = _organisation(tx, arrival, programme_id)
    if organisation is None:
        raise NotAllowed(UNKNOWN_ORGANISATION)
    if membership is None:
        _join(tx, person_id, organisation)
    elif membership.organisation_id != organisation.id:
        raise NotAllowed(MOVED)


def _organisation(tx: Transaction, arrival: Arrival, programme_id: int) -> Row[Any] | None:
    """The organisation that the provider belongs to, or that its trusted claim names; never one guessed from mail."""
    found = select(ORGANISATION.c.id, ORGANISATION.c.programme_id, ORGANISATION.c.sector_id).where(
        ORGANISATION.c.programme_id == programme_id
    )
    if arrival.provider.organisation is not None:
        return tx.execute(found.where(ORGANISATION.c.name == arrival.provider.organisation)).first()
    if arrival.organisation is None:
        return None
    return tx.execute(
        found.join(IDENTITY, IDENTITY.c.organisation_id == ORGANISATION.c.id).where(
            IDENTITY.c.programme_id == programme_id,
            IDENTITY.c.issuer == arrival.provider.issuer,
            IDENTITY.c.value == arrival.organisation,
        )
    ).first()


def _join(tx: Transaction, person_id: int, organisation: Row[Any]) -> None:
    tx.execute(
        MEMBERSHIP.insert().values(
            programme_id=organisation.programme_id,
            person_id=person_id,
            organisation_id=organisation.id,
            sector_id=organisation.sector_id,
            role="participant",
            created_at=tx.now,
            updated_at=tx.now,
            version=1,
        )
    )
    record(
        tx,
        "person.joined",
        Actor(person_id=person_id),
        programme_id=organisation.programme_id,
        subject_id=person_id,
        data={"organisation_id": organisation.id},
    )


def _refresh(tx: Transaction, arrival: Arrival, login: Row[Any]) -> None:
    """Take over the name and the mail that the provider has now; what it does not tell stays as it was."""
    tx.execute(update(LOGIN).where(LOGIN.c.id == login.id).values(used_at=tx.now))
    told = {
        "name": _name(arrival.name) if arrival.name else login.name,
        "email": _email(arrival.email) or login.email,
    }
    if (told["name"], told["email"]) != (login.name, login.email):
        _change(tx, Actor(person_id=login.person_id), told)


def _change(tx: Transaction, actor: Actor, values: dict[str, Any]) -> None:
    tx.execute(
        update(PERSON)
        .where(PERSON.c.id == actor.person_id)
        .values(**values, updated_at=tx.now, version=PERSON.c.version + 1)
    )
    record(tx, "person.changed", actor, subject_id=actor.person_id, data={"fields": sorted(values)})


def _name(told: str | None) -> str:
    """A name that can be shown: one line, no control characters, not too long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text.clean(told or ""))
    return " ".join(shown.split())[:120].strip() or NAMELESS


def _email(told: str | None) -> str | None:
    """An address that mail could go to, or None: it comes from outside and ends in a mail's head."""
    address = (told or "").strip()
    if not address.isprintable() or len(address) > 254 or not 0 < address.find("@") < len(address) - 1:
        return None
    return None if any(letter.isspace() or letter in '<>,;"' for letter in address) else address


def move_logins(tx: Transaction, issuers: Sequence[tuple[str, str]]) -> int:
    """Let the logins and organisations that an ending of an issuer stands for follow to where it is now.

    For the demo alone, whose issuers carry the address at which it runs. `issuers` are pairs of the ending of
    the old one and the whole new one; how many logins moved.
    """
    moved = 0
    for ending, issuer in issuers:
        for of in (LOGIN, IDENTITY):
            is_old = of.c.issuer.like(f"%{ending}") & (of.c.issuer != issuer)
            changed = tx.execute(update(of).where(is_old).values(issuer=issuer).returning(of.c.id)).all()
            moved += len(changed) if of is LOGIN else 0
    return moved
