"""The home manager of a guest: who it is, and naming another; nobody decides on their own stay by another name."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid
from app.lib.i18n import N_
from app.methods.booking_machine import HELD, OFFERED, WAITING
from app.models import Booking, Membership, OrganisationDomain, Person
from app.models.base import table
from app.models.exchange import MANAGER
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services import booking_steps, exchange_people
from app.services.actors import is_human
from app.services.exchange_rules import Rules

BOOKING = table(Booking)
DOMAIN = table(OrganisationDomain)
MEMBERSHIP = table(Membership)
PERSON = table(Person)


@dataclass(frozen=True, slots=True)
class Manager:
    """The home manager of a guest: someone with an account (`person_id`), or a name and a mail address."""

    person_id: int | None = None
    name: str = ""
    email: str = ""


NOBODY: Final = Manager()


@dataclass(frozen=True, slots=True)
class Guest:
    """Whose manager is named."""

    person_id: int
    organisation_id: int


def name(
    tx: Transaction, actor: Actor, booking_id: int, manager: Manager, *, version: int | None = None
) -> None:
    """Name another home manager, while none has decided; the link of the one before ends.

    :raises NotAllowed: the actor is neither the guest nor a coordinator
    :raises Conflict: no manager's decision is waited for
    """
    booking = booking_steps.hold(tx, actor, booking_id, version=version)
    require(actor, Permission.MOVE_BOOKING, booking)
    decided = {each.role for each in booking.decisions}
    is_awaited = MANAGER in booking.rules.approvals and MANAGER not in decided
    if booking.state not in (HELD, OFFERED, WAITING) or not is_awaited:
        raise Conflict(N_("No manager's decision is waited for."))
    guest = Guest(booking.person_id, booking.organisation_id)
    manager, wrong = checked(tx, guest, booking.rules, manager)
    if wrong:
        raise Invalid(*wrong)
    booking_steps.revoke_links(tx, booking.id)
    tx.execute(
        BOOKING.update()
        .where(BOOKING.c.id == booking.id)
        .values(**values_of(manager), version=booking.version + 1, updated_at=tx.now)
    )
    booking_steps.note(tx, booking, "booking.manager_named", actor)
    named = booking_steps.found(tx.connection, booking.id)
    if MANAGER in named.asked:
        exchange_people.ask(tx, named, (MANAGER,))


def checked(
    tx: Transaction, guest: Guest, rules: Rules, manager: Manager
) -> tuple[Manager, list[FieldError]]:
    """The manager with their name and address, and what is wrong. Where managers do not approve, none is needed."""
    if MANAGER not in rules.approvals:
        return NOBODY, []
    if manager.person_id is not None:
        return _with_account(tx, guest, rules.programme_id, manager.person_id)
    name, errors = text.line("manager_name", manager.name, most=120)
    email, wrong = text.line("manager_email", manager.email, most=254)
    errors += wrong
    if not wrong and not _is_address(email):
        errors.append(
            FieldError("manager_email", N_("Please give a whole mail address, such as name@example.org."))
        )
    elif not wrong:
        errors += _address_problems(tx, guest, email)
    return Manager(None, name, email), errors


def values_of(manager: Manager) -> dict[str, Any]:
    """A manager as the columns of a booking."""
    return {
        "manager_id": manager.person_id,
        "manager_name": manager.name,
        "manager_email": manager.email,
    }


def _with_account(
    tx: Transaction, guest: Guest, programme_id: int, person_id: int
) -> tuple[Manager, list[FieldError]]:
    row = tx.execute(
        select(PERSON.c.name)
        .join(MEMBERSHIP, MEMBERSHIP.c.person_id == PERSON.c.id)
        .where(
            PERSON.c.id == person_id,
            PERSON.c.id != guest.person_id,
            PERSON.c.disabled_at.is_(None),
            MEMBERSHIP.c.programme_id == programme_id,
            MEMBERSHIP.c.organisation_id == guest.organisation_id,
            MEMBERSHIP.c.ended_at.is_(None),
            is_human(PERSON.c.id),
        )
    ).first()
    if row is None:
        return NOBODY, [FieldError("manager_id", N_("Please choose a colleague of your own organisation."))]
    return Manager(person_id, row.name), []


def _address_problems(tx: Transaction, guest: Guest, email: str) -> list[FieldError]:
    """A guest's own address, and one outside the domains that are known to be the organisation's."""
    own = tx.execute(select(PERSON.c.email).where(PERSON.c.id == guest.person_id)).scalar()
    if own is not None and _mailbox(own) == _mailbox(email):
        return [FieldError("manager_email", N_("This is your own address; please give your manager's."))]
    domains = tx.execute(
        select(DOMAIN.c.domain).where(
            DOMAIN.c.organisation_id == guest.organisation_id, DOMAIN.c.verified_at.is_not(None)
        )
    ).scalars()
    known = {domain.lower() for domain in domains}
    if known and email.rpartition("@")[2].lower() not in known:
        message = N_("Please give an address of your own organisation, which ends in %(domains)s.")
        return [FieldError("manager_email", message, (("domains", ", ".join(sorted(known))),))]
    return []


def _mailbox(email: str) -> str:
    """Where an address leads, as far as it shows: what follows a `+` is the reader's own affair."""
    local, _, domain = email.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _is_address(email: str) -> bool:
    """Whether it is an address in its plain form: of quotes and comments a guest's own one could be made anew."""
    local, at, domain = email.rpartition("@")
    is_plain = not any(each.isspace() or each in _SPECIAL for each in local + domain)
    return bool(at and is_plain and all(local.split(".")) and all(domain.split(".")) and "." in domain)


_SPECIAL: Final = frozenset('()<>[]:;@\\,"')
"""What stands in an address for something else than itself (RFC 5322, 3.2.3)."""
