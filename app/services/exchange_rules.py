"""How a programme runs its exchanges: who approves, in which order, how long a place is held, what is agreed before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import FieldError, Invalid, Moved
from app.lib import closing_days, days
from app.lib.i18n import N_
from app.models import ExchangeRules, Programme
from app.models.base import table
from app.models.exchange import AIMS, APPROVERS, BOTH, COORDINATOR, GUEST, HOST, MANAGER, MOST_SERVED, WAYS
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services.events import record

RULES = table(ExchangeRules)
PROGRAMME = table(Programme)

PARTIES: Final = (GUEST, HOST)
"""Whom an item of the checklist may concern."""

CONTACT: Final = "contact"
CONFIDENTIALITY: Final = "confidentiality"
"""Two items that mean more than their text: one asks for an answer, one goes with the placement's own terms."""

MOST_ITEMS: Final = 12
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "hold_days": (1, 90),
    "offer_days": (1, 30),
    "link_days": (1, 30),
    "remind_days": (1, 30),
}


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the checklist before a stay is confirmed. `text` is a msgid where it is one of the usual ones."""

    key: str
    party: str
    text: str

    @property
    def asks(self) -> bool:
        """Whether an answer is due with it: who is the contact person, and how to reach them."""
        return self.key == CONTACT


USUAL_CHECKLIST: Final = (
    Item(
        CONFIDENTIALITY,
        GUEST,
        N_("I keep to myself what I learn of confidential matters during the stay, and after it."),
    ),
    Item(
        "interest",
        GUEST,
        N_(
            "I have no conflict of interest with the host: no contract, tender or procedure in which I take part."
        ),
    ),
    Item("insurance", GUEST, N_("My employer has told me that I am insured at work at the host's as well.")),
    Item(
        CONTACT, HOST, N_("A contact person receives the guest on the first day and is there for questions.")
    ),
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a programme decided, or what is usual. Days are whole days."""

    programme_id: int
    way: str = BOTH
    approvals: tuple[str, ...] = (MANAGER, HOST, COORDINATOR)
    in_order: bool = True
    checklist: tuple[Item, ...] = USUAL_CHECKLIST
    hold_days: int = 14
    offer_days: int = 3
    link_days: int = 7
    remind_days: int = 3
    country: str = "SI"
    region: str = ""
    zone: str = "Europe/Ljubljana"
    aim: str = MOST_SERVED
    version: int = 0

    def today(self, now: datetime) -> date:
        """The day that it is where the programme is."""
        return days.today(self.zone, now)

    def begins(self, day: date) -> datetime:
        """The instant at which `day` begins there."""
        return days.begins(day, self.zone)

    def asked(self, decided: Sequence[str]) -> tuple[str, ...]:
        """Who is to decide next, of those who have not `decided`: one after another, or all at once."""
        left = tuple(role for role in self.approvals if role not in decided)
        return left[:1] if self.in_order else left


# queries


def find(connection: Connection, programme_id: int) -> Rules:
    """The rules of a programme. One statement."""
    row = connection.execute(select(RULES).where(RULES.c.programme_id == programme_id)).first()
    return of(row) if row is not None else Rules(programme_id)


def of_programme(connection: Connection, actor: Actor, programme: Any) -> Rules:
    """The rules of a programme, for those who take part in it. One statement.

    :raises NotAllowed: the actor does not take part
    """
    require(actor, Permission.READ_EXCHANGES, programme)
    return find(connection, programme.id)


def of(row: Any) -> Rules:
    """The rules that a row of their table says."""
    same = {name: getattr(row, name) for name in _SAME}
    items = tuple(Item(each["key"], each["party"], each["text"]) for each in row.checklist)
    return Rules(**same, approvals=tuple(row.approvals), checklist=items)


_SAME: Final = tuple(name for name in Rules.__slots__ if name not in ("approvals", "checklist"))

PREFIXED: Final = tuple(column.label(f"rules_{column.name}") for column in RULES.c)
"""The columns of the rules for a statement about something else, which joins them from outside; see `prefixed`."""


