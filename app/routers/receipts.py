"""Receipts: keeping one as a file, and checking it against the published log."""

import json
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, Invalid
from app.integrations import seal
from app.lib import clock
from app.lib.i18n import N_
from app.methods import ballot_log
from app.methods.election import canonical
from app.policies.actor import Actor
from app.services import ballots, counting
from app.services.ballots import CLOSED, BallotView
from app.web import languages, pages, result_charts
from app.web.problems import said

router = APIRouter(include_in_schema=False)

LONGEST_CHOICE = 20_000


@router.get("/ballots/{id:key}/receipt")
async def new(request: Request, id: int) -> Response:
    """The form that asks for a receipt; before counting, when it can be checked."""
    actor = await pages.member(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    return await _show(request, actor, ballot, pages.Form())


@router.post("/ballots/{id:key}/receipt")
async def check(request: Request, id: int) -> Response:
    """Where a receipt stands in the published log, and the way from it to the root."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    form = pages.Form({"code": fields.get("code", "")})
    try:
        code, proof = await pages.read_unbounded(request, counting.look_up, ballot, form.values["code"])
    except Conflict:
        return await _show(request, actor, ballot, form, status=409)
    except Invalid as error:
        again = pages.refused(request, actor, error, form.values)
        return await _show(request, actor, ballot, again, status=422)
    return await _show(request, actor, ballot, form, code=code, proof=proof)


@router.post("/ballots/{id:key}/receipt/file")
async def save(request: Request, id: int) -> Response:
    """A receipt as a text file to keep, if it is one of ours."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    ballot = await pages.read(request, ballots.find, actor, id)
    code, signature, choice = _signed(id, fields)
    values = {
        "title": " ".join(ballot.title.split()),
        "address": f"{pages.context_of(request).settings.base_url}/ballots/{id}/receipt",
        "code": code,
        "choice": canonical(choice).decode(),
        "closes": clock.rfc3339(ballot.closes_at),
        "signature": signature,
        "key": seal.public_key().hex(),
        "fingerprint": seal.fingerprint(seal.public_key()),
        "message": ballot_log.receipt_message(id, code, choice).decode(),
    }
    text = said(languages.of(request, actor), _FILE, values)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{id}.txt"', "Cache-Control": "no-store"}
    return Response(text, headers=headers, media_type="text/plain")


_FILE = N_(
    "Receipt of a vote: %(title)s\n"
    "\n"
    "%(code)s\n"
    "\n"
    "Choice: %(choice)s\n"
    "Ballot ends: %(closes)s\n"
    "Check it at: %(address)s\n"
    "\n"
    "Signed as: %(message)s\n"
    "Signature: %(signature)s\n"
    "Key: %(key)s\n"
    "Fingerprint: %(fingerprint)s\n"
)


def _signed(ballot_id: int, fields: Any) -> tuple[str, str, Any]:
    """Code, signature and choice of a receipt that we have given.

    :raises Invalid: we have not
    """
    code, signature = fields.get("code", ""), fields.get("signature", "")
    try:
        choice = json.loads(fields.get("choice", "")[:LONGEST_CHOICE])
        message = ballot_log.receipt_message(ballot_id, code, choice)
        is_ours = seal.verify(seal.public_key(), bytes.fromhex(signature), message)
    except (ValueError, TypeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise Invalid(message=N_("This is not a receipt that this ballot has given."))
    return code, signature, choice


async def _show(
    request: Request,
    actor: Actor,
    ballot: BallotView,
    form: pages.Form,
    *,
    code: str = "",
    proof: ballot_log.Proof | None = None,
    status: int = 200,
) -> Response:
    sectors = await pages.read(request, ballots.sectors, ballot.programme_id)
    return pages.show(
        request,
        actor,
        "votes/check.html",
        status=status,
        subject=ballot,
        ballot=ballot,
        form=form,
        code=code,
        proof=proof,
        sectors={sector.key: sector for sector in sectors},
        titles=await _titles(request, ballot),
    )


async def _titles(request: Request, ballot: BallotView) -> Any:
    """The solutions by their keys, as they were when they were counted."""
    if ballot.state != CLOSED:
        return {}
    return result_charts.as_counted(ballot, await pages.read(request, counting.result, ballot))
