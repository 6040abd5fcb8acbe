"""The way to an identity provider and back: the browser's secret, the redirect, and what was refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import DomainError
from app.lib import secrets
from app.services import sign_in
from app.web import pages


async def leave(
    request: Request, provider: str, *, next: str, fresh: bool = False, **purpose: Any
) -> Response:
    """Send the browser to a provider, with a note of what must come back; `purpose` as `services.sign_in.depart`.

    `fresh`, or one of the purposes that want it: the provider shall ask anew who is there.
    """
    context = pages.context_of(request)
    await context.limiter.hold_address(request)
    there = context.providers.find(provider)
    what_for = purpose.get("purpose", sign_in.ENTER)
    async with noting_refusals(request, provider, what_for):
        departure = await there.depart(fresh=fresh or what_for in sign_in.FRESH)
    browser = secret_of_browser(request) or secrets.new_secret()
    await pages.write(
        request, sign_in.depart, departure, provider=provider, browser=browser, next=next, **purpose
    )
    response = see_other(departure.url)
    response.set_cookie(
        _cookie(request),
        browser,
        max_age=int(sign_in.LONGEST.total_seconds()),
        path="/",
        secure=context.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return response


@asynccontextmanager
async def noting_refusals(
    request: Request, provider: str, purpose: str = sign_in.ENTER
) -> AsyncIterator[None]:
    """Note in the audit log what within comes to nothing; the failure itself goes on to its answer."""
    try:
        yield
    except DomainError as error:
        await pages.write(
            request, sign_in.refuse, provider=provider, reason=reason_of(error), purpose=purpose
        )
        raise


def reason_of(error: DomainError) -> str:
    """Why, in a word of ours, for the audit log."""
    return str(getattr(error, "reason", error.code))[:40]


def secret_of_browser(request: Request) -> str:
    """The secret by which a browser is known between leaving and coming back, or an empty text."""
    secret = request.cookies.get(_cookie(request), "")
    return secret if len(secret) <= 200 else ""


def see_other(address: str) -> Response:
    """A redirect with GET, not to be kept. An address may hold letters that no header can."""
    there = quote(address, safe="/:?#[]@!$&'()*+,;=%~")
    return RedirectResponse(there, 303, headers={"Cache-Control": "no-store"})


def _cookie(request: Request) -> str:
    return "__Host-sign-in" if pages.context_of(request).settings.secure else "sign-in"
