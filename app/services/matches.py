"""Matches: runs of the optimiser over wishes and places, from the start to the plan that is published."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, exists, func, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotFound
from app.integrations import queue
from app.lib.days import Span
from app.lib.i18n import N_
from app.methods.exchange_demands import CLASHES, Clash, Demands, Forbid, Pin, check
from app.methods.exchange_market import Market
from app.models import Match, Membership, Organisation, Person, Placement
from app.models.base import table
from app.models.exchange import AIMS, FIRST_COME
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import exchange_rules, match_market, stays
from app.services.events import record

MATCH = table(Match)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
PLACEMENT = table(Placement)
ORGANISATION = table(Organisation)

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
LONGEST: Final = 731
MOST_DEMANDS: Final = 500
MOST_SEED: Final = 10**9


@dataclass(frozen=True, slots=True)
class MatchView:
    """A run. `plan` is as `exchange_result.to_json` wrote it, with `reasons` by person; None until it is done.

    `demands`: `{"pins": [[person, key]], "forbids": [[person, key]]}`. `problems`: msgids with values.
    """

    id: int
    programme_id: int
    name: str
    aim: str
    seed: int
    first_day: date
    last_day: date
    demands: Mapping[str, Any]
    state: str
    step: str
    progress: int
    input_hash: str
    plan: Mapping[str, Any] | None
    figures: Mapping[str, Any] | None
    problems: Sequence[Mapping[str, Any]]
    made_by: int
    started_at: datetime | None
    ended_at: datetime | None
    published_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def span(self) -> Span:
        """Within which days stays are planned."""
        return Span(self.first_day, self.last_day)

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, in whatever way."""
        return self.state in (DONE, FAILED, CANCELLED)


@dataclass(frozen=True, slots=True)
class Names:
    """What a plan's ids are called: people (name, organisation), organisations, placements (title, language)."""

    people: Mapping[int, Any]
    organisations: Mapping[int, str]
    placements: Mapping[int, Any]


# queries


def find(connection: Connection, actor: Actor, match_id: int) -> MatchView:
    """One run, for coordinators. One statement.

    :raises NotFound: there is none, or the actor does not run matches there
    """
    view = _found(connection, match_id)
    if not may(actor, Permission.RUN_EXCHANGES, view):
        raise NotFound(UNSEEN)
    return view


UNSEEN: Final = N_("There is no such match, or it is not open to you.")


def in_programme(
    connection: Connection, actor: Actor, programme: Any, *, after: int = 0, limit: int = 50
) -> list[MatchView]:
    """The runs of a programme with ids greater than `after`, by id, without their plans. One statement."""
    require(actor, Permission.RUN_EXCHANGES, programme)
    rows = connection.execute(
        select(*(column for column in MATCH.c if column.name != "plan"))
        .where(MATCH.c.programme_id == programme.id, MATCH.c.id > after)
        .order_by(MATCH.c.id)
        .limit(limit)
    )
    return [_view(row, None) for row in rows]


