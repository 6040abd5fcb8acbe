"""A programme: one run of a partnership in one place; everything belongs to one."""

from sqlmodel import Field

from app.models.base import Dated, key

REFUSE, APPROVE, JOIN = "refuse", "approve", "join"
JOINING = (REFUSE, APPROVE, JOIN)
"""What becomes of someone unknown whom a provider vouches for."""


class Programme(Dated, table=True):
    """`visibility` is `members` or `public`: whether strangers may read its name and its challenges' titles.

    `joining`: someone unknown is refused, waits for approval, or joins if a trusted claim names their organisation.
    """

    id: int | None = key()
    slug: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=120)
    description: str = Field(default="", max_length=4000)
    language: str = Field(default="en", max_length=8)
    visibility: str = Field(default="public", max_length=10)
    joining: str = Field(default=JOIN, max_length=10)
    version: int = 1
