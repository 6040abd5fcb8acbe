"""Forms that wait while their sender signs in once more, so that nobody fills one in twice."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import NotFound
from app.lib import clock, secrets
from app.lib.i18n import N_
from app.models import KeptForm
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require

FORM: Final = table(KeptForm)

LASTS: Final = timedelta(minutes=10)
"""How long a form waits."""

MOST_BYTES: Final = 32 * 1024
"""A longer form is not kept."""

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A form that waited: where it goes, the page that it stood on, and what was filled in."""

    path: str
    back: str
    fields: Fields


def keep(tx: Transaction, actor: Actor, secret: str, *, path: str, back: str, fields: Fields) -> int:
    """Keep a form of the actor's session until they have signed in once more; its id.

    It is sealed with what the browser's cookie has and the database has not.
    """
    require(actor, Permission.MANAGE_OWN)
    tx.execute(delete(FORM).where(FORM.c.expires_at < tx.now))
    kept = tx.execute(
        FORM.insert()
        .values(
            session_id=actor.session_id,
            path=path,
            back=back,
            sealed=secrets.seal(_key(secret), json.dumps(list(fields)).encode()),
            expires_at=tx.now + LASTS,
        )
        .returning(FORM.c.id)
    ).scalar_one()
    return int(kept)


def find(connection: Connection, actor: Actor, secret: str, form_id: int) -> Waiting:
    """A form that waits for the actor in this browser.

    :raises NotFound: there is none, it waited too long, or it is another session's
    """
    require(actor, Permission.MANAGE_OWN)
    row = connection.execute(
        select(FORM.c.path, FORM.c.back, FORM.c.sealed).where(
            FORM.c.id == form_id, FORM.c.session_id == actor.session_id, FORM.c.expires_at > clock.now()
        )
    ).first()
    plain = secrets.unseal(_key(secret), row.sealed) if row is not None else None
    if row is None or plain is None:
        raise NotFound(N_("What you had filled in waited for ten minutes and is gone. Please begin again."))
    return Waiting(row.path, row.back, [(name, value) for name, value in json.loads(plain)])


def _key(secret: str) -> str:
    """What seals the forms of a browser; the same after its cookie's secret was changed."""
    return secrets.derive(secrets.lasting(secret), "kept form")
