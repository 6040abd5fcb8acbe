"""Counting: what happens once a ballot has closed, exactly once, and what everyone can read of it after.

In three steps, so that no one's write waits for the counting: the ballot is settled (whoever was about to vote has,
or is told that it has closed), the votes are read and counted, and then one transaction publishes the result and the
log, takes the votes away, and destroys the key of their pseudonyms. Killed in between, it is done again from the start;
done by two at once, the second finds it done.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from random import Random, SystemRandom
from typing import Any, Final

from pydantic_core import from_json
from sqlalchemy import Select, and_, delete, insert, select, text
from sqlalchemy.engine import Connection

from app.database import Database, Transaction, present
from app.errors import Conflict, FieldError, Invalid, NotFound
from app.integrations import seal
from app.lib import clock
from app.lib.i18n import N_
from app.lib.receipts import normal_receipt
from app.methods import ballot_log, opinion_map, sector_rule
from app.methods import count as counts
from app.methods.election import Election, canonical
from app.methods.election import Vote as CastVote
from app.models import (
    Ballot,
    BallotKey,
    BallotResult,
    Membership,
    Organisation,
    Person,
    PublishedVote,
    Sector,
    Vote,
)
from app.models.base import table
from app.services import ballots, notices, solutions
from app.services.ballots import CLOSED, COUNTING, OPEN, BallotView
from app.services.events import record

BALLOT = table(Ballot)
BALLOT_KEY = table(BallotKey)
BALLOT_RESULT = table(BallotResult)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PUBLISHED = table(PublishedVote)
SECTOR = table(Sector)
VOTE = table(Vote)

AT_ONCE: Final = 5000
"""Rows that one statement writes."""


@dataclass(frozen=True, slots=True)
class ResultView:
    """What was counted. `result` is by the ballot's rule, `beside` what the page shows with it, `head`, `tree` and
    `signature` are the log without its votes; all plain JSON data.
    """

    result: Mapping[str, Any]
    beside: Mapping[str, Any]
    head: Mapping[str, Any]
    tree: Mapping[str, Any]
    signature: Mapping[str, Any]


_Beside = tuple[str, dict[str, str] | None]
"""A vote's receipt, and its voter where votes are open."""


@dataclass(frozen=True, slots=True)
class Tallied:
    """A ballot, the election that its votes make, what the log holds beside each of them, and its result."""

    ballot: BallotView
    election: Election
    beside: list[_Beside]
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """A ballot's result before it is published; `votes` as the log holds them, in shuffled order."""

    result: dict[str, Any]
    beside: dict[str, Any]
    log: dict[str, Any]


# the clock's questions


def due(connection: Connection) -> list[int]:
    """The ids of ballots that have closed and are not counted, the first to close first."""
    closed = and_(
        BALLOT.c.counted_at.is_(None),
        BALLOT.c.closes_at <= present(connection.dialect.name),
        BALLOT.c.cancelled_at.is_(None),
    )
    return list(connection.execute(select(BALLOT.c.id).where(closed).order_by(BALLOT.c.closes_at)).scalars())


def live(connection: Connection) -> list[int]:
    """The ids of open ballots whose tallies are shown while people vote."""
    now = present(connection.dialect.name)
    return list(
        connection.execute(
            select(BALLOT.c.id).where(
                BALLOT.c.counted_at.is_(None),
                BALLOT.c.cancelled_at.is_(None),
                BALLOT.c.tallies_live.is_(True),
                BALLOT.c.opens_at <= now,
                BALLOT.c.closes_at > now,
            )
        ).scalars()
    )


# verbs


def finish(database: Database, ballot_id: int, base_url: str) -> bool:
    """Count a ballot that has closed; whether it was done now. It takes as long as it takes: not in an event loop."""
    if not database.write_now(lambda tx: settle(tx, ballot_id)):
        return False
    found = database.read_now(lambda connection: counted(connection, ballot_id, base_url))
    done = database.write_now(lambda tx: publish(tx, ballot_id, found))
    if done:
        database.tidy(VOTE, BALLOT_KEY)
    return done


