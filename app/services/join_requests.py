"""Join requests: people whom a provider vouches for and who wait until a coordinator lets them in.

While a request waits there is no person, no login and no place: nothing but the request itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotFound
from app.integrations.arrivals import Arrival
from app.lib.i18n import N_
from app.models import JoinRequest, Organisation, OrganisationDomain, Person, Programme, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.reach import OfProgramme
from app.policies.rules import may, require
from app.schemas import text
from app.services import logins, memberships, notices
from app.services.events import record
from app.services.logins import Vouched

DOMAIN = table(OrganisationDomain)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)
REQUEST = table(JoinRequest)
SECTOR = table(Sector)

WAITING, APPROVED, DECLINED = "waiting", "approved", "declined"

UNSEEN: Final = N_("There is no such request, or it is not open to you.")

MOST_WAITING: Final = 1000
"""How many may wait for one programme: then something is wrong, and more would only hide those who are right."""

MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as coordinators see it. `organisation` is what the provider names or the mail's domain suggests."""

    id: int
    programme_id: int
    programme_slug: str
    provider: str
    name: str
    email: str | None
    organisation_id: int | None
    organisation: str | None
    organisation_claim: str
    state: str
    reason: str
    by: str | None
    created_at: datetime
    updated_at: datetime
    decided_at: datetime | None
    version: int


# those who ask


def ask(tx: Transaction, arrival: Arrival, organisation_id: int | None = None) -> None:
    """Let someone unknown wait; they wait already, and nothing more happens. Coordinators are told.

    The provider vouches for `organisation_id`. Without it the domain of a mail address suggests one, where the
    provider's word on it is trusted and the domain was found to be the organisation's.

    :raises NotFound: there is no such programme
    :raises Conflict: too many wait
    """
    programme_id = _programme_of(tx.connection, arrival)
    if programme_id is None:
        raise NotFound(N_("The programme that this identity provider belongs to does not exist."))
    if len(_waiting_ids(tx.connection, programme_id)) >= MOST_WAITING:
        raise Conflict(N_("Too many people wait to join just now. Please try again in some days."))
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    made = tx.execute(
        insert(REQUEST)
        .values(
            programme_id=programme_id,
            provider=arrival.provider.id,
            issuer=arrival.issuer,
            subject=arrival.subject,
            name=logins.shown_name(arrival.name),
            email=logins.address(arrival.email),
            organisation_id=organisation_id or _suggested(tx.connection, arrival, programme_id),
            organisation_claim=(arrival.organisation or "")[:200],
            state=WAITING,
            reason="",
            created_at=tx.now,
            updated_at=tx.now,
            version=1,
        )
        .on_conflict_do_nothing()
        .returning(REQUEST.c.id)
    ).scalar()
    if made is None:
        return
    record(tx, "join_request.made", None, programme_id=programme_id, subject_id=made)
    told = memberships.coordinators(tx.connection, programme_id)
    notices.tell(tx, told, "join_requested", programme_id=programme_id)


def declined(connection: Connection, arrival: Arrival) -> Row[Any] | None:
    """The last decision on this login in the provider's programme, if it was no; with its `reason`."""
    row: Any = connection.execute(
        select(REQUEST.c.state, REQUEST.c.reason)
        .join(PROGRAMME, PROGRAMME.c.id == REQUEST.c.programme_id)
        .where(
            PROGRAMME.c.slug == arrival.provider.programme,
            REQUEST.c.issuer == arrival.issuer,
            REQUEST.c.subject == arrival.subject,
        )
        .order_by(REQUEST.c.id.desc())
        .limit(1)
    ).first()
    return row if row is not None and row.state == DECLINED else None


def settle(tx: Transaction, arrival: Arrival, person_id: int) -> None:
    """Close the request of someone who has come in by another way, if one waits."""
    tx.execute(
        update(REQUEST)
        .where(
            REQUEST.c.issuer == arrival.issuer,
            REQUEST.c.subject == arrival.subject,
            REQUEST.c.state == WAITING,
        )
        .values(state=APPROVED, person_id=person_id, decided_at=tx.now, updated_at=tx.now)
    )


# those who decide


def in_programme(connection: Connection, actor: Actor, programme: Any) -> list[RequestView]:
    """The requests of a programme: those that wait first, then the newest decisions.

    :raises NotAllowed: the actor does not decide on them
    """
    require(actor, Permission.DECIDE_JOIN_REQUEST, programme)
    rows = connection.execute(
        _selection()
        .where(REQUEST.c.programme_id == programme.programme_id)
        .order_by(REQUEST.c.state != WAITING, REQUEST.c.id.desc())
        .limit(MOST_SHOWN)
    )
    return [_view(row) for row in rows]


def before(
    connection: Connection,
    actor: Actor,
    programme: Any,
    *,
    state: str | None = None,
    id: int | None = None,
    limit: int = 50,
) -> list[RequestView]:
    """The requests of a programme with ids less than `id`, the newest first; in one state alone, if it is named.

    :raises NotAllowed: the actor does not decide on them
    """
    require(actor, Permission.DECIDE_JOIN_REQUEST, programme)
    conditions = [REQUEST.c.programme_id == programme.programme_id]
    if state is not None:
        conditions.append(REQUEST.c.state == state)
    if id is not None:
        conditions.append(REQUEST.c.id < id)
    rows = connection.execute(_selection().where(*conditions).order_by(REQUEST.c.id.desc()).limit(limit))
    return [_view(row) for row in rows]


def find(connection: Connection, actor: Actor, request_id: int) -> RequestView:
    """One request.

    :raises NotFound: there is none, or the actor does not decide on it
    """
    row = connection.execute(_selection().where(REQUEST.c.id == request_id)).first()
    if row is None or not may(actor, Permission.DECIDE_JOIN_REQUEST, row):
        raise NotFound(UNSEEN)
    return _view(row)