def prefixed(row: Any, programme_id: int) -> Rules:
    """The rules that a row with the columns `PREFIXED` says; the usual ones where there are none."""
    if row.rules_programme_id is None:
        return Rules(programme_id)
    return of(_Unprefixed(row))


@dataclass(frozen=True, slots=True)
class _Unprefixed:
    """A row whose columns of the rules are asked for by their own names."""

    row: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, f"rules_{name}")


# verbs


def set_rules(
    tx: Transaction, actor: Actor, programme: Any, *, version: int | None = None, **changes: Any
) -> Rules:
    """Change what `changes` names of a programme's rules; bookings that are on their way go on by the new ones.

    As it was, nothing happens.

    :raises NotAllowed: the actor is no coordinator of it
    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: something cannot be taken; the error names it
    """
    require(actor, Permission.RUN_EXCHANGES, programme)
    # Of two at once, who may write the first row of all, the second waits for the first.
    tx.execute(select(PROGRAMME.c.id).where(PROGRAMME.c.id == programme.id).with_for_update())
    before = find(tx.connection, programme.id)
    if version is not None and version != before.version:
        raise Moved(N_("Someone has changed these rules in the meantime."), current=before.version)
    after = replace(before, **changes)
    errors = _problems(after)
    if errors:
        raise Invalid(*errors)
    if after == before:
        return before
    after = replace(after, version=before.version + 1)
    values = {name: getattr(after, name) for name in _SAME if name != "programme_id"}
    values |= {
        "approvals": list(after.approvals),
        "checklist": [{"key": each.key, "party": each.party, "text": each.text} for each in after.checklist],
        "updated_at": tx.now,
    }
    if before.version:
        tx.execute(RULES.update().where(RULES.c.programme_id == programme.id).values(values))
    else:
        tx.execute(RULES.insert(), {"programme_id": programme.id, "created_at": tx.now, **values})
    record(tx, "exchange_rules.changed", actor, programme_id=programme.id, subject_id=programme.id)
    return after


def _problems(rules: Rules) -> list[FieldError]:
    errors = [
        FieldError(name, N_("Please give a whole number from %(least)s to %(most)s."), _range(name))
        for name in LIMITS
        if not LIMITS[name][0] <= getattr(rules, name) <= LIMITS[name][1]
    ]
    for name, allowed in (("way", WAYS), ("aim", AIMS)):
        if getattr(rules, name) not in allowed:
            errors.append(FieldError(name, N_("Please choose one of the list.")))
    known = set(rules.approvals) <= set(APPROVERS)
    if not known or len(set(rules.approvals)) != len(rules.approvals):
        errors.append(FieldError("approvals", N_("Please name each of those who approve once.")))
    if rules.country and not closing_days.is_country(rules.country):
        errors.append(FieldError("country", N_("Please choose one of the list.")))
    _, wrong = text.line("region", rules.region, most=10, least=0)
    errors += wrong
    if not _is_zone(rules.zone):
        errors.append(FieldError("zone", N_("Please give a time zone such as Europe/Ljubljana.")))
    return errors + _checklist_problems(rules.checklist)


def _checklist_problems(items: Sequence[Item]) -> list[FieldError]:
    if len(items) > MOST_ITEMS:
        return [FieldError("checklist", N_("Please give at most %(most)s items."), (("most", MOST_ITEMS),))]
    if len({each.key for each in items}) != len(items):
        return [FieldError("checklist", N_("Each item needs a key of its own."))]
    errors: list[FieldError] = []
    for place, item in enumerate(items):
        _, wrong = text.line(f"checklist/{place}/text", item.text, most=1000)
        _, more = text.line(f"checklist/{place}/key", item.key, most=40)
        errors += wrong + more
        if item.party not in PARTIES:
            errors.append(FieldError(f"checklist/{place}/party", N_("Please choose one of the list.")))
    return errors


def _range(name: str) -> tuple[tuple[str, Any], ...]:
    least, most = LIMITS[name]
    return (("least", least), ("most", most))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)
