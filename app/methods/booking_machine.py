"""The states of a booking, and the one table of what leads from which to which; `docs/bookings.md` draws it.

Pure: who may take a step is the policy's affair, whether a place is free is the service's. Whatever changes a booking
goes through `step`, so that a change that does not stand in the table cannot happen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

ASKED = "asked"
"""Where every booking begins: within one transaction it goes on to a place, or to the waiting line."""

WAITING, OFFERED, HELD, APPROVED, CONFIRMED = "waiting", "offered", "held", "approved", "confirmed"
UNDER_WAY, COMPLETED, REFLECTED = "under_way", "completed", "reflected"
DECLINED, WITHDRAWN, CANCELLED, EXPIRED, PASSED_ON = (
    "declined",
    "withdrawn",
    "cancelled",
    "expired",
    "passed_on",
)

STATES: Final = (
    WAITING,
    OFFERED,
    HELD,
    APPROVED,
    CONFIRMED,
    UNDER_WAY,
    COMPLETED,
    REFLECTED,
    DECLINED,
    WITHDRAWN,
    CANCELLED,
    EXPIRED,
    PASSED_ON,
)

HOLDING: Final = (OFFERED, HELD, APPROVED, CONFIRMED, UNDER_WAY, COMPLETED, REFLECTED)
"""States in which a booking takes up a place on each of its days."""

LIVE: Final = (WAITING, OFFERED, HELD, APPROVED, CONFIRMED, UNDER_WAY)
"""States from which a stay may still come, or is going on."""

ENDED: Final = (DECLINED, WITHDRAWN, CANCELLED, EXPIRED, PASSED_ON)
"""States in which there will be no stay: whoever is told of them is told why."""

GUEST, MANAGER, HOST, COORDINATOR, CLOCK = "guest", "manager", "host", "coordinator", "clock"


@dataclass(frozen=True, slots=True)
class Transition:
    """An action that leads from any of `sources` to one of `targets`, taken by one of `roles`."""

    action: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    event: str
    """The type of the event that records it."""


TABLE: Final = (
    Transition("hold", (ASKED,), (HELD,), (GUEST,), "booking.held"),
    Transition("queue", (ASKED,), (WAITING,), (GUEST,), "booking.queued"),
    Transition("propose", (ASKED,), (OFFERED,), (COORDINATOR,), "booking.offered"),
    Transition("offer", (WAITING,), (OFFERED,), (CLOCK,), "booking.offered"),
    Transition("accept", (OFFERED,), (HELD,), (GUEST,), "booking.accepted"),
    Transition("pass", (OFFERED,), (PASSED_ON,), (GUEST, CLOCK), "booking.passed_on"),
    Transition("approve", (HELD,), (HELD, APPROVED), (MANAGER, HOST, COORDINATOR), "booking.approved"),
    Transition("clear", (HELD,), (APPROVED,), (CLOCK,), "booking.cleared"),
    Transition(
        "decline", (HELD, OFFERED, WAITING), (DECLINED,), (MANAGER, HOST, COORDINATOR), "booking.declined"
    ),
    Transition("confirm", (APPROVED,), (CONFIRMED,), (GUEST, HOST, COORDINATOR, CLOCK), "booking.confirmed"),
    Transition("move", (WAITING,), (WAITING, HELD), (GUEST, COORDINATOR), "booking.moved"),
    Transition("move", (HELD, APPROVED, CONFIRMED), (HELD,), (GUEST, COORDINATOR), "booking.moved"),
    Transition("withdraw", (WAITING, OFFERED, HELD, APPROVED), (WITHDRAWN,), (GUEST,), "booking.withdrawn"),
    Transition(
        "cancel", (CONFIRMED, UNDER_WAY), (CANCELLED,), (GUEST, HOST, COORDINATOR), "booking.cancelled"
    ),
    Transition(
        "cancel", (WAITING, OFFERED, HELD, APPROVED), (CANCELLED,), (HOST, COORDINATOR), "booking.cancelled"
    ),
    Transition("leave", LIVE, (CANCELLED,), (CLOCK,), "booking.cancelled"),
    Transition("part", (OFFERED, HELD, APPROVED, CONFIRMED), (CANCELLED,), (CLOCK,), "booking.cancelled"),
    Transition("expire", (WAITING, HELD, APPROVED), (EXPIRED,), (CLOCK,), "booking.expired"),
    Transition("start", (CONFIRMED,), (UNDER_WAY,), (CLOCK,), "booking.started"),
    Transition("complete", (UNDER_WAY,), (COMPLETED,), (CLOCK,), "booking.completed"),
    Transition("reflect", (COMPLETED,), (REFLECTED,), (GUEST, HOST), "booking.reflected"),
)
"""Every step there is. `leave`: the guest is no longer in the organisation for which they asked. `part`: the desk of a
swap is not free, since the one whose it is stays at home.
"""

EVENTS: Final = frozenset(each.event for each in TABLE)


class Impossible(Exception):
    """The table has no such step from this state."""


def step(action: str, source: str, target: str | None = None) -> Transition:
    """The transition by which `action` leads from `source` (to `target`, where there is a choice).

    :raises Impossible: the table has none
    """
    for each in TABLE:
        if each.action == action and source in each.sources and (target is None or target in each.targets):
            return each
    raise Impossible(f"{action} from {source}")


def can(action: str, source: str, role: str | None = None) -> bool:
    """Whether `action` leads anywhere from `source`, for `role` if one is given."""
    return any(
        each.action == action and source in each.sources and (role is None or role in each.roles)
        for each in TABLE
    )


@dataclass(frozen=True, slots=True)
class Traced:
    """What the events say of one booking."""

    state: str
    period_id: int
    first_day: str
    last_day: str
    line: int
    """The id of the event by which the place in the waiting line was got: it never changes."""


def replay(events: Iterable[Any]) -> Mapping[int, Traced]:
    """The bookings that `events` (rows of the log: id, type, subject_id, data; by id) lead to, by their ids.

    Each event's `data` has `from`, `to`, `period`, `first_day`, `last_day`.

    :raises Impossible: an event that the table does not allow in the state that the events before led to
    """
    found: dict[int, Traced] = {}
    for event in events:
        if event.type not in EVENTS:
            continue
        data, before = event.data, found.get(event.subject_id)
        source = before.state if before else ASKED
        if source != data["from"] or not _allows(event.type, source, data["to"]):
            raise Impossible(f"{event.type} from {source} to {data['to']}")
        found[event.subject_id] = Traced(
            data["to"],
            data["period"],
            data["first_day"],
            data["last_day"],
            before.line if before else event.id,
        )
    return found


def _allows(event: str, source: str, target: str) -> bool:
    return any(each.event == event and source in each.sources and target in each.targets for each in TABLE)
