"""Receipts checked against the published log, and ballots looked at before they are made, for programs.

Who checks a receipt may be the one who got it, so its answer is kept nowhere: not even for repeated requests.
"""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.ballots import BallotDraft
from app.schemas.receipts import BallotPreview, ReceiptCheck, ReceiptDraft
from app.services import ballot_making, ballots, counting
from app.services.ballot_making import Draft
from app.web import ballot_bodies, ballot_items, bodies, idempotency
from app.web.idempotency import Answer
from app.web.operations import Identifier, caller, database, operation
from app.web.validation import pointing


@operation(
    "POST",
    "/ballots/{ballot_id}/receipt-checks",
    name="check_receipt",
    tag="results",
    summary="Look for a receipt in the published log",
    scope="read",
    takes=ReceiptDraft,
    gives=ReceiptCheck,
    conflicts=True,
)
async def check(request: Request, ballot_id: Identifier) -> Response:
    """Where it stands, with the choice beside it and the hashes that lead to the root; not `found` if a later vote made
    it void. It changes nothing and is kept nowhere, so it takes no `Idempotency-Key`. Whoever runs the server could see
    which receipt is looked up: who does not want that reads the log.
    """
    actor = await caller(request)
    typed = (await bodies.take(request, ReceiptDraft)).receipt

    def query(connection: Any) -> bytes:
        ballot = ballots.find(connection, actor, ballot_id)
        return to_json(ballot_items.receipt_check(*counting.look_up(connection, ballot, typed)))

    with pointing(lambda _: "receipt"):
        body = await database(request).read_unbounded(query)
    return Response(body, 200, {"Cache-Control": "no-store"}, "application/json")


@operation(
    "POST",
    "/challenges/{challenge_id}/ballot-previews",
    name="preview_ballot",
    tag="ballots",
    summary="Look at a ballot before it is made",
    scope="write",
    takes=BallotDraft,
    gives=BallotPreview,
    keyed=True,
)
async def preview(request: Request, challenge_id: Identifier) -> Response:
    """For coordinators and sponsors: what would be made of it, and how many could vote. Nothing is made."""
    actor = await caller(request)
    draft = ballot_bodies.described(Draft(), (await bodies.take(request, BallotDraft)).given())

    def work(tx: Transaction) -> Answer:
        checked = ballot_making.check(tx.connection, actor, challenge_id, draft)
        return Answer(200, to_json(ballot_items.preview(challenge_id, checked)))

    with ballot_bodies.places_of_ballots():
        return await idempotency.once(request, actor, work)
