"""Webhooks: addresses that are told of a programme's events, made and looked after by those who coordinate it.

What a receiver is told is what its owner reads in the feed, by the right that they have when it is sent.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Select, func, literal, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotFound
from app.integrations import seal
from app.lib import secrets
from app.lib.i18n import N_
from app.models import Delivery, Event, Person, Programme, Webhook
from app.models.base import table
from app.models.webhook import DEAD, WAITING
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require, require_fresh_in_browser
from app.schemas import text
from app.services import events
from app.services.events import record

DELIVERY: Final = table(Delivery)
EVENT: Final = table(Event)
PERSON: Final = table(Person)
PROGRAMME: Final = table(Programme)
WEBHOOK: Final = table(Webhook)

MOST: Final = 20
"""How many webhooks a programme may have."""

MOST_TYPES: Final = 100
LONGEST_ADDRESS: Final = 2000

OVERLAP: Final = timedelta(hours=24)
"""How long messages are signed by the secret from before as well, after a new one was made."""

ALL: Final = "*"
"""Among the types of a webhook: every event of its programme."""

NOUNS: Final = tuple(sorted({type.partition(".")[0] for type in events.TYPES}))
"""What events are about; as a type it stands for all that happens to that noun."""

KINDS: Final = {
    noun: sorted(type for type in events.TYPES if type.partition(".")[0] == noun) for noun in NOUNS
}
"""The types of events by noun."""

PERSON_STOPPED, GONE, RIGHT, SECRET = "person", "gone", "right", "secret"
"""Why a webhook is off: somebody switched it off; its receiver said 410; its owner may not any more; its secret cannot
be read with the installation's secret of now."""

UNSEEN: Final = N_("There is no such webhook, or it is not open to you.")

NO_ADDRESS: Final = N_(
    "Please give an https address that everyone on the internet can reach, without a user name."
)

PROBLEMS_OF_ADDRESSES: Final[Mapping[str, str]] = {
    "unreachable": N_("The name in this address leads nowhere."),
    "timeout": N_("Nobody says in time where the name in this address leads. Please try again."),
}
"""What is wrong with an address that may not be called, by the word of `integrations.hooks`; else `NO_ADDRESS`."""


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook as those see it who look after it; never its secret. `waiting` and `dead` count its deliveries."""

    id: int
    programme_id: int
    programme: str
    slug: str
    owner_id: int
    owner: str
    name: str
    address: str
    types: tuple[str, ...]
    previous_until: datetime | None
    failures: int
    failing_since: datetime | None
    not_before: datetime | None
    delivered_at: datetime | None
    stopped_at: datetime | None
    stopped_why: str | None
    waiting: int
    dead: int
    created_at: datetime
    updated_at: datetime
    version: int

    @property
    def state(self) -> str:
        """`active`, `failing` (a message died, and none was taken since) or `off`."""
        if self.stopped_at is not None:
            return "off"
        return "failing" if self.failing_since is not None else "active"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is asked for: a name, an address, and types of events."""

    name: str = ""
    address: str = ""
    types: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NewSecret:
    """The secret of a webhook that was just made: told once."""

    id: int
    secret: str = field(repr=False)


# queries


def in_programme(
    connection: Connection, actor: Actor, programme: Any, *, after: int = 0, limit: int = MOST
) -> list[WebhookView]:
    """The webhooks of a programme (`ProgrammeView`) by id, those greater than `after`. One statement.

    :raises NotAllowed: the actor does not look after them
    """
    require(actor, Permission.MANAGE_WEBHOOKS, programme)
    asked = _select().where(WEBHOOK.c.programme_id == programme.programme_id, WEBHOOK.c.id > after)
    return [_view(row) for row in connection.execute(asked.order_by(WEBHOOK.c.id).limit(limit))]


def find(connection: Connection, actor: Actor, id: int) -> WebhookView:
    """One webhook. One statement.

    :raises NotFound: there is none, or the actor does not look after it
    """
    row = connection.execute(_select().where(WEBHOOK.c.id == id)).first()
    if row is None or not may(actor, Permission.MANAGE_WEBHOOKS, row):
        raise NotFound(UNSEEN)
    return _view(row)


def wants(types: Collection[str], type: str) -> bool:
    """Whether a webhook with these types is told of an event of `type`."""
    return ALL in types or type in types or type.partition(".")[0] in types


# verbs


