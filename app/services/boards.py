"""Boards: a challenge's ideas, sorted, filtered and found, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.models import Cluster, Hiding, Idea, Pin, Sector, Tally
from app.models.base import table
from app.models.idea import HIDDEN, OPEN
from app.models.support import ALL
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import cards, challenges, events, programmes, search, support
from app.services.cards import Card
from app.services.challenges import ChallengeView
from app.services.programmes import Participants

IDEA = table(Idea)
CLUSTER = table(Cluster)
TALLY = table(Tally)
SECTOR = table(Sector)
PIN = table(Pin)
HIDING = table(Hiding)

PAGE = 50
"""Ideas on one page of a board."""

Sort = Literal["new", "supported", "bridging"]
SORTS: tuple[Sort, ...] = ("new", "supported", "bridging")

_MILLIONTHS = 1_000_000
"""Bridging is compared in whole millionths, so that both engines and every page sort alike."""

After = tuple[int, ...]
"""Where a page begins: the sort key of the last idea of the page before, its id last."""


@dataclass(frozen=True, slots=True)
class Query:
    """What of a board is asked for. `after` continues a page; `cluster_id` 0 means the cards in no cluster."""

    sort: Sort = "new"
    cluster_id: int | None = None
    sector: str | None = None
    words: str = ""
    after: After | None = None
    limit: int = PAGE
    hidden: bool = False

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


def on(connection: Connection, actor: Actor, challenge_id: int, query: Query) -> Board:
    """One page of a challenge's board, in seven statements whatever its size.

    The version is read first: what comes after it arrives once more as a live update, never not at all.

    :raises NotFound: there is no such challenge for this actor
    """
    event_id = events.latest_on(connection, challenge_id)
    challenge = challenges.find(connection, actor, challenge_id)
    page = ideas(connection, actor, challenge, query, pins_first=True)
    return Board(
        challenge=challenge,
        clusters=clusters(connection, challenge_id),
        cards=page.cards,
        mine=support.mine(connection, actor, challenge_id),
        next=page.next,
        query=query,
        event_id=event_id,
        participation=programmes.participation(connection, challenge.programme_id),
    )


def ideas(
    connection: Connection, actor: Actor, challenge: ChallengeView, query: Query, *, pins_first: bool = False
) -> Page:
    """One page of the ideas that the query asks for, in two statements.

    While tallies are hidden, every order but the newest would tell them, so the newest it is.
    """
    sort: Sort = query.sort if challenge.phase.tallies else "new"
    page = _page(challenge, query, sort, connection.dialect.name)
    if query.hidden and not may(actor, Permission.MODERATE, challenge):
        return Page((), None)
    if pins_first and not query.is_narrowed:
        page = page.where(~select(PIN.c.idea_id).where(PIN.c.idea_id == IDEA.c.id).exists())
    keys = page.limit(query.limit + 1).subquery("page")
    statement = cards.selection(keys.c.order_key).join(keys, keys.c.page_id == IDEA.c.id)
    if pins_first and not query.is_narrowed and query.after is None:
        statement = _with_pins(challenge, keys)
    rows = connection.execute(statement).all()
    pinned = [row for row in rows if row.order_key is None]
    paged = sorted(
        (row for row in rows if row.order_key is not None), key=lambda row: (-row.order_key, -row.id)
    )
    following: After | None = None
    if len(paged) > query.limit:
        paged = paged[: query.limit]
        last = paged[-1]
        following = (last.id,) if sort == "new" else (last.order_key, last.id)
    shown = sorted(pinned, key=lambda row: -row.id) + paged
    return Page(tuple(cards.from_rows(connection, shown, tallies=challenge.phase.tallies)), following)


def clusters(connection: Connection, challenge_id: int) -> tuple[ClusterView, ...]:
    """The board's columns in their order."""
    rows = connection.execute(
        select(CLUSTER.c.id, CLUSTER.c.title, CLUSTER.c.language, CLUSTER.c.position)
        .where(CLUSTER.c.challenge_id == challenge_id)
        .order_by(CLUSTER.c.position, CLUSTER.c.id)
    )
    return tuple(ClusterView(*row) for row in rows)


def _with_pins(challenge: ChallengeView, keys: Any) -> Select[Any]:
    """The same page and, without a sort key, the pinned ideas."""
    return (
        cards.selection(keys.c.order_key)
        .outerjoin(keys, keys.c.page_id == IDEA.c.id)
        .where(
            or_(
                keys.c.page_id.is_not(None),
                and_(
                    IDEA.c.id.in_(select(PIN.c.idea_id).where(PIN.c.challenge_id == challenge.id)),
                    IDEA.c.state == OPEN,
                ),
            )
        )
    )


