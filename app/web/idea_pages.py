"""Lists of ideas as JSON: a page is written once for everyone, and whom it is for is laid over it.

Every change of a board writes an event, another name of someone who wrote there too, so the newest event's id
tells whether a page that was kept still holds. What no event of the board tells (a phase that begins by the clock)
is seen when the phase begins, and all else within `LONGEST`.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from pydantic_core import to_json
from sqlalchemy.engine import Connection, Engine

from app.errors import NotFound
from app.lib import clock
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import boards, challenges, events, ideas, support
from app.services.boards import Query
from app.services.challenges import ChallengeView
from app.web import items, paging
from app.web.paging import Position

LONGEST: Final = timedelta(seconds=30)
"""How long a page is kept at the most."""

MOST_BYTES: Final = 16 * 1024 * 1024
"""How much is kept in all; what was not asked for longest goes first."""

Found = tuple[bytes, Position]
"""The items of a page as JSON with commas between, and where the next page begins, if there is one."""


@dataclass(frozen=True, slots=True)
class Written:
    """A page without its readers: each idea's id and JSON up to where `supported` is to be said."""

    event_id: int
    until: datetime
    challenge: ChallengeView
    ideas: tuple[tuple[int, bytes], ...]
    following: Position
    size: int


def read(connection: Connection, actor: Actor, challenge_id: int, query: Query, base_url: str) -> Found:
    """A page of a challenge's ideas, for one caller; three statements where the page is kept.

    :raises NotFound: there is no such challenge for this actor
    :raises InvalidParameter: the cursor is of another order
    """
    page = _page(connection, actor, challenge_id, query, base_url)
    mine = support.mine(connection, actor, challenge_id)
    shown = [text + (b"true}" if idea_id in mine else b"false}") for idea_id, text in page.ideas]
    return b",".join(shown), page.following


def _page(connection: Connection, actor: Actor, challenge_id: int, query: Query, base_url: str) -> Written:
    if query.words or not query.is_the_same_for_all:
        return _write(connection, actor, challenge_id, query, base_url)
    kept = _KEPT.setdefault(connection.engine, Kept())
    event_id = events.latest_on(connection, challenge_id)
    page = kept.find((challenge_id, query, base_url), event_id)
    if page is None:
        page = _write(connection, actor, challenge_id, query, base_url, event_id=event_id)
        kept.keep((challenge_id, query, base_url), page)
    elif not may(actor, Permission.READ_CHALLENGE, page.challenge):
        raise NotFound(N_("There is no such challenge, or it is not open to you."))
    return page


def _write(
    connection: Connection, actor: Actor, challenge_id: int, query: Query, base_url: str, *, event_id: int = 0
) -> Written:
    """The page as it is now. `event_id` was read before, so that what comes meanwhile is not taken for seen."""
    challenge = challenges.find(connection, actor, challenge_id)
    sort = boards.effective(query.sort, challenge)
    if query.after and sort == query.sort and len(query.after) != (1 if sort == "new" else 2):
        raise paging.bad_cursor()
    page = boards.ideas(connection, actor, challenge, query)
    bodies = ideas.bodies(connection, [card.id for card in page.cards])
    written = tuple(
        (
            card.id,
            to_json(items.card(base_url, card, bodies[card.id], challenge.phase.kind))[:-1]
            + b',"supported":',
        )
        for card in page.cards
    )
    size = sum(len(text) for _, text in written) + 2_000
    return Written(event_id, _until(challenge), challenge, written, page.next or (), size)


def _until(challenge: ChallengeView) -> datetime:
    now = clock.now()
    turns = (
        turn for phase in challenge.phases for turn in (phase.starts_at, phase.ends_at) if turn and turn > now
    )
    return min([now + LONGEST, *turns])


class Kept:
    """The pages of one database that are kept, within `MOST_BYTES`."""

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple[int, Query, str], Written] = OrderedDict()
        self._size = 0

    def find(self, name: tuple[int, Query, str], event_id: int) -> Written | None:
        """The page of that name, if nothing has happened on its board since."""
        page = self._pages.get(name)
        if page is None or page.event_id != event_id or page.until <= clock.now():
            return None
        self._pages.move_to_end(name)
        return page

    def keep(self, name: tuple[int, Query, str], page: Written) -> None:
        """Keep a page in place of the older one."""
        self._forget(name)
        self._pages[name] = page
        self._size += page.size
        while self._size > MOST_BYTES:
            self._forget(next(iter(self._pages)))

    def _forget(self, name: tuple[int, Query, str]) -> None:
        page = self._pages.pop(name, None)
        if page is not None:
            self._size -= page.size


_KEPT: WeakKeyDictionary[Engine, Kept] = WeakKeyDictionary()