def create(tx: Transaction, actor: Actor, programme: Any, draft: Draft) -> NewSecret:
    """Make a webhook; it is told of what happens from now on, in the right of the actor.

    Whoever calls has looked whether the address may be called; it is looked at again with each call.

    :raises NotAllowed: the actor does not look after the programme's webhooks
    :raises NotFresh: it is too long since the actor signed in
    :raises Invalid: name, address or types cannot be taken
    :raises Conflict: the programme has `MOST` already
    """
    require(actor, Permission.MANAGE_WEBHOOKS, programme)
    name, problems = text.line("name", draft.name, most=80)
    address, wrong = _address(draft.address)
    problems += wrong + _problems_of_types(draft.types)
    if problems:
        raise Invalid(*problems)
    require_fresh_in_browser(actor)
    _require_space(tx, programme.programme_id)
    secret = secrets.new_webhook_secret()
    values = {
        "programme_id": programme.programme_id,
        "owner_id": actor.person_id,
        "name": name,
        "address": address,
        "types": _in_order(draft.types),
        "secret": seal.seal_webhook_secret(secret),
        "position": _newest(tx.connection, programme.programme_id),
        "round": 0,
        "failures": 0,
        "created_at": tx.now,
        "updated_at": tx.now,
        "version": 1,
    }
    id = int(tx.execute(WEBHOOK.insert().values(values).returning(WEBHOOK.c.id)).scalar_one())
    record(tx, "webhook.created", actor, programme_id=programme.programme_id, subject_id=id)
    return NewSecret(id, secret)


def change(
    tx: Transaction,
    actor: Actor,
    id: int,
    *,
    version: int | None = None,
    name: str | None = None,
    address: str | None = None,
    types: Sequence[str] | None = None,
    active: bool | None = None,
) -> None:
    """Change what is given of a webhook, or switch it off or on; what stays as it was is no change.

    Whoever switches it on, or says where it goes, owns it from then on: nobody is told by another's right once they
    have lost their own. Switched on, it is told of what happens from now on: for what happened meanwhile there are
    replays. What waited goes out.

    :raises NotFound: there is none, or the actor does not look after it
    :raises Moved: it is no longer at `version`
    :raises NotFresh: another address, or switching on, and it is too long since the actor signed in
    :raises Invalid: name, address or types cannot be taken
    """
    hook = hold(tx, actor, id, version=version)
    given, problems = _checked(name, address, types)
    if problems:
        raise Invalid(*problems)
    changed = {key: value for key, value in given.items() if value != getattr(hook, key)}
    if "types" in changed:
        changed["types"] = list(changed["types"])
    is_off = hook.stopped_at is not None
    if active is False and not is_off:
        changed |= {"stopped_at": tx.now, "stopped_why": PERSON_STOPPED}
    if active is True and is_off:
        changed |= _started(tx, hook)
    if not changed:
        return
    if "address" in changed or changed.get("stopped_at", tx.now) is None:
        require_fresh_in_browser(actor)
        changed["owner_id"] = actor.person_id
    _write(tx, actor, hook, "webhook.changed", changed, fields=sorted(_FIELDS & set(changed)))


def change_secret(tx: Transaction, actor: Actor, id: int) -> NewSecret:
    """Give a webhook another secret; messages are signed by the one before as well for `OVERLAP` more.

    :raises NotFound: there is none, or the actor does not look after it
    :raises NotFresh: it is too long since the actor signed in
    """
    hook = hold(tx, actor, id)
    require_fresh_in_browser(actor)
    secret = secrets.new_webhook_secret()
    previous = tx.execute(select(WEBHOOK.c.secret).where(WEBHOOK.c.id == id)).scalar_one()
    values = {
        "secret": seal.seal_webhook_secret(secret),
        "previous_secret": previous,
        "previous_until": tx.now + OVERLAP,
    }
    _write(tx, actor, hook, "webhook.secret_changed", values)
    return NewSecret(hook.id, secret)


def delete(tx: Transaction, actor: Actor, id: int, *, version: int | None = None) -> None:
    """Delete a webhook: nothing more is sent, its secrets go at once, and its deliveries within minutes.

    :raises NotFound: there is none, or the actor does not look after it
    :raises Moved: it is no longer at `version`
    """
    hook = hold(tx, actor, id, version=version)
    gone = {"deleted_at": tx.now, "secret": b"", "previous_secret": None, "previous_until": None}
    _write(tx, actor, hook, "webhook.deleted", gone)


def hold(tx: Transaction, actor: Actor, id: int, *, version: int | None = None) -> WebhookView:
    """A webhook that nobody else changes until the commit.

    :raises NotFound: there is none, or the actor does not look after it
    :raises Moved: it is no longer at `version`
    """
    tx.execute(select(WEBHOOK.c.id).where(WEBHOOK.c.id == id).with_for_update())
    hook = find(tx.connection, actor, id)
    if version is not None and hook.version != version:
        raise Moved(N_("This has changed in the meantime. Please read it again."), current=hook.version)
    return hook


