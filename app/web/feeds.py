"""What is new in a programme and on a board, as feeds; each as its reader may see it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.database import Database
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.services import boards, challenges
from app.services.boards import Query
from app.services.challenges import ChallengeView
from app.services.programmes import ProgrammeView
from app.web import atom, paging
from app.web.atom import ON_A_PAGE, Entry, Feed
from app.web.templating import translations


async def of_programme(
    request: Request, actor: Actor, programme: ProgrammeView, cursor: str | None
) -> Response:
    """Its challenges: title and summary, as the page of a public programme shows them to passers-by."""
    page = paging.page(request, ON_A_PAGE, cursor)
    database, base_url = _parts(request)
    found = await database.read(
        lambda connection: challenges.newest(
            connection, actor, programme, before=page.after or None, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    feed = Feed(
        key=f"programme-{programme.id}",
        page=f"{base_url}/programmes/{programme.slug}",
        title=f"{programme.name}: {translations(programme.language).gettext(N_('Challenges'))}",
        author=programme.name,
        language=programme.language,
        begun=programme.created_at,
        updated=programme.updated_at,
        entries=[_challenge(base_url, row) for row in shown],
    )
    return atom.answer(request, feed, (shown[-1].id,) if more else None)


async def of_challenge(request: Request, actor: Actor, challenge_id: int, cursor: str | None) -> Response:
    """The ideas of its board. Who posted without a name is nobody: the programme stands for them."""
    page = paging.page(request, ON_A_PAGE, cursor)
    database, base_url = _parts(request)
    query = Query(after=page.position or None, limit=ON_A_PAGE)

    def read(connection: Any) -> tuple[ChallengeView, boards.Page]:
        challenge = challenges.find(connection, actor, challenge_id)
        return challenge, boards.ideas(connection, actor, challenge, query)

    challenge, found = await database.read(read)
    feed = Feed(
        key=f"challenge-{challenge.id}",
        page=f"{base_url}/challenges/{challenge.id}",
        title=challenge.title,
        author=challenge.programme_name,
        language=challenge.language,
        begun=challenge.created_at,
        updated=challenge.updated_at,
        entries=[_idea(base_url, card) for card in found.cards],
    )
    return atom.answer(request, feed, found.next)


def _challenge(base_url: str, row: Any) -> Entry:
    return Entry(
        key=f"challenge-{row.id}",
        page=f"{base_url}/challenges/{row.id}",
        title=row.title,
        language=row.language,
        published=row.created_at,
        updated=row.updated_at,
        summary=row.summary,
    )


def _idea(base_url: str, card: Any) -> Entry:
    return Entry(
        key=f"idea-{card.id}",
        page=f"{base_url}/ideas/{card.id}",
        title=card.title,
        language=card.language,
        published=card.created_at,
        updated=card.updated_at,
        html=card.body_html,
        author=card.author.name if card.author else "",
    )


def _parts(request: Request) -> tuple[Database, str]:
    context = request.app.state.context
    return context.database, context.settings.base_url
