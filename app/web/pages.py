"""What every page needs: who reads it, in which language, and the answer after a form."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.errors import Conflict, DomainError, FieldError, Invalid, Moved, NotSignedIn
from app.lib import clock
from app.lib.i18n import N_, ZONE
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services.cards import Card
from app.services.phases import PhaseView
from app.web import admin_sections, csrf, delivery, identity, languages
from app.web.context import Context
from app.web.problems import said

_PERMISSIONS = {permission.value: permission for permission in Permission}


MENDABLE = (Invalid, Conflict, Moved)
"""Failures after which a form comes back with what was typed."""

LARGEST_KEY_DIGITS = 15

MOST_FIELDS = 1000
"""How many fields a form may have in which people choose several of a list."""

KEPT_S = 10.0
"""A page that is given again was made at most so long ago: what the clock changes shows soon after."""


class _KeyConvertor(Convertor[int]):
    """The id in an address: what no row can have leads nowhere, before the database is asked."""

    regex = f"[0-9]{{1,{LARGEST_KEY_DIGITS}}}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("key", _KeyConvertor())


@dataclass(frozen=True, slots=True)
class Form:
    """A form as its reader filled it in, and what is to be mended in it, each by the field's name."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class May:
    """What the reader may do with one thing: `may.post_idea` in a template asks the policy."""

    def __init__(self, actor: Actor, subject: Any) -> None:
        self._actor = actor
        self._subject = subject

    def __getattr__(self, name: str) -> bool:
        """Whether the permission of that name is given; of an idea, `edit` is short for `edit_idea`."""
        permission = _PERMISSIONS.get(name) or _PERMISSIONS.get(f"{name}_idea")
        if permission is None:
            raise AttributeError(name)
        return may(self._actor, permission, self._subject)


def context_of(request: Request) -> Context:
    """The parts of the running application."""
    found: Context = request.app.state.context
    return found


async def reader(request: Request) -> Actor:
    """Who reads the page, perhaps nobody we know; the language of the answer is settled with it."""
    languages.of(request)
    actor = await identity.actor(request)
    languages.of(request, actor)
    return actor


async def member(request: Request) -> Actor:
    """Who reads the page.

    :raises NotSignedIn: nobody that we know; the page then leads to the sign-in and back
    """
    actor = await reader(request)
    if not actor.is_known:
        raise NotSignedIn(N_("Please sign in first."))
    if request.method not in ("GET", "HEAD"):
        await context_of(request).limiter.hold(request, actor)
    return actor


def show(
    request: Request, actor: Actor, name: str, *, status: int = 200, subject: Any = None, **values: Any
) -> HTMLResponse:
    """The page `name`; `subject` is what its `may` asks about."""
    language = languages.of(request, actor)
    html = context_of(request).templates.render(
        language,
        name,
        request=request,
        path=request.url.path,
        actor=actor,
        csrf=csrf.csrf_token(identity.secret_of(request)),
        site_address=context_of(request).settings.base_url,
        contact=context_of(request).settings.contact,
        is_demo=context_of(request).settings.environment == "demo",
        may=May(actor, subject),
        **(values | _sections(request, actor)),
    )
    return HTMLResponse(html, status)


def show_card(
    request: Request, actor: Actor, card: Card, phase: PhaseView, *, supported: bool, status: int = 200
) -> HTMLResponse:
    """One card as the answer to what was done with it."""
    html = context_of(request).templates.card(languages.of(request, actor), card, phase, supported=supported)
    return HTMLResponse(html, status)


def _sections(request: Request, actor: Actor) -> dict[str, Any]:
    """What the pages of the administration have besides: the ways among them."""
    if not request.url.path.startswith(admin_sections.ROOT):
        return {}
    found = admin_sections.open_to(request, actor)
    return {"sections": found, "section": admin_sections.current(request.url.path)}


def keep(request: Request, *, until: datetime | None) -> None:
    """Let this answer be given again while nothing changes, for `KEPT_S` at most and not beyond `until`."""
    left_s = KEPT_S if until is None else min(KEPT_S, (until - clock.now()).total_seconds())
    if left_s > 0:
        request.scope["state"][delivery.KEEP_UNTIL] = time.monotonic() + left_s


def is_fragment(request: Request) -> bool:
    """Whether htmx asks, and wants only the part that changes."""
    return request.headers.get("hx-request-type") == "partial"


def back_to(path: str) -> Response:
    """After a form has done its work, the page that shows it."""
    return RedirectResponse(path, 303)


async def fields(request: Request) -> dict[str, str]:
    """The form that was sent, each field once; files are refused."""
    async with request.form(max_files=0, max_fields=200) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


async def fields_and_lists(request: Request, *lists: str) -> dict[str, Any]:
    """The form that was sent: what `lists` names as lists of all that was chosen, every other field once."""
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        found: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
        return found | {
            name: [value for value in form.getlist(name) if isinstance(value, str)] for name in lists
        }


async def pairs(request: Request) -> list[tuple[str, str]]:
    """The form that was sent, each field as often as it stands in it: where a name that stands twice is an error."""
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def instant(field: str, text: str) -> datetime:
    """The instant that a `datetime-local` field holds, read in our zone.

    :raises Invalid: it is none
    """
    try:
        local = datetime.fromisoformat(text)
        return local.replace(tzinfo=local.tzinfo or ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        message = N_("Please write the date and time like 2026-05-04T09:30.")
        raise Invalid(FieldError(field, message)) from None


def number(text: str) -> int | None:
    """The id that a field of a form names, if it is one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LARGEST_KEY_DIGITS else None


def refused(request: Request, actor: Actor, error: DomainError, values: Mapping[str, Any]) -> Form:
    """The form again: what was typed, and what is wrong, beside each field or above them all."""
    language = languages.of(request, actor)
    if isinstance(error, Invalid):
        return Form(
            values, {wrong.field: said(language, wrong.message, dict(wrong.values)) for wrong in error.errors}
        )
    return Form(values, {"": said(language, error.message, error.values)})


async def read(request: Request, query: Any, *arguments: Any, **named: Any) -> Any:
    """The answer of a service's query."""
    return await context_of(request).database.read(lambda connection: query(connection, *arguments, **named))


async def read_unbounded(request: Request, query: Any, *arguments: Any, **named: Any) -> Any:
    """The answer of a service's query that may take long: in a thread, so that nobody else waits for it."""
    return await context_of(request).database.read_unbounded(
        lambda connection: query(connection, *arguments, **named)
    )


async def write(request: Request, verb: Any, *arguments: Any, **named: Any) -> Any:
    """Do a service's verb; its answer comes after the commit."""
    return await context_of(request).database.write(lambda tx: verb(tx, *arguments, **named))