def published_for(connection: Connection, actor: Actor, match_id: int) -> tuple[MatchView, Mapping[str, Any]]:
    """A published match and what is told of it to the actor alone: their explanation (reason, missed, free).

    :raises NotFound: there is none that is published, or the actor took no part in it
    """
    view = _found(connection, match_id)
    reason = (view.plan or {}).get("reasons", {}).get(str(actor.person_id))
    if view.published_at is None or actor.role_in(view.programme_id) is None or reason is None:
        raise NotFound(UNSEEN)
    return view, reason


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one programme, and for each person whom they place otherwise: id, stay in the one, in the other."""

    one: MatchView
    two: MatchView
    changed: tuple[tuple[int, Mapping[str, Any] | None, Mapping[str, Any] | None], ...]


def compare(connection: Connection, actor: Actor, match_id: int, other_id: int) -> Comparison:
    """Two plans side by side, for coordinators. Two statements.

    :raises NotFound: there is no such run, the actor does not run matches there, or they are of different programmes
    """
    one, two = find(connection, actor, match_id), find(connection, actor, other_id)
    if one.programme_id != two.programme_id:
        raise NotFound(UNSEEN)
    before, after = _stays_of(one), _stays_of(two)
    people = sorted(before.keys() | after.keys())
    changed = [
        (person, before.get(person), after.get(person))
        for person in people
        if _place(before.get(person)) != _place(after.get(person))
    ]
    return Comparison(one, two, tuple(changed))


def _stays_of(match: MatchView) -> dict[int, Mapping[str, Any]]:
    """The stays of a plan by person; none where there is no plan yet."""
    return {stay["person"]: stay for stay in (match.plan or {"stays": ()})["stays"]}


def _place(stay: Mapping[str, Any] | None) -> Any:
    return None if stay is None else (stay["offer"], stay["desk_of"], stay["span"])


def names(connection: Connection, programme_id: int, *views: Any) -> Names:
    """What the ids of plans and demands are called, of this programme alone. Three statements, whatever their size."""
    people = {person for view in views for person in _people_of(view)}
    is_of_it = exists().where(
        MEMBERSHIP.c.person_id == PERSON.c.id, MEMBERSHIP.c.programme_id == programme_id
    )
    found = connection.execute(
        select(PERSON.c.id, PERSON.c.name).where(PERSON.c.id.in_(sorted(people)), is_of_it)
    )
    organisations = connection.execute(
        select(ORGANISATION.c.id, ORGANISATION.c.name).where(ORGANISATION.c.programme_id == programme_id)
    )
    offered = connection.execute(
        select(PLACEMENT.c.id, PLACEMENT.c.title, PLACEMENT.c.language, PLACEMENT.c.organisation_id).where(
            PLACEMENT.c.programme_id == programme_id
        )
    )
    return Names(
        {row.id: row for row in found},
        {row.id: row.name for row in organisations},
        {row.id: row for row in offered},
    )


def _people_of(view: Any) -> set[int]:
    plan = view.plan or {"stays": (), "unmatched": ()}
    demanded = [*view.demands.get("pins", ()), *view.demands.get("forbids", ())]
    placed = {stay["person"] for stay in plan["stays"]}
    return placed | set(plan["unmatched"]) | {person for person, _ in demanded}


# verbs


def start(
    tx: Transaction,
    actor: Actor,
    programme: Any,
    *,
    first_day: date,
    last_day: date,
    name: str = "",
    aim: str | None = None,
    seed: int | None = None,
    pins: Sequence[tuple[int, str]] = (),
    forbids: Sequence[tuple[int, str]] = (),
) -> int:
    """Put a run in line; its id. It does what `pins` and `forbids` (person, key of an offer) demand.

    :raises NotAllowed: the actor is no coordinator
    :raises Conflict: no match is run here
    :raises Invalid: the days, the aim or the demands cannot be taken: it says which demands exclude each other
    """
    require(actor, Permission.RUN_EXCHANGES, programme)
    rules = exchange_rules.find(tx.connection, programme.id)
    if rules.way == FIRST_COME:
        raise Conflict(N_("No match is run in this programme: places go to who asks for them."))
    name, errors = text.line("name", name, most=120, least=0)
    if last_day < first_day:
        errors.append(FieldError("last_day", N_("The last day is before the first one.")))
    elif (last_day - first_day).days > LONGEST:
        errors.append(FieldError("last_day", N_("Please choose at most two years.")))
    if (aim or rules.aim) not in AIMS:
        errors.append(FieldError("aim", N_("Please choose one of the list.")))
    if seed is not None and not 1 <= seed <= MOST_SEED:
        message = N_("Please give a whole number from %(least)s to %(most)s.")
        errors.append(FieldError("seed", message, (("least", 1), ("most", MOST_SEED))))
    if len(pins) + len(forbids) > MOST_DEMANDS:
        message = N_("Please pin and forbid at most %(most)s in all.")
        errors.append(FieldError("demands", message, (("most", MOST_DEMANDS),)))
    if errors:
        raise Invalid(*errors)
    demands = {"pins": [list(each) for each in pins], "forbids": [list(each) for each in forbids]}
    _refuse_impossible(tx, programme.id, Span(first_day, last_day), demands)
    match = Match(
        programme_id=programme.id,
        name=name,
        aim=aim or rules.aim,
        seed=seed if seed is not None else secrets.randbelow(10**6) + 1,
        first_day=first_day,
        last_day=last_day,
        demands=demands,
        made_by=actor.person_id or 0,
    )
    tx.session.add(match)
    tx.session.flush()
    identity = int(match.id or 0)
    queue.enqueue(tx, "match.run", workflow_id=f"match-{identity}", match_id=identity)
    record(tx, "match.started", actor, programme_id=programme.id, subject_id=identity)
    return identity


def cancel(tx: Transaction, actor: Actor, match_id: int, *, version: int | None = None) -> None:
    """Let a run end without a plan; one that has ended already stays as it is.

    :raises NotFound: the actor does not run matches there
    :raises Moved: `version` is given and no longer the newest
    """
    match = hold(tx, actor, match_id, version=version)
    stopped = tx.execute(
        MATCH.update()
        .where(MATCH.c.id == match_id, MATCH.c.state.in_((QUEUED, RUNNING)))
        .values(state=CANCELLED, ended_at=tx.now, updated_at=tx.now, version=MATCH.c.version + 1)
        .returning(MATCH.c.id)
    ).scalar()
    if stopped is None:
        return
    record(tx, "match.cancelled", actor, programme_id=match.programme_id, subject_id=match_id)


def hold(tx: Transaction, actor: Actor, match_id: int, *, version: int | None = None) -> MatchView:
    """A run that nobody else changes until the commit, not even its job.

    :raises NotFound: the actor does not run matches there
    :raises Moved: `version` is given and no longer the newest
    """
    tx.execute(select(MATCH.c.id).where(MATCH.c.id == match_id).with_for_update())
    match = find(tx.connection, actor, match_id)
    if version is not None and version != match.version:
        raise Moved(N_("This has changed in the meantime. Please read it again."), current=match.version)
    return match


# for the job


def take_up(tx: Transaction, match_id: int) -> tuple[MatchView, Market] | None:
    """Take up a run: what it is over. None if it has ended, or there is none. The clock of the database counts."""
    taken = tx.execute(
        MATCH.update()
        .where(MATCH.c.id == match_id, MATCH.c.state.in_((QUEUED, RUNNING)))
        .values(
            state=RUNNING,
            started_at=func.coalesce(MATCH.c.started_at, tx.now),
            updated_at=tx.now,
            version=MATCH.c.version + 1,
        )
        .returning(MATCH.c.id)
    ).scalar()
    if taken is None:
        return None
    match = _found(tx.connection, match_id)
    rules = exchange_rules.find(tx.connection, match.programme_id)
    market = match_market.of(tx.connection, match.programme_id, match.span, rules.today(stays.now(tx)))
    return match, market


def goes_on(tx: Transaction, match_id: int, step: str, progress: int) -> bool:
    """Note how far a run is; whether it shall go on."""
    state = tx.execute(select(MATCH.c.state).where(MATCH.c.id == match_id)).scalar()
    if state != RUNNING:
        return False
    _write(tx, match_id, step=step, progress=progress)
    return True


def finish(tx: Transaction, match_id: int, **values: Any) -> None:
    """Keep what a run led to: a plan with its figures, or problems; unless it was cancelled meanwhile."""
    ended = tx.execute(
        MATCH.update()
        .where(MATCH.c.id == match_id, MATCH.c.state == RUNNING)
        .values(
            **values,
            progress=100,
            step="",
            ended_at=tx.now,
            updated_at=tx.now,
            version=MATCH.c.version + 1,
        )
        .returning(MATCH.c.programme_id)
    ).scalar()
    if ended is not None:
        record(tx, "match.ended", None, programme_id=ended, subject_id=match_id)


def demands_of(match: MatchView) -> Demands:
    """A run's demands as the method takes them."""
    return _demands(match.demands)


