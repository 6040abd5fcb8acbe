"""People: known by the logins that providers vouch for, joined to an organisation by trusted claims alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Row, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction, same_in_any_case
from app.errors import Conflict, FieldError, Invalid, Moved, NotAllowed, NotFound
from app.integrations.arrivals import Arrival
from app.lib.i18n import LANGUAGES, N_
from app.models import Login, Membership, Organisation, OrganisationIdentity, Person, Programme, Sector
from app.models.base import table
from app.models.programme import APPROVE, JOIN, REFUSE
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services import actors, answers, directory_links, invitations, join_requests, logins, memberships
from app.services.events import record, record_where_known

PERSON = table(Person)
LOGIN = table(Login)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
IDENTITY = table(OrganisationIdentity)
PROGRAMME = table(Programme)
SECTOR = table(Sector)

UNKNOWN_ORGANISATION: Final = N_(
    "You are signed in at your identity provider, but your organisation does not take part here, so no account "
    "was made. Please ask those who coordinate the programme to add it, or to invite you."
)
BY_INVITATION: Final = N_(
    "This programme takes new people by invitation, so no account was made. "
    "Please ask those who coordinate it to invite you."
)
ENDED: Final = N_(
    "Your place in this programme has ended. Please ask those who coordinate it if you think that this is wrong."
)
MOVED: Final = N_(
    "Your identity provider now names another organisation than the one through which you take part. "
    "Please ask those who coordinate the programme to change it."
)
DECLINED: Final = N_(
    "Those who coordinate this programme have looked at your request to join and said no: “%(reason)s”. "
    "Please talk to them if you think that this is wrong."
)
IN_LINE: Final = N_(
    "Your request to join waits for those who coordinate the programme. No account was made yet. "
    "Once they have let you in, sign in here again in the same way."
)


class Waits(NotAllowed):
    """Someone unknown may come in once a coordinator has let them: their request is to be written down.

    `organisation_id` is the one that the provider vouches for, if for any.
    """

    code = "waits-for-approval"

    def __init__(self, organisation_id: int | None) -> None:
        super().__init__(IN_LINE)
        self.organisation_id = organisation_id


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


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a person by name: told by `providers` (their ids), or given here by themselves."""

    name: str
    name_is_own: bool
    email: str | None
    email_is_own: bool
    providers: tuple[str, ...]

    @property
    def is_email_told(self) -> bool:
        """Whether the provider tells the address, so that it is corrected there."""
        return self.email is not None and not self.email_is_own


def enter(tx: Transaction, arrival: Arrival, *, invitation_id: int | None = None) -> int:
    """The person whom a provider vouches for: found by the exact (issuer, subject), or made if they may join.

    Two first arrivals at once make one person. Name and mail are refreshed; mail is never a key. With an invitation,
    which the caller knows them to hold, they get the place to which it invites.

    :raises NotAllowed: they may not join, or their place has ended
    :raises Waits: they may not before a coordinator has let them
    :raises Gone: the invitation is no longer good
    :raises Conflict: the invitation is to another organisation than they take part through
    """
    programme = _programme(tx, arrival)
    organisation = _organisation(tx, arrival, programme.id)
    login = logins.find(tx.connection, arrival.issuer, arrival.subject)
    if login is None:
        person_id = _first_entered(tx, arrival, programme, organisation, invitation_id)
        directory_links.matched(tx, arrival, person_id, organisation)
        return person_id
    if login.disabled_at is not None or login.is_machine:
        raise NotAllowed(ENDED)
    if invitation_id is not None:
        _invited(tx, arrival, organisation, invitation_id, login.person_id)
    _settle(tx, arrival, programme, organisation, login.person_id)
    directory_links.matched(tx, arrival, login.person_id, organisation)
    _refresh(tx, arrival, login)
    return int(login.person_id)


def with_email(connection: Connection, email: str) -> Actor:
    """The one person with this mail address, for an operator at the command line; case does not matter.

    :raises NotFound: nobody has it
    :raises Conflict: several people have it, since it is no key
    """
    ids = connection.execute(
        select(PERSON.c.id)
        .where(same_in_any_case(PERSON.c.email, email.strip()), PERSON.c.disabled_at.is_(None))
        .limit(2)
    ).scalars()
    found = list(ids)
    if not found:
        raise NotFound(N_("Nobody here has the mail address %(email)s."), email=email)
    if len(found) > 1:
        raise Conflict(N_("Several people have the mail address %(email)s."), email=email)
    return actors.find(connection, found[0])


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


