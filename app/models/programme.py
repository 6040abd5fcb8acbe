"""A programme: one run of a partnership in one place; everything belongs to one."""

from sqlmodel import Field

from app.models.base import Dated, key


class Programme(Dated, table=True):
    """`visibility` is `members` or `public`: whether strangers may read its name and its challenges' titles."""

    id: int | None = key()
    slug: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=120)
    description: str = Field(default="", max_length=4000)
    language: str = Field(default="en", max_length=8)
    visibility: str = Field(default="public", max_length=10)
    version: int = 1
