"""Votes: one for each person on a ballot, replaced until it closes, and never led back to them after."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from app.database import Transaction, present
from app.errors import Conflict, DomainError, Gone, Invalid, NotAllowed, NotFound
from app.integrations import seal
from app.lib.i18n import N_
from app.methods import ballot_log, choices
from app.methods.election import Choice, Option, canonical
from app.models import (
    Ballot,
    BallotKey,
    BallotOption,
    Challenge,
    Interest,
    Membership,
    RollEntry,
    Sector,
    Solution,
    Turnout,
    Vote,
)
from app.models.ballot import SECRET
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import ballots
from app.services.ballots import OPEN, SCHEDULED, VOTER_COLUMNS, BallotView
from app.services.events import record

BALLOT = table(Ballot)
BALLOT_KEY = table(BallotKey)
BALLOT_OPTION = table(BallotOption)
CHALLENGE = table(Challenge)
INTEREST = table(Interest)
MEMBERSHIP = table(Membership)
ROLL = table(RollEntry)
SECTOR = table(Sector)
SOLUTION = table(Solution)
TURNOUT = table(Turnout)
VOTE = table(Vote)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a voter keeps: `code` stands in the published log beside the choice; `signature` is ours, in hexadecimal,
    over `ballot_log.receipt_message`.
    """

    code: str
    signature: str
    choice: Choice
    replaced: bool


@dataclass(frozen=True, slots=True)
class MyVote:
    """One's own vote while the ballot is open."""

    code: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class Wish:
    """One person wants to vote; `choice` is what they sent, not checked yet."""

    actor: Actor
    ballot_id: int
    choice: Any


# queries


def mine(connection: Connection, actor: Actor, ballot: BallotView) -> MyVote | None:
    """The actor's own vote, or None. Two statements.

    :raises Gone: the ballot is counted, and nothing here leads from a person to a vote any more
    """
    if ballot.state == ballots.CLOSED:
        raise _gone(ballot)
    found = select(BALLOT_KEY.c.secret).where(BALLOT_KEY.c.ballot_id == ballot.id)
    key = connection.execute(found).scalar()
    if not actor.is_known or ballot.state == ballots.CANCELLED:
        return None
    if key is None:
        raise _gone(ballot)
    row = connection.execute(select(VOTE.c.receipt, VOTE.c.choice).where(*_is(ballot.id, key, actor))).first()
    return MyVote(row.receipt, json.loads(row.choice)) if row else None


# verbs


def cast(tx: Transaction, actor: Actor, ballot_id: int, choice: Any) -> Receipt:
    """Vote, or replace one's vote; the receipt of this choice, which makes an earlier one void.

    :raises NotFound: there is no such ballot for this actor
    :raises NotAllowed: they are not among those who may vote on it
    :raises Conflict: it is not open, by the database's clock
    :raises Invalid: the choice is none that the method knows
    """
    (answer,) = meet(tx, [Wish(actor, ballot_id, choice)])
    if isinstance(answer, DomainError):
        raise answer
    return answer


def meet(tx: Transaction, wishes: Sequence[Wish]) -> list[Receipt | DomainError]:
    """`cast` for any number of wishes; each is answered, or told why not.

    Three statements each and one more for each sector, whatever the number of votes. Of two by the same person the
    later one counts.
    """
    ballots.take_turns(tx, {wish.ballot_id for wish in wishes})
    steps: Counter[_Step] = Counter()
    answers: list[Receipt | DomainError] = []
    for wish in wishes:
        try:
            answers.append(_meet(tx, wish, steps))
        except DomainError as error:
            answers.append(error)
    _count(tx, steps)
    return answers


