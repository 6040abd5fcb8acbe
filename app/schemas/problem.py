"""Problem documents: what the API answers when it does not do as asked (RFC 9457)."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Given


class ProblemError(Given):
    """What is wrong with one part of the request."""

    place: Literal["body", "query", "header"] = Field(
        alias="in", description="Where the pointer points into."
    )
    pointer: str = Field(description="A JSON pointer (RFC 6901).", examples=["/title"])
    reason: str = Field(examples=["Please write something here."])


class Problem(Given):
    """What went wrong: `type` is stable and says which problem it is, the words are in the caller's language."""

    type: str = Field(examples=["https://partnership.example/api/v1/problems/invalid"])
    title: str = Field(examples=["Something in the request needs mending"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["Please mend what is marked below."])
    request_id: str | None = Field(default=None, description="What to name when asking for help.")
    errors: list[ProblemError] | None = Field(
        default=None, description="For invalid input, each part that is wrong."
    )


class ProblemKind(Given):
    """One kind of problem: what its `type` leads to."""

    type: str
    title: str
    status: int
    meaning: str


class ProblemKindList(Given):
    """Every kind of problem."""

    items: list[ProblemKind]
    next: None = None
