"""Access tokens: made by people, found on each request, revoked; only a hash of them is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, bindparam, exists, func, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, NotAllowed, NotFound, NotSignedIn
from app.lib import clock, secrets
from app.lib.i18n import N_
from app.models import AccessToken, Organisation, Person, Programme
from app.models.base import table
from app.policies.actor import ANONYMOUS, Actor
from app.policies.permissions import Permission
from app.policies.rules import require, require_fresh_in_browser, require_fresh_in_person
from app.schemas import text
from app.services import actors, audit
from app.services.actors import COLUMNS, joined
from app.services.events import record

TOKEN = table(AccessToken)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)

SCOPES: Final = ("read", "write", "vote", "book", "admin")
"""What a token can be for, in the order in which pages list it."""

ADMIN: Final = "admin"
"""The scope for which a fresh sign-in is asked."""

LONGEST_DAYS: Final = 366
"""How long a token lasts at the most."""

MOST: Final = 50
"""How many tokens one person may have in force."""

USED_EVERY: Final = timedelta(minutes=1)
"""How far `used_at` may lag behind."""

_IN_USE: Final = joined(
    select(
        *COLUMNS,
        TOKEN.c.id.label("token_id"),
        TOKEN.c.client_id,
        TOKEN.c.programme_id.label("bound_programme_id"),
        TOKEN.c.organisation_id.label("bound_organisation_id"),
        TOKEN.c.scopes,
        or_(
            TOKEN.c.used_at.is_(None),
            TOKEN.c.used_at < bindparam("stale_before", type_=TOKEN.c.used_at.type),
        ).label("is_stale"),
    )
    .select_from(TOKEN)
    .join(PERSON, PERSON.c.id == TOKEN.c.person_id)
).where(TOKEN.c.revoked_at.is_(None))
_BY_ID: Final = _IN_USE.where(TOKEN.c.id == bindparam("token_id"))
_UNEXPIRED: Final = or_(
    TOKEN.c.expires_at.is_(None), TOKEN.c.expires_at > bindparam("now", type_=TOKEN.c.expires_at.type)
)
_FIND: Final = _IN_USE.where(TOKEN.c.token_hash == bindparam("token_hash"), _UNEXPIRED)
_AGAIN: Final = _BY_ID.where(_UNEXPIRED)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: `token` is shown once and kept nowhere."""

    id: int
    token: str


@dataclass(frozen=True, slots=True)
class Room:
    """Where a token may be good alone: one of the person's programmes, with the organisation they are of there."""

    programme_id: int
    programme: str
    organisation_id: int
    organisation: str


def find(connection: Connection, token: str) -> tuple[Actor, bool]:
    """Whose `token` it is, with its scopes, and whether `touch` is due; or `ANONYMOUS`."""
    if not secrets.is_token(token):
        return ANONYMOUS, False
    return _found(connection, _FIND, {"token_hash": secrets.digest(token)})


def again(connection: Connection, token_id: int) -> Actor:
    """Who comes with a token that was found before, with what they may do now; `ANONYMOUS` if it holds no more."""
    return _found(connection, _AGAIN, {"token_id": token_id})[0]


def now(connection: Connection, actor: Actor) -> Actor:
    """The same actor with what they may do by now, for what goes on after the request that began it.

    :raises NotSignedIn: their token holds no more, or they are out of action
    """
    if actor.token_id is not None:
        found = again(connection, actor.token_id)
    else:
        try:
            found = actors.find(connection, actor.person_id or 0)
        except NotFound:
            found = ANONYMOUS
    if not found.is_known:
        raise NotSignedIn(N_("Please sign in first."))
    return found


def _found(connection: Connection, statement: Any, named: Mapping[str, Any]) -> tuple[Actor, bool]:
    now = clock.now()
    rows = connection.execute(statement, {**named, "now": now, "stale_before": now - USED_EVERY}).all()
    if not rows:
        return ANONYMOUS, False
    return _actor(rows), bool(rows[0].is_stale)


