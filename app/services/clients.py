"""Clients of the API: machines with a name and a role of their own, made and ended by those who answer for them.

A client acts as a person of its own that is no human. It belongs to a programme or to one organisation of it, and
proves itself by a secret, of which we keep a hash, or by a key, of which we have the public half.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, and_, literal, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotAllowed, NotFound
from app.integrations import client_assertions
from app.lib import clock, secrets
from app.lib.i18n import N_
from app.models import AccessToken, Client, Membership, Organisation, Person, Programme
from app.models.base import table
from app.models.membership import ROLES
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require_fresh_in_person, require_somewhere
from app.schemas import text
from app.services.events import record
from app.services.tokens import LONGEST_DAYS, NewToken, of_client

CLIENT = table(Client)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)
TOKEN = table(AccessToken)

SCOPES: Final = ("read", "write", "admin", "scim")
"""What a client can be for. It has no vote and goes on no stays, so there is neither `vote` nor `book`."""

SCIM: Final = "scim"
DANGEROUS: Final = frozenset({"admin", SCIM})
"""The scopes for which a fresh sign-in is asked: with them a client ends other people's access, or decides for all."""

SECRET, KEYS = "client_secret", "private_key_jwt"
METHODS: Final = (SECRET, KEYS)

OF_ORGANISATIONS: Final = ("participant", "observer")
"""The roles that those may give who answer for an organisation alone."""

OVERLAP: Final = timedelta(hours=24)
"""How long the secret from before holds after a new one was made."""

MOST: Final = 100
"""How many clients in force a programme may have."""

UNSEEN: Final = N_("There is no such client, or it is not open to you.")


@dataclass(frozen=True, slots=True)
class Room:
    """Where clients can be: a programme, or one organisation of it. What the policy asks about."""

    programme_id: int
    programme: str
    slug: str
    organisation_id: int | None = None
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What is asked for. `keys`: a JWK set as JSON, for `private_key_jwt`; `days` None: until it is revoked."""

    name: str
    role: str = "observer"
    scopes: Sequence[str] = ("read",)
    method: str = SECRET
    keys: str = ""
    days: int | None = None


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client that was just made, or its new secret: shown once and kept nowhere; empty where it proves a key."""

    id: int
    client_id: str
    secret: str = field(default="", repr=False)


def rooms(connection: Connection, actor: Actor) -> list[Room]:
    """Where the actor may make clients: each of their programmes as a whole, then its organisations."""
    rows = connection.execute(
        select(PROGRAMME.c.id, PROGRAMME.c.name, PROGRAMME.c.slug, ORGANISATION.c.id, ORGANISATION.c.name)
        .join(ORGANISATION, ORGANISATION.c.programme_id == PROGRAMME.c.id)
        .where(or_(PROGRAMME.c.id.in_(list(actor.memberships)), literal(actor.is_administrator)))
        .order_by(PROGRAMME.c.id, ORGANISATION.c.name, ORGANISATION.c.id)
    ).all()
    wholes = {row[0]: Room(*row[:3]) for row in rows}
    found = [each for row in rows for each in (wholes.pop(row[0], None), Room(*row)) if each is not None]
    return [room for room in found if may(actor, Permission.MANAGE_CLIENTS, room)]


def in_programme(connection: Connection, actor: Actor, programme_id: int) -> Sequence[Any]:
    """The clients in force of a programme that the actor answers for, newest first; those that have expired too.

    Each row: id, client_id, name, programme (and its id and slug), organisation (and its id), role, scopes,
    auth_method, secret_ending, previous_until, created_at, updated_at, expires_at, used_at, version.
    """
    rows = connection.execute(
        _SELECT.where(CLIENT.c.programme_id == programme_id, CLIENT.c.revoked_at.is_(None))
        .order_by(CLIENT.c.id.desc())
        .limit(MOST)
    ).all()
    return [row for row in rows if may(actor, Permission.MANAGE_CLIENTS, _room_of(row))]


