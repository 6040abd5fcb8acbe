"""Wishes for a match, as the API takes and gives them."""

from datetime import date

from pydantic import Field

from app.schemas.base import Day, Given, Reference, Taken, several, text


class WishDraft(Taken):
    """One wish: a placement, an organisation or a competency; within some days, where they are named."""

    placement: Reference | None = None
    period: Reference | None = Field(default=None, description="Of the placement; null: any.")
    organisation: Reference | None = None
    competency: str | None = text(80, "As placements name it.", "Public procurement", default=None)
    first_day: Day | None = None
    last_day: Day | None = None


class SpanDraft(Taken):
    """Days from the first to the last, both of them included."""

    first_day: Day
    last_day: Day


class WishesDraft(Taken):
    """All of one's wishes, the best first."""

    wishes: list[WishDraft] = Field(
        max_length=100, description="1 to 12.", json_schema_extra={"minItems": 1, "maxItems": 12}
    )
    unavailable: list[SpanDraft] = several(20, "Days on which you cannot go; at most 20 spans.", most=100)
    offers_desk: bool = Field(
        default=False, description="Your own desk is free meanwhile, so that someone can take it in a swap."
    )


class WishItem(Given):
    """One wish."""

    placement: int | None
    period: int | None
    organisation: int | None
    competency: str | None
    first_day: date | None
    last_day: date | None


class SpanItem(Given):
    """Days from the first to the last, both of them included."""

    first_day: date
    last_day: date


class WishesItem(Given):
    """The caller's own wishes, the best first."""

    programme: int
    url: str = Field(description="The page for people.")
    wishes: list[WishItem]
    unavailable: list[SpanItem]
    offers_desk: bool
    version: int = Field(description="0 where nothing is stated.")
