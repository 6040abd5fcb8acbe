"""Pins and hidings of ideas, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.errors import NotFound
from app.lib.i18n import N_
from app.schemas.moderation import HidingAnswer, HidingDraft, HidingItem
from app.services import ideas, moderation
from app.web import bodies, etags, idempotency, items
from app.web.idempotency import Answer
from app.web.operations import Identifier, caller, database, operation

UNCOUNTED = 0
"""The version of what counts none: its tag differs by the bytes."""


@operation(
    "PUT",
    "/ideas/{idea_id}/pin",
    name="pin_idea",
    tag="moderation",
    summary="Pin an idea",
    scope="write",
    status=204,
    conflicts=True,
)
async def pin(request: Request, idea_id: Identifier) -> Response:
    """It then stands first on its board. For facilitators and coordinators; twice is once."""
    actor = await caller(request)
    await database(request).write(lambda tx: moderation.pin(tx, actor, idea_id))
    return Response(status_code=204)


@operation(
    "DELETE",
    "/ideas/{idea_id}/pin",
    name="unpin_idea",
    tag="moderation",
    summary="Unpin an idea",
    scope="write",
    status=204,
)
async def unpin(request: Request, idea_id: Identifier) -> Response:
    """For facilitators and coordinators; twice is once."""
    actor = await caller(request)
    await database(request).write(lambda tx: moderation.unpin(tx, actor, idea_id))
    return Response(status_code=204)


@operation(
    "GET",
    "/ideas/{idea_id}/hiding",
    name="get_hiding",
    tag="moderation",
    summary="Read why an idea is hidden",
    scope="read",
    gives=HidingItem,
    tagged=True,
)
async def show(request: Request, idea_id: Identifier) -> Response:
    """For its authors, facilitators and coordinators."""
    actor = await caller(request)
    await database(request).read(lambda connection: ideas.find(connection, actor, idea_id))
    row = await database(request).read(lambda connection: moderation.hiding_of(connection, idea_id))
    if row is None:
        raise NotFound(N_("This idea is not hidden."))
    return etags.item(request, to_json(items.hiding(row)), UNCOUNTED)


@operation(
    "POST",
    "/ideas/{idea_id}/hiding",
    name="hide_idea",
    tag="moderation",
    summary="Hide an idea",
    scope="write",
    status=201,
    takes=HidingDraft,
    gives=HidingItem,
    keyed=True,
    conflicts=True,
)
async def hide(request: Request, idea_id: Identifier) -> Response:
    """For facilitators and coordinators. Its authors are told the reason, and can answer."""
    actor = await caller(request)
    draft = await bodies.take(request, HidingDraft)

    def work(tx: Transaction) -> Answer:
        moderation.hide(tx, actor, idea_id, reason=draft.reason)
        return Answer(201, _written(tx, idea_id))

    return await idempotency.once(request, actor, work)


@operation(
    "DELETE",
    "/ideas/{idea_id}/hiding",
    name="restore_idea",
    tag="moderation",
    summary="Put a hidden idea back",
    scope="write",
    status=204,
)
async def restore(request: Request, idea_id: Identifier) -> Response:
    """For facilitators and coordinators. Its authors are told; twice is once."""
    actor = await caller(request)
    await database(request).write(lambda tx: moderation.restore(tx, actor, idea_id))
    return Response(status_code=204)


@operation(
    "POST",
    "/ideas/{idea_id}/hiding/answer",
    name="answer_hiding",
    tag="moderation",
    summary="Answer a hiding",
    scope="write",
    status=201,
    takes=HidingAnswer,
    gives=HidingItem,
    keyed=True,
    conflicts=True,
)
async def answer(request: Request, idea_id: Identifier) -> Response:
    """For the authors of a hidden idea; the facilitator is told. A later answer replaces the earlier one."""
    actor = await caller(request)
    draft = await bodies.take(request, HidingAnswer)

    def work(tx: Transaction) -> Answer:
        moderation.answer(tx, actor, idea_id, answer=draft.answer)
        return Answer(201, _written(tx, idea_id))

    return await idempotency.once(request, actor, work)


def _written(tx: Transaction, idea_id: int) -> bytes:
    row: Any = moderation.hiding_of(tx.connection, idea_id)
    return to_json(items.hiding(row))
