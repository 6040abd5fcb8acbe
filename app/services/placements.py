"""Placements: what hosts offer, as people find it, with what is free."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, and_, exists, func, or_, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.errors import NotFound
from app.lib.days import Span
from app.lib.i18n import N_
from app.methods import capacity
from app.methods.booking_machine import HOLDING, WAITING
from app.models import Booking, Membership, Organisation, Period, Person, Placement, Programme, Sector
from app.models.base import table
from app.policies import reach
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import orders
from app.services.actors import is_human
from app.services.orders import BY_ID, Order

PLACEMENT = table(Placement)
PERIOD = table(Period)
BOOKING = table(Booking)
ORGANISATION = table(Organisation)
SECTOR = table(Sector)
PERSON = table(Person)
PROGRAMME = table(Programme)
MEMBERSHIP = table(Membership)

PROPOSED, PUBLISHED, RETURNED, TAKEN_BACK = "proposed", "published", "returned", "withdrawn"


@dataclass(frozen=True, slots=True)
class PeriodView:
    """Days for which a placement has places. `taken`: the stays that hold one; `waiting`: how many people wait."""

    id: int
    placement_id: int
    first_day: date
    last_day: date
    is_window: bool
    places: int
    taken: tuple[Span, ...] = ()
    waiting: int = 0

    @property
    def span(self) -> Span:
        """Its days."""
        return Span(self.first_day, self.last_day)

    @property
    def free(self) -> int:
        """How many places are free on every day of a week; in a window, on its emptiest day."""
        if not self.is_window:
            return max(0, self.places - capacity.most_taken(self.span, self.taken))
        return self.places - min(
            (capacity.most_taken(Span(day, day), self.taken) for day in self._edges()), default=0
        )

    def fits(self, stay: Span) -> bool:
        """Whether one more such stay has a place."""
        return capacity.fits(stay, self.taken, self.places)

    def _edges(self) -> list[date]:
        """The days of a window on which the number of guests changes: the emptiest is among them."""
        inside = [each for each in self.taken if each.overlaps(self.span)]
        after = [each.last_day + timedelta(days=1) for each in inside]
        return [self.first_day, *(day for day in after if self.span.first_day <= day <= self.span.last_day)]


@dataclass(frozen=True, slots=True)
class PlacementView:
    """A placement as its page and the API show it, with its periods in the order of days.

    `host_id` is the organisation, `sector_key` its sector.
    """

    id: int
    programme_id: int
    programme_slug: str
    programme_name: str
    host_id: int
    host: str
    sector_key: str
    sector_name: str
    title: str
    description: str
    description_html: str
    language: str
    competencies: tuple[str, ...]
    spoken: tuple[str, ...]
    place: str
    accessibility: str
    confidentiality: str
    open_to: str
    least_days: int
    most_days: int
    contact_id: int
    contact: str
    offered_by: int
    note: str
    published_at: datetime | None
    returned_at: datetime | None
    withdrawn_at: datetime | None
    is_desk: bool
    version: int
    created_at: datetime
    updated_at: datetime
    periods: tuple[PeriodView, ...] = ()

    @property
    def state(self) -> str:
        """`proposed` (waits for review), `published`, `returned` (with a note) or `withdrawn`."""
        if self.withdrawn_at is not None:
            return TAKEN_BACK
        if self.published_at is not None:
            return PUBLISHED
        return RETURNED if self.returned_at is not None else PROPOSED

    @property
    def is_published(self) -> bool:
        """Whether everyone in the programme may see it; one that was taken back stays to be seen by its guests."""
        return self.published_at is not None

    def open_periods(self, today: date) -> tuple[PeriodView, ...]:
        """Those in which a stay can still begin after `today`."""
        return tuple(
            each for each in self.periods if (each.last_day if each.is_window else each.first_day) > today
        )

    def period(self, period_id: int) -> PeriodView | None:
        """The period of that id, if it is one of this placement."""
        return next((each for each in self.periods if each.id == period_id), None)


@dataclass(frozen=True, slots=True)
class Filter:
    """What someone looks for. `words` in title, description, place or host; `free` places only; days touched by
    `first_day` to `last_day`; `sector` and `competency` by their keys; `host` an organisation's id.
    """

    words: str = ""
    first_day: date | None = None
    last_day: date | None = None
    place: str = ""
    competency: str = ""
    sector: str = ""
    host: int | None = None
    free: bool = False


# queries


def find(connection: Connection, actor: Actor, placement_id: int) -> PlacementView:
    """One placement with its periods. Three statements; one more for someone's desk, which its guest finds alone.

    :raises NotFound: there is none, or the actor may not see it
    """
    row = connection.execute(_selection().where(PLACEMENT.c.id == placement_id)).first()
    placement = _view(row) if row is not None else None
    if placement is None or not (
        may(actor, Permission.READ_PLACEMENT, placement) or _is_desk_for(connection, actor, placement)
    ):
        raise NotFound(N_("There is no such placement, or it is not open to you."))
    return _with_periods(connection, [placement])[0]


def among(connection: Connection, actor: Actor, placement_ids: Collection[int]) -> list[PlacementView]:
    """Those of these placements that the actor may see, by id, with their periods. Three statements, or four."""
    rows = connection.execute(
        _selection().where(PLACEMENT.c.id.in_(placement_ids)).order_by(PLACEMENT.c.id)
    ).all()
    views = [_view(row) for row in rows]
    open_to_them = {view.id for view in views if may(actor, Permission.READ_PLACEMENT, view)}
    desks = _desks_for(connection, actor, [view for view in views if view.id not in open_to_them])
    return _with_periods(connection, [view for view in views if view.id in open_to_them | desks])


def published(
    connection: Connection,
    actor: Actor,
    programme: Any,
    wanted: Filter = Filter(),
    *,
    today: date | None = None,
    order: Order = BY_ID,
    limit: int = 200,
) -> list[PlacementView]:
    """A page of the placements that are open to ask for, with periods that end after `today` (all, if it is None).

    What `wanted` asks of free places is looked at day by day, after the database has chosen. Three statements.
    """
    require(actor, Permission.READ_EXCHANGES, programme)
    return _chosen(connection, programme, wanted, _STATES[PUBLISHED], today=today, order=order, limit=limit)


def changeable(
    connection: Connection,
    actor: Actor,
    programme: Any,
    state: str,
    wanted: Filter = Filter(),
    *,
    order: Order = BY_ID,
    limit: int = 200,
) -> list[PlacementView]:
    """A page of the placements in `state` that the actor may change. Three statements."""
    require(actor, Permission.READ_EXCHANGES, programme)
    conditions = (*_STATES[state], _mends(actor, programme.id))
    return _chosen(connection, programme, wanted, conditions, order=order, limit=limit)


def of_host(connection: Connection, actor: Actor, programme: Any) -> list[PlacementView]:
    """The placements that the actor may change: those of their organisation, or all for a coordinator; newest first."""
    require(actor, Permission.READ_EXCHANGES, programme)
    rows = connection.execute(
        _selection()
        .where(
            PLACEMENT.c.programme_id == programme.id,
            PLACEMENT.c.withdrawn_at.is_(None),
            _mends(actor, programme.id),
        )
        .order_by(PLACEMENT.c.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    return _with_periods(connection, [_view(row) for row in rows])


def to_coordinate(connection: Connection, actor: Actor, programme: Any) -> list[PlacementView]:
    """What is published and what waits for a review, by id. Three statements.

    :raises NotAllowed: the actor does not coordinate the programme
    """
    require(actor, Permission.RUN_EXCHANGES, programme)
    is_either = or_(and_(*_STATES[PUBLISHED]), and_(*_STATES[PROPOSED]))
    return _chosen(connection, programme, Filter(), (is_either,), limit=MOST_LOOKED_AT)


def to_wish_for(connection: Connection, actor: Actor, programme: Any) -> list[PlacementView]:
    """The placements that are open to ask for, by id, without their periods. One statement."""
    require(actor, Permission.READ_EXCHANGES, programme)
    rows = connection.execute(
        _selection()
        .where(PLACEMENT.c.programme_id == programme.id, *_STATES[PUBLISHED])
        .order_by(PLACEMENT.c.id)
        .limit(MOST_LOOKED_AT)
    )
    return [_view(row) for row in rows]


def competencies(connection: Connection, programme_id: int) -> list[str]:
    """The competencies that published placements name, each once, as they are written first. One statement."""
    rows = connection.execute(
        select(PLACEMENT.c.competencies)
        .where(
            PLACEMENT.c.programme_id == programme_id,
            PLACEMENT.c.published_at.is_not(None),
            PLACEMENT.c.withdrawn_at.is_(None),
        )
        .order_by(PLACEMENT.c.id)
    ).scalars()
    return each_once(name for names in rows for name in names)


def each_once(names: Iterable[str]) -> list[str]:
    """Competencies, each once, as it is written first."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(folded(name), name)
    return list(found.values())


