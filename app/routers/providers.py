"""Identity providers for those who look after them: how each fares, and a trial that leaves nothing behind."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.integrations import provider_health
from app.services import providers, sign_in
from app.web import departures, pages

router = APIRouter(include_in_schema=False)


@router.get("/admin/providers")
async def index(request: Request) -> Response:
    """Each provider that the reader looks after: what it offers, what differs, and what failed lately."""
    actor = await pages.member(request)
    known = pages.context_of(request).providers
    ours = await pages.read(request, providers.overseen, actor, [one.settings for one in known])
    checks = await asyncio.gather(*(provider_health.look(known.find(one.id)) for one in ours))
    failures = await pages.read(request, providers.failures, [one.id for one in ours])
    return pages.show(
        request,
        actor,
        "providers/index.html",
        providers=[(one, found, failures[one.id]) for one, found in zip(ours, checks, strict=True)],
        base_url=pages.context_of(request).settings.base_url,
    )


@router.post("/admin/providers/{id}/trial")
async def begin_trial(request: Request, id: str) -> Response:
    """Leave for a provider as for a sign-in; the answer shows what came, and nobody is made or signed in."""
    actor = await pages.member(request)
    there = pages.context_of(request).providers.find(id)
    await pages.read(request, providers.find, actor, [there.settings], id)
    return await departures.leave(request, id, next="/admin/providers", purpose=sign_in.TRIAL)
