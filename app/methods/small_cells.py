"""Small numbers left out of a table, and as many others as it takes so that its totals do not tell them.

Suppression after Willenborg and de Waal, "Elements of Statistical Disclosure Control" (2001), section 6: primary where
a number is small, complementary where the total less the rest would give it away. Totals stand over their cells as in
a tree, so that what a reader can reckon of a group is its own total alone: looking at one group at a time is enough.
"""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

LEAST: Final = 5
"""Fewer than this are people who might be known."""


@dataclass(frozen=True, slots=True)
class Withheld(Generic[K]):
    """What of a group is not told: some of its cells, and perhaps its total."""

    cells: frozenset[K]
    total: bool


def withheld(cells: Mapping[K, int], also: Collection[K] = (), least: int = LEAST) -> Withheld[K]:
    """What of a group of counts must not be told, where its total would be told too.

    Noughts are told: nobody is in them. `also` names cells that must not be told for a reason of their own. A reader
    who knows the total, all that is told, and that each cell left out is 1 or more, cannot tell of any of them that it
    is below `least`. Where no choice of cells reaches that, the total is not told either.
    """
    hidden = {key for key, count in cells.items() if 0 < count < least or key in also}
    told = sorted((key for key in cells if cells[key] > 0 and key not in hidden), key=lambda key: cells[key])
    while hidden and not _keeps(hidden, cells, least) and told:
        hidden.add(told.pop(0))
    return Withheld(frozenset(hidden), total=bool(hidden) and not _keeps(hidden, cells, least))


def _keeps(hidden: Collection[K], cells: Mapping[K, int], least: int) -> bool:
    """Whether each of several cells could be `least` or more, the others being 1 at the least."""
    return len(hidden) > 1 and sum(cells[key] for key in hidden) >= least + len(hidden) - 1
