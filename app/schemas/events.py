"""Events of the log, as the API gives them."""

from typing import Any

from pydantic import Field

from app.schemas.base import Given, Item


class EventItem(Item):
    """Something that happened: ids, never the text of people. Read the thing itself to see how it stands now.

    It never changes; its page is that of the idea, the challenge or the programme that it is about.
    """

    type: str = Field(examples=["idea.posted"])
    programme: int | None
    challenge: int | None
    idea: int | None
    subject: int | None = Field(description="The id of the noun that `type` begins with.")
    actor: int | None = Field(description="The person; null where that is nobody's business.")
    data: dict[str, Any]


class EventList(Given):
    """A page of events, in the order in which they were saved."""

    items: list[EventItem]
    next: str | None = Field(description="Null when there are no more for now.")
