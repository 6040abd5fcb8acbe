"""Support: the light vote for a card, given and taken back by many at once."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql import ColumnElement

from app.database import Transaction
from app.errors import DomainError, NotFound
from app.lib.i18n import N_
from app.models import Challenge, Idea, Sector, Support, Tally
from app.models.base import table
from app.models.support import ALL
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import cards, phases
from app.services.cards import Card
from app.services.challenges import require_open
from app.services.events import record
from app.services.held import require_shown
from app.services.phases import PHASE, PhaseView
from app.services.programmes import SectorRef

IDEA = table(Idea)
SUPPORT = table(Support)
TALLY = table(Tally)
CHALLENGE = table(Challenge)
SECTOR = table(Sector)


TURN_LOCKS = 0x706663 << 40
"""Where the PostgreSQL advisory locks of boards begin: to it a challenge's id is added."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One person wants to support an idea, or (`wanted` false) to take support back."""

    actor: Actor
    idea_id: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Supported:
    """The card after a wish was met, and whether its asker supports it now."""

    card: Card
    phase: PhaseView
    supported: bool


def mine(connection: Connection, actor: Actor, challenge_id: int) -> frozenset[int]:
    """The ids of the ideas on this board that the actor supports."""
    if not actor.is_known:
        return frozenset()
    rows = connection.execute(_MINE, {"challenge_id": challenge_id, "person_id": actor.person_id})
    return frozenset(row[0] for row in rows)


_MINE = select(SUPPORT.c.idea_id).where(
    SUPPORT.c.challenge_id == bindparam("challenge_id"), SUPPORT.c.person_id == bindparam("person_id")
)


def give(tx: Transaction, actor: Actor, idea_id: int) -> Supported:
    """Support an idea; asked again, nothing more happens.

    :raises NotFound: there is no such idea for this actor
    :raises NotAllowed: the role does not support ideas
    :raises Conflict: the phase does not allow it, or the idea is no longer open
    """
    return _alone(tx, Wish(actor, idea_id, wanted=True))


def withdraw(tx: Transaction, actor: Actor, idea_id: int) -> Supported:
    """Take support back; asked again, nothing more happens. It raises what `give` raises."""
    return _alone(tx, Wish(actor, idea_id, wanted=False))


def meet(tx: Transaction, wishes: Sequence[Wish]) -> list[Supported | DomainError]:
    """Meet any number of wishes in four statements; each is answered, or told why not.

    Rows are written in the order of their keys, and each tally once, so that two batches cannot lock each other out.
    """
    _take_turns(tx, wishes)
    board = _Board(tx, wishes)
    met = [board.refusal(wish) for wish in wishes]
    granted = {
        (wish.idea_id, _person(wish)): wish for wish, refused in zip(wishes, met, strict=True) if not refused
    }
    changed = _write_supports(tx, board, [granted[key] for key in sorted(granted)])
    counts = _write_tallies(tx, board, changed)
    for wish in changed:
        board.record(wish)
    shown = {idea_id: board.card(idea_id, counts) for idea_id in {idea_id for idea_id, _ in granted}}
    return [
        refused or Supported(shown[wish.idea_id], board.phases[wish.idea_id], wish.wanted)
        for wish, refused in zip(wishes, met, strict=True)
    ]


def _take_turns(tx: Transaction, wishes: Sequence[Wish]) -> None:
    """Let the processes of an installation count one board after another: who is new on it is seen only then.

    SQLite has one writer at a time anyway. The locks stand before the reading statement, which sees what the
    process before has committed; statements of one transaction on PostgreSQL see each their own present. The ideas
    are held first, as by all who change them and then take a turn: none is merged, hidden or withdrawn meanwhile.
    """
    if tx.dialect == "postgresql":
        tx.execute(_TURNS, {"turns": TURN_LOCKS, "ideas": sorted({wish.idea_id for wish in wishes})})


_TURNS = text(
    "SELECT pg_advisory_xact_lock(:turns + challenge_id) FROM (SELECT DISTINCT challenge_id FROM ("
    "SELECT challenge_id FROM idea WHERE id = ANY(:ideas) ORDER BY id FOR KEY SHARE"
    ") AS held ORDER BY challenge_id) AS board"
)


