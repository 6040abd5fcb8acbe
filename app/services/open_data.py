"""Open data: a coordinator lets everyone have a programme's data, under a licence, and takes that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotFound
from app.lib import clock
from app.lib.i18n import N_
from app.models import OpenData, OpenFile, Programme
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require, require_fresh
from app.schemas import text
from app.services import logins, open_data_files
from app.services.events import record
from app.services.open_data_files import File
from app.services.programmes import ProgrammeView, by_id

OPEN_DATA = table(OpenData)
OPEN_FILE = table(OpenFile)
PROGRAMME = table(Programme)

LICENCES: Final = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}
"""Under which data may be opened, each with where it stands; the first one is usual."""

MADE_EVERY: Final = timedelta(days=1)
"""How often files are made anew: seldom enough that nobody sees one idea come."""


@dataclass(frozen=True, slots=True)
class OpenDataView:
    """What a programme has opened. While it has not, `opened_at` is None and the rest is empty."""

    programme_id: int
    licence: str = "CC-BY-4.0"
    description: str = ""
    publisher: str = ""
    contact: str = ""
    with_texts: bool = False
    opened_at: datetime | None = None
    made_at: datetime | None = None
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether everyone may have it."""
        return self.opened_at is not None

    @property
    def licence_address(self) -> str:
        """Where its licence stands."""
        return LICENCES[self.licence]


@dataclass(frozen=True, slots=True)
class FileView:
    """What is told of a file: its name (`ideas.csv`), the `table` it holds and in which `form`."""

    name: str
    digest: str
    size_bytes: int
    rows: int
    changed_at: datetime

    @property
    def table(self) -> str:
        """The table that it holds."""
        return self.name.rpartition(".")[0]

    @property
    def form(self) -> str:
        """`csv` or `jsonl`."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a programme, made as its open data of that version has it, opened at that instant."""

    programme_id: int
    version: int
    opened_at: datetime
    files: Sequence[File]


# queries


def find(connection: Connection, programme: ProgrammeView) -> OpenDataView:
    """What a programme has opened, or nothing yet. What is for members alone is never open. One statement."""
    is_public = programme.visibility == "public"
    return _stored(connection, programme.id) if is_public else OpenDataView(programme.id)


def for_coordinators(connection: Connection, actor: Actor, programme: ProgrammeView) -> OpenDataView:
    """The same for who may change it.

    :raises NotAllowed: the actor may not
    """
    require(actor, Permission.OPEN_DATA, programme)
    return find(connection, programme)


def published(connection: Connection, programme: ProgrammeView) -> OpenDataView:
    """The same for everyone.

    :raises NotFound: the programme has opened nothing
    """
    view = find(connection, programme)
    if not view.is_open:
        raise NotFound(N_("This programme does not offer open data."))
    return view


def files(connection: Connection, programme_id: int) -> list[FileView]:
    """What files there are, in the order of tables. One statement."""
    columns = [OPEN_FILE.c[name] for name in ("name", "digest", "size_bytes", "rows", "changed_at")]
    rows = connection.execute(select(*columns).where(OPEN_FILE.c.programme_id == programme_id))
    found = {row.name: FileView(*row) for row in rows}
    names = (f"{of}.{form}" for of in open_data_files.TABLES for form in open_data_files.FORMS)
    return [found[name] for name in names if name in found]


def content(connection: Connection, programme: ProgrammeView, name: str) -> tuple[str, bytes]:
    """The digest and the content of a file. Two statements.

    :raises NotFound: the programme has opened nothing, or there is no such file
    """
    published(connection, programme)
    row = connection.execute(
        select(OPEN_FILE.c.digest, OPEN_FILE.c.content).where(
            OPEN_FILE.c.programme_id == programme.id, OPEN_FILE.c.name == name
        )
    ).first()
    if row is None:
        raise NotFound(N_("There is no such file."))
    return row.digest, row.content


def due(connection: Connection) -> list[int]:
    """The ids of programmes whose files are to be made, or made anew."""
    is_old = or_(OPEN_DATA.c.made_at.is_(None), OPEN_DATA.c.made_at <= clock.now() - MADE_EVERY)
    rows = connection.execute(
        select(OPEN_DATA.c.programme_id)
        .join(PROGRAMME, PROGRAMME.c.id == OPEN_DATA.c.programme_id)
        .where(is_old, PROGRAMME.c.visibility == "public")
        .order_by(OPEN_DATA.c.programme_id)
    )
    return list(rows.scalars())


def make(connection: Connection, programme_id: int, base_url: str) -> Made | None:
    """The files of a programme, made now; None if it has nothing open."""
    programme = by_id(connection, programme_id)
    if programme is None or (view := find(connection, programme)).opened_at is None:
        return None
    made = open_data_files.make(connection, programme, base_url, texts=view.with_texts)
    return Made(programme_id, view.version, view.opened_at, made)


# verbs