def still_of(connection: Connection, token_id: int) -> Actor:
    """Whose token it is, for work that was asked for by it: that it has expired meanwhile does not end that work.

    :raises NotFound: it was revoked, its person is disabled, or a machine that has expired
    """
    now = clock.now()
    rows = connection.execute(_BY_ID, {"token_id": token_id, "now": now, "stale_before": now}).all()
    if not rows:
        raise NotFound(N_("There is no such token."))
    return _actor(rows)


def _actor(rows: Sequence[Any]) -> Actor:
    first = rows[0]
    return actors.of_rows(
        rows,
        programme_id=first.bound_programme_id,
        organisation_id=first.bound_organisation_id,
        token_id=first.token_id,
        client_id=first.client_id,
        scopes=frozenset(first.scopes.split()),
    )


def touch(tx: Transaction, token_id: int) -> None:
    """Note that a token is in use; at most once in `USED_EVERY`, however often it is called."""
    tx.execute(
        update(TOKEN)
        .where(TOKEN.c.id == token_id, or_(TOKEN.c.used_at.is_(None), TOKEN.c.used_at < tx.now - USED_EVERY))
        .values(used_at=tx.now)
    )


def refuse(tx: Transaction, token: str) -> None:
    """Note in the audit log that a token was refused, and which one it was, if it once was one of ours."""
    known = None
    if secrets.is_token(token):
        columns = (TOKEN.c.id, TOKEN.c.programme_id, TOKEN.c.revoked_at, TOKEN.c.expires_at)
        known = tx.execute(select(*columns).where(TOKEN.c.token_hash == secrets.digest(token))).first()
    reason = "malformed" if not secrets.is_token(token) else "unknown"
    if known is not None:
        is_expired = known.revoked_at is None and known.expires_at is not None and known.expires_at <= tx.now
        reason = "expired" if is_expired else "revoked"
    audit.refused(
        tx,
        "token.refused",
        None,
        reason,
        programme_id=known.programme_id if known else None,
        subject="token",
        subject_id=known.id if known else None,
    )


def create(
    tx: Transaction,
    actor: Actor,
    *,
    name: str,
    scopes: Sequence[str],
    days: int = 90,
    programme_id: int | None = None,
    organisation_id: int | None = None,
) -> NewToken:
    """Make a token for the actor, good for `days`; in one programme or as part of one organisation alone, if named.

    One that is made with a token can do no more than that one, nowhere else and no longer, and ends with it.

    :raises Invalid: the name, the scopes, the days or the place cannot be taken
    :raises NotAllowed: a machine asks
    :raises NotFresh: it is too long since the actor signed in; or a token asks for one for administration
    :raises Conflict: the person has `MOST` tokens in force
    """
    require(actor, Permission.MAKE_TOKENS)
    name, problems = text.line("name", name, most=80)
    problems += _problems_of(scopes, days) + _problems_of_place(actor, programme_id, organisation_id)
    if problems:
        raise Invalid(*problems)
    if ADMIN in scopes:
        require_fresh_in_person(actor)
    require_fresh_in_browser(actor)  # it outlives the session, and does without what pages ask once more
    parent = _parent(tx, actor)
    if parent is not None:
        _require_within(scopes, actor.scopes or frozenset())
        programme_id = parent.programme_id or programme_id
        organisation_id = parent.organisation_id or organisation_id
    if len(of_person(tx.connection, actor)) >= MOST:
        raise Conflict(N_("You have %(most)s tokens already. Revoke one first."), most=MOST)
    if programme_id is None and organisation_id is not None:
        programme_id = next(
            id for id, place in actor.memberships.items() if place.organisation_id == organisation_id
        )
    values: dict[str, Any] = {
        "name": name,
        "programme_id": programme_id,
        "organisation_id": organisation_id,
    }
    ends_at = tx.now + timedelta(days=days)
    if parent is not None:
        ends_at = min(ends_at, parent.expires_at or ends_at)
        values["made_with"] = parent.id
    return _made(tx, actor, values, [scope for scope in SCOPES if scope in scopes], ends_at)


