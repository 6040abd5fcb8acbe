"""Signing in and out: the chooser, the way to a provider and back, and the way out."""

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import DomainError
from app.integrations.arrivals import Arrival
from app.integrations.oidc import Provider
from app.lib import devices, secrets
from app.lib.local_path import local_path
from app.policies.actor import Actor
from app.services import invitations, join_requests, people, providers, sessions, sign_in, trials
from app.settings import LOOPBACK
from app.web import departures, identity, languages, limits, pages

router = APIRouter(include_in_schema=False)

LONGEST_ANSWER: Final = 4000
"""Characters of one parameter that a provider sends back."""


@router.get("/sign-in")
async def show(request: Request) -> Response:
    """The chooser: who works where, and so signs in with whom."""
    base_url = pages.context_of(request).settings.base_url
    wanted = local_path(request.query_params.get("next"))
    if _is_under_another_name(request, base_url):
        return departures.see_other(f"{base_url}/sign-in?{urlencode({'next': wanted})}")
    actor = await pages.reader(request)
    if actor.is_known:
        return departures.see_other(wanted)
    sides = _sides(request, languages.of(request, actor))
    return pages.show(request, actor, "sign_in/show.html", sides=sides, next=wanted)


@router.post("/sign-in/{provider}")
async def start(request: Request, provider: str) -> Response:
    """Leave for a provider."""
    await pages.reader(request)
    fields = await pages.fields(request)
    invitation = fields.get("invitation")
    held = await pages.read(request, invitations.to_leave_with, invitation, provider) if invitation else None
    return await departures.leave(request, provider, next=local_path(fields.get("next")), invitation_id=held)


@router.get("/sign-in/{provider}/callback")
async def finish(request: Request, provider: str) -> Response:
    """Come back from a provider: whom it vouches for has a fresh session."""
    actor = await pages.reader(request)
    await pages.context_of(request).limiter.hold_address(request, limits.DEFAULT)
    there = pages.context_of(request).providers.find(provider)
    async with departures.noting_refusals(request, provider):
        answer = _answer(request)
        ticket = await pages.write(
            request,
            sign_in.come_back,
            provider=provider,
            state=answer.get("state", ""),
            browser=departures.secret_of_browser(request),
        )
    if ticket.purpose == sign_in.TRIAL:
        return await _show_trial(request, actor, there, answer, ticket)
    async with departures.noting_refusals(request, provider, ticket.purpose):
        arrival = (await there.hear(answer, ticket.asked)).arrival
        try:
            secret = await _completed(request, ticket, arrival)
        except people.Waits as waits:
            await pages.write(request, join_requests.ask, arrival, waits.organisation_id)
            return departures.see_other("/sign-in/waiting")
    response = departures.see_other(ticket.next)
    if secret is not None:
        identity.keep(request, response, secret)
    return response


@router.get("/sign-in/waiting")
async def wait(request: Request) -> Response:
    """Say that someone's request to join waits, and what happens next."""
    return pages.show(request, await pages.reader(request), "sign_in/waiting.html")


@router.post("/sign-out")
async def end(request: Request) -> Response:
    """End the session here, then at the provider."""
    session = await pages.write(request, sessions.end, identity.secret_of(request))
    response = departures.see_other(
        (await _farewell(request, session) if session else None) or "/sign-out/done"
    )
    identity.forget(request, response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@router.get("/sign-out/done")
async def ended(request: Request) -> Response:
    """Say that the session is over."""
    return pages.show(request, await pages.reader(request), "sign_in/done.html")


async def _completed(request: Request, ticket: sign_in.Ticket, arrival: Arrival) -> str | None:
    """Do what the way was for; the secret for another cookie, if it brings one."""
    secret: str | None = await pages.write(
        request,
        sign_in.complete,
        ticket,
        arrival,
        secret=identity.secret_of(request),
        device=devices.named(request.headers.get("user-agent", "")),
    )
    return secret


async def _show_trial(
    request: Request, actor: Actor, there: Provider, answer: dict[str, str], ticket: sign_in.Ticket
) -> Response:
    """The end of a trial: what came and what it would lead to, or why it failed; shown this once, kept nowhere."""
    values: dict[str, Any] = {"provider": there.settings, "failure": None}
    await pages.read(request, providers.find, actor, [there.settings], there.settings.id)
    try:
        heard = await there.hear(answer, ticket.asked)
    except DomainError as error:
        reason = departures.reason_of(error)
        await pages.write(
            request, sign_in.refuse, provider=there.settings.id, reason=reason, purpose=sign_in.TRIAL
        )
        values |= {"failure": error, "reason": reason}
    else:
        forecast = await pages.write(request, trials.foresee, actor, heard.arrival)
        values |= {"heard": heard, "forecast": forecast}
    return pages.show(request, actor, "providers/trial.html", **values)


def _is_under_another_name(request: Request, base_url: str) -> bool:
    """Whether this machine is read as `localhost` where it knows itself as `127.0.0.1`, or the like.

    The provider leads back to the base URL, and a cookie that was set under the other name would not be there.
    """
    host, own = request.headers.get("host", ""), urlsplit(base_url)
    return own.hostname in LOOPBACK and host != own.netloc and urlsplit(f"//{host}").hostname in LOOPBACK


def _sides(request: Request, language: str) -> list[dict[str, object]]:
    """The halves of the chooser, each with its providers by their names in `language`."""
    return [
        {"key": side, "providers": [{"id": one.id, "label": one.label_in(language)} for one in ours]}
        for side, ours in pages.context_of(request).providers.by_side()
    ]


async def _farewell(request: Request, session: sessions.Ended) -> str | None:
    """Where the provider ends its own session; None where it has no such place, or no longer is one of ours."""
    known = pages.context_of(request).providers
    if not known.has(session.provider):
        return None
    return await known.find(session.provider).farewell(id_token=session.id_token, state=secrets.new_hex())


def _answer(request: Request) -> dict[str, str]:
    """What the provider sent back, each parameter once.

    :raises Spent: one came twice, or is absurdly long
    """
    pairs = request.query_params.multi_items()
    answer = dict(pairs)
    if len(answer) != len(pairs) or any(len(value) > LONGEST_ANSWER for value in answer.values()):
        raise sign_in.Spent
    return answer