def settle(tx: Transaction, ballot_id: int) -> bool:
    """Wait for those who were about to vote; whether the ballot is there to be counted."""
    ballots.take_turns(tx, [ballot_id])
    return _view(tx.connection, ballot_id).state == COUNTING


def publish(tx: Transaction, ballot_id: int, counted: Counted) -> bool:
    """Write the result and the log, and destroy what leads from people to votes; whether it was done now."""
    ballots.take_turns(tx, [ballot_id])
    ballot = _view(tx.connection, ballot_id)
    if ballot.state != COUNTING:
        return False
    write(tx, ballot_id, ballot.programme_id, counted)
    tx.execute(
        BALLOT.update()
        .where(BALLOT.c.id == ballot_id)
        .values(counted_at=tx.now, updated_at=tx.now, live_tally=None, version=ballot.version + 1)
    )
    _tell(tx, ballot, counted)
    record(
        tx,
        "ballot.counted",
        None,
        programme_id=ballot.programme_id,
        challenge_id=ballot.challenge_id,
        subject_id=ballot_id,
        data={"root": counted.log["tree"]["root"], "passed": counted.result["passed"]},
    )
    return True


def write(tx: Transaction, ballot_id: int, programme_id: int, counted: Counted) -> None:
    """Put a result and its log in the place of the votes and of the key of their pseudonyms; nothing else."""
    _write_votes(tx, ballot_id, programme_id, counted.log["votes"])
    _destroy(tx, ballot_id)
    tx.execute(
        BALLOT_RESULT.insert(),
        {
            "ballot_id": ballot_id,
            "programme_id": programme_id,
            "result": counted.result,
            "beside": counted.beside,
            **{name: counted.log[name] for name in ("head", "tree", "signature")},
        },
    )


def refresh(database: Database, ballot_id: int) -> bool:
    """Bring the live tally of an open ballot up to date; whether anything new shows.

    Votes are read and counted outside the writer. A secret ballot has no live tally: whoever looks before and after a
    single vote would read it.
    """
    found = database.read_now(lambda connection: _live_tally(connection, ballot_id))
    return found is not None and database.write_now(lambda tx: show(tx, ballot_id, found))


def show(tx: Transaction, ballot_id: int, tally: Mapping[str, Any]) -> bool:
    """Show this tally while the ballot is open; whether it was shown."""
    ballots.take_turns(tx, [ballot_id])
    ballot = _view(tx.connection, ballot_id)
    if ballot.state != OPEN:
        return False
    tx.execute(BALLOT.update().where(BALLOT.c.id == ballot_id).values(live_tally=dict(tally)))
    record(
        tx,
        "ballot.tallied",
        None,
        programme_id=ballot.programme_id,
        challenge_id=ballot.challenge_id,
        subject_id=ballot_id,
    )
    return True


def _live_tally(connection: Connection, ballot_id: int) -> dict[str, Any] | None:
    """The tally of an open ballot as it stands, with the number of changes so far; None where none is new."""
    ballot = _view(connection, ballot_id)
    changes = sum(row.changes for row in ballots.turnout(connection, ballot_id))
    shown = (ballot.live_tally or {}).get("changes", 0)
    if ballot.state != OPEN or not ballot.tallies_live or ballot.is_secret or changes == shown:
        return None
    result = tally(connection, ballot_id).result
    return {"changes": changes} | {name: result[name] for name in ("sectors", "standings", "turnout")}


# queries


def result(connection: Connection, ballot: BallotView) -> ResultView:
    """What was counted. One statement.

    :raises Conflict: the ballot is not counted yet
    """
    _require_counted(ballot)
    row = connection.execute(select(BALLOT_RESULT).where(BALLOT_RESULT.c.ballot_id == ballot.id)).one()
    return ResultView(row.result, row.beside, row.head, row.tree, row.signature)


