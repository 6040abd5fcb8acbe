"""A board of any size, written by the database itself, with the same invariants as if people had used it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, func, insert, literal, select, text, true
from sqlalchemy.engine import Connection, make_url

from app.database import Database, Transaction
from app.lib import markdown, secrets
from app.models import (
    AccessToken,
    BrowserSession,
    Challenge,
    Cluster,
    Idea,
    Membership,
    Organisation,
    Person,
    Phase,
    Programme,
    Sector,
    Support,
    Tally,
)
from app.models.base import table
from app.models.support import ALL
from app.services import schema

PROGRAMME = CHALLENGE = 1
SECTORS = (("public", "Public administration"), ("business", "Business"))
ORGANISATIONS = 20
CLUSTERS = ("Now", "Soon", "Later")
CHUNK = 5000

BODY = """People are asked for the same data again and again.

- One form, filled in once
- The offices ask *each other*, with the person's consent
- A clear word on **who has looked at what**, and when

A first step could be the three forms that most people need in a year."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a board is. Each of the first `supporters` people supports `each` ideas."""

    ideas: int = 50
    people: int = 500
    supporters: int = 0
    each: int = 20
    signed_in: int = 500


@dataclass(frozen=True, slots=True)
class Board:
    """A filled database: cookies by person id from 1, and one person's access token."""

    url: str
    size: Size
    cookies: tuple[str, ...]
    token: str


def fill(url: str, size: Size) -> Board:
    """Lead the database at `url` to today's tables and write one programme with one board."""
    schema.migrate(url)
    database = Database(url)
    try:
        board = database.write_now(lambda tx: _write(tx, url, size))
        analyse(database)
    finally:
        database.close()
    return board


def copy(board: Board, path: Path) -> Board:
    """The same SQLite database once more."""
    shutil.copy(board.url.removeprefix("sqlite:///"), path)
    return Board(f"sqlite:///{path}", board.size, board.cookies, board.token)


