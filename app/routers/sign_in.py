"""Signing in and out: the chooser, the way to a provider and back, and the way out."""

from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import Conflict
from app.lib import secrets
from app.lib.i18n import N_
from app.lib.local_path import local_path
from app.services import sessions, sign_in
from app.settings import LOOPBACK
from app.web import identity, languages, limits, pages

router = APIRouter(include_in_schema=False)

LONGEST_ANSWER: Final = 4000
"""Characters of one parameter that a provider sends back."""


@router.get("/sign-in")
async def show(request: Request) -> Response:
    """The chooser: who works where, and so signs in with whom."""
    base_url = pages.context_of(request).settings.base_url
    wanted = local_path(request.query_params.get("next"))
    if _is_under_another_name(request, base_url):
        return _see_other(f"{base_url}/sign-in?{urlencode({'next': wanted})}")
    actor = await pages.reader(request)
    if actor.is_known:
        return _see_other(wanted)
    sides = _sides(request, languages.of(request, actor))
    return pages.show(request, actor, "sign_in/show.html", sides=sides, next=wanted)


@router.post("/sign-in/{provider}")
async def start(request: Request, provider: str) -> Response:
    """Leave for a provider, with a note of what must come back."""
    await pages.reader(request)
    await pages.context_of(request).limiter.hold_address(request)
    there = pages.context_of(request).providers.find(provider)
    wanted = local_path((await pages.fields(request)).get("next"))
    departure = await there.depart()
    browser = _browser(request) or secrets.new_secret()
    await pages.write(request, sign_in.depart, departure, provider=provider, browser=browser, next=wanted)
    response = _see_other(departure.url)
    _keep_browser(request, response, browser)
    return response


@router.get("/sign-in/{provider}/callback")
async def finish(request: Request, provider: str) -> Response:
    """Come back from a provider: whom it vouches for has a fresh session."""
    await pages.reader(request)
    await pages.context_of(request).limiter.hold_address(request, limits.DEFAULT)
    there = pages.context_of(request).providers.find(provider)
    answer = _answer(request)
    ticket = await pages.write(
        request,
        sign_in.come_back,
        provider=provider,
        state=answer.get("state", ""),
        browser=_browser(request),
    )
    arrival = await there.redeem(answer, nonce=ticket.nonce, code_verifier=ticket.code_verifier)
    secret = await pages.write(request, sign_in.complete, arrival, replaces=identity.secret_of(request))
    response = _see_other(ticket.next)
    identity.keep(request, response, secret)
    return response


@router.post("/sign-out")
async def end(request: Request) -> Response:
    """End the session here, then at the provider."""
    session = await pages.write(request, sessions.end, identity.secret_of(request))
    response = _see_other((await _farewell(request, session) if session else None) or "/sign-out/done")
    identity.forget(request, response)
    return response


@router.get("/sign-out/done")
async def ended(request: Request) -> Response:
    """Say that the session is over."""
    return pages.show(request, await pages.reader(request), "sign_in/done.html")


def _is_under_another_name(request: Request, base_url: str) -> bool:
    """Whether this machine is read as `localhost` where it knows itself as `127.0.0.1`, or the like.

    The provider leads back to the base URL, and a cookie that was set under the other name would not be there.
    """
    host, own = request.headers.get("host", ""), urlsplit(base_url)
    return own.hostname in LOOPBACK and host != own.netloc and urlsplit(f"//{host}").hostname in LOOPBACK


def _sides(request: Request, language: str) -> list[dict[str, object]]:
    """The halves of the chooser, each with its providers by their names in `language`."""
    return [
        {"key": side, "providers": [{"id": one.id, "label": one.label_in(language)} for one in providers]}
        for side, providers in pages.context_of(request).providers.by_side()
    ]


async def _farewell(request: Request, session: sessions.Ended) -> str | None:
    """Where the provider ends its own session; None where it has no such place, or no longer is one of ours."""
    providers = pages.context_of(request).providers
    if not providers.has(session.provider):
        return None
    return await providers.find(session.provider).farewell(id_token=session.id_token, state=secrets.new_hex())


def _answer(request: Request) -> dict[str, str]:
    """What the provider sent back, each parameter once.

    :raises Conflict: one came twice, or is absurdly long
    """
    pairs = request.query_params.multi_items()
    answer = dict(pairs)
    if len(answer) != len(pairs) or any(len(value) > LONGEST_ANSWER for value in answer.values()):
        raise Conflict(N_("This sign-in has expired or was used already. Please sign in again."))
    return answer


def _see_other(address: str) -> Response:
    """A redirect with GET, not to be kept. An address may hold letters that no header can."""
    there = quote(address, safe="/:?#[]@!$&'()*+,;=%~")
    return RedirectResponse(there, 303, headers={"Cache-Control": "no-store"})


def _browser(request: Request) -> str:
    """The secret by which a browser is known between leaving and coming back."""
    secret = request.cookies.get(_browser_cookie(request), "")
    return secret if len(secret) <= 200 else ""


def _keep_browser(request: Request, response: Response, secret: str) -> None:
    response.set_cookie(
        _browser_cookie(request),
        secret,
        max_age=int(sign_in.LONGEST.total_seconds()),
        path="/",
        secure=pages.context_of(request).settings.secure,
        httponly=True,
        samesite="lax",
    )


def _browser_cookie(request: Request) -> str:
    return "__Host-sign-in" if pages.context_of(request).settings.secure else "sign-in"