def _alone(tx: Transaction, wish: Wish) -> Supported:
    (answer,) = meet(tx, [wish])
    if isinstance(answer, DomainError):
        raise answer
    return answer


class _Board:
    """What is known of the wished-for ideas before anything is written."""

    def __init__(self, tx: Transaction, wishes: Sequence[Wish]) -> None:
        self._tx = tx
        self.ideas: dict[int, Row[Any]] = {}
        self.phases: dict[int, PhaseView] = {}
        self.people: dict[int, dict[str, int]] = {}
        self.sectors: dict[int, dict[str, tuple[int, SectorRef]]] = {}
        self.active: dict[int, dict[str, int]] = {}
        self.held: dict[tuple[int, int], int] = {}
        keys = sorted({(wish.idea_id, _person(wish)) for wish in wishes})
        enough = 1 + max(
            Counter(person_id for _, person_id in keys).values()
        )  # more than they can take back now
        given = {"wishes": json.dumps(keys), "enough": enough, "now": tx.now}
        for row in tx.execute(_loading(tx.dialect), given):
            if row.id not in self.ideas:
                self.ideas[row.id] = row
                self.phases[row.id] = phases.from_row(row)
            self.people.setdefault(row.id, {})[row.counted_key] = row.people or 0
            self.sectors.setdefault(row.id, {})[row.counted_key] = (
                row.counted_id,
                SectorRef(row.counted_key, row.counted_name),
            )
            self.active.setdefault(row.challenge_id, {})[row.counted_key] = row.active or 0
            self.held[row.challenge_id, row.wisher_id] = row.held

    def refusal(self, wish: Wish) -> DomainError | None:
        """Why this wish cannot be met, if so."""
        try:
            idea = self.ideas.get(wish.idea_id)
            if idea is None or not may(wish.actor, Permission.READ_IDEA, idea):
                raise NotFound(N_("There is no such idea, or it is not open to you."))
            require(wish.actor, Permission.SUPPORT_IDEA, idea)
            require_shown(idea)  # type: ignore[arg-type]
            require_open(_Phased(self.phases[idea.id]), "supporting")
        except DomainError as error:
            return error
        return None

    def record(self, wish: Wish) -> None:
        """Tell the log; the event names no one, since whom people support is theirs to tell."""
        idea = self.ideas[wish.idea_id]
        record(
            self._tx,
            "support.given" if wish.wanted else "support.withdrawn",
            None,
            programme_id=idea.programme_id,
            challenge_id=idea.challenge_id,
            idea_id=idea.id,
            subject_id=idea.id,
        )

    def card(self, idea_id: int, counts: Mapping[tuple[int, int, int], int]) -> Card:
        """An idea's card with its counts after the batch: the same one for all who wished for it."""
        idea = self.ideas[idea_id]
        tally = None
        if self.phases[idea_id].tallies:
            sectors = self.sectors[idea.id]
            board = idea.challenge_id
            people = {
                key: counts.get((board, idea.id, sector_id), self.people[idea.id][key])
                for key, (sector_id, _) in sectors.items()
            }
            active = {
                key: counts.get((board, ALL, sector_id), self.active[board][key])
                for key, (sector_id, _) in sectors.items()
            }
            tally = cards.tally([sector for _, sector in sectors.values()], people, active)
        return cards.card(idea, tally)


@dataclass(frozen=True, slots=True)
class _Phased:
    phase: PhaseView


