"""Cards: what of an idea is shown to everyone alike, read for any number of them in two statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, literal, select
from sqlalchemy.engine import Connection

from app.methods import bridging
from app.models import Idea, Organisation, Person, Pin, Sector, Tally
from app.models.base import table
from app.models.idea import OPEN
from app.models.support import ALL
from app.services import phases
from app.services.phases import PhaseView
from app.services.programmes import SectorRef

IDEA = table(Idea)
PERSON = table(Person)
ORGANISATION = table(Organisation)
SECTOR = table(Sector)
PIN = table(Pin)
TALLY = table(Tally)


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an idea that is not anonymous."""

    name: str
    organisation: str


@dataclass(frozen=True, slots=True)
class SectorCount:
    """How many people of one sector support an idea."""

    key: str
    name: str
    people: int


@dataclass(frozen=True, slots=True)
class TallyView:
    """An idea's support. `bridging` is the least sector's share, 0 to 1; `bridges`: every sector supports it."""

    total: int
    sectors: tuple[SectorCount, ...]
    bridging: float
    bridges: bool


@dataclass(frozen=True, slots=True)
class Card:
    """An idea as its card shows it, the same for every viewer. `tally` is None while it is hidden."""

    id: int
    programme_id: int
    challenge_id: int
    title: str
    body_html: str
    language: str
    state: str
    anonymous: bool
    author: Author | None
    sector: SectorRef
    cluster_id: int | None
    pinned: bool
    comments: int
    version: int
    created_at: datetime
    updated_at: datetime
    tally: TallyView | None

    @property
    def has_body(self) -> bool:
        """Whether there is more to read than the title."""
        return bool(self.body_html)


@dataclass(frozen=True, slots=True)
class Counts:
    """The tallies of some ideas of one board, and who is active on it, by sector."""

    sectors: tuple[SectorRef, ...]
    ideas: Mapping[int, Mapping[str, int]]

    def of(self, idea_id: int) -> TallyView:
        """One idea's tally."""
        people = self.ideas.get(idea_id, {})
        active = self.ideas.get(ALL, {})
        return tally(self.sectors, people, active)


COLUMNS = (
    IDEA.c.id,
    IDEA.c.programme_id,
    IDEA.c.challenge_id,
    IDEA.c.title,
    IDEA.c.body_html,
    IDEA.c.language,
    IDEA.c.state,
    IDEA.c.anonymous,
    IDEA.c.author_id,
    IDEA.c.cluster_id,
    IDEA.c.merged_into_id,
    IDEA.c.comments,
    IDEA.c.version,
    IDEA.c.created_at,
    IDEA.c.updated_at,
    PERSON.c.name.label("author_name"),
    ORGANISATION.c.name.label("organisation"),
    SECTOR.c.key.label("sector_key"),
    SECTOR.c.name.label("sector_name"),
    PIN.c.idea_id.label("pin"),
)


def selection(*more: Any) -> Select[Any]:
    """The statement that reads the columns of cards, and `more`."""
    return (
        select(*COLUMNS, *more)
        .select_from(IDEA)
        .join(PERSON, PERSON.c.id == IDEA.c.author_id)
        .join(ORGANISATION, ORGANISATION.c.id == IDEA.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == IDEA.c.sector_id)
        .outerjoin(PIN, PIN.c.idea_id == IDEA.c.id)
    )


def on_board(
    connection: Connection, challenge_id: int, idea_ids: Sequence[int]
) -> tuple[list[Card], set[int], PhaseView]:
    """Those of `idea_ids` that show on the challenge's board now, the ids of those that do not, and the phase."""
    phase = phase_now(connection, challenge_id)
    rows = connection.execute(
        selection().where(IDEA.c.challenge_id == challenge_id, IDEA.c.id.in_(idea_ids), IDEA.c.state == OPEN)
    ).all()
    found = from_rows(connection, rows, tallies=phase.tallies)
    return found, set(idea_ids) - {card.id for card in found}, phase


def phase_now(connection: Connection, challenge_id: int) -> PhaseView:
    """The phase in force; `NO_PHASE` before the first and after the last one."""
    row = connection.execute(select(*phases.selected()).where(phases.in_force(literal(challenge_id)))).first()
    return phases.from_row(row)


def from_rows(connection: Connection, rows: Sequence[Row[Any]], *, tallies: bool) -> list[Card]:
    """The cards of rows of `selection`, all of one challenge, in the same order."""
    if not rows:
        return []
    counts = None
    if tallies:
        first = rows[0]
        counts = read_counts(connection, first.programme_id, first.challenge_id, [row.id for row in rows])
    return [card(row, counts.of(row.id) if counts else None) for row in rows]


def read_counts(
    connection: Connection, programme_id: int, challenge_id: int, idea_ids: Iterable[int]
) -> Counts:
    """The tallies of these ideas and of the board as a whole, for every sector of the programme."""
    rows = connection.execute(
        select(SECTOR.c.key, SECTOR.c.name, TALLY.c.idea_id, TALLY.c.people)
        .select_from(SECTOR)
        .outerjoin(
            TALLY,
            (TALLY.c.sector_id == SECTOR.c.id)
            & (TALLY.c.challenge_id == challenge_id)
            & TALLY.c.idea_id.in_([ALL, *idea_ids]),
        )
        .where(SECTOR.c.programme_id == programme_id)
        .order_by(SECTOR.c.position, SECTOR.c.id)
    )
    sectors: dict[SectorRef, None] = {}
    ideas: dict[int, dict[str, int]] = {}
    for key, name, idea_id, people in rows:
        sectors[SectorRef(key, name)] = None
        if idea_id is not None:
            ideas.setdefault(idea_id, {})[key] = people
    return Counts(tuple(sectors), ideas)


def tally(sectors: Sequence[SectorRef], people: Mapping[str, int], active: Mapping[str, int]) -> TallyView:
    """A tally from the counts of supporters and of active people by sector key."""
    counted = tuple(SectorCount(sector.key, sector.name, people.get(sector.key, 0)) for sector in sectors)
    return TallyView(
        total=sum(count.people for count in counted),
        sectors=counted,
        bridging=bridging.score([(count.people, active.get(count.key, 0)) for count in counted]),
        bridges=bool(counted) and all(count.people for count in counted),
    )


def card(row: Any, tally: TallyView | None) -> Card:
    """One card; nobody learns from it who wrote an anonymous idea."""
    return Card(
        id=row.id,
        programme_id=row.programme_id,
        challenge_id=row.challenge_id,
        title=row.title,
        body_html=row.body_html,
        language=row.language,
        state=row.state,
        anonymous=row.anonymous,
        author=None if row.anonymous else Author(row.author_name, row.organisation),
        sector=SectorRef(row.sector_key, row.sector_name),
        cluster_id=row.cluster_id,
        pinned=row.pin is not None,
        comments=row.comments,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        tally=tally,
    )
