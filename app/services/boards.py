"""Boards: a challenge's ideas, sorted, filtered and found, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Select, and_, bindparam, func, literal, null, or_, select, true, tuple_, union_all
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.models import Cluster, CoAuthor, Hiding, Idea, Pin, Sector, Tally
from app.models.base import table
from app.models.idea import HIDDEN, OPEN, WITHDRAWN
from app.models.support import ALL
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import ballots, cards, challenges, orders, programmes, search, support
from app.services.ballots import BallotView
from app.services.cards import Card
from app.services.challenges import ChallengeView
from app.services.orders import Place
from app.services.programmes import Participants

IDEA = table(Idea)
CLUSTER = table(Cluster)
CO_AUTHOR = table(CoAuthor)
TALLY = table(Tally)
SECTOR = table(Sector)
PIN = table(Pin)
HIDING = table(Hiding)

PAGE = 50
"""Ideas on one page of a board."""

Sort = Literal["new", "supported", "bridging", "created_at", "-created_at", "updated_at", "-updated_at"]
SORTS: tuple[Sort, ...] = ("new", "supported", "bridging")
"""Those of a board's page; programs may also sort by instants."""

_BY_TALLY: tuple[Sort, ...] = ("supported", "bridging")

State = Literal["open", "merged", "hidden", "withdrawn"]

_MILLIONTHS = 1_000_000
"""Bridging is compared in whole millionths, so that both engines and every page sort alike."""

NO_CLUSTER = 0
"""In a query: the cards that are in no cluster."""

After = Place
"""Where a page begins: the sort key of the last idea of the page before, its id last."""


@dataclass(frozen=True, slots=True)
class Query:
    """What of a board is asked for. `after` continues a page; `cluster_id` 0 means the cards in no cluster.

    `is_mine`: those that the actor wrote, alone or with others. `hidden`: those that moderators have to look at.
    """

    sort: Sort = "new"
    cluster_id: int | None = None
    sector: str | None = None
    words: str = ""
    after: After | None = None
    limit: int = PAGE
    hidden: bool = False
    language: str | None = None
    state: State = "open"
    is_mine: bool = False

    @property
    def is_the_same_for_all(self) -> bool:
        """Whether everyone who may see the board gets the same."""
        return self.state == OPEN and not self.is_mine and not self.hidden

    @property
    def is_narrowed(self) -> bool:
        """Whether some ideas are left out by choice."""
        return self.cluster_id is not None or bool(self.sector) or bool(self.words) or self.hidden


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A column of the board."""

    id: int
    title: str
    language: str
    position: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some ideas in order, and where the next page begins, if there is one."""

    cards: tuple[Card, ...]
    next: After | None


@dataclass(frozen=True, slots=True)
class Board:
    """One page of a board as its viewer sees it; `event_id` is the board's version."""

    challenge: ChallengeView
    clusters: tuple[ClusterView, ...]
    cards: tuple[Card, ...]
    mine: frozenset[int]
    next: After | None
    query: Query
    event_id: int
    participation: tuple[Participants, ...] = field(default_factory=tuple)
    ballots: tuple[BallotView, ...] = ()


def on(connection: Connection, actor: Actor, challenge_id: int, query: Query) -> Board:
    """One page of a challenge's board, in seven statements whatever its size.

    The version is read first: what comes after it arrives once more as a live update, never not at all.

    :raises NotFound: there is no such challenge for this actor
    """
    beside = ballots.on_board(connection, actor, challenge_id)
    challenge = challenges.find(connection, actor, challenge_id)
    page = ideas(connection, actor, challenge, query, pins_first=True)
    return Board(
        challenge=challenge,
        clusters=clusters(connection, challenge_id),
        cards=page.cards,
        mine=support.mine(connection, actor, challenge_id),
        next=page.next,
        query=query,
        event_id=beside.event_id,
        participation=programmes.participation(connection, challenge.programme_id),
        ballots=beside.ballots,
    )


