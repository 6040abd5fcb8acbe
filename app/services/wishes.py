"""Wishes: where people would like to go, for the match; and with whom they have a conflict of interest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved
from app.lib.days import Span
from app.lib.i18n import N_
from app.models import ConflictOfInterest, Organisation, Period, Placement, Sector, Wish, WishList
from app.models.base import table
from app.models.exchange import FIRST_COME
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.reach import OfProgramme
from app.policies.rules import require
from app.schemas import text
from app.services import booking_steps, exchange_rules, orders, placements, stays, waiting_lines
from app.services.events import record
from app.services.orders import Order, Place

WISH = table(Wish)
WISH_LIST = table(WishList)
CONFLICT = table(ConflictOfInterest)
PLACEMENT = table(Placement)
PERIOD = table(Period)
ORGANISATION = table(Organisation)
SECTOR = table(Sector)

MOST_WISHES: Final = 12
MOST_SPANS: Final = 20


@dataclass(frozen=True, slots=True)
class WishView:
    """A wish: exactly one of placement (with a period of it, or any), organisation and competency; within some days."""

    placement_id: int | None = None
    period_id: int | None = None
    organisation_id: int | None = None
    competency: str | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class WishListView:
    """What someone has stated; `version` is 0 where they have not."""

    wishes: tuple[WishView, ...] = ()
    unavailable: tuple[Span, ...] = ()
    offers_desk: bool = False
    version: int = 0


# queries


def of_person(connection: Connection, actor: Actor, programme_id: int) -> WishListView:
    """The actor's own wishes. Two statements.

    :raises NotAllowed: the actor takes no part in the programme
    """
    require(actor, Permission.READ_EXCHANGES, OfProgramme(programme_id))
    row = connection.execute(
        select(WISH_LIST).where(
            WISH_LIST.c.programme_id == programme_id, WISH_LIST.c.person_id == actor.person_id
        )
    ).first()
    if row is None:
        return WishListView()
    rows = connection.execute(
        select(WISH)
        .where(WISH.c.programme_id == programme_id, WISH.c.person_id == actor.person_id)
        .order_by(WISH.c.rank)
    )
    return WishListView(
        tuple(WishView(**{name: getattr(each, name) for name in WishView.__slots__}) for each in rows),
        spans_of(row.unavailable),
        bool(row.offers_desk),
        row.version,
    )


def spans_of(stored: Sequence[Sequence[str]]) -> tuple[Span, ...]:
    """Days as they are kept: pairs of ISO dates."""
    return tuple(Span(date.fromisoformat(first), date.fromisoformat(last)) for first, last in stored)


def conflicts(
    connection: Connection, actor: Actor, programme_id: int, *, after: Place = (), limit: int | None = None
) -> Sequence[Any]:
    """The actor's conflicts of interest: organisation_id, organisation, statement, declared_at; by name.

    `after`: name and id of an organisation, on from which the list goes.
    """
    require(actor, Permission.READ_EXCHANGES, OfProgramme(programme_id))
    chosen = (
        select(
            CONFLICT.c.organisation_id,
            ORGANISATION.c.name.label("organisation"),
            CONFLICT.c.statement,
            CONFLICT.c.declared_at,
        )
        .join(ORGANISATION, ORGANISATION.c.id == CONFLICT.c.organisation_id)
        .where(CONFLICT.c.programme_id == programme_id, CONFLICT.c.person_id == actor.person_id)
    )
    return connection.execute(orders.page(chosen, Order("name", after=after), _BY_NAME, limit)).all()


_BY_NAME: Final = {"name": ORGANISATION.c.name, "id": ORGANISATION.c.id}


# verbs


def state(
    tx: Transaction,
    actor: Actor,
    programme: Any,
    *,
    wishes: Sequence[WishView],
    unavailable: Sequence[Span] = (),
    offers_desk: bool = False,
    version: int | None = None,
) -> int:
    """State one's wishes, the best first, in place of those from before; the new version.

    :raises NotAllowed: the actor does not take part
    :raises Conflict: no match is run here
    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: a wish cannot be taken; each error names it, such as `wishes/1`
    """
    require(actor, Permission.STATE_WISHES, programme)
    before = _held(tx, actor, programme.id, version)
    if exchange_rules.find(tx.connection, programme.id).way == FIRST_COME:
        raise Conflict(N_("No match is run in this programme: places go to who asks for them."))
    errors = _problems(tx, actor, programme.id, wishes)
    if len(unavailable) > MOST_SPANS:
        errors.append(FieldError("unavailable", N_("Please give at most %(most)s."), (("most", MOST_SPANS),)))
    if errors:
        raise Invalid(*errors)
    belongs = {"programme_id": programme.id, "person_id": actor.person_id}
    values = {
        "unavailable": [[each.first_day.isoformat(), each.last_day.isoformat()] for each in unavailable],
        "offers_desk": offers_desk,
        "version": before.version + 1,
        "updated_at": tx.now,
    }
    _forget(tx, actor, programme.id)
    if before.version:
        own = (WISH_LIST.c.programme_id == programme.id) & (WISH_LIST.c.person_id == actor.person_id)
        tx.execute(WISH_LIST.update().where(own).values(values))
    else:
        tx.execute(WISH_LIST.insert(), {**belongs, **values, "created_at": tx.now})
    for rank, wish in enumerate(wishes, 1):
        said = {name: getattr(wish, name) for name in WishView.__slots__}
        tx.execute(WISH.insert(), {**belongs, "rank": rank, **said})
    record(tx, "wishes.stated", actor, programme_id=programme.id, subject_id=actor.person_id)
    return before.version + 1


def withdraw(tx: Transaction, actor: Actor, programme: Any, *, version: int | None = None) -> None:
    """Take part in no match any more; again, and nothing changes.

    :raises Moved: `version` is given and no longer the newest
    """
    require(actor, Permission.STATE_WISHES, programme)
    _held(tx, actor, programme.id, version)
    _forget(tx, actor, programme.id)
    own = (WISH_LIST.c.programme_id == programme.id) & (WISH_LIST.c.person_id == actor.person_id)
    tx.execute(WISH_LIST.delete().where(own))
    record(tx, "wishes.withdrawn", actor, programme_id=programme.id, subject_id=actor.person_id)


def declare_conflict(
    tx: Transaction, actor: Actor, programme: Any, *, organisation_id: int, statement: str = ""
) -> None:
    """Declare that one must not be a guest of an organisation; again, and the statement is the new one.

    :raises Invalid: there is no such organisation here, or it is one's own
    """
    require(actor, Permission.STATE_WISHES, programme)
    booking_steps.take_turn(tx)
    statement, errors = text.line("statement", statement, most=400, least=0)
    own = actor.memberships[programme.id].organisation_id
    if organisation_id == own or organisation_id not in _hosts(tx, programme.id):
        errors.append(FieldError("organisation_id", N_("Please choose another organisation of the list.")))
    if errors:
        raise Invalid(*errors)
    _forget_conflict(tx, actor, programme.id, organisation_id)
    tx.execute(
        CONFLICT.insert(),
        {
            "programme_id": programme.id,
            "person_id": actor.person_id,
            "organisation_id": organisation_id,
            "statement": statement,
            "declared_at": tx.now,
        },
    )
    record(tx, "conflict.declared", actor, programme_id=programme.id, subject_id=actor.person_id)


def withdraw_conflict(tx: Transaction, actor: Actor, programme: Any, organisation_id: int) -> None:
    """Take back that one must not be a guest of an organisation; in line for it one may be next then. Twice is once."""
    require(actor, Permission.STATE_WISHES, programme)
    booking_steps.take_turn(tx)
    if not _forget_conflict(tx, actor, programme.id, organisation_id):
        return
    record(tx, "conflict.withdrawn", actor, programme_id=programme.id, subject_id=actor.person_id)
    waiting_lines.promote_for(tx, actor.person_id or 0)


# within


def _held(tx: Transaction, actor: Actor, programme_id: int, version: int | None) -> WishListView:
    """The actor's own wishes, which nobody else changes until the commit."""
    booking_steps.take_turn(tx)
    before = of_person(tx.connection, actor, programme_id)
    if version is not None and version != before.version:
        raise Moved(N_("You have changed your wishes in another window."), current=before.version)
    return before


