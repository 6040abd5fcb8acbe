"""Offering placements: a host proposes, a coordinator publishes or returns; and changing them with people booked."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved
from app.lib.days import Span
from app.lib.i18n import N_
from app.methods import capacity
from app.methods.booking_machine import HOLDING, LIVE
from app.models import Booking, Organisation, Period, Person, Placement
from app.models.base import table
from app.models.exchange import COORDINATOR, HOST
from app.models.placement import OTHER
from app.policies import reach
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import (
    booking_steps,
    exchange_people,
    exchange_rules,
    notices,
    placement_drafts,
    placements,
    stays,
    taking_back,
    waiting_lines,
)
from app.services.events import record
from app.services.placements import PeriodView, PlacementView

BOOKING = table(Booking)
ORGANISATION = table(Organisation)
PERIOD = table(Period)
PERSON = table(Person)
PLACEMENT = table(Placement)

MOST_NAMED: Final = 5
"""How many of those whom a change would affect a refusal names."""

FIELDS: Final = (
    "title",
    "description",
    "language",
    "competencies",
    "spoken",
    "place",
    "accessibility",
    "confidentiality",
    "open_to",
    "least_days",
    "most_days",
    "contact_id",
)

USUAL: Final[Mapping[str, Any]] = {
    "title": "",
    "description": "",
    "language": "en",
    "competencies": (),
    "spoken": (),
    "place": "",
    "accessibility": "",
    "confidentiality": "",
    "open_to": OTHER,
    "least_days": 1,
    "most_days": 5,
    "contact_id": None,
}


# verbs


def offer(
    tx: Transaction,
    actor: Actor,
    programme: Any,
    *,
    organisation_id: int | None = None,
    periods: Sequence[Mapping[str, Any]] = (),
    **fields: Any,
) -> int:
    """Offer a placement at the actor's own organisation, or as a coordinator at any; its id. It waits for review.

    `periods`: each with first_day, last_day, is_window, places. Fields left out are as usual.

    :raises NotAllowed: the actor's role does not offer places
    :raises Invalid: something cannot be taken; each error names its field
    """
    require(actor, Permission.OFFER_PLACEMENT, programme)
    booking_steps.take_turn(tx)
    own = actor.memberships[programme.id]
    host_id = organisation_id or own.organisation_id
    errors = []
    is_theirs = host_id == own.organisation_id or host_id in reach.hosted(actor, programme.id)
    if not is_theirs and not may(actor, Permission.RUN_EXCHANGES, programme):
        errors.append(FieldError("organisation_id", N_("You can offer places at your own organisation.")))
    elif not _is_in(tx, programme.id, host_id):
        errors.append(FieldError("organisation_id", N_("Please choose one of the list.")))
    values, wrong = placement_drafts.checked(
        tx.connection, programme.id, host_id, {**USUAL, "contact_id": actor.person_id, **fields}
    )
    today = exchange_rules.find(tx.connection, programme.id).today(stays.now(tx))
    spans, more = placement_drafts.checked_periods(periods, (), today)
    if errors + wrong + more:
        raise Invalid(*errors, *wrong, *more)
    placement_id = tx.execute(
        PLACEMENT.insert().returning(PLACEMENT.c.id),
        {
            **values,
            "programme_id": programme.id,
            "organisation_id": host_id,
            "offered_by": actor.person_id,
            "note": "",
            "is_desk": False,
            "version": 1,
            "created_at": tx.now,
            "updated_at": tx.now,
        },
    ).scalar_one()
    _add_periods(tx, programme.id, placement_id, spans)
    record(tx, "placement.offered", actor, programme_id=programme.id, subject_id=placement_id)
    _ask_for_review(tx, actor, programme.id, placement_id)
    return int(placement_id)


def change(
    tx: Transaction,
    actor: Actor,
    placement_id: int,
    *,
    version: int | None = None,
    periods: Sequence[Mapping[str, Any]] | None = None,
    **fields: Any,
) -> int:
    """Change what `offer` takes; what is left out stays. One that was returned is reviewed anew. The new version.

    With nothing given nothing happens. What says again what is held is a change: with it a host who has answered
    otherwise, such as in a mail, hands in anew what was returned.

    `periods`, where given, are all of them; one with an id is that one changed, one that is missing is taken away.

    :raises NotAllowed: the actor speaks neither for the host nor for the programme
    :raises Conflict: it was taken back, or someone has booked what would go: it says who is affected
    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: something cannot be taken
    """
    placement = _held(tx, actor, placement_id, Permission.CHANGE_PLACEMENT, version)
    before = {name: getattr(placement, name) for name in FIELDS}
    values, errors = placement_drafts.checked(
        tx.connection, placement.programme_id, placement.host_id, {**before, **fields}
    )
    spans: list[dict[str, Any]] = []
    if periods is not None:
        today = exchange_rules.find(tx.connection, placement.programme_id).today(stays.now(tx))
        spans, wrong = placement_drafts.checked_periods(periods, placement.periods, today)
        errors += wrong
    if errors:
        raise Invalid(*errors)
    if not fields and periods is None:
        return placement.version
    if periods is not None:
        _write_periods(tx, placement, spans)
    is_again = placement.state == placements.RETURNED
    tx.execute(
        PLACEMENT.update()
        .where(PLACEMENT.c.id == placement_id)
        .values(
            **values,
            returned_at=None if is_again else placement.returned_at,
            version=placement.version + 1,
            updated_at=tx.now,
        )
    )
    record(tx, "placement.changed", actor, programme_id=placement.programme_id, subject_id=placement_id)
    if is_again:
        _ask_for_review(tx, actor, placement.programme_id, placement_id)
    waiting_lines.promote_in(tx, [each["id"] for each in spans if each.get("id")])
    return placement.version + 1


def publish(tx: Transaction, actor: Actor, placement_id: int, *, version: int | None = None) -> None:
    """Publish a placement after looking at it; again, and nothing changes.

    :raises NotAllowed: the actor is no coordinator
    :raises Conflict: it was taken back, or has no days to come
    :raises Moved: `version` is given and no longer the newest: what they looked at is not what would be published
    """
    placement = _held(tx, actor, placement_id, Permission.REVIEW_PLACEMENT, version)
    if placement.is_published:
        return
    today = exchange_rules.find(tx.connection, placement.programme_id).today(stays.now(tx))
    if not placement.open_periods(today):
        raise Conflict(N_("This placement has no days to come, so nobody could ask for it."))
    tx.execute(
        PLACEMENT.update()
        .where(PLACEMENT.c.id == placement_id)
        .values(
            published_at=tx.now,
            published_by=actor.person_id,
            returned_at=None,
            note="",
            version=placement.version + 1,
            updated_at=tx.now,
        )
    )
    _tell(tx, actor, placement, "placement.published", "placement_published")


def send_back(tx: Transaction, actor: Actor, placement_id: int, *, note: str) -> None:
    """Return a proposed placement to its host with a note on what to mend.

    :raises NotAllowed: the actor is no coordinator
    :raises Conflict: it is published already
    :raises Invalid: no note
    """
    placement = _held(tx, actor, placement_id, Permission.REVIEW_PLACEMENT)
    if placement.is_published:
        raise Conflict(N_("This placement is published; it can be changed, or taken back."))
    note, errors = text.passage("note", note, most=1000, least=1)
    if errors:
        raise Invalid(*errors)
    tx.execute(
        PLACEMENT.update()
        .where(PLACEMENT.c.id == placement_id)
        .values(returned_at=tx.now, note=note, version=placement.version + 1, updated_at=tx.now)
    )
    _tell(tx, actor, placement, "placement.returned", "placement_returned", reason=note)


def withdraw(
    tx: Transaction,
    actor: Actor,
    placement_id: int,
    *,
    reason: str = "",
    cancel_bookings: bool = False,
    version: int | None = None,
) -> None:
    """Take a placement back. With bookings on it that is refused, unless `cancel_bookings` says that they end too.

    Those who had booked are told why, and those who offered it are, unless they did it themselves.

    :raises NotAllowed: the actor speaks neither for the host nor for the programme
    :raises Conflict: people have booked: it says how many and who, and nothing happens
    :raises Invalid: bookings are to end, and no reason is given
    """
    placement = _held(tx, actor, placement_id, Permission.CHANGE_PLACEMENT, version)
    rows = _booked(tx, BOOKING.c.placement_id == placement_id)
    reason, errors = text.passage("reason", reason, most=1000, least=1 if rows else 0)
    if rows and not cancel_bookings:
        raise Conflict(
            N_(
                "There are bookings on this placement (%(number)s): %(who)s. "
                "Say that they end as well, and why, or let them come first."
            ),
            number=len(rows),
            who=_named(rows),
        )
    if errors:
        raise Invalid(*errors)
    tx.execute(
        PLACEMENT.update()
        .where(PLACEMENT.c.id == placement_id)
        .values(withdrawn_at=tx.now, version=placement.version + 1, updated_at=tx.now)
    )
    role = HOST if actor.person_id == placement.contact_id or _is_host(actor, placement) else COORDINATOR
    for row in rows:
        booking = booking_steps.found(tx.connection, row.id)
        taking_back.end(tx, booking, "cancel", actor=actor, role=role, reason=reason)
    _tell(tx, actor, placement, "placement.withdrawn", "placement_withdrawn", reason=reason)


# within


def _held(
    tx: Transaction, actor: Actor, placement_id: int, permission: Permission, version: int | None = None
) -> PlacementView:
    """The placement, in the programme's turn."""
    placement = placements.find(tx.connection, actor, placement_id)
    require(actor, permission, placement)
    booking_steps.take_turn(tx)
    placement = placements.find(tx.connection, actor, placement_id)
    if placement.state == placements.TAKEN_BACK:
        raise Conflict(N_("This placement was taken back."))
    if version is not None and version != placement.version:
        raise Moved(N_("Someone has changed this placement in the meantime."), current=placement.version)
    return placement