def ideas(
    connection: Connection, actor: Actor, challenge: ChallengeView, query: Query, *, pins_first: bool = False
) -> Page:
    """One page of the ideas that the query asks for, in two statements.

    While tallies are hidden, every order but the newest would tell them, so the newest it is.
    """
    if query.hidden and not may(actor, Permission.MODERATE, challenge):
        return Page((), None)
    sort = effective(query.sort, challenge)
    has_pins = pins_first and not query.is_narrowed
    words = search.phrase(connection.dialect.name, query.words)
    shape = _Shape(
        sort=sort,
        dialect=connection.dialect.name,
        follows=query.after is not None,
        in_cluster=query.cluster_id is not None and query.cluster_id != NO_CLUSTER,
        in_none=query.cluster_id == NO_CLUSTER,
        of_sector=bool(query.sector),
        with_words=bool(words),
        of_language=query.language is not None,
        of_actor=query.is_mine or _sees_own_alone(actor, challenge, query.state),
        pins="left out" if has_pins and query.after else "first" if has_pins else "in order",
    )
    key, id = (query.after[0], query.after[-1]) if query.after else (0, 0)
    if query.after and sort.removeprefix("-") in _INSTANTS:
        key = orders.read(key, IDEA.c.created_at)
    rows = connection.execute(
        _statement(shape),
        {
            "challenge": challenge.id,
            "programme": challenge.programme_id,
            "state": HIDDEN if query.hidden else query.state,
            "after_key": key,
            "after_id": id,
            "cluster": query.cluster_id,
            "sector": query.sector,
            "search": words,
            "language": query.language,
            "actor": actor.person_id,
            "limit": query.limit + 1,
        },
    ).all()
    return _cut(connection, rows, sort, query.limit, tallies=challenge.phase.tallies)


def effective(sort: Sort, challenge: ChallengeView) -> Sort:
    """The order that a board is really in: while tallies are hidden, none that would tell them."""
    return sort if challenge.phase.tallies or sort not in _BY_TALLY else "new"


def _sees_own_alone(actor: Actor, challenge: ChallengeView, state: str) -> bool:
    """Whether what is in that state shows to its authors alone: the policy, of many at once."""
    return state in (HIDDEN, WITHDRAWN) and not may(actor, Permission.MODERATE, challenge)


def clusters(connection: Connection, challenge_id: int) -> tuple[ClusterView, ...]:
    """The board's columns in their order."""
    return tuple(ClusterView(*row) for row in connection.execute(_CLUSTERS, {"challenge": challenge_id}))


_CLUSTERS = (
    select(CLUSTER.c.id, CLUSTER.c.title, CLUSTER.c.language, CLUSTER.c.position)
    .where(CLUSTER.c.challenge_id == bindparam("challenge"))
    .order_by(CLUSTER.c.position, CLUSTER.c.id)
)


def _cut(connection: Connection, rows: Sequence[Any], sort: Sort, limit: int, *, tallies: bool) -> Page:
    """Rows in their order, pinned ones (without a sort key) first, and where the next page begins."""
    pinned = sorted((row for row in rows if row.order_key is None), key=lambda row: -row.id)
    paged = sorted(
        (row for row in rows if row.order_key is not None),
        key=lambda row: (row.order_key, row.id),
        reverse=_is_descending(sort),
    )
    following: After | None = None
    if len(paged) > limit:
        paged = paged[:limit]
        following = (paged[-1].id,) if sort == "new" else (orders.written(paged[-1].order_key), paged[-1].id)
    return Page(tuple(cards.from_rows(connection, pinned + paged, tallies=tallies)), following)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a page's statement looks like, whatever its values: building one costs as much as running it."""

    sort: Sort
    dialect: str
    follows: bool
    in_cluster: bool
    in_none: bool
    of_sector: bool
    with_words: bool
    of_language: bool
    of_actor: bool
    pins: Literal["first", "left out", "in order"]


@lru_cache
def _statement(shape: _Shape) -> Select[Any]:
    """The cards of one page with their sort keys; those of pinned ideas are empty."""
    page = _page(shape)
    if shape.pins != "in order":
        page = page.where(
            ~select(PIN.c.idea_id).where(PIN.c.idea_id == page.selected_columns.page_id).exists()
        )
    keys = page.limit(bindparam("limit")).subquery("page")
    if shape.pins != "first":
        return cards.selection(keys.c.order_key).join(keys, keys.c.page_id == IDEA.c.id)
    pinned = select(PIN.c.idea_id).where(PIN.c.challenge_id == bindparam("challenge"))
    shown = union_all(
        select(keys.c.page_id, keys.c.order_key),
        select(IDEA.c.id, null()).where(IDEA.c.id.in_(pinned), IDEA.c.state == OPEN),
    ).subquery("shown")
    return cards.selection(shown.c.order_key).join(shown, shown.c.page_id == IDEA.c.id)


def _page(shape: _Shape) -> Select[Any]:
    """The ids and sort keys of the page's ideas, from an index where the order has one."""
    conditions = _conditions(shape)
    if shape.sort.removeprefix("-") in _INSTANTS:
        statement = _by_instant(shape.sort.removeprefix("-"), conditions)
    else:
        statement = {"new": _newest, "supported": _most_supported, "bridging": _bridging}[shape.sort](
            conditions
        )
    key, id = statement.selected_columns.order_key, statement.selected_columns.page_id
    if shape.follows and shape.sort == "new":
        statement = statement.where(id < bindparam("after_id"))
    elif shape.follows:
        here, there = tuple_(key, id), tuple_(bindparam("after_key", type_=key.type), bindparam("after_id"))
        statement = statement.where(here < there if _is_descending(shape.sort) else here > there)
    if _is_descending(shape.sort):
        return statement.order_by(key.desc(), id.desc())
    return statement.order_by(key, id)


