"""Personal access tokens: made, found on each request, revoked; only a hash of them is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import FieldError, Invalid, NotAllowed, NotFound, TooMany
from app.lib import clock, secrets
from app.lib.i18n import N_
from app.models import AccessToken, Membership, Person, Sector
from app.models.base import table
from app.policies.actor import ANONYMOUS, Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services.events import record
from app.services.sessions import PERSON_AND_PLACES, actor_from

TOKEN = table(AccessToken)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
SECTOR = table(Sector)

SCOPES: Final = ("read", "write", "vote", "book", "admin")
"""What a token can be for, in the order in which pages list it."""

LONGEST_DAYS: Final = 366
"""How long a token lasts at the most."""

MOST: Final = 50
"""How many tokens one person may have in force."""

USED_EVERY: Final = timedelta(minutes=1)
"""How far `used_at` may lag behind."""

_FIND: Final = (
    select(
        *PERSON_AND_PLACES,
        TOKEN.c.id.label("token_id"),
        TOKEN.c.scopes,
        or_(
            TOKEN.c.used_at.is_(None), TOKEN.c.used_at < bindparam("stale_before", type_=TOKEN.c.used_at.type)
        ).label("is_stale"),
    )
    .select_from(TOKEN)
    .join(PERSON, PERSON.c.id == TOKEN.c.person_id)
    .outerjoin(MEMBERSHIP, (MEMBERSHIP.c.person_id == PERSON.c.id) & MEMBERSHIP.c.ended_at.is_(None))
    .outerjoin(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
    .where(
        TOKEN.c.token_hash == bindparam("token_hash"),
        TOKEN.c.revoked_at.is_(None),
        or_(
            TOKEN.c.expires_at.is_(None), TOKEN.c.expires_at > bindparam("now", type_=TOKEN.c.expires_at.type)
        ),
        PERSON.c.disabled_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: `token` is shown once and kept nowhere."""

    id: int
    token: str


def find(connection: Connection, token: str) -> tuple[Actor, bool]:
    """Whose `token` it is, with its scopes, and whether `touch` is due; or `ANONYMOUS`."""
    if not secrets.is_token(token):
        return ANONYMOUS, False
    now = clock.now()
    rows = connection.execute(
        _FIND, {"token_hash": secrets.digest(token), "now": now, "stale_before": now - USED_EVERY}
    ).all()
    if not rows:
        return ANONYMOUS, False
    scopes = frozenset(rows[0].scopes.split())
    return actor_from(rows, token_id=rows[0].token_id, scopes=scopes), bool(rows[0].is_stale)


def touch(tx: Transaction, token_id: int) -> None:
    """Note that a token is in use; at most once in `USED_EVERY`, however often it is called."""
    tx.execute(
        update(TOKEN)
        .where(TOKEN.c.id == token_id, or_(TOKEN.c.used_at.is_(None), TOKEN.c.used_at < tx.now - USED_EVERY))
        .values(used_at=tx.now)
    )


def create(tx: Transaction, actor: Actor, *, name: str, scopes: Sequence[str], days: int = 90) -> NewToken:
    """Make a token for the actor, good for `days`.

    :raises Invalid: the name, the scopes or the days cannot be taken
    :raises NotAllowed: a token asks for a token; only a person at a page or the command line may
    :raises TooMany: the person has `MOST` tokens in force
    """
    _require_in_person(actor)
    name, problems = text.line("name", name, most=80)
    problems += _problems_of(scopes, days)
    if problems:
        raise Invalid(*problems)
    if len(of_person(tx.connection, actor)) >= MOST:
        raise TooMany(N_("You have %(most)s tokens already. Revoke one first."), retry_after_s=60, most=MOST)
    return _made(tx, actor, name, [scope for scope in SCOPES if scope in scopes], days)


def of_person(connection: Connection, actor: Actor) -> Sequence[Any]:
    """The actor's tokens in force, newest first: id, name, ending, scopes and three instants."""
    require(actor, Permission.MANAGE_OWN)
    return connection.execute(
        select(
            TOKEN.c.id,
            TOKEN.c.name,
            TOKEN.c.ending,
            TOKEN.c.scopes,
            TOKEN.c.created_at,
            TOKEN.c.expires_at,
            TOKEN.c.used_at,
        )
        .where(
            TOKEN.c.person_id == actor.person_id,
            TOKEN.c.revoked_at.is_(None),
            or_(TOKEN.c.expires_at.is_(None), TOKEN.c.expires_at > clock.now()),
        )
        .order_by(TOKEN.c.id.desc())
        .limit(MOST)
    ).all()


def revoke(tx: Transaction, actor: Actor, token_id: int) -> None:
    """End one of the actor's own tokens; idempotent.

    :raises NotFound: there is none, or it is someone else's
    """
    _require_in_person(actor)
    token = tx.execute(
        select(TOKEN.c.id, TOKEN.c.revoked_at).where(
            TOKEN.c.id == token_id, TOKEN.c.person_id == actor.person_id
        )
    ).first()
    if token is None:
        raise NotFound(N_("There is no such token."))
    if token.revoked_at is None:
        tx.execute(update(TOKEN).where(TOKEN.c.id == token_id).values(revoked_at=tx.now))
        record(tx, "token.revoked", actor, subject_id=token_id)


def _made(tx: Transaction, actor: Actor, name: str, scopes: Sequence[str], days: int) -> NewToken:
    token = secrets.new_token()
    id = tx.execute(
        TOKEN.insert()
        .values(
            person_id=actor.person_id,
            name=name,
            token_hash=secrets.digest(token),
            ending=token[-4:],
            scopes=" ".join(scopes),
            created_at=tx.now,
            expires_at=tx.now + timedelta(days=days),
        )
        .returning(TOKEN.c.id)
    ).scalar_one()
    record(tx, "token.created", actor, subject_id=id, data={"scopes": list(scopes)})
    return NewToken(id, token)


def _require_in_person(actor: Actor) -> None:
    require(actor, Permission.MANAGE_OWN)
    if actor.scopes is not None:
        raise NotAllowed(N_("A token cannot make or revoke tokens. Please sign in and use your own page."))


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
