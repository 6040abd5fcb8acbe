"""Ballots, for programs."""

from collections.abc import Callable
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.ballots import (
    BallotChange,
    BallotDraft,
    BallotItem,
    BallotList,
    ClosureDraft,
    ExtensionDraft,
)
from app.services import ballot_making, ballots, challenges, reminders
from app.services.ballot_making import Draft
from app.web import (
    ballot_bodies,
    ballot_items,
    bodies,
    closing,
    etags,
    idempotency,
    including,
    languages,
    paging,
)
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/challenges/{challenge_id}/ballots",
    tag="ballots",
    summary="List the ballots of a challenge",
    scope="read",
    gives=BallotList,
    paged=True,
    includes=("challenge", "solutions"),
)
async def index(
    request: Request, challenge_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """By id, without those that were taken back."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    await database(request).read(lambda connection: challenges.find(connection, actor, challenge_id))
    found = await database(request).read(
        lambda connection: ballots.on_challenge(
            connection, actor, challenge_id, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    changes = await database(request).read(
        lambda connection: ballots.changes_of(connection, [view.id for view in shown])
    )
    here, language = base_url(request), languages.of(request, actor)
    told = [ballot_items.ballot(here, view, changes[view.id], language) for view in shown]
    included = await including.of_items(request, actor, told)
    return paging.listing(request, page, told, shown[-1].id if more else None, included)


@operation(
    "POST",
    "/challenges/{challenge_id}/ballots",
    tag="ballots",
    summary="Make a ballot",
    scope="write",
    status=201,
    located="/ballots/{ballot_id}",
    takes=BallotDraft,
    gives=BallotItem,
    keyed=True,
)
async def make(request: Request, challenge_id: Identifier) -> Response:
    """For coordinators and sponsors. It opens and closes by the clock."""
    actor = await caller(request)
    draft = ballot_bodies.described(Draft(), (await bodies.take(request, BallotDraft)).given())

    def work(tx: Transaction) -> Answer:
        ballot_id = ballot_making.make(tx, actor, challenge_id, draft)
        return _answer(request, tx, actor, ballot_id, created=True)

    with ballot_bodies.places_of_ballots():
        return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/ballots/{ballot_id}",
    tag="ballots",
    summary="Read a ballot",
    scope="read",
    gives=BallotItem,
    tagged=True,
    includes=("challenge", "solutions"),
)
async def show(request: Request, ballot_id: Identifier) -> Response:
    """What is decided, how and when, and whether you may vote."""
    return await _shown(request, await caller(request), ballot_id)


@operation(
    "PATCH",
    "/ballots/{ballot_id}",
    tag="ballots",
    summary="Change a ballot before it opens",
    scope="write",
    takes=BallotChange,
    gives=BallotItem,
    conditional=True,
    conflicts=True,
)
async def change(request: Request, ballot_id: Identifier) -> Response:
    """For coordinators and who made it. Once it has opened, its rules stand."""
    actor = await caller(request)
    versions = etags.expected(request)
    changes = (await bodies.take(request, BallotChange)).given()

    def work(tx: Transaction) -> Answer:
        before = ballots.find(tx.connection, actor, ballot_id)
        version = etags.chosen(versions, before.version)  # also with `*`: the draft is made of what was read
        draft = ballot_bodies.described(ballot_making.draft_of(before), changes)
        ballot_making.change(tx, actor, ballot_id, draft, version=version)
        return _answer(request, tx, actor, ballot_id)

    with ballot_bodies.places_of_ballots():
        return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/ballots/{ballot_id}",
    tag="ballots",
    summary="Take a ballot back before it opens",
    scope="write",
    status=204,
    conditional=True,
    conflicts=True,
)
async def cancel(request: Request, ballot_id: Identifier) -> Response:
    """For coordinators and who made it. It leaves every list."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: ballots.find(tx.connection, actor, ballot_id).version)
        ballot_making.cancel(tx, actor, ballot_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)


@operation(
    "POST",
    "/ballots/{ballot_id}/extension",
    name="extend_ballot",
    tag="ballots",
    summary="Let an open ballot close later",
    scope="write",
    takes=ExtensionDraft,
    gives=BallotItem,
    keyed=True,
    conflicts=True,
)
async def extend(request: Request, ballot_id: Identifier) -> Response:
    """For coordinators. The reason is shown to all, also in the log."""
    actor = await caller(request)
    draft = await bodies.take(request, ExtensionDraft)
    return await _done(
        request,
        actor,
        ballot_id,
        lambda tx: ballot_making.extend(tx, actor, ballot_id, closes_at=draft.closes_at, reason=draft.reason),
    )


@operation(
    "POST",
    "/ballots/{ballot_id}/closure",
    name="close_ballot",
    tag="ballots",
    summary="Close an open ballot now",
    scope="write",
    takes=ClosureDraft,
    gives=BallotItem,
    keyed=True,
    conflicts=True,
)
async def close(request: Request, ballot_id: Identifier) -> Response:
    """For coordinators. The reason is shown to all, also in the log. It is counted at once, or, if it is large, soon:
    its `state` is then `counting`. Asked again with the same key, the answer is the ballot as it is by then.
    """
    actor = await caller(request)
    draft = await bodies.take(request, ClosureDraft)
    answer = await _done(
        request,
        actor,
        ballot_id,
        lambda tx: ballot_making.close(tx, actor, ballot_id, reason=draft.reason),
    )
    await closing.count(database(request), ballot_id, base_url(request))
    counted = await _shown(request, actor, ballot_id)
    counted.headers["Cache-Control"] = answer.headers["Cache-Control"]
    if idempotency.REPLAYED in answer.headers:
        counted.headers[idempotency.REPLAYED] = answer.headers[idempotency.REPLAYED]
    return counted


@operation(
    "POST",
    "/ballots/{ballot_id}/reminder",
    name="remind_voters",
    tag="ballots",
    summary="Remind those who have not voted",
    scope="write",
    gives=BallotItem,
    keyed=True,
    conflicts=True,
)
async def remind(request: Request, ballot_id: Identifier) -> Response:
    """For coordinators, at most once an hour, in place of the reminder by the clock. Nobody learns whom it goes to."""
    actor = await caller(request)
    return await _done(request, actor, ballot_id, lambda tx: reminders.remind(tx, actor, ballot_id))


async def _done(
    request: Request, actor: Actor, ballot_id: int, verb: Callable[[Transaction], object]
) -> Response:
    """Do what a coordinator asks, once, and answer with the ballot."""

    def work(tx: Transaction) -> Answer:
        verb(tx)
        return _answer(request, tx, actor, ballot_id)

    return await idempotency.once(request, actor, work)


async def _shown(request: Request, actor: Actor, ballot_id: int) -> Response:
    view, told = await database(request).read(lambda connection: _told(request, connection, actor, ballot_id))
    return etags.item(request, to_json(await including.of_item(request, actor, told)), view.version)


def _answer(
    request: Request, tx: Transaction, actor: Actor, ballot_id: int, *, created: bool = False
) -> Answer:
    view, told = _told(request, tx.connection, actor, ballot_id)
    body = to_json(told)
    location = f"{base_url(request)}{PREFIX}/ballots/{ballot_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, view.version), location)


def _told(request: Request, connection: Any, actor: Actor, ballot_id: int) -> tuple[Any, dict[str, Any]]:
    view = ballots.find(connection, actor, ballot_id)
    changes = ballots.changes(connection, ballot_id)
    language = languages.of(request, actor)
    return view, ballot_items.ballot(base_url(request), view, changes, language)