def _problems(
    tx: Transaction, actor: Actor, programme_id: int, wishes: Sequence[WishView]
) -> list[FieldError]:
    if len(wishes) > MOST_WISHES:
        return [FieldError("wishes", N_("Please give at most %(most)s wishes."), (("most", MOST_WISHES),))]
    if not wishes:
        return [FieldError("wishes", N_("Please state one wish at least."))]
    hosts = _hosts(tx, programme_id)
    offered = _placements(tx, programme_id)
    declared = {row.organisation_id for row in conflicts(tx.connection, actor, programme_id)}
    own = actor.memberships[programme_id]
    errors: list[FieldError] = []
    for place, wish in enumerate(wishes):
        problem = _problem(wish, own, hosts, offered, declared) or _doubled(wish, wishes[:place], offered)
        if problem is not None:
            errors.append(FieldError(f"wishes/{place}", problem))
    return errors


def _doubled(wish: WishView, before: Sequence[WishView], offered: Mapping[int, Any]) -> str | None:
    """Why a wish says nothing new after those `before` it. Other days or another placement are another."""
    if any(_target(wish) == _target(each) for each in before):
        return N_("This stands in your list twice.")
    own = {each.organisation_id for each in before if each.organisation_id is not None}
    if wish.placement_id is not None and offered[wish.placement_id].host_id in own:
        return N_(
            "This host stands in your list already: a wish for an organisation holds for all its placements."
        )
    return None