def rooms(connection: Connection, actor: Actor) -> list[Room]:
    """Where a token of the actor may be good alone, by programme."""
    require(actor, Permission.MANAGE_OWN)
    organisations = [place.organisation_id for place in actor.memberships.values()]
    rows = connection.execute(
        select(PROGRAMME.c.id, PROGRAMME.c.name, ORGANISATION.c.id, ORGANISATION.c.name)
        .join(ORGANISATION, ORGANISATION.c.programme_id == PROGRAMME.c.id)
        .where(ORGANISATION.c.id.in_(organisations))
        .order_by(PROGRAMME.c.id)
    )
    return [Room(*row) for row in rows]


def of_person(connection: Connection, actor: Actor, *, id: int | None = None) -> Sequence[Any]:
    """The actor's tokens in force, newest first: id, name, ending, scopes, three instants, where alone it is good.

    With `id` the one of that id alone.
    """
    require(actor, Permission.MANAGE_OWN)
    is_it = () if id is None else (TOKEN.c.id == id,)
    return connection.execute(
        select(
            TOKEN.c.id,
            TOKEN.c.programme_id,
            TOKEN.c.organisation_id,
            TOKEN.c.name,
            TOKEN.c.ending,
            TOKEN.c.scopes,
            TOKEN.c.created_at,
            TOKEN.c.expires_at,
            TOKEN.c.used_at,
            PROGRAMME.c.name.label("programme"),
            ORGANISATION.c.name.label("organisation"),
        )
        .outerjoin(PROGRAMME, PROGRAMME.c.id == TOKEN.c.programme_id)
        .outerjoin(ORGANISATION, ORGANISATION.c.id == TOKEN.c.organisation_id)
        .where(*_in_force(actor), *is_it)
        .order_by(TOKEN.c.id.desc())
        .limit(MOST)
    ).all()


def own(connection: Connection, actor: Actor, token_id: int) -> Any:
    """One of the actor's tokens in force, as `of_person` has them.

    :raises NotFound: there is none
    """
    found = of_person(connection, actor, id=token_id)
    if not found:
        raise NotFound(N_("There is no such token."))
    return found[0]


def count_of(connection: Connection, actor: Actor) -> int:
    """How many tokens in force the actor has."""
    require(actor, Permission.MANAGE_OWN)
    return connection.execute(select(func.count()).select_from(TOKEN).where(*_in_force(actor))).scalar_one()


def of_client(tx: Transaction, client: Any, scopes: Sequence[str], ends_at: datetime) -> NewToken:
    """Make a token of a client (a row of it), where it is good; the caller has looked at all, and notes it."""
    token = secrets.new_token(secrets.CLIENT_TOKEN_PREFIX)
    id = tx.execute(
        TOKEN.insert()
        .values(
            person_id=client.person_id,
            client_id=client.id,
            programme_id=client.programme_id,
            organisation_id=client.organisation_id,
            name=client.name,
            token_hash=secrets.digest(token),
            ending=token[-4:],
            scopes=" ".join(scopes),
            created_at=tx.now,
            expires_at=ends_at,
        )
        .returning(TOKEN.c.id)
    ).scalar_one()
    return NewToken(int(id), token)


def revoke(tx: Transaction, actor: Actor, token_id: int) -> None:
    """End one of the actor's own tokens, and those that were made with it; idempotent.

    :raises NotFound: there is none, or it is someone else's
    """
    require(actor, Permission.MANAGE_OWN)
    is_own = and_(*_within_reach(actor))
    held = select(TOKEN.c.id).where(TOKEN.c.id == token_id, is_own).with_for_update()
    if tx.execute(held).first() is None:
        raise NotFound(N_("There is no such token."))
    both = and_(is_own, or_(TOKEN.c.id == token_id, TOKEN.c.made_with == token_id))
    ended = update(TOKEN).where(both, TOKEN.c.revoked_at.is_(None)).values(revoked_at=tx.now)
    for id in sorted(tx.execute(ended.returning(TOKEN.c.id)).scalars()):
        record(tx, "token.revoked", actor, subject_id=id)