def log(connection: Connection, ballot: BallotView) -> dict[str, Any]:
    """The published log, whole. Two statements, and as many rows as there are votes.

    :raises Conflict: the ballot is not counted yet
    """
    found = result(connection, ballot)
    rows = connection.execute(
        select(PUBLISHED.c.receipt, PUBLISHED.c.sector, PUBLISHED.c.choice, PUBLISHED.c.voter)
        .where(PUBLISHED.c.ballot_id == ballot.id)
        .order_by(PUBLISHED.c.position)
    )
    return {
        "format": ballot_log.FORMAT,
        "head": found.head,
        "votes": [_entry(row) for row in rows],
        "tree": found.tree,
        "result": found.result,
        "signature": found.signature,
    }


def look_up(connection: Connection, ballot: BallotView, typed: str) -> tuple[str, ballot_log.Proof | None]:
    """A receipt as it is written, of what someone typed, and where it stands in the published log, or None.

    :raises Conflict: the ballot is not counted yet
    :raises Invalid: it is no receipt
    """
    _require_counted(ballot)
    code = normal_receipt(typed[:LONGEST_RECEIPT])
    if code is None:
        message = N_(
            "This is no receipt; perhaps a letter is wrong or missing. It has six groups of five signs."
        )
        raise Invalid(FieldError("code", message))
    return code, receipt_proof(connection, ballot, code)


LONGEST_RECEIPT: Final = 200
"""How much of what someone typed is looked at, with all its spaces."""


def receipt_proof(connection: Connection, ballot: BallotView, receipt: str) -> ballot_log.Proof | None:
    """Where a receipt stands in the published log, or None. One statement, or three, one of them over all votes.

    :raises Conflict: the ballot is not counted yet
    """
    _require_counted(ballot)
    found = select(PUBLISHED.c.position).where(
        PUBLISHED.c.ballot_id == ballot.id, PUBLISHED.c.receipt == normal_receipt(receipt)
    )
    position = connection.execute(found).scalar()
    if position is None:
        return None
    rows = connection.execute(
        select(PUBLISHED.c.leaf_hash).where(PUBLISHED.c.ballot_id == ballot.id).order_by(PUBLISHED.c.position)
    )
    row = connection.execute(
        select(PUBLISHED.c.receipt, PUBLISHED.c.sector, PUBLISHED.c.choice, PUBLISHED.c.voter).where(
            PUBLISHED.c.ballot_id == ballot.id, PUBLISHED.c.position == position
        )
    ).one()
    return ballot_log.proof_of(list(rows.scalars()), position, _entry(row))


def voters(connection: Connection, ballot: BallotView, *, most: int = 200) -> Sequence[Mapping[str, Any]]:
    """In an open ballot, the names beside the votes, `most` at the most, by name.

    :raises Conflict: the ballot is not counted yet
    """
    _require_counted(ballot)
    if ballot.is_secret:
        return []
    rows = connection.execute(
        select(PUBLISHED.c.receipt, PUBLISHED.c.sector, PUBLISHED.c.choice, PUBLISHED.c.voter)
        .where(PUBLISHED.c.ballot_id == ballot.id)
        .order_by(PUBLISHED.c.position)
        .limit(most)
    )
    return sorted((_entry(row) for row in rows), key=lambda entry: str(entry["voter"]["name"]))


# within


def _require_counted(ballot: BallotView) -> None:
    if ballot.state != CLOSED:
        raise Conflict(N_("This ballot is not counted yet."))


def _view(connection: Connection, ballot_id: int) -> BallotView:
    """The ballot as nobody in particular sees it.

    :raises NotFound: there is none
    """
    chosen = ballots.any_selection(connection).where(BALLOT.c.id == ballot_id)
    row = connection.execute(chosen).first()
    if row is None:
        raise NotFound(N_("There is no such ballot, or it is not open to you."))
    return replace(ballots.view(row), solutions=tuple(solutions.on_ballot(connection, ballot_id)))


