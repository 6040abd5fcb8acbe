"""SCIM 2.0 at the door: who calls, what was asked, and answers in its form."""

from typing import Final

from pydantic_core import to_json
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from starlette.requests import Request
from starlette.responses import Response

from app.errors import TooLarge
from app.integrations.scim import SERVICE
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.services.clients import SCIM
from app.services.directories import Failed
from app.web import bodies, operations, pages
from app.web.problems import BadRequest, InsufficientScope, UnsupportedMediaType

PREFIX: Final = "/scim/v2"
MEDIA_TYPES: Final = ("application/scim+json", "application/json")
MOST_OPERATIONS: Final = 100
LONGEST_PATH: Final = 2000
CONDITIONS: Final = ("if-match", "if-none-match", "content-type")


async def caller(request: Request) -> Actor:
    """The machine that calls, by a token with the scope `scim`; the call is counted.

    :raises NotSignedIn: no token, or none that holds
    :raises InsufficientScope: the token is for other things
    :raises TooMany: more calls than the limit allows
    """
    actor = await operations.known(request)
    await pages.context_of(request).limiter.hold(request, actor)
    if SCIM not in (actor.scopes or ()):
        raise InsufficientScope(N_("This needs a token with the scope %(scope)s."), scope=SCIM)
    return actor


async def asked(request: Request) -> ScimRequest:
    """The request as the library reads it; its body has been read as strictly as any other.

    :raises BadRequest: the body is no JSON, or a name in the address stands twice
    :raises UnsupportedMediaType: the body is of another kind
    """
    body = await bodies.raw(request)
    if body:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in MEDIA_TYPES:
            raise UnsupportedMediaType(
                N_("Please send JSON in UTF-8, with Content-Type: application/scim+json.")
            )
        _require_modest(bodies.parse(body))
    query = request.query_params.multi_items()
    if len({name.lower() for name, _ in query}) != len(query):
        raise BadRequest(N_("A name stands twice in the address."))
    return ScimRequest(
        method=request.method,
        base_url=f"{pages.context_of(request).settings.base_url}{PREFIX}",
        path=request.url.path.removeprefix(PREFIX),
        query=dict(query),
        headers={name: request.headers[name] for name in CONDITIONS if name in request.headers},
        body=body,
    )


def _require_modest(body: object) -> None:
    """Refuse what no directory sends: paths, filters and names as long as books take long to read.

    :raises TooLarge: there are too many operations, or one of these is too long
    """
    waiting = [body]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
            for name, value in each.items():
                is_many = (
                    name.lower() == "operations" and isinstance(value, list) and len(value) > MOST_OPERATIONS
                )
                is_long = (
                    name.lower() in ("path", "filter")
                    and isinstance(value, str)
                    and len(value) > LONGEST_PATH
                )
                if is_many or is_long or len(name) > LONGEST_PATH:
                    raise TooLarge(N_("This is more than one request may hold."))


def told(answer: ScimResponse) -> Response:
    """The library's answer, kept nowhere."""
    headers = {**answer.headers, "Cache-Control": "no-store"}
    if answer.body is None:
        headers.pop("Content-Type", None)
        return Response(None, int(answer.status), headers)
    return Response(to_json(answer.body), int(answer.status), headers)


def refusal(failure: Failed) -> Response:
    """What SCIM says of a failure."""
    return told(SERVICE.error_response(failure.error))
