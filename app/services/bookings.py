"""Bookings: people's stays, as those whom they concern find them, with what happens next and who has to act."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, and_, bindparam, case, exists, func, literal, or_, select, text, union_all
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.database import present
from app.errors import NotFound
from app.lib.days import Span
from app.lib.i18n import N_
from app.methods import booking_machine as machine
from app.methods.booking_machine import (
    APPROVED,
    COMPLETED,
    HELD,
    LIVE,
    OFFERED,
    WAITING,
)
from app.models import (
    Agreement,
    Booking,
    BookingStep,
    Decision,
    Membership,
    Organisation,
    Period,
    Person,
    Placement,
    Programme,
    Reflection,
    Sector,
)
from app.models.base import table
from app.models.exchange import COORDINATOR, GUEST, HOST, MANAGER
from app.policies import reach
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import exchange_rules, orders
from app.services.exchange_rules import Item, Rules
from app.services.orders import BY_ID, Order

BOOKING = table(Booking)
STEP = table(BookingStep)
DECISION = table(Decision)
AGREEMENT = table(Agreement)
REFLECTION = table(Reflection)
PLACEMENT = table(Placement)
PERIOD = table(Period)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
SECTOR = table(Sector)
PROGRAMME = table(Programme)
HOST_ORGANISATION = ORGANISATION.alias("host_organisation")
HOST_SECTOR = SECTOR.alias("host_sector")
CONTACT = PERSON.alias("contact_person")


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What one of those who are asked decided, in the present round. `by` is a name: of an account, or the link's."""

    role: str
    approved: bool
    reason: str
    by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class AgreementView:
    """An item of the checklist that was ticked: the text as agreed."""

    item: str
    party: str
    statement: str
    answer: str
    by: str
    agreed_at: datetime


@dataclass(frozen=True, slots=True)
class BookingView:
    """A booking as its page and the API show it.

    `organisation` and `sector_key` are the guest's, `host` and `host_sector_key` the other side's. `now` is the
    database's clock. `decisions` are those of the present round; `reflected` names the parties that have reflected.
    """

    id: int
    programme_id: int
    programme_slug: str
    programme_name: str
    placement_id: int
    placement_title: str
    placement_language: str
    placement_place: str
    confidentiality: str
    host_id: int
    host: str
    host_sector_key: str
    contact_id: int
    contact: str
    period_id: int
    person_id: int
    guest: str
    organisation_id: int
    organisation: str
    sector_id: int
    sector_key: str
    state: str
    first_day: date
    last_day: date
    message: str
    manager_id: int | None
    manager_name: str
    manager_email: str
    line_at: datetime
    round: int
    expires_at: datetime | None
    reminded_at: datetime | None
    match_id: int | None
    uid: str
    sequence: int
    confirmed_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    now: datetime
    rules: Rules
    decisions: tuple[DecisionView, ...] = ()
    agreements: tuple[AgreementView, ...] = ()
    reflected: tuple[str, ...] = ()

    @property
    def stay(self) -> Span:
        """Its days."""
        return Span(self.first_day, self.last_day)

    @property
    def is_live(self) -> bool:
        """Whether a stay may still come of it, or is going on."""
        return self.state in LIVE

    @property
    def asked(self) -> tuple[str, ...]:
        """Who is to decide now: of manager, host and coordinator."""
        if self.state != HELD:
            return ()
        return self.rules.asked([each.role for each in self.decisions])

    @property
    def open_items(self) -> tuple[Item, ...]:
        """What of the checklist is not ticked yet."""
        ticked = {each.item for each in self.agreements}
        return tuple(item for item in self.rules.checklist if item.key not in ticked)

    @property
    def awaited(self) -> tuple[str, ...]:
        """Who has to act for it to go on: of guest, manager, host and coordinator; nobody, where time does."""
        if self.state == OFFERED:
            return (GUEST,)
        if self.state == HELD:
            return self.asked
        if self.state == APPROVED:
            return tuple(dict.fromkeys(item.party for item in self.open_items))
        if self.state == COMPLETED:
            return tuple(party for party in (GUEST, HOST) if party not in self.reflected)
        return ()

    def can(self, action: str) -> bool:
        """Whether the table of states lets `action` lead on from here."""
        return machine.can(action, self.state)

    def awaits(self, actor: Actor) -> bool:
        """Whether `actor` is one of those who have to act."""
        return any(may(actor, _ACTS_AS[role], self) for role in self.awaited)


_ACTS_AS: Final[Mapping[str, Permission]] = {
    GUEST: Permission.AGREE_AS_GUEST,
    HOST: Permission.AGREE_AS_HOST,
    MANAGER: Permission.DECIDE_AS_MANAGER,
    COORDINATOR: Permission.DECIDE_AS_COORDINATOR,
}
"""What someone may do who acts in a role."""


