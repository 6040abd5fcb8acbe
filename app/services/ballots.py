"""Ballots: formal decisions over solutions, as people find them, and who may vote."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Row,
    ScalarSelect,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.database import Transaction, present
from app.errors import NotFound
from app.lib.i18n import N_
from app.methods.election import Option, Settings
from app.methods.shuffle import shuffled
from app.models import (
    Ballot,
    BallotChange,
    BallotOption,
    Challenge,
    Event,
    Interest,
    Membership,
    Organisation,
    Person,
    Programme,
    RollEntry,
    Sector,
    Turnout,
)
from app.models.ballot import SECRET
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import solutions
from app.services.actors import is_human
from app.services.solutions import SolutionView

BALLOT = table(Ballot)
BALLOT_OPTION = table(BallotOption)
BALLOT_CHANGE = table(BallotChange)
CHALLENGE = table(Challenge)
EVENT = table(Event)
PROGRAMME = table(Programme)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
SECTOR = table(Sector)
ROLL = table(RollEntry)
TURNOUT = table(Turnout)
INTEREST = table(Interest)

VOTERS: Final = ("participant", "facilitator", "host", "sponsor", "coordinator")
"""The roles that may be let to vote; an observer never is."""

SCHEDULED, OPEN, COUNTING, CLOSED, CANCELLED = "scheduled", "open", "counting", "closed", "cancelled"


@dataclass(frozen=True, slots=True)
class Voter:
    """What decides whether someone may vote: their place in the programme now."""

    role: str
    sector_id: int
    sector_key: str
    organisation_id: int
    member_since: datetime


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why someone may not vote: a msgid and its values."""

    message: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BallotView:
    """A ballot as its page and the API show it to one reader.

    `now` is the database's clock. `sectors` and `organisations` are those whose people may vote (empty: all). `voter`
    is the reader's place in the programme, `has_voted` whether the roll names them.
    """

    id: int
    programme_id: int
    programme_slug: str
    programme_name: str
    challenge_id: int
    challenge_title: str
    challenge_language: str
    title: str
    explanation: str
    explanation_html: str
    language: str
    method: str
    rule: str
    mode: str
    unit: str
    settings: Settings
    roles: tuple[str, ...]
    sectors: tuple[str, ...]
    organisations: tuple[int, ...]
    member_since: datetime
    tallies_live: bool
    opens_at: datetime
    closes_at: datetime
    reminder_hours: int
    reminded_at: datetime | None
    announced_at: datetime | None
    seed: str
    made_by: int
    live_tally: Mapping[str, Any] | None
    cancelled_at: datetime | None
    counted_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    now: datetime
    voter: Voter | None
    has_voted: bool
    solutions: tuple[SolutionView, ...] = ()

    @property
    def state(self) -> str:
        """`scheduled`, `open`, `counting` (closed, its result not there yet), `closed` or `cancelled`."""
        if self.cancelled_at is not None:
            return CANCELLED
        if self.counted_at is not None:
            return CLOSED
        if self.now >= self.closes_at:
            return COUNTING
        return OPEN if self.now >= self.opens_at else SCHEDULED

    @property
    def is_secret(self) -> bool:
        """Whether nobody learns who voted how."""
        return self.mode == SECRET

    @property
    def options(self) -> tuple[Option, ...]:
        """What is voted on, as the methods take it."""
        return tuple(Option(solution.key, solution.cost) for solution in self.solutions)

    @property
    def why_not(self) -> WhyNot | None:
        """Why the reader is not among those who may vote; None if they are."""
        return why_not(self, self.voter)

    @property
    def awaits(self) -> bool:
        """Whether the reader can vote now and has not."""
        return self.state == OPEN and not self.has_voted and self.why_not is None

    def shuffled(self, person_id: int | None) -> tuple[SolutionView, ...]:
        """The solutions in this person's own order, so that no place on the page is better for anyone."""
        order = shuffled((solution.key for solution in self.solutions), self.seed, f"person {person_id}")
        places = {key: place for place, key in enumerate(order)}
        return tuple(sorted(self.solutions, key=lambda solution: places[solution.key]))