def set_up(
    tx: Transaction, actor: Actor, programme: ProgrammeView, *, version: int | None = None, **changes: Any
) -> OpenDataView:
    """Open a programme's data, or change how: `licence`, `description`, `publisher`, `contact`, `with_texts`.

    The files are made soon after, by the clock.

    :raises NotAllowed: the actor may not
    :raises NotFresh: they have to sign in once more, or to send a token for administration
    :raises Conflict: the programme is for its members alone
    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: the licence is none of ours, a text is missing or too long, the contact is no mail address
    """
    require(actor, Permission.OPEN_DATA, programme)
    require_fresh(actor)
    before = _held(tx, programme, version)
    if programme.visibility != "public":
        raise Conflict(N_("This programme is for its members alone. What is not public cannot be open data."))
    values = _checked({name: getattr(before, name) for name in _GIVEN} | changes)
    values |= {"version": before.version + 1, "updated_at": tx.now, "made_at": None}
    if before.is_open:
        tx.execute(update(OPEN_DATA).where(OPEN_DATA.c.programme_id == programme.id).values(values))
    else:
        beginning = {"programme_id": programme.id, "created_at": tx.now, "opened_at": tx.now}
        tx.execute(OPEN_DATA.insert(), {**beginning, **values})
    # What it said before must not be told any longer than it takes to make it anew.
    tx.execute(delete(OPEN_FILE).where(OPEN_FILE.c.programme_id == programme.id))
    _record(tx, "open_data.changed" if before.is_open else "open_data.opened", actor, programme, values)
    return find(tx.connection, programme)


def close(tx: Transaction, actor: Actor, programme: ProgrammeView, *, version: int | None = None) -> None:
    """Take open data back at once, files and all; asked again, nothing more happens.

    :raises NotAllowed: the actor may not
    :raises Moved: `version` is given and no longer the newest
    """
    require(actor, Permission.OPEN_DATA, programme)
    before = _held(tx, programme, version)
    if not before.is_open:
        return
    for of in (OPEN_FILE, OPEN_DATA):
        tx.execute(delete(of).where(of.c.programme_id == programme.id))
    _record(tx, "open_data.closed", actor, programme, {})


def keep(tx: Transaction, made: Made) -> bool:
    """Put files in the place of those before; whether they were still wanted so. What did not change keeps its date."""
    wanted = tx.execute(
        select(OPEN_DATA.c.version)
        .where(
            OPEN_DATA.c.programme_id == made.programme_id,
            OPEN_DATA.c.version == made.version,
            OPEN_DATA.c.opened_at == made.opened_at,
        )
        .with_for_update()
    ).first()
    if wanted is None:
        return False
    known = {file.name: file for file in files(tx.connection, made.programme_id)}
    new = [file for file in made.files if file.name not in known or known[file.name].digest != file.digest]
    of_programme = OPEN_FILE.c.programme_id == made.programme_id
    tx.execute(delete(OPEN_FILE).where(of_programme, OPEN_FILE.c.name.in_([file.name for file in new])))
    for file in new:
        tx.execute(
            OPEN_FILE.insert(),
            {
                "programme_id": made.programme_id,
                "name": file.name,
                "content": file.content,
                "digest": file.digest,
                "size_bytes": len(file.content),
                "rows": file.rows,
                "changed_at": tx.now,
            },
        )
    is_it = OPEN_DATA.c.programme_id == made.programme_id
    tx.execute(update(OPEN_DATA).where(is_it).values(made_at=tx.now))
    return True


# within

_GIVEN: Final = ("licence", "description", "publisher", "contact", "with_texts")


def _held(tx: Transaction, programme: ProgrammeView, version: int | None) -> OpenDataView:
    """What is open now, with the programme's row held, so that of two at once the second sees the first."""
    tx.execute(select(PROGRAMME.c.id).where(PROGRAMME.c.id == programme.id).with_for_update())
    before = _stored(tx.connection, programme.id)
    if version is not None and version != before.version:
        raise Moved(N_("Someone has changed this in the meantime."), current=before.version)
    return before


def _stored(connection: Connection, programme_id: int) -> OpenDataView:
    row = connection.execute(select(OPEN_DATA).where(OPEN_DATA.c.programme_id == programme_id)).first()
    return OpenDataView(programme_id) if row is None else OpenDataView(**row._mapping)  # noqa: SLF001 -- public


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    publisher, errors = text.line("publisher", given["publisher"], most=160)
    description, more = text.passage("description", given["description"], most=2000)
    errors += more
    contact = logins.address(given["contact"])
    if contact is None:
        errors.append(FieldError("contact", N_("Please write a mail address such as name@example.org.")))
    if given["licence"] not in LICENCES:
        errors.append(FieldError("licence", N_("Please choose one of the licences in the list.")))
    if errors:
        raise Invalid(*errors)
    return given | {"publisher": publisher, "description": description, "contact": contact}


def _record(
    tx: Transaction, type: str, actor: Actor, programme: ProgrammeView, values: dict[str, Any]
) -> None:
    data: dict[str, Any] = {name: values[name] for name in ("licence", "with_texts") if name in values}
    record(tx, type, actor, programme_id=programme.id, subject_id=programme.id, data=data)