def sectors(connection: Connection, programme_id: int) -> Sequence[Any]:
    """The sectors of a programme (key, name), in its order. One statement."""
    return connection.execute(
        select(SECTOR.c.key, SECTOR.c.name)
        .where(SECTOR.c.programme_id == programme_id)
        .order_by(SECTOR.c.position, SECTOR.c.id)
    ).all()


def contacts(connection: Connection, programme_id: int, organisation_id: int) -> Sequence[Any]:
    """Who may receive guests at an organisation: its members (id, name), by name. One statement."""
    return connection.execute(
        select(PERSON.c.id, PERSON.c.name)
        .join(MEMBERSHIP, MEMBERSHIP.c.person_id == PERSON.c.id)
        .where(
            MEMBERSHIP.c.programme_id == programme_id,
            MEMBERSHIP.c.organisation_id == organisation_id,
            MEMBERSHIP.c.ended_at.is_(None),
            MEMBERSHIP.c.role != "observer",
            PERSON.c.disabled_at.is_(None),
            is_human(PERSON.c.id),
        )
        .order_by(PERSON.c.name, PERSON.c.id)
    ).all()


def folded(name: str) -> str:
    """A competency or place as it is compared: case does not matter."""
    return " ".join(name.casefold().split())


MOST_SHOWN: Final = 200
MOST_LOOKED_AT: Final = 5000
"""How many placements a search goes through for what the database cannot tell."""