@dataclass(frozen=True, slots=True)
class Board:
    """The version of a challenge's board (the id of its newest event), and the ballots over its solutions."""

    event_id: int
    ballots: tuple[BallotView, ...]


def why_not(ballot: Any, voter: Voter | None) -> WhyNot | None:
    """Why `voter` is not among those who may vote on `ballot` (its roles, sectors, organisations, member_since)."""
    if voter is None:
        return WhyNot(N_("Only members of this programme can vote."), {})
    if voter.role not in VOTERS:
        return WhyNot(N_("Observers follow a ballot and check its result; they do not vote."), {})
    if ballot.roles and voter.role not in ballot.roles:
        return WhyNot(N_("Your role in this programme does not vote here."), {})
    if ballot.sectors and voter.sector_key not in ballot.sectors:
        return WhyNot(N_("Your sector does not vote here."), {})
    if ballot.organisations and voter.organisation_id not in ballot.organisations:
        return WhyNot(N_("Your organisation does not vote here."), {})
    if voter.member_since > ballot.member_since:
        return WhyNot(N_("You joined after the day from which on members can vote here."), {})
    return None


# queries


def find(connection: Connection, actor: Actor, ballot_id: int) -> BallotView:
    """One ballot with its solutions. Three statements.

    :raises NotFound: there is none, or the actor may not see it
    """
    chosen = selection(connection, actor).where(BALLOT.c.id == bindparam("ballot"))
    row = connection.execute(chosen, {"ballot": ballot_id}).first()
    if row is None or not may(actor, Permission.READ_BALLOT, row):
        raise NotFound(N_("There is no such ballot, or it is not open to you."))
    return replace(view(row), solutions=tuple(solutions.on_ballot(connection, ballot_id)))


def on_challenge(
    connection: Connection, actor: Actor, challenge_id: int, *, after: int = 0, limit: int = 50
) -> list[BallotView]:
    """A challenge's ballots with ids greater than `after`, by id, without those taken back; each without solutions."""
    chosen = (
        selection(connection, actor)
        .where(BALLOT.c.challenge_id == challenge_id, BALLOT.c.id > after, BALLOT.c.cancelled_at.is_(None))
        .order_by(BALLOT.c.id)
        .limit(limit)
    )
    rows = connection.execute(chosen).all()
    return [view(row) for row in rows if may(actor, Permission.READ_BALLOT, row)]


def on_board(connection: Connection, actor: Actor, challenge_id: int) -> Board:
    """What a challenge's board needs of its events and ballots, in one statement: the caller has asked the policy.

    At most `ON_BOARD` ballots, the newest, those first that are not counted yet; each without solutions.
    """
    named = {"challenge": challenge_id, "person": actor.person_id}
    rows = connection.execute(_on_board(connection.dialect.name), named).all()
    return Board(rows[0].event_id or 0, tuple(view(row) for row in rows if row.id is not None))


ON_BOARD: Final = 20


@lru_cache
def _on_board(dialect: str) -> Select[Any]:
    """The newest event's id, beside it the ballots if there are any."""
    found = (
        _selection(dialect, bindparam("person"))
        .where(BALLOT.c.challenge_id == bindparam("challenge"), BALLOT.c.cancelled_at.is_(None))
        .order_by(BALLOT.c.counted_at.is_not(None), BALLOT.c.id.desc())
        .limit(ON_BOARD)
        .subquery("found")
    )
    newest = (
        select(func.max(EVENT.c.id).label("event_id"))
        .where(EVENT.c.challenge_id == bindparam("challenge"))
        .subquery("newest")
    )
    return (
        select(newest.c.event_id, found)
        .select_from(newest)
        .outerjoin(found, true())
        .order_by(found.c.counted_at.is_not(None), found.c.id.desc())
    )


