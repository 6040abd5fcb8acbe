"""Tokens for machines by OAuth 2.0 client credentials (RFC 6749, 4.4): asked for, good for an hour, given back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.errors import DomainError
from app.integrations import client_assertions
from app.integrations.client_assertions import Unproved
from app.lib import clock, secrets
from app.models import AccessToken, Client, Person, UsedAssertion
from app.models.base import table
from app.policies.actor import Actor
from app.services import audit, tokens
from app.services.clients import KEYS, SCOPES, SECRET
from app.services.events import record

CLIENT = table(Client)
PERSON = table(Person)
TOKEN = table(AccessToken)
USED = table(UsedAssertion)

LIFE: Final = timedelta(hours=1)
"""How long a token is good."""

KEPT: Final = timedelta(days=1)
"""How long the row of a token that has expired is kept."""

UNKNOWN_SECRET: Final = secrets.digest("of no client")
"""What is compared where there is no such client, so that it takes as long to be told so."""


class Refused(DomainError):
    """A request that OAuth 2.0 answers with an error: its name there, and a sentence for whoever writes the program."""

    status = 400
    code = "bad-request"

    def __init__(self, error: str, description: str, *, reason: str = "", client: int | None = None) -> None:
        super().__init__(description)
        self.error = error
        self.reason = reason or error
        self.client = client


class InvalidClient(Refused):
    """Whoever asks has not proved to be a client of ours."""

    status = 401

    def __init__(self, reason: str, client: int | None = None) -> None:
        super().__init__(
            "invalid_client", "The client is not known or not proved.", reason=reason, client=client
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client sends to prove itself: a secret, or an assertion for one of `audiences`."""

    client_id: str = ""
    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """A client that has proved itself; `jti` and `until` are of its assertion, if it sent one."""

    id: int
    jti: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was just made, with its scopes and how long it is good."""

    token: str = field(repr=False)
    scopes: tuple[str, ...]
    life_s: int


def prove(connection: Connection, credentials: Credentials) -> Proved:
    """The client that these credentials are of.

    :raises InvalidClient: they are of none, or of one that was revoked or has expired
    """
    client_id = credentials.client_id or client_assertions.issuer_of(credentials.assertion)
    client = connection.execute(select(CLIENT).where(CLIENT.c.client_id == client_id[:60])).first()
    if credentials.assertion:
        return _proved_by_key(client, credentials)
    _prove_secret(client, credentials.secret)
    if client is None or not _is_in_force(client, clock.now()):
        raise InvalidClient("ended", client.id if client else None)
    return Proved(int(client.id))


def issue(tx: Transaction, proved: Proved, scope: str | None = None) -> Issued:
    """Make a token for a client, good for `LIFE`: for the scopes it asks for, or for all that it has.

    :raises InvalidClient: it was revoked meanwhile, or its assertion was used before
    :raises Refused: it asks for a scope that it does not have
    """
    client = tx.execute(select(CLIENT).where(CLIENT.c.id == proved.id).with_for_update()).one()
    if not _is_in_force(client, tx.now):
        raise InvalidClient("ended", proved.id)
    _use_up(tx, proved)
    scopes = _scopes(client, scope)
    _forget_old(tx, client.id)
    ends_at = tx.now + LIFE if client.expires_at is None else min(tx.now + LIFE, client.expires_at)
    made = tokens.of_client(tx, client, scopes, ends_at)
    tx.execute(update(CLIENT).where(CLIENT.c.id == client.id).values(used_at=tx.now))
    audit.write_down(
        tx,
        "token.issued",
        Actor(person_id=client.person_id, client_id=client.id),
        programme_id=client.programme_id,
        organisation_id=client.organisation_id,
        subject="token",
        subject_id=made.id,
        data={"scopes": list(scopes)},
    )
    return Issued(made.token, scopes, int((ends_at - tx.now).total_seconds()))


def revoke(tx: Transaction, proved: Proved, token: str) -> None:
    """End a token of the client's own (RFC 7009); of any other nothing happens and nothing is told.

    :raises InvalidClient: its assertion was used before
    """
    _use_up(tx, proved)
    is_own = and_(
        TOKEN.c.token_hash == secrets.digest(token),
        TOKEN.c.client_id == proved.id,
        TOKEN.c.revoked_at.is_(None),
    )
    ended = tx.execute(
        update(TOKEN)
        .where(is_own)
        .values(revoked_at=tx.now)
        .returning(TOKEN.c.id, TOKEN.c.person_id, TOKEN.c.programme_id)
    ).first()
    if ended is not None:
        of_client = Actor(person_id=ended.person_id, client_id=proved.id)
        told = {"client_id": proved.id}
        record(
            tx, "token.revoked", of_client, programme_id=ended.programme_id, subject_id=ended.id, data=told
        )


def refuse(tx: Transaction, error: Refused) -> None:
    """Note in the audit log that a client was refused; the reason is a word of ours."""
    programme_id = tx.execute(select(CLIENT.c.programme_id).where(CLIENT.c.id == error.client)).scalar()
    audit.refused(
        tx,
        "client.refused",
        None,
        error.reason,
        programme_id=programme_id,
        subject="client",
        subject_id=error.client,
    )


def _proved_by_key(client: Any, credentials: Credentials) -> Proved:
    if client is None or client.auth_method != KEYS or not _is_in_force(client, clock.now()):
        raise InvalidClient("ended" if client else "unknown", client.id if client else None)
    try:
        proof = client_assertions.prove(
            credentials.assertion,
            client_id=client.client_id,
            keys=client.public_keys,
            audiences=credentials.audiences,
        )
    except Unproved as error:
        raise InvalidClient(str(error), client.id) from None
    return Proved(int(client.id), proof.jti, proof.expires_at)


def _prove_secret(client: Any, secret: str) -> None:
    """Compare with both secrets of a client, or with none that anyone has: always as long."""
    has_secret = client is not None and client.auth_method == SECRET
    known = (client.secret_hash if has_secret else None) or UNKNOWN_SECRET
    before = (client.previous_secret_hash if has_secret else None) or UNKNOWN_SECRET
    sent = secrets.digest(secret)
    is_new, is_old = secrets.same_bytes(sent, known), secrets.same_bytes(sent, before)
    holds_still = has_secret and client.previous_until is not None and client.previous_until > clock.now()
    if not secret or not has_secret or not (is_new or (is_old and holds_still)):
        raise InvalidClient("secret" if client else "unknown", client.id if client else None)


def _is_in_force(client: Any, now: datetime) -> bool:
    return client.revoked_at is None and (client.expires_at is None or client.expires_at > now)


def _use_up(tx: Transaction, proved: Proved) -> None:
    """Take an assertion for good: the same one a second time, even at the same moment, proves nothing."""
    if proved.jti is None:
        return
    tx.execute(delete(USED).where(USED.c.expires_at < tx.now))
    try:
        with tx.connection.begin_nested():
            tx.execute(
                USED.insert().values(
                    client_id=proved.id, jti_hash=secrets.digest(proved.jti), expires_at=proved.until
                )
            )
    except IntegrityError:
        raise InvalidClient("replayed", proved.id) from None


def _scopes(client: Any, asked: str | None) -> tuple[str, ...]:
    has = client.scopes.split()
    wanted = has if asked is None else asked.split()
    if not wanted or set(wanted) - set(has):
        raise Refused("invalid_scope", f"This client has the scopes: {' '.join(has)}.", client=client.id)
    return tuple(scope for scope in SCOPES if scope in wanted)


def _forget_old(tx: Transaction, client: int) -> None:
    """Delete the rows of a client's tokens that are long over: a machine gets one each hour."""
    is_over = or_(TOKEN.c.expires_at < tx.now - KEPT, TOKEN.c.revoked_at < tx.now - KEPT)
    tx.execute(delete(TOKEN).where(TOKEN.c.client_id == client, is_over))


def metadata(base_url: str) -> Mapping[str, Any]:
    """What we say of ourselves as an authorization server (RFC 8414)."""
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    return {
        "issuer": base_url,
        "token_endpoint": f"{base_url}/oauth/token",
        "revocation_endpoint": f"{base_url}/oauth/revoke",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": list(SCOPES),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": list(client_assertions.ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": list(client_assertions.ALGORITHMS),
        "service_documentation": f"{base_url}/api/v1/docs",
    }
