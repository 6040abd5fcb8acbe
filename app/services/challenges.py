"""Challenges: the questions that sponsors set, and the phases they go through."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotFound
from app.lib import clock, markdown
from app.lib.i18n import LANGUAGES, N_
from app.models import Ballot, Challenge, Organisation, Phase, Programme
from app.models.base import table
from app.models.challenge import PHASES
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require, require_fresh_in_browser
from app.schemas import text
from app.services import orders, phases
from app.services.events import record
from app.services.orders import BY_ID, Order
from app.services.phases import NO_PHASE, PhaseView
from app.services.programmes import ProgrammeView

BALLOT = table(Ballot)
CHALLENGE = table(Challenge)
PHASE = table(Phase)
PROGRAMME = table(Programme)
ORGANISATION = table(Organisation)

_DEFAULTS = {
    "framing": (False, True, False, True),
    "ideation": (True, True, True, True),
    "shaping": (False, True, True, True),
    "voting": (False, True, False, False),
    "delivery": (False, True, False, True),
    "learning": (False, True, False, True),
    "closed": (False, False, False, True),
}
"""For each kind of phase what is open in it: posting, commenting, supporting; and whether tallies show."""


@dataclass(frozen=True, slots=True)
class ChallengeView:
    """A challenge as its page and the API show it; `phase` is the one in force now."""

    id: int
    programme_id: int
    programme_slug: str
    programme_name: str
    title: str
    summary: str
    brief: str
    brief_html: str
    language: str
    anonymous_allowed: bool
    sponsor_id: int | None
    sponsor: str | None
    phase: PhaseView
    phases: tuple[PhaseView, ...]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def challenge_id(self) -> int:
        """Itself: roles that are assigned for this challenge reach it, and not only what belongs to it."""
        return self.id


# queries


def find(connection: Connection, actor: Actor, challenge_id: int) -> ChallengeView:
    """One challenge with its phases.

    :raises NotFound: there is none, it is deleted, or the actor may not see it
    """
    views = _views(connection.execute(_ONE, {"challenge": challenge_id}))
    if not views or not may(actor, Permission.READ_CHALLENGE, views[0]):
        raise NotFound(N_("There is no such challenge, or it is not open to you."))
    return views[0]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which challenges: in the phase of that kind now, in that language, of that sponsor; None for any."""

    phase: str | None = None
    language: str | None = None
    sponsor_id: int | None = None


def in_programme(
    connection: Connection,
    actor: Actor,
    programme: ProgrammeView,
    wanted: Filter = Filter(),
    *,
    order: Order = BY_ID,
    limit: int = 50,
) -> list[ChallengeView]:
    """A page of the programme's challenges; none where the actor may not see them. One statement."""
    if not may(actor, Permission.READ_CHALLENGE, programme):
        return []
    chosen = select(CHALLENGE.c.id).where(
        CHALLENGE.c.programme_id == programme.id, CHALLENGE.c.deleted_at.is_(None), *_conditions(wanted)
    )
    page = orders.page(chosen, order, _SORTED_BY, limit)
    in_order = _SELECT.order_by(None).order_by(*orders.by(order, _SORTED_BY), PHASE.c.starts_at)
    return _views(connection.execute(in_order.where(CHALLENGE.c.id.in_(page))))


def among(connection: Connection, actor: Actor, challenge_ids: Collection[int]) -> list[ChallengeView]:
    """Those of these challenges that the actor may see, by id. One statement."""
    views = _views(connection.execute(_SELECT.where(CHALLENGE.c.id.in_(challenge_ids))))
    return [view for view in views if may(actor, Permission.READ_CHALLENGE, view)]


def titles(connection: Connection, programme_ids: Sequence[int]) -> Sequence[Any]:
    """What passers-by may read of public programmes: id, programme_id, title, summary, language of each challenge."""
    return connection.execute(
        select(
            CHALLENGE.c.id,
            CHALLENGE.c.programme_id,
            CHALLENGE.c.title,
            CHALLENGE.c.summary,
            CHALLENGE.c.language,
        )
        .join(PROGRAMME, PROGRAMME.c.id == CHALLENGE.c.programme_id)
        .where(CHALLENGE.c.programme_id.in_(programme_ids), CHALLENGE.c.deleted_at.is_(None))
        .where(PROGRAMME.c.visibility == "public")
        .order_by(CHALLENGE.c.id)
    ).all()


