"""An idea's pages: posting, reading, editing, withdrawing, moving, writing together."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import DomainError
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import boards, challenges, comments, ideas, merges, moderation, orders, programmes
from app.services.ideas import IdeaView
from app.web import languages, pages

router = APIRouter(include_in_schema=False)

COMMENTS = 50


@router.get("/challenges/{id:key}/ideas/new")
async def new(request: Request, id: int) -> Response:
    """The whole form: title, text, cluster, language, with or without a name."""
    actor = await pages.member(request)
    challenge = await pages.read(request, challenges.find, actor, id)
    require(actor, Permission.POST_IDEA, challenge)
    values = {"title": request.query_params.get("title", "")[:120], "language": languages.of(request, actor)}
    return await _show_new(request, actor, challenge, pages.Form(values))


@router.post("/challenges/{id:key}/ideas")
async def post(request: Request, id: int) -> Response:
    """Put an idea on the board; to htmx the card is the answer."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    try:
        idea_id = await pages.write(request, ideas.post, actor, id, **_written(request, actor, fields))
    except pages.MENDABLE as error:
        return await _post_again(request, actor, id, error, fields)
    if pages.is_fragment(request):
        view = await pages.read(request, ideas.find, actor, idea_id)
        return pages.show_card(request, actor, view.card, view.challenge.phase, supported=False, status=201)
    return pages.back_to(f"/challenges/{id}#idea-{idea_id}")