@lru_cache
def _loading(dialect: str) -> Select[Any]:
    """Each wished-for idea with its phase, its tallies and its board's, and how many the wisher supports there,
    counted up to `enough`.

    Built once for each engine: with the wishes as one parameter it stays the same statement, however many they are.
    """
    wish, idea_id, person_id = _wished(dialect)
    counted_up = (
        select(SUPPORT.c.idea_id)
        .where(SUPPORT.c.challenge_id == IDEA.c.challenge_id, SUPPORT.c.person_id == person_id)
        .correlate(IDEA, wish)
        .limit(bindparam("enough"))
        .subquery()
    )
    held = select(func.count()).select_from(counted_up).scalar_subquery()
    counted, active = SECTOR.alias("counted"), TALLY.alias("active")
    return (
        cards.selection(
            person_id.label("wisher_id"),
            held.label("held"),
            counted.c.id.label("counted_id"),
            counted.c.key.label("counted_key"),
            counted.c.name.label("counted_name"),
            TALLY.c.people,
            active.c.people.label("active"),
            *phases.selected(),
        )
        .join(wish, idea_id == IDEA.c.id)
        .join(CHALLENGE, (CHALLENGE.c.id == IDEA.c.challenge_id) & CHALLENGE.c.deleted_at.is_(None))
        .outerjoin(PHASE, phases.in_force(IDEA.c.challenge_id, bindparam("now")))
        .join(counted, counted.c.programme_id == IDEA.c.programme_id)
        .outerjoin(
            TALLY,
            (TALLY.c.challenge_id == IDEA.c.challenge_id)
            & (TALLY.c.idea_id == IDEA.c.id)
            & (TALLY.c.sector_id == counted.c.id),
        )
        .outerjoin(
            active,
            (active.c.challenge_id == IDEA.c.challenge_id)
            & (active.c.idea_id == ALL)
            & (active.c.sector_id == counted.c.id),
        )
        .order_by(counted.c.position, counted.c.id)
    )


def _wished(dialect: str) -> tuple[Any, ColumnElement[int], ColumnElement[int]]:
    """The parameter `wishes`, a JSON list of pairs, as a table: it, and its columns with the ids of idea and person."""
    if dialect == "postgresql":
        wish: Any = func.json_array_elements(
            cast(bindparam("wishes", type_=Text), postgresql.JSON)
        ).table_valued(column("value", postgresql.JSON), name="wish")
        return wish, cast(wish.c.value[0].astext, BigInteger), cast(wish.c.value[1].astext, BigInteger)
    wish = func.json_each(bindparam("wishes", type_=Text)).table_valued(column("value", Text), name="wish")
    return wish, _item(wish, 0), _item(wish, 1)


def _item(wish: Any, place: int) -> ColumnElement[int]:
    return func.json_extract(wish.c.value, f"$[{place}]", type_=Integer)


def _write_supports(tx: Transaction, board: _Board, wishes: Sequence[Wish]) -> list[Wish]:
    """Write the supports; the wishes that changed something."""
    wanted = {(wish.idea_id, _person(wish)): wish for wish in wishes if wish.wanted}
    unwanted = {(wish.idea_id, _person(wish)): wish for wish in wishes if not wish.wanted}
    changed: list[Wish] = []
    if wanted:
        rows = [_row(tx, board, wish) for wish in wanted.values()]
        given: Any = tx.execute(_giving(tx.dialect), rows)
        changed += [wanted[idea_id, person_id] for idea_id, person_id in given]
    if unwanted:
        gone: Any = tx.execute(_withdrawing(tx.dialect), {"wishes": json.dumps(list(unwanted))})
        changed += [unwanted[idea_id, person_id] for idea_id, person_id in gone]
    return changed


def _write_tallies(
    tx: Transaction, board: _Board, changed: Sequence[Wish]
) -> dict[tuple[int, int, int], int]:
    """Add what changed to the cube; the new counts by challenge, idea and sector."""
    steps: Counter[tuple[int, int, int, int]] = Counter()
    change_of: Counter[tuple[int, int]] = Counter()
    sector_of: dict[tuple[int, int], tuple[int, int]] = {}
    for wish in changed:
        idea = board.ideas[wish.idea_id]
        sector_id = wish.actor.memberships[idea.programme_id].sector_id
        step = 1 if wish.wanted else -1
        for sector in (sector_id, ALL):
            steps[idea.challenge_id, idea.id, sector, idea.programme_id] += step
        change_of[idea.challenge_id, _person(wish)] += step
        sector_of[idea.challenge_id, _person(wish)] = (sector_id, idea.programme_id)
    for (challenge_id, person_id), change in change_of.items():
        before = board.held[challenge_id, person_id]
        active = (before + change > 0) - (before > 0)
        sector_id, programme_id = sector_of[challenge_id, person_id]
        for sector in (sector_id, ALL):
            steps[challenge_id, ALL, sector, programme_id] += active
    return add(tx, steps)