def newest(
    connection: Connection,
    actor: Actor,
    programme: ProgrammeView,
    *,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """What everyone who sees a programme may read of its challenges, those with ids below `before`, the newest first.

    Each row: id, title, summary, language, created_at, updated_at.
    """
    require(actor, Permission.READ_PROGRAMME, programme)
    names = ("id", "title", "summary", "language", "created_at", "updated_at")
    chosen = select(*(CHALLENGE.c[name] for name in names)).where(
        CHALLENGE.c.programme_id == programme.id, CHALLENGE.c.deleted_at.is_(None)
    )
    if before is not None:
        chosen = chosen.where(CHALLENGE.c.id < before)
    return connection.execute(chosen.order_by(CHALLENGE.c.id.desc()).limit(limit)).all()


def require_open(challenge: Any, opening: str) -> None:
    """Raise unless the phase in force allows `opening` (posting, commenting or supporting).

    :raises Conflict: it does not; the message says which phase it is
    """
    if not getattr(challenge.phase, opening):
        raise Conflict(_CLOSED[opening], phase=challenge.phase.kind)


# verbs


def create(
    tx: Transaction,
    actor: Actor,
    programme: ProgrammeView,
    *,
    title: str,
    summary: str = "",
    brief: str = "",
    language: str = "en",
    anonymous_allowed: bool = False,
    sponsor_id: int | None = None,
    phases: Sequence[dict[str, Any]] | None = None,
) -> int:
    """Set a challenge; its id. Without `phases` it begins in framing.

    :raises NotAllowed: the actor is neither sponsor nor coordinator
    :raises Invalid: a text is empty or too long, the sponsor is of another programme, phases overlap
    """
    require(actor, Permission.CREATE_CHALLENGE, programme, seen_by=Permission.READ_CHALLENGE)
    texts: dict[str, Any] = _checked(title=title, summary=summary, brief=brief, language=language)
    _check_sponsor(tx, programme.id, sponsor_id)
    challenge = Challenge(
        programme_id=programme.id,
        sponsor_id=sponsor_id,
        anonymous_allowed=anonymous_allowed,
        brief_html=markdown.render(texts["brief"]),
        **texts,
    )
    tx.session.add(challenge)
    tx.session.flush()
    identity = int(challenge.id or 0)
    _write_phases(tx, programme.id, identity, phases or [{"kind": "framing", "starts_at": tx.now}])
    record(
        tx, "challenge.created", actor, programme_id=programme.id, challenge_id=identity, subject_id=identity
    )
    return identity


def change(
    tx: Transaction, actor: Actor, challenge_id: int, *, version: int | None = None, **changes: Any
) -> int:
    """Change a challenge's texts, sponsor or `anonymous_allowed`; the new version. As it was, nothing happens.

    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: a text is empty or too long
    """
    view = _changeable(tx, actor, challenge_id, Permission.CHANGE_CHALLENGE, version)
    given = {name: changes[name] for name in ("title", "summary", "brief", "language") if name in changes}
    kept = {name: getattr(view, name) for name in ("title", "summary", "brief", "language")}
    values: dict[str, Any] = _checked(**(kept | given))
    if "sponsor_id" in changes:
        _check_sponsor(tx, view.programme_id, changes["sponsor_id"])
    values |= {name: changes[name] for name in ("anonymous_allowed", "sponsor_id") if name in changes}
    if all(value == getattr(view, name) for name, value in values.items()):
        return view.version
    tx.execute(
        CHALLENGE.update()
        .where(CHALLENGE.c.id == challenge_id)
        .values(
            **values, brief_html=markdown.render(values["brief"]), version=view.version + 1, updated_at=tx.now
        )
    )
    _record(tx, "challenge.changed", actor, view)
    return view.version + 1


def delete(tx: Transaction, actor: Actor, challenge_id: int, *, version: int | None = None) -> None:
    """Take a challenge off every page; its rows stay, so that what refers to them stays whole.

    :raises Conflict: a ballot of it is not counted yet
    :raises NotFresh: at a page, too long after the sign-in
    """
    view = _changeable(tx, actor, challenge_id, Permission.DELETE_CHALLENGE, version)
    require_fresh_in_browser(actor)
    undecided = select(BALLOT.c.id).where(
        BALLOT.c.challenge_id == challenge_id, BALLOT.c.counted_at.is_(None), BALLOT.c.cancelled_at.is_(None)
    )
    if tx.execute(undecided.limit(1)).first() is not None:
        raise Conflict(N_("A ballot of this challenge is not counted yet; it cannot go before that."))
    tx.execute(CHALLENGE.update().where(CHALLENGE.c.id == challenge_id).values(deleted_at=tx.now))
    _record(tx, "challenge.deleted", actor, view)


def change_phases(
    tx: Transaction,
    actor: Actor,
    challenge_id: int,
    phases: Sequence[dict[str, Any]],
    *,
    version: int | None = None,
) -> None:
    """Replace a challenge's phases: each `kind`, `starts_at`, and what is open in it.

    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: an unknown kind, a kind twice, or starts that do not grow in the order of kinds
    """
    view = _changeable(tx, actor, challenge_id, Permission.CHANGE_PHASES, version)
    tx.execute(PHASE.delete().where(PHASE.c.challenge_id == challenge_id))
    _write_phases(tx, view.programme_id, challenge_id, phases)
    tx.execute(
        CHALLENGE.update()
        .where(CHALLENGE.c.id == challenge_id)
        .values(version=view.version + 1, updated_at=tx.now)
    )
    _record(tx, "phase.changed", actor, view)


# within

_CLOSED = {
    "posting": N_("Posting ideas is closed in this phase."),
    "commenting": N_("Commenting is closed in this phase."),
    "supporting": N_("Supporting ideas is closed in this phase."),
}

_SELECT: Select[Any] = (
    select(
        CHALLENGE,
        PROGRAMME.c.slug.label("programme_slug"),
        PROGRAMME.c.name.label("programme_name"),
        ORGANISATION.c.name.label("sponsor"),
        *phases.selected(),
    )
    .select_from(CHALLENGE)
    .join(PROGRAMME, PROGRAMME.c.id == CHALLENGE.c.programme_id)
    .outerjoin(ORGANISATION, ORGANISATION.c.id == CHALLENGE.c.sponsor_id)
    .outerjoin(PHASE, PHASE.c.challenge_id == CHALLENGE.c.id)
    .where(CHALLENGE.c.deleted_at.is_(None))
    .order_by(CHALLENGE.c.id, PHASE.c.starts_at)
)

_ONE = _SELECT.where(CHALLENGE.c.id == bindparam("challenge"))


_SORTED_BY = {name: CHALLENGE.c[name] for name in ("id", "created_at", "updated_at", "title")}


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    given = {CHALLENGE.c.language: wanted.language, CHALLENGE.c.sponsor_id: wanted.sponsor_id}
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in given.items() if value is not None
    ]
    if wanted.phase is not None:
        newest = (
            select(PHASE.c.kind)
            .where(PHASE.c.challenge_id == CHALLENGE.c.id, PHASE.c.starts_at <= clock.now())
            .order_by(PHASE.c.starts_at.desc())
            .limit(1)
        )
        conditions.append(func.coalesce(newest.scalar_subquery(), NO_PHASE.kind) == wanted.phase)
    return conditions