def renewed(connection: Connection, actor: Actor) -> Actor:
    """The actor as they are named now, after they have changed it."""
    names = ("name", "email", "language", "version")
    row = connection.execute(
        select(*(PERSON.c[name] for name in names)).where(PERSON.c.id == actor.person_id)
    )
    return replace(actor, **row.mappings().one())


def hold(tx: Transaction, actor: Actor, *, version: int | None = None) -> Actor:
    """The actor as they are named now, whom nobody else names anew until the commit.

    :raises Moved: `version` is given and no longer the newest
    """
    logins.hold(tx, [actor.person_id or 0])
    now = renewed(tx.connection, actor)
    if version is not None and version != now.version:
        raise Moved(N_("This has changed in the meantime. Please read it again."), current=now.version)
    return now


def account(connection: Connection, actor: Actor) -> Account:
    """What is known of the actor by name, and where it comes from. Two statements."""
    require(actor, Permission.MANAGE_OWN)
    row = connection.execute(select(PERSON).where(PERSON.c.id == actor.person_id)).one()
    providers = connection.execute(
        select(LOGIN.c.provider).where(LOGIN.c.person_id == actor.person_id).order_by(LOGIN.c.id)
    ).scalars()
    return Account(
        row.name, row.name_is_own, row.email, row.email_is_own, tuple(dict.fromkeys(filter(None, providers)))
    )


def choose_language(tx: Transaction, actor: Actor, language: str) -> None:
    """Speak `language` to the actor from now on; idempotent.

    :raises Invalid: it is none of ours
    """
    require(actor, Permission.MANAGE_OWN)
    if language not in LANGUAGES:
        raise Invalid(FieldError("language", N_("Please choose one of the languages in the list.")))
    if language != actor.language:
        _change(tx, actor, {"language": language})


def correct(tx: Transaction, actor: Actor, *, name: str, email: str) -> None:
    """Correct the name that others see, and the address for notices where the provider tells none.

    An empty name: the one that the provider tells counts again, from the next sign-in on.

    :raises Invalid: the name is too long, or the address is none
    :raises Conflict: the provider tells the address, so it is corrected there
    :raises NotAllowed: a token of one place asks, or for the address one that is not for administration
    """
    require(actor, Permission.MANAGE_OWN)
    if actor.is_bound and not actor.is_machine:
        raise NotAllowed(N_("A token cannot do this. Please sign in and use your own page."))
    known = tx.execute(select(PERSON).where(PERSON.c.id == actor.person_id)).one()
    name, errors = text.line("name", name, most=120, least=0)
    email = email.strip()
    if email and logins.address(email) is None:
        errors.append(FieldError("email", N_("Please give a whole mail address, such as name@example.org.")))
    if errors:
        raise Invalid(*errors)
    if email != (known.email or "") and known.email is not None and not known.email_is_own:
        raise Conflict(N_("Your identity provider tells this address. Please have it corrected there."))
    if email != (known.email or ""):
        _require_for_address(actor)
    is_own = bool(name) and (known.name_is_own or name != known.name)
    told: dict[str, Any] = {"name": logins.shown_name(name or known.name), "name_is_own": is_own}
    if email != (known.email or ""):
        told |= {"email": logins.address(email), "email_is_own": bool(email)}
    told = {field: value for field, value in told.items() if value != getattr(known, field)}
    if told:
        _change(tx, actor, told)


def _require_for_address(actor: Actor) -> None:
    """Raise where a token that is no more than for writing would send mails elsewhere: links in them decide on stays.

    :raises NotAllowed: it would
    """
    if actor.scopes is not None and "admin" not in actor.scopes:
        raise NotAllowed(N_("This needs a token with the scope %(scope)s."), scope="admin")


def _programme(tx: Transaction, arrival: Arrival) -> Row[Any]:
    found = select(PROGRAMME.c.id, PROGRAMME.c.joining).where(PROGRAMME.c.slug == arrival.provider.programme)
    row = tx.execute(found).first()
    if row is None:
        raise NotAllowed(N_("The programme that this identity provider belongs to does not exist."))
    return row


def _first_entered(
    tx: Transaction,
    arrival: Arrival,
    programme: Row[Any],
    organisation: Row[Any] | None,
    invitation_id: int | None,
) -> int:
    """Make a person and their login, unless another process does so at this moment: then they are found."""
    if invitation_id is None:
        _require_joining(tx, arrival, programme, organisation)
    person_id, is_new = logins.make_person(tx, logins.vouched_by(arrival))
    if invitation_id is not None:
        _invited(tx, arrival, organisation, invitation_id, person_id)
    elif is_new and organisation is not None:
        _join(tx, arrival, person_id, organisation)
    if not is_new or invitation_id is not None:
        _settle(tx, arrival, programme, organisation, person_id)
    return person_id


