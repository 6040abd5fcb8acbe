"""Retention: how long a programme keeps what is personal, and the clock that warns, erases and deletes.

Everything here may run twice and in two workers at once: each piece of work looks again at what it is about.
"""

import calendar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import FieldError, Invalid, Moved
from app.integrations import mail, queue
from app.lib import clock
from app.lib.i18n import N_
from app.models import (
    AccessToken,
    BrowserSession,
    Invitation,
    JoinRequest,
    Login,
    Membership,
    Notice,
    Person,
    Programme,
    RetentionRules,
    SignIn,
    UsedAssertion,
    UsedLogoutToken,
)
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import audit_log, erasure
from app.services.events import record

RULES = table(RetentionRules)
INVITATION = table(Invitation)
JOIN_REQUEST = table(JoinRequest)
LOGIN = table(Login)
MEMBERSHIP = table(Membership)
NOTICE = table(Notice)
PERSON = table(Person)
PROGRAMME = table(Programme)
SESSION = table(BrowserSession)
SIGN_IN = table(SignIn)
TOKEN = table(AccessToken)
USED_ASSERTION = table(UsedAssertion)
USED_LOGOUT_TOKEN = table(UsedLogoutToken)

WARNED_BEFORE: Final = timedelta(days=30)
"""How long before an erasure by the clock someone is told."""

SESSIONS_KEPT: Final = timedelta(days=30)
TOKENS_KEPT: Final = timedelta(days=90)
NOTICES_KEPT: Final = timedelta(days=365)

MOST_AT_ONCE: Final = 500
"""How many people one look names, and how many rows one piece of work deletes of a table."""

