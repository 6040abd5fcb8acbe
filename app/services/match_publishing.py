"""Publishing a match: its plan becomes offers that people accept or pass on; whom it left out is told why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from app.database import Transaction
from app.errors import Conflict
from app.lib.days import Span
from app.lib.i18n import N_
from app.models import Match, Membership, Period, Person, Placement, Sector, WishList
from app.models.base import table
from app.models.placement import OTHER
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import (
    asking,
    booking_steps,
    exchange_rules,
    match_market,
    matches,
    notices,
    placements,
    stays,
    wishes,
)
from app.services.actors import is_human
from app.services.events import record
from app.services.matches import DONE, MatchView
from app.services.placements import PeriodView

MATCH = table(Match)
MEMBERSHIP = table(Membership)
PERIOD = table(Period)
PERSON = table(Person)
PLACEMENT = table(Placement)
SECTOR = table(Sector)
WISH_LIST = table(WishList)


@dataclass(frozen=True, slots=True)
class Published:
    """How many places were proposed, and the people for whom that was not possible any more."""

    proposed: int
    lost: tuple[int, ...]


def publish(tx: Transaction, actor: Actor, match_id: int, *, version: int | None = None) -> Published:
    """Propose the places of a plan to its people, each looked at once more, and tell those whom it left out.

    :raises NotFound: the actor does not run matches there
    :raises Moved: `version` is given and no longer the newest
    :raises Conflict: there is no plan, or it is published already
    """
    match = matches.find(tx.connection, actor, match_id)
    require(actor, Permission.RUN_EXCHANGES, match)
    booking_steps.take_turn(tx)
    match = matches.hold(tx, actor, match_id, version=version)
    if match.state != DONE or match.plan is None:
        raise Conflict(N_("This match has no plan that could be published."))
    if match.published_at is not None:
        raise Conflict(N_("This plan is published already."))
    tx.execute(
        MATCH.update()
        .where(MATCH.c.id == match_id)
        .values(
            published_at=tx.now, published_by=actor.person_id, updated_at=tx.now, version=match.version + 1
        )
    )
    lost = _propose_all(tx, actor, match)
    if lost:
        kept = {**match.plan, "lost": lost}
        tx.execute(MATCH.update().where(MATCH.c.id == match_id).values(plan=kept))
    left_out = [*match.plan["unmatched"], *lost]
    notices.tell(tx, left_out, "match_left_out", programme_id=match.programme_id, data={"match_id": match_id})
    record(tx, "match.published", actor, programme_id=match.programme_id, subject_id=match_id)
    return Published(len(match.plan["stays"]) - len(lost), tuple(sorted(lost)))


def _propose_all(tx: Transaction, actor: Actor, match: MatchView) -> list[int]:
    """Propose each stay; the people for whom that is not possible any more. A swap holds as a whole or not at all."""
    today = exchange_rules.find(tx.connection, match.programme_id).today(stays.now(tx))
    planned = {stay["person"]: stay for stay in (match.plan or {})["stays"]}
    people = _people(tx, match.programme_id)
    lost = {
        person
        for person, stay in planned.items()
        if not _is_possible(tx, match.programme_id, stay, people, today)
    }
    for swap in (match.plan or {})["swaps"]:
        if lost & set(swap["people"]):
            lost |= set(swap["people"])
    for person, stay in sorted(planned.items()):
        if person in lost:
            continue
        period = _desk(tx, actor, match, stay) if stay["offer"] is None else _period(tx, stay["offer"])
        span = _span(stay)
        if period is None or not period.fits(span):
            lost.add(person)
            continue
        asking.propose(tx, actor, match_id=match.id, person=people[person], period=period, stay=span)
    return sorted(lost)


def _is_possible(
    tx: Transaction, programme_id: int, stay: Mapping[str, Any], people: Mapping[int, Any], today: date
) -> bool:
    """Whether a person still takes part and may go there, can go then, and the place is still there."""
    span, guest = _span(stay), people.get(stay["person"])
    if guest is None or span.first_day <= today:
        return False
    if any(each.overlaps(span) for each in wishes.spans_of(guest.unavailable)):
        return False
    if booking_steps.is_elsewhere(tx.connection, guest.person_id, span):
        return False
    if stays.is_conflicted(tx, guest.person_id, programme_id, stay["organisation"]):
        return False
    if stay["offer"] is None:
        owner = people.get(stay["desk_of"])
        if owner is None or owner.organisation_id != stay["organisation"] or not owner.offers_desk:
            return False
        return _fits(stay, OTHER, guest)
    period = _period(tx, stay["offer"])
    return period is not None and period.fits(span) and _fits(stay, _open_to(tx, stay["placement"]), guest)


def _fits(stay: Mapping[str, Any], open_to: str, guest: Any) -> bool:
    """Whether a guest of an organisation and sector, as they are now, may be there at all."""
    host = _Host(stay["organisation"], stay["sector"], open_to)
    return stays.unfit(host, guest.organisation_id, guest.sector_key) is None


@dataclass(frozen=True, slots=True)
class _Host:
    """Where a stay is planned, as the rules of asking look at it."""

    host_id: int
    sector_key: str
    open_to: str


def _open_to(tx: Transaction, placement_id: int) -> str:
    found = tx.execute(select(PLACEMENT.c.open_to).where(PLACEMENT.c.id == placement_id)).scalar()
    return str(found or OTHER)


def _period(tx: Transaction, key: str) -> PeriodView | None:
    """The period of an offer, with what is taken of it by now; None if it is not offered any more."""
    period_id, _ = match_market.offer_of(key)
    row = tx.execute(
        select(PERIOD)
        .join(PLACEMENT, PLACEMENT.c.id == PERIOD.c.placement_id)
        .where(PERIOD.c.id == period_id, PERIOD.c.withdrawn_at.is_(None), PLACEMENT.c.withdrawn_at.is_(None))
    ).first()
    if row is None:
        return None
    return placements.period_view(row, booking_steps.taken(tx.connection, period_id))


def _desk(tx: Transaction, actor: Actor, match: MatchView, stay: Mapping[str, Any]) -> PeriodView:
    """A placement for the desk of someone who is away in a swap: one place, on these days, its owner as contact.

    It is for this guest alone, and so it is taken back at once: nobody else finds it, asks for it or is matched to it.
    """
    owner = tx.execute(select(PERSON.c.id, PERSON.c.name).where(PERSON.c.id == stay["desk_of"])).one()
    span = _span(stay)
    placement_id = tx.execute(
        PLACEMENT.insert().returning(PLACEMENT.c.id),
        {
            "programme_id": match.programme_id,
            "organisation_id": stay["organisation"],
            "title": f"{owner.name} \N{LEFT RIGHT ARROW}",
            "description": "",
            "description_html": "",
            "language": "en",
            "competencies": [],
            "spoken": [],
            "place": "",
            "accessibility": "",
            "confidentiality": "",
            "open_to": OTHER,
            "least_days": 1,
            "most_days": span.days,
            "contact_id": owner.id,
            "offered_by": owner.id,
            "published_at": tx.now,
            "published_by": actor.person_id,
            "withdrawn_at": tx.now,
            "note": "",
            "is_desk": True,
            "version": 1,
            "created_at": tx.now,
            "updated_at": tx.now,
        },
    ).scalar_one()
    period_id = tx.execute(
        PERIOD.insert().returning(PERIOD.c.id),
        {
            "programme_id": match.programme_id,
            "placement_id": placement_id,
            "first_day": span.first_day,
            "last_day": span.last_day,
            "is_window": False,
            "places": 1,
        },
    ).scalar_one()
    record(tx, "placement.published", actor, programme_id=match.programme_id, subject_id=placement_id)
    return PeriodView(period_id, placement_id, span.first_day, span.last_day, is_window=False, places=1)


def _people(tx: Transaction, programme_id: int) -> dict[int, Any]:
    """Who takes part in matches now, by id: with organisation, sector, days on which they cannot go, offers_desk."""
    rows = tx.execute(
        select(
            MEMBERSHIP.c.person_id,
            MEMBERSHIP.c.organisation_id,
            MEMBERSHIP.c.sector_id,
            SECTOR.c.key.label("sector_key"),
            WISH_LIST.c.unavailable,
            WISH_LIST.c.offers_desk,
        )
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .join(
            WISH_LIST,
            (WISH_LIST.c.person_id == MEMBERSHIP.c.person_id)
            & (WISH_LIST.c.programme_id == MEMBERSHIP.c.programme_id),
        )
        .join(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .where(
            MEMBERSHIP.c.programme_id == programme_id,
            MEMBERSHIP.c.ended_at.is_(None),
            MEMBERSHIP.c.role != "observer",
            PERSON.c.disabled_at.is_(None),
            is_human(PERSON.c.id),
            ~match_market.IS_SERVED,
        )
    )
    return {row.person_id: row for row in rows}


def _span(stay: Mapping[str, Any]) -> Span:
    first_day, last_day = stay["span"]
    return Span(date.fromisoformat(first_day), date.fromisoformat(last_day))
