"""SCIM 2.0: the door at which directories of organisations tell of their people and groups."""

import asyncio
import sys
from importlib import import_module
from typing import Final

from fastapi import APIRouter, Depends
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.web import pages
from app.web.problems import SCIM_ERROR, SCIM_MEDIA_TYPE


async def load() -> None:
    """What reads SCIM takes as long to import as a third of all the rest, so it waits for the first directory.

    It comes in beside the loop, and shallow in a thread's stack, where the library looks for its docstrings quickly.
    """
    if "app.web.scim" not in sys.modules:
        await asyncio.to_thread(import_module, "app.web.scim")


router = APIRouter(include_in_schema=False, dependencies=[Depends(load)])

PREFIX: Final = "/scim/v2"


@router.get(f"{PREFIX}/ServiceProviderConfig")
@router.get(f"{PREFIX}/ResourceTypes")
@router.get(f"{PREFIX}/ResourceTypes/{{name}}")
@router.get(f"{PREFIX}/Schemas")
@router.get(f"{PREFIX}/Schemas/{{urn}}")
@router.get(f"{PREFIX}/Users")
@router.get(f"{PREFIX}/Users/{{id}}")
@router.get(f"{PREFIX}/Groups")
@router.get(f"{PREFIX}/Groups/{{id}}")
@router.post(f"{PREFIX}/Users/.search")
@router.post(f"{PREFIX}/Groups/.search")
async def read(request: Request) -> Response:
    """What is offered; someone or a group that the directory told of, or those of them that fit a filter."""
    from app.services import directories
    from app.web import scim

    actor = await scim.caller(request)
    try:
        answer = await pages.read_unbounded(request, directories.read, actor, await scim.asked(request))
    except directories.Failed as failure:
        return scim.refusal(failure)
    return scim.told(answer)


@router.post(f"{PREFIX}/Users")
@router.put(f"{PREFIX}/Users/{{id}}")
@router.patch(f"{PREFIX}/Users/{{id}}")
@router.delete(f"{PREFIX}/Users/{{id}}")
@router.post(f"{PREFIX}/Groups")
@router.put(f"{PREFIX}/Groups/{{id}}")
@router.patch(f"{PREFIX}/Groups/{{id}}")
@router.delete(f"{PREFIX}/Groups/{{id}}")
async def write(request: Request) -> Response:
    """Keep, change or forget someone or a group."""
    from app.services import directories
    from app.web import scim

    actor = await scim.caller(request)
    try:
        answer = await pages.write(request, directories.write, actor, await scim.asked(request))
    except directories.Failed as failure:
        return scim.refusal(failure)
    return scim.told(answer)


@router.post(f"{PREFIX}/Bulk")
@router.post(f"{PREFIX}/.search")
async def not_offered(request: Request) -> Response:
    """Many changes in one request, and searches for people and groups at once: not here."""
    from app.web import scim

    await scim.caller(request)
    told = {"schemas": [SCIM_ERROR], "status": "501", "detail": "This is not offered here."}
    return Response(to_json(told), 501, media_type=SCIM_MEDIA_TYPE)
