"""Merges of ideas, for programs."""

from collections.abc import Callable

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.moderation import MergeDraft, MergeItem, MergeList, ObjectionDraft
from app.services import ideas, merges
from app.services.merges import MergeView
from app.web import bodies, etags, idempotency, including, items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/ideas/{idea_id}/merges",
    tag="merges",
    summary="List the merges of an idea",
    scope="read",
    gives=MergeList,
    paged=True,
    includes=("source", "target"),
)
async def index(
    request: Request, idea_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """Those that are proposed or made, the oldest first."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    await database(request).read(lambda connection: ideas.find(connection, actor, idea_id))
    found = await database(request).read(lambda connection: merges.of_idea(connection, actor, idea_id))
    shown, more = page.cut([merge for merge in reversed(found) if merge.id > page.after])
    told = [items.merge(base_url(request), actor, merge) for merge in shown]
    included = await including.of_items(request, actor, told)
    return paging.listing(request, page, told, shown[-1].id if more else None, included)


@operation(
    "POST",
    "/ideas/{idea_id}/merges",
    tag="merges",
    summary="Propose a merge",
    scope="write",
    status=201,
    located="/merges/{merge_id}",
    takes=MergeDraft,
    gives=MergeItem,
    keyed=True,
    conflicts=True,
)
async def propose(request: Request, idea_id: Identifier) -> Response:
    """The idea is to go into the `target`. The author of the other idea is asked; who wrote both merges at once."""
    actor = await caller(request)
    draft = await bodies.take(request, MergeDraft)

    def work(tx: Transaction) -> Answer:
        merge_id = merges.propose(tx, actor, idea_id, draft.target)
        return _answer(tx, actor, merge_id, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/merges/{merge_id}",
    tag="merges",
    summary="Read a merge",
    scope="read",
    gives=MergeItem,
    tagged=True,
    includes=("source", "target"),
)
async def show(request: Request, merge_id: Identifier) -> Response:
    """How it stands."""
    actor = await caller(request)
    found = await database(request).read(lambda connection: merges.find(connection, actor, merge_id))
    told = await including.of_item(request, actor, items.merge(base_url(request), actor, found))
    return etags.item(request, to_json(told), 1)


@operation(
    "POST",
    "/merges/{merge_id}/acceptance",
    name="accept_merge",
    tag="merges",
    summary="Consent to a merge",
    scope="write",
    gives=MergeItem,
    keyed=True,
    conflicts=True,
)
async def accept(request: Request, merge_id: Identifier) -> Response:
    """By the author who is asked. Support is united; its supporters are told and may object."""
    return await _decide(request, merge_id, merges.accept)


@operation(
    "POST",
    "/merges/{merge_id}/refusal",
    name="refuse_merge",
    tag="merges",
    summary="Refuse a merge",
    scope="write",
    gives=MergeItem,
    keyed=True,
    conflicts=True,
)
async def decline(request: Request, merge_id: Identifier) -> Response:
    """By the author who is asked. Both cards stay."""
    return await _decide(request, merge_id, merges.decline)


@operation(
    "POST",
    "/merges/{merge_id}/undoing",
    name="undo_merge",
    tag="merges",
    summary="Undo a merge",
    scope="write",
    gives=MergeItem,
    keyed=True,
    conflicts=True,
)
async def undo(request: Request, merge_id: Identifier) -> Response:
    """For facilitators and coordinators. The idea is back, with its supporters."""
    return await _decide(request, merge_id, merges.undo)


@operation(
    "POST",
    "/merges/{merge_id}/objection",
    name="object_to_merge",
    tag="merges",
    summary="Object to a merge",
    scope="write",
    takes=ObjectionDraft,
    gives=MergeItem,
    keyed=True,
    conflicts=True,
)
async def object_to(request: Request, merge_id: Identifier) -> Response:
    """By a supporter of the idea that went into the other: one's support does not go along."""
    actor = await caller(request)
    draft = await bodies.take(request, ObjectionDraft)

    def work(tx: Transaction) -> Answer:
        merges.object_to(tx, actor, merge_id, reason=draft.reason)
        return _answer(tx, actor, merge_id, base_url(request))

    return await idempotency.once(request, actor, work)


async def _decide(
    request: Request, merge_id: int, verb: Callable[[Transaction, Actor, int], MergeView]
) -> Response:
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        verb(tx, actor, merge_id)
        return _answer(tx, actor, merge_id, base_url(request))

    return await idempotency.once(request, actor, work)


def _answer(tx: Transaction, actor: Actor, merge_id: int, base_url: str, *, created: bool = False) -> Answer:
    body = to_json(items.merge(base_url, actor, merges.find(tx.connection, actor, merge_id)))
    location = f"{base_url}{PREFIX}/merges/{merge_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, 1), location)
