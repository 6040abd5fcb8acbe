"""Wishes, preferences, and a match: one run of the optimiser over them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers


class WishList(Dated, table=True):
    """A person takes part in matching. `unavailable`: days on which they cannot go, as `[first, last]` (ISO dates).

    `offers_desk`: their own desk is free while they are away, so that someone can take it in a swap.
    """

    __tablename__ = "wish_list"

    programme_id: int = Field(primary_key=True, sa_type=Key, foreign_key="programme.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id", index=True)
    unavailable: list[list[str]] = Field(default_factory=list, sa_type=JSON)
    offers_desk: bool = False
    version: int = 1


class Wish(SQLModel, table=True):
    """One wish; the first has `rank` 1. For a placement (in one period, or any), an organisation or a competency.

    `first_day` and `last_day`: the wish holds within these days only.
    """

    __tablename__ = "wish"

    programme_id: int = Field(primary_key=True, sa_type=Key, foreign_key="programme.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id", index=True)
    rank: int = Field(primary_key=True)
    placement_id: int | None = refers("placement.id", nullable=True, index=True)
    period_id: int | None = refers("period.id", nullable=True)
    organisation_id: int | None = refers("organisation.id", nullable=True)
    competency: str | None = Field(default=None, max_length=80)
    first_day: date | None = None
    last_day: date | None = None


class Preference(SQLModel, table=True):
    """Whom a host would rather have at a placement: the first has `rank` 1; who is not named comes after."""

    placement_id: int = Field(primary_key=True, sa_type=Key, foreign_key="placement.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id", index=True)
    programme_id: int = refers("programme.id")
    rank: int


class Match(Dated, table=True):
    """One run. `demands`: the coordinator's pins and forbidden pairs; `seed` settles ties; `input_hash` names the data.

    `state`: `queued`, `running`, `done`, `failed` or `cancelled`. `step` and `progress` (per cent) are for the page.
    `plan` is the result as `services.matches` reads it; `figures` what is compared.
    """

    __table_args__ = (Index("ix_match_programme_id_id", "programme_id", "id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    name: str = Field(default="", max_length=120)
    aim: str = Field(max_length=10)
    seed: int = 1
    first_day: date
    last_day: date
    demands: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    state: str = Field(default="queued", max_length=20)
    step: str = Field(default="", max_length=80)
    progress: int = 0
    input_hash: str = Field(default="", max_length=64)
    plan: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    figures: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    problems: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    made_by: int = refers("person.id")
    started_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)
    published_at: datetime | None = instant(nullable=True)
    published_by: int | None = refers("person.id", nullable=True)
    version: int = 1
