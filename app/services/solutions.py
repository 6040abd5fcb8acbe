"""Solutions: ideas worked out until they can be decided on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, and_, exists, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotFound
from app.lib import markdown
from app.lib.i18n import LANGUAGES, N_
from app.models import Ballot, BallotOption, Challenge, Idea, Solution, SolutionIdea
from app.models.base import table
from app.models.idea import MERGED, OPEN
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import challenges
from app.services.events import record

SOLUTION = table(Solution)
SOLUTION_IDEA = table(SolutionIdea)
IDEA = table(Idea)
CHALLENGE = table(Challenge)
BALLOT = table(Ballot)
BALLOT_OPTION = table(BallotOption)

MOST_IDEAS: Final = 20
MOST_LINKS: Final = 10
MOST_COST: Final = 10**9
MOST_ADDRESS: Final = 500


@dataclass(frozen=True, slots=True)
class SolutionView:
    """A solution as pages and the API show it. `is_frozen`: a ballot holds it that is not counted yet."""

    id: int
    programme_id: int
    challenge_id: int
    title: str
    summary: str
    summary_html: str
    language: str
    cost: int
    carrier: str
    links: tuple[Mapping[str, str], ...]
    idea_ids: tuple[int, ...]
    is_frozen: bool
    withdrawn: bool
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> str:
        """What votes call it."""
        return str(self.id)


# queries


def find(connection: Connection, actor: Actor, solution_id: int) -> SolutionView:
    """One solution.

    :raises NotFound: there is none, or the actor may not see it
    """
    views = _views(connection, _selection().where(SOLUTION.c.id == solution_id))
    if not views or not may(actor, Permission.READ_SOLUTION, views[0]):
        raise NotFound(N_("There is no such solution, or it is not open to you."))
    return views[0]


def on_challenge(
    connection: Connection, actor: Actor, challenge_id: int, *, after: int = 0, limit: int = 200
) -> list[SolutionView]:
    """A challenge's solutions with ids greater than `after`, by id, without those taken back. Two statements.

    None where the actor may not see them.
    """
    chosen = (
        _selection()
        .where(
            SOLUTION.c.challenge_id == challenge_id,
            SOLUTION.c.id > after,
            SOLUTION.c.withdrawn_at.is_(None),
        )
        .order_by(SOLUTION.c.id)
        .limit(limit)
    )
    return [view for view in _views(connection, chosen) if may(actor, Permission.READ_SOLUTION, view)]


def among(connection: Connection, actor: Actor, solution_ids: Collection[int]) -> list[SolutionView]:
    """Those of these solutions that the actor may see, by id. Two statements."""
    chosen = _selection().where(SOLUTION.c.id.in_(solution_ids)).order_by(SOLUTION.c.id)
    return [view for view in _views(connection, chosen) if may(actor, Permission.READ_SOLUTION, view)]


def on_ballot(connection: Connection, ballot_id: int) -> list[SolutionView]:
    """The solutions of a ballot, in the order in which they were put on it, whatever became of them. Two statements."""
    chosen = (
        _any_selection()
        .join(BALLOT_OPTION, BALLOT_OPTION.c.solution_id == SOLUTION.c.id)
        .where(BALLOT_OPTION.c.ballot_id == ballot_id)
        .order_by(BALLOT_OPTION.c.position)
    )
    return _views(connection, chosen)


def ideas_of(connection: Connection, solution_ids: Sequence[int]) -> dict[int, list[Any]]:
    """The ideas from which each solution was made, by its id: rows of id, title, language. One statement.

    What has been hidden or taken back since is left out. The caller has loaded the solutions through their viewer.
    """
    rows = connection.execute(
        select(SOLUTION_IDEA.c.solution_id, IDEA.c.id, IDEA.c.title, IDEA.c.language)
        .join(IDEA, IDEA.c.id == SOLUTION_IDEA.c.idea_id)
        .where(SOLUTION_IDEA.c.solution_id.in_(list(solution_ids)), IDEA.c.state.in_((OPEN, MERGED)))
        .order_by(IDEA.c.id)
    )
    found: dict[int, list[Any]] = {solution_id: [] for solution_id in solution_ids}
    for row in rows:
        found[row.solution_id].append(row)
    return found


# verbs


def promote(
    tx: Transaction,
    actor: Actor,
    challenge_id: int,
    *,
    title: str,
    summary: str = "",
    language: str = "en",
    cost: int = 0,
    carrier: str = "",
    links: Sequence[Mapping[str, str]] = (),
    idea_ids: Sequence[int] = (),
) -> int:
    """Make a solution of ideas of a challenge's board; its id.

    :raises NotFound: there is no such challenge for this actor
    :raises NotAllowed: the actor is neither facilitator nor coordinator
    :raises Invalid: a text, the cost, a link or an idea cannot be taken; the error names it
    """
    challenge = challenges.find(tx.connection, actor, challenge_id)
    require(actor, Permission.PROMOTE_SOLUTION, challenge)
    values = _checked(
        title=title, summary=summary, language=language, cost=cost, carrier=carrier, links=links
    )
    chosen = _checked_ideas(tx, challenge_id, idea_ids)
    solution = Solution(
        programme_id=challenge.programme_id,
        challenge_id=challenge_id,
        promoted_by=actor.person_id or 0,
        **values,
    )
    tx.session.add(solution)
    tx.session.flush()
    identity = int(solution.id or 0)
    _write_ideas(tx, challenge.programme_id, identity, chosen)
    _record(tx, "solution.promoted", actor, solution)
    return identity


def change(
    tx: Transaction, actor: Actor, solution_id: int, *, version: int | None = None, **changes: Any
) -> int:
    """Change what `promote` takes; what is left out stays. The new version; as it was, nothing happens.

    :raises Conflict: a ballot holds it that is not counted yet, so what people decide on stands
    :raises Moved: `version` is given and no longer the newest
    """
    view = _changeable(tx, actor, solution_id, version)
    names = ("title", "summary", "language", "cost", "carrier", "links")
    held = {name: getattr(view, name) for name in names} | {"links": list(view.links)}
    values = _checked(**{name: changes.get(name, held[name]) for name in names})
    idea_ids = changes.get("idea_ids", view.idea_ids)
    chosen = _checked_ideas(tx, view.challenge_id, idea_ids, held=view.idea_ids)
    has_other_ideas = set(chosen) != set(view.idea_ids)
    if not has_other_ideas and all(values[name] == held[name] for name in names):
        return view.version
    if has_other_ideas:
        tx.execute(SOLUTION_IDEA.delete().where(SOLUTION_IDEA.c.solution_id == solution_id))
        _write_ideas(tx, view.programme_id, solution_id, chosen)
    tx.execute(
        SOLUTION.update()
        .where(SOLUTION.c.id == solution_id)
        .values(**values, version=view.version + 1, updated_at=tx.now)
    )
    _record(tx, "solution.changed", actor, view)
    return view.version + 1


def withdraw(tx: Transaction, actor: Actor, solution_id: int, *, version: int | None = None) -> None:
    """Take a solution back.

    :raises Conflict: a ballot holds it
    """
    view = _changeable(tx, actor, solution_id, version)
    held = (
        select(BALLOT_OPTION.c.ballot_id)
        .join(BALLOT, BALLOT.c.id == BALLOT_OPTION.c.ballot_id)
        .where(BALLOT_OPTION.c.solution_id == solution_id, BALLOT.c.cancelled_at.is_(None))
    )
    if tx.execute(held).first() is not None:
        raise Conflict(N_("A ballot holds this solution, so it stays."))
    tx.execute(
        SOLUTION.update()
        .where(SOLUTION.c.id == solution_id)
        .values(withdrawn_at=tx.now, updated_at=tx.now, version=view.version + 1)
    )
    _record(tx, "solution.withdrawn", actor, view)


# within


def _selection() -> Select[Any]:
    """Solutions that are not deleted with their challenge; each with whether a ballot has frozen it."""
    return _any_selection().join(
        CHALLENGE, and_(CHALLENGE.c.id == SOLUTION.c.challenge_id, CHALLENGE.c.deleted_at.is_(None))
    )


def _any_selection() -> Select[Any]:
    held = (
        select(BALLOT_OPTION.c.ballot_id)
        .join(BALLOT, BALLOT.c.id == BALLOT_OPTION.c.ballot_id)
        .where(
            BALLOT_OPTION.c.solution_id == SOLUTION.c.id,
            BALLOT.c.cancelled_at.is_(None),
            BALLOT.c.counted_at.is_(None),
        )
    )
    return select(SOLUTION, exists(held).label("is_frozen")).select_from(SOLUTION)


def _views(connection: Connection, chosen: Select[Any]) -> list[SolutionView]:
    rows = connection.execute(chosen).all()
    ideas: dict[int, list[int]] = {row.id: [] for row in rows}
    if rows:
        held = select(SOLUTION_IDEA.c.solution_id, SOLUTION_IDEA.c.idea_id).where(
            SOLUTION_IDEA.c.solution_id.in_(list(ideas))
        )
        for solution_id, idea_id in connection.execute(held.order_by(SOLUTION_IDEA.c.idea_id)):
            ideas[solution_id].append(idea_id)
    return [_view(row, ideas[row.id]) for row in rows]


def _view(row: Row[Any], idea_ids: Iterable[int]) -> SolutionView:
    return SolutionView(
        id=row.id,
        programme_id=row.programme_id,
        challenge_id=row.challenge_id,
        title=row.title,
        summary=row.summary,
        summary_html=row.summary_html,
        language=row.language,
        cost=row.cost,
        carrier=row.carrier,
        links=tuple(row.links),
        idea_ids=tuple(idea_ids),
        is_frozen=bool(row.is_frozen),
        withdrawn=row.withdrawn_at is not None,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _changeable(tx: Transaction, actor: Actor, solution_id: int, version: int | None) -> SolutionView:
    """The solution, locked on PostgreSQL so that a ballot cannot take it up meanwhile."""
    tx.execute(select(SOLUTION.c.id).where(SOLUTION.c.id == solution_id).with_for_update())
    view = find(tx.connection, actor, solution_id)
    require(actor, Permission.PROMOTE_SOLUTION, view)
    if view.withdrawn:
        raise Conflict(N_("This solution was taken back."))
    if view.is_frozen:
        raise Conflict(
            N_("A ballot that is not counted yet holds this solution, so what is decided on stands as it is.")
        )
    if version is not None and version != view.version:
        raise Moved(N_("Someone has changed this solution in the meantime."), current=view.version)
    return view


def _checked(
    *,
    title: str,
    summary: str,
    language: str,
    cost: int,
    carrier: str,
    links: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    title, errors = text.line("title", title, most=120)
    summary, more = text.passage("summary", summary, most=4000)
    carrier, most = text.line("carrier", carrier, most=160, least=0)
    errors += more + most
    if language not in LANGUAGES:
        errors.append(FieldError("language", N_("Please choose one of the languages in the list.")))
    if not 0 <= cost <= MOST_COST:
        errors.append(FieldError("cost", N_("Please give a whole number, 0 or more.")))
    kept, wrong = _checked_links(links)
    if errors + wrong:
        raise Invalid(*errors, *wrong)
    return {
        "title": title,
        "summary": summary,
        "summary_html": markdown.render(summary),
        "language": language,
        "cost": cost,
        "carrier": carrier,
        "links": kept,
    }


def _checked_links(links: Sequence[Mapping[str, str]]) -> tuple[list[dict[str, str]], list[FieldError]]:
    if len(links) > MOST_LINKS:
        return [], [FieldError("links", N_("Please give at most %(most)s links."), (("most", MOST_LINKS),))]
    kept: list[dict[str, str]] = []
    errors: list[FieldError] = []
    for place, link in enumerate(links):
        title, wrong = text.line(f"links/{place}/title", link.get("title", ""), most=120, least=0)
        url = text.clean(link.get("url", ""))
        errors += wrong
        if not _is_address(url):
            message = N_("Please give a whole address that begins with https:// or http://.")
            errors.append(FieldError(f"links/{place}/url", message))
        kept.append({"title": title or url, "url": url})
    return kept, errors


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isprintable() and not any(character.isspace() for character in url)
    named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    return plain and named and len(url) <= MOST_ADDRESS


def _checked_ideas(
    tx: Transaction, challenge_id: int, idea_ids: Sequence[int], *, held: Sequence[int] = ()
) -> list[int]:
    """The ideas, each once; all must stand on the challenge's board, but those that the solution holds already.

    They are held, so that none is merged, hidden or withdrawn meanwhile.
    """
    chosen = list(dict.fromkeys(idea_ids))
    if len(chosen) > MOST_IDEAS:
        raise Invalid(
            FieldError("ideas", N_("Please choose at most %(most)s ideas."), (("most", MOST_IDEAS),))
        )
    added = [idea_id for idea_id in chosen if idea_id not in held]
    standing = (
        select(IDEA.c.id)
        .where(IDEA.c.id.in_(added), IDEA.c.challenge_id == challenge_id, IDEA.c.state == OPEN)
        .order_by(IDEA.c.id)
        .with_for_update(read=True, key_share=True)
    )
    if added and len(tx.execute(standing).all()) != len(added):
        raise Invalid(FieldError("ideas", N_("Please choose ideas that stand on this challenge's board.")))
    return chosen


def _write_ideas(tx: Transaction, programme_id: int, solution_id: int, idea_ids: Sequence[int]) -> None:
    if idea_ids:
        tx.execute(
            SOLUTION_IDEA.insert(),
            [
                {"solution_id": solution_id, "idea_id": idea_id, "programme_id": programme_id}
                for idea_id in idea_ids
            ],
        )


def _record(tx: Transaction, type: str, actor: Actor, of: Any) -> None:
    record(tx, type, actor, programme_id=of.programme_id, challenge_id=of.challenge_id, subject_id=of.id)