@router.get("/ideas/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One idea with its comments."""
    actor = await pages.member(request)
    return await show_idea(request, actor, await pages.read(request, ideas.find, actor, id))


@router.get("/ideas/{id:key}/edit")
async def edit(request: Request, id: int) -> Response:
    """The form with what the idea says now."""
    actor = await pages.member(request)
    view = await pages.read(request, ideas.find, actor, id)
    require(actor, Permission.EDIT_IDEA, view)
    values = {
        "title": view.card.title,
        "body": view.body,
        "language": view.card.language,
        "version": view.version,
        "cluster_id": view.card.cluster_id or "",
    }
    return await _show_edit(request, actor, view, pages.Form(values))


@router.post("/ideas/{id:key}")
async def save(request: Request, id: int) -> Response:
    """Save an edit; what was there is kept as a version."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    changes = _written(request, actor, fields)
    changes.pop("anonymous")
    if "cluster_id" not in fields:
        changes.pop("cluster_id")
    version = pages.number(fields.get("version", ""))
    try:
        await pages.write(request, ideas.edit, actor, id, version=version, **changes)
    except pages.MENDABLE as error:
        view = await pages.read(request, ideas.find, actor, id)
        form = pages.refused(request, actor, error, fields)
        return await _show_edit(request, actor, view, form, status=error.status)
    return pages.back_to(f"/ideas/{id}")


@router.get("/ideas/{id:key}/versions")
async def versions(request: Request, id: int) -> Response:
    """What the idea says and what it said before."""
    actor = await pages.member(request)
    view, earlier = await pages.read(request, ideas.versions, actor, id)
    return pages.show(request, actor, "ideas/versions.html", subject=view, idea=view, versions=earlier)


@router.post("/ideas/{id:key}/withdrawal")
async def withdraw(request: Request, id: int) -> Response:
    """Take an idea off the board."""
    actor = await pages.member(request)
    await pages.write(request, ideas.withdraw, actor, id)
    return pages.back_to(f"/ideas/{id}")


@router.get("/ideas/{id:key}/cluster")
async def choose_cluster(request: Request, id: int) -> Response:
    """The page on which a card is moved by choosing its cluster."""
    actor = await pages.member(request)
    view = await pages.read(request, ideas.find, actor, id)
    require(actor, Permission.MOVE_IDEA, view)
    clusters = await pages.read(request, boards.clusters, view.challenge_id)
    return pages.show(request, actor, "ideas/move.html", subject=view, idea=view, clusters=clusters)


@router.post("/ideas/{id:key}/cluster")
async def move(request: Request, id: int) -> Response:
    """Move a card to another cluster."""
    actor = await pages.member(request)
    chosen = (await pages.fields(request)).get("cluster_id", "")
    cluster_id = pages.number(chosen)
    await pages.write(request, ideas.move, actor, id, cluster_id or None)
    view = await pages.read(request, ideas.find, actor, id)
    if pages.is_fragment(request):
        return pages.show_card(request, actor, view.card, view.challenge.phase, supported=view.supported)
    return pages.back_to(f"/challenges/{view.challenge_id}#idea-{id}")


@router.post("/ideas/{id:key}/co-authors")
async def add_co_author(request: Request, id: int) -> Response:
    """Let someone write along."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    chosen = fields.get("person_id", "")
    person_id = pages.number(chosen) or 0
    try:
        await pages.write(request, ideas.add_co_author, actor, id, person_id)
    except pages.MENDABLE as error:
        view = await pages.read(request, ideas.find, actor, id)
        form = pages.refused(request, actor, error, fields)
        return await show_idea(request, actor, view, form=form, status=error.status)
    return pages.back_to(f"/ideas/{id}")


async def show_idea(
    request: Request, actor: Actor, view: IdeaView, *, status: int = 200, **values: Any
) -> Response:
    """An idea's page with all that stands on it."""
    after = request.query_params.get("after", "")
    position = pages.number(after) or 0
    order = orders.of(None, (position,))
    found = list(await pages.read(request, comments.on_idea, view.id, order=order, limit=COMMENTS + 1))
    more = f"/ideas/{view.id}?after={found[COMMENTS - 1].id}#comments" if len(found) > COMMENTS else None
    people = []
    if may(actor, Permission.ADD_CO_AUTHOR, view) and view.state == "open" and not view.card.anonymous:
        everyone = await pages.read(request, programmes.people, actor, view)
        people = [row for row in everyone if row.person_id != actor.person_id]
    membership = actor.membership_in(view.programme_id)
    return pages.show(
        request,
        actor,
        "ideas/show.html",
        status=status,
        subject=view,
        idea=view,
        supported=view.supported,
        sector=membership.sector_key if membership else "",
        comments=found[:COMMENTS],
        more_comments=more,
        may_comment=lambda comment: {
            "withdraw": may(actor, Permission.WITHDRAW_COMMENT, comment),
            "hide": may(actor, Permission.MODERATE, comment),
        },
        hiding=await pages.read(request, moderation.hiding_of, view.id) if view.state == "hidden" else None,
        merges=await pages.read(request, merges.of_idea, actor, view.id),
        people=people,
        event_id=view.event_id,
        **values,
    )


def _written(request: Request, actor: Actor, fields: dict[str, str]) -> dict[str, Any]:
    """What a form says of an idea."""
    cluster = fields.get("cluster_id", "")
    return {
        "title": fields.get("title", ""),
        "body": fields.get("body", ""),
        "cluster_id": pages.number(cluster),
        "anonymous": "anonymous" in fields,
        "language": fields.get("language") or languages.of(request, actor),
    }


async def _post_again(
    request: Request, actor: Actor, challenge_id: int, error: DomainError, fields: dict[str, str]
) -> Response:
    challenge = await pages.read(request, challenges.find, actor, challenge_id)
    form = pages.refused(request, actor, error, fields)
    if pages.is_fragment(request):
        return pages.show(
            request, actor, "ideas/_quick.html", status=422, subject=challenge, challenge=challenge, form=form
        )
    return await _show_new(request, actor, challenge, form, status=error.status)


async def _show_new(
    request: Request, actor: Actor, challenge: Any, form: Any, *, status: int = 200
) -> Response:
    clusters = await pages.read(request, boards.clusters, challenge.id)
    return pages.show(
        request,
        actor,
        "ideas/new.html",
        status=status,
        subject=challenge,
        challenge=challenge,
        clusters=clusters,
        form=form,
    )


async def _show_edit(
    request: Request, actor: Actor, view: IdeaView, form: Any, *, status: int = 200
) -> Response:
    clusters = await pages.read(request, boards.clusters, view.challenge_id)
    return pages.show(
        request,
        actor,
        "ideas/edit.html",
        status=status,
        subject=view,
        idea=view,
        challenge=view.challenge,
        clusters=clusters,
        form=form,
    )
