"""Exports: what a reader may read of a programme, as rows of one shape whatever the file, page by page.

A page is a read of its own, so that a slow reader keeps no transaction open (on SQLite a long read keeps the
write-ahead log from being emptied). What is there from the beginning to the end is in it once; what is added, changed
or taken away meanwhile may be in it or not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.errors import FieldError, Invalid
from app.lib.i18n import N_
from app.models import Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import challenges, export_boards, export_outcomes
from app.services.export_pages import Page, Wanted
from app.services.programmes import ProgrammeView

SECTOR = table(Sector)

Kind = Literal["challenges", "ideas", "comments", "results", "exchanges"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

Rows = Callable[[Connection, Actor, Wanted, int], Page]


@dataclass(frozen=True, slots=True)
class Export:
    """Rows of one kind. `columns` name what each row holds, in order."""

    kind: Kind
    wanted: Wanted
    columns: tuple[str, ...]


def choose(
    connection: Connection,
    actor: Actor,
    programme: ProgrammeView,
    kind: Kind,
    *,
    challenge_id: int | None = None,
    base_url: str,
) -> Export:
    """What will be exported: of the whole programme, or of one challenge of it.

    :raises NotAllowed: the actor is no member
    :raises NotFound: there is no such challenge for them
    :raises Invalid: exchanges of a challenge are asked for, or a challenge of another programme
    """
    _require(actor, programme, kind)
    if challenge_id is not None:
        is_of_it = challenges.find(connection, actor, challenge_id).programme_id == programme.id
        if kind == "exchanges" or not is_of_it:
            raise Invalid(
                FieldError("challenge", N_("Please choose a challenge of this programme, or none."))
            )
    sectors = connection.execute(
        select(SECTOR.c.id, SECTOR.c.key)
        .where(SECTOR.c.programme_id == programme.id)
        .order_by(SECTOR.c.position, SECTOR.c.id)
    )
    wanted = Wanted(programme, challenge_id, tuple((id, key) for id, key in sectors), base_url)
    return Export(kind, wanted, (*_COLUMNS[kind], *_by_sector(kind, wanted)))


def page(connection: Connection, actor: Actor, export: Export, after: int = 0) -> Page:
    """The rows after the id `after`, in a constant number of statements.

    :raises NotAllowed: the actor is no member, or no more
    """
    _require(actor, export.wanted.programme, export.kind)
    return _ROWS[export.kind](connection, actor, export.wanted, after)


def _require(actor: Actor, programme: ProgrammeView, kind: Kind) -> None:
    require(actor, Permission.READ_EXCHANGES if kind == "exchanges" else Permission.READ_CHALLENGE, programme)


def _by_sector(kind: Kind, wanted: Wanted) -> tuple[str, ...]:
    counts = {"ideas": ("supporters",), "results": ("yes", "votes")}.get(kind, ())
    return tuple(f"{count}_{key}" for _, key in wanted.sectors for count in counts)


_COLUMNS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "challenges": export_boards.CHALLENGES,
    "ideas": export_boards.IDEAS,
    "comments": export_boards.COMMENTS,
    "results": export_outcomes.RESULTS,
    "exchanges": export_outcomes.EXCHANGES,
}
_ROWS: Final[Mapping[Kind, Rows]] = {
    "challenges": export_boards.challenge_rows,
    "ideas": export_boards.idea_rows,
    "comments": export_boards.comment_rows,
    "results": export_outcomes.result_rows,
    "exchanges": export_outcomes.exchange_rows,
}