def _views(rows: Iterable[Row[Any]]) -> list[ChallengeView]:
    now = clock.now()
    grouped: dict[int, list[Row[Any]]] = {}
    for row in rows:
        grouped.setdefault(row.id, []).append(row)
    return [_view(group, now) for group in grouped.values()]


def _view(rows: list[Row[Any]], now: datetime) -> ChallengeView:
    first = rows[0]
    known = tuple(phases.from_row(row) for row in rows if row.kind is not None)
    current = [phase for phase in known if phase.starts_at <= now]
    return ChallengeView(
        id=first.id,
        programme_id=first.programme_id,
        programme_slug=first.programme_slug,
        programme_name=first.programme_name,
        title=first.title,
        summary=first.summary,
        brief=first.brief,
        brief_html=first.brief_html,
        language=first.language,
        anonymous_allowed=first.anonymous_allowed,
        sponsor_id=first.sponsor_id,
        sponsor=first.sponsor,
        phase=phases.as_of_now(current[-1]) if current else NO_PHASE,
        phases=known,
        version=first.version,
        created_at=first.created_at,
        updated_at=first.updated_at,
    )


def _checked(*, title: str, summary: str, brief: str, language: str) -> dict[str, str]:
    title, errors = text.line("title", title, most=120)
    summary, more = text.line("summary", summary, most=300, least=0)
    brief, most = text.passage("brief", brief, most=10_000)
    errors += more + most
    if language not in LANGUAGES:
        errors.append(FieldError("language", N_("Please choose one of the languages in the list.")))
    if errors:
        raise Invalid(*errors)
    return {"title": title, "summary": summary, "brief": brief, "language": language}


