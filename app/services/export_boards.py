"""Challenges, ideas and comments as rows: those, and of them that, which the reader's pages show."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.engine import Connection

from app.models import Challenge, CoAuthor, Comment, Idea, Organisation, Person, Phase, Pin, Sector, Tally
from app.models.base import table
from app.models.idea import OPEN
from app.models.support import ALL
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import challenges, orders, phases
from app.services.export_pages import Page, Row, Subject, Wanted, next_ids, page, said

CHALLENGE = table(Challenge)
CO_AUTHOR = table(CoAuthor)
COMMENT = table(Comment)
IDEA = table(Idea)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PHASE = table(Phase)
PIN = table(Pin)
SECTOR = table(Sector)
TALLY = table(Tally)

CHALLENGES: Final = (
    "id",
    "url",
    "title",
    "summary",
    "brief",
    "language",
    "sponsor",
    "phase",
    "ideas",
    "created_at",
    "updated_at",
)
IDEAS: Final = (
    "id",
    "url",
    "challenge",
    "title",
    "body",
    "language",
    "author",
    "organisation",
    "sector",
    "anonymous",
    "cluster",
    "state",
    "pinned",
    "comments",
    "created_at",
    "updated_at",
    "supporters",
)
"""Beside these, `supporters_` and the key of each sector."""

COMMENTS: Final = (
    "id",
    "url",
    "idea",
    "challenge",
    "body",
    "language",
    "author",
    "organisation",
    "sector",
    "state",
    "created_at",
    "updated_at",
)

_BRIEFS_AT_ONCE: Final = 100
"""A challenge carries a long text, twice."""


def challenge_rows(connection: Connection, actor: Actor, wanted: Wanted, after: int) -> Page:
    """A page of challenges, each with how many ideas stand on its board. Two statements."""
    if wanted.challenge_id is not None:
        found = [challenges.find(connection, actor, wanted.challenge_id)]
    else:
        found = challenges.in_programme(
            connection, actor, wanted.programme, order=orders.since(after), limit=_BRIEFS_AT_ONCE
        )
    ids = [view.id for view in found]
    numbers = connection.execute(
        select(IDEA.c.challenge_id, func.count())
        .where(IDEA.c.challenge_id.in_(ids), IDEA.c.state == OPEN)
        .group_by(IDEA.c.challenge_id)
    )
    counted: dict[int, int] = {id: number for id, number in numbers}  # noqa: C416 -- rows are no pairs to mypy
    rows: Iterator[Row] = (
        (
            view.id,
            f"{wanted.base_url}/challenges/{view.id}",
            view.title,
            view.summary,
            view.brief,
            view.language,
            view.sponsor,
            view.phase.kind,
            counted.get(view.id, 0),
            said(view.created_at),
            said(view.updated_at),
        )
        for view in found
    )
    return page(rows, ids, _BRIEFS_AT_ONCE)


def idea_rows(connection: Connection, actor: Actor, wanted: Wanted, after: int) -> Page:
    """A page of ideas. An anonymous author is nobody; supporters are nobody's number while tallies are hidden.

    Five statements, however many rows.
    """
    ids = next_ids(connection, IDEA, wanted, after)
    own = _co_authored(connection, actor, ids)
    found = [
        row
        for row in connection.execute(
            _IDEAS.where(IDEA.c.id.in_(ids), CHALLENGE.c.deleted_at.is_(None)).order_by(IDEA.c.id)
        )
        if may(actor, Permission.READ_IDEA, _subject(row, own))
    ]
    told = _told(connection, {row.challenge_id for row in found})
    people = _supporters(connection, [row.id for row in found if row.challenge_id in told])
    return page(_idea_rows(found, people, wanted), ids)


def _idea_rows(found: Sequence[Any], people: dict[int, dict[int, int]], wanted: Wanted) -> Iterator[Row]:
    for row in found:
        counts = people.get(row.id)
        yield (
            row.id,
            f"{wanted.base_url}/ideas/{row.id}",
            row.challenge_id,
            row.title,
            row.body,
            row.language,
            None if row.anonymous else row.author,
            None if row.anonymous else row.organisation,
            row.sector,
            row.anonymous,
            row.cluster_id,
            row.state,
            row.pin is not None,
            row.comments,
            said(row.created_at),
            said(row.updated_at),
            None if counts is None else sum(counts.get(id, 0) for id, _ in wanted.sectors),
            *(None if counts is None else counts.get(id, 0) for id, _ in wanted.sectors),
        )


def comment_rows(connection: Connection, actor: Actor, wanted: Wanted, after: int) -> Page:
    """A page of comments on ideas that the reader sees; of one hidden or taken back only that it was there.

    Three statements, however many rows.
    """
    ids = next_ids(connection, COMMENT, wanted, after)
    found = connection.execute(
        _COMMENTS.where(COMMENT.c.id.in_(ids), CHALLENGE.c.deleted_at.is_(None)).order_by(COMMENT.c.id)
    ).all()
    own = _co_authored(connection, actor, sorted({row.idea_id for row in found}))
    rows = (
        _comment_row(row, wanted) for row in found if may(actor, Permission.READ_IDEA, _subject(row, own))
    )
    return page(rows, ids)


def _comment_row(row: Any, wanted: Wanted) -> Row:
    state = "withdrawn" if row.withdrawn_at else "hidden" if row.hidden_at else "open"
    shown = state == "open"
    return (
        row.comment_id,
        f"{wanted.base_url}/ideas/{row.idea_id}#comment-{row.comment_id}",
        row.idea_id,
        row.challenge_id,
        row.body if shown else "",
        row.language,
        row.author if shown else None,
        row.organisation if shown else None,
        row.sector,
        state,
        said(row.created_at),
        said(row.updated_at),
    )


_IDEAS = (
    select(
        IDEA.c.id,
        IDEA.c.id.label("idea_id"),
        IDEA.c.programme_id,
        IDEA.c.challenge_id,
        IDEA.c.title,
        IDEA.c.body,
        IDEA.c.language,
        IDEA.c.author_id,
        IDEA.c.anonymous,
        IDEA.c.cluster_id,
        IDEA.c.state,
        IDEA.c.comments,
        IDEA.c.created_at,
        IDEA.c.updated_at,
        PERSON.c.name.label("author"),
        ORGANISATION.c.name.label("organisation"),
        SECTOR.c.key.label("sector"),
        PIN.c.idea_id.label("pin"),
    )
    .select_from(IDEA)
    .join(CHALLENGE, CHALLENGE.c.id == IDEA.c.challenge_id)
    .join(PERSON, PERSON.c.id == IDEA.c.author_id)
    .join(ORGANISATION, ORGANISATION.c.id == IDEA.c.organisation_id)
    .join(SECTOR, SECTOR.c.id == IDEA.c.sector_id)
    .outerjoin(PIN, PIN.c.idea_id == IDEA.c.id)
)

_COMMENTS = (
    select(
        COMMENT.c.id.label("comment_id"),
        COMMENT.c.programme_id,
        COMMENT.c.challenge_id,
        COMMENT.c.idea_id,
        COMMENT.c.body,
        COMMENT.c.language,
        COMMENT.c.withdrawn_at,
        COMMENT.c.hidden_at,
        COMMENT.c.created_at,
        COMMENT.c.updated_at,
        IDEA.c.state,
        IDEA.c.author_id,
        PERSON.c.name.label("author"),
        ORGANISATION.c.name.label("organisation"),
        SECTOR.c.key.label("sector"),
    )
    .select_from(COMMENT)
    .join(IDEA, IDEA.c.id == COMMENT.c.idea_id)
    .join(CHALLENGE, CHALLENGE.c.id == COMMENT.c.challenge_id)
    .join(PERSON, PERSON.c.id == COMMENT.c.author_id)
    .join(ORGANISATION, ORGANISATION.c.id == COMMENT.c.organisation_id)
    .join(SECTOR, SECTOR.c.id == COMMENT.c.sector_id)
)


Own = dict[int, tuple[int, ...]]


def _subject(row: Any, own: Own) -> Subject:
    """An idea as the policy asks for it; `own` are those that the reader writes along."""
    return Subject(row.programme_id, row.challenge_id, row.state, row.author_id, own.get(row.idea_id, ()))


def _co_authored(connection: Connection, actor: Actor, idea_ids: Sequence[int]) -> Own:
    """Those of these ideas that the reader writes along, each with the reader."""
    rows = connection.execute(
        select(CO_AUTHOR.c.idea_id, CO_AUTHOR.c.person_id).where(
            CO_AUTHOR.c.person_id == actor.person_id, CO_AUTHOR.c.idea_id.in_(idea_ids)
        )
    )
    return {idea_id: (person_id,) for idea_id, person_id in rows}


def _told(connection: Connection, challenge_ids: set[int]) -> frozenset[int]:
    """Those of these challenges whose tallies show now."""
    rows = connection.execute(
        select(CHALLENGE.c.id, *phases.selected())
        .select_from(CHALLENGE)
        .outerjoin(PHASE, phases.in_force(CHALLENGE.c.id))
        .where(CHALLENGE.c.id.in_(sorted(challenge_ids)))
    )
    return frozenset(row.id for row in rows if phases.from_row(row).tallies)


def _supporters(connection: Connection, idea_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """How many support each of these ideas, by sector's id."""
    counted: dict[int, dict[int, int]] = {id: {} for id in idea_ids}
    rows = connection.execute(
        select(TALLY.c.idea_id, TALLY.c.sector_id, TALLY.c.people)
        .select_from(IDEA)
        .join(TALLY, _of_idea())
        .where(IDEA.c.id.in_(idea_ids), TALLY.c.sector_id != ALL)
    )
    for idea_id, sector_id, people in rows:
        counted[idea_id][sector_id] = people
    return counted


def _of_idea() -> ColumnElement[bool]:
    return and_(TALLY.c.challenge_id == IDEA.c.challenge_id, TALLY.c.idea_id == IDEA.c.id)