def require_on(hook: WebhookView) -> None:
    """Raise unless something can be sent.

    :raises Conflict: the webhook is off
    """
    if hook.stopped_at is not None:
        raise Conflict(N_("This webhook is off. Switch it on first."))


_FIELDS: Final = frozenset({"name", "address", "types", "stopped_at"})


def _started(tx: Transaction, hook: WebhookView) -> dict[str, Any]:
    return {
        "stopped_at": None,
        "stopped_why": None,
        "position": _newest(tx.connection, hook.programme_id),
        "failures": 0,
        "failing_since": None,
        "not_before": None,
    }


def _checked(
    name: str | None, address: str | None, types: Sequence[str] | None
) -> tuple[dict[str, Any], list[FieldError]]:
    given: dict[str, Any] = {}
    problems: list[FieldError] = []
    if name is not None:
        given["name"], wrong = text.line("name", name, most=80)
        problems += wrong
    if address is not None:
        given["address"], wrong = _address(address)
        problems += wrong
    if types is not None:
        given["types"] = tuple(_in_order(types))
        problems += _problems_of_types(types)
    return given, problems


def _address(address: str) -> tuple[str, list[FieldError]]:
    address = address.strip()
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return address, [FieldError("address", NO_ADDRESS)]
    is_plain = address.isascii() and address.isprintable() and " " not in address
    is_short = len(address) <= LONGEST_ADDRESS
    if is_address and is_plain and is_short and not parts.fragment and "@" not in parts.netloc:
        return address, []
    return address, [FieldError("address", NO_ADDRESS)]


def _problems_of_types(types: Sequence[str]) -> list[FieldError]:
    if not types:
        return [FieldError("types", N_("Please choose at least one type of event."))]
    known = events.TYPES | {ALL, *NOUNS}
    if len(types) > MOST_TYPES or not known.issuperset(types):
        return [
            FieldError(
                "types",
                N_("Please name types of events such as idea.posted, nouns such as idea, or * for all."),
            )
        ]
    return []


def _in_order(types: Sequence[str]) -> list[str]:
    return sorted(set(types))


def _newest(connection: Connection, programme_id: int) -> int:
    newest = select(func.max(EVENT.c.id)).where(EVENT.c.programme_id == programme_id)
    return connection.execute(newest).scalar() or 0


def _require_space(tx: Transaction, programme_id: int) -> None:
    tx.execute(select(PROGRAMME.c.id).where(PROGRAMME.c.id == programme_id).with_for_update())
    there = select(WEBHOOK.c.id).where(WEBHOOK.c.programme_id == programme_id, WEBHOOK.c.deleted_at.is_(None))
    if len(tx.execute(there.limit(MOST)).all()) == MOST:
        raise Conflict(N_("This programme has %(most)s webhooks already. Delete one first."), most=MOST)


def _write(
    tx: Transaction, actor: Actor, hook: WebhookView, type: str, values: Mapping[str, Any], **data: Any
) -> None:
    changed = {**values, "updated_at": tx.now, "version": WEBHOOK.c.version + 1}
    tx.execute(update(WEBHOOK).where(WEBHOOK.c.id == hook.id).values(changed))
    record(tx, type, actor, programme_id=hook.programme_id, subject_id=hook.id, data=data)


def _select() -> Select[Any]:
    def count(state: str) -> Any:
        of_it = (DELIVERY.c.webhook_id == WEBHOOK.c.id) & (
            DELIVERY.c.state == literal(state, literal_execute=True)
        )
        return select(func.count()).select_from(DELIVERY).where(of_it).correlate(WEBHOOK).scalar_subquery()

    return (
        select(
            WEBHOOK,
            PROGRAMME.c.name.label("programme"),
            PROGRAMME.c.slug,
            PERSON.c.name.label("owner"),
            count(WAITING).label("waiting"),
            count(DEAD).label("dead"),
        )
        .select_from(WEBHOOK)
        .join(PROGRAMME, PROGRAMME.c.id == WEBHOOK.c.programme_id)
        .join(PERSON, PERSON.c.id == WEBHOOK.c.owner_id)
        .where(WEBHOOK.c.deleted_at.is_(None))
    )


def _view(row: Any) -> WebhookView:
    values = {name: getattr(row, name) for name in WebhookView.__slots__}
    return WebhookView(**{**values, "types": tuple(row.types)})
