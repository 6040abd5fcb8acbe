"""Lists of ideas as JSON, for one caller."""

from pydantic_core import to_json
from sqlalchemy.engine import Connection

from app.policies.actor import Actor
from app.services import boards, challenges, ideas, support
from app.services.boards import Query
from app.web import items, paging

Found = tuple[bytes, tuple[int, ...]]
"""The items of a page as JSON with commas between, and where the next page begins, if there is one."""


def read(connection: Connection, actor: Actor, challenge_id: int, query: Query, base_url: str) -> Found:
    """A page of a challenge's ideas, for one caller.

    :raises NotFound: there is no such challenge for this actor
    :raises InvalidParameter: the cursor is of another order
    """
    challenge = challenges.find(connection, actor, challenge_id)
    if query.after and challenge.phase.tallies and len(query.after) != (1 if query.sort == "new" else 2):
        raise paging.bad_cursor()
    page = boards.ideas(connection, actor, challenge, query)
    bodies = ideas.bodies(connection, [card.id for card in page.cards])
    mine = support.mine(connection, actor, challenge_id)
    written = [
        to_json(
            {
                **items.card(base_url, card, bodies[card.id], challenge.phase.kind),
                "supported": card.id in mine,
            }
        )
        for card in page.cards
    ]
    return b",".join(written), page.next or ()