def _meet(tx: Transaction, wish: Wish, steps: "Counter[_Step]") -> Receipt:
    held = _load(tx, wish.actor, wish.ballot_id)
    _require_voter(wish.actor, held)
    _require_open(held)
    errors = choices.check(held.settings, held.options, wish.choice)
    if errors:
        raise Invalid(*errors)
    normal = choices.normal(wish.choice)
    code = seal.new_receipt()
    person_id, row = wish.actor.person_id or 0, held.row
    values = {
        "ballot_id": row.id,
        "pseudonym": seal.pseudonym(row.secret, person_id),
        "programme_id": row.programme_id,
        "sector_id": row.voter_sector_id,
        "person_id": None if row.mode == SECRET else person_id,
        "receipt": code,
        "choice": canonical(normal).decode(),
    }
    entry = {name: values[name] for name in ("ballot_id", "programme_id", "sector_id")}
    entry["person_id"] = person_id
    is_first = tx.execute(_enrolling(tx.dialect), entry).first() is not None
    sector_id = row.voter_sector_id
    if is_first:
        tx.execute(insert(VOTE), values)
    else:
        sector_id = _replace(tx, values)
    steps[held.step(sector_id, "changes")] += 1
    steps[held.step(sector_id, "voters")] += is_first
    _record(tx, "vote.cast", held)
    signature = seal.sign(ballot_log.receipt_message(row.id, code, normal)).hex()
    return Receipt(code, signature, normal, replaced=not is_first)


def withdraw(tx: Transaction, actor: Actor, ballot_id: int) -> None:
    """Take one's vote back while the ballot is open; asked again, nothing more happens.

    :raises NotFound: there is no such ballot for this actor
    :raises NotAllowed: their role does not vote
    :raises Conflict: it is not open
    """
    ballots.take_turns(tx, [ballot_id])
    held = _load(tx, actor, ballot_id)
    require(actor, Permission.VOTE, held.row)
    _require_open(held)
    gone = tx.execute(
        delete(VOTE).where(*_is(ballot_id, held.row.secret, actor)).returning(VOTE.c.sector_id)
    ).first()
    unrolled = tx.execute(
        delete(ROLL)
        .where(ROLL.c.ballot_id == ballot_id, ROLL.c.person_id == actor.person_id)
        .returning(ROLL.c.person_id)
    ).first()
    if gone is None and unrolled is not None:
        raise _lost()
    if gone is None:
        return
    steps = {held.step(gone.sector_id, "changes"): 1, held.step(gone.sector_id, "voters"): -1}
    _count(tx, steps)
    _record(tx, "vote.withdrawn", held)


def take_back_open(tx: Transaction, person_id: int) -> None:
    """Take back what a person has voted, with their name, on ballots that are still open: for their erasure.

    A secret vote counts as it is: nobody can tell whose it is, and it was valid when it was cast.
    """
    named = select(VOTE.c.ballot_id).where(VOTE.c.person_id == person_id)
    ballot_ids = sorted(tx.execute(named).scalars())
    ballots.take_turns(tx, ballot_ids)
    for ballot_id in ballot_ids:
        rows = tx.execute(_loading(tx.dialect), {"ballot": ballot_id, "person": person_id}).all()
        if not rows or not rows[0].opens_at <= rows[0].now < rows[0].closes_at:
            continue
        held = _Held(list(rows))
        is_it = VOTE.c.ballot_id == ballot_id, VOTE.c.person_id == person_id
        gone = tx.execute(delete(VOTE).where(*is_it).returning(VOTE.c.sector_id)).scalar_one()
        tx.execute(delete(ROLL).where(ROLL.c.ballot_id == ballot_id, ROLL.c.person_id == person_id))
        _count(tx, {held.step(gone, "changes"): 1, held.step(gone, "voters"): -1})
        _record(tx, "vote.withdrawn", held)


