"""Who signs in, linked to whom their organisation's directory tells of.

Whom a directory tells of is nobody here until they sign in at the organisation's own provider with a signed claim that
repeats the directory's `externalId`. From then on the directory's word that they have left ends their place at once.
"""

from typing import Any, Final

from sqlalchemy import and_, select, update

from app.database import Transaction
from app.errors import NotAllowed
from app.integrations.oidc import Arrival
from app.lib.i18n import N_
from app.models import ScimUser
from app.models.base import table
from app.policies.actor import Actor
from app.services import audit, directory_roles

USER = table(ScimUser)

ENDED: Final = N_(
    "Your organisation has told us that you no longer take part. Please ask there if you think that this is wrong."
)


def matched(tx: Transaction, arrival: Arrival, person_id: int, organisation: Any) -> None:
    """Link who has signed in to whom their organisation's directory tells of, by a signed claim; never by mail.

    `organisation` is the one that the provider vouches for, a row with its `id`, or None where it vouches for none.

    :raises NotAllowed: the directory says that they have left
    """
    if not arrival.directory_id or organisation is None:
        return
    is_theirs = and_(USER.c.organisation_id == organisation.id, USER.c.external_id == arrival.directory_id)
    user = tx.execute(select(USER).where(is_theirs).with_for_update()).first()
    if user is None:
        return
    if not user.active:
        raise NotAllowed(ENDED)
    if user.person_id is None:
        tx.execute(update(USER).where(USER.c.id == user.id).values(person_id=person_id))
        audit.write_down(
            tx,
            "scim.user_linked",
            Actor(person_id=person_id),
            programme_id=user.programme_id,
            organisation_id=user.organisation_id,
            subject="scim_user",
            subject_id=user.id,
            data={"person_id": person_id},
        )
    directory_roles.settle(tx, user.programme_id, organisation.id)