def roles_of(actor: Actor, booking: BookingView) -> tuple[str, ...]:
    """As what `actor` may act on a booking: of guest, manager, host and coordinator."""
    return tuple(role for role, permission in _ACTS_AS.items() if may(actor, permission, booking))


# queries


def find(connection: Connection, actor: Actor, booking_id: int) -> BookingView:
    """One booking with what was decided and agreed. Two statements.

    :raises NotFound: there is none, or the actor may not see it
    """
    row = connection.execute(selection(connection).where(BOOKING.c.id == booking_id)).first()
    if row is None:
        raise NotFound(UNSEEN)
    view = views(connection, [row])[0]
    require(actor, Permission.READ_BOOKING, view, seen_by=Permission.READ_BOOKING)
    return view


UNSEEN: Final = N_("There is no such booking, or it is not open to you.")


def steps(connection: Connection, booking_id: int) -> Sequence[Any]:
    """What happened to a booking, in order: action, state, role, by (a name or None), reason, days, taken_at.

    The caller has loaded the booking through its viewer.
    """
    return connection.execute(
        select(STEP, PERSON.c.name.label("by"))
        .outerjoin(PERSON, PERSON.c.id == STEP.c.actor_id)
        .where(STEP.c.booking_id == booking_id)
        .order_by(STEP.c.id)
    ).all()


def place_in_line(connection: Connection, booking: BookingView) -> int:
    """How many people stand in line for the same period before a booking that waits, itself included."""
    before = or_(
        BOOKING.c.line_at < booking.line_at,
        and_(BOOKING.c.line_at == booking.line_at, BOOKING.c.id <= booking.id),
    )
    return connection.execute(
        select(func.count())
        .select_from(BOOKING)
        .where(BOOKING.c.period_id == booking.period_id, BOOKING.c.state == WAITING, before)
    ).scalar_one()


def places_in_line(connection: Connection, bookings: Sequence[BookingView]) -> Mapping[int, int]:
    """The places in line, from 1, of those of `bookings` that wait, by their ids. At most one statement."""
    waiting = [each for each in bookings if each.state == WAITING]
    if not waiting:
        return {}
    place = func.row_number().over(
        partition_by=BOOKING.c.period_id, order_by=(BOOKING.c.line_at, BOOKING.c.id)
    )
    lines = (
        select(BOOKING.c.id, place.label("place"))
        .where(BOOKING.c.period_id.in_({each.period_id for each in waiting}), BOOKING.c.state == WAITING)
        .subquery()
    )
    rows = connection.execute(
        select(lines.c.id, lines.c.place).where(lines.c.id.in_([each.id for each in waiting]))
    )
    return {row.id: row.place for row in rows}


def of_person(
    connection: Connection, actor: Actor, programme_id: int | None = None, *, most: int = 100
) -> list[BookingView]:
    """The actor's own bookings, of one programme or all: those on their way first, then the newest. Two statements."""
    require(actor, Permission.MANAGE_OWN)
    if not actor.memberships:
        return []
    rows = connection.execute(
        selection(connection)
        .where(BOOKING.c.person_id == actor.person_id, _within(actor, programme_id))
        .order_by(BOOKING.c.state.in_(LIVE).desc(), BOOKING.c.first_day.desc(), BOOKING.c.id.desc())
        .limit(most)
    ).all()
    return [view for view in views(connection, rows) if may(actor, Permission.READ_BOOKING, view)]


def own(
    connection: Connection,
    actor: Actor,
    *,
    states: Iterable[str] = machine.STATES,
    order: Order = BY_ID,
    limit: int = 50,
) -> list[BookingView]:
    """A page of the actor's own bookings in `states`, in all programmes in which they take part."""
    require(actor, Permission.MANAGE_OWN)
    if not actor.memberships:
        return []
    chosen = selection(connection).where(
        BOOKING.c.person_id == actor.person_id, BOOKING.c.state.in_(list(states)), _within(actor, None)
    )
    return _page(connection, actor, chosen, order, limit)


def waiting_for(
    connection: Connection, actor: Actor, programme_id: int | None = None, *, most: int = 1000
) -> list[BookingView]:
    """The bookings on which the actor has to act, in one programme or in all, oldest first. Two statements.

    To answer, to decide, to agree, to reflect. A coordinator is waited for only while decisions are, and nobody who has
    reflected already, so that what is long over does not hide what waits.
    """
    if not actor.memberships:
        return []
    own_side = case((BOOKING.c.person_id == actor.person_id, GUEST), else_=HOST)
    has_reflected = exists().where(REFLECTION.c.booking_id == BOOKING.c.id, REFLECTION.c.party == own_side)
    is_own = and_(
        BOOKING.c.state.in_((OFFERED, HELD, APPROVED, COMPLETED)), _takes_part(actor), ~has_reflected
    )
    rows = connection.execute(
        selection(connection)
        .where(_within(actor, programme_id), or_(is_own, and_(BOOKING.c.state == HELD, _coordinates(actor))))
        .order_by(BOOKING.c.updated_at, BOOKING.c.id)
        .limit(most)
    ).all()
    return [view for view in views(connection, rows) if view.awaits(actor)]