def waiting_for(connection: Connection, actor: Actor) -> int:
    """How many requests wait for a decision of the actor. One statement, and none for most people."""
    own = [id for id in actor.memberships if may(actor, Permission.DECIDE_JOIN_REQUEST, OfProgramme(id))]
    if not own:
        return 0
    return connection.execute(
        select(func.count())
        .select_from(REQUEST)
        .where(REQUEST.c.programme_id.in_(own), REQUEST.c.state == WAITING)
    ).scalar_one()


def approve(
    tx: Transaction,
    actor: Actor,
    request_id: int,
    *,
    organisation_id: int | None = None,
    version: int | None = None,
) -> int:
    """Let someone in, as a participant of `organisation_id` or of the one that the request names; their person's id.

    One who was declined before can be let in after all. The person is told by a notice, and by mail if there is one.

    :raises NotFound: there is no such request, or no such organisation in its programme
    :raises NotAllowed: the actor does not decide on it
    :raises Moved: `version` is given and no longer the newest
    :raises Conflict: they were let in already
    :raises Invalid: no organisation is chosen
    """
    request = _held(tx, actor, request_id, version)
    if request.state == APPROVED:
        raise Conflict(N_("This person was let in already."))
    chosen = organisation_id or request.organisation_id
    if chosen is None:
        raise Invalid(FieldError("organisation_id", N_("Please choose the organisation.")))
    there = memberships.organisation(tx.connection, request.programme_id, chosen)
    vouched = Vouched(request.provider, request.issuer, request.subject, request.name, request.email)
    person_id, _ = logins.make_person(tx, vouched)
    memberships.hold(tx, [request.programme_id])
    place = memberships.of_person(tx.connection, request.programme_id, person_id)
    if place is None or place.ended_at is not None:
        memberships.admit(tx, actor, person_id, there, is_given=True)
    _decide(tx, actor, request, APPROVED, organisation_id=chosen, person_id=person_id)
    notices.tell(tx, [person_id], "join_approved", programme_id=request.programme_id)
    return person_id


def decline(
    tx: Transaction, actor: Actor, request_id: int, *, reason: str, version: int | None = None
) -> None:
    """Say no, with a reason that the person reads at their next sign-in.

    :raises NotFound: there is no such request
    :raises NotAllowed: the actor does not decide on it
    :raises Moved: `version` is given and no longer the newest
    :raises Conflict: it was decided already
    :raises Invalid: there is no reason
    """
    request = _held(tx, actor, request_id, version)
    if request.state != WAITING:
        raise Conflict(N_("This request was decided already."))
    reason, problems = text.line("reason", reason, most=500)
    if problems:
        raise Invalid(*problems)
    _decide(tx, actor, request, DECLINED, reason=reason)


# within


def _programme_of(connection: Connection, arrival: Arrival) -> int | None:
    found: int | None = connection.execute(
        select(PROGRAMME.c.id).where(PROGRAMME.c.slug == arrival.provider.programme)
    ).scalar()
    return found


def _waiting_ids(connection: Connection, programme_id: int) -> Sequence[int]:
    return (
        connection.execute(
            select(REQUEST.c.id)
            .where(REQUEST.c.programme_id == programme_id, REQUEST.c.state == WAITING)
            .limit(MOST_WAITING)
        )
        .scalars()
        .all()
    )


def _suggested(connection: Connection, arrival: Arrival, programme_id: int) -> int | None:
    """The organisation whose domain the mail address has; never more than a suggestion to a coordinator."""
    address = logins.address(arrival.email)
    if address is None or not arrival.email_verified:
        return None
    found: int | None = connection.execute(
        select(DOMAIN.c.organisation_id).where(
            DOMAIN.c.programme_id == programme_id,
            DOMAIN.c.domain == address.rpartition("@")[2].lower(),
            DOMAIN.c.verified_at.is_not(None),
        )
    ).scalar()
    return found


def _held(tx: Transaction, actor: Actor, request_id: int, version: int | None) -> Row[Any]:
    """A request that nobody else decides until the commit."""
    row = tx.execute(select(REQUEST).where(REQUEST.c.id == request_id).with_for_update()).first()
    if row is None or not may(actor, Permission.DECIDE_JOIN_REQUEST, row):
        raise NotFound(UNSEEN)
    if version is not None and version != row.version:
        raise Moved(N_("Someone has decided on this request in the meantime."), current=row.version)
    return row


def _decide(tx: Transaction, actor: Actor, request: Row[Any], state: str, **values: Any) -> None:
    decided = {"state": state, "decided_by": actor.person_id, "decided_at": tx.now, **values}
    tx.execute(
        update(REQUEST)
        .where(REQUEST.c.id == request.id)
        .values(**decided, updated_at=tx.now, version=REQUEST.c.version + 1)
    )
    data = {name: id for name, id in values.items() if name != "reason"}
    type = f"join_request.{state}"
    record(tx, type, actor, programme_id=request.programme_id, subject_id=request.id, data=data)


def _selection() -> Select[Any]:
    return (
        select(
            REQUEST,
            PROGRAMME.c.slug.label("programme_slug"),
            ORGANISATION.c.name.label("organisation"),
            PERSON.c.name.label("by"),
        )
        .join(PROGRAMME, PROGRAMME.c.id == REQUEST.c.programme_id)
        .outerjoin(ORGANISATION, ORGANISATION.c.id == REQUEST.c.organisation_id)
        .outerjoin(PERSON, PERSON.c.id == REQUEST.c.decided_by)
    )


def _view(row: Row[Any]) -> RequestView:
    return RequestView(**{name: getattr(row, name) for name in RequestView.__slots__})