def _is_descending(sort: Sort) -> bool:
    """The board's own orders begin with the best."""
    return sort in SORTS or sort.startswith("-")


_INSTANTS = {"created_at": IDEA.c.created_at, "updated_at": IDEA.c.updated_at}


def _by_instant(name: str, conditions: Sequence[Any]) -> Select[Any]:
    return select(IDEA.c.id.label("page_id"), _INSTANTS[name].label("order_key")).where(*conditions)


def _newest(conditions: Sequence[Any]) -> Select[Any]:
    return select(IDEA.c.id.label("page_id"), IDEA.c.id.label("order_key")).where(*conditions)


def _most_supported(conditions: Sequence[Any]) -> Select[Any]:
    return (
        select(TALLY.c.idea_id.label("page_id"), TALLY.c.people.label("order_key"))
        .join(IDEA, IDEA.c.id == TALLY.c.idea_id)
        .where(
            TALLY.c.challenge_id == bindparam("challenge"),
            TALLY.c.sector_id == ALL,
            TALLY.c.idea_id != ALL,
            *conditions,
        )
    )


def _bridging(conditions: Sequence[Any]) -> Select[Any]:
    """Ideas by the least sector's (supporters + 1) / (active + 2), in millionths; every idea is looked at."""
    active = TALLY.alias("active")
    share = (func.coalesce(TALLY.c.people, 0) + 1) * _MILLIONTHS // (func.coalesce(active.c.people, 0) + 2)
    scores = (
        select(IDEA.c.id.label("page_id"), func.min(share).label("order_key"))
        .select_from(IDEA)
        .join(SECTOR, SECTOR.c.programme_id == IDEA.c.programme_id)
        .outerjoin(TALLY, _counts(TALLY, IDEA.c.id))
        .outerjoin(active, _counts(active, literal(ALL)))
        .where(*conditions)
        .group_by(IDEA.c.id)
        .subquery("scores")
    )
    return select(scores.c.page_id, scores.c.order_key)


def _counts(of: Any, idea_id: Any) -> ColumnElement[bool]:
    return and_(
        of.c.challenge_id == bindparam("challenge"), of.c.idea_id == idea_id, of.c.sector_id == SECTOR.c.id
    )


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        IDEA.c.challenge_id == bindparam("challenge"),
        IDEA.c.state == bindparam("state"),
    ]
    if shape.in_none:
        conditions.append(IDEA.c.cluster_id.is_(None))
    if shape.in_cluster:
        conditions.append(IDEA.c.cluster_id == bindparam("cluster"))
    if shape.of_sector:
        of_sector = select(SECTOR.c.id).where(
            SECTOR.c.programme_id == bindparam("programme"), SECTOR.c.key == bindparam("sector")
        )
        conditions.append(IDEA.c.sector_id.in_(of_sector))
    if shape.of_language:
        conditions.append(IDEA.c.language == bindparam("language"))
    if shape.of_actor:
        writes_along = select(CO_AUTHOR.c.idea_id).where(CO_AUTHOR.c.person_id == bindparam("actor"))
        conditions.append(or_(IDEA.c.author_id == bindparam("actor"), IDEA.c.id.in_(writes_along)))
    if shape.with_words:
        conditions.append(search.matching(shape.dialect))
    return conditions


def hidden(
    connection: Connection, challenge: ChallengeView, *, before: int = 0, limit: int = 200
) -> Sequence[Any]:
    """Hidden ideas for those who moderate: id, title, language, reason, hidden_at, answer, answered_at; newest first.

    `before`: only hidings with a lower `hiding_id`. The caller has asked the policy.
    """
    return connection.execute(
        select(
            IDEA.c.id,
            HIDING.c.idea_id,
            HIDING.c.id.label("hiding_id"),
            IDEA.c.title,
            IDEA.c.language,
            HIDING.c.reason,
            HIDING.c.hidden_at,
            HIDING.c.answer,
            HIDING.c.answered_at,
        )
        .join(HIDING, and_(HIDING.c.idea_id == IDEA.c.id, HIDING.c.lifted_at.is_(None)))
        .where(IDEA.c.challenge_id == challenge.id, IDEA.c.state == HIDDEN)
        .where(HIDING.c.id < before if before else true())
        .order_by(HIDING.c.id.desc())
        .limit(limit)
    ).all()
