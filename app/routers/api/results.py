"""What was counted, and the log that anyone can count again, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.methods import ballot_log
from app.policies.actor import Actor
from app.schemas.votes import LogItem, ResultItem
from app.services import ballots, counting
from app.services.ballots import BallotView
from app.web import ballot_items, etags
from app.web.operations import Identifier, base_url, caller, database, operation


@operation(
    "GET",
    "/ballots/{ballot_id}/result",
    tag="results",
    summary="Read the result of a ballot",
    scope="read",
    gives=ResultItem,
    tagged=True,
    conflicts=True,
)
async def show(request: Request, ballot_id: Identifier) -> Response:
    """Who won, by which rule, how each sector voted, and what other rules would have chosen. A conflict until it is
    counted.
    """
    actor = await caller(request)
    here = base_url(request)

    def query(connection: Any) -> tuple[BallotView, bytes]:
        ballot = ballots.find(connection, actor, ballot_id)
        return ballot, to_json(ballot_items.result(here, ballot, counting.result(connection, ballot)))

    ballot, body = await database(request).read(query)
    return etags.item(request, body, ballot.version)


@operation(
    "GET",
    "/ballots/{ballot_id}/log",
    tag="results",
    summary="Read the published log of a ballot",
    scope="read",
    gives=LogItem,
    tagged=True,
    whole=True,
    conflicts=True,
)
async def log(request: Request, ballot_id: Identifier) -> Response:
    """Every vote with its receipt, in shuffled order: the very file that `partnership verify` reads, byte for byte. A
    conflict until the ballot is counted.
    """
    actor = await caller(request)
    version, body = await database(request).read_unbounded(
        lambda connection: _log(connection, actor, ballot_id)
    )
    return etags.item(request, body, version)


def _log(connection: Any, actor: Actor, ballot_id: int) -> tuple[int, bytes]:
    ballot = ballots.find(connection, actor, ballot_id)
    text = "".join(ballot_log.lines(counting.log(connection, ballot)))
    return ballot.version, text.encode()