# within


def _is_desk_for(connection: Connection, actor: Actor, placement: PlacementView) -> bool:
    """Whether it is a desk at which the actor, or someone whose manager the actor is, sits in a swap."""
    return placement.id in _desks_for(connection, actor, [placement])


def _desks_for(connection: Connection, actor: Actor, placements: Sequence[PlacementView]) -> set[int]:
    """The ids of those of `placements` that are such desks. One statement at the most."""
    desks = [each.id for each in placements if each.is_desk and actor.role_in(each.programme_id) is not None]
    if not desks:
        return set()
    has_part = or_(BOOKING.c.person_id == actor.person_id, BOOKING.c.manager_id == actor.person_id)
    rows = connection.execute(
        select(BOOKING.c.placement_id).where(BOOKING.c.placement_id.in_(desks), has_part).distinct()
    )
    return set(rows.scalars())


def _chosen(
    connection: Connection,
    programme: Any,
    wanted: Filter,
    conditions: Iterable[ColumnElement[bool]],
    *,
    today: date | None = None,
    order: Order = BY_ID,
    limit: int,
) -> list[PlacementView]:
    chosen = _selection().where(
        PLACEMENT.c.programme_id == programme.id, *conditions, *_conditions(wanted, today)
    )
    most = MOST_LOOKED_AT if _is_narrow(wanted) else limit
    rows = connection.execute(orders.page(chosen, order, _SORTED_BY, most)).all()
    found = [view for row in rows if _says(view := _view(row), wanted)]
    return [each for each in _with_periods(connection, found) if _is_free(each, wanted, today)][:limit]