def _check_sponsor(tx: Transaction, programme_id: int, sponsor_id: int | None) -> None:
    if sponsor_id is None:
        return
    found = select(ORGANISATION.c.id).where(
        ORGANISATION.c.id == sponsor_id, ORGANISATION.c.programme_id == programme_id
    )
    if tx.execute(found).first() is None:
        raise Invalid(FieldError("sponsor", N_("Please choose an organisation of this programme.")))


def _changeable(
    tx: Transaction, actor: Actor, challenge_id: int, permission: Permission, version: int | None
) -> ChallengeView:
    if tx.dialect == "postgresql":
        tx.execute(select(CHALLENGE.c.id).where(CHALLENGE.c.id == challenge_id).with_for_update())
    view = find(tx.connection, actor, challenge_id)
    require(actor, permission, view)
    if version is not None and version != view.version:
        raise Moved(N_("Someone has changed this challenge in the meantime."), current=view.version)
    return view


def _write_phases(
    tx: Transaction, programme_id: int, challenge_id: int, phases: Sequence[dict[str, Any]]
) -> None:
    _check_phases(phases)
    rows = []
    for number, phase in enumerate(phases):
        posting, commenting, supporting, tallies = _DEFAULTS[phase["kind"]]
        following = phases[number + 1]["starts_at"] if number + 1 < len(phases) else phase.get("ends_at")
        rows.append(
            {
                "programme_id": programme_id,
                "challenge_id": challenge_id,
                "kind": phase["kind"],
                "starts_at": phase["starts_at"],
                "ends_at": following,
                "posting": phase.get("posting", posting),
                "commenting": phase.get("commenting", commenting),
                "supporting": phase.get("supporting", supporting),
                "tallies": phase.get("tallies", tallies),
            }
        )
    tx.execute(PHASE.insert(), rows)


def _check_phases(phases: Sequence[dict[str, Any]]) -> None:
    kinds = [phase["kind"] for phase in phases]
    if not kinds or any(kind not in PHASES for kind in kinds):
        raise Invalid(FieldError("phases", N_("Please choose at least one phase from the list.")))
    if [PHASES.index(kind) for kind in kinds] != sorted({PHASES.index(kind) for kind in kinds}):
        raise Invalid(FieldError("phases", N_("Please keep the phases in their order, each once.")))
    if any(later["starts_at"] <= earlier["starts_at"] for earlier, later in pairwise(phases)):
        raise Invalid(FieldError("phases", N_("Each phase must start after the one before it.")))
    ends_at = phases[-1].get("ends_at")
    if ends_at is not None and ends_at <= phases[-1]["starts_at"]:
        raise Invalid(FieldError("ends_at", N_("The last phase must end after it starts.")))


def _record(tx: Transaction, type: str, actor: Actor, view: ChallengeView) -> None:
    record(tx, type, actor, programme_id=view.programme_id, challenge_id=view.id, subject_id=view.id)
