"""Clusters of a board, as the API takes and gives them."""

from pydantic import Field

from app.schemas.base import Change, Given, Taken, text


class ClusterDraft(Taken):
    """A cluster to add at the end of the board."""

    title: str = text(80, "What the cards in it have in common.", "Quick wins", least=1)


class ClusterChange(Change):
    """A new title for a cluster."""

    title: str = text(80, "What the cards in it have in common.", least=1)


class ClusterItem(Given):
    """A column of the board."""

    id: int
    url: str = Field(description="The page for people.")
    challenge: int
    title: str
    language: str
    position: int


class ClusterList(Given):
    """The columns of a board, from the first to the last."""

    items: list[ClusterItem]
    next: str | None