def at_placement(
    connection: Connection,
    actor: Actor,
    placement_id: int,
    *,
    states: Iterable[str] = machine.STATES,
    order: Order = BY_ID,
    limit: int = 200,
) -> list[BookingView]:
    """A page of the bookings of a placement in `states` that the actor may see."""
    chosen = selection(connection).where(
        BOOKING.c.placement_id == placement_id, BOOKING.c.state.in_(list(states)), _concerns(actor)
    )
    return _page(connection, actor, chosen, order, limit)


def _page(
    connection: Connection, actor: Actor, chosen: Select[Any], order: Order, limit: int
) -> list[BookingView]:
    rows = connection.execute(orders.page(chosen, order, _SORTED_BY, limit)).all()
    return [view for view in views(connection, rows) if may(actor, Permission.READ_BOOKING, view)]


def in_programme(
    connection: Connection,
    actor: Actor,
    programme: Any,
    *,
    states: Iterable[str] = machine.STATES,
    order: Order = BY_ID,
    limit: int = 200,
) -> list[BookingView]:
    """A page of the bookings of a programme in `states` that the actor may see."""
    require(actor, Permission.READ_EXCHANGES, programme)
    chosen = selection(connection).where(
        BOOKING.c.programme_id == programme.id, BOOKING.c.state.in_(list(states)), _concerns(actor)
    )
    return _page(connection, actor, chosen, order, limit)


_SORTED_BY: Final = {
    name: BOOKING.c[name] for name in ("id", "created_at", "updated_at", "first_day", "last_day")
}


# for the other services of exchanges


def selection(connection: Connection) -> Select[Any]:
    """Bookings with the names that go with them, and the clock."""
    return (
        select(
            BOOKING,
            PROGRAMME.c.slug.label("programme_slug"),
            PROGRAMME.c.name.label("programme_name"),
            PLACEMENT.c.title.label("placement_title"),
            PLACEMENT.c.language.label("placement_language"),
            PLACEMENT.c.place.label("placement_place"),
            PLACEMENT.c.confidentiality,
            PLACEMENT.c.organisation_id.label("host_id"),
            PLACEMENT.c.contact_id,
            CONTACT.c.name.label("contact"),
            HOST_ORGANISATION.c.name.label("host"),
            HOST_SECTOR.c.key.label("host_sector_key"),
            PERSON.c.name.label("guest"),
            ORGANISATION.c.name.label("organisation"),
            SECTOR.c.key.label("sector_key"),
            present(connection.dialect.name).label("now"),
            *exchange_rules.PREFIXED,
        )
        .select_from(BOOKING)
        .outerjoin(exchange_rules.RULES, exchange_rules.RULES.c.programme_id == BOOKING.c.programme_id)
        .join(PROGRAMME, PROGRAMME.c.id == BOOKING.c.programme_id)
        .join(PLACEMENT, PLACEMENT.c.id == BOOKING.c.placement_id)
        .join(HOST_ORGANISATION, HOST_ORGANISATION.c.id == PLACEMENT.c.organisation_id)
        .join(HOST_SECTOR, HOST_SECTOR.c.id == HOST_ORGANISATION.c.sector_id)
        .join(CONTACT, CONTACT.c.id == PLACEMENT.c.contact_id)
        .join(PERSON, PERSON.c.id == BOOKING.c.person_id)
        .join(ORGANISATION, ORGANISATION.c.id == BOOKING.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == BOOKING.c.sector_id)
    )


def views(connection: Connection, rows: Sequence[Row[Any]]) -> list[BookingView]:
    """Rows of `selection` as views, with what was decided, agreed and reflected. One statement for all."""
    if not rows:
        return []
    rounds = {row.id: row.round for row in rows}
    decided: dict[int, list[DecisionView]] = {each: [] for each in rounds}
    agreed: dict[int, list[AgreementView]] = {each: [] for each in rounds}
    reflected: dict[int, list[str]] = {each: [] for each in rounds}
    for mark in connection.execute(_MARKS, {"bookings": list(rounds)}):
        if mark.kind == "reflection":
            reflected[mark.booking_id].append(mark.role)
        elif mark.kind == "agreement":
            view = AgreementView(mark.item, mark.role, mark.text, mark.answer, mark.by, mark.at)
            agreed[mark.booking_id].append(view)
        elif mark.round == rounds[mark.booking_id]:
            approved = mark.item == "approved"
            decided[mark.booking_id].append(DecisionView(mark.role, approved, mark.text, mark.by, mark.at))
    return [
        replace(
            _view(row),
            decisions=tuple(decided[row.id]),
            agreements=tuple(agreed[row.id]),
            reflected=tuple(reflected[row.id]),
        )
        for row in rows
    ]