def waiting_for(connection: Connection, actor: Actor) -> list[BallotView]:
    """The open ballots on which `actor` can vote and has not, the first to close first. One statement."""
    if not actor.memberships:
        return []
    now = present(connection.dialect.name)
    chosen = (
        selection(connection, actor)
        .where(
            BALLOT.c.programme_id.in_(sorted(actor.memberships)),
            BALLOT.c.counted_at.is_(None),
            BALLOT.c.cancelled_at.is_(None),
            BALLOT.c.opens_at <= now,
            BALLOT.c.closes_at > now,
            ROLL.c.person_id.is_(None),
        )
        .order_by(BALLOT.c.closes_at, BALLOT.c.id)
    )
    return [ballot for row in connection.execute(chosen) if (ballot := view(row)).awaits]


def changes(connection: Connection, ballot_id: int) -> Sequence[Any]:
    """How a ballot was extended or closed early: kind, reason, closed_at (as it was), closes_at, by, changed_at."""
    return connection.execute(_changes().where(BALLOT_CHANGE.c.ballot_id == ballot_id)).all()


def changes_of(connection: Connection, ballot_ids: Sequence[int]) -> dict[int, list[Any]]:
    """What `changes` tells, of several ballots, by their ids. One statement."""
    found: dict[int, list[Any]] = {ballot_id: [] for ballot_id in ballot_ids}
    for row in connection.execute(_changes().where(BALLOT_CHANGE.c.ballot_id.in_(list(found)))):
        found[row.ballot_id].append(row)
    return found


def _changes() -> Select[Any]:
    return (
        select(BALLOT_CHANGE, PERSON.c.name.label("by"))
        .join(PERSON, PERSON.c.id == BALLOT_CHANGE.c.changed_by)
        .order_by(BALLOT_CHANGE.c.id)
    )