def declare_interest(
    tx: Transaction, actor: Actor, ballot_id: int, solution_id: int, *, statement: str
) -> None:
    """Say that one has a stake in a solution: shown with one's name beside the ballot and its result.

    Declared again, the statement is replaced; an empty one takes it back.

    :raises NotFound: there is no such ballot for this actor, or no such solution on it
    :raises Conflict: the ballot has closed
    """
    ballots.take_turns(tx, [ballot_id])
    ballot = ballots.find(tx.connection, actor, ballot_id)
    require(actor, Permission.DECLARE_INTEREST, ballot)
    if ballot.state not in (OPEN, SCHEDULED):
        raise Conflict(N_("This ballot has closed."))
    if solution_id not in {solution.id for solution in ballot.solutions}:
        raise NotFound(N_("There is no such solution on this ballot."))
    said, errors = text.line("statement", statement, most=500, least=0)
    if errors:
        raise Invalid(*errors)
    where = (
        INTEREST.c.ballot_id == ballot_id,
        INTEREST.c.person_id == actor.person_id,
        INTEREST.c.solution_id == solution_id,
    )
    if said:
        writing = _insert(tx.dialect)(INTEREST).values(
            ballot_id=ballot_id,
            person_id=actor.person_id,
            solution_id=solution_id,
            programme_id=ballot.programme_id,
            statement=said,
            declared_at=tx.now,
        )
        keys = ["ballot_id", "person_id", "solution_id"]
        tx.execute(
            writing.on_conflict_do_update(
                index_elements=keys, set_={"statement": said, "declared_at": tx.now}
            )
        )
    elif tx.execute(delete(INTEREST).where(*where).returning(INTEREST.c.person_id)).first() is None:
        return
    record(
        tx,
        "interest.declared" if said else "interest.withdrawn",
        actor,
        programme_id=ballot.programme_id,
        challenge_id=ballot.challenge_id,
        subject_id=ballot_id,
        data={"solution_id": solution_id},
    )


def carry_over(tx: Transaction, from_id: int, to_id: int) -> None:
    """Let the votes of one person on ballots that are not counted be those of another, who has not voted on these."""
    ballot_ids = tx.execute(
        select(ROLL.c.ballot_id)
        .join(BALLOT, BALLOT.c.id == ROLL.c.ballot_id)
        .where(ROLL.c.person_id == from_id, BALLOT.c.counted_at.is_(None))
    ).scalars()
    held = sorted(ballot_ids)
    ballots.take_turns(tx, held)
    for key in tx.execute(select(BALLOT_KEY).where(BALLOT_KEY.c.ballot_id.in_(held))).all():
        is_theirs = VOTE.c.pseudonym == seal.pseudonym(key.secret, from_id)
        tx.execute(
            VOTE.update()
            .where(VOTE.c.ballot_id == key.ballot_id, is_theirs)
            .values(pseudonym=seal.pseudonym(key.secret, to_id))
        )


# within


class _Held:
    """A ballot as a vote needs it: one row, its options, whether it is open."""

    def __init__(self, rows: list[Any]) -> None:
        self.row = rows[0]
        self.settings = ballots.settings_of(self.row)
        self.options = [Option(str(row.solution_id), row.cost) for row in rows]
        for name in ("roles", "sectors", "organisations"):
            setattr(self, name, tuple(self.row.eligibility.get(name, ())))
        self.member_since = self.row.member_since

    def step(self, sector_id: int, what: str) -> "_Step":
        """Where a change of the turnout in this hour is counted."""
        hour = self.row.now.replace(minute=0, second=0, microsecond=0)
        return _Step(self.row.id, sector_id, hour, self.row.programme_id, what)


class _Step(NamedTuple):
    """A number of the turnout: `what` is `voters` or `changes`."""

    ballot_id: int
    sector_id: int
    hour: datetime
    programme_id: int
    what: str


def _load(tx: Transaction, actor: Actor, ballot_id: int) -> _Held:
    rows = tx.execute(_loading(tx.dialect), {"ballot": ballot_id, "person": actor.person_id}).all()
    if not rows or not may(actor, Permission.READ_BALLOT, rows[0]):
        raise NotFound(N_("There is no such ballot, or it is not open to you."))
    return _Held(list(rows))


