"""What a live update carries: the same card that the page shows, and where it goes."""

from collections.abc import Awaitable, Callable, Sequence

from markupsafe import Markup

from app.database import Database
from app.integrations.bus import Change
from app.services import boards, cards, comments
from app.services.cards import Card
from app.web.presence import Here
from app.web.templating import Templates

BOARD_CHANGES = ("phase.", "challenge.", "cluster.")
"""Changes after which every card may look different: the page is to be loaded anew."""


def renderer(database: Database, templates: Templates) -> Callable[[int, str, Sequence[Change]], Awaitable[str | None]]:
    """The function that renders changes of a board once for everyone who reads one language."""

    async def render(challenge_id: int, language: str, changes: Sequence[Change]) -> str | None:
        if any(change.type.startswith(BOARD_CHANGES) for change in changes):
            return None
        idea_ids = list(dict.fromkeys(change.idea_id for change in changes if change.idea_id is not None))
        if not idea_ids:
            return ""
        shown, gone = await database.read(
            lambda connection: cards.on_board(connection, challenge_id, idea_ids)
        )
        phase = await database.read(lambda connection: boards.phase_of(connection, challenge_id))
        posted = {change.idea_id for change in changes if change.type in ("idea.posted", "idea.restored", "merge.undone")}
        return templates.render(
            language, "ideas/_live.html", cards=shown, gone=sorted(gone), posted=posted, phase=phase
        )

    return render


def presence_renderer(templates: Templates) -> Callable[[int, str, Here], Awaitable[str]]:
    """The function that renders who is here."""

    async def render(challenge_id: int, language: str, here: Here) -> str:
        return templates.render(language, "challenges/_here.html", challenge_id=challenge_id, here=here)

    return render


__all__ = ["Card", "Markup", "comments"]