def everywhere(
    connection: Connection, actor: Actor, *, programme_id: int | None = None, after: int = 0, limit: int = 50
) -> Sequence[Any]:
    """The clients in force that the actor answers for, wherever, with ids greater than `after`, by id.

    :raises NotAllowed: they answer for none
    """
    require_somewhere(actor, Permission.MANAGE_CLIENTS)
    own = rooms(connection, actor)
    wholes = {room.programme_id for room in own if room.organisation_id is None}
    houses = {room.organisation_id for room in own}
    conditions = [
        CLIENT.c.revoked_at.is_(None),
        CLIENT.c.id > after,
        or_(CLIENT.c.programme_id.in_(wholes), CLIENT.c.organisation_id.in_(houses - {None})),
    ]
    if programme_id is not None:
        conditions.append(CLIENT.c.programme_id == programme_id)
    return connection.execute(_SELECT.where(*conditions).order_by(CLIENT.c.id).limit(limit)).all()


def find(connection: Connection, actor: Actor, id: int) -> Row[Any]:
    """One client, as `in_programme` has them, with `revoked_at`, `person_id`, `public_keys` and `secret_hash`.

    :raises NotFound: there is none, or the actor does not answer for it
    """
    row = connection.execute(
        _SELECT.add_columns(
            CLIENT.c.public_keys,
            CLIENT.c.secret_hash,
            CLIENT.c.person_id,
        ).where(CLIENT.c.id == id)
    ).first()
    if row is None or not may(actor, Permission.MANAGE_CLIENTS, _room_of(row)):
        raise NotFound(UNSEEN)
    return row


def tokens(connection: Connection, client: Row[Any]) -> Sequence[Any]:
    """The tokens in force of a client (`find`) that were made by hand: id, ending and three instants."""
    return connection.execute(
        select(TOKEN.c.id, TOKEN.c.ending, TOKEN.c.created_at, TOKEN.c.expires_at, TOKEN.c.used_at)
        .where(
            TOKEN.c.client_id == client.id,
            TOKEN.c.scopes == SCIM,
            TOKEN.c.revoked_at.is_(None),
            TOKEN.c.expires_at > clock.now() + timedelta(hours=1),
        )
        .order_by(TOKEN.c.id.desc())
    ).all()


def create(
    tx: Transaction, actor: Actor, programme_id: int, organisation_id: int | None, draft: Draft
) -> NewClient:
    """Make a client in a programme, or in one organisation of it alone.

    :raises NotFound: there is no such programme or organisation, or the actor may make none there
    :raises NotFresh: it is for what is dangerous, and it is too long since the actor signed in, or a token asks
    :raises Invalid: name, role, scopes, keys or days cannot be taken
    :raises Conflict: the programme has `MOST` in force
    """
    room = _room(tx, actor, programme_id, organisation_id)
    name, problems = text.line("name", draft.name, most=80)
    keys, wrong = _keys_of(draft)
    problems += wrong + _problems_of(actor, room, draft)
    if problems:
        raise Invalid(*problems)
    if DANGEROUS & set(draft.scopes):
        require_fresh_in_person(actor)
    _require_space(tx, programme_id)
    secret = secrets.new_token(secrets.CLIENT_SECRET_PREFIX) if draft.method == SECRET else ""
    client_id = f"pfc_{secrets.new_hex()[:24]}"
    id = tx.execute(
        CLIENT.insert()
        .values(
            client_id=client_id,
            name=name,
            person_id=_machine(tx, actor, room, name, draft.role),
            programme_id=programme_id,
            organisation_id=organisation_id,
            scopes=" ".join(scope for scope in SCOPES if scope in draft.scopes),
            auth_method=draft.method,
            secret_hash=secrets.digest(secret) if secret else None,
            secret_ending=secret[-4:],
            public_keys=keys,
            created_by=actor.person_id,
            created_at=tx.now,
            updated_at=tx.now,
            expires_at=None if draft.days is None else tx.now + timedelta(days=draft.days),
            version=1,
        )
        .returning(CLIENT.c.id)
    ).scalar_one()
    told = {"role": draft.role, "scopes": sorted(draft.scopes), "method": draft.method}
    record(tx, "client.created", actor, programme_id=programme_id, subject_id=int(id), data=told)
    return NewClient(int(id), client_id, secret)


