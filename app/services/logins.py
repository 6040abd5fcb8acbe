"""Logins: the exact pairs of issuer and subject by which a person is known, linked and unlinked by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.errors import Conflict, NotAllowed, NotFound
from app.integrations.arrivals import Arrival
from app.lib.i18n import N_
from app.models import BrowserSession, JoinRequest, Login, Membership, Person
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require, require_fresh
from app.schemas import text
from app.services import memberships, notices, sessions
from app.services.events import record

LOGIN = table(Login)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
REQUEST = table(JoinRequest)
SESSION = table(BrowserSession)

NAMELESS: Final = "—"
"""What stands for a name where the provider tells none."""

OF_ANOTHER: Final = N_(
    "This login belongs to another account here, so it was not linked. If both accounts are yours, you can put them "
    "together: on your page, under “Two accounts of yours?”."
)
ANOTHER_SESSION: Final = N_(
    "You are no longer signed in as when you left, so nothing was changed. Please sign in and begin again."
)


@dataclass(frozen=True, slots=True)
class LoginView:
    """A login as its owner sees it. `is_current`: the one by which this session was opened."""

    id: int
    provider: str
    issuer: str
    created_at: datetime
    used_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class Vouched:
    """Someone of whom a provider has said who they are."""

    provider: str
    issuer: str
    subject: str
    name: str | None
    email: str | None


# of oneself


def of_person(connection: Connection, actor: Actor) -> list[LoginView]:
    """The actor's logins, the oldest first. Two statements."""
    require(actor, Permission.MANAGE_OWN)
    session = connection.execute(
        select(SESSION.c.issuer, SESSION.c.subject).where(SESSION.c.id == actor.session_id)
    ).first()
    used = (session.issuer, session.subject) if session else None
    rows = connection.execute(select(LOGIN).where(LOGIN.c.person_id == actor.person_id).order_by(LOGIN.c.id))
    return [
        LoginView(
            row.id,
            row.provider,
            row.issuer,
            row.created_at,
            row.used_at,
            (row.issuer, row.subject) == used,
        )
        for row in rows
    ]


def require_ready(actor: Actor) -> None:
    """Raise unless the actor may leave for another provider to link its login or to put two accounts together.

    :raises NotAllowed: a token asks
    :raises NotFresh: they have to sign in once more
    """
    require(actor, Permission.MANAGE_OWN)
    memberships.require_in_person(actor)
    require_fresh(actor)


def link(tx: Transaction, actor: Actor, arrival: Arrival) -> None:
    """Let the actor sign in by the login that has just been proved too; linked already, nothing happens.

    :raises NotAllowed: a token asks
    :raises NotFresh: it is too long since they signed in by the login that they have
    :raises Conflict: the login belongs to someone else here
    """
    require_ready(actor)
    found = find(tx.connection, arrival.issuer, arrival.subject)
    if found is None:
        found = _linked(tx, actor, arrival)
    if found.person_id != actor.person_id:
        raise Conflict(OF_ANOTHER)


def unlink(tx: Transaction, actor: Actor, login_id: int) -> None:
    """Let the actor no longer sign in by one of their logins: the sessions that it opened end, and tokens stay.

    :raises NotAllowed: a token asks
    :raises NotFresh: they have to sign in once more
    :raises NotFound: it is none of theirs
    :raises Conflict: it is their last one
    """
    require_ready(actor)
    hold(tx, [actor.person_id or 0])
    own = tx.execute(select(LOGIN).where(LOGIN.c.person_id == actor.person_id)).all()
    login = next((each for each in own if each.id == login_id), None)
    if login is None:
        raise NotFound(N_("There is no such login of yours."))
    if len(own) == 1:
        raise Conflict(N_("This is your only login: without it you could not sign in any more."))
    tx.execute(delete(LOGIN).where(LOGIN.c.id == login_id))
    sessions.end_of_login(tx, login.issuer, login.subject)
    _remember_endings(tx, actor, login)
    record(tx, "login.unlinked", actor, subject_id=actor.person_id, data={"provider": login.provider})


# for the other services of people


def find(connection: Connection, issuer: str, subject: str) -> Any:
    """The login of exactly this issuer and subject, with what is known of its person; or None."""
    return connection.execute(
        select(
            LOGIN.c.id,
            LOGIN.c.person_id,
            PERSON.c.name,
            PERSON.c.name_is_own,
            PERSON.c.email,
            PERSON.c.email_is_own,
            PERSON.c.disabled_at,
            PERSON.c.is_machine,
        )
        .join(PERSON, PERSON.c.id == LOGIN.c.person_id)
        .where(LOGIN.c.issuer == issuer, LOGIN.c.subject == subject)
    ).first()


