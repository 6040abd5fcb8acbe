"""What the API says of itself: its document, its kinds of problems, and a page to read and try it."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.lib.i18n import N_
from app.policies.actor import ANONYMOUS
from app.schemas.problem import ProblemKind, ProblemKindList
from app.web import openapi as description
from app.web import pages, reference
from app.web import problems as failures
from app.web.operations import base_url, operation, require_known_names

_KEPT_FOR = {"Cache-Control": "public, max-age=300"}


@operation(
    "GET",
    "/openapi.json",
    name="get_openapi",
    tag="documents",
    summary="Read this document",
    gives_files=("application/json",),
    scope=None,
)
async def openapi(request: Request) -> Response:
    """OpenAPI 3.1."""
    require_known_names(request)
    return Response(description.document(base_url(request)), 200, _KEPT_FOR, "application/json")


@operation(
    "GET",
    "/problems",
    name="list_problems",
    tag="documents",
    summary="List the kinds of problems",
    scope=None,
    gives=ProblemKindList,
)
async def problems(request: Request) -> Response:
    """Every `type` that a problem document can have."""
    require_known_names(request)
    kinds = [failures.kind(request, code) for code in failures.KINDS]
    return Response(to_json({"items": kinds, "next": None}), 200, _KEPT_FOR, "application/json")


@operation(
    "GET",
    "/problems/{code}",
    tag="documents",
    summary="Read what a problem is",
    scope=None,
    gives=ProblemKind,
)
async def problem(request: Request, code: str) -> Response:
    """What the `type` of a problem document leads to."""
    require_known_names(request)
    if code not in failures.KINDS:
        raise NotFound(N_("There is no such kind of problem."))
    return Response(to_json(failures.kind(request, code)), 200, _KEPT_FOR, "application/json")


@operation(
    "GET",
    "/docs",
    tag="documents",
    summary="Read and try the API on a page",
    gives_files=("text/html",),
    scope=None,
)
async def page(request: Request) -> Response:
    """The same as this document, for people; it loads nothing from elsewhere."""
    require_known_names(request)
    here = base_url(request)
    is_program = "authorization" in request.headers
    return pages.show(
        request,
        ANONYMOUS if is_program else await pages.reader(request),
        "api/show.html",
        groups=reference.groups(here),
        about_html=reference.about(),
        base_url=here,
    )
