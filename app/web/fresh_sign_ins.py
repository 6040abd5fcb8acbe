"""The answer where a step needs a fresh sign-in: a page that says why, leads to the providers, and keeps the form."""

from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.errors import DomainError, NotFresh
from app.integrations.provider_settings import ProviderSettings
from app.lib.local_path import HOME, local_path
from app.policies.actor import Actor
from app.services import fresh_sign_ins, kept_forms
from app.web import identity, languages, pages, problems

PAGE: Final = "/me/fresh-sign-in"
"""Where the way to a provider begins, and below it where a kept form waits."""

OWN_PAGE: Final = "/me"
_MOST_FIELDS: Final = 200
_FORM: Final = "application/x-www-form-urlencoded"


def install(app: FastAPI) -> None:
    """Answer `NotFresh` here."""
    app.add_exception_handler(NotFresh, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The page that asks for a fresh sign-in; a program gets a problem document."""
    actor = await identity.actor(request)
    if actor.session_id is None or not isinstance(error, DomainError):
        return await problems.answer(request, error)
    language = languages.of(request, actor)
    response: HTMLResponse = pages.show(
        request,
        actor,
        "sign_in/fresh.html",
        status=error.status,
        detail=problems.said(language, error.message, error.values),
        providers=await providers_of(request, actor),
        next=await _way_back(request, actor),
        action=PAGE,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def providers_of(request: Request, actor: Actor) -> list[dict[str, str]]:
    """The providers at which the actor can prove who they are, each with its name for them."""
    issuers = await pages.read(request, fresh_sign_ins.issuers, actor)
    language = languages.of(request, actor)
    return [
        {"id": one.id, "label": one.label_in(language)} for one in _all(request) if issuers & one.issuers()
    ]


def _all(request: Request) -> list[ProviderSettings]:
    return [one for _, side in pages.context_of(request).providers.by_side() for one in side]


async def _way_back(request: Request, actor: Actor) -> str:
    """Where the sign-in leads back to: the page that was asked for, or the one on which the form waits."""
    if request.method in ("GET", "HEAD"):
        return _here(request)
    back = _form_page(request)
    fields = _fields(request)
    if fields is None:
        return back
    secret = identity.secret_of(request)
    kept: Any = await pages.write(
        request, kept_forms.keep, actor, secret, path=_here(request), back=back, fields=fields
    )
    return f"{PAGE}/{kept}"


def _here(request: Request) -> str:
    query = request.url.query
    return local_path(request.url.path + (f"?{query}" if query else ""))


def _form_page(request: Request) -> str:
    """The page of ours on which the form stood, as the browser tells."""
    told, own = (
        urlsplit(request.headers.get("referer", "")),
        urlsplit(pages.context_of(request).settings.base_url),
    )
    if (told.scheme, told.netloc) != (own.scheme, own.netloc):
        return OWN_PAGE
    path = local_path(told.path + (f"?{told.query}" if told.query else ""))
    return OWN_PAGE if path == HOME else path


def _fields(request: Request) -> kept_forms.Fields | None:
    """What was filled in, without what is of this page alone; None where there is nothing that can be kept."""
    body: bytes = request.scope["state"].get("body", b"")
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if kind != _FORM or len(body) > kept_forms.MOST_BYTES or len(_here(request)) > _MOST_PATH:
        return None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    return [(name, value) for name, value in pairs if name != "csrf"]


_MOST_PATH: Final = 2000