def revoke_all(
    tx: Transaction, actor: Actor | None, person_id: int, *, programme_id: int | None = None
) -> int:
    """End a person's tokens, or those alone that are bound to a programme; how many there were."""
    ended = TOKEN.update().where(TOKEN.c.person_id == person_id, TOKEN.c.revoked_at.is_(None))
    if programme_id is not None:
        ended = ended.where(TOKEN.c.programme_id == programme_id)
    ids = tx.execute(ended.values(revoked_at=tx.now).returning(TOKEN.c.id)).scalars().all()
    for id in ids:
        record(tx, "token.revoked", actor, subject_id=id)
    return len(ids)


def _made(
    tx: Transaction, actor: Actor, values: Mapping[str, Any], scopes: Sequence[str], ends_at: datetime
) -> NewToken:
    token = secrets.new_token()
    id = tx.execute(
        TOKEN.insert()
        .values(
            **values,
            person_id=actor.person_id,
            token_hash=secrets.digest(token),
            ending=token[-4:],
            scopes=" ".join(scopes),
            created_at=tx.now,
            expires_at=ends_at,
        )
        .returning(TOKEN.c.id)
    ).scalar_one()
    told = {"scopes": list(scopes), "programme_id": values["programme_id"]}
    record(tx, "token.created", actor, subject_id=id, data=told)
    return NewToken(id, token)


def _parent(tx: Transaction, actor: Actor) -> Any:
    """The token with which the actor comes, held until the commit so that it is not revoked meanwhile; or None."""
    if actor.scopes is None:
        return None
    parent = tx.execute(
        select(TOKEN)
        .where(
            TOKEN.c.id == actor.token_id, TOKEN.c.person_id == actor.person_id, TOKEN.c.revoked_at.is_(None)
        )
        .with_for_update()
    ).first()
    if parent is None:
        raise NotAllowed(N_("The token with which you ask was revoked at this moment."))
    return parent


def _require_within(scopes: Sequence[str], own: frozenset[str]) -> None:
    if not set(scopes) <= own:
        raise Invalid(FieldError("scopes", N_("A token gives another no more than it has itself.")))


def _problems_of(scopes: Sequence[str], days: int) -> list[FieldError]:
    problems = []
    if not scopes:
        problems.append(FieldError("scopes", N_("Please choose at least one thing that the token may do.")))
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        problems.append(
            FieldError(
                "scopes",
                N_("There is no scope %(scope)s; there are %(scopes)s."),
                (("scope", unknown[0][:40]), ("scopes", ", ".join(SCOPES))),
            )
        )
    if not 1 <= days <= LONGEST_DAYS:
        problems.append(
            FieldError("days", N_("Please choose between 1 and %(most)s days."), (("most", LONGEST_DAYS),))
        )
    return problems


def _problems_of_place(
    actor: Actor, programme_id: int | None, organisation_id: int | None
) -> list[FieldError]:
    """A token is good where its person takes part, and nowhere else."""
    is_one_of_theirs = any(
        programme_id in (None, place.programme_id) and organisation_id in (None, place.organisation_id)
        for place in actor.memberships.values()
    )
    if is_one_of_theirs or (programme_id is None and organisation_id is None):
        return []
    return [FieldError("place", N_("Please choose a programme or an organisation in which you take part."))]


def _in_force(actor: Actor) -> tuple[Any, ...]:
    """The conditions of the actor's tokens that still hold."""
    return (
        *_within_reach(actor),
        TOKEN.c.revoked_at.is_(None),
        or_(TOKEN.c.expires_at.is_(None), TOKEN.c.expires_at > clock.now()),
    )


def _within_reach(actor: Actor) -> tuple[Any, ...]:
    """The conditions of the actor's tokens; for one who comes with a bound token, of those that are bound to there."""
    is_own = TOKEN.c.person_id == actor.person_id
    if not actor.is_bound:
        return (is_own,)
    asking = TOKEN.alias("asking")
    is_there = exists().where(
        asking.c.id == actor.token_id,
        *(
            or_(asking.c[place].is_(None), asking.c[place] == TOKEN.c[place])
            for place in ("programme_id", "organisation_id")
        ),
    )
    return (is_own, is_there)