@lru_cache
def _loading(dialect: str) -> Select[Any]:
    """A ballot with its key, its options, and the place of one person in its programme: a row for each option."""
    return (
        select(
            BALLOT,
            present(dialect).label("now"),
            BALLOT_KEY.c.secret,
            BALLOT_OPTION.c.solution_id,
            SOLUTION.c.cost,
            *VOTER_COLUMNS,
        )
        .select_from(BALLOT)
        .join(CHALLENGE, and_(CHALLENGE.c.id == BALLOT.c.challenge_id, CHALLENGE.c.deleted_at.is_(None)))
        .join(BALLOT_OPTION, BALLOT_OPTION.c.ballot_id == BALLOT.c.id)
        .join(SOLUTION, SOLUTION.c.id == BALLOT_OPTION.c.solution_id)
        .outerjoin(BALLOT_KEY, BALLOT_KEY.c.ballot_id == BALLOT.c.id)
        .outerjoin(
            MEMBERSHIP,
            and_(
                MEMBERSHIP.c.programme_id == BALLOT.c.programme_id,
                MEMBERSHIP.c.person_id == bindparam("person"),
                MEMBERSHIP.c.ended_at.is_(None),
            ),
        )
        .outerjoin(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .where(BALLOT.c.id == bindparam("ballot"))
        .order_by(BALLOT_OPTION.c.position)
    )


def _require_voter(actor: Actor, held: _Held) -> None:
    require(actor, Permission.VOTE, held.row)
    refusal = ballots.why_not(held, ballots.voter_of(held.row))
    if refusal is not None:
        raise NotAllowed(refusal.message, **refusal.values)


def _require_open(held: _Held) -> None:
    row = held.row
    if row.cancelled_at is not None:
        raise Conflict(N_("This ballot was taken back."))
    if row.now < row.opens_at:
        raise Conflict(N_("This ballot has not opened yet."))
    if row.now >= row.closes_at or row.counted_at is not None or row.secret is None:
        raise Conflict(N_("This ballot has closed; the vote was not counted."))


def _is(ballot_id: int, key: bytes, actor: Actor) -> tuple[Any, Any]:
    return VOTE.c.ballot_id == ballot_id, VOTE.c.pseudonym == seal.pseudonym(key, actor.person_id or 0)


def _replace(tx: Transaction, values: Mapping[str, Any]) -> int:
    """Write a choice over the one that stands under the same pseudonym; the sector that it counts for, as before.

    :raises Conflict: the roll names someone under whose pseudonym nothing stands
    """
    new = {name: values[name] for name in ("choice", "receipt")}
    is_it = VOTE.c.ballot_id == values["ballot_id"], VOTE.c.pseudonym == values["pseudonym"]
    replaced = tx.execute(VOTE.update().where(*is_it).values(**new).returning(VOTE.c.sector_id)).first()
    if replaced is None:
        raise _lost()
    return int(replaced.sector_id)


def _gone(ballot: BallotView) -> Gone:
    if not ballot.is_secret:
        return Gone(N_("This ballot is counted: its votes stand in the published log, with names."))
    return Gone(N_("This ballot is counted: nobody can tell any more who voted how. Use your receipt."))


def _lost() -> Conflict:
    """The roll names someone under whose pseudonym nothing stands: the installation's secret has changed."""
    return Conflict(
        N_(
            "Your vote is counted as it is, and cannot be changed any more: the installation's keys have changed."
        )
    )


@lru_cache
def _enrolling(dialect: str) -> Any:
    return _insert(dialect)(ROLL).on_conflict_do_nothing().returning(ROLL.c.person_id)


def _count(tx: Transaction, steps: Mapping[_Step, int]) -> None:
    """Add to the turnout, each of its rows once and in the order of keys."""
    for step in sorted({step._replace(what="") for step in steps}):
        tx.execute(
            _counting(tx.dialect),
            {
                "ballot_id": step.ballot_id,
                "sector_id": step.sector_id,
                "hour": step.hour,
                "programme_id": step.programme_id,
                **{what: steps.get(step._replace(what=what), 0) for what in ("voters", "changes")},
            },
        )


@lru_cache
def _counting(dialect: str) -> Any:
    adding = _insert(dialect)(TURNOUT)
    return adding.on_conflict_do_update(
        index_elements=["ballot_id", "sector_id", "hour"],
        set_={
            "voters": TURNOUT.c.voters + adding.excluded.voters,
            "changes": TURNOUT.c.changes + adding.excluded.changes,
        },
    )


def _insert(dialect: str) -> Any:
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


def _record(tx: Transaction, type: str, held: _Held) -> None:
    """Tell the log that a vote came, and not whose: what is told twice can be put together."""
    record(
        tx,
        type,
        None,
        programme_id=held.row.programme_id,
        challenge_id=held.row.challenge_id,
        subject_id=held.row.id,
    )