def interests(connection: Connection, ballot_id: int) -> Sequence[Any]:
    """Declared conflicts of interest: person_id, name, organisation, solution_id, statement."""
    return connection.execute(
        select(
            INTEREST.c.person_id,
            INTEREST.c.solution_id,
            INTEREST.c.statement,
            PERSON.c.name,
            ORGANISATION.c.name.label("organisation"),
        )
        .join(PERSON, PERSON.c.id == INTEREST.c.person_id)
        .outerjoin(MEMBERSHIP, MEMBERSHIP.c.id == last_place(INTEREST))
        .outerjoin(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .where(INTEREST.c.ballot_id == ballot_id)
        .order_by(INTEREST.c.solution_id, PERSON.c.name, INTEREST.c.person_id)
    ).all()


def sectors(connection: Connection, programme_id: int) -> Sequence[Any]:
    """A programme's sectors in its order: id, key, name."""
    return connection.execute(
        select(SECTOR.c.id, SECTOR.c.key, SECTOR.c.name)
        .where(SECTOR.c.programme_id == programme_id)
        .order_by(SECTOR.c.position, SECTOR.c.id)
    ).all()


def eligible(connection: Connection, ballot: Any) -> dict[str, int]:
    """How many people may vote, by the key of their sector, for each sector that votes, in the programme's order.

    `ballot` has an id (None before it is made), roles, sectors, organisations and member_since. Whoever has voted
    counts for the sector that they voted for, even if they have left it since. One statement.
    """
    waiting = select(MEMBERSHIP.c.sector_id).where(_is_among(ballot), ~_is_on_roll(ballot))
    voted = select(ROLL.c.sector_id).where(ROLL.c.ballot_id == (ballot.id or 0))
    people = waiting.union_all(voted).subquery()
    counted = select(people.c.sector_id, func.count().label("people")).group_by(people.c.sector_id).subquery()
    rows = connection.execute(
        select(SECTOR.c.key, func.coalesce(counted.c.people, 0))
        .outerjoin(counted, counted.c.sector_id == SECTOR.c.id)
        .where(SECTOR.c.programme_id == ballot.programme_id)
        .order_by(SECTOR.c.position, SECTOR.c.id)
    )
    return {key: people for key, people in rows if not ballot.sectors or key in ballot.sectors}


def roll_size(connection: Connection, ballot_id: int) -> int:
    """How many people have voted. One statement, over as many rows."""
    return connection.execute(
        select(func.count()).select_from(ROLL).where(ROLL.c.ballot_id == ballot_id)
    ).scalar_one()


def turnout(connection: Connection, ballot_id: int) -> Sequence[Any]:
    """Who took part, hour by hour: hour, sector (its key), voters, changes."""
    return connection.execute(
        select(TURNOUT.c.hour, SECTOR.c.key.label("sector"), TURNOUT.c.voters, TURNOUT.c.changes)
        .join(SECTOR, SECTOR.c.id == TURNOUT.c.sector_id)
        .where(TURNOUT.c.ballot_id == ballot_id)
        .order_by(TURNOUT.c.hour, SECTOR.c.position)
    ).all()


def may_vote(ballot: Any) -> ColumnElement[bool]:
    """The condition that a membership may vote on `ballot` or has: what `why_not` says, for many at once."""
    return or_(_is_among(ballot), and_(_is_of(ballot), _is_on_roll(ballot)))


def last_place(of: Table) -> ScalarSelect[Any]:
    """The id of the newest membership, ended or not, that the person of a row of `of` has in its programme."""
    places = MEMBERSHIP.alias("places")
    return (
        select(func.max(places.c.id))
        .where(places.c.person_id == of.c.person_id, places.c.programme_id == of.c.programme_id)
        .correlate(of)
        .scalar_subquery()
    )


def member_since(ballot_since: Any) -> ScalarSelect[Any]:
    """Since when the person of a membership takes part without a break: a change of employer takes no vote away.

    Places that ended before `ballot_since`, from when on the ballot wants people to be there, do not count.
    """
    places = MEMBERSHIP.alias("places")
    return (
        select(func.min(places.c.created_at, type_=MEMBERSHIP.c.created_at.type))
        .where(
            places.c.person_id == MEMBERSHIP.c.person_id,
            places.c.programme_id == MEMBERSHIP.c.programme_id,
            or_(places.c.ended_at.is_(None), places.c.ended_at > ballot_since),
        )
        .correlate_except(places)
        .scalar_subquery()
    )


def _is_among(ballot: Any) -> ColumnElement[bool]:
    """The condition that a membership is among those who may vote now."""
    roles = [role for role in VOTERS if not ballot.roles or role in ballot.roles]
    is_there = exists().where(PERSON.c.id == MEMBERSHIP.c.person_id, PERSON.c.disabled_at.is_(None))
    conditions = [
        _is_of(ballot),
        MEMBERSHIP.c.role.in_(roles),
        or_(
            MEMBERSHIP.c.created_at <= ballot.member_since,
            member_since(ballot.member_since) <= ballot.member_since,
        ),
        MEMBERSHIP.c.ended_at.is_(None),
        is_there,
        is_human(MEMBERSHIP.c.person_id),
    ]
    if ballot.organisations:
        conditions.append(MEMBERSHIP.c.organisation_id.in_(ballot.organisations))
    if ballot.sectors:
        keys = select(SECTOR.c.id).where(
            SECTOR.c.programme_id == ballot.programme_id, SECTOR.c.key.in_(ballot.sectors)
        )
        conditions.append(MEMBERSHIP.c.sector_id.in_(keys))
    return and_(*conditions)


def _is_of(ballot: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = MEMBERSHIP.c.programme_id == ballot.programme_id
    return found


def _is_on_roll(ballot: Any) -> ColumnElement[bool]:
    """The condition that a membership's person has voted."""
    return exists().where(ROLL.c.ballot_id == (ballot.id or 0), ROLL.c.person_id == MEMBERSHIP.c.person_id)


# for the other services of ballots


def take_turns(tx: Transaction, ballot_ids: Iterable[int]) -> None:
    """Let processes vote on, change and close one ballot after another, until the commit.

    The clock is read in a later statement, so never before the turn has come. Turns are taken in the order of ids, so
    that two batches cannot wait for each other. SQLite has one writer at a time anyway.
    """
    if tx.dialect == "postgresql":
        for ballot_id in sorted({each for each in ballot_ids if each < MOST_ID}):
            tx.execute(_TURN, {"turn": TURN_LOCKS + ballot_id})


TURN_LOCKS: Final = 0x706662 << 40
"""Where the PostgreSQL advisory locks of ballots begin: to it a ballot's id is added."""

MOST_ID: Final = 1 << 40
"""No ballot has an id from here on, and the lock's number would not fit."""

_TURN: Final = text("SELECT pg_advisory_xact_lock(:turn)")


def selection(connection: Connection, actor: Actor) -> Select[Any]:
    """Ballots whose challenge is not deleted, each with the reader's place in the programme and on the roll."""
    return _selection(connection.dialect.name, actor.person_id).where(CHALLENGE.c.deleted_at.is_(None))


def any_selection(connection: Connection) -> Select[Any]:
    """The same of every ballot, as nobody in particular sees it: for what must be done with it all the same."""
    return _selection(connection.dialect.name, None)


def _selection(dialect: str, person_id: Any) -> Select[Any]:
    return (
        select(
            BALLOT,
            PROGRAMME.c.slug.label("programme_slug"),
            PROGRAMME.c.name.label("programme_name"),
            CHALLENGE.c.title.label("challenge_title"),
            CHALLENGE.c.language.label("challenge_language"),
            present(dialect).label("now"),
            *VOTER_COLUMNS,
            ROLL.c.person_id.label("voted_id"),
        )
        .select_from(BALLOT)
        .join(PROGRAMME, PROGRAMME.c.id == BALLOT.c.programme_id)
        .join(CHALLENGE, CHALLENGE.c.id == BALLOT.c.challenge_id)
        .outerjoin(
            MEMBERSHIP,
            and_(
                MEMBERSHIP.c.programme_id == BALLOT.c.programme_id,
                MEMBERSHIP.c.person_id == person_id,
                MEMBERSHIP.c.ended_at.is_(None),
            ),
        )
        .outerjoin(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .outerjoin(ROLL, and_(ROLL.c.ballot_id == BALLOT.c.id, ROLL.c.person_id == person_id))
    )


VOTER_COLUMNS: Final = (
    MEMBERSHIP.c.role.label("voter_role"),
    MEMBERSHIP.c.sector_id.label("voter_sector_id"),
    MEMBERSHIP.c.organisation_id.label("voter_organisation_id"),
    member_since(BALLOT.c.member_since).label("voter_member_since"),
    SECTOR.c.key.label("voter_sector_key"),
)


def voter_of(row: Any) -> Voter | None:
    """The voter of a row that carries `VOTER_COLUMNS`."""
    if row.voter_role is None:
        return None
    return Voter(
        role=row.voter_role,
        sector_id=row.voter_sector_id,
        sector_key=row.voter_sector_key,
        organisation_id=row.voter_organisation_id,
        member_since=row.voter_member_since,
    )


def settings_of(row: Any) -> Settings:
    """The settings of a ballot's row, as the methods take them."""
    return Settings(
        method=row.method,
        rule=row.rule,
        tie_order=tuple(row.tie_order),
        secret=row.mode == SECRET,
        **row.settings,
    )


def view(row: Row[Any]) -> BallotView:
    """A row of `selection` as a view, without solutions."""
    same = {name: getattr(row, name) for name in _SAME}
    return BallotView(
        **same,
        settings=settings_of(row),
        roles=tuple(row.eligibility.get("roles", ())),
        sectors=tuple(row.eligibility.get("sectors", ())),
        organisations=tuple(row.eligibility.get("organisations", ())),
        voter=voter_of(row),
        has_voted=row.voted_id is not None,
    )


_SAME: Final = tuple(
    name
    for name in BallotView.__slots__
    if name not in ("settings", "roles", "sectors", "organisations", "voter", "has_voted", "solutions")
)
