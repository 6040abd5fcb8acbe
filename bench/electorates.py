"""Ballots with any number of votes over a board of `bench.data`, as if people had cast them."""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, insert, literal, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.selectable import CTE

from app.database import Database, Transaction
from app.integrations import seal
from app.lib import secrets
from app.methods.election import Settings, canonical
from app.models import (
    AccessToken,
    Ballot,
    BallotKey,
    BallotOption,
    Membership,
    Person,
    RollEntry,
    Solution,
    Turnout,
    Vote,
)
from app.models.base import table
from bench import data
from bench.data import CHALLENGE, PROGRAMME, Size

VOTE, ROLL, TURNOUT, MEMBERSHIP, PERSON = (
    table(model) for model in (Vote, RollEntry, Turnout, Membership, Person)
)

GROUPS: Final = 3
"""People of so many opinions vote, each with their own turn of mind."""
AT_ONCE: Final = 20_000
"""Voters that one statement writes: PostgreSQL cuts off what takes long."""
BUDGET: Final = 1_000_000
CREDITS: Final = 100
POINTS: Final = 10
_POINTS: Final = (4, 3, 2, 1)
_QUADRATIC: Final = (7, 5, 4, 3, 1)  # 49 + 25 + 16 + 9 + 1 = 100


def fill(url: str, people: int, options: int) -> None:
    """A board with so many people, and solutions with the ids from 1 to `options`."""
    data.fill(url, Size(ideas=1, people=people, signed_in=1))
    _write(url, lambda tx: _write_solutions(tx, options))


def hold(url: str, ballot_id: int, settings: Settings, votes: Sequence[str]) -> None:
    """A ballot that has closed and is not counted; person n, from 1, cast `votes[n - 1]`, which is canonical JSON."""
    _write(url, lambda tx: _write_closed(tx, ballot_id, settings, votes))


def open_with(url: str, voters: int, casters: int, options: int) -> tuple[str, ...]:
    """A board with an open approval ballot of id 1 on which `voters` have voted; tokens of `casters` who have not."""
    fill(url, casters, options)
    tokens = tuple(secrets.new_token() for _ in range(casters))
    _write(url, lambda tx: _write_open(tx, voters, tokens, options))
    return tokens


def differences(url: str) -> int:
    """By how many the votes there are differ from the people on the roll, and from the turnout."""
    database = Database(url)
    try:
        return database.read_now(_compared)
    finally:
        database.close()


def choices(method: str, voters: int, options: int) -> list[str]:
    """What people choose, as canonical JSON: nearly all votes differ, which is the most work there can be."""
    import numpy as np

    generator = np.random.default_rng(11)
    leaning = generator.normal(size=(GROUPS, options))
    liking = leaning[generator.integers(0, GROUPS, voters)] + generator.normal(size=(voters, options))
    return [canonical(choice).decode() for choice in _CHOOSE[method](liking, generator)]