def _require_joining(
    tx: Transaction, arrival: Arrival, programme: Row[Any], organisation: Row[Any] | None
) -> None:
    """Raise unless someone unknown may join by signing in.

    :raises Waits: a coordinator has to let them in first
    :raises NotAllowed: nobody may, or their organisation is not known, or they were told no before
    """
    if arrival.provider.known_people_only:
        raise NotAllowed(UNKNOWN_ORGANISATION)
    told_no = join_requests.declined(tx.connection, arrival)
    if told_no is not None:
        raise NotAllowed(DECLINED, reason=told_no.reason) if told_no.reason else NotAllowed(ENDED)
    if programme.joining == REFUSE:
        raise NotAllowed(BY_INVITATION)
    if programme.joining == APPROVE:
        raise Waits(organisation.id if organisation else None)
    if organisation is None:
        raise NotAllowed(UNKNOWN_ORGANISATION)


def _invited(
    tx: Transaction, arrival: Arrival, organisation: Row[Any] | None, invitation_id: int, person_id: int
) -> None:
    invitations.take_up(
        tx,
        invitation_id,
        person_id,
        provider=arrival.provider.id,
        organisation_id=organisation.id if organisation else None,
    )
    join_requests.settle(tx, arrival, person_id)


def _settle(
    tx: Transaction, arrival: Arrival, programme: Row[Any], organisation: Row[Any] | None, person_id: int
) -> None:
    """Check the place that a known person has in the provider's programme, or give them the one that they may have.

    Whoever has none there comes in all the same where they have one elsewhere.

    :raises NotAllowed: they have none and may have none
    :raises Waits: a coordinator has to let them in first
    """
    place = memberships.of_person(tx.connection, programme.id, person_id)
    if place is not None and place.ended_at is None:
        _require_same(arrival, place, organisation)
        return
    may_join = place is None and organisation is not None and programme.joining == JOIN
    if may_join and organisation is not None and join_requests.declined(tx.connection, arrival) is None:
        _join(tx, arrival, person_id, organisation)
        return
    if memberships.has_any(tx.connection, person_id):
        return
    if place is not None:
        raise NotAllowed(ENDED)
    _require_joining(tx, arrival, programme, organisation)


def _require_same(arrival: Arrival, place: Row[Any], organisation: Row[Any] | None) -> None:
    """Raise unless what the provider says of someone's organisation fits the place that they have."""
    if organisation is not None and organisation.id != place.organisation_id:
        raise NotAllowed(MOVED)
    if organisation is None and not place.is_given and not arrival.provider.known_people_only:
        raise NotAllowed(UNKNOWN_ORGANISATION)


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
            IDENTITY.c.issuer == arrival.issuer,
            IDENTITY.c.value == arrival.organisation,
        )
    ).first()


def _join(tx: Transaction, arrival: Arrival, person_id: int, organisation: Row[Any]) -> None:
    memberships.admit(tx, Actor(person_id=person_id), person_id, organisation)
    join_requests.settle(tx, arrival, person_id)


def _refresh(tx: Transaction, arrival: Arrival, login: Row[Any]) -> None:
    """Take over the name and the mail that the provider has now; what it does not tell stays as it was.

    A name that the person has corrected here stays, too. A mail address that the provider tells is theirs to know.
    """
    logins.use(tx, login.id)
    email = logins.address(arrival.email)
    told = {
        "name": logins.shown_name(arrival.name) if arrival.name and not login.name_is_own else login.name,
        "email": email or login.email,
        "email_is_own": login.email_is_own and email is None,
    }
    if any(value != getattr(login, name) for name, value in told.items()):
        _change(tx, Actor(person_id=login.person_id), told)


def _change(tx: Transaction, actor: Actor, values: dict[str, Any]) -> None:
    before = ""
    if "name" in values:
        before = tx.execute(select(PERSON.c.name).where(PERSON.c.id == actor.person_id)).scalar_one()
        answers.rename(tx, before, values["name"])
    tx.execute(
        update(PERSON)
        .where(PERSON.c.id == actor.person_id)
        .values(**values, updated_at=tx.now, version=PERSON.c.version + 1)
    )
    record(tx, "person.changed", actor, subject_id=actor.person_id, data={"fields": sorted(values)})
    if values.get("name", before) != before:
        record_where_known(tx, "person.changed", None, actor.person_id or 0)


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
