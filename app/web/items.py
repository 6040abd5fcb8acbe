"""Things as the API shows them: views of the services to the names of the schemas."""

from datetime import datetime
from typing import Any, Final

from app.lib import clock
from app.policies.actor import Actor
from app.services.cards import Author, Card, TallyView
from app.services.challenges import ChallengeView
from app.services.ideas import IdeaView
from app.services.merges import MergeView
from app.services.open_data import FileView, OpenDataView
from app.services.phases import PhaseView
from app.services.programmes import ProgrammeView

Json = dict[str, Any]


def programme(base_url: str, view: ProgrammeView) -> Json:
    """A programme."""
    return {
        "id": view.id,
        "url": f"{base_url}/programmes/{view.slug}",
        "slug": view.slug,
        "name": view.name,
        "description": view.description,
        "language": view.language,
        "visibility": view.visibility,
        **_dated(view),
    }


def organisation(base_url: str, programme: Any, row: Any) -> Json:
    """An organisation; the page that shows it is the one of its programme's people, by the programme's `slug`."""
    return {
        "id": row.id,
        "url": f"{base_url}/programmes/{programme.slug}/people#organisation-{row.id}",
        "programme": row.programme_id,
        "name": row.name,
        "number": row.number,
        "sector": row.sector,
        **_dated(row),
    }


def me(base_url: str, actor: Actor, dates: Any) -> Json:
    """The one who asks."""
    return {
        "id": actor.person_id,
        "url": f"{base_url}/me",
        "name": actor.name,
        "email": actor.email,
        "language": actor.language,
        "memberships": [
            {
                "programme": membership.programme_id,
                "role": membership.role,
                "organisation": membership.organisation_id,
                "sector": membership.sector_key,
            }
            for _, membership in sorted(actor.memberships.items())
        ],
        "scopes": sorted(actor.scopes or ()),
        "created_at": clock.rfc3339(dates.created_at),
        "updated_at": clock.rfc3339(dates.updated_at),
    }


def challenge(base_url: str, view: ChallengeView) -> Json:
    """A challenge with its phases."""
    return {
        "id": view.id,
        "url": f"{base_url}/challenges/{view.id}",
        "programme": view.programme_id,
        "title": view.title,
        "summary": view.summary,
        "brief": view.brief,
        "brief_html": view.brief_html,
        "language": view.language,
        "anonymous_allowed": view.anonymous_allowed,
        "sponsor": view.sponsor_id,
        "phase": view.phase.kind,
        "phases": [phase(each) for each in view.phases],
        **_dated(view),
    }


def phase(view: PhaseView) -> Json:
    """A phase and what is open in it."""
    return {
        "kind": view.kind,
        "starts_at": clock.rfc3339(view.starts_at),
        "ends_at": _instant(view.ends_at),
        "posting": view.posting,
        "commenting": view.commenting,
        "supporting": view.supporting,
        "tallies": view.tallies,
    }


def idea(base_url: str, view: IdeaView) -> Json:
    """An idea, for one caller."""
    return {**card(base_url, view.card, view.body, view.challenge.phase.kind), "supported": view.supported}


def card(base_url: str, card: Card, body: str, phase: str) -> Json:
    """An idea without what differs between callers."""
    return {
        "id": card.id,
        "url": f"{base_url}/ideas/{card.id}",
        "programme": card.programme_id,
        "challenge": card.challenge_id,
        "title": card.title,
        "body": body,
        "body_html": card.body_html,
        "language": card.language,
        "author": _author(card.author),
        "sector": card.sector.key,
        "anonymous": card.anonymous,
        "cluster": card.cluster_id,
        "phase": phase,
        "state": card.state,
        "pinned": card.pinned,
        "comments": card.comments,
        **_dated(card),
        "tally": tally(card.tally),
    }


def tally(view: TallyView | None) -> Json | None:
    """Who supports an idea; None while that is not told."""
    if view is None:
        return None
    return {
        "total": view.total,
        "sectors": {sector.key: sector.people for sector in view.sectors},
        "bridging": round(view.bridging, 6),
    }