def change_secret(tx: Transaction, actor: Actor, id: int) -> NewClient:
    """Give a client another secret; the one before holds for `OVERLAP` more, and any older one no longer.

    :raises NotFound: there is no such client, or the actor does not answer for it
    :raises NotFresh: it is for what is dangerous, and it is too long since the actor signed in, or a token asks
    :raises Conflict: it was revoked, has expired, or proves a key
    """
    client = _held(tx, actor, id)
    if client.auth_method != SECRET:
        raise Conflict(N_("This client proves a key and has no secret."))
    secret = secrets.new_token(secrets.CLIENT_SECRET_PREFIX)
    values = {
        "secret_hash": secrets.digest(secret),
        "secret_ending": secret[-4:],
        "previous_secret_hash": client.secret_hash,
        "previous_until": tx.now + OVERLAP,
    }
    _change(tx, actor, client, "client.secret_changed", values)
    return NewClient(int(client.id), client.client_id, secret)


def change_keys(tx: Transaction, actor: Actor, id: int, keys: str, *, version: int | None = None) -> None:
    """Replace the public keys of a client by a JWK set; the ones before no longer hold.

    :raises NotFound: there is no such client, or the actor does not answer for it
    :raises NotFresh: it is for what is dangerous, and it is too long since the actor signed in, or a token asks
    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: this is no set of public keys
    :raises Conflict: it was revoked, has expired, or has a secret
    """
    client = _held(tx, actor, id)
    _require_version(client, version)
    if client.auth_method != KEYS:
        raise Conflict(N_("This client has a secret and proves no key."))
    found, wrong = _read_keys(keys)
    if wrong:
        raise Invalid(*wrong)
    _change(tx, actor, client, "client.secret_changed", {"public_keys": found})


def revoke(tx: Transaction, actor: Actor, id: int, *, version: int | None = None) -> None:
    """End a client, its tokens and its place, at once and for good; ended before, nothing more happens.

    :raises NotFound: there is no such client, or the actor does not answer for it
    :raises Moved: `version` is given and no longer the newest
    """
    client = _found(tx, actor, id)
    if client.revoked_at is not None:
        return
    _require_version(client, version)
    in_force = and_(TOKEN.c.client_id == client.id, TOKEN.c.revoked_at.is_(None))
    tx.execute(update(TOKEN).where(in_force).values(revoked_at=tx.now))
    tx.execute(update(PERSON).where(PERSON.c.id == client.person_id).values(disabled_at=tx.now))
    place = and_(MEMBERSHIP.c.person_id == client.person_id, MEMBERSHIP.c.ended_at.is_(None))
    tx.execute(update(MEMBERSHIP).where(place).values(ended_at=tx.now, updated_at=tx.now))
    gone = {"revoked_at": tx.now, "secret_hash": None, "previous_secret_hash": None}
    _change(tx, actor, client, "client.revoked", gone)


def make_token(tx: Transaction, actor: Actor, id: int, *, days: int = LONGEST_DAYS) -> NewToken:
    """Make a token of a client for a directory that cannot ask for one itself; it is good for SCIM alone.

    It ends with its client at the latest.

    :raises NotFound: there is no such client, or the actor does not answer for it
    :raises NotFresh: it is too long since the actor signed in, or a token asks
    :raises Invalid: it shall be good for too long
    :raises Conflict: the client was revoked, has expired, or is not for a directory
    """
    client = _held(tx, actor, id)
    if SCIM not in client.scopes.split():
        raise Conflict(N_("Only a client that keeps a directory up to date has tokens of this kind."))
    wrong = _problems_of_days(days)
    if wrong:
        raise Invalid(*wrong)
    ends_at = tx.now + timedelta(days=days)
    made = of_client(tx, client, (SCIM,), min(ends_at, client.expires_at or ends_at))
    told = {"client_id": client.id, "scopes": [SCIM]}
    record(tx, "token.created", actor, programme_id=client.programme_id, subject_id=made.id, data=told)
    return made