def _marks() -> Any:
    """Decisions, agreements and reflections of some bookings, as one list."""
    bookings: Any = bindparam("bookings", expanding=True)
    decisions = (
        select(
            literal("decision").label("kind"),
            DECISION.c.id.label("mark_id"),
            DECISION.c.booking_id,
            DECISION.c.round,
            DECISION.c.role,
            case((DECISION.c.approved, "approved"), else_="declined").label("item"),
            DECISION.c.reason.label("text"),
            literal("").label("answer"),
            func.coalesce(PERSON.c.name, DECISION.c.decided_as).label("by"),
            DECISION.c.decided_at.label("at"),
        )
        .outerjoin(PERSON, PERSON.c.id == DECISION.c.decided_by)
        .where(DECISION.c.booking_id.in_(bookings))
    )
    agreements = (
        select(
            literal("agreement"),
            AGREEMENT.c.id,
            AGREEMENT.c.booking_id,
            literal(0),
            AGREEMENT.c.party,
            AGREEMENT.c.item,
            AGREEMENT.c.statement,
            AGREEMENT.c.answer,
            PERSON.c.name,
            AGREEMENT.c.agreed_at,
        )
        .join(PERSON, PERSON.c.id == AGREEMENT.c.agreed_by)
        .where(AGREEMENT.c.booking_id.in_(bookings))
    )
    reflections = (
        select(
            literal("reflection"),
            REFLECTION.c.id,
            REFLECTION.c.booking_id,
            literal(0),
            REFLECTION.c.party,
            literal(""),
            literal(""),
            literal(""),
            PERSON.c.name,
            REFLECTION.c.written_at,
        )
        .join(PERSON, PERSON.c.id == REFLECTION.c.written_by)
        .where(REFLECTION.c.booking_id.in_(bookings))
    )
    return union_all(decisions, agreements, reflections).order_by(text("kind, mark_id"))


_MARKS: Final = _marks()


def _view(row: Row[Any]) -> BookingView:
    rules = exchange_rules.prefixed(row, row.programme_id)
    return BookingView(**{name: getattr(row, name) for name in _SAME}, rules=rules)


_SAME: Final = tuple(
    name for name in BookingView.__slots__ if name not in ("rules", "decisions", "agreements", "reflected")
)


def _within(actor: Actor, programme_id: int | None) -> ColumnElement[bool]:
    """The condition that a booking is of one programme, or of any in which the actor has a place."""
    found: ColumnElement[bool] = BOOKING.c.programme_id.in_(
        sorted(actor.memberships) if programme_id is None else [programme_id]
    )
    return found


def _concerns(actor: Actor) -> ColumnElement[bool]:
    """The condition that a booking is the actor's affair: what the policy says of one, of many at once."""
    return or_(_takes_part(actor), _coordinates(actor))


def _takes_part(actor: Actor) -> ColumnElement[bool]:
    """The condition that the actor is a booking's guest, manager or host."""
    is_guest = BOOKING.c.person_id == actor.person_id
    conditions: list[ColumnElement[bool]] = [
        and_(BOOKING.c.programme_id.in_(sorted(actor.memberships)), is_guest)
    ]
    for programme_id, membership in sorted(actor.memberships.items()):
        managers = {actor.person_id, *reach.stood_in_for(actor, programme_id)}
        is_own = BOOKING.c.manager_id.in_(managers)
        at_home = BOOKING.c.organisation_id == membership.organisation_id
        conditions.append(and_(BOOKING.c.programme_id == programme_id, is_own, at_home))
        at_host = PLACEMENT.c.organisation_id.in_(reach.hosted(actor, programme_id))
        is_contact = PLACEMENT.c.contact_id == actor.person_id
        as_contact = and_(is_contact, PLACEMENT.c.organisation_id == membership.organisation_id)
        conditions.append(and_(BOOKING.c.programme_id == programme_id, or_(at_host, as_contact)))
    return or_(*conditions)


def _coordinates(actor: Actor) -> ColumnElement[bool]:
    """The condition that a booking is of a programme that the actor coordinates."""
    found: ColumnElement[bool] = BOOKING.c.programme_id.in_(reach.coordinated(actor))
    return found