_SORTED_BY: Final = {name: PLACEMENT.c[name] for name in ("id", "created_at", "updated_at", "title")}


def _mends(actor: Actor, programme_id: int) -> ColumnElement[bool]:
    """The condition that the actor may change a placement of a programme of theirs: the policy, of many at once."""
    if programme_id in reach.coordinated(actor):
        return true()
    is_contact = and_(
        PLACEMENT.c.contact_id == actor.person_id,
        PLACEMENT.c.organisation_id == actor.memberships[programme_id].organisation_id,
    )
    return or_(is_contact, PLACEMENT.c.organisation_id.in_(reach.hosted(actor, programme_id)))


_UNPUBLISHED: Final = (PLACEMENT.c.withdrawn_at.is_(None), PLACEMENT.c.published_at.is_(None))
_STATES: Final[Mapping[str, tuple[ColumnElement[bool], ...]]] = {
    PROPOSED: (*_UNPUBLISHED, PLACEMENT.c.returned_at.is_(None)),
    RETURNED: (*_UNPUBLISHED, PLACEMENT.c.returned_at.is_not(None)),
    PUBLISHED: (PLACEMENT.c.withdrawn_at.is_(None), PLACEMENT.c.published_at.is_not(None)),
    TAKEN_BACK: (PLACEMENT.c.withdrawn_at.is_not(None),),
}