def said(clashes: Sequence[Clash], names: Names, offers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Clashes in words: msgids, and values that people understand."""
    return [
        {"message": CLASHES[clash.code], "values": _called(clash.values, names, offers)} for clash in clashes
    ]


# within


def _refuse_impossible(tx: Transaction, programme_id: int, span: Span, demands: Mapping[str, Any]) -> None:
    """Refuse demands that exclude each other, naming them.

    :raises Invalid: with one error for each set of them
    """
    if not demands["pins"] and not demands["forbids"]:
        return
    try:
        wanted = _demands(demands)
        for key in {pin.offer for pin in wanted.pins}:
            match_market.offer_of(key)
    except ValueError:
        raise Invalid(FieldError("demands", N_("Please name offers as the plan names them."))) from None
    today = exchange_rules.find(tx.connection, programme_id).today(stays.now(tx))
    market = match_market.of(tx.connection, programme_id, span, today)
    clashes = check(market, wanted)
    if not clashes:
        return
    people = {pin.person for pin in wanted.pins}
    called = names(tx.connection, programme_id, _Asked(demands, {"stays": (), "unmatched": sorted(people)}))
    raise Invalid(
        *(
            FieldError("demands", each["message"], tuple(each["values"].items()))
            for each in said(clashes, called, market.offer)
        )
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Demands that are not those of a run yet, for `names`."""

    demands: Mapping[str, Any]
    plan: Mapping[str, Any]


def _called(values: Mapping[str, Any], names: Names, offers: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a clash by what people call them."""
    called = dict(values)
    if "person" in values:
        called["person"] = names.people[values["person"]].name if values["person"] in names.people else "?"
    if "organisation" in values:
        called["organisation"] = names.organisations.get(values["organisation"], "?")
    if "offer" in values and values["offer"] in offers:
        offer = offers[values["offer"]]
        title = names.placements[offer.placement].title
        called["offer"] = f"{title} ({offer.span.first_day} / {offer.span.last_day})"
    return called


def _demands(stored: Mapping[str, Any]) -> Demands:
    return Demands(
        pins=frozenset(Pin(person, key) for person, key in stored.get("pins", ())),
        forbids=frozenset(Forbid(person, offer=key) for person, key in stored.get("forbids", ())),
    )


def _found(connection: Connection, match_id: int) -> MatchView:
    row = connection.execute(select(MATCH).where(MATCH.c.id == match_id)).first()
    if row is None:
        raise NotFound(UNSEEN)
    return _view(row, row.plan)


def _view(row: Row[Any], plan: Any) -> MatchView:
    return MatchView(**{name: getattr(row, name) for name in _SAME}, plan=plan)


_SAME: Final = tuple(name for name in MatchView.__slots__ if name != "plan")


def _write(tx: Transaction, match_id: int, **values: Any) -> None:
    tx.execute(
        MATCH.update()
        .where(MATCH.c.id == match_id)
        .values(**values, updated_at=tx.now, version=MATCH.c.version + 1)
    )