def add(tx: Transaction, steps: Mapping[tuple[int, int, int, int], int]) -> dict[tuple[int, int, int], int]:
    """Add steps, keyed by challenge, idea, sector and programme, to the tallies; the new counts by the first three."""
    rows = [
        {
            "challenge_id": challenge,
            "idea_id": idea,
            "sector_id": sector,
            "programme_id": programme,
            "people": step,
        }
        for (challenge, idea, sector, programme), step in sorted(steps.items())
        if step
    ]
    if not rows:
        return {}
    counted: Any = tx.execute(_counting(tx.dialect), rows)
    return {(challenge, idea, sector): people for challenge, idea, sector, people in counted}


def count_for(tx: Transaction, person_id: int, programme_id: int, sector_id: int) -> None:
    """Let what a person supports in a programme count for `sector_id`, which is theirs from now on."""
    moved = (
        (SUPPORT.c.person_id == person_id)
        & (SUPPORT.c.programme_id == programme_id)
        & (SUPPORT.c.sector_id != sector_id)
    )
    boards = tx.execute(select(SUPPORT.c.challenge_id).where(moved).distinct()).scalars().all()
    if not boards:
        return
    take_turns_on(tx, boards)
    before = counted_of(tx.connection, person_id)
    tx.execute(SUPPORT.update().where(moved).values(sector_id=sector_id))
    after = counted_of(tx.connection, person_id)
    after.subtract(before)
    add(tx, after)


def counted_of(connection: Connection, *person_ids: int) -> "Counter[tuple[int, int, int, int]]":
    """What the supports of these people add to the tallies, by challenge, idea, sector and programme."""
    found: Counter[tuple[int, int, int, int]] = Counter()
    active = set()
    for row in connection.execute(select(SUPPORT).where(SUPPORT.c.person_id.in_(person_ids))):
        for sector_id in (row.sector_id, ALL):
            found[row.challenge_id, row.idea_id, sector_id, row.programme_id] += 1
            active.add((row.person_id, row.challenge_id, sector_id, row.programme_id))
    for _, challenge_id, sector_id, programme_id in active:
        found[challenge_id, ALL, sector_id, programme_id] += 1
    return found


def take_turns_on(tx: Transaction, challenge_ids: Sequence[int]) -> None:
    """Let processes count these boards one after another, until the commit."""
    if tx.dialect == "postgresql":
        for challenge_id in sorted(set(challenge_ids)):
            tx.execute(_TURN, {"turn": TURN_LOCKS + challenge_id})


_TURN = text("SELECT pg_advisory_xact_lock(:turn)")


def _row(tx: Transaction, board: _Board, wish: Wish) -> dict[str, Any]:
    idea = board.ideas[wish.idea_id]
    return {
        "idea_id": idea.id,
        "person_id": _person(wish),
        "programme_id": idea.programme_id,
        "challenge_id": idea.challenge_id,
        "sector_id": wish.actor.memberships[idea.programme_id].sector_id,
        "via_id": None,
        "created_at": tx.now,
    }


@lru_cache
def _giving(dialect: str) -> Any:
    """Write supports; the keys of those that were not there."""
    return (
        _insert(dialect)(SUPPORT).on_conflict_do_nothing().returning(SUPPORT.c.idea_id, SUPPORT.c.person_id)
    )


@lru_cache
def _withdrawing(dialect: str) -> Any:
    """Delete the supports of `wishes`; the keys of those that were there.

    Against a list of pairs SQLite would look at every support there is; against a table it finds each by its key.
    """
    wish, idea_id, person_id = _wished(dialect)
    return (
        delete(SUPPORT)
        .where(
            tuple_(SUPPORT.c.idea_id, SUPPORT.c.person_id).in_(select(idea_id, person_id).select_from(wish))
        )
        .returning(SUPPORT.c.idea_id, SUPPORT.c.person_id)
    )


@lru_cache
def _counting(dialect: str) -> Any:
    """Add steps to tallies; their keys and what they count now."""
    adding = _insert(dialect)(TALLY)
    return adding.on_conflict_do_update(
        index_elements=["challenge_id", "idea_id", "sector_id"],
        set_={"people": TALLY.c.people + adding.excluded.people},
    ).returning(TALLY.c.challenge_id, TALLY.c.idea_id, TALLY.c.sector_id, TALLY.c.people)


def _insert(dialect: str) -> Any:
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


def _person(wish: Wish) -> int:
    return wish.actor.person_id or 0