def _write_periods(tx: Transaction, placement: PlacementView, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change, add and take away periods, unless that would touch what people have booked."""
    kept = {row["id"]: row for row in rows if row["id"] is not None}
    for period in placement.periods:
        row = kept.get(period.id)
        _refuse_affected(tx, period, row)
        values = {"withdrawn_at": tx.now} if row is None else _without_id(row)
        if row is None or any(getattr(period, name) != value for name, value in values.items()):
            tx.execute(PERIOD.update().where(PERIOD.c.id == period.id).values(values))
    _add_periods(tx, placement.programme_id, placement.id, [row for row in rows if row["id"] is None])


def _add_periods(
    tx: Transaction, programme_id: int, placement_id: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    belongs = {"programme_id": programme_id, "placement_id": placement_id}
    if rows:
        tx.execute(PERIOD.insert(), [_without_id(row) | belongs for row in rows])


def _without_id(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def _refuse_affected(tx: Transaction, period: PeriodView, row: Mapping[str, Any] | None) -> None:
    """Refuse to take away, to move or to shrink what is booked.

    :raises Conflict: it names whom it would affect
    """
    has_other_days = row is not None and (row["first_day"], row["last_day"], row["is_window"]) != (
        period.first_day,
        period.last_day,
        period.is_window,
    )
    if row is None or has_other_days:
        booked = _booked(tx, BOOKING.c.period_id == period.id)
        if booked:
            raise Conflict(
                N_(
                    "These days (%(days)s) are booked, so they stay as they are: %(who)s. "
                    "Please end those bookings first."
                ),
                days=period.span,
                who=_named(booked),
            )
        return
    most = capacity.most_at_once(period.taken)
    if row["places"] < most:
        booked = _booked(tx, BOOKING.c.period_id == period.id, HOLDING)
        raise Conflict(
            N_(
                "%(taken)s places are taken on these days (%(days)s), so there cannot be fewer: %(who)s. "
                "Please end bookings first."
            ),
            taken=most,
            days=period.span,
            who=_named(booked),
        )


def _booked(tx: Transaction, condition: Any, states: Sequence[str] = LIVE) -> Sequence[Any]:
    """Bookings in `states`, those that were there first before the others: id, guest, days. One statement."""
    return tx.execute(
        select(BOOKING.c.id, PERSON.c.name, BOOKING.c.first_day, BOOKING.c.last_day)
        .join(PERSON, PERSON.c.id == BOOKING.c.person_id)
        .where(condition, BOOKING.c.state.in_(states))
        .order_by(BOOKING.c.line_at, BOOKING.c.id)
    ).all()


def _named(rows: Sequence[Any]) -> list[tuple[str | Span, ...]]:
    """The guests of some bookings with their days, the first few of many, for the words of a refusal."""
    named: list[tuple[str | Span, ...]] = [
        (row.name, Span(row.first_day, row.last_day)) for row in rows[:MOST_NAMED]
    ]
    return [*named, ("…",)] if len(rows) > MOST_NAMED else named


def _is_host(actor: Actor, placement: PlacementView) -> bool:
    membership = actor.membership_in(placement.programme_id)
    return membership is not None and membership.organisation_id == placement.host_id


def _is_in(tx: Transaction, programme_id: int, organisation_id: int) -> bool:
    found = tx.execute(
        select(ORGANISATION.c.id).where(
            ORGANISATION.c.id == organisation_id, ORGANISATION.c.programme_id == programme_id
        )
    )
    return found.first() is not None


def _ask_for_review(tx: Transaction, actor: Actor, programme_id: int, placement_id: int) -> None:
    people = set(exchange_people.coordinators(tx.connection, programme_id)) - {actor.person_id}
    notices.tell(tx, people, "placement_proposed", programme_id=programme_id, placement_id=placement_id)


def _tell(tx: Transaction, actor: Actor, placement: PlacementView, type: str, kind: str, **data: Any) -> None:
    """Record what became of a placement, and tell those who offer it."""
    record(tx, type, actor, programme_id=placement.programme_id, subject_id=placement.id)
    people = {placement.offered_by, placement.contact_id} - {actor.person_id or 0}
    notices.tell(tx, people, kind, programme_id=placement.programme_id, placement_id=placement.id, data=data)
