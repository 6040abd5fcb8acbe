"""Bridging: how well an idea is carried by the sector that carries it least."""

from collections.abc import Iterable


def score(sectors: Iterable[tuple[int, int]]) -> float:
    """The minimum over sectors of (supporters + 1) / (active + 2), between 0 and 1.

    `sectors` gives for each the supporters of the idea and the people who supported anything on its board. The
    added one and two are Laplace's rule of succession: a sector of which nobody is active yet stands at one half.
    No sectors: 0.
    """
    return min(((supporters + 1) / (active + 2) for supporters, active in sectors), default=0.0)
