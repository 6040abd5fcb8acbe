"""Votes and declared interests, for programs.

A vote's answer is kept nowhere: not for repeated requests, in no cache, under no tag.
"""

from functools import partial

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Invalid, NotFound
from app.lib.i18n import N_
from app.schemas import text
from app.schemas.ballots import InterestDraft, InterestItem, InterestList
from app.schemas.votes import MyVoteItem, ReceiptItem, VoteChoice
from app.services import ballots, votes
from app.services.votes import Wish
from app.web import ballot_bodies, ballot_items, bodies, paging
from app.web.operations import Identifier, caller, database, operation
from app.web.paging import Cursor, Limit

_KEPT_NOWHERE = {"Cache-Control": "no-store"}


@operation(
    "PUT",
    "/ballots/{ballot_id}/vote",
    name="cast_vote",
    tag="votes",
    summary="Vote",
    scope="vote",
    takes=VoteChoice,
    gives=ReceiptItem,
    conflicts=True,
)
async def cast(request: Request, ballot_id: Identifier) -> Response:
    """While the ballot is open, by the database's clock. A later vote replaces the earlier one, and its receipt: the
    last one counts. The answer is given once and kept nowhere, so keep the receipt.
    """
    actor = await caller(request)
    choice = (await bodies.take(request, VoteChoice)).given()
    with ballot_bodies.places_of_choices():
        receipt = await database(request).write_together(votes.meet, Wish(actor, ballot_id, choice))
    return Response(to_json(ballot_items.receipt(receipt)), 200, _KEPT_NOWHERE, "application/json")


@operation(
    "GET",
    "/ballots/{ballot_id}/vote",
    name="get_vote",
    tag="votes",
    summary="Read your own vote",
    scope="vote",
    gives=MyVoteItem,
    gone=True,
)
async def show(request: Request, ballot_id: Identifier) -> Response:
    """Until the ballot is counted; then nothing leads from you to your vote any more but your receipt."""
    actor = await caller(request)
    ballot = await database(request).read(lambda connection: ballots.find(connection, actor, ballot_id))
    vote = await database(request).read(lambda connection: votes.mine(connection, actor, ballot))
    if vote is None:
        raise NotFound(N_("You have not voted on this ballot."))
    return Response(to_json(ballot_items.my_vote(vote)), 200, _KEPT_NOWHERE, "application/json")


@operation(
    "DELETE",
    "/ballots/{ballot_id}/vote",
    name="delete_vote",
    tag="votes",
    summary="Take your vote back",
    scope="vote",
    status=204,
    conflicts=True,
)
async def withdraw(request: Request, ballot_id: Identifier) -> Response:
    """While the ballot is open. Asked again, nothing more happens."""
    actor = await caller(request)
    await database(request).write(lambda tx: votes.withdraw(tx, actor, ballot_id))
    return Response(status_code=204, headers=_KEPT_NOWHERE)


@operation(
    "GET",
    "/ballots/{ballot_id}/interests",
    tag="votes",
    summary="List declared conflicts of interest",
    scope="read",
    gives=InterestList,
    paged=True,
)
async def interests(
    request: Request, ballot_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """By solution: who has said that they have a stake in it."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    await database(request).read(lambda connection: ballots.find(connection, actor, ballot_id))
    found = await database(request).read(lambda connection: ballots.interests(connection, ballot_id))
    places = sorted(found, key=lambda row: (row.solution_id, row.person_id))
    shown, more = page.cut([row for row in places if (row.solution_id, row.person_id) > page.position])
    following = (shown[-1].solution_id, shown[-1].person_id) if more else ()
    items = to_json([ballot_items.interest(row) for row in shown])[1:-1]
    return paging.listing_of_bytes(request, page, items, following)


@operation(
    "PUT",
    "/ballots/{ballot_id}/interests/{solution_id}",
    tag="votes",
    summary="Declare a conflict of interest",
    scope="write",
    takes=InterestDraft,
    gives=InterestItem,
    conflicts=True,
)
async def declare_interest(request: Request, ballot_id: Identifier, solution_id: Identifier) -> Response:
    """Until the ballot closes, by those who take part. It is shown with your name, beside the ballot and its result."""
    actor = await caller(request)
    statement, errors = text.line(
        "statement", (await bodies.take(request, InterestDraft)).statement, most=500
    )
    if errors:
        raise Invalid(*errors)
    declare = partial(votes.declare_interest, statement=statement)
    await database(request).write(lambda tx: declare(tx, actor, ballot_id, solution_id))
    found = await database(request).read(lambda connection: ballots.interests(connection, ballot_id))
    mine = [row for row in found if (row.solution_id, row.person_id) == (solution_id, actor.person_id)]
    if not mine:
        raise NotFound(N_("This interest was taken back in the meantime."))
    return Response(to_json(ballot_items.interest(mine[0])), 200, _KEPT_NOWHERE, "application/json")


@operation(
    "DELETE",
    "/ballots/{ballot_id}/interests/{solution_id}",
    tag="votes",
    summary="Take a declared interest back",
    scope="write",
    status=204,
    conflicts=True,
)
async def withdraw_interest(request: Request, ballot_id: Identifier, solution_id: Identifier) -> Response:
    """Until the ballot closes. Asked again, nothing more happens."""
    actor = await caller(request)
    withdraw = partial(votes.declare_interest, statement="")
    await database(request).write(lambda tx: withdraw(tx, actor, ballot_id, solution_id))
    return Response(status_code=204)