def _target(wish: WishView) -> tuple[Any, ...]:
    competency = placements.folded(wish.competency) if wish.competency else None
    days = (wish.period_id, wish.first_day, wish.last_day)
    return (wish.placement_id, wish.organisation_id, competency, *days)


def _problem(
    wish: WishView,
    own: Any,
    hosts: Mapping[int, str],
    offered: Mapping[int, Any],
    declared: set[int],
) -> str | None:
    named = [wish.placement_id is not None, wish.organisation_id is not None, bool(wish.competency)]
    if sum(named) != 1 or (wish.period_id is not None and wish.placement_id is None):
        return N_("Please name a placement, an organisation or a competency: one of the three.")
    if wish.first_day and wish.last_day and wish.last_day < wish.first_day:
        return N_("The last day is before the first one.")
    if wish.placement_id is not None:
        return _problem_of_placement(wish, own, offered.get(wish.placement_id), declared)
    if wish.organisation_id is not None:
        return _problem_of_host(wish.organisation_id, own, hosts, declared)
    _, wrong = text.line("competency", wish.competency or "", most=MOST_COMPETENCY)
    return N_("Please choose one of the list.") if wrong else None


MOST_COMPETENCY: Final = 80


def _problem_of_placement(wish: WishView, own: Any, placement: Any, declared: set[int]) -> str | None:
    if placement is None:
        return N_("This placement is not open to be asked for.")
    if wish.period_id is not None and wish.period_id not in placement.periods:
        return N_("There are no such days at this placement.")
    if placement.host_id in declared:
        return N_("You have declared a conflict of interest with this host.")
    return stays.unfit(placement, own.organisation_id, own.sector_key)


def _problem_of_host(
    organisation_id: int, own: Any, hosts: Mapping[int, str], declared: set[int]
) -> str | None:
    if organisation_id not in hosts:
        return N_("Please choose one of the list.")
    if organisation_id in declared:
        return N_("You have declared a conflict of interest with this host.")
    if organisation_id == own.organisation_id:
        return N_("This is your own organisation; an exchange leads to another one.")
    return None


@dataclass(frozen=True, slots=True)
class _Offered:
    host_id: int
    sector_key: str
    open_to: str
    periods: frozenset[int]


def _placements(tx: Transaction, programme_id: int) -> dict[int, _Offered]:
    rows = tx.execute(
        select(
            PLACEMENT.c.id,
            PLACEMENT.c.organisation_id,
            SECTOR.c.key,
            PLACEMENT.c.open_to,
            PERIOD.c.id.label("period_id"),
        )
        .join(ORGANISATION, ORGANISATION.c.id == PLACEMENT.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .outerjoin(PERIOD, (PERIOD.c.placement_id == PLACEMENT.c.id) & PERIOD.c.withdrawn_at.is_(None))
        .where(
            PLACEMENT.c.programme_id == programme_id,
            PLACEMENT.c.published_at.is_not(None),
            PLACEMENT.c.withdrawn_at.is_(None),
        )
    )
    found: dict[int, _Offered] = {}
    for row in rows:
        before = found[row.id].periods if row.id in found else frozenset()
        found[row.id] = _Offered(row.organisation_id, row.key, row.open_to, before | {row.period_id})
    return found


def _hosts(tx: Transaction, programme_id: int) -> dict[int, str]:
    rows = tx.execute(
        select(ORGANISATION.c.id, SECTOR.c.key)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .where(ORGANISATION.c.programme_id == programme_id)
    )
    return {row.id: row.key for row in rows}


def _forget(tx: Transaction, actor: Actor, programme_id: int) -> None:
    tx.execute(WISH.delete().where(WISH.c.programme_id == programme_id, WISH.c.person_id == actor.person_id))


def _forget_conflict(tx: Transaction, actor: Actor, programme_id: int, organisation_id: int) -> bool:
    """Remove a declaration; whether there was one."""
    removed = tx.execute(
        CONFLICT.delete()
        .where(
            CONFLICT.c.programme_id == programme_id,
            CONFLICT.c.person_id == actor.person_id,
            CONFLICT.c.organisation_id == organisation_id,
        )
        .returning(CONFLICT.c.organisation_id)
    )
    return removed.first() is not None
