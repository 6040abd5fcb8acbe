"""What the console's pages share: the programme that they are about."""

from starlette.requests import Request

from app.errors import NotFound
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.services import programmes
from app.services.programmes import ProgrammeView
from app.web import pages


async def programme_of(request: Request, actor: Actor) -> ProgrammeView:
    """The programme that the address names (`?programme=slug`), or else the first one that the actor coordinates.

    :raises NotFound: there is no such programme, or the actor coordinates none
    """
    slug = request.query_params.get("programme", "")
    if slug:
        named: ProgrammeView = await pages.read(request, programmes.by_slug, actor, slug)
        return named
    for found in await pages.read(request, programmes.coordinated_by, actor):
        coordinated: ProgrammeView = found["programme"]
        return coordinated
    raise NotFound(N_("There is no such page, or it is not open to you."))
