"""Who is here: the people with a board open, in this process and, as the others tell, in theirs."""

from collections.abc import Iterable
from typing import Final, NamedTuple

REMEMBERED_S: Final = 30.0
"""How long another process's word holds if it does not repeat it."""

SHOWN: Final = 12
"""People shown by name; the others are counted."""


class Visitor(NamedTuple):
    """Someone who has the board open."""

    id: int
    name: str


class Here(NamedTuple):
    """Who has a board open: `shown` by name, `total` with those who are not shown."""

    shown: tuple[Visitor, ...]
    total: int


class Presence:
    """Who has one board open: each person once, however many pages they have it open in."""

    __slots__ = ("_elsewhere", "_here")

    def __init__(self) -> None:
        self._here: dict[int, int] = {}
        self._elsewhere: dict[str, tuple[float, tuple[int, ...]]] = {}

    def join(self, person_id: int) -> bool:
        """Note one more page; whether the person was not here before."""
        pages = self._here.get(person_id, 0)
        self._here[person_id] = pages + 1
        return pages == 0

    def leave(self, person_id: int) -> bool:
        """Note one page less; whether the person is gone now."""
        pages = self._here.get(person_id, 0)
        if pages > 1:
            self._here[person_id] = pages - 1
        else:
            self._here.pop(person_id, None)
        return pages == 1

    def told(self, origin: str, person_ids: Iterable[int], now: float) -> bool:
        """Note who has the board open in another process; whether that is news."""
        ids = tuple(person_ids)
        _, before = self._elsewhere.pop(origin, (now, ()))
        if ids:
            self._elsewhere[origin] = (now + REMEMBERED_S, ids)
        return ids != before

    def forget_old(self, now: float) -> bool:
        """Forget what other processes have not repeated; whether there was anything."""
        old = [origin for origin, (until, _) in self._elsewhere.items() if until <= now]
        for origin in old:
            del self._elsewhere[origin]
        return bool(old)

    def in_this_process(self) -> list[int]:
        """The people whose pages are open in this process."""
        return list(self._here)

    def everyone(self) -> list[int]:
        """The people here and elsewhere, each once, in an order that is the same in every process."""
        return sorted({*self._here, *(id for _, ids in self._elsewhere.values() for id in ids)})
