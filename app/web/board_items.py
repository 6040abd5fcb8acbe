"""What lies beside the cards of a board, for the API: versions, co-authors, similar ideas, hidings, objections."""

from typing import Any

from app.lib import clock
from app.services.ideas import IdeaView
from app.web.items import hiding

Json = dict[str, Any]


def version(view: IdeaView, row: Any) -> Json:
    """What an idea said before; of an anonymous one not who edited it."""
    return {
        "number": row.number,
        "title": row.title,
        "body": row.body,
        "written_at": clock.rfc3339(row.written_at),
        "editor": None if view.card.anonymous else row.editor,
    }


def co_authors(view: IdeaView) -> list[Json]:
    """Those who write an idea along."""
    named = zip(view.co_author_ids, view.co_authors, strict=True)
    return [{"idea": view.id, "person": person_id, "name": name} for person_id, name in named]


def similar(base_url: str, row: Any) -> Json:
    """An idea that is like a title."""
    return {
        "id": row.id,
        "url": f"{base_url}/ideas/{row.id}",
        "title": row.title,
        "language": row.language,
    }


def hidden(base_url: str, row: Any) -> Json:
    """A hidden idea, for those who moderate."""
    return {"url": f"{base_url}/ideas/{row.id}", "title": row.title, "language": row.language, **hiding(row)}


def objection(row: Any) -> Json:
    """Whose support did not go along with a merge."""
    return {"name": row.name, "reason": row.reason, "objected_at": clock.rfc3339(row.objected_at)}
