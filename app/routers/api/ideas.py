"""Ideas, for programs."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.base import LARGEST_ID
from app.schemas.challenges import Language
from app.schemas.ideas import IdeaChange, IdeaDraft, IdeaItem, IdeaList
from app.services import boards, held, ideas
from app.web import bodies, etags, idea_pages, idempotency, including, items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS

Sort = Annotated[
    boards.Sort,
    Query(
        description="The newest, the most supported or the best bridging first; or by an instant, "
        "with `-` the newest first. While tallies are hidden, `supported` and `bridging` are as `new`."
    ),
]
Cluster = Annotated[
    int | None, Query(ge=0, le=LARGEST_ID, description="Only this cluster; 0: in no cluster."), DIGITS
]
Sector = Annotated[str | None, Query(max_length=40, description="Only from this sector, by its key.")]
Words = Annotated[str, Query(max_length=200, description="Only with all of these words.")]

InLanguage = Annotated[Language | None, Query(description="Only those in this language.")]
InState = Annotated[
    boards.State,
    Query(
        description="Only those in this state; what is hidden or withdrawn shows to who wrote it and to facilitators."
    ),
]
By = Annotated[Literal["me"] | None, Query(description="Only those that you wrote, alone or with others.")]


@operation(
    "GET",
    "/challenges/{challenge_id}/ideas",
    tag="ideas",
    summary="List the ideas of a challenge",
    scope="read",
    gives=IdeaList,
    paged=True,
    includes=("programme", "challenge", "cluster", "comments"),
)
async def index(  # noqa: PLR0917 -- the framework passes them by name
    request: Request,
    challenge_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    sort: Sort = "new",
    cluster: Cluster = None,
    sector: Sector = None,
    q: Words = "",
    language: InLanguage = None,
    state: InState = "open",
    author: By = None,
) -> Response:
    """The ideas on its board, the newest first: what is posted while you read on neither repeats nor hides any."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    query = boards.Query(
        sort,
        cluster,
        sector,
        q,
        page.position or None,
        page.limit,
        language=language,
        state=state,
        is_mine=author is not None,
    )
    found = await database(request).read(
        lambda connection: idea_pages.read(connection, actor, challenge_id, query, base_url(request))
    )
    return paging.listing_of_bytes(request, page, *found, await including.of_bytes(request, actor, found[0]))


@operation(
    "POST",
    "/challenges/{challenge_id}/ideas",
    tag="ideas",
    summary="Post an idea",
    scope="write",
    status=201,
    located="/ideas/{idea_id}",
    takes=IdeaDraft,
    gives=IdeaItem,
    keyed=True,
    conflicts=True,
)
async def post(request: Request, challenge_id: Identifier) -> Response:
    """While the phase of the challenge is open for posting."""
    actor = await caller(request)
    draft = await bodies.take(request, IdeaDraft)

    def work(tx: Transaction) -> Answer:
        idea_id = ideas.post(
            tx,
            actor,
            challenge_id,
            title=draft.title,
            body=draft.body,
            cluster_id=draft.cluster,
            anonymous=draft.anonymous,
            language=draft.language,
        )
        return _answer(tx, actor, idea_id, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/ideas/{idea_id}",
    tag="ideas",
    summary="Read an idea",
    scope="read",
    gives=IdeaItem,
    tagged=True,
    includes=("programme", "challenge", "cluster", "comments"),
)
async def show(request: Request, idea_id: Identifier) -> Response:
    """A card, with how it stands and whether you support it."""
    actor = await caller(request)
    view = await database(request).read(lambda connection: ideas.find(connection, actor, idea_id))
    told = await including.of_item(request, actor, items.idea(base_url(request), view))
    return etags.item(request, to_json(told), view.version)


@operation(
    "PATCH",
    "/ideas/{idea_id}",
    tag="ideas",
    summary="Edit or move an idea",
    scope="write",
    takes=IdeaChange,
    gives=IdeaItem,
    conditional=True,
    conflicts=True,
)
async def change(request: Request, idea_id: Identifier) -> Response:
    """Its authors edit it, and what it said before is kept. Everyone who takes part may give it another `cluster`,
    if nothing else is in the body.
    """
    actor = await caller(request)
    versions = etags.expected(request)
    changes = (await bodies.take(request, IdeaChange)).given()
    if "cluster" in changes:
        changes["cluster_id"] = changes.pop("cluster")

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: ideas.find(tx.connection, actor, idea_id).version)
        if changes.keys() - {"cluster_id"}:
            ideas.edit(tx, actor, idea_id, version=version, **changes)
        elif changes:
            ideas.move(tx, actor, idea_id, version=version, **changes)
        else:
            held.hold(tx, actor, idea_id, version=version)
        return _answer(tx, actor, idea_id, base_url(request))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/ideas/{idea_id}",
    tag="ideas",
    summary="Withdraw an idea",
    scope="write",
    status=204,
    conditional=True,
    conflicts=True,
)
async def withdraw(request: Request, idea_id: Identifier) -> Response:
    """By its author. It leaves the board; its author can still read it."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: ideas.find(tx.connection, actor, idea_id).version)
        ideas.withdraw(tx, actor, idea_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)


def _answer(tx: Transaction, actor: Actor, idea_id: int, base_url: str, *, created: bool = False) -> Answer:
    view = ideas.find(tx.connection, actor, idea_id)
    body = to_json(items.idea(base_url, view))
    location = f"{base_url}{PREFIX}/ideas/{idea_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, view.version), location)
