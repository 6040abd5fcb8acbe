"""Shuffling that anyone can do again: an order made from a published seed."""

import hashlib
from collections.abc import Iterable


def shuffled(keys: Iterable[str], seed: str, purpose: str) -> tuple[str, ...]:
    """`keys` in the order of the SHA-256 of `seed`, `purpose` and each key, joined by line feeds.

    The same for the same three, whatever order the keys come in; another for each purpose.
    """
    return tuple(sorted(keys, key=lambda key: (_hash(f"{seed}\n{purpose}\n{key}"), key)))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
