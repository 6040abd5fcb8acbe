"""What a live update carries: the same card that the page shows, and where it goes."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from app.database import Database
from app.integrations.bus import Change
from app.services import cards, comments, merges
from app.web.presence import Here
from app.web.templating import Templates

BOARD_CHANGES = ("phase.", "challenge.", "cluster.", "merge.objected", "merge.undone")
"""Changes after which every card may look different, or its viewer's own support: the page is to be loaded anew."""


def renderer(
    database: Database, templates: Templates
) -> Callable[[int, str, Sequence[Change]], Awaitable[str | None]]:
    """The function that renders changes of a board once for everyone who reads one language."""

    async def render(challenge_id: int, language: str, changes: Sequence[Change]) -> str | None:
        if any(change.type.startswith(BOARD_CHANGES) for change in changes):
            return None
        merged: dict[int, int] = {}
        if merge_ids := _subjects(changes, "merge."):
            merged = await database.read(lambda connection: merges.made_of(connection, merge_ids))
        idea_ids = _distinct([*(change.idea_id for change in changes), *merged.values()])
        if not idea_ids:
            return ""
        comment_ids = _subjects(changes, "comment.")
        shown, gone, phase = await database.read(
            lambda connection: cards.on_board(connection, challenge_id, idea_ids)
        )
        written: Sequence[Any] = []
        if comment_ids:
            written = await database.read(
                lambda connection: comments.on_board(connection, challenge_id, comment_ids)
            )
        return templates.render(
            language,
            "ideas/_live.html",
            cards=shown,
            gone=[(id, merged.get(id)) for id in sorted(gone)],
            comments=[comment for comment in written if comment.idea_id not in gone],
            phase=phase,
        )

    return render


def presence_renderer(templates: Templates) -> Callable[[int, str, Here], Awaitable[str]]:
    """The function that renders who is here."""

    async def render(challenge_id: int, language: str, here: Here) -> str:
        return templates.render(language, "challenges/_here.html", challenge_id=challenge_id, here=here)

    return render


def _subjects(changes: Iterable[Change], kind: str) -> list[int]:
    return _distinct(change.subject_id for change in changes if change.type.startswith(kind))


def _distinct(ids: Iterable[int | None]) -> list[int]:
    return list(dict.fromkeys(id for id in ids if id is not None))