def costs(options: int) -> list[int]:
    """What each solution would cost: about a third of them fit into the budget."""
    return [BUDGET * (3 + 7 * place % 11) // (3 * options) for place in range(options)]


def _approve(liking: Any, _: Any) -> Iterator[dict[str, Any]]:
    for row in liking > 0.5:
        yield {"approved": [str(column + 1) for column in row.nonzero()[0].tolist()]}


def _score(liking: Any, _: Any) -> Iterator[dict[str, Any]]:
    for row in (liking * 1.2 + 2.5).round().clip(0, 5).astype(int).tolist():
        yield {"scores": {str(column): score for column, score in enumerate(row, 1)}}


def _rank(liking: Any, generator: Any) -> Iterator[dict[str, Any]]:
    voters, options = liking.shape
    depths = generator.integers(min(3, options), options + 1, voters).tolist()
    for row, depth in zip((-liking).argsort(axis=1).tolist(), depths, strict=True):
        yield {"ranking": [[str(column + 1)] for column in row[:depth]]}


def _share(parts: Sequence[int]) -> Any:
    def share(liking: Any, _: Any) -> Iterator[dict[str, Any]]:
        for row in (-liking).argsort(axis=1)[:, : len(parts)].tolist():
            yield {
                "points": {str(column + 1): part for column, part in zip(row, parts[: len(row)], strict=True)}
            }

    return share


_CHOOSE: Final[dict[str, Any]] = {
    "approval": _approve,
    "budget": _approve,
    "score": _score,
    "ranked": _rank,
    "points": _share(_POINTS),
    "quadratic": _share(_QUADRATIC),
}


def _write(url: str, work: Any) -> None:
    database = Database(url)
    try:
        database.write_now(work)
        data.analyse(database)
    finally:
        database.close()


def _write_solutions(tx: Transaction, options: int) -> None:
    dated = {"created_at": tx.now, "updated_at": tx.now, "version": 1}
    rows = [
        {
            "id": place,
            "programme_id": PROGRAMME,
            "challenge_id": CHALLENGE,
            "title": f"One form for everything, number {place}",
            "summary": data.BODY,
            "cost": cost,
            "promoted_by": 1,
            **dated,
        }
        for place, cost in enumerate(costs(options), 1)
    ]
    data.insert_rows(tx, Solution, rows)


def _write_closed(tx: Transaction, ballot_id: int, settings: Settings, votes: Sequence[str]) -> None:
    _write_ballot(tx, ballot_id, settings, closes_in=timedelta(hours=-1))
    members = tx.execute(
        select(MEMBERSHIP.c.person_id, MEMBERSHIP.c.sector_id).where(MEMBERSHIP.c.person_id <= len(votes))
    ).all()
    common = {"ballot_id": ballot_id, "programme_id": PROGRAMME}
    data.insert_rows(
        tx,
        Vote,
        [
            {
                **common,
                "pseudonym": os.urandom(32),
                "sector_id": member.sector_id,
                "receipt": seal.new_receipt(),
                "choice": votes[member.person_id - 1],
            }
            for member in members
        ],
    )
    data.insert_rows(
        tx,
        RollEntry,
        [{**common, "person_id": member.person_id, "sector_id": member.sector_id} for member in members],
    )
    _write_turnout(tx, ballot_id)


def _write_open(tx: Transaction, voters: int, tokens: Sequence[str], options: int) -> None:
    """Those who have voted come after those who are about to, all written by the database."""
    settings = Settings("approval", tie_order=tuple(str(place + 1) for place in range(options)))
    _write_ballot(tx, 1, settings, closes_in=timedelta(days=1))
    _write_tokens(tx, tokens)
    for first in range(len(tokens) + 1, len(tokens) + voters + 1, AT_ONCE):
        _write_voters(tx, first, min(first + AT_ONCE - 1, len(tokens) + voters))
    _write_turnout(tx, 1)


def _write_voters(tx: Transaction, first: int, last: int) -> None:
    """People with the ids from `first` to `last`, members of both sectors in turn, who have voted."""
    number = _numbers(first, last)
    person_id = number.c.number
    email = literal("v").concat(person_id).concat("@example.org")
    _copy(tx, PERSON, number, id=person_id, email=email)
    _copy(tx, MEMBERSHIP, number, id=person_id, person_id=person_id, sector_id=1 + person_id % 2)
    common = {"ballot_id": literal(1), "programme_id": literal(PROGRAMME)}
    entry = {**common, "person_id": MEMBERSHIP.c.person_id, "sector_id": MEMBERSHIP.c.sector_id}
    vote = {
        **common,
        "pseudonym": _random_bytes(tx.dialect),
        "sector_id": MEMBERSHIP.c.sector_id,
        "receipt": literal("BENCH-").concat(MEMBERSHIP.c.person_id),
        "choice": literal('{"approved":["1","2","3"]}'),
    }
    for target, values in ((ROLL, entry), (VOTE, vote)):
        chosen = select(*values.values()).where(MEMBERSHIP.c.person_id.between(first, last))
        tx.execute(insert(target).from_select(list(values), chosen))


def _write_ballot(tx: Transaction, ballot_id: int, settings: Settings, *, closes_in: timedelta) -> None:
    opens_at = tx.now - timedelta(days=2)
    own = ("method", "rule", "tie_order", "secret")
    values = {
        "id": ballot_id,
        "programme_id": PROGRAMME,
        "challenge_id": CHALLENGE,
        "title": f"What shall we do first, {settings.method}?",
        "method": settings.method,
        "rule": settings.rule,
        "settings": {
            name: getattr(settings, name) for name in Settings.__dataclass_fields__ if name not in own
        },
        "eligibility": {},
        "member_since": tx.now,
        "opens_at": opens_at,
        "closes_at": tx.now + closes_in,
        "announced_at": opens_at,
        "reminded_at": opens_at,
        "seed": "bench",
        "tie_order": list(settings.tie_order),
        "made_by": 1,
        "created_at": opens_at,
        "updated_at": opens_at,
    }
    data.insert_rows(tx, Ballot, [values])
    common = {"ballot_id": ballot_id, "programme_id": PROGRAMME}
    data.insert_rows(tx, BallotKey, [{**common, "secret": seal.new_ballot_key()}])
    data.insert_rows(
        tx,
        BallotOption,
        [
            {**common, "solution_id": int(key), "position": place}
            for place, key in enumerate(settings.tie_order)
        ],
    )


def _compared(connection: Connection) -> int:
    votes, roll = (
        connection.execute(select(func.count()).select_from(each)).scalar_one() for each in (VOTE, ROLL)
    )
    turnout = connection.execute(select(func.sum(TURNOUT.c.voters))).scalar_one()
    return abs(votes - roll) + abs(votes - int(turnout))


def _write_tokens(tx: Transaction, tokens: Sequence[str]) -> None:
    rows = [
        {
            "person_id": person_id,
            "name": "voting",
            "token_hash": secrets.digest(token),
            "ending": token[-4:],
            "scopes": "read vote",
            "created_at": tx.now,
            "expires_at": tx.now + timedelta(days=30),
        }
        for person_id, token in enumerate(tokens, 1)
    ]
    data.insert_rows(tx, AccessToken, rows)


def _write_turnout(tx: Transaction, ballot_id: int) -> None:
    """All in one hour: how many of each sector have voted."""
    hour = tx.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    values = {
        "ballot_id": VOTE.c.ballot_id,
        "sector_id": VOTE.c.sector_id,
        "hour": literal(hour, TURNOUT.c.hour.type),
        "programme_id": literal(PROGRAMME),
        "voters": func.count(),
        "changes": func.count(),
    }
    chosen = (
        select(*values.values())
        .where(VOTE.c.ballot_id == ballot_id)
        .group_by(VOTE.c.ballot_id, VOTE.c.sector_id)
    )
    tx.execute(insert(TURNOUT).from_select(list(values), chosen))


def _numbers(first: int, last: int) -> CTE:
    number = select(literal(first).label("number")).cte("number", recursive=True)
    return number.union_all(select(number.c.number + 1).where(number.c.number < last))


def _copy(tx: Transaction, target: Any, number: CTE, **changed: ColumnElement[Any]) -> None:
    """A row as the one with id 1 for each number, with these columns changed."""
    columns = {column.name: changed.get(column.name, column) for column in target.c}
    chosen = select(*columns.values()).select_from(target).join(number, literal(1) == 1)
    tx.execute(insert(target).from_select(list(columns), chosen.where(target.c.id == 1)))


def _random_bytes(dialect: str) -> ColumnElement[Any]:
    """32 bytes that differ from row to row, in no order."""
    if dialect == "postgresql":
        text = func.md5(func.random().concat("")).concat(func.md5(func.random().concat("")))
        return func.decode(text, "hex")
    return func.randomblob(32)