def _votes(connection: Connection, ballot: BallotView) -> tuple[list[CastVote], list[_Beside]]:
    """The votes, and in the same order what the log holds beside each."""
    keys = {row.id: row.key for row in ballots.sectors(connection, ballot.programme_id)}
    wanted = select(VOTE.c.sector_id, VOTE.c.choice, VOTE.c.receipt).where(VOTE.c.ballot_id == ballot.id)
    rows = connection.execute(wanted if ballot.is_secret else _with_voters(wanted)).all()
    if not rows:
        return [], []
    sector_ids, texts, receipts, *_ = zip(*rows, strict=True)
    choices = from_json(f"[{','.join(texts)}]")
    votes = list(map(CastVote, map(keys.__getitem__, sector_ids), choices, texts))
    voters = repeat(None) if ballot.is_secret else map(_voter, rows)
    return votes, list(zip(receipts, voters, strict=False))


def _with_voters(votes: Select[Any]) -> Select[Any]:
    """The votes with their voters: of several places that someone has had in the programme, the newest."""
    return (
        votes.select_from(VOTE)
        .add_columns(PERSON.c.name, ORGANISATION.c.name.label("organisation"))
        .outerjoin(PERSON, PERSON.c.id == VOTE.c.person_id)
        .outerjoin(MEMBERSHIP, MEMBERSHIP.c.id == ballots.last_place(VOTE))
        .outerjoin(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
    )


def _voter(row: Any) -> dict[str, str] | None:
    return None if row.name is None else {"name": row.name, "organisation": row.organisation or ""}


def counted(
    connection: Connection, ballot_id: int, base_url: str, *, random: Random | None = None
) -> Counted:
    """The result and the log of a ballot that has closed. `random` shuffles the votes: only where they are invented.

    :raises NotFound: there is no such ballot
    """
    found = tally(connection, ballot_id)
    votes = _published(found)
    (random or SystemRandom()).shuffle(votes)
    head = _head(connection, found.ballot, found.election, base_url)
    log = ballot_log.build(head, votes, found.result, sign=seal.sign, public_key=seal.public_key())
    return Counted(found.result, _beside(connection, found.ballot, found.election), log)


def tally(connection: Connection, ballot_id: int) -> Tallied:
    """Read the votes of a ballot, however it stands, and count them by its rule.

    :raises NotFound: there is no such ballot
    """
    ballot = _view(connection, ballot_id)
    votes, beside = _votes(connection, ballot)
    eligible = ballots.eligible(connection, ballot)
    election = sector_rule.pooled(Election(ballot.options, ballot.settings, votes, eligible))
    return Tallied(ballot, election, beside, counts.to_json(counts.count(election)))


def _published(found: Tallied) -> list[dict[str, Any]]:
    """The votes as the log holds them; none, where they are withheld."""
    if found.election.withheld:
        return []
    return [
        ballot_log.vote(receipt, vote.sector, vote.choice, voter)
        for vote, (receipt, voter) in zip(found.election.votes, found.beside, strict=True)
    ]


def _beside(connection: Connection, ballot: BallotView, election: Election) -> dict[str, Any]:
    """What the result page shows next to the result: other rules, other methods, the map, turnout, interests."""
    return {
        "rules": {
            rule: {"winners": list(found.winners), "order": list(found.order), "passed": found.passed}
            for rule, found in counts.under_rules(election).items()
        },
        "methods": {method: list(winners) for method, winners in counts.under_methods(election).items()},
        "map": opinion_map.to_json(opinion_map.of_election(election)),
        "turnout": _turnout(connection, ballot, together=bool(election.too_small)),
    }


def _turnout(connection: Connection, ballot: BallotView, *, together: bool) -> list[dict[str, Any]]:
    """First votes hour by hour and sector by sector; of all together where a sector is too small to be told apart."""
    found: dict[str, dict[str, int]] = {}
    for row in ballots.turnout(connection, ballot.id):
        hours = found.setdefault("" if together else row.sector, {})
        hour = clock.rfc3339(row.hour)
        hours[hour] = hours.get(hour, 0) + row.voters
    hourly = [
        {"hour": hour, "sector": sector, "voters": voters}
        for sector, hours in found.items()
        for hour, voters in _without_withdrawals(hours).items()
    ]
    return sorted(hourly, key=lambda row: (row["hour"], row["sector"]))


def _without_withdrawals(hours: Mapping[str, int]) -> dict[str, int]:
    """First votes by hour, those taken back in a later hour left out of the newest hours before it that had any."""
    left: dict[str, int] = {}
    owed = 0
    for hour in sorted(hours, reverse=True):
        voters = hours[hour] - owed
        owed = max(-voters, 0)
        if voters > 0:
            left[hour] = voters
    return left


def _head(connection: Connection, ballot: BallotView, election: Election, base_url: str) -> dict[str, Any]:
    """All that decides the result and says what was decided on, as the log's head has it."""
    return ballot_log.head(
        election,
        installation=base_url,
        ballot=ballot.id,
        title=ballot.title,
        programme=ballot.programme_name,
        challenge=ballot.challenge_title,
        mode=ballot.mode,
        unit=ballot.unit,
        seed=ballot.seed,
        titles={solution.key: solution.title for solution in ballot.solutions},
        opens_at=clock.rfc3339(ballot.opens_at),
        closes_at=clock.rfc3339(ballot.closes_at),
        changes=[
            {
                "kind": row.kind,
                "reason": row.reason,
                "by": row.by,
                "at": clock.rfc3339(row.changed_at),
                "from": clock.rfc3339(row.closed_at),
                "to": clock.rfc3339(row.closes_at),
            }
            for row in ballots.changes(connection, ballot.id)
        ],
        roll=ballots.roll_size(connection, ballot.id),
    )


def _destroy(tx: Transaction, ballot_id: int) -> None:
    """Delete the votes under their pseudonyms and the key of these; SQLite writes noughts over what it deletes."""
    if tx.dialect == "sqlite":
        tx.execute(text("PRAGMA secure_delete = ON"))
    tx.execute(delete(VOTE).where(VOTE.c.ballot_id == ballot_id))
    tx.execute(delete(BALLOT_KEY).where(BALLOT_KEY.c.ballot_id == ballot_id))
    if tx.dialect == "sqlite":
        tx.execute(text("PRAGMA secure_delete = OFF"))


def _write_votes(
    tx: Transaction, ballot_id: int, programme_id: int, votes: Sequence[Mapping[str, Any]]
) -> None:
    rows = [
        {
            "ballot_id": ballot_id,
            "position": position,
            "programme_id": programme_id,
            "receipt": vote["receipt"],
            "sector": vote["sector"],
            "choice": canonical(vote["choice"]).decode(),
            "voter": vote.get("voter"),
            "leaf_hash": ballot_log.leaf_hash(ballot_id, vote),
        }
        for position, vote in enumerate(votes)
    ]
    for start in range(0, len(rows), AT_ONCE):
        tx.execute(insert(PUBLISHED), rows[start : start + AT_ONCE])


def _entry(row: Any) -> dict[str, Any]:
    return ballot_log.vote(row.receipt, row.sector, json.loads(row.choice), row.voter)


def _tell(tx: Transaction, ballot: BallotView, counted: Counted) -> None:
    """The result to all who could vote, and the root of the log to observers and coordinators, who keep it."""
    people = tx.execute(select(MEMBERSHIP.c.person_id).where(ballots.may_vote(ballot))).scalars()
    common: dict[str, Any] = {"programme_id": ballot.programme_id, "ballot_id": ballot.id}
    notices.tell(tx, people.all(), "ballot_counted", **common)
    keepers = tx.execute(
        select(MEMBERSHIP.c.person_id).where(
            MEMBERSHIP.c.programme_id == ballot.programme_id,
            MEMBERSHIP.c.ended_at.is_(None),
            MEMBERSHIP.c.role.in_(("observer", "coordinator")),
        )
    ).scalars()
    data = {"root": counted.log["tree"]["root"], "key": seal.fingerprint(seal.public_key())}
    notices.tell(tx, keepers.all(), "ballot_sealed", data=data, **common)
