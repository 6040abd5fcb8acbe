"""Calendars: feeds of stays at secret addresses, and the page on which these are made and revoked."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import TooMany
from app.policies.actor import Actor
from app.services import calendar_feeds
from app.web import calendar_files, etags, exchange_pages, languages, limits, pages

router = APIRouter(include_in_schema=False)


@router.get("/calendars/{token}.ics")
async def read(request: Request, token: str) -> Response:
    """The stays of a feed, for whoever has its address: no session is asked for, and none begun."""
    languages.of(request)
    context = pages.context_of(request)
    await context.limiter.hold_address(request, limits.DEFAULT)
    found = await pages.read(request, calendar_feeds.read, token)
    body = calendar_files.feed(found, base_url=context.settings.base_url)
    headers = {"ETag": etags.tag(body, 1), "Cache-Control": etags.CACHING, "Referrer-Policy": "no-referrer"}
    if etags.matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, {**headers, "Content-Type": calendar_files.CONTENT_TYPE})


@router.get("/exchanges/feeds")
async def show(request: Request) -> Response:
    """My secret addresses."""
    return await _show(request, await pages.member(request))


@router.post("/exchanges/feeds")
async def make(request: Request) -> Response:
    """Make a secret address; it is shown once, on the page that answers."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    values = await pages.fields(request)
    organisation_id = pages.number(values.get("organisation_id", ""))
    try:
        made = await pages.write(
            request, calendar_feeds.make, actor, programme, organisation_id=organisation_id
        )
    except TooMany as error:
        form = pages.refused(request, actor, error, values)
        return await _show(request, actor, form=form, status=error.status)
    base_url = pages.context_of(request).settings.base_url
    address = f"{base_url}/calendars/{made.token}.ics"
    return await _show(request, actor, address=address, status=201)


@router.post("/exchanges/feeds/{id:key}/revocation")
async def revoke(request: Request, id: int) -> Response:
    """End a secret address at once."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    await pages.write(request, calendar_feeds.revoke, actor, id)
    return pages.back_to(f"/exchanges/feeds?programme={programme.slug}")


async def _show(
    request: Request,
    actor: Actor,
    *,
    form: pages.Form | None = None,
    address: str = "",
    status: int = 200,
) -> Response:
    programme: Any = await exchange_pages.programme_of(request, actor)
    organisations = await pages.read(request, calendar_feeds.open_organisations, actor, programme)
    return pages.show(
        request,
        actor,
        "exchanges/feeds.html",
        status=status,
        subject=programme,
        programme=programme,
        feeds=await pages.read(request, calendar_feeds.of_person, actor, programme),
        organisations=[(each.id, each.name) for each in organisations],
        address=address,
        form=form or pages.Form(),
    )