def comment(base_url: str, row: Any) -> Json:
    """A comment; of one that is hidden or was taken back only that it was there."""
    state = "withdrawn" if row.withdrawn_at else "hidden" if row.hidden_at else "open"
    shown = state == "open"
    return {
        "id": row.id,
        "url": f"{base_url}/ideas/{row.idea_id}#comment-{row.id}",
        "idea": row.idea_id,
        "body": row.body if shown else "",
        "body_html": row.body_html if shown else "",
        "language": row.language,
        "author": {"name": row.author, "organisation": row.organisation} if shown else None,
        "sector": row.sector_key,
        "state": state,
        **_dated(row),
    }


def cluster(base_url: str, challenge_id: int, view: Any) -> Json:
    """A column of a board."""
    return {
        "id": view.id,
        "url": f"{base_url}/challenges/{challenge_id}?cluster={view.id}",
        "challenge": challenge_id,
        "title": view.title,
        "language": view.language,
        "position": view.position,
    }


def hiding(row: Any) -> Json:
    """Why an idea is hidden."""
    return {
        "idea": row.idea_id,
        "reason": row.reason,
        "hidden_at": clock.rfc3339(row.hidden_at),
        "answer": row.answer,
        "answered_at": _instant(row.answered_at),
    }


def merge(base_url: str, actor: Actor, view: MergeView) -> Json:
    """A merge. Whose consent is asked shows to them alone: it may be the author of an anonymous idea."""
    return {
        "id": view.id,
        "url": f"{base_url}/merges/{view.id}",
        "programme": view.programme_id,
        "challenge": view.challenge_id,
        "source": view.source_id,
        "target": view.target_id,
        "state": view.state,
        "asked": view.asked_id == actor.person_id,
        "objections": view.objections,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def event(base_url: str, programme: ProgrammeView, row: Any) -> Json:
    """An event of the log, with the page of what it is about."""
    return {
        "id": row.id,
        "url": f"{base_url}/{_page_of(row) or f'programmes/{programme.slug}'}",
        "type": row.type,
        "created_at": clock.rfc3339(row.created_at),
        "updated_at": clock.rfc3339(row.created_at),
        "programme": row.programme_id,
        "challenge": row.challenge_id,
        "idea": row.idea_id,
        "subject": row.subject_id,
        "actor": row.actor_id,
        "data": row.data,
    }


_PAGES: Final = {
    "agreement": "bookings",
    "ballot": "ballots",
    "booking": "bookings",
    "decision_link": "bookings",
    "import": "admin/imports",
    "interest": "ballots",
    "match": "matches",
    "placement": "placements",
    "reflection": "bookings",
    "solution": "solutions",
    "vote": "ballots",
}
"""Nouns of events whose subject has a page of its own."""


def _page_of(row: Any) -> str | None:
    """The page that an event of a programme is about, if it is a narrower one than the programme's."""
    noun = row.type.partition(".")[0]
    if noun in _PAGES:
        return f"{_PAGES[noun]}/{row.subject_id}"
    if row.idea_id:
        return f"ideas/{row.idea_id}"
    return f"challenges/{row.challenge_id}" if row.challenge_id else None


def open_data(base_url: str, programme: ProgrammeView, view: OpenDataView, files: list[FileView]) -> Json:
    """Whether a programme's data is open, and how."""
    page = f"{base_url}/programmes/{programme.slug}/open-data"
    told = {name: getattr(view, name) for name in ("licence", "publisher", "contact", "description")}
    return {
        "programme": programme.id,
        "url": page,
        "is_open": view.is_open,
        **(told if view.is_open else dict.fromkeys(told)),
        "with_texts": view.with_texts,
        "opened_at": _instant(view.opened_at),
        "made_at": _instant(view.made_at),
        "files": [
            {
                "name": file.name,
                "url": f"{page}/{file.name}",
                "size_bytes": file.size_bytes,
                "rows": file.rows,
                "changed_at": clock.rfc3339(file.changed_at),
            }
            for file in files
        ],
        "version": view.version,
    }


def _author(view: Author | None) -> Json | None:
    return None if view is None else {"name": view.name, "organisation": view.organisation}


def _dated(view: Any) -> Json:
    return {
        "version": view.version,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else clock.rfc3339(instant)
