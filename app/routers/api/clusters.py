"""Clusters of a board, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.clusters import ClusterChange, ClusterDraft, ClusterItem, ClusterList
from app.services import boards, challenges, clusters
from app.web import bodies, etags, idempotency, including, items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/challenges/{challenge_id}/clusters",
    tag="clusters",
    summary="List the clusters of a board",
    scope="read",
    gives=ClusterList,
    paged=True,
    includes=("challenge",),
)
async def index(
    request: Request, challenge_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """From the first to the last."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor, steps=2)
    await database(request).read(lambda connection: challenges.find(connection, actor, challenge_id))
    found = await database(request).read(lambda connection: boards.clusters(connection, challenge_id))
    shown, more = page.cut([each for each in found if (each.position, each.id) > page.position])
    told = [items.cluster(base_url(request), challenge_id, cluster) for cluster in shown]
    included = await including.of_items(request, actor, told)
    following = (shown[-1].position, shown[-1].id) if more else None
    return paging.listing(request, page, told, following, included)


@operation(
    "POST",
    "/challenges/{challenge_id}/clusters",
    tag="clusters",
    summary="Add a cluster",
    scope="write",
    status=201,
    located="/clusters/{cluster_id}",
    takes=ClusterDraft,
    gives=ClusterItem,
    keyed=True,
    conflicts=True,
)
async def create(request: Request, challenge_id: Identifier) -> Response:
    """At the end of the board; for facilitators and coordinators."""
    actor = await caller(request)
    draft = await bodies.take(request, ClusterDraft)

    def work(tx: Transaction) -> Answer:
        cluster_id = clusters.create(tx, actor, challenge_id, title=draft.title)
        return _answer(tx, actor, cluster_id, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/clusters/{cluster_id}",
    tag="clusters",
    summary="Read a cluster",
    scope="read",
    gives=ClusterItem,
    tagged=True,
    includes=("challenge",),
)
async def show(request: Request, cluster_id: Identifier) -> Response:
    """A column of the board."""
    actor = await caller(request)
    found = await database(request).read(lambda connection: clusters.find(connection, actor, cluster_id))
    told = items.cluster(base_url(request), found.challenge_id, found)
    return etags.item(
        request, to_json(await including.of_item(request, actor, told)), clusters.version_of(found)
    )


@operation(
    "PATCH",
    "/clusters/{cluster_id}",
    tag="clusters",
    summary="Rename a cluster",
    scope="write",
    takes=ClusterChange,
    gives=ClusterItem,
    conditional=True,
)
async def rename(request: Request, cluster_id: Identifier) -> Response:
    """For facilitators and coordinators."""
    actor = await caller(request)
    versions = etags.expected(request)
    draft = await bodies.take(request, ClusterChange)

    def work(tx: Transaction) -> Answer:
        clusters.rename(
            tx, actor, cluster_id, title=draft.title, version=_meant(versions, tx, actor, cluster_id)
        )
        return _answer(tx, actor, cluster_id, base_url(request))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/clusters/{cluster_id}",
    tag="clusters",
    summary="Take a cluster away",
    scope="write",
    status=204,
    conditional=True,
)
async def remove(request: Request, cluster_id: Identifier) -> Response:
    """For facilitators and coordinators. Its cards stay on the board, in no cluster."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        clusters.remove(tx, actor, cluster_id, version=_meant(versions, tx, actor, cluster_id))

    await database(request).write(work)
    return Response(status_code=204)


def _meant(versions: frozenset[int] | None, tx: Transaction, actor: Actor, cluster_id: int) -> int | None:
    return etags.meant(versions, lambda: clusters.version_of(clusters.find(tx.connection, actor, cluster_id)))


def _answer(
    tx: Transaction, actor: Actor, cluster_id: int, base_url: str, *, created: bool = False
) -> Answer:
    found = clusters.find(tx.connection, actor, cluster_id)
    body = to_json(items.cluster(base_url, found.challenge_id, found))
    location = f"{base_url}{PREFIX}/clusters/{cluster_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, clusters.version_of(found)), location)
