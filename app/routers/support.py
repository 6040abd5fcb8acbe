"""Support for an idea, given and taken back; to htmx the card is the answer."""

from starlette.requests import Request
from starlette.responses import Response

from app.services import support
from app.services.support import Wish
from app.web import pages


async def give(request: Request) -> Response:
    """`POST /ideas/{id}/support`."""
    return await _meet(request, wanted=True)


async def withdraw(request: Request) -> Response:
    """`POST /ideas/{id}/support/withdrawal`."""
    return await _meet(request, wanted=False)


async def _meet(request: Request, *, wanted: bool) -> Response:
    actor = await pages.member(request)
    wish = Wish(actor, request.path_params["id"], wanted)
    met = await pages.context_of(request).database.write_together(support.meet, wish)
    if pages.is_fragment(request):
        return pages.show_card(request, actor, met.card, met.phase, supported=met.supported)
    return pages.back_to(_where_it_was(request, met.card.challenge_id, met.card.id))


def _where_it_was(request: Request, challenge_id: int, idea_id: int) -> str:
    """The page from which a form without JavaScript came: the idea's own, or the board at the card."""
    referrer = request.headers.get("referer", "")
    base_url = pages.context_of(request).settings.base_url
    page = referrer.removeprefix(base_url).split("#")[0]
    if page == f"/ideas/{idea_id}":
        return page
    if page.startswith(f"/challenges/{challenge_id}?") and len(page) < 1000:
        return f"{page}#idea-{idea_id}"
    return f"/challenges/{challenge_id}#idea-{idea_id}"
