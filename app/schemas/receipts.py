"""Receipts that are checked, and ballots that are looked at before they are made, as the API takes and gives them."""

from datetime import datetime
from typing import Any

from pydantic import Field

from app.schemas.ballots import Method, Mode, Rule, SettingsItem
from app.schemas.base import Given, Taken, text
from app.schemas.challenges import Language


class ReceiptDraft(Taken):
    """A receipt to look for."""

    receipt: str = text(
        200,
        "Six groups of five signs; small letters, spaces and missing hyphens do no harm.",
        "HKGNV-0DDHN-R69PY-YWDE4-6ARYA-HGJXZ",
        least=1,
    )


class ReceiptCheck(Given):
    """Whether a receipt stands in the published log, and the way from it to the root; null where it does not."""

    receipt: str
    found: bool
    index: int | None = Field(description="Its place, counting from 0; the order is shuffled.")
    size: int | None = Field(description="How many votes the log holds.")
    sector: str | None = Field(description="With which it was counted; empty where all are counted together.")
    choice: dict[str, Any] | None = Field(description="What was counted under it.")
    leaf_hash: str | None
    path: list[str] | None = Field(description="Hashes that lead to the root (RFC 9162), in hexadecimal.")
    root: str | None


class BallotPreview(Given):
    """What would be made of a draft, with what is usual filled in, and how many could vote."""

    challenge: int
    title: str
    explanation_html: str = Field(description="The explanation as safe HTML.")
    language: Language
    method: Method
    rule: Rule
    mode: Mode
    settings: SettingsItem
    solutions: list[int]
    opens_at: datetime
    closes_at: datetime
    eligible: dict[str, int] = Field(
        description="People who may vote, by sector.", examples=[{"public": 40, "business": 35}]
    )
