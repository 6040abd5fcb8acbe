"""What every page needs: who reads it, in which language, and the answer after a form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.errors import Invalid
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.web import csrf, identity, languages
from app.web.context import Context
from app.web.problems import said

T = TypeVar("T")


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
        """Whether the permission of that name is given."""
        return may(self._actor, Permission(name), self._subject)


def context_of(request: Request) -> Context:
    """The parts of the running application."""
    found: Context = request.app.state.context
    return found


async def reader(request: Request) -> Actor:
    """Who reads the page, perhaps nobody we know; the language of the answer is settled with it."""
    actor = await identity.actor(request)
    languages.of(request, actor)
    return actor


async def member(request: Request) -> Actor:
    """Who reads the page.

    :raises NotSignedIn: nobody that we know; the page then leads to the sign-in and back
    """
    languages.of(request)
    actor = await identity.required(request)
    languages.of(request, actor)
    return actor


def show(request: Request, actor: Actor, name: str, *, status: int = 200, subject: Any = None, **values: Any) -> HTMLResponse:
    """The page `name`; `subject` is what its `may` asks about."""
    language = languages.of(request, actor)
    html = context_of(request).templates.render(
        language,
        name,
        request=request,
        path=request.url.path,
        actor=actor,
        csrf=csrf.csrf_token(identity.secret_of(request)),
        contact=context_of(request).settings.contact,
        is_demo=context_of(request).settings.environment == "demo",
        may=May(actor, subject),
        **values,
    )
    return HTMLResponse(html, status)


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


def refused(request: Request, actor: Actor, error: Invalid, values: Mapping[str, Any]) -> Form:
    """The form again: what was typed, and beside each field what is wrong with it."""
    language = languages.of(request, actor)
    return Form(values, {wrong.field: said(language, wrong.message, dict(wrong.values)) for wrong in error.errors})


async def read(request: Request, query: Any, *arguments: Any, **named: Any) -> Any:
    """The answer of a service's query."""
    return await context_of(request).database.read(lambda connection: query(connection, *arguments, **named))


async def write(request: Request, verb: Any, *arguments: Any, **named: Any) -> Any:
    """Do a service's verb; its answer comes after the commit."""
    return await context_of(request).database.write(lambda tx: verb(tx, *arguments, **named))
