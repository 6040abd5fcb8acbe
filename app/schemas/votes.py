"""Votes and what is counted of them, as the API takes and gives them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.schemas.ballots import Method, ReasonItem, Rule, StandingItem, TurnoutItem
from app.schemas.base import Given, Item, Taken


def _exactly_one(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)
    schema |= {"minProperties": 1, "maxProperties": 1}


def _part(shape: dict[str, Any], description: str) -> Any:
    """One way to choose. What is in it the ballot's own method checks, once for pages and API."""
    return Field(default=None, description=description, json_schema_extra=shape)


_TRUE = {"type": "boolean", "not": {"const": False}}
"""True alone; as a `const` generators of clients cannot read it."""

_KEY = {"type": "string", "pattern": "^([1-9][0-9]{0,18}|none)$"}


class VoteChoice(Taken):
    """What one person chooses: exactly one of these names. Solutions are named by their id, as text."""

    model_config = ConfigDict(json_schema_extra=_exactly_one)

    abstain: Any = _part(_TRUE, "True: counted as present, not as a vote.")
    none: Any = _part(_TRUE, "True: none of these, a vote that supports nothing.")
    approved: Any = _part({"type": "array", "items": _KEY}, "Approval, budget: the solutions.")
    scores: Any = _part(
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 5}},
        "Score: 0 to 5 for each; what is left out has 0.",
    )
    ranking: Any = _part(
        {"type": "array", "items": {"type": "array", "items": _KEY}},
        "Ranked: places, the best first, each a list of those that stand on it; `none` may stand in one. What is "
        "left out comes last.",
    )
    points: Any = _part(
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 1000}},
        "Points, quadratic: how many each gets; n votes of a quadratic ballot cost n² credits.",
    )


class ReceiptItem(Given):
    """What a voter keeps; it is told once, and a later vote makes it void."""

    receipt: str = Field(description="The code that will stand in the published log, beside the choice.")
    signature: str = Field(description="Our Ed25519 signature that this choice was taken, in hexadecimal.")
    choice: dict[str, Any] = Field(description="The choice in the form in which it is kept and signed.")
    replaced: bool = Field(description="Whether this took the place of an earlier vote.")


class MyVoteItem(Given):
    """The caller's own vote, while the ballot is open."""

    receipt: str
    choice: dict[str, Any]


class TieItem(Given):
    """A tie that the tie order decided: over what, between whom, who came first."""

    over: str
    between: list[str]
    first: str


class OutcomeItem(Given):
    """What another rule would have chosen, on the same votes."""

    winners: list[str]
    order: list[str]
    passed: bool


class HourItem(Given):
    """First votes in an hour, from a sector; the sector is empty where one is too small to be told apart."""

    hour: datetime
    sector: str
    voters: int


class BesideItem(Given):
    """What is told beside the result, without deciding anything."""

    rules: dict[str, OutcomeItem] = Field(description="What each rule would have chosen.")
    methods: dict[str, list[str]] = Field(
        description="What each method would have chosen, as far as can be told."
    )
    map: dict[str, Any] = Field(description="One possible view of opinions, or the reason why there is none.")
    turnout: list[HourItem]


class SealItem(Given):
    """What the published log can be checked against."""

    size: int = Field(description="How many votes it holds.")
    root: str = Field(description="The root of the Merkle tree over them (RFC 9162), in hexadecimal.")
    algorithm: Literal["Ed25519"]
    key: str = Field(description="The public key, in hexadecimal.")
    signature: str


class ResultItem(Item):
    """What was counted, once. Solutions are named by their id as text; exact numbers are text such as `8/9`."""

    ballot: int
    log: str = Field(description="Where the published log is.")
    method: Method
    rule: Rule
    passed: bool
    reasons: list[ReasonItem]
    winners: list[str] = Field(description="In the order of winning.")
    order: list[str] = Field(description="All the solutions, the best first.")
    sectors: list[str] = Field(
        description="Those counted apart; one empty name where all are counted together."
    )
    turnout: list[TurnoutItem]
    standings: list[StandingItem]
    ties: list[TieItem]
    rounds: list[dict[str, Any]] = Field(description="How it was counted, step by step.")
    input_hash: str = Field(description="SHA-256 over all that decides the result.")
    beside: BesideItem
    seal: SealItem
    version: int


class LogItem(Given):
    """The published log: everything that is needed to count again, as `partnership verify` reads it."""

    format: Literal["partnership-ballot-log/1"]
    head: dict[str, Any] = Field(description="What was decided on, by which rules.")
    votes: list[dict[str, Any]] = Field(description="Receipt, sector and choice of each, in shuffled order.")
    tree: dict[str, Any]
    signature: dict[str, Any]
    result: dict[str, Any]