def revoke_token(tx: Transaction, actor: Actor, id: int, token_id: int) -> None:
    """End one token of a client; idempotent.

    :raises NotFound: there is no such client or token, or the actor does not answer for it
    """
    client = find(tx.connection, actor, id)
    is_it = and_(TOKEN.c.id == token_id, TOKEN.c.client_id == client.id)
    token = tx.execute(select(TOKEN.c.revoked_at).where(is_it)).first()
    if token is None:
        raise NotFound(N_("There is no such token."))
    if token.revoked_at is None:
        tx.execute(update(TOKEN).where(is_it).values(revoked_at=tx.now))
        told = {"client_id": client.id}
        record(tx, "token.revoked", actor, programme_id=client.programme_id, subject_id=token_id, data=told)


_SELECT: Final = (
    select(
        CLIENT.c.id,
        CLIENT.c.client_id,
        CLIENT.c.name,
        CLIENT.c.programme_id,
        PROGRAMME.c.name.label("programme"),
        PROGRAMME.c.slug.label("programme_slug"),
        CLIENT.c.organisation_id,
        ORGANISATION.c.name.label("organisation"),
        select(MEMBERSHIP.c.role)
        .where(MEMBERSHIP.c.person_id == CLIENT.c.person_id)
        .order_by(MEMBERSHIP.c.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("role"),
        CLIENT.c.scopes,
        CLIENT.c.auth_method,
        CLIENT.c.secret_ending,
        CLIENT.c.previous_until,
        CLIENT.c.created_at,
        CLIENT.c.updated_at,
        CLIENT.c.expires_at,
        CLIENT.c.used_at,
        CLIENT.c.revoked_at,
        CLIENT.c.version,
    )
    .select_from(CLIENT)
    .join(PROGRAMME, PROGRAMME.c.id == CLIENT.c.programme_id)
    .outerjoin(ORGANISATION, ORGANISATION.c.id == CLIENT.c.organisation_id)
)


def _require_version(client: Row[Any], version: int | None) -> None:
    if version is not None and version != client.version:
        raise Moved(N_("Someone has changed this client in the meantime."), current=client.version)


def _held(tx: Transaction, actor: Actor, id: int) -> Row[Any]:
    """A client in force that the actor may change now; nobody else changes it until the commit.

    Whoever has its secret or key acts as it: so it takes someone who could have made it what it is.
    """
    client = _found(tx, actor, id)
    if client.revoked_at is not None:
        raise Conflict(N_("This client was revoked."))
    if client.expires_at is not None and client.expires_at <= tx.now:
        raise Conflict(N_("This client has expired."))
    if client.role not in roles_for(actor, _room_of(client)):
        raise NotAllowed(N_("Your role in this programme does not allow this."))
    if DANGEROUS & set(client.scopes.split()):
        require_fresh_in_person(actor)
    return client


def _found(tx: Transaction, actor: Actor, id: int) -> Row[Any]:
    """A client, in force or not, that nobody else changes until the commit."""
    tx.execute(select(CLIENT.c.id).where(CLIENT.c.id == id).with_for_update())
    return find(tx.connection, actor, id)


def _room(tx: Transaction, actor: Actor, programme_id: int, organisation_id: int | None) -> Room:
    wanted = (programme_id, organisation_id)
    for room in rooms(tx.connection, actor):
        if (room.programme_id, room.organisation_id) == wanted:
            return room
    raise NotFound(N_("There is no such programme or organisation, or it is not open to you."))


def _machine(tx: Transaction, actor: Actor, room: Room, name: str, role: str) -> int:
    """The person that stands for a client, with its one place; in a programme it is of its maker's organisation."""
    own = actor.membership_in(room.programme_id)
    organisation_id = room.organisation_id or (own.organisation_id if own else None)
    place = select(ORGANISATION.c.id, ORGANISATION.c.sector_id).where(
        ORGANISATION.c.programme_id == room.programme_id
    )
    if organisation_id is not None:
        place = place.where(ORGANISATION.c.id == organisation_id)
    organisation = tx.execute(place.order_by(ORGANISATION.c.id).limit(1)).one()
    person_id = tx.execute(
        PERSON.insert()
        .values(name=name, is_machine=True, created_at=tx.now, updated_at=tx.now, version=1)
        .returning(PERSON.c.id)
    ).scalar_one()
    tx.execute(
        MEMBERSHIP.insert().values(
            programme_id=room.programme_id,
            person_id=person_id,
            organisation_id=organisation.id,
            sector_id=organisation.sector_id,
            role=role,
            created_at=tx.now,
            updated_at=tx.now,
            version=1,
        )
    )
    return int(person_id)


def _require_space(tx: Transaction, programme_id: int) -> None:
    in_force = select(CLIENT.c.id).where(CLIENT.c.programme_id == programme_id, CLIENT.c.revoked_at.is_(None))
    if len(tx.execute(in_force.limit(MOST)).all()) == MOST:
        raise Conflict(N_("This programme has %(most)s clients already. Revoke one first."), most=MOST)


def _problems_of(actor: Actor, room: Room, draft: Draft) -> list[FieldError]:
    problems = [] if draft.days is None else _problems_of_days(draft.days)
    if draft.role not in roles_for(actor, room):
        problems.append(FieldError("role", N_("Please choose one of the roles in the list.")))
    if not draft.scopes or set(draft.scopes) - set(SCOPES):
        problems.append(FieldError("scopes", N_("Please choose what the client may do, from the list.")))
    if SCIM in draft.scopes and room.organisation_id is None:
        problems.append(
            FieldError(
                "scopes", N_("A directory belongs to one organisation. Please choose the organisation.")
            )
        )
    if draft.method not in METHODS:
        problems.append(FieldError("method", N_("Please choose how the client proves itself.")))
    return problems


def roles_for(actor: Actor, room: Any) -> tuple[str, ...]:
    """The roles that the actor may give to a client in a room; who may make nobody a coordinator gives little."""
    return ROLES if may(actor, Permission.MANAGE_ROLES, room) else OF_ORGANISATIONS


def _problems_of_days(days: int) -> list[FieldError]:
    if 1 <= days <= LONGEST_DAYS:
        return []
    return [FieldError("days", N_("Please choose between 1 and %(most)s days."), (("most", LONGEST_DAYS),))]


def _keys_of(draft: Draft) -> tuple[dict[str, Any] | None, list[FieldError]]:
    if draft.method == KEYS:
        return _read_keys(draft.keys)
    if draft.keys.strip() and draft.method in METHODS:
        return None, [
            FieldError("keys", N_("With a secret there are no keys: leave them out, or choose the key."))
        ]
    return None, []


def _read_keys(keys: str) -> tuple[dict[str, Any] | None, list[FieldError]]:
    try:
        return client_assertions.public_keys(keys), []
    except client_assertions.Unusable as error:
        return None, [FieldError("keys", error.message)]


def _change(tx: Transaction, actor: Actor, client: Row[Any], type: str, values: Mapping[str, Any]) -> None:
    tx.execute(
        update(CLIENT)
        .where(CLIENT.c.id == client.id)
        .values(**values, updated_at=tx.now, version=CLIENT.c.version + 1)
    )
    record(tx, type, actor, programme_id=client.programme_id, subject_id=client.id)


def _room_of(client: Any) -> Room:
    """Where a client is: what the policy asks about, and never its own number."""
    return Room(
        client.programme_id,
        client.programme,
        client.programme_slug,
        client.organisation_id,
        client.organisation,
    )