@contextmanager
def postgres(server_url: str) -> Iterator[str]:
    """The address of a fresh database on that server, dropped afterwards."""
    name = f"pfc_bench_{uuid4().hex[:8]}"
    url = make_url(server_url)
    _on_server(server_url, f'CREATE DATABASE "{name}"')
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        _on_server(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def check_tallies(url: str) -> tuple[int, int]:
    """How many supports there are, and how many rows of the tallies say something else."""
    database = Database(url)
    try:
        return database.read_now(_compared)
    finally:
        database.close()


def _write(tx: Transaction, url: str, size: Size) -> Board:
    now = tx.now
    cookies = tuple(secrets.new_secret() for _ in range(min(size.signed_in, size.people)))
    token = secrets.new_token()
    _write_places(tx, now)
    _write_people(tx, size, now)
    _write_ideas(tx, size, now)
    _write_keys(tx, cookies, token, now)
    if size.supporters:
        _write_supports(tx, size, now)
    _count(tx)
    return Board(url, size, cookies, token)


def _write_places(tx: Transaction, now: datetime) -> None:
    dated = {"created_at": now, "updated_at": now, "version": 1}
    insert_rows(
        tx, Programme, [{"id": PROGRAMME, "slug": "bench", "name": "Bench", "description": "", **dated}]
    )
    insert_rows(
        tx,
        Sector,
        [
            {"id": number, "programme_id": PROGRAMME, "key": key, "name": name, "position": number}
            for number, (key, name) in enumerate(SECTORS, 1)
        ],
    )
    insert_rows(
        tx,
        Organisation,
        [
            {
                "id": id,
                "programme_id": PROGRAMME,
                "sector_id": _sector(id),
                "name": f"Organisation {id}",
                **dated,
            }
            for id in range(1, ORGANISATIONS + 1)
        ],
    )
    insert_rows(
        tx,
        Challenge,
        [
            {
                "id": CHALLENGE,
                "programme_id": PROGRAMME,
                "sponsor_id": 1,
                "title": "Services that ask only once",
                "summary": "How can public services work together so that nobody is asked twice?",
                "brief": BODY,
                "brief_html": markdown.render(BODY),
                **dated,
            }
        ],
    )
    insert_rows(
        tx,
        Phase,
        [
            {
                "programme_id": PROGRAMME,
                "challenge_id": CHALLENGE,
                "kind": "ideation",
                "starts_at": now - timedelta(days=7),
                "ends_at": now + timedelta(days=21),
                "posting": True,
                "commenting": True,
                "supporting": True,
                "tallies": True,
            }
        ],
    )
    insert_rows(
        tx,
        Cluster,
        [
            {"id": id, "programme_id": PROGRAMME, "challenge_id": CHALLENGE, "title": title, "position": id}
            for id, title in enumerate(CLUSTERS, 1)
        ],
    )


def _write_people(tx: Transaction, size: Size, now: datetime) -> None:
    people = range(1, size.people + 1)
    dated = {"created_at": now, "updated_at": now, "version": 1}
    insert_rows(
        tx,
        Person,
        [
            {"id": id, "name": f"Ana {id} Novak", "email": f"p{id}@example.org", "language": "en", **dated}
            for id in people
        ],
    )
    insert_rows(
        tx,
        Membership,
        [
            {
                "programme_id": PROGRAMME,
                "person_id": id,
                "organisation_id": _organisation(id),
                "sector_id": _sector(_organisation(id)),
                "role": "participant",
                **dated,
            }
            for id in people
        ],
    )


def _write_ideas(tx: Transaction, size: Size, now: datetime) -> None:
    html = markdown.render(BODY)
    begun = now - timedelta(days=6)
    insert_rows(
        tx,
        Idea,
        [
            {
                "id": id,
                "programme_id": PROGRAMME,
                "challenge_id": CHALLENGE,
                "cluster_id": id % (len(CLUSTERS) + 1) or None,
                "author_id": 1 + id % size.people,
                "organisation_id": _organisation(1 + id % size.people),
                "sector_id": _sector(_organisation(1 + id % size.people)),
                "title": f"One form for everything that people need, number {id}",
                "body": BODY,
                "body_html": html,
                "language": "en" if id % 2 else "sl",
                "anonymous": False,
                "state": "open",
                "comments": id % 5,
                "version": 1,
                "created_at": begun + timedelta(seconds=id),
                "updated_at": begun + timedelta(seconds=id),
            }
            for id in range(1, size.ideas + 1)
        ],
    )


def _write_keys(tx: Transaction, cookies: tuple[str, ...], token: str, now: datetime) -> None:
    insert_rows(
        tx,
        BrowserSession,
        [
            {
                "token_hash": secrets.digest(secret),
                "person_id": id,
                "provider": "bench",
                "issuer": "https://login.example",
                "subject": str(id),
                "created_at": now,
                "seen_at": now,
                "expires_at": now + timedelta(hours=12),
            }
            for id, secret in enumerate(cookies, 1)
        ],
    )
    insert_rows(
        tx,
        AccessToken,
        [
            {
                "person_id": 1,
                "name": "bench",
                "token_hash": secrets.digest(token),
                "ending": token[-4:],
                "scopes": "read write",
                "created_at": now,
                "expires_at": now + timedelta(days=30),
            }
        ],
    )


def _write_supports(tx: Transaction, size: Size, now: datetime) -> None:
    """Each supporter supports `each` neighbouring ideas, beginning somewhere else."""
    step = select(literal(0).label("step")).cte("step", recursive=True)
    step = step.union_all(select(step.c.step + 1).where(step.c.step < size.each - 1))
    member = table(Membership)
    idea_id = (member.c.person_id * 37 + step.c.step) % size.ideas + 1
    values = {
        "idea_id": idea_id,
        "person_id": member.c.person_id,
        "programme_id": literal(PROGRAMME),
        "challenge_id": literal(CHALLENGE),
        "sector_id": member.c.sector_id,
        "created_at": literal(now, table(Support).c.created_at.type),
    }
    chosen = (
        select(*values.values())
        .select_from(member.join(step, true()))
        .where(member.c.person_id <= size.supporters)
        .order_by(idea_id, member.c.person_id)
    )
    tx.execute(insert(table(Support)).from_select(list(values), chosen))


def _count(tx: Transaction) -> None:
    """The tallies of all support: of each idea and of the board as a whole, by sector and in all."""
    support, idea = table(Support), table(Idea)
    names = ["challenge_id", "idea_id", "sector_id", "programme_id", "people"]
    fixed = (literal(CHALLENGE), literal(PROGRAMME))
    for sector_id in [1, 2, ALL]:
        which = support.c.sector_id == sector_id if sector_id else support.c.sector_id > 0
        people = (
            select(support.c.idea_id, func.count().label("people"))
            .where(which)
            .group_by(support.c.idea_id)
            .subquery()
        )
        of_ideas = select(
            fixed[0], idea.c.id, literal(sector_id), fixed[1], func.coalesce(people.c.people, 0)
        ).select_from(idea.outerjoin(people, people.c.idea_id == idea.c.id))
        tx.execute(insert(table(Tally)).from_select(names, of_ideas))
        of_board = select(
            fixed[0], literal(ALL), literal(sector_id), fixed[1], func.count(support.c.person_id.distinct())
        ).where(which)
        tx.execute(insert(table(Tally)).from_select(names, of_board))


def _compared(connection: Connection) -> tuple[int, int]:
    support, tally = table(Support), table(Tally)
    counted = select(support.c.idea_id, support.c.sector_id, func.count()).group_by(
        support.c.idea_id, support.c.sector_id
    )
    real = {(row[0], row[1]): row[2] for row in connection.execute(counted)}
    kept = select(tally.c.idea_id, tally.c.sector_id, tally.c.people).where(
        tally.c.idea_id != ALL, tally.c.sector_id != ALL
    )
    wrong = sum(people != real.get((idea, sector), 0) for idea, sector, people in connection.execute(kept))
    return sum(real.values()), wrong


def analyse(database: Database) -> None:
    """What a database in use does by itself: know how its rows are spread."""
    with database.writes.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def insert_rows(tx: Transaction, model: Any, rows: list[dict[str, Any]]) -> None:
    """Write rows that have the same columns, some thousands a statement."""
    for start in range(0, len(rows), CHUNK):
        tx.execute(table(model).insert(), rows[start : start + CHUNK])


def _organisation(person_id: int) -> int:
    return 1 + person_id % ORGANISATIONS


def _sector(organisation_id: int) -> int:
    return 1 + organisation_id % len(SECTORS)


def _on_server(server_url: str, statement: str) -> None:
    url = make_url(server_url)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
