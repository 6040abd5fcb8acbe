"""Imports: a file of many rows, and what became of each. A module cannot be called `import`, so this is the plural."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Index, LargeBinary
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers

ORGANISATIONS, PEOPLE, IDEAS, PLACEMENTS = "organisations", "people", "ideas", "placements"
KINDS: Final = (ORGANISATIONS, PEOPLE, IDEAS, PLACEMENTS)
"""What can be imported."""

QUEUED, RUNNING, DONE, STOPPED, FAILED, CANCELLED = (
    *("queued", "running", "done", "stopped", "failed", "cancelled"),
)
"""Stopped: it can go on. Failed: the file cannot be read. Cancelled: by whoever runs imports there."""

MADE, FINE, SKIPPED, REFUSED = "made", "fine", "skipped", "refused"
"""What becomes of a row. Fine: in a dry run, it would have been made. Skipped: it was there already."""


class Import(Dated, table=True):
    """One import. `made_by` brought the file; what is made is made in the name of `carried_by`, who let it go on.

    `attempt` counts how often it was put in line; `token_id` is the token by which it came, if by one. `reason` says
    why it stopped or failed: a msgid with values.
    """

    __table_args__ = (Index("ix_import_programme_id_id", "programme_id", "id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    challenge_id: int | None = refers("challenge.id", nullable=True)
    kind: str = Field(max_length=20)
    format: str = Field(max_length=10)
    name: str = Field(default="", max_length=160)
    size_bytes: int = 0
    dry_run: bool = False
    state: str = Field(default=QUEUED, max_length=10)
    reason: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    attempt: int = 1
    has_file: bool = True
    rows_total: int | None = None
    rows_made: int = 0
    rows_fine: int = 0
    rows_skipped: int = 0
    rows_refused: int = 0
    made_by: int = refers("person.id")
    carried_by: int = refers("person.id")
    token_id: int | None = Field(default=None, sa_type=Key, nullable=True)
    started_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)
    version: int = 1


class ImportChunk(SQLModel, table=True):
    """A piece of an import's file. It is deleted when the import has no more use for it."""

    __tablename__ = "import_chunk"

    import_id: int = Field(primary_key=True, sa_type=Key, foreign_key="import.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    programme_id: int = refers("programme.id")
    content: bytes = Field(sa_type=LargeBinary)


class ImportRow(SQLModel, table=True):
    """What became of one row, written in the transaction of its effect. `errors` name fields, and hold nothing of it.

    `line`: where it begins in the file. `made_id`: what was made, or was there already.
    """

    __tablename__ = "import_row"
    __table_args__ = (Index("ix_import_row_import_id_state_number", "import_id", "state", "number"),)

    import_id: int = Field(primary_key=True, sa_type=Key, foreign_key="import.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    programme_id: int = refers("programme.id")
    line: int
    state: str = Field(max_length=10)
    made_id: int | None = Field(default=None, sa_type=Key, nullable=True)
    errors: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class ImportReference(SQLModel, table=True):
    """What an imported idea or placement is called where it comes from, so that it comes in once.

    `scope_id`: the challenge of an idea, the programme of a placement.
    """

    __tablename__ = "import_reference"

    kind: str = Field(primary_key=True, max_length=20)
    scope_id: int = Field(primary_key=True, sa_type=Key)
    reference: str = Field(primary_key=True, max_length=80)
    programme_id: int = refers("programme.id", index=True)
    made_id: int | None = Field(default=None, sa_type=Key, nullable=True)
    created_at: datetime = instant()
