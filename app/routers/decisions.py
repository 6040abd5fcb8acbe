"""Decisions by link: the page that a home manager without an account opens, and the click that decides."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Gone
from app.services import deciding, decision_links
from app.web import pages

router = APIRouter(include_in_schema=False)

PRIVATE = {
    "Cache-Control": "no-store",
    # The address decides, so no request carries it on; by `no-referrer` the form's own origin would be withheld too.
    "Referrer-Policy": "strict-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


@router.get("/decisions/{token}")
async def show(request: Request, token: str) -> Response:
    """What is to be decided. Opening it changes nothing."""
    await pages.reader(request)
    return await _show(request, token)


@router.post("/decisions/{token}")
async def decide(request: Request, token: str) -> Response:
    """Decide, once."""
    actor = await pages.reader(request)
    await pages.context_of(request).limiter.hold(request, actor)
    values = await pages.fields(request)
    approved = values.get("approved") == "1"
    try:
        await pages.write(
            request, deciding.decide_by_link, token, approved=approved, reason=values.get("reason", "")
        )
    except Gone:
        return await _show(request, token, status=410)
    except pages.MENDABLE as error:
        return await _show(request, token, error=error, values=values)
    return await _show(request, token, decided=approved)


async def _show(
    request: Request,
    token: str,
    *,
    error: Any = None,
    values: dict[str, str] | None = None,
    decided: bool | None = None,
    status: int = 200,
) -> Response:
    actor = await pages.reader(request)
    link = await pages.read(request, decision_links.opened, token)
    form = pages.refused(request, actor, error, values or {}) if error else pages.Form()
    is_over = link.problem is not None and decided is None
    response = pages.show(
        request,
        actor,
        "decisions/show.html",
        status=error.status if error else 410 if is_over else status,
        link=link,
        booking=link.booking,
        decided=decided,
        form=form,
    )
    response.headers.update(PRIVATE)
    return response
