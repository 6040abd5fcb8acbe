"""Open data: what a programme shows to everyone, and the files of it as they were last made."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant


class OpenData(Dated, table=True):
    """There while a programme's data is open. `contact` is a mail address, of an office and not of a person.

    `with_texts`: long texts are in it too, and not the titles and summaries alone. `made_at`: when its files were made.
    """

    __tablename__ = "open_data"

    programme_id: int = Field(primary_key=True, sa_type=Key, foreign_key="programme.id")
    licence: str = Field(max_length=20)
    description: str = Field(default="", max_length=2000)
    publisher: str = Field(max_length=160)
    contact: str = Field(max_length=254)
    with_texts: bool = False
    opened_at: datetime = instant()
    made_at: datetime | None = instant(nullable=True)
    version: int = 1


class OpenFile(SQLModel, table=True):
    """A file of open data. `digest` is that of `content`; `changed_at`: since when it is as it is."""

    __tablename__ = "open_file"

    programme_id: int = Field(primary_key=True, sa_type=Key, foreign_key="programme.id")
    name: str = Field(primary_key=True, max_length=40)
    content: bytes = Field(sa_type=LargeBinary)
    digest: str = Field(max_length=64)
    size_bytes: int = 0
    rows: int = 0
    changed_at: datetime = instant()
