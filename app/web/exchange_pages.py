"""What the pages of exchanges share: the programme that they are about."""

from starlette.requests import Request

from app.errors import NotFound
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.services import programmes
from app.services.programmes import ProgrammeView
from app.web import pages


async def programme_of(request: Request, actor: Actor) -> ProgrammeView:
    """The programme that the address names (`?programme=slug`), or else the first one in which the actor takes part.

    :raises NotFound: there is no such programme, or the actor takes part in none
    """
    slug = request.query_params.get("programme", "")
    if slug:
        found: ProgrammeView = await pages.read(request, programmes.by_slug, actor, slug)
    elif actor.memberships:
        found = await pages.read(request, programmes.find, actor, min(actor.memberships))
    else:
        raise NotFound(N_("You take part in no programme yet, so there are no exchanges to show."))
    if actor.role_in(found.id) is None:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    return found