LIMITS: Final = {
    "months_after_leaving": (1, 120),
    "months_unused": (6, 120),
    "days_of_requests": (7, 365),
    "months_of_audit": (12, 240),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a programme decided, or what is usual."""

    programme_id: int
    months_after_leaving: int = 24
    months_unused: int = 36
    days_of_requests: int = 90
    months_of_audit: int = 60
    version: int = 0


USUAL: Final = Rules(0)


@dataclass(frozen=True, slots=True)
class Warned:
    """Someone who is to be told by mail that they will be erased, and on which day."""

    email: str
    language: str
    day: datetime
    warned_at: datetime


# queries


def find(connection: Connection, programme_id: int) -> Rules:
    """The rules of a programme. One statement."""
    row = connection.execute(select(RULES).where(RULES.c.programme_id == programme_id)).first()
    return replace(_of(row) if row is not None else USUAL, programme_id=programme_id)


def of_programme(connection: Connection, actor: Actor, programme: Any) -> Rules:
    """The same for those who look after a programme's data.

    :raises NotAllowed: the actor does not
    """
    require(actor, Permission.MANAGE_RETENTION, programme)
    return find(connection, programme.id)


def warned_in(connection: Connection, actor: Actor, programme: Any) -> int:
    """How many people who are or were in a programme have been warned, and not come back yet."""
    require(actor, Permission.MANAGE_RETENTION, programme)
    theirs = select(MEMBERSHIP.c.person_id).where(MEMBERSHIP.c.programme_id == programme.id)
    warned = PERSON.c.id.in_(theirs), PERSON.c.warned_at.is_not(None)
    return connection.execute(select(func.count()).select_from(PERSON).where(*warned)).scalar_one()


def due(connection: Connection, *, after: int = 0) -> list[int]:
    """The ids, greater than `after`, of people for whom something is to be looked at: `MOST_AT_ONCE` at the most.

    Those who have left, those who have not been here for the shortest time that a programme allows, those warned.
    """
    shortest = connection.execute(select(func.min(RULES.c.months_unused))).scalar() or USUAL.months_unused
    long_ago = _months_before(clock.now() + WARNED_BEFORE, min(shortest, USUAL.months_unused))
    is_here = exists().where(MEMBERSHIP.c.person_id == PERSON.c.id, MEMBERSHIP.c.ended_at.is_(None))
    came = exists().where(LOGIN.c.person_id == PERSON.c.id, LOGIN.c.used_at > long_ago)
    used = exists().where(TOKEN.c.person_id == PERSON.c.id, TOKEN.c.used_at > long_ago)
    rows = connection.execute(
        select(PERSON.c.id)
        .where(
            PERSON.c.id > after,
            PERSON.c.is_machine.is_(False),
            PERSON.c.administrator_since.is_(None),
            PERSON.c.erased_at.is_(None),
            or_(
                ~is_here, and_(~came, ~used, PERSON.c.created_at <= long_ago), PERSON.c.warned_at.is_not(None)
            ),
        )
        .order_by(PERSON.c.id)
        .limit(MOST_AT_ONCE)
    )
    return list(rows.scalars())


def over_at(connection: Connection, person_id: int) -> datetime:
    """When a person's time is over: some months after they left every programme, or were last here. Three statements.

    Of several programmes the one that keeps people longest counts.
    """
    places = connection.execute(
        select(MEMBERSHIP.c.ended_at, *(RULES.c[name] for name in _SAME))
        .select_from(MEMBERSHIP)
        .outerjoin(RULES, RULES.c.programme_id == MEMBERSHIP.c.programme_id)
        .where(MEMBERSHIP.c.person_id == person_id)
    ).all()
    here = [_of(place) for place in places if place.ended_at is None]
    if here:
        return _months_after(_last_here(connection, person_id), max(each.months_unused for each in here))
    left = [_months_after(place.ended_at, _of(place).months_after_leaving) for place in places]
    return max(left, default=_months_after(_last_here(connection, person_id), USUAL.months_after_leaving))


def warned(connection: Connection, person_id: int) -> Warned | None:
    """Whom to write that they will be erased; None if there is nobody to write to any more."""
    row = connection.execute(
        select(PERSON.c.email, PERSON.c.language, PERSON.c.warned_at).where(
            PERSON.c.id == person_id,
            PERSON.c.email.is_not(None),
            PERSON.c.warned_at.is_not(None),
            PERSON.c.erased_at.is_(None),
        )
    ).first()
    if row is None:
        return None
    day = max(over_at(connection, person_id), row.warned_at + WARNED_BEFORE)
    return Warned(row.email, row.language or "en", day, row.warned_at)


# verbs


def set_rules(
    tx: Transaction, actor: Actor, programme: Any, *, version: int | None = None, **changes: int
) -> Rules:
    """Change how long a programme keeps what is personal; as it was, nothing happens.

    :raises NotAllowed: the actor does not look after its data
    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: a number is out of bounds; the error names it
    """
    require(actor, Permission.MANAGE_RETENTION, programme)
    # Of two at once, who may write the first row of all, the second waits for the first.
    tx.execute(select(PROGRAMME.c.id).where(PROGRAMME.c.id == programme.id).with_for_update())
    before = find(tx.connection, programme.id)
    if version is not None and version != before.version:
        raise Moved(N_("Someone has changed these rules in the meantime."), current=before.version)
    after = replace(before, **changes)
    message = N_("Please give a whole number from %(least)s to %(most)s.")
    wrong = [
        FieldError(name, message, (("least", least), ("most", most)))
        for name, (least, most) in LIMITS.items()
        if not least <= getattr(after, name) <= most
    ]
    if wrong:
        raise Invalid(*wrong)
    if after == before:
        return before
    after = replace(after, version=before.version + 1)
    values = {name: getattr(after, name) for name in _SAME} | {"updated_at": tx.now}
    if before.version:
        tx.execute(RULES.update().where(RULES.c.programme_id == programme.id).values(values))
    else:
        beginning = {"programme_id": programme.id, "created_at": tx.now}
        tx.execute(RULES.insert(), {**beginning, **values})
    record(
        tx,
        "retention.changed",
        actor,
        programme_id=programme.id,
        subject_id=programme.id,
        data={name: getattr(after, name) for name in LIMITS},
    )
    return after


def settle(tx: Transaction, person_id: int) -> str:
    """Warn someone whose time will soon be over, erase them a month later, or forget the warning; what, in a word.

    :raises Conflict: they have to hand something over first
    """
    person = tx.execute(
        select(PERSON).where(PERSON.c.id == person_id, PERSON.c.erased_at.is_(None)).with_for_update()
    ).first()
    if person is None or person.is_machine or person.administrator_since is not None:
        return "nothing"
    over = over_at(tx.connection, person_id)
    if over > tx.now + WARNED_BEFORE:
        return _forgiven(tx, person)
    if person.warned_at is None:
        return _warn(tx, person)
    if over <= tx.now and person.warned_at <= tx.now - WARNED_BEFORE:
        erasure.erase_by_clock(tx, person_id)
        return "erased"
    return "nothing"


def forget_requests(tx: Transaction) -> int:
    """Delete requests and invitations that are older than their programme allows; how many of them."""
    tx.execute(delete(SIGN_IN).where(SIGN_IN.c.expires_at < tx.now))
    gone = 0
    for programme_id in tx.execute(select(PROGRAMME.c.id)).scalars().all():
        before = tx.now - timedelta(days=find(tx.connection, programme_id).days_of_requests)
        asked = func.coalesce(JOIN_REQUEST.c.decided_at, JOIN_REQUEST.c.created_at) < before
        is_of_ended = and_(JOIN_REQUEST.c.state == "declined", JOIN_REQUEST.c.person_id.is_not(None))
        gone += _delete(tx, JOIN_REQUEST, JOIN_REQUEST.c.programme_id == programme_id, asked, ~is_of_ended)
        ended = func.coalesce(INVITATION.c.used_at, INVITATION.c.revoked_at, INVITATION.c.expires_at) < before
        gone += _delete(
            tx,
            INVITATION,
            INVITATION.c.programme_id == programme_id,
            ended,
            ~exists().where(SIGN_IN.c.invitation_id == INVITATION.c.id),
        )
    return gone


def forget_ended(tx: Transaction) -> int:
    """Delete what has long ended: sessions, tokens, tickets, notices, also of people who are erased; how many rows."""
    erased = select(PERSON.c.id).where(PERSON.c.erased_at.is_not(None))
    session_over = or_(
        SESSION.c.expires_at < tx.now - SESSIONS_KEPT, SESSION.c.revoked_at < tx.now - SESSIONS_KEPT
    )
    token_over = or_(TOKEN.c.expires_at < tx.now - TOKENS_KEPT, TOKEN.c.revoked_at < tx.now - TOKENS_KEPT)
    notice_over = or_(NOTICE.c.created_at < tx.now - NOTICES_KEPT, NOTICE.c.person_id.in_(erased))
    return (
        _delete(tx, SESSION, session_over)
        + _delete(tx, TOKEN, token_over)
        + _delete(tx, NOTICE, notice_over)
        + _delete(tx, USED_ASSERTION, USED_ASSERTION.c.expires_at < tx.now)
        + _delete(tx, USED_LOGOUT_TOKEN, USED_LOGOUT_TOKEN.c.expires_at < tx.now)
    )


def prune_audit(tx: Transaction) -> int:
    """Let go of the audit log's oldest entries; how many went. One chain for all: who keeps them longest decides."""
    months = tx.execute(
        select(func.max(func.coalesce(RULES.c.months_of_audit, USUAL.months_of_audit)))
        .select_from(PROGRAMME)
        .outerjoin(RULES, RULES.c.programme_id == PROGRAMME.c.id)
    ).scalar()
    return audit_log.prune(tx, _months_before(tx.now, months or USUAL.months_of_audit))


# within


def _of(row: Any) -> Rules:
    """The rules that a row says; the usual ones where it has none."""
    if row.version is None:
        return USUAL
    return replace(USUAL, **{name: getattr(row, name) for name in _SAME})


_SAME: Final = (*LIMITS, "version")


def _last_here(connection: Connection, person_id: int) -> datetime:
    """When someone was last here: signed in, seen, by a token, or made."""
    times = [
        connection.execute(select(func.max(column)).where(of == person_id)).scalar()
        for column, of in (
            (LOGIN.c.used_at, LOGIN.c.person_id),
            (SESSION.c.seen_at, SESSION.c.person_id),
            (TOKEN.c.used_at, TOKEN.c.person_id),
            (PERSON.c.created_at, PERSON.c.id),
        )
    ]
    return max(cast("list[datetime]", [time for time in times if time is not None]))


def _warn(tx: Transaction, person: Any) -> str:
    tx.execute(update(PERSON).where(PERSON.c.id == person.id).values(warned_at=tx.now))
    if person.email is not None and mail.is_set_up():
        name = mail_id(person.id, tx.now)
        queue.enqueue(tx, "mail.warning", workflow_id=name, person_id=person.id)
    record(tx, "person.warned", None, subject_id=person.id)
    return "warned"


def mail_id(person_id: int, warned_at: datetime) -> str:
    """The name that a warning's mail has however often it is tried: as a job, and as a message."""
    return f"warning-{person_id}-{warned_at:%Y%m%d%H%M%S}"


def _forgiven(tx: Transaction, person: Any) -> str:
    """Whoever came back, or whose programme keeps people longer now, is not warned any more."""
    if person.warned_at is None:
        return "nothing"
    tx.execute(update(PERSON).where(PERSON.c.id == person.id).values(warned_at=None))
    return "kept"


def _delete(tx: Transaction, of: Any, *conditions: Any) -> int:
    some = select(of.c.id).where(*conditions).limit(MOST_AT_ONCE)
    return len(tx.execute(delete(of).where(of.c.id.in_(some)).returning(of.c.id)).all())


def _months_after(instant: datetime, months: int) -> datetime:
    """The same day of the month, `months` later (or earlier, if negative); its last one where it has no such day."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return instant.replace(year=year, month=month + 1, day=min(instant.day, last))


def _months_before(instant: datetime, months: int) -> datetime:
    return _months_after(instant, -months)