def _conditions(wanted: Filter, today: date | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    first = wanted.first_day or today
    if first is not None or wanted.last_day is not None:
        touched = [PERIOD.c.placement_id == PLACEMENT.c.id, PERIOD.c.withdrawn_at.is_(None)]
        if first is not None:
            touched.append(PERIOD.c.last_day >= first)
        if wanted.last_day is not None:
            touched.append(PERIOD.c.first_day <= wanted.last_day)
        conditions.append(exists().where(and_(*touched)))
    if wanted.sector:
        conditions.append(SECTOR.c.key == wanted.sector)
    if wanted.host is not None:
        conditions.append(PLACEMENT.c.organisation_id == wanted.host)
    for word in _words(wanted):
        pattern = _pattern(word)
        texts = (PLACEMENT.c.title, PLACEMENT.c.description, PLACEMENT.c.place, ORGANISATION.c.name)
        conditions.append(or_(*(each.ilike(pattern, escape="\\") for each in texts)))
    if wanted.place:
        conditions.append(PLACEMENT.c.place.ilike(_pattern(folded(wanted.place)), escape="\\"))
    return conditions


MOST_WORDS: Final = 8


def _words(wanted: Filter) -> list[str]:
    return folded(wanted.words).split()[:MOST_WORDS]


def _pattern(word: str) -> str:
    """What the database looks for; not every one knows the case of č, so such letters are compared afterwards."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{_NOT_ASCII.sub('%', escaped)}%"


_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


def _says(placement: PlacementView, wanted: Filter) -> bool:
    """Whether it has the words, the place and the competency that are looked for, in whatever case."""
    texts = [
        folded(text) for text in (placement.title, placement.description, placement.place, placement.host)
    ]
    learnt = {folded(name) for name in placement.competencies}
    if folded(wanted.place) not in folded(placement.place):
        return False
    if wanted.competency and folded(wanted.competency) not in learnt:
        return False
    return all(any(word in text for text in texts) for word in _words(wanted))


def _is_narrow(wanted: Filter) -> bool:
    """Whether something is looked for that the database leaves to be seen afterwards."""
    return bool(wanted.words or wanted.place or wanted.competency or wanted.free)


def _is_free(placement: PlacementView, wanted: Filter, today: date | None) -> bool:
    """Whether it has a free place, where that is looked for: they are counted by days."""
    if not wanted.free:
        return True
    periods = placement.open_periods(today) if today else placement.periods
    return any(each.free > 0 and _touches(each, wanted) for each in periods)


def _touches(period: PeriodView, wanted: Filter) -> bool:
    is_after = wanted.first_day is None or period.last_day >= wanted.first_day
    return is_after and (wanted.last_day is None or period.first_day <= wanted.last_day)


def _with_periods(connection: Connection, placements: Sequence[PlacementView]) -> list[PlacementView]:
    """The same placements with their periods, and what is taken of each. Two statements."""
    ids = [each.id for each in placements]
    if not ids:
        return []
    rows = connection.execute(
        select(PERIOD)
        .where(PERIOD.c.placement_id.in_(ids), PERIOD.c.withdrawn_at.is_(None))
        .order_by(PERIOD.c.first_day, PERIOD.c.id)
    ).all()
    taken, waiting = stays(connection, [row.id for row in rows])
    periods: dict[int, list[PeriodView]] = {each: [] for each in ids}
    for row in rows:
        periods[row.placement_id].append(period_view(row, taken.get(row.id, ()), waiting.get(row.id, 0)))
    return [replace(each, periods=tuple(periods[each.id])) for each in placements]


def stays(
    connection: Connection, period_ids: Iterable[int]
) -> tuple[Mapping[int, tuple[Span, ...]], Mapping[int, int]]:
    """The stays that hold a place in each period, and how many people wait for one. One statement."""
    rows = connection.execute(
        select(
            BOOKING.c.period_id,
            BOOKING.c.state,
            BOOKING.c.first_day,
            BOOKING.c.last_day,
            func.count(),
        )
        .where(BOOKING.c.period_id.in_(list(period_ids)), BOOKING.c.state.in_((*HOLDING, WAITING)))
        .group_by(BOOKING.c.period_id, BOOKING.c.state, BOOKING.c.first_day, BOOKING.c.last_day)
    )
    taken: dict[int, tuple[Span, ...]] = {}
    waiting: dict[int, int] = {}
    for period_id, state, first_day, last_day, count in rows:
        if state == WAITING:
            waiting[period_id] = waiting.get(period_id, 0) + count
        else:
            taken[period_id] = taken.get(period_id, ()) + (Span(first_day, last_day),) * count
    return taken, waiting


def period_view(row: Any, taken: Sequence[Span] = (), waiting: int = 0) -> PeriodView:
    """A row of the table of periods as a view."""
    return PeriodView(
        row.id,
        row.placement_id,
        row.first_day,
        row.last_day,
        row.is_window,
        row.places,
        tuple(taken),
        waiting,
    )


def _selection() -> Select[Any]:
    return (
        select(
            PLACEMENT,
            PLACEMENT.c.organisation_id.label("host_id"),
            ORGANISATION.c.name.label("host"),
            SECTOR.c.key.label("sector_key"),
            SECTOR.c.name.label("sector_name"),
            PROGRAMME.c.slug.label("programme_slug"),
            PROGRAMME.c.name.label("programme_name"),
            PERSON.c.name.label("contact"),
        )
        .select_from(PLACEMENT)
        .join(PROGRAMME, PROGRAMME.c.id == PLACEMENT.c.programme_id)
        .join(ORGANISATION, ORGANISATION.c.id == PLACEMENT.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .join(PERSON, PERSON.c.id == PLACEMENT.c.contact_id)
    )


def _view(row: Row[Any]) -> PlacementView:
    same = {name: getattr(row, name) for name in _SAME}
    return PlacementView(**same, competencies=tuple(row.competencies), spoken=tuple(row.spoken))


_SAME: Final = tuple(
    name for name in PlacementView.__slots__ if name not in ("competencies", "spoken", "periods")
)
