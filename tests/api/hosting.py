"""A placement at the public house, with Alice as its contact, for guests of the business house."""

from datetime import date, timedelta
from typing import Any

from app.lib import clock, days
from app.policies.actor import Actor
from app.services import placement_making, placements, programmes
from tests.api.conftest import Api, Caller

MIRA = {"name": "Mira Hren", "email": "mira@larch.example"}


def monday(ahead: int = 3) -> date:
    """The Monday so many weeks from now."""
    return days.week_of(clock.now().date()).first_day + timedelta(weeks=ahead)


def week(ahead: int = 3, places: int = 1) -> dict[str, Any]:
    """A week from Monday to Friday as a body has it."""
    first = monday(ahead)
    return {
        "first_day": first.isoformat(),
        "last_day": (first + timedelta(days=4)).isoformat(),
        "is_window": False,
        "places": places,
    }


def window(ahead: int = 10, weeks: int = 4, places: int = 1) -> dict[str, Any]:
    """A window of some weeks."""
    last = monday(ahead) + timedelta(days=7 * weeks - 1)
    return week(ahead, places) | {"last_day": last.isoformat(), "is_window": True}


def placement(api: Api, *periods: dict[str, Any], published: bool = True, **fields: Any) -> dict[str, Any]:
    """A placement as the API shows it; of one week with one place unless periods are named."""
    world = api.world
    programme = world.ask(programmes.find, world.cora, world.programme_id)
    rows = [
        {name: date.fromisoformat(value) if name.endswith("_day") else value for name, value in each.items()}
        for each in periods or (week(),)
    ]
    usual = {"title": "A week in the permits office", "description": "Sit with those who decide."}
    placement_id = world.do(
        placement_making.offer,
        world.cora,
        programme,
        organisation_id=world.organisations["public"],
        contact_id=world.alice.person_id,
        periods=rows,
        **(usual | fields),
    )
    if published:
        world.do(placement_making.publish, world.cora, placement_id)
    view = world.ask(placements.find, world.cora, placement_id)
    return {"id": placement_id, "periods": [each.id for each in view.periods]}


def booker(api: Api, actor: Actor) -> Caller:
    """Someone with a token to read and to book."""
    return api.of(actor, "read", "book")


def ask(api: Api, placed: dict[str, Any], actor: Actor | None = None, **body: Any) -> Any:
    """The answer to someone who asks for the first period of a placement; Bob, unless someone else is named."""
    caller = booker(api, actor or api.world.bob)
    draft = {"period": placed["periods"][0], "manager": MIRA} | body
    return caller.post(f"/placements/{placed['id']}/bookings", draft)
