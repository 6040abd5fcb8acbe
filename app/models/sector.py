"""A sector: one side of the partnership, in a list that each programme keeps for itself."""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.base import key, refers

PUBLIC = "public"
BUSINESS = "business"


class Sector(SQLModel, table=True):
    """`key` names the sector in the API and in style sheets; the two default keys have translated names."""

    __table_args__ = (UniqueConstraint("programme_id", "key"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    key: str = Field(max_length=40)
    name: str = Field(max_length=80)
    position: int = 0