def vouched_by(arrival: Arrival) -> Vouched:
    """Who has come back from a provider."""
    return Vouched(arrival.provider.id, arrival.issuer, arrival.subject, arrival.name, arrival.email)


def make_person(tx: Transaction, vouched: Vouched) -> tuple[int, bool]:
    """The person with this login, made unless they are there; and whether they were made now.

    Two at once make one person.
    """
    try:
        with tx.connection.begin_nested():
            return _made(tx, vouched), True
    except IntegrityError:
        login = find(tx.connection, vouched.issuer, vouched.subject)
        if login is None:
            raise
        return int(login.person_id), False


def use(tx: Transaction, login_id: int) -> None:
    """Note that someone has just signed in by a login."""
    tx.execute(update(LOGIN).where(LOGIN.c.id == login_id).values(used_at=tx.now))


def hold(tx: Transaction, person_ids: Sequence[int]) -> None:
    """Let processes change the logins of these people one after another, until the commit."""
    for person_id in sorted(person_ids):
        tx.execute(select(PERSON.c.id).where(PERSON.c.id == person_id).with_for_update(key_share=True))


def session_of(tx: Transaction, secret: str, session_id: int | None) -> Actor:
    """Who has come back in the session with which they left.

    :raises NotAllowed: the browser has another session, or none that holds
    """
    actor: Actor = sessions.find(tx.connection, secret).actor
    if session_id is None or actor.session_id != session_id:
        raise NotAllowed(ANOTHER_SESSION)
    return actor


def shown_name(told: str | None) -> str:
    """A name that can be shown: one line, no control characters, not too long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text.clean(told or ""))
    return " ".join(shown.split())[:120].strip() or NAMELESS


def address(told: str | None) -> str | None:
    """An address that mail could go to, or None: it comes from outside and ends in a mail's head."""
    found = (told or "").strip()
    if not found.isprintable() or len(found) > 254 or not 0 < found.find("@") < len(found) - 1:
        return None
    return None if any(letter.isspace() or letter in '<>,;"' for letter in found) else found


# within


def _made(tx: Transaction, vouched: Vouched) -> int:
    values = {"name": shown_name(vouched.name), "email": address(vouched.email)}
    person_id: int = tx.execute(
        PERSON.insert()
        .values(**values, created_at=tx.now, updated_at=tx.now, version=1)
        .returning(PERSON.c.id)
    ).scalar_one()
    _insert(tx, person_id, vouched)
    return person_id


def _linked(tx: Transaction, actor: Actor, arrival: Arrival) -> Any:
    """The login that was just written, or the one that another process has written at this moment."""
    try:
        with tx.connection.begin_nested():
            _insert(tx, actor.person_id or 0, vouched_by(arrival))
    except IntegrityError:
        pass
    else:
        data = {"provider": arrival.provider.id}
        record(tx, "login.linked", actor, subject_id=actor.person_id, data=data)
        for programme_id in sorted(actor.memberships)[:1]:
            notices.tell(tx, [actor.person_id or 0], "login_linked", programme_id=programme_id)
    found = find(tx.connection, arrival.issuer, arrival.subject)
    if found is None:
        raise Conflict(OF_ANOTHER)
    return found


def _remember_endings(tx: Transaction, actor: Actor, login: Row[Any]) -> None:
    """Keep a login that is nobody's now out of the programmes where its person's place has ended.

    Else whoever was let go would come back by it as someone new. It goes with the person's data.
    """
    here = set(actor.memberships)
    ended = select(MEMBERSHIP.c.programme_id).where(
        MEMBERSHIP.c.person_id == actor.person_id, MEMBERSHIP.c.ended_at.is_not(None)
    )
    for programme_id in sorted(set(tx.execute(ended).scalars()) - here):
        tx.execute(
            REQUEST.insert().values(
                programme_id=programme_id,
                provider=login.provider,
                issuer=login.issuer,
                subject=login.subject,
                name=actor.name,
                state="declined",
                reason="",
                person_id=actor.person_id,
                decided_at=tx.now,
                created_at=tx.now,
                updated_at=tx.now,
            )
        )


def _insert(tx: Transaction, person_id: int, vouched: Vouched) -> None:
    tx.execute(
        LOGIN.insert().values(
            person_id=person_id,
            provider=vouched.provider,
            issuer=vouched.issuer,
            subject=vouched.subject,
            created_at=tx.now,
            used_at=tx.now,
        )
    )