def _page(challenge: ChallengeView, query: Query, sort: Sort, dialect: str) -> Select[Any]:
    """The ids and sort keys of the page's ideas, from an index where the order has one."""
    conditions = _conditions(challenge, query, dialect)
    if sort == "new":
        statement = select(IDEA.c.id.label("page_id"), IDEA.c.id.label("order_key")).where(
            IDEA.c.challenge_id == challenge.id, *conditions
        )
        if query.after:
            statement = statement.where(IDEA.c.id < query.after[-1])
        return statement.order_by(IDEA.c.id.desc())
    if sort == "supported":
        statement = (
            select(TALLY.c.idea_id.label("page_id"), TALLY.c.people.label("order_key"))
            .join(IDEA, IDEA.c.id == TALLY.c.idea_id)
            .where(
                TALLY.c.challenge_id == challenge.id,
                TALLY.c.sector_id == ALL,
                TALLY.c.idea_id != ALL,
                *conditions,
            )
        )
        if query.after:
            statement = statement.where(
                tuple_(TALLY.c.people, TALLY.c.idea_id) < tuple_(*map(literal, query.after))
            )
        return statement.order_by(TALLY.c.people.desc(), TALLY.c.idea_id.desc())
    return _bridging_page(challenge, query, conditions)


def _bridging_page(challenge: ChallengeView, query: Query, conditions: Sequence[Any]) -> Select[Any]:
    """Ideas by the least sector's (supporters + 1) / (active + 2), in millionths."""
    active = TALLY.alias("active")
    supporters = func.coalesce(TALLY.c.people, 0)
    share = (supporters + 1) * _MILLIONTHS // (func.coalesce(active.c.people, 0) + 2)
    scores = (
        select(IDEA.c.id.label("page_id"), func.min(share).label("order_key"))
        .select_from(IDEA)
        .join(SECTOR, SECTOR.c.programme_id == IDEA.c.programme_id)
        .outerjoin(
            TALLY,
            (TALLY.c.challenge_id == challenge.id)
            & (TALLY.c.idea_id == IDEA.c.id)
            & (TALLY.c.sector_id == SECTOR.c.id),
        )
        .outerjoin(
            active,
            (active.c.challenge_id == challenge.id)
            & (active.c.idea_id == ALL)
            & (active.c.sector_id == SECTOR.c.id),
        )
        .where(IDEA.c.challenge_id == challenge.id, *conditions)
        .group_by(IDEA.c.id)
        .subquery("scores")
    )
    statement = select(scores.c.page_id, scores.c.order_key)
    if query.after:
        statement = statement.where(
            tuple_(scores.c.order_key, scores.c.page_id) < tuple_(*map(literal, query.after))
        )
    return statement.order_by(scores.c.order_key.desc(), scores.c.page_id.desc())


def _conditions(challenge: ChallengeView, query: Query, dialect: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [IDEA.c.state == (HIDDEN if query.hidden else OPEN)]
    if query.cluster_id is not None:
        conditions.append(
            IDEA.c.cluster_id.is_(None) if query.cluster_id == 0 else IDEA.c.cluster_id == query.cluster_id
        )
    if query.sector:
        of_sector = select(SECTOR.c.id).where(
            SECTOR.c.programme_id == challenge.programme_id, SECTOR.c.key == query.sector
        )
        conditions.append(IDEA.c.sector_id.in_(of_sector))
    found = search.matching(dialect, query.words) if query.words else None
    if found is not None:
        conditions.append(found)
    return conditions


def hidden(connection: Connection, challenge: ChallengeView) -> Sequence[Any]:
    """Hidden ideas for those who moderate: id, title, language, reason, hidden_at, answer, answered_at; newest first.

    The caller has asked the policy.
    """
    return connection.execute(
        select(
            IDEA.c.id,
            IDEA.c.title,
            IDEA.c.language,
            HIDING.c.reason,
            HIDING.c.hidden_at,
            HIDING.c.answer,
            HIDING.c.answered_at,
        )
        .join(HIDING, and_(HIDING.c.idea_id == IDEA.c.id, HIDING.c.lifted_at.is_(None)))
        .where(IDEA.c.challenge_id == challenge.id, IDEA.c.state == HIDDEN)
        .order_by(HIDING.c.id.desc())
        .limit(200)
    ).all()
